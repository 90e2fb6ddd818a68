"""autograd.scipy: every row against SciPy, mpmath and finite differences, and the distributions composed of them."""

import inspect
import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import autograd.numpy as anp
from autograd import Tensor, Value, check_gradients, grad, hessian, jit
from autograd.operation import Operation
from autograd.scipy import special, stats

from . import strategies

NEAR, POSITIVE, UNIT = (1e-2, 4.0, True), (0.05, 8.0, False), (0.02, 0.95, False)
DOMAINS = {  # of each argument: least and largest magnitude, and whether it may be negative
    **dict.fromkeys("erf erfc erfcx ndtr log_ndtr i0 i1 i0e i1e j0 j1 inverse_mills excess".split(), [NEAR]),
    **dict.fromkeys("gamma gammaln loggamma digamma entr y0 y1".split(), [POSITIVE]),
    **dict.fromkeys("beta betaln".split(), [POSITIVE, POSITIVE]),
    **dict.fromkeys("rel_entr kl_div".split(), [(0.05, 2.0, False), (3.0, 8.0, False)]),
    "erfinv": [(0.02, 0.95, True)],
    **dict.fromkeys("erfcinv ndtri logit".split(), [UNIT]),
    "gauss": [NEAR, 0.5],
    "polygamma": [2, POSITIVE],
    **dict.fromkeys("gammainc gammaincc".split(), [1.5, POSITIVE]),
    "betainc": [1.5, 2.5, UNIT],
    "stdtr": [3.0, NEAR],
    "xlogy": [POSITIVE, POSITIVE],
    "xlog1py": [POSITIVE, UNIT],
    **dict.fromkeys("iv ive jv".split(), [2.0, POSITIVE]),
    "yn": [2, POSITIVE],
}
rows = pytest.mark.parametrize("name", special.OPERATIONS)


@st.composite
def arguments(draw, name):
    """Plain numbers for an order or a shape, drawn ones for what is differentiated, and which those are."""
    domains = DOMAINS[name]
    drawn = [draw(strategies.magnitudes(*x)) if isinstance(x, tuple) else x for x in domains]
    return drawn, [i for i, x in enumerate(domains) if isinstance(x, tuple)]


@rows
@given(data=st.data())
def test_derivatives_of_numbers_and_arrays(name, data):
    given_, which = data.draw(arguments(name))

    def f(*chosen):
        found = dict(zip(which, chosen))
        return special.OPERATIONS[name](*[found.get(i, x) for i, x in enumerate(given_)])

    chosen = [given_[i] for i in which]
    check_gradients(f, *chosen)
    check_gradients(f, *[np.array([x, 0.9 * x]) for x in chosen])
    check_gradients(f, *[np.array([[x], [0.9 * x]]) if i else np.array([x]) for i, x in enumerate(chosen)])


