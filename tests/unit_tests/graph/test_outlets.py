"""Where switching events go: to every listener, and no listener can hurt."""

import logging
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph

from langchain_lmswitch.graph.outlets import NAME, Outlets, as_record
from langchain_lmswitch.types.events import LoadProgress, SwitchEvent

EVENT = LoadProgress(key="tiny", fraction=0.5)
RECORD = {"event": "LoadProgress", "key": "tiny", "fraction": 0.5}


class Hears(BaseCallbackHandler):
    """Keeps the custom events of a run."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
        self.heard.append((name, data))


def fail(_: SwitchEvent) -> None:
    raise ValueError("no")


def test_record_names_the_event() -> None:
    assert as_record(EVENT) == RECORD


async def test_on_event_gets_the_typed_event() -> None:  # 1
    heard: list[SwitchEvent] = []
    Outlets(heard.append).tell(EVENT)
    await Outlets(heard.append).atell(EVENT)

    assert heard == [EVENT, EVENT]


@pytest.mark.parametrize("on_event", [None, fail])
async def test_outer_graph_gets_a_mapping(on_event: Any) -> None:  # 2
    """Even where `on_event` fails."""

    async def node(_: dict[str, Any]) -> dict[str, Any]:
        outlets = Outlets(on_event)
        outlets.tell(EVENT)
        await outlets.atell(EVENT)
        return {}

    graph: Any = StateGraph(dict)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)

    told = [one async for one in graph.compile().astream({}, stream_mode="custom")]
    assert told == [{NAME: RECORD}] * 2


def test_custom_events_carry_it() -> None:  # 3
    hears = Hears()
    runnable: RunnableLambda[str, None] = RunnableLambda(lambda _: Outlets(None).tell(EVENT))
    runnable.invoke("x", config={"callbacks": [hears]})

    assert hears.heard == [(NAME, RECORD)]


async def test_custom_events_of_asynchronous_code() -> None:
    hears = Hears()

    async def tell(_: str) -> None:
        await Outlets(None).atell(EVENT)

    await RunnableLambda(tell).ainvoke("x", config={"callbacks": [hears]})

    assert hears.heard == [(NAME, RECORD)]


def test_listener_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="langchain_lmswitch"):
        Outlets(fail).tell(EVENT)

    assert "listener" in caplog.text


async def test_bare_call_has_nobody_to_tell() -> None:
    Outlets(None).tell(EVENT)
    await Outlets(None).atell(EVENT)
