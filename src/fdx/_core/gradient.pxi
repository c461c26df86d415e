# np.gradient.

cdef int _axes(object axis, int ndim, int *axes) except -1:
    """np.gradient's `axis` (None, an integer or a normalized tuple) as numbers from 0 on; returns how many."""
    cdef int k
    cdef Py_ssize_t number
    if axis is None:
        for k in range(ndim):
            axes[k] = k
        return ndim
    if PyLong_CheckExact(axis):
        number = axis
        axes[0] = <int>(number if number >= 0 else number + ndim)
        return 1
    for k in range(len(axis)):
        axes[k] = axis[k]
    return <int>len(axis)


cdef str WRONG = "wrong arguments"  # NumPy raises the error


cdef str _spacing_of(object dx, cnp.ndarray f):
    return f"spacing of dtype {dx.dtype}, f of {f.dtype}"


cdef struct _StackArguments:
    fdx_gradient_axis along[STACK_NDIM]
    _spacing spacing[STACK_NDIM]
    ptrdiff_t numbers[(STACK_NDIM + 3) * (STACK_NDIM + 1) + STACK_NDIM]


cdef object _compute(cnp.ndarray f, int ndim, tuple varargs, int naxes, const int *axes, object edge_order_, object out,
                     object workers, fdx_gradient_axis *along, _spacing *spacing, ptrdiff_t *shape):
    """The results of a call; or, if the C core does not compute it, a string that says why.

    `along` and `spacing` have `naxes` elements; `shape` has ndim, and then memory for the strides of ndim + 3 arrays of
    ndim + 1 dimensions. Arrays are described after the last line that can run code of an argument.
    """
    cdef int nargs = <int>len(varargs), edge_order = 1, d, k, flags = 0
    cdef int dtype = _dtype(f), result_dtype = fdx_result_dtype(dtype), x_dtype
    cdef cnp.ndarray a = f, x
    cdef Py_ssize_t size = cnp.PyArray_SIZE(f), nworkers = 1
    cdef fdx_gradient call
    cdef fdx_array coords
    cdef ptrdiff_t *next_strides = shape + ndim
    cdef bint complex_products = False, disjoint
    cdef object args = varargs  # a list if coordinates had to be converted or copied
    cdef object dx, result = None, results = None

    if dtype < 0:
        return f"f of dtype {f.dtype}"
    if naxes == 0:
        return "no axis to differentiate along"
    if nargs > 1 and nargs != naxes:
        return WRONG
    if cnp.PyArray_NDIM(a) != ndim:
        raise ValueError(f"f: expected an array that keeps its shape during the call, got {ndim} dimensions and later "
                         f"{cnp.PyArray_NDIM(a)}")
    for d in range(ndim):
        shape[d] = cnp.PyArray_DIM(a, d)
    if workers is not None:
        nworkers = workers
    elif size * naxes >= NOGIL_ELEMENTS:
        nworkers = threads.count(None)
    if edge_order_ is not ONE:
        if not isinstance(edge_order_, (int, integer)) or not 1 <= edge_order_ <= 2:
            return WRONG
        edge_order = edge_order_
        if not 1 <= edge_order <= 2:  # above, a subclass may have compared as it likes
            return WRONG
    for k in range(naxes):
        along[k].axis = axes[k]
        if shape[axes[k]] < edge_order + 1:
            return WRONG

    # The spacing of each axis. Arithmetic whose exceptions NumPy reports comes later, after the flags are cleared.
    for k in range(naxes):
        if nargs == 0:
            flags |= _weak(&along[k], 1.0, dtype, edge_order)
            spacing[k].kind = NUMBER
            continue
        dx = args[k if nargs == naxes else 0]
        if PyFloat_CheckExact(dx) or PyLong_CheckExact(dx) or dx is True or dx is False:
            if not PyFloat_CheckExact(dx):
                if not -2**53 < dx < 2**53:
                    return "spacing of 2**53 or more"
                dx = float(dx)
            spacing[k].h = PyFloat_AS_DOUBLE(dx)
            if spacing[k].h == 0 and edge_order == 2:
                return WRONG  # ZeroDivisionError
            flags |= _weak(&along[k], spacing[k].h, dtype, edge_order)
            spacing[k].kind = NUMBER
            continue
        if isinstance(dx, generic):
            if not _scalar(&spacing[k], dx, dtype):
                return _spacing_of(dx, f)
            continue
        if not _plain_type(dx):
            try:
                dx = np.asanyarray(dx)
            except Exception:  # NumPy raises it, or an error that it meets before
                return WRONG
            if not _plain_type(dx) or dx.ndim == 0:
                return f"spacing of type {type(args[k if nargs == naxes else 0]).__name__}"
        x = dx
        if cnp.PyArray_NDIM(x) == 0:
            dx = x[()]  # a scalar, as the array may change meanwhile
            if not _scalar(&spacing[k], dx, dtype):
                return _spacing_of(x, f)
        else:
            x_dtype = _dtype(x)
            if nargs != naxes or cnp.PyArray_NDIM(x) != 1 or cnp.PyArray_DIM(x, 0) != shape[axes[k]]:
                return WRONG
            if size == 0:
                return "coordinates of nothing"
            if x_dtype < 0 or x_dtype > FDX_F64:
                return _spacing_of(x, f)
            spacing[k].kind = COORDINATES
            spacing[k].dtype = x_dtype
        if dx is not args[k if nargs == naxes else 0]:
            if args is varargs:
                args = list(varargs)
            args[k if nargs == naxes else 0] = dx

    # The outputs. Inputs that share memory with them are copied first.
    if out is None:
        _unchanged("f", a, dtype, ndim, shape)
        if naxes == 1:
            result = _new_result(a, dtype)
            next_strides = _fill(&along[0].out, result, result_dtype, next_strides)
        else:
            result = PyTuple_New(naxes)
            for k in range(naxes):
                x = _new_result(a, dtype)
                next_strides = _fill(&along[k].out, x, result_dtype, next_strides)
                Py_INCREF(x)  # the next line steals it
                PyTuple_SET_ITEM(result, k, x)
    else:
        result = out
        if isinstance(out, (list, tuple)):
            out = tuple(out)  # another thread may change the list; a subclass may define its length and items
        _unchanged("f", a, dtype, ndim, shape)
        disjoint = _take_out(out, a, dtype, naxes, along, next_strides)
        for k in range(nargs):
            disjoint = disjoint and _disjoint_from_outputs(args[k], along, naxes, size * fdx_itemsize(result_dtype))
        if disjoint:
            next_strides += naxes * (ndim + 1)
        else:
            results = outputs.arrays(out, (<object>f).shape, naxes, f.dtype if dtype >= FDX_F32 else np.dtype(float))
            for o in results:
                if np.may_share_memory(a, o):
                    a = (<object>f).copy("K")
                for d in range(nargs):
                    if cnp.PyArray_Check(args[d]) and np.may_share_memory(args[d], o):
                        if args is varargs:
                            args = list(varargs)
                        args[d] = args[d].copy()
            for k in range(naxes):
                x = results[k]
                _unchanged("out", x, result_dtype, ndim, shape)
                next_strides = _fill(&along[k].out, x, result_dtype, next_strides)
            _unchanged("f", a, dtype, ndim, shape)

    call.ndim = ndim
    call.shape = shape
    if not cnp.PyArray_CheckExact(a):  # allocating a memmap's results has run code of its class
        _unchanged("f", a, dtype, ndim, shape)
    next_strides = _fill(&call.in_, a, dtype, next_strides)
    call.naxes = naxes
    call.axes = along
    call.isa = ISA
    call.lo = call.hi = NULL
    call.accumulate = NULL
    call.first_touch = out is None
    PyUFunc_clearfperr()
    for k in range(naxes):
        if spacing[k].kind == SCALAR:
            fdx_gradient_uniform(&along[k], dtype, spacing[k].h, spacing[k].precision, edge_order)
        elif spacing[k].kind == COORDINATES:
            x = args[k]
            _unchanged("spacing", x, spacing[k].dtype, 1, &shape[along[k].axis])
            next_strides = _fill(&coords, x, spacing[k].dtype, next_strides)
            if shape[along[k].axis] < NOGIL_ELEMENTS:
                fdx_gradient_coords(&along[k], dtype, &coords, shape[along[k].axis], edge_order, ISA)
            else:
                with nogil:
                    fdx_gradient_coords(&along[k], dtype, &coords, shape[along[k].axis], edge_order, ISA)
        complex_products |= dtype >= FDX_C64 and (edge_order == 2 or along[k].interior.formula == FDX_SPACED)

    flags |= _run(&call, NULL, size * naxes, nworkers)
    if flags:
        if _would_raise(flags) or (complex_products and flags & (UFUNC_FPE_OVERFLOW | UFUNC_FPE_UNDERFLOW)):
            # np.errstate asks for an error: NumPy raises the first that it meets. Or complex products over- or
            # underflow: then signs of zeros, and flags, depend on whether NumPy uses fused multiply-adds.
            if out is None:
                return "complex products that under- or overflow" if not _would_raise(flags) else "np.errstate"
            fallback.gradient(a, tuple(args), tuple(axes[k] for k in range(naxes)), edge_order, out)
            return result
        PyUFunc_GiveFloatingpointErrors("gradient", flags)
    return result


