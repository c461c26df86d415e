/* Which calls are right, and how the arrays of one are walked: dimensions, blocks, tiles, workspace. */
#include "fdx_operator.h"

/* ---- validation ---- */

/* Where the neighbours of a band's rows lie, in columns, at least and at most, less the row's number. */
static void band_reach(const fdx_band *band, ptrdiff_t *least, ptrdiff_t *most)
{
    *least = band->interior.first;
    *most = band->interior.first + band->interior.count - 1;
    for (ptrdiff_t r = 0; r < band->nfirst + band->nlast; r++) {
        const fdx_rows_alike *alike = r < band->nfirst ? &band->first[r] : &band->last[r - band->nfirst];
        *least = MIN(*least, alike->first);
        *most = MAX(*most, alike->first + alike->count - 1);
    }
}

static fdx_status check_band(const fdx_band *band)
{
    const fdx_status status = fdx_check_band(band);
    if (status != FDX_OK)
        return status;
    ptrdiff_t least, most;
    band_reach(band, &least, &most);
    return most - least < MAXREACH ? FDX_OK : FDX_E_STENCIL;
}

/* `empty`: nothing will be computed, so that no data has to be there. */
static fdx_status check_term(const fdx_operator *op, const fdx_term *term, int empty)
{
    ptrdiff_t n[FDX_MAXDIM];
    if (term->in < 0 || term->in >= op->ninputs || term->out < 0 || term->out >= op->noutputs || term->nstages < 1 ||
        term->nstages > FDX_MAXSTAGES)
        return FDX_E_OPS;
    if (term->stage == NULL)
        return FDX_E_NULL;
    for (int d = 0; d < op->ndim; d++)
        n[d] = op->in_shape[d];
    for (int s = 0; s < term->nstages; s++) {
        const fdx_stage *stage = &term->stage[s];
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
        if (stage->factor != NULL && (stage->factor->stride == NULL || (stage->factor->data == NULL && !empty)))
            return FDX_E_NULL;
        if (stage->factor != NULL && !is_real(stage->factor->dtype))
            return FDX_E_DTYPE;
    }
    for (int d = 0; d < op->ndim; d++)
        if (op->out_shape[d] > n[d] ||
            (term->shift != NULL && (term->shift[d] < 0 || term->shift[d] > n[d] - op->out_shape[d])))
            return FDX_E_SIZE;
    return FDX_OK;
}

static fdx_status check_terms(const fdx_operator *op, int empty)
{
    int out = -1;
    for (int k = 0; k < op->nterms; k++) {
        const fdx_term *term = &op->term[k];
        const fdx_status status = check_term(op, term, empty);
        if (status != FDX_OK)
            return status;
        if (term->out < out || term->out > out + 1)
            return FDX_E_OPS;
        out = term->out;
    }
    return out == op->noutputs - 1 ? FDX_OK : FDX_E_OPS;
}

static fdx_status check_shapes(const fdx_operator *op)
{
    if (op == NULL || op->in_shape == NULL || op->out_shape == NULL || op->term == NULL || op->isa == NULL)
        return FDX_E_NULL;
    if (op->ndim < 1 || op->ndim > FDX_MAXDIM)
        return FDX_E_NDIM;
    if (op->ninputs < 1 || op->ninputs > FDX_MAXDIM || op->noutputs < 1 || op->noutputs > FDX_MAXDIM || op->nterms < 1)
        return FDX_E_OPS;
    for (int d = 0; d < op->ndim; d++)
        if (op->in_shape[d] < 0 || op->out_shape[d] < 0)
            return FDX_E_SHAPE;
    return FDX_OK;
}

fdx_status fdx_check_operator(const fdx_operator *op)
{
    const fdx_status status = check_shapes(op);
    return status == FDX_OK ? check_terms(op, 1) : status;
}

