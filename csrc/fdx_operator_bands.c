/* A band, or two at once, applied to a box of results: from rows of neighbours to rows of results.
 *
 * Along a dimension other than the inner one, rows of neighbours are lines of the input. Along the inner dimension they
 * are the input itself, shifted. The few rows of its boundary closures are computed by columns: the columns that they
 * need are transposed to rows first. So row loops only ever take contiguous elements. */
#include "fdx_operator.h"

/* ---- one row of results ---- */

/* fdx_sum_row for a row that takes several loops: in segments that stay in the L1 cache. */
static void sum_long(const work *w, const fdx_stencil *stencil, const void *const *x, const double *weight, char *y,
                     ptrdiff_t n, int mode)
{
    const fdx_sums *sums = w->sums;
    const int centre = stencil->centre, pairs = stencil->summation >= FDX_SUM_ANTISYMMETRIC,
              most = pairs ? FDX_PAIRS : FDX_NEIGHBOURS;
    /* The neighbours in the order in which they are added. */
    int other[MAXWEIGHTS], count = 0;
    if (pairs)
        for (int k = 1; k <= stencil->count / 2; k++)
            other[count++] = centre + k;
    else
        for (int k = 0; k < stencil->count; k++)
            if (stencil->summation == FDX_SUM_PLAIN || k != centre)
                other[count++] = k;
    for (ptrdiff_t at = 0; at < n; at += SEGMENT_ELEMENTS) {
        const ptrdiff_t m = MIN(SEGMENT_ELEMENTS, n - at), skip = at * w->itemsize;
        const int several = count > most && mode != FDX_SET;
        char *to = several ? w->partial_sum : y + skip;
        for (int from = 0; from < count; from += most) {
            const int some = MIN(most, count - from), how = from > 0 ? FDX_CONTINUE : several ? FDX_SET : mode;
            const void *neighbours[2 * FDX_NEIGHBOURS + 1];
            double weights[FDX_NEIGHBOURS];
            for (int k = 0; k < some; k++) {
                const int neighbour = other[from + k];
                weights[k] = weight[neighbour];
                if (pairs) {
                    neighbours[some + 1 + k] = (const char *)x[neighbour] + skip;
                    neighbours[some - 1 - k] = (const char *)x[stencil->count - 1 - neighbour] + skip;
                } else {
                    neighbours[k] = (const char *)x[neighbour] + skip;
                }
            }
            if (stencil->summation != FDX_SUM_PLAIN)
                neighbours[some] = (const char *)x[centre] + skip;
            fdx_sum_fn *sum = stencil->summation == FDX_SUM_ANTISYMMETRIC ? sums->antisymmetric[some - 1].one
                              : stencil->summation == FDX_SUM_SYMMETRIC   ? sums->symmetric[some - 1].one
                              : stencil->summation == FDX_SUM_DIFFERENCES ? sums->differences[some - 1]
                                                                          : sums->plain[some - 1];
            sum(to, 0, neighbours, m, weights, how);
        }
        if (several)
            sums->combine(y + skip, to, NULL, m, FDX_ADD);
    }
}

void fdx_sum_row(const work *w, const fdx_stencil *stencil, const void *const *x, const double *weight, char *y,
                 ptrdiff_t n, int mode)
{
    const fdx_sums *sums = w->sums;
    const int centre = stencil->centre, count = stencil->count;
    if (has_pair_loop(stencil))
        pairs_of(w, stencil)->one(y, 0, x, n, weight + centre + 1, mode);
    else if (stencil->summation == FDX_SUM_PLAIN && count <= FDX_NEIGHBOURS)
        sums->plain[count - 1](y, 0, x, n, weight, mode);
    else if (stencil->summation == FDX_SUM_DIFFERENCES && count <= FDX_NEIGHBOURS + 1) {
        const void *neighbours[FDX_NEIGHBOURS + 1];
        double weights[FDX_NEIGHBOURS];
        const int others = centre_last(stencil, x, weight, neighbours, weights);
        sums->differences[others - 1](y, 0, neighbours, n, weights, mode);
    } else if (has_midpoint_loop(stencil)) {
        const void *neighbours[2 * FDX_PAIRS + 1];
        around_midpoint(x, count, neighbours);
        pairs_of(w, stencil)->one(y, 0, neighbours, n, weight + centre + 1, mode);
    } else
        sum_long(w, stencil, x, weight, y, n, mode);
}

/* The same with weights for each point. */
static void sum_varying(const work *w, const fdx_stencil *stencil, const void *const *x, const double *const *weight,
                        char *y, ptrdiff_t n, int mode)
{
    const int differences = stencil->summation == FDX_SUM_DIFFERENCES, count = stencil->count - differences;
    fdx_varying_sum_fn *const *sums = differences ? w->sums->varying_differences : w->sums->varying_plain;
    for (ptrdiff_t at = 0; at < n; at += SEGMENT_ELEMENTS) {
        const ptrdiff_t m = MIN(SEGMENT_ELEMENTS, n - at), skip = at * w->itemsize;
        const int several = count > FDX_VARYING && mode != FDX_SET;
        char *to = several ? w->partial_sum : y + skip;
        for (int from = 0; from < count; from += FDX_VARYING) {
            const int some = MIN(FDX_VARYING, count - from);
            const void *neighbours[FDX_VARYING + 1];
            const double *weights[FDX_VARYING];
            for (int k = 0; k < some; k++) {
                const int neighbour = from + k + (differences && from + k >= stencil->centre);
                neighbours[k] = (const char *)x[neighbour] + skip;
                weights[k] = weight[neighbour] + at;
            }
            neighbours[some] = differences ? (const char *)x[stencil->centre] + skip : NULL;
            sums[some - 1](to, neighbours, m, weights, from > 0 ? FDX_CONTINUE : several ? FDX_SET : mode);
        }
        if (several)
            w->sums->combine(y + skip, to, NULL, m, FDX_ADD);
    }
}

