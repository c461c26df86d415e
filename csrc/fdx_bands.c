/* Banded matrices: derivatives with their boundaries, transposes, products, sums.
 *
 * Each of the four gives a builder the structure of the matrix, the columns that a row touches, and the weights of a
 * row. One function lays the band out in the caller's memory and has the rows filled in. */
#include <float.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "fdx_operator.h"
#include "fdx_fenv.h"
#include "fdx_dd.h"
#include "fdx_sbp.inc"

/* ---- the layout of any band ---- */

typedef struct builder builder;
struct builder {
    fdx_band band;     /* all but its pointers */
    ptrdiff_t shift;   /* a row's centre: its column minus the row's number */
    int end_summation; /* of the closures' rows */
    int varying;       /* 1: weights differ between interior rows */
    int any;           /* 1: row 0 stands for any row of an interior that does not vary, even if that has no rows */

    /* The columns lo .. hi that a row of a closure touches. */
    void (*span)(const builder *m, ptrdiff_t row, ptrdiff_t *lo, ptrdiff_t *hi);
    /* Set the weights w[0], w[r->weight_step], ... of a row, for the columns of r. It may change r's summation order;
     * weights that follow from this order need not be set. */
    fdx_status (*fill)(builder *m, ptrdiff_t row, fdx_stencil *r, double *w);
    /* NULL, or the same for n <= FDX_STENCILS interior rows from `row` on, including weights that follow from the
     * summation order. Returns whether it set all of them; if not, rows whose centre's weight is NaN are still to be
     * filled. */
    int (*fill_many)(const builder *m, ptrdiff_t row, ptrdiff_t n, const fdx_stencil *r, double *w);

    const fdx_band *a, *b;   /* operands of a transpose or product */
    const fdx_summand *term; /* nterms terms of a sum */
    int nterms;

    const fdx_derivative *what;
    const double *x; /* coordinates; NULL: a uniform spacing */
    fdx_outline outline;
    fdx_dd scale;  /* of all weights */
    double h;      /* the unit of the nodes: a uniform spacing, or 1 */
    int count, at; /* the stencil of w and rest, if the spacing is uniform: as in stencil_weights */
    double w[FDX_MAXNODES], rest[FDX_MAXNODES];
};

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b)
{
    return a < b ? a : b;
}

static ptrdiff_t most(ptrdiff_t a, ptrdiff_t b)
{
    return a > b ? a : b;
}

/* Rows lo .. end - 1 are the interior, if there are any. */
static void set_interior(builder *m, ptrdiff_t lo, ptrdiff_t end)
{
    fdx_band *band = &m->band;
    lo = least(most(lo, 0), band->rows);
    end = least(most(end, 0), band->rows);
    band->nfirst = lo < end ? lo : band->rows;
    band->nlast = lo < end ? band->rows - end : 0;
}

/* The number of the k-th of the closures' rows. */
static ptrdiff_t closure_row(const fdx_band *band, ptrdiff_t k)
{
    return k < band->nfirst ? k : band->rows - band->nlast + (k - band->nfirst);
}

/* Bytes before the weights. */
static size_t head(const fdx_band *band)
{
    return whole_doubles(sizeof(fdx_band)) + whole_doubles((size_t)(band->nfirst + band->nlast) * sizeof(fdx_stencil));
}

/* Bytes of the band; 0 if they are more than PTRDIFF_MAX, or a row of a closure has too many neighbours. */
static size_t size(const builder *m)
{
    const fdx_band *band = &m->band;
    const ptrdiff_t closures = band->nfirst + band->nlast, rows = m->varying ? band->rows - closures : 1;
    if ((size_t)closures > PTRDIFF_MAX / 2 / sizeof(fdx_stencil))
        return 0;
    const ptrdiff_t limit = (ptrdiff_t)((PTRDIFF_MAX - head(band)) / sizeof(double)); /* weights */
    if (rows > limit / band->interior.count)
        return 0;
    ptrdiff_t left = limit - rows * band->interior.count;
    for (ptrdiff_t k = 0; k < closures; k++) {
        ptrdiff_t lo, hi;
        m->span(m, closure_row(band, k), &lo, &hi);
        left -= hi - lo + 1;
        if (hi - lo >= FDX_MAXWEIGHTS || left < 0)
            return 0;
    }
    return head(band) + (size_t)(limit - left) * sizeof(double);
}

/* Is it a sum of pairs about the midpoint of two neighbours? */
static int is_around_midpoint(const fdx_stencil *r)
{
    return r->summation == FDX_SUM_ANTISYMMETRIC && r->count % 2 == 0;
}

/* The weights that follow from a row's summation order; FDX_E_NODES if one is not finite. */
static fdx_status set_centre(const fdx_stencil *r, double *w)
{
    const ptrdiff_t step = r->weight_step;
    double sum = 0;
    int terms = 0;
    if (r->summation == FDX_SUM_DIFFERENCES) {
        for (int k = 0; k < r->count; k++)
            if (k != r->centre)
                sum = terms++ == 0 ? -w[k * step] : sum - w[k * step];
    } else if (r->summation != FDX_SUM_PLAIN) {
        for (int k = r->centre + 1; k < r->count; k++) {
            const double v = w[k * step];
            w[(r->count - 1 - k) * step] = r->summation == FDX_SUM_ANTISYMMETRIC ? -v : v;
            sum = r->summation == FDX_SUM_ANTISYMMETRIC ? 0 : terms++ == 0 ? -2 * v : sum + -2 * v;
        }
    }
    if (r->summation != FDX_SUM_PLAIN && !is_around_midpoint(r))
        w[r->centre * step] = sum;
    for (int k = 0; k < r->count; k++)
        if (!fdx_is_finite(w[k * step]))
            return FDX_E_NODES;
    return FDX_OK;
}

static fdx_status make_row(builder *m, ptrdiff_t row, fdx_stencil *r, double *w)
{
    const fdx_status status = m->fill(m, row, r, w);
    return status == FDX_OK ? set_centre(r, w) : status;
}

/* Interior rows with different weights. */
static fdx_status make_rows(builder *m, ptrdiff_t rows, fdx_stencil *r, double *w)
{
    fdx_status status = FDX_OK;
    for (ptrdiff_t start = 0; start < rows && status == FDX_OK; start += FDX_STENCILS) {
        const ptrdiff_t end = least(start + FDX_STENCILS, rows);
        const int many = m->fill_many != NULL;
        if (many && m->fill_many(m, m->band.nfirst + start, end - start, r, w + start))
            continue;
        for (ptrdiff_t k = start; k < end && status == FDX_OK; k++)
            if (!many || isnan(w[r->centre * r->weight_step + k]))
                status = make_row(m, m->band.nfirst + k, r, w + k);
    }
    return status;
}

static fdx_status lay_out_as_is(void *memory, builder *m, const fdx_band **result)
{
    if (!fdx_computes_as_written())
        return FDX_E_NULL; /* as for a table that does not exist */
    if (memory == NULL || result == NULL)
        return FDX_E_NULL;
    if (size(m) == 0)
        return FDX_E_SIZE;
    fdx_band band = m->band;
    fdx_stencil *closures = (fdx_stencil *)(void *)((char *)memory + whole_doubles(sizeof(fdx_band)));
    double *w = (double *)(void *)((char *)memory + head(&band));
    const ptrdiff_t nclosures = band.nfirst + band.nlast, interior_rows = band.rows - nclosures;

    fdx_stencil *r = &band.interior;
    r->w = w;
    r->weight_step = m->varying ? interior_rows : 1;
    r->row_step = m->varying ? 1 : 0;
    m->any = !m->varying;
    fdx_status status = m->varying ? make_rows(m, interior_rows, r, w) : make_row(m, 0, r, w);
    w += r->count * (m->varying ? interior_rows : 1);
    m->any = 0;

    for (ptrdiff_t k = 0; k < nclosures && status == FDX_OK; k++) {
        const ptrdiff_t row = closure_row(&band, k), centre = row + m->shift;
        ptrdiff_t lo, hi;
        m->span(m, row, &lo, &hi);
        r = &closures[k];
        r->offset = lo - row;
        r->count = (int)(hi - lo + 1);
        r->centre = (int)(most(lo, least(centre, hi)) - lo);
        r->summation = m->end_summation;
        r->w = w;
        r->weight_step = 1;
        r->row_step = 0;
        status = make_row(m, row, r, w);
        if (r->summation == FDX_SUM_PLAIN && (centre < lo || centre > hi))
            r->centre = -1;
        w += r->count;
    }
    if (status != FDX_OK)
        return status;
    band.first = closures;
    band.last = closures + band.nfirst;
    memcpy(memory, &band, sizeof band);
    *result = (const fdx_band *)memory;
    return FDX_OK;
}

