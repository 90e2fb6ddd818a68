"""The race: microgpt of one layer (Karpathy 2026), trained on names; what every contender computes.

A name of n letters is n + 1 positions in a row of 16: symbol 0, which begins and ends names, then its letters; the
labels are its letters, then symbol 0. What follows is padding, with labels of -1, which every contender may leave out.
A contender's work is a call that trains from the initial weights on and gives the loss of each update; its `count` is
of samples.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

SYMBOLS, BLOCK, HEADS, EPS = 27, 16, 4, 1e-5
RATE, STEPS, BETAS, TINY = 0.01, 1000, (0.85, 0.99), 1e-8  # Adam's; the learning rate falls to 0 in so many steps
UPDATES, FEW = 100, 5  # that a call does; few of what works on single numbers
USUAL = 8  # rows of 16 into which nearly every batch of 16 names can be packed
LENGTHS = 2, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 9  # of names, equally likely: 104 of 256 positions are real
VOWELS = np.array([1, 5, 9, 15, 21])
CONSONANTS = np.setdiff1d(np.arange(1, SYMBOLS), VOWELS)


def batches(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Symbols and labels (updates, n, 16) of invented names: consonants, some more likely, and vowels take turns."""
    rng, shape, places = np.random.default_rng(0), (UPDATES, n, BLOCK), np.arange(BLOCK)
    lengths = rng.choice(LENGTHS, (UPDATES, n, 1))
    consonants = CONSONANTS[(rng.uniform(0, 1, shape) ** 2 * len(CONSONANTS)).astype(int)]
    letters = np.where((places + rng.integers(0, 2, lengths.shape)) % 2, consonants, rng.choice(VOWELS, shape))
    letters = np.where(places < lengths, letters, 0)
    tokens = np.concatenate([np.zeros_like(lengths), letters[..., :-1]], -1)
    return tokens, np.where(places <= lengths, letters, -1)


