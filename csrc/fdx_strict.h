/* Results rely on each operation being computed as written, and rounded. Included first by all files with arithmetic.
 * Compiler flags that change the arithmetic are refused if the compiler defines a macro for them, and otherwise undone
 * here, for these files. */
#ifndef FDX_STRICT_H
#define FDX_STRICT_H

#include <float.h>

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) ||                         \
    defined(__NO_SIGNED_ZEROS__) || __FINITE_MATH_ONLY__ + 0
#error "fdx promises np.gradient's bits: add -fno-fast-math after -ffast-math, -Ofast and their parts"
#endif
/* 16: half precision has its own arithmetic, too (gcc for processors that have it) */
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#error "fdx needs arithmetic in the operands' own precision (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif
#if defined(_MSC_VER) && !defined(__clang__) && !(defined(__STDC_VERSION__) && defined(_M_FP_STRICT))
#error "fdx needs /std:c11, for C99, and /fp:strict, for the operations and exceptions of the formula"
#endif

/* gcc: -ffp-contract is "fast" without -std=c99; -fno-trapping-math lets it raise exceptions that the formula does not;
 * -fassociative-math alone, which gcc says it ignores, defines no macro, but holds again after any such pragma as this;
 * and when it vectorises straight-line code, gcc 12 computes sums *and* differences in all lanes and blends them, so
 * that unused ones raise exceptions (loops are vectorised all the same).
 *
 * clang: of -ffast-math, only -ffinite-math-only defines a macro. Contraction comes last, as precise arithmetic
 * switches it on. */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wignored-pragmas" /* for processors on which clang has no strict arithmetic */
#pragma float_control(precise, on)
#pragma clang diagnostic pop
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off", "trapping-math", "no-associative-math", "no-tree-slp-vectorize")
#endif

#endif
