/* A band applied to what lies in a box: from rows of neighbours to rows of results.
 *
 * A band along a dimension that is not the innermost takes whole runs of neighbouring rows; along the innermost, runs
 * that are shifted, and the few rows at its ends that have stencils of their own are computed by columns: the columns
 * that they need are turned into rows first. So the row loops never see anything but runs of elements next to each
 * other. */
#include "fdx_operator.h"

/* ---- one row of results ---- */

/* The sum of a row, in pieces that stay in the first-level cache if it takes several loops; x has the rows
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
        char *to = several ? w->part : y + skip;
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
            fdx_sum_fn *sum = alike->form == FDX_ODD           ? sums->odd[some - 1].one
                              : alike->form == FDX_EVEN        ? sums->even[some - 1].one
                              : alike->form == FDX_DIFFERENCES ? sums->less[some - 1]
                                                               : sums->plain[some - 1];
            sum(to, 0, near, m, weights, how);
        }
        if (several)
            sums->combine(y + skip, to, NULL, m, FDX_ADD);
    }
}

void fdx_sum_row(const work *w, const fdx_rows_alike *alike, const void *const *x, const double *weight, char *y,
                 ptrdiff_t n, int mode)
{
    const fdx_sums *sums = w->sums;
    const int own = alike->own, count = alike->count;
    if (is_quick(alike))
        pairs_of(w, alike)->one(y, 0, x, n, weight + own + 1, mode);
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
        char *to = several ? w->part : y + skip;
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

/* Four rows of results of pairs, from rows of neighbours x_stride bytes apart; x is changed. Where these lie
 * alike in cache lines, registers are made to lie in one each, by a loop of its own for what comes before: rows a power
 * of two apart evict each other from the first-level cache, and each line would be fetched for both of its parts. */
static void sum_four_rows(const work *w, const fdx_rows_alike *alike, const void **x, ptrdiff_t x_stride,
                          const double *weight, char *y, ptrdiff_t y_stride, ptrdiff_t n, int mode)
{
    fdx_sum_fn *four = pairs_of(w, alike)->four;
    const ptrdiff_t beside = (ptrdiff_t)(-(uintptr_t)x[0] % FDX_CACHE_LINE), head = beside / w->itemsize;
    if (beside > 0 && x_stride % FDX_CACHE_LINE == 0 && n >= FDX_VECTOR_SUMS) {
        four(y, y_stride, x, head, weight, mode);
        for (int k = 0; k < 2 * alike->own + ROWS_AT_ONCE; k++)
            x[k] = (const char *)x[k] + beside;
        y += beside;
        n -= head;
    }
    four(y, y_stride, x, n, weight, mode);
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
        double *const weight = w->weight;
        const void **const x = w->near;
        const stretch s = next_stretch(band, r, hi[d], src->unrolled == d);
        const fdx_rows_alike *alike = s.alike;
        const int pairs = alike->own, quick = is_quick(alike) && !s.wraps;
        end = alike->row_step != 0 ? r + 1 : s.end;
        row_weights(alike, s.number, weight);
        const char *in = locate(w, src, lo, d);
        char *out = fdx_at(locate(w, dst, lo, d), r, y_stride);
        do {
            ptrdiff_t row = r;
            char *y = out;
            for (; quick && row + ROWS_AT_ONCE <= end; row += ROWS_AT_ONCE, y = fdx_at(y, ROWS_AT_ONCE, y_stride)) {
                for (int k = 0; k < 2 * pairs + ROWS_AT_ONCE; k++)
                    x[k] = fdx_at(in, row + alike->first + k, x_stride);
                sum_four_rows(w, alike, x, x_stride, weight + pairs + 1, y, y_stride, n, mode);
            }
            for (; row < end; row++, y = fdx_at(y, 1, y_stride)) {
                for (int k = 0; k < alike->count; k++)
                    x[k] = fdx_at(in, wrapped(band, src, d, row + alike->first + k), x_stride);
                fdx_sum_row(w, alike, x, weight, y, n, mode);
            }
        } while (next_line(&l, &in, &out));
    }
    give_back(w, l.n);
}

