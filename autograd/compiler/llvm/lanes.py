"""The functions of numbers in LLVM's text: each for one number, and for as many as fit into a register of each width.

A loop over elements calls the function of one number. LLVM vectorises the loop by the variants that the function's
attribute names, and these are inlined when that is done, so loops stay small while they are optimized. Numbers beside
such loops, one after the other, are left to libm, which has each sooner.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from . import angles, functions
from .text import Code, Module, literal

FUNCTIONS: dict[str, Callable] = {
    **{name: getattr(angles, name) for name in "sin cos tan arcsin arccos arctan hypot".split()},
    **{name: getattr(functions, name) for name in "exp expm1 exp2 log log1p log2 log10 pow cbrt".split()},
    **{name: getattr(functions, name) for name in "sinh cosh tanh erf erfc gauss ndtr".split()},
}
# where these are right; elsewhere is libm
INSIDE: dict[str, Callable] = {
    "sin": angles.moderate,
    "cos": angles.moderate,
    "tan": angles.moderate,
    "pow": functions.moderate,
}
LIBM = FUNCTIONS.keys() - {"gauss", "ndtr"}
BYTES = (16, 32, 64)  # of vector registers
TYPES = {np.dtype(code): type for code, type in zip("f8 f4 u8 u4 ?".split(), "double float i64 i32 i1".split())}
INTRINSICS = {"rint": "rint", "absolute": "fabs", "copysign": "copysign", "sqrt": "sqrt"}
ON_NUMBERS = {
    "add": "fadd contract",
    "subtract": "fsub contract",
    "multiply": "fmul contract",
    "divide": "fdiv",
    "negative": "fneg",
    "less": "fcmp olt",
    "greater": "fcmp ogt",
    "equal": "fcmp oeq",
}
ON_BITS = {
    "add": "add",
    "subtract": "sub",
    "left_shift": "shl",
    "right_shift": "lshr",
    "bitwise_and": "and",
    "bitwise_or": "or",
    "equal": "icmp eq",
}
PURE = "nounwind willreturn speculatable memory(none)"


class Lanes(NDArrayOperatorsMixin):
    """Numbers in a register. NumPy's arithmetic on them writes the instructions that compute it."""

    def __init__(self, code: Code, dtype: Any, count: int, register: str):
        self.code, self.dtype, self.count, self.register = code, np.dtype(dtype), count, register

    @property
    def type(self) -> str:
        """LLVM's type."""
        return self.of(TYPES[self.dtype])

    def of(self, type: str) -> str:
        """The type of as many."""
        return type if self.count == 1 else f"<{self.count} x {type}>"

    def like(self, dtype: Any, text: str) -> "Lanes":
        """As many numbers of a dtype, computed by an instruction."""
        return Lanes(self.code, dtype, self.count, self.code.emit(text))

    def operand(self, x: Any) -> str:
        """A register of this dtype, or a constant."""
        if isinstance(x, Lanes):
            return x.register
        type = TYPES[self.dtype]
        constant = literal(x, type) if self.dtype.kind == "f" else str(x)
        return constant if self.count == 1 else f"splat ({type} {constant})"

    def view(self, dtype: Any) -> "Lanes":
        """The same bits as another dtype."""
        return self.like(dtype, f"bitcast {self.type} {self.register} to {self.of(TYPES[np.dtype(dtype)])}")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any) -> "Lanes":
        name, args = ufunc.__name__, [self.operand(x) for x in inputs]
        if name in INTRINSICS:
            kind = f"{'' if self.count == 1 else f'v{self.count}'}f{8 * self.dtype.itemsize}"
            register = self.code.call(f"llvm.{INTRINSICS[name]}.{kind}", self.type, *args)
            return Lanes(self.code, self.dtype, self.count, register)
        word = (ON_NUMBERS if self.dtype.kind == "f" else ON_BITS)[name]
        return self.like(bool if "cmp" in word else self.dtype, f"{word} {self.type} {', '.join(args)}")

    def __array_function__(self, function: Callable, types: Any, args: tuple, kwargs: dict) -> "Lanes":
        test, x, y = args  # of numpy.where, the only one
        kind = Lanes(self.code, next(x.dtype for x in (x, y) if hasattr(x, "dtype")), self.count, "")
        choices = ", ".join(f"{kind.type} {kind.operand(choice)}" for choice in (x, y))
        return kind.like(kind.dtype, f"select {test.type} {test.register}, {choices}")


def _libm_outside(name: str, near: Lanes, *args: Lanes) -> str:
    """What libm computes, number by number, where arithmetic does not reach; else what is there."""
    code, type = near.code, TYPES[near.dtype]
    inside = INSIDE[name](*args)
    bits = code.emit(f"bitcast {inside.type} {inside.register} to i{near.count}")
    code.do(f"br i1 {code.emit(f'icmp eq i{near.count} {bits}, -1')}, label %end, label %outside")
    code.start("outside")
    if near.count == 1:
        found = code.libm(name, type, *(x.register for x in args))
    else:
        found = near.register
        for i in range(near.count):
            parts = [code.emit(f"extractelement {x.type} {x.register}, i64 {i}") for x in args]
            found = code.emit(f"insertelement {near.type} {found}, {type} {code.libm(name, type, *parts)}, i64 {i}")
    mixed = code.emit(f"select {inside.type} {inside.register}, {near.type} {near.register}, {near.type} {found}")
    code.do("br label %end")
    code.start("end")
    return code.emit(f"phi {near.type} [{near.register}, %entry], [{mixed}, %outside]")


def _definition(name: str, dtype: np.dtype, count: int, title: str, attributes: str) -> set[str]:
    """The function of so many numbers, and what it declares."""
    code, function = Code(Module()), FUNCTIONS[name]
    args = [Lanes(code, dtype, count, f"%{name}") for name in inspect.signature(function).parameters]
    y, parameters = function(*args), ", ".join(f"{x.type} {x.register}" for x in args)
    code.do(f"ret {y.type} {_libm_outside(name, y, *args) if name in INSIDE else y.register}")
    body = "\n".join(["entry:", *code.lines])
    return {*code.module.declared, f"define {y.type} @{title}({parameters}) {PURE} {attributes} {{\n{body}\n}}"}


@functools.cache
def definitions(name: str, type: str) -> frozenset[str]:
    """All that a call of {name}_{type} needs."""
    dtype = next(dtype for dtype in TYPES if TYPES[dtype] == type)
    title, counts = f"{name}_{type}", [size // dtype.itemsize for size in BYTES]
    each = "v" * len(inspect.signature(FUNCTIONS[name]).parameters)
    variants = ",".join(f"_ZGV_LLVM_N{n}{each}_{title}({title}_{n})" for n in counts)
    texts = _definition(name, dtype, 1, title, f'noinline "vector-function-abi-variant"="{variants}"')
    return frozenset(texts.union(*(_definition(name, dtype, n, f"{title}_{n}", "alwaysinline") for n in counts)))


def word(name: str) -> Callable:
    """The call of a function of numbers."""

    def write(code: Code, type: str, *args: str) -> str:
        if not code.loops and name in LIBM:
            return code.libm(name, type, *args)
        code.module.declared |= definitions(name, type)
        code.inlined += 1
        return code.emit(f"call {type} @{name}_{type}({', '.join(f'{type} {x}' for x in args)})")

    return write
