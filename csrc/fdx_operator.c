/* General operators: sums of terms, each a chain of banded matrices along axes of the array.
 *
 * The output is made block by block, so that a block's sums, and the input that it needs, are in cache while its terms
 * are added up; each term's share is complete before it is added. A band along a dimension that is not the innermost
 * takes whole runs of neighbouring rows; along the innermost, runs that are shifted, and the few rows at its ends that
 * have stencils of their own are computed by columns: the columns that they need are turned into rows first. So the row
 * loops never see anything but runs of elements next to each other.
 *
 * A chain's inner stages are computed for each block into a window, a small array of fixed size that holds what the
 * next stage needs of them; data that needs conversion is a window, too. Along a periodic axis windows continue beyond
 * the ends of the array. */
#include "fdx_layout.h"
#include "fdx_rows.h"

#ifndef BLOCK /* these limits can be set from outside, so that tests reach with small arrays what is made for large */
#define BLOCK ((ptrdiff_t)8192)           /* elements that are computed at a time */
#define BLOCK_STAGED ((ptrdiff_t)32768)   /* the same with windows, whose margins should be small beside them */
#define RUN ((ptrdiff_t)2048)             /* the most elements of a row of several in a block */
#define IN_L2 ((ptrdiff_t)512 << 10)      /* bytes of the second-level cache that rows may take which are read again */
#define STREAM_SUMS ((ptrdiff_t)48 << 20) /* results of more bytes pass the cache by */
#define SHORT_UNIT ((ptrdiff_t)32)        /* elements of inner dimensions that still count as part of one of the run */
#define TURNED ((ptrdiff_t)64)            /* lines whose columns are turned into rows at a time */
#define SQUARE ((ptrdiff_t)64)            /* elements to a side of blocks that are turned on their way to the output */
#define PIECE ((ptrdiff_t)1024)           /* elements of a row that takes several loops at a time */
#endif
#define BY_COLUMNS ((ptrdiff_t)16) /* stretches of a run that are shorter than this are computed by columns */
#define ROWS_AT_ONCE 4
#define ALIGNMENT ((ptrdiff_t)64)

enum {
    MAXD = FDX_MAXDIM + 1 /* complex elements are a dimension of two */,
    MAXTAPS = FDX_MAXTAPS,
    MAXREACH = 4 * MAXTAPS
};

/* An array, or part of one, that holds numbers of the type of the sums, those of a run one after the other. */
typedef struct {
    char *data;             /* the element of indices lo */
    ptrdiff_t lo[MAXD];     /* of what it holds */
    ptrdiff_t stride[MAXD]; /* bytes */
    int unrolled;           /* the dimension along which it goes on beyond the ends of a periodic axis; -1: none */
} place;

typedef struct {
    const fdx_operation *call;
    const fdx_sums *sums;
    int dtype;                 /* of the sums: FDX_F32 or FDX_F64 */
    ptrdiff_t itemsize;        /* of theirs */
    int ndim;                  /* dimensions as they are walked, slowest first; the last one is the run's */
    int axis[MAXD];            /* the array's dimension (the innermost, if several are taken together) */
    int run_axis;              /* the array's dimension along which elements of a run follow each other */
    int dimension[MAXD];       /* the walk's dimension of an axis that has a band */
    ptrdiff_t n[MAXD];         /* results along each dimension */
    ptrdiff_t unit;            /* elements from one row of the innermost dimension to the next */
    uint64_t plain, plain_out; /* inputs and outputs that row loops may read and write where they lie */
    uint64_t streamed;         /* outputs that pass the cache by */
    int across; /* the dimension along which elements of an output follow each other, if it is not the run's; -1: none
                 */
    int march;  /* the dimension along which rows are read again; -1: none */
    ptrdiff_t ahead; /* how many rows of it a block needs behind its own */
    ptrdiff_t block[MAXD], tile[MAXD];
    char *sum, *share;    /* a block: of an output, and of a term that is multiplied */
    char *rest;           /* a piece, of a sum that takes several loops */
    ptrdiff_t turned;     /* lines whose columns are turned into rows at a time */
    char *columns, *made; /* columns turned into rows, and rows made of them */
    char *factors, *raw;  /* a piece of what a term is multiplied by, and before its conversion */
    char *spread;         /* weights of a piece, each repeated for the elements of its point */
    char *windows;
} work;

/* ---- validation ---- */

static int rows_fit(const fdx_band *band, const fdx_rows_alike *alike, ptrdiff_t row, ptrdiff_t n)
{
    if (alike->w == NULL || alike->count < 1 || alike->count > MAXTAPS || alike->form < FDX_PLAIN ||
        alike->form > FDX_EVEN || (alike->form != FDX_PLAIN && (alike->own < 0 || alike->own >= alike->count)) ||
        (alike->form >= FDX_ODD && (alike->own < 1 || alike->count != 2 * alike->own + 1 || alike->row_step != 0)) ||
        (alike->form == FDX_DIFFERENCES && alike->count < 2))
        return 0;
    if (band->periodic) /* once around an end at most */
        return alike->first >= -band->columns && alike->count <= band->columns &&
               alike->first <= band->columns + 1 - alike->count;
    return n == 0 || (row + alike->first >= 0 && row + n - 1 + alike->first + alike->count <= band->columns);
}

/* Where the neighbours of a band's rows lie, in columns, at least and at most, less the row's number. */
static void band_reach(const fdx_band *band, ptrdiff_t *least, ptrdiff_t *most)
{
    *least = band->interior.first;
    *most = band->interior.first + band->interior.count - 1;
    for (ptrdiff_t r = 0; r < band->nfirst + band->nlast; r++) {
        const fdx_rows_alike *alike = r < band->nfirst ? &band->first[r] : &band->last[r - band->nfirst];
        *least = MIN(*least, alike->first);
        *most = MAX(*most, alike->first + alike->count - 1);
    }
}

static fdx_status check_band(const fdx_band *band)
{
    const ptrdiff_t inside = band->rows - band->nfirst - band->nlast;
    if (band->rows < 0 || band->columns < 1 || band->nfirst < 0 || band->nlast < 0 || inside < 0 ||
        (band->periodic && (band->nfirst != 0 || band->nlast != 0 || band->rows != band->columns)) ||
        (band->nfirst > 0 && band->first == NULL) || (band->nlast > 0 && band->last == NULL))
        return FDX_E_STENCIL;
    for (ptrdiff_t r = 0; r < band->nfirst; r++)
        if (!rows_fit(band, &band->first[r], r, 1))
            return FDX_E_STENCIL;
    for (ptrdiff_t r = 0; r < band->nlast; r++)
        if (!rows_fit(band, &band->last[r], band->rows - band->nlast + r, 1))
            return FDX_E_STENCIL;
    ptrdiff_t least, most;
    band_reach(band, &least, &most);
    return rows_fit(band, &band->interior, band->nfirst, inside) && most - least < MAXREACH ? FDX_OK : FDX_E_STENCIL;
}

