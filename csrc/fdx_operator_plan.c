/* Validation of operators and calls, and the plan of a call: dimensions, blocks, tiles, workspace. */
#include "fdx_operator.h"

/* ---- validation ---- */

/* The least and greatest offset of a neighbour in a band. */
static void band_halo(const fdx_band *band, ptrdiff_t *least, ptrdiff_t *most)
{
    *least = band->interior.offset;
    *most = band->interior.offset + band->interior.count - 1;
    for (ptrdiff_t r = 0; r < band->nfirst + band->nlast; r++) {
        const fdx_stencil *stencil = r < band->nfirst ? &band->first[r] : &band->last[r - band->nfirst];
        *least = MIN(*least, stencil->offset);
        *most = MAX(*most, stencil->offset + stencil->count - 1);
    }
}

static fdx_status check_band(const fdx_band *band)
{
    const fdx_status status = fdx_check_band(band);
    if (status != FDX_OK)
        return status;
    ptrdiff_t least, most;
    band_halo(band, &least, &most);
    return most - least < MAXOFFSETS ? FDX_OK : FDX_E_STENCIL;
}

/* `empty`: there are no results, and data may be NULL. */
static fdx_status check_chain(const fdx_operator *op, const fdx_chain *chain, int empty)
{
    ptrdiff_t n[FDX_MAXDIM];
    if (chain->in < 0 || chain->in >= op->ninputs || chain->out < 0 || chain->out >= op->noutputs ||
        chain->nstages < 1 || chain->nstages > FDX_MAXSTAGES)
        return FDX_E_COUNT;
    if (chain->stage == NULL)
        return FDX_E_NULL;
    for (int d = 0; d < op->ndim; d++)
        n[d] = op->in_shape[d];
    for (int s = 0; s < chain->nstages; s++) {
        const fdx_stage *stage = &chain->stage[s];
        if (stage->band != NULL) {
            if (stage->axis < 0 || stage->axis >= op->ndim)
                return FDX_E_AXIS;
            const fdx_status status = check_band(stage->band);
            if (status != FDX_OK)
                return status;
            if (stage->band->columns != n[stage->axis])
                return FDX_E_SIZE;
            n[stage->axis] = stage->band->rows;
        }
        if (stage->coefficient != NULL &&
            (stage->coefficient->stride == NULL || (stage->coefficient->data == NULL && !empty)))
            return FDX_E_NULL;
        if (stage->coefficient != NULL && !is_real(stage->coefficient->dtype))
            return FDX_E_DTYPE;
        if (stage->sign < -1 || stage->sign > 1)
            return FDX_E_STENCIL;
    }
    for (int d = 0; d < op->ndim; d++)
        if (op->out_shape[d] > n[d] ||
            (chain->shift != NULL && (chain->shift[d] < 0 || chain->shift[d] > n[d] - op->out_shape[d])))
            return FDX_E_SIZE;
    return FDX_OK;
}

static fdx_status check_chains(const fdx_operator *op, int empty)
{
    int out = -1;
    for (int k = 0; k < op->nchains; k++) {
        const fdx_chain *chain = &op->chain[k];
        const fdx_status status = check_chain(op, chain, empty);
        if (status != FDX_OK)
            return status;
        if (chain->out < out || chain->out > out + 1)
            return FDX_E_COUNT;
        out = chain->out;
    }
    return out == op->noutputs - 1 ? FDX_OK : FDX_E_COUNT;
}

static fdx_status check_shapes(const fdx_operator *op)
{
    if (op == NULL || op->in_shape == NULL || op->out_shape == NULL || op->chain == NULL || op->isa == NULL)
        return FDX_E_NULL;
    if (op->ndim < 1 || op->ndim > FDX_MAXDIM)
        return FDX_E_NDIM;
    if (op->ninputs < 1 || op->ninputs > FDX_MAXDIM || op->noutputs < 1 || op->noutputs > FDX_MAXDIM || op->nchains < 1)
        return FDX_E_COUNT;
    for (int d = 0; d < op->ndim; d++)
        if (op->in_shape[d] < 0 || op->out_shape[d] < 0)
            return FDX_E_SHAPE;
    return FDX_OK;
}

