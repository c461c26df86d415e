/* Random arrays: shapes, strides, boxes, dtypes, values. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "fdx_layout.h"
#include "fuzz.h"

const ptrdiff_t zeros[FDX_MAXDIM];

int next(int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, ptrdiff_t *index)
{
    for (int d = ndim - 1; d >= 0; d--) {
        if (++index[d] < hi[d])
            return 1;
        index[d] = lo[d];
    }
    return 0;
}

int is_empty(int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    for (int d = 0; d < ndim; d++)
        if (lo[d] >= hi[d])
            return 1;
    return 0;
}

char *address(const fdx_array *a, int ndim, const ptrdiff_t *index)
{
    uintptr_t p = (uintptr_t)a->data;
    for (int d = 0; d < ndim; d++)
        p += (uintptr_t)index[d] * (uintptr_t)a->stride[d];
    return (char *)p;
}

/* The extent of a box of it, and where that begins relative to its first element. */
ptrdiff_t extent(const fdx_array *a, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, ptrdiff_t *begin)
{
    ptrdiff_t low = 0, high = 0;
    for (int d = 0; d < ndim; d++) {
        const ptrdiff_t span = (hi[d] - lo[d] - 1) * a->stride[d];
        low += span < 0 ? span : 0;
        high += span > 0 ? span : 0;
    }
    *begin = low;
    return high - low + (fdx_itemsize(a->dtype) > 0 ? fdx_itemsize(a->dtype) : 16);
}

void draw_strides(array *a, int ndim, const ptrdiff_t *shape, int role)
{
    ptrdiff_t item = fdx_itemsize(a->a.dtype);
    int order[FDX_MAXDIM];
    for (int d = 0; d < ndim; d++)
        order[d] = ndim - 1 - d; /* C order */
    const int style = role & IS_USUAL ? 0 : below(12), extras = role & IS_USUAL || style < 3 ? 0 : u8();
    if (style == 3 || style == 4)
        for (int d = 0; d < ndim; d++)
            order[d] = d;
    else if (style > 5)
        for (int d = 0; d < ndim; d++) {
            const int other = below(d + 1), t = order[d];
            order[d] = order[other];
            order[other] = t;
        }
    ptrdiff_t stride = item > 0 ? item : 16;
    for (int k = 0; k < ndim; k++) {
        const int d = order[k];
        if (extras & 1)
            stride += below(3) * item;
        if (extras & 2)
            stride += below(4);
        a->stride[d] = stride;
        stride *= shape[d] > 0 ? shape[d] : 1;
        if (extras & 4 && below(2))
            a->stride[d] = -a->stride[d];
        if (extras & 8 && shape[d] == 1 && below(2))
            a->stride[d] = wild_stride();
    }
    if (!(role & IS_WRITTEN) && ndim > 0) {
        if ((extras & 48) == 48)
            a->stride[below(ndim)] = 0;
        if ((extras & 192) == 192) /* rows that overlap */
            a->stride[below(ndim)] = (1 + below(3)) * item;
    }
}

/* A stride by which no array fits into memory, along a dimension where that is seen or does no harm: not where a box of
 * one element begins elsewhere, as nobody can tell that its address is wrong. */
void spoil_stride(array *a, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    const int d = below(ndim);
    if (lo == NULL || lo[d] == 0 || hi[d] - lo[d] != 1)
        a->stride[d] = wild_stride();
}

/* Put a box of it into its own memory, for any strides; into shared memory if necessary. */
void place(array *a, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, int role)
{
    ptrdiff_t begin, bytes;
    const int none = is_empty(ndim, lo, hi);
    if (none && chance(2)) {
        a->in = NULL;
        a->a.data = NULL;
        return;
    }
    bytes = none ? 0 : extent(&a->a, ndim, lo, hi, &begin);
    if (bytes + 32 > LARGEST_SLOT) {
        ptrdiff_t stride = fdx_itemsize(a->a.dtype);
        for (int d = ndim - 1; d >= 0; d--) {
            a->stride[d] = stride;
            stride *= hi[d] - lo[d];
        }
        bytes = extent(&a->a, ndim, lo, hi, &begin);
    }
    if (bytes + 32 > LARGEST_SLOT && !(role & IS_WRITTEN)) {
        memset(a->stride, 0, (size_t)ndim * sizeof *a->stride);
        bytes = extent(&a->a, ndim, lo, hi, &begin);
    }
    a->in = take((size_t)bytes, role & IS_USUAL ? 16 : 1);
    uintptr_t first = (uintptr_t)a->in->used;
    if (!none) {
        first -= (uintptr_t)begin;
        for (int d = 0; d < ndim; d++)
            first -= (uintptr_t)lo[d] * (uintptr_t)a->stride[d];
    }
    a->a.data = (void *)first;
}

