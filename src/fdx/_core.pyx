# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The compiled half: NumPy arrays to the C struct, the call, and floating-point flags back to NumPy.

`gradient` decides whether a call is one that the C core computes. Whatever it declines goes unchanged to NumPy's own
function, which computes it or raises the error that np.gradient's users know.
"""

cimport cython
cimport numpy as cnp
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.pythread cimport (
    PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, PyThread_release_lock,
    PyThread_type_lock, WAIT_LOCK,
)
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.math cimport isinf
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport uint8_t

import os

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from fdx import _fallback, _out, _threads

cnp.import_array()
cnp.import_ufunc()

# Looked up once: a call on a small array takes no longer than a few attribute look-ups.
cdef object ONE = 1
cdef type memmap = np.memmap, float64 = np.float64, float32 = np.float32, integer = np.integer, generic = np.generic

cdef extern from "fdx.h" nogil:
    enum: FDX_OK
    enum: FDX_MAXDIM
    enum: FDX_I8, FDX_F32, FDX_F64, FDX_C64, FDX_C128
    enum: FDX_COORDS
    ctypedef enum fdx_precision:
        FDX_WEAK
        FDX_SINGLE
        FDX_DOUBLE
    ctypedef int fdx_status
    ctypedef struct fdx_isa:
        pass
    ctypedef struct fdx_array:
        void *data
        const ptrdiff_t *stride
        uint8_t dtype
        uint8_t swapped
    ctypedef struct fdx_stencil:
        uint8_t kind
        uint8_t wide
        double w[3]
    ctypedef struct fdx_op:
        int axis
        fdx_stencil first
        fdx_stencil interior
        fdx_stencil last
        fdx_array x
        fdx_array out
    ctypedef struct fdx_call:
        int ndim
        const ptrdiff_t *shape
        fdx_array in_ "in"
        int nops
        const fdx_op *op
        const fdx_isa *isa
        uint8_t fresh
    const fdx_isa *fdx_isa_find(const char *name)
    const char *fdx_isa_name(const fdx_isa *isa)
    const char *fdx_status_message(int status)
    ptrdiff_t fdx_itemsize(int dtype)
    int fdx_result_dtype(int dtype)
    fdx_status fdx_gradient_uniform(fdx_op *op, int dtype, double h, fdx_precision precision, int edge_order)
    fdx_status fdx_gradient_coords(
        fdx_op *op, int dtype, const fdx_array *x, ptrdiff_t n, int edge_order, const fdx_isa *isa)
    fdx_status fdx_apply(const fdx_call *call)
    fdx_status fdx_apply_part(const fdx_call *call, ptrdiff_t part, ptrdiff_t nparts)

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
    NOGIL_ELEMENTS = 8192  # below this a call is over sooner than another thread could use the GIL


# ---- which instruction set ----

cdef const fdx_isa *_find_isa() except NULL:
    name = os.environ.get("FDX_ISA") or "auto"
    cdef const fdx_isa *isa = fdx_isa_find(os.fsencode(name))
    if isa == NULL:
        raise ImportError(
            f"FDX_ISA: expected auto, base, avx2 or avx512, as far as this processor has it; got {name!r}")
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
    const char *FDX_VERSION

# Looking it up in the package's metadata takes ten times as long as the rest of the import.
__version__ = FDX_VERSION.decode()


def compiler():
    """Name and version of the compiler that built this, or nothing if it did not tell."""
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
    """Describe an array. Its strides are copied: another thread may reshape it in place while the GIL is released.
    Returns the free place behind them."""
    cdef int d, ndim = cnp.PyArray_NDIM(a)
    for d in range(ndim):
        strides[d] = cnp.PyArray_STRIDE(a, d)
    to.data = cnp.PyArray_DATA(a)
    to.stride = strides
    to.dtype = <uint8_t>dtype
    to.swapped = cnp.PyArray_ISBYTESWAPPED(a)
    return strides + ndim


cdef bint _plain_type(object a):
    """An ndarray whose results NumPy gives the same type without computing anything else."""
    return cnp.PyArray_CheckExact(a) or type(a) is memmap


cdef bint _overrides(object a):
    """Does np.gradient hand over to code of a's class, or to what that class means by arithmetic?"""
    return not _plain_type(a) and hasattr(type(a), "__array_function__")


