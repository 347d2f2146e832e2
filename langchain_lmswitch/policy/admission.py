"""Decide whether a model fits, and what must leave to make room."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from langchain_lmswitch.errors import NotEnoughMemory
from langchain_lmswitch.policy.eviction import Absentee, Occupant, victims
from langchain_lmswitch.types.machine import Footprint, Snapshot
from langchain_lmswitch.types.models import LoadSpec, ModelKind, Resident
from langchain_lmswitch.types.plans import Load, Plan, Refusal, Use

__all__ = ["Occupant", "admit", "keep_apart", "not_enough", "room"]

_OTHER_KIND: Final = "a model of another kind"


def admit(
    spec: LoadSpec,
    footprint: Footprint | None,
    snapshot: Snapshot,
    *,
    needed_tokens: int,
    occupants: Sequence[Occupant],
    headroom_bytes: int,
    absent: Sequence[Absentee] = (),
    doubt: float = 0.0,
) -> Plan | Refusal:
    """Find the cheapest way to have `spec` in memory, or say why there is none.

    `needed_tokens` is the context this request needs; `spec.context_tokens` the one to load.
    `absent` are the other models that are asked for now and then. `doubt` is how little the
    losses are to be trusted.

    The decision, in order:

    1. It is loaded with enough context: use it. If it is loaded with too little and may leave,
       it leaves in every case below: two of a kind cost double. If it has the very identifier
       that ours would get, and must stay, it is used as it is: the conversation is cut to fit.
    2. What it costs or what is free is unknown: try the load; if the host itself says that
       it does not fit, unload what may leave first. Accelerators whose memory is unknown count
       for this only where main memory alone does not suffice, and the user's budget does.
    3. It fits as things stand.
    4. It fits once idle models of ours leave: the cheapest set that suffices, see `victims`.
    5. It is loaded with too little context: use it all the same, the conversation is cut to fit.
    6. It does not fit: refuse, naming the shortfall and who stands in the way.
    """
    mine = [one for one in occupants if one.resident.key == spec.key]
    if ready := [one for one in mine if _ready(one, needed_tokens, spec)]:  # 1
        return Use(resident=ready[0].resident, footprint=footprint)
    outgrown = [one for one in mine if not one.keep]
    idle = [one for one in occupants if not one.keep and one not in outgrown]
    free_bytes = room(snapshot, occupants=occupants, headroom_bytes=headroom_bytes)
    short = _short(footprint, free_bytes, outgrown)
    in_doubt = short > 0 and not (_vram_known(snapshot) or _over(snapshot, footprint, occupants))
    if footprint is None or free_bytes is None or in_doubt:  # 2
        refused = footprint is not None and footprint.fits_by_host is False
        return _load(spec, footprint, [*outgrown, *(idle if refused else ())])
    if short <= 0:  # 3
        return _load(spec, footprint, outgrown)
    if leaving := victims(idle, short, absent=absent, doubt=doubt):  # 4
        return _load(spec, footprint, [*outgrown, *leaving])
    if mine:  # 5
        return Use(resident=mine[0].resident, footprint=footprint)
    return _refuse(spec, footprint, free_bytes, occupants)  # 6


def not_enough(refusal: Refusal) -> NotEnoughMemory:
    """Put a refusal as the error that the caller gets."""
    return NotEnoughMemory(
        refusal.key,
        needed_bytes=refusal.needed_bytes,
        free_bytes=refusal.free_bytes,
        blockers=refusal.blockers,
    )


def keep_apart(occupants: Sequence[Occupant], kind: ModelKind) -> tuple[Occupant, ...]:
    """Make all stay that are not of `kind`, the kind of the model to load.

    A helper is small and wanted again with the next search: a chat model that makes it leave, or
    leaves for it, is paid for with a load each time, by turns.
    """
    return tuple(
        one if one.resident.kind == kind else replace(one, keep=one.keep or _OTHER_KIND)
        for one in occupants
    )


def room(snapshot: Snapshot, *, occupants: Sequence[Occupant], headroom_bytes: int) -> int | None:
    """Bytes that a load may take; `None` if unknown.

    Memory-mapped weights count as free in what the system calls available (measured: a 5.8 GB
    load lowered it by 1 GB), so what is left of the total after the residents' footprints is
    the second bound. Accelerator memory adds to both where it is known and apart from main memory.
    The third is the user's budget; it is the only one where the machine is unknown.
    """
    bounds = (_left_in_machine(snapshot, occupants, headroom_bytes), _left(snapshot, occupants))
    return min((one for one in bounds if one is not None), default=None)


def _left(snapshot: Snapshot, occupants: Sequence[Occupant]) -> int | None:
    """Say what is left of the user's budget; `None` if there is none."""
    return None if snapshot.budget_bytes is None else snapshot.budget_bytes - _sum(occupants)


def _over(snapshot: Snapshot, footprint: Footprint | None, occupants: Sequence[Occupant]) -> bool:
    left_bytes = _left(snapshot, occupants)
    return bool(left_bytes is not None and footprint and footprint.total_bytes > left_bytes)


def _left_in_machine(
    snapshot: Snapshot, occupants: Sequence[Occupant], headroom_bytes: int
) -> int | None:
    if snapshot.ram_free_bytes is None or snapshot.ram_total_bytes is None:
        return None
    gpus = [gpu for gpu in snapshot.gpus or () if gpu.free_bytes is not None and not gpu.unified]
    free_bytes = snapshot.ram_free_bytes + sum(gpu.free_bytes or 0 for gpu in gpus)
    total_bytes = snapshot.ram_total_bytes + sum(
        gpu.free_bytes or 0 if gpu.total_bytes is None else gpu.total_bytes for gpu in gpus
    )
    return min(free_bytes, total_bytes - _sum(occupants)) - headroom_bytes


def _vram_known(snapshot: Snapshot) -> bool:
    return snapshot.gpus is not None and all(
        gpu.unified or gpu.free_bytes is not None for gpu in snapshot.gpus
    )


def _short(
    footprint: Footprint | None, free_bytes: int | None, outgrown: Sequence[Occupant]
) -> int:
    if footprint is None or free_bytes is None:
        return 0
    return footprint.total_bytes - free_bytes - _sum(outgrown)


def _ready(mine: Occupant, needed_tokens: int, spec: LoadSpec) -> bool:
    stays_in_the_way = bool(mine.keep) and mine.resident.identifier == spec.identifier
    return _roomy(mine.resident, needed_tokens, spec) or stays_in_the_way


def _roomy(resident: Resident, needed_tokens: int, spec: LoadSpec) -> bool:
    wanted_tokens = min(needed_tokens, spec.context_tokens or needed_tokens)
    return not resident.context_tokens or resident.context_tokens >= wanted_tokens


def _load(spec: LoadSpec, footprint: Footprint | None, leaving: Sequence[Occupant]) -> Load:
    return Load(spec=spec, footprint=footprint, evict=tuple(one.resident for one in leaving))


def _refuse(
    spec: LoadSpec, footprint: Footprint, free_bytes: int, occupants: Sequence[Occupant]
) -> Refusal:
    free_bytes = max(0, free_bytes)
    return Refusal(
        key=spec.key,
        reason=f"needs {_mib(footprint.total_bytes)}, {_mib(free_bytes)} free",
        needed_bytes=footprint.total_bytes,
        free_bytes=free_bytes,
        blockers=tuple(one.resident.identifier for one in occupants if one.keep),
    )


def _sum(occupants: Sequence[Occupant]) -> int:
    return sum(one.bytes for one in occupants)


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:,.0f} MiB"
