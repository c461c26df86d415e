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


cdef struct _Gradient:
    fdx_gradient call
    fdx_gradient_axis *along  # call.axes
    _spacing *spacing         # of each
    ptrdiff_t *shape          # call.shape; after it is memory for the strides of ndim + 3 arrays of ndim + 1 dimensions
    ptrdiff_t *next_strides
    void *memory              # of these, if it has to be freed
    Py_ssize_t size
    int dtype, result_dtype, edge_order, flags


cdef inline int _allocate(_Gradient *g, _StackArguments *on_stack, int ndim, int naxes) except -1:
    cdef size_t each = sizeof(fdx_gradient_axis) + sizeof(_spacing)
    g.call.ndim = ndim
    g.call.naxes = naxes
    g.memory = NULL
    if ndim <= STACK_NDIM:
        g.along, g.spacing, g.shape = on_stack.along, on_stack.spacing, on_stack.numbers
    else:
        g.memory = malloc(naxes * each + ((ndim + 3) * (ndim + 1) + ndim) * sizeof(ptrdiff_t))
        if g.memory == NULL:
            raise MemoryError("the description of the arrays of a call")
        g.along = <fdx_gradient_axis *>g.memory
        g.spacing = <_spacing *>(g.along + naxes)
        g.shape = <ptrdiff_t *>(g.spacing + naxes)
    g.next_strides = g.shape + ndim
    g.flags = 0
    return 0


# The next functions return why the C core does not compute a call, or None.

cdef str _read_axes(_Gradient *g, cnp.ndarray f, const int *axes, Py_ssize_t nargs, object edge_order):
    """Read what the call is of: the dtype and shape of f, the axes, and the order at their ends."""
    cdef int k, ndim = g.call.ndim, naxes = g.call.naxes
    g.dtype = _dtype(f)
    if g.dtype < 0:
        return f"f of dtype {f.dtype}"
    if naxes == 0:
        return "no axis to differentiate along"
    if nargs > 1 and nargs != naxes:
        return WRONG
    if cnp.PyArray_NDIM(f) != ndim:
        raise ValueError(f"f: expected an array that keeps its shape during the call, got {ndim} dimensions and later "
                         f"{cnp.PyArray_NDIM(f)}")
    for k in range(ndim):
        g.shape[k] = cnp.PyArray_DIM(f, k)
    g.size = cnp.PyArray_SIZE(f)
    g.result_dtype = fdx_result_dtype(g.dtype)
    g.edge_order = 1
    if edge_order is not ONE:
        if not isinstance(edge_order, (int, integer)) or not 1 <= edge_order <= 2:
            return WRONG
        g.edge_order = edge_order
        if not 1 <= g.edge_order <= 2:  # above, a subclass may have compared as it likes
            return WRONG
    for k in range(naxes):
        g.along[k].axis = axes[k]
        if g.shape[axes[k]] < g.edge_order + 1:
            return WRONG
    return None


cdef inline str _read_number(_Gradient *g, int k, object dx):
    """Read the spacing of the k-th axis, a Python number."""
    cdef double h
    if not PyFloat_CheckExact(dx):
        if not -2**53 < dx < 2**53:
            return "spacing of 2**53 or more"
        dx = float(dx)
    h = PyFloat_AS_DOUBLE(dx)
    if h == 0 and g.edge_order == 2:
        return WRONG  # ZeroDivisionError
    g.flags |= _weak(&g.along[k], h, g.dtype, g.edge_order)
    g.spacing[k].kind = NUMBER
    return None


cdef inline bint _ready(tuple args):
    """Need `_read_array` convert none of them?"""
    for dx in args:
        if not (PyFloat_CheckExact(dx) or PyLong_CheckExact(dx) or isinstance(dx, generic) or _plain_type(dx)):
            return False
    return True