/* n results y_step bytes apart of a row, or of rows that have the same stencil, from their neighbours x of weights
 * `weight`: each is x_step bytes further for the next result. Both arrays are changed. */
static void sum_strided(const work *w, const fdx_stencil *stencil, const void **x, ptrdiff_t x_step, double *weight,
                        char *y, ptrdiff_t y_step, ptrdiff_t n, int mode)
{
    const int centre = stencil->centre, pairs = stencil->summation >= FDX_SUM_ANTISYMMETRIC,
              differences = stencil->summation == FDX_SUM_DIFFERENCES,
              K = pairs ? stencil->count / 2 : stencil->count - differences;
    if (K > 2 * FDX_NEIGHBOURS) {
        for (ptrdiff_t i = 0; i < n; i++) {
            fdx_sum_row(w, stencil, x, weight, fdx_at(y, i, y_step), 1, mode);
            for (int k = 0; k < stencil->count; k++)
                x[k] = fdx_at(x[k], 1, x_step);
        }
        return;
    }
    if (differences)
        centre_last(stencil, x, weight, x, weight);
    if (pairs && stencil->count % 2 == 0)
        around_midpoint(x, stencil->count, x);
    w->sums->strided(y, y_step, x, x_step, n, pairs ? weight + centre + 1 : weight, mode,
                     stencil->summation == FDX_SUM_SYMMETRIC       ? FDX_SYMMETRIC_PAIRS
                     : stencil->summation == FDX_SUM_ANTISYMMETRIC ? FDX_ANTISYMMETRIC_PAIRS
                     : differences                                 ? FDX_DIFFERENCE_SUM
                                                                   : FDX_PLAIN_SUM,
                     K);
}

/* ---- a band's results in a box ---- */

/* Lines along the fastest dimension of l, which then has those along the others. */
static fdx_several_lines take_lines(lines *l, ptrdiff_t n, ptrdiff_t step)
{
    fdx_several_lines many = {n, 1, 0, 0, step};
    if (l->ndim > 0) {
        const int d = --l->ndim;
        many.lines = l->n[d];
        many.x_line = l->x[d];
        many.y_line = l->y[d];
    }
    return many;
}

/* Four rows of results of pairs, from rows of neighbours x_stride bytes apart; x is changed. If all rows have the same
 * alignment, the elements before the first cache line are computed first, so that no vector load straddles two lines:
 * rows a power of two apart evict each other from the L1 cache, and a line would be loaded once for each part. */
static void sum_four_rows(const work *w, const fdx_stencil *stencil, const void **x, ptrdiff_t x_stride,
                          const double *weight, char *y, ptrdiff_t y_stride, ptrdiff_t n, int mode)
{
    fdx_sum_fn *four = pairs_of(w, stencil)->four;
    const ptrdiff_t skipped = (ptrdiff_t)(-(uintptr_t)x[0] % FDX_CACHE_LINE), head = skipped / w->itemsize;
    if (skipped > 0 && x_stride % FDX_CACHE_LINE == 0 && n >= FDX_VECTOR_SUMS) {
        four(y, y_stride, x, head, weight, mode);
        for (int k = 0; k < 2 * stencil->centre + ROWS_AT_ONCE; k++)
            x[k] = (const char *)x[k] + skipped;
        y += skipped;
        n -= head;
    }
    four(y, y_stride, x, n, weight, mode);
}

