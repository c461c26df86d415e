/* The compiler of operators: from a description to chains of bands and coefficients, in the caller's memory.
 *
 * A description is a sum of terms, a term a sequence of maps and coefficients. Between two coefficients, maps along one
 * axis become one band, their product. Terms that are all along one axis become one band, their sum.
 *
 * One pass builds all of that. A pass without memory before it counts the bytes that it takes at most: it does the
 * same with outlines of the bands, as sizes of products are only known when their factors are. */
#include <float.h>
#include <limits.h>

#include "fdx_operator.h"
#include "fdx_fenv.h"
#include "fdx_dd.h"

/* ---- memory ---- */

typedef struct {
    char *memory;      /* NULL: bytes are only counted */
    size_t used, most; /* bytes: now, and at most so far */
    size_t limit;
    int full;       /* 1: more than `limit` bytes are needed */
    int not_a_band; /* 1: the last product or sum has no band */
} arena;

/* Memory for `count` elements of `bytes` each; NULL if there is none. */
static void *reserve(arena *r, size_t count, size_t bytes)
{
    const size_t at = r->used;
    if (r->full || !fdx_product_fits(count, bytes, r->limit - at)) {
        r->full = 1;
        return NULL;
    }
    r->used += whole_doubles(count * bytes);
    r->most = MAX(r->most, r->used);
    return r->memory == NULL ? NULL : r->memory + at;
}

static int counts_only(const arena *r)
{
    return r->memory == NULL;
}

/* ---- bands, or their outlines ---- */

typedef struct {
    const fdx_band *band;    /* NULL: not built, as bytes are only counted */
    size_t bytes;            /* of the band in the arena, at most; 0: it is elsewhere */
    ptrdiff_t rows, columns; /* The outline: size, */
    ptrdiff_t offset, count; /* neighbours of an interior row, */
    ptrdiff_t ends;          /* and how many rows and columns at either end the closures touch, at most */
    int varying, periodic;
} matrix;

/* Set the bytes of a band that is not built yet. */
static void bound_bytes(matrix *m)
{
    const size_t limit = PTRDIFF_MAX / 8;
    const ptrdiff_t ends = MIN(m->ends, MAX_LENGTH), closure = m->periodic ? 0 : MIN(2 * ends, m->rows);
    const ptrdiff_t widest = MIN(MIN(2 * ends + m->count, m->columns), FDX_MAXWEIGHTS);
    const size_t rows = m->varying ? (size_t)m->rows : 1,
                 row_bytes = sizeof(fdx_stencil) + (size_t)widest * sizeof(double);
    m->ends = ends;
    m->bytes = limit; /* too many */
    if (fdx_product_fits(rows, (size_t)m->count * sizeof(double), limit / 4) &&
        fdx_product_fits((size_t)closure, row_bytes, limit / 4))
        m->bytes =
            whole_doubles(sizeof(fdx_band)) + rows * (size_t)m->count * sizeof(double) + (size_t)closure * row_bytes;
}

/* Memory for a band, if its factors are built of `exact` bytes. */
static void *reserve_band(arena *r, matrix *m, size_t exact)
{
    if (!counts_only(r))
        m->bytes = exact;
    return reserve(r, 1, m->bytes);
}

/* Move the band to the beginning of what was reserved for it and for the bands that it was computed from. */
static void keep(arena *r, size_t mark, matrix *m)
{
    r->used = mark + whole_doubles(m->bytes);
    if (counts_only(r) || m->bytes == 0)
        return;
    const ptrdiff_t by = r->memory + mark - (const char *)m->band;
    fdx_band *band = (fdx_band *)(void *)memmove(r->memory + mark, m->band, m->bytes);
    band->interior.w = (const double *)(const void *)((const char *)band->interior.w + by);
    const ptrdiff_t closure = band->nfirst + band->nlast;
    if (closure > 0) {
        fdx_stencil *rows = (fdx_stencil *)(void *)((char *)(uintptr_t)band->first + by);
        for (ptrdiff_t k = 0; k < closure; k++)
            rows[k].w = (const double *)(const void *)((const char *)rows[k].w + by);
        band->first = rows;
        band->last = rows + band->nfirst;
    }
    m->band = band;
}

/* How many rows and columns at either end the closures of a derivative touch, at most. */
static ptrdiff_t ends_of(const fdx_derivative *what, const fdx_outline *o)
{
    const fdx_scheme *scheme = what->scheme;
    ptrdiff_t ends = scheme == NULL ? what->deriv + what->accuracy : 0;
    for (int k = 0; k < 2; k++)
        ends = MAX(ends, o->closure[k] + MAX(o->ghosts[k], k == 0 ? MAX(o->after, 0) : MAX(o->before, 0)) + 1);
    for (int k = 0; scheme != NULL && k < scheme->nfirst + scheme->nlast; k++)
        ends = MAX(ends, k < scheme->nfirst ? scheme->first[k].count : scheme->last[k - scheme->nfirst].count);
    return ends + 1;
}

/* `exact`: the outline must be that of the band, for which coordinates are read; otherwise it may be a larger one. */
static fdx_status derivative(arena *r, const fdx_derivative *what, double scale, int exact, matrix *m)
{
    fdx_derivative outline = *what;
    if (exact && fdx_spacing_of(what) != 0)
        outline.x = NULL;
    const fdx_outline o = fdx_outline_of(&outline, outline.x == NULL);
    *m = (matrix){NULL,
                  fdx_band_derivative_size(&outline),
                  what->n + o.more - o.crop[0] - o.crop[1],
                  what->n,
                  what->left == FDX_PERIODIC ? fdx_wrapped_offset(o.base - o.before, o.count, what->n)
                                             : o.crop[0] + o.base - o.before,
                  o.count,
                  ends_of(what, &o),
                  outline.x != NULL && what->datum == 0,
                  what->left == FDX_PERIODIC};
    void *memory = reserve(r, 1, m->bytes);
    if (m->bytes == 0 || r->full)
        return FDX_E_SIZE;
    return counts_only(r) ? FDX_OK : fdx_band_scaled_derivative(memory, what, scale, &m->band);
}

