"""What a user says that models are good at. Pure."""

from collections.abc import Sequence
from typing import Final

from langchain_lmswitch.policy.wishes import matches
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Role, TaskKind

_FIRST_CHOICE: Final = 0.95
_REST: Final = 0.05


def declared(card: ModelCard, task: TaskKind, roles: Sequence[Role], *, otherwise: float) -> float:
    """Tell how good a model is at a task by the user's word.

    1. A score is taken as it is; of several that fit the first counts.
    2. A role makes it the first choice: 95 points and more, which nobody else is expected to reach.
       Of several with the same role the better one is a little ahead.

    It is where expectation begins: grades may prove the user wrong, and a load still has its price.

    Args:
        card: The model.
        task: What is asked for.
        roles: What the user says.
        otherwise: What is expected of it if nothing is said.
    """
    fitting = [one for one in roles if one.task == task and matches(card, one.models)]
    for role in fitting:
        if role.score is not None:
            return role.score  # 1
    return _FIRST_CHOICE + _REST * otherwise if fitting else otherwise  # 2
