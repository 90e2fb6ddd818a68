"""Systems of equations in machine code: every size, stacks, rows that have to be exchanged, what has no solution."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd.numpy as anp
from autograd import jit, scan, value_and_grad, vmap

pytest.importorskip("llvmlite")
from autograd.compiler.llvm import systems  # noqa: E402

seeds = st.integers(0, 999)
SIZES = [(1, (), np.float64), (2, (3,), np.float64), (3, (2, 2), np.float32), (9, (), np.float64)]


def regular(seed, lead, n, dtype):
    """Matrices with a diagonal of 0 (of more than one row), so that rows have to be exchanged."""
    rng = np.random.default_rng(seed)
    if n == 1:
        return rng.uniform(1, 2, (*lead, 1, 1)).astype(dtype)
    others = rng.normal(size=(*lead, n, n)) / n * (1 - np.eye(n))
    return (others + 2 * np.roll(np.eye(n), rng.integers(1, n), 0)).astype(dtype)


def assert_close(found, expected):
    for x, y in zip(found, expected, strict=True):
        assert x.dtype == y.dtype and x.shape == y.shape
        np.testing.assert_allclose(x, y, rtol=0, atol=2000 * np.finfo(y.dtype).eps * max(1.0, np.abs(y).max()))


@functools.cache
def compiled(f):
    return jit(f, backend="llvm")


@pytest.mark.parametrize(("n", "lead", "dtype"), SIZES)
@pytest.mark.parametrize("lead_y", [(), (3, 1, 1), (2,)])
@given(seeds)
def test_solutions(n, lead, lead_y, dtype, seed):
    lead = lead if lead_y == () else lead[1:]  # both are broadcast
    x, y = regular(seed, lead, n, dtype), np.random.default_rng(seed).normal(size=(*lead_y, n, 2)).astype(dtype)
    assert_close([compiled(anp.linalg.solve)(x, y)], [np.linalg.solve(x, y)])


def of_one(linalg, x):
    square = x @ x.mT + np.eye(x.shape[-1], dtype=x.dtype)
    return linalg.inv(x), linalg.det(x), *linalg.slogdet(x), linalg.cholesky(square)


def of_one_compiled(x):
    return of_one(anp.linalg, x)


@pytest.mark.parametrize(("n", "lead", "dtype"), SIZES)
@given(seeds)
def test_functions_of_a_matrix(n, lead, dtype, seed):
    x = regular(seed, lead, n, dtype)
    assert_close(compiled(of_one_compiled)(x), of_one(np.linalg, x))


def determinants(x):
    return anp.linalg.det(x), *anp.linalg.slogdet(x)


@given(seeds)
def test_determinants_where_nothing_can_be_solved(seed):
    x = np.random.default_rng(seed).integers(-3, 4, (4, 4)).astype(float)
    x[-1] = x[0]
    assert abs(compiled(determinants)(x)[0]) < 1e-9
    assert compiled(determinants)(np.zeros((4, 4))) == (0.0, 0.0, -np.inf)


@pytest.mark.parametrize(
    ("f", "bad", "message"),
    [
        (lambda x: anp.linalg.solve(x, np.ones(2)), np.ones((2, 2)), r"solve: Singular matrix \(of shape \(2, 2\)\)"),
        (anp.linalg.inv, np.zeros((2, 2)), "inv: Singular matrix"),
        (anp.linalg.cholesky, -np.eye(2), "cholesky: Matrix is not positive definite"),
        (vmap(anp.linalg.inv), np.stack([np.eye(2), np.ones((2, 2))]), "inv: Singular matrix"),
    ],
)
def test_what_has_no_solution_is_said_at_the_call(f, bad, message):
    fast = jit(f, backend="llvm")
    good = fast(np.broadcast_to(np.eye(2), bad.shape))
    with pytest.raises(np.linalg.LinAlgError, match=message):
        fast(bad)
    np.testing.assert_array_equal(fast(np.broadcast_to(np.eye(2), bad.shape)), good)


@given(seeds, st.sampled_from([np.nan, np.inf, -np.inf]))
def test_what_is_not_finite_is_singular_for_nobody(seed, odd):
    """LAPACK says so of some such matrices, and not of others."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, (3, 3)) + 0.0
    x[tuple(rng.integers(0, 3, 2))] = odd
    found = compiled(anp.linalg.inv)(x)
    assert np.isnan(found).any() or np.isinf(odd)
    assert np.isnan(compiled(anp.linalg.cholesky)(np.array([[np.nan, 1.0], [1.0, 2.0]]))).any()


def test_large_systems_are_left_to_lapack():
    fast, most = jit(anp.linalg.solve), systems.MOST
    for n, backend in (most, "llvm (every"), (most + 1, f"python (a system of {most + 1} equations is not printed)"):
        x, y = np.random.default_rng(n).normal(size=(n, n)), np.ones(n)
        assert_close([fast(x, y)], [np.linalg.solve(x, y)])
        assert fast.backend.startswith(backend)


def loss(noise, ys):
    """Of a Kalman filter."""
    move, seen = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 0.5]])

    def step(state, y):
        m, p = move @ state[0], move @ state[1] @ move.T + anp.exp(noise) * np.eye(2)
        s, error = seen @ p @ seen.T + np.eye(1), y - seen @ m
        k = p @ seen.T @ anp.linalg.inv(s)
        return (m + k @ error, p - k @ seen @ p), error @ anp.linalg.solve(s, error) + anp.linalg.slogdet(s)[1]

    return anp.sum(scan(step, (np.zeros(2), np.eye(2)), ys)[1])


fitted = jit(value_and_grad(loss), backend="llvm")


@given(seeds)
def test_a_gradient_through_a_loop(seed):
    ys = np.random.default_rng(seed).normal(size=(5, 1))
    found, expected = fitted(0.5, ys), value_and_grad(loss)(0.5, ys)
    np.testing.assert_allclose(found, expected)
