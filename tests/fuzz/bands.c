/* Bands: fdx_derivative_points, fdx_band_derivative, fdx_band_transpose, fdx_band_product, and bands filled in by hand.
 */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "fuzz.h"

static double *draw_row(int count)
{
    double *w = numbers(count);
    for (int k = 0; k < count; k++)
        w[k] = rnd() % 8 ? ordinary() : 0;
    w[rnd() % (unsigned)count] = 1; /* so that a row is not zeros */
    return w;
}

/* Weights for any stencil, with rows enough for ends that are one-sided, and sometimes for others. */
static const fdx_scheme *draw_scheme(const fdx_derivative *what)
{
    fdx_scheme *scheme = keep(sizeof *scheme);
    const int count = 1 + below(chance(16) ? 40 : 6);
    *scheme = (fdx_scheme){.offset = below(2 * count + 3) - (3 * count) / 2 - 1, .count = count, .w = draw_row(count)};
    if (what->left == FDX_PERIODIC)
        return scheme;
    const int fewest = 2 * count + 4;
    scheme->nfirst = what->left == FDX_ONE_SIDED || chance(4) ? fewest : 0;
    scheme->nlast = what->right == FDX_ONE_SIDED || chance(4) ? fewest : 0;
    fdx_scheme_row *rows = keep((size_t)(scheme->nfirst + scheme->nlast) * sizeof *rows + 1);
    for (int k = 0; k < scheme->nfirst + scheme->nlast; k++) {
        rows[k].count = 1 + below(9);
        rows[k].w = draw_row(rows[k].count);
    }
    scheme->first = rows;
    scheme->last = rows + scheme->nfirst;
    return scheme;
}

/* The signs of conditions' slopes with which they determine the value, for points that rise (1) or fall (-1). */
void orient_conditions(fdx_derivative *what, int direction)
{
    what->condition[0].slope = -direction * fabs(what->condition[0].slope);
    what->condition[1].slope = direction * fabs(what->condition[1].slope);
}

/* Sometimes a condition at an end, if a row contains its datum; and the derivative, or what the datum adds. */
static void draw_conditions(fdx_derivative *what)
{
    for (int right = 0; right < 2; right++) {
        const fdx_derivative without = *what;
        int *const end = right ? &what->right : &what->left;
        if (*end == FDX_PERIODIC || *end == FDX_SBP || !chance(6))
            continue;
        const int kind = below(3);
        *end = FDX_GIVEN;
        what->condition[right] = (fdx_condition){kind != 1, kind > 0 ? 0.5 : 0, below(3)};
        orient_conditions(what, what->spacing < 0 ? -1 : 1);
        what->datum = chance(4) ? right ? 1 : -1 : 0;
        if (fdx_derivative_points(what) == 0)
            *what = without;
    }
}

/* A valid derivative, unless there must be too few points. */
fdx_derivative draw_derivative(ptrdiff_t most)
{
    static const double spacings[] = {1, 0.5, -1, 0.1, 3, -0.37}, scales[] = {1, 1, -2, 0.1, -0.5, 7};
    fdx_derivative what;
    memset(&what, 0, sizeof what);
    what.deriv = 1 + below(chance(32) ? 9 : 4); /* from 5 on, weights are computed one by one, with long integers */
    what.accuracy = 2 + 2 * below(chance(32) ? 6 : 3);
    what.left = below(FDX_GIVEN);
    what.right = below(FDX_GIVEN);
    if (what.left == FDX_PERIODIC || what.right == FDX_PERIODIC)
        what.left = what.right = FDX_PERIODIC;
    what.scale = scales[below(6)];
    what.spacing = spacings[below(6)];
    what.isa = below(2) ? tables[below(ntables)] : NULL;
    what.n = most;
    const int kind = below(8);
    if (kind < 2) {
        what.position = what.left == FDX_PERIODIC ? FDX_LEFT + below(2) : below(FDX_NPOSITIONS);
        what.deriv -= what.position != FDX_CENTER && chance(3) ? what.deriv : 0;
    } else if (kind == 2) {
        what.side = below(2) ? 1 : -1;
        what.accuracy--;
    } else if (kind == 3) {
        what.deriv = 0;
        what.position = what.left == FDX_PERIODIC ? FDX_CENTER : below(FDX_NPOSITIONS);
        what.scheme = draw_scheme(&what);
    }
    if (what.left == FDX_SBP || what.right == FDX_SBP) {
        what.left = what.right = FDX_SBP;
        what.deriv = 1 + below(2);
        what.accuracy = 2 + 2 * below(4);
        what.position = FDX_CENTER;
        what.side = 0;
        what.scheme = NULL;
    }
    if (what.scheme == NULL)
        draw_conditions(&what);
    return what;
}

