"""What may be given to a node, and the messages for what may not."""

import builtins
import dis
import numbers
import sys
import types
from typing import Any

import numpy as np

from .operation import Operation

GENERATED = "autograd"  # functions made of rows are in no module
LIBRARIES = {GENERATED, "contextlib"}  # whose lines are not the user's


class MixedError(TypeError):
    """A Value and a Tensor met in one expression."""

    def __init__(self):
        super().__init__("a Value and a Tensor do not mix in one expression: make both a Tensor")


def is_node(x: Any) -> bool:
    """Whether this is a Value or a Tensor; they stand above this module."""
    return hasattr(type(x), "reading")


def unpacked(sizes: tuple) -> tuple[int, ...]:
    """reshape(2, 3) and reshape((2, 3)) mean the same."""
    return tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], numbers.Integral) else sizes


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """An axis argument of NumPy (None, a number, several) as the sorted tuple of axes that it means."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, numbers.Integral) else tuple(axis)
    for i in axes:
        if not -ndim <= i < ndim:
            raise np.exceptions.AxisError(i, ndim)
    found = tuple(sorted({int(i) % ndim for i in axes}))
    if len(found) != len(axes):
        raise ValueError(f"axis {axis} names an axis twice")
    return found


def value_constant(number: Any) -> float:
    """What may stand beside a Value: any real number, as a float."""
    if number.__class__ is float:
        return number
    if isinstance(number, numbers.Real) or isinstance(number, np.bool_):
        return float(number)
    if is_node(number):
        raise MixedError
    if isinstance(number, np.ndarray):
        raise TypeError(f"a Value is one number, this is an array of shape {number.shape}: use a Tensor for arrays")
    raise TypeError(f"a Value needs a real number, not {number!r} ({type(number).__name__})")


def tensor_constant(array: Any) -> Any:
    """What may stand beside a Tensor: a real number as it is, anything else as a real array."""
    if array.__class__ is np.ndarray and array.dtype.kind in "fiub" or array.__class__ in (float, int, bool):
        return array
    return array if isinstance(array, np.generic) and array.dtype.kind in "fiub" else numeric(array)


def numeric(data: Any) -> np.ndarray:
    """Numbers, arrays and lists of them as an array of real numbers."""
    if is_node(data):
        if "Value" in type(data).__name__:
            raise MixedError
        raise TypeError("this is a Tensor already: use .detach() for one without history")
    if isinstance(data, np.ma.MaskedArray):
        raise TypeError("a masked array would lose its mask: use .filled(number), or where(mask, ...) on plain arrays")
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(f"a Tensor needs an array, and this is none: {error}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"a Tensor needs real numbers, not {array.dtype} (from {type(data).__name__})")
    return array


def explained(error: Exception, operation: Operation, args: tuple) -> Exception:
    """An error of NumPy, with the name of the operation and what it was given."""
    given = ", ".join(
        (
            f"{name} of shape {getattr(arg, 'shape', ()) if is_node(arg) else np.shape(arg)}"
            if name in operation.arguments
            else f"{name} = {arg!r}"
        )
        for name, arg in zip(operation.names, args)
    )
    kinds = (ValueError, TypeError, IndexError, OverflowError, np.linalg.LinAlgError)
    kind = type(error) if type(error) in kinds else ValueError
    return kind(f"{operation.name}: {given}: {error}")


def users_line() -> str:
    """Where the user's program is: the file and line of the innermost frame outside the libraries."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", GENERATED).split(".")[0] in LIBRARIES:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"


def only_float_may_read(node: Any, caller: types.FrameType) -> None:
    """Refuse a conversion that float() was not called for: math.exp(node) would silently lose the node's history.

    Both reach __float__ alike, so the instruction that the calling frame is at must tell: a call of `float` by name, or
    text formatting. Code without position information cannot be looked into and is let through.
    """
    at = [i for i in dis.get_instructions(caller.f_code) if i.offset <= caller.f_lasti]
    call = at[-1]
    if call.opname.startswith(("BINARY", "FORMAT")) or call.positions.col_offset is None:
        return
    start = (call.positions.lineno, call.positions.col_offset)
    names = [
        i.argval
        for i in at[:-1]
        if i.opname.startswith("LOAD_") and start == (i.positions.lineno, i.positions.col_offset)
    ]
    scope = {**vars(builtins), **caller.f_globals, **caller.f_locals}
    if len(names) == 1 and scope.get(names[0]) is float:
        return
    kind = type(node).__name__
    raise TypeError(
        f"only float(x) reads a {kind} as a number; this call would lose its history: use the {kind}'s own "
        "methods or autograd.numpy (x.exp(), not math.exp(x)), or .data for the number"
    )
