/* The version, sizes of dtypes, and words for statuses. */
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
    case FDX_E_NULL: return "a pointer that must point at something is NULL";
    case FDX_E_NDIM: return "the number of dimensions is not in 1 .. FDX_MAXDIM";
    case FDX_E_SHAPE: return "a length is negative, or memory has no room for an array of such lengths and strides";
    case FDX_E_DTYPE: return "an unknown dtype or precision, or a dtype that does not go with the data's";
    case FDX_E_AXIS: return "an axis is not in 0 .. ndim - 1";
    case FDX_E_SIZE:
        return "an axis is too short for its stencils, has too few or too many nodes, or takes too many bytes";
    case FDX_E_STENCIL:
        return "an unknown kind of stencil, derivative, accuracy or boundary, or a stencil that reaches outside the "
               "array";
    case FDX_E_EDGE: return "edge_order is neither 1 nor 2";
    case FDX_E_COUNT:
        return "too few or too many operators, inputs, outputs, terms or stages, or outputs that are not in order";
    case FDX_E_OVERLAP:
        return "an output's extent overlaps an input's, coordinates' or a factor's, or its elements overlap each other";
    case FDX_E_PART: return "part is not in 0 .. nparts - 1";
    case FDX_E_BOX: return "a box is not 0 <= lo <= hi <= the array's shape, or has only one of its corners";
    case FDX_E_WORKSPACE: return "the workspace has too few bytes";
    case FDX_E_NODES:
        return "nodes, coordinates, a spacing, a period or a scale (which must not be 0) of which no finite weights "
               "can be made";
    }
    return "unknown status";
}
