/* What results rest on: each operation is computed as written, and rounded by itself. Included first by all files that
 * compute. Compiler flags that take liberties are refused where the compiler tells of them, and else undone here, for
 * these files. */
#ifndef FDX_STRICT_H
#define FDX_STRICT_H

#include <float.h>

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) ||                         \
    defined(__NO_SIGNED_ZEROS__) || __FINITE_MATH_ONLY__ + 0
#error "fdx promises np.gradient's bits: add -fno-fast-math behind -ffast-math, -Ofast and their parts"
#endif
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "fdx needs arithmetic in the operands' own precision (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif
#if defined(_MSC_VER) && !defined(__clang__) && !(defined(__STDC_VERSION__) && defined(_M_FP_STRICT))
#error "fdx needs /std:c11, for words of C99, and /fp:strict, for operations and flags that are those of the formula"
#endif

/* gcc: -ffp-contract is "fast" without -std=c99; -fno-trapping-math lets it raise exceptions that are not the
 * formula's; and vectorising straight-line code, gcc 12 computes sums *and* differences on all lanes to blend them,
 * where the ones that are thrown away raise flags (loops are vectorised all the same).
 *
 * clang: it tells of no part of -ffast-math but -ffinite-math-only. Contraction comes last, as precise arithmetic
 * switches it on. */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wignored-pragmas" /* on processors for which clang has no strict arithmetic */
#pragma float_control(precise, on)
#pragma clang diagnostic pop
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off", "trapping-math", "no-tree-slp-vectorize")
#endif

#endif
