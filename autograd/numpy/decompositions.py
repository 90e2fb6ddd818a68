"""Decompositions of matrices, in the last two axes: operations whose derivatives are functions, not rows.

An operation has one result, so the factors are packed one above the other. Their pullbacks are classical: Giles 2008,
Collected matrix derivative results for forward and reverse mode algorithmic differentiation; Seeger et al. 2017,
Auto-differentiating linear algebra, arXiv:1710.08717; Townsend 2016, Differentiating the singular value decomposition.
"""

from typing import Any

import numpy as np

from ..definitions import define
from ..operation import OPERATIONS

_ratio, _where, _solve, _sign = (OPERATIONS[name] for name in "ratio where solve sign".split())
_skew = lambda x: 0.5 * (x - x.mT)


def _inverses(x: Any, scale: Any) -> Any:
    """1 / x, but 0 where x is 0 up to what rounding does to numbers of this scale.

    So what depends on the span of some vectors alone has its derivative, also where their values coincide.
    """
    rounding = np.finfo(x.dtype).eps * abs(scale).sum((-2, -1), keepdims=True)
    vanishing = OPERATIONS["less_equal"](abs(x), rounding)
    return _where(vanishing, 0.0, 1.0 / _where(vanishing, 1.0, x))


def _eigh(a: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(a)
    return np.concatenate([values[..., None, :], vectors], -2)


def _eigh_pullback(g: Any, out: Any, a: Any) -> Any:
    values, vectors = out[..., :1, :], out[..., 1:, :]
    rotation = _inverses(values - values.mT, values) * _skew(vectors.mT @ g[..., 1:, :])
    return (vectors * g[..., :1, :] + vectors @ rotation) @ vectors.mT


def svd_parts(packed: Any, a: Any) -> tuple[Any, Any, Any]:
    """The left vectors, the values as a row, and the right vectors, in columns."""
    m = a.shape[-2]
    return packed[..., :m, :], packed[..., m : m + 1, :], packed[..., m + 1 :, :]


def _svd(a: np.ndarray) -> np.ndarray:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([u, s[..., None, :], vh.mT], -2)


def _svd_pullback(g: Any, out: Any, a: Any) -> Any:
    (u, s, v), (gu, gs, gv) = svd_parts(out, a), svd_parts(g, a)
    left, right, inverse = u.mT @ gu, v.mT @ gv, _inverses(s, s)
    gaps = 2.0 * _ratio(_inverses(s - s.mT, s), s + s.mT)  # 2 / (s_j ** 2 - s_i ** 2)
    inner = gaps * (_skew(left) * s + s.mT * _skew(right))
    total = (u * (gs * _sign(inverse)) + u @ inner) @ v.mT  # a value of 0 is a kink, as abs has
    if u.shape[-2] > u.shape[-1]:
        total = total + ((gu - u @ left) * inverse) @ v.mT
    if v.shape[-2] > v.shape[-1]:
        total = total + (u * inverse) @ (gv - v @ right).mT
    return total


def _qr_pullback(g: Any, out: Any, a: Any) -> Any:
    m = a.shape[-2]
    q, r, gq, gr = out[..., :m, :], out[..., m:, :], g[..., :m, :], g[..., m:, :]
    inner = r @ gr.mT - gq.mT @ q
    lower = np.tril(np.ones(inner.shape[-2:], inner.dtype))
    below = inner * (lower - np.eye(len(lower), dtype=inner.dtype))
    return _solve(r, (gq + q @ (inner * lower + below.mT)).mT).mT


def _pinv_pullback(g: Any, out: Any, a: Any, rtol: Any) -> Any:
    left, right = g.mT @ out @ out.mT, out.mT @ out @ g.mT
    return left - a @ (out @ left) + right - right @ out @ a - out.mT @ g @ out.mT


eigh = define("eigh", _eigh, [_eigh_pullback])
svd = define("svd", _svd, [_svd_pullback])
qr = define("qr", lambda a: np.concatenate(np.linalg.qr(a), -2), [_qr_pullback])  # of no more columns than rows
# columns that make a basis of orthonormal ones; where q moves, they turn no more than they must
complement = define(
    "complement",
    lambda q: np.linalg.qr(q, mode="complete")[0][..., q.shape[-1] :],
    [lambda g, out, q: -(out @ (g.mT @ q))],
)
# Golub and Pereyra 1973, The differentiation of pseudo-inverses and nonlinear least squares problems, for constant rank
pinv = define("pinv", lambda a, rtol: np.linalg.pinv(a, rtol=rtol), [_pinv_pullback, None])
