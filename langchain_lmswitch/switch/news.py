"""What happens on the way to a result, told as it happens."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from langchain_lmswitch.types.events import SwitchEvent

T = TypeVar("T")
Tell = Callable[[SwitchEvent], None]


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """The last thing told."""

    value: T


async def told(
    work: Callable[[Tell], Awaitable[T]],
) -> AsyncGenerator[SwitchEvent | Result[T], None]:
    """Yield what happens while `work` runs, then its result; closing it stops the work."""
    news: asyncio.Queue[SwitchEvent | None] = asyncio.Queue()
    running = asyncio.ensure_future(work(news.put_nowait))
    running.add_done_callback(lambda _: news.put_nowait(None))
    try:
        while (event := await news.get()) is not None:
            yield event
        yield Result(running.result())
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
