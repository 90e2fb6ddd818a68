"""scipy.special's names for floats, arrays and nodes: a table of rows as rules.py has it, whose words are SciPy's.

What is not here is SciPy's own, and refuses nodes. Formulas: NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov (chapters 5, 7, 8, 10), unless a comment says otherwise. `unknown` stands where a derivative is no
function of SciPy's; it raises a TypeError when it is asked for.
"""

import math
from typing import Any, NoReturn

import numpy as np
import scipy.special as _scipy

from .. import numpy as anp
from ..calling import shape_of
from ..grammar import Call, Name, Row, parse, resolved
from ..numpy.dispatch import operation as _function
from ..operation import ARITY, BUILT_IN, Function, Operation

ROWS = """
# gauss(x, a) is exp(-a * x * x) to the last digits
erf(x)          = erf(x)        | g * (TWO_OVER_ROOT_PI * gauss(x, 1.0))
erfc(x)         = erfc(x)       | g * (-TWO_OVER_ROOT_PI * gauss(x, 1.0))
erfinv(x)       = erfinv(x)     | g / (TWO_OVER_ROOT_PI * gauss(out, 1.0))
# exp(-out * out) from x = exp(-out * out) * erfcx(out), which is better conditioned; so below for ndtri
erfcinv(x)      = erfcinv(x)    | g / (-TWO_OVER_ROOT_PI * ratio(x, erfcx(out)))
# 2 * x * out - 2 / sqrt(pi) would cancel
erfcx(x)        = erfcx(x)      | g * (-ROOT_TWO * out * excess(-ROOT_TWO * x))
ndtr(x)         = ndtr(x)       | g * (ONE_OVER_ROOT_TAU * gauss(x, 0.5))
ndtri(x)        = ndtri(x)      | g / (ROOT_TWO_OVER_PI * ratio(x, erfcx(-ROOT_HALF * out)))
log_ndtr(x)     = log_ndtr(x)   | g * inverse_mills(x)
gauss(x, a)     = gauss(x, a)   | g * (-2.0 * a * scaled(out, x)) |
# density over distribution function of the normal distribution, and what it exceeds -x by: their difference cancels
inverse_mills(x) = inverse_mills(x) | g * -scaled(out, excess(x))
excess(x)       = excess(x)     | g * (1.0 - scaled(inverse_mills(x), out))
gamma(x)        = gamma(x)      | g * (out * digamma(x))
gammaln(x)      = gammaln(x)    | g * digamma(x)
loggamma(x)     = loggamma(x)   | g * digamma(x)
digamma(x)      = digamma(x)    | g * polygamma(1.0, x)
polygamma(n, x) = polygamma(n, x) | unknown(g) | g * polygamma(n + 1.0, x)
beta(a, b)      = beta(a, b)    | g * (out * (digamma(a) - digamma(a + b))) | g * (out * (digamma(b) - digamma(a + b)))
betaln(a, b)    = betaln(a, b)  | g * (digamma(a) - digamma(a + b)) | g * (digamma(b) - digamma(a + b))
betainc(a, b, x) = betainc(a, b, x) | unknown(g) | unknown(g) | \
    g * exp(xlogy(a - 1.0, x) + xlog1py(b - 1.0, -x) - betaln(a, b))
gammainc(a, x)  = gammainc(a, x) | unknown(g) | g * exp(xlogy(a - 1.0, x) - x - gammaln(a))
gammaincc(a, x) = gammaincc(a, x) | unknown(g) | g * -exp(xlogy(a - 1.0, x) - x - gammaln(a))
# Student's t distribution
stdtr(n, x)     = stdtr(n, x)   | unknown(g) | \
    g * exp(-0.5 * (n + 1.0) * log1p(x * x / n) - 0.5 * log(n) - betaln(0.5 * n, 0.5))
logit(x)        = logit(x)      | g / (x * (1.0 - x))
# 0 where x is 0, and so is the slope in y; the slope in x is log(y), also where that is infinite
xlogy(x, y)     = xlogy(x, y)   | g * log(y)            | g * ratio(x, y)
xlog1py(x, y)   = xlog1py(x, y) | g * log1p(y)          | g * ratio(x, 1.0 + y)
entr(x)         = entr(x)       | g * (-log(x) - 1.0)
rel_entr(x, y)  = rel_entr(x, y) | g * (log(ratio(x, y)) + 1.0) | g * -ratio(x, y)
kl_div(x, y)    = kl_div(x, y)  | g * log(ratio(x, y))  | g * (1.0 - ratio(x, y))
i0(x)           = i0(x)         | g * i1(x)
i1(x)           = i1(x)         | g * (0.5 * (i0(x) + iv(2.0, x)))
i0e(x)          = i0e(x)        | g * (i1e(x) - sign(x) * out)
i1e(x)          = i1e(x)        | g * (0.5 * (i0e(x) + ive(2.0, x)) - sign(x) * out)
iv(n, x)        = iv(n, x)      | unknown(g) | g * (0.5 * (iv(n - 1.0, x) + iv(n + 1.0, x)))
ive(n, x)       = ive(n, x)     | unknown(g) | g * (0.5 * (ive(n - 1.0, x) + ive(n + 1.0, x)) - sign(x) * out)
j0(x)           = j0(x)         | g * -j1(x)
j1(x)           = j1(x)         | g * (0.5 * (j0(x) - jv(2.0, x)))
jv(n, x)        = jv(n, x)      | unknown(g) | g * (0.5 * (jv(n - 1.0, x) - jv(n + 1.0, x)))
y0(x)           = y0(x)         | g * -y1(x)
y1(x)           = y1(x)         | g * (0.5 * (y0(x) - yn(2.0, x)))
yn(n, x)        = yn(n, x)      | unknown(g) | g * (0.5 * (yn(n - 1.0, x) - yn(n + 1.0, x)))
"""
TWO_OVER_ROOT_PI, ROOT_TWO_OVER_PI = 2 / math.sqrt(math.pi), math.sqrt(2 / math.pi)
ONE_OVER_ROOT_TAU, ROOT_TWO, ROOT_HALF = 1 / math.sqrt(2 * math.pi), math.sqrt(2.0), math.sqrt(0.5)
CONSTANTS = {name: x for name, x in vars().items() if isinstance(x, float)}
PRINTABLE = ("erf", "erfc", "gauss")  # words of machine code
FAR = 64.0  # where exp(-x * x / 2) is 0 for long


