/* How operators are applied: what the files fdx_operator*.c share. */
#ifndef FDX_OPERATOR_H
#define FDX_OPERATOR_H

#include "fdx_layout.h"
#include "fdx_rows.h"

#ifndef BLOCK /* these limits can be set from outside, so that tests reach with small arrays what is made for large */
#define BLOCK ((ptrdiff_t)16384)        /* elements that are computed at a time */
#define BLOCK_OF_SUMS ((ptrdiff_t)4096) /* the same where sums are read again, to which other terms are added */
#define BLOCK_STAGED ((ptrdiff_t)32768) /* the same with windows, whose margins should be small beside them */
#define IN_L1 ((ptrdiff_t)24 << 10)     /* bytes of the caches that rows may take which are read again */
#define IN_L2 ((ptrdiff_t)512 << 10)
#define IN_L3 ((ptrdiff_t)6 << 20)
#define STREAM_SUMS ((ptrdiff_t)48 << 20) /* results of more bytes pass the cache by */
#define SHORT_INNER ((ptrdiff_t)32)       /* elements of inner dimensions that still count as part of one of the run */
#define TRANSPOSED_LINES ((ptrdiff_t)64)  /* lines whose columns are turned into rows at a time */
#define SQUARE ((ptrdiff_t)64)            /* elements to a side of blocks that are turned on their way to the output */
#define SEGMENT ((ptrdiff_t)1024)         /* elements of a row that takes several loops at a time */
#define LINE_LEAST ((ptrdiff_t)64)        /* elements of lines that are worth being made one by one */
#define LINE_SEGMENT ((ptrdiff_t)2048)    /* bytes of a line, or LONGER times that, that are summed up at a time */
#endif
#define BY_COLUMNS ((ptrdiff_t)16) /* stretches of a run that are shorter than this are computed by columns */
#define ROWS_AT_ONCE 4             /* of results, which share the rows of neighbours that they read */
#define MOST_ROWS 5                /* beyond IN_L1, of neighbours of a line; else ROWS_AT_ONCE is quicker */
#define CACHE_SET_STRIDE                                                                                               \
    ((ptrdiff_t)4096)                 /* bytes: rows a multiple of that apart have the same places in the L1 cache, */
#define ASSOCIATIVITY ((ptrdiff_t)12) /* of which there are no more */
#define MAX_ROW_ENDS ((ptrdiff_t)64)  /* rows at the ends of lines that are kept for each */
#define MOST_BY_LINES 8               /* terms of an output that is made line by line */
#define PREFETCH ((ptrdiff_t)4096)    /* bytes ahead of where it is read, data are fetched */
#define LONGER 4                      /* where one loop makes a piece, or loops have many neighbours */
#define TOGETHER 16                   /* lines at most that are in one piece */
#define ALIGNMENT ((ptrdiff_t)64)

enum {
    MAXD = FDX_MAXDIM + 1 /* complex elements are a dimension of two */,
    MAXWEIGHTS = FDX_MAXWEIGHTS,
    MAXOFFSETS = 4 * MAXWEIGHTS
};

/* The most rows and columns of a band: sums of a few of their numbers do not overflow. */
#define LONGEST (PTRDIFF_MAX / 4)

/* No window may take more: so many of them can be added up. */
#define MOST_BYTES (PTRDIFF_MAX / 64)

/* An array, or part of one, that holds numbers of the type of the sums, those of a run one after the other. */
typedef struct {
    char *data;        /* the element of indices lo */
    ptrdiff_t *lo;     /* of what it holds */
    ptrdiff_t *stride; /* bytes */
    int unrolled;      /* the dimension along which it goes on beyond the ends of a periodic axis; -1: none */
} view;

typedef struct {
    const fdx_call *call;
    const fdx_sums *sums;
    int dtype;                 /* of the sums: FDX_F32 or FDX_F64 */
    ptrdiff_t itemsize;        /* of theirs */
    int ndim;                  /* dimensions as they are walked, slowest first; the last one is the run's */
    int axis[MAXD];            /* the array's dimension (the innermost, if several are taken together) */
    int inner_axis;            /* the array's dimension along which elements of a run follow each other */
    int dimension[MAXD];       /* the walk's dimension of an axis that has a band */
    ptrdiff_t n[MAXD];         /* results along each dimension, */
    ptrdiff_t lo[MAXD];        /* from here on */
    ptrdiff_t per_point;       /* elements from one row of the innermost dimension to the next */
    uint64_t plain, plain_out; /* inputs and outputs that row loops may read and write where they lie */
    uint64_t streamed;         /* outputs that pass the cache by */
    uint64_t by_lines;         /* those of them that are made line by line */
    int across; /* the dimension along which elements of an output follow each other, if it is not the run's; -1: none
                 */
    int sweep;  /* the dimension along which rows are read again; -1: none */
    ptrdiff_t lookahead; /* how many rows of it a block needs behind its own */
    ptrdiff_t block[MAXD], tile[MAXD];
    char *sum, *share;        /* a block: of an output, and of a term that is multiplied */
    char *part;               /* a piece, of a sum that takes several loops */
    ptrdiff_t transposed;     /* lines whose columns are turned into rows at a time */
    char *columns, *made;     /* columns turned into rows, and rows made of them */
    char *coefficients, *raw; /* a piece of what a term is multiplied by, and before its conversion */
    char *repeated;           /* weights of a piece, each repeated for the elements of its point */
    char *staging;
    char *row_ends; /* what bands along the run have at the ends of lines */
    char *line;     /* a piece of a line, or a few lines, on the way past the cache */
    /* Of as many numbers as the call asks for, so that little stack is needed whatever the most is: */
    const void **neighbours; /* neighbours of a row, */
    double *weight;          /* and their weights, */
    const double **centre;   /* or where these lie, point by point */
    ptrdiff_t *skip;         /* where columns that are turned into rows begin */
    ptrdiff_t **numbers;     /* one for each dimension, which functions take while they run */
} work;