/* Columns of lines, `unit` elements wide, to rows `apart` bytes apart; `skip` is where in a line they begin. */
static void turn(const work *w, char *to, ptrdiff_t apart, const char *const *line, ptrdiff_t lines,
                 const ptrdiff_t *skip, ptrdiff_t columns)
{
    const ptrdiff_t bytes = w->unit * w->itemsize;
    for (ptrdiff_t l = 0; l < lines; l++)
        if (bytes == sizeof(double)) /* a constant, so that it is a load and a store */
            for (ptrdiff_t c = 0; c < columns; c++)
                memcpy(to + c * apart + l * (ptrdiff_t)sizeof(double), fdx_at(line[l], 1, skip[c]), sizeof(double));
        else if (bytes == sizeof(float))
            for (ptrdiff_t c = 0; c < columns; c++)
                memcpy(to + c * apart + l * (ptrdiff_t)sizeof(float), fdx_at(line[l], 1, skip[c]), sizeof(float));
        else
            for (ptrdiff_t c = 0; c < columns; c++)
                memcpy(to + c * apart + l * bytes, fdx_at(line[l], 1, skip[c]), (size_t)bytes);
}

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

void fdx_turn_back(const work *w, const char *from, ptrdiff_t apart, char *const *line, ptrdiff_t lines,
                   ptrdiff_t stride, ptrdiff_t columns, int mode)
{
    (w->dtype == FDX_F32 ? turn_back_f32 : turn_back_f64)(from, apart, line, lines, stride, columns, w->unit, mode);
}

/* Along the run, rows r .. end - 1, at most BY_COLUMNS: the columns that they need of several lines are turned into
 * rows. */
static void few_by_columns(const work *w, const fdx_band *band, const place *src, const place *dst, const ptrdiff_t *lo,
                           const ptrdiff_t *hi, ptrdiff_t r, ptrdiff_t end, int mode)
{
    const int run = w->ndim - 1;
    const ptrdiff_t most = w->turned, apart = most * w->unit * w->itemsize;
    ptrdiff_t least = PTRDIFF_MAX, greatest = PTRDIFF_MIN, *const skip = w->skip;
    for (ptrdiff_t row = r; row < end; row++) {
        const fdx_rows_alike *alike = next_stretch(band, row, end, 1).alike;
        least = MIN(least, row + alike->first);
        greatest = MAX(greatest, row + alike->first + alike->count - 1);
    }
    for (ptrdiff_t c = least; c <= greatest; c++)
        skip[c - least] = (ptrdiff_t)((size_t)wrapped(band, src, run, c) * (size_t)src->stride[run]);
    lines l;
    box_lines(w, -1, src, dst, lo, hi, &l);
    const char *in = locate(w, src, lo, run), *from[TURNED];
    char *out = fdx_at(locate(w, dst, lo, run), r, dst->stride[run]), *to[TURNED];
    const ptrdiff_t bytes = w->unit * w->itemsize;
    for (int more = 1; more;) {
        ptrdiff_t count = 0;
        int in_a_row = 1; /* results of a row are where they belong */
        while (more && count < most) {
            in_a_row &= out == (count == 0 ? out : to[count - 1] + bytes);
            from[count] = in;
            to[count++] = out;
            more = next_line(&l, &in, &out);
        }
        turn(w, w->columns, apart, from, count, skip, greatest - least + 1);
        for (ptrdiff_t row = r; row < end; row++) {
            double *const weight = w->weight;
            const void **const x = w->near;
            const stretch s = next_stretch(band, row, end, 1);
            row_weights(s.alike, s.number, weight);
            for (int k = 0; k < s.alike->count; k++)
                x[k] = w->columns + (row + s.alike->first + k - least) * apart;
            if (in_a_row)
                fdx_sum_row(w, s.alike, x, weight, to[0] + (row - r) * dst->stride[run], count * w->unit, mode);
            else
                fdx_sum_row(w, s.alike, x, weight, w->made + (row - r) * apart, count * w->unit, FDX_SET);
        }
        if (!in_a_row)
            fdx_turn_back(w, w->made, apart, to, count, dst->stride[run], end - r, mode);
    }
    give_back(w, l.n);
}

