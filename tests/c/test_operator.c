/* fdx_apply against a reference implementation that computes one point at a time, bit by bit: random bands (any weights
 * and summation orders, not only derivatives), chains, coefficients, sums, inputs and outputs, dtypes, layouts,
 * instruction sets and numbers of parts. Every allocation has exactly its size, so that a sanitizer sees each access
 * outside it.
 *
 *     test_operator [cases] [seed]
 */
#include "fdx_fenv.h"
#include "random_arrays.h"

enum { MAXSTAGES = 3, MAXCHAINS = 4, MAXARRAYS = 3 };

/* ---- random bands ---- */

typedef struct {
    fdx_band band;
    fdx_stencil *closures;
} test_band;

static double weight(void)
{
    const double w = ((double)below(4001) - 2000) / 64;
    return below(40) ? w * 1.1 : 0;
}

/* Weights of `rows` rows, for any summation order, contiguous by row or by neighbour. */
static double *random_weights(fdx_stencil *stencil, ptrdiff_t rows)
{
    double *w = malloc(sizeof *w * (size_t)stencil->count * (size_t)rows);
    for (ptrdiff_t i = 0; i < stencil->count * rows; i++)
        w[i] = weight();
    if (stencil->summation >= FDX_SUM_ANTISYMMETRIC)
        for (int k = stencil->centre + 1; k < stencil->count; k++)
            w[stencil->count - 1 - k] = stencil->summation == FDX_SUM_ANTISYMMETRIC ? -w[k] : w[k];
    const int by_neighbour = rows == 1 || below(2);
    stencil->w = w;
    stencil->weight_step = by_neighbour ? rows : 1;
    stencil->row_step = by_neighbour ? rows > 1 : stencil->count;
    return w;
}

static void random_offsets(fdx_stencil *stencil, ptrdiff_t row, ptrdiff_t columns)
{
    stencil->count = 1 + below((int)(columns < 13 ? columns : 13));
    stencil->offset = below((int)(columns - stencil->count + 1)) - row;
    stencil->centre = below(stencil->count);
    stencil->summation = stencil->count > 1 && below(2) ? FDX_SUM_DIFFERENCES : FDX_SUM_PLAIN;
}

static int common_half_width, common_summation; /* of the same pairs in all bands, as in a Laplacian; 0: any bands */

static test_band random_band(ptrdiff_t columns)
{
    test_band t;
    fdx_band *b = &t.band;
    memset(&t, 0, sizeof t);
    const int common = common_half_width > 0 && columns > 2 * common_half_width;
    const int half_width = common ? common_half_width : below((int)(columns < 15 ? (columns - 1) / 2 : 7) + 1);
    fdx_stencil *inner = &b->interior;
    b->columns = columns;
    inner->count = 2 * half_width + 1;
    inner->centre = half_width;
    inner->summation = common ? common_summation : half_width == 0 ? FDX_SUM_PLAIN : below(4);
    if (inner->summation <= FDX_SUM_DIFFERENCES && inner->count > 1 && !usual && below(2)) {
        inner->count--; /* not symmetric */
        inner->centre = below(inner->count);
        if (inner->count == 1)
            inner->summation = FDX_SUM_PLAIN;
    } else if (inner->summation == FDX_SUM_ANTISYMMETRIC && below(3) == 0) {
        inner->count--; /* about a midpoint */
        inner->centre--;
    } else if (usual && common && below(3) == 0) { /* to one side, or interpolation */
        inner->count--;
        inner->centre -= below(2);
        inner->summation = inner->count > 1 && below(2) ? FDX_SUM_DIFFERENCES : FDX_SUM_PLAIN;
    }
    b->periodic = below(3) == 0;
    if (b->periodic) {
        b->rows = columns;
        inner->offset = -inner->centre;
        if (below(3) == 0) /* anywhere, at most one period away */
            inner->offset = below((int)(2 * columns + 2 - inner->count)) - columns;
    } else if (usual && common && columns > 2 * half_width + 6) { /* as many rows as columns */
        b->nfirst = half_width + below(2) * below(3);
        b->nlast = half_width + below(2) * below(3);
        b->rows = columns;
        inner->offset = -half_width;
    } else {
        const ptrdiff_t inside = 1 + below((int)(columns - inner->count + 1));
        inner->offset = below((int)(columns - inner->count - inside + 2)); /* of the first interior row */
        b->nfirst = below(4);
        b->nlast = below(4);
        b->rows = b->nfirst + inside + b->nlast;
        inner->offset -= b->nfirst;
    }
    random_weights(inner, inner->summation <= FDX_SUM_DIFFERENCES && below(2) ? b->rows - b->nfirst - b->nlast : 1);
    t.closures = malloc(sizeof *t.closures * (size_t)(b->nfirst + b->nlast + 1));
    b->first = t.closures;
    b->last = t.closures + b->nfirst;
    for (ptrdiff_t r = 0; r < b->nfirst + b->nlast; r++) {
        random_offsets(&t.closures[r], r < b->nfirst ? r : b->rows - b->nlast + (r - b->nfirst), columns);
        random_weights(&t.closures[r], 1);
    }
    return t;
}

static void free_band(test_band *t)
{
    for (ptrdiff_t r = 0; r < t->band.nfirst + t->band.nlast; r++)
        free((void *)t->closures[r].w);
    free((void *)t->band.interior.w);
    free(t->closures);
}

/* ---- the reference implementation ---- */

