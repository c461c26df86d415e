/* The application of operators: what the files fdx_operator*.c share.
 *
 * Ranking of sizes: part (of a call, for one thread) > tile > block > line segment. */
#ifndef FDX_OPERATOR_H
#define FDX_OPERATOR_H

#include "fdx_walk.h"

/* Tests set these limits from outside, to reach with small arrays the code for large ones. */
#ifndef BLOCK_ELEMENTS
#define BLOCK_ELEMENTS ((ptrdiff_t)16384)        /* of a block */
#define TERMS_BLOCK_ELEMENTS ((ptrdiff_t)4096)   /* of a block whose sums are read again to add other terms */
#define STAGED_BLOCK_ELEMENTS ((ptrdiff_t)32768) /* of a block with staging buffers: halos must be small beside it */
#define L1_BYTES ((ptrdiff_t)24 << 10)           /* of the L1 cache, that rows which are read again may take */
#define L2_BYTES ((ptrdiff_t)640 << 10)          /* of the L2 cache, that rows which the next block reads again may */
#define MAX_ELEMENTS_PER_POINT ((ptrdiff_t)32)   /* longer inner dimensions are not joined to one that has a band */
#define TRANSPOSED_LINES ((ptrdiff_t)64)         /* lines that are transposed at a time */
#define TRANSPOSED_SIDE ((ptrdiff_t)64)          /* elements to a side of the square blocks of transposed outputs */
#define SEGMENT_ELEMENTS ((ptrdiff_t)1024)       /* of a row segment that takes several loops or a conversion */
#define MIN_CROSSED ((ptrdiff_t)1500)            /* results, for one loop over the interior, which is */
#define MIN_INTERIOR_PERCENT ((ptrdiff_t)66)     /* of them: what is around it takes longer */
#define MIN_NESTED_PERCENT ((ptrdiff_t)80)       /* the same for two bands at once */
#define MIN_LINE_ELEMENTS ((ptrdiff_t)64)        /* shorter lines are not computed line by line */
#define MIN_WEIGHED_LINE ((ptrdiff_t)36)         /* along which one loop multiplies by a coefficient, too */
#define LINE_SEGMENT_BYTES ((ptrdiff_t)2048)     /* of a line segment; LONG_SEGMENT_RATIO times that for long ones */
#endif
/* Row segments of the inner dimension with fewer elements are computed by columns, at most so many rows at a time. */
#define MIN_ROW_SEGMENT ((ptrdiff_t)16)
/* So many lines are computed without transposing columns. */
#define MAX_FEW_LINES ((ptrdiff_t)32)
#define MAX_STRIDED_ROWS ((ptrdiff_t)1)   /* of a band along the inner dimension: of any number of lines */
#define MIN_SEGMENT_OF_FEW ((ptrdiff_t)4) /* points of a row segment that is computed by rows then */
/* Rows of results that are computed together, as they share rows of neighbours. Line by line is slower than that with
 * more than MAX_LINE_NEIGHBOURS that do not fit into L1_BYTES together. */
#define ROWS_AT_ONCE 4
#define MAX_LINE_NEIGHBOURS 5
#define MAX_CROSSED_ROWS 14 /* of neighbours across the inner dimension, for one loop over lines in cache */
/* Bytes: rows at multiples of this distance share a set of the L1 cache, which holds ASSOCIATIVITY cache lines. */
#define CACHE_SET_STRIDE ((ptrdiff_t)4096)
#define ASSOCIATIVITY ((ptrdiff_t)12)
#define MAX_ROW_ENDS ((ptrdiff_t)64) /* rows at the ends of lines that are computed ahead of a block */
#define MAX_LINE_TERMS 8             /* terms of an output that is computed line by line */
#define LONG_SEGMENT_RATIO 4         /* for segments that take one loop, or loops with many neighbours */
#define MAX_TOGETHER 6               /* terms that one loop multiplies by coefficients */
#define MAX_SEGMENT_LINES 16         /* lines in one line segment */

