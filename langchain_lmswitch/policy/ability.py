"""How able a model is at each task, from what is known of it: a formula in logits.

A logit is the logarithm of right answers to one wrong one. Gains add up in it, and none leads past
certainty.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, get_args

from langchain_lmswitch.policy.bits import quantization_loss
from langchain_lmswitch.policy.families import UNKNOWN
from langchain_lmswitch.policy.pedigree import Pedigree
from langchain_lmswitch.types.tasks import TaskKind

KINDS: Final[tuple[TaskKind, ...]] = get_args(TaskKind)


@dataclass(frozen=True, slots=True)
class _Level:
    at_reference: float
    """Of Llama 3.1 8B, in requests of middling difficulty."""
    doubling: float
    """What a doubling of the parameters brings, at 8B."""
    worth: float
    """What training that is worth a doubling brings."""


_LEVELS: Final[Mapping[TaskKind, _Level]] = {
    "code": _Level(0.4, 0.36, 0.36),
    "math": _Level(0.4, 0.40, 0.48),
    "reasoning": _Level(0.0, 0.36, 0.36),
    "knowledge": _Level(0.5, 0.33, 0.31),
    "facts": _Level(-0.1, 0.36, 0.12),  # what it has read counts, not how it was taught
    "extraction": _Level(1.1, 0.24, 0.22),
    "summary": _Level(1.1, 0.20, 0.20),
    "creative": _Level(0.5, 0.30, 0.25),
    "rewriting": _Level(0.85, 0.28, 0.22),
    "tools": _Level(0.2, 0.30, 0.30),
    "chat": _Level(0.75, 0.30, 0.30),
}
_REFERENCE_B: Final = 8.0
_SATURATION: Final = 0.25
"""Published series flatten: from 0.5B to 1B brings three times what 32B to 64B does."""

_BASE: Final[Mapping[TaskKind, float]] = dict.fromkeys(KINDS, -0.9) | {"tools": -1.5, "chat": -1.5}
_MERGED: Final = dict.fromkeys(KINDS, -0.2)
_SILENT: Final = dict.fromkeys(KINDS, -12.0)
KNOWN_FOR_TOOLS: Final = 1.0
"""Its family was trained to call tools, but its host does not say that this file can."""

Shift = Mapping[TaskKind, float]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the things that a model's ability is made of."""

    why: str
    shift: Shift
    """By task, in logits; what is missing is 0."""


@lru_cache(maxsize=1024)
def ability(known: Pedigree) -> tuple[Part, ...]:
    """Tell what a model's ability is made of.

    1. Size: what a doubling brings, less and less the larger it is. Of a mixture of experts counts
       the geometric mean of all parameters and the active ones.
    2. The generation and training of its family, and what the family leans to.
    3. What it was made for: a gain there, a loss elsewhere.
    4. A base model was not taught to answer; a merge of others has lost something.
    5. Coarse weights, below 5 bits.
    6. What only helps others to answer never answers.
    """
    parts = [_size(known), *_family(known)]  # 1, 2
    parts += [Part(one.label, one.shift) for one in known.specialties if one.answers]  # 3
    if known.base:  # 4
        parts.append(Part("base model", _BASE))
    if known.merged:
        parts.append(Part("changed by others", _MERGED))
    if loss := quantization_loss(known.bits, known.able_billions):  # 5
        parts.append(Part(f"{known.bits:g} bits a weight", dict.fromkeys(KINDS, -loss)))
    parts += [Part(one.label, _SILENT) for one in known.specialties if not one.answers]  # 6
    return tuple(parts)


def doublings(billions: float) -> float:
    """Tell how far a size is from 8B, in doublings that bring as much as one does there."""
    smaller: float = (_REFERENCE_B / billions) ** _SATURATION
    return (1 - smaller) / _SATURATION / math.log(2)


def _size(known: Pedigree) -> Part:
    steps = doublings(known.able_billions)
    shift = {kind: one.at_reference + one.doubling * steps for kind, one in _LEVELS.items()}
    return Part(f"{label(known.billions)} parameters{_active(known)}", shift)


def _active(known: Pedigree) -> str:
    return f", {label(known.active)} active" if known.active else ""


def _family(known: Pedigree) -> list[Part]:
    family = known.family
    shift = {
        kind: one.worth * family.worth + family.lean.get(kind, 0.0) for kind, one in _LEVELS.items()
    }
    if family.tools:
        shift["tools"] += KNOWN_FOR_TOOLS
    return [Part("unknown family" if family is UNKNOWN else family.name, shift)]


def label(billions: float | None) -> str:
    """Write a number of parameters.

    Example:
        >>> label(7.6), label(0.135), label(None)
        ('7.6B', '135M', 'unknown')
    """
    if billions is None:
        return "unknown"
    return f"{billions:.3g}B" if billions >= 1 else f"{billions * 1000:.0f}M"
