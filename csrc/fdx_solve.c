/* Solves along an axis: tiles of lines, which are side by side in the workspace while they are solved.
 *
 * There each row has what lines have at one point, so that a step of the substitution is a sum of rows. Tiles are as
 * wide as the cache allows. Lines along memory are transposed to such a tile, and back. */
#include "fdx_solver.h"

/* Tests set these limits from outside, to reach with small arrays the code for large ones. */
#ifndef TILE_BYTES
#define TILE_BYTES ((ptrdiff_t)512 << 10) /* of the L2 cache, that a tile may take */
#define MAX_TILE_LINES ((ptrdiff_t)512)
#define MIN_TILE_LINES ((ptrdiff_t)16) /* of long lines; even */
#define MAX_TRANSPOSED ((ptrdiff_t)64) /* lines along memory in a tile */
#endif

enum { INNER, NEXT, KINDS }; /* the two dimensions across lines that a tile may extend over */

typedef struct {
    ptrdiff_t n, in, out; /* length, and strides in bytes */
} dimension;

/* The plan of a call. */
typedef struct {
    const fdx_solve *call;
    const fdx_sums *sums;
    int dtype, parts;   /* of elements of the tile, and of a point */
    ptrdiff_t itemsize; /* bytes of a point of the tile */
    int ndim;           /* dimensions across lines, slowest first */
    dimension d[FDX_MAXDIM];
    dimension axis;
    int by_transposing_in, by_transposing_out;
    ptrdiff_t tile[KINDS]; /* lines of a tile along the last dimension, and the one before it */
    ptrdiff_t row;         /* bytes of a row of the tile */
    fdx_blocks blocks;
    fdx_level level[FDX_MAXDIM];
} solve_plan;

/* ---- plan ---- */

static int is_itself(const fdx_solve *call)
{
    if (call->in.data != call->out.data || call->in.dtype != call->out.dtype || call->in.swapped != call->out.swapped)
        return 0;
    for (int d = 0; d < call->ndim; d++)
        if (call->shape[d] > 1 && call->in.stride[d] != call->out.stride[d])
            return 0;
    return 1;
}

static fdx_status check(const fdx_solve *call, int *empty)
{
    if (call == NULL || call->solver == NULL || call->shape == NULL || call->in.stride == NULL ||
        call->out.stride == NULL)
        return FDX_E_NULL;
    if (call->ndim < 1 || call->ndim > FDX_MAXDIM)
        return FDX_E_NDIM;
    if (call->axis < 0 || call->axis >= call->ndim)
        return FDX_E_AXIS;
    *empty = 0;
    for (int d = 0; d < call->ndim; d++) {
        if (call->shape[d] < 0)
            return FDX_E_SHAPE;
        *empty |= call->shape[d] == 0;
    }
    if (call->shape[call->axis] != call->solver->n)
        return FDX_E_SIZE;
    if (itemsize_of(call->in.dtype) == 0 || call->out.dtype < FDX_F32 ||
        result_dtype_of(call->in.dtype) != call->out.dtype ||
        (call->solver->double_only && fdx_is_single(call->out.dtype)))
        return FDX_E_DTYPE;
    if (*empty)
        return FDX_OK;
    if (call->in.data == NULL || call->out.data == NULL)
        return FDX_E_NULL;
    ptrdiff_t lo[FDX_MAXDIM] = {0};
    fdx_extent written;
    const fdx_status status = fdx_check_output(&call->out, call->ndim, lo, call->shape, &written);
    if (status != FDX_OK || is_itself(call))
        return status;
    return fdx_check_read(&call->in, call->ndim, call->shape, &written, &call->out, call->ndim);
}

/* Is a stride n others? Modulo the address space, as n of them need not fit into memory, of which n - 1 do. */
static int follow(ptrdiff_t stride, ptrdiff_t n, ptrdiff_t other)
{
    return (size_t)stride == (size_t)n * (size_t)other;
}

