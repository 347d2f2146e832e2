"""The vectors of what was said: asked for once, and kept in a compact form."""

import hashlib
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from langchain_lmswitch.context.asking import Ask, Embed

if TYPE_CHECKING:
    from langchain_lmswitch.context.cache import ContextCache
    from langchain_lmswitch.context.recall import Segment


def alikeness(
    question: str, segments: Sequence["Segment"], embedder: str, cache: "ContextCache"
) -> Generator[Ask, Any, list[float] | None]:
    """Tell how close each passage is to a question, in the order of the segments.

    1. The vectors of a segment are kept together, so that the next question costs no look at
       each passage.
    2. Whoever embeds is asked for what is new, all at once.
    3. Unless everything can be had now, nothing is compared: who has no vector would fall behind.

    Args:
        question: What is asked.
        segments: Where the passages are.
        embedder: Names who embeds; empty if nobody does.
        cache: Where vectors are kept.
    """
    if not embedder or not question or not any(one.passages for one in segments):
        return None
    fresh = [one for one in segments if _rows(one, embedder, cache) is None]  # 1
    texts = [question, *(passage.text for one in fresh for passage in one.passages)]
    new = tuple(text for text in dict.fromkeys(texts) if kept(text, embedder, cache) is None)
    if new:
        vectors = yield Embed(new)  # 2
        if vectors is None:
            return None
        keep(new, vectors, embedder, cache)
    asked = kept(question, embedder, cache)
    rows = [_rows(one, embedder, cache) for one in segments]
    whole = [one for one in rows if one is not None]
    if asked is None or len(whole) < len(rows):  # 3
        return None
    return _compared(asked, whole, sum(len(one.passages) for one in segments))


def keep(
    texts: Sequence[str],
    vectors: Sequence[Sequence[float]],
    embedder: str,
    cache: "ContextCache",
) -> None:
    """Keep the vectors of texts, for the flow to find them."""
    from langchain_lmswitch.context.similarity import packed  # noqa: PLC0415 - numpy

    for text, row in zip(texts, packed(vectors), strict=True):
        cache.vectors.put((embedder, _digest(text)), row)


def kept(text: str, embedder: str, cache: "ContextCache") -> bytes | None:
    """Give the vector of a text, if it is kept."""
    return cache.vectors.get((embedder, _digest(text)))


def _rows(one: "Segment", embedder: str, cache: "ContextCache") -> bytes | None:
    key = (embedder, one.digest)
    known = cache.rows.get(key)
    if known is None:
        found = [kept(passage.text, embedder, cache) for passage in one.passages]
        rows = [row for row in found if row is not None]
        if len(rows) < len(found):
            return None
        known = b"".join(rows)
        cache.rows.put(key, known)
    return known


def _compared(asked: bytes, rows: Sequence[bytes], passages: int) -> list[float] | None:
    from langchain_lmswitch.context.similarity import closeness  # noqa: PLC0415 - numpy

    if sum(map(len, rows)) != passages * len(asked):
        return None  # a model of the same name, and of other dimensions
    return closeness(asked, rows)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
