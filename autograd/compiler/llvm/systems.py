"""Systems of a few linear equations, as loops; larger ones are left to LAPACK.

Golub and Van Loan 2013, Matrix Computations: algorithms 3.4.1, elimination with row exchanges, and 4.2.1, Cholesky's.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from ..program import Unprintable
from .arrays import Array, Arrays, Memory
from .indexing import concatenate, getitem
from .loops import expand, reduce, swapaxes
from .text import kind, literal

MOST = 64  # equations, up to which these loops take less time than a call of LAPACK from Python


def _size(x: Array) -> int:
    """How many equations."""
    n = x.shape[-1]
    if kind(x.type) != "f" or not 0 < n <= MOST:
        raise Unprintable(f"a system of {n} equations is not printed")
    return n


def _from(p: Arrays, first: str, end: int, body: Callable, carried: Sequence[str] = (), type: Any = "") -> list[str]:
    """body(i, *carried) for i in range(first, end)."""
    count = p.code.emit(f"sub i64 {end}, {first}")
    return p.code.loop(count, lambda i, *so_far: body(p.code.emit(f"add i64 {first}, {i}"), *so_far), carried, type)


def _less(p: Arrays, type: str, x: str, factor: str, y: str) -> str:
    """x - factor * y"""
    return p.code.emit(f"fsub contract {type} {x}, {p.code.emit(f'fmul contract {type} {factor}, {y}')}")


def _subtract(p: Arrays, a: Memory, row: Sequence[str], factor: str, other: Sequence[str], first: str) -> None:
    """A multiple of another row from a row, beginning with a column."""

    def element(j: str) -> None:
        p.store(_less(p, a.type, a.at([*row, j]), factor, a.at([*other, j])), a, [*row, j])

    _from(p, first, a.shape[-1], element)


def _largest(p: Arrays, a: Memory, outer: Sequence[str], k: str) -> str:
    """The row, from k on, with the largest element of column k."""

    def larger(i: str, found: str, most: str) -> list[str]:
        size = p.written("abs", a.type, [a.at([*outer, i, k])])
        wins = p.code.emit(f"fcmp ogt {a.type} {size}, {most}")
        chosen = ("i64", i, found), (a.type, size, most)
        return [p.code.emit(f"select i1 {wins}, {type} {x}, {type} {y}") for type, x, y in chosen]

    first = p.written("abs", a.type, [a.at([*outer, k, k])])
    return _from(p, k, a.shape[-2], larger, [k, first], ["i64", a.type])[0]


def _exchange(p: Arrays, a: Memory, outer: Sequence[str], k: str, other: str) -> None:
    """Two rows, from column k on; one gets a minus, so that the determinant stays."""
    same = p.code.emit(f"icmp eq i64 {other}, {k}")
    sign = p.code.emit(f"select i1 {same}, {a.type} {literal(1, a.type)}, {a.type} {literal(-1, a.type)}")

    def element(j: str) -> None:
        upper, lower = a.at([*outer, k, j]), a.at([*outer, other, j])
        p.store(lower, a, [*outer, k, j])
        p.store(p.code.emit(f"fmul {a.type} {sign}, {upper}"), a, [*outer, other, j])

    _from(p, k, a.shape[-1], element)


def _eliminate(p: Arrays, a: Memory) -> None:
    """Make each matrix of a stack upper triangular, or the left of it where it is wider than high."""

    def column(place: Sequence[str]) -> None:
        *outer, k = place
        _exchange(p, a, outer, k, _largest(p, a, outer, k))
        pivot, below = a.at([*outer, k, k]), p.code.emit(f"add i64 {k}, 1")

        def row(i: str) -> None:
            factor = p.written("ratio", a.type, [a.at([*outer, i, k]), pivot])
            _subtract(p, a, [*outer, i], factor, [*outer, k], below)

        _from(p, below, a.shape[-2], row)

    with p.kernel():
        p.code.nest(a.shape[:-1], column)


def solve(p: Arrays, x: Array, y: Array, name: str = "solve") -> Array:
    """z with x @ z = y, for stacks of matrices; LinAlgError for a singular one whose elements are finite."""
    n, lead = _size(x), np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    left, right = (expand(p, each, (*lead, *each.shape[-2:])) for each in (x, y))
    a = concatenate(p, left, right, len(lead) + 1)
    nothing = p.elementwise("mul", [left, 0.0], left.type)  # NaN where elements are not finite
    sums = p.memory(reduce(p, nothing, (len(lead), len(lead) + 1)))
    _eliminate(p, a)

    def backwards(place: Sequence[str]) -> None:
        *outer, i = place
        k = p.code.emit(f"sub i64 {n - 1}, {i}")
        pivot = a.at([*outer, k, k])
        odd = p.code.emit(f"fadd {a.type} {pivot}, {sums.at(outer)}")
        singular = p.code.emit(f"fcmp oeq {a.type} {odd}, {literal(0, a.type)}")
        p.refuse(singular, LinAlgError, f"{name}: Singular matrix (of shape {x.shape})")

        def divide(j: str) -> None:
            p.store(p.code.emit(f"fdiv {a.type} {a.at([*outer, k, j])}, {pivot}"), a, [*outer, k, j])

        _from(p, str(n), a.shape[-1], divide)
        p.code.loop(k, lambda i: _subtract(p, a, [*outer, i], a.at([*outer, i, k]), [*outer, k], str(n)))

    with p.kernel():
        p.code.nest(a.shape[:-1], backwards)
    return getitem(p, a, (Ellipsis, slice(n, None)))


def inv(p: Arrays, x: Array) -> Array:
    """inv"""
    one, zero = literal(1, x.type), literal(0, x.type)

    def identity(place: Sequence[str]) -> str:
        i, j = place
        return p.code.emit(f"select i1 {p.code.emit(f'icmp eq i64 {i}, {j}')}, {x.type} {one}, {x.type} {zero}")

    return solve(p, x, p.lazy(x.shape[-2:], x.type, identity), "inv")


def _of_pivots(first: float, word: str, of_pivot: Sequence[str]) -> Callable:
    """A word of all pivots, after other words of each."""

    def of_matrices(p: Arrays, x: Array) -> Array:
        n, a = _size(x), p.allocate(x.shape, x.type)
        p.fill(a, x)
        _eliminate(p, a)

        def all_of(outer: Sequence[str]) -> str:
            def step(i: str, so_far: str) -> list[str]:
                pivot = a.at([*outer, i, i])
                for each in of_pivot:
                    pivot = p.written(each, x.type, [pivot])
                return [p.written(word, x.type, [so_far, pivot])]

            return p.code.loop(n, step, [literal(first, x.type)], x.type)[0]

        return p.lazy(x.shape[:-2], x.type, all_of)

    return of_matrices


def cholesky(p: Arrays, x: Array) -> Array:
    """The lower triangular factor of the symmetric part."""
    n, out = _size(x), p.allocate(x.shape, x.type)
    p.fill(out, p.constantly(0, x.shape, x.type))
    twice = p.elementwise("add", [x, swapaxes(p, x, -1, -2)], x.type)
    a = p.memory(p.elementwise("mul", [0.5, twice], x.type))

    def column(place: Sequence[str]) -> None:
        *outer, j = place

        def rest(i: str) -> str:
            def step(k: str, so_far: str) -> list[str]:
                return [_less(p, x.type, so_far, out.at([*outer, i, k]), out.at([*outer, j, k]))]

            return p.code.loop(j, step, [a.at([*outer, i, j])], x.type)[0]

        def below(i: str) -> None:
            p.store(p.code.emit(f"fdiv {x.type} {rest(i)}, {root}"), out, [*outer, i, j])

        square = rest(j)
        wrong = p.code.emit(f"fcmp ole {x.type} {square}, {literal(0, x.type)}")
        p.refuse(wrong, LinAlgError, f"cholesky: Matrix is not positive definite (of shape {x.shape})")
        root = p.written("sqrt", x.type, [square])
        _from(p, j, n, below)

    with p.kernel():
        p.code.nest(x.shape[:-1], column)
    return out


OF_MATRICES: dict[str, Callable] = {
    "solve": solve,
    "inv": inv,
    "det": _of_pivots(1, "mul", []),
    "detsign": _of_pivots(1, "mul", ["sign"]),
    "logdet": _of_pivots(0, "add", ["abs", "log"]),
    "cholesky": cholesky,
}
