/* How long the C core takes on boxes with ghost cells, as multiples of a loop written by hand: median ratios of calls
 * that are timed alternately. Prints a line for each: name, ratio, microseconds of the loop. Compiled and run by
 * `python -m fdx bench --operators`, with the options that a simulation code has. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fdx.h"

enum { ROUNDS = 15, MOST_TERMS = 3 };

/* A box of n^3 results in arrays with `halo` ghost cells on each side. */
typedef struct {
    ptrdiff_t n, halo, rows; /* rows: of the arrays */
    double *u, *y, *velocity[MOST_TERMS];
} box;

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return memory;
}

static void check(fdx_status status)
{
    if (status != FDX_OK) {
        fprintf(stderr, "fdx: %s\n", fdx_status_message(status));
        exit(1);
    }
}

static double *random_array(ptrdiff_t size)
{
    double *a = (double *)allocate((size_t)size * sizeof *a);
    for (ptrdiff_t i = 0; i < size; i++)
        a[i] = (double)rand() / RAND_MAX;
    return a;
}

static box make_box(ptrdiff_t n, ptrdiff_t halo)
{
    const ptrdiff_t rows = n + 2 * halo, size = rows * rows * rows;
    box b = {n, halo, rows, random_array(size), random_array(size), {NULL}};
    for (int k = 0; k < MOST_TERMS; k++)
        b.velocity[k] = random_array(size);
    return b;
}

static void free_box(const box *b)
{
    free(b->u);
    free(b->y);
    for (int k = 0; k < MOST_TERMS; k++)
        free(b->velocity[k]);
}

/* ---- by hand: spacing 1 ---- */

#define EACH_LINE(b, base)                                                                                             \
    for (ptrdiff_t i_ = 0; i_ < (b)->n; i_++)                                                                          \
        for (ptrdiff_t j_ = 0, base = (((b)->halo + i_) * (b)->rows + (b)->halo) * (b)->rows + (b)->halo; j_ < (b)->n; \
             j_++, base += (b)->rows)

static void derivative_by_hand(const box *b)
{
    const double w1 = 3.0 / 4, w2 = -3.0 / 20, w3 = 1.0 / 60;
    EACH_LINE(b, base)
    {
        const double *restrict u = b->u + base;
        double *restrict y = b->y + base;
        for (ptrdiff_t k = 0; k < b->n; k++)
            y[k] = w1 * (u[k + 1] - u[k - 1]) + w2 * (u[k + 2] - u[k - 2]) + w3 * (u[k + 3] - u[k - 3]);
    }
}

static const double ALPHA = 0.1, ALPHA_BETA[2] = {0.1, 1};

static void add_laplacian_by_hand(const box *b)
{
    const ptrdiff_t s = b->rows, p = s * s;
    EACH_LINE(b, base)
    {
        const double *restrict u = b->u + base;
        double *restrict y = b->y + base;
        for (ptrdiff_t k = 0; k < b->n; k++)
            y[k] += ALPHA * (u[k - p] + u[k + p] + u[k - s] + u[k + s] + u[k - 1] + u[k + 1] - 6 * u[k]);
    }
}

static void laplacian_by_hand(const box *b)
{
    const ptrdiff_t s = b->rows, p = s * s;
    const double w0 = -5.0 / 2 * 3, w1 = 4.0 / 3, w2 = -1.0 / 12;
    EACH_LINE(b, base)
    {
        const double *restrict u = b->u + base;
        double *restrict y = b->y + base;
        for (ptrdiff_t k = 0; k < b->n; k++)
            y[k] = w0 * u[k] + w1 * (u[k - p] + u[k + p] + u[k - s] + u[k + s] + u[k - 1] + u[k + 1]) +
                   w2 * (u[k - 2 * p] + u[k + 2 * p] + u[k - 2 * s] + u[k + 2 * s] + u[k - 2] + u[k + 2]);
    }
}

static void advection_by_hand(const box *b)
{
    const ptrdiff_t s = b->rows, p = s * s;
    EACH_LINE(b, base)
    {
        const double *restrict u = b->u + base, *restrict vx = b->velocity[0] + base,
                               *restrict vy = b->velocity[1] + base, *restrict vz = b->velocity[2] + base;
        double *restrict y = b->y + base;
        for (ptrdiff_t k = 0; k < b->n; k++)
            y[k] = vx[k] * (0.5 * (u[k + p] - u[k - p])) + vy[k] * (0.5 * (u[k + s] - u[k - s])) +
                   vz[k] * (0.5 * (u[k + 1] - u[k - 1]));
    }
}

