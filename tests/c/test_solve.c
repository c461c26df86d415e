/* Solves along an axis against the inverse of the dense matrix in long double: random operators (bands filled in by
 * hand, and descriptions that are compiled), arrays, dtypes, layouts, axes, instruction sets and numbers of parts. A
 * line has the same bits wherever it is: those of its solve alone, by the base table. Every allocation has exactly its
 * size, so that a sanitizer sees each access outside it.
 *
 *     test_solve [cases] [seed]
 */
#include <float.h>

#include "fdx_fenv.h"
#include "fdx_solver.h"
#include "random_arrays.h"

enum { MAXCHAINS = 3, MAXSTAGES = 3, MAXKEPT = 10000, LONGEST = FDX_MAXWEIGHTS + 60 };

/* ---- memory of a case ---- */

static void *kept[MAXKEPT];
static int nkept;

static void *keep(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL || nkept == MAXKEPT)
        fail("out of memory");
    memset(memory, GUARD, bytes);
    return kept[nkept++] = memory;
}

static void free_all(void)
{
    while (nkept > 0)
        free(kept[--nkept]);
}

/* ---- random operators from n points to n points ---- */

static double unit;  /* of the matrix */
static int is_wide;  /* rows of up to FDX_MAXWEIGHTS neighbours */
static int is_exact; /* the matrix's elements are not rounded */

static double weight(void)
{
    return below(8) ? (below(65) - 32) / 16.0 : 0;
}

/* The stencil of a row of a closure, or of at most `rows` interior rows; its offset is not set. */
static void random_stencil(fdx_stencil *s, ptrdiff_t columns, int interior, ptrdiff_t rows, double scale)
{
    const int most = (int)MIN(columns, is_wide ? FDX_MAXWEIGHTS : 6);
    s->count = below(4) ? 1 + below(most) : most;
    s->centre = below(s->count);
    s->summation = s->count > 1 ? below(2) * FDX_SUM_DIFFERENCES : FDX_SUM_PLAIN;
    if (interior && s->count % 2 == 1 && s->count > 1 && below(2)) {
        s->centre = s->count / 2;
        s->summation = below(2) ? FDX_SUM_ANTISYMMETRIC : FDX_SUM_SYMMETRIC;
    }
    const ptrdiff_t each = interior && s->summation <= FDX_SUM_DIFFERENCES && below(2) ? rows : 1;
    double *w = keep((size_t)(s->count * each) * sizeof *w);
    for (ptrdiff_t r = 0; r < each; r++) {
        double sum = 0;
        for (int k = 0; k < s->count; k++)
            w[k * each + r] = scale * weight();
        for (int k = 0; k < s->centre && s->summation >= FDX_SUM_ANTISYMMETRIC; k++)
            w[k] = (s->summation == FDX_SUM_SYMMETRIC ? 1 : -1) * w[s->count - 1 - k];
        for (int k = 0; k < s->count; k++)
            sum += k == s->centre ? 0 : w[k * each + r];
        if (s->summation != FDX_SUM_PLAIN)
            w[s->centre * each + r] = -sum;
    }
    s->w = w;
    s->weight_step = each;
    s->row_step = each > 1;
}

static const fdx_band *random_band(ptrdiff_t rows, ptrdiff_t columns, double scale)
{
    fdx_band *b = keep(sizeof *b);
    memset(b, 0, sizeof *b);
    b->rows = rows;
    b->columns = columns;
    b->periodic = rows == columns && below(3) == 0;
    if (b->periodic) {
        random_stencil(&b->interior, columns, 1, rows, scale);
        b->interior.offset =
            below(4) ? -b->interior.centre : below((int)(2 * columns + 2 - b->interior.count)) - columns;
        return b;
    }
    fdx_stencil *s = &b->interior;
    random_stencil(s, columns, 1, rows, scale);
    const ptrdiff_t room = columns - s->count + 1, most = below(2) ? room : 1 + below((int)room);
    const ptrdiff_t inside = MIN(rows, most);
    b->nfirst = below((int)MIN(rows - inside, s->centre + 2) + 1);
    b->nlast = rows - inside - b->nfirst;
    s->offset = below((int)(room - inside + 1)) - b->nfirst;
    if (below(4)) /* near the diagonal, if it can be */
        s->offset = MAX(-b->nfirst, MIN(room - inside - b->nfirst, -s->centre));
    fdx_stencil *closures = keep((size_t)(b->nfirst + b->nlast + 1) * sizeof *closures);
    b->first = closures;
    b->last = closures + b->nfirst;
    for (ptrdiff_t k = 0; k < b->nfirst + b->nlast; k++) {
        fdx_stencil *end = &closures[k];
        random_stencil(end, columns, 0, 1, scale);
        const ptrdiff_t row = k < b->nfirst ? k : inside + k, last = columns - end->count;
        end->offset = (below(4) ? MIN(MAX(row - end->centre, 0), last) : below((int)last + 1)) - row;
    }
    return b;
}

