"""What "the same" means in these tests.

Two results are the same if type, dtype (byte order included), shape, strides and bytes are. All
NaNs count as equal, as the payload and sign of a NaN depend on the compiler; -0.0 is not 0.0. Two
calls are the same if their results or exceptions are, and the kinds of their warnings.
"""

import re
import warnings
from dataclasses import dataclass, field

import numpy as np

FLOATING_KINDS = ("divide by zero", "overflow", "underflow", "invalid value")


def canonical_bytes(array):
    """The values of an array as bytes: C order, native byte order, one NaN per component."""
    array = np.asarray(array)
    if array.dtype.hasobject:
        return repr([(type(item).__name__, item) for item in array.ravel().tolist()]).encode()
    plain = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
    if plain.dtype.char in "gG":
        # The padding bytes of a long double are not part of its value: compare the shortest texts.
        return repr([(repr(x.real), repr(x.imag)) for x in plain.ravel()]).encode()
    if plain.dtype.kind == "c":
        plain = plain.reshape(-1).view(plain.real.dtype)
    if plain.dtype.kind == "f":
        plain[np.isnan(plain)] = np.nan
    return plain.tobytes()


def description(array):
    """All that must match: two results are the same exactly when these tuples are equal."""
    if not isinstance(array, np.ndarray):
        return (type(array), array)
    # The stride of an axis is visible even if the axis has only one element.
    head = (type(array), array.dtype.str, array.shape, array.strides)
    if isinstance(array, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(array)
        return (*head, canonical_bytes(array.filled(0)), mask.tobytes())
    return (*head, canonical_bytes(array))


def same_bits(a, b):
    if isinstance(a, (tuple, list)) or isinstance(b, (tuple, list)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same_bits, a, b))
    return description(a) == description(b)


def show(result):
    """A description short enough to read in a failure."""
    if isinstance(result, (tuple, list)):
        return f"{type(result).__name__} of {len(result)}: " + "; ".join(map(show, result))
    if not isinstance(result, np.ndarray):
        return repr(result)
    text = np.array2string(result, threshold=40, floatmode="unique")
    return f"{type(result).__name__} {result.dtype.str} {result.shape} {result.strides}\n{text}"


def first_difference(a, b):
    """The first difference of two arrays of one shape, for the message of a failure."""
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape):
        return ""
    for index in np.ndindex(a.shape):
        if canonical_bytes(a[index]) != canonical_bytes(b[index]):
            return f"first difference at {index}: {a[index]!r} is not {b[index]!r}"
    return ""


def assert_same_bits(got, want, context=""):
    if same_bits(got, want):
        return
    where = ""
    if isinstance(got, tuple) and isinstance(want, tuple):
        for g, w in zip(got, want, strict=False):
            where = where or first_difference(g, w)
    else:
        where = first_difference(got, want)
    raise AssertionError(f"{context}\ngot  {show(got)}\nwant {show(want)}\n{where}")


def assert_same_elements(got, want, context=""):
    """The same bits, in whatever memory order."""
    assert (got.shape, got.dtype) == (want.shape, want.dtype), context
    assert canonical_bytes(got) == canonical_bytes(want), context


def warning_kind(message):
    """'divide by zero encountered in divide' -> 'divide by zero'; any other text stays whole.

    The operation's name is removed: NumPy names the operation, which a compiled loop does not have.
    """
    match = re.fullmatch(rf"({'|'.join(FLOATING_KINDS)}) encountered in [\w ]+", str(message))
    return match.group(1) if match else str(message)


@dataclass
class Outcome:
    result: object = None
    error: tuple | None = None
    warnings: set = field(default_factory=set)


def outcome(function, *args, **kwargs):
    """Call, and record everything that a caller could observe."""
    seen = Outcome()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            seen.result = function(*args, **kwargs)
        except Exception as error:
            text = str(error)
            seen.error = (
                type(error),
                warning_kind(text) if isinstance(error, FloatingPointError) else text,
            )
    seen.warnings = {(w.category, warning_kind(w.message)) for w in caught}
    return seen


def assert_same_outcome(got, want, context=""):
    assert got.error == want.error, f"{context}\ngot  {got.error}\nwant {want.error}"
    if want.error is None:
        assert_same_bits(got.result, want.result, context)
    assert got.warnings == want.warnings, f"{context}\ngot  {got.warnings}\nwant {want.warnings}"
