/* Instructions per point of every row loop, conversion and loop over coordinates of csrc/, for each instruction set
 * that this processor has:
 *
 *     rows [short long]
 *
 * prints lines "function <tab> table <tab> count", or "not counted". A count is the difference between a call for
 * `long` and one for `short` points, divided by their difference: what a call costs anyhow drops out. The processor
 * itself counts, stopping after each instruction (its trap flag), so that AVX-512 is counted too, which no valgrind
 * runs. A processor without AVX-512 skips its instructions: integers alone decide how often a loop runs, so the counts
 * are the same (but for weights of stencils). Only instructions of this program count, not those of the C library's
 * memcpy. Exit status 3: instructions cannot be counted here. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "fdx_layout.h"
#include "fdx_rows.h"

enum { CANNOT_COUNT = 3 };

#if defined(__linux__) && defined(__x86_64__)
#include <ucontext.h>

enum { MOST = 512, WIDEST = 16, APART = 3 };

/* ---- the counter ---- */

extern const char __executable_start[], etext[]; /* from the linker: this program's instructions lie between */
static volatile long counted;
#include "skipped.h"

/* Called after each instruction while the trap flag is set, and for each `int3`, which sets it or clears it. The flag
 * is switched here, in the saved registers, as an instruction that does it in place would have to write to the stack.
 */
static void on_trap(int signal, siginfo_t *info, void *context)
{
    greg_t *reg = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)signal;
    if (info->si_code == TRAP_TRACE)
        counted += reg[REG_RIP] >= (greg_t)__executable_start && reg[REG_RIP] < (greg_t)etext;
    else
        reg[REG_EFL] ^= 0x100;
}

/* Instructions that `call` executes, and a few more, always as many. */
#define COUNT(call)                                                                                                    \
    do {                                                                                                               \
        counted = 0;                                                                                                   \
        __asm__ volatile("int3" ::: "memory");                                                                         \
        call;                                                                                                          \
        __asm__ volatile("int3" ::: "memory");                                                                         \
    } while (0)

/* Executes 3 n + 1 instructions. */
void known(ptrdiff_t n);
__asm__(".text\n.globl known\nknown:\n\tnop\n\tdec %rdi\n\tjnz known\n\tret\n");

static ptrdiff_t shorter = 128, longer = 256;
static const char *table;

/* For `call`, an expression with n in it. */
#define PER_POINT(call, ...)                                                                                           \
    do {                                                                                                               \
        ptrdiff_t n = shorter;                                                                                         \
        COUNT(call);                                                                                                   \
        const long before = counted;                                                                                   \
        n = longer;                                                                                                    \
        COUNT(call);                                                                                                   \
        printf(__VA_ARGS__);                                                                                           \
        printf("\t%s\t%.4f\n", table, (double)(counted - before) / (double)(longer - shorter));                        \
    } while (0)

/* ---- what is counted ---- */

/* Room for MOST elements, APART from each other; on cache lines, so that counts do not depend on where they lie. */
static char in[(APART * MOST + 64) * WIDEST] __attribute__((aligned(64)));
static char out[(APART * MOST + 64) * WIDEST] __attribute__((aligned(64)));
static double weight[FDX_NWEIGHTS][MOST] __attribute__((aligned(64)));
static double coords[MOST + 2] __attribute__((aligned(64)));

typedef struct {
    const char *name;
    ptrdiff_t size;
} type;

static const type rows[FDX_NROWS] = {{"f32", 4},   {"f64", 8},       {"c64", 8},
                                     {"c128", 16}, {"f32 mixed", 4}, {"c64 mixed", 8}};
#define TYPE(name, dtype, part, bits, parts) [dtype] = {#name, (bits) / 8 * (parts)},
static const type dtypes[FDX_NDTYPES] = {FDX_DTYPES(TYPE)};
static const char *const ways[FDX_NDIVISIONS] = {"divide", "scale", "correct"};

