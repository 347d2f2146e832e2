"""What holds of every choice, whatever the facts."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from unit_tests.ledger.scenes import choices, seconds, tasks

from langchain_lmswitch.policy.deciding import AUTO, ChoiceFacts, Offer, decide
from langchain_lmswitch.policy.ranking import rank
from langchain_lmswitch.policy.runs import Runs
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.tasks import Hints, Task

T = TypeVar("T")

_SAME_S = 1e-3
"""What is rounded off seconds and scores."""

shares = st.floats(0, 1)
runs = st.floats(1, 50)
knobs = st.lists(st.integers(0, 20), min_size=2, max_size=2, unique=True).map(
    lambda steps: [step / 20 for step in sorted(steps)]
)


@st.composite
def models(draw: st.DrawFn) -> tuple[ModelCard, Expected, Pace, float]:
    """A model, how good it is expected to be, its pace, and the seconds of its load."""
    billion = draw(st.sampled_from([0.5, 1, 3, 7, 14, 32, 70]))
    one = card(
        draw(st.text("abcdefgh", min_size=1, max_size=4)),
        params=f"{billion}B",
        size_bytes=round(billion * 6e8),
        vision=draw(st.booleans()),
    )
    quality = draw(shares)
    pace = Pace(
        read_tokens_per_second=draw(st.floats(1, 1e4)), tokens_per_second=draw(st.floats(0.1, 1e3))
    )
    return one, Expected(quality=quality, prior=quality), pace, draw(seconds)


pools = st.lists(models(), min_size=1, max_size=6, unique_by=lambda one: one[0].key)
Pool = Sequence[tuple[ModelCard, Expected, Pace, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A request, the models for it, and one of them that a test is about."""

    task: Task
    pool: Pool
    resident: tuple[str, ...]
    runs: Runs
    place: int

    @property
    def key(self) -> str:
        return self.pool[self.place][0].key

    def ranked(self) -> list[Candidate]:
        return rank(
            self.task,
            [one for one, _, _, _ in self.pool],
            resident=self.resident,
            load_s={one.key: load_s for one, _, _, load_s in self.pool},
            expected={one.key: expected for one, expected, _, _ in self.pool},
            paces={one.key: pace for one, _, pace, _ in self.pool},
            runs=self.runs,
        )


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Some models, and some of them in memory."""
    pool = draw(pools)
    keys = [one.key for one, _, _, _ in pool]
    task = draw(tasks)
    hints = replace(task.hints, last_model=draw(st.sampled_from(["", *keys])))
    return Scene(
        task=replace(task, hints=hints),
        pool=pool,
        resident=tuple(draw(st.lists(st.sampled_from(keys), unique=True))),
        runs=Runs(
            best=draw(st.sampled_from(["", *keys])), length=draw(st.integers(0, 9)), mean=draw(runs)
        ),
        place=draw(st.integers(0, len(pool) - 1)),
    )


few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Many facts make a choice; on a busy machine they take a while to draw."""


@few
@given(choices(), st.integers())
def test_same_facts_give_the_same_decision_in_whatever_order_models_are_listed(
    facts: ChoiceFacts, seed: int
) -> None:
    cards = list(facts.cards)
    random.Random(seed).shuffle(cards)  # noqa: S311

    assert decide(replace(facts, cards=tuple(cards))) == decide(facts)


@few
@given(choices())
def test_needs_are_never_violated(facts: ChoiceFacts) -> None:
    """Even where the caller named the model, and where comparing them has failed."""
    by_key = {one.key: one for one in facts.cards}
    for tried in (facts, replace(facts, trouble="KeyError")):
        key = decide(tried).choice.key
        if key is None:
            continue
        chosen, needs = by_key[key], facts.task.needs
        assert chosen.kind == "llm"
        assert chosen.vision or not needs.vision
        assert not 0 < chosen.max_context_tokens < needs.context_tokens
        assert key not in {one for one, why in facts.failed.items() if why}


