"""The words that the table's rows are written in, on Python floats (FLOATS) and on arrays (ARRAYS).

Most are NumPy's and math's own. Those on floats follow IEEE 754 where Python would raise.
"""

import math
import operator
from collections.abc import Callable

import numpy as np

from . import on_arrays
from .users import REFUSED

__warningregistry__ = REFUSED  # users.py
CONSTANTS = {"inf": math.inf, "LN2": math.log(2.0), "LOG2E": math.log2(math.e), "LOG10E": math.log10(math.e)}


def _ieee(fast: Callable, exact: Callable) -> Callable:
    """`fast` from math, and where it raises, NumPy's answer: math.log(0.0) raises, IEEE 754 says -inf."""

    def function(*numbers: float) -> float:
        try:
            return fast(*numbers)
        except (ValueError, OverflowError, ZeroDivisionError):
            with np.errstate(all="ignore"):
                return float(exact(*map(float, numbers)))

    return function


def _float_sigmoid(x: float) -> float:
    if x < 0:
        small = math.exp(x)
        return small / (1.0 + small)
    return 1.0 / (1.0 + math.exp(-x))


def _float_bell(x: float) -> float:
    small = math.exp(-abs(x))
    return small / ((1.0 + small) * (1.0 + small))


_divide = _ieee(operator.truediv, np.true_divide)


def _float_ratio(x: float, y: float) -> float:
    return _divide(x, y) if x else 0.0


def _float_logaddexp(x: float, y: float) -> float:
    if x == y:  # two equal infinities too
        return x + CONSTANTS["LN2"]
    high, low = (x, y) if x > y else (y, x)
    return high + math.log1p(math.exp(low - high))


def _float_maximum(x: float, y: float) -> float:
    return x if x > y or x != x else y


def _float_minimum(x: float, y: float) -> float:
    return x if x < y or x != x else y


def _rounded(function: Callable) -> Callable:
    return lambda x: float(function(x))


FLOATS: dict[str, Callable] = {
    **{
        name: _ieee(getattr(math, name), getattr(np, name))
        for name in "exp expm1 log log1p sqrt sin cos tan sinh cosh".split()
    },
    **{name: _ieee(getattr(math, name), getattr(np, name)) for name in "exp2 log2 log10 cbrt hypot".split()},
    **{
        name: _ieee(getattr(math, name.replace("arc", "a")), getattr(np, name))
        for name in "arcsinh arccosh arctanh arctan2".split()
    },
    **{name: _rounded(getattr(np, name)) for name in "floor ceil rint".split()},
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "neg": operator.neg,
    "mod": _ieee(operator.mod, np.remainder),
    "floordiv": _ieee(operator.floordiv, np.floor_divide),
    "copysign": math.copysign,
    "arcsin": _ieee(math.asin, np.arcsin),
    "arccos": _ieee(math.acos, np.arccos),
    "arctan": math.atan,
    "tanh": math.tanh,
    "truediv": _divide,
    "pow": _ieee(math.pow, np.power),
    "abs": abs,
    "sigmoid": _float_sigmoid,
    "bell": _float_bell,
    "softplus": lambda x: _float_maximum(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "logaddexp": _float_logaddexp,
    "maximum": _float_maximum,
    "minimum": _float_minimum,
    "where": lambda m, x, y: x if m else y,
    "sign": lambda x: float((x > 0) - (x < 0)) if x == x else x,
    "greater": lambda x, y: 1.0 if x > y else 0.0,
    "less": lambda x, y: 1.0 if x < y else 0.0,
    "equal": lambda x, y: 1.0 if x == y else 0.0,
    "greater_equal": lambda x, y: 1.0 if x >= y else 0.0,
    "less_equal": lambda x, y: 1.0 if x <= y else 0.0,
    "not_equal": lambda x, y: 1.0 if x != y else 0.0,
    "wins": lambda x, y: 1.0 if x > y else 0.0 if x < y else 0.5,
    "scaled": lambda x, y: x * y if x else 0.0,
    "ratio": _float_ratio,
}


# what concerns shapes alone is the same in every reading
SHAPES: dict[str, Callable] = {
    "share": on_arrays.share,
    "inverse": on_arrays.inverse,
    "head": on_arrays.head,
    "tail": on_arrays.tail,
    "half_lower": on_arrays.half_lower,
    "backwards": on_arrays.backwards,
}

ARRAYS: dict[str, Callable] = {
    **{name: getattr(np, name) for name in "exp expm1 log log1p sqrt sin cos tan arcsin arccos arctan".split()},
    **{
        name: getattr(np, name)
        for name in "sinh cosh tanh arcsinh arccosh arctanh abs maximum minimum where sign".split()
    },
    **{name: getattr(np, name) for name in "greater less equal greater_equal less_equal not_equal".split()},
    **{
        name: getattr(np, name)
        for name in "exp2 log2 log10 cbrt hypot arctan2 logaddexp floor ceil rint cumsum flip".split()
    },
    **{name: getattr(np.linalg, name) for name in "solve inv det".split()},
    "cholesky": lambda x: np.linalg.cholesky(0.5 * (x + x.mT)),
    **SHAPES,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "pow": np.power,
    "neg": np.negative,
    "mod": np.remainder,
    "floordiv": np.floor_divide,
    "copysign": np.copysign,
    "getitem": operator.getitem,
    "reshape": np.reshape,
    "transpose": np.transpose,
    "swapaxes": np.swapaxes,
    "sigmoid": on_arrays.sigmoid,
    "lowered": on_arrays.lowered,
    "powlog": on_arrays.powlog,
    "bell": on_arrays.bell,
    "softplus": lambda x: np.logaddexp(x, 0.0, dtype=x.dtype),
    "wins": on_arrays.wins,
    "scaled": on_arrays.scaled,
    "ratio": on_arrays.ratio,
    "sum": on_arrays.total,
    "mean": on_arrays.mean,
    "max": on_arrays.largest,
    "min": on_arrays.smallest,
    "top": on_arrays.top,
    "norm": on_arrays.norm,
    "logsumexp": on_arrays.logsumexp,
    "softmax": on_arrays.softmax,
    "log_softmax": on_arrays.log_softmax,
    "ties": on_arrays.ties,
    "matmul": on_arrays.matmul,
    "expand": on_arrays.expand,
    "sum_to": on_arrays.sum_to,
    "scatter": on_arrays.scatter,
    "sorted_as": lambda x, y, axis: np.take_along_axis(x, np.argsort(y, axis, kind="stable"), axis),
    "unsorted_as": on_arrays.unsorted_as,
    "detsign": lambda x: np.linalg.slogdet(x)[0],
    "logdet": lambda x: np.linalg.slogdet(x)[1],
    "cofactor": on_arrays.cofactor,
    "minors": on_arrays.minors,
    "concatenate": lambda x, y, axis: np.concatenate((x, y), axis),
    "cast": lambda x, dtype: x.astype(dtype),
}
