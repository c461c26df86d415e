! fdx for Fortran 2018: finite differences on strided arrays. The contract is in fdx.h, whose functions are linked.
!
!     cc -O3 -c *.c && gfortran -O2 -c fdx.f90
!
! This module has two layers. Names that end in _c are the structs and functions of fdx.h that describe and compute
! operators, solves and np.gradient: indices from 0, lengths in fdx_index, addresses in c_ptr. The others are for
! Fortran codes: real and complex arrays of the kinds real32 and real64 and ranks 1 to 4, dimensions and indices from 1,
! boxes with both corners included, no addresses.
!
! - A status is optional everywhere. If it is absent and not FDX_OK, the program stops with its message. On any status
!   but FDX_OK, outputs are untouched.
! - Sections such as u(10:1:-1, ::2) are read and written in place. Outputs must not overlap inputs.
! - Arrays that a view or a coefficient refers to need the target attribute, and must exist as long as that is used.
! - Results have the bits of the C functions. A result's unit is the data's unit divided by the spacing's unit to the
!   power of the derivative's order.
! - Any number of threads may call any procedure, as long as none changes what another one uses.
module fdx
  use, intrinsic :: iso_c_binding, only: c_associated, c_char, c_double, c_f_pointer, c_int, c_int8_t, c_loc, &
    c_null_char, c_null_ptr, c_ptr, c_ptrdiff_t, c_size_t
  use, intrinsic :: iso_fortran_env, only: real32, real64
  implicit none
  public
  private :: c_associated, c_char, c_double, c_f_pointer, c_int, c_int8_t, c_loc, c_null_char, c_null_ptr, &
    c_ptr, c_ptrdiff_t, c_size_t, real32, real64

  integer, parameter :: fdx_index = c_ptrdiff_t

  ! ---- constants of fdx.h ----

  character(*), parameter :: FDX_VERSION = '0.1.0'

  integer(c_int), parameter :: FDX_MAXNODES = 64, FDX_MAXDIM = 64, FDX_MAXWEIGHTS = 255, FDX_MAXSTAGES = 16

  integer(c_int), parameter :: FDX_OK = 0, FDX_E_NULL = 1, FDX_E_NDIM = 2, FDX_E_SHAPE = 3, FDX_E_DTYPE = 4, &
    FDX_E_AXIS = 5, FDX_E_SIZE = 6, FDX_E_STENCIL = 7, FDX_E_EDGE = 8, FDX_E_COUNT = 9, FDX_E_OVERLAP = 10, &
    FDX_E_PART = 11, FDX_E_BOX = 12, FDX_E_NODES = 13, FDX_E_WORKSPACE = 14, FDX_E_ALIGNMENT = 15, FDX_E_SINGULAR = 16

  ! Statuses of this module only: C sees neither an array's shape nor whether an operator or a solver was made.
  integer(c_int), parameter :: FDX_E_CONFORM = -1 ! wrong number, rank or shapes of arrays
  integer(c_int), parameter :: FDX_E_UNMADE = -2  ! an operator or a solver was not made

  integer(c_int), parameter :: FDX_I8 = 1, FDX_U8 = 2, FDX_I16 = 3, FDX_U16 = 4, FDX_I32 = 5, FDX_U32 = 6, &
    FDX_I64 = 7, FDX_U64 = 8, FDX_F32 = 9, FDX_F64 = 10, FDX_C64 = 11, FDX_C128 = 12, FDX_NDTYPES = 13

  integer(c_int), parameter :: FDX_QUOTIENT = 0, FDX_WEIGHTED = 1, FDX_SPACED = 2           ! fdx_gradient_formula
  integer(c_int), parameter :: FDX_WEAK = 0, FDX_SINGLE = 1, FDX_DOUBLE = 2             ! fdx_precision
  integer(c_int), parameter :: FDX_SUM_PLAIN = 0, FDX_SUM_DIFFERENCES = 1, FDX_SUM_ANTISYMMETRIC = 2, &
    FDX_SUM_SYMMETRIC = 3                                                               ! fdx_summation
  integer(c_int), parameter :: FDX_ONE_SIDED = 0, FDX_PERIODIC = 1, FDX_VALID = 2, FDX_REFLECT = 3, &
    FDX_SYMMETRIC = 4, FDX_REFLECT_ODD = 5, FDX_SYMMETRIC_ODD = 6, FDX_ZERO = 7, &
    FDX_ANTISYMMETRIC = 8, FDX_SBP = 9, FDX_GIVEN = 10, FDX_NBOUNDARIES = 11            ! fdx_boundary
  integer(c_int), parameter :: FDX_CENTER = 0, FDX_INNER = 1, FDX_OUTER = 2, FDX_LEFT = 3, FDX_RIGHT = 4, &
    FDX_NPOSITIONS = 5                                                                  ! fdx_position

  ! ---- structs of fdx.h ----

  type, bind(c) :: fdx_array_c
    type(c_ptr) :: data = c_null_ptr
    type(c_ptr) :: stride = c_null_ptr ! integer(fdx_index), bytes
    integer(c_int8_t) :: dtype = 0, swapped = 0
  end type

  type, bind(c) :: fdx_gradient_row_c
    integer(c_int8_t) :: formula = 0, mixed = 0, off(3) = 0
    real(c_double) :: w(3) = 0
  end type

  type, bind(c) :: fdx_gradient_axis_c
    integer(c_int) :: axis = 0
    type(fdx_gradient_row_c) :: first, interior, last
    type(fdx_array_c) :: x
    integer(fdx_index) :: n = 0
    type(fdx_array_c) :: out
  end type

  type, bind(c) :: fdx_gradient_c
    integer(c_int) :: ndim = 0
    type(c_ptr) :: shape = c_null_ptr
    type(fdx_array_c) :: in
    integer(c_int) :: naxes = 0
    type(c_ptr) :: axes = c_null_ptr ! fdx_gradient_axis_c
    type(c_ptr) :: isa = c_null_ptr, lo = c_null_ptr, hi = c_null_ptr, alpha_beta = c_null_ptr
    integer(c_int8_t) :: first_touch = 0
  end type

  type, bind(c) :: fdx_stencil_c
    integer(fdx_index) :: offset = 0
    integer(c_int) :: count = 0, centre = 0, summation = 0
    type(c_ptr) :: w = c_null_ptr
    integer(fdx_index) :: weight_step = 0, row_step = 0
  end type

  type, bind(c) :: fdx_band_c
    integer(fdx_index) :: rows = 0, columns = 0, nfirst = 0, nlast = 0
    type(c_ptr) :: first = c_null_ptr, last = c_null_ptr ! fdx_stencil_c
    type(fdx_stencil_c) :: interior
    integer(c_int) :: periodic = 0
  end type

  ! The condition of FDX_GIVEN at one end: value * f + slope * (derivative along the axis) = datum, at the last point
  ! (outside = 0), or half a spacing (1) or a spacing (2) outside of it; see fdx_condition in fdx.h.
  type, bind(c) :: fdx_condition
    real(c_double) :: value = 0, slope = 0
    integer(c_int) :: outside = 0
  end type

  type, bind(c) :: fdx_derivative_c
    integer(fdx_index) :: n = 0
    integer(c_int) :: deriv = 1, accuracy = 2, left = FDX_ONE_SIDED, right = FDX_ONE_SIDED
    real(c_double) :: scale = 1, spacing = 1
    type(c_ptr) :: x = c_null_ptr
    real(c_double) :: period = 0
    type(c_ptr) :: isa = c_null_ptr
    integer(c_int) :: position = FDX_CENTER, side = 0
    type(c_ptr) :: scheme = c_null_ptr ! fdx_scheme_c
    type(fdx_condition) :: condition(2)
    integer(c_int) :: datum = 0
    type(c_ptr) :: at = c_null_ptr
  end type

  type, bind(c) :: fdx_scheme_row_c
    integer(c_int) :: count = 0
    type(c_ptr) :: w = c_null_ptr
  end type

  type, bind(c) :: fdx_scheme_c
    integer(c_int) :: offset = 0, count = 0
    type(c_ptr) :: w = c_null_ptr
    integer(c_int) :: nfirst = 0, nlast = 0
    type(c_ptr) :: first = c_null_ptr, last = c_null_ptr ! fdx_scheme_row_c
  end type

  type, bind(c) :: fdx_outline_c
    integer(fdx_index) :: before = 0, after = 0, count = 0
    integer(c_int) :: half = 0
    integer(fdx_index) :: base = 0, more = 0, ghosts(2) = 0, closure(2) = 0, crop(2) = 0
  end type

  type, bind(c) :: fdx_operator_c
    integer(c_int) :: ndim = 0
    type(c_ptr) :: in_shape = c_null_ptr, out_shape = c_null_ptr
    integer(c_int) :: ninputs = 0, noutputs = 0, nchains = 0
    type(c_ptr) :: chain = c_null_ptr, isa = c_null_ptr
    integer(c_int) :: double_only = 0
  end type

  type, bind(c) :: fdx_call_c
    type(c_ptr) :: op = c_null_ptr, in = c_null_ptr, out = c_null_ptr
    type(c_ptr) :: lo = c_null_ptr, hi = c_null_ptr, alpha_beta = c_null_ptr
    integer(c_int8_t) :: first_touch = 0
    type(c_ptr) :: copies = c_null_ptr
  end type

  ! Why a matrix has no inverse; see fdx_pivot in fdx.h. The point is 0 if it has one.
  type, bind(c) :: fdx_pivot
    integer(fdx_index) :: point = 0
    real(c_double) :: pivot = 0, size = 0, condition = 0
  end type

  type, bind(c) :: fdx_solve_c
    type(c_ptr) :: solver = c_null_ptr
    integer(c_int) :: ndim = 0
    type(c_ptr) :: shape = c_null_ptr
    integer(c_int) :: axis = 0
    type(fdx_array_c) :: in, out
    type(c_ptr) :: alpha_beta = c_null_ptr
  end type

  type, bind(c) :: fdx_factor_c
    integer(c_int) :: axis = 0
    type(fdx_derivative_c) :: what
    type(c_ptr) :: coefficient = c_null_ptr
    integer(c_int) :: sign = 0
    type(c_ptr) :: band = c_null_ptr
    integer(fdx_index) :: crop(2) = 0
    integer(c_int) :: transposed = 0
  end type

  type, bind(c) :: fdx_term_c
    integer(c_int) :: in = 0, out = 0, nfactors = 0
    type(c_ptr) :: factor = c_null_ptr, scale = c_null_ptr
  end type

  type, bind(c) :: fdx_sum_c
    integer(c_int) :: ndim = 0
    type(c_ptr) :: shape = c_null_ptr
    integer(c_int) :: nterms = 0
    type(c_ptr) :: term = c_null_ptr, isa = c_null_ptr
    integer(c_int) :: transposed = 0
  end type

  ! ---- functions of fdx.h ----

  ! Structs are targets, so that the compiler assumes that data at their addresses may be read and changed.
  interface
    type(c_ptr) function fdx_version_c() bind(c, name='fdx_version')
      import
    end function
    type(c_ptr) function fdx_status_message_c(status) bind(c, name='fdx_status_message')
      import
      integer(c_int), value :: status
    end function
    type(c_ptr) function fdx_isa_find_c(name) bind(c, name='fdx_isa_find')
      import
      character(kind=c_char), intent(in) :: name(*) ! ends with c_null_char
    end function
    integer(c_int) function fdx_gradient_uniform_c(along, dtype, h, precision, edge_order) &
      bind(c, name='fdx_gradient_uniform')
      import
      type(fdx_gradient_axis_c), intent(inout), target :: along
      integer(c_int), value :: dtype, precision, edge_order
      real(c_double), value :: h
    end function
    integer(c_int) function fdx_gradient_coords_c(along, dtype, x, n, edge_order, isa) &
      bind(c, name='fdx_gradient_coords')
      import
      type(fdx_gradient_axis_c), intent(inout), target :: along
      integer(c_int), value :: dtype, edge_order
      type(fdx_array_c), intent(in), target :: x
      integer(fdx_index), value :: n
      type(c_ptr), value :: isa
    end function
    integer(c_int) function fdx_gradient_apply_part_c(call, part, nparts) bind(c, name='fdx_gradient_apply_part')
      import
      type(fdx_gradient_c), intent(in), target :: call
      integer(fdx_index), value :: part, nparts
    end function
    integer(c_int) function fdx_weights_c(w, rest, x, n, at, deriv) bind(c, name='fdx_weights')
      import
      real(c_double), intent(inout) :: w(*)
      type(c_ptr), value :: rest
      real(c_double), intent(in) :: x(*)
      integer(c_int), value :: n, deriv
      real(c_double), value :: at
    end function
    integer(fdx_index) function fdx_derivative_points_c(what) bind(c, name='fdx_derivative_points')
      import
      type(fdx_derivative_c), intent(in), target :: what
    end function
    integer(c_int) function fdx_derivative_outline_c(what, outline) bind(c, name='fdx_derivative_outline')
      import
      type(fdx_derivative_c), intent(in), target :: what
      type(fdx_outline_c), intent(inout) :: outline
    end function
    integer(c_int) function fdx_sbp_norm_c(h, what) bind(c, name='fdx_sbp_norm')
      import
      real(c_double), intent(inout) :: h(*)
      type(fdx_derivative_c), intent(in), target :: what
    end function
    real(c_double) function fdx_even_spacing_c(x, n, eps, period, eps_of_period) bind(c, name='fdx_even_spacing')
      import
      real(c_double), intent(in) :: x(*)
      integer(fdx_index), value :: n
      real(c_double), value :: eps, period, eps_of_period
    end function
    integer(c_size_t) function fdx_prepared_size_c(call) bind(c, name='fdx_prepared_size')
      import
      type(fdx_call_c), intent(in), target :: call
    end function
    integer(c_int) function fdx_prepare_c(memory, call, prepared) bind(c, name='fdx_prepare')
      import
      type(c_ptr), value :: memory
      type(fdx_call_c), intent(in), target :: call
      type(c_ptr), intent(inout), target :: prepared
    end function
    integer(fdx_index) function fdx_prepared_workspace_size_c(prepared) bind(c, name='fdx_prepared_workspace_size')
      import
      type(c_ptr), value :: prepared
    end function
    integer(c_int) function fdx_run_c(prepared, data, alpha_beta, workspace, part, nparts) bind(c, name='fdx_run')
      import
      type(c_ptr), value :: prepared, data, alpha_beta, workspace
      integer(fdx_index), value :: part, nparts
    end function
    integer(c_size_t) function fdx_operator_size_c(what) bind(c, name='fdx_operator_size')
      import
      type(fdx_sum_c), intent(in), target :: what
    end function
    integer(c_int) function fdx_operator_make_c(memory, what, op) bind(c, name='fdx_operator_make')
      import
      type(c_ptr), value :: memory
      type(fdx_sum_c), intent(in), target :: what
      type(c_ptr), intent(inout), target :: op
    end function
    integer(c_size_t) function fdx_solver_size_c(op) bind(c, name='fdx_solver_size')
      import
      type(c_ptr), value :: op
    end function
    integer(c_int) function fdx_solver_make_c(memory, op, solver, failed) bind(c, name='fdx_solver_make')
      import
      type(c_ptr), value :: memory, op
      type(c_ptr), intent(inout), target :: solver
      type(fdx_pivot), intent(inout) :: failed ! its point from 0
    end function
    integer(fdx_index) function fdx_solve_workspace_size_c(call) bind(c, name='fdx_solve_workspace_size')
      import
      type(fdx_solve_c), intent(in), target :: call
    end function
    integer(c_int) function fdx_solve_apply_part_c(call, workspace, bytes, part, nparts) &
      bind(c, name='fdx_solve_apply_part')
      import
      type(fdx_solve_c), intent(in), target :: call
      type(c_ptr), value :: workspace
      integer(fdx_index), value :: bytes, part, nparts
    end function
    integer(c_int) function fdx_compact_c(deriv, accuracy, a, b) bind(c, name='fdx_compact')
      import
      integer(c_int), value :: deriv, accuracy
      type(fdx_scheme_c), intent(inout), target :: a, b
    end function
  end interface

  ! ---- views ----

  integer, parameter, private :: MAXRANK = 4

  ! A view: the address, strides and shape of an array. Several inputs or outputs, and coefficients, are passed as
  ! views. fdx_view(a) is a view of a real or complex array a, of kind real32 or real64 and rank 1 to 4, which must be a
  ! target. (gfortran copies a component of an array of structs, such as points%u, so that a view of it would be one of
  ! a copy. It cannot compile a part of complex numbers, such as z%re, as an argument: pass a pointer to it.)
  type :: fdx_view
    private
    integer :: rank = 0 ! 0: no array
    integer(c_int) :: dtype = FDX_F64
    integer(fdx_index) :: extent(MAXRANK) = 0, stride(MAXRANK) = 0
    type(c_ptr) :: data = c_null_ptr
  end type

  interface fdx_view
    module procedure view_f32, view_f64, view_c64, view_c128
  end interface

  ! ---- operators ----

  ! A derivative along a dimension, an interpolation or a stencil of your own, times a coefficient. See fdx_derivative,
  ! fdx_scheme and fdx_factor in fdx.h.
  type :: fdx_factor
    integer :: axis = 1                          ! the dimension
    integer :: deriv = 1                         ! which derivative; 0: the identity, or with a position interpolation
    integer :: accuracy = 2                      ! order of the error, even; odd with a side
    integer :: boundary(2) = FDX_ONE_SIDED       ! FDX_PERIODIC, FDX_VALID, ..., at index 1 and at the last
    real(real64) :: scale = 1                    ! multiplies the derivative, or the identity
    real(real64) :: spacing = 1                  ! if x is not allocated; may be negative; not 0
    real(real64) :: period = 0                   ! with x and FDX_PERIODIC: x(n + 1) would be x(1) + period
    real(real64), allocatable :: x(:)            ! coordinates of the points, rising or falling
    type(fdx_view) :: coefficient                ! fdx_view(k): multiplies the derivative. k has its shape, or an
                                                 ! extent of 1 where it is repeated; real, also for complex arrays.
                                                 ! Its data are not copied.
    integer :: sign = 0                          ! 1, -1: the coefficient's positive, its negative part instead of it
    integer :: crop(2) = 0                       ! of the identity: points left out at index 1 and at the last
    integer :: position = FDX_CENTER             ! of the results: FDX_INNER, ..., on a staggered grid
    real(real64), allocatable :: at(:)           ! coordinates of the results, with x and a position, if not midpoints
    integer :: side = 0                          ! biased stencils: -1 to the left, 1 to the right
    ! A stencil of your own, with deriv = 0: point i has the neighbours i + offset, i + offset + 1, ... of these weights.
    ! Rows for either end, if any, are columns: first(:, k) has the weights of the first points for result k, and
    ! last(:, k) those of the last points for the k-th of the last results.
    real(real64), allocatable :: weights(:), first(:, :), last(:, :)
    integer :: offset = 0
    type(fdx_condition) :: condition(2)          ! of FDX_GIVEN, at index 1 and at the last
    integer :: datum = 0                         ! -1, 1: not the derivative, but what the datum of the condition at
                                                 ! index 1, at the last adds to it: see fdx_derivative in fdx.h
    logical :: transposed = .false.              ! the transpose; where the map leaves out points, it adds them
  end type

  ! A product of factors, applied to input `in` and added to output `out`.
  type :: fdx_term
    type(fdx_factor), allocatable :: factor(:) ! in the order in which they are applied
    integer :: in = 1, out = 1
  end type

  ! A sum of terms, compiled. A copy (a = b) is independent of the original.
  type :: fdx_operator
    private
    real(c_double), allocatable :: memory(:)
    type(c_ptr) :: op = c_null_ptr ! fdx_operator_c, in the memory
    ! Its description: a copy is compiled again, as the memory contains addresses of itself.
    type(fdx_term), allocatable :: terms(:)
    integer, allocatable :: shape(:)
    logical :: transposed = .false.
  contains
    ! call d%make(shape, terms | factors | factor [, status, transposed])
    !
    ! d becomes the operator on arrays of that shape; on errors it stays what it was. Each of several factors (not
    ! terms) is a term by itself: [d2/dx2, d2/dy2] is the Laplacian. If boundaries are FDX_VALID, results have the
    ! points that all terms have. With transposed=.true., d becomes the transpose of that operator, from its outputs
    ! to its inputs. FDX_E_CONFORM: wrong shape of a coefficient; FDX_E_NDIM: more than 4 dimensions; others as
    ! fdx_operator_make.
    generic :: make => make_terms, make_factors, make_factor
    procedure, private :: make_terms, make_factors, make_factor
    ! The shapes of inputs and of outputs; of size 0 if the operator was not made.
    procedure :: in_shape => shape_of_inputs
    procedure :: out_shape => shape_of_outputs
    ! call d%apply(u, y [, status, lo, hi, alpha, beta, part, nparts])
    !
    ! y = d u or, with alpha or beta (real64; otherwise 1 and 0), y = alpha * d u + beta * y: d u is complete and rounded
    ! to y's kind, then multiplied by alpha, then added to beta * y. If beta is 0, y is not read. u has the shape
    ! d%in_shape(), y d%out_shape(), and both have the same type and kind; or they are arrays of views, [fdx_view(u),
    ! fdx_view(v)], one for each input and output of the operator.
    !
    ! lo, hi: only results with indices lo(1):hi(1), lo(2):hi(2), ... are computed, with indices from 1 whatever the
    ! bounds of y; nothing else of y is touched. part, nparts: only part 1 .. nparts of about the same size is computed.
    ! Parts write disjoint elements: give each thread a part.
    !
    ! FDX_E_UNMADE; FDX_E_CONFORM: wrong shapes or number of arrays; FDX_E_DTYPE: different types or kinds;
    ! FDX_E_BOX, FDX_E_PART, FDX_E_OVERLAP.
    generic :: apply => apply_f32, apply_f64, apply_c64, apply_c128, apply_views
    procedure, private :: apply_f32, apply_f64, apply_c64, apply_c128, apply_views
    generic :: assignment(=) => copy
    procedure, private :: copy
  end type

  ! A factorised operator, which solves A x = b along a dimension of arrays. A copy (a = b) is independent of the
  ! original; it is factorised again.
  type :: fdx_solver
    private
    real(c_double), allocatable :: memory(:)
    type(c_ptr) :: solver = c_null_ptr ! in the memory
    type(fdx_operator) :: operator
  contains
    ! call s%make(operator [, status, failed])
    !
    ! s becomes the solver of an operator on arrays of one dimension, of one input and one output that are equally long;
    ! on errors it stays what it was. failed: an fdx_pivot which, with FDX_E_SINGULAR, says where and how nearly.
    ! FDX_E_UNMADE; others as fdx_solver_make.
    procedure :: make => make_solver
    ! call s%solve(b, x, axis [, status, alpha, beta, part, nparts])
    !
    ! x = the solution of A x = b for each line along the dimension `axis`, along which arrays are as long as the
    ! operator's; or, with alpha or beta, alpha * that + beta * x, as d%apply does. b and x have the same shape,
    ! type and kind. x may be b itself if both are views. part, nparts as in d%apply.
    !
    ! FDX_E_UNMADE; FDX_E_CONFORM: shapes differ; FDX_E_SIZE: another length along `axis`; FDX_E_AXIS, FDX_E_DTYPE,
    ! FDX_E_PART, FDX_E_OVERLAP.
    generic :: solve => solve_f32, solve_f64, solve_c64, solve_c128, solve_views
    procedure, private :: solve_f32, solve_f64, solve_c64, solve_c128, solve_views
    generic :: assignment(=) => copy_solver
    procedure, private :: copy_solver
  end type

  ! call fdx_gradient(f, df, axis [, spacing, x, edge_order, status, lo, hi, alpha, beta, part, nparts])
  !
  ! The derivative along one dimension with np.gradient's bits. Its error is O(h^2) in the interior and O(h^edge_order)
  ! at the ends (1, the default, or 2). The points are `spacing` apart (1 by default; as np.gradient with a Python
  ! float), or have the coordinates x(:) (as np.gradient with a float64 array of size(f, axis)). df has the shape,
  ! the type and the kind of f. The other arguments are those of d%apply. f and df may be views.
  !
  ! FDX_E_CONFORM: wrong shapes; FDX_E_NODES: both spacing and x are given; FDX_E_AXIS, FDX_E_EDGE, FDX_E_SIZE (fewer
  ! than edge_order + 1 points), FDX_E_DTYPE, FDX_E_BOX, FDX_E_PART, FDX_E_OVERLAP.
  interface fdx_gradient
    module procedure gradient_f32, gradient_f64, gradient_c64, gradient_c128, gradient_views
  end interface

  type, private :: options
    integer(fdx_index), allocatable :: lo(:), hi(:)
    real(c_double) :: alpha_beta(2) = [1, 0]
    type(c_ptr) :: lo_c = c_null_ptr, hi_c = c_null_ptr, alpha_beta_c = c_null_ptr
    integer(fdx_index) :: part = 0, nparts = 1
  end type

  real(real64), target, save, private :: nowhere = 0 ! the address of arrays of size 0
  integer(fdx_index), save, private :: best = 0      ! the address that best_isa returns, once it is known

  private :: view_f32, view_f64, view_c64, view_c128
  private :: gradient_f32, gradient_f64, gradient_c64, gradient_c128, gradient_views
  private :: apply_f32, apply_f64, apply_c64, apply_c128, apply_views
  private :: solve_f32, solve_f64, solve_c64, solve_c128, solve_views
  private :: make_terms, make_factors, make_factor, copy, shape_of_inputs, shape_of_outputs
  private :: finish, describe, locate, to_c, conforms, options_to_c, factor_to_c, sorted_by_output, is_made, shape_at
  private :: best_isa, make_solver, copy_solver, is_factorised, scheme_from_c

