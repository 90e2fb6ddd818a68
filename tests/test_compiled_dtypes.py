"""Compiled code has the dtypes, masks, indices and signed zeros of NumPy, bit for bit."""

import numpy as np
import pytest

import autograd.numpy as anp
import nn
from autograd import Tensor, Value, grad, jit

pytest.importorskip("llvmlite")
every_backend = pytest.mark.parametrize("backend", ["python", "llvm"])


def bits(x):
    x = np.asarray(x)
    return x.shape, x.dtype, x.tobytes()


X = np.array([-1.5, -0.0, 0.0, 0.1, 0.75, 2.0, np.nan])

TABLE = np.arange(9.0).reshape(3, 3)


@every_backend
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x > 0) + (x > 0.5),
        lambda x: ((x > 0) + (x > 0.5)) * x,
        lambda x: (x >= 0) * (x <= 1),
        lambda x: (x != 0) + 0.0,
        lambda x: 1.0 - (x == 0),
        lambda x: np.sum(x > 0) * x,
        lambda x: np.mean(x > 0) * x,
        lambda x: x > 0.1,
        lambda x: x > np.float64(0.1),
        lambda x: np.max(x > 0.5),
        lambda x: np.where((x > 0) + (x < -1), x, -x),
        lambda x: x + 0.0,
        lambda x: 0 + x,
        lambda x: x - 0.0,
        lambda x: x + -0.0,
        lambda x: x * np.float32(1.5),
        lambda x: x * np.float64(0.1),
        lambda x: np.float64(2) * (x * 3),
        lambda x: x * np.array(0.1),
        lambda x: x * np.array(0.1, np.float32),
    ],
)
def test_what_is_discrete_and_dtypes_are_those_of_numpy_bit_for_bit(f, dtype, backend):
    x = X.astype(dtype)
    with np.errstate(invalid="ignore"):
        expected = f(x)
    assert bits(jit(f, backend=backend)(x)) == bits(expected)


@every_backend
def test_numpys_numbers_keep_their_dtype(backend):
    x = np.array([700.0, 0.1], np.float32)
    power = jit(lambda x: np.float64(2) ** x, backend=backend)(x)
    assert power.dtype == np.float64 and power[0] == 2.0**700
    weights = np.float32([[1, 2], [3, 4]])
    product = jit(lambda x: anp.dot(x, weights) + np.float32(1), backend=backend)(np.ones((2, 2), np.float32))
    assert product.dtype == np.float32 and product.tolist() == [[5, 7], [5, 7]]
    scaled = jit(lambda s, x: s * x, backend=backend)
    for s in (2, 2.0, np.float32(2), np.float64(2), np.array(2.0)):
        assert bits(scaled(s, x)) == bits(s * x)


@every_backend
def test_masks_as_arguments_stay_masks(backend):
    a, b = np.array([True, True, False]), np.array([True, False, False])
    f = jit(lambda a, b, x: (a + b, (a + b) * x, anp.where(a * b, x, 0.0)), backend=backend)
    for ours, theirs in zip(f(a, b, np.ones(3)), (a + b, (a + b) * np.ones(3), np.array([1.0, 0.0, 0.0]))):
        assert bits(ours) == bits(theirs)
    assert jit(grad(lambda x, m: anp.sum(x * m)), backend=backend)(np.ones(3), a).tolist() == [1.0, 1.0, 0.0]


@every_backend
def test_indices_that_look_alike_are_not_merged(backend):
    def f(x):
        return x[[0, 1]], x[0, 1], x[1], x[True], x[[0]], x[(0,)], x[[1, 0, 1]], x[[True, False, True]], x[0], x[False]

    for ours, theirs in zip(jit(f, backend=backend)(TABLE), f(TABLE), strict=True):
        assert bits(ours) == bits(theirs)


@every_backend
def test_numbers_of_values_compare_to_numbers(backend):
    def f(x):
        return ((x > 0) + (x > 1)) * 1.0

    g = jit(f, backend=backend)
    assert [g(x) for x in (-1.0, 0.5, 2.0)] == [0.0, 1.0, 2.0]
    scale, x = Value(1.0), np.array([-1.0, 0.5, 2.0])
    of_elements = jit(grad(lambda x: f(x) * scale * x), backend=backend)
    assert of_elements(x).tolist() == [0.0, 1.0, 2.0]
    of_arrays = jit(lambda x: ((x > 0) + (x > 1)) * scale, backend=backend)
    assert of_arrays(x).tolist() == (((x > 0) + (x > 1)) * scale).data.tolist() == [0.0, 1.0, 1.0]  # masks, as in NumPy


@every_backend
def test_a_matrix_of_one_zero_does_not_hide_nan(backend):
    x, zero = np.array([[np.nan], [1.0]]), np.zeros((1, 1))
    for f in (lambda x, y: x @ y, lambda x, y: anp.affine(x, y, 0.0), lambda x, y: y @ x.T):
        eager = f(Tensor(x), zero).data
        assert np.isnan(eager.ravel()).tolist() == [True, False]
        assert np.isnan(jit(f, backend=backend)(x, zero).ravel()).tolist() == [True, False]


def test_arrays_that_are_not_plain_are_refused():
    masked = np.ma.masked_array([1.0, 2.0], [False, True])
    model = nn.MLP(2, [3], 1, rng=0)
    step = nn.TrainStep(model, nn.MSE(), nn.SGD(model.parameters(), 0.1))
    for work in (
        lambda: Tensor(masked),
        lambda: Tensor([1.0, 2.0]) + masked,
        lambda: jit(anp.sin)(masked),
        lambda: jit(lambda x: x + masked)(np.ones(2)),
        lambda: step(masked[None], np.ones((1, 1))),
    ):
        with pytest.raises(TypeError, match="masked array"):
            work()
