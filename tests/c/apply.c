/* Compute the cases in a file, and write the bytes of the results: `apply CASES RESULTS`. Programs in other languages
 * do the same with the same file. Also compiled as C++.
 *
 * The file has 64-bit integers (i) and doubles (d), and elements of arrays, in C order and native byte order:
 *   0: the end.
 *   1, gradient: i dtype, ndim, shape[ndim], edge_order, naxes; for each: i axis, nx (0: a spacing), d spacing, x[nx];
 *      the input. Results: one array for each.
 *   2, operator: i dtype, ndim, shape[ndim], transposed, boxed, lo[ndim], hi[ndim], adds; d alpha, beta; i nterms; for
 * each: i in, out, nfactors, d scale; for each factor: i axis, deriv, accuracy, left, right, nx, crop[2], transposed,
 *      own (not 0: the matrix of the derivative, for that many points, is built first), dtype of the coefficient (0:
 *      none) and its sign, position, side, of given weights offset, nweights (0: none), nfirst, nlast, width, datum,
 *      outside[2] of the conditions; d value, slope of both conditions, scale, spacing, period, eps (not 0: coordinates
 *      that are even in that precision count as a spacing), x[nx], weights[nweights], first[nfirst][width],
 *      last[nlast][width], i nat, d at[nat], and, with a coefficient, i shape[ndim] (1 where it is repeated),
 *      coefficient[shape]; i ninputs, noutputs, in_shape[ndim], out_shape[ndim]; the inputs; the outputs' elements
 *      before. Results: the outputs.
 *   3, weights: i n, deriv, d at, x[n]. Results: d w[n].
 *   4, solve: i dtype, n, nterms; the terms of an operator on n points, as above; i ndim, shape[ndim], axis, in place,
 *      adds; d alpha, beta; the array on the right; unless in place, the solution's elements before. Results: the
 *      solution.
 *   5, compact scheme: i dtype, deriv, accuracy, periodic, ndim, shape[ndim], axis; d spacing; f. Results: f'. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdx.h"

enum { MAXN = 8, MAXPARTS = 16 };

static FILE *cases, *results;

static void stop(const char *why)
{
    fprintf(stderr, "apply: %s\n", why);
    exit(1);
}

static void check(fdx_status status)
{
    if (status != FDX_OK)
        stop(fdx_status_message(status));
}

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes > 0 ? bytes : 1);
    if (memory == NULL)
        stop("out of memory");
    return memory;
}

static void *read_bytes(size_t bytes)
{
    void *memory = allocate(bytes);
    if (fread(memory, 1, bytes, cases) != bytes)
        stop("the file ends too early");
    return memory;
}

static ptrdiff_t integer(void)
{
    int64_t v;
    if (fread(&v, sizeof v, 1, cases) != 1)
        stop("the file ends too early");
    return (ptrdiff_t)v;
}

static int small(void)
{
    return (int)integer();
}

static double number(void)
{
    double v;
    if (fread(&v, sizeof v, 1, cases) != 1)
        stop("the file ends too early");
    return v;
}

static double *numbers(ptrdiff_t n)
{
    return (double *)read_bytes((size_t)n * sizeof(double));
}

static void integers(ptrdiff_t *v, int n)
{
    for (int k = 0; k < n; k++)
        v[k] = integer();
}

/* Bytes of an array in C order, and the strides of its dimensions. */
static ptrdiff_t layout(int dtype, int ndim, const ptrdiff_t *shape, ptrdiff_t *stride)
{
    ptrdiff_t bytes = fdx_itemsize(dtype);
    for (int d = ndim - 1; d >= 0; d--) {
        stride[d] = bytes;
        bytes *= shape[d];
    }
    return bytes;
}

static fdx_array describe(void *data, const ptrdiff_t *stride, int dtype)
{
    fdx_array a;
    a.data = data;
    a.stride = stride;
    a.dtype = (uint8_t)dtype;
    a.swapped = 0;
    return a;
}

static void put(const void *data, ptrdiff_t bytes)
{
    if (fwrite(data, 1, (size_t)bytes, results) != (size_t)bytes)
        stop("the results can't be written");
}

