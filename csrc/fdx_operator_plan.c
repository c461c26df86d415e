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

/* An output, and all that is read, must fit into memory; the output must overlap neither that nor itself. */
static fdx_status check_extents(const fdx_call *call, const fdx_array *out)
{
    const fdx_operator *op = call->op;
    const fdx_array box = fdx_view_from(out, op->ndim, call->lo);
    ptrdiff_t in_box[FDX_MAXDIM], n[FDX_MAXDIM];
    for (int d = 0; d < op->ndim; d++)
        in_box[d] = box_length(call, d);
    fdx_extent written, read;
    if (!fdx_find_extent(&box, op->ndim, in_box, &written))
        return FDX_E_SHAPE;
    if (!fdx_is_nonoverlapping(&box, op->ndim, in_box, &written))
        return FDX_E_OVERLAP;
    for (int j = 0; j < op->ninputs; j++) {
        if (!fdx_find_extent(&call->in[j], op->ndim, op->in_shape, &read))
            return FDX_E_SHAPE;
        if (fdx_overlap(&written, &read))
            return FDX_E_OVERLAP;
    }
    for (int k = 0; k < op->nchains; k++) {
        for (int d = 0; d < op->ndim; d++)
            n[d] = op->in_shape[d];
        for (int s = 0; s < op->chain[k].nstages; s++) {
            const fdx_stage *stage = &op->chain[k].stage[s];
            if (stage->band != NULL)
                n[stage->axis] = stage->band->rows;
            if (stage->coefficient != NULL && !fdx_find_extent(stage->coefficient, op->ndim, n, &read))
                return FDX_E_SHAPE;
            if (stage->coefficient != NULL && fdx_overlap(&written, &read))
                return FDX_E_OVERLAP;
        }
    }
    return FDX_OK;
}

fdx_status fdx_check_call(const fdx_call *call)
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
    for (int k = 0; k < op->noutputs && !empty && status == FDX_OK; k++) {
        status = check_extents(call, &call->out[k]);
        for (int j = 0; j < k; j++)
            if (call->out[j].data == call->out[k].data)
                status = FDX_E_OVERLAP; /* a likely mistake, which costs nothing to find */
    }
    return status;
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
        if (!continues(w, &call->in[k], outer, inner))
            return 0;
    for (int k = 0; k < call->op->noutputs; k++)
        if (!continues(w, &call->out[k], outer, inner))
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
    int order[MAXD], count = 0;
    for (int d = 0; d < call->op->ndim; d++) {
        if (length_along(w, d) == 1 && !((banded | shifted) >> d & 1))
            continue;
        const size_t size = fdx_distance(call->in[0].stride[d]);
        int at = count++;
        for (; at > 0; at--) {
            if (fdx_distance(call->in[0].stride[order[at - 1]]) >= size)
                break;
            order[at] = order[at - 1];
        }
        order[at] = d;
    }
    if (call->out[0].dtype >= FDX_C64)
        order[count++] = call->op->ndim;
    else if (count == 0)
        order[count++] = 0;
    banded |= shifted; /* nor are dimensions joined that are shifted, or of which a box is computed */

    int at = count - 1;
    w->per_point = 1;
    w->inner_axis = order[at];
    int first = MAXD - 1, is_banded = order[at] < call->op->ndim && (banded >> order[at] & 1);
    w->axis[first] = order[at];
    w->n[first] = length_along(w, order[at]);
    for (at--; at >= 0; at--) {
        const int d = order[at], has_band = (int)(banded >> d & 1);
        const int joins = !is_banded && is_contiguous(w, d, order[at + 1]);
        if (joins && !has_band) {
            w->n[first] *= length_along(w, d); /* w->axis stays the innermost one */
            continue;
        }
        if (joins && first == MAXD - 1 && w->n[first] <= MAX_ELEMENTS_PER_POINT) {
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
    w->ndim = MAXD - first;
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
 * rows with their halo take at most `cache` bytes. */
static void choose_blocks(work *w, const ptrdiff_t *halo, ptrdiff_t size, ptrdiff_t along_sweep, ptrdiff_t cache)
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
                bytes = bytes > cache / (w->tile[e] + halo[e]) ? cache + 1 : bytes * (w->tile[e] + halo[e]);
            if (bytes <= cache || w->tile[d] <= least)
                break;
            w->tile[d] = MAX(least, (w->tile[d] + 1) / 2 / least * least);
        }
    }
}

