"""LLVM's intermediate representation as text: blocks, loops, and the words of the table on single numbers."""

import math
import struct
from collections.abc import Callable, Sequence

import numpy as np

TYPES = {np.dtype("f8"): "double", np.dtype("f4"): "float", np.dtype("i8"): "i64", np.dtype("i4"): "i32"}
TYPES |= {np.dtype(bool): "i1"}
SIZES = {"double": 8, "float": 4, "i64": 8, "i32": 4, "i1": 1}  # bytes in memory, where a mask is as NumPy has it
KERNEL = "#2"  # the attributes of functions that are called from others


class Module:
    """What the functions of a program share: declarations, and each function once, however often it is called."""

    def __init__(self):
        self.declared: set[str] = set()
        self.functions: dict[str, str] = {}  # text from the parameters on: name

    def function(self, text: str) -> str:
        """The name of the function with this text."""
        return self.functions.setdefault(text, f"@f{len(self.functions)}")

    def lines(self) -> list[str]:
        """Declarations and functions."""
        return [*sorted(self.declared), *(f"define internal void {f}{text}" for text, f in self.functions.items())]


class Code:
    """The body of a function, being written: `block` is the label that the next line stands under."""

    def __init__(self, module: Module):
        self.module = module
        self.lines: list[str] = []
        self.block, self._count = "entry", 0

    def parameter(self, type: str, outside: str) -> str:
        """What is called `outside` in the program's function, as it is called in this one."""
        return outside

    def new(self, prefix: str = "%r") -> str:
        """A name that was not used before."""
        self._count += 1
        return f"{prefix}{self._count}"

    def emit(self, text: str) -> str:
        """A line whose result gets a name; the name."""
        name = self.new()
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """A line without a result."""
        self.lines.append(f"  {text}")

    def start(self, label: str) -> None:
        """Begin a block."""
        self.lines.append(f"{label}:")
        self.block = label

    def loop(
        self, count: int | str, body: Callable, carried: Sequence[str] = (), type: str | Sequence[str] = "double"
    ) -> list[str]:
        """body(i, *carried) for i in range(count), which returns the next values of what is carried; the last."""
        types = [type] * len(carried) if isinstance(type, str) else type
        if count == 1:
            return list(body("0", *carried) or ())
        before, head, inside, end = self.block, *(self.new(label) for label in ("head", "body", "end"))
        self.do(f"br label %{head}")
        self.start(head)
        index, following, place = self.new(), self.new(), len(self.lines)
        registers = [self.new() for _ in carried]
        self.lines += [""] * (1 + len(carried))
        self.do(f"{(go := self.new())} = icmp slt i64 {index}, {count}")
        self.do(f"br i1 {go}, label %{inside}, label %{end}")
        self.start(inside)
        results = body(index, *registers) or ()
        self.do(f"{following} = add nuw nsw i64 {index}, 1")
        self.do(f"br label %{head}")
        self.lines[place] = f"  {index} = phi i64 [0, %{before}], [{following}, %{self.block}]"
        for i, (register, first, result) in enumerate(zip(registers, carried, results)):
            self.lines[place + 1 + i] = f"  {register} = phi {types[i]} [{first}, %{before}], [{result}, %{self.block}]"
        self.start(end)
        return registers

    def nest(
        self,
        shape: Sequence[int],
        body: Callable,
        carried: Sequence[str] = (),
        type: str = "double",
        indices: tuple[str, ...] = (),
    ) -> list[str]:
        """body(indices, *carried) for every index of this shape, the last one innermost."""
        if not shape:
            return list(body(indices, *carried) or ())
        return self.loop(shape[0], lambda i, *c: self.nest(shape[1:], body, c, type, (*indices, i)), carried, type)

    def linear(self, indices: Sequence[str], strides: Sequence[int], offset: int = 0) -> str:
        """offset + the sum of indices times strides."""
        terms = []
        for index, stride in zip(indices, strides):
            if index.lstrip("-").isdigit():
                offset += int(index) * stride
            elif stride:
                terms.append(index if stride == 1 else self.emit(f"mul nsw i64 {index}, {stride}"))
        total = terms[0] if terms else str(offset)
        for term in terms[1:]:
            total = self.emit(f"add nsw i64 {total}, {term}")
        return self.emit(f"add nsw i64 {total}, {offset}") if terms and offset else total

    def call(self, name: str, type: str, *args: str) -> str:
        """A function of numbers of one type, from libm or LLVM itself."""
        self.module.declared.add(f"declare {type} @{name}({', '.join([type] * len(args))}) #0")
        return self.emit(f"call {type} @{name}({', '.join(f'{type} {a}' for a in args)})")