cdef object _gradient(object f, tuple varargs, object axis, object edge_order, object out, object workers,
                      object decline):
    """The gradient, computed here or by `decline`; if that is None, by np.gradient."""
    cdef int axes[FDX_MAXDIM]
    cdef int naxes, ndim
    cdef _StackArguments on_stack
    cdef void *memory
    cdef fdx_gradient_axis *along
    cdef _spacing *spacing
    cdef str why = ""
    cdef object result
    if not cnp.PyArray_CheckExact(f) and _overrides(f):
        why = f"f of type {type(f).__name__}"
    for dx in varargs:
        if not PyFloat_CheckExact(dx) and not why and _overrides(dx):
            why = f"spacing of type {type(dx).__name__}"
    if not why:
        if not cnp.PyArray_CheckExact(f):
            f = np.asanyarray(f)
        ndim = cnp.PyArray_NDIM(f)
        if axis is not None and not (PyLong_CheckExact(axis) and -ndim <= axis < ndim):
            axis = normalize_axis_tuple(axis, ndim)  # an iterator is read once
        naxes = _axes(axis, ndim, axes)
        if _plain_type(f):
            if ndim <= STACK_NDIM:
                result = _compute(f, ndim, varargs, naxes, axes, edge_order, out, workers, on_stack.along,
                                  on_stack.spacing, on_stack.numbers)
            else:
                memory = malloc(naxes * (sizeof(fdx_gradient_axis) + sizeof(_spacing))
                                + ((ndim + 3) * (ndim + 1) + ndim) * sizeof(ptrdiff_t))
                if memory == NULL:
                    raise MemoryError("the description of the arrays of a call")
                along = <fdx_gradient_axis *>memory
                spacing = <_spacing *>(along + naxes)
                try:
                    result = _compute(f, ndim, varargs, naxes, axes, edge_order, out, workers, along, spacing,
                                      <ptrdiff_t *>(spacing + naxes))
                finally:
                    free(memory)
            if not isinstance(result, str):
                return result
            why = result
        else:
            why = f"f of type {type(f).__name__}"
    if decline is not None:
        return decline(f, varargs, axis, edge_order, why)
    return fallback.gradient(f, varargs, axis, edge_order, out)