/* The `rows` of n points from the first on, times a number. */
static fdx_status selection(arena *r, ptrdiff_t rows, ptrdiff_t n, ptrdiff_t first, int periodic, double scale,
                            matrix *m)
{
    *m = (matrix){NULL, sizeof(fdx_band) + sizeof(double), rows, n, first, 1, 0, 0, periodic};
    fdx_band *band = (fdx_band *)reserve(r, 1, m->bytes);
    if (n > MAX_LENGTH || r->full)
        return FDX_E_SIZE;
    if (counts_only(r))
        return FDX_OK;
    double *w = (double *)(void *)(band + 1);
    *w = scale;
    *band = (fdx_band){rows, n, 0, 0, NULL, NULL, {first, 1, 0, FDX_SUM_PLAIN, w, 1, 0}, periodic};
    m->band = band;
    return FDX_OK;
}

static fdx_status transpose(arena *r, matrix *m)
{
    const ptrdiff_t lost = (ptrdiff_t)fdx_distance(m->columns - m->rows) + (ptrdiff_t)fdx_distance(m->offset);
    matrix t = {
        NULL,       0,          m->columns, m->rows, 1 - m->offset - m->count, m->count, m->ends + m->count + lost,
        m->varying, m->periodic};
    bound_bytes(&t);
    void *memory = reserve_band(r, &t, counts_only(r) ? 0 : fdx_band_transpose_size(m->band));
    r->not_a_band = t.bytes == 0;
    if (t.bytes == 0 || r->full)
        return FDX_E_SIZE;
    const fdx_status status = counts_only(r) ? FDX_OK : fdx_band_transpose(memory, m->band, &t.band);
    *m = t;
    return status;
}

/* b = scale a b */
static fdx_status multiply(arena *r, const matrix *a, matrix *b, double scale)
{
    const size_t lost = fdx_distance(a->columns - a->rows) + fdx_distance(b->columns - b->rows) +
                        fdx_distance(a->offset) + fdx_distance(b->offset);
    matrix p = {NULL,
                0,
                a->rows,
                b->columns,
                a->offset + b->offset,
                a->count + b->count - 1,
                a->ends + b->ends + a->count + b->count + (ptrdiff_t)MIN(lost, (size_t)MAX_LENGTH),
                a->varying || b->varying,
                a->periodic};
    r->not_a_band = !a->periodic != !b->periodic || p.count > FDX_MAXWEIGHTS || (p.periodic && p.count > p.columns) ||
                    fdx_distance(p.offset) > MAX_LENGTH;
    if (r->not_a_band)
        return FDX_E_SIZE;
    if (p.periodic)
        p.offset = fdx_wrapped_offset(p.offset, p.count, p.columns);
    bound_bytes(&p);
    const size_t exact = counts_only(r) ? 0 : fdx_band_product_size(a->band, b->band);
    void *memory = reserve_band(r, &p, exact);
    r->not_a_band = p.bytes == 0;
    if (p.bytes == 0 || r->full)
        return FDX_E_SIZE;
    const fdx_status status = counts_only(r) ? FDX_OK : fdx_band_product(memory, a->band, b->band, scale, &p.band);
    *b = p;
    return status;
}

/* An outline of a band that is given. */
static fdx_status given(const fdx_band *band, matrix *m)
{
    const fdx_status status = fdx_check_band(band);
    if (status != FDX_OK)
        return status;
    ptrdiff_t ends = MAX(band->nfirst, band->nlast);
    for (ptrdiff_t k = 0; k < band->nfirst; k++)
        ends = MAX(ends, k + band->first[k].offset + band->first[k].count);
    for (ptrdiff_t k = 0; k < band->nlast; k++)
        ends = MAX(ends, band->columns - (band->rows - band->nlast + k + band->last[k].offset));
    *m = (matrix){band,
                  0,
                  band->rows,
                  band->columns,
                  band->interior.offset,
                  band->interior.count,
                  ends,
                  band->interior.row_step != 0,
                  band->periodic};
    return FDX_OK;
}

/* ---- maps along an axis ---- */

/* Sorted as they are compared. */
typedef enum { NOTHING, COEFFICIENT, CROP, DERIVATIVE, BAND } map_kind;

typedef struct {
    map_kind kind;
    int axis, transposed;
    const fdx_factor *factor;
    ptrdiff_t crop[2]; /* points that it removes at either end; transposed: that it adds */
    ptrdiff_t begin;   /* the first result's distance from the first point, in half spacings; */
    ptrdiff_t more;    /* results minus points; both as if it was not transposed */
} map;

static int is_derivative(const fdx_derivative *what)
{
    return what->deriv != 0 || what->position != FDX_CENTER || what->scheme != NULL;
}

static map crop_of(int axis, int transposed, ptrdiff_t left, ptrdiff_t right)
{
    return (map){
        left > 0 || right > 0 ? CROP : NOTHING, axis, transposed, NULL, {left, right}, 2 * left, -left - right};
}

static map map_of(const fdx_factor *factor, int transposed)
{
    map m = {BAND, factor->axis, (factor->transposed != 0) != transposed, factor, {0, 0}, 0, 0};
    if (factor->band != NULL)
        return m;
    if (is_derivative(&factor->what)) {
        const fdx_outline o = fdx_outline_of(&factor->what, factor->what.x == NULL);
        m.kind = DERIVATIVE;
        m.begin = 2 * (o.base + o.crop[0]) + o.half;
        m.more = o.more - o.crop[0] - o.crop[1];
        return m;
    }
    m = crop_of(m.axis, m.transposed, factor->crop[0], factor->crop[1]);
    m.factor = factor;
    return m;
}

/* The points along the axis after the map, and the place of the first, in half spacings. */
static fdx_status advance(const map *m, ptrdiff_t *n, ptrdiff_t *origin)
{
    if (m->kind == BAND) {
        const fdx_band *band = m->factor->band;
        if (*n != (m->transposed ? band->rows : band->columns))
            return FDX_E_SIZE;
        *n = m->transposed ? band->columns : band->rows;
        return FDX_OK;
    }
    if (m->kind == DERIVATIVE && *n > MAX_LENGTH)
        return FDX_E_SIZE;
    if (-m->more > MAX_LENGTH - MIN(*n, MAX_LENGTH) || (m->kind != NOTHING && !m->transposed && *n <= -m->more))
        return FDX_E_SIZE;
    if (m->factor != NULL) {
        fdx_derivative what = m->factor->what;
        const ptrdiff_t points = *n - (m->transposed ? m->more : 0);
        if ((what.n != 0 && what.n != points) || (m->kind == DERIVATIVE && what.n == 0 && what.x != NULL))
            return FDX_E_SIZE;
        what.n = points;
        if (m->kind == DERIVATIVE && !fdx_has_points(&what))
            return FDX_E_SIZE;
    }
    *n += m->transposed ? -m->more : m->more;
    *origin += m->transposed ? -m->begin : m->begin;
    return fdx_distance(*origin) > MAX_LENGTH ? FDX_E_SIZE : FDX_OK;
}