void fdx_by_columns(const work *w, const fdx_band *band, const place *src, const place *dst, const ptrdiff_t *lo,
                    const ptrdiff_t *hi, ptrdiff_t r, ptrdiff_t end, int mode)
{
    for (; r < end; r += BY_COLUMNS)
        few_by_columns(w, band, src, dst, lo, hi, r, MIN(end, r + BY_COLUMNS), mode);
}

void fdx_sum_run(const work *w, const fdx_rows_alike *alike, ptrdiff_t number, const char *in, char *y, ptrdiff_t n,
                 int mode)
{
    const ptrdiff_t unit = w->unit, step = unit * w->itemsize;
    const void **const x = w->near;
    if (alike->row_step == 0) {
        double *const weight = w->weight;
        row_weights(alike, number, weight);
        fdx_along_fn *loop = along_loop(w, alike, n);
        if (loop != NULL) {
            const char *own = in + (alike->first + alike->own) * step;
            loop(y, own, n, weight + alike->own + 1, mode, own);
            return;
        }
        in += alike->first * step;
        for (int k = 0; k < alike->count; k++)
            x[k] = in + k * step;
        fdx_sum_row(w, alike, x, weight, y, n, mode);
        return;
    }
    in += alike->first * step;
    const double **const own = w->own;
    const int ready = unit == 1 && alike->row_step == 1; /* the weights are */
    const ptrdiff_t end = n / unit, most = ready ? end : PIECE / unit;
    for (ptrdiff_t at = 0; at < end; at += most) {
        const ptrdiff_t rows = MIN(most, end - at);
        for (int k = 0; k < alike->count; k++) {
            const double *from = alike->w + k * alike->tap_step + (number + at) * alike->row_step;
            x[k] = in + (at + k) * step;
            own[k] = from;
            if (ready)
                continue;
            double *to = (double *)(void *)w->spread + k * PIECE;
            own[k] = to;
            for (ptrdiff_t i = 0; i < rows; i++)
                for (ptrdiff_t j = 0; j < unit; j++)
                    *to++ = from[i * alike->row_step];
        }
        sum_own(w, alike, x, own, y + at * step, rows * unit, mode);
    }
}

/* Along the run, rows r .. end - 1, all alike. */
static void along_run(const work *w, const fdx_rows_alike *alike, ptrdiff_t number, const place *src, const place *dst,
                      const ptrdiff_t *lo, const ptrdiff_t *hi, ptrdiff_t r, ptrdiff_t end, int mode)
{
    const int run = w->ndim - 1;
    lines l;
    box_lines(w, -1, src, dst, lo, hi, &l);
    const char *in = fdx_at(locate(w, src, lo, run), r, src->stride[run]);
    char *out = fdx_at(locate(w, dst, lo, run), r, dst->stride[run]);
    do
        fdx_sum_run(w, alike, number, in, out, (end - r) * w->unit, mode);
    while (next_line(&l, &in, &out));
    give_back(w, l.n);
}

void fdx_apply_band(const work *w, const fdx_stage *stage, const place *src, const place *dst, const ptrdiff_t *lo,
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
        give_back(w, l.n);
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
        if (by_rows(w, &s, r)) {
            fdx_by_columns(w, band, src, dst, lo, hi, few, r, mode);
            along_run(w, s.alike, s.number, src, dst, lo, hi, r, s.end, mode);
            few = s.end;
        }
        r = s.end;
    }
    fdx_by_columns(w, band, src, dst, lo, hi, few, hi[d], mode);
}