fdx_status fdx_check_operator(const fdx_operator *op)
{
    const fdx_status status = check_shapes(op);
    return status == FDX_OK ? check_chains(op, 1) : status;
}

/* The data of an output's copy; NULL: there is none. */
static void *copy_of(const fdx_call *call, int k)
{
    return call->copies == NULL ? NULL : call->copies[k];
}

/* The places of arrays, which must fit into memory; the elements of outputs must not overlap each other. */
static fdx_status find_places(const fdx_call *call, array_place *places)
{
    const fdx_operator *op = call->op;
    ptrdiff_t n[FDX_MAXDIM];
    for (int d = 0; d < op->ndim; d++)
        n[d] = box_length(call, d);
    for (int k = 0; k < op->ninputs + op->noutputs; k++) {
        const fdx_array *a = k < op->ninputs ? &call->in[k] : &call->out[k - op->ninputs];
        fdx_extent e = {0, 0};
        const fdx_status status = k >= op->ninputs ? fdx_check_output(a, op->ndim, call->lo, n, &e)
                                  : fdx_find_extent(a, op->ndim, op->in_shape, &e) ? FDX_OK
                                                                                   : FDX_E_SHAPE;
        if (status != FDX_OK)
            return status;
        const uintptr_t data = (uintptr_t)a->data,
                        first = (uintptr_t)fdx_view_from(a, op->ndim, k < op->ninputs ? NULL : call->lo).data;
        places[k] = (array_place){e.lo - data, e.hi - data, first - data};
    }
    return FDX_OK;
}

static fdx_extent extent_at(const array_place *p, const void *data)
{
    return (fdx_extent){(uintptr_t)data + p->lo, (uintptr_t)data + p->hi};
}

static fdx_status check_coefficients(const fdx_operator *op, const fdx_extent *written, const fdx_array *out)
{
    ptrdiff_t n[FDX_MAXDIM];
    fdx_status status = FDX_OK;
    for (int k = 0; k < op->nchains; k++) {
        for (int d = 0; d < op->ndim; d++)
            n[d] = op->in_shape[d];
        for (int s = 0; s < op->chain[k].nstages && status == FDX_OK; s++) {
            const fdx_stage *stage = &op->chain[k].stage[s];
            if (stage->band != NULL)
                n[stage->axis] = stage->band->rows;
            if (stage->coefficient != NULL)
                status = fdx_check_read(stage->coefficient, op->ndim, n, written, out, op->ndim);
        }
    }
    return status;
}

fdx_status fdx_check_places(const fdx_operator *op, const array_place *places, const fdx_array *in,
                            const fdx_array *out, void *const *copies, int multiplies)
{
    const array_place *of_out = places + op->ninputs;
    for (int k = 0; k < op->noutputs; k++)
        for (int twice = 0; twice < 1 + (copies != NULL); twice++) {
            const fdx_array target = {twice ? copies[k] : out[k].data, out[k].stride, out[k].dtype, out[k].swapped};
            const void *data = target.data;
            if (data == NULL)
                continue;
            const fdx_extent written = extent_at(&of_out[k], data);
            if (written.lo >= written.hi)
                return FDX_E_SHAPE;
            for (int j = 0; j < op->ninputs; j++) {
                const fdx_extent read = extent_at(&places[j], in[j].data);
                if (read.lo >= read.hi)
                    return FDX_E_SHAPE;
                if (fdx_overlap(&read, &written) && !fdx_alternate(&in[j], op->ndim, &target, op->ndim))
                    return FDX_E_OVERLAP;
            }
            const fdx_status status = multiplies ? check_coefficients(op, &written, &target) : FDX_OK;
            if (status != FDX_OK)
                return status;
            /* The same first element in two outputs: a likely mistake, which costs nothing to find. */
            const uintptr_t first = (uintptr_t)data + of_out[k].first;
            for (int j = 0; j <= k; j++) {
                const void *copy = copies == NULL ? NULL : copies[j];
                if (((j < k || twice) && (uintptr_t)out[j].data + of_out[j].first == first) ||
                    (j < k && copy != NULL && (uintptr_t)copy + of_out[j].first == first))
                    return FDX_E_OVERLAP;
            }
        }
    return FDX_OK;
}

