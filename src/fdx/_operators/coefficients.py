"""Arrays of coefficients, which are not copied."""

from __future__ import annotations

from typing import Any

import numpy as np

from fdx._arguments.reals import check_coefficients

Array = np.ndarray[Any, Any]


class Coefficient:
    """An array that multiplies point by point, or the data of a boundary. It is not copied, and may
    be written to, so it is identified by its address in memory; its shape and strides are those at
    construction. `sign`: 1 or -1 for only its positive or its negative part, 0 for all of it."""

    def __init__(self, array: Array, sign: int = 0) -> None:
        self.array = array  # so that a deep copy shares it with other objects that are copied
        self.sign = sign
        self.values = array.view()

    def __reduce__(self) -> tuple[Any, ...]:
        return Coefficient, self.state()

    def state(self) -> tuple[Any, ...]:
        return self.array, self.sign

    def key(self) -> tuple[Any, ...]:
        address = self.values.__array_interface__["data"][0]
        return (*self.sort_key(), address)

    def sort_key(self) -> tuple[Any, ...]:
        """What does not differ from process to process, to sort by."""
        a = self.values
        return "Coefficient", a.shape, a.dtype.str, a.strides, -self.sign

    def largest(self) -> float:
        """The largest modulus of a number that it multiplies by."""
        most, least = self.values.max(initial=0.0), self.values.min(initial=0.0)
        most = most if self.sign >= 0 else 0.0
        return float(np.maximum(most, -least if self.sign <= 0 else 0.0))

    def text(self) -> str:
        array = f"<{'x'.join(map(str, self.values.shape)) or '0-d'} array>"
        return {0: array, 1: f"max({array}, 0)", -1: f"min({array}, 0)"}[self.sign]


def as_coefficient(value: Any, name: str = "coefficients") -> float | Coefficient:
    """A number, or an array for multiplication point by point."""
    found = check_coefficients(value, name)
    return Coefficient(found) if isinstance(found, np.ndarray) else found
