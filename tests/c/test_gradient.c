/* fdx_gradient against a reference implementation that computes one point at a time: random dtypes, shapes, strides,
 * byte orders, alignments, spacings, edge orders, instruction sets and numbers of parts. Outputs are surrounded by
 * guard bytes, and every allocation has exactly its size, so that a sanitizer sees each access outside it.
 *
 *     test_gradient [cases] [seed]
 */
#define _GNU_SOURCE /* feenableexcept */
#include <fenv.h>

#include "fdx_fenv.h"
#include "random_arrays.h"

/* ---- the reference implementation: np.gradient's formulas for one point ---- */

typedef struct {
    double h;
    fdx_precision precision;
    int has_x, x_dtype, x_swapped, uniform;
    array x;
    ptrdiff_t n;
} grid;

static double coordinate(const grid *g, ptrdiff_t i)
{
    return get(g->x_dtype, g->x_swapped, g->x.data + i * g->x.stride[0], 0);
}

static double three_points(int c, int s, const double w[3], const double re[3], const double im[3], int part, int cplx)
{
    double chain[3];
    for (int k = 0; k < 3; k++) {
        if (!cplx)
            chain[k] = mul(c, w[k], re[k]);
        else if (part == 0)
            chain[k] = sub(c, mul(c, w[k], re[k]), mul(c, 0, im[k]));
        else
            chain[k] = add(c, mul(c, w[k], im[k]), mul(c, 0, re[k]));
    }
    return round_to(s, add(c, add(c, chain[0], chain[1]), chain[2]));
}

static double divided(int c, int s, double h, const double lo[2], const double hi[2], int part, int cplx)
{
    const double re = sub(s, hi[0], lo[0]), im = cplx ? sub(s, hi[1], lo[1]) : 0;
    if (!cplx)
        return round_to(s, quo(c, re, h));
    if (h == 0)
        return round_to(s, quo(c, part ? im : re, 0));
    const double ratio = quo(c, 0, h), scale = quo(c, 1, add(c, h, mul(c, 0, ratio)));
    return round_to(s,
                    part ? mul(c, sub(c, im, mul(c, re, ratio)), scale) : mul(c, add(c, re, mul(c, im, ratio)), scale));
}

static double point(int ndim, const ptrdiff_t *shape, const array *f, int dtype, int swapped, const ptrdiff_t *index,
                    int axis, const grid *g, int edge_order, int part)
{
    const int s = is_single(dtype), cplx = is_complex(dtype);
    const ptrdiff_t n = shape[axis], i = index[axis];
    ptrdiff_t first = i == 0 ? 0 : i == n - 1 ? n - 1 - edge_order : i - 1; /* the leftmost neighbour */
    double re[3] = {0, 0, 0}, im[3] = {0, 0, 0};
    for (int k = 0; k < 3 && first + k < n; k++) {
        ptrdiff_t there[MAXN];
        memcpy(there, index, sizeof there);
        there[axis] = first + k;
        re[k] = get(dtype, swapped, at(f, ndim, there), 0);
        im[k] = cplx ? get(dtype, swapped, at(f, ndim, there), 1) : 0;
    }
    const int edge = i == 0 || i == n - 1;
    const int last = edge && edge_order == 1 ? 1 : 2;
    const double lo[2] = {re[0], im[0]}, hi[2] = {re[last], im[last]};

    double h = g->h;
    int hs = g->precision == FDX_SINGLE; /* h is a float32 */
    const int xs = g->has_x && g->x_dtype == FDX_F32;
    if (g->has_x) {
        hs = xs;
        h = sub(xs, coordinate(g, 1), coordinate(g, 0));
    }
    const int weak = !g->has_x && g->precision == FDX_WEAK;
    const int c = s && (weak || hs); /* computed in single precision */

    if (!g->has_x || g->uniform) {
        if (!edge)
            return divided(c, s, round_to((weak && s) || hs, mul(hs, 2, h)), lo, hi, part, cplx);
        if (edge_order == 1)
            return divided(c, s, round_to(weak && s, h), lo, hi, part, cplx);
        const double up[3] = {-1.5, 2, -0.5}, down[3] = {0.5, -2, 1.5};
        double w[3];
        for (int k = 0; k < 3; k++)
            w[k] = round_to(weak && s, quo(hs, i == 0 ? up[k] : down[k], h));
        return three_points(c, s, w, re, im, part, cplx);
    }
    if (edge && edge_order == 1)
        return divided(c, s, sub(xs, coordinate(g, first + 1), coordinate(g, first)), lo, hi, part, cplx);
    const double d1 = sub(xs, coordinate(g, first + 1), coordinate(g, first));
    const double d2 = sub(xs, coordinate(g, first + 2), coordinate(g, first + 1));
    const double sum = add(xs, d1, d2);
    double w[3];
    if (i == 0) {
        w[0] = quo(xs, -add(xs, mul(xs, 2, d1), d2), mul(xs, d1, sum));
        w[1] = quo(xs, sum, mul(xs, d1, d2));
        w[2] = quo(xs, -d1, mul(xs, d2, sum));
    } else if (i == n - 1) {
        w[0] = quo(xs, d2, mul(xs, d1, sum));
        w[1] = quo(xs, -sum, mul(xs, d1, d2));
        w[2] = quo(xs, add(xs, mul(xs, 2, d2), d1), mul(xs, d2, sum));
    } else {
        w[0] = quo(xs, -d2, mul(xs, d1, sum));
        w[1] = quo(xs, sub(xs, d2, d1), mul(xs, d1, d2));
        w[2] = quo(xs, d1, mul(xs, d2, sum));
    }
    return three_points(c, s, w, re, im, part, cplx);
}