static void gradient(void)
{
    static const ptrdiff_t step = sizeof(double);
    ptrdiff_t shape[MAXN], stride[MAXN], out_stride[MAXN];
    double *x[MAXN];
    fdx_gradient_axis axes[MAXN];
    fdx_gradient call;
    memset(&call, 0, sizeof call);
    const int dtype = small(), result = fdx_result_dtype(dtype);
    call.ndim = small();
    integers(shape, call.ndim);
    const int edge_order = small();
    call.naxes = small();
    call.isa = fdx_isa_find("auto");
    const ptrdiff_t bytes = layout(dtype, call.ndim, shape, stride);
    const ptrdiff_t out_bytes = layout(result, call.ndim, shape, out_stride);
    for (int k = 0; k < call.naxes; k++) {
        const int axis = small();
        const ptrdiff_t nx = integer();
        const double spacing = number();
        x[k] = numbers(nx);
        const fdx_array along = describe(x[k], &step, FDX_F64);
        check(nx == 0 ? fdx_gradient_uniform(&axes[k], dtype, spacing, FDX_WEAK, edge_order)
                      : fdx_gradient_coords(&axes[k], dtype, &along, nx, edge_order, call.isa));
        axes[k].axis = axis;
        axes[k].out = describe(allocate((size_t)out_bytes), out_stride, result);
    }
    void *input = read_bytes((size_t)bytes);
    call.shape = shape;
    call.in = describe(input, stride, dtype);
    call.axes = axes;
    check(fdx_gradient_apply(&call));
    for (int k = 0; k < call.naxes; k++) {
        put(axes[k].out.data, out_bytes);
        free(axes[k].out.data);
        free(x[k]);
    }
    free(input);
}

/* Memory that is freed at the end of the case. */
static void *kept[MAXPARTS * MAXPARTS * 15];
static int nkept;

static void *keep(void *memory)
{
    return kept[nkept++] = memory;
}

/* The weights of a scheme whose numbers have been read; its rows all have the same width. */
static const fdx_scheme *read_scheme(fdx_scheme scheme, int width)
{
    const int nrows = scheme.nfirst + scheme.nlast;
    fdx_scheme *result = (fdx_scheme *)keep(allocate(sizeof *result));
    fdx_scheme_row *rows = (fdx_scheme_row *)keep(allocate((size_t)nrows * sizeof *rows));
    scheme.w = (const double *)keep(numbers(scheme.count));
    for (int k = 0; k < nrows; k++) {
        rows[k].count = width;
        rows[k].w = (const double *)keep(numbers(width));
    }
    scheme.first = rows;
    scheme.last = rows + scheme.nfirst;
    *result = scheme;
    return result;
}

static fdx_factor read_factor(int ndim)
{
    fdx_factor factor;
    memset(&factor, 0, sizeof factor);
    fdx_derivative *what = &factor.what;
    factor.axis = small();
    what->deriv = small();
    what->accuracy = small();
    what->left = small();
    what->right = small();
    what->n = integer();
    integers(factor.crop, 2);
    factor.transposed = small();
    const ptrdiff_t own = integer();
    const int dtype = small();
    factor.sign = small();
    what->position = small();
    what->side = small();
    fdx_scheme scheme;
    scheme.offset = small();
    scheme.count = small();
    scheme.nfirst = small();
    scheme.nlast = small();
    const int width = small();
    what->datum = small();
    what->condition[0].outside = small();
    what->condition[1].outside = small();
    for (int k = 0; k < 2; k++) {
        what->condition[k].value = number();
        what->condition[k].slope = number();
    }
    what->scale = number();
    what->spacing = number();
    what->period = number();
    const double eps = number();
    if (what->n > 0)
        what->x = (const double *)keep(numbers(what->n));
    if (scheme.count > 0)
        what->scheme = read_scheme(scheme, width);
    const ptrdiff_t places = integer();
    if (places > 0)
        what->at = (const double *)keep(numbers(places));
    if (eps > 0) {
        const double even = fdx_even_spacing(what->x, what->n, eps, what->period, eps);
        what->spacing = even;
        what->x = even != 0 ? NULL : what->x;
    }
    if (own > 0) {
        what->n = own;
        check(fdx_band_derivative(keep(allocate(fdx_band_derivative_size(what))), what, &factor.band));
    }
    if (dtype != 0) {
        ptrdiff_t shape[MAXN], *stride = (ptrdiff_t *)keep(allocate(MAXN * sizeof *stride));
        fdx_array *coefficient = (fdx_array *)keep(allocate(sizeof *coefficient));
        integers(shape, ndim);
        const ptrdiff_t bytes = layout(dtype, ndim, shape, stride);
        for (int d = 0; d < ndim; d++)
            stride[d] = shape[d] == 1 ? 0 : stride[d];
        *coefficient = describe(keep(read_bytes((size_t)bytes)), stride, dtype);
        factor.coefficient = coefficient;
    }
    return factor;
}