static fdx_status check_term(const fdx_operation *call, const fdx_term *term, int empty)
{
    ptrdiff_t n[FDX_MAXDIM];
    if (term->in < 0 || term->in >= call->ninputs || term->out < 0 || term->out >= call->noutputs ||
        term->nstages < 1 || term->nstages > FDX_MAXSTAGES)
        return FDX_E_OPS;
    if (term->stage == NULL)
        return FDX_E_NULL;
    for (int d = 0; d < call->ndim; d++)
        n[d] = call->in_shape[d];
    for (int s = 0; s < term->nstages; s++) {
        const fdx_stage *stage = &term->stage[s];
        if (stage->band != NULL) {
            if (stage->axis < 0 || stage->axis >= call->ndim)
                return FDX_E_AXIS;
            const fdx_status status = check_band(stage->band);
            if (status != FDX_OK)
                return status;
            if (stage->band->columns != n[stage->axis])
                return FDX_E_SIZE;
            n[stage->axis] = stage->band->rows;
        }
        const fdx_array *factor = stage->factor;
        if (factor != NULL) {
            if (factor->stride == NULL || (factor->data == NULL && !empty))
                return FDX_E_NULL;
            if (factor->dtype > FDX_F64)
                return FDX_E_DTYPE;
            for (int k = 0; k < call->noutputs && !empty; k++)
                if (fdx_overlap(&call->out[k], call->ndim, call->out_shape, factor, call->ndim, n))
                    return FDX_E_OVERLAP;
        }
    }
    for (int d = 0; d < call->ndim; d++)
        if (call->out_shape[d] > n[d] ||
            (term->shift != NULL && (term->shift[d] < 0 || term->shift[d] > n[d] - call->out_shape[d])))
            return FDX_E_SIZE;
    return FDX_OK;
}

static fdx_status check(const fdx_operation *call)
{
    if (call == NULL || call->in_shape == NULL || call->out_shape == NULL || call->in == NULL || call->out == NULL ||
        call->term == NULL || call->isa == NULL)
        return FDX_E_NULL;
    if (call->ndim < 1 || call->ndim > FDX_MAXDIM)
        return FDX_E_NDIM;
    if (call->ninputs < 1 || call->ninputs > FDX_MAXDIM || call->noutputs < 1 || call->noutputs > FDX_MAXDIM ||
        call->nterms < 1)
        return FDX_E_OPS;
    int empty = 0;
    for (int d = 0; d < call->ndim; d++) {
        if (call->in_shape[d] < 0 || call->out_shape[d] < 0)
            return FDX_E_SHAPE;
        empty |= call->out_shape[d] == 0;
    }
    for (int k = 0; k < call->ninputs + call->noutputs; k++) {
        const fdx_array *a = k < call->ninputs ? &call->in[k] : &call->out[k - call->ninputs];
        if (a->stride == NULL || (a->data == NULL && !empty))
            return FDX_E_NULL;
        if (itemsize_of(a->dtype) == 0 || result_dtype_of(a->dtype) != call->out[0].dtype ||
            (k >= call->ninputs && a->dtype != call->out[0].dtype))
            return FDX_E_DTYPE;
    }
    for (int k = 0; k < call->nterms; k++) {
        const fdx_status status = check_term(call, &call->term[k], empty);
        if (status != FDX_OK)
            return status;
        if (k == 0 ? call->term[0].out != 0
                   : call->term[k].out - call->term[k - 1].out > 1 || call->term[k].out < call->term[k - 1].out)
            return FDX_E_OPS;
    }
    if (call->term[call->nterms - 1].out != call->noutputs - 1)
        return FDX_E_OPS;
    for (int k = 0; k < call->noutputs && !empty; k++)
        for (int j = 0; j < call->ninputs; j++)
            if (fdx_overlap(&call->out[k], call->ndim, call->out_shape, &call->in[j], call->ndim, call->in_shape))
                return FDX_E_OVERLAP;
    return FDX_OK;
}

/* ---- from arrays to a walk ---- */

/* Bytes from one element of an array to the next along a dimension of it, parts of complex elements being one. */
static ptrdiff_t along(const work *w, const fdx_array *a, int axis)
{
    return axis < w->call->ndim ? a->stride[axis] : a->dtype >= FDX_C64 ? itemsize_of(a->dtype) / 2 : 0;
}

static ptrdiff_t length(const work *w, int axis)
{
    return axis < w->call->ndim ? w->call->out_shape[axis] : 2;
}

/* Is the innermost `inner`, of `n` elements, passed through by what follows each other along `outer`? */
static int is_contiguous(const work *w, int outer, int inner)
{
    const fdx_operation *call = w->call;
    const ptrdiff_t n = length(w, inner);
    for (int k = 0; k < call->ninputs; k++)
        if (along(w, &call->in[k], outer) != n * along(w, &call->in[k], inner))
            return 0;
    for (int k = 0; k < call->noutputs; k++)
        if (along(w, &call->out[k], outer) != n * along(w, &call->out[k], inner))
            return 0;
    for (int k = 0; k < call->nterms; k++)
        for (int s = 0; s < call->term[k].nstages; s++) {
            const fdx_array *factor = call->term[k].stage[s].factor;
            if (factor != NULL && along(w, factor, outer) != n * along(w, factor, inner))
                return 0;
        }
    return 1;
}

/* The dimensions of the walk: by falling stride of the first input, those left out that have one element, and those
 * taken together that are contiguous and through which no band goes. A short one of these can be part of one with a
 * band: then it is innermost, and `unit` elements are one of that. */
static void order_dimensions(work *w)
{
    const fdx_operation *call = w->call;
    uint64_t banded = 0, shifted = 0;
    for (int k = 0; k < call->nterms; k++) {
        const fdx_term *term = &call->term[k];
        for (int s = 0; s < term->nstages; s++)
            if (term->stage[s].band != NULL)
                banded |= (uint64_t)1 << term->stage[s].axis;
        for (int d = 0; d < call->ndim && term->shift != NULL; d++)
            shifted |= (uint64_t)(term->shift[d] != 0) << d;
    }
    int order[MAXD], count = 0;
    for (int d = 0; d < call->ndim; d++) {
        if (call->out_shape[d] == 1 && !((banded | shifted) >> d & 1))
            continue;
        const ptrdiff_t stride = call->in[0].stride[d], size = stride < 0 ? -stride : stride;
        int at = count++;
        for (; at > 0; at--) {
            const ptrdiff_t other = call->in[0].stride[order[at - 1]];
            if ((other < 0 ? -other : other) >= size)
                break;
            order[at] = order[at - 1];
        }
        order[at] = d;
    }
    if (call->out[0].dtype >= FDX_C64)
        order[count++] = call->ndim;
    else if (count == 0)
        order[count++] = 0;
    banded |= shifted; /* what is shifted is not taken together with others, either */

    int at = count - 1;
    w->unit = 1;
    w->run_axis = order[at];
    int first = MAXD - 1, is_banded = order[at] < call->ndim && (banded >> order[at] & 1);
    w->axis[first] = order[at];
    w->n[first] = length(w, order[at]);
    for (at--; at >= 0; at--) {
        const int d = order[at], has_band = (int)(banded >> d & 1);
        const int joins = !is_banded && is_contiguous(w, d, order[at + 1]);
        if (joins && !has_band) {
            w->n[first] *= length(w, d); /* its axis stays the innermost one */
            continue;
        }
        if (joins && first == MAXD - 1 && w->n[first] <= SHORT_UNIT) {
            w->unit = w->n[first];
            w->axis[first] = d;
            w->n[first] = length(w, d);
            is_banded = 1;
            continue;
        }
        w->axis[--first] = d;
        w->n[first] = length(w, d);
        is_banded = has_band;
    }
    w->ndim = MAXD - first;
    for (int d = 0; d < w->ndim; d++) {
        w->axis[d] = w->axis[first + d];
        w->n[d] = w->n[first + d];
        if (w->axis[d] < call->ndim)
            w->dimension[w->axis[d]] = d;
    }
}

