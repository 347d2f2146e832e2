"""Who answers, as a function of the facts."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from langchain_lmswitch.policy.choice import Choice, choose
from langchain_lmswitch.policy.incumbent import incumbents_first
from langchain_lmswitch.policy.naming import find_card
from langchain_lmswitch.policy.permissions import permitted
from langchain_lmswitch.policy.planning import Survey, plan_load
from langchain_lmswitch.policy.ranking import rank
from langchain_lmswitch.policy.runs import Runs
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.plans import Plan, Refusal, Use
from langchain_lmswitch.types.tasks import Task

AUTO: Final = "auto"
"""Named in place of a model: the choice is ours."""

LOOKED_AT: Final = 12
"""Candidates whose offer is asked for at a time; the next ones only if none of them can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """How we would load a model, and what that would cost."""

    spec: LoadSpec
    footprint: Footprint
    smaller: tuple["Offer", ...] = ()
    """The same with less context, for when it does not fit; the largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceFacts:
    """All that a choice depends on."""

    task: Task
    cards: tuple[ModelCard, ...]
    survey: Survey
    model: str = AUTO
    """What the caller named, or `auto`."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Key to what went wrong earlier in this request."""
    tight: tuple[str, ...] = ()
    """Keys of those that failed for memory; after them only smaller ones are loaded."""
    headroom_bytes: int = 0
    evict_helpers: bool = False
    load_s: Mapping[str, float] = field(default_factory=dict)
    """By key, the seconds that a load is expected to take."""
    expected: Mapping[str, Expected] = field(default_factory=dict)
    """By key, how good an answer is expected to be; what is missing is the prior."""
    paces: Mapping[str, Pace] = field(default_factory=dict)
    """By key, how fast each is; what is missing is guessed."""
    runs: Runs = field(default_factory=Runs)
    """How long models stay the best, and who is it now."""
    curiosity: Mapping[str, float] = field(default_factory=dict)
    """By key, points for what would be learnt of a model in memory."""
    fresh: tuple[str, ...] = ()
    """Keys of those that were loaded a moment ago."""
    trouble: str = ""
    """What kind of error keeps the models from being compared; empty if none does."""
    offers: Mapping[str, Offer] = field(default_factory=dict)
    """By key, as far as they have been asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The choice, and what goes with it."""

    choice: Choice
    plan: Plan | None
    """How the chosen model gets into memory, or that it is there."""
    refusal: Refusal | None
    """Of those that do not fit, the one nearest to fitting."""

    best: str = ""
    """Key of the one that would be chosen if all that can answer were loaded; empty if unknown."""

    @property
    def resident(self) -> Resident | None:
        """The instance to use, if the chosen model is loaded already."""
        return self.plan.resident if isinstance(self.plan, Use) else None


Flow = Generator[tuple[str, ...], Mapping[str, Offer], Outcome]
"""Gives keys and is sent an offer for each of them, until it returns the outcome."""


class MissingFacts(LookupError):  # noqa: N818 - what has happened is its own name
    """A choice looks at models whose offers are not among its facts."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys: tuple[str, ...] = tuple(keys)
        super().__init__(f"What loading {', '.join(keys)} would cost is not among the facts.")


def decide(facts: ChoiceFacts) -> Outcome:
    """Choose from facts that are complete.

    Raises:
        MissingFacts: They are not.
        UnknownModel: There is no model of the name that the caller gave.
        ModelDenied: The user's rules forbid the model of that name.
    """
    flow = deciding(facts)
    keys = next(flow)
    while True:
        if unknown := [key for key in keys if key not in facts.offers]:
            raise MissingFacts(unknown)
        try:
            keys = flow.send({key: facts.offers[key] for key in keys})
        except StopIteration as done:
            outcome: Outcome = done.value
            return outcome


def deciding(facts: ChoiceFacts) -> Flow:
    """Choose a model, asking for offers as they are needed.

    1. A named model is the only candidate; else all chat models are, ranked for the task. After an
       error in that, those that are in memory come first.
    2. What failed for memory limits the size of what is loaded after it.
    3. The best dozen are planned and judged; the next dozen only if none of them can answer.

    Raises:
        UnknownModel: There is no model of the name that the caller gave.
        ModelDenied: The user's rules forbid the model of that name.
    """
    cards = _cards(facts)  # 1
    ranked = ranked_by(facts, cards)
    tight = yield tuple(card.key for card in cards if card.key in facts.tight)  # 2
    plans: dict[str, Plan | Refusal] = {}
    weigh = partial(
        choose,
        facts.task,
        ranked,
        plans=plans,
        failed=facts.failed,
        forced=facts.model != AUTO,
        smaller_than_bytes=min((one.footprint.total_bytes for one in tight.values()), default=None),
        losses_s={one.resident.identifier: one.loss_s for one in facts.survey.occupants},
        fresh=facts.fresh,
        trouble=facts.trouble,
    )
    for start in range(0, len(ranked), LOOKED_AT):  # 3
        looked_at = ranked[start : start + LOOKED_AT]
        offers = yield tuple(one.key for one in looked_at if not one.lacks)
        plans.update({key: plan_of(offer, facts) for key, offer in offers.items()})
        choice = weigh()
        if choice.key is not None:
            return _outcome(choice, plans)
    return _outcome(weigh(), plans)


def ranked_by(facts: ChoiceFacts, cards: Sequence[ModelCard]) -> list[Candidate]:
    """Order some models for the request, best first."""
    resident = facts.survey.resident_keys
    if facts.trouble:
        return incumbents_first(facts.task, cards, resident=resident)
    return rank(
        facts.task,
        cards,
        resident=resident,
        load_s=facts.load_s,
        expected=facts.expected,
        paces=facts.paces,
        runs=facts.runs,
        curiosity=facts.curiosity,
    )


def _cards(facts: ChoiceFacts) -> list[ModelCard]:
    if facts.model == AUTO:
        return list(facts.cards)
    residents = [one.resident for one in facts.survey.occupants]
    named = find_card(facts.model, facts.cards, residents=residents)
    return [permitted(named, facts.task.hints)]


def plan_of(offer: Offer, facts: ChoiceFacts) -> Plan | Refusal:
    """Plan how a model gets into memory: as offered, or with less context before it is refused."""
    plan = _plan(offer, facts)
    for smaller in offer.smaller if isinstance(plan, Refusal) else ():
        plan = _plan(smaller, facts)
        if not isinstance(plan, Refusal):
            break
    return plan


def _plan(offer: Offer, facts: ChoiceFacts) -> Plan | Refusal:
    return plan_load(
        offer.spec,
        offer.footprint,
        facts.survey,
        needed_tokens=facts.task.needs.wanted_tokens,
        headroom_bytes=facts.headroom_bytes,
        evict_helpers=facts.evict_helpers,
        patient=True,
    )


def _outcome(choice: Choice, plans: Mapping[str, Plan | Refusal]) -> Outcome:
    refusals = [plan for plan in plans.values() if isinstance(plan, Refusal)]
    nearest = min(refusals, key=lambda one: one.needed_bytes - one.free_bytes, default=None)
    plan = plans.get(choice.key or "")
    chosen = None if isinstance(plan, Refusal) else plan
    return Outcome(choice=choice, plan=chosen, refusal=nearest, best=_best(choice, plans))


def _best(choice: Choice, plans: Mapping[str, Plan | Refusal]) -> str:
    able = [one for one in choice.candidates if not one.lacks and one.key in plans and one.fits]
    first = min(able, key=lambda one: (-one.settled, one.key), default=None)
    return first.key if first else ""
