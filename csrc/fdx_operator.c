/* The application of operators: sums of chains of banded matrices along the axes of arrays.
 *
 * Outputs are computed block by block, so that a block's sums, and the input that it needs, are in cache while its
 * chains are added up; each chain's result is complete before it is added. Within a block the commonest sums are
 * computed line by line (fdx_operator_lines.c), others chain by chain. One loop computes the interior of a mixed
 * derivative, whose neighbours' neighbours are a few rows.
 *
 * The results of a chain's inner stages are computed for each block into a staging buffer, which holds what the next
 * stage needs of them. So is input that needs conversion. Along a periodic axis staging buffers continue past the ends
 * of the array. */
#include "fdx_operator.h"

/* ---- chains ---- */

/* y = c t, or y + c t, c being a stage's coefficient, in the box [lo, hi) of its results; t may be y. */
static void multiply(const work *w, const fdx_stage *stage, const view *t, const view *y, const ptrdiff_t *lo,
                     const ptrdiff_t *hi, int mode)
{
    const fdx_array *coefficient = stage->coefficient;
    const int inner = w->ndim - 1, is_float = coefficient->dtype == FDX_F32;
    const ptrdiff_t n = (hi[inner] - lo[inner]) * w->per_point, step = stride_along(w, coefficient, w->inner_axis);
    const int direct =
        step == w->itemsize && coefficient->dtype == w->dtype && fdx_is_native(coefficient, w->call->op->ndim, NULL);
    fdx_gather_fn *gather = w->call->op->isa->gather[coefficient->dtype][coefficient->swapped != 0];
    view c;
    take_view(w, &c);
    view_array(w, coefficient, &c);
    lines l, m;
    box_lines(w, -1, t, y, lo, hi, &l);
    box_lines(w, -1, &c, y, lo, hi, &m);
    const char *in = locate(w, t, lo, -1), *by = locate(w, &c, lo, -1);
    char *out = locate(w, y, lo, -1), *unused = out;
    /* A few columns, as at the ends of lines. */
    if (n <= FDX_PAIRS && w->per_point == 1 && direct && l.ndim > 0 && l.n[l.ndim - 1] >= MIN_ROW_SEGMENT) {
        const int d = --l.ndim;
        m.ndim--;
        do {
            for (ptrdiff_t k = 0; k < n; k++)
                w->sums->combine_strided(fdx_at(out, k, w->itemsize), l.y[d], fdx_at(in, k, w->itemsize), l.x[d],
                                         fdx_at(by, k, w->itemsize), m.x[d], l.n[d], mode, stage->sign);
            next_line(&m, &by, &unused);
        } while (next_line(&l, &in, &out));
        give_back(w, c.lo);
        return;
    }
    do {
        for (ptrdiff_t at = 0; at < n; at += SEGMENT_ELEMENTS) {
            const ptrdiff_t k = MIN(SEGMENT_ELEMENTS, n - at);
            const void *row = by + at * step;
            if (step == 0 && k > 1) { /* one number for all */
                gather(w->raw, (const char *)row, 0, 1);
                row = (const void *)w->raw;
                row = repeated(w, is_float ? (double)*(const float *)row : *(const double *)row, k);
            } else if (!direct) {
                gather(w->raw, (const char *)row, step, k);
                row = w->raw;
                if (is_float != (w->dtype == FDX_F32)) {
                    row = w->coefficients;
                    if (is_float)
                        for (ptrdiff_t i = 0; i < k; i++)
                            ((double *)(void *)w->coefficients)[i] = (double)((const float *)(const void *)w->raw)[i];
                    else
                        for (ptrdiff_t i = 0; i < k; i++)
                            ((float *)(void *)w->coefficients)[i] = (float)((const double *)(const void *)w->raw)[i];
                }
            }
            row = part_of_row(w, stage, row, k);
            w->sums->combine(out + at * w->itemsize, in + at * w->itemsize, row, k, mode);
        }
        next_line(&m, &by, &unused);
    } while (next_line(&l, &in, &out));
    give_back(w, c.lo);
}

