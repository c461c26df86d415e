/* Double-double arithmetic: a number is the unevaluated sum of two doubles, hi + lo, with |lo| at most half a unit in
 * the last place of hi; twice the precision of a double. Algorithms and bounds: Joldes, Muller, Popescu, ACM Trans.
 * Math. Softw. 44 (2017) 15; u is 2^-53.
 *
 * Rounding must be to nearest. Nothing may overflow, nor may low parts underflow: safe are products of factors below
 * 2^996 that are at least 2^-900. Multiplications and additions are fused only here, for exact products, and only in
 * files for processors with FMA. */
#ifndef FDX_DD_H
#define FDX_DD_H

#include <stdint.h>
#include <string.h>

#include "fdx_strict.h"

/* ---- the compiler ---- */

/* Did the compiler leave the arithmetic as written, for the target of the including file? clang's -ffp-contract=fast,
 * which is part of -ffast-math, defines no macro and obeys no pragma. Rounding must be to nearest. */
static inline int fdx_computes_as_written(void)
{
    const volatile double above = 1 + 0x1p-30, below = 1 - 0x1p-30, large = 0x1p60, dividend = 49, zero = -0.0;
    const double one = above * below - 1; /* 0, as the product rounds to 1 */
    const double sum = large + above, lost = sum - large;
    const volatile double positive = zero + 0.0;
    return one == 0 && lost == 0 && dividend / 49 == 1 && 1 / positive > 0;
}

/* ---- doubles and their bits ---- */

static inline uint64_t fdx_bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static inline double fdx_from_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* The biased exponent: 0 for zero and subnormal numbers, 2047 for infinities and NaN. */
static inline int fdx_biased_exponent(double v)
{
    return (int)(fdx_bits_of(v) >> 52 & 2047);
}

/* By their bits: independent of the environment, and without exceptions. */
static inline int fdx_is_finite(double v)
{
    return fdx_biased_exponent(v) < 2047;
}

static inline int fdx_is_zero(double v)
{
    return fdx_bits_of(v) << 1 == 0;
}

/* 2^e, if that is a normal number. */
static inline double fdx_power_of_two(int e)
{
    return fdx_from_bits((uint64_t)(e + 1023) << 52);
}

static inline double fdx_magnitude(double v)
{
    return fdx_from_bits(fdx_bits_of(v) & ~((uint64_t)1 << 63));
}

/* v >= 0 with the sign of `like`. */
static inline double fdx_signed(double v, double like)
{
    return fdx_from_bits(fdx_bits_of(v) | (fdx_bits_of(like) & (uint64_t)1 << 63));
}

/* ---- double-doubles ---- */

typedef struct {
    double hi, lo;
} fdx_dd;

/* a + b, exactly. */
static inline fdx_dd fdx_dd_two_sum(double a, double b)
{
    const double sum = a + b, of_b = sum - a, of_a = sum - of_b;
    return (fdx_dd){sum, (a - of_a) + (b - of_b)};
}

/* The same if |a| >= |b|, or a is 0. */
static inline fdx_dd fdx_dd_fast_two_sum(double a, double b)
{
    const double sum = a + b;
    return (fdx_dd){sum, b - (sum - a)};
}

/* The upper 26 bits of a, and the rest exactly (Veltkamp). */
static inline fdx_dd fdx_dd_split(double a)
{
    const double big = 134217729.0 * a, high = big - (big - a); /* 2^27 + 1 */
    return (fdx_dd){high, a - high};
}

/* a b, exactly: the same with FMA as without it (Dekker). */
static inline fdx_dd fdx_dd_two_prod(double a, double b)
{
#ifdef FDX_FMA
    const double product = a * b;
    return (fdx_dd){product, __builtin_fma(a, b, -product)};
#else
    const fdx_dd x = fdx_dd_split(a), y = fdx_dd_split(b);
    const double product = a * b;
    return (fdx_dd){product, ((x.hi * y.hi - product) + x.hi * y.lo + x.lo * y.hi) + x.lo * y.lo};
#endif
}

/* Relative error at most 3 u^2, also for operands of opposite signs. */
static inline fdx_dd fdx_dd_add(fdx_dd a, fdx_dd b)
{
    const fdx_dd high = fdx_dd_two_sum(a.hi, b.hi), low = fdx_dd_two_sum(a.lo, b.lo);
    const fdx_dd sum = fdx_dd_fast_two_sum(high.hi, high.lo + low.hi);
    return fdx_dd_fast_two_sum(sum.hi, low.lo + sum.lo);
}

/* At most 5 u^2. */
static inline fdx_dd fdx_dd_mul(fdx_dd a, fdx_dd b)
{
    const fdx_dd product = fdx_dd_two_prod(a.hi, b.hi);
    return fdx_dd_fast_two_sum(product.hi, product.lo + (a.hi * b.lo + a.lo * b.hi));
}

/* At most 2 u^2. */
static inline fdx_dd fdx_dd_mul_double(fdx_dd a, double b)
{
    const fdx_dd product = fdx_dd_two_prod(a.hi, b);
    const fdx_dd sum = fdx_dd_fast_two_sum(product.hi, a.lo * b);
    return fdx_dd_fast_two_sum(sum.hi, sum.lo + product.lo);
}

/* At most 15 u^2. */
static inline fdx_dd fdx_dd_div(fdx_dd a, fdx_dd b)
{
    const double quotient = a.hi / b.hi;
    const fdx_dd product = fdx_dd_mul_double(b, quotient);
    const double rest = (a.hi - product.hi) + (a.lo - product.lo);
    return fdx_dd_fast_two_sum(quotient, rest / b.hi);
}

/* The same with one division less, from inverse = 1 / b.hi. At most 25 u^2: the first quotient has at most 4 u; its
 * remainder is computed with 9 u^2 and divided with 12 u^2. */
static inline fdx_dd fdx_dd_div_by(fdx_dd a, fdx_dd b, double inverse)
{
    const double quotient = a.hi * inverse;
    const fdx_dd product = fdx_dd_two_prod(b.hi, quotient);
    const double rest = ((a.hi - product.hi) - product.lo) + (a.lo - b.lo * quotient);
    return fdx_dd_fast_two_sum(quotient, rest * inverse);
}

#endif
