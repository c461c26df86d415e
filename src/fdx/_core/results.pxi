# The memory of results. Memory that is new to a process costs more than a derivative: the system clears it page by page
# at first touch, and gets it back when an array is freed, again for each call of a loop. So memory of freed results is
# kept for the next ones of as many bytes. Arrays have it by NumPy's own means (NEP 49), and tracemalloc sees it.

cdef extern from *:
    """
    /* Blocks at most; bytes of a block at least, as the C library keeps smaller ones itself. */
    enum { FDX_KEPT = 16, FDX_LEAST_KEPT = 1 << 17, FDX_RESULT_ALIGNMENT = 64 };
    typedef struct {
        PyDataMemAllocator *of; /* gave */
        void *memory;           /* this */
        size_t bytes;           /* of the result, which comes after these members */
    } fdx_result;

    static fdx_result *fdx_kept[FDX_KEPT]; /* from oldest to newest */
    static int fdx_nkept;
    static size_t fdx_kept_bytes, fdx_most_kept;
    static PyThread_type_lock fdx_kept_lock; /* nothing is kept or taken while another thread has it, or had it at a
                                                fork */

    static PyDataMemAllocator *fdx_allocator(void)
    {
        return &((PyDataMem_Handler *)PyCapsule_GetPointer(PyDataMem_DefaultHandler, "mem_handler"))->allocator;
    }

    static void fdx_release(fdx_result *r)
    {
        r->of->free(r->of->ctx, r->memory, r->bytes + 2 * FDX_RESULT_ALIGNMENT);
    }

    static fdx_result *fdx_forget(int k)
    {
        fdx_result *r = fdx_kept[k];
        fdx_kept_bytes -= r->bytes;
        memmove(fdx_kept + k, fdx_kept + k + 1, (size_t)(--fdx_nkept - k) * sizeof *fdx_kept);
        return r;
    }

    static void *fdx_result_malloc(void *allocator, size_t bytes)
    {
        PyDataMemAllocator *of = (PyDataMemAllocator *)allocator;
        fdx_result *r = NULL;
        if (PyThread_acquire_lock(fdx_kept_lock, NOWAIT_LOCK)) {
            for (int k = fdx_nkept - 1; k >= 0 && r == NULL; k--)
                if (fdx_kept[k]->bytes == bytes)
                    r = fdx_forget(k);
            PyThread_release_lock(fdx_kept_lock);
        }
        if (r == NULL) {
            char *memory = bytes > PTRDIFF_MAX / 2 ? NULL : of->malloc(of->ctx, bytes + 2 * FDX_RESULT_ALIGNMENT);
            if (memory == NULL)
                return NULL;
            char *result = memory + FDX_RESULT_ALIGNMENT;
            result += -(uintptr_t)result % FDX_RESULT_ALIGNMENT;
            r = (fdx_result *)(void *)result - 1;
            r->memory = memory;
            r->bytes = bytes;
            r->of = of;
        }
        return r + 1;
    }

    /* `bytes` is what NumPy takes the size for; that of `r` is right. */
    static void fdx_result_free(void *allocator, void *result, size_t bytes)
    {
        fdx_result *r = (fdx_result *)result - 1, *old[FDX_KEPT + 1];
        int nold = 0;
        (void)allocator, (void)bytes;
        if (result == NULL)
            return;
        if (PyThread_acquire_lock(fdx_kept_lock, NOWAIT_LOCK)) {
            if (r->bytes >= FDX_LEAST_KEPT && r->bytes <= fdx_most_kept) {
                while (fdx_nkept == FDX_KEPT || fdx_kept_bytes + r->bytes > fdx_most_kept)
                    old[nold++] = fdx_forget(0);
                fdx_kept_bytes += r->bytes;
                fdx_kept[fdx_nkept++] = r;
                r = NULL;
            }
            PyThread_release_lock(fdx_kept_lock);
        }
        if (r != NULL)
            old[nold++] = r;
        while (nold > 0)
            fdx_release(old[--nold]);
    }

    static void *fdx_result_calloc(void *allocator, size_t n, size_t size)
    {
        void *result = size > 0 && n > PTRDIFF_MAX / size ? NULL : fdx_result_malloc(allocator, n * size);
        return result == NULL ? NULL : memset(result, 0, n * size);
    }

    static void *fdx_result_realloc(void *allocator, void *result, size_t bytes)
    {
        void *other = fdx_result_malloc(allocator, bytes);
        if (other != NULL && result != NULL) {
            const size_t before = ((fdx_result *)result - 1)->bytes;
            memcpy(other, result, before < bytes ? before : bytes);
            fdx_result_free(allocator, result, before);
        }
        return other;
    }

    /* Keep at most so many bytes from now on, and nothing of what is kept now. */
    static int fdx_keep_results(size_t most)
    {
        fdx_result *old[FDX_KEPT];
        int nold = 0;
        if (!PyThread_acquire_lock(fdx_kept_lock, NOWAIT_LOCK))
            return 0;
        while (fdx_nkept > 0)
            old[nold++] = fdx_forget(0);
        fdx_most_kept = most;
        PyThread_release_lock(fdx_kept_lock);
        while (nold > 0)
            fdx_release(old[--nold]);
        return 1;
    }

    /* In a child process: nothing is kept, if another thread was changing it. */
    static int fdx_after_fork(void)
    {
        if (PyThread_acquire_lock(fdx_kept_lock, NOWAIT_LOCK)) {
            PyThread_release_lock(fdx_kept_lock);
            return 1;
        }
        fdx_kept_lock = PyThread_allocate_lock();
        fdx_nkept = 0;
        fdx_kept_bytes = 0;
        return fdx_kept_lock != NULL;
    }

    static PyDataMem_Handler fdx_result_handler = {
        "fdx_results", 1, {NULL, fdx_result_malloc, fdx_result_calloc, fdx_result_realloc, fdx_result_free}};
    """
    cnp.PyDataMem_Handler fdx_result_handler
    PyThread_type_lock fdx_kept_lock
    size_t fdx_kept_bytes, fdx_most_kept
    void *fdx_allocator()
    bint fdx_keep_results(size_t)
    bint fdx_after_fork()
    enum: FDX_LEAST_KEPT
    Py_ssize_t PY_SSIZE_T_MAX
    PyObject *PyDataMem_DefaultHandler

