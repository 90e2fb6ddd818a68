"""Gradients against finite differences, to any order."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .calling import only_numbers
from .node import Node, Tensor
from .recording import no_grad
from .transforms import grad
from .tree import flatten, map_tree


def check_gradients(
    f: Callable[..., Any], *args: Any, order: int = 2, rtol: float = 1e-5, directions: int | None = None, rng: Any = 0
) -> None:
    """Compare the derivatives of f at these arguments with central differences, up to an order.

    Arguments are floats, arrays, and lists, tuples and dicts of them. A result with several elements is summed with
    random weights, and so are the first derivatives, to check the second; `rng` is the generator of these, or its seed.
    The tolerance is `rtol` of the derivative, plus what rounding of f's values costs. Every element is compared, at
    four evaluations of f each; with `directions`, that many random directions instead. Raises an AssertionError that
    names the argument, its worst element, both numbers and the error.
    """
    rng = np.random.default_rng(rng)
    args = map_tree(lambda x: x.data if isinstance(x, Node) else x, args)
    scalar, name = _weighed(f, args, rng), getattr(f, "__name__", repr(f))
    _compare(scalar, args, rtol, name, directions, rng)
    if order > 1:
        weights = [rng.uniform(0.5, 1.5, np.shape(x)) for x in flatten(args)]

        def derivative(*inner: Any) -> Any:
            parts = flatten(grad(scalar, tuple(range(len(args))))(*inner))
            return sum((_dot(part, weight) for part, weight in zip(parts, weights)), start=0.0)

        derivative.__name__ = f"derivative of {name}"
        check_gradients(derivative, *args, order=order - 1, rtol=rtol, directions=directions, rng=rng)


def _dot(x: Any, weight: np.ndarray) -> Any:
    return (x * weight).sum() if isinstance(x, (Tensor, np.ndarray)) else x * float(weight)


def _weighed(f: Callable[..., Any], args: tuple, rng: "np.random.Generator") -> Callable[..., Any]:
    """f with its results, whatever their structure and shapes, summed with fixed random weights."""
    with no_grad():
        only_numbers(output := f(*args))
        results = [x.data if isinstance(x, Node) else x for x in flatten(output)]
    weights = [rng.uniform(0.5, 1.5, np.shape(x)) for x in results]

    def scalar(*inner: Any) -> Any:
        return sum((_dot(x, weight) for x, weight in zip(flatten(f(*inner)), weights)), start=0.0)

    return scalar


def _compare(
    f: Callable[..., Any], args: tuple, rtol: float, name: str, directions: int | None, rng: "np.random.Generator"
) -> None:
    found = flatten(grad(f, tuple(range(len(args))))(*args))  # nodes, where f closes over some
    gradient = [np.asarray(g.data if isinstance(g, Node) else g) for g in found]
    points = [np.asarray(x) for x in flatten(args)]
    precision = max((np.finfo(x.dtype).eps for x in points if x.dtype.kind == "f"), default=0.0)
    rtol, worst, message = max(rtol, 100 * precision**0.75), 0.0, ""
    for where, direction in _directions(args, points, directions, rng):
        numeric, noise, size = _difference(f, args, direction)
        analytic = sum(float(np.sum(np.where(v == 0, 0.0, g) * v)) for g, v in zip(gradient, direction))
        error, allowed = abs(analytic - numeric), rtol * max(abs(numeric), abs(analytic)) + noise
        if np.isnan(numeric) and np.isnan(analytic) or error <= allowed and error <= worst * allowed:
            continue
        if (excess := error / allowed if allowed else np.inf) > worst or np.isnan(excess):
            worst = excess if excess == excess else np.inf
            message = (
                f"{name}: the derivative with respect to {where} is {analytic / size!r}, finite differences give "
                f"{numeric / size!r}: off by {error / size:.3g}, allowed {allowed / size:.3g}"
            )
    if worst > 1:
        raise AssertionError(message)


def _directions(
    args: tuple, points: list[np.ndarray], count: int | None, rng: "np.random.Generator"
) -> Iterator[tuple]:
    """Names and directions to go in, in the order of magnitude of what they change: every element, or random ones."""
    # a step of a subnormal's size would be lost in rounding
    scales = [np.where(np.abs(x) > 1e-100, np.abs(x), 1.0).astype(float) for x in points]
    if count is not None:
        for i in range(count):
            yield f"all arguments in random direction {i}", [s * rng.uniform(0.5, 1.5, s.shape) for s in scales]
        return
    for number, (path, scale) in enumerate(zip(_paths(args, "argument"), scales)):
        for index in np.ndindex(scale.shape):
            direction = [np.zeros_like(s) for s in scales]
            direction[number][index] = scale[index]
            yield f"{path}, element {index}" if index else path, direction


def _paths(tree: Any, path: str) -> Iterator[str]:
    """Where each leaf is: argument 0['weights'][1]."""
    if not isinstance(tree, (list, tuple, dict)):
        yield path
        return
    for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from _paths(part, f"{path} {key}" if path == "argument" else f"{path}[{key!r}]")


def _difference(f: Callable[..., Any], args: tuple, direction: list[np.ndarray]) -> tuple[float, float, float]:
    """In float64: the derivative in a direction by five points, what rounding may do to it, the direction's size."""
    flat, step = [np.array(x, float) for x in flatten(args)], 1e-3

    def at(offset: float) -> float:
        parts = iter([np.asarray(x + offset * v) for x, v in zip(flat, direction)])
        plain = map_tree(lambda x: (lambda y: y if isinstance(x, np.ndarray) else float(y))(next(parts)), args)
        result = f(*plain)
        return float(np.asarray(result.data if isinstance(result, Node) else result))

    with np.errstate(all="ignore"):
        far, near = at(2 * step) - at(-2 * step), at(step) - at(-step)
        scale = max(abs(at(step)), abs(at(-step)), abs(at(0.0)))
    size = max((float(np.max(v, initial=0.0)) for v in direction), default=1.0)
    return (8 * near - far) / (12 * step), 50 * np.finfo(float).eps * scale / step, size or 1.0
