/* The row loops for x86-64 processors with AVX2. The target stands here, so that no build system need know of it. */
#include "fdx_rows.h"

#ifdef FDX_HAVE_AVX2
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC target("avx2")
#endif

#define FDX_ISA(x) x##avx2
#define FDX_ISA_NAME "avx2"
#include "fdx_isa.inc"

#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int fdx_isa_avx2_is_not_for_this_target; /* ISO C wants a declaration in every file */
#endif