enum {
    MAXD = FDX_MAXDIM + 1 /* real and imaginary parts are a dimension of two */,
    MAXWEIGHTS = FDX_MAXWEIGHTS,
    MAXOFFSETS = 4 * MAXWEIGHTS
};

/* Rows and columns of a band: sums of a few such numbers do not overflow. */
#define MAX_LENGTH (PTRDIFF_MAX / 4)

/* Bytes of a staging buffer: sums over all stages do not overflow. */
#define MAX_STAGING_BYTES (PTRDIFF_MAX / 64)

/* An array view whose elements have the type of the sums, and are contiguous along the inner dimension. */
typedef struct {
    char *data;        /* the element with indices lo */
    ptrdiff_t *lo;     /* the first indices that it holds */
    ptrdiff_t *stride; /* bytes */
    int unrolled;      /* the dimension along which it continues past the ends of a periodic axis; -1: none */
} view;

/* Where what a call reads or writes of an array is: bytes lo .. hi - 1, and the first element of the box, all counted
 * from its data on, modulo the address space. */
typedef struct {
    uintptr_t lo, hi, first;
} array_place;

/* The plan of a call (fdx_prepared). Its dimensions are those of the arrays in another order, slowest first; some are
 * joined, and complex elements are a dimension of two. */
typedef struct {
    const fdx_call *call;
    const fdx_array *in, *out; /* the call's, or others like them */
    void *const *copies;       /* likewise */
    const double *alpha_beta;  /* the call's, or those of a run */
    int adds;                  /* beta is not 0: results are added to what is in outputs */
    const fdx_sums *sums;
    int dtype;                 /* of the sums: FDX_F32 or FDX_F64 */
    ptrdiff_t itemsize;        /* bytes of one of these */
    int ndim;                  /* the last dimension is the inner one */
    int *axis;                 /* the arrays' axis; the innermost one of joined dimensions */
    int inner_axis;            /* the arrays' axis along which elements of the inner dimension are contiguous */
    int *dimension;            /* the plan's dimension for an axis that has a band */
    ptrdiff_t *n;              /* results along each dimension, */
    ptrdiff_t *lo;             /* from this index on */
    ptrdiff_t per_point;       /* elements per point: from one row of the inner dimension to the next */
    uint64_t plain, plain_out; /* bits: inputs and outputs that loops may read and write in place */
    uint64_t streamed;         /* bits: outputs written by non-temporal stores */
    uint64_t by_lines;         /* bits: outputs computed line by line, a subset of `streamed` */
    uint64_t crossed;          /* bits: outputs that are not streamed, whose interior is computed by one loop */
    uint64_t nested;           /* bits: outputs that are one chain of two bands, computed likewise */
    uint64_t copied;           /* bits: outputs that have a copy */
    int out_inner;             /* the dimension along which transposed outputs are contiguous; -1: there are none */
    int sweep;                 /* sweep dimension: blocks follow each other along it, and share rows; -1: none */
    ptrdiff_t lookahead;       /* rows along the sweep dimension that a block needs past its own */
    ptrdiff_t *block, *tile;
    fdx_blocks blocks;
    ptrdiff_t workspace_bytes;
    array_place *places; /* of inputs, then of outputs */
    int multiplies;      /* are there coefficients? */
    /* The workspace. While planned, these are the bytes from its first cache line on. */
    char *block_sum;              /* a block of an output */
    char *chain_block;            /* a block of a chain's result, before it is multiplied and added */
    char *partial_sum;            /* a row segment of a sum that takes several loops */
    ptrdiff_t transposed;         /* lines that are transposed at a time */
    char *rows_in, *rows_out;     /* transposed columns, and rows of results computed from them */
    char *coefficients, *raw;     /* a row segment of a coefficient, and before its precision is changed */
    char *repeated_weights;       /* weights of a row segment, repeated for the elements of each point */
    char *staging;                /* staging buffers */
    char *row_ends;               /* results at the ends of lines, of bands along the inner dimension */
    char *line;                   /* a line segment before its non-temporal stores */
    const void **neighbours;      /* rows of neighbours, */
    double *weight;               /* and their weights, */
    const double **point_weights; /* or where the weights of each point are */
    fdx_array *arrays;            /* inputs and outputs, if not the call's */
    ptrdiff_t *index_stack;       /* of index arrays, of ndim numbers each, */
    ptrdiff_t **indices;          /* and its top: see take */
} work;

