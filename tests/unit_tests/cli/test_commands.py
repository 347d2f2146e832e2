"""Every command explains itself, speaks JSON, and completes names without disturbing anybody."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli import guard
from langchain_lmswitch.cli.app import app, main
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.errors import HostLost
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident

WITHOUT_JSON: Final[Mapping[str, str]] = {}
"""Commands that have no `--json`, and why; there is none."""


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Walk over all commands, groups and their members."""
    command = command or get_command(app)
    if path:
        yield " ".join(path), command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*path, name))


LEAVES: Final = [
    (path, command) for path, command in commands() if not getattr(command, "commands", None)
]


def test_there_are_commands() -> None:
    assert {"ask", "status", "learn show", "bench routing"} <= {path for path, _ in LEAVES}


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=[path for path, _ in LEAVES])
def test_each_command_speaks_json_or_has_a_reason_not_to(path: str, command: Any) -> None:
    names = {name for one in command.params for name in one.opts}

    assert ("--json" in names) != (path in WITHOUT_JSON)


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=[p for p, _ in commands()])
def test_each_command_and_each_option_explains_itself(path: str, command: Any) -> None:
    assert command.help, path
    first, _, _ = command.help.partition("\n")
    assert first.endswith((".", ":")), "one sentence first"
    silent = [
        one.opts for one in command.params if not getattr(one, "hidden", False) and not one.help
    ]
    assert silent == []


def test_help_documents_each_exit_code() -> None:
    text = CliRunner().invoke(app, ["--help"]).stdout
    codes = {
        value
        for name, value in vars(guard).items()
        if name.isupper() and isinstance(value, int) and not name.startswith("_")
    }

    lines = text.partition("Exit codes:")[2].splitlines()
    told = {int(words[0]) for line in lines if (words := line.split()) and words[0].isdigit()}
    assert told == codes | {0}
    assert set(range(7)) <= told


class Lost(ScriptedHost):
    """Does not answer any more."""

    async def cards(self) -> list[ModelCard]:
        raise HostLost(self.address, reason="nothing answers there")

    async def residents(self) -> list[Resident]:
        raise HostLost(self.address, reason="nothing answers there")


ASKED: Final = [
    ["ask", "Hello"],
    ["explain", "Hello"],
    ["models"],
    ["status"],
    ["load", "small"],
    ["unload", "small"],
    ["calibrate"],
]


@pytest.mark.parametrize("words", ASKED, ids=[words[0] for words in ASKED])
def test_errors_are_json_where_the_output_is(words: list[str]) -> None:
    session = Session(host=Lost(), monitor=FixedMachine())

    done = CliRunner().invoke(app, [*words, "--json"], obj=session)

    assert done.exit_code == 3
    assert done.stdout == ""
    assert json.loads(done.stderr.splitlines()[-1])["error"] == "HostLost"


CARDS: Final = [card("qwen-coder"), card("qwen-chat"), card("words", kind="embedding")]


def complete(host: ScriptedHost | None, line: str) -> list[str]:
    """Press Tab at the end of a line, as bash does it."""
    words = line.split(" ")
    env = {
        "_LMSWITCH_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    session = Session(host=host, monitor=FixedMachine())
    done: Result = CliRunner().invoke(app, [], obj=session, env=env, prog_name="lmswitch")
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("lmswitch ask --model qwen", ["qwen-chat", "qwen-coder"]),
        ("lmswitch explain -m qwen-co", ["qwen-coder"]),
        ("lmswitch chat --model w", []),
        ("lmswitch models w", ["words"]),
        ("lmswitch load qwen-ch", ["qwen-chat"]),
        ("lmswitch pin wo", ["words"]),
        ("lmswitch calibrate qwen-ch", ["qwen-chat"]),
        ("lmswitch pull star", ["starter"]),
        ("lmswitch ask --task cod", ["code"]),
        ("lmswitch models --task sum", ["summary"]),
        ("lmswitch stat", ["status"]),
    ],
)
def test_names_are_completed(line: str, names: list[str]) -> None:
    assert complete(ScriptedHost(CARDS), line) == names


async def test_what_is_loaded_is_completed_by_what_it_is_loaded_as() -> None:
    host = ScriptedHost(CARDS)
    await host.load(LoadSpec(key="qwen-chat", identifier="lmswitch/qwen-chat"))

    assert complete(host, "lmswitch unload lms") == ["lmswitch/qwen-chat"]


def test_completion_starts_and_loads_nothing() -> None:
    host = ScriptedHost(CARDS)

    complete(host, "lmswitch ask --model q")

    assert {call.method for call in host.calls} == {"cards"}


def test_host_that_fails_completes_nothing_and_says_nothing() -> None:
    assert complete(Lost(), "lmswitch ask --model q") == []


class Frozen(ScriptedHost):
    """Takes a question and never answers."""

    async def cards(self) -> list[ModelCard]:
        await asyncio.Event().wait()
        raise AssertionError


def test_host_that_is_frozen_keeps_nobody_waiting() -> None:
    """It would be asked for ever, were there no limit."""
    assert complete(Frozen(), "lmswitch ask --model q") == []


def test_completion_without_a_host_is_quiet_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even a wrong setting is told of in the middle of a line."""
    for name in ("LMSWITCH_HOME", "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("LMSWITCH_BASE_URL", "127.0.0.1:9")

    assert complete(None, "lmswitch ask --model q") == []
    monkeypatch.setenv("LMSWITCH_PARALLEL", "many")
    assert complete(None, "lmswitch ask --model q") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_a_stream_that_was_closed_before_the_start_is_no_mistake_of_ours(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services and `2>&-` start programs so."""
    monkeypatch.setenv("LMSWITCH_COMMAND", "")
    monkeypatch.setattr("sys.argv", ["lmswitch", "--version"])
    monkeypatch.setattr(sys, name, None)

    with pytest.raises(SystemExit) as ended:
        main()

    with getattr(sys, name) as opened:
        assert not opened.isatty()
    assert ended.value.code == 0
