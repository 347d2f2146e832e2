"""Labels that somebody else wrote, and what of them a request is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.labels import (
    Label,
    certainty,
    hardness,
    kinds_of,
    label_of,
    levels,
    likelihood,
    probabilities,
)
from langchain_lmswitch.types.tasks import Features, Needs, Task, TaskKind


def task(kind: TaskKind = "chat", *, difficulty: float = 0.5, **needs: Any) -> Task:
    features = Features(kinds={kind: 0.9, "knowledge": 0.1}, difficulty=difficulty)
    return Task(kind=kind, confidence=0.9, evidence="", needs=Needs(**needs), features=features)


def best(one: Task, **said: Any) -> str:
    shares = probabilities(one, {name: label_of(text, name) for name, text in said.items()})
    assert sum(shares.values()) == pytest.approx(1)
    return max(shares, key=lambda name: shares[name])


@pytest.mark.parametrize(
    ("said", "label"),
    [
        (["Code and debugging."], Label(kinds=frozenset({"code"}))),
        (["Questions about Python or SQL"], Label(kinds=frozenset({"code"}))),
        (["Simple, well-scoped tasks."], Label(difficulty=0.0)),
        (
            ["Complex tasks requiring deeper reasoning."],
            Label(kinds=frozenset({"reasoning"}), difficulty=1.0),
        ),
        (["Anything simple or complex"], Label()),
        (["Summarizes and translates"], Label(kinds=frozenset({"summary", "rewriting"}))),
        (["Screenshots and photos"], Label(vision=True)),
        ([None, "code_model"], Label(kinds=frozenset({"code"}))),
        (["Decode the schema"], Label()),
        ([None, "other"], Label()),
        ([{"tasks": ["math", "code"]}], Label(kinds=frozenset({"math", "code"}))),
        ([{"task": "math", "difficulty": 7}], Label(kinds=frozenset({"math"}), difficulty=1.0)),
        ([{"difficulty": 0.2}, "code"], Label(difficulty=0.2)),
        ([{"about": "code"}], Label(kinds=frozenset({"code"}))),
        ([["code", {"deep": 3}]], Label(kinds=frozenset({"code"}), difficulty=1.0)),
    ],
)
def test_what_a_label_stands_for(said: list[Any], label: Label) -> None:
    assert label_of(*said) == label


def test_a_task_goes_to_the_label_that_names_it_and_the_rest_to_the_open_one() -> None:
    labels = {"coder": "Code.", "sums": "Math.", "rest": "All the rest."}

    assert best(task("code"), **labels) == "coder"
    assert best(task("math"), **labels) == "sums"
    assert best(task("creative"), **labels) == "rest"


def test_ease_and_hardness_go_by_the_difficulty() -> None:
    """As in the example of LangChain's own middleware."""
    labels = {
        "fast": "Simple, well-scoped tasks.",
        "powerful": "Complex tasks requiring deeper reasoning.",
    }

    assert best(task("chat", difficulty=0.1), **labels) == "fast"
    assert best(task("reasoning", difficulty=0.8), **labels) == "powerful"
    assert best(task("code", difficulty=0.9), **labels) == "powerful"


def test_pictures_go_to_who_sees() -> None:
    labels = {"eyes": "Images.", "coder": "Code."}

    assert best(task("code", vision=True), **labels) == "eyes"
    assert best(task("code"), **labels) == "coder"


def test_what_is_not_understood_is_shared_equally() -> None:
    shares = probabilities(task(), {"red": label_of("Red."), "blue": label_of("Blue.")})

    assert shares == pytest.approx({"red": 0.5, "blue": 0.5})
    assert certainty(list(shares.values())) == pytest.approx(0)


def test_a_task_without_a_distribution_has_its_confidence() -> None:
    kinds = kinds_of(Task(kind="code", confidence=0.78, evidence=""))

    assert kinds["code"] == pytest.approx(0.8)
    assert sum(kinds.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("asked", "likely"),
    [
        ("Is this about code?", 0.9),
        ("Is it a code or knowledge question?", 1.0),
        ("Is it difficult and complex?", 0.66),
        ("Is it simple?", 0.34),
        ("Is there an image?", 0.0),
        ("Does the customer want a refund?", 0.5),
    ],
)
def test_likelihood_of_what_a_question_names(asked: str, likely: float) -> None:
    assert likelihood(task("code", difficulty=0.7), label_of(asked)) == pytest.approx(
        likely, abs=0.01
    )


def test_levels_of_difficulty() -> None:
    easy, hard = task("chat", difficulty=0.0), task("reasoning", difficulty=1.0)
    asked = "How difficult is it?"

    assert levels(easy, 3, asked)[0] > 0.8
    assert levels(hard, 3, asked)[2] > 0.4
    assert sum(levels(hard, 5, asked)) == pytest.approx(1)
    assert levels(task(), 4, "How angry is the customer?") == pytest.approx([0.25] * 4)


def test_hardness_goes_by_the_task_and_by_the_difficulty() -> None:
    told = [
        hardness(task("chat", difficulty=0.0)),
        hardness(task("chat", difficulty=0.3)),
        hardness(task("code", difficulty=0.3)),
        hardness(task("reasoning", difficulty=1.0)),
    ]

    assert told == sorted(told)
    assert 0 <= told[0] < 0.1
    assert 0.7 < told[3] <= 1


@given(
    st.dictionaries(st.text(max_size=20), st.text(max_size=80) | st.none(), min_size=1, max_size=8),
    st.floats(0, 1),
    st.sets(st.just("vision")),
)
def test_shares_are_probabilities_whatever_is_said(
    said: dict[str, str | None], difficulty: float, seen: set[str]
) -> None:
    labels = {name: label_of(text, name) for name, text in said.items()}
    shares = probabilities(task("code", difficulty=difficulty, vision=bool(seen)), labels)

    assert sum(shares.values()) == pytest.approx(1)
    assert all(0 <= share <= 1 for share in shares.values())
    assert 0 <= certainty(list(shares.values())) <= 1