class Kernel(Code):
    """The body of a function of its own: what it uses from outside are its parameters, in the order of use."""

    def __init__(self, module: Module):
        super().__init__(module)
        self.parameters: dict[tuple[str, str], str] = {}

    def parameter(self, type: str, outside: str) -> str:
        if outside[:2] in ("%r", "%p"):  # it was made here
            return outside
        return self.parameters.setdefault((type, outside), f"%p{len(self.parameters)}")

    def called(self) -> str:
        """The text of a call, from the program's function, of the one that was written."""
        # what one pointer reaches no other one does: each array has memory of its own
        kinds = {"ptr": "ptr noalias"}
        named = ", ".join(f"{kinds.get(type, type)} {name}" for (type, _), name in self.parameters.items())
        name = self.module.function("\n".join([f"({named}) {KERNEL} {{", "entry:", *self.lines, "  ret void", "}"]))
        return f"call void {name}({', '.join(f'{type} {outside}' for type, outside in self.parameters)})"


def literal(number: float, type: str) -> str:
    """A number; a float in hexadecimal, which is exact."""
    if type == "i1":
        return "true" if number else "false"
    if type[0] == "i":
        return str(int(number))
    number = float(np.float32(number)) if type == "float" else float(number)
    return f"0x{struct.pack('>d', number).hex().upper()}"


CONVERSIONS = {"if": "sitofp", "bf": "uitofp", "bi": "zext"}


def kind(type: str) -> str:
    """b, i or f: a mask, an integer or a float."""
    return "b" if type == "i1" else "i" if type[0] == "i" else "f"


def converted(c: Code, x: str, old: str, new: str) -> str:
    """A number of one type as one of another."""
    if old == new:
        return x
    if new == "i1":
        return c.emit(f"{'fcmp une' if kind(old) == 'f' else 'icmp ne'} {old} {x}, {literal(0, old)}")
    if kind(old) + kind(new) == "fi":  # the plain conversion of NaN, or of what is too large, could be anything
        name = f"@llvm.fptosi.sat.{new}.f{8 * SIZES[old]}"
        c.module.declared.add(f"declare {new} {name}({old}) #0")
        return c.emit(f"call {new} {name}({old} {x})")
    wider = SIZES[new] > SIZES[old]
    same = {"ff": "fpext" if wider else "fptrunc", "ii": "sext" if wider else "trunc"}
    return c.emit(f"{(CONVERSIONS | same)[kind(old) + kind(new)]} {old} {x} to {new}")


def infix(text: str) -> Callable:
    """A word that is one instruction of two operands."""
    return lambda c, t, x, y: c.emit(f"{text} {t} {x}, {y}")


def _intrinsic(name: str) -> Callable:
    return lambda c, t, *args: c.call(f"llvm.{name}.f{64 if t == 'double' else 32}", t, *args)


def _libm(name: str) -> Callable:
    return lambda c, t, *args: c.call(name if t == "double" else name + "f", t, *args)


def _test(c: Code, t: str, predicate: str, x: str, y: str) -> str:
    return c.emit(f"fcmp {predicate} {t} {x}, {y}")


def _choose(c: Code, t: str, test: str, x: str, y: str) -> str:
    return c.emit(f"select i1 {test}, {t} {x}, {t} {y}")


def _comparison(predicate: str) -> Callable:
    return lambda c, t, x, y: _test(c, t, predicate, x, y)


def _extreme(predicate: str) -> Callable:
    def word(c: Code, t: str, x: str, y: str) -> str:
        wins = c.emit(f"or i1 {_test(c, t, predicate, x, y)}, {_test(c, t, 'uno', x, x)}")  # a NaN is passed on
        return _choose(c, t, wins, x, y)

    return word


def _wins(c: Code, t: str, x: str, y: str) -> str:
    less = _choose(c, t, _test(c, t, "olt", x, y), literal(0, t), literal(0.5, t))
    return _choose(c, t, _test(c, t, "ogt", x, y), literal(1, t), less)


def _sign(c: Code, t: str, x: str) -> str:
    one = WORDS["copysign"](c, t, literal(1, t), x)
    nothing = WORDS["add"](c, t, x, literal(0, t))  # NaN, or 0.0, also of -0.0
    return _choose(c, t, _test(c, t, "one", x, literal(0, t)), one, nothing)  # "one": ordered and not equal


