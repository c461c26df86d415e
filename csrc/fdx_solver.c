/* The factorisation of operators along an axis.
 *
 * The matrix is that of the compiled operator: each row is multiplied out, chain by chain. Then it is decomposed, first
 * without exchanges of rows, which keeps its outline. That is as exact as with exchanges where the numbers do not grow,
 * as for all matrices whose diagonal dominates. Where they do, rows are exchanged. At last, solutions of the result
 * tell whether the matrix has an inverse up to rounding, which pivots alone do not. */
#include "fdx_dd.h"
#include "fdx_fenv.h"
#include "fdx_solver.h"

/* Rows of |L| |U|, relative to those of |A|: how many times more than the rounding of the matrix a solution may err. */
#define MAX_GROWTH 16

/* How many roundings of the solution its error may be: 1 / 8 of the solution. */
#define MAX_CONDITION(epsilon) (0.125 / (epsilon))

/* Columns of a row of a chain's matrix, which past the ends of a periodic axis are not wrapped yet. */
typedef struct {
    ptrdiff_t lo, count;
} span;

#define MOST_DOUBLES ((size_t)PTRDIFF_MAX / sizeof(double)) /* in memory */

/* What a factorisation needs only while it is made. */
typedef struct {
    fdx_solver *s;
    const fdx_operator *op;
    double *size;          /* of the rows of A: sums of moduli */
    double *rounding;      /* of the rows, for a solution */
    double *size_of_upper; /* of the rows of U */
    double *row[2];        /* of a chain's matrix, and of its next stage */
} factorisation;

/* ---- the matrix ---- */

/* Rows reach a few periods at most: no division. */
static ptrdiff_t wrapped_index(ptrdiff_t i, ptrdiff_t n)
{
    while (i < 0)
        i += n;
    while (i >= n)
        i -= n;
    return i;
}

/* The column that row i has at an offset of 0. Rows past the ends of a periodic axis, which the next stages go around,
 * are those of other periods; so are their columns, of which there may be more or less than rows. */
static ptrdiff_t column_of(const fdx_band *band, ptrdiff_t i, ptrdiff_t row)
{
    return band->rows == band->columns || i == row ? i : row + (i - row) / band->rows * band->columns;
}

/* The columns that rows need. */
static span columns_needed(const fdx_band *band, span rows)
{
    ptrdiff_t lo = PTRDIFF_MAX, end = PTRDIFF_MIN;
    for (ptrdiff_t i = rows.lo; i < rows.lo + rows.count; i++) {
        const ptrdiff_t row = wrapped_index(i, band->rows);
        const fdx_stencil *stencil = next_row_segment(band, row, row + 1, 1).stencil;
        const ptrdiff_t first = column_of(band, i, row) + stencil->offset;
        lo = MIN(lo, first);
        end = MAX(end, first + stencil->count);
    }
    return (span){lo, end - lo};
}

/* The number by which a stage multiplies result i. */
static double coefficient_at(const fdx_operator *op, const fdx_stage *stage, ptrdiff_t i)
{
    const fdx_array *a = stage->coefficient;
    const char *from = fdx_at(a->data, i, a->stride[0]);
    float single;
    double value;
    if (a->dtype == FDX_F32) {
        op->isa->gather[a->dtype][a->swapped != 0](&single, from, 0, 1);
        value = (double)single;
    } else {
        op->isa->gather[a->dtype][a->swapped != 0](&value, from, 0, 1);
    }
    return (stage->sign > 0 && value < 0) || (stage->sign < 0 && value > 0) ? 0 : value;
}

/* The columns of a row of a chain's matrix, and, unless `f` is NULL, its elements in f->row[0]. `widest` is raised to
 * the widest row of a stage. */
