"""Layers of sequences: arrays (..., time, features), and integers (..., time) that Embedding makes such arrays of."""

from typing import Any

import numpy

import autograd.numpy as np
from autograd import Tensor, Value, scan
from autograd.operation import OPERATIONS
from autograd.tree import flatten

from .arguments import array, generator, places, positive, taken
from .init import Initializer, initial, normal, xavier
from .layers import Linear
from .module import Module


class Embedding(Module):
    """A vector for each of `count` symbols: from integers (...) to (..., width), the rows of `weight` (count, width).

    Raises IndexError for a symbol that is not from 0 to count - 1, in a compiled program too.
    """

    _form = "{count} -> {width}"

    def __init__(self, count: int, width: int, rng: Any, init: Initializer = normal, dtype: Any = None):
        self.count, self.width = positive("Embedding: count", count), positive("Embedding: width", width)
        self.weight = initial(init, (self.count, self.width), generator(rng), dtype)

    def forward(self, symbols: Any) -> Tensor:
        symbols = array(self, symbols)
        if isinstance(symbols, Value) or symbols.dtype.kind not in "iu":
            raise TypeError(f"{self.describe()} takes integers, not an input of {getattr(symbols, 'dtype', 'Value')}")
        takes = f"{self.describe()} takes integers from 0 to {self.count - 1}"
        if isinstance(symbols, Tensor):  # their numbers are known when the program runs
            return OPERATIONS["gather"](self.weight, places(symbols, self.count, takes))
        if symbols.size and not 0 <= symbols.min() <= symbols.max() < self.count:
            raise IndexError(f"{takes}, got some from {symbols.min()} to {symbols.max()}")
        return self.weight[symbols]


