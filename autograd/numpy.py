"""NumPy's names for floats, arrays and nodes: `import autograd.numpy as np`.

The elementwise functions are the operations of the table themselves. The others apply the method of that name to a
Tensor and NumPy's function to anything else.
"""

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as _np

from .node import Node, Tensor, Value, affine, matmul
from .operation import ELEMENTWISE, OPERATIONS

globals().update({operation.name: operation for operation in ELEMENTWISE})
subtract, multiply, divide, power, negative, absolute = (OPERATIONS[name] for name in "sub mul truediv pow neg abs".split())


def _by_method(name: str) -> Callable:
    """The function that calls a Tensor's method of this name, or NumPy's function on what is no node."""
    plain = getattr(_np, name)

    def function(x: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(x, Value):
            raise TypeError(f"{name}() is of arrays; a Value is one number: use a Tensor")
        return getattr(x, name)(*args, **kwargs) if isinstance(x, Tensor) else plain(x, *args, **kwargs)

    function.__name__ = name
    function.__doc__ = f"As numpy.{name}, of a Tensor or an array."
    return function


sum, mean, max, min, prod, var, std = map(_by_method, ("sum", "mean", "max", "min", "prod", "var", "std"))
reshape, ravel, transpose, swapaxes = map(_by_method, ("reshape", "ravel", "transpose", "swapaxes"))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over axes, without overflow."""
    return x.logsumexp(axis, keepdims) if isinstance(x, Tensor) else Tensor(x).logsumexp(axis, keepdims).data


def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
    """As numpy.broadcast_to."""
    return x.expand(*shape) if isinstance(x, Tensor) else _np.broadcast_to(x, shape)


def concatenate(arrays: Sequence, axis: int = 0) -> Any:
    """As numpy.concatenate: pairs are joined, then pairs of pairs, so that n arrays cost n log n."""
    parts = list(arrays)
    if not builtins.any(isinstance(part, Node) for part in parts):
        return _np.concatenate(parts, axis)
    parts = [part if isinstance(part, Tensor) else Tensor(part) for part in parts]
    if not -parts[0].ndim <= axis < parts[0].ndim:
        raise ValueError(f"concatenate: arrays of shape {parts[0].shape} have no axis {axis}")
    axis %= parts[0].ndim
    while len(parts) > 1:
        pairs = [OPERATIONS["concatenate"](x, y, axis) for x, y in zip(parts[::2], parts[1::2])]
        parts = pairs + parts[len(parts) - len(parts) % 2:]
    return parts[0]


def stack(arrays: Sequence, axis: int = 0) -> Any:
    """As numpy.stack."""
    parts = list(arrays)
    if not builtins.any(isinstance(part, Node) for part in parts):
        return _np.stack(parts, axis)
    parts = [part if isinstance(part, Tensor) else Tensor(part) for part in parts]
    if len({part.shape for part in parts}) != 1:
        raise ValueError(f"stack: the arrays differ in shape: {', '.join(str(part.shape) for part in parts)}")
    shape, axis = parts[0].shape, axis % (parts[0].ndim + 1)
    return concatenate([part.reshape(*shape[:axis], 1, *shape[axis:]) for part in parts], axis)


__all__ = [operation.name for operation in ELEMENTWISE] + """
subtract multiply divide power negative absolute sum mean max min prod var std reshape ravel transpose swapaxes
logsumexp broadcast_to concatenate stack matmul affine""".split()
