"""Models that could be downloaded, and what there is of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OnBytes = Callable[[int, int], None]
"""Called with the bytes that have arrived, and those of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A model that a search has found."""

    name: str
    identifier: Mapping[str, Any]
    """How its source names it."""
    exact: bool = False
    """Whether it is what was searched for, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadOption:
    """One form of a model that can be downloaded: a quantization, as a rule."""

    name: str
    identifier: str
    """How its source names it."""
    quantization: str = ""
    """Empty if unknown."""
    size_bytes: int | None = None
    """Of all its files; `None` if unknown."""
    fits_by_host: bool | None = None
    """The source's own verdict; `None` if it gave none."""
    recommended: bool = False
    """Whether the source recommends it among the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What a download has brought."""

    key: str = ""
    """What the model is called now; empty if its source does not tell."""
    files: tuple[Path, ...] = ()
    """Empty if another program keeps them."""
