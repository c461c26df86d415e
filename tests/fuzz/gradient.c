/* np.gradient: fdx_gradient_uniform, fdx_gradient_coords, fdx_gradient_apply, fdx_gradient_apply_part. */
#include <string.h>

#include "fuzz.h"

static fdx_gradient_row draw_stencil(int least, int most)
{
    fdx_gradient_row s;
    memset(&s, 0, sizeof s);
    s.formula = (uint8_t)below(2);
    s.mixed = (uint8_t)below(2);
    for (int k = 0; k < 3; k++) {
        s.off[k] = (int8_t)(least + below(most - least + 1));
        s.w[k] = ordinary();
    }
    if (s.formula == FDX_QUOTIENT)
        s.off[2] = (int8_t)(u8() - 128); /* not checked */
    return s;
}

typedef struct {
    fdx_gradient_axis *op;
    int dtype, precision, edge_order;
    double h;
    const fdx_array *x;
    ptrdiff_t n;
    const fdx_isa *isa;
} stencils;

static broken break_stencils(stencils *s, int number)
{
    fdx_array *x = (fdx_array *)s->x;
    BREAK(1, s->op = NULL, FDX_E_NULL)
    BREAK(1, s->dtype = FDX_NDTYPES, FDX_E_DTYPE)
    BREAK(1, s->dtype = FDX_I8 - 1, FDX_E_DTYPE)
    BREAK(1, s->dtype = -1, FDX_E_DTYPE)
    BREAK(1, s->edge_order = 0, FDX_E_EDGE)
    BREAK(1, s->edge_order = 3, FDX_E_EDGE)
    BREAK(1, s->edge_order = -1, FDX_E_EDGE)
    BREAK(x, s->x = NULL, FDX_E_NULL)
    BREAK(x, x->data = NULL, FDX_E_NULL)
    BREAK(x, x->stride = NULL, FDX_E_NULL)
    BREAK(x, s->isa = NULL, FDX_E_NULL)
    BREAK(x, x->dtype = FDX_C64, FDX_E_DTYPE)
    BREAK(x, x->dtype = 255, FDX_E_DTYPE)
    BREAK(x, x->dtype = (uint8_t)(FDX_I8 - 1), FDX_E_DTYPE)
    BREAK(x, s->n = s->edge_order, FDX_E_SIZE)
    BREAK(x, s->n = 0, FDX_E_SIZE)
    BREAK(x, s->n = -7, FDX_E_SIZE)
    return nothing;
}

/* Coordinates: rising, uniform, or anything. */
static void draw_coordinates(array *x, ptrdiff_t n)
{
    const ptrdiff_t zero = 0;
    draw_array(x, 1, &n, &zero, &n, draw_dtype(FDX_C64), IS_READ);
    const int kind = below(3);
    double v = x->a.dtype == FDX_I8 || x->a.dtype == FDX_U8 ? 0 : ordinary();
    for (ptrdiff_t i = 0; i < n && kind < 2 && x->a.dtype >= FDX_I16; i++) {
        put(&x->a, address(&x->a, 1, &i), v);
        v += kind == 1 ? 2 : 0.5 + (double)(rnd() % 64) / 32;
    }
}

