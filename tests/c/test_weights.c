/* fdx_weights: its paths against each other (integers of any length, integers in doubles, double-doubles), known
 * stencils, refusals, and what it leaves in the floating-point environment.
 *
 *     test_weights [cases] [seed]
 */
#define _GNU_SOURCE /* feenableexcept */
#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The file itself, to call each path. */
#define fdx_weights fdx_weights_here
#include "../../csrc/fdx_weights.c"
#undef fdx_weights
fdx_status fdx_weights(double *w, double *rest, const double *x, int n, double at, int deriv);

#include "random_numbers.h"

/* In [0, 1). */
static double uniform(void)
{
    return (double)(rnd() >> 11) / 9007199254740992.0;
}

static void fail(const char *what)
{
    fprintf(stderr, "FAILED: %s\n", what);
    exit(1);
}

static int same(const double *a, const double *b, int n)
{
    for (int k = 0; k < n; k++)
        if (a[k] != b[k])
            return 0;
    return 1;
}

/* The reference: by integers, for any nodes. */
static void reference(double *w, double *rest, const double *x, int n, double at, int deriv)
{
    int events = 0;
    if (!in_integers(w, rest, x, at, NULL, 0, n, deriv, &events))
        fail("too many limbs for the reference");
}

/* ---- double-doubles ---- */

/* An integer below 2^63 modulo 2^64, or one of any size that is a multiple of a power of two. */
static uint64_t modulo(double v)
{
    int e;
    const double m = frexp(fabs(v), &e); /* m 2^53 is an integer */
    const uint64_t whole = (uint64_t)ldexp(m, 53);
    const uint64_t size = e >= 53 ? (e - 53 < 64 ? whole << (e - 53) : 0) : whole >> (53 - e);
    return v < 0 ? 0 - size : size;
}

static double some_integer(void)
{
    const double v = (double)(rnd() >> (11 + below(53)));
    return below(2) ? v : -v;
}

static void double_doubles(void)
{
    const double u = 1.1102230246251565e-16;
    const double a = some_integer(), b = some_integer();
    const fdx_dd term = fdx_dd_two_prod(a, b), sum = fdx_dd_two_sum(a, b);
    if (term.hi != a * b || fabs(term.lo) > u * fabs(term.hi) ||
        modulo(term.hi) + modulo(term.lo) != modulo(a) * modulo(b))
        fail("two_prod");
    if (sum.hi != a + b || fabs(sum.lo) > u * fabs(sum.hi) || modulo(sum.hi) + modulo(sum.lo) != modulo(a) + modulo(b))
        fail("two_sum");

    fdx_dd x = fdx_dd_fast_two_sum(uniform() + 0.5, (uniform() - 0.5) * u);
    fdx_dd y = fdx_dd_fast_two_sum(-uniform() - 0.5, (uniform() - 0.5) * u);
    const fdx_dd back = fdx_dd_mul(fdx_dd_div(x, y), y), over = fdx_dd_add(fdx_dd_add(x, y), (fdx_dd){-y.hi, -y.lo});
    const fdx_dd twice = fdx_dd_mul_double(x, y.hi), also = fdx_dd_mul(x, (fdx_dd){y.hi, 0});
    if (fabs((back.hi - x.hi) + (back.lo - x.lo)) > 30 * u * u ||
        fabs((over.hi - x.hi) + (over.lo - x.lo)) > 10 * u * u)
        fail("div, mul and add");
    if (fabs((twice.hi - also.hi) + (twice.lo - also.lo)) > 10 * u * u)
        fail("mul_double");
}

/* ---- paths ---- */

/* n distinct nodes, in any order: integers below `limit`, or other numbers. */
static double nodes(double *x, int n, int limit)
{
    const double scale = ldexp(limit ? 1 : 1 + uniform(), below(200) - 100), shift = below(2) ? 0 : limit ? limit : 1e3;
    double v = -below(n + 1);
    for (int k = 0; k < n; k++) {
        v += limit ? 1 + below(limit / n > 0 ? limit / n : 1) : 0.05 + uniform();
        const int to = below(k + 1);
        x[k] = x[to];
        x[to] = (v + shift) * scale;
    }
    return below(4) ? x[below(n)] : shift * scale;
}