/* `everywhere`: also where it can matter to the loop where neighbours and results lie. */
static void count_quotients(type of, const fdx_quotients *quotients, int everywhere)
{
    const ptrdiff_t size = of.size;
    for (int way = 0; way < FDX_NDIVISIONS; way++) {
        fdx_quotient_fn *quotient = quotients->quotient[way];
        fdx_divisor d = {.h = way == FDX_SCALE ? 0.5 : 0.274};
        if (quotient == NULL)
            continue;
        if (quotients->prepare != NULL)
            quotients->prepare(&d);
        PER_POINT(quotient(out, in, in + 2 * size, n, &d), "%s %s", of.name, ways[way]);
        if (!everywhere)
            continue;
        PER_POINT(quotient(out, in, in + 48 * size, n, &d), "%s %s, far apart", of.name, ways[way]);
        PER_POINT(quotients->stepped(out, APART, in, in + 2 * size, APART, n, way, &d), "%s %s, stepped", of.name,
                  ways[way]);
        d.stream = 1;
        PER_POINT(quotient(out, in, in + 2 * size, n, &d), "%s %s, streaming", of.name, ways[way]);
    }
}

static void count_rows(const fdx_isa *isa)
{
    const double one[FDX_NWEIGHTS] = {-0.3, 0.1, 0.2};
    const double *const each[FDX_NWEIGHTS] = {weight[0], weight[1], weight[2]};
    for (int row = 0; row < FDX_NROWS; row++) {
        const fdx_rows *loops = &isa->rows[row];
        const void *const x[FDX_NWEIGHTS] = {in, in + rows[row].size, in + 2 * rows[row].size};
        count_quotients(rows[row], &loops->of, row == FDX_ROW_F32 || row == FDX_ROW_F64);
        PER_POINT(loops->weighted(out, x, n, one), "%s taps", rows[row].name);
        PER_POINT(loops->varying(out, x, n, each), "%s varying weights", rows[row].name);
        PER_POINT(loops->spaced(out, x, n, coords), "%s spaced", rows[row].name);
    }
    for (int dtype = FDX_I8; dtype < FDX_F32; dtype++)
        count_quotients(dtypes[dtype], &isa->integers[dtype], 0);
}

static void count_conversions(const fdx_isa *isa)
{
    for (int dtype = FDX_I8; dtype < FDX_NDTYPES; dtype++)
        for (int swapped = 0; swapped < (dtypes[dtype].size > 1 ? 2 : 1); swapped++) {
            const ptrdiff_t size = dtypes[dtype].size;
            const char *name = dtypes[dtype].name, *order = swapped ? ", swapped" : "";
            fdx_gather_fn *gather = isa->gather[dtype][swapped];
            PER_POINT(gather(out, in, size, n), "gather %s%s", name, order);
            if (!swapped)
                PER_POINT(gather(out, in, 2 * size, n), "gather %s, every other", name);
            if (dtype < FDX_F32)
                continue;
            fdx_scatter_fn *scatter = isa->scatter[dtype - FDX_F32][swapped];
            PER_POINT(scatter(out, size, in, n), "scatter %s%s", name, order);
        }
}

static void count_coords(const fdx_isa *isa)
{
    static const char *const names[2] = {"x32", "x64"};
    double *const to[FDX_NWEIGHTS] = {weight[0], weight[1], weight[2]};
    for (int k = 0; k < 2; k++) {
        PER_POINT(isa->coords[k].uniform(in, n, 0.0), "%s uniform", names[k]);
        PER_POINT(isa->coords[k].weights(to, in, n), "%s weights", names[k]);
    }
}

/* Weights of many stencils, as bands are made of them. */
static void weigh(const fdx_isa *isa, const double *x, ptrdiff_t n, int count, int deriv)
{
    for (ptrdiff_t i = 0; i < n; i += FDX_STENCILS)
        isa->stencils((double *)(void *)out + i, MOST, x + i, n - i < FDX_STENCILS ? n - i : FDX_STENCILS, count,
                      count / 2, deriv, 1);
}

static void count_weights(const fdx_isa *isa)
{
    static double x[MOST + FDX_STENCILS_NODES] __attribute__((aligned(64)));
    for (int k = 0; k < MOST + FDX_STENCILS_NODES; k++)
        x[k] = k + 0.3 * (k % 3);
    static const struct {
        int count, deriv;
        const char *name;
    } of[] = {
        {3, 1, "weights of 3 nodes"}, {5, 1, "weights of 5 nodes"}, {5, 2, "weights of 5 nodes, second derivative"}};
    for (int k = 0; k < 3; k++)
        if (isa == NULL)
            printf("%s\t%s\tnot counted\n", of[k].name, table);
        else
            PER_POINT(weigh(isa, x, n, of[k].count, of[k].deriv), "%s", of[k].name);
}