/* ---- by fdx ---- */

typedef struct {
    void *memory, *prepared_memory, *workspace;
    const fdx_prepared *prepared;
    fdx_call call;
    fdx_array in, out, velocity[MOST_TERMS];
    ptrdiff_t shape[3], stride[3], lo[3], hi[3];
} operation;

/* The sum of a derivative along each axis from `first` on, multiplied by a velocity or not; added to y or not. */
static void make(operation *o, const box *b, int first, int deriv, int accuracy, int multiplied, int adds)
{
    fdx_factor factor[MOST_TERMS];
    fdx_term term[MOST_TERMS];
    memset(factor, 0, sizeof factor);
    memset(term, 0, sizeof term);
    for (int d = 0; d < 3; d++) {
        o->shape[d] = b->rows;
        o->stride[d] = (d == 0 ? b->rows * b->rows : d == 1 ? b->rows : 1) * (ptrdiff_t)sizeof(double);
        o->lo[d] = b->halo;
        o->hi[d] = b->halo + b->n;
        o->velocity[d] = (fdx_array){b->velocity[d], o->stride, FDX_F64, 0};
        factor[d].axis = d;
        factor[d].what.deriv = deriv;
        factor[d].what.accuracy = accuracy;
        factor[d].what.spacing = factor[d].what.scale = 1;
        factor[d].coefficient = multiplied ? &o->velocity[d] : NULL;
        term[d].nfactors = 1;
        term[d].factor = &factor[d];
    }
    const fdx_sum sum = {3, o->shape, 3 - first, term + first, fdx_isa_find("auto"), 0};
    o->memory = allocate(fdx_operator_size(&sum));
    memset(&o->call, 0, sizeof o->call);
    check(fdx_operator_make(o->memory, &sum, &o->call.op));
    o->in = (fdx_array){b->u, o->stride, FDX_F64, 0};
    o->out = (fdx_array){b->y, o->stride, FDX_F64, 0};
    o->call.in = &o->in;
    o->call.out = &o->out;
    o->call.lo = o->lo;
    o->call.hi = o->hi;
    o->call.alpha_beta = adds ? ALPHA_BETA : NULL;
    o->prepared_memory = allocate(fdx_prepared_size(&o->call));
    check(fdx_prepare(o->prepared_memory, &o->call, &o->prepared));
    o->workspace = allocate((size_t)fdx_prepared_workspace_size(o->prepared));
}

static void run(const operation *o)
{
    check(fdx_run(o->prepared, NULL, NULL, o->workspace, 0, 1));
}

/* ---- time ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, ptrdiff_t n, ptrdiff_t halo, void (*by_hand)(const box *), int first, int deriv,
                    int accuracy, int multiplied, int adds)
{
    const box b = make_box(n, halo);
    operation o;
    double ratio[ROUNDS], hand[ROUNDS];
    make(&o, &b, first, deriv, accuracy, multiplied, adds);
    const long times = 1 + (long)(3e6 / (double)(n * n * n));
    for (int round = 0; round < ROUNDS; round++) {
        double begin = now();
        for (long k = 0; k < times; k++)
            by_hand(&b);
        hand[round] = (now() - begin) / (double)times;
        begin = now();
        for (long k = 0; k < times; k++)
            run(&o);
        ratio[round] = (now() - begin) / (double)times / hand[round];
    }
    qsort(ratio, ROUNDS, sizeof *ratio, compare);
    qsort(hand, ROUNDS, sizeof *hand, compare);
    printf("%s, %td^3\t%.4f\t%.4f\n", name, n, ratio[ROUNDS / 2], 1e6 * hand[ROUNDS / 2]);
    free(o.memory);
    free(o.prepared_memory);
    free(o.workspace);
    free_box(&b);
}

int main(int argc, char **argv)
{
    const int quick = argc > 1 && strcmp(argv[1], "quick") == 0;
    measure("first derivative along the last axis, accuracy 6", quick ? 40 : 248, 3, derivative_by_hand, 2, 1, 6, 0, 0);
    measure("y += a Laplacian", quick ? 32 : 128, 1, add_laplacian_by_hand, 0, 2, 2, 0, 1);
    measure("Laplacian, accuracy 4", 8, 2, laplacian_by_hand, 0, 2, 4, 0, 0);
    measure("Laplacian, accuracy 4", 16, 2, laplacian_by_hand, 0, 2, 4, 0, 0);
    measure("(u, v, w) . gradient", quick ? 32 : 128, 1, advection_by_hand, 0, 1, 2, 1, 0);
    return 0;
}
