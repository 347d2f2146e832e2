"""Embedding for recall: by who is there anyway, in time or beside the requests."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from unit_tests.switch.desk import MIB, Desk, virtual

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.vectors import kept
from langchain_lmswitch.embedded.encoder import SentenceEncoder
from langchain_lmswitch.errors import HostFailed
from langchain_lmswitch.switch.backlog import MOST_TEXTS, MOST_WAITING
from langchain_lmswitch.switch.embedders import BUSY_S, FOREGROUND_S, REST_S, Embedders
from langchain_lmswitch.testing import ScriptedHost, card
from langchain_lmswitch.testing.tokens import embed
from langchain_lmswitch.types.events import InstanceState
from langchain_lmswitch.types.models import LoadSpec

CARDS = [
    card("chat", size_bytes=100 * MIB),
    card("small", kind="embedding", size_bytes=10 * MIB),
    card("large", kind="embedding", size_bytes=20 * MIB),
]
BROKEN = HostFailed("scripted:1", doing="embed", reason="boom")
FEW = ["the cat sleeps", "stocks fell"]
MANY = [f"{number} {'word ' * 200}" for number in range(5 * MOST_TEXTS)]


class Words(SentenceEncoder):
    """An encoder that needs no weights, and notes in which threads it works."""

    def __init__(self) -> None:
        super().__init__(Path())
        self.threads: set[str] = set()
        self.texts: list[str] = []

    def _read(self) -> Any:
        return self

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        self.threads.add(threading.current_thread().name)
        self.texts += texts
        return [[3 * part for part in embed(text)] for text in texts]


class SlowHost(ScriptedHost):
    """A host that takes its time to embed, may fail, and may be busy with others."""

    text_s = 0.001
    error: Exception | None = None
    answering = False

    async def embed(self, identifier: str, texts: Sequence[str]) -> list[list[float]]:
        await asyncio.sleep(self.text_s * len(texts))
        vectors = await super().embed(identifier, texts)
        if self.error:
            raise self.error
        return vectors

    async def state(self, identifier: str) -> InstanceState | None:
        await super().state(identifier)
        return InstanceState(status="generating" if self.answering else "idle", queued=0)


class Table(Desk):
    """A desk with someone who embeds, and the memory of a conversation."""

    host: SlowHost

    def __init__(self, encoder: SentenceEncoder | None = None) -> None:
        super().__init__(SlowHost(CARDS))
        self.cache = ContextCache()
        self.embedders = Embedders(
            self.board.surveyor,
            is_idle=lambda: not self.board.busy,
            encoder=lambda: encoder,
            clock=asyncio.get_running_loop().time,
        )

    async def load(self, *keys: str) -> None:
        for key in keys:
            kind = self.host.disk[key].kind
            await self.host.load(LoadSpec(key=key, kind=kind, identifier=f"lmswitch/{key}"))
        self.board.surveyor.forget()
        self.host.calls.clear()

    async def embed(self, texts: Sequence[str], name: str = "small") -> Any:
        return await self.embedders.embed(name, texts, self.cache)

    def known(self, texts: Sequence[str], name: str = "small") -> int:
        return len(kept(texts, name, self.cache))

    def embedded(self) -> list[str]:
        return [text for call in self.host.called("embed") for text in call.texts]

    async def idle(self) -> None:
        if self.embedders._work:
            await asyncio.wait({self.embedders._work})


@virtual
async def test_a_little_is_embedded_while_the_answer_waits() -> None:
    one = Table()
    await one.load("chat", "small")
    assert await one.embedders.name() == "small"
    assert await one.embed(FEW) == [embed(text) for text in FEW]
    assert one.known(FEW) == 2
    assert one.changes() == []
    assert one.leased() == []


@virtual
async def test_much_is_embedded_beside_the_requests_and_there_for_the_next_turn() -> None:
    one = Table()
    await one.load("small")
    before_s = asyncio.get_running_loop().time()
    assert await one.embed(MANY) is None
    assert asyncio.get_running_loop().time() == before_s
    await one.idle()
    assert one.known(MANY) == len(MANY)
    assert one.embedded() == MANY
    assert max(len(call.texts) for call in one.host.called("embed")) <= MOST_TEXTS


@virtual
async def test_what_takes_longer_than_it_should_is_not_waited_for() -> None:
    one = Table()
    await one.load("small")
    one.host.text_s = 1.0
    before_s = asyncio.get_running_loop().time()
    assert await one.embed(FEW) is None
    assert asyncio.get_running_loop().time() == pytest.approx(before_s + FOREGROUND_S)
    await one.idle()
    assert one.known(FEW) == 2
    before_s = asyncio.get_running_loop().time()
    assert await one.embed(["some other cat"]) is None  # and not once more, as it is known now
    assert asyncio.get_running_loop().time() == before_s


@virtual
async def test_a_text_is_embedded_once_whoever_asks() -> None:
    one = Table()
    await one.load("small")
    both = await asyncio.gather(one.embed(FEW), one.embed([*FEW, "third"]))
    assert [len(vectors) for vectors in both] == [2, 3]
    assert sorted(one.embedded()) == sorted([*FEW, "third"])


@virtual
async def test_who_is_in_a_hurry_passes_what_waits() -> None:
    one = Table()
    await one.load("small")
    assert await one.embed(MANY) is None
    await asyncio.sleep(0.001)
    assert await one.embed(FEW) is not None
    assert one.known(MANY) <= 2 * MOST_TEXTS
    await one.idle()
    assert one.known(MANY) == len(MANY)


@virtual
async def test_beside_a_request_it_goes_at_half_the_pace() -> None:
    took_s = []
    for chatting in (False, True):
        one = Table()
        await one.load("chat", "small")
        [chat, *_] = await one.host.residents()
        if chatting:
            assert one.board.lease(chat, "call")
        before_s = asyncio.get_running_loop().time()
        await one.embed(MANY)
        await one.embedders._work  # type: ignore[misc]  # it was begun just now
        took_s.append(asyncio.get_running_loop().time() - before_s)
    assert took_s[1] == pytest.approx(2 * took_s[0])


@virtual
async def test_a_busy_model_is_left_alone_until_it_is_idle() -> None:
    one = Table()
    await one.load("small")
    one.host.answering = True
    assert await one.embed(FEW) is None
    await asyncio.sleep(5.0)
    assert one.embedded() == []
    one.host.answering = False
    await asyncio.sleep(BUSY_S + 0.1)
    assert one.known(FEW) == 2


@virtual
async def test_a_model_that_a_request_uses_is_left_alone() -> None:
    one = Table()
    await one.load("small")
    [small] = await one.host.residents()
    assert one.board.lease(small, "call")
    assert await one.embed(FEW) is None
    await asyncio.sleep(5.0)
    assert one.embedded() == []
    one.board.release("call")
    await asyncio.sleep(BUSY_S + 0.1)
    assert one.known(FEW) == 2


@virtual
async def test_a_model_that_stays_busy_is_given_up() -> None:
    one = Table()
    await one.load("small")
    one.host.answering = True
    await one.embed(FEW)
    await asyncio.sleep(120)
    assert not one.embedders.busy
    assert one.embedded() == []


@pytest.mark.parametrize("error", [BROKEN, RuntimeError("boom"), TimeoutError()])
def test_a_failure_costs_no_answer_and_is_not_repeated_for_a_while(error: Exception) -> None:
    @virtual
    async def failing() -> None:
        one = Table()
        await one.load("small")
        one.host.error = error
        assert await one.embed([*FEW, *MANY]) is None
        await one.idle()
        tried = len(one.embedded())
        assert 0 < tried <= MOST_TEXTS
        one.host.error = None
        assert await one.embed(FEW) is None
        await asyncio.sleep(REST_S / 2)
        assert len(one.embedded()) == tried
        assert await one.embedders.name() == "small"
        await asyncio.sleep(REST_S / 2)
        assert await one.embed(FEW) is not None

    failing()


@virtual
async def test_a_failure_ends_the_wait_at_once() -> None:
    one = Table()
    await one.load("small")
    one.host.error = BROKEN
    before_s = asyncio.get_running_loop().time()
    assert await one.embed(FEW) is None
    assert asyncio.get_running_loop().time() < before_s + FOREGROUND_S / 2


@virtual
async def test_a_model_that_leaves_is_no_error() -> None:
    one = Table()
    await one.load("small")
    one.host.text_s = 0.1
    assert await one.embed(MANY) is None
    await asyncio.sleep(2.0)
    one.host.lose("lmswitch/small")
    await one.idle()
    assert 0 < one.known(MANY) < len(MANY)
    one.board.surveyor.forget()
    assert await one.embedders.name() == ""


@virtual
async def test_the_one_chosen_stays_as_long_as_it_is_there() -> None:
    one = Table(Words())
    assert await one.embedders.name() == Words.key
    await one.load("small")
    assert await one.embedders.name() == Words.key

    one = Table(Words())
    await one.load("large")
    assert await one.embedders.name() == "large"
    await one.load("small")
    assert await one.embedders.name() == "large"
    assert await one.embedders.name("small") == "small"  # who asks for another gets it
    assert await one.embedders.name("off") == ""
    assert await one.embedders.name() == "large"
    one.host.lose("lmswitch/large")
    one.board.surveyor.forget()
    assert await one.embedders.name() == "small"


@virtual
async def test_a_host_that_does_not_answer_has_nobody_who_embeds() -> None:
    class Silent(SlowHost):
        async def residents(self) -> Any:
            raise BROKEN

    one = Table()
    one.board.surveyor.host = Silent(CARDS)
    assert await one.embedders.name() == ""


async def test_the_encoder_works_in_a_thread_of_its_own_and_is_loaded_beside_the_request() -> None:
    encoder = Words()
    one = Table(encoder)
    name = await one.embedders.name()
    assert await one.embed(FEW, name) is None  # loading takes longer than anybody waits
    await one.idle()
    assert encoder.loaded
    assert one.known(FEW, name) == 2
    [vector] = await one.embed(["a third"], name)
    assert vector == pytest.approx(embed("a third"), abs=1e-6)
    assert threading.current_thread().name not in encoder.threads
    assert one.host.called("embed") == []


@virtual
async def test_the_end_of_the_board_is_the_end_of_it() -> None:
    one = Desk(SlowHost(CARDS))
    await one.host.load(LoadSpec(key="small", kind="embedding", identifier="lmswitch/small"))
    cache = ContextCache()
    one.host.text_s = 0.05  # type: ignore[attr-defined]  # it is slow
    assert await one.board.embedders.name() in {"small", SentenceEncoder.key}
    waiting = asyncio.create_task(one.board.embedders.embed("small", FEW, cache))
    await one.board.embedders.embed("small", MANY, cache)
    await asyncio.sleep(0.01)
    before_s = asyncio.get_running_loop().time()
    await one.board.aclose()
    assert asyncio.get_running_loop().time() == before_s
    assert await waiting is None
    assert not one.board.embedders.busy
    assert {
        task.get_name() for task in asyncio.all_tasks() if "vectors" in task.get_name()
    } == set()


@virtual
async def test_what_waits_is_bounded() -> None:
    one = Table()
    await one.load("small")
    texts = [str(number) for number in range(MOST_WAITING + 10)]
    assert await one.embed(texts) is None
    assert len(one.embedders._backlog._waiting) == MOST_WAITING
    await one.embedders.finish()
    assert not one.embedders._backlog
