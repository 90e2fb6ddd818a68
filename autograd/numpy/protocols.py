"""What NumPy does when its own functions and arrays meet a node: it asks here."""

import functools
from collections.abc import Callable
from typing import Any

import numpy

from .. import numpy as names
from ..failing import naming
from ..meeting import as_array
from ..node import Node
from .dispatch import NO_OUT, not_differentiated
from .reducing import scanned

METHODS: dict[str, Callable[..., Any]] = {
    "add.reduce": names.sum,
    "multiply.reduce": names.prod,
    "maximum.reduce": names.max,
    "minimum.reduce": names.min,
    "logaddexp.reduce": names.logsumexp,
    "hypot.reduce": names.norm,
    "add.accumulate": names.cumsum,
    "multiply.accumulate": names.cumprod,
    **{f"{name}.accumulate": functools.partial(scanned, name) for name in ("maximum", "minimum", "logaddexp")},
}  # of ufuncs, besides outer, which all of two arguments have

HOMES = {"numpy": names, "numpy.linalg": names.linalg, "numpy.lib.stride_tricks": names}


def ufunc(self: Node, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """numpy.exp(node), numpy.add.reduce(node) and the like; what an array on the left of an operator calls."""
    name, called = ufunc.__name__, ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    if "out" in kwargs:
        raise TypeError(NO_OUT.format(called))
    if called in METHODS:
        return naming(called, METHODS[called])(*inputs, **{"axis": 0, **kwargs})
    if method not in ("__call__", "outer") or kwargs and ufunc.signature is None or name not in names.__all__:
        given = f" with {', '.join(kwargs)}" if kwargs else ""
        home = "numpy." if hasattr(numpy, name) else ""  # else it is of SciPy
        not_differentiated(f"{home}{called}{given}")
    if method == "outer":
        x, y = map(as_array, inputs)
        inputs = x.reshape(x.shape + (1,) * y.ndim), y
    return getattr(names, name)(*inputs, **kwargs)


def function(self: Node, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
    """numpy.sum(node) and the like."""
    name, home = function.__name__, function.__module__
    if home not in HOMES or name not in HOMES[home].__all__:
        not_differentiated(f"{home}.{name}")
    return getattr(HOMES[home], name)(*args, **kwargs)
