/* Diffusion on a square that is divided among MPI processes: ghost cells, and the same bits for any number of
 * processes.
 *
 *     mpicc -O2 -I../../csrc diffusion.c ../../csrc/fdx*.c -lm -o diffusion && mpiexec -n 4 ./diffusion [FILE]
 *
 * u_t = nu (u_xx + u_yy); y has walls without flux, half a cell outside of the outermost points, x is periodic. Each
 * process has a block with GHOSTS cells around it, which get the neighbours' values before each step; fdx computes the
 * box inside. The first process checks the result against the exact solution and writes it to FILE. diffusion.py is the
 * same program in Python. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdx.h"

enum { N = 48, STEPS = 400, GHOSTS = 2 }; /* GHOSTS: the half-width of a fourth-order second derivative */

static const double PI = 3.14159265358979323846, NU = 0.1;

static void *allocate(ptrdiff_t bytes)
{
    void *memory = calloc(1, (size_t)bytes);
    if (memory == NULL) {
        fprintf(stderr, "out of memory\n");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    return memory;
}

static void check(fdx_status status)
{
    if (status != FDX_OK) {
        fprintf(stderr, "fdx: %s\n", fdx_status_message(status));
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

/* The first of N points in block k of n. */
static int begin(int k, int n)
{
    return N / n * k + (k < N % n ? k : N % n);
}

static double start(int i, int j)
{
    return cos(PI * (i + 0.5) / N) * cos(2 * PI * j / N);
}

int main(int argc, char **argv)
{
    int size, rank, cut[2] = {0, 0}, at[2], below, above, left, right;
    MPI_Comm grid;
    MPI_Init(&argc, &argv);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Dims_create(size, 2, cut);
    MPI_Cart_create(MPI_COMM_WORLD, 2, cut, (int[2]){0, 1}, 0, &grid);
    MPI_Comm_rank(grid, &rank);
    MPI_Cart_coords(grid, rank, 2, at);
    MPI_Cart_shift(grid, 0, 1, &below, &above);
    MPI_Cart_shift(grid, 1, 1, &left, &right);

    /* This process's block, and the array around it, which has no ghost cells outside of walls. */
    const int rows = begin(at[0] + 1, cut[0]) - begin(at[0], cut[0]);
    const int columns = begin(at[1] + 1, cut[1]) - begin(at[1], cut[1]);
    const int ghosts_below = below == MPI_PROC_NULL ? 0 : GHOSTS, ghosts_above = above == MPI_PROC_NULL ? 0 : GHOSTS;
    const ptrdiff_t shape[2] = {ghosts_below + rows + ghosts_above, GHOSTS + columns + GHOSTS};
    const ptrdiff_t lo[2] = {ghosts_below, GHOSTS}, hi[2] = {ghosts_below + rows, GHOSTS + columns};
    const ptrdiff_t width = shape[1], stride[2] = {width * (ptrdiff_t)sizeof(double), sizeof(double)};
    double *u = allocate(shape[0] * stride[0]), *v = allocate(shape[0] * stride[0]);

    /* At an end with ghost cells any boundary will do, as only results in the box are computed. */
    const double h = 1.0 / N, dt = 0.1 * h * h / NU;
    fdx_factor along[2];
    memset(along, 0, sizeof along);
    for (int d = 0; d < 2; d++) {
        along[d].axis = d;
        along[d].what.deriv = 2;
        along[d].what.accuracy = 4;
        along[d].what.spacing = h;
        along[d].what.scale = NU;
    }
    along[0].what.left = below == MPI_PROC_NULL ? FDX_SYMMETRIC : FDX_ONE_SIDED;
    along[0].what.right = above == MPI_PROC_NULL ? FDX_SYMMETRIC : FDX_ONE_SIDED;
    const fdx_term terms[2] = {{.nfactors = 1, .factor = &along[0]}, {.nfactors = 1, .factor = &along[1]}};
    const fdx_sum sum = {.ndim = 2, .shape = shape, .nterms = 2, .term = terms, .isa = fdx_isa_find("auto")};
    void *memory = allocate((ptrdiff_t)fdx_operator_size(&sum));
    const fdx_operator *L;
    check(fdx_operator_make(memory, &sum, &L));

    const int first_row = begin(at[0], cut[0]), first_column = begin(at[1], cut[1]);
    double *block = u + lo[0] * width + lo[1]; /* its first point */
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            block[i * width + j] = start(first_row + i, first_column + j);

    MPI_Datatype side; /* GHOSTS columns of the block */
    MPI_Type_vector(rows, GHOSTS, (int)width, MPI_DOUBLE, &side);
    MPI_Type_commit(&side);
    const int line = GHOSTS * (int)width; /* GHOSTS rows; the stencils need no ghost cells at corners */
    fdx_array in = {u, stride, FDX_F64, 0}, out = {v, stride, FDX_F64, 0};
    const double alpha_beta[2] = {dt, 1}; /* v = dt L u + v */
    const fdx_call call = {.op = L, .in = &in, .out = &out, .lo = lo, .hi = hi, .alpha_beta = alpha_beta};
    const ptrdiff_t bytes = fdx_workspace_size(&call);
    void *workspace = allocate(bytes);
    for (int k = 0; k < STEPS; k++) {
        block = u + lo[0] * width + lo[1];
        MPI_Sendrecv(block, 1, side, left, 0, block + columns, 1, side, right, 0, grid, MPI_STATUS_IGNORE);
        MPI_Sendrecv(block + columns - GHOSTS, 1, side, right, 1, block - GHOSTS, 1, side, left, 1, grid,
                     MPI_STATUS_IGNORE);
        double *row = u + lo[0] * width, *end = u + hi[0] * width;
        MPI_Sendrecv(row, line, MPI_DOUBLE, below, 2, end, line, MPI_DOUBLE, above, 2, grid, MPI_STATUS_IGNORE);
        MPI_Sendrecv(end - line, line, MPI_DOUBLE, above, 3, below == MPI_PROC_NULL ? row : row - line, line,
                     MPI_DOUBLE, below, 3, grid, MPI_STATUS_IGNORE);
        memcpy(v, u, (size_t)(shape[0] * stride[0]));
        in.data = u;
        out.data = v;
        check(fdx_apply(&call, workspace, bytes));
        double *const next = v;
        v = u;
        u = next;
    }

    /* All blocks, in one array. */
    double *whole = allocate(N * N * sizeof(double)), *all = allocate(N * N * sizeof(double));
    block = u + lo[0] * width + lo[1];
    for (int i = 0; i < rows; i++)
        memcpy(whole + (first_row + i) * N + first_column, block + i * width, (size_t)columns * sizeof(double));
    MPI_Reduce(whole, all, N * N, MPI_DOUBLE, MPI_SUM, 0, grid); /* outside of its block each process has 0 */
    int wrong = 0;
    if (rank == 0) {
        const double decay = exp(-5 * PI * PI * NU * dt * STEPS);
        double error = 0;
        for (int i = 0; i < N * N; i++)
            error = fmax(error, fabs(all[i] - decay * start(i / N, i % N)));
        printf("%d processes, %d x %d blocks: error %.2e\n", size, cut[0], cut[1], error);
        wrong = !(error < 4e-4); /* Euler's error is dt t (5 pi^2 nu)^2 / 2 times the solution: 3.9e-4 */
        FILE *file = argc > 1 ? fopen(argv[1], "wb") : NULL;
        if (argc > 1 && (file == NULL || fwrite(all, sizeof(double), N * N, file) != N * N || fclose(file) != 0))
            wrong = 1;
    }
    MPI_Bcast(&wrong, 1, MPI_INT, 0, grid);
    MPI_Type_free(&side);
    free(u);
    free(v);
    free(memory);
    free(workspace);
    free(whole);
    free(all);
    MPI_Finalize();
    return wrong;
}