typedef struct {
    int dtype, swapped;
    array a;
    fdx_array described;
} test_array;

static test_array inputs[MAXARRAYS];
static int ndim, result;

static double value(const fdx_chain *chain, int s, const ptrdiff_t *index, int part);

static double row_sum(const fdx_chain *chain, int s, const ptrdiff_t *index, int part)
{
    const fdx_stage *stage = &chain->stage[s];
    const fdx_band *b = stage->band;
    const int one = is_single(result);
    if (b == NULL)
        return value(chain, s, index, part);
    const ptrdiff_t r = index[stage->axis], last = b->rows - b->nlast;
    const fdx_stencil *stencil = r < b->nfirst ? &b->first[r] : r >= last ? &b->last[r - last] : &b->interior;
    const ptrdiff_t number = r < b->nfirst || r >= last ? 0 : r - b->nfirst;
    double x[FDX_MAXWEIGHTS], w[FDX_MAXWEIGHTS], sum = 0;
    for (int k = 0; k < stencil->count; k++) {
        ptrdiff_t there[MAXN];
        memcpy(there, index, sizeof there);
        there[stage->axis] = r + stencil->offset + k;
        if (b->periodic)
            there[stage->axis] = (there[stage->axis] + b->columns) % b->columns;
        x[k] = value(chain, s, there, part);
        w[k] = round_to(one, stencil->w[k * stencil->weight_step + number * stencil->row_step]);
    }
    int begun = 0;
    for (int k = 0; k < stencil->count; k++) {
        double p;
        const int centre = stencil->centre;
        if (stencil->summation == FDX_SUM_PLAIN) {
            p = mul(one, w[k], x[k]);
        } else if (stencil->summation == FDX_SUM_DIFFERENCES) {
            if (k == centre)
                continue;
            p = mul(one, w[k], sub(one, x[k], x[centre]));
        } else if (k <= centre) {
            continue;
        } else if (stencil->summation == FDX_SUM_ANTISYMMETRIC) {
            p = mul(one, w[k], sub(one, x[k], x[stencil->count - 1 - k]));
        } else {
            p = mul(one, w[k], sub(one, sub(one, x[k], x[centre]), sub(one, x[centre], x[2 * centre - k])));
        }
        sum = begun++ ? add(one, sum, p) : p;
    }
    return sum;
}

/* The input of stage s of a chain at an index. */
static double value(const fdx_chain *chain, int s, const ptrdiff_t *index, int part)
{
    if (s == 0) {
        const test_array *in = &inputs[chain->in];
        return round_to(is_single(result), get(in->dtype, in->swapped, at(&in->a, ndim, index), part));
    }
    const fdx_array *coefficient = chain->stage[s - 1].coefficient;
    const double v = row_sum(chain, s - 1, index, part);
    if (coefficient == NULL)
        return v;
    const char *p = (const char *)coefficient->data;
    for (int d = 0; d < ndim; d++)
        p += index[d] * coefficient->stride[d];
    double c = round_to(is_single(result), get(coefficient->dtype, coefficient->swapped, p, 0));
    const int sign = chain->stage[s - 1].sign;
    if (sign != 0 && !isnan(c) && (signbit(c) != 0) == (sign > 0)) /* -0 is negative, 0 positive */
        c = 0;
    return mul(is_single(result), c, v);
}

/* All that a chain may compute, including results between the columns that its rows need, which are far apart in random
 * bands: for the exceptions that it may raise. */
static void whole_chain(const fdx_chain *chain, const ptrdiff_t *in_shape, int parts)
{
    ptrdiff_t shape[MAXN], index[MAXN];
    memcpy(shape, in_shape, sizeof shape);
    for (int s = 1; s <= chain->nstages; s++) {
        const fdx_stage *stage = &chain->stage[s - 1];
        if (stage->band != NULL)
            shape[stage->axis] = stage->band->rows;
        memset(index, 0, sizeof index);
        do
            for (int part = 0; part < parts; part++)
                value(chain, s, index, part);
        while (next(ndim, shape, index));
    }
}

/* ---- one random case ---- */

static test_array random_array(int dtype, const ptrdiff_t *shape)
{
    test_array t = {0};
    ptrdiff_t index[MAXN] = {0};
    t.dtype = dtype;
    t.swapped = below(4) == 0 && !usual;
    t.a = make(ndim, shape, dtype);
    do
        put_random(dtype, t.swapped, at(&t.a, ndim, index));
    while (next(ndim, shape, index));
    t.described = (fdx_array){t.a.data, NULL, (uint8_t)dtype, (uint8_t)t.swapped};
    return t;
}

