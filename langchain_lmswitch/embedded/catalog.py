"""The models on disk, for the event loop."""

import asyncio
from typing import TYPE_CHECKING, Protocol

from langchain_lmswitch.embedded.protocol.failures import domain_mismatch, path_not_found
from langchain_lmswitch.embedded.protocol.matching import named

if TYPE_CHECKING:
    from langchain_lmswitch.embedded.shelf import ShelfModel
    from langchain_lmswitch.types.models import ModelKind


class Scannable(Protocol):
    """Where models lie: a `Shelf`, or what stands in for one."""

    def scan(self) -> list["ShelfModel"]:
        """List what is there now; may block."""


class Catalog:
    """A shelf, looked at in a thread."""

    def __init__(self, shelf: Scannable) -> None:
        self._shelf = shelf

    async def models(self) -> list["ShelfModel"]:
        """List what is there now."""
        return await asyncio.to_thread(self._shelf.scan)

    async def find(self, name: str, *, kind: "ModelKind") -> list["ShelfModel"]:
        """Find the models a name means, the best first: exact keys before paths.

        Raises:
            WireError: There is none, or it is of the other kind.
        """
        models = await self.models()
        found = [model for model in models if named(model.card, name)]
        found.sort(key=lambda model: model.card.key != name)
        if not found:
            raise path_not_found(name, [model.card.key for model in models])
        fitting = [model for model in found if model.card.kind == kind]
        if not fitting:
            raise domain_mismatch(name, actual=found[0].card.kind, expected=kind)
        return fitting
