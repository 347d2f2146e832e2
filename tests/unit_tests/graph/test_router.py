"""The router from a request to its answer, against a scripted host."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_lmswitch.errors import (
    ContextTooLong,
    HostLost,
    HostTimeout,
    InvalidRequest,
    LMSwitchError,
    LoadFailed,
    ModelGone,
    NoSuitableModel,
    NotEnoughMemory,
    UnknownModel,
)
from langchain_lmswitch.graph.router import RouterEvent, router_graph
from langchain_lmswitch.graph.routers import router_to
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.testing import ScriptedHost, card, tool_call
from langchain_lmswitch.types.contexts import ContextReport
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import (
    Compressed,
    Finished,
    Fragment,
    Loaded,
    LoadStarted,
    PredictEvent,
)
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.requests import PredictRequest

T = TypeVar("T")
MIB = 2**20
SETTINGS = Settings(headroom_bytes=0)
HELLO = [HumanMessage(content="Hello")]


def of(events: Sequence[object], kind: type[T]) -> list[T]:
    return [event for event in events if isinstance(event, kind)]


def said(events: Sequence[RouterEvent]) -> str:
    return "".join(event.text for event in of(events, Fragment))


def decided(events: Sequence[RouterEvent]) -> Decision:
    return of(events, Decision)[-1]


def answering(
    host: ScriptedHost, messages: Sequence[BaseMessage], retries: int = 0, **options: Any
) -> AsyncGenerator[RouterEvent, None]:
    router = router_to(host, monitor=host, settings=SETTINGS, retries=retries)
    return portal().astream(router.answer(messages, RouterOptions(**options)))  # type: ignore[typeddict-item]  # mypy cannot see into options


async def ask(
    host: ScriptedHost,
    messages: Sequence[BaseMessage] | str = HELLO,
    *,
    retries: int = 0,
    **options: Any,
) -> list[RouterEvent]:
    asked = [HumanMessage(content=messages)] if isinstance(messages, str) else messages
    async with aclosing(answering(host, asked, retries, **options)) as events:
        return [event async for event in events]


async def explain(host: ScriptedHost, text: str = "Hello", **options: Any) -> Decision:
    router = router_to(host, monitor=host, settings=SETTINGS, retries=0)
    asked = RouterOptions(**options)  # type: ignore[typeddict-item]  # as above
    return await portal().acall(router.explain([HumanMessage(content=text)], asked))


async def leased(host: ScriptedHost) -> list[str]:
    """List the models that are still leased, looking from the portal's loop."""

    async def look() -> list[str]:
        board = boards().given(host, host, SETTINGS)
        return [key for key in host.disk if board.leased(f"lmswitch/{key}")]

    return await portal().acall(look())


def sized(key: str, params: str, mib: int = 500, **fields: Any) -> ModelCard:
    return card(key, params=params, size_bytes=mib * MIB, max_context_tokens=1024, **fields)


SMALL, LARGE = sized("small", "1B"), sized("large", "8B")


# --- the way of one request -------------------------------------------------------------------


async def test_answer() -> None:
    host = ScriptedHost([SMALL, LARGE], replies={"large": "Well thought out."})
    events = await ask(host)

    kinds = [type(event).__name__ for event in events]
    assert said(events) == "Well thought out."
    assert kinds[0] == "LoadStarted"
    assert kinds.index("Loaded") < kinds.index("Decision") < kinds.index("Fragment")
    assert kinds[-1] == "Finished"
    assert kinds.count("Finished") == kinds.count("Decision") == 1
    assert await leased(host) == []


async def test_decision_is_the_whole_story() -> None:
    host = ScriptedHost([SMALL, LARGE, card("embed", kind="embedding")])
    decision = decided(await ask(host, "Write a python function."))

    assert (decision.model, decision.identifier) == ("large", "lmswitch/large")
    assert decision.task == "code"
    assert decision.context_tokens == 1024
    assert decision.reason.startswith("large for code (a programming language): best score of 2")
    assert [(one.key, one.note, one.fits, one.footprint_bytes) for one in decision.candidates] == [
        ("large", "chosen", True, 532 * MIB),
        ("small", "", True, 532 * MIB),
    ]
    assert (decision.evicted, decision.fallbacks) == ((), ())
    assert decision.context == ContextReport(budget_tokens=768)


async def test_second_request_finds_the_model_loaded() -> None:
    host = ScriptedHost([SMALL])
    await ask(host)
    events = await ask(host)

    assert of(events, LoadStarted) == []
    assert decided(events).reason.endswith("already loaded.")
    assert len(host.called("load")) == 1