/* Along a dimension other than the inner one. */
static void apply_across(const work *w, const fdx_band *band, int d, const view *src, const view *dst,
                         const ptrdiff_t *lo, const ptrdiff_t *hi, int mode)
{
    const int inner = w->ndim - 1;
    const ptrdiff_t x_stride = src->stride[d], y_stride = dst->stride[d];
    lines l;
    box_lines(w, d, src, dst, lo, hi, &l);
    const ptrdiff_t n = join_lines(w, &l, (hi[inner] - lo[inner]) * w->per_point);
    const char *in = locate(w, src, lo, d);
    char *out = fdx_at(locate(w, dst, lo, d), lo[d], y_stride); /* the row's */
    double *const weight = w->weight;
    const void **const x = w->neighbours;
    ptrdiff_t end;
    for (ptrdiff_t r = lo[d]; r < hi[d]; out = fdx_at(out, end - r, y_stride), r = end) {
        const row_segment s = next_row_segment(band, r, hi[d], src->unrolled == d);
        const fdx_stencil *stencil = s.stencil;
        const int pairs = stencil->centre, pair_loop = has_pair_loop(stencil) && !s.wraps;
        end = stencil->row_step != 0 ? r + 1 : s.end;
        row_weights(stencil, s.number, weight);
        if (n == 1 && !s.wraps) { /* a column */
            do {
                row_weights(stencil, s.number, weight);
                for (int k = 0; k < stencil->count; k++)
                    x[k] = fdx_at(in, wrapped(band, src, d, r + stencil->offset + k), x_stride);
                sum_strided(w, stencil, x, x_stride, weight, out, y_stride, end - r, mode);
            } while (next_line(&l, &in, &out));
            continue;
        }
        do {
            ptrdiff_t row = r;
            char *y = out;
            for (; pair_loop && row + ROWS_AT_ONCE <= end; row += ROWS_AT_ONCE, y = fdx_at(y, ROWS_AT_ONCE, y_stride)) {
                x[0] = fdx_at(in, row + stencil->offset, x_stride);
                for (int k = 1; k < 2 * pairs + ROWS_AT_ONCE; k++)
                    x[k] = fdx_at(x[k - 1], 1, x_stride);
                sum_four_rows(w, stencil, x, x_stride, weight + pairs + 1, y, y_stride, n, mode);
            }
            for (; row < end; row++, y = fdx_at(y, 1, y_stride)) {
                for (int k = 0; k < stencil->count; k++)
                    x[k] = fdx_at(in, wrapped(band, src, d, row + stencil->offset + k), x_stride);
                fdx_sum_row(w, stencil, x, weight, y, n, mode);
            }
        } while (next_line(&l, &in, &out));
    }
    give_back(w, l.n);
}

/* The lines of a box along the inner dimension, if they are at most MAX_FEW_LINES along one dimension; otherwise 0. */
static ptrdiff_t few_lines(const work *w, const ptrdiff_t *lo, const ptrdiff_t *hi, int *dimension)
{
    ptrdiff_t n = 1;
    *dimension = 0;
    for (int d = 0; d < w->ndim - 1; d++)
        if (hi[d] - lo[d] > 1) {
            if (n > 1)
                return 0;
            n = hi[d] - lo[d];
            *dimension = d;
        }
    return n <= MAX_FEW_LINES && w->per_point == 1 ? n : 0;
}

/* fdx_by_columns for n lines along dimension d, without transposition. */
static void lines_by_columns(const work *w, const fdx_band *band, const view *src, const view *dst, const ptrdiff_t *lo,
                             ptrdiff_t n, int d, ptrdiff_t r, ptrdiff_t end, int mode)
{
    const int inner = w->ndim - 1;
    const ptrdiff_t step = src->stride[inner];
    const char *in = locate(w, src, lo, inner);
    char *out = fdx_at(locate(w, dst, lo, inner), r, dst->stride[inner]);
    const void **const x = w->neighbours;
    double *const weight = w->weight;
    for (; r < end; r++, out = fdx_at(out, 1, dst->stride[inner])) {
        const row_segment s = next_row_segment(band, r, end, 1);
        row_weights(s.stencil, s.number, weight);
        for (int k = 0; k < s.stencil->count; k++)
            x[k] = fdx_at(in, wrapped(band, src, inner, r + s.stencil->offset + k), step);
        sum_strided(w, s.stencil, x, src->stride[d], weight, out, dst->stride[d], n, mode);
    }
}

/* The columns least .. greatest of n lines x_line bytes apart to rows. */
static void transpose_in(const work *w, const fdx_band *band, const view *src, const char *in, ptrdiff_t x_line,
                         ptrdiff_t n, ptrdiff_t least, ptrdiff_t greatest, char *to, ptrdiff_t row_stride)
{
    const int inner = w->ndim - 1, wraps = band->periodic && src->unrolled != inner;
    for (ptrdiff_t c = least, columns; c <= greatest; c += columns) {
        const ptrdiff_t first = wrapped(band, src, inner, c);
        columns = wraps ? MIN(greatest + 1 - c, band->columns - first) : greatest + 1 - c;
        w->sums->transpose(to + (c - least) * row_stride, row_stride, fdx_at(in, first, src->stride[inner]), x_line, n,
                           columns, w->per_point, FDX_SET);
    }
}

/* Put the dimension with most lines last. */
static void longest_last(lines *l)
{
    int most = l->ndim - 1;
    for (int d = l->ndim - 2; d >= 0; d--)
        most = l->n[d] > l->n[most] ? d : most;
    if (most == l->ndim - 1)
        return;
    ptrdiff_t *const numbers[] = {l->n, l->x, l->y};
    for (int k = 0; k < 3; k++) {
        const ptrdiff_t last = numbers[k][l->ndim - 1];
        numbers[k][l->ndim - 1] = numbers[k][most];
        numbers[k][most] = last;
    }
}

