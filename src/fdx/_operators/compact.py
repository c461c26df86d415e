"""Compact schemes: derivatives that are solutions of A f' = B f, with banded A and B."""

from __future__ import annotations

import copyreg
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Never, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fdx._arguments.arrays import as_array
from fdx._arguments.choices import (
    BOUNDARIES,
    check_boundary,
    check_integer,
    check_one_axis,
    check_shape,
)
from fdx._common.text import name_of_type, shown
from fdx._common.types import Boundaries, Integers, Number
from fdx._core import compact_schemes
from fdx._operators import matrix
from fdx._operators.analysis import largest_eigenvalue
from fdx._operators.coefficients import as_coefficient
from fdx._operators.operator import Operator
from fdx._operators.plans import check_numbers
from fdx._operators.schemes import Stencil, points_along
from fdx._operators.solves import only_axis
from fdx._operators.terms import Leaf, Term, finite, state_of, terms_of

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator

# The boundary of the derivative, by that of the function: for order 1, for order 2.
OF_DERIVATIVE = {
    "one-sided": ("one-sided", "one-sided"),
    "periodic": ("periodic", "periodic"),
    "reflect": ("reflect-odd", "reflect"),
    "symmetric": ("antisymmetric", "symmetric"),
    "reflect-odd": ("reflect", "reflect-odd"),
    "antisymmetric": ("symmetric", "antisymmetric"),
}
LONG = 256  # points of an axis that has the eigenvalues of a longer one


