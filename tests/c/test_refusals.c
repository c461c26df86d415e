/* Calls with one member changed: what fdx.h calls wrong returns its status, or a size of 0, and leaves outputs, memory
 * and the pointers to be set untouched. Members that are ignored may have any value.
 *
 *     test_refusals
 */
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdx.h"

enum { N0 = 8, N1 = 6, N = N0 * N1 };
static const ptrdiff_t MOST = PTRDIFF_MAX, LEAST = PTRDIFF_MIN;

/* All arguments of calls, and memory for results. */
typedef struct {
    /* bands: along axis 0; around axis 1, which is periodic; with different weights in each row; ... */
    double closures[2][2], pairs[3], odd[3], one, each[2 * N0];
    fdx_stencil first[1], last[1];
    fdx_band along, around, varying, identity, periodic_identity;

    ptrdiff_t shape[3], stride[3], far[3], shift[3], lo[3], hi[3];
    double u[2][N], y[2][N], copy[N], times[N], x[N0];
    fdx_array in[2], out[2], coefficient;
    fdx_stage stage[3];
    fdx_chain chain[3];
    fdx_operator op;
    double alpha, alpha_beta[2], workspace[8192];
    ptrdiff_t bytes, part, nparts;
    fdx_call call;

    fdx_gradient_axis axes[2];
    fdx_gradient gradient;

    fdx_derivative second; /* with a spacing, */
    fdx_derivative uneven; /* and with coordinates */
    fdx_factor factor[2];
    fdx_term term[2];
    fdx_sum sum;
    double memory[1024], memory_of_call[128];
    const fdx_band *band;
    const fdx_operator *compiled;
    const fdx_prepared *prepared;

    fdx_gradient_axis stencils;
    fdx_array coordinates;
    int dtype, edge_order;
    fdx_precision precision;
    ptrdiff_t n;
    const fdx_isa *isa;

    double nodes[4], weights[4], rest[4], at;
    int nnodes, deriv;

    /* a multiple of the identity that varies, and a derivative, along axis 0 */
    double diagonal[N0], memory_of_solver[256];
    ptrdiff_t line_shape[2];
    fdx_array line_coefficient;
    fdx_stage line_stage[2];
    fdx_chain line_chain[2];
    fdx_operator line;
    const fdx_solver *solver, *factorised;
    fdx_pivot failed;
    fdx_solve solve;
    fdx_scheme compact[2];
} world;

static world w, before;
static const char *doing = "nothing yet", *calling = "";

static void fail(const char *what)
{
    fprintf(stderr, "FAILED: %s: after %s, %s\n", what, doing, calling);
    exit(1);
}

static void crash(int number)
{
    (void)number;
    fail("a crash");
}

static fdx_array array(double *data, const ptrdiff_t *stride)
{
    const fdx_array a = {data, stride, FDX_F64, 0};
    return a;
}

static fdx_band band_of(ptrdiff_t n, int periodic, ptrdiff_t first, int count, int centre, int summation,
                        const double *weights)
{
    const fdx_band b = {n, n, 0, 0, NULL, NULL, {first, count, centre, summation, weights, 1, 0}, periodic};
    return b;
}

static void factorise(void)
{
    if (fdx_solver_size(&w.line) > sizeof w.memory_of_solver ||
        fdx_solver_make(w.memory_of_solver, &w.line, &w.solver, &w.failed) != FDX_OK)
        fail("fdx_solver_make");
    w.solve.solver = w.solver;
}

/* Valid arguments for all calls. */
static void make_world(void)
{
    memset(&w, 0, sizeof w);
    w.isa = fdx_isa_find("auto");
    w.closures[0][0] = w.closures[1][0] = -1;
    w.closures[0][1] = w.closures[1][1] = w.one = 1;
    w.pairs[0] = w.pairs[2] = 1;
    w.pairs[1] = -2;
    w.odd[0] = -0.5;
    w.odd[2] = 0.5;
    for (int k = 0; k < N; k++) {
        w.u[0][k] = k % 7;
        w.u[1][k] = k % 5;
        w.times[k] = k % 3;
        w.y[0][k] = w.y[1][k] = 7;
    }
    for (int k = 0; k < 2 * N0; k++)
        w.each[k] = k;
    for (int k = 0; k < N0; k++)
        w.x[k] = k * (k + 3);
    const fdx_stencil end = {0, 2, 0, FDX_SUM_DIFFERENCES, w.closures[0], 1, 0};
    w.first[0] = w.last[0] = end;
    w.last[0].offset = -1;
    w.last[0].centre = 1;
    w.last[0].w = w.closures[1];
    w.along = band_of(N0, 0, -1, 3, 1, FDX_SUM_SYMMETRIC, w.pairs);
    w.along.nfirst = w.along.nlast = 1;
    w.along.first = w.first;
    w.along.last = w.last;
    w.around = band_of(N1, 1, -1, 3, 1, FDX_SUM_ANTISYMMETRIC, w.odd);
    w.varying = band_of(N0, 0, -1, 2, 1, FDX_SUM_PLAIN, w.each);
    w.varying.nfirst = 1;
    w.varying.first = w.first;
    w.varying.interior.weight_step = N0;
    w.varying.interior.row_step = 1;
    w.identity = band_of(N0, 0, 0, 1, 0, FDX_SUM_PLAIN, &w.one);
    w.periodic_identity = band_of(N1, 1, 0, 1, 0, FDX_SUM_PLAIN, &w.one);

    w.shape[0] = w.hi[0] = N0;
    w.shape[1] = w.hi[1] = N1;
    w.shape[2] = w.hi[2] = 1;
    w.stride[0] = N1 * sizeof(double);
    w.stride[1] = w.stride[2] = sizeof(double);
    memcpy(w.far, w.stride, sizeof w.far);
    for (int k = 0; k < 2; k++) {
        w.in[k] = array(w.u[k], w.stride);
        w.out[k] = array(w.y[k], w.stride);
    }
    w.coefficient = array(w.times, w.stride);
    const fdx_stage stages[3] = {{0, &w.along, &w.coefficient, 0}, {1, &w.around, NULL, 0}, {0, &w.varying, NULL, 0}};
    memcpy(w.stage, stages, sizeof stages);
    const fdx_chain chains[3] = {
        {0, 0, 2, w.stage, w.shift}, {1, 0, 1, w.stage + 1, NULL}, {1, 1, 1, w.stage + 2, NULL}};
    memcpy(w.chain, chains, sizeof chains);
    const fdx_operator op = {3, w.shape, w.shape, 2, 2, 3, w.chain, w.isa, 0};
    w.op = op;
    const fdx_call call = {&w.op, w.in, w.out, w.lo, w.hi, w.alpha_beta, 0, NULL};
    w.call = call;
    w.alpha_beta[0] = 0.5;
    w.alpha_beta[1] = 1;
    w.bytes = sizeof w.workspace;
    w.nparts = 1;

    w.coordinates = array(w.x, w.stride + 2);
    w.dtype = FDX_F64;
    w.edge_order = 2;
    w.precision = FDX_WEAK;
    w.n = N0;
    w.axes[0].axis = 0;
    w.axes[1].axis = 1;
    w.axes[0].out = w.out[0];
    w.axes[1].out = w.out[1];
    if (fdx_gradient_coords(&w.axes[0], FDX_F64, &w.coordinates, N0, 2, w.isa) != FDX_OK ||
        fdx_gradient_uniform(&w.axes[1], FDX_F64, 0.1, FDX_WEAK, 2) != FDX_OK)
        fail("stencils of np.gradient");
    const fdx_gradient gradient = {3, w.shape, w.in[0], 2, w.axes, w.isa, w.lo, w.hi, w.alpha_beta, 0};
    w.gradient = gradient;

    const fdx_derivative second = {
        .n = N0, .deriv = 2, .accuracy = 2, .left = FDX_ONE_SIDED, .right = FDX_REFLECT, .scale = 1, .spacing = 0.5};
    w.second = w.uneven = second;
    w.uneven.x = w.x;
    const fdx_factor factors[2] = {{.axis = 0, .what = second, .coefficient = &w.coefficient},
                                   {.axis = 1, .what = second}};
    memcpy(w.factor, factors, sizeof factors);
    w.factor[1].what.n = N1;
    const fdx_term terms[2] = {{0, 0, 1, w.factor, NULL}, {1, 0, 1, w.factor + 1, NULL}};
    memcpy(w.term, terms, sizeof terms);
    const fdx_sum sum = {3, w.shape, 2, w.term, w.isa, 0};
    w.sum = sum;

    for (int k = 0; k < 4; k++)
        w.nodes[k] = k;
    w.nnodes = 4;
    w.deriv = 1;

    for (int k = 0; k < N0; k++)
        w.diagonal[k] = 5 + k;
    w.line_shape[0] = w.line_shape[1] = N0;
    w.line_coefficient = array(w.diagonal, w.stride + 2);
    w.line_stage[0].coefficient = &w.line_coefficient;
    w.line_stage[1].band = &w.along;
    for (int k = 0; k < 2; k++) {
        const fdx_chain chain = {0, 0, 1, w.line_stage + k, NULL};
        w.line_chain[k] = chain;
    }
    const fdx_operator line = {1, w.line_shape, w.line_shape + 1, 1, 1, 2, w.line_chain, w.isa, 0};
    w.line = line;
    const fdx_solve solve = {NULL, 3, w.shape, 0, w.in[0], w.out[0], w.alpha_beta};
    w.solve = solve;
    factorise();
}

