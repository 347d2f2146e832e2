"""Decisions that are written down and decided anew."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from unit_tests.ledger.scenes import choices, plans

from langchain_lmswitch.ledger.plain import packed, plain, unpacked
from langchain_lmswitch.ledger.replaying import replay
from langchain_lmswitch.policy.deciding import AUTO, ChoiceFacts, Offer, decide, deciding
from langchain_lmswitch.policy.planning import PlanFacts, Survey, planned
from langchain_lmswitch.policy.recording import recordable
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.machine import UNKNOWN_MACHINE
from langchain_lmswitch.types.records import DecisionKind, DecisionRecord
from langchain_lmswitch.types.tasks import Hints, Role, Task

SECRET = "my password is swordfish"  # noqa: S105 - it is none


def noted(facts: ChoiceFacts | PlanFacts, outcome: object) -> DecisionRecord:
    kind: DecisionKind = "choice" if isinstance(facts, ChoiceFacts) else "plan"
    return DecisionRecord(at_s=1.5, kind=kind, facts=facts, outcome=outcome, version="1")


def written(record: DecisionRecord) -> DecisionRecord:
    """Write a record and read it back, as a file does."""
    told = recordable(record)
    facts, outcome = unpacked(packed(told.facts)), unpacked(packed(told.outcome))
    return replace(record, facts=facts, outcome=outcome)


@given(choices())
def test_a_choice_comes_out_the_same_from_its_record(facts: ChoiceFacts) -> None:
    outcome = decide(facts)
    found = replay(written(noted(facts, outcome)))

    assert found.same, found
    assert found.now is not None
    assert found.now.model == (outcome.choice.key or "")


@given(plans)
def test_a_plan_comes_out_the_same_from_its_record(facts: PlanFacts) -> None:
    found = replay(written(noted(facts, planned(facts))))

    assert found.same, found


@given(choices(), st.sampled_from([SECRET, f"*{SECRET}*", f"[{SECRET}]*"]))
def test_no_word_of_a_user_is_written(facts: ChoiceFacts, secret: str) -> None:
    hints = replace(
        facts.task.hints,
        prefer=(secret,),
        require=(secret,),
        allow=(secret,) if facts.model == AUTO else (),
        deny=(secret,) if facts.model == AUTO else (),
        roles=(Role(models=secret, task="code"),),
    )
    failed = dict.fromkeys(facts.failed, f"Cannot render {secret}")
    asked = replace(facts, task=replace(facts.task, hints=hints), failed=failed)
    outcome = decide(asked)
    record = written(noted(asked, outcome))

    assert SECRET not in json.dumps([record.facts, record.outcome], ensure_ascii=False)
    assert replay(record).same
    assert record.outcome.get("model", "") == (outcome.choice.key or "")


@given(choices())
def test_only_what_is_asked_for_is_needed(facts: ChoiceFacts) -> None:
    """The offers that a choice has asked for are enough to make it once more."""
    known: dict[str, Offer] = {}
    flow = deciding(facts)
    keys = next(flow)
    while True:
        known |= {key: facts.offers[key] for key in keys}
        try:
            keys = flow.send({key: facts.offers[key] for key in keys})
        except StopIteration as done:
            outcome = done.value
            break
    assert decide(replace(facts, offers=known)) == outcome


@given(choices())
def test_plain_values_are_json(facts: ChoiceFacts) -> None:
    assert json.loads(json.dumps(plain(facts))) == plain(facts)


def scene(*keys: str) -> ChoiceFacts:
    return ChoiceFacts(
        task=Task(kind="chat", confidence=0.5, evidence="no sign", hints=Hints()),
        cards=tuple(card(key) for key in keys),
        survey=Survey(occupants=(), snapshot=UNKNOWN_MACHINE),
    )


def test_another_outcome_is_told_with_what_differs() -> None:
    facts = scene()
    record = written(noted(facts, decide(facts)))
    other = {"model": "gone", "how": "load", "evict": ["x"], "reason": record.outcome["reason"]}
    found = replay(replace(record, outcome=other))

    assert not found.same
    assert found.differing == ("model", "how", "evict")


def test_models_that_were_not_looked_at_then_are_named() -> None:
    facts = scene("one-1b", "two-2b")
    record = noted(facts, None)
    told = replace(record, facts=plain(facts), outcome={"how": "refuse"})
    found = replay(told)

    assert (found.same, found.now) == (False, None)
    assert "two-2b, one-1b" in found.trouble


def test_a_record_of_another_form_is_no_decision() -> None:
    record = noted(scene(), None)
    for strange in (
        replace(record, facts={"task": 7}, outcome={}),
        replace(record, kind="guess"),  # type: ignore[arg-type]  # of a version to come
    ):
        found = replay(strange)
        assert (found.same, found.then, found.now) == (False, None, None)
        assert found.trouble
