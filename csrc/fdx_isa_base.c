/* The row loops for the compiler's own target: on x86-64 SSE2, elsewhere whatever it is. */
#include "fdx_rows.h"

#define FDX_ISA(x) x##base
#define FDX_ISA_NAME "base"
#include "fdx_isa.inc"
