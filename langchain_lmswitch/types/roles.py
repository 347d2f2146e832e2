"""What a user says that models are good at, in the forms that settings and arguments have."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from langchain_lmswitch.types.tasks import Role, TaskKind

_KINDS: Final[tuple[TaskKind, ...]] = get_args(TaskKind)


def roles_of(told: Mapping[str, Any]) -> tuple[Role, ...]:
    """Read what a user says of models, in any of its forms.

    1. `{"coder": ["code", "tools"]}`: the tasks that they are the first choice for; or one name.
    2. `{"coder": {"code": 0.9}}`: how good they are at tasks.
    3. `{"coder": {"roles": ["code"], "scores": {"math": 0.4}}}`: both, as in a settings file.

    Raises:
        ValueError: It has none of these forms, names no task, or a score is not of 0 to 1.
    """
    return tuple(role for models, says in told.items() for role in _of(models, says))


def _of(models: str, says: object) -> Iterator[Role]:
    match says:
        case str():
            yield Role(models=models, task=_task(models, says))
        case Mapping() if says.keys() & {"roles", "scores"}:
            yield from _of(models, says.get("roles", ()))
            yield from _of(models, says.get("scores", {}))
        case Mapping():
            for task, score in says.items():
                yield Role(models=models, task=_task(models, task), score=_score(models, score))
        case list() | tuple():
            for task in says:
                yield Role(models=models, task=_task(models, task))
        case _:
            raise ValueError(f"{models!r} needs a list of tasks, or scores by task, not {says!r}.")


def _task(models: str, name: object) -> TaskKind:
    for kind in _KINDS:
        if name == kind:
            return kind
    raise ValueError(f"{models!r} has the role {name!r}; roles are {', '.join(_KINDS)}.")


def _score(models: str, score: object) -> float:
    if isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1:
        return float(score)
    raise ValueError(f"{models!r} has the score {score!r}; scores are numbers from 0 to 1.")
