"""Smoothing: a message is likelier to matter where its neighbors do."""

from collections.abc import Mapping
from typing import Final

NEIGHBOR_SHARE: Final = 0.3
"""Of the score of the message before and of the one after."""
AROUND_SHARE: Final = 0.5
"""Of the best score around."""
AROUND: Final = 5
"""Units before and after that are around."""


def nearby(scores: Mapping[int, float]) -> dict[int, float]:
    """Give what each unit gets from those around it, given the scores of units.

    1. A share of each neighbor's score.
    2. A share of the best score within five units.
    """
    gained: dict[int, float] = {}
    best: dict[int, float] = {}
    for unit, score in scores.items():
        for beside in (unit - 1, unit + 1):  # 1
            gained[beside] = gained.get(beside, 0.0) + NEIGHBOR_SHARE * score
        for around in range(unit - AROUND, unit + AROUND + 1):  # 2
            if score > best.get(around, 0.0):
                best[around] = score
    return {unit: AROUND_SHARE * score + gained.get(unit, 0.0) for unit, score in best.items()}