/* ---- one random case ---- */

static void random_case(const fdx_isa *isa)
{
    const int ndim = 1 + below(MAXN), dtype = FDX_I8 + below(FDX_NDTYPES - FDX_I8), swapped = below(3) == 0,
              edge_order = 1 + below(2);
    const int result = fdx_result_dtype(dtype), parts_per_element = is_complex(dtype) ? 2 : 1;
    ptrdiff_t shape[MAXN], index[MAXN] = {0};
    int length = ndim == 1 ? 700 : ndim == 2 ? 40 : 8;
    ordinary = below(2);
    for (int d = 0; d < ndim; d++)
        shape[d] = 1 + below(length);
    const int naxes = 1 + below(ndim);
    for (int d = 0; d < naxes; d++)
        shape[d] += edge_order;

    array f = make(ndim, shape, dtype);
    do
        put_random(dtype, swapped, at(&f, ndim, index));
    while (next(ndim, shape, index));

    /* A box of the results, sometimes the only ones that have memory. */
    const int boxed = below(4) == 0, alone = boxed && below(2), adds = below(4) == 0;
    double alpha_beta[2];
    draw_alpha_beta(alpha_beta);
    ptrdiff_t lo[MAXN] = {0}, hi[MAXN], box[MAXN];
    for (int d = 0; d < ndim; d++) {
        lo[d] = boxed && below(3) ? below((int)shape[d]) : 0;
        hi[d] = boxed && below(3) ? lo[d] + 1 + below((int)(shape[d] - lo[d])) : shape[d];
        box[d] = hi[d] - lo[d];
    }
    char *before[MAXN];
    fdx_gradient_axis axes[MAXN];
    array out[MAXN];
    grid g[MAXN];
    for (int k = 0; k < naxes; k++) {
        const int axis = naxes - 1 - k;
        const ptrdiff_t n = shape[axis];
        fdx_status status;
        g[k].has_x = below(2);
        g[k].n = n;
        g[k].h = below(2) ? 0.137 : ldexp(below(1000) - 500, below(40) - 20);
        g[k].precision = (fdx_precision)below(3);
        if (g[k].precision == FDX_SINGLE)
            g[k].h = (float)g[k].h;
        if (g[k].has_x) {
            g[k].x_dtype = FDX_I8 + below(FDX_F64);
            g[k].x_swapped = below(3) == 0;
            g[k].x = make(1, &n, g[k].x_dtype);
            const int even = below(4) == 0;
            for (ptrdiff_t i = 0; i < n; i++) {
                char *to = g[k].x.data + i * g[k].x.stride[0];
                put_random(g[k].x_dtype, g[k].x_swapped, to);
                if (even && g[k].x_dtype == FDX_U8)
                    *to = (char)(n < 80 ? 3 * i : 7);
            }
            const int xs = g[k].x_dtype == FDX_F32;
            const double d = sub(xs, coordinate(&g[k], 1), coordinate(&g[k], 0));
            g[k].uniform = 1;
            for (ptrdiff_t i = 0; i + 1 < n; i++)
                g[k].uniform &= sub(xs, coordinate(&g[k], i + 1), coordinate(&g[k], i)) == d;
            const fdx_array x = {g[k].x.data, g[k].x.stride, (uint8_t)g[k].x_dtype, (uint8_t)g[k].x_swapped};
            status = fdx_gradient_coords(&axes[k], dtype, &x, n, edge_order, isa);
        } else {
            status = fdx_gradient_uniform(&axes[k], dtype, g[k].h, g[k].precision, edge_order);
        }
        if (status != FDX_OK)
            fail(fdx_status_message(status));
        axes[k].axis = axis;
        axes[k].out.dtype = (uint8_t)result;
        axes[k].out.swapped = (uint8_t)(below(4) == 0);
        out[k] = make(ndim, alone ? box : shape, result);
        do
            if (adds)
                put_random(result, axes[k].out.swapped, at(&out[k], ndim, index));
        while (next(ndim, alone ? box : shape, index));
        before[k] = memcpy(malloc(out[k].bytes), out[k].memory, out[k].bytes);
        for (int d = 0; d < ndim && alone; d++)
            out[k].data -= lo[d] * out[k].stride[d];
        axes[k].out.data = out[k].data;
        axes[k].out.stride = out[k].stride;
    }

    const fdx_gradient call = {ndim,
                               shape,
                               {f.data, f.stride, (uint8_t)dtype, (uint8_t)swapped},
                               naxes,
                               axes,
                               isa,
                               boxed ? lo : NULL,
                               boxed ? hi : NULL,
                               adds ? alpha_beta : NULL,
                               (uint8_t)below(2)};
    const int nparts = below(2) ? 1 : 1 + below(9);
    for (int part = nparts - 1; part >= 0; part--) {
        const fdx_status status = fdx_gradient_apply_part(&call, part, nparts);
        if (status != FDX_OK)
            fail(fdx_status_message(status));
    }

    for (int k = 0; k < naxes; k++) {
        ptrdiff_t in_box[MAXN] = {0};
        do {
            for (int d = 0; d < ndim; d++)
                index[d] = lo[d] + in_box[d];
            char *p = at(&out[k], ndim, index), *was = before[k] + (p - out[k].memory);
            for (int part = 0; part < parts_per_element; part++) {
                const int one = is_single(result);
                double expected = point(ndim, shape, &f, dtype, swapped, index, axes[k].axis, &g[k], edge_order, part);
                if (adds)
                    expected = with_alpha_beta(one, alpha_beta, expected, get(result, axes[k].out.swapped, was, part));
                const double got = get(result, axes[k].out.swapped, p, part);
                if (!same(expected, got)) {
                    fprintf(stderr, "%s: dtype %d, axis %d of %d, index %ld of %ld, edge_order %d: %.17g, not %.17g\n",
                            fdx_isa_name(isa), dtype, axes[k].axis, ndim, (long)index[axes[k].axis],
                            (long)shape[axes[k].axis], edge_order, got, expected);
                    fail("a value");
                }
            }
            memcpy(p, was, (size_t)fdx_itemsize(result));
        } while (next(ndim, box, in_box));
        if (memcmp(out[k].memory, before[k], out[k].bytes) != 0)
            fail("a write outside the output");
        free(out[k].memory);
        free(before[k]);
        if (g[k].has_x)
            free(g[k].x.memory);
    }
    free(f.memory);
}