/* A line between whose ends, which are not counted, all is made from its own elements. */
static void cross(fdx_cross_fn *loop, int itself, const double *alpha_beta, const void *const *x, const void *along,
                  const void *by, ptrdiff_t n)
{
    static const double w[3 * FDX_PAIRS] = {0.3, -0.1, 0.2, 0.7, 0.4, -0.6, 0.9, 0.5, 0.8, -0.7, -0.2, 0.6};
    static char beside[2 * FDX_CACHE_LINE];
    const fdx_cross c = {out,          beside, x, along,      itself,       n,         1,        0, 0, in, 0, w,
                         {in, in, in}, n,      n, alpha_beta, {by, by, by}, {0, 0, 0}, {1, 1, 0}};
    loop(&c);
}

/* One line of those that a loop takes at once. */
static void several(fdx_lines_fn *loop, ptrdiff_t n, ptrdiff_t step, const double *w)
{
    const fdx_several_lines l = {n, 1, 0, 0, step};
    loop(out, in, &l, w, FDX_SET);
}

static void terms(fdx_terms_fn *loop, ptrdiff_t n, const void *const *x, const double *w)
{
    static const ptrdiff_t by_line[6];
    const fdx_several_lines l = {n, 1, 0, 0, 0};
    loop(out, x, &l, by_line, w, FDX_SET);
}

static void count_nested(type of, const char *what, const fdx_nested *loops, const void *const *x)
{
    static const double w[FDX_NESTED + 1] = {0.3, -0.1, 0.2, 0.7};
    const void *const next[2] = {in, in};
    PER_POINT(terms(loops->lines, n, x, w), "%s %s pairs", of.name, what);
    if (loops->streaming != NULL && shorter >= FDX_VECTOR_SUMS)
        PER_POINT(loops->streaming(out, out, x, n, w, FDX_SET, next), "%s %s pairs, streaming", of.name, what);
}

/* Several terms that are multiplied; only for many points. */
static void count_terms(type of, const fdx_sums *sums)
{
    static const double w[FDX_TERMS_WEIGHTS] = {0.3, -0.1, 0.2, 0.7, 0.4, -0.6, 0.9, 0.5, -0.8, 0.1};
    const void *x[FDX_MULTIPLIED_TERMS * (FDX_NESTED_ROWS + FDX_NESTED)];
    for (size_t k = 0; k < sizeof x / sizeof *x; k++)
        x[k] = in + 64 * k;
    for (int k = 2; k <= 3 && shorter >= FDX_VECTOR_SUMS && sums->several_multiplied[0] != NULL; k++)
        PER_POINT(terms(sums->several_multiplied[k - 2], n, x, w), "%s %d pairs of multiplied pairs", of.name, k);
    for (int parts = 0; parts < 2; parts++)
        for (int k = 1; k <= 5; k += 2)
            for (int several = 2; several <= 6 && shorter >= FDX_VECTOR_SUMS; several += 2) {
                fdx_terms_fn *loop = sums->several_products[parts][k / 2][several / 2 - 1];
                if (loop != NULL)
                    PER_POINT(terms(loop, n, x, w), "%s %d sums of differences %d, times %s", of.name, several, k,
                              parts ? "parts" : "rows");
            }
}

/* One row of results of neighbours that are no pairs; and of a term along memory alone, as below. */
static void count_others(type of, const fdx_sums *sums, const void *const *x)
{
    static const double w[FDX_NEIGHBOURS] = {0.3, -0.1, 0.2, 0.7, 0.4, -0.6, 0.9, 0.5, -0.8};
    const void *const next[2] = {in, in};
    const void *middle = in + 64 * of.size;
    for (int k = 1; k <= FDX_NEIGHBOURS; k++) {
        PER_POINT(sums->plain[k - 1](out, 0, x, n, w, FDX_SET), "%s plain %d", of.name, k);
        PER_POINT(sums->differences[k - 1](out, 0, x, n, w, FDX_SET), "%s differences %d", of.name, k);
    }
    if (shorter < FDX_VECTOR_SUMS || sums->plain_streaming[0] == NULL)
        return;
    for (int k = 1; k <= FDX_STREAMED; k++) {
        PER_POINT(sums->plain_streaming[k - 1](out, out, x, n, w, FDX_SET, next), "%s plain %d, streaming", of.name, k);
        PER_POINT(sums->differences_streaming[k - 1](out, out, x, n, w, FDX_SET, next), "%s differences %d, streaming",
                  of.name, k);
    }
    for (int k = 1; k <= FDX_PAIRS; k++)
        PER_POINT(cross(sums->midpoints_alone[k - 1], 0, NULL, x, middle, NULL, n),
                  "%s antisymmetric %d, midpoints alone", of.name, k);
    for (int k = 0; k < FDX_STREAMED / 2; k++) {
        PER_POINT(cross(sums->plain_alone[k], 0, NULL, x, middle, NULL, n), "%s plain %d, alone", of.name, 2 * k + 2);
        for (int earlier = 0; earlier < 2; earlier++)
            PER_POINT(cross(sums->differences_alone[earlier][k], 0, NULL, x, middle, NULL, n),
                      "%s differences %d, alone%s", of.name, 2 * k + 1, earlier ? ", the earlier" : "");
    }
}

