"""Recall: which earlier passages the question needs."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.context.ranking import matched
from langchain_lmswitch.context.segments import Passage, Segment, from_plain, segment
from langchain_lmswitch.context.smoothing import nearby
from langchain_lmswitch.context.terms import terms_of

__all__ = ["Hit", "Query", "Segment", "from_plain", "search", "segment"]

MOST_HITS: Final = 1_000
FEW_TERMS: Final = 6
"""A question of fewer is asked together with the one before."""
BEFORE_SHARE: Final = 0.3
USER_WEIGHT: Final = 2.0
RULE_WEIGHT: Final = 0.3
ALIKE_WEIGHT: Final = 1.0
"""Of the passage that is closest by its vector, beside the one that matches best by its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked now."""

    text: str
    """The last user message."""
    before: str = ""
    """The user message before it, for questions that are short or refer back."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that may be recalled."""

    unit: int
    """Index of its unit in the conversation."""
    part: int
    """Which passage of the unit, from 0."""
    text: str
    """Word for word."""
    score: float
    """Higher is better; comparable within one search only."""
    why: tuple[str, ...] = ()
    """Words of the question that it has, `near` (its neighbors match), `vector`; best first."""
    message: int = 0
    """Index of its message in the unit."""
    start: int = 0
    """Where it begins in the message."""
    speaker: str = ""
    date: str = ""
    call: bool = False
    """Whether it is of the message's tool calls, not of its text."""


def search(
    query: Query,
    segments: Sequence[tuple[int, Segment]],
    *,
    alike: Sequence[float] | None = None,
    priors: bool = True,
) -> list[Hit]:
    """Rank the passages of evicted chunks, best first.

    Args:
        query: What is asked.
        segments: With the index of each one's first unit, in the order of time.
        alike: How close each passage is to the question by its vector, from 0 to 1, in the order
            of the segments; `None` if there are no vectors.
        priors: Whether what the user said, and standing instructions, come before the rest.
    """
    indexes = [one for _, one in segments]
    places = [base + place for base, one in segments for place in one.places]
    passages = [one for index in indexes for one in index.passages]
    found = matched(_weights(query), indexes)
    own = _to_one(found.scores)
    for at, score in enumerate(alike or ()):
        own[at] = own.get(at, 0.0) + ALIKE_WEIGHT * score
    units: dict[int, float] = {}
    for at, score in own.items():
        units[places[at]] = max(score, units.get(places[at], 0.0))
    near = nearby(units)
    people = all(index.people for index in indexes)
    scores: dict[int, float] = {}
    for at, passage in enumerate(passages):
        score = own.get(at, 0.0) + near.get(places[at], 0.0)
        if priors and not people:
            score = score * (USER_WEIGHT if passage.asked else 1.0) + RULE_WEIGHT * passage.rule
        if score > 0:
            scores[at] = score
    best = heapq.nlargest(MOST_HITS, scores, key=scores.__getitem__)
    return [
        _hit(passages[at], places[at], scores[at], why=("near",) if at not in own else ())
        for at in best
    ]


def _weights(query: Query) -> dict[str, float]:
    weights = dict.fromkeys(terms_of(query.text), 1.0)
    if len(weights) < FEW_TERMS:
        for term in terms_of(query.before):
            weights.setdefault(term, BEFORE_SHARE)
    return weights


def _to_one(scores: Mapping[int, float]) -> dict[int, float]:
    most = max(scores.values(), default=1.0)
    return {at: score / most for at, score in scores.items()}


def _hit(passage: Passage, unit: int, score: float, *, why: tuple[str, ...]) -> Hit:
    return Hit(
        unit,
        passage.part,
        passage.text,
        score,
        why,
        passage.message,
        passage.start,
        passage.speaker,
        passage.date,
        passage.call,
    )