/* Coordinates for n points: non-uniform, falling or uniform. */
void draw_points(fdx_derivative *what)
{
    double *x = numbers(what->n), step = 1;
    const int kind = below(4);
    const double sign = kind == 1 ? -1 : 1;
    what->x = x;
    if (what->n == 0)
        return;
    x[0] = sign * ordinary();
    for (ptrdiff_t i = 0; i < what->n; i++) {
        step = kind == 2 ? 0.25 : kind == 3 ? 1.0 + (double)(rnd() % 3) : 0.5 + (double)(rnd() % 9999) / 7777;
        if (i + 1 < what->n)
            x[i + 1] = x[i] + sign * step;
    }
    what->period = x[what->n - 1] - x[0] + sign * step;
    orient_conditions(what, sign < 0 ? -1 : 1);
}

/* Coordinates of results, each between those of the points next to it. */
static void draw_places(fdx_derivative *what)
{
    fdx_outline o;
    if (fdx_derivative_outline(what, &o) != FDX_OK)
        return;
    const ptrdiff_t n = what->n, results = n + o.more;
    const double *x = what->x;
    const int periodic = what->left == FDX_PERIODIC;
    double *at = numbers(results);
    what->at = at;
    for (ptrdiff_t r = 0; r < results && n > 1; r++) {
        const ptrdiff_t i = r + o.base;
        const double before = i >= 0 ? x[i] : periodic ? x[n - 1] - what->period : 2 * x[0] - x[1];
        const double after = i + 1 < n ? x[i + 1] : periodic ? x[0] + what->period : 2 * x[n - 1] - x[n - 2];
        at[r] = before + (after - before) * (below(3) + (i < 0)) / 4;
    }
}

typedef struct {
    void *memory;
    fdx_derivative what;
    const fdx_derivative *at;
    const fdx_band **band;
} making;

/* The fewest points for any coordinates: evenly spaced ones need no more than a spacing does. */
static ptrdiff_t fewest_points(const fdx_derivative *what)
{
    fdx_derivative uniform = *what;
    if (what->at != NULL)
        return fdx_derivative_points(what);
    uniform.x = NULL;
    const ptrdiff_t any = fdx_derivative_points(what), even = fdx_derivative_points(&uniform);
    return any < even ? any : even;
}

