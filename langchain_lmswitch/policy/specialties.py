"""What a model was made for, by the words in its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from langchain_lmswitch.policy.bundled import bundled
from langchain_lmswitch.types.tasks import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Specialty:
    """Something that models are made for: a gain at home, and a loss elsewhere.

    There is one object for each.
    """

    name: str
    label: str
    """For reasons."""
    shift: Mapping[TaskKind, float]
    """By task, in logits."""
    answers: bool
    """Whether such a model answers questions at all."""
    mute: bool
    """Whether it cannot even be asked: its host may fail or take the whole process down."""


def specialties_in(name: str, *, also: tuple[str, ...] = ()) -> tuple[Specialty, ...]:
    """List what a model of this name was made for.

    Args:
        name: In small letters.
        also: Names of specialties that it has whatever it is called.
    """
    return tuple(one for pattern, one in _specialties() if one.name in also or pattern.search(name))


@cache
def _specialties() -> tuple[tuple[re.Pattern[str], Specialty], ...]:
    return tuple(
        (
            re.compile(row["pattern"]),
            Specialty(
                name=row["name"],
                label=row["label"],
                shift=row.get("shift", {}),
                answers=row.get("answers", True),
                mute=row.get("mute", False),
            ),
        )
        for row in bundled("specialties")["specialty"]
    )
