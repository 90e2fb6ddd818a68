"""Layers: functions with parameters, from a batch (examples, features) to a batch."""

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as np
from autograd import Tensor
from autograd.operation import OPERATIONS

from .init import Initializer, generator, he, zeros
from .module import Module

_affine = OPERATIONS["affine"]


def positive(name: str, number: Any) -> int:
    """A size, checked: at least 1."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ValueError(f"{name} must be a positive integer, not {number!r}")
    return number


class Linear(Module):
    """x @ weight + bias, from (..., n_in) to (..., n_out).

    `weight` has shape (n_in, n_out), unlike PyTorch's (n_out, n_in); `bias` has shape (n_out,). They begin as `init`
    and `bias_init` say, drawn from `rng`, a seed or a numpy.random.Generator. Raises ValueError for other inputs.
    """

    def __init__(
        self, n_in: int, n_out: int, rng: Any, init: Initializer = he, bias_init: Initializer = zeros, name: str = ""
    ):
        rng = generator(rng)
        self.n_in, self.n_out, self.name = positive("n_in", n_in), positive("n_out", n_out), name
        self.weight = Tensor(init((n_in, n_out), rng), name="weight")
        self.bias = Tensor(bias_init((n_out,), rng), name="bias")

    def __call__(self, x: Any) -> Tensor:
        shape = getattr(x, "shape", ())
        if shape[-1:] != (self.n_in,):
            raise ValueError(
                f"{self.name or self.describe()} takes {self.n_in} features in the last axis, "
                f"got an input of shape {shape}; its weight has shape {self.weight.shape}"
            )
        # the operation itself: a layer knows that a node takes part
        return _affine(x, self.weight, self.bias) if len(shape) > 1 else np.affine(x, self.weight, self.bias)

    def describe(self) -> str:
        """Linear(n_in -> n_out)."""
        return f"Linear({self.n_in} -> {self.n_out})"


class _Elementwise(Module):
    """A layer without parameters: one function of each element."""

    function: Callable

    def __call__(self, x: Any) -> Any:
        return type(self).function(x)


class ReLU(_Elementwise):
    """max(x, 0)."""

    function = np.relu


class Tanh(_Elementwise):
    """tanh(x)."""

    function = np.tanh


class Sigmoid(_Elementwise):
    """1 / (1 + exp(-x))."""

    function = np.sigmoid


class Softplus(_Elementwise):
    """log(1 + exp(x))."""

    function = np.softplus


class Sequential(Module):
    """Layers, or any functions of a batch, one after the other; they stand in the list `layers`."""

    def __init__(self, *layers: Callable):
        self.layers = list(layers)

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


class MLP(Sequential):
    """A multilayer perceptron, (batch, n_in) to (batch, n_out): Linear layers, an activation after each but the last.

    `hidden_sizes` may be empty; `rng`, a seed or a numpy.random.Generator, draws the weights as `init` says.
    """

    def __init__(
        self,
        n_in: int,
        hidden_sizes: Sequence[int],
        n_out: int,
        rng: Any,
        activation: Callable[[], Callable[..., Any]] = ReLU,
        init: Initializer = he,
        bias_init: Initializer = zeros,
    ):
        rng = generator(rng)
        sizes = [
            positive("n_in", n_in),
            *(positive("a hidden size", n) for n in hidden_sizes),
            positive("n_out", n_out),
        ]
        layers: list[Callable[..., Any]] = []
        for a, b in zip(sizes, sizes[1:]):
            name = f"MLP.layers[{len(layers)}] = Linear({a} -> {b})"
            layers += [Linear(a, b, rng, init, bias_init, name), activation()]
        super().__init__(*layers[:-1])
