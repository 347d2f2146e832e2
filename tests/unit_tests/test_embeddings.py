"""`LMSwitchEmbeddings` as its users meet it: which model, from everywhere, when things go wrong."""

import asyncio
import copy
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from langchain_lmswitch import ChatLMSwitch, LMSwitchEmbeddings
from langchain_lmswitch.errors import (
    HostFailed,
    HostLost,
    HostTimeout,
    InvalidRequest,
    LoadFailed,
    ModelGone,
    NoSuitableModel,
    NotEnoughMemory,
    UnknownModel,
)
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.embedding import Embedder
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.testing import ScriptedHost, card, run_virtually
from langchain_lmswitch.types.events import Loaded, LoadStarted, SwitchEvent
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident

MIB = 2**20
TEXTS = ["one", "two words", "three", "four", "five"]


def encoder(key: str = "tiny-embed", mib: int = 30, *, context_tokens: int = 512) -> ModelCard:
    size_bytes = mib * MIB
    return card(key, kind="embedding", size_bytes=size_bytes, max_context_tokens=context_tokens)


def on(host: ScriptedHost | None = None, **fields: Any) -> LMSwitchEmbeddings:
    host = host or ScriptedHost(["chat", encoder()])
    return LMSwitchEmbeddings(host=host, monitor=host, **fields)


def embedded_by(host: ScriptedHost) -> list[str]:
    """Give the identifiers that were asked to embed."""
    return [call.model for call in host.called("embed")]


def requests(host: ScriptedHost) -> list[list[str]]:
    return [list(call.texts) for call in host.called("embed")]


def leased(host: ScriptedHost) -> bool:
    return boards().given(host, host, Settings()).busy


def vector(text: str) -> list[float]:
    """Give what the scripted host makes of a text."""
    return on().embed_query(text)


# --- built and copied -------------------------------------------------------------------------


def test_construction_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, no socket, no thread, no question to a host."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("This opens a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    host, threads = ScriptedHost(), threading.active_count()
    for _ in range(100):
        LMSwitchEmbeddings(base_url="example.invalid:1234", api_key=SecretStr("sk-lm-x"))
        on(host)

    assert host.calls == []
    assert threading.active_count() == threads


def test_import_stays_light() -> None:
    """What only a chat needs is not imported to embed."""
    code = (
        "import sys; from langchain_lmswitch import LMSwitchEmbeddings; LMSwitchEmbeddings();"
        "print(*({'pandas', 'gpu_tracker', 'langgraph', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


@pytest.mark.parametrize(
    "fields", [{"batch_size": 0}, {"timeout": 0}, {"max_retries": -1}, {"modle": "x"}]
)
def test_wrong_values_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(fields))):
        LMSwitchEmbeddings(**fields)


def test_pickle() -> None:
    one = LMSwitchEmbeddings(model="tiny", base_url="h:1", api_key=SecretStr("sk-lm-x"))
    one._own_settings()
    again = pickle.loads(pickle.dumps(one))  # noqa: S301 - our own bytes

    assert again == one
    assert again.api_key.get_secret_value() == "sk-lm-x"
    assert "sk-lm-x" not in repr(again)


@pytest.mark.parametrize("copied", [lambda one: one.model_copy(deep=True), copy.deepcopy])
def test_deep_copy_shares_the_host(
    copied: Callable[[LMSwitchEmbeddings], LMSwitchEmbeddings],
) -> None:
    one = on()
    other = copied(one)

    assert other is not one
    assert other.host is one.host
    assert other.embed_query("Hello") == one.embed_query("Hello")
    assert len(one.host.called("load")) == 1


def test_copy_may_be_given_another_host() -> None:
    """Also after the first was used; what `auto` chose belongs to the host."""
    one, far = on(), ScriptedHost([encoder("far-embed")])
    one.embed_query("Hello")
    other = one.model_copy(update={"host": far, "monitor": far})
    other.embed_query("Hello")

    assert (one.chosen, other.chosen) == ("tiny-embed", "far-embed")
    assert LMSwitchEmbeddings(base_url="h:2")._own_settings().base_url == "h:2"


# --- vectors ----------------------------------------------------------------------------------


async def test_four_doors_give_the_same_vectors() -> None:
    one = on()
    found = one.embed_documents(TEXTS)

    assert [one.embed_query(text) for text in TEXTS] == found
    assert await one.aembed_documents(TEXTS) == found
    assert [await one.aembed_query(text) for text in TEXTS] == found
    assert len({tuple(each) for each in found}) == len(TEXTS)


def test_batches() -> None:
    one = on(batch_size=2)

    assert one.embed_documents(TEXTS) == [vector(text) for text in TEXTS]
    assert requests(one.host) == [TEXTS[:2], TEXTS[2:4], TEXTS[4:]]


