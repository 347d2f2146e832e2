"""Which of several places counts, and what each value's place is."""

from typing import Any

import pytest

from langchain_lmswitch.settings.layers import DEFAULT, Kind, Layer, Origin, merged, origins


def layer(kind: Kind, text: str = "", **values: Any) -> Layer:
    variables = {name: f"LMSWITCH_{name.upper()}" for name in values}
    return Layer(kind=kind, values=values, path=f"{kind}.toml", text=text, variables=variables)


def test_the_highest_place_counts() -> None:
    kinds: tuple[Kind, ...] = ("argument", "variable", "project", "user", "command")
    layers = [layer(kind, parallel=number) for number, kind in enumerate(kinds)]

    assert [merged(layers[number:]) for number in range(6)] == [
        *({"parallel": number} for number in range(5)),
        {},
    ]
    assert [one.kind for one in origins(layers, "parallel")] == [*kinds, "default"]


def test_tables_are_merged_key_by_key() -> None:
    """A key of a higher place counts; the others of the same model stay."""
    layers = [
        layer("variable", models={"coder": {"ttl_s": 1}}),
        layer("project", models={"coder": {"pin": True, "ttl_s": 2}}),
        layer("user", models={"coder": {"pin": False, "roles": ["code"]}, "tiny": {"pin": True}}),
    ]

    assert merged(layers) == {
        "models": {"coder": {"ttl_s": 1, "pin": True, "roles": ["code"]}, "tiny": {"pin": True}}
    }


def test_tables_of_a_higher_place_come_first() -> None:
    """Where two names match one model, the first counts: a project's before the user's."""
    layers = [
        layer("project", models={"qwen2.5-coder": {"ttl_s": 1}}),
        layer("user", models={"qwen*": {"ttl_s": 2}, "qwen2.5-coder": {"pin": True}}),
    ]

    assert list(merged(layers)["models"]) == ["qwen2.5-coder", "qwen*"]


def test_a_list_is_replaced_by_a_higher_one() -> None:
    assert merged([layer("project", allow=["a"]), layer("user", allow=["b"])]) == {"allow": ["a"]}


def test_a_table_is_replaced_by_what_is_none() -> None:
    assert merged([layer("argument", roles=()), layer("user", roles={"a": "code"})]) == {
        "roles": ()
    }


@pytest.mark.parametrize(
    ("layers", "denied"),
    [
        ([layer("project", deny="c, d"), layer("user", deny=["a", "b"])], ["a", "b", "c", "d"]),
        ([layer("project", deny=[]), layer("user", deny="a")], ["a"]),
        ([layer("project", deny=["c"])], ["c"]),
        ([layer("variable", deny="x"), layer("project", deny=["c"]), layer("user", deny="a")], "x"),
        ([layer("argument", deny=()), layer("user", deny=["a"])], ()),
    ],
)
def test_a_project_cannot_lift_a_ban(layers: list[Layer], denied: object) -> None:
    """The user's ban stays beside the project's; the user's environment is free to lift it."""
    assert merged(layers)["deny"] == denied


def test_a_value_has_the_place_that_says_it() -> None:
    layers = [
        layer("argument", base_url="h:1"),
        layer("variable", threads="4", models={"coder": {"ttl_s": 1}}),
        layer(
            "user",
            "threads = 2\n[models.coder]\npin = true",
            threads=2,
            models={"coder": {"pin": True}},
        ),
    ]

    def first(*path: str) -> Origin:
        return origins(layers, *path)[0]

    assert first("base_url") == Origin(kind="argument")
    assert first("threads") == Origin(kind="variable", name="LMSWITCH_THREADS")
    assert origins(layers, "threads")[1] == Origin(kind="user", name="user.toml", line=1)
    assert first("models", "coder", "pin") == Origin(kind="user", name="user.toml", line=3)
    assert first("models", "coder", "ttl_s") == Origin(kind="variable", name="LMSWITCH_MODELS")
    assert origins(layers, "models", "coder", "roles") == (DEFAULT,)


def test_what_says_the_whole_says_each_part() -> None:
    """Models that are given as values, not as tables."""
    assert origins([layer("argument", models=(1,))], "models", "coder", "pin")[0].kind == "argument"


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        (Origin(kind="user", name="/a.toml", line=3), "/a.toml, line 3"),
        (Origin(kind="project", name="/a.toml"), "/a.toml"),
        (Origin(kind="variable", name="LM_API_TOKEN"), "LM_API_TOKEN"),
        (Origin(kind="argument"), "argument"),
        (Origin(kind="command"), "default of commands"),
        (DEFAULT, "default"),
    ],
)
def test_a_place_is_said_in_a_few_words(origin: Origin, said: str) -> None:
    assert str(origin) == said
