"""Summaries in the background: by who is in memory and idle, at nobody's cost."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolCall
from langchain_core.outputs import ChatResult
from unit_tests.switch.desk import MIB, Desk, virtual

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.chunks import chunks_of
from langchain_lmswitch.context.summarized import next_piece
from langchain_lmswitch.context.tree import Piece
from langchain_lmswitch.context.units import parted
from langchain_lmswitch.switch.summarizers import Answered
from langchain_lmswitch.switch.summarizing import DEADLINE_S, QUIET_S, Job, Summarizer
from langchain_lmswitch.testing import ScriptedHost, card
from langchain_lmswitch.types.events import Finished, Fragment, InstanceState
from langchain_lmswitch.types.models import LoadSpec, Resident

NOTES = "The user asked what stations there are, and the answer named the stations and their lines."
CARDS = [
    card("small", params="3B", size_bytes=100 * MIB, max_context_tokens=8192),
    card("big", params="8B", size_bytes=200 * MIB, max_context_tokens=8192),
    card("tiny", params="135M", size_bytes=10 * MIB, max_context_tokens=8192),
    card("encoder", kind="embedding", size_bytes=10 * MIB),
]


def piece(number: int = 0) -> Piece:
    said = [
        HumanMessage(f"What stations and lines are there? Number {number} was asked before."),
        AIMessage(
            "The stations of the lines that the user asked and named: Nord, Mitte, Hafen. " * 6
        ),
    ]
    return Piece(key=bytes([number]), units=parted(said).units)


PROMPT: list[BaseMessage] = [SystemMessage("Be brief."), HumanMessage("Go on."), AIMessage("Yes.")]


async def made(*loaded: str, host: ScriptedHost | None = None, **options: Any) -> Desk:
    host = host or ScriptedHost(CARDS, **{"replies": NOTES, "token_s": 0.1, **options})
    one = Desk(host)
    for key in loaded:
        kind = host.disk[key].kind
        spec = LoadSpec(key=key, kind=kind, identifier=f"lmswitch/{key}", context_tokens=4096)
        await host.load(spec)
    host.calls.clear()
    return one


async def answered(one: Desk, key: str, **options: Any) -> Answered:
    found = {resident.key: resident for resident in await one.host.residents()}
    return Answered(resident=found[key], said=tuple(PROMPT), options=options)  # type: ignore[arg-type]  # as from a request


def job(
    cache: ContextCache,
    *,
    by: Summarizer = "auto",
    last: Answered | None = None,
    number: int = 0,
) -> Job:
    return Job(piece=piece(number), cache=cache, by=by, answered=last)


def asked(one: Desk) -> list[str]:
    return [call.model.removeprefix("lmswitch/") for call in one.host.called("predict")]


def tasks() -> set[str]:
    return {one.get_name() for one in asyncio.all_tasks() if "summary" in one.get_name()}


async def begun(one: Desk) -> None:
    """Wait until a model is writing."""
    await asyncio.sleep(QUIET_S + 0.15)
    assert asked(one)


@virtual
async def test_a_summary_is_kept_by_its_key() -> None:
    one, cache = await made("big"), ContextCache()
    assert one.board.summarizing.start(job(cache, last=await answered(one, "big")))
    await asyncio.sleep(QUIET_S + 10)
    assert cache.summaries.get(piece().key) == NOTES
    assert one.changes() == []
    assert one.leased() == []
    assert not one.board.summarizing.busy


@pytest.mark.parametrize(
    ("loaded", "by", "who"),
    [
        (["big"], "auto", ["big"]),
        (["big", "small"], "auto", ["small"]),
        (["big", "tiny", "encoder"], "auto", ["big"]),
        (["tiny"], "auto", []),
        (["tiny", "big"], "tiny", ["tiny"]),
        (["big"], "small", []),
        (["big"], "off", []),
        (["big", "small"], "lmswitch/big", ["big"]),
    ],
)
def test_who_is_asked(loaded: list[str], by: str, who: list[str]) -> None:
    """Nobody is loaded for it."""

    async def asking() -> None:
        one, cache = await made(*loaded), ContextCache()
        one.board.summarizing.start(job(cache, by=by, last=await answered(one, loaded[0])))
        await asyncio.sleep(QUIET_S + 10)
        assert asked(one) == who
        assert one.changes() == []

    virtual(asking)()


@virtual
async def test_who_has_answered_is_asked_behind_its_prompt() -> None:
    """To the letter, tools included; another one gets a prompt of its own."""
    one, tools = await made("big"), [{"type": "function", "function": {"name": "look"}}]
    last = await answered(one, "big", tools=tools, max_tokens=7, stop=["x"])
    one.board.summarizing.start(job(ContextCache(), last=last))
    await begun(one)
    [call] = one.host.called("predict")
    assert call.request is not None
    texts = [part["text"] for message in call.request.messages for part in message["content"]]
    assert texts[:3] == ["Be brief.", "Go on.", "Yes."]
    assert "Nord, Mitte, Hafen" in texts[3]
    assert list(call.request.tools) == tools
    assert (call.request.stop, call.request.max_tokens) == ((), 240)


@virtual
async def test_an_answer_by_a_schema_does_not_bind_the_summary() -> None:
    one = await made("big")
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    last = await answered(one, "big", json_schema=schema)
    one.board.summarizing.start(job(ContextCache(), last=last))
    await begun(one)
    [call] = one.host.called("predict")
    assert call.request is not None
    assert call.request.json_schema is None
    assert "properties" in str(call.request.messages[0])


@virtual
async def test_a_live_prompt_without_room_is_left() -> None:
    one = await made("big")
    found = await answered(one, "big")
    long = (HumanMessage("word " * 3_750), AIMessage("Yes."))
    last = Answered(resident=found.resident, said=long, options={})
    cache = ContextCache()
    one.board.summarizing.start(job(cache, last=last))
    await asyncio.sleep(QUIET_S + 10)
    [call] = one.host.called("predict")
    assert call.request is not None
    assert call.request.messages[0]["role"] == "system"
    assert cache.summaries.get(piece().key)


@virtual
async def test_what_cannot_be_repeated_is_not() -> None:
    """Images would be uploaded again; a tool that runs is about to be heard."""
    one = await made("big")
    found, image = await answered(one, "big"), {"type": "image", "base64": "", "mime_type": "x"}
    seen = (HumanMessage(["See:", image]), AIMessage("A cat."))
    call = AIMessage("", tool_calls=[ToolCall(name="look", args={}, id="1")])
    waiting = replace(found, said=(*PROMPT, call))
    assert not one.board.summarizing.start(job(ContextCache(), last=waiting))
    assert one.board.summarizing.start(job(ContextCache(), last=replace(found, said=seen)))
    await begun(one)
    [asking] = one.host.called("predict")
    assert asking.request is not None
    assert asking.request.messages[0]["role"] == "system"


@virtual
async def test_a_request_ends_it_at_once() -> None:
    one, cache = await made("big"), ContextCache()
    last = await answered(one, "big")
    one.board.summarizing.start(job(cache, last=last))
    await begun(one)
    assert one.board.lease(last.resident, "call")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not one.board.summarizing.busy
    assert len(one.host.cancelled) == 1
    await asyncio.sleep(10)
    assert cache.summaries.get(piece().key) is None


@virtual
async def test_a_load_finds_nobody_answering() -> None:
    one = await made("big", memory_bytes=700 * MIB, load_step_s=1.0)
    one.host.disk["huge"] = card("huge", size_bytes=500 * MIB, max_context_tokens=1024)
    one.board.summarizing.start(job(ContextCache(), last=await answered(one, "big")))
    await begun(one)
    await one.use("huge", "call")
    assert one.host.unloaded_while_answering == []
    assert await one.resident() == ["huge"]


@virtual
async def test_an_agent_that_comes_back_at_once_costs_no_call() -> None:
    one, cache = await made("big"), ContextCache()
    last = await answered(one, "big")
    for turn in range(50):
        assert one.board.summarizing.start(job(cache, last=last))
        await asyncio.sleep(QUIET_S / 2)
        assert one.board.lease(last.resident, f"{turn}")
        await asyncio.sleep(0.2)
        one.board.release(f"{turn}")
    assert asked(one) == []
    one.board.summarizing.start(job(cache, last=last))
    await asyncio.sleep(QUIET_S + 10)
    assert cache.summaries.get(piece().key)


@virtual
async def test_not_while_anybody_is_answered() -> None:
    one = await made("big")
    last = await answered(one, "big")
    assert one.board.lease(last.resident, "call")
    assert not one.board.summarizing.start(job(ContextCache(), last=last))
    one.board.release("call")
    assert one.board.summarizing.start(job(ContextCache(), last=last))


@virtual
async def test_one_at_a_time() -> None:
    one = await made("big")
    last = await answered(one, "big")
    assert one.board.summarizing.start(job(ContextCache(), last=last))
    assert not one.board.summarizing.start(job(ContextCache(), last=last, number=1))
    assert not one.board.summarizing.start(None)
    await asyncio.sleep(QUIET_S + 10)
    assert len(asked(one)) == 1


class BusyHost(ScriptedHost):
    """A host whose models answer somebody we do not know."""

    async def state(self, identifier: str) -> InstanceState | None:
        await super().state(identifier)
        return InstanceState(status="generating", queued=1)


@virtual
async def test_who_answers_somebody_else_is_left_alone() -> None:
    one = await made("big", host=BusyHost(CARDS))
    one.board.summarizing.start(job(ContextCache(), last=await answered(one, "big")))
    await asyncio.sleep(QUIET_S + 10)
    assert asked(one) == []


async def turns(one: Desk, cache: ContextCache, count: int) -> list[int]:
    """End so many turns that all want the same summary; say which of them cost a call."""
    last, calls, when = await answered(one, "big"), len(asked(one)), []
    for turn in range(1, count + 1):
        lost = piece().key in one.board.summarizing.given_up
        one.board.summarizing.start(None if lost else job(cache, last=last))
        await asyncio.sleep(QUIET_S + DEADLINE_S + 5)
        if len(asked(one)) > calls:
            calls = len(asked(one))
            when.append(turn)
    return when


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I'm sorry, but I can't help with the stations of that conversation.",
        [Fragment(text=NOTES), Finished(stop_reason="failed")],
        [Fragment(text=NOTES, reasoning=True), Finished(stop_reason="eosFound")],
    ],
    ids=["empty", "refused", "failed", "thought"],
)
def test_what_comes_to_nothing_is_tried_three_times_ever_later(reply: Any) -> None:
    async def trying() -> None:
        cache = ContextCache()
        one = await made("big", replies=reply)
        assert await turns(one, cache, 100) == [1, 11, 31]
        assert cache.summaries.get(piece().key) is None

    virtual(trying)()


@virtual
async def test_a_good_summary_ends_the_pause() -> None:
    replies = iter(["", NOTES, NOTES])
    one, cache = await made("big", replies=lambda _: next(replies)), ContextCache()
    assert await turns(one, cache, 11) == [1, 11]
    one.board.summarizing.start(job(cache, last=await answered(one, "big"), number=1))
    await asyncio.sleep(QUIET_S + 30)
    assert cache.summaries.get(piece(1).key) == NOTES


@virtual
async def test_who_is_too_slow_is_not_heard() -> None:
    one, cache = await made("big", token_s=30.0), ContextCache()
    assert await turns(one, cache, 9) == [1]
    assert cache.summaries.get(piece().key) is None
    assert len(one.host.cancelled) == 1


@virtual
async def test_leaving_ends_it() -> None:
    one = await made("big")
    one.board.summarizing.start(job(ContextCache(), last=await answered(one, "big")))
    await begun(one)
    assert tasks()
    await one.board.leave()
    assert tasks() == set()


heard: ContextVar[str] = ContextVar("heard", default="")


class Own(GenericFakeChatModel):
    """A chat model of the user's, which notes in what context it was called."""

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> AIMessage:  # noqa: A002
        seen.append((input, heard.get()))
        return await super().ainvoke(input, config, **kwargs)

    async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        return self._generate(messages)  # not in a thread: the virtual clock waits for none


