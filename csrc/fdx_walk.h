/* The walk over arrays: the order of dimensions, blocks and parts; outputs, what is allowed of them and how results are
 * added to them. np.gradient's arithmetic and operators choose their own blocks, but go over them in the same way. */
#ifndef FDX_WALK_H
#define FDX_WALK_H

#include "fdx_layout.h"
#include "fdx_rows.h"

/* Tests set such limits from outside, to reach with small arrays the code for large ones. */
#ifndef STREAM_MIN_BYTES
/* Larger outputs will not stay in cache until they are read: they are written by non-temporal stores. */
#define STREAM_MIN_BYTES ((ptrdiff_t)48 << 20)
/* Bytes that follow each other: where they end within a cache line, that takes as long as some thousand bytes. */
#define STREAM_MIN_RUN ((ptrdiff_t)8 << 10)
#endif
#define PREFETCH_BYTES ((ptrdiff_t)4096) /* prefetch distance */

/* Steps along a dimension, of `step` elements each. */
typedef struct {
    int dimension;
    ptrdiff_t count, step;
} fdx_level;

/* The blocks of a walk: `levels` nested loops from the slowest to the fastest. Their number may include blocks that
 * begin past the end of a dimension, of a last tile that is shorter than the others. */
typedef struct {
    int levels;
    fdx_level *level;
    ptrdiff_t count;
} fdx_blocks;

/* Where a walk is. */
typedef struct {
    ptrdiff_t *index; /* of each level */
    ptrdiff_t *lo;    /* the first element of the block along each dimension */
    ptrdiff_t left;   /* blocks of this part, the current one included */
} fdx_cursor;

/* Sort the dimensions among the bits of `which` by falling stride, stably. Returns their number. */
int fdx_sort_dimensions(int ndim, const ptrdiff_t *stride, uint64_t which, int *order);

/* Add a loop inside the others: over n elements of a dimension, `step` at a time. Returns 0 if there are more than
 * PTRDIFF_MAX blocks then. Most calls are small, and have one step. */
int fdx_add_steps(fdx_blocks *blocks, int dimension, ptrdiff_t n, ptrdiff_t step);
static inline int fdx_add_level(fdx_blocks *blocks, int dimension, ptrdiff_t n, ptrdiff_t step)
{
    return (n > 0 && n <= step) || fdx_add_steps(blocks, dimension, n, step);
}

/* Go to the first block of a part; at->left is 0 if it has none. */
void fdx_first_block(const fdx_blocks *blocks, int ndim, ptrdiff_t part, ptrdiff_t nparts, fdx_cursor *at);

/* Go to the next block; returns 0 if there is none. */
int fdx_next_block(const fdx_blocks *blocks, fdx_cursor *at);

/* An output must fit into memory and not overlap itself, in n[d] >= 1 results along each dimension from index lo on:
 * they are far enough apart along each, and no more than fit into its extent, *written. */
static inline fdx_status fdx_check_output(const fdx_array *out, int ndim, const ptrdiff_t *lo, const ptrdiff_t *n,
                                          fdx_extent *written)
{
    const fdx_array box = fdx_view_from(out, ndim, lo);
    const size_t itemsize = (size_t)itemsize_of(out->dtype);
    size_t bytes = itemsize;
    int apart = 1;
    if (!fdx_find_extent(&box, ndim, n, written))
        return FDX_E_SHAPE;
    for (int d = 0; d < ndim; d++) {
        apart &= (n[d] == 1 || fdx_distance(box.stride[d]) >= itemsize) &&
                 fdx_product_fits(bytes, (size_t)n[d], written->hi - written->lo);
        bytes *= (size_t)n[d];
    }
    return apart ? FDX_OK : FDX_E_OVERLAP;
}

/* What is read, n[d] elements along each dimension, must fit into memory and share none with an output. */
static inline fdx_status fdx_check_read(const fdx_array *a, int ndim, const ptrdiff_t *n, const fdx_extent *written,
                                        const fdx_array *out, int ndim_of_out)
{
    fdx_extent read;
    if (!fdx_find_extent(a, ndim, n, &read))
        return FDX_E_SHAPE;
    return fdx_overlap(written, &read) && !fdx_alternate(a, ndim, out, ndim_of_out) ? FDX_E_OVERLAP : FDX_OK;
}

/* A row of n numbers, single or double. */
void fdx_fill_row(void *row, double number, int single, ptrdiff_t n);

/* y = alpha x + beta y, for n elements of dtype `dtype` that are `step` bytes apart; x is contiguous. `row`: memory for
 * n elements, unless y is contiguous, aligned and native (`in_place`). */
void fdx_add_row(const fdx_isa *isa, int dtype, int swapped, int in_place, char *y, ptrdiff_t step, const void *x,
                 const double *alpha_beta, ptrdiff_t n, void *row);

#endif
