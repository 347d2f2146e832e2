"""Who answers when the choice itself fails: whoever is there."""

from collections.abc import Collection, Sequence

from langchain_lmswitch.policy.needs import lacking
from langchain_lmswitch.policy.prior import prior
from langchain_lmswitch.policy.wishes import abilities
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Task


def incumbents_first(
    task: Task, cards: Sequence[ModelCard], *, resident: Collection[str]
) -> list[Candidate]:
    """Order every chat model without scores, so that an error in them harms nobody.

    1. Who lacks a need comes last.
    2. The model of the conversation's last answer comes first, if it is in memory.
    3. Then the others in memory, then that model if it has to be loaded, then all others.
    4. Of equals the one of the best prior; 0 if that is what fails. Ties are broken by key.
    """
    last = task.hints.last_model
    found = [
        Candidate(
            key=card.key,
            score=round(_hope(card, task), 6),
            reasons=("not scored",),
            abilities=abilities(card),
            max_context_tokens=card.max_context_tokens,
            resident=card.key in resident,
            lacks=lacking(card, task.needs, task.hints),
        )
        for card in cards
        if card.kind == "llm"
    ]
    return sorted(
        found,
        key=lambda one: (
            bool(one.lacks),  # 1
            not (one.key == last and one.resident),  # 2
            not one.resident,  # 3
            one.key != last,
            -one.score,  # 4
            one.key,
        ),
    )


def _hope(card: ModelCard, task: Task) -> float:
    try:
        return prior(card, task).quality
    except Exception:  # noqa: BLE001 - whatever it is, it must not keep the user from an answer
        return 0.0
