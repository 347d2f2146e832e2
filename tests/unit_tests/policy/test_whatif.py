"""What would make another model the chosen one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from unit_tests.ledger.scenes import choices

from langchain_lmswitch.policy.deciding import ChoiceFacts, Offer, decide
from langchain_lmswitch.policy.eviction import Occupant
from langchain_lmswitch.policy.planning import Survey
from langchain_lmswitch.policy.whatif import explained, what_if
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.machine import Footprint, Snapshot
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident
from langchain_lmswitch.types.tasks import Hints, Task

GB = 10**9
SMALL = card("small", params="1B", size_bytes=GB)
MIDDLE = card("middle", params="8B", size_bytes=5 * GB)
LARGE = card("large", params="32B", size_bytes=20 * GB)
QUALITY = {"small": 0.5, "middle": 0.7, "large": 0.75}


def scene(
    *cards: ModelCard,
    resident: Sequence[str] = (),
    quality: Mapping[str, float] = QUALITY,
    free_bytes: int = 64 * GB,
    **hints: Any,
) -> ChoiceFacts:
    occupants = tuple(
        Occupant(resident=Resident(key=key, identifier=key, context_tokens=4096), bytes=GB)
        for key in resident
    )
    snapshot = Snapshot(ram_total_bytes=64 * GB, ram_free_bytes=free_bytes, gpus=())
    return ChoiceFacts(
        task=Task(kind="chat", confidence=0.5, evidence="no sign", hints=Hints(**hints)),
        cards=cards,
        survey=Survey(occupants=occupants, snapshot=snapshot),
        expected={
            one.key: Expected(quality=quality[one.key], prior=quality[one.key]) for one in cards
        },
        offers={one.key: offer(one) for one in cards},
    )


def offer(one: ModelCard) -> Offer:
    footprint = Footprint(
        weights_bytes=one.size_bytes, kv_bytes=0, source="ledger", uncertainty=0.0
    )
    spec = LoadSpec(key=one.key, context_tokens=4096, identifier=one.key)
    return Offer(spec=spec, footprint=footprint)


def told(facts: ChoiceFacts) -> Mapping[str, tuple[str, ...]]:
    return what_if(facts, decide(facts))


def test_knob_points_loading_and_wishes() -> None:
    facts = scene(SMALL, MIDDLE, LARGE, resident=["middle"])

    assert decide(facts).choice.key == "middle"
    assert told(facts) == {
        "large": (
            "at quality 0.7 or more",
            "if it were loaded",
            "with 5 points more from feedback",
            "if you preferred it",
        ),
        "small": ("at quality 0.1 or less", "with 23 points more from feedback"),
    }


def test_points_are_the_least_that_suffice() -> None:
    facts = scene(SMALL, MIDDLE, LARGE, resident=["middle"])
    for points, model in ((4, "middle"), (5, "large")):
        raised = Expected(quality=QUALITY["large"] + points / 100, prior=QUALITY["large"])
        more = replace(facts, expected={**facts.expected, "large": raised})
        assert decide(more).choice.key == model


def test_another_conversation_and_other_requirements() -> None:
    facts = scene(SMALL, MIDDLE, last_model="small", again=True)
    assert decide(facts).choice.key == "small"
    assert told(facts)["middle"] == ("in a new conversation",)

    required = scene(SMALL, MIDDLE, require=("small",))
    assert decide(required).choice.key == "small"
    assert told(required)["middle"] == ("if you required nothing",)


def test_memory() -> None:
    facts = scene(MIDDLE, LARGE, free_bytes=8 * GB, quality={"middle": 0.5, "large": 0.9})

    assert decide(facts).choice.key == "middle"
    assert told(facts)["large"] == ("if there were memory for it",)


def test_nothing_is_told_where_the_caller_has_chosen() -> None:
    facts = replace(scene(SMALL, MIDDLE), model="small")

    assert told(facts) == {}
    assert all(one.wins_if == () for one in explained(facts, decide(facts)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(choices())
def test_nothing_is_told_of_the_chosen_one(facts: ChoiceFacts) -> None:
    outcome = decide(facts)
    candidates = explained(facts, outcome)

    assert [one.key for one in candidates] == [one.key for one in outcome.choice.candidates]
    assert not any(one.wins_if for one in candidates if one.key == outcome.choice.key)
