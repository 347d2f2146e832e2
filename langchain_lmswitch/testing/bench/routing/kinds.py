"""How often the task of a prompt is recognized, by data sets whose task is known."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.testing.bench.routing.router import task_of
from langchain_lmswitch.testing.bench.routing.tables import Table
from langchain_lmswitch.types.tasks import TaskKind

_KINDS: Final[Mapping[str, frozenset[TaskKind]]] = {
    r"gsm|^math|mathqa|aime|amc|minerva": frozenset({"math"}),
    r"mbpp|human_?eval|^code|apps|livecode|bigcode": frozenset({"code"}),
    r"trivia|natural_q|nq_|popqa|simpleqa|webq": frozenset({"facts"}),
    r"squad|quac|drop|boolq|hotpot|narrative": frozenset({"extraction"}),
    r"logic_?grid|zebra|bbh|big_?bench|reclor|lsat": frozenset({"reasoning"}),
    r"commonsense|hellaswag|winogrande|piqa|siqa": frozenset({"reasoning", "knowledge"}),
    r"mmlu|arc|openbook|gpqa|sciq": frozenset({"knowledge"}),
    r"summ|xsum|cnn": frozenset({"summary"}),
    r"wmt|flores|translat": frozenset({"rewriting"}),
}
"""By the name of a data set, what its prompts are. Everyday knowledge is both of two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognized:
    """How often prompts of one data set, or of all, were taken for what they are."""

    table: str
    task: str
    accuracy_pct: float
    n: int
    taken_for: Mapping[str, float]
    """Share of the prompts that each task got."""


def recognized(table: Table) -> Iterator[Recognized]:
    """Measure each data set whose task is known, and all of them together, which comes first.

    Where most prompts are of other sets nothing is measured: a name may then mean something else,
    as `math` does among the subjects of an exam.
    """
    sets = [task.partition("/")[0] for task in table.tasks]  # `mmlu/astronomy` is of `mmlu`
    known = {task: kinds for task in dict.fromkeys(sets) if (kinds := kinds_of(task))}
    found: dict[str, Counter[TaskKind]] = {task: Counter() for task in known}
    for prompt, task in zip(table.prompts, sets, strict=True):
        if task in known:
            found[task][task_of(prompt).kind] += 1
    rows = [_recognized(table.name, task, found[task], known[task]) for task in known]
    if 2 * sum(row.n for row in rows) > len(table):
        yield _together(rows)
        yield from rows


def kinds_of(task: str) -> frozenset[TaskKind]:
    """Give what the prompts of a data set are; nothing if it is not known."""
    matching = (kinds for name, kinds in _KINDS.items() if re.search(name, task, re.IGNORECASE))
    return next(matching, frozenset())


def _recognized(
    table: str, task: str, found: Counter[TaskKind], right: frozenset[TaskKind]
) -> Recognized:
    count = found.total()
    return Recognized(
        table=table,
        task=task,
        accuracy_pct=100 * sum(found[kind] for kind in right) / count,
        n=count,
        taken_for={kind: times / count for kind, times in found.most_common()},
    )


def _together(rows: list[Recognized]) -> Recognized:
    count = sum(row.n for row in rows)
    return Recognized(
        table=rows[0].table,
        task="all",
        accuracy_pct=sum(row.accuracy_pct * row.n for row in rows) / count,
        n=count,
        taken_for={},
    )
