"""Workers on their way out, each stopped once and to its end."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_lmswitch.embedded.worker import Worker


class Departures:
    """Stops workers; who gives up waiting for one does not hold it up."""

    def __init__(self) -> None:
        self._stops: set[asyncio.Task[None]] = set()

    async def stop(self, worker: "Worker") -> None:
        """Stop a worker and wait until its memory is back; the stop goes on if we are cancelled."""
        stop = asyncio.create_task(worker.stop())
        self._stops.add(stop)
        stop.add_done_callback(self._stops.discard)
        await asyncio.shield(stop)

    async def over(self) -> None:
        """Wait until the last one has gone."""
        while self._stops:
            await asyncio.wait(self._stops)
