# Floating-point errors, as NumPy reports them.

cdef bint _would_raise(int flags):
    modes = np.geterr()
    return (flags & UFUNC_FPE_DIVIDEBYZERO and modes["divide"] == "raise"
            or flags & UFUNC_FPE_OVERFLOW and modes["over"] == "raise"
            or flags & UFUNC_FPE_UNDERFLOW and modes["under"] == "raise"
            or flags & UFUNC_FPE_INVALID and modes["invalid"] == "raise")


cdef int _level_of_caller() except -1:
    """The stack level that warnings point at: the innermost Python function that belongs neither to fdx nor to SciPy,
    whose solvers call operators."""
    cdef PyObject *innermost = <PyObject *>PyEval_GetFrame()
    cdef object frame = <object>innermost if innermost != NULL else None
    cdef int level = 1
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in ("fdx", "scipy"):
        frame = frame.f_back
        level += 1
    return level


cdef int _report_kind(int flag, str mode, str what, str name, int level) except -1:
    if flag and mode == "warn":
        PyErr_WarnEx(RuntimeWarning, f"{what} encountered in {name}".encode(), level)
    elif flag:
        PyUFunc_GiveFloatingpointErrors(name.encode(), flag)
    return 0


cdef int _report(int flags, str name) except -1:
    """Report a function's floating-point errors as NumPy does, except that warnings point at the caller: NumPy's point
    at the innermost Python function, which may be one of fdx."""
    cdef int level = _level_of_caller()
    if level == 1:
        return PyUFunc_GiveFloatingpointErrors(name.encode(), flags)
    modes = np.geterr()
    _report_kind(flags & UFUNC_FPE_DIVIDEBYZERO, modes["divide"], "divide by zero", name, level)
    _report_kind(flags & UFUNC_FPE_OVERFLOW, modes["over"], "overflow", name, level)
    _report_kind(flags & UFUNC_FPE_UNDERFLOW, modes["under"], "underflow", name, level)
    _report_kind(flags & UFUNC_FPE_INVALID, modes["invalid"], "invalid value", name, level)
    return 0
