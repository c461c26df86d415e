/* np.gradient: validation of a call, and the walk, which goes over its arrays as flat ranges of elements, block by
 * block, and hands row segments to row loops.
 *
 * Dimensions are sorted by the input's strides. The innermost ones that are contiguous together, in the input and in
 * every output, make one flat range. Along it, neighbours on *any* axis are the range itself shifted by a constant; an
 * axis only says where its first and last rows begin. So every axis, contiguous or not, is the same loop, and all axes
 * of a call are computed while a block and its neighbours are in cache. This file uses only the sizes of dtypes, and
 * nothing of an instruction set but its table.
 *
 * A block is first computed speculatively: quotients without division and, where rows are short, the interior stencil
 * over all of them at once, with the first and last rows corrected afterwards. Either only goes wrong where an
 * operation raises a floating-point exception. Then the block is computed again exactly, with no operations but the
 * formula's, and so are some of the next blocks, lest data that raise exceptions throughout be computed twice. */
#include "fdx_fenv.h"
#include "fdx_walk.h"

/* Tests set the limits in #ifndef from outside, to reach with small arrays the code for large ones.
 *
 * Elements of a block. With one axis, data are read only once, and blocks only bound the size of parts; with more, a
 * block and its results should stay in the L2 cache until all axes are done. */
#ifndef ONE_AXIS_BLOCK_ELEMENTS
#define ONE_AXIS_BLOCK_ELEMENTS ((ptrdiff_t)65536)
#define AXES_BLOCK_ELEMENTS ((ptrdiff_t)8192)
#endif
/* If more bytes are read and written before a row is read again, for its other neighbour, it may have left the L2
 * cache: then the flat range is cut into tiles. */
#ifndef CACHE_BYTES
#define CACHE_BYTES ((ptrdiff_t)1 << 20)
#endif
#define PREFETCH_MIN_BYTES ((ptrdiff_t)1 << 24) /* for larger outputs, data is prefetched */
#ifndef CONVERTED_BYTES
#define CONVERTED_BYTES 3072 /* of a buffer for conversion or non-temporal stores; at least 16 FDX_BUFFER_ELEMENTS */
#endif
#ifndef MIN_DIVISIONS
#define MIN_DIVISIONS ((ptrdiff_t)256) /* for fewer elements, it does not pay to prepare a faster division */
#endif
#define MIN_INTERIOR ((ptrdiff_t)1024)            /* elements: a shorter interior's stencil is applied to all rows */
#define MIN_ROW_BYTES ((ptrdiff_t)192)            /* shorter rows are computed by columns, unless speculatively */
#define REORDERED_TILE_ELEMENTS ((ptrdiff_t)1024) /* of a column, while the rest of its cache lines is in cache */
#define MIN_WHOLE_ROW ((ptrdiff_t)64)             /* elements: longer rows are converted one by one */
#define MIN_INNER ((ptrdiff_t)12)                 /* elements: fewer adjacent ones are computed by strided lines */
#define MIN_PREFETCHED_BYTES ((ptrdiff_t)256)     /* of shorter lines, nothing is prefetched */
#define MIN_FLAT_IN_PLACE ((ptrdiff_t)20)         /* elements: shorter flat ranges are replaced, if not converted, */
#define MIN_FLAT_CONVERTED ((ptrdiff_t)80)        /* and if converted, */
#define MIN_LENGTH_RATIO ((ptrdiff_t)4)           /* by one that is longer by this factor */
#define SCATTERED_TILE_BYTES ((ptrdiff_t)512)     /* measured, between cache conflicts and the work for each row */
#define MAX_SPAN ((ptrdiff_t)2)                   /* rows between the outermost neighbours of a stencil */

enum { MAX_WALK_AXES = 4 }; /* axes of one walk; further ones have further walks, to need little stack */

/* One stencil of an axis, and its loops. */
typedef struct {
    const fdx_gradient_row *of;
    const fdx_rows *rows;
    int nweights;
    int division; /* the fastest, if computed speculatively */
    fdx_divisor divisor;
} stencil;

enum { FIRST, INTERIOR, LAST };

/* One axis of the call, as the walk sees it. */
typedef struct {
    const fdx_gradient_axis *along;
    stencil stencil[3];
    char *out;        /* the result of the current block */
    ptrdiff_t n;      /* the length of its axis */
    ptrdiff_t stride; /* bytes to the next row of the input along the axis */
    ptrdiff_t step;   /* bytes to the next element of the output along the flat range */
    ptrdiff_t inner;  /* elements of the flat range from one row to the next; 0: the axis is outside the range */
    ptrdiff_t index;  /* if outside: the current row */
    int plain;        /* the output needs no conversion */
    int buffered;     /* it is computed in a buffer, to be written by non-temporal stores */
    fdx_scatter_fn *scatter;
} band;

/* Weights of interior rows from coordinates, kept for the next use. */
typedef struct {
    const band *b;    /* of this axis; NULL: there are none */
    ptrdiff_t row, n; /* of rows row .. row + n - 1, */
    ptrdiff_t phase;  /* or, if not negative: of n elements of the flat range from there on */
    double w[FDX_NWEIGHTS][FDX_BUFFER_ELEMENTS];
} weights;

/* A buffer for a row of converted elements: CONVERTED_BYTES, and the neighbours at its ends. */
typedef union {
    double f64[CONVERTED_BYTES / sizeof(double) + 2 * MAX_SPAN];
    float f32[CONVERTED_BYTES / sizeof(float) + 4 * MAX_SPAN];
} row_buffer;

/* A converted row of the input, kept: the right neighbour of one row is the left neighbour of the next but one. */
typedef struct {
    const char *in; /* its address before conversion; NULL: none is kept here */
    ptrdiff_t step, n;
    ptrdiff_t used; /* the clock when it was last used */
    row_buffer row;
} converted;
enum { NCONVERTED = FDX_NWEIGHTS }; /* the oldest is not a row of the current stencil */

typedef struct {
    const fdx_gradient *call;
    const char *in;        /* the input at the current block */
    ptrdiff_t step;        /* bytes to the next element of the input along the flat range */
    ptrdiff_t flat;        /* elements of the flat range */
    ptrdiff_t tile, block; /* elements of a tile of it, and of a block of a tile */
    ptrdiff_t outer_size;  /* flat ranges in the array */
    int nouter;
    int outer[FDX_MAXDIM]; /* the dimensions outside the flat range, slowest first */
    /* The blocks. Their dimensions are the outer ones and, last, the flat range. */
    fdx_blocks blocks;
    fdx_level level[FDX_MAXDIM + 1];
    fdx_cursor at;
    ptrdiff_t index[FDX_MAXDIM + 1], lo[FDX_MAXDIM];
    ptrdiff_t itemsize; /* of an element after conversion */
    int direct;         /* the input is aligned, native and contiguous along the flat range, */
    int plain;          /* and floating-point: it needs no conversion */
    int native;         /* it is aligned, native and floating-point, at any stride */
    int speculative;    /* blocks are computed speculatively first */
    int stream;         /* plain outputs are written by non-temporal stores */
    fdx_gather_fn *gather;
    unsigned pending; /* floating-point exceptions: the caller's, and those of finished blocks */
    weights weights;
    ptrdiff_t clock;
    converted converted[NCONVERTED];
    band band[MAX_WALK_AXES];
} walk;

