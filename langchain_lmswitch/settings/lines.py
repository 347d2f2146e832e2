"""On which line of a TOML file a key stands, which the standard library does not tell. Pure."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def line_of(text: str, path: Sequence[str]) -> int | None:
    """Give the line of a key, or else of the innermost table around it that is written out.

    Args:
        text: A file that can be read as TOML.
        path: The keys from the outermost table to the value.
    """
    found = _lines(text)
    for length in range(len(path), 0, -1):
        if (line := found.get(tuple(path[:length]))) is not None:
            return line
    return None


def _lines(text: str) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for line, statement in _statements(text):
        values = tomllib.loads(statement)
        header = statement.lstrip().startswith("[")
        if header:
            table = next(_paths(values, headers=True), ())
        for path in [table] if header else _paths(values):
            whole = path if header else (*table, *path)
            for length in range(1, len(whole) + 1):
                found.setdefault(whole[:length], line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Split a file into its statements, each with the number of its first line.

    What is not finished on its first line, such as a list, cannot be read before its last.
    """
    first, pending = 1, ""
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        first = first if pending else number
        pending += line
        try:
            tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue
        yield first, pending
        pending = ""


def _paths(values: Mapping[str, Any], *, headers: bool = False) -> Iterator[tuple[str, ...]]:
    """List the paths to all values of one statement, or to the table that a header opens."""
    for key, value in values.items():
        inner = value[-1] if headers and isinstance(value, list) else value
        if isinstance(inner, Mapping) and inner:
            yield from ((key, *path) for path in _paths(inner, headers=headers))
        else:
            yield (key,)