static broken break_derivative(making *c, int number)
{
    fdx_derivative *what = &c->what;
    double *x = (double *)what->x;
    const ptrdiff_t k = x != NULL ? below((int)what->n) : 0;
    /* which coordinates are read: those that are equidistant, and those of stencils, which are all unless there are few
     * rows */
    const int real = what->scheme == NULL, centred = real && what->position == FDX_CENTER && what->side == 0;
    fdx_scheme *scheme = (fdx_scheme *)what->scheme;
    const int rows = scheme != NULL && scheme->nfirst > 0, sbp = what->left == FDX_SBP;
    const int all = x != NULL && what->left != FDX_VALID && what->right != FDX_VALID;
    BREAK(1, c->memory = NULL, FDX_E_NULL)
    BREAK(1, c->at = NULL, FDX_E_NULL)
    BREAK(1, c->band = NULL, FDX_E_NULL)
    BREAK(centred, what->deriv = 0, FDX_E_STENCIL)
    BREAK(1, what->deriv = -1, FDX_E_STENCIL)
    BREAK(1, what->deriv = INT_MIN, FDX_E_STENCIL)
    BREAK(real && !sbp, what->deriv = 65, FDX_E_SIZE)
    BREAK(real && !sbp, what->deriv = INT_MAX, FDX_E_SIZE)
    BREAK(!real, what->deriv = 1, FDX_E_STENCIL)
    BREAK(real, what->accuracy += 1, FDX_E_STENCIL)
    BREAK(real, what->accuracy = 0, FDX_E_STENCIL)
    BREAK(real, what->accuracy = -2, FDX_E_STENCIL)
    BREAK(real && !sbp, what->accuracy += 66, FDX_E_SIZE)
    BREAK(real && !sbp, what->accuracy = INT_MAX - 2 + what->accuracy % 2 * 2 + (what->side == 0), FDX_E_SIZE)
    BREAK(1, what->position = FDX_NPOSITIONS, FDX_E_STENCIL)
    BREAK(1, what->position = -1, FDX_E_STENCIL)
    BREAK(what->left == FDX_PERIODIC, what->position = FDX_OUTER, FDX_E_STENCIL)
    BREAK(1, what->side = 2, FDX_E_STENCIL)
    BREAK(real && what->side == 0, what->side = -1, FDX_E_STENCIL)
    BREAK(scheme, scheme->w = NULL, FDX_E_NULL)
    BREAK(scheme, scheme->count = 0, FDX_E_SIZE)
    BREAK(scheme, scheme->count = INT_MAX, FDX_E_SIZE)
    BREAK(scheme, scheme->offset = INT_MIN, FDX_E_SIZE)
    BREAK(rows, scheme->first = NULL, FDX_E_NULL)
    BREAK(rows, scheme->nfirst = -1, FDX_E_SIZE)
    BREAK(rows, ((fdx_scheme_row *)scheme->first)->w = NULL, FDX_E_NULL)
    BREAK(rows, ((fdx_scheme_row *)scheme->first)->count = 256, FDX_E_SIZE)
    BREAK(1, what->left = FDX_NBOUNDARIES, FDX_E_STENCIL)
    BREAK(sbp, what->left = FDX_ONE_SIDED, FDX_E_STENCIL)
    BREAK(scheme, what->right = FDX_GIVEN, FDX_E_STENCIL)
    BREAK(1, what->datum = 2, FDX_E_STENCIL)
    BREAK(what->at, what->x = NULL, FDX_E_STENCIL)
    BREAK(what->at, what->position = FDX_CENTER, FDX_E_STENCIL)
    BREAK(what->at, *(double *)what->at = NAN, FDX_E_NODES)
    BREAK(what->at, *(double *)what->at = x[what->n - 1] + 3 * (x[what->n - 1] - x[0]), FDX_E_NODES)
    BREAK(!x, what->at = &what->scale, FDX_E_STENCIL)
    BREAK(what->left != FDX_GIVEN, what->datum = -1, FDX_E_STENCIL)
    BREAK(what->right != FDX_GIVEN, what->datum = 1, FDX_E_STENCIL)
    BREAK(what->left == FDX_GIVEN, what->condition[0].outside = 3, FDX_E_STENCIL)
    BREAK(what->left == FDX_GIVEN, what->condition[0].outside = INT_MIN, FDX_E_STENCIL)
    BREAK(what->right == FDX_GIVEN, what->condition[1].value = NAN, FDX_E_NODES)
    BREAK(what->right == FDX_GIVEN, what->condition[1].slope = INFINITY, FDX_E_NODES)
    BREAK(sbp, what->deriv = 3, FDX_E_STENCIL)
    BREAK(sbp, what->accuracy = 10, FDX_E_STENCIL)
    BREAK(!sbp && what->left != FDX_PERIODIC, what->right = FDX_SBP, FDX_E_STENCIL)
    BREAK(1, what->right = -1, FDX_E_STENCIL)
    BREAK(what->right != FDX_PERIODIC, what->left = FDX_PERIODIC, FDX_E_STENCIL)
    BREAK(what->right == FDX_PERIODIC, what->right = FDX_REFLECT, FDX_E_STENCIL)
    BREAK(1, what->n = fewest_points(what) - 1, FDX_E_SIZE)
    BREAK(1, what->n = 0, FDX_E_SIZE)
    BREAK(1, what->n = -1, FDX_E_SIZE)
    BREAK(1, what->n = PTRDIFF_MIN, FDX_E_SIZE)
    BREAK(1, what->scale = 0, FDX_E_NODES)
    BREAK(1, what->scale = NAN, FDX_E_NODES)
    BREAK(1, what->scale = INFINITY, FDX_E_NODES)
    BREAK(what->deriv == 0 && what->left != FDX_GIVEN && what->right != FDX_GIVEN, what->spacing = 0, FDX_OK)
    BREAK(x == NULL && what->deriv > 0, what->spacing = 0, FDX_E_NODES)
    BREAK(x == NULL && what->deriv > 0, what->spacing = NAN, FDX_E_NODES)
    BREAK(x == NULL && what->deriv > 0, what->spacing = INFINITY, FDX_E_NODES)
    BREAK(x && what->n > 1, x[k] = x[k > 0 ? k - 1 : 1], FDX_E_NODES)
    BREAK(x && what->n > 1, x[k] = NAN, FDX_E_NODES)
    BREAK(all && what->n > 3, x[2] = x[0], FDX_E_NODES)
    BREAK(all, x[k] = INFINITY, FDX_E_NODES)
    BREAK(all && what->left == FDX_PERIODIC, what->period = NAN, FDX_E_NODES)
    BREAK(all && what->left == FDX_PERIODIC, what->period = x[what->n - 1] - x[0], FDX_E_NODES)
    BREAK(all && what->left == FDX_PERIODIC, what->period = -what->period, FDX_E_NODES)
    return nothing;
}