static void random_case(const fdx_isa *isa)
{
    static const int kinds[] = {FDX_F32, FDX_F64, FDX_C64, FDX_C128};
    ndim = 1 + below(4);
    result = kinds[below(4)];
    ordinary = below(2);
    const int simple = below(3) == 0; /* sums of derivatives, as in most operators */
    common_half_width = simple ? below(5) : 0;
    common_summation = below(2) ? FDX_SUM_ANTISYMMETRIC : FDX_SUM_SYMMETRIC;
    const int length = ndim == 1 ? 300 : ndim == 2 ? 40 : ndim == 3 ? 14 : 7;
    ptrdiff_t in_shape[MAXN] = {0}, out_shape[MAXN] = {0};
    for (int d = 0; d < ndim; d++)
        in_shape[d] = 1 + below(below(4) ? length : 4);
    usual = simple && below(2); /* long lines, and arrays that are read and written in place */
    if (usual) {
        result = below(2) ? FDX_F32 : FDX_F64;
        in_shape[ndim - 1] += 40;
        for (int d = 0; d < ndim - 1; d++)
            in_shape[d] += ndim == 4 ? 0 : 2 * common_half_width;
    }
    const int mixed = usual && ndim > 1 && below(2); /* some chains are derivatives along two axes */
    if (mixed)
        common_half_width = 1;

    const int ninputs = 1 + below(2), noutputs = 1 + below(2);
    const int shared = usual && ninputs == 2 && below(4) == 0; /* both begin at one element */
    const int axes = ndim < 3 ? ndim : 3;                      /* a chain for each of these, and the identity */
    const int nchains = noutputs + below(usual ? axes + (noutputs == 1) : MAXCHAINS - noutputs + 1);
    const int weighed = usual && below(3) == 0; /* all derivatives have coefficients, as in u . grad */
    test_band bands[MAXCHAINS][MAXSTAGES];
    int nbands[MAXCHAINS] = {0}, ncoefficients = 0;
    test_array coefficients[MAXCHAINS * MAXSTAGES];
    fdx_array described[MAXCHAINS * MAXSTAGES];
    ptrdiff_t coefficient_stride[MAXCHAINS * MAXSTAGES][MAXN], shift[MAXCHAINS][MAXN] = {{0}}, domain[MAXCHAINS][MAXN];
    fdx_stage stages[MAXCHAINS][MAXSTAGES];
    fdx_chain chains[MAXCHAINS];
    for (int k = 0; k < nchains; k++) {
        const int nstages = 1 + (!simple && below(2) ? below(MAXSTAGES) : 0) + (mixed && below(4));
        chains[k] = (fdx_chain){usual && !shared && below(4) ? 0 : below(ninputs), k < noutputs ? k : noutputs - 1,
                                nstages, stages[k], shift[k]};
        memcpy(domain[k], in_shape, sizeof domain[k]);
        for (int s = 0; s < nstages; s++) {
            fdx_stage *stage = &stages[k][s];
            stage->axis =
                usual && below(8) && k + 1 >= noutputs && ndim + k >= nchains ? ndim + k - nchains : below(ndim);
            if (usual && s == 1 && below(4)) /* otherwise any axis, maybe the same */
                stage->axis = (stages[k][0].axis + 1 + below(ndim - 1)) % ndim;
            stage->band = NULL;
            stage->coefficient = NULL;
            stage->sign = 0;
            const int first = k + 1 == noutputs && nchains > noutputs; /* of several, often the identity */
            if (below(usual && !first ? 32 : usual ? 2 : 8)) {
                test_band *b = &bands[k][nbands[k]++];
                const int summation = common_summation;
                common_summation = usual && s == 1 ? (below(2) ? FDX_SUM_ANTISYMMETRIC : FDX_SUM_PLAIN) : summation;
                *b = random_band(domain[k][stage->axis]);
                common_summation = summation;
                stage->band = &b->band;
                domain[k][stage->axis] = b->band.rows;
            }
            if (weighed  ? stage->band != NULL && (s == 0 || below(4) == 0)
                : simple ? usual && nchains == noutputs && below(4) == 0
                         : below(4) == 0) {
                static const int reals[] = {FDX_F32, FDX_F64, FDX_I16, FDX_U8};
                const int n = ncoefficients++;
                coefficients[n] = random_array(usual && below(4) ? result : reals[below(4)], domain[k]);
                described[n] = coefficients[n].described;
                for (int d = 0; d < ndim; d++)
                    coefficient_stride[n][d] = below(4) ? coefficients[n].a.stride[d] : 0;
                described[n].stride = coefficient_stride[n];
                stage->coefficient = &described[n];
                stage->sign = below(2) ? 0 : below(3) - 1;
            }
        }
    }
    for (int d = 0; d < ndim; d++) {
        ptrdiff_t least = domain[0][d];
        for (int k = 1; k < nchains; k++)
            least = domain[k][d] < least ? domain[k][d] : least;
        out_shape[d] = usual || below(3) ? least : 1 + below((int)least);
        for (int k = 0; k < nchains; k++)
            shift[k][d] = below((int)(domain[k][d] - out_shape[d]) + 1);
    }

    fdx_array in[MAXARRAYS], out[MAXARRAYS];
    test_array outputs[MAXARRAYS];
    for (int k = 0; k < ninputs; k++) {
        static const int wholes[] = {FDX_I8, FDX_U8, FDX_I16, FDX_U16, FDX_I32, FDX_U32, FDX_I64, FDX_U64};
        if (shared && k == 1) {
            inputs[k] = inputs[0];
            if (ndim > 1 && below(2))
                inputs[k].a.stride[below(ndim - 1)] = 0;
        } else {
            inputs[k] =
                random_array(result == FDX_F64 && !usual && below(3) == 0 ? wholes[below(8)] : result, in_shape);
        }
        if (below(usual ? 32 : 8) == 0)
            inputs[k].a.stride[below(ndim)] = 0;
        ptrdiff_t compact = fdx_itemsize(inputs[k].dtype), *stride = inputs[k].a.stride;
        for (int d = ndim - 1; d > 0; d--)
            compact = stride[d] == compact ? compact * in_shape[d] : 0;
        if (below(8) == 0 && ndim > 1 && compact > 0 && stride[0] == compact)
            stride[below(ndim - 1)] = stride[ndim - 1]; /* rows that overlap */
        in[k] = inputs[k].described;
        in[k].stride = inputs[k].a.stride;
    }
    /* A box of the results, sometimes the only ones that have memory. */
    const int boxed = below(4) == 0, alone = boxed && below(2);
    ptrdiff_t lo[MAXN] = {0}, hi[MAXN];
    memcpy(hi, out_shape, sizeof hi);
    for (int d = 0; d < ndim && boxed; d++)
        if (below(3)) {
            lo[d] = below((int)out_shape[d]);
            hi[d] = lo[d] + 1 + below((int)(out_shape[d] - lo[d]));
        }
    double alpha_beta[2];
    draw_alpha_beta(alpha_beta);
    const int adds = below(4) == 0;
    const int twice = below(4) == 0; /* some outputs have a copy, of any alignment */
    char *before[MAXARRAYS], *copy_memory[MAXARRAYS] = {NULL};
    void *copies[MAXARRAYS] = {NULL};
    for (int k = 0; k < noutputs; k++) {
        ptrdiff_t there[MAXN];
        for (int d = 0; d < ndim; d++)
            there[d] = alone ? hi[d] - lo[d] : out_shape[d];
        outputs[k] = random_array(result, there);
        array *a = &outputs[k].a;
        if (!adds)
            memset(a->memory, GUARD, a->bytes);
        before[k] = memcpy(malloc(a->bytes), a->memory, a->bytes);
        for (int d = 0; d < ndim && alone; d++)
            a->data -= lo[d] * a->stride[d];
        if (twice && below(4)) {
            const int skipped = below(4) ? 0 : below(8);
            copy_memory[k] = malloc(a->bytes + 8);
            memcpy(copy_memory[k] + skipped, a->memory, a->bytes);
            copies[k] = copy_memory[k] + skipped + (a->data - a->memory);
        }
        out[k] = outputs[k].described;
        out[k].data = a->data;
        out[k].stride = a->stride;
    }
    const fdx_operator op = {ndim, in_shape, out_shape, ninputs, noutputs, nchains, chains, isa, 0};
    const fdx_call call = {&op,
                           in,
                           out,
                           boxed ? lo : NULL,
                           boxed ? hi : NULL,
                           adds ? alpha_beta : NULL,
                           (uint8_t)(below(usual ? 4 : 2) == 0),
                           twice ? copies : NULL};
    const ptrdiff_t size = fdx_workspace_size(&call), nparts = below(2) ? 1 : 1 + below(5);
    if (size < 0)
        fail("fdx_workspace_size");
    void *workspace = malloc((size_t)size);
    fdx_array others[2 * MAXARRAYS];
    void *data[3 * MAXARRAYS], *elsewhere[3 * MAXARRAYS], *other_copies[MAXARRAYS] = {NULL},
                                                          *memory = malloc(fdx_prepared_size(&call));
    const fdx_prepared *prepared = NULL;
    const int moves = below(3); /* 0: not prepared; 1: prepared; 2: for other arrays */
    /* Other numbers than the run's. */
    const double *const runs_with = adds && moves > 0 && below(2) ? alpha_beta : NULL,
                        no_numbers[2] = {NAN, alpha_beta[1] == 0 ? 0 : NAN};
    fdx_call like = call;
    like.in = others;
    like.out = others + ninputs;
    like.copies = twice ? other_copies : NULL;
    const int narrays = ninputs + noutputs, everything = narrays + (twice ? noutputs : 0);
    for (int k = 0; k < everything; k++) {
        const int of_copy = k >= narrays, number = of_copy ? k - noutputs : k;
        const array *a = number < ninputs ? &inputs[number].a : &outputs[number - ninputs].a;
        if (!of_copy)
            others[k] = k < ninputs ? in[k] : out[k - ninputs];
        const char *from = of_copy ? copy_memory[k - narrays] : a->memory;
        data[k] = of_copy ? copies[k - narrays] : others[k].data;
        elsewhere[k] = malloc(a->bytes + 16);
        const uintptr_t distance = (uintptr_t)elsewhere[k] - (uintptr_t)from + 7;
        void *moved = data[k] == NULL ? NULL : (void *)((uintptr_t)data[k] + distance / 8 * 8);
        *(of_copy ? &other_copies[k - narrays] : &others[k].data) = moved;
    }
    fdx_call first = moves == 2 ? like : call;
    if (runs_with != NULL)
        first.alpha_beta = no_numbers;
    if (fdx_prepare(memory, &first, &prepared) != FDX_OK || (const void *)prepared != memory ||
        fdx_prepared_workspace_size(prepared) != size)
        fail("fdx_prepare");
    fdx_set_flags(0);
    for (ptrdiff_t part = 0; part < nparts; part++) {
        memset(workspace, GUARD, (size_t)size);
        const fdx_status status = moves == 0
                                      ? fdx_apply_part(&call, workspace, size, part, nparts)
                                      : fdx_run(prepared, moves == 2 ? data : NULL, runs_with, workspace, part, nparts);
        if (size > 0 && fdx_apply_part(&call, workspace, size - 1, part, nparts) != FDX_E_WORKSPACE)
            fail("a workspace that is too small");
        if (status != FDX_OK) {
            fprintf(stderr, "%s\n", fdx_status_message(status));
            fail("fdx_apply_part");
        }
    }
    free(workspace);
    free(memory);
    for (int k = 0; k < everything; k++)
        free(elsewhere[k]);
    if (below(4) == 0) { /* no results */
        fdx_call empty = call;
        fdx_operator short_op = op;
        ptrdiff_t none[MAXN];
        memcpy(none, boxed ? lo : out_shape, sizeof none);
        if (!boxed)
            none[below(ndim)] = 0;
        *(boxed ? &empty.hi : &short_op.out_shape) = none;
        empty.op = &short_op;
        const ptrdiff_t bytes = fdx_workspace_size(&empty);
        void *memory = malloc((size_t)bytes);
        if (fdx_apply(&empty, memory, bytes) != FDX_OK)
            fail("an empty output");
        free(memory);
    }
    const unsigned raised = fdx_flags();
    if (ordinary && raised != 0)
        fail("a floating-point flag that no operation raises");
    fdx_set_flags(0);

    const int parts = is_complex(result) ? 2 : 1, one = is_single(result);
    const size_t element = (size_t)fdx_itemsize(result);
    for (int number = 0; number < noutputs; number++) {
        array *a = &outputs[number].a;
        unsigned char *touched = calloc(1, a->bytes);
        ptrdiff_t in_box[MAXN] = {0}, box[MAXN], index[MAXN];
        for (int d = 0; d < ndim; d++)
            box[d] = hi[d] - lo[d];
        do {
            for (int d = 0; d < ndim; d++)
                index[d] = lo[d] + in_box[d];
            const char *p = at(a, ndim, index);
            memset(touched + (p - a->memory), 1, element);
            for (int part = 0; part < parts; part++) {
                double want = 0;
                int begun = 0;
                for (int k = 0; k < nchains; k++) {
                    if (chains[k].out != number)
                        continue;
                    ptrdiff_t there[MAXN];
                    for (int d = 0; d < ndim; d++)
                        there[d] = index[d] + shift[k][d];
                    const double share = value(&chains[k], chains[k].nstages, there, part);
                    want = begun++ ? add(one, want, share) : share;
                }
                if (adds) {
                    const double y = get(result, outputs[number].swapped, before[number] + (p - a->memory), part);
                    want = with_alpha_beta(one, alpha_beta, want, y);
                }
                const double got = get(result, outputs[number].swapped, p, part);
                if (!same(got, want)) {
                    fprintf(stderr, "isa %s, ndim %d, dtype %d, terms %d, part %d of %td parts: %a is not %a at",
                            fdx_isa_name(isa), ndim, result, nchains, part, nparts, got, want);
                    for (int d = 0; d < ndim; d++)
                        fprintf(stderr, " %td/%td(%td)", index[d], out_shape[d], in_shape[d]);
                    fprintf(stderr, "\n");
                    fail("a result");
                }
            }
        } while (next(ndim, box, in_box));
        for (size_t i = 0; i < a->bytes; i++)
            if (!touched[i] && a->memory[i] != before[number][i])
                fail("a byte outside of the output was written");
        if (copy_memory[number] != NULL &&
            memcmp((char *)copies[number] - (a->data - a->memory), a->memory, a->bytes) != 0)
            fail("a copy of an output is not like it");
        free(touched);
        free(copy_memory[number]);
        free(before[number]);
        free(a->memory);
    }
    if ((raised & ~fdx_flags()) != 0)
        for (int k = 0; k < nchains; k++)
            if (chains[k].nstages > 1)
                whole_chain(&chains[k], in_shape, parts);
    if (!one && (raised & ~fdx_flags()) != 0) /* the reference implementation does not compute in single precision */
        fail("a floating-point flag that the reference implementation does not raise");
    for (int k = 0; k < (shared ? 1 : ninputs); k++)
        free(inputs[k].a.memory);
    for (int k = 0; k < ncoefficients; k++)
        free(coefficients[k].a.memory);
    for (int k = 0; k < nchains; k++)
        for (int j = 0; j < nbands[k]; j++)
            free_band(&bands[k][j]);
}

