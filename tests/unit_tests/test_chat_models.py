"""`ChatLMSwitch` as its users meet it: built, copied, asked from everywhere, left early."""

import asyncio
import copy
import pickle
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from pydantic import SecretStr, ValidationError

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import InvalidRequest, LoadFailed, UnknownModel
from langchain_lmswitch.testing import ScriptedHost, card, in_turn
from langchain_lmswitch.types.events import Compressed, Fragment, Loaded, SwitchEvent
from langchain_lmswitch.types.requests import PredictRequest

MIB = 2**20


def llm(host: ScriptedHost | None = None, **fields: Any) -> ChatLMSwitch:
    host = host or ScriptedHost(["tiny"], replies="One two three.")
    return ChatLMSwitch(host=host, monitor=host, **fields)


def asked(host: ScriptedHost) -> PredictRequest:
    """Give the last request the host was asked to answer."""
    request = host.called("predict")[-1].request
    assert request is not None
    return request


# --- built and copied -------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("This opens a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.usefixtures("no_network")
def test_construction_does_nothing() -> None:
    """No file, no socket, no thread, no question to a host."""
    host, threads = ScriptedHost(), threading.active_count()
    for _ in range(100):
        ChatLMSwitch(base_url="example.invalid:1234", api_key=SecretStr("sk-lm-x"))
        llm(host)

    assert host.calls == []
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": -1},
        {"max_tokens": 0},
        {"top_p": 0},
        {"top_p": 1.5},
        {"timeout": 0},
        {"max_retries": -1},
    ],
)
def test_wrong_values_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChatLMSwitch(**fields)


def test_pickle() -> None:
    fields: dict[str, Any] = {"model": "tiny", "temperature": 0.5, "stop": ["END"]}
    one = ChatLMSwitch(**fields, base_url="h:1", api_key=SecretStr("sk-lm-x"))
    again = pickle.loads(pickle.dumps(one))  # noqa: S301 - our own bytes

    assert again == one
    assert again.api_key is not None
    assert again.api_key.get_secret_value() == "sk-lm-x"


def test_pickle_after_use() -> None:
    one = ChatLMSwitch(base_url="h:1")
    one._own_settings()
    again = pickle.loads(pickle.dumps(one))  # noqa: S301 - as above

    assert again._own_settings() == one._own_settings()


def test_secret_is_not_shown() -> None:
    assert "sk-lm-x" not in repr(ChatLMSwitch(api_key=SecretStr("sk-lm-x")))


@pytest.mark.parametrize("copied", [lambda one: one.model_copy(deep=True), copy.deepcopy])
def test_deep_copy_shares_the_host(copied: Callable[[ChatLMSwitch], ChatLMSwitch]) -> None:
    """Two hosts at one address would not see each other's leases; and a socket has no copy."""
    one = llm(stop=["END"])
    other = copied(one)

    assert other is not one
    assert other.stop == one.stop
    assert other.stop is not one.stop
    assert other.host is one.host
    assert other.invoke("Hello").text == one.invoke("Hello").text
    assert len(one.host.called("load")) == 1


def test_copy_may_be_given_another_host() -> None:
    """Also after the first was used."""
    one = ChatLMSwitch(base_url="h:1")
    assert one._own_settings().base_url == "h:1"
    other = one.model_copy(update={"base_url": "h:2"})

    assert other._own_settings().base_url == "h:2"
    assert one._own_settings().base_url == "h:1"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_BASE_URL", "env:1")

    assert ChatLMSwitch()._own_settings().base_url == "env:1"
    assert ChatLMSwitch(base_url="h:1")._own_settings().base_url == "h:1"


# --- an answer --------------------------------------------------------------------------------