/* fdx_by_columns for at most MIN_ROW_SEGMENT rows: transpose the columns that they need, several lines at a time. */
static void few_by_columns(const work *w, const fdx_band *band, const view *src, const view *dst, const ptrdiff_t *lo,
                           const ptrdiff_t *hi, ptrdiff_t r, ptrdiff_t end, int mode)
{
    const int inner = w->ndim - 1;
    const ptrdiff_t bytes = w->per_point * w->itemsize, row_stride = w->transposed * bytes;
    ptrdiff_t least = PTRDIFF_MAX, greatest = PTRDIFF_MIN;
    for (ptrdiff_t row = r; row < end; row++) {
        const fdx_stencil *stencil = next_row_segment(band, row, end, 1).stencil;
        least = MIN(least, row + stencil->offset);
        greatest = MAX(greatest, row + stencil->offset + stencil->count - 1);
    }
    lines l;
    box_lines(w, -1, src, dst, lo, hi, &l);
    if (dst->stride[inner] == bytes) /* lines, not rows for make_row_ends: in any order */
        longest_last(&l);
    const int d = l.ndim - 1;
    const ptrdiff_t x_line = d < 0 ? 0 : l.x[d], y_line = d < 0 ? bytes : l.y[d];
    const char *in = locate(w, src, lo, inner);
    char *out = fdx_at(locate(w, dst, lo, inner), r, dst->stride[inner]);
    struct {
        char *out;
        ptrdiff_t n;
    } run[TRANSPOSED_LINES]; /* lines that are as far from each other */
    for (int more = 1; more;) {
        int contiguous = y_line == bytes; /* results of a row need no transposition */
        ptrdiff_t count = 0, runs = 0;
        for (ptrdiff_t n; more && count < w->transposed; count += n, runs++) {
            n = d < 0 ? 1 : MIN(w->transposed - count, l.n[d] - l.index[d]);
            contiguous &= count == 0 || out == fdx_at(run[runs - 1].out, run[runs - 1].n, bytes);
            transpose_in(w, band, src, in, x_line, n, least, greatest, w->rows_in + count * bytes, row_stride);
            run[runs].out = out;
            run[runs].n = n;
            if (d >= 0)
                l.index[d] += n - 1;
            in = fdx_at(in, n - 1, x_line);
            out = fdx_at(out, n - 1, y_line);
            more = next_line(&l, &in, &out);
        }
        for (ptrdiff_t row = r; row < end; row++) {
            double *const weight = w->weight;
            const void **const x = w->neighbours;
            const row_segment s = next_row_segment(band, row, end, 1);
            row_weights(s.stencil, s.number, weight);
            for (int k = 0; k < s.stencil->count; k++)
                x[k] = w->rows_in + (row + s.stencil->offset + k - least) * row_stride;
            char *y = contiguous ? fdx_at(run->out, row - r, dst->stride[inner]) : w->rows_out + (row - r) * row_stride;
            fdx_sum_row(w, s.stencil, x, weight, y, count * w->per_point, contiguous ? mode : FDX_SET);
        }
        const char *from = w->rows_out;
        for (ptrdiff_t k = 0; k < runs && !contiguous; from += run[k].n * bytes, k++)
            w->sums->transpose(run[k].out, y_line, from, row_stride, end - r, run[k].n, w->per_point, mode);
    }
    give_back(w, l.n);
}

void fdx_by_columns(const work *w, const fdx_band *band, const view *src, const view *dst, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, ptrdiff_t r, ptrdiff_t end, int mode)
{
    int d;
    if (r == end)
        return;
    const ptrdiff_t n = few_lines(w, lo, hi, &d);
    if (n > 0) {
        lines_by_columns(w, band, src, dst, lo, n, d, r, end, mode);
        return;
    }
    if (w->per_point == 1 && end - r <= MAX_STRIDED_ROWS) {
        const int inner = w->ndim - 1;
        ptrdiff_t *const at = take(w, 1);
        copy(w, at, lo);
        for (int e = 0; e >= 0;) {
            lines_by_columns(w, band, src, dst, at, hi[inner - 1] - lo[inner - 1], inner - 1, r, end, mode);
            for (e = inner - 2; e >= 0 && ++at[e] == hi[e]; e--)
                at[e] = lo[e];
        }
        give_back(w, at);
        return;
    }
    for (; r < end; r += MIN_ROW_SEGMENT)
        few_by_columns(w, band, src, dst, lo, hi, r, MIN(end, r + MIN_ROW_SEGMENT), mode);
}

void fdx_sum_inner(const work *w, const fdx_stencil *stencil, ptrdiff_t number, const char *in, char *y, ptrdiff_t n,
                   int mode)
{
    const ptrdiff_t per_point = w->per_point, step = per_point * w->itemsize;
    const void **const x = w->neighbours;
    if (stencil->row_step == 0) {
        double *const weight = w->weight;
        row_weights(stencil, number, weight);
        fdx_along_fn *loop = along_loop(w, stencil, n);
        if (loop != NULL) {
            const char *centre = in + (stencil->offset + stencil->centre) * step;
            loop(y, centre, n, weight + stencil->centre + 1, mode, centre);
            return;
        }
        in += stencil->offset * step;
        for (int k = 0; k < stencil->count; k++)
            x[k] = in + k * step;
        fdx_sum_row(w, stencil, x, weight, y, n, mode);
        return;
    }
    in += stencil->offset * step;
    const double **const point_weights = w->point_weights;
    const int ready = per_point == 1 && stencil->row_step == 1; /* weights are there for each element */
    const ptrdiff_t end = n / per_point, most = ready ? end : SEGMENT_ELEMENTS / per_point;
    for (ptrdiff_t at = 0; at < end; at += most) {
        const ptrdiff_t rows = MIN(most, end - at);
        for (int k = 0; k < stencil->count; k++) {
            const double *from = stencil->w + k * stencil->weight_step + (number + at) * stencil->row_step;
            x[k] = in + (at + k) * step;
            point_weights[k] = from;
            if (ready)
                continue;
            double *to = (double *)(void *)w->repeated_weights + k * SEGMENT_ELEMENTS;
            point_weights[k] = to;
            for (ptrdiff_t i = 0; i < rows; i++)
                for (ptrdiff_t j = 0; j < per_point; j++)
                    *to++ = from[i * stencil->row_step];
        }
        sum_varying(w, stencil, x, point_weights, y + at * step, rows * per_point, mode);
    }
}