/* Two symmetric chains whose rows have the same centre in one line and not in others: because their inputs are two
 * views of the same memory, or because the centre of a row of a periodic axis lies at its other end. The base table,
 * which has no loop for both at once, gives the expected results. */
static void middles_that_meet(const fdx_isa *isa)
{
    enum { MAX_ELEMENTS = 10000 };
    static const struct {
        int ndim;
        ptrdiff_t shape[3], one[3], two[3]; /* strides of the inputs, in elements */
        ptrdiff_t first;                    /* of a row's neighbours; the second one is its centre */
    } cases[] = {{3, {4, 6, 100}, {1200, 100, 1}, {1200, 200, 1}, -1},
                 {3, {4, 6, 100}, {1200, 100, 1}, {1200, 0, 1}, -1},
                 {2, {100, 100}, {1, 1}, {1, 1}, 0}};
    static const double w[3] = {1.5, -3, 1.5};
    static double x[MAX_ELEMENTS], y[2][MAX_ELEMENTS];
    for (int i = 0; i < MAX_ELEMENTS; i++)
        x[i] = i * i % 97;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const int last = cases[k].ndim - 1;
        ptrdiff_t stride[3][3] = {{0}}, bytes = sizeof *x; /* of the inputs and the output */
        fdx_band band[3];
        for (int d = last; d >= 0; d--) {
            const ptrdiff_t n = cases[k].shape[d];
            band[d] = (fdx_band){n, n, 0, 0, NULL, NULL, {cases[k].first, 3, 1, FDX_SUM_SYMMETRIC, w, 1, 0}, 1};
            stride[0][d] = cases[k].one[d] * (ptrdiff_t)sizeof *x;
            stride[1][d] = cases[k].two[d] * (ptrdiff_t)sizeof *x;
            stride[2][d] = bytes;
            bytes *= n;
        }
        const int views = memcmp(stride[0], stride[1], sizeof stride[0]) != 0; /* else it is one input */
        const fdx_stage across = {0, &band[0], NULL, 0}, along = {last, &band[last], NULL, 0};
        const fdx_chain chains[2] = {{0, 0, 1, &across, NULL}, {views, 0, 1, &along, NULL}};
        const fdx_array in[2] = {{x, stride[0], FDX_F64, 0}, {x, stride[1], FDX_F64, 0}};
        for (int table = 0; table < 2; table++) {
            const fdx_array out = {y[table], stride[2], FDX_F64, 0};
            const fdx_isa *by = table == 0 ? fdx_isa_find("base") : isa;
            const ptrdiff_t *shape = cases[k].shape;
            const fdx_operator op = {cases[k].ndim, shape, shape, 2, 1, 2, chains, by, 0};
            const fdx_call call = {&op, in, &out, NULL, NULL, NULL, 0, NULL};
            const ptrdiff_t size = fdx_workspace_size(&call);
            void *memory = malloc((size_t)size);
            if (fdx_apply(&call, memory, size) != FDX_OK)
                fail("terms whose middles meet");
            free(memory);
        }
        if (memcmp(y[0], y[1], (size_t)bytes) != 0)
            fail("a sum of terms whose middles meet");
    }
}

