"""How one model could be in memory, from the facts of one moment."""

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Final

from langchain_lmswitch.policy.admission import admit, keep_apart
from langchain_lmswitch.policy.eviction import Absentee, Occupant
from langchain_lmswitch.types.machine import Footprint, Snapshot
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.plans import Load, Plan, Refusal

ANSWERING: Final = "answering"
"""Why an occupant must stay that a request of ours is using."""

_LATELY_USED: Final = "used a moment ago"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The facts at one moment."""

    occupants: tuple[Occupant, ...]
    snapshot: Snapshot
    coming: Load | None = None
    """The load under way, if it is not listed yet: it holds memory, and will be resident."""
    absent: tuple[Absentee, ...] = ()
    """Who is not in memory and would be wanted there."""
    doubt: float = 0.0
    """How little is known of who is asked for: 1 is nothing, 0 enough."""

    @property
    def resident_keys(self) -> frozenset[str]:
        """Keys of the models in memory."""
        return frozenset(one.resident.key for one in self.occupants)


def sparing(survey: Survey, identifiers: Container[str]) -> Survey:
    """Make all stay that are among `identifiers`: they were used a moment ago."""
    occupants = tuple(
        replace(one, keep=one.keep or _LATELY_USED)
        if one.resident.identifier in identifiers
        else one
        for one in survey.occupants
    )
    return replace(survey, occupants=occupants)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """All that a plan depends on; see `plan_load`."""

    spec: LoadSpec
    footprint: Footprint | None
    survey: Survey
    needed_tokens: int
    headroom_bytes: int
    evict_helpers: bool = False
    patient: bool = False


def planned(facts: PlanFacts) -> Plan | Refusal:
    """Decide from recorded facts; see `plan_load`."""
    return plan_load(
        facts.spec,
        facts.footprint,
        facts.survey,
        needed_tokens=facts.needed_tokens,
        headroom_bytes=facts.headroom_bytes,
        evict_helpers=facts.evict_helpers,
        patient=facts.patient,
    )


def plan_load(
    spec: LoadSpec,
    footprint: Footprint | None,
    survey: Survey,
    *,
    needed_tokens: int,
    headroom_bytes: int,
    evict_helpers: bool,
    patient: bool = False,
) -> Plan | Refusal:
    """Decide how `spec` could be in memory.

    1. A `patient` plan joins a load of the same model under way.
    2. It may also evict what is answering or loading now: it holds once that is done.
    3. Chat and embedding models do not make each other leave, unless `evict_helpers`.
    4. The rest is `admission.admit`.
    """
    if patient and survey.coming and survey.coming.spec.key == spec.key:  # 1
        return survey.coming
    occupants = _patiently(survey) if patient else survey.occupants  # 2
    if not evict_helpers:  # 3
        occupants = keep_apart(occupants, spec.kind)
    return admit(  # 4
        spec,
        footprint,
        survey.snapshot,
        needed_tokens=needed_tokens,
        occupants=occupants,
        headroom_bytes=headroom_bytes,
        absent=[one for one in survey.absent if one.key != spec.key],
        doubt=survey.doubt,
    )


def _patiently(survey: Survey) -> tuple[Occupant, ...]:
    occupants = [
        replace(one, keep="") if one.keep == ANSWERING else one for one in survey.occupants
    ]
    if survey.coming:
        spec, footprint = survey.coming.spec, survey.coming.footprint
        identifier = spec.identifier or spec.key
        resident = Resident(key=spec.key, identifier=identifier, kind=spec.kind)
        held_bytes = footprint.total_bytes if footprint else 0
        occupants.append(Occupant(resident=resident, bytes=held_bytes))
    return tuple(occupants)
