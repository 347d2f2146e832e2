"""Errors: one paragraph, the documented exit code, no traceback."""

import errno
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from langchain_lmswitch import errors
from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.guard import exit_code
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.testing import FixedMachine, ScriptedHost
from langchain_lmswitch.types.machine import Snapshot

CODES: list[tuple[errors.LMSwitchError, int]] = [
    (errors.HostNotFound(["here"], remedy="Start it."), 3),
    (errors.HostLost("h:1", reason="gone"), 3),
    (errors.HostTimeout("h:1", doing="listing", after_s=1), 3),
    (errors.HostRejected("h:1", reason="token"), 3),
    (errors.HostFailed("h:1", doing="listing", reason="odd"), 1),
    (errors.UnknownModel("x"), 4),
    (errors.LoadFailed("x", reason="broken."), 5),
    (errors.ModelGone("x", reason="crashed"), 1),
    (errors.NoSuitableModel("chat", rejected={}, remedy="Pull one."), 4),
    (errors.ModelDenied("x", setting="deny", reason="you deny 'x'"), 4),
    (errors.NotEnoughMemory("x", needed_bytes=2, free_bytes=1), 5),
    (errors.QueueFull(limit=64), 5),
    (errors.ContextTooLong(tokens=2, limit_tokens=1), 1),
    (errors.InvalidRequest("no"), 2),
    (errors.MissingExtra("embedded", why="It needs more"), 1),
    (errors.TooOld("langchain-core", needed="1.8", why="It came with it"), 1),
    (errors.DownloadFailed("x", reason="no route", remedy="Try again."), 6),
    (errors.InvalidOutput(text="{", reason="it is not JSON"), 1),
    (errors.BadModelFile("x.gguf", reason="no magic"), 1),
    (errors.BadSettings(["`x` is no setting."], remedy="Correct it."), 2),
]


class FailingHost(ScriptedHost):
    """A host whose listing fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def residents(self) -> list[Any]:
        raise self._error


def run(host: ScriptedHost, *args: str) -> Result:
    return CliRunner().invoke(app, args, obj=Session(host=host, monitor=FixedMachine()))


def leaves(kind: type[errors.LMSwitchError]) -> set[type[errors.LMSwitchError]]:
    """The tree as a user meets it: what the embedded host raises inside itself is not in it."""
    below = [one for one in kind.__subclasses__() if one.__module__ == errors.__name__]
    return {leaf for one in below for leaf in leaves(one)} if below else {kind}


def test_table_covers_the_whole_tree() -> None:
    assert {type(error) for error, _ in CODES} == leaves(errors.LMSwitchError)


@pytest.mark.parametrize(("error", "code"), CODES, ids=lambda one: type(one).__name__)
def test_error_ends_with_its_exit_code_and_one_paragraph(
    error: errors.LMSwitchError, code: int
) -> None:
    done = run(FailingHost(error), "status")

    assert exit_code(error) == code
    assert done.exit_code == code
    assert done.stdout == ""
    assert done.stderr == f"lmswitch: {error}\n"


def test_a_folder_that_cannot_be_written_is_told_with_who_tells_more() -> None:
    error = PermissionError(errno.EACCES, "Permission denied", "/some/where")

    done = run(FailingHost(error), "status")

    assert done.exit_code == 1
    assert done.stderr == (
        "lmswitch: Permission denied: /some/where. `lmswitch doctor` looks into what is wrong with "
        "folders and disks.\n"
    )


def test_error_in_json_is_one_object_on_stderr() -> None:
    error = errors.HostLost("h:1", reason="[red]gone")

    done = run(FailingHost(error), "status", "--json")

    assert done.exit_code == 3
    assert done.stdout == ""
    assert json.loads(done.stderr) == {"error": "HostLost", "message": str(error)}


def test_debug_raises_the_error_itself() -> None:
    error = errors.HostLost("h:1", reason="gone")

    assert run(FailingHost(error), "--debug", "status").exception is error


def test_interrupt_ends_with_130() -> None:
    class Interrupted(FixedMachine):
        def snapshot(self) -> Snapshot:
            raise KeyboardInterrupt

    def serve(*_: object, snapshot: Any, **__: object) -> None:
        snapshot()

    session = Session(monitor=Interrupted(), serve=serve)

    assert CliRunner().invoke(app, ["serve"], obj=session).exit_code == 130


@pytest.mark.parametrize("command", ["ask", "explain"])
def test_unknown_model_names_the_nearest(command: str) -> None:
    done = run(ScriptedHost(["qwen-coder"]), command, "Hello", "--model", "qwen-coda")

    assert done.exit_code == 4
    assert "'qwen-coder'" in done.stderr


def test_no_weights_says_which_command_helps() -> None:
    done = run(ScriptedHost([]), "ask", "Hello")

    assert done.exit_code == 4
    assert "lmswitch pull starter" in done.stderr


def test_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_CONTEXT_TOKENS", "many")

    done = run(ScriptedHost(), "ask", "Hello")

    assert done.exit_code == 2
    assert done.stderr.startswith("lmswitch: LMSWITCH_CONTEXT_TOKENS cannot be 'many': ")


@pytest.mark.parametrize(
    "args", [["--base-url", "ftp://x", "models"], ["models", "--base-url", "host/path"]]
)
def test_bad_address_is_wrong_usage(args: list[str]) -> None:
    done = CliRunner().invoke(app, args)

    assert done.exit_code == 2
    assert "host:port" in done.stderr


def test_alone_it_prints_help_with_the_exit_codes() -> None:
    done = CliRunner().invoke(app, [])

    assert done.exit_code == 0
    assert "130  interrupted" in done.stdout


def test_version() -> None:
    done = CliRunner().invoke(app, ["--version"])

    assert done.exit_code == 0
    assert done.stdout.startswith("lmswitch ")
