/* From the name of an instruction set to its table. No cache: the caller keeps the answer. */
#include "fdx_rows.h"

static const fdx_isa *avx2_if_supported(void)
{
#ifdef FDX_HAVE_AVX2
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2"))
        return &fdx_isa_avx2;
#endif
    return NULL;
}

const fdx_isa *fdx_isa_find(const char *name)
{
    if (name == NULL)
        return NULL;
    if (strcmp(name, "base") == 0)
        return &fdx_isa_base;
    if (strcmp(name, "avx2") == 0)
        return avx2_if_supported();
    if (strcmp(name, "auto") == 0) {
        const fdx_isa *best = avx2_if_supported();
        return best != NULL ? best : &fdx_isa_base;
    }
    return NULL;
}

const char *fdx_isa_name(const fdx_isa *isa)
{
    return isa == NULL ? "none" : isa->name;
}
