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
    ptrdiff_t ahead;      /* bytes from an element of the input to what is fetched; 0: nothing */
    /* in a line: */
    const char *in;              /* its first element in the input */
    const char *ready;           /* its rows that were computed before, the first of them */
    const fdx_rows_alike *alike; /* across the run: the kind of row that the line is; along it: the interior */
    ptrdiff_t row, number;       /* across the run: the line's number in the band, and among these */
    ptrdiff_t since, until;      /* across the run: these rows are like it in everything */
    double weight[FDX_PAIRS];    /* of pairs */
} line_term;

/* What one loop, or a few, do to a line: in their order, terms are added up. */
typedef enum { ITSELF, ALONG, ACROSS, TWO_ACROSS, CROSS } kind;
typedef struct {
    kind is;
    int term, mode;
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
    char *past;        /* where it is written past the cache, by the last step */
    unfilled *kept;    /* what of the output, before this, has filled no cache line yet */
    ptrdiff_t from, n; /* its elements of the line */
    ptrdiff_t whole;   /* elements of the line */
    ptrdiff_t lines;   /* more than one: whole ones */
} line_piece;

/* ---- which outputs ---- */

static int is_along_run(const work *w, const fdx_stage *stage)
{
    return stage->band != NULL && w->dimension[stage->axis] == w->ndim - 1;
}

/* The most rows at the ends of a line that a band along the run computes by columns. */
static ptrdiff_t most_ends(const work *w, const fdx_band *band)
{
    if (w->unit >= BY_COLUMNS && !band->periodic)
        return 0;
    /* and the interior, where it is short */
    const ptrdiff_t first = band->interior.first, wrapping = MAX(0, -first) + MAX(0, first + band->interior.count - 1);
    return (band->periodic ? wrapping : band->nfirst + band->nlast) + BY_COLUMNS;
}

/* Are two rows sums of as many pairs? */
static int go_together(const fdx_rows_alike *a, const fdx_rows_alike *b)
{
    return is_quick(a) && a->form == b->form && a->own == b->own;
}

/* Can one loop sum up terms of such rows, n elements of them? At most two that go across the run and one along it,
 * whose number is returned; else -1. It is the last one to be added, or there are two: a + b is b + a, but for which
 * NaN comes of two, and that is not promised. `of_one`: they have the same point in their middle. */
static int find_cross(const work *w, const kind *is, const fdx_rows_alike *const *alike, int terms, int of_one,
                      ptrdiff_t n)
{
    const int nth = terms == 2 && is[0] == ALONG ? 0 : terms - 1;
    if (terms > 3 || is[nth] != ALONG || along_loop(w, alike[nth], n) == NULL)
        return -1;
    for (int k = 0; k < terms; k++)
        if (k != nth && (is[k] != ACROSS || !go_together(alike[k], alike[nth])))
            return -1;
    return alike[nth]->form == FDX_ODD || of_one ? nth : -1;
}

int fdx_is_by_lines(const work *w, const fdx_term *term, int n)
{
    kind is[MOST_BY_LINES];
    const fdx_rows_alike *alike[MOST_BY_LINES];
    int many = 0, of_one = 1;
    ptrdiff_t together = 0; /* rows that are read at the same places of the L1 cache */
    if (!(w->streamed >> term->out & 1) || n > MOST_BY_LINES || w->n[w->ndim - 1] * w->unit < LINE_LEAST ||
        w->across >= 0)
        return 0;
    for (int k = 0; k < n; k++) {
        const fdx_stage *stage = term[k].stage;
        if (term[k].nstages != 1 || stage->factor != NULL || !is_direct(w, &term[k]))
            return 0;
        is[k] = stage->band == NULL ? ITSELF : is_along_run(w, stage) ? ALONG : ACROSS;
        alike[k] = stage->band == NULL ? NULL : &stage->band->interior;
        of_one &= term[k].in == term->in;
        if (is[k] == ALONG && (most_ends(w, stage->band) > MOST_ENDS || (w->unit > 1 && alike[k]->row_step != 0)))
            return 0;
        if (is[k] == ACROSS && alike[k]->count > MOST_ROWS) {
            const size_t stride = fdx_distance(along(w, &w->call->in[term[k].in], stage->axis));
            many |= stride > (size_t)(IN_L1 / alike[k]->count);
            const ptrdiff_t power = (ptrdiff_t)MIN(stride & (0 - stride), (size_t)WAY); /* of two */
            together += (alike[k]->count * power + WAY - 1) / WAY;
        }
    }
    return !many || (together <= WAYS && find_cross(w, is, alike, n, of_one, w->n[w->ndim - 1]) >= 0);
}

