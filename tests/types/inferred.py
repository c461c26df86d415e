"""What a type checker infers from calls of fdx.

mypy and pyright read this file. test_types.py runs it, with an `assert_type` that looks at the
value: what is said to a checker is true.
"""

from contextlib import AbstractContextManager
from typing import Any, TypeAlias, assert_type

import numpy as np
from numpy.typing import NDArray

import fdx

F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]
C64: TypeAlias = NDArray[np.complex64]
Line: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]
Plane: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.float32]]
Cube: TypeAlias = np.ndarray[tuple[int, int, int], np.dtype[np.float64]]


def gradients(f32: F32, f64: F64, c64: C64, i16: NDArray[np.int16]) -> None:
    """Of arrays of two dimensions, of which their types say nothing."""
    axes: tuple[int, ...] = tuple(range(2))

    # One axis: an array of the same dtype, of float64 for integers.
    assert_type(fdx.gradient(f32, axis=0), F32)
    assert_type(fdx.gradient(f64, 0.5, axis=-1), F64)
    assert_type(fdx.gradient(c64, [0, 1, 3, 6], axis=(0,), edge_order=2), C64)
    assert_type(fdx.gradient(i16, axis=np.int64(0)), F64)

    # Several: a tuple of them.
    assert_type(fdx.gradient(f32, 0.5, 2, axis=(0, 1)), tuple[F32, F32])
    assert_type(fdx.gradient(i16, axis=(1, 0), workers=2), tuple[F64, F64])

    # All, or an unknown number of them: an array, or something that nobody has to ask for.
    assert_type(fdx.gradient(f32), F32 | Any)
    assert_type(fdx.gradient(f32, axis=axes), F32 | Any)
    assert_type(fdx.gradient(f32, axis=[0, 1]), F32 | Any)
    assert_type(fdx.gradient(i16), F64 | Any)
    dy, dx = fdx.gradient(f64)
    _slope: F64 = np.hypot(dy, dx)

    # With `out` it is what `out` is.
    assert_type(fdx.gradient(f32, axis=0, out=f32), F32)
    assert_type(fdx.gradient(f64, out=(f64.copy(), f64.copy())), tuple[F64, F64])
    assert_type(fdx.gradient(f64, out=[f64.copy(), f64.copy()]), list[F64])
    assert_type(fdx.gradient(i16, out=np.stack([f64, f64])), F64)


def gradients_of_known_dimensions(line: Line, plane: Plane, cube: Cube) -> None:
    assert_type(fdx.gradient(line), Line)
    assert_type(fdx.gradient(plane), tuple[Plane, Plane])
    assert_type(fdx.gradient(plane, axis=0), Plane)
    assert_type(fdx.gradient(cube), tuple[Cube, Cube, Cube])
    assert_type(fdx.gradient(cube, axis=(0, 1, 2)), tuple[Cube, Cube, Cube])
    assert_type(fdx.gradient([1, 2, 4]), Line)
    assert_type(fdx.gradient([[1.0, 2.0], [2.0, 4.0]], axis=1), F64)


def derivatives(f32: F32, f64: F64, c64: C64, i16: NDArray[np.int16]) -> None:
    assert_type(fdx.derivative(f32, 0.5, axis=0, deriv=2, boundary="periodic"), F32)
    assert_type(fdx.derivative(i16, boundary=("reflect", "valid")), F64)
    assert_type(fdx.derivative([0.0, 1.0, 4.0], np.arange(3)), F64)
    assert_type(fdx.derivative([0.0, 1j, 4.0]), NDArray[Any])
    assert_type(fdx.derivative(i16, out=f64), F64)

    assert_type(fdx.laplacian(c64, 0.5, boundary=["periodic", ("valid", "reflect")]), C64)
    assert_type(fdx.laplacian(i16, 0.5, boundary="periodic", period=[2.0, None]), F64)
    assert_type(fdx.divergence([f32, f32]), F32)
    assert_type(fdx.divergence((i16, f64), out=f64), F64)
    assert_type(fdx.divergence(np.stack([c64, c64])), C64)
    assert_type(fdx.curl((f64, -f64), 0.5, 0.25, axis=(1, 0)), F64)
    assert_type(fdx.curl([i16, i16]), F64)
    assert_type(fdx.hessian(f32, accuracy=2), F32)
    assert_type(fdx.jacobian([[0.0, 1.0, 2.0], [1.0, 2.0, 4.0]]), F64)
    assert_type(fdx.jacobian((f32,))[0], Any)

    assert_type(fdx.weights([-1, 0, 1], at=0.5, deriv=2), F64)


