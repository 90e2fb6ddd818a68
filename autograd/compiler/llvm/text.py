"""LLVM's intermediate representation as text: blocks and loops, calls, constants."""

import struct
from collections.abc import Callable, Sequence

import numpy as np

TYPES = {np.dtype(np.float64): "double", np.dtype(np.float32): "float"}


class Code:
    """The body of a function, being written: `block` is the label that the next line stands under, `loops` are open."""

    def __init__(self):
        self.lines: list[str] = []
        self.declared: set[str] = set()
        self.block, self.loops, self._count = "entry", 0, 0

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

    def loop(self, count: int | str, body: Callable, carried: Sequence[str] = (), type: str = "double") -> list[str]:
        """body(i, *carried) for i in range(count), which returns the next values of what is carried; the last."""
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
        self.loops += 1
        results = body(index, *registers) or ()
        self.loops -= 1
        self.do(f"{following} = add nuw nsw i64 {index}, 1")
        self.do(f"br label %{head}")
        self.lines[place] = f"  {index} = phi i64 [0, %{before}], [{following}, %{self.block}]"
        for i, (register, first, result) in enumerate(zip(registers, carried, results)):
            self.lines[place + 1 + i] = f"  {register} = phi {type} [{first}, %{before}], [{result}, %{self.block}]"
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
        self.declared.add(f"declare {type} @{name}({', '.join([type] * len(args))}) #0")
        return self.emit(f"call {type} @{name}({', '.join(f'{type} {a}' for a in args)})")

    def libm(self, name: str, type: str, *args: str) -> str:
        """A function of libm, by NumPy's name."""
        return self.call(name.replace("arc", "a") + ("" if type == "double" else "f"), type, *args)


def literal(number: float, type: str) -> str:
    """A number in hexadecimal, which is exact."""
    number = float(np.float32(number)) if type == "float" else float(number)
    return f"0x{struct.pack('>d', number).hex().upper()}"
