# Outputs that need no further checks. All others go through fdx._common.outputs.

cdef inline bint _disjoint(const char *a, ptrdiff_t a_bytes, const char *b, ptrdiff_t b_bytes) noexcept:
    return a + a_bytes <= b or b + b_bytes <= a


cdef bint _simple(object out, cnp.ndarray f, int dtype, int stacked) except -1:
    """Can `out` be written to without further checks? If `stacked` is not 0, its first axis holds that many results."""
    cdef cnp.ndarray o
    cdef int d, more = stacked > 0
    if not cnp.PyArray_CheckExact(out):
        return False
    o = out
    if (cnp.PyArray_TYPE(o) != (cnp.PyArray_TYPE(f) if dtype >= FDX_F32 else cnp.NPY_FLOAT64)
            or cnp.PyArray_NDIM(o) != cnp.PyArray_NDIM(f) + more
            or cnp.PyArray_ISBYTESWAPPED(o) or not cnp.PyArray_ISWRITEABLE(o)
            or not (cnp.PyArray_IS_C_CONTIGUOUS(o) or (not more and cnp.PyArray_IS_F_CONTIGUOUS(o)))
            or (more and cnp.PyArray_DIM(o, 0) != stacked)):
        return False
    for d in range(cnp.PyArray_NDIM(f)):
        if cnp.PyArray_DIM(o, d + more) != cnp.PyArray_DIM(f, d):
            return False
    return True


cdef bint _take_out(object out, cnp.ndarray f, int dtype, int naxes, fdx_gradient_axis *along,
                    ptrdiff_t *next_strides) except -1:
    """Describe the outputs, if all of them are simple and disjoint from each other and from f. If not, return False:
    they need the full checks."""
    cdef int result = fdx_result_dtype(dtype), k, j
    cdef ptrdiff_t each
    cdef const char *data
    cdef object item
    if not (cnp.PyArray_IS_C_CONTIGUOUS(f) or cnp.PyArray_IS_F_CONTIGUOUS(f)):
        return False
    if naxes > 1 and not isinstance(out, (tuple, list)):
        if not _simple(out, f, dtype, naxes):
            return False
        each = cnp.PyArray_NBYTES(out) // naxes
        for k in range(naxes):
            next_strides = _fill(&along[k].out, out, result, next_strides)
            along[k].out.stride += 1
            along[k].out.data = <char *>along[k].out.data + k * each
    else:
        if naxes > 1 and len(out) != naxes:
            return False
        for k in range(naxes):
            item = out if naxes == 1 else out[k]
            if not _simple(item, f, dtype, 0):
                return False
            each = cnp.PyArray_NBYTES(item)
            next_strides = _fill(&along[k].out, item, result, next_strides)
    for k in range(naxes):
        data = <const char *>along[k].out.data
        if not _disjoint(data, each, <const char *>cnp.PyArray_DATA(f), cnp.PyArray_NBYTES(f)):
            return False
        for j in range(k):
            if not _disjoint(data, each, <const char *>along[j].out.data, each):
                return False
    return True


cdef bint _disjoint_from_outputs(object dx, const fdx_gradient_axis *along, int naxes, ptrdiff_t each) noexcept:
    """Does a spacing share no memory with the outputs, of `each` bytes? False if that is not certain."""
    cdef int k
    if not cnp.PyArray_Check(dx):
        return True
    if not cnp.PyArray_IS_C_CONTIGUOUS(dx):
        return False
    cdef const char *data = <const char *>cnp.PyArray_DATA(dx)
    for k in range(naxes):
        if not _disjoint(data, cnp.PyArray_NBYTES(dx), <const char *>along[k].out.data, each):
            return False
    return True
