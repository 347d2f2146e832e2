"""What there is to decide from: models, residents, memory, and how soon each is wanted."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.machine.lists import SharedList
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.policy.demand import Demand
from langchain_lmswitch.policy.eviction import Absentee, Occupant
from langchain_lmswitch.policy.planning import ANSWERING, PlanFacts, Survey, planned
from langchain_lmswitch.policy.tuning import capped
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.learning import Learning
from langchain_lmswitch.switch.pinning import Pinning
from langchain_lmswitch.switch.reckoner import OURS, Reckoner
from langchain_lmswitch.types.machine import Footprint, Snapshot
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident
from langchain_lmswitch.types.plans import Load, Plan, Refusal

__all__ = ["LATELY_S", "OURS", "Survey", "Surveyor"]

T = TypeVar("T")

LATELY_S: Final = 1.0
"""Age up to which a listing of residents is good enough to choose from. A wrong one costs a second
choice: what is leased from it and has gone meanwhile is found out at the first token."""
_CARDS_FRESH_S: Final = 10.0

_HELD: Final = "held"
_FOREIGN: Final = "loaded by somebody else"
_PINNED: Final = "pinned"


@dataclass(slots=True)
class _Listing(Generic[T]):
    entries: tuple[T, ...] = ()
    read_at_s: float = field(default=float("-inf"))


class Surveyor(Reckoner):
    """Reads a host and this machine, and decides with `policy` what could be in memory.

    Args:
        leased: Tells whether a request of ours, in any process, is using an instance.
        held: Tells whether a user of ours, in any process, holds one.
        loading: Tells which load of ours is under way.
        noted: Is told each listing of residents, and `None` when it has just changed.
        pinned: Keys of the models that are pinned for all processes of ours.
        measured: Is told each measurement of this machine.
    """

    def __init__(
        self,
        host: Host,
        monitor: Monitor,
        settings: Settings,
        *,
        learning: Learning,
        leased: Callable[[str], bool],
        held: Callable[[str], bool] = lambda _: False,
        loading: Callable[[], Load | None] = lambda: None,
        noted: Callable[[Sequence[Resident] | None], None] = lambda _: None,
        pinned: SharedList | None = None,
        measured: Callable[[Snapshot], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(host, monitor, settings, learning, measured=measured)
        self._leased = leased
        self._held = held
        self._loading = loading
        self._noted = noted
        self._clock = clock
        self._cards: _Listing[ModelCard] = _Listing()
        self._residents: _Listing[Resident] = _Listing()
        self.demand: Demand = Demand()
        """Which models are asked for; to be told of every request."""
        self.pins: Pinning = Pinning(
            SharedList(None) if pinned is None else pinned,
            lambda key: self.tuning(self._known(key)).pinned,
        )
        """Which models are never unloaded to make room."""

    async def survey(self, *, max_age_s: float = 0.0) -> Survey:
        """Read who is in memory, and how much of it is left.

        Args:
            max_age_s: How old the listing may be; memory, leases and loads are always those of
                now. Nothing that loads or evicts may work from an old one.
        """
        begun = self._loading()
        residents = await self._listed(max_age_s)
        coming = self._loading() or begun
        if coming and coming.spec.identifier in {one.identifier for one in residents}:
            coming = None
        occupants = tuple(self._occupant(one) for one in residents)
        return Survey(occupants=occupants, snapshot=self.snapshot(), coming=coming)

    async def residents(self) -> tuple[Resident, ...]:
        """List who is in memory, read now."""
        return await self._listed(0.0)

    async def cards(self) -> tuple[ModelCard, ...]:
        """List the models on disk; read anew when the last list is ten seconds old.

        None has more context than the user lets it have: whoever asks what fits, asks the cards.
        """
        if self._clock() - self._cards.read_at_s >= _CARDS_FRESH_S:
            found = await self.host.cards()
            cards = tuple(capped(card, self.settings.models) for card in found)
            self._cards = _Listing(cards, self._clock())
        return self._cards.entries

    def parallel(self, key: str) -> int:
        """Say how many requests an instance of ours answers at the same time."""
        return self.tuning(self._known(key)).parallel or self.settings.parallel

    def forget(self) -> None:
        """Drop the listing of residents: it has just changed, or proved to be wrong."""
        self._residents = _Listing()
        self._noted(None)

    def priced(self, survey: Survey) -> Survey:
        """Add what it costs if residents leave, and what their room would be good for."""
        occupants = tuple(
            Occupant(
                resident=one.resident,
                bytes=one.bytes,
                keep=one.keep,
                loss_s=self._loss_s(one.resident.key, one.resident.size_bytes),
            )
            for one in survey.occupants
        )
        return replace(
            survey, occupants=occupants, absent=self._absent(survey), doubt=self.demand.doubt
        )

    def plan(
        self,
        spec: LoadSpec,
        footprint: Footprint | None,
        survey: Survey,
        *,
        needed_tokens: int,
        patient: bool = False,
    ) -> Plan | Refusal:
        """Decide how a model could be in memory; see `policy.planning`. Nothing is done."""
        facts = self.facts(spec, footprint, survey, needed_tokens=needed_tokens, patient=patient)
        return planned(facts)

    def facts(
        self,
        spec: LoadSpec,
        footprint: Footprint | None,
        survey: Survey,
        *,
        needed_tokens: int,
        patient: bool = False,
    ) -> PlanFacts:
        """Gather all that such a decision depends on."""
        return PlanFacts(
            spec=spec,
            footprint=footprint,
            survey=self.priced(survey) if footprint else survey,
            needed_tokens=needed_tokens,
            headroom_bytes=self.settings.headroom_bytes,
            evict_helpers=self.settings.evict_helpers,
            patient=patient,
        )

    def _known(self, key: str) -> ModelCard:
        """Give the card of a model; no more than its key is known before they are listed."""
        found = (card for card in self._cards.entries if card.key == key)
        return next(found, ModelCard(key=key))

    async def _listed(self, max_age_s: float) -> tuple[Resident, ...]:
        known = self._residents
        if self._clock() - known.read_at_s < max_age_s:
            return known.entries
        found = _Listing(tuple(await self.host.residents()), self._clock())
        if self._residents is known:  # else it was forgotten while it was read
            self._residents = found
            self._noted(found.entries)
        return found.entries

    def _occupant(self, resident: Resident) -> Occupant:
        keep = ""
        if not (resident.identifier.startswith(OURS) or self.settings.evict_foreign):
            keep = _FOREIGN
        elif resident.key in self.pins:
            keep = _PINNED
        elif self._held(resident.identifier):
            keep = _HELD
        elif self._leased(resident.identifier):
            keep = ANSWERING
        return Occupant(resident=resident, bytes=self.held_bytes(resident), keep=keep)

    def _absent(self, survey: Survey) -> tuple[Absentee, ...]:
        """List who is asked for now and then and is not in memory, as far as the size is known."""
        return tuple(
            Absentee(
                key=card.key,
                bytes=footprint.total_bytes,
                gain_s=self._loss_s(card.key, card.size_bytes),
            )
            for card, footprint in self.reckoned()
            if card.key not in survey.resident_keys and self.demand.rate(card.key)
        )

    def _loss_s(self, key: str, size_bytes: int) -> float:
        """Reckon what it costs for each request to come not to have a model in memory."""
        return self.demand.rate(key) * self.learning.load_s(key, size_bytes)
