"""Mistakes of the first day: each raises where it is made, and the message says what to write instead."""

import math

import numpy
import pytest

import autograd.numpy as np
import nn
from autograd import Tensor, TracingError, Value, grad, gradients, jit

ARRAY = numpy.ones(3)


def tensor():
    return Tensor([1.0, 2.0, 3.0])


def model():
    return nn.Linear(2, 1, rng=0)


def assigned(x):
    x[0] = 5.0


class Forgetful(nn.Module):
    """Its weight is an array, so it is a buffer and no parameter."""

    def __init__(self):
        self.weight = numpy.ones(2)


def tied():
    """An output layer with the weight of an Embedding, as PyTorch has it."""
    embedding, head = nn.Embedding(9, 4, rng=0), nn.Linear(4, 9, rng=0, bias=False)
    head.weight = embedding.weight
    return head(embedding(numpy.zeros((2, 3), int)))


class Foreign:
    """An array of another library, which NumPy can convert."""

    def __array__(self, dtype=None, copy=None):
        return numpy.ones(3)


DIFFERENTIATING = [
    (lambda: assigned(tensor()), TypeError, "where(mask, new, old)"),
    (lambda: (tensor() * 2).backward(), ValueError, "sum the Tensor first"),
    (lambda: grad(lambda x: x * 2)(ARRAY), TypeError, "this one returned 3: sum them, or use jacobian"),
    (lambda: grad(lambda x: x * x, 3.0), TypeError, "grad(f)(3.0)"),
    (lambda: grad(lambda x: x.sum())(Foreign()), TypeError, "test_mistakes.Foreign: convert it by numpy.asarray"),
    (lambda: grad(lambda x: None)(3.0), TypeError, "is a return missing?"),
    (lambda: gradients(tensor().sum(), [ARRAY]), TypeError, "make x a node"),
    (lambda: math.exp(Value(1.0)), TypeError, "x.exp(), not math.exp(x)"),
    (lambda: float(tensor()), TypeError, "shape (3,) is not one number"),
    (lambda: numpy.array([tensor(), tensor()]), TypeError, "a function of autograd.numpy"),
    (lambda: numpy.fft.fft(tensor()), TypeError, "numpy.fft.fft is not differentiated"),
    (lambda: jit(lambda x: x if x > 0 else -x)(2.0), TracingError, "where(condition, x, y)"),
    (lambda: jit(lambda x: float(x) * 2)(2.0), TracingError, "compute with the node itself"),
    (lambda: Value(ARRAY), TypeError, "use a Tensor for arrays"),
]
TRAINING = [
    (lambda: nn.MSE(tensor(), ARRAY), TypeError, "MSE()(prediction, target)"),
    (lambda: nn.CrossEntropy(tensor(), 1), TypeError, "CrossEntropy()(prediction, target)"),
    (lambda: nn.MSE()(Tensor(numpy.ones((4, 1))), numpy.ones(4)), ValueError, "shape (4, 1), the target (4,)"),
    (lambda: nn.CrossEntropy()(Tensor(numpy.eye(3)), [0.0, 1.0, 1.5]), IndexError, "labels are integers from 0 to 2"),
    (lambda: nn.CrossEntropy()(Tensor(numpy.eye(3)), numpy.eye(3)), ValueError, "labels (...)"),
    (lambda: nn.SGD(model().parameters()).step(), ValueError, "call loss.backward() before step()"),
    (lambda: nn.Adam(model().parameters()).step(), ValueError, "call loss.backward() before step()"),
    (lambda: nn.SGD(Forgetful().parameters()), TypeError, "holds one or more as attributes"),
    (lambda: nn.SGD(model()), TypeError, "model.parameters()"),
    (lambda: nn.SGD(model().parameters), TypeError, "model.parameters()"),
    (lambda: nn.Sequential([model(), nn.ReLU()]), TypeError, "one by one, not in a list"),
    (lambda: nn.MLP(2, 8, 1, rng=0), TypeError, "[8, 8]"),
    (tied, ValueError, "Linear(4 -> 9) has a weight of shape (9, 4), where 4 comes first"),
    (lambda: nn.batches([[1, 2], [3]], [0, 1], 2, 0), ValueError, "batches: shorter sequences need padding"),
    (lambda: nn.TrainStep(model(), nn.MSE, nn.SGD(model().parameters())), TypeError, "give MSE(...)"),
]


@pytest.mark.parametrize("mistake, error, hint", DIFFERENTIATING + TRAINING)
def test_a_mistake_says_what_to_write(mistake, error, hint):
    with pytest.raises(error) as raised:
        mistake()
    assert hint in str(raised.value)


def test_a_step_without_gradients_is_not_counted():
    optimizer = nn.Adam(model().parameters())
    with pytest.raises(ValueError):
        optimizer.step()
    assert optimizer.steps == 0


def test_what_looks_like_a_mistake_and_is_none():
    x = y = tensor()
    x += 1  # a new node: y is as it was
    assert x.data.tolist() == [2.0, 3.0, 4.0] and y.data.tolist() == [1.0, 2.0, 3.0]
    assert grad(lambda x: x**2)(3) == 6.0  # an integer is a float
    assert np.array([Value(1.0), Value(2.0)]).shape == (2,)  # unlike numpy.array, which would lose the history
    target, prediction = numpy.zeros(3), tensor()
    assert nn.MSE()(target, prediction).data == nn.MSE()(prediction, target).data
    assert nn.CrossEntropy()(Tensor(numpy.eye(3)), [0.0, 1.0, 2.0]).shape == ()  # whole numbers are labels


def test_a_module_needs_no_super_init():
    class Own(nn.Module):
        def __init__(self):
            self.layer = model()

        def forward(self, x):
            return self.layer(x)

    assert len(Own().parameters()) == 2 and Own()(numpy.ones((1, 2))).shape == (1, 1)