static const fdx_stencil *closure_stencil(const fdx_band *a, ptrdiff_t k)
{
    return k < a->nfirst ? &a->first[k] : &a->last[k - a->nfirst];
}

static double magnitude(double v)
{
    return v < 0 ? -v : v;
}

static double largest_weight(const fdx_stencil *r, ptrdiff_t number)
{
    double largest = 0;
    for (int k = 0; k < r->count; k++)
        largest = MAX(largest, magnitude(r->w[k * r->weight_step + number * r->row_step]));
    return largest;
}

void fdx_band_limits(const fdx_band *band, double *largest, double *least)
{
    const ptrdiff_t closures = band->nfirst + band->nlast, rows = band->rows - closures;
    *largest = 0;
    *least = DBL_MAX;
    for (ptrdiff_t r = 0; r < (band->interior.row_step != 0 ? rows : MIN(rows, 1)); r++) {
        const double here = largest_weight(&band->interior, r);
        *largest = MAX(*largest, here);
        *least = MIN(*least, here);
    }
    for (ptrdiff_t k = 0; k < closures; k++)
        *largest = MAX(*largest, largest_weight(closure_stencil(band, k), 0));
    if (rows == 0 && *largest > 0)
        *least = *largest;
}

/* 1 if the weights are symmetric about their middle, -1 if antisymmetric, 0 if neither. */
static int parity(const fdx_stencil *r)
{
    if (r->row_step != 0)
        return 0;
    int even = 1, odd = 1;
    for (int k = 0; k <= r->count - 1 - k; k++) {
        const double v = r->w[k * r->weight_step], mirrored = r->w[(r->count - 1 - k) * r->weight_step];
        even = even && v == mirrored;
        odd = odd && v == -mirrored;
    }
    return even - (odd && !even);
}

/* The summation order of weights of this parity, which add up to 0. */
static int summation_of(int parity, int count)
{
    return parity < 0 ? FDX_SUM_ANTISYMMETRIC : parity > 0 && count % 2 != 0 ? FDX_SUM_SYMMETRIC : FDX_SUM_DIFFERENCES;
}

ptrdiff_t fdx_wrapped_offset(ptrdiff_t offset, ptrdiff_t count, ptrdiff_t n)
{
    if (n == 0 || (offset >= -n && offset <= n + 1 - count))
        return offset;
    const ptrdiff_t inside = (offset % n + n) % n;
    return inside <= n + 1 - count ? inside : inside - n;
}

static void wrap(fdx_band *band)
{
    band->interior.offset = fdx_wrapped_offset(band->interior.offset, band->interior.count, band->columns);
}

/* The same whatever the calling thread's floating-point environment. */
static fdx_status lay_out(void *memory, builder *m, const fdx_band **result)
{
    fdx_environment before;
    fdx_enter_default(&before);
    const fdx_status status = lay_out_as_is(memory, m, result);
    fdx_leave_default(&before);
    return status;
}

/* ---- validation ---- */

/* Are n rows, from `row` on, as fdx.h says, with neighbours in the matrix and weights that fit into memory? */
static int rows_fit(const fdx_band *band, const fdx_stencil *r, ptrdiff_t row, ptrdiff_t n)
{
    const size_t weights = PTRDIFF_MAX / 2 / sizeof(double);
    if (r->w == NULL || r->count < 1 || r->count > FDX_MAXWEIGHTS || r->summation < FDX_SUM_PLAIN ||
        r->summation > FDX_SUM_SYMMETRIC || r->centre < (r->summation == FDX_SUM_PLAIN ? -1 : 0) ||
        r->centre >= r->count || (r->summation != FDX_SUM_PLAIN && r->count < 2) ||
        (r->summation >= FDX_SUM_ANTISYMMETRIC && ((r->count - 1) / 2 != r->centre || r->row_step != 0)) ||
        (r->summation == FDX_SUM_SYMMETRIC && r->count % 2 == 0) ||
        !fdx_product_fits((size_t)r->count - 1, fdx_distance(r->weight_step), weights) ||
        (n > 1 && !fdx_product_fits((size_t)n - 1, fdx_distance(r->row_step), weights)))
        return 0;
    if (band->periodic) /* at most one period away */
        return r->count <= band->columns && r->offset >= -band->columns && r->offset <= band->columns + 1 - r->count;
    if (n == 0)
        return r->offset >= -MAX_LENGTH && r->offset <= MAX_LENGTH;
    return r->count <= band->columns && r->offset >= -row && r->offset <= band->columns - r->count - (row + n - 1);
}

fdx_status fdx_check_band(const fdx_band *band)
{
    if (band == NULL)
        return FDX_E_NULL;
    const ptrdiff_t rows = band->rows, nfirst = band->nfirst, nlast = band->nlast;
    if (rows < 0 || rows > MAX_LENGTH || band->columns < 1 || band->columns > MAX_LENGTH || nfirst < 0 ||
        nfirst > rows || nlast < 0 || nlast > rows - nfirst || (nfirst > 0 && band->first == NULL) ||
        (nlast > 0 && band->last == NULL) || (band->periodic && (nfirst != 0 || nlast != 0 || rows != band->columns)) ||
        !rows_fit(band, &band->interior, nfirst, rows - nfirst - nlast))
        return FDX_E_STENCIL;
    for (ptrdiff_t k = 0; k < nfirst; k++)
        if (!rows_fit(band, &band->first[k], k, 1))
            return FDX_E_STENCIL;
    for (ptrdiff_t k = 0; k < nlast; k++)
        if (!rows_fit(band, &band->last[k], rows - nlast + k, 1))
            return FDX_E_STENCIL;
    return FDX_OK;
}

/* ---- derivatives ---- */

/* Is the mirror half a spacing outside? */
static int is_symmetric(int boundary)
{
    return boundary == FDX_SYMMETRIC || boundary == FDX_SYMMETRIC_ODD || boundary == FDX_ANTISYMMETRIC;
}

/* Is a ghost value 2 f[0] minus its source? */
static int is_odd(int boundary)
{
    return boundary == FDX_REFLECT_ODD || boundary == FDX_SYMMETRIC_ODD;
}

/* How often a ghost value contains its source. */
static int sign_of_source(int boundary)
{
    return boundary == FDX_ZERO ? 0 : is_odd(boundary) || boundary == FDX_ANTISYMMETRIC ? -1 : 1;
}

/* Are the ghost values of a constant that constant? */
static int keeps_constants(int boundary)
{
    return boundary != FDX_ZERO && boundary != FDX_ANTISYMMETRIC;
}

/* The closures of FDX_SBP, or NULL. */
static const sbp_closure *sbp_of(const fdx_derivative *what)
{
    for (size_t k = 0; k < sizeof sbp_closures / sizeof *sbp_closures && what->left == FDX_SBP; k++)
        if (sbp_closures[k].deriv == what->deriv && sbp_closures[k].accuracy == what->accuracy)
            return &sbp_closures[k];
    return NULL;
}

/* How many rows are given for an end? */
static int given_rows(const fdx_derivative *what, int right)
{
    if (what->left == FDX_SBP)
        return sbp_of(what) == NULL ? 0 : sbp_of(what)->rows;
    return what->scheme == NULL ? 0 : right ? what->scheme->nlast : what->scheme->nfirst;
}

/* Is the value at the last point given, so that no row takes that point? */
static int is_value_at_point(const fdx_condition *c)
{
    return fdx_is_zero(c->slope) && c->outside == 0;
}

/* The same of an end of the axis. */
static int is_point_given(const fdx_derivative *what, int right)
{
    return (right ? what->right : what->left) == FDX_GIVEN && is_value_at_point(&what->condition[right]);
}

/* How many rows at an end contain its datum: those whose stencil reaches outside, or to a point whose value is given.
 */
static ptrdiff_t rows_with_datum(const fdx_derivative *what, const fdx_outline *o, int right)
{
    const ptrdiff_t outside = right ? o->base + o->more + o->after : o->before - o->base;
    return most(outside + is_point_given(what, right), 0);
}