static void answered(fdx_status got, fdx_status wanted)
{
    if (got == wanted && (got == FDX_OK || memcmp(&before, &w, sizeof w) == 0))
        return;
    fprintf(stderr, "got \"%s\", not \"%s\"\n", fdx_status_message(got), fdx_status_message(wanted));
    fail(got == wanted ? "something was written" : "another status");
}

static void told(size_t bytes, int some)
{
    if ((bytes > 0) != some || memcmp(&before, &w, sizeof w) != 0)
        fail(some ? "no size, or something was written" : "a size of what is wrong, or something was written");
}

#define AFTER(change, call)                                                                                            \
    make_world();                                                                                                      \
    doing = #change;                                                                                                   \
    calling = #call;                                                                                                   \
    change;                                                                                                            \
    memcpy(&before, &w, sizeof w);
#define ANSWER(change, call, status)                                                                                   \
    do {                                                                                                               \
        AFTER(change, call)                                                                                            \
        answered(call, status);                                                                                        \
    } while (0)
#define SIZE(change, call, some)                                                                                       \
    do {                                                                                                               \
        AFTER(change, call)                                                                                            \
        told((size_t)(call), some);                                                                                    \
    } while (0)

/* ---- bands ---- */

/* All functions that take bands, of which b is one and `of` another of the same shape. */
#define BAND(change, status)                                                                                           \
    do {                                                                                                               \
        SIZE(change, fdx_band_transpose_size(b), (status) == FDX_OK);                                                  \
        ANSWER(change, fdx_band_transpose(w.memory, b, &w.band), status);                                              \
        SIZE(change, fdx_band_product_size(b, of), (status) == FDX_OK);                                                \
        ANSWER(change, fdx_band_product(w.memory, b, of, 1, &w.band), status);                                         \
        SIZE(change, fdx_band_product_size(of, b), (status) == FDX_OK);                                                \
        ANSWER(change, fdx_band_product(w.memory, of, b, 1, &w.band), status);                                         \
        CALL(change, status);                                                                                          \
    } while (0)
#define CALL(change, status)                                                                                           \
    do {                                                                                                               \
        SIZE(change, fdx_workspace_size(&w.call), (status) == FDX_OK);                                                 \
        ANSWER(change, fdx_apply(&w.call, w.workspace, w.bytes), status);                                              \
        ANSWER(change, fdx_apply_part(&w.call, w.workspace, w.bytes, 0, 2), status);                                   \
        ANSWER(change, fdx_prepare(w.memory_of_call, &w.call, &w.prepared), status);                                   \
    } while (0)

/* Errors in any row segment, of which r is one. */
static void refused_rows(const fdx_band *b, const fdx_band *of, fdx_stencil *r)
{
    static const int counts[] = {0, -1, INT_MIN, INT_MAX, INT_MAX - 1, FDX_MAXWEIGHTS + 1, N0 + 1};
    static const int summations[] = {-1, FDX_SUM_SYMMETRIC + 1, INT_MAX, INT_MIN};
    static const int centres[] = {-2, 3, INT_MAX, INT_MIN};
    const ptrdiff_t firsts[] = {MOST, MOST - 50, LEAST, LEAST + 50, MOST / 2, LEAST / 2, INT_MAX, -N0 - 1, N0 + 1};
    const ptrdiff_t steps[] = {MOST, LEAST, MOST / 2, MOST / 16 + 1, LEAST / 16 - 1};
    BAND(r->w = NULL, FDX_E_STENCIL);
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
        BAND(r->count = counts[k], FDX_E_STENCIL);
    for (size_t k = 0; k < sizeof summations / sizeof *summations; k++)
        BAND(r->summation = summations[k], FDX_E_STENCIL);
    for (size_t k = 0; k < sizeof centres / sizeof *centres; k++)
        BAND(r->centre = centres[k], FDX_E_STENCIL);
    for (size_t k = 0; k < sizeof firsts / sizeof *firsts; k++)
        BAND(r->offset = firsts[k], FDX_E_STENCIL);
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++)
        BAND(r->weight_step = steps[k], FDX_E_STENCIL);
    BAND(*(r->summation == FDX_SUM_PLAIN ? &r->count : &r->centre) = -1,
         FDX_E_STENCIL); /* -1: no centre, for plain sums only */
}

static void refused_bands(void)
{
    const fdx_band *b = &w.along, *of = &w.identity;
    const ptrdiff_t numbers[] = {-1, -7, MOST, LEAST, MOST - 50, LEAST + 50};
    BAND((void)0, FDX_OK);
    refused_rows(b, of, &w.along.interior);
    refused_rows(b, of, w.first);
    refused_rows(b, of, w.last);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        BAND(w.along.rows = numbers[k], FDX_E_STENCIL);
        BAND(w.along.columns = numbers[k], FDX_E_STENCIL);
        BAND(w.along.nfirst = numbers[k], FDX_E_STENCIL);
        BAND(w.along.nlast = numbers[k], FDX_E_STENCIL);
        BAND((w.along.nfirst = numbers[k], w.along.nlast = numbers[k]), FDX_E_STENCIL);
        BAND((w.along.nfirst = MOST, w.along.nlast = numbers[k]), FDX_E_STENCIL);
    }
    BAND(w.along.columns = 0, FDX_E_STENCIL);
    BAND(w.along.columns = 2, FDX_E_STENCIL);
    BAND(w.along.rows = 1, FDX_E_STENCIL); /* with two rows of closures */
    BAND(w.along.rows = N0 + 1, FDX_E_STENCIL);
    BAND(w.along.nfirst = N0, FDX_E_STENCIL);
    BAND(w.along.first = NULL, FDX_E_STENCIL);
    BAND(w.along.last = NULL, FDX_E_STENCIL);
    BAND(w.along.periodic = 1, FDX_E_STENCIL);
    BAND(w.along.interior.offset = -2, FDX_E_STENCIL); /* a column outside */
    BAND(w.along.interior.offset = 0, FDX_E_STENCIL);
    BAND(w.first[0].offset = -1, FDX_E_STENCIL);
    BAND(w.last[0].offset = 0, FDX_E_STENCIL);
    BAND(w.along.interior.row_step = 1, FDX_E_STENCIL); /* of pairs */
    BAND((w.along.interior.count = 2, w.along.interior.centre = 0), FDX_E_STENCIL);
    BAND((w.first[0].count = 1, w.first[0].centre = 0), FDX_E_STENCIL); /* differences of one */
    /* ignored */
    BAND((w.first[0].count = 1, w.first[0].summation = FDX_SUM_PLAIN, w.first[0].weight_step = MOST), FDX_OK);
    BAND((w.first[0].centre = -1, w.first[0].summation = FDX_SUM_PLAIN, w.first[0].row_step = LEAST), FDX_OK);
    BAND(w.identity.first = w.identity.last = NULL, FDX_OK);

    b = &w.around;
    of = &w.periodic_identity;
    BAND((void)0, FDX_OK);
    refused_rows(b, of, &w.around.interior);
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        BAND(w.around.rows = numbers[k], FDX_E_STENCIL);
        BAND(w.around.columns = numbers[k], FDX_E_STENCIL);
        BAND((w.around.rows = numbers[k], w.around.columns = numbers[k]), FDX_E_STENCIL);
        BAND(w.around.nfirst = numbers[k], FDX_E_STENCIL);
        BAND(w.around.nlast = numbers[k], FDX_E_STENCIL);
    }
    BAND(w.around.rows = N1 - 1, FDX_E_STENCIL);
    BAND((w.around.rows = 0, w.around.columns = 0), FDX_E_STENCIL);
    BAND((w.around.rows = 2, w.around.columns = 2), FDX_E_STENCIL); /* of three neighbours */
    BAND((w.around.nfirst = 1, w.around.first = w.first), FDX_E_STENCIL);
    BAND(w.around.interior.offset = -N1 - 1, FDX_E_STENCIL);
    BAND(w.around.interior.offset = N1 - 1, FDX_E_STENCIL);
    BAND(w.around.interior.offset = -N1, FDX_OK);
    BAND(w.around.interior.offset = N1 - 2, FDX_OK);
    BAND(w.around.periodic = 2, FDX_OK);

    b = &w.varying;
    of = &w.identity;
    BAND((void)0, FDX_OK);
    refused_rows(b, of, &w.varying.interior);
    BAND(w.varying.interior.row_step = MOST, FDX_E_STENCIL);
    BAND(w.varying.interior.row_step = LEAST, FDX_E_STENCIL);
    BAND(w.varying.interior.row_step = MOST / 8, FDX_E_STENCIL);
    BAND(w.varying.interior.centre = -1, FDX_OK);
    BAND(w.varying.interior.row_step = 0, FDX_OK);

    /* Two bands that are valid by themselves. */
    ANSWER((void)0, fdx_band_product(w.memory, &w.along, &w.around, 1, &w.band), FDX_E_STENCIL);
    ANSWER(w.identity.columns++, fdx_band_product(w.memory, &w.identity, &w.along, 1, &w.band), FDX_E_SIZE);
    ANSWER(w.one = (double)NAN, fdx_band_product(NULL, &w.identity, &w.along, 1, &w.band), FDX_E_NULL);
    ANSWER((void)0, fdx_band_product(w.memory, NULL, &w.along, 1, &w.band), FDX_E_NULL);
    ANSWER((void)0, fdx_band_product(w.memory, &w.along, NULL, 1, &w.band), FDX_E_NULL);
    ANSWER((void)0, fdx_band_product(w.memory, &w.along, &w.along, 1, NULL), FDX_E_NULL);
    ANSWER((void)0, fdx_band_product(w.memory, &w.along, &w.along, (double)INFINITY, &w.band), FDX_E_NODES);
    ANSWER((void)0, fdx_band_transpose(w.memory, NULL, &w.band), FDX_E_NULL);
    ANSWER((void)0, fdx_band_transpose(w.memory, &w.along, NULL), FDX_E_NULL);
    ANSWER((void)0, fdx_band_transpose(NULL, &w.along, &w.band), FDX_E_NULL);
    SIZE((void)0, fdx_band_transpose_size(NULL), 0);
    SIZE((void)0, fdx_band_product_size(NULL, &w.along), 0);
    SIZE((void)0, fdx_band_product_size(&w.along, NULL), 0);
    /* No rows, or no interior rows: stencils may have any offset in range. */
    b = &w.identity;
    SIZE(w.identity.rows = 0, fdx_band_transpose_size(b), 0);
    ANSWER(w.identity.rows = 0, fdx_band_transpose(w.memory, b, &w.band), FDX_E_SIZE);
    ANSWER((w.identity.rows = 0, w.identity.interior.offset = MOST), fdx_band_transpose(w.memory, b, &w.band),
           FDX_E_STENCIL);
    ANSWER((w.along.rows = 2, w.along.columns = 2, w.along.interior.offset = LEAST),
           fdx_band_transpose(w.memory, &w.along, &w.band), FDX_E_STENCIL);
    ANSWER((w.along.rows = 2, w.along.columns = 2), fdx_band_transpose(w.memory, &w.along, &w.band), FDX_OK);
}

