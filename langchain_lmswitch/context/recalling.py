"""What is put back, as a function of the messages up to the last compaction."""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_lmswitch.context.asking import Ask
from langchain_lmswitch.context.boundaries import Window
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.contents import text_of
from langchain_lmswitch.context.drafts import Piece
from langchain_lmswitch.context.indexing import indexed
from langchain_lmswitch.context.recall import Hit, Query, Segment, search
from langchain_lmswitch.context.transcripts import Transcript
from langchain_lmswitch.context.units import Unit
from langchain_lmswitch.context.vectors import alikeness

Placed = tuple[int, Segment]
"""An index, with the place of its first unit in the conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to recall for."""

    query: Query
    embedder: str
    priors: bool
    again: bool = False
    """Whether the same was asked before, as each step of a tool loop does."""


def query_of(units: Sequence[Unit], asker: int | None, question: str | None) -> Query:
    """Say what is asked: by the last user message, which may refer to the one before it."""
    asking = [one for one in units[: (asker if asker is not None else -1) + 1] if one.asks]
    texts = [text_of(one.messages[0]) for one in asking[-2:]]
    last = texts[-1] if texts else ""
    return Query(text=last if question is None else question, before=texts[0] if texts[1:] else "")


def recalled(
    transcript: Transcript,
    window: Window,
    pieces: Sequence[Piece],
    asked: Asked,
    cache: ContextCache,
) -> Generator[Ask, Any, list[Hit]]:
    """Rank what is not in the prompt, best first.

    1. What was evicted, but for the user message that stays.
    2. What was cut out of a unit that is in the prompt, and came before the question.
    """
    segments = _evicted(transcript, window, cache)  # 1
    cut = [one for one in pieces if one.unit is not transcript.parted.units[one.at]]
    segments += [
        (one.at, _kept(transcript.parted.units[one.at : one.at + 1], cache)) for one in cut
    ]
    indexes = [one for _, one in segments]
    alike = yield from alikeness(
        asked.query.text, indexes, asked.embedder, cache, again=asked.again
    )
    hits = search(asked.query, segments, alike=alike, priors=asked.priors)
    shown = {one.at: one.unit.text for one in cut}  # 2
    return [
        hit
        for hit in hits
        if hit.unit not in window.units and hit.text not in shown.get(hit.unit, "")
    ]


def _evicted(transcript: Transcript, window: Window, cache: ContextCache) -> list[Placed]:
    units, parts = transcript.parted.units, {}
    for chunk in transcript.chunks:
        if chunk.start >= window.start:
            break
        end = min(chunk.end, window.start)
        digest = chunk.digest if end == chunk.end else _digest_of(units[chunk.start : end])
        parts[chunk.start] = (digest, units[chunk.start : end])
    found = indexed(dict(parts.values()), cache)
    return [(start, found[digest]) for start, (digest, _) in parts.items()]


def _kept(units: Sequence[Unit], cache: ContextCache) -> Segment:
    digest = _digest_of(units)
    return indexed({digest: units}, cache)[digest]


def _digest_of(units: Sequence[Unit]) -> bytes:
    return hashlib.blake2b(b"".join(one.digest for one in units), digest_size=16).digest()