/* ---- floating-point flags ---- */

static void quiet(const char *what)
{
    if (fetestexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW | FE_UNDERFLOW))
        fail(what);
}

/* Leave numbers on the stack that are subnormal in single precision. */
#ifdef __GNUC__
__attribute__((noinline))
#endif
static void litter(void)
{
    volatile double below[16384];
    for (int i = 0; i < 16384; i++)
        below[i] = 1e-42;
    (void)below[0];
}

/* Rounding alpha to single precision raises its exception, whatever is pending. */
static void flags_of_alpha(const fdx_isa *isa)
{
    static const double alpha_beta[2] = {1e300, 1};
    static const ptrdiff_t n = 4, step = sizeof(float);
    static float f[4] = {1, 2, 4, 8}, out[4];
    fdx_gradient_axis along;
    if (fdx_gradient_uniform(&along, FDX_F32, 1, FDX_WEAK, 1) != FDX_OK)
        fail("a uniform gradient");
    along.axis = 0;
    along.out = (fdx_array){out, &step, FDX_F32, 0};
    const fdx_gradient call = {1, &n, {f, &step, FDX_F32, 0}, 1, &along, isa, NULL, NULL, alpha_beta, 0};
    for (int before = 0; before < 2; before++) {
        feclearexcept(FE_ALL_EXCEPT);
        feraiseexcept(before ? FE_DIVBYZERO : 0);
        if (fdx_gradient_apply(&call) != FDX_OK || !fetestexcept(FE_OVERFLOW) || !fetestexcept(FE_DIVBYZERO) != !before)
            fail("the flags of a number that is added by");
    }
    feclearexcept(FE_ALL_EXCEPT);
}

