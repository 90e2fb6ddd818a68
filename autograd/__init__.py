"""crabgrad's engine: values and arrays that remember how they were made, and derivatives of them."""

from .backward import gradients
from .node import Tensor, Value, no_grad

__all__ = ["Tensor", "Value", "gradients", "no_grad"]