/* Has memory room for an output and what is read, and does the output overlap none of it, nor itself? */
static fdx_status check_extents(const fdx_operation *call, const fdx_array *out)
{
    const fdx_operator *op = call->op;
    const fdx_array box = fdx_part_from(out, op->ndim, call->lo);
    ptrdiff_t in_box[FDX_MAXDIM], n[FDX_MAXDIM];
    for (int d = 0; d < op->ndim; d++)
        in_box[d] = box_length(call, d);
    fdx_extent written, read;
    if (!fdx_find_extent(&box, op->ndim, in_box, &written))
        return FDX_E_SHAPE;
    if (!fdx_is_spread(&box, op->ndim, in_box, &written))
        return FDX_E_OVERLAP;
    for (int j = 0; j < op->ninputs; j++) {
        if (!fdx_find_extent(&call->in[j], op->ndim, op->in_shape, &read))
            return FDX_E_SHAPE;
        if (fdx_overlap(&written, &read))
            return FDX_E_OVERLAP;
    }
    for (int k = 0; k < op->nterms; k++) {
        for (int d = 0; d < op->ndim; d++)
            n[d] = op->in_shape[d];
        for (int s = 0; s < op->term[k].nstages; s++) {
            const fdx_stage *stage = &op->term[k].stage[s];
            if (stage->band != NULL)
                n[stage->axis] = stage->band->rows;
            if (stage->factor != NULL && !fdx_find_extent(stage->factor, op->ndim, n, &read))
                return FDX_E_SHAPE;
            if (stage->factor != NULL && fdx_overlap(&written, &read))
                return FDX_E_OVERLAP;
        }
    }
    return FDX_OK;
}

fdx_status fdx_check_operation(const fdx_operation *call)
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
    status = check_terms(op, empty);
    for (int k = 0; k < op->noutputs && !empty && status == FDX_OK; k++) {
        status = check_extents(call, &call->out[k]);
        for (int j = 0; j < k; j++)
            if (call->out[j].data == call->out[k].data)
                status = FDX_E_OVERLAP; /* a slip that costs nothing to find */
    }
    return status;
}

/* ---- from arrays to a walk ---- */

/* Does an array go on along `outer` where the results along `inner` end? */
static int goes_on(const work *w, const fdx_array *a, int outer, int inner)
{
    return (size_t)along(w, a, outer) == (size_t)length(w, inner) * (size_t)along(w, a, inner);
}

/* Is the innermost `inner`, of `n` elements, passed through by what follows each other along `outer`? */
static int is_contiguous(const work *w, int outer, int inner)
{
    const fdx_operation *call = w->call;
    for (int k = 0; k < call->op->ninputs; k++)
        if (!goes_on(w, &call->in[k], outer, inner))
            return 0;
    for (int k = 0; k < call->op->noutputs; k++)
        if (!goes_on(w, &call->out[k], outer, inner))
            return 0;
    for (int k = 0; k < call->op->nterms; k++)
        for (int s = 0; s < call->op->term[k].nstages; s++) {
            const fdx_array *factor = call->op->term[k].stage[s].factor;
            if (factor != NULL && !goes_on(w, factor, outer, inner))
                return 0;
        }
    return 1;
}

/* The dimensions of the walk: by falling stride of the first input, those left out that have one element, and those
 * taken together that are contiguous and through which no band goes. A short one of these can be part of one with a
 * band: then it is innermost, and `unit` elements are one of that. */
