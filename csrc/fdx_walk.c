/* The walk over arrays: blocks in order, and what is added to outputs. */
#include "fdx_walk.h"

int fdx_sort_dimensions(int ndim, const ptrdiff_t *stride, uint64_t which, int *order)
{
    int count = 0;
    for (int d = 0; d < ndim; d++) {
        if (!(which >> d & 1))
            continue;
        const size_t size = fdx_distance(stride[d]);
        int at = count++;
        for (; at > 0 && fdx_distance(stride[order[at - 1]]) < size; at--)
            order[at] = order[at - 1];
        order[at] = d;
    }
    return count;
}

/* ---- blocks ---- */

int fdx_add_steps(fdx_blocks *blocks, int dimension, ptrdiff_t n, ptrdiff_t step)
{
    const ptrdiff_t count = n / step + (n % step != 0);
    if (!fdx_product_fits((size_t)blocks->count, (size_t)count, PTRDIFF_MAX))
        return 0;
    if (count > 1)
        blocks->level[blocks->levels++] = (fdx_level){dimension, count, step};
    blocks->count *= count;
    return 1;
}

void fdx_first_block(const fdx_blocks *blocks, int ndim, ptrdiff_t part, ptrdiff_t nparts, fdx_cursor *at)
{
    const ptrdiff_t share = nparts == 1 ? blocks->count : blocks->count / nparts,
                    extra = blocks->count - nparts * share;
    ptrdiff_t number = part * share + MIN(part, extra);
    at->left = share + (part < extra);
    for (int d = 0; d < ndim; d++)
        at->lo[d] = 0;
    for (int k = blocks->levels - 1; k >= 0; k--) {
        const fdx_level *level = &blocks->level[k];
        at->index[k] = number % level->count;
        at->lo[level->dimension] += at->index[k] * level->step;
        number /= level->count;
    }
}

int fdx_next_block(const fdx_blocks *blocks, fdx_cursor *at)
{
    if (--at->left <= 0)
        return 0;
    for (int k = blocks->levels - 1; k >= 0; k--) {
        const fdx_level *level = &blocks->level[k];
        at->lo[level->dimension] += level->step;
        if (++at->index[k] < level->count)
            break;
        at->lo[level->dimension] -= level->count * level->step;
        at->index[k] = 0;
    }
    return 1;
}

/* ---- results that are added to outputs ---- */

void fdx_fill_row(void *row, double number, int single, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        if (single)
            ((float *)row)[i] = (float)number;
        else
            ((double *)row)[i] = number;
}

void fdx_add_row(const fdx_isa *isa, int dtype, int swapped, int in_place, char *y, ptrdiff_t step, const void *x,
                 const double *alpha_beta, ptrdiff_t n, void *row)
{
    void *sum = in_place ? (void *)y : row;
    if (!in_place && alpha_beta[1] != 0)
        isa->gather[dtype][swapped](sum, y, step, n);
    isa->sums[!fdx_is_single(dtype)].add_scaled(sum, x, dtype >= FDX_C64 ? 2 * n : n, alpha_beta);
    if (!in_place)
        isa->scatter[dtype - FDX_F32][swapped](y, step, sum, n);
}
