"""A small causal transformer on integer tokens, with masks and dropout: what a TrainStep has to compile."""

import numpy as np

import autograd.numpy as anp
import nn
from autograd import Tensor, random

DTYPE = np.float32


class Transformer(nn.Module):
    """One layer of attention and one of a network of width 4 * width, after each of which numbers are dropped out."""

    def __init__(self, symbols=27, places=16, width=16, heads=4, p=0.1, seed=0):
        self.rng, self.heads, self.p = np.random.default_rng(seed), heads, p

        def weight(*shape):
            return Tensor(self.rng.normal(0, 0.08, shape).astype(DTYPE))

        self.tokens, self.places = weight(symbols, width), weight(places, width)
        self.queries, self.keys, self.values, self.out = (weight(width, width) for _ in range(4))
        self.up, self.down, self.head = weight(width, 4 * width), weight(4 * width, width), weight(width, symbols)

    def __call__(self, tokens):
        places = np.arange(tokens.shape[-1])
        x = normed(self.tokens[tokens] + self.places[places])
        x = x + self.dropped(self.attention(normed(x)))
        x = x + self.dropped(anp.relu(normed(x) @ self.up) @ self.down)
        return x @ self.head

    def attention(self, x):
        *batch, places, width = x.shape

        def split(weights):
            return anp.swapaxes(anp.reshape(x @ weights, (*batch, places, self.heads, width // self.heads)), -2, -3)

        q, k, v = split(self.queries), split(self.keys), split(self.values)
        scores = q @ k.mT * (width // self.heads) ** -0.5
        seen = np.tril(np.ones((places, places), bool))
        shares = anp.softmax(anp.where(seen, scores, -np.inf), axis=-1)
        return anp.reshape(anp.swapaxes(shares @ v, -2, -3), (*batch, places, width)) @ self.out

    def dropped(self, x):
        keep = random.bernoulli(self.rng, 1 - self.p, x.shape)
        return anp.where(keep, x / DTYPE(1 - self.p), DTYPE(0))


def normed(x):
    """Divided by the root of the mean square."""
    return x / anp.sqrt((x * x).mean(-1, keepdims=True) + DTYPE(1e-5))


def cross_entropy(logits, labels):
    """The mean of minus the logarithms of the labels' probabilities; a label of -1 does not count."""
    among = anp.maximum(labels, 0)
    logs = anp.take_along_axis(anp.log_softmax(logits, axis=-1), among[..., None], -1)[..., 0]
    counts = labels >= 0
    return -anp.where(counts, logs, DTYPE(0)).sum() / anp.maximum(counts.sum(), 1).astype(DTYPE)


def batches(count, batch=16, places=16, symbols=27, seed=0):
    """Tokens, and the ones that follow them; rows end early, with labels of -1."""
    rng = np.random.default_rng(seed)
    lines = rng.integers(0, symbols, (count, batch, places + 1))
    lines[..., 1::2] = (lines[..., :-1:2] * 5 + 3) % symbols  # every second one can be known
    ends = rng.integers(4, places, (count, batch, 1))
    return lines[..., :-1], np.where(np.arange(places) < ends, lines[..., 1:], -1)


def step(backend="auto", **kwargs):
    """A TrainStep of it."""
    model = Transformer(**kwargs)
    return nn.TrainStep(model, cross_entropy, nn.Adam(model.parameters(), lr=0.01), backend)
