"""A small network library on crabgrad's engine."""

import autograd

if not hasattr(autograd, "Tensor"):
    raise ImportError(
        "`autograd` is not crabgrad's here, but HIPS autograd's or what that left: both are imported by this name. "
        "Run `pip uninstall autograd`, and then install crabgrad again with `pip install --force-reinstall`"
    )

from autograd.users import LIBRARIES

from . import scalar
from .checkpoint import Checkpoint
from .clipping import clip_grad_norm, clip_grad_value
from .feeding import batches
from .files import load, save
from .images import AvgPool2d, Conv2d, MaxPool2d
from .init import he, normal, uniform, xavier, zeros
from .layers import GELU, MLP, Flatten, LeakyReLU, Linear, ReLU, Sequential, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .losses import L1, MSE, BCEWithLogits, CosineSimilarity, CrossEntropy, Hinge, Huber, KLDiv
from .module import Module
from .norms import BatchNorm, Dropout, LayerNorm, RMSNorm
from .optim import SGD, Adagrad, Adam, AdamW, RMSprop
from .schedules import Constant, CosineDecay, ExponentialDecay, LinearDecay, OneCycle, StepDecay, Warmup
from .sequences import GRU, LSTM, RNN, Attention, Embedding
from .train import TrainStep

__all__ = [
    "MLP",
    "Flatten",
    "GELU",
    "LeakyReLU",
    "Linear",
    "Module",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
]
__all__ += ["AvgPool2d", "BatchNorm", "Conv2d", "Dropout", "LayerNorm", "MaxPool2d", "RMSNorm", "Softplus", "Tanh"]
__all__ += ["Attention", "Embedding", "GRU", "LSTM", "RNN", "he", "normal", "uniform", "xavier", "zeros", "scalar"]
__all__ += ["BCEWithLogits", "CosineSimilarity", "CrossEntropy", "Hinge", "Huber", "KLDiv", "L1", "MSE"]
__all__ += ["Adagrad", "Adam", "AdamW", "RMSprop", "SGD", "TrainStep", "batches", "clip_grad_norm", "clip_grad_value"]
__all__ += ["Constant", "CosineDecay", "ExponentialDecay", "LinearDecay", "OneCycle", "StepDecay", "Warmup"]
__all__ += ["Checkpoint", "load", "save"]

LIBRARIES.add(__name__)


def __dir__() -> list[str]:
    return sorted(__all__)