/* Which of two rows of weights comes first, as by `compare`? */
static int compare_weights(const double *a, int na, const double *b, int nb)
{
    if (na != nb)
        return na < nb ? -1 : 1;
    for (int k = 0; k < na; k++)
        if (a[k] != b[k])
            return a[k] < b[k] ? -1 : 1;
    return 0;
}

static int compare_schemes(const fdx_scheme *a, const fdx_scheme *b)
{
    if (a == NULL || b == NULL)
        return (a != NULL) - (b != NULL);
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    if (a->nfirst != b->nfirst || a->nlast != b->nlast)
        return a->nfirst < b->nfirst || (a->nfirst == b->nfirst && a->nlast < b->nlast) ? -1 : 1;
    int order = compare_weights(a->w, a->count, b->w, b->count);
    for (int k = 0; k < a->nfirst && order == 0; k++)
        order = compare_weights(a->first[k].w, a->first[k].count, b->first[k].w, b->first[k].count);
    for (int k = 0; k < a->nlast && order == 0; k++)
        order = compare_weights(a->last[k].w, a->last[k].count, b->last[k].w, b->last[k].count);
    return order;
}

/* Which of two maps comes first? The smaller number of the first thing in which they differ. */
static int compare(const map *a, const map *b)
{
#define COMPARE(x, y)                                                                                                  \
    if ((x) != (y))                                                                                                    \
        return (x) < (y) ? -1 : 1;
    COMPARE(a->kind, b->kind)
    if (a->kind == CROP) {
        COMPARE(a->crop[0], b->crop[0])
        COMPARE(a->crop[1], b->crop[1])
    } else if (a->kind == DERIVATIVE) {
        const fdx_derivative *one = &a->factor->what, *two = &b->factor->what;
        COMPARE(one->deriv, two->deriv)
        COMPARE(one->accuracy, two->accuracy)
        COMPARE(one->left, two->left)
        COMPARE(one->right, two->right)
        COMPARE(one->position, two->position)
        COMPARE(one->side, two->side)
        COMPARE(one->datum, two->datum)
        for (int k = 0; k < 2; k++)
            if ((k == 0 ? one->left : one->right) == FDX_GIVEN) {
                COMPARE(one->condition[k].value, two->condition[k].value)
                COMPARE(one->condition[k].slope, two->condition[k].slope)
                COMPARE(one->condition[k].outside, two->condition[k].outside)
            }
        const int order = compare_schemes(one->scheme, two->scheme);
        if (order != 0)
            return order;
        if (one->scheme != NULL)
            return a->transposed - b->transposed;
        const double h = fdx_spacing_of(one), g = fdx_spacing_of(two);
        COMPARE(h != 0 ? h : one->x[1] - one->x[0], g != 0 ? g : two->x[1] - two->x[0])
        COMPARE(g != 0, h != 0)
        if (h == 0) {
            COMPARE(one->n, two->n)
            COMPARE(one->at != NULL, two->at != NULL)
            for (ptrdiff_t i = 0; one->at != NULL && i < one->n + fdx_outline_of(one, 0).more; i++)
                COMPARE(one->at[i], two->at[i])
            for (ptrdiff_t i = 0; i < one->n; i++)
                COMPARE(one->x[i], two->x[i])
            if (one->left == FDX_PERIODIC)
                COMPARE(one->period, two->period)
        }
    }
    COMPARE(a->transposed, b->transposed)
    return 0;
#undef COMPARE
}

/* The matrix of a map for `columns` points, times a number; `exact` as above. */
static fdx_status build_map(arena *r, const map *m, ptrdiff_t columns, const fdx_isa *isa, double scale, int exact,
                            matrix *result)
{
    const ptrdiff_t n = columns - (m->transposed ? m->more : 0);
    fdx_status status;
    if (m->kind == DERIVATIVE) {
        fdx_derivative what = m->factor->what;
        what.n = n;
        what.isa = isa;
        status = derivative(r, &what, scale, exact, result);
    } else if (m->kind == CROP) {
        status = selection(r, n + m->more, n, m->crop[0], 0, scale, result);
    } else {
        status = given(m->factor->band, result);
    }
    if (status == FDX_OK && m->transposed)
        status = transpose(r, result);
    if (status == FDX_OK && m->kind == BAND && scale != 1 && result->rows > 0) {
        matrix times;
        status = selection(r, result->rows, result->rows, 0, result->periodic, 1, &times);
        if (status == FDX_OK)
            status = multiply(r, &times, result, scale);
    }
    return status;
}

/* ---- terms ---- */

typedef ptrdiff_t lengths[FDX_MAXDIM];

/* A term as a sequence of maps and coefficients, in the order in which they are applied. */
typedef struct {
    const fdx_sum *what;
    const fdx_term *term;
    const lengths *lost; /* two: from the inputs' first and last points to those that all terms' results have, in half
                          * spacings */
    ptrdiff_t origin[FDX_MAXDIM], n[FDX_MAXDIM]; /* of this term's results: the first one's place, in half spacings from
                                                  * what counts as its input's first point on; how many */
    int length;
} sequence;

/* From the inputs' last point back to this term's last result, in half spacings. */
static ptrdiff_t lost_at_end(const sequence *s, int d)
{
    return 2 * (s->what->shape[d] - s->n[d]) - s->origin[d];
}

/* The number of points that all terms' results have along an axis of `n` points. */
static ptrdiff_t common_length(const lengths *lost, int d, ptrdiff_t n)
{
    return n - (lost[0][d] + lost[1][d]) / 2;
}

/* After the term's factors, one map for each axis: the removal of points that its results have, and others' do not. In
 * a transposed term it comes first, and adds zeros. Otherwise it is no part of the sequence: rows of bands are left
 * out, or of chains' results. */
