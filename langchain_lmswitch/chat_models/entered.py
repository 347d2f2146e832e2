"""What lasts as long as a `with` or `async with` block."""

import uuid
from collections.abc import AsyncGenerator, Callable
from functools import partial
from types import TracebackType

from langchain_lmswitch.graph.outlets import OnEvent
from langchain_lmswitch.graph.waiting import aawaited, awaited
from langchain_lmswitch.switch.controls import Controls
from langchain_lmswitch.switch.news import Result, told
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.events import MemoryChanged, SwitchEvent
from langchain_lmswitch.types.models import Resident


class Watching:
    """Somebody is told of changes in memory while this is entered; see `watch`."""

    def __init__(self, controls: Controls, listener: Callable[[MemoryChanged], None]) -> None:
        self._controls = controls
        self._listener = listener
        self._stop: Callable[[], None] = lambda: None

    def __enter__(self) -> None:
        self._stop = portal().call(self._controls.subscribe(self._listener))

    def __exit__(self, *error: object) -> None:
        portal().call(_called(self._stop))

    async def __aenter__(self) -> None:
        self._stop = await portal().acall(self._controls.subscribe(self._listener))

    async def __aexit__(self, *error: object) -> None:
        await portal().acall(_called(self._stop))


async def _called(stop: Callable[[], None]) -> None:
    stop()


class Hold:
    """A model that stays loaded while this is entered; see `ControlledChatModel.hold`."""

    def __init__(self, controls: Controls, model: str, *, on_event: OnEvent | None) -> None:
        self._controls = controls
        self._model = model
        self._on_event = on_event
        self._call = uuid.uuid4().hex

    def __enter__(self) -> Resident:
        try:
            return awaited(self._news(), self._on_event)
        except BaseException:
            self._release()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()

    async def __aenter__(self) -> Resident:
        try:
            return await aawaited(self._news(), self._on_event)
        except BaseException:
            await self._arelease()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._arelease()

    def _news(self) -> AsyncGenerator[SwitchEvent | Result[Resident], None]:
        return told(partial(self._controls.hold, self._model, self._call))

    def _release(self) -> None:
        portal().call(self._controls.release(self._call))

    async def _arelease(self) -> None:
        await portal().acall(self._controls.release(self._call))