def operators(f32: F32, f64: F64, i16: NDArray[np.int16]) -> None:
    D = fdx.Diff(0, np.float32(0.5), accuracy=2, boundary="symmetric")
    assert_type(D, fdx.Diff)
    assert_type(fdx.Filter(0, 6, boundary="periodic", strength=0.5), fdx.Filter)
    assert_type(fdx.Identity() + D - D @ D + -D, fdx.Operator)
    assert_type(2 * D / 3, fdx.Operator)
    assert_type(np.float64(2) * D * np.float32(3), fdx.Operator)
    assert_type(f64 * D**2, fdx.Operator)
    assert_type(i16 * D.T, fdx.Operator)

    assert_type(D(f32), F32)
    assert_type(D(i16, workers=2), F64)
    assert_type(D(f64, out=f64), F64)
    assert_type(D([1, 2, 4]), F64)

    assert_type(D.axes, tuple[int, ...])
    assert_type(D.output_shape(f32.shape), tuple[int, ...])
    assert_type(D.output_shape(5), tuple[int, ...])
    assert_type(D.spectral_radius([5, 5]), float)
    assert_type(D.symbol(0.5), np.complex128)
    assert_type(D.symbol([0.5, 1.0]), NDArray[np.complex128] | Any)


def others() -> None:
    workers: AbstractContextManager[None] = fdx.set_workers(2)
    with workers, fdx.patched(report=False), fdx.patched(compare=True) as report:
        assert_type(report, fdx.PatchReport)
        assert_type(report.different, int)
    assert_type(fdx.patch_numpy(report=False), fdx.PatchReport | None)
    assert_type(fdx.patch_numpy(report=True), fdx.PatchReport)
    fdx.unpatch_numpy()
    assert_type(fdx.get_include(), str)
    assert_type(fdx.get_library_dir(), str)
    assert_type(fdx.get_function_address("fdx_apply"), int)
    assert_type(fdx.__version__, str)


def mistakes(f32: F32, f64: F64, D: fdx.Diff) -> None:
    """What a checker has to object to, on each line; this is not run."""
    fdx.gradient(f64, edge_order=3)  # type: ignore[call-overload]
    fdx.gradient(f64, axis="x")  # type: ignore[arg-type]
    fdx.gradient(f64, dx=0.5)  # type: ignore[call-overload]
    fdx.derivative(f64, 0.5, 2)  # type: ignore[call-overload]
    fdx.derivative(f64, order=2)  # type: ignore[call-overload]
    fdx.laplacian(f64, boundary="wrap")  # type: ignore[call-overload]
    fdx.Diff(0, boundary=("periodic",))  # type: ignore[arg-type]
    fdx.Diff(0.5)  # type: ignore[arg-type]
    fdx.set_workers("all")  # type: ignore[arg-type]
    D(f64, f64)  # type: ignore[call-overload]
    D * D  # type: ignore[operator]
    D * f64  # type: ignore[operator]
    D @ f64  # type: ignore[operator]
    f64 @ D  # type: ignore[operator]
    D + 1  # type: ignore[operator]
    D - 1  # type: ignore[operator]
    1 - D  # type: ignore[operator]
    D**0.5  # type: ignore[operator]
    D(f64, f64, 2, 3)  # type: ignore[call-overload]
