"""The words on single integers and masks, as LLVM's text."""

from collections.abc import Callable

from ..program import Unprintable
from .text import Code, infix, literal, select

PREDICATES = {
    "greater": "gt",
    "less": "lt",
    "greater_equal": "ge",
    "less_equal": "le",
    "equal": "eq",
    "not_equal": "ne",
}


def _comparisons(sign: str) -> dict[str, Callable]:
    """The predicates of numbers with a sign (s) or without one (u)."""
    return {word: infix(f"icmp {'' if p in ('eq', 'ne') else sign}{p}") for word, p in PREDICATES.items()}


def _intrinsic(name: str) -> Callable:
    return lambda c, t, *args: c.call(f"llvm.{name}.{t}", t, *args)


def _floordiv(c: Code, t: str, x: str, y: str) -> str:
    """Towards minus infinity; 0 where y is 0, as in NumPy."""
    divisor, nothing = _divisor(c, t, x, y)
    quotient = c.emit(f"sdiv {t} {x}, {divisor}")
    rest = c.emit(f"sub {t} {x}, {c.emit(f'mul {t} {quotient}, {divisor}')}")
    down = c.emit(f"zext i1 {_turned(c, t, rest, divisor)} to {t}")
    return select(c, t, nothing, "0", c.emit(f"sub {t} {quotient}, {down}"))


def _mod(c: Code, t: str, x: str, y: str) -> str:
    """With the sign of y; 0 where y is 0, as in NumPy."""
    divisor, nothing = _divisor(c, t, x, y)
    rest = c.emit(f"srem {t} {x}, {divisor}")
    turned = select(c, t, _turned(c, t, rest, divisor), divisor, "0")
    return select(c, t, nothing, "0", c.emit(f"add {t} {rest}, {turned}"))


def _divisor(c: Code, t: str, x: str, y: str) -> tuple[str, str]:
    """What x can be divided by, and whether y is 0. The least integer by -1 would end the process: it stays itself."""
    nothing, least = c.emit(f"icmp eq {t} {y}, 0"), literal(-(2 ** (int(t[1:]) - 1)), t)
    flips = c.emit(f"and i1 {c.emit(f'icmp eq {t} {x}, {least}')}, {c.emit(f'icmp eq {t} {y}, -1')}")
    return select(c, t, c.emit(f"or i1 {nothing}, {flips}"), "1", y), nothing


def _turned(c: Code, t: str, rest: str, y: str) -> str:
    """Whether the remainder is not 0 and has another sign than y."""
    other = c.emit(f"icmp slt {t} {c.emit(f'xor {t} {rest}, {y}')}, 0")
    return c.emit(f"and i1 {c.emit(f'icmp ne {t} {rest}, 0')}, {other}")


def _abs(c: Code, t: str, x: str) -> str:
    return INTEGERS["maximum"](c, t, x, INTEGERS["neg"](c, t, x))


def _sign(c: Code, t: str, x: str) -> str:
    return INTEGERS["maximum"](c, t, INTEGERS["minimum"](c, t, x, literal(1, t)), literal(-1, t))


def _pow(c: Code, t: str, x: str, y: str) -> str:
    if y != "2":
        raise Unprintable("pow of integers is not printed, but for squares")
    return c.emit(f"mul {t} {x}, {x}")


def _shift(instruction: str, most: Callable[[str], str]) -> Callable:
    """By as many bits as there are or more, everything is out: a machine would shift by the rest of a division."""

    def word(c: Code, t: str, x: str, y: str) -> str:
        bits = int(t[1:])
        inside = c.emit(f"icmp ult {t} {y}, {bits}")
        shifted = c.emit(f"{instruction} {t} {x}, {select(c, t, inside, y, str(bits - 1))}")
        return select(c, t, inside, shifted, most(shifted))

    return word


BITS = {"bitwise_and": infix("and"), "bitwise_or": infix("or"), "bitwise_xor": infix("xor")}
INTEGERS: dict[str, Callable] = {
    **BITS,
    "invert": lambda c, t, x: c.emit(f"xor {t} {x}, -1"),
    "left_shift": _shift("shl", lambda shifted: "0"),
    "right_shift": _shift("ashr", lambda shifted: shifted),  # the sign is left
    "add": infix("add"),
    "sub": infix("sub"),
    "mul": infix("mul"),
    "neg": lambda c, t, x: c.emit(f"sub {t} 0, {x}"),
    "abs": _abs,
    "sign": _sign,
    "floordiv": _floordiv,
    "mod": _mod,
    "pow": _pow,
    "maximum": _intrinsic("smax"),
    "minimum": _intrinsic("smin"),
    "where": select,
    **_comparisons("s"),
}

MASKS: dict[str, Callable] = {
    **BITS,
    **dict.fromkeys(("add", "maximum"), infix("or")),
    **dict.fromkeys(("mul", "minimum"), infix("and")),
    "invert": lambda c, t, x: c.emit(f"xor i1 {x}, true"),
    "where": select,
    **_comparisons("u"),
}
