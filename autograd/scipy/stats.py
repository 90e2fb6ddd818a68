"""Distributions of scipy.stats on floats, arrays and nodes, composed of autograd.scipy.special.

Names and arguments are SciPy's: x, the shapes, loc and scale. Where a scale or a shape is not positive, all is NaN.
"""

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import numpy as anp
from ..arguments import is_node
from ..calling import shape_of
from . import special

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]
HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def _operand(x: Any) -> Any:
    return anp.array(x) if isinstance(x, (list, tuple)) else x


def _positive(x: Any) -> Any:
    """x, NaN where it is not positive."""
    if is_node(x) or isinstance(x, np.ndarray):
        return anp.where(x > 0, x, math.nan)
    return x if x > 0 else math.nan


def _of_z(function: Callable, after: Callable = lambda out, z, loc, scale: out) -> staticmethod:
    """A function of z = (x - loc) / scale and the shapes as one of x, the shapes, loc and scale."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    x, *shapes = (inspect.Parameter(name, kind) for name in inspect.signature(function).parameters)
    more = [inspect.Parameter(name, kind, default=default) for name, default in (("loc", 0.0), ("scale", 1.0))]
    signature = inspect.Signature([x.replace(name="x"), *shapes, *more])

    def of_x(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        x, *shapes, loc, scale = map(_operand, given.args)
        scale = _positive(scale)
        z = (x - loc) / scale
        return after(function(z, *map(_positive, shapes)), z, loc, scale)

    of_x.__signature__ = signature  # type: ignore[attr-defined]
    return staticmethod(of_x)


def _logpdf(function: Callable, low: float = -math.inf, high: float = math.inf) -> staticmethod:
    """The logarithm of a density that is 0 outside of low to high, from that at loc 0 and scale 1."""

    def after(out: Any, z: Any, loc: Any, scale: Any) -> Any:
        out = out - anp.log(scale)
        out = out if math.isinf(low) else anp.where(z < low, -math.inf, out)
        return out if math.isinf(high) else anp.where(z > high, -math.inf, out)

    return _of_z(function, after)


def _exp(function: Callable) -> staticmethod:
    return staticmethod(functools.wraps(function)(lambda *args, **kwargs: anp.exp(function(*args, **kwargs))))


def _log(function: Callable) -> staticmethod:
    return staticmethod(functools.wraps(function)(lambda *args, **kwargs: anp.log(function(*args, **kwargs))))


class norm:
    """The normal distribution: pdf, logpdf, cdf, logcdf, sf, logsf and ppf, exact in the tails."""

    pdf = _of_z(lambda z: special.ONE_OVER_ROOT_TAU * special.gauss(z, 0.5), lambda out, z, loc, scale: out / scale)
    logpdf = _logpdf(lambda z: -0.5 * z * z - HALF_LOG_TAU)
    cdf = _of_z(lambda z: special.ndtr(z))
    logcdf = _of_z(lambda z: special.log_ndtr(z))
    sf = _of_z(lambda z: special.ndtr(-z))
    logsf = _of_z(lambda z: special.log_ndtr(-z))

    @staticmethod
    def ppf(q: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
        """Where cdf is q."""
        return special.ndtri(_operand(q)) * _positive(_operand(scale)) + _operand(loc)


def _logpdf_of_t(z: Any, df: Any) -> Any:
    kernel = -0.5 * (df + 1.0) * anp.log1p(z * z / df)
    return kernel - 0.5 * anp.log(df) - special.betaln(0.5 * df, 0.5)


class t:
    """Student's t distribution, with the shape df: pdf, logpdf, cdf, logcdf."""

    logpdf = _logpdf(_logpdf_of_t)
    pdf = _exp(logpdf)
    cdf = _of_z(lambda z, df: special.stdtr(df, z))
    logcdf = _log(cdf)


class beta:
    """The beta distribution, with the shapes a and b: pdf, logpdf, cdf."""

    logpdf = _logpdf(
        lambda z, a, b: special.xlogy(a - 1.0, z) + special.xlog1py(b - 1.0, -z) - special.betaln(a, b), 0.0, 1.0
    )
    pdf = _exp(logpdf)
    cdf = _of_z(lambda z, a, b: special.betainc(a, b, anp.clip(z, 0.0, 1.0)))


