/* Long outputs line by line: so arrays are read and written from one end to the other, and reading, adding up and
 * writing alternate often enough for a processor to do all three at once.
 *
 * This is for outputs that pass the cache by and whose terms are each one band, or none, of an input that lies as row
 * loops can read it. What a band along the run has at the ends of lines is computed before, for all lines of a block,
 * by columns.
 *
 * A term along the run and up to two across it that are alike, as those of a Laplacian, a divergence, a curl or a
 * derivative along the run, are summed up by one loop (`cross`), which makes all lines that follow each other and puts
 * in their ends.
 *
 * Others are made in pieces: of each piece of a line all terms are summed up, one after the other, while it is in the
 * first-level cache, and the last loop writes it past the cache. Short lines that follow each other in memory are one
 * piece together, but for what goes along them.
 *
 * Written are whole cache lines. What does not fill one at the end of a piece, the last loop leaves to the next one, if
 * that is made in the same way; else it is kept, as at the beginning, until what comes next in memory fills the line.
 */
#include "fdx_operator.h"

/* A term, in a block. Small, as lines whose neighbours are a power of two apart leave little of the cache. */
typedef struct {
    const fdx_band *band; /* NULL: the identity */
    int input;            /* the number of its input */
    int d;                /* the dimension that it goes along */
    ptrdiff_t stride;     /* bytes along it */
    ptrdiff_t first, end; /* the block's first row along it, in the chain's results, and the one behind its last */
    ptrdiff_t head, tail; /* along the run: rows at the ends of lines that are computed before */
    ptrdiff_t apart;      /* bytes from one of these rows to the next */
    ptrdiff_t lookahead;  /* bytes from an element of the input to what is fetched; 0: nothing */
    /* in a line: */
    const char *in;             /* its first element in the input */
    const char *ready;          /* its rows that were computed before, the first of them */
    const fdx_stencil *stencil; /* across the run: the kind of row that the line is; along it: the interior */
    ptrdiff_t row, number;      /* across the run: the line's number in the band, and among these */
    ptrdiff_t since, until;     /* across the run: these rows are like it in everything */
    double weight[FDX_PAIRS];   /* of pairs */
} line_chain;

/* What one loop, or a few, do to a line: in their order, terms are added up. */
typedef enum { ITSELF, ALONG, ACROSS, TWO_ACROSS, CROSS } kind;
typedef struct {
    kind is;
    int chain, mode;
} step;

/* What of an output does not fill a cache line yet, to be written past the cache with what comes next in memory. */
typedef struct {
    char *to;                  /* where it belongs */
    ptrdiff_t n;               /* how many bytes; 0: nothing */
    char data[FDX_CACHE_LINE]; /* as in that cache line */
} unfilled;

/* A piece of a line, or a few lines that follow each other in memory. */
typedef struct {
    char *y;           /* where it is summed up */
    char *streamed_to; /* where it is written past the cache, by the last step */
    unfilled *kept;    /* what of the output, before this, has filled no cache line yet */
    ptrdiff_t from, n; /* its elements of the line */
    ptrdiff_t whole;   /* elements of the line */
    ptrdiff_t lines;   /* more than one: whole ones */
} line_segment;

/* ---- which outputs ---- */

static int is_along_inner(const work *w, const fdx_stage *stage)
{
    return stage->band != NULL && w->dimension[stage->axis] == w->ndim - 1;
}

/* The most rows at the ends of a line that a band along the run computes by columns. */
static ptrdiff_t max_row_ends(const work *w, const fdx_band *band)
{
    if (w->per_point >= BY_COLUMNS && !band->periodic)
        return 0;
    /* and the interior, where it is short */
    const ptrdiff_t first = band->interior.offset, wrapping = MAX(0, -first) + MAX(0, first + band->interior.count - 1);
    return (band->periodic ? wrapping : band->nfirst + band->nlast) + BY_COLUMNS;
}

/* Are two rows sums of as many pairs? */
static int go_together(const fdx_stencil *a, const fdx_stencil *b)
{
    return has_pair_loop(a) && a->summation == b->summation && a->centre == b->centre;
}

