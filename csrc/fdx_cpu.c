/* The tables of instruction sets, by name. Nothing is cached: the caller keeps the result. */
#include "fdx_fenv.h"
#include "fdx_rows.h"

#define TABLE(name) &FDX_TABLE(fdx_isa_##name),
#define POSITION(name) AT_##name,
#define NAME(name) #name,
static const fdx_isa *const fdx_isa_tables[] = {FDX_TABLES(TABLE)};
enum { FDX_TABLES(POSITION) NTABLES };
static const char *const fdx_isa_table_names[] = {FDX_TABLES(NAME) NULL};

#ifdef FDX_HAVE_X86
#include <cpuid.h>

/* The first table that processor and system support. From CPUID, as __builtin_cpu_supports needs a library that clang
 * does not link on Windows. */
static size_t best(void)
{
    unsigned a, b, c, d, saved, upper;
    const unsigned by_256 = bit_FMA | bit_AVX | bit_OSXSAVE;
    if (!__get_cpuid(1, &a, &b, &c, &d) || ~c & by_256)
        return AT_base;
    /* XGETBV: the registers that the system saves for each process. In bytes, as not every assembler knows it, and only
     * now that the processor is known to have it. (macOS reports those of AVX-512 only once a process has used them,
     * and so gets AVX2.) */
    __asm__ volatile(".byte 0x0f, 0x01, 0xd0" : "=a"(saved), "=d"(upper) : "c"(0));
    if (~saved & 0x06 || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || ~b & bit_AVX2)
        return AT_base;
    const unsigned by_512 = bit_AVX512F | bit_AVX512VL | bit_AVX512BW | bit_AVX512DQ;
    /* VBMI2: processors that do not slow down with AVX-512. */
    return ~saved & 0xe6 || ~b & by_512 || ~c & bit_AVX512VBMI2 ? AT_avx2 : AT_avx512;
}
#else
static size_t best(void)
{
    return AT_base;
}
#endif

const fdx_isa *fdx_isa_find(const char *name)
{
    const fdx_isa *found = NULL;
    fdx_environment before;
    fdx_enter_default(&before);
    for (size_t k = best(); name != NULL && found == NULL && k < NTABLES; k++)
        if ((strcmp(name, "auto") == 0 || strcmp(name, fdx_isa_tables[k]->name) == 0) &&
            fdx_isa_tables[k]->computes_as_written())
            found = fdx_isa_tables[k];
    fdx_leave_default(&before);
    return found;
}

const char *const *fdx_isa_names(void)
{
    return fdx_isa_table_names;
}

const char *fdx_isa_name(const fdx_isa *isa)
{
    return isa == NULL ? "none" : isa->name;
}
