"""Numbers and arrays in a picture: as text, as a summary, as a small map of colours."""

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .dot import printable

PALE = 244  # of 255: what is 0
CELLS = 12  # rows and columns of a map at most
NUMBERED = 6  # columns at most that have room for numbers
NEGATIVE, POSITIVE, ODD = (0, 114, 178), (230, 159, 0), "#000000"  # Okabe's and Ito's blue and orange; black is neither


def text_of(data: Any, digits: int = 4) -> str:
    """A number with four digits and no -0, or the shape and dtype of an array."""
    if np.ndim(data):
        return f"{np.shape(data)} {np.asarray(data).dtype}"
    return f"{float(data) + 0.0:.{digits}g}".replace("nan", "NaN")


def largest(x: Any) -> float:
    """The size of the largest element; NaN if one is NaN, 0 of none."""
    return abs(x) if type(x) is float else float(np.max(np.abs(x), initial=0.0))


def span(x: Any) -> str:
    """From the least to the largest of the finite elements, or the only element."""
    x = np.asarray(x)
    if x.size == 1:
        return text_of(x.item())
    finite = x[np.isfinite(x)]
    return f"{text_of(finite.min(), 3)} … {text_of(finite.max(), 3)}" if finite.size else odd(x) or "empty"


def summary(x: Any) -> str:
    """Span, mean and how many elements are 0."""
    x = np.asarray(x, float)
    if x.size < 2:
        return span(x)
    zeros = np.count_nonzero(x == 0)
    with np.errstate(all="ignore"):
        return f"{span(x)}, mean {text_of(x.mean(), 3)}" + (f", {zeros:,} are 0" if zeros else "")


def odd(x: Any) -> str:
    """How many elements are NaN or infinite; nothing if none is."""
    if type(x) is float and math.isfinite(x):
        return ""
    x = np.asarray(x, float)
    counts = {"NaN": np.count_nonzero(np.isnan(x)), "inf": np.count_nonzero(np.isinf(x))}
    found = [f"{count:,} {name}" if x.size > 1 else name for name, count in counts.items() if count]
    return ", ".join(found) + (f" of {x.size:,}" if found and x.size > 1 else "")


def written(x: Any) -> str:
    """What is no number of a graph, such as an axis or a part of an index, as Python writes it."""
    if isinstance(x, slice):
        parts = ["" if part is None else str(part) for part in (x.start, x.stop, x.step)]
        return ":".join(parts[: 2 + bool(parts[2])])
    if type(x) is tuple:
        return f"({', '.join(map(written, x))}{',' * (len(x) == 1)})"
    if isinstance(x, np.ndarray):
        return f"array {x.shape}"
    return str(x) if isinstance(x, (int, float, str, np.dtype, type(None))) else "..."


def heatmap(lines: Sequence[str], x: np.ndarray) -> str:
    """An HTML label of Graphviz: lines of text, and below them the elements, blue below 0 and orange above.

    Of many rows or columns some are shown, evenly spaced; axes but the last are one.
    """
    table = x.reshape(-1, x.shape[-1]).astype(float)
    rows, columns = (np.unique(np.linspace(0, n - 1, min(n, CELLS)).astype(int)) for n in table.shape)
    scale = np.max(np.abs(table), where=np.isfinite(table), initial=0.0) or 1.0
    counts = zip((rows, columns), table.shape, ("rows", "columns"))
    few = [f"{len(some)} of {n} {what}" for some, n, what in counts if len(some) < n]
    text = html.escape(printable("\n".join(filter(None, [*lines, *few])))).replace("\\", "\\\\").replace("\n", "<BR/>")
    cells = [[_cell(value, scale, len(columns) <= NUMBERED) for value in table[row, columns]] for row in rows]
    body = "".join(f"<TR>{''.join(row)}</TR>" for row in cells)
    head = f'<TR><TD COLSPAN="{len(columns)}">{text}</TD></TR>'
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="2">{head}{body}</TABLE>>'


def _cell(value: float, scale: float, numbered: bool) -> str:
    """A cell of a map; what has no room for a number has a sign if it is negative, for a print in grey."""
    finite = bool(np.isfinite(value))
    strength = abs(value) / scale if finite else 0.0
    hue = POSITIVE if value > 0 else NEGATIVE
    tint = "#" + "".join(f"{round(PALE + (c - PALE) * strength):02x}" for c in hue) if finite else ODD
    text = text_of(value, 2) if numbered or not finite else "−" if value < 0 else ""
    colour = "white" if not finite or value < 0 and strength > 0.6 else "black"
    ink = f'<FONT POINT-SIZE="8" COLOR="{colour}">{text}</FONT>' if text else ""
    width, height = (24, 16) if numbered else (14, 14)
    return f'<TD BGCOLOR="{tint}" WIDTH="{width}" HEIGHT="{height}">{ink}</TD>'
