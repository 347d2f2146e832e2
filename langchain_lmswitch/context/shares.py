"""Shares of the budget: what is whose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.context.boundaries import Levels
from langchain_lmswitch.context.units import Unit

MARGIN_TOKENS: Final = 64
"""Kept free, or 2 % of the budget if that is more: a host that comes near the end of the context
reads the whole prompt anew each turn."""
_MARGIN_SHARE: Final = 0.02
_MOST_MARGIN_SHARE: Final = 1 / 16
_WINDOW_SHARE: Final = 0.4
_SUMMARY_SHARE: Final = 0.08
_STANDING_SHARE: Final = 0.05
_LEAST_RECALL_SHARE: Final = 0.12
_LOOP_SHARE: Final = 0.7
_UNIT_SHARE: Final = 0.5
_ASKER_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What each part of the prompt may take, in tokens."""

    free: int
    """All parts together: the budget less the system prompt, tools and a margin."""
    levels: Levels
    summary: int
    standing: int
    """Standing instructions from messages that were evicted."""
    least_recall: int
    """Earlier passages, even if nothing is asked."""
    most_unit: int
    """One message with its results; a longer one is cut."""
    most_asker: int
    """A user message; likewise."""

    def most_of(self, unit: Unit) -> int:
        """What a unit may take once something was evicted."""
        return self.most_asker if unit.asks else self.most_unit

    def capped(self, units: Sequence[Unit], costs: Sequence[int]) -> list[int]:
        """What each unit takes if those too large are cut to their place."""
        if max(costs, default=0) <= self.most_unit:
            return [*costs]
        return [min(cost, self.most_of(unit)) for unit, cost in zip(units, costs, strict=True)]


def shares(
    budget_tokens: int, fixed_tokens: int, *, summarized: bool, tools: bool = False
) -> Shares:
    """Divide the budget.

    1. A margin of 64 tokens or 2 %, at most a sixteenth, stays free.
    2. While nothing was evicted, the conversation may have all the rest.
    3. From then on the recent window has two fifths, and is brought down to one when it is full:
       so three tenths on average. Whatever it leaves is there for what is recalled.
       An agent's window has seven tenths: its next step needs its last ones most.
    4. A summary has at most 8 %, standing instructions 5 %.

    5. No message has more than half, so that others have room beside it; the user's four fifths.

    Args:
        budget_tokens: What the finished prompt may take.
        fixed_tokens: The system prompt, tools and what the template adds once.
        summarized: Whether there are summaries.
        tools: Whether tools are offered.
    """
    margin = max(MARGIN_TOKENS, int(budget_tokens * _MARGIN_SHARE))
    margin = min(margin, int(budget_tokens * _MOST_MARGIN_SHARE))  # 1
    free = max(budget_tokens - fixed_tokens - margin, 0)
    high = int(free * (_LOOP_SHARE if tools else _WINDOW_SHARE))  # 3
    return Shares(
        free=free,
        levels=Levels(full=free, high=high, low=high // 2),  # 2
        summary=int(free * _SUMMARY_SHARE) if summarized else 0,  # 4
        standing=int(free * _STANDING_SHARE),
        least_recall=int(free * _LEAST_RECALL_SHARE),
        most_unit=int(free * _UNIT_SHARE),  # 5
        most_asker=int(free * _ASKER_SHARE),
    )
