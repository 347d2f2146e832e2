"""The columns of a file, whichever of three forms it has."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from langchain_lmswitch.errors import InvalidRequest, MissingExtra

SCORE: Final = "score:"
"""What the name of a model's column starts with."""

Columns = Mapping[str, list[Any]]
"""By name, what stands in each row; `None` is nothing."""

_PLAIN: Final = frozenset({"prompt", "task", "part"})


def read_columns(file: Path) -> Columns:
    """Read the columns that a table of judged answers may have, as the name of the file ends.

    Raises:
        InvalidRequest: It is not there, cannot be read, or is of another form.
        MissingExtra: It is Parquet, and the package that reads it is not installed.
    """
    read = _FORMS.get(file.suffix.lower())
    if read is None:
        raise InvalidRequest(
            f"{file} is of no form that is read here: name it .parquet, .jsonl or .csv."
        )
    if not file.is_file():
        raise InvalidRequest(f"There is no file {file}. Name one that exists.")
    return read(file)


def _wanted(names: Iterable[str]) -> list[str]:
    return [name for name in names if name in _PLAIN or name.startswith(SCORE)]


def _parquet(file: Path) -> Columns:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and only for files of this form
        from pyarrow import parquet  # noqa: PLC0415 - as above
    except ImportError:
        raise MissingExtra("bench", why=f"Reading {file.name} needs pyarrow") from None
    try:
        opened = parquet.ParquetFile(file)
        columns: Columns = opened.read(columns=_wanted(opened.schema_arrow.names)).to_pydict()
    except (pa.ArrowException, OSError) as problem:
        raise InvalidRequest(
            f"{file} cannot be read as Parquet: {problem}. Restore it as it was published."
        ) from None
    return columns


def _json_lines(file: Path) -> Columns:
    with file.open(encoding="utf-8", errors="replace") as text:
        rows = [
            _json_object(line, at=f"{file}, line {number}")
            for number, line in enumerate(text, start=1)
            if line.strip()
        ]
    return _turned(rows, dict.fromkeys(name for row in rows for name in row))


def _json_object(line: str, *, at: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise InvalidRequest(f"{at}: that is no JSON object. Write one on each line.")
    return row


def _csv(file: Path) -> Columns:
    csv.field_size_limit(sys.maxsize)  # a prompt may be longer than the usual limit
    with file.open(encoding="utf-8", errors="replace", newline="") as text:
        try:
            reader = csv.DictReader(text)
            rows = list(reader)
        except csv.Error as problem:
            raise InvalidRequest(
                f"{file} cannot be read as CSV: {problem}. Restore it as it was published."
            ) from None
    return _turned(rows, reader.fieldnames or ())


def _turned(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> Columns:
    """Turn rows into columns; a row that lacks one has nothing there."""
    return {name: [row.get(name) for row in rows] for name in _wanted(names)}


_FORMS: Final[Mapping[str, Callable[[Path], Columns]]] = {
    ".parquet": _parquet,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _csv,
}
