"""One load that several clients wait for."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_lmswitch.embedded.instance import Instance
    from langchain_lmswitch.embedded.shelf import ShelfModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Unloading:
    """Another model has to go first."""

    instance: "Instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """The load begins."""

    identifier: str
    model: "ShelfModel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The load is so far, from 0 to 1."""

    fraction: float


Step = Unloading | Starting | Progress
Tell = Callable[[Step], None]


class Flight:
    """A load under way; it ends early only when the last who waited for it has left."""

    def __init__(self, run: Callable[[Tell], Awaitable["Instance"]]) -> None:
        self._told: list[Step] = []
        self._listeners: list[Tell] = []
        self._task: asyncio.Task[Instance] = asyncio.ensure_future(_awaited(run, self._tell))
        self.abandoned: bool = False

    @property
    def over(self) -> bool:
        """Whether it is too late to join."""
        return self.abandoned or self._task.done()

    async def join(self, tell: Tell) -> "Instance":
        """Wait for the instance, hearing every step from the first one on."""
        for step in self._told:
            tell(step)
        self._listeners.append(tell)
        try:
            return await asyncio.shield(self._task)
        finally:
            self._listeners.remove(tell)
            if not self._listeners:
                await self.cancel()

    async def cancel(self) -> None:
        """Give the load up and wait until it has cleaned up behind itself."""
        self.abandoned = True
        self._task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await asyncio.wait({self._task})
            self._task.exception()

    def _tell(self, step: Step) -> None:
        if self._told and isinstance(step, Progress) and isinstance(self._told[-1], Progress):
            self._told.pop()
        self._told.append(step)
        for listener in tuple(self._listeners):
            listener(step)


async def _awaited(run: Callable[[Tell], Awaitable["Instance"]], tell: Tell) -> "Instance":
    return await run(tell)
