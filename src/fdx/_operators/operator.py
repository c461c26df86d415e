"""Operators as values: derivatives along axes, their sums, products, multiples and transposes.

An operator is a sum of terms. Products of sums are expanded."""

from __future__ import annotations

import contextlib
import copyreg
import math
import numbers
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Never, SupportsIndex, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fdx._arguments.arrays import as_array, result_dtype
from fdx._arguments.choices import CENTER, as_index, check_integer, check_shape
from fdx._common.text import name_of_type, shown
from fdx._common.types import Integers, Number
from fdx._core import Applicable, Plan, Solver, add_parts
from fdx._operators import analysis, matrix, pictures, solves
from fdx._operators.coefficients import Coefficient, as_coefficient
from fdx._operators.filters import binomial_of
from fdx._operators.offsets import Parts
from fdx._operators.plans import Numbers, apply, check_numbers, make_plan
from fdx._operators.products import product
from fdx._operators.terms import (
    Leaf,
    Term,
    axes_of,
    check_points,
    check_positions,
    cropped,
    finite,
    from_the_first,
    is_affine,
    is_source,
    kind_of,
    linear,
    merged,
    order_and_key,
    state_of,
    terms_of,
    transposed,
)
from fdx._operators.upwind import upstream_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator

KINDS: dict[str, type[Operator]] = {}  # of one derivative and the like, by name
MAX_PLANS = 16  # kept by an operator, one for each shape


