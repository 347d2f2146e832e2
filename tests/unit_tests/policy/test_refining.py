"""What a resident model adds to the rules, and whom to ask."""

import pytest

from langchain_lmswitch.policy.eviction import Occupant
from langchain_lmswitch.policy.exemplars import EXEMPLARS
from langchain_lmswitch.policy.planning import ANSWERING
from langchain_lmswitch.policy.refining import (
    SURE,
    center,
    excerpt,
    mixed,
    named,
    nearest,
    question,
    unsure,
    whom,
)
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.models import ModelKind, Resident
from langchain_lmswitch.types.tasks import Features, Request, Task

CHAT = Task(kind="chat", confidence=0.4, evidence="no sign of another task")
CARDS = [
    card("large", params="30B"),
    card("small", params="3B"),
    card("tiny", params="1.7B"),
    card("parrot", params="0.5B"),
    card("encoder", kind="embedding"),
    card("unknown", size_bytes=0),
]


def occupant(key: str, *, size: int = 1, keep: str = "", kind: ModelKind = "llm") -> Occupant:
    resident = Resident(key=key, identifier=f"lmswitch/{key}", kind=kind, size_bytes=size)
    return Occupant(resident=resident, bytes=size, keep=keep, loss_s=0.0)


def test_only_who_is_unsure_asks() -> None:
    assert unsure(CHAT)
    assert not unsure(Task(kind="code", confidence=SURE, evidence=""))
    assert not unsure(Task(kind="code", confidence=1.0, evidence="named by the caller"))


def test_the_smallest_that_is_able_and_idle_is_asked() -> None:
    small, tiny = occupant("small", size=3), occupant("tiny", size=1)
    busy, large = occupant("tiny", size=1, keep=ANSWERING), occupant("large", size=9)
    foreign = occupant("small", size=3, keep="loaded by somebody else")

    assert whom("chat", [small, tiny, large], CARDS) == tiny.resident
    assert whom("chat", [small, busy], CARDS) == small.resident
    assert whom("chat", [foreign], CARDS) == foreign.resident
    assert whom("chat", [large, occupant("parrot")], CARDS) is None
    assert whom("chat", [occupant("unknown")], CARDS) is None
    assert whom("chat", [occupant("not listed")], CARDS) is None
    assert whom("embedding", [tiny], CARDS) is None
    encoder = occupant("encoder", kind="embedding")
    assert whom("embedding", [tiny, encoder], CARDS) == encoder.resident
    assert whom("chat", [encoder], CARDS) is None


def test_a_question_can_be_answered_by_one_word_only() -> None:
    asked = question("Hello")

    assert asked.json_schema is not None
    assert set(asked.json_schema["enum"]) == set(EXEMPLARS)
    assert asked.max_tokens == 8


def test_a_long_text_is_cut_to_both_ends() -> None:
    text = "a" * 5000 + "b" * 5000

    assert excerpt(Request(user_text=text)) == "a" * 600 + "\n" + "b" * 600
    assert excerpt(Request(user_text="short")) == "short"


@pytest.mark.parametrize(
    ("answer", "kind"), [('"code"', "code"), ("Math.", "math"), ("It is creative", "creative")]
)
def test_the_task_that_an_answer_names(answer: str, kind: str) -> None:
    told = named(answer)

    assert told is not None
    assert max(told, key=lambda one: told[one]) == kind
    assert sum(told.values()) == pytest.approx(1)


@pytest.mark.parametrize("answer", ["", "I do not know", "decode", '"co'])
def test_an_answer_that_names_none(answer: str) -> None:
    assert named(answer) is None


def test_the_nearest_exemplars_win() -> None:
    centers = {"code": center([[2.0, 0.1], [1.0, -0.1]]), "math": center([[0.0, 3.0]])}
    told = nearest([0.9, 0.1], {"code": centers["code"], "math": centers["math"]})

    assert told["code"] > 0.99
    assert sum(told.values()) == pytest.approx(1)
    assert nearest([1.0, 1.0], {"code": [1.0, 0.0], "math": [0.0, 1.0]})["code"] == 0.5
    assert sum(nearest([0.0, 0.0], {"code": [1.0, 0.0], "math": [0.0, 1.0]}).values()) == 1


def test_a_clear_word_outweighs_unsure_rules_and_is_told() -> None:
    told = named("code")
    assert told is not None
    task = mixed(CHAT, told, by="tiny")

    assert task.kind == "code"
    assert task.confidence == pytest.approx(0.5 * 0.8 + 0.5 * 0.6 / 11)
    assert task.evidence == "no sign of another task, and what tiny makes of it"
    assert sum(task.features.kinds.values()) == pytest.approx(1)


def test_a_weak_word_does_not() -> None:
    ruled = Task(
        kind="code",
        confidence=0.55,
        evidence="",
        features=Features(kinds={"code": 0.55, "chat": 0.45}, difficulty=0.3),
    )
    task = mixed(ruled, {"math": 0.3, "facts": 0.3, "code": 0.2, "chat": 0.2}, by="tiny")

    assert task.kind == "code"
    assert task.features.difficulty == 0.3


def test_each_task_has_exemplars_of_its_own() -> None:
    texts = [text for some in EXEMPLARS.values() for text in some]

    assert all(len(some) >= 6 for some in EXEMPLARS.values())
    assert len(set(texts)) == len(texts)
