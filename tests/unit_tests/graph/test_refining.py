"""A resident model refines the task: in time, or not at all."""

import asyncio
from collections.abc import Sequence
from typing import Any, NoReturn

import pytest

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import HostFailed
from langchain_lmswitch.graph.refining import REST_S, Asking, askings, refined
from langchain_lmswitch.policy.classify import classify
from langchain_lmswitch.policy.exemplars import EXEMPLARS
from langchain_lmswitch.policy.refining import Refiner, unsure
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.testing import ScriptedHost, card
from langchain_lmswitch.types.events import InstanceState
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.tasks import Request, Task

CARDS = [card("tiny", params="2B"), card("encoder", kind="embedding"), card("big", params="70B")]
ASKED = Request(
    user_text="Translate this sentence. Correct the grammar. Make this email friendlier."
)


def unsure_task() -> Task:
    """As the rules leave it who find no sign."""
    return Task(kind="chat", confidence=0.4, evidence="no sign of another task")


async def made(
    refine: str, *loaded: str, host: ScriptedHost | None = None, timeout_s: float = 5.0
) -> tuple[ScriptedHost, Switchboard]:
    host = host or ScriptedHost(CARDS, replies='"rewriting"')
    settings = Settings(refine=refine, refine_timeout_s=timeout_s)  # type: ignore[arg-type]  # as from the environment
    board = Switchboard(host, host, settings)
    for key in loaded:
        kind = host.disk[key].kind
        await host.load(LoadSpec(key=key, kind=kind, identifier=f"lmswitch/{key}"))
    return host, board


def asked(host: ScriptedHost, method: str) -> int:
    return len([call for call in host.calls if call.method == method])


async def learnt(board: Switchboard) -> Task:
    """Ask until the exemplars are known."""
    for _ in range(200):
        task = await refined(board, unsure_task(), ASKED)
        if task != unsure_task():
            return task
        await asyncio.sleep(0)
    raise AssertionError("the exemplars were never embedded")


async def test_a_chat_model_in_memory_names_the_task() -> None:
    host, board = await made("chat", "tiny")
    task = await refined(board, unsure_task(), ASKED)

    assert task.kind == "rewriting"
    assert task.evidence.endswith("what tiny makes of it")
    [call] = [one for one in host.calls if one.method == "predict"]
    assert call.request is not None
    assert call.request.json_schema is not None


async def test_an_embedding_model_in_memory_knows_its_exemplars_once() -> None:
    host, board = await made("embedding", "encoder")

    assert await refined(board, unsure_task(), ASKED) == unsure_task()  # they are not known yet
    assert (await learnt(board)).kind == "rewriting"
    known = asked(host, "embed")
    assert (await refined(board, unsure_task(), ASKED)).kind == "rewriting"
    assert asked(host, "embed") == known + 1
    texts = {text for call in host.calls for text in call.texts}
    assert {text for some in EXEMPLARS.values() for text in some} <= texts


@pytest.mark.parametrize(
    ("refine", "loaded"),
    [
        ("off", ["tiny", "encoder"]),
        ("chat", []),
        ("chat", ["encoder"]),
        ("chat", ["big"]),
        ("embedding", []),
        ("embedding", ["tiny"]),
    ],
)
async def test_nothing_is_loaded_or_asked_that_is_not_there(
    refine: Refiner, loaded: list[str]
) -> None:
    host, board = await made(refine, *loaded)
    before = asked(host, "load")

    assert await refined(board, unsure_task(), ASKED) == unsure_task()
    assert asked(host, "load") == before
    assert asked(host, "predict") == asked(host, "embed") == 0


async def test_a_model_that_is_answering_is_left_alone() -> None:
    """Whether we know it from our own leases, or from its host."""
    host, board = await made("chat", "tiny")
    [resident] = await host.residents()
    assert board.lease(resident, "somebody")

    assert await refined(board, unsure_task(), ASKED) == unsure_task()
    board.release("somebody")
    assert (await refined(board, unsure_task(), ASKED)).kind == "rewriting"

    host, board = await made("chat", "tiny", host=BusyHost(CARDS))
    assert await refined(board, unsure_task(), ASKED) == unsure_task()
    assert asked(host, "predict") == 0


