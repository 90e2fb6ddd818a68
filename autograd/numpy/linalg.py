"""numpy.linalg's names for arrays and nodes: matrices in the last two axes. The rest of numpy.linalg is handed on."""

import functools
import math
from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

import numpy as _np

from ..arguments import axes_of
from ..meeting import as_array
from ..node import Tensor, kinds
from ..operation import OPERATIONS
from . import decompositions, moving, products, shaping
from .dispatch import constant, record
from .elementwise import where
from .moving import concatenate
from .products import dot, matmul
from .products import matrices as _matrices
from .shaping import expand_dims, moveaxis, tril

EighResult = namedtuple("EighResult", "eigenvalues eigenvectors")
SVDResult = namedtuple("SVDResult", "U S Vh")
QRResult = namedtuple("QRResult", "Q R")
SlogdetResult = namedtuple("SlogdetResult", "sign logabsdet")
_square, _where = functools.partial(_matrices, square=True), OPERATIONS["where"]


_mirrored = lambda a: tril(a) + tril(a, -1).mT  # the symmetric matrix with this lower triangle
_symmetric = lambda name, a, hermitian: _mirrored(_square(name, a)) if hermitian else _matrices(name, a)
# orthonormal columns, made a basis
_completed = lambda q: q if q.shape[-2] == q.shape[-1] else concatenate([q, decompositions.complement(q)], -1)

inv = lambda a: OPERATIONS["inv"](_square("inv", a))
det = lambda a: OPERATIONS["det"](_square("det", a))  # two derivatives are right where it is singular, not a third
slogdet = lambda a: SlogdetResult(OPERATIONS["detsign"](_square("slogdet", a)), OPERATIONS["logdet"](a))
# of (a + a.mT) / 2; so the gradient is symmetric
cholesky = lambda a, *, upper=False: cholesky(a).mT if upper else OPERATIONS["cholesky"](_square("cholesky", a))
# the derivatives are those among matrices of the same rank
pinv = lambda a, rcond=1e-15, hermitian=False, *, rtol=None: decompositions.pinv(
    _symmetric("pinv", a, hermitian), rcond if rtol is None else rtol
)


def solve(a: Tensor, b: Tensor) -> Any:
    """As numpy.linalg.solve: x with a @ x = b; a vector if b has one axis."""
    a = _square("solve", a)
    if b.ndim == 1:
        return OPERATIONS["solve"](a, b.reshape(-1, 1)).reshape(*a.shape[:-2], -1)
    return OPERATIONS["solve"](a, b)


def eigh(a: Tensor, UPLO: str = "L") -> Any:
    """As numpy.linalg.eigh, of one triangle of a, as `UPLO` says; the gradient has that triangle too.

    Where eigenvalues coincide the derivatives are right if they depend on no choice of eigenvectors: docs/numerics.md.
    """
    if UPLO not in ("L", "U", "l", "u"):
        raise ValueError(f"eigh: UPLO is 'L' or 'U', for the lower or the upper triangle, not {UPLO!r}")
    a = _square("eigh", a)
    packed = decompositions.eigh(_mirrored(a if UPLO in "lL" else a.mT))
    return EighResult(packed[..., 0, :], packed[..., 1:, :])