static void random_case(void)
{
    double x[FDX_MAXNODES], w[FDX_MAXNODES], rest[FDX_MAXNODES], true_w[FDX_MAXNODES], true_rest[FDX_MAXNODES];
    const int n = 1 + below(below(8) ? 9 : below(4) ? 17 : FDX_MAXNODES), whole = below(2);
    const int deriv = below(below(4) ? (n < 6 ? n : 6) : n);
    const double at = nodes(x, n, whole ? (below(2) ? 8 : 16000) : 0);
    feclearexcept(FE_ALL_EXCEPT);
    if (fdx_weights(w, rest, x, n, at, deriv) != FDX_OK)
        fail("weights of ordinary nodes");
    if (fetestexcept(FDX_FLAGS) && deriv < 7)
        fail("no exceptions of ordinary nodes");
    reference(true_w, true_rest, x, n, at, deriv);
    double largest = 0;
    for (int k = 0; k < n; k++)
        largest = fabs(true_w[k]) > largest ? fabs(true_w[k]) : largest;
    for (int k = 0; k < n; k++) {
        if (!isfinite(true_w[k]))
            continue;
        if (whole ? w[k] != true_w[k] || rest[k] != true_rest[k]
                  : fabs((w[k] - true_w[k]) + (rest[k] - true_rest[k])) > ldexp(largest, -64))
            fail(whole ? "exact weights" : "weights in double-doubles");
    }
    if (fdx_weights(x, NULL, x, n, at, deriv) != FDX_OK || !same(x, w, n))
        fail("weights in the place of the nodes");
}

/* ---- known cases ---- */

static void known(void)
{
    static const double first[4][9] = {
        {-1.0 / 2, 0, 1.0 / 2},
        {1.0 / 12, -2.0 / 3, 0, 2.0 / 3, -1.0 / 12},
        {-1.0 / 60, 3.0 / 20, -3.0 / 4, 0, 3.0 / 4, -3.0 / 20, 1.0 / 60},
        {1.0 / 280, -4.0 / 105, 1.0 / 5, -4.0 / 5, 0, 4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280}};
    static const double second[2][5] = {{1, -2, 1}, {-1.0 / 12, 4.0 / 3, -5.0 / 2, 4.0 / 3, -1.0 / 12}};
    double x[FDX_MAXNODES], w[FDX_MAXNODES], rest[FDX_MAXNODES];
    for (int k = 0; k < 9; k++)
        x[k] = k;
    for (int r = 1; r <= 4; r++)
        if (fdx_weights(w, rest, x, 2 * r + 1, r, 1) != FDX_OK || !same(w, first[r - 1], 2 * r + 1))
            fail("first derivatives");
    for (int r = 1; r <= 2; r++)
        if (fdx_weights(w, rest, x, 2 * r + 1, r, 2) != FDX_OK || !same(w, second[r - 1], 2 * r + 1))
            fail("second derivatives");
    if (rest[0] != fma(-12, w[0], -1) / 12 || rest[1] != fma(-3, w[1], 4) / 3 || rest[2] != 0)
        fail("what weights are short of");
    if (fdx_weights(w, NULL, x, 1, 1e300, 0) != FDX_OK || w[0] != 1)
        fail("one node");
}