static double weight_of(const fdx_band *b, ptrdiff_t row, ptrdiff_t column)
{
    const ptrdiff_t last = b->rows - b->nlast;
    const int closures = row < b->nfirst || row >= last;
    const fdx_stencil *r = row < b->nfirst ? &b->first[row] : row >= last ? &b->last[row - last] : &b->interior;
    for (int k = 0; k < r->count; k++) {
        ptrdiff_t at = row + r->offset + k;
        if (b->periodic)
            at = (at % b->columns + b->columns) % b->columns;
        if (at == column)
            return r->w[k * r->weight_step + (closures ? 0 : row - b->nfirst) * r->row_step];
    }
    return 0;
}

/* The transposed band; its entries are compared if they are few. */
static const fdx_band *transposed(const fdx_band *a)
{
    const fdx_band *band = NULL;
    fdx_status status;
    const size_t bytes = fdx_band_transpose_size(a);
    void *memory = allocate(bytes);
    before_calls();
    CALL(status, fdx_band_transpose(memory, a, &band));
    slot_at(memory)->scratch = 1;
    expect_unchanged("fdx_band_transpose");
    slot_at(memory)->scratch = 0;
    if (bytes == 0 && status == FDX_OK)
        die("fdx_band_transpose_size told no size", "");
    if (status == FDX_E_SIZE) /* a column has too many neighbours, or there are no rows */
        return NULL;
    expect("fdx_band_transpose", nothing, status);
    if (band != memory)
        die("a band is not at the beginning of its memory", "");
    for (ptrdiff_t i = 0; i < a->rows && a->rows < 30 && a->columns < 30; i++)
        for (ptrdiff_t j = 0; j < a->columns; j++)
            if (weight_of(a, i, j) != weight_of(band, j, i))
                die("an entry of a transposed band", "");
    return band;
}

static const fdx_band *product(const fdx_band *a, const fdx_band *b, int mode)
{
    static const fdx_band *band;
    double scale = 0.5;
    fdx_status status, wanted = FDX_OK;
    void *memory = allocate(fdx_band_product_size(a, b));
    band = NULL;
    before_calls();
    if (a->periodic != b->periodic)
        wanted = FDX_E_STENCIL;
    else if (a->columns != b->rows)
        wanted = FDX_E_SIZE;
    else if (mode == 1 && below(2))
        wanted = FDX_E_NODES, scale = INFINITY;
    CALL(status, fdx_band_product(memory, a, b, scale, &band));
    if (status != wanted && (wanted == FDX_E_STENCIL || status != FDX_E_SIZE))
        expect("fdx_band_product", (broken){"scale, periodic or columns", wanted, wanted}, status);
    slot_at(memory)->scratch = 1;
    expect_unchanged("fdx_band_product");
    slot_at(memory)->scratch = 0;
    if (status != FDX_OK && band != NULL)
        die("*band was set", "");
    return band;
}

static double *draw_weights(fdx_stencil *stencil, ptrdiff_t rows)
{
    double *w = stencil->count * rows < 200 || stencil->count * rows > 20000
                    ? keep((size_t)(stencil->count * rows) * sizeof *w)
                    : numbers(stencil->count * rows);
    for (ptrdiff_t i = 0; i < stencil->count * rows; i++)
        w[i] = rnd() % 40 ? ordinary() * 1.1 : 0;
    if (stencil->summation >= FDX_SUM_ANTISYMMETRIC)
        for (int k = stencil->centre + 1; k < stencil->count; k++)
            w[stencil->count - 1 - k] = stencil->summation == FDX_SUM_ANTISYMMETRIC ? -w[k] : w[k];
    const int by_tap = rows == 1 || below(2);
    stencil->w = w;
    stencil->weight_step = by_tap ? rows : 1;
    stencil->row_step = by_tap ? rows > 1 : stencil->count;
    if (chance(16) && stencil->summation == FDX_SUM_PLAIN && rows == 1) { /* from the last to the first */
        stencil->w = w + stencil->count - 1;
        stencil->weight_step = -1;
    }
    return w;
}