/* ---- derivatives, and sizes that do not fit into memory ---- */

#define DERIVATIVE(change, status)                                                                                     \
    do {                                                                                                               \
        ANSWER(change, fdx_band_derivative(w.memory, &w.second, &w.band), status);                                     \
        SIZE(change, fdx_band_derivative_size(&w.second), (status) == FDX_OK || (status) == FDX_E_NODES);              \
    } while (0)
#define SUM(change, status)                                                                                            \
    do {                                                                                                               \
        ANSWER(change, fdx_operator_make(w.memory, &w.sum, &w.compiled), status);                                      \
        SIZE(change, fdx_operator_size(&w.sum), (status) == FDX_OK);                                                   \
    } while (0)

static void give(int right, double value, double slope, int outside)
{
    *(right ? &w.second.right : &w.second.left) = FDX_GIVEN;
    w.second.condition[right] = (fdx_condition){value, slope, outside};
}

static void refused_derivatives(void)
{
    const int wild[] = {-1, INT_MAX, INT_MIN, FDX_NBOUNDARIES};
    DERIVATIVE((void)0, FDX_OK);
    for (size_t k = 0; k < sizeof wild / sizeof *wild; k++) {
        DERIVATIVE(w.second.left = wild[k], FDX_E_STENCIL);
        DERIVATIVE(w.second.right = wild[k], FDX_E_STENCIL);
        DERIVATIVE(w.second.position = wild[k], FDX_E_STENCIL);
        DERIVATIVE(w.second.side = wild[k], FDX_E_STENCIL);
        SUM(w.factor[0].what.position = wild[k], FDX_E_STENCIL);
        SUM(w.factor[0].what.left = wild[k], FDX_E_STENCIL);
        SUM(w.factor[1].what.right = wild[k], FDX_E_STENCIL);
    }
    DERIVATIVE(w.second.left = FDX_PERIODIC, FDX_E_STENCIL);
    DERIVATIVE(w.second.deriv = 0, FDX_E_STENCIL);
    DERIVATIVE(w.second.deriv = INT_MIN, FDX_E_STENCIL);
    DERIVATIVE(w.second.deriv = INT_MAX, FDX_E_SIZE);
    DERIVATIVE(w.second.accuracy = INT_MIN, FDX_E_STENCIL);
    DERIVATIVE(w.second.accuracy = INT_MAX, FDX_E_STENCIL);
    DERIVATIVE(w.second.accuracy = INT_MAX - 1, FDX_E_SIZE);
    static double at[N0] = {0.5, 1.5, 2.5};
    DERIVATIVE(w.second.at = at, FDX_E_STENCIL);                     /* without coordinates of the points */
    DERIVATIVE((w.second.at = at, w.second.x = w.x), FDX_E_STENCIL); /* of results at the points */
    DERIVATIVE(w.second.datum = 2, FDX_E_STENCIL);
    DERIVATIVE(w.second.datum = -1, FDX_E_STENCIL);
    DERIVATIVE(give(0, 1, 0, 0), FDX_OK);
    DERIVATIVE((give(1, -2, 3, 1), w.second.datum = 1), FDX_OK);
    DERIVATIVE((give(1, 1, 0, 0), w.second.datum = -1), FDX_E_STENCIL);
    DERIVATIVE((give(0, 1, 0, 0), w.second.right = FDX_PERIODIC), FDX_E_STENCIL);
    DERIVATIVE((give(0, 1, 0, 0), w.second.right = FDX_SBP), FDX_E_STENCIL);
    ANSWER(give(0, 0, 0, 0), fdx_band_derivative(w.memory, &w.second, &w.band), FDX_E_NODES);
    ANSWER(give(1, (double)NAN, 0, 0), fdx_band_derivative(w.memory, &w.second, &w.band), FDX_E_NODES);
    ANSWER(give(1, 0, (double)INFINITY, 0), fdx_band_derivative(w.memory, &w.second, &w.band), FDX_E_NODES);
    DERIVATIVE(give(0, 1, 1, 3), FDX_E_STENCIL);
    DERIVATIVE(give(0, 1, 1, INT_MIN), FDX_E_STENCIL);
    DERIVATIVE((give(0, 0, 1, 0), w.second.position = FDX_INNER, w.second.deriv = 1, w.second.accuracy = 2),
               FDX_E_STENCIL); /* no row contains the datum */
    DERIVATIVE(w.second.n = 2, FDX_E_SIZE);
    DERIVATIVE(w.second.n = -1, FDX_E_SIZE);
    DERIVATIVE(w.second.n = LEAST, FDX_E_SIZE);
    DERIVATIVE(w.second.n = MOST, FDX_E_SIZE);
    DERIVATIVE(w.second.n = MOST / 4 + 1, FDX_E_SIZE);
    DERIVATIVE(w.second.n = MOST / 4, FDX_OK);
    DERIVATIVE((w.second.n = MOST / 20, w.second.x = w.x), FDX_E_SIZE); /* so many coordinates do not fit into memory */
    DERIVATIVE(w.second.spacing = 0, FDX_E_NODES);
    DERIVATIVE(w.second.scale = (double)NAN, FDX_E_NODES);
    ANSWER((void)0, fdx_band_derivative(NULL, &w.second, &w.band), FDX_E_NULL);
    ANSWER((void)0, fdx_band_derivative(w.memory, NULL, &w.band), FDX_E_NULL);
    ANSWER((void)0, fdx_band_derivative(w.memory, &w.second, NULL), FDX_E_NULL);
    SIZE((void)0, fdx_band_derivative_size(NULL), 0);
    SIZE((void)0, fdx_derivative_points(NULL), 0);

    SUM((void)0, FDX_OK);
    SUM(w.sum.shape = NULL, FDX_E_NULL);
    SUM(w.sum.term = NULL, FDX_E_NULL);
    SUM(w.sum.isa = NULL, FDX_E_NULL);
    SUM(w.term[1].factor = NULL, FDX_E_NULL);
    SUM(w.coefficient.data = NULL, FDX_E_NULL);
    SUM(w.coefficient.stride = NULL, FDX_E_NULL);
    SUM(w.coefficient.dtype = FDX_C64, FDX_E_DTYPE);
    SUM(w.coefficient.dtype = 0, FDX_E_DTYPE);
    SUM(w.coefficient.dtype = 255, FDX_E_DTYPE);
    SUM(w.factor[0].sign = 1, FDX_OK);
    SUM(w.factor[0].sign = -1, FDX_OK);
    SUM(w.factor[0].sign = 2, FDX_E_STENCIL);
    SUM(w.factor[0].sign = -2, FDX_E_STENCIL);
    SUM(w.factor[1].sign = 1, FDX_E_STENCIL); /* it has no coefficient */
    SUM(w.factor[0].axis = 3, FDX_E_AXIS);
    for (size_t k = 0; k < 3; k++) { /* the first three wild numbers are no valid counts */
        SUM(w.sum.ndim = wild[k], FDX_E_NDIM);
        SUM(w.sum.nterms = k == 1 ? 0 : wild[k], FDX_E_COUNT);
        SUM(w.term[1].in = wild[k], FDX_E_COUNT);
        SUM(w.term[1].out = wild[k], FDX_E_COUNT);
        SUM(w.term[1].nfactors = wild[k], FDX_E_COUNT);
        SUM(w.factor[1].axis = wild[k], FDX_E_AXIS);
    }
    SUM(w.sum.ndim = 0, FDX_E_NDIM);
    SUM(w.term[0].nfactors = 0, FDX_E_COUNT);
    SUM(w.term[0].out = 1, FDX_E_COUNT);
    SUM(w.term[1].in = 2, FDX_E_COUNT);
    SUM(w.term[1].in = FDX_MAXDIM, FDX_E_COUNT);
    SUM(w.shape[1] = -1, FDX_E_SHAPE);
    SUM(w.shape[2] = LEAST, FDX_E_SHAPE);
    SUM(w.shape[0] = 2, FDX_E_SIZE);
    SUM(w.factor[1].what.n = N1 + 1, FDX_E_SIZE);
    SUM(w.factor[1].what.n = -1, FDX_E_SIZE);
    SUM((w.shape[1] = MOST, w.factor[1].what.n = 0), FDX_E_SIZE);
    SUM((w.shape[0] = MOST, w.factor[0].what.deriv = 0, w.factor[1].what.deriv = 0, w.factor[1].what.scale = 2),
        FDX_E_SIZE);
    SUM(w.shape[2] = MOST, FDX_OK);
    SUM(w.sum.transposed = 1, FDX_OK);
    SUM(w.factor[1].transposed = 1, FDX_OK);
    SUM(w.factor[0].what.scale = 0, FDX_E_NODES);
    SUM(w.factor[0].what.spacing = 0, FDX_E_NODES);
    SUM((w.factor[1].what.x = w.x, w.factor[1].what.n = 0), FDX_E_SIZE); /* how many coordinates? */
    SUM((w.alpha = 0, w.term[0].scale = &w.alpha), FDX_OK);
    SUM((w.alpha = HUGE_VAL, w.term[0].scale = &w.alpha), FDX_E_NODES);
    SUM((w.alpha = -1e300, w.factor[0].what.scale = 1e300, w.term[0].scale = &w.alpha), FDX_E_NODES);
    for (size_t side = 0; side < 2; side++) {
        SUM(w.factor[1].crop[side] = 1, FDX_E_SIZE); /* of a derivative */
        SUM((w.factor[1].what.deriv = 0, w.factor[1].crop[side] = 1), FDX_OK);
        SUM((w.factor[1].what.deriv = 0, w.factor[1].crop[side] = N1), FDX_E_SIZE);
        SUM((w.factor[1].what.deriv = 0, w.factor[1].crop[side] = -1), FDX_E_SIZE);
        SUM((w.factor[1].what.deriv = 0, w.factor[1].crop[side] = MOST), FDX_E_SIZE);
        SUM((w.factor[1].what.deriv = 0, w.factor[1].transposed = 1, w.factor[1].crop[side] = MOST), FDX_E_SIZE);
    }
    SUM((w.factor[0].coefficient = NULL, w.factor[0].band = &w.along), FDX_OK);
    SUM((w.factor[0].coefficient = NULL, w.factor[0].band = &w.along, w.along.columns = 0), FDX_E_STENCIL);
    SUM((w.factor[1].band = &w.along), FDX_E_SIZE); /* it has another number of columns */
    /* crops and paddings by turns, which move the first point out of range */
    fdx_factor turns[16] = {{0}};
    for (int k = 0; k < 16; k++) {
        turns[k].what.scale = 1;
        turns[k].transposed = k % 2;
        turns[k].crop[k % 2] = MOST / 8;
    }
    SUM((w.shape[0] = MOST / 4, w.sum.nterms = 1, w.term[0].factor = turns, w.term[0].nfactors = 16), FDX_E_SIZE);
    ANSWER((void)0, fdx_operator_make(NULL, &w.sum, &w.compiled), FDX_E_NULL);
    ANSWER((void)0, fdx_operator_make(w.memory, NULL, &w.compiled), FDX_E_NULL);
    ANSWER((void)0, fdx_operator_make(w.memory, &w.sum, NULL), FDX_E_NULL);
    SIZE((void)0, fdx_operator_size(NULL), 0);
}

