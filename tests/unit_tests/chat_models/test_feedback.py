"""What becomes of answers, and what callers say of them, through the chat model."""

import asyncio
import json
import logging
import os
import subprocess
import sys
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.load import dumpd, load
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    message_to_dict,
    messages_from_dict,
)
from langchain_core.tracers.context import collect_runs
from pydantic import BaseModel, field_validator

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import HostFailed, HostLost, InvalidOutput, InvalidRequest
from langchain_lmswitch.ledger.memory import MemoryLedger
from langchain_lmswitch.ledger.sqlite import SqliteLedger
from langchain_lmswitch.policy.grading import AS_USUAL
from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.testing import Reply, ScriptedHost, card, tool_call
from langchain_lmswitch.types.events import Finished, Fragment, ToolCallFailed, ToolCallStarted
from langchain_lmswitch.types.grades import Grade

SECRET = "Zwiebelkuchen-swordfish"  # noqa: S105 - no password, but words of a user


def model(
    reply: Reply = "Fine.", *, ledger: Any = None, **fields: Any
) -> tuple[ChatLMSwitch, MemoryLedger]:
    """Make a chat model whose ledger can be looked into."""
    host = ScriptedHost([card("one-1b", tool_use=True), card("two-7b")], replies=reply)
    kept = MemoryLedger() if ledger is None else ledger
    return ChatLMSwitch(host=host, monitor=host, ledger=kept, **fields), kept


def settled() -> None:
    """Wait for what was sent to the portal without waiting for it."""
    portal().call(asyncio.sleep(0.05))


def found(ledger: MemoryLedger) -> list[tuple[str, float]]:
    return [(one.source, one.score) for one in ledger.grades()]


@pytest.mark.parametrize("color", ["invoke", "ainvoke", "stream", "astream"])
def test_an_answer_is_noted_without_a_word_of_it(color: str) -> None:
    llm, ledger = model()

    async def streamed() -> None:
        async for _ in llm.astream(SECRET):
            pass

    match color:
        case "invoke":
            llm.invoke(SECRET)
        case "ainvoke":
            asyncio.run(llm.ainvoke(SECRET))
        case "stream":
            list(llm.stream(SECRET))
        case _:
            asyncio.run(streamed())
    [answer], [grade] = ledger.answers(), ledger.grades()

    assert (grade.source, grade.score, grade.key) == ("fine", AS_USUAL, answer.key)
    assert (answer.answer_tokens, grade.host) == (2, "local")
    assert answer.task in grade.features.kinds
    assert SECRET not in repr((answer, grade))


def test_speeds_of_the_host_are_believed_and_else_measured() -> None:
    ending = Finished(
        stop_reason="eosFound",
        time_to_first_token_s=0.25,
        tokens_per_second=33.0,
        prompt_tokens=100,
        cached_tokens=60,
    )
    llm, ledger = model([Fragment(text="Fine."), ending])
    llm.invoke("Hello")
    [answer] = ledger.answers()
    assert (answer.first_token_s, answer.tokens_per_second, answer.prompt_tokens) == (
        0.25,
        33.0,
        40,
    )

    llm, ledger = model("One two three four.")
    llm.invoke("Hello")
    [answer] = ledger.answers()
    assert answer.first_token_s is not None
    assert answer.tokens_per_second is not None
    assert 0 <= answer.first_token_s < 5


class Verse(BaseModel):
    """Two lines."""

    lines: list[str]

    @field_validator("lines")
    @classmethod
    def _two(cls, lines: list[str]) -> list[str]:
        if len(lines) != 2:
            raise ValueError("two lines are wanted")
        return lines


def count(number: int) -> int:
    """Count up to a number."""
    return number


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("", ("empty", 0.0)),
        ("word " * 50, ("truncated", 0.3)),
        (tool_call("count", {"number": 3}), ("fine", AS_USUAL)),
        (tool_call("count", {"number": "three"}), ("tool_call", 0.0)),
        (tool_call("sing", {"number": 3}), ("tool_call", 0.0)),
        (
            [ToolCallStarted(index=0, name="count"), ToolCallFailed(index=0, error="?", raw="{")],
            ("tool_call", 0.0),
        ),
    ],
)
def test_the_form_of_the_answer_is_graded(reply: Reply, expected: tuple[str, float]) -> None:
    llm, ledger = model(reply, max_tokens=20)
    llm.bind_tools([count]).invoke("Count")

    assert found(ledger) == [expected]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('{"lines": ["a", "b"]}', ("fine", AS_USUAL)),
        ('{"lines": ["a", 7]}', ("schema", 0.0)),
        ("Roses are red.", ("parse", 0.0)),
        ('{"lines": ["only one"]}', ("schema", 0.0)),  # what only the parser sees
    ],
)
@pytest.mark.parametrize("include_raw", [False, True])
def test_an_object_that_is_refused_is_graded_as_that(
    reply: str, expected: tuple[str, float], *, include_raw: bool
) -> None:
    llm, ledger = model(reply)
    chain = llm.with_structured_output(Verse, include_raw=include_raw)
    try:
        chain.invoke("Write a verse")
    except InvalidOutput:
        assert expected[1] == 0.0
    settled()

    assert found(ledger) == [expected]