EDGES = [0.0, 1.0, -1.0, 0.5, 2.0, 30.0, -30.0, 1e-300, 1e300, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize("name", sorted(special.OPERATIONS.keys() - {"gauss", "inverse_mills", "excess"}))
@given(data=st.data())
def test_values_are_scipys(name, data):
    function, count = getattr(scipy.special, name), len(special.OPERATIONS[name].arguments)
    numbers = [data.draw(st.sampled_from(EDGES)) for _ in range(count)]
    numbers[:1] = [data.draw(st.sampled_from([0.0, 1.0, 3.0]))] if name == "yn" else numbers[:1]
    with np.errstate(all="ignore"):
        expected = function(*numbers)
        ours = getattr(special, name)
        found = ours(*numbers)
        assert type(found) is float
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(ours(*map(Value, numbers)).data, expected)
        np.testing.assert_array_equal(ours(*map(Tensor, numbers)).data, expected)
        single = ours(*[np.array([x], np.float32) for x in numbers])
        assert single.dtype == np.float32
        assert ours(Tensor(np.ones(2, np.float32)), *numbers[1:]).dtype == np.float32


@rows
@settings(max_examples=3)
@given(data=st.data())
def test_compiled(name, data):
    drawn, which = data.draw(arguments(name))
    operation = special.OPERATIONS[name]
    slope = grad(lambda *args: operation(*args), which[-1])
    for args in (drawn, [np.array(float(x)) for x in drawn]):
        try:
            expected = slope(*args)
        except TypeError:
            continue
        of_last = jit(lambda x: slope(*[x if i == which[-1] else y for i, y in enumerate(drawn)]), backend="python")
        np.testing.assert_allclose(of_last(args[which[-1]]), expected, rtol=1e-14)
        compiled = jit(lambda *args: operation(*args), backend="python")
        np.testing.assert_allclose(compiled(*args), operation(*args), rtol=1e-14)


@pytest.mark.parametrize("name", special.PRINTABLE)
def test_machine_code(name):
    pytest.importorskip("llvmlite")
    more = [0.5] * (len(special.OPERATIONS[name].arguments) - 1)

    def derivatives(x):
        f = special.OPERATIONS[name]
        # the derivative of gammaln, digamma, is not printed
        return [f(x, *more), *([] if name == "gammaln" else [grad(lambda x: anp.sum(f(x, *more)))(x)])]

    points = np.array([*np.linspace(-27.0, 27.0, 55), 0.3, 1e-30, 1e30, math.inf, -math.inf, math.nan])
    for x, rtol in ((points, 2e-14), (points.astype(np.float32), 2e-5)):
        with np.errstate(all="ignore"):
            compiled, expected = jit(derivatives, backend="llvm")(x), derivatives(x)
        worse = 10 if name == "ndtr" else 1  # SciPy's tail has fewer digits
        for ours, eager in zip(compiled, expected, strict=True):
            np.testing.assert_allclose(ours, eager, rtol=worse * rtol, atol=np.finfo(x.dtype).tiny)


def test_what_llvm_cannot_print_is_said():
    f = jit(lambda x: special.ndtri(x) * x)
    assert f(0.5) == scipy.special.ndtri(0.5) * 0.5 and f.backend == "python (ndtri is defined by Python functions)"


# value, first and second derivative, in units of the last place; where SciPy's own value is worse, its error
ACCURACY = [
    ("erf", lambda mp, x: mp.erf(x), [-26.0, -1e-10, 0.5, 3.0, 5.5], (2, 4, 8)),
    ("erfc", lambda mp, x: mp.erfc(x), [-5.0, 0.3, 3.0, 10.0, 26.0, 26.5], (4, 4, 8)),
    ("erfcx", lambda mp, x: mp.exp(x * x) * mp.erfc(x), [-3.0, 0.0, 0.5, 3.0, 30.0], (4, 16, 10_000)),
    ("erfinv", lambda mp, x: mp.erfinv(x), [0.3, 0.9999, -0.999999], (4, 64, 128)),
    ("ndtr", lambda mp, x: mp.ncdf(x), [-37.0, -10.0, -1.0, 0.5, 5.0, 8.0], (1024, 4, 8)),
    (
        "log_ndtr",
        lambda mp, x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2),
        [-1e6, -40.0, -10.0, -3.0, -1.0, 0.0, 1.0, 5.0, 10.0, 37.0],
        (1024, 16, 64),
    ),
    ("gammaln", lambda mp, x: mp.loggamma(x), [1e-5, 0.5, 10.0, 1e10], (8, 8, 16)),
    ("digamma", lambda mp, x: mp.psi(0, x), [1e-5, 0.5, 10.0, 1e10, -0.5], (8, 8, 16)),
    ("logit", lambda mp, x: mp.log(x / (1 - x)), [1e-5, 0.25, 0.75, 1 - 1e-10], (4, 8, 8)),
    ("entr", lambda mp, x: -x * mp.log(x), [1e-100, 0.1, 0.5, 20.0], (4, 4, 4)),
    ("i0", lambda mp, x: mp.besseli(0, x), [1e-5, 1.0, 10.0, 100.0], (8, 8, 8)),
    ("i1e", lambda mp, x: mp.besseli(1, x) * mp.exp(-x), [1e-5, 1.0, 10.0], (8, 64, 256)),
    ("j0", lambda mp, x: mp.besselj(0, x), [1e-5, 1.0, 10.0], (16, 16, 64)),
    ("ndtri", lambda mp, p: -mp.sqrt(2) * mp.erfinv(1 - 2 * p), [1e-20, 1e-10, 0.3, 0.7, 0.99999], (8, 8, 16)),
    ("erfcinv", lambda mp, x: mp.erfinv(1 - x), [1e-20, 1e-10, 0.3, 1.7], (8, 8, 16)),
]