static fdx_status check_call(const fdx_call *call, array_place *places)
{
    if (call == NULL || call->in == NULL || call->out == NULL)
        return FDX_E_NULL;
    const fdx_operator *op = call->op;
    fdx_status status = check_shapes(op);
    if (status != FDX_OK)
        return status;
    if (!fdx_is_box(call->lo, call->hi, op->ndim, op->out_shape))
        return FDX_E_BOX;
    const int empty = !has_results(call);
    for (int k = 0; k < op->ninputs + op->noutputs; k++) {
        const fdx_array *a = k < op->ninputs ? &call->in[k] : &call->out[k - op->ninputs];
        if (a->stride == NULL || (a->data == NULL && !empty))
            return FDX_E_NULL;
        if (itemsize_of(a->dtype) == 0 || result_dtype_of(a->dtype) != call->out[0].dtype ||
            (k >= op->ninputs && a->dtype != call->out[0].dtype))
            return FDX_E_DTYPE;
    }
    if (op->double_only && (call->out[0].dtype == FDX_F32 || call->out[0].dtype == FDX_C64))
        return FDX_E_DTYPE;
    status = check_chains(op, empty);
    if (status != FDX_OK || empty)
        return status;
    status = find_places(call, places);
    return status == FDX_OK ? fdx_check_places(op, places, call->in, call->out, call->copies, 1) : status;
}

/* ---- dimensions ---- */

/* Does an array continue along `outer` where the results along `inner` end? */
static int continues(const work *w, const fdx_array *a, int outer, int inner)
{
    return (size_t)stride_along(w, a, outer) == (size_t)length_along(w, inner) * (size_t)stride_along(w, a, inner);
}

/* Can `outer` and `inner` be joined to one dimension, in all arrays? */
static int is_contiguous(const work *w, int outer, int inner)
{
    const fdx_call *call = w->call;
    for (int k = 0; k < call->op->ninputs; k++)
        if (!continues(w, &w->in[k], outer, inner))
            return 0;
    for (int k = 0; k < call->op->noutputs; k++)
        if (!continues(w, &w->out[k], outer, inner))
            return 0;
    for (int k = 0; k < call->op->nchains; k++)
        for (int s = 0; s < call->op->chain[k].nstages; s++) {
            const fdx_array *coefficient = call->op->chain[k].stage[s].coefficient;
            if (coefficient != NULL && !continues(w, coefficient, outer, inner))
                return 0;
        }
    return 1;
}

/* The plan's dimensions: sorted by falling stride of the first input, without those of length 1. Contiguous ones
 * without a band are joined. A short inner dimension without a band is joined to a contiguous one with a band, whose
 * points then have per_point elements. */
static void order_dimensions(work *w)
{
    const fdx_call *call = w->call;
    uint64_t banded = 0, shifted = 0;
    for (int d = 0; d < call->op->ndim; d++)
        shifted |= (uint64_t)(length_along(w, d) != call->op->out_shape[d]) << d;
    for (int k = 0; k < call->op->nchains; k++) {
        const fdx_chain *chain = &call->op->chain[k];
        for (int s = 0; s < chain->nstages; s++)
            if (chain->stage[s].band != NULL)
                banded |= (uint64_t)1 << chain->stage[s].axis;
        for (int d = 0; d < call->op->ndim && chain->shift != NULL; d++)
            shifted |= (uint64_t)(chain->shift[d] != 0) << d;
    }
    banded |= shifted; /* nor are dimensions joined that are shifted, or of which a box is computed */
    uint64_t kept = banded;
    for (int d = 0; d < call->op->ndim; d++)
        kept |= (uint64_t)(length_along(w, d) != 1) << d;
    int order[MAXD], count = fdx_sort_dimensions(call->op->ndim, call->in[0].stride, kept, order);
    if (call->out[0].dtype >= FDX_C64)
        order[count++] = call->op->ndim;
    else if (count == 0)
        order[count++] = 0;

    int at = count - 1;
    w->per_point = 1;
    w->inner_axis = order[at];
    int first = call->op->ndim, is_banded = order[at] < call->op->ndim && (banded >> order[at] & 1);
    const int inner = first;
    w->axis[first] = order[at];
    w->n[first] = length_along(w, order[at]);
    for (at--; at >= 0; at--) {
        const int d = order[at], has_band = (int)(banded >> d & 1);
        const int joins = !is_banded && is_contiguous(w, d, order[at + 1]);
        if (joins && !has_band) {
            w->n[first] *= length_along(w, d); /* w->axis stays the innermost one */
            continue;
        }
        if (joins && first == inner && w->n[first] <= MAX_ELEMENTS_PER_POINT) {
            w->per_point = w->n[first];
            w->axis[first] = d;
            w->n[first] = length_along(w, d);
            is_banded = 1;
            continue;
        }
        w->axis[--first] = d;
        w->n[first] = length_along(w, d);
        is_banded = has_band;
    }
    w->ndim = inner + 1 - first;
    for (int d = 0; d < w->ndim; d++) {
        w->axis[d] = w->axis[first + d];
        w->n[d] = w->n[first + d];
        w->lo[d] = w->axis[d] < call->op->ndim ? box_lo(call, w->axis[d]) : 0;
        if (w->axis[d] < call->op->ndim)
            w->dimension[w->axis[d]] = d;
    }
}

