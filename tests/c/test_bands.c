/* Bands against dense matrices: derivatives over arrays that are padded as np.pad does, in long double; transposes and
 * products entry by entry. Every allocation has exactly the size that was asked for, so that a sanitizer sees each
 * access outside it.
 *
 *     test_bands [cases] [seed]
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdx.h"
#include "random_numbers.h"

enum { MAXN = 40, PAD = 32, LINE = MAXN + 2 * PAD };

typedef struct {
    double at[MAXN][MAXN];
} matrix;

static const char *doing = "";
static double coordinates[MAXN];
static fdx_derivative spec; /* of the last band */

static double between(double lo, double hi)
{
    return lo + (hi - lo) * ((double)(rnd() >> 11) / 0x1p53);
}

/* The name of table k of this build; NULL, which means "base", if there are fewer. */
static const char *table_name(int k)
{
    const char *const *name = fdx_isa_names();
    while (*name != NULL && k-- > 0)
        name++;
    return *name;
}

static void fail(const char *what)
{
    fprintf(stderr,
            "FAILED: %s (%s); last: n %td, deriv %d, accuracy %d, boundaries %d %d, scale %a, spacing %a, "
            "coordinates %d, period %a\n",
            what, doing, spec.n, spec.deriv, spec.accuracy, spec.left, spec.right, spec.scale, spec.spacing,
            spec.x != NULL, spec.period);
    exit(1);
}

/* ---- entries and summation orders ---- */

static const fdx_stencil *row_of(const fdx_band *band, ptrdiff_t i, ptrdiff_t *nth)
{
    *nth = 0;
    if (i < band->nfirst)
        return &band->first[i];
    if (i >= band->rows - band->nlast)
        return &band->last[i - (band->rows - band->nlast)];
    *nth = i - band->nfirst;
    return &band->interior;
}

static double weight(const fdx_stencil *r, ptrdiff_t nth, int k)
{
    return r->w[k * r->weight_step + nth * r->row_step];
}

/* The sum of a row for a 1 at its centre and 0 elsewhere. */
static double of_a_unit(const fdx_stencil *r, ptrdiff_t nth)
{
    double sum = 0;
    int chains = 0;
    if (r->summation == FDX_SUM_DIFFERENCES) {
        for (int k = 0; k < r->count; k++)
            if (k != r->centre) {
                const double chain = weight(r, nth, k) * (0.0 - 1.0);
                sum = chains++ == 0 ? chain : sum + chain;
            }
        return sum;
    }
    if (r->count % 2 == 0) /* about the midpoint of the centre and the next one */
        return weight(r, nth, r->centre + 1) * (0.0 - 1.0);
    for (int j = 1; j <= r->centre; j++) {
        const double chain = weight(r, nth, r->centre + j) *
                             (r->summation == FDX_SUM_ANTISYMMETRIC ? 0.0 - 0.0 : (0.0 - 1.0) - (1.0 - 0.0));
        sum = j == 1 ? chain : sum + chain;
    }
    return sum;
}

static void check_row(const fdx_band *band, ptrdiff_t i, const fdx_stencil *r, ptrdiff_t nth)
{
    if (r->count < 1 || r->centre < (r->summation == FDX_SUM_PLAIN ? -1 : 0) || r->centre >= r->count)
        fail("the neighbours of a row");
    if (i >= 0 && !band->periodic && (i + r->offset < 0 || i + r->offset + r->count > band->columns))
        fail("a row reaches outside");
    if (r->summation != FDX_SUM_PLAIN && weight(r, nth, r->centre) != of_a_unit(r, nth))
        fail("the weight of the point itself");
    if (r->summation != FDX_SUM_ANTISYMMETRIC && r->summation != FDX_SUM_SYMMETRIC)
        return;
    if (r->centre != (r->count - 1) / 2 || (r->summation == FDX_SUM_SYMMETRIC && r->count % 2 == 0))
        fail("a symmetric row that is not");
    for (int k = r->centre + 1; k < r->count; k++)
        if (weight(r, nth, r->count - 1 - k) != (r->summation == FDX_SUM_ANTISYMMETRIC ? -1 : 1) * weight(r, nth, k))
            fail("the symmetry of a row");
}

static void dense(const fdx_band *band, matrix *out)
{
    memset(out, 0, sizeof *out);
    if (band->rows < 1 || band->rows > MAXN || band->columns < 1 || band->columns > MAXN || band->nfirst < 0 ||
        band->nlast < 0 || band->nfirst + band->nlast > band->rows ||
        (band->periodic && (band->nfirst != 0 || band->nlast != 0 || band->interior.count > band->columns)))
        fail("the outline of a band");
    if (band->interior.row_step == 0)
        check_row(band, -1, &band->interior, 0);
    for (ptrdiff_t i = 0; i < band->rows; i++) {
        ptrdiff_t nth;
        const fdx_stencil *r = row_of(band, i, &nth);
        check_row(band, i, r, nth);
        for (int k = 0; k < r->count; k++) {
            const ptrdiff_t c = i + r->offset + k;
            out->at[i][(c + band->columns) % band->columns] = weight(r, nth, k);
        }
    }
}

/* A band in memory of exactly its size. */
static const fdx_band *made(void *memory, fdx_status status, const fdx_band *band)
{
    if (status != FDX_OK)
        fail(fdx_status_message(status));
    if ((const void *)band != memory)
        fail("the band is not where it should be");
    return band;
}