/* Sums of pairs, of rows of neighbours or along one; the loops of registers are for many points only. */
static void count_pairs(type of, const char *summation, int k, const fdx_pairs *pairs, const void *const *x)
{
    static const double w[2 * FDX_PAIRS] = {0.3, -0.1, 0.2, 0.7, 0.4, -0.6, 0.9, 0.5};
    const void *const next[2] = {in, in};
    const void *middle = in + 64 * of.size;
    PER_POINT(pairs->one(out, 0, x, n, w, FDX_SET), "%s %s %d", of.name, summation, k);
    PER_POINT(pairs->one(out, 0, x, n, w, FDX_ADD_TIMES), "%s %s %d, multiplied and added", of.name, summation, k);
    PER_POINT(pairs->four(out, MOST * of.size / 2, x, n, w, FDX_SET), "%s %s %d, four rows", of.name, summation, k);
    PER_POINT(pairs->two(out, 0, x, n, w, FDX_SET), "%s %s %d, two terms", of.name, summation, k);
    PER_POINT(several(pairs->several, n, 64, w), "%s %s %d, several lines", of.name, summation, k);
    if (pairs->along == NULL || shorter < FDX_VECTOR_SUMS)
        return;
    PER_POINT(pairs->one_streaming(out, out, x, n, w, FDX_SET, next), "%s %s %d, streaming", of.name, summation, k);
    PER_POINT(pairs->one_streaming(out, out, x, n, w, FDX_TIMES, next), "%s %s %d, multiplied, streaming", of.name,
              summation, k);
    PER_POINT(pairs->two_streaming(out, out, x, n, w, FDX_SET, next), "%s %s %d, two, streaming", of.name, summation,
              k);
    PER_POINT(pairs->along(out, middle, n, w, FDX_SET, in), "%s %s %d, along", of.name, summation, k);
    /* Of one type, as counting takes long. */
    for (int chains = 0; chains < 3 && of.size == sizeof(double); chains++) {
        PER_POINT(cross(pairs->cross[chains], 0, NULL, x, middle, NULL, n), "%s %s %d, cross of %d and 1", of.name,
                  summation, k, chains);
        PER_POINT(cross(pairs->lines[chains], 0, NULL, x, middle, NULL, n), "%s %s %d, lines of %d and 1", of.name,
                  summation, k, chains);
        PER_POINT(cross(pairs->lines[chains], 1, NULL, x, middle, NULL, n), "%s %s %d, lines of itself, %d and 1",
                  of.name, summation, k, chains);
        if (chains > 0 && pairs->weighed[chains - 1] != NULL)
            PER_POINT(cross(pairs->weighed[chains - 1], 0, NULL, x, middle, in, n),
                      "%s %s %d, lines of %d and 1, multiplied", of.name, summation, k, chains);
        PER_POINT(cross(pairs->lines[chains], 0, w, x, middle, NULL, n), "%s %s %d, lines of %d and 1, added", of.name,
                  summation, k, chains);
    }
}

/* A row of a substitution, of K rows before it. */
static void substitute(const fdx_sums *sums, int K, ptrdiff_t n, ptrdiff_t size)
{
    static const double w[] = {0.3, -0.1, 0.2, 0.7};
    const fdx_substitution s = {.n = n, .row = -MOST * size / 2, .rows = 1, .w_step = 1, .K = K, .scales = 1};
    sums->substitute(out, w, &s);
}

