# The spacings of np.gradient's axes.

cdef enum _Kind:
    NUMBER       # a Python number: its stencils are already computed
    SCALAR       # a NumPy scalar, treated as float32 or float64
    COORDINATES


cdef struct _spacing:
    _Kind kind
    double h
    fdx_precision precision
    int dtype  # of coordinates


cdef bint _scalar(_spacing *to, object dx, int dtype) except -1:
    """Accept a NumPy scalar if np.gradient computes with it in all cases as with a float32 or a float64."""
    if type(dx) is float64:
        to.precision = FDX_DOUBLE
    elif type(dx) is float32:
        to.precision = FDX_SINGLE
    elif type(dx) in INTEGERS and (dx.dtype.itemsize >= 4 or (dtype != FDX_F32 and dtype != FDX_C64)):
        # float32 data divided by a smaller integer dx stays float32; divided by 2 * dx it becomes float64.
        to.precision = FDX_DOUBLE
    else:
        return False
    to.kind = SCALAR
    to.h = float(dx)
    return True


cdef bint _rounded_to_infinity(fdx_gradient_row *s, double w, int k) noexcept:
    return isinf(s.w[k]) and not isinf(w)


cdef int _weak(fdx_gradient_axis *along, double h, int dtype, int edge_order) noexcept:
    """Stencils for a spacing that is a Python number. Returns the overflow flag if NumPy would report it: where a
    weight overflows when rounded to float32."""
    cdef bint overflow
    fdx_gradient_uniform(along, dtype, h, FDX_WEAK, edge_order)
    if dtype != FDX_F32 and dtype != FDX_C64:
        return 0
    overflow = _rounded_to_infinity(&along.interior, 2.0 * h, 0)
    if edge_order == 1:
        overflow |= _rounded_to_infinity(&along.first, h, 0)
    else:
        overflow |= (_rounded_to_infinity(&along.first, 1.5 / h, 0) or _rounded_to_infinity(&along.first, 2.0 / h, 1)
                     or _rounded_to_infinity(&along.first, 0.5 / h, 2))
    return UFUNC_FPE_OVERFLOW if overflow else 0
