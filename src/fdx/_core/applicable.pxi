# Plans of the last call, which the next call tries first: the base class of operators, and what functions keep.

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        object (*tp_call)(object, object, object)
        Py_ssize_t tp_vectorcall_offset
        unsigned long tp_flags
    ctypedef PyObject *(*vectorcallfunc)(PyObject *, PyObject *const *, size_t, PyObject *)
    Py_ssize_t PyVectorcall_NARGS(size_t nargs) noexcept
    PyTypeObject *Py_TYPE(object) noexcept
    unsigned long Py_TPFLAGS_HAVE_VECTORCALL


cdef class Applicable:
    """The base class of operators, which applies them: first by the plan of the last call, without any look-up."""
    cdef Plan plan
    cdef object offsets  # None, or what data of boundaries add to the plan's results
    cdef tuple counts    # of results, for an operator on several fields, or None
    cdef bint of_one     # one of these takes one array
    cdef vectorcallfunc call_by_vector  # Python calls this, to make neither a tuple nor a dictionary of arguments

    def __cinit__(self):
        cdef PyTypeObject *type = Py_TYPE(self)
        self.call_by_vector = <vectorcallfunc>_call_by_vector
        # Before Python 3.12, classes do not inherit it.
        if type.tp_call == _OPERATORS.tp_call and not type.tp_flags & Py_TPFLAGS_HAVE_VECTORCALL:
            type.tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL

    def __call__(self, u, *others, out=None, workers=None, alpha=1, beta=0):
        """__call__($self, u, *, out=None, workers=None, alpha=1, beta=0)\n--\n
        Apply the operator to an array.

        Parameters
        ----------
        u : array_like
            Integers, float32, float64, complex64 or complex128, in any layout.
        out : ndarray, optional
            Where to write the result: of its shape and dtype, any strides. It may share
            memory with `u`, which is then copied first.
        workers : int, optional
            Number of threads, as in `fdx.gradient`.
        alpha, beta : float, optional
            For ``alpha * L(u) + beta * out`` in the same pass over the arrays: a time step, or
            a sum of several operators. If `beta` is 0, `out` need not be set before.

        Returns
        -------
        ndarray
            `out`, or a new array: of shape ``L.output_shape(u.shape)``; of the dtype of `u`
            if that is floating point, else float64.

        Raises
        ------
        ValueError
            For an axis with fewer points than the stencil takes (the message says how many
            it needs) or not as many as there are coordinates; a scalar `u`; float32 data if
            a weight over- or underflows in float32; an `out` of another shape, read-only, or
            whose elements overlap; an `alpha` or `beta` that is not finite; a `beta` other than
            0 without `out`.
        TypeError
            For another dtype of `u`; for a `u` that is more than an array, as by a mask, a
            unit or labels (the message says what to pass instead); an `out` of another
            dtype, or that is not an array.
        numpy.exceptions.AxisError
            For an axis that `u` does not have.
        FloatingPointError
            If `numpy.errstate` asks for it, after `out` has been written; all other errors
            are raised before.

        Warns
        -----
        RuntimeWarning
            For overflow and invalid values, as `numpy.errstate` asks for.

        See Also
        --------
        fdx.derivative : The derivative of one array along one axis.

        Notes
        -----
        The first call for a shape compiles the operator for it, in some 50 microseconds;
        compiled operators for up to 16 shapes are kept. After that, ten points take less than a
        microsecond, and large arrays a time proportional to their size. No memory that grows
        with the array is allocated, except for the result, for weights on uneven
        coordinates, and for copies of what shares memory with `out`.

        ``L(u)`` is complete and rounded to the dtype of the result before it is multiplied by
        `alpha` and added to ``beta * out``, where each operation is rounded: the bits are those of
        the same operations on arrays of real numbers. What data of boundaries add comes last,
        multiplied by `alpha`.

        Examples
        --------
        >>> import numpy as np, fdx
        >>> D = fdx.Diff(0, 0.5)
        >>> u = np.array([0.0, 1.0, 4.0, 9.0])
        >>> D(u)
        array([ 0.,  4.,  8., 12.])
        >>> D(u, out=u) is u
        True

        A step of the leapfrog method, from the values before to those after:

        >>> step = 2 * fdx.Identity() + 0.25 * fdx.Diff(0, deriv=2, boundary="symmetric")
        >>> before, now = np.array([0.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0])
        >>> step(now, out=before, beta=-1)
        array([0.25, 0.5 , 0.25])
        """
        if others:
            raise TypeError(
                f"u: expected one array, got {1 + len(others)} arguments; the others go by their names, "
                "coordinates into fdx.Diff(axis, coordinates)")
        return self.call(u, out, workers, alpha, beta)

    cdef object call(self, object u, object out, object workers, object alpha, object beta):
        cdef Plan plan
        cdef double[2] numbers
        cdef const double *alpha_beta = NULL
        if alpha is not ONE or beta is not ZERO:
            if (not _is_plain(alpha, &numbers[0]) or not _is_plain(beta, &numbers[1])
                    or (numbers[1] != 0 and out is None)):
                numbers[0], numbers[1] = self._check_numbers(alpha, beta, out)
            alpha_beta = numbers if numbers[0] != 1 or numbers[1] != 0 else NULL
        with cython.critical_section(self):
            # keeps references: another thread's call may replace them meanwhile
            plan, offsets, counts, of_one = self.plan, self.offsets, self.counts, self.of_one
        if plan is not None and counts is not None:
            result = plan.several((u,) if of_one else tuple(u) if PyList_CheckExact(u) else u, counts, out, workers,
                                  alpha_beta)
            if result is not None:
                return result
        elif plan is not None:
            added = None
            # Before an output is written to, which may have data.
            if offsets is not None and cnp.PyArray_CheckExact(u) and (<object>u).shape == plan.in_shape:
                added = offsets.results((<cnp.ndarray>u).descr)
            if offsets is None or added is not None:
                try:
                    result = plan.fast_path(u, out, workers, alpha_beta)
                except (FloatingPointError, RuntimeWarning):
                    add_parts(out, added, alpha_beta[0] if alpha_beta != NULL else 1)  # it comes after the results
                    raise
                if result is not None:
                    add_parts(result, added, alpha_beta[0] if alpha_beta != NULL else 1)
                    return result
        return self._apply(u, out, workers, None if alpha_beta == NULL else (alpha_beta[0], alpha_beta[1]))

    def _remember(self, Plan plan not None, offsets=None, bint of_one=True, tuple counts=None):
        """Try this plan first from now on. Returns whether that is new."""
        with cython.critical_section(self):
            before, self.plan = self.plan, plan
            self.offsets, self.of_one, self.counts = offsets, of_one, counts
        return before is not plan