static map map_at(const sequence *s, int k)
{
    const int nfactors = s->term->nfactors, transposed = s->what->transposed != 0;
    const int at = transposed ? s->length - 1 - k : k;
    if (at >= 2 * nfactors) {
        const int d = at - 2 * nfactors;
        return crop_of(d, transposed, (s->lost[0][d] - s->origin[d]) / 2, (s->lost[1][d] - lost_at_end(s, d)) / 2);
    }
    if (at % 2 == 0)
        return map_of(&s->term->factor[at / 2], transposed);
    map m = crop_of(-1, 1, 0, 0);
    m.factor = &s->term->factor[at / 2];
    m.kind = m.factor->coefficient != NULL ? COEFFICIENT : NOTHING;
    return m;
}

/* Maps of a sequence along an axis between two coefficients; `transposed`: of the transposed product. */
typedef struct {
    const sequence *s;
    int begin, end, axis, transposed;
} factors;

/* The number of the next map after number k, and the map itself; f->end or f->begin - 1 if there is none. To begin
 * with, k is f->begin - 1; if transposed, f->end. */
static int next_map(const factors *f, int k, map *m)
{
    const int step = f->transposed ? -1 : 1;
    for (k += step; k >= f->begin && k < f->end; k += step) {
        *m = map_at(f->s, k);
        if (m->kind > COEFFICIENT && m->axis == f->axis) {
            m->transposed = m->transposed != f->transposed;
            break;
        }
    }
    return k;
}

static int before_first(const factors *f)
{
    return f->transposed ? f->end : f->begin - 1;
}

static int is_over(const factors *f, int k)
{
    return k < f->begin || k >= f->end;
}

/* A product and its transpose have the same numbers: only one of the two is computed. It is the one that applies a
 * derivative first, whose rows then give 0 for a constant; if that does not decide, the one whose last maps come
 * first. Returns 1 for the transpose, -1 for the product, and 0 if both are the same. */
static int prefers_transpose(const factors *f)
{
    factors g = *f;
    map m = crop_of(-1, 1, 0, 0), t = m;
    g.transposed = !f->transposed;
    int k = next_map(f, before_first(f), &m), j = next_map(&g, before_first(&g), &t);
    if (m.transposed != t.transposed)
        return m.transposed - t.transposed;
    /* From the last map on, which is g's first. g transposes each map: undo that to compare. */
    for (; !is_over(f, k); k = next_map(f, k, &m), j = next_map(&g, j, &t)) {
        map last = t, last_of_transpose = m;
        last.transposed = !t.transposed;
        last_of_transpose.transposed = !m.transposed;
        const int order = compare(&last, &last_of_transpose);
        if (order != 0)
            return order;
    }
    return 0;
}

/* Is there more than one map, none of them periodic? */
static int is_product(const factors *f)
{
    int count = 0;
    map m;
    for (int k = next_map(f, before_first(f), &m); !is_over(f, k); k = next_map(f, k, &m), count++)
        if (m.kind == BAND ? m.factor->band->periodic : m.kind == DERIVATIVE && m.factor->what.left == FDX_PERIODIC)
            return 0;
    return count > 1;
}

/* The same maps and, if they are the last ones of their term, the removal of points. */
static factors with_crop(const factors *f)
{
    factors all = *f;
    if (f->end == f->s->length && !f->s->what->transposed)
        all.end += f->s->what->ndim;
    return all;
}

/* The product of maps along an axis of n points, times a number. The derivative that is applied last is scaled; the
 * product of several is scaled before it is rounded. It has only the rows that are needed, so that it is the same
 * product as in the transposed operator. */
static fdx_status build_product(arena *r, factors f, ptrdiff_t n, double scale, matrix *result)
{
    const size_t mark = r->used;
    map m;
    int scaled = -1, derivatives = 0, count = 0;
    ptrdiff_t rows = n, origin = 0;
    r->not_a_band = 0;
    if (is_product(&f) && common_length(f.s->lost, f.axis, f.s->what->shape[f.axis]) > 0)
        f = with_crop(&f);
    for (int k = next_map(&f, before_first(&f), &m); !is_over(&f, k); k = next_map(&f, k, &m), count++)
        advance(&m, &rows, &origin);
    const int several = count > 1, by_transpose = several && prefers_transpose(&f) > 0;
    f.transposed ^= by_transpose;
    for (int k = next_map(&f, before_first(&f), &m); !is_over(&f, k); k = next_map(&f, k, &m)) {
        if (m.kind > CROP || derivatives == 0)
            scaled = k;
        derivatives += m.kind > CROP;
    }
    matrix product = {NULL, 0, 0, 0, 0, 0, 0, 0, 0};
    ptrdiff_t columns = by_transpose ? rows : n;
    count = 0;
    for (int k = next_map(&f, before_first(&f), &m); !is_over(&f, k); k = next_map(&f, k, &m)) {
        const double here = k == scaled ? scale : 1;
        const int single = derivatives <= 1 || count == 0;
        matrix factor;
        fdx_status status = build_map(r, &m, columns, f.s->what->isa, single ? here : 1, several, &factor);
        if (status == FDX_OK && count++ > 0) {
            matrix next = product;
            status = multiply(r, &factor, &next, single ? 1 : here);
            if (status == FDX_OK)
                keep(r, mark, &next);
            factor = next;
        }
        if (status != FDX_OK)
            return status;
        product = factor;
        columns = product.rows;
    }
    const fdx_status status = by_transpose ? transpose(r, &product) : FDX_OK;
    if (status == FDX_OK)
        keep(r, mark, &product);
    *result = product;
    return status;
}

/* ---- chains ---- */

/* A chain while it is built. */
typedef struct {
    arena *r;
    fdx_stage *stage; /* NULL while bytes are counted */
    int count;
    ptrdiff_t n[FDX_MAXDIM]; /* of the last stage's result */
} chain_builder;

/* Change the rows of a band to FDX_SUM_PLAIN: applied to a unit vector, they then give the matrix's entries. So does
 * FDX_SUM_ANTISYMMETRIC, unless the input is the result of a factor along the same axis without a coefficient between
 * them (pairs_too), of which a unit vector has several neighbours. */
static void make_plain(arena *r, matrix *m, int pairs_too)
{
    const ptrdiff_t closure = m->band == NULL ? 0 : m->band->nfirst + m->band->nlast;
    fdx_band *band = (fdx_band *)m->band;
    fdx_stencil *rows = band == NULL ? NULL : (fdx_stencil *)band->first;
    if (m->bytes == 0) { /* a band of the caller's */
        band = (fdx_band *)reserve(r, 1, sizeof *band);
        rows = (fdx_stencil *)reserve(r, (size_t)closure, sizeof *rows);
        if (r->full || counts_only(r))
            return;
        *band = *m->band;
        for (ptrdiff_t k = 0; k < closure; k++)
            rows[k] = k < band->nfirst ? band->first[k] : band->last[k - band->nfirst];
        band->first = rows;
        band->last = rows + band->nfirst;
        m->band = band;
    }
    for (ptrdiff_t k = 0; k < closure; k++)
        rows[k].summation = FDX_SUM_PLAIN;
    if (band != NULL && (pairs_too || band->interior.summation != FDX_SUM_ANTISYMMETRIC))
        band->interior.summation = FDX_SUM_PLAIN;
}

