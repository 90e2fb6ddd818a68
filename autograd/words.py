"""The words that the table's rows are written in, on Python floats (FLOATS) and on arrays (ARRAYS).

Most are functions of `math` and of NumPy; the others are in on_floats.py and on_arrays.py.
"""

import math
import operator
from collections.abc import Callable

import numpy as np

from . import on_arrays, on_floats
from .users import REFUSED

__warningregistry__ = REFUSED  # so that a warning of NumPy's names the user's line, not one here: users.py
CONSTANTS = {"inf": math.inf, "LN2": math.log(2.0), "LOG2E": math.log2(math.e), "LOG10E": math.log10(math.e)}

FLOATS: dict[str, Callable] = {
    **{
        name: on_floats.ieee(getattr(math, name.replace("arc", "a")), getattr(np, name))
        for name in """exp expm1 exp2 log log1p log2 log10 sqrt cbrt sin cos tan sinh cosh hypot arcsin arccos arcsinh
        arccosh arctanh arctan2""".split()
    },
    **{name: on_floats.rounded(getattr(np, name)) for name in "floor ceil rint".split()},
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "neg": operator.neg,
    "mod": on_floats.ieee(operator.mod, np.remainder),
    "floordiv": on_floats.ieee(operator.floordiv, np.floor_divide),
    "copysign": math.copysign,
    "arctan": math.atan,
    "tanh": math.tanh,
    "truediv": on_floats.divide,
    "pow": on_floats.ieee(math.pow, np.power),
    "abs": abs,
    "sigmoid": on_floats.sigmoid,
    "bell": on_floats.bell,
    "softplus": lambda x: on_floats.maximum(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "logaddexp": on_floats.logaddexp,
    "maximum": on_floats.maximum,
    "minimum": on_floats.minimum,
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
    "ratio": on_floats.ratio,
}


# words about shapes, which are the same whatever else a row is read on
SHAPES: dict[str, Callable] = {
    name: getattr(on_arrays, name) for name in "share inverse head tail half_lower backwards".split()
}

ARRAYS: dict[str, Callable] = {
    **{
        name: getattr(np, name)
        for name in """exp expm1 exp2 log log1p log2 log10 sqrt cbrt sin cos tan arcsin arccos arctan arctan2 sinh cosh
        tanh arcsinh arccosh arctanh abs sign hypot logaddexp floor ceil rint maximum minimum where greater less equal
        greater_equal less_equal not_equal cumsum flip argsort searchsorted bitwise_and bitwise_or bitwise_xor invert
        left_shift right_shift""".split()
    },
    **{name: getattr(np.linalg, name) for name in "solve inv det".split()},
    **{
        name: getattr(on_arrays, name)
        for name in """sigmoid lowered regained powlog bell wins scaled ratio mean top norm logsumexp softmax
        log_softmax ties matmul expand sum_to scatter unsorted_as cofactor minors bounded scatter_add""".split()
    },
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
    "softplus": lambda x: np.logaddexp(x, 0.0, dtype=x.dtype.type),
    "sum": on_arrays.total,
    "max": on_arrays.largest,
    "min": on_arrays.smallest,
    "sorted_as": lambda x, y, axis: np.take_along_axis(x, np.argsort(y, axis, kind="stable"), axis),
    "detsign": lambda x: np.linalg.slogdet(x)[0],
    "logdet": lambda x: np.linalg.slogdet(x)[1],
    "argmax": lambda x, axis: np.argmax(x, axis, keepdims=True),
    "gather": lambda x, i: np.take(x, i, 0),
    "concatenate": lambda x, y, axis: np.concatenate((x, y), axis),
    "cast": lambda x, dtype: x.astype(dtype),
}