def gradient(f, *varargs, axis=None, edge_order=1, out=None, workers=None):
    """
    The gradient of an N-dimensional array: `numpy.gradient`, bit for bit, compiled.

    Central differences of second order in the interior, one-sided differences of first or
    second order at the two ends of each axis: less accurate there than in the interior,
    unless ``edge_order=2``.

    Parameters
    ----------
    f : array_like
        Values on a grid, in any layout. Arrays of float32, float64, complex64,
        complex128 and all integers, also as `numpy.memmap`, in any byte order, are
        computed here; everything else is passed to `numpy.gradient`.
    *varargs : scalar or array_like of shape (n,), optional
        The spacing, in the unit of the axis: nothing for 1 on each axis; one number for
        all axes; or for each axis of `axis`, in its order, a number or the coordinates
        of its n points, which may be spaced unevenly.
    axis : int or tuple of int, optional
        The axis or axes to differentiate along; by default all. Negative ones count
        from the last.
    edge_order : {1, 2}, optional
        The order of accuracy at the two ends; 2 needs three points along each axis, 1
        needs two.
    out : ndarray, or tuple or list of ndarray, optional
        Where to write the result: for one axis an array of the shape of `f`; for
        several a tuple or list of such arrays, or one array of shape ``(number of axes,
        *f.shape)``. Of the result's dtype, in its byte order or the native one; any
        strides. `f` and the coordinates may share memory with it (they are copied
        first); the arrays may not overlap each other. Reusing `out` in a loop avoids the
        first touch of new memory, which for large arrays costs more than the
        derivative.
    workers : int, optional
        Number of threads to use, if the array is large enough for that to be faster; -1
        for all CPUs that this process may use. The default is set by `fdx.set_workers`
        or the environment variable ``FDX_NUM_THREADS``, else 1. The result has the same
        bits for any number.

    Returns
    -------
    ndarray or tuple of ndarray
        For one axis an array of the shape of `f`, otherwise a tuple of one for each
        axis; `out` itself if it was given. The dtype is that of `f` if that is floating
        point, otherwise float64; the unit that of `f` over that of the axis.

    Raises
    ------
    ValueError
        For an axis of fewer than ``edge_order + 1`` points; coordinates that are not 1-D
        or not as many as the axis has points; an axis that is named twice; an
        `edge_order` above 2; an `out` of another shape, read-only, or overlapping.
    TypeError
        For a number of spacings that is not 0, 1 or the number of axes; data that cannot
        be subtracted (bool, str); an `out` of another dtype, or that is not an array.
    numpy.exceptions.AxisError
        For an axis that `f` does not have.
    FloatingPointError
        If `numpy.errstate` asks for it, after `out` has been written; all other errors
        are raised before.

    Warns
    -----
    RuntimeWarning
        Of the kinds that `numpy.gradient` gives for the same input under the same
        `numpy.errstate`.

    See Also
    --------
    numpy.gradient : The same function.
    fdx.derivative : Any derivative along one axis, of the same order at the ends as in the interior.
    fdx.jacobian : First derivatives along several axes, likewise.
    fdx.set_workers : The default for `workers`.

    Notes
    -----
    With distances :math:`h_1` to the left and :math:`h_2` to the right neighbour, the
    derivative at an interior point is

    .. math::

        -\\frac{h_2}{h_1 (h_1 + h_2)} f_{i-1} + \\frac{h_2 - h_1}{h_1 h_2} f_i + \\frac{h_1}{h_2 (h_1 + h_2)} f_{i+1},

    the slope of the parabola through the three points [1]_, [2]_; by Taylor's expansion
    the error is :math:`h_1 h_2 f^{(3)} / 6` plus terms of higher order. For
    :math:`h_1 = h_2 = h` it is computed as :math:`(f_{i+1} - f_{i-1}) / 2h`. At the first
    point it is :math:`(f_1 - f_0) / h_1`, with an error of :math:`h_1 f^{(2)} / 2`, or with
    ``edge_order=2`` the slope of the parabola through the first three points, for even
    spacing :math:`(-3 f_0 + 4 f_1 - f_2) / 2h`; at the last point likewise.

    Time is proportional to the size of `f` times the number of axes. No memory is
    allocated except for the results. The global interpreter lock is released while large
    arrays are computed.

    Errors and their messages are those of `numpy.gradient`, including errors that are not
    listed here; those of `out` and `workers` say what was expected and what was given.

    References
    ----------
    .. [1] A. Quarteroni, R. Sacco, F. Saleri, Numerical Mathematics, 2nd ed., Springer 2007, section 10.10.
    .. [2] B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids, Mathematics of
       Computation 51 (1988) 699-706.

    Examples
    --------
    >>> import numpy as np
    >>> import fdx
    >>> f = np.array([1.0, 2.0, 4.0, 7.0, 11.0, 16.0])
    >>> fdx.gradient(f)
    array([1. , 1.5, 2.5, 3.5, 4.5, 5. ])
    >>> fdx.gradient(f, 2.0, edge_order=2)
    array([0.25, 0.75, 1.25, 1.75, 2.25, 2.75])

    Uneven coordinates, and the gradient along each axis of a grid:

    >>> x = np.array([0.0, 1.0, 1.5, 3.5, 4.0, 6.0])
    >>> fdx.gradient(f, x)
    array([1. , 3. , 3.5, 6.7, 6.9, 2.5])
    >>> by_row, by_column = fdx.gradient(np.array([[1, 2, 6], [3, 4, 5]]))
    >>> by_row
    array([[ 2.,  2., -1.],
           [ 2.,  2., -1.]])

    In a time loop, into a preallocated array:

    >>> u = np.linspace(0.0, 1.0, 5) ** 2
    >>> du = np.empty_like(u)
    >>> for _ in range(3):
    ...     u -= 0.01 * fdx.gradient(u, 0.25, out=du)
    >>> du.shape
    (5,)
    """
    if workers is not None:
        workers = threads.count(workers)
    return _gradient(f, varargs, axis, edge_order, out, workers, None)


def gradient_for_numpy(f, tuple varargs, axis, edge_order, decline=fallback.undispatched):
    """np.gradient after dispatch, when no class overrides it. What is not computed here, `decline(f, varargs, axis,
    edge_order, why)` returns."""
    return _gradient(f, varargs, axis, edge_order, None, None, decline)