/* y + alpha u'', whose second derivative is 1: each y is finite, but would not be if it were added to twice. */
static void added_once(const fdx_isa *isa)
{
    enum { N = 67 };
    static double u[N][N], y[N][N];
    const ptrdiff_t shape[2] = {N, N}, stride[2] = {sizeof *u, sizeof **u};
    const double alpha_beta[2] = {0.9e308, 1};
    for (int along = 0; along < 2; along++) {
        fdx_factor factor = {0};
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                u[i][j] = 0.5 * (along == 0 ? i * i : j * j);
                y[i][j] = 0.5e308;
            }
        fdx_factor other = factor;
        factor.axis = along;
        other.axis = !along;
        factor.what.deriv = other.what.deriv = factor.what.accuracy = other.what.accuracy = 2;
        factor.what.spacing = other.what.spacing = factor.what.scale = other.what.scale = 1;
        const fdx_term term[2] = {{0, 0, 1, &factor, NULL}, {0, 0, 1, &other, NULL}};
        const fdx_sum sum = {2, shape, 2, term, isa, 0};
        const fdx_operator *op;
        void *memory = malloc(fdx_operator_size(&sum));
        if (fdx_operator_make(memory, &sum, &op) != FDX_OK)
            fail("fdx_operator_make");
        const fdx_array in = {u, stride, FDX_F64, 0}, out = {y, stride, FDX_F64, 0};
        const fdx_call call = {op, &in, &out, NULL, NULL, alpha_beta, 0, NULL};
        const ptrdiff_t bytes = fdx_workspace_size(&call);
        void *workspace = malloc((size_t)bytes);
        fdx_set_flags(0);
        if (fdx_apply(&call, workspace, bytes) != FDX_OK)
            fail("fdx_apply");
        if (fdx_flags() & FDX_FLAGS & ~FDX_UNDERFLOW)
            fail("a floating-point flag, though no result is infinite");
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                if (!(fabs(y[i][j] - 1.4e308) < 1e293))
                    fail("y + alpha D u");
        free(workspace);
        free(memory);
    }
}

