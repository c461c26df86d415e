/* The bytes of an input as choices. Missing bytes are 0. */
#include <float.h>
#include <limits.h>
#include <math.h>

#include "fuzz.h"

static const uint8_t *cursor;
static size_t left;

static uint64_t state; /* seed of numbers that the fuzzer need not choose one by one */

void begin_choices(const uint8_t *data, size_t size)
{
    cursor = data;
    left = size;
    state = 88172645463325252ULL ^ (uint64_t)u8() << 40;
}

int u8(void)
{
    return left > 0 ? (left--, *cursor++) : 0;
}

int below(int n)
{
    if (n <= 1)
        return 0;
    const int low = u8();
    return (n > 256 ? low << 8 | u8() : low) % n;
}

int chance(int n) /* one in n; never, if bytes are missing */
{
    return below(n) == 1;
}

uint64_t rnd(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* An integer that may be wrong anywhere. */
ptrdiff_t wild_number(void)
{
    static const ptrdiff_t extremes[] = {PTRDIFF_MAX, PTRDIFF_MIN, PTRDIFF_MAX / 2, INT_MAX, INT_MIN, 1 << 20};
    const int kind = below(16);
    return kind == 15 ? extremes[below(6)] : kind > 8 ? below(256) - 128 : below(12) - 3;
}

/* A stride that does not fit into memory with two elements, of one byte or more. */
ptrdiff_t wild_stride(void)
{
    static const ptrdiff_t strides[] = {PTRDIFF_MAX, PTRDIFF_MIN, -PTRDIFF_MAX};
    return strides[below(3)];
}

int wild_int(void)
{
    const ptrdiff_t v = wild_number();
    return v > INT_MAX ? INT_MAX : v < INT_MIN ? INT_MIN : (int)v;
}

double ordinary(void)
{
    return ((double)(rnd() % 4001) - 2000) / 64;
}

double draw_spacing(void)
{
    static const double spacings[] = {1, 0.5, -2, 0.1, 3, 1e-3, 0, INFINITY, NAN, 1e-310, DBL_MAX, -0.0};
    return spacings[below(12)];
}

/* One of the dtypes from FDX_I8 to the one before `end`. */
int draw_dtype(int end)
{
    return FDX_I8 + below(end - FDX_I8);
}
