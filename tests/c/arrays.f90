! All kinds of arrays that Fortran passes to csrc/fdx.f90, of the type that NUMBER names (-cpp
! -DNUMBER=complex(real32)): sections, reversed, empty, pointers, expressions and so on. Results have the bits that
! contiguous copies give, and nothing else is written to.
program arrays
  use, intrinsic :: iso_fortran_env, only: error_unit, real32, real64
  use fdx
  implicit none

  type :: point
    NUMBER :: f, g, h(3)
  end type

  real(real64) :: random(2, 7, 6, 5, 4) ! two for each complex number
  NUMBER, target :: u(7, 6, 5, 4), y(7, 6, 5, 4), wanted(7, 6, 5, 4)
  NUMBER, parameter :: untouched = -1
  logical :: failed = .false.

  call random_number(random)
  u = reshape(transfer(real(random, kind(u)), u), shape(u))
  y = untouched
  wanted = untouched
  call sections()
  call components()
  call pointers()
  call allocatables()
  call expressions()
  call dummies(u(:, :, 1, 1), y(:, :, 1, 1), u(2:6:2, ::5, 1, 1), y(5:1:-2, 2:3, 1, 1), 7)
  call without_elements()
  call solutions()
  call refused()
  call types()
  call assumed_size(u)
  if (failed) error stop 'arrays'