class BusyHost(ScriptedHost):
    """A host whose models answer somebody we do not know."""

    async def state(self, identifier: str) -> InstanceState | None:
        await super().state(identifier)
        return InstanceState(status="generating", queued=1)


class SlowHost(ScriptedHost):
    """A host that takes its time for all that it is asked here."""

    async def embed(self, identifier: str, texts: Sequence[str]) -> list[list[float]]:
        if len(texts) == 1:
            await asyncio.sleep(30)
        return await super().embed(identifier, texts)


@pytest.mark.parametrize("refine", ["chat", "embedding"])
async def test_who_is_too_slow_is_not_heard_nor_asked_again_for_a_while(refine: str) -> None:
    host = SlowHost(CARDS, token_s=30)
    _, board = await made(refine, "tiny", "encoder", host=host, timeout_s=0.02)
    while not (board in askings and askings[board].resting):
        assert await refined(board, unsure_task(), ASKED) == unsure_task()
        await asyncio.sleep(0)  # the exemplars become known, and then a question is too slow
    questions = asked(host, "predict")

    assert questions == (1 if refine == "chat" else 0)
    assert await refined(board, unsure_task(), ASKED) == unsure_task()
    assert asked(host, "predict") == questions


class FailingHost(ScriptedHost):
    """A host that fails."""

    async def embed(self, identifier: str, texts: Sequence[str]) -> list[list[float]]:
        reason = f"{identifier} has no word for {len(texts)} texts."
        raise HostFailed("h:1", doing="embedding", reason=reason)


@pytest.mark.parametrize("refine", ["chat", "embedding"])
async def test_a_failure_costs_no_answer(refine: str) -> None:
    host = FailingHost(CARDS, replies=_unspeakable)
    _, board = await made(refine, "tiny", "encoder", host=host)
    for _ in range(3):
        assert await refined(board, unsure_task(), ASKED) == unsure_task()
        await asyncio.sleep(0)


class SenselessHost(ScriptedHost):
    """A host whose vectors change their length."""

    sense = True

    async def embed(self, identifier: str, texts: Sequence[str]) -> list[list[float]]:
        vectors = await super().embed(identifier, texts)
        return vectors if self.sense else [[1.0]]


def _unspeakable(_: Any) -> NoReturn:
    raise HostFailed("h:1", doing="answering", reason="out of cheese")


async def test_vectors_that_make_no_sense_cost_no_answer() -> None:
    host = SenselessHost(CARDS)
    _, board = await made("embedding", "encoder", host=host)
    await learnt(board)
    host.sense = False

    assert await refined(board, unsure_task(), ASKED) == unsure_task()


async def test_an_answer_without_a_task_changes_nothing() -> None:
    _, board = await made("chat", "tiny", host=ScriptedHost(CARDS, replies="Bananas!"))

    assert await refined(board, unsure_task(), ASKED) == unsure_task()


async def test_a_rest_ends() -> None:
    now_s = 0.0
    asking = Asking(clock=lambda: now_s)
    host, _ = await made("chat", "tiny")
    [resident] = await host.residents()
    asking.rest()

    assert asking.resting
    now_s = REST_S
    assert not asking.resting
    assert await asking.ask(host, resident, "chat", "Hello") is not None


def test_the_router_asks_only_where_the_rules_are_unsure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And what came of it stands in the decision."""
    monkeypatch.setenv("LMSWITCH_REFINE", "chat")
    monkeypatch.setenv("LMSWITCH_REFINE_TIMEOUT_S", "5")
    resident = Resident(key="tiny", identifier="lmswitch/tiny", context_tokens=4096)
    host = ScriptedHost(CARDS, replies='"summary"', foreign=[resident])
    llm = ChatLMSwitch(host=host, monitor=host)
    vague = "Implement a linked list in C."  # the name of the language is too short to be a sign
    assert unsure(classify(Request(user_text=vague)))

    assert llm.explain(vague).task == "summary"
    assert asked(host, "predict") == 1
    assert llm.explain(vague, task="code").task == "code"
    assert asked(host, "predict") == 1
    assert asked(host, "load") == 0