async def test_nothing_to_embed_asks_nobody() -> None:
    one = on()

    assert one.embed_documents([]) == await one.aembed_documents([]) == []
    assert one.host.calls == []


@pytest.mark.parametrize("texts", ["my secret", ["fine", 7], ["fine", None], [b"my secret"]])
async def test_what_is_no_list_of_texts_is_refused(texts: Any) -> None:
    """A text is a sequence of texts too: its letters would be embedded, one by one."""
    one = on()
    with pytest.raises(InvalidRequest) as caught:
        one.embed_documents(texts)
    with pytest.raises(InvalidRequest):
        await one.aembed_documents(texts)

    assert "secret" not in str(caught.value)
    assert one.host.calls == []


def test_host_that_leaves_one_out() -> None:
    """Else every later vector would stand for the text before it."""

    class Short(ScriptedHost):
        async def embed(self, identifier: str, texts: Sequence[str]) -> list[list[float]]:
            return (await super().embed(identifier, texts))[1:]

    with pytest.raises(HostFailed, match="4 vectors for 5 texts"):
        on(Short([encoder()])).embed_documents(TEXTS)


# --- which model ------------------------------------------------------------------------------


def test_smallest_is_chosen() -> None:
    host = ScriptedHost(["chat", encoder("large", 300), encoder("small", 30)])
    on(host).embed_query("Hello")

    assert embedded_by(host) == ["lmswitch/small"]


def test_resident_one_is_chosen_first() -> None:
    theirs = Resident(key="large", identifier="by-hand", kind="embedding")
    host = ScriptedHost([encoder("large", 300), encoder("small", 30)], foreign=[theirs])
    on(host).embed_query("Hello")

    assert embedded_by(host) == ["by-hand"]
    assert host.called("load") == []


def test_smallest_that_fits_is_chosen() -> None:
    """The smaller file needs more memory: 256 MiB for its context."""
    wide, narrow = encoder("wide", 30, context_tokens=8192), encoder("narrow", 100)
    host = ScriptedHost([wide, narrow], memory_bytes=(512 + 200) * MIB)
    on(host).embed_query("Hello")

    assert embedded_by(host) == ["lmswitch/narrow"]


def test_load_that_fails_is_the_next_ones_turn() -> None:
    failures = {"small": [LoadFailed("small", reason="Broken.")]}
    host = ScriptedHost([encoder("large", 300), encoder("small", 30)], fail_load=failures)
    one = on(host)
    one.embed_query("Hello")

    assert one.chosen == "large"


def test_choice_stays() -> None:
    """Vectors of two models do not compare: not when a better choice comes, not when it fails."""
    host = ScriptedHost([encoder("large", 300), encoder("small", 30)])
    one = on(host)
    one.embed_query("Hello")
    host.lose("lmswitch/small")
    asyncio.run(host.load(LoadSpec(key="large", kind="embedding")))
    for same in (one, copy.deepcopy(one)):
        same.embed_query("Hello")
    host.lose("lmswitch/small")
    host.fail_load["small"] = LoadFailed("small", reason="Broken.")
    with pytest.raises(LoadFailed):
        one.embed_query("Hello")

    assert set(embedded_by(host)) == {"lmswitch/small"}
    assert on(host).embed_query("Hello")
    assert embedded_by(host)[-1] == "large"


def test_choice_is_told() -> None:
    one = on()
    assert one.chosen is None
    one.embed_query("Hello")

    assert one.chosen == "tiny-embed"
    assert pickle.loads(pickle.dumps(LMSwitchEmbeddings())).chosen is None  # noqa: S301 - as above


def test_two_first_calls_agree() -> None:
    """While one loads the smallest, somebody else loads another, which the second call finds."""

    async def scenario() -> None:
        host = ScriptedHost([encoder("large", 300), encoder("small", 30)], load_step_s=1.0)
        board = Switchboard(host, host, Settings(), clock=asyncio.get_running_loop().time)
        chosen: dict[str, str] = {}

        async def given() -> Switchboard:
            return board

        def call() -> Any:
            fields: dict[str, Any] = {"batch_size": 9, "timeout_s": None, "retries": 0}
            embedder = Embedder(
                open_board=given, model="auto", chosen=chosen, place="here", **fields
            )
            return embedder.embed(["Hello"], lambda _: None)

        first = asyncio.create_task(call())
        await asyncio.sleep(2.5)
        host.load_step_s = 0.0
        await host.load(LoadSpec(key="large", kind="embedding"))
        await call()
        await first

        assert embedded_by(host) == ["large", "large"]
        assert not board.busy

    run_virtually(scenario())