ptrdiff_t fdx_ends_size(const work *w, const fdx_term *term, int n, ptrdiff_t lines)
{
    ptrdiff_t rows = 0;
    for (int k = 0; k < n; k++)
        if (is_along_run(w, term[k].stage))
            rows += most_ends(w, term[k].stage->band);
    return rows * lines * w->unit * w->itemsize;
}

/* ---- terms of a block and of a line ---- */

static void pair_weights(const fdx_rows_alike *alike, double *weight)
{
    for (int k = 0; k < alike->own; k++)
        weight[k] = alike->w[(alike->own + 1 + k) * alike->tap_step];
}

/* What a band along the run has at the ends of the lines of the box [lo, hi); returns the memory behind it. */
static char *make_ends(const work *w, line_term *t, const place *src, const ptrdiff_t *lo, const ptrdiff_t *hi,
                       char *memory)
{
    const int run = w->ndim - 1;
    ptrdiff_t last = lo[run];
    t->head = -1;
    for (ptrdiff_t r = lo[run], end; r < hi[run]; r = end) {
        const stretch s = next_stretch(t->band, r, hi[run], 0);
        end = s.end;
        if (by_rows(w, &s, r)) {
            t->head = t->head < 0 ? r - lo[run] : t->head;
            last = end;
        }
    }
    if (t->head < 0) { /* no stretch is long enough: every row */
        last = hi[run];
        t->head = last - lo[run];
    }
    t->tail = hi[run] - last;
    t->ready = memory;
    if (t->head + t->tail == 0)
        return memory;
    place ends; /* row by row, each of all lines */
    ptrdiff_t stride = w->itemsize * w->unit;
    take_place(w, &ends);
    ends.data = memory;
    ends.unrolled = -1;
    ends.lo[run] = lo[run];
    for (int d = run - 1; d >= 0; d--) {
        ends.lo[d] = lo[d];
        ends.stride[d] = stride;
        stride *= hi[d] - lo[d];
    }
    ends.stride[run] = t->apart = stride;
    fdx_by_columns(w, t->band, src, &ends, lo, hi, lo[run], lo[run] + t->head, FDX_SET);
    ends.lo[run] = last - t->head;
    fdx_by_columns(w, t->band, src, &ends, lo, hi, last, hi[run], FDX_SET);
    give_back(w, ends.lo);
    return memory + (t->head + t->tail) * stride;
}

/* A term in the box [lo, hi) of results, and its input, whose numbers have been taken; returns the memory behind what
 * it keeps of their ends. */
static char *begin_term(const work *w, const fdx_term *term, const ptrdiff_t *lo, const ptrdiff_t *hi, line_term *t,
                        place *src, char *memory)
{
    const fdx_array *in = &w->call->in[term->in];
    const int run = w->ndim - 1;
    ptrdiff_t *const first = take(w, 2), *const end = first + w->ndim;
    src->data = (char *)in->data;
    src->unrolled = -1;
    for (int d = 0; d <= run; d++) {
        const ptrdiff_t shift = term->shift == NULL || w->axis[d] == w->call->op->ndim ? 0 : term->shift[w->axis[d]];
        src->lo[d] = 0;
        src->stride[d] = along(w, in, w->axis[d]);
        first[d] = lo[d] + shift;
        end[d] = hi[d] + shift;
    }
    t->band = term->stage->band;
    t->input = term->in;
    t->d = t->band == NULL ? run : w->dimension[term->stage->axis];
    t->stride = src->stride[t->d];
    t->first = first[t->d];
    t->end = end[t->d];
    t->in = locate(w, src, first, -1);
    t->head = t->tail = 0;
    t->ready = memory;
    t->alike = t->d == run && t->band != NULL ? &t->band->interior : NULL;
    if (t->alike != NULL) {
        if (is_quick(t->alike))
            pair_weights(t->alike, t->weight);
        memory = make_ends(w, t, src, first, end, memory);
    }
    give_back(w, first);
    return memory;
}

