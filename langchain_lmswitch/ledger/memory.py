"""A ledger that ends with its process."""

from collections import deque
from collections.abc import Iterable
from typing import Final, assert_never

from langchain_lmswitch.ledger.base import MOST_ANSWERS, MOST_GRADES, MOST_LOADS, Newest, Record
from langchain_lmswitch.ledger.picking import answer_in, answers_of, as_read, grades_of, loads_of
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.records import DecisionRecord

DECISIONS_IN_MEMORY: Final = 200
"""What is kept where there is no disk: each holds on to all that it was decided from."""


class MemoryLedger:
    """Remembers nothing but what this process has noted; for hosts that a caller made."""

    quick: Final = True

    def __init__(self) -> None:
        self._loads: deque[LoadRecord] = deque(maxlen=MOST_LOADS)
        self._decisions: deque[DecisionRecord] = deque(maxlen=DECISIONS_IN_MEMORY)
        self._answers: deque[AnswerRecord] = deque(maxlen=MOST_ANSWERS)
        self._grades: deque[Grade] = deque(maxlen=MOST_GRADES)

    def note_load(self, record: LoadRecord) -> None:
        """Remember a load, made or failed."""
        self._loads.append(record)

    def loads(self, host: str) -> list[LoadRecord]:
        """List the latest loads of one host, oldest first."""
        return loads_of(host, tuple(self._loads))

    def note_decision(self, record: DecisionRecord) -> None:
        """Remember a decision."""
        self._decisions.append(record)

    def decisions(self, last: int) -> list[DecisionRecord]:
        """List the latest decisions, oldest first, facts and outcomes as JSON values."""
        return as_read(tuple(self._decisions), last)

    def note_answer(self, record: AnswerRecord) -> None:
        """Remember an answer, so that it can be judged later."""
        self._answers.append(record)

    def answers(self, host: str | None = None) -> list[AnswerRecord]:
        """List the latest answers of one host, or of all, oldest first."""
        return answers_of(host, tuple(self._answers))

    def answer(self, name: str) -> AnswerRecord | None:
        """Find an answer by its request or its run; `None` if it is not among those kept."""
        return answer_in(tuple(self._answers), name)

    def note_grade(self, grade: Grade) -> None:
        """Remember a grade, instead of an earlier one of the same model for the same request."""
        self._grades.append(grade)

    def grades(self, host: str | None = None, *, after: int = 0) -> list[Grade]:
        """List the latest grades of one host, or of all, oldest first; see `Ledger`."""
        return grades_of(host, tuple(self._grades)[after:])

    def newest(self) -> Newest | None:
        """Nobody else can note anything here."""
        return None

    def close(self) -> None:
        """There is nothing to put away."""

    def note(self, records: Iterable[Record]) -> None:
        """Remember records of any kind."""
        for one in records:
            match one:
                case LoadRecord():
                    self.note_load(one)
                case DecisionRecord():
                    self.note_decision(one)
                case AnswerRecord():
                    self.note_answer(one)
                case Grade():
                    self.note_grade(one)
                case _:
                    assert_never(one)

    def noted(self) -> list[Record]:
        """List all that is remembered; each kind in its order."""
        return [*self._loads, *self._decisions, *self._answers, *self._grades]
