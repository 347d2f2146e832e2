"""What was evicted: its index and its standing instructions, made once a compaction."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import attrgetter

from langchain_lmswitch.context.cache import ContextCache, Evicted
from langchain_lmswitch.context.chunks import Chunk
from langchain_lmswitch.context.corpus import GROUP, Postings, Row, corpus_of, merged
from langchain_lmswitch.context.indexing import indexed
from langchain_lmswitch.context.segments import Segment
from langchain_lmswitch.context.standing import standing
from langchain_lmswitch.context.transcripts import Transcript
from langchain_lmswitch.context.units import Unit


def evicted(transcript: Transcript, start: int, cache: ContextCache) -> Evicted:
    """Give what is known of the units before a window.

    From one compaction to the next it is the same, and a compaction costs what it evicts.

    Args:
        transcript: The conversation.
        start: The first unit of the window.
        cache: What was worked out before.
    """
    chunks, units = transcript.chunks, transcript.parted.units
    count = bisect_right(chunks, start, key=attrgetter("end"))
    parts = chunks[:count]
    at = parts[-1].end if parts else 0
    key = _digest([*(one.digest for one in parts), *(one.digest for one in units[at:start])])
    known = cache.evicted.get(key)
    if known is None:
        if at < start:
            parts = (*parts, Chunk(at, start, digest_of(units[at:start]), closed=True))
        known = _made(parts, units, cache)
        cache.evicted.put(key, known)
    return known


def digest_of(units: Sequence[Unit]) -> bytes:
    """Tell units from all others by what they say."""
    return _digest(one.digest for one in units)


def _made(parts: Sequence[Chunk], units: Sequence[Unit], cache: ContextCache) -> Evicted:
    said = {one.digest: units[one.start : one.end] for one in parts}
    segments = indexed(said, cache)
    rules = [rule for one in parts for rule in _rules(one.digest, said[one.digest], cache)]
    placed = [(one.start, segments[one.digest]) for one in parts]
    rows = _rows([segments[one.digest] for one in parts], cache)
    return Evicted(corpus_of(placed, rows), tuple(dict.fromkeys(rules)))


def _rows(segments: Sequence[Segment], cache: ContextCache) -> list[Row]:
    """Give the postings of all segments: merged by the dozen, the last ones as they are."""
    rows: list[Row] = []
    base = 0
    for at in range(0, len(segments), GROUP):
        group = segments[at : at + GROUP]
        if len(group) == GROUP:
            rows.append((base, _merged(group, cache)))
            base += sum(len(one.passages) for one in group)
            continue
        for one in group:
            rows.append((base, one.postings))
            base += len(one.passages)
    return rows


def _merged(segments: Sequence[Segment], cache: ContextCache) -> Postings:
    key = _digest(one.digest for one in segments)
    known = cache.postings.get(key)
    if known is None:
        known = merged(segments)
        cache.postings.put(key, known)
    return known


def _rules(digest: bytes, units: Sequence[Unit], cache: ContextCache) -> tuple[str, ...]:
    known = cache.rules.get(digest)
    if known is None:
        known = tuple(standing(units))
        cache.rules.put(digest, known)
    return known


def _digest(parts: Iterable[bytes]) -> bytes:
    return hashlib.blake2b(b"".join(parts), digest_size=16).digest()