static const fdx_band *derivative(void)
{
    const fdx_band *band = NULL;
    const size_t size = fdx_band_derivative_size(&spec);
    void *memory = malloc(size);
    if (size == 0 || memory == NULL)
        fail("the size of a derivative");
    const fdx_status status = fdx_band_derivative(memory, &spec, &band);
    return made(memory, status, band);
}

static const fdx_band *transpose(const fdx_band *a)
{
    const fdx_band *band = NULL;
    const size_t size = fdx_band_transpose_size(a);
    void *memory = malloc(size);
    if (size == 0 || memory == NULL)
        fail("the size of a transpose");
    const fdx_status status = fdx_band_transpose(memory, a, &band);
    return made(memory, status, band);
}

static const fdx_band *term(const fdx_band *a, const fdx_band *b)
{
    const fdx_band *band = NULL;
    const size_t size = fdx_band_product_size(a, b);
    void *memory = malloc(size);
    if (size == 0 || memory == NULL)
        fail("the size of a product");
    const fdx_status status = fdx_band_product(memory, a, b, 1, &band);
    return made(memory, status, band);
}

static void discard(const fdx_band *band)
{
    free((void *)(uintptr_t)band);
}

/* ---- derivatives ---- */

/* Fornberg's recurrence. */
static void weights(long double *w, const long double *x, int n, long double at, int deriv)
{
    static long double c[FDX_MAXNODES][FDX_MAXNODES + 1];
    memset(c, 0, sizeof c);
    long double c1 = 1, c4 = x[0] - at;
    c[0][0] = 1;
    for (int i = 1; i < n; i++) {
        long double c2 = 1;
        const long double c5 = c4;
        c4 = x[i] - at;
        for (int j = 0; j < i; j++) {
            const long double c3 = x[i] - x[j];
            c2 *= c3;
            if (j == i - 1)
                for (int k = deriv; k >= 0; k--)
                    c[i][k] = c1 * ((k > 0 ? k * c[i - 1][k - 1] : 0) - c5 * c[i - 1][k]) / c2;
            for (int k = deriv; k >= 0; k--)
                c[j][k] = (c4 * c[j][k] - (k > 0 ? k * c[j][k - 1] : 0)) / c3;
        }
        c1 = c2;
    }
    for (int k = 0; k < n; k++)
        w[k] = c[k][deriv];
}

/* np.pad(f, PAD, mode) as a matrix: the padded line from the array's values, as far as the boundary has any. */
static int pad[LINE][MAXN];
static long double position[LINE];

static void pad_line(int uniform)
{
    const int n = (int)spec.n;
    memset(pad, 0, sizeof pad);
    for (int c = 0; c < n; c++) {
        pad[PAD + c][c] = 1;
        position[PAD + c] = uniform ? c : (long double)spec.x[c];
    }
    for (int side = 0; side < 2; side++) {
        const int mode = side == 0 ? spec.left : spec.right;
        for (int j = 1; j <= PAD; j++) {
            int *ghost = pad[side == 0 ? PAD - j : PAD + n - 1 + j];
            long double *x = &position[side == 0 ? PAD - j : PAD + n - 1 + j];
            const int end = side == 0 ? 0 : n - 1, inward = side == 0 ? 1 : -1;
            const int symmetric = mode == FDX_SYMMETRIC || mode == FDX_SYMMETRIC_ODD || mode == FDX_ANTISYMMETRIC;
            const int odd = mode == FDX_REFLECT_ODD || mode == FDX_SYMMETRIC_ODD;
            const int from = mode == FDX_PERIODIC ? end + inward * (n - j) : end + inward * (symmetric ? j - 1 : j);
            if (mode == FDX_ONE_SIDED || mode == FDX_VALID || from < 0 || from >= n)
                continue;
            ghost[from] += mode == FDX_ZERO ? 0 : odd || mode == FDX_ANTISYMMETRIC ? -1 : 1;
            if (odd)
                ghost[end] += 2;
            if (uniform)
                *x = end - inward * j;
            else if (mode == FDX_PERIODIC)
                *x = (long double)spec.x[from] - inward * (long double)spec.period;
            else if (symmetric)
                *x = 2.0L * spec.x[end] - ((long double)spec.x[end + inward] - spec.x[end]) - spec.x[from];
            else
                *x = 2.0L * spec.x[end] - spec.x[from];
        }
    }
}

