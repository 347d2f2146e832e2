"""One model in memory."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from langchain_lmswitch.types.models import ModelKind, Resident

if TYPE_CHECKING:
    from langchain_lmswitch.embedded.shelf import ShelfModel
    from langchain_lmswitch.embedded.worker import Worker


@dataclass(eq=False, slots=True, kw_only=True)
class Instance:
    """One loaded model."""

    model: "ShelfModel"
    worker: "Worker"
    identifier: str
    reference: str
    ttl_s: float | None
    parallel: int
    jit: bool
    """Loaded on demand: the next such load takes its place."""
    touched_s: float
    """When it was last used or loaded, on the monotonic clock."""
    last_used_s: float | None = None
    uses: int = 0
    leaving: bool = False
    """On its way out: new requests do not find it any more."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def kind(self) -> ModelKind:
        """What it can be asked for."""
        return self.model.card.kind

    def resident(self) -> Resident:
        """The same as every layer knows it."""
        return Resident(
            key=self.model.card.key,
            identifier=self.identifier,
            kind=self.kind,
            reference=self.reference,
            context_tokens=self.worker.context_tokens,
            size_bytes=self.model.card.size_bytes,
            ttl_s=self.ttl_s,
            last_used_s=self.last_used_s,
        )
