/* Descriptions of operators, sums of products of derivatives, and their compilation: fdx_operator_size,
 * fdx_operator_make. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "fuzz.h"

typedef struct {
    void *memory;
    fdx_sum *what;
    const fdx_operator **op;
} summing;

static broken break_sum(summing *c, int number)
{
    fdx_sum *what = c->what;
    fdx_term *all = (fdx_term *)what->term, *one = &all[below(what->nterms)];
    fdx_factor *factor = (fdx_factor *)&one->factor[below(one->nfactors)];
    fdx_array *coefficient = (fdx_array *)factor->coefficient;
    fdx_derivative *d = &factor->what;
    const int real = d->deriv > 0, described = factor->band == NULL && !d->position && !d->scheme,
              last = what->nterms - 1;
    BREAK(1, c->memory = NULL, FDX_E_NULL)
    BREAK(1, c->what = NULL, FDX_E_NULL)
    BREAK(1, c->op = NULL, FDX_E_NULL)
    BREAK(1, what->shape = NULL, FDX_E_NULL)
    BREAK(1, what->term = NULL, FDX_E_NULL)
    BREAK(1, what->isa = NULL, FDX_E_NULL)
    BREAK(1, one->factor = NULL, FDX_E_NULL)
    BREAK(coefficient, coefficient->data = NULL, FDX_E_NULL)
    BREAK(coefficient, coefficient->stride = NULL, FDX_E_NULL)
    BREAK(1, what->ndim = 0, FDX_E_NDIM)
    BREAK(1, what->ndim = 65, FDX_E_NDIM)
    BREAK(1, what->nterms = 0, FDX_E_COUNT)
    BREAK(1, what->nterms = INT_MIN, FDX_E_COUNT)
    BREAK(1, one->in = -1, FDX_E_COUNT)
    BREAK(1, one->in = FDX_MAXDIM, FDX_E_COUNT)
    BREAK(1, one->in = 5, FDX_E_COUNT)
    BREAK(1, one->out = -1, FDX_E_COUNT)
    BREAK(1, one->out += 2, FDX_E_COUNT)
    BREAK(1, all[0].out = 1, FDX_E_COUNT)
    BREAK(all[last].out > 0 && last > 0 && all[last - 1].out > 0, all[last].out = 0, FDX_E_COUNT)
    BREAK(1, one->nfactors = 0, FDX_E_COUNT)
    BREAK(1, one->nfactors = INT_MAX, FDX_E_COUNT)
    BREAK(1, ((ptrdiff_t *)what->shape)[below(what->ndim)] = -1, FDX_E_SHAPE)
    BREAK(1, factor->axis = -1, FDX_E_AXIS)
    BREAK(1, factor->axis = what->ndim, FDX_E_AXIS)
    BREAK(coefficient, coefficient->dtype = FDX_C64, FDX_E_DTYPE)
    BREAK(coefficient, coefficient->dtype = 255, FDX_E_DTYPE)
    BREAK(coefficient, factor->sign = 2, FDX_E_STENCIL)
    BREAK(!coefficient, factor->sign = 1, FDX_E_STENCIL)
    BREAK(d->n > 0, d->n++, FDX_E_SIZE)
    BREAK(described, d->deriv = -1, FDX_E_STENCIL)
    BREAK(real, d->accuracy++, FDX_E_STENCIL)
    BREAK(real, d->accuracy = 0, FDX_E_STENCIL)
    BREAK(real, d->left = FDX_NBOUNDARIES, FDX_E_STENCIL)
    BREAK(real, d->right = -1, FDX_E_STENCIL)
    BREAK(real && d->left != FDX_PERIODIC, d->right = FDX_PERIODIC, FDX_E_STENCIL)
    BREAK(real && d->left != FDX_SBP, d->deriv = FDX_MAXNODES, FDX_E_SIZE)
    BREAK(described, d->scale = 0, FDX_E_NODES)
    BREAK(described, d->scale = NAN, FDX_E_NODES)
    BREAK(described, d->scale = -INFINITY, FDX_E_NODES)
    BREAK(real && d->x == NULL, d->spacing = 0, FDX_E_NODES)
    BREAK(real && d->x == NULL, d->spacing = NAN, FDX_E_NODES)
    BREAK(real && !factor->transposed, ((ptrdiff_t *)what->shape)[factor->axis] = 1, FDX_E_SIZE)
    BREAK(real && d->x != NULL, d->n = 0, FDX_E_SIZE)
    BREAK(1, factor->crop[0] = -1, FDX_E_SIZE)
    BREAK(1, factor->crop[1] = PTRDIFF_MAX, FDX_E_SIZE)
    BREAK(real, factor->crop[below(2)] = 1, FDX_E_SIZE)
    BREAK(one->scale, *(double *)one->scale = -INFINITY, FDX_E_NODES)
    return nothing;
}

static int is_derivative(const fdx_derivative *what)
{
    return what->deriv != 0 || what->position != FDX_CENTER || what->scheme != NULL;
}

/* From an end of the axis to the first or the last result, in half spacings; of the map that is transposed, if it is.
 */
