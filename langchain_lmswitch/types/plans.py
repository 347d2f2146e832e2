"""What to do so that a model can answer, or why nothing helps."""

from dataclasses import dataclass

from langchain_lmswitch.types.displays.plans import load_sheet, refusal_sheet, use_sheet
from langchain_lmswitch.types.displays.sheets import Sheet
from langchain_lmswitch.types.displays.shown import Shown
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import LoadSpec, Resident


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Use(Shown):
    """Answer with a model that is already loaded."""

    resident: Resident
    footprint: Footprint | None = None
    """What it costs as we would load it, if that is known."""

    def _sheet(self) -> Sheet:
        return use_sheet(self)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Load(Shown):
    """Unload `evict`, then load `spec`."""

    spec: LoadSpec
    footprint: Footprint | None
    """`None` if what it costs is unknown."""
    evict: tuple[Resident, ...] = ()

    def _sheet(self) -> Sheet:
        return load_sheet(self)


Plan = Use | Load


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Refusal(Shown):
    """No way to make room for this model now."""

    key: str
    reason: str
    needed_bytes: int = 0
    free_bytes: int = 0
    blockers: tuple[str, ...] = ()
    """Identifiers of residents that stand in the way and may not be unloaded."""

    def _sheet(self) -> Sheet:
        return refusal_sheet(self)
