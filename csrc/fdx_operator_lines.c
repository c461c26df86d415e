/* Sums of chains, each of which is one band (or the identity) of an input that loops can read in place, computed line
 * by line.
 *
 * Outputs that are written by non-temporal stores: arrays are then read and written from one end to the other, and
 * reading, adding and writing alternate often enough for a processor to do all three at once. The results of bands
 * along the inner dimension at the ends of lines are computed ahead, by columns, for all lines of a block.
 *
 * One loop (`cross`) adds up the identity or not, up to two chains across the inner dimension and one along it, if all
 * have as many pairs, as in a Laplacian, a time step, a divergence, a curl or a derivative along the inner dimension.
 * It computes all contiguous lines, and puts in the results at their ends.
 *
 * Other sums are computed in line segments: all chains of a segment are added up, one after the other, while it is in
 * the L1 cache; the last loop writes it by non-temporal stores. Short contiguous lines share a segment, except in loops
 * along the inner dimension.
 *
 * An array may multiply the only chain of an output: it is read segment by segment, too.
 *
 * Only whole cache lines are written. Elements at the end of a segment that do not fill one are deferred by the last
 * loop to the next segment, if that is computed in the same way; otherwise they are kept, as those at the beginning
 * are, until the next elements in memory fill the cache line.
 *
 * Outputs in cache, those that are added to, and sums of products with coefficients: only the interior is computed
 * here, by a loop (`lines`) that adds up the same chains, each of which may have a coefficient of its own. */
#include "fdx_operator.h"

/* A chain in a block. A small struct, as rows of neighbours that are a power of two apart leave little of the cache. */
typedef struct {
    const fdx_band *band; /* NULL: a multiple of the identity */
    int input;            /* its number */
    int d;                /* the dimension of the band */
    ptrdiff_t stride;     /* bytes of the input along it */
    ptrdiff_t first, end; /* the block's rows first .. end - 1 of the band */
    ptrdiff_t head, tail; /* along the inner dimension: rows at either end of lines that are computed ahead */
    ptrdiff_t row_stride; /* bytes from one of these rows to the next */
    ptrdiff_t prefetch;   /* prefetch distance in bytes; 0: nothing is prefetched */
    /* The current line: */
    const char *in;                 /* its first element in the input */
    const char *row_ends;           /* its results that were computed ahead, the first of them */
    const char *coefficients;       /* that multiply it, or NULL; along the line they are */
    ptrdiff_t coefficient_step;     /* so many bytes apart */
    const fdx_stencil *stencil;     /* across the inner dimension: of the line's row; along it: the interior's */
    ptrdiff_t row, number;          /* across: the line's row of the band, and its number among the stencil's */
    ptrdiff_t valid_from, valid_to; /* across: rows that have this stencil and these weights */
    double weight[FDX_PAIRS];       /* of the pairs; the first: that multiple */
} line_chain;

/* One loop, or a few, over a line: chains are added up in their order. ALONG, ACROSS: the inner dimension. */
typedef enum { IDENTITY, ALONG, ACROSS, TWO_ACROSS, CROSS } step_kind;
typedef struct {
    step_kind kind;
    int chain, mode;
} step;

/* Bytes of an output that do not fill a cache line yet, to be written together with those that follow in memory. */
typedef struct {
    char *to;                  /* the address of the first of them */
    ptrdiff_t n;               /* how many; 0: none */
    char data[FDX_CACHE_LINE]; /* at their offset in the cache line */
} unfilled;

/* A segment of a line, or a few contiguous lines. */
typedef struct {
    char *y;               /* where it is computed */
    char *streamed_to;     /* where the last step writes it, by non-temporal stores */
    unfilled *kept;        /* bytes of the output before it that fill no cache line yet */
    ptrdiff_t from, n;     /* its first element in the line, and how many */
    ptrdiff_t line_length; /* elements */
    ptrdiff_t lines;       /* if more than one, whole ones */
} line_segment;

/* ---- which outputs ---- */

/* The number that a stage multiplies its input by, but for its coefficient; 0: it does something else, or that. */
static double multiple_of_identity(const fdx_stage *stage)
{
    const fdx_band *band = stage->band;
    if (band == NULL)
        return 1;
    const fdx_stencil *s = &band->interior;
    return s->count == 1 && s->offset == 0 && s->summation == FDX_SUM_PLAIN && s->row_step == 0 &&
                   band->nfirst + band->nlast == 0 && band->rows == band->columns
               ? s->w[0]
               : 0;
}

static int is_along_inner(const work *w, const fdx_stage *stage)
{
    return multiple_of_identity(stage) == 0 && w->dimension[stage->axis] == w->ndim - 1;
}

/* The most rows at the ends of a line that are computed by columns, of a band along the inner dimension. */
static ptrdiff_t max_row_ends(const work *w, const fdx_band *band)
{
    if (w->per_point >= MIN_ROW_SEGMENT && !band->periodic)
        return 0;
    /* MIN_ROW_SEGMENT: the interior, if it is short */
    const ptrdiff_t first = band->interior.offset, wrapping = MAX(0, -first) + MAX(0, first + band->interior.count - 1);
    return (band->periodic ? wrapping : band->nfirst + band->nlast) + MIN_ROW_SEGMENT;
}

/* Are both rows sums of the same number of pairs, in the same way? */
static int have_same_pairs(const fdx_stencil *a, const fdx_stencil *b)
{
    return has_pair_loop(a) && a->summation == b->summation && a->centre == b->centre;
}

/* Can one loop (`cross` or `lines`) add up chains with these stencils, n elements of a line? These are the identity, if
 * it comes first; at most two chains across the inner dimension; and one along it, whose number is returned; -1: no.
 * That one is the last to be added, or there are two chains: a + b is b + a, but for which of two NaNs results, which
 * is not promised. same_centre: all have the same point as centre. */
static int find_cross(const work *w, const step_kind *kind, const fdx_stencil *const *stencil, int chains,
                      int same_centre, ptrdiff_t n)
{
    const int inner_chain = chains == 2 && kind[0] == ALONG ? 0 : chains - 1, itself = kind[0] == IDENTITY;
    if (chains - itself > 3 || kind[inner_chain] != ALONG || !has_pair_loop(stencil[inner_chain]) ||
        along_loop(w, stencil[inner_chain], n) == NULL)
        return -1;
    for (int k = itself; k < chains; k++)
        if (k != inner_chain && (kind[k] != ACROSS || !have_same_pairs(stencil[k], stencil[inner_chain])))
            return -1;
    return (stencil[inner_chain]->summation == FDX_SUM_ANTISYMMETRIC && !itself) || same_centre ? inner_chain : -1;
}