async def test_specialist_is_loaded_beside_and_eviction_is_told() -> None:
    host = ScriptedHost([sized("chat", "7B"), sized("coder", "7B")], memory_bytes=700 * MIB)
    await ask(host, "Hello")
    events = await ask(host, "Write a python function.")

    assert decided(events).model == "coder"
    assert decided(events).evicted == ("lmswitch/chat",)
    assert of(events, LoadStarted)[0].evicting == ("lmswitch/chat",)
    assert "after unloading chat" in decided(events).reason


async def test_options_reach_the_host() -> None:
    host = ScriptedHost(["tiny"])
    await ask(host, temperature=0.5, max_tokens=7, stop=["END"], seed=3, top_p=0.9)

    [call] = host.called("predict")
    assert call.request == PredictRequest(
        messages=({"role": "user", "content": [{"type": "text", "text": "Hello"}]},),
        temperature=0.5,
        max_tokens=7,
        stop=("END",),
        seed=3,
        top_p=0.9,
    )


async def test_explain_loads_and_calls_nothing() -> None:
    host = ScriptedHost([SMALL, LARGE])
    decision = await explain(host, "Hello")

    assert (decision.model, decision.identifier) == ("large", "")
    assert {call.method for call in host.calls} <= {"cards", "residents", "estimate"}
    assert decided(await ask(host)).reason == decision.reason


async def test_explain_where_nobody_can_answer() -> None:
    decision = await explain(ScriptedHost([]))

    assert decision.model == ""
    assert decision.reason == "nobody can answer (no model is installed)"


# --- which model ------------------------------------------------------------------------------


async def test_model_by_key() -> None:
    events = await ask(ScriptedHost([SMALL, LARGE]), model="small")

    assert decided(events).model == "small"
    assert "you asked for it" in decided(events).reason


async def test_model_by_identifier() -> None:
    """As the host's own users name what they loaded."""
    theirs = Resident(key="small", identifier="my-model", context_tokens=1024)
    host = ScriptedHost([SMALL, LARGE], foreign=[theirs])
    events = await ask(host, model="my-model")

    assert decided(events).identifier == "my-model"
    assert host.called("load") == []


async def test_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UnknownModel) as caught:
        await ask(ScriptedHost(["qwen-coder", "smollm"]), model="qwen-codr")

    assert caught.value.nearest == ("qwen-coder",)


async def test_embedding_model_cannot_chat() -> None:
    with pytest.raises(UnknownModel):
        await ask(ScriptedHost([card("embed", kind="embedding"), SMALL]), model="embed")


IMAGE = HumanMessage(content=[{"type": "image", "base64": "AAAA", "mime_type": "image/png"}])


async def test_image_needs_a_model_that_sees() -> None:
    host = ScriptedHost([LARGE, card("seeing", params="1B", vision=True)])
    events = await ask(host, [IMAGE])

    assert decided(events).model == "seeing"
    assert "the only one that can (large cannot see images)" in decided(events).reason


@pytest.mark.parametrize("model", ["auto", "large"])
async def test_image_and_nobody_who_sees(model: str) -> None:
    with pytest.raises(NoSuitableModel) as caught:
        await ask(ScriptedHost([LARGE]), [IMAGE], model=model)

    assert caught.value.rejected == {"large": "cannot see images"}


async def test_nothing_installed() -> None:
    with pytest.raises(NoSuitableModel, match="lmswitch pull starter") as raised:
        await ask(ScriptedHost([]))

    # LangGraph would note which of our nodes failed.
    assert not getattr(raised.value, "__notes__", [])


async def test_nothing_fits() -> None:
    """The error tells of the model that comes nearest."""
    host = ScriptedHost([sized("large", "8B", 5000), sized("small", "1B", 900)], memory_bytes=MIB)
    with pytest.raises(NotEnoughMemory) as caught:
        await ask(host)

    assert (caught.value.key, caught.value.needed_bytes) == ("small", 932 * MIB)


async def test_smaller_model_where_the_larger_does_not_fit() -> None:
    host = ScriptedHost([sized("large", "8B", 5000), SMALL], memory_bytes=700 * MIB)
    decision = decided(await ask(host))

    assert decision.model == "small"
    assert "(large does not fit: needs 5,032 MiB, 700 MiB free)" in decision.reason


async def test_many_models_that_do_not_fit() -> None:
    """However many are passed over, the one that fits is found."""
    large = [sized(f"large-{n:02}", "70B", 5000) for n in range(20)]
    host = ScriptedHost([*large, SMALL], memory_bytes=700 * MIB)

    assert decided(await ask(host)).model == "small"


