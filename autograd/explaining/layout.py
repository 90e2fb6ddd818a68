"""Boxes in layers: each after all that it is made of, with few crossings and short ways."""

from collections import defaultdict
from statistics import fmean

Point = tuple[int, float]  # the layer, and the place in it
ROUNDS = 12


def layered(below: list[list[int]]) -> tuple[list[Point], list[list[Point]]]:
    """A point for each box, and for each of its edges the points on its way, in the order of `below`.

    `below` are, for each box, the boxes that it is made of, all of them earlier in the list. Boxes in one layer are at
    least 1 apart. After Sugiyama, Tagawa and Toda 1981, Methods for visual understanding of hierarchical systems.
    """
    layer, passing = _layers(below), dict[tuple[int, int], int]()
    ways = []  # of each edge; in each layer that edges of one box pass, they have one place
    for i, boxes in enumerate(below):
        for j in boxes:
            between = range(layer[j] + 1, layer[i])
            ways.append([j, *(passing.setdefault((j, column), len(below) + len(passing)) for column in between), i])
    layer += [column for _, column in passing]
    before, after = defaultdict[int, dict[int, None]](dict), defaultdict[int, dict[int, None]](dict)
    for a, b in ((a, b) for way in ways for a, b in zip(way, way[1:])):
        before[b][a] = after[a][b] = None
    leaves = {i for i, boxes in enumerate(below) if not boxes} | {i for (j, _), i in passing.items() if not below[j]}
    aside = set[int]()  # what is made of nothing and used beside something else: it draws nobody to it
    for i, parts in before.items():
        if made := {j: None for j in parts if j not in leaves}:
            aside.update(parts.keys() & leaves)
            before[i] = made
    columns: list[list[int]] = [[] for _ in range(max(layer) + 1)]
    for i, column in enumerate(layer):
        columns[column].append(i)
    place = _places(columns, before, after, aside, len(below))
    points = [(column, round(x, 3)) for column, x in zip(layer, place)]
    return points[: len(below)], [[points[i] for i in way] for way in ways]


def _layers(below: list[list[int]]) -> list[int]:
    layer: list[int] = []
    first: dict[int, int] = {}  # layer that needs a box
    for i, boxes in enumerate(below):
        layer.append(1 + max((layer[j] for j in boxes), default=-1))
        for j in boxes:
            first[j] = min(layer[i], first.get(j, layer[i]))
    # what is made of nothing stands before what needs it first
    return [n if boxes else first.get(i, 1) - 1 for i, (n, boxes) in enumerate(zip(layer, below))]


def _places(columns: list[list[int]], before: dict, after: dict, aside: set[int], boxes: int) -> list[float]:
    """Order each layer by where its neighbours are, from left to right and back; then move towards them."""
    place = {i: float(rank) for column in columns for rank, i in enumerate(column)}
    for step in range(2 * ROUNDS):
        neighbours, order = (before, columns) if step % 2 == 0 else (after, columns[::-1])
        for column in order:
            wish = {i: fmean(map(place.__getitem__, neighbours[i] or [i])) for i in column}
            wish |= {i: wish[i] - 1 for i in column if i in aside and neighbours[i]}
            if step < ROUNDS:
                column.sort(key=wish.__getitem__)
            sizes = [1.0 if i < boxes else 0.5 for i in column]
            place.update(zip(column, _apart([wish[i] for i in column], sizes)))
    least = min(place.values())
    return [place[i] - least for i in range(len(place))]


def _apart(wishes: list[float], sizes: list[float]) -> list[float]:
    """Places near the wishes, in this order, with room for all: halfway between pushing up and pushing down."""
    gaps = [(a + b) / 2 for a, b in zip(sizes, sizes[1:])]
    up, down = wishes[:1], wishes[-1:]
    for wish, gap in zip(wishes[1:], gaps):
        up.append(max(wish, up[-1] + gap))
    for wish, gap in zip(wishes[-2::-1], gaps[::-1]):
        down.append(min(wish, down[-1] - gap))
    return [(a + b) / 2 for a, b in zip(up, down[::-1])]
