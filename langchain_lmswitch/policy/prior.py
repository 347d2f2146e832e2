"""How good a model is expected to be before it was ever asked, from what is known of it."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from operator import mul, sub
from typing import Final

from langchain_lmswitch.policy.ability import KINDS, KNOWN_FOR_TOOLS, Part, ability
from langchain_lmswitch.policy.families import UNKNOWN
from langchain_lmswitch.policy.pedigree import params_billion, pedigree
from langchain_lmswitch.policy.published import published
from langchain_lmswitch.policy.roles import Mix, said
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Task, TaskKind

__all__ = ["params_billion", "prior"]

CEILING: Final = 0.92
"""What the best are expected to get right; what a user declares may be above it."""
_PER_DIFFICULTY: Final = 2.5
"""Logits between a trivial request and one as hard as they come."""
_TOOLS_SHARE: Final = 0.75
"""Where there are tools, calling them right is most of the task, whatever it is about."""
_TRAINED: Final = 2.0
"""Logits: a model of 1B that was trained to call tools beats one of 10B that was not (BFCL)."""
_GRAMMAR: Final = Part("tool calls held to a grammar", {"tools": 0.5})
_FOREIGN: Final[Mapping[str, Part]] = {
    "english": Part(
        "knows English only", dict.fromkeys(KINDS, -1.0) | {"code": -0.5, "math": -0.6}
    ),
    "few": Part("weaker in other languages", dict.fromkeys(KINDS, -0.35) | {"code": -0.15}),
}
_SPREAD: Final = 0.12
_SPREAD_UNHEARD_OF: Final = 0.2
"""How far priors are from what a model then does, about; of a known family, and of none."""

_UNLIKELY: Final = 0.02
"""Tasks that a request is less likely to be are left out: they cost time and change nothing."""


@dataclass(frozen=True, slots=True)
class _Profile:
    """What a card says of a model, worked out once."""

    whys: tuple[str, ...]
    """Of each part of its ability."""
    odds: Mapping[TaskKind, tuple[float, ...]]
    """By task, after each of the parts: wrong answers to one that is right."""
    spread: float


def prior(card: ModelCard, task: Task) -> Expected:
    """Tell how often a model is right in such requests, 0 to 1.

    1. Its ability at each task: see `ability`.
    2. Where accuracies of it are published, they put that right: see `published`.
    3. With tools, calling them is most of the task; a model trained for it gains most.
    4. In another language than English, those that were hardly taught any lose.
    5. What it gets right of each task, at this difficulty, is mixed as likely as the task is.
    6. What the user says replaces that, for the tasks that it is said of: see `said`.

    Each reason ends with the points that it brings; together they are the quality.
    """
    mix = _mix(task)
    foreign = task.needs.language not in {"", "en"}
    profile = _profile(card, tools=task.needs.tools, foreign=foreign)  # 1, 2, 3, 4
    hard = math.exp(_PER_DIFFICULTY * (task.features.difficulty - 0.5))
    shares = [[CEILING / (1 + hard * odds) for odds in profile.odds[kind]] for kind in mix]
    steps = [_mean(mix, step) for step in zip(*shares, strict=True)]  # 5
    whys = profile.whys
    if task.hints.roles:  # 6
        last = [one[-1] for one in shares]
        steps.append(said(card, task.kind, mix, last, task.hints.roles))
        whys = (*whys, "you say so")
    return Expected(
        quality=steps[-1], prior=steps[-1], spread=profile.spread, reasons=_reasons(whys, steps)
    )


@lru_cache(maxsize=2048)
def _profile(card: ModelCard, *, tools: bool, foreign: bool) -> _Profile:
    known = pedigree(card)
    parts = [*ability(known)]  # 1
    parts += [told] if (told := published(known)) else []  # 2
    if tools and card.tool_use:  # 3
        gain = _TRAINED - (KNOWN_FOR_TOOLS if known.family.tools else 0.0)
        parts.append(Part("trained to call tools", {"tools": gain}))
    parts += [_GRAMMAR] if tools and card.tool_grammar else []
    if foreign and known.family.languages != "many":  # 4
        parts.append(_FOREIGN[known.family.languages])
    return _Profile(
        whys=tuple(part.why for part in parts),
        odds={kind: tuple(_odds(kind, parts)) for kind in KINDS},
        spread=_SPREAD_UNHEARD_OF if known.family is UNKNOWN else _SPREAD,
    )


def _odds(kind: TaskKind, parts: Sequence[Part]) -> Iterator[float]:
    return (math.exp(-one) for one in accumulate(part.shift.get(kind, 0.0) for part in parts))


def _mix(task: Task) -> Mix:
    """Tell how likely the request is each task: its features say, or else its kind."""
    told = {kind: one for kind, one in task.features.kinds.items() if one >= _UNLIKELY}
    told = told or {task.kind: 1.0}
    share = (1 - _TOOLS_SHARE if task.needs.tools else 1.0) / sum(told.values())
    mix = {kind: one * share for kind, one in told.items()}
    if task.needs.tools:
        mix["tools"] = mix.get("tools", 0.0) + _TOOLS_SHARE
    return mix


def _mean(mix: Mix, values: Iterable[float]) -> float:
    total: float = sum(map(mul, mix.values(), values))
    return total


def _reasons(whys: Sequence[str], steps: Sequence[float]) -> tuple[str, ...]:
    """Tell what each part brings; a word of the user's that changes nothing is no reason."""
    gains = map(sub, steps, (0.0, *steps))
    told = zip(whys, gains, strict=True)
    return tuple(f"{why} {gain:+.3f}" for why, gain in told if gain or why != "you say so")
