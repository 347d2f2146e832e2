"""The memory of a simulated machine: what models truly take, what others take, what comes late."""

from collections.abc import Callable

from langchain_lmswitch.testing.places import Place, Places, footprint
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident

THEIRS = "theirs-"
"""How the identifiers of models begin that somebody else has loaded."""


class TrueMemory(Places):
    """Memory of a size, in which models take what they need, whatever was estimated.

    Args:
        memory_bytes: All there is.
        need: Model key -> what it truly takes, as a multiple of the estimate.
        release_s: Gives the seconds until the memory of the next one that leaves is back.
        clock: Seconds.
        wall_clock: Unix time in seconds, which may be put back.
    """

    def __init__(
        self,
        memory_bytes: int,
        *,
        need: Callable[[str], float],
        release_s: Callable[[], float],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        super().__init__(memory_bytes, foreign=(), clock=wall_clock)
        self._now_s = clock
        self.total_bytes = memory_bytes
        self.programs_bytes = 0
        """What other programs hold."""
        self._need = need
        self._release_s = release_s
        self._returning: list[tuple[float, int]] = []

    @property
    def used_bytes(self) -> int:
        """What is held by models, by other programs, and by models that left a moment ago."""
        return super().used_bytes + self.programs_bytes + self._late_bytes()

    @property
    def left_bytes(self) -> int:
        """What is free."""
        return max(0, self.total_bytes - self.used_bytes)

    def needed_bytes(self, spec: LoadSpec, card: ModelCard) -> int:
        """Say what a load truly takes."""
        return round(footprint(spec, card).total_bytes * self._need(card.key))

    def enter(self, resident: Resident, held_bytes: int) -> None:
        """Let somebody else's model be loaded, at once."""
        place = Place(resident=resident, held_bytes=held_bytes, ready=True)
        self._by_identifier[resident.identifier] = place

    def drop(self, place: Place) -> None:
        """Let a model leave; its memory follows."""
        there = self._by_identifier.get(place.resident.identifier) is place
        super().drop(place)
        if there:
            self._returning.append((self._now_s() + self._release_s(), place.held_bytes))

    def _take(self, spec: LoadSpec, card: ModelCard) -> int:
        # An engine finds out that there is too little while it loads, not before.
        return min(self.needed_bytes(spec, card), self.left_bytes)

    def _late_bytes(self) -> int:
        if not self._returning:
            return 0
        now_s = self._now_s()
        self._returning = [one for one in self._returning if one[0] > now_s]
        return sum(held_bytes for _, held_bytes in self._returning)
