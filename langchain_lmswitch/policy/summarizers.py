"""Which resident model writes the summary of a conversation."""

from collections.abc import Sequence
from typing import Final

from langchain_lmswitch.policy.eviction import Occupant
from langchain_lmswitch.policy.parameters import billions_of
from langchain_lmswitch.policy.planning import ANSWERING
from langchain_lmswitch.policy.prior import params_billion
from langchain_lmswitch.types.models import ModelCard, Resident

AUTO: Final = "auto"
OFF: Final = "off"
LEAST_BILLIONS: Final = 1.5
"""Smaller models repeat what they read, or make it up (measured: those of 0.1 and 0.5 wrote none
that could be used, and took half a minute for it on two cores)."""


def summarizer(
    wish: str, occupants: Sequence[Occupant], cards: Sequence[ModelCard], *, answered: str = ""
) -> Resident | None:
    """Say which model in memory should write a summary; `None` if there is none.

    1. It is a chat model that answers nobody, as far as is known here.
    2. The one that is named, by its key or its identifier, whatever its size.
    3. With `auto`, the smallest that has 1.5 billion parameters, for it is the quickest; the
       one that has just answered counts among them if its size is unknown.

    Args:
        wish: `auto`, `off`, or a name.
        occupants: Who is in memory.
        cards: The models on disk.
        answered: Identifier of the instance that gave the last answer.
    """
    if wish == OFF:
        return None
    idle = [
        one.resident
        for one in occupants
        if one.resident.kind == "llm" and one.keep != ANSWERING  # 1
    ]
    if wish == AUTO:
        known = {card.key: card for card in cards}
        able = [one for one in idle if _able(one, known.get(one.key), answered)]  # 3
    else:
        able = [one for one in idle if wish in {one.key, one.identifier}]  # 2
    return min(able, key=lambda one: (one.size_bytes, one.identifier), default=None)


def _able(resident: Resident, card: ModelCard | None, answered: str) -> bool:
    billions = None if card is None else billions_of(card.params) or params_billion(card)
    if billions is None:
        return resident.identifier == answered
    return billions >= LEAST_BILLIONS