/* Do all ghost values of a row's stencil exist? If not, the array was too short for so much padding. */
static void check_derivative(const fdx_band *band, const matrix *m, int uniform, double h)
{
    const int n = (int)spec.n, order = spec.deriv + spec.accuracy;
    const int half_width = uniform ? (spec.deriv + 1) / 2 + spec.accuracy / 2 - 1 : order / 2;
    const int skip = spec.left == FDX_VALID ? half_width : 0;
    const long double coefficient = spec.scale / powl(uniform ? h : 1, spec.deriv);
    pad_line(uniform);
    if (band->columns != n || band->rows != n - skip - (spec.right == FDX_VALID ? half_width : 0))
        fail("the shape of a derivative");
    if (band->periodic != (spec.left == FDX_PERIODIC))
        fail("is it periodic?");
    if (band->interior.summation != (!uniform         ? FDX_SUM_DIFFERENCES
                                     : spec.deriv % 2 ? FDX_SUM_ANTISYMMETRIC
                                                      : FDX_SUM_SYMMETRIC))
        fail("the summation order of an interior");
    for (int row = 0; row < band->rows; row++) {
        const int i = row + skip;
        int lo = i - half_width, count = 2 * half_width + 1, exact = spec.left == FDX_PERIODIC;
        if (i < half_width && spec.left == FDX_ONE_SIDED)
            lo = 0, count = order;
        if (i >= n - half_width && spec.right == FDX_ONE_SIDED)
            lo = n - order, count = order;
        exact |= lo >= 0 && lo + count <= n;

        long double w[FDX_MAXNODES], want[MAXN] = {0}, size = 0;
        weights(w, &position[PAD + lo], count, position[PAD + i], spec.deriv);
        for (int k = 0; k < count; k++)
            for (int c = 0; c < n; c++) {
                want[c] += w[k] * coefficient * pad[PAD + lo + k][c];
                size += fabsl(w[k] * coefficient * pad[PAD + lo + k][c]);
            }
        ptrdiff_t nth;
        const fdx_stencil *r = row_of(band, row, &nth);
        const int centre = row + (int)r->offset + r->centre;
        if ((centre + n) % n != i)
            fail("the offset of a row");
        for (int c = 0; c < n; c++) {
            const long double by = fabsl(m->at[row][c] - want[c]);
            if (!(by <=
                  (c == i ? 4 * DBL_EPSILON * size : DBL_EPSILON / 2 * fabsl(want[c])) + 4000 * LDBL_EPSILON * size)) {
                fprintf(stderr, "row %d column %d: %a, not %La; sizes %Lg\n", row, c, m->at[row][c], want[c], size);
                fail("a weight");
            }
        }

        /* polynomials up to the order of accuracy */
        for (int p = 0; p < order && exact; p++) {
            long double sum = 0, chains = 0, expected = p == spec.deriv ? spec.scale : 0;
            for (int k = 2; k <= p; k++)
                expected *= k;
            for (int k = 0; k < count; k++) {
                const int c = (lo + k + n) % n;
                const long double f = powl((position[PAD + lo + k] - position[PAD + i]) * (uniform ? h : 1), p);
                sum += m->at[row][c] * f;
                chains += fabsl(m->at[row][c] * f);
            }
            if (fabsl(sum - expected) > 8 * DBL_EPSILON * chains)
                fail("a polynomial");
        }
    }
}

/* v with fewer digits, so that sums of several are exact, and with them coordinates of ghost points. */
static double short_one(double v)
{
    return floor(v * 0x1p38) / 0x1p38;
}

/* A condition at an end; it determines the value for rising points. */
static void draw_condition(int right)
{
    const int kind = below(3);
    if (spec.left == FDX_PERIODIC)
        return;
    *(right ? &spec.right : &spec.left) = FDX_GIVEN;
    spec.condition[right] =
        (fdx_condition){kind == 1 ? 0 : between(0.5, 2), kind == 0 ? 0 : between(0.5, 2) * (right ? 1 : -1), below(3)};
    spec.datum = below(4) == 0 ? (right ? 1 : -1) : 0;
}

/* A random derivative on n points, or (n = 0) on about the fewest; `places`: at any position, biased or not. */
static void draw(int n, int integers, int places)
{
    ptrdiff_t points;
    do {
        spec.deriv = 1 + below(integers ? 2 : 6);
        spec.accuracy = 2 * (1 + below(integers ? 2 : 4));
        spec.left = below(FDX_SBP);
        do
            spec.right = below(FDX_SBP);
        while ((spec.right == FDX_PERIODIC) != (spec.left == FDX_PERIODIC));
        spec.position = places && below(2) ? below(FDX_NPOSITIONS) : FDX_CENTER;
        spec.side = places && spec.position == FDX_CENTER ? below(3) - 1 : 0;
        spec.accuracy -= spec.side != 0;
        spec.datum = 0;
        if (places && below(4) == 0)
            draw_condition(below(2));
        spec.scale = integers ? 12 : below(2) ? 1 : between(-3, 3);
        spec.spacing = integers || below(2) ? 1 : ldexp(between(0.5, 1) * (below(2) ? 1 : -1), below(40) - 20);
        spec.period = (double)NAN;
        spec.x = integers || below(2) ? NULL : coordinates;
        spec.isa = fdx_isa_find(table_name(below(4)));
        points = fdx_derivative_points(&spec);
        spec.n = n > 0 ? n : points + (below(3) ? below(12) : below(2));
    } while (points == 0 || spec.n < points || spec.n > MAXN);
    const double h = between(0.1, 4) * (below(2) ? 1 : -1), variation = below(3) ? 0.7 : 0.01;
    coordinates[0] = short_one(between(-5, 5) * (below(4) ? 1 : 100));
    for (int k = 1; k < spec.n; k++)
        coordinates[k] = coordinates[k - 1] + short_one(h * (1 + between(-variation, variation)));
    if (spec.x != NULL)
        spec.period = coordinates[spec.n - 1] - coordinates[0] + short_one(h * between(0.4, 2));
}