static ptrdiff_t lost(const fdx_factor *p, int side)
{
    fdx_outline o;
    if (p->band != NULL || !is_derivative(&p->what))
        return 2 * p->crop[side];
    if (fdx_derivative_outline(&p->what, &o) != FDX_OK)
        return 0;
    const ptrdiff_t first = 2 * (o.base + o.crop[0]) + o.half;
    return side == 0 ? first : -2 * (o.more - o.crop[0] - o.crop[1]) - first;
}

/* A map for n points of an axis that may have coordinates x. */
static void draw_map(fdx_factor *p, ptrdiff_t n, const double *x, double period)
{
    p->what = draw_derivative(0);
    p->what.isa = NULL;
    p->transposed = chance(3);
    if (x != NULL && below(3) && p->what.scheme == NULL && p->what.left != FDX_SBP) {
        p->what.x = x;
        p->what.period = period;
        orient_conditions(&p->what, period < 0 ? -1 : 1);
    }
    const ptrdiff_t points = n + (p->transposed ? (lost(p, 0) + lost(p, 1)) / 2 : 0);
    const int short_axis = fdx_derivative_points(&p->what) > points || (p->what.x != NULL && points != n);
    if (below(2) || p->what.x != NULL)
        p->what.n = points;
    if (!short_axis && !chance(5))
        return;
    p->what.deriv = p->what.position = p->what.side = 0;
    p->what.scheme = NULL;
    p->what.n = 0;
    if (n == 0)
        p->what.scale = 1;
    if (n > 0 && chance(4)) {
        const usual_rows as = {FDX_SUM_SYMMETRIC, 0};
        const fdx_band *band = n < 3000 ? draw_band(n, &as) : NULL;
        if (band != NULL && band->rows == n && band->columns == n)
            p->band = band;
        return;
    }
    for (int side = 0; side < 2; side++)
        if (chance(2) && n > p->crop[0] + 3)
            p->crop[side] = below(3);
}

