"""What is told of how a model gets to answer, or why it cannot."""

from typing import TYPE_CHECKING

from langchain_lmswitch.types.displays.machine import footprint_sheet
from langchain_lmswitch.types.displays.models import resident_sheet
from langchain_lmswitch.types.displays.sheets import Sheet, counted, listed, table, told
from langchain_lmswitch.types.units import UNKNOWN, duration, mib, size

if TYPE_CHECKING:
    from langchain_lmswitch.types.machine import Footprint
    from langchain_lmswitch.types.models import LoadSpec, Resident
    from langchain_lmswitch.types.plans import Load, Refusal, Use


def use_sheet(plan: "Use") -> Sheet:
    """Tell which loaded model is to answer."""
    return Sheet(
        kind="Use",
        title=plan.resident.key,
        lead="it is loaded already",
        parts=(resident_sheet(plan.resident), *_cost(plan.footprint)),
    )


def load_sheet(plan: "Load") -> Sheet:
    """Tell what is to be loaded, what that takes, and what leaves for it."""
    spec = plan.spec
    return Sheet(
        kind="Load",
        title=spec.key,
        lead=_room(plan),
        facts=told(
            ("kind", spec.kind),
            ("as", spec.identifier),
            ("context", _chosen(spec.context_tokens, "tokens")),
            ("at the same time", _chosen(spec.parallel, "requests")),
            ("unloads", _leaving(spec)),
            ("needs", UNKNOWN if plan.footprint is None else ""),
        ),
        tables=table(
            *("Unloaded for it", "loaded as", "model", "size"),
            rows=map(_victim, plan.evict),
            right=("size",),
        ),
        parts=_cost(plan.footprint),
    )


def refusal_sheet(refusal: "Refusal") -> Sheet:
    """Tell why there is no room for a model."""
    return Sheet(
        kind="Refusal",
        title=refusal.key,
        lead=refusal.reason,
        facts=told(
            ("needs", mib(refusal.needed_bytes or None)),
            ("free", mib(refusal.free_bytes if refusal.needed_bytes else None)),
            ("in the way", listed(refusal.blockers)),
        ),
    )


def _cost(footprint: "Footprint | None") -> tuple[Sheet, ...]:
    return () if footprint is None else (footprint_sheet(footprint),)


def _room(plan: "Load") -> str:
    if not plan.evict:
        return "to be loaded; nothing has to leave"
    return f"to be loaded once {listed(one.identifier for one in plan.evict)} has left"


def _chosen(number: int | None, unit: str) -> str:
    return "the host's choice" if number is None else counted(number, unit)


def _leaving(spec: "LoadSpec") -> str:
    return "the host's choice" if spec.ttl_s is None else f"after {duration(spec.ttl_s)} idle"


def _victim(resident: "Resident") -> tuple[str, ...]:
    return (resident.identifier, resident.key, size(resident.size_bytes or None))
