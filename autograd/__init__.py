"""crabgrad's engine: numbers and arrays that remember how they were made, and derivatives of them.

    x = Value(2.0)
    y = x ** 3 + 1 / x
    y.backward()                          # x.grad is 11.75
    grad(lambda x: x ** 3 + 1 / x)(2.0)   # 11.75

`Value` is a number and `Tensor` an array; `autograd.numpy` has NumPy's functions for both. `grad` and its kin
differentiate functions, `jit` compiles them, `define` adds operations, `draw` and `explain` show graphs.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if os.path.exists(os.path.join(os.path.dirname(__file__), "core.py")):
    raise ImportError(
        "HIPS autograd is installed in crabgrad's place: both are imported as `autograd`, and their files are mixed. "
        "Run `pip uninstall autograd`, and then install crabgrad again with `pip install --force-reinstall`"
    )

from . import methods, numpy
from .backward import gradients
from .directional import hvp, jvp
from .heap import keep_freed_memory
from .node import Tensor, Value
from .recording import no_grad
from .transforms import elementwise_grad, grad, value_and_grad, vjp

if TYPE_CHECKING:  # what is imported when it is used
    from . import random, scipy
    from .anomaly import AnomalyError, detect_anomaly
    from .check import check_gradients
    from .compiler.calls import jit
    from .definitions import define
    from .drawing import draw, render
    from .explaining import explain
    from .failing import TracingError
    from .jacobians import hessian, jacfwd, jacobian, jacrev
    from .mapping import vmap
    from .recomputing import checkpoint
    from .scanning import scan

__version__ = "0.1.0"
__all__ = [
    "AnomalyError",
    "Tensor",
    "TracingError",
    "Value",
    "check_gradients",
    "checkpoint",
    "define",
    "detect_anomaly",
    "draw",
    "elementwise_grad",
    "explain",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "no_grad",
    "render",
    "scan",
    "value_and_grad",
    "vjp",
    "vmap",
]
_MODULES = ("random", "scipy")
_WHEN_USED = {
    "AnomalyError": ".anomaly",
    "TracingError": ".failing",
    "check_gradients": ".check",
    "checkpoint": ".recomputing",
    "define": ".definitions",
    "detect_anomaly": ".anomaly",
    "draw": ".drawing",
    "explain": ".explaining",
    "hessian": ".jacobians",
    "jacfwd": ".jacobians",
    "jacobian": ".jacobians",
    "jacrev": ".jacobians",
    "jit": ".compiler.calls",
    "render": ".drawing",
    "scan": ".scanning",
    "vmap": ".mapping",
}


keep_freed_memory()


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name not in _WHEN_USED:
        raise AttributeError(f"module 'autograd' has no attribute {name!r}")
    return getattr(importlib.import_module(_WHEN_USED[name], __name__), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES, "numpy", "__version__"])
