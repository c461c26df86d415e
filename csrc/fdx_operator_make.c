/* Compilation of operators into the caller's memory: from descriptions, and of transposes.
 *
 * One function lays out either. It is called twice: without memory it only counts the bytes. */
#include "fdx_operator.h"
#include "fdx_dd.h"

/* ---- memory ---- */

typedef struct {
    char *memory; /* NULL: nothing is written */
    size_t used;  /* bytes */
    int full;     /* 1: more than PTRDIFF_MAX bytes are needed */
} arena;

/* Memory for `count` elements of `bytes` each. */
static void *reserve(arena *r, size_t count, size_t bytes)
{
    const size_t align = sizeof(double), left = PTRDIFF_MAX / align * align - r->used;
    void *here = r->memory == NULL ? NULL : r->memory + r->used;
    if (fdx_product_fits(count, bytes, left))
        r->used += (count * bytes + align - 1) / align * align;
    else
        r->full = 1;
    return here;
}

/* The members of an operator: shapes, chains and, for each chain, stages and a shift. */
typedef struct {
    fdx_operator *op;
    ptrdiff_t *in_shape, *out_shape, *shift;
    fdx_chain *chain;
    fdx_stage *stage;
} members;

static members reserve_members(arena *r, int ndim, int nchains, size_t nstages)
{
    members p;
    const size_t of_dimensions = (size_t)ndim * sizeof(ptrdiff_t);
    p.op = (fdx_operator *)reserve(r, 1, sizeof *p.op);
    p.in_shape = (ptrdiff_t *)reserve(r, 1, of_dimensions);
    p.out_shape = (ptrdiff_t *)reserve(r, 1, of_dimensions);
    p.shift = (ptrdiff_t *)reserve(r, (size_t)nchains, of_dimensions);
    p.chain = (fdx_chain *)reserve(r, (size_t)nchains, sizeof *p.chain);
    p.stage = (fdx_stage *)reserve(r, nstages, sizeof *p.stage);
    return p;
}

/* A copy of the view: only its data has to stay. */
static const fdx_array *copy_coefficient(arena *r, const fdx_array *coefficient, int ndim)
{
    if (coefficient == NULL)
        return NULL;
    fdx_array *copy = (fdx_array *)reserve(r, 1, sizeof *copy);
    ptrdiff_t *stride = (ptrdiff_t *)reserve(r, (size_t)ndim, sizeof *stride);
    if (r->memory != NULL) {
        memcpy(stride, coefficient->stride, (size_t)ndim * sizeof *stride);
        *copy = *coefficient;
        copy->stride = stride;
    }
    return copy;
}

/* ---- bands ---- */

/* A matrix of n columns whose row r has only the entry w, in column first + r. */
static fdx_band single_entries(ptrdiff_t rows, ptrdiff_t n, ptrdiff_t first, const double *w)
{
    return (fdx_band){rows, n, 0, 0, NULL, NULL, {first, 1, 0, FDX_SUM_PLAIN, w, 1, 0}, 0};
}

/* Change the rows of a band to FDX_SUM_PLAIN, in place: applied to a unit vector, they then give the matrix's entries.
 * So does FDX_SUM_ANTISYMMETRIC, unless the input is a result along the same axis (pairs_too). */
static void make_plain(const fdx_band *built, int pairs_too)
{
    fdx_band *band = (fdx_band *)built;
    for (ptrdiff_t k = 0; k < band->nfirst + band->nlast; k++) {
        fdx_stencil *row = (fdx_stencil *)(k < band->nfirst ? &band->first[k] : &band->last[k - band->nfirst]);
        row->summation = FDX_SUM_PLAIN;
    }
    if (pairs_too || band->interior.summation != FDX_SUM_ANTISYMMETRIC)
        band->interior.summation = FDX_SUM_PLAIN;
}

/* ---- from a description ---- */

static fdx_status check_term(const fdx_sum *what, const fdx_term *term)
{
    if (term->in < 0 || term->in >= FDX_MAXDIM || term->out < 0 || term->out >= FDX_MAXDIM || term->nfactors < 1 ||
        term->nfactors > FDX_MAXFACTORS)
        return FDX_E_COUNT;
    if (term->factor == NULL)
        return FDX_E_NULL;
    for (int s = 0; s < term->nfactors; s++) {
        const fdx_factor *factor = &term->factor[s];
        if (factor->axis < 0 || factor->axis >= what->ndim)
            return FDX_E_AXIS;
        if (factor->coefficient != NULL && (factor->coefficient->data == NULL || factor->coefficient->stride == NULL))
            return FDX_E_NULL;
        if (factor->coefficient != NULL && !is_real(factor->coefficient->dtype))
            return FDX_E_DTYPE;
    }
    return FDX_OK;
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
        const fdx_status status = check_term(what, &what->term[k]);
        if (status != FDX_OK)
            return status;
        used |= (uint64_t)1 << what->term[k].in;
        if (what->term[k].out < out || what->term[k].out > out + 1)
            return FDX_E_COUNT;
        out = what->term[k].out;
    }
    return (used & (used + 1)) == 0 ? FDX_OK : FDX_E_COUNT;
}

