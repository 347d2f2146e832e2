"""`lmswitch status --watch`: one look after the other, and nobody is kept by it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.errors import HostLost
from langchain_lmswitch.testing import FixedMachine, ScriptedHost
from langchain_lmswitch.types.models import Resident

_ALTERNATE = b"\x1b[?1049h"
_BACK = b"\x1b[?1049l"


class Shaky(ScriptedHost):
    """Loses the connection at its second listing."""

    async def residents(self) -> list[Resident]:
        found = await super().residents()
        if len(self.called("residents")) == 2:
            raise HostLost(self.address, reason="it closed the connection")
        return found


def run(host: ScriptedHost, *args: str) -> Result:
    session = Session(host=host, monitor=FixedMachine())
    return CliRunner().invoke(app, ["status", "--watch", "--every", "0.1", *args], obj=session)


def test_piped_watch_prints_one_record_after_the_other() -> None:
    host = ScriptedHost()

    done = run(host, "--count", "3")

    assert done.exit_code == 0
    assert len(host.called("residents")) == 3
    assert done.stdout.count(host.address) == 3
    assert "\x1b" not in done.stdout


def test_watch_as_json_prints_an_object_a_line() -> None:
    done = run(ScriptedHost(), "--count", "2", "--json")

    first, second = map(json.loads, done.stdout.splitlines())
    assert first["host"] == second["host"]
    assert second["at_s"] > first["at_s"]


def test_count_without_watch_is_refused_with_words() -> None:
    session = Session(host=ScriptedHost(), monitor=FixedMachine())

    done = CliRunner().invoke(app, ["status", "--count", "2"], obj=session)

    assert done.exit_code == 2
    assert "--count goes with --watch" in done.stderr


def test_host_that_is_lost_is_told_and_found_again() -> None:
    host = Shaky()

    done = run(host, "--count", "3", "--json")

    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert [one["trouble"] is None for one in told] == [True, False, True]
    assert told[1]["host"] is None
    assert told[1]["memory"] == told[0]["memory"]


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such terminals")
@pytest.mark.parametrize("ending", ["\x03", "signal"])
def test_watch_on_a_terminal_ends_by_ctrl_c_and_gives_the_screen_back(
    tmp_path: Path, ending: str
) -> None:
    """Whether it arrives as a key or as a signal; without color, if so wished."""
    code = (
        "from langchain_lmswitch.cli.app import app\n"
        "from langchain_lmswitch.cli.session import Session\n"
        "from langchain_lmswitch.testing import FixedMachine, ScriptedHost\n"
        "app(['status', '--watch', '--every', '30'],"
        " obj=Session(host=ScriptedHost(), monitor=FixedMachine()))"
    )
    ours, theirs = pty.openpty()
    env = {**os.environ, "LMSWITCH_HOME": str(tmp_path), "TERM": "xterm", "NO_COLOR": "1"}
    watching = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env=env
    )
    os.close(theirs)
    try:
        seen = read_until(ours, b"q ends")
        if ending == "signal":
            watching.send_signal(signal.SIGINT)
        else:
            os.write(ours, ending.encode())
        seen += read_until(ours, _BACK)
        assert watching.wait(10) == 0
    finally:
        watching.kill()
        watching.wait()
        os.close(ours)

    assert _ALTERNATE in seen
    assert b"scripted:" in seen
    assert b"\x1b[36m" not in seen


def read_until(terminal: int, words: bytes) -> bytes:
    seen, end_s = b"", time.monotonic() + 20
    while words not in seen:
        assert time.monotonic() < end_s, seen
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65536)
    return seen
