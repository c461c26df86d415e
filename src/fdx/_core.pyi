from collections.abc import Callable, Collection, Sequence
from typing import (
    Any,
    Literal,
    Never,
    Protocol,
    Self,
    SupportsIndex,
    TypeAlias,
    final,
    overload,
)

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import TypeVar

from fdx._common.types import Integers, Number, Reals, Scalar, T

_Array = np.ndarray[Any, Any]
_Stages = list[tuple[int, Band | None, _Array | None]]

__version__: str

def compiler() -> str: ...
def isa() -> str: ...
def isas() -> tuple[str, ...]: ...

# ---- gradient ----
#
# One axis gives an array, also as a tuple of one; several give a tuple of arrays. Where a checker
# cannot know which, the result is an array or Any, so that it can be used without a check of its
# type, as in NumPy's stubs.

class _HasArrayFunction(Protocol):  # arrays of other libraries, to which NumPy dispatches
    def __array_function__(
        self,
        func: Callable[..., Any],
        types: Collection[type[Any]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any: ...

_Out = TypeVar("_Out", bound=_Array | tuple[_Array, ...] | list[_Array])
_S = TypeVar("_S", bound=tuple[int, ...], default=tuple[Any, ...])
_Floats: TypeAlias = np.ndarray[_S, np.dtype[T]]
# Arrays of an unknown number of dimensions match every overload for a known one, so their overload
# comes first; arrays of a known number do not match that one.
_AnyD: TypeAlias = np.ndarray[tuple[Never, Never, Never, Never], np.dtype[T]]
_OneD: TypeAlias = _Floats[tuple[int], T]
_TwoD: TypeAlias = _Floats[tuple[int, int], T]
_ThreeD: TypeAlias = _Floats[tuple[int, int, int], T]

@overload
def gradient(
    f: _Floats[_S, T] | Reals,
    *varargs: ArrayLike,
    axis: SupportsIndex | tuple[SupportsIndex],
    edge_order: Literal[1, 2] = 1,
    out: NDArray[T] | None = None,
    workers: SupportsIndex | None = None,
) -> _Floats[_S, T]: ...
@overload
def gradient(
    f: ArrayLike | _HasArrayFunction,
    *varargs: ArrayLike,
    axis: Integers | None = None,
    edge_order: Literal[1, 2] = 1,
    out: _Out,
    workers: SupportsIndex | None = None,
) -> _Out: ...
@overload
def gradient(
    f: _Floats[_S, T] | Reals,
    *varargs: ArrayLike,
    axis: tuple[SupportsIndex, SupportsIndex],
    edge_order: Literal[1, 2] = 1,
    out: None = None,
    workers: SupportsIndex | None = None,
) -> tuple[_Floats[_S, T], _Floats[_S, T]]: ...
@overload
def gradient(
    f: _Floats[_S, T] | Reals,
    *varargs: ArrayLike,
    axis: tuple[SupportsIndex, SupportsIndex, SupportsIndex],
    edge_order: Literal[1, 2] = 1,
    out: None = None,
    workers: SupportsIndex | None = None,
) -> tuple[_Floats[_S, T], _Floats[_S, T], _Floats[_S, T]]: ...
@overload
def gradient(
    f: _AnyD[T],
    *varargs: ArrayLike,
    axis: Sequence[SupportsIndex] | None = None,
    edge_order: Literal[1, 2] = 1,
    out: None = None,
    workers: SupportsIndex | None = None,
) -> NDArray[T] | Any: ...
@overload
def gradient(
    f: _OneD[T] | Sequence[float],
    *varargs: ArrayLike,
    axis: None = None,
    edge_order: Literal[1, 2] = 1,
    out: None = None,
    workers: SupportsIndex | None = None,
) -> _OneD[T]: ...
@overload
def gradient(
    f: _TwoD[T] | Sequence[Sequence[float]],
    *varargs: ArrayLike,
    axis: None = None,
    edge_order: Literal[1, 2] = 1,
    out: None = None,
    workers: SupportsIndex | None = None,
) -> tuple[_TwoD[T], _TwoD[T]]: ...
@overload
def gradient(
    f: _ThreeD[T] | Sequence[Sequence[Sequence[float]]],
    *varargs: ArrayLike,
    axis: None = None,
    edge_order: Literal[1, 2] = 1,
    out: None = None,
    workers: SupportsIndex | None = None,
) -> tuple[_ThreeD[T], _ThreeD[T], _ThreeD[T]]: ...
@overload
def gradient(
    f: _Floats[_S, T] | Reals,
    *varargs: ArrayLike,
    axis: Sequence[SupportsIndex] | None = None,
    edge_order: Literal[1, 2] = 1,
    out: None = None,
    workers: SupportsIndex | None = None,
) -> _Floats[_S, T] | Any: ...
@overload
def gradient(
    f: ArrayLike | _HasArrayFunction,
    *varargs: ArrayLike,
    axis: Integers | None = None,
    edge_order: Literal[1, 2] = 1,
    out: None = None,
    workers: SupportsIndex | None = None,
) -> Any: ...
def gradient_for_numpy(
    f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, decline: Callable[..., Any] = ...
) -> Any: ...

# ---- weights and operators ----

def weights(
    nodes: _Array, at: _Array, deriv: int, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], int]: ...

@final
class Job:
    @property
    def workers(self) -> int: ...
    @property
    def nparts(self) -> int: ...
    @property
    def parts_run(self) -> int: ...
    def work(self) -> None: ...

def even_spacing(
    x: _Array, eps: float, period: float = 0.0, eps_of_period: float = 0.0
) -> float | None: ...

class NotCompiled(ValueError): ...
class NoWeights(NotCompiled): ...
class TooManyStages(NotCompiled): ...
class Singular(ValueError): ...
class NotFinite(ValueError): ...

@final
class Solver:
    def __new__(cls, plan: Plan) -> Self: ...
    def solve(
        self,
        b: _Array,
        x: _Array,
        axis: int,
        workers: SupportsIndex | None,
        alpha_beta: tuple[float, float] | None = None,
    ) -> bool: ...
    def quick(
        self,
        b: Any,
        out: Any,
        shape: tuple[int, ...],
        axis: int,
        workers: SupportsIndex | None,
    ) -> _Array | None: ...

_Rows = list[list[float]]

def compact_schemes(
    deriv: int, accuracy: int
) -> tuple[tuple[int, list[float], _Rows, _Rows], ...] | None: ...

@final
class Description:
    def __init__(
        self,
        deriv: int,
        accuracy: int,
        left: int,
        right: int,
        spacing: float,
        coordinates: bytes | None,
        period: float,
        position: int,
        side: int,
        scheme: tuple[Any, ...] | None,
        conditions: tuple[tuple[float, float, int] | None, ...],
        datum: int,
        at: bytes | None,
        /,
    ) -> None: ...
    def points_needed(self) -> int: ...
    def outline(self) -> tuple[int, int, int, int, int, tuple[int, int]]: ...

def add_parts(
    result: _Array | None, added: list[tuple[tuple[slice, ...], _Array]] | None, alpha: float
) -> None: ...
def sbp_norm(what: Description, n: int) -> NDArray[np.float64]: ...

@final
class Band:
    def __init__(self, /, *args: object, **kwargs: object) -> None: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    def interior(self) -> tuple[int, list[float]] | None: ...
    def entries(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]: ...

@final
class Plan:
    @property
    def in_shape(self) -> tuple[int, ...]: ...
    @property
    def out_shape(self) -> tuple[int, ...]: ...
    @property
    def ninputs(self) -> int: ...
    @property
    def noutputs(self) -> int: ...
    @property
    def has_coefficients(self) -> bool: ...
    @property
    def double_only(self) -> bool: ...
    def __new__(
        cls,
        in_shape: tuple[int, ...],
        terms: list[tuple[int, int, float, tuple[tuple[Any, ...], ...]]],
    ) -> Self: ...
    def terms(self) -> list[tuple[int, int, _Stages, tuple[int, ...]]]: ...
    def coefficients(self) -> list[_Array]: ...
    def box(self, f: _Array, lo: tuple[int, ...], hi: tuple[int, ...]) -> _Array: ...
    def apply(
        self,
        ins: tuple[_Array, ...],
        outs: tuple[_Array | None, ...],
        first_touch: bool,
        workers: SupportsIndex | None,
        alpha_beta: tuple[float, float] | None = None,
    ) -> None: ...
    def quick(
        self,
        F: _Array | Sequence[_Array],
        counts: tuple[int, ...],
        out: _Array | None,
        workers: SupportsIndex | None,
        alpha_beta: tuple[float, float] | None = None,
    ) -> _Array | None: ...

CONSTANTS: frozenset[type[Any]]

@final
class Recent:
    def __init__(
        self, prepare: Callable[..., Any], apply: Callable[..., Any], of_vectors: bool
    ) -> None: ...
    def call(
        self,
        f: Any,
        spacing: tuple[Any, ...],
        axis: Any,
        deriv: Any,
        accuracy: Any,
        boundary: Any,
        period: Any,
        out: Any,
        workers: Any,
    ) -> _Array: ...
    def cache_clear(self) -> None: ...

class Applicable:
    @overload
    def __call__(
        self,
        u: Scalar[T],
        *,
        out: NDArray[T] | None = None,
        workers: SupportsIndex | None = None,
        alpha: Number = 1,
        beta: Number = 0,
    ) -> NDArray[T]: ...
    @overload
    def __call__(
        self,
        u: ArrayLike,
        *,
        out: _Array | None = None,
        workers: SupportsIndex | None = None,
        alpha: Number = 1,
        beta: Number = 0,
    ) -> NDArray[Any]: ...
    def _remember(
        self,
        plan: Plan,
        offsets: object = None,
        of_one: bool = True,
        counts: tuple[int, ...] | None = None,
    ) -> bool: ...

def new_result(a: _Array, shape: tuple[int, ...]) -> _Array: ...
def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> _Array: ...
def keep_results(most: int) -> bool: ...
def kept_bytes() -> int: ...
def after_fork() -> None: ...
def computes(a: object) -> bool: ...
def get_function_address(name: str) -> int: ...
