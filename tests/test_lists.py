"""Lists with nodes in them are arrays wherever NumPy takes arrays."""

import numpy
import numpy as np
import pytest

import autograd.numpy as anp
from autograd import Tensor, Value, check_gradients, grad, hessian, jacobian, jit, jvp

BACKENDS = ["python", "llvm"]


def rotated(t):
    return anp.array([[anp.cos(t), -anp.sin(t)], [anp.sin(t), anp.cos(t)]]) @ np.array([1.0, 2.0])


LISTS = [
    lambda np, t: np.mean([t, t * t, 1.0]),
    lambda np, t: np.sum([[t, 2.0], [t, t]], axis=0),
    lambda np, t: np.max((t, 0.5)),
    lambda np, t: np.exp([t, -t]) * np.tanh(t),
    lambda np, t: np.maximum([t, 1.0], 0.3) + np.clip([t, t], [0.1, t], 9.0),
    lambda np, t: np.asarray([[t, 1], [0, t]], dtype="f8") @ np.array([t, 2 * t], float),
    lambda np, t: np.linalg.det([[t, 1.0], [t, 3.0]]) * np.linalg.norm([t, 2.0]),
    lambda np, t: np.linalg.solve([[t, 1.0], [0.0, 2.0]], [t, t]),
    lambda np, t: np.einsum("i,ij->j", [t, t], [[1.0, t], [2.0, 3.0]]),
    lambda np, t: np.concatenate([[t, t], [1.0], np.ones(2)]) * np.hstack([t, t, t, 1.0, 2.0]),
    lambda np, t: np.stack([t, t * t]).prod() + np.vstack([t, t]).sum(),
    lambda np, t: np.where([True, False], t, [t * t, t]),
    lambda np, t: np.reshape(t, (1, 1)) + np.full_like(np.ones((2, 2)), t) * np.sum(t),
    lambda np, t: sum([t * np.ones(2), np.cumsum([t, t]), t]),
]


@pytest.mark.parametrize("f", LISTS)
def test_lists_of_nodes_are_arrays(f):
    np.testing.assert_allclose(f(anp, Value(0.7)).data, f(numpy, 0.7), rtol=1e-14)
    check_gradients(lambda t: f(anp, t), 0.7)
    found = f(anp, Tensor(0.7))
    np.testing.assert_allclose(found.data, f(numpy, 0.7), rtol=1e-14)
    np.testing.assert_allclose(jit(jacobian(lambda t: f(anp, t)))(0.7), jacobian(lambda t: f(anp, t))(0.7), rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_rotation_of_an_angle(backend):
    pytest.importorskip("llvmlite")

    def f(t):
        return anp.sum(rotated(t) * np.array([3.0, -1.0]))

    angle, c, s = 0.4, np.cos(0.4), np.sin(0.4)
    slope = 3 * (-s - 2 * c) - (c - 2 * s)
    for function in (
        grad(f),
        jit(grad(f), backend=backend),
        grad(jit(f, backend=backend)),
        lambda t: jvp(f, (t,), (1.0,))[1],
    ):
        found = function(angle)
        assert isinstance(found, float) and found == pytest.approx(slope)
    for function in (hessian(f), grad(grad(f)), jit(grad(grad(f)), backend=backend), jit(hessian(f), backend=backend)):
        assert function(angle) == pytest.approx(-f(angle))
    np.testing.assert_allclose(jacobian(rotated)(angle), [-s - 2 * c, c - 2 * s])
    np.testing.assert_allclose(jit(jacobian(rotated), backend=backend)(angle), [-s - 2 * c, c - 2 * s])