static fdx_status add_stage(chain_builder *c, int axis, matrix *m, int pairs_too)
{
    if (c->count == FDX_MAXSTAGES)
        return FDX_E_COUNT;
    if (m != NULL && c->count > 0)
        make_plain(c->r, m, pairs_too);
    if (c->stage != NULL)
        c->stage[c->count] = (fdx_stage){axis, m == NULL ? NULL : m->band, NULL, 0};
    if (m != NULL)
        c->n[axis] = m->rows;
    c->count++;
    return c->r->full ? FDX_E_SIZE : FDX_OK;
}

/* The stages of maps along an axis: one, their product, or one for each map if that is not a band. */
static fdx_status add_along(chain_builder *c, const factors *f, double scale)
{
    arena *r = c->r;
    const size_t mark = r->used;
    const int before = c->count;
    const ptrdiff_t n = c->n[f->axis];
    matrix m;
    fdx_status status = build_product(r, *f, n, scale, &m);
    if (status == FDX_OK)
        status = add_stage(c, f->axis, &m, 0);
    if (status == FDX_OK ? !counts_only(r) : !r->not_a_band)
        return status;
    /* Count these bytes as well: whether rows of the product are too long is only known when its factors are built. */
    const size_t of_product = status == FDX_OK ? r->used : mark;
    const chain_builder after = *c;
    map one, other;
    r->used = mark;
    c->n[f->axis] = n;
    c->count = before;
    for (int k = next_map(f, before_first(f), &one), next; !is_over(f, k); k = next, one = other) {
        next = next_map(f, k, &other);
        const size_t begin = r->used;
        const fdx_status built =
            build_map(r, &one, c->n[f->axis], f->s->what->isa, is_over(f, next) ? scale : 1, 0, &m);
        if (built != FDX_OK)
            return built;
        keep(r, begin, &m);
        const fdx_status added = add_stage(c, f->axis, &m, 1);
        if (added != FDX_OK && status != FDX_OK)
            return added;
        c->n[f->axis] = m.rows;
    }
    if (status != FDX_OK)
        return FDX_OK;
    r->used = MAX(r->used, of_product);
    *c = after;
    return FDX_OK;
}

/* A copy of the view: only its data has to stay. */
static fdx_status add_coefficient(chain_builder *c, const fdx_factor *factor, int ndim, int to_last)
{
    const fdx_array *coefficient = factor->coefficient;
    fdx_status status = to_last ? FDX_OK : add_stage(c, 0, NULL, 0);
    fdx_array *copy = (fdx_array *)reserve(c->r, 1, sizeof *copy);
    ptrdiff_t *stride = (ptrdiff_t *)reserve(c->r, (size_t)ndim, sizeof *stride);
    if (status != FDX_OK || c->r->full || counts_only(c->r))
        return status;
    memcpy(stride, coefficient->stride, (size_t)ndim * sizeof *stride);
    *copy = *coefficient;
    copy->stride = stride;
    c->stage[c->count - 1].coefficient = copy;
    c->stage[c->count - 1].sign = factor->sign;
    return FDX_OK;
}

static double number_of(const fdx_term *term)
{
    double number = term->scale == NULL ? 1 : *term->scale;
    for (int k = 0; k < term->nfactors; k++)
        if (term->factor[k].band == NULL)
            number *= term->factor[k].what.scale;
    return number;
}

/* The axes, as bits, of maps from number k on up to the next coefficient, and of derivatives and bands among them.
 * Returns the number of the coefficient, or the sequence's length. */
static int next_group(const sequence *s, int k, uint64_t *axes, uint64_t *of_derivatives)
{
    *axes = *of_derivatives = 0;
    for (; k < s->length; k++) {
        const map m = map_at(s, k);
        if (m.kind == COEFFICIENT)
            break;
        if (m.kind == NOTHING)
            continue;
        *axes |= (uint64_t)1 << m.axis;
        if (m.kind > CROP)
            *of_derivatives |= (uint64_t)1 << m.axis;
    }
    return k;
}

/* The stages of a term, for inputs of the shape in c->n. */
static fdx_status add_stages(chain_builder *c, const sequence *s)
{
    uint64_t axes, derivatives, scaled_bit = 0;
    int scaled = -1; /* the group with the derivative that is applied last; of several along its least axis */
    for (int k = 0, end; k <= s->length; k = end + 1) {
        end = next_group(s, k, &axes, &derivatives);
        if (derivatives != 0) {
            scaled = k;
            scaled_bit = derivatives & (~derivatives + 1);
        }
    }
    const double number = number_of(s->term);
    fdx_status status = FDX_OK;
    if (scaled < 0 && fdx_bits_of(number) != fdx_bits_of(1) && c->n[0] > 0) {
        matrix times;
        status = selection(c->r, c->n[0], c->n[0], 0, 0, number, &times);
        if (status == FDX_OK)
            status = add_stage(c, 0, &times, 0);
    }
    for (int k = 0, end, first = 0; k <= s->length && status == FDX_OK; k = end + 1, first = c->count) {
        end = next_group(s, k, &axes, &derivatives);
        for (int d = s->what->ndim - 1; d >= 0 && status == FDX_OK; d--) {
            const uint64_t bit = (uint64_t)1 << d;
            const factors f = {s, k, end, d, 0};
            if (axes & bit)
                status = add_along(c, &f, scaled == k && bit == scaled_bit ? number : 1);
        }
        if (end < s->length && status == FDX_OK)
            status = add_coefficient(c, map_at(s, end).factor, s->what->ndim, c->count > first);
    }
    return status == FDX_OK && c->count == 0 ? add_stage(c, 0, NULL, 0) : status;
}

/* ---- sums along an axis ---- */

/* The axis of a term whose maps, at least one of them a derivative or a band, are all along one axis, without
 * coefficients; or -1. */
