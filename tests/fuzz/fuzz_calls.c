/* A libFuzzer target over all of fdx.h: the bytes of an input drive a generator of calls (missing bytes are 0). A call
 * is valid; or has one error whose status is known; or is wild: then any status will do, if it stays within its memory.
 *
 * Every array, and all memory that the library gets, ends or begins at an inaccessible page; the rest of its pages is
 * poisoned for AddressSanitizer during the call and compared afterwards. Results are compared with those of another
 * number of parts, and with the base table's. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sanitizer/asan_interface.h>

#include "fdx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For the description of a finding: the current operator, whose pointers are valid. */
static const fdx_operator *at_hand;

static void describe_rows(const char *which, const fdx_stencil *r)
{
    fprintf(stderr, " %s(offset %td, count %d, centre %d, summation %d, steps %td %td)", which, r->offset, r->count,
            r->centre, r->summation, r->weight_step, r->row_step);
}

static void describe(void)
{
    if (at_hand == NULL)
        return;
    for (int d = 0; d < at_hand->ndim; d++)
        fprintf(stderr, "axis %d: from %td to %td\n", d, at_hand->in_shape[d], at_hand->out_shape[d]);
    for (int k = 0; k < at_hand->nchains; k++) {
        const fdx_chain *chain = &at_hand->chain[k];
        fprintf(stderr, "term %d: input %d, output %d\n", k, chain->in, chain->out);
        for (int s = 0; s < chain->nstages; s++) {
            const fdx_band *b = chain->stage[s].band;
            fprintf(stderr, "  axis %d%s", chain->stage[s].axis,
                    chain->stage[s].coefficient != NULL ? ", a factor" : "");
            if (b != NULL) {
                fprintf(stderr, ", %s%td x %td:", b->periodic ? "periodic, " : "", b->rows, b->columns);
                for (ptrdiff_t r = 0; r < b->nfirst; r++)
                    describe_rows("first", &b->first[r]);
                describe_rows("interior", &b->interior);
                for (ptrdiff_t r = 0; r < b->nlast; r++)
                    describe_rows("last", &b->last[r]);
            }
            fprintf(stderr, "\n");
        }
    }
}

static void die(const char *what, const char *more)
{
    describe();
    fprintf(stderr, "FAILED: %s%s%s\n", what, more[0] != 0 ? ": " : "", more);
    abort();
}

/* ---- choices ---- */

static const uint8_t *cursor;
static size_t left;
static jmp_buf given_up;

static int u8(void)
{
    return left > 0 ? (left--, *cursor++) : 0;
}

static int below(int n)
{
    if (n <= 1)
        return 0;
    const int low = u8();
    return (n > 256 ? low << 8 | u8() : low) % n;
}

static int chance(int n) /* one in n; never, if bytes are missing */
{
    return below(n) == 1;
}

static uint64_t state; /* seed of numbers that the fuzzer need not choose one by one */

static uint64_t rnd(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* An integer that may be wrong anywhere. */
static ptrdiff_t wild_number(void)
{
    static const ptrdiff_t extremes[] = {PTRDIFF_MAX, PTRDIFF_MIN, PTRDIFF_MAX / 2, INT_MAX, INT_MIN, 1 << 20};
    const int kind = below(16);
    return kind == 15 ? extremes[below(6)] : kind > 8 ? below(256) - 128 : below(12) - 3;
}

/* A stride that does not fit into memory with two elements. */
static ptrdiff_t wild_stride(void)
{
    static const ptrdiff_t strides[] = {PTRDIFF_MAX, PTRDIFF_MIN, -PTRDIFF_MAX, PTRDIFF_MAX - 7};
    return strides[below(4)];
}

static int wild_int(void)
{
    const ptrdiff_t v = wild_number();
    return v > INT_MAX ? INT_MAX : v < INT_MIN ? INT_MIN : (int)v;
}

static double ordinary(void)
{
    return ((double)(rnd() % 4001) - 2000) / 64;
}

/* ---- memory ---- */

enum { PAGE = 4096, NCLASSES = 3, NSLOTS = 96 + 24 + 8, GUARD = 0xA5 };
static const struct {
    int slots;
    size_t bytes;
} classes[NCLASSES] = {{96, PAGE}, {24, 8 * PAGE}, {8, 48 * PAGE}};

typedef struct {
    char *begin, *copy, *result; /* its pages; a copy before a call; a copy after a valid call */
    size_t bytes;
    char *used; /* the bytes that the library gets */
    size_t nused;
    int scratch; /* the library may write anything there */
} slot;
static slot slots[NSLOTS];
static int taken[NCLASSES];

static void map_slots(void)
{
    size_t total = PAGE;
    for (int c = 0; c < NCLASSES; c++)
        total += (size_t)classes[c].slots * (classes[c].bytes + PAGE);
    char *at = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *copy = malloc(2 * total);
    if (at == MAP_FAILED || copy == NULL)
        die("no memory", "");
    at += PAGE;
    for (int c = 0, k = 0; c < NCLASSES; c++)
        for (int i = 0; i < classes[c].slots; i++, k++) {
            slots[k] = (slot){at, copy, copy + classes[c].bytes, classes[c].bytes, NULL, 0, 0};
            if (mprotect(at, slots[k].bytes, PROT_READ | PROT_WRITE) != 0)
                die("mprotect", "");
            at += slots[k].bytes + PAGE;
            copy += 2 * slots[k].bytes;
        }
}

static int first_of(int c)
{
    return c == 0 ? 0 : first_of(c - 1) + classes[c - 1].slots;
}

/* For each used slot. */
#define EACH_SLOT(s)                                                                                                   \
    for (int class_ = 0; class_ < NCLASSES; class_++)                                                                  \
        for (slot *s = &slots[first_of(class_)], *end_ = s + taken[class_]; s < end_; s++)

/* A slot for so many bytes, aligned to `align`; gives up if there is none. */
static slot *take(size_t bytes, size_t align)
{
    int c = 0;
    while (c < NCLASSES && (bytes + 32 > classes[c].bytes || taken[c] == classes[c].slots))
        c++;
    if (c == NCLASSES)
        longjmp(given_up, 1);
    slot *s = &slots[first_of(c) + taken[c]++];
    const int where = below(8);
    size_t at = s->bytes - bytes; /* at its end, */
    if (where == 5 || where == 6)
        at = 0; /* beginning, */
    else if (where == 7)
        at -= (size_t)below(17); /* or at any address */
    s->used = s->begin + at / align * align;
    s->nused = bytes;
    s->scratch = 0;
    memset(s->begin, GUARD, s->bytes);
    return s;
}

static void *allocate(size_t bytes) /* as malloc does */
{
    return take(bytes, 16)->used;
}

static double *numbers(ptrdiff_t n)
{
    return (double *)(void *)take((size_t)n * sizeof(double), sizeof(double))->used;
}

static slot *slot_at(const void *p)
{
    EACH_SLOT(s)
    if ((const char *)p >= s->begin && (const char *)p <= s->begin + s->bytes)
        return s;
    return NULL;
}

/* Structs, shapes and strides, with poison between them. */
static union {
    char bytes[1 << 17];
    double align;
} kept;
static size_t nkept;

static void *keep(size_t bytes)
{
    const size_t all = (bytes + 15) / 16 * 16 + 16;
    if (nkept + all > sizeof kept.bytes)
        longjmp(given_up, 1);
    char *p = kept.bytes + nkept;
    memset(p, 0, bytes);
    ASAN_POISON_MEMORY_REGION(p + bytes, all - bytes);
    nkept += all;
    return p;
}

static ptrdiff_t *keep_indices(int n, const ptrdiff_t *from)
{
    ptrdiff_t *p = keep((size_t)n * sizeof *p);
    if (from != NULL)
        memcpy(p, from, (size_t)n * sizeof *p);
    return p;
}

__attribute__((no_sanitize("address"))) static uint64_t sum_of_kept(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < nkept; i += 8)
        sum = (sum << 7 | sum >> 57) ^ *(const uint64_t *)(const void *)(kept.bytes + i);
    return sum;
}

static uint64_t kept_before;

static void before_calls(void)
{
    EACH_SLOT(s)
    memcpy(s->copy, s->begin, s->bytes);
    kept_before = sum_of_kept();
}

static void poison(void)
{
    EACH_SLOT(s)
    {
        const size_t front = (size_t)(s->used - s->begin), end = front + s->nused;
        ASAN_POISON_MEMORY_REGION(s->begin, front);
        ASAN_POISON_MEMORY_REGION(s->begin + end, s->bytes - end);
    }
}

static void unpoison(void)
{
    EACH_SLOT(s)
    ASAN_UNPOISON_MEMORY_REGION(s->begin, s->bytes);
}

/* Nothing has changed but scratch. */
static void expect_unchanged(const char *after)
{
    EACH_SLOT(s)
    {
        if (s->scratch)
            memcpy(s->copy + (s->used - s->begin), s->used, s->nused);
        if (memcmp(s->copy, s->begin, s->bytes) != 0)
            die("memory was written to", after);
    }
    if (sum_of_kept() != kept_before)
        die("a description was written to", after);
}

/* A call with poison around its memory. */
#define CALL(status, call)                                                                                             \
    do {                                                                                                               \
        poison();                                                                                                      \
        (status) = (call);                                                                                             \
        unpoison();                                                                                                    \
    } while (0)

/* ---- errors ---- */

typedef struct {
    const char *what;         /* NULL: nothing */
    fdx_status status, other; /* `other`: another status that fdx.h allows */
} broken;

static const broken nothing = {NULL, FDX_OK, FDX_OK};