/* Apply a sum to an input by the base table and by its own: to two outputs of the input's strides. */
static void apply_by_both(const fdx_sum *what, const fdx_array *in, void *by_base, void *by_own, const ptrdiff_t *lo,
                          const ptrdiff_t *hi, int adds)
{
    const double alpha_beta[2] = {0.3, 0.75 * below(3)};
    for (int table = 0; table < 2; table++) {
        fdx_sum sum = *what;
        sum.isa = table == 0 ? fdx_isa_find("base") : what->isa;
        const fdx_operator *op;
        void *memory = malloc(fdx_operator_size(&sum));
        if (fdx_operator_make(memory, &sum, &op) != FDX_OK)
            fail("fdx_operator_make");
        const fdx_array out = {table == 0 ? by_base : by_own, in->stride, in->dtype, 0};
        const fdx_call call = {op, in, &out, lo, hi, adds ? alpha_beta : NULL, 0, NULL};
        const ptrdiff_t bytes = fdx_workspace_size(&call);
        void *workspace = malloc((size_t)bytes);
        if (fdx_apply(&call, workspace, bytes) != FDX_OK)
            fail("fdx_apply");
        free(workspace);
        free(memory);
    }
}

/* A sum of derivatives times coefficients, as u . grad, with the identity before it or not. One loop makes most of
 * these; the base table, which has no such loop, gives the expected results. */
