"""One run of the doctor: every probe once, whoever wants its facts, and none for too long."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from langchain_lmswitch.cli.session import Session

F = TypeVar("F")

LONGEST_S: Final = 4.5
"""Time for everything together; what is not known by then is told as such."""
_GOODBYE_S: Final = 0.3


class Untold(Exception):  # noqa: N818 - an outcome, told by its check
    """Something cannot be looked at, since something else is wrong."""


class Examination:
    """What the probes share.

    Args:
        session: The host, the monitor and the settings, found or given.
        root: The root of the file system, for tests.
    """

    def __init__(self, session: Session, *, root: Path = Path("/")) -> None:
        self.session = session
        self.root = root
        self.leaving: AsyncExitStack = AsyncExitStack()
        """What is to be closed at the end."""
        self._under_way: dict[object, asyncio.Task[Any]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        with suppress(TimeoutError):  # a host that does not answer does not say goodbye either
            async with asyncio.timeout(_GOODBYE_S):
                await self.leaving.aclose()

    async def of(self, probe: "Callable[[Examination], Awaitable[F]]") -> F:
        """Give the facts of a probe, gathered once for all that ask."""
        if probe not in self._under_way:
            self._under_way[probe] = asyncio.ensure_future(probe(self))
        # Whoever stops waiting must not take the facts from the others.
        facts: F = await asyncio.shield(self._under_way[probe])
        return facts


async def aside(work: Callable[[], F]) -> F:
    """Do what may block, in a thread that nobody waits for when the program ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[F] = loop.create_future()

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - it is raised again where it is awaited
            _tell(loop, done, partial(done.set_exception, error))
        else:
            _tell(loop, done, partial(done.set_result, result))

    threading.Thread(target=run, name="lmswitch-doctor", daemon=True).start()
    return await done


def _tell(
    loop: asyncio.AbstractEventLoop, done: "asyncio.Future[Any]", settle: Callable[[], object]
) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(lambda: None if done.done() else settle())