/* ---- validation ---- */

/* The stencil of rows lo .. hi must stay inside an axis of n points. */
static fdx_status check_stencil(const fdx_gradient_row *s, ptrdiff_t lo, ptrdiff_t hi, ptrdiff_t n, int has_coords)
{
    if (s->formula > FDX_SPACED || (s->formula == FDX_SPACED && !has_coords))
        return FDX_E_STENCIL;
    if (lo > hi)
        return FDX_OK;
    ptrdiff_t least = s->off[0], most = s->off[0];
    for (int k = 1; k < (s->formula == FDX_QUOTIENT ? 2 : FDX_NWEIGHTS); k++) {
        least = MIN(least, s->off[k]);
        most = MAX(most, s->off[k]);
    }
    if (s->formula == FDX_SPACED && (s->off[0] != -1 || s->off[1] != 0 || s->off[2] != 1))
        return FDX_E_STENCIL;
    return most - least > MAX_SPAN || lo + least < 0 || hi + most >= n ? FDX_E_STENCIL : FDX_OK;
}

static fdx_status check_axis(const fdx_gradient *call, const fdx_gradient_axis *along, int empty)
{
    if (along->out.stride == NULL || (along->out.data == NULL && !empty) ||
        (along->x.data != NULL && along->x.stride == NULL))
        return FDX_E_NULL;
    if (along->axis < 0 || along->axis >= call->ndim)
        return FDX_E_AXIS;
    if (along->out.dtype != result_dtype_of(call->in.dtype) || (along->x.data != NULL && !is_real(along->x.dtype)))
        return FDX_E_DTYPE;
    const ptrdiff_t n = call->shape[along->axis];
    if (n < 2 || (along->n != 0 && along->n != n))
        return FDX_E_SIZE;
    fdx_status status = check_stencil(&along->first, 0, 0, n, 0);
    if (status == FDX_OK)
        status = check_stencil(&along->interior, 1, n - 2, n, along->x.data != NULL);
    if (status == FDX_OK)
        status = check_stencil(&along->last, n - 1, n - 1, n, 0);
    return status;
}

/* Do outputs, `wanted` results along each dimension, overlap nothing that they must not? */
static fdx_status check_places(const fdx_gradient *call, const ptrdiff_t *wanted)
{
    fdx_extent in, written;
    if (!fdx_find_extent(&call->in, call->ndim, call->shape, &in))
        return FDX_E_SHAPE;
    for (int k = 0; k < call->naxes; k++) {
        const fdx_array *out = &call->axes[k].out;
        fdx_status status = fdx_check_output(out, call->ndim, call->lo, wanted, &written);
        if (status == FDX_OK && fdx_overlap(&written, &in) && !fdx_alternate(&call->in, call->ndim, out, call->ndim))
            return FDX_E_OVERLAP;
        for (int j = 0; j < call->naxes && status == FDX_OK; j++) {
            const fdx_gradient_axis *along = &call->axes[j];
            if (along->x.data != NULL)
                status = fdx_check_read(&along->x, 1, &call->shape[along->axis], &written, out, call->ndim);
            if (j < k &&
                fdx_view_from(&along->out, call->ndim, call->lo).data == fdx_view_from(out, call->ndim, call->lo).data)
                return FDX_E_OVERLAP; /* a likely mistake, which costs nothing to find */
        }
        if (status != FDX_OK)
            return status;
    }
    return FDX_OK;
}

static fdx_status check(const fdx_gradient *call)
{
    if (call == NULL || call->shape == NULL || call->in.stride == NULL || call->axes == NULL || call->isa == NULL)
        return FDX_E_NULL;
    if (call->ndim < 1 || call->ndim > FDX_MAXDIM)
        return FDX_E_NDIM;
    if (call->naxes < 1 || call->naxes > FDX_MAXDIM)
        return FDX_E_COUNT;
    if (itemsize_of(call->in.dtype) == 0)
        return FDX_E_DTYPE;
    for (int d = 0; d < call->ndim; d++)
        if (call->shape[d] < 0)
            return FDX_E_SHAPE;
    ptrdiff_t box[FDX_MAXDIM];
    const ptrdiff_t *wanted = call->shape; /* results along each dimension */
    if (call->lo != NULL || call->hi != NULL) {
        if (!fdx_is_box(call->lo, call->hi, call->ndim, call->shape))
            return FDX_E_BOX;
        for (int d = 0; d < call->ndim; d++)
            box[d] = call->hi[d] - call->lo[d];
        wanted = box;
    }
    int empty = 0;
    for (int d = 0; d < call->ndim; d++)
        empty |= wanted[d] == 0;
    if (call->in.data == NULL && !empty)
        return FDX_E_NULL;
    for (int k = 0; k < call->naxes; k++) {
        const fdx_status status = check_axis(call, &call->axes[k], empty);
        if (status != FDX_OK)
            return status;
    }
    return empty ? FDX_OK : check_places(call, wanted);
}

/* ---- the plan of a walk ---- */

/* Is an array aligned, native and contiguous, so that a row loop may read or write it in place? */
static int is_direct(const fdx_gradient *call, const fdx_array *a, ptrdiff_t step)
{
    return step == itemsize_of(a->dtype) && fdx_is_native(a, call->ndim, call->shape);
}

/* Are rows along all axes aligned if the first one is? A box may have a length of 1, but neighbours outside. */
static int has_aligned_rows(const fdx_gradient *call)
{
    fdx_array row = call->in;
    int yes = 1;
    for (int k = 0; k < call->naxes; k++) {
        const ptrdiff_t stride[1] = {call->in.stride[call->axes[k].axis]};
        row.stride = stride;
        yes &= fdx_is_native(&row, 1, NULL);
    }
    return yes;
}

/* Can the input and the first output be read and written in place along dimension d? */
static int is_in_place(const fdx_gradient *call, int d)
{
    const fdx_array *out = &call->axes[0].out;
    return is_direct(call, &call->in, call->in.stride[d]) && is_direct(call, out, out->stride[d]);
}

/* Does dimension `outer` continue where `inner` ends, in the input and all outputs? */
static int contiguous(const fdx_gradient *call, int outer, int inner)
{
    const size_t n = (size_t)call->shape[inner];
    int yes = (size_t)call->in.stride[outer] == n * (size_t)call->in.stride[inner];
    for (int k = 0; k < call->naxes; k++)
        yes &= (size_t)call->axes[k].out.stride[outer] == n * (size_t)call->axes[k].out.stride[inner];
    return yes;
}

