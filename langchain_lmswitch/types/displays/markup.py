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
_CELL: Final = f"{_LINE};padding:.25em .8em .25em 0;vertical-align:top;background:none"
_TABLE: Final = "border-collapse:collapse;border:0;margin:.4em 0;table-layout:auto"
_FAINT: Final = "opacity:.7;font-weight:normal"
_BLOCKS: Final = " ▏▎▍▌▋▊▉█"
_WIDTH: Final = 8
"""Characters of the longest bar."""


def html(sheet: Sheet) -> str:
    """Write a sheet as HTML; every text in it is escaped."""
    return f'<div style="line-height:1.4;max-width:75em;overflow-x:auto">{_inside(sheet)}</div>'


def _inside(sheet: Sheet) -> str:
    return "".join(_elements(sheet))


def _elements(sheet: Sheet) -> Iterator[str]:
    yield f'<p style="margin:.2em 0">{_headline(sheet)}</p>'
    if sheet.facts:
        yield _grid("".join(_fact(label, value) for label, value in sheet.facts))
    for table in sheet.tables:
        yield from _listing(table)
    yield from map(_inside, sheet.parts)


def _headline(sheet: Sheet) -> str:
    kind = f'<span style="{_FAINT}">{_text(sheet.kind)}</span>'
    title = f" <b>{_text(sheet.title)}</b>" if sheet.title else ""
    lead = f": {_text(sheet.lead)}" if sheet.lead else ""
    return f"{kind}{title}{lead}"


def _fact(label: str, value: Cell) -> str:
    head = f'<th scope="row" style="{_CELL};text-align:left;{_FAINT}">{_text(label)}</th>'
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
    return f'<td style="{_CELL};text-align:{side}">{_drawn(cell)}</td>'


def _drawn(cell: Cell) -> str:
    if not isinstance(cell, Bar):
        return _text(cell)
    return f'{_text(cell.text)}&nbsp;<span aria-hidden="true">{_blocks(cell.share)}</span>'


def _blocks(share: float) -> str:
    """Draw a bar of characters, which needs no style."""
    whole, eighths = divmod(round(min(max(share, 0), 1) * _WIDTH * 8), 8)
    return (_BLOCKS[8] * whole + _BLOCKS[eighths].strip()).ljust(_WIDTH, "\N{NO-BREAK SPACE}")


def _text(text: str) -> str:
    return escape(printable(text))
