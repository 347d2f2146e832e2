"""The user's standing rules: allowed, denied, and good at what."""

import pytest

from langchain_lmswitch.errors import ModelDenied
from langchain_lmswitch.policy.permissions import permitted, under_rules
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.roles import roles_of
from langchain_lmswitch.types.tasks import Hints, Role, Task


def ruled(hints: Hints, **rules: tuple[str, ...]) -> Hints:
    task = Task(kind="chat", confidence=1, evidence="", hints=hints)
    settings = {"allow": (), "deny": (), **rules}
    return under_rules(task, roles=(), **settings).hints


@pytest.mark.parametrize(
    ("asked", "set_", "allowed"),
    [((), (), ()), ((), ("a",), ("a",)), (("b",), ("a",), ("b",)), (("b",), (), ("b",))],
)
def test_the_request_says_who_is_allowed_or_else_the_settings(  # 1
    asked: tuple[str, ...], set_: tuple[str, ...], allowed: tuple[str, ...]
) -> None:
    assert ruled(Hints(allow=asked), allow=set_).allow == allowed


def test_who_is_denied_by_either_is_denied() -> None:  # 2
    assert ruled(Hints(deny=("a", "b")), deny=("b", "c")).deny == ("a", "b", "c")


def test_the_requests_word_on_roles_counts_first() -> None:  # 3
    task = Task(
        kind="code",
        confidence=1,
        evidence="",
        hints=Hints(roles=roles_of({"coder": {"code": 0.2}})),
    )
    roles = roles_of({"coder": {"code": 0.9, "math": 0.1}})

    assert [one.score for one in under_rules(task, allow=(), deny=(), roles=roles).hints.roles] == [
        0.2,
        0.9,
        0.1,
    ]


@pytest.mark.parametrize(
    ("hints", "setting"),
    [
        (Hints(deny=("tiny*",)), "deny"),
        (Hints(deny=("vision", "iny")), "deny"),
        (Hints(allow=("big", "tools")), "allow"),
        (Hints(allow=("big",), deny=("tiny",)), "deny"),
    ],
)
def test_a_named_model_that_may_not_answer(hints: Hints, setting: str) -> None:
    """The error names the setting, as an argument and as a variable."""
    with pytest.raises(ModelDenied, match=f"change `{setting}`; `lmswitch config`") as caught:
        permitted(card("tiny-chat"), hints)

    assert caught.value.setting == setting


@pytest.mark.parametrize("hints", [Hints(), Hints(allow=("tiny",)), Hints(deny=("tiny?",))])
def test_a_named_model_that_may(hints: Hints) -> None:
    assert permitted(card("tiny"), hints) == card("tiny")


@pytest.mark.parametrize(
    ("told", "roles"),
    [
        ({}, []),
        ({"a": "code"}, [("a", "code", None)]),
        ({"a": ["code", "tools"]}, [("a", "code", None), ("a", "tools", None)]),
        ({"a": ("math",)}, [("a", "math", None)]),
        ({"a": {"math": 1, "code": 0.5}}, [("a", "math", 1.0), ("a", "code", 0.5)]),
        (
            {"a": {"roles": ["code"], "scores": {"math": 0.4}}},
            [("a", "code", None), ("a", "math", 0.4)],
        ),
        ({"a": {"scores": {"math": 0.4}}, "b": "chat"}, [("a", "math", 0.4), ("b", "chat", None)]),
    ],
)
def test_forms_of_roles(
    told: dict[str, object], roles: list[tuple[str, str, float | None]]
) -> None:
    assert [(one.models, one.task, one.score) for one in roles_of(told)] == roles
    assert all(isinstance(one, Role) for one in roles_of(told))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"a": ["cook"]}, "roles are code, math"),
        ({"a": {"code": "good"}}, "from 0 to 1"),
        ({"a": {"code": True}}, "from 0 to 1"),
        ({"a": {"code": -0.1}}, "from 0 to 1"),
        ({"a": {"code": float("nan")}}, "from 0 to 1"),
        ({"a": 3}, "list of tasks"),
        ({"a": None}, "list of tasks"),
        ({"a": [["code"]]}, "roles are code"),
    ],
)
def test_roles_that_are_none(told: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        roles_of(told)
