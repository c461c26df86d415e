/* For the C tests of array functions: random numbers, arithmetic in a chosen precision, and arrays of random layouts.
 * Tests need not use all functions, which are inline. */
#ifndef RANDOM_ARRAYS_H
#define RANDOM_ARRAYS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdx_layout.h"
#include "fdx_rows.h"
#include "random_numbers.h"

enum { MAXN = 5, GUARD = 0xA5 };

static inline void fail(const char *what)
{
    fprintf(stderr, "FAILED: %s\n", what);
    exit(1);
}

/* ---- arithmetic in a chosen precision; volatile rounds each result ---- */

static inline double round_to(int single, double v)
{
    volatile float s = (float)v;
    return single ? (double)s : v;
}
static inline double sub(int s, double a, double b)
{
    volatile float f = (float)a - (float)b;
    volatile double d = a - b;
    return s ? (double)f : d;
}
static inline double add(int s, double a, double b)
{
    volatile float f = (float)a + (float)b;
    volatile double d = a + b;
    return s ? (double)f : d;
}
static inline double mul(int s, double a, double b)
{
    volatile float f = (float)a * (float)b;
    volatile double d = a * b;
    return s ? (double)f : d;
}

static inline void draw_alpha_beta(double alpha_beta[2])
{
    alpha_beta[0] = below(4) ? ((double)below(2001) - 1000) / 64 : 0.1;
    alpha_beta[1] = below(4) ? below(3) - 1 : 0.3;
}

/* alpha x + beta y, without y if beta is 0. */
static inline double with_alpha_beta(int s, const double alpha_beta[2], double x, double y)
{
    const double scaled = mul(s, round_to(s, alpha_beta[0]), x);
    return alpha_beta[1] == 0 ? scaled : add(s, mul(s, round_to(s, alpha_beta[1]), y), scaled);
}
static inline double quo(int s, double a, double b)
{
    volatile float f = (float)a / (float)b;
    volatile double d = a / b;
    return s ? (double)f : d;
}

/* ---- elements ---- */

static inline int is_complex(int dtype)
{
    return dtype == FDX_C64 || dtype == FDX_C128;
}
static inline int is_single(int dtype)
{
    return dtype == FDX_F32 || dtype == FDX_C64;
}

static inline void reverse(unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        const unsigned char t = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = t;
    }
}

/* One part (real or imaginary) of an element. */
static inline double get(int dtype, int swapped, const char *p, int part)
{
    const size_t size = (size_t)fdx_itemsize(dtype) / (is_complex(dtype) ? 2 : 1);
    unsigned char bytes[8];
    memcpy(bytes, p + (size_t)part * size, size);
    if (swapped)
        reverse(bytes, size);
    switch (dtype) {
#define GET(name, number, part_type, bits, parts)                                                                      \
    case number: {                                                                                                     \
        part_type v;                                                                                                   \
        memcpy(&v, bytes, sizeof v);                                                                                   \
        return (double)v;                                                                                              \
    }
        FDX_DTYPES(GET)
    default: return NAN;
    }
}

/* A number as a part of a floating-point dtype. */
static inline void put_number(int dtype, double number, unsigned char *bytes)
{
    switch (dtype) {
#define PUT(name, value, part_type, bits, parts)                                                                       \
    case value: {                                                                                                      \
        const part_type v = (part_type)number;                                                                         \
        memcpy(bytes, &v, sizeof v);                                                                                   \
        return;                                                                                                        \
    }
        FDX_FLOATS(PUT)
    default: fail("not a floating-point dtype");
    }
}

static int ordinary; /* draw only numbers that raise no exceptions, so that speculation succeeds */

static inline void put_random(int dtype, int swapped, char *p)
{
    const size_t size = (size_t)fdx_itemsize(dtype) / (is_complex(dtype) ? 2 : 1);
    for (int part = 0; part < (is_complex(dtype) ? 2 : 1); part++) {
        unsigned char bytes[8];
        const uint64_t bits = rnd();
        memcpy(bytes, &bits, sizeof bits);
        if (dtype >= FDX_F32 && (ordinary || below(8))) { /* ordinary numbers, sometimes any bits */
            const double d = ((double)below(2000001) - 1000000) / 1024;
            put_number(dtype, d, bytes);
        }
        if (swapped)
            reverse(bytes, size);
        memcpy(p + (size_t)part * size, bytes, size);
    }
}

static inline int same(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

/* ---- arrays of any layout in an allocation of exactly their extent ---- */

typedef struct {
    char *memory, *data; /* memory + an odd offset, and the element with all indices 0 */
    size_t bytes;
    ptrdiff_t stride[MAXN];
} array;

static int usual; /* draw mostly arrays in C order */

static inline array make(int ndim, const ptrdiff_t *shape, int dtype)
{
    array a = {NULL, NULL, 0, {0}};
    int order[MAXN] = {0};
    for (int d = 0; d < ndim; d++) {
        const int other = below(d + 1);
        order[d] = order[other];
        order[other] = d;
    }
    const int as_usual = usual && below(8);
    if (as_usual || below(2)) /* C order, the fastest */
        for (int d = 0; d < ndim; d++)
            order[d] = ndim - 1 - d;
    const int loose = !as_usual && below(3) == 0, flip = !as_usual && below(4) == 0;
    /* At any offset in a cache line, or unaligned. */
    const int part = (int)fdx_itemsize(dtype) / (is_complex(dtype) ? 2 : 1);
    const size_t misaligned = as_usual || below(4) ? (size_t)(below(16) * part) : 1;
    ptrdiff_t stride = fdx_itemsize(dtype), before = 0;
    for (int k = 0; k < ndim; k++) {
        const int d = order[k];
        if (loose)
            stride += below(3) * fdx_itemsize(dtype) + below(2) * below(4);
        a.stride[d] = stride;
        stride *= shape[d] > 0 ? shape[d] : 1;
        if (flip && below(2)) {
            before += (shape[d] - 1) * a.stride[d];
            a.stride[d] = -a.stride[d];
        }
    }
    ptrdiff_t extent = fdx_itemsize(dtype);
    for (int d = 0; d < ndim; d++)
        extent += (shape[d] - 1) * (a.stride[d] < 0 ? -a.stride[d] : a.stride[d]);
    a.bytes = (size_t)extent + misaligned;
    a.memory = malloc(a.bytes);
    if (a.memory == NULL)
        fail("out of memory");
    memset(a.memory, GUARD, a.bytes);
    a.data = a.memory + misaligned + before;
    return a;
}

static inline char *at(const array *a, int ndim, const ptrdiff_t *index)
{
    char *p = a->data;
    for (int d = 0; d < ndim; d++)
        p += index[d] * a->stride[d];
    return p;
}

static inline int next(int ndim, const ptrdiff_t *shape, ptrdiff_t *index)
{
    for (int d = ndim - 1; d >= 0; d--) {
        if (++index[d] < shape[d])
            return 1;
        index[d] = 0;
    }
    return 0;
}

#endif