/* A band filled in by hand, with at least one column. */
const fdx_band *draw_band(ptrdiff_t columns, const usual_rows *as)
{
    fdx_band *b = keep(sizeof *b);
    fdx_stencil *inner = &b->interior;
    const int common = as->half_width > 0 && columns > 2 * as->half_width, many = chance(12);
    const int most = (int)(columns < (many ? 200 : 15) ? (columns - 1) / 2 : many ? 99 : 7);
    const int half_width = common ? as->half_width : below(most + 1);
    b->columns = columns;
    inner->count = 2 * half_width + 1;
    inner->centre = half_width;
    inner->summation = common ? as->pairs : half_width == 0 ? FDX_SUM_PLAIN : below(4);
    if (inner->summation <= FDX_SUM_DIFFERENCES && inner->count > 1 && below(2)) {
        inner->count--; /* not symmetric */
        inner->centre = below(inner->count);
        if (inner->count == 1)
            inner->summation = FDX_SUM_PLAIN;
    }
    if (inner->summation == FDX_SUM_ANTISYMMETRIC && !common && below(3) == 0) {
        inner->count--; /* about a midpoint */
        inner->centre--;
    }
    if (inner->summation == FDX_SUM_PLAIN && chance(3))
        inner->centre = -1;
    b->periodic = chance(3);
    if (b->periodic) {
        b->rows = columns;
        inner->offset = -half_width;
        if (chance(3)) /* anywhere, at most one period away */
            inner->offset = below((int)(2 * columns + 2 - inner->count)) - columns;
    } else if (common && below(8)) {
        b->nfirst = b->nlast = half_width;
        b->rows = columns;
        inner->offset = -half_width;
    } else {
        /* Neighbours of a band, and of its transpose, must be within 1020 columns of the diagonal, csrc's limit. */
        const ptrdiff_t room = columns - inner->count + 1, fewer = below((int)(room < 600 ? room : 600));
        const ptrdiff_t inside = below(8) ? room - fewer % 4 : chance(3) && room < 600 ? 0 : room - fewer;
        inner->offset = below((int)(room - inside < 40 ? room - inside + 1 : 40)); /* of the first interior row */
        b->nfirst = below(4);
        b->nlast = below(4);
        b->rows = b->nfirst + inside + b->nlast;
        inner->offset -= b->nfirst;
    }
    const ptrdiff_t inside = b->rows - b->nfirst - b->nlast;
    draw_weights(inner,
                 inner->summation <= FDX_SUM_DIFFERENCES && inside > 0 && inside * inner->count < 20000 && below(2)
                     ? inside
                     : 1);
    fdx_stencil *closures = keep((size_t)(b->nfirst + b->nlast) * sizeof *closures);
    b->first = b->nfirst > 0 || below(2) ? closures : NULL;
    b->last = b->nlast > 0 || below(2) ? closures + b->nfirst : NULL;
    for (ptrdiff_t k = 0; k < b->nfirst + b->nlast; k++) {
        /* near the diagonal: offsets of different rows must not be far apart */
        const ptrdiff_t row = k < b->nfirst ? k : b->rows - b->nlast + (k - b->nfirst);
        fdx_stencil *r = &closures[k];
        r->count = 1 + below((int)(columns < 13 ? columns : 13));
        const ptrdiff_t last = columns - r->count;
        ptrdiff_t at = row - 20 + below(41);
        at = at < 0 ? 0 : at > last ? last : at;
        r->offset = at - row;
        r->centre = below(r->count);
        r->summation = r->count > 1 && below(2) ? FDX_SUM_DIFFERENCES : FDX_SUM_PLAIN;
        if (r->summation == FDX_SUM_PLAIN && chance(3))
            r->centre = -1;
        draw_weights(r, 1);
    }
    return b;
}

/* Wild numbers anywhere in a band. Those that give lengths of lists stay true, or become ones that no list can have.
 * Returns whether they still give lengths. */
