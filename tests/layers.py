"""Layers of nn, each beside its formula in NumPy and PyTorch's layer of that kind."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import nn

erf = np.vectorize(math.erf)


def windows(x, size, stride=1, padding=0, dilation=1, fill=0.0):
    """Row and column of each window, and what it sees: (batch, channels, size, size)."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=fill)
    span = dilation * (size - 1) + 1
    for i, top in enumerate(range(0, x.shape[2] - span + 1, stride)):
        for j, left in enumerate(range(0, x.shape[3] - span + 1, stride)):
            yield i, j, x[:, :, top : top + span : dilation, left : left + span : dilation]


def over_windows(f, *args, **kwargs):
    """A function of what each window sees, in the windows' order."""
    found = {(i, j): f(seen) for i, j, seen in windows(*args, **kwargs)}
    rows, columns = (1 + max(places) for places in zip(*found))
    return np.stack([np.stack([found[i, j] for j in range(columns)], -1) for i in range(rows)], -2)


def convolved(x, w, *args):
    """The sums of products, one window after the other."""
    return over_windows(lambda seen: np.einsum("bcij,ocij->bo", seen, w["weight"]) + w.get("bias", 0.0), x, *args)


def normed(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def by_buffers(x, w):
    mean, var, weight, bias = (w[name].reshape(-1, 1, 1) for name in ("mean", "var", "weight", "bias"))
    return (x - mean) / np.sqrt(var + 1e-5) * weight + bias


class Case(NamedTuple):
    make: Callable  # a dtype -> the layer
    reference: Callable  # input, arrays by name -> output
    torch: Callable  # torch.nn -> PyTorch's layer
    smooth: bool = True  # whether finite differences see its second derivative
    shape: tuple = (2, 2, 4, 5)


CASES = {
    "Linear": Case(
        lambda dtype: nn.Linear(5, 3, 0, dtype=dtype),
        lambda x, w: x @ w["weight"] + w["bias"],
        lambda t: t.Linear(5, 3),
    ),
    "Linear, no bias": Case(
        lambda dtype: nn.Linear(5, 3, 0, bias=False, dtype=dtype),
        lambda x, w: x @ w["weight"],
        lambda t: t.Linear(5, 3, bias=False),
    ),
    "Sigmoid": Case(lambda dtype: nn.Sigmoid(), lambda x, w: 1 / (1 + np.exp(-x)), lambda t: t.Sigmoid()),
    "Softplus": Case(lambda dtype: nn.Softplus(), lambda x, w: np.log1p(np.exp(x)), lambda t: t.Softplus()),
    "SiLU": Case(lambda dtype: nn.SiLU(), lambda x, w: x / (1 + np.exp(-x)), lambda t: t.SiLU()),
    "GELU": Case(
        lambda dtype: nn.GELU(), lambda x, w: x * (1 + erf(x / 2**0.5)).astype(x.dtype) / 2, lambda t: t.GELU()
    ),
    "GELU, tanh": Case(
        lambda dtype: nn.GELU("tanh"),
        lambda x, w: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
        lambda t: t.GELU("tanh"),
    ),
    "LeakyReLU": Case(
        lambda dtype: nn.LeakyReLU(0.2), lambda x, w: np.where(x < 0, 0.2 * x, x), lambda t: t.LeakyReLU(0.2), False
    ),
    "Softmax": Case(
        lambda dtype: nn.Softmax(1), lambda x, w: np.exp(x) / np.exp(x).sum(1, keepdims=True), lambda t: t.Softmax(1)
    ),
    "Flatten": Case(lambda dtype: nn.Flatten(), lambda x, w: x.reshape(2, 40), lambda t: t.Flatten()),
    "LayerNorm": Case(
        lambda dtype: nn.LayerNorm(5, dtype=dtype),
        lambda x, w: normed(x, -1) * w["weight"] + w["bias"],
        lambda t: t.LayerNorm(5),
    ),
    "LayerNorm, no bias": Case(
        lambda dtype: nn.LayerNorm(5, 1e-3, bias=False, dtype=dtype),
        lambda x, w: normed(x, -1, 1e-3) * w["weight"],
        lambda t: t.LayerNorm(5, 1e-3, bias=False),
    ),
    "RMSNorm": Case(
        lambda dtype: nn.RMSNorm(5, dtype=dtype),
        lambda x, w: x / np.sqrt((x**2).mean(-1, keepdims=True)) * w["weight"],
        lambda t: t.RMSNorm(5),
    ),
    "BatchNorm": Case(lambda dtype: nn.BatchNorm(2, dtype=dtype).eval(), by_buffers, lambda t: t.BatchNorm2d(2).eval()),
    "Dropout": Case(lambda dtype: nn.Dropout(0.5, 0).eval(), lambda x, w: x, lambda t: t.Dropout(0.5).eval()),
    "Conv2d": Case(
        lambda dtype: nn.Conv2d(2, 3, 2, 0, dtype=dtype), lambda x, w: convolved(x, w, 2), lambda t: t.Conv2d(2, 3, 2)
    ),
    "Conv2d, spread": Case(
        lambda dtype: nn.Conv2d(2, 1, 3, 0, 2, 1, 2, bias=False, dtype=dtype),
        lambda x, w: convolved(x, w, 3, 2, 1, 2),
        lambda t: t.Conv2d(2, 1, 3, 2, 1, 2, bias=False),
    ),
    "MaxPool2d": Case(
        lambda dtype: nn.MaxPool2d(2),
        lambda x, w: over_windows(lambda seen: seen.max((2, 3)), x, 2, 2),
        lambda t: t.MaxPool2d(2),
        False,
    ),
    "MaxPool2d, padded": Case(
        lambda dtype: nn.MaxPool2d(3, 1, 1),
        lambda x, w: over_windows(lambda seen: seen.max((2, 3)), x, 3, 1, 1, fill=-np.inf),
        lambda t: t.MaxPool2d(3, 1, 1),
        False,
    ),
    "AvgPool2d": Case(
        lambda dtype: nn.AvgPool2d(3, 2, 1),
        lambda x, w: over_windows(lambda seen: seen.mean((2, 3)), x, 3, 2, 1),
        lambda t: t.AvgPool2d(3, 2, 1),
    ),
}


def on_parameters(layer):
    """The layer as a function of its input and its parameters, and these."""
    names = [name for name, _ in layer.named_parameters()]

    def function(x, *parameters):
        vars(layer).update(zip(names, parameters))
        return layer(x)

    return function, [parameter.data for parameter in layer.parameters()]
