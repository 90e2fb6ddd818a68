"""Gradients against finite differences, to any order."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .node import Node, Tensor, no_grad
from .transforms import grad, leaves, map_tree


def check_gradients(f: Callable, *args: Any, order: int = 2, rtol: float = 1e-5, rng: Any = 0) -> None:
    """Compare the derivatives of f at these arguments with central differences, up to an order.

    Arguments are floats, arrays, and lists, tuples and dicts of them. A result with several elements is weighed by random
    numbers, and so are the gradients whose derivatives the next order is; `rng` is their generator or seed. The tolerance
    is `rtol` of the derivative and of f per step, plus what rounding of f's values costs. Raises an AssertionError that
    names the argument, the element, both numbers and the error.
    """
    rng = np.random.default_rng(rng)
    args = map_tree(lambda x: x.data if isinstance(x, Node) else x, args)
    scalar = _weighed(f, args, rng)
    _compare(scalar, args, rtol, name=getattr(f, "__name__", repr(f)))
    if order > 1:
        every = tuple(range(len(args)))
        weights = [rng.uniform(0.5, 1.5, np.shape(x)) for x in leaves(args)]

        def directional(*inner: Any) -> Any:
            parts = leaves(grad(scalar, every)(*inner))
            return sum((_dot(part, weight) for part, weight in zip(parts, weights)), start=0.0)

        directional.__name__ = f"derivative of {getattr(f, '__name__', f)}"
        check_gradients(directional, *args, order=order - 1, rtol=rtol, rng=rng)


def _dot(x: Any, weight: np.ndarray) -> Any:
    return (x * weight).sum() if isinstance(x, (Tensor, np.ndarray)) else x * float(weight)


def _weighed(f: Callable, args: tuple, rng: np.random.Generator) -> Callable:
    """f with its results, whatever their structure and shapes, summed with fixed random weights."""
    with no_grad():
        results = [x.data if isinstance(x, Node) else x for x in leaves(f(*args))]
    weights = [rng.uniform(0.5, 1.5, np.shape(x)) for x in results]

    def scalar(*inner: Any) -> Any:
        return sum((_dot(x, weight) for x, weight in zip(leaves(f(*inner)), weights)), start=0.0)

    return scalar


def _compare(f: Callable, args: tuple, rtol: float, name: str) -> None:
    analytic = list(leaves(grad(f, tuple(range(len(args))))(*args)))
    flat = list(leaves(args))
    for number, (x, g) in enumerate(zip(flat, analytic)):
        x, g = np.asarray(x), np.asarray(g)
        precision = np.finfo(x.dtype if x.dtype.kind == "f" else float).eps
        for index in np.ndindex(x.shape):
            numeric, noise = _difference(f, args, number, index)
            error = abs(g[index] - numeric)
            allowed = max(rtol, 100 * precision ** 0.75) * abs(numeric) + noise
            if not (error <= allowed or np.isnan(numeric) and np.isnan(g[index])):
                raise AssertionError(f"{name}: the gradient with respect to argument {number} (in order of its parts), element "
                                     f"{index}, is {g[index]!r}, finite differences give {numeric!r}: off by {error:.3g}, "
                                     f"allowed {allowed:.3g}")


def _difference(f: Callable, args: tuple, number: int, index: tuple) -> tuple[float, float]:
    """df / d(one element) by the five-point formula, in float64, and the error that rounding may have in it."""
    flat = [np.array(x, float) for x in leaves(args)]
    center = flat[number][index]
    step = 1e-3 * (abs(center) if abs(center) > 1e-100 else 1.0)  # of a subnormal nothing would be left

    def at(offset: float) -> float:
        moved = [x.copy() for x in flat]
        moved[number][index] = center + offset
        parts = iter(moved)
        plain = map_tree(lambda x: (lambda y: y if isinstance(x, np.ndarray) else float(y))(next(parts)), args)
        result = f(*plain)
        return float(np.asarray(result.data if isinstance(result, Node) else result))

    with np.errstate(all="ignore"):
        far, near = at(2 * step) - at(-2 * step), at(step) - at(-step)
    numeric = (8 * near - far) / (12 * step)
    scale = max(abs(at(step)), abs(at(-step)), abs(at(0.0)))
    return numeric, 50 * np.finfo(float).eps * scale / step
