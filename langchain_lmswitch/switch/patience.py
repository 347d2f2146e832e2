"""How long a request waits for its model."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from langchain_lmswitch.errors import HostTimeout
from langchain_lmswitch.switch.wishes import Wish
from langchain_lmswitch.types.events import (
    Evicted,
    Loaded,
    LoadProgress,
    LoadStarted,
    SwitchEvent,
)


@asynccontextmanager
async def patient(wish: Wish, *, limit_s: float, address: str) -> AsyncGenerator[Wish, None]:
    """Wait inside, with the wish that is given; what brings its model nearer begins the wait anew.

    Raises:
        HostTimeout: Nothing did for `limit_s` seconds.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(limit_s) as deadline:

            def tell(event: SwitchEvent) -> None:
                nearer = isinstance(event, LoadStarted | LoadProgress | Loaded | Evicted)
                if nearer and not deadline.expired():
                    deadline.reschedule(loop.time() + limit_s)
                wish.tell(event)

            yield replace(wish, tell=tell)
    except TimeoutError:
        if not deadline.expired():
            raise
        doing = f"{wish.card.key!r} waited for its turn"
        raise HostTimeout(address, doing=doing, after_s=limit_s) from None