class gamma:
    """The gamma distribution, with the shape a: pdf, logpdf, cdf."""

    logpdf = _logpdf(lambda z, a: special.xlogy(a - 1.0, z) - z - special.gammaln(a), 0.0)
    pdf = _exp(logpdf)
    cdf = _of_z(lambda z, a: special.gammainc(a, anp.clip(z, 0.0, None)))


class chi2:
    """The chi squared distribution, with the shape df: pdf, logpdf, cdf."""

    logpdf = _of_z(lambda z, df: gamma.logpdf(z, 0.5 * df, 0.0, 2.0), lambda out, z, loc, scale: out - anp.log(scale))
    pdf = _exp(logpdf)
    cdf = _of_z(lambda z, df: gamma.cdf(z, 0.5 * df, 0.0, 2.0))


class poisson:
    """The Poisson distribution of counts k with mean mu: pmf, logpmf, cdf."""

    @staticmethod
    def logpmf(k: Any, mu: Any) -> Any:
        """The logarithm of the probability of k; -inf where that is 0."""
        k, mu = _operand(k), _operand(mu)
        found = special.xlogy(k, mu) - special.gammaln(k + 1.0) - mu
        return anp.where(anp.floor(k) == k, anp.where(k < 0, -math.inf, found), -math.inf)

    pmf = _exp(logpmf)

    @staticmethod
    def cdf(k: Any, mu: Any) -> Any:
        k = anp.floor(_operand(k))
        return anp.where(k < 0, 0.0, special.gammaincc(anp.maximum(k, 0.0) + 1.0, _operand(mu)))


class dirichlet:
    """The Dirichlet distribution of numbers x that add up to 1 along the first axis, as long as alpha: pdf, logpdf."""

    @staticmethod
    def logpdf(x: Any, alpha: Any) -> Any:
        x, alpha = _operand(x), _operand(alpha)
        if shape_of(x)[:1] != shape_of(alpha):
            raise ValueError(f"dirichlet: the first axis of x {shape_of(x)} is as long as alpha {shape_of(alpha)}")
        normal = anp.sum(special.gammaln(alpha)) - special.gammaln(anp.sum(alpha))
        return anp.sum(special.xlogy(alpha - 1.0, anp.moveaxis(x, 0, -1)), axis=-1) - normal

    pdf = _exp(logpdf)


def _root(cov: Any, n: int) -> Any:
    cov = _operand(cov)
    return anp.linalg.cholesky(cov if shape_of(cov) else cov * np.eye(n))


class multivariate_normal:
    """The normal distribution of vectors, in the last axis of x: pdf, logpdf, entropy.

    cov is a matrix, or a number times the identity; LinAlgError where it is not positive definite.
    """

    @staticmethod
    def logpdf(x: Any, mean: Any = 0.0, cov: Any = 1.0) -> Any:
        deviation = _operand(x) - _operand(mean)
        *lead, n = shape_of(deviation)
        root = _root(cov, n)
        z = anp.linalg.solve(root, anp.reshape(deviation, (-1, n)).T)
        distance = anp.reshape(anp.sum(z * z, axis=0), tuple(lead))
        return -0.5 * distance - anp.sum(anp.log(anp.diagonal(root))) - n * HALF_LOG_TAU

    pdf = _exp(logpdf)

    @staticmethod
    def entropy(mean: Any = 0.0, cov: Any = 1.0) -> Any:
        """The differential entropy."""
        n = max(*shape_of(mean), *shape_of(cov), 1, 1)
        return anp.sum(anp.log(anp.diagonal(_root(cov, n)))) + n * (HALF_LOG_TAU + 0.5)


TEXTS = {
    "pdf": "The density.",
    "logpdf": "The logarithm of the density; -inf where that is 0.",
    "pmf": "The probability of k.",
    "cdf": "The probability of no more than x.",
    "logcdf": "The logarithm of cdf.",
    "sf": "The probability of more than x.",
    "logsf": "The logarithm of sf.",
}
for _family in (norm, t, beta, gamma, chi2, poisson, dirichlet, multivariate_normal):
    for _name in TEXTS.keys() & vars(_family).keys():
        _function: Any = getattr(_family, _name)
        _function.__name__, _function.__qualname__ = _name, f"{_family.__name__}.{_name}"
        _function.__doc__ = TEXTS[_name]
