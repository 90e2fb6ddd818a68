"""Loops over rows: what is reduced along the last axis, and what needs that, is made row by row, in stages."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import grad, jit


def softmax(x):
    e = anp.exp(x - anp.max(x, axis=-1, keepdims=True))
    return e / anp.sum(e, axis=-1, keepdims=True)


def normed(x):
    return x / anp.sqrt(anp.mean(x * x, axis=-1, keepdims=True) + 1e-5)


def twice(x):
    shares = softmax(normed(x) * 3)
    return shares, anp.sum(shares * x, axis=-1, keepdims=True) * x, anp.min(x, axis=-1)


def loss(x):
    return -anp.mean(anp.log_softmax(normed(x), axis=-1)[..., 0]) + anp.sum(softmax(x) ** 2)


def kernels(f, *args):
    """How many functions of loops the machine code of a function calls."""
    jitted = jit(f, backend="llvm")
    jitted(*args)
    assert jitted.backend.startswith("llvm")
    run = jitted.source[jitted.source.index("define i64 @run") :]
    return len(re.findall(r"call void @f\d+", run))


@given(
    st.lists(st.integers(1, 8), max_size=2),
    st.integers(1, 70),
    st.sampled_from(["f4", "f8"]),
    st.sampled_from([twice, grad(loss), loss]),
    st.integers(0, 100),
)
def test_rows_are_as_numpy_has_them(lead, n, dtype, f, seed):
    x = np.random.default_rng(seed).normal(size=(*lead, n)).astype(dtype)
    found, expected = jit(f, backend="llvm")(x), f(x)
    for a, b in zip(*([r] if not isinstance(r, tuple) else r for r in (found, expected))):
        np.testing.assert_allclose(a, b, rtol=2e-4 if dtype == "f4" else 1e-11, atol=1e-5 if dtype == "f4" else 1e-12)
        assert np.asarray(a).dtype == np.asarray(b).dtype


@pytest.mark.parametrize("n", [2, 16, 27, 70])
def test_one_loop_makes_a_softmax(n):
    x = np.ones((5, n), np.float32)
    assert kernels(softmax, x) == kernels(normed, x) == kernels(lambda x: normed(softmax(x)), x) == 1


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [3, 16, 27])
def test_numbers_that_are_none_stay_in_their_rows(special, n):
    x = np.random.default_rng(0).normal(size=(4, n))
    x[1, 2] = special
    x[2] = -np.inf
    for f in (lambda x: anp.max(x, axis=-1), lambda x: anp.min(x, axis=-1), lambda x: anp.softmax(x, axis=-1)):
        np.testing.assert_allclose(jit(f, backend="llvm")(x), f(x), rtol=1e-14)


def test_what_a_row_is_reduced_to_is_kept_where_others_need_it():
    x = np.random.default_rng(0).normal(size=(3, 4, 19))

    def f(x):
        top, total = anp.max(x, axis=-1, keepdims=True), anp.sum(anp.exp(x), axis=-1, keepdims=True)
        low = anp.log(total) - top
        return (x - top) * low, total, anp.sum(low), anp.sum(x, axis=1)

    for a, b in zip(jit(f, backend="llvm")(x), f(x)):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_outputs_wait_for_what_needs_them():
    def f(moment, weight, n):
        moment = 0.9 * moment + weight
        return weight - moment * anp.exp(-n), moment

    args = np.arange(6.0).reshape(2, 3), np.ones((2, 3)), np.array(2.0)
    assert kernels(f, *args) == kernels(lambda *args: f(*args)[0], *args)
    for a, b in zip(jit(f, backend="llvm")(*args), f(*args)):
        np.testing.assert_allclose(a, b, rtol=1e-15)
