# Outputs that need no further checks. All others go through fdx._common.outputs.

cdef inline bint _apart(const char *data, ptrdiff_t bytes, const char *b, ptrdiff_t b_bytes) noexcept:
    return data + bytes <= b or b + b_bytes <= data


cdef inline bint _apart_from(const char *data, ptrdiff_t bytes, cnp.ndarray a) noexcept:
    """Do so many bytes share no memory with an array? False if that is not certain."""
    return ((cnp.PyArray_IS_C_CONTIGUOUS(a) or cnp.PyArray_IS_F_CONTIGUOUS(a))
            and _apart(data, bytes, <const char *>cnp.PyArray_DATA(a), cnp.PyArray_NBYTES(a)))


cdef inline int _result_type(cnp.ndarray f, int dtype) noexcept:
    return cnp.PyArray_TYPE(f) if dtype >= FDX_F32 else cnp.NPY_FLOAT64


cdef bint _simple(object out, int type, int nfirst, const ptrdiff_t *first, int ndim, const ptrdiff_t *shape) except -1:
    """Can results of this type be written to `out` without further checks? It has the shape (*first, *shape)."""
    cdef cnp.ndarray o
    cdef int d
    if not cnp.PyArray_CheckExact(out):
        return False
    o = <cnp.ndarray>out  # checked
    if (cnp.PyArray_TYPE(o) != type or cnp.PyArray_NDIM(o) != nfirst + ndim
            or cnp.PyArray_ISBYTESWAPPED(o) or not cnp.PyArray_ISWRITEABLE(o)
            or not (cnp.PyArray_IS_C_CONTIGUOUS(o) or (nfirst == 0 and cnp.PyArray_IS_F_CONTIGUOUS(o)))):
        return False
    for d in range(nfirst):
        if cnp.PyArray_DIM(o, d) != first[d]:
            return False
    for d in range(ndim):
        if cnp.PyArray_DIM(o, nfirst + d) != shape[d]:
            return False
    return True


cdef bint _take_out(object out, cnp.ndarray f, int dtype, object args, int naxes, fdx_gradient_axis *along,
                    ptrdiff_t *strides) except -1:
    """Describe the outputs of a gradient, if all of them are simple, and apart from each other, from f and from the
    spacings `args`. If not, return False: they need the full checks."""
    cdef int result = fdx_result_dtype(dtype), k, j
    cdef int type = _result_type(f, dtype), ndim = cnp.PyArray_NDIM(f)
    cdef ptrdiff_t each = cnp.PyArray_SIZE(f) * fdx_itemsize(result), count = naxes
    cdef const ptrdiff_t *shape = <const ptrdiff_t *>cnp.PyArray_DIMS(f)
    cdef bint stacked = naxes > 1 and not isinstance(out, (tuple, list))
    cdef const char *data
    cdef object item = out
    if not _simple(out, type, 1, &count, ndim, shape) if stacked else naxes > 1 and len(out) != naxes:
        return False
    for k in range(naxes):
        if not stacked:
            item = out if naxes == 1 else out[k]
            if not _simple(item, type, 0, NULL, ndim, shape):
                return False
        strides = _fill(&along[k].out, item, result, strides)
        if stacked:
            along[k].out.stride += 1
            along[k].out.data = <char *>along[k].out.data + k * each
        data = <const char *>along[k].out.data
        if not _apart_from(data, each, f):
            return False
        for j in range(k):
            if not _apart(data, each, <const char *>along[j].out.data, each):
                return False
    for dx in args:
        if cnp.PyArray_Check(dx):
            for k in range(naxes):
                if not _apart_from(<const char *>along[k].out.data, each, dx):
                    return False
    return True
