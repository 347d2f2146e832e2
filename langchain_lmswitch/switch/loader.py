"""What is done to a host so that a model is in its memory: unload what has to go, then load."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from langchain_lmswitch.errors import HostTimeout, LoadFailed, UnknownModel
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.policy.admission import Occupant
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.history import History
from langchain_lmswitch.switch.release import Release
from langchain_lmswitch.types.events import (
    Evicted,
    Loaded,
    LoadProgress,
    LoadStarted,
    SwitchEvent,
)
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.plans import Load

log: logging.Logger = logging.getLogger(__name__)

POLL_S: Final = 0.1
"""Between two looks at what another process is doing."""

OnEvent = Callable[[SwitchEvent], None]


class Loader:
    """Does to a host what the switchboard has decided; one thing at a time."""

    def __init__(
        self, host: Host, settings: Settings, history: History, *, clock: Callable[[], float]
    ) -> None:
        self._host = host
        self._settings = settings
        self._history = history
        self._clock = clock

    async def idle(self, resident: Resident) -> bool:
        """Tell whether no process at all is using an instance now."""
        state = await self._host.state(resident.identifier)
        return state is None or state.idle

    async def evict(
        self, victims: Sequence[Occupant], release: Release, tell: OnEvent, *, room_for: str
    ) -> None:
        """Unload instances, each once it is idle; `release` learns what should come back.

        Raises:
            HostTimeout: One was not idle in time.
        """
        for victim in victims:
            resident = victim.resident
            await self._wait_until_idle(resident)
            try:
                await self._host.unload(resident.identifier)
                release.expected_bytes += victim.bytes
            except UnknownModel:
                log.debug("%s had left already", resident.identifier)
            self._history.left(resident.identifier, room_for=room_for)
            tell(Evicted(key=resident.key, identifier=resident.identifier, room_for=room_for))

    async def load(self, plan: Load, tell: OnEvent) -> Resident:
        """Load what is planned; its victims have left.

        Raises:
            LoadFailed: The host could not load it.
        """
        key, started_s = plan.spec.key, self._clock()
        tell(
            LoadStarted(
                key=key,
                evicting=tuple(one.identifier for one in plan.evict),
                expected_bytes=plan.footprint.total_bytes if plan.footprint else None,
            )
        )
        with self._history.loading(plan, tell) as heard:
            resident = await self._load(
                plan.spec, lambda part: heard(LoadProgress(key=key, fraction=part))
            )
        tell(
            Loaded(
                key=key,
                identifier=resident.identifier,
                context_tokens=resident.context_tokens,
                load_s=self._clock() - started_s,
            )
        )
        return resident

    async def _load(self, spec: LoadSpec, on_progress: Callable[[float], None]) -> Resident:
        try:
            return await self._host.load(spec, on_progress=on_progress)
        except LoadFailed as failure:
            return await self._loaded_by_another_process(spec, failure)

    async def _wait_until_idle(self, victim: Resident) -> None:
        """Another process may be using what we loaded; its answer is not cut off."""
        deadline_s = self._clock() + self._settings.load_timeout_s
        while not await self.idle(victim):
            if self._clock() > deadline_s:
                raise HostTimeout(
                    self._host.address,
                    doing=f"waiting for {victim.identifier!r} to finish its answers",
                    after_s=self._settings.load_timeout_s,
                )
            await asyncio.sleep(POLL_S)

    async def _loaded_by_another_process(self, spec: LoadSpec, failure: LoadFailed) -> Resident:
        for resident in await self._host.residents():
            if resident.identifier == spec.identifier:
                return resident
        raise failure
