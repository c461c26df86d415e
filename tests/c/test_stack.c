/* The stack that calls take: no more than fdx.h says. Threads make them, with stacks filled by a pattern before. */
#define _XOPEN_SOURCE 700 /* pthread_attr_setstack */
#include <stdio.h>

#if defined(__has_feature)
#define HAS(feature) __has_feature(feature)
#else
#define HAS(feature) 0
#endif

#if !defined(__linux__) || !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||  \
    HAS(address_sanitizer) || HAS(memory_sanitizer) || HAS(thread_sanitizer)
int main(void)
{
    puts("stack: not measured here");
    return 0;
}
#else

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fdx.h"

enum { PROMISED = 32 << 10, PROMISED_FAR_APART = 44 << 10, STACK = 1 << 18, PAINT = 0xa5 };

static unsigned char stack[STACK];
static fdx_status status;

typedef fdx_status task(void);
static task *current;

static void *begin(void *unused)
{
    status = current();
    return unused;
}

static long taken(task *run)
{
    pthread_attr_t attributes;
    pthread_t thread;
    long untouched = 0;
    current = run;
    memset(stack, PAINT, sizeof stack);
    if (pthread_attr_init(&attributes) != 0 || pthread_attr_setstack(&attributes, stack, sizeof stack) != 0 ||
        pthread_create(&thread, &attributes, begin, NULL) != 0 || pthread_join(thread, NULL) != 0) {
        fputs("FAILED: no thread\n", stderr);
        exit(1);
    }
    pthread_attr_destroy(&attributes);
    while (untouched < STACK && stack[untouched] == PAINT)
        untouched++;
    return STACK - untouched;
}

static fdx_status nothing(void)
{
    return FDX_OK;
}

static void check(task *run, const char *what, long promised)
{
    const long bytes = taken(run) - taken(nothing);
    taken(run);                                                                  /* for the status */
    const int refused = status == FDX_E_NODES && promised == PROMISED_FAR_APART; /* too far apart */
    if ((status != FDX_OK && !refused) || bytes > promised) {
        fprintf(stderr, "FAILED: %s: %ld bytes of stack, %s\n", what, bytes, fdx_status_message(status));
        exit(1);
    }
    if (getenv("FDX_SHOW_STACK") != NULL)
        printf("%s: %ld bytes of stack\n", what, bytes);
}

/* ---- weights, and bands of them ---- */

static int nodes, deriv;
static double ratio;

static fdx_status weigh(void)
{
    static double x[FDX_MAXNODES], w[FDX_MAXNODES], rest[FDX_MAXNODES];
    double step = 1;
    for (int k = 0; k < nodes; k++, step *= ratio)
        x[k] = k == 0 ? 0.1 : x[k - 1] + step;
    return fdx_weights(w, rest, x, nodes, x[nodes / 2], deriv);
}

static double points[500];

static fdx_status make_band(void)
{
    fdx_derivative what;
    const fdx_band *band;
    memset(&what, 0, sizeof what);
    what.n = 500;
    what.deriv = deriv;
    what.accuracy = (nodes - deriv + 1) & ~1;
    what.scale = what.spacing = 1;
    what.x = points;
    what.isa = fdx_isa_find("auto");
    void *memory = malloc(fdx_band_derivative_size(&what));
    const fdx_status made = fdx_band_derivative(memory, &what, &band);
    free(memory);
    return made;
}

/* ---- operators ---- */

static int ndim, stages, dtype;
static ptrdiff_t n;

/* A sum of chains, one for each axis; each stage has a coefficient. */
static fdx_status operate(void)
{
    static ptrdiff_t shape[FDX_MAXDIM], stride[FDX_MAXDIM], coefficient_stride[FDX_MAXDIM], out_stride[FDX_MAXDIM];
    static fdx_stage stage[FDX_MAXDIM][FDX_MAXSTAGES];
    static fdx_chain chain[FDX_MAXDIM];
    static double w[9] = {1, -8, 28, -56, 70, -56, 28, -8, 1};
    static fdx_stencil closures[8];
    const int nweights = n > 9 ? 9 : 1;
    ptrdiff_t size = 1;
    for (int k = 0; k < 8; k++)
        closures[k] = (fdx_stencil){k < 4 ? -k : -4 - k, nweights, 0, FDX_SUM_PLAIN, w, 1, 0};
    const fdx_band band = {n,
                           n,
                           nweights / 2,
                           nweights / 2,
                           closures,
                           closures + 4,
                           {-(nweights / 2), nweights, nweights / 2, FDX_SUM_PLAIN, w, 1, 0},
                           0};
    for (int d = 0; d < ndim; d++) {
        shape[d] = n;
        stride[d] = size * (ptrdiff_t)fdx_itemsize(dtype);
        coefficient_stride[d] = size * (ptrdiff_t)sizeof(float);
        out_stride[d] = size * (ptrdiff_t)sizeof(double);
        size *= n;
    }
    void *data = calloc((size_t)size, fdx_itemsize(dtype)), *out = malloc((size_t)size * sizeof(double));
    const fdx_array input = {data, stride, dtype, 0}, output = {out, out_stride, FDX_F64, 0};
    const fdx_array coefficient = {calloc((size_t)size, sizeof(float)), coefficient_stride, FDX_F32, 0};
    for (int d = 0; d < ndim; d++) {
        for (int s = 0; s < stages; s++)
            stage[d][s] = (fdx_stage){(d + s) % ndim, &band, &coefficient, 0};
        chain[d] = (fdx_chain){0, 0, stages, stage[d], NULL};
    }
    const fdx_operator op = {ndim, shape, shape, 1, 1, ndim, chain, fdx_isa_find("auto"), 0};
    const fdx_call call = {&op, &input, &output, NULL, NULL, NULL, 0, NULL};
    const ptrdiff_t bytes = fdx_workspace_size(&call);
    void *workspace = malloc((size_t)bytes);
    const fdx_status done = fdx_apply(&call, workspace, bytes);
    free(workspace);
    free((void *)coefficient.data);
    free(data);
    free(out);
    return done;
}

