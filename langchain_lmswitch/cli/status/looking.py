"""Looking at a host: nothing is started, loaded, leased or written by it."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from langchain_lmswitch.cli.holding import held_bytes
from langchain_lmswitch.cli.status.past import Recollection
from langchain_lmswitch.cli.status.seen import Held, Status
from langchain_lmswitch.machine.neighbors import Neighbors, meeting_place
from langchain_lmswitch.switch.learning import HERE, Learning
from langchain_lmswitch.switch.pinning import pinned
from langchain_lmswitch.switch.reckoner import Reckoner

if TYPE_CHECKING:
    from langchain_lmswitch.cli.session import Session
    from langchain_lmswitch.hosts.base import Host
    from langchain_lmswitch.types.models import ModelCard, Resident


class Lookout:
    """Looks at one host after the other, each over one connection; lives on the portal's loop."""

    def __init__(self, session: "Session") -> None:
        self._session = replace(session, monitor=session.measure())
        self._settings = session.settings()
        self._memory = Recollection(self._settings)
        self._view: _View | None = None

    async def look(self) -> Status:
        """Look once.

        Raises:
            LMSwitchError: There is a host and it cannot be asked, or none at the address given.
        """
        now = self._here()
        view = self._view = self._view or await self._found()
        return await view.look(now) if view else now

    async def glance(self) -> Status:
        """Look once, and if that fails, say why: the next look finds the host anew."""
        from langchain_lmswitch.errors import LMSwitchError

        try:
            return await self.look()
        except LMSwitchError as error:
            await self.aclose()
            return replace(self._here(), trouble=" ".join(str(error).split()))

    async def aclose(self) -> None:
        """Drop the connection, if it is ours."""
        view, self._view = self._view, None
        if view is not None and self._session.host is None:
            await view.host.aclose()

    def _here(self) -> Status:
        """Tell what there is to say without a host."""
        return Status(
            at_s=time.time(),
            snapshot=self._session.measure().snapshot(),
            headroom_bytes=self._settings.headroom_bytes,
            past=self._memory.past(HERE),
        )

    async def _found(self) -> "_View | None":
        if self._session.host is not None:
            return self._viewed(self._session.host, "explicit")
        from langchain_lmswitch.hosts.finding import look

        found = await look(self._settings)
        if found is None:
            return None
        from langchain_lmswitch.hosts.lmstudio import LMStudioHost

        host = LMStudioHost(
            found.address,
            settings=self._settings,
            token=found.token,
            onlooker=found.kind == "embedded",
        )
        return self._viewed(host, found.kind)

    def _viewed(self, host: "Host", kind: str) -> "_View":
        learning = Learning(host, self._memory.ledger)
        reckoner = Reckoner(host, self._session.measure(), self._settings, learning)
        return _View(kind, reckoner, self._memory)


class _View:
    """One host, and what its models are reckoned to hold."""

    def __init__(self, kind: str, reckoner: Reckoner, memory: Recollection) -> None:
        host, settings = reckoner.host, reckoner.settings
        self.host = host
        self._kind = kind
        self._reckoner = reckoner
        self._memory = memory
        self._name = HERE if host.scope == "local" else host.address
        self._neighbors = Neighbors(meeting_place(settings.run_home, host.address))
        self._by_hand = pinned(settings, host.address)
        self._cards: dict[str, ModelCard] = {}

    async def look(self, now: Status) -> Status:
        residents = await self.host.residents()
        if any(one.key not in self._cards for one in residents):
            self._cards = {card.key: card for card in await self.host.cards()}
        return replace(
            now,
            address=self.host.address,
            kind=self._kind,
            held=tuple([await self._held(one) for one in residents]),
            snapshot=self._reckoner.snapshot(),
            past=self._memory.past(self._name),
        )

    async def _held(self, resident: "Resident") -> Held:
        card = self._cards.get(resident.key)
        ram_bytes, vram_bytes = await held_bytes(self._reckoner, resident, card)
        return Held(
            resident=resident,
            state=await self.host.state(resident.identifier),
            ram_bytes=ram_bytes,
            vram_bytes=vram_bytes,
            users=self._neighbors.users(resident.identifier),
            pinned=resident.key in self._by_hand.names or self._by_table(card),
        )

    def _by_table(self, card: "ModelCard | None") -> bool:
        return card is not None and self._reckoner.tuning(card).pinned
