"""A derivative inside another one, and inside no_grad()."""

import collections

import numpy as np
import pytest

from autograd import Tensor, grad, gradients, graph, hessian, hvp, jacobian, jvp, no_grad, vjp


def test_an_inner_derivative_looks_no_further_than_its_own_start(monkeypatch):
    looked = collections.Counter()
    made = graph._made

    def counting(*args):
        found = made(*args)
        looked[count] += sum(map(len, found))
        return found

    monkeypatch.setattr(graph, "_made", counting)
    for count in (40, 80):

        def descend(w, count=count):
            x = 1.0
            for _ in range(count):
                x = x - 0.01 * grad(lambda z: w * z * z / 2)(x)
            return x

        assert grad(descend)(2.0) == pytest.approx(-0.01 * count * (1 - 0.02) ** (count - 1))
    assert looked[80] < 2.2 * looked[40]


def test_inside_no_grad_a_derivative_is_still_one():
    x, w = np.array([1.0, 2.0]), Tensor([2.0, 3.0])
    with no_grad():
        assert grad(lambda x: x * x)(3.0) == 6.0
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        assert jacobian(lambda x: x * x)(x).tolist() == [[2.0, 0.0], [0.0, 4.0]]
        assert hessian(lambda x: (x**3).sum())(x).tolist() == [[6.0, 0.0], [0.0, 12.0]]
        assert hvp(lambda x: (x**3).sum())(x, x).tolist() == [6.0, 24.0]
        assert vjp(lambda x: x * x, 3.0)[1](1.0) == jvp(lambda x: x * x, (3.0,), (1.0,))[1:] == (6.0,)
        outer = grad(lambda x: (w * x).sum())(x)
        assert outer.data.tolist() == [2.0, 3.0] and outer.operation is None
        assert (w * 2).operation is None  # and it is on again
        with pytest.raises(TypeError):
            gradients(1.0, [w])

    def inside(x):
        with no_grad():
            constant = x * x
        return constant * x

    assert grad(inside)(3.0) == 9.0
    with no_grad():
        assert grad(inside)(3.0) == 9.0
