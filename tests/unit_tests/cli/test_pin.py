"""`lmswitch pin`: who is never unloaded to make room, in any process."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.guard import NO_MODEL, USAGE
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.errors import NotEnoughMemory
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card, served

MIB = 2**20


def run(host: ScriptedHost | None, *args: str) -> Result:
    session = Session(host=host, monitor=FixedMachine())
    return CliRunner().invoke(app, ["pin", *args], obj=session)


def host() -> ScriptedHost:
    return ScriptedHost(["coder-7b", "coder-1b", "chat-8b", card("embed", kind="embedding")])


def pins(on: ScriptedHost | None) -> list[str]:
    found: list[str] = json.loads(run(on, "--json").stdout)["by_hand"]
    return found


def test_pins_are_set_listed_and_taken_off() -> None:
    on = host()
    assert "No model is pinned." in run(on).stderr
    assert run(on, "chat").stdout == "chat-8b is pinned.\n"
    assert run(on, "chat-8b").stdout == "chat-8b is pinned already.\n"
    assert run(on, "embed").exit_code == 0
    assert pins(on) == ["chat-8b", "embed"]
    assert run(on, "CHAT", "--off").stdout == "chat-8b may be unloaded to make room again.\n"
    assert pins(on) == ["embed"]
    assert on.called("load") == []


def test_pins_of_tables_are_listed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_MODELS", '{"coder*": {"pin": true}, "chat": {"pin": false}}')
    on = host()
    run(on, "chat")
    rows = [line.split(maxsplit=1) for line in run(on).stdout.splitlines()[2:]]

    assert [row[0] for row in rows] == ["chat-8b", "coder*"]
    assert rows[1][1] == '[models."coder*"] in your settings'


@pytest.mark.parametrize("args", [["nobody"], ["coder"]])
def test_a_name_that_is_none_or_several_is_refused(args: list[str]) -> None:
    assert run(host(), *args).exit_code == NO_MODEL


def test_what_is_not_pinned_cannot_be_taken_off() -> None:
    on = host()
    for name in ("coder-7b", "coder-1b"):
        run(on, name)
    several, none = run(on, "coder", "--off"), run(on, "chat", "--off")

    assert (several.exit_code, none.exit_code) == (USAGE, USAGE)
    assert "'coder' may be several. Pinned by hand: coder-7b, coder-1b." in several.stderr
    assert "'chat' is not pinned by hand." in none.stderr
    assert run(on, "--off").exit_code == USAGE


def test_pin_as_json() -> None:
    told = {"model": "chat-8b", "pinned": True, "changed": True}
    on = host()
    assert json.loads(run(on, "chat", "--json").stdout) == told
    assert json.loads(run(on, "chat", "--json").stdout) == {**told, "changed": False}


def test_listing_and_taking_off_need_no_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMSWITCH_HOME", str(tmp_path))
    path = tmp_path / "pins" / "loopback.json"
    path.parent.mkdir()
    path.write_text('["coder-7b"]', "utf-8")

    assert pins(None) == ["coder-7b"]
    assert run(None, "coder", "--off").exit_code == 0
    assert pins(None) == []
    assert not (tmp_path / "run").exists()


def test_two_processes_respect_one_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process pins a model, and another one does not unload it until the pin is off."""
    cards = [card(key, size_bytes=400 * MIB, max_context_tokens=1024) for key in ("a-1b", "b-1b")]
    with served(ScriptedHost(cards)) as at:
        where = {
            "LMSWITCH_HOME": str(tmp_path),
            "LMSWITCH_BUDGET_BYTES": str(900 * MIB),
            "LMSWITCH_BASE_URL": at.host_port,
            "LMSWITCH_API_KEY": at.token,
            "LMSWITCH_REMEMBER": "false",
            "LMSWITCH_EMBEDDER": "off",
        }
        for name, value in where.items():
            monkeypatch.setenv(name, value)
        llm: Any = ChatLMSwitch()
        llm.preload("a-1b")
        command = [sys.executable, "-m", "langchain_lmswitch", "pin", "a-1b"]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own
        with pytest.raises(NotEnoughMemory, match="lmswitch/a-1b may not be unloaded"):
            llm.preload("b-1b")
        assert llm.explain("Hello", model="b-1b").candidates[0].fits is False

        assert run(None, "a-1b", "--off").exit_code == 0
        # Not loaded: it would be waited for real memory to come back.
        assert llm.explain("Hello", model="b-1b").candidates[0].fits is True
        llm.unload()