/* The neighbours of an interior stencil, of which results are half a spacing after their base points or not. */
static void set_interior_stencil(const fdx_derivative *what, int uniform, fdx_outline *o)
{
    if (what->scheme != NULL) {
        o->before = -what->scheme->offset;
        o->after = what->scheme->offset + what->scheme->count - 1;
        return;
    }
    const ptrdiff_t nodes = (ptrdiff_t)what->deriv + what->accuracy; /* enough for any positions */
    if (what->side != 0) {
        const ptrdiff_t most_on_side = (nodes + 1) / 2;
        o->before = what->side < 0 ? most_on_side : nodes - 1 - most_on_side;
        o->after = nodes - 1 - o->before;
    } else if (o->half) {
        /* Symmetric; odd derivatives need a neighbour less if the result is in the middle of all of them. */
        const int middle = uniform || (what->deriv == 1 && what->accuracy == 2 && what->at == NULL);
        o->after = (nodes + !middle) / 2;
        o->before = o->after - 1;
    } else {
        o->after = uniform ? (what->deriv + 1) / 2 + what->accuracy / 2 - 1 : nodes / 2;
        o->before = o->after;
    }
}

/* The outline of a derivative, whatever `datum` is. */
static fdx_outline outline_of_stencils(const fdx_derivative *what, int uniform)
{
    const int position = what->position;
    fdx_outline o = {.half = position != FDX_CENTER,
                     .base = position == FDX_OUTER || position == FDX_LEFT ? -1 : 0,
                     .more = position == FDX_OUTER   ? 1
                             : position == FDX_INNER ? -1
                                                     : 0};
    set_interior_stencil(what, uniform, &o);
    o.ghosts[0] = most(o.before - o.base, 0);
    o.ghosts[1] = most(o.base + o.more + o.after, 0);
    for (int k = 0; k < 2; k++) {
        const int boundary = k == 0 ? what->left : what->right, given = given_rows(what, k);
        o.closure[k] = given > 0                                           ? given
                       : boundary == FDX_GIVEN                             ? rows_with_datum(what, &o, k)
                       : boundary == FDX_PERIODIC || boundary == FDX_VALID ? 0
                                                                           : o.ghosts[k];
        o.crop[k] = given == 0 && boundary == FDX_VALID ? o.ghosts[k] : 0;
    }
    o.count = o.before + o.after + 1;
    return o;
}

fdx_outline fdx_outline_of(const fdx_derivative *what, int uniform)
{
    fdx_outline o = outline_of_stencils(what, uniform);
    if (what->datum != 0) {
        o.before = o.after = 0;
        o.count = 1;
    }
    return o;
}

/* The fewest points that an end needs. */
static ptrdiff_t points(const fdx_derivative *what, const fdx_outline *o, int right)
{
    const int boundary = right ? what->right : what->left;
    if (boundary == FDX_SBP)
        return sbp_of(what)->points;
    if (given_rows(what, right) > 0) {
        const fdx_scheme_row *rows = right ? what->scheme->last : what->scheme->first;
        ptrdiff_t widest = 1;
        for (int k = 0; k < given_rows(what, right); k++)
            widest = most(widest, rows[k].count);
        return widest;
    }
    const ptrdiff_t one_inside = 1 + o->ghosts[0] + o->ghosts[1] - o->more;
    switch (boundary) {
    case FDX_ONE_SIDED: return most(one_inside, o->ghosts[right] > 0 ? what->deriv + what->accuracy : 1);
    case FDX_PERIODIC: return o->count;
    case FDX_VALID: return one_inside;
    case FDX_GIVEN: /* the place is a point, or a node more than the points */
        return most(most(one_inside, 2), what->deriv + what->accuracy -
                                             (what->condition[right].outside != 0 || is_point_given(what, right)));
    default:
        return o->ghosts[right] == 0 ? 1 : is_symmetric(boundary) ? most(o->ghosts[right], 2) : o->ghosts[right] + 1;
    }
}

static fdx_status check_scheme(const fdx_derivative *what)
{
    const fdx_scheme *scheme = what->scheme;
    if (scheme->w == NULL || (scheme->nfirst > 0 && scheme->first == NULL) ||
        (scheme->nlast > 0 && scheme->last == NULL))
        return FDX_E_NULL;
    if (scheme->count < 1 || scheme->count > FDX_MAXWEIGHTS || scheme->offset < -FDX_MAXWEIGHTS ||
        scheme->offset > FDX_MAXWEIGHTS || scheme->nfirst < 0 || scheme->nfirst > FDX_MAXWEIGHTS || scheme->nlast < 0 ||
        scheme->nlast > FDX_MAXWEIGHTS)
        return FDX_E_SIZE;
    const fdx_outline o = fdx_outline_of(what, 1);
    for (int right = 0; right < 2; right++) {
        const int given = given_rows(what, right), boundary = right ? what->right : what->left;
        const fdx_scheme_row *rows = right ? scheme->last : scheme->first;
        if (given > 0 && (given < o.ghosts[right] || boundary == FDX_PERIODIC))
            return FDX_E_STENCIL;
        if (given == 0 && boundary == FDX_ONE_SIDED && o.ghosts[right] > 0)
            return FDX_E_STENCIL;
        for (int k = 0; k < given; k++) {
            if (rows[k].w == NULL)
                return FDX_E_NULL;
            if (rows[k].count < 1 || rows[k].count > FDX_MAXWEIGHTS)
                return FDX_E_SIZE;
        }
    }
    return FDX_OK;
}

/* Are conditions that are given complete, and does a row contain their datum? */
static fdx_status check_conditions(const fdx_derivative *what)
{
    const fdx_outline o = outline_of_stencils(what, what->x == NULL);
    for (int right = 0; right < 2; right++) {
        const fdx_condition *c = &what->condition[right];
        if ((right ? what->right : what->left) != FDX_GIVEN)
            continue;
        if (c->outside < 0 || c->outside > 2 || o.closure[right] == 0)
            return FDX_E_STENCIL;
        if (!fdx_is_finite(c->value) || !fdx_is_finite(c->slope) || (fdx_is_zero(c->value) && fdx_is_zero(c->slope)))
            return FDX_E_NODES;
    }
    return FDX_OK;
}

fdx_status fdx_check_derivative(const fdx_derivative *what)
{
    if (what == NULL)
        return FDX_E_NULL;
    const int left = what->left, right = what->right, position = what->position, periodic = left == FDX_PERIODIC;
    if (left < 0 || left >= FDX_NBOUNDARIES || right < 0 || right >= FDX_NBOUNDARIES ||
        periodic != (right == FDX_PERIODIC) || position < 0 || position >= FDX_NPOSITIONS ||
        (periodic && (position == FDX_INNER || position == FDX_OUTER)))
        return FDX_E_STENCIL;
    if ((left == FDX_SBP || right == FDX_SBP) &&
        (left != right || what->scheme != NULL || what->x != NULL || position != FDX_CENTER || sbp_of(what) == NULL))
        return FDX_E_STENCIL;
    if (what->at != NULL && (what->x == NULL || position == FDX_CENTER))
        return FDX_E_STENCIL;
    if (what->datum < -1 || what->datum > 1 || (what->datum != 0 && (what->datum < 0 ? left : right) != FDX_GIVEN))
        return FDX_E_STENCIL;
    if (what->scheme != NULL)
        return what->deriv != 0 || what->side != 0 || what->x != NULL || left == FDX_GIVEN || right == FDX_GIVEN
                   ? FDX_E_STENCIL
                   : check_scheme(what);
    if (what->deriv < (position == FDX_CENTER) || what->accuracy < 1 || what->side < -1 || what->side > 1 ||
        what->accuracy % 2 != (what->side != 0) || (what->side != 0 && position != FDX_CENTER))
        return FDX_E_STENCIL;
    if (what->deriv > FDX_MAXNODES || what->accuracy > FDX_MAXNODES - what->deriv ||
        outline_of_stencils(what, what->x == NULL).count > FDX_MAXNODES)
        return FDX_E_SIZE;
    return check_conditions(what);
}

static ptrdiff_t points_needed(const fdx_derivative *what, int uniform)
{
    const fdx_outline o = outline_of_stencils(what, uniform);
    const ptrdiff_t results = most(1, o.closure[0] + o.crop[0] + o.closure[1] + o.crop[1]);
    /* Rows of the closures of two ends may be the same, but not those that are given. */
    const ptrdiff_t least = (given_rows(what, 0) + given_rows(what, 1) > 0 ? results : 1) - o.more;
    /* points whose value is given do not count */
    return most(least, most(points(what, &o, 0), points(what, &o, 1))) + is_point_given(what, 0) +
           is_point_given(what, 1);
}

ptrdiff_t fdx_derivative_points(const fdx_derivative *what)
{
    return fdx_check_derivative(what) == FDX_OK ? points_needed(what, what->x == NULL) : 0;
}

fdx_status fdx_derivative_outline(const fdx_derivative *what, fdx_outline *outline)
{
    const fdx_status status = outline == NULL ? FDX_E_NULL : fdx_check_derivative(what);
    if (status == FDX_OK)
        *outline = fdx_outline_of(what, what->x == NULL);
    return status;
}

