"""What is drawn as one box: an item, the call of a module, or items that look alike."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from .items import Cluster, Clusters, Item

CHAINS = {"add", "mul", "maximum", "minimum", "concatenate"}  # of which many, one after the other, are one of many
FORMS = 3  # of what a box is given, or gives, that it names


@dataclass(eq=False, slots=True, repr=False)
class Group:
    """Items that are drawn as one box."""

    items: list[Item]
    call: Cluster | None = None  # whose items these all are
    where: Clusters = ()  # the frames that the box stands in, outermost first
    times: int = 1  # how many groups that look alike this is
    inputs: dict["Group", list] = field(default_factory=dict)  # what they are made of, and what each edge hands on

    @property
    def last(self) -> Item:
        """The item that was made last."""
        return self.items[-1]

    @property
    def made(self) -> list[Item]:
        """Those that were made by operations."""
        return [item for item in self.items if item.operation is not None]

    @property
    def is_item(self) -> bool:
        """Whether it is drawn as the one item that it is."""
        return len(self.items) == 1 and self.call is None

    def kind(self) -> str:
        """What groups must share to look alike from afar."""
        return self.call.label.rpartition(": ")[2] if self.call else self.last.symbol or "leaf"

    def lines(self) -> list[str]:
        """What a box says of its items."""
        lines = [self.call.label if self.call and self.times == 1 else self.kind()]
        if self.call:
            used, inside = {x: None for item in self.made for x in item.made_of}, {*self.items}
            given = [x for x in used if x not in inside]
            results = [x for x in self.made if x not in used or x.wanted or x is self.last]
            lines.append(f"{_forms(given[:: self.times])} → {_forms(results[:: self.times])}")
            size = f"{self.call.size:,} parameters, " if self.call.size else ""
            lines.append(f"{size}{(count := len(self.made) // self.times):,} operation{'s' * (count != 1)}")
        elif (links := len(self.items) // self.times) > 1:
            lines.append(f"of {links + 1:,} terms")
        if self.times > 1:
            lines.append(f"{self.times:,} times")
        return lines

    def oddity(self) -> str:
        """What is NaN or infinite, of a module's call in what comes out."""
        return next(filter(None, map(Item.oddity, [self.last] if self.call else self.items)), "")


def _forms(items: Iterable[Item]) -> str:
    """The shapes of items, each with how many have it; of many shapes the first."""
    counts = Counter(item.form() for item in items)
    forms = [f"{count} × {form}" if count > 1 else form for form, count in counts.items()]
    return ", ".join(forms if len(forms) <= FORMS else [*forms[: FORMS - 1], "…"])


def fitting(items: Sequence[Item], most: int, few: int) -> tuple[list[Group], int | None]:
    """A group for each item or, of more than `most`, for the modules at the deepest level that has not more than `few`.

    At the outermost level, the last that is tried, there may be any number. Besides, the depth, if there is one.
    """
    deepest = max([len(item.where) for item in items], default=0) - 1 if len(items) > most else 0
    for depth in range(deepest, 0, -1):
        groups = by_module(items, depth)
        if len(groups) <= few or depth == 1:
            return groups, depth
    return by_module(items), None


def by_module(items: Iterable[Item], depth: int | None = None) -> list[Group]:
    """Groups of the calls of modules at this depth, the whole model's being 0; all else is alone."""
    found: dict[Any, Group] = {}
    for item in items:
        call = item.where[depth] if depth is not None and len(item.where) > depth else None
        key = call or item
        group = found.pop(key, None) or Group([], call, item.where[:depth] if call else item.where)
        found[key] = group  # as the latest: it comes after what it is made of
        group.items.append(item)
    groups = [*found.values()]
    of = {item: group for group in groups for item in group.items}
    for group in groups:
        for item in group.items:
            for x, flow in zip(item.args, item.flows or repeat(None)):
                if isinstance(x, Item) and of[x] is not group:
                    group.inputs.setdefault(of[x], []).append(flow)
    return groups


def alike(groups: Sequence[Group], most: int) -> list[Group]:
    """Groups that look alike as one: made by the same operation of what looks alike, all the way down.

    Where that gives more boxes than `most`, those that the same operation made.
    """
    into = _chained(groups)
    parts: dict[Group, list[Group]] = {}
    for group in groups:
        parts.setdefault(into[group], []).append(group)
    last = [group for group in groups if into[group] is group]
    inputs = {group: [(into[x], flows) for part in parts[group] for x, flows in part.inputs.items()] for group in last}
    colours: dict[Group, int] = {}
    numbers: dict[object, int] = {}
    for group in last:
        below = sorted({colours.get(x, -1) for x, _ in inputs[group] if x is not group})  # -1: what comes later
        colours[group] = numbers.setdefault((group.kind(), group.last.shape, *below), len(numbers))
    kinds: Mapping[Group, object] = colours if len(numbers) <= most else {group: group.kind() for group in last}
    merged: dict[object, Group] = {}
    for group in last:
        found = merged.setdefault(kinds[group], Group([], group.call, times=0))
        found.times += 1
        found.items += [item for part in parts[group] for item in part.items]
    for group in last:
        for x, flows in inputs[group]:
            if x is not group:
                merged[kinds[group]].inputs.setdefault(merged[kinds[x]], []).extend(flows)
    return [*merged.values()]


def _chained(groups: Sequence[Group]) -> dict[Group, Group]:
    """For each group the last one of the chain of sums or the like that it is a link of, or itself."""
    uses = dict.fromkeys(groups, 0)
    for group in groups:
        for x, flows in group.inputs.items():
            uses[x] += len(flows)
    into = {group: group for group in groups}
    for group in reversed(groups):
        name = getattr(group.last.operation, "name", None)
        for x in group.inputs if name in CHAINS and group.call is None else ():
            if uses[x] == 1 and x.last.operation is group.last.operation and x.call is None:
                into[x] = into[group]
    return into
