/* The walk: validate a call, bring its array to flat ranges of elements, and hand their segments to row loops.
 *
 * The dimensions are sorted by the input's strides; the innermost ones that are contiguous together, in the input and
 * in every output, make one flat range. Along it the neighbours on *any* axis are the range itself shifted by a
 * constant, and an axis only says where its first and last rows begin. So every axis, contiguous or not, is the same
 * loop, and all axes of a call are made chunk by chunk while the chunk and its neighbours are still in cache. This file
 * knows of dtypes only their sizes, and of instruction sets nothing. */
#include "fdx_rows.h"

/* Elements of a flat range worked on at a time. One operator streams, so its chunks only bound what a part can be
 * split by; several share a chunk, which should stay in the L2 cache with its results. */
#ifndef CHUNK_ONE /* these limits can be set from outside, so that tests reach with small arrays what is made for      \
                     large */
#define CHUNK_ONE ((ptrdiff_t)65536)
#define CHUNK_MANY ((ptrdiff_t)8192)
#endif
/* Where more than this (bytes) is read and written before a row's other neighbour asks for it again, it may have left
 * the last-level cache: then the rows are cut into tiles. */
#ifndef CACHE
#define CACHE ((ptrdiff_t)16 << 20)
#endif
#define CACHE_LINE ((ptrdiff_t)64)
#define SHORT 8 /* the longest innermost axis that is worked on by columns; at 16 rows are faster */
#define TILE_TURNED ((ptrdiff_t)1024)   /* elements */
#define TILE_SCATTERED ((ptrdiff_t)512) /* bytes; by measurement, between cache conflicts and the work for each row */
#define REACH ((ptrdiff_t)2)            /* the widest distance between the neighbours of one stencil, in rows */

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* One operator of the call, as the walk sees it. */
typedef struct {
    const fdx_op *op;
    char *out;        /* where its result for the current chunk begins */
    ptrdiff_t n;      /* the length of its axis */
    ptrdiff_t stride; /* bytes to the next row of the input along the axis */
    ptrdiff_t step;   /* bytes to the next element of the output along the flat range */
    ptrdiff_t inner;  /* elements of the flat range from one row to the next; 0: its axis is outside the range */
    ptrdiff_t index;  /* if outside: the current row */
    int plain;        /* the output needs no conversion */
    fdx_scatter_fn *scatter;
} band;

typedef struct {
    const fdx_call *call;
    const char *in;        /* the input at the current chunk */
    ptrdiff_t step;        /* bytes to the next element of the input along the flat range */
    ptrdiff_t flat;        /* elements of the flat range */
    ptrdiff_t tile, chunk; /* elements of a tile of it, and of a chunk of a tile */
    ptrdiff_t outer_size;  /* flat ranges in the array */
    int nouter;
    int outer[FDX_MAXDIM]; /* the dimensions outside the flat range, slowest first */
    ptrdiff_t index[FDX_MAXDIM];
    ptrdiff_t itemsize; /* of an element after conversion */
    int plain;          /* the input needs no conversion */
    fdx_gather_fn *gather;
    const fdx_rows *rows[2]; /* [wide] */
    band band[FDX_MAXDIM];
} walk;

/* ---- sizes and names ---- */

static const uint8_t itemsizes[FDX_NDTYPES] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 8, 16};

ptrdiff_t fdx_itemsize(int dtype)
{
    return dtype >= 0 && dtype < FDX_NDTYPES ? itemsizes[dtype] : 0;
}

int fdx_result_dtype(int dtype)
{
    return dtype < FDX_F32 ? FDX_F64 : dtype;
}

