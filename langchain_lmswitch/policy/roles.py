"""What a user says that models are good at. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from langchain_lmswitch.policy.wishes import matches
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Role, TaskKind

_FIRST_CHOICE: Final = 0.95
_REST: Final = 0.05

Mix = Mapping[TaskKind, float]
"""How likely a request is each task."""

_Told = float | Literal["first"] | None


def said(
    card: ModelCard, kind: TaskKind, mix: Mix, shares: Sequence[float], roles: Sequence[Role]
) -> float:
    """Tell how good a model is in a request by the user's word, as far as it goes.

    1. A score replaces what is expected of its task; of several that fit the first counts.
    2. A role makes a model the first choice for its task: 95 points and more, which nobody else is
       expected to reach. Of several with the same role the better one is a little ahead.
    3. The tasks are mixed as likely as they are; but who has the role of the likeliest one is the
       first choice whatever else the request may be.

    It is where expectation begins: grades may prove the user wrong, and a load still has its price.

    Args:
        card: The model.
        kind: The likeliest task.
        mix: How likely each task is.
        shares: What is expected of the model at each of them, in the same order.
        roles: What the user says.
    """
    fitting = [one for one in roles if matches(card, one.models)]
    told = {task: _of(task, fitting) for task in (*mix, kind)}
    mixed = sum(
        likely * _judged(told[task], share)
        for (task, likely), share in zip(mix.items(), shares, strict=True)
    )
    return _first(mixed) if told[kind] == "first" else mixed  # 3


def _of(task: TaskKind, roles: Sequence[Role]) -> _Told:
    """Give the first score for a task, or else `first` if there is a role for it."""
    of_task = [one.score for one in roles if one.task == task]
    scores = (one for one in of_task if one is not None)
    return next(scores, "first" if of_task else None)


def _judged(told: _Told, share: float) -> float:
    match told:
        case None:
            return share
        case "first":
            return _first(share)  # 2
        case score:
            return score  # 1


def _first(share: float) -> float:
    return _FIRST_CHOICE + _REST * share
