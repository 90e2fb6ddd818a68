"""How weights begin: functions of a shape and a generator, or a seed.

The shape is (n_in, n_out), or (n_out, n_in, height, width) of a convolution.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor

from .arguments import called, generator

Shape = tuple[int, ...]
Initializer = Callable[[Shape, np.random.Generator], np.ndarray] | str


def fans(shape: Shape) -> tuple[int, int]:
    """How many numbers a result is a sum over, and how many results a number enters."""
    return (shape[0], shape[-1]) if len(shape) < 3 else (math.prod(shape[1:]), shape[0] * math.prod(shape[2:]))


def he(shape: Shape, rng: Any) -> np.ndarray:
    """Normal with variance 2 / fan_in, for ReLU (He et al. 2015, Delving deep into rectifiers, equation 10)."""
    return generator(rng).normal(0.0, np.sqrt(2.0 / fans(shape)[0]), shape)


def xavier(shape: Shape, rng: Any) -> np.ndarray:
    """Uniform with variance 2 / (fan_in + fan_out), for tanh and sigmoid (Glorot and Bengio 2010, equation 16)."""
    bound = np.sqrt(6.0 / sum(fans(shape)))
    return generator(rng).uniform(-bound, bound, shape)


def uniform(shape: Shape, rng: Any) -> np.ndarray:
    """Uniform in [0, 1)."""
    return generator(rng).random(shape)


def normal(shape: Shape, rng: Any) -> np.ndarray:
    """Normal with variance 1, as PyTorch's embeddings."""
    return generator(rng).normal(size=shape)


def zeros(shape: Shape, rng: Any) -> np.ndarray:
    """Zeros, as biases usually begin."""
    return np.zeros(shape)


INITIALIZERS = {each.__name__: each for each in (he, xavier, uniform, normal, zeros)}


def initial(init: Initializer, shape: Shape, rng: np.random.Generator, dtype: Any, name: str = "weight") -> Tensor:
    """A parameter as it begins."""
    setting = "init" if name == "weight" else f"{name}_init"
    parameter = Tensor(called(setting, init, INITIALIZERS)(shape, rng), dtype, name)
    if parameter.shape != shape:
        raise ValueError(f"{setting} gave an array of shape {parameter.shape} for a {name} of shape {shape}")
    return parameter
