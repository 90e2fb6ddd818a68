"""Reductions with all of NumPy's keywords: against NumPy and finite differences, eager and compiled."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import Tensor, check_gradients, gradients, jit

from . import strategies

KEYWORDS = {
    "sum": ("initial", "where"),
    "prod": ("initial", "where"),
    "max": ("initial", "where"),
    "min": ("initial", "where"),
    "amax": ("initial", "where"),
    "mean": ("where",),
    "var": ("where", "ddof"),
    "std": ("where", "correction"),
    "nansum": ("initial", "where"),
    "nanmax": ("initial", "where"),
    "nanmean": ("where",),
    "nanstd": ("where", "ddof"),
}
T = Tensor([[3.0, 1.0], [2.0, 5.0]])


@st.composite
def calls(draw, name):
    """An array, and keywords for the reduction of this name; a mask selects two elements or more everywhere."""
    shape = draw(st.lists(st.integers(2, 3), min_size=1, max_size=3).map(tuple))
    axis = draw(st.none() | st.integers(-len(shape), len(shape) - 1) | st.just(tuple(range(len(shape)))[::-2]))
    x = np.random.default_rng(draw(st.integers(0, 99))).permutation(math.prod(shape)).reshape(shape) / 4 + 0.25
    keywords = {"axis": axis, "keepdims": draw(st.booleans())}
    if "where" in KEYWORDS[name]:
        mask = np.arange(x.size).reshape(shape) % 5 != draw(st.integers(0, 4))
        keywords["where"] = mask if draw(st.booleans()) else mask[..., :1] | True
    if "initial" in KEYWORDS[name]:
        keywords["initial"] = draw(st.sampled_from([1.1, -2.0]))
    for one in {"ddof", "correction"} & {*KEYWORDS[name]}:
        keywords[one] = draw(st.sampled_from([0, 0.5]))
    return x, keywords


@pytest.mark.parametrize("name", KEYWORDS)
@given(data=st.data())
@settings(max_examples=12)
def test_keywords(name, data):
    x, keywords = data.draw(calls(name))
    ours, theirs = getattr(anp, name), getattr(np, name)
    np.testing.assert_allclose(ours(Tensor(x), **keywords).data, theirs(x, **keywords), rtol=1e-13)
    assert ours(Tensor(x, np.float32), **keywords).dtype == np.float32
    check_gradients(lambda x: ours(x, **keywords), x)


@pytest.mark.parametrize("name", KEYWORDS)
@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_a_mask_of_numbers_is_recorded(name, backend):
    pytest.importorskip("llvmlite")
    keywords = {"initial": 0.5} if "initial" in KEYWORDS[name] else {}

    def f(x):
        return getattr(anp, name)(x, axis=1, where=x > 1.0, **keywords)

    compiled = jit(f, backend=backend)
    for x in (np.array([[3.0, 1.0, 2.0], [2.0, 5.0, 4.0]]), np.array([[3.0, 4.0, 2.0], [0.5, 5.0, 4.0]])):
        np.testing.assert_allclose(compiled(x), f(Tensor(x)).data, rtol=1e-14)


def test_what_a_mask_leaves_out_passes_nothing():
    x = Tensor([4.0, 0.0, np.nan])
    y = anp.sum(anp.sqrt(x), where=[True, False, False])
    np.testing.assert_array_equal(gradients(y, [x])[0], [0.25, 0.0, 0.0])


def test_the_mean_that_is_given_is_used():
    x = np.array([1.0, 2.0, 6.0])
    for name in ("var", "std"):
        f, centre = getattr(anp, name), np.array([2.5])
        np.testing.assert_allclose(f(Tensor(x), mean=centre).data, getattr(np, name)(x, mean=centre))
        check_gradients(lambda x, centre, f=f: f(x, mean=centre), x, centre)


def test_nothing_has_the_initial_number():
    x = Tensor(np.zeros((2, 0)))
    for name, expected in {"max": 1.5, "min": 1.5, "sum": 1.5, "prod": 1.5}.items():
        out = getattr(anp, name)(x, 1, initial=1.5)
        np.testing.assert_array_equal(out.data, [expected, expected])
        assert gradients(out, [x], seed=np.ones(2))[0].shape == (2, 0)


@pytest.mark.parametrize(
    "f, kind, message",
    [
        (lambda: anp.max(T, where=[True, False]), ValueError, "max: where= .* give initial="),
        (lambda: np.min(T, where=[True, False]), ValueError, "min: where= .* give initial="),
        (lambda: anp.sum(T, where=np.ones((3, 2, 2), bool)), ValueError, r"where= is of shape \(3, 2, 2\)"),
        (lambda: anp.nansum(T, where=[1.0, 0.0]), TypeError, "where= is a mask of booleans, not of float64"),
        (lambda: T.std(nothing=1), TypeError, r"^std\(\) .*'nothing'"),
        (lambda: anp.var(T, ddof=1, correction=1), ValueError, "var: ddof and correction"),
        (lambda: anp.sort(T, order="x"), ValueError, "sort: Cannot specify order"),
        (lambda: anp.diff(T, -1), ValueError, "diff: n .* -1"),
        (lambda: anp.diff(T, axis=2), np.exceptions.AxisError, "2"),
        *[(lambda: anp.cumulative_sum(T), ValueError, r"cumulative_sum: .*\(2, 2\) needs axis=")]
        * hasattr(np, "cumulative_sum"),
        (lambda: anp.partition(T, 7), ValueError, "kth"),
        (lambda: anp.sum(T, nothing=1), TypeError, r"sum\(\).*'nothing'"),
        (lambda: T.sum(out=np.ones(())), TypeError, r"sum\(\).*'out'"),
        (lambda: np.cumsum(T, out=np.ones(4)), TypeError, "cumsum: a result .* leave out="),
    ],
)
def test_what_is_refused(f, kind, message):
    with pytest.raises(kind, match=message):
        f()


def test_out_that_is_none_is_no_out():
    assert anp.sum(T, out=None).data == np.sum(T, axis=None, out=None).data == 11.0


@given(data=st.data())
@settings(max_examples=10)
def test_running_extremes_and_sums(data):
    x = data.draw(strategies.arrays(data.draw(st.sampled_from([(5,), (2, 3), (3, 0)])), "logsumexp"))
    for ufunc in (np.maximum, np.minimum, np.logaddexp, np.add, np.multiply):
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        np.testing.assert_allclose(ufunc.accumulate(Tensor(x), axis).data, ufunc.accumulate(x, axis), rtol=1e-12)