int fdx_has_points(const fdx_derivative *what)
{
    return what->n >= points_needed(what, what->x == NULL) ||
           (what->n >= points_needed(what, 1) && what->n >= 2 && fdx_spacing_of(what) != 0);
}

/* What is given for a row of the closures, or NULL. */
static const fdx_scheme_row *given_row(const builder *m, ptrdiff_t row, int *right)
{
    const fdx_scheme *scheme = m->what->scheme;
    *right = 0;
    if (scheme == NULL || m->any)
        return NULL;
    const ptrdiff_t from_end = row - (m->band.rows - scheme->nlast);
    *right = from_end >= 0;
    return row < scheme->nfirst ? &scheme->first[row] : *right ? &scheme->last[from_end] : NULL;
}

/* The weights of a row of FDX_SBP's closures, or NULL: *count of them, by distance from that end. */
static const double (*sbp_row(const builder *m, ptrdiff_t row, int *right, int *count))[2]
{
    const sbp_closure *sbp = m->any ? NULL : sbp_of(m->what);
    *right = sbp != NULL && row >= m->band.rows - sbp->rows;
    const ptrdiff_t from_end = *right ? m->band.rows - 1 - row : row;
    if (sbp == NULL || from_end >= sbp->rows)
        return NULL;
    const unsigned char *counts = sbp_counts + sbp->first_count;
    const double (*w)[2] = sbp_weights + sbp->first_weight;
    for (ptrdiff_t k = 0; k < from_end; k++)
        w += counts[k];
    *count = counts[from_end];
    return w;
}

/* The end whose datum the row of base point i contains: -1 or 1, or 0 for none. */
static int end_of_datum(const builder *m, ptrdiff_t i)
{
    const fdx_derivative *what = m->what;
    if (m->any)
        return 0;
    if (what->left == FDX_GIVEN && i - m->outline.before < is_point_given(what, 0))
        return -1;
    return what->right == FDX_GIVEN && i + m->outline.after >= what->n - is_point_given(what, 1) ? 1 : 0;
}

/* The nodes of a row that contains a datum: points lo .. lo + count - 1, and one whose value follows from those of the
 * others and from the condition. That one is the place of the condition or, if the slope is given at the last point,
 * one more point. */
typedef struct {
    ptrdiff_t lo;
    int count;
    int outside;        /* 1: the place is no point, but a node before or after them */
    int place, follows; /* which of the nodes, in ascending order, are the place and the one that follows */
} datum_nodes;

static datum_nodes nodes_with_datum(const builder *m, ptrdiff_t i, int end)
{
    const fdx_derivative *what = m->what;
    const fdx_outline *o = &m->outline;
    const fdx_condition *c = &what->condition[end > 0];
    const int fits = i >= o->before && i + o->after < what->n;
    const int nodes = fits ? (int)o->count : what->deriv + what->accuracy;
    const int at_point = is_value_at_point(c), last = nodes - 1, by_slope = !at_point && c->outside == 0;
    datum_nodes d = {.count = last, .outside = c->outside != 0, .place = end < 0 ? 0 : last};
    d.lo = end < 0 ? at_point : what->n - last - at_point;
    d.follows = by_slope ? last - d.place : d.place;
    return d;
}

/* The nodes of the stencil at base point i: *count of them from *lo on, some of which may be outside the array. */
static void stencil(const builder *m, ptrdiff_t i, ptrdiff_t *lo, int *count)
{
    const fdx_derivative *what = m->what;
    const fdx_outline *o = &m->outline;
    const int left = !m->any && i < o->before && what->left == FDX_ONE_SIDED;
    const int right = !m->any && i + o->after >= what->n && what->right == FDX_ONE_SIDED;
    *count = left || right ? what->deriv + what->accuracy : (int)o->count;
    *lo = left ? 0 : right ? what->n - *count : i - o->before;
}

/* The point that is the source of ghost value p, and *end, the last point at that end of the array. */
static ptrdiff_t source(const builder *m, ptrdiff_t p, ptrdiff_t *end)
{
    const int left = p < 0;
    const int symmetric = is_symmetric(left ? m->what->left : m->what->right);
    *end = left ? 0 : m->what->n - 1;
    return *end - (p - *end) + (symmetric ? (left ? -1 : 1) : 0);
}

static void derivative_span(const builder *m, ptrdiff_t row, ptrdiff_t *lo, ptrdiff_t *hi)
{
    const ptrdiff_t n = m->what->n;
    int count, right;
    const fdx_scheme_row *given = given_row(m, row, &right);
    if (given != NULL || sbp_row(m, row, &right, &count) != NULL) {
        count = given != NULL ? given->count : count;
        *lo = right ? n - count : 0;
        *hi = *lo + count - 1;
        return;
    }
    const int end_with_datum = end_of_datum(m, row + m->shift);
    if (end_with_datum != 0) {
        const datum_nodes d = nodes_with_datum(m, row + m->shift, end_with_datum);
        *lo = d.lo;
        *hi = d.lo + d.count - 1;
        return;
    }
    stencil(m, row + m->shift, lo, &count);
    const ptrdiff_t first = *lo, last = *lo + count - 1;
    *lo = most(first, 0);
    *hi = least(last, n - 1);
    if (*lo > *hi) { /* all neighbours are outside */
        *lo = n;
        *hi = -1;
    }
    /* Sources of ghost values, and the last points that odd ones contain. */
    ptrdiff_t end, from;
    if (first < 0 && m->what->left != FDX_ZERO) {
        from = source(m, first, &end);
        *lo = is_odd(m->what->left) ? 0 : least(*lo, source(m, least(last, -1), &end));
        *hi = most(*hi, from);
    }
    if (last >= n && m->what->right != FDX_ZERO) {
        from = source(m, last, &end);
        *hi = is_odd(m->what->right) ? n - 1 : most(*hi, source(m, most(first, n), &end));
        *lo = least(*lo, from);
    }
    if (*lo > *hi) /* all of them are 0 */
        *lo = *hi = first >= n ? n - 1 : 0;
}

/* The coordinate of point p, which may be outside the array, minus `origin`. */
static double coordinate(const builder *m, ptrdiff_t p, double origin)
{
    const double *x = m->x;
    const ptrdiff_t n = m->what->n;
    if (p >= 0 && p < n)
        return x[p] - origin;
    if (m->band.periodic) {
        const double from = x[p < 0 ? p + n : p - n], period = p < 0 ? -m->what->period : m->what->period;
        return fdx_dd_add(fdx_dd_two_sum(from, -origin), (fdx_dd){period, 0}).hi;
    }
    ptrdiff_t end;
    const ptrdiff_t from = source(m, p, &end), inner = p < 0 ? 1 : n - 2;
    fdx_dd v = fdx_dd_add(fdx_dd_two_sum(x[end], -origin), fdx_dd_two_sum(x[end], -x[from]));
    if (is_symmetric(p < 0 ? m->what->left : m->what->right))
        v = fdx_dd_add(v, fdx_dd_two_sum(x[end], -x[inner])); /* the mirror is half of that past the end */
    return v.hi;
}

/* Where the result of base point i is, minus `origin`. */
static double result_coordinate(const builder *m, ptrdiff_t i, double origin)
{
    if (m->what->at != NULL)
        return m->what->at[i - m->outline.base] - origin;
    const double x = coordinate(m, i, origin);
    return m->outline.half ? 0.5 * x + 0.5 * coordinate(m, i + 1, origin) : x;
}

/* The weights of the stencil of `count` nodes from lo on, for base point i. With a uniform spacing, for a result at
 * at/2 spacings after the first node; they may be those of the last call. */
static fdx_status stencil_weights(builder *m, ptrdiff_t i, ptrdiff_t lo, int count, int at)
{
    const double *x = m->x;
    const ptrdiff_t n = m->what->n;
    if (x != NULL && lo >= 0 && lo + count <= n)
        return fdx_weights(m->w, m->rest, x + lo, count, result_coordinate(m, i, 0), m->what->deriv);
    if (x == NULL && m->count == count && m->at == at)
        return FDX_OK;
    m->count = count;
    m->at = at;
    /* Distances from the mirror, or from the centre if periodic: rounding then keeps symmetry and short distances. */
    const ptrdiff_t from = m->band.periodic ? least(most(i, 0), n - 1) : lo < 0 ? 0 : n - 1;
    const double origin = x == NULL ? 0 : x[from];
    double *const nodes = m->w; /* which weights may replace */
    for (int k = 0; k < count; k++)
        nodes[k] = x == NULL ? k - 0.5 * at : coordinate(m, lo + k, origin);
    return fdx_weights(m->w, m->rest, nodes, count, x == NULL ? 0 : result_coordinate(m, i, origin), m->what->deriv);
}

