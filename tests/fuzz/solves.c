/* Solvers of operators along an axis, solves, and compact schemes: fdx_solver_size, fdx_solver_make,
 * fdx_solve_workspace_size, fdx_solve_apply, fdx_solve_apply_part, fdx_compact. */
#include <limits.h>
#include <string.h>

#include "fuzz.h"

/* The solver of an operator; NULL if it has none. */
static const fdx_solver *make_solver(const fdx_operator *op, int mode)
{
    static const fdx_solver *made;
    static fdx_pivot failed;
    size_t bytes;
    fdx_status status;
    CALL(bytes, fdx_solver_size(op));
    void *memory = allocate(bytes);
    made = NULL;
    failed.point = -1;
    before_calls();
    CALL(status, fdx_solver_make(memory, op, &made, chance(2) ? &failed : NULL));
    const int numbers = status == FDX_E_NODES || status == FDX_E_SINGULAR; /* on these it may have been written to */
    slot_at(memory)->scratch = status == FDX_OK || numbers;
    expect_unchanged("fdx_solver_make");
    slot_at(memory)->scratch = 0;
    if ((bytes > 0) != (status == FDX_OK || numbers))
        die("fdx_solver_size", fdx_status_message(status));
    if (status == FDX_OK ? (const void *)made != memory : made != NULL)
        die("*solver", "");
    if (failed.point < -1 || (failed.point >= 0 && (status != FDX_E_SINGULAR || failed.point >= op->in_shape[0])))
        die("the pivot that failed", "");
    const int square = op->in_shape != NULL && op->out_shape != NULL && op->in_shape[0] > 0 &&
                       op->in_shape[0] == op->out_shape[0] && op->ninputs == 1 && op->noutputs == 1;
    if (mode != 2)
        expect("fdx_solver_make",
               square ? (broken){NULL, FDX_OK, numbers ? status : FDX_OK} : (broken){NULL, FDX_E_SIZE, FDX_E_COUNT},
               status);
    return status == FDX_OK ? made : NULL;
}

typedef struct {
    fdx_solve call;
    const fdx_solver *by_base;
    const fdx_isa *isa; /* of the call's solver */
    void *workspace;
    ptrdiff_t exact, bytes, part, nparts;
} solving;

static broken break_solve(solving *s, int number)
{
    fdx_solve *call = &s->call;
    ptrdiff_t *shape = (ptrdiff_t *)call->shape;
    const int ndim = call->ndim, axis = call->axis, d = below(ndim), some = !is_empty(ndim, zeros, shape);
    BREAK(1, call->solver = NULL, FDX_E_NULL)
    BREAK(1, call->shape = NULL, FDX_E_NULL)
    BREAK(1, call->in.stride = NULL, FDX_E_NULL)
    BREAK(1, call->out.stride = NULL, FDX_E_NULL)
    BREAK(some, call->in.data = NULL, FDX_E_NULL)
    BREAK(some, call->out.data = NULL, FDX_E_NULL)
    BREAK(some, s->workspace = NULL, FDX_E_NULL)
    BREAK(1, call->ndim = 0, FDX_E_NDIM)
    BREAK(1, call->ndim = FDX_MAXDIM + 1, FDX_E_NDIM)
    BREAK(1, call->ndim = INT_MIN, FDX_E_NDIM)
    BREAK(1, call->axis = ndim, FDX_E_AXIS)
    BREAK(1, call->axis = -1, FDX_E_AXIS)
    BREAK(1, shape[d] = -1, FDX_E_SHAPE)
    BREAK(1, shape[d] = PTRDIFF_MIN, FDX_E_SHAPE)
    BREAK(1, shape[axis]++, FDX_E_SIZE)
    BREAK(1, shape[axis]--, FDX_E_SIZE)
    BREAK(1, shape[axis] = PTRDIFF_MAX, FDX_E_SIZE)
    BREAK(some && d != axis, shape[d] = PTRDIFF_MAX, FDX_E_SHAPE)
    BREAK(1, call->in.dtype = FDX_NDTYPES, FDX_E_DTYPE)
    BREAK(1, call->in.dtype = 0, FDX_E_DTYPE)
    BREAK(1, call->in.dtype = call->out.dtype == FDX_F32 ? FDX_C64 : FDX_F32, FDX_E_DTYPE)
    BREAK(1, call->out.dtype = FDX_I64, FDX_E_DTYPE)
    BREAK(1, call->out.dtype = 200, FDX_E_DTYPE)
    BREAK(some && shape[d] > 1, ((ptrdiff_t *)call->out.stride)[d] = 0, FDX_E_OVERLAP)
    BREAK(some && shape[d] > 1, ((ptrdiff_t *)call->out.stride)[d] = wild_stride(), FDX_E_SHAPE)
    BREAK(1, s->part = s->nparts, FDX_E_PART)
    BREAK(1, s->part = -1, FDX_E_PART)
    BREAK(1, s->nparts = 0, FDX_E_PART)
    BREAK(some && s->nparts == 1, s->bytes = s->exact - 1, FDX_E_WORKSPACE) /* parts may need less */
    BREAK(some, s->bytes = -1, FDX_E_WORKSPACE)
    ptrdiff_t begin = 0, bytes = some ? extent(&call->in, ndim, zeros, shape, &begin) : 0;
    const int itself = call->in.data == call->out.data;
    /* in another byte order, so that it is not in place */
    BREAK(some && !itself,
          (lay_over(&call->out, ndim, zeros, shape, (char *)call->in.data + begin, bytes),
           call->in.swapped = !call->out.swapped),
          FDX_E_OVERLAP)
    BREAK(some && itself, call->in.swapped = !call->in.swapped, FDX_E_OVERLAP)
    return nothing;
}