/* The terms of a sum, and their number before them. */
static void read_terms(fdx_sum *sum, fdx_term *terms, fdx_factor factors[][MAXPARTS], double *scales)
{
    sum->nterms = small();
    sum->term = terms;
    sum->isa = fdx_isa_find("auto");
    for (int k = 0; k < sum->nterms; k++) {
        terms[k].in = small();
        terms[k].out = small();
        terms[k].nfactors = small();
        terms[k].factor = factors[k];
        scales[k] = number();
        terms[k].scale = scales[k] == 1 ? NULL : &scales[k];
        for (int s = 0; s < terms[k].nfactors; s++)
            factors[k][s] = read_factor(sum->ndim);
    }
}

static void free_all(void)
{
    while (nkept > 0)
        free(kept[--nkept]);
}

static void apply_operator(void)
{
    ptrdiff_t shape[MAXN], lo[MAXN], hi[MAXN], in_shape[MAXN], out_shape[MAXN], in_stride[MAXN], out_stride[MAXN];
    fdx_factor factors[MAXPARTS][MAXPARTS];
    double scales[MAXPARTS];
    fdx_term terms[MAXPARTS];
    fdx_array in[MAXPARTS], out[MAXPARTS];
    fdx_sum sum;
    fdx_call call;
    memset(&call, 0, sizeof call);
    const int dtype = small(), result = fdx_result_dtype(dtype), ndim = small();
    integers(shape, ndim);
    sum.transposed = small();
    const int boxed = small();
    integers(lo, ndim);
    integers(hi, ndim);
    const int adds = small();
    double alpha_beta[2];
    alpha_beta[0] = number();
    alpha_beta[1] = number();
    sum.ndim = ndim;
    sum.shape = shape;
    read_terms(&sum, terms, factors, scales);
    check(fdx_operator_make(keep(allocate(fdx_operator_size(&sum))), &sum, &call.op));
    const int ninputs = small(), noutputs = small();
    integers(in_shape, ndim);
    integers(out_shape, ndim);
    if (ninputs != call.op->ninputs || noutputs != call.op->noutputs ||
        memcmp(in_shape, call.op->in_shape, (size_t)ndim * sizeof *in_shape) != 0 ||
        memcmp(out_shape, call.op->out_shape, (size_t)ndim * sizeof *out_shape) != 0)
        stop("the operator is for other arrays");
    const ptrdiff_t bytes = layout(dtype, ndim, in_shape, in_stride);
    const ptrdiff_t out_bytes = layout(result, ndim, out_shape, out_stride);
    for (int k = 0; k < ninputs; k++)
        in[k] = describe(keep(read_bytes((size_t)bytes)), in_stride, dtype);
    for (int k = 0; k < noutputs; k++)
        out[k] = describe(keep(read_bytes((size_t)out_bytes)), out_stride, result);
    call.in = in;
    call.out = out;
    call.lo = boxed ? lo : NULL;
    call.hi = boxed ? hi : NULL;
    call.alpha_beta = adds ? alpha_beta : NULL;
    const ptrdiff_t size = fdx_workspace_size(&call);
    check(fdx_apply(&call, keep(allocate((size_t)size)), size));
    for (int k = 0; k < noutputs; k++)
        put(out[k].data, out_bytes);
    free_all();
}

static void weights(void)
{
    const ptrdiff_t n = integer();
    const int deriv = small();
    const double at = number();
    double *x = numbers(n);
    check(fdx_weights(x, NULL, x, (int)n, at, deriv));
    put(x, n * (ptrdiff_t)sizeof *x);
    free(x);
}

/* Factorise a description of one dimension, and solve along an axis of arrays. */
static void solve_by(const fdx_sum *sum, int ndim, const ptrdiff_t *shape, int axis, fdx_array in, fdx_array out,
                     const double *alpha_beta)
{
    const fdx_operator *op;
    fdx_solve call;
    check(fdx_operator_make(keep(allocate(fdx_operator_size(sum))), sum, &op));
    check(fdx_solver_make(keep(allocate(fdx_solver_size(op))), op, &call.solver, NULL));
    call.ndim = ndim;
    call.shape = shape;
    call.axis = axis;
    call.in = in;
    call.out = out;
    call.alpha_beta = alpha_beta;
    const ptrdiff_t size = fdx_solve_workspace_size(&call);
    check(fdx_solve_apply(&call, keep(allocate((size_t)size)), size));
}

