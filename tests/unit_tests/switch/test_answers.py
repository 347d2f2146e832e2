"""What answers teach a running process, and the next one."""

import asyncio
import logging
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from unit_tests.ledger.grades import CODE, HERE, answer, grade

from langchain_lmswitch.ledger.base import Ledger
from langchain_lmswitch.ledger.memory import MemoryLedger
from langchain_lmswitch.ledger.sqlite import SqliteLedger
from langchain_lmswitch.policy.grading import FAILED, Verdict
from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.switch.answers import NEWS_S, Answers
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Expected, Grade
from langchain_lmswitch.types.tasks import Features

FINE = Verdict(score=1.0, weight=0.05, source="fine")
PRIORS = {key: Expected(quality=0.5, prior=0.5) for key in ("coder", "other", "third")}


class Hand:
    """A clock that is set by hand."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def answers(
    ledger: Ledger | None = None, *, learn: bool = True, hand: Hand | None = None
) -> Answers:
    return Answers(ledger or MemoryLedger(), HERE, learn=learn, wall_clock=hand or Hand())


def note(
    to: Answers,
    one: AnswerRecord,
    verdict: Verdict | None = FINE,
    *,
    turn: bytes = b"turn",
    named: bool = False,
    took_s: float = 0.5,
) -> None:
    to.note(one, verdict, turn=turn, named=named, begun_s=one.at_s - took_s)


def told(found: Answers) -> list[tuple[str, str, str, float]]:
    return [(one.request, one.key, one.source, one.score) for one in found.ledger.grades()]


async def test_an_answer_is_remembered_graded_and_timed() -> None:
    found = answers()
    await found.begin()
    note(found, answer(1))

    assert told(found) == [("request-1", "coder", "fine", 1.0)]
    assert found.known("request-1") == found.known("run-1") == replace(answer(1), turn="request-1")
    assert found.ledger.answers() == [found.known("run-1")]
    pace = found.pace("coder")
    assert pace is not None
    assert pace.tokens_per_second == 40.0
    assert (pace.answers, found.pace("other")) == (1, None)


async def test_who_is_asked_again_was_not_good() -> None:
    """A second answer of the same model does not take the place of that grade."""
    found = answers()
    note(found, answer(100))
    note(found, answer(110))

    assert sorted(told(found)) == [
        ("request-100", "coder", "retry", 0.2),
        ("request-110", "coder", "fine", 1.0),
    ]


async def test_answers_of_two_models_to_the_same_words_are_compared() -> None:
    found = answers()
    note(found, answer(100))
    note(found, answer(110, key="other"), named=True)
    note(found, answer(120), named=True)

    grades = {(one.request, one.key): one.source for one in found.ledger.grades()}
    assert grades == {
        ("request-100", "coder"): "override",
        ("request-100", "other"): "fine",
        ("request-120", "coder"): "fine",
    }


async def test_other_words_are_another_turn() -> None:
    found = answers()
    note(found, answer(100), turn=b"one")
    note(found, answer(110, key="other"), turn=b"two")

    assert [one[2] for one in told(found)] == ["fine", "fine"]
    assert {one.request for one in found.ledger.grades()} == {"request-100", "request-110"}


async def test_no_news_does_not_take_the_place_of_the_callers_word() -> None:
    found = answers()
    note(found, answer(1), FAILED)
    found.judge(answer(1), Verdict(score=0.7, weight=1.0, source="feedback"))
    assert found.judge(answer(1), FINE) is None
    assert found.judge(answer(1), Verdict(score=0.1, weight=1.0, source="feedback")) is not None

    assert told(found) == [("request-1", "coder", "feedback", 0.1)]


async def test_the_next_process_goes_on_where_this_one_ended(tmp_path: Path) -> None:
    first = answers(SqliteLedger(tmp_path / "ledger.sqlite"))
    await first.begin()
    note(first, answer(1), FAILED)
    first.judge(answer(1), Verdict(score=0.7, weight=1.0, source="feedback"))
    first.ledger.close()

    later = answers(SqliteLedger(tmp_path / "ledger.sqlite"))
    await later.begin()
    assert later.pace("coder") == first.pace("coder")
    assert later.lessons.expect(CODE, PRIORS) == first.lessons.expect(CODE, PRIORS)
    assert later.judge(answer(1), FAILED) is None  # the caller's word is still known
    later.ledger.close()


def expected(of: Answers) -> dict[str, Expected]:
    return of.lessons.expect(CODE, PRIORS)


class Two:
    """Two processes with one ledger."""

    def __init__(self, path: Path) -> None:
        self.hand = Hand()
        self.ledger = SqliteLedger(path)
        self.both = [answers(SqliteLedger(path), hand=self.hand) for _ in range(2)]

    async def later(self) -> None:
        """Let the time pass until they have heard of each other."""
        for one in self.both:
            one.ledger.close()
        self.hand.now_s += NEWS_S
        for one in self.both:
            await one.begin()
            assert one._reading is not None
            await one._reading

    def same(self) -> bool:
        """Tell whether both expect what the ledger teaches."""
        told = Lessons(self.ledger.grades(HERE)).expect(CODE, PRIORS)
        return [expected(one) for one in self.both] == [told, told]


async def test_processes_hear_of_each_other(tmp_path: Path) -> None:
    """Nobody waits for it."""
    two = Two(tmp_path / "ledger.sqlite")
    here, there = two.both
    await two.later()
    note(here, answer(1), FAILED)
    note(there, answer(2, key="other"), FINE)
    there.judge(answer(2, key="other"), Verdict(score=1.0, weight=1.0, source="feedback"))
    assert expected(here) != expected(there)
    await two.later()

    assert two.same()
    assert len(two.ledger.grades()) == 2
    assert here.judge(answer(2, key="other"), FAILED) is None  # that is the caller's word


@pytest.mark.parametrize(("key", "left"), [("coder", 1), ("other", 1), ("", 0)])
async def test_processes_hear_of_what_is_to_be_forgotten(
    tmp_path: Path, key: str, left: int
) -> None:
    two = Two(tmp_path / "ledger.sqlite")
    here, there = two.both
    await two.later()
    note(here, answer(1), FAILED)
    note(there, answer(2, key="other"), FAILED)
    await two.later()
    two.ledger.insist(lambda store: store.forget(key))
    note(here, answer(9), None, turn=b"another")
    await two.later()

    assert two.same()
    assert len(two.ledger.grades()) == left
    two.ledger.close()


async def test_a_ledger_that_cannot_be_read_for_a_while_changes_nothing(tmp_path: Path) -> None:
    hand, ledger = Hand(), SqliteLedger(tmp_path / "ledger.sqlite")
    found = answers(ledger, hand=hand)
    await found.begin()
    note(found, answer(1), FAILED)
    ledger.close()
    before = expected(found)
    ledger.path.rename(tmp_path / "elsewhere")
    hand.now_s += 40
    await found.begin()
    assert found._reading is not None
    await found._reading

    assert expected(found) == before


async def test_another_hosts_models_are_others() -> None:
    ledger = MemoryLedger()
    ledger.note_grade(grade(1, host="far:1"))
    ledger.note_answer(answer(1, host="far:1"))
    found = answers(ledger)
    await found.begin()

    assert found.pace("coder") is None
    assert found.lessons.expect(CODE, PRIORS) == Lessons().expect(CODE, PRIORS)


async def test_nothing_is_graded_if_nothing_is_to_be_learnt() -> None:
    """Speeds are known all the same, and what was learnt before is not used."""
    ledger = MemoryLedger()
    ledger.note_grade(grade(1, score=0.0))
    found = answers(ledger, learn=False)
    await found.begin()
    note(found, answer(2))
    assert found.judge(answer(2), Verdict(score=0.7, weight=1.0, source="feedback")) is None

    assert ledger.grades() == [grade(1, score=0.0)]
    assert found.pace("coder") is not None
    assert [one.features for one in ledger.answers()] == [Features()]
    assert found.lessons.expect(CODE, PRIORS) == Lessons().expect(CODE, PRIORS)


class _Broken(MemoryLedger):
    def grades(self, host: str | None = None, *, after: int = 0) -> list[Grade]:
        raise sqlite3.DatabaseError(host, after)


async def test_a_ledger_that_fails_teaches_nothing_and_hurts_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = answers(_Broken())
    await found.begin()
    await found.begin()
    note(found, answer(1))

    assert found.pace("coder") is not None
    assert len([one for one in caplog.records if one.levelno >= logging.ERROR]) == 1


async def test_any_number_may_begin_at_once(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    ledger.note_answer(answer(1))
    found = answers(ledger)
    many = [asyncio.create_task(found.begin()) for _ in range(5)]
    await asyncio.sleep(0)
    many[0].cancel()
    await asyncio.wait(many)

    assert found.pace("coder") is not None
    assert [one.cancelled() for one in many] == [True, False, False, False, False]
    ledger.close()


async def test_turns_are_forgotten_in_time() -> None:
    found = answers()
    note(found, answer(100), turn=b"turn")
    for number in range(3000):
        note(found, answer(10_000 + number), turn=str(number).encode())
    note(found, answer(110), turn=b"turn")

    assert "retry" not in [one[2] for one in told(found)]
