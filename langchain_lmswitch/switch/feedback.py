"""The caller's word on an answer that this process, or another one, gave."""

import asyncio
from collections.abc import Sequence

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.ledger.base import MOST_ANSWERS, Ledger
from langchain_lmswitch.policy.grading import Verdict
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.answers import Answers
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.types.answers import AnswerRecord


class Feedback:
    """Finds the answer that is judged; no host is looked for. Lives on the portal's loop.

    Args:
        settings: They tell where answers are remembered.
        ledger: Where else, if the caller has a ledger.
    """

    def __init__(self, settings: Settings, ledger: Ledger | None) -> None:
        self._settings = settings
        self._ledger = ledger

    async def give(self, names: Sequence[str], score: float) -> None:
        """Grade an answer by the caller's word; the last word counts.

        Raises:
            InvalidRequest: No such answer is remembered.
        """
        if not self._settings.learn:
            return
        await self.judge(names, Verdict(score=score, weight=1.0, source="feedback"))

    async def judge(self, names: Sequence[str], verdict: Verdict) -> None:
        """Grade an answer, and teach all that learn from the same ledger.

        Raises:
            InvalidRequest: No such answer is remembered.
        """
        answer, ledger = await self._found(names)
        learners = [one for one in _learners() if _learns(one, answer, ledger)]
        for one in learners:
            await one.begin()
        first, *others = learners or [Answers(ledger, answer.host)]
        if grade := first.judge(answer, verdict):
            for one in others:
                one.learn(grade)

    async def _found(self, names: Sequence[str]) -> tuple[AnswerRecord, Ledger]:
        """Look for an answer: in memory, then in each ledger."""
        for name in names:
            for one in _learners():
                if answer := one.known(name):
                    return answer, one.ledger
        for ledger in self._ledgers():
            for name in names:
                if answer := await _looked_up(ledger, name):
                    return answer, ledger
        raise self._unknown(names)

    def _ledgers(self) -> list[Ledger]:
        own = self._ledger or (boards().ledger(self._settings) if self._settings.remember else None)
        found = [*([own] if own else ()), *(one.ledger for one in _learners())]
        return list({id(one): one for one in found}.values())

    def _unknown(self, names: Sequence[str]) -> InvalidRequest:
        kept = (
            f"the last {MOST_ANSWERS:,} are, in {self._settings.ledger_path}"
            if self._settings.remember
            else "only those of this process are, since `remember` is off in your settings"
        )
        return InvalidRequest(
            f"No answer is remembered as {' or '.join(names)}; {kept}. Give the message itself or "
            "its run id, before others have taken its place."
        )


def _learners() -> list[Answers]:
    return [board.surveyor.learning.answers for board in boards().all()]


def _learns(one: Answers, answer: AnswerRecord, ledger: Ledger) -> bool:
    return one.ledger is ledger and one.name == answer.host


async def _looked_up(ledger: Ledger, name: str) -> AnswerRecord | None:
    if ledger.quick:
        return ledger.answer(name)
    return await asyncio.to_thread(ledger.answer, name)
