/* From the name of an instruction set to its table. No cache: the caller keeps the answer. */
#include "fdx_rows.h"

static const fdx_isa *if_supported(const fdx_isa *isa)
{
#ifdef FDX_HAVE_X86
    __builtin_cpu_init();
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == &fdx_isa_avx2 && !avx2)
        return NULL;
    /* VBMI2 came with the processors that AVX-512 does not slow down. */
    if (isa == &fdx_isa_avx512 && !(avx2 && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
                                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vbmi2")))
        return NULL;
#endif
    return isa;
}

/* From best to worst. */
static const fdx_isa *const tables[] = {
#ifdef FDX_HAVE_X86
    &fdx_isa_avx512,
    &fdx_isa_avx2,
#endif
    &fdx_isa_base,
};

const fdx_isa *fdx_isa_find(const char *name)
{
    for (size_t k = 0; name != NULL && k < sizeof tables / sizeof *tables; k++) {
        const fdx_isa *isa = if_supported(tables[k]);
        if (isa != NULL && (strcmp(name, "auto") == 0 || strcmp(name, isa->name) == 0))
            return isa;
    }
    return NULL;
}

const char *fdx_isa_name(const fdx_isa *isa)
{
    return isa == NULL ? "none" : isa->name;
}
