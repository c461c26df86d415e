/* Compiled operators, filled in by hand or made, and their application: fdx_workspace_size, fdx_apply, fdx_apply_part,
 * fdx_prepare, fdx_run. */
#include <limits.h>
#include <string.h>

#include "fuzz.h"

/* For each coefficient, and its shape. */
typedef struct {
    const fdx_array *coefficient;
    ptrdiff_t n[FDX_MAXDIM];
} a_factor;

static int factors_of(const fdx_operator *op, a_factor *list, int most)
{
    int count = 0;
    for (int k = 0; k < op->nchains; k++) {
        ptrdiff_t n[FDX_MAXDIM];
        memcpy(n, op->in_shape, (size_t)op->ndim * sizeof *n);
        for (int s = 0; s < op->chain[k].nstages && op->chain[k].nstages <= FDX_MAXSTAGES; s++) {
            const fdx_stage *stage = &op->chain[k].stage[s];
            if (stage->band != NULL && stage->axis >= 0 && stage->axis < op->ndim)
                n[stage->axis] = stage->band->rows;
            if (stage->coefficient != NULL && count < most) {
                list[count].coefficient = stage->coefficient;
                memcpy(list[count++].n, n, (size_t)op->ndim * sizeof *n);
            }
        }
    }
    return count;
}

fdx_array *draw_factor(int ndim, const ptrdiff_t *shape)
{
    static const int reals[] = {FDX_F64, FDX_F32, FDX_I16, FDX_U8, FDX_I64, FDX_F64};
    array a;
    fdx_array *kept_one = keep(sizeof *kept_one);
    draw_array(&a, ndim, shape, zeros, shape, reals[below(6)], IS_READ | (chance(3) ? IS_USUAL : 0));
    *kept_one = a.a;
    return kept_one;
}

/* Sums of chains of bands filled in by hand, and of `given`, unless NULL. */
fdx_operator *draw_operator(const fdx_band *given, int *usual)
{
    static const fdx_operator none;
    enum { MOST = 5 };
    const int ndim = 1 + below(4), simple = below(3) == 0, ninputs = 1 + below(3), noutputs = 1 + below(2);
    const int nchains = noutputs + below(MOST - noutputs + 1), axis = below(ndim);
    const int coefficients = simple ? below(4) == 3 : below(2);
    const usual_rows as = {below(2) ? FDX_SUM_SYMMETRIC : FDX_SUM_ANTISYMMETRIC, simple ? below(5) : 0};
    ptrdiff_t least[FDX_MAXDIM] = {0}, in_shape[FDX_MAXDIM], out_shape[FDX_MAXDIM], n[MOST][FDX_MAXDIM];
    const int no_empty = below(16) > 0;
    for (int d = 0; d < ndim; d++)
        least[d] = no_empty;
    if (given != NULL)
        least[axis] = given->columns;
    *usual = simple && below(4) > 0 ? IS_USUAL : 0;
    if (*usual)
        for (int d = 0; d < ndim; d++)
            least[d] += d == ndim - 1 ? below(60) : 2 * as.half_width;
    draw_shape(ndim, in_shape, least);
    if (given != NULL)
        in_shape[axis] = given->columns;
    fdx_chain *chain = keep((size_t)nchains * sizeof *chain);
    for (int k = 0; k < nchains; k++) {
        const int nstages = simple || below(2) == 0 ? 1 : 1 + below(chance(8) ? 6 : 3);
        fdx_stage *stage = keep((size_t)nstages * sizeof *stage);
        chain[k] = (fdx_chain){*usual ? below(4) == 3 ? below(ninputs) : 0 : below(ninputs),
                               k < noutputs ? k : noutputs - 1, nstages, stage, NULL};
        memcpy(n[k], in_shape, sizeof n[k]);
        for (int s = 0; s < nstages; s++) {
            stage[s].axis = *usual && k + 1 >= noutputs ? (ndim + (k - nchains) % ndim) % ndim : below(ndim);
            if (given != NULL && k == 0 && s == 0)
                stage[s].axis = axis;
            const ptrdiff_t columns = n[k][stage[s].axis];
            if (given != NULL && columns == given->columns && (s == 0 || below(2)))
                stage[s].band = given;
            else if (columns > 0 && below(8) != 1)
                stage[s].band = draw_band(columns, &as);
            if (stage[s].band != NULL)
                n[k][stage[s].axis] = stage[s].band->rows;
            else if (below(2))
                stage[s].axis = wild_int(); /* not checked */
            if (coefficients && (simple || chance(3)))
                stage[s].coefficient = draw_factor(ndim, n[k]);
            if (below(2))
                stage[s].sign = k % 2 == 0 ? 1 : -1;
        }
    }
    for (int d = 0; d < ndim; d++) {
        out_shape[d] = n[0][d];
        for (int k = 1; k < nchains; k++)
            out_shape[d] = n[k][d] < out_shape[d] ? n[k][d] : out_shape[d];
        if (!simple && chance(4))
            out_shape[d] = below((int)out_shape[d] + 1);
    }
    for (int k = 0; k < nchains; k++)
        if (below(4) || simple) {
            ptrdiff_t *shift = keep_indices(ndim, NULL);
            chain[k].shift = shift;
            for (int d = 0; d < ndim; d++)
                shift[d] = n[k][d] > out_shape[d] && below(2) ? below((int)(n[k][d] - out_shape[d]) + 1) : 0;
        }
    fdx_operator *op = keep(sizeof *op);
    *op = none;
    op->ndim = ndim;
    op->in_shape = keep_indices(ndim, in_shape);
    op->out_shape = keep_indices(ndim, out_shape);
    op->ninputs = ninputs;
    op->noutputs = noutputs;
    op->nchains = nchains;
    op->chain = chain;
    op->isa = tables[below(ntables)];
    return op;
}