/* ---- index arrays, in the workspace rather than on the stack, as MAXD numbers each would take much of that ---- */

/* Index arrays from the top of their stack, until the function that took them gives them back. */
static inline ptrdiff_t *take(const work *w, int arrays)
{
    ptrdiff_t *taken = *w->indices;
    *w->indices = taken + arrays * w->ndim;
    return taken;
}

/* Give back `taken`, and all that was taken after it. */
static inline void give_back(const work *w, ptrdiff_t *taken)
{
    *w->indices = taken;
}

static inline void take_view(const work *w, view *p)
{
    p->lo = take(w, 2);
    p->stride = p->lo + w->ndim;
}

static inline void copy(const work *w, ptrdiff_t *to, const ptrdiff_t *from)
{
    for (int d = 0; d < w->ndim; d++)
        to[d] = from[d];
}

/* Index arrays that a call takes at most: for all blocks; for a block; for a chain, for each of its stages, and in
 * functions that these call; or for the chains of an output that is computed line by line. */
enum { TAKEN_BY_RUN = 5, TAKEN_BY_BLOCK = 4, TAKEN_BY_CHAIN = 10, TAKEN_BY_STAGE = 10, TAKEN_BY_MULTIPLY = 10 };
enum { TAKEN_TOGETHER = 1 + 2 * 2 + 4 * (1 + MAX_TOGETHER) };
enum { TAKEN_BY_PEELED = 4, TAKEN_BY_LINES = 1 + 2 * MAX_LINE_TERMS + 2 + 2 + 2 + 4 };

/* ---- chains and arrays ---- */

/* The box of results along an axis: its first index, and its length. */
static inline ptrdiff_t box_lo(const fdx_call *call, int axis)
{
    return call->lo == NULL ? 0 : call->lo[axis];
}

static inline ptrdiff_t box_length(const fdx_call *call, int axis)
{
    return call->lo == NULL ? call->op->out_shape[axis] : call->hi[axis] - call->lo[axis];
}

static inline int has_results(const fdx_call *call)
{
    for (int d = 0; d < call->op->ndim; d++)
        if (box_length(call, d) == 0)
            return 0;
    return 1;
}

/* The number of chains, from chain k on, of its output. */
static inline int chains_of_output(const fdx_call *call, int k)
{
    int n = 1;
    while (k + n < call->op->nchains && call->op->chain[k + n].out == call->op->chain[k].out)
        n++;
    return n;
}

/* The stride in bytes along an axis; axis ndim counts the real and the imaginary part. */
static inline ptrdiff_t stride_along(const work *w, const fdx_array *a, int axis)
{
    return axis < w->call->op->ndim ? a->stride[axis] : a->dtype >= FDX_C64 ? itemsize_of(a->dtype) / 2 : 0;
}

static inline ptrdiff_t length_along(const work *w, int axis)
{
    return axis < w->call->op->ndim ? box_length(w->call, axis) : 2;
}

/* The first index of a chain's results along dimension d that is one of the output's. */
static inline ptrdiff_t shift_along(const work *w, const fdx_chain *chain, int d)
{
    return chain->shift == NULL || w->axis[d] == w->call->op->ndim ? 0 : chain->shift[w->axis[d]];
}

/* Can loops read the input of a chain's first stage in place? */
static inline int is_direct(const work *w, const fdx_chain *chain)
{
    return (int)(w->plain >> chain->in & 1);
}