/* Sort the dimensions across lines, and join those that are contiguous together. */
static void order_dimensions(solve_plan *p)
{
    const fdx_solve *call = p->call;
    int order[FDX_MAXDIM];
    uint64_t across = 0;
    for (int d = 0; d < call->ndim; d++)
        if (d != call->axis && call->shape[d] > 1)
            across |= (uint64_t)1 << d;
    const int count = fdx_sort_dimensions(call->ndim, call->out.stride, across, order);
    p->ndim = 0;
    for (int k = 0; k < count; k++) {
        const dimension here = {call->shape[order[k]], call->in.stride[order[k]], call->out.stride[order[k]]};
        dimension *last = p->ndim > 0 ? &p->d[p->ndim - 1] : NULL;
        if (last != NULL && follow(last->in, here.n, here.in) && follow(last->out, here.n, here.out))
            *last = (dimension){last->n * here.n, here.in, here.out};
        else
            p->d[p->ndim++] = here;
    }
    if (p->ndim == 0)
        p->d[p->ndim++] = (dimension){1, p->itemsize, p->itemsize};
    p->axis = (dimension){call->shape[call->axis], call->in.stride[call->axis], call->out.stride[call->axis]};
}

static int is_along_memory(const solve_plan *p, const fdx_array *a, ptrdiff_t along, ptrdiff_t across)
{
    return a->dtype == p->call->out.dtype && !a->swapped && along == p->itemsize &&
           (across != p->itemsize || p->d[p->ndim - 1].n == 1);
}

static void plan(solve_plan *p, const fdx_solve *call, ptrdiff_t nparts)
{
    const fdx_isa *isa = call->solver->isa;
    p->call = call;
    p->dtype = call->out.dtype;
    p->parts = p->dtype >= FDX_C64 ? 2 : 1;
    p->sums = &isa->sums[!fdx_is_single(p->dtype)];
    p->itemsize = itemsize_of(p->dtype);
    order_dimensions(p);
    const dimension *inner = &p->d[p->ndim - 1];
    p->by_transposing_in = is_along_memory(p, &call->in, p->axis.in, inner->in);
    p->by_transposing_out = call->alpha_beta == NULL && is_along_memory(p, &call->out, p->axis.out, inner->out);
    ptrdiff_t lines = 1;
    for (int d = 0; d < p->ndim; d++)
        lines *= p->d[d].n;
    const ptrdiff_t least = MIN_TILE_LINES / p->parts,
                    share = nparts == 1 ? lines : (lines / nparts + least) / least * least,
                    most = p->by_transposing_in || p->by_transposing_out ? MAX_TRANSPOSED : MAX_TILE_LINES,
                    fit = TILE_BYTES / p->itemsize / p->axis.n / least * least,
                    wanted = MIN(MIN(share, most / p->parts), MAX(least, fit));
    p->tile[INNER] = MIN(wanted, inner->n);
    p->tile[NEXT] = p->ndim > 1 && p->tile[INNER] == inner->n ? MIN(wanted / inner->n, inner[-1].n) : 1;
    p->row = p->tile[INNER] * p->tile[NEXT] * p->itemsize;
    p->row = p->row < FDX_CACHE_LINE ? p->row : aligned(p->row);
    p->blocks = (fdx_blocks){0, p->level, 1};
    for (int d = 0; d < p->ndim; d++) /* no more than there are lines: it fits */
        fdx_add_level(&p->blocks, d, p->d[d].n,
                      d == p->ndim - 1   ? p->tile[INNER]
                      : d == p->ndim - 2 ? p->tile[NEXT]
                                         : 1);
}

/* The tile, and a row for results that are added to outputs. */
static ptrdiff_t workspace_bytes(const solve_plan *p)
{
    return p->row > PTRDIFF_MAX / 2 / (p->axis.n + 1) ? 0 : p->row * (p->axis.n + 1) + FDX_CACHE_LINE;
}

/* ---- lines into the tile, and back ---- */

/* Points of a folded axis, which are in every other row of the tile, or all of them. */
typedef struct {
    ptrdiff_t point, n;
    char *row; /* the first one's */
    ptrdiff_t step;
} points;

