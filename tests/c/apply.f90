! apply CASES RESULTS: computes the cases in a file of binary records through csrc/fdx.f90, and writes the bytes of the
! results. Records are int64 and float64 numbers and arrays in C order; their layouts are described where they are read.
! A C-contiguous array of shape (n0, ..., nk) is the array a(nk, ..., n0) here: axis a is dimension ndim - a. All arrays
! are passed as views; arrays.f90 passes them by themselves.
program apply
  use, intrinsic :: iso_fortran_env, only: int64, real32, real64
  use fdx
  implicit none

  ! An array of either type and kind, and its shape in Fortran's order.
  type :: numbers
    integer, allocatable :: shape(:)
    real(real32), allocatable :: s(:)
    real(real64), allocatable :: d(:)
    complex(real32), allocatable :: c(:)
    complex(real64), allocatable :: z(:)
  end type

  integer, parameter :: MAXFACTORS = 16 ! of a term
  integer :: cases, results

  open (newunit=cases, file=argument(1), access='stream', form='unformatted', status='old', action='read')
  open (newunit=results, file=argument(2), access='stream', form='unformatted', status='replace', action='write')
  do
    select case (next())
    case (0)
      exit
    case (1)
      call gradients()
    case (2)
      call an_operator()
    case (3)
      call weights()
    case (4)
      call solve()
    case (5)
      call compact()
    case default
      error stop 'no such kind of record'
    end select
  end do
  close (results)