const char *fdx_status_message(fdx_status status)
{
    switch (status) {
    case FDX_OK: return "no error";
    case FDX_E_NULL: return "a pointer that must point at something is NULL";
    case FDX_E_NDIM: return "the number of dimensions is not in 1 .. FDX_MAXDIM";
    case FDX_E_SHAPE: return "a length is negative";
    case FDX_E_DTYPE: return "an unknown dtype, or one that does not go with the data's";
    case FDX_E_AXIS: return "an axis is not in 0 .. ndim - 1";
    case FDX_E_SIZE: return "an axis is too short for its stencils";
    case FDX_E_STENCIL: return "an unknown kind of stencil, or one that reaches outside the array";
    case FDX_E_EDGE: return "edge_order is neither 1 nor 2";
    case FDX_E_OPS: return "the number of operators is not in 1 .. FDX_MAXDIM";
    case FDX_E_OVERLAP: return "an output's extent overlaps the input's or the coordinates'";
    case FDX_E_PART: return "part is not in 0 .. nparts - 1";
    }
    return "unknown status";
}

/* ---- validation ---- */

/* The bytes an array spans, as addresses: [lo, hi). */
static void extent(const fdx_array *a, int ndim, const ptrdiff_t *shape, uintptr_t *lo, uintptr_t *hi)
{
    *lo = *hi = (uintptr_t)a->data;
    for (int d = 0; d < ndim; d++) {
        const ptrdiff_t reach = (shape[d] - 1) * a->stride[d];
        if (reach < 0)
            *lo += (uintptr_t)reach; /* modular arithmetic: this subtracts */
        else
            *hi += (uintptr_t)reach;
    }
    *hi += (uintptr_t)fdx_itemsize(a->dtype);
}

static int overlap(const fdx_array *a, int ndim_a, const ptrdiff_t *shape_a, const fdx_array *b, int ndim_b,
                   const ptrdiff_t *shape_b)
{
    uintptr_t lo_a, hi_a, lo_b, hi_b;
    extent(a, ndim_a, shape_a, &lo_a, &hi_a);
    extent(b, ndim_b, shape_b, &lo_b, &hi_b);
    return lo_a < hi_b && lo_b < hi_a;
}

/* A stencil of the rows lo .. hi of an axis of n stays inside it. */
static fdx_status check_stencil(const fdx_stencil *s, ptrdiff_t lo, ptrdiff_t hi, ptrdiff_t n, int has_coords)
{
    if (s->kind > FDX_COORDS || (s->kind == FDX_COORDS && !has_coords))
        return FDX_E_STENCIL;
    if (lo > hi)
        return FDX_OK;
    ptrdiff_t least = s->off[0], most = s->off[0];
    for (int k = 1; k < (s->kind == FDX_QUOTIENT ? 2 : FDX_NTAPS); k++) {
        least = MIN(least, s->off[k]);
        most = MAX(most, s->off[k]);
    }
    if (s->kind == FDX_COORDS && (s->off[0] != -1 || s->off[1] != 0 || s->off[2] != 1))
        return FDX_E_STENCIL;
    return most - least > REACH || lo + least < 0 || hi + most >= n ? FDX_E_STENCIL : FDX_OK;
}

static fdx_status check_op(const fdx_call *call, const fdx_op *op, int empty)
{
    if (op->out.stride == NULL || (op->out.data == NULL && !empty) || (op->x.data != NULL && op->x.stride == NULL))
        return FDX_E_NULL;
    if (op->axis < 0 || op->axis >= call->ndim)
        return FDX_E_AXIS;
    if (op->out.dtype != fdx_result_dtype(call->in.dtype) || (op->x.data != NULL && op->x.dtype > FDX_F64))
        return FDX_E_DTYPE;
    const ptrdiff_t n = call->shape[op->axis];
    if (n < 2)
        return FDX_E_SIZE;
    fdx_status status = check_stencil(&op->first, 0, 0, n, 0);
    if (status == FDX_OK)
        status = check_stencil(&op->interior, 1, n - 2, n, op->x.data != NULL);
    if (status == FDX_OK)
        status = check_stencil(&op->last, n - 1, n - 1, n, 0);
    return status;
}

