"""Streams from traces of real services: who asked when, and for how much."""

import csv
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.testing.bench.streams import GB, MANY, REQUESTS, Model, Stream, model

_SERVICES: Final = (
    (model("coder-small", 1.9), model("coder-medium", 5.4), model("coder-large", 9.9)),
    (model("chat-small", 0.6), model("chat-medium", 4.7), model("chat-large", 8.4)),
)
"""What is laid over the services of a trace, by turns: for short, middle and long prompts.

Sizes are those of common quantized models of 1 to 14 billion parameters, and the largest are asked
for least, as prompts are skewed. How hard a trace is depends on this: laid over with thirds of the
prompts (9 slices of the Azure trace, one at a time, in 24 GB), the same models cost 1.7 times the
optimum, not 1.2: who is next is then nearly a matter of chance, and hindsight is worth more.
"""
_SHORT_SHARE: Final = 0.5
_LONG_SHARE: Final = 0.1
_TIGHT_BYTES: Final = 12 * GB
_ROOMY_BYTES: Final = 24 * GB


def _named(models: Sequence[Model]) -> str:
    return ", ".join(f"{one.name} of {one.bytes / GB:g} GB" for one in models)


MIX: Final = (
    "Traces name no models, so models are laid over them: each service, in the order of the files, "
    f"has three, for the shortest {_SHORT_SHARE:.0%} of its prompts, those between, and the "
    f"longest {_LONG_SHARE:.0%}: by turns {' or '.join(map(_named, _SERVICES))}."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    """How a trace is written."""

    folder: str
    patterns: tuple[str, ...]
    """Its files; each is one service."""
    time_column: str
    tokens_column: str
    seconds: Callable[[str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    at_s: float
    service: int
    prompt_tokens: int


def _seconds_of_date(text: str) -> float:
    """Read a date and time of which the system wrote seven digits behind the point."""
    return datetime.fromisoformat(text[:26]).replace(tzinfo=UTC).timestamp()


def _seconds_of_ms(text: str) -> float:
    return int(text) / 1000


_FORMATS: Final = (
    _Format(
        folder="azure-llm-2023",
        patterns=("*code*.csv", "*conv*.csv"),
        time_column="TIMESTAMP",
        tokens_column="ContextTokens",
        seconds=_seconds_of_date,
    ),
    _Format(
        folder="mooncake-fast25",
        patterns=("*.csv",),
        time_column="timestamp_ms",
        tokens_column="input_length",
        seconds=_seconds_of_ms,
    ),
)


def traced(folder: Path, *, requests: int = REQUESTS) -> list[Stream]:
    """Read the traces that are in a folder, and lay models over them; see `MIX`.

    Args:
        folder: Holds a folder for each trace.
        requests: How many of each are taken, from the first on.

    Raises:
        InvalidRequest: There is none, or a row of one cannot be read.
    """
    found = [(one, files) for one in _FORMATS if (files := _files(folder / one.folder, one))]
    if not found:
        sought = ", ".join(f"{one.folder}/{name}" for one in _FORMATS for name in one.patterns)
        raise InvalidRequest(
            f"There is no trace in {folder}: looked for {sought}. Put at least one of them there, "
            "or leave `--data` out: the other streams need none."
        )
    return [_stream(one, files, requests) for one, files in found]


def _files(folder: Path, form: _Format) -> list[Path]:
    return [file for pattern in form.patterns for file in sorted(folder.glob(pattern))]


def _stream(form: _Format, files: Sequence[Path], length: int) -> Stream:
    asked = [one for service, file in enumerate(files) for one in _read(file, form, service)]
    if not asked:
        raise InvalidRequest(
            f"{files[0].parent}: its files have no rows. Restore them as they were published."
        )
    asked = sorted(asked, key=lambda one: one.at_s)[:length]
    limits = [_limits(asked, service) for service in range(len(files))]
    return Stream(
        name=form.folder,
        models=tuple(one for models in _SERVICES for one in models),
        requests=tuple(_place(one, limits[one.service]) for one in asked),
        tight_bytes=_TIGHT_BYTES,
        roomy_bytes=_ROOMY_BYTES,
        at_once=(1, MANY),
    )


def _limits(asked: Sequence[_Request], service: int) -> tuple[int, int]:
    """Give the lengths from which a prompt of a service is no longer short, and from which long."""
    lengths = sorted(one.prompt_tokens for one in asked if one.service == service) or [0]
    return lengths[int(len(lengths) * _SHORT_SHARE)], lengths[int(len(lengths) * (1 - _LONG_SHARE))]


def _place(request: _Request, limits: tuple[int, int]) -> int:
    models = len(_SERVICES[0])
    return request.service % len(_SERVICES) * models + bisect_right(limits, request.prompt_tokens)


def _read(file: Path, form: _Format, service: int) -> Iterator[_Request]:
    with file.open(encoding="utf-8", errors="replace", newline="") as text:
        rows = csv.DictReader(text)
        for column in (form.time_column, form.tokens_column):
            if column not in (rows.fieldnames or ()):
                raise InvalidRequest(
                    f"{file}, line 1: it has no column {column!r}. "
                    "Restore the file as it was published."
                )
        for row in rows:
            yield _request(row, form, service, at=f"{file}, line {rows.line_num}")


def _request(row: dict[str, str], form: _Format, service: int, *, at: str) -> _Request:
    try:
        return _Request(
            at_s=form.seconds(row[form.time_column]),
            service=service,
            prompt_tokens=int(row[form.tokens_column]),
        )
    except (TypeError, ValueError) as problem:
        raise InvalidRequest(
            f"{at}: it cannot be read: {problem}. Restore the file as it was published."
        ) from None
