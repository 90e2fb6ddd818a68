"""NumPy's names for floats, arrays and nodes: `import autograd.numpy as np`.

Where a node takes part the functions below are recorded; else, and for every name that is not here, it is NumPy itself.
`numpy.exp(tensor)`, `numpy.sum(tensor)` and the like come here too, by NumPy's protocols. What is not differentiated
raises a TypeError that names the function.
"""

from collections.abc import Callable
from typing import Any

import numpy as _np

from . import elementwise, linalg, products, reducing, shaping
from .dispatch import data_of, either, unrecorded
from .node import Node, Tensor
from .operation import OPERATIONS

INFIX = {
    "subtract": "sub",
    "multiply": "mul",
    "divide": "truediv",
    "power": "pow",
    "negative": "neg",
    "absolute": "abs",
}
TABLE = """
add exp expm1 exp2 log log1p log2 log10 sqrt cbrt square sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh
arccosh arctanh hypot logaddexp maximum minimum abs sign floor ceil rint relu sigmoid softplus""".split()
ELEMENTWISE = "reciprocal clip round log_sigmoid sinc".split()
REDUCING = """
sum mean max min prod var std cumsum cumprod sort diff norm logsumexp softmax log_softmax""".split()
SHAPING = """
reshape ravel transpose swapaxes moveaxis broadcast_to take_along_axis diag trace tril triu pad array concatenate stack
vstack hstack column_stack full_like""".split()
RESHAPING = "squeeze expand_dims atleast_1d atleast_2d atleast_3d".split()
MOVING = "repeat tile roll flip fliplr flipud rot90 take delete diagonal".split()
SPLITTING = "split array_split".split()
PRODUCTS = "matmul affine einsum tensordot dot inner outer vdot convolve".split()
PLAIN = """
greater greater_equal less less_equal equal not_equal logical_and logical_or logical_not isnan isinf isfinite signbit
argmax
argmin argsort any all nonzero count_nonzero searchsorted array_equal allclose isclose shape ndim size zeros_like
ones_like
empty_like may_share_memory result_type""".split()
METHODS = """
sum mean max min prod var std cumsum cumprod norm logsumexp reshape ravel transpose swapaxes squeeze repeat take
diagonal
trace dot clip round argmax argmin argsort nonzero""".split()


def where(condition: Any, *branches: Any) -> Any:
    """As numpy.where; the branch that is not selected gets no gradient, not even where its derivative is infinite."""
    return OPERATIONS["where"](condition, *branches) if branches else _np.nonzero(data_of(condition))


def _recorded() -> dict[str, Callable]:
    """Every function here that is recorded."""
    found: dict[str, Callable] = {name: OPERATIONS[name] for name in TABLE} | {
        name: OPERATIONS[word] for name, word in INFIX.items()
    }
    found |= {name: getattr(elementwise, name) for name in ELEMENTWISE} | {"where": where}
    arrays = {name: getattr(reducing, name) for name in REDUCING} | {name: getattr(shaping, name) for name in SHAPING}
    arrays |= {name: shaping.reshaping(name) for name in RESHAPING} | {name: shaping.moving(name) for name in MOVING}
    arrays |= {name: shaping.splitting(name) for name in SPLITTING}
    arrays |= {name: getattr(products, name) for name in PRODUCTS}
    return found | arrays


RECORDED = _recorded()
_OF_NUMBERS = {*TABLE, *INFIX, *ELEMENTWISE, "where", "affine"}
for _name, _function in RECORDED.items():
    _plain = getattr(_np, _name, None)
    if _plain is None and _name in _OF_NUMBERS:  # an operation knows by itself what it was given
        globals()[_name] = _function
    else:
        globals()[_name] = either(_name, _function, _plain, of_arrays=_name not in _OF_NUMBERS)
globals().update({name: unrecorded(name) for name in PLAIN})
for _name in METHODS:
    setattr(Tensor, _name, RECORDED.get(_name) or globals()[_name])
__all__ = [*RECORDED, *PLAIN, "linalg"]


def __getattr__(name: str) -> Any:
    return getattr(_np, name)  # with a node in it, NumPy asks the protocols below, or for an array, and either raises


def _ufunc(self: Node, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """numpy.exp(node) and the like; what an array or a number of NumPy on the left of an operator calls."""
    name = ufunc.__name__
    if "out" in kwargs:
        raise TypeError(
            f"{name}: a result that takes part in derivatives is not written into an array: "
            "write a = a + t instead of a += t, and leave out="
        )
    if method != "__call__" or kwargs or name not in __all__:
        what = name if method == "__call__" else f"{name}.{method}"
        given = f" with {', '.join(kwargs)}" if kwargs else ""
        raise TypeError(
            f"numpy.{what}{given} is not differentiated: use a function of autograd.numpy, or .data for a constant"
        )
    return globals()[name](*inputs)


def _function(self: Node, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
    """numpy.sum(node) and the like."""
    name, home = function.__name__, function.__module__
    found = globals().get(name) if home == "numpy" and name in __all__ else None
    if home == "numpy.linalg" and name in linalg.__all__:
        found = getattr(linalg, name)
    if found is None:
        raise TypeError(
            f"{home}.{name} is not differentiated: use a function of autograd.numpy, or .data for a constant"
        )
    return found(*args, **kwargs)


Node.__array_ufunc__, Node.__array_function__ = _ufunc, _function
Tensor.expand, Tensor.flatten = shaping.broadcast_to, shaping.ravel
Tensor.__matmul__ = products.matmul
Tensor.__rmatmul__ = lambda self, other: products.matmul(other, self)