/* Is an output computed in place? Line by line it may be multiplied by alpha before it is written. */
static inline int is_in_place(const work *w, int number, int by_lines)
{
    const int plain = (int)(w->plain_out >> number & 1), streamed = (int)(w->streamed >> number & 1),
              nested = (int)(w->nested >> number & 1) && w->alpha_beta == NULL,
              twice = (int)(w->copied >> number & 1); /* streamed to both from where it is in cache */
    return plain && (streamed ? (by_lines || nested) && !twice : w->alpha_beta == NULL);
}

/* Does one loop add the interior's sums to an output? */
static inline int adds_in_place(const work *w, int number)
{
    return w->adds && (int)((w->crossed & w->plain_out & ~w->copied) >> number & 1);
}

static inline ptrdiff_t aligned(ptrdiff_t bytes)
{
    return (bytes + FDX_CACHE_LINE - 1) / FDX_CACHE_LINE * FDX_CACHE_LINE;
}

/* A view of a whole array. Its index arrays have been taken, here as below. */
static inline void view_array(const work *w, const fdx_array *a, view *p)
{
    p->data = (char *)a->data;
    p->unrolled = -1;
    for (int d = 0; d < w->ndim; d++) {
        p->lo[d] = 0;
        p->stride[d] = stride_along(w, a, w->axis[d]);
    }
}

/* A view of the box [lo, hi), contiguous at `data`. */
static inline void view_box(const work *w, char *data, const ptrdiff_t *lo, const ptrdiff_t *hi, view *p)
{
    ptrdiff_t stride = w->itemsize * w->per_point;
    p->data = data;
    p->unrolled = -1;
    for (int d = w->ndim - 1; d >= 0; d--) {
        p->lo[d] = lo[d];
        p->stride[d] = stride;
        stride *= hi[d] - lo[d];
    }
}

/* ---- bands ---- */

/* A row segment: rows of a band that share a stencil. */
typedef struct {
    const fdx_stencil *stencil;
    ptrdiff_t number; /* of the segment's first row among the stencil's */
    ptrdiff_t end;
    int wraps; /* neighbours lie past the ends of a periodic axis */
} row_segment;

/* The row segment from row r on, up to row hi - 1 at most. */
static inline row_segment next_row_segment(const fdx_band *band, ptrdiff_t r, ptrdiff_t hi, int unrolled)
{
    const ptrdiff_t last = band->rows - band->nlast;
    row_segment s = {&band->interior, r - band->nfirst, MIN(hi, last), 0};
    if (r < band->nfirst || r >= last) {
        s.stencil = r < band->nfirst ? &band->first[r] : &band->last[r - last];
        s.number = 0;
        s.end = r + 1;
    } else if (band->periodic && !unrolled) {
        const ptrdiff_t from = -s.stencil->offset, to = band->columns + 1 - s.stencil->offset - s.stencil->count;
        s.wraps = r < from || r >= to;
        s.end = r < from ? MIN(hi, from) : r < to ? MIN(hi, to) : hi;
    }
    return s;
}

/* The columns that rows [lo, hi) of a band need. */
static inline void columns_of(const fdx_band *band, ptrdiff_t *lo, ptrdiff_t *hi)
{
    ptrdiff_t least = PTRDIFF_MAX, most = PTRDIFF_MIN;
    for (ptrdiff_t r = *lo, end; r < *hi; r = end) {
        const row_segment s = next_row_segment(band, r, *hi, 1);
        end = s.end;
        least = MIN(least, r + s.stencil->offset);
        most = MAX(most, end - 1 + s.stencil->offset + s.stencil->count);
    }
    *lo = least;
    *hi = most;
}

/* A column of a band's input, which past the ends of a periodic axis is one of the other end. */
static inline ptrdiff_t wrapped(const fdx_band *band, const view *src, int d, ptrdiff_t column)
{
    if (!band->periodic || src->unrolled == d)
        return column;
    return column < 0 ? column + band->columns : column >= band->columns ? column - band->columns : column;
}