static void count_sums(const fdx_isa *isa)
{
    static const double w[FDX_PAIRS] = {0.3, -0.1, 0.2, 0.7};
    const double *const varying[FDX_VARYING] = {weight[0], weight[1], weight[2], weight[0]};
    const void *x[2 * (2 * FDX_PAIRS + 1)];
    for (int k = 0; k < 2 * (2 * FDX_PAIRS + 1); k++)
        x[k] = in + 64 * k;
    for (int double_ = 0; double_ < 2; double_++) {
        const type of = rows[double_ ? FDX_ROW_F64 : FDX_ROW_F32];
        const fdx_sums *sums = &isa->sums[double_];
        for (int k = 1; k <= FDX_PAIRS && sums->midpoints[k - 1] != NULL && shorter >= FDX_VECTOR_SUMS; k++)
            PER_POINT(sums->midpoints[k - 1](out, in + 64 * of.size, n, w, FDX_SET, in),
                      "%s antisymmetric %d, midpoints", of.name, k);
        for (int k = 1; k <= FDX_PAIRS; k++) {
            count_pairs(of, "antisymmetric", k, &sums->antisymmetric[k - 1], x);
            count_pairs(of, "symmetric", k, &sums->symmetric[k - 1], x);
        }
        count_nested(of, "a pair of antisymmetric", &sums->nested[0][0], x);
        count_nested(of, "a pair of symmetric", &sums->nested[0][1], x);
        count_nested(of, "three of antisymmetric", &sums->nested[1][0], x);
        count_nested(of, "three of symmetric", &sums->nested[1][1], x);
        count_nested(of, "a pair of multiplied", &sums->multiplied, x);
        count_terms(of, sums);
        count_others(of, sums, x);
        for (int k = 1; k <= FDX_VARYING; k++) {
            PER_POINT(sums->varying_plain[k - 1](out, x, n, varying, FDX_SET), "%s plain %d, varying weights", of.name,
                      k);
            PER_POINT(sums->varying_differences[k - 1](out, x, n, varying, FDX_SET),
                      "%s differences %d, varying weights", of.name, k);
        }
        PER_POINT(sums->combine(out, in, in, n, FDX_ADD), "%s multiplied and added", of.name);
        PER_POINT(sums->add_scaled(out, in, n, w), "%s times alpha, plus beta times", of.name);
        for (int k = 1; k <= 3; k++)
            PER_POINT(substitute(sums, k, n, of.size), "%s substituted, %d", of.name, k);
        for (int columns = 3; columns <= 8; columns += 5)
            for (int mode = FDX_SET; mode <= FDX_ADD; mode++)
                PER_POINT(sums->transpose(out, n * of.size, in, columns * of.size, n, columns, 1, mode),
                          "%s transposed, %d columns%s", of.name, columns, mode == FDX_ADD ? ", added" : "");
    }
}

int main(int argc, char **argv)
{
#define TABLE(name) &FDX_TABLE(fdx_isa_##name),
    static const fdx_isa *const tables[] = {FDX_TABLES(TABLE)};
    if (argc > 2) {
        shorter = atoi(argv[1]);
        longer = atoi(argv[2]);
    }
    if (argc == 2 || shorter < 1 || longer <= shorter || longer > MOST) {
        fprintf(stderr, "rows [short long]: two numbers of points, rising, up to %d\n", MOST);
        return 2;
    }

    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    action.sa_sigaction = on_unknown;
    sigaction(SIGILL, &action, NULL);
    COUNT(known(10));
    const long ten = counted;
    COUNT(known(110));
    if (counted - ten != 3 * 100) {
        fprintf(stderr, "this machine does not stop after each instruction: 300 were executed, %ld counted\n",
                counted - ten);
        return CANNOT_COUNT;
    }

    for (size_t k = 0; k < sizeof tables / sizeof *tables; k++) {
        const fdx_isa *isa = tables[k];
        const int skips = fdx_isa_find(table = isa->name) == NULL; /* instructions that the processor lacks */
        count_rows(isa);
        count_conversions(isa);
        count_coords(isa);
        count_weights(skips ? NULL : isa); /* which nodes are too close is asked of vectors */
        count_sums(isa);
    }
    return 0;
}

#else
int main(void)
{
    fprintf(stderr, "instructions are counted on x86-64 under Linux only\n");
    return CANNOT_COUNT;
}
#endif