/* Can one loop multiply the sums of chains by their coefficients, which `weighed` of them have, and add them up? All
 * but the identity have one; at least one is across the inner dimension. */
static int can_multiply(const work *w, const step_kind *kind, const fdx_stencil *const *stencil, int chains,
                        int inner_chain, int weighed)
{
    const int itself = kind[0] == IDENTITY, rows = chains - itself - 1;
    return weighed == rows + 1 && rows > 0 && pairs_of(w, stencil[inner_chain])->weighed[rows - 1] != NULL;
}

/* The kinds and stencils of chains, if each is one band, or the identity, of an input that loops can read in place, and
 * a loop can multiply them by their coefficients; otherwise returns 0. *same_centre: all are of one input; *weighed:
 * how many have coefficients. */
static int find_kinds(const work *w, const fdx_chain *chain, int n, step_kind *kind, const fdx_stencil **stencil,
                      int *same_centre, int *weighed)
{
    if (n > MAX_LINE_TERMS || w->out_inner >= 0)
        return 0;
    *same_centre = 1;
    *weighed = 0;
    for (int k = 0; k < n; k++) {
        const fdx_stage *stage = chain[k].stage;
        if (chain[k].nstages != 1 || !is_direct(w, &chain[k]) ||
            (stage->coefficient != NULL && (stage->sign != 0 || coefficient_step(w, stage->coefficient) < 0 ||
                                            (multiple_of_identity(stage) != 0 && n > 1))))
            return 0;
        *weighed += stage->coefficient != NULL;
        kind[k] = multiple_of_identity(stage) != 0 ? IDENTITY : is_along_inner(w, stage) ? ALONG : ACROSS;
        stencil[k] = kind[k] == IDENTITY ? NULL : &stage->band->interior;
        *same_centre &= chain[k].in == chain->in;
    }
    return 1;
}

int fdx_is_by_lines(const work *w, const fdx_chain *chain, int n)
{
    step_kind kind[MAX_LINE_TERMS];
    const fdx_stencil *stencil[MAX_LINE_TERMS];
    int many = 0, same_centre, weighed;
    ptrdiff_t in_one_set = 0; /* rows of neighbours that share a set of the L1 cache */
    if (!((w->streamed & ~w->copied) >> chain->out & 1) || w->n[w->ndim - 1] * w->per_point < MIN_LINE_ELEMENTS ||
        !find_kinds(w, chain, n, kind, stencil, &same_centre, &weighed) || (weighed > 0 && n > 1))
        return 0;
    for (int k = 0; k < n; k++) {
        const fdx_stage *stage = chain[k].stage;
        if (kind[k] == ALONG &&
            (max_row_ends(w, stage->band) > MAX_ROW_ENDS || (w->per_point > 1 && stencil[k]->row_step != 0)))
            return 0;
        if (kind[k] == ACROSS && stencil[k]->count > MAX_LINE_NEIGHBOURS) {
            const size_t stride = fdx_distance(stride_along(w, &w->in[chain[k].in], stage->axis));
            many |= stride > (size_t)(L1_BYTES / stencil[k]->count);
            const ptrdiff_t power = (ptrdiff_t)MIN(stride & (0 - stride), (size_t)CACHE_SET_STRIDE); /* of two */
            in_one_set += (stencil[k]->count * power + CACHE_SET_STRIDE - 1) / CACHE_SET_STRIDE;
        }
    }
    return !many || (w->alpha_beta == NULL && in_one_set <= ASSOCIATIVITY &&
                     find_cross(w, kind, stencil, n, same_centre, w->n[w->ndim - 1]) >= 0);
}

int fdx_is_crossed(const work *w, const fdx_chain *chain, int n)
{
    step_kind kind[MAX_LINE_TERMS];
    const fdx_stencil *stencil[MAX_LINE_TERMS];
    int same_centre, weighed, rows = 0;
    double size = 1, interior = 1; /* results; and the share of them that is in the interior */
    for (int d = 0; d < w->ndim; d++)
        size *= (double)w->n[d];
    if (w->ndim < 2 || size < (double)MIN_CROSSED || !find_kinds(w, chain, n, kind, stencil, &same_centre, &weighed) ||
        (w->streamed >> chain->out & 1 && (weighed == 0 || n == 1)))
        return 0;
    for (int k = 0; k < n; k++) {
        const fdx_band *band = chain[k].stage->band;
        const ptrdiff_t around = kind[k] == IDENTITY || (kind[k] == ACROSS && fdx_wraps_in_lines(&chain[k])) ? 0
                                 : band->periodic ? band->interior.count - 1
                                                  : band->nfirst + band->nlast;
        if (kind[k] == ACROSS) {
            interior *= 1 - (double)around / (double)w->n[w->dimension[chain[k].stage->axis]];
            rows += stencil[k]->count;
        }
        if (kind[k] == ALONG && (w->n[w->ndim - 1] - around < FDX_CACHE_LINE / w->itemsize ||
                                 (!band->periodic && MAX(band->nfirst, band->nlast) > FDX_PAIRS)))
            return 0;
    }
    if (rows > MAX_CROSSED_ROWS || 100 * interior < (double)MIN_INTERIOR_PERCENT)
        return 0;
    const int along = find_cross(w, kind, stencil, n, same_centre, FDX_VECTOR_SUMS);
    return along >= 0 && (weighed == 0 || can_multiply(w, kind, stencil, n, along, weighed));
}

ptrdiff_t fdx_row_ends_size(const work *w, const fdx_chain *chain, int n, ptrdiff_t lines)
{
    ptrdiff_t rows = 0;
    for (int k = 0; k < n; k++)
        if (is_along_inner(w, chain[k].stage))
            rows += max_row_ends(w, chain[k].stage->band);
    return rows * lines * w->per_point * w->itemsize;
}

/* The rows of lo .. hi - 1 that have the interior's stencil, and no neighbours past the ends of a periodic axis. */
static void interior_rows(const fdx_band *band, ptrdiff_t *lo, ptrdiff_t *hi)
{
    ptrdiff_t first = band->nfirst, last = band->rows - band->nlast;
    if (band->periodic) {
        first = MAX(0, -band->interior.offset);
        last = band->columns + 1 - band->interior.offset - band->interior.count;
        last = MIN(last, band->rows);
    }
    *lo = MIN(MAX(*lo, first), *hi);
    *hi = MAX(*lo, MIN(*hi, last));
}

/* ---- chains of a block and of a line ---- */