static void refusals(void)
{
    double x[FDX_MAXNODES + 1], w[3] = {7, 8, 9}, rest[3] = {7, 8, 9};
    const double untouched[3] = {7, 8, 9};
    for (int k = 0; k <= FDX_MAXNODES; k++)
        x[k] = k;
    const double twice[3] = {1, 2, 1}, no_number[3] = {0, NAN, 1}, infinite[3] = {0, 1, -INFINITY};
    if (fdx_weights(NULL, rest, x, 3, 0, 1) != FDX_E_NULL || fdx_weights(w, rest, NULL, 3, 0, 1) != FDX_E_NULL)
        fail("NULL");
    if (fdx_weights(w, rest, x, 3, 0, 3) != FDX_E_SIZE || fdx_weights(w, rest, x, 0, 0, 0) != FDX_E_SIZE ||
        fdx_weights(w, rest, x, 3, 0, -1) != FDX_E_SIZE || fdx_weights(w, rest, x, -1, 0, -2) != FDX_E_SIZE ||
        fdx_weights(w, rest, x, FDX_MAXNODES + 1, 0, 1) != FDX_E_SIZE)
        fail("sizes");
    if (fdx_weights(w, rest, twice, 3, 0, 1) != FDX_E_NODES ||
        fdx_weights(w, rest, no_number, 3, 0, 1) != FDX_E_NODES ||
        fdx_weights(w, rest, infinite, 3, 0, 1) != FDX_E_NODES || fdx_weights(w, rest, x, 3, NAN, 1) != FDX_E_NODES ||
        fdx_weights(w, rest, x, 3, INFINITY, 1) != FDX_E_NODES)
        fail("nodes");
    double uneven[61];
    for (int k = 0; k < 61; k++)
        uneven[k] = ldexp(1, 30 * (k - 30));
    if (fdx_weights(w, rest, uneven, 61, 0, 20) != FDX_E_NODES)
        fail("very uneven nodes");
    if (!same(w, untouched, 3) || !same(rest, untouched, 3) || fetestexcept(FDX_FLAGS))
        fail("nothing done on errors");
}

static void range(void)
{
    const double tiny[3] = {-1e-300, 0, 1e-300}, huge[3] = {-1e300, 0, 1e300}, widest[3] = {-DBL_MAX, 1, DBL_MAX};
    double w[3], rest[3], true_w[3], true_rest[3];
    feclearexcept(FE_ALL_EXCEPT);
    if (fdx_weights(w, rest, tiny, 3, 0, 2) != FDX_OK || w[0] != INFINITY || w[1] != -INFINITY || rest[0] != 0 ||
        fetestexcept(FDX_FLAGS) != FE_OVERFLOW)
        fail("overflow");
    feclearexcept(FE_ALL_EXCEPT);
    if (fdx_weights(w, rest, huge, 3, 0, 2) != FDX_OK || w[0] != 0 || fetestexcept(FDX_FLAGS) != FE_UNDERFLOW)
        fail("underflow");
    feclearexcept(FE_ALL_EXCEPT);
    reference(true_w, true_rest, widest, 3, -DBL_MAX, 1);
    if (fdx_weights(w, rest, widest, 3, -DBL_MAX, 1) != FDX_OK || !same(w, true_w, 3))
        fail("the widest nodes");
    feclearexcept(FE_ALL_EXCEPT);
    if (fdx_weights(w, rest, widest, 3, -DBL_MAX, 0) != FDX_OK || w[0] != 1 || w[1] != 0 || w[2] != 0 ||
        fetestexcept(FDX_FLAGS) != 0)
        fail("no exceptions of intermediates");
}

/* Results do not depend on the caller's rounding mode, and nothing traps but exceptions that the weights raise. */
static void environments(void)
{
    static const int rounding[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (int k = 0; k < 300; k++) {
        double x[FDX_MAXNODES], w[9], rest[9], true_w[9], true_rest[9];
        const int n = 3 + below(7), deriv = below(3);
        const double at = nodes(x, n, k % 2 ? 100 : 0);
        fdx_weights(true_w, true_rest, x, n, at, deriv);
        fesetround(rounding[k % 3]);
        fdx_weights(w, rest, x, n, at, deriv);
        fesetround(FE_TONEAREST);
        if (!same(w, true_w, n) || !same(rest, true_rest, n))
            fail("another rounding mode");
#if defined(__GLIBC__) && defined(__x86_64__)
        fenv_t before;
        feholdexcept(&before);
        feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW | FE_INEXACT);
        fdx_weights(w, rest, x, n, at, deriv);
        fesetenv(&before);
        if (!same(w, true_w, n) || !same(rest, true_rest, n))
            fail("where exceptions trap");
#endif
    }
}

int main(int argc, char **argv)
{
    const long cases = argc > 1 ? atol(argv[1]) : 20000;
    state = argc > 2 ? strtoull(argv[2], NULL, 0) : 0x9E3779B97F4A7C15u;
    known();
    refusals();
    range();
    environments();
    for (long i = 0; i < cases; i++) {
        double_doubles();
        random_case();
    }
    printf("%ld sets of nodes: the weights of long integers\n", cases);
    return 0;
}