/* Does the input of a term's first stage lie where row loops can read it? */
static int is_direct(const work *w, const fdx_term *term)
{
    return (int)(w->plain >> term->in & 1);
}

static int is_plain(const work *w, const fdx_array *a, const ptrdiff_t *shape)
{
    return a->dtype >= FDX_F32 && along(w, a, w->run_axis) == w->itemsize && fdx_is_native(a, w->call->ndim, shape);
}

/* Do an output's elements, or units of the run, follow each other along a dimension? */
static int follows(const work *w, const fdx_array *out, int d)
{
    return along(w, out, w->axis[d]) == w->unit * w->itemsize && !out->swapped && out->dtype >= FDX_F32 &&
           along(w, out, w->run_axis) != w->itemsize && (w->unit == 1 || out->dtype >= FDX_C64);
}

/* The extents of blocks and tiles. */
static void cut(work *w, const ptrdiff_t *reach, int windows)
{
    const int run = w->ndim - 1;
    const ptrdiff_t size = windows ? BLOCK_STAGED : BLOCK, along_march = windows ? 4 * ROWS_AT_ONCE : ROWS_AT_ONCE;
    w->march = -1;
    for (int d = run - 1; d >= 0; d--)
        if (reach[d] > 0)
            w->march = d;
    /* From the run outward, but of the dimension that is marched along a few rows before what lies within is whole. */
    const ptrdiff_t within = w->march < 0 ? size : MAX(1, size / MIN(along_march, w->n[w->march]));
    w->block[run] = MAX(1, MIN(w->n[run], (run == 0 ? size : MIN(RUN, within)) / w->unit));
    ptrdiff_t product = w->block[run] * w->unit;
    for (int d = run - 1; d >= 0; d--) {
        w->block[d] = MAX(1, MIN(w->n[d], (d > w->march ? within : size) / product));
        product *= w->block[d];
    }
    /* For an output whose elements follow each other along another dimension: squares. */
    if (w->across >= 0) {
        w->block[run] = MAX(1, MIN(w->n[run], SQUARE / w->unit));
        w->block[w->across] = MIN(w->n[w->across], SQUARE);
        product = w->block[run] * w->unit * w->block[w->across];
        for (int d = run - 1; d >= 0; d--) {
            if (d == w->across)
                continue;
            w->block[d] = MAX(1, MIN(w->n[d], size / product));
            product *= w->block[d];
        }
    }
    /* Tiles: what is read again on the march should be in the second-level cache until then. */
    for (int d = 0; d < w->ndim; d++)
        w->tile[d] = d <= w->march ? w->block[d] : w->n[d];
    if (w->march < 0)
        return;
    for (int d = w->march + 1; d < w->ndim; d++) {
        const ptrdiff_t least = w->block[d];
        for (;;) {
            ptrdiff_t bytes = (w->block[w->march] + reach[w->march]) * w->unit * w->itemsize * w->call->ninputs;
            for (int e = w->march + 1; e < w->ndim; e++)
                bytes = bytes > IN_L2 ? bytes : bytes * (w->tile[e] + reach[e]);
            if (bytes <= IN_L2 || w->tile[d] <= least)
                break;
            w->tile[d] = MAX(least, (w->tile[d] + 1) / 2 / least * least);
        }
    }
}