fdx_kept_lock = PyThread_allocate_lock()
if fdx_kept_lock == NULL:
    raise MemoryError("a lock")
fdx_result_handler.allocator.ctx = fdx_allocator()
cdef object RESULT_HANDLER = PyCapsule_New(&fdx_result_handler, "mem_handler", NULL)


def keep_results(size_t most):
    """Keep at most so many bytes of freed results, and nothing of what is kept now; returns whether that was possible,
    as no other thread was using what is kept."""
    return fdx_keep_results(most)


def kept_bytes():
    return fdx_kept_bytes


def after_fork():
    if not fdx_after_fork():
        raise MemoryError("a lock")


cdef inline object _take_memory(ptrdiff_t bytes):
    """Have NumPy take memory for a result from what is kept, unless the program has given it an allocator of its own.
    Returns what `_give_back` takes after the result has been allocated."""
    if bytes < FDX_LEAST_KEPT or fdx_most_kept == 0:
        return None
    before = cnp.PyDataMem_GetHandler()
    if <PyObject *>before != PyDataMem_DefaultHandler:
        return None
    cnp.PyDataMem_SetHandler(RESULT_HANDLER)
    return before


cdef inline int _give_back(object before) except -1:
    if before is not None:
        cnp.PyDataMem_SetHandler(before)
    return 0


cdef inline cnp.ndarray _empty_like(cnp.ndarray a, cnp.dtype descr):
    """np.empty_like, for a result."""
    cdef ptrdiff_t bytes = cnp.PyArray_SIZE(a) * cnp.PyDataType_ELSIZE(descr)
    if bytes < FDX_LEAST_KEPT:
        Py_INCREF(descr)  # the next line steals it
        return PyArray_NewLikeArray(a, cnp.NPY_KEEPORDER, descr, 1)
    return _large_like(a, descr, bytes)


cdef cnp.ndarray _large_like(cnp.ndarray a, cnp.dtype descr, ptrdiff_t bytes):
    before = _take_memory(bytes)
    try:
        Py_INCREF(descr)  # the next line steals it
        return PyArray_NewLikeArray(a, cnp.NPY_KEEPORDER, descr, 1)
    finally:
        _give_back(before)


cdef cnp.ndarray _empty(cnp.dtype descr, int ndim, const ptrdiff_t *dims, const ptrdiff_t *strides):
    """np.ndarray of a shape, for a result; strides: NULL for C order."""
    cdef ptrdiff_t bytes = cnp.PyDataType_ELSIZE(descr)
    cdef int d
    for d in range(ndim):
        bytes = 0 if dims[d] > 0 and bytes > PY_SSIZE_T_MAX // dims[d] else bytes * dims[d]  # 0: too large for memory
    before = _take_memory(bytes)
    try:
        Py_INCREF(descr)  # the next line steals it
        return PyArray_NewFromDescr(np.ndarray, descr, ndim, dims, strides, NULL, 0, None)
    finally:
        _give_back(before)


def empty(tuple shape not None, cnp.dtype dtype not None):
    """A new array in C order, for a result."""
    cdef ptrdiff_t dims[FDX_MAXDIM + 2]
    cdef int d, ndim = <int>len(shape)
    if ndim > FDX_MAXDIM:
        raise ValueError(f"expected at most {FDX_MAXDIM} dimensions, got {ndim}")
    for d in range(ndim):
        dims[d] = shape[d]
    return _empty(dtype, ndim, dims, NULL)
