"""What has been learnt of each model, in a few numbers. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final, get_args

from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.policy.paces import Paces
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Expected, Grade
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.tasks import Features, TaskKind

_PRIOR: Final = 0.5
"""Nothing is taken to be known of a model, so that what is learnt can be compared."""
_STRANGER: Final = ""
"""No model has this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """One model of one host. `None` is unknown."""

    host: str
    key: str
    answers: int = 0
    """Those that are remembered."""
    grades: int = 0
    mean: float | None = None
    """Of the grades, by their weights; 0 to 1."""
    by_task: Mapping[TaskKind, float] = field(default_factory=dict)
    """By how much it is expected to be better than a model that nobody has graded and that is
    otherwise the same; of each task that was graded."""
    pace: Pace = field(default_factory=Pace)
    load_s: float | None = None


def learnt(
    grades: Sequence[Grade], answers: Sequence[AnswerRecord], loads: Sequence[LoadRecord]
) -> list[Learnt]:
    """Sum up what is remembered, by host and model."""
    hosts = {
        *(one.host for one in grades),
        *(one.host for one in answers),
        *(one.configuration.host for one in loads),
    }
    return [
        one
        for host in sorted(hosts)
        for one in _of_host(
            host,
            [grade for grade in grades if grade.host == host],
            [answer for answer in answers if answer.host == host],
            [load for load in loads if load.configuration.host == host and not load.failed],
        )
    ]


def _of_host(
    host: str,
    grades: Sequence[Grade],
    answers: Sequence[AnswerRecord],
    loads: Sequence[LoadRecord],
) -> list[Learnt]:
    paces = Paces(answers)
    keys = sorted({one.key for one in grades} | {one.key for one in answers})
    differences = _differences(grades, keys)
    return [
        Learnt(
            host=host,
            key=key,
            answers=sum(one.key == key for one in answers),
            grades=sum(one.key == key for one in grades),
            mean=_mean([one for one in grades if one.key == key]),
            by_task=differences[key],
            pace=paces.of(key) or Pace(),
            load_s=_usual(one.load_s for one in loads if one.configuration.key == key),
        )
        for key in keys
    ]


def _differences(
    grades: Sequence[Grade], keys: Sequence[str]
) -> Mapping[str, dict[TaskKind, float]]:
    lessons = Lessons(grades)
    priors = {key: Expected(quality=_PRIOR, prior=_PRIOR) for key in (*keys, _STRANGER)}
    found: dict[str, dict[TaskKind, float]] = {key: {} for key in keys}
    for kind in _graded(grades):
        expected = lessons.expect(Features(kinds={kind: 1.0}), priors)
        for key in keys:
            found[key][kind] = round(expected[key].learnt - expected[_STRANGER].learnt, 4)
    return found


def _graded(grades: Iterable[Grade]) -> list[TaskKind]:
    """List the tasks that were graded, each request by its likeliest."""
    kinds = [one.features.kinds for one in grades]
    likeliest = {max(one, key=lambda kind: one[kind]) for one in kinds if one}
    return [kind for kind in get_args(TaskKind) if kind in likeliest]


def _mean(grades: Sequence[Grade]) -> float | None:
    weight = sum(one.weight for one in grades)
    return round(sum(one.score * one.weight for one in grades) / weight, 4) if weight else None


def _usual(seconds: Iterable[float]) -> float | None:
    known = list(seconds)
    return round(median(known), 3) if known else None
