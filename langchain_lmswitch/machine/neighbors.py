"""Other processes of ours that use the same host: who loads, who uses what, who is about to go."""

import asyncio
import hashlib
import json
import logging
import os
import re
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from langchain_lmswitch.machine.marks import Marks, lock_at

log: logging.Logger = logging.getLogger(__name__)

POLL_S: Final = 0.05
"""Between two looks at what another process does."""

_PRESENT: Final = "present"
_CLOSED: Final = "closed.json"
_TURN: Final = "turn.lock"


class TurnTimeout(Exception):  # noqa: N818 - what has happened is its own name
    """Another process has had the turn for longer than somebody would wait."""


class Neighbors:
    """What processes that share a host tell each other, by files in one folder.

    1. One at a time loads and unloads: it has the turn.
    2. Whoever uses an instance says so before, and nobody else unloads it.
    3. Whoever has the turn may close instances: nobody begins to use them until the turn is over.
       Closing comes before looking who uses one, and beginning to use one before looking whether
       it is closed: of two that do so at once, at least one sees the other.

    All of this ends with the process that said it, even if it is killed.

    Args:
        folder: The host's; `None` for a host that no other process can reach.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._marks = Marks(folder) if folder else None
        self._closing: set[str] = set()

    @asynccontextmanager
    async def turn(
        self, *, within_s: float, waiting: Callable[[], None] = lambda: None
    ) -> AsyncGenerator[None, None]:
        """Wait for the turn, and have it while inside.

        Args:
            within_s: The longest wait.
            waiting: Called if it is not free at once.

        Raises:
            TurnTimeout: Another process has had it all the time.
        """
        lock = await self._turn_lock(within_s, waiting)
        try:
            yield
        finally:
            if lock:
                self._reopen()
                lock.release()

    def close(self, identifiers: Collection[str]) -> bool:
        """Keep other processes from beginning to use instances; only for who has the turn.

        Returns:
            Whether no other process uses or holds any of them now.
        """
        more = set(identifiers) - self._closing
        if self._folder and more:
            self._closing |= more
            with suppress(OSError):
                _write(self._folder / _CLOSED, sorted(self._closing))
        return not any(self.used(one) or self.held(one) for one in identifiers)

    def closed(self, identifier: str) -> bool:
        """Tell whether another process has closed an instance."""
        if self._folder is None or self._closing:
            return False
        try:
            text = (self._folder / _CLOSED).read_bytes()
            return identifier in json.loads(text) and self._somebody_has_the_turn()
        except (OSError, ValueError):
            return False

    async def opened(self, identifier: str) -> None:
        """Wait until no other process has closed an instance."""
        while self.closed(identifier):  # noqa: ASYNC110 - no other process sets an event of ours
            await asyncio.sleep(POLL_S)

    def start_using(self, identifier: str, *, hold: bool = False) -> bool:
        """Say that this process uses an instance; `False` if another one has closed it.

        A `hold` lasts as long as somebody wants: nobody should wait for its end.
        """
        if self._marks is None:
            return True
        self.arrive()
        is_new = self._marks.set(_name(identifier, hold=hold))
        if not self.closed(identifier):
            return True
        if is_new:
            self.stop_using(identifier, hold=hold)
        return False

    def stop_using(self, identifier: str, *, hold: bool = False) -> None:
        """Say that this process uses an instance no more; safe to repeat."""
        if self._marks:
            self._marks.clear(_name(identifier, hold=hold))

    def used(self, identifier: str) -> bool:
        """Tell whether another process uses an instance."""
        return self._marks is not None and self._marks.others(_name(identifier, hold=False))

    def held(self, identifier: str) -> bool:
        """Tell whether another process holds an instance."""
        return self._marks is not None and self._marks.others(_name(identifier, hold=True))

    def users(self, identifier: str) -> tuple[int, ...]:
        """List the processes that use or hold an instance, by their ids; see `Marks.holders`.

        It only looks: nothing is made, and nobody has to wait for it.
        """
        if self._marks is None:
            return ()
        names = [_name(identifier, hold=hold) for hold in (False, True)]
        return tuple(sorted({pid for name in names for pid in self._marks.holders(name)}))

    def arrive(self) -> None:
        """Say that this process uses the host; safe to repeat."""
        if self._marks:
            self._marks.set(_PRESENT)

    @property
    def alone(self) -> bool:
        """Whether no other process uses the host."""
        return self._marks is None or not self._marks.others(_PRESENT)

    def leave(self) -> None:
        """Say that this process uses nothing any more; the last one takes the folder away.

        What somebody makes in it at this very moment stays.
        """
        if self._folder is None or self._marks is None:
            return
        self._marks.clear_all()
        if self.alone:
            with suppress(OSError):
                _tidy_up(self._folder, self._marks)

    async def _turn_lock(self, within_s: float, waiting: Callable[[], None]) -> FileLock | None:
        if self._folder is None:
            return None
        self.arrive()
        try:
            if lock := _free(self._folder):
                return lock
            waiting()
            async with asyncio.timeout(within_s):
                while not (lock := _free(self._folder)):  # noqa: ASYNC110 - as above
                    await asyncio.sleep(POLL_S)
                return lock
        except TimeoutError:
            raise TurnTimeout from None
        except OSError as error:
            log.debug("No turns can be taken in %s: %s", self._folder, error)
            return None

    def _reopen(self) -> None:
        self._closing = set()
        if self._folder:
            with suppress(OSError):
                (self._folder / _CLOSED).unlink()

    def _somebody_has_the_turn(self) -> bool:
        """Tell so; if nobody has, who closed something ended in the middle of it."""
        if self._folder is None or not (lock := _free(self._folder)):
            return True
        self._reopen()
        lock.release()
        return False


def meeting_place(run_home: Path, address: str) -> Path:
    """Name the folder where this user's processes meet that use a host."""
    return run_home / "hosts" / place(address)


def place(address: str) -> str:
    """Write an address, with or without its port, as the name of a file; this computer has one."""
    here = re.sub(r"^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=:|$)", "loopback", address)
    return re.sub(r"[^\w.-]", "_", here)


def _free(folder: Path) -> FileLock | None:
    """Take the turn, if it is free."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = lock_at(folder / _TURN)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


def _tidy_up(folder: Path, marks: Marks) -> None:
    """Remove a folder, if nobody has the turn and nobody has set a mark."""
    for place in [one for one in folder.iterdir() if one.is_dir()]:
        marks.others(place.name)  # it takes away what killed processes have left
        place.rmdir()
    if lock := _free(folder):
        (folder / _TURN).unlink()
        lock.release()
        folder.rmdir()


def _write(path: Path, identifiers: list[str]) -> None:
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(identifiers), "utf-8")
    draft.replace(path)


def _name(identifier: str, *, hold: bool) -> str:
    # Identifiers may hold what no file name can.
    digest = hashlib.sha256(identifier.encode()).hexdigest()[:20]
    return f"{'held' if hold else 'used'}-{digest}"