@pytest.mark.parametrize("name", ["large", "by-hand"])
def test_model_may_be_named(name: str) -> None:
    """By its key or by the identifier of a loaded instance."""
    theirs = Resident(key="large", identifier="by-hand", kind="embedding")
    host = ScriptedHost([encoder("large", 300), encoder("small", 30)], foreign=[theirs])
    on(host, model=name).embed_query("Hello")

    assert embedded_by(host) == ["by-hand"]


def test_unknown_model() -> None:
    host = ScriptedHost(["tiny-embedder", encoder("tiny-embed")])
    with pytest.raises(UnknownModel) as caught:
        on(host, model="tiny-embedd").embed_query("Hello")

    assert caught.value.nearest == ("tiny-embed",)


def test_chat_model_cannot_embed() -> None:
    host = ScriptedHost(["chat", encoder("tiny-embed")])
    with pytest.raises(InvalidRequest, match=r"'chat' is a chat model.*Take one of 'tiny-embed'"):
        on(host, model="chat").embed_query("Hello")
    with pytest.raises(InvalidRequest, match="lmswitch pull"):
        on(ScriptedHost(["chat"]), model="chat").embed_query("Hello")

    assert host.called("load") == []


@pytest.mark.parametrize("cards", [[], ["chat"]])
def test_no_embedding_model(cards: list[str]) -> None:
    with pytest.raises(NoSuitableModel, match=r"lmswitch pull.*LM Studio") as caught:
        on(ScriptedHost(cards)).embed_query("Hello")

    assert caught.value.rejected == dict.fromkeys(cards, "a chat model")


# --- beside chat models -----------------------------------------------------------------------


def test_chat_model_is_not_pushed_out() -> None:
    """The helper is refused with numbers, and does not wait for the answer: it would be in vain."""
    chat = card("chat", size_bytes=300 * MIB)
    host = ScriptedHost([chat, encoder(mib=300)], memory_bytes=(512 + 700) * MIB)
    board = boards().given(host, host, Settings())
    answering = board.acquire(chat, call="chat", needed_tokens=10, on_event=lambda _: None)
    portal().call(answering)
    heard: list[SwitchEvent] = []

    def hear(event: SwitchEvent) -> None:
        heard.append(event)
        portal().loop.call_soon_threadsafe(board.release, "chat")

    with pytest.raises(NotEnoughMemory) as caught:
        on(host, on_event=hear).embed_query("Hello")

    assert (caught.value.needed_bytes, caught.value.free_bytes) == (316 * MIB, 144 * MIB)
    assert caught.value.blockers == ("lmswitch/chat",)
    assert heard == []
    assert host.called("unload") == []
    board.release("chat")


def test_chat_models_change_beside_it() -> None:
    """A chat model that needs room takes that of another chat model."""
    cards = [card(key, size_bytes=300 * MIB) for key in ("chat", "other")]
    host = ScriptedHost([*cards, encoder(mib=30)], memory_bytes=(512 + 700) * MIB)
    one, llm = on(host), ChatLMSwitch(host=host, monitor=host)
    one.embed_query("Hello")
    for key in ("chat", "other", "chat"):
        llm.invoke("Hello", model=key)
        one.embed_query("Hello")

    assert [call.model for call in host.called("load")] == ["tiny-embed", "chat", "other", "chat"]


def test_helper_in_use_is_waited_for() -> None:
    """Its place is taken by another helper, once it is not used any more."""
    host = ScriptedHost([encoder("h", 300), encoder("i", 300)], memory_bytes=(512 + 400) * MIB)
    board = boards().given(host, host, Settings())
    using = board.acquire(host.disk["h"], call="h", needed_tokens=1, on_event=lambda _: None)
    portal().call(using)

    def hear(event: SwitchEvent) -> None:
        if not isinstance(event, LoadStarted):
            portal().loop.call_soon_threadsafe(board.release, "h")

    on(host, model="i", on_event=hear).embed_query("Hello")

    assert [call.model for call in host.called("unload")] == ["lmswitch/h"]


# --- from everywhere --------------------------------------------------------------------------


def test_many_threads() -> None:
    one = on()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(one.embed_query, TEXTS * 5))

    assert found == [vector(text) for text in TEXTS] * 5
    assert len(one.host.called("load")) == 1
    assert one.host.loaded_twice == []


def test_several_event_loops() -> None:
    one = on()

    assert [asyncio.run(one.aembed_query("Hi")) for _ in range(3)] == [vector("Hi")] * 3


async def test_blocking_call_in_a_running_loop() -> None:
    """As in a notebook's cell."""
    assert on().embed_query("Hi") == await on().aembed_query("Hi")


