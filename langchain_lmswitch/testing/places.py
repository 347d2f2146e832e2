"""The models in a scripted host's memory, and the room they take."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import count

from langchain_lmswitch.errors import LoadFailed, ModelGone, UnknownModel
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import LoadSpec, ModelCard, ModelKind, Resident

KV_BYTES_PER_TOKEN = 32 * 2**10
"""What a token of context costs in every scripted model: as in a model of about 1B."""

DEFAULT_CONTEXT_TOKENS = 4096
"""The context of a load that names none."""


@dataclass(slots=True, kw_only=True)
class Place:
    """One model in memory, or on its way there."""

    resident: Resident
    held_bytes: int
    ready: bool = False
    answering: int = 0
    on_gone: list[Callable[[], object]] = field(default_factory=list)


class Places:
    """Hands out memory and identifiers; may be looked at from any thread.

    Args:
        memory_bytes: All there is; `None` is without limit.
        foreign: What somebody else loaded before.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        memory_bytes: int | None,
        *,
        foreign: Iterable[Resident],
        clock: Callable[[], float],
    ) -> None:
        self.memory_bytes = memory_bytes
        self._clock = clock
        self._numbers = count(1)
        self._by_identifier = {
            resident.identifier: Place(
                resident=resident,
                held_bytes=resident.size_bytes + resident.context_tokens * KV_BYTES_PER_TOKEN,
                ready=True,
            )
            for resident in foreign
        }

    @property
    def used_bytes(self) -> int:
        """What is held by models in memory and on their way."""
        return sum(place.held_bytes for place in self._all())

    @property
    def free_bytes(self) -> int | None:
        """What is left; `None` without limit."""
        return None if self.memory_bytes is None else max(0, self.memory_bytes - self.used_bytes)

    def residents(self) -> list[Resident]:
        """List what is loaded, oldest first."""
        return [place.resident for place in self._all() if place.ready]

    def holds(self, key: str) -> bool:
        """Say whether a model is loaded or loading."""
        return any(place.resident.key == key for place in self._all())

    def loading(self) -> int:
        """Count the loads under way."""
        return sum(not place.ready for place in self._all())

    def reserve(self, spec: LoadSpec, card: ModelCard) -> Place:
        """Take the room and the identifier of a load.

        Raises:
            LoadFailed: There is too little memory, or the identifier is taken.
        """
        identifier = spec.identifier or self._free_identifier(spec.key)
        if identifier in self._by_identifier:
            raise LoadFailed(spec.key, reason=f"The identifier {identifier!r} is already in use.")
        held_bytes = self._take(spec, card)
        place = Place(resident=self._resident(spec, card, identifier), held_bytes=held_bytes)
        self._by_identifier[identifier] = place
        return place

    def find(self, identifier: str, kind: ModelKind | None = None) -> Place:
        """Give the place of a loaded model.

        Raises:
            UnknownModel: Nothing is loaded under this identifier, or another kind of model.
        """
        place = self._by_identifier.get(identifier)
        if place is None or not place.ready or kind not in {None, place.resident.kind}:
            loaded = [resident.identifier for resident in self.residents()]
            raise UnknownModel(identifier, nearest=loaded)
        return place

    def use(self, identifier: str, kind: ModelKind) -> Place:
        """Give the place of a loaded model, and note the time of use; see `find`."""
        place = self.find(identifier, kind)
        place.resident = replace(place.resident, last_used_s=self._clock())
        return place

    def check(self, place: Place) -> None:
        """Make sure that this very load is still in memory.

        Raises:
            ModelGone: It is not.
        """
        if self._by_identifier.get(place.resident.identifier) is not place:
            raise ModelGone(place.resident.key, reason="it is no longer in memory")

    def drop(self, place: Place) -> None:
        """Give the room back; nothing happens if it was given back before."""
        if self._by_identifier.get(place.resident.identifier) is place:
            del self._by_identifier[place.resident.identifier]
            for tell in place.on_gone:
                tell()

    def when_gone(self, identifier: str, tell: Callable[[], object]) -> None:
        """Have `tell` called once a loaded model leaves, whoever ends it and in whatever thread.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
        """
        self.find(identifier).on_gone.append(tell)

    def _take(self, spec: LoadSpec, card: ModelCard) -> int:
        needed_bytes = footprint(spec, card).total_bytes
        if self.free_bytes is not None and needed_bytes > self.free_bytes:
            raise too_little(spec, needed_bytes=needed_bytes, free_bytes=self.free_bytes)
        return needed_bytes

    def _all(self) -> tuple[Place, ...]:
        # A copy: another thread may change the original in the middle of a loop.
        return tuple(self._by_identifier.values())

    def _free_identifier(self, key: str) -> str:
        names = (key if number == 1 else f"{key}:{number}" for number in count(1))
        return next(name for name in names if name not in self._by_identifier)

    def _resident(self, spec: LoadSpec, card: ModelCard, identifier: str) -> Resident:
        return Resident(
            key=card.key,
            identifier=identifier,
            kind=card.kind,
            reference=f"load-{next(self._numbers)}",
            context_tokens=context_tokens(spec, card),
            size_bytes=card.size_bytes,
            ttl_s=spec.ttl_s,
        )


def context_tokens(spec: LoadSpec, card: ModelCard) -> int:
    """Say what context a load gets: what was asked, and no more than the model knows."""
    asked = spec.context_tokens or DEFAULT_CONTEXT_TOKENS
    return min(asked, card.max_context_tokens) if card.max_context_tokens else asked


def footprint(spec: LoadSpec, card: ModelCard, *, free_bytes: int | None = None) -> Footprint:
    """Say what a load costs: its file, and a constant for each token of context."""
    kv_bytes = context_tokens(spec, card) * KV_BYTES_PER_TOKEN
    fits = None if free_bytes is None else card.size_bytes + kv_bytes <= free_bytes
    return Footprint(
        weights_bytes=card.size_bytes, kv_bytes=kv_bytes, source="host", fits_by_host=fits
    )


def too_little(spec: LoadSpec, *, needed_bytes: int, free_bytes: int) -> LoadFailed:
    """Make the error of a load that does not fit."""
    reason = f"It needs {needed_bytes} bytes and {free_bytes} are free."
    return LoadFailed(spec.key, reason=reason, for_memory=True)