/* A row segment of the inner dimension, rows r .. end - 1. */
static void along_inner(const work *w, const fdx_stencil *stencil, ptrdiff_t number, const view *src, const view *dst,
                        const ptrdiff_t *lo, const ptrdiff_t *hi, ptrdiff_t r, ptrdiff_t end, int mode)
{
    const int inner = w->ndim - 1;
    lines l;
    box_lines(w, -1, src, dst, lo, hi, &l);
    const char *in = fdx_at(locate(w, src, lo, inner), r, src->stride[inner]);
    char *out = fdx_at(locate(w, dst, lo, inner), r, dst->stride[inner]);
    const ptrdiff_t n = (end - r) * w->per_point;
    if (stencil->row_step != 0 || along_loop(w, stencil, n) != NULL) {
        do
            fdx_sum_inner(w, stencil, number, in, out, n, mode);
        while (next_line(&l, &in, &out));
    } else if (has_pair_loop(stencil)) {
        row_weights(stencil, number, w->weight);
        const fdx_several_lines many = take_lines(&l, n, src->stride[inner]);
        in = fdx_at(in, stencil->offset, src->stride[inner]);
        do
            pairs_of(w, stencil)->several(out, in, &many, w->weight + stencil->centre + 1, mode);
        while (next_line(&l, &in, &out));
    } else { /* the same weights for all lines, which may be short */
        const void **const x = w->neighbours;
        row_weights(stencil, number, w->weight);
        for (int k = 0; k < stencil->count; k++)
            x[k] = in + (stencil->offset + k) * src->stride[inner];
        for (const char *before = in;; before = in) {
            fdx_sum_row(w, stencil, x, w->weight, out, n, mode);
            if (!next_line(&l, &in, &out))
                break;
            for (int k = 0; k < stencil->count; k++)
                x[k] = (const char *)x[k] + (in - before);
        }
    }
    give_back(w, l.n);
}

void fdx_apply_band(const work *w, const fdx_stage *stage, const view *src, const view *dst, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, int mode)
{
    const int inner = w->ndim - 1;
    const fdx_band *band = stage->band;
    if (band == NULL) {
        lines l;
        box_lines(w, -1, src, dst, lo, hi, &l);
        const ptrdiff_t n = join_lines(w, &l, (hi[inner] - lo[inner]) * w->per_point);
        const char *x = locate(w, src, lo, -1);
        char *y = locate(w, dst, lo, -1);
        do {
            if (mode == FDX_SET)
                memcpy(y, x, (size_t)(n * w->itemsize));
            else
                w->sums->combine(y, x, NULL, n, FDX_ADD);
        } while (next_line(&l, &x, &y));
        give_back(w, l.n);
        return;
    }
    const int d = w->dimension[stage->axis];
    if (d != inner) {
        apply_across(w, band, d, src, dst, lo, hi, mode);
        return;
    }
    ptrdiff_t few = lo[d]; /* rows from here on are computed by columns */
    int unused;
    const int few_lines_only = few_lines(w, lo, hi, &unused) > 0;
    for (ptrdiff_t r = lo[d]; r < hi[d];) {
        const row_segment s = next_row_segment(band, r, hi[d], src->unrolled == d);
        if (few_lines_only ? !s.wraps && s.end - r >= MIN_SEGMENT_OF_FEW : by_rows(w, &s, r)) {
            fdx_by_columns(w, band, src, dst, lo, hi, few, r, mode);
            along_inner(w, s.stencil, s.number, src, dst, lo, hi, r, s.end, mode);
            few = s.end;
        }
        r = s.end;
    }
    fdx_by_columns(w, band, src, dst, lo, hi, few, hi[d], mode);
}

/* ---- a band and a coefficient at once ---- */

/* The results of a call, and the share of them that is in the interior of a band: along the inner dimension what is
 * around it counts twice, as columns take longer. */
static double interior_share(const work *w, const fdx_stage *stage, double *results)
{
    const fdx_band *band = stage->band;
    const int d = w->dimension[stage->axis];
    const ptrdiff_t around = band->periodic ? band->interior.count - 1 : band->nfirst + band->nlast;
    const double share = 1 - (double)(d == w->ndim - 1 ? 2 * around : around) / (double)w->n[d];
    *results = 1;
    for (int e = 0; e < w->ndim; e++)
        *results *= (double)w->n[e];
    return MAX(0, share);
}

