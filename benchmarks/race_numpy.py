"""The race by NumPy with derivatives by hand, and the judge: every contender must reach its losses."""

import sys
from collections.abc import Callable

import numpy as np
import race
import task

JUDGED, TOLERANCE = 50, 1e-3  # so many losses are compared; float32 stays within 1e-4 of float64 so long


def normed(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows divided by the root of their mean square, and by what they were multiplied."""
    r = (np.einsum("...i,...i", x, x)[..., None] / x.shape[-1] + race.EPS) ** -0.5
    return x * r, r


def unnormed(y: np.ndarray, r: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The gradient of the rows from the one of normed rows y."""
    return r * (g - y * (np.einsum("...i,...i", g, y)[..., None] / y.shape[-1]))


def product(g: np.ndarray, x: np.ndarray, w: np.ndarray, gw: np.ndarray) -> np.ndarray:
    """Of x @ w: the gradient of w, written into gw, and that of x, which is returned."""
    np.dot(x.reshape(-1, x.shape[-1]).T, g.reshape(-1, g.shape[-1]), out=gw)
    return g @ w.T


def split(x: np.ndarray) -> np.ndarray:
    """(rows, time, width) apart by heads, and back again of (rows, heads, time, size)."""
    if x.ndim == 3:
        return x.reshape(*x.shape[:2], race.HEADS, -1).transpose(0, 2, 1, 3)
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)


def attention(q: np.ndarray, k: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """How much of each place each place sees."""
    a = np.where(seen, q @ k.swapaxes(-1, -2) * q.shape[-1] ** -0.5, np.array(-1e9, q.dtype))
    a = np.exp(a - a.max(-1, keepdims=True))
    return a / a.sum(-1, keepdims=True)


def unattended(q: np.ndarray, k: np.ndarray, v: np.ndarray, a: np.ndarray, g: np.ndarray) -> list[np.ndarray]:
    """The gradients of q, k and v from the one of a @ v, no longer apart by heads."""
    ga = g @ v.swapaxes(-1, -2)
    gs = a * (ga - np.einsum("...i,...i", a, ga)[..., None]) * q.shape[-1] ** -0.5
    return [split(x) for x in (gs @ k, gs.swapaxes(-1, -2) @ q, a.swapaxes(-1, -2) @ g)]


def entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean of cross entropies, and the gradient by the logits, which are overwritten."""
    real = np.nonzero(labels >= 0)
    chosen, g = (*real, labels[real]), logits
    g -= g.max(-1, keepdims=True)
    right = g[chosen].sum()
    np.exp(g, out=g)
    sums = g.sum(-1, keepdims=True)
    g /= sums
    g[chosen] -= 1
    g *= ((labels >= 0) / len(real[0])).astype(g.dtype)[..., None]
    return (np.log(sums[real]).sum() - right) / len(real[0]), g


def derivatives(parameters: list, gradients: list, tokens: np.ndarray, labels: np.ndarray) -> float:
    """The loss of a batch; gradients are written into what is given."""
    embedding, placing, wq, wk, wv, wo, w1, w2, out = parameters
    ge, gp, gq, gk, gv, go, g1, g2, gout = gradients
    symbols, places, seen = race.parts(tokens)
    x0, r0 = normed(embedding[symbols] + placing[places])
    h, r1 = normed(x0)
    q, k, v = (split(h @ w) for w in (wq, wk, wv))
    a = attention(q, k, seen)
    mixed = split(a @ v)
    x1 = x0 + mixed @ wo
    m, r2 = normed(x1)
    z = np.maximum(m @ w1, 0)
    x2 = x1 + z @ w2
    loss, g = entropy(x2 @ out, labels)

    g = product(g, x2, out, gout)
    g = g + unnormed(m, r2, product(product(g, z, w2, g2) * (z > 0), m, w1, g1))
    gs = unattended(q, k, v, a, split(product(g, mixed, wo, go)))
    gh = sum(product(x, h, w, gw) for x, w, gw in zip(gs, (wq, wk, wv), (gq, gk, gv)))
    g = unnormed(x0, r0, g + unnormed(h, r1, gh)).reshape(-1, h.shape[-1])
    for chosen, count, gw in ((symbols, race.SYMBOLS, ge), (np.broadcast_to(places, symbols.shape), race.BLOCK, gp)):
        np.dot(np.eye(count, dtype=g.dtype)[:, chosen.ravel()], g, out=gw)
    return loss


def views(flat: np.ndarray, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Arrays of such shapes whose numbers are in one vector."""
    stops = np.cumsum([a.size for a in arrays])
    return [flat[stop - a.size : stop].reshape(a.shape) for stop, a in zip(stops, arrays)]


def numpy_race(width: int, n: int, dtype: str) -> Callable:
    """All parameters in one vector, so that Adam is a few calls; each batch is without its padding."""
    (first, second), data, arrays = race.BETAS, race.trimmed(n), race.weights(width, dtype)

    def work() -> list[float]:
        flat = np.concatenate([a.ravel() for a in arrays])
        mean, square, g = (np.zeros_like(flat) for _ in range(3))
        parameters, gradients, losses = views(flat, arrays), views(g, arrays), []
        for step, (tokens, labels) in enumerate(data, 1):
            losses.append(derivatives(parameters, gradients, tokens, labels))
            mean += (1 - first) * (g - mean)
            square += (1 - second) * (g * g - square)
            root = np.sqrt(square / (1 - second**step)) + race.TINY
            flat -= race.rate(step) / (1 - first**step) * mean / root
        return losses

    work.count = race.UPDATES * n
    return work


def judged(build: Callable) -> Callable:
    """The work that is built, once its losses are seen to be those of this file's in float64."""

    def builder(width: int, n: int, dtype: str) -> Callable:
        work = build(width, n, dtype)
        losses = np.asarray(work(), float)[:JUDGED]
        right = np.array(numpy_race(width, n, "float64")()[: len(losses)])
        error = np.abs(losses / right - 1).max()
        if not error < TOLERANCE:  # NaN is not
            raise ValueError(f"it computes something else: losses differ by {error:.2g} of their size")
        return work

    return builder


def serve(works: dict[str, Callable]) -> None:
    """As task.serve, of works that are judged, unless each run is the first, compilation included."""
    task.serve(works if " first " in sys.argv[1] else {name: judged(build) for name, build in works.items()})