async def test_events_are_told_to_the_caller() -> None:
    """In the thread that asked, as a chat model tells them."""
    heard: list[tuple[type[SwitchEvent], int]] = []

    def hear(event: SwitchEvent) -> None:
        heard.append((type(event), threading.get_ident()))
        raise ValueError("A listener that fails does not hurt")

    on(on_event=hear).embed_query("Hello")
    await on(on_event=hear).aembed_query("Hello")

    kinds = [kind for kind, _ in heard]
    assert kinds.count(LoadStarted) == kinds.count(Loaded) == 2
    assert {thread for _, thread in heard} == {threading.get_ident()}


# --- when things go wrong ---------------------------------------------------------------------


class Flaky(ScriptedHost):
    """Raises what it is given, in turn, before it embeds; `None` lets a request pass."""

    def __init__(self, *failures: Exception | None) -> None:
        super().__init__([encoder()])
        self.failures = list(failures)

    async def embed(self, identifier: str, texts: Sequence[str]) -> list[list[float]]:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        return await super().embed(identifier, texts)


def lost() -> HostLost:
    return HostLost("scripted", reason="it was reset")


def test_lost_connection_goes_on_where_it_was() -> None:
    """What was embedded before is not asked for again."""
    one = on(Flaky(None, lost(), None, lost()), batch_size=2)

    assert one.embed_documents(TEXTS) == [vector(text) for text in TEXTS]
    assert requests(one.host) == [TEXTS[:2], TEXTS[2:4], TEXTS[4:]]
    assert len(one.host.called("aclose")) == 2
    assert not leased(one.host)


@pytest.mark.parametrize("retries", [0, 2])
def test_lost_connection_is_not_tried_for_ever(retries: int) -> None:
    one = on(Flaky(*(lost() for _ in range(retries + 1))), max_retries=retries)
    with pytest.raises(HostLost):
        one.embed_query("Hello")

    assert len(one.host.called("aclose")) == retries
    assert one.host.failures == []


def test_model_that_went_away_is_loaded_again() -> None:
    """Unloaded by somebody a moment after it was listed."""
    one = on()
    one.embed_query("Hello")
    one.host.lose("lmswitch/tiny-embed")

    assert one.embed_query("Hello") == vector("Hello")
    assert len(one.host.called("load")) == 2


def test_model_that_goes_away_again_and_again() -> None:
    gone = UnknownModel("lmswitch/tiny-embed")
    one = on(Flaky(gone, ModelGone("tiny-embed", reason="it crashed"), gone))
    with pytest.raises(ModelGone, match="tiny-embed"):
        one.embed_query("Hello")

    assert len(one.host.failures) == 1
    assert not leased(one.host)


class Slow(ScriptedHost):
    """Tells when it begins to embed, and when that is stopped; it never ends."""

    def __init__(self) -> None:
        super().__init__([encoder()])
        self.begun, self.stopped = threading.Event(), threading.Event()
        self.leased = False

    async def embed(self, identifier: str, texts: Sequence[str]) -> list[list[float]]:
        self.leased = leased(self)
        self.begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            self.stopped.set()
        return await super().embed(identifier, texts)


def test_deadline() -> None:
    host = Slow()
    with pytest.raises(HostTimeout, match=r"0\.01 s while embedding"):
        on(host, timeout=0.01).embed_query("Hello")

    assert host.stopped.is_set()
    assert not leased(host)


async def test_cancel_stops_the_work_and_ends_the_lease() -> None:
    host = Slow()
    asking = asyncio.create_task(on(host).aembed_query("Hello"))
    await asyncio.to_thread(host.begun.wait)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert host.leased
    assert host.stopped.is_set()
    assert not leased(host)


@pytest.mark.parametrize(("doing", "after"), [("load", LoadStarted), ("embed", Loaded)])
def test_interrupt_stops_the_work(doing: str, after: type[SwitchEvent]) -> None:
    """Ctrl-C in the main thread returns, and the host is told."""
    host = Slow()

    async def sleep(seconds: float) -> None:
        if seconds:
            host.begun.set()
        await asyncio.sleep(seconds)

    def press(event: SwitchEvent) -> None:
        if isinstance(event, after):
            host.begun.wait()
            signal.raise_signal(signal.SIGINT)

    host._sleep, host.load_step_s = sleep, 3600 if doing == "load" else 0
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            on(host, on_event=press).embed_query("Hello")
    finally:
        signal.signal(signal.SIGINT, before)

    assert [call.method for call in host.cancelled] == (["load"] if doing == "load" else [])
    assert host.stopped.is_set() is (doing == "embed")
    assert not leased(host)