static int is_plain(const work *w, const fdx_array *a, const ptrdiff_t *shape)
{
    return a->dtype >= FDX_F32 && stride_along(w, a, w->inner_axis) == w->itemsize &&
           fdx_is_native(a, w->call->op->ndim, shape);
}

int fdx_is_transposed(const work *w, const fdx_array *out, int d)
{
    return stride_along(w, out, w->axis[d]) == w->per_point * w->itemsize && !out->swapped && out->dtype >= FDX_F32 &&
           stride_along(w, out, w->inner_axis) != w->itemsize && (w->per_point == 1 || out->dtype >= FDX_C64);
}

/* The sizes of blocks, of `size` elements and at least along_sweep rows of the sweep dimension; and of tiles, whose
 * rows with their halo take at most L2_BYTES. */
static void choose_blocks(work *w, const ptrdiff_t *halo, ptrdiff_t size, ptrdiff_t along_sweep)
{
    const int inner = w->ndim - 1;
    w->sweep = -1;
    for (int d = inner - 1; d >= 0; d--)
        if (halo[d] > 0)
            w->sweep = d;
    /* From the inner dimension outward, but along_sweep rows of the sweep dimension come first. */
    const ptrdiff_t inside_sweep = w->sweep < 0 ? size : MAX(1, size / MIN(along_sweep, w->n[w->sweep]));
    w->block[inner] = MAX(1, MIN(w->n[inner], inside_sweep / w->per_point));
    ptrdiff_t elements = w->block[inner] * w->per_point;
    for (int d = inner - 1; d >= 0; d--) {
        w->block[d] = MAX(1, MIN(w->n[d], (d > w->sweep ? inside_sweep : size) / elements));
        elements *= w->block[d];
    }
    /* For transposed outputs: squares. */
    if (w->out_inner >= 0) {
        w->block[inner] = MAX(1, MIN(w->n[inner], TRANSPOSED_SIDE / w->per_point));
        w->block[w->out_inner] = MIN(w->n[w->out_inner], TRANSPOSED_SIDE);
        elements = w->block[inner] * w->per_point * w->block[w->out_inner];
        for (int d = inner - 1; d >= 0; d--) {
            if (d == w->out_inner)
                continue;
            w->block[d] = MAX(1, MIN(w->n[d], size / elements));
            elements *= w->block[d];
        }
    }
    /* Tiles: rows that the next block of the sweep reads again should stay in cache until then. */
    for (int d = 0; d < w->ndim; d++)
        w->tile[d] = d <= w->sweep ? w->block[d] : w->n[d];
    if (w->sweep < 0)
        return;
    for (int d = w->sweep + 1; d < w->ndim; d++) {
        const ptrdiff_t least = w->block[d];
        for (;;) {
            ptrdiff_t bytes = (w->block[w->sweep] + halo[w->sweep]) * w->per_point * w->itemsize * w->call->op->ninputs;
            for (int e = w->sweep + 1; e < w->ndim; e++)
                bytes = bytes > L2_BYTES / (w->tile[e] + halo[e]) ? L2_BYTES + 1 : bytes * (w->tile[e] + halo[e]);
            if (bytes <= L2_BYTES || w->tile[d] <= least)
                break;
            w->tile[d] = MAX(least, (w->tile[d] + 1) / 2 / least * least);
        }
    }
}