static int is_one_loop(const fdx_stencil *stencil)
{
    return has_pair_loop(stencil) || has_midpoint_loop(stencil);
}

static void pair_weights(const fdx_stencil *stencil, double *weight)
{
    for (int k = 0; k < stencil->count / 2; k++)
        weight[k] = stencil->w[(stencil->centre + 1 + k) * stencil->weight_step];
}

/* The rows of a band along the inner dimension, of lo .. hi - 1, that are not computed ahead: a segment that is long
 * enough, or none. */
static void between_row_ends(const work *w, const fdx_band *band, ptrdiff_t lo, ptrdiff_t hi, ptrdiff_t *from,
                             ptrdiff_t *to)
{
    *from = *to = hi;
    for (ptrdiff_t r = lo, end; r < hi; r = end) {
        const row_segment s = next_row_segment(band, r, hi, 0);
        end = s.end;
        if (by_rows(w, &s, r)) {
            *from = MIN(*from, r);
            *to = end;
        }
    }
}

/* Compute the results of a band along the inner dimension at the ends of the lines of the box [lo, hi), rows outside of
 * from .. to - 1, into `memory`; returns the memory after them. */
static char *make_row_ends(const work *w, line_chain *t, const view *src, const ptrdiff_t *lo, const ptrdiff_t *hi,
                           ptrdiff_t from, ptrdiff_t to, char *memory)
{
    const int inner = w->ndim - 1;
    t->head = from - lo[inner];
    t->tail = hi[inner] - to;
    t->row_ends = memory;
    if (t->head + t->tail == 0)
        return memory;
    view row_ends; /* row by row, each for all lines */
    ptrdiff_t stride = w->itemsize * w->per_point;
    take_view(w, &row_ends);
    row_ends.data = memory;
    row_ends.unrolled = -1;
    row_ends.lo[inner] = lo[inner];
    for (int d = inner - 1; d >= 0; d--) {
        row_ends.lo[d] = lo[d];
        row_ends.stride[d] = stride;
        stride *= hi[d] - lo[d];
    }
    row_ends.stride[inner] = t->row_stride = stride;
    fdx_by_columns(w, t->band, src, &row_ends, lo, hi, lo[inner], from, FDX_SET);
    row_ends.lo[inner] = to - t->head;
    fdx_by_columns(w, t->band, src, &row_ends, lo, hi, to, hi[inner], FDX_SET);
    give_back(w, row_ends.lo);
    return memory + (t->head + t->tail) * stride;
}

/* Set t and src, a view of its input whose index arrays have been taken, for the box [lo, hi). Results at the ends of
 * lines go to `memory`; returns the memory after them. */
static char *begin_chain(const work *w, const fdx_chain *chain, const ptrdiff_t *lo, const ptrdiff_t *hi, line_chain *t,
                         view *src, char *memory)
{
    const int inner = w->ndim - 1;
    ptrdiff_t *const first = take(w, 2), *const end = first + w->ndim;
    view_array(w, &w->in[chain->in], src);
    for (int d = 0; d <= inner; d++) {
        const ptrdiff_t shift = shift_along(w, chain, d);
        first[d] = lo[d] + shift;
        end[d] = hi[d] + shift;
    }
    const double number = multiple_of_identity(chain->stage);
    t->band = number != 0 ? NULL : chain->stage->band;
    t->weight[0] = number;
    t->input = chain->in;
    t->d = t->band == NULL ? inner : w->dimension[chain->stage->axis];
    t->stride = src->stride[t->d];
    t->first = first[t->d];
    t->end = end[t->d];
    t->in = locate(w, src, first, -1);
    t->coefficients = NULL;
    t->head = t->tail = 0;
    t->row_ends = memory;
    t->stencil = t->d == inner && t->band != NULL ? &t->band->interior : NULL;
    if (t->stencil != NULL) {
        ptrdiff_t from = first[inner], to = end[inner];
        if (is_one_loop(t->stencil))
            pair_weights(t->stencil, t->weight);
        if (w->streamed >> chain->out & 1)
            between_row_ends(w, t->band, first[inner], end[inner], &from, &to);
        else
            interior_rows(t->band, &from, &to);
        memory = make_row_ends(w, t, src, first, end, from, to, memory);
    }
    give_back(w, first);
    return memory;
}

/* Set what multiplies t, if anything, and `by`, a view of that, for the box from `lo` on. Takes the view's index
 * arrays. */
static void begin_coefficient(const work *w, const fdx_chain *chain, const ptrdiff_t *lo, line_chain *t, view *by)
{
    const fdx_array *coefficient = chain->stage->coefficient;
    if (coefficient == NULL)
        return;
    take_view(w, by);
    ptrdiff_t *const at = take(w, 1);
    view_array(w, coefficient, by);
    for (int d = 0; d < w->ndim; d++)
        at[d] = lo[d] + shift_along(w, chain, d);
    t->coefficients = locate(w, by, at, -1);
    t->coefficient_step = coefficient_step(w, coefficient);
    give_back(w, at);
}

/* Set t, a chain across the inner dimension, for a line. Returns 0 if stencil and weights have not changed. */
static int find_line(line_chain *t, ptrdiff_t row)
{
    t->row = row;
    if (t->stencil != NULL && row >= t->valid_from && row < t->valid_to)
        return 0;
    const row_segment s = next_row_segment(t->band, row, t->end, 0);
    t->stencil = s.stencil;
    t->number = s.number;
    t->valid_from = row;
    t->valid_to = s.wraps || s.stencil->row_step != 0 ? row + 1 : s.end;
    if (is_one_loop(s.stencil))
        pair_weights(s.stencil, t->weight);
    return 1;
}

/* The centre of the first element's neighbours. */
static const char *centre_of(const line_chain *t)
{
    return t->band == NULL ? t->in : fdx_at(t->in, t->stencil->offset + t->stencil->centre, t->stride);
}

/* The loop for lines of one chain along the inner dimension, n elements between their ends, which writes them; NULL:
 * there is none.
 * *first: where the neighbour that it counts from is among the stencil's. */
static fdx_cross_fn *loop_alone(const work *w, const fdx_stencil *stencil, ptrdiff_t n, int *first)
{
    const int count = stencil->count, half = count / 2, back = half - stencil->centre;
    *first = stencil->centre;
    if (w->per_point > 1 || n < FDX_VECTOR_SUMS || stencil->row_step != 0 || w->alpha_beta != NULL)
        return NULL;
    if (has_pair_loop(stencil))
        return pairs_of(w, stencil)->cross[0];
    if (has_midpoint_loop(stencil))
        return w->sums->midpoints_alone[half - 1];
    *first = half;
    if (stencil->summation >= FDX_SUM_ANTISYMMETRIC || count % 2 != 0 || count > FDX_STREAMED)
        return NULL;
    if (stencil->summation == FDX_SUM_PLAIN)
        return w->sums->plain_alone[half - 1];
    return back == 0 || back == 1 ? w->sums->differences_alone[back][half - 1] : NULL;
}

