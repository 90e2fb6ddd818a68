"""A call's text by NumPy and by autograd.numpy, and how they differ."""

import re
import warnings
from types import SimpleNamespace
from typing import Any

import numpy
import scipy.special
import scipy.stats

import autograd.numpy as np
from autograd import Tensor, Value
from autograd.node import Node
from autograd.scipy import special, stats
from autograd.tree import flatten

from .arguments import FURTHER

INTERNAL = (KeyError, AttributeError, AssertionError, RecursionError, UnboundLocalError, NameError, ZeroDivisionError)
REFUSALS = (ValueError, TypeError, IndexError, OverflowError)
# what we refuse though NumPy takes it, saying so
DOCUMENTED = re.compile(
    "is not differentiated|are not differentiated|holds floats|real numbers?, not|does not turn into an array"
    "|a masked array|where= is a mask of booleans|where= leaves nothing|no median or quantile|no order for vectors"
    "|edge_order is|must be of integer|the mode is full|unexpected keyword|positional argument"
    "|did not contain a loop|Singular matrix|leave out=|a mask of the shape of x|not positive definite|dtype= is"
    "|'out' must be|was given|only float.x. and int|with a sequence|the first axis of x|not of vectors of"
    "|not supported for the input types|are valid indices|is out of bounds for axis . with|'list' object cannot be"
    "|string or a real number|has more axes than"
)
# what we take though NumPy refuses it: more ways to write the same, and IEEE arithmetic
TAKEN = re.compile(
    "missing 1 required positional argument: 'a_m|Unable to avoid copy|dimension 0|must be real number, not|'ldexp'"
    "|can't be|multiple values|must be integer|only 0-dimensional|not positive definite|no keyword arguments|'fmod'"
    "|has 0, gufunc|0-d array|AttributeError|got float|unexpected keyword|ZeroDivisionError|OverflowError|from dtype..O"
    "|invalid index to scalar variable|Cannot cast array data|provided simultaneously|Passing `min`|has no len"
    "|could not broadcast input|an integer is required|condition a|normal simplex|parameters must be greater"
    "|zero-size array|too many indices|not supported for the input types|into shape .1,1.|infs or NaNs|Each entry"
    "|vector of length|cannot reshape array|loop of ufunc|understand the path|strings are not"
    "|__round__|__format__|unhashable|order must be str|copy.. takes|Cannot construct a dtype|truth value of an array"
    "|accumulate on a scalar|must match exactly|only 'C' or 'F' order|cannot convert float NaN"
)
# corners in which one takes more than the other
MORE = re.compile(
    r"keepdims=(?!True|False|[01]\b)|hermitian=(?!True|False)|overwrite_input=|casting='no'|dtype=\[\]|mean=[(\[]"
    r"|(ddof|correction)=([(\[]|2j|np.array)|axis[abc]?=\[|where=('|10)|where\(('a'|.*\) > 0)"
    r"|(var\(\d|nan(var|std)).*mean=|(quantile|percentile).*\(\)|c(ov|orrcoef)\(.*(zeros|f2)|bincount\(.*(\[\]|zeros)"
    r"|(resize|piecewise|median|quantile|percentile|polyval)\(.*zeros|piecewise(.*(True, |\[\])|\(-?\d)|unwrap.*array"
    r"|interp.*inf|reshape\(.*'[CFA]'|pad\(.\(-?\d|take_along|diff\(.*, (n=)?0, "
    r"|nan_to_num\((\(|-?\d)|float_power\((\(0|.*-np.inf)"
    r"|norm\(.*1\.5|tensorsolve|tensorinv|lstsq\(.*(\), \[|10\*\*)|pinv\(.*(, |hermitian=)(True|1)|entropy"
    r"|logspace\(.*base=np.array|multigammaln.*, (0|-)|logsumexp\((.*(inf|nan|10\*\*)|[^\[]*keepdims)"
    r"|multivariate.*T\((\[+-?[\d.]+\]|-?[\d.]+)"
)
# what NumPy takes forever for (differences of nothing, again and again), or breaks down at
ENDLESS = re.compile(r"diff\(.*10\*\*20|multigammaln.*10\*\*20|cum.*out=|accumulate.*out=")
OF_CHOICE = re.compile(r"\.(svd|eigh|qr|cholesky)\(|empty_like")  # whose numbers are one choice of several
WIDER = re.compile(r"V\(|choose|mean=|inner|vdot")  # in which float32 may meet float64
# where infinity and NaN come from the order of what is computed
SPECIAL = re.compile(r"inf|nan|period=0|10\*\*20")
INEXACT = re.compile(
    "np.nan|unwrap|stats|gradient|convolve|correlate|linalg|median|quantile|percentile|softmax|polyval|space|std|dtype="
    "|dot|inner|prod"
)