@pytest.mark.parametrize("name, exact, points, allowed", ACCURACY, ids=[row[0] for row in ACCURACY])
def test_accuracy(name, exact, points, allowed):
    mp = pytest.importorskip("mpmath")
    function = getattr(special, name)
    with mp.workdps(450 if name in ("erf", "erfc", "erfcx", "ndtr", "log_ndtr") else 80):  # 1 - erf(26) is 1e-295
        for order, most in enumerate(allowed):
            f = function
            for _ in range(order):
                f = grad(f)
            for x in points:
                step = mp.mpf(10) ** -25 * (abs(mp.mpf(x)) or 1)
                right = mp.diff(lambda x: exact(mp, x), mp.mpf(x), order, h=step) if order else exact(mp, mp.mpf(x))
                error = abs(mp.mpf(f(x)) - right) / mp.mpf(math.ulp(float(right)))
                assert error <= most, f"derivative {order} of {name} at {x}: off by {float(error):.3g} ulp"


@pytest.mark.parametrize(
    "f, x, value, slope",
    [
        (lambda x: special.xlogy(x, 0.0), 0.0, 0.0, -math.inf),
        (lambda y: special.xlogy(0.0, y), 0.0, 0.0, 0.0),
        (lambda y: special.xlog1py(0.0, y), -1.0, 0.0, 0.0),
        (lambda x: special.xlogy(x, x), 0.0, 0.0, -math.inf),
        (special.entr, 0.0, 0.0, math.inf),
        (lambda y: special.rel_entr(0.0, y), 0.0, 0.0, 0.0),
        (special.erf, math.inf, 1.0, 0.0),
        (grad(special.erf), math.inf, 0.0, 0.0),
        (special.erfinv, 1.0, math.inf, math.inf),
        (special.erfcinv, 0.0, math.inf, -math.inf),
        (special.logit, 0.0, -math.inf, math.inf),
        (special.ndtri, 1.0, math.inf, math.inf),
        (special.log_ndtr, math.inf, 0.0, 0.0),
        (special.log_ndtr, -math.inf, -math.inf, math.inf),
        (special.log_ndtr, -1e10, -5e19, 1e10),
        (grad(special.log_ndtr), math.inf, 0.0, 0.0),
        (special.expit, -1000.0, 0.0, 0.0),
        (special.log_expit, -1000.0, -1000.0, 1.0),
    ],
)
def test_infinities_and_zeros(f, x, value, slope):
    for point in (x, np.array(x)):
        np.testing.assert_allclose(f(point), value, rtol=1e-14)
        np.testing.assert_allclose(grad(f)(point), slope, rtol=1e-14)


def test_other_names_are_the_same_and_all_have_a_text():
    assert special.psi is special.digamma and special.jn is special.jv
    assert special.expit(0.3) == pytest.approx(scipy.special.expit(0.3), rel=1e-15)
    for module in (special, stats, autograd.scipy):
        for name in module.__all__:
            assert inspect.getdoc(getattr(module, name)) and name in dir(module), name
    for name in stats.__all__:
        for method, function in vars(getattr(stats, name)).items():
            if not method.startswith("_"):
                function = function.__func__
                assert function.__doc__ and function.__name__ == method, f"{name}.{method}"
                assert next(iter(inspect.signature(function).parameters)) in ("x", "k", "q", "mean")
    assert list(inspect.signature(stats.t.logcdf).parameters) == ["x", "df", "loc", "scale"]
    assert special.struve is scipy.special.struve
    assert all(isinstance(operation, Operation) for operation in special.OPERATIONS.values())


A, B = np.array([[0.5, -1.0, 3.0], [2.0, 0.1, -700.0]]), np.array([[1.0, 0.0, 2.0], [0.5, 3.0, 1.0]])


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp(axis, keepdims):
    for a in (A, Tensor(A)):
        for b in (None, B, B[0], 2.0):
            ours = special.logsumexp(a, axis, b, keepdims)
            theirs = scipy.special.logsumexp(A, axis, b, keepdims)
            np.testing.assert_allclose(getattr(ours, "data", ours), theirs, rtol=1e-14)
    check_gradients(lambda a, b: special.logsumexp(a, axis, b, keepdims), A[:, :2], B[:, 1:])
    compiled = jit(lambda a, b: special.logsumexp(a, axis, b, keepdims))
    np.testing.assert_allclose(compiled(A, B), scipy.special.logsumexp(A, axis, B, keepdims), rtol=1e-14)


