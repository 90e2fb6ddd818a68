"""A program to be drawn: its variables as items and, where it updates a model, which part of that each belongs to."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ..operation import BUILT_IN, Operation
from .arrays import text_of
from .items import Cluster, Clusters, Item, static_text

TARGET, LOSS = "y", "loss"  # an input of an update, and the part of the model in which it is first used
RATES = "step and rate"  # of an optimizer, and what it makes of them for all parameters


def program_items(program: Any, label: str = "the program") -> list[Item]:
    """An item for each input and each step of a program, in a frame with this label."""
    of: dict[Any, Item] = {}
    for variable in (*program.inputs, *program.steps, *program.outputs):
        if variable in of:
            continue
        shape = None if variable.scalar else variable.shape
        item = of[variable] = Item(variable.name, variable.value, shape, variable.dtype)
        if variable.word is not None:
            item.operation = row = BUILT_IN[variable.word] if isinstance(variable.word, str) else variable.word
            item.static = static_text(row.static, variable.static) if isinstance(row, Operation) else ""
            item.args = [of[x] if x in of else text_of(x.value) for x in variable.args]
    for variable in program.outputs:
        of[variable].wanted = True
    items, whole = [*of.values()], Cluster(label)
    stages = _stages(items)
    for item in items:
        item.where = (whole, *stages.get(item, ()))
    return items


def _stages(items: list[Item]) -> dict[Item, Clusters]:
    """Frames for the parts of an update: forward and backward for each part of the model, and each parameter's update.

    A result that takes the place of an input, a parameter or its state, has the input's name. What leads to the loss is
    forward, and belongs to the part whose parameter it needs last; all else that depends on a parameter is backward,
    and belongs to the last part that it leads to. So no part needs a later one, however the layers are connected.
    """
    leads = _leads(items)
    results = {item.name for item in items if item.wanted} - {""}
    used = [x for item in items for x in item.made_of if x.operation is None and "" in leads[item]]
    parameters = {x.name for x in used if x.name in results}
    parts = {_part(x.name): i for i, x in enumerate(used[::-1]) if x.name in parameters or x.name == TARGET}
    last, frames = _last(items, leads, parts), dict[str, Cluster]()
    found: dict[Item, Clusters] = {}
    for item in items if parameters else ():
        changed, names = leads[item] & parameters, list[str]()
        if "" in leads[item]:
            names = [f"{above}: forward" for above in _above(last.get(item, ""))]
        elif changed and (item in last or len(leads[item]) == 1):
            names = [f"{above}: backward" for above in _above(min(map(_part, changed), key=parts.__getitem__))]
            names += [f"{name}: update" for name in changed if len(leads[item]) == 1]
        elif changed and item.operation is not None:
            names = [RATES]
        found[item] = tuple([frames.setdefault(name, Cluster(name)) for name in names])
        for frame in found[item] if item.operation is None and item.name in parameters else ():
            frame.size += math.prod(item.shape or ())
    return found


def _last(items: list[Item], leads: dict[Item, set[str]], parts: dict[str, int]) -> dict[Item, str]:
    """The part whose parameter each item needs last; of what is forward and needs none, the first that needs it.

    Parts are numbered from the last one on.
    """
    last: dict[Item, str] = {}
    for item in items:
        own = [_part(item.name)] if item.operation is None and _part(item.name) in parts else []
        needed = own + [last[x] for x in item.made_of if x in last]
        found = [item] if needed else []
        for x in found:  # which grows on the way
            last[x] = min(needed, key=parts.__getitem__)
            found += [y for y in x.made_of if y.operation is not None and y not in last and "" in leads[y]]
    return last


def _leads(items: Iterable[Item]) -> dict[Item, set[str]]:
    """The results that items lead to, by the names of parameters to which they belong; the loss has none."""
    leads: dict[Item, set[str]] = defaultdict(set)
    for item in reversed([*items]):
        if item.wanted:
            leads[item].add(item.name.partition(": ")[0])
        for x in item.made_of:
            leads[x] |= leads[item]
    return leads


def _part(name: str) -> str:
    """The part of the model that holds a parameter."""
    return LOSS if name == TARGET else name.partition(": ")[0].rpartition(".")[0]


def _above(path: str) -> list[str]:
    """The parts that a part is in, itself included; numbers belong to the list that they count in."""
    ends = [match.start() for match in re.finditer(r"\.(?!\d)", path)] + [len(path)]
    return [path[:end] for end in ends if end]