def _softmax(x: Any, axis: Any = -1) -> Any:
    powers = numpy.exp(x - numpy.max(x, axis, keepdims=True, initial=-numpy.inf))
    return powers / numpy.sum(powers, axis, keepdims=True)


def _logsumexp(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return numpy.logaddexp.reduce(x, axis, keepdims=keepdims)


def _segment_sum(data: Any, segment_ids: Any, num_segments: int) -> Any:
    data, ids = numpy.asarray(data, float), numpy.asarray(segment_ids)
    out = numpy.zeros((num_segments, *data.shape[ids.ndim :]))
    if data.shape[: ids.ndim] != ids.shape:
        raise ValueError("one for each entry")
    numpy.add.at(out, ids, data)
    return out


DEFINED: dict[str, Any] = {  # what NumPy does not have, by its definition
    "affine": lambda x, weight, bias: x @ weight + bias,
    "log_softmax": lambda x, axis=-1: x - _logsumexp(x, axis, keepdims=True),
    "relu": lambda x, /: numpy.where(x > 0, x, 0.0),
    "sigmoid": lambda x, /: 1 / (1 + numpy.exp(-x)),
    "softplus": lambda x, /: numpy.logaddexp(x, 0),
    "log_sigmoid": lambda x, /: -numpy.logaddexp(-x, 0),
    "logsumexp": _logsumexp,
    "norm": lambda x, axis=None, *, keepdims=False: numpy.sqrt(numpy.sum(x * x, axis, keepdims=keepdims)),
    "segment_sum": _segment_sum,
    "softmax": _softmax,
    "sliding_window_view": numpy.lib.stride_tricks.sliding_window_view,
}


class Plain(SimpleNamespace):
    """NumPy, with what it lacks."""

    def __getattr__(self, name: str) -> Any:
        return DEFINED.get(name) or getattr(numpy, name)


def _plain(data: Any, dtype: Any = float) -> Any:
    return numpy.array(data, dtype)


class Made(list):
    """Makes Tensors, and keeps what they hold."""

    def __call__(self, *args: Any) -> Tensor:
        node = Tensor(*args)
        self.append((node, node.data.copy()))
        return node

    def changed(self) -> bool:
        return any(node.data.tobytes() != data.tobytes() for node, data in self)


THEIRS = {"np": Plain(), "numpy": numpy, "special": scipy.special, "stats": scipy.stats, "T": _plain, "V": float}
OURS = {"np": np, "numpy": numpy, "special": special, "stats": stats, "V": Value}
NOT_NODES = {
    *np.CONSTANT,
    "full_like",
    "polyval",
    "matrix_rank",
    "compress",
    "extract",
    "shape",
    "ndim",
    "size",
    "dtype",
    "tolist",
    "item",
    "nonzero",
    "real_if_close",
}


@numpy.errstate(all="ignore")
def difference(text: str) -> str | None:
    """How a call of nodes differs from one of arrays; None if it does not."""
    if not re.search(r"\b[TV]\(", text) or ENDLESS.search(text):
        return None
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        theirs, refused = _outcome(text, THEIRS)
    if any(issubclass(w.category, DeprecationWarning) for w in warned):
        return None  # NumPy itself will not say this for long
    with warnings.catch_warnings(action="ignore"):
        ours, error = _outcome(text, {**OURS, "T": (made := Made())})
    if made.changed():
        return "a node was changed"
    if error is not None:
        return _of_error(text, error, refused, theirs)
    if MORE.search(text):
        return None
    if refused is not None:
        said = f"accepted, where NumPy says {type(refused).__name__}: {refused}"
        return None if "None" in text or TAKEN.search(said) else said  # None is "not given"
    return _unlike(text, ours, theirs)


def _outcome(text: str, scope: dict) -> tuple[Any, Exception | None]:
    try:
        return eval(text, scope.copy()), None
    except Exception as error:
        return None, error


def _name(text: str) -> str:
    found = re.match(r"(?:np|numpy|special|stats)\.(?:\w+\.)?(\w+)\(", text) or re.match(r"[^.]+\(.*?\)\.(\w+)\(", text)
    return found[1] if found else ""


def _says(name: str, error: Exception, text: str) -> bool:
    """Whether an error names the function, by this name or the one that it is an alias of, or one that is inside."""
    functions = [getattr(home, name) for home in (np, np.linalg, numpy, special, Tensor) if hasattr(home, name)]
    names = [getattr(function, "__name__", name) for function in functions]
    return any(x in str(error) for x in (name, *names, *re.findall(r"(\w+)\(", text)))


def _of_error(text: str, error: Exception, refused: Exception | None, theirs: Any) -> str | None:
    if _name(text) in FURTHER or str(error) == str(refused):  # NumPy's own words
        return None
    said = f"{type(error).__name__}: {error}"
    if not isinstance(error, REFUSALS) or isinstance(error, INTERNAL):
        return f"internal {said}"
    known = DOCUMENTED.search(str(error)) or "None" in text or MORE.search(text)
    if refused is None and not known and all(numpy.asarray(x).dtype.kind in "fiub" for x in flatten(theirs)):
        return f"refused, where NumPy does not: {said}"
    if (
        _name(text)
        and not text.startswith("numpy.")
        and not _says(_name(text), error, text)
        and not DOCUMENTED.search(str(error))
    ):
        return f"nameless {said}"
    return None


def _unlike(text: str, ours: Any, theirs: Any) -> str | None:
    ours, theirs = flatten(ours), flatten(theirs)
    if len(ours) != len(theirs):
        return f"structure: {len(ours)} results, not {len(theirs)}"
    for x, y in zip(ours, theirs):
        data = x.data if isinstance(x, Node) else x
        dtype, wanted = numpy.asarray(data).dtype, numpy.asarray(y).dtype
        if wanted.kind not in "fiub":
            continue
        # numbers of Python do not widen float32 here
        narrow = (dtype, wanted) == ("f4", "f8") or dtype == "f8" and wanted.kind == "f" and WIDER.search(text)
        if type(data) is not int and dtype != wanted and not narrow:
            return f"dtype {dtype}, not {wanted}"
        if numpy.shape(data) != numpy.shape(y):
            return f"shape {numpy.shape(data)}, not {numpy.shape(y)}"
        if not (
            _close(data, y, text)
            or _unwritten(text)
            or OF_CHOICE.search(text)
            or SPECIAL.search(text)
            and INEXACT.search(text)
        ):
            return " ".join(f"value {data!r}, not {y!r}".split())
    floats = [numpy.asarray(y).dtype.kind == "f" for y in theirs]
    constant = _name(text) in {*NOT_NODES, *FURTHER} or not re.match("np|numpy|special|stats", text)
    if any(floats) and not constant and not any(isinstance(x, Node) for x in ours):
        return "constant, where a node took part"
    return None


def _unwritten(text: str) -> bool:
    """Whether some numbers are those that were in the memory before."""
    return "where=" in text and isinstance(getattr(numpy, _name(text), None), numpy.ufunc)


def _close(ours: Any, theirs: Any, text: str) -> bool:
    if not isinstance(theirs, numpy.ndarray | numpy.number | float) or numpy.asarray(theirs).dtype.kind != "f":
        return bool(numpy.all(numpy.asarray(ours == theirs)))
    x, y = numpy.asarray(ours), numpy.asarray(theirs)
    y = y.astype(x.dtype) if x.itemsize < y.itemsize else y
    if INEXACT.search(text):
        x, y = (numpy.where(numpy.isfinite(z), z, numpy.nan) for z in (x, y))
    digits = 1e-2 if "f2" in text else 2e-4 if "f4" in text or "float32" in text or y.itemsize < 8 else 1e-9
    size = numpy.max(abs(y[numpy.isfinite(y)]), initial=1e-6 * ("linalg" in text) + ("stats" in text))
    return bool(numpy.allclose(x, y, rtol=digits, atol=digits * size, equal_nan=True))


def sort_of(said: str | None) -> str:
    """What kind of failure it is."""
    return re.sub(r"\d+|'.*?'", "", (said or "").split("\n")[0])[:40].split(" array")[0]