static inline void row_weights(const fdx_stencil *stencil, ptrdiff_t number, double *weight)
{
    for (int k = 0; k < stencil->count; k++)
        weight[k] = stencil->w[k * stencil->weight_step + number * stencil->row_step];
}

/* Does one loop compute the row, a sum of pairs about a point, or about a midpoint? */
static inline int has_pair_loop(const fdx_stencil *stencil)
{
    return stencil->summation >= FDX_SUM_ANTISYMMETRIC && stencil->count % 2 != 0 && stencil->centre <= FDX_PAIRS;
}

static inline int has_midpoint_loop(const fdx_stencil *stencil)
{
    return stencil->summation >= FDX_SUM_ANTISYMMETRIC && stencil->count % 2 == 0 && stencil->count <= 2 * FDX_PAIRS;
}

/* An even number of neighbours as one more, for loops of pairs about a point, which do not read that one. `to` may be
 * x, if that has place for it. */
static inline void around_midpoint(const void *const *x, int count, const void **to)
{
    for (int k = count; k > count / 2; k--)
        to[k] = x[k - 1];
    for (int k = 0; k < count / 2; k++)
        to[k] = x[k];
    to[count / 2] = to[0];
}

/* Neighbours of FDX_SUM_DIFFERENCES and their weights, with the centre after the others, as loops take them; returns
 * how many the others are. `to` and `weights` may be x and weight. */
static inline int centre_last(const fdx_stencil *stencil, const void *const *x, const double *weight, const void **to,
                              double *weights)
{
    const void *centre = x[stencil->centre];
    int others = 0;
    for (int k = 0; k < stencil->count; k++)
        if (k != stencil->centre) {
            to[others] = x[k];
            weights[others++] = weight[k];
        }
    to[others] = centre;
    return others;
}

static inline const fdx_pairs *pairs_of(const work *w, const fdx_stencil *stencil)
{
    return &(stencil->summation == FDX_SUM_ANTISYMMETRIC ? w->sums->antisymmetric
                                                         : w->sums->symmetric)[stencil->count / 2 - 1];
}

/* Does one loop multiply the sums of a stencil, or write them by non-temporal stores? */
static inline int is_simple(const fdx_stencil *stencil)
{
    return has_pair_loop(stencil) || has_midpoint_loop(stencil) ||
           (stencil->summation == FDX_SUM_PLAIN && stencil->count <= FDX_STREAMED) ||
           (stencil->summation == FDX_SUM_DIFFERENCES && stencil->count <= FDX_STREAMED + 1);
}

/* Neighbours x and weights of such a stencil in the order in which those loops take them; returns how many rows they
 * take. *weights: where the first weight is. There is place for two more neighbours. */
static inline int for_loops(const fdx_stencil *stencil, const void **x, double *weight, const double **weights)
{
    const int count = stencil->count, pairs = stencil->summation >= FDX_SUM_ANTISYMMETRIC;
    *weights = pairs ? weight + stencil->centre + 1 : weight;
    if (stencil->summation == FDX_SUM_DIFFERENCES)
        centre_last(stencil, x, weight, x, weight);
    if (!pairs || count % 2 != 0)
        return count;
    around_midpoint(x, count, x);
    return count + 1;
}

static inline fdx_sum_fn *one_row_of(const work *w, const fdx_stencil *stencil)
{
    const int count = stencil->count;
    return stencil->summation >= FDX_SUM_ANTISYMMETRIC ? pairs_of(w, stencil)->one
           : stencil->summation == FDX_SUM_PLAIN       ? w->sums->plain[count - 1]
                                                       : w->sums->differences[count - 2];
}

