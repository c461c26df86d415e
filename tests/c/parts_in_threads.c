/* Parts of one call computed by many threads at once, for ThreadSanitizer: they share the call, its operators, bands
 * and arrays, and each has its own workspace. The results are those of one thread, bit by bit.
 *
 *     cc -std=c99 -O1 -g -fsanitize=thread -pthread -I csrc csrc/[*].c tests/c/parts_in_threads.c -lm
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdx.h"

enum { NTHREADS = 8, NPARTS = 24, MAXN = 3, MAXOUT = 3 };
#ifdef STREAM_MIN_BYTES /* small limits: small arrays are streamed, too */
enum { LARGE = 70 };
#else
enum { LARGE = 2510 }; /* squared, more than 48 MiB of doubles */
#endif

static void fail(const char *what)
{
    fprintf(stderr, "FAILED: %s\n", what);
    exit(1);
}

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes + (bytes == 0));
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static void expect(fdx_status status, const char *what)
{
    if (status != FDX_OK) {
        fprintf(stderr, "%s\n", fdx_status_message(status));
        fail(what);
    }
}

/* ---- threads ---- */

typedef void task(const void *shared, int thread);

typedef struct {
    task *run;
    const void *shared;
    int thread;
} start;

static void *begin(void *at)
{
    const start *s = at;
    s->run(s->shared, s->thread);
    return NULL;
}

/* All threads run it at the same time. */
static void together(task *run, const void *shared)
{
    pthread_t thread[NTHREADS];
    start s[NTHREADS];
    for (int k = 0; k < NTHREADS; k++) {
        s[k] = (start){run, shared, k};
        if (pthread_create(&thread[k], NULL, begin, &s[k]) != 0)
            fail("pthread_create");
    }
    for (int k = 0; k < NTHREADS; k++)
        pthread_join(thread[k], NULL);
}

/* ---- arrays in C order ---- */

typedef struct {
    fdx_array a;
    ptrdiff_t stride[MAXN];
    size_t bytes;
    char *first; /* before the call, or as one thread computes it */
} array;

static array new_array(int ndim, const ptrdiff_t *shape, int dtype)
{
    array a;
    ptrdiff_t stride = fdx_itemsize(dtype);
    for (int d = ndim - 1; d >= 0; d--) {
        a.stride[d] = stride;
        stride *= shape[d];
    }
    a.bytes = (size_t)stride;
    a.a = (fdx_array){allocate(a.bytes), NULL, (uint8_t)dtype, 0};
    a.first = NULL;
    return a;
}

static void fill(const array *a, unsigned seed)
{
    const size_t n = a->bytes / (a->a.dtype == FDX_F32 || a->a.dtype == FDX_C64 ? 4 : a->a.dtype == FDX_I16 ? 2 : 8);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        const double v = (double)(int)(seed >> 20) / 16 - 100;
        if (a->a.dtype == FDX_I16)
            ((int16_t *)a->a.data)[i] = (int16_t)v;
        else if (a->a.dtype == FDX_F32 || a->a.dtype == FDX_C64)
            ((float *)a->a.data)[i] = (float)v;
        else
            ((double *)a->a.data)[i] = v;
    }
}

/* A hash of all bytes, as copies of large arrays would take too much memory. */
static uint64_t digest(const array *a)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i + 8 <= a->bytes; i += 8) {
        uint64_t word;
        memcpy(&word, (const char *)a->a.data + i, 8);
        sum = (sum ^ word) * 1099511628211u;
    }
    return sum;
}

/* ---- np.gradient ---- */

static void gradient_parts(const void *shared, int thread)
{
    for (ptrdiff_t part = thread; part < NPARTS; part += NTHREADS)
        expect(fdx_gradient_apply_part(shared, part, NPARTS), "fdx_gradient_apply_part");
}

