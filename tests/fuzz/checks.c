/* Calls that must succeed, and what all calls may write to. Results are compared with those of another number of parts,
 * and with the base table's. */
#include <math.h>
#include <string.h>

#include "fuzz.h"

const fdx_isa *tables[MOST_TABLES];
int ntables;

void find_tables(void)
{
    const char *const *names = fdx_isa_names();
    int count = 0;
    while (names[count] != NULL)
        count++;
    ntables = 0;
    tables[ntables++] = fdx_isa_find("auto");
    for (int k = count - 1; k >= 0 && ntables < MOST_TABLES; k--) /* the worst one, "base", first */
        if (fdx_isa_find(names[k]) != NULL)
            tables[ntables++] = fdx_isa_find(names[k]);
}

/* Compute all parts, in rising or falling order. */
static void run_all(run_fn *run, void *call, const fdx_isa *isa, ptrdiff_t nparts, int falling)
{
    set_scratch(falling ? 0xFF : 0);
    poison();
    for (ptrdiff_t k = 0; k < nparts; k++)
        expect("a valid call", nothing, run(call, isa, falling ? nparts - 1 - k : k, nparts));
    unpoison();
}

static int is_nan(const fdx_array *a, const char *p, size_t size)
{
    union {
        float f;
        double d;
        char bytes[8];
    } u;
    memcpy(u.bytes, p, size);
    if (a->swapped)
        reverse(u.bytes, size);
    return size == sizeof(float) ? isnan(u.f) : isnan(u.d);
}

/* An output's bytes in its slot must be those of the first run, but for NaNs. */
static void compare(const array *out, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, const char *with)
{
    slot *s = out->in;
    if (memcmp(s->begin, s->result, s->bytes) == 0)
        return;
    const size_t size = part_size(out->a.dtype);
    ptrdiff_t index[FDX_MAXDIM];
    memcpy(index, lo, (size_t)ndim * sizeof *index);
    do {
        char *p = address(&out->a, ndim, index);
        const char *first = s->result + (p - s->begin);
        for (size_t at = 0; at < (size_t)fdx_itemsize(out->a.dtype); at += size) {
            if (memcmp(p + at, first + at, size) == 0)
                continue;
            if (!is_nan(&out->a, p + at, size) || !is_nan(&out->a, first + at, size))
                die("results are not the same bits", with);
            memcpy(p + at, first + at, size);
        }
    } while (next(ndim, lo, hi, index));
    if (memcmp(s->begin, s->result, s->bytes) != 0)
        die("a byte outside of the results was written", with);
}

/* A call may write only the box of outputs, and must write the same bytes however it is computed. */
void check_results(run_fn *run, void *call, const fdx_isa *isa, const array *out, int nout, int ndim,
                   const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    const int empty = is_empty(ndim, lo, hi);
    const ptrdiff_t nparts = chance(3) ? 1 + below(9) : 1, other = 1 + below(6);
    for (int round = 0; round < 3; round++) {
        if (round == 1 && other == nparts)
            continue;
        if (round == 2 && isa == tables[1])
            continue;
        run_all(run, call, round == 2 ? tables[1] : isa, round == 0 ? nparts : round == 1 ? other : 1, round & 1);
        for (int k = 0; k < nout && !empty; k++) {
            slot *s = out[k].in;
            if (round > 0) {
                compare(&out[k], ndim, lo, hi, round == 1 ? "in other parts" : "by the base table");
            } else {
                ptrdiff_t index[FDX_MAXDIM];
                memcpy(s->result, s->copy, s->bytes);
                memcpy(index, lo, (size_t)ndim * sizeof *index);
                do {
                    const char *p = address(&out[k].a, ndim, index);
                    memcpy(s->result + (p - s->begin), p, (size_t)fdx_itemsize(out[k].a.dtype));
                } while (next(ndim, lo, hi, index));
                if (memcmp(s->result, s->begin, s->bytes) != 0)
                    die("a byte outside of the results was written", "");
            }
            memcpy(s->begin, s->copy, s->bytes); /* as before */
        }
    }
    expect_unchanged("a valid call");
}

/* A wild call that returned FDX_OK: only bytes of outputs may have changed. */
void check_wild(fdx_status status, const array *out, int nout, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    for (int k = 0; k < nout && status == FDX_OK; k++) {
        slot *s = out[k].in;
        ptrdiff_t index[FDX_MAXDIM];
        if (s == NULL || fdx_itemsize(out[k].a.dtype) == 0 || is_empty(ndim, lo, hi))
            continue;
        memcpy(index, lo, (size_t)ndim * sizeof *index);
        do {
            const char *p = address(&out[k].a, ndim, index);
            memcpy(s->copy + (p - s->begin), p, (size_t)fdx_itemsize(out[k].a.dtype));
        } while (next(ndim, lo, hi, index));
    }
    expect_unchanged("a wild call");
}

/* Move an output so that its box overlaps the bytes first .. first + n - 1. */
void lay_over(fdx_array *out, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, const char *first, ptrdiff_t n)
{
    ptrdiff_t begin, bytes = extent(out, ndim, lo, hi, &begin);
    uintptr_t at = (uintptr_t)first; /* where the box is to begin */
    const int how = below(3);
    if (how == 1)
        at += (uintptr_t)n - 1;
    else if (how == 2)
        at -= (uintptr_t)bytes - 1;
    at -= (uintptr_t)begin;
    for (int d = 0; d < ndim; d++)
        at -= (uintptr_t)lo[d] * (uintptr_t)out->stride[d];
    out->data = (void *)at;
}