int fdx_is_weighed(const work *w, const fdx_chain *chain)
{
    const fdx_stage *stage = chain->stage;
    if (chain->nstages != 1 || !is_direct(w, chain) || stage->band == NULL || stage->coefficient == NULL ||
        !is_simple(&stage->band->interior) || stage->band->interior.row_step != 0 ||
        coefficient_step(w, stage->coefficient) < 0)
        return 0;
    double results;
    const double share = interior_share(w, stage, &results);
    /* Along the inner dimension a loop for many lines at once, and then a product, is faster for short ones. */
    const ptrdiff_t shortest = w->dimension[stage->axis] == w->ndim - 1 ? MIN_WEIGHED_LINE : MIN_ROW_SEGMENT;
    return results >= (double)MIN_CROSSED && 100 * share >= (double)MIN_NESTED_PERCENT && w->n[w->ndim - 1] >= shortest;
}

void fdx_apply_weighed(const work *w, const fdx_stage *stage, const view *src, const view *dst, const ptrdiff_t *lo,
                       const ptrdiff_t *hi, int mode)
{
    const fdx_stencil *stencil = &stage->band->interior;
    const int inner = w->ndim - 1;
    const ptrdiff_t n = hi[inner] - lo[inner], step = coefficient_step(w, stage->coefficient),
                    stride = src->stride[w->dimension[stage->axis]];
    fdx_sum_fn *one = one_row_of(w, stencil);
    const void **const x = w->neighbours;
    view c;
    take_view(w, &c);
    view_array(w, stage->coefficient, &c);
    lines l, m;
    box_lines(w, -1, src, dst, lo, hi, &l);
    box_lines(w, -1, &c, dst, lo, hi, &m);
    const char *in = fdx_at(locate(w, src, lo, -1), stencil->offset, stride), *by = locate(w, &c, lo, -1);
    char *out = locate(w, dst, lo, -1), *unused = out;
    do {
        for (ptrdiff_t at = 0, k; at < n; at += k) {
            k = MIN(SEGMENT_ELEMENTS, n - at);
            x[0] = in + at * w->itemsize;
            for (int j = 1; j < stencil->count; j++)
                x[j] = fdx_at(x[j - 1], 1, stride);
            const void *row = by + at * step;
            if (step == 0)
                row = repeated(w, w->dtype == FDX_F32 ? (double)*(const float *)row : *(const double *)row, k);
            row = part_of_row(w, stage, row, k);
            const double *weight;
            row_weights(stencil, 0, w->weight);
            const int rows = for_loops(stencil, x, w->weight, &weight);
            x[rows] = row;
            one(out + at * w->itemsize, 0, x, k, weight, mode == FDX_SET ? FDX_TIMES : FDX_ADD_TIMES);
        }
        next_line(&m, &by, &unused);
    } while (next_line(&l, &in, &out));
    give_back(w, c.lo);
}

/* ---- two bands at once, as of mixed derivatives, and of diffusion with a coefficient ---- */

/* Is it a pair of neighbours, about a point or a midpoint? */
static int is_pair(const fdx_stencil *stencil)
{
    return stencil->summation == FDX_SUM_ANTISYMMETRIC && (stencil->count == FDX_NESTED || stencil->count == 2);
}

int fdx_is_nested(const work *w, const fdx_chain *chain)
{
    if (chain->nstages != 2 || !is_direct(w, chain))
        return 0;
    const fdx_array *coefficient = chain->stage->coefficient;
    if (chain->stage->sign != 0)
        return 0;
    double results = 1, interior = 1;
    for (int s = 0; s < 2; s++) {
        const fdx_stage *stage = &chain->stage[s];
        if (stage->band == NULL || stage->band->interior.row_step != 0)
            return 0;
        interior *= interior_share(w, stage, &results);
    }
    if (chain->stage[1].coefficient != NULL || results < (double)MIN_CROSSED ||
        100 * interior < (double)MIN_NESTED_PERCENT)
        return 0;
    const fdx_stencil *inner = &chain->stage->band->interior, *outer = &chain->stage[1].band->interior;
    if (coefficient != NULL)
        return is_pair(inner) && is_pair(outer) && coefficient_step(w, coefficient) == w->itemsize;
    return (is_pair(inner) || (inner->summation == FDX_SUM_SYMMETRIC && inner->count == FDX_NESTED)) &&
           (is_pair(outer) || (outer->summation == FDX_SUM_PLAIN && outer->count == FDX_NESTED));
}

/* Bytes to the neighbour in place k of FDX_NESTED: a pair is in the first and the last one. */
static ptrdiff_t place_of(const fdx_stencil *stencil, int k, ptrdiff_t stride)
{
    return (stencil->count == 2 ? k / 2 : k) * stride;
}

