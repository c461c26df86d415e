/* Compiled operators and their transposes against dense matrices: the result for each unit vector is a column, bit by
 * bit. Weights, scales and coefficients are multiples of powers of two, so that no operation rounds and the matrices
 * are exact.
 *
 *     test_make [cases] [seed]
 */
#include "random_arrays.h"

enum { MAXD = 3, MAXTERMS = 3, MAXFACTORS = 3, MAXFIELDS = 2 };

/* A linear map from an array of shape `from` to one of shape `to`. */
typedef struct {
    ptrdiff_t from[MAXD], to[MAXD];
    double *entry; /* [of `to`][of `from`] */
} dense;

static int ndim;

static ptrdiff_t count(const ptrdiff_t *shape)
{
    ptrdiff_t n = 1;
    for (int d = 0; d < ndim; d++)
        n *= shape[d];
    return n;
}

static ptrdiff_t number_of(const ptrdiff_t *shape, const ptrdiff_t *index)
{
    ptrdiff_t k = 0;
    for (int d = 0; d < ndim; d++)
        k = k * shape[d] + index[d];
    return k;
}

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes + (bytes == 0));
    if (memory == NULL)
        fail("out of memory");
    memset(memory, GUARD, bytes);
    return memory;
}

static double entry_of(const fdx_band *b, ptrdiff_t row, ptrdiff_t column)
{
    const ptrdiff_t last = b->rows - b->nlast;
    const fdx_stencil *r = row < b->nfirst ? &b->first[row] : row >= last ? &b->last[row - last] : &b->interior;
    for (int k = 0; k < r->count; k++) {
        ptrdiff_t at = row + r->offset + k;
        if (b->periodic)
            at = (at + b->columns) % b->columns;
        if (at == column)
            return r->w[k * r->weight_step];
    }
    return 0;
}

static int is_derivative(const fdx_derivative *what)
{
    return what->deriv != 0 || what->position != FDX_CENTER || what->scheme != NULL;
}

/* From an end of the axis to the first or last result of a factor, in half spacings: accuracy 2, or 1 if biased. */
static ptrdiff_t lost(const fdx_factor *factor, int side)
{
    const fdx_derivative *what = &factor->what;
    if (factor->band != NULL)
        return 0;
    if (!is_derivative(what))
        return 2 * factor->crop[side];
    const int half = what->position != FDX_CENTER, deriv = what->deriv, of_bias = (deriv + 2) / 2;
    int before = half ? deriv / 2 : (deriv + 1) / 2, after = half ? deriv / 2 + 1 : before;
    if (what->side < 0)
        before = of_bias, after = deriv - of_bias;
    if (what->side > 0)
        after = of_bias, before = deriv - of_bias;
    int own = 0;
    if (what->scheme != NULL) {
        before = -what->scheme->offset;
        after = what->scheme->offset + what->scheme->count - 1;
        own = side == 0 ? what->scheme->nfirst : what->scheme->nlast;
    }
    const int outside = half && (what->position == FDX_OUTER ||
                                 what->position == (side == 0 ? FDX_LEFT : FDX_RIGHT)); /* the outermost result */
    const int from = !half ? 0 : outside ? -1 : 1;
    /* The reach of its stencil beyond the end, in points. */
    const int reach = side == 0 ? before + outside : after - (half && !outside);
    return (side == 0 ? what->left : what->right) == FDX_VALID && own == 0 && reach > 0 ? from + 2 * reach : from;
}

