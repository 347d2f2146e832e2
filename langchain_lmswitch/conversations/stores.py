"""Where what was worked out of conversations is kept: a file, or LangGraph's store."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from langgraph.store.base import BaseStore, GetOp, Item, PutOp

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.keeping import kept_in
from langchain_lmswitch.context.stores import ContextStore, Kind
from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.ledger.contexts import SqliteContextStore

NAMESPACE: Final = ("lmswitch", "contexts")

Stores = str | Path | BaseStore | ContextStore | ContextCache
"""A file, a store of LangGraph's, a store of ours, or a cache that was made of one."""


class GraphContextStore:
    """Keeps indexes, summaries and vectors of conversations in a LangGraph `BaseStore`.

    They hold private things: indexes the words of each message, summaries what was said. The store
    is asked synchronously: of one that is asynchronous only, not on its own event loop.

    Args:
        store: The store.
        namespace: Where in it; a user's name keeps users apart.
    """

    def __init__(self, store: BaseStore, *, namespace: Sequence[str] = NAMESPACE) -> None:
        self._store = store
        self._namespace = tuple(namespace)

    def get_many(self, kind: Kind, keys: Sequence[str]) -> Mapping[str, Any]:
        """Give what is kept under these keys; others are left out."""
        place = (*self._namespace, kind)
        found = self._store.batch([GetOp(place, key) for key in keys])
        items = (one for one in found if isinstance(one, Item))
        return {one.key: one.value["value"] for one in items if "value" in one.value}

    def put_many(self, kind: Kind, items: Mapping[str, Any]) -> None:
        """Keep values under their keys; they are nothing to search for."""
        place = (*self._namespace, kind)
        self._store.batch(
            [PutOp(place, key, {"value": value}, index=False) for key, value in items.items()]
        )


def cache_in(store: Stores | None, *, namespace: str = "") -> ContextCache | None:
    """Make a cache that outlives the process; `None` if there is no store.

    Args:
        store: The path of a file (SQLite; it is made), a LangGraph `BaseStore`, or any
            `ContextStore`. The words of conversations will lie there. A cache is given back.
        namespace: Keeps apart what must not be mixed, such as users.

    Raises:
        InvalidRequest: The store is none of these.

    Example:
        ```python
        from langgraph.store.memory import InMemoryStore
        from langchain_lmswitch import cache_in, fit_messages

        cache = cache_in(InMemoryStore(), namespace="ada")
        fit_messages("Hello", count_tokens="approximate", budget=800, cache=cache)
        ```
    """
    match store:
        case None | ContextCache():
            return store
        case str() | Path():
            return kept_in(SqliteContextStore(store, namespace=namespace))
        case BaseStore():
            # LangGraph's own labels have no points.
            label = namespace.replace("%", "%25").replace(".", "%2E")
            place = (*NAMESPACE, label) if label else NAMESPACE
            return kept_in(GraphContextStore(store, namespace=place))
        case ContextStore():
            return kept_in(store)
        case _:
            raise InvalidRequest(
                f"{store!r} cannot keep contexts: pass a path, a LangGraph store, or an object "
                "with `get_many` and `put_many`."
            )