/* The half-width of the interior stencil. */
static ptrdiff_t half_width_of(const fdx_derivative *what)
{
    fdx_derivative valid = *what;
    valid.left = valid.right = FDX_VALID;
    return (fdx_derivative_points(&valid) - 1) / 2;
}

/* The band of a factor on n points. Its *rows results are at the points from *origin on. */
static fdx_status make_factor(arena *r, const fdx_factor *factor, ptrdiff_t n, const fdx_isa *isa, ptrdiff_t *origin,
                              ptrdiff_t *rows, const fdx_band **band)
{
    fdx_derivative what = factor->what;
    if (what.n != 0 && what.n != n)
        return FDX_E_SIZE;
    what.n = n;
    what.isa = isa;
    *origin = 0;
    *rows = n;
    *band = NULL;
    if (what.deriv == 0) {
        if (fdx_is_zero(what.scale) || !fdx_is_finite(what.scale))
            return FDX_E_NODES;
        if (fdx_bits_of(what.scale) == fdx_bits_of(1) || n == 0)
            return FDX_OK;
        if (n > MAX_LENGTH)
            return FDX_E_SIZE;
        fdx_band *times = (fdx_band *)reserve(r, 1, sizeof *times);
        double *w = (double *)reserve(r, 1, sizeof *w);
        if (r->memory != NULL) {
            *w = what.scale;
            *times = single_entries(n, n, 0, w);
            *band = times;
        }
        return FDX_OK;
    }
    const size_t bytes = fdx_band_derivative_size(&what);
    void *memory = reserve(r, 1, bytes);
    if (what.left == FDX_VALID)
        *origin = half_width_of(&what);
    *rows -= *origin + (what.right == FDX_VALID ? half_width_of(&what) : 0);
    if (bytes > 0 && r->memory == NULL)
        return FDX_OK;
    return fdx_band_derivative(memory, &what, band); /* or the error, if bytes is 0 */
}

static fdx_status lay_out_sum(arena *r, const fdx_sum *what, const fdx_operator **result)
{
    fdx_status status = check_sum(what);
    if (status != FDX_OK)
        return status;
    const int ndim = what->ndim;
    size_t nstages = 0;
    int ninputs = 0;
    for (int k = 0; k < what->nterms; k++) {
        nstages += (size_t)what->term[k].nfactors;
        ninputs = MAX(ninputs, what->term[k].in + 1);
    }
    members p = reserve_members(r, ndim, what->nterms, nstages);
    const members first = p;
    ptrdiff_t lo[FDX_MAXDIM] = {0}, hi[FDX_MAXDIM]; /* the points that all terms have, in the inputs' indices */
    for (int d = 0; d < ndim; d++)
        hi[d] = what->shape[d];
    for (int k = 0; k < what->nterms; k++) {
        const fdx_term *term = &what->term[k];
        ptrdiff_t n[FDX_MAXDIM], origin[FDX_MAXDIM] = {0};
        uint64_t differentiated = 0; /* bits: axes */
        memcpy(n, what->shape, (size_t)ndim * sizeof *n);
        for (int s = 0; s < term->nfactors; s++) {
            const fdx_factor *factor = &term->factor[s];
            const int d = factor->axis;
            const fdx_band *band;
            ptrdiff_t skipped, rows;
            status = make_factor(r, factor, n[d], what->isa, &skipped, &rows, &band);
            if (status != FDX_OK)
                return status;
            if (band != NULL && s > 0)
                make_plain(band, (int)(differentiated >> d & 1));
            if (factor->what.deriv > 0)
                differentiated |= (uint64_t)1 << d;
            n[d] = rows;
            origin[d] += skipped;
            const fdx_array *coefficient = copy_coefficient(r, factor->coefficient, ndim);
            if (r->memory != NULL)
                p.stage[s] = (fdx_stage){d, band, coefficient};
        }
        for (int d = 0; d < ndim; d++) {
            lo[d] = MAX(lo[d], origin[d]);
            hi[d] = MIN(hi[d], origin[d] + n[d]);
        }
        if (r->memory == NULL)
            continue;
        p.chain[k] = (fdx_chain){term->in, term->out, term->nfactors, p.stage, p.shift};
        memcpy(p.shift, origin, (size_t)ndim * sizeof *origin);
        p.stage += term->nfactors;
        p.shift += ndim;
    }
    for (int d = 0; d < ndim; d++)
        if (hi[d] < lo[d])
            return FDX_E_SIZE;
    if (r->memory == NULL)
        return r->full ? FDX_E_SIZE : FDX_OK;
    for (ptrdiff_t *shift = first.shift; shift < p.shift; shift += ndim)
        for (int d = 0; d < ndim; d++)
            shift[d] = lo[d] - shift[d];
    for (int d = 0; d < ndim; d++) {
        p.in_shape[d] = what->shape[d];
        p.out_shape[d] = hi[d] - lo[d];
    }
    *p.op = (fdx_operator){ndim,         p.in_shape, p.out_shape, ninputs, what->term[what->nterms - 1].out + 1,
                           what->nterms, p.chain,    what->isa};
    *result = p.op;
    return FDX_OK;
}

