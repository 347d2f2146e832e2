"""A sheet as HTML that reads well in light and dark, and where styles are taken out.

All styles are inline, and no color is set but grays that can be seen through: text and background
are those of the page. Code hosts take styles out; then bold heads and bars made of characters
remain.
"""

from collections.abc import Iterator
from html import escape
from typing import Final

from langchain_lmswitch.types.displays.sheets import Bar, Cell, Sheet, Table, printable

_LINE: Final = "border:0;border-bottom:1px solid rgba(128,128,128,.35)"
_CELL: Final = f"{_LINE};padding:.25em .8em .25em 0;vertical-align:top"
_TABLE: Final = "border-collapse:collapse;border:0;margin:.4em 0;table-layout:auto"
_FAINT: Final = "opacity:.7;font-weight:normal"
_BAR: Final = "opacity:.6"
_FULL: Final = "\N{FULL BLOCK}"
_EMPTY: Final = "\N{LIGHT SHADE}"
_WIDTH: Final = 10
"""Characters of a bar."""


def html(sheet: Sheet) -> str:
    """Write a sheet as HTML; every text in it is escaped."""
    return f'<div style="line-height:1.4;max-width:75em;overflow-x:auto">{_inside(sheet)}</div>'


def _inside(sheet: Sheet) -> str:
    return "".join(_elements(sheet))


def _elements(sheet: Sheet) -> Iterator[str]:
    yield f'<p style="margin:.6em 0 .2em">{_headline(sheet)}</p>'
    if sheet.facts:
        yield _grid("".join(_fact(label, value) for label, value in sheet.facts))
    for table in sheet.tables:
        yield from _listing(table)
    yield from map(_inside, sheet.parts)


def _headline(sheet: Sheet) -> str:
    kind = f'<span style="opacity:.7">{_text(sheet.kind)}</span>'
    title = f" <b>{_text(sheet.title)}</b>" if sheet.title else ""
    lead = f": {_text(sheet.lead)}" if sheet.lead else ""
    return f"{kind}{title}{lead}"


def _fact(label: str, value: Cell) -> str:
    style = f"{_CELL};text-align:left;white-space:nowrap;{_FAINT}"
    head = f'<th scope="row" style="{style}">{_text(label)}</th>'
    return f"<tr>{head}{_data(value, 'left')}</tr>"


def _listing(table: Table) -> Iterator[str]:
    if table.title:
        yield f'<p style="margin:.6em 0 .2em">{_text(table.title)}</p>'
    sides = ["right" if head in table.right else "left" for head in table.heads]
    heads = "".join(map(_head, table.heads, sides))
    body = "".join(f"<tr>{''.join(map(_data, row, sides))}</tr>" for row in table.rows)
    yield _grid(f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody>")


def _grid(inside: str) -> str:
    return f'<table style="{_TABLE}">{inside}</table>'


def _head(text: str, side: str) -> str:
    return f'<th scope="col" style="{_CELL};text-align:{side};{_FAINT}">{_text(text)}</th>'


def _data(cell: Cell, side: str) -> str:
    whole = side == "right" or isinstance(cell, Bar)
    style = f"{_CELL};text-align:{side}{';white-space:nowrap' if whole else ''}"
    return f'<td style="{style}">{_drawn(cell)}</td>'


def _drawn(cell: Cell) -> str:
    if not isinstance(cell, Bar):
        return _text(cell)
    bar = f'<samp aria-hidden="true" style="{_BAR}">{_bar(cell.share)}</samp>'
    return f"{bar} {_text(cell.text)}"  # so that the bars begin below each other


def _bar(share: float) -> str:
    """Draw a bar of characters, which needs no style."""
    full = round((min(share, 1.0) if share > 0 else 0.0) * _WIDTH)
    return _FULL * full + _EMPTY * (_WIDTH - full)


def _text(text: str) -> str:
    return escape(printable(text))