cdef str _read_array(_Gradient *g, int k, cnp.ndarray f, object args):
    """Read the spacing of the k-th axis, an array, or converted to one, which is then put into the list `args`."""
    cdef bint one_each = len(args) == g.call.naxes
    cdef Py_ssize_t number = k if one_each else 0
    cdef object dx = args[number]
    cdef cnp.ndarray x
    if not _plain_type(dx):
        try:
            dx = np.asanyarray(dx)
        except Exception:  # NumPy raises it, or an error that it meets before
            return WRONG
        if not _plain_type(dx) or dx.ndim == 0:
            return f"spacing of type {type(args[number]).__name__}"
    x = dx
    if cnp.PyArray_NDIM(x) == 0:
        return None if _scalar(&g.spacing[k], x[()], g.dtype) else _spacing_of(x, f)
    if not one_each or cnp.PyArray_NDIM(x) != 1 or cnp.PyArray_DIM(x, 0) != g.shape[g.along[k].axis]:
        return WRONG
    if g.size == 0:
        return "coordinates of nothing"
    g.spacing[k].kind = COORDINATES
    g.spacing[k].dtype = _dtype(x)
    if not 0 <= g.spacing[k].dtype <= FDX_F64:
        return _spacing_of(x, f)
    if x is not args[number]:
        args[number] = x
    return None


cdef str _read_spacings(_Gradient *g, cnp.ndarray f, object args):
    """Read the spacing of each axis; `args` is a list if some have to be converted. Arithmetic whose exceptions NumPy
    reports comes later, after the flags are cleared."""
    cdef int k, nargs = <int>len(args), naxes = g.call.naxes
    cdef object dx
    cdef str why = None
    for k in range(naxes):
        if nargs == 0:
            g.flags |= _weak(&g.along[k], 1.0, g.dtype, g.edge_order)
            g.spacing[k].kind = NUMBER
            continue
        dx = args[k if nargs == naxes else 0]
        if PyFloat_CheckExact(dx) or PyLong_CheckExact(dx) or dx is True or dx is False:
            why = _read_number(g, k, dx)
        elif not isinstance(dx, generic):
            why = _read_array(g, k, f, args)
        elif not _scalar(&g.spacing[k], dx, g.dtype):
            why = _spacing_of(dx, f)
        if why is not None:
            return why
    return None


cdef object _new_results(_Gradient *g, cnp.ndarray f):
    """Make the results of a call, an array or a tuple of arrays, and describe them."""
    cdef int k
    cdef cnp.ndarray one
    cdef object results
    _unchanged("f", f, g.dtype, g.call.ndim, g.shape)
    if g.call.naxes == 1:
        one = _new_result(f, g.dtype)
        g.next_strides = _fill(&g.along[0].out, one, g.result_dtype, g.next_strides)
        return one
    results = PyTuple_New(g.call.naxes)
    for k in range(g.call.naxes):
        one = _new_result(f, g.dtype)
        g.next_strides = _fill(&g.along[k].out, one, g.result_dtype, g.next_strides)
        Py_INCREF(one)  # the next line steals it
        PyTuple_SET_ITEM(results, k, one)
    return results


cdef list _given_outputs(_Gradient *g, cnp.ndarray f, object args, object out):
    """Check `out` and describe the outputs that it means, which it keeps alive. Returns f and the spacings, with copies
    of those that share memory with an output; or None, if none does."""
    cdef int k
    cdef list checked, inputs
    _unchanged("f", f, g.dtype, g.call.ndim, g.shape)
    if _take_out(out, f, g.dtype, args, g.call.naxes, g.along, g.next_strides):
        g.next_strides += g.call.naxes * (g.call.ndim + 1)
        return None
    checked = outputs.arrays(out, (<object>f).shape, g.call.naxes, f.dtype if g.dtype >= FDX_F32 else np.dtype(float))
    inputs = outputs.apart([f, *args], checked)
    for k in range(g.call.naxes):
        _unchanged("out", checked[k], g.result_dtype, g.call.ndim, g.shape)
        g.next_strides = _fill(&g.along[k].out, checked[k], g.result_dtype, g.next_strides)
    _unchanged("f", inputs[0], g.dtype, g.call.ndim, g.shape)
    return inputs


cdef inline int _read_inputs(_Gradient *g, cnp.ndarray f, object args) except -1:
    """Describe f and coordinates, after the last line that can run code of an argument, and compute the stencils of
    spacings other than Python numbers."""
    cdef int k
    cdef ptrdiff_t n
    cdef fdx_array coords
    cdef cnp.ndarray x
    if not cnp.PyArray_CheckExact(f):  # allocating a memmap's results has run code of its class
        _unchanged("f", f, g.dtype, g.call.ndim, g.shape)
    g.next_strides = _fill(&g.call.in_, f, g.dtype, g.next_strides)
    PyUFunc_clearfperr()
    for k in range(g.call.naxes):
        if g.spacing[k].kind == SCALAR:
            fdx_gradient_uniform(&g.along[k], g.dtype, g.spacing[k].h, g.spacing[k].precision, g.edge_order)
        elif g.spacing[k].kind == COORDINATES:
            x = args[k]
            n = g.shape[g.along[k].axis]
            _unchanged("spacing", x, g.spacing[k].dtype, 1, &n)
            g.next_strides = _fill(&coords, x, g.spacing[k].dtype, g.next_strides)
            if n < NOGIL_ELEMENTS:
                fdx_gradient_coords(&g.along[k], g.dtype, &coords, n, g.edge_order, ISA)
            else:
                with nogil:
                    fdx_gradient_coords(&g.along[k], g.dtype, &coords, n, g.edge_order, ISA)
    return 0


