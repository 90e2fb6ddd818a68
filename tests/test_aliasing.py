"""Results and gradients share memory with nothing else, so that they may be changed in place."""

import numpy as np
import pytest

import autograd.numpy as anp
from autograd import Tensor, grad, gradients, hvp, jacobian, jit, jvp, vjp

pytest.importorskip("llvmlite")
every_backend = pytest.mark.parametrize("backend", ["python", "llvm"])


@every_backend
def test_arrays_in_a_result_are_the_callers(backend):
    constant = np.array([1.0, 2.0])
    f = jit(lambda x: [x * 2, constant, {"c": constant}], backend=backend)
    first = f(np.ones(2))
    first[1][...] = 5.0
    first[2]["c"][...] = 7.0
    assert constant.tolist() == [1.0, 2.0] and f(np.ones(2))[1].tolist() == f(np.ones(2))[2]["c"].tolist() == [1.0, 2.0]


def held(tree):
    """Every array in nested results."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [a for part in tree for a in held(part)] if isinstance(tree, (list, tuple)) else [tree]


SHARING = [
    lambda x, y: (x + y).sum(),
    lambda x, y: (x - y).sum() + (x.T * 1.0).sum(),
    lambda x, y: anp.concatenate([x, y]).sum(),
    lambda x, y: (x.reshape(-1) + y.reshape(-1)).sum(),
    lambda x, y: anp.stack([x, y])[0].sum(),
    lambda x, y: x[0, 0] + y[0, 0],
    lambda x, y: x.sum() + 0 * y.sum(),
]


@pytest.mark.parametrize("f", SHARING)
def test_gradients_are_the_callers_alone(f):
    x, y = np.arange(6.0).reshape(2, 3), np.ones((2, 3))

    def alone(results, *others):
        arrays = held(results)
        for i, a in enumerate(arrays):
            assert a.flags.writeable
            assert not any(np.shares_memory(a, b) for b in [*arrays[:i], *others, x, y])

    alone(grad(f, (0, 1))(x, y))
    alone(grad(lambda d: f(d["x"], d["y"]))({"x": x, "y": y}))
    a, b = Tensor(x), Tensor(y)
    alone(gradients(f(a, b), [a, b, a]), a.data, b.data)
    out = f(a, b)
    seed = np.ones(())
    out.backward(seed)
    alone([a.grad, b.grad], seed, a.data)
    alone(hvp(f, (0, 1))(x, y, (x, y)))
    cotangent = np.ones((2, 3))
    value, pull = vjp(lambda x, y: x + y, x, y)
    alone([value, *pull(cotangent), *pull(cotangent)], cotangent)
    value, tangent = jvp(lambda x, y: [x + y, x], (x, y), (x, y))
    alone([*value, *tangent])
    alone(jacobian(lambda x: [x, x])(x))


def test_a_value_that_is_changed_does_not_change_its_pullback():
    value, pull = vjp(anp.exp, np.zeros(2))
    value *= 0.0
    assert pull(np.ones(2))[0].tolist() == [1.0, 1.0]


def test_a_leafs_gradient_is_apart_from_inner_ones_and_from_the_seed():
    x = Tensor([1.0, 2.0])
    y = x + 1
    seed = np.ones(2)
    y.backward(seed)
    y.grad[...] = 5.0
    assert x.grad.tolist() == seed.tolist() == [1.0, 1.0]
    seed[...] = 7.0
    assert x.grad.tolist() == [1.0, 1.0] and y.grad.tolist() == [5.0, 5.0]