/* Sums whose bands together need more bytes than PTRDIFF_MAX, while each alone does not. */
static void too_large_together(void)
{
    enum { PRODUCTS = 8950, POINTS = 20000 };
    fdx_term *terms = (fdx_term *)calloc(PRODUCTS, sizeof *terms);
    if (terms == NULL)
        fail("out of memory");
    make_world();
    for (int k = 0; k < PRODUCTS; k++) {
        terms[k].nfactors = 1;
        terms[k].factor = w.factor;
    }
    w.factor[0].what.x = w.x; /* coordinates are not read for a size */
    w.factor[0].what.n = w.shape[0] = POINTS;
    w.factor[0].coefficient = NULL;
    w.sum.term = terms;
    w.sum.nterms = PRODUCTS;
    memcpy(&before, &w, sizeof w);
    doing = "8950 terms with 20000 coordinates";
    calling = "fdx_operator_size";
    const size_t size = fdx_operator_size(&w.sum);
    if (sizeof(size_t) == 4 ? size != 0 : (size >> 16) >> 16 == 0)
        fail("a size of 4.3 GB");
    if (size == 0)
        answered(fdx_operator_make(w.memory, &w.sum, &w.compiled), FDX_E_SIZE);
    w.factor[0].what.n = w.shape[0] = PTRDIFF_MAX / 64;
    memcpy(&before, &w, sizeof w);
    doing = "8950 terms with PTRDIFF_MAX / 64 coordinates";
    if (fdx_band_derivative_size(&w.factor[0].what) == 0 || fdx_operator_size(&w.sum) != 0)
        fail("sizes");
    calling = "fdx_operator_make";
    answered(fdx_operator_make(w.memory, &w.sum, &w.compiled), FDX_E_SIZE);
    free(terms);
}

/* ---- operators on arrays ---- */

