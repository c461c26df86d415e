# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The compiled part: describes NumPy arrays to the C core, calls it, and reports floating-point exceptions to NumPy.

`gradient` decides whether the C core computes a call. All other calls go unchanged to NumPy's function, which computes
them or raises the errors that users of np.gradient know.
"""

cimport cython
cimport numpy as cnp
from cpython.exc cimport PyErr_WarnEx
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport PyList_CheckExact
from cpython.long cimport PyLong_AsLongAndOverflow, PyLong_CheckExact
from cpython.pycapsule cimport PyCapsule_GetName, PyCapsule_GetPointer, PyCapsule_New
from cpython.pythread cimport (
    PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, PyThread_release_lock,
    PyThread_type_lock, WAIT_LOCK,
)
from cpython.ref cimport Py_INCREF, PyObject
from cpython.tuple cimport PyTuple_CheckExact, PyTuple_GET_ITEM, PyTuple_New, PyTuple_SET_ITEM
from libc.math cimport isfinite, isinf
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport uint8_t, uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp

import os
import sys

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from fdx._common import fallback, outputs, threads

cnp.import_array()
cnp.import_ufunc()

# Looked up once: a call on a small array takes no longer than a few attribute look-ups.
cdef object ONE = 1, ZERO = 0
cdef type memmap = np.memmap, float64 = np.float64, float32 = np.float32, integer = np.integer, generic = np.generic
cdef frozenset INTEGERS = frozenset([np.dtype(char).type for char in "?bBhHiIlLqQ"])  # the types of scalars

from fdx cimport (
    FDX_C128, FDX_C64, FDX_DOUBLE, FDX_E_COUNT, FDX_E_DTYPE, FDX_E_NODES, FDX_E_SINGULAR, FDX_F32, FDX_F64, FDX_I8,
    FDX_MAXDIM, FDX_OK, FDX_SINGLE, FDX_SPACED, FDX_WEAK, fdx_array, fdx_band, fdx_call, fdx_chain, fdx_compact,
    fdx_condition, fdx_derivative, fdx_derivative_outline, fdx_derivative_points, fdx_even_spacing, fdx_factor,
    fdx_gradient, fdx_gradient_apply_part, fdx_gradient_axis, fdx_gradient_coords, fdx_gradient_row,
    fdx_gradient_uniform, fdx_isa, fdx_isa_find, fdx_isa_name, fdx_isa_names, fdx_itemsize, fdx_operator,
    fdx_operator_make, fdx_operator_size, fdx_outline, fdx_pivot, fdx_precision, fdx_prepare, fdx_prepared,
    fdx_prepared_size, fdx_prepared_workspace_size, fdx_result_dtype, fdx_run, fdx_sbp_norm, fdx_scheme,
    fdx_scheme_row, fdx_solve, fdx_solve_apply_part, fdx_solve_workspace_size, fdx_solver, fdx_solver_make,
    fdx_solver_size, fdx_stage, fdx_status, fdx_status_message, fdx_stencil, fdx_sum, fdx_term, fdx_version,
    fdx_weights,
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
    SMALL_ELEMENTS = 32768  # smaller calls are prepared once, as planning them takes a part of their time
    NO_MEMORY = 1 << 16     # a status in addition to the C core's
    STACK_NDIM = 4          # up to so many dimensions arrays are described on the stack
    STACK_WORKSPACE = 1024  # doubles on the stack, enough for operators on small arrays
    MOST_SMALL = 16         # up to so many inputs and outputs are described on the stack
    STACK_PREPARED = 128    # doubles on the stack, enough for calls of a few dimensions
    LAYOUTS = 4             # so many layouts of small calls are prepared

include "_core/isa.pxi"
include "_core/results.pxi"
include "_core/arrays.pxi"
include "_core/outputs.pxi"
include "_core/spacings.pxi"
include "_core/reports.pxi"
include "_core/jobs.pxi"
include "_core/gradient.pxi"
include "_core/weights.pxi"
include "_core/bands.pxi"
include "_core/plans.pxi"
include "_core/solves.pxi"
include "_core/applicable.pxi"
include "_core/functions.pxi"