/* Plan a stencil; `often`: it is used often enough to prepare a faster division. */
static void plan_row(stencil *s, const fdx_gradient_row *of, const fdx_isa *isa, int result, int often,
                     ptrdiff_t prefetch)
{
    const int row = !of->mixed || !fdx_is_single(result) ? result - FDX_F32 + FDX_ROW_F32
                    : result == FDX_F32                  ? FDX_ROW_F32_MIXED
                                                         : FDX_ROW_C64_MIXED; /* no mixed precision for double data */
    s->of = of;
    s->rows = &isa->rows[row];
    s->nweights = of->formula == FDX_QUOTIENT ? 2 : FDX_NWEIGHTS;
    s->division = FDX_DIVIDE;
    /* Zeros: compilers convert even members that are not used to single precision, which may raise exceptions. */
    s->divisor = (fdx_divisor){of->w[0], 0, 0, 0, 0, prefetch, 0};
    if (of->formula == FDX_QUOTIENT && often && s->rows->of.prepare != NULL)
        s->division = s->rows->of.prepare(&s->divisor);
}

/* The flat range: the innermost sorted dimensions that are contiguous, from `stop` on at most. */
static void flatten(walk *w, const fdx_gradient *call, const int *order, int count, int stop)
{
    int first = count - 1;
    w->flat = call->shape[order[first]];
    for (; first > stop && contiguous(call, order[first - 1], order[first]); first--)
        w->flat *= call->shape[order[first - 1]];
    w->nouter = first;
    w->outer_size = 1;
    for (int at = 0; at < first; at++) {
        w->outer[at] = order[at];
        w->outer_size *= call->shape[order[at]];
    }
}

/* Are outputs large enough, and without gaps, for non-temporal stores? */
static int are_streamed(const walk *w, const fdx_gradient *call, const int *order, int count, ptrdiff_t size)
{
    if (call->first_touch || call->alpha_beta != NULL || size <= STREAM_MIN_BYTES / w->itemsize / call->naxes)
        return 0;
    for (int k = 0; k < call->naxes; k++) {
        const ptrdiff_t *stride = call->axes[k].out.stride;
        ptrdiff_t run = w->itemsize;
        for (int at = count - 1; at >= 0 && stride[order[at]] == run; at--)
            run *= call->shape[order[at]];
        if (run < STREAM_MIN_RUN)
            return 0;
    }
    return 1;
}

/* The flat range of a large array, its tiles and blocks. */
static void choose_blocks(walk *w, const fdx_gradient *call, const int *order, int count, const ptrdiff_t *inside,
                          ptrdiff_t size, ptrdiff_t nparts, int reordered)
{
    const int dtype = call->in.dtype, innermost = order[count - 1];
    const ptrdiff_t per_point = itemsize_of(dtype) + call->naxes * w->itemsize;

    /* An axis whose neighbours are too far apart for the cache stays outside the flat range. */
    double span = 0;
    int stop = 0;
    for (int k = 0; k < call->naxes; k++) {
        const double bytes = (double)(MAX_SPAN * per_point) * (double)inside[call->axes[k].axis];
        if (bytes <= (double)CACHE_BYTES)
            continue;
        span = MAX(span, bytes);
        for (int at = stop; at < count - 1; at++)
            if (order[at] == call->axes[k].axis)
                stop = at + 1;
    }
    w->block = call->naxes == 1 ? ONE_AXIS_BLOCK_ELEMENTS : AXES_BLOCK_ELEMENTS;
    w->stream = are_streamed(w, call, order, count, size);
    /* With weights for each point, rows longer than a block would need all weights again for each row. */
    int weighted = 0;
    for (int k = 0; k < call->naxes; k++)
        weighted |= call->axes[k].interior.formula == FDX_SPACED && call->axes[k].axis == innermost;
    weighted &= call->shape[innermost] > w->block && size > call->shape[innermost];
    if (weighted)
        stop = count - 1;

    flatten(w, call, order, count, stop);
    w->tile = w->flat;
    if (span > 0)
        w->tile = MIN(w->flat, MAX(AXES_BLOCK_ELEMENTS, (ptrdiff_t)((double)w->flat * ((double)CACHE_BYTES / span))));
    if (weighted)
        w->tile = MIN(w->tile, FDX_BUFFER_ELEMENTS);
    if (reordered)
        w->tile = MIN(w->tile, REORDERED_TILE_ELEMENTS);
    /* An output may be strided along the flat range, with adjacent rows: elements that share a cache line should be
     * written while it is in cache. */
    for (int k = 0; k < call->naxes; k++) {
        const ptrdiff_t step = call->axes[k].out.stride[innermost];
        if (step > FDX_CACHE_LINE || step < -FDX_CACHE_LINE)
            w->tile = MIN(w->tile, SCATTERED_TILE_BYTES / w->itemsize);
    }
    w->block = MIN(w->tile, w->block);
    const ptrdiff_t wanted = MIN(nparts, w->flat) * 4 / w->outer_size + 1; /* blocks of each flat range */
    if (nparts > 1 && w->flat / w->block < wanted)
        w->block = MIN(w->block, MAX(1, w->flat / wanted));
    /* Tiles of whole blocks. */
    const ptrdiff_t tiles = (w->flat + w->tile - 1) / w->tile, each = (w->flat + tiles - 1) / tiles;
    w->tile = (each + w->block - 1) / w->block * w->block;
}

/* The order of the walk: tiles of the flat range; in each all outer indices; at each the tile's blocks. Their
 * number does not overflow, as an output's elements take memory. */
static void plan_levels(walk *w, const fdx_gradient *call)
{
    w->blocks = (fdx_blocks){0, w->level, 1};
    w->at = (fdx_cursor){w->index, w->lo, 0};
    fdx_add_level(&w->blocks, w->nouter, w->flat, w->tile);
    for (int at = 0; at < w->nouter; at++)
        fdx_add_level(&w->blocks, at, call->shape[w->outer[at]], 1);
    fdx_add_level(&w->blocks, w->nouter, MIN(w->tile, w->flat), w->block);
}

/* Move the dimension at position `from` of an order to position `to`. */
static void move_dimension(int *order, int from, int to)
{
    const int dimension = order[from], by = from < to ? 1 : -1;
    for (int at = from; at != to; at += by)
        order[at] = order[at + by];
    order[to] = dimension;
}

/* A short flat range, as of a repeated row, or where an output has another order, had better be the fastest of the
 * outer dimensions, if another flat range is longer by MIN_LENGTH_RATIO. Of those, take the one along which elements of
 * the first output are closest. Returns whether there is one. */
static int reorder(walk *w, const fdx_gradient *call, int *order, int count)
{
    const ptrdiff_t *stride = call->axes[0].out.stride, enough = MIN_LENGTH_RATIO * w->flat;
    const int few = count - w->nouter; /* dimensions of the present flat range */
    size_t least = SIZE_MAX;
    int best = -1;
    for (int k = 0; k < few; k++)
        move_dimension(order, count - 1, 0);
    for (int at = count - 1; at >= few; at--) {
        const size_t size = fdx_distance(stride[order[at]]);
        if (size >= least)
            continue;
        move_dimension(order, at, count - 1);
        flatten(w, call, order, count, few);
        move_dimension(order, count - 1, at);
        if (w->flat >= enough) {
            least = size;
            best = at;
        }
    }
    int outer = count;
    if (best >= 0) {
        move_dimension(order, best, count - 1);
        flatten(w, call, order, count, few);
        outer = w->nouter;
    }
    for (int k = 0; k < few; k++)
        move_dimension(order, 0, outer - 1);
    flatten(w, call, order, count, 0);
    return best >= 0;
}