size_t fdx_operator_size(const fdx_sum *what)
{
    arena r = {NULL, 0, 0};
    return lay_out_sum(&r, what, NULL) == FDX_OK ? r.used : 0;
}

fdx_status fdx_operator_make(void *memory, const fdx_sum *what, const fdx_operator **op)
{
    arena count = {NULL, 0, 0}, r = {(char *)memory, 0, 0};
    const fdx_status status = lay_out_sum(&count, what, NULL);
    if (status != FDX_OK)
        return status;
    return memory == NULL || op == NULL ? FDX_E_NULL : lay_out_sum(&r, what, op);
}

/* ---- transposes ---- */

/* A stage of a transposed chain: the transpose of rows from .. to - 1 of a band, or padding by zeros. */
typedef struct {
    int axis;
    const fdx_band *band; /* NULL: the identity or, if rows is not 0, padding */
    ptrdiff_t from, to;
    ptrdiff_t rows; /* of padding: rows from .. to - 1 are the input, others 0 */
    const fdx_array *coefficient;
} transposed;

/* Bands between two coefficients can be reordered, but for those along the same axis: sort them by falling axis. */
static void insert(transposed *stage, int begin, int count, transposed what)
{
    int at = count;
    for (; at > begin && stage[at - 1].axis < what.axis; at--)
        stage[at] = stage[at - 1];
    stage[at] = what;
}

/* The stages of a transposed chain; returns their number, or -1 if they are too many. */
static int transpose_chain(const fdx_operator *op, const fdx_chain *chain, transposed stage[FDX_MAXFACTORS])
{
    ptrdiff_t n[FDX_MAXDIM], from[FDX_MAXFACTORS], to[FDX_MAXFACTORS];
    int count = 0, begin = 0; /* the first stage after the last coefficient */
    memcpy(n, op->in_shape, (size_t)op->ndim * sizeof *n);
    for (int s = 0; s < chain->nstages; s++)
        if (chain->stage[s].band != NULL) {
            from[s] = 0;
            to[s] = n[chain->stage[s].axis] = chain->stage[s].band->rows;
        }
    for (int d = 0; d < op->ndim; d++) {
        const ptrdiff_t lo = chain->shift == NULL ? 0 : chain->shift[d], hi = lo + op->out_shape[d];
        if (op->out_shape[d] == n[d])
            continue;
        /* Results that are left out are rows of the last band along this axis, unless a coefficient comes after it. */
        int s = chain->nstages - 1;
        while (s >= 0 && chain->stage[s].coefficient == NULL &&
               (chain->stage[s].band == NULL || chain->stage[s].axis != d))
            s--;
        if (s >= 0 && chain->stage[s].coefficient == NULL && !chain->stage[s].band->periodic) {
            from[s] = lo;
            to[s] = hi;
        } else if (count == FDX_MAXFACTORS) {
            return -1;
        } else {
            insert(stage, begin, count++, (transposed){d, NULL, lo, hi, n[d], NULL});
        }
    }
    for (int s = chain->nstages - 1; s >= 0; s--) {
        const fdx_stage *of = &chain->stage[s];
        if (of->coefficient != NULL && count > begin) {
            stage[count - 1].coefficient = of->coefficient;
            begin = count;
        } else if (of->coefficient != NULL) {
            if (count == FDX_MAXFACTORS)
                return -1;
            stage[count++] = (transposed){0, NULL, 0, 0, 0, of->coefficient};
            begin = count;
        }
        if (of->band != NULL) {
            if (count == FDX_MAXFACTORS)
                return -1;
            insert(stage, begin, count++, (transposed){of->axis, of->band, from[s], to[s], 0, NULL});
        }
    }
    if (count == 0)
        stage[count++] = (transposed){0, NULL, 0, 0, 0, NULL};
    return count;
}