static points points_of(const solve_plan *p, char *tile, int second)
{
    const fdx_solver *s = p->call->solver;
    const ptrdiff_t n = s->n, first = s->folded ? half_of(n) : n;
    const ptrdiff_t step = s->folded ? 2 * p->row : p->row;
    if (!second)
        return (points){0, first, tile, step};
    return (points){first, n - first, tile + (first < n ? place_of(s, first) : 0) * p->row, -step};
}

/* n lines along the inner dimension, at `column` of the tile. */
static void read_lines(const solve_plan *p, const points *of, ptrdiff_t column, const char *in, ptrdiff_t n)
{
    const fdx_array *a = &p->call->in;
    const ptrdiff_t step = p->d[p->ndim - 1].in;
    char *row = of->row + column * p->itemsize;
    in = fdx_at(in, of->point, p->axis.in);
    if (p->by_transposing_in) {
        p->sums->transpose(row, of->step, in, step, n, of->n, p->parts, FDX_SET);
        return;
    }
    fdx_gather_fn *gather = p->call->solver->isa->gather[a->dtype][a->swapped != 0];
    for (ptrdiff_t k = 0; k < of->n; k++, row += of->step, in = fdx_at(in, 1, p->axis.in))
        gather(row, in, step, n);
}

static void write_lines(const solve_plan *p, const points *of, ptrdiff_t column, char *out, ptrdiff_t n, char *spare)
{
    const fdx_array *a = &p->call->out;
    const fdx_isa *isa = p->call->solver->isa;
    const ptrdiff_t step = p->d[p->ndim - 1].out;
    const char *row = of->row + column * p->itemsize;
    const int swapped = a->swapped != 0,
              in_place = step == p->itemsize && fdx_is_native(a, p->call->ndim, p->call->shape);
    out = fdx_at(out, of->point, p->axis.out);
    if (p->by_transposing_out) {
        p->sums->transpose(out, step, row, of->step, of->n, n, p->parts, FDX_SET);
        return;
    }
    fdx_scatter_fn *scatter = isa->scatter[a->dtype - FDX_F32][swapped];
    for (ptrdiff_t k = 0; k < of->n; k++, row += of->step, out = fdx_at(out, 1, p->axis.out)) {
        if (p->call->alpha_beta != NULL)
            fdx_add_row(isa, a->dtype, swapped, in_place, out, step, row, p->call->alpha_beta, n, spare);
        else
            scatter(out, step, row, n);
    }
}

/* ---- substitution, in n numbers of each row ---- */

/* Rows from p on, as many as have the same outline: up to `end`, which is before p if they are in falling order. */
static ptrdiff_t alike(const fdx_solver *s, const int *outline, ptrdiff_t p, ptrdiff_t end)
{
    const ptrdiff_t by = p < end ? 1 : -1, step = p + by == end ? 0 : s->diagonal[p + by] - s->diagonal[p];
    ptrdiff_t n = 1;
    while (p + n * by != end && outline[p + n * by] == outline[p] &&
           s->diagonal[p + n * by] - s->diagonal[p + (n - 1) * by] == step)
        n++;
    return n;
}

void fdx_substitute_forwards(const fdx_solver *s, const fdx_sums *sums, char *tile, ptrdiff_t row, ptrdiff_t n)
{
    if (s->exchanges) {
        const fdx_exchanges of = {n, row, s->n, s->w, s->diagonal, s->exchange, s->reach, s->lower};
        sums->exchange_and_add(tile, &of);
        return;
    }
    fdx_substitution by = {.n = n, .row = row, .w_step = -1};
    for (ptrdiff_t r = 0; r < s->n; r += by.rows) {
        by.rows = alike(s, s->lower, r, s->n);
        by.K = s->lower[r];
        by.w_row = by.rows > 1 ? s->diagonal[r + 1] - s->diagonal[r] : 0;
        if (by.K > 0)
            sums->substitute(tile + r * row, s->w + s->diagonal[r], &by);
    }
}