/* Plan an axis, for an array of `size` elements; `prefetch`: prefetch distance in bytes. */
static void plan_axis(walk *w, band *b, const fdx_gradient_axis *along, int innermost, const ptrdiff_t *inside,
                      ptrdiff_t size, ptrdiff_t prefetch)
{
    const fdx_gradient *call = w->call;
    const fdx_isa *isa = call->isa;
    const int result = along->out.dtype;
    b->along = along;
    b->n = call->shape[along->axis];
    b->index = 0;
    b->stride = call->in.stride[along->axis];
    b->step = along->out.stride[innermost];
    b->inner = inside[along->axis];
    for (int at = 0; at < w->nouter; at++)
        if (w->outer[at] == along->axis)
            b->inner = 0;
    b->plain = is_direct(call, &along->out, b->step);
    b->scatter = isa->scatter[result - FDX_F32][along->out.swapped != 0];
    plan_row(&b->stencil[FIRST], &along->first, isa, result, size >= MIN_DIVISIONS * b->n, prefetch);
    plan_row(&b->stencil[INTERIOR], &along->interior, isa, result, size >= MIN_DIVISIONS, prefetch);
    plan_row(&b->stencil[LAST], &along->last, isa, result, size >= MIN_DIVISIONS * b->n, prefetch);
    /* Loops of long rows of quotients can write by non-temporal stores; other results are computed in a buffer
     * first. */
    const int stream = w->stream && b->plain;
    const int alone = stream && (b->inner == 0 || b->inner * (b->n - 2) >= MIN_INTERIOR) &&
                      b->stencil[INTERIOR].division != FDX_DIVIDE;
    for (int at = 0; at < 3; at++) {
        b->stencil[at].divisor.stream = alone;
        w->speculative |= b->stencil[at].division == FDX_CORRECT;
    }
    b->buffered = stream && !alone;
    w->speculative |= b->inner > 0 && b->inner * b->n < w->flat; /* more than one row segment of the interior */
}

static void plan(walk *w, const fdx_gradient *call, ptrdiff_t nparts)
{
    const fdx_isa *isa = call->isa;
    const int dtype = call->in.dtype, result = result_dtype_of(dtype);
    int order[FDX_MAXDIM];
    ptrdiff_t inside[FDX_MAXDIM] = {0};
    uint64_t longer = 0; /* bits: dimensions longer than 1 */
    for (int d = 0; d < call->ndim; d++)
        longer |= (uint64_t)(call->shape[d] > 1) << d;
    order[0] = 0;
    const int count = MAX(1, fdx_sort_dimensions(call->ndim, call->in.stride, longer, order)); /* 1: a single point */
    flatten(w, call, order, count, 0);
    const ptrdiff_t few = is_in_place(call, order[count - 1]) ? MIN_FLAT_IN_PLACE : MIN_FLAT_CONVERTED;
    const int reordered = w->nouter > 0 && w->flat < few && reorder(w, call, order, count);
    ptrdiff_t size = 1;
    for (int at = count - 1; at >= 0; at--) {
        inside[order[at]] = size; /* elements of the array between two rows along this dimension */
        size *= call->shape[order[at]];
    }
    const int innermost = order[count - 1];

    w->call = call;
    w->step = call->in.stride[innermost];
    w->itemsize = itemsize_of(result);
    const int aligned = has_aligned_rows(call);
    w->direct = aligned && is_direct(call, &call->in, w->step);
    w->plain = w->direct && dtype >= FDX_F32;
    w->native = dtype >= FDX_F32 && aligned && fdx_is_native(&call->in, call->ndim, call->shape);
    w->gather = isa->gather[dtype][call->in.swapped != 0];
    w->weights.b = NULL;
    w->clock = 0;
    for (int k = 0; k < NCONVERTED; k++) {
        w->converted[k].in = NULL;
        w->converted[k].used = 0;
    }

    if (nparts == 1 && size <= AXES_BLOCK_ELEMENTS) {
        w->stream = 0;
        w->tile = w->block = w->flat;
    } else {
        choose_blocks(w, call, order, count, inside, size, nparts, reordered);
    }
    plan_levels(w, call);

    const ptrdiff_t prefetch =
        size > AXES_BLOCK_ELEMENTS && size > PREFETCH_MIN_BYTES / w->itemsize ? PREFETCH_BYTES : 0;
    w->speculative = 0;
    for (int k = 0; k < call->naxes; k++)
        plan_axis(w, &w->band[k], &call->axes[k], innermost, inside, size, prefetch);
    w->speculative = w->speculative && fdx_flags_are_reliable();
}

/* ---- from a block to row loops ---- */

/* Equidistant elements, in the input and in the output, that have the same stencil. */
typedef struct {
    const char *in;
    ptrdiff_t in_step; /* bytes */
    char *out;
    ptrdiff_t out_step;
    ptrdiff_t n;
} line;

/* n elements of the current block, from number `skip` on, `every` elements apart. */
static line block_line(const walk *w, const band *b, ptrdiff_t skip, ptrdiff_t every, ptrdiff_t n)
{
    const line l = {w->in + skip * w->step, n == 1 ? w->step : every * w->step, b->out + skip * b->step,
                    n == 1 ? b->step : every * b->step, n};
    return l;
}

/* Prefetch n elements from `in` on. Otherwise reading and writing memory alternate, which takes half as long again. */
static void prefetch(const char *in, ptrdiff_t step, ptrdiff_t n)
{
    const ptrdiff_t size = step < 0 ? -step : step, stride = size >= FDX_CACHE_LINE ? step
                                                             : step < 0             ? -FDX_CACHE_LINE
                                                                                    : FDX_CACHE_LINE;
    const ptrdiff_t count = size >= FDX_CACHE_LINE ? n : n * size / FDX_CACHE_LINE;
    for (ptrdiff_t k = 0; k < count; k++)
        FDX_PREFETCH(fdx_at(in, k, stride));
}

/* The least recently used of the converted rows. */
static converted *oldest_row(walk *w)
{
    converted *oldest = &w->converted[0];
    for (int k = 1; k < NCONVERTED; k++)
        if (w->converted[k].used < oldest->used)
            oldest = &w->converted[k];
    return oldest;
}

/* n elements from `in` on, converted now or earlier. */
static const void *convert(walk *w, const char *in, ptrdiff_t step, ptrdiff_t n)
{
    w->clock++;
    for (int k = 0; k < NCONVERTED; k++) {
        converted *kept = &w->converted[k];
        if (kept->in == in && kept->step == step && kept->n >= n) {
            kept->used = w->clock;
            return &kept->row;
        }
    }
    converted *oldest = oldest_row(w);
    oldest->in = in;
    oldest->step = step;
    oldest->n = n;
    oldest->used = w->clock;
    w->gather(&oldest->row, in, step, n);
    return &oldest->row;
}

