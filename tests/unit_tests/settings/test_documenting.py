"""What is written of the settings is true, and can be read back."""

import re
import tomllib
from typing import Any

import pytest
from desks import Desk

from langchain_lmswitch.settings import ModelSettings, Settings
from langchain_lmswitch.settings.documenting import (
    example_file,
    knobs,
    model_table,
    settings_table,
    toml,
)

CELL_CHARS = 250


def uncommented() -> str:
    """The example with every line that sets something in force."""
    return re.sub(r"^# (?=\w+ = |\[)", "", example_file(), flags=re.MULTILINE)


def rows(table: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]


def test_every_setting_has_its_row() -> None:
    found = rows(settings_table())

    assert [name for name, _, _ in found] == [
        f"`LMSWITCH_{name.upper()}`" for name in Settings.model_fields
    ]
    assert {len(row) for row in found} == {3}


@pytest.mark.parametrize(
    ("name", "default", "meaning"),
    [
        ("CONTEXT_TOKENS", "8192", "Context to load a model with; less if the model was trained"),
        ("LINGER_S", "30", "How long an embedded host that we started stays"),
        ("EXPLORE", "0.5", "How readily a loaded model is tried"),
        ("EVICT_FOREIGN", "false", "Whether models that somebody else loaded may be unloaded"),
        ("SUMMARIZER", "auto", "Who summarizes what leaves the context"),
        ("HOME", "by system", "Where pulled weights lie"),
        ("ALLOW", "none", "The only models that may answer"),
    ],
)
def test_a_row_has_default_and_meaning(name: str, default: str, meaning: str) -> None:
    assert f"\n| `LMSWITCH_{name}` | {default} | {meaning}" in settings_table()


def test_every_key_of_a_model_has_its_row() -> None:
    assert [name for name, _, _ in rows(model_table())] == [
        f"`{name}`" for name in ModelSettings.table_keys()
    ]


@pytest.mark.parametrize("kind", [Settings, ModelSettings])
def test_a_meaning_reads_well_in_a_table(kind: type[Settings | ModelSettings]) -> None:
    """One sentence that is not too long, and nothing of Python in it: files have no `None`."""
    for one in knobs(kind):
        assert 10 < len(one.first_sentence) <= CELL_CHARS, one.name
        assert not one.first_sentence.endswith("."), one.name
        assert one.first_sentence.count("`") % 2 == 0, one.name
        assert "|" not in one.meaning
        assert "None`" not in one.meaning


def test_the_example_changes_nothing(desk: Desk) -> None:
    desk.write(user=example_file())

    assert tomllib.loads(example_file()) == {}
    assert Settings() == Settings(parallel=1)


def test_the_example_can_be_put_in_force(desk: Desk) -> None:
    """Line by line: each sets its default, or something that can be."""
    desk.write(user=uncommented())
    said = tomllib.loads(uncommented())

    found = Settings()

    assert set(said) == set(Settings.model_fields)
    assert [set(table) for table in said["models"].values()] == [set(ModelSettings.table_keys())]
    assert found.model_fields_set == set(Settings.model_fields)
    for one in knobs():
        if one.default not in (None, [], "by system"):
            assert getattr(found, one.name) == one.default, one.name


def test_the_example_fits_a_terminal() -> None:
    assert max(map(len, example_file().splitlines())) <= 100


@pytest.mark.parametrize(
    "value",
    [
        "on",
        'with "quotes" and \\ and \n and ü',
        8192,
        0.5,
        True,
        ["a", "b"],
        [],
        {"coder": ["code"], "qwen2.5 coder/x": {"math": 0.4}},
    ],
)
def test_a_value_is_written_as_toml_reads_it(value: Any) -> None:
    assert tomllib.loads(f"x = {toml(value)}") == {"x": value}
