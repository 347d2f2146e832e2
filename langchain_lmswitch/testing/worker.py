"""A model of a scripted host in the place of a worker process."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from langchain_lmswitch.errors import UnknownModel
from langchain_lmswitch.testing.tokens import ids
from langchain_lmswitch.types.events import PredictEvent
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

if TYPE_CHECKING:
    from langchain_lmswitch.embedded.worker import WorkerSpec
    from langchain_lmswitch.testing.host import ScriptedHost
    from langchain_lmswitch.types.models import Resident


class ScriptedWorker:
    """All that the embedded host asks of a `Worker`, asked of a scripted host instead.

    So whatever is scripted there, and recorded there, is so for clients on the wire too.

    Args:
        spec: What the server wanted to load.
        host: Where the model is in memory.
        resident: The model.
        stays: Whether it stays there when the server lets go of it.
    """

    def __init__(
        self,
        spec: "WorkerSpec",
        host: "ScriptedHost",
        resident: "Resident",
        *,
        stays: Callable[[], bool],
    ) -> None:
        self.spec = spec
        self.pid: int = os.getpid()
        self.context_tokens: int = resident.context_tokens
        self.active: int = 0
        """Answers under way."""
        self._host = host
        self._identifier = resident.identifier
        self._stays = stays
        self._gone = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        host.places.when_gone(resident.identifier, self._tell_gone)

    async def predict(self, request: PredictRequest) -> AsyncGenerator[PredictEvent, None]:
        """Stream the scripted reply."""
        self.active += 1
        try:
            async with aclosing(self._host.told(self._identifier, request)) as events:
                async for event in events:
                    yield event
        finally:
            self.active -= 1

    async def tokenize(self, text: str) -> list[int]:
        """Split into the scripted tokens."""
        await self._host.count_tokens(self._identifier, text)
        return ids(text)

    async def render(
        self, messages: Sequence[JsonObject], *, tools: Sequence[JsonObject] = ()
    ) -> str:
        """Put a conversation through the scripted template."""
        return await self._host.render(self._identifier, messages, tools=tools)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Make the scripted vectors."""
        return await self._host.embed(self._identifier, texts)

    @property
    def status(self) -> str:
        """`idle` or `generating`."""
        return "generating" if self.active else "idle"

    async def wait_exit(self) -> int | None:
        """Wait until the model has left memory, whoever ended it."""
        await self._gone.wait()
        return None

    async def stop(self) -> None:
        """Unload the model, unless it stays; may be repeated."""
        if not self._stays():
            with suppress(UnknownModel):
                await self._host.unload(self._identifier)
        self._gone.set()

    def _tell_gone(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: this server has stopped long ago
            self._loop.call_soon_threadsafe(self._gone.set)