static void refused_operators(void)
{
    const int wild[] = {-1, INT_MAX, INT_MIN};
    CALL((void)0, FDX_OK);
    CALL(w.op.in_shape = NULL, FDX_E_NULL);
    CALL(w.op.out_shape = NULL, FDX_E_NULL);
    CALL(w.op.chain = NULL, FDX_E_NULL);
    CALL(w.op.isa = NULL, FDX_E_NULL);
    CALL(w.chain[1].stage = NULL, FDX_E_NULL);
    CALL(w.coefficient.stride = NULL, FDX_E_NULL);
    for (size_t k = 0; k < 3; k++) {
        CALL(w.op.ndim = wild[k], FDX_E_NDIM);
        CALL(w.op.ninputs = wild[k], FDX_E_COUNT);
        CALL(w.op.noutputs = wild[k], FDX_E_COUNT);
        CALL(w.op.nchains = k == 1 ? 0 : wild[k], FDX_E_COUNT);
        CALL(w.chain[2].in = wild[k], FDX_E_COUNT);
        CALL(w.chain[2].out = wild[k], FDX_E_COUNT);
        CALL(w.chain[1].nstages = wild[k], FDX_E_COUNT);
        CALL(w.stage[1].axis = wild[k], FDX_E_AXIS);
    }
    CALL(w.op.ndim = 0, FDX_E_NDIM);
    CALL(w.op.ndim = FDX_MAXDIM + 1, FDX_E_NDIM);
    CALL(w.op.ninputs = FDX_MAXDIM + 1, FDX_E_COUNT);
    CALL(w.op.noutputs = FDX_MAXDIM + 1, FDX_E_COUNT);
    CALL(w.op.nchains = 2, FDX_E_COUNT); /* no chain for the second output */
    CALL(w.chain[0].out = 1, FDX_E_COUNT);
    CALL(w.chain[2].in = 2, FDX_E_COUNT);
    CALL(w.chain[0].nstages = 0, FDX_E_COUNT);
    CALL(w.chain[0].nstages = FDX_MAXSTAGES + 1, FDX_E_COUNT);
    CALL(w.stage[0].axis = 3, FDX_E_AXIS);
    CALL(w.stage[0].axis = 1, FDX_E_SIZE); /* its band has another number of columns */
    CALL(w.stage[0].sign = 2, FDX_E_STENCIL);
    CALL(w.stage[0].sign = -2, FDX_E_STENCIL);
    CALL(w.coefficient.dtype = FDX_C128, FDX_E_DTYPE);
    CALL(w.coefficient.dtype = 0, FDX_E_DTYPE);
    CALL(w.shape[0] = -1, FDX_E_SHAPE);
    CALL(w.shape[2] = LEAST, FDX_E_SHAPE);
    CALL((w.hi[0] = N0 - 1, w.shape[0]--), FDX_E_SIZE);
    CALL(w.shape[0] = MOST, FDX_E_SIZE);
    CALL(w.shift[1] = 1, FDX_E_SIZE);
    CALL(w.shift[0] = -1, FDX_E_SIZE);
    CALL(w.shift[2] = MOST, FDX_E_SIZE);
    CALL(w.shift[2] = LEAST, FDX_E_SIZE);

    CALL(w.call.op = NULL, FDX_E_NULL);
    CALL(w.call.in = NULL, FDX_E_NULL);
    CALL(w.call.out = NULL, FDX_E_NULL);
    CALL(w.in[1].data = NULL, FDX_E_NULL);
    CALL(w.in[0].stride = NULL, FDX_E_NULL);
    CALL(w.out[1].data = NULL, FDX_E_NULL);
    CALL(w.out[1].stride = NULL, FDX_E_NULL);
    CALL(w.coefficient.data = NULL, FDX_E_NULL);
    CALL(w.in[1].dtype = FDX_F32, FDX_E_DTYPE);
    CALL((w.op.double_only = 1), FDX_OK);
    CALL((w.op.double_only = 1, w.in[0].dtype = w.in[1].dtype = w.out[0].dtype = w.out[1].dtype = FDX_F32),
         FDX_E_DTYPE);
    CALL(w.in[1].dtype = 0, FDX_E_DTYPE);
    CALL(w.out[0].dtype = 255, FDX_E_DTYPE);
    CALL(w.out[1].dtype = FDX_C128, FDX_E_DTYPE);
    CALL(w.out[1].dtype = FDX_I64, FDX_E_DTYPE);
    CALL(w.call.lo = NULL, FDX_E_BOX);
    CALL(w.call.hi = NULL, FDX_E_BOX);
    CALL(w.lo[0] = -1, FDX_E_BOX);
    CALL(w.lo[1] = LEAST, FDX_E_BOX);
    CALL(w.lo[2] = MOST, FDX_E_BOX);
    CALL(w.hi[0] = N0 + 1, FDX_E_BOX);
    CALL(w.hi[1] = MOST, FDX_E_BOX);
    CALL(w.hi[2] = LEAST, FDX_E_BOX);
    CALL(w.out[0] = w.in[1], FDX_E_OVERLAP);
    CALL(w.out[0].data = w.times + 3, FDX_E_OVERLAP);
    CALL(w.out[1] = w.out[0], FDX_E_OVERLAP);
    void *copies[2] = {NULL, w.copy};
    CALL(w.call.copies = copies, FDX_OK);
    for (int k = 0; k < 4; k++) {
        void *const places[] = {w.in[1].data, w.times + 3, w.out[0].data, w.out[1].data}, *taken[2] = {NULL, places[k]};
        CALL(w.call.copies = taken, FDX_E_OVERLAP);
        taken[0] = w.copy;
        CALL((w.call.copies = taken, taken[1] = w.copy), FDX_E_OVERLAP);
    }
    ANSWER((void)0, fdx_apply(&w.call, NULL, w.bytes), FDX_E_NULL);
    ANSWER((void)0, fdx_apply(NULL, w.workspace, w.bytes), FDX_E_NULL);
    SIZE((void)0, fdx_workspace_size(NULL), 0);
    ANSWER((void)0, fdx_apply(&w.call, w.workspace, 0), FDX_E_WORKSPACE);
    ANSWER((void)0, fdx_apply(&w.call, w.workspace, -1), FDX_E_WORKSPACE);
    ANSWER((void)0, fdx_apply(&w.call, w.workspace, LEAST), FDX_E_WORKSPACE);
#define PART(part, nparts) ANSWER((void)0, fdx_apply_part(&w.call, w.workspace, w.bytes, part, nparts), FDX_E_PART)
    PART(0, 0);
    PART(0, -1);
    PART(0, LEAST);
    PART(1, 1);
    PART(-1, 2);
    PART(LEAST, MOST);
    PART(MOST, MOST);
#undef PART
    ANSWER((void)0, fdx_apply_part(&w.call, w.workspace, w.bytes, MOST - 1, MOST), FDX_OK);

    ANSWER((void)0, fdx_prepare(NULL, &w.call, &w.prepared), FDX_E_NULL);
    ANSWER((void)0, fdx_prepare(w.memory_of_call, NULL, &w.prepared), FDX_E_NULL);
    ANSWER((void)0, fdx_prepare(w.memory_of_call, &w.call, NULL), FDX_E_NULL);
    SIZE((void)0, fdx_prepared_size(NULL), 0);
    SIZE(w.call.op = NULL, fdx_prepared_size(&w.call), 0);
    SIZE((void)0, fdx_prepared_workspace_size(NULL), 0);
    SIZE(w.op.ndim = FDX_MAXDIM + 1, fdx_prepared_size(&w.call), 0);
#define RUN(change, status)                                                                                            \
    do {                                                                                                               \
        make_world();                                                                                                  \
        void *data[4] = {w.in[0].data, w.in[1].data, w.out[0].data, w.out[1].data};                                    \
        void *workspace = w.workspace;                                                                                 \
        const double *alpha_beta = NULL;                                                                               \
        const fdx_prepared *run;                                                                                       \
        ptrdiff_t part = 0, nparts = 1;                                                                                \
        if (fdx_prepare(w.memory_of_call, &w.call, &w.prepared) != FDX_OK)                                             \
            fail("fdx_prepare");                                                                                       \
        run = w.prepared;                                                                                              \
        doing = #change;                                                                                               \
        calling = "fdx_run";                                                                                           \
        change;                                                                                                        \
        unsigned char results[sizeof w.y];                                                                             \
        memcpy(results, w.y, sizeof results);                                                                          \
        if (fdx_run(run, data, alpha_beta, workspace, part, nparts) != (status))                                       \
            fail("another status");                                                                                    \
        if ((status) != FDX_OK && memcmp(results, w.y, sizeof results) != 0)                                           \
            fail("something was written");                                                                             \
    } while (0)
    RUN((void)part, FDX_OK);
    RUN(alpha_beta = w.alpha_beta, FDX_OK);
    RUN((alpha_beta = w.alpha_beta, w.call.alpha_beta = NULL), FDX_OK); /* it was prepared before */
    RUN(w.alpha_beta[1] = 0, FDX_E_NULL);
    static const double zero[2] = {1, 0};
    RUN(alpha_beta = zero, FDX_E_NULL);
    RUN(part = -1, FDX_E_PART);
    RUN(part = 1, FDX_E_PART);
    RUN(nparts = 0, FDX_E_PART);
    RUN(run = NULL, FDX_E_NULL);
    RUN(workspace = NULL, FDX_E_NULL);
    RUN(data[1] = NULL, FDX_E_NULL);
    RUN(data[3] = NULL, FDX_E_NULL);
    RUN(data[0] = (char *)data[0] + 2, FDX_E_ALIGNMENT);
    RUN(data[2] = (char *)data[2] - 4, FDX_E_ALIGNMENT);
    RUN(data[0] = data[3], FDX_E_OVERLAP);
    RUN(data[2] = data[3], FDX_E_OVERLAP);
#undef RUN
}

/* ---- solves ---- */

#define FACTORISED(change, status)                                                                                     \
    do {                                                                                                               \
        SIZE(change, fdx_solver_size(&w.line), (status) == FDX_OK);                                                    \
        ANSWER(change, fdx_solver_make(w.memory, &w.line, &w.factorised, &w.failed), status);                          \
    } while (0)
#define SOLVE(change, status)                                                                                          \
    do {                                                                                                               \
        SIZE(change, fdx_solve_workspace_size(&w.solve), (status) == FDX_OK);                                          \
        ANSWER(change, fdx_solve_apply(&w.solve, w.workspace, w.bytes), status);                                       \
        ANSWER(change, fdx_solve_apply_part(&w.solve, w.workspace, w.bytes, 0, 2), status);                            \
    } while (0)

static void refused_solvers(void)
{
    FACTORISED((void)0, FDX_OK);
    FACTORISED(w.line.in_shape = NULL, FDX_E_NULL);
    FACTORISED(w.line.out_shape = NULL, FDX_E_NULL);
    FACTORISED(w.line.chain = NULL, FDX_E_NULL);
    FACTORISED(w.line.isa = NULL, FDX_E_NULL);
    FACTORISED(w.line_chain[0].stage = NULL, FDX_E_NULL);
    FACTORISED(w.line_coefficient.data = NULL, FDX_E_NULL);
    FACTORISED(w.line_coefficient.stride = NULL, FDX_E_NULL);
    FACTORISED(w.line_coefficient.dtype = FDX_C64, FDX_E_DTYPE);
    FACTORISED(w.line_coefficient.dtype = FDX_NDTYPES, FDX_E_DTYPE);
    FACTORISED(w.line_stage[0].sign = 2, FDX_E_STENCIL);
    FACTORISED(w.along.interior.count = 0, FDX_E_STENCIL);
    FACTORISED(w.along.interior.offset = 0, FDX_E_STENCIL);
    FACTORISED(w.along.rows = w.along.columns = MOST, FDX_E_STENCIL);
    FACTORISED(w.line_stage[1].axis = 1, FDX_E_AXIS);
    FACTORISED(w.line_chain[0].nstages = 0, FDX_E_COUNT);
    FACTORISED(w.line_chain[1].out = 1, FDX_E_COUNT);
    FACTORISED(w.line_chain[1].in = 1, FDX_E_COUNT);
    FACTORISED(w.line.nchains = 0, FDX_E_COUNT);
    FACTORISED(w.line.ninputs = 2, FDX_E_COUNT);
    FACTORISED((w.line.noutputs = 2, w.line_chain[1].out = 1), FDX_E_COUNT);
    FACTORISED(w.line.ndim = 0, FDX_E_NDIM);
    FACTORISED(w.line.ndim = INT_MAX, FDX_E_NDIM);
    FACTORISED(w.line = w.op, FDX_E_NDIM);
    FACTORISED(w.line_shape[0]++, FDX_E_SIZE);
    FACTORISED(w.line_shape[1]--, FDX_E_SIZE); /* results without the last one */
    FACTORISED(w.line_shape[1] = -1, FDX_E_SHAPE);
    /* Of the first chain alone, which is of any length. */
#define OF_LENGTH(n) (w.line.nchains = 1, w.line_stage[0].coefficient = NULL, w.line_shape[0] = w.line_shape[1] = n)
    const ptrdiff_t lengths[] = {0, MOST, MOST / 2, MOST / 4, MOST / 8, MOST / 40};
    FACTORISED(OF_LENGTH(1), FDX_OK);
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        FACTORISED(OF_LENGTH(lengths[k]), FDX_E_SIZE);
#undef OF_LENGTH
    ANSWER((void)0, fdx_solver_make(NULL, &w.line, &w.factorised, &w.failed), FDX_E_NULL);
    ANSWER((void)0, fdx_solver_make(w.memory, NULL, &w.factorised, &w.failed), FDX_E_NULL);
    ANSWER((void)0, fdx_solver_make(w.memory, &w.line, NULL, &w.failed), FDX_E_NULL);
    ANSWER((void)0, fdx_solver_make(w.memory, &w.line, &w.factorised, NULL), FDX_OK);
    SIZE((void)0, fdx_solver_size(NULL), 0);

    /* Numbers: memory may have been written to, and `failed`, if there is no pivot. */
    static double memory[sizeof w.memory_of_solver / sizeof(double)];
    fdx_pivot failed = {-1, 7, 7, 7};
#define NUMBERS(change, status) ANSWER(change, fdx_solver_make(memory, &w.line, &w.factorised, &failed), status)
    NUMBERS(w.diagonal[3] = (double)NAN, FDX_E_NODES);
    NUMBERS(w.diagonal[N0 - 1] = (double)INFINITY, FDX_E_NODES);
    NUMBERS(w.pairs[2] = (double)NAN, FDX_E_NODES);
    NUMBERS((w.diagonal[2] = 1.7e308, w.pairs[0] = w.pairs[2] = 1e308), FDX_E_NODES); /* the row's size */
    if (failed.point != -1 || failed.pivot != 7 || failed.size != 7 || failed.condition != 7)
        fail("a pivot that did not fail");
    NUMBERS((memset(w.diagonal, 0, sizeof w.diagonal)), FDX_E_SINGULAR);
    if (failed.point != N0 - 1 || fabs(failed.pivot) > 1e-14 || (failed.size != 2 && failed.size != 4))
        fail("the pivot that failed");
    ANSWER(memset(w.diagonal, 0, sizeof w.diagonal), fdx_solver_make(memory, &w.line, &w.factorised, NULL),
           FDX_E_SINGULAR);
    NUMBERS((w.pairs[0] = w.pairs[1] = w.pairs[2] = 0, w.diagonal[4] = 0), FDX_E_SINGULAR);
    if (failed.point != 4 || failed.pivot != 0 || failed.size != 0)
        fail("a row of zeros");
    NUMBERS((w.pairs[0] = w.pairs[1] = w.pairs[2] = 0, w.diagonal[4] = 1e-310), FDX_E_SINGULAR); /* 1 / it overflows */
#undef NUMBERS
}

