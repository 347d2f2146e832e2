"""How fast models are, from the answers they gave. Pure."""

from collections import deque
from collections.abc import Iterable
from statistics import fmean, median
from typing import Final

from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.paces import Pace

LATEST: Final = 32
"""Answers of a model that count: a machine that is busy today says little of next week."""


class Paces:
    """The latest answers of each model.

    Args:
        answers: Oldest first.
    """

    def __init__(self, answers: Iterable[AnswerRecord] = ()) -> None:
        self._latest: dict[str, deque[AnswerRecord]] = {}
        for one in answers:
            self.note(one)

    def note(self, answer: AnswerRecord) -> None:
        """Add an answer."""
        self._latest.setdefault(answer.key, deque(maxlen=LATEST)).append(answer)

    def of(self, key: str) -> Pace | None:
        """Give the pace of a model; `None` if it has not answered yet.

        1. Tokens per second and the time to the first token are medians: a wait for another
           request must not look like a slow model.
        2. Prompts are read at the rate of all of them together: of a short one most is not reading.
        """
        latest = self._latest.get(key)
        if not latest:
            return None
        return Pace(
            answers=len(latest),
            read_tokens_per_second=_reading(latest),  # 2
            tokens_per_second=_middle(one.tokens_per_second for one in latest),  # 1
            first_token_s=_middle(one.first_token_s for one in latest),
            answer_tokens=_mean(one.answer_tokens for one in latest),
        )


def _middle(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(median(known), 4) if known else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(fmean(known), 1) if known else None


def _reading(answers: Iterable[AnswerRecord]) -> float | None:
    told = [
        (one.prompt_tokens, one.first_token_s)
        for one in answers
        if one.prompt_tokens and one.first_token_s
    ]
    waited_s = sum(seconds for _, seconds in told)
    return round(sum(tokens for tokens, _ in told) / waited_s, 2) if waited_s else None
