"""Where a Value stands beside arrays, it acts as an array of shape ().

It becomes a Tensor there, by a `cast` whose argument is the Value. Nothing leads from a Tensor to a Value, so a sweep
goes through the arrays first, and what arrives at these casts are gradients of Values.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .arguments import holds_node, is_node, is_value, numeric
from .operation import OPERATIONS, Operation
from .recording import hooks


def weak(dtypes: Iterable[np.dtype[Any]]) -> np.dtype[Any]:
    """What a Python number is beside arrays of these dtypes: it does not widen float32."""
    floats = [dtype for dtype in dtypes if dtype.kind == "f"]
    return np.result_type(*floats) if floats else np.dtype(float)


def meet(operation: Operation, args: Sequence) -> Any:
    """An operation on arguments that are not all of one sort: on arrays."""
    count = len(operation.arguments)
    return operation(*as_tensors(args[:count]), *args[count:])


def as_tensors(given: Iterable) -> list:
    """Values, and lists with nodes in them, as Tensors; all else as it is.

    A Value is as wide as a Python number would be among the others.
    """
    found = [unlisted(x) for x in given]
    if not any(map(is_value, found)):
        return found
    dtype = weak([x.dtype for x in found if isinstance(x, (np.ndarray, np.generic)) or is_node(x) and not is_value(x)])
    return [_entered(x, dtype) if is_value(x) else x for x in found]


def as_arrays(given: Iterable) -> list:
    """Values, and lists with nodes in them, as Tensors; Tensors as they are; all else as real arrays."""
    return [x if is_node(x) else numeric(x) for x in as_tensors(given)]


def as_weak(given: Iterable) -> list:
    """The same where a Python number is no wider than the arrays among the others."""
    found = as_tensors(given)
    dtype = weak([x.dtype for x in found if hasattr(x, "dtype")])
    return [np.asarray(x, dtype) if type(x) in (float, int, bool) else as_array(x) for x in found]


def as_array(x: Any) -> Any:
    """The same of one."""
    return as_arrays([x])[0]


def _entered(value: Any, dtype: Any) -> Any:
    """A Value as a Tensor, made as an operation's recorder makes a node, which takes nodes of its own class alone."""
    reading = type(value).reading
    dtype = np.dtype(bool) if getattr(value, "is_mask", False) else dtype
    node = object.__new__(reading.array)
    node._become_leaf(np.asarray(getattr(value, reading.held), dtype), "")
    node.operation, node.x, node.y = OPERATIONS["cast"], value, dtype
    return reading.scope["__attend"](node) if hooks else node


def unlisted(x: Any) -> Any:
    """A nested list or tuple with nodes in it as one Tensor; all else as it is."""
    if not holds_node(x):
        return x
    arrays = as_arrays(x)
    if len({part.shape for part in arrays}) != 1:
        shapes = ", ".join(str(part.shape) for part in arrays)
        raise ValueError(f"a list is an array if its parts have one shape, not the shapes {shapes}")
    return joined([OPERATIONS["reshape"](part, (1, *part.shape)) for part in arrays], 0)


def joined(arrays: list, axis: int) -> Any:
    """Arrays one after the other along an axis: pairs are joined, then pairs of pairs, so that n cost n log n."""
    while len(arrays) > 1:
        pairs = [OPERATIONS["concatenate"](x, y, axis) for x, y in zip(arrays[::2], arrays[1::2])]
        arrays = pairs + arrays[len(arrays) - len(arrays) % 2 :]
    return arrays[0]