class Attention(Module):
    """Multi-head self-attention (Vaswani et al. 2017, section 3.2), from (..., time, width) to the same.

    Each of `heads` has width / heads of the features. If `causal`, a position looks at itself and those before it. A
    mask given with x is boolean, True where a position may look, one for all heads, broadcast to (..., time, time);
    what may look nowhere takes nothing. The four weights begin as `init` says; PyTorch takes those of queries, keys and
    values for one matrix (width, 3 * width). Raises ValueError for other shapes, TypeError for a mask of numbers.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        rng: Any,
        causal: bool = False,
        bias: bool = False,
        init: Initializer = xavier,
        dtype: Any = None,
    ):
        self.width, self.heads = positive("Attention: width", width), positive("Attention: heads", heads)
        self.causal = causal
        self._form = "{width}, heads={heads}" + ", causal" * causal
        if self.width % self.heads:
            raise ValueError(f"{self.describe()}: each head has width / heads features, so heads must divide width")
        rng = generator(rng)
        self.queries, self.keys, self.values, self.out = (
            Linear(self.width, self.width, rng, init, bias=bias, dtype=dtype) for _ in range(4)
        )

    def forward(self, x: Any, mask: Any = None) -> Tensor:
        """What each position takes over from those that it looks at."""
        mixed = self.shares(x, mask) @ self._by_head(self.values(x))
        return self.out(np.reshape(np.swapaxes(mixed, -2, -3), np.shape(x)))

    def shares(self, x: Any, mask: Any = None) -> Tensor:
        """How much each position (the last axis but one) takes from each (the last): (..., heads, time, time)."""
        x = taken(self, x, f"(..., time, {self.width})", lambda shape: len(shape) > 1 and shape[-1] == self.width)
        scores = self._by_head(self.queries(x)) @ self._by_head(self.keys(x)).mT * (self.width // self.heads) ** -0.5
        seen = self._seen(mask, (*x.shape[:-1], x.shape[-2]))
        if seen is not None:
            scores = np.where(seen, scores, float(numpy.finfo(scores.dtype).min))  # no -inf: detect_anomaly looks
        shares = np.softmax(scores, axis=-1)
        return shares if mask is None else np.where(seen, shares, 0.0)  # all alike, where nothing is seen

    def _by_head(self, x: Any) -> Tensor:
        """(..., time, width) as (..., heads, time, width / heads)."""
        return np.swapaxes(np.reshape(x, (*x.shape[:-1], self.heads, self.width // self.heads)), -2, -3)

    def _seen(self, mask: Any, shape: tuple[int, ...]) -> Any:
        """Where positions may look, with an axis for the heads; None for everywhere."""
        before = numpy.tri(shape[-1], dtype=bool) if self.causal else None
        if mask is None:
            return before
        mask = array(self, mask)
        pairs = zip(np.shape(mask)[::-1], shape[::-1])
        if not 2 <= np.ndim(mask) <= len(shape) or any(n not in (1, length) for n, length in pairs):
            raise ValueError(
                f"{self.describe()}: a mask of shape {np.shape(mask)} is none for (..., time, time), here {shape}; "
                "one that says for each key whether it may be looked at, (batch, time), is mask[:, None, :]"
            )
        if mask.dtype != bool:
            raise TypeError(f"{self.describe()}: a mask is boolean, True where a position may look, not {mask.dtype}")
        mask = mask[..., None, :, :]
        return mask if before is None else mask & before


class _Recurrent(Module):
    """What recurrent layers share: from (..., time, n_in) to outputs (..., time, width), and the state after the last.

    `inputs` and `memory` are Linear layers of the input and of the last output, for all gates side by side, in
    PyTorch's order; their weights and biases begin uniform within 1 / sqrt(width), as PyTorch's.
    """

    gates, _form = 1, "{n_in} -> {width}"

    def __init__(self, n_in: int, width: int, rng: Any, bias: bool = True, dtype: Any = None):
        kind = type(self).__name__
        self.n_in, self.width = positive(f"{kind}: n_in", n_in), positive(f"{kind}: width", width)
        rng, bound, gates = generator(rng), self.width**-0.5, self.gates * self.width
        draw: Initializer = lambda shape, rng: rng.uniform(-bound, bound, shape)
        self.inputs = Linear(self.n_in, gates, rng, draw, draw, f"{self.describe()}.inputs", bias, dtype)
        self.memory = Linear(self.width, gates, rng, draw, draw, f"{self.describe()}.memory", bias, dtype)

    def forward(self, x: Any, state: Any = None) -> tuple[Tensor, Any]:
        """The outputs (..., time, width) and the last state, after this state or `begin`."""
        takes = f"(..., time, {self.n_in}), time at least 1"
        x = taken(self, x, takes, lambda shape: len(shape) > 1 and shape[-1] == self.n_in and shape[-2] > 0)
        zeros = self.begin(np.shape(x)[:-2])
        state = zeros if state is None else state
        given, wanted = ([np.shape(h) for h in flatten(each)] for each in (state, zeros))
        if given != wanted:
            raise ValueError(f"{self.describe()} has a state of {wanted} for this input, got {given}")
        last, outputs = scan(self.step, state, np.moveaxis(x, -2, 0))
        return np.moveaxis(outputs, 0, -2), last

    def step(self, state: Any, x: Any) -> tuple[Any, Tensor]:
        """The cell: the state after an input x (..., n_in), and the output."""
        raise NotImplementedError

    def begin(self, batch: tuple[int, ...] = ()) -> Any:
        """The state before anything was seen: zeros."""
        return numpy.zeros((*batch, self.width), self.inputs.weight.dtype)


class RNN(_Recurrent):
    """A recurrent layer whose state is its output (Elman 1990, Finding structure in time)."""

    def step(self, state: Any, x: Any) -> tuple[Any, Tensor]:
        h = np.tanh(self.inputs(x) + self.memory(state))
        return h, h


class GRU(_Recurrent):
    """Gated recurrent units (Cho et al. 2014); as in PyTorch, the reset gate r follows the product. Gates r, z, n."""

    gates = 3

    def step(self, state: Any, x: Any) -> tuple[Any, Tensor]:
        (r, z, n), (r_memory, z_memory, n_memory) = (np.split(y, 3, -1) for y in (self.inputs(x), self.memory(state)))
        fresh = np.tanh(n + np.sigmoid(r + r_memory) * n_memory)
        h = fresh + np.sigmoid(z + z_memory) * (state - fresh)
        return h, h


class LSTM(_Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; with forget gates, Gers et al. 2000). Gates i, f, g, o.

    Its state is a pair, the last output and the cells.
    """

    gates = 4

    def step(self, state: Any, x: Any) -> tuple[Any, Tensor]:
        h, cell = state
        i, f, g, o = np.split(self.inputs(x) + self.memory(h), 4, -1)
        cell = np.sigmoid(f) * cell + np.sigmoid(i) * np.tanh(g)
        h = np.sigmoid(o) * np.tanh(cell)
        return (h, cell), h

    def begin(self, batch: tuple[int, ...] = ()) -> Any:
        return super().begin(batch), super().begin(batch)
