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
    postings: Mapping[str, Sequence[int]]
    """Of each term that was found anywhere, the passages that have it."""


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
    postings: dict[str, list[int]] = {}
    for term, weight in weights.items():
        found, often = _found(term, corpus.rows)
        if not found:
            continue
        postings[term] = found
        rarity[term] = _rarity(len(lengths), len(found))
        gain = weight * rarity[term] * (SATURATION + 1)
        for at, times in zip(found, often, strict=True):
            part = times / (times + least + more * lengths[at])
            scores[at] = scores.get(at, 0.0) + gain * part
    return Matches(scores=scores, rarity=rarity, postings=postings)


def to_one(scores: Mapping[int, float]) -> dict[int, float]:
    """Scale scores so that the best is 1."""
    most = max(scores.values(), default=1.0)
    return {at: score / most for at, score in scores.items()} if most > 0 else {}


def _rarity(passages: int, having: int) -> float:
    return math.log(1 + (passages - having + 0.5) / (having + 0.5))


def _found(term: str, rows: Sequence[Row]) -> tuple[list[int], list[int]]:
    """Give the passages that have a term, and how often each has it."""
    found: list[int] = []
    often: list[int] = []
    for base, postings in rows:
        posting = postings.get(term)
        if posting is not None:
            found += [base + at for at in posting[::2]]
            often += posting[1::2]
    return found, often