/* The sum of weights of several nodes that have the same source. */
typedef struct {
    fdx_dd sum;
    double size; /* the sum of the terms' magnitudes */
} merged;

static void add_times(merged *to, double by, fdx_dd w)
{
    const fdx_dd term = {by * w.hi, by * w.lo};
    to->sum = fdx_dd_add(to->sum, term);
    to->size += term.hi < 0 ? -term.hi : term.hi;
}

/* Is it up to rounding 0, as terms that cancel leave rounding errors? */
static int has_cancelled(const merged *sum)
{
    const double least = 0x1p-90 * sum->size;
    return -least <= sum->sum.hi && sum->sum.hi <= least;
}

static double scaled(const builder *m, fdx_dd w)
{
    return m->scale.hi == 1 && m->scale.lo == 0 ? w.hi : fdx_dd_mul(w, m->scale).hi;
}

/* Do weights add up to 0, up to their rounding? */
static int add_up_to_zero(const double *w, int count)
{
    merged m = {{0, 0}, 0};
    for (int k = 0; k < count; k++)
        add_times(&m, 1, (fdx_dd){w[k], 0});
    return fdx_is_finite(m.size) && magnitude(m.sum.hi) <= DBL_EPSILON / 2 * m.size;
}

static void fill_given_row(const builder *m, const fdx_scheme_row *given, fdx_stencil *r, double *w)
{
    r->summation = given->count > 1 && add_up_to_zero(given->w, given->count) ? FDX_SUM_DIFFERENCES : FDX_SUM_PLAIN;
    for (int k = 0; k < given->count; k++)
        w[k] = scaled(m, (fdx_dd){given->w[k], 0});
}

/* The stencil of a row: nodes from lo on, and how their weights follow from those of the builder. */
typedef struct {
    ptrdiff_t lo;
    int count, mirrored;
    double sign;
} row_nodes;

static fdx_dd weight_of(const builder *m, const row_nodes *r, int k)
{
    if (m->what->scheme != NULL)
        return (fdx_dd){m->what->scheme->w[k], 0};
    const int from = r->mirrored ? r->count - 1 - k : k;
    return (fdx_dd){r->sign * m->w[from], r->sign * m->rest[from]};
}

/* The weight of a column, to which ghost values may add some. */
static double merged_weight(const builder *m, const row_nodes *r, ptrdiff_t column)
{
    merged sum = {{0, 0}, 0};
    for (int k = 0; k < r->count; k++) {
        const ptrdiff_t p = r->lo + k;
        if (p >= 0 && p < m->what->n) {
            if (p == column)
                add_times(&sum, 1, weight_of(m, r, k));
            continue;
        }
        const int boundary = p < 0 ? m->what->left : m->what->right, times = sign_of_source(boundary);
        ptrdiff_t end;
        if (source(m, p, &end) == column && times != 0)
            add_times(&sum, times, weight_of(m, r, k));
        if (end == column && is_odd(boundary))
            add_times(&sum, 2, weight_of(m, r, k));
    }
    return has_cancelled(&sum) ? 0 : scaled(m, sum.sum);
}

/* The weights of a row that contains the datum of an end, and that of the datum.
 *
 * Let W be the weights of the derivative and V those of the slope at the condition's place p, both on all nodes. The
 * condition is sum_k B[k] f[k] = datum, with B[k] = value (k = p) + slope V[k]. It gives f[e] of the node e that
 * follows from it, which leaves W[k] - W[e] / B[e] * B[k] for the others, and W[e] / B[e] for the datum. */
static fdx_status weights_with_datum(builder *m, ptrdiff_t i, int end, double *w, double *of_datum)
{
    const fdx_derivative *what = m->what;
    const fdx_condition *c = &what->condition[end > 0];
    const datum_nodes d = nodes_with_datum(m, i, end);
    const ptrdiff_t last = end < 0 ? 0 : what->n - 1, inner = end < 0 ? 1 : what->n - 2;
    const int nodes = d.count + 1;
    double x[FDX_MAXNODES], v[FDX_MAXNODES] = {0}, rest_of_v[FDX_MAXNODES] = {0};
    /* Distances from the last point, if a node is none of the points. */
    const double origin = m->x == NULL || !d.outside ? 0 : m->x[last];
    const double own = m->x == NULL ? 0.5 * m->outline.half : result_coordinate(m, i, origin);
    const ptrdiff_t first = d.lo - (d.follows == 0); /* the point of node 0, if it is one */
    for (int k = 0; k < nodes; k++) {
        if (!d.outside || k != d.place)
            x[k] = m->x == NULL ? (double)(first + k - i) : m->x[first + k] - origin;
        else
            x[k] = m->x == NULL ? (double)(last - i) + 0.5 * end * c->outside
                                : 0.5 * c->outside * (m->x[last] - m->x[inner]);
    }
    const double place = x[d.place];
    fdx_status status = fdx_weights(m->w, m->rest, x, nodes, own, what->deriv);
    if (status == FDX_OK && !fdx_is_zero(c->slope))
        status = fdx_weights(v, rest_of_v, x, nodes, place, 1);
    if (status != FDX_OK)
        return status;
    m->count = 0; /* the builder's weights are no other row's */
    const fdx_dd slope = fdx_dd_div((fdx_dd){c->slope, 0}, (fdx_dd){m->h, 0});
    fdx_dd b[FDX_MAXNODES];
    for (int k = 0; k < nodes; k++) {
        merged sum = {{0, 0}, 0};
        add_times(&sum, k == d.place ? c->value : 0, (fdx_dd){1, 0});
        add_times(&sum, 1, fdx_dd_mul(slope, (fdx_dd){v[k], rest_of_v[k]}));
        if (k == d.follows && (has_cancelled(&sum) || !fdx_is_finite(sum.size)))
            return FDX_E_NODES; /* the condition does not determine the value */
        b[k] = sum.sum;
    }
    const fdx_dd times = fdx_dd_div((fdx_dd){m->w[d.follows], m->rest[d.follows]}, b[d.follows]);
    *of_datum = scaled(m, times);
    for (int k = 0; k < nodes; k++) {
        merged sum = {{0, 0}, 0};
        add_times(&sum, 1, (fdx_dd){m->w[k], m->rest[k]});
        add_times(&sum, -1, fdx_dd_mul(times, b[k]));
        if (k != d.follows)
            *w++ = has_cancelled(&sum) ? 0 : scaled(m, sum.sum);
    }
    return FDX_OK;
}

static fdx_status fill_row_with_datum(builder *m, ptrdiff_t i, int end, fdx_stencil *r, double *w)
{
    double unused;
    if (r->count == 1 || !fdx_is_zero(m->what->condition[end > 0].value))
        r->summation = FDX_SUM_PLAIN;
    return weights_with_datum(m, i, end, w, &unused);
}

static fdx_status derivative_fill(builder *m, ptrdiff_t row, fdx_stencil *r, double *w)
{
    const fdx_derivative *what = m->what;
    const ptrdiff_t i = m->any ? m->outline.before : row + m->shift;
    int right;
    const fdx_scheme_row *given = given_row(m, row, &right);
    if (given != NULL) {
        fill_given_row(m, given, r, w);
        return FDX_OK;
    }
    int count;
    const double (*sbp)[2] = sbp_row(m, row, &right, &count);
    if (sbp != NULL) {
        const double sign = right && what->deriv % 2 != 0 ? -1 : 1;
        for (int k = 0; k < count; k++)
            w[right ? count - 1 - k : k] = scaled(m, (fdx_dd){sign * sbp[k][0], sign * sbp[k][1]});
        return FDX_OK;
    }
    const int end = end_of_datum(m, i);
    if (end != 0)
        return fill_row_with_datum(m, i, end, r, w);
    row_nodes of = {.mirrored = 0};
    stencil(m, i, &of.lo, &of.count);
    if (what->scheme == NULL) {
        const int at = (int)(2 * (i - of.lo)) + m->outline.half;
        of.mirrored = m->x == NULL && at >= of.count;
        of.sign = of.mirrored && what->deriv % 2 != 0 ? -1 : 1;
        const fdx_status status = stencil_weights(m, i, of.lo, of.count, of.mirrored ? 2 * (of.count - 1) - at : at);
        if (status != FDX_OK)
            return status;
    }
    const int inside = m->any || m->band.periodic;
    const int left_ghosts = !inside && of.lo < 0, right_ghosts = !inside && of.lo + of.count > what->n;
    for (int k = 0; k < r->count; k++)
        w[k * r->weight_step] =
            left_ghosts || right_ghosts ? merged_weight(m, &of, row + r->offset + k) : scaled(m, weight_of(m, &of, k));
    if (r->count == 1 || (left_ghosts && !keeps_constants(what->left)) ||
        (right_ghosts && !keeps_constants(what->right)))
        r->summation = FDX_SUM_PLAIN;
    return FDX_OK;
}

