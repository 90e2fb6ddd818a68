"""Tables for notebooks, of text that is shown as it is."""

import html
from collections.abc import Iterable, Sequence
from typing import Any

MOST = 60  # rows


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table as HTML; of many rows the first ones, and how many there are."""
    rows = [*rows]
    lines = [_row("th", head), *(_row("td", row) for row in rows[:MOST])]
    if len(rows) > MOST:
        lines.append(_row("td", [f"... {len(rows) - MOST:,} more"]))
    return f"<table><caption>{html.escape(caption)}</caption>{''.join(lines)}</table>"


def _row(kind: str, cells: Sequence[Any]) -> str:
    style = 'style="text-align: left"'
    return f"<tr>{''.join(f'<{kind} {style}>{html.escape(str(cell))}</{kind}>' for cell in cells)}</tr>"
