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
from .init import he, uniform, xavier, zeros
from .layers import MLP, Linear, ReLU, Sequential, Sigmoid, Softplus, Tanh
from .losses import L1, MSE, BCEWithLogits, CosineSimilarity, CrossEntropy, Hinge, Huber, KLDiv
from .module import Module
from .optim import SGD, Adagrad, Adam, AdamW, RMSprop
from .schedules import Constant, CosineDecay, ExponentialDecay, LinearDecay, OneCycle, StepDecay, Warmup
from .train import TrainStep

__all__ = [
    "Adagrad",
    "Adam",
    "AdamW",
    "BCEWithLogits",
    "Constant",
    "CosineDecay",
    "CosineSimilarity",
    "CrossEntropy",
    "ExponentialDecay",
    "Hinge",
    "Huber",
    "KLDiv",
    "L1",
    "Linear",
    "LinearDecay",
    "MLP",
    "MSE",
    "Module",
    "OneCycle",
    "RMSprop",
    "ReLU",
    "SGD",
    "Sequential",
    "Sigmoid",
    "Softplus",
    "StepDecay",
    "Tanh",
    "TrainStep",
    "Warmup",
    "he",
    "load",
    "save",
    "scalar",
    "uniform",
    "xavier",
    "zeros",
]

LIBRARIES.add(__name__)


def __dir__() -> list[str]:
    return sorted(__all__)
