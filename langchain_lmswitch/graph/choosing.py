"""Deciding who answers: the facts from the switchboard, the choice from `policy.deciding`."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

from langchain_lmswitch.policy.deciding import AUTO, ChoiceFacts, Offer, Outcome, deciding, plan_of
from langchain_lmswitch.policy.rules import under_rules
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.surveyor import LATELY_S
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.plans import Refusal
from langchain_lmswitch.types.tasks import Task

__all__ = ["AUTO", "decide"]


async def decide(
    board: Switchboard,
    task: Task,
    *,
    model: str,
    failed: Mapping[str, str],
    tight: Collection[str] = (),
) -> tuple[Outcome, ChoiceFacts]:
    """Choose a model for `task` from what the host has and the machine can afford now.

    Args:
        board: Where it would be loaded.
        task: The classified request.
        model: What the caller named, or `auto`.
        failed: Key to what went wrong earlier in this request.
        tight: Keys of those that failed for memory; after them only smaller ones are loaded.

    Returns:
        The outcome, and the facts that it was decided from.

    Raises:
        UnknownModel: The host has no model named `model`.
        ModelDenied: The user's rules forbid it.
    """
    surveyor = board.surveyor
    survey, cards, _ = await asyncio.gather(
        surveyor.survey(max_age_s=LATELY_S), surveyor.cards(), surveyor.learning.begin()
    )
    rules = surveyor.settings
    facts = ChoiceFacts(
        task=under_rules(task, allow=rules.allow, deny=rules.deny, roles=rules.roles),
        cards=cards,
        survey=surveyor.priced(survey),
        model=model,
        failed=failed,
        tight=tuple(sorted(tight)),
        headroom_bytes=surveyor.settings.headroom_bytes,
        evict_helpers=surveyor.settings.evict_helpers,
        load_s={
            card.key: round(surveyor.learning.load_s(card.key, card.size_bytes), 3)
            for card in cards
            if card.kind == "llm"
        },
    )
    outcome, offers = await _asked(board, facts)
    return outcome, replace(facts, offers=offers)


async def _asked(board: Switchboard, facts: ChoiceFacts) -> tuple[Outcome, dict[str, Offer]]:
    by_key = {card.key: card for card in facts.cards if card.kind == "llm"}
    known: dict[str, Offer] = {}
    flow = deciding(facts)
    keys = next(flow)
    while True:
        offers = await _offers(board, [by_key[key] for key in keys], facts)
        known |= offers
        try:
            keys = flow.send(offers)
        except StopIteration as done:
            return done.value, known


async def _offers(
    board: Switchboard, cards: list[ModelCard], facts: ChoiceFacts
) -> dict[str, Offer]:
    footprints = await board.surveyor.footprints(cards)
    return {
        card.key: await _with_smaller(
            Offer(spec=board.surveyor.spec(card), footprint=footprints[card.key]),
            board,
            card,
            facts,
        )
        for card in cards
    }


async def _with_smaller(
    offer: Offer, board: Switchboard, card: ModelCard, facts: ChoiceFacts
) -> Offer:
    """Add what less context would cost, if the model does not fit with what it would get."""
    if not isinstance(plan_of(offer, facts), Refusal):
        return offer
    least_tokens = facts.task.needs.context_tokens
    _, *specs = board.surveyor.specs(card, least_tokens=least_tokens)
    smaller = [
        Offer(spec=spec, footprint=await board.surveyor.footprint(card, spec)) for spec in specs
    ]
    return replace(offer, smaller=tuple(smaller))