/* Wild numbers anywhere in an operator. Those that give lengths of lists stay true. */
void scramble_operator(fdx_operator *op)
{
    const fdx_operator was = *op;
    for (int times = 1 + below(4); times > 0; times--) {
        fdx_chain *chain = (fdx_chain *)&op->chain[below(was.nchains)];
        if (chain->nstages < 1 || chain->nstages > FDX_MAXSTAGES)
            continue;
        fdx_stage *stage = (fdx_stage *)&chain->stage[below(chain->nstages)];
        fdx_band *band = (fdx_band *)stage->band;
        const int d = below(was.ndim);
        switch (below(18)) {
        case 0: op->ndim = below(8) ? 1 + below(was.ndim) : wild_int() < 0 ? -1 : 65; break;
        case 1: ((ptrdiff_t *)op->in_shape)[d] = below(24) - 2; break;
        case 2: ((ptrdiff_t *)op->out_shape)[d] = below(24) - 2; break;
        case 3: op->ninputs = below(was.ninputs + 1); break;
        case 4: op->noutputs = below(was.noutputs + 1); break;
        case 5: op->nchains = below(was.nchains + 1); break;
        case 6: chain->in = wild_int(); break;
        case 7: chain->out = wild_int(); break;
        case 8: chain->nstages = below(8) ? 1 + below(chain->nstages) : below(2) ? 17 : 0; break;
        case 9:
            if (chain->shift != NULL)
                ((ptrdiff_t *)chain->shift)[d] = wild_number();
            break;
        case 10: stage->axis = wild_int(); break;
        case 11:
            if (stage->coefficient != NULL)
                ((fdx_array *)stage->coefficient)->dtype = (uint8_t)below(16);
            break;
        default:
            if (band != NULL && !scramble_band(band))
                times = 1;
        }
        if (op->ndim < 1 || op->ndim > was.ndim || op->ninputs < 1 || op->noutputs < 1 || op->nchains < 1)
            return;
    }
}

/* Then, coefficients have as much memory as the operator says. */
void refit_factors(fdx_operator *op)
{
    a_factor list[32];
    const int count = factors_of(op, list, 32);
    for (int k = 0; k < count; k++) {
        fdx_array *f = (fdx_array *)list[k].coefficient;
        ptrdiff_t n[FDX_MAXDIM];
        for (int d = 0; d < op->ndim; d++)
            n[d] = list[k].n[d] < 0 ? 0 : list[k].n[d] > 100000 ? 100000 : list[k].n[d];
        array again = {*f, keep_indices(op->ndim, NULL), NULL};
        again.a.stride = again.stride;
        draw_strides(&again, op->ndim, n, IS_READ);
        for (int d = 0; d < op->ndim; d++)
            if (n[d] != list[k].n[d])
                again.stride[d] = 0;
        place(&again, op->ndim, zeros, n, IS_READ);
        if (again.a.data != NULL)
            *f = again.a;
    }
}

typedef struct {
    fdx_call call;
    void *workspace;
    ptrdiff_t bytes, part, nparts;
    ptrdiff_t exact; /* bytes that suffice */
    void *of_base;   /* a workspace for the base table, which may need another size */
    ptrdiff_t bytes_of_base;
} application;