static fdx_array *random_coefficient(ptrdiff_t n, double scale)
{
    fdx_array *a = keep(sizeof *a);
    ptrdiff_t *stride = keep(sizeof *stride);
    const int single = scale == 1 && below(2);
    *stride = below(4) ? fdx_itemsize(single ? FDX_F32 : FDX_F64) : 0;
    *a = (fdx_array){keep((size_t)n * sizeof(double)), stride, single ? FDX_F32 : FDX_F64, 0};
    a->swapped = below(4) == 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        unsigned char *p = (unsigned char *)a->data + i * fdx_itemsize(a->dtype);
        put_number(a->dtype, scale * (below(33) - 8) / 8.0, p);
        if (a->swapped)
            reverse(p, (size_t)fdx_itemsize(a->dtype));
    }
    return a;
}

/* A sum of chains of bands; often of the identity, too, so that the diagonal dominates. */
static const fdx_operator *operator_by_hand(ptrdiff_t n)
{
    const int dominant = below(2), nchains = 1 + below(MAXCHAINS - 1) + dominant;
    fdx_chain *chain = keep((size_t)nchains * sizeof *chain);
    for (int k = 0; k < nchains; k++) {
        const int last = dominant && k == nchains - 1, nstages = last ? 1 : 1 + below(2) * below(MAXSTAGES);
        fdx_stage *stage = keep((size_t)nstages * sizeof *stage);
        ptrdiff_t *shift = keep(sizeof *shift), columns = n;
        for (int s = 0; s < nstages; s++) {
            const int end = s == nstages - 1;
            const ptrdiff_t any = columns + below(5) - 2, wanted = below(2) ? columns : end ? n : any;
            const ptrdiff_t rows = MAX(wanted, end ? n : 1);
            const double scale = s == 0 ? unit : 1;
            stage[s] = (fdx_stage){0, NULL, NULL, 0};
            if (!last && (below(8) || columns < rows || unit != 1)) {
                stage[s].band = random_band(rows, columns, scale);
                columns = rows;
            }
            if (last) {
                stage[s].coefficient = random_coefficient(columns, 64 * unit);
            } else if (below(4) == 0) {
                stage[s].coefficient = random_coefficient(columns, 1);
                stage[s].sign = below(3) - 1;
            }
        }
        *shift = below((int)(columns - n) + 1);
        chain[k] = (fdx_chain){0, 0, nstages, stage, shift};
    }
    ptrdiff_t *shape = keep(sizeof *shape);
    fdx_operator *op = keep(sizeof *op);
    *shape = n;
    *op = (fdx_operator){1, shape, shape, 1, 1, nchains, chain, fdx_isa_find("base"), 0};
    is_exact = 1;
    return op;
}