/* Can one loop sum up terms of such rows, n elements of them? At most two that go across the run and one along it,
 * whose number is returned; else -1. It is the last one to be added, or there are two: a + b is b + a, but for which
 * NaN comes of two, and that is not promised. `of_one`: they have the same point in their middle. */
static int find_cross(const work *w, const kind *is, const fdx_stencil *const *stencil, int chains, int of_one,
                      ptrdiff_t n)
{
    const int nth = chains == 2 && is[0] == ALONG ? 0 : chains - 1;
    if (chains > 3 || is[nth] != ALONG || along_loop(w, stencil[nth], n) == NULL)
        return -1;
    for (int k = 0; k < chains; k++)
        if (k != nth && (is[k] != ACROSS || !go_together(stencil[k], stencil[nth])))
            return -1;
    return stencil[nth]->summation == FDX_SUM_ANTISYMMETRIC || of_one ? nth : -1;
}

int fdx_is_by_lines(const work *w, const fdx_chain *chain, int n)
{
    kind is[MOST_BY_LINES];
    const fdx_stencil *stencil[MOST_BY_LINES];
    int many = 0, of_one = 1;
    ptrdiff_t together = 0; /* rows that are read at the same places of the L1 cache */
    if (!(w->streamed >> chain->out & 1) || n > MOST_BY_LINES || w->n[w->ndim - 1] * w->per_point < LINE_LEAST ||
        w->across >= 0)
        return 0;
    for (int k = 0; k < n; k++) {
        const fdx_stage *stage = chain[k].stage;
        if (chain[k].nstages != 1 || stage->coefficient != NULL || !is_direct(w, &chain[k]))
            return 0;
        is[k] = stage->band == NULL ? ITSELF : is_along_inner(w, stage) ? ALONG : ACROSS;
        stencil[k] = stage->band == NULL ? NULL : &stage->band->interior;
        of_one &= chain[k].in == chain->in;
        if (is[k] == ALONG &&
            (max_row_ends(w, stage->band) > MAX_ROW_ENDS || (w->per_point > 1 && stencil[k]->row_step != 0)))
            return 0;
        if (is[k] == ACROSS && stencil[k]->count > MOST_ROWS) {
            const size_t stride = fdx_distance(along(w, &w->call->in[chain[k].in], stage->axis));
            many |= stride > (size_t)(IN_L1 / stencil[k]->count);
            const ptrdiff_t power = (ptrdiff_t)MIN(stride & (0 - stride), (size_t)CACHE_SET_STRIDE); /* of two */
            together += (stencil[k]->count * power + CACHE_SET_STRIDE - 1) / CACHE_SET_STRIDE;
        }
    }
    return !many || (together <= ASSOCIATIVITY && find_cross(w, is, stencil, n, of_one, w->n[w->ndim - 1]) >= 0);
}

ptrdiff_t fdx_row_ends_size(const work *w, const fdx_chain *chain, int n, ptrdiff_t lines)
{
    ptrdiff_t rows = 0;
    for (int k = 0; k < n; k++)
        if (is_along_inner(w, chain[k].stage))
            rows += max_row_ends(w, chain[k].stage->band);
    return rows * lines * w->per_point * w->itemsize;
}

/* ---- terms of a block and of a line ---- */

static void pair_weights(const fdx_stencil *stencil, double *weight)
{
    for (int k = 0; k < stencil->centre; k++)
        weight[k] = stencil->w[(stencil->centre + 1 + k) * stencil->weight_step];
}