static span row_of_chain(factorisation *f, const fdx_operator *op, const fdx_chain *chain, ptrdiff_t row,
                         ptrdiff_t *widest)
{
    span here = {row + (chain->shift == NULL ? 0 : chain->shift[0]), 1};
    ptrdiff_t n = op->in_shape[0]; /* results of a stage */
    for (int k = 0; k < chain->nstages; k++)
        n = chain->stage[k].band != NULL ? chain->stage[k].band->rows : n;
    if (f != NULL)
        f->row[0][0] = 1;
    for (int k = chain->nstages - 1; k >= 0; k--) {
        const fdx_stage *stage = &chain->stage[k];
        const fdx_band *band = stage->band;
        if (f != NULL && stage->coefficient != NULL)
            for (ptrdiff_t j = 0; j < here.count; j++)
                f->row[0][j] *= coefficient_at(op, stage, wrapped_index(here.lo + j, n));
        if (band == NULL)
            continue;
        const span next = columns_needed(band, here);
        *widest = MAX(*widest, next.count);
        if (f != NULL) {
            for (ptrdiff_t j = 0; j < next.count; j++)
                f->row[1][j] = 0;
            for (ptrdiff_t j = 0; j < here.count; j++) {
                const ptrdiff_t i = here.lo + j, number = wrapped_index(i, band->rows);
                const row_segment of = next_row_segment(band, number, number + 1, 1);
                const double *w = of.stencil->w + of.number * of.stencil->row_step;
                double *to = f->row[1] + (column_of(band, i, number) + of.stencil->offset - next.lo);
                for (int m = 0; m < of.stencil->count; m++)
                    to[m] += f->row[0][j] * w[m * of.stencil->weight_step];
            }
            double *const before = f->row[0];
            f->row[0] = f->row[1];
            f->row[1] = before;
        }
        here = next;
        n = band->columns;
    }
    return here;
}

/* The first and the last place in row p of the matrix. */
static void outline_of_row(const fdx_solver *s, const fdx_operator *op, ptrdiff_t p, ptrdiff_t *first, ptrdiff_t *last,
                           ptrdiff_t *widest)
{
    *first = *last = p;
    for (int k = 0; k < op->nchains; k++) {
        const span columns = row_of_chain(NULL, op, &op->chain[k], point_at(s, p), widest);
        const ptrdiff_t count = s->folded ? MIN(columns.count, s->n) : columns.count;
        for (ptrdiff_t j = 0; j < count; j += s->folded || count == 1 ? 1 : count - 1) {
            const ptrdiff_t place = place_of(s, wrapped_index(columns.lo + j, s->n));
            *first = MIN(*first, place);
            *last = MAX(*last, place);
        }
    }
}

/* ---- memory ---- */

/* Lay the solver out in memory, or only count its bytes, which more may be than are used. */
typedef struct {
    char *memory;
    size_t used;
    int full;
} layout;

static void *lay_out(layout *l, size_t count, size_t bytes)
{
    const size_t at = l->used;
    if (l->full || !fdx_product_fits(count, bytes, MOST_DOUBLES * sizeof(double) - at)) {
        l->full = 1;
        return NULL;
    }
    l->used += whole_doubles(count * bytes);
    return l->memory == NULL ? NULL : l->memory + at;
}

static int is_periodic(const fdx_operator *op)
{
    for (int k = 0; k < op->nchains; k++)
        for (int j = 0; j < op->chain[k].nstages; j++)
            if (op->chain[k].stage[j].band != NULL && op->chain[k].stage[j].band->periodic)
                return 1;
    return 0;
}

static fdx_status check_operator(const fdx_operator *op)
{
    const fdx_status status = fdx_check_operator(op);
    if (status != FDX_OK)
        return status;
    if (op->ndim != 1)
        return FDX_E_NDIM;
    if (op->ninputs != 1 || op->noutputs != 1)
        return FDX_E_COUNT;
    if (op->in_shape[0] < 1 || op->in_shape[0] > MAX_LENGTH || op->in_shape[0] != op->out_shape[0])
        return FDX_E_SIZE;
    for (int k = 0; k < op->nchains; k++)
        for (int j = 0; j < op->chain[k].nstages; j++)
            if (op->chain[k].stage[j].coefficient != NULL && op->chain[k].stage[j].coefficient->data == NULL)
                return FDX_E_NULL;
    return FDX_OK;
}

