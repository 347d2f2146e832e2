"""What was observed of one model's loads."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from langchain_lmswitch.types.loads import LoadRecord

_LATEST: Final = 5
"""Observations of one context that count: an engine may change without telling so."""
_KEPT: Final = 32
"""Records of one model that are kept."""
_MORE_THAN_FREE: Final = 1.01
"""What a load that failed for memory needs at least, to what was free for it."""

FAILURE_COUNTS_S: Final = 1800.0
"""As long as the longest time for which a load that failed is not tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLarge:
    """A load that failed for memory."""

    least_bytes: int
    """What it needs at least."""
    at_s: float
    """When it failed last, in Unix time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The loads of one model on one host, all contexts together."""

    made: tuple[LoadRecord, ...] = ()
    """Those that were made and measured, oldest first."""
    too_large: Mapping[int, TooLarge] = field(default_factory=dict)
    """By context: the loads that failed for memory, and were not made since."""

    @property
    def contexts(self) -> list[int]:
        """The contexts of the loads that were measured, in order."""
        return sorted({one.configuration.context_tokens for one in self.made})

    def at(self, context_tokens: int) -> list[LoadRecord]:
        """List the latest loads with this context."""
        same = [one for one in self.made if one.configuration.context_tokens == context_tokens]
        return same[-_LATEST:]

    def held_bytes(self, context_tokens: int) -> list[int]:
        """List what the latest loads with this context held."""
        return [one.observed_bytes or 0 for one in self.at(context_tokens)]

    def least_bytes(self, context_tokens: int, *, now_s: float) -> int:
        """Say what a load needs at least, since one with as much context or less has failed lately.

        After `FAILURE_COUNTS_S` it counts no more: another program may have taken the memory just
        then, and a model that is never tried again is lost for good.
        """
        since_s = now_s - FAILURE_COUNTS_S
        failed = [
            one.least_bytes
            for tokens, one in self.too_large.items()
            if tokens <= context_tokens and one.at_s > since_s
        ]
        return max(failed, default=0)

    def with_record(self, record: LoadRecord) -> "Observed":
        """Add one load.

        1. One that was made proves that its context fits, and each smaller one.
        2. One that failed for memory needs a little more than was free for it.
        3. Any other failure tells nothing of memory.
        """
        tokens = record.configuration.context_tokens
        if not record.failed:  # 1
            made = [*self.made, record] if record.observed_bytes else self.made
            still = {other: one for other, one in self.too_large.items() if other > tokens}
            return Observed(made=tuple(made[-_KEPT:]), too_large=still)
        if record.for_memory and record.free_bytes is not None:  # 2
            least_bytes = math.ceil(record.free_bytes * _MORE_THAN_FREE)
            if known := self.too_large.get(tokens):
                least_bytes = max(least_bytes, known.least_bytes)
            failed = TooLarge(least_bytes=least_bytes, at_s=record.at_s)
            return replace(self, too_large={**self.too_large, tokens: failed})
        return self  # 3


def ratios(records: Sequence[LoadRecord]) -> list[float]:
    """List what loads held, to what they were expected to."""
    return [
        one.observed_bytes / one.expected_bytes
        for one in records
        if one.observed_bytes and one.expected_bytes
    ]