async def test_a_parser_on_an_event_loop_is_heard_too() -> None:
    llm, ledger = model('{"lines": []}')
    with pytest.raises(InvalidOutput):
        await llm.with_structured_output(Verse).ainvoke("Write a verse")
    await asyncio.sleep(0.1)

    assert found(ledger) == [("schema", 0.0)]


class _Failing(ScriptedHost):
    """Its models break off after a token."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(["one-1b"])
        self._error = error

    async def predict(self, *_: Any, **__: Any) -> Any:
        yield Fragment(text="Well")
        raise self._error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (HostFailed("here", doing="answering", reason="NaN"), [("error", 0.0)]),
        (HostFailed("here", doing="answering", reason="CUDA error: out of memory"), []),
        (HostFailed("here", doing="answering", reason="It is full.", retryable=False), []),
        (HostLost("here", reason="it closed the connection"), []),
        (MemoryError("no room"), []),
        (asyncio.CancelledError(), []),
        (KeyError("our own bug"), []),
    ],
)
def test_only_what_the_model_is_to_blame_for_counts(
    error: BaseException, expected: list[tuple[str, float]]
) -> None:
    host, ledger = _Failing(error), MemoryLedger()
    llm = ChatLMSwitch(host=host, monitor=host, ledger=ledger)
    with pytest.raises(type(error) if isinstance(error, Exception) else BaseException):
        llm.invoke("Hello")

    assert found(ledger) == expected


def test_a_stream_that_is_left_is_no_answer() -> None:
    host, ledger = ScriptedHost(["one-1b"], replies="word " * 50, token_s=0.02), MemoryLedger()
    llm = ChatLMSwitch(host=host, monitor=host, ledger=ledger)
    for _ in llm.stream("Hello"):
        break
    settled()

    assert (ledger.grades(), ledger.answers()) == ([], [])


def test_what_is_asked_at_once_again_is_sampled() -> None:
    llm, ledger = model()
    for _ in range(3):
        llm.invoke("Hello")
    llm.batch(["Hello"] * 3)

    assert found(ledger) == [("fine", AS_USUAL)] * 6


def test_answers_of_the_cache_teach_nothing() -> None:
    llm, ledger = model(cache=InMemoryCache())
    first = llm.invoke("Hello")
    again = llm.invoke("Hello")

    assert again.response_metadata["lmswitch"]["cached"]
    assert len(ledger.answers()) == len(ledger.grades()) == 1
    llm.feedback(again, 0.4)
    assert found(ledger) == [("feedback", 0.4)]
    assert first.response_metadata["lmswitch"]["request"] == ledger.grades()[0].request


@pytest.mark.parametrize("form", ["message", "revived", "loaded", "dumped", "mapping", "chunk"])
def test_feedback_on_a_message_in_any_form(form: str) -> None:
    llm, ledger = model()
    message: Any = llm.invoke("Hello")
    match form:
        case "revived":
            stored = json.dumps(message_to_dict(message))
            [message] = messages_from_dict([json.loads(stored)])
        case "loaded":
            with warnings.catch_warnings(action="ignore"):  # it is in beta
                message = load(json.loads(json.dumps(dumpd(message))))
        case "dumped":
            message = json.loads(message.model_dump_json())
        case "mapping":
            message = json.loads(json.dumps(message_to_dict(message)))
        case "chunk":
            whole = AIMessageChunk(content="")
            for piece in llm.stream("Hello again"):
                whole += piece
            message = whole
        case _:
            assert form == "message"
    llm.feedback(message, 0.25)

    assert ("feedback", 0.25) in found(ledger)


def test_feedback_on_a_run() -> None:
    """The id that callbacks and LangSmith have, as an object, a text, or a message's id."""
    llm, ledger = model()
    with collect_runs() as runs:
        message = llm.invoke("Hello")
    run = runs.traced_runs[0].id
    names: list[Any] = [run, str(run), f"run-{run}", str(run).upper(), message.id or ""]
    for number, name in enumerate(names):
        llm.feedback(name, number / 10)
        assert found(ledger) == [("feedback", number / 10)]
    asyncio.run(llm.afeedback(uuid.UUID(str(run)), True))

    assert found(ledger) == [("feedback", 1.0)]


