"""A small network library on crabgrad's engine.

    model = nn.MLP(2, [8, 8], 1, rng=0)
    optimizer = nn.Adam(model.parameters(), lr=0.01)
    loss = nn.MSE()(model(x), y)                            # x (batch, 2), y (batch, 1)
    optimizer.zero_grad(); loss.backward(); optimizer.step()

    step = nn.TrainStep(model, nn.MSE(), optimizer)         # the same update, compiled
    loss = step(x, y)

Names and arguments are PyTorch's where it has them. Random numbers come from `rng`, a seed or a numpy Generator.
"""

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

__all__ = ["Module", "Sequential", "MLP", "Linear", "Conv2d", "MaxPool2d", "AvgPool2d", "Flatten", "Embedding"]
__all__ += ["Attention", "RNN", "GRU", "LSTM", "LayerNorm", "RMSNorm", "BatchNorm", "Dropout"]
__all__ += ["ReLU", "LeakyReLU", "GELU", "SiLU", "Tanh", "Sigmoid", "Softplus", "Softmax"]
__all__ += ["MSE", "L1", "Huber", "CrossEntropy", "BCEWithLogits", "KLDiv", "Hinge", "CosineSimilarity"]
__all__ += ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "TrainStep", "batches", "clip_grad_norm", "clip_grad_value"]
__all__ += ["Constant", "ExponentialDecay", "StepDecay", "LinearDecay", "CosineDecay", "OneCycle", "Warmup"]
__all__ += ["he", "xavier", "uniform", "normal", "zeros", "Checkpoint", "save", "load", "scalar"]

LIBRARIES.add(__name__)


def __dir__() -> list[str]:
    return sorted(__all__)
