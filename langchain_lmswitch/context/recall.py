"""Recall: which earlier passages the question needs."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.context.corpus import Corpus, corpus_of
from langchain_lmswitch.context.priors import RULE_WORTH, factor
from langchain_lmswitch.context.questions import Query, named, wants_recall, weighted
from langchain_lmswitch.context.ranking import Matches, matched, to_one
from langchain_lmswitch.context.segments import Segment, from_plain, segment
from langchain_lmswitch.context.smoothing import smoothed
from langchain_lmswitch.context.terms import terms_of

__all__ = ["Hit", "Query", "Segment", "from_plain", "search", "segment", "wants_recall"]

MOST_HITS: Final = 500
"""More are never put back."""
_MOST_WHY: Final = 5
CLOSE_WEIGHT: Final = 1.5
"""Of the closest passage, beside the one that matches best by its words."""
_CLOSE: Final = 0.5
"""From here on a vector is a reason, half as good as the best one."""


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
    """Where it begins in the message, or in its tool calls."""
    call: bool = False
    """Whether it is of the message's tool calls, not of its text."""
    speaker: str = ""
    date: str = ""


def search(
    query: Query,
    segments: Sequence[tuple[int, Segment]],
    *,
    alike: Sequence[float] | None = None,
    priors: bool = True,
) -> list[Hit]:
    """Rank the passages of segments, given with the index of each one's first unit; see below."""
    return search_in(query, corpus_of(segments), alike=alike, priors=priors)


def search_in(
    query: Query,
    corpus: Corpus,
    *,
    alike: Sequence[float] | None = None,
    priors: bool = True,
) -> list[Hit]:
    """Rank the passages of evicted chunks, best first.

    1. Passages score by the terms of the question that they have, the best one 1.
    2. Vectors, if there are any, add more than that.
    3. A message gets a share of the scores around it.
    4. Who says it counts, and how: see `factor`; and standing instructions come before the rest.

    Args:
        query: What is asked.
        corpus: What is searched.
        alike: How close each passage is to the question by its vector, from 0 to 1, in the order
            of the corpus; `None` if there are no vectors.
        priors: Whether what the user said, and standing instructions, come before the rest.
    """
    names = named(query.text, corpus.speakers)
    found = matched(weighted(query, names), corpus)  # 1
    own = to_one(found.scores)
    close = {at: score for at, score in enumerate(alike or ()) if score > 0}  # 2
    for at, score in close.items():
        own[at] = own.get(at, 0.0) + CLOSE_WEIGHT * score
    scores = smoothed(own, corpus)  # 3
    roles = priors and not corpus.people
    for at in scores:  # 4
        scores[at] *= factor(corpus.passages[at], names, roles=roles)
    if roles:
        for at in corpus.rules:
            scores[at] = scores.get(at, 0.0) + RULE_WORTH
    best = heapq.nlargest(MOST_HITS, scores, key=scores.__getitem__)
    words = _words_of(f"{query.before} {query.text}", found, best)
    return [_hit(corpus, at, scores[at], _why(at, words, own, close)) for at in best]


def _words_of(text: str, found: Matches, best: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """Give the words of the question that each of the best has, the rarest first."""
    spelled = {term: word.strip(".,;:!?\"'()") for word in text.split() for term in terms_of(word)}
    words: dict[int, list[str]] = {at: [] for at in best}
    for term in sorted(found.rarity, key=found.rarity.__getitem__, reverse=True):
        for at in found.postings[term]:
            if at in words and len(words[at]) < _MOST_WHY:
                words[at].append(spelled.get(term, term))
    return words


def _why(
    at: int,
    words: Mapping[int, Sequence[str]],
    own: Mapping[int, float],
    close: Mapping[int, float],
) -> tuple[str, ...]:
    near = () if at in own else ("near",)
    return (
        *dict.fromkeys(words[at]),
        *(("vector",) if close.get(at, 0.0) >= _CLOSE else ()),
        *near,
    )


def _hit(corpus: Corpus, at: int, score: float, why: tuple[str, ...]) -> Hit:
    passage = corpus.passages[at]
    return Hit(
        corpus.places[at],
        passage.part,
        passage.text,
        score,
        why,
        passage.message,
        passage.start,
        passage.call,
        passage.speaker,
        passage.date,
    )
