"""Memory at one moment, as bars."""

from collections.abc import Iterator
from dataclasses import dataclass

from langchain_lmswitch.types.history import MemorySample, Occupancy, Share, others_bytes
from langchain_lmswitch.types.units import size


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one holder has of a memory."""

    name: str
    held_bytes: int
    key: str = ""
    """Of the model; empty if it is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One kind of memory."""

    name: str
    parts: tuple[Part, ...]
    total_bytes: int | None
    """`None` is unknown."""
    free_bytes: int | None

    @property
    def text(self) -> str:
        """Say the same in words."""
        held = [f"{part.name} {size(part.held_bytes)}" for part in self.parts]
        if self.free_bytes is not None:
            held.append(f"free {size(self.free_bytes)}")
        whole = self.name if self.total_bytes is None else f"{self.name} {size(self.total_bytes)}"
        return f"{whole}: {', '.join(held) or 'no models'}"


def meters(sample: MemorySample | None, occupancy: Occupancy | None) -> Iterator[Meter]:
    """Lay out what is known of memory.

    1. Models stand against the user's budget, if there is one.
    2. Else accelerators with memory of their own have a bar, and main memory has one.
    """
    shares = occupancy.shares if occupancy else ()
    if sample is None:
        return
    if sample.budget_bytes is not None:  # 1
        parts = tuple(_models(shares, [one.total_bytes for one in shares]))
        free_bytes = max(0, sample.budget_bytes - sum(part.held_bytes for part in parts))
        yield Meter(
            name="Budget", parts=parts, total_bytes=sample.budget_bytes, free_bytes=free_bytes
        )
        return
    if sample.vram_total_bytes:  # 2
        parts = tuple(_models(shares, [one.vram_bytes for one in shares]))
        yield _meter("VRAM", parts, sample.vram_total_bytes, sample.vram_free_bytes)
    parts = tuple(_models(shares, [one.ram_bytes for one in shares]))
    yield _meter("RAM", parts, sample.ram_total_bytes, sample.ram_free_bytes)


def _models(shares: tuple[Share, ...], held: list[int]) -> Iterator[Part]:
    for share, held_bytes in zip(shares, held, strict=True):
        if held_bytes:
            yield Part(name=share.key, held_bytes=held_bytes, key=share.key)


def _meter(
    name: str, parts: tuple[Part, ...], total_bytes: int | None, free_bytes: int | None
) -> Meter:
    """Add what is neither free nor a model's."""
    models_bytes = sum(part.held_bytes for part in parts)
    if others := others_bytes(total_bytes, free_bytes, models_bytes=models_bytes):
        parts = (*parts, Part(name="other programs", held_bytes=others))
    return Meter(name=name, parts=parts, total_bytes=total_bytes, free_bytes=free_bytes)
