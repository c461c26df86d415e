# Outputs that need no further checks. All others go through fdx._common.outputs.

cdef inline bint _apart(const char *lo, const char *hi, const char *other, const char *end) noexcept:
    return hi <= other or end <= lo


cdef void _reach(int ndim, const ptrdiff_t *shape, const ptrdiff_t *strides, ptrdiff_t itemsize,
                 ptrdiff_t *lo, ptrdiff_t *hi) noexcept:
    """The bytes lo .. hi - 1 from its first element on that an array's elements are in."""
    cdef ptrdiff_t step
    cdef int d
    lo[0], hi[0] = 0, itemsize
    for d in range(ndim):
        if shape[d] == 0:
            lo[0] = hi[0] = 0
            return
        step = (shape[d] - 1) * strides[d]
        lo[0] += step if step < 0 else 0
        hi[0] += step if step > 0 else 0


cdef inline void _extent(cnp.ndarray a, const char **lo, const char **hi) noexcept:
    """The bytes lo .. hi - 1 that an array's elements are in."""
    cdef ptrdiff_t first, end
    lo[0] = hi[0] = <const char *>cnp.PyArray_DATA(a)
    if cnp.PyArray_IS_C_CONTIGUOUS(a) or cnp.PyArray_IS_F_CONTIGUOUS(a):
        hi[0] += cnp.PyArray_NBYTES(a)
        return
    _reach(cnp.PyArray_NDIM(a), <const ptrdiff_t *>cnp.PyArray_DIMS(a), <const ptrdiff_t *>cnp.PyArray_STRIDES(a),
           cnp.PyArray_ITEMSIZE(a), &first, &end)
    lo[0] += first
    hi[0] += end


cdef inline bint _apart_from(const char *lo, const char *hi, cnp.ndarray a) noexcept:
    """Do these bytes share no memory with an array? False if that is not certain."""
    cdef const char *other
    cdef const char *end
    _extent(a, &other, &end)
    return _apart(lo, hi, other, end)


cdef inline bint _are_apart(cnp.ndarray a, cnp.ndarray b) noexcept:
    cdef const char *lo
    cdef const char *hi
    _extent(a, &lo, &hi)
    return _apart_from(lo, hi, b)


cdef bint _overlaps_itself(cnp.ndarray a) noexcept:
    """Do elements share memory? Also True for some strides that no slicing of an array produces."""
    cdef Py_ssize_t extent = cnp.PyArray_ITEMSIZE(a), stride
    cdef unsigned long long seen = 0
    cdef int d, k, least, ndim = cnp.PyArray_NDIM(a)
    for k in range(ndim):  # from the least stride on
        least = -1
        for d in range(ndim):
            if (cnp.PyArray_DIM(a, d) > 1 and not seen >> d & 1
                    and (least < 0 or _abs(cnp.PyArray_STRIDE(a, d)) < _abs(cnp.PyArray_STRIDE(a, least)))):
                least = d
        if least < 0:
            return False
        stride = _abs(cnp.PyArray_STRIDE(a, least))
        if stride < extent:
            return True
        seen |= <unsigned long long>1 << least
        extent += stride * (cnp.PyArray_DIM(a, least) - 1)
    return False


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
            or cnp.PyArray_ISBYTESWAPPED(o) or not cnp.PyArray_ISWRITEABLE(o)):
        return False
    for d in range(nfirst):
        if cnp.PyArray_DIM(o, d) != first[d]:
            return False
    for d in range(ndim):
        if cnp.PyArray_DIM(o, nfirst + d) != shape[d]:
            return False
    return cnp.PyArray_IS_C_CONTIGUOUS(o) or cnp.PyArray_IS_F_CONTIGUOUS(o) or not _overlaps_itself(o)


cdef bint _take_out(object out, cnp.ndarray f, int dtype, object args, int naxes, fdx_gradient_axis *along,
                    ptrdiff_t *strides) except -1:
    """Describe the outputs of a gradient, if all of them are simple, and apart from each other, from f and from the
    spacings `args`. If not, return False: they need the full checks."""
    cdef int result = fdx_result_dtype(dtype), k, j
    cdef int type = _result_type(f, dtype), ndim = cnp.PyArray_NDIM(f)
    cdef ptrdiff_t count = naxes, first, end
    cdef const ptrdiff_t *shape = <const ptrdiff_t *>cnp.PyArray_DIMS(f)
    cdef bint stacked = naxes > 1 and not isinstance(out, (tuple, list))
    cdef const char *lo[FDX_MAXDIM]
    cdef const char *hi[FDX_MAXDIM]
    cdef const char *lo_of_f
    cdef const char *hi_of_f
    cdef object item = out
    _extent(f, &lo_of_f, &hi_of_f)
    if not _simple(out, type, 1, &count, ndim, shape) if stacked else naxes > 1 and len(out) != naxes:
        return False
    for k in range(naxes):
        if not stacked:
            item = out if naxes == 1 else out[k]
            if not _simple(item, type, 0, NULL, ndim, shape):
                return False
        strides = _fill(&along[k].out, item, result, strides)
        if not stacked:
            _extent(item, &lo[k], &hi[k])
        else:
            along[k].out.stride += 1
            along[k].out.data = <char *>along[k].out.data + k * cnp.PyArray_STRIDE(out, 0)
            _reach(ndim, shape, along[k].out.stride, fdx_itemsize(result), &first, &end)
            lo[k] = <const char *>along[k].out.data + first
            hi[k] = <const char *>along[k].out.data + end
        if not _apart(lo[k], hi[k], lo_of_f, hi_of_f):
            return False
        for j in range(k):
            if not _apart(lo[k], hi[k], lo[j], hi[j]):
                return False
    for dx in args:
        if cnp.PyArray_Check(dx):
            for k in range(naxes):
                if not _apart_from(lo[k], hi[k], dx):
                    return False
    return True