@pytest.mark.parametrize("ignored", [1000.0, math.inf, math.nan])
def test_logsumexp_ignores_what_has_no_weight(ignored):
    a, b = np.array([ignored, 1.0, 2.0]), np.array([0.0, 1.0, 3.0])
    f = lambda a: special.logsumexp(a, b=b)
    np.testing.assert_allclose(f(a), scipy.special.logsumexp(a, b=b), rtol=1e-15)
    expected = [0.0, *grad(lambda a: special.logsumexp(a, b=b[1:]))(a[1:])]
    for gradient in (grad(f), jit(grad(f), backend="llvm")):
        np.testing.assert_allclose(gradient(a), expected, rtol=1e-15)


def test_a_vector_of_one_number():
    assert stats.multivariate_normal.logpdf(0.5, 0.2, 2.0) == scipy.stats.multivariate_normal.logpdf(0.5, 0.2, 2.0)
    check_gradients(stats.multivariate_normal.logpdf, 0.5, 0.2, 2.0)


def test_warnings_name_the_users_line():
    for x in (np.array([1e200]), Tensor([1e200])):
        with pytest.warns(RuntimeWarning, match="overflow") as found:
            stats.norm.logpdf(x)
        assert {warning.filename for warning in found} == {__file__}


def test_warnings_are_numpys_alone():
    assert math.isinf(grad(special.log_ndtr)(-math.inf)) and math.isinf(special.polygamma(1, Tensor([0.0])).data[0])


def test_softmax_and_multigammaln():
    for axis in (None, 0, 1):
        np.testing.assert_allclose(special.softmax(A, axis), scipy.special.softmax(A, axis), rtol=1e-13)
        np.testing.assert_allclose(special.log_softmax(A, axis), scipy.special.log_softmax(A, axis), 1e-13, 1e-300)
        check_gradients(lambda a, axis=axis: special.softmax(a, axis), A[:, :2])
    for a in (3.5, np.array([2.5, 7.0])):
        np.testing.assert_allclose(special.multigammaln(a, 3), scipy.special.multigammaln(a, 3), rtol=1e-14)
        check_gradients(lambda a: special.multigammaln(a, 3), a)


rng = np.random.default_rng(0)
X, LOC, SCALE = rng.normal(size=(2, 3)), rng.normal(size=3), rng.uniform(0.5, 2.0, (2, 1))
UNITS, SHAPES, MORE = rng.uniform(0.1, 0.9, (2, 3)), rng.uniform(0.5, 3.0, 3), rng.uniform(0.5, 3.0, 3)
MATRIX = X.T @ X + np.eye(3)
FAMILIES = [
    *[("norm", name, (X, LOC, SCALE), (0, 1, 2)) for name in "pdf logpdf cdf logcdf sf logsf".split()],
    ("norm", "ppf", (UNITS, LOC, SCALE), (0, 1, 2)),
    *[("t", name, (X, SHAPES, LOC, SCALE), (0, 1, 2, 3)) for name in ("pdf", "logpdf")],
    *[("t", name, (X, SHAPES, LOC, SCALE), (0, 2, 3)) for name in ("cdf", "logcdf")],
    *[("beta", name, (UNITS, SHAPES, MORE), (0, 1, 2)) for name in ("pdf", "logpdf")],
    ("beta", "cdf", (UNITS, SHAPES, MORE), (0,)),
    *[(name, f, (4 * UNITS, SHAPES), (0, 1)) for name in ("gamma", "chi2") for f in ("pdf", "logpdf")],
    *[(name, "cdf", (4 * UNITS, SHAPES), (0,)) for name in ("gamma", "chi2")],
    *[("poisson", name, (np.array([0.0, 2.0, 7.0]), MORE), (1,)) for name in ("pmf", "logpmf", "cdf")],
    *[("dirichlet", name, (UNITS.T / UNITS.sum(1), SHAPES), (0, 1)) for name in ("pdf", "logpdf")],
    *[("multivariate_normal", name, (X, LOC, MATRIX), (0, 1)) for name in ("pdf", "logpdf")],
    *[("multivariate_normal", name, (X[0], LOC, 2.0), (0, 1)) for name in ("pdf", "logpdf")],
    ("multivariate_normal", "entropy", (LOC, MATRIX), ()),
]


@pytest.mark.parametrize("family, name, args, which", FAMILIES, ids=[f"{x[0]}.{x[1]}" for x in FAMILIES])
def test_distributions(family, name, args, which):
    ours, theirs = (getattr(getattr(module, family), name) for module in (stats, scipy.stats))
    expected = theirs(*args)
    np.testing.assert_allclose(ours(*args), expected, rtol=1e-12)
    np.testing.assert_allclose(jit(ours, backend="python")(*args), expected, rtol=1e-12)
    if which:

        def f(*chosen):
            found = dict(zip(which, chosen))
            return ours(*[found.get(i, x) for i, x in enumerate(args)])

        check_gradients(f, *[args[i] for i in which])


