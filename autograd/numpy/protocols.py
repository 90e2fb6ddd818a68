"""What NumPy does when its own functions and arrays meet a node: it asks here."""

from collections.abc import Callable
from typing import Any

from .. import numpy as names
from ..node import Node

HOMES = {"numpy": names, "numpy.linalg": names.linalg, "numpy.lib.stride_tricks": names}


def ufunc(self: Node, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """numpy.exp(node) and the like; what an array or a number of NumPy on the left of an operator calls."""
    name = ufunc.__name__
    if "out" in kwargs:
        raise TypeError(
            f"{name}: a result that takes part in derivatives is not written into an array: "
            "write a = a + t instead of a += t, and leave out="
        )
    if method != "__call__" or kwargs or name not in names.__all__:
        what = name if method == "__call__" else f"{name}.{method}"
        given = f" with {', '.join(kwargs)}" if kwargs else ""
        raise TypeError(
            f"numpy.{what}{given} is not differentiated: use a function of autograd.numpy, or .data for a constant"
        )
    return getattr(names, name)(*inputs)


def function(self: Node, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
    """numpy.sum(node) and the like."""
    name, home = function.__name__, function.__module__
    if home not in HOMES or name not in HOMES[home].__all__:
        raise TypeError(
            f"{home}.{name} is not differentiated: use a function of autograd.numpy, or .data for a constant"
        )
    return getattr(HOMES[home], name)(*args, **kwargs)
