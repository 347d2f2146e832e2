"""Grades and answers read back: what was damaged, or made up, must not teach anything."""

from collections.abc import Iterable
from functools import cache
from typing import Final, TypeVar

from pydantic import TypeAdapter

from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.tasks import Features

T = TypeVar("T")

MOST_WEIGHT: Final = 10.0
"""No grade counts for more than so many words of the caller's."""
_MOST_NAME: Final = 1024
_MOST_NUMBERS: Final = 4096
_MOST_SIGN: Final = 1e3
_MOST_PART: Final = 127
_MOST_AT_S: Final = 1e11
_MOST: Final = 1e12


def sound_grade(text: str) -> Grade:
    """Read a grade from its JSON.

    Raises:
        ValueError: It has a wrong type, or a number that cannot be.
    """
    grade = _read(_grades(), text)
    _need(0 <= grade.score <= 1, "the score is not from 0 to 1")
    _need(0 < grade.weight <= MOST_WEIGHT, f"the weight is not above 0, up to {MOST_WEIGHT:g}")
    _check(grade.at_s, grade.features, (grade.key, grade.request, grade.host))
    return grade


def sound_answer(text: str) -> AnswerRecord:
    """Read an answer from its JSON.

    Raises:
        ValueError: As above.
    """
    answer = _read(_answers(), text)
    names = (answer.key, answer.request, answer.host, answer.run, answer.turn)
    _check(answer.at_s, answer.features, names)
    numbers = (
        answer.prompt_tokens,
        answer.answer_tokens,
        answer.first_token_s,
        answer.tokens_per_second,
    )
    _need(
        all(0 <= one <= _MOST for one in numbers if one is not None),
        "a number is out of all bounds",
    )
    return answer


def _read(adapter: TypeAdapter[T], text: str) -> T:
    try:
        return adapter.validate_json(text, strict=True)
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _check(at_s: float, features: Features, names: Iterable[str]) -> None:
    key, *others = names
    _need(bool(key), "no model is named")
    _need(all(len(one) <= _MOST_NAME for one in (key, *others)), "a name is too long")
    _need(0 <= at_s <= _MOST_AT_S, "the time cannot be")
    _need(all(0 <= one <= 1 for one in features.kinds.values()), "a task is no probability")
    _need(0 <= features.difficulty <= 1, "the difficulty is not from 0 to 1")
    _need(len(features.signs) <= _MOST_NUMBERS, "there are too many signs")
    _need(all(abs(one) <= _MOST_SIGN for one in features.signs), "a sign is out of bounds")
    _need(len(features.vector) <= _MOST_NUMBERS, "the vector is too long")
    longest = max(map(abs, features.vector), default=0)
    _need(longest <= _MOST_PART, "the vector is out of bounds")


def _need(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - a condition, and what to say
    """Demand it; no comparison holds of what is not a number."""
    if not holds:
        raise ValueError(otherwise)


@cache
def _grades() -> TypeAdapter[Grade]:
    return TypeAdapter(Grade)  # it takes a while to make


@cache
def _answers() -> TypeAdapter[AnswerRecord]:
    return TypeAdapter(AnswerRecord)