static void weighed_terms(const fdx_isa *isa)
{
    enum { MOST = 9 * 14 * 100, NARRAYS = 5 };
    static double memory[NARRAYS + 1][MOST]; /* u, coefficients, and y by either table */
    const int dims = 2 + below(2), single = below(2), deriv = 1 + below(2), adds = below(3) == 0, boxed = below(3) == 0;
    const int dtype = single ? FDX_F32 : FDX_F64, accuracy = 2 + 2 * below(3), itself = below(3) == 0;
    const ptrdiff_t itemsize = fdx_itemsize(dtype);
    ptrdiff_t shape[3] = {0}, stride[3] = {0}, by_stride[3][3], lo[3], hi[3], size = 1;
    for (int d = dims - 1; d >= 0; d--) {
        shape[d] = d == dims - 1 ? 30 + below(70) : d > 0 ? 8 + below(6) : 8 + below(2);
        stride[d] = size * itemsize;
        size *= shape[d];
        lo[d] = boxed ? below(3) : 0;
        hi[d] = shape[d] - (boxed ? below(3) : 0);
    }
    for (int k = 0; k < NARRAYS + 1; k++)
        for (ptrdiff_t i = 0; i < size; i++) {
            const double number = k >= NARRAYS - 1 ? 7 : (below(2000001) - 1e6) / 1024; /* both y alike */
            if (single)
                ((float *)memory[k])[i] = (float)number;
            else
                memory[k][i] = number;
        }
    fdx_array by[3];
    fdx_factor factor[4];
    fdx_term term[4];
    memset(factor, 0, sizeof factor);
    memset(term, 0, sizeof term);
    factor->what.scale = 1;
    const int boundary = below(3) == 0 ? FDX_PERIODIC : below(2) ? FDX_ONE_SIDED : FDX_REFLECT;
    for (int d = 0; d < dims; d++) {
        const int k = itself + d;
        for (int e = 0; e < dims; e++)
            by_stride[d][e] = below(4) ? stride[e] : 0;
        by[d] = (fdx_array){memory[1 + d], by_stride[d], dtype, 0};
        factor[k].axis = d;
        factor[k].what.deriv = deriv;
        factor[k].what.accuracy = accuracy;
        factor[k].what.spacing = factor[k].what.scale = 1;
        factor[k].what.left = factor[k].what.right = boundary;
        factor[k].coefficient = below(8) ? &by[d] : NULL;
    }
    for (int k = 0; k < itself + dims; k++)
        term[k] = (fdx_term){0, 0, 1, &factor[k], NULL};
    const fdx_sum sum = {dims, shape, itself + dims, term, isa, 0};
    const fdx_array in = {memory[0], stride, dtype, 0};
    apply_by_both(&sum, &in, memory[NARRAYS - 1], memory[NARRAYS], lo, hi, adds);
    if (memcmp(memory[NARRAYS - 1], memory[NARRAYS], (size_t)(size * itemsize)) != 0)
        fail("a sum of derivatives times coefficients");
}

/* A sum of products of one kind, of which one loop adds up several: upwind derivatives along one axis or more, times
 * velocities or their parts; or divergences of gradients times coefficients, at points or between them. In other orders
 * and with other terms, too. */
static void products_together(const fdx_isa *isa)
{
    enum { MOST = 40000, TERMS = 8 };
    static double memory[TERMS + 3][MOST]; /* u, coefficients, and y by either table */
    const int dims = 1 + below(3), single = below(2), nested = below(2), dtype = single ? FDX_F32 : FDX_F64;
    const int adds = below(3) == 0, boxed = below(3) == 0, staggered = below(2), odd = 1 + 2 * below(3);
    const int kinds = below(3); /* of coefficients: all of them, the positive and the negative part by turns, any */
    const ptrdiff_t itemsize = fdx_itemsize(dtype);
    ptrdiff_t shape[3] = {0}, stride[3], by_stride[TERMS][3], lo[3], hi[3], size = 1;
    for (int d = dims - 1; d >= 0; d--) {
        shape[d] = d == dims - 1 ? 17 + below(dims == 1 ? 2000 : 70) : 13 + below(8);
        stride[d] = size * itemsize;
        size *= shape[d];
        lo[d] = boxed ? below(3) : 0;
        hi[d] = shape[d] - (boxed ? below(3) : 0);
    }
    for (int k = 0; k < TERMS + 3; k++)
        for (ptrdiff_t i = 0; i < size; i++) {
            const double number = k > TERMS ? 7 : (below(2000001) - 1e6) / 1024;
            if (single)
                ((float *)memory[k])[i] = (float)number;
            else
                memory[k][i] = number;
        }
    fdx_array by[TERMS];
    fdx_factor factor[TERMS][2];
    fdx_term term[TERMS];
    memset(factor, 0, sizeof factor);
    const int left = below(3) == 0 ? FDX_PERIODIC
                     : below(2)    ? FDX_ONE_SIDED
                                   : FDX_REFLECT,
              nterms = 2 + below(TERMS - 1);
    for (int k = 0; k < nterms; k++) {
        fdx_factor *f = factor[k];
        const int turn = below(8) ? k % 2 : below(2), midpoints = nested && (below(16) ? staggered : below(2));
        f[0].axis = f[1].axis = below(8) ? (nested ? k : k / 2) % dims : below(dims);
        f[0].what.deriv = f[0].what.scale = f[0].what.spacing = 1;
        f[0].what.left = f[0].what.right = midpoints ? FDX_ONE_SIDED : left;
        f[0].what.accuracy = nested ? 2 : below(16) ? odd : 3;
        f[0].what.side = nested ? 0 : turn ? 1 : -1;
        f[0].what.position = midpoints ? FDX_INNER : FDX_CENTER;
        f[0].sign = nested || kinds == 0 ? 0 : kinds == 1 ? 1 - 2 * turn : below(3) - 1;
        if (nested)
            f[1].what = f[0].what;
        f[1].transposed = midpoints;
        f[1].what.scale = midpoints ? -0.5 : 0.5;
        ptrdiff_t bytes = itemsize;
        for (int d = dims - 1; d >= 0; d--) {
            by_stride[k][d] = bytes;
            bytes *= shape[d] - (d == f[0].axis && midpoints);
        }
        if (below(16) == 0)
            by_stride[k][below(dims)] = 0;
        by[k] = (fdx_array){memory[1 + (below(4) ? k : k / 2)], by_stride[k], dtype, 0};
        f[0].coefficient = below(32) ? &by[k] : NULL;
        f[0].sign = f[0].coefficient == NULL ? 0 : f[0].sign;
        term[k] = (fdx_term){0, 0, nested ? 2 : 1, f, NULL};
    }
    const fdx_sum sum = {dims, shape, nterms, term, isa, 0};
    const fdx_array in = {memory[0], stride, dtype, 0};
    apply_by_both(&sum, &in, memory[TERMS + 1], memory[TERMS + 2], lo, hi, adds);
    if (memcmp(memory[TERMS + 1], memory[TERMS + 2], (size_t)(size * itemsize)) != 0)
        fail("a sum of products");
}

