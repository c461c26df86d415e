/* Sizes of elements, and where arrays lie in memory. */
#ifndef FDX_LAYOUT_H
#define FDX_LAYOUT_H

#include "fdx.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* How far a stride reaches; there is a negative one that has no positive counterpart. */
static inline size_t fdx_distance(ptrdiff_t stride)
{
    return stride < 0 ? 0 - (size_t)stride : (size_t)stride;
}

/* Is a b <= most? Nearly always both have half of the bits at most, and there is no need to divide. */
static inline int fdx_product_fits(size_t a, size_t b, size_t most)
{
    return ((a | b) >> (sizeof(size_t) * 4 - 1)) == 0 ? a * b <= most : b == 0 || a <= most / b;
}

/* fdx_itemsize and fdx_result_dtype, which small calls ask often. */
static inline ptrdiff_t itemsize_of(int dtype)
{
    static const uint8_t sizes[FDX_NDTYPES] = {0, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 8, 16};
    return dtype >= 0 && dtype < FDX_NDTYPES ? sizes[dtype] : 0;
}

static inline int result_dtype_of(int dtype)
{
    return dtype < FDX_F32 ? FDX_F64 : dtype;
}

static inline int is_real(int dtype)
{
    return dtype >= FDX_I8 && dtype <= FDX_F64;
}

/* Are elements of an output, of n[d] along each dimension, far enough apart along each not to overlap? */
static inline int fdx_is_spread(const fdx_array *a, int ndim, const ptrdiff_t *n)
{
    const ptrdiff_t itemsize = itemsize_of(a->dtype);
    for (int d = 0; d < ndim; d++)
        if (n[d] > 1 && a->stride[d] < itemsize && a->stride[d] > -itemsize)
            return 0;
    return 1;
}

/* The bytes an array spans, as addresses: [lo, hi). */
static inline void fdx_extent(const fdx_array *a, int ndim, const ptrdiff_t *shape, uintptr_t *lo, uintptr_t *hi)
{
    *lo = *hi = (uintptr_t)a->data;
    for (int d = 0; d < ndim; d++) {
        const ptrdiff_t reach = (shape[d] - 1) * a->stride[d];
        if (reach < 0)
            *lo += (uintptr_t)reach; /* modular arithmetic: this subtracts */
        else
            *hi += (uintptr_t)reach;
    }
    *hi += (uintptr_t)itemsize_of(a->dtype);
}

static inline int fdx_overlap(const fdx_array *a, int ndim_a, const ptrdiff_t *shape_a, const fdx_array *b, int ndim_b,
                              const ptrdiff_t *shape_b)
{
    uintptr_t lo_a, hi_a, lo_b, hi_b;
    fdx_extent(a, ndim_a, shape_a, &lo_a, &hi_a);
    fdx_extent(b, ndim_b, shape_b, &lo_b, &hi_b);
    return lo_a < hi_b && lo_b < hi_a;
}

/* lo[d] and hi[d] are the corners of a box in an array, or both NULL. */
static inline int fdx_is_box(const ptrdiff_t *lo, const ptrdiff_t *hi, int ndim, const ptrdiff_t *shape)
{
    if (lo == NULL || hi == NULL)
        return lo == hi;
    for (int d = 0; d < ndim; d++)
        if (lo[d] < 0 || hi[d] < lo[d] || hi[d] > shape[d])
            return 0;
    return 1;
}

/* The part of an array from lo on; the array's own beginning need not exist. */
static inline fdx_array fdx_part_from(const fdx_array *a, int ndim, const ptrdiff_t *lo)
{
    fdx_array part = *a;
    uintptr_t at = (uintptr_t)a->data;
    for (int d = 0; d < ndim && lo != NULL; d++)
        at += (uintptr_t)lo[d] * (uintptr_t)a->stride[d];
    part.data = (void *)at;
    return part;
}

/* In native byte order and aligned; along dimensions of any length, if there is no shape. */
static inline int fdx_is_native(const fdx_array *a, int ndim, const ptrdiff_t *shape)
{
    const ptrdiff_t itemsize = itemsize_of(a->dtype);
    const uintptr_t part = (uintptr_t)(a->dtype < FDX_C64 ? itemsize : itemsize / 2);
    uintptr_t bits = (uintptr_t)a->data;
    for (int d = 0; d < ndim; d++)
        if (shape == NULL || shape[d] > 1)
            bits |= (uintptr_t)a->stride[d];
    return !a->swapped && (bits & (part - 1)) == 0;
}

#endif