/* Reserve the solver's memory: all of it but what is only needed while it is made, and that in `f`. */
static fdx_status reserve_all(layout *l, const fdx_operator *op, factorisation *f)
{
    const fdx_status status = check_operator(op);
    if (status != FDX_OK)
        return status;
    fdx_solver outline = {.n = op->in_shape[0], .isa = op->isa, .folded = is_periodic(op)};
    const size_t n = (size_t)outline.n;
    fdx_solver *s = (fdx_solver *)lay_out(l, 1, sizeof(fdx_solver));
    outline.diagonal = (ptrdiff_t *)lay_out(l, n, sizeof(ptrdiff_t));
    outline.lower = (int *)lay_out(l, n, sizeof(int));
    outline.upper = (int *)lay_out(l, n, sizeof(int));
    outline.exchange = (int *)lay_out(l, n, sizeof(int));
    outline.reach = (int *)lay_out(l, n, sizeof(int));
    f->s = s;
    f->op = op;
    f->size = (double *)lay_out(l, n, sizeof(double));
    f->rounding = (double *)lay_out(l, n, sizeof(double));
    f->size_of_upper = (double *)lay_out(l, n, sizeof(double));
    if (l->full) /* before the time that so many rows take */
        return FDX_E_SIZE;
    ptrdiff_t widest = 1, most_lower = 0;
    size_t elements = 0;
    for (ptrdiff_t p = 0, last = 0; p < outline.n; p++) {
        ptrdiff_t first, here;
        outline_of_row(&outline, op, p, &first, &here, &widest);
        last = MAX(last, here);
        most_lower = MAX(most_lower, p - first);
        elements += MIN((size_t)(last - first + 1), MOST_DOUBLES - elements);
    }
    /* With the outline of U after exchanges, at most. Where this fits, so do ints for the rows' ends. */
    if (!fdx_product_fits(n, (size_t)most_lower, MOST_DOUBLES - elements))
        return FDX_E_SIZE;
    outline.w = (double *)lay_out(l, elements + n * (size_t)most_lower, sizeof(double));
    for (int k = 0; k < 2; k++)
        f->row[k] = (double *)lay_out(l, (size_t)widest, sizeof(double));
    if (l->full)
        return FDX_E_SIZE;
    if (s != NULL)
        *s = outline;
    return FDX_OK;
}

size_t fdx_solver_size(const fdx_operator *op)
{
    layout l = {NULL, 0, 0};
    factorisation f;
    return reserve_all(&l, op, &f) == FDX_OK ? l.used : 0;
}

/* ---- decomposition ---- */

static void swap(double *x, ptrdiff_t i, ptrdiff_t k)
{
    const double v = x[i];
    x[i] = x[k];
    x[k] = v;
}

/* Where the elements of each row are: those of A and, to the right of them, those that the decomposition adds. */
static void set_outline(factorisation *f)
{
    fdx_solver *s = f->s;
    ptrdiff_t last = 0, unused = 0, at = 0;
    for (ptrdiff_t p = 0; p < s->n; p++)
        s->reach[p] = 0;
    for (ptrdiff_t p = 0; p < s->n; p++) {
        ptrdiff_t first, here;
        outline_of_row(s, f->op, p, &first, &here, &unused);
        last = MAX(last, here);
        s->lower[p] = (int)(p - first);
        s->upper[p] = (int)(last - p);
        s->reach[first] = MAX(s->reach[first], s->lower[p]);
    }
    for (ptrdiff_t p = 0; p < s->n; p++) {
        s->reach[p] = MAX(s->reach[p], p == 0 ? 0 : s->reach[p - 1] - 1);
        s->diagonal[p] = at + s->lower[p];
        at = s->diagonal[p] + s->reach[p] + s->upper[p + s->reach[p]] + 1;
    }
}

/* Fill in the matrix; returns whether all is finite. */
static int fill(factorisation *f)
{
    fdx_solver *s = f->s;
    ptrdiff_t unused = 0;
    const ptrdiff_t last = s->n - 1;
    for (ptrdiff_t k = 0; k <= s->diagonal[last]; k++)
        s->w[k] = 0;
    for (ptrdiff_t p = 0; p < s->n; p++) {
        double *const row = s->w + s->diagonal[p];
        for (int k = 0; k < f->op->nchains; k++) {
            const span columns = row_of_chain(f, f->op, &f->op->chain[k], point_at(s, p), &unused);
            for (ptrdiff_t j = 0; j < columns.count; j++)
                row[place_of(s, wrapped_index(columns.lo + j, s->n)) - p] += f->row[0][j];
        }
        double sum = 0;
        for (ptrdiff_t j = -s->lower[p]; j <= s->upper[p]; j++)
            sum += fdx_magnitude(row[j]);
        if (!fdx_is_finite(sum))
            return 0;
        f->size[p] = sum;
    }
    return 1;
}

