"""A small network library on crabgrad's engine."""

import autograd

if not hasattr(autograd, "Tensor"):
    raise ImportError(
        "`autograd` is not crabgrad's here, but HIPS autograd's or what that left: both are imported by this name. "
        "Run `pip uninstall autograd`, and then install crabgrad again with `pip install --force-reinstall`"
    )

from autograd.users import LIBRARIES

from . import scalar
from .files import load, save
from .init import he, normal, uniform, xavier, zeros
from .layers import MLP, Linear, ReLU, Sequential, Sigmoid, Softplus, Tanh
from .losses import L1, MSE, BCEWithLogits, CrossEntropy, Huber
from .module import Module
from .optim import SGD, Adam, AdamW, Constant, CosineDecay, ExponentialDecay, Warmup
from .sequences import GRU, LSTM, RNN, Attention, Embedding
from .train import TrainStep

__all__ = [
    "Adam",
    "AdamW",
    "Attention",
    "BCEWithLogits",
    "Constant",
    "CosineDecay",
    "CrossEntropy",
    "Embedding",
    "ExponentialDecay",
    "GRU",
    "Huber",
    "L1",
    "LSTM",
    "Linear",
    "MLP",
    "MSE",
    "Module",
    "RNN",
    "ReLU",
    "SGD",
    "Sequential",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "TrainStep",
    "Warmup",
    "he",
    "load",
    "normal",
    "save",
    "scalar",
    "uniform",
    "xavier",
    "zeros",
]

LIBRARIES.add(__name__)


def __dir__() -> list[str]:
    return sorted(__all__)