/* What a band along the run has at the ends of the lines of the box [lo, hi); returns the memory behind it. */
static char *make_row_ends(const work *w, line_chain *t, const view *src, const ptrdiff_t *lo, const ptrdiff_t *hi,
                           char *memory)
{
    const int inner = w->ndim - 1;
    ptrdiff_t last = lo[inner];
    t->head = -1;
    for (ptrdiff_t r = lo[inner], end; r < hi[inner]; r = end) {
        const row_segment s = next_row_segment(t->band, r, hi[inner], 0);
        end = s.end;
        if (by_rows(w, &s, r)) {
            t->head = t->head < 0 ? r - lo[inner] : t->head;
            last = end;
        }
    }
    if (t->head < 0) { /* no stretch is long enough: every row */
        last = hi[inner];
        t->head = last - lo[inner];
    }
    t->tail = hi[inner] - last;
    t->ready = memory;
    if (t->head + t->tail == 0)
        return memory;
    view row_ends; /* row by row, each of all lines */
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
    row_ends.stride[inner] = t->apart = stride;
    fdx_by_columns(w, t->band, src, &row_ends, lo, hi, lo[inner], lo[inner] + t->head, FDX_SET);
    row_ends.lo[inner] = last - t->head;
    fdx_by_columns(w, t->band, src, &row_ends, lo, hi, last, hi[inner], FDX_SET);
    give_back(w, row_ends.lo);
    return memory + (t->head + t->tail) * stride;
}

/* A term in the box [lo, hi) of results, and its input, whose numbers have been taken; returns the memory behind what
 * it keeps of their ends. */
static char *begin_chain(const work *w, const fdx_chain *chain, const ptrdiff_t *lo, const ptrdiff_t *hi, line_chain *t,
                         view *src, char *memory)
{
    const fdx_array *in = &w->call->in[chain->in];
    const int inner = w->ndim - 1;
    ptrdiff_t *const first = take(w, 2), *const end = first + w->ndim;
    src->data = (char *)in->data;
    src->unrolled = -1;
    for (int d = 0; d <= inner; d++) {
        const ptrdiff_t shift = chain->shift == NULL || w->axis[d] == w->call->op->ndim ? 0 : chain->shift[w->axis[d]];
        src->lo[d] = 0;
        src->stride[d] = along(w, in, w->axis[d]);
        first[d] = lo[d] + shift;
        end[d] = hi[d] + shift;
    }
    t->band = chain->stage->band;
    t->input = chain->in;
    t->d = t->band == NULL ? inner : w->dimension[chain->stage->axis];
    t->stride = src->stride[t->d];
    t->first = first[t->d];
    t->end = end[t->d];
    t->in = locate(w, src, first, -1);
    t->head = t->tail = 0;
    t->ready = memory;
    t->stencil = t->d == inner && t->band != NULL ? &t->band->interior : NULL;
    if (t->stencil != NULL) {
        if (has_pair_loop(t->stencil))
            pair_weights(t->stencil, t->weight);
        memory = make_row_ends(w, t, src, first, end, memory);
    }
    give_back(w, first);
    return memory;
}

/* What a term across the run has for a line. Returns 0 if that is the same as before. */
static int find_line(line_chain *t, ptrdiff_t row)
{
    t->row = row;
    if (t->stencil != NULL && row >= t->since && row < t->until)
        return 0;
    const row_segment s = next_row_segment(t->band, row, t->end, 0);
    t->stencil = s.stencil;
    t->number = s.number;
    t->since = row;
    t->until = s.wraps || s.stencil->row_step != 0 ? row + 1 : s.end;
    if (has_pair_loop(s.stencil))
        pair_weights(s.stencil, t->weight);
    return 1;
}

/* A point of the line that is in the middle of its neighbours. */
static const char *middle(const line_chain *t)
{
    return fdx_at(t->in, t->stencil->offset + t->stencil->centre, t->stride);
}