seen: list[tuple[Sequence[BaseMessage], str]] = []


@virtual
async def test_a_chat_model_of_the_users() -> None:
    """It is asked in a context of its own, so that no callback of the request hears of it."""
    seen.clear()
    heard.set("the request")
    one, cache = await made("big"), ContextCache()
    own: BaseChatModel = Own(messages=iter([AIMessage(f"Summary: {NOTES}")]))
    one.board.summarizing.start(job(cache, by=own))
    await asyncio.sleep(QUIET_S + 1)
    assert cache.summaries.get(piece().key) == NOTES
    assert asked(one) == []
    [(messages, context)] = seen
    assert context == ""
    assert "Nord, Mitte, Hafen" in str(messages[-1].content)


@virtual
async def test_a_source_is_cut_to_the_window_of_its_summarizer() -> None:
    said = [HumanMessage("Which stations are there? " + "word " * 4_000), AIMessage("Stations.")]
    one = await made()
    spec = LoadSpec(key="big", identifier="lmswitch/big", context_tokens=1_024)
    resident: Resident = await one.host.load(spec)
    cache, long = ContextCache(), Piece(key=b"long", units=parted(said).units)
    last = Answered(resident=resident, said=tuple(PROMPT), options={})
    one.board.summarizing.start(Job(piece=long, cache=cache, by="big", answered=last))
    await asyncio.sleep(QUIET_S + 10)
    [call] = one.host.called("predict")
    assert call.request is not None
    prompt = await one.host.render("lmswitch/big", call.request.messages)
    assert 400 < await one.host.count_tokens("lmswitch/big", prompt) <= 1_024 - 240


