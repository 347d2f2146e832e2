"""What would have to be otherwise for another model to answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from langchain_lmswitch.policy.deciding import (
    AUTO,
    ChoiceFacts,
    MissingFacts,
    Outcome,
    decide,
)
from langchain_lmswitch.policy.eviction import Occupant
from langchain_lmswitch.policy.prior import prior
from langchain_lmswitch.policy.wishes import exactly
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.tasks import Hints
from langchain_lmswitch.types.units import plural

MOST: Final = 6
"""Candidates that are asked about, the best ones: more of them nobody reads."""
_STEPS: Final = 10
"""Of the knob."""
_POINTS: Final = 0.01
_TOO_MANY: Final = 100


def what_if(facts: ChoiceFacts, outcome: Outcome) -> Mapping[str, tuple[str, ...]]:
    """Tell for each candidate what would make it the chosen one; each change is enough alone.

    The choice is made anew from changed facts; what is told has come out so.

    1. Another setting of `quality`: the nearest tenth.
    2. That it were loaded.
    3. That it were better by some points: so much would feedback have to teach.
    4. That the caller preferred it.
    5. That the conversation were a new one.
    6. That the caller required nothing.
    7. That there were memory for it.

    Nothing is told of the chosen one, nor where the caller has named the model.
    """
    chosen = outcome.choice.key
    if facts.model != AUTO or facts.trouble or chosen is None:
        return {}
    others = [one for one in outcome.choice.candidates if one.key != chosen][:MOST]
    by_knob, everyone = _by_knob(facts), _for_everyone(facts)
    return {one.key: (*_told(one, facts, by_knob), *everyone.get(one.key, ())) for one in others}


def explained(facts: ChoiceFacts, outcome: Outcome) -> tuple[Candidate, ...]:
    """Give the candidates of a choice, with what would make each the chosen one."""
    told = what_if(facts, outcome)
    return tuple(replace(one, wins_if=told.get(one.key, ())) for one in outcome.choice.candidates)


@dataclass(frozen=True, slots=True)
class _Knob:
    """From one setting of the knob to the next, who would be chosen."""

    at: float
    winner: str | None


def _winner(facts: ChoiceFacts) -> str | None:
    try:
        return decide(facts).choice.key
    except MissingFacts:  # it would look at models that were not looked at
        return None


def _told(one: Candidate, facts: ChoiceFacts, by_knob: list[_Knob]) -> Iterator[str]:
    if one.lacks:
        return
    yield from _knob(one.key, facts.task.hints.quality, by_knob)  # 1
    could_be = not one.resident and one.fits
    if could_be and _winner(_loaded(facts, one.key)) == one.key:  # 2
        yield "if it were loaded"
    if points := _points(one, facts):  # 3
        yield f"with {plural(points, 'point')} more from feedback"
    hints = facts.task.hints
    preferred = replace(hints, prefer=(*hints.prefer, exactly(one.key)))
    if "preferred" not in one.parts and _winner(_hinted(facts, preferred)) == one.key:  # 4
        yield "if you preferred it"
    if one.fits is False and _winner(_roomy(facts)) == one.key:  # 7
        yield "if there were memory for it"


def _for_everyone(facts: ChoiceFacts) -> dict[str, tuple[str, ...]]:
    hints = facts.task.hints
    told: dict[str, tuple[str, ...]] = {}
    if hints.last_model:  # 5
        new = replace(hints, last_model="", in_tool_loop=False, again=False)
        told[_winner(_hinted(facts, new)) or ""] = ("in a new conversation",)
    if hints.require:  # 6
        winner = _winner(_hinted(facts, replace(hints, require=()))) or ""
        told[winner] = (*told.get(winner, ()), "if you required nothing")
    return told


def _by_knob(facts: ChoiceFacts) -> list[_Knob]:
    hints = facts.task.hints
    settings = [step / _STEPS for step in range(_STEPS + 1)]
    return [_Knob(at, _winner(_hinted(facts, replace(hints, quality=at)))) for at in settings]


def _knob(key: str, now: float, by_knob: list[_Knob]) -> Iterator[str]:
    wins = [one.at for one in by_knob if one.winner == key]
    if higher := [at for at in wins if at > now]:
        yield f"at quality {min(higher):g}" + (" or more" if _to(1.0, wins, by_knob) else "")
    if lower := [at for at in wins if at < now]:
        yield f"at quality {max(lower):g}" + (" or less" if _to(0.0, wins, by_knob) else "")


def _to(end: float, wins: list[float], by_knob: list[_Knob]) -> bool:
    """Tell whether a model wins from one setting on without a gap to the end of the knob."""
    ats = [one.at for one in by_knob]
    run = ats[ats.index(min(wins)) :] if end else ats[: ats.index(max(wins)) + 1]
    return len(run) > 1 and all(at in wins for at in run)


def _points(one: Candidate, facts: ChoiceFacts) -> int:
    """Find the least whole points that would make it the chosen one; 0 if none would."""
    low, high = 0, _TOO_MANY
    if _winner(_better(facts, one.key, high)) != one.key:
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        if _winner(_better(facts, one.key, middle)) == one.key:
            high = middle
        else:
            low = middle
    return high


def _better(facts: ChoiceFacts, key: str, points: int) -> ChoiceFacts:
    card = next(card for card in facts.cards if card.key == key)
    known = facts.expected.get(key) or prior(card, facts.task)
    raised = replace(known, quality=known.quality + points * _POINTS)
    return replace(facts, expected={**facts.expected, key: raised})


def _loaded(facts: ChoiceFacts, key: str) -> ChoiceFacts:
    if key not in facts.offers:
        return facts
    offer = facts.offers[key]
    resident = Resident(
        key=key,
        identifier=offer.spec.identifier or key,
        context_tokens=offer.spec.context_tokens or 0,
    )
    occupant = Occupant(resident=resident, bytes=offer.footprint.total_bytes)
    occupants = (*facts.survey.occupants, occupant)
    return replace(facts, survey=replace(facts.survey, occupants=occupants))


def _hinted(facts: ChoiceFacts, hints: Hints) -> ChoiceFacts:
    return replace(facts, task=replace(facts.task, hints=hints))


def _roomy(facts: ChoiceFacts) -> ChoiceFacts:
    roomy = replace(
        facts.survey.snapshot,
        ram_total_bytes=None,
        ram_free_bytes=None,
        gpus=None,
        budget_bytes=None,
    )
    return replace(facts, survey=replace(facts.survey, snapshot=roomy))
