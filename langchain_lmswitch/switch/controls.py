"""What a user may ask of the switchboard directly."""

import uuid
from collections.abc import Callable
from contextlib import suppress

from langchain_lmswitch.errors import UnknownModel
from langchain_lmswitch.policy.naming import card_of, find_card
from langchain_lmswitch.policy.permissions import permitted
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.boards import OpenBoard, boards, watched
from langchain_lmswitch.switch.listeners import OnNote
from langchain_lmswitch.switch.news import Tell
from langchain_lmswitch.switch.surveyor import OURS
from langchain_lmswitch.switch.watch import OnMemory
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.tasks import Hints


class Controls:
    """Looks at, loads, keeps and unloads models; lives on the portal's loop."""

    def __init__(self, open_board: OpenBoard) -> None:
        self._open = open_board

    async def loaded(self) -> list[Resident]:
        """List the models in memory, whoever loaded them."""
        async with watched(self._open) as board:
            survey = await board.surveyor.survey()
        return [one.resident for one in survey.occupants]

    async def hold(self, name: str, call: str, tell: Tell, *, hold: bool = True) -> Resident:
        """Load a model if need be, and keep it until `release(call)`.

        Raises:
            ModelDenied: The settings forbid it.
        """
        async with watched(self._open) as board:
            rules = Hints(allow=board.settings.allow, deny=board.settings.deny)
            card = permitted(await self._card(board, name), rules)
            held = await board.acquire(card, call=call, needed_tokens=0, on_event=tell, hold=hold)
        return held.resident

    async def release(self, call: str) -> None:
        """End a hold; safe to repeat."""
        boards().release(call)

    async def preload(self, name: str, tell: Tell) -> Resident:
        """Load a model if need be, for the requests to come."""
        call = uuid.uuid4().hex
        try:
            return await self.hold(name, call, tell, hold=False)
        finally:
            await self.release(call)

    async def prefetch(self, key: str) -> bool:
        """Load a model in the background, if it is not loaded and there is no other work."""
        async with watched(self._open) as board:
            survey = await board.surveyor.survey()
            if key in survey.resident_keys:
                return True
            return board.prefetch(card_of(key, await board.surveyor.cards()))

    async def unload(self, name: str | None) -> list[str]:
        """Unload the instances of a model, or all of ours, once no request of ours uses them."""
        async with watched(self._open) as board:
            leaving = await self._meant(board, name)
            for resident in leaving:
                with suppress(UnknownModel):  # it has just left by itself
                    await board.unload(resident.identifier)
        return [one.identifier for one in leaving]

    async def subscribe(self, listener: OnMemory) -> Callable[[], None]:
        """Have `listener` told of changes in memory until what this returns is called."""
        async with watched(self._open) as board:
            return board.subscribe(listener)

    async def follow(self, listener: OnNote) -> Callable[[], None]:
        """Have `listener` told all that happens, and memory, until what this returns is called."""
        async with watched(self._open) as board:
            unwatch = board.subscribe(lambda _: None)  # measured it is only if somebody wants that
            unsubscribe = board.history.subscribe(listener)

        def stop() -> None:
            unwatch()
            unsubscribe()

        return stop

    async def pin(self, name: str, *, pinned: bool) -> str:
        """Keep a model from being unloaded to make room, or no longer; give its key."""
        async with watched(self._open) as board:
            key = (await self._card(board, name)).key
        (board.surveyor.pins.add if pinned else board.surveyor.pins.discard)(key)
        return key

    async def _meant(self, board: Switchboard, name: str | None) -> list[Resident]:
        residents = [one.resident for one in (await board.surveyor.survey()).occupants]
        if name is None:
            return [one for one in residents if one.identifier.startswith(OURS)]
        if found := [one for one in residents if one.identifier == name]:
            return found
        key = (await self._card(board, name)).key
        return [one for one in residents if one.key == key]

    async def _card(self, board: Switchboard, name: str) -> ModelCard:
        survey = await board.surveyor.survey()
        residents = [one.resident for one in survey.occupants]
        return find_card(name, await board.surveyor.cards(), residents=residents, kind=None)
