"""Groups as a picture: text, shapes and colours in Graphviz's language.

The colours are tints of Okabe's and Ito's (2008), which the colour-blind tell apart, of different lightness; nothing is
said by colour alone, so that a print in grey says it as well.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import count, repeat
from typing import Any

import numpy as np

from ..operation import Operation
from .arrays import heatmap, largest, span, summary, text_of
from .dot import FRAME, digraph, escaped
from .groups import Group
from .items import Item

BLUE, ALARM, ALARMING = "#0072b2", "#d55e00", "#f7cdb3"
LEAF, RESULT, OPERATION, MODULE = "#cfe6f5", "white", "#fcefc9", "#e2e7ec"
STRIKING = {"color": ALARM, "penwidth": "2.5"}
SMALL = {"fillcolor": OPERATION, "width": "0.3", "height": "0.25", "margin": "0.05,0.02"}
LONGEST = 60  # letters of a name
DECADES = 3  # of gradients, which the widths of edges tell apart
ARRAYS = ("shape", "summary", "heatmap")
EITHER_WAY = {"add", "mul", "scaled", "maximum", "minimum", "equal", "not_equal", "hypot", "logaddexp"}


class Picture:
    """A graphviz.Digraph that is being filled with groups; arrays are shown in one of the ways of ARRAYS."""

    def __init__(self, groups: Sequence[Group], caption: str, arrays: str):
        if arrays not in ARRAYS:
            raise ValueError(f"draw: arrays are shown as {', '.join(ARRAYS)}, not {arrays!r}")
        self.graph = digraph(caption or "graph")
        self._arrays, self._clusters = arrays, count()
        self._ids = {group: _identity(group, i) for i, group in enumerate(groups)}
        self._before = dict(zip(groups, (None, *groups)))
        self._of = {item: self._ids[group] for group in groups for item in group.items}
        self._swept = any(map(Item.swept, self._of))
        flows = [abs(flow) for group in groups for some in group.inputs.values() for flow in some if flow is not None]
        self._strongest = max(filter(np.isfinite, flows), default=0.0)
        frames = {group.where[:1] for group in groups if group.made}
        around = frames.pop() if len(frames) == 1 else ()  # one frame of all that was computed need not be drawn
        if caption := ". ".join(filter(None, [*map(str, around), caption])):
            self.graph.attr(label=escaped(caption), labelloc="t", fontcolor=FRAME["fontcolor"])
        self._fill(self.graph, groups, len(around))

    def _fill(self, graph: Any, groups: Iterable[Group], depth: int) -> None:
        """Draw groups; those in a further frame go into it."""
        inside: dict[Any, list[Group]] = {}
        for group in groups:
            if len(group.where) > depth:
                inside.setdefault(group.where[depth], []).append(group)
            elif group.call or len(group.items) > 1:
                self._box(graph, group)
            else:
                self._item(graph, group.last)
        for cluster, some in inside.items():
            with graph.subgraph(name=f"cluster {next(self._clusters)}") as frame:
                frame.attr(label=escaped(str(cluster)), tooltip=escaped(str(cluster)), **FRAME)
                self._fill(frame, some, depth + 1)

    def _box(self, graph: Any, group: Group) -> None:
        """Many items as one box."""
        odd = group.oddity()
        text = _lines(*group.lines(), odd)
        colour = MODULE if group.call else OPERATION if group.made else LEAF
        style = {"fillcolor": colour, "peripheries": "2" if group.times > 1 else "1"} | (STRIKING if odd else {})
        graph.node(self._ids[group], text, tooltip=text, **style)
        for x, flows in group.inputs.items():
            weight = "20" if x is self._before[group] else "1"  # what follows at once stands in one line
            self._edge(self._ids[x], self._ids[group], flows, tooltip=f"{len(flows):,} edges", weight=weight)

    def _item(self, graph: Any, item: Item) -> None:
        """A number or an array, and to its left the operation that made it."""
        identity, operation = self._of[item], item.operation
        style = {"fillcolor": RESULT if operation else LEAF, "penwidth": "2" if item.wanted else "1"}
        if item.oddity():
            style = {"fillcolor": ALARMING, **STRIKING}
        graph.node(identity, self._label(item), tooltip=_about(item), **style)
        if operation is None:
            return
        circle, text = f"{identity} made", " ".join(filter(None, (item.symbol, item.static)))
        rule = escaped(str(operation.__doc__) if isinstance(operation, Operation) else text)
        graph.node(circle, escaped(text), shape="circle" if len(text) == 1 else "box", tooltip=rule, **SMALL)
        gradient = largest(item.grad) if item.flows and item.grad is not None else None
        self._edge(circle, identity, [gradient], label="")  # the box says it
        names = getattr(operation, "arguments", ())
        names = names if len(names) > 1 and operation.name not in EITHER_WAY else repeat("")
        for i, (x, name, flow) in enumerate(zip(item.args, names, item.flows or repeat(None))):
            source = self._of[x] if isinstance(x, Item) else f"{circle} {i}"
            if not isinstance(x, Item):
                graph.node(source, escaped(x), shape="plaintext", style="", height="0.2", tooltip="constant")
            self._edge(source, circle, [flow], name)

    def _edge(self, source: str, target: str, flows: Iterable[float | None], name: str = "", **style: str) -> None:
        """An arrow, as wide as the gradients that go back through it are large."""
        known = [flow for flow in flows if flow is not None]
        if not known:
            style["headlabel"] = name
        else:
            most = largest(known)
            text = text_of(known[0] if len(known) == 1 else most)
            style = {"label": f"{name} {text}".strip(), "tooltip": f"gradient {text}", **style}
            if not np.isfinite(most):
                style |= {"color": ALARM, "penwidth": "4", "style": "bold"}
            elif most == 0:
                style |= {"style": "dashed"}
            else:
                share = max(0.0, 1 + np.log10(most / self._strongest) / DECADES)
                style |= {"color": BLUE, "penwidth": f"{0.4 + 2.6 * share:.2f}"}
        self.graph.edge(source, target, **style)

    def _label(self, item: Item) -> str:
        """Name, number or shape, gradient; what is odd about it."""
        is_array = np.size(item.data) > 1
        grad = f"grad {span(item.grad)}" if self._swept and item.grad is not None else ""
        name = item.name if len(item.name) <= LONGEST else f"{item.name[: LONGEST - 1]}…"  # the tooltip has it all
        lines = [name, item.size(), grad, item.oddity() if is_array else ""]
        if is_array and self._arrays == "summary":
            lines.insert(2, summary(item.data))
        return heatmap(lines, item.data) if is_array and self._arrays == "heatmap" else _lines(*lines)


def _about(item: Item) -> str:
    """What there is to know, for whoever points at it."""
    grad = "" if item.grad is None else f"grad {summary(item.grad)}"
    return _lines(item.name, item.size(), summary(item.data) if np.size(item.data) > 1 else "", item.oddity(), grad)


def _lines(*lines: str) -> str:
    """Those that say something."""
    return escaped("\n".join(filter(None, lines)))


def _identity(group: Group, number: int) -> str:
    """What a reader of the SVG's titles calls a box: letters and digits alone, which mean nothing in an identity."""
    item = group.last
    text = group.call.label if group.call else item.name or getattr(item.operation, "name", "leaf")
    return f"{re.sub(r'[^0-9A-Za-z_.]+', ' ', text).strip()} {number}"