static int only_axis(const sequence *s)
{
    uint64_t axes, derivatives;
    if (next_group(s, 0, &axes, &derivatives) < s->length || derivatives == 0 || (axes & (axes - 1)) != 0)
        return -1;
    int axis = 0;
    while ((axes >> axis & 1) == 0)
        axis++;
    return axis;
}

/* ---- operators ---- */

/* What the terms of a description have in common. */
typedef struct {
    arena r;
    const fdx_sum *what;
    lengths lost[2];        /* as in sequence */
    lengths place;          /* of results that count as those of an input's first point, in half spacings from it; */
    const fdx_term *placed; /* for terms from the same input to the same output as this one */
    ptrdiff_t *in_shape, *out_shape, *shift;
    fdx_chain *chain;
    fdx_stage *stage;
    uint8_t *is_added; /* for each term: it is part of another one's chain */
    int nchains;
} compiler;

static fdx_status check_factor(const fdx_factor *factor, int ndim)
{
    const fdx_array *coefficient = factor->coefficient;
    if (factor->axis < 0 || factor->axis >= ndim)
        return FDX_E_AXIS;
    if (coefficient != NULL && (coefficient->data == NULL || coefficient->stride == NULL))
        return FDX_E_NULL;
    if (coefficient != NULL && !is_real(coefficient->dtype))
        return FDX_E_DTYPE;
    if (coefficient == NULL ? factor->sign != 0 : factor->sign < -1 || factor->sign > 1)
        return FDX_E_STENCIL;
    if (factor->crop[0] < 0 || factor->crop[0] > MAX_LENGTH / 2 || factor->crop[1] < 0 ||
        factor->crop[1] > MAX_LENGTH / 2 ||
        ((factor->band != NULL || is_derivative(&factor->what)) && (factor->crop[0] != 0 || factor->crop[1] != 0)))
        return FDX_E_SIZE;
    if (factor->band != NULL)
        return fdx_check_band(factor->band);
    const fdx_derivative *what = &factor->what;
    if (fdx_is_zero(what->scale) || !fdx_is_finite(what->scale))
        return FDX_E_NODES;
    if (fdx_takes_spacing(what) && what->x == NULL && (fdx_is_zero(what->spacing) || !fdx_is_finite(what->spacing)))
        return FDX_E_NODES;
    return is_derivative(what) ? fdx_check_derivative(what) : FDX_OK;
}

static fdx_status check_sum(const fdx_sum *what)
{
    if (what == NULL || what->shape == NULL || what->term == NULL || what->isa == NULL)
        return FDX_E_NULL;
    if (what->ndim < 1 || what->ndim > FDX_MAXDIM)
        return FDX_E_NDIM;
    if (what->nterms < 1)
        return FDX_E_COUNT;
    for (int d = 0; d < what->ndim; d++)
        if (what->shape[d] < 0)
            return FDX_E_SHAPE;
    int out = -1;
    uint64_t used = 0; /* bits: inputs */
    for (int k = 0; k < what->nterms; k++) {
        const fdx_term *term = &what->term[k];
        if (term->in < 0 || term->in >= FDX_MAXDIM || term->out < 0 || term->out >= FDX_MAXDIM || term->out < out ||
            term->out > out + 1 || term->nfactors < 1 || term->nfactors > INT_MAX / 4)
            return FDX_E_COUNT;
        if (term->factor == NULL)
            return FDX_E_NULL;
        for (int j = 0; j < term->nfactors; j++) {
            const fdx_status status = check_factor(&term->factor[j], what->ndim);
            if (status != FDX_OK)
                return status;
        }
        if (!fdx_is_finite(number_of(term)))
            return FDX_E_NODES;
        used |= (uint64_t)1 << term->in;
        out = term->out;
    }
    return (used & (used + 1)) == 0 ? FDX_OK : FDX_E_COUNT;
}

/* Where a term's results begin, in half spacings from the inputs' first point on, and how many there are. */
static fdx_status find_results(const fdx_sum *what, const fdx_term *term, ptrdiff_t *origin, ptrdiff_t *n)
{
    for (int d = 0; d < what->ndim; d++) {
        origin[d] = 0;
        n[d] = what->shape[d];
    }
    for (int j = 0; j < term->nfactors; j++) {
        const map m = map_of(&term->factor[j], 0);
        const fdx_status status = advance(&m, &n[m.axis], &origin[m.axis]);
        if (status != FDX_OK)
            return status;
    }
    return FDX_OK;
}

/* The place of term k's results that count as those of its input's first point: that, or half a spacing from it, on the
 * side on which the first term from the same input to the same output begins. */
static fdx_status find_place(compiler *c, int k)
{
    const fdx_sum *what = c->what;
    const fdx_term *first = what->term;
    ptrdiff_t n[FDX_MAXDIM];
    while (first->in != what->term[k].in || first->out != what->term[k].out)
        first++;
    if (c->placed == first)
        return FDX_OK;
    const fdx_status status = find_results(what, first, c->place, n);
    for (int d = 0; d < what->ndim && status == FDX_OK; d++)
        c->place[d] = c->place[d] % 2 == 0 ? 0 : c->place[d] < 0 ? -1 : 1;
    c->placed = status == FDX_OK ? first : NULL;
    return status;
}

static fdx_status begin_sequence(compiler *c, int k, sequence *s)
{
    const fdx_sum *what = c->what;
    s->what = what;
    s->term = &what->term[k];
    s->lost = (const lengths *)c->lost;
    s->length = 2 * s->term->nfactors + (what->transposed ? what->ndim : 0);
    fdx_status status = find_place(c, k);
    if (status == FDX_OK)
        status = find_results(what, s->term, s->origin, s->n);
    for (int d = 0; d < what->ndim && status == FDX_OK; d++)
        s->origin[d] -= c->place[d];
    return status;
}

static ptrdiff_t common_length_of(const compiler *c, int d)
{
    return common_length((const lengths *)c->lost, d, c->what->shape[d]);
}

/* The points that all terms' results have. */
static fdx_status find_region(compiler *c, sequence *s)
{
    for (int k = 0; k < c->what->nterms; k++) {
        const fdx_status status = begin_sequence(c, k, s);
        if (status != FDX_OK)
            return status;
        for (int d = 0; d < c->what->ndim; d++) {
            const ptrdiff_t begin = s->origin[d], end = lost_at_end(s, d);
            if (begin % 2 != 0)
                return FDX_E_SIZE;
            c->lost[0][d] = k == 0 ? begin : MAX(c->lost[0][d], begin);
            c->lost[1][d] = k == 0 ? end : MAX(c->lost[1][d], end);
        }
    }
    for (int d = 0; d < c->what->ndim; d++)
        if (common_length_of(c, d) < 0)
            return FDX_E_SIZE;
    return FDX_OK;
}

