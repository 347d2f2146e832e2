"""What a conversation keeps of its choice, and what remains of a choice that fails."""

import logging
from typing import Any, NoReturn

import pytest
from langchain_core.messages import HumanMessage

from langchain_lmswitch.errors import NoSuitableModel, UnknownModel
from langchain_lmswitch.graph import choosing, understanding
from langchain_lmswitch.graph.routers import router_to
from langchain_lmswitch.policy import deciding, incumbent
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.testing import ScriptedHost, card
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.options import RouterOptions

MIB = 2**20
SETTINGS = Settings(headroom_bytes=0)
WORDS = "swordfish"


def sized(key: str, params: str) -> ModelCard:
    return card(key, params=params, size_bytes=500 * MIB, max_context_tokens=1024)


SMALL, LARGE, MIDDLE = sized("small", "1B"), sized("large", "8B"), sized("middle", "3B")


def broken(*args: object, **kwargs: object) -> NoReturn:
    """Fail as a bug of ours would, quoting what it worked on."""
    raise KeyError(WORDS, args, kwargs)


async def ask(host: ScriptedHost, text: str = WORDS, **options: Any) -> Decision:
    router = router_to(host, monitor=host, settings=SETTINGS, retries=0)
    asked = RouterOptions(**options)  # type: ignore[typeddict-item]  # mypy cannot see into options
    events = portal().astream(router.answer([HumanMessage(content=text)], asked))
    decisions = [event async for event in events if isinstance(event, Decision)]
    return decisions[-1]


@pytest.fixture
def host() -> ScriptedHost:
    return ScriptedHost([SMALL, LARGE, MIDDLE])


async def test_who_is_in_memory_answers_if_models_cannot_be_compared(
    host: ScriptedHost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await ask(host, model="middle")
    monkeypatch.setattr(deciding, "rank", broken)
    with caplog.at_level(logging.INFO):
        decision = await ask(host)

    assert decision.model == "middle"
    assert "the models could not be compared (KeyError), and this one can answer" in decision.reason
    assert "KeyError" in caplog.text
    assert WORDS not in caplog.text


async def test_who_answered_before_comes_first_of_those_in_memory(
    host: ScriptedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("small", "large"):
        await ask(host, model=key)
    await ask(host, model="small", thread="one")
    monkeypatch.setattr(deciding, "rank", broken)

    assert (await ask(host, thread="one")).model == "small"
    assert (await ask(host)).model == "large"


async def test_who_is_in_memory_answers_if_what_was_learnt_cannot_be_told(
    host: ScriptedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(host, model="middle")
    monkeypatch.setattr(choosing, "expect", broken)
    decision = await ask(host)

    assert decision.model == "middle"
    assert "could not be compared (KeyError)" in decision.reason


@pytest.mark.parametrize(("hopes", "model"), [(None, "large"), (broken, "large")])
async def test_somebody_is_loaded_if_nobody_is_in_memory(
    host: ScriptedHost, monkeypatch: pytest.MonkeyPatch, hopes: Any, model: str
) -> None:
    """Even where what we think of models is what fails."""
    monkeypatch.setattr(deciding, "rank", broken)
    if hopes:
        monkeypatch.setattr(incumbent, "prior", hopes)

    assert (await ask(host)).model == model


async def test_needs_hold_though_models_cannot_be_compared(
    host: ScriptedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(host, model="large")
    monkeypatch.setattr(deciding, "rank", broken)

    assert (await ask(host, require=["small"])).model == "small"
    with pytest.raises(NoSuitableModel):
        await ask(host, require=["vision"])


async def test_request_that_cannot_be_classified_is_answered(
    host: ScriptedHost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await ask(host, model="small")
    monkeypatch.setattr(understanding, "classify", broken)
    with caplog.at_level(logging.INFO):
        decision = await ask(host)

    assert decision.model == "small"
    assert decision.reason.startswith("small for chat (not classified: KeyError): ")
    assert WORDS not in caplog.text
    assert (await ask(host, require=["large"])).model == "large"


async def test_our_own_errors_are_told_as_they_are(host: ScriptedHost) -> None:
    with pytest.raises(UnknownModel):
        await ask(host, model="nobody")


async def test_request_that_is_made_again_stays_with_its_model(host: ScriptedHost) -> None:
    """A turn of the user is decided once; the next one is decided anew."""
    await ask(host, model="small", thread="one")

    again = await ask(host, thread="one")
    assert again.model == "small"
    assert "it has this turn already" in again.reason
    assert (await ask(host, "Something else", thread="one")).model == "large"
    assert (await ask(host, thread="another")).model == "large"


async def test_what_is_best_is_counted_once_for_each_answer(host: ScriptedHost) -> None:
    """And not where the caller has named the model, nor where nothing is answered."""
    router = router_to(host, monitor=host, settings=SETTINGS, retries=0)
    for _ in range(3):
        await ask(host)
    await ask(host, model="small")
    await portal().acall(router.explain([HumanMessage(content="Hi")], RouterOptions()))

    async def runs() -> tuple[str, int]:
        found = boards().given(host, host, SETTINGS).habits.runs
        return found.best, found.length

    assert await portal().acall(runs()) == ("large", 3)


async def test_explain_tells_what_would_make_others_the_chosen_ones(host: ScriptedHost) -> None:
    router = router_to(host, monitor=host, settings=SETTINGS, retries=0)
    asked = [HumanMessage(content=WORDS)]
    decision = await portal().acall(router.explain(asked, RouterOptions()))
    told = {one.key: one.wins_if for one in decision.candidates}

    assert decision.model == "large"
    assert told["large"] == ()
    assert any("more from feedback" in line for line in told["middle"])
