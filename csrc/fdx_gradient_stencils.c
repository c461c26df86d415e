/* The weights and divisors of np.gradient's stencils, from a spacing or coordinates. The order and precision of each
 * operation are NumPy's; they decide the bits. */
#include "fdx_layout.h"
#include "fdx_rows.h"

static fdx_status check_dtype(int dtype, int edge_order)
{
    if (fdx_itemsize(dtype) == 0)
        return FDX_E_DTYPE;
    return edge_order == 1 || edge_order == 2 ? FDX_OK : FDX_E_EDGE;
}

static void quotient(fdx_gradient_row *s, int lo, int hi, double h, int mixed)
{
    s->formula = FDX_QUOTIENT;
    s->mixed = (uint8_t)mixed;
    s->off[0] = (int8_t)lo;
    s->off[1] = (int8_t)hi;
    s->off[2] = 0;
    s->w[0] = h;
    s->w[1] = s->w[2] = 0;
}

/* A stencil of three neighbours from offset `lo` on, without its weights. */
static void three(fdx_gradient_row *s, int formula, int lo, int mixed)
{
    s->formula = (uint8_t)formula;
    s->mixed = (uint8_t)mixed;
    for (int k = 0; k < FDX_NWEIGHTS; k++) {
        s->off[k] = (int8_t)(lo + k);
        s->w[k] = 0;
    }
}

/* v rounded to single precision. Volatile, as gcc 12 -O3 omits the rounding of two adjacent values. */
static double to_single(double v)
{
    volatile float single = (float)v;
    return single;
}

/* a / h, in NumPy's precision. */
static double over(double a, double h, fdx_precision precision, int single)
{
    if (precision == FDX_SINGLE)
        return (double)((float)a / (float)h);
    return precision == FDX_WEAK && single ? to_single(a / h) : a / h;
}

fdx_status fdx_gradient_uniform(fdx_gradient_axis *along, int dtype, double h, fdx_precision precision, int edge_order)
{
    if (along == NULL)
        return FDX_E_NULL;
    const fdx_status status = check_dtype(dtype, edge_order);
    if (status != FDX_OK)
        return status;
    if (precision != FDX_WEAK && precision != FDX_SINGLE && precision != FDX_DOUBLE)
        return FDX_E_DTYPE;
    const int single = fdx_is_single(dtype), mixed = single && precision == FDX_DOUBLE;
    const int rounded = precision == FDX_SINGLE || (precision == FDX_WEAK && single);
    const double two_h = 2 * h; /* doubling commutes with rounding: the same for every precision */

    along->x.data = NULL;
    along->n = 0;
    quotient(&along->interior, -1, 1, rounded ? to_single(two_h) : two_h, mixed);
    if (edge_order == 1) {
        const double edge = rounded ? to_single(h) : h;
        quotient(&along->first, 0, 1, edge, mixed);
        quotient(&along->last, -1, 0, edge, mixed);
    } else {
        /* Volatile, as compilers compute one of 1.5 / h and -1.5 / h and negate it, which differs if rounding is
         * directed. */
        const volatile double first[FDX_NWEIGHTS] = {-1.5, 2.0, -0.5}, last[FDX_NWEIGHTS] = {0.5, -2.0, 1.5};
        three(&along->first, FDX_WEIGHTED, 0, mixed);
        three(&along->last, FDX_WEIGHTED, -2, mixed);
        for (int k = 0; k < FDX_NWEIGHTS; k++) {
            along->first.w[k] = over(first[k], h, precision, single);
            along->last.w[k] = over(last[k], h, precision, single);
        }
    }
    return FDX_OK;
}

fdx_status fdx_gradient_coords(fdx_gradient_axis *along, int dtype, const fdx_array *x, ptrdiff_t n, int edge_order,
                               const fdx_isa *isa)
{
    if (along == NULL || x == NULL || x->data == NULL || x->stride == NULL || isa == NULL)
        return FDX_E_NULL;
    const fdx_status status = check_dtype(dtype, edge_order);
    if (status != FDX_OK)
        return status;
    if (!is_real(x->dtype))
        return FDX_E_DTYPE;
    if (n < edge_order + 1)
        return FDX_E_SIZE;
    fdx_extent extent;
    if (!fdx_find_extent(x, 1, &n, &extent))
        return FDX_E_SHAPE;

    const int single_x = x->dtype == FDX_F32, mixed = fdx_is_single(dtype) && !single_x;
    const fdx_coords *coords = &isa->coords[!single_x];
    fdx_gather_fn *gather = isa->gather[x->dtype][x->swapped != 0];
    const char *data = (const char *)x->data;
    const ptrdiff_t step = x->stride[0];
    double row[FDX_BUFFER_ELEMENTS + 1], tail[FDX_NWEIGHTS];

    gather(row, data, step, 2);
    const double d = coords->difference(row);
    int uniform = 1;
    for (ptrdiff_t i = 0; uniform && i < n - 1; i += FDX_BUFFER_ELEMENTS) {
        const ptrdiff_t m = n - 1 - i < FDX_BUFFER_ELEMENTS ? n - 1 - i : FDX_BUFFER_ELEMENTS;
        gather(row, data + i * step, step, m + 1);
        uniform = coords->uniform(row, m, d);
    }
    if (uniform) {
        fdx_gradient_uniform(along, dtype, d, single_x ? FDX_SINGLE : FDX_DOUBLE, edge_order);
        along->n = n;
        return FDX_OK;
    }

    along->x = *x;
    along->n = n;
    three(&along->interior, FDX_SPACED, -1, mixed);
    if (edge_order == 1) {
        gather(row, data, step, 2);
        quotient(&along->first, 0, 1, coords->difference(row), mixed);
        gather(row, data + (n - 2) * step, step, 2);
        quotient(&along->last, -1, 0, coords->difference(row), mixed);
    } else {
        three(&along->first, FDX_WEIGHTED, 0, mixed);
        three(&along->last, FDX_WEIGHTED, -2, mixed);
        gather(row, data, step, FDX_NWEIGHTS);
        gather(tail, data + (n - FDX_NWEIGHTS) * step, step, FDX_NWEIGHTS);
        coords->edges(along->first.w, along->last.w, row, tail);
    }
    return FDX_OK;
}
