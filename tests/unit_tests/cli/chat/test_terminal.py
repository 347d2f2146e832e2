"""`lmswitch chat` in a terminal of its own: a process, a keyboard, a screen."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from langchain_lmswitch.testing import ScriptedHost, served
from langchain_lmswitch.testing.replies import in_turn

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

import pty

PATIENCE_S = 60
"""Nothing is timed here: it is how long a busy machine may take before the test gives up."""


BEGIN = """
import fcntl, runpy, signal, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("langchain_lmswitch", run_name="__main__")
"""
"""Makes the terminal the one from which the process gets its signals, and begins."""


class Terminal:
    """A chat in a pseudo-terminal."""

    def __init__(self, *args: str, env: dict[str, str]) -> None:
        self._keys, ours = pty.openpty()
        self.process = subprocess.Popen(  # noqa: S603 - it is ourselves
            [sys.executable, "-c", BEGIN, "chat", *args],
            stdin=ours,
            stdout=ours,
            stderr=ours,
            env=os.environ | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"} | env,
            start_new_session=True,
        )
        os.close(ours)
        self._seen = ""

    def press(self, keys: str) -> None:
        os.write(self._keys, keys.encode())

    def wait_for(self, text: str) -> str:
        """Give all that came up to a text, since the last such wait."""
        deadline_s = time.monotonic() + PATIENCE_S
        while text not in self._seen:
            assert time.monotonic() < deadline_s, f"no {text!r} in {self._seen!r}"
            if select.select([self._keys], [], [], 1)[0]:
                self._seen += os.read(self._keys, 4096).decode(errors="replace")
        before, _, self._seen = self._seen.partition(text)
        return before

    def wait_for_prompt(self) -> None:
        self.wait_for("\x1b[?2004h")

    def close(self) -> int:
        with suppress(OSError):  # the other side has gone
            while select.select([self._keys], [], [], PATIENCE_S)[0] and os.read(self._keys, 4096):
                pass
        code = self.process.wait(PATIENCE_S)
        os.close(self._keys)
        return code


@pytest.fixture
def host() -> ScriptedHost:
    return ScriptedHost(replies=in_turn("word " * 2000, "Still here."), token_s=0.01)


@pytest.fixture
def terminal(host: ScriptedHost, tmp_path: Path) -> Iterator[Terminal]:
    with served(host) as at:
        env = {
            "LMSWITCH_BASE_URL": at.host_port,
            "LMSWITCH_API_KEY": at.token,
            "LMSWITCH_HOME": str(tmp_path),
        }
        opened = Terminal(env=env)
        yield opened
        if opened.process.poll() is None:
            opened.process.kill()


def test_ctrl_c_stops_the_answer_and_not_the_program(
    terminal: Terminal, host: ScriptedHost
) -> None:
    terminal.wait_for_prompt()
    terminal.press("Talk\r")
    terminal.wait_for("word word")
    terminal.press("unseen")
    terminal.press("\x03")
    answer = terminal.wait_for("stopped scripted-chat")
    assert "^C" not in answer
    assert "unseen" not in answer, "what is typed ahead stays out of the answer"
    terminal.wait_for_prompt()
    terminal.press("\x03And now?\r")
    terminal.wait_for("Still here.")
    terminal.wait_for_prompt()
    terminal.press("\x04")

    assert terminal.close() == 0
    assert [call.method for call in host.cancelled] == ["predict"]
    _, second = host.called("predict")
    assert second.request is not None
    roles = [one["role"] for one in second.request.messages]
    assert roles == ["user", "assistant", "user"], "what came so far is part of the conversation"