/* The box [lo, hi) of dst from input a, whose elements begin at indices `from`. */
static void convert(const work *w, const fdx_array *a, const view *dst, const ptrdiff_t *lo, const ptrdiff_t *hi,
                    const ptrdiff_t *from)
{
    const int inner = w->ndim - 1;
    const ptrdiff_t n = (hi[inner] - lo[inner]) * w->per_point, step = stride_along(w, a, w->inner_axis);
    const int part = a->dtype == FDX_C64 ? FDX_F32 : a->dtype == FDX_C128 ? FDX_F64 : a->dtype;
    fdx_gather_fn *gather = w->call->op->isa->gather[part][a->swapped != 0];
    view src;
    take_view(w, &src);
    view_array(w, a, &src);
    lines l;
    box_lines(w, -1, &src, dst, lo, hi, &l);
    const char *in = locate(w, &src, from, -1);
    char *out = locate(w, dst, lo, -1);
    do
        gather(out, in, step, n);
    while (next_line(&l, &in, &out));
    give_back(w, src.lo);
}

/* A view of the input of stage s, at least in the box [lo, hi); its index arrays have been taken. Along dimension
 * `unrolled`, unless that is -1, the box may continue past the ends of an axis of n points. */
static void stage_input(const work *w, const fdx_chain *chain, int s, const ptrdiff_t *lo, const ptrdiff_t *hi,
                        int unrolled, ptrdiff_t n, view *result)
{
    const fdx_array *in = &w->in[chain->in];
    if (s == 0 && is_direct(w, chain)) {
        view_array(w, in, result);
        return;
    }
    ptrdiff_t *const widest = take(w, 8), *const from = widest + w->ndim, *const to = from + w->ndim,
                     *const rows = to + w->ndim, *const rows_end = rows + w->ndim, *const columns = rows_end + w->ndim,
                     *const columns_end = columns + w->ndim;
    view segment = *result, src;
    segment.lo = columns_end + w->ndim;
    take_view(w, &src);
    char *data = w->staging;
    for (int t = is_direct(w, chain); t < s; t++)
        data += aligned(fdx_staging_size(w, chain, t, widest));
    view_box(w, data, lo, hi, result);
    result->unrolled = unrolled;
    copy(w, from, lo);
    copy(w, to, hi);
    segment.data = result->data;
    segment.unrolled = unrolled;
    const ptrdiff_t end = unrolled >= 0 ? hi[unrolled] : 0;
    for (int more = 1; more;) { /* a segment of the box for each period that it reaches into */
        more = 0;
        ptrdiff_t period = 0;
        if (unrolled >= 0) {
            period = from[unrolled] < 0 ? -1 : from[unrolled] >= n ? 1 : 0;
            to[unrolled] = MIN(end, (period + 1) * n);
            more = to[unrolled] < end;
        }
        copy(w, rows, from);
        copy(w, rows_end, to);
        copy(w, segment.lo, lo);
        if (unrolled >= 0) {
            rows[unrolled] -= period * n;
            rows_end[unrolled] -= period * n;
            segment.lo[unrolled] -= period * n;
        }
        if (s == 0) {
            convert(w, in, &segment, rows, rows_end, rows);
        } else {
            const fdx_stage *stage = &chain->stage[s - 1];
            int d = -1;
            copy(w, columns, rows);
            copy(w, columns_end, rows_end);
            if (stage->band != NULL) {
                d = w->dimension[stage->axis];
                columns_of(stage->band, &columns[d], &columns_end[d]);
            }
            stage_input(w, chain, s - 1, columns, columns_end, d >= 0 && stage->band->periodic ? d : -1,
                        d >= 0 ? stage->band->columns : 0, &src);
            fdx_apply_band(w, stage, &src, &segment, rows, rows_end, FDX_SET);
            if (stage->coefficient != NULL)
                multiply(w, stage, &segment, &segment, rows, rows_end, FDX_SET);
        }
        if (more)
            from[unrolled] = to[unrolled];
    }
    give_back(w, widest);
}

/* The rows of a chain that are results [lo, hi) of its output, and a view of these: of y, which is one by results. */
static void shift_rows(const work *w, const fdx_chain *chain, const view *y, const ptrdiff_t *lo, const ptrdiff_t *hi,
                       ptrdiff_t *rows, ptrdiff_t *rows_end, view *dst)
{
    dst->data = y->data;
    dst->unrolled = -1;
    for (int d = 0; d < w->ndim; d++) {
        const ptrdiff_t shift = shift_along(w, chain, d);
        rows[d] = lo[d] + shift;
        rows_end[d] = hi[d] + shift;
        dst->lo[d] = y->lo[d] + shift;
        dst->stride[d] = y->stride[d];
    }
}