def test_covariances_have_gradients():
    def symmetric(name):
        return lambda c, *x: getattr(stats.multivariate_normal, name)(*x, LOC, (c + c.T) / 2)

    check_gradients(symmetric("logpdf"), MATRIX, X)
    check_gradients(symmetric("entropy"), MATRIX)
    with pytest.raises(np.linalg.LinAlgError):
        stats.multivariate_normal.logpdf(X, LOC, -MATRIX)


def test_outside_of_the_support_and_of_the_parameters():
    for family, x, shapes in (("gamma", -1.0, [2.0]), ("chi2", -1.0, [3.0]), ("beta", 1.5, [2.0, 3.0])):
        ours, theirs = getattr(stats, family), getattr(scipy.stats, family)
        assert ours.logpdf(x, *shapes) == -math.inf and grad(ours.logpdf)(x, *shapes) == 0.0
        assert ours.cdf(x, *shapes) == theirs.cdf(x, *shapes) and grad(ours.cdf)(x, *shapes) == 0.0
        assert math.isnan(ours.logpdf(0.5, -2.0, *shapes[1:]))
        assert ours.logpdf(2.5, *shapes, 2.0, 3.0) == pytest.approx(theirs.logpdf(2.5, *shapes, 2.0, 3.0), rel=1e-13)
    assert math.isnan(stats.norm.logpdf(1.0, scale=-1.0)) and math.isnan(stats.norm.ppf(0.5, 0.0, -1.0))
    counts = np.array([-1.0, 1.5])
    assert stats.poisson.logpmf(counts, 2.0).tolist() == [-math.inf] * 2 and stats.poisson.cdf(-1.0, 2.0) == 0.0
    assert stats.norm.cdf([0.0, 1.0]).tolist() == scipy.stats.norm.cdf([0.0, 1.0]).tolist()


def test_the_tails_of_the_normal_distribution():
    assert stats.norm.logcdf(-40.0) == pytest.approx(scipy.stats.norm.logcdf(-40.0), rel=1e-15)
    assert grad(stats.norm.logcdf)(-40.0) == pytest.approx(40.02496884720726, rel=1e-15)
    assert hessian(stats.norm.logsf)(40.0) == pytest.approx(-0.9993773316214087, rel=1e-14)
    assert stats.norm.pdf(26.3) == pytest.approx(4.7061949546189e-151, rel=1e-13)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: grad(special.jv)(1.0, 2.0), "^jv: its derivative with respect to n is not known: give a plain number"),
        (lambda: grad(stats.beta.cdf, 1)(0.5, 2.0, 3.0), "^betainc: its derivative with respect to a is not known"),
        (lambda: grad(special.polygamma)(np.ones(1), 1.0), "^polygamma: .* n"),
        (lambda: special.struve(1.0, Value(2.0)), "struve is not differentiated"),
        (lambda: stats.t.logpdf(0.5), "t.logpdf.. missing 1 required positional argument: 'df'"),
        (lambda: stats.norm.cdf(0.5, 0.0, 1.0, 2.0), "norm.cdf.. takes from 1 to 3 positional arguments"),
        (lambda: stats.norm.cdf(0.5, sigma=2.0), "unexpected keyword argument 'sigma'"),
        (lambda: special.logsumexp(Tensor(A), return_sign=True), "return_sign"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_mistakes_of_shape_and_of_name():
    with pytest.raises(ValueError, match=r"dirichlet: the first axis of x \(2,\) is as long as alpha \(3,\)"):
        stats.dirichlet.logpdf(X[:, 0], SHAPES)
    with pytest.raises(AttributeError, match="scipy.integrate is not differentiated here"):
        autograd.scipy.integrate  # noqa: B018
    with pytest.raises(AttributeError, match="scipy.specials is no name of scipy"):
        autograd.scipy.specials  # noqa: B018


def test_scipy_is_imported_when_it_is_used_and_missed_by_name():
    code = "import sys, autograd; assert 'scipy' not in sys.modules; autograd.scipy.special.erf; import scipy"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys; sys.modules['scipy'] = None; import autograd, nn; autograd.scipy"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 1 and ran.stderr.endswith(
        'ImportError: autograd.scipy needs scipy, which is not installed: pip install "crabgrad[scipy]"\n'
    )
