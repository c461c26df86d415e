/* Long outputs line by line: of each piece of a line all terms are summed up, one after the other, while it is in the
 * first-level cache, and the last loop writes it past the cache. So arrays are read and written from one end to the
 * other, and reading, adding up and writing alternate often enough for a processor to do all three at once.
 *
 * This is for outputs that pass the cache by and whose terms are each one band, or none, of an input that lies as row
 * loops can read it. What a band along the run has at the ends of lines is computed before, for all lines of a block,
 * by columns.
 *
 * Short lines that follow each other in memory are one piece together, but for what goes along them. And the last loop
 * writes whole cache lines: what does not fill one at the end of a piece, it leaves to the next one, if that is made in
 * the same way; else it is kept, as at the beginning, until what comes next in memory fills the line. */
#include "fdx_operator.h"

/* A term, in a block. Small, as lines whose neighbours are a power of two apart leave little of the cache. */
typedef struct {
    const fdx_band *band; /* NULL: the identity */
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
typedef enum { ITSELF, ALONG, ACROSS, TWO_ACROSS } kind;
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

int fdx_is_by_lines(const work *w, const fdx_term *term, int n)
{
    if (!(w->streamed >> term->out & 1) || n > MOST_BY_LINES || w->n[w->ndim - 1] * w->unit < LINE_LEAST ||
        w->across >= 0)
        return 0;
    for (int k = 0; k < n; k++) {
        const fdx_stage *stage = term[k].stage;
        if (term[k].nstages != 1 || stage->factor != NULL || !is_direct(w, &term[k]))
            return 0;
        if (stage->band == NULL)
            continue;
        if (is_along_run(w, stage)
                ? most_ends(w, stage->band) > MOST_ENDS || (w->unit > 1 && stage->band->interior.row_step != 0)
                : stage->band->interior.count > MOST_ROWS)
            return 0;
    }
    return 1;
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
    ends.data = memory;
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
    return memory + (t->head + t->tail) * stride;
}

/* A term in the box [lo, hi) of results; returns the memory behind what it keeps of their ends. */
static char *begin_term(const work *w, const fdx_term *term, const ptrdiff_t *lo, const ptrdiff_t *hi, line_term *t,
                        place *src, char *memory)
{
    const fdx_array *in = &w->call->in[term->in];
    const int run = w->ndim - 1;
    ptrdiff_t first[MAXD], end[MAXD];
    src->data = (char *)in->data;
    src->unrolled = -1;
    for (int d = 0; d <= run; d++) {
        const ptrdiff_t shift = term->shift == NULL || w->axis[d] == w->call->ndim ? 0 : term->shift[w->axis[d]];
        src->lo[d] = 0;
        src->stride[d] = along(w, in, w->axis[d]);
        first[d] = lo[d] + shift;
        end[d] = hi[d] + shift;
    }
    t->band = term->stage->band;
    t->d = t->band == NULL ? run : w->dimension[term->stage->axis];
    t->stride = src->stride[t->d];
    t->first = first[t->d];
    t->end = end[t->d];
    t->in = locate(w, src, first, -1);
    t->head = t->tail = 0;
    t->ready = memory;
    t->alike = t->d == run && t->band != NULL ? &t->band->interior : NULL;
    if (t->alike == NULL)
        return memory;
    if (is_quick(t->alike))
        pair_weights(t->alike, t->weight);
    return make_ends(w, t, src, first, end, memory);
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

/* Are two terms sums of as many pairs? */
static int go_together(const line_term *a, const line_term *b)
{
    return is_quick(a->alike) && a->alike->form == b->alike->form && a->alike->own == b->alike->own;
}

/* The steps of a line's terms; returns how many. */
static int find_steps(const work *w, const line_term *t, int terms, step *steps)
{
    kind is[MOST_BY_LINES];
    int count = 0, k = 0;
    for (int j = 0; j < terms; j++)
        is[j] = t[j].band == NULL ? ITSELF : t[j].d == w->ndim - 1 ? ALONG : ACROSS;
    for (int j = 0; j + 1 < terms; j++)
        if (is[j] == ACROSS && is[j + 1] == ACROSS && go_together(&t[j], &t[j + 1]))
            is[j++] = TWO_ACROSS;
    /* The run's term is the first to be computed, so that the last loop can write past the cache: a + b is b + a,
     * but for which NaN comes of two, and that is not promised. */
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
            w->call->isa->stream_out(to, from, n, next);
        } else {
            n = MIN(bytes, FDX_CACHE_LINE - at);
            memcpy(r->data + at, from, (size_t)n);
            r->to = r->n > 0 ? r->to : to;
            r->n += n;
            if (r->n == FDX_CACHE_LINE) {
                w->call->isa->stream_out(r->to, r->data, FDX_CACHE_LINE, next);
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
    return t->ahead != 0 ? t->in + p->from * w->itemsize + t->ahead : p->y;
}

/* Neighbours, of a band across the run, of the elements of a piece. */
static void neighbours(const work *w, const line_term *t, const line_piece *p, const void **x)
{
    const ptrdiff_t count = t->alike->count;
    const char *near = t->in + p->from * w->itemsize + t->alike->first * t->stride;
    for (ptrdiff_t k = 0; k < count; k++, near += t->stride)
        x[k] = near;
    if (t->band->periodic) {
        const ptrdiff_t column = t->row + t->alike->first, around = t->band->columns * t->stride;
        for (ptrdiff_t k = 0; k < count; k++)
            x[k] = (const char *)x[k] + (column + k < 0 ? around : column + k >= t->band->columns ? -around : 0);
    }
}

static int sum_across(const work *w, const line_term *t, const line_piece *p, int mode, int last)
{
    const void *x[MAXTAPS];
    neighbours(w, t, p, x);
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
    double weight[MAXTAPS];
    row_weights(t->alike, t->number, weight);
    fdx_sum_row(w, t->alike, x, weight, p->y, p->n, mode);
    return 0;
}

/* Rows and weights of two terms across the run that go together. */
static void two_neighbours(const work *w, const line_term *t, const line_piece *p, const void **x, double *weight)
{
    const int pairs = t->alike->own;
    neighbours(w, t, p, x);
    neighbours(w, t + 1, p, x + 2 * pairs + 1);
    for (int j = 0; j < pairs; j++) {
        weight[j] = t[0].weight[j];
        weight[pairs + j] = t[1].weight[j];
    }
}

static int sum_two_across(const work *w, const line_term *t, const line_piece *p, int mode, int last)
{
    const fdx_pairs *pairs = pairs_of(w, t->alike);
    const void *x[2 * (2 * FDX_PAIRS + 1)];
    double weight[2 * FDX_PAIRS];
    two_neighbours(w, t, p, x, weight);
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
static int sum_along(const work *w, const line_term *t, const line_piece *p, int mode, int last)
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
            const char *next = t->ahead != 0 ? in + from * size + t->ahead : y;
            loop(last ? p->past + (y - p->y) : NULL, y, own, to - from, t->weight, mode, next);
            if (last)
                pass_ends(w, p, k * n, (k + 1) * n, k * n + from - p->from, k * n + to - p->from);
            continue;
        }
        for (ptrdiff_t at = from, stop; at < to; at = stop) {
            const stretch s = next_stretch(t->band, t->first + at / unit, t->end - t->tail, 0);
            stop = MIN(to, (s.end - t->first) * unit);
            fdx_sum_run(w, s.alike, s.number, in + at * size, y + (at - from) * size, stop - at, mode);
        }
    }
    return last && loop != NULL;
}

static int sum_itself(const work *w, const line_term *t, const line_piece *p, int mode)
{
    const char *x = t->in + p->from * w->itemsize;
    if (mode == FDX_SET)
        memcpy(p->y, x, (size_t)(p->n * w->itemsize));
    else
        w->sums->combine(p->y, x, NULL, p->n, FDX_ADD);
    return 0;
}

static int make_step(const work *w, const line_term *t, const step *s, const line_piece *p, int last)
{
    switch (s->is) {
    case ALONG: return sum_along(w, &t[s->term], p, s->mode, last);
    case ACROSS: return sum_across(w, &t[s->term], p, s->mode, last);
    case TWO_ACROSS: return sum_two_across(w, &t[s->term], p, s->mode, last);
    default: return sum_itself(w, &t[s->term], p, s->mode);
    }
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

/* ---- lines of a block ---- */

void fdx_make_lines(const work *w, const fdx_term *term, int n, const place *y, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, uint64_t *fetched)
{
    const int run = w->ndim - 1;
    const ptrdiff_t whole = (hi[run] - lo[run]) * w->unit, size = w->itemsize;
    line_term t[MOST_BY_LINES];
    place src[MOST_BY_LINES];
    step steps[MOST_BY_LINES];
    ptrdiff_t at[MAXD];
    int count = 0, fetches = 0;
    unfilled kept = {NULL, 0, {0}};

    /* What is fetched: the neighbours on the march, some lines ahead; or the next block, with the ends of its lines.
     * One input for each output, if others are left to those that come. */
    int onward = 0;
    for (int d = 0; d <= run && w->march < 0; d++)
        onward = w->block[d] < w->n[d] ? d : onward;
    char *memory = w->ends;
    for (int k = 0; k < n; k++) {
        memory = begin_term(w, &term[k], lo, hi, &t[k], &src[k], memory);
        t[k].ahead = 0;
        if (*fetched >> term[k].in & 1 || (fetches > 0 && term->out + 1 < w->call->noutputs))
            continue;
        *fetched |= (uint64_t)1 << term[k].in;
        fetches++;
        t[k].ahead = w->march < 0 ? w->block[onward] * src[k].stride[onward]
                                  : w->ahead * src[k].stride[w->march] + FETCH_LINES * src[k].stride[run - 1];
    }
    int in_a_row = run > 0 && y->stride[run - 1] == whole * size;
    for (int k = 0; k < n && in_a_row; k++)
        in_a_row = src[k].stride[run - 1] == whole * size;
    /* Short pieces are quicker where sums are read again; but with more than a pair of neighbours loops take long to
     * begin. */
    ptrdiff_t most = (n > 1 ? 1 : LONGER) * LINE_PIECE / size;
    for (int k = 0; k < n; k++)
        if (t[k].d != run && t[k].band->interior.count > 3)
            most = LONGER * LINE_PIECE / size;
    const ptrdiff_t room = MIN(TOGETHER, MAX(1, most / whole));
    char *out = locate(w, y, lo, -1);
    ptrdiff_t left = 0; /* elements */
    memcpy(at, lo, sizeof at);
    for (;;) {
        /* Lines together: those that are alike and follow each other, as many as one piece has room for. */
        ptrdiff_t together = in_a_row ? MIN(room, hi[run - 1] - at[run - 1]) : 1;
        int changed = count == 0;
        for (int k = 0; k < n; k++)
            if (t[k].d != run) {
                changed |= find_line(&t[k], t[k].first + at[t[k].d] - lo[t[k].d]);
                together = t[k].d == run - 1 ? MIN(together, t[k].until - t[k].row) : together;
            }
        if (changed)
            count = find_steps(w, t, n, steps);
        /* Cache lines are written whole: where a piece ends within one, the last step leaves those elements to what
         * comes next, if that is made in the same way. */
        const int can_leave = steps[count - 1].is != ALONG;
        int goes_on = can_leave && in_a_row && at[run - 1] + together < hi[run - 1];
        for (int k = 0; k < n; k++)
            goes_on &= t[k].d != run - 1 || t[k].until - t[k].row > together;
        const ptrdiff_t all = together * whole;
        line_piece p = {NULL, out, &kept, 0, 0, whole, together};
        for (; p.from < all; p.from += p.n) {
            const ptrdiff_t beside = (ptrdiff_t)((uintptr_t)p.past % FDX_CACHE_LINE);
            p.y = w->line + beside; /* aligned as the output is; before it lies what is left */
            p.n = MIN(most, all - p.from);
            if (p.n < all - p.from) { /* so that the next one is aligned, and begins with a row */
                p.n -= can_leave ? 0 : beside / size;
                p.n -= w->unit > 1 ? p.n % w->unit : 0;
            }
            ptrdiff_t leaves = 0;
            if (goes_on || (can_leave && p.from + p.n < all))
                leaves = MIN(left + p.n, (ptrdiff_t)((uintptr_t)(p.past + p.n * size) % FDX_CACHE_LINE) / size);
            make_piece(w, t, steps, count, p, left, leaves);
            p.past += p.n * size;
            memmove(w->line + (ptrdiff_t)((uintptr_t)p.past % FDX_CACHE_LINE) - leaves * size,
                    p.y + (p.n - leaves) * size, (size_t)(leaves * size));
            left = leaves;
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
}