static void gradients(void)
{
    static const int dtypes[] = {FDX_F64, FDX_F32, FDX_C64, FDX_C128, FDX_I16};
    const ptrdiff_t shape[3] = {23, 31, 40}, lo[3] = {2, 0, 5}, hi[3] = {20, 31, 33}, step = sizeof(double);
    const fdx_isa *isa = fdx_isa_find("auto");
    const double alpha_beta[2] = {0.3, 1};
    double x[31];
    for (int i = 0; i < 31; i++)
        x[i] = i + 0.01 * i * i;
    const fdx_array coordinates = {x, &step, FDX_F64, 0};
    for (size_t k = 0; k < sizeof dtypes / sizeof *dtypes; k++)
        for (int boxed = 0; boxed < 2; boxed++) {
            const int dtype = dtypes[k];
            array in = new_array(3, shape, dtype), out[3], before[3];
            fdx_gradient_axis axes[3];
            fill(&in, 1);
            in.a.stride = in.stride;
            for (int d = 0; d < 3; d++) {
                expect(d == 1 ? fdx_gradient_coords(&axes[d], dtype, &coordinates, shape[d], 2, isa)
                              : fdx_gradient_uniform(&axes[d], dtype, 0.1, FDX_WEAK, 1 + (d > 0)),
                       "fdx_gradient_*");
                out[d] = new_array(3, shape, fdx_result_dtype(dtype));
                before[d] = new_array(3, shape, fdx_result_dtype(dtype));
                fill(&out[d], 2);
                fill(&before[d], 2);
                axes[d].axis = d;
                axes[d].out = out[d].a;
                axes[d].out.stride = out[d].stride;
            }
            const fdx_gradient call = {
                3, shape, in.a, 3, axes, isa, boxed ? lo : NULL, boxed ? hi : NULL, boxed ? alpha_beta : NULL, 0};
            uint64_t wanted[3];
            expect(fdx_gradient_apply(&call), "fdx_gradient_apply");
            for (int d = 0; d < 3; d++) {
                wanted[d] = digest(&out[d]);
                memcpy(out[d].a.data, before[d].a.data, out[d].bytes);
            }
            together(gradient_parts, &call);
            for (int d = 0; d < 3; d++) {
                if (digest(&out[d]) != wanted[d])
                    fail("a gradient made by many threads");
                free(out[d].a.data);
                free(before[d].a.data);
            }
            free(in.a.data);
        }
}

/* ---- operators ---- */

static void operator_parts(const void *shared, int thread)
{
    const fdx_prepared *prepared = shared;
    void *workspace = allocate((size_t)fdx_prepared_workspace_size(prepared));
    for (ptrdiff_t part = thread; part < NPARTS; part += NTHREADS)
        expect(fdx_run(prepared, NULL, NULL, workspace, part, NPARTS), "fdx_run");
    free(workspace);
}

/* Apply it to new arrays, all of one dtype. */
static void apply_together(const fdx_operator *op, int dtype, const ptrdiff_t *lo, const ptrdiff_t *hi,
                           const double *alpha_beta, int first_touch)
{
    array in[MAXOUT], out[MAXOUT];
    fdx_array inputs[MAXOUT], outputs[MAXOUT];
    uint64_t wanted[MAXOUT];
    for (int k = 0; k < op->ninputs; k++) {
        in[k] = new_array(op->ndim, op->in_shape, dtype);
        fill(&in[k], 3 + (unsigned)k);
        inputs[k] = in[k].a;
        inputs[k].stride = in[k].stride;
    }
    for (int k = 0; k < op->noutputs; k++) {
        out[k] = new_array(op->ndim, op->out_shape, dtype);
        outputs[k] = out[k].a;
        outputs[k].stride = out[k].stride;
    }
    const fdx_call call = {op, inputs, outputs, lo, hi, alpha_beta, (uint8_t)first_touch, NULL};
    const ptrdiff_t bytes = fdx_workspace_size(&call);
    void *workspace = allocate((size_t)bytes);
    for (int k = 0; k < op->noutputs; k++)
        fill(&out[k], 9);
    expect(fdx_apply(&call, workspace, bytes), "fdx_apply");
    for (int k = 0; k < op->noutputs; k++) {
        wanted[k] = digest(&out[k]);
        fill(&out[k], 9);
    }
    const fdx_prepared *prepared;
    expect(fdx_prepare(allocate(fdx_prepared_size(&call)), &call, &prepared), "fdx_prepare");
    together(operator_parts, prepared);
    free((void *)prepared);
    for (int k = 0; k < op->noutputs; k++) {
        if (digest(&out[k]) != wanted[k])
            fail("results of an operator that many threads made");
        free(out[k].a.data);
    }
    for (int k = 0; k < op->ninputs; k++)
        free(in[k].a.data);
    free(workspace);
}

