"""Measures a machine four times a second, and tells when something has changed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from langchain_lmswitch.machine.changes import differs
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.types.machine import Snapshot

_logger = logging.getLogger(__name__)

PERIOD_S: Final = 0.25
"""Four looks a second took 0.3 % of one core with an H200, and showed what came or went there
within 0.24 s."""
DEADLINE_S: Final = 3.0
"""Longer than a command-line tool may take."""

Listener = Callable[[Snapshot], None]
"""Is told of a change, on the sampler's loop; must return at once."""

Ask = Callable[[Callable[[], Snapshot]], Awaitable[Snapshot]]
"""Runs what may block, without blocking the loop."""


async def in_thread(measure: Callable[[], Snapshot]) -> Snapshot:
    """Run it in a thread of the loop's own pool; see `Ask`."""
    return await asyncio.to_thread(measure)


class Sampler:
    """Publishes the snapshots of a monitor that differ; decides nothing.

    1. It lives on one event loop from `start` to `stop`, as a timer: nothing is left behind when
       the loop ends.
    2. A quick monitor is asked on the loop itself: a thread costs several times the measurement.
    3. Any other is asked in a thread, once at a time: a measurement that hangs delays the next,
       and after its deadline `latest` is unknown.

    Args:
        monitor: Measures the machine.
        period_s: Seconds between measurements.
        deadline_s: Seconds after which one that is not done is given up on.
        ask: How to call a monitor that may block.
    """

    def __init__(
        self,
        monitor: Monitor,
        *,
        period_s: float = PERIOD_S,
        deadline_s: float = DEADLINE_S,
        ask: Ask = in_thread,
    ) -> None:
        self._monitor = monitor
        self._period_s = period_s
        self._deadline_s = deadline_s
        self._ask = ask
        self._listeners: list[Listener] = []
        self._told: Snapshot | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.Handle | None = None
        self._probe: asyncio.Task[Snapshot] | None = None
        self._probe_is_valid = True
        self.latest: Snapshot | None = None
        """The last measurement, whether published or not; `None` if it is unknown or invalid."""

    @property
    def is_running(self) -> bool:
        """Whether it has been started and not stopped, nor ended with its loop."""
        return self._loop is not None and not self._loop.is_closed()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every change from now on, until what this returns is called."""
        self._listeners.append(listener)
        return lambda: self._forget(listener)

    def start(self) -> None:
        """Measure from now on; does nothing if it does already.

        The first measurement is published in any case.
        """
        if self.is_running:
            return
        self._loop = asyncio.get_running_loop()
        self._told, self._probe = None, None  # Those of a loop that has ended.
        self._timer = self._loop.call_soon(self._look)

    def stop(self) -> None:
        """Measure no more; does nothing if it is not running.

        A measurement that hangs in a thread is left to end by itself.
        """
        if self._timer is not None:
            self._timer.cancel()
        if self._probe is not None and self.is_running:
            self._probe.cancel()
        self._loop = self._timer = self._probe = self.latest = None

    def invalidate(self) -> None:
        """Measure at once: something has just been loaded or unloaded.

        A measurement that is under way began before that, and is thrown away.
        """
        self.latest = None
        if self._probe is not None:
            self._probe_is_valid = False
        else:
            self._look_in(0)

    def _look_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._loop is not None and self.is_running:
            self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        if self._monitor.quick:  # 2
            self._take(self._monitor.snapshot)
            self._look_in(self._period_s)
        elif self._loop is not None:  # 3
            self._probe_is_valid = True
            self._probe = self._loop.create_task(self._measure())
            self._probe.add_done_callback(self._answered)
            self._timer = self._loop.call_later(self._deadline_s, self._give_up)

    async def _measure(self) -> Snapshot:
        return await self._ask(self._monitor.snapshot)

    def _give_up(self) -> None:
        self.latest = None

    def _answered(self, probe: asyncio.Task[Snapshot]) -> None:
        if probe is not self._probe:
            return  # It was stopped.
        self._probe = None
        if self._probe_is_valid:
            self._take(probe.result)
        self._look_in(self._period_s if self._probe_is_valid else 0)

    def _take(self, measured: Callable[[], Snapshot]) -> None:
        try:
            self.latest = now = measured()
        except Exception as error:  # noqa: BLE001 - a monitor's fault makes memory unknown, no more
            _logger.debug("The monitor raised %r", error)
            self.latest = None
            return
        if self._told is None or differs(self._told, now):
            self._told = now
            self._publish(now)

    def _publish(self, snapshot: Snapshot) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(snapshot)
            except Exception as error:  # noqa: BLE001 - one listener's fault is not the others'
                kind = type(error).__name__
                _logger.warning("A listener to the machine's memory failed: %s", kind)

    def _forget(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)