/* Ordinary data raises no exception but "inexact", whatever memory contains that a function has not set. */
static void whole_calls(const fdx_isa *isa)
{
    enum { MOST = 2000 };
    static const double spacings[] = {1, 0.3, -7};
    static float f[MOST], out[MOST];
    for (int i = 0; i < MOST; i++)
        f[i] = 1 + 1.5f * (float)(i % 100);
    for (ptrdiff_t n = 3; n <= MOST; n += n < 150 ? 1 : 50)
        for (int k = 0; k < 6; k++) {
            const ptrdiff_t line[1] = {n}, rows[2] = {n / 3, 3}, step[1] = {sizeof(float)};
            const ptrdiff_t steps[2] = {3 * sizeof(float), sizeof(float)};
            const int ndim = n >= 9 && n % 2 == 0 ? 2 : 1;
            fdx_gradient_axis along;
            if (fdx_gradient_uniform(&along, FDX_F32, spacings[k % 3], FDX_WEAK, 1 + k / 3) != FDX_OK)
                fail("a uniform gradient");
            along.axis = k % ndim;
            along.out = (fdx_array){out, ndim == 1 ? step : steps, FDX_F32, 0};
            const fdx_gradient call = {
                ndim, ndim == 1 ? line : rows, {f, along.out.stride, FDX_F32, 0}, 1, &along, isa, NULL, NULL, NULL, 0};
            feclearexcept(FE_ALL_EXCEPT);
            litter();
            if (fdx_gradient_apply(&call) != FDX_OK)
                fail("a call on ordinary data");
            quiet("flags of a call");
        }
}