static fdx_status make_transposed(arena *r, const transposed *stage, const fdx_band **band)
{
    static const double one = 1;
    if (stage->rows - (stage->to - stage->from) >= MAXOFFSETS)
        return FDX_E_SIZE;
    const fdx_band crop = single_entries(stage->to - stage->from, stage->rows, stage->from, &one);
    const fdx_band *of = stage->rows > 0 ? &crop : stage->band;
    *band = NULL;
    if (of == NULL)
        return FDX_OK;
    const ptrdiff_t from = stage->rows > 0 ? 0 : stage->from, to = stage->rows > 0 ? crop.rows : stage->to;
    const size_t bytes = to > from ? fdx_band_transpose_rows_size(of, from, to) : 0;
    void *memory = reserve(r, 1, bytes);
    if (bytes == 0)
        return FDX_E_SIZE;
    return r->memory == NULL ? FDX_OK : fdx_band_transpose_rows(memory, of, from, to, band);
}

static fdx_status lay_out_transpose(arena *r, const fdx_operator *op, const fdx_operator **result)
{
    fdx_status status = fdx_check_operator(op);
    if (status != FDX_OK)
        return status;
    transposed stage[FDX_MAXFACTORS];
    size_t nstages = 0;
    for (int k = 0; k < op->nchains; k++) {
        const int count = transpose_chain(op, &op->chain[k], stage);
        if (count < 0)
            return FDX_E_COUNT;
        nstages += (size_t)count;
    }
    members p = reserve_members(r, op->ndim, op->nchains, nstages);
    const members first = p;
    for (int out = 0; out < op->ninputs; out++) {
        int used = 0;
        for (int k = 0; k < op->nchains; k++) {
            if (op->chain[k].in != out)
                continue;
            const int count = transpose_chain(op, &op->chain[k], stage);
            uint64_t differentiated = 0; /* bits: axes */
            used = 1;
            for (int s = 0; s < count; s++) {
                const fdx_band *band;
                status = make_transposed(r, &stage[s], &band);
                if (status != FDX_OK)
                    return status;
                if (band != NULL) {
                    if (s > 0)
                        make_plain(band, (int)(differentiated >> stage[s].axis & 1));
                    differentiated |= (uint64_t)1 << stage[s].axis;
                }
                const fdx_array *coefficient = copy_coefficient(r, stage[s].coefficient, op->ndim);
                if (r->memory != NULL)
                    p.stage[s] = (fdx_stage){stage[s].axis, band, coefficient};
            }
            if (r->memory == NULL)
                continue;
            *p.chain++ = (fdx_chain){op->chain[k].out, out, count, p.stage, NULL};
            p.stage += count;
        }
        if (!used)
            return FDX_E_COUNT;
    }
    if (r->memory == NULL)
        return r->full ? FDX_E_SIZE : FDX_OK;
    memcpy(p.in_shape, op->out_shape, (size_t)op->ndim * sizeof(ptrdiff_t));
    memcpy(p.out_shape, op->in_shape, (size_t)op->ndim * sizeof(ptrdiff_t));
    *p.op =
        (fdx_operator){op->ndim, p.in_shape, p.out_shape, op->noutputs, op->ninputs, op->nchains, first.chain, op->isa};
    /* It can only fail for rows that are too far from the diagonal or have too many neighbours. */
    if (fdx_check_operator(p.op) != FDX_OK)
        return FDX_E_SIZE;
    *result = p.op;
    return FDX_OK;
}

size_t fdx_operator_transpose_size(const fdx_operator *op)
{
    arena r = {NULL, 0, 0};
    return lay_out_transpose(&r, op, NULL) == FDX_OK ? r.used : 0;
}

fdx_status fdx_operator_transpose(void *memory, const fdx_operator *op, const fdx_operator **transpose)
{
    arena count = {NULL, 0, 0}, r = {(char *)memory, 0, 0};
    const fdx_status status = lay_out_transpose(&count, op, NULL);
    if (status != FDX_OK)
        return status;
    return memory == NULL || transpose == NULL ? FDX_E_NULL : lay_out_transpose(&r, op, transpose);
}