static void random_derivative(void)
{
    matrix m, same;
    doing = "a derivative";
    draw(0, 0, 0);
    const fdx_band *band = derivative();
    dense(band, &m);
    const int two = spec.x != NULL && spec.n == 2; /* one distance */
    check_derivative(band, &m, spec.x == NULL || two, two ? coordinates[1] - coordinates[0] : spec.spacing);
    discard(band);

    fdx_derivative even = spec; /* coordinates may be treated as a spacing, which needs fewer points */
    even.x = NULL;
    if (spec.n > 1 && (spec.n = fdx_derivative_points(&even) - 1, fdx_band_derivative_size(&spec) != 0))
        fail("too few points");
    unsigned char memory[64], before[64];
    memset(memory, 0xA5, sizeof memory);
    memcpy(before, memory, sizeof memory);
    band = NULL;
    if (fdx_band_derivative(memory, &spec, &band) != FDX_E_SIZE || band != NULL ||
        memcmp(memory, before, sizeof memory) != 0)
        fail("the refusal of too few points");

    /* Equidistant coordinates are a uniform spacing. */
    doing = "uniform coordinates";
    draw(0, 0, 0);
    const double h = ldexp(below(2) ? 1 : -3, below(20) - 10);
    for (int k = 0; k < spec.n; k++)
        coordinates[k] = h * (k + 100);
    spec.x = coordinates;
    spec.period = h * (double)spec.n;
    if (spec.n < fdx_derivative_points(&spec))
        return;
    const int uniform = spec.left != FDX_VALID && spec.right != FDX_VALID;
    band = derivative();
    dense(band, &m);
    check_derivative(band, &m, uniform, h);
    discard(band);
    if (!uniform)
        return;
    spec.x = NULL;
    spec.spacing = h;
    band = derivative();
    dense(band, &same);
    if (memcmp(&m, &same, sizeof m) != 0)
        fail("differs from a spacing");
    discard(band);
    if (spec.left == FDX_PERIODIC) { /* if equidistant across the end, too */
        spec.x = coordinates;
        spec.period = h * ((double)spec.n + 0.5);
        band = derivative();
        dense(band, &m);
        check_derivative(band, &m, 0, 1);
        discard(band);
    }
}

/* ---- conditions with data ---- */

static long double power_of(long double x, int p, int derivatives)
{
    long double times = 1;
    for (int k = 0; k < derivatives; k++)
        times *= p - k;
    return p < derivatives ? 0 : times * powl(x, p - derivatives);
}

/* Derivatives of polynomials whose values and slopes at the ends are given. */
static void random_data(void)
{
    static long double place[MAXN + 2];
    matrix m, of_datum[2];
    doing = "data";
    draw(0, 0, 1);
    for (int right = 0; right < 2; right++)
        if (below(3) > 0)
            draw_condition(right);
    spec.datum = 0;
    const int given[2] = {spec.left == FDX_GIVEN, spec.right == FDX_GIVEN};
    const ptrdiff_t n = spec.n;
    for (int k = 0; k < 2; k++)
        if (!given[k] && (k == 0 ? spec.left : spec.right) > FDX_VALID) /* only closures that are as accurate */
            *(k == 0 ? &spec.left : &spec.right) = FDX_ONE_SIDED;
    const ptrdiff_t points = fdx_derivative_points(&spec);
    if (points == 0 || n < points || n < 2 || spec.left == FDX_PERIODIC)
        return;
    if (spec.x == NULL && spec.spacing < 0)
        spec.spacing = -spec.spacing;
    for (int k = 0; k < spec.n; k++)
        place[k + 1] = spec.x == NULL ? (long double)spec.spacing * k : coordinates[k];
    if (place[2] < place[1])
        for (int k = 0; k < 2; k++)
            spec.condition[k].slope *= -1;
    place[0] = 2 * place[1] - place[2];
    place[n + 1] = 2 * place[n] - place[n - 1];
    for (int k = -1; k < 2; k++) {
        spec.datum = k >= 0 && given[k] ? 2 * k - 1 : 0;
        const fdx_band *band = derivative();
        dense(band, k < 0 ? &m : &of_datum[k]);
        discard(band);
    }
    spec.datum = 0;
    fdx_outline o;
    fdx_derivative_outline(&spec, &o);
    const long double span = fabsl(place[n + 1] - place[0]);
    for (ptrdiff_t row = 0; row < n + o.more - o.crop[0] - o.crop[1]; row++) {
        const ptrdiff_t i = row + o.base + o.crop[0] + 1;
        const long double at = o.half ? (place[i] + place[i + 1]) / 2 : place[i];
        const long double origin = place[i]; /* where rounding of the other weights is, in sums of differences */
        for (int p = 0; p < spec.deriv + spec.accuracy; p++) {
            const long double expected =
                spec.scale * power_of((at - origin) / span, p, spec.deriv) / powl(span, spec.deriv);
            long double sum = 0, terms = 0;
            for (int c = 0; c < n; c++) {
                const long double term = m.at[row][c] * power_of((place[c + 1] - origin) / span, p, 0);
                sum += term;
                terms += fabsl(term);
            }
            for (int k = 0; k < 2; k++) {
                const fdx_condition *c = &spec.condition[k];
                const long double end = place[k == 0 ? 1 : n], out = place[k == 0 ? 0 : n + 1];
                const long double x = (end + (out - end) * c->outside / 2 - origin) / span;
                const long double datum = c->value * power_of(x, p, 0) + c->slope * power_of(x, p, 1) / span;
                const long double term = given[k] ? of_datum[k].at[row][k == 0 ? 0 : n - 1] * datum : 0;
                sum += term;
                terms += fabsl(term);
            }
            if (fabsl(sum - expected) > 16 * DBL_EPSILON * terms)
                fail("a polynomial with data");
        }
    }
}