/* y = or y += the result of a chain of two bands, or of one and a coefficient, in the box [lo, hi) of their interior,
 * by one loop. */
static void add_interior(const work *w, const fdx_chain *chain, const view *y, const ptrdiff_t *lo, const ptrdiff_t *hi,
                         int mode)
{
    ptrdiff_t *const rows = take(w, 2), *const rows_end = rows + w->ndim;
    view src, dst;
    take_view(w, &src);
    take_view(w, &dst);
    view_array(w, &w->in[chain->in], &src);
    shift_rows(w, chain, y, lo, hi, rows, rows_end, &dst);
    if (chain->nstages == 1)
        fdx_apply_weighed(w, chain->stage, &src, &dst, rows, rows_end, mode);
    else
        fdx_apply_nested(w, chain, &src, &dst, rows, rows_end, mode,
                         w->streamed >> chain->out & 1 && is_in_place(w, chain->out, 0));
    give_back(w, rows);
}

/* y = or y += a chain's result, in the box [lo, hi), stage by stage. */
static void add_stages(const work *w, const fdx_chain *chain, const view *y, const ptrdiff_t *lo, const ptrdiff_t *hi,
                       int mode)
{
    const fdx_stage *last = &chain->stage[chain->nstages - 1];
    ptrdiff_t *const rows = take(w, 4), *const rows_end = rows + w->ndim, *const columns = rows_end + w->ndim,
                     *const columns_end = columns + w->ndim;
    view src, dst, result;
    int d = -1;
    take_view(w, &src);
    take_view(w, &dst);
    shift_rows(w, chain, y, lo, hi, rows, rows_end, &dst);
    copy(w, columns, rows);
    copy(w, columns_end, rows_end);
    if (last->band != NULL) {
        d = w->dimension[last->axis];
        if (chain->nstages > 1 || !is_direct(w, chain)) /* otherwise the input is all there */
            columns_of(last->band, &columns[d], &columns_end[d]);
    }
    stage_input(w, chain, chain->nstages - 1, columns, columns_end, d >= 0 && last->band->periodic ? d : -1,
                d >= 0 ? last->band->columns : 0, &src);
    if (last->coefficient == NULL) {
        fdx_apply_band(w, last, &src, &dst, rows, rows_end, mode);
        give_back(w, rows);
        return;
    }
    if (mode == FDX_SET) {
        fdx_apply_band(w, last, &src, &dst, rows, rows_end, FDX_SET);
        multiply(w, last, &dst, &dst, rows, rows_end, FDX_SET);
        give_back(w, rows);
        return;
    }
    take_view(w, &result);
    view_box(w, w->chain_block, rows, rows_end, &result);
    fdx_apply_band(w, last, &src, &result, rows, rows_end, FDX_SET);
    multiply(w, last, &result, &dst, rows, rows_end, mode);
    give_back(w, rows);
}

/* ---- blocks ---- */

/* Set n results of a line that are `step` bytes apart to alpha x plus beta times what they are. */
static void add_scaled(const work *w, int number, int part, char *y, ptrdiff_t step, const char *x, ptrdiff_t n)
{
    const int in_place = (int)(w->plain_out >> number & 1), swapped = w->out[number].swapped != 0;
    for (ptrdiff_t m; n > 0; n -= m, y = fdx_at(y, m, step), x += m * w->itemsize) {
        m = MIN(SEGMENT_ELEMENTS, n);
        fdx_add_row(w->call->op->isa, part, swapped, in_place, y, step, x, w->alpha_beta, m, w->raw);
    }
}

