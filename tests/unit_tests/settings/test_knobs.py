"""Settings: defaults, the environment, and what is refused."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from langchain_lmswitch.errors import BadSettings
from langchain_lmswitch.settings import ModelSettings, Settings
from langchain_lmswitch.types.tasks import Role

pytestmark = pytest.mark.usefixtures("desk")


def test_defaults_ask_for_nothing() -> None:
    """Without any setting a host is looked for, and there is no token."""
    settings = Settings()

    assert settings.base_url is None
    assert settings.api_key is None
    assert settings.models == ()
    assert settings.model_folders == ()
    assert settings.evict_foreign is False
    assert settings.evict_helpers is False


LISTS = {"allow", "deny", "roles"}


@pytest.mark.parametrize(
    "name", sorted(set(Settings.model_fields) - {"api_key", "models", "model_folders", *LISTS})
)
def test_every_field_has_its_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each field is read from `LMSWITCH_<NAME>`."""
    values = {
        "base_url": "far:1234",
        "home": "/tmp/x",  # noqa: S108
        "evict_foreign": "true",
        "evict_helpers": "true",
        "unload_at_exit": "false",
        "remember": "false",
        "learn": "false",
        "explore": "0.25",
        "parallel": "7",
        "refine": "chat",
        "context": "observe",
        "on_overflow": "raise",
    }
    given = values.get(name, "12345")
    monkeypatch.setenv(f"LMSWITCH_{name.upper()}", given)

    assert str(getattr(Settings(), name)).lower().removesuffix(".0") == given


@pytest.mark.parametrize("variable", ["LMSWITCH_API_KEY", "LM_API_TOKEN"])
def test_token_from_either_variable(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "sk-lm-secret")

    settings = Settings()

    assert settings.api_key == SecretStr("sk-lm-secret")
    assert "secret" not in repr(settings)


def test_own_token_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_API_KEY", "ours")
    monkeypatch.setenv("LM_API_TOKEN", "theirs")

    assert Settings().api_key == SecretStr("ours")


def test_argument_wins_over_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_CONTEXT_TOKENS", "1024")
    monkeypatch.setenv("LM_API_TOKEN", "theirs")

    settings = Settings(context_tokens=2048, api_key=SecretStr("mine"))

    assert (settings.context_tokens, settings.api_key) == (2048, SecretStr("mine"))


def test_model_folders_are_separated_as_in_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty parts are left out."""
    monkeypatch.setenv("LMSWITCH_MODEL_FOLDERS", os.pathsep.join(["/a", "", "/b c"]))

    assert Settings().model_folders == (Path("/a"), Path("/b c"))


@pytest.mark.parametrize("name", ["allow", "deny"])
def test_models_are_separated_by_commas(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty parts are left out."""
    monkeypatch.setenv(f"LMSWITCH_{name.upper()}", "qwen*, ,llama 3,")

    assert getattr(Settings(), name) == ("qwen*", "llama 3")
    assert getattr(Settings.model_validate({name: ["a"]}), name) == ("a",)


def test_roles_are_a_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_ROLES", '{"coder": ["code"], "gemma": {"chat": 0.9}}')
    expected = (Role(models="coder", task="code"), Role(models="gemma", task="chat", score=0.9))

    assert Settings().roles == expected
    assert Settings(roles=expected).roles == expected
    assert hash(Settings()) == hash(Settings())


def test_models_are_a_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    said = '{"coder": {"roles": "code", "scores": {"math": 0.4}, "pin": true}, "*": {"ttl_s": 60}}'
    monkeypatch.setenv("LMSWITCH_MODELS", said)
    coder = ModelSettings(models="coder", roles=("code",), scores=(("math", 0.4),), pin=True)

    assert Settings().models == (coder, ModelSettings(models="*", ttl_s=60))
    assert hash(Settings()) == hash(Settings())


def test_roles_of_models_follow_those_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said first counts first: a single model's own roles are said after `roles`."""
    monkeypatch.setenv("LMSWITCH_ROLES", '{"gemma": {"chat": 0.9}}')
    monkeypatch.setenv("LMSWITCH_MODELS", '{"coder": {"roles": ["code"], "scores": {"math": 0.4}}}')

    assert Settings().all_roles == (
        Role(models="gemma", task="chat", score=0.9),
        Role(models="coder", task="code"),
        Role(models="coder", task="math", score=0.4),
    )


@pytest.mark.parametrize(
    "wrong", ["coder", "3", '{"coder": ["cook"]}', '{"coder": {"code": 2}}', '{"coder": 1}']
)
def test_roles_that_cannot_be_read(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_ROLES", wrong)

    with pytest.raises(BadSettings, match="ROLES"):
        Settings()


def test_folders_under_home() -> None:
    settings = Settings(home=Path("/data"))

    assert settings.models_home == Path("/data/models")
    assert settings.run_home == Path("/data/run")


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("5", 5),
        ("1_000", 1000),
        ("2GiB", 2 * 2**30),
        ("1.5 GB", 1_500_000_000),
        ("300M", 300_000_000),
    ],
)
def test_bytes_may_have_a_unit(said: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_BUDGET_BYTES", said)

    assert Settings(headroom_bytes=said).headroom_bytes == number  # type: ignore[arg-type]
    assert Settings().budget_bytes == number


def test_bytes_without_a_number_are_told_their_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_BUDGET_BYTES", "lots")

    with pytest.raises(BadSettings, match="with a unit such as 16GiB"):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("context_tokens", "255"),
        ("parallel", "0"),
        ("parallel", "65"),
        ("ttl_s", "0"),
        ("headroom_bytes", "-1"),
        ("load_timeout_s", "0"),
        ("queue_limit", "0"),
        ("timeout_s", "-3"),
        ("linger_s", "-1"),
        ("threads", "0"),
        ("threads", "many"),
    ],
)
def test_nonsense_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"LMSWITCH_{name.upper()}", value)

    with pytest.raises(BadSettings, match=name.upper()):
        Settings()


def test_unknown_argument_is_refused() -> None:
    with pytest.raises(BadSettings, match="contxt_tokens"):
        Settings(contxt_tokens=1024)  # type: ignore[call-arg]


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().parallel = 2