/* ---- transposes and products ---- */

static void check_transpose(const fdx_band *a)
{
    matrix of_a, of_t, of_tt;
    doing = "a transpose";
    const fdx_band *t = transpose(a), *tt = transpose(t);
    dense(a, &of_a);
    dense(t, &of_t);
    dense(tt, &of_tt);
    if (t->rows != a->columns || t->columns != a->rows || tt->rows != a->rows || tt->columns != a->columns)
        fail("the shape of a transpose");
    for (int i = 0; i < MAXN; i++)
        for (int j = 0; j < MAXN; j++)
            if (of_a.at[i][j] != of_t.at[j][i] || of_a.at[i][j] != of_tt.at[i][j])
                fail("an entry of a transpose");
    for (ptrdiff_t i = 0; i < t->rows && !t->periodic && t->interior.offset + t->interior.centre == 0; i++) {
        ptrdiff_t nth;
        const fdx_stencil *r = row_of(t, i, &nth);
        if (r->centre != (r->offset <= 0 && r->offset + r->count > 0 ? -r->offset : -1))
            fail("the point itself in a transpose");
    }
    const int summation = a->interior.summation;
    if (t->interior.summation !=
            ((summation == FDX_SUM_ANTISYMMETRIC || summation == FDX_SUM_SYMMETRIC) && a->interior.row_step == 0
                 ? summation
                 : FDX_SUM_PLAIN) ||
        (t->interior.row_step != 0) != (a->interior.row_step != 0) || t->periodic != a->periodic)
        fail("the summation order of a transpose");
    if (!a->periodic && a->nfirst + a->nlast + a->interior.count < a->rows - 12 && t->nfirst + t->nlast == t->rows)
        fail("a transpose without an interior");
    discard(t);
    discard(tt);
}

static const fdx_band *checked_term(const fdx_band *a, const fdx_band *b, int exact)
{
    matrix of_a, of_b, of_p;
    doing = "a product";
    const fdx_band *p = term(a, b);
    dense(a, &of_a);
    dense(b, &of_b);
    dense(p, &of_p);
    if (p->rows != a->rows || p->columns != b->columns || p->periodic != a->periodic)
        fail("the shape of a product");
    int plain = b->interior.summation == FDX_SUM_PLAIN;
    for (int i = 0; i < b->rows; i++) {
        ptrdiff_t nth;
        plain |= row_of(b, i, &nth)->summation == FDX_SUM_PLAIN;
    }
    for (int i = 0; i < p->rows; i++) {
        ptrdiff_t nth;
        const fdx_stencil *r = row_of(p, i, &nth);
        const ptrdiff_t centre = r->centre < 0 ? -1 : (i + r->offset + r->centre + p->columns) % p->columns;
        long double size = 0;
        for (int j = 0; j < p->columns; j++)
            for (int k = 0; k < a->columns; k++)
                size += fabsl((long double)of_a.at[i][k] * of_b.at[k][j]);
        if (!plain && r->summation == FDX_SUM_PLAIN)
            fail("the summation order of a product");
        for (int j = 0; j < p->columns; j++) {
            long double sum = 0, chains = 0;
            for (int k = 0; k < a->columns; k++) {
                sum += (long double)of_a.at[i][k] * of_b.at[k][j];
                chains += fabsl((long double)of_a.at[i][k] * of_b.at[k][j]);
            }
            const long double by = fabsl(of_p.at[i][j] - sum);
            if (exact ? by != 0
                      : !(by <= DBL_EPSILON / 2 * fabsl(sum) + 64 * LDBL_EPSILON * chains +
                                    (j == centre ? 8 * DBL_EPSILON * size : 0))) {
                fprintf(stderr, "row %d column %d: %a, not %La\n", i, j, of_p.at[i][j], sum);
                fail("an entry of a product");
            }
        }
    }
    return p;
}

/* A product of derivatives and their transposes, whose sizes match. `integers`: all weights are integers, as 5040 is a
 * multiple of their denominators, and so are the products'. */
static void random_chain(int integers)
{
    const fdx_band *chain = NULL;
    const int most = 2 + below(3);
    for (int k = 0; k < most && (chain == NULL || chain->columns > 2); k++) {
        draw(chain == NULL ? 0 : (int)chain->columns, integers, !integers);
        const fdx_band *b = derivative();
        if (below(3) == 0 && (chain == NULL || b->rows == chain->columns)) {
            const fdx_band *t = transpose(b);
            discard(b);
            b = t;
        }
        check_transpose(b);
        if (chain == NULL) {
            chain = b;
            continue;
        }
        const ptrdiff_t mixed = (ptrdiff_t)chain->interior.count + b->interior.count - 1;
        const fdx_status expected = chain->periodic != b->periodic                                     ? FDX_E_STENCIL
                                    : chain->columns != b->rows || (b->periodic && mixed > b->columns) ? FDX_E_SIZE
                                                                                                       : FDX_OK;
        if (expected != FDX_OK) {
            double memory = 7;
            const fdx_band *none = NULL;
            if (fdx_band_product_size(chain, b) != 0 || fdx_band_product(&memory, chain, b, 1, &none) != expected ||
                none != NULL || memory != 7)
                fail("the refusal of a product");
            discard(b);
            continue;
        }
        const fdx_band *p = checked_term(chain, b, integers);
        check_transpose(p);
        discard(chain);
        discard(b);
        chain = p;
    }
    discard(chain);
}

