"""Loading a model before it is asked for, for as long as nobody wants anything else."""

import asyncio
import logging
import uuid
from collections.abc import Callable

from langchain_lmswitch.errors import LMSwitchError
from langchain_lmswitch.switch.grants import Grants
from langchain_lmswitch.switch.loads import Loads
from langchain_lmswitch.switch.wishes import Wish
from langchain_lmswitch.types.models import ModelCard

log: logging.Logger = logging.getLogger(__name__)


class Prefetching:
    """Loads one model ahead; confined to the portal's loop.

    1. It begins only while no request of this process uses or waits for anything.
    2. It makes nobody leave who is in use, or was lately; see `Loads`. It waits for nobody.
    3. A request for another model ends it; one for the same model joins the load.
    4. What goes wrong is nobody's affair: the request to come will tell.
    """

    def __init__(self, grants: Grants, loads: Loads, *, is_idle: Callable[[], bool]) -> None:
        self._grants = grants
        self._loads = loads
        self._is_idle = is_idle
        self._task: asyncio.Task[None] | None = None
        self._key = ""

    def start(self, card: ModelCard) -> bool:
        """Begin to load a model; `False` if there is other work, or another one is on its way."""
        if self._task and not self._task.done():
            return self._key == card.key
        if not self._is_idle():  # 1
            return False
        self._key = card.key
        self._task = asyncio.create_task(self._load(card), name=f"lmswitch ahead {card.key:.60}")
        return True

    def give_way(self, key: str) -> None:
        """End it for a request that wants the model `key`."""
        if not self._task or self._task.done():
            return
        coming = self._loads.coming
        if not (coming and coming.spec.key == key == self._key):  # 3
            self._task.cancel()

    async def _load(self, card: ModelCard) -> None:
        call = uuid.uuid4().hex
        wish = Wish(card=card, needed_tokens=0, tell=lambda _: None, call=call, ahead=True)
        try:
            await self._grants.acquire(wish)
        except LMSwitchError as error:  # 4
            log.debug("%s was not loaded ahead: %s", card.key, error)
        finally:
            self._grants.release(call)