/* Can nothing be divided by this pivot? */
static int is_no_pivot(const factorisation *f, ptrdiff_t p)
{
    const double pivot = fdx_magnitude(f->s->w[f->s->diagonal[p]]);
    return !(pivot >= DBL_MIN && 1 / pivot >= DBL_MIN);
}

/* Without exchanges. Returns whether its solutions are exact enough. */
static int decompose(factorisation *f)
{
    fdx_solver *s = f->s;
    for (ptrdiff_t p = 0; p < s->n; p++) {
        double *const row = s->w + s->diagonal[p];
        double growth = 0, upper = 0;
        for (ptrdiff_t k = p - s->lower[p]; k < p; k++) {
            const double *const of = s->w + s->diagonal[k];
            const double by = row[k - p] / of[0];
            row[k - p] = by;
            growth += fdx_magnitude(by) * f->size_of_upper[k];
            for (ptrdiff_t j = 1; j <= s->upper[k]; j++)
                row[k - p + j] -= by * of[j];
        }
        for (ptrdiff_t j = 0; j <= s->upper[p]; j++)
            upper += fdx_magnitude(row[j]);
        f->size_of_upper[p] = upper;
        if (!(growth + upper <= MIN(MAX_GROWTH * f->size[p], DBL_MAX)) || is_no_pivot(f, p))
            return 0;
    }
    return 1;
}

/* With exchanges, by the largest element relative to its row of A. Returns the first row without a pivot, or n. */
static ptrdiff_t decompose_with_exchanges(factorisation *f)
{
    fdx_solver *s = f->s;
    for (ptrdiff_t p = 0; p < s->n; p++)
        s->upper[p] = s->upper[p + s->reach[p]] + s->reach[p]; /* of later rows, this is not changed yet */
    for (ptrdiff_t p = 0; p < s->n; p++) {
        double *const row = s->w + s->diagonal[p];
        ptrdiff_t best = 0;
        double most = fdx_magnitude(row[0]) / f->size[p];
        for (ptrdiff_t k = 1; k <= s->reach[p]; k++) {
            if (k > s->lower[p + k])
                continue;
            const double here = fdx_magnitude(s->w[s->diagonal[p + k] - k]) / f->size[p + k];
            if (here > most) {
                most = here;
                best = k;
            }
        }
        s->exchange[p] = (int)best;
        if (best > 0) {
            double *const other = s->w + s->diagonal[p + best] - best;
            for (ptrdiff_t j = 0; j <= s->upper[p]; j++) {
                const double v = row[j];
                row[j] = other[j];
                other[j] = v;
            }
            swap(f->size, p, p + best);
        }
        if (is_no_pivot(f, p))
            return p;
        for (ptrdiff_t k = 1; k <= s->reach[p]; k++) {
            if (k > s->lower[p + k])
                continue;
            double *const to = s->w + s->diagonal[p + k] - k;
            const double by = to[0] / row[0];
            to[0] = by;
            for (ptrdiff_t j = 1; j <= s->upper[p]; j++)
                to[j] -= by * row[j];
        }
    }
    return s->n;
}

/* From the decomposition to the numbers that rows are multiplied by; returns whether all are finite. */
static int set_numbers(fdx_solver *s)
{
    double most = 0, least = DBL_MAX;
    for (ptrdiff_t p = 0; p < s->n; p++) {
        double *const row = s->w + s->diagonal[p];
        const double reciprocal = 1 / row[0];
        least = MIN(least, fdx_magnitude(reciprocal));
        row[0] = reciprocal;
        for (ptrdiff_t j = 1; j <= s->upper[p]; j++)
            row[j] *= -reciprocal;
        for (ptrdiff_t j = 1; j <= s->lower[p]; j++)
            row[-j] = -row[-j];
        for (ptrdiff_t j = -s->lower[p]; j <= s->upper[p]; j++) {
            if (!fdx_is_finite(row[j]))
                return 0;
            most = MAX(most, fdx_magnitude(row[j]));
        }
    }
    s->double_only = most > FLT_MAX || least < FLT_MIN;
    return 1;
}

/* ---- the condition ---- */