/* ---- known results ---- */

static void known(void)
{
    matrix m;
    doing = "a second derivative";
    spec = (fdx_derivative){
        .n = 9, .deriv = 1, .accuracy = 2, .left = FDX_PERIODIC, .right = FDX_PERIODIC, .scale = 1, .spacing = 0.5};
    const fdx_band *d = derivative(), *dd = term(d, d), *t = transpose(d), *td = term(t, d);
    if (dd->interior.summation != FDX_SUM_SYMMETRIC || td->interior.summation != FDX_SUM_SYMMETRIC ||
        t->interior.summation != FDX_SUM_ANTISYMMETRIC)
        fail("forms");
    static const double twice[5] = {1, 0, -2, 0, 1};
    for (int k = 0; k < 5; k++)
        if (dd->interior.w[k] != twice[k] || td->interior.w[k] != -twice[k])
            fail("weights");
    discard(d), discard(dd), discard(t), discard(td);

    /* Ghost values of the same point at both closures cancel exactly, also on mirrored coordinates. */
    for (int deriv = 1; deriv <= 6; deriv++)
        for (int accuracy = 2; accuracy <= 8; accuracy += 2) {
            for (int k = 0; k < 20; k++)
                coordinates[k] = k == 0 ? between(-30, 30) : coordinates[k - 1] + between(0.1, 1);
            for (int uneven = 0; uneven < 2; uneven++) {
                const double *x = uneven ? coordinates : NULL;
                spec = (fdx_derivative){.n = 20,
                                        .deriv = deriv,
                                        .accuracy = accuracy,
                                        .left = FDX_REFLECT,
                                        .right = FDX_REFLECT_ODD,
                                        .scale = 1.1,
                                        .spacing = 0.3,
                                        .x = x};
                d = derivative();
                dense(d, &m);
                for (int c = 0; c < 20; c++)
                    if (m.at[deriv % 2 ? 0 : 19][c] != 0)
                        fail("a derivative that is 0 by symmetry");
                discard(d);
            }
            /* The closures of a one-sided axis are mirror images. */
            spec.x = NULL;
            spec.left = spec.right = FDX_ONE_SIDED;
            d = derivative();
            dense(d, &m);
            for (int i = 0; i < 20; i++) {
                double size = 0;
                for (int c = 0; c < 20; c++)
                    size += fabs(m.at[i][c]);
                for (int c = 0; c < 20; c++)
                    if (fabs(m.at[i][c] - (deriv % 2 ? -1 : 1) * m.at[19 - i][19 - c]) >
                        (i == c ? 4 * DBL_EPSILON * size : 0))
                        fail("a mirror image");
            }
            discard(d);
        }
}

/* Columns that no row touches, or that rows touch which are not consecutive. */
static void by_hand(void)
{
    static const double w[6] = {1, 2, 3, 4, 5, 6};
    const fdx_stencil closures[3] = {{0, 2, 0, FDX_SUM_PLAIN, w, 1, 0},
                                     {3, 1, -1, FDX_SUM_PLAIN, w + 2, 1, 0},
                                     {-2, 3, -1, FDX_SUM_PLAIN, w + 3, 1, 0}};
    const fdx_stencil interior = {0, 1, 0, FDX_SUM_PLAIN, w, 1, 0};
    const fdx_band band = {3, 6, 3, 0, closures, closures + 3, interior, 0},
                   other = {3, 6, 1, 2, closures, closures + 1, interior, 0};
    check_transpose(&band);
    check_transpose(&other);
    const fdx_band *t = transpose(&band);
    discard(checked_term(&other, t, 1));
    discard(checked_term(t, &other, 1));
    discard(t);
}

/* Coordinates for the weights of many stencils at once: non-uniform; small integers, with weights that are 0 or have
 * few bits; distances of different orders of magnitude; in large and small units. */
static void random_coordinates(double *x, int n, int kind)
{
    const int widest = spec.deriv > 4 ? 100 : 150; /* weights are finite even for points 2^-32 units apart */
    const double unit = ldexp(below(2) ? 1 : -1, below(3) ? 0 : below(2 * widest) - widest);
    double at = below(3) ? 0 : between(-1e6, 1e6);
    for (int k = 0; k < n; k++) {
        x[k] = at * unit;
        at += kind == 0   ? between(0.001, 1)
              : kind == 1 ? 1 + below(3)
              : kind == 2 ? (below(4) ? 1 : 0x1p-32)
              : kind == 3 ? exp(between(-10, 10))
              : kind == 4 ? 1 + 0x1p-40 * below(16)
                          : 1 + 0.5 * sin(k * 0.1);
        if (at * unit == x[k])
            at += fabs(at) * 0x1p-40 + 1;
    }
}

