"""The parent's hold on a worker process: start it, hear its lines, see it end."""

import asyncio
import json
import logging
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, cast

CHILD = "langchain_lmswitch.embedded.worker.child"
LAST_WORDS_BYTES = 8000
"""End of standard error that is kept for an error message."""
END_S, TERMINATE_S, KILL_S = 2.0, 1.0, 5.0
"""How long to wait for the end after closing its input, after SIGTERM and after SIGKILL."""

_log = logging.getLogger(__name__)


class WorkerProcess:
    """A running child; it ends by itself when its standard input is closed."""

    def __init__(self, process: Process) -> None:
        self.pid: int = process.pid
        self._process = process
        self._stdin = cast("asyncio.StreamWriter", process.stdin)
        self._stdout = cast("asyncio.StreamReader", process.stdout)
        self._stderr = cast("asyncio.StreamReader", process.stderr)
        self._words = b""
        self._ended = asyncio.create_task(self._watch(), name=f"worker-{process.pid}")

    @classmethod
    async def spawn(cls, launch: Mapping[str, Any]) -> "WorkerProcess":
        """Start a separate interpreter and tell it what to load."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", CHILD),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, "OMP_WAIT_POLICY": "passive"},
            start_new_session=True,
        )
        worker = cls(process)
        worker._stdin.write(json.dumps({**launch, "parent": os.getpid()}).encode() + b"\n")
        return worker

    async def lines(self) -> AsyncIterator[dict[str, Any]]:
        """What the child says on standard output, until it ends."""
        async for line in self._stdout:
            yield json.loads(line)

    @property
    def last_words(self) -> str:
        """The end of its standard error."""
        return self._words.decode(errors="replace")

    @property
    def returncode(self) -> int | None:
        """How it ended; negative is a signal; `None` while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for its end, whoever causes it; cancelling this harms nothing."""
        return await asyncio.shield(self._ended)

    async def stop(self) -> None:
        """End it: ask, then SIGTERM, then SIGKILL; bounded, whatever it is doing.

        Cancelling this skips to SIGKILL.
        """
        try:
            self._close_input()
            if await self._ends_within(END_S):
                return
            with suppress(ProcessLookupError):
                self._process.terminate()
            if await self._ends_within(TERMINATE_S):
                return
        except asyncio.CancelledError:
            await self.kill()
            raise
        await self.kill()

    async def kill(self) -> None:
        """End it at once, and return when it has ended: also to a caller who is cancelled.

        A loop that is closed over a process still to be reaped leaves a zombie and open pipes.

        Raises:
            CancelledError: The caller was cancelled meanwhile.
        """
        with suppress(ProcessLookupError):
            self._process.kill()
        cancelled, deadline_s = None, time.monotonic() + KILL_S
        while not self._ended.done() and time.monotonic() < deadline_s:
            try:
                await self._ends_within(deadline_s - time.monotonic())
            except asyncio.CancelledError as error:
                cancelled = error
        if not self._ended.done():
            _log.warning("worker process %d did not end after SIGKILL", self.pid)
        if cancelled is not None:
            raise cancelled

    async def _ends_within(self, patience_s: float) -> bool:
        done, _ = await asyncio.wait({self._ended}, timeout=patience_s)
        return bool(done)

    async def _watch(self) -> int:
        while piece := await self._stderr.read(4096):
            self._words = (self._words + piece)[-LAST_WORDS_BYTES:]
        code = await self._process.wait()
        self._close_input()
        return code

    def _close_input(self) -> None:
        self._stdin.close()
