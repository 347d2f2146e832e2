"""The models of a host as `lmswitch models` shows them: what they are, and how each stands here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.cli.screen import table
from langchain_lmswitch.types.units import UNKNOWN, size

if TYPE_CHECKING:
    from rich.table import Table

    from langchain_lmswitch.types.grades import Expected
    from langchain_lmswitch.types.machine import Footprint
    from langchain_lmswitch.types.models import ModelCard, Resident
    from langchain_lmswitch.types.paces import Pace

_NARROW_COLUMNS: Final = 80
_WIDE_COLUMNS: Final = 120
"""From here on there is room for all that is known of a model."""

_SPACIOUS_COLUMNS: Final = 160
"""From here on the table has whole sentences, too."""
LEAVING: Final = "yes, after unloading"
"""How the reason begins why a model fits for which others have to leave."""
_QUALITY: Final = ("right", "prior", "learnt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Whether a model can be in memory now."""

    fits: bool | None
    """`None` if that is unknown."""
    why: str

    @property
    def short(self) -> str:
        """The same in a word or two."""
        if self.fits is None:
            return UNKNOWN
        if not self.fits:
            return "no"
        return "if others leave" if self.why.startswith(LEAVING) else "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model, and how it stands."""

    card: "ModelCard"
    holding: "Sequence[Resident]" = ()
    """Its instances in memory."""
    footprint: "Footprint | None" = None
    """With `context_tokens`."""
    context_tokens: int = 0
    """It is loaded with, or would be now; 0 if unknown."""
    fit: Fit
    pace: "Pace | None" = None
    expected: "Expected | None" = None
    """How good it is at the task that was asked for, if one was."""

    @property
    def can(self) -> list[str]:
        """What it can do."""
        return abilities(self.card)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The models of a host, in the order in which they are shown."""

    address: str
    rows: Sequence[Row]
    on_gpus: bool = False
    """Whether there are GPUs with memory of their own, so that it matters where models lie."""


def abilities(card: "ModelCard") -> list[str]:
    """Name what a model can do."""
    if card.kind == "embedding":
        return ["embedding"]
    return ["chat", *(["tools"] * card.tool_use), *(["vision"] * card.vision)]


def ordered(rows: Sequence[Row]) -> list[Row]:
    """Put models in the order in which they are shown.

    1. The best at the task that was asked for, if one was.
    2. Chat models before embedding models.
    3. Those in memory, then those that fit or may, then the rest.
    4. By name.
    """
    return sorted(
        rows,
        key=lambda row: (
            -row.expected.quality if row.expected else 0.0,  # 1
            row.card.kind == "embedding",  # 2
            not row.holding,  # 3
            row.fit.fits is False,
            row.card.key,  # 4
        ),
    )


def listing(shelf: Shelf, *, columns: int = 240) -> "Table":
    """Lay the models out; narrow terminals get the columns that are asked for most."""
    rows = [_cells(row, shelf, spacious=columns >= _SPACIOUS_COLUMNS) for row in shelf.rows]
    shown = [name for name in _shown(shelf, columns) if any(cells[name] for cells in rows)]
    if "learnt" not in shown and "prior" in shown:
        shown.remove("prior")  # it is all that is known
    right = ("size", "params", "trained", "context", "needs", "RAM", "GPU", "tokens/s", *_QUALITY)
    return table(*shown, rows=[[cells[name] for name in shown] for cells in rows], right=right)


def reasons(shelf: Shelf, *, columns: int = 240) -> list[str]:
    """Say why models do not fit as things are, if the table has no room for that."""
    if columns >= _SPACIOUS_COLUMNS:
        return []
    told = [row for row in shelf.rows if not row.holding and row.fit.short != row.fit.why]
    return [f"{row.card.key}: {row.fit.why}" for row in told]


def _shown(shelf: Shelf, columns: int) -> list[str]:
    needs = ["RAM", "GPU"] if shelf.on_gpus else ["needs"]
    if columns < _NARROW_COLUMNS:
        return ["model", _QUALITY[0], *needs, "tokens/s", "fits"]
    if columns < _WIDE_COLUMNS:
        return ["model", *_QUALITY, "quant", "context", *needs, "tokens/s", "fits"]
    about = ["size", "params", "quant", "trained", "can"]
    return ["model", *_QUALITY, *about, "context", *needs, "tokens/s", "fits"]


def _cells(row: Row, shelf: Shelf, *, spacious: bool) -> dict[str, str]:
    card, cost, rate = row.card, row.footprint, row.pace and row.pace.tokens_per_second
    fits = row.fit.why if spacious else row.fit.short
    return {
        "model": card.key,
        **_quality(row.expected),
        "size": size(card.size_bytes or None),
        "params": card.params or UNKNOWN,
        "quant": card.quantization or UNKNOWN,
        "trained": f"{card.max_context_tokens:,}" if card.max_context_tokens else UNKNOWN,
        "can": ", ".join(row.can),
        "context": f"{row.context_tokens:,}" if row.context_tokens else "",
        "needs": size(cost.total_bytes if cost else None),
        "RAM": size(cost.ram_bytes if cost else None) if shelf.on_gpus else "",
        "GPU": size(cost.vram_bytes if cost else None) if shelf.on_gpus else "",
        "tokens/s": f"{rate:,.1f}" if rate else "",
        "fits": "loaded" if row.holding else fits,
    }


def _quality(expected: "Expected | None") -> dict[str, str]:
    if expected is None:
        return dict.fromkeys(_QUALITY, "")
    learnt = expected.quality - expected.prior
    told = (f"{expected.quality:.0%}", f"{expected.prior:.0%}", f"{learnt:+.1%}" if learnt else "")
    return dict(zip(_QUALITY, told, strict=True))
