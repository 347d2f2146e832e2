"""Deciding who answers: the facts from the switchboard, the choice from `policy.deciding`."""

import asyncio
import time
from collections.abc import Collection, Mapping
from dataclasses import replace

from langchain_lmswitch._version import __version__
from langchain_lmswitch.policy.deciding import AUTO, ChoiceFacts, Offer, Outcome, deciding
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.surveyor import LATELY_S
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.records import DecisionRecord
from langchain_lmswitch.types.tasks import Task

__all__ = ["AUTO", "decide"]


async def decide(
    board: Switchboard,
    task: Task,
    *,
    model: str,
    failed: Mapping[str, str],
    tight: Collection[str] = (),
    noted: bool = True,
) -> Outcome:
    """Choose a model for `task` from what the host has and the machine can afford now.

    Args:
        board: Where it would be loaded.
        task: The classified request.
        model: What the caller named, or `auto`.
        failed: Key to what went wrong earlier in this request.
        tight: Keys of those that failed for memory; after them only smaller ones are loaded.
        noted: Whether the board's ledger remembers it.

    Raises:
        UnknownModel: The host has no model named `model`.
    """
    surveyor = board.surveyor
    survey, cards = await asyncio.gather(surveyor.survey(max_age_s=LATELY_S), surveyor.cards())
    facts = ChoiceFacts(
        task=task,
        cards=cards,
        survey=surveyor.priced(survey),
        model=model,
        failed=failed,
        tight=tuple(sorted(tight)),
        headroom_bytes=surveyor.settings.headroom_bytes,
        evict_helpers=surveyor.settings.evict_helpers,
    )
    outcome, offers = await _asked(board, facts)
    if noted:
        board.ledger.note_decision(_record(replace(facts, offers=offers), outcome))
    return outcome


def _record(facts: ChoiceFacts, outcome: Outcome) -> DecisionRecord:
    return DecisionRecord(
        at_s=time.time(), kind="choice", facts=facts, outcome=outcome, version=__version__
    )


async def _asked(board: Switchboard, facts: ChoiceFacts) -> tuple[Outcome, dict[str, Offer]]:
    by_key = {card.key: card for card in facts.cards if card.kind == "llm"}
    known: dict[str, Offer] = {}
    flow = deciding(facts)
    keys = next(flow)
    while True:
        offers = await _offers(board, [by_key[key] for key in keys])
        known |= offers
        try:
            keys = flow.send(offers)
        except StopIteration as done:
            return done.value, known


async def _offers(board: Switchboard, cards: list[ModelCard]) -> dict[str, Offer]:
    footprints = await board.surveyor.footprints(cards)
    return {
        card.key: Offer(spec=board.surveyor.spec(card), footprint=footprints[card.key])
        for card in cards
    }
