"""Which model should answer: a score for each card, with its reasons."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from langchain_lmswitch.policy.loadtimes import guessed_load_s
from langchain_lmswitch.policy.parameters import billions_in, billions_of
from langchain_lmswitch.policy.wishes import abilities, matches, unmet
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Hints, Needs, Task, TaskKind

_BYTES_PER_PARAM: Final = 0.6
"""About 4.8 bits a weight, the K-quant most people load; only where no count is known."""

_SPECIALISTS: Final[Mapping[TaskKind, re.Pattern[str]]] = {
    "code": re.compile(r"cod(?:er|e)|devstral|starcoder|codestral|codegemma", re.IGNORECASE),
    "math": re.compile(r"math", re.IGNORECASE),
}
_BASE = re.compile(r"(?:^|[-_.])(?:base|pt)(?:[-_.]|$)", re.IGNORECASE)

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
) -> list[Candidate]:
    """Score every chat model for `task`, best first; who lacks a need comes last.

    The score is a prior of how often such a model is right, in points of 0 to 1, less what
    switching to it costs:

    1. Size: each doubling of the parameters is worth 8 points.
    2. A specialist of the task gains 8 points, one of another task loses 12.
    3. A base model, not trained to answer, loses 20; fewer than 4 bits a weight loses 5.
    4. With tools, a model trained for them gains 20.
    5. What is not loaded pays for its load, and a margin of 3 points.
    6. The caller's `quality` shifts between the two: at 1 size counts double and a switch costs
       nothing, at 0 size counts nothing and a switch double.
    7. A model that the caller prefers gains 15.
    8. The model that gave the conversation's last answer gains 3; while its own tool calls are
       being answered it gains 100, since another model would have to make sense of them.

    Ties are broken by key, so that equal inputs give equal choices.

    Args:
        task: The classified request.
        cards: The models there are.
        resident: Keys of those in memory.
        load_s: By key, the seconds that a load is expected to take; what is missing is guessed.
    """
    seconds = load_s or {}
    candidates = [
        _candidate(
            card, task, resident, load_s=seconds.get(card.key, guessed_load_s(card.size_bytes))
        )
        for card in cards
        if card.kind == "llm"
    ]
    return sorted(candidates, key=lambda one: (bool(one.lacks), -one.score, one.key))


def params_billion(card: ModelCard) -> float | None:
    """Billions of parameters: from the host's label, else the name, else the size; or `None`."""
    told = (
        billions_of(card.params) or billions_in(card.display_name) or billions_in(card.key) or None
    )
    if told is not None:
        return told
    return card.size_bytes / _BYTES_PER_PARAM / 1e9 if card.size_bytes else None


def points_of(seconds: float, *, quality: float) -> float:
    """Price seconds of waiting in points of the score: 0.002 each, by the caller's `quality`."""
    return _SCORE_PER_SECOND * seconds * 2 * (1 - quality)


def lacking(card: ModelCard, needs: Needs, hints: Hints) -> tuple[str, ...]:
    """Name the hard needs, and the caller's requirements, that a model does not meet."""
    lacks = list(unmet(card, hints.require))
    if needs.vision and not card.vision:
        lacks.append("cannot see images")
    if card.max_context_tokens and needs.context_tokens > card.max_context_tokens:
        lacks.append(f"trained for {card.max_context_tokens} tokens of context only")
    return tuple(lacks)


def _candidate(
    card: ModelCard, task: Task, resident: Collection[str], *, load_s: float
) -> Candidate:
    hints = task.hints
    parts = [
        *_prior(card, task),
        *_switching(card, resident, quality=hints.quality, load_s=load_s),
        *_wishes(card, hints),
    ]
    return Candidate(
        key=card.key,
        score=round(sum(points for points, _ in parts), 4),
        reasons=tuple(f"{why} {points:+.3f}" for points, why in parts if points),
        abilities=abilities(card),
        max_context_tokens=card.max_context_tokens,
        resident=card.key in resident,
        lacks=lacking(card, task.needs, hints),
    )


def _prior(card: ModelCard, task: Task) -> list[tuple[float, str]]:
    billions = params_billion(card)
    label = f"{card.params or _label(billions)} parameters"
    doublings = math.log2(max(billions or 1.0, 0.01))
    size = 0.5 + 0.08 * doublings * 2 * task.hints.quality  # 1, 6
    parts = [(size, label)]
    for kind, pattern in _SPECIALISTS.items():  # 2
        if pattern.search(card.key):
            parts.append((0.08, f"{kind} model") if kind == task.kind else (-0.12, f"{kind} model"))
    if _BASE.search(card.key):  # 3
        parts.append((-0.2, "base model"))
    if re.match(r"I?Q[123]", card.quantization, re.IGNORECASE):
        parts.append((-0.05, card.quantization))
    if task.needs.tools and card.tool_use:  # 4
        parts.append((0.2, "trained to call tools"))
    return parts


def _label(billions: float | None) -> str:
    if billions is None:
        return "unknown"
    return f"{billions:.2g}B" if billions >= 1 else f"{billions * 1000:.0f}M"


def _switching(
    card: ModelCard, resident: Collection[str], *, quality: float, load_s: float
) -> list[tuple[float, str]]:
    if card.key in resident:
        return [(0.0, "loaded")]
    cost = points_of(load_s, quality=quality) + _MARGIN * 2 * (1 - quality)
    return [(-cost, "not loaded")]  # 5, 6


def _wishes(card: ModelCard, hints: Hints) -> list[tuple[float, str]]:
    parts = []
    if any(matches(card, wish) for wish in hints.prefer):  # 7
        parts.append((0.15, "you prefer it"))
    if card.key == hints.last_model:  # 8
        parts.append((1.0, "its tool calls") if hints.in_tool_loop else (0.03, "answered before"))
    return parts