int scramble_band(fdx_band *band)
{
    static const ptrdiff_t extremes[] = {PTRDIFF_MAX, PTRDIFF_MIN, PTRDIFF_MAX - 50, PTRDIFF_MIN + 50, -1};
    fdx_stencil *r = &band->interior;
    if (band->nfirst > 0 && below(2))
        r = (fdx_stencil *)&band->first[below((int)band->nfirst)];
    else if (band->nlast > 0 && below(2))
        r = (fdx_stencil *)&band->last[below((int)band->nlast)];
    const int kind = below(14);
    if (kind < 4)
        band->interior.row_step = 0;
    switch (kind) {
    case 0: band->rows = wild_number(); break;
    case 1: band->columns = wild_number(); break;
    case 2: band->nfirst = below(8) ? below((int)band->nfirst + 1) : extremes[below(5)]; break;
    case 3: band->nlast = below(8) ? below((int)band->nlast + 1) : extremes[below(5)]; break;
    case 4: band->periodic = below(2); break;
    case 5: r->offset = wild_number(); break;
    case 6: r->offset = extremes[below(5)]; break;
    case 7: r->count = r->count < INT_MAX && below(8) ? below(r->count + 1) : wild_int() < 0 ? INT_MIN : INT_MAX; break;
    case 8: r->centre = wild_int(); break;
    case 9: r->summation = wild_int(); break;
    case 10: r->w = NULL; return 0;
    case 11: *(below(2) ? &band->first : &band->last) = NULL; return 0;
    case 12:
        if (r->count > 1)
            r->weight_step = wild_stride();
        break;
    default: r->weight_step = r->row_step = 0; break;
    }
    return band->nfirst >= 0 && band->nfirst < 1000 && band->nlast >= 0 && band->nlast < 1000;
}

/* A band from bands filled in by hand, unless that was refused: it must have the size returned, and be set on FDX_OK
 * only. */
static void check_made(const char *function, fdx_status status, int mode, size_t bytes, const void *memory,
                       const fdx_band *made)
{
    slot_at(memory)->scratch = status == FDX_OK || status == FDX_E_NODES;
    expect_unchanged(function);
    slot_at(memory)->scratch = 0;
    if (made != (status == FDX_OK ? memory : NULL) || (status == FDX_OK && bytes == 0))
        die("*band, or its size", function);
    if (status != FDX_OK && status != FDX_E_NODES && bytes != 0)
        die("a size of what there is not", function);
    if (mode != 2 && status != FDX_OK && status != FDX_E_SIZE)
        expect(function, nothing, status);
}

/* Bands filled in by hand, valid or with wild numbers, for functions that build others from them. */
void by_hand_case(int mode)
{
    static const fdx_band *made;
    const usual_rows as = {FDX_SUM_SYMMETRIC, 0};
    fdx_band *b = (fdx_band *)draw_band(1 + below(24), &as);
    fdx_band *a = b->rows > 0 ? (fdx_band *)draw_band(b->rows, &as) : b;
    for (int times = mode == 2 ? 1 + below(3) : 0; times > 0; times--)
        if (!scramble_band(below(2) ? a : b))
            break;
    const fdx_band *of[] = {a, b};
    fdx_status status;
    size_t bytes;
    for (int k = 0; k < 2; k++) {
        if (of[k]->columns > 1 << 16 && of[k]->columns <= PTRDIFF_MAX / 4)
            continue; /* the time grows with the size */
        made = NULL;
        CALL(bytes, fdx_band_transpose_size(of[k]));
        void *memory = allocate(bytes);
        before_calls();
        CALL(status, fdx_band_transpose(memory, of[k], &made));
        check_made("fdx_band_transpose", status, mode, bytes, memory, made);
    }
    made = NULL;
    CALL(bytes, fdx_band_product_size(a, b));
    void *memory = allocate(bytes);
    before_calls();
    CALL(status, fdx_band_product(memory, a, b, 0.5, &made));
    if (mode == 2 || a->periodic == b->periodic)
        check_made("fdx_band_product", status, mode, bytes, memory, made);
    else
        expect("fdx_band_product", (broken){"periodic", FDX_E_STENCIL, FDX_E_STENCIL}, status);
}