/* Weights from coordinates. */
typedef struct {
    const double *w[FDX_NWEIGHTS];
    const void *coords; /* instead of w, unless NULL: coordinates of the elements and their neighbours */
    ptrdiff_t count;    /* they are for so many elements, and then repeat; 0: the same for all */
} varying_weights;

/* The rows of neighbours of m elements of a line, converted. */
static void convert_neighbours(walk *w, const band *b, const stencil *s, const line *l, ptrdiff_t m, const void **x)
{
    const int8_t *off = s->of->off;
    ptrdiff_t least = off[0], most = off[0];
    for (int k = 1; k < s->nweights; k++) {
        least = MIN(least, off[k]);
        most = MAX(most, off[k]);
    }
    if (l->in_step == b->stride) { /* neighbours are the line itself, shifted: convert it once */
        converted *from = oldest_row(w);
        from->in = NULL;
        w->gather(&from->row, l->in + least * b->stride, l->in_step, m + most - least);
        for (int k = 0; k < s->nweights; k++)
            x[k] = (const char *)&from->row + (off[k] - least) * w->itemsize;
    } else {
        for (int k = 0; k < s->nweights; k++)
            x[k] = convert(w, l->in + off[k] * b->stride, l->in_step, m);
    }
}

/* Compute a line; `varying`: weights from coordinates, if the formula is FDX_SPACED, or NULL. */
static void run_line(walk *w, const band *b, const stencil *s, line l, const varying_weights *varying)
{
    const int each = varying != NULL && varying->count > 0; /* each element has weights */
    const int8_t *off = s->of->off;
    const int quotients = s->of->formula == FDX_QUOTIENT, direct = w->plain || (w->direct && quotients);
    const int in_place = direct && l.in_step == w->step, out_place = b->plain && l.out_step == b->step;
    const int division = w->speculative || s->division == FDX_SCALE ? s->division : FDX_DIVIDE;
    const fdx_isa *isa = w->call->isa;
    const fdx_quotients *of = w->plain || !in_place ? &s->rows->of : &isa->integers[w->call->in.dtype];
    if (in_place && out_place && quotients) { /* most calls */
        of->quotient[division](l.out, l.in + off[0] * b->stride, l.in + off[1] * b->stride, l.n, &s->divisor);
        return;
    }
    if (w->native && b->plain && quotients && of->stepped != NULL && !out_place) {
        of->stepped(l.out, l.out_step / w->itemsize, l.in + off[0] * b->stride, l.in + off[1] * b->stride,
                    l.in_step / w->itemsize, l.n, division, &s->divisor);
        return;
    }
    ptrdiff_t most = each ? varying->count : in_place && out_place ? l.n : CONVERTED_BYTES / w->itemsize;
    const ptrdiff_t row = b->inner > 0 ? b->inner : l.n;
    if (!in_place && !each && row >= MIN_WHOLE_ROW && row < most)
        most = row; /* whole rows, which are used again */
    else if (!in_place && !each)
        most = MIN(most, FDX_BUFFER_ELEMENTS);
    row_buffer to;
    const void *x[FDX_NWEIGHTS] = {NULL, NULL, NULL};

    while (l.n > 0) {
        const ptrdiff_t m = MIN(l.n, most);
        if (in_place)
            for (int k = 0; k < s->nweights; k++)
                x[k] = l.in + off[k] * b->stride;
        else
            convert_neighbours(w, b, s, &l, m, x);
        if (!in_place && m * w->itemsize >= MIN_PREFETCHED_BYTES)
            prefetch(fdx_at(fdx_at(l.in, m, l.in_step), off[s->nweights - 1], b->stride), l.in_step, m);
        void *y = out_place ? (void *)l.out : (void *)&to;
        if (each) {
            if (in_place)
                prefetch(fdx_at(fdx_at(l.in, m, l.in_step), 1, b->stride), l.in_step, m);
            if (varying->coords != NULL)
                s->rows->spaced(y, x, m, varying->coords);
            else
                s->rows->varying(y, x, m, varying->w);
        } else if (varying != NULL) {
            const double one[FDX_NWEIGHTS] = {*varying->w[0], *varying->w[1], *varying->w[2]};
            s->rows->weighted(y, x, m, one);
        } else if (quotients) {
            of->quotient[division](y, x[0], x[1], m, &s->divisor);
        } else {
            s->rows->weighted(y, x, m, s->of->w);
        }
        if (!out_place)
            b->scatter(l.out, l.out_step, &to, m);
        l.in = fdx_at(l.in, m, l.in_step);
        l.out = fdx_at(l.out, m, l.out_step);
        l.n -= m;
    }
}

/* n coordinates from number i on, in place or converted to `row`. */
static const void *coordinates(const walk *w, const fdx_array *x, ptrdiff_t i, ptrdiff_t n, double *row)
{
    const char *from = (const char *)x->data + i * x->stride[0];
    const ptrdiff_t itemsize = itemsize_of(x->dtype);
    prefetch(fdx_at(from, n, x->stride[0]), x->stride[0], n);
    if (x->dtype >= FDX_F32 && !x->swapped && x->stride[0] == itemsize && (uintptr_t)from % (uintptr_t)itemsize == 0)
        return from;
    w->call->isa->gather[x->dtype][x->swapped != 0](row, from, x->stride[0], n);
    return row;
}

/* Weights of interior rows i .. i + n - 1, from the coordinates; n <= FDX_BUFFER_ELEMENTS. */
static void make_weights(const walk *w, const band *b, ptrdiff_t i, ptrdiff_t n, double *const weight[FDX_NWEIGHTS])
{
    const fdx_array *x = &b->along->x;
    const fdx_isa *isa = w->call->isa;
    double row[FDX_BUFFER_ELEMENTS + MAX_SPAN];
    isa->coords[x->dtype != FDX_F32].weights(weight, coordinates(w, x, i - 1, n + 2, row), n);
}

/* The same, kept: for one row from i on at least, and for `wanted` rows if they fit. Returns their number. */
static ptrdiff_t row_weights(walk *w, const band *b, ptrdiff_t i, ptrdiff_t wanted, varying_weights *varying)
{
    weights *kept = &w->weights;
    if (kept->b != b || kept->phase >= 0 || i < kept->row || i >= kept->row + kept->n) {
        double *const to[FDX_NWEIGHTS] = {kept->w[0], kept->w[1], kept->w[2]};
        kept->b = b;
        kept->phase = -1;
        kept->row = i;
        kept->n = MIN(MIN(wanted, FDX_BUFFER_ELEMENTS), b->n - 1 - i);
        make_weights(w, b, i, kept->n, to);
    }
    for (int k = 0; k < FDX_NWEIGHTS; k++)
        varying->w[k] = kept->w[k] + (i - kept->row);
    return kept->row + kept->n - i;
}

