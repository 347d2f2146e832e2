"""Answers of the router graph, graded by what the user does next; and what a choice depends on."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_lmswitch.graph.choosing import decide
from langchain_lmswitch.graph.router import router_graph
from langchain_lmswitch.ledger.replaying import replay
from langchain_lmswitch.messages.sameness import turn_of
from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.testing import ScriptedHost, card
from langchain_lmswitch.types.grades import Expected, Grade
from langchain_lmswitch.types.tasks import Features, Task

HELLO = "Hello there"


class Talk:
    """A user, a clock that is set by hand, and what is learnt of their talk."""

    def __init__(self, **settings: Any) -> None:
        self.now_s = 1_000.0
        self.host = ScriptedHost([card("one-7b", params="7B"), card("two-1b", params="1B")])
        self.board = Switchboard(
            self.host,
            self.host,
            Settings(headroom_bytes=0, **settings),
            wall_clock=lambda: self.now_s,
        )
        self.graph = router_graph(self._open)

    async def _open(self) -> Switchboard:
        return self.board

    async def ask(
        self, said: str | Sequence[BaseMessage] = HELLO, *, after_s: float = 5, **options: Any
    ) -> AIMessage:
        """Ask once more, after some seconds."""
        self.now_s += after_s
        messages = [HumanMessage(said)] if isinstance(said, str) else list(said)
        asked: Any = {"messages": messages, "options": options}
        done = await self.graph.ainvoke(asked)
        answer = done["messages"][-1]
        assert isinstance(answer, AIMessage)
        return answer

    @property
    def grades(self) -> list[tuple[str, str]]:
        """What graded whom, in the order of the requests."""
        return [(one.key, one.source) for one in self.board.ledger.grades()]


async def test_who_asks_again_was_not_content() -> None:
    talk = Talk()
    await talk.ask()
    await talk.ask(after_s=5)

    assert sorted(talk.grades) == [("one-7b", "fine"), ("one-7b", "retry")]


async def test_who_names_another_model_was_not_content_with_the_choice() -> None:
    """Both answers are to one request, so that they are compared."""
    talk = Talk()
    await talk.ask()
    await talk.ask(model="two-1b")

    assert sorted(talk.grades) == [("one-7b", "override"), ("two-1b", "fine")]
    assert len({one.request for one in talk.board.ledger.grades()}) == 1


@pytest.mark.parametrize(("after_s", "options"), [(0.2, {}), (90, {}), (5, {"model": "two-1b"})])
async def test_who_samples_or_waits_or_compares_tells_nothing(
    after_s: float, options: Mapping[str, Any]
) -> None:
    talk = Talk()
    await talk.ask(model="one-7b" if options else "auto")
    await talk.ask(after_s=after_s, **options)

    assert [source for _, source in talk.grades] == ["fine", "fine"]


async def test_a_conversation_that_goes_on_is_no_retry() -> None:
    talk = Talk()
    turns: list[BaseMessage] = [HumanMessage(HELLO)]
    turns.append(await talk.ask(turns))
    turns.append(HumanMessage(HELLO))
    await talk.ask(turns)

    assert [source for _, source in talk.grades] == ["fine", "fine"]


def test_turns_are_told_apart() -> None:
    call = AIMessage("", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "1"}])
    other = AIMessage("", tool_calls=[{"name": "f", "args": {"x": 2}, "id": "1"}])
    talks: list[list[BaseMessage]] = [
        [HumanMessage(HELLO)],
        [SystemMessage(HELLO)],
        [HumanMessage(HELLO), AIMessage(HELLO)],
        [HumanMessage([{"type": "text", "text": HELLO}])],
        [HumanMessage(HELLO), call],
        [HumanMessage(HELLO), other],
        [HumanMessage(HELLO), call, ToolMessage("1", tool_call_id="1")],
    ]

    assert len({turn_of(one, b"salt") for one in talks}) == len(talks)
    assert turn_of([HumanMessage(HELLO, id="1")], b"salt") == turn_of(
        [HumanMessage(HELLO)], b"salt"
    )
    assert turn_of(talks[0], b"salt") != turn_of(talks[0], b"pepper")


class _Sure(Lessons):
    """Has learnt that the small model is the better one."""

    def expect(self, features: Features, priors: Mapping[str, Expected]) -> dict[str, Expected]:
        assert features.kinds
        gains = {"two-1b": 0.9}
        return {
            key: replace(one, quality=one.prior + gains.get(key, 0.0), spread=0.2)
            for key, one in priors.items()
        }


class _Broken(Lessons):
    def learn(self, grade: Grade) -> None:
        raise ZeroDivisionError(grade)

    def expect(self, features: Features, priors: Mapping[str, Expected]) -> dict[str, Expected]:
        raise ZeroDivisionError(features, priors)


async def test_what_was_learnt_changes_the_choice_and_can_be_replayed() -> None:
    talk = Talk(explore=0)
    await talk.ask("Hi")
    talk.board.surveyor.learning.answers.lessons = _Sure()
    answer = await talk.ask(HELLO)

    assert answer.response_metadata["lmswitch"]["model"] == "two-1b"
    choices = [one for one in talk.board.ledger.decisions(9) if one.kind == "choice"]
    assert [replay(one).same for one in choices] == [True, True]
    assert choices[-1].facts["expected"]["two-1b"]["quality"] > 0.9
    assert choices[-1].facts["paces"]["one-7b"]["answers"] == 1


@pytest.mark.parametrize(
    ("settings", "hint", "curious"),
    [({"explore": 1}, None, True), ({"explore": 0}, 1.0, True), ({"explore": 1}, 0.0, False)],
)
async def test_only_who_is_loaded_is_tried_and_only_if_that_is_allowed(
    settings: Mapping[str, Any], hint: float | None, *, curious: bool
) -> None:
    talk = Talk(**settings)
    task = Task(kind="chat", confidence=1, evidence="")
    task = replace(task, hints=replace(task.hints, explore=hint))
    for key, tried in (("one-7b", False), ("two-1b", curious)):  # one alone is no choice
        await talk.ask(model=key)
        talk.board.surveyor.learning.answers.lessons = _Sure()
        many = [replace(task, features=Features(difficulty=at / 8)) for at in range(8)]
        found = [await decide(talk.board, one, model="auto", failed={}) for one in many]

        assert any(facts.curiosity for _, facts in found) is tried
        assert [await decide(talk.board, one, model="auto", failed={}) for one in many] == found


async def test_lessons_that_fail_do_not_hurt_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    talk = Talk()
    await talk.ask("Hi")
    talk.board.surveyor.learning.answers.lessons = _Broken()
    answer = await talk.ask(HELLO)

    assert answer.text
    assert talk.grades == [("one-7b", "fine"), ("one-7b", "fine")]
    warned = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert any("one that is there answers (ZeroDivisionError)" in one for one in warned)