async def test_every_way_to_ask_gives_one_answer() -> None:
    one = llm()
    streamed = [chunk.text for chunk in one.stream("Hello")]
    astreamed = [chunk.text async for chunk in one.astream("Hello")]

    assert one.invoke("Hello").text == "One two three."
    assert (await one.ainvoke("Hello")).text == "One two three."
    assert "".join(streamed) == "One two three."
    assert streamed == astreamed
    assert len([text for text in streamed if text]) == 4


def test_metadata_of_an_answer() -> None:
    answer = llm().invoke("Hello")

    metadata = answer.response_metadata
    assert metadata["model_name"] == "tiny"
    assert metadata["model_provider"] == "lmstudio"
    assert metadata["finish_reason"] == "stop"
    assert metadata["lmswitch"]["model"] == "tiny"
    assert metadata["lmswitch"]["reason"].startswith("tiny for chat")
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 4


def test_chunks_add_up_to_the_message() -> None:
    host = ScriptedHost(["tiny"], replies=[Fragment(text="hm", reasoning=True), Fragment(text="A")])
    one = llm(host)
    first, *rest = one.stream("Hello")
    added: Any = first
    for chunk in rest:
        added += chunk
    answer = one.invoke("Hello")

    assert isinstance(added, AIMessageChunk)
    assert added.text == answer.text == "A"
    assert added.additional_kwargs == answer.additional_kwargs == {"reasoning_content": "hm"}
    assert added.usage_metadata == answer.usage_metadata
    assert added.response_metadata["model_name"] == "tiny"


def test_explain() -> None:
    host = ScriptedHost(["tiny", card("coder", params="7B")])
    decision = llm(host).explain("Write a python function.")

    assert (decision.model, decision.task) == ("coder", "code")
    assert host.called("load") == host.called("predict") == []
    assert asyncio.run(llm(host).aexplain("Hello", model="tiny")).model == "tiny"


def test_error_is_what_it_is() -> None:
    with pytest.raises(UnknownModel) as caught:
        llm().invoke("Hello", model="tinny")

    assert caught.value.nearest == ("tiny",)


# --- what may be said per call ----------------------------------------------------------------


def test_own_values_reach_the_host() -> None:
    one = llm(temperature=0.5, max_tokens=2, stop=["END"], seed=3, top_p=0.9)
    answer = one.invoke("Hello")

    request = asked(one.host)
    assert (request.temperature, request.max_tokens, request.stop) == (0.5, 2, ("END",))
    assert (request.seed, request.top_p) == (3, 0.9)
    assert answer.text == "One two"
    assert answer.response_metadata["finish_reason"] == "length"


@pytest.mark.parametrize("bound", [False, True])
def test_values_of_a_call_win(bound: bool) -> None:  # noqa: FBT001
    one = llm(temperature=0.5, max_tokens=9, stop=["END"])
    said: dict[str, Any] = {"temperature": 0.0, "max_tokens": 1, "stop": ["two"], "seed": 0}
    if bound:
        one.bind(**said).invoke("Hello")
    else:
        one.invoke("Hello", **said)

    request = asked(one.host)
    assert (request.temperature, request.max_tokens, request.stop) == (0.0, 1, ("two",))
    assert request.seed == 0


def test_model_and_task_of_a_call() -> None:
    host = ScriptedHost(["tiny", card("coder", params="7B"), card("large", params="8B")])
    one = llm(host)

    assert one.invoke("Hello", model="tiny").response_metadata["model_name"] == "tiny"
    assert one.invoke("Hello", task="code").response_metadata["model_name"] == "coder"
    assert one.bind(model="large").invoke("x").response_metadata["model_name"] == "large"


def test_stop_ends_the_answer() -> None:
    assert llm().invoke("Hello", stop=["two"]).text == "One "
    assert llm(stop_sequences=["three"]).invoke("Hello").text == "One two "