static fdx_derivative derivative(int deriv, int accuracy, int left, int right)
{
    fdx_derivative what;
    memset(&what, 0, sizeof what);
    what.deriv = deriv;
    what.accuracy = accuracy;
    what.left = left;
    what.right = right;
    what.scale = 1;
    what.spacing = 0.1;
    return what;
}

static const fdx_operator *make(const fdx_sum *sum)
{
    const fdx_operator *op;
    expect(fdx_operator_make(allocate(fdx_operator_size(sum)), sum, &op), "fdx_operator_make");
    return op;
}

static const fdx_operator *make_transposed(const fdx_sum *sum)
{
    fdx_sum transposed = *sum;
    transposed.transposed = 1;
    return make(&transposed);
}

/* Outputs larger than the cache, with non-temporal stores; and without, if first_touch. */
static void laplacian(void)
{
    const ptrdiff_t shape[2] = {LARGE, LARGE};
    const fdx_factor across = {.axis = 0, .what = derivative(2, 2, FDX_PERIODIC, FDX_PERIODIC)};
    const fdx_factor along = {.axis = 1, .what = derivative(2, 2, FDX_ONE_SIDED, FDX_REFLECT)};
    const fdx_term terms[2] = {{0, 0, 1, &across, NULL}, {0, 0, 1, &along, NULL}};
    const fdx_sum sum = {2, shape, 2, terms, fdx_isa_find("auto"), 0};
    const fdx_operator *op = make(&sum);
    apply_together(op, FDX_F64, NULL, NULL, NULL, 0);
    free((void *)op);
}

/* d/dx (c du/dx) + d2v/dy2 on non-uniform coordinates, and du/dz twice, of two fields; with its transpose. */
typedef struct {
    ptrdiff_t shape[3], c_shape[3];
    array c;
    fdx_array coefficient;
    double y[24];
    fdx_factor there[2], along, twice[2];
    fdx_term terms[3];
    fdx_sum sum;
} fields;

static void describe(fields *f)
{
    static const ptrdiff_t shape[3] = {20, 24, 30}, c_shape[3] = {18, 24, 30};
    memcpy(f->shape, shape, sizeof shape);
    memcpy(f->c_shape, c_shape, sizeof c_shape);
    f->c = new_array(3, c_shape, FDX_F64);
    fill(&f->c, 5);
    f->coefficient = f->c.a;
    f->coefficient.stride = f->c.stride;
    for (int i = 0; i < 24; i++)
        f->y[i] = i + 0.01 * i * i;
    f->there[0] =
        (fdx_factor){.axis = 0, .what = derivative(1, 2, FDX_VALID, FDX_VALID), .coefficient = &f->coefficient};
    f->there[1] = (fdx_factor){.axis = 0, .what = derivative(1, 4, FDX_ONE_SIDED, FDX_REFLECT_ODD)};
    f->along = (fdx_factor){.axis = 1, .what = derivative(2, 4, FDX_SYMMETRIC, FDX_ONE_SIDED)};
    f->along.what.x = f->y;
    f->along.what.n = 24;
    f->twice[0] = (fdx_factor){.axis = 2, .what = derivative(1, 6, FDX_PERIODIC, FDX_PERIODIC)};
    f->twice[1] = f->twice[0];
    f->terms[0] = (fdx_term){0, 0, 2, f->there, NULL};
    f->terms[1] = (fdx_term){1, 0, 1, &f->along, NULL};
    f->terms[2] = (fdx_term){0, 1, 2, f->twice, NULL};
    f->sum = (fdx_sum){3, f->shape, 3, f->terms, fdx_isa_find("auto"), 0};
}

