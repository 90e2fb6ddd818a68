"""Decompositions and determinants where derivatives are hard: values that coincide, ranks that fall, rectangles."""

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd.numpy as np
from autograd import Tensor, check_gradients, grad, hessian, hvp

from . import array_calls

RNG = numpy.random.default_rng(0)
SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 4))
SEEDS = st.integers(0, 999)


def well_separated(rng, m, n):
    """A matrix whose singular values are not near each other, nor 0."""
    u, _ = numpy.linalg.qr(rng.normal(size=(m, m)))
    v, _ = numpy.linalg.qr(rng.normal(size=(n, n)))
    k = min(m, n)
    return u[:, :k] * (rng.uniform(0.7, 1.3, k) + 2 * numpy.arange(k)) @ v[:, :k].T


def products(left, right):
    """The products of each column and its row: what remains of factors if a sign is free."""
    return np.einsum("ik,kj->kij", left, right)


@given(shape=SHAPES, seed=SEEDS)
def test_factors_have_their_derivatives(shape, seed):
    def singular(x):
        u, s, vh = np.linalg.svd(x, full_matrices=False)
        return [products(u, vh), products(u, u.T), products(vh.T, vh), s]

    def eigen(x):
        values, vectors = np.linalg.eigh(x @ x.T if shape[0] <= shape[1] else x.T @ x)
        return [products(vectors, vectors.T), values]

    a = well_separated(numpy.random.default_rng(seed), *shape)
    for f in (singular, eigen, np.linalg.pinv, lambda x: products(*np.linalg.qr(x))):
        check_gradients(f, a, directions=3)


@given(shape=SHAPES, seed=SEEDS)
def test_full_factors_multiply_to_the_matrix_and_span_the_rest(shape, seed):
    a, k = well_separated(numpy.random.default_rng(seed), *shape), min(shape)
    u, s, vh = np.linalg.svd(Tensor(a))
    q, r = np.linalg.qr(Tensor(a), "complete")
    numpy.testing.assert_allclose((u[:, :k] * s @ vh[:k]).data, a, atol=1e-13)
    numpy.testing.assert_allclose((q @ r).data, a, atol=1e-13)
    for basis in (u, vh, q):
        numpy.testing.assert_allclose((basis @ basis.T).data, numpy.eye(len(basis)), atol=1e-13)

    def projections(x):
        u, _, vh = np.linalg.svd(x)
        q = np.linalg.qr(x, "complete")[0] if shape[0] > shape[1] else u
        return [rest.T @ rest for rest in (u[:, k:].T, vh[k:], q[:, k:].T)]

    check_gradients(projections, a, directions=3)


def symmetric_of(values, rng):
    q, _ = numpy.linalg.qr(rng.normal(size=(len(values), len(values))))
    return q * values @ q.T


REGULAR, SINGULAR = [1.0, 2.0, 2.0, 2.0, 5.0], [0.0, 0.0, 1.0, 1.0, 3.0]


def onto(vectors):
    """A function of the projection onto the span of some columns."""
    return (numpy.arange(25.0).reshape(5, 5) * (vectors @ vectors.T)).sum()


@pytest.mark.parametrize(
    "f, values",
    [
        (lambda x: np.linalg.eigvalsh(x).sum(), SINGULAR),
        (lambda x: (np.linalg.eigvalsh(x) ** 3).sum(), REGULAR),
        (lambda x: np.exp(np.linalg.eigvalsh(x)[1:4]).sum(), REGULAR),
        (lambda x: onto(np.linalg.eigh(x).eigenvectors[:, 1:4]), REGULAR),
        (lambda x: onto(np.linalg.eigh(x).eigenvectors[:, :2]), SINGULAR),
        (lambda x: onto(np.linalg.svd(x).U[:, :1]), REGULAR),
        (lambda x: onto(np.linalg.svd(x).Vh[:3].T), SINGULAR),
        (lambda x: np.linalg.norm(x, "nuc"), REGULAR),
        (lambda x: np.linalg.norm(x, 2), SINGULAR),
    ],
)
def test_where_values_coincide_what_depends_on_no_choice_is_right(f, values):
    q, _ = numpy.linalg.qr(RNG.normal(size=(5, 5)))
    check_gradients(lambda x: f((x + x.T) / 2), q * values @ q.T, order=1)