void sum_case(int mode)
{
    static const fdx_operator *made;
    const int ndim = 1 + below(3), noutputs = 1 + below(2), ninputs = 1 + below(2), nterms = noutputs + below(3);
    ptrdiff_t least[FDX_MAXDIM], *shape = keep_indices(ndim, NULL), lo[FDX_MAXDIM], hi[FDX_MAXDIM];
    const double *x_of[FDX_MAXDIM] = {NULL};
    double period[FDX_MAXDIM] = {0};
    for (int d = 0; d < ndim; d++)
        least[d] = below(16) ? 3 : 0;
    draw_shape(ndim, shape, least);
    for (int d = 0; d < ndim; d++)
        if (below(2) && shape[d] > 0) {
            fdx_derivative points = {0};
            points.n = shape[d];
            draw_points(&points);
            x_of[d] = points.x;
            period[d] = points.period;
        }
    fdx_term *terms = keep((size_t)nterms * sizeof *terms);
    ptrdiff_t places[4][3];
    int inputs = 0, apart = 0; /* apart: results of an input in an output half a spacing from each other */
    for (int k = 0; k < nterms; k++) {
        const int nfactors = 1 + below(below(4) ? 2 : 4);
        fdx_factor *factor = keep((size_t)nfactors * sizeof *factor);
        ptrdiff_t n[FDX_MAXDIM], origin[FDX_MAXDIM] = {0};
        memcpy(n, shape, (size_t)ndim * sizeof *n);
        terms[k] = (fdx_term){below(inputs < ninputs ? inputs + 1 : ninputs), k < noutputs ? k : noutputs - 1, nfactors,
                              factor, NULL};
        inputs = terms[k].in == inputs ? inputs + 1 : inputs; /* without gaps */
        if (chance(3)) {
            double *number = keep(sizeof *number);
            *number = chance(3) ? 0 : ordinary();
            terms[k].scale = number;
        }
        for (int s = 0; s < nfactors; s++) {
            fdx_factor *p = &factor[s];
            const int d = p->axis = below(ndim);
            draw_map(p, n[d], n[d] == shape[d] ? x_of[d] : NULL, period[d]);
            const ptrdiff_t first = lost(p, 0);
            n[d] += (p->transposed ? 1 : -1) * (first + lost(p, 1)) / 2;
            origin[d] += p->transposed ? -first : first;
            if (chance(4) && !is_empty(ndim, zeros, n)) {
                p->coefficient = draw_factor(ndim, n);
                p->sign = below(2) ? 0 : below(3) - 1;
            }
        }
        int first = 0; /* term from the same input to the same output */
        while (terms[first].in != terms[k].in || terms[first].out != terms[k].out)
            first++;
        for (int d = 0; d < ndim; d++) {
            if (k == first) /* what counts as its first point, for terms from this input to this output */
                places[k][d] = origin[d] % 2 == 0 ? 0 : origin[d] < 0 ? -1 : 1;
            origin[d] -= places[first][d];
            apart |= origin[d] % 2 != 0;
            lo[d] = k > 0 && lo[d] > origin[d] ? lo[d] : origin[d];
            hi[d] = k > 0 && hi[d] < origin[d] + 2 * n[d] ? hi[d] : origin[d] + 2 * n[d];
        }
    }
    int less = 0, empty = 0;
    for (int d = 0; d < ndim; d++)
        empty |= hi[d] <= lo[d];
    for (int d = 0; d < ndim; d++)
        less |= hi[d] < lo[d] || apart;
    fdx_sum *sum = keep(sizeof *sum);
    *sum = (fdx_sum){ndim, shape, nterms, terms, tables[below(ntables)], chance(3)};
    if (mode == 2)
        for (int times = 1 + below(3); times > 0; times--) {
            fdx_term *one = &terms[below(nterms)];
            if (one->nfactors < 1)
                break;
            fdx_factor *p = (fdx_factor *)&one->factor[below(one->nfactors)];
            switch (below(18)) {
            case 16: p->what.datum = below(3) - 1; break;
            case 17: p->what.condition[below(2)] = (fdx_condition){draw_spacing(), draw_spacing(), below(4)}; break;
            case 14: p->what.position = wild_int(); break;
            case 15: p->what.side = wild_int(); break;
            case 0: sum->nterms = below(nterms + 1); break;
            case 1: one->in = wild_int(); break;
            case 2: one->out = wild_int(); break;
            case 3: one->nfactors = below(one->nfactors + 1); break;
            case 4: p->axis = p->what.x == NULL ? wild_int() : 0; break;
            case 5: p->what.deriv = wild_int(); break;
            case 6: p->what.accuracy = wild_int(); break;
            case 7: p->what.left = wild_int(); break;
            case 8: p->what.right = wild_int(); break;
            case 9: p->what.scale = draw_spacing(); break;
            case 10: p->what.spacing = draw_spacing(); break;
            case 11: p->crop[below(2)] = wild_stride(); break;
            case 12: p->transposed = wild_int(); break;
            default: p->what.period = draw_spacing(); break;
            }
            if (p->what.x != NULL) /* with as many points as the first axis of the term */
                p->what.x = NULL;
        }
    size_t bytes;
    poison();
    bytes = fdx_operator_size(sum);
    unpoison();
    made = NULL;
    summing c = {allocate(bytes), sum, &made};
    slot *const memory = slot_at(c.memory);
    const int breaks = mode == 1 && below(2);
    /* if results have too few points as well, there are two errors */
    const broken b = less     ? (broken){"products without a common point", FDX_E_SIZE, FDX_E_SIZE}
                     : breaks ? break_sum(&c, below(52))
                              : nothing;
    before_calls();
    fdx_status status;
    CALL(status, fdx_operator_make(c.memory, c.what, c.op));
    memory->scratch = status != FDX_E_NULL; /* on errors it may have been written to */
    /* Products may over- or underflow; without results there is no transpose. */
    const int may_fail = status == FDX_E_NODES || (status == FDX_E_SIZE && sum->transposed && empty);
    if (mode != 2 && !may_fail)
        expect("fdx_operator_make", b, status);
    expect_unchanged("fdx_operator_make");
    memory->scratch = 0;
    if (status == FDX_OK ? made != c.memory : made != NULL)
        die("*op", "");
    if (status == FDX_OK && bytes == 0)
        die("fdx_operator_size told no size", "");
    if (status != FDX_OK)
        return;
    for (int d = 0; d < ndim && mode != 2; d++) {
        const ptrdiff_t *small = sum->transposed ? made->in_shape : made->out_shape;
        const ptrdiff_t *whole = sum->transposed ? made->out_shape : made->in_shape;
        if (small[d] != (hi[d] - lo[d]) / 2 || whole[d] != shape[d])
            die("the shape of an operator's results", "");
    }
    if (mode == 2)
        refit_factors((fdx_operator *)made);
    fdx_operator *op = keep(sizeof *op);
    *op = *made;
    if (ndim == 1 && chance(2)) {
        solve(op, mode);
        return;
    }
    apply(op, mode, chance(2) ? IS_USUAL : 0);
}