static fdx_status check(const fdx_call *call)
{
    if (call == NULL || call->shape == NULL || call->in.stride == NULL || call->op == NULL || call->isa == NULL)
        return FDX_E_NULL;
    if (call->ndim < 1 || call->ndim > FDX_MAXDIM)
        return FDX_E_NDIM;
    if (call->nops < 1 || call->nops > FDX_MAXDIM)
        return FDX_E_OPS;
    if (fdx_itemsize(call->in.dtype) == 0)
        return FDX_E_DTYPE;
    int empty = 0;
    for (int d = 0; d < call->ndim; d++) {
        if (call->shape[d] < 0)
            return FDX_E_SHAPE;
        empty |= call->shape[d] == 0;
    }
    if (call->in.data == NULL && !empty)
        return FDX_E_NULL;
    for (int k = 0; k < call->nops; k++) {
        const fdx_status status = check_op(call, &call->op[k], empty);
        if (status != FDX_OK)
            return status;
    }
    for (int k = 0; k < call->nops && !empty; k++) {
        const fdx_array *out = &call->op[k].out;
        if (overlap(out, call->ndim, call->shape, &call->in, call->ndim, call->shape))
            return FDX_E_OVERLAP;
        for (int j = 0; j < call->nops; j++)
            if (call->op[j].x.data != NULL &&
                overlap(out, call->ndim, call->shape, &call->op[j].x, 1, &call->shape[call->op[j].axis]))
                return FDX_E_OVERLAP;
    }
    return FDX_OK;
}

/* ---- from arrays to a walk ---- */

/* Native, aligned and one element after the other: a row loop may read or write it in place. */
static int is_plain(const fdx_call *call, const fdx_array *a, ptrdiff_t step)
{
    if (a->dtype < FDX_F32 || a->swapped || step != fdx_itemsize(a->dtype))
        return 0;
    const uintptr_t part = fdx_is_single(a->dtype) ? sizeof(float) : sizeof(double);
    uintptr_t bits = (uintptr_t)a->data;
    for (int d = 0; d < call->ndim; d++)
        if (call->shape[d] > 1)
            bits |= (uintptr_t)a->stride[d];
    return bits % part == 0;
}

/* Does dimension `outer` continue where `inner` ends, in the input and all outputs? */
static int contiguous(const fdx_call *call, int outer, int inner)
{
    const ptrdiff_t n = call->shape[inner];
    int yes = call->in.stride[outer] == n * call->in.stride[inner];
    for (int k = 0; k < call->nops; k++)
        yes &= call->op[k].out.stride[outer] == n * call->op[k].out.stride[inner];
    return yes;
}

/* The dimensions longer than 1 by falling stride of the input, equal ones in their order. Returns their number.
 *
 * A short innermost axis to differentiate along comes first instead, with *turned set: its rows would be segments of
 * one or two elements each, and strided rows along the next dimension cost less. */
static int sort_dimensions(const fdx_call *call, int order[FDX_MAXDIM], ptrdiff_t inside[FDX_MAXDIM], int *turned)
{
    int count = 0;
    for (int d = 0; d < call->ndim; d++) {
        if (call->shape[d] == 1)
            continue;
        const ptrdiff_t stride = call->in.stride[d], size = stride < 0 ? -stride : stride;
        int at = count++;
        for (; at > 0; at--) {
            const ptrdiff_t other = call->in.stride[order[at - 1]];
            if ((other < 0 ? -other : other) >= size)
                break;
            order[at] = order[at - 1];
        }
        order[at] = d;
    }
    const int last = order[count - 1];
    *turned = 0;
    for (int k = 0; k < call->nops; k++)
        *turned |= count > 1 && call->op[k].axis == last && call->shape[last] <= SHORT;
    if (*turned) {
        for (int at = count - 1; at > 0; at--)
            order[at] = order[at - 1];
        order[0] = last;
    }
    ptrdiff_t elements = 1;
    for (int at = count - 1; at >= 0; at--) {
        inside[order[at]] = elements; /* elements of the array between two rows along this dimension */
        elements *= call->shape[order[at]];
    }
    return count;
}