/* What a datum adds: its weights are in the rows that contain it, at the column of that end. */
static void datum_span(const builder *m, ptrdiff_t row, ptrdiff_t *lo, ptrdiff_t *hi)
{
    const ptrdiff_t i = row + m->shift, last = m->what->n - 1;
    *lo = end_of_datum(m, i) != m->what->datum ? least(most(i, 0), last) : m->what->datum < 0 ? 0 : last;
    *hi = *lo;
}

static fdx_status datum_fill(builder *m, ptrdiff_t row, fdx_stencil *r, double *w)
{
    const ptrdiff_t i = row + m->shift;
    double unused[FDX_MAXNODES];
    (void)r;
    *w = 0;
    return end_of_datum(m, i) == m->what->datum ? weights_with_datum(m, i, m->what->datum, unused, w) : FDX_OK;
}

static int derivative_fill_many(const builder *m, ptrdiff_t row, ptrdiff_t n, const fdx_stencil *r, double *w)
{
    const fdx_derivative *what = m->what;
    const fdx_isa *isa = what->isa != NULL ? what->isa : &FDX_TABLE(fdx_isa_base);
    const ptrdiff_t lo = row + r->offset; /* the first row's first node */
    /* Rows from .. to - 1 have all of their nodes in the array. */
    const ptrdiff_t from = least(most(0, -lo), n);
    const ptrdiff_t to = most(least(n, what->n - r->count + 1 - lo), from);
    int all = from == 0 && to == n;
    if (from < to)
        all &= isa->stencils(w + from, r->weight_step, what->x + lo + from, to - from, r->count, r->centre, what->deriv,
                             m->scale.hi);
    double *centre = w + r->centre * r->weight_step;
    for (ptrdiff_t i = 0; i < from; i++)
        centre[i] = (double)NAN;
    for (ptrdiff_t i = to; i < n; i++)
        centre[i] = (double)NAN;
    return all;
}

/* Set the summation order of a derivative's rows: apart from its structure, as it computes with weights. */
static void set_derivative_summation(builder *m)
{
    const fdx_derivative *what = m->what;
    const fdx_scheme *scheme = what->scheme;
    const fdx_outline *o = &m->outline;
    fdx_stencil *r = &m->band.interior;
    if (what->datum != 0) {
        m->end_summation = r->summation = FDX_SUM_PLAIN;
        return;
    }
    const int in_the_middle = !m->varying && o->after == o->before + o->half;
    m->end_summation = FDX_SUM_DIFFERENCES;
    if (scheme == NULL ? what->deriv == 0 : scheme->count < 2 || !add_up_to_zero(scheme->w, scheme->count))
        m->end_summation = r->summation = FDX_SUM_PLAIN;
    else if (!in_the_middle)
        r->summation = FDX_SUM_DIFFERENCES;
    else if (scheme == NULL)
        r->summation = summation_of(what->deriv % 2 != 0 ? -1 : 1, r->count);
    else
        r->summation =
            summation_of(parity(&(fdx_stencil){.count = r->count, .w = scheme->w, .weight_step = 1}), r->count);
    if (r->summation == FDX_SUM_PLAIN && (o->before < 0 || o->after < 0))
        r->centre = -1;
}

/* The builder of a derivative, without coordinates and scale; FDX_E_SIZE if n is too small. */
static fdx_status structure(builder *m, const fdx_derivative *what, int uniform)
{
    const fdx_status status = fdx_check_derivative(what);
    if (status != FDX_OK)
        return status;
    const fdx_outline o = outline_of_stencils(what, uniform);
    if (what->n < points_needed(what, uniform) || what->n > MAX_LENGTH - most(o.more, 0))
        return FDX_E_SIZE;
    fdx_band *band = &m->band;
    memset(m, 0, offsetof(builder, w));
    m->what = what;
    m->outline = o;
    m->shift = o.base + o.crop[0];
    m->varying = !uniform;
    m->span = derivative_span;
    m->fill = derivative_fill;
    m->fill_many = o.half ? NULL : derivative_fill_many;
    band->columns = what->n;
    band->rows = what->n + o.more - o.crop[0] - o.crop[1];
    band->periodic = what->left == FDX_PERIODIC;
    set_interior(m, o.closure[0], band->rows - o.closure[1]);
    band->interior.offset = m->shift - o.before;
    band->interior.count = (int)o.count;
    band->interior.centre = (int)least(most(o.before, 0), o.count - 1);
    if (what->datum != 0) {
        m->varying = 0;
        m->span = datum_span;
        m->fill = datum_fill;
        m->fill_many = NULL;
        band->interior.offset = m->shift;
        band->interior.count = 1;
        band->interior.centre = 0;
    }
    return FDX_OK;
}

size_t fdx_band_derivative_size(const fdx_derivative *what)
{
    builder m;
    if (structure(&m, what, 1) != FDX_OK)
        return 0;
    const size_t uniform = size(&m);
    if (what->x == NULL)
        return uniform;
    /* The larger of both, rather than to read the coordinates. */
    if (structure(&m, what, 0) != FDX_OK)
        return uniform;
    const size_t varying = size(&m);
    return varying != 0 && varying < uniform ? uniform : varying;
}

static int is_monotonic(const double *x, ptrdiff_t n)
{
    const int rises = x[n - 1] > x[0];
    for (ptrdiff_t i = 1; i < n; i++)
        if (!(rises ? x[i] > x[i - 1] : x[i] < x[i - 1]))
            return 0;
    return 1;
}

/* Is the coordinate of each result between those of the points next to it? Next to the ends of an axis that is not
 * periodic there is one, and the result's is finite. */
static int are_between(const builder *m)
{
    const fdx_derivative *what = m->what;
    const int rises = what->x[what->n - 1] > what->x[0];
    for (ptrdiff_t i = m->outline.base; i < what->n + m->outline.base + m->outline.more; i++) {
        const double at = what->at[i - m->outline.base];
        for (int after = 0; after < 2; after++) {
            const int outside = after ? i + 1 >= what->n : i < 0;
            if (!fdx_is_finite(at))
                return 0;
            if (outside && !m->band.periodic)
                continue;
            const double x = coordinate(m, i + after, 0);
            if (rises == after ? at > x : at < x)
                return 0;
        }
    }
    return 1;
}

static double even_spacing(const double *x, ptrdiff_t n, double eps, double period, double eps_of_period)
{
    const double h = (x[n - 1] - x[0]) / (double)(n - 1), largest = MAX(magnitude(x[0]), magnitude(x[n - 1]));
    double rounding = MIN(4 * eps * largest, magnitude(h) / 1000);
    for (ptrdiff_t i = 0; i < n; i++)
        if (!(magnitude((x[i] - x[0]) - h * (double)i) <= rounding))
            return 0;
    if (period != 0) {
        const double of_period = MIN(4 * eps_of_period * magnitude(period), magnitude(h) / 4);
        rounding = MAX(rounding, of_period);
        if (!(magnitude((double)n * h - period) <= 2 * rounding))
            return 0;
    }
    return h;
}

double fdx_even_spacing(const double *x, ptrdiff_t n, double eps, double period, double eps_of_period)
{
    if (x == NULL || n < 2)
        return 0;
    fdx_environment before;
    fdx_enter_default(&before);
    const double h = even_spacing(x, n, eps, period, eps_of_period);
    fdx_leave_default(&before);
    return h;
}

int fdx_takes_spacing(const fdx_derivative *what)
{
    return what->deriv != 0 || (what->left == FDX_GIVEN && !fdx_is_zero(what->condition[0].slope)) ||
           (what->right == FDX_GIVEN && !fdx_is_zero(what->condition[1].slope));
}

double fdx_spacing_of(const fdx_derivative *what)
{
    if (what->x == NULL)
        return fdx_takes_spacing(what) ? what->spacing : 1;
    if (what->at != NULL)
        return 0;
    if (what->left == FDX_VALID || what->right == FDX_VALID)
        return 0; /* the number of rows must not depend on the coordinates' values */
    return fdx_even_spacing(what->x, what->n, DBL_EPSILON, what->left == FDX_PERIODIC ? what->period : 0, DBL_EPSILON);
}

