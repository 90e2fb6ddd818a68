"""detect_anomaly names what was changed between its use and the backward pass, and the line of its use."""

import re

import numpy as np
import pytest

import autograd.numpy as anp
import nn
from autograd import Tensor, Value, detect_anomaly

from .test_anomaly import said


def changed_constant(w):
    weights = np.ones(3)
    total = (w * weights).sum()
    weights[0] = 5.0
    return total


def changed_large_leaf(w):
    x = Tensor(np.zeros(10_000))
    total = anp.sin(x).sum() + w.sum()
    x.data[5000] = 3.0
    return total


def changed_result(w):
    y = anp.exp(w)
    total = y.sum()
    y.data[1] = 3.0
    return total


def changed_in_tuple(w):
    index = np.array([0, 1])
    total = w[None][[0, 0], index].sum()
    index[:] = 2
    return total


def changed_list(w):
    index = [0, 1]
    total = w[index].sum()
    index[0] = 2
    return total


def changed_weights(w):
    optimizer = nn.SGD([w], 0.1)
    total = (w * w).sum()
    total.backward()
    optimizer.step()
    return total


def changed_value(_):
    v = Value(3.0, name="v")
    square = v * v
    v.data = 4.0
    return square


CHANGED = {
    changed_constant: "the argument y of mul was changed after its use",
    changed_large_leaf: "the argument x of sin was changed after its use",
    changed_result: "the result of exp was changed after its use",
    changed_in_tuple: "the argument index of getitem was changed after its use",
    changed_list: "the argument index of getitem was changed after its use",
    changed_weights: "the argument x of mul was changed after its use",
    changed_value: "the argument x of mul was changed after its use",
}


@pytest.mark.parametrize("f", CHANGED, ids=lambda f: f.__name__)
def test_what_was_changed_after_its_use_is_named_with_the_line_of_the_use(f):
    text = said(lambda: f(Tensor([1.0, 2.0, 3.0], name="w")).backward())
    assert text.startswith(CHANGED[f])
    line = int(re.search(rf"recorded at {re.escape(__file__)}, line (\d+)", text)[1])
    assert line in (f.__code__.co_firstlineno + 2, f.__code__.co_firstlineno + 1)


def test_what_no_pullback_reads_may_change():
    with detect_anomaly():
        x, constant, first = Tensor([1.0, 2.0]), np.ones(2), Tensor([3.0, 4.0])
        out = (x + constant).sum() + (first * np.ones(2)).sum()
        constant[0], first.data = 5.0, np.zeros(2)
        out.backward()
    assert x.grad.tolist() == first.grad.tolist() == [1.0, 1.0]