/* The steps that add up a line of n elements; returns how many. */
static int find_steps(const work *w, const line_chain *t, int chains, ptrdiff_t n, step *steps)
{
    step_kind kind[MAX_LINE_TERMS];
    const fdx_stencil *stencil[MAX_LINE_TERMS];
    int count = 0, k = 0, same_centre = 1;
    ptrdiff_t row_ends = 0;
    for (int j = 0; j < chains; j++) {
        kind[j] = t[j].band == NULL ? IDENTITY : t[j].d == w->ndim - 1 ? ALONG : ACROSS;
        stencil[j] = t[j].stencil;
        /* The same input, so that it holds for all lines. The centre of a periodic row may lie past the ends. */
        same_centre &= t[j].input == t->input && centre_of(&t[j]) == centre_of(t) &&
                       (kind[j] == IDENTITY || !t[j].band->periodic || stencil[j]->offset + stencil[j]->centre == 0);
        row_ends += t[j].head + t[j].tail;
    }
    int first;
    const int alone = chains == 1 && kind[0] == ALONG && loop_alone(w, t->stencil, n - row_ends, &first) != NULL;
    const int inner_chain = t->coefficients != NULL || w->alpha_beta != NULL ? -1
                            : alone ? 0
                                    : find_cross(w, kind, stencil, chains, same_centre, n - row_ends);
    if (inner_chain >= 0) {
        steps[0] = (step){CROSS, inner_chain, FDX_SET};
        return 1;
    }
    for (int j = 0; j + 1 < chains; j++)
        if (kind[j] == ACROSS && kind[j + 1] == ACROSS && have_same_pairs(stencil[j], stencil[j + 1]))
            kind[j++] = TWO_ACROSS;
    /* The chain along the inner dimension comes first, so that the last loop can write by non-temporal stores. */
    const int others = kind[0] == TWO_ACROSS ? 2 : 1;
    if (others < chains && kind[0] >= ACROSS && kind[others] == ALONG) {
        steps[count++] = (step){ALONG, others, FDX_SET};
        steps[count++] = (step){kind[0], 0, others == 2 ? FDX_PREPEND : FDX_ADD};
        k = others + 1;
    }
    for (; k < chains; k += kind[k] == TWO_ACROSS ? 2 : 1)
        steps[count++] = (step){kind[k], k, k == 0 ? FDX_SET : FDX_ADD};
    return count;
}

/* ---- non-temporal stores ---- */

/* Write the kept bytes by ordinary stores. A cache line that gets both ordinary and non-temporal stores must be read
 * first, which is slow: so only those go this way that are never filled. */
static void flush(unfilled *r)
{
    if (r->n > 0)
        memcpy(r->to, r->data + (uintptr_t)r->to % FDX_CACHE_LINE, (size_t)r->n);
    r->n = 0;
}

/* Write `bytes` from `from` to `to` by non-temporal stores: whole cache lines now, the rest when it fills one.
 * Meanwhile prefetch what is at `next`. */
static void stream(const work *w, unfilled *r, char *to, const char *from, ptrdiff_t bytes, const void *next)
{
    while (bytes > 0) {
        const ptrdiff_t at = (ptrdiff_t)((uintptr_t)to % FDX_CACHE_LINE);
        ptrdiff_t n = bytes - bytes % FDX_CACHE_LINE;
        if (r->n > 0 && r->to + r->n != to)
            flush(r);
        if (at == 0 && n > 0) {
            w->call->op->isa->stream_out(to, from, n, next);
        } else {
            n = MIN(bytes, FDX_CACHE_LINE - at);
            memcpy(r->data + at, from, (size_t)n);
            r->to = r->n > 0 ? r->to : to;
            r->n += n;
            if (r->n == FDX_CACHE_LINE) {
                w->call->op->isa->stream_out(r->to, r->data, FDX_CACHE_LINE, next);
                r->n = 0;
            } else if (at + n == FDX_CACHE_LINE) {
                flush(r);
            }
        }
        to += n;
        from += n;
        bytes -= n;
    }
}

/* Elements from .. to - 1 of a segment, without those that a loop has written: the whole cache lines in elements first
 * .. last - 1. */
static void stream_row_ends(const work *w, const line_segment *p, ptrdiff_t from, ptrdiff_t to, ptrdiff_t first,
                            ptrdiff_t last)
{
    const ptrdiff_t size = w->itemsize;
    const ptrdiff_t written = first * size + (ptrdiff_t)(-(uintptr_t)(p->streamed_to + first * size) % FDX_CACHE_LINE);
    const ptrdiff_t end = last * size - (last * size - written) % FDX_CACHE_LINE;
    stream(w, p->kept, p->streamed_to + from * size, p->y + from * size, written - from * size, p->y);
    stream(w, p->kept, p->streamed_to + end, p->y + end, to * size - end, p->y);
}

/* ---- steps of a segment: the last one may write by non-temporal stores; each returns whether it did ---- */

/* Can a vector loop compute a segment and write it by non-temporal stores? */
static int can_stream(const line_segment *p, fdx_streaming_fn *loop, int last)
{
    return last && loop != NULL && p->n >= FDX_VECTOR_SUMS;
}

/* The address to prefetch for a segment; one that is in the cache, if there is none. */
static const char *prefetch_address(const work *w, const line_chain *t, const line_segment *p)
{
    return t->prefetch != 0 ? fdx_at(t->in + p->from * w->itemsize, t->prefetch, 1) : p->y;
}

/* Rows of neighbours of a line's elements from `from` on, for a band across the inner dimension. */
static void neighbours(const work *w, const line_chain *t, ptrdiff_t from, const void **x)
{
    const ptrdiff_t count = t->stencil->count;
    const char *neighbours = fdx_at(t->in + from * w->itemsize, t->stencil->offset, t->stride);
    for (ptrdiff_t k = 0; k < count; k++, neighbours = fdx_at(neighbours, 1, t->stride))
        x[k] = neighbours;
    if (t->band->periodic) {
        const ptrdiff_t column = t->row + t->stencil->offset, n = t->band->columns;
        for (ptrdiff_t k = 0; k < count; k++)
            x[k] = fdx_at(x[k], column + k < 0 ? n : column + k >= n ? -n : 0, t->stride);
    }
}

