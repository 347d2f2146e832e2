"""Grades of answers by what becomes of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from unit_tests.ledger.grades import answer, grade, grades

from langchain_lmswitch.policy.grading import (
    AS_USUAL,
    CHECKED,
    CUT_OFF,
    FINE,
    USELESS,
    Asked,
    Form,
    Verdict,
    again,
    features_of,
    grade_of,
    outweighs,
    verdict,
)
from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.types.grades import Expected, Grade
from langchain_lmswitch.types.tasks import Features, Task

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
TOOL = {"type": "function", "function": {"name": "count", "parameters": SCHEMA}}
LIMIT = "maxPredictedTokensReached"


def form(text: str = "Hello.", stop_reason: str = "eosFound", **more: Any) -> Form:
    return Form(text=text, stop_reason=stop_reason, **more)


def calling(*arguments: Mapping[str, Any], name: str = "count", **more: Any) -> Form:
    calls = tuple((name, one) for one in arguments)
    return Form(calls=calls, tools=(TOOL,), stop_reason="toolCalls", **more)


@pytest.mark.parametrize(
    ("given", "source", "score", "weight"),
    [
        (form(), "fine", AS_USUAL, FINE),
        (form("", LIMIT), "empty", 0, USELESS),
        (form(" \n"), "empty", 0, USELESS),
        (form(stop_reason=LIMIT), "truncated", 0.3, CUT_OFF),
        (form('{"n": 1', LIMIT, json_schema=SCHEMA), "truncated", 0.3, CUT_OFF),
        (form(stop_reason="contextLengthReached"), "truncated", 0.3, CUT_OFF),
        (form('{"n": 1}', json_schema=SCHEMA), "fine", AS_USUAL, CHECKED),
        (form('```json\n{"n": 1}\n```', json_schema=SCHEMA), "fine", AS_USUAL, CHECKED),
        (form('{"n": 1', json_schema=SCHEMA), "parse", 0, CHECKED),
        (form("[" * 9999, json_schema=SCHEMA), "parse", 0, CHECKED),
        (form('{"n": "one"}', json_schema=SCHEMA), "schema", 0, CHECKED),
        (form("[1]", json_schema=SCHEMA), "schema", 0, CHECKED),
        (calling({"n": 1}), "fine", AS_USUAL, CHECKED),
        (calling({"n": 1}, {"n": "two"}), "tool_call", 0, CHECKED),
        (calling({"n": 1}, name="sing"), "tool_call", 0, CHECKED),
        (calling({"n": 1}, broken_calls=1), "tool_call", 0, CHECKED),
        (calling({"n": 1}, json_schema={"required": ["m"]}), "fine", AS_USUAL, CHECKED),
        (form("I'd rather not.", tools=(TOOL,), must_call=True), "tool_call", 0, CHECKED),
        (form("No tool needed.", tools=(TOOL,)), "fine", AS_USUAL, FINE),
    ],
)
def test_the_form_of_an_answer_tells(given: Form, source: str, score: float, weight: float) -> None:
    found = verdict(given)

    assert found is not None
    assert (found.source, found.score, found.weight) == (source, score, weight)


def test_what_the_caller_stopped_tells_nothing() -> None:
    assert verdict(form("", "userStopped")) is None


def test_a_tool_without_a_schema_takes_anything() -> None:
    tool = {"type": "function", "function": {"name": "count"}}

    assert verdict(replace(calling({"x": 1}), tools=(tool,))) == verdict(calling({"n": 1}))


@pytest.mark.parametrize(
    ("gap_s", "key", "named", "named_before", "source"),
    [
        (5, "coder", False, False, "retry"),
        (5, "other", False, False, "retry"),
        (5, "coder", True, True, "retry"),
        (5, "other", True, False, "override"),
        (5, "other", True, True, None),
        (0.3, "coder", False, False, None),
        (0.3, "other", True, False, None),
        (70, "coder", False, False, None),
        (-3, "coder", False, False, None),
    ],
)
def test_being_asked_again_tells(
    gap_s: float, key: str, *, named: bool, named_before: bool, source: str | None
) -> None:
    """Not what a program samples, tries or compares."""
    before = Asked(answer=answer(100), named=named_before)
    found = again(before, key=key, named=named, begun_s=100 + gap_s)

    assert (found.source if found else None) == source
    assert found is None or found.score < 0.5


def test_the_callers_word_counts_and_the_last_one() -> None:
    word, fine = grade(), grade(source="fine")
    failure = grade(source="schema", weight=0.5, score=0.0)

    assert outweighs(word, None)
    assert outweighs(word, word)
    assert outweighs(replace(word, weight=0.1), failure)
    assert not outweighs(fine, word)
    assert not outweighs(replace(fine, weight=0.05), failure)
    assert outweighs(failure, replace(fine, weight=0.05))
    assert outweighs(replace(fine, weight=0.5), failure)
    assert not outweighs(replace(failure, source="parse"), failure)


@given(grades, grades)
def test_nothing_takes_the_place_of_the_callers_word_but_another_one(
    new: Grade, old: Grade
) -> None:
    if old.source == "feedback":
        assert outweighs(new, old) == (new.source == "feedback")
    assert outweighs(new, new) == (new.source == "feedback")


def test_a_grade_is_of_the_turn_that_was_answered() -> None:
    found = verdict(form())
    assert found is not None
    made = grade_of(replace(answer(3), turn="request-1"), found, at_s=9.0)

    assert (made.request, made.key, made.host, made.at_s) == ("request-1", "coder", "local", 9.0)
    assert made.features == answer().features
    assert grade_of(answer(3), found, at_s=9.0).request == "request-3"


def test_a_request_without_features_is_of_its_task() -> None:
    task = Task(kind="math", confidence=1, evidence="")

    assert features_of(task).kinds == {"math": 1.0}
    told = replace(task, features=Features(kinds={"code": 0.5}, vector=(1,)))
    assert features_of(told) == told.features


@pytest.mark.parametrize("prior", [0.6, 0.7, 0.8])
@pytest.mark.parametrize("weight", [FINE, CHECKED])
def test_being_asked_most_makes_nobody_better(prior: float, weight: float) -> None:
    """Of two equal models one answered two hundred times, and nobody objected."""
    told = Verdict(score=AS_USUAL, weight=weight, source="fine")
    lessons = Lessons(grade_of(answer(number), told, at_s=number) for number in range(200))
    priors = {key: Expected(quality=prior, prior=prior) for key in ("coder", "other")}
    found = lessons.expect(answer().features, priors)

    assert abs(found["coder"].quality - found["other"].quality) < 0.04


def test_who_fails_more_often_than_another_is_expected_to() -> None:
    """One in five objects of the first cannot be read, and none of the second."""
    wrong = Verdict(score=0.0, weight=CHECKED, source="parse")
    right = Verdict(score=AS_USUAL, weight=CHECKED, source="fine")
    notes = [
        grade_of(answer(number, key=key), wrong if fails else right, at_s=number)
        for number in range(60)
        for key, fails in (("coder", not number % 5), ("other", False))
    ]
    priors = {key: Expected(quality=0.7, prior=0.7) for key in ("coder", "other")}
    found = Lessons(notes).expect(answer().features, priors)

    assert found["other"].quality - found["coder"].quality > 0.05
