# Factorised operators along an axis, and their application to checked arrays.

class Singular(ValueError):
    """Its arguments: the least pivot's point, the pivot, the sum of the moduli in its row, and the condition."""


class NotFinite(ValueError):
    pass


@cython.final
cdef class Solver:
    """The factorised matrix of a plan of one dimension."""
    cdef const fdx_solver *solver
    cdef cnp.ndarray memory  # as that of a Plan
    cdef Py_ssize_t n
    cdef double neighbours

    def __cinit__(self, Plan plan not None):
        cdef cnp.npy_intp bytes = <cnp.npy_intp>fdx_solver_size(plan.op)
        cdef fdx_pivot failed
        cdef fdx_status status
        cdef void *memory
        self.memory = cnp.PyArray_SimpleNew(1, &bytes, cnp.NPY_UINT8)
        memory = cnp.PyArray_DATA(self.memory)
        with nogil:
            status = fdx_solver_make(memory, plan.op, &self.solver, &failed)
        if status == FDX_E_SINGULAR:
            raise Singular(failed.point, failed.pivot, failed.size, failed.condition)
        if status == FDX_E_NODES:
            raise NotFinite()
        if status != FDX_OK:
            raise SystemError("fdx: " + fdx_status_message(status).decode())
        self.n = plan.op.in_shape[0]
        self.neighbours = 2 * plan.neighbours

    def solve(self, cnp.ndarray b not None, cnp.ndarray x not None, int axis, workers, tuple alpha_beta=None):
        """Write the solution to `x`, an array like `b`: the same, or one that shares no memory with it. Returns False,
        and writes nothing, if single precision cannot hold the numbers."""
        cdef double numbers[2]
        cdef Py_ssize_t nworkers = threads.count(workers)
        cdef int ndim = cnp.PyArray_NDIM(b), dtype = _dtype(b)
        if dtype < 0 or not 0 <= axis < ndim or cnp.PyArray_DIM(b, axis) != self.n:
            raise ValueError(f"b: expected an array that keeps its shape and dtype during the call, got {b.dtype}")
        _unchanged("out", x, fdx_result_dtype(dtype), ndim, <const ptrdiff_t *>cnp.PyArray_DIMS(b))
        if not cnp.PyArray_ISWRITEABLE(x):
            raise ValueError("out: expected a writeable array, got a read-only one")
        return self.run(b, x, axis, nworkers, _numbers(alpha_beta, numbers))

    def quick(self, b, out, tuple shape not None, int axis, workers):
        """The solution for an array of this shape; None if the arguments need conversion or further checks."""
        cdef cnp.ndarray a
        cdef int dtype
        cdef Py_ssize_t nworkers
        if not cnp.PyArray_CheckExact(b) or (<object>b).shape != shape:
            return None
        a = <cnp.ndarray>b  # checked
        nworkers = _quick_workers(workers, cnp.PyArray_SIZE(a))
        dtype = _dtype(a)
        if nworkers == 0 or dtype < 0:
            return None
        if out is None:
            x = new_result(a, shape)
        elif (_simple(out, _result_type(a, dtype), 0, NULL, cnp.PyArray_NDIM(a),
                      <const ptrdiff_t *>cnp.PyArray_DIMS(a))
              and (out is b or _are_apart(out, a))):
            x = out
        else:
            return None
        return x if self.run(a, x, axis, nworkers, NULL) else None

    cdef bint run(self, cnp.ndarray b, cnp.ndarray x, int axis, Py_ssize_t workers, const double *alpha_beta) except -1:
        """`solve`, of checked arrays."""
        cdef ptrdiff_t numbers[3 * FDX_MAXDIM]
        cdef int d, ndim = cnp.PyArray_NDIM(b), flags, dtype = _dtype(b)
        cdef fdx_solve call
        for d in range(ndim):
            numbers[d] = cnp.PyArray_DIM(b, d)
        call.solver, call.ndim, call.shape, call.axis = self.solver, ndim, numbers, axis
        call.alpha_beta = alpha_beta
        _fill(&call.in_, b, dtype, numbers + FDX_MAXDIM)
        _fill(&call.out, x, fdx_result_dtype(dtype), numbers + 2 * FDX_MAXDIM)
        if fdx_solve_apply_part(&call, NULL, 0, 0, 1) == FDX_E_DTYPE:
            return False
        PyUFunc_clearfperr()
        flags = _run(_Call(gradient=NULL, prepared=NULL, solve=&call), cnp.PyArray_SIZE(b), self.neighbours, workers)
        if flags:
            _report(flags, "solve")
        return True


def compact_schemes(int deriv, int accuracy):
    """The matrices A and B of a compact scheme, or None: offset and weights of the interior, and rows of both ends."""
    cdef fdx_scheme schemes[2]
    if fdx_compact(deriv, accuracy, &schemes[0], &schemes[1]) != FDX_OK:
        return None
    return tuple([(s.offset, [s.w[k] for k in range(s.count)], [_weights_of(&s.first[k]) for k in range(s.nfirst)],
                   [_weights_of(&s.last[k]) for k in range(s.nlast)]) for s in schemes])


cdef list _weights_of(const fdx_scheme_row *row):
    return [row.w[k] for k in range(row.count)]
