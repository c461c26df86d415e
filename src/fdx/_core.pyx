# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The compiled part: describes NumPy arrays to the C core, calls it, and reports floating-point exceptions to NumPy.

`gradient` decides whether the C core computes a call. All other calls go unchanged to NumPy's function, which computes
them or raises the errors that users of np.gradient know.
"""

cimport cython
cimport numpy as cnp
from cpython.exc cimport PyErr_WarnEx
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.pycapsule cimport PyCapsule_GetName, PyCapsule_GetPointer, PyCapsule_New
from cpython.pythread cimport (
    PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, PyThread_release_lock,
    PyThread_type_lock, WAIT_LOCK,
)
from cpython.ref cimport Py_INCREF, PyObject
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.math cimport isinf
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc

import os

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from fdx._common import fallback, outputs, threads

cnp.import_array()
cnp.import_ufunc()

# Looked up once: a call on a small array takes no longer than a few attribute look-ups.
cdef object ONE = 1
cdef type memmap = np.memmap, float64 = np.float64, float32 = np.float32, integer = np.integer, generic = np.generic
cdef frozenset INTEGERS = frozenset([np.dtype(char).type for char in "?bBhHiIlLqQ"])  # the types of scalars

from fdx cimport (
    FDX_C128, FDX_C64, FDX_DOUBLE, FDX_E_COUNT, FDX_E_NODES, FDX_F32, FDX_F64, FDX_I8, FDX_MAXDIM, FDX_OK, FDX_SINGLE,
    FDX_SPACED, FDX_WEAK, fdx_array, fdx_band, fdx_call, fdx_chain, fdx_derivative, fdx_derivative_points,
    fdx_even_spacing, fdx_factor, fdx_gradient, fdx_gradient_apply, fdx_gradient_apply_part, fdx_gradient_axis,
    fdx_gradient_coords, fdx_gradient_row, fdx_gradient_uniform, fdx_isa, fdx_isa_find, fdx_isa_name, fdx_itemsize,
    fdx_operator, fdx_operator_make, fdx_operator_size, fdx_precision, fdx_prepare, fdx_prepared, fdx_prepared_size,
    fdx_prepared_workspace_size, fdx_result_dtype, fdx_run, fdx_status, fdx_status_message, fdx_stencil, fdx_sum,
    fdx_term, fdx_version, fdx_weights,
)

cdef extern from "Python.h":
    ctypedef struct PyFrameObject:
        pass
    PyFrameObject *PyEval_GetFrame()

cdef extern from "<fenv.h>" nogil:
    ctypedef struct fenv_t:
        pass
    int fegetenv(fenv_t *)
    int fesetenv(const fenv_t *)

cdef extern from "numpy/ufuncobject.h":
    void PyUFunc_clearfperr() nogil
    int PyUFunc_getfperr() nogil
    # In NumPy's C API since 2.0; its Cython declarations leave it out.
    int PyUFunc_GiveFloatingpointErrors(const char *name, int fpe_errors) except -1
    enum: UFUNC_FPE_DIVIDEBYZERO, UFUNC_FPE_OVERFLOW, UFUNC_FPE_UNDERFLOW, UFUNC_FPE_INVALID

cdef extern from "numpy/arrayobject.h":
    object PyArray_NewLikeArray(cnp.ndarray prototype, cnp.NPY_ORDER order, cnp.dtype dtype, int subok)
    object PyArray_NewFromDescr(type subtype, cnp.dtype descr, int nd, const ptrdiff_t *dims,
                                const ptrdiff_t *strides, void *data, int flags, object obj)

cdef enum:
    NOGIL_ELEMENTS = 8192   # smaller calls return sooner than another thread could take the GIL
    NO_MEMORY = 1 << 16     # a status in addition to the C core's
    STACK_NDIM = 4          # up to so many dimensions arrays are described on the stack
    STACK_WORKSPACE = 1024  # doubles on the stack, enough for operators on small arrays
    STACK_PREPARED = 128    # doubles on the stack, enough for calls of a few dimensions
    CONTIGUOUS = cnp.NPY_ARRAY_C_CONTIGUOUS | cnp.NPY_ARRAY_F_CONTIGUOUS
    ORDERS = CONTIGUOUS | cnp.NPY_ARRAY_ALIGNED


# ---- which instruction set ----

cdef const fdx_isa *_find_isa() except NULL:
    name = os.environ.get("FDX_ISA") or "auto"
    cdef const fdx_isa *isa = fdx_isa_find(os.fsencode(name))
    if isa == NULL:
        raise ImportError(
            f"FDX_ISA: expected auto, base, avx2 or avx512, as far as this build and processor have it; got {name!r}")
    return isa

cdef const fdx_isa *ISA = _find_isa()


cdef extern from *:
    """
    #if defined(__clang__)
    #define FDX_COMPILER __VERSION__
    #elif defined(__GNUC__)
    #define FDX_COMPILER "gcc " __VERSION__
    #else
    #define FDX_COMPILER ""
    #endif
    """
    const char *FDX_COMPILER

# Reading the package's metadata instead would take ten times as long as the rest of the import.
__version__ = fdx_version().decode()


def compiler():
    """Name and version of the compiler that built this, or "" if unknown."""
    return FDX_COMPILER.decode()


def isa():
    """The name of the instruction set in use: "base", "avx2" or "avx512"."""
    return fdx_isa_name(ISA).decode()


# ---- arrays ----

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
        descr = <cnp.dtype>cnp.PyArray_DESCR(a)
        Py_INCREF(descr)  # the function below steals it
        return PyArray_NewLikeArray(a, cnp.NPY_KEEPORDER, descr, 1)
    descr = cnp.PyArray_DescrFromType(cnp.NPY_FLOAT64)
    for d in range(ndim):
        has_length_1 |= cnp.PyArray_DIM(a, d) == 1
    Py_INCREF(descr)
    if (not has_length_1 or cnp.PyArray_IS_C_CONTIGUOUS(a) or cnp.PyArray_IS_F_CONTIGUOUS(a)):
        return PyArray_NewLikeArray(a, cnp.NPY_KEEPORDER, descr, 1)
    # Where a length is 1, the strides of the copy can differ from those of its empty_like. To save the memory of the
    # copy, compute its strides, and call empty_like on an array that has them and shares a's data.
    _k_order_strides(ndim, <const ptrdiff_t *>cnp.PyArray_DIMS(a), <const ptrdiff_t *>cnp.PyArray_STRIDES(a),
                     sizeof(double), strides)
    Py_INCREF(descr)
    return PyArray_NewLikeArray(
        PyArray_NewFromDescr(type(a), descr, ndim, <const ptrdiff_t *>cnp.PyArray_DIMS(a), strides,
                             cnp.PyArray_DATA(a), 0, a),
        cnp.NPY_KEEPORDER, descr, 1)


# ---- spacing ----

cdef enum _Kind:
    NUMBER       # a Python number: its stencils are already computed
    SCALAR       # a NumPy scalar, treated as float32 or float64
    COORDINATES


cdef struct _spacing:
    _Kind kind
    double h
    fdx_precision precision
    int dtype  # of coordinates


cdef bint _scalar(_spacing *to, object dx, int dtype) except -1:
    """Accept a NumPy scalar if np.gradient computes with it in all cases as with a float32 or a float64."""
    if type(dx) is float64:
        to.precision = FDX_DOUBLE
    elif type(dx) is float32:
        to.precision = FDX_SINGLE
    elif type(dx) in INTEGERS and (dx.dtype.itemsize >= 4 or (dtype != FDX_F32 and dtype != FDX_C64)):
        # float32 data divided by a smaller integer dx stays float32; divided by 2 * dx it becomes float64.
        to.precision = FDX_DOUBLE
    else:
        return False
    to.kind = SCALAR
    to.h = float(dx)
    return True


cdef bint _rounded_to_infinity(fdx_gradient_row *s, double w, int k) noexcept:
    return isinf(s.w[k]) and not isinf(w)


cdef int _weak(fdx_gradient_axis *along, double h, int dtype, int edge_order) noexcept:
    """Stencils for a spacing that is a Python number. Returns the overflow flag if NumPy would report it: where a
    weight overflows when rounded to float32."""
    cdef bint overflow
    fdx_gradient_uniform(along, dtype, h, FDX_WEAK, edge_order)
    if dtype != FDX_F32 and dtype != FDX_C64:
        return 0
    overflow = _rounded_to_infinity(&along.interior, 2.0 * h, 0)
    if edge_order == 1:
        overflow |= _rounded_to_infinity(&along.first, h, 0)
    else:
        overflow |= (_rounded_to_infinity(&along.first, 1.5 / h, 0) or _rounded_to_infinity(&along.first, 2.0 / h, 1)
                     or _rounded_to_infinity(&along.first, 0.5 / h, 2))
    return UFUNC_FPE_OVERFLOW if overflow else 0


# ---- running a call ----

cdef int forks = 0  # how many forks led to this process


def _count_fork():
    global forks
    forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


@cython.final
cdef class Job:
    """A call split into parts, which any number of threads compute.

    Threads claim parts one by one. The calling thread computes parts too, so that the call completes even if no other
    thread starts. It returns only when no thread is still writing a claimed part.
    """
    cdef fdx_gradient gradient
    cdef const fdx_prepared *prepared  # instead of `gradient`, unless NULL
    cdef readonly Py_ssize_t nparts, parts_run
    cdef Py_ssize_t claimed, running
    cdef int flags, status, forks
    cdef bint waiting
    cdef PyThread_type_lock done
    cdef fenv_t environment

    def __cinit__(self):
        fegetenv(&self.environment)
        self.forks = forks
        self.done = PyThread_allocate_lock()
        if self.done == NULL:
            raise MemoryError("a lock for the threads of a call")
        PyThread_acquire_lock(self.done, WAIT_LOCK)

    def __dealloc__(self):
        if self.done != NULL:
            PyThread_release_lock(self.done)
            PyThread_free_lock(self.done)

    cdef Py_ssize_t claim(self) noexcept:
        cdef Py_ssize_t part = -1
        with cython.critical_section(self):
            if self.claimed < self.nparts:
                part = self.claimed
                self.claimed += 1
                self.running += 1
        return part

    def work(self):
        """Compute parts until all are claimed."""
        self.run_parts()

    cdef void run_parts(self) noexcept:
        cdef Py_ssize_t part = self.claim()
        cdef int flags, status
        while part >= 0:
            with nogil:
                fesetenv(&self.environment)  # the caller's rounding mode and treatment of subnormal numbers
                PyUFunc_clearfperr()
                if self.prepared == NULL:
                    status = fdx_gradient_apply_part(&self.gradient, part, self.nparts)
                else:
                    status = _run_part(self.prepared, part, self.nparts)
                flags = PyUFunc_getfperr()
            with cython.critical_section(self):
                self.flags |= flags
                self.status |= status  # the same for every part, except NO_MEMORY
                self.parts_run += 1
                self.running -= 1
                if self.running == 0 and self.waiting:
                    self.waiting = False
                    PyThread_release_lock(self.done)
            part = self.claim()

    cdef void finish(self) noexcept:
        """Compute the remaining parts, and wait for those of other threads. No Python code runs here, so that no signal
        handler can interrupt it."""
        cdef bint wait
        if self.forks != forks:  # a signal handler has forked: the other threads are the parent's
            self.claimed = self.running = 0
        self.run_parts()
        with cython.critical_section(self):
            wait = self.waiting = self.running > 0
        if wait:
            with nogil:
                PyThread_acquire_lock(self.done, WAIT_LOCK)


cdef int _run_part(const fdx_prepared *prepared, Py_ssize_t part, Py_ssize_t nparts) noexcept nogil:
    """Run a part of a prepared call, with a workspace for this part."""
    cdef double small[STACK_WORKSPACE]
    cdef ptrdiff_t bytes = fdx_prepared_workspace_size(prepared)
    cdef void *workspace = small if bytes <= <ptrdiff_t>sizeof(small) else malloc(bytes)
    if workspace == NULL:
        return NO_MEMORY
    cdef int status = fdx_run(prepared, NULL, workspace, part, nparts)
    if workspace != small:
        free(workspace)
    return status


cdef int _run(fdx_gradient *gradient, const fdx_prepared *prepared, Py_ssize_t size, Py_ssize_t workers) except -1:
    """Apply a gradient or, if that is NULL, run a prepared call. Returns the floating-point exceptions that were
    pending before or were raised by this."""
    cdef int status, flags
    cdef Py_ssize_t nparts = 1, least
    cdef Job job
    if workers > 1:
        least = threads.MIN_PART_ELEMENTS
        nparts = workers if least <= 0 else min(workers, size // least)
    if nparts > 1:
        flags = PyUFunc_getfperr()
        job = Job()
        if gradient != NULL:
            job.gradient = gradient[0]
        job.prepared = prepared
        job.nparts = nparts
        try:
            threads.enlist(job, nparts - 1)
        finally:
            job.finish()
        status = job.status
        flags |= job.flags
    elif size < NOGIL_ELEMENTS:
        status = fdx_gradient_apply(gradient) if gradient != NULL else _run_part(prepared, 0, 1)
        flags = PyUFunc_getfperr()
    else:
        with nogil:
            status = fdx_gradient_apply(gradient) if gradient != NULL else _run_part(prepared, 0, 1)
            flags = PyUFunc_getfperr()
    if status == NO_MEMORY:
        raise MemoryError("the workspace of an operator")
    if status != FDX_OK:
        raise SystemError("fdx: " + fdx_status_message(<fdx_status>status).decode())
    return flags


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


# ---- gradient ----

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


# ---- weights ----

def weights(cnp.ndarray nodes not None, cnp.ndarray at not None, int deriv, tuple shape not None):
    """Weights of shape (*shape, n), and -1; if a set of nodes is refused, its number in place of -1. Both arrays are
    contiguous float64: `at` of the shape, and `nodes` of shape (*shape, n), or (n,) for all."""
    cdef int n = <int>cnp.PyArray_DIM(nodes, cnp.PyArray_NDIM(nodes) - 1), flags, status = FDX_OK
    cdef Py_ssize_t count = cnp.PyArray_SIZE(at), row = 0, step = n if cnp.PyArray_NDIM(nodes) > 1 else 0
    cdef const double *x = <const double *>cnp.PyArray_DATA(nodes)
    cdef const double *points = <const double *>cnp.PyArray_DATA(at)
    cdef cnp.ndarray result = np.empty((*shape, n))
    cdef double *w = <double *>cnp.PyArray_DATA(result)
    if (cnp.PyArray_SIZE(nodes) != (count * n if step != 0 else n) or cnp.PyArray_SIZE(result) != count * n
            or _dtype(nodes) != FDX_F64 or not cnp.PyArray_ISCARRAY_RO(nodes)
            or _dtype(at) != FDX_F64 or not cnp.PyArray_ISCARRAY_RO(at)):
        raise ValueError("nodes: expected an array that keeps its shape and dtype during the call, "
                         f"got {(<object>nodes).shape} of {nodes.dtype}")
    PyUFunc_clearfperr()
    with nogil:
        while row < count:
            status = fdx_weights(w + row * n, NULL, x + row * step, n, points[row], deriv)
            if status != FDX_OK:
                break
            row += 1
        flags = PyUFunc_getfperr()
    if status != FDX_OK:
        return result, row
    if flags:
        _report(flags, "weights")
    return result, -1


# ---- operators ----

def even_spacing(cnp.ndarray x not None, double eps, double period=0, double eps_of_period=0):
    """The spacing of coordinates that are evenly spaced up to rounding; None if they are not. `eps` is the relative
    rounding error of their dtype; a `period`, unless 0, has to have the same spacing across the ends."""
    cdef double h
    if _dtype(x) != FDX_F64 or cnp.PyArray_NDIM(x) != 1 or not cnp.PyArray_ISCARRAY_RO(x):
        raise ValueError(f"x: expected contiguous float64, got shape {(<object>x).shape} of {x.dtype}")
    h = fdx_even_spacing(<const double *>cnp.PyArray_DATA(x), cnp.PyArray_DIM(x, 0), eps, period, eps_of_period)
    return None if h == 0 else h


def points_needed(int deriv, int accuracy, int left, int right, bint uniform):
    """The smallest number of points that an axis may have."""
    cdef double some = 0
    cdef fdx_derivative what = fdx_derivative(
        n=0, deriv=deriv, accuracy=accuracy, left=left, right=right, scale=1, spacing=1, x=NULL, period=0, isa=ISA)
    if not uniform:
        what.x = &some
    return fdx_derivative_points(&what)


class NotCompiled(ValueError):
    """The C core refuses the description of an operator."""


class NoWeights(NotCompiled):
    """Weights over- or underflow."""


class TooManyStages(NotCompiled):
    """A term takes too many bands and coefficients one after the other."""


cdef fdx_band EMPTY_BAND  # of no rows and no columns: the value of a Band made by hand


@cython.final
cdef class Band:
    """A banded matrix of a plan: along one axis."""
    cdef const fdx_band *band
    cdef Plan plan  # keeps the band alive

    def __cinit__(self):
        self.band = &EMPTY_BAND

    def __init__(self):
        raise TypeError("Band: expected a call of Plan.terms, got the constructor")

    @property
    def shape(self):
        return self.band.rows, self.band.columns

    def interior(self):
        """The stencil of the interior rows, if it is constant, as (offset of the first weight, weights); else None."""
        cdef const fdx_stencil *stencil = &self.band.interior
        if stencil.row_step != 0:
            return None
        return stencil.offset, [stencil.w[k * stencil.weight_step] for k in range(stencil.count)]

    def entries(self):
        """The nonzero entries of the matrix, row by row: row numbers, column numbers, and values."""
        cdef ptrdiff_t r, column, number, at = 0, last = self.band.rows - self.band.nlast, count
        cdef int k
        cdef const fdx_stencil *stencil
        cdef double w
        count = (last - self.band.nfirst) * self.band.interior.count
        for r in range(self.band.nfirst):
            count += self.band.first[r].count
        for r in range(self.band.nlast):
            count += self.band.last[r].count
        rows, columns, values = np.empty(count, np.intp), np.empty(count, np.intp), np.empty(count)
        cdef ptrdiff_t *row = <ptrdiff_t *>cnp.PyArray_DATA(rows)
        cdef ptrdiff_t *col = <ptrdiff_t *>cnp.PyArray_DATA(columns)
        cdef double *value = <double *>cnp.PyArray_DATA(values)
        for r in range(self.band.rows):
            number = 0
            if r < self.band.nfirst:
                stencil = &self.band.first[r]
            elif r >= last:
                stencil = &self.band.last[r - last]
            else:
                stencil = &self.band.interior
                number = r - self.band.nfirst
            for k in range(stencil.count):
                w = stencil.w[k * stencil.weight_step + number * stencil.row_step]
                if w == 0:
                    continue
                column = r + stencil.offset + k
                if self.band.periodic:
                    column = (column + self.band.columns) % self.band.columns
                row[at], col[at], value[at] = r, column, w
                at += 1
        return rows[:at], columns[:at], values[:at]


cdef struct _Prepared:
    fdx_call call
    fdx_array arrays[2]
    const fdx_prepared *prepared  # NULL: there is none
    int dtype, flags, flags_of_result
    # then strides, and the memory of `prepared`


@cython.final
cdef class Plan:
    """An operator compiled for arrays of one shape.

    `terms` are (input, output, number, factors), by ascending output. Factors are (axis, deriv, accuracy, left, right,
    spacing, coordinates, period, crop, transposed, coefficient), in the order in which they are applied: a derivative,
    or with deriv 0 the removal of `crop` points; coordinates are None or the bytes of float64; a coefficient is None or
    an array of the shape of the factor's result.
    """
    cdef readonly tuple in_shape, out_shape
    cdef readonly int ninputs, noutputs
    cdef readonly bint has_coefficients, keeps_shape
    cdef _Prepared *prepared  # a call like most: of small contiguous arrays, one input and one output
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
        self.keeps_shape = self.in_shape == self.out_shape

    cdef ptrdiff_t *describe(self, fdx_factor *factor, tuple described, fdx_array *array, int ndim,
                             ptrdiff_t *strides) except NULL:
        """Fill in one factor; returns the memory after `strides`, of which an array of coefficients takes some."""
        axis, deriv, accuracy, left, right, spacing, coordinates, period, crop, transposed, coefficient = described
        cdef ptrdiff_t n = 0
        cdef const double *x = NULL
        if coordinates is not None:
            if not isinstance(coordinates, bytes):
                raise TypeError(f"coordinates: expected the bytes of float64, got {type(coordinates).__name__}")
            n = len(<bytes>coordinates) // <ptrdiff_t>sizeof(double)
            x = <const double *><const void *><char *>(<bytes>coordinates)
        factor[0] = fdx_factor(
            axis=axis, coefficient=NULL, band=NULL, transposed=transposed, crop=crop, what=fdx_derivative(
                n=n, deriv=deriv, accuracy=accuracy, left=left, right=right, scale=1, spacing=spacing, x=x,
                period=period, isa=NULL))
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
        free(self.prepared)

    cdef int run(self, const fdx_array *arrays, bint first_touch, Py_ssize_t workers) except -1:
        """Apply it to arrays that have been checked, inputs first; report floating-point errors."""
        cdef double on_stack[STACK_PREPARED]
        cdef void *memory = on_stack
        cdef const fdx_prepared *prepared
        cdef fdx_call call
        cdef Py_ssize_t size = self.noutputs
        cdef int d, flags, status
        for d in range(self.op.ndim):
            size *= self.op.out_shape[d]
        call.op = self.op
        call.in_ = arrays
        call.out = arrays + self.ninputs
        call.lo = call.hi = NULL
        call.accumulate = NULL
        call.first_touch = first_touch
        if fdx_prepared_size(&call) > sizeof(on_stack):
            memory = malloc(fdx_prepared_size(&call))
            if memory == NULL:
                raise MemoryError("an operator")
        try:
            status = fdx_prepare(memory, &call, &prepared)
            if status != FDX_OK:
                raise SystemError("fdx: " + fdx_status_message(<fdx_status>status).decode())
            PyUFunc_clearfperr()
            flags = _run(NULL, prepared, size, workers)
        finally:
            if memory != on_stack:
                free(memory)
        if flags:
            _report(flags, "derivative")
        return 0

    cdef int run_small(self, cnp.ndarray a, cnp.ndarray result, int dtype) except -1:
        """The same for one small input and output, by a call that is prepared for arrays like the first ones; returns 0
        if these are not like them."""
        cdef _Prepared *kept
        cdef void *data[2]
        cdef double workspace[STACK_WORKSPACE]
        cdef int flags = cnp.PyArray_FLAGS(a) & ORDERS, of_result = cnp.PyArray_FLAGS(result) & ORDERS, raised
        if (not (flags & CONTIGUOUS and flags & cnp.NPY_ARRAY_ALIGNED and of_result & CONTIGUOUS
                 and of_result & cnp.NPY_ARRAY_ALIGNED) or cnp.PyArray_ISBYTESWAPPED(a)):
            return 0
        with cython.critical_section(self):
            if self.prepared == NULL:
                self.prepare_small(a, result, dtype)
            kept = self.prepared
        if kept.prepared == NULL or kept.dtype != dtype or kept.flags != flags or kept.flags_of_result != of_result:
            return 0
        data[0] = cnp.PyArray_DATA(a)
        data[1] = cnp.PyArray_DATA(result)
        PyUFunc_clearfperr()
        if fdx_run(kept.prepared, data, workspace, 0, 1) != FDX_OK:
            return 0
        raised = PyUFunc_getfperr()
        if raised:
            _report(raised, "derivative")
        return 1

    cdef int prepare_small(self, cnp.ndarray a, cnp.ndarray result, int dtype) except -1:
        cdef int ndim = self.op.ndim
        cdef _Prepared *kept = <_Prepared *>malloc(
            sizeof(_Prepared) + 2 * ndim * sizeof(ptrdiff_t) + STACK_PREPARED * sizeof(double))
        cdef ptrdiff_t *strides = <ptrdiff_t *>(kept + 1)
        cdef const fdx_prepared *prepared
        if kept == NULL:
            raise MemoryError("an operator")
        kept.prepared = NULL
        kept.dtype = dtype
        kept.flags = cnp.PyArray_FLAGS(a) & ORDERS
        kept.flags_of_result = cnp.PyArray_FLAGS(result) & ORDERS
        strides = _fill(&kept.arrays[0], a, dtype, strides)
        strides = _fill(&kept.arrays[1], result, fdx_result_dtype(dtype), strides)
        kept.call = fdx_call(op=self.op, in_=&kept.arrays[0], out=&kept.arrays[1], lo=NULL, hi=NULL, accumulate=NULL,
                             first_touch=0)
        if (fdx_prepared_size(&kept.call) <= STACK_PREPARED * sizeof(double)
                and fdx_prepare(strides, &kept.call, &prepared) == FDX_OK
                and 0 < fdx_prepared_workspace_size(prepared) <= <ptrdiff_t>(STACK_WORKSPACE * sizeof(double))):
            kept.prepared = prepared
        self.prepared = kept
        return 0

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
                stages.append((chain.stage[s].axis, band, self.coefficient(chain.stage[s].coefficient)))
            result.append((chain.in_, chain.out, stages, tuple([chain.shift[d] for d in range(ndim)])))
        return result

    cdef object coefficient(self, const fdx_array *a):
        """The array of which a coefficient is a view."""
        cdef cnp.ndarray c
        if a != NULL:
            for c in self.kept:
                if cnp.PyArray_DATA(c) == a.data and all([c.strides[d] == a.stride[d] for d in range(self.op.ndim)]):
                    return c
        return None

    def coefficients(self):
        """The arrays that multiply results."""
        return self.kept

    def apply(self, tuple ins not None, tuple outs not None, bint first_touch, workers):
        """Apply it to `ins` and write to `outs`: disjoint arrays of its shapes, and of dtypes that match."""
        cdef Py_ssize_t nworkers = threads.count(workers)
        cdef int k, count = self.ninputs + self.noutputs, dtype, result, ndim = self.op.ndim
        cdef fdx_array *arrays
        cdef ptrdiff_t *next_strides
        cdef cnp.ndarray a
        cdef tuple given = ins + outs
        if len(ins) != self.ninputs or len(outs) != self.noutputs:
            raise ValueError(f"expected {self.ninputs} inputs and {self.noutputs} outputs, got {len(ins)}, {len(outs)}")
        a = ins[0]
        result = fdx_result_dtype(_dtype(a))
        if (result == FDX_F32 or result == FDX_C64) and self.op.double_only:
            raise ValueError(f"f: expected double precision, got {a.dtype}")
        arrays = <fdx_array *>malloc(count * (sizeof(fdx_array) + ndim * sizeof(ptrdiff_t)))
        if arrays == NULL:
            raise MemoryError("an operator")
        next_strides = <ptrdiff_t *>(arrays + count)
        try:
            for k in range(count):
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
                next_strides = _fill(&arrays[k], a, _dtype(a), next_strides)
            self.run(arrays, first_touch, nworkers)
        finally:
            free(arrays)

    cdef object fast_path(self, object f, object out, object workers):
        """Apply an operator of one input and one output; NotImplemented if the arguments need conversion or further
        checks."""
        cdef cnp.ndarray a
        cdef fdx_array arrays[2]
        cdef ptrdiff_t on_stack[2 * STACK_NDIM]
        cdef ptrdiff_t *strides = on_stack
        cdef int dtype, d
        cdef Py_ssize_t nworkers = 1
        if not cnp.PyArray_CheckExact(f):
            return NotImplemented
        a = f
        if workers is not None or cnp.PyArray_SIZE(a) >= NOGIL_ELEMENTS:
            nworkers = threads.count(workers)  # first, as this may run code that changes the arrays' shapes
        dtype = _dtype(a)
        if (dtype < 0 or cnp.PyArray_NDIM(a) != self.op.ndim
                or ((dtype == FDX_F32 or dtype == FDX_C64) and self.op.double_only)):
            return NotImplemented
        for d in range(self.op.ndim):
            if cnp.PyArray_DIM(a, d) != self.op.in_shape[d]:
                return NotImplemented
        if out is None:
            result = new_result(a, self.out_shape)
        elif (self.keeps_shape and not self.has_coefficients and _simple(out, a, dtype, 0)
                and (cnp.PyArray_IS_C_CONTIGUOUS(a) or cnp.PyArray_IS_F_CONTIGUOUS(a))
                and _disjoint(<const char *>cnp.PyArray_DATA(a), cnp.PyArray_NBYTES(a),
                              <const char *>cnp.PyArray_DATA(out), cnp.PyArray_NBYTES(out))):
            result = out
        else:
            return NotImplemented
        if nworkers == 1 and cnp.PyArray_SIZE(a) < NOGIL_ELEMENTS and self.run_small(a, result, dtype):
            return result
        if self.op.ndim > STACK_NDIM:
            strides = <ptrdiff_t *>malloc(2 * self.op.ndim * sizeof(ptrdiff_t))
            if strides == NULL:
                raise MemoryError("an operator")
        try:
            _fill(&arrays[0], a, dtype, strides)
            _fill(&arrays[1], result, fdx_result_dtype(dtype), strides + self.op.ndim)
            self.run(arrays, out is None, nworkers)
        finally:
            if strides != on_stack:
                free(strides)
        return result


cdef class Applicable:
    """The base class of operators, which applies them: first by the plan of the last call, without any look-up."""
    cdef Plan plan

    def __call__(self, u, *others, out=None, workers=None):
        """__call__($self, u, *, out=None, workers=None)\n--\n
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
            whose elements overlap.
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
        compiled operators for up to 16 shapes are kept. After that, ten points take about a
        microsecond, and large arrays a time proportional to their size. No memory that grows
        with the array is allocated, except for the result, for weights on uneven
        coordinates, and for copies of what shares memory with `out`.

        Examples
        --------
        >>> import numpy as np, fdx
        >>> D = fdx.Diff(0, 0.5)
        >>> u = np.array([0.0, 1.0, 4.0, 9.0])
        >>> D(u)
        array([ 0.,  4.,  8., 12.])
        >>> D(u, out=u) is u
        True
        """
        if others:
            raise TypeError(
                f"u: expected one array, got {1 + len(others)} arguments; out and workers go by their names, "
                "coordinates into fdx.Diff(axis, coordinates)")
        return self._named(u, out, workers, "u")

    cpdef object _named(self, object u, object out, object workers, str name):
        """The same for an argument of another name."""
        cdef Plan plan
        with cython.critical_section(self):
            plan = self.plan  # keeps a reference: another thread's call may replace it meanwhile
        if plan is not None:
            result = plan.fast_path(u, out, workers)
            if result is not NotImplemented:
                return result
        return self._apply(u, out, workers, name)

    def _remember(self, Plan plan not None):
        """Try this plan first from now on."""
        with cython.critical_section(self):
            self.plan = plan


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
    Py_INCREF(descr)
    return PyArray_NewFromDescr(np.ndarray, descr, ndim, dims, strides, NULL, 0, None)


def computes(a):
    """Does fdx itself compute arrays of this type and dtype?"""
    return _plain_type(a) and _dtype(a) >= 0


# ---- the C functions, for other modules ----

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
        V(ptrdiff_t, fdx_derivative_points, (fdx_derivative const *)) \\
        V(double, fdx_even_spacing, (double const *, ptrdiff_t, double, double, double)) \\
        V(fdx_status, fdx_gradient_coords, \\
          (fdx_gradient_axis *, int, fdx_array const *, ptrdiff_t, int, fdx_isa const *)) \\
        V(fdx_status, fdx_gradient_uniform, (fdx_gradient_axis *, int, double, fdx_precision, int)) \\
        P(fdx_isa const *, fdx_isa_find, (char const *)) \\
        P(char const *, fdx_isa_name, (fdx_isa const *)) \\
        V(ptrdiff_t, fdx_itemsize, (int)) \\
        V(fdx_status, fdx_prepare, (void *, fdx_call const *, fdx_prepared const **)) \\
        V(size_t, fdx_prepared_size, (fdx_call const *)) \\
        V(ptrdiff_t, fdx_prepared_workspace_size, (fdx_prepared const *)) \\
        V(fdx_status, fdx_run, (fdx_prepared const *, void *const *, void *, ptrdiff_t, ptrdiff_t)) \\
        V(fdx_status, fdx_apply, (fdx_call const *, void *, ptrdiff_t)) \\
        V(fdx_status, fdx_apply_part, (fdx_call const *, void *, ptrdiff_t, ptrdiff_t, ptrdiff_t)) \\
        V(fdx_status, fdx_operator_make, (void *, fdx_sum const *, fdx_operator const **)) \\
        V(size_t, fdx_operator_size, (fdx_sum const *)) \\
        V(int, fdx_result_dtype, (int)) \\
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