cdef bint _is_plain(object value, double *number) noexcept:
    """Is it a finite number of a usual type? If so, set *number."""
    cdef int overflow
    if PyFloat_CheckExact(value) or type(value) is float64:
        number[0] = PyFloat_AS_DOUBLE(value)
        return isfinite(number[0])
    if PyLong_CheckExact(value):
        number[0] = <double>PyLong_AsLongAndOverflow(value, &overflow)
        return overflow == 0
    return False


def add_parts(result, added, double alpha):
    """Add what data of boundaries add, a list of indices and arrays, times a number; or nothing, for None.
    Floating-point errors are raised after the last one."""
    error = None
    if result is None or added is None:
        return
    for where, part in added:
        box = result[where]
        try:
            box += part if alpha == 1 else alpha * part
        except (FloatingPointError, RuntimeWarning) as one:
            error = one
    if error is not None:
        raise error


cdef PyTypeObject *_OPERATORS = <PyTypeObject *>Applicable
cdef str _OUT = sys.intern("out"), _WORKERS = sys.intern("workers")
cdef str _ALPHA = sys.intern("alpha"), _BETA = sys.intern("beta")


cdef Py_ssize_t _vectorcall_offset(Applicable one) noexcept:
    return <char *>&one.call_by_vector - <char *><PyObject *>one


_OPERATORS.tp_vectorcall_offset = _vectorcall_offset(Applicable())


cdef object _call_by_vector(object operator, PyObject *const *arguments, size_t nargs, PyObject *names):
    """operator(*arguments), of which the last go by names: `__call__` for the usual ones."""
    cdef Py_ssize_t count = PyVectorcall_NARGS(nargs), k, nnames = 0 if names == NULL else len(<tuple>names)
    cdef PyObject *out = <PyObject *>None
    cdef PyObject *workers = <PyObject *>None
    cdef PyObject *alpha = <PyObject *>ONE
    cdef PyObject *beta = <PyObject *>ZERO
    cdef str name
    # A class that was given another __call__ may still have come here, before Python 3.12.
    cdef bint usual = count == 1 and Py_TYPE(operator).tp_call == _OPERATORS.tp_call
    for k in range(nnames if usual else 0):
        name = <str>PyTuple_GET_ITEM(<tuple>names, k)
        if name is _OUT:
            out = arguments[1 + k]
        elif name is _WORKERS:
            workers = arguments[1 + k]
        elif name is _ALPHA:
            alpha = arguments[1 + k]
        elif name is _BETA:
            beta = arguments[1 + k]
        else:
            usual = False
    if usual:
        return (<Applicable>operator).call(<object>arguments[0], <object>out, <object>workers,
                                           <object>alpha, <object>beta)
    return Py_TYPE(operator).tp_call(
        operator, tuple([<object>arguments[k] for k in range(count)]),
        {(<tuple>names)[k]: <object>arguments[count + k] for k in range(nnames)})