/* A multiple of the identity, and products of derivatives. */
static const fdx_operator *operator_made(ptrdiff_t n)
{
    static const int boundaries[] = {FDX_ONE_SIDED, FDX_PERIODIC, FDX_REFLECT,       FDX_SYMMETRIC,    FDX_REFLECT_ODD,
                                     FDX_ZERO,      FDX_VALID,    FDX_ANTISYMMETRIC, FDX_SYMMETRIC_ODD};
    const int nterms = 1 + below(MAXCHAINS);
    double *x = keep((size_t)n * sizeof *x), *numbers = keep(MAXCHAINS * sizeof *numbers);
    for (ptrdiff_t i = 0; i < n; i++)
        x[i] = (double)i + below(16) / 64.0;
    fdx_term term[MAXCHAINS];
    fdx_factor factor[MAXCHAINS][2];
    memset(factor, 0, sizeof factor);
    for (int k = 0; k < nterms; k++) {
        const int itself = k == 0 && nterms > 1;
        numbers[k] = itself ? 1 + below(40) : (below(17) - 8) / 8.0;
        term[k] = (fdx_term){0, 0, itself ? 1 : 1 + below(2), factor[k], &numbers[k]};
        const int left = boundaries[below(9)], right = boundaries[below(9)];
        for (int s = 0; s < term[k].nfactors; s++) {
            fdx_factor *f = &factor[k][s];
            fdx_derivative *what = &f->what;
            what->scale = 1;
            what->spacing = 0.5;
            what->deriv = itself ? 0 : 1 + below(2) + (below(8) == 0);
            what->accuracy = 2 + 2 * below(3);
            what->left = left;
            what->right = left == FDX_PERIODIC || right == FDX_PERIODIC ? left : right;
            what->left = what->right == FDX_PERIODIC ? FDX_PERIODIC : what->left;
            if (!itself && term[k].nfactors == 2 && below(3) == 0) {
                what->position = FDX_INNER;
                what->left = what->right = FDX_ONE_SIDED;
                f->transposed = s;
            } else if (!itself && term[k].nfactors == 1 && below(4) == 0) {
                what->x = x;
                what->n = n;
                what->period = (double)n + 1;
            }
            if (below(4) == 0 && what->position == FDX_CENTER && what->left != FDX_VALID && what->right != FDX_VALID)
                f->coefficient = random_coefficient(n, 1);
        }
    }
    const fdx_sum sum = {1, &n, nterms, term, fdx_isa_find("base"), 0};
    const fdx_operator *op = NULL;
    void *memory = keep(fdx_operator_size(&sum) + 1);
    is_exact = 0;
    return fdx_operator_make(memory, &sum, &op) == FDX_OK ? op : NULL;
}

/* ---- the dense matrix, and its inverse ---- */

typedef struct {
    ptrdiff_t n;
    double *entry, *size; /* of the matrix, and of its rows: sums of moduli */
    long double *inverse;
    double condition; /* of the matrix whose rows and columns have a size of 1; infinite: it is singular */
} dense;

static double *matrix(const fdx_operator *op)
{
    const ptrdiff_t n = op->in_shape[0], step = sizeof(double);
    double *entry = keep((size_t)(n * n) * sizeof *entry), *u = keep((size_t)n * 2 * sizeof *u), *y = u + n;
    const fdx_array in = {u, &step, FDX_F64, 0}, out = {y, &step, FDX_F64, 0};
    const fdx_call call = {op, &in, &out, NULL, NULL, NULL, 0, NULL};
    const ptrdiff_t bytes = fdx_workspace_size(&call);
    void *workspace = keep((size_t)bytes);
    for (ptrdiff_t i = 0; i < n; i++)
        u[i] = 0;
    for (ptrdiff_t column = 0; column < n; column++) {
        u[column] = 1;
        if (fdx_apply(&call, workspace, bytes) != FDX_OK)
            fail("fdx_apply");
        u[column] = 0;
        for (ptrdiff_t row = 0; row < n; row++)
            entry[row * n + column] = y[row];
    }
    return entry;
}

