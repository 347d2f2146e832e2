"""Pools of models that a machine could choose from, and what is known of each."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.policy.parameters import billions_in
from langchain_lmswitch.types.models import ModelCard

CAPS_B: Final = (10, 50, 100)
"""Billions of parameters that small, middle and large machines hold."""
_LEAST_MODELS: Final = 2
_FILE: Final = "models.csv"
_COLUMNS: Final = ("model", "total_b", "active_b")
_BYTES_PER_PARAM: Final = 0.6
"""About 4.8 bits a weight, the K-quant most people load."""
_CLOSED_B: Final = 200.0
"""What a model moves whose size nobody knows: they are served by others, and large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Parameters of a model in billions; `None` is unknown."""

    total_b: float | None
    active_b: float | None
    """Those that compute each token."""

    @property
    def moved_b(self) -> float:
        """Billions of weights that are read for each token: what an answer costs."""
        return self.active_b or self.total_b or _CLOSED_B


Sizes = Mapping[str, Size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Models that are chosen from."""

    name: str
    models: tuple[str, ...]


def size_of(model: str, sizes: Sizes) -> Size:
    """Look a model's size up; what is not listed goes by its name."""
    if model in sizes:
        return sizes[model]
    told = billions_in(model) or None
    return Size(total_b=told, active_b=told)


def pools(name: str, models: Iterable[str], sizes: Sizes) -> list[Pool]:
    """Cap a table's models at 10, 50 and 100 billion parameters.

    A pool has at least two models, and more than the one before. Models of unknown size are in
    none.
    """
    sized = {one: size_of(one, sizes).total_b for one in models}
    found: list[Pool] = []
    for cap_b in CAPS_B:
        fitting = tuple(one for one, total_b in sized.items() if total_b and total_b <= cap_b)
        if len(fitting) >= max(_LEAST_MODELS, len(found[-1].models) + 1 if found else 0):
            found.append(Pool(name=f"{name} <={cap_b}B", models=fitting))
    return found


def card_of(model: str, sizes: Sizes) -> ModelCard:
    """Make the card that a host would show of a model: as most people load it."""
    size = size_of(model, sizes)
    return ModelCard(
        key=model,
        display_name=model,
        params=_label(size),
        size_bytes=round((size.total_b or 0) * _BYTES_PER_PARAM * 1e9),
    )


def _label(size: Size) -> str:
    """Write a parameter count as hosts do: `7.6B`, or `46.7B-A12.9B` for a mixture of experts."""
    if not size.total_b:
        return ""
    whole = size.active_b in {None, size.total_b}
    return f"{size.total_b:g}B" if whole else f"{size.total_b:g}B-A{size.active_b:g}B"


def find_sizes(beside: Path) -> Path | None:
    """Find the list of sizes beside a file or above it."""
    return next((one / _FILE for one in beside.resolve().parents if (one / _FILE).is_file()), None)


def read_sizes(file: Path) -> dict[str, Size]:
    """Read the list of sizes.

    Raises:
        InvalidRequest: It is not there, or has not these columns, or a size is no number.
    """
    try:
        with file.open(encoding="utf-8", newline="") as text:
            rows = csv.DictReader(text)
            if missing := [name for name in _COLUMNS if name not in (rows.fieldnames or ())]:
                raise InvalidRequest(
                    f"{file} has no column {missing[0]!r}. A list of models has "
                    f"{', '.join(_COLUMNS)}, in billions of parameters."
                )
            return {row["model"]: _size(row, at=f"{file}, line {rows.line_num}") for row in rows}
    except OSError as problem:
        raise InvalidRequest(f"{file} cannot be read: {problem.strerror}.") from None


def _size(row: Mapping[str, str], *, at: str) -> Size:
    try:
        total_b, active_b = (float(row[name]) if row[name] else None for name in _COLUMNS[1:])
    except ValueError:
        raise InvalidRequest(f"{at}: a size is no number. Write billions, as in 7.6.") from None
    return Size(total_b=total_b, active_b=active_b)
