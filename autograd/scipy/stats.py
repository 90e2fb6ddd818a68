"""Distributions of scipy.stats on floats, arrays and nodes: a table of rows over the words of special.py.

Names and arguments are SciPy's. Where a scale or a shape is not positive, all is NaN.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import numpy as anp
from ..calling import shape_of
from ..failing import naming
from ..grammar import Row
from ..operation import BUILT_IN, compiled, expression
from . import special

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]
# behind a semicolon: z, which is (x - loc) / scale
ROWS = """
positive(x) = where(less(0, x), x, 0 * inf)
at_least_0(x) = where(less(x, 0), 0 * inf, x)
beyond(shape) = where(equal(shape, shape), -inf, shape)
within(x, low, high, shape, inside) = where(less(x, low), beyond(shape), where(less(high, x), beyond(shape), inside))
norm_pdf(x, loc, scale; z) = ONE_OVER_ROOT_TAU * gauss(z, 0.5) / scale
norm_logpdf(x, loc, scale; z) = -0.5 * z * z - HALF_LOG_TAU - log(scale)
norm_cdf(x, loc, scale; z) = ndtr(z)
norm_logcdf(x, loc, scale; z) = log_ndtr(z)
norm_sf(x, loc, scale; z) = ndtr(-z)
norm_logsf(x, loc, scale; z) = log_ndtr(-z)
norm_ppf(q, loc, scale) = ndtri(q) * scale + loc
t_logpdf(x, df, loc, scale; z) = -0.5 * (df + 1) * log1p(z * z / df) - betaln(0.5 * df, 0.5) - log(sqrt(df) * scale)
t_pdf(x, df, loc, scale) = exp(t_logpdf(x, df, loc, scale))
t_cdf(x, df, loc, scale; z) = stdtr(df, z)
t_logcdf(x, df, loc, scale; z) = log(stdtr(df, z))
kernel(z, a, b) = xlogy(a - 1, z) + xlog1py(b - 1, -z) - betaln(a, b)
beta_logpdf(x, a, b, loc, scale; z) = within(z, 0, 1, a + b, kernel(z, a, b) - log(scale))
beta_pdf(x, a, b, loc, scale) = exp(beta_logpdf(x, a, b, loc, scale))
beta_cdf(x, a, b, loc, scale; z) = betainc(a, b, clip(z, 0, 1))
gamma_logpdf(x, a, loc, scale; z) = within(z, 0, inf, a, xlogy(a - 1, z) - z - gammaln(a) - log(scale))
gamma_pdf(x, a, loc, scale) = exp(gamma_logpdf(x, a, loc, scale))
gamma_cdf(x, a, loc, scale; z) = gammainc(a, clip(z, 0, inf))
chi2_logpdf(x, df, loc, scale) = gamma_logpdf(x, 0.5 * df, loc, 2 * scale)
chi2_pdf(x, df, loc, scale) = gamma_pdf(x, 0.5 * df, loc, 2 * scale)
chi2_cdf(x, df, loc, scale) = gamma_cdf(x, 0.5 * df, loc, 2 * scale)
poisson_logpmf(k, mu) = where(equal(floor(k), k), within(k, 0, inf, mu, xlogy(k, mu) - gammaln(k + 1) - mu), beyond(mu))
poisson_pmf(k, mu) = exp(poisson_logpmf(k, mu))
poisson_cdf(k, mu) = where(less(k, 0), exp(beyond(mu)), gammaincc(floor(clip(k, 0, inf)) + 1, mu))
dirichlet_logpdf(x, alpha) = of_proportions(x, alpha)
dirichlet_pdf(x, alpha) = exp(of_proportions(x, alpha))
multivariate_normal_logpdf(x, mean, cov) = of_vectors(x, mean, cov)
multivariate_normal_pdf(x, mean, cov) = exp(of_vectors(x, mean, cov))
multivariate_normal_entropy(mean, cov) = entropy(mean, cov)
"""
DEFAULTS = {"loc": "loc=0.0", "scale": "scale=1.0", "mean": "mean=0.0", "cov": "cov=1.0"}
CHECKED = dict.fromkeys(("a", "b", "df", "scale", "alpha"), "positive") | {"mu": "at_least_0"}


def _operand(x: Any) -> Any:
    return anp.array(x) if isinstance(x, (list, tuple)) else x


def _of_proportions(x: Any, alpha: Any) -> Any:
    if shape_of(x)[:1] != shape_of(alpha):
        raise ValueError(f"dirichlet: the first axis of x {shape_of(x)} is as long as alpha {shape_of(alpha)}")
    kernel = anp.sum(special.xlogy(alpha - 1.0, anp.moveaxis(x, 0, -1)), axis=-1)
    return kernel + special.gammaln(anp.sum(alpha)) - anp.sum(special.gammaln(alpha))


def _of_vectors(x: Any, mean: Any, cov: Any) -> Any:
    """Of vectors as long as mean, or as cov has rows; where both are numbers, of each element of x."""
    n = max(*shape_of(mean), *shape_of(cov), 1, 1)
    x = anp.reshape(x, (*shape_of(x), 1)) if n == 1 and shape_of(x)[-1:] != (1,) else x
    if shape_of(x)[-1:] != (n,) or len(shape_of(mean)) > 1 or shape_of(cov) not in ((), (n, n)):
        raise ValueError(f"x {shape_of(x)}, mean {shape_of(mean)} and cov {shape_of(cov)} are not of vectors of {n}")
    root = anp.linalg.cholesky(cov if shape_of(cov) else cov * np.eye(n))
    z = anp.linalg.solve(root, anp.reshape(x - mean, (-1, n)).T)
    distance = anp.reshape(anp.sum(z * z, axis=0), shape_of(x)[:-1])
    return -0.5 * distance - anp.sum(anp.log(anp.diagonal(root))) - n * special.HALF_LOG_TAU


def _entropy(mean: Any, cov: Any) -> Any:
    n = max(*shape_of(mean), *shape_of(cov), 1, 1)
    return 0.5 * n - _of_vectors(np.zeros(n), 0.0, cov)


WORDS = {**BUILT_IN, **special.OPERATIONS, "clip": anp.clip, "operand": _operand}
WORDS |= {"of_proportions": _of_proportions, "of_vectors": _of_vectors, "entropy": _entropy}


def _function(row: Row, text: str) -> Callable:
    """The function of a row, printed from its tree of words: they find the user's line for NumPy's warnings."""
    head = ", ".join(DEFAULTS.get(x, x) for x in row.arguments)
    given = "".join(f"    {x} = {CHECKED.get(x, 'operand')}({x})\n" for x in row.arguments)
    z = "    z = truediv(sub(x, loc), scale)\n" if row.static else ""
    source = f"def {row.name}({head}):\n{given}{z}    return {expression(row.value, {}, {}, WORDS, str)}\n"
    function = WORDS[row.name] = compiled(source, row.name, "stats", WORDS)  # a word of the rows below
    family, _, name = row.name.rpartition("_")
    function = naming(f"{family}.{name}", function)
    function.__name__, function.__qualname__, function.__doc__ = name, f"{family}.{name}", text
    return function


FUNCTIONS = [_function(row, text) for row, text in special.rows(ROWS)]


def _family(family: str, text: str) -> Any:
    methods = {f.__name__: staticmethod(f) for f in FUNCTIONS if f.__qualname__ == f"{family}.{f.__name__}"}
    return type(family, (), {"__doc__": text, "__module__": __name__, **methods})


norm = _family("norm", "The normal distribution, exact in the tails.")
t = _family("t", "Student's t distribution, with the shape df.")
beta = _family("beta", "The beta distribution, with the shapes a and b.")
gamma = _family("gamma", "The gamma distribution, with the shape a.")
chi2 = _family("chi2", "The chi squared distribution, with the shape df.")
poisson = _family("poisson", "The Poisson distribution of counts k with mean mu.")
dirichlet = _family("dirichlet", "The Dirichlet distribution of numbers x that add up to 1 along the first axis.")
multivariate_normal = _family("multivariate_normal", "Normal vectors, the last axis of x; cov: a matrix or a number.")