/* The length of an operator's inputs along an axis. */
static ptrdiff_t input_length(const compiler *c, int d)
{
    return c->what->transposed ? common_length_of(c, d) : c->what->shape[d];
}

static int input_of(const fdx_sum *what, int k)
{
    return what->transposed ? what->term[k].out : what->term[k].in;
}

static int output_of(const fdx_sum *what, int k)
{
    return what->transposed ? what->term[k].in : what->term[k].out;
}

/* Append a chain of the sequence's term, whose results have n[d] points along each axis. */
static void append_chain(compiler *c, const sequence *s, int nstages, const ptrdiff_t *n)
{
    const int ndim = c->what->ndim, k = (int)(s->term - c->what->term);
    if (counts_only(&c->r))
        return;
    for (int d = 0; d < ndim; d++)
        c->shift[d] = c->what->transposed || n[d] == common_length_of(c, d) ? 0 : (c->lost[0][d] - s->origin[d]) / 2;
    c->chain[c->nchains++] = (fdx_chain){input_of(c->what, k), output_of(c->what, k), nstages, c->stage, c->shift};
    c->shift += ndim;
    c->stage += nstages;
}

/* Is term j from the same input to the same output as term k, and along the axis only? */
static int is_alike(compiler *c, int k, int axis, int j, sequence *s)
{
    const fdx_term *one = &c->what->term[k], *other = &c->what->term[j];
    return one->in == other->in && one->out == other->out && begin_sequence(c, j, s) == FDX_OK && only_axis(s) == axis;
}

/* The terms along one axis, from one input to one output. */
typedef struct {
    int first, axis;
    ptrdiff_t lo, rows, columns; /* the rows that all of them have, the first of which is at the place lo */
    int count;
    int transposed; /* 1: the transposed sum is computed, as that is so for the first product where it matters */
} alike;

static alike find_alike(compiler *c, int k, int axis, sequence *s)
{
    const fdx_sum *what = c->what;
    alike a = {k, axis, PTRDIFF_MIN, 0, input_length(c, axis), 0, 0};
    ptrdiff_t at_end = PTRDIFF_MIN;
    int order = 0;
    for (int j = 0; j < what->nterms; j++) {
        if (!is_alike(c, k, axis, j, s))
            continue;
        if (j < k) { /* the sum with that one is not a band */
            a.count = 0;
            return a;
        }
        const factors f = {s, 0, s->length, axis, 0};
        const int whole = !is_product(&f); /* products have only the rows that all terms have: build_product */
        const ptrdiff_t lo = what->transposed ? 0 : whole ? s->origin[axis] : c->lost[0][axis];
        const ptrdiff_t end = what->transposed ? 0 : whole ? lost_at_end(s, axis) : c->lost[1][axis];
        const factors all = with_crop(&f);
        order = order == 0 ? prefers_transpose(&all) : order;
        a.lo = MAX(a.lo, lo);
        at_end = MAX(at_end, end);
        a.count++;
    }
    a.rows = what->shape[axis] - (a.lo + at_end) / 2;
    a.transposed = order > 0;
    return a;
}

/* Build the bands of the terms and their sum, at the beginning of the arena's free memory; r->not_a_band if there is no
 * such sum. */
static fdx_status build_sum(compiler *c, const alike *a, sequence *s, matrix *sum)
{
    arena *r = &c->r;
    const size_t mark = r->used;
    const ptrdiff_t rows = a->transposed ? a->columns : a->rows, columns = a->transposed ? a->rows : a->columns;
    fdx_summand *term = (fdx_summand *)reserve(r, (size_t)a->count, sizeof *term);
    ptrdiff_t last = PTRDIFF_MIN;
    int count = 0;
    *sum = (matrix){NULL, 0, rows, columns, PTRDIFF_MAX, 0, 0, 0, 0};
    /* A transposed sum has the columns of its terms' transposes, which with_crop makes those rows. */
    r->not_a_band = a->transposed && !c->what->transposed &&
                    (a->lo != c->lost[0][a->axis] || a->rows != common_length_of(c, a->axis));
    for (int j = a->first; j < c->what->nterms && !r->not_a_band && !r->full; j++) {
        if (!is_alike(c, a->first, a->axis, j, s))
            continue;
        matrix m;
        factors f = {s, 0, s->length, a->axis, a->transposed};
        if (a->transposed)
            f = with_crop(&f);
        const fdx_status status = build_product(r, f, columns, number_of(s->term), &m);
        if (status != FDX_OK)
            return status;
        const ptrdiff_t from = a->transposed || m.rows == rows ? 0 : (a->lo - s->origin[a->axis]) / 2;
        r->not_a_band = fdx_distance(m.offset) > MAX_LENGTH;
        sum->offset = MIN(sum->offset, m.offset + from);
        last = MAX(last, m.offset + from + m.count - 1);
        sum->ends = MAX(sum->ends, m.ends + m.count + (ptrdiff_t)fdx_distance(m.offset) + from);
        sum->varying |= m.varying;
        sum->periodic |= m.periodic;
        if (term != NULL)
            term[count++] = (fdx_summand){m.band, from};
    }
    if (r->not_a_band || r->full)
        return FDX_E_SIZE;
    sum->count = MIN(last - sum->offset + 1, FDX_MAXWEIGHTS);
    bound_bytes(sum);
    void *memory = reserve_band(r, sum, term == NULL ? 0 : fdx_band_sum_size(term, count, rows));
    r->not_a_band = sum->bytes == 0;
    fdx_status status = r->full || r->not_a_band ? FDX_E_SIZE : FDX_OK;
    if (status == FDX_OK && term != NULL)
        status = fdx_band_sum(memory, term, count, rows, &sum->band);
    if (status == FDX_OK && a->transposed)
        status = transpose(r, sum);
    if (status == FDX_OK)
        keep(r, mark, sum);
    return status;
}

/* Add term k and those after it that are along the same axis only, from the same input to the same output: *done is 1
 * if there are any, and their sum is a band. `s` is the sequence of term k, and `t` memory for others. While bytes are
 * counted, each term is counted as well: whether their sum is a band is only known when they are built. */