def _gauss(x: Any, a: Any) -> Any:
    """exp(-a * x * x) for a = 1 or 1/2, by a multiple of 1/16 near x, whose square is exact."""
    x = np.clip(x, -FAR, FAR)
    near = np.rint(16.0 * x) / 16.0
    return np.exp(-a * near * near) * np.exp(a * (near - x) * (near + x))


@np.errstate(all="ignore")
def _inverse_mills(x: Any) -> Any:
    left = ROOT_TWO_OVER_PI / _scipy.erfcx(-ROOT_HALF * np.minimum(x, 0.0))
    return np.where(x > 0, ONE_OVER_ROOT_TAU * _gauss(x, 0.5) / _scipy.ndtr(x), left)[()]


@np.errstate(all="ignore")
def _excess(x: Any) -> Any:
    """By Laplace's continued fraction on the left (DLMF 7.9.3), where 1 / erfcx(-x / sqrt(2)) approaches -x."""
    t, tail = -np.minimum(x, -3.0), 0.0
    for k in range(40, 0, -1):
        tail = k / (t + tail)
    return np.where(x < -3.0, tail, x + _inverse_mills(x))[()]


@np.errstate(all="ignore")
def _polygamma(n: Any, x: Any) -> Any:
    sign = 1.0 - 2.0 * (np.asarray(n) % 2 == 0)
    return np.where(np.equal(n, 0), _scipy.psi(x), sign * _scipy.gamma(n + 1.0) * _scipy.zeta(n + 1.0, x))[()]


