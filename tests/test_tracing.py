"""What is traced: integers, masks and indices that are known only when a program runs are as they are in NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import Tensor, TracingError, Value, check_gradients, grad, jit
from autograd.operation import OPERATIONS, PLACE
from autograd.tree import flatten

from . import strategies

RNG = np.random.default_rng(0)


def compiled(f):
    return jit(f, backend="python")


def assert_same(ours, theirs):
    """The same numbers, shapes and dtypes."""
    for x, y in zip(flatten(ours), flatten(theirs), strict=True):
        y = y.data if isinstance(y, (Tensor, Value)) else y
        np.testing.assert_array_equal(x, y)
        assert np.shape(x) == np.shape(y) and np.asarray(x).dtype == np.asarray(y).dtype


@settings(max_examples=100)
@given(strategies.traced_indices(), st.booleans())
def test_an_index_that_is_traced_is_numpys(case, alone):
    shape, parts, several = case

    def at(x, *given):
        index = tuple(given[part] if isinstance(part, strategies.Given) else part for part in parts)
        return x[index[0] if alone and len(index) == 1 else index]

    x = RNG.normal(size=shape)
    try:
        w = RNG.normal(size=at(x, *several[0]).shape)
    except IndexError:  # shapes that do not broadcast, as those of a mask
        with pytest.raises((IndexError, ValueError)):
            compiled(at)(x, *several[0])
        return

    def slope(x, w, *given):
        return grad(lambda x: anp.sum(w * at(x, *given) ** 3))(x)

    f, first, second = compiled(at), compiled(slope), compiled(grad(lambda *args: anp.sum(slope(*args) ** 2)))
    for given in several:
        assert_same(f(x, *given), np.asarray(at(x, *given)))
        np.testing.assert_allclose(first(x, w, *given), slope(x, w, *given), rtol=1e-12)
        expected = grad(lambda x: anp.sum(slope(x, w, *given) ** 2))(x)
        np.testing.assert_allclose(second(x, w, *given), expected, rtol=1e-12)
