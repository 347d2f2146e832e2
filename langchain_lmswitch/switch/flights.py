"""Single flight: whoever wants a load that is already under way joins it."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Listener = Callable[[Any], None]


class _Flight(Generic[T]):
    def __init__(self) -> None:
        self.task: asyncio.Task[T]
        self.listeners: dict[object, Listener] = {}
        self.abandoned = False

    def tell(self, event: object) -> None:
        for listener in list(self.listeners.values()):
            listener(event)


class Flights(Generic[T]):
    """Runs at most one piece of work per key, however many want its result."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}

    async def join(
        self,
        key: Hashable,
        work: Callable[[Listener], Coroutine[Any, Any, T]],
        *,
        listener: Listener,
    ) -> T:
        """Wait for the work under `key`, starting it if nobody has.

        `work` is given a function that tells every waiter what happens. Who is cancelled leaves
        alone; the work itself is cancelled, and waited for, when the last waiter leaves. Who
        comes while it is still stopping waits for that too, and starts it anew.
        """
        while (flight := self._flights.get(key)) is not None and flight.abandoned:
            await asyncio.wait({flight.task})
        if flight is None:
            flight = self._flights[key] = _Flight()
            flight.task = asyncio.create_task(work(flight.tell), name=f"lmswitch {key!r:.80}")
            flight.task.add_done_callback(lambda _: self._flights.pop(key, None))
        ticket = object()
        flight.listeners[ticket] = listener
        try:
            return await asyncio.shield(flight.task)
        finally:
            del flight.listeners[ticket]
            if not flight.listeners and not flight.task.done():
                flight.abandoned = True
                flight.task.cancel()
                await asyncio.wait({flight.task})