static void order_dimensions(work *w)
{
    const fdx_operation *call = w->call;
    uint64_t banded = 0, shifted = 0;
    for (int d = 0; d < call->op->ndim; d++)
        shifted |= (uint64_t)(length(w, d) != call->op->out_shape[d]) << d;
    for (int k = 0; k < call->op->nterms; k++) {
        const fdx_term *term = &call->op->term[k];
        for (int s = 0; s < term->nstages; s++)
            if (term->stage[s].band != NULL)
                banded |= (uint64_t)1 << term->stage[s].axis;
        for (int d = 0; d < call->op->ndim && term->shift != NULL; d++)
            shifted |= (uint64_t)(term->shift[d] != 0) << d;
    }
    int order[MAXD], count = 0;
    for (int d = 0; d < call->op->ndim; d++) {
        if (length(w, d) == 1 && !((banded | shifted) >> d & 1))
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
    banded |= shifted; /* what is shifted, or not whole, is not taken together with others, either */

    int at = count - 1;
    w->unit = 1;
    w->run_axis = order[at];
    int first = MAXD - 1, is_banded = order[at] < call->op->ndim && (banded >> order[at] & 1);
    w->axis[first] = order[at];
    w->n[first] = length(w, order[at]);
    for (at--; at >= 0; at--) {
        const int d = order[at], has_band = (int)(banded >> d & 1);
        const int joins = !is_banded && is_contiguous(w, d, order[at + 1]);
        if (joins && !has_band) {
            w->n[first] *= length(w, d); /* its axis stays the innermost one */
            continue;
        }
        if (joins && first == MAXD - 1 && w->n[first] <= SHORT_UNIT) {
            w->unit = w->n[first];
            w->axis[first] = d;
            w->n[first] = length(w, d);
            is_banded = 1;
            continue;
        }
        w->axis[--first] = d;
        w->n[first] = length(w, d);
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
    return a->dtype >= FDX_F32 && along(w, a, w->run_axis) == w->itemsize && fdx_is_native(a, w->call->op->ndim, shape);
}

int fdx_follows(const work *w, const fdx_array *out, int d)
{
    return along(w, out, w->axis[d]) == w->unit * w->itemsize && !out->swapped && out->dtype >= FDX_F32 &&
           along(w, out, w->run_axis) != w->itemsize && (w->unit == 1 || out->dtype >= FDX_C64);
}

/* The extents of blocks and tiles. */
static void cut(work *w, const ptrdiff_t *reach, ptrdiff_t size, ptrdiff_t along_march, ptrdiff_t cache)
{
    const int run = w->ndim - 1;
    w->march = -1;
    for (int d = run - 1; d >= 0; d--)
        if (reach[d] > 0)
            w->march = d;
    /* From the run outward, but of the dimension that is marched along some rows before what lies within is whole. */
    const ptrdiff_t within = w->march < 0 ? size : MAX(1, size / MIN(along_march, w->n[w->march]));
    w->block[run] = MAX(1, MIN(w->n[run], within / w->unit));
    ptrdiff_t product = w->block[run] * w->unit;
    for (int d = run - 1; d >= 0; d--) {
        w->block[d] = MAX(1, MIN(w->n[d], (d > w->march ? within : size) / product));
        product *= w->block[d];
    }
    /* For an output whose elements follow each other along another dimension: squares. */
    if (w->across >= 0) {
        w->block[run] = MAX(1, MIN(w->n[run], SQUARE / w->unit));
        w->block[w->across] = MIN(w->n[w->across], SQUARE);
        product = w->block[run] * w->unit * w->block[w->across];
        for (int d = run - 1; d >= 0; d--) {
            if (d == w->across)
                continue;
            w->block[d] = MAX(1, MIN(w->n[d], size / product));
            product *= w->block[d];
        }
    }
    /* Tiles: what is read again on the march should be in the cache until then. */
    for (int d = 0; d < w->ndim; d++)
        w->tile[d] = d <= w->march ? w->block[d] : w->n[d];
    if (w->march < 0)
        return;
    for (int d = w->march + 1; d < w->ndim; d++) {
        const ptrdiff_t least = w->block[d];
        for (;;) {
            ptrdiff_t bytes = (w->block[w->march] + reach[w->march]) * w->unit * w->itemsize * w->call->op->ninputs;
            for (int e = w->march + 1; e < w->ndim; e++)
                bytes = bytes > cache / (w->tile[e] + reach[e]) ? cache + 1 : bytes * (w->tile[e] + reach[e]);
            if (bytes <= cache || w->tile[d] <= least)
                break;
            w->tile[d] = MAX(least, (w->tile[d] + 1) / 2 / least * least);
        }
    }
}

/* The next bytes of the workspace, if there is one yet. */
static char *reserve(char *memory, ptrdiff_t *used, ptrdiff_t bytes)
{
    char *here = memory == NULL ? NULL : memory + *used;
    *used += aligned(bytes);
    return here;
}

/* The most columns that n rows of a band need, wherever they are, of which none wraps. */
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

ptrdiff_t fdx_window_size(const work *w, const fdx_term *term, int s, ptrdiff_t *n)
{
    ptrdiff_t size = w->itemsize * w->unit;
    for (int d = 0; d < w->ndim; d++)
        n[d] = w->block[d];
    for (int t = term->nstages - 1; t >= s; t--)
        if (term->stage[t].band != NULL) {
            const int d = w->dimension[term->stage[t].axis];
            n[d] = most_columns(term->stage[t].band, n[d]);
        }
    for (int d = 0; d < w->ndim; d++)
        size = size > MOST_BYTES / n[d] ? MOST_BYTES : size * n[d];
    return size;
}

ptrdiff_t fdx_plan_operation(work *w, const fdx_operation *call, char *memory, ptrdiff_t **numbers)
{
    ptrdiff_t reach[MAXD] = {0}, inside[MAXD] = {0}, most_taps = 1; /* of all rows; of interior rows */
    int stages = 0, windows = 0, shares = 0, factors = 0, spreads = 0, sums = 0, turns = 0;
    w->call = call;
    w->dtype = call->out[0].dtype == FDX_F32 || call->out[0].dtype == FDX_C64 ? FDX_F32 : FDX_F64;
    w->sums = &call->op->isa->sums[w->dtype == FDX_F64];
    w->itemsize = itemsize_of(w->dtype);
    order_dimensions(w);
    const int run = w->ndim - 1;

    w->plain = w->plain_out = w->streamed = 0;
    w->across = -1;
    ptrdiff_t size = 1;
    for (int d = 0; d < call->op->ndim; d++)
        size *= length(w, d);
    for (int k = 0; k < call->op->ninputs; k++)
        w->plain |= (uint64_t)is_plain(w, &call->in[k], call->op->in_shape) << k;
    for (int k = 0; k < call->op->noutputs; k++) {
        const int plain = is_plain(w, &call->out[k], call->op->out_shape);
        w->plain_out |= (uint64_t)plain << k;
        w->streamed |= (uint64_t)(plain && !call->fresh && call->accumulate == NULL &&
                                  size > STREAM_SUMS / itemsize_of(call->out[k].dtype))
                       << k;
        for (int d = 0; d < run && !plain; d++)
            if (fdx_follows(w, &call->out[k], d))
                w->across = d;
    }
    for (int k = 0; k < call->op->nterms; k++) {
        const fdx_term *term = &call->op->term[k];
        stages = MAX(stages, term->nstages);
        windows |= term->nstages > 1 || !is_direct(w, term);
        for (int s = 0; s < term->nstages; s++) {
            const fdx_band *band = term->stage[s].band;
            factors |= term->stage[s].factor != NULL;
            if (band == NULL)
                continue;
            ptrdiff_t least, most;
            band_reach(band, &least, &most);
            const int d = w->dimension[term->stage[s].axis];
            reach[d] = MAX(reach[d], most - least);
            inside[d] = MAX(inside[d], band->interior.count - 1);
            most_taps = MAX(most_taps, most - least + 1);
            turns |= d == run;
            spreads |= d == run && band->interior.row_step != 0 && (w->unit > 1 || band->interior.row_step != 1);
        }
        shares |= term->stage[term->nstages - 1].factor != NULL;
    }
    w->by_lines = 0;
    int others = 0, sums_of_several = 0;
    for (int k = 0, n; k < call->op->nterms; k += n) {
        const int number = call->op->term[k].out;
        n = terms_of_output(call, k);
        const int by_lines = fdx_is_by_lines(w, &call->op->term[k], n);
        w->by_lines |= (uint64_t)by_lines << number;
        others |= !by_lines;
        sums_of_several |= n > 1;
        sums |= !is_in_place(w, number, by_lines);
    }
    if (!others)
        cut(w, inside, BLOCK, 1, IN_L3);
    else if (windows)
        cut(w, inside, BLOCK_STAGED, 4 * ROWS_AT_ONCE, IN_L2);
    else if (sums_of_several)
        cut(w, inside, BLOCK_OF_SUMS, ROWS_AT_ONCE, IN_L3);
    else
        cut(w, inside, BLOCK, ROWS_AT_ONCE, IN_L3);
    w->ahead = w->march < 0 ? 0 : inside[w->march] / 2;

    /* Wherever the memory lies, all that is reserved begins on a cache line. */
    if (memory != NULL)
        memory += -(uintptr_t)memory % (uintptr_t)ALIGNMENT;
    ptrdiff_t used = 0, block = w->itemsize * w->unit;
    for (int d = 0; d < w->ndim; d++)
        block *= w->block[d];
    /* The largest box that is computed: how many lines and elements it has. */
    ptrdiff_t most = 0, box = block / w->itemsize, box_lines = box / (w->block[run] * w->unit);
    for (int k = 0; k < call->op->nterms; k++) {
        ptrdiff_t n[MAXD], bytes = 0;
        for (int s = is_direct(w, &call->op->term[k]); s < call->op->term[k].nstages; s++) {
            const ptrdiff_t size_of = fdx_window_size(w, &call->op->term[k], s, n);
            bytes += aligned(size_of);
            box = MAX(box, size_of / w->itemsize);
            box_lines = MAX(box_lines, size_of / (n[run] * w->unit * w->itemsize));
        }
        most = MAX(most, bytes);
    }
    ptrdiff_t ends = 0; /* a part of a block's lines, for its output has as many at the most */
    for (int k = 0, n; k < call->op->nterms; k += n) {
        n = terms_of_output(call, k);
        if (w->by_lines >> call->op->term[k].out & 1)
            ends = MAX(ends, fdx_ends_size(w, &call->op->term[k], n, block / (w->block[run] * w->unit * w->itemsize)));
    }
    if (most >= MOST_BYTES)
        return -1;
    const ptrdiff_t piece = MIN(PIECE, box);
    w->turned = MIN(MAX(1, TURNED / w->unit), box_lines);
    const ptrdiff_t turned = w->turned * w->unit * w->itemsize;
    w->sum = reserve(memory, &used, sums ? block : 0);
    w->share = reserve(memory, &used, shares ? block : 0);
    w->columns = reserve(memory, &used, turns ? (reach[run] + BY_COLUMNS) * turned : 0);
    w->made = reserve(memory, &used, turns ? BY_COLUMNS * turned : 0);
    factors |= call->accumulate != NULL;
    w->factors = reserve(memory, &used, factors ? piece * w->itemsize : 0);
    w->raw = reserve(memory, &used, factors ? piece * (ptrdiff_t)sizeof(double) : 0);
    /* No loop takes fewer than FDX_OWN neighbours, so that shorter sums need no second one. */
    w->part = reserve(memory, &used, most_taps > FDX_OWN ? piece * w->itemsize : 0);
    w->spread = reserve(memory, &used, spreads ? most_taps * PIECE * (ptrdiff_t)sizeof(double) : 0);
    w->windows = reserve(memory, &used, most);
    w->ends = reserve(memory, &used, ends);
    w->line = reserve(memory, &used, w->by_lines != 0 ? LONGER * LINE_PIECE + ALIGNMENT : 0);
    const ptrdiff_t taps = most_taps + ROWS_AT_ONCE, size_of_number = (ptrdiff_t)sizeof(ptrdiff_t);
    const int by_terms = TAKEN_BY_TERM + stages * TAKEN_BY_STAGE + TAKEN_BY_MULTIPLY;
    w->near = (const void **)(void *)reserve(memory, &used, taps * (ptrdiff_t)sizeof *w->near);
    w->weight = (double *)(void *)reserve(memory, &used, taps * (ptrdiff_t)sizeof *w->weight);
    w->own = (const double **)(void *)reserve(memory, &used, taps * (ptrdiff_t)sizeof *w->own);
    w->skip = (ptrdiff_t *)(void *)reserve(memory, &used, turns ? (reach[run] + BY_COLUMNS) * size_of_number : 0);
    const ptrdiff_t taken = TAKEN_BY_BLOCK + MAX(by_terms, w->by_lines != 0 ? TAKEN_BY_LINES : 0);
    *numbers = (ptrdiff_t *)(void *)reserve(memory, &used, taken * w->ndim * size_of_number);
    w->numbers = numbers;
    return used + ALIGNMENT;
}