/* The vector loop for n elements of such rows along the inner dimension; NULL: there is none, or n is too small. */
static inline fdx_along_fn *along_loop(const work *w, const fdx_stencil *stencil, ptrdiff_t n)
{
    if (w->per_point > 1 || n < FDX_VECTOR_SUMS)
        return NULL;
    return has_pair_loop(stencil)       ? pairs_of(w, stencil)->along
           : has_midpoint_loop(stencil) ? w->sums->midpoints[stencil->count / 2 - 1]
                                        : NULL;
}

/* Is a row segment of the inner dimension long enough for row loops? Otherwise it is computed by columns. */
static inline int by_rows(const work *w, const row_segment *s, ptrdiff_t r)
{
    return !s->wraps && (s->end - r) * w->per_point >= MIN_ROW_SEGMENT;
}

/* ---- lines of a box ---- */

/* The lines of a box along its inner dimension, in two views x and y. */
typedef struct {
    int ndim;
    ptrdiff_t *n, *x, *y, *index; /* x, y: strides in bytes */
} lines;

/* The lines of the box [lo, hi), without those along dimension `skipped` (-1: none). Takes index arrays: give back
 * l->n. */
static inline void box_lines(const work *w, int skipped, const view *src, const view *dst, const ptrdiff_t *lo,
                             const ptrdiff_t *hi, lines *l)
{
    l->ndim = 0;
    l->n = take(w, 4);
    l->x = l->n + w->ndim;
    l->y = l->x + w->ndim;
    l->index = l->y + w->ndim;
    for (int d = 0; d < w->ndim - 1; d++) {
        if (d == skipped || hi[d] - lo[d] == 1)
            continue;
        l->n[l->ndim] = hi[d] - lo[d];
        l->x[l->ndim] = src->stride[d];
        l->y[l->ndim] = dst->stride[d];
        l->index[l->ndim++] = 0;
    }
}

/* Go to the next line; returns 0 after the last one, with everything as it was before the first. */
static inline int next_line(lines *l, const char **x, char **y)
{
    for (int d = l->ndim - 1; d >= 0; d--) {
        *x = fdx_at(*x, 1, l->x[d]);
        *y = fdx_at(*y, 1, l->y[d]);
        if (++l->index[d] < l->n[d])
            return 1;
        *x = fdx_at(*x, -l->n[d], l->x[d]);
        *y = fdx_at(*y, -l->n[d], l->y[d]);
        l->index[d] = 0;
    }
    return 0;
}

/* Join contiguous lines of n elements; returns the elements of the joined ones. */
static inline ptrdiff_t join_lines(const work *w, lines *l, ptrdiff_t n)
{
    while (l->ndim > 0 && l->x[l->ndim - 1] == n * w->itemsize && l->y[l->ndim - 1] == n * w->itemsize)
        n *= l->n[--l->ndim];
    return n;
}

/* The address of the element with indices `at`, but index 0 along dimension `skipped` (-1: none). */
static inline char *locate(const work *w, const view *p, const ptrdiff_t *at, int skipped)
{
    char *here = p->data;
    for (int d = 0; d < w->ndim; d++)
        here = fdx_at(here, (d == skipped ? 0 : at[d]) - p->lo[d], p->stride[d]);
    return here;
}

/* The bytes from a coefficient to the next one along a line, if that is one for all, or a loop can read them in place;
 * otherwise -1. */
static inline ptrdiff_t coefficient_step(const work *w, const fdx_array *coefficient)
{
    const ptrdiff_t step = stride_along(w, coefficient, w->inner_axis);
    const int native = coefficient->dtype == w->dtype && fdx_is_native(coefficient, w->call->op->ndim, NULL);
    return native && w->per_point == 1 && (step == 0 || step == w->itemsize) ? step : -1;
}

/* A row of n <= SEGMENT_ELEMENTS times a number. */
static inline const void *repeated(const work *w, double number, ptrdiff_t n)
{
    fdx_fill_row(w->coefficients, number, w->dtype == FDX_F32, n);
    return w->coefficients;
}