/* The steps of a line's terms, n elements of it; returns how many. */
static int find_steps(const work *w, const line_chain *t, int chains, ptrdiff_t n, step *steps)
{
    kind is[MOST_BY_LINES];
    const fdx_stencil *stencil[MOST_BY_LINES];
    int count = 0, k = 0, of_one = 1;
    ptrdiff_t row_ends = 0;
    for (int j = 0; j < chains; j++) {
        is[j] = t[j].band == NULL ? ITSELF : t[j].d == w->ndim - 1 ? ALONG : ACROSS;
        stencil[j] = t[j].stencil;
        /* Of one input, so that this holds for all lines. The middle of a periodic row may lie around its ends. */
        of_one &= is[j] != ITSELF && is[0] != ITSELF && t[j].input == t->input && middle(&t[j]) == middle(t) &&
                  (!t[j].band->periodic || stencil[j]->offset + stencil[j]->centre == 0);
        row_ends += t[j].head + t[j].tail;
    }
    const int nth = find_cross(w, is, stencil, chains, of_one, n - row_ends);
    if (nth >= 0) {
        steps[0] = (step){CROSS, nth, FDX_SET};
        return 1;
    }
    for (int j = 0; j + 1 < chains; j++)
        if (is[j] == ACROSS && is[j + 1] == ACROSS && go_together(stencil[j], stencil[j + 1]))
            is[j++] = TWO_ACROSS;
    /* The run's term is the first to be computed, so that the last loop can write past the cache. */
    const int others = is[0] == TWO_ACROSS ? 2 : 1;
    if (others < chains && is[0] >= ACROSS && is[others] == ALONG) {
        steps[count++] = (step){ALONG, others, FDX_SET};
        steps[count++] = (step){is[0], 0, others == 2 ? FDX_PREPEND : FDX_ADD};
        k = others + 1;
    }
    for (; k < chains; k += is[k] == TWO_ACROSS ? 2 : 1)
        steps[count++] = (step){is[k], k, k == 0 ? FDX_SET : FDX_ADD};
    return count;
}

/* ---- writing past the cache ---- */

/* Memory that is written both past the cache and through it has to be read first, and that takes long. So only what
 * fills no cache line is written through it. */
static void flush(unfilled *r)
{
    if (r->n > 0)
        memcpy(r->to, r->data + (uintptr_t)r->to % FDX_CACHE_LINE, (size_t)r->n);
    r->n = 0;
}

static void pass(const work *w, unfilled *r, char *to, const char *from, ptrdiff_t bytes, const void *next)
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

/* The elements from .. to - 1 of a piece, but those of first .. last - 1 that a loop has written: their whole cache
 * lines. */
static void pass_row_ends(const work *w, const line_segment *p, ptrdiff_t from, ptrdiff_t to, ptrdiff_t first,
                          ptrdiff_t last)
{
    const ptrdiff_t size = w->itemsize;
    const ptrdiff_t written = first * size + (ptrdiff_t)(-(uintptr_t)(p->streamed_to + first * size) % FDX_CACHE_LINE);
    const ptrdiff_t end = last * size - (last * size - written) % FDX_CACHE_LINE;
    pass(w, p->kept, p->streamed_to + from * size, p->y + from * size, written - from * size, p->y);
    pass(w, p->kept, p->streamed_to + end, p->y + end, to * size - end, p->y);
}

/* ---- steps of a piece: the last one may write past the cache, and each returns whether it did ---- */

/* Can a loop of registers make a piece, and write it past the cache? */
static int can_pass(const line_segment *p, fdx_streaming_fn *loop, int last)
{
    return last && loop != NULL && p->n >= FDX_VECTOR_SUMS;
}

/* What is fetched while a piece is made; what is in the cache, if nothing is. */
static const char *prefetched_with(const work *w, const line_chain *t, const line_segment *p)
{
    return t->lookahead != 0 ? fdx_at(t->in + p->from * w->itemsize, t->lookahead, 1) : p->y;
}

/* Neighbours, of a band across the run, of a line's elements from `from` on. */
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

static int sum_across(const work *w, const line_chain *t, const line_segment *p, int mode, int last)
{
    const void **const x = w->neighbours;
    neighbours(w, t, p->from, x);
    if (has_pair_loop(t->stencil)) {
        const fdx_pairs *pairs = pairs_of(w, t->stencil);
        if (can_pass(p, pairs->one_streaming, last)) {
            const void *const next[2] = {prefetched_with(w, t, p)};
            pairs->one_streaming(p->streamed_to, p->y, x, p->n, t->weight, mode, next);
            pass_row_ends(w, p, 0, p->n, 0, p->n);
            return 1;
        }
        pairs->one(p->y, 0, x, p->n, t->weight, mode);
        return 0;
    }
    row_weights(t->stencil, t->number, w->weight);
    fdx_sum_row(w, t->stencil, x, w->weight, p->y, p->n, mode);
    return 0;
}