/* The weights of many stencils at once are those of fdx_weights. */
static void many_stencils(void)
{
    enum { MOST = 300 };
    static double x[MOST];
    double w[FDX_MAXNODES];
    doing = "many stencils";
    do {
        spec.deriv = 1 + (below(4) ? below(2) : below(6));
        spec.accuracy = 2 * (1 + (below(4) ? below(2) : below(9)));
        spec.left = spec.right = below(4) ? FDX_ONE_SIDED : below(2) ? FDX_PERIODIC : FDX_VALID;
        spec.n = 10 + below(below(2) ? 40 : MOST - 10);
        spec.x = x;
    } while (fdx_derivative_points(&spec) > spec.n);
    spec.scale = below(2) ? 1 : -0.25;
    random_coordinates(x, (int)spec.n, below(6));
    spec.period = (x[spec.n - 1] - x[0]) * 1.25;

    const fdx_band *first = NULL;
    const size_t size = fdx_band_derivative_size(&spec);
    for (int k = 0; k == 0 || table_name(k - 1) != NULL; k++) {
        spec.isa = fdx_isa_find(table_name(k));
        const fdx_band *band = derivative();
        const fdx_stencil *r = &band->interior, *same = first != NULL ? &first->interior : r;
        const size_t head = (size_t)((const char *)r->w - (const char *)band);
        if (r->row_step != 0 && memcmp(r->w, same->w, size - head) != 0)
            fail("weights that depend on the instruction set");
        if (first == NULL)
            first = band;
        else
            discard(band);
    }
    const fdx_stencil *r = &first->interior;
    for (ptrdiff_t i = first->nfirst; i < first->rows - first->nlast && r->row_step != 0; i++) {
        const ptrdiff_t lo = i + r->offset;
        double sum = 0;
        if (lo < 0 || lo + r->count > spec.n)
            continue;
        if (fdx_weights(w, NULL, x + lo, r->count, x[lo + r->centre], spec.deriv) != FDX_OK)
            fail("weights of one stencil");
        for (int k = 0; k < r->count; k++)
            if (k != r->centre) {
                sum -= w[k] * spec.scale;
                if (weight(r, i - first->nfirst, k) != w[k] * spec.scale)
                    fail("a weight");
            }
        if (weight(r, i - first->nfirst, r->centre) != sum)
            fail("a centre's weight");
    }
    discard(first);
}

/* With a spacing, the length changes nothing. */
static void long_axis(void)
{
    const ptrdiff_t n = PTRDIFF_MAX / 4;
    doing = "a long axis";
    spec = (fdx_derivative){
        .n = n, .deriv = 2, .accuracy = 4, .left = FDX_ONE_SIDED, .right = FDX_REFLECT, .scale = 1, .spacing = 0.5};
    const fdx_band *d = derivative(), *t = transpose(d), *p = term(t, d);
    if (d->rows != n || p->rows != n || p->nfirst + p->nlast > 20 || fdx_band_product_size(t, d) > 4096 ||
        p->last[0].offset + p->last[0].count > p->nlast || p->interior.summation != FDX_SUM_SYMMETRIC)
        fail("its band");
    discard(d), discard(t), discard(p);
}

static void refuse(fdx_derivative what, fdx_status expected, const char *name)
{
    doing = name;
    spec = what;
    double memory[200];
    const fdx_band *band = NULL;
    for (int k = 0; k < 200; k++)
        memory[k] = 7;
    if (expected != FDX_E_NODES && (fdx_band_derivative_size(&what) != 0 ||
                                    (expected != FDX_E_SIZE && what.n > 0 && fdx_derivative_points(&what) != 0)))
        fail("the size of what is refused");
    if (fdx_band_derivative(memory, &what, &band) != expected || band != NULL)
        fail("a refusal");
    for (int k = 0; k < 200 && expected != FDX_E_NODES; k++)
        if (memory[k] != 7)
            fail("memory touched by a refused call");
}

