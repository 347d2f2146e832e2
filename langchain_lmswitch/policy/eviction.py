"""Who leaves so that another model has room: the cheapest set that suffices."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from langchain_lmswitch.types.models import Resident

_EXHAUSTIVE: Final = 10
"""Up to here all sets are compared (1,024 sums)."""
_DIGITS: Final = 9
"""Of a loss; those behind are owed to the order of summing up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupant:
    """A resident, what it holds, and whether it may be made to leave."""

    resident: Resident
    bytes: int
    keep: str = ""
    """Why it must stay; empty if it may leave."""
    loss_s: float = 0.0
    """What its leaving costs: seconds of reloading to be expected for each request from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absentee:
    """A model that is not in memory, though it is asked for now and then."""

    key: str
    bytes: int
    gain_s: float
    """What having it in memory would save: seconds of reloading for each request from now on."""


Victims = tuple[Occupant, ...]


def victims(
    idle: Sequence[Occupant],
    short_bytes: int,
    *,
    absent: Sequence[Absentee] = (),
    doubt: float = 0.0,
) -> Victims:
    """Choose who leaves so that `short_bytes` become free; nobody if even all do not suffice.

    1. Only sets count that suffice, and of which no one could stay.
    2. The set that costs least: the losses of its members, less what the room that is left over
       is good for. A giant that leaves has room for many dwarfs; counted by its loss alone it
       would stay, and the dwarfs make one another leave for ever.
    3. Losses are forecasts. Where they are in `doubt`, all sets count as equal that cost, in parts
       of what the cheapest loses, no more than that above it; the one leaves whose members were
       used longest ago. That needs to be known of all of them.
    4. Of equals otherwise the one that frees least, then the one of fewest members, then the one
       used longest ago, then by identifier.
    5. Above ten candidates not all sets are compared, but those made of who loses least for each
       byte, with each that could complete them. The best of these costs twice the least at most.
    """
    ranked = sorted(idle, key=_oldest_first)
    wanted = sorted(absent, key=lambda one: one.gain_s / max(1, one.bytes), reverse=True)
    few = len(ranked) <= _EXHAUSTIVE
    sets = _all_sets(ranked, short_bytes) if few else _some_sets(ranked, short_bytes)  # 1, 5

    def cost(chosen: Sequence[Occupant]) -> tuple[float, int, int]:
        freed_bytes = sum([one.bytes for one in chosen])
        loss_s = sum([one.loss_s for one in chosen])
        loss_s -= _worth(freed_bytes - short_bytes, wanted)  # 2
        return round(loss_s, _DIGITS), freed_bytes, len(chosen)  # 4

    if not doubt or any(one.resident.last_used_s is None for one in ranked):
        return min(sets, key=cost, default=())
    return _oldest([(cost(chosen)[0], chosen) for chosen in sets], ranked, doubt)  # 3


def _oldest(
    priced: Sequence[tuple[float, Victims]], ranked: Sequence[Occupant], doubt: float
) -> Victims:
    """Choose the set that was used longest ago, of those that may be the cheapest."""
    least_s, cheapest = min(priced, key=itemgetter(0), default=(0.0, ()))
    most_s = least_s + doubt * sum([one.loss_s for one in cheapest])
    near = [chosen for cost_s, chosen in priced if cost_s <= most_s]
    # One who was used lately weighs more than all together who were used before.
    weights = {one.resident.identifier: 1 << place for place, one in enumerate(ranked)}
    return min(
        near,
        key=lambda chosen: sum([weights[one.resident.identifier] for one in chosen]),
        default=(),
    )


def _oldest_first(one: Occupant) -> tuple[float, str]:
    return one.resident.last_used_s or 0.0, one.resident.identifier


def _worth(left_bytes: int, wanted: Sequence[Absentee]) -> float:
    """Say what room is good for: the absent that fit, those of most gain for each byte first."""
    gain_s = 0.0
    for one in wanted:
        if one.bytes <= left_bytes:
            left_bytes -= one.bytes
            gain_s += one.gain_s
    return gain_s


def _all_sets(ranked: Sequence[Occupant], short_bytes: int) -> list[Victims]:
    """List the sets that suffice and of which all must leave; those of old members first."""
    sets: list[tuple[int, int, Victims]] = [(0, sum(one.bytes for one in ranked), ())]
    for one in ranked:
        sets += [
            (freed + one.bytes, min(smallest, one.bytes), (*chosen, one))
            for freed, smallest, chosen in sets
        ]
    return [chosen for freed, smallest, chosen in sets if 0 <= freed - short_bytes < smallest]


def _some_sets(ranked: Sequence[Occupant], short_bytes: int) -> list[Victims]:
    """List sets of which the best loses at most twice as much as need be (Csirik et al. 1991).

    Those that lose least for each byte leave first. Whoever would be enough of a rest ends a set,
    and then is left out, so that the next one may end another.
    """
    sets: list[Victims] = []
    first: list[Occupant] = []
    left_bytes = short_bytes
    for one in sorted(ranked, key=lambda one: one.loss_s / max(1, one.bytes)):
        if one.bytes >= left_bytes:
            sets.append(_without_spared([*first, one], short_bytes))
        else:
            first.append(one)
            left_bytes -= one.bytes
    return sets


def _without_spared(leaving: Sequence[Occupant], short_bytes: int) -> Victims:
    """Take back who need not leave, the dearest first."""
    staying: set[str] = set()
    spare_bytes = sum(one.bytes for one in leaving) - short_bytes
    for one in reversed(leaving):
        if one.bytes <= spare_bytes:
            staying.add(one.resident.identifier)
            spare_bytes -= one.bytes
    return tuple(one for one in leaving if one.resident.identifier not in staying)
