"""A small network library on crabgrad's engine."""

from autograd.arguments import LIBRARIES

from . import scalar
from .files import load, save
from .init import he, uniform, xavier, zeros
from .layers import MLP, Linear, ReLU, Sequential, Sigmoid, Softplus, Tanh
from .losses import L1, MSE, BCEWithLogits, CrossEntropy, Huber
from .module import Module
from .optim import SGD, Adam, AdamW, Constant, CosineDecay, ExponentialDecay, Warmup
from .train import TrainStep

__all__ = """
Module Linear ReLU Tanh Sigmoid Softplus Sequential MLP MSE L1 Huber CrossEntropy BCEWithLogits SGD Adam AdamW
Constant ExponentialDecay CosineDecay Warmup TrainStep he xavier uniform zeros save load scalar""".split()

LIBRARIES.add(__name__)
