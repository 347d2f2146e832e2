"""The indexes of chunks: known, kept in a store, or made now."""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.recall import Segment, from_plain, segment
from langchain_lmswitch.context.units import Unit


def indexed(chunks: Mapping[bytes, Sequence[Unit]], cache: ContextCache) -> dict[bytes, Segment]:
    """Give the index of each chunk; all that are not known are looked up at once.

    Args:
        chunks: The units of each, by digest.
        cache: Where indexes are kept.
    """
    found = {digest: cache.segments.get(digest) for digest in chunks}
    missing = [digest for digest, one in found.items() if one is None]
    kept = _kept(missing, cache)
    made: dict[bytes, Segment] = {}
    for digest in missing:
        one = _restored(digest, chunks[digest], kept)
        if one is None:
            one = segment(digest, chunks[digest])
            made[digest] = one
        cache.segments.put(digest, one)
        found[digest] = one
    if made and cache.store:
        plain = {digest.hex(): one.to_plain() for digest, one in made.items()}
        cache.store.put_many("segments", plain)
    return {digest: one for digest, one in found.items() if one is not None}


def _kept(digests: Sequence[bytes], cache: ContextCache) -> Mapping[str, Any]:
    if not digests or cache.store is None:
        return {}
    return cache.store.get_many("segments", [one.hex() for one in digests])


def _restored(digest: bytes, units: Sequence[Unit], kept: Mapping[str, Any]) -> Segment | None:
    plain = kept.get(digest.hex())
    one = from_plain(plain, units) if plain is not None else None
    return one if one is not None and one.digest == digest else None