/* Entry `number` of a list: a change, if it applies, and the status that it should give. */
#define BREAK_TO(applies, change, wanted, otherwise)                                                                   \
    if (number-- == 0) {                                                                                               \
        if (!(applies))                                                                                                \
            return nothing;                                                                                            \
        change;                                                                                                        \
        return (broken){#change, wanted, otherwise};                                                                   \
    }
#define BREAK(applies, change, wanted) BREAK_TO(applies, change, wanted, wanted)

static void expect(const char *function, broken b, fdx_status status)
{
    if (status == b.status || status == b.other)
        return;
    if (b.what == NULL)
        describe();
    fprintf(stderr, "FAILED: %s says \"%s\", and not \"%s\", after: %s\n", function, fdx_status_message(status),
            fdx_status_message(b.status), b.what == NULL ? "nothing" : b.what);
    abort();
}

/* ---- arrays ---- */

typedef struct {
    fdx_array a; /* its stride is in `kept` */
    ptrdiff_t *stride;
    slot *in;
} array;

enum { IS_READ, IS_WRITTEN, IS_USUAL = 2 };

static int next(int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, ptrdiff_t *index)
{
    for (int d = ndim - 1; d >= 0; d--) {
        if (++index[d] < hi[d])
            return 1;
        index[d] = lo[d];
    }
    return 0;
}

static int is_empty(int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    for (int d = 0; d < ndim; d++)
        if (lo[d] >= hi[d])
            return 1;
    return 0;
}

static char *address(const fdx_array *a, int ndim, const ptrdiff_t *index)
{
    uintptr_t p = (uintptr_t)a->data;
    for (int d = 0; d < ndim; d++)
        p += (uintptr_t)index[d] * (uintptr_t)a->stride[d];
    return (char *)p;
}

static const ptrdiff_t zeros[FDX_MAXDIM];

/* The extent of a box of it, and where that begins relative to its first element. */
static ptrdiff_t extent(const fdx_array *a, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, ptrdiff_t *begin)
{
    ptrdiff_t low = 0, high = 0;
    for (int d = 0; d < ndim; d++) {
        const ptrdiff_t span = (hi[d] - lo[d] - 1) * a->stride[d];
        low += span < 0 ? span : 0;
        high += span > 0 ? span : 0;
    }
    *begin = low;
    return high - low + (fdx_itemsize(a->dtype) > 0 ? fdx_itemsize(a->dtype) : 16);
}

static void draw_strides(array *a, int ndim, const ptrdiff_t *shape, int role)
{
    ptrdiff_t item = fdx_itemsize(a->a.dtype);
    int order[FDX_MAXDIM];
    for (int d = 0; d < ndim; d++)
        order[d] = ndim - 1 - d; /* C order */
    const int style = role & IS_USUAL ? 0 : below(12), extras = role & IS_USUAL || style < 3 ? 0 : u8();
    if (style == 3 || style == 4)
        for (int d = 0; d < ndim; d++)
            order[d] = d;
    else if (style > 5)
        for (int d = 0; d < ndim; d++) {
            const int other = below(d + 1), t = order[d];
            order[d] = order[other];
            order[other] = t;
        }
    ptrdiff_t stride = item > 0 ? item : 16;
    for (int k = 0; k < ndim; k++) {
        const int d = order[k];
        if (extras & 1)
            stride += below(3) * item;
        if (extras & 2)
            stride += below(4);
        a->stride[d] = stride;
        stride *= shape[d] > 0 ? shape[d] : 1;
        if (extras & 4 && below(2))
            a->stride[d] = -a->stride[d];
        if (extras & 8 && shape[d] == 1 && below(2))
            a->stride[d] = wild_stride();
    }
    if (!(role & IS_WRITTEN) && ndim > 0) {
        if ((extras & 48) == 48)
            a->stride[below(ndim)] = 0;
        if ((extras & 192) == 192) /* rows that overlap */
            a->stride[below(ndim)] = (1 + below(3)) * item;
    }
}

/* Put a box of it into its own memory, for any strides; into shared memory if necessary. */
static void place(array *a, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, int role)
{
    ptrdiff_t begin, bytes;
    const int none = is_empty(ndim, lo, hi);
    if (none && chance(2)) {
        a->in = NULL;
        a->a.data = NULL;
        return;
    }
    bytes = none ? 0 : extent(&a->a, ndim, lo, hi, &begin);
    if (bytes + 32 > (ptrdiff_t)classes[NCLASSES - 1].bytes) {
        ptrdiff_t stride = fdx_itemsize(a->a.dtype);
        for (int d = ndim - 1; d >= 0; d--) {
            a->stride[d] = stride;
            stride *= hi[d] - lo[d];
        }
        bytes = extent(&a->a, ndim, lo, hi, &begin);
    }
    if (bytes + 32 > (ptrdiff_t)classes[NCLASSES - 1].bytes && !(role & IS_WRITTEN)) {
        memset(a->stride, 0, (size_t)ndim * sizeof *a->stride);
        bytes = extent(&a->a, ndim, lo, hi, &begin);
    }
    a->in = take((size_t)bytes, role & IS_USUAL ? 16 : 1);
    uintptr_t first = (uintptr_t)a->in->used;
    if (!none) {
        first -= (uintptr_t)begin;
        for (int d = 0; d < ndim; d++)
            first -= (uintptr_t)lo[d] * (uintptr_t)a->stride[d];
    }
    a->a.data = (void *)first;
}

static int is_complex(int dtype)
{
    return dtype == FDX_C64 || dtype == FDX_C128;
}
static size_t part_size(int dtype)
{
    return (size_t)fdx_itemsize(dtype) / (is_complex(dtype) ? 2 : 1);
}

static void reverse(char *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        const char t = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = t;
    }
}

static void put(const fdx_array *a, char *p, double v)
{
    const size_t size = part_size(a->dtype);
    for (size_t at = 0; at < (size_t)fdx_itemsize(a->dtype); at += size, v = -v) {
        union {
            int64_t i;
            float f;
            double d;
            char bytes[8];
        } u;
        if (a->dtype < FDX_F32)
            u.i = (int64_t)v;
        else if (size == sizeof(float))
            u.f = (float)v;
        else
            u.d = v;
        if (a->swapped)
            reverse(u.bytes, size);
        memcpy(p + at, u.bytes, size);
    }
}

static void fill(const array *a, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    static const double special[] = {0, -0.0, INFINITY, NAN, DBL_MIN, 0x1p-1074, DBL_MAX, FLT_MAX, 0x1p-149, 1, -1, 3};
    const int kind = below(5);
    if (is_empty(ndim, lo, hi))
        return;
    if (kind == 4 || fdx_itemsize(a->a.dtype) == 0) { /* any bits */
        for (size_t i = 0; i < a->in->nused; i++)
            a->in->used[i] = (char)(rnd() >> 30);
        return;
    }
    ptrdiff_t index[FDX_MAXDIM];
    memcpy(index, lo, (size_t)ndim * sizeof *index);
    const int whole = a->a.dtype < FDX_F32;
    do {
        const double v = kind == 3 && !whole ? special[rnd() % 12] : kind == 2 ? (double)(rnd() % 4) : ordinary();
        put(&a->a, address(&a->a, ndim, index), v);
    } while (next(ndim, lo, hi, index));
}

static void draw_array(array *a, int ndim, const ptrdiff_t *shape, const ptrdiff_t *lo, const ptrdiff_t *hi, int dtype,
                       int role)
{
    a->stride = keep_indices(ndim, NULL);
    a->a = (fdx_array){NULL, a->stride, (uint8_t)dtype, 0};
    a->a.swapped = !(role & IS_USUAL) && chance(5);
    draw_strides(a, ndim, shape, role);
    place(a, ndim, lo, hi, role);
    fill(a, ndim, lo, hi);
}

/* Lengths for at least so many elements, mostly for few. */
static void draw_shape(int ndim, ptrdiff_t *shape, const ptrdiff_t *least)
{
    const int many = below(4) == 3; /* elements */
    int longest = -1;
    for (int d = 0; d < ndim; d++) {
        const int b = u8();
        shape[d] = least[d] + (b < 160 ? b % 21 : b % 5);
    }
    if (chance(48)) {
        longest = below(ndim);
        shape[longest] = least[longest] + below(3000);
    }
    for (;;) {
        ptrdiff_t term = 1;
        int most = -1;
        for (int d = 0; d < ndim; d++) {
            term *= shape[d] > 0 ? shape[d] : 1;
            if (d != longest && shape[d] > least[d] && shape[d] > 1 && (most < 0 || shape[d] > shape[most]))
                most = d;
        }
        if (term <= (longest >= 0 ? 3500 : many ? 240 : 96))
            return;
        if (most < 0)
            most = longest;
        if (most < 0 || shape[most] <= least[most])
            return;
        const ptrdiff_t half = shape[most] / 2;
        shape[most] = half > least[most] ? half : least[most];
    }
}

static int draw_box(int ndim, const ptrdiff_t *shape, ptrdiff_t *lo, ptrdiff_t *hi)
{
    const int boxed = chance(4);
    for (int d = 0; d < ndim; d++) {
        lo[d] = 0;
        hi[d] = shape[d];
        if (boxed && shape[d] > 0 && below(3) > 0) {
            lo[d] = below((int)shape[d] + 1);
            hi[d] = lo[d] + below((int)(shape[d] - lo[d]) + 1);
        }
    }
    return boxed;
}

/* One of the dtypes from FDX_I8 to the one before `end`. */
static int draw_dtype(int end)
{
    return FDX_I8 + below(end - FDX_I8);
}

/* ---- valid calls ---- */

static const fdx_isa *tables[4]; /* "auto", and all tables that this processor supports */
static int ntables;

typedef fdx_status run_fn(void *call, const fdx_isa *isa, ptrdiff_t part, ptrdiff_t nparts);