/* ---- solves ---- */

static int ndim_of_solve, periodic, exchanges;

/* A product of `stages` bands and coefficients along the last of some axes, factorised and solved in place, of bytes in
 * the other order. */
static fdx_status solve(void)
{
    static ptrdiff_t shape[FDX_MAXDIM], stride[FDX_MAXDIM];
    static double w[2][3] = {{1, 4, 1}, {4, 1, 4}}, ones[400];
    static const fdx_stencil ends[2] = {{0, 2, 0, FDX_SUM_PLAIN, w[1], 1, 0}, {-1, 2, 1, FDX_SUM_PLAIN, w[0], 1, 0}};
    static fdx_stage stage[FDX_MAXSTAGES];
    const ptrdiff_t points = 400, step = sizeof *ones;
    const fdx_band band = {
        points, points, !periodic, !periodic, ends, ends + 1, {-1, 3, 1, FDX_SUM_PLAIN, w[exchanges], 1, 0}, periodic};
    const fdx_array coefficient = {ones, &step, FDX_F64, 0};
    for (int k = 0; k < 400; k++)
        ones[k] = 1;
    for (int s = 0; s < stages; s++)
        stage[s] = (fdx_stage){0, &band, &coefficient, 0};
    const fdx_chain chain = {0, 0, stages, stage, NULL};
    const fdx_operator op = {1, &points, &points, 1, 1, 1, &chain, fdx_isa_find("auto"), 0};
    const fdx_solver *solver;
    void *memory = malloc(fdx_solver_size(&op));
    fdx_status done = fdx_solver_make(memory, &op, &solver, NULL);
    ptrdiff_t size = 1;
    for (int d = ndim_of_solve - 1; d >= 0; d--) {
        shape[d] = d == ndim_of_solve - 1 ? points : d > ndim_of_solve - 4 ? 7 : 1;
        stride[d] = size * fdx_itemsize(dtype);
        size *= shape[d];
    }
    const double alpha_beta[2] = {2, 1};
    const fdx_array a = {calloc((size_t)size, (size_t)fdx_itemsize(dtype)), stride, (uint8_t)dtype, 1};
    const fdx_solve call = {solver, ndim_of_solve, shape, ndim_of_solve - 1, a, a, alpha_beta};
    const ptrdiff_t bytes = done == FDX_OK ? fdx_solve_workspace_size(&call) : 0;
    void *workspace = malloc((size_t)bytes);
    if (done == FDX_OK)
        done = fdx_solve_apply_part(&call, workspace, bytes, 1, 2);
    free(workspace);
    free(a.data);
    free(memory);
    return done;
}

int main(void)
{
    char what[100];
    for (nodes = 3; nodes <= FDX_MAXNODES; nodes += nodes < 4 ? 1 : 20)
        for (deriv = 1; deriv < nodes; deriv += deriv < 2 ? 1 : 15)
            for (int far_apart = 0; far_apart < 2; far_apart++) {
                ratio = far_apart ? 1.5 : 1.01;
                snprintf(what, sizeof what, "weights, %d nodes, derivative %d, ratio %g", nodes, deriv, ratio);
                check(weigh, what, far_apart ? PROMISED_FAR_APART : PROMISED);
            }
    for (int k = 0; k < 500; k++)
        points[k] = k + k * (double)k / 999;
    for (nodes = 3; nodes <= 41; nodes += 19)
        for (deriv = 1; deriv <= 2; deriv++) {
            snprintf(what, sizeof what, "band, derivative %d, accuracy %d", deriv, (nodes - deriv + 1) & ~1);
            check(make_band, what, PROMISED);
        }
    static const int dimensions[] = {1, 2, 3, FDX_MAXDIM};
    static const ptrdiff_t lengths[] = {400, 40, 12, 1};
    for (int k = 0; k < 4; k++)
        for (stages = 1; stages <= FDX_MAXSTAGES; stages += FDX_MAXSTAGES - 1)
            for (dtype = FDX_F64; dtype != -1; dtype = dtype == FDX_F64 ? FDX_I16 : -1) {
                ndim = dimensions[k];
                n = lengths[k];
                snprintf(what, sizeof what, "operator, %d dimensions, %d stages, dtype %d", ndim, stages, dtype);
                check(operate, what, PROMISED);
            }
    for (int k = 0; k < 4; k++)
        for (periodic = 0; periodic < 2; periodic++)
            for (exchanges = 0; exchanges < 2; exchanges++) {
                ndim_of_solve = dimensions[k];
                stages = exchanges ? 1 : 1 + 5 * k;
                dtype = k % 2 == 0 ? FDX_C64 : FDX_F64;
                snprintf(what, sizeof what, "solve, %d dimensions, %d stages, %speriodic", ndim_of_solve, stages,
                         periodic ? "" : "not ");
                check(solve, what, PROMISED);
            }
    puts("stack: as little as promised");
    return 0;
}
#endif