def _word(function: Any) -> Function:
    """A function of SciPy as a word: a float for floats, and the dtype of its arguments for arrays."""

    def value(*args: Any) -> Any:
        out = function(*args)
        if all(x.__class__ in (float, int) for x in args):
            return float(out)
        dtype = np.result_type(*args)
        return out if out.dtype == dtype or dtype.kind != "f" else out.astype(dtype)

    name = function.__name__.strip("_")
    return Function(name, value, printable=name in PRINTABLE)


def _refusal(name: str, argument: str) -> Call:
    """The pullback that there is none."""

    def unknown(g: Any) -> NoReturn:
        raise TypeError(f"{name}: its derivative with respect to {argument} is not known: give a plain number there")

    return Call(Function(f"unknown_{argument}", unknown), (Name("g"),))


def _table(text: str) -> dict[str, Operation]:
    """The operations of rows that may use each other as words."""
    lines = [line for line in text.replace("\\\n", "").splitlines() if line.strip() and line[0] != "#"]
    parsed = {row.name: (row, line) for line in lines for row in [parse(line, CONSTANTS)]}
    operations = {name: Operation(_by_scipy(row), line) for name, (row, line) in parsed.items()}
    for name, (row, _) in parsed.items():
        known = [None if pullback == UNKNOWN else pullback for pullback in row.pullbacks]
        pullbacks = resolved(row._replace(pullbacks=known), ARITY, operations).pullbacks
        operations[name].pullbacks = [
            _refusal(name, x) if pullback == UNKNOWN else found
            for x, pullback, found in zip(row.arguments, row.pullbacks, pullbacks)
        ]
    return operations


def _by_scipy(row: Row) -> Row:
    word = _word(OF_OURS.get(row.name) or getattr(_scipy, row.name))
    return row._replace(value=Call(word, tuple(map(Name, row.arguments))))


OF_OURS = {"gauss": _gauss, "inverse_mills": _inverse_mills, "excess": _excess, "polygamma": _polygamma}
UNKNOWN = Call("unknown", (Name("g"),))
OPERATIONS = _table(ROWS)


def expit(x: Any) -> Any:
    """1 / (1 + exp(-x)), as numpy.sigmoid here."""
    return anp.sigmoid(x)


def log_expit(x: Any) -> Any:
    """log(expit(x)), without overflow."""
    return anp.log_sigmoid(x)


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """log(sum(b * exp(a))) over axes, without overflow; b is 1 unless given."""
    if b is None:
        return anp.logsumexp(a, axis, keepdims=keepdims)
    a = anp.broadcast_to(a, np.broadcast_shapes(shape_of(a), shape_of(b)))
    largest = BUILT_IN["detached"](anp.max(a, axis, keepdims=True))
    shift = anp.where(abs(largest) < np.inf, largest, 0.0)
    total = anp.sum(b * anp.exp(a - shift), axis, keepdims=keepdims)
    with np.errstate(divide="ignore"):  # where b is 0 throughout
        return anp.log(total) + (shift if keepdims else anp.squeeze(shift, axis))


def softmax(x: Any, axis: Any = None) -> Any:
    """exp(x) / sum(exp(x)), over all axes unless some are given."""
    return anp.softmax(x, axis)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """log(softmax(x)), over all axes unless some are given."""
    return anp.log_softmax(x, axis)


def multigammaln(a: Any, d: int) -> Any:
    """As scipy.special.multigammaln, the logarithm of the multivariate gamma function of dimension d."""
    terms = [OPERATIONS["gammaln"](a - 0.5 * j) for j in range(d)]
    return sum(terms, start=0.25 * d * (d - 1) * math.log(math.pi))


for _name, _row in OPERATIONS.items():
    globals()[_name] = _function(_row)
    globals()[_name].__module__ = __name__
psi, jn = globals()["digamma"], globals()["jv"]
_HERE = "expit jn log_expit log_softmax logsumexp multigammaln psi softmax".split()
__all__ = sorted({*OPERATIONS, *_HERE} - {"gauss", "inverse_mills", "excess"})


def __getattr__(name: str) -> Any:
    return getattr(_scipy, name)  # which raises a TypeError where a node is given to it