cdef str _run_gradient(_Gradient *g, bint first_touch, object workers):
    """Run a call that has been read, and report floating-point errors, unless NumPy has to compute it."""
    cdef int k
    cdef Py_ssize_t size = g.size * g.call.naxes, nworkers = 1
    cdef bint complex_products = False
    if workers is not None:
        nworkers = workers
    elif size >= NOGIL_ELEMENTS:
        nworkers = threads.count(None)
    g.call.shape = g.shape
    g.call.axes = g.along
    g.call.isa = ISA
    g.call.lo = g.call.hi = NULL
    g.call.alpha_beta = NULL
    g.call.first_touch = first_touch
    g.flags |= _run(_Call(gradient=&g.call, prepared=NULL, solve=NULL), size, 0, nworkers)
    if not g.flags:
        return None
    if _would_raise(g.flags):  # NumPy raises the first error that it meets
        return "np.errstate"
    for k in range(g.call.naxes):
        complex_products |= g.dtype >= FDX_C64 and (g.edge_order == 2 or g.along[k].interior.formula == FDX_SPACED)
    if complex_products and g.flags & (UFUNC_FPE_OVERFLOW | UFUNC_FPE_UNDERFLOW):
        # Signs of zeros, and flags, depend on whether NumPy uses fused multiply-adds.
        return "complex products that under- or overflow"
    PyUFunc_GiveFloatingpointErrors("gradient", g.flags)
    return None


cdef str _overriding(object f, tuple varargs):
    """Which argument's class may override np.gradient."""
    if not cnp.PyArray_CheckExact(f) and _overrides(f):
        return f"f of type {type(f).__name__}"
    for dx in varargs:
        if not PyFloat_CheckExact(dx) and _overrides(dx):
            return f"spacing of type {type(dx).__name__}"
    return None


cdef object _gradient(object f, tuple varargs, object axis, object edge_order, object out, object workers,
                      object decline):
    """The gradient, computed here or by `decline`; if that is None, by np.gradient."""
    cdef int axes[FDX_MAXDIM]
    cdef int ndim
    cdef _StackArguments on_stack
    cdef _Gradient g
    cdef cnp.ndarray a
    cdef object args = varargs, result, kept
    cdef list inputs
    cdef str why = _overriding(f, varargs)
    if why is None:
        if not cnp.PyArray_CheckExact(f):
            f = np.asanyarray(f)
        ndim = cnp.PyArray_NDIM(f)
        if axis is not None and not (PyLong_CheckExact(axis) and -ndim <= axis < ndim):
            axis = normalize_axis_tuple(axis, ndim)  # an iterator is read once
        if not _plain_type(f):
            why = f"f of type {type(f).__name__}"
    if why is None:
        a = f
        if not _ready(varargs):
            args = list(varargs)
        _allocate(&g, &on_stack, ndim, _axes(axis, ndim, axes))
        try:
            why = _read_axes(&g, a, axes, len(varargs), edge_order)
            if why is None:
                why = _read_spacings(&g, a, args)
            if why is None:
                result = out
                if out is None:
                    result = _new_results(&g, a)
                else:
                    # Another thread may change a list; a subclass may define its length and items.
                    kept = tuple(out) if isinstance(out, (list, tuple)) else out
                    inputs = _given_outputs(&g, a, args, kept)
                    if inputs is not None:
                        a, args = inputs[0], inputs[1:]
                _read_inputs(&g, a, args)
                why = _run_gradient(&g, out is None, workers)
                if why is not None and out is not None:  # which may be written to: `a` and `args` are apart from it
                    fallback.gradient(a, tuple(args), axis, g.edge_order, out)
                    why = None
                if why is None:
                    return result
        finally:
            free(g.memory)
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