contains

  ! ---- kinds of records ----

  ! dtype, ndim, shape[ndim], edge_order, naxes; for each axis, nx (0: uniform), spacing, x[nx]; the input.
  subroutine gradients()
    integer :: dtype, edge_order, naxes, k, nx
    integer, allocatable :: shape(:), axis(:)
    real(real64), allocatable :: spacing(:)
    type(fdx_factor), allocatable :: factors(:)
    type(numbers), target :: f, df
    dtype = next()
    shape = next_shape(next())
    edge_order = next()
    naxes = next()
    allocate (axis(naxes), spacing(naxes), factors(naxes))
    do k = 1, naxes
      axis(k) = size(shape) - next()
      nx = next()
      spacing(k) = next_real()
      if (nx > 0) factors(k)%x = next_reals(nx)
    end do
    f = next_array(dtype, shape)
    do k = 1, naxes
      df = f
      if (allocated(factors(k)%x)) then
        call fdx_gradient(view(f), view(df), axis(k), x=factors(k)%x, edge_order=edge_order)
      else
        call fdx_gradient(view(f), view(df), axis(k), spacing(k), edge_order=edge_order)
      end if
      call put(df)
    end do
  end subroutine

  ! dtype, ndim, shape[ndim], transposed, boxed, lo[ndim], hi[ndim], adds, alpha, beta, the terms, ninputs, noutputs,
  ! in_shape[ndim], out_shape[ndim], the inputs, the outputs as they are before.
  subroutine an_operator()
    integer :: dtype, k, ninputs, noutputs
    logical :: transposed, boxed, adds
    integer, allocatable :: shape(:), in_shape(:), out_shape(:), lo(:), hi(:)
    real(real64), allocatable :: alpha, beta
    type(numbers), allocatable, target :: u(:), y(:), coefficients(:)
    type(fdx_operator) :: op
    dtype = next()
    shape = next_shape(next())
    transposed = next() /= 0
    boxed = next() /= 0
    lo = next_shape(size(shape)) + 1
    hi = next_shape(size(shape))
    if (.not. boxed) deallocate (lo, hi)
    adds = next() /= 0
    alpha = next_real()
    beta = next_real()
    if (.not. adds) deallocate (alpha, beta)
    call make_next(op, shape, coefficients, transposed)
    ninputs = next()
    noutputs = next()
    in_shape = next_shape(size(shape))
    out_shape = next_shape(size(shape))
    if (any(op%in_shape() /= in_shape)) error stop 'inputs of another shape are expected'
    if (any(op%out_shape() /= out_shape)) error stop 'outputs of another shape are expected'
    allocate (u(ninputs), y(noutputs))
    do k = 1, ninputs
      u(k) = next_array(dtype, in_shape)
    end do
    do k = 1, noutputs
      y(k) = next_array(dtype, out_shape)
    end do
    ! What is not allocated is not present.
    call op%apply([(view(u(k)), k=1, ninputs)], [(view(y(k)), k=1, noutputs)], lo=lo, hi=hi, alpha=alpha, beta=beta)
    do k = 1, noutputs
      call put(y(k))
    end do
  end subroutine

  ! nterms, the terms. `coefficients` are theirs.
  subroutine make_next(op, shape, coefficients, transposed)
    type(fdx_operator), intent(inout) :: op
    integer, intent(in) :: shape(:)
    type(numbers), allocatable, target, intent(out) :: coefficients(:)
    logical, intent(in) :: transposed
    type(fdx_term), allocatable :: terms(:)
    integer :: k
    allocate (terms(next()))
    allocate (coefficients(MAXFACTORS*size(terms)))
    do k = 1, size(terms)
      terms(k) = next_term(size(shape), coefficients(MAXFACTORS*(k - 1) + 1:MAXFACTORS*k))
    end do
    call op%make(shape, terms, transposed=transposed)
  end subroutine

  ! dtype, n, the terms, ndim, shape[ndim], axis, in place, adds, alpha, beta, the array on the right, and unless in place
  ! the solution as it is before.
  subroutine solve()
    integer :: dtype, axis
    logical :: in_place, adds
    integer, allocatable :: shape(:)
    real(real64), allocatable :: alpha, beta
    type(numbers), target :: b, x
    type(numbers), allocatable, target :: coefficients(:)
    type(fdx_operator) :: op
    type(fdx_solver) :: first, solver
    dtype = next()
    call make_next(op, [next()], coefficients, .false.)
    call first%make(op)
    solver = first
    shape = next_shape(next())
    axis = size(shape) - next()
    in_place = next() /= 0
    adds = next() /= 0
    alpha = next_real()
    beta = next_real()
    if (.not. adds) deallocate (alpha, beta)
    b = next_array(dtype, shape)
    if (in_place) then
      call solver%solve(view(b), view(b), axis, alpha=alpha, beta=beta)
      call put(b)
    else
      x = next_array(dtype, shape)
      call solver%solve(view(b), view(x), axis, alpha=alpha, beta=beta)
      call put(x)
    end if
  end subroutine

  ! dtype, deriv, accuracy, periodic, ndim, shape[ndim], axis, spacing, f.
  subroutine compact()
    integer :: dtype, deriv, accuracy
    logical :: periodic
    integer, allocatable :: shape(:)
    type(fdx_factor) :: a, b
    type(fdx_operator) :: of_a, of_b
    type(fdx_solver) :: solver
    type(numbers), target :: f, df
    dtype = next()
    deriv = next()
    accuracy = next()
    call fdx_compact(deriv, accuracy, a, b)
    periodic = next() /= 0
    shape = next_shape(next())
    b%axis = size(shape) - next()
    b%scale = 1/next_real()**deriv
    f = next_array(dtype, shape)
    if (periodic) then
      deallocate (a%first, a%last, b%first, b%last)
      a%boundary = FDX_PERIODIC
      b%boundary = FDX_PERIODIC
    end if
    call of_a%make([shape(b%axis)], a)
    call of_b%make(shape, b)
    call solver%make(of_a)
    df = f
    call of_b%apply([view(f)], [view(df)])
    call solver%solve(view(df), view(df), b%axis)
    call put(df)
  end subroutine

  ! in, out, nfactors, scale; for each factor axis, deriv, accuracy, left, right, nx, crop[2], transposed, a number that
  ! is for C, dtype of the coefficient (0: none), sign, position, side, offset, nweights, nfirst, nlast, width, datum, outside[2],
  ! value and slope of the condition at either end, scale, spacing, period, eps (not 0: coordinates that are even in that precision count as a spacing), x[nx], weights[nweights],
  ! first[nfirst][width], last[nlast][width], nat, at[nat], and if it has a coefficient shape[ndim], coefficient[shape].
  type(fdx_term) function next_term(ndim, coefficients) result(term)
    integer, intent(in) :: ndim
    type(numbers), intent(inout), target :: coefficients(:)
    integer :: j, k, nx, nat, dtype, for_c, nweights, nfirst, nlast, width
    real(real64) :: scale, eps
    term%in = next() + 1
    term%out = next() + 1
    allocate (term%factor(next()))
    scale = next_real()
    do k = 1, size(term%factor)
      associate (p => term%factor(k))
        p%axis = ndim - next()
        p%deriv = next()
        p%accuracy = next()
        p%boundary(1) = next()
        p%boundary(2) = next()
        nx = next()
        p%crop(1) = next()
        p%crop(2) = next()
        p%transposed = next() /= 0
        for_c = next()
        dtype = next()
        p%sign = next()
        p%position = next()
        p%side = next()
        p%offset = next()
        nweights = next()
        nfirst = next()
        nlast = next()
        width = next()
        p%datum = next()
        p%condition(1)%outside = next()
        p%condition(2)%outside = next()
        do j = 1, 2
          p%condition(j)%value = next_real()
          p%condition(j)%slope = next_real()
        end do
        p%scale = next_real()
        p%spacing = next_real()
        p%period = next_real()
        eps = next_real()
        if (nx > 0) p%x = next_reals(nx)
        if (nweights > 0) p%weights = next_reals(nweights)
        if (nfirst > 0) p%first = reshape(next_reals(nfirst*width), [width, nfirst])
        if (nlast > 0) p%last = reshape(next_reals(nlast*width), [width, nlast])
        nat = next()
        if (nat > 0) p%at = next_reals(nat)
        if (eps > 0) then
          p%spacing = fdx_even_spacing_c(p%x, int(nx, fdx_index), eps, p%period, eps)
          if (p%spacing > 0 .or. p%spacing < 0) deallocate (p%x)
        end if
        if (dtype /= 0) then
          coefficients(k) = next_array(dtype, next_shape(ndim))
          p%coefficient = view(coefficients(k))
        end if
      end associate
    end do
    term%factor(1)%scale = scale*term%factor(1)%scale
  end function

  ! n, deriv, at, x[n].
  subroutine weights()
    integer :: n, deriv
    real(real64) :: at
    real(real64), allocatable :: x(:), w(:)
    n = next()
    deriv = next()
    at = next_real()
    x = next_reals(n)
    allocate (w(n))
    call fdx_weights(w, x, at, deriv)
    write (results) w
  end subroutine

  ! A view of the shape of an array.
  type(fdx_view) function view(a)
    type(numbers), intent(in), target :: a
    real(real32), pointer :: f2(:, :), f3(:, :, :), f4(:, :, :, :)
    real(real64), pointer :: u2(:, :), u3(:, :, :), u4(:, :, :, :)
    complex(real32), pointer :: v2(:, :), v3(:, :, :), v4(:, :, :, :)
    complex(real64), pointer :: w2(:, :), w3(:, :, :), w4(:, :, :, :)
    associate (n => a%shape)
      select case (merge(10, 0, allocated(a%d)) + merge(20, 0, allocated(a%c)) + merge(30, 0, allocated(a%z)) + size(n))
      case (1)
        view = fdx_view(a%s)
      case (2)
        f2(1:n(1), 1:n(2)) => a%s
        view = fdx_view(f2)
      case (3)
        f3(1:n(1), 1:n(2), 1:n(3)) => a%s
        view = fdx_view(f3)
      case (4)
        f4(1:n(1), 1:n(2), 1:n(3), 1:n(4)) => a%s
        view = fdx_view(f4)
      case (11)
        view = fdx_view(a%d)
      case (12)
        u2(1:n(1), 1:n(2)) => a%d
        view = fdx_view(u2)
      case (13)
        u3(1:n(1), 1:n(2), 1:n(3)) => a%d
        view = fdx_view(u3)
      case (14)
        u4(1:n(1), 1:n(2), 1:n(3), 1:n(4)) => a%d
        view = fdx_view(u4)
      case (21)
        view = fdx_view(a%c)
      case (22)
        v2(1:n(1), 1:n(2)) => a%c
        view = fdx_view(v2)
      case (23)
        v3(1:n(1), 1:n(2), 1:n(3)) => a%c
        view = fdx_view(v3)
      case (24)
        v4(1:n(1), 1:n(2), 1:n(3), 1:n(4)) => a%c
        view = fdx_view(v4)
      case (31)
        view = fdx_view(a%z)
      case (32)
        w2(1:n(1), 1:n(2)) => a%z
        view = fdx_view(w2)
      case (33)
        w3(1:n(1), 1:n(2), 1:n(3)) => a%z
        view = fdx_view(w3)
      case (34)
        w4(1:n(1), 1:n(2), 1:n(3), 1:n(4)) => a%z
        view = fdx_view(w4)
      end select
    end associate
  end function

  ! ---- files ----

  function argument(k) result(text)
    integer, intent(in) :: k
    character(:), allocatable :: text
    integer :: length
    call get_command_argument(k, length=length)
    allocate (character(length) :: text)
    call get_command_argument(k, text)
  end function

  integer function next()
    integer(int64) :: i
    read (cases) i
    next = int(i)
  end function

  real(real64) function next_real()
    read (cases) next_real
  end function

  function next_reals(n) result(x)
    integer, intent(in) :: n
    real(real64) :: x(n)
    read (cases) x
  end function

  ! One number for each dimension, from C's order to this language's.
  function next_shape(ndim) result(shape)
    integer, intent(in) :: ndim
    integer :: shape(ndim), d
    do d = ndim, 1, -1
      shape(d) = next()
    end do
  end function

  type(numbers) function next_array(dtype, shape) result(a)
    integer, intent(in) :: dtype, shape(:)
    allocate (a%shape, source=shape)
    select case (dtype)
    case (FDX_F32)
      allocate (a%s(elements(shape)))
      read (cases) a%s
    case (FDX_F64)
      allocate (a%d(elements(shape)))
      read (cases) a%d
    case (FDX_C64)
      allocate (a%c(elements(shape)))
      read (cases) a%c
    case (FDX_C128)
      allocate (a%z(elements(shape)))
      read (cases) a%z
    case default
      error stop 'no such dtype'
    end select
  end function

  subroutine put(a)
    type(numbers), intent(in) :: a
    if (allocated(a%s)) write (results) a%s
    if (allocated(a%d)) write (results) a%d
    if (allocated(a%c)) write (results) a%c
    if (allocated(a%z)) write (results) a%z
  end subroutine

  pure integer function elements(shape)
    integer, intent(in) :: shape(:)
    elements = product(shape)
  end function
end program
