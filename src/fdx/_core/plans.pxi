# Compiled operators, and their application to checked arrays.

cdef struct _Prepared:
    fdx_call call
    const fdx_prepared *prepared  # NULL: there is none
    void *memory                  # of it
    int dtype
    ptrdiff_t *strides            # of inputs, then of outputs; before them are the arrays, after them data of copies


cdef inline int _which(const double *alpha_beta) noexcept:
    return 0 if alpha_beta == NULL else 1 + (alpha_beta[1] != 0)


cdef const double *_numbers(tuple alpha_beta, double *numbers) except? NULL:
    """Two floats in `numbers`, or NULL for None."""
    if alpha_beta is None:
        return NULL
    numbers[0], numbers[1] = alpha_beta
    return numbers


@cython.final
cdef class Plan:
    """An operator compiled for arrays of one shape.

    `terms` are (input, output, number, factors), by ascending output. Factors are (axis, description, crop, transposed,
    coefficient), in the order in which they are applied: what a Description describes, or, if that is None, the removal
    of `crop` points; a coefficient is None or an array of the shape of the factor's result.
    """
    cdef readonly tuple in_shape, out_shape
    cdef readonly int ninputs, noutputs
    cdef readonly bint has_coefficients
    cdef Py_ssize_t size  # of all outputs
    cdef double neighbours  # of each result
    # Calls like most, of small arrays: without alpha and beta, with a beta of 0, with another one; the first layouts.
    cdef _Prepared *prepared[3][LAYOUTS]
    cdef list kept  # coefficients
    cdef cnp.ndarray memory  # what `op` points to: an array, as NumPy asks for huge pages, whose first touch is faster
    cdef const fdx_operator *op

    def __cinit__(self, tuple in_shape not None, list terms not None):
        cdef int d, k = 0, nfactors = 0, ndim = <int>len(in_shape), nterms = <int>len(terms)
        cdef fdx_sum what
        cdef fdx_term *term
        cdef fdx_factor *factor
        cdef fdx_array *coefficients
        cdef double *numbers
        cdef ptrdiff_t *next_number
        # A copy, as the lists may change after their elements are counted.
        terms = [(source, target, number, tuple(factors)) for source, target, number, factors in terms]
        for _, _, _, factors in terms:
            nfactors += <int>len(factors)
        self.kept = []
        term = <fdx_term *>malloc(
            nterms * (sizeof(fdx_term) + sizeof(double)) + nfactors * (sizeof(fdx_factor) + sizeof(fdx_array))
            + (nfactors + 1) * ndim * sizeof(ptrdiff_t) + 1)
        if term == NULL:
            raise MemoryError("an operator")
        factor = <fdx_factor *>(term + nterms)
        coefficients = <fdx_array *>(factor + nfactors)
        numbers = <double *>(coefficients + nfactors)
        next_number = <ptrdiff_t *>(numbers + nterms)
        what = fdx_sum(ndim=ndim, shape=next_number, nterms=nterms, term=term, isa=ISA, transposed=0)
        try:
            for d in range(ndim):
                next_number[d] = in_shape[d]
            next_number += ndim
            for source, target, number, factors in terms:
                numbers[k] = number
                term[k] = fdx_term(in_=source, out=target, nfactors=<int>len(factors), factor=factor,
                                   scale=&numbers[k])
                for described in factors:
                    next_number = self.describe(factor, described, coefficients, ndim, next_number)
                    coefficients += 1
                    factor += 1
                k += 1
            self.compile(&what)
        finally:
            free(term)
        self.has_coefficients = len(self.kept) > 0
        self.in_shape = in_shape
        self.out_shape = tuple([self.op.out_shape[d] for d in range(ndim)])
        self.ninputs, self.noutputs = self.op.ninputs, self.op.noutputs
        self.size = self.noutputs
        for d in range(ndim):
            self.size *= self.op.out_shape[d]
        self.neighbours = self.count_neighbours() / <double>self.noutputs

    cdef double count_neighbours(self):
        """Those of one point in each output."""
        cdef int k, s
        cdef Py_ssize_t count = 0
        cdef const fdx_band *band
        for k in range(self.op.nchains):
            for s in range(self.op.chain[k].nstages):
                band = self.op.chain[k].stage[s].band
                count += 1 if band == NULL else band.interior.count
        return <double>count

    cdef ptrdiff_t *describe(self, fdx_factor *factor, tuple described, fdx_array *array, int ndim,
                             ptrdiff_t *strides) except NULL:
        """Fill in one factor; returns the memory after `strides`, of which an array of coefficients takes some."""
        axis, description, crop, transposed, coefficient, sign = described
        factor[0] = fdx_factor(
            axis=axis, coefficient=NULL, sign=sign, band=NULL, transposed=transposed, crop=crop, what=THE_IDENTITY)
        if description is not None:
            factor.what = (<Description?>description).what
        if coefficient is not None:
            if not computes(coefficient) or coefficient.ndim != ndim:
                raise TypeError(f"expected an array of {ndim} dimensions, got {coefficient!r}")
            self.kept.append(coefficient)
            strides = _fill(array, coefficient, _dtype(coefficient), strides)
            factor.coefficient = array
        return strides

    cdef int compile(self, const fdx_sum *what) except -1:
        cdef cnp.npy_intp bytes = <cnp.npy_intp>fdx_operator_size(what)
        self.memory = cnp.PyArray_SimpleNew(1, &bytes, cnp.NPY_UINT8)
        cdef fdx_status status = fdx_operator_make(cnp.PyArray_DATA(self.memory), what, &self.op)
        if status == FDX_OK:
            return 0
        kind = NoWeights if status == FDX_E_NODES else TooManyStages if status == FDX_E_COUNT else NotCompiled
        raise kind(fdx_status_message(status).decode())

    def __dealloc__(self):
        cdef int k, n
        for k in range(3):
            for n in range(LAYOUTS):
                if self.prepared[k][n] != NULL:
                    free(self.prepared[k][n].memory)
                free(self.prepared[k][n])

    cdef int run(self, const fdx_array *arrays, void *const *copies, bint first_touch, Py_ssize_t workers,
                 const double *alpha_beta, const ptrdiff_t *lo=NULL, const ptrdiff_t *hi=NULL) except -1:
        """Apply it to arrays that have been checked, inputs first; report floating-point errors. `copies`,
        `alpha_beta`, `lo`, `hi`: as fdx_call has them."""
        cdef double on_stack[STACK_PREPARED]
        cdef void *memory = on_stack
        cdef const fdx_prepared *prepared
        cdef fdx_call call
        cdef int flags, status
        call.op = self.op
        call.in_ = arrays
        call.out = arrays + self.ninputs
        call.lo, call.hi = lo, hi
        call.alpha_beta = alpha_beta
        call.first_touch = first_touch
        call.copies = copies
        if fdx_prepared_size(&call) > sizeof(on_stack):
            memory = malloc(fdx_prepared_size(&call))
            if memory == NULL:
                raise MemoryError("an operator")
        try:
            status = fdx_prepare(memory, &call, &prepared)
            if status != FDX_OK:
                raise SystemError("fdx: " + fdx_status_message(<fdx_status>status).decode())
            PyUFunc_clearfperr()
            flags = _run(_Call(gradient=NULL, prepared=prepared, solve=NULL), self.size, self.neighbours, workers)
        finally:
            if memory != on_stack:
                free(memory)
        if flags:
            _report(flags, "derivative")
        return 0

    cdef int run_small(self, void *const *data, int dtype, const ptrdiff_t *strides,
                       const ptrdiff_t *strides_of_result, bint copies, const double *alpha_beta) except -1:
        """The same for small inputs of one layout, and outputs of one, by a call that is prepared for layouts like the
        first ones; returns 0 if these are not like them. `copies`: after that of the outputs, there is their data."""
        cdef _Prepared *kept
        cdef int raised, status
        with cython.critical_section(self):
            kept = self.small(data, dtype, strides, strides_of_result, copies, alpha_beta)
        if kept == NULL:
            return 0
        if self.size < NOGIL_ELEMENTS:
            PyUFunc_clearfperr()
            status = _run_part(kept.prepared, data, alpha_beta, 0, 1)
            raised = PyUFunc_getfperr()
        else:
            with nogil:
                PyUFunc_clearfperr()
                status = _run_part(kept.prepared, data, alpha_beta, 0, 1)
                raised = PyUFunc_getfperr()
        if status != FDX_OK:
            return 0
        if raised:
            _report(raised, "derivative")
        return 1

    cdef _Prepared *small(self, void *const *data, int dtype, const ptrdiff_t *strides,
                          const ptrdiff_t *strides_of_result, bint copies, const double *alpha_beta) except? NULL:
        """A prepared call for these layouts; NULL if there is none, and no place for another one."""
        cdef _Prepared **kept = self.prepared[_which(alpha_beta)]
        cdef size_t each = self.op.ndim * sizeof(ptrdiff_t)
        cdef int k
        for k in range(LAYOUTS):
            if kept[k] == NULL:
                kept[k] = self.prepare_small(data, dtype, strides, strides_of_result, copies, alpha_beta)
            if (kept[k].dtype == dtype and (kept[k].call.copies != NULL) == copies
                    and memcmp(kept[k].strides, strides, each) == 0
                    and memcmp(kept[k].strides + self.op.ndim, strides_of_result, each) == 0
                    and self.aligned_as(&kept[k].call, data)):
                return kept[k] if kept[k].prepared != NULL else NULL
        return NULL

    cdef bint aligned_as(self, const fdx_call *call, void *const *data) noexcept:
        """Is data as far from multiples of 8 bytes as that of a call?"""
        cdef int k
        for k in range(self.ninputs + self.noutputs):  # the outputs come after the inputs
            if (<uintptr_t>data[k] - <uintptr_t>call.in_[k].data) % 8 != 0:
                return False
        return True

    cdef _Prepared *prepare_small(self, void *const *data, int dtype, const ptrdiff_t *strides,
                                  const ptrdiff_t *strides_of_result, bint copies,
                                  const double *alpha_beta) except NULL:
        cdef int k, ndim = self.op.ndim, count = self.ninputs + self.noutputs
        cdef _Prepared *kept = <_Prepared *>malloc(
            sizeof(_Prepared) + count * sizeof(fdx_array) + 2 * ndim * sizeof(ptrdiff_t)
            + self.noutputs * sizeof(void *))
        if kept == NULL:
            raise MemoryError("an operator")
        cdef fdx_array *arrays = <fdx_array *>(kept + 1)
        cdef ptrdiff_t *own = <ptrdiff_t *>(arrays + count)
        cdef void **copy = <void **>(own + 2 * ndim)
        for k in range(self.noutputs if copies else 0):
            copy[k] = data[count + k]
        for k in range(ndim):
            own[k], own[ndim + k] = strides[k], strides_of_result[k]
        for k in range(self.ninputs):
            arrays[k] = fdx_array(data=data[k], stride=own, dtype=<uint8_t>dtype, swapped=0)
        for k in range(self.ninputs, count):
            arrays[k] = fdx_array(data=data[k], stride=own + ndim, dtype=<uint8_t>fdx_result_dtype(dtype), swapped=0)
        kept.call = fdx_call(op=self.op, in_=arrays, out=arrays + self.ninputs, lo=NULL, hi=NULL,
                             alpha_beta=alpha_beta, first_touch=0, copies=NULL)
        if copies:
            kept.call.copies = copy
        kept.dtype, kept.strides = dtype, own
        kept.memory = malloc(fdx_prepared_size(&kept.call))
        if (kept.memory == NULL or fdx_prepare(kept.memory, &kept.call, &kept.prepared) != FDX_OK
                or fdx_prepared_workspace_size(kept.prepared) == 0):  # there are no results
            kept.prepared = NULL
        kept.call.alpha_beta = NULL  # each run has its own
        return kept

    @property
    def double_only(self):
        """Are there weights that over- or underflow in single precision?"""
        return self.op.double_only != 0

    def terms(self):
        """The compiled terms, in the order in which they are added: (input, output, stages, shift). Stages are (axis,
        Band or None, coefficient or None), in the order in which they are applied."""
        cdef int k, s, ndim = self.op.ndim
        cdef const fdx_chain *chain
        cdef Band band
        cdef list result = []
        for k in range(self.op.nchains):
            chain = &self.op.chain[k]
            stages = []
            for s in range(chain.nstages):
                band = None
                if chain.stage[s].band != NULL:
                    band = Band.__new__(Band)
                    band.band, band.plan = chain.stage[s].band, self
                stages.append((chain.stage[s].axis, band, self.coefficient(&chain.stage[s])))
            result.append((chain.in_, chain.out, stages, tuple([chain.shift[d] for d in range(ndim)])))
        return result

    cdef object coefficient(self, const fdx_stage *stage):
        """The array that multiplies a stage, which is not copied, or the part of it that does; or None."""
        cdef const fdx_array *a = stage.coefficient
        cdef cnp.ndarray c
        if a != NULL:
            for c in self.kept:
                if cnp.PyArray_DATA(c) == a.data and all([c.strides[d] == a.stride[d] for d in range(self.op.ndim)]):
                    return c if stage.sign == 0 else np.maximum(c, 0) if stage.sign > 0 else np.minimum(c, 0)
        return None

    def coefficients(self):
        """The arrays that multiply results."""
        return self.kept

    def apply(self, tuple ins not None, tuple outs not None, bint first_touch, workers, tuple alpha_beta=None):
        """Apply it to `ins` and write to `outs`: disjoint arrays of its shapes, and of dtypes that match. If there are
        twice as many of these, the later ones, unless None, get the same as the others, whose strides they have."""
        cdef double numbers[2]
        cdef Py_ssize_t nworkers = threads.count(workers)
        cdef int k, count = self.ninputs + self.noutputs, given_count, dtype, result, ndim = self.op.ndim
        cdef fdx_array *arrays
        cdef void **copies
        cdef ptrdiff_t *next_strides
        cdef cnp.ndarray a, first
        cdef tuple given = ins + outs
        given_count = <int>len(given)
        if len(ins) != self.ninputs or given_count not in (count, count + self.noutputs):
            raise ValueError(f"expected {self.ninputs} inputs and {self.noutputs} outputs, got {len(ins)}, {len(outs)}")
        a = ins[0]
        result = fdx_result_dtype(_dtype(a))
        if (result == FDX_F32 or result == FDX_C64) and self.op.double_only:
            raise ValueError(f"f: expected double precision, got {a.dtype}")
        arrays = <fdx_array *>malloc(
            count * (sizeof(fdx_array) + ndim * sizeof(ptrdiff_t)) + self.noutputs * sizeof(void *))
        if arrays == NULL:
            raise MemoryError("an operator")
        next_strides = <ptrdiff_t *>(arrays + count)
        copies = <void **>(next_strides + count * ndim)
        try:
            for k in range(given_count):
                if k >= count:
                    copies[k - count] = NULL
                    if given[k] is None:
                        continue
                a = given[k]
                if k < self.ninputs:
                    dtype = _dtype(a)
                    if dtype < 0 or fdx_result_dtype(dtype) != result:
                        raise ValueError(f"f: expected an array that keeps its dtype during the call, got {a.dtype}")
                    _unchanged("f", a, dtype, ndim, self.op.in_shape)
                else:
                    _unchanged("out", a, result, ndim, self.op.out_shape)
                    if not cnp.PyArray_ISWRITEABLE(a):
                        raise ValueError("out: expected a writeable array, got a read-only one")
                if k < count:
                    next_strides = _fill(&arrays[k], a, _dtype(a), next_strides)
                    continue
                first = given[k - self.noutputs]
                if memcmp(cnp.PyArray_STRIDES(a), cnp.PyArray_STRIDES(first), ndim * sizeof(ptrdiff_t)) != 0:
                    raise ValueError("out: expected components of the same strides")
                copies[k - count] = cnp.PyArray_DATA(a)
            self.run(arrays, copies if given_count > count else NULL, first_touch, nworkers,
                     _numbers(alpha_beta, numbers))
        finally:
            free(arrays)

    def box(self, cnp.ndarray f not None, tuple lo not None, tuple hi not None):
        """The results of one floating-point input, with indices from `lo` on and below `hi`: a new array."""
        cdef ptrdiff_t numbers[4 * FDX_MAXDIM]
        cdef ptrdiff_t *from_ = numbers
        cdef ptrdiff_t *to = numbers + FDX_MAXDIM
        cdef fdx_array arrays[2]
        cdef int d, ndim = self.op.ndim, dtype = _dtype(f)
        cdef uintptr_t at
        cdef cnp.ndarray result
        if self.ninputs != 1 or self.noutputs != 1 or len(lo) != ndim or len(hi) != ndim or dtype < FDX_F32:
            raise ValueError(f"expected one floating-point input and one output, got {f.dtype}, {lo}, {hi}")
        _unchanged("f", f, dtype, ndim, self.op.in_shape)
        result = np.empty([end - begin for begin, end in zip(lo, hi)], f.dtype)
        at = <uintptr_t>cnp.PyArray_DATA(result)
        for d in range(ndim):
            from_[d], to[d] = lo[d], hi[d]
            if not 0 <= from_[d] <= to[d] <= self.op.out_shape[d]:
                raise ValueError(f"expected a box in {self.out_shape}, got {lo} to {hi}")
            at -= <uintptr_t>from_[d] * <uintptr_t>cnp.PyArray_STRIDE(result, d)
        _fill(&arrays[0], f, dtype, numbers + 2 * FDX_MAXDIM)
        _fill(&arrays[1], result, dtype, numbers + 3 * FDX_MAXDIM)
        arrays[1].data = <void *>at  # of the element with all indices 0, which need not exist
        self.run(arrays, NULL, True, 1, NULL, from_, to)
        return result

    cdef object fast_path(self, object f, object out, object workers, const double *alpha_beta):
        """Apply an operator of one input and one output; None if the arguments need conversion or further
        checks."""
        cdef cnp.ndarray a
        cdef fdx_array arrays[2]
        cdef void *data[2]
        cdef ptrdiff_t on_stack[2 * STACK_NDIM]
        cdef ptrdiff_t *strides = on_stack
        cdef int dtype, d, ndim = self.op.ndim
        cdef Py_ssize_t nworkers
        if not cnp.PyArray_CheckExact(f):
            return None
        a = <cnp.ndarray>f  # checked
        nworkers = _quick_workers(workers, self.size)  # first, as this may run code that changes the arrays' shapes
        dtype = _dtype(a)
        if (nworkers == 0 or dtype < 0 or cnp.PyArray_NDIM(a) != ndim
                or ((dtype == FDX_F32 or dtype == FDX_C64) and self.op.double_only)):
            return None
        for d in range(ndim):
            if cnp.PyArray_DIM(a, d) != self.op.in_shape[d]:
                return None
        if out is None:
            result = new_result(a, self.out_shape)
        elif (_simple(out, _result_type(a, dtype), 0, NULL, ndim, self.op.out_shape) and _are_apart(out, a)
                and self.reads_nothing_of(out)):
            result = out
        else:
            return None
        if nworkers == 1 and self.size < SMALL_ELEMENTS and not cnp.PyArray_ISBYTESWAPPED(a):
            data[0], data[1] = cnp.PyArray_DATA(a), cnp.PyArray_DATA(result)
            if self.run_small(data, dtype, <const ptrdiff_t *>cnp.PyArray_STRIDES(a),
                              <const ptrdiff_t *>cnp.PyArray_STRIDES(result), 0, alpha_beta):
                return result
        if ndim > STACK_NDIM:
            strides = <ptrdiff_t *>malloc(2 * ndim * sizeof(ptrdiff_t))
            if strides == NULL:
                raise MemoryError("an operator")
        try:
            _fill(&arrays[0], a, dtype, strides)
            _fill(&arrays[1], result, fdx_result_dtype(dtype), strides + ndim)
            self.run(arrays, NULL, out is None, nworkers, alpha_beta)
        finally:
            if strides != on_stack:
                free(strides)
        return result

    cdef bint reads_nothing_of(self, cnp.ndarray out) noexcept:
        """Are all coefficients apart from it?"""
        for c in self.kept:
            if not _are_apart(out, c):
                return False
        return True

    cdef object several(self, object F, tuple counts, object out, object workers, const double *alpha_beta):
        """Apply an operator of several inputs or outputs, as `_components` takes inputs; the outputs are one array of
        shape (*counts, *out_shape). None if the arguments need conversion or further checks."""
        cdef void *data[2 * MOST_SMALL]  # with that of copies
        cdef void **copies
        cdef fdx_array arrays[MOST_SMALL]
        cdef ptrdiff_t dims[FDX_MAXDIM + 2]
        cdef ptrdiff_t numbers[2 * FDX_MAXDIM]
        cdef ptrdiff_t *strides = numbers
        cdef ptrdiff_t *strides_of_result = numbers + self.op.ndim
        cdef const ptrdiff_t *shape = self.op.in_shape
        cdef const char *to
        cdef const char *other
        cdef int nfirst = <int>len(counts), ndim = self.op.ndim, k, d, dtype, result
        cdef ptrdiff_t first, end, first_of_result, end_of_result, i, j, n
        cdef cnp.ndarray like, o
        cdef tuple one_by_one = None  # the outputs, if they are not one array
        cdef Py_ssize_t nworkers
        if nfirst == 0 and self.noutputs == 1 and type(F) is tuple and len(<tuple>F) == self.ninputs == 1:
            return self.fast_path((<tuple>F)[0], out, workers, alpha_beta)  # which has one way to prepare small calls
        nworkers = _quick_workers(workers, self.size)
        if nworkers == 0 or self.size == 0 or self.ninputs + self.noutputs > MOST_SMALL or self.has_coefficients:
            return None
        if not self.fills(counts):
            return None
        dtype = _components(F, self.ninputs, ndim, shape, data, strides)
        if dtype < 0 or ((dtype == FDX_F32 or dtype == FDX_C64) and self.op.double_only):
            return None
        like = (<tuple>F)[0] if type(F) is tuple else F
        result = fdx_result_dtype(dtype)
        for k in range(nfirst):
            dims[k] = counts[k]
        for k in range(ndim):
            dims[nfirst + k] = self.op.out_shape[k]
            if out is None and (shape[k] == 1 or self.op.out_shape[k] == 1):  # whose strides may be any
                return None
        if out is None and not cnp.PyArray_IS_C_CONTIGUOUS(like):  # the results have its order
            return None
        if out is None:
            o = _empty(cnp.PyArray_DescrFromType(_result_type(like, dtype)), nfirst + ndim, dims, NULL)
        elif nfirst == 1 and (PyTuple_CheckExact(out) or PyList_CheckExact(out)):
            one_by_one = tuple(out)  # a copy, as a list may change
            if len(one_by_one) != self.noutputs:
                return None
        elif not _simple(out, _result_type(like, dtype), nfirst, dims, ndim, self.op.out_shape):
            return None
        else:
            o = out
        copies = data + self.ninputs + self.noutputs if self.symmetric(counts) else NULL
        for k in range(self.noutputs if one_by_one is not None else 1):
            if one_by_one is not None:
                if not _simple(one_by_one[k], _result_type(like, dtype), 0, NULL, ndim, self.op.out_shape):
                    return None
                o = one_by_one[k]
                data[self.ninputs + k] = cnp.PyArray_DATA(o)
            for d in range(ndim):
                if k > 0 and strides_of_result[d] != cnp.PyArray_STRIDE(o, d):
                    return None
                strides_of_result[d] = cnp.PyArray_STRIDE(o, d if one_by_one is not None else nfirst + d)
        if one_by_one is None and copies == NULL:
            n = counts[1] if nfirst == 2 else 1
            for k in range(self.noutputs):
                data[self.ninputs + k] = (<char *>cnp.PyArray_DATA(o)
                                          + (k // n * cnp.PyArray_STRIDE(o, 0) if nfirst > 0 else 0)
                                          + (k % n * cnp.PyArray_STRIDE(o, 1) if nfirst > 1 else 0))
        elif copies != NULL:
            n = counts[0]
            k = 0
            for i in range(n):
                for j in range(i, n):
                    data[self.ninputs + k] = (<char *>cnp.PyArray_DATA(o) + i * cnp.PyArray_STRIDE(o, 0)
                                              + j * cnp.PyArray_STRIDE(o, 1))
                    copies[k] = (NULL if i == j else <char *>cnp.PyArray_DATA(o) + j * cnp.PyArray_STRIDE(o, 0)
                                 + i * cnp.PyArray_STRIDE(o, 1))
                    k += 1
        _reach(ndim, shape, strides, fdx_itemsize(dtype), &first, &end)
        if one_by_one is not None:
            _reach(ndim, self.op.out_shape, strides_of_result, fdx_itemsize(result), &first_of_result, &end_of_result)
        else:
            _reach(nfirst + ndim, dims, <const ptrdiff_t *>cnp.PyArray_STRIDES(o), fdx_itemsize(result),
                   &first_of_result, &end_of_result)
        for k in range(self.ninputs, self.ninputs + (self.noutputs if one_by_one is not None else 1)):
            to = <const char *>(data[k] if one_by_one is not None else cnp.PyArray_DATA(o))
            for j in range(k):
                other = <const char *>data[j]
                if not (_apart(to + first_of_result, to + end_of_result, other + first, other + end) if j < self.ninputs
                        else _apart(to + first_of_result, to + end_of_result, other + first_of_result,
                                    other + end_of_result)):
                    return None
        if not (nworkers == 1 and self.size < SMALL_ELEMENTS
                and self.run_small(data, dtype, strides, strides_of_result, copies != NULL, alpha_beta)):
            for k in range(self.ninputs):
                arrays[k] = fdx_array(data=data[k], stride=strides, dtype=<uint8_t>dtype, swapped=0)
            for k in range(self.ninputs, self.ninputs + self.noutputs):
                arrays[k] = fdx_array(data=data[k], stride=strides_of_result, dtype=<uint8_t>result, swapped=0)
            self.run(arrays, copies, out is None, nworkers, alpha_beta)
        return o if one_by_one is None else out

    cdef bint fills(self, tuple counts):
        """Are there so many outputs, or those of the upper triangle of a symmetric matrix?"""
        cdef Py_ssize_t places = 1, n
        for n in counts:
            places *= n
        if self.symmetric(counts):
            n = counts[0]
            return counts[1] == n and self.noutputs == n * (n + 1) // 2
        return self.noutputs == places

    cdef bint symmetric(self, tuple counts):
        """Are the outputs the upper triangle of a symmetric matrix?"""
        return len(counts) == 2 and self.noutputs < counts[0] * counts[1]

    def quick(self, F, tuple counts not None, out, workers, tuple alpha_beta=None):
        """Apply it to the inputs `F`, an array with them along its first axis or a sequence of arrays; the outputs are
        an array of shape (*counts, *out_shape). None if the arguments need conversion or further checks."""
        cdef double numbers[2]
        return self.several(tuple(F) if isinstance(F, list) else F, counts, out, workers, _numbers(alpha_beta, numbers))
