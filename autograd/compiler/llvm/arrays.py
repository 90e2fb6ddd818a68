"""Symbolic arrays for machine code: memory with strides, and elements that are computed where they are used."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..placing import Arena
from ..program import Unprintable
from .integers import INTEGERS, MASKS, PREDICATES
from .text import SIZES, TYPES, WIDE, Code, Kernel, Module, converted, kind, literal
from .tiles import SQUARE, Matrix, transposed
from .words import WORDS

OF_KIND = {"f": ("", WORDS), "i": (" of integers", INTEGERS), "b": (" of masks", MASKS)}
ADD = "fadd reassoc contract"  # the order of a sum is free; nothing else is
MANY = 4096  # elements of a loop for which the widest vectors pay, and a call costs nothing


@dataclass(eq=False)
class Array:
    """A symbolic array: `at(indices)` writes the code that loads or computes an element.

    So does `flat(position)`, for a position in C order, where there is no need to know the indices.
    `number` is what all elements are, if that is known.
    """

    shape: tuple[int, ...]
    type: str
    at: Callable[[Sequence[str]], str]
    flat: Any = None
    number: Any = None


@dataclass(eq=False)
class Memory(Array):
    """An array that is stored: a pointer, with strides and an offset in elements."""

    pointer: str = ""
    strides: tuple[int, ...] = ()
    offset: int = 0

    def is_at(self, other: "Memory") -> bool:
        """Whether each element is where the other one's is."""
        return (self.pointer, self.strides, self.offset) == (other.pointer, other.strides, other.offset)

    def across(self) -> list[int]:
        """The axis along which it lies, if that is not the last one and squares of these two can be turned."""
        whole = kind(self.type) == "f" and self.shape != () and self.shape[-1] % SQUARE == 0
        return [i for i, n in enumerate(self.shape[:-1]) if whole and self.strides[i] == 1 and n % SQUARE == 0]


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides of an array in C order, in elements."""
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))


Total = tuple[Memory, Array, int]  # where to, of what, divided by what


class Arrays:
    """Writes the code of arrays: what is computed, and where it is kept."""

    def __init__(self):
        self.body = self.code = Code(Module())
        self.constants: list[np.ndarray] = []
        self.arena = Arena()
        self.workspace: list[tuple[str, tuple[int, int]]] = []  # pointers, and the parts of the arena they point to
        self.status = self.stored("%status", (), "i64")  # what is to be said when all is done, counted from 1
        self.refusals: dict[tuple[Callable, str], int] = {}  # what that may be, with its number
        self.whole: dict[str, str] = {}  # the pointer to an array, by pointers to parts of it
        self.fresh: list[tuple[int, int]] = []  # parts that nobody has taken charge of yet

    @contextmanager
    def kernel(self) -> Iterator[None]:
        """What is written meanwhile is a function of its own, which is called; in a kernel, a part of that one.

        LLVM's time grows faster than a function's length, and equal functions are compiled once.
        """
        if self.code is not self.body:
            yield
            return
        self.code = kernel = Kernel(self.body.module)
        try:
            yield
        finally:
            self.code = self.body
        if kernel.lines:
            self.code.do(kernel.called())

    def type(self, dtype: np.dtype) -> str:
        """The LLVM type for a dtype."""
        if dtype not in TYPES:
            raise Unprintable(f"{dtype} is not printed")
        return TYPES[dtype]

    def stored(
        self, pointer: str, shape: tuple[int, ...], type: str, strides: tuple[int, ...] | None = None, offset: int = 0
    ) -> Memory:
        """The array at a pointer."""
        kept = "i8" if type == "i1" else type

        def load(place: str) -> str:
            found = self.code.emit(f"load {kept}, ptr {self._address(memory, place)}")
            return self.code.emit(f"icmp ne i8 {found}, 0") if type == "i1" else found

        def at(indices: Sequence[str]) -> str:
            return load(self.code.linear(indices, memory.strides, offset))

        def flat(position: str) -> str:
            return load(self.code.linear([position], [1], offset))

        in_order = contiguous(shape)
        strides = in_order if strides is None else strides
        memory = Memory(
            shape, type, at, flat if strides == in_order else None, pointer=pointer, strides=strides, offset=offset
        )
        return memory

    def constant(self, value: np.ndarray) -> Memory:
        """An array of numbers that are known beforehand."""
        self.constants.append(np.ascontiguousarray(value))
        return self.stored(f"%c{len(self.constants) - 1}", value.shape, self.type(value.dtype))

    def pointer(self, memory: Memory) -> str:
        """Its pointer, as it is called in the function that is being written."""
        return self.code.parameter("ptr", memory.pointer)

    def address(self, memory: Memory, indices: Sequence[str]) -> str:
        """A pointer to an element."""
        return self._address(memory, self.code.linear(indices, memory.strides, memory.offset))

    def _address(self, memory: Memory, place: str) -> str:
        pointer, kept = self.pointer(memory), "i8" if memory.type == "i1" else memory.type
        return pointer if place == "0" else self.code.emit(f"getelementptr inbounds {kept}, ptr {pointer}, i64 {place}")

    def store(self, value: str, memory: Memory, indices: Sequence[str]) -> None:
        """Write an element."""
        type, address = memory.type, self.address(memory, indices)
        if type == "i1":
            type, value = "i8", self.code.emit(f"zext i1 {value} to i8")
        self.code.do(f"store {type} {value}, ptr {address}")

    def refuse(self, wrong: str, error: Callable[[str], Exception], text: str) -> None:
        """Raise an error when all is done, if this is so."""
        status = self.refusals.setdefault((error, text), len(self.refusals) + 1)
        said = self.code.emit(f"select i1 {wrong}, i64 {status}, i64 {self.status.at(())}")
        self.store(said, self.status, ())

    def allocate(self, shape: tuple[int, ...], type: str) -> Memory:
        """Memory in the workspace."""
        pointer = f"%w{len(self.workspace)}"
        self.fresh.append(self.arena.take(math.prod(shape) * SIZES[type]))
        self.workspace.append((pointer, self.fresh[-1]))
        return self.stored(pointer, shape, type)

    def entry(self, x: Memory, index: str) -> Memory:
        """The array at an index of the first axis, in the program's function."""
        name, place = self.code.new("%at"), self.code.linear([index], x.strides[:1], x.offset)
        kept = "i8" if x.type == "i1" else x.type
        self.code.do(f"{name} = getelementptr inbounds {kept}, ptr {x.pointer}, i64 {place}")
        return self.stored(name, x.shape[1:], x.type, x.strides[1:])

    def readable(self, view: Memory) -> Memory:
        """A view by a pointer to its first element, so that a loop over another part has the same code.

        To a function it is another array than the whole, which it must not write.
        """
        if not view.shape or not view.offset:
            return view
        name, kept = self.body.new("%at"), "i8" if view.type == "i1" else view.type
        self.body.do(f"{name} = getelementptr inbounds {kept}, ptr {view.pointer}, i64 {view.offset}")
        self.whole[name] = self.whole.get(view.pointer, view.pointer)
        return self.stored(name, view.shape, view.type, view.strides)

    def memory(self, x: Array) -> Memory:
        """The array in memory: computed now if it is lazy."""
        if isinstance(x, Memory):
            return x
        out = self.allocate(x.shape, x.type)
        self.fill(out, x)
        return out

    def fill(self, out: Memory, x: Array) -> None:
        """Compute every element of x into memory of its shape."""
        if isinstance(x, Memory) and (axes := x.across()):
            self._turn(out, x, axes[0])
        else:
            self.fill_all([out], [x])

    def _turn(self, out: Memory, x: Memory, axis: int) -> None:
        """Copy an array that lies along this axis into rows along the last one, by squares in registers."""
        steps = [SQUARE if i in (axis, len(x.shape) - 1) else 1 for i in range(len(x.shape))]

        def square(indices: Sequence[str]) -> None:
            place = [self.code.linear([i], [step]) for i, step in zip(indices, steps)]
            columns = Matrix(self.code, x.type, self.address(x, place), x.strides[-1], 1)
            rows = Matrix(self.code, x.type, self.address(out, place), out.strides[axis], 1)
            for i, row in enumerate(transposed(self.code, x.type, [columns.load(j, 0, SQUARE) for j in range(SQUARE)])):
                rows.store(row, i, 0, SQUARE)

        with self.kernel():
            self.code.nest([n // step for n, step in zip(x.shape, steps)], square)

    def fill_all(self, outs: Sequence[Memory], arrays: Sequence[Array], totals: Sequence[Total] = ()) -> None:
        """The same of several arrays of one shape, in one loop; an element of all is computed before one is written.

        And their totals, divided by numbers, if elements can be had by their positions.
        """
        shape = (*arrays, *(x for _, x, _ in totals))[0].shape
        size, wanted = math.prod(shape), [x for _, x, _ in totals]
        with self.kernel():
            if size == 1 or not all(x.flat for x in (*outs, *arrays)):
                self.code.nest(shape, lambda i: self._store_all([x.at(i) for x in arrays], outs, i))
                arrays = outs = ()
            if not arrays and not totals:
                return
            lines = [self.stored(out.pointer, (size,), out.type, offset=out.offset) for out in outs]
            self.code.attributes = WIDE if size >= MANY else self.code.attributes
            count = self.code.parameter("i64", str(size))  # so that other lengths have the same code

            def element(i: str, *so_far: str) -> list[str]:
                sums = zip(so_far, wanted)
                after = [self.code.emit(f"{ADD} {x.type} {total}, {x.flat(i)}") for total, x in sums]
                self._store_all([x.flat(i) for x in arrays], lines, [i])
                return after

            first = [literal(0, x.type) for x in wanted]
            found = self.code.loop(count, element, first, [x.type for x in wanted])
            for total, (out, x, divisor) in zip(found, totals):
                self.store(self.code.emit(f"fdiv {x.type} {total}, {literal(divisor, x.type)}"), out, ())

    def _store_all(self, values: list[str], outs: Sequence[Memory], indices: Sequence[str]) -> None:
        for value, out in zip(values, outs):
            self.store(value, out, indices)

    def lazy(self, shape: tuple[int, ...], type: str, at: Callable, flat: Callable | None = None) -> Array:
        """An array whose elements are computed where they are used; once, where one place uses them twice."""
        known: dict[tuple, str] = {}

        def once(write: Callable) -> Callable:
            def element(place: str | Sequence[str]) -> str:
                key = self.code, self.code.block, write, place if isinstance(place, str) else tuple(place)
                if key not in known:
                    known[key] = write(place)
                return known[key]

            return element

        return Array(shape, type, once(at), flat and once(flat))

    def constantly(self, number: float, shape: tuple[int, ...], type: str) -> Array:
        """The array whose elements are all this number."""
        same = literal(number, type)
        return Array(shape, type, lambda indices: same, lambda position: same, number)

    def cast(self, x: Array, type: str) -> Array:
        """The array in another type."""
        if x.type == type:
            return x
        if x.number is not None:
            return self.constantly(x.number, x.shape, type)
        flat = x.flat and (lambda i: converted(self.code, x.flat(i), x.type, type))
        return self.lazy(x.shape, type, lambda i: converted(self.code, x.at(i), x.type, type), flat)

    def written(self, word: str, type: str, numbers: Sequence[str]) -> str:
        """A word of the table on numbers in registers, computed in a type."""
        return writer_of(word, type)(self.code, type, *numbers)

    def elementwise(self, word: str, args: Sequence[Any], type: str) -> Array:
        """A word on broadcast arrays and numbers, computed in a type; a mask for a predicate."""
        write = writer_of(word, type)
        arrays = [
            self.cast(x if isinstance(x, Array) else self.constantly(x, (), type), t)
            for x, t in zip(args, types_of_arguments(word, type))
        ]
        shape = np.broadcast_shapes(*(x.shape for x in arrays))

        def at(indices: Sequence[str]) -> str:
            parts = []
            for x in arrays:
                own = indices[len(shape) - len(x.shape) :]
                parts.append(x.at(["0" if n == 1 else i for i, n in zip(own, x.shape)]))
            return write(self.code, type, *parts)

        def flat(position: str) -> str:
            places = [position if x.shape == shape else "0" for x in arrays]
            return write(self.code, type, *[x.flat(i) for x, i in zip(arrays, places)])

        in_order = all(x.flat and (x.shape == shape or math.prod(x.shape) == 1) for x in arrays)
        return self.lazy(shape, "i1" if word in PREDICATES else type, at, flat if in_order else None)


def writer_of(word: str, type: str) -> Callable:
    """What writes a word of numbers of a type; Unprintable where nobody does."""
    of_kind, words = OF_KIND[kind(type)]
    if word not in words:
        raise Unprintable(
            f"{word}{of_kind if any(word in words for _, words in OF_KIND.values()) else ''} is not printed"
        )
    return words[word]


def types_of_arguments(word: str, type: str) -> Iterator[str]:
    """The types that a word takes, computed in a type: that one, but for a mask."""
    return itertools.chain(["i1"] if word == "where" else [], itertools.repeat(type))
