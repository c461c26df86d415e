! A wave on a ring: u_t + c u_x = 0 on [0, 1) with periodic ends, central differences of sixth order in space and the
! classical Runge-Kutta scheme in time. After one period the wave is where it was; the error is measured there.
!
!     gfortran -O2 ../../csrc/fdx.f90 advection.f90 libfdx.a -o advection && ./advection
program advection
  use, intrinsic :: iso_fortran_env, only: real64
  use fdx
  implicit none

  real(real64), parameter :: c = 1, pi = acos(-1.0_real64)
  real(real64) :: error, theory, coarser, order
  integer :: k, n

  coarser = 0
  do k = 1, 3
    n = 16 * 2**k
    error = error_after_a_period(n)
    ! The modified wavenumber of the differences is q (1 - (q h)^6 / 140): after a period, when c q t = 2 pi, the wave
    ! has a phase lag of 2 pi (q h)^6 / 140. The error of the time steps is far smaller.
    theory = 2 * pi * (2 * pi / n)**6 / 140
    write (*, '(i4, 2(a, es9.3))', advance='no') n, ' points: error ', error, ', in theory ', theory
    if (k > 1) then
      order = log(coarser / error) / log(2.0_real64)
      write (*, '(a, f4.2)', advance='no') ', order ', order
      if (order < 5.5_real64) error stop 'the order is too low'
    end if
    write (*, *)
    if (error > 1.1_real64 * theory) error stop 'the error is too large'
    coarser = error
  end do

contains

  ! The largest error of a sine after one period, on n points.
  real(real64) function error_after_a_period(n) result(error)
    integer, intent(in) :: n
    type(fdx_operator) :: ddx
    real(real64) :: x(n), u(n), stage(n), next(n), dt
    integer :: i, s, step, steps

    x = [(real(i, real64) / n, i=0, n - 1)]
    u = sin(2 * pi * x)
    call ddx%make([n], fdx_factor(axis=1, deriv=1, accuracy=6, boundary=FDX_PERIODIC, spacing=1.0_real64 / n))

    steps = n**2 / 4 ! dt ~ h^2: the error of the steps is O(h^8)
    dt = 1 / (c * steps)
    do step = 1, steps
      ! For a linear equation no sum of the four stages is needed: each begins at u, and the last is the new u.
      stage = u
      do s = 4, 1, -1
        next = u
        call ddx%apply(stage, next, alpha=-c * dt / s, beta=1.0_real64) ! next = next - c dt/s * d(stage)/dx, in one pass
        stage = next
      end do
      u = stage
    end do
    error = maxval(abs(u - sin(2 * pi * x)))
  end function
end program