class Compact:
    """
    A derivative along one axis by a compact scheme: more exact by the same neighbours.

    The derivatives of neighbouring points appear in each equation, ``A(f') = B(f)``, so that each
    derivative depends on all values of its line. Short waves are differentiated far more exactly
    than by `fdx.Diff` of the same accuracy.

    Parameters
    ----------
    axis : int
        The axis of the arrays that it is applied to; negative ones count from the last.
    spacing : float or array_like, optional
        The spacing, or evenly spaced coordinates.
    deriv : {1, 2}, optional
        The order of the derivative.
    accuracy : {4, 6, 8, 10}, optional
        The order of the error.
    boundary : str or tuple of str, optional
        "one-sided": closures of order 3 at the end, then 4, and for an accuracy above 6 then 6.
        "periodic"; or a mirror, at which the function is even, "reflect" and "symmetric", or odd,
        "reflect-odd" and "antisymmetric": `fdx.Diff` says where. A pair is (left, right).
    period : float, optional
        With coordinates and "periodic": the distance after which the axis repeats.

    Raises
    ------
    ValueError
        For another `deriv`, `accuracy` or `boundary`; coordinates that are not evenly spaced; a
        spacing that is 0 or not finite. An axis that is too short is an error when it is applied.
    TypeError
        For arguments that are not integers or real numbers.

    See Also
    --------
    fdx.Diff : Explicit differences, several times faster, of any accuracy, also for uneven
        coordinates.
    fdx.Operator.solve : The solution of such equations.

    Notes
    -----
    The schemes are those of Lele [1]_: tridiagonal A up to accuracy 8, pentadiagonal for 10. With
    "one-sided", errors are of order 3 at the end, and their mean modulus is of order 4. With
    closures of order 4 at the end advection with an inflow has growing modes, with these it has
    none.

    It is computed by `explicit`, then by the solution with `implicit`, two passes over the array:
    two to three times the time of an addition of arrays. Results do not depend on the number of
    workers, the layout or the processor. A constant gives exactly 0.

    ``c * D``, ``D / c`` and ``-D`` are multiples by real numbers. It is no sum of weights, so that
    it is not added to operators nor multiplied by them: ``D(u, out=y, beta=1)`` adds its result to
    `y`. Its two sides are operators: the solution of ``v - dt * D(v) = u``, an implicit step, is
    ``(D.implicit - dt * D.explicit).solve(D.implicit(u))``.

    References
    ----------
    .. [1] S. K. Lele, Compact finite difference schemes with spectral-like resolution, Journal of
       Computational Physics 103 (1992) 16-42.

    Examples
    --------
    Six points per wave:

    >>> import numpy as np, fdx
    >>> x = np.arange(12) * np.pi / 3
    >>> for D in fdx.Diff(0, np.pi / 3, accuracy=6, boundary="periodic"), fdx.Compact(
    ...     0, np.pi / 3, boundary="periodic"
    ... ):
    ...     print(D(np.sin(x))[0].round(4))
    0.9924
    0.9993
    """

    __array_ufunc__ = None

    def __init__(
        self,
        axis: SupportsIndex,
        spacing: ArrayLike = 1.0,
        *,
        deriv: SupportsIndex = 1,
        accuracy: SupportsIndex = 6,
        boundary: Boundaries = "one-sided",
        period: Number | None = None,
    ) -> None:
        axis = check_one_axis(axis)
        order = check_integer(deriv, "deriv", "1 or 2", 1)
        of_error = check_integer(accuracy, "accuracy", "4, 6, 8 or 10", 4)
        left, right = check_boundary(boundary)
        schemes = compact_schemes(order, of_error)
        if order > 2:
            raise ValueError(f"deriv: expected 1 or 2, got {order}; apply it twice, or fdx.Diff")
        if schemes is None:
            raise ValueError(f"accuracy: expected 4, 6, 8 or 10, got {of_error}")
        ends = BOUNDARIES[left], BOUNDARIES[right]
        for end in ends:
            if end not in OF_DERIVATIVE:
                expected = ", ".join(map(repr, OF_DERIVATIVE))
                raise ValueError(
                    f"boundary: expected one of {expected} for a compact scheme, got {end!r}; "
                    "fdx.Diff has it"
                )
        points = points_along(spacing, boundary, left, right, period)
        if points["coordinates"] is not None:
            raise ValueError(
                "spacing: expected evenly spaced coordinates, as compact schemes are for a uniform "
                f"grid, got {shown(spacing)}; write fdx.Diff, or the chain rule with a derivative "
                "on a uniform grid"
            )
        h = points["spacing"]
        with np.errstate(all="ignore"):
            power = np.float64(h) * (1 if order == 1 else h)  # the bits of ** are the C library's
            scale = float(1 / power)
        if scale == 0 or not np.isfinite(scale):
            raise ValueError(
                "spacing: expected one for which the weights neither over- nor underflow, got "
                f"{shown(spacing)} for deriv={order}"
            )
        grid = Leaf(axis=axis, deriv=order, accuracy=2, left=left, right=right, **points)
        of_derivative = [OF_DERIVATIVE[end][order - 1] for end in ends]
        of_a, of_b = (
            stencil(axis, scheme, boundaries)
            for scheme, boundaries in zip(schemes, (of_derivative, ends), strict=True)
        )
        known = grid if grid.points is not None or grid.period is not None else None
        self._set((axis, h, order, of_error, ends), known, (of_a, of_b._times(scale)), 1.0, False)

    def _set(
        self,
        scheme: tuple[int, float, int, int, tuple[str, str]],
        grid: Leaf | None,
        sides: tuple[Operator, Operator],
        scale: float,
        transposed: bool,
    ) -> None:
        self._scheme, self._grid, self._sides = scheme, grid, sides
        self._scale, self._transposed = scale, transposed
        self._key = scheme, None if grid is None else grid.key(), scale, transposed
        self._implicit, self._explicit = sides[0], sides[1]._times(scale)
        _, _, deriv, accuracy, ends = scheme
        closed = ends == ("one-sided", "one-sided")  # closures of fewer points have no inverse
        self._points = 1 if not closed else 6 if accuracy > 6 else 3 + deriv

    @property
    def implicit(self) -> Operator:
        """
        The operator A, which multiplies the derivatives.

        See Also
        --------
        explicit : The other side.

        Examples
        --------
        >>> import fdx
        >>> fdx.Compact(0, accuracy=4, boundary="periodic").implicit
        Stencil(0, [-1, 0, 1], [0.25, 1.0, 0.25], boundary='periodic')
            (f[i-1] + 4 f[i] + f[i+1]) / 4
        """
        return self._implicit

    @property
    def explicit(self) -> Operator:
        """
        The operator B, which multiplies the values.

        See Also
        --------
        implicit : The other side.

        Examples
        --------
        >>> import fdx
        >>> fdx.Compact(0, accuracy=4, boundary="periodic").explicit
        Stencil(0, [-1, 0, 1], [-0.75, 0.0, 0.75], boundary='periodic')
            3 / 4 (-f[i-1] + f[i+1])
        """
        return self._explicit

    def __call__(
        self,
        u: ArrayLike,
        *,
        out: NDArray[Any] | None = None,
        workers: SupportsIndex | None = None,
        alpha: float = 1,
        beta: float = 0,
    ) -> NDArray[Any]:
        """
        Differentiate an array.

        Parameters
        ----------
        u : array_like
            Integers, float32, float64, complex64 or complex128, in any layout.
        out, workers, alpha, beta
            As of `fdx.Operator.solve`.

        Returns
        -------
        ndarray
            `out`, or a new array: of the shape of `u`, and of its dtype if that is floating point,
            else float64.

        Raises
        ------
        ValueError, TypeError, numpy.exceptions.AxisError, FloatingPointError
            As `fdx.Operator.solve`.

        See Also
        --------
        fdx.Operator.solve : Its second step.

        Examples
        --------
        >>> import numpy as np, fdx
        >>> fdx.Compact(0, 0.5, deriv=2)(np.arange(8.0) ** 2).round(12)
        array([8., 8., 8., 8., 8., 8., 8., 8.])
        """
        check_numbers(alpha, beta, out)
        u = as_array(u, "u")
        n = u.shape[only_axis(self._implicit._terms, u.ndim)]
        if n < self._points:
            raise ValueError(
                f"axis {self._scheme[0]}: expected at least {self._points} points for {self}, "
                f"got {n}"
            )
        if self._grid is not None:
            self._grid.rows(n)  # which checks the number of coordinates, and the period
        if self._transposed:
            x = self._implicit.T.solve(u, workers=workers)
            return self._explicit.T(x, out=out, workers=workers, alpha=alpha, beta=beta)
        plain = alpha == 1 and beta == 0
        x = self._explicit(u, out=out if plain else None, workers=workers)
        where = x if out is None else out
        return self._implicit.solve(x, out=where, workers=workers, alpha=alpha, beta=beta)

    @property
    def T(self) -> Compact:
        """
        The transpose: ``(D(u) * v).sum() == (u * D.T(v)).sum()`` up to rounding.

        See Also
        --------
        as_linear_operator : For solvers, which need both.

        Examples
        --------
        >>> import numpy as np, fdx
        >>> D = fdx.Compact(0)
        >>> u, v = np.arange(8.0) ** 2, np.arange(8.0)
        >>> bool(np.isclose(v @ D(u), D.T(v) @ u))
        True
        """
        return self._changed(self._scale, not self._transposed)

    def _changed(self, scale: float, transposed: bool) -> Compact:
        new = object.__new__(Compact)
        new._set(self._scheme, self._grid, self._sides, scale, transposed)
        return new

    # -- algebra: multiples by numbers --

    def __rmul__(self, other: Number) -> Compact:
        c = as_coefficient(other)
        if not isinstance(c, float):
            raise TypeError("array * compact derivative: expected a number; write array * D(u)")
        return self._changed(finite(c * self._scale), self._transposed)

    __mul__ = __rmul__

    def __truediv__(self, other: Number) -> Compact:
        c = as_coefficient(other)
        if not isinstance(c, float):
            raise TypeError("compact derivative / array: expected a number; write D(u) / array")
        if c == 0:
            raise ZeroDivisionError("compact derivative / 0")
        return self._changed(finite(self._scale / c), self._transposed)

    def __neg__(self) -> Compact:
        return self._changed(-self._scale, self._transposed)

    def __pos__(self) -> Compact:
        return self

    def __add__(self, other: Never) -> Never:
        raise TypeError(
            f"sum of a compact derivative and {name_of_type(other)}: it is no sum of weights; "
            "write D(u, out=y, beta=1) to add its result to y, or D.implicit and D.explicit for "
            "systems to solve"
        )

    __radd__ = __sub__ = __rsub__ = __add__

    def __matmul__(self, other: Never) -> Never:
        raise TypeError(
            f"product of a compact derivative and {name_of_type(other)}: it is no sum of weights; "
            "write D(u) to apply it, D(L(u)) or L(D(u)) for one after the other"
        )

    __rmatmul__ = __matmul__

    def __pow__(self, n: Never) -> Never:
        raise TypeError(
            "power of a compact derivative: write fdx.Compact with deriv=2, or D(D(u)) to apply it "
            "twice"
        )

    if not TYPE_CHECKING:  # type checkers would take all names for attributes

        def __getattr__(self, name):
            more = ""
            if name == "matrix":
                more = (
                    "; its matrix is full: write D.as_linear_operator(shape), or "
                    "D.implicit.matrix(shape) and D.explicit.matrix(shape) for the two sides"
                )
            raise AttributeError(
                f"'Compact' object has no attribute {name!r}{more}", name=name, obj=self
            )

    def as_linear_operator(self, shape: Integers) -> LinearOperator:
        """
        The derivative for SciPy's iterative solvers.

        Parameters
        ----------
        shape : int or tuple of int
            Of the arrays that it is applied to; vectors are these arrays, ravelled in C order.

        Returns
        -------
        scipy.sparse.linalg.LinearOperator
            Of float64, with `T` as its adjoint.

        Raises
        ------
        ModuleNotFoundError
            Without SciPy.

        See Also
        --------
        fdx.Operator.as_linear_operator : Of operators.

        Examples
        --------
        >>> import numpy as np, fdx
        >>> fdx.Compact(0).as_linear_operator(6).matvec(np.arange(6.0)).round(12)
        array([1., 1., 1., 1., 1., 1.])
        """
        shape = check_shape(shape)
        return matrix.linear_operator(self, self.T, shape, shape)

    def symbol(self, k: ArrayLike) -> Any:
        """
        The factor by which it multiplies a wave, far from boundaries.

        Parameters
        ----------
        k : array_like
            Wavenumbers in radians per unit of the axis.

        Returns
        -------
        complex or ndarray of complex
            As of `fdx.Operator.symbol`, for the first derivative i times the modified wavenumber.

        Raises
        ------
        TypeError
            For wavenumbers that are not real.

        See Also
        --------
        fdx.Operator.symbol : Of explicit differences.

        Examples
        --------
        >>> import fdx
        >>> fdx.Compact(0, accuracy=10).symbol([0.0, 1.0, 2.0]).round(4)
        array([0.+0.j    , 0.+1.j    , 0.+1.9889j])
        """
        h = self._scheme[1]
        scaled = np.multiply(k, h) if not isinstance(k, (float, int)) else k * h
        above = self._explicit.symbol(scaled)
        below = self._implicit.symbol(scaled)
        return np.conj(above / below) if self._transposed else above / below

    def spectral_radius(self, shape: Integers) -> float:
        """
        The largest modulus of the eigenvalues for arrays of some shape.

        Parameters
        ----------
        shape : int or tuple of int
            Of the arrays that it is applied to.

        Returns
        -------
        float
            Boundaries included. For an axis of more than 256 points it is that of 256.

        Raises
        ------
        ValueError, numpy.exceptions.AxisError
            For an axis that is too short or missing.

        See Also
        --------
        fdx.Operator.spectral_radius : What it says of time steps.

        Examples
        --------
        >>> import fdx
        >>> round(fdx.Compact(0, 0.1, deriv=2, boundary="periodic").spectral_radius(100), 2)
        685.71
        """
        shape = check_shape(shape)
        axis = only_axis(self._implicit._terms, len(shape))
        n = min(shape[axis], LONG)
        along = Compact(0, self._scheme[1], **self._keywords())
        return abs(self._scale) * largest_eigenvalue(along(np.eye(n)))

    def _keywords(self) -> dict[str, Any]:
        _, _, deriv, accuracy, (left, right) = self._scheme
        boundary = left if left == right else (left, right)
        return {"deriv": deriv, "accuracy": accuracy, "boundary": boundary}

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Compact) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __reduce__(self) -> tuple[Any, ...]:
        new = copyreg.__newobj__  # type: ignore[attr-defined]
        axis, h, *_ = self._scheme
        grid = () if self._grid is None else state_of([Term(1.0, (self._grid,))])
        return new, (Compact,), (axis, h, self._keywords(), grid, self._scale, self._transposed)

    def __setstate__(self, state: Any) -> None:
        axis, h, keywords, grid, scale, transposed = state
        made = Compact(axis, h, **keywords)
        leaf = next((term.factors[0] for term in terms_of(grid)), None)
        known = leaf if isinstance(leaf, Leaf) else None
        self._set(made._scheme, known, made._sides, scale, transposed)

    def __repr__(self) -> str:
        axis, h, deriv, accuracy, (left, right) = self._scheme
        known = self._grid
        given = [str(axis)]
        if known is not None and known.points is not None:
            given.append(f"<{known.points} coordinates>")
        elif h != 1:
            given.append(repr(h))
        if deriv > 1:
            given.append(f"deriv={deriv}")
        if accuracy != 6:
            given.append(f"accuracy={accuracy}")
        if (left, right) != ("one-sided", "one-sided"):
            given.append(f"boundary={left if left == right else (left, right)!r}")
        if known is not None and known.period is not None:
            given.append(f"period={known.period!r}")
        number = {1.0: "", -1.0: "-"}.get(self._scale, f"{self._scale!r} * ")
        return f"{number}Compact({', '.join(given)})" + ".T" * self._transposed


def stencil(axis: int, scheme: Any, boundaries: Sequence[str]) -> Operator:
    """One side of a scheme; its rows are for the ends that are one-sided."""
    offset, weights, first, last = scheme
    left, right = boundaries
    given = "one-sided" in boundaries
    others: Any = tuple("valid" if b == "one-sided" else b for b in boundaries)
    return Stencil(
        axis,
        range(offset, offset + len(weights)),
        weights,
        left=None if not given else first if left == "one-sided" else (),
        right=None if not given else last if right == "one-sided" else (),
        boundary=others,
    )