static void times_inverse_of_upper_transposed(const fdx_solver *s, double *x)
{
    for (ptrdiff_t p = 0; p < s->n; p++) {
        const double *const row = s->w + s->diagonal[p];
        for (ptrdiff_t j = 1; j <= s->upper[p]; j++)
            x[p + j] += row[j] * x[p];
        x[p] *= row[0];
    }
}

static void times_inverse_of_lower_transposed(const fdx_solver *s, double *x)
{
    for (ptrdiff_t p = s->n - 1; p >= 0; p--) {
        const ptrdiff_t most = s->exchanges ? s->reach[p] : s->lower[p];
        for (ptrdiff_t j = 1; j <= most; j++) {
            if (!s->exchanges)
                x[p - j] += s->w[s->diagonal[p] - j] * x[p];
            else if (j <= s->lower[p + j])
                x[p] += s->w[s->diagonal[p + j] - j] * x[p + j];
        }
        if (s->exchanges)
            swap(x, p, p + s->exchange[p]);
    }
}

/* y = |U| |x| */
static void times_moduli_of_upper(const fdx_solver *s, const double *x, double *y)
{
    for (ptrdiff_t p = 0; p < s->n; p++) {
        const double *const row = s->w + s->diagonal[p];
        y[p] = fdx_magnitude(x[p]);
        for (ptrdiff_t j = 1; j <= s->upper[p]; j++)
            y[p] += fdx_magnitude(row[j] * x[p + j]);
        y[p] /= fdx_magnitude(row[0]);
    }
}

/* y = |L| y, of numbers that are not negative */
static void times_moduli_of_lower(const fdx_solver *s, double *y)
{
    for (ptrdiff_t p = s->n - 1; p >= 0; p--) {
        const ptrdiff_t most = s->exchanges ? s->reach[p] : s->lower[p];
        for (ptrdiff_t j = 1; j <= most; j++) {
            if (!s->exchanges)
                y[p] += fdx_magnitude(s->w[s->diagonal[p] - j]) * y[p - j];
            else if (j <= s->lower[p + j])
                y[p + j] += fdx_magnitude(s->w[s->diagonal[p + j] - j]) * y[p];
        }
        if (s->exchanges)
            swap(y, p, p + s->exchange[p]);
    }
}

/* The place of the largest number, or of one that is not finite. */
static ptrdiff_t largest(const double *x, ptrdiff_t n)
{
    ptrdiff_t place = 0;
    for (ptrdiff_t p = 1; p < n; p++)
        if (!(fdx_magnitude(x[p]) <= fdx_magnitude(x[place])))
            place = p;
    return place;
}

/* x = L^-1 b, where b are the sizes of rows with signs that no matrix knows. */
static void set_middle(const factorisation *f, double *x)
{
    const fdx_solver *s = f->s;
    const double scale = f->size[largest(f->size, s->n)] > 0x1p900 ? 0x1p-64 : 1; /* nothing overflows */
    for (ptrdiff_t p = 0; p < s->n; p++)
        x[p] = f->size[p] * (((uint64_t)p + 1) * 0x9E3779B97F4A7C15U >> 63 ? -scale : scale);
    fdx_substitute_forwards(s, &s->isa->sums[1], (char *)x, sizeof *x, 1);
}

/* The largest element of |A^-1| r, or, if `upper`, of |U^-1| r, where r are roundings. Hager's estimate, from below
 * (SIAM J. Sci. Stat. Comput. 5 (1984) 311): that of `row` of the inverse, then that of the row with the largest
 * element for the signs that this row has. */
static double largest_error(const factorisation *f, ptrdiff_t row, double *x, int upper)
{
    const fdx_solver *s = f->s;
    double most = 0;
    for (int round = 0; round < 2; round++) {
        for (ptrdiff_t p = 0; p < s->n; p++)
            x[p] = 0;
        x[row] = 1;
        times_inverse_of_upper_transposed(s, x);
        if (!upper)
            times_inverse_of_lower_transposed(s, x);
        double sum = 0;
        for (ptrdiff_t p = 0; p < s->n; p++) {
            sum += fdx_magnitude(x[p]) * f->rounding[p];
            x[p] = x[p] < 0 ? -f->rounding[p] : f->rounding[p];
        }
        if (!fdx_is_finite(sum))
            return (double)INFINITY;
        most = MAX(most, sum);
        if (round == 0) {
            if (!upper)
                fdx_substitute_forwards(s, &s->isa->sums[1], (char *)x, sizeof *x, 1);
            fdx_substitute_backwards(s, &s->isa->sums[1], (char *)x, sizeof *x, 1);
            row = largest(x, s->n);
        }
    }
    return most;
}

