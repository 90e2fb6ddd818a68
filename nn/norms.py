"""Layers that keep numbers in a range: features with mean 0 and variance 1, and some of them dropped."""

from typing import Any

import autograd.numpy as np
from autograd import Tensor, random
from autograd.node import Node

from .arguments import array, between, features, floats, generator, positive, taken
from .module import Module


class _Norm(Module):
    """A layer with a weight for each feature."""

    _form = "{width}"

    def __init__(self, width: int, eps: float = 1e-5, bias: bool = True, dtype: Any = None):
        name = type(self).__name__
        self.width, self.eps = positive(f"{name}: width", width), between(f"{name}: eps", eps)
        self.weight = Tensor(np.ones(width), dtype, "weight")
        self.bias = Tensor(np.zeros(width), dtype, "bias") if bias else None


class LayerNorm(_Norm):
    """(x - mean) / sqrt(variance + eps) * weight + bias, of the features of each example, (..., width).

    Ba, Kiros and Hinton 2016, Layer normalization. Without `bias` it is None.
    """

    def forward(self, x: Any) -> Tensor:
        x = features(self, x, self.width)
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt(np.square(x).mean(-1, keepdims=True) + self.eps) * self.weight
        return x if self.bias is None else x + self.bias


class RMSNorm(_Norm):
    """x / sqrt(mean of x ** 2 + eps) * weight, of the features of each example, (..., width).

    Zhang and Sennrich 2019, Root mean square layer normalization. As in PyTorch eps is the dtype's unless it is given.
    """

    def __init__(self, width: int, eps: float | None = None, dtype: Any = None):
        super().__init__(width, float(np.finfo(dtype or float).eps) if eps is None else eps, False, dtype)

    def forward(self, x: Any) -> Tensor:
        x = features(self, x, self.width)
        return x / np.sqrt(np.square(x).mean(-1, keepdims=True) + self.eps) * self.weight


class BatchNorm(_Norm):
    """(x - mean) / sqrt(variance + eps) * weight + bias, of (batch, width) or of images (batch, width, height, width).

    In training these are the batch's, of each feature (Ioffe and Szegedy 2015, Batch normalization). The buffers `mean`
    and `var` go from 0 and 1 to the batch's mean and unbiased variance by a part of `momentum` at each call, and are
    used after eval(). Raises ValueError for other inputs, and in training for a single number of each feature.
    """

    bias: Tensor

    def __init__(self, width: int, eps: float = 1e-5, momentum: float = 0.1, dtype: Any = None):
        super().__init__(width, eps, dtype=dtype)
        self.momentum = between("BatchNorm: momentum", momentum, high=1.0)
        self.mean, self.var = np.zeros(width, dtype), np.ones(width, dtype)

    def forward(self, x: Any) -> Tensor:
        takes = f"2 or 4 axes and {self.width} features in axis 1"
        x = floats(taken(self, x, takes, lambda s: len(s) in (2, 4) and s[1] == self.width), self.weight)
        mean, var = self._of_batch(x) if self.training else (self.mean, self.var)
        shape = (self.width, *(1,) * (x.ndim - 2))
        scale = self.weight / np.sqrt(var + self.eps)
        return (x - mean.reshape(shape)) * scale.reshape(shape) + self.bias.reshape(shape)

    def _of_batch(self, x: Any) -> tuple[Any, Any]:
        """Mean and variance of each feature; the buffers follow."""
        count, axes = x.size // self.width, (0, *range(2, x.ndim))
        if count < 2:
            raise ValueError(f"{self.describe()} in training takes several examples, got an input of shape {x.shape}")
        mean, var = x.mean(axes), x.var(axes)
        if not random.source.again:
            self.mean, self.var = self._moved(self.mean, mean), self._moved(self.var, var * (count / (count - 1)))
        return mean, var

    def _moved(self, before: Any, x: Any) -> Any:
        """A buffer after a batch: an array, in a trace a node without a derivative."""
        x = x.data if type(x) is Tensor else x.detach() if isinstance(x, Node) else x
        return ((1 - self.momentum) * before + self.momentum * x).astype(before.dtype)


class Dropout(Module):
    """Zeros with probability p in [0, 1), anew at each call, and the others divided by 1 - p; x itself after eval().

    Srivastava et al. 2014, Dropout. `rng` is a seed or a numpy.random.Generator.
    """

    def __init__(self, p: float, rng: Any):
        self.p, self.rng = between("Dropout: p", p, high=1.0, open_high=True), generator(rng)

    def forward(self, x: Any) -> Any:
        x = array(self, x)
        if not self.training or not self.p:
            return x
        return np.where(random.bernoulli(self.rng, 1 - self.p, np.shape(x)), x / (1 - self.p), 0.0)