/* Elimination that overflows: U would have an infinite element, though no pivot is. With exchanges it has none in the
 * first matrix; in the second one it does, too. */
static void overflowing_eliminations(void)
{
    static const double numbers[2][5][5] = {
        {{1e307, 0, 1.3e308}, {-3e307, 1e307, 1.3e308}, {0, 0, 1}, {0, 0, 0, 1}, {0, 0, 0, 0, 1}},
        {{1, 0, 0, 30}, {0, 1, 0, 30}, {3e306, 3e306, 1e307, 0, 9e307}, {0, 0, 0, 1}, {0, 0, 0, 0, 1}}};
    static double memory[256], x[5];
    for (int k = 0; k < 2; k++) {
        fdx_stencil rows[5];
        const ptrdiff_t n = 5, step = sizeof *x;
        for (int r = 0; r < 5; r++) {
            const int first = r < 3 ? 0 : r; /* the last two have nothing before the diagonal */
            const fdx_stencil row = {first - r, 5 - first, 0, FDX_SUM_PLAIN, numbers[k][r] + first, 1, 0};
            rows[r] = row;
            x[r] = 1;
        }
        const fdx_band band = {5, 5, 5, 0, rows, NULL, rows[0], 0};
        const fdx_stage stage = {0, &band, NULL, 0};
        const fdx_chain chain = {0, 0, 1, &stage, NULL};
        const fdx_operator op = {1, &n, &n, 1, 1, 1, &chain, fdx_isa_find("auto"), 0};
        const fdx_solver *solver = NULL;
        doing = "elimination that overflows";
        calling = "fdx_solver_make";
        const fdx_status status = fdx_solver_make(memory, &op, &solver, NULL);
        if (status != (k == 0 ? FDX_OK : FDX_E_NODES) || (solver == NULL) != k)
            fail("another status");
        if (k == 1)
            continue;
        const fdx_array a = {x, &step, FDX_F64, 0};
        const fdx_solve call = {solver, 1, &n, 0, a, a, NULL};
        if (fdx_solve_apply(&call, w.workspace, sizeof w.workspace) != FDX_OK || x[2] != 1 || fabs(x[0] + 13) > 1e-13 ||
            fabs(x[1] + 52) > 1e-13)
            fail("a solution");
    }
}

static void refused_solves(void)
{
    SOLVE((void)0, FDX_OK);
    SOLVE(w.solve.solver = NULL, FDX_E_NULL);
    SOLVE(w.solve.shape = NULL, FDX_E_NULL);
    SOLVE(w.solve.in.data = NULL, FDX_E_NULL);
    SOLVE(w.solve.in.stride = NULL, FDX_E_NULL);
    SOLVE(w.solve.out.data = NULL, FDX_E_NULL);
    SOLVE(w.solve.out.stride = NULL, FDX_E_NULL);
    SOLVE(w.solve.alpha_beta = NULL, FDX_OK);
    const int wild[] = {-1, INT_MAX, INT_MIN};
    for (int k = 0; k < 3; k++) {
        SOLVE(w.solve.ndim = wild[k], FDX_E_NDIM);
        SOLVE(w.solve.axis = wild[k], FDX_E_AXIS);
    }
    SOLVE(w.solve.ndim = 0, FDX_E_NDIM);
    SOLVE(w.solve.ndim = FDX_MAXDIM + 1, FDX_E_NDIM);
    SOLVE(w.solve.axis = 3, FDX_E_AXIS);
    SOLVE(w.solve.axis = 1, FDX_E_SIZE); /* which has another length */
    SOLVE(w.shape[0]--, FDX_E_SIZE);
    SOLVE(w.shape[0] = 0, FDX_E_SIZE);
    SOLVE(w.shape[0] = MOST, FDX_E_SIZE);
    SOLVE(w.shape[0] = -1, FDX_E_SHAPE);
    SOLVE(w.shape[2] = LEAST, FDX_E_SHAPE);
    SOLVE(w.shape[1] = MOST, FDX_E_SHAPE);
    SOLVE((w.shape[1] = w.shape[2] = MOST / 2), FDX_E_SHAPE);
    SOLVE((w.shape[1] = MOST, w.solve.in.stride = w.far, w.far[0] = w.far[1] = 0), FDX_E_SHAPE);
    SOLVE(w.solve.in.dtype = 0, FDX_E_DTYPE);
    SOLVE(w.solve.in.dtype = FDX_NDTYPES, FDX_E_DTYPE);
    SOLVE(w.solve.in.dtype = FDX_F32, FDX_E_DTYPE);
    SOLVE(w.solve.in.dtype = FDX_I64, FDX_OK);
    SOLVE(w.solve.out.dtype = 255, FDX_E_DTYPE);
    SOLVE(w.solve.out.dtype = FDX_C128, FDX_E_DTYPE);
    SOLVE(w.solve.in.dtype = w.solve.out.dtype = FDX_I64, FDX_E_DTYPE);
    SOLVE(w.solve.in.dtype = w.solve.out.dtype = FDX_F32, FDX_OK);
    SOLVE((w.diagonal[2] = 1e60, factorise()), FDX_OK);
    SOLVE((w.diagonal[2] = 1e60, factorise(), w.solve.in.dtype = w.solve.out.dtype = FDX_F32), FDX_E_DTYPE);
    /* in place */
    SOLVE(w.solve.in = w.solve.out, FDX_OK);
    SOLVE((w.solve.in = w.solve.out, w.solve.in.data = w.y[0] + 1), FDX_E_OVERLAP);
    SOLVE((w.solve.in = w.solve.out, w.solve.in.swapped = 1), FDX_E_OVERLAP);
    SOLVE((w.solve.in = w.solve.out, w.solve.in.dtype = FDX_U64), FDX_E_OVERLAP);
    SOLVE((w.solve.in = w.solve.out, w.solve.in.stride = w.far, w.far[0] = 0), FDX_E_OVERLAP);
    SOLVE((w.solve.in = w.solve.out, w.solve.in.stride = w.far, w.far[2] = LEAST), FDX_OK); /* along a length of 1 */
    /* no lines */
    SIZE(w.shape[1] = 0, fdx_solve_workspace_size(&w.solve), 0);
    ANSWER(w.shape[1] = 0, fdx_solve_apply(&w.solve, NULL, 0), FDX_OK);
    ANSWER((w.shape[1] = MOST, w.shape[2] = 0), fdx_solve_apply_part(&w.solve, NULL, -1, 3, 4), FDX_OK);
    ANSWER((w.shape[1] = 0, w.solve.in.data = w.solve.out.data = NULL), fdx_solve_apply(&w.solve, NULL, 0), FDX_OK);
    ANSWER((w.shape[1] = 0, w.solve.axis = 3), fdx_solve_apply(&w.solve, NULL, 0), FDX_E_AXIS);

    ANSWER((void)0, fdx_solve_apply(&w.solve, NULL, w.bytes), FDX_E_NULL);
    ANSWER((void)0, fdx_solve_apply(NULL, w.workspace, w.bytes), FDX_E_NULL);
    SIZE((void)0, fdx_solve_workspace_size(NULL), 0);
    ANSWER((void)0, fdx_solve_apply(&w.solve, w.workspace, 0), FDX_E_WORKSPACE);
    ANSWER((void)0, fdx_solve_apply(&w.solve, w.workspace, fdx_solve_workspace_size(&w.solve) - 1), FDX_E_WORKSPACE);
    ANSWER((void)0, fdx_solve_apply(&w.solve, w.workspace, LEAST), FDX_E_WORKSPACE);
#define PART(part, nparts)                                                                                             \
    ANSWER((void)0, fdx_solve_apply_part(&w.solve, w.workspace, w.bytes, part, nparts), FDX_E_PART)
    PART(0, 0);
    PART(0, LEAST);
    PART(1, 1);
    PART(-1, 2);
    PART(MOST, MOST);
#undef PART
    ANSWER((void)0, fdx_solve_apply_part(&w.solve, w.workspace, w.bytes, MOST - 1, MOST), FDX_OK);
    if (memcmp(before.y, w.y, sizeof w.y) != 0)
        fail("a part without lines wrote something");
    ANSWER(w.shape[1] = 0, fdx_solve_apply_part(&w.solve, NULL, 0, 1, 1), FDX_E_PART);

#define COMPACT(deriv, accuracy, status) ANSWER((void)0, fdx_compact(deriv, accuracy, w.compact, w.compact + 1), status)
    for (int accuracy = -2; accuracy < 14; accuracy++)
        for (int deriv = -1; deriv < 4; deriv++)
            COMPACT(deriv, accuracy,
                    (deriv == 1 || deriv == 2) && accuracy >= 4 && accuracy <= 10 && accuracy % 2 == 0 ? FDX_OK
                                                                                                       : FDX_E_STENCIL);
    COMPACT(INT_MIN, 4, FDX_E_STENCIL);
    COMPACT(1, INT_MAX, FDX_E_STENCIL);
    ANSWER((void)0, fdx_compact(1, 4, NULL, w.compact), FDX_E_NULL);
    ANSWER((void)0, fdx_compact(1, 4, w.compact, NULL), FDX_E_NULL);
#undef COMPACT
}