static broken break_gradient(fdx_gradient *call, int number, ptrdiff_t *part, ptrdiff_t *nparts, const ptrdiff_t *lo,
                             const ptrdiff_t *hi)
{
    fdx_gradient_axis *op = (fdx_gradient_axis *)&call->axes[below(call->naxes)];
    fdx_gradient_row *s = below(3) == 0 ? &op->interior : below(2) ? &op->first : &op->last;
    ptrdiff_t *shape = (ptrdiff_t *)call->shape, *low = (ptrdiff_t *)call->lo, *high = (ptrdiff_t *)call->hi;
    const int d = below(call->ndim), some = !is_empty(call->ndim, lo, hi), boxed = low != NULL;
    const ptrdiff_t n = shape[op->axis];
    ptrdiff_t begin, bytes;
    BREAK(1, call->shape = NULL, FDX_E_NULL)
    BREAK(1, call->in.stride = NULL, FDX_E_NULL)
    BREAK(some, call->in.data = NULL, FDX_E_NULL)
    BREAK(1, call->axes = NULL, FDX_E_NULL)
    BREAK(1, call->isa = NULL, FDX_E_NULL)
    BREAK(some, op->out.data = NULL, FDX_E_NULL)
    BREAK(1, op->out.stride = NULL, FDX_E_NULL)
    BREAK(op->x.data != NULL, op->x.stride = NULL, FDX_E_NULL)
    BREAK(1, call->ndim = 0, FDX_E_NDIM)
    BREAK(1, call->ndim = 65, FDX_E_NDIM)
    BREAK(1, call->ndim = -1, FDX_E_NDIM)
    BREAK(1, call->naxes = 0, FDX_E_COUNT)
    BREAK(1, call->naxes = 65, FDX_E_COUNT)
    BREAK(1, call->naxes = -1, FDX_E_COUNT)
    BREAK(1, shape[d] = -1, FDX_E_SHAPE)
    BREAK(1, shape[d] = PTRDIFF_MIN, FDX_E_SHAPE)
    BREAK(1, call->in.dtype = FDX_NDTYPES, FDX_E_DTYPE)
    BREAK(1, call->in.dtype = (uint8_t)(FDX_I8 - 1), FDX_E_DTYPE)
    BREAK(1, op->out.dtype = op->out.dtype == FDX_F32 ? FDX_F64 : FDX_F32, FDX_E_DTYPE)
    BREAK(1, op->out.dtype = FDX_I64, FDX_E_DTYPE)
    BREAK(1, op->out.dtype = FDX_NDTYPES, FDX_E_DTYPE)
    BREAK(op->x.data != NULL, op->x.dtype = FDX_C128, FDX_E_DTYPE)
    BREAK(op->x.data != NULL, op->x.dtype = (uint8_t)(FDX_I8 - 1), FDX_E_DTYPE)
    BREAK(1, op->axis = -1, FDX_E_AXIS)
    BREAK(1, op->axis = call->ndim, FDX_E_AXIS)
    BREAK(!boxed, shape[op->axis] = 1, FDX_E_SIZE)
    BREAK(1, op->n = n + 1, FDX_E_SIZE)
    BREAK(1, op->n = -1, FDX_E_SIZE)
    BREAK(!boxed, shape[op->axis] = 0, FDX_E_SIZE)
    BREAK(1, s->formula = 3, FDX_E_STENCIL)
    BREAK(1, s->formula = 255, FDX_E_STENCIL)
    BREAK(1, op->first.formula = FDX_SPACED, FDX_E_STENCIL)
    BREAK(op->x.data == NULL, op->interior.formula = FDX_SPACED, FDX_E_STENCIL)
    BREAK(1, op->first.off[below(2)] = -1, FDX_E_STENCIL)
    BREAK(1, op->last.off[below(2)] = 1, FDX_E_STENCIL)
    BREAK(n < 100, op->first.off[0] = (int8_t)n, FDX_E_STENCIL)
    BREAK(n < 100, op->last.off[1] = (int8_t)-n, FDX_E_STENCIL)
    BREAK(n > 2, op->interior.off[0] = -2, FDX_E_STENCIL)
    BREAK(n > 2, op->interior.off[1] = 2, FDX_E_STENCIL)
    BREAK(op->last.formula == FDX_WEIGHTED, op->last.off[2] = 1, FDX_E_STENCIL)
    BREAK(boxed, call->lo = NULL, FDX_E_BOX)
    BREAK(boxed, call->hi = NULL, FDX_E_BOX)
    BREAK(!boxed, call->lo = shape, FDX_E_BOX)
    BREAK(boxed, low[d] = -1, FDX_E_BOX)
    BREAK(boxed, high[d] = low[d] - 1, FDX_E_BOX)
    BREAK(boxed, high[d] = shape[d] + 1, FDX_E_BOX)
    BREAK(boxed, low[d] = PTRDIFF_MAX, FDX_E_BOX)
    BREAK(some && hi[d] - lo[d] > 1, ((ptrdiff_t *)op->out.stride)[d] = 0, FDX_E_OVERLAP)
    BREAK(1, *part = *nparts, FDX_E_PART)
    BREAK(1, *part = -1, FDX_E_PART)
    BREAK(1, *nparts = 0, FDX_E_PART)
    BREAK(1, *nparts = -3, FDX_E_PART)
    bytes = some ? extent(&call->in, call->ndim, zeros, shape, &begin) : 0;
    BREAK(some, lay_over(&op->out, call->ndim, lo, hi, (char *)call->in.data + begin, bytes), FDX_E_OVERLAP)
    bytes = op->x.data != NULL ? extent(&op->x, 1, zeros, &n, &begin) : 0;
    op = (fdx_gradient_axis *)&call->axes[below(call->naxes)]; /* the coordinates of another axis have the same error */
    const char *x = bytes > 0 ? (const char *)call->axes[0].x.data : NULL;
    BREAK(some && x && call->naxes == 1, lay_over(&op->out, call->ndim, lo, hi, x + begin, bytes), FDX_E_OVERLAP)
    return nothing;
}

