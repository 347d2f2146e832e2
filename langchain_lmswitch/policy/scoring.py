"""The one way from a request and what is known of models to their scores. Pure and public.

The router, `lmswitch bench routing` and every grader score through it.
"""

from collections.abc import Collection, Mapping, Sequence

from langchain_lmswitch.policy.lessons import NO_LESSONS, Lessons
from langchain_lmswitch.policy.prior import prior
from langchain_lmswitch.policy.ranking import rank
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Task


def expect(task: Task, cards: Sequence[ModelCard], lessons: Lessons) -> dict[str, Expected]:
    """Tell how good each chat model's answer is expected to be, by key."""
    priors = {card.key: prior(card, task) for card in cards if card.kind == "llm"}
    return lessons.expect(task.features, priors)


def score(
    task: Task,
    cards: Sequence[ModelCard],
    *,
    lessons: Lessons = NO_LESSONS,
    resident: Collection[str] = (),
    load_s: Mapping[str, float] | None = None,
) -> list[Candidate]:
    """Score every chat model for a request, best first; see `rank`.

    Args:
        task: From `policy.classify.classify`; its hints hold the caller's `quality`.
        cards: The models there are.
        lessons: What was learnt from grades.
        resident: Keys of those in memory.
        load_s: By key, the seconds that a load is expected to take; what is missing is guessed.
    """
    expected = expect(task, cards, lessons)
    return rank(task, cards, resident=resident, load_s=load_s, expected=expected)