/* The same for each loop, however much of a vector register a row fills. */
static void flags(const fdx_isa *isa)
{
    enum { MOST = 140 };
    union {
        double d[2 * (MOST + 2)];
        float f[2 * (MOST + 2)];
    } data, y, coords;
    double w[FDX_NWEIGHTS] = {0.5, 0.25, 0.75}, made[FDX_NWEIGHTS][MOST];
    double *const make_w[FDX_NWEIGHTS] = {made[0], made[1], made[2]};
    for (ptrdiff_t n = 1; n <= MOST; n++) {
        for (int row = 0; row < FDX_NROWS; row++) {
            const int single = row != FDX_ROW_F64 && row != FDX_ROW_C128;
            const int parts = row == FDX_ROW_F32 || row == FDX_ROW_F64 || row == FDX_ROW_F32_MIXED ? 1 : 2;
            const void *x[FDX_NWEIGHTS];
            const double *weights[FDX_NWEIGHTS];
            for (int k = 0; k < FDX_NWEIGHTS; k++) {
                x[k] = single ? (const void *)(data.f + parts * k) : (const void *)(data.d + parts * k);
                weights[k] = made[k];
            }
            for (int i = 0; i < 2 * (MOST + 2); i++) {
                if (single)
                    data.f[i] = 1 + 1.5f * (float)i;
                else
                    data.d[i] = 1 + 1.5 * i;
            }
            for (int i = 0; i < MOST; i++)
                made[0][i] = made[1][i] = made[2][i] = 0.5;
            feclearexcept(FE_ALL_EXCEPT);
            for (int k = 0; k < 2; k++) {
                fdx_divisor d = {k == 0 ? 3.5 : -4, 0, 0, 0, 0, 0, 0};
                const int way = isa->rows[row].of.prepare == NULL ? FDX_DIVIDE : isa->rows[row].of.prepare(&d);
                quiet("flags of a divisor");
                isa->rows[row].of.quotient[FDX_DIVIDE](&y, x[0], x[1], n, &d);
                quiet("flags of a quotient");
                isa->rows[row].of.quotient[way](&y, x[0], x[2], n, &d);
                quiet("flags of a quotient without division");
            }
            isa->rows[row].weighted(&y, x, n, w);
            quiet("flags of weighted sums");
            isa->rows[row].varying(&y, x, n, weights);
            quiet("flags of streamed weights");
            const int mixed = row != FDX_ROW_F32 && row != FDX_ROW_C64;
            for (int i = 0; i < MOST + 2; i++) {
                if (mixed)
                    coords.d[i] = 1 + i * i;
                else
                    coords.f[i] = 1 + (float)(i * i);
            }
            isa->rows[row].spaced(&y, x, n, &coords);
            quiet("flags of coordinates");
        }
        for (int c = 0; c < 2; c++) {
            for (int i = 0; i < MOST + 2; i++) {
                if (c == 0)
                    data.f[i] = 1 + (float)(i * i);
                else
                    data.d[i] = 1 + i * i;
            }
            feclearexcept(FE_ALL_EXCEPT);
            isa->coords[c].weights(make_w, &data, n);
            quiet("flags of weights");
            isa->coords[c].edges(w, made[0], &data, &data);
            quiet("flags of weights of edges");
        }
    }
    for (int dtype = FDX_I8; dtype < FDX_NDTYPES; dtype++)
        for (int edge_order = 1; edge_order <= 2; edge_order++)
            for (int precision = FDX_WEAK; precision <= FDX_DOUBLE; precision++) {
                fdx_gradient_axis along;
                feclearexcept(FE_ALL_EXCEPT);
                fdx_gradient_uniform(&along, dtype, 7, (fdx_precision)precision, edge_order);
                quiet("flags of a uniform spacing");
            }
}

/* With traps, no exception is raised that the formula does not raise: each would end the program. */
static void traps(const fdx_isa *isa)
{
#ifdef __GLIBC__
    enum { ROWS = 3000, N = 5 };
    static double f[ROWS * N], out[ROWS * N], trapped[ROWS * N];
    static const double row[N] = {-1e308, 1, 1e-300, 1e308, 1e307}; /* differences between rows overflow */
    const ptrdiff_t shape[2] = {ROWS, N}, stride[2] = {N * sizeof(double), sizeof(double)};
    fdx_gradient_axis along;
    if (fdx_gradient_uniform(&along, FDX_F64, 3, FDX_WEAK, 1) != FDX_OK)
        fail("a uniform gradient");
    along.axis = 1;
    along.out = (fdx_array){out, stride, FDX_F64, 0};
    const fdx_gradient call = {2, shape, {f, stride, FDX_F64, 0}, 1, &along, isa, NULL, NULL, NULL, 0};
    for (int set = 0; set < 2; set++) {
        for (int i = 0; i < ROWS * N; i++)
            f[i] = set == 0 ? row[i % N] : 1e-300 * (i % 7); /* remainders are subnormal */
        if (set == 0)
            f[N] = (double)INFINITY; /* remainders of infinite quotients are NaN */
        along.out.data = out;
        if (fdx_gradient_apply(&call) != FDX_OK)
            fail("a call where nothing traps");
        along.out.data = trapped;
        fenv_t before;
        feholdexcept(&before);
        if (set == 0)
            feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW);
#ifdef __SSE2__
        else
            _mm_setcsr(_mm_getcsr() & ~(unsigned)_MM_MASK_DENORM);
#endif
        const fdx_status status = fdx_gradient_apply(&call);
        fesetenv(&before);
        if (status != FDX_OK || memcmp(out, trapped, sizeof out) != 0)
            fail("a call where exceptions trap");
    }
#else
    (void)isa;