static void sums_with_coefficients(void)
{
    static const int dtypes[] = {FDX_F64, FDX_F32, FDX_C64, FDX_C128};
    const ptrdiff_t lo[3] = {1, 3, 2}, hi[3] = {17, 20, 29};
    const double alpha_beta[2] = {-0.7, 0.9};
    fields f;
    describe(&f);
    const fdx_operator *op = make(&f.sum), *transpose = make_transposed(&f.sum);
    for (size_t k = 0; k < sizeof dtypes / sizeof *dtypes; k++) {
        apply_together(op, dtypes[k], NULL, NULL, NULL, 1);
        apply_together(op, dtypes[k], lo, hi, alpha_beta, 0);
        apply_together(transpose, dtypes[k], NULL, NULL, alpha_beta, 0);
        apply_together(transpose, dtypes[k], lo, hi, NULL, 0);
    }
    free((void *)op);
    free((void *)transpose);
    free(f.c.a.data);
}

/* ---- solves ---- */

/* 5 u + du/dx, times a coefficient, or du/dx + 0.1 u, which needs exchanges of rows. */
static const fdx_solver *factorise(int periodic, int exchanges)
{
    const int boundary = periodic ? FDX_PERIODIC : FDX_ONE_SIDED;
    const ptrdiff_t n = 30;
    const double itself = exchanges ? 0.1 : 5;
    double by[30];
    for (int i = 0; i < 30; i++)
        by[i] = 1 + 0.01 * i;
    const ptrdiff_t step = sizeof *by;
    const fdx_array coefficient = {by, &step, FDX_F64, 0};
    const fdx_factor factors[2] = {
        {.axis = 0, .what = {.scale = itself}},
        {.axis = 0, .what = derivative(1, 4, boundary, boundary), .coefficient = &coefficient}};
    const fdx_term terms[2] = {{0, 0, 1, factors, NULL}, {0, 0, 1, factors + 1, NULL}};
    const fdx_sum sum = {1, &n, 2, terms, fdx_isa_find("auto"), 0};
    const fdx_operator *op = make(&sum);
    const fdx_solver *solver;
    expect(fdx_solver_make(allocate(fdx_solver_size(op)), op, &solver, NULL), "fdx_solver_make");
    free((void *)op);
    return solver;
}

static void solve_parts(const void *shared, int thread)
{
    const fdx_solve *call = shared;
    const ptrdiff_t bytes = fdx_solve_workspace_size(call);
    void *workspace = allocate((size_t)bytes);
    for (ptrdiff_t part = thread; part < NPARTS; part += NTHREADS)
        expect(fdx_solve_apply_part(call, workspace, bytes, part, NPARTS), "fdx_solve_apply_part");
    free(workspace);
}

/* Along each axis, of another array or in place. */
static void solves(void)
{
    static const int dtypes[] = {FDX_F64, FDX_F32, FDX_C64, FDX_C128};
    const ptrdiff_t shape[3] = {30, 30, 30};
    const double alpha_beta[2] = {0.3, 1};
    for (int kind = 0; kind < 4; kind++) {
        const fdx_solver *solver = factorise(kind % 2, kind / 2);
        for (int k = 0; k < 4 * 3 * 2; k++) {
            const int dtype = dtypes[k % 4], axis = k / 4 % 3, in_place = k / 12;
            array in = new_array(3, shape, dtype), out = new_array(3, shape, dtype);
            in.a.stride = in.stride;
            out.a.stride = out.stride;
            const fdx_solve call = {solver, 3, shape, axis, in_place ? out.a : in.a, out.a, k % 3 ? alpha_beta : NULL};
            const ptrdiff_t bytes = fdx_solve_workspace_size(&call);
            void *workspace = allocate((size_t)bytes);
            fill(&in, 1);
            fill(&out, 2);
            expect(fdx_solve_apply(&call, workspace, bytes), "fdx_solve_apply");
            const uint64_t wanted = digest(&out);
            fill(&out, 2);
            together(solve_parts, &call);
            if (digest(&out) != wanted)
                fail("a solution made by many threads");
            free(workspace);
            free(in.a.data);
            free(out.a.data);
        }
        free((void *)solver);
    }
}

/* ---- bands, operators, solvers and weights, each thread in its own memory ---- */

typedef struct {
    const fields *f;
    double *results[NTHREADS + 1]; /* of the operator's transpose; the last ones are those of one thread */
    double weights[NTHREADS + 1][40], solutions[NTHREADS + 1][30];
} makings;

