"""A small network library on crabgrad's engine."""

import autograd

if not hasattr(autograd, "Tensor"):
    raise ImportError(
        "`autograd` is not crabgrad's here, but HIPS autograd's or what that left: both are imported by this name. "
        "Run `pip uninstall autograd`, and then install crabgrad again with `pip install --force-reinstall`"
    )

from autograd.users import LIBRARIES

from . import scalar
from .clipping import clip_grad_norm, clip_grad_value
from .epochs import batches
from .files import load, save
from .init import he, normal, uniform, xavier, zeros
from .layers import MLP, Linear, ReLU, Sequential, Sigmoid, Softplus, Tanh
from .losses import L1, MSE, BCEWithLogits, CosineSimilarity, CrossEntropy, Hinge, Huber, KLDiv
from .module import Module
from .optim import SGD, Adagrad, Adam, AdamW, RMSprop
from .schedules import Constant, CosineDecay, ExponentialDecay, LinearDecay, OneCycle, StepDecay, Warmup
from .sequences import GRU, LSTM, RNN, Attention, Embedding
from .train import TrainStep

__all__ = [
    "Adagrad",
    "Adam",
    "AdamW",
    "Attention",
    "BCEWithLogits",
    "Constant",
    "CosineDecay",
    "CosineSimilarity",
    "CrossEntropy",
    "Embedding",
    "ExponentialDecay",
    "GRU",
    "Hinge",
    "Huber",
    "KLDiv",
    "L1",
    "LSTM",
    "Linear",
    "LinearDecay",
    "MLP",
    "MSE",
    "Module",
    "OneCycle",
    "RMSprop",
    "RNN",
    "ReLU",
    "SGD",
    "Sequential",
    "Sigmoid",
    "Softplus",
    "StepDecay",
    "Tanh",
    "TrainStep",
    "Warmup",
    "batches",
    "clip_grad_norm",
    "clip_grad_value",
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
