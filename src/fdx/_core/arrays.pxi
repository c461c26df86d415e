# NumPy's arrays as the C core's, and new ones.

cdef int _dtype(cnp.ndarray a) noexcept:
    """The fdx_dtype of an array, or -1."""
    cdef int num = cnp.PyArray_TYPE(a)
    cdef int size
    if num == cnp.NPY_FLOAT64:
        return FDX_F64
    if num == cnp.NPY_FLOAT32:
        return FDX_F32
    if cnp.NPY_BYTE <= num <= cnp.NPY_ULONGLONG:
        # NumPy's integers alternate signed and unsigned, as fdx's do; C's names for them only tell the size.
        size = <int>cnp.PyArray_ITEMSIZE(a)
        return (FDX_I8 + (num - cnp.NPY_BYTE) % 2
                + (0 if size == 1 else 2 if size == 2 else 4 if size == 4 else 6))
    if num == cnp.NPY_COMPLEX128:
        return FDX_C128
    if num == cnp.NPY_COMPLEX64:
        return FDX_C64
    return -1


cdef ptrdiff_t *_fill(fdx_array *to, cnp.ndarray a, int dtype, ptrdiff_t *strides) noexcept:
    """Describe an array. Its strides are copied to `strides`: another thread may reshape it in place while the GIL is
    released. Returns the address after them."""
    cdef int d, ndim = cnp.PyArray_NDIM(a)
    for d in range(ndim):
        strides[d] = cnp.PyArray_STRIDE(a, d)
    to.data = cnp.PyArray_DATA(a)
    to.stride = strides
    to.dtype = <uint8_t>dtype
    to.swapped = cnp.PyArray_ISBYTESWAPPED(a)
    return strides + ndim


cdef int _changed(str name, cnp.ndarray a, int ndim, const ptrdiff_t *shape) except -1:
    was = tuple([shape[d] for d in range(ndim)])
    raise ValueError(f"{name}: expected an array that keeps its shape and dtype during the call, got shape {was} and "
                     f"later {(<object>a).shape} with dtype {a.dtype}")


cdef inline int _unchanged(str name, cnp.ndarray a, int dtype, int ndim, const ptrdiff_t *shape) except -1:
    """The conversion of an argument may have run code of its class that changed another argument's shape or dtype."""
    cdef int d
    if _dtype(a) != dtype or cnp.PyArray_NDIM(a) != ndim:
        return _changed(name, a, ndim, shape)
    for d in range(ndim):
        if cnp.PyArray_DIM(a, d) != shape[d]:
            return _changed(name, a, ndim, shape)
    return 0


cdef bint _plain_type(object a):
    """Is it an ndarray or memmap? Then NumPy's results have the same type, and are computed in no other way."""
    return cnp.PyArray_CheckExact(a) or type(a) is memmap


cdef bint _overrides(object a):
    """May a's class override np.gradient, or the arithmetic that it does?"""
    return not _plain_type(a) and hasattr(type(a), "__array_function__")


cdef int _components(object F, int count, int ndim, const ptrdiff_t *shape, void **data,
                     ptrdiff_t *strides) except -2:
    """The data of so many arrays of a shape, a tuple of them, or an array with them along its first axis, and their
    strides. Returns their dtype; -1 if they are not of one dtype, in native byte order, and of the same strides."""
    cdef cnp.ndarray a = None
    cdef object item = F
    cdef int k, d, dtype = -1
    cdef bint stacked = type(F) is not tuple  # not a subclass, which may define its items
    if not stacked and len(<tuple>F) != count:
        return -1
    for k in range(1 if stacked else count):
        if not stacked:
            item = (<tuple>F)[k]
        if not cnp.PyArray_CheckExact(item):
            return -1
        a = item
        if (cnp.PyArray_NDIM(a) != ndim + stacked or (k > 0 and _dtype(a) != dtype)
                or cnp.PyArray_ISBYTESWAPPED(a) or (stacked and cnp.PyArray_DIM(a, 0) != count)):
            return -1
        dtype = _dtype(a)
        for d in range(ndim):
            if cnp.PyArray_DIM(a, d + stacked) != shape[d]:
                return -1
            if k == 0:
                strides[d] = cnp.PyArray_STRIDE(a, d + stacked)
            elif strides[d] != cnp.PyArray_STRIDE(a, d):
                return -1
        data[k] = cnp.PyArray_DATA(a)
    if stacked:
        for k in range(count):
            data[k] = <char *>cnp.PyArray_DATA(a) + k * cnp.PyArray_STRIDE(a, 0)
    return dtype


