"""What is put back, as a function of the messages up to the last compaction."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_lmswitch.context.asking import Ask
from langchain_lmswitch.context.boundaries import Window
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.contents import text_of
from langchain_lmswitch.context.corpus import extended
from langchain_lmswitch.context.drafts import Piece
from langchain_lmswitch.context.evicted import digest_of, evicted
from langchain_lmswitch.context.indexing import indexed
from langchain_lmswitch.context.recall import Hit, Query, Segment, search_in
from langchain_lmswitch.context.terms import terms_of
from langchain_lmswitch.context.transcripts import Transcript
from langchain_lmswitch.context.units import Unit
from langchain_lmswitch.context.vectors import alikeness


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
    corpus = evicted(transcript, window.start, cache).corpus  # 1
    whole = transcript.parted.units
    cut = [one for one in pieces if one.unit is not whole[one.at] and one.at >= window.start]
    corpus = extended(corpus, [(one.at, _indexed(whole[one.at], cache)) for one in cut])  # 2
    alike = yield from alikeness(
        _meant(asked.query), corpus.segments, asked.embedder, cache, again=asked.again
    )
    hits = search_in(asked.query, corpus, alike=alike, priors=asked.priors)
    shown = {one.at: one.unit.text for one in cut}
    return [
        hit
        for hit in hits
        if hit.unit not in window.units and hit.text not in shown.get(hit.unit, "")
    ]


def _meant(query: Query) -> str:
    """Give what is to be embedded: without words of its own (and then?) it means the one before."""
    return query.text if terms_of(query.text) else f"{query.before}\n{query.text}".strip()


def _indexed(unit: Unit, cache: ContextCache) -> Segment:
    digest = digest_of([unit])
    return indexed({digest: [unit]}, cache)[digest]