@pytest.mark.parametrize("name", ["temprature", "n", "timeout"])
def test_unknown_argument_is_refused(name: str) -> None:
    """A typo would change nothing, silently."""
    one: Any = llm()
    with pytest.raises(InvalidRequest, match=f"Unknown argument {name!r}"):
        one.invoke("Hello", **{name: 1})
    with pytest.raises(InvalidRequest):
        one.explain("Hello", **{name: 1})

    assert one.host.calls == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("temprature", "Did you mean `temperature`"),
        ("zzz", "lists them"),
        ("budget_bytes", "LMSWITCH_BUDGET_BYTES, or in lmswitch.toml"),
    ],
)
def test_unknown_field_is_refused(name: str, told: str) -> None:
    """LangChain's base class would drop it, silently."""
    given: Any = {name: 1}
    with pytest.raises(ValueError, match=told):
        llm(**given)


# --- events -----------------------------------------------------------------------------------


async def test_events_are_told() -> None:
    heard: list[SwitchEvent] = []
    one = llm(on_event=heard.append)
    one.invoke("Hello")
    await one.ainvoke("Hello")

    assert [type(event).__name__ for event in heard] == [
        "LoadStarted",
        *["LoadProgress"] * 5,
        "Loaded",
    ]


def test_compression_is_told() -> None:
    host = ScriptedHost([card("tiny", max_context_tokens=1024)])
    heard: list[SwitchEvent] = []
    turns = [
        message
        for number in range(40)
        for message in (HumanMessage(content=f"{number} " * 20), AIMessage(content="ok " * 20))
    ]
    answer = llm(host, on_event=heard.append).invoke([*turns, HumanMessage(content="Now?")])

    [told] = [event for event in heard if isinstance(event, Compressed)]
    report = answer.response_metadata["lmswitch"]["context"]
    assert report["evicted_messages"] == told.evicted_messages > 0


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_listener_that_fails_does_not_hurt(way: str) -> None:
    heard: list[SwitchEvent] = []

    def fail(event: SwitchEvent) -> None:
        heard.append(event)
        raise ValueError("no")

    one = llm(on_event=fail)
    answer = one.invoke("Hello") if way == "invoke" else await one.ainvoke("Hello")

    assert answer.text == "One two three."
    assert isinstance(heard[-1], Loaded)


class Counts(BaseCallbackHandler):
    """Counts what a callback sees of a run."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.ends = 0
        self.errors: list[BaseException] = []

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.tokens.append(token)

    def on_llm_end(self, *_: Any, **__: Any) -> None:
        self.ends += 1

    def on_llm_error(self, error: BaseException, **_: Any) -> None:
        self.errors.append(error)


def spoken(counts: Counts) -> str:
    return "".join(counts.tokens)


async def test_callbacks_see_every_token_once() -> None:
    one, streaming = llm(), llm(streaming=True)
    seen = [Counts() for _ in range(5)]
    list(one.stream("Hello", {"callbacks": [seen[0]]}))
    [_ async for _ in one.astream("Hello", {"callbacks": [seen[1]]})]
    streaming.invoke("Hello", {"callbacks": [seen[2]]})
    await streaming.ainvoke("Hello", {"callbacks": [seen[3]]})
    one.invoke("Hello", {"callbacks": [seen[4]]})

    assert [spoken(counts) for counts in seen] == ["One two three."] * 4 + [""]
    assert [counts.ends for counts in seen] == [1] * 5


def test_callbacks_see_an_error() -> None:
    host = ScriptedHost(["tiny"], fail_load={"tiny": LoadFailed("tiny", reason="Broken.")})
    counts = Counts()
    with pytest.raises(LoadFailed):
        llm(host).invoke("Hello", {"callbacks": [counts]})

    assert [type(error) for error in counts.errors] == [LoadFailed]


# --- from everywhere --------------------------------------------------------------------------


async def test_batch_and_abatch() -> None:
    def echo(messages: Any) -> str:
        return str(messages[-1]["content"][0]["text"])

    one = llm(ScriptedHost(["tiny"], replies=echo))
    questions = [f"question {number}" for number in range(6)]

    assert [answer.text for answer in one.batch(list(questions))] == questions
    assert [answer.text for answer in await one.abatch(list(questions))] == questions
    assert len(one.host.called("load")) == 1


def test_many_threads() -> None:
    one = llm()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: one.invoke("Hello").text, range(24)))

    assert set(answers) == {"One two three."}
    assert one.host.loaded_twice == []
    assert len(one.host.called("load")) == 1


def test_several_event_loops() -> None:
    one = llm()
    texts = [asyncio.run(one.ainvoke("Hello")).text for _ in range(3)]

    assert texts == ["One two three."] * 3


async def test_blocking_call_in_a_running_loop() -> None:
    """As in a notebook's cell."""
    assert llm().invoke("Hello").text == "One two three."


