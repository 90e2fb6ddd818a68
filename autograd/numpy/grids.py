"""Numbers along a line, and what is computed from the values of a function there."""

import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index as axis_of

from ..meeting import as_array, as_weak
from ..node import Tensor, kinds
from ..operation import OPERATIONS
from . import masks
from .dispatch import blank_of, data_of, floats, record
from .elementwise import clip, where
from .moving import concatenate, take
from .reducing import diff, selected
from .shaping import cut, moveaxis


def _between(start: Any, stop: Any, num: int, endpoint: bool) -> Any:
    """Along a first axis, how far points are from start to stop: 0.0 ... 1.0."""
    dtype = np.result_type(start.dtype, stop.dtype, 1.0)
    return np.linspace(0.0, 1.0, num, endpoint, dtype=dtype).reshape(-1, *(1,) * max(start.ndim, stop.ndim))


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """As numpy.linspace."""
    start, stop = as_weak((start, stop))
    dtype = np.result_type(start.dtype, stop.dtype, 1.0) if dtype is None else dtype  # a mask is no wider than floats
    start, stop = floats(start), floats(stop)
    share = _between(start, stop, num, endpoint)
    line = where(share == 1.0, stop, start + (stop - start) * share)
    line = moveaxis(selected(line, dtype, kinds="f"), 0, axis)
    steps = operator.index(num) - bool(endpoint)
    return (line, (stop - start) / steps if steps > 0 else np.nan) if retstep else line


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """As numpy.geomspace."""
    start, stop = as_array(start), as_array(stop)
    if not kinds.tracing and not (np.all(data_of(start)) and np.all(data_of(stop))):
        raise ValueError("geomspace: no geometric sequence begins or ends with 0")
    line = start * (stop / start) ** _between(start, stop, num, endpoint)
    return moveaxis(selected(line, dtype, kinds="f"), 0, axis)


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> Any:
    """As numpy.interp; the slope at a point of xp is that to its right."""
    x, xp, fp = map(floats, (x, xp, fp))
    np.interp(0.0, blank_of(xp), blank_of(fp), period=period)  # or an error
    if period is not None:
        period, left, right = abs(period), None, None
        x, xp = (a - period * OPERATIONS["floor"](a / period) for a in (x, xp))
        order = masks.argsort(xp)
        xp, fp = (concatenate([row[-1:], row, row[:1]]) for row in (take(xp, order), take(fp, order)))
        xp = xp + period * np.repeat([-1, 0, 1], [1, xp.size - 2, 1])
    i = clip(masks.searchsorted(xp, x, "right") - 1, 0, max(0, xp.size - 2))
    j = OPERATIONS["minimum"](i + 1, xp.size - 1)
    (x0, x1), (y0, y1) = ([take(row, k) for k in (i, j)] for row in (xp, fp))
    inside = y0 + ((y1 - y0) / (x1 - x0) if xp.size > 1 else 0.0) * (x - x0)
    inside = where(x < xp[0], fp[0] if left is None else left, inside)
    return where(x > xp[-1], fp[-1] if right is None else right, inside)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """As numpy.trapezoid."""
    y = floats(y)
    place = axis_of(axis, y.ndim)
    if x is not None:
        x = floats(x)
        dx = diff(x).reshape(-1, *(1,) * (y.ndim - place - 1)) if x.ndim == 1 else diff(x, axis=axis)
    return (dx * (cut(y, place, 1, None) + cut(y, place, None, -1)) * 0.5).sum(axis)


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """As numpy.gradient: slopes by differences of second order inside, and of `edge_order` at the ends."""
    f = floats(f)
    spacings = [floats(h) for h in varargs or (1.0,)]
    places = [1.0 + np.arange(h.size).reshape(h.shape) for h in spacings]
    np.gradient(blank_of(f), *places, axis=axis, edge_order=edge_order)  # type: ignore[call-overload]  # or an error
    axes = [axis_of(i, f.ndim) for i in (range(f.ndim) if axis is None else np.ravel(axis))]
    spacings = spacings * len(axes) if len(spacings) == 1 else spacings
    slopes = [moveaxis(_slopes(moveaxis(f, i, -1), h, edge_order), -1, i) for i, h in zip(axes, spacings)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _slopes(f: Any, h: Any, edge_order: int) -> Any:
    """Slopes along the last axis; h is the distance of its points, or says where they are."""
    h = diff(h) if h.ndim else h.astype(f.dtype) * np.ones(f.shape[-1] - 1, f.dtype)
    between = diff(f) / h
    first, last = between[..., :1], between[..., -1:]
    left, right = h[:-1], h[1:]
    inside = (left * between[..., 1:] + right * between[..., :-1]) / (left + right)
    if edge_order != 1:
        bend = diff(between) / (left + right)
        first, last = first - h[:1] * bend[..., :1], last + h[-1:] * bend[..., -1:]
    return concatenate([first, inside, last], -1).astype(f.dtype)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Any:
    """As numpy.vander."""
    if x.ndim != 1 or N is not None and N < 0:
        raise ValueError(f"vander: powers of a row of numbers, not {N} of an array of shape {x.shape}")
    return x[:, None] ** np.arange(len(x) if N is None else operator.index(N))[:: 1 if increasing else -1]


logspace = lambda start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0: selected(
    base ** linspace(start, stop, num, endpoint, axis=axis), dtype, kinds="f"
)
__all__ = record(globals())
