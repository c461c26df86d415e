/* The status flags of floating-point operations, as the walk uses them: quick ways of computing are tried first, and
 * a flag says where they do not hold. On x86-64 all our arithmetic is SSE's, whose register is much quicker to read and
 * write than <fenv.h> is, and needs no library. */
#ifndef FDX_FENV_H
#define FDX_FENV_H

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>

#define FDX_FLAGS 0x1du /* invalid, division by zero, overflow, underflow */

static inline unsigned fdx_flags(void)
{
    return _mm_getcsr() & FDX_FLAGS;
}
static inline void fdx_set_flags(unsigned flags)
{
    _mm_setcsr((_mm_getcsr() & ~FDX_FLAGS) | flags);
}
/* Rounding to nearest, subnormal numbers being what they are, and no exception a trap. */
static inline int fdx_default_environment(void)
{
    return (_mm_getcsr() & 0xffc0) == 0x1f80;
}

#else
#include <fenv.h>

#define FDX_FLAGS (FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW)

static inline unsigned fdx_flags(void)
{
    return (unsigned)fetestexcept(FDX_FLAGS);
}
static inline void fdx_set_flags(unsigned flags)
{
    feclearexcept(FDX_FLAGS);
    feraiseexcept((int)flags);
}
/* The same, but for traps, which C has no way to ask for. */
static inline int fdx_default_environment(void)
{
    const volatile double least = 2.2250738585072014e-308; /* half of it is subnormal */
    return fegetround() == FE_TONEAREST && least / 2 != 0;
}
#endif

#endif