class Operator(Applicable):
    """
    A linear operator on arrays: a sum of products of derivatives along axes.

    With boundaries that have data, `fdx.Dirichlet` and others, it is affine: `linear` plus
    `offset`.

    Operators are not created by the constructor, but from `fdx.Diff`, `fdx.Interp`, `fdx.Filter`,
    `fdx.Stencil` and `fdx.Identity` by

    =====================  ========================================================================
    ``A + B``, ``A - B``   The sum, at the places that all terms have: with "valid" these are
                           fewer, and so they are for the positions "left" and "right" together.
    ``c * A``, ``A / c``   Multiplied by a real number; ``-A`` likewise. An array without
                           dimensions is a number, too: the one that it has now.
    ``c * A``              Multiplied point by point by an array `c` that broadcasts to the
                           result's shape. It is not copied: later changes to it take effect.
    ``A @ B``              First B, then A: the exact product of the matrices, boundaries included.
    ``A**n``               For a multiple of a `fdx.Diff` or of its transpose, at the points, the
                           n-th derivative of the same accuracy, else A @ A @ ...
    ``A.T``                The transpose.
    ``A == B``             Do they consist of the same derivatives, numbers and arrays?
    =====================  ========================================================================

    and are applied by ``A(u)``. Operators are immutable; they can be pickled, shared by threads,
    and used as keys of dictionaries.

    Parameters
    ----------
    terms : sequence
        Of numbers and products of derivatives.

    Raises
    ------
    TypeError
        For ``A + 1`` (write ``1 * fdx.Identity()``), ``A * B`` (write ``A @ B``), ``A * c`` or
        ``A / c`` with an array (write ``c * A``), ``A @ u`` (write ``A(u)``), complex numbers.
    ValueError
        For numbers that are not finite, powers below 1, products of sums that would lose half of
        their digits or have too many terms, and other values that do not define an operator. Arrays
        `c` that do not broadcast are errors when the operator is applied.

    See Also
    --------
    fdx.Diff : The derivative along one axis.
    fdx.Identity : The operator that changes nothing.
    fdx.laplacian, fdx.divergence, fdx.curl : Sums of derivatives that need no operator.

    Notes
    -----
    Products of sums are expanded, which is an error where the terms of the product would cancel, as
    in ``(fdx.Identity() + 0.5 * D2) ** 40``: apply that operator 40 times. Factors along one axis
    are multiplied to one banded matrix, and terms along one axis added to one:
    ``(fdx.Identity() + 0.25 * D2) ** 8`` is the identity and one stencil of 17 points. The identity
    stays a term of its own, so that a constant stays the same constant. All terms are computed in
    one pass over the array, in blocks that fit a cache; products of derivatives along several axes
    use a small staging buffer.

    Equal operators give the same bits. Sums are equal, and give the same bits, in any order, except
    for the order of terms that differ only in their arrays of coefficients, or in being transposed.
    Coordinates are compared by value. Arrays of coefficients, which are not copied, are equal if
    they have the same address and layout: those of copies and pickles do not. Operators that are
    the same only mathematically, such as a symmetric one and its transpose, are not equal.

    Examples
    --------
    >>> import fdx
    >>> fdx.Diff(0) + fdx.Diff(1) ** 2 == fdx.Diff(1, deriv=2) + fdx.Diff(0)
    True

    Diffusion with a variable coefficient, as one operator. (``D @ (c * D)`` is 0 for a zigzag, a
    function whose sign alternates from point to point, and so never damps it.)

    >>> import numpy as np, fdx
    >>> D2, one = fdx.Diff(0, 0.5, deriv=2, boundary="symmetric"), fdx.Identity()
    >>> c = np.array([1.0, 1.0, 2.0, 2.0, 2.0])
    >>> L = (D2 @ (c * one) + c * D2 - D2(c) * one) / 2
    >>> L([0.0, 1.0, 0.0, 1.0, 0.0])
    array([  4., -10.,  14., -16.,   8.])
    """

    # NumPy's and pandas' arrays leave `array * operator` and `array @ operator` to the methods
    # below; xarray's convert the operator to an array.
    __array_ufunc__ = None
    __pandas_priority__ = 1 << 16

    if not TYPE_CHECKING:  # type checkers would take it for an array

        def __array__(self, dtype=None, copy=None):
            if np.dtype(dtype).kind == "O":  # as an element of numpy.array([A, B], dtype=object)
                held = np.empty((), object)
                held[()] = self
                return held
            raise TypeError(
                "expected an array, got an operator; write operator(array) to apply it, "
                "numpy.asarray(array) * operator to multiply its result"
            )

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = tuple(terms)
        self._plans: dict[tuple[int, ...], Plan] = {}
        self._parts: dict[tuple[int, ...], Parts] = {}  # of data of boundaries
        self._solvers: dict[solves.Key, solves.Made] = {}
        self._solved: tuple[tuple[int, ...], int, Solver] | None = None  # of the last call

    # -- as a value --

    @cached_property
    def _order_and_key(self) -> tuple[list[int], tuple[Any, ...]]:
        return order_and_key(self._terms)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Operator):
            return NotImplemented
        return self is other or self._order_and_key[1] == other._order_and_key[1]

    def __hash__(self) -> int:
        return hash(self._order_and_key[1])

    def __copy__(self) -> Operator:
        return of_kind(type(self), self._terms)

    def __reduce__(self) -> tuple[Any, ...]:
        new = copyreg.__newobj__  # type: ignore[attr-defined]
        return new, (type(self),), state_of(self._terms)

    def __setstate__(self, state: Any) -> None:
        Operator.__init__(self, terms_of(state))

    # -- application --

    def _check_numbers(self, alpha: Any, beta: Any, out: Any) -> Numbers:
        return check_numbers(alpha, beta, out)

    def _apply(self, u: Any, out: Any, workers: int | None, numbers: Numbers | None) -> Any:
        u = as_array(u, "u")
        plan = self._plan(u.shape)
        if not self._is_affine:
            quick = self._remember(plan)
            return apply(plan, [u], (), out, workers, "u", numbers, quick=quick)
        offsets = self._offsets(u.shape)
        self._remember(plan, offsets)
        # Before the output is written to, which may share memory with data.
        added = offsets.results(result_dtype(u))
        alpha = 1.0 if numbers is None else numbers[0]
        try:
            result = apply(plan, [u], (), out, workers, "u", numbers)
        except (FloatingPointError, RuntimeWarning):  # which come after the results
            add_parts(out, added, alpha)
            raise
        add_parts(result, added, alpha)
        return result

    @cached_property
    def _is_affine(self) -> bool:
        return is_affine(self._terms)

    def _plan(self, shape: Sequence[int]) -> Plan:
        shape = tuple(shape)
        plan = self._plans.get(shape)
        if plan is None:
            terms = [self._terms[k] for k in self._order_and_key[0]]
            plan = make_plan([[(0, term) for term in terms if not is_source(term)]], shape)
            keep(self._plans, shape, plan)
        return plan

    def _offsets(self, shape: Sequence[int]) -> Parts:
        shape = tuple(shape)
        parts = self._parts.get(shape)
        if parts is None:
            parts = Parts([self._terms[k] for k in self._order_and_key[0]], shape)
            keep(self._parts, shape, parts)
        return parts

    def output_shape(self, shape: Integers) -> tuple[int, ...]:
        """
        The shape of the result for an array of some shape.

        Parameters
        ----------
        shape : int or tuple of int
            Of the array.

        Returns
        -------
        tuple of int
            The same shape, but with a "valid" boundary without the results whose stencil reaches
            outside, and with "inner" and "outer" one less or one more; for a transpose, the other
            way round.

        Raises
        ------
        ValueError
            For an axis with fewer points than the stencil takes, or not as many as there are
            coordinates; negative numbers; no dimension.
        TypeError
            For anything but integers.
        numpy.exceptions.AxisError
            For too few dimensions.

        See Also
        --------
        axes : The axes along which it differentiates.

        Examples
        --------
        >>> import fdx
        >>> fdx.Diff(1, boundary="valid", accuracy=4).output_shape((10, 20))
        (10, 16)
        """
        return self._plan(check_shape(shape)).out_shape

    # -- algebra --

    def __add__(self, other: Operator) -> Operator:
        if not isinstance(other, Operator):
            check_added(other)
            return NotImplemented
        check_positions([self._terms[0].lost(), other._terms[0].lost()])
        return from_terms(merged((*self._terms, *other._terms)))

    def __radd__(self, other: int) -> Operator:
        if isinstance(other, int) and other == 0:  # with which the built-in sum begins
            return self
        check_added(other)
        return NotImplemented

    def __sub__(self, other: Operator) -> Operator:
        check_added(other)
        return self + -other if isinstance(other, Operator) else NotImplemented

    def __rsub__(self, other: Never) -> Operator:
        check_added(other)
        return NotImplemented

    def __neg__(self) -> Operator:
        return from_terms([Term(-term.scale, term.factors) for term in self._terms])

    def __pos__(self) -> Operator:
        return self

    def __rmul__(self, other: ArrayLike) -> Operator:
        if isinstance(other, Operator):
            return NotImplemented
        c = as_coefficient(other)
        if isinstance(c, Coefficient):
            return from_terms(
                [Term(term.scale, (c, *term.factors)) for term in cropped(self._terms)]
            )
        return self._times(c)

    def _times(self, number: float) -> Operator:
        return from_terms([Term(finite(number * t.scale), t.factors) for t in self._terms])

    def __mul__(self, other: Number) -> Operator:
        if isinstance(other, Operator):
            raise TypeError("A * B of two operators: write A @ B for B followed by A")
        c = as_coefficient(other)
        if not isinstance(c, float):
            raise TypeError(
                "operator * array: write array * operator to multiply the result point by point, "
                "operator(array) to apply it"
            )
        return self._times(c)

    def __truediv__(self, other: Number) -> Operator:
        c = as_coefficient(other)
        if not isinstance(c, float):
            raise TypeError("operator / array: write (1 / array) * operator")
        if c == 0:
            raise ZeroDivisionError("operator / 0")
        return from_terms([Term(finite(t.scale / c), t.factors) for t in self._terms])

    def __matmul__(self, other: Operator) -> Operator:
        if not isinstance(other, Operator):
            if isinstance(other, Applicable):
                return NotImplemented  # a block of operators
            raise TypeError(
                f"operator @ {name_of_type(other)}: expected an operator; write operator(array) "
                "to apply it, operator.matrix(shape) @ matrix for a product of matrices"
            )
        return from_terms(product(self._terms, other._terms))

    def __rmatmul__(self, other: Never) -> Operator:
        raise TypeError(
            f"{name_of_type(other)} @ operator: expected an operator; write operator.T(array), or "
            "array @ operator.matrix(shape) for a matrix"
        )

    def __pow__(self, n: SupportsIndex) -> Operator:
        if (as_index(n) or 0) < 0:
            raise ValueError(
                f"exponent: expected a positive integer, got {shown(n)}; write A.solve(b) for the "
                "solution of A(x) = b"
            )
        n = check_integer(n, "exponent", "a positive integer", 1)
        if n == 1:
            return self
        term = self._terms[0]
        leaf = term.factors[0] if len(self._terms) == len(term.factors) == 1 else None
        if isinstance(leaf, Leaf) and leaf.deriv and leaf.position == CENTER:
            leaf = replace(leaf, deriv=leaf.deriv * n)
            check_points(leaf)
            try:
                scale = term.scale**n
            except OverflowError:
                scale = math.inf
            return from_terms([Term(finite(scale), (leaf,))])
        result = self
        for _ in range(n - 1):
            result = result @ self
        return result

    @property
    def T(self) -> Operator:
        """
        The transpose: ``L.T.matrix(L.output_shape(s))`` is ``L.matrix(s).T``.

        This is exact, boundaries and uneven grids included, and up to rounding in two cases: if an
        array multiplies a product of derivatives or another array, or is between derivatives;
        and for products along an axis that is periodic for only one factor, or shorter than the
        product's stencil.

        Raises
        ------
        ValueError
            For a sum with a "valid" boundary whose axes are counted from both ends, so that two of
            them may be the same; for an operator with data of boundaries: write ``L.linear.T``.

        See Also
        --------
        as_linear_operator : For solvers, which need both.

        Examples
        --------
        >>> import numpy as np, fdx
        >>> D = fdx.Diff(0)
        >>> u, v = np.array([1.0, 2.0, 4.0, 8.0]), np.array([3.0, 1.0, 1.0, 0.0])
        >>> v @ D(u) == D.T(v) @ u
        np.True_
        """
        self._check_linear("T")
        return from_terms(transposed(self._terms))

    # -- data of boundaries --

    @property
    def linear(self) -> Operator:
        """
        The operator for boundaries whose data are 0.

        ``L(u)`` is ``L.linear(u) + L.offset(u.shape)``, so that ``L(u) = b`` is a linear system
        with the matrix ``L.linear.matrix(u.shape)`` and the right-hand side ``b -
        L.offset(u.shape)``.

        See Also
        --------
        offset : What the data add.
        fdx.Dirichlet, fdx.Neumann, fdx.Robin : Boundaries with data.

        Examples
        --------
        >>> import fdx
        >>> L = fdx.Diff(0, deriv=2, boundary=fdx.Dirichlet(3.0, outside=1))
        >>> L.linear.matrix(3).toarray()
        array([[-2.,  1.,  0.],
               [ 1., -2.,  1.],
               [ 0.,  1., -2.]])
        >>> L.offset(3)
        array([3., 0., 3.])
        """
        return from_terms(linear(self._terms)) if self._is_affine else self

    def offset(self, shape: Integers) -> NDArray[np.float64]:
        """
        What the data of boundaries add to the results for arrays of some shape.

        Parameters
        ----------
        shape : int or tuple of int
            Of the arrays that it is applied to.

        Returns
        -------
        ndarray
            Of shape ``L.output_shape(shape)``: ``L(u) - L.linear(u)``, whatever `u` is. 0 without
            data.

        Raises
        ------
        ValueError, TypeError, numpy.exceptions.AxisError
            As `output_shape`; also for data that do not broadcast to the other axes.

        See Also
        --------
        linear : The operator without data.

        Examples
        --------
        Stationary heat conduction between walls of temperature 0 and 1:

        >>> import numpy as np, fdx
        >>> from scipy.sparse.linalg import spsolve
        >>> walls = fdx.Dirichlet(0.0, outside=1), fdx.Dirichlet(1.0, outside=1)
        >>> L = fdx.Diff(0, 0.25, deriv=2, boundary=walls)
        >>> spsolve(L.linear.matrix(3).tocsc(), 0 - L.offset(3)).round(12)
        array([0.25, 0.5 , 0.75])
        """
        shape = check_shape(shape)
        result = np.zeros(self.output_shape(shape))
        if self._is_affine:
            add_parts(result, self._offsets(shape).results(result.dtype), 1.0)
        return result

    def _check_linear(self, name: str) -> None:
        if self._is_affine:
            raise ValueError(
                f"{name}: expected an operator without data of boundaries, which is linear, got "
                f"{pictures.written(self._terms)}; write L.linear.{name}, and L.offset(shape) for "
                "what the data add"
            )

    # -- as a matrix --

    def matrix(self, shape: Integers) -> csr_array:
        """
        The operator as a sparse matrix.

        Parameters
        ----------
        shape : int or tuple of int
            Of the arrays that it is applied to.

        Returns
        -------
        scipy.sparse.csr_array
            Of float64, with a column for each element of an array of `shape` and a row for each
            element of the result, in C order: ``L.matrix(u.shape) @ u.ravel()`` is
            ``L(u).ravel()`` up to rounding.

        Raises
        ------
        ValueError, TypeError, numpy.exceptions.AxisError
            As `output_shape`; for an operator with data of boundaries, which has it as `linear`.
        ModuleNotFoundError
            Without SciPy.

        See Also
        --------
        as_linear_operator : The same without a matrix.

        Notes
        -----
        Its columns are the operator's results for unit vectors: exactly, or up to rounding if there
        are arrays of coefficients between derivatives.

        Examples
        --------
        >>> import fdx
        >>> fdx.Diff(0, deriv=2, boundary="periodic").matrix(4).toarray()
        array([[-2.,  1.,  0.,  1.],
               [ 1., -2.,  1.,  0.],
               [ 0.,  1., -2.,  1.],
               [ 1.,  0.,  1., -2.]])
        """
        self._check_linear("matrix")
        return matrix.of_plan(self._plan(check_shape(shape)))

    def as_linear_operator(self, shape: Integers) -> LinearOperator:
        """
        The operator for SciPy's iterative solvers, without a matrix.

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
        ValueError, TypeError, numpy.exceptions.AxisError
            As `output_shape`; for an operator with data of boundaries, which has it as `linear`.
        ModuleNotFoundError
            Without SciPy.

        See Also
        --------
        matrix : The same as a sparse matrix.

        Examples
        --------
        An implicit step of diffusion:

        >>> import numpy as np, fdx
        >>> from scipy.sparse.linalg import cg
        >>> step = fdx.Identity() - 0.5 * fdx.Diff(0, deriv=2, boundary="symmetric")
        >>> u, info = cg(step.as_linear_operator(4), np.array([4.0, 0.0, 0.0, 0.0]), rtol=1e-10)
        >>> info, step(u).round(6) + 0.0
        (0, array([4., 0., 0., 0.]))
        """
        self._check_linear("as_linear_operator")
        shape = check_shape(shape)
        out_shape = self.output_shape(shape)
        adjoint = from_terms(transposed(from_the_first(self._terms, len(shape))))
        return matrix.linear_operator(self, adjoint, shape, out_shape)

    # -- solves --

    def solve(
        self,
        b: ArrayLike,
        *,
        out: NDArray[Any] | None = None,
        workers: SupportsIndex | None = None,
        alpha: float = 1,
        beta: float = 0,
    ) -> NDArray[Any]:
        """
        The solution of ``L(x) = b``, for an operator along one axis.

        All lines along the axis have the same banded matrix, which is factorised in the first call
        for a length, and kept with the operator. An equal one that is made anew factorises it
        again, so that operators of time steps are made before the loop.

        Parameters
        ----------
        b : array_like
            The right-hand side, an array as the operator takes it: integers, float32, float64,
            complex64 or complex128, in any layout.
        out : ndarray, optional
            Where to write the solution: of the shape of `b` and the dtype of the result, any
            strides. It may be `b` itself.
        workers : int, optional
            Number of threads, as in `fdx.gradient`: each solves lines of its own.
        alpha, beta : float, optional
            For ``alpha * x + beta * out`` instead of x, as the operator itself takes them.

        Returns
        -------
        ndarray
            `out`, or a new array: of the shape of `b`, and of its dtype if that is floating point,
            else float64.

        Raises
        ------
        ValueError
            For an operator along several axes; one that has more or fewer results than points, as
            with "valid" or between points; arrays of coefficients that vary along other axes, or
            that are not finite; float32 data if a number over- or underflows in float32, or its
            rounding errors would be as large as the solution; otherwise as in ``L(u)``.
        numpy.linalg.LinAlgError
            A ValueError, for a matrix that is singular up to rounding, as those of derivatives
            alone are with boundaries that determine no value: rounding errors would be an eighth of
            the solution or more. It says where the least pivot is.
        TypeError, numpy.exceptions.AxisError, FloatingPointError
            As in ``L(u)``. NaN and infinity in `b` may reach all of their line.

        Warns
        -----
        RuntimeWarning
            For overflow and invalid values, as `numpy.errstate` asks for.

        See Also
        --------
        as_linear_operator : For operators along several axes, by SciPy's iterative solvers.
        matrix : For SciPy's direct ones.
        fdx.Compact : Derivatives that are such solutions.

        Notes
        -----
        The method is Gaussian elimination within the band. Rows are exchanged only if that is much
        more exact; such solves take a few times longer. For a periodic axis the band is twice as
        wide, as points are taken in the order 0, n - 1, 1, n - 2, and so on. Many lines take about
        the time of one or two additions of arrays; a single line some ten times as long for each
        point, as each result needs the one before.

        Data of boundaries are taken to the right-hand side: ``L(L.solve(b))`` is `b`. Arrays of
        coefficients are compared with what they were; after a change the matrix is factorised
        again.

        Examples
        --------
        An implicit step of diffusion, stable for steps of any length:

        >>> import numpy as np, fdx
        >>> step = fdx.Identity() - 0.5 * fdx.Diff(0, deriv=2, boundary="symmetric")
        >>> u = step.solve([4.0, 0.0, 0.0, 0.0])
        >>> u.round(4)
        array([2.9286, 0.7857, 0.2143, 0.0714])
        >>> step(u).round(12) + 0.0
        array([4., 0., 0., 0.])

        Stationary heat conduction between walls of temperature 0 and 1:

        >>> walls = fdx.Dirichlet(0.0, outside=1), fdx.Dirichlet(1.0, outside=1)
        >>> fdx.Diff(0, 0.25, deriv=2, boundary=walls).solve(np.zeros(3)).round(12)
        array([0.25, 0.5 , 0.75])
        """
        numbers, solved = None, self._solved
        result: NDArray[Any] | None
        if type(alpha) is not int or type(beta) is not int or alpha != 1 or beta != 0:
            numbers = check_numbers(alpha, beta, out)
        elif solved is not None and not self._is_affine:
            result = solved[2].quick(b, out, solved[0], solved[1], workers)
            if result is not None:
                return result
        b = as_array(b, "b")
        if solved is None or solved[0] != b.shape:
            solved = self._solver(b.shape)
        _, axis, solver = solved
        if self._is_affine:
            b = b.astype(result_dtype(b))  # a copy
            add_parts(b, self._offsets(b.shape).results(b.dtype), -1.0)
        result = solves.solve(solver, b, axis, out, workers, numbers)
        return result

    def _solver(self, shape: tuple[int, ...]) -> tuple[tuple[int, ...], int, Solver]:
        """For arrays of a shape, with the axis along which it solves."""
        axis = solves.only_axis(self._terms, len(shape))
        terms = [self._terms[k] for k in self._order_and_key[0]]
        terms = [term for term in linear(terms) if not is_source(term)]
        along = [solves.of_one_dimension(term, axis, len(shape), self._terms) for term in terms]
        n, coefficients = shape[axis], solves.numbers_of(along)
        key = (axis, len(shape), n)
        made = self._solvers.get(key)
        if made is None or made[0] != coefficients:  # of which only the latest are kept
            made = coefficients, solves.factorise(along, n, self._terms)
            self._solvers.pop(key, None)
            keep(self._solvers, key, made)
        solved = shape, axis, made[1]
        self._solved = solved if not coefficients else None  # which may be others in the next call
        return solved

    # -- analysis --

    @property
    def axes(self) -> tuple[int, ...]:
        """
        The axes along which it differentiates, in ascending order.

        See Also
        --------
        output_shape : The shape of a result.

        Examples
        --------
        >>> import fdx
        >>> (fdx.Diff(2) + fdx.Diff(0)).axes
        (0, 2)
        """
        return axes_of(self._terms)

    @overload
    def symbol(self, k: Number) -> np.complex128: ...
    @overload
    def symbol(self, k: ArrayLike | Sequence[ArrayLike]) -> NDArray[np.complex128] | Any: ...
    def symbol(self, k: ArrayLike | Sequence[ArrayLike]) -> Any:
        """
        The symbol of the interior stencil, the factor by which it multiplies a wave.

        Parameters
        ----------
        k : array_like, or sequence of array_like
            Wavenumbers in radians per unit of the axis; for several axes one for each of
            ``L.axes``, which broadcast. Stencils of given weights and filters have the spacing of
            the derivatives along their axis, if there are any; alone, they have a spacing of 1.

        Returns
        -------
        complex or ndarray of complex
            ``s`` with ``L exp(i k x) = s exp(i k x)`` far from boundaries: for the first
            derivative i times the modified wavenumber [1]_, which is near `k`. For derivatives
            it is exactly 0 at ``k = 0``. Between points, `x` is the place of the result.

        Raises
        ------
        ValueError
            For uneven coordinates and arrays of coefficients, as the stencil then differs from
            point to point; for wavenumbers that are not as many as axes.
        TypeError
            For wavenumbers that are not real.

        See Also
        --------
        spectral_radius : The largest eigenvalue on a grid, boundaries included.

        Notes
        -----
        It is the symbol of the exact weights, evaluated as a series in ``2 * sin(k * h / 2)``:
        accurate for waves of any length.

        References
        ----------
        .. [1] S. K. Lele, Compact finite difference schemes with spectral-like resolution, Journal
           of Computational Physics 103 (1992) 16-42.

        Examples
        --------
        For ``(f[i+1] - f[i-1]) / 2h`` it is ``1j * sin(k * h) / h``; for higher accuracy it is
        closer to ``1j * k``:

        >>> import fdx
        >>> fdx.Diff(0, 0.5).symbol(1.0)
        np.complex128(0.958851077208406j)
        >>> fdx.Diff(0, 0.5, accuracy=4).symbol([0.0, 1.0]).round(4)
        array([0.+0.j   , 0.+0.998j])
        """
        return analysis.symbol(linear(self._terms), k)

    def spectral_radius(self, shape: Integers) -> float:
        """
        The largest modulus of the eigenvalues for arrays of some shape, or slightly more.

        Boundaries are included. Explicit time steps of ``u' = L u`` are stable up to about ``2 /
        radius`` (forward Euler, real eigenvalues) or ``2.6 / radius`` (fourth-order Runge-Kutta),
        if no eigenvalue has a positive real part.

        Parameters
        ----------
        shape : int or tuple of int
            Of the arrays that it is applied to.

        Returns
        -------
        float
            The largest modulus, or slightly more: the notes say how much.

        Raises
        ------
        ValueError
            If the result has another shape, as with "valid".
        ValueError, TypeError, numpy.exceptions.AxisError
            As `output_shape`; for an operator with data of boundaries, which has it as `linear`.
        ModuleNotFoundError
            Without SciPy, if a matrix is needed.

        See Also
        --------
        symbol : The eigenvalues of periodic operators at the points, by wavenumber.

        Notes
        -----
        Modes whose eigenvalue has a positive real part grow with any time step. Second derivatives
        have no such eigenvalues (with "one-sided", if the values at both ends are given). First
        derivatives have some only with one-sided boundaries of accuracy 4 and more: advection with
        a given value at the inflow then grows as ``exp(0.2 t / h)`` for accuracy 6, and as
        ``exp(0.4 t / h)`` for 8. Those of boundary "sbp" have none, if the value is given by a
        penalty, as `fdx.Diff.norm` says.

        The result is exact for uniform periodic axes, from the symbol, in milliseconds for grids of
        any size. For sums of derivatives along single axes, such as a Laplacian, it is the sum of
        the axes' radii: exact if the largest eigenvalues have one direction in the complex plane.
        For all others it is that of the whole matrix. For a uniform axis of more than 256 points it
        is that of 256 points, or the largest modulus of the symbol if that is more: slightly more
        than the largest eigenvalue for even derivatives alone or odd ones alone. For sums of both,
        and for biased stencils, it can be far more, as errors there grow like waves before they
        decay; for biased stencils and those of one's own it is at least that modulus on short axes,
        too, unless arrays multiply them.

        All eigenvalues of a matrix of at most 1000 rows are computed. For a larger one the largest
        is approximated by Arnoldi's method (ARPACK's, by SciPy), which applies the operator some
        ten to a few hundred times and takes the memory of about 20 arrays; as it may be too small
        by one part in a hundred, 1.05 times its result is returned. If it does not converge, or if
        that is less, the result is a bound by the row sums and column sums: a few times too large
        on uniform grids, hundreds of times if spacings or coefficients vary much.

        Examples
        --------
        >>> import fdx
        >>> L = fdx.Diff(0, 0.5, deriv=2, boundary="periodic")
        >>> L.spectral_radius(100)  # 4 / h**2
        16.0
        """
        self._check_linear("spectral_radius")
        return analysis.spectral_radius(self._terms, self._plan(check_shape(shape)))

    def __repr__(self) -> str:
        return pictures.describe(self._terms)

    def plot(self, ax: Axes | None = None) -> None:
        """
        Print or draw the interior stencil.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw it, for operators along one or two axes; by default it is printed.

        Raises
        ------
        ValueError
            For uneven coordinates and arrays of coefficients, as the stencil then differs from
            point to point; for an operator without derivatives; for more than two axes with `ax`.

        See Also
        --------
        symbol : The factor by which the stencil multiplies waves.

        Examples
        --------
        >>> import fdx
        >>> (fdx.Diff(0) ** 2 + fdx.Diff(1) ** 2).plot()
        Diff(0, deriv=2) + Diff(1, deriv=2)
            Diff(0, deriv=2): (f[i-1] - 2 f[i] + f[i+1]) / h^2, h = 1
            Diff(1, deriv=2): (f[i-1] - 2 f[i] + f[i+1]) / h^2, h = 1
        <BLANKLINE>
        axis 0 down, axis 1 across
                      -1          0          1
           -1          .          1          .
            0          1         -4          1
            1          .          1          .
        """
        pictures.plot(self._terms if not self._is_affine else linear(self._terms), ax)


def keep(kept: dict[Any, Any], shape: Any, value: Any) -> None:
    if len(kept) >= MAX_PLANS:
        # Evict the latest: if more shapes alternate, most of them then find what is kept. Another
        # thread may have evicted it before.
        with contextlib.suppress(KeyError):
            kept.popitem()
    kept[shape] = value


def of_kind(kind: type[Operator], terms: tuple[Term, ...]) -> Operator:
    operator = kind.__new__(kind)
    Operator.__init__(operator, terms)
    return operator


def from_terms(terms: Iterable[Term]) -> Operator:
    """The operator of terms; of a kind such as `fdx.Diff` if it equals one of that kind."""
    terms = tuple(terms)
    kind = "Filter" if binomial_of(terms) else "Upwind" if upstream_of(terms) else kind_of(terms)
    return of_kind(KINDS.get(kind, Operator), terms)


def check_added(other: Any) -> None:
    if isinstance(other, (numbers.Number, np.ndarray)):
        kind = "array" if isinstance(other, np.ndarray) else "number"
        raise TypeError(f"sum of an operator and {kind}: write {kind} * fdx.Identity()")
