"""Who is using which loaded model. A leased model is never unloaded."""

import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.machine.neighbors import Neighbors
from langchain_lmswitch.types.models import Resident

LATELY_USED_S: Final = 30.0
"""An agent asks the model again whose tool has just run, and people take a while to type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A leased instance and what it took to get it."""

    resident: Resident
    evicted: tuple[str, ...] = ()
    load_s: float = 0.0
    queued_s: float = 0.0


class Leases:
    """Live leases by instance identifier, and the instances that are on their way out.

    A lease is for an answer, which ends by itself, or it is a hold, which lasts as long as a user
    wants: who needs the memory waits for the one, and not for the other.

    Not thread-safe: it lives on the portal's loop, and no method awaits, so that a check and what
    follows from it cannot be torn apart.

    Args:
        neighbors: Other processes, which are told what this one uses.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        neighbors: Neighbors | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._ended_s: dict[str, float] = {}
        self._neighbors = neighbors or Neighbors(None)
        self._by_call: dict[str, set[str]] = {}
        self._holds: set[str] = set()
        self._answering: Counter[str] = Counter()
        self._holding: Counter[str] = Counter()
        self._leaving: set[str] = set()
        self.ever: set[str] = set()
        """Identifiers of all that was ever leased."""
        self.departures: int = 0
        """Marks that were taken back so far: a listing read meanwhile may be out of date."""

    def take(self, identifier: str, call: str, *, hold: bool = False) -> bool:
        """Lease an instance for a call; `False` if it is about to be unloaded. Safe to repeat.

        A call that holds once, holds all that it leases.
        """
        leased = self._by_call.get(call, set())
        if identifier in self._leaving:
            return False
        if identifier in leased:
            return True
        if not self._neighbors.start_using(identifier, hold=hold):
            return False
        if hold:
            self._holds.add(call)
        self._by_call[call] = leased | {identifier}
        self.ever.add(identifier)
        self._counts(call)[identifier] += 1
        return True

    def release(self, call: str) -> frozenset[str]:
        """End all leases of a call, and say what they were on. Safe to repeat."""
        leased, counts = self._by_call.pop(call, set()), self._counts(call)
        counts.subtract(leased)
        hold = call in self._holds
        self._holds.discard(call)
        for identifier in leased:
            self._ended_s[identifier] = self._clock()
            if not counts[identifier]:
                del counts[identifier]
                self._neighbors.stop_using(identifier, hold=hold)
        return frozenset(leased)

    def held(self, identifier: str) -> bool:
        """Tell whether any call of this process is using the instance."""
        return bool(self._answering[identifier] or self._holding[identifier])

    def lately(self, now_s: float) -> frozenset[str]:
        """Name what is in use, and what was until less than `LATELY_USED_S` ago."""
        since_s = now_s - LATELY_USED_S
        ended = {one for one, ended_s in self._ended_s.items() if ended_s > since_s}
        return frozenset(ended | {one for one in self.ever if self.held(one)})

    def answering(self, identifier: str) -> int:
        """Count the calls that use the instance and will end by themselves."""
        return self._answering[identifier]

    def holding(self, identifier: str) -> bool:
        """Tell whether a user holds the instance."""
        return self._holding[identifier] > 0

    def holds(self, identifier: str, call: str) -> bool:
        """Tell whether this call is using the instance."""
        return identifier in self._by_call.get(call, ())

    @property
    def any_answering(self) -> bool:
        """Whether any request of this process is being answered."""
        return any(self._answering.values())

    @property
    def any_held(self) -> bool:
        """Whether any call is using any instance."""
        return bool(self._by_call)

    def start_leaving(self, identifiers: AbstractSet[str]) -> bool:
        """Mark instances as about to be unloaded; `False`, and no mark, if one is leased."""
        if any(self.held(identifier) for identifier in identifiers):
            return False
        self._leaving |= identifiers
        return True

    def stop_leaving(self, identifiers: AbstractSet[str]) -> None:
        """Take the marks back: the instances are gone, or stay after all."""
        self._leaving -= identifiers
        self.departures += len(identifiers)

    def leaving(self, identifier: str) -> bool:
        """Tell whether the instance is about to be unloaded."""
        return identifier in self._leaving

    def _counts(self, call: str) -> Counter[str]:
        return self._holding if call in self._holds else self._answering
