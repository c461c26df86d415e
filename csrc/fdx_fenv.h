/* The floating-point environment of the calling thread.
 *
 * Weights are computed in the default environment, and the caller's is restored afterwards. Results are computed in the
 * caller's, as NumPy's are. There np.gradient's walk uses the status flags: it computes speculatively first, and a flag
 * shows where that was wrong. On x86 all arithmetic is SSE's, whose register is much faster to read and write than
 * <fenv.h>, and needs no library. */
#ifndef FDX_FENV_H
#define FDX_FENV_H

#include "fdx_strict.h"

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>

#define FDX_FLAGS 0x1du /* invalid, division by zero, overflow, underflow */
#define FDX_UNDERFLOW 0x10u

typedef unsigned fdx_environment;

static inline unsigned fdx_flags(void)
{
    return _mm_getcsr() & FDX_FLAGS;
}
static inline void fdx_set_flags(unsigned flags)
{
    _mm_setcsr((_mm_getcsr() & ~FDX_FLAGS) | flags);
}
static inline void fdx_enter_default(fdx_environment *before)
{
    *before = _mm_getcsr();
    if ((*before & 0xffc0) != 0x1f80)
        _mm_setcsr(0x1f80);
}
static inline void fdx_leave_default(const fdx_environment *before)
{
    if (_mm_getcsr() != *before)
        _mm_setcsr(*before);
}
/* Rounding to nearest, with subnormal numbers, without traps. */
static inline int fdx_is_default(void)
{
    return (_mm_getcsr() & 0xffc0) == 0x1f80;
}
/* The same, but subnormal results are flushed to 0; operands may be, too. (If only operands are, no flag shows it.) */
static inline int fdx_is_flushing(void)
{
    return (_mm_getcsr() & 0xff80) == 0x9f80;
}

#else
#include <fenv.h>

#define FDX_FLAGS (FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW)
#define FDX_UNDERFLOW FE_UNDERFLOW

typedef fenv_t fdx_environment;

static inline unsigned fdx_flags(void)
{
    return (unsigned)fetestexcept(FDX_FLAGS);
}
static inline void fdx_set_flags(unsigned flags)
{
    feclearexcept(FDX_FLAGS);
    feraiseexcept((int)flags);
}
static inline void fdx_enter_default(fdx_environment *before)
{
    fegetenv(before);
    fesetenv(FE_DFL_ENV);
}
static inline void fdx_leave_default(const fdx_environment *before)
{
    fesetenv(before);
}
/* The same, but traps cannot be queried in C. */
static inline int fdx_is_default(void)
{
    const volatile double least = DBL_MIN; /* half of it is subnormal */
    return fegetround() == FE_TONEAREST && least / 2 != 0;
}
static inline int fdx_is_flushing(void)
{
    return fegetround() == FE_TONEAREST;
}
#endif

/* Does a flag show each operation by which speculation is wrong? If subnormal results are flushed to 0, only if that
 * raises "underflow", as on x86 and ARM. */
static inline int fdx_flags_are_reliable(void)
{
    if (fdx_is_default())
        return 1;
    if (!fdx_is_flushing())
        return 0;
    const unsigned before = fdx_flags();
    fdx_set_flags(0);
    volatile double least = DBL_MIN;
    least = least / 2;
    const int tell = (fdx_flags() & FDX_UNDERFLOW) != 0;
    fdx_set_flags(before);
    return tell;
}

#endif