static broken break_application(application *o, int number, const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    fdx_call *call = &o->call;
    fdx_operator *op = (fdx_operator *)call->op;
    const int ndim = op->ndim, d = below(ndim), some = !is_empty(ndim, lo, hi), boxed = call->lo != NULL;
    fdx_chain *chain = (fdx_chain *)&op->chain[below(op->nchains)];
    fdx_stage *stage = (fdx_stage *)&chain->stage[below(chain->nstages)];
    fdx_band *band = (fdx_band *)stage->band;
    fdx_array *coefficient = (fdx_array *)stage->coefficient;
    fdx_array *in = (fdx_array *)&call->in[below(op->ninputs)], *out = (fdx_array *)&call->out[below(op->noutputs)];
    ptrdiff_t *low = (ptrdiff_t *)call->lo, *high = (ptrdiff_t *)call->hi, *shift = (ptrdiff_t *)chain->shift;
    ptrdiff_t *in_shape = (ptrdiff_t *)op->in_shape, *out_shape = (ptrdiff_t *)op->out_shape;
    const int closures = band != NULL && band->nfirst > 0;
    const ptrdiff_t inside = band != NULL ? band->rows - band->nfirst - band->nlast : 0;
    fdx_stencil *inner = band != NULL ? &band->interior : NULL;
    fdx_stencil *r = closures && below(2) ? (fdx_stencil *)&band->first[below((int)band->nfirst)] : inner;
    const int paired = inner != NULL && inner->summation >= FDX_SUM_ANTISYMMETRIC;
    BREAK(1, call->op = NULL, FDX_E_NULL)
    BREAK(1, call->in = NULL, FDX_E_NULL)
    BREAK(1, call->out = NULL, FDX_E_NULL)
    BREAK(1, op->in_shape = NULL, FDX_E_NULL)
    BREAK(1, op->out_shape = NULL, FDX_E_NULL)
    BREAK(1, op->chain = NULL, FDX_E_NULL)
    BREAK(1, op->isa = NULL, FDX_E_NULL)
    BREAK(1, chain->stage = NULL, FDX_E_NULL)
    BREAK(1, in->stride = NULL, FDX_E_NULL)
    BREAK(some, in->data = NULL, FDX_E_NULL)
    BREAK(1, out->stride = NULL, FDX_E_NULL)
    BREAK(some, out->data = NULL, FDX_E_NULL)
    BREAK(coefficient, coefficient->stride = NULL, FDX_E_NULL)
    BREAK(coefficient && some, coefficient->data = NULL, FDX_E_NULL)
    BREAK(o->exact > 0, o->workspace = NULL, FDX_E_NULL)
    BREAK_TO(r, r->w = NULL, FDX_E_NULL, FDX_E_STENCIL)
    BREAK_TO(closures, band->first = NULL, FDX_E_NULL, FDX_E_STENCIL)
    BREAK_TO(band && band->nlast > 0, band->last = NULL, FDX_E_NULL, FDX_E_STENCIL)
    BREAK(1, op->ndim = 0, FDX_E_NDIM)
    BREAK(1, op->ndim = 65, FDX_E_NDIM)
    BREAK(1, op->ndim = INT_MIN, FDX_E_NDIM)
    BREAK(1, op->ninputs = 0, FDX_E_COUNT)
    BREAK(1, op->ninputs = 65, FDX_E_COUNT)
    BREAK(1, op->noutputs = 0, FDX_E_COUNT)
    BREAK(1, op->noutputs = 65, FDX_E_COUNT)
    BREAK(1, op->nchains = 0, FDX_E_COUNT)
    BREAK(1, op->nchains = -1, FDX_E_COUNT)
    BREAK(op->noutputs > 1, op->nchains = 1, FDX_E_COUNT)
    BREAK(1, chain->in = op->ninputs, FDX_E_COUNT)
    BREAK(1, chain->in = -1, FDX_E_COUNT)
    BREAK(1, chain->out = op->noutputs, FDX_E_COUNT)
    BREAK(1, chain->out = -1, FDX_E_COUNT)
    BREAK(op->noutputs > 1, ((fdx_chain *)op->chain)[0].out = 1, FDX_E_COUNT)
    BREAK(op->noutputs > 1, ((fdx_chain *)op->chain)[op->nchains - 1].out = 0, FDX_E_COUNT)
    BREAK(1, chain->nstages = 0, FDX_E_COUNT)
    BREAK(1, chain->nstages = FDX_MAXSTAGES + 1, FDX_E_COUNT)
    BREAK(1, in_shape[d] = -1, FDX_E_SHAPE)
    BREAK(1, out_shape[d] = -1, FDX_E_SHAPE)
    BREAK(1, out_shape[d] = PTRDIFF_MIN, FDX_E_SHAPE)
    BREAK(1, in->dtype = FDX_NDTYPES, FDX_E_DTYPE)
    BREAK(1, in->dtype = in->dtype == FDX_F32 ? FDX_C64 : FDX_F32, FDX_E_DTYPE)
    BREAK(1, out->dtype = 200, FDX_E_DTYPE)
    BREAK(1, out->dtype = out->dtype == FDX_C64 ? FDX_C128 : FDX_C64, FDX_E_DTYPE)
    BREAK(1, out->dtype = FDX_I32, FDX_E_DTYPE)
    BREAK(1, stage->sign = 2, FDX_E_STENCIL)
    BREAK(1, stage->sign = INT_MIN, FDX_E_STENCIL)
    BREAK(coefficient, coefficient->dtype = FDX_C128, FDX_E_DTYPE)
    BREAK(coefficient, coefficient->dtype = (uint8_t)(FDX_I8 - 1), FDX_E_DTYPE)
    BREAK(1, in->dtype = (uint8_t)(FDX_I8 - 1), FDX_E_DTYPE)
    BREAK(some && hi[d] - lo[d] > 1, ((ptrdiff_t *)out->stride)[d] = 0, FDX_E_OVERLAP)
    BREAK(band, stage->axis = -1, FDX_E_AXIS)
    BREAK(band, stage->axis = ndim, FDX_E_AXIS)
    BREAK(band && stage == chain->stage, in_shape[stage->axis]++, FDX_E_SIZE)
    BREAK(band && stage == chain->stage && in_shape[stage->axis] > 0, in_shape[stage->axis]--, FDX_E_SIZE)
    BREAK(band && !band->periodic, band->columns += 1, FDX_E_SIZE)
    BREAK(some && !boxed, out_shape[d] = PTRDIFF_MAX, FDX_E_SIZE)
    BREAK(shift, shift[d] = -1, FDX_E_SIZE)
    BREAK(shift, shift[d] = PTRDIFF_MAX, FDX_E_SIZE)
    BREAK(band && inside > 0 && !band->periodic, inner->offset = -band->nfirst - 1, FDX_E_STENCIL)
    BREAK(band && inside > 0 && !band->periodic, inner->offset = band->columns, FDX_E_STENCIL)
    BREAK(band && band->periodic, inner->offset = -band->columns - 1, FDX_E_STENCIL)
    BREAK(band && band->periodic, inner->offset = band->columns + 2 - inner->count, FDX_E_STENCIL)
    BREAK(closures, ((fdx_stencil *)band->first)[0].offset = -1, FDX_E_STENCIL)
    BREAK(closures, ((fdx_stencil *)band->first)[0].offset = band->columns, FDX_E_STENCIL)
    BREAK(r, r->count = 0, FDX_E_STENCIL)
    BREAK(r, r->count = FDX_MAXWEIGHTS + 1, FDX_E_STENCIL)
    BREAK(r, r->summation = FDX_SUM_SYMMETRIC + 1, FDX_E_STENCIL)
    BREAK(r, r->summation = -1, FDX_E_STENCIL)
    BREAK(r && r->summation != FDX_SUM_PLAIN, r->centre = -1, FDX_E_STENCIL)
    BREAK(r && r->summation != FDX_SUM_PLAIN, r->centre = r->count, FDX_E_STENCIL)
    BREAK(paired, inner->centre--, FDX_E_STENCIL)
    BREAK(paired, inner->row_step = 1, FDX_E_STENCIL)
    BREAK(closures, band->periodic = 1, FDX_E_STENCIL)
    BREAK(band && band->periodic, band->rows++, FDX_E_STENCIL)
    BREAK(band, band->nfirst = -1, FDX_E_STENCIL)
    BREAK(band, band->nlast = -1, FDX_E_STENCIL)
    BREAK(band, band->nlast = band->rows - band->nfirst + 1, FDX_E_STENCIL)
    BREAK(boxed, call->lo = NULL, FDX_E_BOX)
    BREAK(boxed, call->hi = NULL, FDX_E_BOX)
    BREAK(!boxed, call->hi = out_shape, FDX_E_BOX)
    BREAK(boxed, low[d] = -1, FDX_E_BOX)
    BREAK(boxed, high[d] = low[d] - 1, FDX_E_BOX)
    BREAK(boxed, high[d] = out_shape[d] + 1, FDX_E_BOX)
    BREAK(1, o->part = o->nparts, FDX_E_PART)
    BREAK(1, o->part = -1, FDX_E_PART)
    BREAK(1, o->nparts = 0, FDX_E_PART)
    BREAK(o->exact > 0, o->bytes = o->exact - 1, FDX_E_WORKSPACE)
    BREAK(o->exact > 0, o->bytes = 0, FDX_E_WORKSPACE)
    BREAK(o->exact > 0, o->bytes = -1, FDX_E_WORKSPACE)
    ptrdiff_t begin = 0, bytes = some ? extent(in, ndim, zeros, in_shape, &begin) : 0;
    BREAK(some, lay_over(out, ndim, lo, hi, (char *)in->data + begin, bytes), FDX_E_OVERLAP)
    a_factor list[32];
    const int nfactors = factors_of(op, list, 32);
    if (some && nfactors > 0) {
        const a_factor *f = &list[below(nfactors)];
        if (is_empty(ndim, zeros, f->n))
            return nothing;
        bytes = extent(f->coefficient, ndim, zeros, f->n, &begin);
        BREAK(1, lay_over(out, ndim, lo, hi, (char *)f->coefficient->data + begin, bytes), FDX_E_OVERLAP)
    }
    return nothing;
}