@pytest.mark.parametrize("order", ["nuc", 2, -2, "fro"])
def test_norms_of_zero_have_the_least_gradient(order):
    numpy.testing.assert_array_equal(grad(lambda x: np.linalg.norm(x, order))(numpy.zeros((2, 3))), numpy.zeros((2, 3)))


def test_the_nuclear_norm_of_a_matrix_without_full_rank_has_the_least_gradient():
    u, s, vh = numpy.linalg.svd(RNG.normal(size=(5, 2)) @ RNG.normal(size=(2, 4)))
    slope = grad(lambda x: np.linalg.norm(x, "nuc"))(u[:, :2] * s[:2] @ vh[:2])
    numpy.testing.assert_allclose(slope, u[:, :2] @ vh[:2], atol=1e-13)


@given(n=st.integers(1, 5), lost=st.integers(0, 5), seed=SEEDS)
def test_the_determinants_second_derivative_of_every_rank(n, lost, seed):
    rng, rank = numpy.random.default_rng(seed), max(n - lost, 0)
    a, b, c = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n)), *rng.normal(size=(2, n, n))

    def along(s, t):  # a polynomial, whose derivative by s and t at 0 differences give exactly
        return numpy.linalg.det(a + s * b + t * c)

    exact = numpy.tensordot(b, numpy.tensordot(hessian(np.linalg.det)(a), c, 2), 2)
    nodes = numpy.cos(numpy.pi * (numpy.arange(6) + 0.5) / 6)  # Chebyshev's: the interpolant is the polynomial itself
    slope = numpy.linalg.inv(numpy.vander(nodes, increasing=True))[1]
    values = numpy.array([[along(s, t) for t in nodes] for s in nodes])
    assert exact == pytest.approx(slope @ values @ slope, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("rcond", [-1.0, 0.0, 0.5, 1.0, 1.5])
def test_lstsq_takes_a_cut_off_as_lapack_does(rcond):
    x, y = RNG.normal(size=(4, 2)), RNG.normal(size=(4, 3))
    numpy.testing.assert_allclose(np.linalg.lstsq(Tensor(x), y, rcond)[0].data, numpy.linalg.lstsq(x, y, rcond)[0])


def test_pinv_and_lstsq_of_a_matrix_that_keeps_its_rank():
    left, right, b = RNG.normal(size=(5, 2)), RNG.normal(size=(2, 4)), RNG.normal(size=5)
    check_gradients(lambda x, y: np.linalg.pinv(x @ y), left, right)
    check_gradients(lambda x, y, b: np.linalg.lstsq(x @ y, b)[0], left, right, b)
    _, residuals, rank, singular = np.linalg.lstsq(Tensor(left @ right), b)
    assert rank == 2 == np.linalg.matrix_rank(Tensor(left @ right)) and residuals.shape == (0,)
    numpy.testing.assert_allclose(singular.data, numpy.linalg.svd(left @ right)[1], atol=1e-14)


@pytest.mark.parametrize(
    "f, error, message",
    [
        (lambda x: np.linalg.eigh(x), ValueError, r"eigh: of square matrices .* \(3, 4\)"),
        (lambda x: np.linalg.eigh(x @ x.T, "X"), ValueError, "'L' or 'U'"),
        (lambda x: np.linalg.svd(x[0]), ValueError, r"svd: of matrices .* \(4,\)"),
        (lambda x: np.linalg.qr(x[0]), ValueError, r"qr: of matrices .* \(4,\)"),
        (lambda x: np.linalg.norm(x, "nuk"), ValueError, "ord='nuk' is none of the orders"),
        (lambda x: np.linalg.norm(x[0], "nuc"), ValueError, "ord='nuc' is no order for vectors"),
        (lambda x: np.linalg.norm(x, 2, (0, 0)), ValueError, "names an axis twice"),
        (lambda x: np.linalg.norm(x[None], 1), ValueError, "along one axis or two"),
        (lambda x: np.linalg.lstsq(x, numpy.ones(2)), ValueError, r"lstsq: .* \(3, 4\) and \(2,\)"),
        (lambda x: np.cross(x, x), ValueError, "of three numbers, not of 4 and 4"),
        (lambda x: np.convolve(x[0], x[0], "some"), ValueError, "for convolve/correlate mode"),
        (lambda x: np.reshape(x, 12, order="X"), ValueError, "the order is one of"),
        (
            lambda x: np.interp(x, numpy.ones(2), numpy.ones(1)),
            ValueError,
            r"interp: .* not of the same length.*, \(2,\), \(1,\)",
        ),
        (lambda x: np.gradient(x, 1.0, 2.0, 3.0), TypeError, r"gradient: invalid number of arguments .*\(3, 4\)"),
        (lambda x: np.gradient(x, edge_order=3), ValueError, "'edge_order' greater than 2"),
        (lambda x: np.gradient(x, [1.0, 2.0], axis=0), ValueError, "gradient: when 1d, distances must match"),
        (lambda x: np.select([x > 0], [x, x]), ValueError, "a choice for each condition, not 2 for 1"),
        (lambda x: np.concatenate([x, x], dtype="f4", casting="safe"), TypeError, "Cannot cast"),
        (lambda x: np.linspace(0.0, x, -1), ValueError, "must be non-negative"),
        (lambda x: np.insert(x, 9, 0.0, axis=0), IndexError, "out of bounds"),
        (lambda x: np.kron(x, "text"), TypeError, "real numbers"),
        (lambda x: np.append(x), TypeError, "missing a required argument: 'values'"),
    ],
)
def test_what_numpy_refuses_is_refused(f, error, message):
    with pytest.raises(error, match=message):
        f(Tensor(array_calls.M))


def test_empty_matrices():
    empty = numpy.zeros((0, 0))
    for f in (np.linalg.eigvalsh, np.linalg.svdvals, np.linalg.det, lambda x: np.linalg.svd(x.reshape(0, 0))[0]):
        assert grad(lambda x, f=f: f(x).sum())(empty).shape == (0, 0)


def test_results_have_numpys_names():
    s = Tensor(array_calls.S)
    assert np.linalg.eigh(s).eigenvectors.shape == (2, 3, 3) and np.linalg.svd(s).Vh.shape == (2, 3, 3)
    assert np.linalg.qr(s).R.shape == (2, 3, 3) and np.linalg.slogdet(s).logabsdet.shape == (2,)
    assert math.isclose(np.linalg.norm(Tensor([3.0, 0.0, 4.0]), 0).item(), 2.0)


@pytest.mark.parametrize("third", [4.0, 3.0])  # regular, and singular
def test_derivatives_of_det_keep_their_digits_where_rows_and_columns_differ_in_size(third):
    x, direction = numpy.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [1.0, 2.0, third]]), numpy.arange(9.0).reshape(3, 3)
    rows, columns = numpy.array([[1e-7], [1.0], [1e8]]), numpy.array([1e5, 1e-5, 1e-2])
    scaled = x * rows * columns
    whole = rows.prod() * columns.prod() / rows / columns
    slope, product = grad(np.linalg.det)(x), hvp(np.linalg.det)(x, direction)
    assert (abs(grad(np.linalg.det)(scaled) - slope * whole) <= 1e-13 * abs(whole) * abs(slope).max()).all()
    found = hvp(np.linalg.det)(scaled, direction * rows * columns)
    assert (abs(found - product * whole) <= 1e-13 * abs(whole) * abs(product).max()).all()


@pytest.mark.parametrize("odd", [numpy.nan, numpy.inf])
def test_determinants_of_what_is_not_finite_have_no_derivative(odd):
    x = numpy.stack([numpy.array([[1.0, 2.0], [3.0, 4.0]]), numpy.array([[odd, 1.0], [2.0, 3.0]])])
    slope = grad(lambda x: np.sum(np.linalg.det(x)))
    with numpy.errstate(invalid="ignore"):
        found = slope(x), grad(lambda x: np.sum(slope(x) ** 2))(x)
    for (right, wrong), expected in zip(found, ([[4.0, -3.0], [-2.0, 1.0]], [[2.0, 4.0], [6.0, 8.0]])):
        numpy.testing.assert_allclose(right, expected, rtol=1e-12)
        assert numpy.isnan(wrong).all()