/* Reserve the next bytes of the workspace: how far from its beginning they are, as a pointer. */
static char *reserve(ptrdiff_t *used, ptrdiff_t bytes)
{
    char *here = (char *)(uintptr_t)*used;
    *used += aligned(bytes);
    return here;
}

/* The most columns that n consecutive rows of a band need, without wrapping around a periodic axis. */
static ptrdiff_t most_columns(const fdx_band *band, ptrdiff_t n)
{
    ptrdiff_t most = n + band->interior.count - 1;
    for (ptrdiff_t at = 0; at <= band->nfirst + band->nlast; at++) {
        /* from row 0 on, 1, ...; and up to the last row, the one before, ... */
        ptrdiff_t lo = MAX(0, at <= band->nfirst ? at : band->rows - n - (at - band->nfirst - 1));
        ptrdiff_t hi = MIN(band->rows, lo + n);
        if (lo < hi) {
            columns_of(band, &lo, &hi);
            most = MAX(most, hi - lo);
        }
    }
    return band->periodic ? most : MIN(most, band->columns);
}

ptrdiff_t fdx_staging_size(const work *w, const fdx_chain *chain, int s, ptrdiff_t *n)
{
    ptrdiff_t size = w->itemsize * w->per_point;
    for (int d = 0; d < w->ndim; d++)
        n[d] = w->block[d];
    for (int t = chain->nstages - 1; t >= s; t--)
        if (chain->stage[t].band != NULL) {
            const int d = w->dimension[chain->stage[t].axis];
            n[d] = most_columns(chain->stage[t].band, n[d]);
        }
    for (int d = 0; d < w->ndim; d++)
        size = size > MAX_STAGING_BYTES / n[d] ? MAX_STAGING_BYTES : size * n[d];
    return size;
}

/* What the loops of a call need. */
typedef struct {
    ptrdiff_t halo[MAXD], interior_halo[MAXD]; /* neighbours less 1: of all rows; of interior rows */
    ptrdiff_t most_weights;
    int stages, staging, chain_blocks, coefficients, repeats, partial_sums, block_sums, transposes;
    int by_chains, several_terms; /* is there an output that is not computed line by line; that has several chains? */
} needs;

/* The bytes of an output's results that follow each other in memory. */
static ptrdiff_t run_length(const work *w, const fdx_array *out)
{
    const int inner = w->ndim - 1;
    ptrdiff_t bytes = w->n[inner] * w->per_point * w->itemsize;
    for (int d = inner - 1; d >= 0 && stride_along(w, out, w->axis[d]) == bytes; d--)
        bytes *= w->n[d];
    return bytes;
}

/* Which arrays are read and written in place, and how. */
static void plan_arrays(work *w)
{
    const fdx_call *call = w->call;
    const int inner = w->ndim - 1;
    ptrdiff_t size = 1;
    for (int d = 0; d < call->op->ndim; d++)
        size *= length_along(w, d);
    w->plain = w->plain_out = w->streamed = w->copied = 0;
    w->out_inner = -1;
    for (int k = 0; k < call->op->ninputs; k++)
        w->plain |= (uint64_t)is_plain(w, &w->in[k], call->op->in_shape) << k;
    for (int k = 0; k < call->op->noutputs; k++) {
        fdx_array copy = w->out[k];
        int plain = is_plain(w, &w->out[k], call->op->out_shape);
        if (copy_of(call, k) != NULL) {
            copy.data = copy_of(call, k);
            plain &= is_plain(w, &copy, call->op->out_shape);
            w->copied |= (uint64_t)1 << k;
        }
        w->plain_out |= (uint64_t)plain << k;
        w->streamed |= (uint64_t)(plain && !call->first_touch && !w->adds &&
                                  size > STREAM_MIN_BYTES / itemsize_of(w->out[k].dtype) &&
                                  run_length(w, &w->out[k]) >= STREAM_MIN_RUN)
                       << k;
        for (int d = 0; d < inner && !plain; d++)
            if (fdx_is_transposed(w, &w->out[k], d))
                w->out_inner = d;
    }
}