/* Reserve the next bytes of the workspace; NULL if there is none yet. */
static char *reserve(char *memory, ptrdiff_t *used, ptrdiff_t bytes)
{
    char *here = memory == NULL ? NULL : memory + *used;
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

ptrdiff_t fdx_plan_call(work *w, const fdx_call *call, char *memory, ptrdiff_t **indices)
{
    ptrdiff_t halo[MAXD] = {0}, interior_halo[MAXD] = {0}; /* neighbours less 1: of all rows; of interior rows */
    ptrdiff_t most_weights = 1;
    int stages = 0, staging = 0, chain_blocks = 0, coefficients = 0, repeats = 0, block_sums = 0, transposes = 0;
    w->call = call;
    w->dtype = call->out[0].dtype == FDX_F32 || call->out[0].dtype == FDX_C64 ? FDX_F32 : FDX_F64;
    w->sums = &call->op->isa->sums[w->dtype == FDX_F64];
    w->itemsize = itemsize_of(w->dtype);
    order_dimensions(w);
    const int inner = w->ndim - 1;

    w->plain = w->plain_out = w->streamed = 0;
    w->out_inner = -1;
    ptrdiff_t size = 1;
    for (int d = 0; d < call->op->ndim; d++)
        size *= length_along(w, d);
    for (int k = 0; k < call->op->ninputs; k++)
        w->plain |= (uint64_t)is_plain(w, &call->in[k], call->op->in_shape) << k;
    for (int k = 0; k < call->op->noutputs; k++) {
        const int plain = is_plain(w, &call->out[k], call->op->out_shape);
        w->plain_out |= (uint64_t)plain << k;
        w->streamed |= (uint64_t)(plain && !call->first_touch && call->accumulate == NULL &&
                                  size > STREAM_MIN_BYTES / itemsize_of(call->out[k].dtype))
                       << k;
        for (int d = 0; d < inner && !plain; d++)
            if (fdx_is_transposed(w, &call->out[k], d))
                w->out_inner = d;
    }
    for (int k = 0; k < call->op->nchains; k++) {
        const fdx_chain *chain = &call->op->chain[k];
        stages = MAX(stages, chain->nstages);
        staging |= chain->nstages > 1 || !is_direct(w, chain);
        for (int s = 0; s < chain->nstages; s++) {
            const fdx_band *band = chain->stage[s].band;
            coefficients |= chain->stage[s].coefficient != NULL;
            if (band == NULL)
                continue;
            ptrdiff_t least, most;
            band_halo(band, &least, &most);
            const int d = w->dimension[chain->stage[s].axis];
            halo[d] = MAX(halo[d], most - least);
            interior_halo[d] = MAX(interior_halo[d], band->interior.count - 1);
            most_weights = MAX(most_weights, most - least + 1);
            transposes |= d == inner;
            repeats |= d == inner && band->interior.row_step != 0 && (w->per_point > 1 || band->interior.row_step != 1);
        }
        chain_blocks |= chain->stage[chain->nstages - 1].coefficient != NULL;
    }
    w->by_lines = 0;
    int by_chains = 0, several_terms = 0;
    for (int k = 0, n; k < call->op->nchains; k += n) {
        const int number = call->op->chain[k].out;
        n = chains_of_output(call, k);
        const int by_lines = fdx_is_by_lines(w, &call->op->chain[k], n);
        w->by_lines |= (uint64_t)by_lines << number;
        by_chains |= !by_lines;
        several_terms |= n > 1;
        block_sums |= !is_in_place(w, number, by_lines);
    }
    if (!by_chains)
        choose_blocks(w, interior_halo, BLOCK_ELEMENTS, 1, L3_BYTES);
    else if (staging)
        choose_blocks(w, interior_halo, STAGED_BLOCK_ELEMENTS, 4 * ROWS_AT_ONCE, L2_BYTES);
    else if (several_terms)
        choose_blocks(w, interior_halo, TERMS_BLOCK_ELEMENTS, ROWS_AT_ONCE, L3_BYTES);
    else
        choose_blocks(w, interior_halo, BLOCK_ELEMENTS, ROWS_AT_ONCE, L3_BYTES);
    w->lookahead = w->sweep < 0 ? 0 : interior_halo[w->sweep] / 2;

    /* Whatever the alignment of the memory, everything in it begins on a cache line. */
    if (memory != NULL)
        memory += -(uintptr_t)memory % (uintptr_t)ALIGNMENT_BYTES;
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
    ptrdiff_t row_ends = 0; /* bytes, for the output that needs most */
    for (int k = 0, n; k < call->op->nchains; k += n) {
        n = chains_of_output(call, k);
        if (w->by_lines >> call->op->chain[k].out & 1)
            row_ends = MAX(row_ends, fdx_row_ends_size(w, &call->op->chain[k], n,
                                                       block / (w->block[inner] * w->per_point * w->itemsize)));
    }
    if (most >= MAX_STAGING_BYTES)
        return -1;
    const ptrdiff_t segment = MIN(SEGMENT_ELEMENTS, box);
    w->transposed = MIN(MAX(1, TRANSPOSED_LINES / w->per_point), box_lines);
    const ptrdiff_t transposed = w->transposed * w->per_point * w->itemsize;
    w->block_sum = reserve(memory, &used, block_sums ? block : 0);
    w->chain_block = reserve(memory, &used, chain_blocks ? block : 0);
    w->rows_in = reserve(memory, &used, transposes ? (halo[inner] + MIN_ROW_SEGMENT) * transposed : 0);
    w->rows_out = reserve(memory, &used, transposes ? MIN_ROW_SEGMENT * transposed : 0);
    coefficients |= call->accumulate != NULL;
    w->coefficients = reserve(memory, &used, coefficients ? segment * w->itemsize : 0);
    w->raw = reserve(memory, &used, coefficients ? segment * (ptrdiff_t)sizeof(double) : 0);
    /* All loops take FDX_VARYING neighbours or more: sums of so many need only one loop. */
    w->partial_sum = reserve(memory, &used, most_weights > FDX_VARYING ? segment * w->itemsize : 0);
    w->repeated_weights =
        reserve(memory, &used, repeats ? most_weights * SEGMENT_ELEMENTS * (ptrdiff_t)sizeof(double) : 0);
    w->staging = reserve(memory, &used, most);
    w->row_ends = reserve(memory, &used, row_ends);
    w->line = reserve(memory, &used, w->by_lines != 0 ? LONG_SEGMENT_RATIO * LINE_SEGMENT_BYTES + ALIGNMENT_BYTES : 0);
    const ptrdiff_t nweights = most_weights + ROWS_AT_ONCE, size_of_number = (ptrdiff_t)sizeof(ptrdiff_t);
    const int taken_by_chains = TAKEN_BY_CHAIN + stages * TAKEN_BY_STAGE + TAKEN_BY_MULTIPLY;
    w->neighbours = (const void **)(void *)reserve(memory, &used, nweights * (ptrdiff_t)sizeof *w->neighbours);
    w->weight = (double *)(void *)reserve(memory, &used, nweights * (ptrdiff_t)sizeof *w->weight);
    w->point_weights = (const double **)(void *)reserve(memory, &used, nweights * (ptrdiff_t)sizeof *w->point_weights);
    w->column_offset =
        (ptrdiff_t *)(void *)reserve(memory, &used, transposes ? (halo[inner] + MIN_ROW_SEGMENT) * size_of_number : 0);
    const ptrdiff_t taken = TAKEN_BY_BLOCK + MAX(taken_by_chains, w->by_lines != 0 ? TAKEN_BY_LINES : 0);
    *indices = (ptrdiff_t *)(void *)reserve(memory, &used, taken * w->ndim * size_of_number);
    w->indices = indices;
    return used + ALIGNMENT_BYTES;
}
