"""What is learnt from and what is graded: never the same prompt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.testing.bench.routing.tables import Mask, Table, places, stacked

FIT_SHARE: Final = 0.5
_FIT_PARTS: Final = ("dev", "train", "fit", "tune")
_LEAST_SHARED: Final = 2

Tasks = Literal["seen", "unseen"]
"""Whether the tasks of the prompts that are graded are among those that were learnt from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A part of a table to learn from, and a part to grade."""

    name: str
    fit: Table
    graded: Table
    tasks: Tasks = "seen"


def trials(
    data: Sequence[Table], holdouts: Sequence[Table] = (), *, share: float = FIT_SHARE
) -> list[Trial]:
    """Part tables.

    1. With holdouts, each is graded after learning from all data that has two of its models.
    2. Without, data that names several parts is graded on all but the first that is called
       `dev`, `train`, `fit` or `tune`, or on all but the first.
    3. Any other is parted by a hash of the prompt.

    Prompts of tasks that were not learnt from are a trial of their own, which comes last. Nothing
    is learnt from a prompt that is graded.

    Raises:
        InvalidRequest: There is nothing to learn from, or nothing to grade.
    """
    pairs = (
        [(_fit_for(one, data), one) for one in holdouts]
        if holdouts
        else [  # 1
            parted(one, share=share) for one in data
        ]
    )
    found = [trial for fit, graded in pairs for trial in _by_task(_unknown(fit, graded), graded)]
    return sorted(found, key=lambda one: one.tasks)


def parted(table: Table, *, share: float = FIT_SHARE) -> tuple[Table, Table]:
    """Part one table into what is learnt from and what is graded."""
    names = list(dict.fromkeys(name for name in table.parts if name))
    if len(names) > 1:  # 2
        first = next((name for name in names if name.lower().startswith(_FIT_PARTS)), names[0])
        chosen = np.array([name == first for name in table.parts])
    else:
        chosen = places(table) < share  # 3
    return table.where(chosen), table.where(~chosen)


def without_each_task(trial: Trial) -> Iterator[Trial]:
    """Leave one task after the other out of what is learnt, and grade that one alone."""
    for task in dict.fromkeys(trial.graded.tasks):
        fit = trial.fit.where(~_is(trial.fit, {task}))
        graded = trial.graded.where(_is(trial.graded, {task}))
        if len(fit):
            yield Trial(name=f"{trial.name} without {task}", fit=fit, graded=graded, tasks="unseen")


def _fit_for(graded: Table, data: Sequence[Table]) -> Table:
    shared = [
        one.of(graded.models)
        for one in data
        if len({*one.models} & {*graded.models}) >= _LEAST_SHARED
    ]
    if not shared:
        raise InvalidRequest(
            f"Nothing can be learnt for {graded.name}: no --data file has two of its models "
            f"({', '.join(graded.models)}). Name one that has, or grade it as --data alone."
        )
    return stacked(shared)


def _unknown(fit: Table, graded: Table) -> Table:
    """Leave out of what is learnt from whatever is graded."""
    asked = {*graded.prompts}
    left = fit.where(np.array([prompt not in asked for prompt in fit.prompts], dtype=bool))
    if not len(left) or not len(graded):
        raise InvalidRequest(
            f"{graded.name}: {len(left)} prompts are left to learn from, {len(graded)} to grade. "
            "Give more of them, or another --holdout file."
        )
    return left


def _by_task(fit: Table, graded: Table) -> Iterator[Trial]:
    seen = _is(graded, {*fit.tasks})
    cases: tuple[tuple[Tasks, Mask], ...] = (("seen", seen), ("unseen", ~seen))
    for tasks, rows in cases:
        if rows.any():
            yield Trial(name=graded.name, fit=fit, graded=graded.where(rows), tasks=tasks)


def _is(table: Table, tasks: set[str]) -> Mask:
    return np.array([task in tasks for task in table.tasks], dtype=bool)
