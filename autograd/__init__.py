"""crabgrad's engine: values and arrays that remember how they were made, and derivatives of them."""

from . import numpy
from .backward import gradients
from .check import check_gradients
from .definitions import define
from .drawing import draw, render
from .node import Tensor, Value, no_grad
from .transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

__all__ = """
Tensor Value check_gradients define draw grad gradients hessian hvp jacobian jvp no_grad numpy render value_and_grad vjp""".split()