/* The coefficients of at most SEGMENT_ELEMENTS elements of a segment, from element `at` on, as a row. */
static const void *coefficient_row(const work *w, const line_chain *t, const line_segment *p, ptrdiff_t at, ptrdiff_t n)
{
    const void *row = t->coefficients + (p->from + at) * t->coefficient_step;
    if (t->coefficient_step != 0)
        return row;
    return repeated(w, w->dtype == FDX_F32 ? (double)*(const float *)row : *(const double *)row, n);
}

/* The loop that writes rows of a stencil by non-temporal stores; NULL: there is none. */
static fdx_streaming_fn *streaming_loop(const work *w, const fdx_stencil *stencil)
{
    const int count = stencil->count;
    return !is_simple(stencil)                           ? NULL
           : stencil->summation >= FDX_SUM_ANTISYMMETRIC ? pairs_of(w, stencil)->one_streaming
           : stencil->summation == FDX_SUM_PLAIN         ? w->sums->plain_streaming[count - 1]
                                                         : w->sums->differences_streaming[count - 2];
}

static int sum_across(const work *w, const line_chain *t, const line_segment *p, int mode, int last)
{
    const void **const x = w->neighbours;
    fdx_streaming_fn *loop = streaming_loop(w, t->stencil);
    neighbours(w, t, p->from, x);
    row_weights(t->stencil, t->number, w->weight);
    if (!can_stream(p, loop, last)) {
        fdx_sum_row(w, t->stencil, x, w->weight, p->y, p->n, mode);
        return 0;
    }
    const double *weight;
    const int rows = for_loops(t->stencil, x, w->weight, &weight);
    const void *const next[2] = {prefetch_address(w, t, p)};
    if (t->coefficients != NULL) {
        x[rows] = coefficient_row(w, t, p, 0, p->n);
        mode = FDX_TIMES;
    }
    loop(p->streamed_to, p->y, x, p->n, weight, mode, next);
    stream_row_ends(w, p, 0, p->n, 0, p->n);
    return 1;
}

/* Rows of neighbours and weights of several chains across the inner dimension. */
static void rows_and_weights(const work *w, const line_chain *t, int chains, ptrdiff_t from, const void **x,
                             double *weight)
{
    for (int k = 0; k < chains; k++) {
        neighbours(w, &t[k], from, x + k * t->stencil->count);
        for (int j = 0; j < t->stencil->centre; j++)
            weight[k * t->stencil->centre + j] = t[k].weight[j];
    }
}

static int sum_two_across(const work *w, const line_chain *t, const line_segment *p, int mode, int last)
{
    const fdx_pairs *pairs = pairs_of(w, t->stencil);
    const void *x[2 * (2 * FDX_PAIRS + 1)];
    double weight[2 * FDX_PAIRS];
    rows_and_weights(w, t, 2, p->from, x, weight);
    if (can_stream(p, pairs->two_streaming, last)) {
        const void *const next[2] = {prefetch_address(w, t, p), prefetch_address(w, t + 1, p)};
        pairs->two_streaming(p->streamed_to, p->y, x, p->n, weight, mode, next);
        stream_row_ends(w, p, 0, p->n, 0, p->n);
        return 1;
    }
    pairs->two(p->y, 0, x, p->n, weight, mode);
    return 0;
}

/* Have elements from .. to - 1 of a line, at least one, the interior's stencil and weights? Rows of the closures that
 * have many elements are between the ends of a line, too. */
static int is_one_segment(const line_chain *t, ptrdiff_t from, ptrdiff_t to, ptrdiff_t per_point)
{
    const row_segment s = next_row_segment(t->band, t->first + from / per_point, t->end - t->tail, 0);
    return s.stencil == t->stencil && !s.wraps && s.stencil->row_step == 0 && (s.end - t->first) * per_point >= to;
}

/* Elements from .. to - 1 of a line that begins at `in`, by non-temporal stores; its ends are in p->y. */
static void stream_along(const work *w, const line_chain *t, const line_segment *p, const char *in, ptrdiff_t from,
                         ptrdiff_t to, int mode)
{
    const void **const x = w->neighbours;
    const double *weight;
    const ptrdiff_t size = w->itemsize, skip = (from - p->from) * size;
    for (int k = 0; k < t->stencil->count; k++)
        x[k] = in + (from + (t->stencil->offset + k) * w->per_point) * size;
    row_weights(t->stencil, 0, w->weight);
    for_loops(t->stencil, x, w->weight, &weight);
    const void *const next[2] = {t->prefetch != 0 ? fdx_at(in + from * size, t->prefetch, 1) : p->y};
    streaming_loop(w, t->stencil)(p->streamed_to + skip, p->y + skip, x, to - from, weight, mode, next);
    stream_row_ends(w, p, 0, p->n, from - p->from, to - p->from);
}

/* Copy results at the ends of lines; compute the interior, line by line. Returns whether it wrote by non-temporal
 * stores. */
static int sum_along(const work *w, const line_chain *t, const line_segment *p, int mode, int last)
{
    const ptrdiff_t per_point = w->per_point, size = w->itemsize, head = t->head * per_point,
                    inner_end = p->line_length - t->tail * per_point;
    const ptrdiff_t n = MIN(p->n, p->line_length), end = p->from + n;
    const ptrdiff_t from = MIN(MAX(p->from, head), end), to = MAX(from, MIN(end, inner_end));
    if (p->from < from)
        w->sums->transpose(p->y, n * size, t->row_ends + p->from / per_point * t->row_stride, t->row_stride,
                           (from - p->from) / per_point, p->lines, per_point, mode);
    if (to < end)
        w->sums->transpose(p->y + (to - p->from) * size, n * size,
                           t->row_ends + (to - inner_end + head) / per_point * t->row_stride, t->row_stride,
                           (end - to) / per_point, p->lines, per_point, mode);
    const char *in = t->in;
    if (last && t->coefficients == NULL && to - from >= FDX_VECTOR_SUMS && is_one_segment(t, from, to, per_point) &&
        streaming_loop(w, t->stencil) != NULL) {
        line_segment line = *p;
        line.n = n;
        for (ptrdiff_t k = 0; k < p->lines; k++, in += p->line_length * size) {
            stream_along(w, t, &line, in, from, to, mode);
            line.y += n * size;
            line.streamed_to += n * size;
        }
        return 1;
    }
    fdx_along_fn *loop = along_loop(w, t->stencil, to - from);
    for (ptrdiff_t k = 0; k < p->lines; k++, in += p->line_length * size) {
        char *y = p->y + (k * n + from - p->from) * size;
        if (loop != NULL) {
            const char *centre = in + (from + t->stencil->offset + t->stencil->centre) * size;
            loop(y, centre, to - from, t->weight, mode,
                 t->prefetch != 0 ? fdx_at(in + from * size, t->prefetch, 1) : y);
            continue;
        }
        for (ptrdiff_t at = from, stop; at < to; at = stop) {
            const row_segment s = next_row_segment(t->band, t->first + at / per_point, t->end - t->tail, 0);
            stop = MIN(to, (s.end - t->first) * per_point);
            fdx_sum_inner(w, s.stencil, s.number, in + at * size, y + (at - from) * size, stop - at, mode);
        }
    }
    return 0;
}

