"""Hard needs: who lacks one is never chosen. Pure."""

from collections.abc import Iterator
from typing import Final

from langchain_lmswitch.policy.pedigree import pedigree
from langchain_lmswitch.policy.wishes import matches, unmet
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Hints, Needs

FORBIDDEN: Final = ("you deny", "you allow")
"""What the verdict on a model begins with that the user's rules forbid."""


def lacking(card: ModelCard, needs: Needs, hints: Hints) -> tuple[str, ...]:
    """Name what keeps a model from answering; empty if it can.

    1. The user's rules: it must be allowed, and not denied.
    2. What the caller requires: every ability, and one of the models.
    3. What the request needs: eyes, and a context that its system prompt and last message fit in.
    4. It must be made to answer: a draft model or one that makes vectors is not.

    A schema is no need: every host holds any model to it by a grammar. Nor are tools: a model that
    was not trained to call them may do so all the same, only worse, which its score says.
    """
    lacks = [why for _, why in forbidding(card, hints)] if hints.allow or hints.deny else []  # 1
    if hints.require:
        lacks += unmet(card, hints.require)  # 2
    if needs.vision and not card.vision:  # 3
        lacks.append("cannot see images")
    if 0 < card.max_context_tokens < needs.context_tokens:
        lacks.append(_too_short(card))
    lacks += [f"{one.label}, and does not answer" for one in pedigree(card).specialties if one.mute]
    return tuple(lacks)


def _too_short(card: ModelCard) -> str:
    if card.capped:
        return f"gets {card.max_context_tokens} tokens of context only, by your `max_context`"
    return f"trained for {card.max_context_tokens} tokens of context only"


def forbidding(card: ModelCard, hints: Hints) -> Iterator[tuple[str, str]]:
    """Tell which of the user's rules forbid a model: the setting's name, and why in a few words."""
    for wish in hints.deny:
        if matches(card, wish):
            yield "deny", f"you deny {wish!r}"
    if hints.allow and not any(matches(card, wish) for wish in hints.allow):
        yield "allow", f"you allow {', '.join(map(repr, hints.allow))} only"
