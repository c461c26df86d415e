# The C core for Cython: `from fdx cimport fdx_call, fdx_apply`. It is documented in fdx.h; link with libfdx.a.
# fdx.get_include() and fdx.get_library_dir() are the folders of these.
from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int8_t, uint8_t

cdef extern from "fdx.h" nogil:
    enum: FDX_MAXNODES, FDX_MAXDIM, FDX_MAXWEIGHTS, FDX_MAXSTAGES

    ctypedef enum fdx_status:
        FDX_OK
        FDX_E_NULL
        FDX_E_NDIM
        FDX_E_SHAPE
        FDX_E_DTYPE
        FDX_E_AXIS
        FDX_E_SIZE
        FDX_E_STENCIL
        FDX_E_EDGE
        FDX_E_COUNT
        FDX_E_OVERLAP
        FDX_E_PART
        FDX_E_BOX
        FDX_E_NODES
        FDX_E_WORKSPACE
        FDX_E_ALIGNMENT
        FDX_E_SINGULAR
    const char *fdx_version()
    const char *fdx_status_message(fdx_status status)

    ctypedef enum fdx_dtype:
        FDX_I8
        FDX_U8
        FDX_I16
        FDX_U16
        FDX_I32
        FDX_U32
        FDX_I64
        FDX_U64
        FDX_F32
        FDX_F64
        FDX_C64
        FDX_C128
        FDX_NDTYPES
    ptrdiff_t fdx_itemsize(int dtype)
    int fdx_result_dtype(int dtype)

    ctypedef struct fdx_array:
        void *data
        const ptrdiff_t *stride
        uint8_t dtype
        uint8_t swapped

    ctypedef struct fdx_isa:
        pass
    const fdx_isa *fdx_isa_find(const char *name)
    const char *fdx_isa_name(const fdx_isa *isa)
    const char *const *fdx_isa_names()

    # np.gradient
    ctypedef enum fdx_gradient_formula:
        FDX_QUOTIENT
        FDX_WEIGHTED
        FDX_SPACED
    ctypedef struct fdx_gradient_row:
        uint8_t formula
        uint8_t mixed
        int8_t off[3]
        double w[3]
    ctypedef struct fdx_gradient_axis:
        int axis
        fdx_gradient_row first
        fdx_gradient_row interior
        fdx_gradient_row last
        fdx_array x
        ptrdiff_t n
        fdx_array out
    ctypedef struct fdx_gradient:
        int ndim
        const ptrdiff_t *shape
        fdx_array in_ "in"
        int naxes
        const fdx_gradient_axis *axes
        const fdx_isa *isa
        const ptrdiff_t *lo
        const ptrdiff_t *hi
        const double *alpha_beta
        uint8_t first_touch
    ctypedef enum fdx_precision:
        FDX_WEAK
        FDX_SINGLE
        FDX_DOUBLE
    fdx_status fdx_gradient_uniform(
        fdx_gradient_axis *along, int dtype, double h, fdx_precision precision, int edge_order)
    fdx_status fdx_gradient_coords(
        fdx_gradient_axis *along, int dtype, const fdx_array *x, ptrdiff_t n, int edge_order, const fdx_isa *isa)
    fdx_status fdx_gradient_apply(const fdx_gradient *call)
    fdx_status fdx_gradient_apply_part(const fdx_gradient *call, ptrdiff_t part, ptrdiff_t nparts)

    # weights
    fdx_status fdx_weights(double *w, double *rest, const double *x, int n, double at, int deriv)

    # bands
    ctypedef enum fdx_summation:
        FDX_SUM_PLAIN
        FDX_SUM_DIFFERENCES
        FDX_SUM_ANTISYMMETRIC
        FDX_SUM_SYMMETRIC
    ctypedef struct fdx_stencil:
        ptrdiff_t offset
        int count
        int centre
        int summation
        const double *w
        ptrdiff_t weight_step
        ptrdiff_t row_step
    ctypedef struct fdx_band:
        ptrdiff_t rows
        ptrdiff_t columns
        ptrdiff_t nfirst
        ptrdiff_t nlast
        const fdx_stencil *first
        const fdx_stencil *last
        fdx_stencil interior
        int periodic
    ctypedef enum fdx_boundary:
        FDX_ONE_SIDED
        FDX_PERIODIC
        FDX_VALID
        FDX_REFLECT
        FDX_SYMMETRIC
        FDX_REFLECT_ODD
        FDX_SYMMETRIC_ODD
        FDX_ZERO
        FDX_ANTISYMMETRIC
        FDX_SBP
        FDX_GIVEN
        FDX_NBOUNDARIES
    ctypedef enum fdx_position:
        FDX_CENTER
        FDX_INNER
        FDX_OUTER
        FDX_LEFT
        FDX_RIGHT
        FDX_NPOSITIONS
    ctypedef struct fdx_condition:
        double value
        double slope
        int outside

    ctypedef struct fdx_scheme_row:
        int count
        const double *w
    ctypedef struct fdx_scheme:
        int offset
        int count
        const double *w
        int nfirst
        int nlast
        const fdx_scheme_row *first
        const fdx_scheme_row *last
    ctypedef struct fdx_derivative:
        ptrdiff_t n
        int deriv
        int accuracy
        int left
        int right
        double scale
        double spacing
        const double *x
        double period
        const fdx_isa *isa
        int position
        int side
        const fdx_scheme *scheme
        fdx_condition condition[2]
        int datum
        const double *at
    ctypedef struct fdx_outline:
        ptrdiff_t before
        ptrdiff_t after
        ptrdiff_t count
        int half
        ptrdiff_t base
        ptrdiff_t more
        ptrdiff_t ghosts[2]
        ptrdiff_t closure[2]
        ptrdiff_t crop[2]
    double fdx_even_spacing(const double *x, ptrdiff_t n, double eps, double period, double eps_of_period)
    ptrdiff_t fdx_derivative_points(const fdx_derivative *what)
    fdx_status fdx_derivative_outline(const fdx_derivative *what, fdx_outline *outline)
    fdx_status fdx_sbp_norm(double *h, const fdx_derivative *what)
    size_t fdx_band_derivative_size(const fdx_derivative *what)
    fdx_status fdx_band_derivative(void *memory, const fdx_derivative *what, const fdx_band **band)
    size_t fdx_band_transpose_size(const fdx_band *a)
    fdx_status fdx_band_transpose(void *memory, const fdx_band *a, const fdx_band **band)
    size_t fdx_band_product_size(const fdx_band *a, const fdx_band *b)
    fdx_status fdx_band_product(
        void *memory, const fdx_band *a, const fdx_band *b, double scale, const fdx_band **band)

    # compiled operators, and their application
    ctypedef struct fdx_stage:
        int axis
        const fdx_band *band
        const fdx_array *coefficient
        int sign
    ctypedef struct fdx_chain:
        int in_ "in"
        int out
        int nstages
        const fdx_stage *stage
        const ptrdiff_t *shift
    ctypedef struct fdx_operator:
        int ndim
        const ptrdiff_t *in_shape
        const ptrdiff_t *out_shape
        int ninputs
        int noutputs
        int nchains
        const fdx_chain *chain
        const fdx_isa *isa
        int double_only
    ctypedef struct fdx_call:
        const fdx_operator *op
        const fdx_array *in_ "in"
        const fdx_array *out
        const ptrdiff_t *lo
        const ptrdiff_t *hi
        const double *alpha_beta
        uint8_t first_touch
        void *const *copies
    ctypedef struct fdx_prepared:
        pass
    size_t fdx_prepared_size(const fdx_call *call)
    fdx_status fdx_prepare(void *memory, const fdx_call *call, const fdx_prepared **prepared)
    ptrdiff_t fdx_prepared_workspace_size(const fdx_prepared *prepared)
    fdx_status fdx_run(
        const fdx_prepared *prepared, void *const *data, const double *alpha_beta, void *workspace, ptrdiff_t part,
        ptrdiff_t nparts)
    ptrdiff_t fdx_workspace_size(const fdx_call *call)
    fdx_status fdx_apply(const fdx_call *call, void *workspace, ptrdiff_t bytes)
    fdx_status fdx_apply_part(
        const fdx_call *call, void *workspace, ptrdiff_t bytes, ptrdiff_t part, ptrdiff_t nparts)

    # operators: description and compilation
    ctypedef struct fdx_factor:
        int axis
        fdx_derivative what
        const fdx_array *coefficient
        int sign
        const fdx_band *band
        ptrdiff_t crop[2]
        int transposed
    ctypedef struct fdx_term:
        int in_ "in"
        int out
        int nfactors
        const fdx_factor *factor
        const double *scale
    ctypedef struct fdx_sum:
        int ndim
        const ptrdiff_t *shape
        int nterms
        const fdx_term *term
        const fdx_isa *isa
        int transposed
    size_t fdx_operator_size(const fdx_sum *what)
    fdx_status fdx_operator_make(void *memory, const fdx_sum *what, const fdx_operator **op)

    # solves
    ctypedef struct fdx_solver:
        pass
    ctypedef struct fdx_pivot:
        ptrdiff_t point
        double pivot
        double size
        double condition
    size_t fdx_solver_size(const fdx_operator *op)
    fdx_status fdx_solver_make(
        void *memory, const fdx_operator *op, const fdx_solver **solver, fdx_pivot *failed)
    ctypedef struct fdx_solve:
        const fdx_solver *solver
        int ndim
        const ptrdiff_t *shape
        int axis
        fdx_array in_ "in"
        fdx_array out
        const double *alpha_beta
    fdx_status fdx_compact(int deriv, int accuracy, fdx_scheme *a, fdx_scheme *b)
    ptrdiff_t fdx_solve_workspace_size(const fdx_solve *call)
    fdx_status fdx_solve_apply(const fdx_solve *call, void *workspace, ptrdiff_t bytes)
    fdx_status fdx_solve_apply_part(
        const fdx_solve *call, void *workspace, ptrdiff_t bytes, ptrdiff_t part, ptrdiff_t nparts)

    ctypedef struct fdx_member:
        const char *of
        const char *name
        size_t offset
        size_t size
    const fdx_member *fdx_members()