/* The map followed by a factor: a band along an axis, and a coefficient. Updates the origin of its rows. */
static void follow(dense *map, const fdx_factor *factor, const double *coefficient, double number, ptrdiff_t *origin)
{
    const int d = factor->axis, sign = factor->transposed ? -1 : 1;
    const ptrdiff_t first = lost(factor, 0), both = (first + lost(factor, 1)) / 2;
    fdx_derivative what = factor->what;
    what.n = map->to[d] + (factor->transposed ? both : 0);
    const fdx_band *band = factor->band;
    char *memory = NULL;
    dense next = *map;
    if (band == NULL && is_derivative(&what)) {
        memory = allocate(fdx_band_derivative_size(&what));
        if (fdx_band_derivative(memory, &what, &band) != FDX_OK)
            fail("a band");
    }
    next.to[d] -= sign * both;
    origin[d] += sign * first;
    const ptrdiff_t columns = count(map->from), rows = count(next.to);
    next.entry = allocate((size_t)(rows * columns) * sizeof(double));
    ptrdiff_t index[MAXD] = {0};
    for (ptrdiff_t r = 0; r < rows; r++) {
        ptrdiff_t there[MAXD], left = r;
        for (int e = ndim - 1; e >= 0; e--) {
            index[e] = left % next.to[e];
            left /= next.to[e];
        }
        for (ptrdiff_t c = 0; c < columns; c++) {
            double sum = 0;
            memcpy(there, index, sizeof there);
            for (ptrdiff_t k = 0; k < map->to[d]; k++) {
                there[d] = k;
                const ptrdiff_t row = factor->transposed ? k : index[d], column = factor->transposed ? index[d] : k;
                const double w = band != NULL                ? entry_of(band, row, column)
                                 : column == row + first / 2 ? what.scale
                                                             : 0;
                sum += number * w * map->entry[number_of(map->to, there) * columns + c];
            }
            const double by = coefficient == NULL                         ? 1
                              : (double)factor->sign * coefficient[r] < 0 ? 0 /* of the other sign */
                                                                          : coefficient[r];
            next.entry[r * columns + c] = by * sum;
        }
    }
    free(map->entry);
    free(memory);
    *map = next;
}

static void identity(dense *map, const ptrdiff_t *shape)
{
    memcpy(map->from, shape, sizeof map->from);
    memcpy(map->to, shape, sizeof map->to);
    const ptrdiff_t n = count(shape);
    map->entry = allocate((size_t)(n * n) * sizeof(double));
    for (ptrdiff_t k = 0; k < n * n; k++)
        map->entry[k] = k % (n + 1) == 0;
}

static double one_of(int n)
{
    static const double numbers[] = {1, 1, -2, 0.5, -1, 4};
    return numbers[below(n)];
}

/* A matrix of our own: the sum of each point and its right neighbour, in a circle. */
static const fdx_band *random_band(ptrdiff_t n)
{
    static const double w[] = {0.5, 2};
    static fdx_band band[FDX_MAXSTAGES];
    static int next;
    fdx_band *made = &band[next++ % FDX_MAXSTAGES];
    *made = (fdx_band){n, n, 0, 0, NULL, NULL, {0, 2, -1, FDX_SUM_PLAIN, w, 1, 0}, 1};
    return made;
}

/* Sometimes a position, a bias or given weights. */
static void random_place(fdx_derivative *what)
{
    static const double w[] = {0.5, -1.5, 2, -1, 0.5, -0.5, 3};
    static const fdx_scheme_row rows[] = {{1, w}, {2, w + 2}, {3, w + 1}, {2, w + 4}};
    static fdx_scheme schemes[MAXTERMS * MAXFACTORS];
    static int next;
    const int kind = below(8);
    if (kind < 3) {
        what->position = below(FDX_NPOSITIONS);
    } else if (kind == 3 && what->deriv > 0) {
        what->side = below(2) ? 1 : -1;
        what->accuracy = 1;
    } else if (kind == 4) {
        fdx_scheme *scheme = &schemes[next++ % (MAXTERMS * MAXFACTORS)];
        *scheme = (fdx_scheme){.offset = below(5) - 3, .count = 1 + below(4), .w = w + below(4)};
        if (below(2)) {
            scheme->nfirst = below(5);
            scheme->nlast = below(5);
        }
        scheme->first = scheme->last = rows;
        what->deriv = 0;
        what->position = below(2) ? FDX_CENTER : below(FDX_NPOSITIONS);
        what->scheme = scheme;
    }
}

/* Sometimes the value at an end is given, so that weights are those of one-sided stencils; or what it adds. */
static void random_condition(fdx_derivative *what)
{
    const int right = below(2);
    int *const end = right ? &what->right : &what->left;
    if (what->scheme != NULL || *end == FDX_PERIODIC || below(4) > 0)
        return;
    *end = FDX_GIVEN;
    what->condition[right] = (fdx_condition){1, 0, 2 * below(2)};
    what->datum = below(3) == 0 ? (right ? 1 : -1) : 0;
    if (fdx_derivative_points(what) == 0) {
        *end = FDX_ONE_SIDED;
        what->datum = 0;
    }
}

