"""Products of arrays: matmul, and einsum, through which the others go."""

import itertools
import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index as axis_of

from ..arguments import axes_of
from ..meeting import as_array
from ..node import Tensor
from ..operation import OPERATIONS
from .dispatch import blank_of, record
from .moving import diagonal
from .shaping import asarray, atleast_1d, moveaxis

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def matmul(x: Any, y: Any) -> Any:
    """The matrix product as numpy.matmul has it: vectors, matrices and stacks of matrices."""
    if getattr(x, "ndim", 0) > 1 and getattr(y, "ndim", 0) > 1:
        return OPERATIONS["matmul"](x, y)
    x, y = as_array(x), as_array(y)
    if not (x.ndim and y.ndim):
        raise ValueError(f"matmul: shapes {x.shape} and {y.shape}: a scalar has no matrix product, use *")
    if x.shape[-1] != y.shape[-2:][0]:
        raise ValueError(f"matmul: shapes {x.shape} and {y.shape}: as many columns as rows are needed")
    out = OPERATIONS["matmul"](x if x.ndim > 1 else x.reshape(1, -1), y if y.ndim > 1 else y.reshape(-1, 1))
    left, right = out.shape[-2:-1] if x.ndim > 1 else (), out.shape[-1:] if y.ndim > 1 else ()
    return out.reshape(out.shape[:-2] + left + right)


def einsum(*operands: Any, optimize: Any = False, dtype: Any = None, order: Any = "K") -> Any:
    """As numpy.einsum, contracting from left to right, whatever `optimize` says."""
    if len(operands) < 2:
        raise ValueError("einsum: of subscripts and the arrays that they are of: einsum('ij,j->i', x, y)")
    subscripts, *factors = operands if isinstance(operands[0], str) else _as_text(operands)
    ((x, letters), *others), out = _parsed(subscripts, [asarray(x, dtype) for x in factors])
    for i, (y, term) in enumerate(others, 1):
        x, letters = _contracted(x, letters, y, term, {*out}.union(*(later for _, later in others[i:])))
    x, letters = _summed(x, letters, {*out})
    return x.transpose(*(letters.index(letter) for letter in out)) if x.ndim > 1 else x