static void sum_itself(const work *w, const line_chain *t, const line_segment *p, int mode)
{
    const char *x = t->in + p->from * w->itemsize;
    const double numbers[2] = {t->weight[0], mode == FDX_SET ? 0 : 1};
    if (numbers[0] == 1 && mode == FDX_SET) /* the same bits, in any floating-point environment */
        memcpy(p->y, x, (size_t)(p->n * w->itemsize));
    else
        w->sums->add_scaled(p->y, x, p->n, numbers);
}

/* Returns whether it multiplied and wrote by non-temporal stores, which only the last step may. */
static int make_step(const work *w, const line_chain *t, const step *s, const line_segment *p, int last)
{
    if (s->kind == ACROSS)
        return sum_across(w, &t[s->chain], p, s->mode, last);
    if (s->kind == TWO_ACROSS)
        return sum_two_across(w, &t[s->chain], p, s->mode, last);
    if (s->kind == ALONG)
        return sum_along(w, &t[s->chain], p, s->mode, last);
    sum_itself(w, &t[s->chain], p, s->mode);
    return 0;
}

static void multiply(const work *w, const line_chain *t, const line_segment *p)
{
    for (ptrdiff_t at = 0, n; at < p->n; at += n) {
        n = MIN(p->n - at, SEGMENT_ELEMENTS);
        char *y = p->y + at * w->itemsize;
        w->sums->combine(y, y, coefficient_row(w, t, p, at, n), n, FDX_SET);
    }
}

/* Fill in the ends of lines: results that were computed ahead of t, the chain along the inner dimension. */
static void set_ends(const line_chain *t, fdx_cross *c)
{
    c->head = t->head;
    c->tail = t->tail;
    c->ready = t->row_ends;
    c->apart = t->row_stride;
}

/* Fill in what the loop of a chain along the inner dimension, alone, needs to compute a line; returns the loop. */
static fdx_cross_fn *begin_alone(const work *w, const line_chain *t, fdx_cross *c)
{
    const void **const x = w->neighbours;
    int first;
    fdx_cross_fn *loop = loop_alone(w, t->stencil, FDX_VECTOR_SUMS, &first);
    for (int k = 0; k < t->stencil->count; k++)
        x[k] = fdx_at(t->in, t->stencil->offset + k, t->stride);
    c->along = x[first];
    row_weights(t->stencil, 0, w->weight);
    for_loops(t->stencil, x, w->weight, &c->w);
    set_ends(t, c);
    return loop;
}

/* Fill in what one loop needs to add up a line: the identity or not, at most two chains across the inner dimension,
 * with neighbours x, and one, number inner_chain, along it. Returns the number of those across. */
static int begin_cross(const work *w, const line_chain *t, int chains, int inner_chain, fdx_cross *c, const void **x,
                       double *weight)
{
    const int itself = t->band == NULL, rows = chains - 1 - itself;
    const line_chain *inner = &t[inner_chain], *across = itself || inner_chain == 0 ? &t[1] : t;
    const int pairs = inner->stencil->centre;
    rows_and_weights(w, across, rows, 0, x, weight);
    for (int j = 0; j < pairs; j++)
        weight[rows * pairs + j] = inner->weight[j];
    c->x = x;
    c->w = weight;
    c->along = centre_of(inner);
    c->itself = itself ? t->weight[0] : 0;
    set_ends(inner, c);
    return rows;
}

/* Whole lines of n elements, contiguous in the output and `step` elements after each other in the input, by one loop.
 */
static void sum_cross(const work *w, const line_chain *t, int chains, int inner_chain, char *to, unfilled *kept,
                      ptrdiff_t n, ptrdiff_t lines, ptrdiff_t step)
{
    const ptrdiff_t size = w->itemsize, bytes = n * lines * size;
    const void *x[2 * (2 * FDX_PAIRS + 1)];
    double weight[3 * FDX_PAIRS];
    fdx_cross c = {.to = to, .y = w->line, .n = n, .lines = lines, .step = step};
    int rows = 0;
    fdx_cross_fn *loop;
    if (chains == 1) {
        loop = begin_alone(w, t, &c);
    } else {
        rows = begin_cross(w, t, chains, inner_chain, &c, x, weight);
        loop = pairs_of(w, t[inner_chain].stencil)->cross[rows];
    }
    int prefetches = 0;
    for (int k = 0; k < chains && prefetches <= rows; k++)
        if (t[k].prefetch != 0)
            c.next[prefetches++] = fdx_at(t[k].in, t[k].prefetch, 1);
    while (prefetches <= rows)
        c.next[prefetches++] = t[inner_chain].in;
    loop(&c);
    const ptrdiff_t first = (ptrdiff_t)(-(uintptr_t)to % FDX_CACHE_LINE), rest = (bytes - first) % FDX_CACHE_LINE;
    stream(w, kept, to, w->line, first, w->line);
    stream(w, kept, to + bytes - rest, w->line + FDX_CACHE_LINE, rest, w->line);
}

/* All steps of a segment. The last one begins `deferred` elements earlier, and leaves out the last `defers`. */
static void make_segment(const work *w, const line_chain *t, const step *steps, int count, line_segment p,
                         ptrdiff_t deferred, ptrdiff_t defers)
{
    for (int k = 0; k + 1 < count; k++)
        make_step(w, t, &steps[k], &p, 0);
    p.y -= deferred * w->itemsize;
    p.streamed_to -= deferred * w->itemsize;
    p.from -= deferred;
    p.n += deferred - defers;
    if (p.n <= 0 || make_step(w, t, &steps[count - 1], &p, w->alpha_beta == NULL))
        return;
    if (t->coefficients != NULL)
        multiply(w, t, &p);
    if (w->alpha_beta != NULL)
        w->sums->add_scaled(p.y, p.y, p.n, w->alpha_beta);
    stream(w, p.kept, p.streamed_to, p.y, p.n * w->itemsize, prefetch_address(w, t, &p));
}

