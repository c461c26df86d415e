"""Operators on several fields as values: matrices of operators, applied in one pass."""

from __future__ import annotations

import copyreg
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Never

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fdx._arguments.arrays import as_array, fields_of, result_dtype
from fdx._arguments.choices import check_shape
from fdx._common import threads
from fdx._common.text import name_of_type
from fdx._common.types import Integers, Number
from fdx._core import Applicable, Plan, add_parts
from fdx._operators import matrix
from fdx._operators.offsets import Parts
from fdx._operators.operator import Operator, from_terms, keep
from fdx._operators.pictures import written
from fdx._operators.plans import Numbers, apply, check_numbers, make_plan
from fdx._operators.terms import Term, axes_of, cropped, is_source

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator

Row = tuple[Operator | None, ...]
MAX_FIELDS = 64  # of the C core in one pass, as inputs or as outputs


class Block(Applicable):
    """
    An operator on several fields: a matrix of operators, made by `fdx.block`.

    Blocks are immutable values as `fdx.Operator` is: they can be added, multiplied by numbers and
    arrays (``c * M``), by each other and by operators (``M @ N``), transposed (``M.T``), compared
    and pickled. `fdx.Gradient`, `fdx.Divergence`, `fdx.Curl`, `fdx.Jacobian` and `fdx.Hessian` are
    such values, too.

    Parameters
    ----------
    rows : sequence of sequence
        As for `fdx.block`.

    See Also
    --------
    fdx.block : How to make one, and how it is applied.
    fdx.Operator : An operator on one field.

    Examples
    --------
    >>> import fdx
    >>> fdx.Divergence((0, 1)) @ fdx.Gradient((0, 1)) == fdx.Diff(0) @ fdx.Diff(0) + (
    ...     fdx.Diff(1) @ fdx.Diff(1)
    ... )
    True
    """

    __array_ufunc__ = None
    __pandas_priority__ = 1 << 16

    if not TYPE_CHECKING:

        def __array__(self, dtype=None, copy=None):
            raise TypeError("expected an array, got a block of operators; write block(fields)")

    def __init__(self, rows: Sequence[Sequence[Operator | None]]) -> None:
        self._set(*checked(rows))

    def _set(self, rows: tuple[Row, ...], in_counts: Any, out_counts: Any) -> None:
        self._rows = rows
        self._in_counts: tuple[int, ...] = in_counts
        self._out_counts: tuple[int, ...] = out_counts
        self._plans: dict[tuple[int, ...], Plan] = {}
        self._parts: dict[tuple[int, ...], list[Parts]] = {}  # of data of boundaries

    # -- as a value --

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Block):
            return NotImplemented
        return self is other or self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[Any, ...]:
        return self._rows, self._in_counts, self._out_counts

    def __copy__(self) -> Block:
        return of_rows(*self._key)

    def __reduce__(self) -> tuple[Any, ...]:
        new = copyreg.__newobj__  # type: ignore[attr-defined]
        return new, (Block,), self._key

    def __setstate__(self, state: Any) -> None:
        self._set(*state)

    def __repr__(self) -> str:
        rows = (
            ", ".join("None" if one is None else written(one._terms) for one in row)
            for row in self._rows
        )
        return f"block([[{'], ['.join(rows)}]])"

    # -- application --

    def _check_numbers(self, alpha: Any, beta: Any, out: Any) -> Numbers:
        return check_numbers(alpha, beta, out)

    def _apply(self, u: Any, out: Any, workers: int | None, numbers: Numbers | None) -> Any:
        workers = threads.count(workers)  # the last code of an argument; views are taken after it
        u = self._fields(u)
        shape = u[0].shape
        plan = self._plan(shape)
        if not self._is_affine:
            quick = len(self._in_counts) <= 1 and self._remember(
                plan, None, self._in_counts == (), self._out_counts
            )
            return apply(plan, u, self._out_counts, out, workers, "u", numbers, quick=quick)
        dtype, alpha = result_dtype(u[0]), 1.0 if numbers is None else numbers[0]
        added = [parts.results(dtype) for parts in self._offsets(shape)]

        def add(results: Any) -> None:
            for index, one in zip(np.ndindex(*self._out_counts), added, strict=True):
                add_parts(part_of(results, index), one, alpha)

        try:
            result = apply(plan, u, self._out_counts, out, workers, "u", numbers)
        except (FloatingPointError, RuntimeWarning):  # which come after the results
            if out is not None:
                add(out)
            raise
        add(result)
        return result

    def _fields(self, u: Any) -> Any:
        """The inputs, checked: a sequence of arrays of one shape, or an array of them."""
        counts, count = self._in_counts, math.prod(self._in_counts)
        if counts == ():
            return [as_array(u, "u")]
        if len(counts) > 1:
            whole = as_array(u, "u")
            if whole.ndim <= len(counts) or whole.shape[: len(counts)] != counts:
                raise ValueError(
                    f"u: expected an array of shape {counts} and the shape of a field, got shape "
                    f"{whole.shape}"
                )
            return whole.reshape(count, *whole.shape[len(counts) :])
        found = fields_of(u, "u")
        if len(found) != count:
            raise ValueError(f"u: expected {count} fields, one for each column, got {len(found)}")
        return found

    @cached_property
    def _is_affine(self) -> bool:
        return any(one is not None and one._is_affine for row in self._rows for one in row)

    def _all_terms(self) -> list[tuple[int, int, Term]]:
        """Row, column and terms, in the order in which they are added."""
        return [
            (i, j, one._terms[k])
            for i, row in enumerate(self._rows)
            for j, one in enumerate(row)
            if one is not None
            for k in one._order_and_key[0]
        ]

    def _cropped(self) -> list[tuple[int, int, Term]]:
        """The same, cropped to the points that all results have."""
        found = self._all_terms()
        terms = cropped([term for _, _, term in found], [(i, j) for i, j, _ in found])
        return [(i, j, term) for (i, j, _), term in zip(found, terms, strict=True)]

    def _plan(self, shape: Sequence[int]) -> Plan:
        shape = tuple(shape)
        plan = self._plans.get(shape)
        if plan is None:
            outputs: list[list[tuple[int, Term]]] = [[] for _ in self._computed]
            places = {row: k for k, row in enumerate(self._computed)}
            for i, j, term in self._all_terms():
                if i in places and not is_source(term):
                    outputs[places[i]].append((j, term))
            plan = make_plan(outputs, shape)
            keep(self._plans, shape, plan)
        return plan

    @cached_property
    def _computed(self) -> list[int]:
        """The rows that are computed: of a symmetric matrix of results those of the upper
        triangle."""
        counts = self._out_counts
        if len(counts) == 2 and counts[0] == counts[1] > 1:
            n = counts[0]
            pairs = [(i * n + j, j * n + i) for i in range(n) for j in range(i, n)]
            if all(self._rows[a] == self._rows[b] for a, b in pairs):
                return [a for a, _ in pairs]
        return list(range(len(self._rows)))

    def _offsets(self, shape: Sequence[int]) -> list[Parts]:
        shape = tuple(shape)
        parts = self._parts.get(shape)
        if parts is None:
            terms = self._cropped()
            rows = range(len(self._rows))
            parts = [Parts([term for i, _, term in terms if i == row], shape) for row in rows]
            keep(self._parts, shape, parts)
        return parts

    def output_shape(self, shape: Integers) -> tuple[int, ...]:
        """
        The shape of one of the results for fields of some shape.

        Parameters
        ----------
        shape : int or tuple of int
            Of one field.

        Returns
        -------
        tuple of int
            As of `fdx.Operator.output_shape`, with the points that all results have.

        See Also
        --------
        fdx.Operator.output_shape : What may be wrong.

        Examples
        --------
        >>> import fdx
        >>> fdx.Gradient((0, 1), boundary="valid").output_shape((10, 20))
        (8, 18)
        """
        return self._plan(check_shape(shape)).out_shape

    # -- algebra --

    def _each(self, change: Callable[[Operator], Operator]) -> Block:
        rows = tuple(tuple(None if one is None else change(one) for one in r) for r in self._rows)
        return of_rows(rows, self._in_counts, self._out_counts)

    def __neg__(self) -> Block:
        return self._each(lambda one: -one)

    def __pos__(self) -> Block:
        return self

    def __rmul__(self, other: ArrayLike) -> Block:
        return self._each(lambda one: one.__rmul__(other))

    def __mul__(self, other: Number) -> Block:
        return self._each(lambda one: one * other)

    def __truediv__(self, other: Number) -> Block:
        return self._each(lambda one: one / other)

    def __add__(self, other: Block) -> Block:
        if not isinstance(other, Block):
            raise no_block(other)
        if (self._in_counts, self._out_counts) != (other._in_counts, other._out_counts):
            raise ValueError(
                f"block + block: expected as many results and fields, {self._size()}, got "
                f"{other._size()}"
            )
        rows = tuple(
            tuple(b if a is None else a if b is None else a + b for a, b in zip(*two, strict=True))
            for two in zip(self._rows, other._rows, strict=True)
        )
        return of_rows(rows, self._in_counts, self._out_counts)

    def __radd__(self, other: int) -> Block:
        if isinstance(other, int) and other == 0:  # with which the built-in sum begins
            return self
        raise no_block(other)

    def __sub__(self, other: Block) -> Block:
        if not isinstance(other, Block):
            raise no_block(other)
        return self + -other

    def __rsub__(self, other: Never) -> Never:
        raise no_block(other)

    def __matmul__(self, other: Block | Operator) -> Block | Operator:
        if isinstance(other, Operator):
            operator = other
            return self._each(lambda one: one @ operator)
        if not isinstance(other, Block):
            raise TypeError(
                f"block @ {name_of_type(other)}: expected a block or an operator; write "
                "block(fields) to apply it"
            )
        if math.prod(self._in_counts) != math.prod(other._out_counts):
            raise ValueError(
                f"block @ block: expected results of the second for the fields of the first, "
                f"{self._size()}, got {other._size()}"
            )
        other = other._with_common_points()
        rows = tuple(product_row(row, other._rows) for row in self._rows)
        if self._out_counts == other._in_counts == () and rows[0][0] is not None:
            return rows[0][0]
        check_used(rows)
        return of_rows(rows, other._in_counts, self._out_counts)

    def __rmatmul__(self, other: Operator) -> Block:
        if not isinstance(other, Operator):
            raise TypeError(f"{name_of_type(other)} @ block: expected a block or an operator")
        rows = self._with_common_points()._rows
        return of_rows(
            [product_row([other], [row]) for row in rows], self._in_counts, self._out_counts
        )

    def _with_common_points(self) -> Block:
        """The same, with each operator cropped to the points that all results have: as what follows
        in a product meets them."""
        before, after = self._all_terms(), self._cropped()
        if [term for _, _, term in before] == [term for _, _, term in after]:
            return self
        rows = tuple(
            tuple(
                None if one is None else from_terms(t for i, j, t in after if (i, j) == (k, at))
                for at, one in enumerate(row)
            )
            for k, row in enumerate(self._rows)
        )
        return of_rows(rows, self._in_counts, self._out_counts)

    def _size(self) -> str:
        counts = [" x ".join(map(str, c)) or "1" for c in (self._out_counts, self._in_counts)]
        return f"{counts[0]} results of {counts[1]} fields"

    @property
    def T(self) -> Block:
        """
        The transpose: from the results to the fields.

        See Also
        --------
        fdx.Operator.T : The same of one operator.

        Examples
        --------
        The negative divergence is the transpose of the gradient, up to boundaries:

        >>> import fdx
        >>> G = fdx.Gradient((0, 1), boundary="periodic")
        >>> G.T == -fdx.Divergence((0, 1), boundary="periodic")
        False
        >>> G.T
        block([[Diff(0, boundary='periodic').T, Diff(1, boundary='periodic').T]])
        """
        if self._is_affine:
            raise ValueError(
                "T: expected a block without data of boundaries, which is linear; write M.linear.T"
            )
        entries: dict[tuple[int, int], list[Term]] = {}
        for i, j, term in self._cropped():
            entries.setdefault((i, j), []).append(term.transposed())
        rows = tuple(
            tuple(
                from_terms(entries[i, j]) if (i, j) in entries else None
                for i in range(len(self._rows))
            )
            for j in range(len(self._rows[0]))
        )
        return of_rows(rows, self._out_counts, self._in_counts)

    # -- data of boundaries --

    @property
    def linear(self) -> Block:
        """
        The block for boundaries whose data are 0.

        See Also
        --------
        fdx.Operator.linear : The same of one operator.

        Examples
        --------
        >>> import fdx
        >>> D = fdx.Diff(0, boundary=fdx.Dirichlet(2.0))
        >>> fdx.block([[D]]).linear == fdx.block([[fdx.Diff(0, boundary=fdx.Dirichlet(0.0))]])
        True
        """
        return self._each(lambda one: one.linear)

    def offset(self, shape: Integers) -> NDArray[np.float64]:
        """
        What the data of boundaries add to the results for fields of some shape.

        Parameters
        ----------
        shape : int or tuple of int
            Of one field.

        Returns
        -------
        ndarray
            Of the shape of the results; 0 without data.

        See Also
        --------
        fdx.Operator.offset : The same of one operator.

        Examples
        --------
        >>> import fdx
        >>> D = fdx.Diff(0, deriv=2, boundary=fdx.Dirichlet(2.0, outside=1))
        >>> fdx.block([[D], [-D]]).offset(3)
        array([[ 2.,  0.,  2.],
               [-2.,  0., -2.]])
        """
        shape = check_shape(shape)
        result = np.zeros((*self._out_counts, *self.output_shape(shape)))
        if self._is_affine:
            indices = np.ndindex(*self._out_counts)
            for index, parts in zip(indices, self._offsets(shape), strict=True):
                add_parts(part_of(result, index), parts.results(result.dtype), 1.0)
        return result

    # -- as a matrix --

    def matrix(self, shape: Integers) -> csr_array:
        """
        The block as a sparse matrix.

        Parameters
        ----------
        shape : int or tuple of int
            Of one field.

        Returns
        -------
        scipy.sparse.csr_array
            Of float64, for the fields one after the other, each in C order: with fields in an array
            `u`, ``M.matrix(u[0].shape) @ u.ravel()`` is ``M(u).ravel()`` up to rounding.

        See Also
        --------
        fdx.Operator.matrix : The same of one operator, and its errors.

        Examples
        --------
        >>> import fdx
        >>> after = fdx.Diff(0, position="right", boundary="periodic")
        >>> fdx.block([[after, fdx.Identity()]]).matrix(2).toarray()
        array([[-1.,  1.,  1.,  0.],
               [ 1., -1.,  0.,  1.]])
        """
        if self._is_affine:
            raise ValueError("matrix: expected a block without data; write M.linear.matrix(shape)")
        plan, rows = self._plan(check_shape(shape)), len(self._rows)
        if len(self._computed) == rows:
            return matrix.of_plan(plan)
        whole = of_rows(self._rows, self._in_counts, (rows,))
        return matrix.of_plan(whole._plan(check_shape(shape)))

    def as_linear_operator(self, shape: Integers) -> LinearOperator:
        """
        The block for SciPy's iterative solvers, without a matrix.

        Parameters
        ----------
        shape : int or tuple of int
            Of one field.

        Returns
        -------
        scipy.sparse.linalg.LinearOperator
            Of float64, for the vectors of `matrix`, with `T` as its adjoint.

        See Also
        --------
        fdx.Operator.as_linear_operator : The same of one operator, and its errors.

        Examples
        --------
        >>> import numpy as np, fdx
        >>> M = fdx.block([[2 * fdx.Identity(), fdx.Identity()]]).as_linear_operator(2)
        >>> M @ np.array([1.0, 3.0, 5.0, 7.0])
        array([ 7., 13.])
        """
        if self._is_affine:
            raise ValueError(
                "as_linear_operator: expected a block without data of boundaries, which is linear; "
                "write M.linear.as_linear_operator(shape)"
            )
        shape = check_shape(shape)
        adjoint = self.T
        out_shape = (*self._out_counts, *self.output_shape(shape))
        return matrix.linear_operator(self, adjoint, (*self._in_counts, *shape), out_shape)

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
        >>> fdx.Curl((0, 1)).axes
        (0, 1)
        """
        return axes_of([term for _, _, term in self._all_terms()])


def no_block(other: Any) -> TypeError:
    """The error of a sum."""
    more = "; write block([[L, None], [None, L]]) for an operator L on each of two fields"
    return TypeError(
        f"sum of a block and {name_of_type(other)}: expected another block of operators"
        + more * isinstance(other, Operator)
    )


def part_of(results: Any, index: tuple[int, ...]) -> Any:
    """A result, of an array or of a sequence of them."""
    for k in index:
        results = results[k]
    return results


def of_rows(rows: Sequence[Row], in_counts: Any, out_counts: Any) -> Block:
    found = Block.__new__(Block)
    found._set(tuple(rows), in_counts, out_counts)
    return found


def checked(rows: Any) -> tuple[tuple[Row, ...], tuple[int, ...], tuple[int, ...]]:
    expected = "rows: expected a list of rows, each a list of operators or None"
    if not isinstance(rows, (list, tuple)) or not rows:
        got = "no row" if isinstance(rows, (list, tuple)) else name_of_type(rows)
        raise TypeError(f"{expected}, got {got}")
    for k, row in enumerate(rows):
        if not isinstance(row, (list, tuple)):
            more = "; write [[A, B]] for one row" if isinstance(row, Operator) else ""
            raise TypeError(f"{expected}, got {name_of_type(row)} for row {k}{more}")
        if not row:
            raise ValueError(f"{expected}, got no operator in row {k}")
        if len(row) != len(rows[0]):
            raise ValueError(
                f"rows: expected rows of one length, got {len(rows[0])} operators in row 0 and "
                f"{len(row)} in row {k}; write None for an operator that gives 0"
            )
        for j, one in enumerate(row):
            if one is not None and not isinstance(one, Operator):
                more = ""
                if isinstance(one, int | float):
                    more = f"; write {f'{one} * fdx.Identity()' if one else None}"
                if isinstance(one, Block):
                    more = "; write its operators one by one, as blocks have none inside"
                raise TypeError(
                    f"rows[{k}][{j}]: expected an operator or None, got {name_of_type(one)}{more}"
                )
    found = tuple(tuple(row) for row in rows)
    check_used(found)
    m, n = len(found), len(found[0])
    check_size(m, n)
    return found, () if n == 1 else (n,), () if m == 1 else (m,)


def check_size(rows: int, columns: int) -> None:
    if max(rows, columns) > MAX_FIELDS:
        raise ValueError(
            f"expected at most {MAX_FIELDS} rows and columns of operators, got {rows} x {columns}"
        )


def check_used(rows: tuple[Row, ...]) -> None:
    for name, lines in (("row", rows), ("column", list(zip(*rows, strict=True)))):
        for k, line in enumerate(lines):
            if all(one is None for one in line):
                raise ValueError(
                    f"rows: expected an operator in each row and column, got only None in {name} "
                    f"{k}; write 0 * fdx.Identity() for zeros"
                )


def product_row(row: Sequence[Operator | None], rows: Sequence[Row]) -> Row:
    """A row of a product. What data of boundaries add to the result of an operator of `row` is
    added once, though it is applied to several fields."""
    sums: list[Operator | None] = [None] * len(rows[0])
    for a, entries in zip(row, rows, strict=True):
        for j, b in enumerate(entries):
            if a is not None and b is not None:
                one, before = a @ b, sums[j]
                sums[j] = one if before is None else before + one
                a = a.linear
    return tuple(sums)


def block(rows: Sequence[Sequence[Operator | None]]) -> Block:
    """
    An operator on several fields, as a matrix of operators: one pass over all of them.

    Parameters
    ----------
    rows : sequence of sequence of Operator or None
        Row i has the operators that are applied to the fields, one for each, and added up to
        result i; None where a field adds nothing.

    Returns
    -------
    Block
        `M`, to be applied by ``M(u, out=None, workers=None, alpha=1, beta=0)`` as operators are:

        - `u`: the fields, a sequence of arrays or an array with the fields along its first axis;
          for a block of one column the field itself.
        - The result: an array with the results along its first axis; for a block of one row the
          result itself.
        - `out`: an array of that shape, which is faster, or a sequence of arrays, unless results
          have two axes, as those of a Jacobian.

    Raises
    ------
    TypeError
        For anything but operators and None; fields of different dtypes.
    ValueError
        For rows of different lengths, a row or a column of None alone, more than 64 rows or
        columns; fields of different shapes, or not as many as columns.

    See Also
    --------
    fdx.Block : What can be done with it: ``M.T``, ``M @ N``, ``M.matrix(shape)``.
    fdx.Gradient, fdx.Divergence, fdx.Curl, fdx.Jacobian, fdx.Hessian : Blocks of derivatives.

    Notes
    -----
    All fields have one shape, and all results one, which with a "valid" boundary has the points
    that all operators have. If some fields or results lie half a spacing from others, as on
    staggered grids, those of one index count as one point: only on periodic axes, with the
    positions "left" and "right", which have as many results as points. Fields of different lengths,
    as between walls, need an operator each.

    Examples
    --------
    Sound, ``p' = -dv/dx`` and ``v' = -dp/dx``, with v half a spacing after p on a periodic axis:

    >>> import numpy as np, fdx
    >>> after = fdx.Diff(0, 0.5, position="right", boundary="periodic")
    >>> before = fdx.Diff(0, 0.5, position="left", boundary="periodic")
    >>> sound = fdx.block([[None, -before], [-after, None]])
    >>> sound([np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0, 0.5])])
    array([[ 1., -2.,  1.],
           [-2., -4.,  6.]])

    A step of the leapfrog method for ``u'' = L u``, from the values now and before:

    >>> L = fdx.Diff(0, deriv=2, boundary="symmetric")
    >>> leapfrog = fdx.block([[2 * fdx.Identity() + 0.25 * L, -fdx.Identity()]])
    >>> now = before = np.array([0.0, 1.0, 0.0])
    >>> leapfrog([now, before])
    array([0.25, 0.5 , 0.25])
    """
    return Block(rows)
