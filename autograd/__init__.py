"""crabgrad's engine: values and arrays that remember how they were made, and derivatives of them."""

import importlib
from typing import Any

from . import methods, numpy
from .backward import gradients
from .jacobians import hessian, jacobian
from .node import Tensor, Value
from .recording import no_grad
from .transforms import grad, hvp, jvp, value_and_grad, vjp

__version__ = "0.1.0"
__all__ = [
    "AnomalyError",
    "Tensor",
    "TracingError",
    "Value",
    "check_gradients",
    "define",
    "detect_anomaly",
    "draw",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jit",
    "jvp",
    "no_grad",
    "render",
    "value_and_grad",
    "vjp",
]
_WHEN_USED = {
    "AnomalyError": ".anomaly",
    "TracingError": ".compiler.tracing",
    "check_gradients": ".check",
    "define": ".definitions",
    "detect_anomaly": ".anomaly",
    "draw": ".drawing",
    "jit": ".compiler.calls",
    "render": ".drawing",
}


def __getattr__(name: str) -> Any:
    if name not in _WHEN_USED:
        raise AttributeError(f"module 'autograd' has no attribute {name!r}")
    return getattr(importlib.import_module(_WHEN_USED[name], __name__), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "numpy", "__version__"])