cdef void _k_order_strides(int ndim, const ptrdiff_t *shape, const ptrdiff_t *like, ptrdiff_t itemsize,
                           ptrdiff_t *strides) noexcept:
    """The strides of np.empty_like for a prototype of strides `like` (not C- or F-contiguous)."""
    cdef int order[FDX_MAXDIM]
    cdef int d, at
    for d in range(ndim):
        at = d
        while at > 0 and _abs(like[order[at - 1]]) < _abs(like[d]):
            order[at] = order[at - 1]
            at -= 1
        order[at] = d
    for at in range(ndim - 1, -1, -1):
        strides[order[at]] = itemsize
        itemsize *= shape[order[at]]


cdef inline ptrdiff_t _abs(ptrdiff_t v) noexcept:
    return -v if v < 0 else v


cdef cnp.ndarray _new_result(cnp.ndarray a, int dtype):
    """Allocate a result as np.gradient does: np.empty_like of a floating-point array, or of an integer array's float64
    copy."""
    cdef ptrdiff_t strides[FDX_MAXDIM]
    cdef int ndim = cnp.PyArray_NDIM(a), d
    cdef bint has_length_1 = False
    cdef cnp.dtype descr
    if dtype >= FDX_F32:
        return _empty_like(a, <cnp.dtype>cnp.PyArray_DESCR(a))
    descr = cnp.PyArray_DescrFromType(cnp.NPY_FLOAT64)
    for d in range(ndim):
        has_length_1 |= cnp.PyArray_DIM(a, d) == 1
    if (not has_length_1 or cnp.PyArray_IS_C_CONTIGUOUS(a) or cnp.PyArray_IS_F_CONTIGUOUS(a)):
        return _empty_like(a, descr)
    # Where a length is 1, the strides of the copy can differ from those of its empty_like. To save the memory of the
    # copy, compute its strides, and call empty_like on an array that has them and shares a's data.
    _k_order_strides(ndim, <const ptrdiff_t *>cnp.PyArray_DIMS(a), <const ptrdiff_t *>cnp.PyArray_STRIDES(a),
                     sizeof(double), strides)
    Py_INCREF(descr)  # the next line steals it
    return _empty_like(
        PyArray_NewFromDescr(type(a), descr, ndim, <const ptrdiff_t *>cnp.PyArray_DIMS(a), strides,
                             cnp.PyArray_DATA(a), 0, a),
        descr)


def new_result(cnp.ndarray a not None, tuple shape not None):
    """A new array of a shape, of the dtype of a's derivative, in the memory order of `a`."""
    cdef ptrdiff_t dims[FDX_MAXDIM]
    cdef ptrdiff_t strides[FDX_MAXDIM]
    cdef int d, ndim = cnp.PyArray_NDIM(a), dtype = _dtype(a)
    cdef bint same = True
    cdef cnp.dtype descr
    if len(shape) != ndim or dtype < 0:
        raise ValueError(f"expected an array of {len(shape)} dimensions, got {ndim} and dtype {a.dtype}")
    for d in range(ndim):
        dims[d] = shape[d]
        same = same and dims[d] == cnp.PyArray_DIM(a, d)
    if same:
        return _new_result(a, dtype)
    descr = <cnp.dtype>cnp.PyArray_DESCR(a) if dtype >= FDX_F32 else cnp.PyArray_DescrFromType(cnp.NPY_FLOAT64)
    _k_order_strides(ndim, dims, <const ptrdiff_t *>cnp.PyArray_STRIDES(a), cnp.PyDataType_ELSIZE(descr), strides)
    return _empty(descr, ndim, dims, strides)


def computes(a):
    """Does fdx itself compute arrays of this type and dtype?"""
    return _plain_type(a) and _dtype(a) >= 0