/* ---- np.gradient ---- */

#define GRADIENT(change, status)                                                                                       \
    do {                                                                                                               \
        ANSWER(change, fdx_gradient_apply(&w.gradient), status);                                                       \
        ANSWER(change, fdx_gradient_apply_part(&w.gradient, 0, 2), status);                                            \
    } while (0)
#define WHOLE(change) (w.gradient.lo = w.gradient.hi = NULL, change)

static void refused_gradients(void)
{
    const int wild[] = {-1, INT_MAX, INT_MIN};
    GRADIENT((void)0, FDX_OK);
    GRADIENT(WHOLE((void)0), FDX_OK);
    GRADIENT(w.gradient.shape = NULL, FDX_E_NULL);
    GRADIENT(w.gradient.axes = NULL, FDX_E_NULL);
    GRADIENT(w.gradient.isa = NULL, FDX_E_NULL);
    GRADIENT(w.gradient.in.data = NULL, FDX_E_NULL);
    GRADIENT(w.gradient.in.stride = NULL, FDX_E_NULL);
    GRADIENT(w.axes[1].out.data = NULL, FDX_E_NULL);
    GRADIENT(w.axes[1].out.stride = NULL, FDX_E_NULL);
    GRADIENT(w.axes[0].x.stride = NULL, FDX_E_NULL);
    GRADIENT(w.axes[0].x.data = NULL, FDX_E_STENCIL); /* FDX_SPACED needs them */
    for (size_t k = 0; k < 3; k++) {
        GRADIENT(w.gradient.ndim = wild[k], FDX_E_NDIM);
        GRADIENT(w.gradient.naxes = wild[k], FDX_E_COUNT);
        GRADIENT(w.axes[1].axis = wild[k], FDX_E_AXIS);
    }
    GRADIENT(w.gradient.ndim = 0, FDX_E_NDIM);
    GRADIENT(w.gradient.ndim = FDX_MAXDIM + 1, FDX_E_NDIM);
    GRADIENT(w.gradient.naxes = 0, FDX_E_COUNT);
    GRADIENT(w.gradient.naxes = FDX_MAXDIM + 1, FDX_E_COUNT);
    GRADIENT(w.axes[0].axis = 3, FDX_E_AXIS);
    GRADIENT(w.axes[1].axis = 2, FDX_E_SIZE); /* it has one point */
    GRADIENT(w.axes[0].n = N0 + 1, FDX_E_SIZE);
    GRADIENT(w.axes[0].n = LEAST, FDX_E_SIZE);
    GRADIENT(w.shape[1] = -1, FDX_E_SHAPE);
    GRADIENT(w.shape[2] = LEAST, FDX_E_SHAPE);
    GRADIENT(w.gradient.in.dtype = 0, FDX_E_DTYPE);
    GRADIENT(w.gradient.in.dtype = 255, FDX_E_DTYPE);
    GRADIENT(w.gradient.in.dtype = FDX_F32, FDX_E_DTYPE);
    GRADIENT(w.axes[1].out.dtype = FDX_I64, FDX_E_DTYPE);
    GRADIENT(w.axes[0].x.dtype = FDX_C64, FDX_E_DTYPE);
    GRADIENT(w.axes[0].x.dtype = 0, FDX_E_DTYPE);
    GRADIENT(w.axes[0].first.formula = 3, FDX_E_STENCIL);
    GRADIENT(w.axes[0].interior.formula = 255, FDX_E_STENCIL);
    GRADIENT(w.axes[0].last.formula = FDX_SPACED, FDX_E_STENCIL);
    GRADIENT(w.axes[1].interior.formula = FDX_SPACED, FDX_E_STENCIL); /* without coordinates */
    GRADIENT(w.axes[0].interior.off[1] = 1, FDX_E_STENCIL);
    GRADIENT(w.axes[1].interior.off[0] = -2, FDX_E_STENCIL);
    GRADIENT(w.axes[1].interior.off[1] = 127, FDX_E_STENCIL);
    GRADIENT(w.axes[1].first.off[2] = -128, FDX_E_STENCIL);
    GRADIENT(w.axes[1].last.off[0] = 1, FDX_E_STENCIL);
    GRADIENT(w.gradient.lo = NULL, FDX_E_BOX);
    GRADIENT(w.gradient.hi = NULL, FDX_E_BOX);
    GRADIENT(w.lo[0] = -1, FDX_E_BOX);
    GRADIENT(w.lo[1] = LEAST, FDX_E_BOX);
    GRADIENT(w.lo[2] = MOST, FDX_E_BOX);
    GRADIENT(w.hi[0] = N0 + 1, FDX_E_BOX);
    GRADIENT(w.hi[1] = MOST, FDX_E_BOX);
    GRADIENT(w.axes[0].out.data = w.u[0] + 5, FDX_E_OVERLAP);
    GRADIENT(w.axes[0].out = w.axes[1].out, FDX_E_OVERLAP);
    GRADIENT((w.gradient.naxes = 1, w.axes[0].out.data = w.x), FDX_E_OVERLAP);
    ANSWER((void)0, fdx_gradient_apply(NULL), FDX_E_NULL);
    ANSWER((void)0, fdx_gradient_apply_part(&w.gradient, 0, 0), FDX_E_PART);
    ANSWER((void)0, fdx_gradient_apply_part(&w.gradient, -1, 2), FDX_E_PART);
    ANSWER((void)0, fdx_gradient_apply_part(&w.gradient, LEAST, MOST), FDX_E_PART);
    ANSWER((void)0, fdx_gradient_apply_part(&w.gradient, MOST, MOST), FDX_E_PART);
    ANSWER((void)0, fdx_gradient_apply_part(&w.gradient, MOST - 1, MOST), FDX_OK);
    ANSWER(WHOLE((void)0), fdx_gradient_apply_part(&w.gradient, MOST - 1, MOST), FDX_OK);

#define UNIFORM(change, status)                                                                                        \
    ANSWER(change, fdx_gradient_uniform(&w.stencils, w.dtype, 0.1, w.precision, w.edge_order), status)
    UNIFORM((void)0, FDX_OK);
    UNIFORM(w.dtype = 0, FDX_E_DTYPE);
    UNIFORM(w.dtype = INT_MAX, FDX_E_DTYPE);
    UNIFORM(w.dtype = INT_MIN, FDX_E_DTYPE);
    UNIFORM(w.edge_order = 0, FDX_E_EDGE);
    UNIFORM(w.edge_order = INT_MAX, FDX_E_EDGE);
    UNIFORM(w.precision = (fdx_precision)3, FDX_E_DTYPE);
    UNIFORM(w.precision = (fdx_precision)-1, FDX_E_DTYPE);
    ANSWER((void)0, fdx_gradient_uniform(NULL, FDX_F64, 0.1, FDX_WEAK, 1), FDX_E_NULL);
#define COORDS(change, status)                                                                                         \
    ANSWER(change, fdx_gradient_coords(&w.stencils, w.dtype, &w.coordinates, w.n, w.edge_order, w.isa), status)
    COORDS((void)0, FDX_OK);
    COORDS(w.dtype = FDX_NDTYPES, FDX_E_DTYPE);
    COORDS(w.edge_order = -1, FDX_E_EDGE);
    COORDS(w.n = 2, FDX_E_SIZE);
    COORDS(w.n = LEAST, FDX_E_SIZE);
    COORDS(w.isa = NULL, FDX_E_NULL);
    COORDS(w.coordinates.data = NULL, FDX_E_NULL);
    COORDS(w.coordinates.stride = NULL, FDX_E_NULL);
    COORDS(w.coordinates.dtype = 255, FDX_E_DTYPE);
    COORDS(w.coordinates.dtype = FDX_C128, FDX_E_DTYPE);
    ANSWER((void)0, fdx_gradient_coords(NULL, w.dtype, &w.coordinates, w.n, 1, w.isa), FDX_E_NULL);
    ANSWER((void)0, fdx_gradient_coords(&w.stencils, w.dtype, NULL, w.n, 1, w.isa), FDX_E_NULL);
}

