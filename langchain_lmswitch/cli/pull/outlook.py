"""Whether a model would fit once it is there; an estimate from its size alone. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.policy.admission import room
from langchain_lmswitch.policy.contexts import contexts
from langchain_lmswitch.policy.footprint import from_size
from langchain_lmswitch.types.downloads import DownloadOption
from langchain_lmswitch.types.machine import Snapshot
from langchain_lmswitch.types.units import UNKNOWN, size

_LEAST_TOKENS: Final = 2048
"""A model that fits with less context only is of little use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How one download would stand with this machine. `None` is unknown, never zero."""

    option: DownloadOption
    fits: bool | None
    context_tokens: int = 0
    """The most that it would fit with; of one that does not fit, the least that was tried."""
    needs_bytes: int | None = None
    free_bytes: int | None = None

    @property
    def words(self) -> str:
        """Say so."""
        if self.needs_bytes is None or self.free_bytes is None:
            words = {True: "fits, says its host", False: "does not fit, says its host"}
            return UNKNOWN if self.fits is None else words[self.fits]
        verb = "fits" if self.fits else "does not fit"
        needs = f"needs about {size(self.needs_bytes)}, {size(self.free_bytes)} free"
        return f"{verb} with {self.context_tokens:,} tokens: {needs}"


def outlook(
    option: DownloadOption, snapshot: Snapshot | None, *, context_tokens: int, headroom_bytes: int
) -> Outlook:
    """Estimate whether a model would fit.

    1. Of another machine, or of one whose memory or size is unknown, its host has the word.
    2. It fits with the context that is usual here, or a half of it, or a half of that.
    3. Else it does not, with everything loaded now in its place: what may leave is not counted.

    Args:
        option: What would be downloaded.
        snapshot: The machine that it would be loaded on; `None` if that is another one.
        context_tokens: The context that is usual here.
        headroom_bytes: What must stay free.
    """
    free_bytes = None if snapshot is None else _free(snapshot, headroom_bytes)
    if free_bytes is None or option.size_bytes is None:  # 1
        return Outlook(option=option, fits=option.fits_by_host)
    tried = contexts(context_tokens, least_tokens=_LEAST_TOKENS)
    needs = {tokens: _needs(option.size_bytes, tokens) for tokens in tried}
    fitting = [tokens for tokens in tried if needs[tokens] <= free_bytes]
    tokens = fitting[0] if fitting else tried[-1]  # 2, 3
    return Outlook(
        option=option,
        fits=bool(fitting),
        context_tokens=tokens,
        needs_bytes=needs[tokens],
        free_bytes=free_bytes,
    )


def _free(snapshot: Snapshot, headroom_bytes: int) -> int | None:
    return room(snapshot, occupants=(), headroom_bytes=headroom_bytes)


def _needs(size_bytes: int, context_tokens: int) -> int:
    return from_size(size_bytes, params="", context_tokens=context_tokens).total_bytes


def recommended(outlooks: Sequence[Outlook]) -> Outlook | None:
    """Choose what to take of several; `None` if nothing would fit.

    1. What the source recommends, unless it would not fit.
    2. Else the largest that would.
    3. Else one of which nothing is known.
    """
    told = [one for one in outlooks if one.option.recommended and one.fits is not False]
    fitting = [one for one in outlooks if one.fits]
    largest = sorted(fitting, key=lambda one: -(one.option.size_bytes or 0))
    unknown = [one for one in outlooks if one.fits is None]
    return next(iter([*told, *largest, *unknown]), None)
