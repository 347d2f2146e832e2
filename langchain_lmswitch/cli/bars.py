"""Memory as bars: one for main memory and one for each GPU, with who holds how much of it.

    RAM   A███████B██▒▒▒▒▒▒·································|··

Models are letters, told again beside their names, so that a bar reads without color. What they
hold is an estimate; what is free was measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.types.displays.machine import LIMITS, SCOPES
from langchain_lmswitch.types.history import Share, others_bytes
from langchain_lmswitch.types.machine import Gpu, Snapshot
from langchain_lmswitch.types.units import UNKNOWN, size

if TYPE_CHECKING:
    from rich.text import Text

_COLORS: Final = ("cyan", "magenta", "green", "yellow", "blue", "red")
Glyphs = tuple[str, str, str]
"""For models, for other programs, and for what is free."""

_BLOCKS: Final[Glyphs] = ("█", "▒", "·")
_ASCII: Final[Glyphs] = ("=", "#", ".")
"""The same for terminals that cannot show these."""
_MARK: Final = "|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A model's part of one memory."""

    letter: str
    name: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One memory. `None` is unknown, never zero."""

    name: str
    total_bytes: int | None
    free_bytes: int | None
    parts: tuple[Part, ...] = ()
    headroom_bytes: int = 0
    """What must stay free of all memories together after a load, if that is marked here."""
    limit: str = ""
    """What sets the total, in words."""

    @property
    def other_bytes(self) -> int | None:
        """What others hold than these models."""
        held_bytes = sum(one.bytes for one in self.parts)
        return others_bytes(self.total_bytes, self.free_bytes, models_bytes=held_bytes)


def letter(number: int) -> str:
    """Give the letter of a model by its place: A to Z, then lower case, then a star for all."""
    letters = ascii_uppercase + ascii_uppercase.lower()
    return letters[number] if number < len(letters) else "*"


def memory_bars(
    snapshot: Snapshot, shares: Sequence[Share], *, headroom_bytes: int = 0
) -> tuple[Bar, ...]:
    """Put a measured memory and what models hold of it side by side.

    1. Main memory comes first, then each GPU that has memory of its own.
    2. What models hold on several GPUs is spread over them as their used memory is: which layers
       lie where, no host tells.
    3. The user's budget is a bar too: it is full when a load is refused for it.
    """
    own = [gpu for gpu in snapshot.gpus or () if not gpu.unified]
    ram = Bar(  # 1
        name="RAM",
        total_bytes=snapshot.ram_total_bytes,
        free_bytes=snapshot.ram_free_bytes,
        parts=_parts([(one.key, one.ram_bytes) for one in shares]),
        headroom_bytes=headroom_bytes,
        limit=_limit(snapshot),
    )
    gpus = [
        Bar(
            name=f"GPU {number}" if len(own) > 1 else "GPU",
            total_bytes=gpu.total_bytes,
            free_bytes=gpu.free_bytes,
            parts=_parts([(one.key, round(one.vram_bytes * part)) for one in shares]),
            limit=gpu.name,
        )
        for number, (gpu, part) in enumerate(zip(own, _used(own), strict=True))  # 2
    ]
    return (ram, *gpus, *_budget(snapshot, shares))  # 3


def _parts(held: Sequence[tuple[str, int]]) -> tuple[Part, ...]:
    return tuple(
        Part(letter=letter(number), name=name, bytes=held_bytes)
        for number, (name, held_bytes) in enumerate(held)
        if held_bytes
    )


def _limit(snapshot: Snapshot) -> str:
    if snapshot.ram_total_bytes is None:
        return SCOPES["remote"] if snapshot.scope == "remote" else ""
    return LIMITS.get(snapshot.limited_by, snapshot.limited_by)


def _used(gpus: Sequence[Gpu]) -> list[float]:
    used = [max(0, (gpu.total_bytes or 0) - (gpu.free_bytes or 0)) for gpu in gpus]
    known = all(gpu.free_bytes is not None and gpu.total_bytes is not None for gpu in gpus)
    total = sum(used)
    return [one / total for one in used] if known and total else [1 / len(gpus) for _ in gpus]


def _budget(snapshot: Snapshot, shares: Sequence[Share]) -> tuple[Bar, ...]:
    if snapshot.budget_bytes is None:
        return ()
    held = [(one.key, one.total_bytes) for one in shares]
    left_bytes = snapshot.budget_bytes - sum(held_bytes for _, held_bytes in held)
    return (
        Bar(
            name="budget",
            total_bytes=snapshot.budget_bytes,
            free_bytes=max(0, left_bytes),
            parts=_parts(held),
            limit="LMSWITCH_BUDGET_BYTES",
        ),
    )


def cells(bar: Bar, width: int) -> list[tuple[str, int, int]]:
    """Divide a bar into runs of cells: kind of content, its number, how many cells.

    Kinds are `model`, `other` and `free`. Whatever is there at all has a cell; the largest run
    gives those that are too many.
    """
    models = [("model", number, part.bytes) for number, part in enumerate(bar.parts)]
    known = [*models, ("other", 0, bar.other_bytes or 0)]
    taken = sum(held for *_, held in known)
    total = max(bar.total_bytes or 0, taken, 1)
    wanted = [*known, ("free", 0, total - taken)]
    given = [max(1, round(width * held / total)) if held else 0 for *_, held in wanted]
    while sum(given) != width:
        given[given.index(max(given))] += 1 if sum(given) < width else -1
    return [
        (kind, number, count)
        for (kind, number, _), count in zip(wanted, given, strict=True)
        if count
    ]


def drawn(bar: Bar, width: int, *, plain: bool = False) -> "Text":
    """Draw a bar; `plain` is for terminals that show ASCII only."""
    from rich.text import Text

    if bar.total_bytes is None or bar.free_bytes is None:
        return Text(UNKNOWN, style="dim")
    glyphs = _ASCII if plain else _BLOCKS
    line = [
        (glyph, style)
        for kind, number, count in cells(bar, width)
        for glyph, style in _run(bar, glyphs, kind, number, count)
    ]
    if bar.headroom_bytes and bar.total_bytes:
        # Where free memory ends that a load may take.
        kept = min(width - 1, round(width * bar.headroom_bytes / bar.total_bytes))
        line[width - 1 - kept] = (_MARK, "bold")
    return Text.assemble(*line, no_wrap=True)


def _run(bar: Bar, glyphs: Glyphs, kind: str, number: int, count: int) -> list[tuple[str, str]]:
    model, other, free = glyphs
    if kind == "model":
        name = bar.parts[number].letter
        return [(name, f"reverse {color(name)}"), *[(model, color(name))] * (count - 1)]
    return [(other if kind == "other" else free, "dim")] * count


def color(of_letter: str) -> str:
    """Give the color of a model's letter."""
    number = ascii_uppercase.find(of_letter.upper())
    return _COLORS[number % len(_COLORS)]


def legend(bar: Bar) -> "list[Text]":
    """Say in words what a bar shows: what is left, then who holds the rest."""
    from rich.text import Text

    where = f" ({bar.limit})" if bar.limit else ""
    left = Text(f"{_left(bar)}{where}")
    if bar.headroom_bytes and bar.free_bytes is not None:
        left.append(f", {_MARK} {size(bar.headroom_bytes)} to stay free")
    holders = [Text.assemble(_sign(one), f" {one.name} {size(one.bytes)}") for one in bar.parts]
    if bar.other_bytes:
        holders.append(Text(f"others {size(bar.other_bytes)}"))
    return [left, *([Text(", ").join(holders)] if holders else [])]


def _sign(part: Part) -> tuple[str, str]:
    return part.letter, f"bold {color(part.letter)}"


def _left(bar: Bar) -> str:
    if bar.total_bytes is None and bar.free_bytes is None:
        return UNKNOWN
    return f"{size(bar.free_bytes)} free of {size(bar.total_bytes)}"