static ptrdiff_t aligned(ptrdiff_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The next bytes of the workspace, if there is one yet. */
static char *reserve(char *memory, ptrdiff_t *used, ptrdiff_t bytes)
{
    char *here = memory == NULL ? NULL : memory + *used;
    *used += aligned(bytes);
    return here;
}

/* The rows from r on, up to hi, that have their neighbours at the same places. */
typedef struct {
    const fdx_rows_alike *alike;
    ptrdiff_t number; /* of r among these */
    ptrdiff_t end;
    int wraps; /* they reach around the ends of a periodic axis */
} stretch;

static stretch next_stretch(const fdx_band *band, ptrdiff_t r, ptrdiff_t hi, int unrolled)
{
    const ptrdiff_t last = band->rows - band->nlast;
    stretch s = {&band->interior, r - band->nfirst, MIN(hi, last), 0};
    if (r < band->nfirst || r >= last) {
        s.alike = r < band->nfirst ? &band->first[r] : &band->last[r - last];
        s.number = 0;
        s.end = r + 1;
    } else if (band->periodic && !unrolled) {
        const ptrdiff_t from = -s.alike->first, to = band->columns + 1 - s.alike->first - s.alike->count;
        s.wraps = r < from || r >= to;
        s.end = r < from ? MIN(hi, from) : r < to ? MIN(hi, to) : hi;
    }
    return s;
}

/* The columns that rows [lo, hi) of a band need. */
static void columns_of(const fdx_band *band, ptrdiff_t *lo, ptrdiff_t *hi)
{
    ptrdiff_t least = PTRDIFF_MAX, most = PTRDIFF_MIN;
    for (ptrdiff_t r = *lo, end; r < *hi; r = end) {
        const stretch s = next_stretch(band, r, *hi, 1);
        end = s.end;
        least = MIN(least, r + s.alike->first);
        most = MAX(most, end - 1 + s.alike->first + s.alike->count);
    }
    *lo = least;
    *hi = most;
}

/* The most columns that n rows of a band need, wherever they are, of which none wraps. */
static ptrdiff_t most_columns(const fdx_band *band, ptrdiff_t n)
{
    ptrdiff_t most = n + band->interior.count - 1;
    for (ptrdiff_t at = 0; at <= band->nfirst + band->nlast; at++) {
        /* from row 0 on, 1, ...; and up to the last row, the one before, ... */
        ptrdiff_t lo = MAX(0, at <= band->nfirst ? at : band->rows - n - (at - band->nfirst - 1));
        ptrdiff_t hi = MIN(band->rows, lo + n);
        columns_of(band, &lo, &hi);
        most = MAX(most, hi - lo);
    }
    return band->periodic ? most : MIN(most, band->columns);
}

/* The bytes of the largest window that stage s of a term may need for its input, n elements along each dimension. */
static ptrdiff_t window_size(const work *w, const fdx_term *term, int s, ptrdiff_t n[MAXD])
{
    ptrdiff_t size = w->itemsize * w->unit;
    for (int d = 0; d < w->ndim; d++)
        n[d] = w->block[d];
    for (int t = term->nstages - 1; t >= s; t--)
        if (term->stage[t].band != NULL) {
            const int d = w->dimension[term->stage[t].axis];
            n[d] = most_columns(term->stage[t].band, n[d]);
        }
    for (int d = 0; d < w->ndim; d++)
        size *= n[d];
    return size;
}

/* Plan a walk with its workspace at `memory`; returns how many bytes that takes. */
static ptrdiff_t plan(work *w, const fdx_operation *call, char *memory)
{
    ptrdiff_t reach[MAXD] = {0}, inside[MAXD] = {0}, most_taps = 1; /* of all rows; of interior rows */
    int windows = 0, shares = 0, factors = 0, spreads = 0, sums = 0, turns = 0;
    w->call = call;
    w->dtype = call->out[0].dtype == FDX_F32 || call->out[0].dtype == FDX_C64 ? FDX_F32 : FDX_F64;
    w->sums = &call->isa->sums[w->dtype == FDX_F64];
    w->itemsize = itemsize_of(w->dtype);
    order_dimensions(w);
    const int run = w->ndim - 1;

    w->plain = w->plain_out = w->streamed = 0;
    w->across = -1;
    ptrdiff_t size = 1;
    for (int d = 0; d < call->ndim; d++)
        size *= call->out_shape[d];
    for (int k = 0; k < call->ninputs; k++)
        w->plain |= (uint64_t)is_plain(w, &call->in[k], call->in_shape) << k;
    for (int k = 0; k < call->noutputs; k++) {
        const int plain = is_plain(w, &call->out[k], call->out_shape);
        w->plain_out |= (uint64_t)plain << k;
        w->streamed |= (uint64_t)(plain && !call->fresh && size > STREAM_SUMS / itemsize_of(call->out[k].dtype)) << k;
        for (int d = 0; d < run && !plain; d++)
            if (follows(w, &call->out[k], d))
                w->across = d;
    }
    for (int k = 0; k < call->nterms; k++) {
        const fdx_term *term = &call->term[k];
        windows |= term->nstages > 1 || !is_direct(w, term);
        for (int s = 0; s < term->nstages; s++) {
            const fdx_band *band = term->stage[s].band;
            factors |= term->stage[s].factor != NULL;
            if (band == NULL)
                continue;
            ptrdiff_t least, most;
            band_reach(band, &least, &most);
            const int d = w->dimension[term->stage[s].axis];
            reach[d] = MAX(reach[d], most - least);
            inside[d] = MAX(inside[d], band->interior.count - 1);
            most_taps = MAX(most_taps, most - least + 1);
            turns |= d == run;
            spreads |= d == run && w->unit > 1 && band->interior.row_step != 0;
        }
        shares |= term->stage[term->nstages - 1].factor != NULL;
    }
    for (int k = 0; k < call->noutputs; k++)
        sums |= !(w->plain_out >> k & 1) || (w->streamed >> k & 1);
    cut(w, inside, windows);
    w->ahead = w->march < 0 ? 0 : inside[w->march] / 2;

    ptrdiff_t used = 0, block = w->itemsize * w->unit;
    for (int d = 0; d < w->ndim; d++)
        block *= w->block[d];
    /* The largest box that is computed: how many lines and elements it has. */
    ptrdiff_t most = 0, box = block / w->itemsize, box_lines = box / (w->block[run] * w->unit);
    for (int k = 0; k < call->nterms; k++) {
        ptrdiff_t n[MAXD], bytes = 0;
        for (int s = is_direct(w, &call->term[k]); s < call->term[k].nstages; s++) {
            const ptrdiff_t size_of = window_size(w, &call->term[k], s, n);
            bytes += aligned(size_of);
            box = MAX(box, size_of / w->itemsize);
            box_lines = MAX(box_lines, size_of / (n[run] * w->unit * w->itemsize));
        }
        most = MAX(most, bytes);
    }
    const ptrdiff_t piece = MIN(PIECE, box);
    w->turned = MIN(TURNED / w->unit, box_lines);
    const ptrdiff_t turned = w->turned * w->unit * w->itemsize;
    w->sum = reserve(memory, &used, sums ? block : 0);
    w->share = reserve(memory, &used, shares ? block : 0);
    w->columns = reserve(memory, &used, turns ? (reach[run] + BY_COLUMNS) * turned : 0);
    w->made = reserve(memory, &used, turns ? BY_COLUMNS * turned : 0);
    w->factors = reserve(memory, &used, factors ? piece * w->itemsize : 0);
    w->raw = reserve(memory, &used, factors ? piece * (ptrdiff_t)sizeof(double) : 0);
    w->rest = reserve(memory, &used, most_taps > FDX_OWN ? piece * w->itemsize : 0); /* no loop takes fewer */
    w->spread = reserve(memory, &used, spreads ? most_taps * PIECE * (ptrdiff_t)sizeof(double) : 0);
    w->windows = reserve(memory, &used, most);
    return used;
}

/* ---- one row of results ---- */

/* y = or y += the sum of a row, in pieces that stay in the first-level cache if it takes several loops; x has the rows
 * of its neighbours, w their weights. */
static void sum_long(const work *w, const fdx_rows_alike *alike, const void *const *x, const double *weight, char *y,
                     ptrdiff_t n, int mode)
{
    const fdx_sums *sums = w->sums;
    const int own = alike->own, pairs = alike->form >= FDX_ODD, most = pairs ? FDX_PAIRS : FDX_NEIGHBOURS;
    /* The neighbours in the order in which they are taken. */
    int other[MAXTAPS], count = 0;
    if (pairs)
        for (int k = 1; k <= own; k++)
            other[count++] = own + k;
    else
        for (int k = 0; k < alike->count; k++)
            if (alike->form == FDX_PLAIN || k != own)
                other[count++] = k;
    for (ptrdiff_t at = 0; at < n; at += PIECE) {
        const ptrdiff_t m = MIN(PIECE, n - at), skip = at * w->itemsize;
        const int several = count > most && mode != FDX_SET;
        char *to = several ? w->rest : y + skip;
        for (int from = 0; from < count; from += most) {
            const int some = MIN(most, count - from), how = from > 0 ? FDX_CONTINUE : several ? FDX_SET : mode;
            const void *near[2 * FDX_NEIGHBOURS + 1];
            double weights[FDX_NEIGHBOURS];
            for (int k = 0; k < some; k++) {
                const int neighbour = other[from + k];
                weights[k] = weight[neighbour];
                if (pairs) {
                    near[some + 1 + k] = (const char *)x[neighbour] + skip;
                    near[some - 1 - k] = (const char *)x[2 * own - neighbour] + skip;
                } else {
                    near[k] = (const char *)x[neighbour] + skip;
                }
            }
            if (alike->form != FDX_PLAIN)
                near[some] = (const char *)x[own] + skip;
            fdx_sum_fn *sum = alike->form == FDX_ODD           ? sums->odd[some - 1][0]
                              : alike->form == FDX_EVEN        ? sums->even[some - 1][0]
                              : alike->form == FDX_DIFFERENCES ? sums->less[some - 1]
                                                               : sums->plain[some - 1];
            sum(to, 0, near, m, weights, how);
        }
        if (several)
            sums->combine(y + skip, to, NULL, m, FDX_ADD);
    }
}

static void sum_row(const work *w, const fdx_rows_alike *alike, const void *const *x, const double *weight, char *y,
                    ptrdiff_t n, int mode)
{
    const fdx_sums *sums = w->sums;
    const int own = alike->own, count = alike->count;
    if (alike->form >= FDX_ODD && own <= FDX_PAIRS)
        (alike->form == FDX_ODD ? sums->odd : sums->even)[own - 1][0](y, 0, x, n, weight + own + 1, mode);
    else if (alike->form == FDX_PLAIN && count <= FDX_NEIGHBOURS)
        sums->plain[count - 1](y, 0, x, n, weight, mode);
    else if (alike->form == FDX_DIFFERENCES && count <= FDX_NEIGHBOURS + 1) {
        const void *near[FDX_NEIGHBOURS + 1];
        double weights[FDX_NEIGHBOURS];
        int others = 0;
        for (int k = 0; k < count; k++) {
            if (k == own)
                continue;
            near[others] = x[k];
            weights[others++] = weight[k];
        }
        near[others] = x[own];
        sums->less[others - 1](y, 0, near, n, weights, mode);
    } else
        sum_long(w, alike, x, weight, y, n, mode);
}

/* The same with weights that differ from point to point. */
static void sum_own(const work *w, const fdx_rows_alike *alike, const void *const *x, const double *const *weight,
                    char *y, ptrdiff_t n, int mode)
{
    const int differences = alike->form == FDX_DIFFERENCES, count = alike->count - differences;
    fdx_own_sum_fn *const *sums = differences ? w->sums->own_less : w->sums->own_plain;
    for (ptrdiff_t at = 0; at < n; at += PIECE) {
        const ptrdiff_t m = MIN(PIECE, n - at), skip = at * w->itemsize;
        const int several = count > FDX_OWN && mode != FDX_SET;
        char *to = several ? w->rest : y + skip;
        for (int from = 0; from < count; from += FDX_OWN) {
            const int some = MIN(FDX_OWN, count - from);
            const void *near[FDX_OWN + 1];
            const double *weights[FDX_OWN];
            for (int k = 0; k < some; k++) {
                const int neighbour = from + k + (differences && from + k >= alike->own);
                near[k] = (const char *)x[neighbour] + skip;
                weights[k] = weight[neighbour] + at;
            }
            near[some] = differences ? (const char *)x[alike->own] + skip : NULL;
            sums[some - 1](to, near, m, weights, from > 0 ? FDX_CONTINUE : several ? FDX_SET : mode);
        }
        if (several)
            w->sums->combine(y + skip, to, NULL, m, FDX_ADD);
    }
}

/* ---- a band's results in a box ---- */

/* Lines of a box: all but the dimensions that are treated by themselves. */
typedef struct {
    int ndim;
    ptrdiff_t n[MAXD], x[MAXD], y[MAXD], index[MAXD]; /* x, y: bytes from one to the next */
} lines;

static void box_lines(const work *w, int but, const place *src, const place *dst, const ptrdiff_t *lo,
                      const ptrdiff_t *hi, lines *l)
{
    l->ndim = 0;
    for (int d = 0; d < w->ndim - 1; d++) {
        if (d == but || hi[d] - lo[d] == 1)
            continue;
        l->n[l->ndim] = hi[d] - lo[d];
        l->x[l->ndim] = src->stride[d];
        l->y[l->ndim] = dst->stride[d];
        l->index[l->ndim++] = 0;
    }
}

/* On to the next line; 0 after the last, when everything is as it was before the first. */
static int next_line(lines *l, const char **x, char **y)
{
    for (int d = l->ndim - 1; d >= 0; d--) {
        *x += l->x[d];
        *y += l->y[d];
        if (++l->index[d] < l->n[d])
            return 1;
        *x -= l->n[d] * l->x[d];
        *y -= l->n[d] * l->y[d];
        l->index[d] = 0;
    }
    return 0;
}

/* Lines that follow each other are one. Returns how many elements each has then, of n before. */
static ptrdiff_t join_lines(const work *w, lines *l, ptrdiff_t n)
{
    while (l->ndim > 0 && l->x[l->ndim - 1] == n * w->itemsize && l->y[l->ndim - 1] == n * w->itemsize)
        n *= l->n[--l->ndim];
    return n;
}

/* Where an element lies whose index along `but` is 0, and along the others what `at` says. */
static char *locate(const work *w, const place *p, const ptrdiff_t *at, int but)
{
    char *here = p->data;
    for (int d = 0; d < w->ndim; d++)
        here += ((d == but ? 0 : at[d]) - p->lo[d]) * p->stride[d];
    return here;
}

static void row_weights(const fdx_rows_alike *alike, ptrdiff_t number, double *weight)
{
    for (int k = 0; k < alike->count; k++)
        weight[k] = alike->w[k * alike->tap_step + number * alike->row_step];
}

/* A column of a band's input: itself, or the one that it is behind the ends of a periodic axis. */
static ptrdiff_t wrapped(const fdx_band *band, const place *src, int d, ptrdiff_t column)
{
    if (!band->periodic || src->unrolled == d)
        return column;
    return column < 0 ? column + band->columns : column >= band->columns ? column - band->columns : column;
}

/* Along another dimension than the run's: whole runs. */
static void across(const work *w, const fdx_band *band, int d, const place *src, const place *dst, const ptrdiff_t *lo,
                   const ptrdiff_t *hi, int mode)
{
    const int run = w->ndim - 1;
    const ptrdiff_t x_stride = src->stride[d], y_stride = dst->stride[d];
    lines l;
    box_lines(w, d, src, dst, lo, hi, &l);
    const ptrdiff_t n = join_lines(w, &l, (hi[run] - lo[run]) * w->unit);
    ptrdiff_t end;
    for (ptrdiff_t r = lo[d]; r < hi[d]; r = end) {
        double weight[MAXTAPS];
        const void *x[MAXTAPS + ROWS_AT_ONCE];
        const stretch s = next_stretch(band, r, hi[d], src->unrolled == d);
        const fdx_rows_alike *alike = s.alike;
        const int pairs = alike->own, quick = alike->form >= FDX_ODD && pairs <= FDX_PAIRS && !s.wraps;
        end = alike->row_step != 0 ? r + 1 : s.end;
        row_weights(alike, s.number, weight);
        const char *in = locate(w, src, lo, d);
        char *out = locate(w, dst, lo, d) + r * y_stride;
        do {
            ptrdiff_t row = r;
            char *y = out;
            for (; quick && row + ROWS_AT_ONCE <= end; row += ROWS_AT_ONCE, y += ROWS_AT_ONCE * y_stride) {
                for (int k = 0; k < 2 * pairs + ROWS_AT_ONCE; k++)
                    x[k] = in + (row + alike->first + k) * x_stride;
                (alike->form == FDX_ODD ? w->sums->odd : w->sums->even)[pairs - 1][1](y, y_stride, x, n,
                                                                                      weight + pairs + 1, mode);
            }
            for (; row < end; row++, y += y_stride) {
                for (int k = 0; k < alike->count; k++)
                    x[k] = in + wrapped(band, src, d, row + alike->first + k) * x_stride;
                sum_row(w, alike, x, weight, y, n, mode);
            }
        } while (next_line(&l, &in, &out));
    }
}

/* Columns of lines, `unit` elements wide, to rows `apart` bytes apart; `skip` is where in a line they begin. */
static void turn(const work *w, char *to, ptrdiff_t apart, const char *const *line, ptrdiff_t lines,
                 const ptrdiff_t *skip, ptrdiff_t columns)
{
    const ptrdiff_t bytes = w->unit * w->itemsize;
    for (ptrdiff_t l = 0; l < lines; l++)
        if (bytes == sizeof(double)) /* a constant, so that it is a load and a store */
            for (ptrdiff_t c = 0; c < columns; c++)
                memcpy(to + c * apart + l * (ptrdiff_t)sizeof(double), line[l] + skip[c], sizeof(double));
        else if (bytes == sizeof(float))
            for (ptrdiff_t c = 0; c < columns; c++)
                memcpy(to + c * apart + l * (ptrdiff_t)sizeof(float), line[l] + skip[c], sizeof(float));
        else
            for (ptrdiff_t c = 0; c < columns; c++)
                memcpy(to + c * apart + l * bytes, line[l] + skip[c], (size_t)bytes);
}

/* Rows back to columns of lines, replacing or adding to what is there. */
#define TURN_BACK(name, T)                                                                                             \
    static void name(const char *from, ptrdiff_t apart, char *const *line, ptrdiff_t lines, ptrdiff_t stride,          \
                     ptrdiff_t columns, ptrdiff_t unit, int mode)                                                      \
    {                                                                                                                  \
        for (ptrdiff_t l = 0; l < lines; l++)                                                                          \
            for (ptrdiff_t c = 0; c < columns; c++) {                                                                  \
                const T *x = (const T *)(const void *)(from + c * apart) + l * unit;                                   \
                T *y = (T *)(void *)(line[l] + c * stride);                                                            \
                y[0] = mode == FDX_SET ? x[0] : y[0] + x[0];                                                           \
                for (ptrdiff_t i = 1; i < unit; i++)                                                                   \
                    y[i] = mode == FDX_SET ? x[i] : y[i] + x[i];                                                       \
            }                                                                                                          \
    }

TURN_BACK(turn_back_f32, float)
TURN_BACK(turn_back_f64, double)

/* Along the run, rows r .. end - 1, at most BY_COLUMNS: the columns that they need of several lines are turned into
 * rows. */
static void few_by_columns(const work *w, const fdx_band *band, const place *src, const place *dst, const ptrdiff_t *lo,
                           const ptrdiff_t *hi, ptrdiff_t r, ptrdiff_t end, int mode)
{
    const int run = w->ndim - 1;
    const ptrdiff_t most = w->turned, apart = most * w->unit * w->itemsize;
    ptrdiff_t least = PTRDIFF_MAX, greatest = PTRDIFF_MIN, skip[MAXREACH + BY_COLUMNS];
    for (ptrdiff_t row = r; row < end; row++) {
        const fdx_rows_alike *alike = next_stretch(band, row, end, 1).alike;
        least = MIN(least, row + alike->first);
        greatest = MAX(greatest, row + alike->first + alike->count - 1);
    }
    for (ptrdiff_t c = least; c <= greatest; c++)
        skip[c - least] = wrapped(band, src, run, c) * src->stride[run];
    lines l;
    box_lines(w, -1, src, dst, lo, hi, &l);
    const char *in = locate(w, src, lo, run), *from[TURNED];
    char *out = locate(w, dst, lo, run) + r * dst->stride[run], *to[TURNED];
    for (int more = 1; more;) {
        ptrdiff_t count = 0;
        while (more && count < most) {
            from[count] = in;
            to[count++] = out;
            more = next_line(&l, &in, &out);
        }
        turn(w, w->columns, apart, from, count, skip, greatest - least + 1);
        for (ptrdiff_t row = r; row < end; row++) {
            double weight[MAXTAPS];
            const void *x[MAXTAPS];
            const stretch s = next_stretch(band, row, end, 1);
            row_weights(s.alike, s.number, weight);
            for (int k = 0; k < s.alike->count; k++)
                x[k] = w->columns + (row + s.alike->first + k - least) * apart;
            sum_row(w, s.alike, x, weight, w->made + (row - r) * apart, count * w->unit, FDX_SET);
        }
        (w->dtype == FDX_F32 ? turn_back_f32 : turn_back_f64)(w->made, apart, to, count, dst->stride[run], end - r,
                                                              w->unit, mode);
    }
}

/* The same for any number of rows. */
static void by_columns(const work *w, const fdx_band *band, const place *src, const place *dst, const ptrdiff_t *lo,
                       const ptrdiff_t *hi, ptrdiff_t r, ptrdiff_t end, int mode)
{
    for (; r < end; r += BY_COLUMNS)
        few_by_columns(w, band, src, dst, lo, hi, r, MIN(end, r + BY_COLUMNS), mode);
}

/* Along the run, rows r .. end - 1, all alike: the run itself, shifted. */
static void along_run(const work *w, const fdx_rows_alike *alike, ptrdiff_t number, const place *src, const place *dst,
                      const ptrdiff_t *lo, const ptrdiff_t *hi, ptrdiff_t r, ptrdiff_t end, int mode)
{
    const int run = w->ndim - 1;
    const ptrdiff_t unit = w->unit, x_stride = src->stride[run];
    const void *x[MAXTAPS];
    double weight[MAXTAPS];
    lines l;
    box_lines(w, -1, src, dst, lo, hi, &l);
    const char *in = locate(w, src, lo, run) + (r + alike->first) * x_stride;
    char *out = locate(w, dst, lo, run) + r * dst->stride[run];
    if (alike->row_step == 0)
        row_weights(alike, number, weight);
    do {
        if (alike->row_step == 0) {
            for (int k = 0; k < alike->count; k++)
                x[k] = in + k * x_stride;
            sum_row(w, alike, x, weight, out, (end - r) * unit, mode);
            continue;
        }
        const double *own[MAXTAPS];
        const ptrdiff_t most = unit == 1 && alike->row_step == 1 ? end - r : PIECE / unit;
        for (ptrdiff_t at = r; at < end; at += most) {
            const ptrdiff_t rows = MIN(most, end - at);
            for (int k = 0; k < alike->count; k++) {
                const double *from = alike->w + k * alike->tap_step + (number + at - r) * alike->row_step;
                x[k] = in + (at - r + k) * x_stride;
                own[k] = from;
                if (unit == 1 && alike->row_step == 1)
                    continue;
                double *to = (double *)(void *)w->spread + k * PIECE;
                own[k] = to;
                for (ptrdiff_t i = 0; i < rows; i++)
                    for (ptrdiff_t j = 0; j < unit; j++)
                        *to++ = from[i * alike->row_step];
            }
            sum_own(w, alike, x, own, out + (at - r) * unit * w->itemsize, rows * unit, mode);
        }
    } while (next_line(&l, &in, &out));
}

/* y = or y += band x in the box of rows [lo, hi); src and dst hold what is needed of x and y. */
static void apply_band(const work *w, const fdx_stage *stage, const place *src, const place *dst, const ptrdiff_t *lo,
                       const ptrdiff_t *hi, int mode)
{
    const int run = w->ndim - 1;
    const fdx_band *band = stage->band;
    if (band == NULL) {
        lines l;
        box_lines(w, -1, src, dst, lo, hi, &l);
        const ptrdiff_t n = join_lines(w, &l, (hi[run] - lo[run]) * w->unit);
        const char *x = locate(w, src, lo, -1);
        char *y = locate(w, dst, lo, -1);
        do {
            if (mode == FDX_SET)
                memcpy(y, x, (size_t)(n * w->itemsize));
            else
                w->sums->combine(y, x, NULL, n, FDX_ADD);
        } while (next_line(&l, &x, &y));
        return;
    }
    const int d = w->dimension[stage->axis];
    if (d != run) {
        across(w, band, d, src, dst, lo, hi, mode);
        return;
    }
    ptrdiff_t few = lo[d]; /* rows from here on are left to be computed by columns */
    for (ptrdiff_t r = lo[d]; r < hi[d];) {
        const stretch s = next_stretch(band, r, hi[d], src->unrolled == d);
        if (!s.wraps && (s.end - r) * w->unit >= BY_COLUMNS) {
            by_columns(w, band, src, dst, lo, hi, few, r, mode);
            along_run(w, s.alike, s.number, src, dst, lo, hi, r, s.end, mode);
            few = s.end;
        }
        r = s.end;
    }
    by_columns(w, band, src, dst, lo, hi, few, hi[d], mode);
}

/* ---- terms ---- */

/* y = factor t, or y + factor t, in the box [lo, hi) of the stage's results; t may be y. */
static void multiply(const work *w, const fdx_array *factor, const place *t, const place *y, const ptrdiff_t *lo,
                     const ptrdiff_t *hi, int mode)
{
    const int run = w->ndim - 1, is_float = factor->dtype == FDX_F32;
    const ptrdiff_t n = (hi[run] - lo[run]) * w->unit, step = along(w, factor, w->run_axis);
    const int direct = step == w->itemsize && factor->dtype == w->dtype && fdx_is_native(factor, w->call->ndim, NULL);
    fdx_gather_fn *gather = w->call->isa->gather[factor->dtype][factor->swapped != 0];
    place c;
    c.data = (char *)factor->data;
    for (int d = 0; d < w->ndim; d++) {
        c.lo[d] = 0;
        c.stride[d] = along(w, factor, w->axis[d]);
    }
    lines l, m;
    box_lines(w, -1, t, y, lo, hi, &l);
    box_lines(w, -1, &c, y, lo, hi, &m);
    const char *in = locate(w, t, lo, -1), *by = locate(w, &c, lo, -1);
    char *out = locate(w, y, lo, -1), *unused = out;
    do {
        for (ptrdiff_t at = 0; at < n; at += PIECE) {
            const ptrdiff_t k = MIN(PIECE, n - at);
            const void *row = by + at * step;
            if (!direct) {
                gather(w->raw, (const char *)row, step, k);
                row = w->raw;
                if (is_float != (w->dtype == FDX_F32)) {
                    row = w->factors;
                    if (is_float)
                        for (ptrdiff_t i = 0; i < k; i++)
                            ((double *)(void *)w->factors)[i] = (double)((const float *)(const void *)w->raw)[i];
                    else
                        for (ptrdiff_t i = 0; i < k; i++)
                            ((float *)(void *)w->factors)[i] = (float)((const double *)(const void *)w->raw)[i];
                }
            }
            w->sums->combine(out + at * w->itemsize, in + at * w->itemsize, row, k, mode);
        }
        next_line(&m, &by, &unused);
    } while (next_line(&l, &in, &out));
}

static void convert(const work *w, const fdx_array *a, const place *dst, const ptrdiff_t *lo, const ptrdiff_t *hi,
                    const ptrdiff_t *from)
{
    const int run = w->ndim - 1;
    const ptrdiff_t n = (hi[run] - lo[run]) * w->unit, step = along(w, a, w->run_axis);
    const int part = a->dtype == FDX_C64 ? FDX_F32 : a->dtype == FDX_C128 ? FDX_F64 : a->dtype;
    fdx_gather_fn *gather = w->call->isa->gather[part][a->swapped != 0];
    place src;
    src.data = (char *)a->data;
    for (int d = 0; d < w->ndim; d++) {
        src.lo[d] = 0;
        src.stride[d] = along(w, a, w->axis[d]);
    }
    lines l;
    box_lines(w, -1, &src, dst, lo, hi, &l);
    const char *in = locate(w, &src, from, -1);
    char *out = locate(w, dst, lo, -1);
    do
        gather(out, in, step, n);
    while (next_line(&l, &in, &out));
}

/* The input of stage s of a term, at least in the box [lo, hi), which along dimension `unrolled`, unless -1, goes on
 * behind the ends of an axis of n points. */
static void prepare(const work *w, const fdx_term *term, int s, const ptrdiff_t *lo, const ptrdiff_t *hi, int unrolled,
                    ptrdiff_t n, place *result)
{
    const fdx_array *in = &w->call->in[term->in];
    if (s == 0 && is_direct(w, term)) {
        result->data = (char *)in->data;
        result->unrolled = -1;
        for (int d = 0; d < w->ndim; d++) {
            result->lo[d] = 0;
            result->stride[d] = along(w, in, w->axis[d]);
        }
        return;
    }
    ptrdiff_t widest[MAXD];
    result->data = w->windows;
    for (int t = is_direct(w, term); t < s; t++)
        result->data += aligned(window_size(w, term, t, widest));
    result->unrolled = unrolled;
    ptrdiff_t stride = w->itemsize * w->unit;
    for (int d = w->ndim - 1; d >= 0; d--) {
        result->lo[d] = lo[d];
        result->stride[d] = stride;
        stride *= hi[d] - lo[d];
    }

    ptrdiff_t from[MAXD], to[MAXD];
    memcpy(from, lo, sizeof from);
    memcpy(to, hi, sizeof to);
    const ptrdiff_t end = unrolled >= 0 ? hi[unrolled] : 0;
    for (int more = 1; more;) { /* pieces of the box that lie in the array; one, unless it goes on behind the ends */
        more = 0;
        ptrdiff_t turns = 0;
        if (unrolled >= 0) {
            turns = from[unrolled] < 0 ? -1 : from[unrolled] >= n ? 1 : 0;
            to[unrolled] = MIN(end, (turns + 1) * n);
            more = to[unrolled] < end;
        }
        ptrdiff_t rows[MAXD], rows_end[MAXD];
        memcpy(rows, from, sizeof rows);
        memcpy(rows_end, to, sizeof rows_end);
        place piece = *result;
        if (unrolled >= 0) {
            rows[unrolled] -= turns * n;
            rows_end[unrolled] -= turns * n;
            piece.lo[unrolled] -= turns * n;
        }
        if (s == 0) {
            convert(w, in, &piece, rows, rows_end, rows);
        } else {
            const fdx_stage *stage = &term->stage[s - 1];
            ptrdiff_t columns[MAXD], columns_end[MAXD];
            int d = -1;
            memcpy(columns, rows, sizeof columns);
            memcpy(columns_end, rows_end, sizeof columns_end);
            if (stage->band != NULL) {
                d = w->dimension[stage->axis];
                columns_of(stage->band, &columns[d], &columns_end[d]);
            }
            place src;
            prepare(w, term, s - 1, columns, columns_end, d >= 0 && stage->band->periodic ? d : -1,
                    d >= 0 ? stage->band->columns : 0, &src);
            apply_band(w, stage, &src, &piece, rows, rows_end, FDX_SET);
            if (stage->factor != NULL)
                multiply(w, stage->factor, &piece, &piece, rows, rows_end, FDX_SET);
        }
        if (more)
            from[unrolled] = to[unrolled];
    }
}

/* y = or y += a term, in the box [lo, hi) of results. */
static void add_term(const work *w, const fdx_term *term, const place *y, const ptrdiff_t *lo, const ptrdiff_t *hi,
                     int mode)
{
    const fdx_stage *last = &term->stage[term->nstages - 1];
    ptrdiff_t rows[MAXD], rows_end[MAXD], columns[MAXD], columns_end[MAXD];
    place src, dst, share;
    int d = -1;
    dst.data = y->data;
    dst.unrolled = -1;
    for (int e = 0; e < w->ndim; e++) {
        const ptrdiff_t shift = term->shift == NULL || w->axis[e] == w->call->ndim ? 0 : term->shift[w->axis[e]];
        columns[e] = rows[e] = lo[e] + shift;
        columns_end[e] = rows_end[e] = hi[e] + shift;
        dst.lo[e] = y->lo[e] + shift;
        dst.stride[e] = y->stride[e];
    }
    if (last->band != NULL) {
        d = w->dimension[last->axis];
        columns_of(last->band, &columns[d], &columns_end[d]);
    }
    prepare(w, term, term->nstages - 1, columns, columns_end, d >= 0 && last->band->periodic ? d : -1,
            d >= 0 ? last->band->columns : 0, &src);
    if (last->factor == NULL) {
        apply_band(w, last, &src, &dst, rows, rows_end, mode);
        return;
    }
    share.data = w->share;
    share.unrolled = -1;
    ptrdiff_t stride = w->itemsize * w->unit;
    for (int e = w->ndim - 1; e >= 0; e--) {
        share.lo[e] = rows[e];
        share.stride[e] = stride;
        stride *= rows_end[e] - rows[e];
    }
    apply_band(w, last, &src, &share, rows, rows_end, FDX_SET);
    multiply(w, last->factor, &share, &dst, rows, rows_end, mode);
}

/* ---- the walk ---- */

/* Columns of lines, `stride` apart, to rows `apart` apart, element by element of so many bytes. */
static void turn_out(char *to, ptrdiff_t apart, const char *from, ptrdiff_t stride, ptrdiff_t columns, ptrdiff_t lines,
                     ptrdiff_t bytes)
{
    for (ptrdiff_t c = 0; c < columns; c++, to += apart, from += bytes)
        if (bytes == sizeof(double)) /* a constant, so that it is a load and a store */
            for (ptrdiff_t l = 0; l < lines; l++)
                memcpy(to + l * (ptrdiff_t)sizeof(double), from + l * stride, sizeof(double));
        else if (bytes == sizeof(float))
            for (ptrdiff_t l = 0; l < lines; l++)
                memcpy(to + l * (ptrdiff_t)sizeof(float), from + l * stride, sizeof(float));
        else
            for (ptrdiff_t l = 0; l < lines; l++)
                memcpy(to + l * bytes, from + l * stride, (size_t)bytes);
}

/* A block's results from where they were summed up to the output; meanwhile what is at `next` is fetched. */
static void store(const work *w, int number, const place *sum, const ptrdiff_t *lo, const ptrdiff_t *hi,
                  const char *next)
{
    const fdx_array *out = &w->call->out[number];
    const int run = w->ndim - 1;
    const ptrdiff_t step = along(w, out, w->run_axis);
    const int part = out->dtype == FDX_C64 ? FDX_F32 : out->dtype == FDX_C128 ? FDX_F64 : out->dtype;
    fdx_scatter_fn *scatter = w->call->isa->scatter[part - FDX_F32][out->swapped != 0];
    place dst;
    dst.data = (char *)out->data;
    for (int d = 0; d < w->ndim; d++) {
        dst.lo[d] = 0;
        dst.stride[d] = along(w, out, w->axis[d]);
    }
    const int across = w->across >= 0 && follows(w, out, w->across) ? w->across : -1;
    lines l;
    box_lines(w, across, sum, &dst, lo, hi, &l);
    const int streamed = (int)(w->streamed >> number & 1);
    const ptrdiff_t row = (hi[run] - lo[run]) * w->unit, n = streamed ? join_lines(w, &l, row) : row;
    const char *x = locate(w, sum, lo, -1), *first = x;
    char *y = locate(w, &dst, lo, -1);
    if (across >= 0) {
        do
            turn_out(y, dst.stride[run], x, sum->stride[across], hi[run] - lo[run], hi[across] - lo[across],
                     w->unit * w->itemsize);
        while (next_line(&l, &x, &y));
        return;
    }
    do {
        if (streamed)
            w->call->isa->stream_out(y, x, n * w->itemsize, next + (x - first));
        else
            scatter(y, step, x, n);
    } while (next_line(&l, &x, &y));
}

static void make_block(const work *w, const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    const fdx_operation *call = w->call;
    /* What the next block reads first: the rows behind this one's and their neighbours, if it is one of a march. */
    const int m = MAX(w->march, 0);
    const char *next = (const char *)call->in[0].data;
    for (int d = 0; d < w->ndim; d++)
        next += (d == m ? hi[d] + w->ahead : lo[d]) * along(w, &call->in[0], w->axis[d]);
    for (int k = 0; k < call->nterms;) {
        const int number = call->term[k].out;
        const fdx_array *out = &call->out[number];
        const int in_place = (int)((w->plain_out & ~w->streamed) >> number & 1);
        place y;
        y.data = in_place ? (char *)out->data : w->sum;
        y.unrolled = -1;
        ptrdiff_t stride = w->itemsize * w->unit;
        for (int d = w->ndim - 1; d >= 0; d--) {
            y.lo[d] = in_place ? 0 : lo[d];
            y.stride[d] = in_place ? along(w, out, w->axis[d]) : stride;
            stride *= hi[d] - lo[d];
        }
        for (int mode = FDX_SET; k < call->nterms && call->term[k].out == number; k++, mode = FDX_ADD)
            add_term(w, &call->term[k], &y, lo, hi, mode);
        if (!in_place)
            store(w, number, &y, lo, hi, next);
    }
}

ptrdiff_t fdx_workspace_size(const fdx_operation *call)
{
    work w;
    return check(call) == FDX_OK ? plan(&w, call, NULL) : 0;
}

fdx_status fdx_operate_part(const fdx_operation *call, void *workspace, ptrdiff_t bytes, ptrdiff_t part,
                            ptrdiff_t nparts)
{
    const fdx_status status = check(call);
    if (status != FDX_OK)
        return status;
    if (nparts < 1 || part < 0 || part >= nparts)
        return FDX_E_PART;
    for (int d = 0; d < call->ndim; d++)
        if (call->out_shape[d] == 0)
            return FDX_OK;
    work w;
    const ptrdiff_t needed = plan(&w, call, (char *)workspace);
    if (needed > bytes)
        return FDX_E_WORKSPACE;
    if (needed > 0 && workspace == NULL)
        return FDX_E_NULL;

    /* From slowest to fastest: blocks along the dimensions before the one that is marched along, tiles of those behind
     * it, blocks along it, blocks in the tile. */
    ptrdiff_t number[2 * MAXD], total = 1;
    int dimension[2 * MAXD], levels = 0;
    for (int d = 0; d < w.ndim; d++) {
        dimension[levels] = d;
        number[levels++] = d <= w.march ? 0 : (w.n[d] + w.tile[d] - 1) / w.tile[d];
    }
    if (w.march >= 0) { /* that one comes behind the tiles */
        for (int d = w.march; d + 1 < w.ndim; d++) {
            dimension[d] = d + 1;
            number[d] = number[d + 1];
        }
        dimension[w.ndim - 1] = w.march;
    }
    for (int level = 0; level < w.ndim; level++)
        if (dimension[level] <= w.march)
            number[level] = (w.n[dimension[level]] + w.block[dimension[level]] - 1) / w.block[dimension[level]];
    for (int d = w.march + 1; d < w.ndim; d++) {
        dimension[levels] = d;
        number[levels++] = (w.tile[d] + w.block[d] - 1) / w.block[d];
    }
    for (int level = 0; level < levels; level++)
        total *= number[level];

    const ptrdiff_t share = total / nparts, extra = total % nparts;
    const ptrdiff_t first = part * share + MIN(part, extra), end = first + share + (part < extra);
    for (ptrdiff_t at = first; at < end; at++) {
        ptrdiff_t lo[MAXD] = {0}, hi[MAXD], left = at;
        int inside = 1;
        for (int level = levels - 1; level >= 0; level--) {
            const int d = dimension[level];
            lo[d] += left % number[level] * (level >= w.ndim || d <= w.march ? w.block[d] : w.tile[d]);
            left /= number[level];
        }
        for (int d = 0; d < w.ndim; d++) {
            hi[d] = MIN(w.n[d], lo[d] + w.block[d]);
            inside &= lo[d] < hi[d];
        }
        if (inside)
            make_block(&w, lo, hi);
    }
    if (w.streamed != 0)
        call->isa->stream_out(NULL, NULL, 0, NULL);
    return FDX_OK;
}

fdx_status fdx_operate(const fdx_operation *call, void *workspace, ptrdiff_t bytes)
{
    return fdx_operate_part(call, workspace, bytes, 0, 1);
}
