"""What a cache takes from a store, and puts into it."""

import base64
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeVar

from langchain_lmswitch.context.cache import (
    MOST_SUMMARIES,
    MOST_VECTORS,
    Bounded,
    ContextCache,
)
from langchain_lmswitch.context.naming import is_passing
from langchain_lmswitch.context.stores import ContextStore, Kind

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def kept_in(store: ContextStore) -> ContextCache:
    """Make a cache whose indexes, summaries and vectors outlive the process in a store.

    What another process puts there is found if it was not looked for before.
    """
    return ContextCache(
        summaries=Kept(MOST_SUMMARIES, store, "summaries", bytes.hex, str, str),
        vectors=Kept(MOST_VECTORS, store, "vectors", _vector_key, _plain_vector, base64.b64decode),
        store=store,
    )


class Kept(Bounded[K, V]):
    """Forgets nothing: what is not in memory any more, or not yet, is looked up in a store.

    Args:
        most: How many are held in memory.
        store: The store.
        kind: Of what is kept.
        name: Gives the key in the store; an empty one is not kept there.
        plain: Gives the value as the store keeps it.
        read: Reads it back.
    """

    def __init__(  # noqa: PLR0917 - written once, above
        self,
        most: int,
        store: ContextStore,
        kind: Kind,
        name: Callable[[K], str],
        plain: Callable[[V], Any],
        read: Callable[[Any], V],
    ) -> None:
        super().__init__(most)
        self._store = store
        self._kind = kind
        self._name = name
        self._plain = plain
        self._read = read
        self._absent = Bounded[str, bool](most)

    def get(self, key: K) -> V | None:
        """Give what is kept under a key, or `None`."""
        return self.get_many((key,)).get(key)

    def get_many(self, keys: Iterable[K]) -> dict[K, V]:
        """Give what is kept under keys; all that are not in memory are looked up at once."""
        wanted = [*keys]
        found = {key: value for key in wanted if (value := super(Kept, self).get(key)) is not None}
        named = {self._name(key): key for key in wanted if key not in found}
        sought = [name for name in named if name and not self._absent.get(name)]
        if not sought:
            return found
        stored = self._store.get_many(self._kind, sought)
        for name in sought:
            if name in stored:
                found[named[name]] = value = self._read(stored[name])
                super().put(named[name], value)
            else:
                self._absent.put(name, value=True)
        return found

    def put(self, key: K, value: V) -> None:
        """Keep a value."""
        self.put_many({key: value})

    def put_many(self, items: Mapping[K, V]) -> None:
        """Keep values."""
        for key, value in items.items():
            super().put(key, value)
        named = {self._name(key): self._plain(value) for key, value in items.items()}
        named.pop("", None)
        if named:
            self._store.put_many(self._kind, named)


def _vector_key(key: tuple[str, bytes]) -> str:
    embedder, digest = key
    return "" if is_passing(embedder) else f"{embedder} {digest.hex()}"


def _plain_vector(vector: bytes) -> str:
    return base64.b64encode(vector).decode("ascii")
