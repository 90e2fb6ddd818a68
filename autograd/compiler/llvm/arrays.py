"""Symbolic arrays for machine code: memory with strides, and elements that are computed where they are used."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..program import Unprintable
from .text import TYPES, Code, literal
from .words import WORDS


@dataclass
class Array:
    """A symbolic array: `at(indices)` writes the code that loads or computes an element."""

    shape: tuple[int, ...]
    type: str
    at: Callable[[Sequence[str]], str]


@dataclass
class Memory(Array):
    """An array that is stored: a pointer, with strides and an offset in elements."""

    pointer: str = ""
    strides: tuple[int, ...] = ()
    offset: int = 0


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of an array in C order, in elements."""
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))


class Arrays:
    """Writes the code of arrays: what is computed, and where it is kept."""

    def __init__(self):
        self.code = Code()
        self.constants: list[np.ndarray] = []
        self.workspace: list[tuple[str, int]] = []  # pointers, and where in the workspace they point, in bytes
        self.size = 0

    def type(self, dtype: np.dtype) -> str:
        """The LLVM type for a dtype; masks, and what is counted with them, are kept as doubles."""
        if dtype in TYPES:
            return TYPES[dtype]
        if dtype in (np.dtype(bool), np.dtype(np.int64)):
            return "double"
        raise Unprintable(f"{dtype} is not printed")

    def stored(
        self, pointer: str, shape: tuple[int, ...], type: str, strides: tuple[int, ...] | None = None, offset: int = 0
    ) -> Memory:
        """The array at a pointer."""

        def load(indices: Sequence[str]) -> str:
            return self.code.emit(f"load {type}, ptr {self.address(memory, indices)}")

        strides = contiguous(shape) if strides is None else strides
        memory = Memory(shape, type, load, pointer, strides, offset)
        return memory

    def constant(self, value: np.ndarray) -> Memory:
        """An array of numbers, or of positions, that are known beforehand."""
        self.constants.append(np.ascontiguousarray(value))
        type = "i64" if value.dtype == np.int64 else self.type(value.dtype)
        return self.stored(f"%c{len(self.constants) - 1}", value.shape, type)

    def address(self, memory: Memory, indices: Sequence[str]) -> str:
        """A pointer to an element."""
        place = self.code.linear(indices, memory.strides, memory.offset)
        return (
            memory.pointer
            if place == "0"
            else self.code.emit(f"getelementptr inbounds {memory.type}, ptr {memory.pointer}, i64 {place}")
        )

    def store(self, value: str, memory: Memory, indices: Sequence[str]) -> None:
        """Write an element."""
        self.code.do(f"store {memory.type} {value}, ptr {self.address(memory, indices)}")

    def allocate(self, shape: tuple[int, ...], type: str) -> Memory:
        """Fresh memory in the workspace."""
        pointer = f"%w{len(self.workspace)}"
        self.workspace.append((pointer, self.size))
        self.size += (math.prod(shape) * (8 if type == "double" else 4) + 63) // 64 * 64
        return self.stored(pointer, shape, type)

    def memory(self, x: Array) -> Memory:
        """The array in memory: computed now if it is lazy."""
        if isinstance(x, Memory):
            return x
        out = self.allocate(x.shape, x.type)
        self.fill(out, x)
        return out

    def fill(self, out: Memory, x: Array) -> None:
        """Compute every element of x into memory of its shape."""
        self.code.nest(out.shape, lambda i: self.store(x.at(i), out, i))

    def lazy(self, shape: tuple[int, ...], type: str, at: Callable) -> Array:
        """An array whose elements are computed where they are used; once, where one place uses them twice."""
        known: dict[tuple, str] = {}

        def element(indices: Sequence[str]) -> str:
            key = (*indices, self.code.block)
            if key not in known:
                known[key] = at(indices)
            return known[key]

        return Array(shape, type, element)

    def number(self, register: str, type: str) -> Array:
        """A number in a register."""
        return Array((), type, lambda indices: register)

    def cast(self, x: Array, type: str) -> Array:
        """The array in another type."""
        if x.type == type:
            return x
        word = "fpext" if type == "double" else "fptrunc"
        return self.lazy(x.shape, type, lambda i: self.code.emit(f"{word} {x.type} {x.at(i)} to {type}"))

    def elementwise(self, word: str, args: Sequence[Any], type: str) -> Array:
        """A word of the table on broadcast arrays and numbers."""
        if word not in WORDS:
            raise Unprintable(f"{word} is not printed")
        if word == "where" and args[0].type != type:  # a number that is not 0 could be 0 in another type
            args = [self.elementwise("not_equal", [args[0], 0.0], args[0].type), *args[1:]]
        arrays = [self.cast(x, type) if isinstance(x, Array) else self.number(literal(x, type), type) for x in args]
        shape = np.broadcast_shapes(*(x.shape for x in arrays))

        def at(indices: Sequence[str]) -> str:
            parts = []
            for x in arrays:
                own = indices[len(shape) - len(x.shape) :]
                parts.append(x.at(["0" if n == 1 else i for i, n in zip(own, x.shape)]))
            return WORDS[word](self.code, type, *parts)

        return self.lazy(shape, type, at)