static void scramble_gradient(fdx_gradient *call, ptrdiff_t *shape)
{
    for (int times = 1 + below(5); times > 0; times--) {
        fdx_gradient_axis *op = (fdx_gradient_axis *)&call->axes[below(call->naxes)];
        fdx_gradient_row *s = below(3) == 0 ? &op->interior : below(2) ? &op->first : &op->last;
        switch (below(9)) {
        case 0: shape[below(call->ndim)] = below(16) - 1; break;
        case 1: call->in.dtype = (uint8_t)below(16); break;
        case 2: op->out.dtype = (uint8_t)below(16); break;
        case 3: op->axis = wild_int(); break;
        case 4: s->formula = (uint8_t)below(5); break;
        case 5: s->off[below(3)] = (int8_t)wild_int(); break;
        case 6: op->x.dtype = (uint8_t)below(16); break;
        case 7: s->w[below(3)] = draw_spacing(); break;
        default: s->off[below(3)] = (int8_t)(below(5) - 2); break;
        }
    }
}

static fdx_status run_gradient(void *call, const fdx_isa *isa, ptrdiff_t part, ptrdiff_t nparts)
{
    fdx_gradient by = *(const fdx_gradient *)call;
    by.isa = isa;
    return nparts == 1 && part == 0 ? fdx_gradient_apply(&by) : fdx_gradient_apply_part(&by, part, nparts);
}

