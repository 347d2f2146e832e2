"""How models would be loaded on a host, and what that would cost."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from langchain_lmswitch.errors import BadModelFile, HostFailed, UnknownModel
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.policy.contexts import contexts
from langchain_lmswitch.policy.offload import placed
from langchain_lmswitch.policy.tuning import Tuning, tuned
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.learning import Learning
from langchain_lmswitch.types.history import Share
from langchain_lmswitch.types.machine import UNKNOWN_MACHINE, Footprint, Snapshot
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident

OURS: Final = "lmswitch/"
"""How the identifiers of instances begin that this package loaded, in any process."""

_RESIDENT_FACTOR: Final = 1.2
"""Weights to footprint of a resident whose load we did not estimate."""


class Reckoner:
    """Reckons loads by the host's estimates, by what loads were seen to take, and by this machine.

    Args:
        host: Where they would be made.
        monitor: Measures this computer.
        settings: The knobs.
        learning: What earlier loads teach.
        measured: Is told each measurement of this machine.
    """

    def __init__(
        self,
        host: Host,
        monitor: Monitor,
        settings: Settings,
        learning: Learning,
        *,
        measured: Callable[[Snapshot], None] = lambda _: None,
    ) -> None:
        self.host = host
        self.settings = settings
        self.learning = learning
        self._monitor = monitor
        self._measured = measured
        self._estimates: dict[LoadSpec, tuple[ModelCard, Footprint]] = {}
        self._expected_bytes: dict[LoadSpec, int] = {}
        self._granted: dict[str, int] = {}
        self.asked_tokens: dict[str, int] = {}
        """The context that the user wants a model loaded with, by key; in this process only."""

    def snapshot(self) -> Snapshot:
        """Measure this machine; a remote host's memory is unknown, but for the user's budget."""
        now = self._monitor.snapshot() if self.host.scope == "local" else UNKNOWN_MACHINE
        if (budget_bytes := self.settings.budget_bytes) is not None:
            now = replace(now, budget_bytes=budget_bytes)
        self._measured(now)
        return now

    def tuning(self, card: ModelCard) -> Tuning:
        """Tell what the user says of this model only."""
        return tuned(card, self.settings.models)

    def spec(self, card: ModelCard) -> LoadSpec:
        """Say how we would load a model: our context, but no more than it can have.

        That is what it was trained for, and what the host gave it when it was asked for more:
        asking again would only load it again, for the same.
        """
        settings, tuning = self.settings, self.tuning(card)
        usual_tokens = tuning.most_context_tokens or settings.context_tokens
        wanted_tokens = self.asked_tokens.get(card.key, usual_tokens)
        trained_tokens = card.max_context_tokens or wanted_tokens
        granted_tokens = self._granted.get(card.key, wanted_tokens)
        return LoadSpec(
            key=card.key,
            kind=card.kind,
            context_tokens=min(wanted_tokens, trained_tokens, granted_tokens),
            parallel=tuning.parallel or settings.parallel,
            identifier=f"{OURS}{card.key}",
            ttl_s=(settings.ttl_s if tuning.ttl_s is None else tuning.ttl_s) or None,
        )

    def specs(self, card: ModelCard, *, least_tokens: int) -> tuple[LoadSpec, ...]:
        """List how we would load a model, the best first; see `policy.contexts`."""
        usual = self.spec(card)
        if card.kind != "llm" or usual.context_tokens is None:
            return (usual,)
        tried = contexts(usual.context_tokens, least_tokens=least_tokens)
        return tuple(replace(usual, context_tokens=tokens) for tokens in tried)

    def expected_bytes(self, card: ModelCard, spec: LoadSpec) -> int | None:
        """Give what a load was reckoned to cost before anything learnt was put in, if it was."""
        # An encoder's context is the host's own affair.
        return self._expected_bytes.get(self.spec(card) if card.kind == "embedding" else spec)

    def learn(self, spec: LoadSpec, resident: Resident) -> None:
        """Remember a context that the host made smaller than it was asked to."""
        if 0 < resident.context_tokens < (spec.context_tokens or 0):
            self._granted[spec.key] = resident.context_tokens

    async def footprint(self, card: ModelCard, spec: LoadSpec | None = None) -> Footprint:
        """Estimate what loading a model would cost: the host's word, put right by what was seen.

        What the host does not know itself is laid on GPUs by what is free on them now.
        """
        spec = spec or self.spec(card)
        await self.learning.begin()
        estimate = await self.estimate(spec, card)
        if estimate.source != "host":
            estimate = placed(estimate, self.snapshot())
        self._expected_bytes[spec] = estimate.total_bytes
        return self.learning.corrected(spec, card, estimate)

    async def estimate(self, spec: LoadSpec, card: ModelCard) -> Footprint:
        """Ask the host what a load would cost, once for each."""
        known = self._estimates.get(spec)
        if known is None or known[0].size_bytes != card.size_bytes:
            known = self._estimates[spec] = (card, await self.host.estimate(spec, card))
        return known[1]

    async def footprints(self, cards: list[ModelCard]) -> dict[str, Footprint]:
        """Estimate several models at once, by key."""
        found = await asyncio.gather(*(self.footprint(card) for card in cards))
        return {card.key: footprint for card, footprint in zip(cards, found, strict=True)}

    def reckoned(self) -> Iterator[tuple[ModelCard, Footprint]]:
        """Give the models whose usual load has been reckoned, with its cost."""
        for spec, (card, estimate) in self._estimates.items():
            if spec == self.spec(card):
                yield card, self.learning.corrected(spec, card, estimate)

    def held_bytes(self, resident: Resident) -> int:
        """Reckon what a resident holds."""
        if footprint := self._footprint_of(resident):
            return footprint.total_bytes
        return int(resident.size_bytes * _RESIDENT_FACTOR)

    async def holding(self, resident: Resident, card: ModelCard | None) -> Share:
        """Ask the host what a resident holds, and where, as it is loaded now.

        A host that cannot tell leaves what is known without it; see `share`.
        """
        if card is not None:
            with suppress(BadModelFile, HostFailed, UnknownModel):
                cost = await self._cost_of(resident, card)
                return _share(resident, cost.total_bytes, vram_bytes=cost.vram_bytes)
        return self.share(resident)

    def share(self, resident: Resident) -> Share:
        """Reckon what a resident holds, and where; all in main memory, if that is unknown."""
        footprint = self._footprint_of(resident)
        vram_bytes = footprint.vram_bytes if footprint else 0
        return _share(resident, self.held_bytes(resident), vram_bytes=vram_bytes)

    async def _cost_of(self, resident: Resident, card: ModelCard) -> Footprint:
        usual = self.spec(card)
        spec = replace(usual, context_tokens=resident.context_tokens or usual.context_tokens)
        await self.learning.begin()
        estimate = await self.estimate(spec, card)
        if estimate.source != "host":
            # It was laid on the GPUs when it was not there yet.
            estimate = placed(estimate, _emptied(self.snapshot()))
        return self.learning.corrected(spec, card, estimate)

    def _footprint_of(self, resident: Resident) -> Footprint | None:
        for spec, (card, estimate) in self._estimates.items():
            if spec.key == resident.key and spec.context_tokens == resident.context_tokens:
                return self.learning.corrected(spec, card, estimate)
        return None


def _share(resident: Resident, held_bytes: int, *, vram_bytes: int) -> Share:
    return Share(
        key=resident.key,
        identifier=resident.identifier,
        ram_bytes=max(0, held_bytes - vram_bytes),
        vram_bytes=vram_bytes,
    )


def _emptied(snapshot: Snapshot) -> Snapshot:
    if snapshot.gpus is None:
        return snapshot
    gpus = tuple(replace(gpu, free_bytes=gpu.total_bytes) for gpu in snapshot.gpus)
    return replace(snapshot, gpus=gpus)