static fdx_factor random_factor(ptrdiff_t *n)
{
    fdx_factor factor = {
        .axis = below(ndim),
        .what = {.deriv = below(4), .accuracy = 2, .left = below(FDX_SBP), .right = below(FDX_SBP)},
        .transposed = below(3) == 0,
    };
    fdx_derivative *what = &factor.what;
    what->scale = one_of(6);
    what->spacing = one_of(6);
    if (what->left == FDX_PERIODIC || what->right == FDX_PERIODIC)
        what->left = what->right = FDX_PERIODIC;
    random_place(what);
    random_condition(what);
    const ptrdiff_t points = is_derivative(what) ? fdx_derivative_points(what) : 0;
    const ptrdiff_t here = n[factor.axis] + (factor.transposed ? (lost(&factor, 0) + lost(&factor, 1)) / 2 : 0);
    if (is_derivative(what) && (points == 0 || points > here)) {
        what->deriv = what->position = what->side = 0;
        what->scheme = NULL;
    }
    ptrdiff_t *left = &n[factor.axis];
    if (below(6) == 0 && *left > 1) {
        factor.band = random_band(*left);
        return factor;
    }
    for (int side = 0; side < 2 && !is_derivative(what); side++)
        if (below(3) == 0 && *left > factor.crop[0] + 2)
            factor.crop[side] = below(3);
    *left += (factor.transposed ? 1 : -1) * (lost(&factor, 0) + lost(&factor, 1)) / 2;
    return factor;
}

/* The entries of an operator: entry[output * ninputs + input][row * columns + column]. */
static void matrix(const fdx_operator *op, double *const *entry)
{
    const ptrdiff_t columns = count(op->in_shape), rows = count(op->out_shape);
    ptrdiff_t stride[2][MAXD], step[2] = {sizeof(double), sizeof(double)};
    for (int d = ndim - 1; d >= 0; d--) {
        stride[0][d] = step[0];
        stride[1][d] = step[1];
        step[0] *= op->in_shape[d];
        step[1] *= op->out_shape[d];
    }
    fdx_array in[MAXFIELDS], out[MAXFIELDS];
    for (int k = 0; k < op->ninputs; k++) {
        in[k] = (fdx_array){allocate((size_t)columns * sizeof(double)), stride[0], FDX_F64, 0};
        for (ptrdiff_t i = 0; i < columns; i++)
            ((double *)in[k].data)[i] = 0;
    }
    for (int k = 0; k < op->noutputs; k++)
        out[k] = (fdx_array){allocate((size_t)rows * sizeof(double)), stride[1], FDX_F64, 0};
    const fdx_call call = {op, in, out, NULL, NULL, NULL, 0, NULL};
    const ptrdiff_t bytes = fdx_workspace_size(&call);
    void *workspace = allocate((size_t)bytes);
    for (int k = 0; k < op->ninputs; k++)
        for (ptrdiff_t c = 0; c < columns; c++) {
            ((double *)in[k].data)[c] = 1;
            if (fdx_apply(&call, workspace, bytes) != FDX_OK)
                fail("fdx_apply");
            ((double *)in[k].data)[c] = 0;
            for (int j = 0; j < op->noutputs; j++)
                for (ptrdiff_t r = 0; r < rows; r++)
                    entry[j * op->ninputs + k][r * columns + c] = ((double *)out[j].data)[r];
        }
    free(workspace);
    for (int k = 0; k < op->ninputs; k++)
        free(in[k].data);
    for (int k = 0; k < op->noutputs; k++)
        free(out[k].data);
}

