"""Gradients that must not become too large: rules for all of a model at once, on arrays here, on nodes in TrainStep."""

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import autograd.numpy as np
from autograd import Tensor
from autograd.operation import OPERATIONS
from autograd.users import REFUSED, warning_there

from .arguments import between, tensors
from .module import set_together

__warningregistry__ = REFUSED  # users.py


def by_norm(gradients: Sequence, most: float) -> tuple[Any, list]:
    """The norm of all together, and all made smaller by one factor where it is above `most` (Pascanu et al. 2013)."""
    norm = OPERATIONS["norm"](np.stack([OPERATIONS["norm"](g, None) for g in gradients]), None)
    factor = np.minimum(most / (norm + 1e-6), 1.0)  # as in PyTorch, also where the norm is 0
    return norm, [g * OPERATIONS["cast"](factor, g.dtype) for g in gradients]


def clipped(gradients: list, norm: float | None, value: float | None) -> list:
    """Each element to within `value`, then all together to within `norm`, where these are given."""
    if value is not None:
        gradients = [np.clip(g, -value, value) for g in gradients]
    return gradients if norm is None else by_norm(gradients, norm)[1]


def clip_grad_norm(parameters: Sequence[Tensor], most: float) -> float:
    """Scale the gradients of parameters so that their norm, all together, is at most `most`; the norm before."""
    having, most = _with_gradients("clip_grad_norm", parameters, most)
    norm, smaller = warning_there(by_norm, [p.grad for p in having], most) if having else (0.0, [])
    set_together(having, repeat("grad"), smaller)
    return float(norm)


def clip_grad_value(parameters: Sequence[Tensor], most: float) -> None:
    """Clip every element of the gradients of parameters to between -most and most."""
    having, most = _with_gradients("clip_grad_value", parameters, most)
    set_together(having, repeat("grad"), clipped([p.grad for p in having], None, most))


def _with_gradients(name: str, parameters: Any, most: Any) -> tuple[list[Tensor], float]:
    most = between(f"{name}: most", most, open_low=True)
    return [p for p in tensors(name, parameters) if p.grad is not None], most
