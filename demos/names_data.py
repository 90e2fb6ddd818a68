"""First names of the US census (public domain; the package `names`) as integers, letter by letter, as in microgpt.

BOS begins a name and ends it: "abe" is read as BOS a b e, and what follows these is a b e BOS.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np

LETTERS = "abcdefghijklmnopqrstuvwxyz"
BOS = len(LETTERS)
SYMBOLS = BOS + 1
UNCOUNTED = -100  # the label of padding, which nn.CrossEntropy leaves out


def load(rng: np.random.Generator) -> list[str]:
    """The 5,494 names in lower case, women's and men's, in an order that rng draws."""
    texts = [(files("names") / f"dist.{kind}.first").read_text() for kind in ("female", "male")]
    return rng.permutation([line.split()[0].lower() for text in texts for line in text.splitlines()]).tolist()


def encode(names: list[str], length: int) -> tuple[np.ndarray, np.ndarray]:
    """What is read and what follows it, both (names, length), padded with BOS and UNCOUNTED; longer names are cut."""
    tokens = np.full((len(names), length + 1), BOS)
    for row, name in zip(tokens, names):
        row[1 : len(name) + 1] = [LETTERS.index(letter) for letter in name[:length]]
    counted = np.arange(length) <= np.array([len(name) for name in names])[:, None]
    return tokens[:, :-1], np.where(counted, tokens[:, 1:], UNCOUNTED)


def decode(tokens: np.ndarray) -> str:
    """The letters up to the first BOS."""
    symbols = [*tokens.tolist(), BOS]
    return "".join(LETTERS[token] for token in symbols[: symbols.index(BOS)])


def summary(invented: list[str], known: Sequence[str], facts: Mapping[str, Any]) -> str:
    """The invented names, five in a line, and what the run came to."""
    width = max(map(len, invented)) + 2
    rows = ["".join(f"{name:{width}}" for name in invented[i : i + 5]).rstrip() for i in range(0, len(invented), 5)]
    new = f"{sum(name not in known for name in invented)} of {len(invented)} are not in the census"
    return "\n".join([*rows, *(f"{name:10}{fact}" for name, fact in ({"new": new} | dict(facts)).items())])