#endif
}

/* ---- quotients without division ---- */

/* (a b + 4) / 2^shift rounded down, in 128 bits, without a type for these. */
static uint64_t shifted_product(uint64_t a, uint64_t b, int shift)
{
    const uint64_t mask = 0xffffffffu, low = (a & mask) * (b & mask), middle = (a >> 32) * (b & mask) + (low >> 32);
    const uint64_t other = (a & mask) * (b >> 32) + (middle & mask), bottom = (other << 32 | (low & mask)) + 4;
    const uint64_t top = (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32) + (bottom < 4);
    return top << (64 - shift) | bottom >> shift;
}

/* A number of any sign and magnitude, sometimes a special one; or one whose quotient by h is close to half-way between
 * two numbers of that precision, where rounding is hardest. */
static double numerator(int single, double h)
{
    const double special[] = {0.0, -0.0, 1.0, -1.0, 1e-320, -1e-40, 1e308, 3e38, INFINITY, -INFINITY, NAN, 0x1p-1022};
    const int bits = single ? 24 : 53, kind = below(16);
    if (kind == 0)
        return round_to(single, special[below(12)]);
    if (kind < 8) {
        /* With h = D 2^e and D odd, M D - r = A 2^(bits + 1) has a solution M for any r; then A / D is M - r/D, M being
         * an odd number of one digit too many: next to the middle between two numbers. */
        int exponent;
        uint64_t odd = (uint64_t)ldexp(frexp(fabs(h), &exponent), bits), inverse = 1;
        const uint64_t mask = ((uint64_t)1 << (bits + 1)) - 1;
        while (odd % 2 == 0 && odd != 0)
            odd /= 2;
        for (int k = 0; k < 6; k++)
            inverse *= 2 - odd * inverse;
        const uint64_t r = (uint64_t)(2 * below(4) + 1), middle = (below(2) ? r : -r) * inverse & mask;
        const double size = (double)shifted_product(middle, odd, bits + 1);
        return ldexp(below(2) ? -size : size, below(20) - bits);
    }
    const double size =
        ldexp((double)(rnd() >> 11), kind < 12 ? -below(60) : (single ? -150 : -1070) + below(single ? 220 : 2000));
    return round_to(single, below(2) ? -size : size);
}

/* Every method gives the bits of a division in any block where it raises no exception; and where a division raises one,
 * it does, too. */
static void quotients(const fdx_isa *isa, long cases)
{
    enum { MOST = 300 };
    static union {
        double d[MOST];
        float f[MOST];
    } lo, hi, y, expected;
    static const int rows[] = {FDX_ROW_F32, FDX_ROW_F64, FDX_ROW_F32_MIXED};
    long used = 0;
    for (long i = 0; i < cases; i++) {
        const int row = rows[below(3)], stored = row != FDX_ROW_F64, computed = row == FDX_ROW_F32;
        const fdx_rows *r = &isa->rows[row];
        const double mantissa = below(4) ? 1 + (double)(rnd() >> 12) / 0x1p52 : below(2) ? 2 - 0x1p-23 * below(8) : 1;
        const double h =
            round_to(computed, ldexp(below(2) ? -mantissa : mantissa, below(8) ? below(40) - 20 : below(1200) - 600));
        fdx_divisor d = {h, 0, 0, 0, 0, 64, below(2)};
        const int way = r->of.prepare(&d), n = 1 + below(MOST - 2), shifted = below(2);
        const int tame = below(4) != 0; /* otherwise most blocks raise an exception */
        for (int k = 0; k < MOST; k++) {
            double a = numerator(stored, h);
            while (tame && !(fabs(a) < 1e25 && (a == 0 || fabs(a) > 1e-10)))
                a = numerator(stored, h);
            /* lo or hi is zero, so that the difference is the number drawn */
            const int zero = shifted ? k / 2 % 2 : 1;
            if (stored)
                lo.f[k] = zero ? 0 : (float)a, hi.f[k] = (float)a;
            else
                lo.d[k] = zero ? 0 : a, hi.d[k] = a;
        }
        const void *x0 = &lo, *x1 = &hi;
        if (shifted)
            x1 = stored ? (const void *)(lo.f + 2) : (const void *)(lo.d + 2);
        feclearexcept(FE_ALL_EXCEPT);
        r->of.quotient[FDX_DIVIDE](&expected, x0, x1, n, &d);
        const unsigned divided = fdx_flags();
        feclearexcept(FE_ALL_EXCEPT);
        r->of.quotient[way](&y, x0, x1, n, &d);
        const unsigned flags = fdx_flags();
        if (way == FDX_SCALE && flags != divided)
            fail("flags of a scaled difference");
        if (way == FDX_CORRECT && flags == 0 && divided != 0)
            fail("a flag that a corrected quotient lacks");
        if (way == FDX_CORRECT && flags != 0)
            continue;
        used += way == FDX_CORRECT;
        for (int k = 0; k < n; k++) {
            const int equal = stored ? same(y.f[k], expected.f[k]) : same(y.d[k], expected.d[k]);
            if (!equal) {
                fprintf(stderr, "%s: row %d, element %d of %d, divisor %a: %a, not %a\n", fdx_isa_name(isa), row, k, n,
                        h, stored ? y.f[k] : y.d[k], stored ? expected.f[k] : expected.d[k]);
                fail("a quotient");
            }
        }
    }
    if (used < cases / 8 && isa->rows[FDX_ROW_F64].of.quotient[FDX_CORRECT] != NULL)
        fail("too few quotients were tried");
}