/* ---- lengths and strides that do not fit into memory ---- */

/* Change the strides of one array, w.far. */
#define FAR(array, change) (w.array.stride = w.far, change)
#define SHAPES(what, array)                                                                                            \
    do {                                                                                                               \
        what(FAR(array, w.far[0] = MOST / 2), FDX_E_SHAPE);                                                            \
        what(FAR(array, w.far[0] = -(MOST / 2)), FDX_E_SHAPE);                                                         \
        what(FAR(array, w.far[1] = MOST), FDX_E_SHAPE);                                                                \
        what(FAR(array, w.far[1] = LEAST), FDX_E_SHAPE);                                                               \
        what(FAR(array, w.far[0] = w.far[1] = MOST / 8), FDX_E_SHAPE); /* each alone would fit */                      \
        what(FAR(array, w.far[2] = MOST), FDX_OK);                     /* along a length of 1 */                       \
        what(FAR(array, w.far[2] = LEAST), FDX_OK);                                                                    \
    } while (0)

/* The address of the element with all indices 0, if the element with indices lo is at `data`. */
static double *before_box(double *data, const ptrdiff_t *lo)
{
    uintptr_t at = (uintptr_t)data;
    for (int d = 0; d < 3; d++)
        at -= (uintptr_t)lo[d] * (uintptr_t)w.stride[d];
    return (double *)at;
}

/* Inputs whose strides are 0, and outputs of which only a box has memory. */
static void of_a_box_of_many(ptrdiff_t n0, ptrdiff_t n1)
{
    w.shape[0] = n0;
    w.shape[1] = n1;
    w.far[0] = w.far[1] = w.far[2] = 0;
    for (int d = 0; d < 2; d++) {
        w.hi[d] = w.shape[d];
        w.lo[d] = w.shape[d] - 4;
    }
    for (int k = 0; k < 2; k++) {
        w.u[k][0] = 3;
        w.in[k].stride = w.far;
        w.out[k].data = before_box(w.y[k], w.lo);
        w.axes[k].out.data = before_box(w.y[k], w.lo);
    }
    w.coefficient.stride = w.gradient.in.stride = w.far;
    w.call.alpha_beta = w.gradient.alpha_beta = NULL;
    if (fdx_gradient_uniform(&w.axes[0], FDX_F64, 0.1, FDX_WEAK, 1) != FDX_OK)
        fail("stencils of np.gradient");
    /* A derivative along axis 0, which has as many rows. */
    w.second.n = n0;
    if (fdx_band_derivative(w.memory, &w.second, &w.stage[0].band) != FDX_OK)
        fail("a long band");
    w.stage[1].band = NULL;
    w.stage[2].band = w.stage[0].band;
}

/* The first output's results; the second's are 0. */
static void expect_in_box(double wanted)
{
    for (int k = 0; k < N; k++) {
        const int inside = k / N1 < 4 && k % N1 < 4;
        if (w.y[0][k] != (inside ? wanted : 7) || w.y[1][k] != (inside ? 0 : 7))
            fail("results in a box");
    }
}

static void refused_strides(void)
{
#define X(change, status)                                                                                              \
    do {                                                                                                               \
        GRADIENT((w.axes[0].x.stride = w.far, change), status);                                                        \
        COORDS((w.coordinates.stride = w.far, change), status);                                                        \
    } while (0)
    SHAPES(GRADIENT, gradient.in);
    SHAPES(GRADIENT, axes[1].out);
    SHAPES(CALL, in[1]);
    SHAPES(CALL, out[0]);
    SHAPES(CALL, coefficient);
    SHAPES(SOLVE, solve.in);
    SHAPES(SOLVE, solve.out);
    X(w.far[0] = MOST / 2, FDX_E_SHAPE);
    X(w.far[0] = -(MOST / 2), FDX_E_SHAPE);
    X(w.far[0] = LEAST, FDX_E_SHAPE);
    COORDS((w.n = MOST), FDX_E_SHAPE);
    /* past the last address */
    GRADIENT(w.gradient.in.data = (void *)(UINTPTR_MAX - sizeof(double)), FDX_E_SHAPE);
    CALL(w.in[0].data = (void *)(UINTPTR_MAX - sizeof(double)), FDX_E_SHAPE);
    SOLVE(w.solve.in.data = (void *)(UINTPTR_MAX - sizeof(double)), FDX_E_SHAPE);
    SOLVE(w.solve.out.data = (void *)(UINTPTR_MAX - sizeof(double)), FDX_E_SHAPE);
    /* results that overlap each other */
    GRADIENT(FAR(axes[0].out, (w.far[0] = sizeof(double))), FDX_E_OVERLAP);
    CALL(FAR(out[1], (w.far[0] = sizeof(double))), FDX_E_OVERLAP);
    CALL(FAR(out[1], (w.far[0] = 0)), FDX_E_OVERLAP);
    SOLVE(FAR(solve.out, (w.far[0] = sizeof(double))), FDX_E_OVERLAP);
    SOLVE(FAR(solve.out, (w.far[1] = 0)), FDX_E_OVERLAP);
    GRADIENT(FAR(axes[0].out, (w.far[1] = sizeof(double) - 1)), FDX_E_OVERLAP);
    /* strides of 0 */
    GRADIENT(FAR(gradient.in, (w.far[0] = w.far[1] = 0)), FDX_OK);
    CALL(FAR(in[0], (w.far[0] = w.far[1] = 0)), FDX_OK);
    SOLVE(FAR(solve.in, (w.far[0] = w.far[1] = 0)), FDX_OK);
    CALL(FAR(coefficient, (w.far[0] = w.far[1] = 0)), FDX_OK);
    const ptrdiff_t lengths[] = {N0, 1000, MOST / 8, MOST / 4};
    for (int k = 0; k < 16; k++) {
        const ptrdiff_t n0 = lengths[k / 4], n1 = lengths[k % 4];
        ANSWER(of_a_box_of_many(n0, n1), fdx_apply(&w.call, w.workspace, w.bytes), FDX_OK);
        expect_in_box(3); /* the second input */
        ANSWER(of_a_box_of_many(n0, n1), fdx_gradient_apply(&w.gradient), FDX_OK);
        expect_in_box(0);
        ANSWER(of_a_box_of_many(n0, n1), fdx_gradient_apply_part(&w.gradient, MOST / 2, MOST), FDX_OK);
        GRADIENT((of_a_box_of_many(n0, n1), w.far[2] = LEAST), FDX_OK);
        CALL((of_a_box_of_many(n0, n1), w.far[2] = LEAST), FDX_OK);
    }
}

/* ---- weights ---- */

static void refused_weights(void)
{
#define WEIGHTS(change, status) ANSWER(change, fdx_weights(w.weights, w.rest, w.nodes, w.nnodes, w.at, w.deriv), status)
    WEIGHTS((void)0, FDX_OK);
    WEIGHTS(w.nnodes = 0, FDX_E_SIZE);
    WEIGHTS(w.nnodes = INT_MIN, FDX_E_SIZE);
    WEIGHTS(w.nnodes = INT_MAX, FDX_E_SIZE);
    WEIGHTS(w.nnodes = FDX_MAXNODES + 1, FDX_E_SIZE);
    WEIGHTS(w.deriv = 4, FDX_E_SIZE);
    WEIGHTS(w.deriv = -1, FDX_E_SIZE);
    WEIGHTS(w.deriv = INT_MAX, FDX_E_SIZE);
    WEIGHTS(w.deriv = INT_MIN, FDX_E_SIZE);
    WEIGHTS(w.at = (double)NAN, FDX_E_NODES);
    WEIGHTS(w.nodes[2] = (double)INFINITY, FDX_E_NODES);
    WEIGHTS(w.nodes[3] = 1, FDX_E_NODES);
    ANSWER((void)0, fdx_weights(NULL, w.rest, w.nodes, 4, 0, 1), FDX_E_NULL);
    ANSWER((void)0, fdx_weights(w.weights, w.rest, NULL, 4, 0, 1), FDX_E_NULL);
}

int main(void)
{
    signal(SIGFPE, crash);
    signal(SIGSEGV, crash);
    refused_bands();
    refused_derivatives();
    too_large_together();
    refused_operators();
    refused_solvers();
    overflowing_eliminations();
    refused_solves();
    refused_gradients();
    refused_strides();
    refused_weights();
    printf("calls with a wrong field are refused, and nothing is written\n");
    return 0;
}