static void plan(walk *w, const fdx_call *call, ptrdiff_t nparts)
{
    const fdx_isa *isa = call->isa;
    const int dtype = call->in.dtype, result = fdx_result_dtype(dtype);
    int order[FDX_MAXDIM];
    ptrdiff_t inside[FDX_MAXDIM];
    int turned;
    const int count = sort_dimensions(call, order, inside, &turned);
    const int innermost = order[count - 1];

    w->call = call;
    w->step = call->in.stride[innermost];
    w->itemsize = fdx_itemsize(result);
    w->plain = is_plain(call, &call->in, w->step);
    w->gather = isa->gather[dtype][call->in.swapped != 0];
    w->rows[0] = &isa->rows[result - FDX_F32 + FDX_ROW_F32];
    w->rows[1] = result == FDX_F32   ? &isa->rows[FDX_ROW_F32_WIDE]
                 : result == FDX_C64 ? &isa->rows[FDX_ROW_C64_WIDE]
                                     : w->rows[0]; /* double is wide already */

    /* An axis whose neighbours lie too far apart for the cache stays outside the flat range, which is cut to tiles. */
    ptrdiff_t span = 0;
    int stop = turned;
    for (int k = 0; k < call->nops; k++) {
        const ptrdiff_t per_point = fdx_itemsize(dtype) + call->nops * fdx_itemsize(result);
        const ptrdiff_t bytes = REACH * per_point * inside[call->op[k].axis];
        if (bytes <= CACHE)
            continue;
        span = MAX(span, bytes);
        for (int at = stop; at < count - 1; at++)
            if (order[at] == call->op[k].axis)
                stop = at + 1;
    }
    int first = count - 1;
    w->flat = call->shape[innermost];
    for (; first > stop && contiguous(call, order[first - 1], order[first]); first--)
        w->flat *= call->shape[order[first - 1]];

    w->nouter = first;
    w->outer_size = 1;
    for (int at = 0; at < first; at++) {
        w->outer[at] = order[at];
        w->outer_size *= call->shape[order[at]];
    }
    w->tile = w->flat;
    if (span > 0)
        w->tile = MIN(w->flat, MAX(CHUNK_MANY, (ptrdiff_t)((double)w->flat * ((double)CACHE / (double)span))));
    /* What shares cache lines should be read or written while they are in the cache: the few columns of a short axis,
     * and an output whose elements along the flat range are far apart but whose rows are not. */
    if (turned)
        w->tile = MIN(w->tile, TILE_TURNED);
    for (int k = 0; k < call->nops; k++) {
        const ptrdiff_t step = call->op[k].out.stride[innermost];
        if (step > CACHE_LINE || step < -CACHE_LINE)
            w->tile = MIN(w->tile, TILE_SCATTERED / fdx_itemsize(result));
    }
    w->chunk = MIN(w->tile, call->nops == 1 ? CHUNK_ONE : CHUNK_MANY);
    const ptrdiff_t wanted = MIN(nparts, w->flat) * 4 / w->outer_size + 1; /* chunks of each flat range */
    if (nparts > 1 && w->flat / w->chunk < wanted)
        w->chunk = MIN(w->chunk, MAX(1, w->flat / wanted));

    for (int k = 0; k < call->nops; k++) {
        const fdx_op *op = &call->op[k];
        band *b = &w->band[k];
        b->op = op;
        b->n = call->shape[op->axis];
        b->stride = call->in.stride[op->axis];
        b->step = op->out.stride[innermost];
        b->inner = inside[op->axis];
        for (int at = 0; at < first; at++)
            if (order[at] == op->axis)
                b->inner = 0;
        b->plain = is_plain(call, &op->out, b->step);
        b->scatter = isa->scatter[result - FDX_F32][op->out.swapped != 0];
    }
}

/* ---- from a segment to row loops ---- */

/* A row of converted elements; its members only give it size and alignment. */
typedef union {
    double f64[2 * (FDX_BLOCK + REACH)];
    float f32[4 * (FDX_BLOCK + REACH)];
} block;

