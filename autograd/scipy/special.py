"""scipy.special's names for floats, arrays and nodes: a table of rows as rules.py has it, whose words are SciPy's.

What is not here is SciPy's own, and refuses nodes. Formulas: NIST Digital Library of Mathematical Functions,
https://dlmf.nist.gov (chapters 5, 7, 8, 10), unless a comment says otherwise. `...` stands where a derivative is no
function of SciPy's; it raises a TypeError when it is asked for.
"""

import math
from typing import Any, NoReturn

import numpy as np
import scipy.special as _scipy

from .. import numpy as anp
from ..calling import shape_of
from ..failing import naming
from ..grammar import Call, Constant, Name, Row, Tree, fold, parse
from ..numpy.dispatch import operation as _function
from ..operation import BUILT_IN, Function, Operation
from ..words import CONSTANTS

ROWS = """
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
polygamma(n, x) = polygamma(n, x) | ... | g * polygamma(n + 1.0, x)
beta(a, b)      = beta(a, b)    | g * (out * (digamma(a) - digamma(a + b))) | g * (out * (digamma(b) - digamma(a + b)))
betaln(a, b)    = betaln(a, b)  | g * (digamma(a) - digamma(a + b)) | g * (digamma(b) - digamma(a + b))
betainc(a, b, x) = betainc(a, b, x) | ... | ... | g * exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b))
gammainc(a, x)  = gammainc(a, x) | ... | g * exp(xlogy(a - 1.0, x) - x - gammaln(a))
gammaincc(a, x) = gammaincc(a, x) | ... | g * -exp(xlogy(a - 1.0, x) - x - gammaln(a))
stdtr(n, x) = stdtr(n, x) | ... | g * exp(-0.5 * (n + 1) * log1p(x * x / n) - 0.5 * log(n) - betaln(0.5 * n, 0.5))
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
iv(n, x)        = iv(n, x)      | ... | g * (0.5 * (iv(n - 1.0, x) + iv(n + 1.0, x)))
ive(n, x)       = ive(n, x)     | ... | g * (0.5 * (ive(n - 1.0, x) + ive(n + 1.0, x)) - sign(x) * out)
j0(x)           = j0(x)         | g * -j1(x)
j1(x)           = j1(x)         | g * (0.5 * (j0(x) - jv(2.0, x)))
jv(n, x)        = jv(n, x)      | ... | g * (0.5 * (jv(n - 1.0, x) - jv(n + 1.0, x)))
y0(x)           = y0(x)         | g * -y1(x)
y1(x)           = y1(x)         | g * (0.5 * (y0(x) - yn(2.0, x)))
yn(n, x)        = yn(n, x)      | ... | g * (0.5 * (yn(n - 1.0, x) - yn(n + 1.0, x)))
"""
TWO_OVER_ROOT_PI, ROOT_TWO_OVER_PI, ONE_OVER_ROOT_TAU = (math.sqrt(x / math.pi) for x in (4, 2, 0.5))
ROOT_TWO, ROOT_HALF, HALF_LOG_TAU = math.sqrt(2.0), math.sqrt(0.5), 0.5 * math.log(math.tau)
CONSTANTS = CONSTANTS | {name: x for name, x in vars().items() if isinstance(x, float)}
PRINTABLE = ("erf", "erfc", "gauss", "ndtr", "xlogy", "xlog1py", "gammaln")  # words of machine code


def _gauss(x: Any, a: Any) -> Any:
    """exp(-a * x * x) for a = 1 or 1/2, by a multiple of 1/16 near x, whose square is exact."""
    x = np.clip(x, -64.0, 64.0)  # where it is 0 for long
    near = np.rint(16.0 * x) / 16.0
    return np.exp(-a * near * near) * np.exp(a * (near - x) * (near + x))


def _inverse_mills(x: Any) -> Any:
    left = ROOT_TWO_OVER_PI / _scipy.erfcx(-ROOT_HALF * np.minimum(x, 0.0))
    return np.where(x > 0, ONE_OVER_ROOT_TAU * _gauss(x, 0.5) / _scipy.ndtr(x), left)


def _excess(x: Any) -> Any:
    """By Laplace's continued fraction on the left (DLMF 7.9.3), where 1 / erfcx(-x / sqrt(2)) approaches -x."""
    t, tail = -np.minimum(x, -3.0), 0.0
    for k in range(40, 0, -1):
        tail = k / (t + tail)
    return np.where(x < -3.0, tail, x + _inverse_mills(x))