/* Contiguous lines, n elements in all, in segments of at most max_bytes. `continues`: what follows is computed in the
 * same way. Where a segment ends within a cache line, the last step defers its elements, *deferred of them, to the next
 * segment, if it can. */
static void make_segments(const work *w, const line_chain *t, const step *steps, int count, line_segment p,
                          ptrdiff_t max_bytes, ptrdiff_t n, int continues, ptrdiff_t *deferred)
{
    const ptrdiff_t size = w->itemsize;
    const int can_defer = steps[count - 1].kind != ALONG && t->coefficients == NULL;
    for (; p.from < n; p.from += p.n) {
        const ptrdiff_t misaligned = (ptrdiff_t)((uintptr_t)p.streamed_to % FDX_CACHE_LINE);
        p.y = w->line + misaligned; /* aligned as the output is; before it, the deferred elements */
        p.n = MIN(max_bytes / size, n - p.from);
        if (p.n < n - p.from) { /* so that the next segment is aligned, and begins with a point */
            p.n -= can_defer || p.n <= misaligned / size ? 0 : misaligned / size;
            p.n -= w->per_point > 1 ? p.n % w->per_point : 0;
        }
        ptrdiff_t defers = 0;
        if (can_defer && (continues || p.from + p.n < n))
            defers = MIN(*deferred + p.n, (ptrdiff_t)((uintptr_t)(p.streamed_to + p.n * size) % FDX_CACHE_LINE) / size);
        make_segment(w, t, steps, count, p, *deferred, defers);
        p.streamed_to += p.n * size;
        memmove(w->line + (ptrdiff_t)((uintptr_t)p.streamed_to % FDX_CACHE_LINE) - defers * size,
                p.y + (p.n - defers) * size, (size_t)(defers * size));
        *deferred = defers;
    }
}

/* ---- lines of a block ---- */

/* Choose what to prefetch: with a sweep, the neighbours PREFETCH_BYTES further along it; otherwise the next block,
 * while ends of lines are computed, too. One input for each output, if there are outputs left for the others. */
static void choose_prefetches(const work *w, const fdx_chain *chain, int n, const view *src, line_chain *t,
                              uint64_t *prefetched)
{
    const int inner = w->ndim - 1;
    int next_block = 0, prefetches = 0; /* next_block: the dimension along which it lies */
    for (int d = 0; d <= inner && w->sweep < 0; d++)
        next_block = w->block[d] < w->n[d] ? d : next_block;
    for (int k = 0; k < n; k++) {
        t[k].prefetch = 0;
        if (*prefetched >> chain[k].in & 1 || (prefetches > 0 && chain->out + 1 < w->call->op->noutputs))
            continue;
        *prefetched |= (uint64_t)1 << chain[k].in;
        prefetches++;
        const int d = w->sweep < 0 ? next_block : w->sweep;
        const size_t rows = (size_t)(w->sweep < 0 ? w->block[d] : w->lookahead);
        t[k].prefetch = (ptrdiff_t)(rows * (size_t)src[k].stride[d] + (w->sweep < 0 ? 0 : (size_t)PREFETCH_BYTES));
    }
}

void fdx_make_lines(const work *w, const fdx_chain *chain, int n, const view *y, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, uint64_t *prefetched)
{
    const int inner = w->ndim - 1;
    const ptrdiff_t line_length = (hi[inner] - lo[inner]) * w->per_point, size = w->itemsize;
    line_chain t[MAX_LINE_TERMS];
    view src[MAX_LINE_TERMS], by = {NULL, NULL, NULL, -1}; /* `by`: of the coefficients */
    step steps[MAX_LINE_TERMS];
    ptrdiff_t *const at = take(w, 1);
    unfilled kept = {NULL, 0, {0}};
    char *memory = w->row_ends;
    int contiguous = inner > 0 && y->stride[inner - 1] == line_length * size, first;
    ptrdiff_t step = line_length; /* from one contiguous line to the next in the input */
    /* Short segments are faster where sums are read again, but loops with more than a pair of neighbours take long to
     * start. */
    int long_segments = n == 1;
    for (int k = 0; k < n; k++) {
        take_view(w, &src[k]);
        memory = begin_chain(w, &chain[k], lo, hi, &t[k], &src[k], memory);
        contiguous &= inner > 0 && src[k].stride[inner - 1] == line_length * size;
        long_segments |= t[k].d != inner && t[k].band->interior.count > 3;
    }
    const fdx_array *coefficient = chain->stage->coefficient;
    begin_coefficient(w, chain, lo, t, &by);
    /* Lines share a segment if what multiplies them goes on at their ends, too. */
    if (coefficient != NULL)
        contiguous &= inner > 0 && by.stride[inner - 1] == line_length * t->coefficient_step;
    /* One loop of a chain along them takes contiguous lines of another length, as between the points. */
    if (n == 1 && inner > 0 && t->band != NULL && t->d == inner && coefficient == NULL &&
        src->stride[inner - 1] == t->band->columns * size &&
        loop_alone(w, t->stencil, line_length - t->head - t->tail, &first) != NULL) {
        step = t->band->columns;
        contiguous = y->stride[inner - 1] == line_length * size;
    }
    choose_prefetches(w, chain, n, src, t, prefetched);
    ptrdiff_t max_bytes = (long_segments ? LONG_SEGMENT_RATIO : 1) * LINE_SEGMENT_BYTES;
    if (coefficient != NULL)
        max_bytes = MIN(max_bytes, SEGMENT_ELEMENTS * size); /* see coefficient_row */
    const ptrdiff_t max_lines = MIN(MAX_SEGMENT_LINES, MAX(1, max_bytes / (line_length * size)));
    char *out = locate(w, y, lo, -1);
    ptrdiff_t deferred = 0; /* elements */
    int count = 0;
    copy(w, at, lo);
    for (;;) {
        /* Contiguous lines with the same stencils. */
        ptrdiff_t nlines = contiguous ? hi[inner - 1] - at[inner - 1] : 1;
        int changed = count == 0;
        for (int k = 0; k < n; k++)
            if (t[k].d != inner) {
                changed |= find_line(&t[k], t[k].first + at[t[k].d] - lo[t[k].d]);
                nlines = t[k].d == inner - 1 ? MIN(nlines, t[k].valid_to - t[k].row) : nlines;
            }
        if (changed)
            count = find_steps(w, t, n, line_length, steps);
        if (steps[0].kind == CROSS) {
            sum_cross(w, t, n, steps[0].chain, out, &kept, line_length, nlines, step);
        } else {
            const ptrdiff_t same = nlines;
            nlines = MIN(same, max_lines);
            const line_segment p = {NULL, out, &kept, 0, 0, line_length, nlines};
            make_segments(w, t, steps, count, p, max_bytes, nlines * line_length, nlines < same, &deferred);
        }
        for (int k = 0; k < n; k++)
            t[k].row_ends += nlines * w->per_point * size;
        int d = inner - 1;
        for (; d >= 0; d--) {
            const ptrdiff_t lines = d == inner - 1 ? nlines : 1;
            const int on = at[d] + lines < hi[d];
            const ptrdiff_t move = on ? lines : lo[d] - at[d];
            at[d] += move;
            out = fdx_at(out, move, y->stride[d]);
            for (int k = 0; k < n; k++)
                t[k].in = fdx_at(t[k].in, move, src[k].stride[d]);
            if (coefficient != NULL)
                t->coefficients = fdx_at(t->coefficients, move, by.stride[d]);
            if (on)
                break;
        }
        if (d < 0)
            break;
    }
    flush(&kept);
    give_back(w, at);
}

