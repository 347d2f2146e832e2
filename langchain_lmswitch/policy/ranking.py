"""Which model should answer: a score for each card, with its reasons."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.policy.costs import MARGIN, Size, answer_s, pace_of, price, size_of
from langchain_lmswitch.policy.loadtimes import guessed_load_s
from langchain_lmswitch.policy.needs import lacking
from langchain_lmswitch.policy.prior import prior
from langchain_lmswitch.policy.runs import Runs
from langchain_lmswitch.policy.wishes import abilities, matches
from langchain_lmswitch.types.decisions import Candidate, Part
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.tasks import Hints, Task

_PREFERRED: Final = 0.15
_LAST_ANSWER: Final = 0.03
_SAME_TURN: Final = 1.0
_WARM: Final = 0.12
"""What a model that is loaded is worth for the easiest chat, beside the margin."""
_EASY: Final = 0.4
"""The difficulty below which a chat is easy."""

_WORDS: Final[tuple[tuple[Part, str], ...]] = (
    ("margin", "not loaded"),
    ("learnt", "learnt here"),
    ("curious", "more to learn of it"),
    ("preferred", "you prefer it"),
    ("last answer", "answered before"),
    ("same turn", "has this turn already"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What all candidates of one request are scored by."""

    task: Task
    size: Size
    resident: Collection[str]
    price: float
    warm: float
    runs: Runs
    run: float
    serves: str
    """How many requests that are, in words."""
    known_before: str
    """Key of the model that has the conversation so far."""


def rank(
    task: Task,
    cards: Sequence[ModelCard],
    *,
    resident: Collection[str],
    load_s: Mapping[str, float] | None = None,
    expected: Mapping[str, Expected] | None = None,
    paces: Mapping[str, Pace] | None = None,
    runs: Runs | None = None,
    curiosity: Mapping[str, float] | None = None,
) -> list[Candidate]:
    """Score every chat model for `task`, best first; who lacks a need comes last.

    The score is how often such a model is expected to be right, in points of 0 to 1, less what it
    costs to be answered by it:

    1. Its expected quality: see `prior` and `Lessons`.
    2. Seconds of the answer, `prompt tokens / prefill rate + answer tokens / decode rate`, each at
       the `price` that the caller's `quality` makes: 0.002 at 0.5, 0.2 at 0, none at 1.
    3. What is not loaded pays its load at the same price, shared by all requests that such a load
       is expected to serve.
    4. What is not loaded must be better by a margin of 3.5 points, whatever the price: expectations
       are wrong by chance. Whoever has been the best for the last requests as well is so by less
       chance, and needs half of it the second time, a third the third time, and so on. For an easy
       chat it is up to 12 points more: anybody can answer that.
    5. A model that the caller prefers gains 15.
    6. The model that gave the conversation's last answer gains 3. It comes first while its own
       tool calls are being answered, which another model would have to make sense of, and where
       the very same request is made again: one turn of the user is decided once.
    7. Models in memory may gain a little so that more is learnt of them.

    Ties are broken by key, so that equal inputs give equal choices.

    Args:
        task: The classified request.
        cards: The models there are.
        resident: Keys of those in memory.
        load_s: By key, the seconds that a load is expected to take; what is missing is guessed.
        expected: By key, how good each answer is expected to be; what is missing is the prior.
        paces: By key, how fast each is; what is missing is guessed: see `guessed_pace`.
        runs: How long models stay the best, and who is it now; see `Runs`.
        curiosity: By key, points for what would be learnt of a model in memory; not below 0.
    """
    hints = task.hints
    runs = runs or Runs()
    run = max(1.0, runs.expected)
    scene = _Scene(
        task=task,
        size=size_of(task),
        resident=resident,
        price=price(hints.quality),
        warm=_WARM * _ease(task),
        runs=runs,
        run=run,
        serves=f" for about {run:.0f} requests",
        known_before=hints.last_model if hints.last_model in resident else "",
    )
    load_s, expected = load_s or {}, expected or {}
    paces, curiosity = paces or {}, curiosity or {}
    candidates = [
        _candidate(
            card,
            scene,
            load_s=load_s.get(card.key, guessed_load_s(card.size_bytes)),
            expected=expected.get(card.key) or prior(card, task),
            pace=pace_of(card, paces.get(card.key)),
            curious=curiosity.get(card.key, 0.0),
        )
        for card in cards
        if card.kind == "llm"
    ]
    return sorted(
        candidates, key=lambda one: (bool(one.lacks), not pinned(one), -one.score, one.key)
    )


def points_of(seconds: float, *, quality: float) -> float:
    """Price seconds of waiting in points of the score, by the caller's `quality`."""
    return price(quality) * seconds


def pinned(candidate: Candidate) -> bool:
    """Tell whether a model has this turn of the user already."""
    return "same turn" in candidate.parts


def _ease(task: Task) -> float:
    """Tell how easy a chat is: 1 at most, 0 for anything else."""
    chat = task.features.kinds.get("chat", float(task.kind == "chat"))
    return chat * max(0.0, 1 - task.features.difficulty / _EASY)


def _candidate(
    card: ModelCard,
    scene: _Scene,
    *,
    load_s: float,
    expected: Expected,
    pace: Pace,
    curious: float,
) -> Candidate:
    task, loaded = scene.task, card.key in scene.resident
    takes_s = answer_s(scene.size, pace, known_prompt=card.key == scene.known_before)
    parts: dict[Part, float] = {"prior": expected.prior, "answer": 0.0 - scene.price * takes_s}  # 2
    if learnt := expected.learnt:
        parts["learnt"] = learnt  # 1
    if not loaded:
        parts["load"] = 0.0 - scene.price * load_s / scene.run  # 3
        parts["margin"] = -MARGIN / (1 + scene.runs.streak(card.key)) - scene.warm  # 4
    elif curious > 0:
        parts["curious"] = curious  # 7
    if task.hints.prefer or task.hints.last_model:
        parts |= _wishes(card, task.hints)  # 5, 6
    words = _words(parts, scene, takes_s=takes_s, load_s=load_s)
    return Candidate(
        key=card.key,
        score=round(sum(parts.values()), 6),
        reasons=(*expected.reasons, *words),
        parts=parts,
        answer_s=takes_s,
        load_s=0.0 if loaded else load_s,
        abilities=abilities(card),
        max_context_tokens=card.max_context_tokens,
        resident=loaded,
        lacks=lacking(card, task.needs, task.hints),
    )


def _wishes(card: ModelCard, hints: Hints) -> dict[Part, float]:
    parts: dict[Part, float] = {}
    if any(matches(card, wish) for wish in hints.prefer):  # 5
        parts["preferred"] = _PREFERRED
    if card.key == hints.last_model:  # 6
        if hints.in_tool_loop or hints.again:
            parts["same turn"] = _SAME_TURN
        else:
            parts["last answer"] = _LAST_ANSWER
    return parts


def _words(
    parts: Mapping[Part, float], scene: _Scene, *, takes_s: float, load_s: float
) -> list[str]:
    words = [f"{takes_s:.1f} s to answer {parts['answer']:+.3f}"] if parts["answer"] else []
    if parts.get("load"):
        words.append(f"{load_s:.1f} s to load{scene.serves} {parts['load']:+.3f}")
    return words + [f"{why} {parts[name]:+.3f}" for name, why in _WORDS if name in parts]