cdef void _k_order_strides(int ndim, const ptrdiff_t *shape, const ptrdiff_t *like, ptrdiff_t itemsize,
                           ptrdiff_t *strides) noexcept:
    """The strides that np.empty_like gives an array of strides `like` (not C- or F-contiguous)."""
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
    """What np.gradient allocates: np.empty_like of a floating-point array, of an integer one's float64 copy."""
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
    # The copy's layout can differ from empty_like's of the copy where a length is 1. Making the copy would take memory,
    # so its strides are worked out, and a like array is then made of an array that has them and no data of its own.
    _k_order_strides(ndim, <const ptrdiff_t *>cnp.PyArray_DIMS(a), <const ptrdiff_t *>cnp.PyArray_STRIDES(a),
                     sizeof(double), strides)
    Py_INCREF(descr)
    return PyArray_NewLikeArray(
        PyArray_NewFromDescr(type(a), descr, ndim, <const ptrdiff_t *>cnp.PyArray_DIMS(a), strides,
                             cnp.PyArray_DATA(a), 0, a),
        cnp.NPY_KEEPORDER, descr, 1)


# ---- spacing ----

cdef enum _Kind:
    NUMBER       # a Python number: the operator's stencils are filled
    SCALAR       # a NumPy scalar that counts as float32 or float64
    COORDINATES


cdef struct _spacing:
    _Kind kind
    double h
    fdx_precision precision


cdef bint _scalar(_spacing *to, object dx, int dtype) except -1:
    """Take a NumPy scalar, if np.gradient computes with it throughout as with a float32 or a float64."""
    if type(dx) is float64:
        to.precision = FDX_DOUBLE
    elif type(dx) is float32:
        to.precision = FDX_SINGLE
    elif isinstance(dx, generic) and dx.dtype.kind in "biu" and (
            dx.dtype.itemsize >= 4 or (dtype != FDX_F32 and dtype != FDX_C64)):
        # Smaller integers keep float32 data in float32 where they divide it, but not where 2 * dx does.
        to.precision = FDX_DOUBLE
    else:
        return False
    to.kind = SCALAR
    to.h = float(dx)
    return True


cdef bint _rounded_to_infinity(fdx_stencil *s, double w, int tap) noexcept:
    return isinf(s.w[tap]) and not isinf(w)


cdef int _weak(fdx_op *op, double h, int dtype, int edge_order) noexcept:
    """Stencils for a Python number. Returns the flag of overflow where NumPy reports it: rounding one to float32."""
    cdef bint overflow
    fdx_gradient_uniform(op, dtype, h, FDX_WEAK, edge_order)
    if dtype != FDX_F32 and dtype != FDX_C64:
        return 0
    overflow = _rounded_to_infinity(&op.interior, 2.0 * h, 0)
    if edge_order == 1:
        overflow |= _rounded_to_infinity(&op.first, h, 0)
    else:
        overflow |= (_rounded_to_infinity(&op.first, 1.5 / h, 0) or _rounded_to_infinity(&op.first, 2.0 / h, 1)
                     or _rounded_to_infinity(&op.first, 0.5 / h, 2))
    return UFUNC_FPE_OVERFLOW if overflow else 0


# ---- running a call ----

cdef int forks = 0  # of this process, up to itself


def _count_fork():
    global forks
    forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


