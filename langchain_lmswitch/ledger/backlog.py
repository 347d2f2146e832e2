"""Records on their way to the disk, and the thread that takes them there."""

import atexit
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from langchain_lmswitch.ledger.base import Record

_GATHER_S: Final = 0.05
"""How long a record waits for others, to be written with them."""
_EXIT_S: Final = 2.0


class Backlog:
    """Takes records at once, and has them written by one thread, several at a time.

    Args:
        write: Writes some records, in that thread; it never raises.
    """

    def __init__(self, write: Callable[[Sequence[Record]], None]) -> None:
        self._write = write
        self._changed = threading.Condition()
        self._hurry = threading.Event()
        self._waiting: list[Record] = []
        self._in_hand: list[Record] = []
        self._thread: threading.Thread | None = None
        self._end = threading.Event()

    def put(self, record: Record) -> None:
        """Take a record; the thread is started if there is none."""
        with self._changed:
            self._waiting.append(record)
            if self._thread is None:
                self._start()
            self._changed.notify_all()

    def unwritten(self, *, in_hand: bool) -> list[Record]:
        """List what still waits; and what is being written, if that is wanted."""
        with self._changed:
            return [*(self._in_hand if in_hand else ()), *self._waiting]

    def written(self) -> None:
        """Note that what was being written is written."""
        with self._changed:
            self._in_hand = []
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all is written; `False` if it took too long."""
        self._hurry.set()
        with self._changed:
            return self._changed.wait_for(self._empty, timeout_s)

    def close(self, timeout_s: float) -> None:
        """Have all written and end the thread; putting starts another one."""
        self._hurry.set()
        with self._changed:
            thread, self._thread = self._thread, None
            self._end.set()
            self._changed.notify_all()
        if thread is not None:
            thread.join(timeout_s)
        atexit.unregister(self._at_exit)

    def _start(self) -> None:
        self._end = threading.Event()
        thread = threading.Thread(
            target=self._work, args=(self._end,), name="lmswitch-ledger", daemon=True
        )
        with suppress(RuntimeError):  # the process is ending, and takes what is noted with it
            thread.start()
            self._thread = thread
            atexit.register(self._at_exit)

    def _work(self, end: threading.Event) -> None:
        while self._wait(end):
            self._hurry.wait(_GATHER_S)
            self._hurry.clear()
            with self._changed:
                self._in_hand, self._waiting = self._waiting, []
            self._write(self._in_hand)
            self.written()

    def _wait(self, end: threading.Event) -> bool:
        """Wait for records; `False` if it is closed and there are none."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or end.is_set())
            return bool(self._waiting)

    def _empty(self) -> bool:
        return not self._waiting and not self._in_hand

    def _at_exit(self) -> None:
        self.close(_EXIT_S)