/* n <= SEGMENT_ELEMENTS coefficients of a stage, or their positive or negative part. */
static inline const void *part_of_row(const work *w, const fdx_stage *stage, const void *row, ptrdiff_t n)
{
    if (stage->sign == 0)
        return row;
    w->sums->part(w->coefficients, row, n, stage->sign);
    return w->coefficients;
}

/* ---- fdx_bands.c ---- */

static inline size_t whole_doubles(size_t bytes)
{
    return (bytes + sizeof(double) - 1) / sizeof(double) * sizeof(double);
}

/* The only check of bands: FDX_E_STENCIL if one is not as fdx.h says. Everything else relies on it. */
fdx_status fdx_check_band(const fdx_band *band);
/* Is the description of a derivative as fdx.h says, n and numbers aside? */
fdx_status fdx_check_derivative(const fdx_derivative *what);
/* `uniform`: coordinates, if there are any, are treated as a spacing. */
fdx_outline fdx_outline_of(const fdx_derivative *what, int uniform);
/* The offset of the first of `count` neighbours in a periodic band of n columns, at most one period away. */
ptrdiff_t fdx_wrapped_offset(ptrdiff_t offset, ptrdiff_t count, ptrdiff_t n);
/* Has the axis the points that the stencils need? */
int fdx_has_points(const fdx_derivative *what);
/* The spacing, also of coordinates that are treated as one; 0 for others. */
double fdx_spacing_of(const fdx_derivative *what);
/* Do its weights depend on the spacing? */
int fdx_takes_spacing(const fdx_derivative *what);
/* fdx_band_derivative with another scale, which may be 0. */
fdx_status fdx_band_scaled_derivative(void *memory, const fdx_derivative *what, double scale, const fdx_band **band);
/* The largest modulus of a weight, and the least of the interior rows' largest moduli: a row below the smallest normal
 * number has lost digits. Closures count for the least only if there is no interior, as reflected weights may cancel
 * there. */
void fdx_band_limits(const fdx_band *band, double *largest, double *least);

/* A term of a sum of bands: `rows` rows of a band, from row `from` on. */
typedef struct {
    const fdx_band *band;
    ptrdiff_t from;
} fdx_summand;

/* The sum of bands with as many columns, rounded once, and its bytes. Rows that involve no FDX_SUM_PLAIN row give
 * exactly 0 for a constant. Errors as those of fdx_band_product. */
size_t fdx_band_sum_size(const fdx_summand *term, int nterms, ptrdiff_t rows);
fdx_status fdx_band_sum(void *memory, const fdx_summand *term, int nterms, ptrdiff_t rows, const fdx_band **band);

/* ---- fdx_operator_plan.c ---- */

/* Bytes of a prepared call of n - 1 dimensions and so many arrays. */
#define PREPARED_BYTES(n, arrays)                                                                                      \
    (sizeof(work) + (size_t)(arrays) * sizeof(array_place) +                                                           \
     (size_t)(n) * (4 * sizeof(ptrdiff_t) + 2 * sizeof(fdx_level) + 2 * sizeof(int)))

fdx_status fdx_check_operator(const fdx_operator *op);
/* Do arrays at these places fit into memory, and do outputs, and their copies, overlap nothing that they must not?
 * multiplies: coefficients count, too. */
fdx_status fdx_check_places(const fdx_operator *op, const array_place *places, const fdx_array *in,
                            const fdx_array *out, void *const *copies, int multiplies);
/* Is an output transposed: contiguous along dimension d, point by point, and not along the inner one? */
int fdx_is_transposed(const work *w, const fdx_array *out, int d);
/* Bytes of the largest staging buffer for the input of stage s, which has n elements along each dimension. */
ptrdiff_t fdx_staging_size(const work *w, const fdx_chain *chain, int s, ptrdiff_t *n);

/* ---- fdx_operator_bands.c ---- */