def _unless_zero(instruction: str) -> Callable:
    def word(c: Code, t: str, x: str, y: str) -> str:
        zero = literal(0, t)
        return _choose(c, t, _test(c, t, "oeq", x, zero), zero, c.emit(f"{instruction} {t} {x}, {y}"))

    return word


def _power(c: Code, t: str, x: str, y: str) -> str:
    if y == literal(2, t):
        return WORDS["mul"](c, t, x, x)
    if y == literal(1, t):
        return x
    return _libm("pow")(c, t, x, y)


def _divided(c: Code, t: str, x: str, y: str) -> tuple[str, str, str]:
    """The remainder with the sign of x, whether it is not 0, and whether then its sign is not y's."""
    rest, zero = c.emit(f"frem {t} {x}, {y}"), literal(0, t)  # fmod by name LLVM believes to be never NaN
    some = _test(c, t, "une", rest, zero)
    other = c.emit(f"xor i1 {_test(c, t, 'olt', rest, zero)}, {_test(c, t, 'olt', y, zero)}")
    return rest, some, c.emit(f"and i1 {some}, {other}")


def _mod(c: Code, t: str, x: str, y: str) -> str:
    rest, some, other = _divided(c, t, x, y)
    moved = _choose(c, t, other, WORDS["add"](c, t, rest, y), rest)
    return _choose(c, t, some, moved, WORDS["copysign"](c, t, literal(0, t), y))


def _floordiv(c: Code, t: str, x: str, y: str) -> str:
    rest, _, other = _divided(c, t, x, y)
    whole = WORDS["truediv"](c, t, WORDS["sub"](c, t, x, rest), y)  # an integer, but for rounding
    whole = _choose(c, t, other, WORDS["sub"](c, t, whole, literal(1, t)), whole)
    quotient = WORDS["truediv"](c, t, x, y)
    signed = WORDS["copysign"](c, t, WORDS["rint"](c, t, whole), quotient)
    return _choose(c, t, _test(c, t, "oeq", y, literal(0, t)), quotient, signed)


def _decay(c: Code, t: str, x: str) -> str:
    """exp(-abs(x)), which cannot overflow."""
    return WORDS["exp"](c, t, WORDS["neg"](c, t, WORDS["abs"](c, t, x)))


def _sigmoid(c: Code, t: str, x: str) -> str:
    small, one = _decay(c, t, x), literal(1, t)
    above = _choose(c, t, _test(c, t, "olt", x, literal(0, t)), small, one)
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
    return _choose(c, t, _test(c, t, "oeq", x, y), together, apart)


def _gauss(c: Code, t: str, x: str, a: str) -> str:
    """exp(-a * x * x) by a multiple of 1 / 16 near x, whose square is exact."""
    add, mul, exp, minus_a = WORDS["add"], WORDS["mul"], WORDS["exp"], WORDS["neg"](c, t, a)
    x = WORDS["minimum"](c, t, WORDS["maximum"](c, t, x, literal(-64, t)), literal(64, t))
    near = mul(c, t, WORDS["rint"](c, t, mul(c, t, x, literal(16, t))), literal(1 / 16, t))
    rest = mul(c, t, add(c, t, x, WORDS["neg"](c, t, near)), add(c, t, x, near))
    return mul(c, t, exp(c, t, mul(c, t, minus_a, mul(c, t, near, near))), exp(c, t, mul(c, t, minus_a, rest)))


# on numbers of one type, each rounded as NumPy rounds it; nothing assumes that there is no NaN
WORDS: dict[str, Callable] = {
    **{
        name: _libm(name)
        for name in "exp expm1 exp2 log log1p log2 log10 cbrt sin cos tan sinh cosh tanh hypot".split()
    },
    **{
        name: _libm(name.replace("arc", "a"))
        for name in """
       arcsin arccos arctan arctan2 arcsinh arccosh arctanh""".split()
    },
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
    "greater": _comparison("ogt"),
    "less": _comparison("olt"),
    "equal": _comparison("oeq"),
    "greater_equal": _comparison("oge"),
    "less_equal": _comparison("ole"),
    "not_equal": _comparison("une"),
    "wins": _wins,
    "where": _choose,
    "sign": _sign,
    "scaled": _unless_zero("fmul"),
    "ratio": _unless_zero("fdiv"),
    "sigmoid": _sigmoid,
    "bell": _bell,
    "softplus": _softplus,
    "logaddexp": _logaddexp,
    **{name: _libm(name) for name in ("erf", "erfc")},  # these and gauss: of autograd.scipy.special
    "gauss": _gauss,
}
