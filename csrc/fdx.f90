! fdx for Fortran 2008: finite differences on strided arrays. The contract is in fdx.h, whose functions are linked.
!
!     cc -O3 -c *.c && gfortran -O2 -c fdx.f90
!
! This module has two layers. Names that end in _c are the structs and functions of fdx.h: indices from 0, lengths in
! fdx_index, addresses in c_ptr. The others are for Fortran codes: assumed-shape arrays of real32 or real64 and ranks 1
! to 4, dimensions and indices from 1, boxes with both corners included, no addresses.
!
! - A status is optional everywhere. If it is absent and not FDX_OK, its message is printed and the program stops. On
!   any status but FDX_OK, outputs are untouched.
! - Sections such as u(10:1:-1, ::2) are read and written in place. Outputs must not overlap inputs.
! - Arrays that a view or a coefficient refers to need the target attribute, and must exist as long as that is used.
! - Results have the bits of the C functions. A result's unit is the data's unit divided by the spacing's unit to the
!   power of the derivative's order.
! - Any number of threads may call any procedure, as long as none changes what another one uses.
module fdx
  use, intrinsic :: iso_c_binding, only: c_associated, c_char, c_double, c_f_pointer, c_int, c_int8_t, c_intptr_t, &
    c_loc, c_null_char, c_null_ptr, c_ptr, c_size_t
  use, intrinsic :: iso_fortran_env, only: error_unit, real32, real64
  implicit none
  public
  private :: c_associated, c_char, c_double, c_f_pointer, c_int, c_int8_t, c_intptr_t, &
    c_loc, c_null_char, c_null_ptr, c_ptr, c_size_t, error_unit, real32, real64

  integer, parameter :: fdx_index = c_intptr_t ! ptrdiff_t; c_ptrdiff_t is Fortran 2018

  ! ---- constants of fdx.h ----

  character(*), parameter :: FDX_VERSION = '0.1.0'

  integer(c_int), parameter :: FDX_MAXNODES = 64, FDX_MAXDIM = 64, FDX_MAXWEIGHTS = 255, FDX_MAXSTAGES = 16

  integer(c_int), parameter :: FDX_OK = 0, FDX_E_NULL = 1, FDX_E_NDIM = 2, FDX_E_SHAPE = 3, FDX_E_DTYPE = 4, &
    FDX_E_AXIS = 5, FDX_E_SIZE = 6, FDX_E_STENCIL = 7, FDX_E_EDGE = 8, FDX_E_COUNT = 9, FDX_E_OVERLAP = 10, &
    FDX_E_PART = 11, FDX_E_BOX = 12, FDX_E_NODES = 13, FDX_E_WORKSPACE = 14, FDX_E_ALIGNMENT = 15

  ! Statuses of this module only: C sees neither an array's shape nor whether an operator was made.
  integer(c_int), parameter :: FDX_E_CONFORM = -1 ! wrong number, rank or shapes of arrays
  integer(c_int), parameter :: FDX_E_UNMADE = -2  ! an operator was not made

  integer(c_int), parameter :: FDX_I8 = 1, FDX_U8 = 2, FDX_I16 = 3, FDX_U16 = 4, FDX_I32 = 5, FDX_U32 = 6, &
    FDX_I64 = 7, FDX_U64 = 8, FDX_F32 = 9, FDX_F64 = 10, FDX_C64 = 11, FDX_C128 = 12, FDX_NDTYPES = 13

  integer(c_int), parameter :: FDX_QUOTIENT = 0, FDX_WEIGHTED = 1, FDX_SPACED = 2           ! fdx_gradient_formula
  integer(c_int), parameter :: FDX_WEAK = 0, FDX_SINGLE = 1, FDX_DOUBLE = 2             ! fdx_precision
  integer(c_int), parameter :: FDX_SUM_PLAIN = 0, FDX_SUM_DIFFERENCES = 1, FDX_SUM_ANTISYMMETRIC = 2, &
    FDX_SUM_SYMMETRIC = 3                                                               ! fdx_summation
  integer(c_int), parameter :: FDX_ONE_SIDED = 0, FDX_PERIODIC = 1, FDX_VALID = 2, FDX_REFLECT = 3, &
    FDX_SYMMETRIC = 4, FDX_REFLECT_ODD = 5, FDX_SYMMETRIC_ODD = 6, FDX_NBOUNDARIES = 7  ! fdx_boundary

  ! ---- structs of fdx.h ----

  type, bind(c) :: fdx_array_c
    type(c_ptr) :: data = c_null_ptr
    type(c_ptr) :: stride = c_null_ptr ! integer(fdx_index), bytes
    integer(c_int8_t) :: dtype = 0
    integer(c_int8_t) :: swapped = 0
  end type

  type, bind(c) :: fdx_gradient_row_c
    integer(c_int8_t) :: formula = 0
    integer(c_int8_t) :: mixed = 0
    integer(c_int8_t) :: off(3) = 0
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
    type(c_ptr) :: isa = c_null_ptr
    type(c_ptr) :: lo = c_null_ptr, hi = c_null_ptr
    type(c_ptr) :: accumulate = c_null_ptr
    integer(c_int8_t) :: first_touch = 0
  end type

  type, bind(c) :: fdx_stencil_c
    integer(fdx_index) :: offset = 0
    integer(c_int) :: count = 0
    integer(c_int) :: centre = 0
    integer(c_int) :: summation = 0
    type(c_ptr) :: w = c_null_ptr
    integer(fdx_index) :: weight_step = 0, row_step = 0
  end type

  type, bind(c) :: fdx_band_c
    integer(fdx_index) :: rows = 0, columns = 0
    integer(fdx_index) :: nfirst = 0, nlast = 0
    type(c_ptr) :: first = c_null_ptr ! fdx_stencil_c
    type(c_ptr) :: last = c_null_ptr
    type(fdx_stencil_c) :: interior
    integer(c_int) :: periodic = 0
  end type

  type, bind(c) :: fdx_derivative_c
    integer(fdx_index) :: n = 0
    integer(c_int) :: deriv = 1
    integer(c_int) :: accuracy = 2
    integer(c_int) :: left = FDX_ONE_SIDED, right = FDX_ONE_SIDED
    real(c_double) :: scale = 1
    real(c_double) :: spacing = 1
    type(c_ptr) :: x = c_null_ptr
    real(c_double) :: period = 0
    type(c_ptr) :: isa = c_null_ptr
  end type

  type, bind(c) :: fdx_stage_c
    integer(c_int) :: axis = 0
    type(c_ptr) :: band = c_null_ptr
    type(c_ptr) :: coefficient = c_null_ptr
  end type

  type, bind(c) :: fdx_chain_c
    integer(c_int) :: in = 0, out = 0
    integer(c_int) :: nstages = 0
    type(c_ptr) :: stage = c_null_ptr
    type(c_ptr) :: shift = c_null_ptr
  end type

  type, bind(c) :: fdx_operator_c
    integer(c_int) :: ndim = 0
    type(c_ptr) :: in_shape = c_null_ptr, out_shape = c_null_ptr
    integer(c_int) :: ninputs = 0, noutputs = 0, nchains = 0
    type(c_ptr) :: chain = c_null_ptr
    type(c_ptr) :: isa = c_null_ptr
    integer(c_int) :: double_only = 0
  end type

  type, bind(c) :: fdx_call_c
    type(c_ptr) :: op = c_null_ptr
    type(c_ptr) :: in = c_null_ptr
    type(c_ptr) :: out = c_null_ptr
    type(c_ptr) :: lo = c_null_ptr, hi = c_null_ptr
    type(c_ptr) :: accumulate = c_null_ptr
    integer(c_int8_t) :: first_touch = 0
  end type

  type, bind(c) :: fdx_factor_c
    integer(c_int) :: axis = 0
    type(fdx_derivative_c) :: what
    type(c_ptr) :: coefficient = c_null_ptr
    type(c_ptr) :: band = c_null_ptr
    integer(fdx_index) :: crop(2) = 0
    integer(c_int) :: transposed = 0
  end type

  type, bind(c) :: fdx_term_c
    integer(c_int) :: in = 0, out = 0
    integer(c_int) :: nfactors = 0
    type(c_ptr) :: factor = c_null_ptr
    type(c_ptr) :: scale = c_null_ptr
  end type

  type, bind(c) :: fdx_sum_c
    integer(c_int) :: ndim = 0
    type(c_ptr) :: shape = c_null_ptr
    integer(c_int) :: nterms = 0
    type(c_ptr) :: term = c_null_ptr
    type(c_ptr) :: isa = c_null_ptr
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

    integer(fdx_index) function fdx_itemsize_c(dtype) bind(c, name='fdx_itemsize')
      import
      integer(c_int), value :: dtype
    end function

    integer(c_int) function fdx_result_dtype_c(dtype) bind(c, name='fdx_result_dtype')
      import
      integer(c_int), value :: dtype
    end function

    type(c_ptr) function fdx_isa_find_c(name) bind(c, name='fdx_isa_find')
      import
      character(kind=c_char), intent(in) :: name(*) ! ends with c_null_char
    end function

    type(c_ptr) function fdx_isa_name_c(isa) bind(c, name='fdx_isa_name')
      import
      type(c_ptr), value :: isa
    end function

    integer(c_int) function fdx_gradient_uniform_c(along, dtype, h, precision, edge_order) &
      bind(c, name='fdx_gradient_uniform')
      import
      type(fdx_gradient_axis_c), intent(inout), target :: along
      integer(c_int), value :: dtype
      real(c_double), value :: h
      integer(c_int), value :: precision, edge_order
    end function

    integer(c_int) function fdx_gradient_coords_c(along, dtype, x, n, edge_order, isa) &
      bind(c, name='fdx_gradient_coords')
      import
      type(fdx_gradient_axis_c), intent(inout), target :: along
      integer(c_int), value :: dtype
      type(fdx_array_c), intent(in), target :: x
      integer(fdx_index), value :: n
      integer(c_int), value :: edge_order
      type(c_ptr), value :: isa
    end function

    integer(c_int) function fdx_gradient_apply_c(call) bind(c, name='fdx_gradient_apply')
      import
      type(fdx_gradient_c), intent(in), target :: call
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
      integer(c_int), value :: n
      real(c_double), value :: at
      integer(c_int), value :: deriv
    end function

    integer(fdx_index) function fdx_derivative_points_c(what) bind(c, name='fdx_derivative_points')
      import
      type(fdx_derivative_c), intent(in), target :: what
    end function

    real(c_double) function fdx_even_spacing_c(x, n, eps, period, eps_of_period) bind(c, name='fdx_even_spacing')
      import
      real(c_double), intent(in) :: x(*)
      integer(fdx_index), value :: n
      real(c_double), value :: eps, period, eps_of_period
    end function

    integer(c_size_t) function fdx_band_derivative_size_c(what) bind(c, name='fdx_band_derivative_size')
      import
      type(fdx_derivative_c), intent(in), target :: what
    end function

    integer(c_int) function fdx_band_derivative_c(memory, what, band) bind(c, name='fdx_band_derivative')
      import
      type(c_ptr), value :: memory
      type(fdx_derivative_c), intent(in), target :: what
      type(c_ptr), intent(inout), target :: band
    end function

    integer(c_size_t) function fdx_band_transpose_size_c(a) bind(c, name='fdx_band_transpose_size')
      import
      type(c_ptr), value :: a
    end function

    integer(c_int) function fdx_band_transpose_c(memory, a, band) bind(c, name='fdx_band_transpose')
      import
      type(c_ptr), value :: memory, a
      type(c_ptr), intent(inout), target :: band
    end function

    integer(c_size_t) function fdx_band_product_size_c(a, b) bind(c, name='fdx_band_product_size')
      import
      type(c_ptr), value :: a, b
    end function

    integer(c_int) function fdx_band_product_c(memory, a, b, scale, band) bind(c, name='fdx_band_product')
      import
      type(c_ptr), value :: memory, a, b
      real(c_double), value :: scale
      type(c_ptr), intent(inout), target :: band
    end function

    integer(fdx_index) function fdx_workspace_size_c(call) bind(c, name='fdx_workspace_size')
      import
      type(fdx_call_c), intent(in), target :: call
    end function

    integer(c_int) function fdx_apply_c(call, workspace, bytes) bind(c, name='fdx_apply')
      import
      type(fdx_call_c), intent(in), target :: call
      type(c_ptr), value :: workspace
      integer(fdx_index), value :: bytes
    end function

    integer(c_int) function fdx_apply_part_c(call, workspace, bytes, part, nparts) bind(c, name='fdx_apply_part')
      import
      type(fdx_call_c), intent(in), target :: call
      type(c_ptr), value :: workspace
      integer(fdx_index), value :: bytes, part, nparts
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
  end interface

  ! ---- views ----

  integer, parameter, private :: MAXRANK = 4

  ! A view: the address, strides and shape of an array. Several inputs or outputs, and coefficients, are passed as
  ! views. fdx_view(a) is a view of an array a, of rank 1 to 4 and real32 or real64, which must be a target.
  type :: fdx_view
    private
    integer :: rank = 0 ! 0: no array
    integer(c_int) :: dtype = FDX_F64
    integer(fdx_index) :: extent(MAXRANK) = 0, stride(MAXRANK) = 0
    type(c_ptr) :: data = c_null_ptr
  end type

  interface fdx_view
    module procedure view_f32_1, view_f32_2, view_f32_3, view_f32_4, view_f64_1, view_f64_2, view_f64_3, view_f64_4
  end interface

  ! ---- operators ----

  ! A derivative along a dimension, times a coefficient. See fdx_derivative and fdx_factor in fdx.h.
  type :: fdx_factor
    integer :: axis = 1                          ! the dimension
    integer :: deriv = 1                         ! which derivative; 0: the identity
    integer :: accuracy = 2                      ! order of the error, even
    integer :: boundary(2) = FDX_ONE_SIDED       ! FDX_PERIODIC, FDX_VALID, ..., at index 1 and at the last
    real(real64) :: scale = 1                    ! multiplies the derivative, or the identity
    real(real64) :: spacing = 1                  ! if x is not allocated; may be negative; not 0
    real(real64) :: period = 0                   ! with x and FDX_PERIODIC: x(n + 1) would be x(1) + period
    real(real64), allocatable :: x(:)            ! coordinates of the points, rising or falling
    type(fdx_view) :: coefficient                ! fdx_view(k): multiplies the derivative. k has its shape, or an
                                                 ! extent of 1 where it is repeated. Its data are not copied.
    integer :: crop(2) = 0                       ! of the identity: points left out at index 1 and at the last
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
    ! call d%apply(u, y [, status, lo, hi, accumulate, part, nparts])
    !
    ! y = d u; with accumulate (real64), y = y + accumulate * d u: d u is complete and rounded to y's kind, then
    ! multiplied and rounded, then added. u has the shape d%in_shape(), y d%out_shape(), and both have the same kind; or
    ! they are arrays of views, [fdx_view(u), fdx_view(v)], one for each input and output of the operator.
    !
    ! lo, hi: only results with indices lo(1):hi(1), lo(2):hi(2), ... are computed, with indices from 1 whatever the
    ! bounds of y; nothing else of y is touched. part, nparts: only part 1 .. nparts of about the same size is computed.
    ! Parts write disjoint elements: give each thread a part.
    !
    ! FDX_E_UNMADE; FDX_E_CONFORM: wrong shapes or number of arrays; FDX_E_DTYPE: different kinds; FDX_E_BOX,
    ! FDX_E_PART, FDX_E_OVERLAP.
    generic :: apply => apply_f32_1, apply_f32_2, apply_f32_3, apply_f32_4, &
      apply_f64_1, apply_f64_2, apply_f64_3, apply_f64_4, apply_views
    procedure, private :: apply_f32_1, apply_f32_2, apply_f32_3, apply_f32_4, &
      apply_f64_1, apply_f64_2, apply_f64_3, apply_f64_4, apply_views
    generic :: assignment(=) => copy
    procedure, private :: copy
  end type

  ! call fdx_gradient(f, df, axis [, spacing, x, edge_order, status, lo, hi, accumulate, part, nparts])
  !
  ! The derivative along one dimension with np.gradient's bits. Its error is O(h^2) in the interior and O(h^edge_order)
  ! at the ends (1, the default, or 2). The points are `spacing` apart (1 by default; as np.gradient with a Python
  ! float), or have the coordinates x(:) (as np.gradient with a float64 array of size(f, axis)). df has the shape and
  ! the kind of f. The other arguments are those of d%apply. f and df may be views.
  !
  ! FDX_E_CONFORM: wrong shapes; FDX_E_NODES: both spacing and x are given; FDX_E_AXIS, FDX_E_EDGE, FDX_E_SIZE (fewer
  ! than edge_order + 1 points), FDX_E_DTYPE, FDX_E_BOX, FDX_E_PART, FDX_E_OVERLAP.
  interface fdx_gradient
    module procedure gradient_f32_1, gradient_f32_2, gradient_f32_3, gradient_f32_4, &
      gradient_f64_1, gradient_f64_2, gradient_f64_3, gradient_f64_4, gradient_views
  end interface

  type, private :: options
    integer(fdx_index), allocatable :: lo(:), hi(:)
    logical :: accumulates = .false.
    real(c_double) :: alpha = 1
    integer(fdx_index) :: part = 0, nparts = 1
  contains
    procedure :: fits
  end type

  real(real64), target, save, private :: nowhere = 0 ! the address of arrays of size 0

  private :: view_f32_1, view_f32_2, view_f32_3, view_f32_4, view_f64_1, view_f64_2, view_f64_3, view_f64_4
  private :: apply_f32_1, apply_f32_2, apply_f32_3, apply_f32_4, apply_f64_1, apply_f64_2, apply_f64_3, apply_f64_4
  private :: gradient_f32_1, gradient_f32_2, gradient_f32_3, gradient_f32_4
  private :: gradient_f64_1, gradient_f64_2, gradient_f64_3, gradient_f64_4
  private :: make_terms, make_factors, make_factor, shape_of_inputs, shape_of_outputs
  private :: apply_views, gradient_views, copy
  private :: finish, without_address, locate, to_c, conforms, options_to_c, fits, build, factor_to_c, sorted_by_output
  private :: is_made, shape_at, best_isa