static fdx_status derivative(void *memory, const fdx_derivative *what, double scale, const fdx_band **band)
{
    builder m;
    const fdx_status status = structure(&m, what, 1);
    if (status != FDX_OK)
        return status;
    double h = what->spacing;
    if (what->x != NULL) {
        if (fdx_band_derivative_size(what) == 0) /* memory cannot hold so many coordinates, either */
            return FDX_E_SIZE;
        if (!is_monotonic(what->x, what->n))
            return FDX_E_NODES;
        const double length = what->x[what->n - 1] - what->x[0], beyond = what->period - length;
        /* x[0] + period lies past the last coordinate, in the direction of the coordinates */
        if (what->left == FDX_PERIODIC && !(fdx_is_finite(what->period) && (length > 0 ? beyond > 0 : beyond < 0)))
            return FDX_E_NODES;
        h = fdx_spacing_of(what);
        if (h == 0) {
            if (structure(&m, what, 0) != FDX_OK)
                return FDX_E_SIZE;
            m.x = what->x;
            h = 1;
            if (what->at != NULL && !are_between(&m))
                return FDX_E_NODES;
        }
    }
    set_derivative_summation(&m);
    if (!fdx_takes_spacing(what))
        h = 1;
    m.h = h;
    if (!fdx_is_finite(scale) || !fdx_is_finite(h) || h == 0)
        return FDX_E_NODES;
    m.scale.hi = scale;
    for (int k = 0; k < what->deriv && h != 1 && scale != 0; k++)
        m.scale = fdx_dd_div(m.scale, (fdx_dd){h, 0});
    const fdx_band *built;
    const fdx_status made = lay_out(memory, &m, &built);
    if (made != FDX_OK)
        return made;
    if (m.band.periodic)
        wrap((fdx_band *)memory);
    double largest, least;
    fdx_band_limits(built, &largest, &least);
    if (scale != 0 && least < DBL_MIN && what->datum == 0)
        return FDX_E_NODES;
    *band = built;
    return FDX_OK;
}

fdx_status fdx_band_scaled_derivative(void *memory, const fdx_derivative *what, double scale, const fdx_band **band)
{
    fdx_environment before;
    fdx_enter_default(&before);
    const fdx_status status = derivative(memory, what, scale, band);
    fdx_leave_default(&before);
    return status;
}

fdx_status fdx_band_derivative(void *memory, const fdx_derivative *what, const fdx_band **band)
{
    if (memory == NULL || what == NULL || band == NULL)
        return FDX_E_NULL;
    return fdx_band_scaled_derivative(memory, what, fdx_is_zero(what->scale) ? (double)NAN : what->scale, band);
}

fdx_status fdx_sbp_norm(double *h, const fdx_derivative *what)
{
    const fdx_status status = h == NULL ? FDX_E_NULL : fdx_check_derivative(what);
    if (status != FDX_OK || what->left != FDX_SBP)
        return status != FDX_OK ? status : FDX_E_STENCIL;
    if (what->n < points_needed(what, 1))
        return FDX_E_SIZE;
    if (!(magnitude(what->spacing) >= 0x1p-900 && magnitude(what->spacing) <= 0x1p900)) /* products are exact inside */
        return FDX_E_NODES;
    fdx_environment before;
    fdx_enter_default(&before);
    const sbp_closure *sbp = sbp_of(what);
    const double (*norm)[2] = sbp_norms + sbp->first_norm;
    const fdx_dd spacing = {magnitude(what->spacing), 0};
    for (ptrdiff_t i = 0; i < what->n; i++) {
        const ptrdiff_t from_end = least(i, what->n - 1 - i);
        h[i] = spacing.hi;
        if (from_end < sbp->nnorm)
            h[i] = fdx_dd_mul((fdx_dd){norm[from_end][0], norm[from_end][1]}, spacing).hi;
    }
    fdx_leave_default(&before);
    return FDX_OK;
}

/* ---- transposes, products and sums ---- */

/* One row: the weight of column lo + k is w[k * step]. */
typedef struct {
    ptrdiff_t lo, count, step;
    int summation;
    const double *w;
} row_view;

/* Row i of a; `any`: as if it were a row of the interior, which does not vary then. Rows and columns of a periodic band
 * continue past its ends. */
static row_view row_of(const fdx_band *a, ptrdiff_t i, int any)
{
    const fdx_stencil *r = &a->interior;
    const ptrdiff_t last = a->rows - a->nlast;
    ptrdiff_t nth = 0;
    if (!any && !a->periodic && (i < a->nfirst || i >= last))
        r = i < a->nfirst ? &a->first[i] : &a->last[i - last];
    else if (!any)
        nth = a->periodic ? (i % a->rows + a->rows) % a->rows : i - a->nfirst;
    const double *w = nth == 0 ? r->w : r->w + nth * r->row_step; /* an interior without rows needs no weights */
    return (row_view){i + r->offset, r->count, r->weight_step, r->summation, w};
}

static ptrdiff_t shift_of(const fdx_band *a)
{
    return a->interior.centre < 0 ? 0 : a->interior.offset + a->interior.centre;
}

static void transpose_span(const builder *m, ptrdiff_t row, ptrdiff_t *lo, ptrdiff_t *hi)
{
    const fdx_band *a = m->a;
    const ptrdiff_t near = row + m->band.interior.offset;
    *lo = most(a->nfirst, near);
    *hi = least(a->rows - a->nlast, near + a->interior.count) - 1;
    if (*lo > *hi)
        *lo = a->rows, *hi = -1;
    for (ptrdiff_t k = 0; k < a->nfirst + a->nlast; k++) {
        const ptrdiff_t i = closure_row(a, k), first = i + closure_stencil(a, k)->offset;
        if (row >= first && row < first + closure_stencil(a, k)->count) {
            *lo = least(*lo, i);
            *hi = most(*hi, i);
        }
    }
    if (*lo > *hi) /* a column of zeros */
        *lo = *hi = least(most(row + m->shift, 0), a->rows - 1);
}

static fdx_status transpose_fill(builder *m, ptrdiff_t row, fdx_stencil *r, double *w)
{
    for (int k = 0; k < r->count; k++) {
        const row_view v = row_of(m->a, row + r->offset + k, m->any);
        w[k * r->weight_step] = row >= v.lo && row < v.lo + v.count ? v.w[(row - v.lo) * v.step] : 0;
    }
    return FDX_OK;
}

static fdx_status structure_of_transpose(builder *m, const fdx_band *a)
{
    const fdx_status status = fdx_check_band(a);
    if (status != FDX_OK)
        return status;
    if (a->rows == 0)
        return FDX_E_SIZE;
    fdx_band *band = &m->band;
    fdx_stencil *r = &band->interior;
    memset(m, 0, offsetof(builder, w));
    m->a = a;
    m->shift = -shift_of(a);
    m->end_summation = FDX_SUM_PLAIN;
    m->varying = a->interior.row_step != 0;
    m->span = transpose_span;
    m->fill = transpose_fill;
    band->rows = a->columns;
    band->columns = a->rows;
    band->periodic = a->periodic;
    r->offset = 1 - a->interior.offset - a->interior.count;
    r->count = a->interior.count;
    r->centre = a->interior.centre < 0 ? -1 : r->count - 1 - a->interior.centre;
    r->summation = m->varying || a->interior.summation == FDX_SUM_DIFFERENCES ? FDX_SUM_PLAIN : a->interior.summation;
    if (is_around_midpoint(r)) {
        r->centre = a->interior.centre;
        m->shift = r->offset + r->centre;
    }

    /* Interior: columns of a that only interior rows touch, as many of them as an interior row has neighbours. */
    ptrdiff_t lo = a->nfirst - r->offset, end = a->rows - a->nlast + a->interior.offset;
    for (ptrdiff_t k = 0; k < a->nfirst; k++)
        lo = most(lo, k + a->first[k].offset + a->first[k].count);
    for (ptrdiff_t k = 0; k < a->nlast; k++)
        end = least(end, a->rows - a->nlast + k + a->last[k].offset);
    set_interior(m, a->periodic ? 0 : lo, a->periodic ? band->rows : end);
    return FDX_OK;
}

size_t fdx_band_transpose_size(const fdx_band *a)
{
    builder m;
    return structure_of_transpose(&m, a) == FDX_OK ? size(&m) : 0;
}

fdx_status fdx_band_transpose(void *memory, const fdx_band *a, const fdx_band **band)
{
    builder m;
    const fdx_status status = structure_of_transpose(&m, a);
    return status == FDX_OK ? lay_out(memory, &m, band) : status;
}

static void product_span(const builder *m, ptrdiff_t row, ptrdiff_t *lo, ptrdiff_t *hi)
{
    const row_view a = row_of(m->a, row, 0);
    *lo = m->b->columns;
    *hi = -1;
    for (ptrdiff_t k = 0; k < a.count; k++) {
        const row_view b = row_of(m->b, a.lo + k, 0);
        *lo = least(*lo, b.lo);
        *hi = most(*hi, b.lo + b.count - 1);
    }
}