static fdx_status add_sum(compiler *c, int k, sequence *s, sequence *t, int *done)
{
    const int axis = only_axis(s);
    *done = 0;
    if (axis < 0)
        return FDX_OK;
    const alike a = find_alike(c, k, axis, t);
    if (a.count < 2 || a.rows <= 0)
        return FDX_OK;
    const size_t mark = c->r.used;
    matrix sum;
    const fdx_status status = build_sum(c, &a, t, &sum);
    if (status != FDX_OK) {
        c->r.used = mark;
        return c->r.not_a_band ? FDX_OK : status;
    }
    if (counts_only(&c->r))
        return FDX_OK;
    c->stage[0] = (fdx_stage){axis, sum.band, NULL, 0};
    for (int j = k; j < c->what->nterms; j++)
        if (is_alike(c, k, axis, j, t))
            c->is_added[j] = 1;
    s->origin[axis] = a.lo;
    s->n[axis] = a.rows;
    append_chain(c, s, 1, s->n);
    *done = 1;
    return FDX_OK;
}

/* The chain of term k, or of the sum that it begins. */
static fdx_status add_term(compiler *c, int k)
{
    sequence s, t;
    chain_builder chain = {&c->r, c->stage, 0, {0}};
    int done;
    if (c->is_added != NULL && c->is_added[k])
        return FDX_OK;
    fdx_status status = begin_sequence(c, k, &s);
    if (status == FDX_OK)
        status = add_sum(c, k, &s, &t, &done);
    if (status != FDX_OK || done)
        return status;
    for (int d = 0; d < c->what->ndim; d++)
        chain.n[d] = input_length(c, d);
    status = add_stages(&chain, &s);
    if (status == FDX_OK)
        append_chain(c, &s, chain.count, chain.n);
    return status;
}

/* Are there weights that single precision cannot hold, or rows that lose digits there? */
static int needs_double(const fdx_chain *chain, int nchains)
{
    for (int k = 0; k < nchains; k++)
        for (int s = 0; s < chain[k].nstages; s++) {
            double largest, least;
            if (chain[k].stage[s].band == NULL)
                continue;
            fdx_band_limits(chain[k].stage[s].band, &largest, &least);
            if (largest > FLT_MAX || (least > 0 && least < FLT_MIN)) /* 0 times a derivative loses no digits */
                return 1;
        }
    return 0;
}

static fdx_status compile(compiler *c, const fdx_operator **result)
{
    const fdx_sum *what = c->what;
    arena *r = &c->r;
    const int ndim = what->ndim;
    const size_t of_dimensions = (size_t)ndim * sizeof(ptrdiff_t);
    size_t nstages = 0;
    int ninputs = 0;
    for (int k = 0; k < what->nterms; k++) {
        nstages += (size_t)MIN(2 * what->term[k].nfactors + ndim + 1, FDX_MAXSTAGES);
        ninputs = MAX(ninputs, what->term[k].in + 1);
    }
    const int noutputs = what->term[what->nterms - 1].out + 1;
    fdx_operator *op = (fdx_operator *)reserve(r, 1, sizeof *op);
    c->in_shape = (ptrdiff_t *)reserve(r, 1, of_dimensions);
    c->out_shape = (ptrdiff_t *)reserve(r, 1, of_dimensions);
    c->shift = (ptrdiff_t *)reserve(r, (size_t)what->nterms, of_dimensions);
    c->chain = (fdx_chain *)reserve(r, (size_t)what->nterms, sizeof *c->chain);
    c->stage = (fdx_stage *)reserve(r, nstages, sizeof *c->stage);
    c->is_added = (uint8_t *)reserve(r, (size_t)what->nterms, 1);
    if (c->is_added != NULL)
        memset(c->is_added, 0, (size_t)what->nterms);
    for (int out = 0; out < (what->transposed ? ninputs : noutputs); out++)
        for (int k = 0; k < what->nterms && !r->full; k++) {
            const fdx_status status = output_of(what, k) == out ? add_term(c, k) : FDX_OK;
            if (status != FDX_OK)
                return status;
        }
    if (r->full)
        return FDX_E_SIZE;
    if (counts_only(r))
        return FDX_OK;
    for (int d = 0; d < ndim; d++) {
        c->in_shape[d] = input_length(c, d);
        c->out_shape[d] = what->transposed ? what->shape[d] : common_length_of(c, d);
    }
    *op = (fdx_operator){ndim,
                         c->in_shape,
                         c->out_shape,
                         what->transposed ? noutputs : ninputs,
                         what->transposed ? ninputs : noutputs,
                         c->nchains,
                         c->chain,
                         what->isa,
                         needs_double(c->chain, c->nchains)};
    /* It can only fail for rows that are too far from the diagonal. */
    if (fdx_check_operator(op) != FDX_OK)
        return FDX_E_SIZE;
    *result = op;
    return FDX_OK;
}

/* Count the bytes and, unless op is NULL, compile. */
static fdx_status count_and_compile(const fdx_sum *what, size_t *bytes, void *memory, const fdx_operator **op)
{
    compiler c;
    sequence s;
    fdx_status status = check_sum(what);
    if (status != FDX_OK)
        return status;
    memset(&c, 0, sizeof c);
    c.what = what;
    c.r.limit = PTRDIFF_MAX / sizeof(double) * sizeof(double);
    status = find_region(&c, &s);
    if (status == FDX_OK)
        status = compile(&c, NULL);
    *bytes = status == FDX_OK ? c.r.most : 0;
    if (status != FDX_OK || op == NULL)
        return status;
    c.r = (arena){(char *)memory, 0, 0, c.r.most, 0, 0};
    return memory == NULL ? FDX_E_NULL : compile(&c, op);
}

size_t fdx_operator_size(const fdx_sum *what)
{
    fdx_environment before;
    size_t bytes = 0;
    fdx_enter_default(&before);
    count_and_compile(what, &bytes, NULL, NULL);
    fdx_leave_default(&before);
    return bytes;
}

fdx_status fdx_operator_make(void *memory, const fdx_sum *what, const fdx_operator **op)
{
    fdx_environment before;
    const fdx_operator *made = NULL;
    size_t bytes;
    fdx_enter_default(&before);
    const fdx_status status = count_and_compile(what, &bytes, op == NULL ? NULL : memory, &made);
    fdx_leave_default(&before);
    if (status == FDX_OK)
        *op = made;
    return status;
}
