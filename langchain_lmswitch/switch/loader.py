"""Carrying out a plan: unload what has to go, then load."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from langchain_lmswitch.errors import HostTimeout, LoadFailed, UnknownModel
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.events import (
    Evicted,
    Loaded,
    LoadProgress,
    LoadStarted,
    SwitchEvent,
)
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.plans import Load

log = logging.getLogger(__name__)

POLL_S: Final = 0.1
"""Between two looks at what another process is doing."""

OnEvent = Callable[[SwitchEvent], None]


class Loader:
    """Does to a host what the switchboard has decided; one plan at a time."""

    def __init__(self, host: Host, settings: Settings, *, clock: Callable[[], float]) -> None:
        self._host = host
        self._settings = settings
        self._clock = clock

    async def carry_out(self, plan: Load, tell: OnEvent) -> Resident:
        """Make room and load.

        Raises:
            LoadFailed: The host could not load it.
            HostTimeout: What has to go was not idle in time.
        """
        await self._evict(plan, tell)
        return await self._load(plan, tell)

    async def _evict(self, plan: Load, tell: OnEvent) -> None:
        for victim in plan.evict:
            await self._wait_until_idle(victim)
            try:
                await self._host.unload(victim.identifier)
            except UnknownModel:
                log.debug("%s had left already", victim.identifier)
            tell(Evicted(key=victim.key, identifier=victim.identifier, room_for=plan.spec.key))

    async def _wait_until_idle(self, victim: Resident) -> None:
        """Another process may be using what we loaded; its answer is not cut off."""
        deadline_s = self._clock() + self._settings.load_timeout_s
        while (state := await self._host.state(victim.identifier)) and not state.idle:
            if self._clock() > deadline_s:
                raise HostTimeout(
                    self._host.address,
                    doing=f"waiting for {victim.identifier!r} to finish its answers",
                    after_s=self._settings.load_timeout_s,
                )
            await asyncio.sleep(POLL_S)

    async def _load(self, plan: Load, tell: OnEvent) -> Resident:
        key, started_s = plan.spec.key, self._clock()
        tell(
            LoadStarted(
                key=key,
                evicting=tuple(one.identifier for one in plan.evict),
                expected_bytes=plan.footprint.total_bytes if plan.footprint else None,
            )
        )
        try:
            resident = await self._host.load(
                plan.spec, on_progress=lambda part: tell(LoadProgress(key=key, fraction=part))
            )
        except LoadFailed as failure:
            resident = await self._loaded_by_another_process(plan.spec, failure)
        tell(
            Loaded(
                key=key,
                identifier=resident.identifier,
                context_tokens=resident.context_tokens,
                load_s=self._clock() - started_s,
            )
        )
        return resident

    async def _loaded_by_another_process(self, spec: LoadSpec, failure: LoadFailed) -> Resident:
        for resident in await self._host.residents():
            if resident.identifier == spec.identifier:
                return resident
        raise failure
