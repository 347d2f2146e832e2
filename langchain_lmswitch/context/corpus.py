"""The corpus: the segments that are searched, as one row of passages."""

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_lmswitch.context.segments import Passage, Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """All passages in the order of time; counted from 0 through all segments."""

    segments: tuple[Segment, ...]
    passages: list[Passage]
    places: list[int]
    """The unit of each passage, counted through the conversation."""
    rules: list[int]
    """The passages that sound like standing instructions."""
    speakers: frozenset[str]
    people: bool
    """Whether people talk to each other, not a user with an assistant."""


def corpus_of(segments: Sequence[tuple[int, Segment]]) -> Corpus:
    """Line up segments, given with the index of each one's first unit."""
    passages: list[Passage] = []
    places: list[int] = []
    rules: list[int] = []
    for first, one in segments:
        rules.extend(len(passages) + at for at in one.rules)
        passages.extend(one.passages)
        places.extend(first + place for place in one.places)
    return Corpus(
        segments=tuple(one for _, one in segments),
        passages=passages,
        places=places,
        rules=rules,
        speakers=frozenset().union(*(one.speakers for _, one in segments)),
        people=all(one.people for _, one in segments),
    )
