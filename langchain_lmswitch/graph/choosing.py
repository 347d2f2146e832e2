"""Deciding who answers: the facts from the switchboard, the choice from `policy.deciding`."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from langchain_lmswitch.errors import LMSwitchError
from langchain_lmswitch.policy.deciding import AUTO, ChoiceFacts, Offer, Outcome, deciding, plan_of
from langchain_lmswitch.policy.exploring import curiosity
from langchain_lmswitch.policy.grading import features_of
from langchain_lmswitch.policy.permissions import under_rules
from langchain_lmswitch.policy.scoring import expect
from langchain_lmswitch.policy.unclassified import trouble_of
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.surveyor import LATELY_S
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.plans import Refusal
from langchain_lmswitch.types.tasks import Task

__all__ = ["AUTO", "decide"]

_log = logging.getLogger(__name__)


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
    surveyor, learning = board.surveyor, board.surveyor.learning
    survey, cards, _ = await asyncio.gather(
        surveyor.survey(max_age_s=LATELY_S), surveyor.cards(), learning.begin()
    )
    settings = surveyor.settings
    task = under_rules(task, allow=settings.allow, deny=settings.deny, roles=settings.all_roles)
    chat = [card for card in cards if card.kind == "llm"]
    facts = ChoiceFacts(
        task=task,
        cards=cards,
        trouble=trouble_of(task),
        survey=surveyor.priced(survey),
        model=model,
        failed=failed,
        tight=tuple(sorted(tight)),
        headroom_bytes=settings.headroom_bytes,
        evict_helpers=settings.evict_helpers,
        load_s={card.key: round(learning.load_s(card.key, card.size_bytes), 3) for card in chat},
        runs=board.habits.runs,
        fresh=board.habits.fresh(),
    )
    try:
        facts = _with_lessons(board, facts, chat)
        outcome, offers = await _asked(board, facts)
    except LMSwitchError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, somebody is there who can answer
        _warn("The models could not be compared; one that is there answers", error)
        facts = replace(facts, trouble=type(error).__name__)
        outcome, offers = await _asked(board, facts)
    return outcome, replace(facts, offers=offers)


def _warn(what: str, error: Exception) -> None:
    """Say what went wrong, without its words: they may quote a prompt."""
    _log.warning("%s (%s).", what, type(error).__name__)
    _log.debug("It was this:", exc_info=error)


def _with_lessons(board: Switchboard, facts: ChoiceFacts, chat: Sequence[ModelCard]) -> ChoiceFacts:
    """Add what grades and answers have taught of the models."""
    learning, task = board.surveyor.learning, facts.task
    features, share = features_of(task), task.hints.explore
    expected = expect(replace(task, features=features), chat, learning.lessons)
    if share is None:
        share = board.settings.explore
    return replace(
        facts,
        expected=expected,
        curiosity=curiosity(
            features,
            expected,
            resident=facts.survey.resident_keys,
            share=share if board.settings.learn else 0,
        ),
        paces={card.key: pace for card in chat if (pace := learning.pace(card.key))},
    )


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
