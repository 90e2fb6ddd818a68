"""Names in rows of a fixed length: a name in each row, or as many as there is room for."""

import numpy as np

from names_data import BOS, UNCOUNTED, encode

Inputs = tuple[np.ndarray, np.ndarray, np.ndarray]


def in_rows(names: list[str], length: int, several: bool) -> tuple[Inputs, np.ndarray]:
    """Tokens, their places in their name, and that name's number (-1 where none is); and the labels.

    All are (rows, length); `several` names share a row, or none do.
    """
    tokens, labels = encode(names, length)
    counted = labels != UNCOUNTED
    owner, place = np.nonzero(counted)
    row, start = best_fit(counted.sum(1).tolist() if several else [length] * len(names), length)

    def laid(numbers: np.ndarray, elsewhere: int) -> np.ndarray:
        out = np.full((row.max() + 1, length), elsewhere)
        out[row[owner], start[owner] + place] = numbers
        return out

    return (laid(tokens[counted], BOS), laid(place, 0), laid(owner, -1)), laid(labels[counted], UNCOUNTED)


def best_fit(sizes: list[int], length: int) -> tuple[np.ndarray, np.ndarray]:
    """The row and the start of each size: where the least room is left that is enough, else in a new row."""
    rows: list[list[int]] = [[] for _ in range(length + 1)]  # by the room that is left
    found, count = [], 0
    for size in sizes:
        room = next((room for room in range(size, length) if rows[room]), length)
        if room == length:
            rows[room], count = [count], count + 1
        row = rows[room].pop()
        rows[room - size].append(row)
        found.append((row, length - room))
    row, start = np.array(found).T
    return row, start
