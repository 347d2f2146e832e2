"""Loading, unloading and pinning by the user's own hand, for longer than a process lasts."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from langchain_lmswitch.errors import InvalidRequest, UnknownModel
from langchain_lmswitch.policy.naming import find_card
from langchain_lmswitch.policy.permissions import permitted
from langchain_lmswitch.switch.board import Held, Switchboard
from langchain_lmswitch.switch.news import Tell
from langchain_lmswitch.switch.surveyor import OURS
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.tasks import Hints


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedByHand:
    """What came of a load."""

    address: str
    """Of the host that it is on."""
    held: Held
    footprint: Footprint
    """What it is reckoned to hold."""
    usual_tokens: int
    """The context that it would have got if there was room."""
    all_in_ram: bool
    """Whether the host's machine is known to have no other memory."""
    ours: bool
    """Whether this package has loaded it, now or before."""
    pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A model that is to be unloaded."""

    resident: Resident
    busy: bool
    """Whether another process, of ours or of anybody, is using it or holds it."""
    held_bytes: int
    """What it is reckoned to hold."""
    pinned: bool
    """Whether it is pinned for more than one process."""


class ByHand:
    """What a user asks of a host directly; lives on the portal's loop."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._surveyor = board.surveyor

    async def named(self, name: str) -> ModelCard:
        """Find the model that a user names.

        Raises:
            UnknownModel: The host has no such model.
        """
        residents = await self._surveyor.residents()
        cards = await self._surveyor.cards()
        return find_card(name, cards, residents=residents, kind=None)

    async def load(
        self, card: ModelCard, tell: Tell, *, context_tokens: int | None = None, pin: bool = False
    ) -> LoadedByHand:
        """Load a model, unless it is loaded with enough context; it stays for its time.

        Raises:
            ModelDenied: The settings forbid it.
            InvalidRequest: It cannot have that much context, or is in memory with less and stays.
            NotEnoughMemory: It does not fit, even after unloading idle models of ours.
            LoadFailed: The host could not load it.
        """
        rules = Hints(allow=self._board.settings.allow, deny=self._board.settings.deny)
        permitted(card, rules)
        if context_tokens is not None:
            self._surveyor.asked_tokens[card.key] = _possible(context_tokens, card)
        held = await self._held(card, tell, least_tokens=context_tokens or 0)
        _check(held, least_tokens=context_tokens or 0)
        ours = held.resident.identifier.startswith(OURS)
        if ours:
            self._board.departures.keep(held.resident)
        if pin:
            self._surveyor.pins.by_hand.add(card.key)
        return await self._told(card, held, ours=ours)

    async def leaving(self, name: str | None, *, everything: bool = False) -> list[Leaving]:
        """List what would be unloaded: what is named, or else all of ours, or else all there is.

        Raises:
            UnknownModel: The host has no such model.
        """
        residents = await self._surveyor.residents()
        if name is None:
            meant = [one for one in residents if everything or one.identifier.startswith(OURS)]
        else:
            meant = await self._meant(name, residents)
        return [
            Leaving(
                resident=one,
                busy=await self._busy(one),
                held_bytes=await self._held_bytes(one),
                pinned=self._surveyor.pins.lasting(one.key),
            )
            for one in meant
        ]

    async def unload(self, leaving: Sequence[Leaving]) -> list[Resident]:
        """Unload models; the answers of those that are busy break off. Give those that left."""
        unloaded = []
        for one in leaving:
            identifier = one.resident.identifier
            unload = self._board.departures.unload_now if one.busy else self._board.unload
            with suppress(UnknownModel):  # it has just left by itself
                await unload(identifier)
                unloaded.append(one.resident)
        return unloaded

    async def _held(self, card: ModelCard, tell: Tell, *, least_tokens: int) -> Held:
        call = uuid.uuid4().hex
        try:
            return await self._board.acquire(
                card,
                call=call,
                needed_tokens=least_tokens,
                least_tokens=least_tokens,
                on_event=tell,
            )
        finally:
            self._board.release(call)

    async def _told(self, card: ModelCard, held: Held, *, ours: bool) -> LoadedByHand:
        return LoadedByHand(
            address=self._board.host.address,
            held=held,
            footprint=await self._footprint(card, held.resident),
            usual_tokens=self._surveyor.spec(card).context_tokens or 0,
            all_in_ram=self._surveyor.snapshot().gpus == (),
            ours=ours,
            pinned=card.key in self._surveyor.pins,
        )

    async def _meant(self, name: str, residents: Sequence[Resident]) -> list[Resident]:
        if found := [one for one in residents if one.identifier == name]:
            return found
        key = (await self.named(name)).key
        return [one for one in residents if one.key == key]

    async def _held_bytes(self, resident: Resident) -> int:
        for card in await self._surveyor.cards():
            if card.key == resident.key:
                return (await self._footprint(card, resident)).total_bytes
        return self._surveyor.held_bytes(resident)

    async def _footprint(self, card: ModelCard, resident: Resident) -> Footprint:
        usual = self._surveyor.spec(card)
        real = replace(usual, context_tokens=resident.context_tokens or usual.context_tokens)
        return await self._surveyor.footprint(card, real)

    async def _busy(self, resident: Resident) -> bool:
        if self._board.departures.used_elsewhere(resident.identifier):
            return True
        state = await self._board.host.state(resident.identifier)
        return state is not None and not state.idle


def _check(held: Held, *, least_tokens: int) -> None:
    """Refuse what was there before with too little context, and must stay as it is."""
    resident = held.resident
    if held.load_s or not 0 < resident.context_tokens < least_tokens:
        return
    raise InvalidRequest(
        f"{resident.key!r} is loaded with {resident.context_tokens:,} tokens of context, and has "
        f"to stay: it is pinned, or in use. Run `lmswitch unload {resident.key}` first."
    )


def _possible(context_tokens: int, card: ModelCard) -> int:
    most_tokens = card.max_context_tokens
    if not 0 < most_tokens < context_tokens:
        return context_tokens
    why = "your `max_context` says so" if card.capped else "it was trained for no more"
    raise InvalidRequest(
        f"{card.key!r} can have {most_tokens:,} tokens of context at most: {why}. "
        f"Ask for {most_tokens:,} or less."
    )