void fdx_substitute_backwards(const fdx_solver *s, const fdx_sums *sums, char *tile, ptrdiff_t row, ptrdiff_t n)
{
    fdx_substitution by = {.n = n, .row = -row, .w_step = 1, .scales = 1};
    for (ptrdiff_t r = s->n - 1; r >= 0; r -= by.rows) {
        by.rows = alike(s, s->upper, r, -1);
        by.K = s->upper[r];
        by.w_row = by.rows > 1 ? s->diagonal[r - 1] - s->diagonal[r] : 0;
        sums->substitute(tile + r * row, s->w + s->diagonal[r], &by);
    }
}

/* ---- the walk ---- */

/* The tile of lines from indices lo on. */
static void solve_tile(const solve_plan *p, const ptrdiff_t *lo, char *tile)
{
    const int inner = p->ndim - 1;
    const ptrdiff_t n = MIN(p->tile[INNER], p->d[inner].n - lo[inner]),
                    more = inner > 0 ? MIN(p->tile[NEXT], p->d[inner - 1].n - lo[inner - 1]) : 1;
    const dimension next = inner > 0 ? p->d[inner - 1] : (dimension){1, 0, 0};
    const char *in = (const char *)p->call->in.data;
    char *out = (char *)p->call->out.data, *spare = tile + p->axis.n * p->row;
    for (int d = 0; d < p->ndim; d++) {
        in = fdx_at(in, lo[d], p->d[d].in);
        out = fdx_at(out, lo[d], p->d[d].out);
    }
    for (int half = 0; half < 2; half++) {
        const points of = points_of(p, tile, half);
        for (ptrdiff_t k = 0; k < more && of.n > 0; k++)
            read_lines(p, &of, k * n, fdx_at(in, k, next.in), n);
    }
    fdx_substitute_forwards(p->call->solver, p->sums, tile, p->row, n * more * p->parts);
    fdx_substitute_backwards(p->call->solver, p->sums, tile, p->row, n * more * p->parts);
    for (int half = 0; half < 2; half++) {
        const points of = points_of(p, tile, half);
        for (ptrdiff_t k = 0; k < more && of.n > 0; k++)
            write_lines(p, &of, k * n, fdx_at(out, k, next.out), n, spare);
    }
}

ptrdiff_t fdx_solve_workspace_size(const fdx_solve *call)
{
    int empty;
    if (check(call, &empty) != FDX_OK || empty)
        return 0;
    solve_plan p;
    plan(&p, call, 1);
    return workspace_bytes(&p);
}

fdx_status fdx_solve_apply_part(const fdx_solve *call, void *workspace, ptrdiff_t bytes, ptrdiff_t part,
                                ptrdiff_t nparts)
{
    int empty;
    const fdx_status status = check(call, &empty);
    if (status != FDX_OK)
        return status;
    if (nparts < 1 || part < 0 || part >= nparts)
        return FDX_E_PART;
    if (empty)
        return FDX_OK;
    solve_plan p;
    plan(&p, call, nparts);
    const ptrdiff_t needed = workspace_bytes(&p);
    if (needed == 0)
        return FDX_E_SIZE;
    if (needed > bytes)
        return FDX_E_WORKSPACE;
    if (workspace == NULL)
        return FDX_E_NULL;
    char *tile = (char *)workspace + -(uintptr_t)workspace % (uintptr_t)FDX_CACHE_LINE;
    ptrdiff_t index[FDX_MAXDIM], lo[FDX_MAXDIM];
    fdx_cursor at = {index, lo, 0};
    fdx_first_block(&p.blocks, p.ndim, part, nparts, &at);
    if (at.left == 0)
        return FDX_OK;
    do
        solve_tile(&p, lo, tile);
    while (fdx_next_block(&p.blocks, &at));
    return FDX_OK;
}

fdx_status fdx_solve_apply(const fdx_solve *call, void *workspace, ptrdiff_t bytes)
{
    return fdx_solve_apply_part(call, workspace, bytes, 0, 1);
}