/* ---- numbers for each dimension ---- */

/* So many arrays of ndim numbers, until the function that took them gives them back. */
static inline ptrdiff_t *take(const work *w, int arrays)
{
    ptrdiff_t *taken = *w->numbers;
    *w->numbers = taken + arrays * w->ndim;
    return taken;
}

/* What has been taken, and all that was taken after it. */
static inline void give_back(const work *w, ptrdiff_t *taken)
{
    *w->numbers = taken;
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

/* How many such arrays a call takes at the most: of the walk and of a block; and of a term, for each of its stages, and
 * of what any of these calls; or of the terms of an output that is made line by line. */
enum { TAKEN_BY_BLOCK = 4, TAKEN_BY_CHAIN = 10, TAKEN_BY_STAGE = 10, TAKEN_BY_MULTIPLY = 10 };
enum { TAKEN_BY_LINES = 1 + 2 * MOST_BY_LINES + 2 + 2 + 4 };

/* ---- terms and arrays ---- */

/* The results that are wanted along a dimension: from here on, and how many. */
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

/* How many terms there are, from term k on, of its output. */
static inline int chains_of_output(const fdx_call *call, int k)
{
    int n = 1;
    while (k + n < call->op->nchains && call->op->chain[k + n].out == call->op->chain[k].out)
        n++;
    return n;
}

/* Bytes from one element of an array to the next along a dimension of it, parts of complex elements being one. */
static inline ptrdiff_t along(const work *w, const fdx_array *a, int axis)
{
    return axis < w->call->op->ndim ? a->stride[axis] : a->dtype >= FDX_C64 ? itemsize_of(a->dtype) / 2 : 0;
}

static inline ptrdiff_t length(const work *w, int axis)
{
    return axis < w->call->op->ndim ? box_length(w->call, axis) : 2;
}

/* Does the input of a term's first stage lie where row loops can read it? */
static inline int is_direct(const work *w, const fdx_chain *chain)
{
    return (int)(w->plain >> chain->in & 1);
}

/* Is an output summed up where it lies? */
static inline int is_in_place(const work *w, int number, int by_lines)
{
    const int plain = (int)(w->plain_out >> number & 1), streamed = (int)(w->streamed >> number & 1);
    return plain && (by_lines || !streamed) && w->call->accumulate == NULL;
}

static inline ptrdiff_t aligned(ptrdiff_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ---- bands ---- */

/* The rows from r on, up to hi, that have their neighbours at the same places. */
typedef struct {
    const fdx_stencil *stencil;
    ptrdiff_t number; /* of r among these */
    ptrdiff_t end;
    int wraps; /* they reach around the ends of a periodic axis */
} row_segment;

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

/* A column of a band's input: itself, or the one that it is behind the ends of a periodic axis. */
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

/* Is a row a sum of pairs that one loop makes? */
static inline int has_pair_loop(const fdx_stencil *stencil)
{
    return stencil->summation >= FDX_SUM_ANTISYMMETRIC && stencil->centre <= FDX_PAIRS;
}

static inline const fdx_pairs *pairs_of(const work *w, const fdx_stencil *stencil)
{
    return &(stencil->summation == FDX_SUM_ANTISYMMETRIC ? w->sums->antisymmetric
                                                         : w->sums->symmetric)[stencil->centre - 1];
}

/* The loop that makes n elements of such a row along the run of registers; NULL: there is none for them. */
static inline fdx_along_fn *along_loop(const work *w, const fdx_stencil *stencil, ptrdiff_t n)
{
    return has_pair_loop(stencil) && w->per_point == 1 && n >= FDX_VECTOR_SUMS ? pairs_of(w, stencil)->along : NULL;
}

/* Is a stretch along the run from row r on long enough for the row loops? Else it is computed by columns. */
static inline int by_rows(const work *w, const row_segment *s, ptrdiff_t r)
{
    return !s->wraps && (s->end - r) * w->per_point >= BY_COLUMNS;
}

/* ---- lines of a box ---- */

typedef struct {
    int ndim;
    ptrdiff_t *n, *x, *y, *index; /* x, y: bytes from one to the next */
} lines;

/* They take numbers: l->n is to be given back. */
static inline void box_lines(const work *w, int but, const view *src, const view *dst, const ptrdiff_t *lo,
                             const ptrdiff_t *hi, lines *l)
{
    l->ndim = 0;
    l->n = take(w, 4);
    l->x = l->n + w->ndim;
    l->y = l->x + w->ndim;
    l->index = l->y + w->ndim;
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

/* Lines that follow each other are one. Returns how many elements each has then, of n before. */
static inline ptrdiff_t join_lines(const work *w, lines *l, ptrdiff_t n)
{
    while (l->ndim > 0 && l->x[l->ndim - 1] == n * w->itemsize && l->y[l->ndim - 1] == n * w->itemsize)
        n *= l->n[--l->ndim];
    return n;
}

/* Where an element lies whose index along `but` is 0, and along the others what `at` says. */
static inline char *locate(const work *w, const view *p, const ptrdiff_t *at, int but)
{
    char *here = p->data;
    for (int d = 0; d < w->ndim; d++)
        here = fdx_at(here, (d == but ? 0 : at[d]) - p->lo[d], p->stride[d]);
    return here;
}

/* ---- fdx_bands.c ---- */

/* The one check of bands: FDX_E_STENCIL if one is not what fdx.h says that it is. Everything else relies on it. */
fdx_status fdx_check_band(const fdx_band *band);

/* The transposed matrix of rows from .. to - 1 of a, which are all if it is periodic, and the bytes that takes. */
size_t fdx_band_transpose_rows_size(const fdx_band *a, ptrdiff_t from, ptrdiff_t to);
fdx_status fdx_band_transpose_rows(void *memory, const fdx_band *a, ptrdiff_t from, ptrdiff_t to,
                                   const fdx_band **band);

/* ---- fdx_operator_plan.c ---- */

fdx_status fdx_check_operator(const fdx_operator *op);
fdx_status fdx_check_call(const fdx_call *call);
/* Plan a walk with its workspace at `memory`; returns how many bytes that takes, or -1 if nobody has so many. *numbers
 * is where those begin that can be taken. */
ptrdiff_t fdx_plan_call(work *w, const fdx_call *call, char *memory, ptrdiff_t **numbers);
/* Do an output's elements, or units of the run, follow each other along a dimension? */
int fdx_follows(const work *w, const fdx_array *out, int d);
/* The bytes of the largest window that stage s of a term may need for its input, n elements along each dimension. */
ptrdiff_t fdx_staging_size(const work *w, const fdx_chain *chain, int s, ptrdiff_t *n);

/* ---- fdx_operator_bands.c ---- */

/* y = or y += the sum of a row; x has the rows of its neighbours, w their weights. */
void fdx_sum_row(const work *w, const fdx_stencil *stencil, const void *const *x, const double *weight, char *y,
                 ptrdiff_t n, int mode);
/* The same for n elements of rows along the run that are all alike: neighbours are the run itself, shifted. `in` is
 * the first row's own point. */
void fdx_sum_inner(const work *w, const fdx_stencil *stencil, ptrdiff_t number, const char *in, char *y, ptrdiff_t n,
                   int mode);
/* y = or y += band x in the box of rows [lo, hi); src and dst hold what is needed of x and y. */
void fdx_apply_band(const work *w, const fdx_stage *stage, const view *src, const view *dst, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, int mode);
/* The same for a band along the run, rows r .. end - 1 of each line, by columns. */
void fdx_by_columns(const work *w, const fdx_band *band, const view *src, const view *dst, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, ptrdiff_t r, ptrdiff_t end, int mode);
/* Element l (of `unit`) of row c, the rows being `apart` bytes apart, replaces or is added to line[l] + c stride. */
void fdx_transpose_out(const work *w, const char *from, ptrdiff_t apart, char *const *line, ptrdiff_t lines,
                       ptrdiff_t stride, ptrdiff_t columns, int mode);

/* ---- fdx_operator_lines.c ---- */

/* Is an output, of the call's n terms from `term` on, made line by line? */
int fdx_is_by_lines(const work *w, const fdx_chain *chain, int n);
/* The bytes of w->ends that this takes for a block of so many lines. */
ptrdiff_t fdx_row_ends_size(const work *w, const fdx_chain *chain, int n, ptrdiff_t lines);
/* The results of the box [lo, hi) of such an output, y, past the cache. Inputs are fetched that are not yet
 * among `fetched`. */
void fdx_make_lines(const work *w, const fdx_chain *chain, int n, const view *y, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, uint64_t *prefetched);

#endif
