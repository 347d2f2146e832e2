"""The product's own choice as a function of prompts, models and a knob: what graders call."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np
from langchain_core.messages import HumanMessage

from langchain_lmswitch.messages.asking import facts
from langchain_lmswitch.policy.classify import classify
from langchain_lmswitch.policy.lessons import NO_LESSONS, Lessons
from langchain_lmswitch.policy.ranking import rank
from langchain_lmswitch.policy.scoring import expect
from langchain_lmswitch.testing.bench.routing.marks import Utilities
from langchain_lmswitch.testing.bench.routing.tables import Table
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Hints, Task

_TIE: Final = 1e-9
"""Far below the last digit of a score: keeps the product's order among equals."""


class Router:
    """Chooses as the product does while every model is loaded.

    Args:
        cards: The models there are.
        lessons: What was learnt from grades.

    Example:
        >>> from langchain_lmswitch.testing import card
        >>> router = Router([card("big", params="70B"), card("small", params="3B")])
        >>> router.route(["What is two and two?"], ["small", "big"], 0.0).argmax(axis=1)
        array([1])
    """

    def __init__(self, cards: Iterable[ModelCard], lessons: Lessons = NO_LESSONS) -> None:
        self._cards = {card.key: card for card in cards}
        self._lessons = lessons

    def route(self, prompts: Sequence[str], models: Sequence[str], knob: float) -> Utilities:
        """Score models for prompts; the highest is chosen.

        Args:
            prompts: What users ask.
            models: Keys of the models to choose from.
            knob: 0 is quality alone, 1 the quickest: the other end of `Hints.quality`.
        """
        [utilities] = self.curve(prompts, models, [knob])
        return utilities

    def curve(
        self, prompts: Sequence[str], models: Sequence[str], knobs: Sequence[float]
    ) -> list[Utilities]:
        """Do the same for several settings of the knob: one array for each."""
        utilities = np.empty((len(knobs), len(prompts), len(models)))
        cards = [self._cards[key] for key in models]
        for row, prompt in enumerate(prompts):
            task = task_of(prompt)
            expected = expect(task, cards, self._lessons)
            for at, knob in enumerate(knobs):
                asked = replace(task, hints=Hints(quality=1 - knob))
                ranked = rank(asked, cards, resident=models, expected=expected)
                utilities[at, row] = _utilities(ranked, models)
        return list(utilities)


def read(prompt: str) -> Task:
    """Classify a prompt as the product does, where quality alone counts."""
    return classify(facts([HumanMessage(prompt)], {"quality": 1.0}))


task_of: Callable[[str], Task] = cache(read)
"""The same, and each prompt is read once."""


def lessons_of(table: Table, rows: Iterable[int] | None = None) -> Lessons:
    """Learn from a table's judged answers, prompt by prompt."""
    lessons = Lessons()
    for row in range(len(table)) if rows is None else rows:
        for grade in grades_of(table, row):
            lessons.learn(grade)
    return lessons


def grades_of(table: Table, row: int, *, name: str = "") -> list[Grade]:
    """Write what the models' answers to one prompt were worth as a caller's grades.

    Args:
        table: Holds the answers.
        row: Of the prompt.
        name: Of the request; that of the row if there is none.
    """
    features = task_of(table.prompts[row]).features
    request = name or str(row)
    return [
        Grade(at_s=float(row), key=key, features=features, score=float(score), request=request)
        for key, score in zip(table.models, table.scores[row], strict=True)
        if not np.isnan(score)
    ]


def _utilities(ranked: Sequence[Candidate], models: Sequence[str]) -> list[float]:
    scores: Mapping[str, float] = {
        one.key: one.score - _TIE * place for place, one in enumerate(ranked)
    }
    return [scores[key] for key in models]