/* A derivative along memory, at the points or between them: lines of results that are as long as those of the input or
 * not, which follow each other or not, in either direction. */
static void lines_between_points(const fdx_isa *isa)
{
    enum { MOST = 7 * 160 + 32 };
    static double memory[3][MOST]; /* u, and y by either table */
    static const int places[] = {FDX_CENTER, FDX_INNER, FDX_OUTER, FDX_LEFT, FDX_RIGHT};
    const int single = below(2), dtype = single ? FDX_F32 : FDX_F64, position = places[below(5)];
    const ptrdiff_t itemsize = fdx_itemsize(dtype), shape[2] = {2 + below(5), 40 + below(100)};
    const ptrdiff_t apart = shape[1] + (below(2) ? 0 : below(9)), first = below(9);
    fdx_factor factor = {.axis = 1};
    factor.what.deriv = position == FDX_CENTER ? 1 + below(2) : below(3);
    factor.what.accuracy = 2 + 2 * below(4);
    factor.what.scale = factor.what.spacing = 1;
    factor.what.position = position;
    factor.what.left = below(2) ? FDX_ONE_SIDED : below(2) ? FDX_VALID : FDX_REFLECT;
    factor.what.right = below(2) ? FDX_ONE_SIDED : below(2) ? FDX_VALID : FDX_ZERO;
    for (int k = 0; k < 3; k++)
        for (ptrdiff_t i = 0; i < MOST; i++) {
            const double number = k > 0 ? 7 : (below(2000001) - 1e6) / 1024;
            if (single)
                ((float *)memory[k])[i] = (float)number;
            else
                memory[k][i] = number;
        }
    const fdx_term term = {0, 0, 1, &factor, NULL};
    const int reversed = below(4) == 0;
    ptrdiff_t stride[2] = {apart * itemsize, itemsize}, out_stride[2] = {0, itemsize};
    char *data = (char *)memory[0] + first * itemsize;
    if (reversed) {
        data += (shape[0] - 1) * stride[0];
        stride[0] = -stride[0];
    }
    for (int table = 0; table < 2; table++) {
        const fdx_sum sum = {2, shape, 1, &term, table == 0 ? fdx_isa_find("base") : isa, 0};
        const fdx_operator *op;
        void *op_memory = malloc(fdx_operator_size(&sum));
        if (fdx_operator_make(op_memory, &sum, &op) != FDX_OK)
            fail("fdx_operator_make");
        out_stride[0] = op->out_shape[1] * itemsize;
        const fdx_array in = {data, stride, dtype, 0},
                        out = {(char *)memory[1 + table] + first * itemsize, out_stride, dtype, 0};
        const fdx_call call = {op, &in, &out, NULL, NULL, NULL, 0, NULL};
        const ptrdiff_t bytes = fdx_workspace_size(&call);
        void *workspace = malloc((size_t)bytes);
        if (fdx_apply(&call, workspace, bytes) != FDX_OK)
            fail("fdx_apply");
        free(workspace);
        free(op_memory);
    }
    if (memcmp(memory[1], memory[2], sizeof memory[1]) != 0)
        fail("lines between points");
}

int main(int argc, char **argv)
{
    const int cases = argc > 1 ? atoi(argv[1]) : 2000;
    for (const char *const *name = fdx_isa_names(); *name != NULL; name++) {
        const fdx_isa *isa = fdx_isa_find(*name);
        state = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : 88172645463325252ULL;
        for (int i = 0; isa != NULL && i < cases; i++)
            random_case(isa);
        for (int i = 0; isa != NULL && i < cases / 10; i++) {
            weighed_terms(isa);
            products_together(isa);
            lines_between_points(isa);
        }
        if (isa != NULL) {
            middles_that_meet(isa);
            added_once(isa);
        }
        printf("%s: %s\n", *name, isa == NULL ? "not on this processor" : "ok");
    }
    return 0;
}