@cython.final
cdef class Job:
    """A call split in parts, which any number of threads work off together.

    Threads claim parts one by one. The thread that called `gradient` works too, so a call is finished even if no other
    thread ever starts; and it leaves only when no claimed part is still being written.
    """
    cdef fdx_call call
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
        """Run parts until all are claimed."""
        self.run_parts()

    cdef void run_parts(self) noexcept:
        cdef Py_ssize_t part = self.claim()
        cdef int flags, status
        while part >= 0:
            with nogil:
                fesetenv(&self.environment)  # the caller's rounding and treatment of subnormals
                PyUFunc_clearfperr()
                status = fdx_apply_part(&self.call, part, self.nparts)
                flags = PyUFunc_getfperr()
            with cython.critical_section(self):
                self.flags |= flags
                self.status |= status  # the same for every part
                self.parts_run += 1
                self.running -= 1
                if self.running == 0 and self.waiting:
                    self.waiting = False
                    PyThread_release_lock(self.done)
            part = self.claim()

    cdef void finish(self) noexcept:
        """Work off what is left and wait for the others. No Python code runs here, so no signal can cut it short."""
        cdef bint wait
        if self.forks != forks:  # a signal handler has forked: the threads at work stayed in the parent
            self.claimed = self.running = 0
        self.run_parts()
        with cython.critical_section(self):
            wait = self.waiting = self.running > 0
        if wait:
            with nogil:
                PyThread_acquire_lock(self.done, WAIT_LOCK)


