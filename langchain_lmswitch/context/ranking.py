"""Ranking: how well each passage matches the question's terms, by BM25."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.context.corpus import Corpus, Row

SATURATION: Final = 1.2
LENGTH_SHARE: Final = 0.75
"""BM25's k1 and b, as everyone has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """The passages that have terms of a question; passages are counted through all segments."""

    scores: Mapping[int, float]
    rarity: Mapping[str, float]
    """Of each term that was found anywhere, BM25's idf."""
    postings: Mapping[str, Sequence[tuple[int, int]]]
    """Of each term that was found anywhere: passages, and how often they have it."""


def matched(weights: Mapping[str, float], corpus: Corpus) -> Matches:
    """Score passages by the terms that they have.

    Args:
        weights: What each term of the question counts.
        corpus: What is searched.
    """
    lengths = corpus.lengths
    average = sum(lengths) / len(lengths) if lengths else 1.0
    least, more = SATURATION * (1 - LENGTH_SHARE), SATURATION * LENGTH_SHARE / (average or 1.0)
    scores: dict[int, float] = {}
    rarity: dict[str, float] = {}
    postings: dict[str, list[tuple[int, int]]] = {}
    for term, weight in weights.items():
        found = _found(term, corpus.rows)
        if not found:
            continue
        postings[term] = found
        rarity[term] = _rarity(len(lengths), len(found))
        gain = weight * rarity[term] * (SATURATION + 1)
        for at, times in found:
            part = times / (times + least + more * lengths[at])
            scores[at] = scores.get(at, 0.0) + gain * part
    return Matches(scores=scores, rarity=rarity, postings=postings)


def to_one(scores: Mapping[int, float]) -> dict[int, float]:
    """Scale scores so that the best is 1."""
    most = max(scores.values(), default=1.0)
    return {at: score / most for at, score in scores.items()} if most > 0 else {}


def _rarity(passages: int, having: int) -> float:
    return math.log(1 + (passages - having + 0.5) / (having + 0.5))


def _found(term: str, rows: Sequence[Row]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for base, postings in rows:
        posting = postings.get(term)
        if posting is not None:
            for at in range(0, len(posting), 2):
                found.append((base + posting[at], posting[at + 1]))  # noqa: PERF401 - the inner loop
    return found