/* y = (mode FDX_SET) or y += (FDX_ADD) the sum of n results of a row, from rows of neighbours x and their weights. */
void fdx_sum_row(const work *w, const fdx_stencil *stencil, const void *const *x, const double *weight, char *y,
                 ptrdiff_t n, int mode);
/* The same for n elements of a row segment of the inner dimension, where rows of neighbours are the input, shifted.
 * `in` is the element that has the index of the first row. */
void fdx_sum_inner(const work *w, const fdx_stencil *stencil, ptrdiff_t number, const char *in, char *y, ptrdiff_t n,
                   int mode);
/* y = or y += band x, for the results in the box [lo, hi); src and dst are views of x and y. */
void fdx_apply_band(const work *w, const fdx_stage *stage, const view *src, const view *dst, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, int mode);
/* The same for a band along the inner dimension, rows r .. end - 1 of each line, by columns. */
void fdx_by_columns(const work *w, const fdx_band *band, const view *src, const view *dst, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, ptrdiff_t r, ptrdiff_t end, int mode);
/* Is a chain a band and a coefficient, of which one loop can compute the interior? */
int fdx_is_weighed(const work *w, const fdx_chain *chain);
/* y = or y += such a chain's results in the box [lo, hi), all in the interior of the band. */
void fdx_apply_weighed(const work *w, const fdx_stage *stage, const view *src, const view *dst, const ptrdiff_t *lo,
                       const ptrdiff_t *hi, int mode);

/* Is a chain two bands whose interiors one loop can compute together? */
int fdx_is_nested(const work *w, const fdx_chain *chain);
/* y = or y += such a chain's results in the box [lo, hi), all in the interior of both bands. `stream`: y = results, by
 * non-temporal stores. */
void fdx_apply_nested(const work *w, const fdx_chain *chain, const view *src, const view *dst, const ptrdiff_t *lo,
                      const ptrdiff_t *hi, int mode, int stream);

/* How many of the n chains from `chain` on, of one output, one loop can add up in their interior, as a coefficient
 * multiplies each; 1: there is none. */
int fdx_count_together(const work *w, const fdx_chain *chain, int n);
/* y = or y += such chains' results in the box [lo, hi), all in the interior of their bands. */
void fdx_apply_together(const work *w, const fdx_chain *chain, int count, const view *y, const ptrdiff_t *lo,
                        const ptrdiff_t *hi, int mode);

/* ---- fdx_operator_lines.c ---- */

/* Is the output of the n chains from `chain` on computed line by line? */
int fdx_is_by_lines(const work *w, const fdx_chain *chain, int n);
/* Is the interior of that output computed by one loop, by ordinary stores? */
int fdx_is_crossed(const work *w, const fdx_chain *chain, int n);
/* Take off those of a box's rows lo .. hi - 1 along dimension d that are not in the interior of a chain's bands. */
void fdx_shrink_to_interior(const work *w, const fdx_chain *chain, int d, ptrdiff_t *lo, ptrdiff_t *hi);
/* Can the loop of fdx_make_cross take rows of a chain of one band whose neighbours lie past the ends of a periodic
 * axis? They are other rows, as those of the interior are. */
int fdx_wraps_in_lines(const fdx_chain *chain);

/* Compute the box [lo, hi) of such an output y, all in the interior of bands across the inner dimension, or in rows as
 * above. Returns 0 if it is not possible, as lines are too short. */
int fdx_make_cross(const work *w, const fdx_chain *chain, int n, const view *y, const ptrdiff_t *lo,
                   const ptrdiff_t *hi);
/* Bytes of w->row_ends for a block of so many lines. */
ptrdiff_t fdx_row_ends_size(const work *w, const fdx_chain *chain, int n, ptrdiff_t lines);
/* Compute the box [lo, hi) of such an output y, with non-temporal stores. Prefetches inputs that are not yet among the
 * bits *prefetched. */
void fdx_make_lines(const work *w, const fdx_chain *chain, int n, const view *y, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, uint64_t *prefetched);

#endif
