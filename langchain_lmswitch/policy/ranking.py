"""Which model should answer: a score for each card, with its reasons."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from langchain_lmswitch.policy.loadtimes import guessed_load_s
from langchain_lmswitch.policy.needs import lacking
from langchain_lmswitch.policy.prior import prior
from langchain_lmswitch.policy.wishes import abilities, matches
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Hints, Task

_SCORE_PER_SECOND: Final = 0.002
_MARGIN: Final = 0.03
"""What a switch costs: 0.002 of a score for each second of the load, and three points for what is
not loaded."""


def rank(
    task: Task,
    cards: Sequence[ModelCard],
    *,
    resident: Collection[str],
    load_s: Mapping[str, float] | None = None,
    expected: Mapping[str, Expected] | None = None,
) -> list[Candidate]:
    """Score every chat model for `task`, best first; who lacks a need comes last.

    The score is how often such a model is expected to be right, in points of 0 to 1, less what
    switching to it costs:

    1. Its expected quality: see `prior` and `Lessons`.
    2. What is not loaded pays for its load, and a margin of 3 points.
    3. The caller's `quality` prices both: at 1 a switch costs nothing, at 0 double.
    4. A model that the caller prefers gains 15.
    5. The model that gave the conversation's last answer gains 3; while its own tool calls are
       being answered it gains 100, since another model would have to make sense of them.

    Ties are broken by key, so that equal inputs give equal choices.

    Args:
        task: The classified request.
        cards: The models there are.
        resident: Keys of those in memory.
        load_s: By key, the seconds that a load is expected to take; what is missing is guessed.
        expected: By key, how good each answer is expected to be; what is missing is the prior.
    """
    seconds = load_s or {}
    candidates = [
        _candidate(
            card,
            task,
            resident,
            load_s=seconds.get(card.key, guessed_load_s(card.size_bytes)),
            expected=(expected or {}).get(card.key) or prior(card, task),
        )
        for card in cards
        if card.kind == "llm"
    ]
    return sorted(candidates, key=lambda one: (bool(one.lacks), -one.score, one.key))


def points_of(seconds: float, *, quality: float) -> float:
    """Price seconds of waiting in points of the score: 0.002 each, by the caller's `quality`."""
    return _SCORE_PER_SECOND * seconds * 2 * (1 - quality)


def _candidate(
    card: ModelCard,
    task: Task,
    resident: Collection[str],
    *,
    load_s: float,
    expected: Expected,
) -> Candidate:
    hints = task.hints
    parts = [
        *_learnt(expected),
        *_switching(card, resident, quality=hints.quality, load_s=load_s),
        *_wishes(card, hints),
    ]
    return Candidate(
        key=card.key,
        score=round(expected.prior + sum(points for points, _ in parts), 4),
        reasons=(
            *expected.reasons,
            *(f"{why} {points:+.3f}" for points, why in parts if points),
        ),
        abilities=abilities(card),
        max_context_tokens=card.max_context_tokens,
        resident=card.key in resident,
        lacks=lacking(card, task.needs, hints),
    )


def _learnt(expected: Expected) -> list[tuple[float, str]]:
    return [(expected.learnt, "learnt here")]  # 1


def _switching(
    card: ModelCard, resident: Collection[str], *, quality: float, load_s: float
) -> list[tuple[float, str]]:
    if card.key in resident:
        return [(0.0, "loaded")]
    cost = points_of(load_s, quality=quality) + _MARGIN * 2 * (1 - quality)
    return [(-cost, "not loaded")]  # 2, 3


def _wishes(card: ModelCard, hints: Hints) -> list[tuple[float, str]]:
    parts = []
    if any(matches(card, wish) for wish in hints.prefer):  # 4
        parts.append((0.15, "you prefer it"))
    if card.key == hints.last_model:  # 5
        parts.append((1.0, "its tool calls") if hints.in_tool_loop else (0.03, "answered before"))
    return parts
