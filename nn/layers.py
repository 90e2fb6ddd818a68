"""Layers: functions with parameters, from a batch (examples, features) to a batch."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy import ndarray

import autograd.numpy as np
from autograd import Tensor
from autograd.operation import OPERATIONS

from .arguments import Real, Settings, array, called, features, function, generator, positive, sizes, taken
from .init import Initializer, he, initial, zeros
from .module import Module

_affine = OPERATIONS["affine"]


class Linear(Module):
    """x @ weight + bias, from (..., n_in) to (..., n_out).

    `weight` has shape (n_in, n_out), unlike PyTorch's (n_out, n_in); `bias` has shape (n_out,), or is None if there is
    to be none. They begin as `init` and `bias_init` say, drawn from `rng`, a seed or a numpy.random.Generator; without
    a `dtype` they keep what they are drawn in, float64. Raises ValueError for other inputs.
    """

    _form = "{n_in} -> {n_out}"

    def __init__(
        self,
        n_in: int,
        n_out: int,
        rng: Any,
        init: Initializer = he,
        bias_init: Initializer = zeros,
        name: str = "",
        bias: bool = True,
        dtype: Any = None,
    ):
        rng, shape = generator(rng), (positive("Linear: n_in", n_in), positive("Linear: n_out", n_out))
        self.n_in, self.n_out, self.name = *shape, name
        self.weight = initial(init, shape, rng, dtype)
        self.bias = initial(bias_init, shape[1:], rng, dtype, "bias") if bias else None

    def forward(self, x: Any) -> Tensor:
        plain = x.__class__ is Tensor or x.__class__ is ndarray and x.dtype.kind == "f"  # as nearly always
        if not plain or x.shape[-1:] != self.weight.shape[:1]:
            x = features(self, x, self.n_in)
        if self.bias is None:
            return np.matmul(x, self.weight)
        # the operation itself: a layer knows that a node takes part
        return _affine(x, self.weight, self.bias) if len(x.shape) > 1 else np.affine(x, self.weight, self.bias)


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Any) -> Any:
        return np.relu(array(self, x))


class Tanh(Module):
    """tanh(x)."""

    def forward(self, x: Any) -> Any:
        return np.tanh(array(self, x))


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x: Any) -> Any:
        return np.sigmoid(array(self, x))


class Softplus(Module):
    """log(1 + exp(x))."""

    def forward(self, x: Any) -> Any:
        return np.softplus(array(self, x))


class SiLU(Module):
    """x * sigmoid(x)."""

    def forward(self, x: Any) -> Any:
        x = array(self, x)
        return x * np.sigmoid(x)


@dataclass(eq=False, repr=False)
class LeakyReLU(Settings, Module):
    """x where it is positive, elsewhere slope * x."""

    slope: Real = 0.01

    def forward(self, x: Any) -> Any:
        x = array(self, x)
        return np.where(np.greater(x, 0), x, self.slope * x)


@dataclass(eq=False, repr=False)
class GELU(Module):
    """x * P(X < x) of a normal X (Hendrycks and Gimpel 2016, Gaussian error linear units), which needs SciPy.

    `approximate="tanh"` does without: P is then 0.5 + 0.5 * tanh(sqrt(2 / pi) * (x + 0.044715 * x ** 3)), as there.
    """

    approximate: str = "none"

    def __post_init__(self) -> None:
        if self.approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate is 'none' or 'tanh', not {self.approximate!r}")

    def forward(self, x: Any) -> Any:
        x = array(self, x)
        if self.approximate == "tanh":  # sigmoid(2 * x) is 0.5 + 0.5 * tanh(x), with the digits of the left tail
            return x * np.sigmoid(math.sqrt(8 / math.pi) * (x + 0.044715 * x * x * x))
        from autograd.scipy.special import erfc  # if scipy is not installed: GELU("tanh")

        return 0.5 * x * erfc(-math.sqrt(0.5) * x)


@dataclass(eq=False, repr=False)
class Softmax(Module):
    """exp(x) / sum(exp(x)) along an axis."""

    axis: int = -1

    def forward(self, x: Any) -> Any:
        return np.softmax(array(self, x), self.axis)


class Flatten(Module):
    """From (batch, ...) to (batch, features)."""

    def forward(self, x: Any) -> Any:
        x = taken(self, x, "(batch, ...)", bool)
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))


class Sequential(Module):
    """Layers, or any functions of a batch, one after the other; they stand in the list `layers`."""

    def __init__(self, *layers: Callable):
        self.layers = [function(f"Sequential: layer {i}", layer) for i, layer in enumerate(layers)]

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int | slice) -> Any:
        return Sequential(*self.layers[index]) if isinstance(index, slice) else self.layers[index]


class MLP(Sequential):
    """A multilayer perceptron, (batch, n_in) to (batch, n_out): Linear layers, an activation after each but the last.

    `hidden_sizes` may be empty; `rng`, a seed or a numpy.random.Generator, draws the weights as `init` says. An
    `activation` is a class, its name ("tanh"), a layer, of which each place gets a copy, or a function of a batch.
    """

    def __init__(
        self,
        n_in: int,
        hidden_sizes: Sequence[int],
        n_out: int,
        rng: Any,
        activation: Callable[..., Any] | str = ReLU,
        init: Initializer = he,
        bias_init: Initializer = zeros,
        dtype: Any = None,
    ):
        rng, activation = generator(rng), called("activation", activation, ACTIVATIONS)
        hidden = sizes("MLP: hidden_sizes", "MLP: a hidden size", hidden_sizes)
        widths = [positive("MLP: n_in", n_in), *hidden, positive("MLP: n_out", n_out)]
        layers: list[Callable[..., Any]] = []
        for a, b in zip(widths, widths[1:]):
            name = f"MLP.layers[{len(layers)}] = Linear({a} -> {b})"
            layers += [Linear(a, b, rng, init, bias_init, name, dtype=dtype), _another(activation)]
        super().__init__(*layers[:-1])


KINDS = ReLU, Tanh, Sigmoid, Softplus, SiLU, LeakyReLU, GELU, Softmax
ACTIVATIONS: dict[str, Callable] = {kind.__name__.lower(): kind for kind in KINDS}


def _another(activation: Any) -> Any:
    """One for another place: a new one of a class or a layer, a function itself."""
    if isinstance(activation, type):
        return activation()
    return copy.deepcopy(activation) if isinstance(activation, Module) else activation
