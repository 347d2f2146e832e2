"""Who is using which loaded model. A leased model is never unloaded."""

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from langchain_lmswitch.types.models import Resident


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A leased instance and what it took to get it."""

    resident: Resident
    evicted: tuple[str, ...] = ()
    load_s: float = 0.0
    queued_s: float = 0.0


class Leases:
    """Live leases by instance identifier, and the instances that are on their way out.

    Not thread-safe: it lives on the portal's loop, and no method awaits, so that a check and what
    follows from it cannot be torn apart.
    """

    def __init__(self) -> None:
        self._by_call: dict[str, set[str]] = {}
        self._counts: Counter[str] = Counter()
        self._leaving: set[str] = set()
        self.departures = 0
        """Marks that were taken back so far: a listing read meanwhile may be out of date."""

    def take(self, identifier: str, call: str) -> bool:
        """Lease an instance for a call; `False` if it is about to be unloaded. Safe to repeat."""
        if identifier in self._leaving:
            return False
        held = self._by_call.setdefault(call, set())
        if identifier not in held:
            held.add(identifier)
            self._counts[identifier] += 1
        return True

    def release(self, call: str) -> bool:
        """End all leases of a call; `False` if it had none. Safe to repeat."""
        held = self._by_call.pop(call, set())
        self._counts.subtract(held)
        return bool(held)

    def held(self, identifier: str) -> bool:
        """Tell whether any call is using the instance."""
        return self._counts[identifier] > 0

    def holds(self, identifier: str, call: str) -> bool:
        """Tell whether this call is using the instance."""
        return identifier in self._by_call.get(call, ())

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
