"""The words of the table on single numbers, in LLVM's text."""

import math
from collections.abc import Callable

from . import lanes
from .text import Code, infix, literal, select


def _intrinsic(name: str) -> Callable:
    return lambda c, t, *args: c.call(f"llvm.{name}.f{64 if t == 'double' else 32}", t, *args)


def _libm(name: str) -> Callable:
    return lambda c, t, *args: c.libm(name, t, *args)


def _test(c: Code, t: str, predicate: str, x: str, y: str) -> str:
    return c.emit(f"fcmp {predicate} {t} {x}, {y}")


def _extreme(predicate: str) -> Callable:
    def word(c: Code, t: str, x: str, y: str) -> str:
        wins = c.emit(f"or i1 {_test(c, t, predicate, x, y)}, {_test(c, t, 'uno', x, x)}")  # a NaN is passed on
        return select(c, t, wins, x, y)

    return word


def _wins(c: Code, t: str, x: str, y: str) -> str:
    less = select(c, t, _test(c, t, "olt", x, y), literal(0, t), literal(0.5, t))
    return select(c, t, _test(c, t, "ogt", x, y), literal(1, t), less)


def _sign(c: Code, t: str, x: str) -> str:
    one = WORDS["copysign"](c, t, literal(1, t), x)
    nothing = WORDS["add"](c, t, x, literal(0, t))  # NaN, or 0.0, also of -0.0
    return select(c, t, _test(c, t, "one", x, literal(0, t)), one, nothing)  # "one": ordered and not equal


def _unless_zero(instruction: str) -> Callable:
    def word(c: Code, t: str, x: str, y: str) -> str:
        zero = literal(0, t)
        return select(c, t, _test(c, t, "oeq", x, zero), zero, c.emit(f"{instruction} {t} {x}, {y}"))

    return word


def _power(c: Code, t: str, x: str, y: str) -> str:
    if y == literal(2, t):
        return WORDS["mul"](c, t, x, x)
    if y == literal(1, t):
        return x
    return lanes.word("pow")(c, t, x, y)


def _divided(c: Code, t: str, x: str, y: str) -> tuple[str, str, str]:
    """The remainder with the sign of x, whether it is not 0, and whether then its sign is not y's."""
    rest, zero = c.emit(f"frem {t} {x}, {y}"), literal(0, t)  # fmod by name LLVM believes to be never NaN
    some = _test(c, t, "une", rest, zero)
    other = c.emit(f"xor i1 {_test(c, t, 'olt', rest, zero)}, {_test(c, t, 'olt', y, zero)}")
    return rest, some, c.emit(f"and i1 {some}, {other}")


def _mod(c: Code, t: str, x: str, y: str) -> str:
    rest, some, other = _divided(c, t, x, y)
    moved = select(c, t, other, WORDS["add"](c, t, rest, y), rest)
    return select(c, t, some, moved, WORDS["copysign"](c, t, literal(0, t), y))


def _floordiv(c: Code, t: str, x: str, y: str) -> str:
    rest, _, other = _divided(c, t, x, y)
    whole = WORDS["truediv"](c, t, WORDS["sub"](c, t, x, rest), y)  # an integer, but for rounding
    whole = select(c, t, other, WORDS["sub"](c, t, whole, literal(1, t)), whole)
    quotient = WORDS["truediv"](c, t, x, y)
    signed = WORDS["copysign"](c, t, WORDS["rint"](c, t, whole), quotient)
    return select(c, t, _test(c, t, "oeq", y, literal(0, t)), quotient, signed)


def _decay(c: Code, t: str, x: str) -> str:
    """exp(-abs(x)), which cannot overflow."""
    return WORDS["exp"](c, t, WORDS["neg"](c, t, WORDS["abs"](c, t, x)))


def _sigmoid(c: Code, t: str, x: str) -> str:
    small, one = _decay(c, t, x), literal(1, t)
    above = select(c, t, _test(c, t, "olt", x, literal(0, t)), small, one)
    return WORDS["truediv"](c, t, above, WORDS["add"](c, t, one, small))


def _bell(c: Code, type: str, x: str) -> str:
    small = _decay(c, type, x)
    larger = WORDS["add"](c, type, literal(1, type), small)
    return WORDS["truediv"](c, type, small, WORDS["mul"](c, type, larger, larger))


def _softplus(c: Code, t: str, x: str) -> str:
    return WORDS["add"](c, t, WORDS["maximum"](c, t, x, literal(0, t)), WORDS["log1p"](c, t, _decay(c, t, x)))


def _logaddexp(c: Code, t: str, x: str, y: str) -> str:
    high, low = WORDS["maximum"](c, t, x, y), WORDS["minimum"](c, t, x, y)
    apart = WORDS["add"](c, t, high, WORDS["log1p"](c, t, WORDS["exp"](c, t, WORDS["sub"](c, t, low, high))))
    together = WORDS["add"](c, t, x, literal(math.log(2), t))  # two equal infinities too
    return select(c, t, _test(c, t, "oeq", x, y), together, apart)


def _x_times(of_y: str) -> Callable:
    """x * f(y), and 0 where x is 0, but for a y that is no number."""

    def word(c: Code, t: str, x: str, y: str) -> str:
        nothing = c.emit(f"and i1 {_test(c, t, 'oeq', x, literal(0, t))}, {_test(c, t, 'ord', y, y)}")
        return select(c, t, nothing, literal(0, t), WORDS["mul"](c, t, x, WORDS[of_y](c, t, y)))

    return word


def _gammaln(c: Code, t: str, x: str) -> str:
    lowest = literal(-math.inf, t)  # where SciPy's is -inf, C's inf
    return select(c, t, _test(c, t, "oeq", x, lowest), lowest, c.libm("lgamma", t, x))


# on numbers of one type, each rounded as NumPy rounds it; nothing assumes that there is no NaN
WORDS: dict[str, Callable] = {
    **{name: lanes.word(name) for name in lanes.FUNCTIONS},
    **{name: _libm(name) for name in "arctan2 arcsinh arccosh arctanh".split()},
    **{name: _intrinsic(name) for name in "sqrt floor ceil rint".split()},
    "add": infix("fadd"),
    "sub": infix("fsub"),
    "mul": infix("fmul"),
    "truediv": infix("fdiv"),
    "neg": lambda c, t, x: c.emit(f"fneg {t} {x}"),
    "abs": _intrinsic("fabs"),
    "copysign": _intrinsic("copysign"),
    "mod": _mod,
    "floordiv": _floordiv,
    "pow": _power,
    "maximum": _extreme("ogt"),
    "minimum": _extreme("olt"),
    "greater": infix("fcmp ogt"),
    "less": infix("fcmp olt"),
    "equal": infix("fcmp oeq"),
    "greater_equal": infix("fcmp oge"),
    "less_equal": infix("fcmp ole"),
    "not_equal": infix("fcmp une"),
    "wins": _wins,
    "where": select,
    "sign": _sign,
    "scaled": _unless_zero("fmul"),
    "ratio": _unless_zero("fdiv"),
    "sigmoid": _sigmoid,
    "bell": _bell,
    "softplus": _softplus,
    "logaddexp": _logaddexp,
    "xlogy": _x_times("log"),
    "xlog1py": _x_times("log1p"),
    "gammaln": _gammaln,
}