/* n interior results with weights from coordinates, at `skip` in the block, from element `used` of row i on. */
static void run_weighted(walk *w, const band *b, ptrdiff_t i, ptrdiff_t used, ptrdiff_t skip, ptrdiff_t n)
{
    const stencil *s = &b->stencil[INTERIOR];
    varying_weights varying = {{NULL, NULL, NULL}, NULL, 0};
    if (b->inner == 0 || b->inner >= MIN_INNER) { /* n elements of one row */
        row_weights(w, b, i, b->inner == 0 ? 1 : w->block / b->inner + 1, &varying);
        run_line(w, b, s, block_line(w, b, skip, 1, n), &varying);
        return;
    }
    /* In 1-D, weights are used once. Weighting has their precision, unless single weights meet double data. */
    const fdx_array *x = &b->along->x;
    const int once = b->inner == 1 && w->flat == b->n && w->outer_size == 1 &&
                     (x->dtype == FDX_F32) == (fdx_is_single(b->along->out.dtype) && !s->of->mixed);
    while (once && n > 0) {
        double row[FDX_BUFFER_ELEMENTS + MAX_SPAN];
        const ptrdiff_t m = varying.count = MIN(n, FDX_BUFFER_ELEMENTS);
        varying.coords = coordinates(w, x, i - 1, m + 2, row);
        run_line(w, b, s, block_line(w, b, skip, 1, m), &varying);
        i += m;
        skip += m;
        n -= m;
    }
    while (n > 0) {
        double expanded[FDX_NWEIGHTS][FDX_BUFFER_ELEMENTS];
        const ptrdiff_t rows = row_weights(w, b, i, (n + used - 1) / b->inner + 1, &varying);
        ptrdiff_t m = MIN(n, rows * b->inner - used);
        if (b->inner > 1) {
            m = MIN(m, FDX_BUFFER_ELEMENTS);
            for (ptrdiff_t j = 0, row = 0, column = used; j < m; j++) {
                for (int k = 0; k < FDX_NWEIGHTS; k++)
                    expanded[k][j] = varying.w[k][row];
                if (++column == b->inner)
                    column = 0, row++;
            }
            for (int k = 0; k < FDX_NWEIGHTS; k++)
                varying.w[k] = expanded[k];
        }
        varying.count = m;
        run_line(w, b, s, block_line(w, b, skip, 1, m), &varying);
        i += (used + m) / b->inner;
        used = (used + m) % b->inner;
        skip += m;
        n -= m;
    }
}

/* n results at `skip`, from element `used` of row i on, all with this row's stencil: of one row or, if weights do not
 * vary, of several interior rows. */
static void run_rows(walk *w, const band *b, ptrdiff_t i, ptrdiff_t used, ptrdiff_t skip, ptrdiff_t n)
{
    const int which = i == 0 ? FIRST : i == b->n - 1 ? LAST : INTERIOR;
    if (b->stencil[which].of->formula == FDX_SPACED)
        run_weighted(w, b, i, used, skip, n);
    else
        run_line(w, b, &b->stencil[which], block_line(w, b, skip, 1, n), NULL);
}

/* The block's n results from position `at` of the flat range on, one row segment after the other. */
static void by_row_segments(walk *w, const band *b, ptrdiff_t at, ptrdiff_t n)
{
    const int alone =
        b->along->interior.formula == FDX_SPACED && b->inner >= MIN_INNER; /* each interior row is a row segment */
    ptrdiff_t i = 0, used = 0, skip = 0; /* the row, and elements of it that are done */
    if (at > 0) {
        i = at / b->inner % b->n;
        used = at % b->inner;
    }
    while (skip < n) {
        const ptrdiff_t rows = i == 0 || i == b->n - 1 || alone ? 1 : b->n - 1 - i;
        const ptrdiff_t m = MIN(n - skip, rows * b->inner - used);
        run_rows(w, b, i, used, skip, m);
        skip += m;
        used = 0;
        i = i + rows == b->n ? 0 : i + rows;
    }
}

/* Those of the same results that are of row i, in all repetitions of the rows. */
static void row_everywhere(walk *w, const band *b, ptrdiff_t i, ptrdiff_t at, ptrdiff_t n)
{
    const ptrdiff_t period = b->inner * b->n;
    const int which = i == 0 ? FIRST : i == b->n - 1 ? LAST : INTERIOR;
    varying_weights of_row = {{NULL, NULL, NULL}, NULL, 0};
    const varying_weights *varying = NULL;
    if (b->stencil[which].of->formula == FDX_SPACED) {
        row_weights(w, b, i, b->n, &of_row);
        varying = &of_row;
    }
    if (b->inner >= MIN_INNER) {
        for (ptrdiff_t from = at - at % period + i * b->inner; from < at + n; from += period) {
            const ptrdiff_t lo = MAX(from, at), hi = MIN(from + b->inner, at + n);
            if (lo < hi)
                run_line(w, b, &b->stencil[which], block_line(w, b, lo - at, 1, hi - lo), varying);
        }
        return;
    }
    for (ptrdiff_t column = 0; column < b->inner; column++) {
        const ptrdiff_t first = i * b->inner + column - at % period, skip = first < 0 ? first + period : first;
        if (skip < n)
            run_line(w, b, &b->stencil[which], block_line(w, b, skip, period, (n - 1 - skip) / period + 1), varying);
    }
}

/* The same results, with the interior stencil applied to first and last rows, too, whose results are then replaced. It
 * only reads inside the array. */
static void overlaid(walk *w, const band *b, ptrdiff_t at, ptrdiff_t n)
{
    const stencil *s = &b->stencil[INTERIOR];
    const ptrdiff_t lo = MAX(at, b->inner), hi = MIN(at + n, w->flat - b->inner), period = b->inner * b->n;
    if (lo < hi && b->n > 2) {
        const line l = block_line(w, b, lo - at, 1, hi - lo);
        if (s->of->formula == FDX_SPACED) {
            weights *kept = &w->weights;
            if (kept->b != b || kept->phase != lo % period) {
                double *each[FDX_NWEIGHTS]; /* in the converted rows, which are as many and twice as long */
                for (int k = 0; k < FDX_NWEIGHTS; k++) {
                    w->converted[k].in = NULL;
                    each[k] = w->converted[k].row.f64;
                }
                make_weights(w, b, 1, b->n - 2, each);
                kept->b = b;
                kept->phase = lo % period;
                kept->n = FDX_BUFFER_ELEMENTS / period * period;
                for (ptrdiff_t j = 0; j < kept->n; j++) {
                    const ptrdiff_t i = (kept->phase + j) % period / b->inner, inside = MAX(1, MIN(i, b->n - 2));
                    for (int k = 0; k < FDX_NWEIGHTS; k++)
                        kept->w[k][j] = each[k][inside - 1];
                }
            }
            const varying_weights varying = {{kept->w[0], kept->w[1], kept->w[2]}, NULL, kept->n};
            run_line(w, b, s, l, &varying);
        } else {
            run_line(w, b, s, l, NULL);
        }
    }
    row_everywhere(w, b, 0, at, n);
    row_everywhere(w, b, b->n - 1, at, n);
}

