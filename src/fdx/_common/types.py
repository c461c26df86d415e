"""Types of arguments and results, for type checkers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import NDArray

# The dtype of a result: that of the argument, or the default for arguments without a floating-point
# dtype, such as integers and lists (`typing` knows defaults from Python 3.13 on).
if TYPE_CHECKING:
    from typing_extensions import TypeVar

    T = TypeVar("T", bound=np.inexact[Any], default=np.float64)
else:
    from typing import TypeVar

    T = TypeVar("T", bound=np.inexact)

Reals: TypeAlias = (
    NDArray[np.integer[Any]]
    | Sequence[float]
    | Sequence[Sequence[float]]
    | Sequence[Sequence[Sequence[float]]]
)
Scalar: TypeAlias = NDArray[T] | Reals
Vector: TypeAlias = NDArray[T] | NDArray[np.integer[Any]] | Sequence[NDArray[T] | Reals]

Number: TypeAlias = float | np.floating[Any] | np.integer[Any]
Integers: TypeAlias = SupportsIndex | Sequence[SupportsIndex]  # axes, or a shape

Boundary: TypeAlias = Literal[
    "one-sided",
    "periodic",
    "valid",
    "reflect",
    "symmetric",
    "reflect-odd",
    "symmetric-odd",
    "zero",
    "antisymmetric",
    "sbp",
]
Position: TypeAlias = Literal["center", "inner", "outer", "left", "right"]
Side: TypeAlias = Literal["left", "right"]
Boundaries: TypeAlias = Boundary | tuple[Boundary, Boundary]  # of one axis: (left, right)