/* ---- refusals ---- */

static double refused_in[12], refused_out[12];

static void refuse(fdx_gradient call, fdx_gradient_axis along, fdx_status expected, const char *what)
{
    call.axes = &along;
    for (int i = 0; i < 12; i++)
        refused_out[i] = 7;
    if (fdx_gradient_apply(&call) != expected)
        fail(what);
    for (int i = 0; i < 12; i++)
        if (refused_out[i] != 7)
            fail("an output touched by a refused call");
}

static void refusals(const fdx_isa *isa)
{
    const ptrdiff_t shape[2] = {3, 4}, stride[2] = {32, 8}, short_shape[2] = {1, 4}, negative[2] = {-1, 4};
    const ptrdiff_t one[2] = {1, 1};
    fdx_gradient_axis along;
    if (fdx_gradient_uniform(&along, FDX_F64, 1, FDX_WEAK, 2) != FDX_OK)
        fail("a uniform gradient");
    along.axis = 0;
    along.out.data = refused_out;
    along.out.stride = stride;
    along.out.dtype = FDX_F64;
    along.out.swapped = 0;
    const fdx_gradient good = {2, shape, {refused_in, stride, FDX_F64, 0}, 1, NULL, isa, NULL, NULL, NULL, 0};
    fdx_gradient call;
    fdx_gradient_axis bad;

#define CALL(change, status) (call = good, call.change, refuse(call, along, status, #change))
#define AXIS(change, status) (bad = along, bad.change, refuse(good, bad, status, #change))
    CALL(ndim = 0, FDX_E_NDIM);
    CALL(ndim = FDX_MAXDIM + 1, FDX_E_NDIM);
    CALL(shape = NULL, FDX_E_NULL);
    CALL(shape = negative, FDX_E_SHAPE);
    CALL(shape = short_shape, FDX_E_SIZE);
    CALL(in.data = NULL, FDX_E_NULL);
    CALL(in.dtype = FDX_NDTYPES, FDX_E_DTYPE);
    CALL(in.dtype = 0, FDX_E_DTYPE);
    CALL(in.dtype = FDX_F32, FDX_E_DTYPE);
    CALL(in.data = refused_out + 3, FDX_E_OVERLAP);
    CALL(naxes = 0, FDX_E_COUNT);
    CALL(naxes = FDX_MAXDIM + 1, FDX_E_COUNT);
    CALL(isa = NULL, FDX_E_NULL);
    CALL(hi = shape, FDX_E_BOX);
    CALL(lo = negative, FDX_E_BOX);
    const struct {
        const ptrdiff_t *lo, *hi;
    } boxes[] = {{negative, shape}, {shape, one}, {one, stride}};
    for (int k = 0; k < 3; k++) {
        call = good;
        call.lo = boxes[k].lo;
        call.hi = boxes[k].hi;
        refuse(call, along, FDX_E_BOX, "a box");
    }
    AXIS(axis = -1, FDX_E_AXIS);
    AXIS(axis = 2, FDX_E_AXIS);
    AXIS(out.data = NULL, FDX_E_NULL);
    AXIS(out.dtype = FDX_F32, FDX_E_DTYPE);
    AXIS(out.stride = one, FDX_E_OVERLAP);
    AXIS(n = 4, FDX_E_SIZE);
    along.x.stride = NULL;
    AXIS(interior.formula = FDX_SPACED, FDX_E_STENCIL);
    AXIS(interior.formula = 77, FDX_E_STENCIL);
    AXIS(first.off[0] = -1, FDX_E_STENCIL);
    AXIS(last.off[2] = 1, FDX_E_STENCIL);

    /* An error in the second axis is found before anything is written. */
    fdx_gradient_axis two[2] = {along, along};
    double other_out[12], coordinate[3] = {0, 1, 3};
    two[1].out.data = other_out;
    two[1].axis = 1000;
    two[1].x.data = coordinate;
    call = good;
    call.naxes = 2;
    call.axes = two;
    if (fdx_gradient_apply(&call) != FDX_E_NULL)
        fail("coordinates without a stride");
    two[1].x.stride = stride;
    two[1].x.dtype = FDX_F64;
    if (fdx_gradient_apply(&call) != FDX_E_AXIS)
        fail("a second operator's axis");
    two[1].axis = 0;
    two[1].x.data = other_out;
    if (fdx_gradient_apply(&call) != FDX_E_OVERLAP)
        fail("coordinates inside an output");

    call = good;
    call.axes = &along;
    if (fdx_gradient_apply_part(&call, 0, 0) != FDX_E_PART || fdx_gradient_apply_part(&call, -1, 2) != FDX_E_PART ||
        fdx_gradient_apply_part(&call, 2, 2) != FDX_E_PART || fdx_gradient_apply(NULL) != FDX_E_NULL)
        fail("parts");

    double x[3] = {0, 1, 3};
    const ptrdiff_t x_stride[1] = {8};
    const fdx_array coords = {x, x_stride, FDX_F64, 0}, complex_coords = {x, x_stride, FDX_C128, 0};
    if (fdx_gradient_coords(&along, FDX_F64, &complex_coords, 3, 1, isa) != FDX_E_DTYPE ||
        fdx_gradient_coords(&along, FDX_F64, &coords, 2, 2, isa) != FDX_E_SIZE ||
        fdx_gradient_coords(&along, FDX_F64, &coords, 3, 3, isa) != FDX_E_EDGE ||
        fdx_gradient_coords(&along, 99, &coords, 3, 1, isa) != FDX_E_DTYPE ||
        fdx_gradient_coords(&along, FDX_F64, NULL, 3, 1, isa) != FDX_E_NULL ||
        fdx_gradient_uniform(NULL, FDX_F64, 1, FDX_WEAK, 1) != FDX_E_NULL)
        fail("refusals of spacings");
    for (int status = FDX_OK; status <= FDX_E_NODES + 1; status++)
        if (strlen(fdx_status_message((fdx_status)status)) < 8)
            fail("a message");
}

int main(int argc, char **argv)
{
    const long cases = argc > 1 ? atol(argv[1]) : 20000;
    state = argc > 2 ? strtoull(argv[2], NULL, 0) : 0x9E3779B97F4A7C15u;
    int tables = 0;
    if (fdx_isa_find("auto") == NULL || fdx_isa_find("none") != NULL || fdx_isa_find(NULL) != NULL)
        fail("fdx_isa_find");
    for (const char *const *name = fdx_isa_names(); *name != NULL; name++) {
        const fdx_isa *isa = fdx_isa_find(*name);
        if (isa == NULL)
            continue;
        if (strcmp(fdx_isa_name(isa), *name) != 0)
            fail("fdx_isa_name");
        tables++;
        refusals(isa);
        flags(isa);
        whole_calls(isa);
        flags_of_alpha(isa);
        traps(isa);
        quotients(isa, cases);
        for (long i = 0; i < cases; i++)
            random_case(isa);
    }
    printf("%ld cases on each of %d instruction sets: the reference implementation's bits, nothing written outside\n",
           cases, tables);
    return 0;
}