static void random_case(void)
{
    ptrdiff_t shape[MAXD] = {1, 1, 1}, none[MAXD] = {0};
    ndim = 1 + below(MAXD);
    for (int d = 0; d < ndim; d++)
        shape[d] = ndim == 1 ? 1 + below(20) : 2 + below(ndim == 2 ? 8 : 5);
    const int noutputs = 1 + below(2), ninputs = 1 + below(2), nterms = noutputs + below(MAXTERMS - noutputs + 1);
    fdx_factor factors[MAXTERMS][MAXFACTORS];
    fdx_term terms[MAXTERMS];
    fdx_array coefficients[MAXTERMS][MAXFACTORS];
    ptrdiff_t stride[MAXTERMS][MAXFACTORS][MAXD], origin[MAXTERMS][MAXD] = {{0}};
    double numbers[MAXTERMS];
    dense maps[MAXTERMS];
    ptrdiff_t places[MAXTERMS][MAXD];
    int used = 0, inputs = 0, apart = 0; /* apart: results of an output half a spacing from each other */
    ptrdiff_t lo[MAXD] = {0}, hi[MAXD] = {0};
    for (int k = 0; k < nterms; k++) {
        numbers[k] = below(8) == 0 ? 0 : one_of(6);
        terms[k] = (fdx_term){below(ninputs), k < noutputs ? k : noutputs - 1, 1 + below(MAXFACTORS), factors[k],
                              below(2) ? &numbers[k] : NULL};
        used |= 1 << terms[k].in;
        inputs = terms[k].in >= inputs ? terms[k].in + 1 : inputs;
        identity(&maps[k], shape);
        for (int s = 0; s < terms[k].nfactors; s++) {
            ptrdiff_t n[MAXD];
            memcpy(n, maps[k].to, sizeof n);
            fdx_factor *factor = &factors[k][s];
            *factor = random_factor(n);
            double *values = NULL;
            if (below(4) == 0) {
                values = allocate((size_t)count(n) * sizeof(double));
                ptrdiff_t step = sizeof(double);
                for (ptrdiff_t i = 0; i < count(n); i++)
                    values[i] = one_of(6);
                for (int d = ndim - 1; d >= 0; d--) {
                    stride[k][s][d] = step;
                    step *= n[d];
                }
            }
            coefficients[k][s] = (fdx_array){values, stride[k][s], FDX_F64, 0};
            factor->coefficient = values == NULL ? NULL : &coefficients[k][s];
            factor->sign = values == NULL || below(2) ? 0 : 2 * below(2) - 1;
            follow(&maps[k], factor, values, s == 0 && terms[k].scale != NULL ? numbers[k] : 1, origin[k]);
        }
        for (int d = 0; d < ndim; d++) {
            int first = 0; /* from the same input to the same output: what counts as the first point */
            while (terms[first].in != terms[k].in || terms[first].out != terms[k].out)
                first++;
            ptrdiff_t *place = &places[first][d];
            if (k == first)
                *place = origin[k][d] % 2 == 0 ? 0 : origin[k][d] < 0 ? -1 : 1;
            origin[k][d] -= *place;
            apart |= origin[k][d] % 2 != 0;
            lo[d] = k > 0 && lo[d] > origin[k][d] ? lo[d] : origin[k][d];
            const ptrdiff_t end = origin[k][d] + 2 * maps[k].to[d];
            hi[d] = k > 0 && hi[d] < end ? hi[d] : end;
        }
    }
    int empty = 0, less = 0;
    for (int d = 0; d < ndim; d++) {
        empty |= hi[d] == lo[d];
        less |= hi[d] < lo[d];
    }
    fdx_sum sum = {ndim, shape, nterms, terms, fdx_isa_find("auto"), 0};
    const size_t bytes = fdx_operator_size(&sum);
    void *memory = allocate(bytes);
    const fdx_operator *op = NULL;
    const fdx_status status = fdx_operator_make(memory, &sum, &op);
    const int gap = used != (1 << inputs) - 1; /* in the inputs' numbers */
    less |= apart;
    if (gap ? status != FDX_E_COUNT : less ? status != FDX_E_SIZE : status != FDX_OK || op != memory)
        fail("fdx_operator_make");
    if (!gap && !less && !empty) {
        const ptrdiff_t columns = count(shape);
        ptrdiff_t out_shape[MAXD];
        for (int d = 0; d < ndim; d++)
            out_shape[d] = (hi[d] - lo[d]) / 2;
        const ptrdiff_t rows = count(out_shape);
        if (memcmp(out_shape, op->out_shape, (size_t)ndim * sizeof *out_shape) != 0 || op->ninputs != inputs ||
            op->noutputs != noutputs)
            fail("the shape of the results");
        double *entry[MAXFIELDS * MAXFIELDS], *transposed[MAXFIELDS * MAXFIELDS];
        for (int k = 0; k < MAXFIELDS * MAXFIELDS; k++) {
            entry[k] = allocate((size_t)(rows * columns) * sizeof(double));
            transposed[k] = allocate((size_t)(rows * columns) * sizeof(double));
        }
        sum.transposed = 1;
        const size_t size = fdx_operator_size(&sum);
        void *other = allocate(size);
        const fdx_operator *transpose = NULL;
        if (fdx_operator_make(other, &sum, &transpose) != FDX_OK)
            fail("the transposed operator");
        /* the description is no longer needed */
        for (int k = 0; k < nterms; k++)
            for (int s = 0; s < terms[k].nfactors; s++)
                memcpy(stride[k][s], none, sizeof none);
        matrix(op, entry);
        for (int out = 0; out < noutputs; out++)
            for (int in = 0; in < inputs; in++)
                for (ptrdiff_t r = 0; r < rows; r++)
                    for (ptrdiff_t c = 0; c < columns; c++) {
                        double want = 0;
                        for (int k = 0; k < nterms; k++) {
                            ptrdiff_t there[MAXD], left = r;
                            for (int d = ndim - 1; d >= 0; d--) {
                                there[d] = left % out_shape[d] + (lo[d] - origin[k][d]) / 2;
                                left /= out_shape[d];
                            }
                            if (terms[k].out == out && terms[k].in == in)
                                want += maps[k].entry[number_of(maps[k].to, there) * columns + c];
                        }
                        if (entry[out * inputs + in][r * columns + c] != want)
                            fail("an entry of the matrix");
                    }
        matrix(transpose, transposed);
        for (int out = 0; out < noutputs; out++)
            for (int in = 0; in < inputs; in++)
                for (ptrdiff_t r = 0; r < rows; r++)
                    for (ptrdiff_t c = 0; c < columns; c++)
                        if (transposed[in * noutputs + out][c * rows + r] != entry[out * inputs + in][r * columns + c])
                            fail("an entry of the transposed matrix");
        free(other);
        for (int k = 0; k < MAXFIELDS * MAXFIELDS; k++) {
            free(entry[k]);
            free(transposed[k]);
        }
    }
    free(memory);
    for (int k = 0; k < nterms; k++) {
        free(maps[k].entry);
        for (int s = 0; s < terms[k].nfactors; s++)
            free(coefficients[k][s].data);
    }
}

