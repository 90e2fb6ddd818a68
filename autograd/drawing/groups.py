"""What is drawn as one box: an item, the call of a module, or items that look alike."""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from .items import Cluster, Clusters, Item

CHAINS = {"add", "mul", "maximum", "minimum", "concatenate"}  # of which many, one after the other, are one of many
FORMS = 3  # of what a box is given, or gives, that it names
PLACE = re.compile(r"(?<=\.)\d+(?=[.:]|$)")  # in a list, in a path


@dataclass(eq=False, slots=True, repr=False)
class Group:
    """Items that are drawn as one box."""

    items: list[Item]
    where: Clusters = ()  # the frames that the box stands in, outermost first
    call: Cluster | None = None  # whose items these all are
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

    def kind(self) -> str:
        """What groups must share to look alike from afar."""
        return self.call.label.rpartition(": ")[2] if self.call else self.last.symbol or "leaf"

    def name(self) -> str:
        """What leaves are called, if that is the same but for places in lists."""
        names = set() if self.made else {PLACE.sub("*", item.name) for item in self.items}
        return names.pop() if len(names) == 1 else ""

    def lines(self) -> list[str]:
        """What a box says of its items."""
        times = f"{self.times:,} times" if self.times > 1 else ""
        if self.call:
            title = self.call.label if self.times == self.call.times else self.kind()
            return [title, *self._contents(self.call.size), times]
        links, shapes = len(self.items) // self.times, {item.shape for item in self.items}
        terms = f"of {links + 1:,} terms" if links > 1 else ""
        shape = str(self.last.shape) if self.last.shape and len(shapes) == 1 else ""
        return [self.name() or self.kind(), terms, shape, times]

    def _contents(self, parameters: int) -> Iterator[str]:
        """What goes in and out of a module's call, and how much is in it."""
        used, inside = {x: None for item in self.made for x in item.made_of}, {*self.items}
        given = [x for x in used if x not in inside]
        results = [x for x in self.made if x not in used or x.wanted or x is self.last]
        if results:
            yield f"{_forms(given[:: self.times])} → {_forms(results[:: self.times])}"
        size = f"{parameters:,} parameters, " if parameters else ""
        yield f"{size}{(count := len(self.made) // self.times):,} operation{'s' * (count != 1)}"

    def oddity(self) -> str:
        """What is NaN or infinite, of a module's call in what comes out."""
        return next(filter(None, map(Item.oddity, [self.last] if self.call else self.items)), "")


def _forms(items: Iterable[Item]) -> str:
    """The shapes of items, each with how many have it; of many shapes the first."""
    counts = Counter(item.form() for item in items)
    forms = [f"{count} × {form}" if count > 1 else form for form, count in counts.items()]
    return ", ".join(forms if len(forms) <= FORMS else [*forms[: FORMS - 1], "…"])


def single(items: Iterable[Item]) -> list[Group]:
    """A group for each item."""
    of = {item: Group([item], item.where) for item in items}
    for item, group in of.items():
        for x, flow in zip(item.args, item.flows or repeat(None)):
            if isinstance(x, Item):
                group.inputs.setdefault(of[x], []).append(flow)
    return [*of.values()]


def merged(groups: Iterable[Group], keys: Mapping[Group, Hashable], are_alike: bool) -> list[Group]:
    """Groups of the same key as one, in the frames that all of them stand in.

    They are its parts or, if `are_alike`, as many times the same, which may be made of each other.
    """
    of, found = dict[Group, Group](), dict[Hashable, Group]()
    for group in groups:
        key = keys[group]
        one = of[group] = found.pop(key) if key in found else Group([], group.where, group.call, 0)
        found[key] = one  # as the latest: it comes after what it is made of
        one.items += group.items
        one.where = tuple([a for a, b in zip(one.where, group.where) if a is b])
        one.times = one.times + group.times if are_alike else max(one.times, group.times)
    for group, one in of.items():
        for x, flows in group.inputs.items():
            if are_alike or of[x] is not one:
                one.inputs.setdefault(of[x], []).extend(flows)
    return [*found.values()]


def by_module(groups: Sequence[Group], depth: int | None) -> list[Group]:
    """The calls of modules at this depth, the whole model's being 0, as a group each; all else is as it was."""
    if depth is None:
        return [*groups]
    found = merged(groups, {x: x.where[depth] if len(x.where) > depth else x for x in groups}, are_alike=False)
    for group in found:
        if len(group.where) > depth:
            group.where, group.call = group.where[:depth], group.where[depth]
            group.times = group.call.times
    return found


def fitting(groups: Sequence[Group], most: int, depth: int | None, shallowest: int) -> tuple[list[Group], int | None]:
    """The groups by module at this depth or, of more than `most`, at the deepest above it with not more; and that one.

    At the shallowest level there may be any number.
    """
    deepest = max([len(group.where) for group in groups], default=0) if depth is None else depth
    found = by_module(groups, depth)
    while len(found) > most and deepest > shallowest:
        deepest -= 1
        found, depth = by_module(groups, deepest), deepest
    return found, depth


def alike(groups: Sequence[Group]) -> list[Group]:
    """Groups that look alike as one.

    They stand at the same place in calls that do the same or, where no call is repeated, were made by the same
    operation of what looks alike, all the way down.
    """
    groups = merged(groups, _chains(groups), are_alike=False)
    twins, places = _twins(groups)
    colours, numbers = dict[Group, int](), dict[tuple, int]()
    for group in groups:
        group.where = tuple([twins[call] for call in group.where])
        call = group.where[-1] if group.where else None
        look: tuple = (group.kind(), group.last.shape, *sorted({colours.get(x, -1) for x in group.inputs}))
        if call:
            look = (places[group],) if call.times > 1 else (group.name(), *look)
        colours[group] = numbers.setdefault((call, *look), len(numbers))
    return merged(groups, colours, are_alike=True)


def _twins(groups: Iterable[Group]) -> tuple[dict[Cluster, Cluster], dict[Group, int]]:
    """For each call the one that stands for all in which the same is done; and each group's place in its call."""
    inside = defaultdict[Cluster, list](list)
    places, twins, found = dict[Group, int](), dict[Cluster, Cluster](), dict[tuple, Cluster]()
    for group in groups:
        for call in group.where:
            inside[call].append((group.kind(), group.last.shape))
        places[group] = len(inside[group.where[-1]]) if group.where else 0
    for group in groups:
        above = None
        for call in group.where:
            if call not in twins:
                label = PLACE.sub("*", call.label)  # which is that of each in a list
                twin = found.setdefault((above, label, *inside[call]), Cluster(call.label, call.size, 0))
                twin.times, twins[call] = twin.times + 1, twin
                twin.label = twin.label if twin.label == call.label else label
            above = twins[call]
    return twins, places


def _chains(groups: Sequence[Group]) -> dict[Group, Group]:
    """For each group the last one of the chain of sums or the like that it is a link of, or itself."""
    uses = Counter[Group]()
    for group in groups:
        uses.update({x: len(flows) for x, flows in group.inputs.items()})
    last = {group: group for group in groups}
    for group in reversed(groups):
        operation = group.last.operation
        for x in group.inputs if getattr(operation, "name", None) in CHAINS else ():
            if uses[x] == 1 and x.last.operation is operation and x.where == group.where:
                last[x] = last[group]
    return last