@few
@given(scenes(), knobs)
def test_a_lower_knob_never_chooses_a_slower_model(scene: Scene, settings: list[float]) -> None:
    """Seconds are those of the answer, and this request's share of a load."""
    needs = replace(scene.task.needs, vision=False, context_tokens=0)

    def waits_s(quality: float) -> float:
        hints = Hints(quality=quality, last_model=scene.task.hints.last_model)
        task = replace(scene.task, hints=hints, needs=needs)
        first = replace(scene, task=task).ranked()[0]
        return first.answer_s + first.load_s / scene.runs.expected

    low, high = settings
    assert waits_s(low) <= waits_s(high) * (1 + _SAME_S) + _SAME_S


@few
@given(scenes())
def test_a_resident_never_loses_by_being_resident(scene: Scene) -> None:
    others = tuple(one for one in scene.resident if one != scene.key)
    without = {one.key: one for one in replace(scene, resident=others).ranked()}

    for one in replace(scene, resident=(*others, scene.key)).ranked():
        same = without[one.key]
        assert one.score >= same.score if one.key == scene.key else one.score == same.score


@few
@given(scenes(), seconds)
def test_more_seconds_of_loading_never_help(scene: Scene, more_s: float) -> None:
    one, expected, pace, load_s = scene.pool[scene.place]
    pool = [*scene.pool]
    pool[scene.place] = (one, expected, pace, load_s + more_s)

    def standing(tried: Scene) -> tuple[float, int]:
        found = tried.ranked()
        at = [candidate.key for candidate in found].index(one.key)
        return found[at].score, -at

    assert standing(replace(scene, pool=pool)) <= standing(scene)


@few
@given(scenes(), shares, seconds)
def test_a_dominated_model_is_never_first(scene: Scene, worse: float, more_s: float) -> None:
    """One that is worse than another, slower, not loaded, and nobody's wish."""
    hints = Hints(quality=scene.task.hints.quality)
    scene = replace(scene, task=replace(scene.task, hints=hints))
    better, expected, pace, load_s = scene.pool[scene.place]
    dominated = (
        replace(better, key=f"{better.key}-z"),
        Expected(quality=expected.quality * worse, prior=expected.quality * worse),
        pace,
        load_s + more_s,
    )

    assert replace(scene, pool=[*scene.pool, dominated]).ranked()[0] == scene.ranked()[0]


@few
@given(choices(), st.integers(0, 20))
def test_a_dominated_model_does_not_change_the_decision(facts: ChoiceFacts, place: int) -> None:
    """At the most it is chosen in place of its twin, and that is worth the same."""
    hints = Hints(quality=facts.task.hints.quality, last_model=facts.task.hints.last_model)
    facts = replace(facts, task=replace(facts.task, hints=hints), model=AUTO, failed={}, tight=())
    chat = [one for one in facts.cards if one.kind == "llm"]
    assume(chat)
    better = chat[place % len(chat)]
    key = f"{better.key}~"
    more = replace(
        facts,
        cards=(*facts.cards, replace(better, key=key)),
        offers={**facts.offers, key: _same(facts, better.key, key)},
        load_s={**facts.load_s, key: facts.load_s.get(better.key, 1e4) + 1},
        # What was learnt of one is true of its twin: else the twin might be the better of the two.
        expected=_of_both(facts.expected, better.key, key),
        paces=_of_both(facts.paces, better.key, key),
    )
    before, after = decide(facts).choice, decide(more).choice

    twins = {before.key, key} if before.key == better.key else {before.key}
    assert after.key in twins


def _of_both(told: Mapping[str, T], key: str, other: str) -> dict[str, T]:
    return {**told, other: told[key]} if key in told else dict(told)


def _same(facts: ChoiceFacts, key: str, other: str) -> Offer:
    offer = facts.offers[key]
    spec = replace(offer.spec, key=other, identifier=f"lmswitch/{other}")
    return replace(offer, spec=spec)