/* Interior weights of the rows i .. i + n - 1, from the coordinates. */
static void coords_weights(const walk *w, const band *b, ptrdiff_t i, ptrdiff_t n, double *const weight[FDX_NTAPS])
{
    const fdx_array *x = &b->op->x;
    const fdx_isa *isa = w->call->isa;
    double row[FDX_BLOCK + REACH];
    isa->gather[x->dtype][x->swapped != 0](row, (const char *)x->data + (i - 1) * x->stride[0], x->stride[0], n + 2);
    isa->coords[x->dtype != FDX_F32].weights(weight, row, n);
}

/* n results of stencil s from row i on. They lie in one row of the axis, unless the axis is the flat range's own
 * innermost (then the rows i, i + 1, ...) or s is the same for all of them. */
static void segment(const walk *w, const band *b, const fdx_stencil *s, ptrdiff_t i, const char *in, char *out,
                    ptrdiff_t n)
{
    const fdx_rows *rows = w->rows[s->wide != 0];
    const int taps = s->kind == FDX_QUOTIENT ? 2 : FDX_NTAPS;
    const int stream = s->kind == FDX_COORDS && b->inner == 1;
    fdx_stencil own;
    if (s->kind == FDX_COORDS && !stream) { /* the weights of this one row */
        double *const weight[FDX_NTAPS] = {&own.w[0], &own.w[1], &own.w[2]};
        own = *s;
        own.kind = FDX_TAPS;
        coords_weights(w, b, i, 1, weight);
        s = &own;
    }
    int least = s->off[0], most = s->off[0];
    for (int k = 1; k < taps; k++) {
        least = MIN(least, s->off[k]);
        most = MAX(most, s->off[k]);
    }
    block from[FDX_NTAPS], to;
    double weights[FDX_NTAPS][FDX_BLOCK];
    double *const weight[FDX_NTAPS] = {weights[0], weights[1], weights[2]};
    const int direct = w->plain && b->plain && !stream;

    for (ptrdiff_t done = 0; done < n;) {
        const ptrdiff_t m = direct ? n : MIN(n - done, FDX_BLOCK);
        const void *x[FDX_NTAPS] = {NULL, NULL, NULL};
        if (w->plain) {
            for (int k = 0; k < taps; k++)
                x[k] = in + s->off[k] * b->stride;
        } else if (b->inner == 1) { /* the neighbours are one row, shifted: convert it once */
            w->gather(&from[0], in + least * b->stride, w->step, m + most - least);
            for (int k = 0; k < taps; k++)
                x[k] = (const char *)&from[0] + (s->off[k] - least) * w->itemsize;
        } else {
            for (int k = 0; k < taps; k++) {
                w->gather(&from[k], in + s->off[k] * b->stride, w->step, m);
                x[k] = &from[k];
            }
        }
        void *y = b->plain ? (void *)out : (void *)&to;
        if (stream) {
            const double *const read[FDX_NTAPS] = {weight[0], weight[1], weight[2]};
            coords_weights(w, b, i + done, m, weight);
            rows->stream(y, x, m, read);
        } else if (s->kind == FDX_QUOTIENT) {
            rows->quotient(y, x[0], x[1], m, s->w[0]);
        } else {
            rows->taps(y, x, m, s->w);
        }
        if (!b->plain)
            b->scatter(out, b->step, &to, m);
        in += m * w->step;
        out += m * b->step;
        done += m;
    }
}

