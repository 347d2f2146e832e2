"""What is told of models on disk and in memory."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from langchain_lmswitch.types.displays.sheets import Sheet, counted, listed, told
from langchain_lmswitch.types.units import UNKNOWN, duration, size

if TYPE_CHECKING:
    from langchain_lmswitch.types.models import ModelCard, Resident


def card_sheet(card: "ModelCard") -> Sheet:
    """Tell what a model is and what it can do."""
    return Sheet(
        kind="ModelCard",
        title=card.key,
        facts=told(
            ("name", card.display_name if card.display_name != card.key else ""),
            ("by", card.publisher),
            ("kind", card.kind),
            ("size", size(card.size_bytes or None)),
            ("parameters", card.params or UNKNOWN),
            ("quantization", card.quantization or UNKNOWN),
            ("trained context", counted(card.max_context_tokens or None, "tokens")),
            ("can", listed(_abilities(card))),
            ("architecture", card.architecture or UNKNOWN),
            ("format", card.format),
            ("file", card.path),
            ("reached on", card.device),
        ),
    )


def _abilities(card: "ModelCard") -> tuple[str, ...]:
    abilities = {
        "vision": card.vision,
        "tools": card.tool_use,
        "tool grammar": card.tool_grammar,
    }
    return tuple(name for name, has in abilities.items() if has)


def resident_sheet(resident: "Resident") -> Sheet:
    """Tell what a loaded model is named, and how it was loaded."""
    return Sheet(
        kind="Resident",
        title=resident.identifier,
        facts=told(
            ("model", resident.key if resident.key != resident.identifier else ""),
            ("kind", resident.kind),
            ("context", counted(resident.context_tokens or None, "tokens")),
            ("size", size(resident.size_bytes or None)),
            ("unloads", _leaving(resident.ttl_s)),
            ("last used", _moment(resident.last_used_s)),
            ("load", resident.reference),
        ),
    )


def _leaving(ttl_s: float | None) -> str:
    return "never" if ttl_s is None else f"after {duration(ttl_s)} idle"


def _moment(unix_s: float | None) -> str:
    """Write a moment, in a zone that does not depend on where it is read."""
    if unix_s is None:
        return "never"
    try:
        return f"{datetime.fromtimestamp(unix_s, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):  # a host's clock may tell anything
        return UNKNOWN