/* Compute all parts, in rising or falling order. */
static void run_all(run_fn *run, void *call, const fdx_isa *isa, ptrdiff_t nparts, int falling)
{
    EACH_SLOT(s)
    if (s->scratch)
        memset(s->used, falling ? 0xFF : 0, s->nused);
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
static void check_results(run_fn *run, void *call, const fdx_isa *isa, const array *out, int nout, int ndim,
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
static void check_wild(fdx_status status, const array *out, int nout, int ndim, const ptrdiff_t *lo,
                       const ptrdiff_t *hi)
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

/* Move an output so that its box overlaps the first `by` of the bytes first .. first + n - 1. */
static void lay_over(fdx_array *out, int ndim, const ptrdiff_t *lo, const ptrdiff_t *hi, const char *first, ptrdiff_t n)
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

/* ---- np.gradient ---- */

static fdx_gradient_row draw_stencil(int least, int most)
{
    fdx_gradient_row s;
    memset(&s, 0, sizeof s);
    s.formula = (uint8_t)below(2);
    s.mixed = (uint8_t)below(2);
    for (int k = 0; k < 3; k++) {
        s.off[k] = (int8_t)(least + below(most - least + 1));
        s.w[k] = ordinary();
    }
    if (s.formula == FDX_QUOTIENT)
        s.off[2] = (int8_t)(u8() - 128); /* not checked */
    return s;
}

static double draw_spacing(void)
{
    static const double spacings[] = {1, 0.5, -2, 0.1, 3, 1e-3, 0, INFINITY, NAN, 1e-310, DBL_MAX, -0.0};
    return spacings[below(12)];
}

typedef struct {
    fdx_gradient_axis *op;
    int dtype, precision, edge_order;
    double h;
    const fdx_array *x;
    ptrdiff_t n;
    const fdx_isa *isa;
} stencils;

static broken break_stencils(stencils *s, int number)
{
    fdx_array *x = (fdx_array *)s->x;
    BREAK(1, s->op = NULL, FDX_E_NULL)
    BREAK(1, s->dtype = FDX_NDTYPES, FDX_E_DTYPE)
    BREAK(1, s->dtype = FDX_I8 - 1, FDX_E_DTYPE)
    BREAK(1, s->dtype = -1, FDX_E_DTYPE)
    BREAK(1, s->edge_order = 0, FDX_E_EDGE)
    BREAK(1, s->edge_order = 3, FDX_E_EDGE)
    BREAK(1, s->edge_order = -1, FDX_E_EDGE)
    BREAK(x, s->x = NULL, FDX_E_NULL)
    BREAK(x, x->data = NULL, FDX_E_NULL)
    BREAK(x, x->stride = NULL, FDX_E_NULL)
    BREAK(x, s->isa = NULL, FDX_E_NULL)
    BREAK(x, x->dtype = FDX_C64, FDX_E_DTYPE)
    BREAK(x, x->dtype = 255, FDX_E_DTYPE)
    BREAK(x, x->dtype = (uint8_t)(FDX_I8 - 1), FDX_E_DTYPE)
    BREAK(x, s->n = s->edge_order, FDX_E_SIZE)
    BREAK(x, s->n = 0, FDX_E_SIZE)
    BREAK(x, s->n = -7, FDX_E_SIZE)
    return nothing;
}

/* Coordinates: rising, uniform, or anything. */
static void draw_coordinates(array *x, ptrdiff_t n)
{
    const ptrdiff_t zero = 0;
    draw_array(x, 1, &n, &zero, &n, draw_dtype(FDX_C64), IS_READ);
    const int kind = below(3);
    double v = x->a.dtype == FDX_I8 || x->a.dtype == FDX_U8 ? 0 : ordinary();
    for (ptrdiff_t i = 0; i < n && kind < 2 && x->a.dtype >= FDX_I16; i++) {
        put(&x->a, address(&x->a, 1, &i), v);
        v += kind == 1 ? 2 : 0.5 + (double)(rnd() % 64) / 32;
    }
}

static broken break_gradient(fdx_gradient *call, int number, ptrdiff_t *part, ptrdiff_t *nparts, const ptrdiff_t *lo,
                             const ptrdiff_t *hi)
{
    fdx_gradient_axis *op = (fdx_gradient_axis *)&call->axes[below(call->naxes)];
    fdx_gradient_row *s = below(3) == 0 ? &op->interior : below(2) ? &op->first : &op->last;
    ptrdiff_t *shape = (ptrdiff_t *)call->shape, *low = (ptrdiff_t *)call->lo, *high = (ptrdiff_t *)call->hi;
    const int d = below(call->ndim), some = !is_empty(call->ndim, lo, hi), boxed = low != NULL;
    const ptrdiff_t n = shape[op->axis];
    ptrdiff_t begin, bytes;
    BREAK(1, call->shape = NULL, FDX_E_NULL)
    BREAK(1, call->in.stride = NULL, FDX_E_NULL)
    BREAK(some, call->in.data = NULL, FDX_E_NULL)
    BREAK(1, call->axes = NULL, FDX_E_NULL)
    BREAK(1, call->isa = NULL, FDX_E_NULL)
    BREAK(some, op->out.data = NULL, FDX_E_NULL)
    BREAK(1, op->out.stride = NULL, FDX_E_NULL)
    BREAK(op->x.data != NULL, op->x.stride = NULL, FDX_E_NULL)
    BREAK(1, call->ndim = 0, FDX_E_NDIM)
    BREAK(1, call->ndim = 65, FDX_E_NDIM)
    BREAK(1, call->ndim = -1, FDX_E_NDIM)
    BREAK(1, call->naxes = 0, FDX_E_COUNT)
    BREAK(1, call->naxes = 65, FDX_E_COUNT)
    BREAK(1, call->naxes = -1, FDX_E_COUNT)
    BREAK(1, shape[d] = -1, FDX_E_SHAPE)
    BREAK(1, shape[d] = PTRDIFF_MIN, FDX_E_SHAPE)
    BREAK(1, call->in.dtype = FDX_NDTYPES, FDX_E_DTYPE)
    BREAK(1, call->in.dtype = (uint8_t)(FDX_I8 - 1), FDX_E_DTYPE)
    BREAK(1, op->out.dtype = op->out.dtype == FDX_F32 ? FDX_F64 : FDX_F32, FDX_E_DTYPE)
    BREAK(1, op->out.dtype = FDX_I64, FDX_E_DTYPE)
    BREAK(1, op->out.dtype = FDX_NDTYPES, FDX_E_DTYPE)
    BREAK(op->x.data != NULL, op->x.dtype = FDX_C128, FDX_E_DTYPE)
    BREAK(op->x.data != NULL, op->x.dtype = (uint8_t)(FDX_I8 - 1), FDX_E_DTYPE)
    BREAK(1, op->axis = -1, FDX_E_AXIS)
    BREAK(1, op->axis = call->ndim, FDX_E_AXIS)
    BREAK(!boxed, shape[op->axis] = 1, FDX_E_SIZE)
    BREAK(1, op->n = n + 1, FDX_E_SIZE)
    BREAK(1, op->n = -1, FDX_E_SIZE)
    BREAK(!boxed, shape[op->axis] = 0, FDX_E_SIZE)
    BREAK(1, s->formula = 3, FDX_E_STENCIL)
    BREAK(1, s->formula = 255, FDX_E_STENCIL)
    BREAK(1, op->first.formula = FDX_SPACED, FDX_E_STENCIL)
    BREAK(op->x.data == NULL, op->interior.formula = FDX_SPACED, FDX_E_STENCIL)
    BREAK(1, op->first.off[below(2)] = -1, FDX_E_STENCIL)
    BREAK(1, op->last.off[below(2)] = 1, FDX_E_STENCIL)
    BREAK(n < 100, op->first.off[0] = (int8_t)n, FDX_E_STENCIL)
    BREAK(n < 100, op->last.off[1] = (int8_t)-n, FDX_E_STENCIL)
    BREAK(n > 2, op->interior.off[0] = -2, FDX_E_STENCIL)
    BREAK(n > 2, op->interior.off[1] = 2, FDX_E_STENCIL)
    BREAK(op->last.formula == FDX_WEIGHTED, op->last.off[2] = 1, FDX_E_STENCIL)
    BREAK(boxed, call->lo = NULL, FDX_E_BOX)
    BREAK(boxed, call->hi = NULL, FDX_E_BOX)
    BREAK(!boxed, call->lo = shape, FDX_E_BOX)
    BREAK(boxed, low[d] = -1, FDX_E_BOX)
    BREAK(boxed, high[d] = low[d] - 1, FDX_E_BOX)
    BREAK(boxed, high[d] = shape[d] + 1, FDX_E_BOX)
    BREAK(boxed, low[d] = PTRDIFF_MAX, FDX_E_BOX)
    BREAK(some && hi[d] - lo[d] > 1, ((ptrdiff_t *)op->out.stride)[d] = 0, FDX_E_OVERLAP)
    BREAK(1, *part = *nparts, FDX_E_PART)
    BREAK(1, *part = -1, FDX_E_PART)
    BREAK(1, *nparts = 0, FDX_E_PART)
    BREAK(1, *nparts = -3, FDX_E_PART)
    bytes = some ? extent(&call->in, call->ndim, zeros, shape, &begin) : 0;
    BREAK(some, lay_over(&op->out, call->ndim, lo, hi, (char *)call->in.data + begin, bytes), FDX_E_OVERLAP)
    bytes = op->x.data != NULL ? extent(&op->x, 1, zeros, &n, &begin) : 0;
    op = (fdx_gradient_axis *)&call->axes[below(call->naxes)]; /* the coordinates of another axis have the same error */
    const char *x = bytes > 0 ? (const char *)call->axes[0].x.data : NULL;
    BREAK(some && x && call->naxes == 1, lay_over(&op->out, call->ndim, lo, hi, x + begin, bytes), FDX_E_OVERLAP)
    return nothing;
}

static void scramble_gradient(fdx_gradient *call, ptrdiff_t *shape)
{
    for (int times = 1 + below(5); times > 0; times--) {
        fdx_gradient_axis *op = (fdx_gradient_axis *)&call->axes[below(call->naxes)];
        fdx_gradient_row *s = below(3) == 0 ? &op->interior : below(2) ? &op->first : &op->last;
        switch (below(9)) {
        case 0: shape[below(call->ndim)] = below(16) - 1; break;
        case 1: call->in.dtype = (uint8_t)below(16); break;
        case 2: op->out.dtype = (uint8_t)below(16); break;
        case 3: op->axis = wild_int(); break;
        case 4: s->formula = (uint8_t)below(5); break;
        case 5: s->off[below(3)] = (int8_t)wild_int(); break;
        case 6: op->x.dtype = (uint8_t)below(16); break;
        case 7: s->w[below(3)] = draw_spacing(); break;
        default: s->off[below(3)] = (int8_t)(below(5) - 2); break;
        }
    }
}

static fdx_status run_gradient(void *call, const fdx_isa *isa, ptrdiff_t part, ptrdiff_t nparts)
{
    fdx_gradient by = *(const fdx_gradient *)call;
    by.isa = isa;
    return nparts == 1 && part == 0 ? fdx_gradient_apply(&by) : fdx_gradient_apply_part(&by, part, nparts);
}

static void gradient_case(int mode)
{
    enum { MOST = 6 };
    const int ndim = 1 + below(4), dtype = draw_dtype(FDX_NDTYPES), naxes = 1 + below(below(4) ? 3 : MOST);
    const int wild = mode == 2, usual = chance(3) ? IS_USUAL : 0, site = below(4);
    const fdx_isa *isa = tables[below(ntables)];
    ptrdiff_t least[FDX_MAXDIM] = {0}, *shape = keep_indices(ndim, NULL);
    fdx_gradient_axis *op = keep((size_t)naxes * sizeof *op);
    fdx_array *x_of[MOST] = {NULL};
    array x, in, out[MOST];
    for (int k = 0; k < naxes; k++) {
        op[k].axis = below(ndim);
        least[op[k].axis] = 2;
    }
    draw_shape(ndim, shape, least);
    for (int k = 0; k < naxes; k++) {
        const ptrdiff_t n = shape[op[k].axis];
        const int kind = below(4);
        fdx_status status;
        stencils s = {&op[k], dtype, below(3), n < 3 ? 1 : 1 + below(2), draw_spacing(), NULL, n, isa};
        if (kind == 1) {
            draw_coordinates(&x, n);
            x_of[k] = keep(sizeof *x_of[k]);
            *x_of[k] = x.a;
            s.x = x_of[k];
        }
        if (kind == 2) { /* filled in by hand */
            op[k].first = draw_stencil(0, n < 3 ? 1 : 2);
            op[k].last = draw_stencil(n < 3 ? -1 : -2, 0);
            op[k].interior = draw_stencil(-1, 1);
            continue;
        }
        const int breaks = mode == 1 && site == 1;
        const broken b = breaks ? break_stencils(&s, below(18)) : nothing;
        before_calls();
        const fdx_gradient_axis before = op[k];
        if (x_of[k] != NULL)
            CALL(status, fdx_gradient_coords(s.op, s.dtype, s.x, s.n, s.edge_order, s.isa));
        else
            CALL(status, fdx_gradient_uniform(s.op, s.dtype, s.h, (fdx_precision)s.precision, s.edge_order));
        expect("fdx_gradient_*", b, status);
        if (b.what != NULL) {
            if (memcmp(&before, &op[k], sizeof before) != 0)
                die("an operator was written to after", b.what);
            return;
        }
        if (op[k].axis != before.axis)
            die("an axis was written to", "");
        kept_before = sum_of_kept();
        expect_unchanged("making stencils");
    }

    fdx_gradient call = {ndim, shape, {NULL, NULL, (uint8_t)dtype, 0}, naxes, op, isa, NULL, NULL, NULL, 0};
    for (int k = 0; k < naxes; k++)
        op[k].out.dtype = (uint8_t)fdx_result_dtype(dtype);
    if (wild)
        scramble_gradient(&call, shape);
    ptrdiff_t positive[FDX_MAXDIM];
    for (int d = 0; d < ndim; d++)
        positive[d] = shape[d] > 0 ? shape[d] : 0;
    ptrdiff_t *lo = keep_indices(ndim, NULL), *hi = keep_indices(ndim, NULL);
    const int boxed = draw_box(ndim, positive, lo, hi), alone = boxed && below(2);
    draw_array(&in, ndim, positive, zeros, positive, call.in.dtype, IS_READ | usual);
    call.in = in.a;
    for (int k = 0; k < naxes; k++) {
        ptrdiff_t there[FDX_MAXDIM];
        for (int d = 0; d < ndim; d++)
            there[d] = alone ? hi[d] - lo[d] : positive[d];
        draw_array(&out[k], ndim, there, alone ? lo : zeros, alone ? hi : positive, op[k].out.dtype,
                   IS_WRITTEN | usual);
        op[k].out = out[k].a;
        /* a wild call may have too few coordinates */
        ptrdiff_t begin;
        if (wild && op[k].x.data != NULL) {
            const int axis = op[k].axis < 0 || op[k].axis >= ndim ? 0 : op[k].axis;
            if (extent(&op[k].x, 1, zeros, &positive[axis], &begin) > 0) {
                array again = {op[k].x, keep_indices(1, op[k].x.stride), NULL};
                again.a.stride = again.stride;
                place(&again, 1, zeros, &positive[axis], IS_READ);
                if (again.a.data != NULL)
                    op[k].x = again.a;
            }
        }
    }
    if (wild && chance(6))
        (below(2) ? in : out[below(naxes)]).stride[below(ndim)] = wild_stride();
    const double alpha = below(4) ? ordinary() : draw_spacing();
    double *alpha_at = keep(sizeof *alpha_at);
    *alpha_at = alpha;
    if (boxed) {
        call.lo = lo;
        call.hi = hi;
    }
    if (chance(3))
        call.accumulate = alpha_at;
    call.first_touch = (uint8_t)below(2);

    ptrdiff_t nparts = 1 + below(4), part = below((int)nparts);
    if (mode == 0) {
        before_calls();
        check_results(run_gradient, &call, isa, out, naxes, ndim, lo, hi);
        return;
    }
    ptrdiff_t low[FDX_MAXDIM], high[FDX_MAXDIM];
    memcpy(low, lo, sizeof *lo * (size_t)ndim);
    memcpy(high, hi, sizeof *hi * (size_t)ndim);
    const broken b = mode == 1 ? break_gradient(&call, below(63), &part, &nparts, low, high) : nothing;
    if (mode == 1 && b.what == NULL)
        return;
    before_calls();
    fdx_status status;
    CALL(status, fdx_gradient_apply_part(&call, part, nparts));
    if (wild) {
        check_wild(status, out, naxes, ndim, lo, hi);
        return;
    }
    expect("fdx_gradient_apply_part", b, status);
    expect_unchanged(b.what);
    CALL(status, fdx_gradient_apply_part(NULL, 0, 1));
    expect("fdx_gradient_apply_part", (broken){"call = NULL", FDX_E_NULL, FDX_E_NULL}, status);
}

/* ---- weights ---- */

typedef struct {
    double *w, *rest, *x, at;
    int n, deriv;
} weights;

static broken break_weights(weights *c, int number)
{
    static const double not_finite[] = {NAN, INFINITY, -INFINITY};
    const int k = below(c->n);
    BREAK(1, c->w = NULL, FDX_E_NULL)
    BREAK(1, c->x = NULL, FDX_E_NULL)
    BREAK(1, c->deriv = c->n, FDX_E_SIZE)
    BREAK(1, c->deriv = -1, FDX_E_SIZE)
    BREAK(1, c->deriv = INT_MAX, FDX_E_SIZE)
    BREAK(1, c->n = 65, FDX_E_SIZE)
    BREAK(1, c->n = c->deriv, FDX_E_SIZE)
    BREAK(1, c->n = INT_MIN, FDX_E_SIZE)
    BREAK(c->n > 1, c->x[k] = c->x[(k + 1) % c->n], FDX_E_NODES)
    BREAK(1, c->x[k] = not_finite[below(3)], FDX_E_NODES)
    BREAK(1, c->at = not_finite[below(3)], FDX_E_NODES)
    return nothing;
}

static void weights_case(int mode)
{
    /* Long integers take milliseconds: few nodes where doubles do not suffice. */
    static const int most[] = {FDX_MAXNODES, 12, 8, 4};
    const int kind = mode == 1 ? 0 : below(4), n = 1 + below(most[kind]);
    weights c = {NULL, NULL, numbers(n), 0, n, below(n < 5 ? n : 5)};
    double first[FDX_MAXNODES], *x = c.x;
    c.w = chance(4) ? x : numbers(n);
    c.rest = chance(4) ? NULL : chance(3) && c.w != x ? x : numbers(n);
    for (int k = 0; k < n; k++)
        if (kind == 0) /* integers, so that they are fine */
            x[k] = k * 2 - n + (int)(rnd() % 2);
        else if (kind == 1)
            x[k] = k + (double)(rnd() % 1000) / 1001;
        else if (kind == 2)
            x[k] = ordinary();
        else
            x[k] = ldexp(ordinary(), (int)(rnd() % 2000) - 1000);
    for (int k = 0; k < n; k++) { /* in any order */
        const int other = (int)(rnd() % (uint64_t)(k + 1));
        const double t = x[k];
        x[k] = x[other];
        x[other] = t;
    }
    c.at = kind == 3 ? x[0] / 3 : below(2) ? x[below(n)] : ordinary();
    memcpy(first, x, sizeof *x * (size_t)n);
    const broken b = mode == 1 ? break_weights(&c, below(11)) : nothing;
    before_calls();
    fdx_status status;
    CALL(status, fdx_weights(c.w, c.rest, c.x, c.n, c.at, c.deriv));
    if (kind < 2)
        expect("fdx_weights", b, status);
    else if (status != FDX_OK && status != FDX_E_NODES)
        die("fdx_weights says", fdx_status_message(status));
    if (status != FDX_OK) {
        expect_unchanged("no weights");
    } else { /* with the nodes reversed, the bits are the same */
        double turned[FDX_MAXNODES], w[FDX_MAXNODES];
        for (int k = 0; k < n; k++)
            turned[k] = first[n - 1 - k];
        if (fdx_weights(w, NULL, turned, n, c.at, c.deriv) != FDX_OK)
            die("weights of nodes in another order", "");
        for (int k = 0; k < n; k++)
            if (memcmp(&w[k], &c.w[n - 1 - k], sizeof *w) != 0 && c.w != c.rest)
                die("weights of nodes in another order are others", "");
        if (c.w != x)
            slot_at(c.w)->scratch = 1;
        if (c.rest != NULL && c.rest != x)
            slot_at(c.rest)->scratch = 1;
        if (c.w == x || c.rest == x)
            slot_at(x)->scratch = 1;
        expect_unchanged("weights");
    }
    const int any = wild_int(), size = (int)fdx_itemsize(any);
    if (fdx_status_message((fdx_status)(any & 31)) == NULL || (size > 0) != (any >= FDX_I8 && any < FDX_NDTYPES))
        die("a message, or a size", "");
    if (fdx_isa_find("none") != NULL || fdx_isa_find(NULL) != NULL || fdx_isa_name(tables[0])[0] == 0)
        die("an instruction set", "");
}

/* ---- bands ---- */

/* A valid derivative, unless there must be too few points. */
static fdx_derivative draw_derivative(ptrdiff_t most)
{
    static const double spacings[] = {1, 0.5, -1, 0.1, 3, -0.37}, scales[] = {1, 1, -2, 0.1, -0.5, 7};
    fdx_derivative what;
    memset(&what, 0, sizeof what);
    what.deriv = 1 + below(chance(32) ? 9 : 4); /* from 5 on, weights are computed one by one, with long integers */
    what.accuracy = 2 + 2 * below(chance(32) ? 6 : 3);
    what.left = below(FDX_NBOUNDARIES);
    what.right = below(FDX_NBOUNDARIES);
    if (what.left == FDX_PERIODIC || what.right == FDX_PERIODIC)
        what.left = what.right = FDX_PERIODIC;
    what.scale = scales[below(6)];
    what.spacing = spacings[below(6)];
    what.isa = below(2) ? tables[below(ntables)] : NULL;
    what.n = most;
    return what;
}

/* Coordinates for n points: non-uniform, falling or uniform. */
static void draw_points(fdx_derivative *what)
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
    const int all = x != NULL && what->left != FDX_VALID && what->right != FDX_VALID;
    BREAK(1, c->memory = NULL, FDX_E_NULL)
    BREAK(1, c->at = NULL, FDX_E_NULL)
    BREAK(1, c->band = NULL, FDX_E_NULL)
    BREAK(1, what->deriv = 0, FDX_E_STENCIL)
    BREAK(1, what->deriv = -1, FDX_E_STENCIL)
    BREAK(1, what->deriv = INT_MIN, FDX_E_STENCIL)
    BREAK(1, what->deriv = 65, FDX_E_SIZE)
    BREAK(1, what->deriv = INT_MAX, FDX_E_SIZE)
    BREAK(1, what->accuracy = 3, FDX_E_STENCIL)
    BREAK(1, what->accuracy = 0, FDX_E_STENCIL)
    BREAK(1, what->accuracy = -2, FDX_E_STENCIL)
    BREAK(1, what->accuracy = 66, FDX_E_SIZE)
    BREAK(1, what->accuracy = INT_MAX - 1, FDX_E_SIZE)
    BREAK(1, what->left = FDX_NBOUNDARIES, FDX_E_STENCIL)
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
    BREAK(x == NULL, what->spacing = 0, FDX_E_NODES)
    BREAK(x == NULL, what->spacing = NAN, FDX_E_NODES)
    BREAK(x == NULL, what->spacing = INFINITY, FDX_E_NODES)
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

static const fdx_band *term(const fdx_band *a, const fdx_band *b, int mode)
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

/* A band filled in by hand, with at least one column. */
typedef struct {
    int pairs, half_width; /* FDX_SUM_ANTISYMMETRIC or FDX_SUM_SYMMETRIC in square bands, as in Laplacians */
} usual_rows;

static double *draw_weights(fdx_stencil *stencil, ptrdiff_t rows)
{
    double *w = stencil->count * rows < 200 || stencil->count * rows > 20000
                    ? keep((size_t)(stencil->count * rows) * sizeof *w)
                    : numbers(stencil->count * rows);
    for (ptrdiff_t i = 0; i < stencil->count * rows; i++)
        w[i] = rnd() % 40 ? ordinary() * 1.1 : 0;
    if (stencil->summation >= FDX_SUM_ANTISYMMETRIC)
        for (int k = 1; k <= stencil->centre; k++)
            w[stencil->centre - k] =
                stencil->summation == FDX_SUM_ANTISYMMETRIC ? -w[stencil->centre + k] : w[stencil->centre + k];
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

static const fdx_band *draw_band(ptrdiff_t columns, const usual_rows *as)
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

/* ---- operators ---- */

/* For each coefficient, and its shape. */
typedef struct {
    const fdx_array *coefficient;
    ptrdiff_t n[FDX_MAXDIM];
} a_factor;

static int factors_of(const fdx_operator *op, a_factor *list, int most)
{
    int count = 0;
    for (int k = 0; k < op->nchains; k++) {
        ptrdiff_t n[FDX_MAXDIM];
        memcpy(n, op->in_shape, (size_t)op->ndim * sizeof *n);
        for (int s = 0; s < op->chain[k].nstages && op->chain[k].nstages <= FDX_MAXSTAGES; s++) {
            const fdx_stage *stage = &op->chain[k].stage[s];
            if (stage->band != NULL && stage->axis >= 0 && stage->axis < op->ndim)
                n[stage->axis] = stage->band->rows;
            if (stage->coefficient != NULL && count < most) {
                list[count].coefficient = stage->coefficient;
                memcpy(list[count++].n, n, (size_t)op->ndim * sizeof *n);
            }
        }
    }
    return count;
}

static fdx_array *draw_factor(int ndim, const ptrdiff_t *shape)
{
    static const int reals[] = {FDX_F64, FDX_F32, FDX_I16, FDX_U8, FDX_I64, FDX_F64};
    array a;
    fdx_array *kept_one = keep(sizeof *kept_one);
    draw_array(&a, ndim, shape, zeros, shape, reals[below(6)], IS_READ | (chance(3) ? IS_USUAL : 0));
    *kept_one = a.a;
    return kept_one;
}

/* Sums of chains of bands filled in by hand, and of `given`, unless NULL. */
static fdx_operator *draw_operator(const fdx_band *given, int *usual)
{
    static const fdx_operator none;
    enum { MOST = 5 };
    const int ndim = 1 + below(4), simple = below(3) == 0, ninputs = 1 + below(3), noutputs = 1 + below(2);
    const int nchains = noutputs + below(MOST - noutputs + 1), axis = below(ndim), coefficients = !simple && below(2);
    const usual_rows as = {below(2) ? FDX_SUM_SYMMETRIC : FDX_SUM_ANTISYMMETRIC, simple ? below(5) : 0};
    ptrdiff_t least[FDX_MAXDIM] = {0}, in_shape[FDX_MAXDIM], out_shape[FDX_MAXDIM], n[MOST][FDX_MAXDIM];
    const int no_empty = below(16) > 0;
    for (int d = 0; d < ndim; d++)
        least[d] = no_empty;
    if (given != NULL)
        least[axis] = given->columns;
    *usual = simple && below(4) > 0 ? IS_USUAL : 0;
    if (*usual)
        for (int d = 0; d < ndim; d++)
            least[d] += d == ndim - 1 ? below(60) : 2 * as.half_width;
    draw_shape(ndim, in_shape, least);
    if (given != NULL)
        in_shape[axis] = given->columns;
    fdx_chain *chain = keep((size_t)nchains * sizeof *chain);
    for (int k = 0; k < nchains; k++) {
        const int nstages = simple || below(2) == 0 ? 1 : 1 + below(chance(8) ? 6 : 3);
        fdx_stage *stage = keep((size_t)nstages * sizeof *stage);
        chain[k] = (fdx_chain){*usual ? below(4) == 3 ? below(ninputs) : 0 : below(ninputs),
                               k < noutputs ? k : noutputs - 1, nstages, stage, NULL};
        memcpy(n[k], in_shape, sizeof n[k]);
        for (int s = 0; s < nstages; s++) {
            stage[s].axis = *usual && k + 1 >= noutputs ? (ndim + (k - nchains) % ndim) % ndim : below(ndim);
            if (given != NULL && k == 0 && s == 0)
                stage[s].axis = axis;
            const ptrdiff_t columns = n[k][stage[s].axis];
            if (given != NULL && columns == given->columns && (s == 0 || below(2)))
                stage[s].band = given;
            else if (columns > 0 && below(8) != 1)
                stage[s].band = draw_band(columns, &as);
            if (stage[s].band != NULL)
                n[k][stage[s].axis] = stage[s].band->rows;
            else if (below(2))
                stage[s].axis = wild_int(); /* not checked */
            if (coefficients && chance(3))
                stage[s].coefficient = draw_factor(ndim, n[k]);
        }
    }
    for (int d = 0; d < ndim; d++) {
        out_shape[d] = n[0][d];
        for (int k = 1; k < nchains; k++)
            out_shape[d] = n[k][d] < out_shape[d] ? n[k][d] : out_shape[d];
        if (!simple && chance(4))
            out_shape[d] = below((int)out_shape[d] + 1);
    }
    for (int k = 0; k < nchains; k++)
        if (below(4) || simple) {
            ptrdiff_t *shift = keep_indices(ndim, NULL);
            chain[k].shift = shift;
            for (int d = 0; d < ndim; d++)
                shift[d] = n[k][d] > out_shape[d] && below(2) ? below((int)(n[k][d] - out_shape[d]) + 1) : 0;
        }
    fdx_operator *op = keep(sizeof *op);
    *op = none;
    op->ndim = ndim;
    op->in_shape = keep_indices(ndim, in_shape);
    op->out_shape = keep_indices(ndim, out_shape);
    op->ninputs = ninputs;
    op->noutputs = noutputs;
    op->nchains = nchains;
    op->chain = chain;
    op->isa = tables[below(ntables)];
    return op;
}

/* Wild numbers anywhere in a band. Those that give lengths of lists stay true, or become ones that no list can have.
 * Returns whether they still give lengths. */
static int scramble_band(fdx_band *band)
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

/* Wild numbers anywhere in an operator. Those that give lengths of lists stay true. */
static void scramble_operator(fdx_operator *op)
{
    const fdx_operator was = *op;
    for (int times = 1 + below(4); times > 0; times--) {
        fdx_chain *chain = (fdx_chain *)&op->chain[below(was.nchains)];
        if (chain->nstages < 1 || chain->nstages > FDX_MAXSTAGES)
            continue;
        fdx_stage *stage = (fdx_stage *)&chain->stage[below(chain->nstages)];
        fdx_band *band = (fdx_band *)stage->band;
        const int d = below(was.ndim);
        switch (below(18)) {
        case 0: op->ndim = below(8) ? 1 + below(was.ndim) : wild_int() < 0 ? -1 : 65; break;
        case 1: ((ptrdiff_t *)op->in_shape)[d] = below(24) - 2; break;
        case 2: ((ptrdiff_t *)op->out_shape)[d] = below(24) - 2; break;
        case 3: op->ninputs = below(was.ninputs + 1); break;
        case 4: op->noutputs = below(was.noutputs + 1); break;
        case 5: op->nchains = below(was.nchains + 1); break;
        case 6: chain->in = wild_int(); break;
        case 7: chain->out = wild_int(); break;
        case 8: chain->nstages = below(8) ? 1 + below(chain->nstages) : below(2) ? 17 : 0; break;
        case 9:
            if (chain->shift != NULL)
                ((ptrdiff_t *)chain->shift)[d] = wild_number();
            break;
        case 10: stage->axis = wild_int(); break;
        case 11:
            if (stage->coefficient != NULL)
                ((fdx_array *)stage->coefficient)->dtype = (uint8_t)below(16);
            break;
        default:
            if (band != NULL && !scramble_band(band))
                times = 1;
        }
        if (op->ndim < 1 || op->ndim > was.ndim || op->ninputs < 1 || op->noutputs < 1 || op->nchains < 1)
            return;
    }
}

/* Then, coefficients have as much memory as the operator says. */
static void refit_factors(fdx_operator *op)
{
    a_factor list[32];
    const int count = factors_of(op, list, 32);
    for (int k = 0; k < count; k++) {
        fdx_array *f = (fdx_array *)list[k].coefficient;
        ptrdiff_t n[FDX_MAXDIM];
        for (int d = 0; d < op->ndim; d++)
            n[d] = list[k].n[d] < 0 ? 0 : list[k].n[d] > 100000 ? 100000 : list[k].n[d];
        array again = {*f, keep_indices(op->ndim, NULL), NULL};
        again.a.stride = again.stride;
        draw_strides(&again, op->ndim, n, IS_READ);
        for (int d = 0; d < op->ndim; d++)
            if (n[d] != list[k].n[d])
                again.stride[d] = 0;
        place(&again, op->ndim, zeros, n, IS_READ);
        if (again.a.data != NULL)
            *f = again.a;
    }
}

typedef struct {
    fdx_call call;
    void *workspace;
    ptrdiff_t bytes, part, nparts;
    ptrdiff_t exact; /* bytes that suffice */
    void *of_base;   /* a workspace for the base table, which may need another size */
    ptrdiff_t bytes_of_base;
} application;

static broken break_application(application *o, int number, const ptrdiff_t *lo, const ptrdiff_t *hi)
{
    fdx_call *call = &o->call;
    fdx_operator *op = (fdx_operator *)call->op;
    const int ndim = op->ndim, d = below(ndim), some = !is_empty(ndim, lo, hi), boxed = call->lo != NULL;
    fdx_chain *chain = (fdx_chain *)&op->chain[below(op->nchains)];
    fdx_stage *stage = (fdx_stage *)&chain->stage[below(chain->nstages)];
    fdx_band *band = (fdx_band *)stage->band;
    fdx_array *coefficient = (fdx_array *)stage->coefficient;
    fdx_array *in = (fdx_array *)&call->in[below(op->ninputs)], *out = (fdx_array *)&call->out[below(op->noutputs)];
    ptrdiff_t *low = (ptrdiff_t *)call->lo, *high = (ptrdiff_t *)call->hi, *shift = (ptrdiff_t *)chain->shift;
    ptrdiff_t *in_shape = (ptrdiff_t *)op->in_shape, *out_shape = (ptrdiff_t *)op->out_shape;
    const int closures = band != NULL && band->nfirst > 0;
    const ptrdiff_t inside = band != NULL ? band->rows - band->nfirst - band->nlast : 0;
    fdx_stencil *inner = band != NULL ? &band->interior : NULL;
    fdx_stencil *r = closures && below(2) ? (fdx_stencil *)&band->first[below((int)band->nfirst)] : inner;
    const int paired = inner != NULL && inner->summation >= FDX_SUM_ANTISYMMETRIC;
    BREAK(1, call->op = NULL, FDX_E_NULL)
    BREAK(1, call->in = NULL, FDX_E_NULL)
    BREAK(1, call->out = NULL, FDX_E_NULL)
    BREAK(1, op->in_shape = NULL, FDX_E_NULL)
    BREAK(1, op->out_shape = NULL, FDX_E_NULL)
    BREAK(1, op->chain = NULL, FDX_E_NULL)
    BREAK(1, op->isa = NULL, FDX_E_NULL)
    BREAK(1, chain->stage = NULL, FDX_E_NULL)
    BREAK(1, in->stride = NULL, FDX_E_NULL)
    BREAK(some, in->data = NULL, FDX_E_NULL)
    BREAK(1, out->stride = NULL, FDX_E_NULL)
    BREAK(some, out->data = NULL, FDX_E_NULL)
    BREAK(coefficient, coefficient->stride = NULL, FDX_E_NULL)
    BREAK(coefficient && some, coefficient->data = NULL, FDX_E_NULL)
    BREAK(o->exact > 0, o->workspace = NULL, FDX_E_NULL)
    BREAK_TO(r, r->w = NULL, FDX_E_NULL, FDX_E_STENCIL)
    BREAK_TO(closures, band->first = NULL, FDX_E_NULL, FDX_E_STENCIL)
    BREAK_TO(band && band->nlast > 0, band->last = NULL, FDX_E_NULL, FDX_E_STENCIL)
    BREAK(1, op->ndim = 0, FDX_E_NDIM)
    BREAK(1, op->ndim = 65, FDX_E_NDIM)
    BREAK(1, op->ndim = INT_MIN, FDX_E_NDIM)
    BREAK(1, op->ninputs = 0, FDX_E_COUNT)
    BREAK(1, op->ninputs = 65, FDX_E_COUNT)
    BREAK(1, op->noutputs = 0, FDX_E_COUNT)
    BREAK(1, op->noutputs = 65, FDX_E_COUNT)
    BREAK(1, op->nchains = 0, FDX_E_COUNT)
    BREAK(1, op->nchains = -1, FDX_E_COUNT)
    BREAK(op->noutputs > 1, op->nchains = 1, FDX_E_COUNT)
    BREAK(1, chain->in = op->ninputs, FDX_E_COUNT)
    BREAK(1, chain->in = -1, FDX_E_COUNT)
    BREAK(1, chain->out = op->noutputs, FDX_E_COUNT)
    BREAK(1, chain->out = -1, FDX_E_COUNT)
    BREAK(op->noutputs > 1, ((fdx_chain *)op->chain)[0].out = 1, FDX_E_COUNT)
    BREAK(op->noutputs > 1, ((fdx_chain *)op->chain)[op->nchains - 1].out = 0, FDX_E_COUNT)
    BREAK(1, chain->nstages = 0, FDX_E_COUNT)
    BREAK(1, chain->nstages = FDX_MAXSTAGES + 1, FDX_E_COUNT)
    BREAK(1, in_shape[d] = -1, FDX_E_SHAPE)
    BREAK(1, out_shape[d] = -1, FDX_E_SHAPE)
    BREAK(1, out_shape[d] = PTRDIFF_MIN, FDX_E_SHAPE)
    BREAK(1, in->dtype = FDX_NDTYPES, FDX_E_DTYPE)
    BREAK(1, in->dtype = in->dtype == FDX_F32 ? FDX_C64 : FDX_F32, FDX_E_DTYPE)
    BREAK(1, out->dtype = 200, FDX_E_DTYPE)
    BREAK(1, out->dtype = out->dtype == FDX_C64 ? FDX_C128 : FDX_C64, FDX_E_DTYPE)
    BREAK(1, out->dtype = FDX_I32, FDX_E_DTYPE)
    BREAK(coefficient, coefficient->dtype = FDX_C128, FDX_E_DTYPE)
    BREAK(coefficient, coefficient->dtype = (uint8_t)(FDX_I8 - 1), FDX_E_DTYPE)
    BREAK(1, in->dtype = (uint8_t)(FDX_I8 - 1), FDX_E_DTYPE)
    BREAK(some && hi[d] - lo[d] > 1, ((ptrdiff_t *)out->stride)[d] = 0, FDX_E_OVERLAP)
    BREAK(band, stage->axis = -1, FDX_E_AXIS)
    BREAK(band, stage->axis = ndim, FDX_E_AXIS)
    BREAK(band && stage == chain->stage, in_shape[stage->axis]++, FDX_E_SIZE)
    BREAK(band && stage == chain->stage && in_shape[stage->axis] > 0, in_shape[stage->axis]--, FDX_E_SIZE)
    BREAK(band && !band->periodic, band->columns += 1, FDX_E_SIZE)
    BREAK(some && !boxed, out_shape[d] = PTRDIFF_MAX, FDX_E_SIZE)
    BREAK(shift, shift[d] = -1, FDX_E_SIZE)
    BREAK(shift, shift[d] = PTRDIFF_MAX, FDX_E_SIZE)
    BREAK(band && inside > 0 && !band->periodic, inner->offset = -band->nfirst - 1, FDX_E_STENCIL)
    BREAK(band && inside > 0 && !band->periodic, inner->offset = band->columns, FDX_E_STENCIL)
    BREAK(band && band->periodic, inner->offset = -band->columns - 1, FDX_E_STENCIL)
    BREAK(band && band->periodic, inner->offset = band->columns + 2 - inner->count, FDX_E_STENCIL)
    BREAK(closures, ((fdx_stencil *)band->first)[0].offset = -1, FDX_E_STENCIL)
    BREAK(closures, ((fdx_stencil *)band->first)[0].offset = band->columns, FDX_E_STENCIL)
    BREAK(r, r->count = 0, FDX_E_STENCIL)
    BREAK(r, r->count = FDX_MAXWEIGHTS + 1, FDX_E_STENCIL)
    BREAK(r, r->summation = FDX_SUM_SYMMETRIC + 1, FDX_E_STENCIL)
    BREAK(r, r->summation = -1, FDX_E_STENCIL)
    BREAK(r && r->summation != FDX_SUM_PLAIN, r->centre = -1, FDX_E_STENCIL)
    BREAK(r && r->summation != FDX_SUM_PLAIN, r->centre = r->count, FDX_E_STENCIL)
    BREAK(paired, inner->centre--, FDX_E_STENCIL)
    BREAK(paired, inner->row_step = 1, FDX_E_STENCIL)
    BREAK(closures, band->periodic = 1, FDX_E_STENCIL)
    BREAK(band && band->periodic, band->rows++, FDX_E_STENCIL)
    BREAK(band, band->nfirst = -1, FDX_E_STENCIL)
    BREAK(band, band->nlast = -1, FDX_E_STENCIL)
    BREAK(band, band->nlast = band->rows - band->nfirst + 1, FDX_E_STENCIL)
    BREAK(boxed, call->lo = NULL, FDX_E_BOX)
    BREAK(boxed, call->hi = NULL, FDX_E_BOX)
    BREAK(!boxed, call->hi = out_shape, FDX_E_BOX)
    BREAK(boxed, low[d] = -1, FDX_E_BOX)
    BREAK(boxed, high[d] = low[d] - 1, FDX_E_BOX)
    BREAK(boxed, high[d] = out_shape[d] + 1, FDX_E_BOX)
    BREAK(1, o->part = o->nparts, FDX_E_PART)
    BREAK(1, o->part = -1, FDX_E_PART)
    BREAK(1, o->nparts = 0, FDX_E_PART)
    BREAK(o->exact > 0, o->bytes = o->exact - 1, FDX_E_WORKSPACE)
    BREAK(o->exact > 0, o->bytes = 0, FDX_E_WORKSPACE)
    BREAK(o->exact > 0, o->bytes = -1, FDX_E_WORKSPACE)
    ptrdiff_t begin = 0, bytes = some ? extent(in, ndim, zeros, in_shape, &begin) : 0;
    BREAK(some, lay_over(out, ndim, lo, hi, (char *)in->data + begin, bytes), FDX_E_OVERLAP)
    a_factor list[32];
    const int nfactors = factors_of(op, list, 32);
    if (some && nfactors > 0) {
        const a_factor *f = &list[below(nfactors)];
        if (is_empty(ndim, zeros, f->n))
            return nothing;
        bytes = extent(f->coefficient, ndim, zeros, f->n, &begin);
        BREAK(1, lay_over(out, ndim, lo, hi, (char *)f->coefficient->data + begin, bytes), FDX_E_OVERLAP)
    }
    return nothing;
}

static fdx_status run_operation(void *of, const fdx_isa *isa, ptrdiff_t part, ptrdiff_t nparts)
{
    const application *o = of;
    fdx_call call = o->call;
    fdx_operator op = *call.op;
    void *workspace = isa == o->call.op->isa ? o->workspace : o->of_base;
    const ptrdiff_t bytes = isa == o->call.op->isa ? o->bytes : o->bytes_of_base;
    call.op = &op;
    op.isa = isa;
    if (nparts == 1 && part == 0)
        return fdx_apply(&call, workspace, bytes);
    if (part % 2 == 0)
        return fdx_apply_part(&call, workspace, bytes, part, nparts);
    double memory[1024];
    const fdx_prepared *prepared;
    if (fdx_prepared_size(&call) > sizeof memory)
        die("fdx_prepared_size", "");
    const fdx_status status = fdx_prepare(memory, &call, &prepared);
    if (status == FDX_OK && fdx_prepared_workspace_size(prepared) != bytes)
        die("fdx_prepared_workspace_size", "");
    return status == FDX_OK ? fdx_run(prepared, NULL, workspace, part, nparts) : status;
}

/* A workspace of fdx_workspace_size bytes; NULL if these are 0. */
static void *draw_workspace(const fdx_call *call, ptrdiff_t *bytes)
{
    poison();
    *bytes = fdx_workspace_size(call);
    unpoison();
    if (*bytes < 0)
        die("fdx_workspace_size is negative", "");
    if (*bytes == 0)
        return NULL;
    slot *s = take((size_t)*bytes, sizeof(double));
    s->scratch = 1;
    return s->used;
}

/* Draw arrays for an operator, and apply it. */
static void apply(const fdx_operator *op, int mode, int usual)
{
    static const int kinds[] = {FDX_F64, FDX_F32, FDX_C64, FDX_C128};
    const int result = kinds[below(4)], ndim = op->ndim, wild = mode == 2;
    const int ninputs = op->ninputs < 0 || op->ninputs > 64 ? 1 : op->ninputs;
    const int noutputs = op->noutputs < 0 || op->noutputs > 64 ? 1 : op->noutputs;
    if (ndim < 1 || ndim > FDX_MAXDIM)
        return;
    ptrdiff_t in_shape[FDX_MAXDIM], out_shape[FDX_MAXDIM];
    for (int d = 0; d < ndim; d++) {
        in_shape[d] = op->in_shape[d] > 0 ? op->in_shape[d] : 0;
        out_shape[d] = op->out_shape[d] > 0 ? op->out_shape[d] : 0;
    }
    fdx_array *in = keep((size_t)ninputs * sizeof *in), *out = keep((size_t)noutputs * sizeof *out);
    array inputs[64], outputs[64];
    for (int k = 0; k < ninputs; k++) {
        const int whole = result == FDX_F64 && !usual && chance(3);
        const int dtype = wild && chance(8) ? below(16) : whole ? draw_dtype(FDX_F32) : result;
        if (k == 1 && chance(6)) /* another view of the first one */
            inputs[1] = inputs[0];
        else
            draw_array(&inputs[k], ndim, in_shape, zeros, in_shape, dtype, IS_READ | usual);
        in[k] = inputs[k].a;
    }
    ptrdiff_t *lo = keep_indices(ndim, NULL), *hi = keep_indices(ndim, NULL);
    const int boxed = draw_box(ndim, out_shape, lo, hi), alone = boxed && below(2);
    for (int k = 0; k < noutputs; k++) {
        ptrdiff_t there[FDX_MAXDIM];
        for (int d = 0; d < ndim; d++)
            there[d] = alone ? hi[d] - lo[d] : out_shape[d];
        draw_array(&outputs[k], ndim, there, alone ? lo : zeros, alone ? hi : out_shape,
                   wild && chance(8) ? below(16) : result, IS_WRITTEN | usual);
        out[k] = outputs[k].a;
    }
    if (wild && ninputs > 0 && noutputs > 0 && chance(6)) /* a wild operator may have none */
        (below(2) ? inputs[below(ninputs)] : outputs[below(noutputs)]).stride[below(ndim)] = wild_stride();
    double *alpha = keep(sizeof *alpha);
    *alpha = below(4) ? ordinary() : draw_spacing();
    application o = {{op, in, out, boxed ? lo : NULL, boxed ? hi : NULL, chance(3) ? alpha : NULL, (uint8_t)chance(2)},
                     NULL,
                     0,
                     0,
                     1,
                     0,
                     NULL,
                     0};
    o.workspace = draw_workspace(&o.call, &o.exact);
    o.bytes = o.exact;
    if (mode == 0) {
        at_hand = op;
        fdx_call by_base = o.call;
        fdx_operator base = *op;
        by_base.op = &base;
        base.isa = tables[1];
        if (op->isa != base.isa)
            o.of_base = draw_workspace(&by_base, &o.bytes_of_base);
        before_calls();
        check_results(run_operation, &o, op->isa, outputs, noutputs, ndim, lo, hi);
        return;
    }
    o.nparts = 1 + below(4);
    o.part = below((int)o.nparts);
    fdx_status status;
    if (wild) {
        before_calls();
        CALL(status, fdx_apply_part(&o.call, o.workspace, o.bytes, o.part, o.nparts));
        if (o.exact > 0 && status != FDX_OK)
            die("fdx_workspace_size tells a size for a wrong call", "");
        check_wild(status, outputs, noutputs, ndim, lo, hi);
        return;
    }
    ptrdiff_t low[FDX_MAXDIM], high[FDX_MAXDIM];
    memcpy(low, lo, sizeof *lo * (size_t)ndim);
    memcpy(high, hi, sizeof *hi * (size_t)ndim);
    const broken b = break_application(&o, below(108), low, high);
    if (b.what == NULL)
        return;
    before_calls();
    const slot *workspace = o.exact > 0 ? slot_at(o.workspace) : NULL;
    if (workspace != NULL)
        ((slot *)workspace)->scratch = 0; /* it must not change, either */
    ptrdiff_t told = -1;
    poison();
    status = fdx_apply_part(&o.call, o.workspace, o.bytes, o.part, o.nparts);
    if (b.status != FDX_E_PART && b.status != FDX_E_WORKSPACE && strstr(b.what, "workspace") == NULL)
        told = fdx_workspace_size(&o.call);
    unpoison();
    expect("fdx_apply_part", b, status);
    expect_unchanged(b.what);
    if (told > 0)
        die("fdx_workspace_size tells a size after", b.what);
    CALL(status, fdx_apply_part(NULL, o.workspace, o.bytes, 0, 1));
    expect("fdx_apply_part", (broken){"call = NULL", FDX_E_NULL, FDX_E_NULL}, status);
    if (fdx_workspace_size(NULL) != 0)
        die("fdx_workspace_size of nothing", "");
}

static void operator_case(int mode)
{
    int usual;
    fdx_operator *op = draw_operator(NULL, &usual);
    if (mode == 2) {
        scramble_operator(op);
        if (op->ndim < 1 || op->ndim > FDX_MAXDIM)
            return;
        refit_factors(op);
    }
    apply(op, mode, usual);
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
static void by_hand_case(int mode)
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

static void band_case(int mode)
{
    static const fdx_band *band;
    static const ptrdiff_t long_ones[] = {1000, 3000, (ptrdiff_t)1 << 40, PTRDIFF_MAX / 4, PTRDIFF_MAX / 4 - 1000, 300};
    making c = {NULL, draw_derivative(0), NULL, &band};
    const int with_points = below(2);
    int usual;
    band = NULL;
    if (mode == 2) {
        for (int times = 1 + below(3); times > 0; times--)
            switch (below(7)) {
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
    if (with_points)
        c.what.x = dummy; /* the number of points is checked */
    ptrdiff_t least = fdx_derivative_points(&c.what);
    if (least > 12 && !chance(64)) { /* weights of many nodes take long integers, and milliseconds */
        c.what.deriv = 1 + below(4);
        c.what.accuracy = 2 + 2 * below(3);
        least = fdx_derivative_points(&c.what);
    }
    c.what.n = least + (chance(12) && !with_points ? long_ones[below(6)] - least : below(chance(32) ? 700 : 20));
    if (with_points) {
        const double period = c.what.period;
        draw_points(&c.what);
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
        b = break_derivative(&c, below(36));
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
            of = term(other, of, mode);
        } else {
            of = transposed(of);
        }
    }
    if (of == NULL || of->columns > 3000 || of->columns < 1)
        return;
    fdx_operator *op = draw_operator(of, &usual);
    apply(op, mode == 2 ? 0 : mode, usual);
}

/* Sums of derivatives. */
typedef struct {
    void *memory;
    fdx_sum *what;
    const fdx_operator **op;
} summing;

static broken break_sum(summing *c, int number)
{
    fdx_sum *what = c->what;
    fdx_term *all = (fdx_term *)what->term, *one = &all[below(what->nterms)];
    fdx_factor *factor = (fdx_factor *)&one->factor[below(one->nfactors)];
    fdx_array *coefficient = (fdx_array *)factor->coefficient;
    fdx_derivative *d = &factor->what;
    const int real = d->deriv > 0, described = factor->band == NULL, last = what->nterms - 1;
    BREAK(1, c->memory = NULL, FDX_E_NULL)
    BREAK(1, c->what = NULL, FDX_E_NULL)
    BREAK(1, c->op = NULL, FDX_E_NULL)
    BREAK(1, what->shape = NULL, FDX_E_NULL)
    BREAK(1, what->term = NULL, FDX_E_NULL)
    BREAK(1, what->isa = NULL, FDX_E_NULL)
    BREAK(1, one->factor = NULL, FDX_E_NULL)
    BREAK(coefficient, coefficient->data = NULL, FDX_E_NULL)
    BREAK(coefficient, coefficient->stride = NULL, FDX_E_NULL)
    BREAK(1, what->ndim = 0, FDX_E_NDIM)
    BREAK(1, what->ndim = 65, FDX_E_NDIM)
    BREAK(1, what->nterms = 0, FDX_E_COUNT)
    BREAK(1, what->nterms = INT_MIN, FDX_E_COUNT)
    BREAK(1, one->in = -1, FDX_E_COUNT)
    BREAK(1, one->in = FDX_MAXDIM, FDX_E_COUNT)
    BREAK(1, one->in = 5, FDX_E_COUNT)
    BREAK(1, one->out = -1, FDX_E_COUNT)
    BREAK(1, one->out += 2, FDX_E_COUNT)
    BREAK(1, all[0].out = 1, FDX_E_COUNT)
    BREAK(all[last].out > 0 && last > 0 && all[last - 1].out > 0, all[last].out = 0, FDX_E_COUNT)
    BREAK(1, one->nfactors = 0, FDX_E_COUNT)
    BREAK(1, one->nfactors = INT_MAX, FDX_E_COUNT)
    BREAK(1, ((ptrdiff_t *)what->shape)[below(what->ndim)] = -1, FDX_E_SHAPE)
    BREAK(1, factor->axis = -1, FDX_E_AXIS)
    BREAK(1, factor->axis = what->ndim, FDX_E_AXIS)
    BREAK(coefficient, coefficient->dtype = FDX_C64, FDX_E_DTYPE)
    BREAK(coefficient, coefficient->dtype = 255, FDX_E_DTYPE)
    BREAK(d->n > 0, d->n++, FDX_E_SIZE)
    BREAK(described, d->deriv = -1, FDX_E_STENCIL)
    BREAK(real, d->accuracy++, FDX_E_STENCIL)
    BREAK(real, d->accuracy = 0, FDX_E_STENCIL)
    BREAK(real, d->left = FDX_NBOUNDARIES, FDX_E_STENCIL)
    BREAK(real, d->right = -1, FDX_E_STENCIL)
    BREAK(real && d->left != FDX_PERIODIC, d->right = FDX_PERIODIC, FDX_E_STENCIL)
    BREAK(real, d->deriv = FDX_MAXNODES, FDX_E_SIZE)
    BREAK(described, d->scale = 0, FDX_E_NODES)
    BREAK(described, d->scale = NAN, FDX_E_NODES)
    BREAK(described, d->scale = -INFINITY, FDX_E_NODES)
    BREAK(real && d->x == NULL, d->spacing = 0, FDX_E_NODES)
    BREAK(real && d->x == NULL, d->spacing = NAN, FDX_E_NODES)
    BREAK(real && !factor->transposed, ((ptrdiff_t *)what->shape)[factor->axis] = 1, FDX_E_SIZE)
    BREAK(real && d->x != NULL, d->n = 0, FDX_E_SIZE)
    BREAK(1, factor->crop[0] = -1, FDX_E_SIZE)
    BREAK(1, factor->crop[1] = PTRDIFF_MAX, FDX_E_SIZE)
    BREAK(real, factor->crop[below(2)] = 1, FDX_E_SIZE)
    BREAK(one->scale, *(double *)one->scale = -INFINITY, FDX_E_NODES)
    return nothing;
}

/* Points that a factor removes at an end of the axis; transposed, that it adds. */
static ptrdiff_t lost(const fdx_factor *p, int side)
{
    const fdx_derivative *what = &p->what;
    const ptrdiff_t half_width =
        what->x != NULL ? (what->deriv + what->accuracy) / 2 : (what->deriv + 1) / 2 + what->accuracy / 2 - 1;
    if (p->band != NULL || what->deriv == 0)
        return p->crop[side];
    return (side == 0 ? what->left : what->right) == FDX_VALID ? half_width : 0;
}

/* A map for n points of an axis that may have coordinates x. */
static void draw_map(fdx_factor *p, ptrdiff_t n, const double *x, double period)
{
    p->what = draw_derivative(0);
    p->what.isa = NULL;
    p->transposed = chance(3);
    if (x != NULL && below(3)) {
        p->what.x = x;
        p->what.period = period;
    }
    const ptrdiff_t points = n + (p->transposed ? lost(p, 0) + lost(p, 1) : 0);
    const int short_axis = fdx_derivative_points(&p->what) > points || (p->what.x != NULL && points != n);
    if (below(2) || p->what.x != NULL)
        p->what.n = points;
    if (!short_axis && !chance(5))
        return;
    p->what.deriv = 0;
    p->what.n = 0;
    if (n == 0)
        p->what.scale = 1;
    if (n > 0 && chance(4)) {
        const usual_rows as = {FDX_SUM_SYMMETRIC, 0};
        const fdx_band *band = n < 3000 ? draw_band(n, &as) : NULL;
        if (band != NULL && band->rows == n && band->columns == n)
            p->band = band;
        return;
    }
    for (int side = 0; side < 2; side++)
        if (chance(2) && n > p->crop[0] + 3)
            p->crop[side] = below(3);
}

static void sum_case(int mode)
{
    static const fdx_operator *made;
    const int ndim = 1 + below(3), noutputs = 1 + below(2), ninputs = 1 + below(2), nterms = noutputs + below(3);
    ptrdiff_t least[FDX_MAXDIM], *shape = keep_indices(ndim, NULL), lo[FDX_MAXDIM], hi[FDX_MAXDIM];
    const double *x_of[FDX_MAXDIM] = {NULL};
    double period[FDX_MAXDIM] = {0};
    for (int d = 0; d < ndim; d++)
        least[d] = below(16) ? 3 : 0;
    draw_shape(ndim, shape, least);
    for (int d = 0; d < ndim; d++)
        if (below(2) && shape[d] > 0) {
            fdx_derivative points = {0};
            points.n = shape[d];
            draw_points(&points);
            x_of[d] = points.x;
            period[d] = points.period;
        }
    fdx_term *terms = keep((size_t)nterms * sizeof *terms);
    int inputs = 0;
    for (int k = 0; k < nterms; k++) {
        const int nfactors = 1 + below(below(4) ? 2 : 4);
        fdx_factor *factor = keep((size_t)nfactors * sizeof *factor);
        ptrdiff_t n[FDX_MAXDIM], origin[FDX_MAXDIM] = {0};
        memcpy(n, shape, (size_t)ndim * sizeof *n);
        terms[k] = (fdx_term){below(inputs < ninputs ? inputs + 1 : ninputs), k < noutputs ? k : noutputs - 1, nfactors,
                              factor, NULL};
        inputs = terms[k].in == inputs ? inputs + 1 : inputs; /* without gaps */
        if (chance(3)) {
            double *number = keep(sizeof *number);
            *number = chance(3) ? 0 : ordinary();
            terms[k].scale = number;
        }
        for (int s = 0; s < nfactors; s++) {
            fdx_factor *p = &factor[s];
            const int d = p->axis = below(ndim);
            draw_map(p, n[d], n[d] == shape[d] ? x_of[d] : NULL, period[d]);
            const ptrdiff_t first = lost(p, 0);
            n[d] += (p->transposed ? 1 : -1) * (first + lost(p, 1));
            origin[d] += p->transposed ? -first : first;
            if (chance(4) && !is_empty(ndim, zeros, n))
                p->coefficient = draw_factor(ndim, n);
        }
        for (int d = 0; d < ndim; d++) {
            lo[d] = k > 0 && lo[d] > origin[d] ? lo[d] : origin[d];
            hi[d] = k > 0 && hi[d] < origin[d] + n[d] ? hi[d] : origin[d] + n[d];
        }
    }
    int less = 0, empty = 0;
    for (int d = 0; d < ndim; d++)
        empty |= hi[d] <= lo[d];
    for (int d = 0; d < ndim; d++)
        less |= hi[d] < lo[d];
    fdx_sum *sum = keep(sizeof *sum);
    *sum = (fdx_sum){ndim, shape, nterms, terms, tables[below(ntables)], chance(3)};
    if (mode == 2)
        for (int times = 1 + below(3); times > 0; times--) {
            fdx_term *one = &terms[below(nterms)];
            if (one->nfactors < 1)
                break;
            fdx_factor *p = (fdx_factor *)&one->factor[below(one->nfactors)];
            switch (below(14)) {
            case 0: sum->nterms = below(nterms + 1); break;
            case 1: one->in = wild_int(); break;
            case 2: one->out = wild_int(); break;
            case 3: one->nfactors = below(one->nfactors + 1); break;
            case 4: p->axis = p->what.x == NULL ? wild_int() : 0; break;
            case 5: p->what.deriv = wild_int(); break;
            case 6: p->what.accuracy = wild_int(); break;
            case 7: p->what.left = wild_int(); break;
            case 8: p->what.right = wild_int(); break;
            case 9: p->what.scale = draw_spacing(); break;
            case 10: p->what.spacing = draw_spacing(); break;
            case 11: p->crop[below(2)] = wild_stride(); break;
            case 12: p->transposed = wild_int(); break;
            default: p->what.period = draw_spacing(); break;
            }
            if (p->what.x != NULL) /* with as many points as the first axis of the term */
                p->what.x = NULL;
        }
    size_t bytes;
    poison();
    bytes = fdx_operator_size(sum);
    unpoison();
    made = NULL;
    summing c = {allocate(bytes), sum, &made};
    slot *const memory = slot_at(c.memory);
    const int breaks = mode == 1 && below(2);
    /* if results have too few points as well, there are two errors */
    const broken b = less     ? (broken){"products without a common point", FDX_E_SIZE, FDX_E_SIZE}
                     : breaks ? break_sum(&c, below(52))
                              : nothing;
    before_calls();
    fdx_status status;
    CALL(status, fdx_operator_make(c.memory, c.what, c.op));
    memory->scratch = status != FDX_E_NULL; /* on errors it may have been written to */
    /* Products may over- or underflow; without results there is no transpose. */
    const int may_fail = status == FDX_E_NODES || (status == FDX_E_SIZE && sum->transposed && empty);
    if (mode != 2 && !may_fail)
        expect("fdx_operator_make", b, status);
    expect_unchanged("fdx_operator_make");
    memory->scratch = 0;
    if (status == FDX_OK ? made != c.memory : made != NULL)
        die("*op", "");
    if (status == FDX_OK && bytes == 0)
        die("fdx_operator_size told no size", "");
    if (status != FDX_OK)
        return;
    for (int d = 0; d < ndim && mode != 2; d++) {
        const ptrdiff_t *small = sum->transposed ? made->in_shape : made->out_shape;
        const ptrdiff_t *whole = sum->transposed ? made->out_shape : made->in_shape;
        if (small[d] != hi[d] - lo[d] || whole[d] != shape[d])
            die("the shape of an operator's results", "");
    }
    if (mode == 2)
        refit_factors((fdx_operator *)made);
    fdx_operator *op = keep(sizeof *op);
    *op = *made;
    apply(op, mode, chance(2) ? IS_USUAL : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const cases[])(int) = {gradient_case, gradient_case, operator_case, operator_case,
                                         operator_case, sum_case,      band_case,     weights_case};
    if (slots[0].begin == NULL) {
        static const char *const names[] = {"auto", "base", "avx2", "avx512"};
        map_slots();
        for (int k = 0; k < 4; k++)
            if (fdx_isa_find(names[k]) != NULL)
                tables[ntables++] = fdx_isa_find(names[k]);
    }
    memset(taken, 0, sizeof taken);
    ASAN_UNPOISON_MEMORY_REGION(kept.bytes, nkept);
    nkept = 0;
    at_hand = NULL;
    cursor = data;
    left = size;
    state = 88172645463325252ULL ^ (uint64_t)u8() << 40;
    if (setjmp(given_up) == 0) {
        const int which = u8();
        /* half of the calls are valid, a quarter has one error, a quarter is wild */
        const int mode = (which >> 3) % 4 == 2 ? 1 : (which >> 3) % 4 == 3 ? 2 : 0;
        if (which % 8 == 4 && which >= 128)
            by_hand_case(mode);
        else
            cases[which % 8](mode);
    }
    return 0;
}
