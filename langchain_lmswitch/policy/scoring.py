"""The one way from a request and what is known of models to their scores. Pure and public.

It has two steps, `expect` and `rank`. `score` takes both at once, for `lmswitch bench routing` and
any grader. The router takes them one after the other: what is expected goes into the facts of a
choice between them, so that the choice can be replayed without the lessons.
"""

from collections.abc import Collection, Mapping, Sequence

from langchain_lmswitch.policy.lessons import NO_LESSONS, Lessons
from langchain_lmswitch.policy.prior import prior
from langchain_lmswitch.policy.ranking import rank
from langchain_lmswitch.policy.runs import Runs
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.paces import Pace
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
    paces: Mapping[str, Pace] | None = None,
    runs: Runs | None = None,
    curiosity: Mapping[str, float] | None = None,
) -> list[Candidate]:
    """Score every chat model for a request, best first; see `rank`.

    Args:
        task: From `policy.classify.classify`; its hints hold the caller's `quality`: 0 is the
            fastest answer, 1 the best. What a second costs is spread evenly by its logarithm, so
            even steps of `quality` are good ones to draw a curve of quality against cost.
        cards: The models there are.
        lessons: What was learnt from grades.
        resident: Keys of those in memory. To compare models whatever is loaded, name them all.
        load_s: By key, the seconds that a load is expected to take; what is missing is guessed.
        paces: By key, how fast each is; what is missing is guessed from the active parameters.
        runs: How long models stay the best, and who is it now; see `Runs`.
        curiosity: By key, points for what would be learnt of a model in memory.
    """
    return rank(
        task,
        cards,
        resident=resident,
        load_s=load_s,
        expected=expect(task, cards, lessons),
        paces=paces,
        runs=runs,
        curiosity=curiosity,
    )