/* ---- outputs in cache: the interior of a block by one loop (`lines`), which writes by ordinary stores ---- */

void fdx_shrink_to_interior(const work *w, const fdx_chain *chain, int d, ptrdiff_t *lo, ptrdiff_t *hi)
{
    const ptrdiff_t shift = shift_along(w, chain, d);
    ptrdiff_t offset = shift, more = 0; /* rows of a stage: as many as results and `more`, from that many after them */
    for (int s = chain->nstages - 1; s >= 0; s--) {
        const fdx_stage *stage = &chain->stage[s];
        if (stage->band == NULL || w->dimension[stage->axis] != d)
            continue;
        ptrdiff_t first = *lo + offset, last = *hi + offset + more;
        interior_rows(stage->band, &first, &last);
        *lo = MIN(MAX(*lo, first - offset), *hi);
        *hi = MAX(*lo, MIN(*hi, last - offset - more));
        offset += stage->band->interior.offset;
        more += stage->band->interior.count - 1;
    }
}

int fdx_wraps_in_lines(const fdx_chain *chain)
{
    const fdx_band *band = chain->stage->band;
    return band != NULL && band->periodic && band->interior.offset + band->interior.centre == 0;
}

int fdx_make_cross(const work *w, const fdx_chain *chain, int n, const view *y, const ptrdiff_t *lo,
                   const ptrdiff_t *hi)
{
    const int inner = w->ndim - 1;
    const ptrdiff_t size = w->itemsize;
    ptrdiff_t from = lo[inner], to = hi[inner]; /* between the ends of a line */
    for (int k = 0; k < n; k++)
        fdx_shrink_to_interior(w, &chain[k], inner, &from, &to);
    if (n < 1 || to - from < FDX_CACHE_LINE / size || MAX(from - lo[inner], hi[inner] - to) > FDX_PAIRS)
        return 0;
    line_chain t[4];
    view src[4], by[4]; /* by: of the coefficients */
    ptrdiff_t *const at = take(w, 1);
    char *memory = w->row_ends;
    int inner_chain = 0, possible = 1, alike = 1; /* lines of all inputs are as far apart */
    for (int k = 0; k < n; k++) {
        take_view(w, &src[k]);
        memory = begin_chain(w, &chain[k], lo, hi, &t[k], &src[k], memory);
        if (t[k].d < inner)
            find_line(&t[k], t[k].first);
        else if (t[k].band != NULL)
            inner_chain = k;
        for (int d = 0; d < inner; d++)
            alike &= src[k].stride[d] == src->stride[d];
        begin_coefficient(w, &chain[k], lo, &t[k], &by[k]);
    }
    line_chain *const along = &t[inner_chain];
    /* Do all have the same point in their middle? */
    const int together = along->stencil->summation == FDX_SUM_SYMMETRIC || t->band == NULL;
    for (int k = 0; k < n && together; k++)
        possible &= centre_of(&t[k]) == centre_of(along);
    const void *x[2 * (2 * FDX_PAIRS + 1)];
    double weight[3 * FDX_PAIRS];
    fdx_cross c = {.to = locate(w, y, lo, -1),
                   .n = hi[inner] - lo[inner],
                   .alpha_beta = adds_in_place(w, chain->out) ? w->alpha_beta : NULL};
    if (alike) {
        c.step = src->stride[inner - 1] / size;
        c.to_step = y->stride[inner - 1] / size;
    }
    const int weighed = along->coefficients != NULL;
    copy(w, at, lo);
    for (int d = 0; possible && d >= 0;) {
        c.lines = alike ? hi[inner - 1] - at[inner - 1] : 1;
        for (int k = 0; k < n; k++)
            if (t[k].d < inner) {
                find_line(&t[k], t[k].first + at[t[k].d] - lo[t[k].d]);
                if (t[k].d == inner - 1)
                    c.lines = MIN(c.lines, t[k].valid_to - t[k].row);
            }
        const int rows = begin_cross(w, t, n, inner_chain, &c, x, weight);
        for (int k = 0, term = 0; k < n && weighed; k++) {
            if (t[k].band == NULL)
                continue;
            const int j = k == inner_chain ? rows : term++;
            c.by[j] = t[k].coefficients;
            c.by_step[j] = by[k].stride[inner - 1] / size;
            c.by_varies[j] = t[k].coefficient_step != 0;
        }
        const fdx_pairs *pairs = pairs_of(w, along->stencil);
        (weighed ? pairs->weighed[rows - 1] : pairs->lines[rows])(&c);
        along->row_ends += c.lines * size;
        for (d = inner - 1; d >= 0; d--) {
            const ptrdiff_t lines = d == inner - 1 ? c.lines : 1, on = at[d] + lines < hi[d];
            const ptrdiff_t move = on ? lines : lo[d] - at[d];
            at[d] += move;
            c.to = fdx_at(c.to, move, y->stride[d]);
            for (int k = 0; k < n; k++)
                t[k].in = fdx_at(t[k].in, move, src[k].stride[d]);
            for (int k = 0; k < n && weighed; k++)
                if (t[k].coefficients != NULL)
                    t[k].coefficients = fdx_at(t[k].coefficients, move, by[k].stride[d]);
            if (on)
                break;
        }
    }
    give_back(w, at);
    return possible;
}