def svd(a: Tensor, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """As numpy.linalg.svd; the further columns of full matrices are some basis of what is left.

    Where singular values coincide the derivatives are right if they depend on no choice of vectors: docs/numerics.md.
    """
    a = _symmetric("svd", a, hermitian)
    u, s, v = decompositions.svd_parts(decompositions.svd(a), a)
    if not compute_uv:
        return s[..., 0, :]
    u, v = (_completed(u), _completed(v)) if full_matrices else (u, v)
    return SVDResult(u, s[..., 0, :], v.mT)


def qr(a: Tensor, mode: str = "reduced") -> Any:
    """As numpy.linalg.qr, in the modes reduced, complete and r; the first columns must be independent."""
    if mode not in ("reduced", "complete", "r"):
        raise TypeError(f"qr: the mode {mode!r} is not differentiated here, reduced, complete and r are")
    *_, m, n = _matrices("qr", a).shape
    k = min(m, n)
    packed = decompositions.qr(a[..., :k])
    q, r = packed[..., :m, :], packed[..., m:, :]
    if n > k:
        r = concatenate([r, q.mT @ a[..., k:]], -1)
    if mode == "r":
        return r
    if mode == "complete":
        q, r = _completed(q), concatenate([r, _np.zeros((*a.shape[:-2], m - k, n), a.dtype)], -2)
    return QRResult(q, r)


def lstsq(a: Tensor, b: Tensor, rcond: Any = None) -> tuple[Any, Any, int, Any]:
    """As numpy.linalg.lstsq, by the pseudoinverse; inside jit the residuals are those of independent columns."""
    a = (1.0 * a).astype(_np.result_type(a.dtype, b.dtype, 0.0))
    if a.ndim != 2 or b.ndim not in (1, 2) or len(a) != len(b):
        raise ValueError(f"lstsq: of a matrix and as many rows, not of shapes {a.shape} and {b.shape}")
    eps = _np.finfo(a.dtype).eps
    rcond = eps * max(a.shape) if rcond is None else rcond if 0 < rcond < 1 else eps  # as LAPACK has it
    singular, x = svdvals(a), matmul(pinv(a, rcond), b)
    rank = (singular > rcond * singular[:1]).sum()
    rank = rank if kinds.tracing else int(rank)
    few = len(a) <= a.shape[1] or not kinds.tracing and rank < a.shape[1]
    residuals = b - matmul(a, x)
    squares = (residuals * residuals).sum(0).reshape(math.prod(b.shape[1:]))
    return x, _np.zeros(0, a.dtype) if few else squares, rank, singular


def matrix_power(a: Tensor, n: int) -> Tensor:
    """As numpy.linalg.matrix_power, by squares."""
    if not isinstance(n, (int, _np.integer)):
        raise TypeError(f"matrix_power: the exponent is an integer, not {n!r}")
    a = _square("matrix_power", a)
    if n < 0:
        return matrix_power(inv(a), -n)
    if n < 2:
        return a if n else 0.0 * a + _np.eye(a.shape[-1], dtype=a.dtype)
    root = matrix_power(a, n // 2)
    return root @ root @ a if n % 2 else root @ root


def multi_dot(arrays: Sequence) -> Any:
    """As numpy.linalg.multi_dot: the longest inner axis goes first."""
    parts = [as_array(x) for x in arrays]
    if len(parts) == 2:
        return dot(*parts)
    inside, ends = parts[1:-1], parts[:1] + parts[-1:]
    if len(parts) < 2 or any(part.ndim != 2 for part in inside) or any(part.ndim not in (1, 2) for part in ends):
        shapes = ", ".join(str(part.shape) for part in parts)
        raise ValueError(f"multi_dot: of two arrays, or matrices with a vector at either end, not of shapes {shapes}")
    while len(parts) > 1:
        i = max(range(1, len(parts)), key=lambda i: parts[i].shape[:1])
        parts[i - 1 : i + 1] = [dot(parts[i - 1], parts[i])]
    return parts[0]


# of nothing it is 0
_largest = lambda x, axis, keepdims=False: x.max(axis, keepdims=keepdims, initial=None if x.size else 0.0)
MATRIX_NORMS: dict[Any, Callable[[Tensor], Tensor]] = {
    **dict.fromkeys((None, "fro", "f"), lambda x: x.norm((-2, -1))),
    "nuc": lambda x: svdvals(x).sum(-1),
    2: lambda x: _largest(svdvals(x), -1),
    -2: lambda x: svdvals(x).min(-1),
    1: lambda x: _largest(abs(x).sum(-2), -1),
    -1: lambda x: abs(x).sum(-2).min(-1),
    math.inf: lambda x: _largest(abs(x).sum(-1), -1),
    -math.inf: lambda x: abs(x).sum(-1).min(-1),
}


def norm(x: Tensor, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """As numpy.linalg.norm; the order 0 counts, and its derivative is 0."""
    if axis is None and ord is None:
        return x.norm(keepdims=keepdims)
    axes = axes_of(axis, x.ndim)
    if len(axes) == 1:
        return vector_norm(x, axis=axes, keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise ValueError(f"norm: of vectors or matrices, along one axis or two, not along {axes} of shape {x.shape}")
    if ord not in MATRIX_NORMS:
        raise ValueError(f"norm: ord={ord!r} is none of the orders for matrices: {', '.join(map(str, MATRIX_NORMS))}")
    out = MATRIX_NORMS[ord](moveaxis(x, axes if axis is None else axis, (-2, -1)))
    return expand_dims(out, axes) if keepdims else out


def vector_norm(x: Tensor, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """As numpy.linalg.vector_norm; the order 0 counts, and its derivative is 0."""
    if not isinstance(ord, (int, float, _np.number)):
        raise ValueError(f"norm: ord={ord!r} is no order for vectors, which is a number")
    size, ord = abs(x), float(ord)
    if ord == 2:
        return x.norm(axis, keepdims=keepdims)
    if ord == math.inf:
        return _largest(size, axis, keepdims)
    if ord == -math.inf:
        return size.min(axis, keepdims=keepdims)
    if ord == 0:
        return OPERATIONS["cast"](OPERATIONS["not_equal"](x, 0.0), x.dtype).sum(axis, keepdims=keepdims)
    total = (size**ord).sum(axis, keepdims=keepdims)
    zero = total == 0.0  # where all elements are 0 the norm and its gradient are 0
    return _where(zero, 0.0 if ord > 0 else math.inf, _where(zero, 1.0, total) ** (1 / ord))


def cond(x: Tensor, p: Any = None) -> Tensor:
    """As numpy.linalg.cond."""
    if p not in (None, 2, -2):
        return norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))
    values = abs(svdvals(x))  # which may be -0
    largest, smallest = values[..., 0], values[..., -1]
    return where(largest == 0, math.inf, smallest / largest if p == -2 else largest / smallest)


def tensorsolve(a: Tensor, b: Tensor, axes: Any = None) -> Any:
    """As numpy.linalg.tensorsolve: x with tensordot(a, x, x.ndim) == b."""
    if axes is not None:
        a = moveaxis(a, axes, range(-len(axes), 0))
    return solve(a.reshape(b.size, math.prod(a.shape[b.ndim :])), b.ravel()).reshape(a.shape[b.ndim :])


outer = lambda x1, x2: products.einsum("i,j->ij", x1, x2)
svdvals = lambda x: svd(x, compute_uv=False)
tensorinv = lambda a, ind=2: inv(a.reshape(math.prod(a.shape[:ind]), -1)).reshape(a.shape[ind:] + a.shape[:ind])
eigvalsh = lambda a, UPLO="L": eigh(a, UPLO).eigenvalues
matrix_norm = lambda x, *, keepdims=False, ord="fro": norm(x, ord, (-2, -1), keepdims)
diagonal = lambda x, *, offset=0: moving.diagonal(x, offset, -2, -1)
trace = lambda x, *, offset=0, dtype=None: diagonal(x, offset=offset).sum(-1, dtype=dtype)
record(globals(), _np.linalg, as_given=list)
cross, matrix_transpose = products.cross, shaping.matrix_transpose
tensordot, vecdot = products.tensordot, products.vecdot
matrix_rank = constant("matrix_rank", _np.linalg)
__all__ = sorted(name for name in vars(_np.linalg) if name in globals() and name[0] != "_")


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_np.linalg, name)
