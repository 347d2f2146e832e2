"""The `Ledger` protocol: a memory of loads, decisions, answers and their grades."""

from typing import Final, NamedTuple, Protocol

from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.records import DecisionRecord

Record = LoadRecord | DecisionRecord | AnswerRecord | Grade
"""What can be remembered."""

MOST_LOADS: Final = 5_000
MOST_DECISIONS: Final = 10_000
MOST_ANSWERS: Final = 2_000
MOST_GRADES: Final = 5_000
"""What is kept; the oldest go first."""
LOADS_READ: Final = 1_000
"""Loads of one host that are given back at most."""


class Newest(NamedTuple):
    """How far grades have been written."""

    forgotten: int
    """How often grades have been taken out by hand."""
    number: int
    """Of the last one; 0 if there is none."""


class Ledger(Protocol):
    """Something that remembers. Every method may be called on an event loop, from any thread.

    None of them raises, whatever happens to the disk, and none waits for it to write.
    """

    @property
    def quick(self) -> bool:
        """Whether reading is done at once; else it is worth a thread."""

    def note_load(self, record: LoadRecord) -> None:
        """Remember a load, made or failed."""

    def loads(self, host: str) -> list[LoadRecord]:
        """List the latest loads of one host, oldest first."""

    def note_decision(self, record: DecisionRecord) -> None:
        """Remember a decision."""

    def decisions(self, last: int) -> list[DecisionRecord]:
        """List the latest decisions, oldest first, facts and outcomes as JSON values."""

    def note_answer(self, record: AnswerRecord) -> None:
        """Remember an answer, so that it can be judged later."""

    def answers(self, host: str | None = None) -> list[AnswerRecord]:
        """List the latest answers of one host, or of all, oldest first."""

    def answer(self, name: str) -> AnswerRecord | None:
        """Find an answer by its request or its run; `None` if it is not among those kept."""

    def note_grade(self, grade: Grade) -> None:
        """Remember a grade, instead of an earlier one of the same model for the same request."""

    def grades(self, host: str | None = None, *, after: int = 0) -> list[Grade]:
        """List the latest grades of one host, or of all, oldest first.

        Args:
            host: Whose.
            after: The `number` that `newest` told before: only what has come since, and what is not
                written yet.
        """

    def newest(self) -> Newest | None:
        """Tell how far grades have been written, by any process; `None` if that cannot be told."""

    def close(self) -> None:
        """Put away what is not yet; the ledger may be used again."""
