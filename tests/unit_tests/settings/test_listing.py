"""Every setting is listed with its value and its places."""

from typing import Any

import pytest
from pydantic import SecretStr

from langchain_lmswitch.settings import ModelSettings, Settings
from langchain_lmswitch.settings.layers import DEFAULT, Layer, Origin
from langchain_lmswitch.settings.listing import Setting, all_settings
from langchain_lmswitch.settings.sources import of_environment

pytestmark = pytest.mark.usefixtures("desk")


def listed(**given: Any) -> dict[str, Setting]:
    layers = [Layer(kind="argument", values=given)]
    return {one.name: one for one in all_settings(Settings(**given), layers)}


def test_every_setting_is_listed_in_order() -> None:
    found = listed()

    assert list(found) == list(Settings.model_fields)
    assert not any(one.changed for one in found.values())
    assert found["parallel"] == Setting(name="parallel", value=1, origins=(DEFAULT,))


def test_each_key_of_a_model_is_listed_for_itself() -> None:
    """Only those that are said; the others are as for all models."""
    layer = of_environment({"LMSWITCH_MODELS": '{"q*": {"pin": true, "scores": {"code": 0.9}}}'})
    settings = Settings(models=layer.values["models"])

    found = {one.name: one for one in all_settings(settings, [layer])}

    assert [name for name in found if name.startswith("models")] == [
        'models."q*".scores',
        'models."q*".pin',
    ]
    assert found['models."q*".scores'].value == {"code": 0.9}
    assert found['models."q*".pin'] == Setting(
        name='models."q*".pin',
        value=True,
        origins=(Origin(kind="variable", name="LMSWITCH_MODELS"), DEFAULT),
    )


def test_models_given_as_values_are_listed_too() -> None:
    found = listed(models=(ModelSettings(models="a", ttl_s=1.5),))

    assert found['models."a".ttl_s'].value == 1.5
    assert found['models."a".ttl_s'].origins[0].kind == "argument"


def test_of_a_token_it_is_only_told_that_there_is_one() -> None:
    found = listed(api_key=SecretStr("sk-lm-secret"))

    assert found["api_key"].value is True
    assert "secret" not in repr(found)
    assert listed()["api_key"].value is False


@pytest.mark.parametrize(
    "told",
    [
        {"coder": {"roles": ["code", "tools"]}},
        {"gemma": {"scores": {"chat": 0.9}}},
        {"a": {"roles": ["code"], "scores": {"math": 0.4}}, "b": {"roles": ["chat"]}},
        {},
    ],
)
def test_roles_are_listed_as_they_can_be_read_again(told: dict[str, Any]) -> None:
    settings = Settings.model_validate({"roles": told})
    [roles] = [one for one in all_settings(settings, []) if one.name == "roles"]

    assert roles.value == told


def test_what_a_command_takes_is_no_change() -> None:
    layers = [Layer(kind="command", values={"unload_at_exit": False})]
    [found] = [one for one in all_settings(Settings(), layers) if one.name == "unload_at_exit"]

    assert not found.changed
    assert [one.kind for one in found.origins] == ["command", "default"]


def test_bans_of_two_files_are_added_up() -> None:
    layers = [Layer(kind=kind, values={"deny": ["a"]}) for kind in ("project", "user")]
    found = {one.name: one.added for one in all_settings(Settings(), layers)}

    assert found.pop("deny")
    assert not any(found.values())