static void solve(void)
{
    ptrdiff_t points, shape[MAXN], stride[MAXN], out_stride[MAXN];
    fdx_factor factors[MAXPARTS][MAXPARTS];
    double scales[MAXPARTS], alpha_beta[2];
    fdx_term terms[MAXPARTS];
    fdx_sum sum;
    const int dtype = small(), result = fdx_result_dtype(dtype);
    points = integer();
    sum.ndim = 1;
    sum.shape = &points;
    sum.transposed = 0;
    read_terms(&sum, terms, factors, scales);
    const int ndim = small();
    integers(shape, ndim);
    const int axis = small(), in_place = small(), adds = small();
    alpha_beta[0] = number();
    alpha_beta[1] = number();
    const ptrdiff_t bytes = layout(dtype, ndim, shape, stride), out_bytes = layout(result, ndim, shape, out_stride);
    const fdx_array in = describe(keep(read_bytes((size_t)bytes)), stride, dtype);
    const fdx_array out = in_place ? in : describe(keep(read_bytes((size_t)out_bytes)), out_stride, result);
    solve_by(&sum, ndim, shape, axis, in, out, adds ? alpha_beta : NULL);
    put(out.data, out_bytes);
    free_all();
}

/* Of one factor, a stencil along an axis. */
static void describe_stencil(fdx_factor *factor, fdx_term *term, fdx_sum *sum, const fdx_scheme *scheme, int periodic)
{
    memset(factor, 0, sizeof *factor);
    memset(term, 0, sizeof *term);
    memset(sum, 0, sizeof *sum);
    factor->what.scheme = scheme;
    factor->what.scale = 1;
    factor->what.left = factor->what.right = periodic ? FDX_PERIODIC : FDX_ONE_SIDED;
    term->nfactors = 1;
    term->factor = factor;
    sum->nterms = 1;
    sum->term = term;
    sum->isa = fdx_isa_find("auto");
}

static void compact(void)
{
    ptrdiff_t shape[MAXN], stride[MAXN], out_stride[MAXN];
    fdx_scheme scheme[2];
    fdx_factor factor[2];
    fdx_term term[2];
    fdx_sum sum[2];
    const int dtype = small(), result = fdx_result_dtype(dtype), deriv = small(), accuracy = small();
    check(fdx_compact(deriv, accuracy, &scheme[0], &scheme[1]));
    const int periodic = small(), ndim = small();
    integers(shape, ndim);
    const int axis = small();
    const double spacing = number();
    for (int k = 0; k < 2; k++) {
        if (periodic)
            scheme[k].nfirst = scheme[k].nlast = 0;
        describe_stencil(&factor[k], &term[k], &sum[k], &scheme[k], periodic);
    }
    sum[0].ndim = 1;
    sum[0].shape = &shape[axis];
    sum[1].ndim = ndim;
    sum[1].shape = shape;
    factor[1].axis = axis;
    factor[1].what.scale = 1 / (deriv == 1 ? spacing : spacing * spacing);
    const ptrdiff_t bytes = layout(dtype, ndim, shape, stride), out_bytes = layout(result, ndim, shape, out_stride);
    const fdx_array in = describe(keep(read_bytes((size_t)bytes)), stride, dtype);
    const fdx_array out = describe(keep(allocate((size_t)out_bytes)), out_stride, result);
    fdx_call call;
    memset(&call, 0, sizeof call);
    check(fdx_operator_make(keep(allocate(fdx_operator_size(&sum[1]))), &sum[1], &call.op));
    call.in = &in;
    call.out = &out;
    const ptrdiff_t size = fdx_workspace_size(&call);
    check(fdx_apply(&call, keep(allocate((size_t)size)), size));
    solve_by(&sum[0], ndim, shape, axis, out, out, NULL);
    put(out.data, out_bytes);
    free_all();
}

int main(int argc, char **argv)
{
    cases = argc == 3 ? fopen(argv[1], "rb") : NULL;
    results = argc == 3 ? fopen(argv[2], "wb") : NULL;
    if (cases == NULL || results == NULL)
        stop("expected two files: apply CASES RESULTS");
    for (;;) {
        switch (small()) {
        case 0: return fclose(results) != 0;
        case 1: gradient(); break;
        case 2: apply_operator(); break;
        case 3: weights(); break;
        case 4: solve(); break;
        case 5: compact(); break;
        default: stop("an unknown kind of case");
        }
    }
}