/* The same results, along a contiguous axis with weights from coordinates: weights of some rows at a time are computed
 * once, and used in all repetitions of these rows. */
static void by_weights(walk *w, const band *b, ptrdiff_t at, ptrdiff_t n)
{
    for (ptrdiff_t i = 1; i < b->n - 1; i += FDX_BUFFER_ELEMENTS) {
        const ptrdiff_t rows = MIN(FDX_BUFFER_ELEMENTS, b->n - 1 - i);
        for (ptrdiff_t from = at - at % b->n; from < at + n; from += b->n) {
            const ptrdiff_t lo = MAX(from + i, at), hi = MIN(from + i + rows, at + n);
            if (lo < hi)
                run_weighted(w, b, lo - from, 0, lo - at, hi - lo);
        }
    }
    row_everywhere(w, b, 0, at, n);
    row_everywhere(w, b, b->n - 1, at, n);
}

/* n results along one axis, from position `at` of the flat range on. */
static void make_results(walk *w, const band *b, ptrdiff_t at, ptrdiff_t n)
{
    if (b->inner == 0) {
        run_rows(w, b, b->index, 0, 0, n);
        return;
    }
    const ptrdiff_t period = b->inner * b->n;
    const int weighted = b->along->interior.formula == FDX_SPACED;
    const int repeats = (at == 0 ? 0 : at % period) + n > period; /* rows are repeated */
    if (repeats && w->speculative &&
        (weighted ? period <= FDX_BUFFER_ELEMENTS && b->inner < MIN_INNER : period < MIN_INTERIOR))
        overlaid(w, b, at, n);
    else if (repeats && b->inner < MIN_INNER && period * w->itemsize <= MIN_ROW_BYTES) /* exactly */
        for (ptrdiff_t i = 0; i < b->n; i++)
            row_everywhere(w, b, i, at, n);
    else if (repeats && weighted && b->inner == 1)
        by_weights(w, b, at, n);
    else
        by_row_segments(w, b, at, n);
}

/* The same, computed in a buffer and copied by non-temporal stores. */
static void make_buffered(walk *w, band *b, ptrdiff_t at, ptrdiff_t n)
{
    row_buffer buffer;
    char *out = b->out;
    const char *in = w->in;
    const ptrdiff_t row = (ptrdiff_t)fdx_distance(b->stride);
    while (n > 0) {
        const ptrdiff_t m = MIN(n, CONVERTED_BYTES / w->itemsize);
        b->out = (char *)&buffer;
        make_results(w, b, at, m);
        w->in = fdx_at(w->in, m, w->step);
        w->call->isa->stream_out(out, &buffer, m * w->itemsize, fdx_at(w->in, 1, row));
        out += m * w->itemsize;
        at += m;
        n -= m;
    }
    w->in = in;
}

/* The same, times alpha, added to beta times the output. Exceptions are checked here, as results must not be added
 * twice. */
static void make_added(walk *w, band *b, ptrdiff_t at, ptrdiff_t n)
{
    const fdx_gradient *call = w->call;
    const fdx_array *out = &b->along->out;
    const int plain = b->plain, speculative = w->speculative,
              numbers = out->dtype >= FDX_C64 ? 2 : 1; /* of an element */
    const ptrdiff_t step = b->step;
    fdx_scatter_fn *scatter = b->scatter;
    row_buffer made, there;
    char *y = b->out;
    const char *in = w->in;
    b->plain = 1;
    b->step = w->itemsize;
    b->scatter = call->isa->scatter[out->dtype - FDX_F32][0];
    for (ptrdiff_t m; n > 0; n -= m, at += m, y = fdx_at(y, m, step), w->in = fdx_at(w->in, m, w->step)) {
        m = MIN(n, FDX_BUFFER_ELEMENTS / numbers);
        b->out = (char *)&made;
        make_results(w, b, at, m);
        if (w->speculative && fdx_flags() != 0) {
            fdx_set_flags(0);
            w->speculative = 0;
            w->weights.b = NULL;
            make_results(w, b, at, m);
        }
        fdx_add_row(call->isa, out->dtype, out->swapped != 0, plain, y, step, &made, call->alpha_beta, m, &there);
        if (w->speculative) {
            w->pending |= fdx_flags();
            fdx_set_flags(0);
        }
    }
    if (speculative) {
        w->pending |= fdx_flags();
        fdx_set_flags(0);
        w->speculative = 1;
    }
    b->plain = plain;
    b->step = step;
    b->scatter = scatter;
    w->in = in;
}

/* ---- short lines, without a walk ---- */

/* n results of a line of plain data with one stencil, from element i on. */
static void short_row_segment(const fdx_gradient *call, const fdx_gradient_axis *along, const stencil *s,
                              int speculative, ptrdiff_t i, ptrdiff_t n)
{
    const ptrdiff_t itemsize = call->in.stride[0];
    const char *in = (const char *)call->in.data + i * itemsize;
    char *out = (char *)along->out.data + i * itemsize;
    const int8_t *off = s->of->off;
    if (s->of->formula == FDX_QUOTIENT) {
        const int division = speculative || s->division == FDX_SCALE ? s->division : FDX_DIVIDE;
        s->rows->of.quotient[division](out, in + off[0] * itemsize, in + off[1] * itemsize, n, &s->divisor);
    } else {
        const void *const x[FDX_NWEIGHTS] = {in + off[0] * itemsize, in + off[1] * itemsize, in + off[2] * itemsize};
        s->rows->weighted(out, x, n, s->of->w);
    }
}

/* A line of plain floating-point data that would be one block, as in most small calls, for which planning takes long.
 * Returns 0 if it is no such line. */
static int short_line(const fdx_gradient *call)
{
    const ptrdiff_t n = call->shape[0];
    if (call->ndim != 1 || n > ONE_AXIS_BLOCK_ELEMENTS || call->in.dtype < FDX_F32 || call->alpha_beta != NULL ||
        !is_direct(call, &call->in, call->in.stride[0]))
        return 0;
    for (int k = 0; k < call->naxes; k++)
        if (call->axes[k].interior.formula == FDX_SPACED ||
            !is_direct(call, &call->axes[k].out, call->axes[k].out.stride[0]))
            return 0;
    for (int k = 0; k < call->naxes; k++) {
        const fdx_gradient_axis *along = &call->axes[k];
        stencil first, interior, last;
        plan_row(&first, &along->first, call->isa, call->in.dtype, 0, 0);
        plan_row(&last, &along->last, call->isa, call->in.dtype, 0, 0);
        short_row_segment(call, along, &first, 0, 0, 1);
        short_row_segment(call, along, &last, 0, n - 1, 1);
        if (n <= 2)
            continue; /* even loops over no elements may raise exceptions */
        plan_row(&interior, &along->interior, call->isa, call->in.dtype, n >= MIN_DIVISIONS, 0);
        if (interior.division != FDX_CORRECT) {
            short_row_segment(call, along, &interior, 0, 1, n - 2);
            continue;
        }
        const unsigned pending = fdx_flags(); /* speculatively first, as in the walk */
        if (pending != 0)
            fdx_set_flags(0);
        short_row_segment(call, along, &interior, 1, 1, n - 2);
        if (fdx_flags() != 0) {
            fdx_set_flags(0);
            short_row_segment(call, along, &interior, 0, 1, n - 2);
        }
        if (pending != 0)
            fdx_set_flags(pending | fdx_flags());
    }
    return 1;
}

