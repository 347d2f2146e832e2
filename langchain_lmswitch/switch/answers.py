"""What the answers of one host teach: how good its models are, and how fast."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from langchain_lmswitch.ledger.base import Ledger, Newest
from langchain_lmswitch.policy.grading import (
    Asked,
    Verdict,
    again,
    answered_before,
    grade_of,
    outweighs,
)
from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.policy.paces import Paces
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.tasks import Features

log: logging.Logger = logging.getLogger(__name__)

NEWS_S: Final = 30.0
"""How long what other processes note may go unheard."""
_NOTHING: Final = Newest(forgotten=0, number=0)
_MOST: Final = 2_048
"""Answers, and turns of conversations, that are looked up without the ledger."""


class Answers:
    """Remembers answers, grades them, and learns from the grades; lives on the portal's loop.

    Args:
        ledger: Where they are remembered.
        name: Of the host, in the ledger.
        learn: Whether answers are graded at all.
        wall_clock: Unix time in seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        name: str,
        *,
        learn: bool = True,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.ledger = ledger
        self.lessons: Lessons = Lessons()
        self._learn = learn
        self._wall_clock = wall_clock
        self._paces = Paces()
        self._reading: asyncio.Task[None] | None = None
        self._begun = False
        self._read_at_s = 0.0
        self._newest = _NOTHING
        self._latest: OrderedDict[str, AnswerRecord] = OrderedDict()
        self._grades: OrderedDict[tuple[str, str], Grade] = OrderedDict()
        self._turns: OrderedDict[bytes, tuple[Asked, ...]] = OrderedDict()

    async def begin(self) -> None:
        """Read what is remembered; once, however many ask.

        Later, what other processes have noted is read now and then, and nobody waits for that.
        """
        if self.ledger.quick:
            if not self._begun:
                self._try(self._begin)()
            self._begun = True
        elif self._reading is None or self._stale():
            self._reading = asyncio.create_task(self._read())
        if not self._begun and self._reading is not None:
            await asyncio.shield(self._reading)  # who is cancelled does not end it for the others

    def now_s(self) -> float:
        """Give the Unix time in seconds."""
        return self._wall_clock()

    def pace(self, key: str) -> Pace | None:
        """Tell how fast a model has been lately; `None` if it has not answered yet."""
        return self._paces.of(key)

    def known(self, name: str) -> AnswerRecord | None:
        """Find one of the latest answers by its request or its run."""
        return self._latest.get(name)

    def note(
        self,
        answer: AnswerRecord,
        verdict: Verdict | None,
        *,
        turn: bytes,
        named: bool,
        begun_s: float,
    ) -> None:
        """Remember an answer, and grade it; and the one before it, if it was asked for again.

        Args:
            answer: What is known of it.
            verdict: What its form tells; `None` if nothing.
            turn: Tells what was asked from all else; meaningless outside of this process.
            named: Whether the caller named the model.
            begun_s: When it was asked, as Unix time.
        """
        answer = self._in_its_turn(answer, turn, named=named, begun_s=begun_s)
        if not self._learn:
            answer, verdict = replace(answer, features=Features()), None
        self._paces.note(answer)
        self._look_up(answer)
        self.ledger.note_answer(answer)
        if verdict is not None:
            self.judge(answer, verdict)

    def judge(self, answer: AnswerRecord, verdict: Verdict) -> Grade | None:
        """Grade an answer, if that outweighs what was known of it, and learn from the grade."""
        grade = grade_of(answer, verdict, at_s=self._wall_clock())
        known = self._grades.get((grade.request, grade.key))
        if not self._learn or not outweighs(grade, known):
            return None
        self.ledger.note_grade(grade)
        self.learn(grade)
        return grade

    def learn(self, grade: Grade) -> None:
        """Learn from a grade that the ledger knows already."""
        _keep(self._grades, (grade.request, grade.key), grade)
        try:
            self.lessons.learn(grade)
        except Exception:  # what is learnt is a help, and no reason to fail
            log.exception("A grade taught nothing")

    def _in_its_turn(
        self, answer: AnswerRecord, turn: bytes, *, named: bool, begun_s: float
    ) -> AnswerRecord:
        """Judge the answer before by being asked again, and name what both are answers to.

        One model's second answer has a name of its own, or it would replace the first one's grade.
        """
        before = self._turns.get(turn, ())
        if before and (poor := again(before[-1], key=answer.key, named=named, begun_s=begun_s)):
            self.judge(before[-1].answer, poor)
        first = before[0].answer.request if before else answer.request
        own = answered_before(before, answer.key)
        answer = replace(answer, turn=answer.request if own else first)
        _keep(self._turns, turn, (*before, Asked(answer=answer, named=named)))
        return answer

    def _look_up(self, answer: AnswerRecord) -> None:
        for name in filter(None, (answer.request, answer.run)):
            _keep(self._latest, name, answer)

    def _stale(self) -> bool:
        done = self._reading is not None and self._reading.done()
        return done and self._wall_clock() - self._read_at_s >= NEWS_S

    async def _read(self) -> None:
        """Read in a thread, and put what was read to use on the loop."""
        self._read_at_s = self._wall_clock()
        work = self._catch_up if self._begun else self._begin
        use = await asyncio.to_thread(self._try, work)
        use()
        self._begun = True

    @staticmethod
    def _try(work: Callable[[], Callable[[], None]]) -> Callable[[], None]:
        try:
            return work()
        except Exception:  # what is learnt is a help, and no reason to fail
            log.exception("What was learnt before could not be read")
            return lambda: None

    def _begin(self) -> Callable[[], None]:
        newest = self.ledger.newest() or _NOTHING  # first: what comes meanwhile is read again later
        answers = self.ledger.answers(self.name)
        grades = self.ledger.grades(self.name) if self._learn else []
        paces, lessons = Paces(answers), Lessons(grades)

        def use() -> None:
            self._paces = paces
            self._start_from(lessons, grades, newest)

        return use

    def _catch_up(self) -> Callable[[], None]:
        """Read what other processes have noted; all anew, if some of it was taken out.

        What this one has noted is among it: the same grade again changes nothing.
        """
        newest = self.ledger.newest()
        if newest is None or newest == self._newest or not self._learn:
            return lambda: None
        if newest.forgotten != self._newest.forgotten:
            grades = self.ledger.grades(self.name)
            return partial(self._start_from, Lessons(grades), grades, newest)
        more = self.ledger.grades(self.name, after=self._newest.number)

        def use() -> None:
            self._newest = newest
            for grade in more:
                if grade != self._grades.get((grade.request, grade.key)):
                    self.learn(grade)

        return use

    def _start_from(self, lessons: Lessons, grades: Sequence[Grade], newest: Newest) -> None:
        self.lessons, self._newest = lessons, newest
        self._grades.clear()
        for grade in grades[-_MOST:]:
            _keep(self._grades, (grade.request, grade.key), grade)


def _keep(kept: OrderedDict, name: object, value: object) -> None:  # type: ignore[type-arg]
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > _MOST:
        kept.popitem(last=False)