void fdx_apply_nested(const work *w, const fdx_chain *chain, const view *src, const view *dst, const ptrdiff_t *lo,
                      const ptrdiff_t *hi, int mode, int stream)
{
    const fdx_array *coefficient = chain->stage->coefficient;
    const fdx_stencil *inner = &chain->stage[0].band->interior, *outer = &chain->stage[1].band->interior;
    const int plain = outer->summation == FDX_SUM_PLAIN, d = w->dimension[chain->stage[1].axis];
    const fdx_nested *sum =
        coefficient != NULL ? &w->sums->multiplied : &w->sums->nested[plain][inner->summation == FDX_SUM_SYMMETRIC];
    const ptrdiff_t stride = src->stride[d], inside = src->stride[w->dimension[chain->stage[0].axis]];
    double weight[FDX_NESTED + 1] = {inner->w[(inner->count - 1) * inner->weight_step]};
    for (int k = plain ? 0 : outer->count - 1; k < outer->count; k++)
        weight[plain ? 1 + k : 1] = outer->w[k * outer->weight_step];
    view by; /* of the coefficients, if there are any */
    take_view(w, &by);
    view_array(w, coefficient != NULL ? coefficient : &w->in[chain->in], &by);
    lines l, m;
    box_lines(w, -1, src, dst, lo, hi, &l);
    box_lines(w, -1, &by, dst, lo, hi, &m);
    ptrdiff_t n = (hi[w->ndim - 1] - lo[w->ndim - 1]) * w->per_point;
    for (; l.ndim > 0; m.ndim = --l.ndim, n *= l.n[l.ndim]) { /* contiguous lines are one */
        const ptrdiff_t bytes = n * w->itemsize;
        const int last = l.ndim - 1;
        if (l.x[last] != bytes || l.y[last] != bytes || (coefficient != NULL && m.x[last] != bytes))
            break;
    }
    stream &= sum->streaming != NULL && n >= FDX_VECTOR_SUMS;
    fdx_several_lines many = {n, 1, 0, 0, 0};
    if (!stream)
        many = take_lines(&l, n, 0);
    const ptrdiff_t by_line = !stream && m.ndim > 0 ? m.x[--m.ndim] : 0;
    ptrdiff_t place[FDX_NESTED_ROWS + FDX_NESTED]; /* of rows, from the first one on */
    for (int k = 0; k < FDX_NESTED_ROWS; k++)
        place[k] = place_of(outer, k / FDX_NESTED, stride) + place_of(inner, k % FDX_NESTED, inside);
    for (int k = 0; k < FDX_NESTED; k++)
        place[FDX_NESTED_ROWS + k] = place_of(outer, k, by.stride[d]);
    const char *in = fdx_at(fdx_at(locate(w, src, lo, -1), outer->offset, stride), inner->offset, inside);
    const char *first = coefficient != NULL ? fdx_at(locate(w, &by, lo, -1), outer->offset, by.stride[d]) : in;
    char *out = locate(w, dst, lo, -1), *unused = out;
    do {
        const void *x[FDX_NESTED_ROWS + FDX_NESTED];
        for (int k = 0; k < FDX_NESTED_ROWS + FDX_NESTED; k++)
            x[k] = (k < FDX_NESTED_ROWS ? in : first) + place[k];
        const void *const next[2] = {fdx_at(x[FDX_NESTED_ROWS - 1], PREFETCH_BYTES, 1),
                                     fdx_at(x[FDX_NESTED_ROWS + FDX_NESTED - 1], PREFETCH_BYTES, 1)};
        if (stream)
            sum->streaming(out, out, x, n, weight, FDX_SET, next);
        else
            sum->lines(out, x, &many, &by_line, weight, mode);
        next_line(&m, &first, &unused);
    } while (next_line(&l, &in, &out));
    give_back(w, by.lo);
}

/* ---- several terms that are multiplied, at once ---- */

/* How many differences from one of its neighbours a stencil is the sum of; 0: it is no such sum. */
static int differences_of(const fdx_stencil *stencil)
{
    return is_pair(stencil) ? 1 : stencil->summation == FDX_SUM_DIFFERENCES ? stencil->count - 1 : 0;
}

/* The kind of a chain's term, if one loop adds several of such a kind: 0 for two bands with a coefficient between them;
 * or how many differences a coefficient multiplies, 1, 3 or 5; otherwise -1. */
static int term_kind(const work *w, const fdx_chain *chain)
{
    const fdx_stage *stage = chain->stage;
    if (!is_direct(w, chain) || stage->band == NULL || stage->coefficient == NULL ||
        coefficient_step(w, stage->coefficient) != w->itemsize || stage->band->interior.row_step != 0)
        return -1;
    if (chain->nstages == 2)
        return fdx_is_nested(w, chain) ? 0 : -1;
    const int differences = chain->nstages == 1 ? differences_of(&stage->band->interior) : 0;
    return differences == 1 || differences == 3 || differences == 5 ? differences : -1;
}

/* The loop for so many terms of a kind; NULL: there is none. */
static fdx_terms_fn *loop_of(const work *w, int kind, int parts, int terms)
{
    if (kind == 0)
        return terms <= FDX_MULTIPLIED_TERMS ? w->sums->several_multiplied[terms - 2] : NULL;
    return terms % 2 == 0 ? w->sums->several_products[parts][kind / 2][terms / 2 - 1] : NULL;
}

int fdx_count_together(const work *w, const fdx_chain *chain, int n)
{
    const int parts = chain->stage->sign != 0, inner = w->ndim - 1;
    double results = 1, share = 1; /* share: of the results that are in the interior of all bands */
    for (int d = 0; d < w->ndim; d++)
        results *= (double)w->n[d];
    const int kind = n < 2 || results < (double)MIN_CROSSED ? -1 : term_kind(w, chain);
    int count = kind < 0 ? 1 : 0;
    while (kind >= 0 && count < n && count < MAX_TOGETHER && chain[count].in == chain->in &&
           chain[count].stage->sign == (count % 2 == 0 ? parts : -parts) && term_kind(w, &chain[count]) == kind)
        count++;
    while (count > 1 && loop_of(w, kind, parts, count) == NULL)
        count--;
    for (int d = 0; d < w->ndim && count > 1; d++) {
        ptrdiff_t lo = w->lo[d], hi = w->lo[d] + w->n[d];
        for (int k = 0; k < count; k++)
            fdx_shrink_to_interior(w, &chain[k], d, &lo, &hi);
        /* Around two bands, what is at the ends of lines counts twice, as columns take longer. */
        const ptrdiff_t around = (w->n[d] - (hi - lo)) * (1 + (kind == 0 && d == inner));
        share *= MAX(0, 1 - (double)around / (double)w->n[d]);
        if (d == inner && hi - lo < MIN_ROW_SEGMENT)
            return 1;
    }
    return count < 2 || 100 * share < (double)(kind == 0 ? MIN_NESTED_PERCENT : MIN_INTERIOR_PERCENT) ? 1 : count;
}