contains

  ! ---- statuses and weights ----

  ! A sentence in English for a status.
  function fdx_message(status) result(text)
    integer(c_int), intent(in) :: status
    character(:), allocatable :: text
    character(kind=c_char), pointer :: letters(:)
    type(c_ptr) :: c_text
    interface
      integer(c_size_t) function strlen(text) bind(c, name='strlen')
        import
        type(c_ptr), value :: text
      end function
    end interface
    select case (status)
    case (FDX_E_NDIM)
      text = 'the rank of an array is not in 1 .. 4'
    case (FDX_E_AXIS)
      text = 'a dimension is not in 1 .. the rank of the array'
    case (FDX_E_PART)
      text = 'part is not in 1 .. nparts'
    case (FDX_E_BOX)
      text = 'a box is not 1 <= lo, lo - 1 <= hi <= the shape, or only one of lo and hi is given'
    case (FDX_E_CONFORM)
      text = 'wrong number, rank or shapes of arrays'
    case (FDX_E_UNMADE)
      text = 'an operator or a solver was not made'
    case default
      c_text = fdx_status_message_c(status)
      call c_f_pointer(c_text, letters, [strlen(c_text)])
      text = transfer(letters, repeat(' ', size(letters)))
    end select
  end function

  ! w(k), k = 1 .. size(x), such that the sum of w(k) f(x(k)) is the deriv-th derivative at `at` of the polynomial
  ! through the points; see fdx_weights in fdx.h. FDX_E_CONFORM: w is not as long as x; FDX_E_SIZE, FDX_E_NODES.
  subroutine fdx_weights(w, x, at, deriv, status)
    real(real64), intent(inout) :: w(:)
    real(real64), intent(in) :: x(:), at
    integer, intent(in) :: deriv
    integer(c_int), intent(out), optional :: status
    integer(c_int) :: s
    real(real64) :: made(size(x)), nodes(size(x))
    s = FDX_E_CONFORM
    if (size(w) == size(x)) then
      nodes = x
      s = fdx_weights_c(made, c_null_ptr, nodes, size(x, kind=c_int), at, int(deriv, c_int))
      if (s == FDX_OK) w = made
    end if
    call finish(s, 'fdx_weights', status)
  end subroutine

  ! The norm of derivatives with the boundary FDX_SBP on size(h) points: weights of an integral; see fdx_sbp_norm in
  ! fdx.h. FDX_E_SIZE: too few points; FDX_E_STENCIL: an accuracy but 2, 4, 6, 8.
  subroutine fdx_sbp_norm(h, accuracy, spacing, status)
    real(real64), intent(inout) :: h(:)
    integer, intent(in) :: accuracy
    real(real64), intent(in) :: spacing
    integer(c_int), intent(out), optional :: status
    type(fdx_derivative_c), target :: what
    integer(c_int) :: s
    real(real64) :: made(size(h))
    what%n = size(h, kind=fdx_index)
    what%deriv = 1
    what%accuracy = int(accuracy, c_int)
    what%left = FDX_SBP
    what%right = FDX_SBP
    what%spacing = spacing
    s = fdx_sbp_norm_c(made, what)
    if (s == FDX_OK) h = made
    call finish(s, 'fdx_sbp_norm', status)
  end subroutine

  ! The compact scheme A f' = B f of the first or second derivative for a spacing of 1, of accuracy 4, 6, 8 or 10; see
  ! fdx_compact in fdx.h. a and b get its weights and rows for either end; make an operator of each, b with a scale of
  ! 1 / spacing**deriv, apply that of b, and solve with that of a. With another boundary at both ends, deallocate first
  ! and last of both.
  ! FDX_E_STENCIL: another deriv or accuracy.
  subroutine fdx_compact(deriv, accuracy, a, b, status)
    integer, intent(in) :: deriv, accuracy
    type(fdx_factor), intent(inout) :: a, b
    integer(c_int), intent(out), optional :: status
    type(fdx_scheme_c), target :: schemes(2)
    integer(c_int) :: s
    s = fdx_compact_c(int(deriv, c_int), int(accuracy, c_int), schemes(1), schemes(2))
    if (s == FDX_OK) then
      call scheme_from_c(schemes(1), a)
      call scheme_from_c(schemes(2), b)
    end if
    call finish(s, 'fdx_compact', status)
  end subroutine

  ! Rows of an end get the width of the widest, with zeros.
  subroutine scheme_from_c(from, to)
    type(fdx_scheme_c), intent(in) :: from
    type(fdx_factor), intent(inout) :: to
    type(fdx_scheme_row_c), pointer :: rows(:)
    real(c_double), pointer :: w(:)
    integer :: k
    to%deriv = 0
    to%offset = from%offset
    call c_f_pointer(from%w, w, [from%count])
    to%weights = w
    call c_f_pointer(from%first, rows, [from%nfirst])
    to%first = reshape([real(real64) ::], [maxval(rows%count), size(rows)], pad=[0.0_real64])
    do k = 1, size(rows)
      call c_f_pointer(rows(k)%w, w, [rows(k)%count])
      to%first(:size(w), k) = w
    end do
    call c_f_pointer(from%last, rows, [from%nlast])
    to%last = reshape([real(real64) ::], [maxval(rows%count), size(rows)], pad=[0.0_real64])
    do k = 1, size(rows)
      call c_f_pointer(rows(k)%w, w, [rows(k)%count])
      to%last(size(to%last, 1) - size(w) + 1:, k) = w
    end do
  end subroutine

  subroutine finish(s, what, status)
    integer(c_int), intent(in) :: s
    character(*), intent(in) :: what
    integer(c_int), intent(out), optional :: status
    if (present(status)) then
      status = s
    else if (s /= FDX_OK) then
      error stop what // ': ' // fdx_message(s)
    end if
  end subroutine

  ! ---- from arrays to views ----

  ! Strides are differences of addresses of elements. Along a dimension of length 1 the stride is 0.
  !
  ! The lower bounds of an assumed-rank array are 1, but gfortran's descriptor of an expression has others; those of the
  ! pointers are 1.

  function view_f32(a) result(view)
    real(real32), intent(in), target :: a(..)
    type(fdx_view) :: view
    real(real32), pointer :: u1(:), u2(:, :), u3(:, :, :), u4(:, :, :, :)
    integer :: n(MAXRANK)
    call describe(view, FDX_F32, shape(a, fdx_index), n)
    if (any(n < 1)) return
    select rank (a)
    rank (1)
      u1(1:) => a
      call locate(view, [c_loc(u1(1)), c_loc(u1(n(1)))])
    rank (2)
      u2(1:, 1:) => a
      call locate(view, [c_loc(u2(1, 1)), c_loc(u2(n(1), 1)), c_loc(u2(1, n(2)))])
    rank (3)
      u3(1:, 1:, 1:) => a
      call locate(view, [c_loc(u3(1, 1, 1)), c_loc(u3(n(1), 1, 1)), c_loc(u3(1, n(2), 1)), c_loc(u3(1, 1, n(3)))])
    rank (4)
      u4(1:, 1:, 1:, 1:) => a
      call locate(view, [c_loc(u4(1, 1, 1, 1)), &
        c_loc(u4(n(1), 1, 1, 1)), c_loc(u4(1, n(2), 1, 1)), c_loc(u4(1, 1, n(3), 1)), c_loc(u4(1, 1, 1, n(4)))])
    end select
  end function

  function view_f64(a) result(view)
    real(real64), intent(in), target :: a(..)
    type(fdx_view) :: view
    real(real64), pointer :: u1(:), u2(:, :), u3(:, :, :), u4(:, :, :, :)
    integer :: n(MAXRANK)
    call describe(view, FDX_F64, shape(a, fdx_index), n)
    if (any(n < 1)) return
    select rank (a)
    rank (1)
      u1(1:) => a
      call locate(view, [c_loc(u1(1)), c_loc(u1(n(1)))])
    rank (2)
      u2(1:, 1:) => a
      call locate(view, [c_loc(u2(1, 1)), c_loc(u2(n(1), 1)), c_loc(u2(1, n(2)))])
    rank (3)
      u3(1:, 1:, 1:) => a
      call locate(view, [c_loc(u3(1, 1, 1)), c_loc(u3(n(1), 1, 1)), c_loc(u3(1, n(2), 1)), c_loc(u3(1, 1, n(3)))])
    rank (4)
      u4(1:, 1:, 1:, 1:) => a
      call locate(view, [c_loc(u4(1, 1, 1, 1)), &
        c_loc(u4(n(1), 1, 1, 1)), c_loc(u4(1, n(2), 1, 1)), c_loc(u4(1, 1, n(3), 1)), c_loc(u4(1, 1, 1, n(4)))])
    end select
  end function

  function view_c64(a) result(view)
    complex(real32), intent(in), target :: a(..)
    type(fdx_view) :: view
    complex(real32), pointer :: u1(:), u2(:, :), u3(:, :, :), u4(:, :, :, :)
    integer :: n(MAXRANK)
    call describe(view, FDX_C64, shape(a, fdx_index), n)
    if (any(n < 1)) return
    select rank (a)
    rank (1)
      u1(1:) => a
      call locate(view, [c_loc(u1(1)), c_loc(u1(n(1)))])
    rank (2)
      u2(1:, 1:) => a
      call locate(view, [c_loc(u2(1, 1)), c_loc(u2(n(1), 1)), c_loc(u2(1, n(2)))])
    rank (3)
      u3(1:, 1:, 1:) => a
      call locate(view, [c_loc(u3(1, 1, 1)), c_loc(u3(n(1), 1, 1)), c_loc(u3(1, n(2), 1)), c_loc(u3(1, 1, n(3)))])
    rank (4)
      u4(1:, 1:, 1:, 1:) => a
      call locate(view, [c_loc(u4(1, 1, 1, 1)), &
        c_loc(u4(n(1), 1, 1, 1)), c_loc(u4(1, n(2), 1, 1)), c_loc(u4(1, 1, n(3), 1)), c_loc(u4(1, 1, 1, n(4)))])
    end select
  end function

  function view_c128(a) result(view)
    complex(real64), intent(in), target :: a(..)
    type(fdx_view) :: view
    complex(real64), pointer :: u1(:), u2(:, :), u3(:, :, :), u4(:, :, :, :)
    integer :: n(MAXRANK)
    call describe(view, FDX_C128, shape(a, fdx_index), n)
    if (any(n < 1)) return
    select rank (a)
    rank (1)
      u1(1:) => a
      call locate(view, [c_loc(u1(1)), c_loc(u1(n(1)))])
    rank (2)
      u2(1:, 1:) => a
      call locate(view, [c_loc(u2(1, 1)), c_loc(u2(n(1), 1)), c_loc(u2(1, n(2)))])
    rank (3)
      u3(1:, 1:, 1:) => a
      call locate(view, [c_loc(u3(1, 1, 1)), c_loc(u3(n(1), 1, 1)), c_loc(u3(1, n(2), 1)), c_loc(u3(1, 1, n(3)))])
    rank (4)
      u4(1:, 1:, 1:, 1:) => a
      call locate(view, [c_loc(u4(1, 1, 1, 1)), &
        c_loc(u4(n(1), 1, 1, 1)), c_loc(u4(1, n(2), 1, 1)), c_loc(u4(1, 1, n(3), 1)), c_loc(u4(1, 1, 1, n(4)))])
    end select
  end function

  ! A view without an address, and for each dimension the index of a neighbour of the first element: 2, or 1 if that is
  ! alone; less if there are no elements. (-1 is the last extent of an assumed-size array.)
  pure subroutine describe(view, dtype, extent, neighbour)
    type(fdx_view), intent(out) :: view
    integer(c_int), intent(in) :: dtype
    integer(fdx_index), intent(in) :: extent(:)
    integer, intent(out) :: neighbour(MAXRANK)
    neighbour = 1
    if (size(extent) > MAXRANK) return
    view%dtype = dtype
    view%rank = size(extent)
    view%extent(:view%rank) = extent
    neighbour(:view%rank) = int(min(2_fdx_index, extent))
  end subroutine

  pure subroutine locate(view, element)
    type(fdx_view), intent(inout) :: view
    type(c_ptr), intent(in) :: element(0:) ! the first one, and its neighbour along each dimension
    integer :: d
    view%data = element(0)
    do d = 1, view%rank
      view%stride(d) = transfer(element(d), 0_fdx_index) - transfer(element(0), 0_fdx_index)
    end do
  end subroutine

  ! The struct of a view, with dimensions in C's order, in which the last one is the fastest.
  function to_c(view, stride) result(array)
    type(fdx_view), intent(in) :: view
    integer(fdx_index), intent(out), target, contiguous :: stride(:) ! must stay as long as the struct
    type(fdx_array_c) :: array
    stride(:view%rank) = view%stride(view%rank:1:-1)
    array%data = view%data
    if (.not. c_associated(view%data)) array%data = c_loc(nowhere)
    array%stride = c_loc(stride)
    array%dtype = int(view%dtype, c_int8_t)
  end function

  pure logical function conforms(view, extent)
    type(fdx_view), intent(in) :: view
    integer(fdx_index), intent(in) :: extent(:)
    conforms = view%rank == size(extent)
    if (conforms) conforms = all(view%extent(:view%rank) == extent)
  end function

  ! Optional arguments as in C: a box in C's order with hi excluded, alpha and beta, part and nparts.
  subroutine options_to_c(o, ndim, s, lo, hi, alpha, beta, part, nparts)
    type(options), intent(out), target :: o
    integer, intent(in) :: ndim
    integer(c_int), intent(out) :: s
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: alpha, beta
    s = FDX_E_BOX
    if (present(lo)) then
      if (size(lo) /= ndim) return
      o%lo = int(lo(ndim:1:-1), fdx_index) - 1
      o%lo_c = c_loc(o%lo)
    end if
    if (present(hi)) then
      if (size(hi) /= ndim) return
      o%hi = int(hi(ndim:1:-1), fdx_index)
      o%hi_c = c_loc(o%hi)
    end if
    if (present(alpha) .or. present(beta)) then
      if (present(alpha)) o%alpha_beta(1) = alpha
      if (present(beta)) o%alpha_beta(2) = beta
      o%alpha_beta_c = c_loc(o%alpha_beta)
    end if
    if (present(part)) o%part = int(part, fdx_index) - 1
    if (present(nparts)) o%nparts = int(nparts, fdx_index)
    s = FDX_OK
  end subroutine

  ! ---- np.gradient ----

  ! All fdx_gradient procedures call this one.
  subroutine gradient_views(f, df, axis, spacing, x, edge_order, status, lo, hi, alpha, beta, part, nparts)
    type(fdx_view), intent(in) :: f, df
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing, x(:), alpha, beta
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    target :: x
    call finish(status_of(), 'fdx_gradient', status)

  contains

    integer(c_int) function status_of() result(s)
      type(fdx_gradient_c), target :: call
      type(fdx_gradient_axis_c), target :: along
      type(options), target :: o
      integer(fdx_index), target :: extent(f%rank), stride(MAXRANK, 2), x_stride(1)
      integer(c_int) :: order
      real(c_double) :: h
      s = FDX_E_NDIM
      if (f%rank == 0) return
      s = FDX_E_AXIS
      if (axis < 1 .or. axis > f%rank) return
      s = FDX_E_CONFORM
      if (.not. conforms(df, f%extent(:f%rank))) return
      if (present(x)) then
        if (size(x, kind=fdx_index) /= f%extent(axis)) return
      end if
      call options_to_c(o, f%rank, s, lo, hi, alpha, beta, part, nparts)
      if (s /= FDX_OK) return
      s = FDX_E_NODES
      if (present(x) .and. present(spacing)) return
      order = 1
      if (present(edge_order)) order = int(edge_order, c_int)
      h = 1
      if (present(spacing)) h = spacing
      call%isa = best_isa()
      if (present(x)) then
        s = fdx_gradient_coords_c(along, f%dtype, to_c(fdx_view(x), x_stride), f%extent(axis), order, call%isa)
      else
        s = fdx_gradient_uniform_c(along, f%dtype, h, FDX_WEAK, order)
      end if
      if (s /= FDX_OK) return
      extent = f%extent(f%rank:1:-1)
      along%axis = f%rank - axis
      along%out = to_c(df, stride(:, 1))
      call%ndim = f%rank
      call%shape = c_loc(extent)
      call%in = to_c(f, stride(:, 2))
      call%naxes = 1
      call%axes = c_loc(along)
      call%lo = o%lo_c
      call%hi = o%hi_c
      call%alpha_beta = o%alpha_beta_c
      s = fdx_gradient_apply_part_c(call, o%part, o%nparts)
    end function
  end subroutine

  subroutine gradient_f32(f, df, axis, spacing, x, edge_order, status, lo, hi, alpha, beta, part, nparts)
    real(real32), intent(in), target :: f(..)
    real(real32), intent(inout), target :: df(..)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing, x(:), alpha, beta
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, alpha, beta, part, nparts)
  end subroutine

  subroutine gradient_f64(f, df, axis, spacing, x, edge_order, status, lo, hi, alpha, beta, part, nparts)
    real(real64), intent(in), target :: f(..)
    real(real64), intent(inout), target :: df(..)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing, x(:), alpha, beta
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, alpha, beta, part, nparts)
  end subroutine

  subroutine gradient_c64(f, df, axis, spacing, x, edge_order, status, lo, hi, alpha, beta, part, nparts)
    complex(real32), intent(in), target :: f(..)
    complex(real32), intent(inout), target :: df(..)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing, x(:), alpha, beta
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, alpha, beta, part, nparts)
  end subroutine

  subroutine gradient_c128(f, df, axis, spacing, x, edge_order, status, lo, hi, alpha, beta, part, nparts)
    complex(real64), intent(in), target :: f(..)
    complex(real64), intent(inout), target :: df(..)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing, x(:), alpha, beta
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, alpha, beta, part, nparts)
  end subroutine

  ! ---- operators: compilation ----

  subroutine make_terms(self, shape, terms, status, transposed)
    class(fdx_operator), intent(inout) :: self
    integer, intent(in) :: shape(:)
    type(fdx_term), intent(in), target :: terms(:)
    integer(c_int), intent(out), optional :: status
    logical, intent(in), optional :: transposed
    call finish(status_of(), 'make', status)

  contains

    integer(c_int) function status_of() result(s)
      type(fdx_sum_c), target :: what
      type(fdx_term_c), target :: term(size(terms))
      real(c_double), target :: scale(size(terms))
      type(fdx_factor_c), allocatable, target :: factor(:)
      type(fdx_array_c), allocatable, target :: coefficient(:)
      type(fdx_scheme_c), allocatable, target :: scheme(:)
      type(fdx_scheme_row_c), allocatable, target :: rows(:)
      integer(fdx_index), allocatable, target :: stride(:, :)
      integer(fdx_index), target :: extent(size(shape))
      integer(fdx_index) :: points(size(shape))
      real(c_double), allocatable, target :: memory(:)
      type(c_ptr) :: op
      integer :: order(size(terms)), k, m, n, ndim, nrows
      ndim = size(shape)
      s = FDX_E_NDIM
      if (ndim < 1 .or. ndim > MAXRANK) return
      s = FDX_E_COUNT
      n = 0
      do k = 1, size(terms)
        if (.not. allocated(terms(k)%factor)) return
        n = n + size(terms(k)%factor)
      end do
      if (n == 0) return
      nrows = 0
      do k = 1, size(terms)
        do m = 1, size(terms(k)%factor)
          nrows = nrows + rows_of(terms(k)%factor(m)%first) + rows_of(terms(k)%factor(m)%last)
        end do
      end do

      allocate (factor(n), coefficient(n), stride(ndim, n), scheme(n), rows(nrows))
      nrows = 0
      order = sorted_by_output(terms)
      n = 0
      do k = 1, size(terms)
        associate (p => terms(order(k)))
          scale(k) = product(p%factor%scale)
          term(k) = fdx_term_c(p%in - 1, p%out - 1, size(p%factor), c_null_ptr, c_loc(scale(k)))
          if (size(p%factor) > 0) term(k)%factor = c_loc(factor(n + 1))
          points = shape
          do m = 1, size(p%factor)
            n = n + 1
            if (allocated(p%factor(m)%weights)) call scheme_to_c(p%factor(m), scheme(n), rows, nrows)
            call factor_to_c(p%factor(m), points, factor(n), coefficient(n), stride(:, n), scheme(n), s)
            if (s /= FDX_OK) return
          end do
        end associate
      end do
      extent = shape(ndim:1:-1)
      what = fdx_sum_c(ndim, c_loc(extent), size(term), c_loc(term), best_isa())
      if (present(transposed)) what%transposed = merge(1, 0, transposed)
      n = int((fdx_operator_size_c(what) + 7) / 8)
      allocate (memory(max(n, 1)))
      op = c_null_ptr
      s = fdx_operator_make_c(c_loc(memory), what, op)
      if (s /= FDX_OK) return
      self%terms = terms
      self%shape = shape
      self%transposed = what%transposed /= 0
      call move_alloc(memory, self%memory)
      self%op = op
    end function
  end subroutine

  subroutine make_factors(self, shape, factors, status, transposed)
    class(fdx_operator), intent(inout) :: self
    integer, intent(in) :: shape(:)
    type(fdx_factor), intent(in) :: factors(:)
    integer(c_int), intent(out), optional :: status
    logical, intent(in), optional :: transposed
    type(fdx_term) :: terms(size(factors))
    integer :: k
    do k = 1, size(factors)
      allocate (terms(k)%factor(1))
      terms(k)%factor(1) = factors(k)
    end do
    call make_terms(self, shape, terms, status, transposed)
  end subroutine

  subroutine make_factor(self, shape, factor, status, transposed)
    class(fdx_operator), intent(inout) :: self
    integer, intent(in) :: shape(:)
    type(fdx_factor), intent(in) :: factor
    integer(c_int), intent(out), optional :: status
    logical, intent(in), optional :: transposed
    call make_factors(self, shape, [factor], status, transposed)
  end subroutine

  pure integer function rows_of(rows)
    real(real64), intent(in), allocatable :: rows(:, :)
    rows_of = 0
    if (allocated(rows)) rows_of = size(rows, 2)
  end function

  ! The struct of a stencil of one's own. Its rows are appended to the first nrows of `rows`.
  subroutine scheme_to_c(from, to, rows, nrows)
    type(fdx_factor), intent(in), target :: from
    type(fdx_scheme_c), intent(out) :: to
    type(fdx_scheme_row_c), intent(inout), target :: rows(:)
    integer, intent(inout) :: nrows
    to%offset = from%offset
    to%count = size(from%weights)
    to%w = c_loc(nowhere)
    if (size(from%weights) > 0) to%w = c_loc(from%weights)
    to%nfirst = rows_of(from%first)
    to%nlast = rows_of(from%last)
    if (to%nfirst > 0) to%first = c_loc(rows(nrows + 1))
    if (to%nfirst > 0) call append(from%first)
    if (to%nlast > 0) to%last = c_loc(rows(nrows + 1))
    if (to%nlast > 0) call append(from%last)

  contains

    subroutine append(given)
      real(real64), intent(in), target, contiguous :: given(:, :)
      integer :: k
      do k = 1, size(given, 2)
        nrows = nrows + 1
        rows(nrows) = fdx_scheme_row_c(size(given, 1), c_loc(nowhere))
        if (size(given, 1) > 0) rows(nrows)%w = c_loc(given(1, k))
      end do
    end subroutine
  end subroutine

  ! The struct of a factor. The points along each dimension become those of its result.
  subroutine factor_to_c(from, points, to, coefficient, stride, scheme, s)
    type(fdx_factor), intent(in), target :: from
    integer(fdx_index), intent(inout) :: points(:)
    type(fdx_factor_c), intent(out) :: to
    type(fdx_array_c), intent(out), target :: coefficient
    integer(fdx_index), intent(out), target, contiguous :: stride(:)
    type(fdx_scheme_c), intent(in), target :: scheme
    integer(c_int), intent(out) :: s
    type(fdx_outline_c) :: outline
    integer(fdx_index) :: more
    s = FDX_E_AXIS
    if (from%axis < 1 .or. from%axis > size(points)) return
    to%axis = size(points) - from%axis
    to%what%deriv = from%deriv
    to%what%accuracy = from%accuracy
    to%what%left = from%boundary(1)
    to%what%right = from%boundary(2)
    to%what%spacing = from%spacing
    to%what%period = from%period
    to%what%position = from%position
    to%what%side = from%side
    to%what%condition = from%condition
    to%what%datum = from%datum
    if (allocated(from%weights)) to%what%scheme = c_loc(scheme)
    to%crop = from%crop
    to%transposed = merge(1, 0, from%transposed)
    if (allocated(from%x)) then
      to%what%n = size(from%x, kind=fdx_index)
      to%what%x = c_loc(nowhere)
      if (size(from%x) > 0) to%what%x = c_loc(from%x)
    end if
    if (allocated(from%at)) then
      s = FDX_E_CONFORM
      if (size(from%at) /= to%what%n + merge(1, 0, from%position == FDX_OUTER) - merge(1, 0, from%position == FDX_INNER)) &
        return
      to%what%at = c_loc(nowhere)
      if (size(from%at) > 0) to%what%at = c_loc(from%at)
    end if
    more = -sum(to%crop)
    if (from%deriv /= 0 .or. from%position /= FDX_CENTER .or. allocated(from%weights)) then
      s = fdx_derivative_outline_c(to%what, outline)
      if (s /= FDX_OK) return
      more = outline%more - sum(outline%crop)
    end if
    points(from%axis) = max(0_fdx_index, points(from%axis) + merge(-more, more, from%transposed))
    if (from%coefficient%rank > 0) then
      s = FDX_E_CONFORM
      if (.not. conforms(from%coefficient, merge(1_fdx_index, points, from%coefficient%extent(:size(points)) == 1))) &
        return
      coefficient = to_c(from%coefficient, stride)
      to%coefficient = c_loc(coefficient)
      to%sign = from%sign
    end if
    s = FDX_OK
  end subroutine

  ! C has terms sorted by output.
  pure function sorted_by_output(terms) result(order)
    type(fdx_term), intent(in) :: terms(:)
    integer :: order(size(terms)), k, j
    do k = 1, size(terms)
      j = k
      do while (j > 1)
        if (terms(order(j - 1))%out <= terms(k)%out) exit
        order(j) = order(j - 1)
        j = j - 1
      end do
      order(j) = k
    end do
  end function

  subroutine copy(to, from)
    class(fdx_operator), intent(inout) :: to
    type(fdx_operator), intent(in) :: from
    type(fdx_operator) :: made
    if (.not. allocated(from%memory)) then
      if (allocated(to%memory)) deallocate (to%memory)
      return
    end if
    if (is_made(to) .and. c_associated(to%op, from%op)) return ! a = a, for which gfortran copies no memory
    call made%make(from%shape, from%terms, transposed=from%transposed)
    call move_alloc(made%memory, to%memory)
    call move_alloc(made%terms, to%terms)
    call move_alloc(made%shape, to%shape)
    to%transposed = made%transposed
    to%op = made%op
  end subroutine

  ! An operator whose components were copied, as by allocate(b, source=a), contains addresses of the original.
  logical function is_made(self)
    class(fdx_operator), intent(in), target :: self
    is_made = .false.
    if (allocated(self%memory)) is_made = c_associated(self%op, c_loc(self%memory))
  end function

  function shape_of_inputs(self) result(shape)
    class(fdx_operator), intent(in), target :: self
    integer, allocatable :: shape(:)
    type(fdx_operator_c), pointer :: op
    allocate (shape(0))
    if (.not. is_made(self)) return
    call c_f_pointer(self%op, op)
    shape = int(shape_at(op%in_shape, op%ndim))
  end function

  function shape_of_outputs(self) result(shape)
    class(fdx_operator), intent(in), target :: self
    integer, allocatable :: shape(:)
    type(fdx_operator_c), pointer :: op
    allocate (shape(0))
    if (.not. is_made(self)) return
    call c_f_pointer(self%op, op)
    shape = int(shape_at(op%out_shape, op%ndim))
  end function

  function shape_at(address, ndim) result(shape)
    type(c_ptr), intent(in) :: address
    integer(c_int), intent(in) :: ndim
    integer(fdx_index) :: shape(ndim)
    integer(fdx_index), pointer :: lengths(:)
    call c_f_pointer(address, lengths, [ndim])
    shape = lengths(ndim:1:-1)
  end function

  ! Virtual machines take many microseconds to tell the instruction set, so it is asked for once; or by several threads
  ! at the same time, which store the same address.
  type(c_ptr) function best_isa()
    integer(fdx_index) :: known
    !$omp atomic read
    known = best
    best_isa = transfer(known, c_null_ptr)
    if (known /= 0) return
    best_isa = fdx_isa_find_c('auto' // c_null_char)
    known = transfer(best_isa, known)
    !$omp atomic write
    best = known
  end function

  ! ---- operators: application ----

  ! All apply procedures call this one.
  subroutine apply_views(self, u, y, status, lo, hi, alpha, beta, part, nparts)
    class(fdx_operator), intent(in), target :: self
    type(fdx_view), intent(in) :: u(:), y(:)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: alpha, beta
    call finish(status_of(), 'apply', status)

  contains

    integer(c_int) function status_of() result(s)
      type(fdx_operator_c), pointer :: op
      type(fdx_call_c), target :: call
      type(fdx_array_c), target :: arrays(size(u) + size(y))
      integer(fdx_index), target :: stride(MAXRANK, size(u) + size(y))
      type(options), target :: o
      type(c_ptr) :: prepared
      real(c_double), allocatable, target :: memory(:), workspace(:)
      integer :: k
      s = FDX_E_UNMADE
      if (.not. is_made(self)) return
      call c_f_pointer(self%op, op)
      s = FDX_E_CONFORM
      if (size(u) /= op%ninputs .or. size(y) /= op%noutputs) return
      do k = 1, size(u)
        if (.not. conforms(u(k), shape_at(op%in_shape, op%ndim))) return
        arrays(k) = to_c(u(k), stride(:, k))
      end do
      do k = 1, size(y)
        if (.not. conforms(y(k), shape_at(op%out_shape, op%ndim))) return
        arrays(size(u) + k) = to_c(y(k), stride(:, size(u) + k))
      end do
      call options_to_c(o, int(op%ndim), s, lo, hi, alpha, beta, part, nparts)
      if (s /= FDX_OK) return
      call = fdx_call_c(self%op, c_loc(arrays(1)), c_loc(arrays(size(u) + 1)), o%lo_c, o%hi_c, o%alpha_beta_c)
      allocate (memory((fdx_prepared_size_c(call) + 7) / 8))
      s = fdx_prepare_c(c_loc(memory), call, prepared)
      if (s /= FDX_OK) return
      allocate (workspace(max(1_fdx_index, (fdx_prepared_workspace_size_c(prepared) + 7) / 8)))
      s = fdx_run_c(prepared, c_null_ptr, c_null_ptr, c_loc(workspace), o%part, o%nparts)
    end function
  end subroutine

  subroutine apply_f32(self, u, y, status, lo, hi, alpha, beta, part, nparts)
    class(fdx_operator), intent(in), target :: self
    real(real32), intent(in), target :: u(..)
    real(real32), intent(inout), target :: y(..)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: alpha, beta
    call self%apply_views([fdx_view(u)], [fdx_view(y)], status, lo, hi, alpha, beta, part, nparts)
  end subroutine

  subroutine apply_f64(self, u, y, status, lo, hi, alpha, beta, part, nparts)
    class(fdx_operator), intent(in), target :: self
    real(real64), intent(in), target :: u(..)
    real(real64), intent(inout), target :: y(..)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: alpha, beta
    call self%apply_views([fdx_view(u)], [fdx_view(y)], status, lo, hi, alpha, beta, part, nparts)
  end subroutine

  subroutine apply_c64(self, u, y, status, lo, hi, alpha, beta, part, nparts)
    class(fdx_operator), intent(in), target :: self
    complex(real32), intent(in), target :: u(..)
    complex(real32), intent(inout), target :: y(..)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: alpha, beta
    call self%apply_views([fdx_view(u)], [fdx_view(y)], status, lo, hi, alpha, beta, part, nparts)
  end subroutine

  subroutine apply_c128(self, u, y, status, lo, hi, alpha, beta, part, nparts)
    class(fdx_operator), intent(in), target :: self
    complex(real64), intent(in), target :: u(..)
    complex(real64), intent(inout), target :: y(..)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: alpha, beta
    call self%apply_views([fdx_view(u)], [fdx_view(y)], status, lo, hi, alpha, beta, part, nparts)
  end subroutine

  ! ---- solves ----

  subroutine make_solver(self, operator, status, failed)
    class(fdx_solver), intent(inout) :: self
    type(fdx_operator), intent(in), target :: operator
    integer(c_int), intent(out), optional :: status
    type(fdx_pivot), intent(out), optional :: failed
    type(fdx_pivot) :: pivot
    integer(c_int) :: s
    s = status_of()
    if (s == FDX_E_SINGULAR) pivot%point = pivot%point + 1
    if (present(failed)) failed = pivot
    call finish(s, 'make', status)

  contains

    integer(c_int) function status_of() result(s)
      real(c_double), allocatable, target :: memory(:)
      type(c_ptr) :: solver
      s = FDX_E_UNMADE
      if (.not. is_made(operator)) return
      allocate (memory(max(1_c_size_t, (fdx_solver_size_c(operator%op) + 7) / 8)))
      solver = c_null_ptr
      s = fdx_solver_make_c(c_loc(memory), operator%op, solver, pivot)
      if (s /= FDX_OK) return
      self%operator = operator
      call move_alloc(memory, self%memory)
      self%solver = solver
    end function
  end subroutine

  subroutine copy_solver(to, from)
    class(fdx_solver), intent(inout) :: to
    type(fdx_solver), intent(in) :: from
    if (.not. allocated(from%memory)) then
      if (allocated(to%memory)) deallocate (to%memory)
      return
    end if
    if (is_factorised(to) .and. c_associated(to%solver, from%solver)) return ! a = a
    call to%make(from%operator)
  end subroutine

  logical function is_factorised(self)
    class(fdx_solver), intent(in), target :: self
    is_factorised = .false.
    if (allocated(self%memory)) is_factorised = c_associated(self%solver, c_loc(self%memory))
  end function

  ! All solve procedures call this one.
  subroutine solve_views(self, b, x, axis, status, alpha, beta, part, nparts)
    class(fdx_solver), intent(in), target :: self
    type(fdx_view), intent(in) :: b, x
    integer, intent(in) :: axis
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: alpha, beta
    integer, intent(in), optional :: part, nparts
    call finish(status_of(), 'solve', status)

  contains

    integer(c_int) function status_of() result(s)
      type(fdx_solve_c), target :: call
      type(options), target :: o
      integer(fdx_index), target :: extent(x%rank), stride(MAXRANK, 2)
      integer(fdx_index) :: bytes
      real(c_double), allocatable, target :: workspace(:)
      s = FDX_E_UNMADE
      if (.not. is_factorised(self)) return
      s = FDX_E_NDIM
      if (x%rank == 0) return
      s = FDX_E_AXIS
      if (axis < 1 .or. axis > x%rank) return
      s = FDX_E_CONFORM
      if (.not. conforms(b, x%extent(:x%rank))) return
      call options_to_c(o, x%rank, s, alpha=alpha, beta=beta, part=part, nparts=nparts)
      if (s /= FDX_OK) return
      extent = x%extent(x%rank:1:-1)
      call%solver = self%solver
      call%ndim = x%rank
      call%shape = c_loc(extent)
      call%axis = x%rank - axis
      call%in = to_c(b, stride(:, 1))
      call%out = to_c(x, stride(:, 2))
      call%alpha_beta = o%alpha_beta_c
      bytes = fdx_solve_workspace_size_c(call)
      allocate (workspace(max(1_fdx_index, (bytes + 7) / 8)))
      s = fdx_solve_apply_part_c(call, c_loc(workspace), bytes, o%part, o%nparts)
    end function
  end subroutine

  subroutine solve_f32(self, b, x, axis, status, alpha, beta, part, nparts)
    class(fdx_solver), intent(in), target :: self
    real(real32), intent(in), target :: b(..)
    real(real32), intent(inout), target :: x(..)
    integer, intent(in) :: axis
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: alpha, beta
    integer, intent(in), optional :: part, nparts
    call self%solve_views(fdx_view(b), fdx_view(x), axis, status, alpha, beta, part, nparts)
  end subroutine

  subroutine solve_f64(self, b, x, axis, status, alpha, beta, part, nparts)
    class(fdx_solver), intent(in), target :: self
    real(real64), intent(in), target :: b(..)
    real(real64), intent(inout), target :: x(..)
    integer, intent(in) :: axis
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: alpha, beta
    integer, intent(in), optional :: part, nparts
    call self%solve_views(fdx_view(b), fdx_view(x), axis, status, alpha, beta, part, nparts)
  end subroutine

  subroutine solve_c64(self, b, x, axis, status, alpha, beta, part, nparts)
    class(fdx_solver), intent(in), target :: self
    complex(real32), intent(in), target :: b(..)
    complex(real32), intent(inout), target :: x(..)
    integer, intent(in) :: axis
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: alpha, beta
    integer, intent(in), optional :: part, nparts
    call self%solve_views(fdx_view(b), fdx_view(x), axis, status, alpha, beta, part, nparts)
  end subroutine

  subroutine solve_c128(self, b, x, axis, status, alpha, beta, part, nparts)
    class(fdx_solver), intent(in), target :: self
    complex(real64), intent(in), target :: b(..)
    complex(real64), intent(inout), target :: x(..)
    integer, intent(in) :: axis
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: alpha, beta
    integer, intent(in), optional :: part, nparts
    call self%solve_views(fdx_view(b), fdx_view(x), axis, status, alpha, beta, part, nparts)
  end subroutine

end module
