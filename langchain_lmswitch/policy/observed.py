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


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The loads of one model on one host, all contexts together."""

    made: tuple[LoadRecord, ...] = ()
    """Those that were made and measured, oldest first."""
    too_large: Mapping[int, int] = field(default_factory=dict)
    """Context to what a load needs at least that failed for memory, and was not made since."""

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

    def least_bytes(self, context_tokens: int) -> int:
        """Say what a load needs at least, since one with as much context or less has failed."""
        failed = [least for tokens, least in self.too_large.items() if tokens <= context_tokens]
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
            still = {other: least for other, least in self.too_large.items() if other > tokens}
            return Observed(made=tuple(made[-_KEPT:]), too_large=still)
        if record.for_memory and record.free_bytes is not None:  # 2
            least = math.ceil(record.free_bytes * _MORE_THAN_FREE)
            most = max(least, self.too_large.get(tokens, 0))
            return replace(self, too_large={**self.too_large, tokens: most})
        return self  # 3


def ratios(records: Sequence[LoadRecord]) -> list[float]:
    """List what loads held, to what they were expected to."""
    return [
        one.observed_bytes / one.expected_bytes
        for one in records
        if one.observed_bytes and one.expected_bytes
    ]