/* A long chain of wide stencils needs staging buffers of more bytes than PTRDIFF_MAX. */
static void too_wide_together(void)
{
    enum { N = FDX_MAXSTAGES };
    static double u = 1, y = 7;
    ptrdiff_t shape[N], stride[N] = {0}, lo[N] = {0}, hi[N];
    fdx_factor factors[N];
    memset(factors, 0, sizeof factors);
    for (int d = 0; d < N; d++) {
        shape[d] = 100;
        hi[d] = 1;
        factors[d].axis = d;
        factors[d].what = (fdx_derivative){
            .deriv = 1, .accuracy = 40, .left = FDX_PERIODIC, .right = FDX_PERIODIC, .scale = 1, .spacing = 1};
    }
    const fdx_term term = {0, 0, N, factors, NULL};
    const fdx_sum sum = {N, shape, 1, &term, fdx_isa_find("auto"), 0};
    void *memory = allocate(fdx_operator_size(&sum));
    const fdx_array in = {&u, stride, FDX_F64, 0}, out = {&y, stride, FDX_F64, 0};
    fdx_call call = {NULL, &in, &out, lo, hi, NULL, 0, NULL};
    if (fdx_operator_make(memory, &sum, &call.op) != FDX_OK || fdx_workspace_size(&call) != 0 ||
        fdx_apply(&call, memory, PTRDIFF_MAX) != FDX_E_SIZE || y != 7)
        fail("staging buffers that are too large");
    free(memory);
}

int main(int argc, char **argv)
{
    const int cases = argc > 1 ? atoi(argv[1]) : 2000;
    state = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : 88172645463325252ULL;
    for (int i = 0; i < cases; i++)
        random_case();
    too_wide_together();
    printf("%d operators and their transposes: the matrices' entries\n", cases);
    return 0;
}
