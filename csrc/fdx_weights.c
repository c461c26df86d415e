/* Finite-difference weights on any distinct nodes. With u_i = at - x_i, a weight is by Lagrange's formula
 *
 *     w_j = deriv! [t^deriv] prod_{i != j} (t + u_i) / prod_{i != j} (x_j - x_i)
 *
 * whose factors are differences of two doubles, and therefore exact as a double-double, or as an integer times a power
 * of two. For nodes that are small integers times a power of two, numerators and denominators are integers, and the
 * quotient is rounded once, in double arithmetic if that can represent them. For other nodes, double-double arithmetic
 * comes first, with a bound on its errors. If that is too large (terms that cancel, exponents out of range), integers
 * of any length take over, up to a limit. */
#include <string.h>

#include "fdx_dd.h"
#include "fdx.h"
#include "fdx_fenv.h"

/* Sizes of integers are in limbs of 32 bits. */
enum { SMALL_BITS = 15 };    /* nodes of at most so many bits always go through integers */
enum { MAX_LIMBS = 8192 };   /* for all integers together, */
enum { USUAL_LIMBS = 4096 }; /* which rarely take more than these */
enum { FACTOR_LIMBS = 66 };  /* 2^1024 / 2^-1074 has 2098 bits; a difference one more, and a sign */
enum { QUOTIENT_LIMBS = 5 }; /* one bit before the point and 128 after it */
enum { TABLE = ((FDX_MAXNODES + 1) / 2) * ((FDX_MAXNODES + 2) / 2) }; /* the maximum of (deriv + 1) (n - deriv) */

/* Not inlined, so that the arrays of only one path are on the stack at a time. */
#if defined(__GNUC__)
#define OUT_OF_LINE __attribute__((noinline))
#elif defined(_MSC_VER)
#define OUT_OF_LINE __declspec(noinline)
#else
#define OUT_OF_LINE
#endif

static int bit_length(uint64_t v)
{
    int length = 0;
    for (int step = 32; step > 0; step /= 2)
        if (v >> step != 0) {
            v >>= step;
            length += step;
        }
    return length + (v != 0);
}

/* ---- the integer path ---- */

/* (-1)^negative m 2^e. */
typedef struct {
    uint64_t m;
    int e, negative;
} number;

static number decompose(double v)
{
    const int exponent = fdx_biased_exponent(v);
    number a = {fdx_bits_of(v) & (((uint64_t)1 << 52) - 1), (exponent > 0 ? exponent : 1) - 1075,
                fdx_bits_of(v) >> 63 != 0};
    if (exponent > 0)
        a.m |= (uint64_t)1 << 52;
    for (; a.m != 0 && a.m % 2 == 0; a.m /= 2)
        a.e++;
    return a;
}

/* An integer: a sign and limbs, the least significant first. */
typedef struct {
    int length, negative;
    uint32_t limb[FACTOR_LIMBS];
} factor;

