/* Compact schemes: their rows are a table. */
#include "fdx.h"
#include "fdx_compact.inc"

fdx_status fdx_compact(int deriv, int accuracy, fdx_scheme *a, fdx_scheme *b)
{
    if (a == NULL || b == NULL)
        return FDX_E_NULL;
    for (size_t k = 0; k < sizeof compact_schemes / sizeof *compact_schemes; k++)
        if (compact_schemes[k].deriv == deriv && compact_schemes[k].accuracy == accuracy) {
            *a = compact_schemes[k].scheme[0];
            *b = compact_schemes[k].scheme[1];
            return FDX_OK;
        }
    return FDX_E_STENCIL;
}
