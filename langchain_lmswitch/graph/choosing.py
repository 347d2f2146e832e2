"""Deciding who answers: the facts from the switchboard, the choice from `policy`."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from langchain_lmswitch.policy.choice import Choice, choose
from langchain_lmswitch.policy.naming import find_card
from langchain_lmswitch.policy.ranking import rank
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.surveyor import LATELY_S, Survey
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.plans import Plan, Refusal, Use
from langchain_lmswitch.types.tasks import Task

AUTO: Final = "auto"
_LOOKED_AT: Final = 12
"""Candidates whose footprint is asked for at a time; the next ones only if none of them can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The choice, and what goes with it."""

    choice: Choice
    resident: Resident | None
    """The instance to use, if the chosen model is loaded already."""
    refusal: Refusal | None
    """Of those that do not fit, the one nearest to fitting."""


async def decide(
    board: Switchboard,
    task: Task,
    *,
    model: str,
    failed: Mapping[str, str],
    tight: Collection[str] = (),
) -> Outcome:
    """Choose a model for `task` from what the host has and the machine can afford now.

    Args:
        board: Where it would be loaded.
        task: The classified request.
        model: What the caller named, or `auto`.
        failed: Key to what went wrong earlier in this request.
        tight: Keys of those that failed for memory; after them only smaller ones are loaded.

    Raises:
        UnknownModel: The host has no model named `model`.
    """
    surveyor = board.surveyor
    survey, all_cards = await asyncio.gather(surveyor.survey(max_age_s=LATELY_S), surveyor.cards())
    forced = model != AUTO
    residents = [one.resident for one in survey.occupants]
    cards = [find_card(model, all_cards, residents=residents)] if forced else list(all_cards)
    ranked = rank(task, cards, resident=survey.resident_keys)
    plans: dict[str, Plan | Refusal] = {}
    weigh = partial(
        choose,
        task,
        ranked,
        failed=failed,
        forced=forced,
        smaller_than_bytes=await _least(board, [card for card in cards if card.key in tight]),
    )
    choice = weigh(plans=plans)
    for start in range(0, len(ranked), _LOOKED_AT):
        looked_at = ranked[start : start + _LOOKED_AT]
        plans |= await _plans(board, task, looked_at, cards=cards, survey=survey)
        choice = weigh(plans=plans)
        if choice.key is not None:
            break
    refusals = [plan for plan in plans.values() if isinstance(plan, Refusal)]
    nearest = min(refusals, key=lambda one: one.needed_bytes - one.free_bytes, default=None)
    plan = plans.get(choice.key or "")
    resident = plan.resident if isinstance(plan, Use) else None
    return Outcome(choice=choice, resident=resident, refusal=nearest)


async def _least(board: Switchboard, cards: list[ModelCard]) -> int | None:
    footprints = await board.surveyor.footprints(cards)
    return min((one.total_bytes for one in footprints.values()), default=None)


async def _plans(
    board: Switchboard,
    task: Task,
    ranked: Sequence[Candidate],
    *,
    cards: Sequence[ModelCard],
    survey: Survey,
) -> dict[str, Plan | Refusal]:
    by_key = {card.key: card for card in cards}
    able = [by_key[one.key] for one in ranked if not one.lacks]
    footprints = await board.surveyor.footprints(able)
    return {
        card.key: board.surveyor.plan(
            board.surveyor.spec(card),
            footprints[card.key],
            survey,
            needed_tokens=task.needs.wanted_tokens,
            patient=True,
        )
        for card in able
    }
