"""The corpus: the segments that are searched, as one row of passages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from langchain_lmswitch.context.segments import Passage, Segment

GROUP: Final = 32
"""Segments whose postings are merged; for a long conversation, looking them up took longest."""

Postings = Mapping[str, tuple[int, ...]]
Row = tuple[int, Postings]
"""Postings, and the number of the passage that they count from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """All passages in the order of time; counted from 0 through all segments."""

    rows: tuple[Row, ...]
    passages: list[Passage]
    places: list[int]
    """The unit of each passage, counted through the conversation."""
    lengths: list[int]
    """The terms of each passage."""
    rules: list[int]
    """The passages that sound like standing instructions."""
    speakers: frozenset[str]
    people: bool
    """Whether people talk to each other, not a user with an assistant."""
    segments: tuple[Segment, ...] = ()
    """Whose passages they are, in this order."""


def corpus_of(segments: Sequence[tuple[int, Segment]], rows: Sequence[Row] = ()) -> Corpus:
    """Line up segments.

    Args:
        segments: With the index of each one's first unit.
        rows: Their postings, if some of them are `merged`.
    """
    corpus = extended(_NOTHING, segments)
    return replace(corpus, rows=tuple(rows)) if rows else corpus


def merged(segments: Sequence[Segment]) -> Postings:
    """Merge the postings of segments that follow each other."""
    found: dict[str, list[int]] = {}
    base = 0
    for one in segments:
        for term, posting in one.postings.items():
            row = found.setdefault(term, [])
            for at in range(0, len(posting), 2):
                row += (base + posting[at], posting[at + 1])
        base += len(one.passages)
    return {term: tuple(row) for term, row in found.items()}


def extended(corpus: Corpus, segments: Sequence[tuple[int, Segment]]) -> Corpus:
    """Add segments to a corpus, which itself stays as it is."""
    if not segments:
        return corpus
    passages, places = [*corpus.passages], [*corpus.places]
    rows, lengths, rules = [*corpus.rows], [*corpus.lengths], [*corpus.rules]
    for first, one in segments:
        rows.append((len(passages), one.postings))
        rules.extend(len(passages) + at for at in one.rules)
        passages.extend(one.passages)
        places.extend(first + place for place in one.places)
        lengths.extend(one.lengths)
    return Corpus(
        rows=tuple(rows),
        passages=passages,
        places=places,
        lengths=lengths,
        rules=rules,
        speakers=corpus.speakers.union(*(one.speakers for _, one in segments)),
        people=corpus.people and all(one.people for _, one in segments),
        segments=(*corpus.segments, *(one for _, one in segments)),
    )


_NOTHING: Final = Corpus(
    rows=(),
    passages=[],
    places=[],
    lengths=[],
    rules=[],
    speakers=frozenset(),
    people=True,
)