# Types of arguments that are what they were. Not those that define `__float__`, `__index__` or `__eq__` themselves.
CONSTANTS = INTEGERS - {np.bool_} | {int, float, str, type(None), float32, float64}


cdef bint _constant(object value):
    """Is it a constant, or a tuple of constants?"""
    if type(value) is not tuple:
        return type(value) in CONSTANTS
    for one in <tuple>value:
        if type(one) not in CONSTANTS:
            return False
    return True


cdef bint _has_bytes(object x, object dtype, bytes data):
    """Is it a contiguous 1-D array of this dtype and with these bytes?"""
    return (cnp.PyArray_CheckExact(x) and cnp.PyArray_NDIM(<cnp.ndarray>x) == 1 and (<cnp.ndarray>x).descr is dtype
            and cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray>x) and cnp.PyArray_NBYTES(<cnp.ndarray>x) == len(data)
            and memcmp(cnp.PyArray_DATA(<cnp.ndarray>x), <const char *>data, <size_t>len(data)) == 0)


cdef bint _same(tuple a, tuple kept):
    """Are these the same constants, or equal floats, or coordinates of the same dtype and bytes?"""
    cdef Py_ssize_t k
    if len(a) != len(kept):
        return False
    for k in range(len(a)):
        x, y = a[k], kept[k]
        if x is y or (PyTuple_CheckExact(y) and _has_bytes(x, (<tuple>y)[0], (<tuple>y)[1])):
            continue
        if not (type(x) is type(y) and (PyFloat_CheckExact(x) or type(x) is float64)
                and PyFloat_AS_DOUBLE(x) == PyFloat_AS_DOUBLE(y)):
            return False
    return True


@cython.final
cdef class Recent:
    """A function of arrays on a grid. If the arguments of its last call were constants, or the spacing coordinates,
    their plan is tried first. `prepare` finds the plan of another call: it returns checked inputs, the plan, the counts
    of its outputs, and the spacings as `_same` takes them, or None. `apply(plan, inputs, counts, out, workers)` does
    what takes more checks. `of_vectors`: it takes several arrays."""
    cdef object prepare, apply
    cdef bint of_vectors
    cdef tuple kept

    def __init__(self, prepare, apply, bint of_vectors):
        self.prepare, self.apply, self.of_vectors = prepare, apply, of_vectors

    def call(self, f, tuple spacing not None, axis, deriv, accuracy, boundary, period, out, workers):
        """The result of a call."""
        cdef tuple kept
        cdef object given = f, tried = None
        with cython.critical_section(self):
            kept = self.kept
        if (kept is not None and axis is kept[1] and deriv is kept[2] and accuracy is kept[3]
                and boundary is kept[4] and period is kept[5] and _same(spacing, kept[0])):
            tried = kept[6]
            result = self.quick(f, tried, kept[7], out, workers)
            if result is not None:
                return result
        f, plan, counts, comparable = self.prepare(f, spacing, axis, deriv, accuracy, boundary, period)
        result = None if plan is tried and f is given else self.quick(f, plan, counts, out, workers)
        if result is None:
            result = self.apply(plan, f if self.of_vectors else [f], counts, out, workers)
        if (plan is not None and comparable is not None and _constant(axis) and _constant(deriv) and _constant(accuracy)
                and _constant(boundary) and _constant(period)):
            with cython.critical_section(self):
                self.kept = (comparable, axis, deriv, accuracy, boundary, period, plan, counts)
        return result

    cdef object quick(self, object f, Plan plan, tuple counts, object out, object workers):
        """The result of a plan; None if there is no plan, or if arrays need conversion or further checks."""
        if plan is None:
            return None
        if self.of_vectors:
            return plan.several(tuple(f) if PyList_CheckExact(f) else f, counts, out, workers, NULL)
        if counts:
            return plan.several((f,), counts, out, workers, NULL)
        return plan.fast_path(f, out, workers, NULL)

    def cache_clear(self):
        with cython.critical_section(self):
            self.kept = None