/* The n results of one operator from position `at` of the flat range on: a segment for each stretch of one stencil. */
static void band_chunk(const walk *w, const band *b, ptrdiff_t at, ptrdiff_t n)
{
    const fdx_op *op = b->op;
    const int varying = op->interior.kind == FDX_COORDS; /* each interior row has weights of its own */
    const char *in = w->in;
    char *out = b->out;
    if (b->inner == 0) {
        const ptrdiff_t i = b->index;
        segment(w, b, i == 0 ? &op->first : i == b->n - 1 ? &op->last : &op->interior, i, in, out, n);
        return;
    }
    ptrdiff_t i = at / b->inner % b->n, used = at % b->inner; /* the row, and how much of it lies behind us */
    while (n > 0) {
        const fdx_stencil *s = &op->interior;
        ptrdiff_t count = varying && b->inner > 1 ? 1 : b->n - 1 - i; /* rows in this stretch */
        if (i == 0 || i == b->n - 1) {
            s = i == 0 ? &op->first : &op->last;
            count = 1;
        }
        const ptrdiff_t m = MIN(n, count * b->inner - used);
        segment(w, b, s, i, in, out, m);
        in += m * w->step;
        out += m * b->step;
        n -= m;
        used = 0;
        i += count;
        if (i == b->n)
            i = 0;
    }
}

/* ---- the walk ---- */

fdx_status fdx_apply_part(const fdx_call *call, ptrdiff_t part, ptrdiff_t nparts)
{
    const fdx_status status = check(call);
    if (status != FDX_OK)
        return status;
    if (nparts < 1 || part < 0 || part >= nparts)
        return FDX_E_PART;
    for (int d = 0; d < call->ndim; d++)
        if (call->shape[d] == 0)
            return FDX_OK;

    walk w;
    plan(&w, call, nparts);

    /* The order of the walk: tiles of the flat range; in each all outer indices; at each the tile's chunks. The last
     * tile may be shorter, and has its own number of chunks. */
    const ptrdiff_t per_tile = (w.tile + w.chunk - 1) / w.chunk;
    const ptrdiff_t full_tiles = w.flat / w.tile, rest = w.flat % w.tile;
    const ptrdiff_t chunks = w.outer_size * (full_tiles * per_tile + (rest + w.chunk - 1) / w.chunk);
    const ptrdiff_t share = chunks / nparts, extra = chunks % nparts;
    ptrdiff_t number = part * share + MIN(part, extra);
    const ptrdiff_t end = number + share + (part < extra);
    if (number == end)
        return FDX_OK;

    ptrdiff_t tile = MIN(number / (per_tile * w.outer_size), full_tiles);
    ptrdiff_t within = number - tile * per_tile * w.outer_size;
    ptrdiff_t in_tile = tile < full_tiles ? per_tile : (rest + w.chunk - 1) / w.chunk;
    ptrdiff_t sub = within % in_tile, left = within / in_tile;
    for (int at = w.nouter - 1; at >= 0; at--) {
        const ptrdiff_t n = call->shape[w.outer[at]];
        w.index[at] = left % n;
        left /= n;
    }
    for (;;) {
        const ptrdiff_t at = tile * w.tile + sub * w.chunk;
        const ptrdiff_t n = MIN(w.chunk, MIN((tile + 1) * w.tile, w.flat) - at);
        w.in = (const char *)call->in.data + at * w.step;
        for (int d = 0; d < w.nouter; d++)
            w.in += w.index[d] * call->in.stride[w.outer[d]];
        for (int k = 0; k < call->nops; k++) {
            band *b = &w.band[k];
            b->out = (char *)b->op->out.data + at * b->step;
            for (int d = 0; d < w.nouter; d++) {
                b->out += w.index[d] * b->op->out.stride[w.outer[d]];
                if (w.outer[d] == b->op->axis)
                    b->index = w.index[d];
            }
            band_chunk(&w, b, at, n);
        }
        if (++number == end)
            return FDX_OK;
        if (++sub < in_tile)
            continue;
        sub = 0;
        int d = w.nouter - 1;
        for (; d >= 0 && ++w.index[d] == call->shape[w.outer[d]]; d--)
            w.index[d] = 0;
        if (d < 0) {
            tile++;
            in_tile = tile < full_tiles ? per_tile : (rest + w.chunk - 1) / w.chunk;
        }
    }
}

fdx_status fdx_apply(const fdx_call *call)
{
    return fdx_apply_part(call, 0, 1);
}
