# The C core's functions, for other modules.

cdef extern from *:
    """
    /* Each has to be declared as in fdx.h, or this does not compile. V returns a value, P a pointer. */
    #define FDX_FUNCTIONS(V, P) \\
        V(fdx_status, fdx_gradient_apply, (fdx_gradient const *)) \\
        V(fdx_status, fdx_gradient_apply_part, (fdx_gradient const *, ptrdiff_t, ptrdiff_t)) \\
        V(fdx_status, fdx_band_derivative, (void *, fdx_derivative const *, fdx_band const **)) \\
        V(size_t, fdx_band_derivative_size, (fdx_derivative const *)) \\
        V(fdx_status, fdx_band_product, (void *, fdx_band const *, fdx_band const *, double, fdx_band const **)) \\
        V(size_t, fdx_band_product_size, (fdx_band const *, fdx_band const *)) \\
        V(fdx_status, fdx_band_transpose, (void *, fdx_band const *, fdx_band const **)) \\
        V(size_t, fdx_band_transpose_size, (fdx_band const *)) \\
        V(fdx_status, fdx_compact, (int, int, fdx_scheme *, fdx_scheme *)) \\
        V(fdx_status, fdx_derivative_outline, (fdx_derivative const *, fdx_outline *)) \\
        V(ptrdiff_t, fdx_derivative_points, (fdx_derivative const *)) \\
        V(double, fdx_even_spacing, (double const *, ptrdiff_t, double, double, double)) \\
        V(fdx_status, fdx_gradient_coords, \\
          (fdx_gradient_axis *, int, fdx_array const *, ptrdiff_t, int, fdx_isa const *)) \\
        V(fdx_status, fdx_gradient_uniform, (fdx_gradient_axis *, int, double, fdx_precision, int)) \\
        P(fdx_isa const *, fdx_isa_find, (char const *)) \\
        P(char const *, fdx_isa_name, (fdx_isa const *)) \\
        P(char const *const *, fdx_isa_names, (void)) \\
        V(ptrdiff_t, fdx_itemsize, (int)) \\
        P(fdx_member const *, fdx_members, (void)) \\
        V(fdx_status, fdx_prepare, (void *, fdx_call const *, fdx_prepared const **)) \\
        V(size_t, fdx_prepared_size, (fdx_call const *)) \\
        V(ptrdiff_t, fdx_prepared_workspace_size, (fdx_prepared const *)) \\
        V(fdx_status, fdx_run, (fdx_prepared const *, void *const *, double const *, void *, ptrdiff_t, ptrdiff_t)) \\
        V(fdx_status, fdx_apply, (fdx_call const *, void *, ptrdiff_t)) \\
        V(fdx_status, fdx_apply_part, (fdx_call const *, void *, ptrdiff_t, ptrdiff_t, ptrdiff_t)) \\
        V(fdx_status, fdx_operator_make, (void *, fdx_sum const *, fdx_operator const **)) \\
        V(size_t, fdx_operator_size, (fdx_sum const *)) \\
        V(int, fdx_result_dtype, (int)) \\
        V(fdx_status, fdx_sbp_norm, (double *, fdx_derivative const *)) \\
        V(fdx_status, fdx_solve_apply, (fdx_solve const *, void *, ptrdiff_t)) \\
        V(fdx_status, fdx_solve_apply_part, (fdx_solve const *, void *, ptrdiff_t, ptrdiff_t, ptrdiff_t)) \\
        V(ptrdiff_t, fdx_solve_workspace_size, (fdx_solve const *)) \\
        V(fdx_status, fdx_solver_make, (void *, fdx_operator const *, fdx_solver const **, fdx_pivot *)) \\
        V(size_t, fdx_solver_size, (fdx_operator const *)) \\
        P(char const *, fdx_status_message, (fdx_status)) \\
        P(char const *, fdx_version, (void)) \\
        V(fdx_status, fdx_weights, (double *, double *, double const *, int, double, int)) \\
        V(ptrdiff_t, fdx_workspace_size, (fdx_call const *))

    #define FDX_DECLARED(result, name, arguments) result name arguments;
    #define FDX_OF_VALUE(result, name, arguments) {#name, #result " " #arguments, (void (*)(void))name},
    #define FDX_OF_POINTER(result, name, arguments) {#name, #result #arguments, (void (*)(void))name},
    FDX_FUNCTIONS(FDX_DECLARED, FDX_DECLARED)
    typedef struct {
        const char *name, *signature; /* as Cython writes it */
        void (*function)(void);
    } fdx_function;
    static const fdx_function FDX_TABLE[] = {FDX_FUNCTIONS(FDX_OF_VALUE, FDX_OF_POINTER)};
    enum { FDX_NFUNCTIONS = sizeof FDX_TABLE / sizeof *FDX_TABLE };
    """
    ctypedef struct fdx_function:
        const char *name
        const char *signature
        void *function
    const fdx_function *FDX_TABLE
    enum: FDX_NFUNCTIONS

# The name by which Cython, numba and SciPy find a module's C functions.
globals()["__pyx_capi__"] = {
    FDX_TABLE[k].name.decode(): PyCapsule_New(<void *>FDX_TABLE[k].function, FDX_TABLE[k].signature, NULL)
    for k in range(FDX_NFUNCTIONS)
}


def get_function_address(name):
    """
    The address of a function of the C core, for ctypes, cffi or numba.

    Parameters
    ----------
    name : str
        The function's name, as `fdx.h` (in the folder `fdx.get_include`) declares it.

    Returns
    -------
    int
        Its address in this process.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the functions.
    TypeError
        For a name that is not a string.

    See Also
    --------
    fdx.get_include : For programs that are compiled.

    Notes
    -----
    `numba.extending.get_cython_function_address` and
    `scipy.LowLevelCallable.from_cython` find the same functions in the module
    ``fdx._core``.

    Examples
    --------
    >>> import ctypes, fdx
    >>> prototype = ctypes.CFUNCTYPE(ctypes.c_char_p)
    >>> version = prototype(fdx.get_function_address("fdx_version"))
    >>> version().decode() == fdx.__version__
    True
    """
    if not isinstance(name, str):
        raise TypeError(f"name: expected a string, got {name!r}")
    capsules = globals()["__pyx_capi__"]
    if name not in capsules:
        raise ValueError(f"name: expected one of {', '.join(capsules)}, got {name!r}")
    capsule = capsules[name]
    return <size_t>PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule))
