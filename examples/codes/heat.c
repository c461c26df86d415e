/* The heat equation in an insulated plate, with OpenMP: each thread computes parts of every derivative.
 *
 *     cc -O2 -fopenmp -I../../csrc heat.c ../../csrc/fdx*.c -lm -o heat && ./heat
 *
 * u_t = nu (u_xx + u_yy) on the unit square, in n x n cells. Walls are mirrors half a cell outside of the outermost
 * points (FDX_SYMMETRIC), so that no heat goes through them. Checked against the exact solution. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "fdx.h"

enum { PARTS = 8 }; /* the results have the same bits for any number */

static const double PI = 3.14159265358979323846, NU = 0.1, END = 0.5;

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

/* v += alpha L u */
static void add(const fdx_operator *L, double alpha, double *u, double *v)
{
    const ptrdiff_t stride[2] = {L->in_shape[1] * (ptrdiff_t)sizeof *u, sizeof *u};
    const fdx_array in = {u, stride, FDX_F64, 0}, out = {v, stride, FDX_F64, 0};
    const double alpha_beta[2] = {alpha, 1};
    const fdx_call call = {.op = L, .in = &in, .out = &out, .alpha_beta = alpha_beta};
    const ptrdiff_t bytes = fdx_workspace_size(&call);
#pragma omp parallel
    {
        void *workspace = allocate((size_t)bytes); /* one for each thread; some 100 KB */
#pragma omp for
        for (int part = 0; part < PARTS; part++)
            check(fdx_apply_part(&call, workspace, bytes, part, PARTS));
        free(workspace);
    }
}

/* The largest error at time END, with n x n cells. */
static double solve(ptrdiff_t n)
{
    const ptrdiff_t shape[2] = {n, n};
    const double h = 1.0 / (double)n;
    fdx_factor along[2];
    memset(along, 0, sizeof along);
    for (int d = 0; d < 2; d++) {
        along[d].axis = d;
        along[d].what.deriv = 2;
        along[d].what.accuracy = 4;
        along[d].what.left = along[d].what.right = FDX_SYMMETRIC;
        along[d].what.spacing = h;
        along[d].what.scale = NU;
    }
    const fdx_term terms[2] = {{.nfactors = 1, .factor = &along[0]}, {.nfactors = 1, .factor = &along[1]}};
    const fdx_sum sum = {.ndim = 2, .shape = shape, .nterms = 2, .term = terms, .isa = fdx_isa_find("auto")};
    void *memory = allocate(fdx_operator_size(&sum));
    const fdx_operator *L;
    check(fdx_operator_make(memory, &sum, &L));

    double *u = allocate((size_t)(n * n) * sizeof *u), *w = allocate((size_t)(n * n) * sizeof *w);
    for (ptrdiff_t i = 0; i < n * n; i++)
        u[i] = cos(PI * h * ((double)(i / n) + 0.5)) * cos(2 * PI * h * ((double)(i % n) + 0.5));

    const int steps = (int)ceil(END * NU * 8 / (h * h)); /* well below the limit of stability, 5.3 / (h h nu) */
    const double dt = END / steps;
    for (int k = 0; k < steps; k++) { /* the midpoint rule */
        memcpy(w, u, (size_t)(n * n) * sizeof *w);
        add(L, dt / 2, u, w);
        add(L, dt, w, u);
    }

    double worst = 0;
    for (ptrdiff_t i = 0; i < n * n; i++) {
        const double exact = exp(-5 * PI * PI * NU * END) * cos(PI * h * ((double)(i / n) + 0.5)) *
                             cos(2 * PI * h * ((double)(i % n) + 0.5));
        worst = fmax(worst, fabs(u[i] - exact));
    }
    free(memory);
    free(u);
    free(w);
    return worst;
}

int main(void)
{
    const ptrdiff_t sizes[3] = {16, 32, 64};
    double before = 0, order = 0;
    for (int k = 0; k < 3; k++) {
        const double error = solve(sizes[k]);
        order = k > 0 ? log2(before / error) : 0;
        printf("%3td x %td cells: error %.2e", sizes[k], sizes[k], error);
        if (k > 0)
            printf(", order %.2f", order);
        printf("\n");
        before = error;
    }
    return fabs(order - 4) < 0.2 ? 0 : 1; /* of the derivatives and, as dt is proportional to h h, the midpoint rule */
}
