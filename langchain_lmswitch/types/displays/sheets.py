"""What is told of a value, before it becomes text or HTML."""

from collections.abc import Iterable
from dataclasses import dataclass

from langchain_lmswitch.types.units import UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A number that is also drawn."""

    text: str
    share: float
    """How long the bar is, 0 to 1."""


Cell = str | Bar
Fact = tuple[str, Cell]
"""A label and what is told under it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Several of a kind, a row for each. An empty cell tells nothing."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    right: tuple[str, ...] = ()
    """Heads of the columns that hold numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that is told of one value. Whatever is left out is told of in neither form."""

    kind: str
    """Whose value it is, as the code calls it."""
    title: str = ""
    """Which one."""
    lead: str = ""
    """The whole of it as a sentence."""
    facts: tuple[Fact, ...] = ()
    tables: tuple[Table, ...] = ()
    parts: tuple["Sheet", ...] = ()
    """Of the values that it is made of."""


def told(*facts: tuple[str, Cell | None]) -> tuple[Fact, ...]:
    """Keep the facts that tell something."""
    return tuple((label, value) for label, value in facts if value)


def table(
    title: str, *heads: str, rows: Iterable[tuple[Cell, ...]], right: tuple[str, ...] = ()
) -> tuple[Table, ...]:
    """Make a table without the columns that tell nothing; without rows there is none."""
    filled = [column for column in zip(heads, *rows, strict=True) if any(column[1:])]
    if not filled:
        return ()
    kept, *lines = zip(*filled, strict=True)
    return (Table(title=title, heads=kept, rows=tuple(lines), right=right),)


def listed(words: Iterable[str]) -> str:
    """Join words; none give an empty text, which is not told."""
    return ", ".join(words)


def said(flag: bool | None) -> str:  # noqa: FBT001 - it is what is told
    """Write a flag, which may be unknown."""
    return {True: "yes", False: "no", None: UNKNOWN}[flag]


def counted(number: int | None, unit: str) -> str:
    """Write how many; `None` is unknown, never zero."""
    return UNKNOWN if number is None else f"{number:,} {unit}"


def printable(text: str) -> str:
    """Write out what would end a line, steer a terminal, turn the reading direction or not be seen.

    A lone surrogate is among it, which no notebook could be saved with.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