/* Gauss-Jordan elimination with exchanges of rows that have a size of 1. */
static dense dense_of(const fdx_operator *op)
{
    const ptrdiff_t n = op->in_shape[0];
    dense m = {n, matrix(op), keep((size_t)n * sizeof(double)), NULL, INFINITY};
    long double *work = keep((size_t)(n * n * 2) * sizeof *work);
    for (ptrdiff_t i = 0; i < n; i++) {
        m.size[i] = 0;
        for (ptrdiff_t j = 0; j < n; j++)
            m.size[i] += fabs(m.entry[i * n + j]);
        for (ptrdiff_t j = 0; j < n; j++) {
            work[i * 2 * n + j] = (long double)m.entry[i * n + j] / m.size[i];
            work[i * 2 * n + n + j] = i == j;
        }
        if (m.size[i] == 0)
            return m;
    }
    for (ptrdiff_t p = 0; p < n; p++) {
        ptrdiff_t best = p;
        for (ptrdiff_t i = p + 1; i < n; i++)
            if (fabsl(work[i * 2 * n + p]) > fabsl(work[best * 2 * n + p]))
                best = i;
        if (work[best * 2 * n + p] == 0)
            return m;
        for (ptrdiff_t j = 0; j < 2 * n; j++) {
            const long double v = work[p * 2 * n + j];
            work[p * 2 * n + j] = work[best * 2 * n + j];
            work[best * 2 * n + j] = v;
        }
        const long double pivot = work[p * 2 * n + p];
        for (ptrdiff_t j = 0; j < 2 * n; j++)
            work[p * 2 * n + j] /= pivot;
        for (ptrdiff_t i = 0; i < n; i++) {
            const long double by = work[i * 2 * n + p];
            for (ptrdiff_t j = p; j < 2 * n && i != p && by != 0; j++)
                work[i * 2 * n + j] -= by * work[p * 2 * n + j];
        }
    }
    m.inverse = keep((size_t)(n * n) * sizeof *m.inverse);
    m.condition = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        long double sum = 0, column = 0;
        for (ptrdiff_t j = 0; j < n; j++) {
            sum += fabsl(work[i * 2 * n + n + j]);
            column = MAX(column, fabsl((long double)m.entry[j * n + i] / m.size[j]));
            m.inverse[i * n + j] = work[i * 2 * n + n + j] / m.size[j];
        }
        m.condition = MAX(m.condition, (double)(column * sum));
    }
    return m;
}

/* ---- solves ---- */

static const fdx_solver *factorised(const fdx_operator *op, const fdx_isa *isa, fdx_status *status, fdx_pivot *failed)
{
    fdx_operator by = *op;
    const fdx_solver *solver = NULL;
    by.isa = isa;
    void *memory = keep(fdx_solver_size(&by));
    fdx_set_flags(0);
    *status = fdx_solver_make(memory, &by, &solver, failed);
    if (fdx_flags() != 0)
        fail("a floating-point flag after fdx_solver_make");
    if (*status == FDX_OK ? (const void *)solver != memory : solver != NULL)
        fail("*solver");
    return solver;
}

/* The solution of one line, contiguous, of `parts` numbers for each point, which replaces it. */
static void solve_alone(const fdx_solver *solver, double *line, int dtype)
{
    const ptrdiff_t n = solver->n, step = fdx_itemsize(dtype);
    const int parts = is_complex(dtype) ? 2 : 1;
    char *memory = malloc((size_t)(n * step));
    const fdx_array a = {memory, &step, (uint8_t)dtype, 0};
    const fdx_solve call = {solver, 1, &n, 0, a, a, NULL};
    const ptrdiff_t bytes = fdx_solve_workspace_size(&call);
    void *workspace = malloc((size_t)bytes);
    for (ptrdiff_t i = 0; i < parts * n; i++)
        put_number(dtype, line[i], (unsigned char *)memory + i * (step / parts));
    if (bytes <= 0 || fdx_solve_apply(&call, workspace, bytes) != FDX_OK)
        fail("a line alone");
    for (ptrdiff_t i = 0; i < parts * n; i++)
        line[i] = get(dtype, 0, memory + i / parts * step, (int)(i % parts));
    free(workspace);
    free(memory);
}

/* A solution, every `parts`-th number of x, against that of the dense matrix. A row of A x - b is at most the rounding
 * of as many operations as a row has, and of MAX_GROWTH times the row of A. */
static void check_solution(const dense *m, const double *b, const double *x, int parts, int single)
{
    const double rounding = (single ? FLT_EPSILON : DBL_EPSILON) * 32 * (double)(m->n + 8),
                 least = single ? FLT_MIN : DBL_MIN;
    double most = 0;
    for (ptrdiff_t i = 0; i < m->n; i++)
        most = MAX(most, fabs(x[i * parts]));
    if (!(most <= DBL_MAX))
        fail("a solution that is not finite");
    for (ptrdiff_t i = 0; i < m->n; i++) {
        long double want = 0, bound = least;
        for (ptrdiff_t j = 0; j < m->n; j++) {
            want += m->inverse[i * m->n + j] * b[j * parts];
            bound += fabsl(m->inverse[i * m->n + j]) * m->size[j] * (rounding * most + least);
        }
        if (!(fabsl(x[i * parts] - want) <= bound)) {
            fprintf(stderr, "point %td of %td: %.17g, not %.17Lg, more than %Lg away\n", i, m->n, x[i * parts], want,
                    bound);
            fail("a solution");
        }
    }
}