static fdx_status run_operation(void *of, const fdx_isa *isa, ptrdiff_t part, ptrdiff_t nparts)
{
    const application *o = of;
    fdx_call call = o->call;
    fdx_operator op = *call.op;
    void *workspace = isa == o->call.op->isa ? o->workspace : o->of_base;
    const ptrdiff_t bytes = isa == o->call.op->isa ? o->bytes : o->bytes_of_base;
    call.op = &op;
    op.isa = isa;
    if (nparts == 1 && part == 0)
        return fdx_apply(&call, workspace, bytes);
    if (part % 2 == 0)
        return fdx_apply_part(&call, workspace, bytes, part, nparts);
    double memory[1024];
    const fdx_prepared *prepared;
    if (fdx_prepared_size(&call) > sizeof memory)
        die("fdx_prepared_size", "");
    const fdx_status status = fdx_prepare(memory, &call, &prepared);
    if (status == FDX_OK && fdx_prepared_workspace_size(prepared) != bytes)
        die("fdx_prepared_workspace_size", "");
    return status == FDX_OK ? fdx_run(prepared, NULL, below(2) ? call.alpha_beta : NULL, workspace, part, nparts)
                            : status;
}

/* A workspace of fdx_workspace_size bytes; NULL if these are 0. */
static void *draw_workspace(const fdx_call *call, ptrdiff_t *bytes)
{
    poison();
    *bytes = fdx_workspace_size(call);
    unpoison();
    if (*bytes < 0)
        die("fdx_workspace_size is negative", "");
    if (*bytes == 0)
        return NULL;
    slot *s = take((size_t)*bytes, sizeof(double));
    s->scratch = 1;
    return s->used;
}