/* Copy a block's results from `sum` to an output, or to its copy; meanwhile prefetch what is at `next`. */
static void store(const work *w, int number, const fdx_array *out, const view *sum, const ptrdiff_t *lo,
                  const ptrdiff_t *hi, const char *next)
{
    const int inner = w->ndim - 1, times = w->alpha_beta != NULL;
    const ptrdiff_t step = stride_along(w, out, w->inner_axis);
    const int part = out->dtype == FDX_C64 ? FDX_F32 : out->dtype == FDX_C128 ? FDX_F64 : out->dtype;
    fdx_scatter_fn *scatter = w->call->op->isa->scatter[part - FDX_F32][out->swapped != 0];
    view dst;
    take_view(w, &dst);
    view_array(w, out, &dst);
    const int out_inner = w->out_inner >= 0 && !times && fdx_is_transposed(w, out, w->out_inner) ? w->out_inner : -1;
    lines l;
    box_lines(w, out_inner, sum, &dst, lo, hi, &l);
    const int streamed = (int)(w->streamed >> number & 1);
    const ptrdiff_t row = (hi[inner] - lo[inner]) * w->per_point,
                    n = w->plain_out >> number & 1 ? join_lines(w, &l, row) : row;
    const char *x = locate(w, sum, lo, -1);
    char *y = locate(w, &dst, lo, -1), *first = y;
    if (out_inner >= 0) {
        do
            w->sums->transpose(y, dst.stride[inner], x, sum->stride[out_inner], hi[out_inner] - lo[out_inner],
                               hi[inner] - lo[inner], w->per_point, FDX_SET);
        while (next_line(&l, &x, &y));
        give_back(w, dst.lo);
        return;
    }
    do {
        const void *prefetched = fdx_at(next, y - first, 1); /* if the input has the output's layout, as most have */
        if (streamed)
            w->call->op->isa->stream_out(y, x, n * w->itemsize, prefetched);
        else if (times)
            add_scaled(w, number, part, y, step, x, n);
        else
            scatter(y, step, x, n);
    } while (next_line(&l, &x, &y));
    give_back(w, dst.lo);
}

/* What one loop can compute in the interior of bands, but not around it. */
typedef enum {
    NESTED,   /* a chain of two bands */
    WEIGHED,  /* a chain of a band and a coefficient */
    TOGETHER, /* several such chains, of an output */
    CROSSED   /* the chains of an output; the loop takes lines with their ends */
} peeled_kind;

static void add_chains(const work *w, const fdx_chain *chain, int n, const view *y, const ptrdiff_t *lo,
                       const ptrdiff_t *hi);
static void add_one_by_one(const work *w, const fdx_chain *chain, int n, const view *y, const ptrdiff_t *lo,
                           const ptrdiff_t *hi, int mode);

/* y = or (but CROSSED) y += n chains, in the box [lo, hi): its interior by one loop, the rest chain by chain. Where
 * that loop adds to the output itself, the rest of y is added here, too. */
static void add_peeled(const work *w, peeled_kind kind, const fdx_chain *chain, int n, const view *y,
                       const ptrdiff_t *lo, const ptrdiff_t *hi, int mode)
{
    ptrdiff_t *const from = take(w, 2), *const to = from + w->ndim;
    const int number = chain->out, in_place = kind == CROSSED && adds_in_place(w, number);
    const fdx_array *out = &w->out[number];
    int left = 1;
    copy(w, from, lo);
    copy(w, to, hi);
    for (int d = 0; d < w->ndim - (kind == CROSSED) && left; d++) {
        const ptrdiff_t end = to[d];
        ptrdiff_t first = from[d], last = end;
        for (int k = 0; k < n; k++)
            if (kind != CROSSED || !fdx_wraps_in_lines(&chain[k]))
                fdx_shrink_to_interior(w, &chain[k], d, &first, &last);
        for (int side = 0; side < 2; side++) {
            from[d] = side == 0 ? from[d] : last;
            to[d] = side == 0 ? first : end;
            if (from[d] == to[d])
                continue;
            if (kind == CROSSED)
                add_chains(w, chain, n, y, from, to);
            else if (kind == TOGETHER && d < w->ndim - 1)
                add_one_by_one(w, chain, n, y, from, to, mode);
            else /* of several at the ends of lines, whose columns are few */
                for (int k = 0; k < n; k++)
                    add_stages(w, &chain[k], y, from, to, k == 0 ? mode : FDX_ADD);
            if (in_place)
                store(w, number, out, y, from, to, (const char *)out->data);
        }
        from[d] = first;
        to[d] = last;
        left = first < last;
    }
    if (left && kind == TOGETHER) {
        if (to[w->ndim - 1] - from[w->ndim - 1] >= MIN_ROW_SEGMENT)
            fdx_apply_together(w, chain, n, y, from, to, mode);
        else
            add_one_by_one(w, chain, n, y, from, to, mode);
    } else if (left && kind != CROSSED) {
        add_interior(w, chain, y, from, to, mode);
    } else if (left) {
        view whole = *y;
        if (in_place) {
            take_view(w, &whole);
            view_array(w, out, &whole);
        }
        if (!fdx_make_cross(w, chain, n, &whole, from, to)) {
            add_chains(w, chain, n, y, from, to);
            if (in_place)
                store(w, number, out, y, from, to, (const char *)out->data);
        }
    }
    give_back(w, from);
}

