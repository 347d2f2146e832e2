"""Decisions as they may be written down: small, and without a word of a user's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, assert_never

from langchain_lmswitch.policy.costs import guessed_pace, pace_of
from langchain_lmswitch.policy.deciding import ChoiceFacts, Outcome, decide
from langchain_lmswitch.policy.planning import PlanFacts, Survey, planned
from langchain_lmswitch.policy.wishes import exactly, is_ability, matches
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.plans import Load, Plan, Refusal, Use
from langchain_lmswitch.types.records import DecisionRecord

Facts = ChoiceFacts | PlanFacts

NAMES_NOTHING: Final = "(names no model)"
"""In place of a wish that no model fulfills: it may be anything."""
FAILED: Final = "it could not be used"
"""In place of a host's words on what went wrong, which may quote a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a decision comes to."""

    model: str = ""
    """Empty if nobody can answer."""
    how: Literal["use", "load", "refuse"]
    evict: tuple[str, ...] = ()
    """Identifiers of those that leave."""
    reason: str = ""


def recordable(record: DecisionRecord) -> DecisionRecord:
    """Make a record of values as it may be written down; any other stays as it is.

    1. What a caller or a host wrote freely is replaced; who is chosen does not depend on it.
    2. The outcome is that of the facts as they are written, so that it can be found anew.
    3. What nothing is decided by is left out.
    """
    facts, outcome = record.facts, record.outcome
    match facts:
        case ChoiceFacts():
            told = _without_words(facts)  # 1
            if told != facts:
                outcome = decide(told)  # 2
            return replace(record, facts=_slim(told), outcome=choice_verdict(outcome))  # 3
        case PlanFacts():
            slim = replace(facts, survey=_slim_survey(facts.survey))
            return replace(record, facts=slim, outcome=plan_verdict(outcome, facts.spec.key))
        case _:
            return record


def redecided(facts: Facts) -> Verdict:
    """Decide anew.

    Raises:
        MissingFacts: Models are looked at now that were not looked at then.
        UnknownModel: The name that the caller gave is not that of a model any more.
    """
    match facts:
        case ChoiceFacts():
            return choice_verdict(decide(facts))
        case PlanFacts():
            return plan_verdict(planned(facts), facts.spec.key)
        case _:
            assert_never(facts)


def choice_verdict(outcome: Outcome) -> Verdict:
    """Sum up a choice."""
    choice = outcome.choice
    if choice.key is None or outcome.plan is None:
        return Verdict(how="refuse", reason=choice.reason)
    return replace(plan_verdict(outcome.plan, choice.key), reason=choice.reason)


def plan_verdict(plan: Plan | Refusal, key: str) -> Verdict:
    """Sum up a plan."""
    match plan:
        case Use():
            return Verdict(model=key, how="use")
        case Load():
            return Verdict(model=key, how="load", evict=tuple(one.identifier for one in plan.evict))
        case Refusal():
            return Verdict(model=key, how="refuse", reason=plan.reason)
        case _:
            assert_never(plan)


def _without_words(facts: ChoiceFacts) -> ChoiceFacts:
    hints = facts.task.hints
    hints = replace(
        hints,
        prefer=_told(hints.prefer, facts.cards),
        require=_told(hints.require, facts.cards),
        allow=_told(hints.allow, facts.cards),
        deny=_told(hints.deny, facts.cards),
        roles=tuple(
            replace(role, models=told)
            for role in hints.roles
            for told in _told([role.models], facts.cards)
        ),
    )
    failed = {key: FAILED if reason else "" for key, reason in facts.failed.items()}
    return replace(facts, task=replace(facts.task, hints=hints), failed=failed)


def _told(wishes: Sequence[str], cards: Sequence[ModelCard]) -> tuple[str, ...]:
    return tuple(told for wish in wishes for told in _as_keys(wish, cards))


def _as_keys(wish: str, cards: Sequence[ModelCard]) -> Sequence[str]:
    """Write a wish that means the same, of nothing but abilities and parts of keys.

    A part of a key, or a glob that fits one, is that already; but for what is in brackets.
    """
    if is_ability(wish):
        return [wish]
    keys = [card.key for card in cards if matches(card, wish)]
    if "[" in wish and keys:
        return [exactly(key) for key in keys]
    return [wish if keys else NAMES_NOTHING]


def _slim(facts: ChoiceFacts) -> ChoiceFacts:
    chat = [card for card in facts.cards if card.kind == "llm"]
    slim = tuple(_slim_card(card) for card in chat)
    paces = {
        card.key: pace_of(card, facts.paces.get(card.key))
        for card, told in zip(chat, slim, strict=True)
        if guessed_pace(card) != guessed_pace(told)  # what tells of it is left out
    }
    # What they tell of the models is in `expected`.
    features = replace(facts.task.features, signs=(), vector=())
    return replace(
        facts,
        task=replace(facts.task, features=features),
        cards=slim,
        survey=_slim_survey(facts.survey),
        paces={**facts.paces, **paces},
    )


def _slim_card(card: ModelCard) -> ModelCard:
    return ModelCard(
        key=card.key,
        display_name=card.display_name,
        size_bytes=card.size_bytes,
        architecture=card.architecture,
        params=card.params,
        quantization=card.quantization,
        max_context_tokens=card.max_context_tokens,
        capped=card.capped,
        vision=card.vision,
        tool_use=card.tool_use,
        tool_grammar=card.tool_grammar,
    )


def _slim_survey(survey: Survey) -> Survey:
    occupants = [
        replace(one, resident=replace(one.resident, reference="")) for one in survey.occupants
    ]
    return replace(survey, occupants=tuple(occupants))