@pytest.mark.parametrize(("score", "kept"), [(True, 1.0), (False, 0.0), (0, 0.0), (1, 1.0)])
def test_scores(score: Any, kept: float) -> None:
    llm, ledger = model()
    llm.feedback(llm.invoke("Hello"), score, comment=f"My {SECRET}")

    assert found(ledger) == [("feedback", kept)]


@pytest.mark.parametrize("score", [2, -0.1, float("nan"), "good", None])
def test_a_score_that_is_none_is_told(score: Any) -> None:
    llm, ledger = model()
    message = llm.invoke("Hello")
    with pytest.raises(InvalidRequest, match=r"The score is .*; give True, False, or a number"):
        llm.feedback(message, score)

    assert found(ledger) == [("fine", AS_USUAL)]


def test_what_is_no_answer_of_ours_is_told() -> None:
    llm, _ = model()
    with pytest.raises(InvalidRequest, match="This AIMessage carries no record of ChatLMSwitch"):
        llm.feedback(AIMessage(SECRET), 1)
    with pytest.raises(InvalidRequest) as told:
        llm.feedback(HumanMessage(SECRET), 1)
    assert SECRET not in str(told.value)
    with pytest.raises(InvalidRequest, match="7 is no answer"):
        llm.feedback(7, 1)  # type: ignore[arg-type]
    run = uuid.uuid4()
    with pytest.raises(InvalidRequest, match=f"No answer is remembered as {run}"):
        llm.feedback(run, 1)


class _Heard(Lessons):
    """What a running process has learnt."""

    def __init__(self) -> None:
        self.heard: list[Grade] = []
        super().__init__()

    def learn(self, grade: Grade) -> None:
        self.heard.append(grade)


def test_feedback_reaches_the_lessons_at_once() -> None:
    llm, _ = model()
    message = llm.invoke("Hello")
    board = portal().call(llm._open_board())
    board.surveyor.learning.answers.lessons = heard = _Heard()
    llm.feedback(message, 0.5)

    assert [(one.source, one.score) for one in heard.heard] == [("feedback", 0.5)]


def test_nothing_is_learnt_where_it_is_switched_off() -> None:
    llm, ledger = model(learn=False)
    message = llm.invoke("Hello")
    assert (ledger.grades(), len(ledger.answers())) == ([], 1)
    llm.feedback(message, 0.5)
    assert found(ledger) == [("feedback", 0.5)]
    llm.bind(learn=True).invoke("Hello")
    assert len(ledger.grades()) == 2


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of our own."""
    monkeypatch.setenv("LMSWITCH_HOME", str(tmp_path))
    monkeypatch.setenv("LMSWITCH_REMEMBER", "true")
    yield tmp_path
    for ledger in boards()._ledgers.values():
        ledger.close()


_OTHER = """
import json, sys
from langchain_core.messages import messages_from_dict
from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import InvalidRequest
[message] = messages_from_dict([json.loads(sys.argv[1])])
llm = ChatLMSwitch()
llm.feedback(message, 0.1)
llm.feedback(message.id, 0.9)
try:
    llm.feedback("nobody", 1)
except InvalidRequest as error:
    print(error)
"""


def test_another_process_may_judge_and_no_host_has_to_be_there(home: Path) -> None:
    """No word that was said is on the disk, nor in a log."""
    ledger = SqliteLedger(home / "ledger.sqlite")
    llm, _ = model(f"{SECRET} is fine.", ledger=ledger)
    message = llm.invoke(f"Is {SECRET} fine?")
    llm.feedback(message, 0.5, comment=f"Well, {SECRET}.")
    ledger.close()
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", _OTHER, json.dumps(message_to_dict(message))],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "No answer is remembered as nobody" in done.stdout
    [grade] = ledger.grades()
    assert (grade.source, grade.score, grade.key) == ("feedback", 0.9, "two-7b")
    assert grade.features == ledger.answers()[0].features
    on_disk = b"".join(one.read_bytes() for one in home.rglob("*") if one.is_file())
    assert b"swordfish" not in on_disk
    assert "swordfish" not in done.stderr + done.stdout


def test_no_word_of_an_answer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="langchain_lmswitch")
    llm, _ = model('{"lines": ["' + SECRET + '"]}')
    with pytest.raises(InvalidOutput):
        llm.with_structured_output(Verse).invoke(SECRET)
    llm.feedback(llm.invoke(SECRET), 0.1, comment=SECRET)
    settled()

    assert SECRET not in caplog.text
