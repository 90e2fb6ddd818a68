"""Averages, quantiles, correlation, counts, and the reductions that pass over NaN."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arguments import axes_of, is_node
from ..meeting import as_array
from ..node import Tensor
from ..operation import OPERATIONS
from . import masks, reducing
from .dispatch import blank_of, data_of, floats, record
from .moving import concatenate, diagonal, take, take_along_axis
from .reducing import selected
from .shaping import atleast_2d, broadcast_to

_where, _maximum, _floor = (OPERATIONS[name] for name in "where maximum floor".split())

ptp = lambda a, axis=None, *, keepdims=False: (
    reducing.max(a, axis, keepdims=keepdims) - reducing.min(a, axis, keepdims=keepdims)
)


def average(a: Tensor, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """As numpy.average; the weights have their gradient, too."""
    a, axis = floats(a), tuple(axis) if np.ndim(axis) else axis
    w: Any = np.ones(a.shape, a.dtype) if weights is None else as_array(weights)
    if w.shape != a.shape:
        np.average(blank_of(a), axis, np.ones(w.shape))  # or an error
        axes = [i % a.ndim for i in np.atleast_1d(axis)]
        w = w.transpose(*np.argsort(axes)).reshape(*(n if i in axes else 1 for i, n in enumerate(a.shape)))
    total = reducing.sum(broadcast_to(w, a.shape), axis, np.result_type(a.dtype, w.dtype), keepdims=keepdims)
    mean = reducing.sum(a * w, axis, keepdims=keepdims) / total
    return (mean, total) if returned else mean


def _quantile(name: str) -> Callable[..., Any]:
    """The function of this name; the place in 0, 1, ... n - 1 where it looks is what NumPy's own gives for these.

    The gradient goes to the two elements that it lies between.
    """
    plain, over_nan = getattr(np, name.removeprefix("nan")), name.startswith("nan")

    def function(a: Tensor, q, axis=None, *, method="linear", keepdims=False, overwrite_input=False) -> Tensor:
        q, axes = np.asarray(q, float), axes_of(tuple(axis) if np.ndim(axis) else axis, a.ndim)
        rows = reducing.sort(reducing.rows(floats(a), axes))
        out = _between(rows, lambda n: plain(np.arange(n), q, method=method).ravel(), over_nan)
        return out.reshape(q.shape + reducing.without(a.shape, axes, keepdims))

    return function


def _between(rows: Tensor, places: Callable, over_nan: bool) -> Tensor:
    """Between elements of sorted rows at these places of the length of each; an axis of places comes first."""
    n, last = rows.shape[-1], rows[..., -1:]
    if not n:
        raise ValueError("there is no median or quantile of no elements")
    if over_nan:  # which is last
        lengths: Any = _maximum(masks.count_nonzero(rows == rows, -1), 1)
        several: Any = range(1, n + 1) if is_node(lengths) else np.unique(lengths)
        levels: Any = np.stack([*map(places, several)])
        place = take(levels, masks.searchsorted(several, lengths), 0)
    else:
        place = np.broadcast_to(places(n), (*rows.shape[:-1], places(n).size))
    low = _floor(place).astype(int)
    share = (place - low).astype(rows.dtype)
    x, y = (take_along_axis(rows, i, -1) for i in (low, low + (share > 0)))
    out = x * (1 - share) + share * _where(share, y, 0.0)
    return (out if over_nan else _where(last == last, out, last)).transpose(-1, *range(rows.ndim - 1))


quantile, percentile, nanquantile, nanpercentile = map(
    _quantile, ("quantile", "percentile", "nanquantile", "nanpercentile")
)
# the gradient goes to the one or two elements in the middle
median = lambda a, axis=None, *, overwrite_input=False, keepdims=False: quantile(a, 0.5, axis, keepdims=keepdims)
nanmedian = lambda a, axis=None, *, overwrite_input=False, keepdims=False: nanquantile(a, 0.5, axis, keepdims=keepdims)


def _observations(m: Any, rowvar: bool, dtype: Any) -> Tensor:
    """A row for each variable."""
    x = selected(m, dtype or np.float64, kinds="f")
    if x.ndim > 2:
        raise ValueError(f"cov: of an array of variables and observations, not of shape {x.shape}")
    return atleast_2d(x) if rowvar or x.ndim < 2 else x.T


def _covariance(x: Tensor, ddof: int, fweights: Any, aweights: Any) -> Tensor:
    """Of the rows of x; the weights are constants."""
    n: Any = x.shape[1]
    f, a = (np.ones(n) if weights is None else np.asarray(weights) for weights in (fweights, aweights))
    if fweights is not None or aweights is not None:
        np.cov(np.zeros((1, n)), ddof=ddof, fweights=f.copy(), aweights=a)  # refuses bad weights, and changes them
    w = (f * a).astype(x.dtype)
    total = w.sum()
    lost = ddof * (w * a).sum() / total
    deviation = x - (x * w).sum(1, keepdims=True) / total
    return ((deviation * w) @ deviation.T / max(float(total - lost), 0.0)).squeeze()


cov = lambda m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None: _covariance(
    concatenate([_observations(part, rowvar, dtype) for part in (m, y) if part is not None]),
    int(bias == 0) if ddof is None else ddof,
    fweights,
    aweights,
)


def corrcoef(x: Tensor, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    """As numpy.corrcoef."""
    c = cov(x, y, rowvar, dtype=dtype)
    size = diagonal(atleast_2d(c)).sqrt()
    return (c / size / size.reshape(-1, 1)).reshape(c.shape)


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """As numpy.bincount; the gradient goes to the weights."""
    x = data_of(x)
    plain = np.bincount(x, None if weights is None else np.zeros(weights.shape), minlength)  # or an error
    return OPERATIONS["scatter"](weights, np.asarray(x, int), plain.shape)


def _over_nan(function: Callable[..., Any], number: float | None = None) -> Callable[..., Any]:
    """A function with a number in the place of NaN, or without one a reduction that selects what is none."""
    if number is None:
        return lambda a, *args, where=True, **kwargs: function(a, *args, where=(a == a) * where, **kwargs)
    return lambda a, *args, **kwargs: function(_where(a == a, a, number), *args, **kwargs)


def _extreme(function: Callable[..., Any], least: float) -> Callable[..., Any]:
    """The largest or smallest of all numbers; NaN where there is none."""

    def over(a: Tensor, axis=None, *, keepdims=False, **kwargs) -> Tensor:
        out = _over_nan(function, least)(a, axis, keepdims=keepdims, **kwargs)
        return out if "initial" in kwargs else _where(reducing.max(a == a, axis, keepdims=keepdims), out, np.nan)

    return over


nansum, nanprod, nanmean, nanvar, nanstd = map(
    _over_nan, (reducing.sum, reducing.prod, reducing.mean, reducing.var, reducing.std)
)
nancumsum, nancumprod = _over_nan(reducing.cumsum, 0.0), _over_nan(reducing.cumprod, 1.0)
nanmax, nanmin = _extreme(reducing.max, -np.inf), _extreme(reducing.min, np.inf)


def _cumulative(function: Callable[..., Any], initial: float) -> Callable[..., Any]:
    def cumulative(x: Tensor, *, axis=None, dtype=None, include_initial=False) -> Tensor:
        if axis is None and x.ndim > 1:
            raise ValueError(f"an array of shape {x.shape} needs axis=")
        out = function(x, axis, dtype)
        axis = 0 if axis is None else axis % out.ndim
        edge = np.full([1 if i == axis else n for i, n in enumerate(out.shape)], initial, out.dtype)
        return concatenate([edge, out], axis) if include_initial else out

    return cumulative


cumulative_sum, cumulative_prod = _cumulative(reducing.cumsum, 0.0), _cumulative(reducing.cumprod, 1.0)
__all__ = record(globals())