/* How many roundings of a solution x its error may be (N. J. Higham, Accuracy and Stability of Numerical Algorithms,
 * 2002, section 9.3): the largest element of |A^-1| |L| |U| |x|, relative to that of x. What rows and columns are
 * multiplied by does not matter. With `single`, of a solution in single precision: there only factors are rounded that
 * were computed in double, so that it is that of |U^-1| |U| |x| and |A^-1| |L| |U x|. */
static double condition(const factorisation *f, int single)
{
    const fdx_solver *s = f->s;
    double *const x = f->size_of_upper; /* needed no more */
    set_middle(f, x);
    fdx_substitute_backwards(s, &s->isa->sums[1], (char *)x, sizeof *x, 1);
    const ptrdiff_t row = largest(x, s->n);
    const double of = fdx_magnitude(x[row]);
    if (!fdx_is_finite(of))
        return (double)INFINITY;
    times_moduli_of_upper(s, x, f->rounding);
    double error = 0;
    if (single) {
        error = largest_error(f, row, x, 1);
        set_middle(f, x);
        for (ptrdiff_t p = 0; p < s->n; p++)
            f->rounding[p] = fdx_magnitude(x[p]);
    }
    times_moduli_of_lower(s, f->rounding);
    return (error + largest_error(f, row, x, 0)) / of;
}

/* The pivot that is least in its row. */
static ptrdiff_t least_pivot(const factorisation *f)
{
    const fdx_solver *s = f->s;
    ptrdiff_t least = 0;
    for (ptrdiff_t p = 1; p < s->n; p++)
        if (fdx_magnitude(s->w[s->diagonal[p]] / f->size[p]) < fdx_magnitude(s->w[s->diagonal[least]] / f->size[least]))
            least = p;
    return least;
}

/* ---- all of it ---- */

static fdx_status factorise(factorisation *f, fdx_pivot *failed)
{
    fdx_solver *s = f->s;
    set_outline(f);
    if (!fill(f))
        return FDX_E_NODES;
    ptrdiff_t place = s->n;
    if (!decompose(f)) {
        fill(f);
        s->exchanges = 1;
        place = decompose_with_exchanges(f);
    }
    const int found = place == s->n;
    if (found)
        place = least_pivot(f);
    const fdx_pivot least = {point_at(s, place), s->w[s->diagonal[place]], f->size[place], (double)INFINITY};
    double most = least.condition;
    if (found) {
        if (!set_numbers(s))
            return FDX_E_NODES;
        for (ptrdiff_t p = s->n - 1; p >= 0 && s->exchanges; p--)
            swap(f->size, p, p + s->exchange[p]); /* back to their rows */
        most = condition(f, 0);
    }
    if (!(most <= MAX_CONDITION((double)FLT_EPSILON)) && most <= MAX_CONDITION(DBL_EPSILON))
        s->double_only |= !(condition(f, 1) <= MAX_CONDITION((double)FLT_EPSILON));
    if (most <= MAX_CONDITION(DBL_EPSILON))
        return FDX_OK;
    if (failed != NULL) {
        *failed = least;
        failed->condition = most;
    }
    return FDX_E_SINGULAR;
}

fdx_status fdx_solver_make(void *memory, const fdx_operator *op, const fdx_solver **solver, fdx_pivot *failed)
{
    layout l = {(char *)memory, 0, 0};
    factorisation f;
    fdx_status status = check_operator(op);
    if (status == FDX_OK && (memory == NULL || solver == NULL))
        status = FDX_E_NULL;
    if (status == FDX_OK)
        status = reserve_all(&l, op, &f);
    if (status != FDX_OK)
        return status;
    fdx_environment before;
    fdx_enter_default(&before);
    status = factorise(&f, failed);
    fdx_leave_default(&before);
    if (status == FDX_OK)
        *solver = f.s;
    return status;
}
