"""What outlives a process: in a file, or in a LangGraph store."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite.aio import AsyncSqliteStore
from unit_tests.conversations.chats import ASKED, CODE, chat

from langchain_lmswitch import Fitted, cache_in, fit_messages, fitting_node
from langchain_lmswitch.context import indexing
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.keeping import kept_in
from langchain_lmswitch.context.segments import Segment, segment
from langchain_lmswitch.context.stores import Kind
from langchain_lmswitch.context.units import Unit
from langchain_lmswitch.conversations.stores import Stores
from langchain_lmswitch.errors import InvalidRequest

BUDGET = 700
KEY = b"0123456789abcdef"


def words(text: str) -> int:
    return len(text.split())


def fitted(cache: ContextCache | None, *more: BaseMessage) -> Fitted:
    messages = [*chat(), HumanMessage(ASKED), *more]
    return fit_messages(messages, count_tokens=words, budget=BUDGET, cache=cache)


class Dictionary:
    """The least that is a store."""

    def __init__(self) -> None:
        self.kept: dict[tuple[Kind, str], Any] = {}
        self.sought: list[tuple[Kind, int]] = []

    def get_many(self, kind: Kind, keys: Sequence[str]) -> Mapping[str, Any]:
        self.sought.append((kind, len(keys)))
        return {key: self.kept[kind, key] for key in keys if (kind, key) in self.kept}

    def put_many(self, kind: Kind, items: Mapping[str, Any]) -> None:
        self.kept |= {(kind, key): value for key, value in items.items()}


@pytest.fixture(params=["path", "text", "graph", "own"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    stores: dict[str, Callable[[], Stores]] = {
        "path": lambda: tmp_path / "new" / "contexts.sqlite",
        "text": lambda: str(tmp_path / "contexts.sqlite"),
        "graph": InMemoryStore,
        "own": Dictionary,
    }
    return stores[request.param]()


@pytest.fixture
def indexes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The digests of all chunks that are indexed."""
    made: list[bytes] = []

    def counting(digest: bytes, units: Sequence[Unit]) -> Segment:
        made.append(digest)
        return segment(digest, units)

    monkeypatch.setattr(indexing, "segment", counting)
    return made


def test_a_restart_indexes_nothing_anew(store: Stores, indexes: list[bytes]) -> None:
    first = fitted(cache_in(store))
    made = len(indexes)
    again = fitted(cache_in(store))

    assert len(indexes) == made > 5
    assert again.messages == first.messages
    assert CODE in again.messages[-1].text
    assert fitted(None).messages == first.messages


def test_a_restart_keeps_summaries_and_vectors(store: Stores) -> None:
    before, after = cache_in(store), cache_in(store)
    assert before is not None
    assert after is not None
    before.summaries.put(KEY, "They spoke of «towns».")
    before.vectors.put_many({("model", KEY): b"\x40\xe0", ("~embedder-1", KEY): b"\x7f\x00"})

    assert after.summaries.get(KEY) == "They spoke of «towns»."
    assert after.vectors.get_many([("model", KEY), ("~embedder-1", KEY)]) == {
        ("model", KEY): b"\x40\xe0"
    }, "a name that means something else in each process is not kept"


def test_namespaces_are_kept_apart(store: Stores, indexes: list[bytes]) -> None:
    fitted(cache_in(store, namespace="anna@example.org"))
    made = len(indexes)
    fitted(cache_in(store, namespace="ben"))
    mixed = isinstance(store, Dictionary)  # its namespaces are its maker's business

    assert len(indexes) == (made if mixed else 2 * made)


def test_the_store_is_asked_once_for_all_that_is_new() -> None:
    store = Dictionary()
    cache = kept_in(store)
    fitted(cache)
    assert [one for one in store.sought if one[0] == "segments"] == [("segments", len(store.kept))]
    before = len(store.sought)
    fitted(cache)
    assert len(store.sought) == before
    for _ in range(3):
        assert cache.summaries.get(KEY) is None
    assert store.sought[before:] == [("summaries", 1)]


@pytest.mark.parametrize(
    "damage",
    [{"format": 0}, {"spans": [[99, 0, 0, 5, 0, 0]]}, {"digest": "00"}, {"postings": None}],
    ids=str,
)
def test_what_cannot_be_read_is_indexed_anew(damage: dict[str, Any], indexes: list[bytes]) -> None:
    store = Dictionary()
    first = fitted(kept_in(store))
    made = len(indexes)
    sound = dict(store.kept)
    store.kept = {key: {**value, **damage} for key, value in sound.items()}
    again = fitted(kept_in(store))

    assert again.messages == first.messages
    assert len(indexes) == 2 * made
    assert store.kept == sound


def test_what_is_no_store_is_told_of() -> None:
    wrong: Any = 7
    with pytest.raises(InvalidRequest, match="LangGraph store"):
        cache_in(wrong)


class State(MessagesState):
    llm_input_messages: list[AnyMessage]


async def test_a_store_on_the_same_event_loop(tmp_path: Path, indexes: list[bytes]) -> None:
    """It can be asked by other threads only, and is."""
    async with AsyncSqliteStore.from_conn_string(str(tmp_path / "store.sqlite")) as store:
        await store.setup()
        for _ in range(2):
            builder = StateGraph(State)
            node = fitting_node(count_tokens=words, budget=BUDGET, store=store)
            builder.add_node("fit", node)
            builder.add_edge(START, "fit")
            builder.add_edge("fit", END)
            said: Any = {"messages": [*chat(), HumanMessage(ASKED)]}
            state = await builder.compile().ainvoke(said)

            assert CODE in state["llm_input_messages"][-1].text
    assert len(indexes) == len(set(indexes)) > 5
