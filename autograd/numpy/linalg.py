"""numpy.linalg's names for arrays and nodes: matrices in the last two axes. The rest of numpy.linalg is handed on."""

import math
from typing import Any

import numpy as _np

from ..node import Tensor
from ..operation import OPERATIONS
from .dispatch import recorded
from .shaping import operand


def _square(name: str, x: Any) -> Any:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"{name}: of square matrices in the last two axes, not of shape {x.shape}")
    return x


@recorded(home=_np.linalg)
def solve(a: Any, b: Any) -> Any:
    """As numpy.linalg.solve: x with a @ x = b; a vector if b has one axis."""
    a, b = _square("solve", operand(a)), operand(b)
    if b.ndim == 1:
        return OPERATIONS["solve"](a, b.reshape(-1, 1)).reshape(*a.shape[:-2], -1)
    return OPERATIONS["solve"](a, b)


@recorded(home=_np.linalg)
def inv(a: Tensor) -> Tensor:
    """As numpy.linalg.inv."""
    return OPERATIONS["inv"](_square("inv", a))


@recorded(home=_np.linalg)
def det(a: Tensor) -> Tensor:
    """As numpy.linalg.det; the gradient is right for singular matrices, the second derivative needs a regular one."""
    return OPERATIONS["det"](_square("det", a))


@recorded(home=_np.linalg)
def slogdet(a: Tensor) -> tuple[Any, Tensor]:
    """As numpy.linalg.slogdet: the sign, and the logarithm of the determinant's size."""
    return OPERATIONS["detsign"](_square("slogdet", a)), OPERATIONS["logdet"](a)


@recorded(home=_np.linalg)
def cholesky(a: Tensor) -> Tensor:
    """As numpy.linalg.cholesky, of (a + a.mT) / 2; so the gradient is symmetric."""
    return OPERATIONS["cholesky"](_square("cholesky", a))


@recorded(home=_np.linalg)
def norm(x: Tensor, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """As numpy.linalg.norm: of vectors with any order but 0, of matrices "fro"."""
    vectors = isinstance(axis, int) or axis is None and x.ndim == 1
    if ord is None or ord == "fro" and not vectors or ord == 2 and vectors:
        return x.norm(axis, keepdims=keepdims)
    if not vectors or not isinstance(ord, (int, float)) or ord == 0:
        raise TypeError(f"norm: ord={ord!r} of {'vectors' if vectors else 'matrices'} is not differentiated here")
    size = abs(x)
    if math.isinf(ord):
        return size.max(axis, keepdims=keepdims) if ord > 0 else size.min(axis, keepdims=keepdims)
    total = (size**ord).sum(axis, keepdims=keepdims)
    zero = OPERATIONS["equal"](total, 0.0)  # where all elements are 0 the norm and its gradient are 0
    return OPERATIONS["where"](zero, 0.0, OPERATIONS["where"](zero, 1.0, total) ** (1 / ord))


__all__ = ["cholesky", "det", "inv", "norm", "slogdet", "solve"]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_np.linalg, name)