async def test_no_message() -> None:
    with pytest.raises(InvalidRequest, match="no message"):
        await ask(ScriptedHost(["tiny"]), [])


async def test_message_that_cannot_be_sent() -> None:
    host = ScriptedHost(["tiny"])
    with pytest.raises(InvalidRequest):
        await ask(host, [HumanMessage(content=[{"type": "audio"}])])

    assert host.called("load") == []


# --- the ways back ----------------------------------------------------------------------------


async def test_load_that_fails_falls_back() -> None:
    host = ScriptedHost([SMALL, LARGE], fail_load={"large": LoadFailed("large", reason="Broken.")})
    events = await ask(host)

    assert decided(events).model == "small"
    assert decided(events).fallbacks == ("large: Broken.",)
    assert "(large failed: Broken.)" in decided(events).reason
    assert await leased(host) == []


async def test_after_a_failure_for_memory_nothing_as_large_is_tried() -> None:
    """A selector that walks through all candidates walks through as many crashes."""
    tight = LoadFailed("large", reason="Tight.", for_memory=True)
    large = replace(LARGE, size_bytes=2 * SMALL.size_bytes)
    twin = replace(large, key="twin")
    host = ScriptedHost([SMALL, large, twin], fail_load={"large": tight, "twin": tight})
    events = await ask(host)

    assert decided(events).model == "small"
    assert len(decided(events).fallbacks) == 1
    assert len(host.called("load")) == 2


@pytest.mark.parametrize("model", ["auto", "large"])
async def test_nobody_left(model: str) -> None:
    host = ScriptedHost([LARGE], fail_load={"large": LoadFailed("large", reason="Broken.")})
    with pytest.raises(LoadFailed, match="Broken"):
        await ask(host, model=model)

    assert len(host.called("load")) == 1


async def test_model_that_vanishes_once_is_tried_again() -> None:
    host = ScriptedHost([SMALL, LARGE], vanish_after={"large": [0]}, replies="Here.")
    events = await ask(host)

    assert said(events) == "Here."
    assert decided(events).model == "large"
    assert [event.key for event in of(events, Loaded)] == ["large", "large"]
    assert await leased(host) == []


async def test_model_that_somebody_else_unloaded_a_moment_ago_is_loaded_again() -> None:
    """The choice is made from a listing that may be a second old; the answer must not suffer."""
    host = ScriptedHost([SMALL, LARGE], replies="Here.")
    await ask(host)
    [resident] = await host.residents()
    await host.unload(resident.identifier)
    heard = await ask(host)

    assert said(heard) == "Here."
    assert [call.model for call in host.called("load")] == ["large", "large"]


async def test_model_that_keeps_vanishing_is_given_up() -> None:
    host = ScriptedHost([SMALL, LARGE], vanish_after={"large": 0}, replies="Here.")
    events = await ask(host)

    assert said(events) == "Here."
    assert decided(events).model == "small"
    assert [event.key for event in of(events, Loaded)] == ["large", "large", "small"]
    assert len(decided(events).fallbacks) == 1


async def test_only_model_that_keeps_vanishing() -> None:
    host = ScriptedHost([LARGE], vanish_after={"large": 0})
    with pytest.raises(ModelGone, match="went away"):
        await ask(host)

    assert await leased(host) == []


async def test_model_gone_after_the_first_token() -> None:
    """Half an answer cannot be taken back: no other model goes on with it."""
    host = ScriptedHost([SMALL, LARGE], vanish_after={"large": 2})
    heard: list[RouterEvent] = []

    async def listen() -> None:
        async for event in answering(host, HELLO):
            heard.append(event)  # noqa: PERF401 - it fails half way

    with pytest.raises(ModelGone):
        await listen()

    assert said(heard) == "This is"
    assert len(host.called("load")) == 1
    assert await leased(host) == []


class Lossy(ScriptedHost):
    """A host whose connection breaks: before so many answers, or in the middle of them."""

    losses = 0
    after = 0

    async def predict(
        self, identifier: str, request: PredictRequest
    ) -> AsyncGenerator[PredictEvent, None]:
        heard = 0
        async with aclosing(super().predict(identifier, request)) as events:
            async for event in events:
                if self.losses and heard >= self.after:
                    self.losses -= 1
                    raise HostLost(self.address, reason="gone")
                heard += 1
                yield event


async def test_lost_connection_is_tried_again() -> None:
    host = Lossy(["tiny"], replies="Here.")
    host.losses = 2

    assert said(await ask(host, retries=2)) == "Here."
    assert len(host.called("predict")) == 3
    assert await leased(host) == []