def _as_text(operands: Sequence) -> tuple[Any, ...]:
    """einsum(x, [0, 1], y, [1, 2], [0, 2]) as einsum("ab,bc->ac", x, y)."""
    letters = sorted(LETTERS)  # as the order of numbers is that of axes in a result that is not given

    def term(axes: Sequence) -> str:
        return "".join("..." if i is Ellipsis else letters[i] for i in axes)

    arrow = f"->{term(operands[-1])}" if len(operands) % 2 else ""
    return ",".join(map(term, operands[1::2])) + arrow, *operands[: len(operands) // 2 * 2 : 2]


def _parsed(subscripts: str, operands: list) -> tuple[list[tuple[Any, str]], str]:
    """The operands, each with its letters, which are distinct, and without broadcasting; and those of the result."""
    inputs, arrow, out = subscripts.replace(" ", "").partition("->")
    *free, last = (letter for letter in LETTERS if letter not in subscripts)
    blanks = [*map(blank_of, operands)]
    try:  # with one more operand, of no elements, NumPy says what does not fit and computes nothing
        np.einsum(f"{inputs},{last}{last}{arrow}{out}", *blanks, np.empty((0, 0)))
    except ValueError:
        np.einsum(subscripts, *blanks)  # the same error, of what was given
    terms = inputs.split(",")
    extra = [x.ndim - len(term.replace("...", "")) for term, x in zip(terms, operands)]
    ellipsis = "".join(free[: max(n if "..." in term else 0 for n, term in zip(extra, terms))])
    terms = [term.replace("...", ellipsis[len(ellipsis) - n :]) for term, n in zip(terms, extra)]
    every = "".join(terms)
    if not arrow:
        out = "..." + "".join(sorted(c for c in {*every} - {*ellipsis} if every.count(c) == 1))
    sizes: dict[str, int] = {}
    for letter, n in zip(every, itertools.chain(*(x.shape for x in operands))):
        sizes[letter] = n if n != 1 else sizes.get(letter, 1)
    return [_distinct(x, term, sizes) for x, term in zip(operands, terms)], out.replace("...", ellipsis)


def _distinct(x: Any, term: str, sizes: dict[str, int]) -> tuple[Any, str]:
    """The diagonal where a letter repeats; without the axes of length 1 that broadcast."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            i, j = term.index(letter), term.rindex(letter)
            x, term = diagonal(x, 0, i, j), term[:i] + term[i + 1 : j] + term[j + 1 :] + letter
    kept = [(letter, n) for letter, n in zip(term, x.shape) if n == sizes[letter]]
    return x.reshape(tuple(n for _, n in kept)), "".join(letter for letter, _ in kept)


def _summed(x: Any, letters: str, keep: set[str]) -> tuple[Any, str]:
    gone = tuple(i for i, letter in enumerate(letters) if letter not in keep)
    return (x.sum(gone), "".join(c for c in letters if c in keep)) if gone else (x, letters)


def _contracted(x: Any, left: str, y: Any, right: str, keep: set[str]) -> tuple[Any, str]:
    """The product of two arrays, summed over the letters that nothing later needs, as one matrix product."""
    x, left = _summed(x, left, keep | set(right))
    y, right = _summed(y, right, keep | set(left))
    batch = [c for c in left if c in right and c in keep]
    inner = [c for c in left if c in right and c not in keep]
    rows, columns = [c for c in left if c not in right], [c for c in right if c not in left]
    sizes = dict(zip(left, x.shape)) | dict(zip(right, y.shape))

    def arranged(a: Any, letters: str, *groups: list[str]) -> Any:
        order = [letters.index(c) for group in (batch, *groups) for c in group]
        a = a.transpose(*order) if len(order) > 1 else a
        return a.reshape(*(sizes[c] for c in batch), *(math.prod(sizes[c] for c in group) for group in groups))

    out = OPERATIONS["matmul"](arranged(x, left, rows, inner), arranged(y, right, inner, columns))
    letters = "".join([*batch, *rows, *columns])
    return out.reshape(tuple(sizes[c] for c in letters)), letters


def tensordot(a: Tensor, b: Tensor, axes: Any = 2) -> Any:
    """As numpy.tensordot."""
    pairs = (range(-axes, 0), range(axes)) if isinstance(axes, numbers.Integral) else axes
    ours, theirs = (tuple(np.atleast_1d(i)) for i in pairs)
    axes_of(ours, a.ndim), axes_of(theirs, b.ndim)  # or an error
    left, right = [*range(a.ndim)], [*range(a.ndim, a.ndim + b.ndim)]
    if [a.shape[i] for i in ours] != [b.shape[j] for j in theirs]:
        raise ValueError(f"tensordot: axes {ours} of shape {a.shape} and {theirs} of shape {b.shape} differ in length")
    for i, j in zip(ours, theirs):
        right[j] = left[i]
    return einsum(a, left, b, right)


def convolve(a: Tensor, v: Tensor, mode: str = "full") -> Any:
    """As numpy.convolve, as the product of the shorter array with a matrix of windows of the longer."""
    a, v = atleast_1d(a, v)
    length = len(np.convolve(blank_of(a), blank_of(v), mode))  # type: ignore[call-overload]  # or an error
    a, v = (v, a) if len(v) > len(a) else (a, v)
    n, m = len(a), len(v)
    first = (n + m - 1 - length) // 2
    windows = np.arange(first, first + length)[:, None] + (m - 1) - np.arange(m)
    return matmul(OPERATIONS["scatter"](a, slice(m - 1, n + m - 1), (n + 2 * m - 2,))[windows], v)


def kron(a: Tensor, b: Tensor) -> Any:
    """As numpy.kron: a block for each element of a."""
    ndim = max(a.ndim, b.ndim)
    left, right = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    product = a.reshape([n for size in left for n in (size, 1)]) * b.reshape([n for size in right for n in (1, size)])
    return product.reshape([n * m for n, m in zip(left, right)])


def cross(a: Tensor, b: Tensor, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """As numpy.cross, of vectors of three numbers."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    if not a.shape[-1] == b.shape[-1] == 3:
        raise ValueError(f"cross: of vectors of three numbers, not of {a.shape[-1]} and {b.shape[-1]}")
    following, preceding = [1, 2, 0], [2, 0, 1]
    return moveaxis(a[..., following] * b[..., preceding] - a[..., preceding] * b[..., following], -1, axisc)


def matrices(name: str, x: Any, square: bool = False) -> Any:
    """An array that has matrices in its last two axes, or a ValueError."""
    if x.ndim < 2 or square and x.shape[-1] != x.shape[-2]:
        raise ValueError(f"{name}: of {'square ' * square}matrices in the last two axes, not of shape {x.shape}")
    return x


# x @ weight + bias, what a Linear layer computes, as one operation
affine = lambda x, weight, bias: OPERATIONS["affine"](x, weight, bias) if x.ndim > 1 else matmul(x, weight) + bias
dot = lambda a, b: a * b if not a.ndim or not b.ndim else matmul(a, b) if b.ndim < 3 else tensordot(a, b, (-1, -2))
inner = lambda a, b: tensordot(a, b, (-1, -1)) if a.ndim and b.ndim else a * b
outer = lambda a, b: a.reshape(-1, 1) * b.reshape(-1)
vdot = lambda a, b: matmul(a.reshape(-1), b.reshape(-1))
_dots = lambda x, y: matmul(x[..., None, :], y[..., None])[..., 0, 0]
vecdot = lambda x1, x2, *, axis=-1: _dots(*(moveaxis(x, axis_of(axis, x.ndim), -1) for x in (x1, x2)))
vecmat = lambda x1, x2: matmul(x1[..., None, :], matrices("vecmat", x2))[..., 0, :]
matvec = lambda x1, x2: matmul(matrices("matvec", x1), x2[..., None])[..., 0]
correlate = lambda a, v, mode="valid": (
    convolve(a, v[::-1], mode) if len(a) >= len(v) else convolve(a[::-1], v, mode)[::-1]
)
__all__ = record(globals())
