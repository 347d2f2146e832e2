"""Watching the memory of this computer, as long as that helps anybody."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from langchain_lmswitch.errors import LMSwitchError
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.machine.sampler import Sampler
from langchain_lmswitch.switch.news import Tell
from langchain_lmswitch.types.events import MemoryChanged
from langchain_lmswitch.types.machine import Snapshot
from langchain_lmswitch.types.models import Resident

log: logging.Logger = logging.getLogger(__name__)

OnMemory = Callable[[MemoryChanged], None]

RECHECK_S: Final = 30.0
"""A host unloads what was idle for long, and does not tell; a small model leaves no trace in the
memory that is free."""


class Watch:
    """Owns the sampler of one host's board; confined to the portal's loop.

    1. It samples while a request waits, and while anything is in memory and somebody has
       subscribed: else there is nothing to be told, or nobody to tell.
    2. Local hosts only: our view says nothing of another computer's memory, and with a shared
       one we do not see the host's own limits.
    3. What changes wakes all who wait for room, and is told to subscribers and to each request
       that waits. The first measurement is no change: it wakes, since memory may have changed
       just before, and goes to subscribers only.
    4. A load or an unload of ours is measured at once.
    5. While it samples for subscribers only, it looks every `RECHECK_S` whether anything is still
       in memory.

    Args:
        monitor: Measures this computer.
        local: Whether the host's memory is this computer's.
        wake: Wakes all who wait for room.
        list_residents: Lists what is in memory; the result comes back through `note_residents`.
        measured: Is told each measurement that shows a change, before all others.
    """

    def __init__(
        self,
        monitor: Monitor,
        *,
        local: bool,
        wake: Callable[[], None],
        list_residents: Callable[[], Coroutine[Any, Any, object]],
        measured: Callable[[Snapshot], None] = lambda _: None,
    ) -> None:
        self._local = local
        self._wake = wake
        self._list = list_residents
        self._sampler = Sampler(monitor)
        self._sampler.listen(measured)
        self._sampler.listen(self._hear)
        self._waiting: dict[object, Tell] = {}
        self._subscribed: dict[object, OnMemory] = {}
        self._anything_loaded = False
        self._first = True
        self._recheck: asyncio.TimerHandle | None = None
        self._listing: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it samples now."""
        return self._sampler.is_running

    @contextmanager
    def waiting(self, tell: Tell) -> Iterator[None]:
        """Watch while inside, and tell what changes."""
        ticket = object()
        self._waiting[ticket] = tell
        self._settle()
        try:
            yield
        finally:
            del self._waiting[ticket]
            self._settle()

    def subscribe(self, listener: OnMemory) -> Callable[[], None]:
        """Tell `listener` of the memory now and of every change, until what this returns is called.

        There is silence while nothing is loaded and nobody waits.
        """
        ticket = object()
        self._subscribed[ticket] = listener
        self._look_again()

        def unsubscribe() -> None:
            self._subscribed.pop(ticket, None)
            self._settle()

        return unsubscribe

    def note_residents(self, residents: Sequence[Resident] | None) -> None:
        """Learn what is in memory: a listing just read, or `None` if it has just changed."""
        if residents is None:
            self._sampler.invalidate()  # 4
            self._look_again()
            return
        self._anything_loaded = bool(residents)
        self._settle()

    def stop(self) -> None:
        """Watch no more; who subscribed is not told any more."""
        self._subscribed.clear()
        self._settle()
        if self._listing is not None:
            self._listing.cancel()

    def _settle(self) -> None:
        heard = bool(self._waiting) or (self._anything_loaded and bool(self._subscribed))  # 1
        if not (self._local and heard):  # 2
            self._sampler.stop()
        elif not self._sampler.is_running:
            self._first = True
            self._sampler.start()
        self._plan_recheck()

    def _hear(self, snapshot: Snapshot) -> None:
        first, self._first = self._first, False
        self._wake()  # 3
        event = memory_changed(snapshot)
        told = [] if first else list(self._waiting.values())
        for tell in [*told, *self._subscribed.values()]:
            _tell(tell, event)

    def _plan_recheck(self) -> None:  # 5
        if self._recheck is not None:
            self._recheck.cancel()
            self._recheck = None
        if self._sampler.is_running and not self._waiting:
            loop = asyncio.get_running_loop()
            self._recheck = loop.call_later(RECHECK_S, self._look_again)

    def _look_again(self) -> None:
        if self._local and self._subscribed and self._listing is None:
            self._listing = asyncio.create_task(self._relist(), name="lmswitch listing")

    async def _relist(self) -> None:
        try:
            await self._list()
        except LMSwitchError as error:
            log.debug("The host does not list what is in memory: %s", type(error).__name__)
            self.note_residents(())  # Whoever uses the next host subscribes there.
        finally:
            self._listing = None


def memory_changed(snapshot: Snapshot) -> MemoryChanged:
    """Put a snapshot as the event that is told."""
    gpus = snapshot.gpus
    return MemoryChanged(
        ram_total_bytes=snapshot.ram_total_bytes,
        ram_free_bytes=snapshot.ram_free_bytes,
        gpu_free_bytes=None if gpus is None else tuple(gpu.free_bytes for gpu in gpus),
        swap_used_bytes=snapshot.swap_used_bytes,
        swap_free_bytes=snapshot.swap_free_bytes,
    )


def _tell(listener: OnMemory, event: MemoryChanged) -> None:
    try:
        listener(event)
    except Exception as error:  # noqa: BLE001 - one listener's fault is not the others'
        log.warning("A listener to memory failed: %s", type(error).__name__)
