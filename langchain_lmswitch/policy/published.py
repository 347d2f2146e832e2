"""What published accuracies say of a model beyond the formula."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Any, Final

from langchain_lmswitch.policy.ability import KINDS, Part, ability
from langchain_lmswitch.policy.bundled import bundled
from langchain_lmswitch.policy.families import UNKNOWN
from langchain_lmswitch.policy.pedigree import Pedigree, pedigree
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import TaskKind

_FLOOR: Final = 0.03
"""Beyond it, and beyond its counterpart at the top, an accuracy tells of the format only."""
_LIMIT: Final = 1.2
_ENOUGH: Final = 2.0
"""Entries at which a task's own entries count half."""
_ENOUGH_OF_ALL: Final = 6.0
_OTHER_TASKS: Final = 0.4
"""What a model's entries say of tasks that none of them is of."""
_SAME_SIZE: Final = 0.15

Who = tuple[str, tuple[str, ...], bool]


@dataclass(frozen=True, slots=True)
class _Entry:
    known: Pedigree
    kind: TaskKind
    surplus: float
    """By how many logits it does better than the formula says, beside others of the same table."""


def published(known: Pedigree) -> Part | None:
    """Tell how far a model's published accuracies are from the formula; `None` if none are known.

    1. An entry is compared with the others in its column: what all of them share is how hard the
       benchmark is, and how its makers asked.
    2. The entries of a task are shrunk towards the formula: two of them count half.
    3. A task that has no entry takes part of what the model's other entries say.
    """
    entries = _entries_of(known)
    if not entries:
        return None
    spread = _OTHER_TASKS * _shrunk([one.surplus for one in entries], _ENOUGH_OF_ALL)  # 3
    shift = {
        kind: _shrunk([one.surplus for one in entries if one.kind == kind], _ENOUGH, towards=spread)
        for kind in KINDS
    }
    return Part("published accuracies", shift)


def _shrunk(values: Sequence[float], enough: float, *, towards: float = 0.0) -> float:
    return (sum(values) + enough * towards) / (len(values) + enough)  # 2


def _entries_of(known: Pedigree) -> list[_Entry]:
    if known.billions is None or known.family is UNKNOWN:
        return []
    return [
        one
        for one in _table()[_who(known)]
        if abs(math.log((one.known.billions or 1) / known.billions)) < _SAME_SIZE
    ]


def _who(known: Pedigree) -> Who:
    made_for = tuple(one.name for one in known.specialties)
    return known.family.name, made_for, known.base


@cache
def _table() -> defaultdict[Who, list[_Entry]]:
    found: defaultdict[Who, list[_Entry]] = defaultdict(list)
    bundle = bundled("published")
    for table in bundle["table"]:
        for entry in _entries(table, bundle["benchmarks"]):
            found[_who(entry.known)].append(entry)
    return found


def _entries(table: Mapping[str, Any], kinds: Mapping[str, TaskKind]) -> Iterator[_Entry]:
    """Compare each entry with its column."""
    known = {name: pedigree(ModelCard(key=name)) for name in table["rows"]}
    for place, benchmark in enumerate(table["columns"]):
        kind = kinds[benchmark]
        surplus = {
            name: _logit(row[place] / 100) - _formula(known[name], kind)
            for name, row in table["rows"].items()
            if not math.isnan(row[place])
        }
        usual = fmean(surplus.values())  # 1
        for name, value in surplus.items():
            yield _Entry(known[name], kind, max(-_LIMIT, min(value - usual, _LIMIT)))


def _formula(known: Pedigree, kind: TaskKind) -> float:
    return sum(part.shift.get(kind, 0.0) for part in ability(known))


def _logit(accuracy: float) -> float:
    inside = max(_FLOOR, min(accuracy, 1 - _FLOOR))
    return math.log(inside / (1 - inside))