/* Does a row have more neighbours, or pairs, than one loop sums? */
static int takes_several_loops(const fdx_band *band)
{
    int several = 0;
    for (ptrdiff_t r = -1; r < band->nfirst + band->nlast; r++) {
        const fdx_stencil *stencil = r < 0              ? &band->interior
                                     : r < band->nfirst ? &band->first[r]
                                                        : &band->last[r - band->nfirst];
        const int neighbours = stencil->count - (stencil->summation != FDX_SUM_PLAIN);
        several |= stencil->summation >= FDX_SUM_ANTISYMMETRIC
                       ? stencil->count / 2 > FDX_PAIRS
                       : neighbours > (stencil->row_step != 0 ? FDX_VARYING : FDX_NEIGHBOURS);
    }
    return several;
}

static void find_needs(work *w, needs *of)
{
    const fdx_call *call = w->call;
    const int inner = w->ndim - 1;
    for (int d = 0; d < w->ndim; d++)
        of->halo[d] = of->interior_halo[d] = 0;
    of->most_weights = 1;
    of->stages = of->staging = of->chain_blocks = of->repeats = of->partial_sums = of->block_sums = of->transposes = 0;
    of->by_chains = of->several_terms = 0;
    w->multiplies = 0;
    for (int k = 0; k < call->op->nchains; k++) {
        const fdx_chain *chain = &call->op->chain[k];
        of->stages = MAX(of->stages, chain->nstages);
        of->staging |= chain->nstages > 1 || !is_direct(w, chain);
        for (int s = 0; s < chain->nstages; s++) {
            const fdx_band *band = chain->stage[s].band;
            w->multiplies |= chain->stage[s].coefficient != NULL;
            if (band == NULL)
                continue;
            ptrdiff_t least, most;
            band_halo(band, &least, &most);
            const int d = w->dimension[chain->stage[s].axis];
            of->halo[d] = MAX(of->halo[d], most - least);
            of->interior_halo[d] = MAX(of->interior_halo[d], band->interior.count - 1);
            of->most_weights = MAX(of->most_weights, most - least + 1);
            of->transposes |= d == inner;
            of->partial_sums |= takes_several_loops(band);
            of->repeats |=
                d == inner && band->interior.row_step != 0 && (w->per_point > 1 || band->interior.row_step != 1);
        }
        of->chain_blocks |=
            k > 0 && chain->out == chain[-1].out && chain->stage[chain->nstages - 1].coefficient != NULL;
    }
    of->coefficients = w->multiplies || call->alpha_beta != NULL;
    w->by_lines = w->crossed = w->nested = 0;
    for (int k = 0, n; k < call->op->nchains; k += n) {
        const int number = call->op->chain[k].out;
        n = chains_of_output(call, k);
        const int by_lines = fdx_is_by_lines(w, &call->op->chain[k], n);
        const int crossed = fdx_is_crossed(w, &call->op->chain[k], n);
        if (crossed) /* also an output that could be streamed, if that would take a loop for each term */
            w->streamed &= ~((uint64_t)1 << number);
        const int nested = n == 1 && fdx_is_nested(w, &call->op->chain[k]);
        w->by_lines |= (uint64_t)by_lines << number;
        w->crossed |= (uint64_t)crossed << number;
        w->nested |= (uint64_t)nested << number;
        const int together = fdx_count_together(w, &call->op->chain[k], n) == n && n > 1;
        of->by_chains |= !by_lines && !nested && !crossed && !together;
        of->several_terms |= n > 1 && !crossed && !together;
        of->block_sums |= !is_in_place(w, number, by_lines);
    }
}