void gradient_case(int mode)
{
    enum { MOST = 6 };
    const int ndim = 1 + below(4), dtype = draw_dtype(FDX_NDTYPES), naxes = 1 + below(below(4) ? 3 : MOST);
    const int wild = mode == 2, usual = chance(3) ? IS_USUAL : 0, site = below(4);
    const fdx_isa *isa = tables[below(ntables)];
    ptrdiff_t least[FDX_MAXDIM] = {0}, *shape = keep_indices(ndim, NULL);
    fdx_gradient_axis *op = keep((size_t)naxes * sizeof *op);
    fdx_array *x_of[MOST] = {NULL};
    array x, in, out[MOST];
    for (int k = 0; k < naxes; k++) {
        op[k].axis = below(ndim);
        least[op[k].axis] = 2;
    }
    draw_shape(ndim, shape, least);
    for (int k = 0; k < naxes; k++) {
        const ptrdiff_t n = shape[op[k].axis];
        const int kind = below(4);
        fdx_status status;
        stencils s = {&op[k], dtype, below(3), n < 3 ? 1 : 1 + below(2), draw_spacing(), NULL, n, isa};
        if (kind == 1) {
            draw_coordinates(&x, n);
            x_of[k] = keep(sizeof *x_of[k]);
            *x_of[k] = x.a;
            s.x = x_of[k];
        }
        if (kind == 2) { /* filled in by hand */
            op[k].first = draw_stencil(0, n < 3 ? 1 : 2);
            op[k].last = draw_stencil(n < 3 ? -1 : -2, 0);
            op[k].interior = draw_stencil(-1, 1);
            continue;
        }
        const int breaks = mode == 1 && site == 1;
        const broken b = breaks ? break_stencils(&s, below(18)) : nothing;
        before_calls();
        const fdx_gradient_axis before = op[k];
        if (x_of[k] != NULL)
            CALL(status, fdx_gradient_coords(s.op, s.dtype, s.x, s.n, s.edge_order, s.isa));
        else
            CALL(status, fdx_gradient_uniform(s.op, s.dtype, s.h, (fdx_precision)s.precision, s.edge_order));
        expect("fdx_gradient_*", b, status);
        if (b.what != NULL) {
            if (memcmp(&before, &op[k], sizeof before) != 0)
                die("an operator was written to after", b.what);
            return;
        }
        if (op[k].axis != before.axis)
            die("an axis was written to", "");
        accept_kept();
        expect_unchanged("making stencils");
    }

    fdx_gradient call = {ndim, shape, {NULL, NULL, (uint8_t)dtype, 0}, naxes, op, isa, NULL, NULL, NULL, 0};
    for (int k = 0; k < naxes; k++)
        op[k].out.dtype = (uint8_t)fdx_result_dtype(dtype);
    if (wild)
        scramble_gradient(&call, shape);
    ptrdiff_t positive[FDX_MAXDIM];
    for (int d = 0; d < ndim; d++)
        positive[d] = shape[d] > 0 ? shape[d] : 0;
    ptrdiff_t *lo = keep_indices(ndim, NULL), *hi = keep_indices(ndim, NULL);
    const int boxed = draw_box(ndim, positive, lo, hi), alone = boxed && below(2);
    draw_array(&in, ndim, positive, zeros, positive, call.in.dtype, IS_READ | usual);
    call.in = in.a;
    for (int k = 0; k < naxes; k++) {
        ptrdiff_t there[FDX_MAXDIM];
        for (int d = 0; d < ndim; d++)
            there[d] = alone ? hi[d] - lo[d] : positive[d];
        draw_array(&out[k], ndim, there, alone ? lo : zeros, alone ? hi : positive, op[k].out.dtype,
                   IS_WRITTEN | usual);
        op[k].out = out[k].a;
        /* a wild call may have too few coordinates */
        ptrdiff_t begin;
        if (wild && op[k].x.data != NULL) {
            const int axis = op[k].axis < 0 || op[k].axis >= ndim ? 0 : op[k].axis;
            if (extent(&op[k].x, 1, zeros, &positive[axis], &begin) > 0) {
                array again = {op[k].x, keep_indices(1, op[k].x.stride), NULL};
                again.a.stride = again.stride;
                place(&again, 1, zeros, &positive[axis], IS_READ);
                if (again.a.data != NULL)
                    op[k].x = again.a;
            }
        }
    }
    if (wild && chance(12))
        spoil_stride(&in, ndim, NULL, NULL);
    else if (wild && chance(12))
        spoil_stride(&out[below(naxes)], ndim, boxed ? lo : NULL, hi);
    double *alpha_beta = keep(2 * sizeof *alpha_beta);
    alpha_beta[0] = below(4) ? ordinary() : draw_spacing();
    alpha_beta[1] = below(4) ? below(3) - 1 : draw_spacing();
    if (boxed) {
        call.lo = lo;
        call.hi = hi;
    }
    if (chance(3))
        call.alpha_beta = alpha_beta;
    call.first_touch = (uint8_t)below(2);

    ptrdiff_t nparts = 1 + below(4), part = below((int)nparts);
    if (mode == 0) {
        before_calls();
        check_results(run_gradient, &call, isa, out, naxes, ndim, lo, hi);
        return;
    }
    ptrdiff_t low[FDX_MAXDIM], high[FDX_MAXDIM];
    memcpy(low, lo, sizeof *lo * (size_t)ndim);
    memcpy(high, hi, sizeof *hi * (size_t)ndim);
    const broken b = mode == 1 ? break_gradient(&call, below(63), &part, &nparts, low, high) : nothing;
    if (mode == 1 && b.what == NULL)
        return;
    before_calls();
    fdx_status status;
    CALL(status, fdx_gradient_apply_part(&call, part, nparts));
    if (wild) {
        check_wild(status, out, naxes, ndim, lo, hi);
        return;
    }
    expect("fdx_gradient_apply_part", b, status);
    expect_unchanged(b.what);
    CALL(status, fdx_gradient_apply_part(NULL, 0, 1));
    expect("fdx_gradient_apply_part", (broken){"call = NULL", FDX_E_NULL, FDX_E_NULL}, status);
}
