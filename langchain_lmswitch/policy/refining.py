"""What a resident model adds to the classifier's word, where the rules are unsure."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal, get_args

from langchain_lmswitch.policy.eviction import Occupant
from langchain_lmswitch.policy.labels import kinds_of
from langchain_lmswitch.policy.parameters import billions_of
from langchain_lmswitch.policy.planning import ANSWERING
from langchain_lmswitch.policy.prior import params_billion
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.requests import PredictRequest
from langchain_lmswitch.types.tasks import Request, Task, TaskKind

Refiner = Literal["embedding", "chat"]
"""What kind of model is asked."""
Kinds = Mapping[TaskKind, float]
"""The probability of each task."""
Vector = Sequence[float]

SURE: Final = 0.6
"""Confidence of the rules from which on nobody else is asked."""
DEADLINE_S: Final[Mapping[Refiner, float]] = {"embedding": 0.15, "chat": 0.6}

_TASKS: Final[tuple[TaskKind, ...]] = get_args(TaskKind)
_SHARE: Final = 0.5
"""What its word counts for, beside that of the rules."""
_TEMPERATURE: Final = 0.05
"""Of cosines: one that is this much higher makes a task `e` times as probable."""
_TRUST: Final = 0.8
"""How probable the task is that a chat model names."""
_ABLE: Final = 1.5
_SMALL: Final = 4.0
"""Billions of parameters that a chat model must have to be asked, and may have: smaller ones guess
(measured: those of 0.1 and 0.5 have 1 of 16 right), larger ones answer too late."""
_READ_CHARS: Final = 600
"""Of each end of a text: a question should not take longer to read than to answer."""
_INSTRUCTION: Final = (
    "What does the following request want? Answer with one word of: " + ", ".join(_TASKS) + "."
)
_MOST_TOKENS: Final = 8


def unsure(task: Task) -> bool:
    """Tell whether somebody else should be asked."""
    return task.confidence < SURE


def whom(
    refiner: Refiner, occupants: Sequence[Occupant], cards: Sequence[ModelCard]
) -> Resident | None:
    """Say which resident model should be asked; `None` if there is none.

    1. It is of the kind that is wanted, and a chat model is neither too small nor too large.
    2. It is answering nobody, as far as is known here.
    3. The smallest of them is the quickest.
    """
    known = {card.key: card for card in cards}
    kind = "embedding" if refiner == "embedding" else "llm"
    able = [
        one.resident
        for one in occupants
        if one.resident.kind == kind  # 1
        and (refiner == "embedding" or _may_tell(known.get(one.resident.key)))
        and one.keep != ANSWERING  # 2
    ]
    return min(able, key=lambda one: (one.size_bytes, one.identifier), default=None)  # 3


def excerpt(request: Request) -> str:
    """Give what is asked about: both ends of the last user turn."""
    text = request.user_text
    if len(text) <= 2 * _READ_CHARS:
        return text
    return f"{text[:_READ_CHARS]}\n{text[-_READ_CHARS:]}"


def question(text: str) -> PredictRequest:
    """Write the question for a chat model, which can answer with the name of a task only."""
    return PredictRequest(
        messages=(_message("system", _INSTRUCTION), _message("user", text)),
        temperature=0.0,
        max_tokens=_MOST_TOKENS,
        json_schema={"type": "string", "enum": list(_TASKS)},
    )


def named(answer: str) -> Kinds | None:
    """Read a chat model's answer; `None` if it names no task."""
    word = re.search(rf"\b(?:{'|'.join(_TASKS)})\b", answer.lower())
    if word is None:
        return None
    rest = (1 - _TRUST) / (len(_TASKS) - 1)
    return {kind: _TRUST if kind == word.group() else rest for kind in _TASKS}


def center(vectors: Sequence[Vector]) -> list[float]:
    """Give the mean direction of some vectors, of unit length."""
    units = [_unit(one) for one in vectors]
    return _unit([math.fsum(parts) for parts in zip(*units, strict=True)])


def nearest(vector: Vector, centers: Mapping[TaskKind, Vector]) -> Kinds:
    """Tell how probable each task is by how near a text is to the center of its exemplars."""
    unit = _unit(vector)
    near = {
        kind: math.fsum(a * b for a, b in zip(unit, one, strict=True))
        for kind, one in centers.items()
    }
    best = max(near.values())
    odds = {kind: math.exp((cosine - best) / _TEMPERATURE) for kind, cosine in near.items()}
    total = math.fsum(odds.values())
    return {kind: share / total for kind, share in odds.items()}


def mixed(task: Task, told: Kinds, *, by: str) -> Task:
    """Add what a model said to what the rules say, half of each.

    Args:
        task: By the rules.
        told: The word of the model.
        by: Its key.
    """
    ruled = kinds_of(task)
    kinds = {kind: (1 - _SHARE) * ruled[kind] + _SHARE * told.get(kind, 0.0) for kind in _TASKS}
    kind = max(_TASKS, key=lambda one: kinds[one])  # the first of equals
    return replace(
        task,
        kind=kind,
        confidence=kinds[kind],
        evidence=f"{task.evidence}, and what {by} makes of it",
        features=replace(task.features, kinds=kinds),
    )


def _may_tell(card: ModelCard | None) -> bool:
    billions = None if card is None else billions_of(card.params) or params_billion(card)
    return billions is not None and _ABLE <= billions <= _SMALL


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _unit(vector: Vector) -> list[float]:
    length = math.hypot(*vector) or 1.0
    return [part / length for part in vector]
