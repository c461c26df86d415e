/* A wave that flows in at one end and out at the other: summation by parts.
 *
 *     cc -O2 -I../../csrc inflow.c ../../csrc/fdx*.c -lm -o inflow && ./inflow
 *
 * u_t + u_x = 0 on [0, 1], u = g(t) at x = 0, for a long time. FDX_SBP has closures for which the energy, the sum of
 * norm[i] u[i]^2, changes by what flows through the ends only, if the inflow is imposed by a force on the first point:
 * u_t = -D u - (u[0] - g) / norm[0] there. Checked against the exact solution. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdx.h"

static const double PI = 3.14159265358979323846, END = 20;

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return memory;
}

/* Exit on an error of fdx. */
static void check(fdx_status status)
{
    if (status != FDX_OK) {
        fprintf(stderr, "fdx: %s\n", fdx_status_message(status));
        exit(1);
    }
}

static double wave(double x, double t)
{
    return sin(4 * PI * (x - t));
}

/* The error at time END in the norm, with n points. */
static double solve(ptrdiff_t n)
{
    const double h = 1.0 / (double)(n - 1);
    const ptrdiff_t stride = sizeof(double);
    fdx_factor factor;
    memset(&factor, 0, sizeof factor);
    factor.what.n = n;
    factor.what.deriv = 1;
    factor.what.accuracy = 4;
    factor.what.left = factor.what.right = FDX_SBP;
    factor.what.spacing = h;
    factor.what.scale = -1;
    const fdx_term term = {.nfactors = 1, .factor = &factor};
    const fdx_sum sum = {.ndim = 1, .shape = &n, .nterms = 1, .term = &term, .isa = fdx_isa_find("auto")};
    void *memory = allocate(fdx_operator_size(&sum));
    const fdx_operator *rate_of;
    check(fdx_operator_make(memory, &sum, &rate_of));

    const size_t size = (size_t)n * sizeof(double);
    double *u = allocate(size), *next = allocate(size), *stage = allocate(size), *rate = allocate(size);
    double *norm = allocate(size);
    check(fdx_sbp_norm(norm, &factor.what));
    for (ptrdiff_t i = 0; i < n; i++) {
        u[i] = wave(h * (double)i, 0);
        rate[i] = 0;
    }
    const fdx_array in = {stage, &stride, FDX_F64, 0}, out = {rate, &stride, FDX_F64, 0};
    const fdx_call call = {.op = rate_of, .in = &in, .out = &out};
    const ptrdiff_t bytes = fdx_workspace_size(&call);
    void *workspace = allocate((size_t)bytes);

    const int steps = (int)ceil(END / (0.5 * h));
    const double dt = END / steps;
    for (int k = 0; k < steps; k++) { /* the classical Runge-Kutta scheme */
        memcpy(next, u, size);
        for (int s = 0; s < 4; s++) {
            const double later = s == 0 ? 0 : s == 3 ? dt : dt / 2, weight = s == 0 || s == 3 ? dt / 6 : dt / 3;
            for (ptrdiff_t i = 0; i < n; i++)
                stage[i] = u[i] + later * rate[i];
            check(fdx_apply(&call, workspace, bytes));
            rate[0] -= (stage[0] - wave(0, k * dt + later)) / norm[0];
            for (ptrdiff_t i = 0; i < n; i++)
                next[i] += weight * rate[i];
        }
        memcpy(u, next, size);
    }

    double error = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const double e = u[i] - wave(h * (double)i, END);
        error += norm[i] * e * e;
    }
    free(memory);
    free(u);
    free(next);
    free(stage);
    free(rate);
    free(norm);
    free(workspace);
    return sqrt(error);
}

int main(void)
{
    const ptrdiff_t sizes[3] = {41, 81, 161};
    double before = 0, order = 0;
    for (int k = 0; k < 3; k++) {
        const double error = solve(sizes[k]);
        order = k > 0 ? log2(before / error) : 0;
        printf("%3td points: error %.2e", sizes[k], error);
        if (k > 0)
            printf(", order %.2f", order);
        printf("\n");
        before = error;
    }
    return order > 2.8 ? 0 : 1; /* of the closures, 2, and one more */
}