def test_two_models_of_one_host_share_its_leases() -> None:
    """What one is using the other does not unload."""
    host = ScriptedHost(
        [card("a", size_bytes=500 * MIB), card("b", size_bytes=500 * MIB)],
        memory_bytes=1500 * MIB,
        token_s=0.005,
    )
    one, other = llm(host, model="a"), llm(host, model="b")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: (one, other)[n % 2].invoke("Hi").text, range(6)))

    assert set(answers) == {"This is a scripted answer."}
    assert host.unloaded_while_answering == []


# --- left early -------------------------------------------------------------------------------


def slow_host() -> tuple[ScriptedHost, threading.Event, threading.Event]:
    """Build a host with a long answer; it tells when that has begun and when it was stopped."""
    begun, stopped = threading.Event(), threading.Event()

    async def sleep(seconds: float) -> None:
        if seconds:
            begun.set()
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            asyncio.get_running_loop().call_soon(stopped.set)
            raise

    host = ScriptedHost(["tiny"], replies="word " * 2000, token_s=0.001, sleep=sleep)
    return host, begun, stopped


def test_stream_left_early_stops_the_answer() -> None:
    host, _, _ = slow_host()
    stream = llm(host).stream("Hello")
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # it is a generator

    assert [call.method for call in host.cancelled] == ["predict"]


async def test_astream_left_early_stops_the_answer() -> None:
    """Soon: LangChain's own generator around ours does not wait for it."""
    host, _, stopped = slow_host()
    async with aclosing(llm(host).astream("Hello")) as stream:  # type: ignore[type-var]  # it is a generator
        await anext(stream)
    await asyncio.to_thread(stopped.wait)

    assert [call.method for call in host.cancelled] == ["predict"]


async def test_cancelled_ainvoke_stops_the_answer() -> None:
    host, begun, _ = slow_host()
    asking = asyncio.create_task(llm(host).ainvoke("Hello"))
    await asyncio.to_thread(begun.wait)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert [call.method for call in host.cancelled] == ["predict"]


@pytest.mark.parametrize("doing", ["load", "predict"])
def test_interrupt_stops_the_work(doing: str) -> None:
    """Ctrl-C in the main thread returns, and the host is told."""
    main = threading.main_thread().ident or 0

    async def sleep(seconds: float) -> None:
        if seconds:
            asyncio.get_running_loop().call_later(0.05, signal.pthread_kill, main, signal.SIGINT)
        await asyncio.sleep(seconds)

    load_step_s = 3600 if doing == "load" else 0
    host = ScriptedHost(["tiny"], load_step_s=load_step_s, token_s=3600, sleep=sleep)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            llm(host).invoke("Hello")
    finally:
        signal.signal(signal.SIGINT, before)

    assert [call.method for call in host.cancelled] == [doing]


def test_next_question_after_an_interrupted_one() -> None:
    host = ScriptedHost(["tiny"], replies=in_turn("word " * 500, "Here."), token_s=0.001)
    one = llm(host)
    stream = one.stream("Hello")
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # as above

    assert one.invoke("Hello").text == "Here."
