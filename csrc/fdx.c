/* The version, sizes of dtypes, and messages of statuses. */
#include "fdx_layout.h"

const char *fdx_version(void)
{
    return FDX_VERSION;
}

ptrdiff_t fdx_itemsize(int dtype)
{
    return itemsize_of(dtype);
}

int fdx_result_dtype(int dtype)
{
    return result_dtype_of(dtype);
}

const char *fdx_status_message(fdx_status status)
{
    switch (status) {
    case FDX_OK: return "no error";
    case FDX_E_NULL: return "a required pointer is NULL";
    case FDX_E_NDIM: return "the number of dimensions is not in 1 .. FDX_MAXDIM";
    case FDX_E_SHAPE:
        return "a length is negative, shapes of arrays do not match, or an array of these lengths and strides does not "
               "fit into memory";
    case FDX_E_DTYPE: return "a dtype or precision is unknown, or a dtype does not go with the data's";
    case FDX_E_AXIS: return "an axis is not in 0 .. ndim - 1";
    case FDX_E_SIZE:
        return "an axis has too few points for its stencils, a row has too few or too many neighbours, sizes of "
               "matrices do not match, or memory of more than PTRDIFF_MAX bytes is needed";
    case FDX_E_STENCIL:
        return "a formula, summation order, derivative, accuracy, boundary, position, side or sign is unknown or does "
               "not go with others, or a stencil reaches outside the array";
    case FDX_E_EDGE: return "edge_order is neither 1 nor 2";
    case FDX_E_COUNT:
        return "too few or too many axes, inputs, outputs, terms or factors, or numbers of inputs or outputs that have "
               "gaps or are not in order";
    case FDX_E_OVERLAP:
        return "an output overlaps an input, coordinates, a coefficient or another output, or its elements overlap "
               "each other";
    case FDX_E_PART: return "part is not in 0 .. nparts - 1";
    case FDX_E_BOX: return "a box is not 0 <= lo <= hi <= the shape, or only one of lo and hi is given";
    case FDX_E_NODES:
        return "nodes, coordinates, a spacing, a period or a scale give no finite weights (a spacing or scale of 0 is "
               "one that was never set)";
    case FDX_E_WORKSPACE: return "the workspace has too few bytes";
    case FDX_E_SINGULAR: return "the matrix to be solved has no inverse, up to rounding";
    case FDX_E_ALIGNMENT: return "data for a prepared call is not a multiple of 8 bytes away from the call's";
    }
    return "unknown status";
}
