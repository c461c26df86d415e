/* The row loops for x86-64 processors with AVX-512 as of Ice Lake and Zen 4; earlier ones slow down when using it. */
#include "fdx_rows.h"

#ifdef FDX_HAVE_X86
#include <immintrin.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,prefer-vector-width=512")
#endif

#define FDX_ISA(x) x##avx512
#define FDX_ISA_NAME "avx512"
#define FDX_AVX512
#define FDX_FMA
#include "fdx_isa.inc"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int fdx_isa_avx512_is_not_for_this_target; /* ISO C wants a declaration in every file */
#endif