/* Neighbours and weights of terms across the run that go together. */
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
    if (can_pass(p, pairs->two_streaming, last)) {
        const void *const next[2] = {prefetched_with(w, t, p), prefetched_with(w, t + 1, p)};
        pairs->two_streaming(p->streamed_to, p->y, x, p->n, weight, mode, next);
        pass_row_ends(w, p, 0, p->n, 0, p->n);
        return 1;
    }
    pairs->two(p->y, 0, x, p->n, weight, mode);
    return 0;
}

/* What is ready of the ends of lines is copied; the interior is computed, line by line. */
static void sum_along(const work *w, const line_chain *t, const line_segment *p, int mode)
{
    const ptrdiff_t per_point = w->per_point, size = w->itemsize, head = t->head * per_point,
                    inner_end = p->whole - t->tail * per_point;
    const ptrdiff_t n = MIN(p->n, p->whole), end = p->from + n;
    const ptrdiff_t from = MIN(MAX(p->from, head), end), to = MAX(from, MIN(end, inner_end));
    char *line[TOGETHER], *behind[TOGETHER];
    for (ptrdiff_t k = 0; k < p->lines; k++) {
        line[k] = p->y + k * n * size;
        behind[k] = line[k] + (to - p->from) * size;
    }
    if (p->from < from)
        fdx_transpose_out(w, t->ready + p->from / per_point * t->apart, t->apart, line, p->lines, per_point * size,
                          (from - p->from) / per_point, mode);
    if (to < end)
        fdx_transpose_out(w, t->ready + (to - inner_end + head) / per_point * t->apart, t->apart, behind, p->lines,
                          per_point * size, (end - to) / per_point, mode);
    fdx_along_fn *loop = along_loop(w, t->stencil, to - from);
    const char *in = t->in;
    for (ptrdiff_t k = 0; k < p->lines; k++, in += p->whole * size) {
        char *y = line[k] + (from - p->from) * size;
        if (loop != NULL) {
            const char *centre = in + (from + t->stencil->offset + t->stencil->centre) * size;
            loop(y, centre, to - from, t->weight, mode,
                 t->lookahead != 0 ? fdx_at(in + from * size, t->lookahead, 1) : y);
            continue;
        }
        for (ptrdiff_t at = from, stop; at < to; at = stop) {
            const row_segment s = next_row_segment(t->band, t->first + at / per_point, t->end - t->tail, 0);
            stop = MIN(to, (s.end - t->first) * per_point);
            fdx_sum_inner(w, s.stencil, s.number, in + at * size, y + (at - from) * size, stop - at, mode);
        }
    }
}

static void sum_itself(const work *w, const line_chain *t, const line_segment *p, int mode)
{
    const char *x = t->in + p->from * w->itemsize;
    if (mode == FDX_SET)
        memcpy(p->y, x, (size_t)(p->n * w->itemsize));
    else
        w->sums->combine(p->y, x, NULL, p->n, FDX_ADD);
}

/* Returns whether it wrote past the cache, which only the last step may do. */
static int make_step(const work *w, const line_chain *t, const step *s, const line_segment *p, int last)
{
    if (s->is == ACROSS)
        return sum_across(w, &t[s->chain], p, s->mode, last);
    if (s->is == TWO_ACROSS)
        return sum_two_across(w, &t[s->chain], p, s->mode, last);
    if (s->is == ALONG)
        sum_along(w, &t[s->chain], p, s->mode);
    else
        sum_itself(w, &t[s->chain], p, s->mode);
    return 0;
}

/* Whole lines that follow each other, of at most two terms across the run and one, the nth, along it, n elements in
 * each. */