enum { RESULTS = 2 * 20 * 24 * 30 };

static void make_own(const void *shared, int thread)
{
    const makings *m = shared;
    const fdx_operator *op = make(&m->f->sum), *transpose = make_transposed(&m->f->sum);
    double *y = m->results[thread];
    array in[2];
    fdx_array inputs[2], outputs[2];
    ptrdiff_t stride[3] = {24 * 30 * sizeof *y, 30 * sizeof *y, sizeof *y};
    for (int k = 0; k < 2; k++) {
        in[k] = new_array(3, transpose->in_shape, FDX_F64);
        fill(&in[k], 7);
        inputs[k] = in[k].a;
        inputs[k].stride = in[k].stride;
        outputs[k] = (fdx_array){y + k * (RESULTS / 2), stride, FDX_F64, 0};
    }
    const fdx_call call = {transpose, inputs, outputs, NULL, NULL, NULL, 0, NULL};
    const ptrdiff_t bytes = fdx_workspace_size(&call);
    void *workspace = allocate((size_t)bytes);
    expect(fdx_apply(&call, workspace, bytes), "fdx_apply");

    /* Bands, and weights of nodes that need long integers. */
    fdx_derivative what = m->f->along.what;
    what.n = 24;
    const fdx_band *band, *square, *turned;
    void *memory[3] = {allocate(fdx_band_derivative_size(&what)), NULL, NULL};
    expect(fdx_band_derivative(memory[0], &what, &band), "fdx_band_derivative");
    memory[1] = allocate(fdx_band_product_size(band, band));
    expect(fdx_band_product(memory[1], band, band, 0.5, &square), "fdx_band_product");
    memory[2] = allocate(fdx_band_transpose_size(square));
    expect(fdx_band_transpose(memory[2], square, &turned), "fdx_band_transpose");
    double *w = (double *)(void *)m->weights[thread], nodes[9];
    for (int k = 0; k < 9; k++)
        nodes[k] = k == 0 ? 1e-30 : k * 1.1;
    expect(fdx_weights(w, w + 9, nodes, 9, 0.3, 2), "fdx_weights");
    for (int k = 0; k < turned->interior.count && k < 20; k++)
        w[18 + k] = turned->interior.w[k * turned->interior.weight_step];

    const fdx_solver *solver = factorise(1, 1);
    double *x = (double *)(void *)m->solutions[thread];
    memcpy(x, in[0].a.data, sizeof m->solutions[thread]);
    const ptrdiff_t n = 30, step = sizeof *x;
    const fdx_array line = {x, &step, FDX_F64, 0};
    const fdx_solve solve = {solver, 1, &n, 0, line, line, NULL};
    expect(fdx_solve_apply(&solve, workspace, bytes), "fdx_solve_apply");

    for (int k = 0; k < 3; k++)
        free(memory[k]);
    free(workspace);
    free((void *)solver);
    free(in[0].a.data);
    free(in[1].a.data);
    free((void *)op);
    free((void *)transpose);
}

static void makers(void)
{
    static makings m;
    fields f;
    describe(&f);
    m.f = &f;
    for (int k = 0; k <= NTHREADS; k++)
        m.results[k] = allocate(RESULTS * sizeof(double));
    make_own(&m, NTHREADS);
    together(make_own, &m);
    for (int k = 0; k <= NTHREADS; k++) {
        if (memcmp(m.results[k], m.results[NTHREADS], RESULTS * sizeof(double)) != 0 ||
            memcmp(m.weights[k], m.weights[NTHREADS], sizeof m.weights[k]) != 0 ||
            memcmp(m.solutions[k], m.solutions[NTHREADS], sizeof m.solutions[k]) != 0)
            fail("bands, operators, solvers or weights that threads make in their own memory");
    }
    for (int k = 0; k <= NTHREADS; k++)
        free(m.results[k]);
    free(f.c.a.data);
}

int main(void)
{
    gradients();
    sums_with_coefficients();
    solves();
    makers();
    laplacian();
    printf("%d threads, one result\n", NTHREADS);
    return 0;
}