/* The bytes of the workspace, and what is where; -1 if they are more than memory can have. */
static ptrdiff_t plan_workspace(work *w, const needs *of)
{
    const fdx_call *call = w->call;
    const int inner = w->ndim - 1;
    ptrdiff_t used = 0, block = w->itemsize * w->per_point;
    for (int d = 0; d < w->ndim; d++)
        block *= w->block[d];
    /* The elements and lines of the largest box that is computed. */
    ptrdiff_t most = 0, box = block / w->itemsize, box_lines = box / (w->block[inner] * w->per_point);
    for (int k = 0; k < call->op->nchains; k++) {
        ptrdiff_t n[MAXD], bytes = 0;
        for (int s = is_direct(w, &call->op->chain[k]); s < call->op->chain[k].nstages; s++) {
            const ptrdiff_t size_of = fdx_staging_size(w, &call->op->chain[k], s, n);
            bytes += aligned(size_of);
            box = MAX(box, size_of / w->itemsize);
            box_lines = MAX(box_lines, size_of / (n[inner] * w->per_point * w->itemsize));
        }
        most = MAX(most, bytes);
    }
    if (most >= MAX_STAGING_BYTES)
        return -1;
    ptrdiff_t row_ends = 0; /* bytes, for the output that needs most */
    for (int k = 0, n; k < call->op->nchains; k += n) {
        n = chains_of_output(call, k);
        if ((w->by_lines | w->crossed) >> call->op->chain[k].out & 1)
            row_ends = MAX(row_ends, fdx_row_ends_size(w, &call->op->chain[k], n,
                                                       block / (w->block[inner] * w->per_point * w->itemsize)));
    }
    const ptrdiff_t segment = MIN(SEGMENT_ELEMENTS, box), size_of_number = (ptrdiff_t)sizeof(ptrdiff_t);
    const ptrdiff_t columns = of->transposes ? of->halo[inner] + MIN_ROW_SEGMENT : 0;
    w->transposed = MIN(MAX(1, TRANSPOSED_LINES / w->per_point), box_lines);
    const ptrdiff_t transposed = w->transposed * w->per_point * w->itemsize;
    w->block_sum = reserve(&used, of->block_sums ? block : 0);
    w->chain_block = reserve(&used, of->chain_blocks ? block : 0);
    w->rows_in = reserve(&used, columns * transposed);
    w->rows_out = reserve(&used, of->transposes ? MIN_ROW_SEGMENT * transposed : 0);
    w->coefficients = reserve(&used, of->coefficients ? segment * w->itemsize : 0);
    w->raw = reserve(&used, of->coefficients ? segment * (ptrdiff_t)sizeof(double) : 0);
    w->partial_sum = reserve(&used, of->partial_sums ? segment * w->itemsize : 0);
    w->repeated_weights =
        reserve(&used, of->repeats ? of->most_weights * SEGMENT_ELEMENTS * (ptrdiff_t)sizeof(double) : 0);
    w->staging = reserve(&used, most);
    w->row_ends = reserve(&used, row_ends);
    w->line = reserve(&used, w->by_lines != 0 ? LONG_SEGMENT_RATIO * LINE_SEGMENT_BYTES + FDX_CACHE_LINE : 0);
    const ptrdiff_t nweights = of->most_weights + ROWS_AT_ONCE;
    w->neighbours = (const void **)(void *)reserve(&used, nweights * (ptrdiff_t)sizeof *w->neighbours);
    w->weight = (double *)(void *)reserve(&used, nweights * (ptrdiff_t)sizeof *w->weight);
    w->point_weights = (const double **)(void *)reserve(&used, nweights * (ptrdiff_t)sizeof *w->point_weights);
    w->arrays =
        (fdx_array *)(void *)reserve(&used, (call->op->ninputs + call->op->noutputs) * (ptrdiff_t)sizeof *w->arrays);
    const int taken_by_chains = MAX(TAKEN_BY_CHAIN + of->stages * TAKEN_BY_STAGE + TAKEN_BY_MULTIPLY, TAKEN_TOGETHER);
    const ptrdiff_t taken = TAKEN_BY_RUN + TAKEN_BY_BLOCK + 2 * TAKEN_BY_PEELED +
                            MAX(taken_by_chains, w->by_lines != 0 || w->crossed != 0 ? TAKEN_BY_LINES : 0);
    w->index_stack = (ptrdiff_t *)(void *)reserve(&used, taken * w->ndim * size_of_number);
    return used + FDX_CACHE_LINE; /* whatever the alignment of the memory, everything begins on a cache line */
}