static void add_one_by_one(const work *w, const fdx_chain *chain, int n, const view *y, const ptrdiff_t *lo,
                           const ptrdiff_t *hi, int mode)
{
    for (int k = 0; k < n; k++, mode = FDX_ADD) {
        if (fdx_is_nested(w, &chain[k]))
            add_peeled(w, NESTED, &chain[k], 1, y, lo, hi, mode);
        else if (fdx_is_weighed(w, &chain[k]))
            add_peeled(w, WEIGHED, &chain[k], 1, y, lo, hi, mode);
        else
            add_stages(w, &chain[k], y, lo, hi, mode);
    }
}

static void add_chains(const work *w, const fdx_chain *chain, int n, const view *y, const ptrdiff_t *lo,
                       const ptrdiff_t *hi)
{
    for (int k = 0, count; k < n; k += count) {
        const int mode = k == 0 ? FDX_SET : FDX_ADD;
        count = fdx_count_together(w, &chain[k], n - k);
        if (count > 1)
            add_peeled(w, TOGETHER, &chain[k], count, y, lo, hi, mode);
        else
            add_one_by_one(w, &chain[k], 1, y, lo, hi, mode);
    }
}

/* Multiply a block's results, which are then only copied, by alpha. */
static void scale_block(const work *w, const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    ptrdiff_t n = w->per_point;
    for (int d = 0; d < w->ndim; d++)
        n *= hi[d] - lo[d];
    w->sums->add_scaled(w->block_sum, w->block_sum, n, w->alpha_beta);
}

static void make_block(const work *w, const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    const fdx_call *call = w->call;
    /* What the next block reads first: along the sweep dimension, the rows after this block's and its neighbours. */
    const int m = MAX(w->sweep, 0);
    const char *next = (const char *)w->in[0].data;
    for (int d = 0; d < w->ndim && w->streamed != 0; d++)
        next = fdx_at(next, d == m ? hi[d] + w->lookahead : lo[d], stride_along(w, &w->in[0], w->axis[d]));
    uint64_t prefetched = 0;
    view y;
    take_view(w, &y);
    for (int k = 0, n; k < call->op->nchains; k += n) {
        const int number = call->op->chain[k].out, by_lines = (int)(w->by_lines >> number & 1);
        const int in_place = is_in_place(w, number, by_lines);
        n = chains_of_output(call, k);
        if (in_place)
            view_array(w, &w->out[number], &y);
        else
            view_box(w, w->block_sum, lo, hi, &y);
        if (by_lines)
            fdx_make_lines(w, &call->op->chain[k], n, &y, lo, hi, &prefetched);
        else if (w->crossed >> number & 1)
            add_peeled(w, CROSSED, &call->op->chain[k], n, &y, lo, hi, FDX_SET);
        else
            add_chains(w, &call->op->chain[k], n, &y, lo, hi);
        if (w->alpha_beta != NULL && !in_place && w->streamed >> number & 1)
            scale_block(w, lo, hi);
        if (!in_place && !adds_in_place(w, number))
            store(w, number, &w->out[number], &y, lo, hi, next);
        if (w->copied >> number & 1) {
            fdx_array copy = w->out[number];
            copy.data = w->copies[number];
            store(w, number, &copy, &y, lo, hi, next);
        }
    }
    give_back(w, y.lo);
}

/* ---- prepared calls ---- */

/* The workspace of a part: what was planned, at this memory. */
static void place(work *w, void *memory, ptrdiff_t **indices)
{
    char *base = (char *)memory + -(uintptr_t)memory % (uintptr_t)FDX_CACHE_LINE;
#define PLACE(member) w->member = (void *)(base + (uintptr_t)w->member)
    PLACE(block_sum);
    PLACE(chain_block);
    PLACE(partial_sum);
    PLACE(rows_in);
    PLACE(rows_out);
    PLACE(coefficients);
    PLACE(raw);
    PLACE(repeated_weights);
    PLACE(staging);
    PLACE(row_ends);
    PLACE(line);
    PLACE(neighbours);
    PLACE(weight);
    PLACE(point_weights);
    PLACE(arrays);
    PLACE(index_stack);
#undef PLACE
    *indices = w->index_stack;
    w->indices = indices;
}