static void sum_cross(const work *w, const line_chain *t, int chains, int nth, char *to, unfilled *kept, ptrdiff_t n,
                      ptrdiff_t lines)
{
    const line_chain *inner = &t[nth], *across = nth == 0 ? &t[1] : t;
    const int pairs = inner->stencil->centre;
    const ptrdiff_t size = w->itemsize, bytes = n * lines * size;
    const void *x[2 * (2 * FDX_PAIRS + 1)];
    double weight[3 * FDX_PAIRS];
    rows_and_weights(w, across, chains - 1, 0, x, weight);
    for (int j = 0; j < pairs; j++)
        weight[(chains - 1) * pairs + j] = inner->weight[j];
    fdx_cross c = {to,           w->line,      x,      middle(inner),     n, lines, inner->head, inner->tail,
                   inner->ready, inner->apart, weight, {NULL, NULL, NULL}};
    int prefetches = 0;
    for (int k = 0; k < chains; k++)
        if (t[k].lookahead != 0)
            c.next[prefetches++] = fdx_at(t[k].in, t[k].lookahead, 1);
    while (prefetches < chains)
        c.next[prefetches++] = inner->in;
    pairs_of(w, inner->stencil)->cross[chains - 1](&c);
    const ptrdiff_t first = (ptrdiff_t)(-(uintptr_t)to % FDX_CACHE_LINE), rest = (bytes - first) % FDX_CACHE_LINE;
    pass(w, kept, to, w->line, first, w->line);
    pass(w, kept, to + bytes - rest, w->line + FDX_CACHE_LINE, rest, w->line);
}

/* All steps of a piece; the last one begins `left` elements earlier, and leaves out the last `leaves`. */
static void make_segment(const work *w, const line_chain *t, const step *steps, int count, line_segment p,
                         ptrdiff_t left, ptrdiff_t leaves)
{
    for (int k = 0; k + 1 < count; k++)
        make_step(w, t, &steps[k], &p, 0);
    p.y -= left * w->itemsize;
    p.streamed_to -= left * w->itemsize;
    p.from -= left;
    p.n += left - leaves;
    if (p.n > 0 && !make_step(w, t, &steps[count - 1], &p, 1))
        pass(w, p.kept, p.streamed_to, p.y, p.n * w->itemsize, prefetched_with(w, t, &p));
}

/* Lines that follow each other, n elements together, in pieces of at most `most` bytes. `goes_on`: what follows is made
 * in the same way. Cache lines are written whole: where a piece ends within one, the last step leaves those elements,
 * *left of them, to what comes next, if it can. */
static void make_segments(const work *w, const line_chain *t, const step *steps, int count, line_segment p,
                          ptrdiff_t most, ptrdiff_t n, int goes_on, ptrdiff_t *left)
{
    const ptrdiff_t size = w->itemsize;
    const int can_leave = steps[count - 1].is != ALONG;
    for (; p.from < n; p.from += p.n) {
        const ptrdiff_t beside = (ptrdiff_t)((uintptr_t)p.streamed_to % FDX_CACHE_LINE);
        p.y = w->line + beside; /* aligned as the output is; before it lies what is left */
        p.n = MIN(most / size, n - p.from);
        if (p.n < n - p.from) { /* so that the next one is aligned, and begins with a row */
            p.n -= can_leave ? 0 : beside / size;
            p.n -= w->per_point > 1 ? p.n % w->per_point : 0;
        }
        ptrdiff_t leaves = 0;
        if (can_leave && (goes_on || p.from + p.n < n))
            leaves = MIN(*left + p.n, (ptrdiff_t)((uintptr_t)(p.streamed_to + p.n * size) % FDX_CACHE_LINE) / size);
        make_segment(w, t, steps, count, p, *left, leaves);
        p.streamed_to += p.n * size;
        memmove(w->line + (ptrdiff_t)((uintptr_t)p.streamed_to % FDX_CACHE_LINE) - leaves * size,
                p.y + (p.n - leaves) * size, (size_t)(leaves * size));
        *left = leaves;
    }
}

/* ---- lines of a block ---- */

/* What is fetched: the neighbours on the march, a little ahead; or the next block, with the ends of its lines. One
 * input for each output, if others are left to those that come. */
