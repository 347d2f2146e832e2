"""A sheet as one line of text: it stands in logs, in tests and within other values' lines."""

from collections.abc import Iterator

from langchain_lmswitch.types.displays.sheets import Bar, Cell, Fact, Sheet, Table, printable


def line(sheet: Sheet) -> str:
    """Write a sheet as a line in angle brackets, as what is no expression is written."""
    return f"<{within(sheet)}>"


def within(sheet: Sheet) -> str:
    """Write a sheet as a line, for a place within another one."""
    head = f"{printable(sheet.kind)} {printable(sheet.title)}".strip()
    lead = printable(sheet.lead)
    opening = f"{head}: {lead}" if lead else head
    return " | ".join([opening, *_sections(sheet)])


def _sections(sheet: Sheet) -> Iterator[str]:
    if sheet.facts:
        yield "; ".join(map(_fact, sheet.facts))
    for table in sheet.tables:
        yield _table(table)
    yield from map(within, sheet.parts)


def _fact(fact: Fact) -> str:
    label, value = fact
    return printable(f"{label} {_plain(value)}")


def _table(table: Table) -> str:
    told = ", ".join(_row(table, row) for row in table.rows)
    return f"{printable(table.title)}: {told}" if table.title else told


def _row(table: Table, row: tuple[Cell, ...]) -> str:
    name, *rest = row
    told = "; ".join(_fact(fact) for fact in zip(table.heads[1:], rest, strict=True) if fact[1])
    first = printable(_plain(name))
    return f"{first} ({told})" if told else first


def _plain(cell: Cell) -> str:
    return cell.text if isinstance(cell, Bar) else cell
