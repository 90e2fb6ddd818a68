"""The race: what every contender computes, Karpathy's microgpt (2026) of one layer on names, and whether it does.

A name of n letters is n + 1 positions in a row of 16: symbol 0, which begins and ends names, then its letters; the labels
are its letters and symbol 0. What follows is padding, with labels of -1, which every contender may leave out.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import task

SYMBOLS, BLOCK, HEADS, EPS = 27, 16, 4, 1e-5
RATE, STEPS, BETAS, TINY = 0.01, 1000, (0.85, 0.99), 1e-8  # Adam's; the learning rate falls linearly to 0 in STEPS
LENGTHS = 2, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 7, 7, 8, 11  # of names, as likely as they stand here: 104 positions in 16
VOWELS = np.array([1, 5, 9, 15, 21])
CONSONANTS = np.setdiff1d(np.arange(1, SYMBOLS), VOWELS)
Batches = tuple[np.ndarray, np.ndarray]


def batches(count: int, n: int) -> Batches:
    """Symbols and labels (count, n, 16) of invented names: consonants and vowels take turns."""
    rng = np.random.default_rng(0)
    lengths = rng.choice(LENGTHS, (count, n, 1))
    letters = np.where(
        np.arange(BLOCK) % 2 == rng.integers(0, 2, (count, n, 1)),
        rng.choice(VOWELS, (count, n, BLOCK)),
        CONSONANTS[(rng.uniform(0, 1, (count, n, BLOCK)) ** 2 * len(CONSONANTS)).astype(int)],
    )
    places = np.arange(BLOCK)
    named = np.where(places < lengths, letters, 0)
    tokens = np.concatenate([np.zeros_like(lengths), named[..., :-1]], -1)
    return tokens, np.where(places <= lengths, named, -1)


def weights(width: int, dtype: str) -> list[np.ndarray]:
    """Embeddings of symbols and of places, wq, wk, wv, wo, the two layers of the perceptron, the last layer."""
    rng = np.random.default_rng(1)
    square, inner = (width, width), 4 * width
    shapes = [(SYMBOLS, width), (BLOCK, width), *[square] * 4, (width, inner), (inner, width), (width, SYMBOLS)]
    return [rng.normal(0, 0.08, shape).astype(dtype) for shape in shapes]


def packed(tokens: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same names in fewer rows, several in one: (count, rows, 16, 3) symbols, places and names' numbers; and labels.

    Each name goes into the first row that has room, longest first; the number of rows is the largest that any batch needs.
    """
    count, n, _ = tokens.shape
    lengths = (labels >= 0).sum(-1)
    inputs, wanted = np.zeros((count, n, BLOCK, 3), int), np.full(labels.shape, -1)
    inputs[..., 2] = -1
    for k in range(count):
        used = np.zeros(n, int)
        for i in np.argsort(-lengths[k], kind="stable"):
            length = lengths[k, i]
            row = int(np.argmax(used + length <= BLOCK))
            here = slice(used[row], used[row] + length)
            inputs[k, row, here] = np.stack([tokens[k, i, :length], np.arange(length), np.full(length, i)], -1)
            wanted[k, row, here] = labels[k, i, :length]
            used[row] += length
    rows = int((wanted >= 0).any((0, 2)).sum())
    return inputs[:, :rows], wanted[:, :rows]


def gpt(names: Any, parameters: list, tokens: Any) -> Any:
    """Logits (rows, 16, 27) of microgpt for symbols (rows, 16), or for what `packed` makes of them, in NumPy's names."""
    embedding, places, wq, wk, wv, wo, w1, w2, out = parameters
    time = tokens.shape[1]
    seen, place = np.tril(np.ones((time, time), bool)), places[:time]
    if tokens.ndim == 3:
        tokens, place, name = tokens[..., 0], places[tokens[..., 1]], tokens[..., 2]
        seen = seen & (name[:, :, None] == name[:, None, :])[:, None]

    def normed(x: Any) -> Any:
        return x / names.sqrt((x * x).mean(-1, keepdims=True) + EPS)

    x = normed(embedding[tokens] + place)
    h = normed(x)
    q, k, v = ((h @ w).reshape(*h.shape[:2], HEADS, -1).transpose(0, 2, 1, 3) for w in (wq, wk, wv))
    scores = names.where(seen, q @ k.transpose(0, 1, 3, 2) * (x.shape[-1] / HEADS) ** -0.5, -1e9)
    x = x + (names.softmax(scores, -1) @ v).transpose(0, 2, 1, 3).reshape(x.shape) @ wo
    x = x + names.maximum(normed(x) @ w1, 0) @ w2
    return x @ out


def entropy(names: Any, logits: Any, labels: Any) -> Any:
    """The mean of cross entropies over the positions that are no padding."""
    chosen = labels[..., None] == np.arange(SYMBOLS)
    count = names.where(labels >= 0, np.ones(labels.shape, logits.dtype), 0.0).sum()
    return -names.where(chosen, names.log_softmax(logits, -1), 0.0).sum() / count


def rate(step: Any) -> Any:
    """The learning rate at a step that counts from 1."""
    return RATE * (1 - (step - 1) / STEPS)
