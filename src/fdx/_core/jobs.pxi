# A call, in one part or in several that threads compute.

cdef double LEAST_NEIGHBOURS = 4  # are added up in the time that a result takes from and to memory

cdef int forks = 0  # how many forks led to this process


def _count_fork():
    global forks
    forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


cdef struct _Call:  # one of these; the others are NULL
    const fdx_gradient *gradient
    const fdx_prepared *prepared
    const fdx_solve *solve


@cython.final
cdef class Job:
    """A call split into parts, which any number of threads compute.

    Threads claim parts one by one. The calling thread computes parts too, so that the call completes even if no other
    thread starts. It returns only when no thread is still writing a claimed part.
    """
    cdef _Call call
    cdef readonly Py_ssize_t workers, nparts, parts_run
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
                status = _call_part(&self.call, part, self.nparts)
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


cdef inline Py_ssize_t _quick_workers(object workers, Py_ssize_t size) except -1:
    """How many threads a call for so many results uses, if `workers` needs no further checks; else 0."""
    if workers is None:
        return 1 if size < NOGIL_ELEMENTS else threads.count(None)
    if not PyLong_CheckExact(workers):
        return 0
    try:
        return threads.count(workers)
    except ValueError:  # raised again after the errors of other arguments
        return 0


cdef int _run_part(const fdx_prepared *prepared, void *const *data, const double *alpha_beta, Py_ssize_t part,
                   Py_ssize_t nparts) noexcept nogil:
    """Run a part of a prepared call, with a workspace for this part; `data`, `alpha_beta`: as fdx_run has them."""
    cdef double small[STACK_WORKSPACE]
    cdef ptrdiff_t bytes = fdx_prepared_workspace_size(prepared)
    cdef void *workspace = small if bytes <= <ptrdiff_t>sizeof(small) else malloc(bytes)
    if workspace == NULL:
        return NO_MEMORY
    cdef int status = fdx_run(prepared, data, alpha_beta, workspace, part, nparts)
    if workspace != small:
        free(workspace)
    return status


cdef int _solve_part(const fdx_solve *solve, Py_ssize_t part, Py_ssize_t nparts) noexcept nogil:
    """The same of a solve."""
    cdef double small[STACK_WORKSPACE]
    cdef ptrdiff_t bytes = fdx_solve_workspace_size(solve)
    cdef void *workspace = small if bytes <= <ptrdiff_t>sizeof(small) else malloc(bytes)
    if workspace == NULL:
        return NO_MEMORY
    cdef int status = fdx_solve_apply_part(solve, workspace, bytes, part, nparts)
    if workspace != small:
        free(workspace)
    return status


cdef int _call_part(const _Call *call, Py_ssize_t part, Py_ssize_t nparts) noexcept nogil:
    if call.gradient != NULL:
        return fdx_gradient_apply_part(call.gradient, part, nparts)
    if call.solve != NULL:
        return _solve_part(call.solve, part, nparts)
    return _run_part(call.prepared, NULL, NULL, part, nparts)


cdef int _run(_Call call, Py_ssize_t size, double neighbours, Py_ssize_t workers) except -1:
    """A call of so many results, each of so many neighbours, or of few. Returns the floating-point exceptions that were
    pending before or were raised by this."""
    cdef int status, flags
    cdef Py_ssize_t least
    cdef Job job
    if workers > 1:
        least = threads.MIN_WORKER_NEIGHBOURS
        if least > 0:
            workers = min(workers, <Py_ssize_t>(size * max(neighbours, LEAST_NEIGHBOURS) / least))
    if workers > 1:
        flags = PyUFunc_getfperr()
        job = Job()
        job.call = call  # what it points to is the caller's, who waits for all threads
        job.workers = workers
        job.nparts = workers * <Py_ssize_t>threads.PARTS_PER_WORKER
        try:
            threads.enlist(job, workers - 1)
        finally:
            job.finish()
        status = job.status
        flags |= job.flags
    elif size < NOGIL_ELEMENTS:
        status = _call_part(&call, 0, 1)
        flags = PyUFunc_getfperr()
    else:
        with nogil:
            status = _call_part(&call, 0, 1)
            flags = PyUFunc_getfperr()
    if status == NO_MEMORY:
        raise MemoryError("the workspace of an operator")
    if status != FDX_OK:
        raise SystemError("fdx: " + fdx_status_message(<fdx_status>status).decode())
    return flags