contains

  ! ---- statuses and weights ----

  ! A sentence in English for a status.
  function fdx_message(status) result(text)
    integer(c_int), intent(in) :: status
    character(:), allocatable :: text
    character(kind=c_char), pointer :: letters(:)
    type(c_ptr) :: c_text
    integer :: n
    interface
      integer(c_size_t) function strlen(text) bind(c, name='strlen')
        import
        type(c_ptr), value :: text
      end function
    end interface
    select case (status)
    case (FDX_E_AXIS)
      text = 'a dimension is not in 1 .. the rank of the array'
    case (FDX_E_PART)
      text = 'part is not in 1 .. nparts'
    case (FDX_E_BOX)
      text = 'a box is not 1 <= lo, lo - 1 <= hi <= the shape, or only one of lo and hi is given'
    case (FDX_E_CONFORM)
      text = 'wrong number, rank or shapes of arrays'
    case (FDX_E_UNMADE)
      text = 'an operator was not made'
    case default
      c_text = fdx_status_message_c(status)
      call c_f_pointer(c_text, letters, [strlen(c_text)])
      allocate (character(size(letters)) :: text)
      do n = 1, size(letters)
        text(n:n) = letters(n)
      end do
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

  ! Print the message; `error stop` with a text that is not constant is Fortran 2018.
  subroutine finish(s, what, status)
    integer(c_int), intent(in) :: s
    character(*), intent(in) :: what
    integer(c_int), intent(out), optional :: status
    if (present(status)) then
      status = s
    else if (s /= FDX_OK) then
      write (error_unit, '(a)') what // ': ' // fdx_message(s)
      error stop 1
    end if
  end subroutine

  ! ---- from arrays to views ----

  ! Strides are differences of addresses of elements. Along a dimension of length 1 the stride is 0. Recursive only
  ! because gfortran 12's check for recursion fails here (-O2 -fcheck=recursion).

  recursive function view_f32_1(a) result(view)
    real(real32), intent(in), target :: a(:)
    type(fdx_view) :: view
    integer :: n(1)
    view = without_address(FDX_F32, shape(a, fdx_index))
    if (size(a, kind=fdx_index) > 0) then
      n = merge(2, 1, shape(a, fdx_index) > 1)
      call locate(view, c_loc(a(1)), [c_loc(a(n(1)))])
    end if
  end function

  recursive function view_f32_2(a) result(view)
    real(real32), intent(in), target :: a(:, :)
    type(fdx_view) :: view
    integer :: n(2)
    view = without_address(FDX_F32, shape(a, fdx_index))
    if (size(a, kind=fdx_index) > 0) then
      n = merge(2, 1, shape(a, fdx_index) > 1)
      call locate(view, c_loc(a(1, 1)), [c_loc(a(n(1), 1)), c_loc(a(1, n(2)))])
    end if
  end function

  recursive function view_f32_3(a) result(view)
    real(real32), intent(in), target :: a(:, :, :)
    type(fdx_view) :: view
    integer :: n(3)
    view = without_address(FDX_F32, shape(a, fdx_index))
    if (size(a, kind=fdx_index) > 0) then
      n = merge(2, 1, shape(a, fdx_index) > 1)
      call locate(view, c_loc(a(1, 1, 1)), [c_loc(a(n(1), 1, 1)), c_loc(a(1, n(2), 1)), c_loc(a(1, 1, n(3)))])
    end if
  end function

  recursive function view_f32_4(a) result(view)
    real(real32), intent(in), target :: a(:, :, :, :)
    type(fdx_view) :: view
    integer :: n(4)
    view = without_address(FDX_F32, shape(a, fdx_index))
    if (size(a, kind=fdx_index) > 0) then
      n = merge(2, 1, shape(a, fdx_index) > 1)
      call locate(view, c_loc(a(1, 1, 1, 1)), &
        [c_loc(a(n(1), 1, 1, 1)), c_loc(a(1, n(2), 1, 1)), c_loc(a(1, 1, n(3), 1)), c_loc(a(1, 1, 1, n(4)))])
    end if
  end function

  recursive function view_f64_1(a) result(view)
    real(real64), intent(in), target :: a(:)
    type(fdx_view) :: view
    integer :: n(1)
    view = without_address(FDX_F64, shape(a, fdx_index))
    if (size(a, kind=fdx_index) > 0) then
      n = merge(2, 1, shape(a, fdx_index) > 1)
      call locate(view, c_loc(a(1)), [c_loc(a(n(1)))])
    end if
  end function

  recursive function view_f64_2(a) result(view)
    real(real64), intent(in), target :: a(:, :)
    type(fdx_view) :: view
    integer :: n(2)
    view = without_address(FDX_F64, shape(a, fdx_index))
    if (size(a, kind=fdx_index) > 0) then
      n = merge(2, 1, shape(a, fdx_index) > 1)
      call locate(view, c_loc(a(1, 1)), [c_loc(a(n(1), 1)), c_loc(a(1, n(2)))])
    end if
  end function

  recursive function view_f64_3(a) result(view)
    real(real64), intent(in), target :: a(:, :, :)
    type(fdx_view) :: view
    integer :: n(3)
    view = without_address(FDX_F64, shape(a, fdx_index))
    if (size(a, kind=fdx_index) > 0) then
      n = merge(2, 1, shape(a, fdx_index) > 1)
      call locate(view, c_loc(a(1, 1, 1)), [c_loc(a(n(1), 1, 1)), c_loc(a(1, n(2), 1)), c_loc(a(1, 1, n(3)))])
    end if
  end function

  recursive function view_f64_4(a) result(view)
    real(real64), intent(in), target :: a(:, :, :, :)
    type(fdx_view) :: view
    integer :: n(4)
    view = without_address(FDX_F64, shape(a, fdx_index))
    if (size(a, kind=fdx_index) > 0) then
      n = merge(2, 1, shape(a, fdx_index) > 1)
      call locate(view, c_loc(a(1, 1, 1, 1)), &
        [c_loc(a(n(1), 1, 1, 1)), c_loc(a(1, n(2), 1, 1)), c_loc(a(1, 1, n(3), 1)), c_loc(a(1, 1, 1, n(4)))])
    end if
  end function

  pure function without_address(dtype, extent) result(view)
    integer(c_int), intent(in) :: dtype
    integer(fdx_index), intent(in) :: extent(:)
    type(fdx_view) :: view
    view%dtype = dtype
    view%rank = size(extent)
    view%extent(:view%rank) = extent
  end function

  pure subroutine locate(view, first, second)
    type(fdx_view), intent(inout) :: view
    type(c_ptr), intent(in) :: first, second(:) ! elements: the first one, and the next along each dimension
    integer :: d
    view%data = first
    do d = 1, size(second)
      view%stride(d) = transfer(second(d), 0_fdx_index) - transfer(first, 0_fdx_index)
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

  ! Optional arguments as in C: a box in C's order with hi excluded, alpha, part and nparts.
  subroutine options_to_c(o, lo, hi, accumulate, part, nparts)
    type(options), intent(out) :: o
    integer, intent(in), optional :: lo(:), hi(:)
    real(real64), intent(in), optional :: accumulate
    integer, intent(in), optional :: part, nparts
    if (present(lo)) o%lo = int(lo(size(lo):1:-1), fdx_index) - 1
    if (present(hi)) o%hi = int(hi(size(hi):1:-1), fdx_index)
    if (present(accumulate)) o%alpha = accumulate
    o%accumulates = present(accumulate)
    if (present(part)) o%part = int(part, fdx_index) - 1
    if (present(nparts)) o%nparts = int(nparts, fdx_index)
  end subroutine

  ! ---- np.gradient ----

  ! All fdx_gradient procedures call this one.
  subroutine gradient_views(f, df, axis, spacing, x, edge_order, status, lo, hi, accumulate, part, nparts)
    type(fdx_view), intent(in) :: f, df
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing
    real(real64), intent(in), optional, target :: x(:)
    integer, intent(in), optional :: edge_order
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:)
    real(real64), intent(in), optional :: accumulate
    integer, intent(in), optional :: part, nparts
    type(options), target :: o
    integer(c_int) :: s
    call options_to_c(o, lo, hi, accumulate, part, nparts)
    s = status_of()
    call finish(s, 'fdx_gradient', status)

  contains

    integer(c_int) function status_of() result(s)
      type(fdx_gradient_c), target :: call
      type(fdx_gradient_axis_c), target :: along
      integer(fdx_index), target :: extent(f%rank), stride(MAXRANK, 2), x_stride(1)
      integer :: order
      type(fdx_view) :: x_view
      s = FDX_E_NDIM
      if (f%rank == 0) return
      s = FDX_E_AXIS
      if (axis < 1 .or. axis > f%rank) return
      s = FDX_E_CONFORM
      if (.not. conforms(df, f%extent(:f%rank))) return
      if (present(x)) then
        if (size(x, kind=fdx_index) /= f%extent(axis)) return
      end if
      s = FDX_E_BOX
      if (.not. o%fits(f%rank)) return
      s = FDX_E_NODES
      if (present(x) .and. present(spacing)) return
      order = 1
      if (present(edge_order)) order = edge_order
      call%isa = best_isa()
      if (present(x)) then
        x_view = fdx_view(x)
        s = fdx_gradient_coords_c(along, f%dtype, to_c(x_view, x_stride), f%extent(axis), int(order, c_int), call%isa)
      else if (present(spacing)) then
        s = fdx_gradient_uniform_c(along, f%dtype, spacing, FDX_WEAK, int(order, c_int))
      else
        s = fdx_gradient_uniform_c(along, f%dtype, 1.0_c_double, FDX_WEAK, int(order, c_int))
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
      if (allocated(o%lo)) call%lo = c_loc(o%lo)
      if (allocated(o%hi)) call%hi = c_loc(o%hi)
      if (o%accumulates) call%accumulate = c_loc(o%alpha)
      s = fdx_gradient_apply_part_c(call, o%part, o%nparts)
    end function
  end subroutine

  subroutine gradient_f32_1(f, df, axis, spacing, x, edge_order, status, lo, hi, accumulate, part, nparts)
    real(real32), intent(in), target :: f(:)
    real(real32), intent(inout), target :: df(:)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing
    real(real64), intent(in), optional, target :: x(:)
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: accumulate
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine gradient_f32_2(f, df, axis, spacing, x, edge_order, status, lo, hi, accumulate, part, nparts)
    real(real32), intent(in), target :: f(:, :)
    real(real32), intent(inout), target :: df(:, :)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing
    real(real64), intent(in), optional, target :: x(:)
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: accumulate
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine gradient_f32_3(f, df, axis, spacing, x, edge_order, status, lo, hi, accumulate, part, nparts)
    real(real32), intent(in), target :: f(:, :, :)
    real(real32), intent(inout), target :: df(:, :, :)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing
    real(real64), intent(in), optional, target :: x(:)
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: accumulate
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine gradient_f32_4(f, df, axis, spacing, x, edge_order, status, lo, hi, accumulate, part, nparts)
    real(real32), intent(in), target :: f(:, :, :, :)
    real(real32), intent(inout), target :: df(:, :, :, :)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing
    real(real64), intent(in), optional, target :: x(:)
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: accumulate
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine gradient_f64_1(f, df, axis, spacing, x, edge_order, status, lo, hi, accumulate, part, nparts)
    real(real64), intent(in), target :: f(:)
    real(real64), intent(inout), target :: df(:)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing
    real(real64), intent(in), optional, target :: x(:)
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: accumulate
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine gradient_f64_2(f, df, axis, spacing, x, edge_order, status, lo, hi, accumulate, part, nparts)
    real(real64), intent(in), target :: f(:, :)
    real(real64), intent(inout), target :: df(:, :)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing
    real(real64), intent(in), optional, target :: x(:)
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: accumulate
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine gradient_f64_3(f, df, axis, spacing, x, edge_order, status, lo, hi, accumulate, part, nparts)
    real(real64), intent(in), target :: f(:, :, :)
    real(real64), intent(inout), target :: df(:, :, :)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing
    real(real64), intent(in), optional, target :: x(:)
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: accumulate
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine gradient_f64_4(f, df, axis, spacing, x, edge_order, status, lo, hi, accumulate, part, nparts)
    real(real64), intent(in), target :: f(:, :, :, :)
    real(real64), intent(inout), target :: df(:, :, :, :)
    integer, intent(in) :: axis
    real(real64), intent(in), optional :: spacing
    real(real64), intent(in), optional, target :: x(:)
    integer, intent(in), optional :: edge_order, lo(:), hi(:), part, nparts
    integer(c_int), intent(out), optional :: status
    real(real64), intent(in), optional :: accumulate
    call gradient_views(fdx_view(f), fdx_view(df), axis, spacing, x, edge_order, &
      status, lo, hi, accumulate, part, nparts)
  end subroutine

  ! ---- operators: compilation ----

  subroutine make_terms(self, shape, terms, status, transposed)
    class(fdx_operator), intent(inout) :: self
    integer, intent(in) :: shape(:)
    type(fdx_term), intent(in) :: terms(:)
    integer(c_int), intent(out), optional :: status
    logical, intent(in), optional :: transposed
    logical :: flipped
    integer(c_int) :: s
    flipped = .false.
    if (present(transposed)) flipped = transposed
    call build(self, shape, terms, flipped, s)
    call finish(s, 'make', status)
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

  subroutine build(self, shape, terms, transposed, s)
    class(fdx_operator), intent(inout) :: self
    integer, intent(in) :: shape(:)
    type(fdx_term), intent(in), target :: terms(:)
    logical, intent(in) :: transposed
    integer(c_int), intent(out) :: s
    type(fdx_sum_c), target :: what
    type(fdx_term_c), target :: term(size(terms))
    real(c_double), target :: scale(size(terms))
    type(fdx_factor_c), allocatable, target :: factor(:)
    type(fdx_array_c), allocatable, target :: coefficient(:)
    integer(fdx_index), allocatable, target :: stride(:, :)
    integer(fdx_index), target :: extent(size(shape))
    integer(fdx_index) :: points(size(shape))
    real(c_double), allocatable, target :: memory(:)
    type(c_ptr) :: op
    integer :: order(size(terms)), k, m, n, ndim
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

    allocate (factor(n), coefficient(n), stride(ndim, n))
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
          call factor_to_c(p%factor(m), points, factor(n), coefficient(n), stride(:, n), s)
          if (s /= FDX_OK) return
        end do
      end associate
    end do
    extent = shape(ndim:1:-1)
    what = fdx_sum_c(ndim, c_loc(extent), size(term), c_loc(term), best_isa(), merge(1, 0, transposed))
    n = int((fdx_operator_size_c(what) + 7) / 8)
    allocate (memory(max(n, 1)))
    op = c_null_ptr
    s = fdx_operator_make_c(c_loc(memory), what, op)
    if (s /= FDX_OK) return
    self%terms = terms
    self%shape = shape
    self%transposed = transposed
    call move_alloc(memory, self%memory)
    self%op = op
  end subroutine

  ! The struct of a factor. The points along each dimension become those of its result.
  subroutine factor_to_c(from, points, to, coefficient, stride, s)
    type(fdx_factor), intent(in), target :: from
    integer(fdx_index), intent(inout) :: points(:)
    type(fdx_factor_c), intent(out) :: to
    type(fdx_array_c), intent(out), target :: coefficient
    integer(fdx_index), intent(out), target, contiguous :: stride(:)
    integer(c_int), intent(out) :: s
    type(fdx_derivative_c), target :: valid
    integer(fdx_index) :: lost
    s = FDX_E_AXIS
    if (from%axis < 1 .or. from%axis > size(points)) return
    to%axis = size(points) - from%axis
    to%what%deriv = from%deriv
    to%what%accuracy = from%accuracy
    to%what%left = from%boundary(1)
    to%what%right = from%boundary(2)
    to%what%spacing = from%spacing
    to%what%period = from%period
    to%crop = from%crop
    to%transposed = merge(1, 0, from%transposed)
    if (allocated(from%x)) then
      to%what%n = size(from%x, kind=fdx_index)
      to%what%x = c_loc(nowhere)
      if (size(from%x) > 0) to%what%x = c_loc(from%x)
    end if
    lost = sum(to%crop)
    if (from%deriv /= 0) then
      valid = to%what
      valid%left = FDX_VALID
      valid%right = FDX_VALID ! needs the points of an interior stencil, of which half is lost at an end
      lost = (fdx_derivative_points_c(valid) - 1) / 2 * count(from%boundary == FDX_VALID)
    end if
    points(from%axis) = max(0_fdx_index, points(from%axis) + merge(lost, -lost, from%transposed))
    if (from%coefficient%rank > 0) then
      s = FDX_E_CONFORM
      if (.not. conforms(from%coefficient, merge(1_fdx_index, points, from%coefficient%extent(:size(points)) == 1))) &
        return
      coefficient = to_c(from%coefficient, stride)
      to%coefficient = c_loc(coefficient)
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
    integer(c_int) :: s
    if (.not. allocated(from%memory)) then
      if (allocated(to%memory)) deallocate (to%memory)
      return
    end if
    if (is_made(to) .and. c_associated(to%op, from%op)) return ! a = a, for which gfortran copies no memory
    call build(made, from%shape, from%terms, from%transposed, s)
    call finish(s, 'copy')
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

  type(c_ptr) function best_isa()
    best_isa = fdx_isa_find_c('auto' // c_null_char)
  end function

  ! ---- operators: application ----

  ! All apply procedures call this one.
  subroutine apply_views(self, u, y, status, lo, hi, accumulate, part, nparts)
    class(fdx_operator), intent(in), target :: self
    type(fdx_view), intent(in) :: u(:), y(:)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:)
    real(real64), intent(in), optional :: accumulate
    integer, intent(in), optional :: part, nparts
    type(options), target :: o
    integer(c_int) :: s
    call options_to_c(o, lo, hi, accumulate, part, nparts)
    s = status_of()
    call finish(s, 'apply', status)

  contains

    integer(c_int) function status_of() result(s)
      type(fdx_operator_c), pointer :: op
      type(fdx_call_c), target :: call
      type(fdx_array_c), target :: arrays(size(u) + size(y))
      integer(fdx_index), target :: stride(MAXRANK, size(u) + size(y))
      real(c_double), allocatable, target :: workspace(:)
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
      s = FDX_E_BOX
      if (.not. o%fits(int(op%ndim))) return
      call%op = self%op
      call%in = c_loc(arrays(1))
      call%out = c_loc(arrays(size(u) + 1))
      if (allocated(o%lo)) call%lo = c_loc(o%lo)
      if (allocated(o%hi)) call%hi = c_loc(o%hi)
      if (o%accumulates) call%accumulate = c_loc(o%alpha)
      allocate (workspace(max(1_fdx_index, (fdx_workspace_size_c(call) + 7) / 8)))
      s = fdx_apply_part_c(call, c_loc(workspace), 8 * size(workspace, kind=fdx_index), o%part, o%nparts)
    end function
  end subroutine

  subroutine apply_f32_1(self, u, y, status, lo, hi, accumulate, part, nparts)
    class(fdx_operator), intent(in), target :: self
    real(real32), intent(in), target :: u(:)
    real(real32), intent(inout), target :: y(:)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: accumulate
    call apply_views(self, [fdx_view(u)], [fdx_view(y)], status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine apply_f32_2(self, u, y, status, lo, hi, accumulate, part, nparts)
    class(fdx_operator), intent(in), target :: self
    real(real32), intent(in), target :: u(:, :)
    real(real32), intent(inout), target :: y(:, :)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: accumulate
    call apply_views(self, [fdx_view(u)], [fdx_view(y)], status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine apply_f32_3(self, u, y, status, lo, hi, accumulate, part, nparts)
    class(fdx_operator), intent(in), target :: self
    real(real32), intent(in), target :: u(:, :, :)
    real(real32), intent(inout), target :: y(:, :, :)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: accumulate
    call apply_views(self, [fdx_view(u)], [fdx_view(y)], status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine apply_f32_4(self, u, y, status, lo, hi, accumulate, part, nparts)
    class(fdx_operator), intent(in), target :: self
    real(real32), intent(in), target :: u(:, :, :, :)
    real(real32), intent(inout), target :: y(:, :, :, :)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: accumulate
    call apply_views(self, [fdx_view(u)], [fdx_view(y)], status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine apply_f64_1(self, u, y, status, lo, hi, accumulate, part, nparts)
    class(fdx_operator), intent(in), target :: self
    real(real64), intent(in), target :: u(:)
    real(real64), intent(inout), target :: y(:)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: accumulate
    call apply_views(self, [fdx_view(u)], [fdx_view(y)], status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine apply_f64_2(self, u, y, status, lo, hi, accumulate, part, nparts)
    class(fdx_operator), intent(in), target :: self
    real(real64), intent(in), target :: u(:, :)
    real(real64), intent(inout), target :: y(:, :)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: accumulate
    call apply_views(self, [fdx_view(u)], [fdx_view(y)], status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine apply_f64_3(self, u, y, status, lo, hi, accumulate, part, nparts)
    class(fdx_operator), intent(in), target :: self
    real(real64), intent(in), target :: u(:, :, :)
    real(real64), intent(inout), target :: y(:, :, :)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: accumulate
    call apply_views(self, [fdx_view(u)], [fdx_view(y)], status, lo, hi, accumulate, part, nparts)
  end subroutine

  subroutine apply_f64_4(self, u, y, status, lo, hi, accumulate, part, nparts)
    class(fdx_operator), intent(in), target :: self
    real(real64), intent(in), target :: u(:, :, :, :)
    real(real64), intent(inout), target :: y(:, :, :, :)
    integer(c_int), intent(out), optional :: status
    integer, intent(in), optional :: lo(:), hi(:), part, nparts
    real(real64), intent(in), optional :: accumulate
    call apply_views(self, [fdx_view(u)], [fdx_view(y)], status, lo, hi, accumulate, part, nparts)
  end subroutine

  pure logical function fits(self, ndim)
    class(options), intent(in) :: self
    integer, intent(in) :: ndim
    fits = allocated(self%lo) .eqv. allocated(self%hi)
    if (fits .and. allocated(self%lo)) fits = size(self%lo) == ndim .and. size(self%hi) == ndim
  end function
end module