static fdx_status run_solve(void *of, const fdx_isa *isa, ptrdiff_t part, ptrdiff_t nparts)
{
    const solving *s = of;
    fdx_solve call = s->call;
    call.solver = isa == s->isa ? call.solver : s->by_base;
    return nparts == 1 ? fdx_solve_apply(&call, s->workspace, s->bytes)
                       : fdx_solve_apply_part(&call, s->workspace, s->bytes, part, nparts);
}

/* Factorise an operator, draw arrays, and solve. */
void solve(const fdx_operator *op, int mode)
{
    static const int kinds[] = {FDX_F64, FDX_F32, FDX_C64, FDX_C128};
    const fdx_solver *solver = make_solver(op, mode);
    if (solver == NULL)
        return;
    fdx_operator base = *op;
    base.isa = tables[1];
    solving s = {{0}, op->isa == base.isa ? solver : make_solver(&base, mode), op->isa, NULL, 0, 0, 0, 1 + below(4)};
    if (s.by_base == NULL)
        die("a solver by another table", "");
    const int ndim = 1 + below(4), axis = below(ndim), result = kinds[below(4)], wild = mode == 2, in_place = chance(4);
    ptrdiff_t least[FDX_MAXDIM] = {0}, *shape = keep_indices(ndim, NULL);
    const int no_empty = below(16) > 0;
    for (int d = 0; d < ndim; d++)
        least[d] = no_empty;
    draw_shape(ndim, shape, least);
    shape[axis] = op->in_shape[0];
    if (wild && chance(8))
        shape[below(ndim)] = below(3);
    array in, out;
    draw_array(&out, ndim, shape, zeros, shape, wild && chance(8) ? below(16) : result, IS_WRITTEN);
    if (in_place)
        in = out;
    else
        draw_array(&in, ndim, shape, zeros, shape,
                   wild && chance(8)                ? below(16)
                   : result == FDX_F64 && chance(3) ? draw_dtype(FDX_F32)
                                                    : result,
                   IS_READ);
    if (wild && chance(4))
        spoil_stride(below(2) ? &in : &out, ndim, NULL, NULL);
    double *alpha_beta = keep(2 * sizeof *alpha_beta);
    alpha_beta[0] = below(4) ? ordinary() : draw_spacing();
    alpha_beta[1] = below(4) ? below(3) - 1 : draw_spacing();
    s.call = (fdx_solve){solver, ndim, shape, axis, in.a, out.a, chance(3) ? alpha_beta : NULL};
    CALL(s.exact, fdx_solve_workspace_size(&s.call));
    if (s.exact < 0)
        die("fdx_solve_workspace_size is negative", "");
    s.bytes = s.exact;
    slot *workspace = s.exact > 0 ? take((size_t)s.exact, 1) : NULL;
    s.workspace = workspace == NULL ? NULL : workspace->used;
    if (workspace != NULL)
        workspace->scratch = 1;
    fdx_status status;
    s.part = below((int)s.nparts);
    if (wild) {
        before_calls();
        CALL(status, fdx_solve_apply_part(&s.call, s.workspace, s.bytes, s.part, s.nparts));
        if (s.exact > 0 && status != FDX_OK)
            die("fdx_solve_workspace_size tells a size for a wrong call", "");
        check_wild(status, &out, 1, ndim, zeros, shape);
        return;
    }
    before_calls();
    CALL(status, fdx_solve_apply_part(&s.call, s.workspace, s.bytes, 0, PTRDIFF_MAX));
    if (status == FDX_E_DTYPE && (result == FDX_F32 || result == FDX_C64)) /* numbers that only double has */
        return;
    if (out.in != NULL)
        memcpy(out.in->begin, out.in->copy, out.in->bytes);
    if (mode == 0) {
        check_results(run_solve, &s, s.isa, &out, 1, ndim, zeros, shape);
        return;
    }
    const broken b = break_solve(&s, below(33));
    if (b.what == NULL)
        return;
    before_calls();
    if (workspace != NULL)
        workspace->scratch = 0; /* it must not change, either */
    ptrdiff_t told = 0;
    poison();
    status = fdx_solve_apply_part(&s.call, s.workspace, s.bytes, s.part, s.nparts);
    if (b.status != FDX_E_PART && b.status != FDX_E_WORKSPACE && strstr(b.what, "workspace") == NULL)
        told = fdx_solve_workspace_size(&s.call);
    unpoison();
    expect("fdx_solve_apply_part", b, status);
    expect_unchanged(b.what);
    if (told > 0)
        die("fdx_solve_workspace_size tells a size after", b.what);
}

