"""The vectors of what was said: asked for once, and kept in a compact form."""

import hashlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

from langchain_lmswitch.context.asking import Ask, Embed
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.segments import Segment


def alikeness(
    question: str,
    segments: Sequence[Segment],
    embedder: str,
    cache: ContextCache,
    *,
    again: bool = False,
) -> Generator[Ask, Any, list[float] | None]:
    """Tell how close each passage is to a question, in the order of the segments.

    1. The vectors of a segment are kept together, so that the next question costs no look at
       each passage.
    2. Whoever embeds is asked for what is new, all at once.
    3. Unless everything can be had now, nothing is compared: who has no vector would fall behind.
    4. In a tool loop it stays so even if everything can be had by then, for its prompt only grows.

    Args:
        question: What is asked.
        segments: Where the passages are.
        embedder: Names who embeds; empty if nobody does.
        cache: Where vectors are kept.
        again: Whether the same was asked before, as each step of a tool loop does.
    """
    if not embedder or not question or not any(one.passages for one in segments):
        return None
    asking = _digest(question.encode("utf-8", "surrogatepass"), *(one.digest for one in segments))
    if again and cache.without.get((embedder, asking)):
        return None  # 4
    rows = {one.digest: cache.rows.get((embedder, one.digest)) for one in segments}  # 1
    fresh = [one for one in segments if rows[one.digest] is None]
    texts = [question, *(passage.text for one in fresh for passage in one.passages)]
    known = kept(texts, embedder, cache)
    new = tuple(text for text in dict.fromkeys(texts) if text not in known)
    if new:
        vectors = yield Embed(new)  # 2
        if vectors is not None:
            known |= keep(new, vectors, embedder, cache)
    for one in fresh:
        rows[one.digest] = _joined(one, known, embedder, cache)
    alike = _compared(known.get(question), [(one, rows[one.digest]) for one in segments])
    cache.without.put((embedder, asking), alike is None)
    return alike


def keep(
    texts: Sequence[str],
    vectors: Sequence[Sequence[float]],
    embedder: str,
    cache: ContextCache,
) -> dict[str, bytes]:
    """Keep the vectors of texts, for the flow to find them; give them in the form they are kept."""
    from langchain_lmswitch.context.similarity import packed  # noqa: PLC0415 - numpy

    made = dict(zip(texts, packed(vectors), strict=True))
    cache.vectors.put_many({_key(text, embedder): row for text, row in made.items()})
    return made


def kept(texts: Iterable[str], embedder: str, cache: ContextCache) -> dict[str, bytes]:
    """Give the vectors of those texts of which they are kept."""
    keys = {text: _key(text, embedder) for text in texts}
    found = cache.vectors.get_many([*keys.values()])
    return {text: found[key] for text, key in keys.items() if key in found}


def _joined(
    one: Segment, known: Mapping[str, bytes], embedder: str, cache: ContextCache
) -> bytes | None:
    if any(passage.text not in known for passage in one.passages):
        return None
    joined = b"".join(known[passage.text] for passage in one.passages)
    cache.rows.put((embedder, one.digest), joined)
    return joined


def _compared(
    asked: bytes | None, segments: Sequence[tuple[Segment, bytes | None]]
) -> list[float] | None:
    from langchain_lmswitch.context.similarity import closeness  # noqa: PLC0415 - numpy

    if asked is None:
        return None
    rows: list[bytes] = []
    for one, joined in segments:
        if joined is None or len(joined) != len(one.passages) * len(asked):
            return None  # 3; or they are of a model of the same name with other dimensions
        rows.append(joined)
    return closeness(asked, rows)


def _key(text: str, embedder: str) -> tuple[str, bytes]:
    return embedder, _digest(text.encode("utf-8", "surrogatepass"))


def _digest(*told: bytes) -> bytes:
    return hashlib.blake2b(b"".join(told), digest_size=16).digest()