/* Draw arrays for an operator, and apply it. */
void apply(const fdx_operator *op, int mode, int usual)
{
    static const int kinds[] = {FDX_F64, FDX_F32, FDX_C64, FDX_C128};
    const int result = kinds[below(4)], ndim = op->ndim, wild = mode == 2;
    const int ninputs = op->ninputs < 0 || op->ninputs > 64 ? 1 : op->ninputs;
    const int noutputs = op->noutputs < 0 || op->noutputs > 64 ? 1 : op->noutputs;
    if (ndim < 1 || ndim > FDX_MAXDIM)
        return;
    ptrdiff_t in_shape[FDX_MAXDIM], out_shape[FDX_MAXDIM];
    for (int d = 0; d < ndim; d++) {
        in_shape[d] = op->in_shape[d] > 0 ? op->in_shape[d] : 0;
        out_shape[d] = op->out_shape[d] > 0 ? op->out_shape[d] : 0;
    }
    fdx_array *in = keep((size_t)ninputs * sizeof *in), *out = keep((size_t)noutputs * sizeof *out);
    array inputs[64], outputs[64];
    for (int k = 0; k < ninputs; k++) {
        const int whole = result == FDX_F64 && !usual && chance(3);
        const int dtype = wild && chance(8) ? below(16) : whole ? draw_dtype(FDX_F32) : result;
        if (k == 1 && chance(6)) /* another view of the first one */
            inputs[1] = inputs[0];
        else
            draw_array(&inputs[k], ndim, in_shape, zeros, in_shape, dtype, IS_READ | usual);
        in[k] = inputs[k].a;
    }
    ptrdiff_t *lo = keep_indices(ndim, NULL), *hi = keep_indices(ndim, NULL);
    const int boxed = draw_box(ndim, out_shape, lo, hi), alone = boxed && below(2);
    for (int k = 0; k < noutputs; k++) {
        ptrdiff_t there[FDX_MAXDIM];
        for (int d = 0; d < ndim; d++)
            there[d] = alone ? hi[d] - lo[d] : out_shape[d];
        draw_array(&outputs[k], ndim, there, alone ? lo : zeros, alone ? hi : out_shape,
                   wild && chance(8) ? below(16) : result, IS_WRITTEN | usual);
        out[k] = outputs[k].a;
    }
    if (wild && ninputs > 0 && chance(12)) /* a wild operator may have none */
        spoil_stride(&inputs[below(ninputs)], ndim, NULL, NULL);
    else if (wild && noutputs > 0 && chance(12))
        spoil_stride(&outputs[below(noutputs)], ndim, boxed ? lo : NULL, hi);
    double *alpha_beta = keep(2 * sizeof *alpha_beta);
    alpha_beta[0] = below(4) ? ordinary() : draw_spacing();
    alpha_beta[1] = below(4) ? below(3) - 1 : draw_spacing();
    application o = {
        {op, in, out, boxed ? lo : NULL, boxed ? hi : NULL, chance(3) ? alpha_beta : NULL, (uint8_t)chance(2)},
        NULL,
        0,
        0,
        1,
        0,
        NULL,
        0};
    o.workspace = draw_workspace(&o.call, &o.exact);
    o.bytes = o.exact;
    if (mode == 0) {
        at_hand = op;
        fdx_call by_base = o.call;
        fdx_operator base = *op;
        by_base.op = &base;
        base.isa = tables[1];
        if (op->isa != base.isa)
            o.of_base = draw_workspace(&by_base, &o.bytes_of_base);
        before_calls();
        check_results(run_operation, &o, op->isa, outputs, noutputs, ndim, lo, hi);
        return;
    }
    o.nparts = 1 + below(4);
    o.part = below((int)o.nparts);
    fdx_status status;
    if (wild) {
        before_calls();
        CALL(status, fdx_apply_part(&o.call, o.workspace, o.bytes, o.part, o.nparts));
        if (o.exact > 0 && status != FDX_OK)
            die("fdx_workspace_size tells a size for a wrong call", "");
        check_wild(status, outputs, noutputs, ndim, lo, hi);
        return;
    }
    ptrdiff_t low[FDX_MAXDIM], high[FDX_MAXDIM];
    memcpy(low, lo, sizeof *lo * (size_t)ndim);
    memcpy(high, hi, sizeof *hi * (size_t)ndim);
    const broken b = break_application(&o, below(108), low, high);
    if (b.what == NULL)
        return;
    before_calls();
    const slot *workspace = o.exact > 0 ? slot_at(o.workspace) : NULL;
    if (workspace != NULL)
        ((slot *)workspace)->scratch = 0; /* it must not change, either */
    ptrdiff_t told = -1;
    poison();
    status = fdx_apply_part(&o.call, o.workspace, o.bytes, o.part, o.nparts);
    if (b.status != FDX_E_PART && b.status != FDX_E_WORKSPACE && strstr(b.what, "workspace") == NULL)
        told = fdx_workspace_size(&o.call);
    unpoison();
    expect("fdx_apply_part", b, status);
    expect_unchanged(b.what);
    if (told > 0)
        die("fdx_workspace_size tells a size after", b.what);
    CALL(status, fdx_apply_part(NULL, o.workspace, o.bytes, 0, 1));
    expect("fdx_apply_part", (broken){"call = NULL", FDX_E_NULL, FDX_E_NULL}, status);
    if (fdx_workspace_size(NULL) != 0)
        die("fdx_workspace_size of nothing", "");
}

void operator_case(int mode)
{
    int usual;
    fdx_operator *op = draw_operator(NULL, &usual);
    if (mode == 2) {
        scramble_operator(op);
        if (op->ndim < 1 || op->ndim > FDX_MAXDIM)
            return;
        refit_factors(op);
    }
    apply(op, mode, usual);
}