static int is_complex(int dtype)
{
    return dtype == FDX_C64 || dtype == FDX_C128;
}

size_t part_size(int dtype)
{
    return (size_t)fdx_itemsize(dtype) / (is_complex(dtype) ? 2 : 1);
}

void reverse(char *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        const char t = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = t;
    }
}

void put(const fdx_array *a, char *p, double v)
{
    const size_t size = part_size(a->dtype);
    for (size_t at = 0; at < (size_t)fdx_itemsize(a->dtype); at += size, v = -v) {
        char bytes[8];
        const int64_t integer = a->dtype < FDX_F32 ? (int64_t)v : 0;
        memcpy(bytes, &integer, sizeof integer);
        switch (a->dtype) {
#define PUT(name, number, part, bits, parts)                                                                           \
    case number: {                                                                                                     \
        const part x = (part)v;                                                                                        \
        memcpy(bytes, &x, sizeof x);                                                                                   \
        break;                                                                                                         \
    }
            FDX_FLOATS(PUT)
        default: break;
        }
        if (a->swapped)
            reverse(bytes, size);
        memcpy(p + at, bytes, size);
    }
}

static void fill(const array *a, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    static const double special[] = {0, -0.0, INFINITY, NAN, DBL_MIN, 0x1p-1074, DBL_MAX, FLT_MAX, 0x1p-149, 1, -1, 3};
    const int kind = below(5);
    if (is_empty(ndim, lo, hi))
        return;
    if (kind == 4 || fdx_itemsize(a->a.dtype) == 0) { /* any bits */
        for (size_t i = 0; i < a->in->nused; i++)
            a->in->used[i] = (char)(rnd() >> 30);
        return;
    }
    ptrdiff_t index[FDX_MAXDIM];
    memcpy(index, lo, (size_t)ndim * sizeof *index);
    const int whole = a->a.dtype < FDX_F32;
    do {
        const double v = kind == 3 && !whole ? special[rnd() % 12] : kind == 2 ? (double)(rnd() % 4) : ordinary();
        put(&a->a, address(&a->a, ndim, index), v);
    } while (next(ndim, lo, hi, index));
}

void draw_array(array *a, int ndim, const ptrdiff_t *shape, const ptrdiff_t *lo, const ptrdiff_t *hi, int dtype,
                int role)
{
    a->stride = keep_indices(ndim, NULL);
    a->a = (fdx_array){NULL, a->stride, (uint8_t)dtype, 0};
    a->a.swapped = !(role & IS_USUAL) && chance(5);
    draw_strides(a, ndim, shape, role);
    place(a, ndim, lo, hi, role);
    fill(a, ndim, lo, hi);
}

/* Lengths for at least so many elements, mostly for few. */
void draw_shape(int ndim, ptrdiff_t *shape, const ptrdiff_t *least)
{
    const int many = below(4) == 3; /* elements */
    int longest = -1;
    for (int d = 0; d < ndim; d++) {
        const int b = u8();
        shape[d] = least[d] + (b < 160 ? b % 21 : b % 5);
    }
    if (chance(48)) {
        longest = below(ndim);
        shape[longest] = least[longest] + below(3000);
    }
    for (;;) {
        ptrdiff_t term = 1;
        int most = -1;
        for (int d = 0; d < ndim; d++) {
            term *= shape[d] > 0 ? shape[d] : 1;
            if (d != longest && shape[d] > least[d] && shape[d] > 1 && (most < 0 || shape[d] > shape[most]))
                most = d;
        }
        if (term <= (longest >= 0 ? 3500 : many ? 240 : 96))
            return;
        if (most < 0)
            most = longest;
        if (most < 0 || shape[most] <= least[most])
            return;
        const ptrdiff_t half = shape[most] / 2;
        shape[most] = half > least[most] ? half : least[most];
    }
}

int draw_box(int ndim, const ptrdiff_t *shape, ptrdiff_t *lo, ptrdiff_t *hi)
{
    const int boxed = chance(4);
    for (int d = 0; d < ndim; d++) {
        lo[d] = 0;
        hi[d] = shape[d];
        if (boxed && shape[d] > 0 && below(3) > 0) {
            lo[d] = below((int)shape[d] + 1);
            hi[d] = lo[d] + below((int)(shape[d] - lo[d]) + 1);
        }
    }
    return boxed;
}