/* Sums of products of bands filled in by hand. */
void solve_case(int mode)
{
    enum { MOST = 3 };
    static const fdx_operator none;
    const ptrdiff_t n = 1 + below(chance(8) ? 200 : 24);
    const int nchains = 1 + below(MOST);
    const usual_rows as = {below(2) ? FDX_SUM_SYMMETRIC : FDX_SUM_ANTISYMMETRIC, below(3)};
    fdx_chain *chain = keep((size_t)nchains * sizeof *chain);
    for (int k = 0; k < nchains; k++) {
        const int nstages = 1 + below(chance(8) ? 6 : 3);
        fdx_stage *stage = keep((size_t)nstages * sizeof *stage);
        ptrdiff_t rows = n;
        int used = 0;
        while (used < nstages) {
            fdx_stage *one = &stage[used++];
            if (rows > 0 && below(4))
                one->band = draw_band(rows, &as);
            rows = one->band != NULL ? one->band->rows : rows;
            if (chance(3))
                one->coefficient = draw_factor(1, &rows);
            one->sign = below(3) - 1;
        }
        if (rows < n) { /* the identity instead */
            stage[0] = (fdx_stage){0, NULL, draw_factor(1, &n), 0};
            used = 1;
            rows = n;
        }
        ptrdiff_t *shift = keep_indices(1, NULL);
        *shift = below((int)(rows - n) + 1);
        chain[k] = (fdx_chain){0, 0, used, stage, shift};
    }
    fdx_operator *op = keep(sizeof *op);
    *op = none;
    op->ndim = op->ninputs = op->noutputs = 1;
    op->in_shape = keep_indices(1, &n);
    op->out_shape = keep_indices(1, &n);
    op->nchains = nchains;
    op->chain = chain;
    op->isa = tables[below(ntables)];
    fdx_scheme a, b;
    const int deriv = wild_int(), accuracy = wild_int(),
              has_one = (deriv == 1 || deriv == 2) && accuracy >= 4 && accuracy <= 10 && accuracy % 2 == 0;
    expect("fdx_compact", (broken){NULL, has_one ? FDX_OK : FDX_E_STENCIL, has_one ? FDX_OK : FDX_E_STENCIL},
           fdx_compact(deriv, accuracy, &a, &b));
    if (mode == 2) {
        scramble_operator(op);
        if (op->ndim < 1 || op->ndim > FDX_MAXDIM)
            return;
        refit_factors(op);
    }
    at_hand = mode == 2 ? NULL : op;
    solve(op, mode);
}
