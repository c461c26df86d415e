/* Sizes of elements, and extents of arrays in memory. */
#ifndef FDX_LAYOUT_H
#define FDX_LAYOUT_H

#include "fdx.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* The dtypes: DO(their name, fdx_dtype, the C type of a part, its bits, parts), a complex number having two. */
#define FDX_INTEGERS(DO)                                                                                               \
    DO(i8, FDX_I8, int8_t, 8, 1)                                                                                       \
    DO(u8, FDX_U8, uint8_t, 8, 1)                                                                                      \
    DO(i16, FDX_I16, int16_t, 16, 1)                                                                                   \
    DO(u16, FDX_U16, uint16_t, 16, 1)                                                                                  \
    DO(i32, FDX_I32, int32_t, 32, 1)                                                                                   \
    DO(u32, FDX_U32, uint32_t, 32, 1)                                                                                  \
    DO(i64, FDX_I64, int64_t, 64, 1)                                                                                   \
    DO(u64, FDX_U64, uint64_t, 64, 1)
#define FDX_FLOATS(DO)                                                                                                 \
    DO(f32, FDX_F32, float, 32, 1)                                                                                     \
    DO(f64, FDX_F64, double, 64, 1)                                                                                    \
    DO(c64, FDX_C64, float, 32, 2)                                                                                     \
    DO(c128, FDX_C128, double, 64, 2)
#define FDX_DTYPES(DO) FDX_INTEGERS(DO) FDX_FLOATS(DO)

/* |stride|, also of PTRDIFF_MIN. */
static inline size_t fdx_distance(ptrdiff_t stride)
{
    return stride < 0 ? 0 - (size_t)stride : (size_t)stride;
}

/* Is a b <= most? Both nearly always have at most half of the bits, which needs no division. */
static inline int fdx_product_fits(size_t a, size_t b, size_t most)
{
    return ((a | b) >> (sizeof(size_t) * 4 - 1)) == 0 ? a * b <= most : b == 0 || a <= most / b;
}

/* fdx_itemsize and fdx_result_dtype, inline for small calls. */
static inline ptrdiff_t itemsize_of(int dtype)
{
#define FDX_SIZE(name, dtype, part, bits, parts) [dtype] = (bits) / 8 * (parts),
    static const uint8_t sizes[FDX_NDTYPES] = {FDX_DTYPES(FDX_SIZE)};
#undef FDX_SIZE
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

/* The address `index` strides from p. Computed modulo the address space, as it need not be inside the array: an array
 * of which only a box exists may begin anywhere, and prefetches go past the last element. */
static inline char *fdx_at(const void *p, ptrdiff_t index, ptrdiff_t stride)
{
    return (char *)((uintptr_t)p + (uintptr_t)index * (uintptr_t)stride);
}

/* The bytes lo .. hi - 1 of memory. */
typedef struct {
    uintptr_t lo, hi;
} fdx_extent;

/* The extent of an array with n[d] >= 1 elements along each dimension. Returns 0 if it does not fit into memory; if it
 * does, neither the number of its elements nor any offset in it overflows. */
static inline int fdx_find_extent(const fdx_array *a, int ndim, const ptrdiff_t *n, fdx_extent *e)
{
    size_t bytes = (size_t)itemsize_of(a->dtype), before = 0;
    for (int d = 0; d < ndim; d++) {
        const size_t steps = (size_t)n[d] - 1, stride = fdx_distance(a->stride[d]);
        if (!fdx_product_fits(steps, stride, PTRDIFF_MAX - bytes))
            return 0;
        bytes += steps * stride;
        before += a->stride[d] < 0 ? steps * stride : 0;
    }
    e->lo = (uintptr_t)a->data - before;
    e->hi = e->lo + bytes;
    return e->lo < e->hi;
}

static inline int fdx_overlap(const fdx_extent *a, const fdx_extent *b)
{
    return a->lo < b->hi && b->lo < a->hi;
}

/* Do elements of two arrays only alternate, as members of structs do, if their extents overlap? Each has all its
 * elements at one place in periods of the greatest common divisor of all strides; these places are apart. */
static inline int fdx_alternate(const fdx_array *a, int ndim_of_a, const fdx_array *b, int ndim_of_b)
{
    size_t period = 0;
    for (int d = 0; d < ndim_of_a + ndim_of_b; d++) {
        size_t other = fdx_distance(d < ndim_of_a ? a->stride[d] : b->stride[d - ndim_of_a]);
        while (other != 0) {
            const size_t rest = period % other;
            period = other;
            other = rest;
        }
    }
    if (period == 0)
        return 0;
    const uintptr_t at = (uintptr_t)a->data, to = (uintptr_t)b->data;
    const size_t after = to >= at ? (to - at) % period : (period - (at - to) % period) % period;
    return after >= (size_t)itemsize_of(a->dtype) && period - after >= (size_t)itemsize_of(b->dtype);
}

/* Are lo and hi a box in an array of this shape, or both NULL? */
static inline int fdx_is_box(const ptrdiff_t *lo, const ptrdiff_t *hi, int ndim, const ptrdiff_t *shape)
{
    if (lo == NULL || hi == NULL)
        return lo == hi;
    for (int d = 0; d < ndim; d++)
        if (lo[d] < 0 || hi[d] < lo[d] || hi[d] > shape[d])
            return 0;
    return 1;
}

/* A view of an array from indices lo on; the element with all indices 0 need not exist. */
static inline fdx_array fdx_view_from(const fdx_array *a, int ndim, const ptrdiff_t *lo)
{
    fdx_array view = *a;
    uintptr_t at = (uintptr_t)a->data;
    for (int d = 0; d < ndim && lo != NULL; d++)
        at += (uintptr_t)lo[d] * (uintptr_t)a->stride[d];
    view.data = (void *)at;
    return view;
}

/* In native byte order and aligned? Without a shape, along every dimension; with one, along those longer than 1. */
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
