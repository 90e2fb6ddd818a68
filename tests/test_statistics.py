"""Quantiles, correlation and the functions that pass over NaN, on hard inputs; test_numpy.py has the plain ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import Tensor, check_gradients, grad, gradients, jit

NAN = np.array([[3.0, np.nan, 1.0, 2.5], [np.nan, 0.5, np.nan, np.nan], [4.0, 2.0, 7.0, 5.0]])
OVER_NAN = "nansum nanprod nanmean nanvar nanstd nanmax nanmin nanmedian nancumsum nancumprod".split()
METHODS = "linear lower higher midpoint nearest hazen weibull inverted_cdf averaged_inverted_cdf".split()


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("name", OVER_NAN)
def test_nan_is_passed_over(name, axis):
    f = getattr(anp, name)
    np.testing.assert_allclose(f(Tensor(NAN), axis).data, getattr(np, name)(NAN, axis), rtol=1e-14)
    check_gradients(lambda x: f(x, axis), NAN[:: 2 if axis == 1 else 1])  # a single number has no slope of nanstd
    assert not grad(lambda x: anp.nansum(f(x, axis)))(NAN)[np.isnan(NAN)].any()


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_where_nan_is_is_recorded(backend):
    pytest.importorskip("llvmlite")

    def f(x):
        return anp.nansum(x, 0), anp.nanmean(x), anp.nanmax(x, 1), anp.nancumprod(x, 1), anp.nanstd(x)

    compiled = jit(f, backend=backend)
    for x in (NAN, NAN[:, ::-1].copy()):
        for ours, theirs in zip(compiled(x), f(Tensor(x)), strict=True):
            np.testing.assert_allclose(ours, theirs.data, rtol=1e-14)


def test_nothing_but_nan():
    x = Tensor([[np.nan, np.nan], [1.0, np.nan]])
    for f in (anp.nanmax, anp.nanmin, anp.nanmedian):
        np.testing.assert_array_equal(f(x, 1).data, [np.nan, 1.0])
    np.testing.assert_array_equal(anp.nanmax(x, 1, initial=-3.0).data, [-3.0, 1.0])


@given(data=st.data())
@settings(max_examples=20)
def test_quantiles(data):
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple))
    x = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(np.prod(shape)).reshape(shape) + 0.5
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1) | st.just((-1, *range(x.ndim - 1))))
    q = data.draw(st.sampled_from([0.0, 1.0, 0.37, [0.25, 0.9], [[0.5], [0.6]]]))
    keywords = {"keepdims": data.draw(st.booleans()), "method": data.draw(st.sampled_from(METHODS))}
    expected = np.quantile(x, q, axis, **keywords)
    np.testing.assert_allclose(anp.quantile(Tensor(x), q, axis, **keywords).data, expected, rtol=1e-13)
    np.testing.assert_allclose(anp.nanquantile(Tensor(x), q, axis, **keywords).data, expected, rtol=1e-13)
    check_gradients(lambda x: anp.quantile(x, q, axis, **keywords), x)
    assert anp.quantile(Tensor(x, np.float32), q, axis, **keywords).dtype == np.float32


@pytest.mark.parametrize("backend", ["python", "auto"])  # a sort is not machine code
def test_a_median_is_compiled(backend):
    pytest.importorskip("llvmlite")
    compiled = jit(lambda x: (anp.median(x, 0), grad(lambda x: anp.quantile(x, 0.3) ** 2)(x)), backend=backend)
    for x in (np.array([3.0, 1.0, 2.0, 7.0]), np.array([0.0, 9.0, -2.0, 1.0])):
        middle, slope = compiled(x)
        assert middle == np.median(x)
        np.testing.assert_allclose(slope, grad(lambda x: anp.quantile(x, 0.3) ** 2)(x), rtol=1e-14)


def test_quantiles_of_infinity_and_nan():
    x = Tensor([1.0, np.inf, np.inf])
    np.testing.assert_array_equal(anp.quantile(x, [0.0, 0.5, 0.75]).data, [1, np.inf, np.inf])
    np.testing.assert_array_equal(anp.median(Tensor(NAN), 1).data, [np.nan, np.nan, 4.5])


def test_perfect_correlation():
    x = Tensor([1.0, 2.0, 4.0])
    np.testing.assert_allclose(anp.corrcoef(x, -2.0 * x).data, [[1.0, -1.0], [-1.0, 1.0]], rtol=1e-14)
    assert anp.corrcoef(x).data == 1.0


def test_covariance_of_float32_is_float64():
    x = np.array([[1.0, 2.0, 4.0], [0.5, 0.25, 9.0]], np.float32)
    assert anp.cov(Tensor(x)).dtype == np.cov(x).dtype == np.float64
    assert anp.cov(Tensor(x), dtype=np.float32, aweights=[1, 2, 3]).dtype == np.float32


def test_weights_of_counts_have_their_gradient():
    places = np.array([0, 2, 2])
    weights = Tensor([1.0, 2.0, 4.0])
    out = anp.bincount(places, weights)
    np.testing.assert_array_equal(out.data, [1.0, 0.0, 6.0])
    np.testing.assert_array_equal(gradients(out, [weights], seed=[5.0, 6.0, 7.0])[0], [5.0, 7.0, 7.0])


@pytest.mark.parametrize(
    "f, kind, message",
    [
        (lambda t: anp.quantile(t, 1.5), ValueError, "range"),
        (lambda t: anp.quantile(t, 0.5, method="none"), ValueError, "none"),
        (lambda t: anp.quantile(t, 0.5, weights=[1.0, 2.0]), TypeError, "weights"),
        (lambda t: anp.median(t[:0]), ValueError, "of no elements"),
        (lambda t: anp.average(t, weights=np.ones(4)), TypeError, r"average: .* differ.*\(3,\), \(4,\)"),
        (lambda t: anp.cov(t, aweights=[1.0, -2.0, 1.0]), ValueError, "negative"),
        (lambda t: anp.cov(t, fweights=[0.5, 2.0, 1.0]), TypeError, "integer"),
        (lambda t: anp.cov(t, aweights=t), TypeError, "does not turn into an array"),
        (lambda t: anp.nanmean(t, nothing=1), TypeError, "'nothing'"),
        (lambda t: anp.quantile(t, 0.5, nothing=1), TypeError, r"^quantile\(\) .*'nothing'"),
        (lambda t: anp.cov(t.reshape(1, 1, 3)), ValueError, r"cov: .* \(1, 1, 3\)"),
        (lambda t: anp.bincount([0, 1], t), ValueError, "same length"),
        (lambda t: anp.bincount(t), TypeError, "safe"),
    ],
)
def test_what_is_refused(f, kind, message):
    with pytest.raises(kind, match=message):
        f(Tensor([1.0, 2.0, 4.0]))
