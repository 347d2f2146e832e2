"""Where what was worked out about conversations is kept."""

from pathlib import Path

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.keeping import kept_in
from langchain_lmswitch.ledger.contexts import SqliteContextStore


def contexts_in(path: Path | None) -> ContextCache:
    """Make the cache of a switchboard: in memory, or in a file if the user wants one."""
    return ContextCache() if path is None else kept_in(SqliteContextStore(path))


def close_contexts(cache: ContextCache) -> None:
    """Close the file, until something of it is needed again."""
    if isinstance(cache.store, SqliteContextStore):
        cache.store.close()
