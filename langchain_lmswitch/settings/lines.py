"""On which line of a TOML file a key stands, which the standard library does not tell. Pure."""

import io
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

_CLOSING: Final = ("]", "}", '"""', "'''")
"""What ends a statement of several lines."""


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


@lru_cache(maxsize=8)  # all keys of a file are asked for, one by one
def _lines(text: str) -> Mapping[tuple[str, ...], int]:
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
    # Python knows more ends of lines than TOML has.
    for number, line in enumerate(io.StringIO(text, newline="\n"), start=1):
        begun = bool(pending)
        first = first if begun else number
        pending += line
        if begun and not any(sign in line for sign in _CLOSING):
            continue  # long lists would be read again for each of their lines
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
