# The weights of a derivative at a point.

def weights(cnp.ndarray nodes not None, cnp.ndarray at not None, int deriv, tuple shape not None):
    """Weights of shape (*shape, n), and -1; if a set of nodes is refused, its number in place of -1. Both arrays are
    contiguous float64: `at` of the shape, and `nodes` of shape (*shape, n), or (n,) for all."""
    cdef int n = <int>cnp.PyArray_DIM(nodes, cnp.PyArray_NDIM(nodes) - 1), flags, status = FDX_OK
    cdef Py_ssize_t count = cnp.PyArray_SIZE(at), row = 0, step = n if cnp.PyArray_NDIM(nodes) > 1 else 0
    cdef const double *x = <const double *>cnp.PyArray_DATA(nodes)
    cdef const double *points = <const double *>cnp.PyArray_DATA(at)
    cdef cnp.ndarray result = np.empty((*shape, n))
    cdef double *w = <double *>cnp.PyArray_DATA(result)
    if (cnp.PyArray_SIZE(nodes) != (count * n if step != 0 else n) or cnp.PyArray_SIZE(result) != count * n
            or _dtype(nodes) != FDX_F64 or not cnp.PyArray_ISCARRAY_RO(nodes)
            or _dtype(at) != FDX_F64 or not cnp.PyArray_ISCARRAY_RO(at)):
        raise ValueError("nodes: expected an array that keeps its shape and dtype during the call, "
                         f"got {(<object>nodes).shape} of {nodes.dtype}")
    PyUFunc_clearfperr()
    with nogil:
        while row < count:
            status = fdx_weights(w + row * n, NULL, x + row * step, n, points[row], deriv)
            if status != FDX_OK:
                break
            row += 1
        flags = PyUFunc_getfperr()
    if status != FDX_OK:
        return result, row
    if flags:
        _report(flags, "weights")
    return result, -1
