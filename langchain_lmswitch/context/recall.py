"""Recall: which earlier passages the question needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langchain_lmswitch.context.units import Unit


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The index of one chunk: postings of its passages. Never changed, so it can be kept."""

    digest: bytes


def segment(digest: bytes, units: Sequence[Unit]) -> Segment:
    """Index the units of one chunk."""
    raise NotImplementedError


def search(
    query: Query,
    segments: Sequence[tuple[int, Segment]],
    *,
    vectors: Mapping[str, Sequence[float]] | None = None,
) -> list[Hit]:
    """Rank the passages of evicted chunks, best first.

    Args:
        query: What is asked.
        segments: With the index of each one's first unit, in the order of time.
        vectors: Of the query's text and of every passage, by text, normalized; `None` is without.
    """
    raise NotImplementedError