/* From slowest to fastest: blocks along the dimensions before the sweep dimension, tiles of those after it, blocks
 * along it, blocks in the tile. FDX_E_SHAPE if there are more than PTRDIFF_MAX: the last tiles count as whole ones. */
static fdx_status plan_levels(work *w)
{
    fdx_blocks *blocks = &w->blocks;
    int fits = 1;
    blocks->count = 1;
    blocks->levels = 0;
    for (int d = 0; d < w->ndim; d++)
        if (d != w->sweep)
            fits = fits && fdx_add_level(blocks, d, w->n[d], d < w->sweep ? w->block[d] : w->tile[d]);
    if (w->sweep >= 0)
        fits = fits && fdx_add_level(blocks, w->sweep, w->n[w->sweep], w->block[w->sweep]);
    for (int d = w->sweep + 1; d < w->ndim; d++)
        fits = fits && fdx_add_level(blocks, d, w->tile[d], w->block[d]);
    return fits ? FDX_OK : FDX_E_SHAPE;
}

static fdx_status plan(work *w)
{
    const fdx_call *call = w->call;
    const int n = call->op->ndim + 1; /* with real and imaginary parts */
    w->n = (ptrdiff_t *)(void *)(w->places + call->op->ninputs + call->op->noutputs);
    w->lo = w->n + n;
    w->block = w->lo + n;
    w->tile = w->block + n;
    w->blocks.level = (fdx_level *)(void *)(w->tile + n); /* of blocks and of tiles */
    w->axis = (int *)(void *)(w->blocks.level + 2 * n);
    w->dimension = w->axis + n;
    w->dtype = call->out[0].dtype == FDX_F32 || call->out[0].dtype == FDX_C64 ? FDX_F32 : FDX_F64;
    w->sums = &call->op->isa->sums[w->dtype == FDX_F64];
    w->itemsize = itemsize_of(w->dtype);
    order_dimensions(w);
    plan_arrays(w);
    needs of;
    find_needs(w, &of);
    if (!of.by_chains)
        choose_blocks(w, of.interior_halo, BLOCK_ELEMENTS, 1);
    else if (of.staging)
        choose_blocks(w, of.interior_halo, STAGED_BLOCK_ELEMENTS, 4 * ROWS_AT_ONCE);
    else if (of.several_terms)
        choose_blocks(w, of.interior_halo, TERMS_BLOCK_ELEMENTS, ROWS_AT_ONCE);
    else
        choose_blocks(w, of.interior_halo, BLOCK_ELEMENTS, ROWS_AT_ONCE);
    w->lookahead = w->sweep < 0 ? 0 : of.interior_halo[w->sweep] / 2;
    w->workspace_bytes = plan_workspace(w, &of);
    return w->workspace_bytes < 0 ? FDX_E_SIZE : plan_levels(w);
}

size_t fdx_prepared_size(const fdx_call *call)
{
    if (call == NULL || check_shapes(call->op) != FDX_OK)
        return 0;
    return PREPARED_BYTES(call->op->ndim + 1, call->op->ninputs + call->op->noutputs);
}

fdx_status fdx_prepare(void *memory, const fdx_call *call, const fdx_prepared **prepared)
{
    array_place places[2 * FDX_MAXDIM];
    fdx_status status = check_call(call, places);
    if (status != FDX_OK)
        return status;
    if (memory == NULL || prepared == NULL)
        return FDX_E_NULL;
    work *w = (work *)memory;
    w->call = call;
    w->in = call->in;
    w->out = call->out;
    w->copies = call->copies;
    w->alpha_beta = call->alpha_beta;
    w->adds = call->alpha_beta != NULL && call->alpha_beta[1] != 0;
    w->blocks.count = 0;
    w->workspace_bytes = 0;
    w->places = (array_place *)(void *)(w + 1);
    if (has_results(call)) {
        memcpy(w->places, places, (size_t)(call->op->ninputs + call->op->noutputs) * sizeof *places);
        status = plan(w);
    }
    if (status == FDX_OK)
        *prepared = (const fdx_prepared *)memory;
    return status;
}

ptrdiff_t fdx_prepared_workspace_size(const fdx_prepared *prepared)
{
    return prepared == NULL ? 0 : ((const work *)(const void *)prepared)->workspace_bytes;
}
