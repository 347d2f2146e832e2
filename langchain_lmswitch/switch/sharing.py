"""Having the turn among the processes that share a host, as the switchboard wants it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from langchain_lmswitch.errors import HostTimeout
from langchain_lmswitch.machine.neighbors import Neighbors, TurnTimeout
from langchain_lmswitch.switch.surveyor import Surveyor


@asynccontextmanager
async def turn_of_ours(
    neighbors: Neighbors, surveyor: Surveyor, *, waiting: Callable[[], None] = lambda: None
) -> AsyncGenerator[None, None]:
    """Keep other processes from loading and unloading while inside.

    Args:
        neighbors: The other processes.
        surveyor: Of the host that is shared.
        waiting: Called if another process has the turn now.

    Raises:
        HostTimeout: It has had it for as long as a load may take.
    """
    within_s = surveyor.settings.load_timeout_s
    try:
        async with neighbors.turn(within_s=within_s, waiting=waiting):
            yield
    except TurnTimeout:
        doing = "waiting for another process of yours to load a model"
        raise HostTimeout(surveyor.host.address, doing=doing, after_s=within_s) from None