contains

  subroutine expect(what, is_true)
    character(*), intent(in) :: what
    logical, intent(in) :: is_true
    if (is_true) return
    write (error_unit, '(2a)') 'FAILED: ', what
    failed = .true.
  end subroutine

  elemental logical function same(a, b)
    NUMBER, intent(in) :: a, b
    same = all(transfer(a, [0]) == transfer(b, [0]))
  end function

  subroutine compare(what)
    character(*), intent(in) :: what
    call expect(what, all(same(y, wanted)))
    call expect(what // ': nothing was computed', .not. all(same(y, untouched)))
    y = untouched
    wanted = untouched
  end subroutine

  ! g = the gradient of f plus half its second derivative, along a dimension. Arrays arrive as the caller passes them.
  subroutine derivatives(f, g, axis)
    NUMBER, intent(in), target :: f(..)
    NUMBER, intent(inout), target :: g(..)
    integer, intent(in) :: axis
    type(fdx_operator) :: op
    call op%make(shape(f), fdx_factor(axis=axis, deriv=2))
    call fdx_gradient(f, g, axis)
    call op%apply(f, g, alpha=0.5_real64, beta=1.0_real64)
  end subroutine

  subroutine sections()
    NUMBER :: f1(6), g1(6), f2(4, 5), g2(4, 5), f3(3, 4, 4), g3(3, 4, 4), f4(3, 3, 1, 4), g4(3, 3, 1, 4)
    f1 = u(2, 6:1:-1, 3, 4)
    g1 = -1
    call derivatives(f1, g1, 1)
    call derivatives(u(2, 6:1:-1, 3, 4), y(7, :, 1, 2), 1)
    wanted(7, :, 1, 2) = g1
    call compare('rank 1')

    f2 = u(7:1:-2, 2, :, 3)
    g2 = -1
    call derivatives(f2, g2, 2)
    call derivatives(u(7:1:-2, 2, :, 3), y(2, 4:1:-1, :, 1), 2)
    wanted(2, 4:1:-1, :, 1) = g2
    call compare('rank 2')
    call derivatives(u([7, 5, 3, 1], 2, :, 3), y(1:4, 2, :, 1), 2)
    wanted(1:4, 2, :, 1) = g2
    call compare('indices in a vector')

    f3 = u(2:6:2, 5:2:-1, 3, :)
    g3 = -1
    call derivatives(f3, g3, 2)
    call derivatives(u(2:6:2, 5:2:-1, 3, :), y(7:3:-2, 2:5, 4:1:-1, 4), 2)
    wanted(7:3:-2, 2:5, 4:1:-1, 4) = g3
    call compare('rank 3')

    f4 = u(7:1:-3, ::2, 2:2, 4:1:-1)
    g4 = -1
    call derivatives(f4, g4, 4)
    call derivatives(u(7:1:-3, ::2, 2:2, 4:1:-1), y(2:4, 6:1:-2, 5:5, :), 4)
    wanted(2:4, 6:1:-2, 5:5, :) = g4
    call compare('rank 4, with an extent of 1')
    call fdx_gradient(u(7:1:-3, ::2, 2:2, 4:1:-1), g4, 4)
    call fdx_gradient(fdx_view(u(7:1:-3, ::2, 2:2, 4:1:-1)), fdx_view(y(2:4, 6:1:-2, 5:5, :)), 4)
    wanted(2:4, 6:1:-2, 5:5, :) = g4
    call compare('views')
  end subroutine

  ! Elements that are further apart than they are long.
  subroutine components()
    type(point), target :: points(6, 5)
    NUMBER :: g(6, 5)
    integer :: k
    points%f = u(1, :, :, 1)
    points%g = -1
    do k = 1, 3
      points%h(k) = -1
    end do
    call derivatives(u(1, :, :, 1), g, 1)
    call derivatives(points(6:1:-1, :)%f, points(6:1:-1, :)%h(2), 1)
    wanted(1, :, :, 1) = points%h(2)
    call derivatives(points%f, y(1, :, :, 1), 1)
    call expect('components', all(same(points%g, untouched)))
    call expect('components', all(same(points%h(1), untouched)) .and. all(same(points%h(3), untouched)))
    wanted(1, :, :, 1) = g
    call compare('components')
  end subroutine

  ! With bounds of their own.
  subroutine pointers()
    NUMBER, pointer :: f(:, :), g(:, :)
    NUMBER :: h(6, 5)
    call derivatives(u(1, :, :, 1), h, 2)
    f(0:, -7:) => u(1, :, :, 1)
    g(-3:, 9:) => y(4, :, 5:1:-1, 2)
    call derivatives(f, g, 2)
    wanted(4, :, 5:1:-1, 2) = h
    call compare('pointers')
    call derivatives(u(1, 2, :, 1), h(1, :), 1)
    call derivatives(f(1, :), g(2, :), 1)
    wanted(4, 6, 5:1:-1, 2) = h(1, :)
    call compare('sections of pointers')
    f(0:6, 0:5) => u(:, :, 1, 1)
    g(0:6, 0:5) => y(:, :, 2, 2)
    call derivatives(u(:, :, 1, 1), wanted(:, :, 2, 2), 1)
    call derivatives(f, g, 1)
    call compare('pointers to contiguous arrays')
  end subroutine

  subroutine allocatables()
    NUMBER, allocatable :: f(:, :), g(:, :)
    allocate (f(0:6, -5:0), g(3:9, 3:8))
    f = u(:, :, 1, 1)
    g = -1
    call derivatives(f, g, 1)
    y(:, :, 1, 1) = g
    call derivatives(u(:, :, 1, 1), wanted(:, :, 1, 1), 1)
    call compare('allocatable arrays')
    call derivatives(f(6:0:-1, :), y(:, :, 1, 1), 1)
    call derivatives(u(7:1:-1, :, 1, 1), wanted(:, :, 1, 1), 1)
    call compare('sections of allocatable arrays')
  end subroutine

  ! gfortran's descriptors of expressions have other lower bounds than 1.
  subroutine expressions()
    NUMBER :: f(5, 6)
    f = 2 * transpose(u(1, :, :, 1))
    call derivatives(f, wanted(1:5, :, 2, 2), 1)
    call derivatives(2 * transpose(u(1, :, :, 1)), y(1:5, :, 2, 2), 1)
    call compare('a product with a transpose')
    call derivatives(f, wanted(1:5, :, 2, 2), 1)
    call derivatives((f), y(1:5, :, 2, 2), 1)
    call compare('an array in parentheses')
    f = transpose(u(1, :, :, 1))
    call derivatives(f, wanted(1:5, :, 2, 2), 2)
    call derivatives(transpose(u(1, :, :, 1)), y(1:5, :, 2, 2), 2)
    call compare('a transpose')
    call derivatives(u(2, :, 3, 4), wanted(7, :, 1, 2), 1)
    call derivatives([u(2, :3, 3, 4), u(2, 4:, 3, 4)], y(7, :, 1, 2), 1)
    call compare('an array of elements')
    call derivatives(u(:, :, :4, 1), wanted(:, :, :4, 2), 3)
    call derivatives(reshape(u(:, :, :4, 1), [7, 6, 4]), y(:, :, :4, 2), 3)
    call compare('an array of another shape')
    call derivatives(u, wanted, 3)
    call derivatives(1 * u, y, 3)
    call compare('rank 4')
    call fdx_gradient(u(:, :, 1, 1), wanted(:, :, 2, 2), 1)
    call fdx_gradient(1 * u(:, :, 1, 1), y(:, :, 2, 2), 1)
    call compare('without another procedure between')
  end subroutine

  ! With bounds of their own, of a shape that is assumed or explicit.
  subroutine dummies(f, g, section, into, n)
    integer, intent(in) :: n
    NUMBER, intent(in) :: f(0:n - 1, -5:0), section(-1:, 7:)
    NUMBER, intent(inout) :: g(0:n - 1, -5:0), into(-1:, 7:)
    NUMBER :: h(3, 2)
    call derivatives(f, g, 2)
    call derivatives(u(:, :, 1, 1), wanted(:, :, 1, 1), 2)
    call compare('arrays of explicit shape')
    h = section
    call fdx_gradient(h, wanted(5:1:-2, 2:3, 1, 1), 2)
    call fdx_gradient(section, into, 2)
    call compare('arrays of assumed shape')
  end subroutine

  subroutine without_elements()
    NUMBER :: f(0, 6), g(0, 6), none(4, 0, 3)
    type(fdx_operator) :: op
    call derivatives(f, g, 2)
    call derivatives(u(7:6, :, 1, 1), y(1:0, :, 1, 1), 2)
    call derivatives(none, y(1:4, 6:1, 2:4, 1), 1)
    call op%make([7, 0, 5], fdx_factor(axis=1))
    call op%apply(u(:, 2:1, :, 1), y(:, 1:0, :, 2))
    call expect('arrays without elements', all(same(y, untouched)))
  end subroutine

  ! Solves of sections: those of contiguous copies, whose product with the matrix is the array on the right.
  subroutine solutions()
    type(fdx_operator) :: op, there
    type(fdx_solver) :: first, copied
    NUMBER, target :: b(6, 4), x(6, 4), product(6, 4)
    integer :: s
    type(fdx_pivot) :: failed
    type(fdx_term) :: terms(2)
    allocate (terms(1)%factor(1), terms(2)%factor(1))
    terms(1)%factor(1)%deriv = 0
    terms(2)%factor(1)%deriv = 2
    terms(2)%factor(1)%scale = -0.25_real64
    call op%make([6], terms)
    call there%make([6, 4], terms)
    call first%solve(u(:, 1, 1, 1), y(:, 1, 1, 1), 1, status=s)
    call expect('a solver that was not made', s == FDX_E_UNMADE)
    call first%make(op)
    copied = first
    call copied%make(there, status=s, failed=failed)
    call expect('an operator of two dimensions', s == FDX_E_NDIM .and. failed%point == 0)
    call first%make(op, failed=failed)
    call expect('no point failed', failed%point == 0)
    b = u(2, :, 4:1:-1, 3)
    x = -1
    call first%solve(b, x, 1)
    call there%apply(x, product)
    call expect('a solution', all(abs(product - b) < 1e-5))
    call copied%solve(u(2, :, 4:1:-1, 3), y(6:1:-1, 1, 2:5, 4), 1)
    call expect('a solution of a section', all(same(y(6:1:-1, 1, 2:5, 4), x)))
    y(6:1:-1, 1, 2:5, 4) = -1
    call expect('something else was written', all(same(y, untouched)))
    product = b
    call copied%solve(fdx_view(product), fdx_view(product), 1, alpha=2.0_real64, beta=0.0_real64)
    call expect('in place', all(same(product, 2*x)))
    call copied%solve(b, x, 2, status=s)
    call expect('another length', s == FDX_E_SIZE)
    call copied%solve(b, x, 3, status=s)
    call expect('no such dimension', s == FDX_E_AXIS)
    call copied%solve(b, x(:, :3), 1, status=s)
    call expect('different shapes', s == FDX_E_CONFORM)
    call copied%solve(b, x, 1, part=2, nparts=1, status=s)
    call expect('no such part', s == FDX_E_PART)
    terms(1)%factor(1)%scale = 1e-30_real64
    terms(2)%factor(1)%boundary = FDX_PERIODIC
    call op%make([6], terms)
    call copied%make(op, status=s, failed=failed)
    call expect('a singular matrix', s == FDX_E_SINGULAR .and. failed%point >= 1 .and. failed%point <= 6)
    call expect('how nearly', failed%condition > 1e14_real64 .and. failed%size > abs(failed%pivot))
    x = -1
    call copied%solve(b, x, 1, status=s) ! it stayed what it was
    call there%apply(x, product)
    call expect('a solution after an error', s == FDX_OK .and. all(abs(product - b) < 1e-5))
  end subroutine

  subroutine refused()
    NUMBER, target :: f(7, 6, 5, 2, 2), g(7, 6, 5, 2, 2)
    type(fdx_operator) :: op
    integer :: s
    f = 0
    g = 0
    call op%make([7], fdx_factor(axis=1))
    call fdx_gradient(f, g, 1, status=s)
    call expect('five dimensions', s == FDX_E_NDIM)
    call op%apply(f, g, status=s)
    call expect('five dimensions', s == FDX_E_CONFORM)
    call fdx_gradient(u(1, 1, 1, 1), y(1, 1, 1, 1), 1, status=s)
    call expect('no dimension', s == FDX_E_NDIM)
    call op%apply(u(1, 1, 1, 1), y(1, 1, 1, 1), status=s)
    call expect('no dimension', s == FDX_E_CONFORM)
    call fdx_gradient(u(:, :, 1, 1), y(:, 1, 1, 1), 1, status=s)
    call expect('different ranks', s == FDX_E_CONFORM)
    call fdx_gradient(u(:, 1, 1, 1), y(:6, 1, 1, 1), 1, status=s)
    call expect('different lengths', s == FDX_E_CONFORM)
    call expect(fdx_message(FDX_E_NDIM), fdx_message(FDX_E_NDIM) == 'the rank of an array is not in 1 .. 4')
  end subroutine

  ! Both arrays have to be of one type and kind, which only views can violate; coefficients are real.
  subroutine types()
    real(real32), target :: f32(6, 2)
    real(real64), target :: f64(6, 2)
    complex(real32), target :: c64(6, 2)
    complex(real64), target :: c128(6, 2)
    real(real64), pointer :: re(:), im(:)
    type(fdx_view) :: from(4), to(4)
    type(fdx_factor) :: one
    type(fdx_operator) :: op
    type(fdx_solver) :: solver
    integer :: i, k, s(3)
    f64 = spread([1, 4, 9, 16, 25, 36], 2, 2)
    f32 = real(f64, real32)
    c64 = f32
    c128 = f64
    from = [fdx_view(f32(:, 1)), fdx_view(f64(:, 1)), fdx_view(c64(:, 1)), fdx_view(c128(:, 1))]
    to = [fdx_view(f32(:, 2)), fdx_view(f64(:, 2)), fdx_view(c64(:, 2)), fdx_view(c128(:, 2))]
    one%deriv = 0
    one%scale = 2
    call op%make([6], one)
    call solver%make(op)
    do i = 1, 4
      do k = 1, 4
        if (i == k) cycle
        call op%apply([from(i)], [to(k)], status=s(1))
        call solver%solve(from(i), to(k), 1, status=s(2))
        call fdx_gradient(from(i), to(k), 1, status=s(3))
        call expect('arrays of different types', all(s == FDX_E_DTYPE))
      end do
      one%coefficient = from(i)
      call op%make([6], one, status=s(1))
      call expect('coefficients are real', s(1) == merge(FDX_OK, FDX_E_DTYPE, i <= 2))
    end do
    call expect('outputs are as they were', all(abs(f32(:, 2) - f32(:, 1)) <= 0) .and. &
      all(abs(f64(:, 2) - f64(:, 1)) <= 0) .and. all(abs(c64(:, 2) - c64(:, 1)) <= 0) .and. &
      all(abs(c128(:, 2) - c128(:, 1)) <= 0))
    re => c128(:, 1)%re
    im => c128(:, 2)%im
    call fdx_gradient(re, im, 1)
    call fdx_gradient(f64(:, 1), f64(:, 2), 1)
    call expect('parts of complex numbers', all(abs(c128(:, 2) - cmplx(f64(:, 1), f64(:, 2), real64)) <= 0))
  end subroutine

  ! An array without a last extent; but its sections have one.
  subroutine assumed_size(f)
    NUMBER, intent(in) :: f(7, *)
    integer :: s
    call fdx_gradient(f, y(:, :, 1, 1), 1, status=s)
    call expect('assumed size', s == FDX_E_CONFORM)
    call expect('y is written to', all(same(y, untouched)))
    call derivatives(f(:, :6), y(:, :, 1, 1), 2)
    call derivatives(u(:, :, 1, 1), wanted(:, :, 1, 1), 2)
    call compare('a section of an array of assumed size')
  end subroutine
end program