def packed(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The same names in fewer rows, several in one; a batch of one name is as long as the longest name.

    Inputs (updates, rows, 16, 3) are symbols, places in the name, and its number. A name goes where it leaves the least
    room, the longest first; there are as many rows as any batch needs. Labels are as before.
    """
    tokens, labels = batches(n)
    lengths = (labels >= 0).sum(-1)
    if n == 1:
        return tokens[..., : lengths.max()], labels[..., : lengths.max()]
    inputs, wanted = np.full((*tokens.shape, 3), (0, 0, -1)), np.full(labels.shape, -1)
    for k in range(UPDATES):
        room = np.full(n, BLOCK)
        for i in np.argsort(-lengths[k]):
            length = lengths[k, i]
            row = int(np.argmin(np.where(room < length, BLOCK + 1, room)))
            here = slice(BLOCK - room[row], BLOCK - room[row] + length)
            inputs[k, row, here] = np.stack([tokens[k, i, :length], np.arange(length), np.full(length, i)], -1)
            wanted[k, row, here] = labels[k, i, :length]
            room[row] -= length
    rows = (wanted >= 0).any((0, 2))
    return inputs[:, rows], wanted[:, rows]


def stretches(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same for who needs batches of one shape: as many as can be done at once, in fewer rows if few need more."""
    inputs, wanted = packed(n)
    rows = np.maximum((wanted >= 0).any(2).sum(1), USUAL)
    starts = [0, *(np.flatnonzero(np.diff(rows)) + 1)]
    parts = zip(np.split(inputs, starts[1:]), np.split(wanted, starts[1:]), rows[starts])
    return [(x[:, :count], y[:, :count]) for x, y, count in parts]


def trimmed(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same batch by batch, each without rows or columns that are padding only."""
    real = [(x, y, np.ix_((y >= 0).any(1), (y >= 0).any(0))) for x, y in zip(*packed(n))]
    return [(x[here], y[here]) for x, y, here in real]


def weights(width: int, dtype: str) -> list[np.ndarray]:
    """Embeddings of symbols and of places, wq, wk, wv, wo, the two layers of the perceptron, the last layer."""
    rng, square, inner = np.random.default_rng(1), (width, width), 4 * width
    shapes = [(SYMBOLS, width), (BLOCK, width), *[square] * 4, (width, inner), (inner, width), (width, SYMBOLS)]
    return [rng.normal(0, 0.08, shape).astype(dtype) for shape in shapes]


def operations(width: int, n: int) -> float:
    """Multiplications and additions of a sample's products with weights, both ways, at its real positions."""
    positions = (batches(n)[1] >= 0).sum() / (UPDATES * n)
    return 3 * 2 * positions * (12 * width**2 + SYMBOLS * width)


def rate(step: Any) -> Any:
    """The learning rate at a step that counts from 1."""
    return RATE * (1 - (step - 1) / STEPS)


def parts(tokens: Any) -> tuple[Any, Any, Any]:
    """Symbols, places, and what each place sees (..., 16, 16), of inputs as `batches` or as `packed` has them."""
    time = tokens.shape[1]
    causal = np.tril(np.ones((time, time), bool))
    if tokens.ndim == 2:
        return tokens, np.arange(time), causal
    symbols, places, names = tokens[..., 0], tokens[..., 1], tokens[..., 2]
    return symbols, places, causal & (names[:, None, :, None] == names[:, None, None, :])


def gpt(names: Any, parameters: list, tokens: Any) -> Any:
    """The logits (rows, time, 27) in NumPy's names."""
    embedding, placing, wq, wk, wv, wo, w1, w2, out = parameters
    symbols, places, seen = parts(tokens)

    def normed(x: Any) -> Any:
        return x / names.sqrt((x * x).mean(-1, keepdims=True) + EPS)

    x = normed(embedding[symbols] + placing[places])
    h = normed(x)
    q, k, v = ((h @ w).reshape(*symbols.shape, HEADS, -1).transpose(0, 2, 1, 3) for w in (wq, wk, wv))
    scores = names.where(seen, q @ k.transpose(0, 1, 3, 2) * (x.shape[-1] / HEADS) ** -0.5, -1e9)
    x = x + (names.softmax(scores, -1) @ v).transpose(0, 2, 1, 3).reshape(x.shape) @ wo
    x = x + names.maximum(normed(x) @ w1, 0) @ w2
    return x @ out


def entropy(names: Any, logits: Any, labels: Any) -> Any:
    """The mean of cross entropies over the positions that are no padding."""
    chosen, real = labels[..., None] == np.arange(SYMBOLS), np.ones(labels.shape, logits.dtype)
    count = names.where(labels >= 0, real, 0.0).sum()
    return -names.where(chosen, names.log_softmax(logits, -1), 0.0).sum() / count


def linear(x: list, w: list) -> list:
    """On single numbers: sums of x weighted by each row."""
    return [sum(wi * xi for wi, xi in zip(row, x)) for row in w]


def normed(x: list) -> list:
    """On single numbers: x by the root of its mean square."""
    scale = (sum(xi * xi for xi in x) * (1 / len(x)) + EPS) ** -0.5
    return [xi * scale for xi in x]


def softmax(x: list) -> list:
    """On single numbers."""
    highest = max(xi.data for xi in x)
    es = [(xi + -highest).exp() for xi in x]
    total = sum(es) ** -1
    return [e * total for e in es]


def name_on_numbers(parameters: list, tokens: list, labels: list) -> Any:
    """The loss of one name on any scalar class, position by position with keys and values kept, as microgpt has it.

    Parameters are the rows of embeddings, and of all others the rows of their transposes.
    """
    embedding, placing, wq, wk, wv, wo, w1, w2, out = parameters
    size, keys, values, losses = len(wq) // HEADS, [], [], []
    for place, (symbol, label) in enumerate(zip(tokens, labels)):
        x = normed([a + b for a, b in zip(embedding[symbol], placing[place])])
        h, mixed = normed(x), []
        q = linear(h, wq)
        keys.append(linear(h, wk))
        values.append(linear(h, wv))
        for i in range(0, len(wq), size):
            scores = [linear(q[i : i + size], [k[i : i + size]])[0] * size**-0.5 for k in keys]
            shares = softmax(scores)
            mixed += [sum(share * v[j] for share, v in zip(shares, values)) for j in range(i, i + size)]
        x = [a + b for a, b in zip(x, linear(mixed, wo))]
        x = [a + b for a, b in zip(x, linear([a.relu() for a in linear(normed(x), w1)], w2))]
        losses.append(softmax(linear(x, out))[label].log() * -1)
    return sum(losses) * (1 / len(losses))


def on_numbers(number: Callable, width: int, n: int, dtype: str) -> Callable:
    """The race on a scalar class with `data`, `grad` and `backward`: a graph of every name, Adam on single floats."""
    (first, second), (tokens, labels) = BETAS, batches(n)

    def work() -> list[float]:
        arrays = weights(width, dtype)
        rows = [(a if i < 2 else a.T).tolist() for i, a in enumerate(arrays)]
        parameters = [[[number(w) for w in row] for row in a] for a in rows]
        flat, losses = [w for rows in parameters for row in rows for w in row], []
        means, squares = [0.0] * len(flat), [0.0] * len(flat)
        for step in range(1, FEW + 1):
            names = [(x[y >= 0].tolist(), y[y >= 0].tolist()) for x, y in zip(tokens[step - 1], labels[step - 1])]
            total = sum(len(x) for x, _ in names)
            loss = sum(name_on_numbers(parameters, x, y) * (len(x) / total) for x, y in names)
            loss.backward()
            losses.append(loss.data)
            for i, w in enumerate(flat):
                means[i] = first * means[i] + (1 - first) * w.grad
                squares[i] = second * squares[i] + (1 - second) * w.grad**2
                root = math.sqrt(squares[i] / (1 - second**step)) + TINY
                w.data -= rate(step) / (1 - first**step) * means[i] / root
                w.grad = 0.0
        return losses

    work.count = FEW * n
    return work
