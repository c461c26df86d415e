/* The row loops for x86-64 processors with AVX2 and FMA. The target is set here: builds need no flags. */
#include "fdx_rows.h"

#ifdef FDX_HAVE_X86
#include <immintrin.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define FDX_ISA(x) x##avx2
#define FDX_ISA_NAME "avx2"
#define FDX_AVX2
#define FDX_FMA
#include "fdx_isa.inc"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int fdx_isa_avx2_is_not_for_this_target; /* ISO C wants a declaration in every file */
#endif