static void choose_prefetches(const work *w, const fdx_chain *chain, int n, const view *src, line_chain *t,
                              uint64_t *prefetched)
{
    const int inner = w->ndim - 1;
    int onward = 0, prefetches = 0;
    for (int d = 0; d <= inner && w->sweep < 0; d++)
        onward = w->block[d] < w->n[d] ? d : onward;
    for (int k = 0; k < n; k++) {
        t[k].lookahead = 0;
        if (*prefetched >> chain[k].in & 1 || (prefetches > 0 && chain->out + 1 < w->call->op->noutputs))
            continue;
        *prefetched |= (uint64_t)1 << chain[k].in;
        prefetches++;
        const int d = w->sweep < 0 ? onward : w->sweep;
        const size_t rows = (size_t)(w->sweep < 0 ? w->block[d] : w->lookahead);
        t[k].lookahead = (ptrdiff_t)(rows * (size_t)src[k].stride[d] + (w->sweep < 0 ? 0 : (size_t)PREFETCH));
    }
}

void fdx_make_lines(const work *w, const fdx_chain *chain, int n, const view *y, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, uint64_t *prefetched)
{
    const int inner = w->ndim - 1;
    const ptrdiff_t whole = (hi[inner] - lo[inner]) * w->per_point, size = w->itemsize;
    line_chain t[MOST_BY_LINES];
    view src[MOST_BY_LINES];
    step steps[MOST_BY_LINES];
    ptrdiff_t *const at = take(w, 1);
    unfilled kept = {NULL, 0, {0}};
    char *memory = w->row_ends;
    int in_a_row = inner > 0 && y->stride[inner - 1] == whole * size;
    /* Short pieces are quicker where sums are read again; but with more than a pair of neighbours loops take long to
     * begin. */
    int longer = n == 1;
    for (int k = 0; k < n; k++) {
        take_view(w, &src[k]);
        memory = begin_chain(w, &chain[k], lo, hi, &t[k], &src[k], memory);
        in_a_row &= inner > 0 && src[k].stride[inner - 1] == whole * size;
        longer |= t[k].d != inner && t[k].band->interior.count > 3;
    }
    choose_prefetches(w, chain, n, src, t, prefetched);
    const ptrdiff_t most = (longer ? LONGER : 1) * LINE_SEGMENT, arena = MIN(TOGETHER, MAX(1, most / (whole * size)));
    char *out = locate(w, y, lo, -1);
    ptrdiff_t left = 0; /* elements */
    int count = 0;
    copy(w, at, lo);
    for (;;) {
        /* Lines together: those that are alike and follow each other. */
        ptrdiff_t together = in_a_row ? hi[inner - 1] - at[inner - 1] : 1;
        int changed = count == 0;
        for (int k = 0; k < n; k++)
            if (t[k].d != inner) {
                changed |= find_line(&t[k], t[k].first + at[t[k].d] - lo[t[k].d]);
                together = t[k].d == inner - 1 ? MIN(together, t[k].until - t[k].row) : together;
            }
        if (changed)
            count = find_steps(w, t, n, whole, steps);
        if (steps[0].is == CROSS) {
            sum_cross(w, t, n, steps[0].chain, out, &kept, whole, together);
        } else {
            const ptrdiff_t stencil = together;
            together = MIN(stencil, arena); /* in one piece */
            const line_segment p = {NULL, out, &kept, 0, 0, whole, together};
            make_segments(w, t, steps, count, p, most, together * whole, together < stencil, &left);
        }
        for (int k = 0; k < n; k++)
            t[k].ready += together * w->per_point * size;
        int d = inner - 1;
        for (; d >= 0; d--) {
            const ptrdiff_t lines = d == inner - 1 ? together : 1;
            const int on = at[d] + lines < hi[d];
            const ptrdiff_t move = on ? lines : lo[d] - at[d];
            at[d] += move;
            out += move * y->stride[d];
            for (int k = 0; k < n; k++)
                t[k].in += move * src[k].stride[d];
            if (on)
                break;
        }
        if (d < 0)
            break;
    }
    flush(&kept);
    give_back(w, at);
}