async def test_lost_connection_leaves_others_their_answers() -> None:
    """Who answers on the same host, over a connection made since, is not cut off."""
    host = Lossy(["tiny"], replies="Here.")
    await ask(host)

    async def lease_for_another() -> bool:
        board = boards().given(host, host, SETTINGS)
        [resident] = await host.residents()
        return board.lease(resident, "another")

    assert await portal().acall(lease_for_another())
    host.losses = 1
    await ask(host, retries=2)
    assert host.called("aclose") == []

    host.losses = 1
    await ask(host, retries=2)
    assert len(host.called("aclose")) == 1


@pytest.mark.parametrize(("losses", "after"), [(3, 0), (1, 3)])
async def test_lost_connection_is_not_tried_again(losses: int, after: int) -> None:
    """Not more often than asked, and not in the middle of an answer."""
    host = Lossy(["tiny"], replies="One two three.")
    host.losses, host.after = losses, after
    with pytest.raises(HostLost):
        await ask(host, retries=2)

    assert host.losses == 0
    assert await leased(host) == []


# --- the context ------------------------------------------------------------------------------

LONG: list[BaseMessage] = [
    SystemMessage(content="Be brief."),
    *(
        message
        for number in range(30)
        for message in (HumanMessage(content=f"{number} " * 20), AIMessage(content="ok " * 20))
    ),
    HumanMessage(content="And now?"),
]


async def test_long_conversation_is_cut_and_told() -> None:
    host = ScriptedHost([SMALL])
    events = await ask(host, LONG)

    [told] = of(events, Compressed)
    decision = decided(events)
    [call] = host.called("predict")
    assert call.request is not None
    sent = call.request.messages
    assert decision.context is not None
    assert decision.context.evicted_messages == told.evicted_messages == len(LONG) - len(sent) > 0
    assert decision.prompt_tokens == told.prompt_tokens == of(events, Finished)[0].prompt_tokens
    assert told.prompt_tokens <= 768
    assert sent[0]["content"][0]["text"] == "Be brief."
    assert sent[-1]["content"][0]["text"] == "And now?"
    assert sent[1]["role"] == "user"


async def test_question_that_is_too_long_is_cut() -> None:
    host = ScriptedHost([SMALL])
    decision = decided(await ask(host, [*LONG, HumanMessage(content="a " * 900)]))

    assert decision.context is not None
    assert [one.message for one in decision.context.clipped] == [len(LONG)]


async def test_question_that_is_too_long_and_must_not_be_cut() -> None:
    host = ScriptedHost([SMALL])
    with pytest.raises(ContextTooLong):
        await ask(host, [*LONG, HumanMessage(content="a " * 900)], on_overflow="raise")

    assert host.called("predict") == []
    assert await leased(host) == []


async def test_question_longer_than_any_training() -> None:
    """Whoever may be chosen has to cut it; so it is refused only if it must not be cut."""
    decision = decided(await ask(ScriptedHost([SMALL]), "word " * 2000))
    assert decision.context is not None
    assert decision.context.clipped

    with pytest.raises(ContextTooLong, match="leaves 1024"):
        await ask(ScriptedHost([SMALL]), "word " * 2000, on_overflow="raise")


# --- leaving ----------------------------------------------------------------------------------


async def test_deadline_between_signs_of_life() -> None:
    host = ScriptedHost(["tiny"], token_s=3600)
    with pytest.raises(HostTimeout) as caught:
        await ask(host, timeout_s=0.05)

    assert caught.value.address == host.address
    assert [call.method for call in host.cancelled] == ["predict"]
    assert await leased(host) == []


async def test_slow_but_steady_answer_keeps_its_deadline() -> None:
    """It bounds the gap between two signs of life, not the whole."""
    host = ScriptedHost(["tiny"], token_s=0.15, replies="a b c d e f g h")

    assert said(await ask(host, timeout_s=1.0)) == "a b c d e f g h"


async def test_left_early() -> None:
    host = ScriptedHost(["tiny"], replies="word " * 500, token_s=0.001)
    async with aclosing(answering(host, HELLO)) as events:
        async for event in events:
            if isinstance(event, Fragment):
                break

    assert [call.method for call in host.cancelled] == ["predict"]
    assert await leased(host) == []