static void refusals(void)
{
    static const double equal[6] = {0, 1, 2, 2, 3, 5}, infinite[6] = {0, 1, 2, 4, 5, (double)INFINITY},
                        good[6] = {0, 1, 2, 4, 5, 6}, falling[6] = {6, 5, 4, 2, 1, 0};
    const fdx_derivative plain = {
        .n = 6, .deriv = 1, .accuracy = 2, .left = FDX_ONE_SIDED, .right = FDX_ONE_SIDED, .scale = 1, .spacing = 1};
    fdx_derivative bad;
#define REFUSE(change, status) (bad = plain, bad.change, refuse(bad, status, #change))
    REFUSE(n = 2, FDX_E_SIZE);
    REFUSE(n = -1, FDX_E_SIZE);
    REFUSE(deriv = 0, FDX_E_STENCIL);
    REFUSE(accuracy = 3, FDX_E_STENCIL);
    REFUSE(accuracy = 0, FDX_E_STENCIL);
    REFUSE(left = FDX_NBOUNDARIES, FDX_E_STENCIL);
    REFUSE(right = -1, FDX_E_STENCIL);
    REFUSE(position = FDX_NPOSITIONS, FDX_E_STENCIL);
    REFUSE(position = -1, FDX_E_STENCIL);
    REFUSE(side = 1, FDX_E_STENCIL); /* with an even accuracy */
    REFUSE(side = 2, FDX_E_STENCIL);
    static const double w[3] = {1, -2, 1};
    static const fdx_scheme_row row = {3, w}, empty = {0, w}, nowhere = {3, NULL};
    static const fdx_scheme good_rows = {-1, 3, w, 1, 1, &row, &row}, no_rows = {-1, 3, w, 0, 0, NULL, NULL},
                            no_weights = {-1, 3, NULL, 1, 1, &row, &row}, no_first = {-1, 3, w, 1, 1, NULL, &row},
                            few_rows = {-2, 3, w, 1, 1, &row, &row}, no_count = {-1, 0, w, 1, 1, &row, &row},
                            far = {-256, 3, w, 0, 0, NULL, NULL}, empty_row = {-1, 3, w, 1, 1, &row, &empty},
                            row_nowhere = {-1, 3, w, 1, 1, &nowhere, &row}, negative = {-1, 3, w, -1, 1, &row, &row};
    REFUSE(scheme = &good_rows, FDX_E_STENCIL); /* with a derivative */
    fdx_derivative of_rows = plain;
    of_rows.deriv = 0;
#define REFUSE_ROWS(which, status) (bad = of_rows, bad.scheme = which, refuse(bad, status, #which))
    REFUSE_ROWS(&no_rows, FDX_E_STENCIL);
    REFUSE_ROWS(&no_weights, FDX_E_NULL);
    REFUSE_ROWS(&no_first, FDX_E_NULL);
    REFUSE_ROWS(&few_rows, FDX_E_STENCIL);
    REFUSE_ROWS(&no_count, FDX_E_SIZE);
    REFUSE_ROWS(&far, FDX_E_SIZE);
    REFUSE_ROWS(&empty_row, FDX_E_SIZE);
    REFUSE_ROWS(&row_nowhere, FDX_E_NULL);
    REFUSE_ROWS(&negative, FDX_E_SIZE);
    REFUSE_ROWS((bad.left = bad.right = FDX_PERIODIC, &good_rows), FDX_E_STENCIL);
    REFUSE_ROWS((bad.x = good, &good_rows), FDX_E_STENCIL);
    REFUSE_ROWS((bad.n = 2, &good_rows), FDX_E_SIZE);
    fdx_outline outline;
    memset(&outline, 7, sizeof outline);
    const fdx_outline before = outline;
    if (fdx_derivative_outline(NULL, &outline) != FDX_E_NULL || fdx_derivative_outline(&plain, NULL) != FDX_E_NULL ||
        (bad = plain, bad.accuracy = 3, fdx_derivative_outline(&bad, &outline)) != FDX_E_STENCIL ||
        memcmp(&before, &outline, sizeof before) != 0)
        fail("a refused outline");
    REFUSE(left = FDX_PERIODIC, FDX_E_STENCIL);
    REFUSE(right = FDX_PERIODIC, FDX_E_STENCIL);
    REFUSE(deriv = 63, FDX_E_SIZE);
    REFUSE(accuracy = 1 << 30, FDX_E_SIZE);
    REFUSE(deriv = 0x7fffffff, FDX_E_SIZE);
    REFUSE(spacing = 0, FDX_E_NODES);
    REFUSE(spacing = (double)NAN, FDX_E_NODES);
    REFUSE(spacing = (double)INFINITY, FDX_E_NODES);
    REFUSE(spacing = 1e-310, FDX_E_NODES);
    REFUSE(scale = 0, FDX_E_NODES);
    REFUSE(scale = (double)INFINITY, FDX_E_NODES);
    REFUSE(x = equal, FDX_E_NODES);
    REFUSE(x = infinite, FDX_E_NODES);
#define PERIOD(coordinates, p, status)                                                                                 \
    (bad = plain, bad.x = coordinates, bad.period = p, bad.left = bad.right = FDX_PERIODIC, refuse(bad, status, #p))
    PERIOD(good, 6, FDX_E_NODES);
    PERIOD(good, -7, FDX_E_NODES);
    PERIOD(good, (double)NAN, FDX_E_NODES);
    PERIOD(good, (double)INFINITY, FDX_E_NODES);
    PERIOD(falling, 7, FDX_E_NODES);
    PERIOD(falling, -6, FDX_E_NODES);

    doing = "null pointers";
    const fdx_band *band = NULL;
    double memory[200];
    if (fdx_band_derivative(NULL, &plain, &band) != FDX_E_NULL ||
        fdx_band_derivative(memory, NULL, &band) != FDX_E_NULL ||
        fdx_band_derivative(memory, &plain, NULL) != FDX_E_NULL || fdx_band_derivative_size(NULL) != 0 ||
        fdx_derivative_points(NULL) != 0 || fdx_band_transpose(memory, NULL, &band) != FDX_E_NULL ||
        fdx_band_transpose_size(NULL) != 0 || fdx_band_product_size(NULL, NULL) != 0 || band != NULL)
        fail("a refusal");
    spec = plain;
    spec.scale = 1e200;
    const fdx_band *d = derivative();
    const size_t size = fdx_band_product_size(d, d);
    if (size > sizeof memory || fdx_band_product(memory, d, d, 1, &band) != FDX_E_NODES ||
        fdx_band_product(NULL, d, d, 1, &band) != FDX_E_NULL || fdx_band_product(memory, d, d, 1, NULL) != FDX_E_NULL ||
        fdx_band_transpose(NULL, d, &band) != FDX_E_NULL || fdx_band_transpose(memory, d, NULL) != FDX_E_NULL ||
        band != NULL)
        fail("a refusal");
    discard(d);
}

int main(int argc, char **argv)
{
    const long cases = argc > 1 ? atol(argv[1]) : 20000;
    state = argc > 2 ? strtoull(argv[2], NULL, 0) : 0x9E3779B97F4A7C15u;
    known();
    by_hand();
    long_axis();
    refusals();
    for (long k = 0; k < cases; k++) {
        random_derivative();
        random_data();
        random_chain(k % 4 == 0);
        if (k % 4 == 0)
            many_stencils();
    }
    printf("%ld derivatives, chains of products and transposes: those of dense matrices\n", cases);
    return 0;
}