/* ---- the walk ---- */

/* Where an output's results of a block from position `at` of the flat range on begin: with the next cache line, if they
 * are written by non-temporal stores. A line that gets other stores, too, has to be read, which takes half a
 * microsecond. */
static ptrdiff_t begins(const walk *w, const band *b, const char *out, ptrdiff_t at)
{
    if (!(w->stream && b->plain) || at == 0 || at == w->flat)
        return at;
    return MIN(w->flat, at + (ptrdiff_t)(-(uintptr_t)(out + at * b->step) % FDX_CACHE_LINE) / b->step);
}

/* All results of the block of n elements from position `at` of the current flat range on. */
static void make_block(walk *w, ptrdiff_t at, ptrdiff_t n)
{
    const fdx_gradient *call = w->call;
    const char *in = (const char *)call->in.data;
    for (int d = 0; d < w->nouter; d++)
        in += w->lo[d] * call->in.stride[w->outer[d]];
    for (int k = 0; k < call->naxes; k++) {
        band *b = &w->band[k];
        char *out = (char *)b->along->out.data;
        for (int d = 0; d < w->nouter; d++) {
            out += w->lo[d] * b->along->out.stride[w->outer[d]];
            if (w->outer[d] == b->along->axis)
                b->index = w->lo[d];
        }
        const ptrdiff_t first = begins(w, b, out, at), count = begins(w, b, out, at + n) - first;
        w->in = in + first * w->step;
        b->out = out + first * b->step;
        if (count <= 0)
            continue;
        if (call->alpha_beta != NULL)
            make_added(w, b, first, count);
        else if (b->buffered)
            make_buffered(w, b, first, count);
        else
            make_results(w, b, first, count);
    }
}

/* A part of a valid call without a box. */
static void make_part(const fdx_gradient *call, ptrdiff_t part, ptrdiff_t nparts)
{
    for (int d = 0; d < call->ndim; d++)
        if (call->shape[d] == 0)
            return;
    if (nparts == 1 && short_line(call))
        return;

    walk w;
    plan(&w, call, nparts);
    w.pending = fdx_flags();

    fdx_first_block(&w.blocks, w.nouter + 1, part, nparts, &w.at);
    if (w.at.left == 0)
        return;
    if (w.pending != 0)
        fdx_set_flags(0);
    ptrdiff_t exact = 0, patience = 1; /* blocks to compute exactly, and how many after the next failure */
    do {
        const ptrdiff_t at = w.lo[w.nouter], n = MIN(w.block, w.flat - at);
        if (n <= 0)
            continue;
        make_block(&w, at, n);
        if (w.speculative && fdx_flags() != 0) {
            fdx_set_flags(0);
            w.speculative = 0;
            w.weights.b = NULL; /* compute them again: exceptions that they raise belong to the result */
            make_block(&w, at, n);
            exact = patience;
            patience *= 2;
        } else if (exact > 0 && --exact == 0) { /* speculate again */
            w.pending |= fdx_flags();
            fdx_set_flags(0);
            w.speculative = 1;
        }
    } while (fdx_next_block(&w.blocks, &w.at));
    if (w.pending != 0)
        fdx_set_flags(w.pending | fdx_flags());
    if (w.stream)
        call->isa->stream_out(NULL, NULL, 0, NULL);
}

/* The stencil of row i of a whole axis. */
static fdx_gradient_row stencil_of_row(const fdx_gradient *call, const fdx_gradient_axis *along, ptrdiff_t i)
{
    fdx_gradient_row s = i == 0 ? along->first : i == call->shape[along->axis] - 1 ? along->last : along->interior;
    if (s.formula == FDX_SPACED) { /* weights now: in a box it may be a first or last row, which have no coordinates */
        const fdx_array *x = &along->x;
        double row[1 + MAX_SPAN], *const w[FDX_NWEIGHTS] = {&s.w[0], &s.w[1], &s.w[2]};
        call->isa->gather[x->dtype][x->swapped != 0](row, (const char *)x->data + (i - 1) * x->stride[0], x->stride[0],
                                                     1 + MAX_SPAN);
        call->isa->coords[x->dtype != FDX_F32].weights(w, row, 1);
        s.formula = FDX_WEIGHTED;
    }
    return s;
}

/* A part of the results in a box: a call for an array of that shape, whose first and last rows may be interior rows
 * with neighbours outside. */
static void make_part_of_box(const fdx_gradient *call, ptrdiff_t part, ptrdiff_t nparts)
{
    fdx_gradient box = *call;
    box.lo = box.hi = NULL;
    fdx_gradient_axis along[MAX_WALK_AXES];
    ptrdiff_t shape[FDX_MAXDIM];
    for (int d = 0; d < call->ndim; d++) {
        shape[d] = call->hi[d] - call->lo[d];
        if (shape[d] == 0)
            return;
    }
    box.shape = shape;
    box.in = fdx_view_from(&call->in, call->ndim, call->lo);
    box.axes = along;
    for (int k = 0; k < call->naxes; k++) {
        const int axis = call->axes[k].axis;
        along[k] = call->axes[k];
        along[k].first = stencil_of_row(call, &call->axes[k], call->lo[axis]);
        along[k].last = stencil_of_row(call, &call->axes[k], call->hi[axis] - 1);
        along[k].out = fdx_view_from(&along[k].out, call->ndim, call->lo);
        if (along[k].x.data != NULL)
            along[k].x = fdx_view_from(&along[k].x, 1, &call->lo[axis]);
    }
    make_part(&box, part, nparts);
}

fdx_status fdx_gradient_apply_part(const fdx_gradient *call, ptrdiff_t part, ptrdiff_t nparts)
{
    const fdx_status status = check(call);
    if (status != FDX_OK)
        return status;
    if (nparts < 1 || part < 0 || part >= nparts)
        return FDX_E_PART;
    fdx_gradient group = *call;
    for (int k = 0; k < call->naxes; k += MAX_WALK_AXES) {
        group.axes = call->axes + k;
        group.naxes = MIN(MAX_WALK_AXES, call->naxes - k);
        if (call->lo != NULL)
            make_part_of_box(&group, part, nparts);
        else
            make_part(&group, part, nparts);
    }
    return FDX_OK;
}

fdx_status fdx_gradient_apply(const fdx_gradient *call)
{
    return fdx_gradient_apply_part(call, 0, 1);
}