/* Add m 2^shift to, or subtract it from, an integer in two's complement. */
static void accumulate(uint32_t limb[FACTOR_LIMBS], uint64_t m, int shift, int negative)
{
    const int bit = shift % 32;
    const uint32_t part[3] = {(uint32_t)(m << bit), (uint32_t)(m << bit >> 32), bit ? (uint32_t)(m >> (64 - bit)) : 0};
    uint64_t carry = (uint64_t)negative;
    for (int k = 0, at = shift / 32; at < FACTOR_LIMBS; k++, at++) {
        const uint32_t v = k < 3 ? part[k] : 0;
        carry += (uint64_t)limb[at] + (negative ? ~v : v);
        limb[at] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* (a - b) / 2^e, if that is an integer. */
static void difference(factor *f, const number *a, const number *b, int e)
{
    const int shift_a = a->m != 0 ? a->e - e : 0, shift_b = b->m != 0 ? b->e - e : 0;
    if (a->m >> 31 == 0 && b->m >> 31 == 0 && shift_a <= 31 && shift_b <= 31) {
        const int64_t x = (int64_t)(a->m << shift_a), y = (int64_t)(b->m << shift_b);
        const int64_t v = (a->negative ? -x : x) + (b->negative ? y : -y);
        const uint64_t size = v < 0 ? (uint64_t)-v : (uint64_t)v;
        f->negative = v < 0;
        f->limb[0] = (uint32_t)size;
        f->limb[1] = (uint32_t)(size >> 32);
        f->length = f->limb[1] != 0 ? 2 : f->limb[0] != 0;
        return;
    }
    memset(f->limb, 0, sizeof f->limb);
    if (a->m != 0)
        accumulate(f->limb, a->m, shift_a, a->negative);
    if (b->m != 0)
        accumulate(f->limb, b->m, shift_b, !b->negative);
    f->negative = f->limb[FACTOR_LIMBS - 1] >> 31 != 0;
    if (f->negative) {
        uint64_t carry = 1;
        for (int k = 0; k < FACTOR_LIMBS; k++) {
            carry += (uint32_t)~f->limb[k];
            f->limb[k] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    for (f->length = FACTOR_LIMBS; f->length > 0 && f->limb[f->length - 1] == 0;)
        f->length--;
}

static int bits_in(const uint32_t *limb, int length)
{
    while (length > 0 && limb[length - 1] == 0)
        length--;
    return length == 0 ? 0 : 32 * (length - 1) + bit_length(limb[length - 1]);
}

/* out = a |f|, modulo 2^(32 length): right for unsigned numbers and for two's complement. */
static void multiply(uint32_t *out, const uint32_t *a, int length, const factor *f)
{
    memset(out, 0, (size_t)length * sizeof *out);
    for (int j = 0; j < f->length && j < length; j++) {
        uint64_t carry = 0;
        for (int i = 0; i + j < length; i++) {
            carry += (uint64_t)a[i] * f->limb[j] + out[i + j];
            out[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
    }
}

/* out = a + b, or a - b. */
static void add(uint32_t *out, const uint32_t *a, const uint32_t *b, int length, int subtract)
{
    uint64_t carry = (uint64_t)subtract;
    for (int k = 0; k < length; k++) {
        carry += (uint64_t)a[k] + (subtract ? (uint32_t)~b[k] : b[k]);
        out[k] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Shift up until the highest bit is set; returns by how many bits. The number is not 0. */
static int normalize(uint32_t *limb, int length)
{
    const int shift = 32 * length - bits_in(limb, length), whole = shift / 32, bit = shift % 32;
    for (int k = length - 1; k >= 0; k--) {
        const uint64_t high = k >= whole ? limb[k - whole] : 0, low = k > whole ? limb[k - whole - 1] : 0;
        limb[k] = (uint32_t)((high << 32 | low) << bit >> 32);
    }
    return shift;
}

/* q = a / b, from 1/2 to 2, in units of 2^-128 and truncated; returns whether the remainder is not 0. Both have their
 * highest bit set. Schoolbook division (Knuth, TAOCP 2, 4.3.1 D); a, which has one limb more than `length`, is
 * overwritten. */
static int divide(uint32_t q[QUOTIENT_LIMBS], uint32_t *a, const uint32_t *b, int length)
{
    const uint64_t most = 0xffffffffu;
    a[length] = 0;
    for (int digit = QUOTIENT_LIMBS - 1; digit >= 0; digit--) {
        if (digit < QUOTIENT_LIMBS - 1) {
            memmove(a + 1, a, (size_t)length * sizeof *a);
            a[0] = 0;
        }
        /* From the highest limbs: never too small, and too large by at most 2. */
        const uint64_t estimate = ((uint64_t)a[length] << 32 | a[length - 1]) / b[length - 1];
        uint64_t d = estimate < most ? estimate : most, borrow = 0;
        for (int k = 0; k <= length; k++) {
            borrow += k < length ? d * b[k] : 0;
            const uint32_t low = (uint32_t)borrow;
            borrow = (borrow >> 32) + (a[k] < low);
            a[k] -= low;
        }
        while (borrow != 0) {
            uint64_t carry = 0;
            for (int k = 0; k <= length; k++) {
                carry += (uint64_t)a[k] + (k < length ? b[k] : 0);
                a[k] = (uint32_t)carry;
                carry >>= 32;
            }
            borrow -= carry;
            d--;
        }
        q[digit] = (uint32_t)d;
    }
    return bits_in(a, length) != 0;
}

/* Bits: exceptions of rounding. */
enum { OVERFLOWN = 1, UNDERFLOWN = 2 };

/* (q + a fraction, if `more`) 2^e rounded to nearest, ties to even, also if the result is subnormal. `taken` receives
 * the result in units of 2^e. */
static double nearest(const uint32_t q[QUOTIENT_LIMBS], int more, int e, int negative, uint32_t taken[QUOTIENT_LIMBS],
                      int *events)
{
    const uint64_t sign = (uint64_t)(negative != 0) << 63;
    const int length = bits_in(q, QUOTIENT_LIMBS);
    int cut = length - 53; /* bits that rounding removes */
    if (cut < -1074 - e)
        cut = -1074 - e;
    if (cut < 0)
        cut = 0;
    memset(taken, 0, QUOTIENT_LIMBS * sizeof *taken);
    if (length == 0)
        return 0;
    if (cut > length) {
        *events |= UNDERFLOWN;
        return fdx_from_bits(sign);
    }

    const int limb = cut / 32, bit = cut % 32;
    uint64_t m = q[limb] >> bit;
    if (limb + 1 < QUOTIENT_LIMBS)
        m |= (uint64_t)q[limb + 1] << (32 - bit);
    if (limb + 2 < QUOTIENT_LIMBS && bit > 0)
        m |= (uint64_t)q[limb + 2] << (64 - bit);
    int half = 0;
    if (cut > 0) {
        const int at = (cut - 1) / 32, below = (cut - 1) % 32;
        half = q[at] >> below & 1;
        more |= (q[at] & (((uint32_t)1 << below) - 1)) != 0 || bits_in(q, at) != 0;
        m += half && (more || m % 2 != 0);
    }
    taken[limb] = (uint32_t)(m << bit);
    if (limb + 1 < QUOTIENT_LIMBS)
        taken[limb + 1] = (uint32_t)(m << bit >> 32);
    if (limb + 2 < QUOTIENT_LIMBS && bit > 0)
        taken[limb + 2] = (uint32_t)(m >> (64 - bit));

    const int top = bit_length(m) - 1, exponent = e + cut + top;
    if (m == 0 || exponent < -1022) {
        *events |= half || more ? UNDERFLOWN : 0;
        return fdx_from_bits(sign | (m == 0 ? 0 : m << (e + cut + 1074)));
    }
    if (exponent > 1023) {
        *events |= OVERFLOWN;
        return fdx_from_bits(sign | (uint64_t)2047 << 52);
    }
    m = top <= 52 ? m << (52 - top) : m >> (top - 52); /* only 2^53 is longer */
    return fdx_from_bits(sign | (uint64_t)(exponent + 1023) << 52 | (m & (((uint64_t)1 << 52) - 1)));
}

/* The limbs of each integer, for nodes that are integers times 2^*lowest.
 *
 * Let |u_i| < 2^b, b >= 6, and m = n - 1 <= 63. Then every coefficient of a product of m factors t + u_i is at most
 * the product of 1 + |u_i|, which is at most 2^(b m). The one that is needed, [t^d], is a sum of binom(m, d) products
 * of m - d factors, so times d! it is at most m!/(m-d)! 2^(b (m-d)) < 2^(6 d + b (m-d)) <= 2^(b m). The denominator is
 * a product of m differences of less than 2^(b+1). So (b+1) m + 2 bits hold all, with a sign; for 64 nodes of 15 bits
 * that is 1010 bits, 32 limbs. */
static int limbs_of(const number *x, number at, int n, int *lowest)
{
    factor f;
    int any = 0, bits = 6;
    *lowest = 0;
    for (int k = 0; k <= n; k++) {
        const number *a = k < n ? &x[k] : &at;
        if (a->m != 0 && (!any || a->e < *lowest))
            *lowest = a->e;
        any |= a->m != 0;
    }
    for (int k = 0; k < n; k++) {
        difference(&f, &at, &x[k], *lowest);
        const int length = bits_in(f.limb, f.length);
        bits = length > bits ? length : bits;
    }
    return ((bits + 1) * (n - 1) + 2 + 31) / 32;
}

static void exact_weights(uint32_t *limbs, int length, int lowest, double *w, double *rest, const number *x, number at,
                          int n, int deriv, int *events)
{
    factor f;
    uint32_t *p = limbs, *low = p + (deriv + 1) * length, *scratch = low + length, *high = scratch + length;

    for (int j = 0; j < n; j++) {
        int negative = 0;
        memset(p, 0, (size_t)((deriv + 1) * length) * sizeof *p);
        memset(low, 0, (size_t)length * sizeof *low);
        p[0] = low[0] = 1;
        for (int i = 0, degree = 1; i < n; i++) {
            if (i == j)
                continue;
            difference(&f, &x[j], &x[i], lowest);
            negative ^= f.negative;
            multiply(scratch, low, length, &f);
            memcpy(low, scratch, (size_t)length * sizeof *low);
            difference(&f, &at, &x[i], lowest);
            for (int k = degree < deriv ? degree : deriv; k >= 0; k--) {
                uint32_t *to = p + k * length;
                multiply(scratch, to, length, &f);
                if (k > 0) {
                    add(to, to - length, scratch, length, f.negative);
                } else {
                    memset(to, 0, (size_t)length * sizeof *to);
                    add(to, to, scratch, length, f.negative);
                }
            }
            degree++;
        }

        memcpy(high, p + deriv * length, (size_t)length * sizeof *high);
        if (high[length - 1] >> 31 != 0) {
            negative ^= 1;
            memset(scratch, 0, (size_t)length * sizeof *scratch);
            add(high, scratch, high, length, 1);
        }
        f.length = 1;
        for (int k = 2; k <= deriv; k++) {
            f.limb[0] = (uint32_t)k;
            multiply(scratch, high, length, &f);
            memcpy(high, scratch, (size_t)length * sizeof *high);
        }

        w[j] = rest[j] = 0;
        if (bits_in(high, length) == 0)
            continue;
        uint32_t q[QUOTIENT_LIMBS], taken[QUOTIENT_LIMBS], left[QUOTIENT_LIMBS];
        int e = -normalize(high, length), nothing = 0;
        e += normalize(low, length) - 128 - lowest * deriv;
        const int more = divide(q, high, low, length);
        w[j] = nearest(q, more, e, negative, taken, events);
        if (fdx_biased_exponent(w[j]) == 2047)
            continue;
        add(left, q, taken, QUOTIENT_LIMBS, 1);
        const int above = left[QUOTIENT_LIMBS - 1] >> 31 != 0; /* w[j] is too large: by taken - q, less q's fraction */
        if (above) {
            static const uint32_t one[QUOTIENT_LIMBS] = {1};
            add(left, taken, q, QUOTIENT_LIMBS, 1);
            if (more)
                add(left, left, one, QUOTIENT_LIMBS, 1);
        }
        rest[j] = nearest(left, more, e, negative ^ above, taken, &nothing);
    }
}

static OUT_OF_LINE void in_few_limbs(int length, int lowest, double *w, double *rest, const number *x, number at, int n,
                                     int deriv, int *events)
{
    uint32_t limbs[USUAL_LIMBS];
    exact_weights(limbs, length, lowest, w, rest, x, at, n, deriv, events);
}

static OUT_OF_LINE void in_many_limbs(int length, int lowest, double *w, double *rest, const number *x, number at,
                                      int n, int deriv, int *events)
{
    uint32_t limbs[MAX_LIMBS];
    exact_weights(limbs, length, lowest, w, rest, x, at, n, deriv, events);
}

/* The weights, each correctly rounded, for any nodes; if `small` is not NULL, for the nodes at - small[k] 2^-scale.
 * Returns whether MAX_LIMBS suffice; if not, w is untouched. */
static OUT_OF_LINE int in_integers(double *w, double *rest, const double *nodes, double at, const fdx_dd *small,
                                   int scale, int n, int deriv, int *events)
{
    number x[FDX_MAXNODES], origin = decompose(small != NULL ? 0 : at);
    int lowest;
    for (int k = 0; k < n; k++) {
        x[k] = decompose(small != NULL ? -small[k].hi : nodes[k]);
        x[k].e -= small != NULL ? scale : 0;
    }
    const int length = limbs_of(x, origin, n, &lowest), limbs = (deriv + 4) * length + 1;
    if (limbs > MAX_LIMBS)
        return 0;
    (limbs > USUAL_LIMBS ? in_many_limbs : in_few_limbs)(length, lowest, w, rest, x, origin, n, deriv, events);
    return 1;
}

/* ---- a weight from a double-double ---- */

/* w + rest = v 2^shift, exactly. Returns whether both are far from over- and underflow. */
static int put(double *w, double *rest, fdx_dd v, int shift)
{
    const int exponent = fdx_biased_exponent(v.hi) + shift;
    if (v.hi == 0) {
        *w = *rest = 0; /* not -0 */
        return 1;
    }
    if (exponent < 200 || exponent > 2040 || shift < -1900 || shift > 1900)
        return 0;
    const double half = fdx_power_of_two(shift / 2), other_half = fdx_power_of_two(shift - shift / 2);
    *w = v.hi * half * other_half;
    *rest = v.lo * half * other_half;
    return 1;
}

/* ---- integers that a double holds ---- */

/* The same for u that are integers times 2^-scale, if double arithmetic on these integers is exact: then quotients are
 * correctly rounded, and their remainders exact. Returns whether it is; if not, w is undefined. */
static int in_doubles(double *w, double *rest, const double *u, int n, int deriv, int scale)
{
    const double end = 9007199254740992.0; /* 2^53 */
    double p[FDX_MAXNODES], size = 1, bits = 1;
    for (int k = 0; k < n; k++)
        size = fdx_magnitude(u[k]) + 1 > size ? fdx_magnitude(u[k]) + 1 : size;
    for (int k = 1; k < n && bits < end; k++)
        bits *= 2 * size; /* a bound on coefficients and products of differences: see limbs_of */
    if (bits >= end)
        return 0;
    double factorial = 1;
    for (int k = 2; k <= deriv; k++)
        factorial *= k;

    for (int j = 0; j < n; j++) {
        double under = 1;
        p[0] = 1;
        for (int k = 1; k <= deriv; k++)
            p[k] = 0;
        for (int i = 0, degree = 1; i < n; i++) {
            if (i == j)
                continue;
            under *= u[i] - u[j];
            for (int k = degree < deriv ? degree : deriv; k > 0; k--)
                p[k] = p[k - 1] + u[i] * p[k];
            p[0] *= u[i];
            degree++;
        }
        const double over = p[deriv] * factorial;
        if (fdx_magnitude(over) >= end)
            return 0;
        const double quotient = over / under;
        const fdx_dd product = fdx_dd_two_prod(quotient, under);
        const fdx_dd v = {quotient, ((over - product.hi) - product.lo) / under};
        if (!put(&w[j], &rest[j], v, scale * deriv))
            return 0;
    }
    return 1;
}

/* ---- the double-double path ---- */

/* Errors before rounding, relative to the largest weight: GOOD at most 2^-64, FAIR at most 2^-54. */
enum { POOR = 0, FAIR, GOOD };

/* The denominators: for each node, the product of its differences from the others, up to its sign. */
static void multiply_differences(fdx_dd *under, const double *x, int n)
{
    under[0] = (fdx_dd){1, 0};
    for (int j = 1; j < n; j++) {
        const fdx_dd first = fdx_dd_two_sum(x[j], -x[0]);
        under[j] = first;
        under[0] = j == 1 ? first : fdx_dd_mul(under[0], first);
        for (int i = 1; i < j; i++) {
            const fdx_dd v = fdx_dd_two_sum(x[j], -x[i]);
            under[j] = fdx_dd_mul(under[j], v);
            under[i] = fdx_dd_mul(under[i], v);
        }
    }
}

/* The numerators, up to a factor: for each node, the sum of the products of n - 1 - deriv of the others' u. */
static void sum_products(fdx_dd *over, const fdx_dd *u, int n, int deriv)
{
    fdx_dd suffix[TABLE], prefix[FDX_MAXNODES];
    const int columns = n - deriv, last = columns - 1;
    const fdx_dd one = {1, 0};
    for (int a = deriv; a >= 0; a--) {
        fdx_dd *row = suffix + a * columns;
        row[last] = one;
        for (int c = last - 1; c >= 0; c--) {
            const fdx_dd v = u[a + c + 1], term = c == last - 1 ? v : fdx_dd_mul(v, row[c + 1]);
            row[c] = a == deriv ? term : fdx_dd_add(row[c + columns], term);
        }
    }
    for (int a = 0; a <= deriv; a++) {
        const fdx_dd *row = suffix + a * columns;
        prefix[0] = one;
        for (int c = 0; c < columns; c++) {
            const int j = a + c;
            if (c > 0) {
                const fdx_dd v = u[j - 1], term = c == 1 ? v : fdx_dd_mul(v, prefix[c - 1]);
                prefix[c] = a == 0 ? term : fdx_dd_add(prefix[c], term);
            }
            const fdx_dd term = c == 0 ? row[c] : c == last ? prefix[c] : fdx_dd_mul(prefix[c], row[c]);
            over[j] = a == 0 || c == last ? term : fdx_dd_add(over[j], term);
        }
    }
}

/* The weights for nodes and u that have been multiplied by 2^scale, the nodes in rising order, |u_i| <= 1. Returns
 * their quality; POOR ones are undefined.
 *
 * The numerators are computed together. Let P[a][c] be [t^a] of the product over the first j = a + c nodes, and S[a][c]
 * be [t^(d-a)] of the product over the nodes after j; then [t^d] of the product over all other nodes is the sum of
 * P[a][j-a] S[a][j-a]. Both tables need d + 1 rows and n - d columns, in both an entry follows from two adjacent ones,
 * and products have the leading coefficient 1. */
static OUT_OF_LINE int in_double_double(double *w, double *rest, const fdx_dd *u, const double *x, int n, int deriv,
                                        int scale)
{
    fdx_dd over[FDX_MAXNODES], under[FDX_MAXNODES];
    double bound[FDX_MAXNODES + 1];
    multiply_differences(under, x, n);
    sum_products(over, u, n, deriv);

    double least = DBL_MAX, largest = 0, factorial = 1;
    for (int k = 2; k <= deriv && k <= 22; k++)
        factorial *= k; /* exact */
    for (int j = 0; j < n; j++) {
        const double size = fdx_magnitude(under[j].hi);
        least = size < least ? size : least;
        if ((n - 1 - j) % 2 != 0) /* so many of its factors have the opposite sign */
            under[j] = (fdx_dd){-under[j].hi, -under[j].lo};
        over[j] = fdx_dd_div(over[j], under[j]);
        largest = fdx_magnitude(over[j].hi) > largest ? fdx_magnitude(over[j].hi) : largest;
    }

    /* At most 2 n operations on a term of a numerator have errors of at most 8 u^2, or 2^-1074, each; n operations on a
     * denominator 5 u^2 each; the division 15 u^2. The sum of the terms' magnitudes is less than [t^(d+1)] of the
     * product of t + |u_i| over all nodes. */
    bound[0] = 1;
    for (int k = 1; k <= deriv + 1; k++)
        bound[k] = 0;
    for (int i = 0; i < n; i++) {
        const double size = fdx_magnitude(u[i].hi);
        for (int k = i < deriv ? i + 1 : deriv + 1; k > 0; k--)
            bound[k] = bound[k - 1] + size * bound[k];
        bound[0] *= size;
    }
    const double terms = bound[deriv + 1], tiny = fdx_power_of_two(-800);
    if (!(least >= tiny && terms >= tiny))
        return POOR;
    const double error = (n + 2) * fdx_power_of_two(-101) * terms, of = largest * least;
    const int quality = error <= fdx_power_of_two(-64) * of ? GOOD : error <= fdx_power_of_two(-54) * of ? FAIR : POOR;

    for (int j = 0; j < n; j++) {
        fdx_dd v = deriv < 2 ? over[j] : fdx_dd_mul_double(over[j], factorial);
        for (int k = 23; k <= deriv; k++)
            v = fdx_dd_mul_double(v, k);
        if (quality == POOR || !put(&w[j], &rest[j], v, scale * deriv))
            return POOR;
    }
    return quality;
}

/* ---- which path ---- */

/* Scale the nodes and u by 2^scale, so that the largest |u| is from 1/2 to 1; returns whether that is exact. */
static int scale_nodes(double *scaled, fdx_dd *u, const double *sorted, int n, double at, int *scale)
{
    const double low = fdx_magnitude(at - sorted[0]), high = fdx_magnitude(at - sorted[n - 1]);
    *scale = 1022 - fdx_biased_exponent(low > high ? low : high);
    if (*scale < -1000 || *scale > 1000)
        return 0;
    const double factor = fdx_power_of_two(*scale), scaled_at = at * factor;
    int exact = at == 0 || fdx_biased_exponent(scaled_at) > 0;
    for (int k = 0; k < n; k++) {
        scaled[k] = sorted[k] * factor;
        u[k] = fdx_dd_two_sum(scaled_at, -scaled[k]);
        exact &= sorted[k] == 0 || fdx_biased_exponent(scaled[k]) > 0;
    }
    return exact;
}

/* If SMALL_BITS suffice: the integers `whole` with u = whole 2^e, for the largest e. Returns whether they do. */
static int small_integers(double *whole, int *e, const fdx_dd *u, int n)
{
    uint32_t any = 0;
    for (int k = 0; k < n; k++) {
        whole[k] = u[k].hi * (1 << SMALL_BITS);
        const int32_t v = (int32_t)whole[k];
        if ((double)v != whole[k] || u[k].lo != 0)
            return 0;
        any |= (uint32_t)v;
    }
    int zeros = 0;
    while ((any >> zeros & 1) == 0)
        zeros++;
    const double down = fdx_power_of_two(-zeros);
    for (int k = 0; k < n; k++)
        whole[k] *= down;
    *e = zeros - SMALL_BITS;
    return 1;
}

/* fdx_weights in the default environment; *events receives the exceptions that the weights are to raise. */
static fdx_status weigh(double *w, double *rest, const double *x, int n, double at, int deriv, int *events)
{
    /* Sorted, so that the order of the nodes does not change the bits. */
    double sorted[FDX_MAXNODES], weight[FDX_MAXNODES], short_of[FDX_MAXNODES];
    unsigned char order[FDX_MAXNODES];
    int finite = fdx_is_finite(at);
    for (int k = 0; k < n; k++)
        finite &= fdx_is_finite(x[k]);
    if (!finite)
        return FDX_E_NODES;
    for (int k = 0; k < n; k++) {
        int to = k;
        for (; to > 0 && sorted[to - 1] > x[k]; to--) {
            sorted[to] = sorted[to - 1];
            order[to] = order[to - 1];
        }
        sorted[to] = x[k];
        order[to] = (unsigned char)k;
        if (to > 0 && sorted[to - 1] == x[k])
            return FDX_E_NODES;
    }

    int small = 0, done = 0, quality = POOR, scale = 0;
    double scaled[FDX_MAXNODES];
    fdx_dd u[FDX_MAXNODES];
    if (fdx_computes_as_written() && scale_nodes(scaled, u, sorted, n, at, &scale)) {
        double whole[FDX_MAXNODES];
        int e;
        small = small_integers(whole, &e, u, n);
        if (small) {
            done = in_doubles(weight, short_of, whole, n, deriv, scale - e);
        } else {
            quality = in_double_double(weight, short_of, u, scaled, n, deriv, scale);
            done = quality == GOOD;
        }
    }
    if (!done)
        done = in_integers(weight, short_of, sorted, at, small ? u : NULL, scale, n, deriv, events);
    if (!done && quality == POOR)
        return FDX_E_NODES;

    for (int k = 0; k < n; k++) {
        w[order[k]] = weight[k];
        if (rest != NULL)
            rest[order[k]] = short_of[k];
    }
    return FDX_OK;
}

fdx_status fdx_weights(double *w, double *rest, const double *x, int n, double at, int deriv)
{
    if (w == NULL || x == NULL)
        return FDX_E_NULL;
    if (deriv < 0 || n <= deriv || n > FDX_MAXNODES)
        return FDX_E_SIZE;
    int events = 0;
    fdx_environment before;
    fdx_enter_default(&before);
    const fdx_status status = weigh(w, rest, x, n, at, deriv, &events);
    fdx_leave_default(&before);
    if (status != FDX_OK)
        return status;
    if ((events & OVERFLOWN) != 0) {
        volatile double most = DBL_MAX;
        most = most * 2;
    }
    if ((events & UNDERFLOWN) != 0) {
        volatile double tiny = DBL_MIN;
        tiny = tiny * tiny;
    }
    return FDX_OK;
}