cdef int _run(fdx_call *call, Py_ssize_t size, Py_ssize_t workers) except -1:
    """Apply a call; returns the floating-point flags raised by it, and those that were up before."""
    cdef int status, flags
    cdef Py_ssize_t nparts = 1, least
    cdef Job job
    if workers > 1:
        least = _threads.MIN_PART_ELEMENTS
        nparts = workers if least <= 0 else min(workers, size // least)
    if nparts > 1:
        flags = PyUFunc_getfperr()
        job = Job()
        job.call = call[0]
        job.nparts = nparts
        try:
            _threads.enlist(job, nparts - 1)
        finally:
            job.finish()
        status = job.status
        flags |= job.flags
    elif size < NOGIL_ELEMENTS:
        status = fdx_apply(call)
        flags = PyUFunc_getfperr()
    else:
        with nogil:
            status = fdx_apply(call)
            flags = PyUFunc_getfperr()
    if status != FDX_OK:
        raise SystemError("fdx: " + fdx_status_message(status).decode())
    return flags


cdef bint _would_raise(int flags):
    modes = np.geterr()
    return (flags & UFUNC_FPE_DIVIDEBYZERO and modes["divide"] == "raise"
            or flags & UFUNC_FPE_OVERFLOW and modes["over"] == "raise"
            or flags & UFUNC_FPE_UNDERFLOW and modes["under"] == "raise"
            or flags & UFUNC_FPE_INVALID and modes["invalid"] == "raise")


# ---- gradient ----

cdef inline bint _disjoint(const char *a, ptrdiff_t a_bytes, const char *b, ptrdiff_t b_bytes) noexcept:
    return a + a_bytes <= b or b + b_bytes <= a


cdef bint _simple(object out, cnp.ndarray f, int dtype, int stacked) except -1:
    """Is `out` an array to write to that needs no closer look? If `stacked`, the first axis is that many results."""
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


cdef bint _take_out(object out, cnp.ndarray f, int dtype, int naxes, fdx_op *op, ptrdiff_t *place) except -1:
    """Describe the outputs in the operators, if all of them are simple and lie apart from each other and from f;
    otherwise they need a closer look."""
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
            place = _fill(&op[k].out, out, result, place)
            op[k].out.stride += 1
            op[k].out.data = <char *>op[k].out.data + k * each
    else:
        if naxes > 1 and len(out) != naxes:
            return False
        for k in range(naxes):
            item = out if naxes == 1 else out[k]
            if not _simple(item, f, dtype, 0):
                return False
            each = cnp.PyArray_NBYTES(item)
            place = _fill(&op[k].out, item, result, place)
    for k in range(naxes):
        data = <const char *>op[k].out.data
        if not _disjoint(data, each, <const char *>cnp.PyArray_DATA(f), cnp.PyArray_NBYTES(f)):
            return False
        for j in range(k):
            if not _disjoint(data, each, <const char *>op[j].out.data, each):
                return False
    return True


cdef bint _apart_from(object dx, const fdx_op *op, int naxes, ptrdiff_t each) noexcept:
    """Do spacings or coordinates lie apart from the outputs, of `each` bytes? If in doubt: no."""
    cdef int k
    if not cnp.PyArray_Check(dx):
        return True
    if not cnp.PyArray_IS_C_CONTIGUOUS(dx):
        return False
    cdef const char *data = <const char *>cnp.PyArray_DATA(dx)
    for k in range(naxes):
        if not _disjoint(data, cnp.PyArray_NBYTES(dx), <const char *>op[k].out.data, each):
            return False
    return True


cdef int _axes(object axis, int ndim, int *axes) except -1:
    """np.gradient's `axis`, None, an integer or a normalized tuple, as numbers from 0 on; returns how many."""
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


cdef object _compute(cnp.ndarray f, tuple varargs, int naxes, const int *axes, object edge_order_, object out,
                     object workers):
    """The results of a call that the C core takes; NotImplemented for any other."""
    cdef int nargs = <int>len(varargs), edge_order = 1, d, k, flags = 0
    cdef int dtype = _dtype(f), result_dtype = fdx_result_dtype(dtype), x_dtype
    cdef cnp.ndarray a = f, x
    cdef Py_ssize_t size = cnp.PyArray_SIZE(f), nworkers = 1
    cdef fdx_call call
    cdef fdx_array coords
    cdef fdx_op op[FDX_MAXDIM]
    cdef _spacing spacing[FDX_MAXDIM]
    cdef ptrdiff_t shape[FDX_MAXDIM]
    cdef ptrdiff_t strides[(FDX_MAXDIM + 3) * (FDX_MAXDIM + 1)]
    cdef ptrdiff_t *place = strides
    cdef bint weighs_complex = False, apart
    cdef object args = varargs  # a list where coordinates had to be converted or copied
    cdef object dx, result = None, results = None

    if dtype < 0 or naxes == 0 or (nargs > 1 and nargs != naxes):
        return NotImplemented
    if edge_order_ is not ONE:
        if not isinstance(edge_order_, (int, integer)) or not 1 <= edge_order_ <= 2:
            return NotImplemented
        edge_order = edge_order_
    for k in range(naxes):
        op[k].axis = axes[k]
        if cnp.PyArray_DIM(a, axes[k]) < edge_order + 1:
            return NotImplemented

    # What each axis's spacing is. Arithmetic that NumPy would report on waits until the flags are clear.
    for k in range(naxes):
        if nargs == 0:
            flags |= _weak(&op[k], 1.0, dtype, edge_order)
            spacing[k].kind = NUMBER
            continue
        dx = args[k if nargs == naxes else 0]
        if PyFloat_CheckExact(dx) or PyLong_CheckExact(dx) or dx is True or dx is False:
            if not PyFloat_CheckExact(dx):
                if not -2**53 < dx < 2**53:
                    return NotImplemented
                dx = float(dx)
            spacing[k].h = PyFloat_AS_DOUBLE(dx)
            if spacing[k].h == 0 and edge_order == 2:
                return NotImplemented  # ZeroDivisionError
            flags |= _weak(&op[k], spacing[k].h, dtype, edge_order)
            spacing[k].kind = NUMBER
            continue
        if isinstance(dx, generic):
            if not _scalar(&spacing[k], dx, dtype):
                return NotImplemented
            continue
        if not _plain_type(dx):
            try:
                dx = np.asanyarray(dx)
            except Exception:  # the original meets it, and raises it, in its own order
                return NotImplemented
            if not _plain_type(dx) or dx.ndim == 0:
                return NotImplemented
        x = dx
        if cnp.PyArray_NDIM(x) == 0:
            dx = x[()]  # a scalar: the array may change under us
            if not _scalar(&spacing[k], dx, dtype):
                return NotImplemented
        else:
            x_dtype = _dtype(x)
            if (nargs != naxes or size == 0 or cnp.PyArray_NDIM(x) != 1 or x_dtype < 0 or x_dtype > FDX_F64
                    or cnp.PyArray_DIM(x, 0) != cnp.PyArray_DIM(a, axes[k])):
                return NotImplemented
            spacing[k].kind = COORDINATES
        if dx is not args[k if nargs == naxes else 0]:
            if args is varargs:
                args = list(varargs)
            args[k if nargs == naxes else 0] = dx

    # Where the results go. What shares memory with them is copied first.
    if out is None:
        if naxes == 1:
            result = _new_result(a, dtype)
            place = _fill(&op[0].out, result, result_dtype, place)
        else:
            result = PyTuple_New(naxes)
            for k in range(naxes):
                x = _new_result(a, dtype)
                place = _fill(&op[k].out, x, result_dtype, place)
                Py_INCREF(x)  # the next line steals it
                PyTuple_SET_ITEM(result, k, x)
    else:
        result = out
        if isinstance(out, list):
            out = tuple(out)  # another thread may empty the list
        apart = _take_out(out, a, dtype, naxes, op, place)
        for k in range(nargs):
            apart = apart and _apart_from(args[k], op, naxes, size * fdx_itemsize(result_dtype))
        if apart:
            place += naxes * (cnp.PyArray_NDIM(a) + 1)
        else:
            results = _out.arrays(out, (<object>f).shape, naxes, f.dtype if dtype >= FDX_F32 else np.dtype(float))
            for k in range(naxes):
                o = results[k]
                if np.may_share_memory(a, o):
                    a = (<object>f).copy("K")
                for d in range(nargs):
                    if cnp.PyArray_Check(args[d]) and np.may_share_memory(args[d], o):
                        if args is varargs:
                            args = list(varargs)
                        args[d] = args[d].copy()
                place = _fill(&op[k].out, o, result_dtype, place)

    call.ndim = cnp.PyArray_NDIM(a)
    for d in range(call.ndim):
        shape[d] = cnp.PyArray_DIM(a, d)
    call.shape = shape
    place = _fill(&call.in_, a, dtype, place)
    call.nops = naxes
    call.op = op
    call.isa = ISA
    call.fresh = out is None
    PyUFunc_clearfperr()
    for k in range(naxes):
        if spacing[k].kind == SCALAR:
            fdx_gradient_uniform(&op[k], dtype, spacing[k].h, spacing[k].precision, edge_order)
        elif spacing[k].kind == COORDINATES:
            x = args[k]
            place = _fill(&coords, x, _dtype(x), place)
            if shape[op[k].axis] < NOGIL_ELEMENTS:
                fdx_gradient_coords(&op[k], dtype, &coords, shape[op[k].axis], edge_order, ISA)
            else:
                with nogil:
                    fdx_gradient_coords(&op[k], dtype, &coords, shape[op[k].axis], edge_order, ISA)
        weighs_complex |= dtype >= FDX_C64 and (edge_order == 2 or op[k].interior.kind == FDX_COORDS)

    size *= naxes
    if workers is not None:
        nworkers = workers
    elif size >= NOGIL_ELEMENTS:
        nworkers = _threads.count(None)
    flags |= _run(&call, size, nworkers)
    if flags:
        if _would_raise(flags) or (weighs_complex and flags & (UFUNC_FPE_OVERFLOW | UFUNC_FPE_UNDERFLOW)):
            # An error: the original raises what it meets first. Or products of complex numbers that under- or overflow:
            # whether their sums have -0 or 0, and which flags, is up to the processor's multiply-add in NumPy.
            again = _fallback.gradient(a, tuple(args), tuple(axes[k] for k in range(naxes)), edge_order, out)
            return again if out is None else result
        PyUFunc_GiveFloatingpointErrors("gradient", flags)
    return result


def gradient(f, *varargs, axis=None, edge_order=1, out=None, workers=None):
    """
    The gradient of an N-dimensional array: `numpy.gradient`, bit for bit, compiled.

    Second-order central differences inside, one-sided differences of first or second
    order at the two ends of each axis.

    Parameters
    ----------
    f : array_like
        Values on a grid, in any layout. Arrays of float32, float64, complex64,
        complex128 and all integers, also as `numpy.memmap`, in any byte order, are
        computed here; everything else is handed to `numpy.gradient`.
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
        *f.shape)``. Of the result's dtype, native byte order always being accepted; any
        strides. `f` and the coordinates may share memory with it (they are copied
        first); the arrays may not overlap each other. A loop that brings its own `out`
        spares itself fresh memory, which for large arrays costs more than the
        derivative.
    workers : int, optional
        How many threads may share the work, if the array is large enough to be worth
        it; -1 for all CPUs that this process may use. By default what `fdx.set_workers`
        or the environment variable ``FDX_NUM_THREADS`` say, else 1. The result has the
        same bits for any number.

    Returns
    -------
    ndarray or tuple of ndarray
        For one axis an array of the shape of `f`, otherwise a tuple of one for each
        axis; `out` itself if it was given. The dtype is that of `f` if that is floating
        point, otherwise float64; the unit that of `f` over that of the axis.

    Raises
    ------
    ValueError, TypeError, IndexError, numpy.exceptions.AxisError
        As `numpy.gradient` raises them. For `out` and `workers`, errors that name the
        argument, what was expected and what came, before anything is written.
    FloatingPointError
        If `numpy.errstate` asks for it, after `out` has been written.

    Warns
    -----
    RuntimeWarning
        Of the kinds that `numpy.gradient` gives for the same input under the same
        `numpy.errstate`.

    See Also
    --------
    numpy.gradient : the same function.
    fdx.set_workers : the default for `workers`.

    Notes
    -----
    With spacings :math:`h_1` to the left and :math:`h_2` to the right neighbour, an
    interior point has

    .. math::

        -\\frac{h_2}{h_1 (h_1 + h_2)} f_{i-1} + \\frac{h_2 - h_1}{h_1 h_2} f_i + \\frac{h_1}{h_2 (h_1 + h_2)} f_{i+1},

    which for :math:`h_1 = h_2 = h` is computed as :math:`(f_{i+1} - f_{i-1}) / 2h`. The
    error is of second order for even spacing [1]_. Time is proportional to the size of
    `f` times the number of axes; no memory is taken but the result. The global
    interpreter lock is released while large arrays are computed.

    References
    ----------
    .. [1] A. Quarteroni, R. Sacco, F. Saleri, Numerical Mathematics, 2nd ed., Springer 2007, section 10.10.

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

    In a time loop, into memory that is already there:

    >>> u = np.linspace(0.0, 1.0, 5) ** 2
    >>> du = np.empty_like(u)
    >>> for _ in range(3):
    ...     u -= 0.01 * fdx.gradient(u, 0.25, out=du)
    >>> du.shape
    (5,)
    """
    cdef int axes[FDX_MAXDIM]
    cdef bint declined = False
    cdef object result
    if workers is not None:
        workers = _threads.count(workers)
    if not cnp.PyArray_CheckExact(f):
        declined = _overrides(f)
    for dx in varargs:
        if not PyFloat_CheckExact(dx):
            declined = declined or _overrides(dx)
    if not declined:
        if not cnp.PyArray_CheckExact(f):
            f = np.asanyarray(f)
        if axis is not None and not (PyLong_CheckExact(axis) and -cnp.PyArray_NDIM(f) <= axis < cnp.PyArray_NDIM(f)):
            axis = normalize_axis_tuple(axis, cnp.PyArray_NDIM(f))  # an iterator is read once
        naxes = _axes(axis, cnp.PyArray_NDIM(f), axes)
        if _plain_type(f):
            result = _compute(f, varargs, naxes, axes, edge_order, out, workers)
            if result is not NotImplemented:
                return result
    return _fallback.gradient(f, varargs, axis, edge_order, out)
