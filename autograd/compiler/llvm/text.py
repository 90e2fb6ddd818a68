"""LLVM's intermediate representation as text: functions, blocks and loops, calls, constants."""

import struct
from collections.abc import Callable, Sequence

import numpy as np

TYPES = {np.dtype("f8"): "double", np.dtype("f4"): "float", np.dtype("i8"): "i64", np.dtype("i4"): "i32"}
TYPES |= {np.dtype(bool): "i1"}
SIZES = {"double": 8, "float": 4, "i64": 8, "i32": 4, "i1": 1}  # bytes in memory, where a mask is as NumPy has it
KERNEL, WIDE = "#2", "#3"  # the attributes of functions of loops; of those along memory, for the widest vectors
ALONE, MASKED = "!0", "!2"  # loops that are not vectorised, and those whose last vector may be a part of one
ROLLED = "!4"  # loops that are not unrolled
Types = str | Sequence[str]  # one for all, or one for each


class Module:
    """What the functions of a program share: declarations, and each function once, however often it is called."""

    def __init__(self):
        self.declared: set[str] = set()
        self.functions: dict[str, str] = {}  # text from the parameters on: name
        self.short = True  # so that all may be one function, and loops unrolled
        self.length = 0  # in characters, of the functions, each as often as it is called

    def function(self, text: str) -> str:
        """The name of the function with this text, for one more call."""
        self.length += len(text)
        return self.functions.setdefault(text, f"@f{len(self.functions)}")

    def lines(self) -> list[str]:
        """Declarations and functions."""
        return [*sorted(self.declared), *(f"define internal void {f}{text}" for text, f in self.functions.items())]


class Code:
    """The body of a function, being written: `block` is the label that the next line stands under, `loops` are open."""

    def __init__(self, module: Module):
        self.module = module
        self.lines: list[str] = []
        self.block, self.loops, self._count = "entry", 0, 0
        self.inlined = 0  # calls so far that what is called takes the place of

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
        self, count: int | str, body: Callable, carried: Sequence[str] = (), type: Types = "double", kind: str = ""
    ) -> list[str]:
        """body(i, *carried) for i in range(count), which returns the next values of what is carried; the last.

        Its kind is ALONE, MASKED or ROLLED; unless said, the last where unrolling would copy what calls stand for.
        """
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
        self.loops, inlined = self.loops + 1, self.inlined
        results = body(index, *registers) or ()
        self.loops -= 1
        self.do(f"{following} = add nuw nsw i64 {index}, 1")
        kind = kind or (ROLLED if self.inlined > inlined else "")
        self.do(f"br label %{head}" + (kind and f", !llvm.loop {kind}"))
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

    def call(self, name: str, type: str, *args: str, flags: str = "") -> str:
        """A function of numbers of one type, from libm or LLVM itself."""
        self.module.declared.add(f"declare {type} @{name}({', '.join([type] * len(args))}) #0")
        return self.emit(f"call {flags}{type} @{name}({', '.join(f'{type} {a}' for a in args)})")

    def libm(self, name: str, type: str, *args: str) -> str:
        """A function of libm, by NumPy's name."""
        return self.call(name.replace("arc", "a") + ("" if type == "double" else "f"), type, *args)


class Kernel(Code):
    """The body of a function of its own: what it uses from outside are its parameters, in the order of use."""

    def __init__(self, module: Module):
        super().__init__(module)
        self.parameters: dict[tuple[str, str], str] = {}
        self.attributes = KERNEL

    def parameter(self, type: str, outside: str) -> str:
        if outside[:2] in ("%r", "%p"):  # it was made here
            return outside
        return self.parameters.setdefault((type, outside), f"%p{len(self.parameters)}")

    def called(self) -> str:
        """The text of a call, from the program's function, of the one that was written."""
        # what one pointer reaches no other one does: each array has memory of its own
        kinds = {"ptr": "ptr noalias"}
        named = ", ".join(f"{kinds.get(type, type)} {name}" for (type, _), name in self.parameters.items())
        name = self.module.function(
            "\n".join([f"({named}) {self.attributes} {{", "entry:", *self.lines, "  ret void", "}"])
        )
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


def select(c: Code, t: str, test: str, x: str, y: str) -> str:
    """x where a test is true, else y."""
    return c.emit(f"select i1 {test}, {t} {x}, {t} {y}")