/* Bytes from a row's own place to its neighbours, in the order in which loops take differences; and their weights. */
static void place_differences(const fdx_stencil *stencil, ptrdiff_t stride, ptrdiff_t *place, double *weight)
{
    const int pair = is_pair(stencil), centre = pair ? 0 : stencil->centre, step = pair ? stencil->count - 1 : 1;
    int others = 0;
    for (int k = 0; k < stencil->count; k += step)
        if (k != centre) {
            place[others] = (stencil->offset + k) * stride;
            weight[others++] = stencil->w[k * stencil->weight_step];
        }
    place[others] = (stencil->offset + centre) * stride;
}

/* The same for a pair of pairs, with the place of what multiplies them. */
static void place_nested(const work *w, const fdx_stage *stage, const view *src, const view *by, ptrdiff_t *place,
                         double *weight)
{
    const fdx_stencil *inner = &stage[0].band->interior, *outer = &stage[1].band->interior;
    const int d = w->dimension[stage[0].axis], e = w->dimension[stage[1].axis];
    const ptrdiff_t first = outer->offset * src->stride[e] + inner->offset * src->stride[d];
    for (int k = 0; k < FDX_NESTED_ROWS; k++)
        place[k] =
            first + place_of(outer, k / FDX_NESTED, src->stride[e]) + place_of(inner, k % FDX_NESTED, src->stride[d]);
    for (int k = 0; k < FDX_NESTED; k++)
        place[FDX_NESTED_ROWS + k] = outer->offset * by->stride[e] + place_of(outer, k, by->stride[e]);
    weight[0] = inner->w[(inner->count - 1) * inner->weight_step];
    weight[1] = outer->w[(outer->count - 1) * outer->weight_step];
}

void fdx_apply_together(const work *w, const fdx_chain *chain, int count, const view *y, const ptrdiff_t *lo,
                        const ptrdiff_t *hi, int mode)
{
    enum { MOST = FDX_MULTIPLIED_TERMS * (FDX_NESTED_ROWS + FDX_NESTED) };
    const int kind = term_kind(w, chain);
    const int own = kind == 0 ? FDX_NESTED_ROWS : kind + 1; /* rows of the input in a term */
    const int rows = kind == 0 ? own + FDX_NESTED : own + 1, weights = kind == 0 ? 2 : kind;
    ptrdiff_t *const at = take(w, 1), place[MOST] = {0}, by_line[MAX_TOGETHER] = {0};
    const char *in[MAX_TOGETHER], *by[MAX_TOGETHER]; /* of the current line: a term's own place, and its coefficient */
    double weight[FDX_TERMS_WEIGHTS];
    view src, of_by;
    lines l, m[MAX_TOGETHER];
    take_view(w, &src);
    take_view(w, &of_by);
    view_array(w, &w->in[chain->in], &src);
    box_lines(w, -1, &src, y, lo, hi, &l);
    for (int k = 0; k < count; k++) {
        const fdx_stage *stage = chain[k].stage;
        for (int d = 0; d < w->ndim; d++)
            at[d] = lo[d] + shift_along(w, &chain[k], d);
        view_array(w, stage->coefficient, &of_by);
        box_lines(w, -1, &of_by, y, lo, hi, &m[k]);
        in[k] = locate(w, &src, at, -1);
        by[k] = locate(w, &of_by, at, -1);
        if (kind == 0)
            place_nested(w, stage, &src, &of_by, place + k * rows, weight + k * weights);
        else
            place_differences(&stage->band->interior, src.stride[w->dimension[stage->axis]], place + k * rows,
                              weight + k * weights);
    }
    const fdx_several_lines many = take_lines(&l, hi[w->ndim - 1] - lo[w->ndim - 1], 0);
    for (int k = 0; k < count && m[k].ndim > 0; k++)
        by_line[k] = m[k].x[--m[k].ndim];
    fdx_terms_fn *loop = loop_of(w, kind, chain->stage->sign != 0, count);
    const char *const first = in[0], *line = first;
    char *out = locate(w, y, lo, -1), *unused = out;
    do {
        const void *x[MOST];
        for (int k = 0; k < count; k++) {
            for (int j = 0; j < rows; j++)
                x[k * rows + j] = fdx_at(j < own ? fdx_at(in[k], line - first, 1) : by[k], place[k * rows + j], 1);
            next_line(&m[k], &by[k], &unused);
        }
        loop(out, x, &many, by_line, weight, mode);
    } while (next_line(&l, &line, &out));
    give_back(w, at);
}