void band_case(int mode)
{
    static const fdx_band *band;
    static const ptrdiff_t long_ones[] = {1000, 3000, (ptrdiff_t)1 << 40, PTRDIFF_MAX / 4, PTRDIFF_MAX / 4 - 1000, 300};
    making c = {NULL, draw_derivative(0), NULL, &band};
    const int with_points = below(2) && c.what.scheme == NULL && c.what.left != FDX_SBP;
    int usual;
    band = NULL;
    if (mode == 2) {
        for (int times = 1 + below(3); times > 0; times--)
            switch (below(11)) {
            case 9: c.what.datum = below(5) - 2; break;
            case 10: c.what.condition[below(2)] = (fdx_condition){draw_spacing(), draw_spacing(), below(4)}; break;
            case 7: c.what.position = wild_int(); break;
            case 8: c.what.side = wild_int(); break;
            case 0: c.what.deriv = wild_int(); break;
            case 1: c.what.accuracy = wild_int(); break;
            case 2: c.what.left = wild_int(); break;
            case 3: c.what.right = wild_int(); break;
            case 4: c.what.scale = draw_spacing(); break;
            case 5: c.what.spacing = draw_spacing() * draw_spacing(); break;
            default: c.what.period = draw_spacing(); break;
            }
    }
    static const double dummy[2];
    const int with_places = with_points && c.what.position != FDX_CENTER && below(2);
    if (with_points)
        c.what.x = dummy; /* the number of points is checked */
    if (with_places)
        c.what.at = dummy;
    ptrdiff_t least = fdx_derivative_points(&c.what);
    if (least > 12 && !chance(64)) { /* weights of many nodes take long integers, and milliseconds */
        c.what.deriv = c.what.scheme != NULL ? 0 : 1 + below(c.what.left == FDX_SBP ? 2 : 4);
        c.what.accuracy = 2 + 2 * below(3) - (c.what.side != 0);
        if (mode != 2 && fdx_derivative_points(&c.what) == 0) { /* no row contains a datum any more */
            c.what.left = c.what.left == FDX_GIVEN ? FDX_ONE_SIDED : c.what.left;
            c.what.right = c.what.right == FDX_GIVEN ? FDX_ONE_SIDED : c.what.right;
            c.what.datum = 0;
        }
        least = fdx_derivative_points(&c.what);
    }
    c.what.n = least + (chance(12) && !with_points ? long_ones[below(6)] - least : below(chance(32) ? 700 : 20));
    if (c.what.n == PTRDIFF_MAX / 4 && c.what.position == FDX_OUTER)
        c.what.n--; /* no matrix has more rows */
    if (with_points) {
        const double period = c.what.period;
        draw_points(&c.what);
        if (with_places)
            draw_places(&c.what);
        if (mode == 2 && chance(3)) {
            double *x = (double *)c.what.x;
            const int apart = chance(8) && c.what.n < 8;
            for (ptrdiff_t i = 0; i < c.what.n; i++)
                x[i] = ldexp(ordinary(), apart ? (int)(rnd() % 2000) - 1000 : 0);
            c.what.period = period;
        }
    }
    fdx_derivative *what = keep(sizeof *what);
    *what = c.what;
    c.at = what;
    c.memory = allocate(fdx_band_derivative_size(what));
    slot *const memory = slot_at(c.memory);
    broken b = nothing;
    if (mode == 1) {
        b = break_derivative(&c, below(67));
        *what = c.what;
    }
    before_calls();
    fdx_status status;
    CALL(status, fdx_band_derivative(c.memory, c.at, c.band));
    memory->scratch = status == FDX_OK || status == FDX_E_NODES;
    if (mode != 2)
        expect("fdx_band_derivative", b, status);
    expect_unchanged("fdx_band_derivative");
    memory->scratch = 0;
    if (status == FDX_OK ? band != c.memory : band != NULL)
        die("*band", "");
    if (status != FDX_OK && status != FDX_E_NODES && status != FDX_E_NULL && fdx_band_derivative_size(c.at) != 0)
        die("fdx_band_derivative_size tells a size of what there is not", "");
    if (status != FDX_OK)
        return;
    const fdx_band *of = band;
    for (int times = below(4); times > 0 && of != NULL; times--) {
        const usual_rows as = {FDX_SUM_SYMMETRIC, 0};
        if (below(2)) {
            const fdx_band *other = below(2) ? band : of->rows < 3000 && of->rows > 0 ? draw_band(of->rows, &as) : of;
            of = product(other, of, mode);
        } else {
            of = transposed(of);
        }
    }
    if (of == NULL || of->columns > 3000 || of->columns < 1)
        return;
    fdx_operator *op = draw_operator(of, &usual);
    apply(op, mode == 2 ? 0 : mode, usual);
}
