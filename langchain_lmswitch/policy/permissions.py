"""The user's standing rules: who may answer at all, and who is good at what. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from langchain_lmswitch.errors import ModelDenied
from langchain_lmswitch.policy.needs import forbidding
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Hints, Role, Task


def under_rules(
    task: Task, *, allow: Sequence[str], deny: Sequence[str], roles: Sequence[Role]
) -> Task:
    """Add the rules of the settings to those that came with the request.

    1. Who is allowed: the request says it, or else the settings.
    2. Who is denied by either is denied.
    3. Of what both say of a model's roles, the request's word counts first.
    """
    hints = task.hints
    return replace(
        task,
        hints=replace(
            hints,
            allow=hints.allow or tuple(allow),  # 1
            deny=tuple(dict.fromkeys((*hints.deny, *deny))),  # 2
            roles=tuple(dict.fromkeys((*hints.roles, *roles))),  # 3
        ),
    )


def permitted(card: ModelCard, hints: Hints) -> ModelCard:
    """Give the card of a model that the caller named, if the user's rules let it answer.

    Raises:
        ModelDenied: They do not.
    """
    for setting, why in forbidding(card, hints):
        raise ModelDenied(card.key, setting=setting, reason=why)
    return card
