"""A channel as its endpoint sees it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from langchain_lmswitch.embedded.protocol.failures import CanceledError

T = TypeVar("T")


class Channel:
    """Takes packets for the client, and hears when it cancels."""

    def __init__(self, post: Callable[[dict[str, Any]], None]) -> None:
        self.post = post
        """Send a packet; never waits."""
        self.canceled: asyncio.Event = asyncio.Event()

    async def until_canceled(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work, or stop it as soon as the client cancels.

        Raises:
            CanceledError: The client canceled first.
        """
        task = asyncio.ensure_future(work)
        cancel = asyncio.ensure_future(self.canceled.wait())
        try:
            await asyncio.wait({task, cancel}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise CanceledError
        finally:
            cancel.cancel()
            await _stop(task)


async def _stop(task: asyncio.Future[Any]) -> None:
    """Cancel a task and wait until it has cleaned up."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()