/* What a term across the run has for a line. Returns 0 if that is the same as before. */
static int find_line(line_term *t, ptrdiff_t row)
{
    t->row = row;
    if (t->alike != NULL && row >= t->since && row < t->until)
        return 0;
    const stretch s = next_stretch(t->band, row, t->end, 0);
    t->alike = s.alike;
    t->number = s.number;
    t->since = row;
    t->until = s.wraps || s.alike->row_step != 0 ? row + 1 : s.end;
    if (is_quick(s.alike))
        pair_weights(s.alike, t->weight);
    return 1;
}

/* A point of the line that is in the middle of its neighbours. */
static const char *middle(const line_term *t)
{
    return fdx_at(t->in, t->alike->first + t->alike->own, t->stride);
}

/* The steps of a line's terms, n elements of it; returns how many. */
static int find_steps(const work *w, const line_term *t, int terms, ptrdiff_t n, step *steps)
{
    kind is[MOST_BY_LINES];
    const fdx_rows_alike *alike[MOST_BY_LINES];
    int count = 0, k = 0, of_one = 1;
    ptrdiff_t ends = 0;
    for (int j = 0; j < terms; j++) {
        is[j] = t[j].band == NULL ? ITSELF : t[j].d == w->ndim - 1 ? ALONG : ACROSS;
        alike[j] = t[j].alike;
        /* Of one input, so that this holds for all lines. The middle of a periodic row may lie around its ends. */
        of_one &= is[j] != ITSELF && is[0] != ITSELF && t[j].input == t->input && middle(&t[j]) == middle(t) &&
                  (!t[j].band->periodic || alike[j]->first + alike[j]->own == 0);
        ends += t[j].head + t[j].tail;
    }
    const int nth = find_cross(w, is, alike, terms, of_one, n - ends);
    if (nth >= 0) {
        steps[0] = (step){CROSS, nth, FDX_SET};
        return 1;
    }
    for (int j = 0; j + 1 < terms; j++)
        if (is[j] == ACROSS && is[j + 1] == ACROSS && go_together(alike[j], alike[j + 1]))
            is[j++] = TWO_ACROSS;
    /* The run's term is the first to be computed, so that the last loop can write past the cache. */
    const int others = is[0] == TWO_ACROSS ? 2 : 1;
    if (others < terms && is[0] >= ACROSS && is[others] == ALONG) {
        steps[count++] = (step){ALONG, others, FDX_SET};
        steps[count++] = (step){is[0], 0, others == 2 ? FDX_AHEAD : FDX_ADD};
        k = others + 1;
    }
    for (; k < terms; k += is[k] == TWO_ACROSS ? 2 : 1)
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
static void pass_ends(const work *w, const line_piece *p, ptrdiff_t from, ptrdiff_t to, ptrdiff_t first, ptrdiff_t last)
{
    const ptrdiff_t size = w->itemsize;
    const ptrdiff_t written = first * size + (ptrdiff_t)(-(uintptr_t)(p->past + first * size) % FDX_CACHE_LINE);
    const ptrdiff_t end = last * size - (last * size - written) % FDX_CACHE_LINE;
    pass(w, p->kept, p->past + from * size, p->y + from * size, written - from * size, p->y);
    pass(w, p->kept, p->past + end, p->y + end, to * size - end, p->y);
}

/* ---- steps of a piece: the last one may write past the cache, and each returns whether it did ---- */

/* Can a loop of registers make a piece, and write it past the cache? */
static int can_pass(const line_piece *p, fdx_past_fn *loop, int last)
{
    return last && loop != NULL && p->n >= FDX_VECTOR_SUMS;
}

/* What is fetched while a piece is made; what is in the cache, if nothing is. */
static const char *fetched_with(const work *w, const line_term *t, const line_piece *p)
{
    return t->ahead != 0 ? fdx_at(t->in + p->from * w->itemsize, t->ahead, 1) : p->y;
}

/* Neighbours, of a band across the run, of a line's elements from `from` on. */
static void neighbours(const work *w, const line_term *t, ptrdiff_t from, const void **x)
{
    const ptrdiff_t count = t->alike->count;
    const char *near = fdx_at(t->in + from * w->itemsize, t->alike->first, t->stride);
    for (ptrdiff_t k = 0; k < count; k++, near = fdx_at(near, 1, t->stride))
        x[k] = near;
    if (t->band->periodic) {
        const ptrdiff_t column = t->row + t->alike->first, n = t->band->columns;
        for (ptrdiff_t k = 0; k < count; k++)
            x[k] = fdx_at(x[k], column + k < 0 ? n : column + k >= n ? -n : 0, t->stride);
    }
}

static int sum_across(const work *w, const line_term *t, const line_piece *p, int mode, int last)
{
    const void **const x = w->near;
    neighbours(w, t, p->from, x);
    if (is_quick(t->alike)) {
        const fdx_pairs *pairs = pairs_of(w, t->alike);
        if (can_pass(p, pairs->one_past, last)) {
            const void *const next[2] = {fetched_with(w, t, p)};
            pairs->one_past(p->past, p->y, x, p->n, t->weight, mode, next);
            pass_ends(w, p, 0, p->n, 0, p->n);
            return 1;
        }
        pairs->one(p->y, 0, x, p->n, t->weight, mode);
        return 0;
    }
    row_weights(t->alike, t->number, w->weight);
    fdx_sum_row(w, t->alike, x, w->weight, p->y, p->n, mode);
    return 0;
}

/* Neighbours and weights of terms across the run that go together. */
static void rows_and_weights(const work *w, const line_term *t, int terms, ptrdiff_t from, const void **x,
                             double *weight)
{
    for (int k = 0; k < terms; k++) {
        neighbours(w, &t[k], from, x + k * t->alike->count);
        for (int j = 0; j < t->alike->own; j++)
            weight[k * t->alike->own + j] = t[k].weight[j];
    }
}

static int sum_two_across(const work *w, const line_term *t, const line_piece *p, int mode, int last)
{
    const fdx_pairs *pairs = pairs_of(w, t->alike);
    const void *x[2 * (2 * FDX_PAIRS + 1)];
    double weight[2 * FDX_PAIRS];
    rows_and_weights(w, t, 2, p->from, x, weight);
    if (can_pass(p, pairs->two_past, last)) {
        const void *const next[2] = {fetched_with(w, t, p), fetched_with(w, t + 1, p)};
        pairs->two_past(p->past, p->y, x, p->n, weight, mode, next);
        pass_ends(w, p, 0, p->n, 0, p->n);
        return 1;
    }
    pairs->two(p->y, 0, x, p->n, weight, mode);
    return 0;
}

/* What is ready of the ends of lines is copied; the interior is computed, line by line. */
static void sum_along(const work *w, const line_term *t, const line_piece *p, int mode)
{
    const ptrdiff_t unit = w->unit, size = w->itemsize, head = t->head * unit, inner_end = p->whole - t->tail * unit;
    const ptrdiff_t n = MIN(p->n, p->whole), end = p->from + n;
    const ptrdiff_t from = MIN(MAX(p->from, head), end), to = MAX(from, MIN(end, inner_end));
    char *line[TOGETHER], *behind[TOGETHER];
    for (ptrdiff_t k = 0; k < p->lines; k++) {
        line[k] = p->y + k * n * size;
        behind[k] = line[k] + (to - p->from) * size;
    }
    if (p->from < from)
        fdx_turn_back(w, t->ready + p->from / unit * t->apart, t->apart, line, p->lines, unit * size,
                      (from - p->from) / unit, mode);
    if (to < end)
        fdx_turn_back(w, t->ready + (to - inner_end + head) / unit * t->apart, t->apart, behind, p->lines, unit * size,
                      (end - to) / unit, mode);
    fdx_along_fn *loop = along_loop(w, t->alike, to - from);
    const char *in = t->in;
    for (ptrdiff_t k = 0; k < p->lines; k++, in += p->whole * size) {
        char *y = line[k] + (from - p->from) * size;
        if (loop != NULL) {
            const char *own = in + (from + t->alike->first + t->alike->own) * size;
            loop(y, own, to - from, t->weight, mode, t->ahead != 0 ? fdx_at(in + from * size, t->ahead, 1) : y);
            continue;
        }
        for (ptrdiff_t at = from, stop; at < to; at = stop) {
            const stretch s = next_stretch(t->band, t->first + at / unit, t->end - t->tail, 0);
            stop = MIN(to, (s.end - t->first) * unit);
            fdx_sum_run(w, s.alike, s.number, in + at * size, y + (at - from) * size, stop - at, mode);
        }
    }
}

static void sum_itself(const work *w, const line_term *t, const line_piece *p, int mode)
{
    const char *x = t->in + p->from * w->itemsize;
    if (mode == FDX_SET)
        memcpy(p->y, x, (size_t)(p->n * w->itemsize));
    else
        w->sums->combine(p->y, x, NULL, p->n, FDX_ADD);
}

/* Returns whether it wrote past the cache, which only the last step may do. */
static int make_step(const work *w, const line_term *t, const step *s, const line_piece *p, int last)
{
    if (s->is == ACROSS)
        return sum_across(w, &t[s->term], p, s->mode, last);
    if (s->is == TWO_ACROSS)
        return sum_two_across(w, &t[s->term], p, s->mode, last);
    if (s->is == ALONG)
        sum_along(w, &t[s->term], p, s->mode);
    else
        sum_itself(w, &t[s->term], p, s->mode);
    return 0;
}

/* Whole lines that follow each other, of at most two terms across the run and one, the nth, along it, n elements in
 * each. */
static void sum_cross(const work *w, const line_term *t, int terms, int nth, char *to, unfilled *kept, ptrdiff_t n,
                      ptrdiff_t lines)
{
    const line_term *run = &t[nth], *across = nth == 0 ? &t[1] : t;
    const int pairs = run->alike->own;
    const ptrdiff_t size = w->itemsize, bytes = n * lines * size;
    const void *x[2 * (2 * FDX_PAIRS + 1)];
    double weight[3 * FDX_PAIRS];
    rows_and_weights(w, across, terms - 1, 0, x, weight);
    for (int j = 0; j < pairs; j++)
        weight[(terms - 1) * pairs + j] = run->weight[j];
    fdx_cross c = {to,        w->line,   x,          middle(run), n,      lines,
                   run->head, run->tail, run->ready, run->apart,  weight, {NULL, NULL, NULL}};
    int fetches = 0;
    for (int k = 0; k < terms; k++)
        if (t[k].ahead != 0)
            c.next[fetches++] = fdx_at(t[k].in, t[k].ahead, 1);
    while (fetches < terms)
        c.next[fetches++] = run->in;
    pairs_of(w, run->alike)->cross[terms - 1](&c);
    const ptrdiff_t first = (ptrdiff_t)(-(uintptr_t)to % FDX_CACHE_LINE), rest = (bytes - first) % FDX_CACHE_LINE;
    pass(w, kept, to, w->line, first, w->line);
    pass(w, kept, to + bytes - rest, w->line + FDX_CACHE_LINE, rest, w->line);
}

/* All steps of a piece; the last one begins `left` elements earlier, and leaves out the last `leaves`. */
static void make_piece(const work *w, const line_term *t, const step *steps, int count, line_piece p, ptrdiff_t left,
                       ptrdiff_t leaves)
{
    for (int k = 0; k + 1 < count; k++)
        make_step(w, t, &steps[k], &p, 0);
    p.y -= left * w->itemsize;
    p.past -= left * w->itemsize;
    p.from -= left;
    p.n += left - leaves;
    if (p.n > 0 && !make_step(w, t, &steps[count - 1], &p, 1))
        pass(w, p.kept, p.past, p.y, p.n * w->itemsize, fetched_with(w, t, &p));
}

/* Lines that follow each other, n elements together, in pieces of at most `most` bytes. `goes_on`: what follows is made
 * in the same way. Cache lines are written whole: where a piece ends within one, the last step leaves those elements,
 * *left of them, to what comes next, if it can. */
static void make_pieces(const work *w, const line_term *t, const step *steps, int count, line_piece p, ptrdiff_t most,
                        ptrdiff_t n, int goes_on, ptrdiff_t *left)
{
    const ptrdiff_t size = w->itemsize;
    const int can_leave = steps[count - 1].is != ALONG;
    for (; p.from < n; p.from += p.n) {
        const ptrdiff_t beside = (ptrdiff_t)((uintptr_t)p.past % FDX_CACHE_LINE);
        p.y = w->line + beside; /* aligned as the output is; before it lies what is left */
        p.n = MIN(most / size, n - p.from);
        if (p.n < n - p.from) { /* so that the next one is aligned, and begins with a row */
            p.n -= can_leave ? 0 : beside / size;
            p.n -= w->unit > 1 ? p.n % w->unit : 0;
        }
        ptrdiff_t leaves = 0;
        if (can_leave && (goes_on || p.from + p.n < n))
            leaves = MIN(*left + p.n, (ptrdiff_t)((uintptr_t)(p.past + p.n * size) % FDX_CACHE_LINE) / size);
        make_piece(w, t, steps, count, p, *left, leaves);
        p.past += p.n * size;
        memmove(w->line + (ptrdiff_t)((uintptr_t)p.past % FDX_CACHE_LINE) - leaves * size, p.y + (p.n - leaves) * size,
                (size_t)(leaves * size));
        *left = leaves;
    }
}

/* ---- lines of a block ---- */

/* What is fetched: the neighbours on the march, a little ahead; or the next block, with the ends of its lines. One
 * input for each output, if others are left to those that come. */
static void choose_fetches(const work *w, const fdx_term *term, int n, const place *src, line_term *t,
                           uint64_t *fetched)
{
    const int run = w->ndim - 1;
    int onward = 0, fetches = 0;
    for (int d = 0; d <= run && w->march < 0; d++)
        onward = w->block[d] < w->n[d] ? d : onward;
    for (int k = 0; k < n; k++) {
        t[k].ahead = 0;
        if (*fetched >> term[k].in & 1 || (fetches > 0 && term->out + 1 < w->call->op->noutputs))
            continue;
        *fetched |= (uint64_t)1 << term[k].in;
        fetches++;
        const int d = w->march < 0 ? onward : w->march;
        const size_t rows = (size_t)(w->march < 0 ? w->block[d] : w->ahead);
        t[k].ahead = (ptrdiff_t)(rows * (size_t)src[k].stride[d] + (w->march < 0 ? 0 : (size_t)FETCHED));
    }
}

void fdx_make_lines(const work *w, const fdx_term *term, int n, const place *y, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, uint64_t *fetched)
{
    const int run = w->ndim - 1;
    const ptrdiff_t whole = (hi[run] - lo[run]) * w->unit, size = w->itemsize;
    line_term t[MOST_BY_LINES];
    place src[MOST_BY_LINES];
    step steps[MOST_BY_LINES];
    ptrdiff_t *const at = take(w, 1);
    unfilled kept = {NULL, 0, {0}};
    char *memory = w->ends;
    int in_a_row = run > 0 && y->stride[run - 1] == whole * size;
    /* Short pieces are quicker where sums are read again; but with more than a pair of neighbours loops take long to
     * begin. */
    int longer = n == 1;
    for (int k = 0; k < n; k++) {
        take_place(w, &src[k]);
        memory = begin_term(w, &term[k], lo, hi, &t[k], &src[k], memory);
        in_a_row &= run > 0 && src[k].stride[run - 1] == whole * size;
        longer |= t[k].d != run && t[k].band->interior.count > 3;
    }
    choose_fetches(w, term, n, src, t, fetched);
    const ptrdiff_t most = (longer ? LONGER : 1) * LINE_PIECE, room = MIN(TOGETHER, MAX(1, most / (whole * size)));
    char *out = locate(w, y, lo, -1);
    ptrdiff_t left = 0; /* elements */
    int count = 0;
    copy(w, at, lo);
    for (;;) {
        /* Lines together: those that are alike and follow each other. */
        ptrdiff_t together = in_a_row ? hi[run - 1] - at[run - 1] : 1;
        int changed = count == 0;
        for (int k = 0; k < n; k++)
            if (t[k].d != run) {
                changed |= find_line(&t[k], t[k].first + at[t[k].d] - lo[t[k].d]);
                together = t[k].d == run - 1 ? MIN(together, t[k].until - t[k].row) : together;
            }
        if (changed)
            count = find_steps(w, t, n, whole, steps);
        if (steps[0].is == CROSS) {
            sum_cross(w, t, n, steps[0].term, out, &kept, whole, together);
        } else {
            const ptrdiff_t alike = together;
            together = MIN(alike, room); /* in one piece */
            const line_piece p = {NULL, out, &kept, 0, 0, whole, together};
            make_pieces(w, t, steps, count, p, most, together * whole, together < alike, &left);
        }
        for (int k = 0; k < n; k++)
            t[k].ready += together * w->unit * size;
        int d = run - 1;
        for (; d >= 0; d--) {
            const ptrdiff_t lines = d == run - 1 ? together : 1;
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
