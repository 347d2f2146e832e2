"""Smoothing: a message is likelier to matter where its neighbors do."""

import heapq
from bisect import bisect_left
from collections.abc import Mapping
from typing import Final

from langchain_lmswitch.context.corpus import Corpus

NEIGHBOR_SHARE: Final = 0.3
"""Of the score of the message before and of the one after."""
AROUND_SHARE: Final = 0.5
"""Of the best score around."""
AROUND: Final = 5
"""Units before and after that are around."""
DAY_SHARE: Final = 0.3
"""Of the mean of the day's three best, where an assistant is asked; people drift."""
_DAYS_BEST: Final = 3
MOST_CENTERS: Final = 300
"""Units that lend to those around them; the best ones, as a long conversation has many."""


def smoothed(own: Mapping[int, float], corpus: Corpus) -> dict[int, float]:
    """Add to the scores of passages what their messages get from those around.

    Passages of one message do not lend to each other: its best one lends to its neighbors. With
    an assistant one tends to keep to a matter for a day, so that its best lend to the whole day.

    Args:
        own: Of the passages that match.
        corpus: What the passages are of.
    """
    places = corpus.places
    tops: dict[int, int] = {}
    for at, score in own.items():
        best_at = tops.setdefault(places[at], at)
        if score > own[best_at]:
            tops[places[at]] = at
    centers = heapq.nlargest(MOST_CENTERS, tops.values(), key=own.__getitem__)
    scores = {places[at]: own[at] for at in centers}
    days = {places[at]: corpus.passages[at].date for at in centers}
    near = nearby(scores)
    best = {} if corpus.people else best_of_days(scores, days)
    found = dict(own)
    for unit, gained in near.items():
        at = bisect_left(corpus.places, unit)
        while at < len(corpus.places) and corpus.places[at] == unit:
            day = DAY_SHARE * best.get(corpus.passages[at].date, 0.0)
            found[at] = found.get(at, 0.0) + gained + day
            at += 1
    return found


def nearby(scores: Mapping[int, float]) -> dict[int, float]:
    """Give what units get from those around them.

    1. A share of each neighbor's score.
    2. A share of the best score within five units; their own is one of them.

    Args:
        scores: Of units, best first.
    """
    gained: dict[int, float] = {}
    for unit, score in scores.items():  # 1
        for beside in (unit - 1, unit + 1):
            gained[beside] = gained.get(beside, 0.0) + NEIGHBOR_SHARE * score
    reached: set[int] = set()
    for unit, score in scores.items():  # 2
        for one in range(unit - AROUND, unit + AROUND + 1):
            if one not in reached:
                reached.add(one)
                gained[one] = gained.get(one, 0.0) + AROUND_SHARE * score
    return gained


def best_of_days(scores: Mapping[int, float], days: Mapping[int, str]) -> dict[str, float]:
    """Give the mean of each day's three best scores; none where it is not known when.

    Args:
        scores: Of units, best first.
        days: When each of them was said.
    """
    best: dict[str, list[float]] = {}
    for unit, score in scores.items():
        found = best.setdefault(days[unit], [])
        if len(found) < _DAYS_BEST:
            found.append(score)
    return {day: sum(found) / _DAYS_BEST for day, found in best.items() if day}