/* ---- one random case ---- */

static int met_exchanges, met_folded, met_singular, met_double_only, met_plain;

static void random_case(const fdx_isa *isa)
{
    static const int kinds[] = {FDX_F32, FDX_F64, FDX_C64, FDX_C128};
    static const int wholes[] = {FDX_I8, FDX_U8, FDX_I16, FDX_U16, FDX_I32, FDX_U32, FDX_I64, FDX_U64};
    const int ndim = 1 + below(4), axis = below(ndim), result = kinds[below(4)], single = is_single(result);
    const int parts = is_complex(result) ? 2 : 1;
    is_wide = below(1000) == 0;
    unit = below(16) ? 1 : below(2) ? 0x1p200 : 0x1p-200;
    ordinary = below(4) > 0;
    const ptrdiff_t n = is_wide ? LONGEST - below(80) : 1 + below(below(4) ? 12 : below(8) ? 40 : 100);
    const fdx_operator *op = unit != 1 || is_wide || below(2) ? operator_by_hand(n) : operator_made(n);
    if (op == NULL) {
        free_all();
        return;
    }
    fdx_pivot failed = {-1, 0, 0, 0};
    fdx_status status, of_base;
    if (op->out_shape[0] != n) {
        if (fdx_solver_size(op) != 0 || fdx_solver_make(keep(8), op, NULL, &failed) != FDX_E_SIZE)
            fail("a matrix that is not square");
        free_all();
        return;
    }
    const dense m = dense_of(op);
    const fdx_solver *base = factorised(op, fdx_isa_find("base"), &of_base, NULL);
    const fdx_solver *solver = factorised(op, isa, &status, &failed);
    if (status != of_base)
        fail("another status by another instruction set");
    if (status == FDX_E_SINGULAR) {
        met_singular++;
        if (m.condition < 0.125 / DBL_EPSILON / 16)
            fail("a matrix that is not singular");
        if (failed.point < 0 || failed.point >= n || !(fabs(failed.pivot) <= failed.size))
            fail("the pivot that failed");
        if (failed.condition < 0.125 / DBL_EPSILON || (failed.pivot == 0 && failed.condition <= DBL_MAX))
            fail("the condition");
        free_all();
        return;
    }
    if (status != FDX_OK) {
        fprintf(stderr, "%s\n", fdx_status_message(status));
        fail("fdx_solver_make");
    }
    if (m.condition > 1e18)
        fail("a singular matrix");
    solver->exchanges ? met_exchanges++ : met_plain++;
    met_folded += solver->folded;
    met_double_only += solver->double_only;
    if (unit != 1 && !solver->double_only)
        fail("numbers that single precision does not have");

    ptrdiff_t shape[MAXN] = {0}, index[MAXN] = {0};
    for (int d = 0; d < ndim; d++)
        shape[d] = d == axis ? n : 1 + below(below(4) ? 6 : n > 40 ? 2 : ndim == 2 ? 150 : 20);
    const int in_place = below(4) == 0;
    const int dtype = result == FDX_F64 && !in_place && below(3) == 0 ? wholes[below(8)] : result;
    array out = make(ndim, shape, result), in = in_place ? out : make(ndim, shape, dtype);
    const int swapped_out = below(4) == 0, swapped_in = in_place ? swapped_out : below(4) == 0;
    do {
        put_random(result, swapped_out, at(&out, ndim, index));
        put_random(dtype, swapped_in, at(&in, ndim, index));
    } while (next(ndim, shape, index));
    if (!in_place && below(4) == 0)
        in.stride[below(ndim)] = 0;
    double alpha_beta[2];
    draw_alpha_beta(alpha_beta);
    const int adds = below(3) == 0;
    const fdx_array from = {in.data, in.stride, (uint8_t)dtype, (uint8_t)swapped_in},
                    to = {out.data, out.stride, (uint8_t)result, (uint8_t)swapped_out};
    fdx_solve call = {solver, ndim, shape, axis, from, to, adds ? alpha_beta : NULL};

    /* Before the call: all lines of the input and of the output. */
    char *before = memcpy(keep(out.bytes), out.memory, out.bytes);
    char *touched = memset(keep(out.bytes), 0, out.bytes);
    array first = out, given = in;
    first.data = before + (out.data - out.memory);
    given.data = in_place ? first.data : in.data;

    const ptrdiff_t bytes = fdx_solve_workspace_size(&call), nparts = below(2) ? 1 : 1 + below(9), skipped = below(16);
    if (single && solver->double_only) {
        if (bytes != 0 || fdx_solve_apply(&call, before, PTRDIFF_MAX) != FDX_E_DTYPE)
            fail("single precision");
    } else {
        if (bytes <= 0)
            fail("fdx_solve_workspace_size");
        char *workspace = malloc((size_t)(bytes + skipped));
        const int falling = below(2);
        for (ptrdiff_t k = 0; k < nparts; k++) {
            const ptrdiff_t part = falling ? nparts - 1 - k : k;
            memset(workspace, GUARD, (size_t)(bytes + skipped));
            status = nparts == 1 ? fdx_solve_apply(&call, workspace + skipped, bytes)
                                 : fdx_solve_apply_part(&call, workspace + skipped, bytes, part, nparts);
            if (status != FDX_OK)
                fail("fdx_solve_apply");
        }
        free(workspace);
        ptrdiff_t none[MAXN];
        memcpy(none, shape, sizeof none);
        if (ndim > 1) { /* no lines */
            none[(axis + 1) % ndim] = 0;
            fdx_solve empty = call;
            empty.shape = none;
            if (fdx_solve_workspace_size(&empty) != 0 || fdx_solve_apply_part(&empty, NULL, 0, 1, 3) != FDX_OK)
                fail("no lines");
        }

        double b[2 * LONGEST], x[2 * LONGEST];
        ptrdiff_t line_shape[MAXN];
        memcpy(line_shape, shape, sizeof line_shape);
        line_shape[axis] = 1;
        memset(index, 0, sizeof index);
        do {
            for (ptrdiff_t i = 0; i < n; i++) {
                index[axis] = i;
                for (int part = 0; part < parts; part++)
                    b[i * parts + part] = get(dtype, swapped_in, at(&given, ndim, index), part);
            }
            memcpy(x, b, sizeof x);
            solve_alone(base, x, result);
            if (ordinary || dtype < FDX_F32)
                for (int part = 0; part < parts; part++)
                    check_solution(&m, b + part, x + part, parts, single);
            for (ptrdiff_t i = 0; i < n; i++) {
                index[axis] = i;
                const char *p = at(&out, ndim, index), *was = at(&first, ndim, index);
                memset(touched + (p - out.memory), 1, (size_t)fdx_itemsize(result));
                for (int part = 0; part < parts; part++) {
                    double want = x[i * parts + part];
                    if (adds)
                        want = with_alpha_beta(single, alpha_beta, want, get(result, swapped_out, was, part));
                    if (!same(get(result, swapped_out, p, part), want))
                        fail("a line is not as it is alone");
                }
            }
            index[axis] = 0;
        } while (next(ndim, line_shape, index));
    }
    for (size_t k = 0; k < out.bytes; k++)
        if (!touched[k] && out.memory[k] != before[k])
            fail("a byte outside of the solution was written");
    free(out.memory);
    if (!in_place)
        free(in.memory);
    free_all();
}

int main(int argc, char **argv)
{
    const int cases = argc > 1 ? atoi(argv[1]) : 2000;
    for (const char *const *name = fdx_isa_names(); *name != NULL; name++) {
        const fdx_isa *isa = fdx_isa_find(*name);
        state = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : 88172645463325252ULL;
        met_exchanges = met_folded = met_singular = met_double_only = met_plain = 0;
        for (int i = 0; isa != NULL && i < cases; i++)
            random_case(isa);
        if (isa == NULL)
            printf("%s: not on this processor\n", *name);
        else
            printf("%s: %d solvers with exchanges, %d without; %d folded, %d for double only; %d singular matrices\n",
                   *name, met_exchanges, met_plain, met_folded, met_double_only, met_singular);
    }
    return 0;
}