/* Take other arrays than the call's: the same but for their data. */
static fdx_status move_arrays(work *w, void *const *data)
{
    const int ninputs = w->call->op->ninputs, noutputs = w->call->op->noutputs, count = ninputs + noutputs;
    for (int k = 0; k < noutputs && w->copied != 0; k++) {
        if ((data[count + k] != NULL) != (int)(w->copied >> k & 1))
            return FDX_E_NULL;
        if (((uintptr_t)data[count + k] - (uintptr_t)w->copies[k]) % 8 != 0)
            return FDX_E_ALIGNMENT;
    }
    for (int k = 0; k < count; k++) {
        w->arrays[k] = k < ninputs ? w->in[k] : w->out[k - ninputs];
        if (data[k] == NULL)
            return FDX_E_NULL;
        if (((uintptr_t)data[k] - (uintptr_t)w->arrays[k].data) % 8 != 0)
            return FDX_E_ALIGNMENT;
        w->arrays[k].data = data[k];
    }
    w->in = w->arrays;
    w->out = w->arrays + ninputs;
    if (w->copied != 0)
        w->copies = data + count;
    return fdx_check_places(w->call->op, w->places, w->in, w->out, w->copies, w->multiplies);
}

fdx_status fdx_run(const fdx_prepared *prepared, void *const *data, const double *alpha_beta, void *workspace,
                   ptrdiff_t part, ptrdiff_t nparts)
{
    if (prepared == NULL)
        return FDX_E_NULL;
    work w = *(const work *)(const void *)prepared;
    ptrdiff_t *indices;
    if (nparts < 1 || part < 0 || part >= nparts)
        return FDX_E_PART;
    if (w.blocks.count == 0)
        return FDX_OK;
    if (workspace == NULL || (alpha_beta != NULL && w.alpha_beta == NULL))
        return FDX_E_NULL;
    w.alpha_beta = alpha_beta != NULL ? alpha_beta : w.alpha_beta;
    if (w.alpha_beta != NULL && (w.alpha_beta[1] != 0) != w.adds)
        return FDX_E_NULL;
    place(&w, workspace, &indices);
    const fdx_status status = data == NULL ? FDX_OK : move_arrays(&w, data);
    if (status != FDX_OK)
        return status;
    ptrdiff_t *const lo = take(&w, TAKEN_BY_RUN), *const hi = lo + w.ndim;
    fdx_cursor at = {hi + 2 * w.ndim, hi + w.ndim, 0};
    fdx_first_block(&w.blocks, w.ndim, part, nparts, &at);
    if (at.left == 0)
        return FDX_OK;
    do {
        int inside = 1;
        for (int d = 0; d < w.ndim; d++) {
            inside &= at.lo[d] < w.n[d];
            lo[d] = w.lo[d] + at.lo[d];
            hi[d] = w.lo[d] + MIN(w.n[d], at.lo[d] + w.block[d]);
        }
        if (inside)
            make_block(&w, lo, hi);
    } while (fdx_next_block(&w.blocks, &at));
    if (w.streamed != 0)
        w.call->op->isa->stream_out(NULL, NULL, 0, NULL);
    return FDX_OK;
}

/* ---- calls, prepared each time: on the stack ---- */

typedef union {
    double align;
    char bytes[PREPARED_BYTES(MAXD, 2 * FDX_MAXDIM)];
} prepared_call;

ptrdiff_t fdx_workspace_size(const fdx_call *call)
{
    prepared_call memory;
    const fdx_prepared *prepared;
    return fdx_prepare(&memory, call, &prepared) == FDX_OK ? fdx_prepared_workspace_size(prepared) : 0;
}

fdx_status fdx_apply_part(const fdx_call *call, void *workspace, ptrdiff_t bytes, ptrdiff_t part, ptrdiff_t nparts)
{
    prepared_call memory;
    const fdx_prepared *prepared;
    const fdx_status status = fdx_prepare(&memory, call, &prepared);
    if (status == FDX_OK && fdx_prepared_workspace_size(prepared) > bytes && nparts >= 1 && part >= 0 && part < nparts)
        return FDX_E_WORKSPACE;
    return status == FDX_OK ? fdx_run(prepared, NULL, NULL, workspace, part, nparts) : status;
}

fdx_status fdx_apply(const fdx_call *call, void *workspace, ptrdiff_t bytes)
{
    return fdx_apply_part(call, workspace, bytes, 0, 1);
}
