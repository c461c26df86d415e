/* Memory for the library. Every array, and all memory that it gets, ends or begins at an inaccessible page; the rest of
 * its pages is poisoned for AddressSanitizer during the call and compared afterwards. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sanitizer/asan_interface.h>

#include "fuzz.h"

jmp_buf given_up;

enum { PAGE = 4096, NCLASSES = 3, NSLOTS = 96 + 24 + 8, GUARD = 0xA5 };
static const struct {
    int slots;
    size_t bytes;
} classes[NCLASSES] = {{96, PAGE}, {24, 8 * PAGE}, {8, LARGEST_SLOT}};

static slot slots[NSLOTS];
static int taken[NCLASSES];

/* Structs, shapes and strides, with poison between them. */
static union {
    char bytes[1 << 17];
    double align;
} kept;
static size_t nkept;

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

void begin_memory(void)
{
    if (slots[0].begin == NULL)
        map_slots();
    memset(taken, 0, sizeof taken);
    ASAN_UNPOISON_MEMORY_REGION(kept.bytes, nkept);
    nkept = 0;
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
slot *take(size_t bytes, size_t align)
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

void *allocate(size_t bytes) /* as malloc does */
{
    return take(bytes, 16)->used;
}

double *numbers(ptrdiff_t n)
{
    return (double *)(void *)take((size_t)n * sizeof(double), sizeof(double))->used;
}

slot *slot_at(const void *p)
{
    EACH_SLOT(s)
    if ((const char *)p >= s->begin && (const char *)p <= s->begin + s->bytes)
        return s;
    return NULL;
}

void *keep(size_t bytes)
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

ptrdiff_t *keep_indices(int n, const ptrdiff_t *from)
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

/* A description may have been written to since before_calls. */
void accept_kept(void)
{
    kept_before = sum_of_kept();
}

void before_calls(void)
{
    EACH_SLOT(s)
    memcpy(s->copy, s->begin, s->bytes);
    kept_before = sum_of_kept();
}

void poison(void)
{
    EACH_SLOT(s)
    {
        const size_t front = (size_t)(s->used - s->begin), end = front + s->nused;
        ASAN_POISON_MEMORY_REGION(s->begin, front);
        ASAN_POISON_MEMORY_REGION(s->begin + end, s->bytes - end);
    }
}

void unpoison(void)
{
    EACH_SLOT(s)
    ASAN_UNPOISON_MEMORY_REGION(s->begin, s->bytes);
}

/* Nothing has changed but scratch. */
void expect_unchanged(const char *after)
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

void set_scratch(int byte)
{
    EACH_SLOT(s)
    if (s->scratch)
        memset(s->used, byte, s->nused);
}