def _word(name: str) -> Function:
    """A function of SciPy as a word: a float for floats, and the dtype of its arguments for arrays."""
    function: Any = INNER.get(name) or getattr(_scipy, name)

    @np.errstate(all="ignore")
    def value(*args: Any) -> Any:
        out = function(*args)
        if all(x.__class__ in (float, int) for x in args):
            return float(out)
        return out.astype(np.result_type(np.float16, *args), copy=False)[()]

    return Function(name, value, printable=name in PRINTABLE, elementwise=True)


def rows(table: str) -> list[tuple[Row, str]]:
    """The rows of a table, each beside its text."""
    return [(parse(line, CONSTANTS), line) for line in table.splitlines() if line and line[0] != "#"]


def _table(table: str) -> dict[str, Operation]:
    """The operations of rows, each SciPy's function of its name, which may use each other as words."""
    found = {}
    for row, text in rows(table):
        value = Call(_word(row.name), tuple(map(Name, row.arguments)))
        found[row.name] = Operation(row._replace(value=value), text)
    for name, operation in found.items():
        operation.__module__ = __name__
        pairs = zip(operation.arguments, operation.pullbacks)
        operation.pullbacks = [tree and _pullback(tree, name, argument, found) for argument, tree in pairs]
    return found


def _pullback(tree: Tree, name: str, argument: str, operations: dict[str, Operation]) -> Tree:
    def unknown(g: Any) -> NoReturn:
        raise TypeError(f"{name}: its derivative with respect to {argument} is not known: give a plain number there")

    if tree == Constant(...):
        return Call(Function(f"unknown_{argument}", unknown, elementwise=True), (Name("g"),))
    return fold(tree, Name, Constant, lambda word, args: Call(operations.get(word, word), tuple(args)))


INNER = {"gauss": _gauss, "inverse_mills": _inverse_mills, "excess": _excess}  # words that are no names of SciPy
OPERATIONS = _table(ROWS)


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """log(sum(b * exp(a))) over axes, without overflow; b is 1 unless given, and where it is 0, a may be anything."""
    if b is None:
        return anp.logsumexp(a, axis, keepdims=keepdims)
    a = anp.broadcast_to(a, np.broadcast_shapes(shape_of(a), shape_of(b)))
    counting = anp.where(anp.not_equal(b, 0.0), a, -np.inf)
    largest = BUILT_IN["detached"](anp.max(counting, axis, keepdims=True, initial=-np.inf))
    shift = anp.where(abs(largest) < np.inf, largest, 0.0)
    with np.errstate(all="ignore"):  # where b is 0
        total = anp.sum(BUILT_IN["scaled"](b, anp.exp(a - shift)), axis, keepdims=keepdims)
        return anp.log(total) + (shift if keepdims else anp.squeeze(shift, axis))


def softmax(x: Any, axis: Any = None) -> Any:
    """exp(x) / sum(exp(x)), over all axes unless some are given."""
    return anp.softmax(x, axis)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """log(softmax(x)), over all axes unless some are given."""
    return anp.log_softmax(x, axis)


def multigammaln(a: Any, d: int) -> Any:
    """As scipy.special.multigammaln, the logarithm of the multivariate gamma function of dimension d; NaN below it."""
    terms = (OPERATIONS["gammaln"](a - 0.5 * j) for j in range(d))
    return anp.where(2 * a > d - 1, sum(terms, start=0.25 * d * (d - 1) * math.log(math.pi)), np.nan)


globals().update({name: naming(name, _function(row)) for name, row in OPERATIONS.items()})
logsumexp, multigammaln = naming("logsumexp", logsumexp), naming("multigammaln", multigammaln)
expit, log_expit, psi, jn = anp.sigmoid, anp.log_sigmoid, globals()["digamma"], globals()["jv"]
_COMPOSED = "expit jn log_expit log_softmax logsumexp multigammaln psi softmax".split()
__all__ = sorted({*OPERATIONS, *_COMPOSED} - INNER.keys())


def __getattr__(name: str) -> Any:
    return getattr(_scipy, name)  # which raises a TypeError where a node is given to it