async def chatted(one: Desk, cache: ContextCache, pauses_s: Sequence[float]) -> None:
    """Hold a chat of 300 turns, with these pauses between them by turns."""
    said: list[BaseMessage] = []
    last = await answered(one, "big")
    for turn in range(300):
        text = f"Turn {turn}: which stations and lines were asked and named? ".ljust(164, "x")
        said += [HumanMessage(text), AIMessage(f"The answer of the user: {text}")]
        units = parted(said).units
        closed = [chunk for chunk in chunks_of(units) if chunk.closed]
        todo = next_piece(closed, units, cache, given_up=one.board.summarizing.given_up)
        one.board.summarizing.start(job_of(todo, cache, last) if todo else None)
        await asyncio.sleep(pauses_s[turn % len(pauses_s)])
        assert one.board.lease(last.resident, f"{turn}")
        await asyncio.sleep(0.1)
        one.board.release(f"{turn}")


def job_of(todo: Piece, cache: ContextCache, last: Answered) -> Job:
    return Job(piece=todo, cache=cache, by="auto", answered=last)


@pytest.mark.parametrize(
    ("pauses_s", "least"), [((10.0,), 20), ((10.0,) * 8 + (1.5,), 10), ((1.5,), 0)]
)
def test_three_hundred_turns_take_thirty_calls_at_most(
    pauses_s: Sequence[float], least: int
) -> None:
    """Also if people come back while a summary is being written, now and then or always."""

    async def chatting() -> None:
        one, cache = await made("big"), ContextCache()
        await chatted(one, cache, pauses_s)
        assert 1 <= len(asked(one)) <= 30
        assert len(cache.summaries) >= least

    virtual(chatting)()