static fdx_status product_fill(builder *m, ptrdiff_t row, fdx_stencil *r, double *w)
{
    const row_view a = row_of(m->a, row, m->any);
    for (int k = 0; k < r->count; k++) {
        const ptrdiff_t column = row + r->offset + k;
        fdx_dd sum = {0, 0};
        for (ptrdiff_t t = 0; t < a.count; t++) {
            const row_view b = row_of(m->b, a.lo + t, m->any);
            if (column >= b.lo && column < b.lo + b.count)
                sum = fdx_dd_add(sum, fdx_dd_two_prod(a.w[t * a.step], b.w[(column - b.lo) * b.step]));
            if (b.summation == FDX_SUM_PLAIN)
                r->summation = FDX_SUM_PLAIN;
        }
        w[k * r->weight_step] = fdx_dd_mul(sum, m->scale).hi;
    }
    return FDX_OK;
}

static fdx_status structure_of_product(builder *m, const fdx_band *a, const fdx_band *b)
{
    if (a == NULL || b == NULL)
        return FDX_E_NULL;
    if (fdx_check_band(a) != FDX_OK || fdx_check_band(b) != FDX_OK || !a->periodic != !b->periodic)
        return FDX_E_STENCIL;
    const ptrdiff_t count = (ptrdiff_t)a->interior.count + b->interior.count - 1;
    if (a->columns != b->rows || count > FDX_MAXWEIGHTS || (a->periodic && count > b->columns))
        return FDX_E_SIZE;
    fdx_band *band = &m->band;
    fdx_stencil *r = &band->interior;
    memset(m, 0, offsetof(builder, w));
    m->a = a;
    m->b = b;
    m->shift = shift_of(a) + shift_of(b);
    m->end_summation = FDX_SUM_DIFFERENCES;
    m->varying = a->interior.row_step != 0 || b->interior.row_step != 0;
    m->span = product_span;
    m->fill = product_fill;
    band->rows = a->rows;
    band->columns = b->columns;
    band->periodic = a->periodic;
    r->offset = a->interior.offset + b->interior.offset;
    r->count = (int)count;
    r->centre = (int)least(most(m->shift - r->offset, 0), count - 1);
    if (band->periodic)
        set_interior(m, 0, band->rows);
    else /* interior: interior rows of a that involve only interior rows of b */
        set_interior(m, most(a->nfirst, b->nfirst - a->interior.offset),
                     least(a->rows - a->nlast, b->rows - b->nlast - a->interior.offset - a->interior.count + 1));
    return FDX_OK;
}

size_t fdx_band_product_size(const fdx_band *a, const fdx_band *b)
{
    builder m;
    return structure_of_product(&m, a, b) == FDX_OK ? size(&m) : 0;
}

/* Set the summation order of an interior with weights of this parity, and the centre to which it belongs. */
static void set_summation(builder *m, int plain, int parity)
{
    fdx_stencil *r = &m->band.interior;
    r->summation = plain ? FDX_SUM_PLAIN : summation_of(parity, r->count);
    if (r->summation < FDX_SUM_ANTISYMMETRIC)
        return;
    r->centre = (r->count - 1) / 2;
    m->shift = r->offset + r->centre;
}

static fdx_status product(void *memory, const fdx_band *a, const fdx_band *b, double scale, const fdx_band **band)
{
    builder m;
    fdx_status status = structure_of_product(&m, a, b);
    if (status != FDX_OK)
        return status;
    if (!fdx_is_finite(scale))
        return FDX_E_NODES;
    m.scale.hi = scale;
    const int plain = b->interior.summation == FDX_SUM_PLAIN;
    set_summation(&m, plain, parity(&a->interior) * parity(&b->interior));
    double of_a, of_b, least;
    fdx_band_limits(a, &of_a, &least);
    fdx_band_limits(b, &of_b, &least);
    /* a factor that is exactly 0 loses no digits */
    if (of_a != 0 && of_b != 0 && scale != 0 && of_a * of_b * MIN(1, magnitude(scale)) < DBL_MIN)
        return FDX_E_NODES;
    status = lay_out(memory, &m, band);
    if (status == FDX_OK && m.band.periodic)
        wrap((fdx_band *)memory);
    return status;
}

fdx_status fdx_band_product(void *memory, const fdx_band *a, const fdx_band *b, double scale, const fdx_band **band)
{
    fdx_environment before;
    fdx_enter_default(&before);
    const fdx_status status = product(memory, a, b, scale, band);
    fdx_leave_default(&before);
    return status;
}

static void sum_span(const builder *m, ptrdiff_t row, ptrdiff_t *lo, ptrdiff_t *hi)
{
    *lo = m->band.columns;
    *hi = -1;
    for (int k = 0; k < m->nterms; k++) {
        const row_view v = row_of(m->term[k].band, row + m->term[k].from, 0);
        *lo = least(*lo, v.lo);
        *hi = most(*hi, v.lo + v.count - 1);
    }
}

static fdx_status sum_fill(builder *m, ptrdiff_t row, fdx_stencil *r, double *w)
{
    for (int j = 0; j < r->count; j++) {
        const ptrdiff_t column = row + r->offset + j;
        fdx_dd sum = {0, 0};
        for (int k = 0; k < m->nterms; k++) {
            const row_view v = row_of(m->term[k].band, row + m->term[k].from, m->any);
            if (column >= v.lo && column < v.lo + v.count)
                sum = fdx_dd_add(sum, (fdx_dd){v.w[(column - v.lo) * v.step], 0});
            if (v.summation == FDX_SUM_PLAIN)
                r->summation = FDX_SUM_PLAIN;
        }
        w[j * r->weight_step] = sum.hi;
    }
    return FDX_OK;
}

/* The builder of a sum of bands with as many columns, of which `rows` rows each are added. */
static fdx_status structure_of_sum(builder *m, const fdx_summand *term, int nterms, ptrdiff_t rows)
{
    const fdx_band *first = term[0].band;
    memset(m, 0, offsetof(builder, w));
    ptrdiff_t lo = PTRDIFF_MAX, hi = PTRDIFF_MIN, begin = 0, end = rows;
    ptrdiff_t middle = 0;
    int symmetric = 1, antisymmetric = 1, plain = 0;
    m->shift = shift_of(first) + term[0].from;
    for (int k = 0; k < nterms; k++) {
        const fdx_band *band = term[k].band;
        const fdx_stencil *r = &band->interior;
        const ptrdiff_t from = term[k].from;
        if (!band->periodic != !first->periodic || (band->periodic && rows != band->rows) || from < 0 ||
            rows > band->rows - from || band->columns != first->columns)
            return FDX_E_STENCIL;
        lo = least(lo, r->offset + from);
        hi = most(hi, r->offset + from + r->count - 1);
        begin = most(begin, band->nfirst - from);
        end = least(end, band->rows - band->nlast - from);
        m->varying |= r->row_step != 0;
        plain |= r->summation == FDX_SUM_PLAIN;
        const ptrdiff_t here = 2 * (r->offset + from) + r->count; /* about which it is symmetric, if it is */
        middle = k == 0 ? here : middle;
        symmetric &= parity(r) > 0 && here == middle;
        antisymmetric &= parity(r) < 0 && here == middle;
    }
    if (hi - lo >= FDX_MAXWEIGHTS || hi - lo >= first->columns)
        return FDX_E_SIZE;
    m->term = term;
    m->nterms = nterms;
    m->end_summation = FDX_SUM_DIFFERENCES;
    m->span = sum_span;
    m->fill = sum_fill;
    m->band.rows = rows;
    m->band.columns = first->columns;
    m->band.periodic = first->periodic;
    m->band.interior.offset = lo;
    m->band.interior.count = (int)(hi - lo + 1);
    m->band.interior.centre = (int)least(most(m->shift - lo, 0), hi - lo);
    set_summation(m, plain, symmetric - (antisymmetric && !symmetric));
    set_interior(m, m->band.periodic ? 0 : begin, m->band.periodic ? rows : end);
    return FDX_OK;
}

size_t fdx_band_sum_size(const fdx_summand *term, int nterms, ptrdiff_t rows)
{
    builder m;
    return structure_of_sum(&m, term, nterms, rows) == FDX_OK ? size(&m) : 0;
}

fdx_status fdx_band_sum(void *memory, const fdx_summand *term, int nterms, ptrdiff_t rows, const fdx_band **band)
{
    builder m;
    const fdx_status status = structure_of_sum(&m, term, nterms, rows);
    return status == FDX_OK ? lay_out(memory, &m, band) : status;
}