def stuck(doing: str) -> tuple[ScriptedHost, threading.Event]:
    """Build a host that stops in a load or an answer, and tells when it has."""
    begun = threading.Event()

    async def sleep(seconds: float) -> None:
        if seconds:
            begun.set()
        await asyncio.sleep(seconds)

    load_step_s = 3600 if doing == "load" else 0
    return ScriptedHost(["tiny"], load_step_s=load_step_s, token_s=3600, sleep=sleep), begun


@pytest.mark.parametrize("doing", ["load", "predict"])
async def test_cancelled(doing: str) -> None:
    host, begun = stuck(doing)
    asking = asyncio.create_task(ask(host))
    await asyncio.to_thread(begun.wait)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert [call.method for call in host.cancelled] == [doing]
    assert await leased(host) == []


async def test_request_for_a_model_that_is_loading() -> None:
    """Its memory is taken and it is not listed yet: that is no lack of memory."""
    host = ScriptedHost([sized("chat", "7B")], memory_bytes=700 * MIB, load_step_s=0.02)
    loading = asyncio.create_task(ask(host))
    await asyncio.sleep(0.05)
    decision = await explain(host)
    await asyncio.gather(ask(host), loading)

    assert decision.model == "chat"
    assert len(host.called("load")) == 1


async def test_request_for_another_model_while_one_is_loading() -> None:
    host = ScriptedHost(
        [sized("chat", "7B"), sized("coder", "7B")], memory_bytes=700 * MIB, load_step_s=0.02
    )
    loading = asyncio.create_task(ask(host, model="chat"))
    await asyncio.sleep(0.05)
    events = await ask(host, model="coder")
    await loading

    assert decided(events).evicted == ("lmswitch/chat",)
    assert host.unloaded_while_answering == []


async def test_crowd() -> None:
    """Two models that do not fit together, and many at once who want either."""
    host = ScriptedHost(
        [sized("chat", "7B"), sized("coder", "7B")],
        memory_bytes=700 * MIB,
        replies={"chat": "Chat.", "coder": "Code."},
    )
    questions = ["Hello", "Write a python function."] * 4
    answers = await asyncio.gather(*(ask(host, question) for question in questions))

    assert {said(events) for events in answers} <= {"Chat.", "Code."}
    assert host.loaded_twice == []
    assert host.loads_at_once == 1
    assert host.unloaded_while_answering == []
    assert await leased(host) == []


# --- the graph itself -------------------------------------------------------------------------


def graph_to(host: ScriptedHost) -> Any:
    async def open_board() -> Switchboard:
        return boards().given(host, host, SETTINGS)

    return router_graph(open_board)


def test_graph_can_be_drawn() -> None:
    drawn = router_graph().get_graph().draw_mermaid()

    for name in ("classify", "check_resources", "refuse", "load_model", "fit_context", "respond"):
        assert f"{name}({name})" in drawn
    assert "load_model -.-> check_resources" in drawn
    assert "respond -.-> __end__" in drawn


async def test_graph_on_a_loop_of_the_callers_own() -> None:
    host = ScriptedHost(["tiny"], replies=[Fragment(text="Here."), *tool_call("f", {"a_b": 1})])
    state = await graph_to(host).ainvoke({"messages": HELLO})

    answer = state["messages"][-1]
    assert isinstance(answer, AIMessage)
    assert answer.content == "Here."
    assert [(one["name"], one["args"]) for one in answer.tool_calls] == [("f", {"a_b": 1})]
    assert answer.usage_metadata is not None
    assert answer.response_metadata["lmswitch"]["model"] == "tiny"
    assert await leased(host) == []


@pytest.mark.parametrize(
    ("host", "messages", "error"),
    [
        (
            ScriptedHost([SMALL]),
            [SystemMessage(content="a " * 900), HumanMessage(content="Hello")],
            ContextTooLong,
        ),
        (ScriptedHost([SMALL], vanish_after={"small": 1}), HELLO, ModelGone),
        (ScriptedHost([]), HELLO, NoSuitableModel),
    ],
)
async def test_graph_that_fails_leaves_no_lease(
    host: ScriptedHost, messages: list[BaseMessage], error: type[LMSwitchError]
) -> None:
    """In a graph of the caller's own there is nobody else to end it."""
    with pytest.raises(error):
        await graph_to(host).ainvoke({"messages": messages})

    assert await leased(host) == []


@pytest.mark.parametrize("doing", ["load", "predict"])
async def test_graph_that_is_cancelled(doing: str) -> None:
    host, begun = stuck(doing)
    asking = asyncio.create_task(graph_to(host).ainvoke({"messages": HELLO}))
    await asyncio.to_thread(begun.wait)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert [call.method for call in host.cancelled] == [doing]
    assert await leased(host) == []
