"""Raw listings, read with tolerance: what a newer host adds must not hide the rest."""

from collections.abc import Mapping
from typing import Any

from langchain_lmswitch.types.models import ModelCard, ModelKind, Resident


def cards(listing: Any) -> list[ModelCard]:
    """Read `listDownloadedModels`; entries of unknown types are left out."""
    return [card(entry, kind) for entry, kind in _entries(listing)]


def residents(listing: Any) -> list[Resident]:
    """Read `listLoaded`; entries of unknown types are left out."""
    return [resident(entry, kind) for entry, kind in _entries(listing)]


def card(info: Mapping[str, Any], kind: ModelKind) -> ModelCard:
    """Read one model on disk; it has at least a `modelKey`."""
    quantization = info.get("quantization")
    return ModelCard(
        key=_text(info["modelKey"]),
        kind=kind,
        format=_text(info.get("format")) or "gguf",
        display_name=_text(info.get("displayName")),
        publisher=_text(info.get("publisher")),
        path=_text(info.get("path")),
        size_bytes=_count(info.get("sizeBytes")),
        architecture=_text(info.get("architecture")),
        params=_text(info.get("paramsString")),
        quantization=_text(
            quantization.get("name") if isinstance(quantization, Mapping) else quantization
        ),
        max_context_tokens=_count(info.get("maxContextLength")),
        vision=info.get("vision") is True,
        tool_use=info.get("trainedForToolUse") is True,
        tool_grammar=info.get("toolCallGrammar") is True,
        device=_text(info.get("deviceIdentifier")) or None,
    )


def resident(info: Mapping[str, Any], kind: ModelKind) -> Resident:
    """Read one loaded model; it has at least a `modelKey`."""
    key = _text(info["modelKey"])
    return Resident(
        key=key,
        identifier=_text(info.get("identifier")) or key,
        kind=kind,
        reference=_text(info.get("instanceReference")),
        context_tokens=_count(info.get("contextLength")),
        size_bytes=_count(info.get("sizeBytes")),
        ttl_s=_seconds(info.get("ttlMs")),
        last_used_s=_seconds(info.get("lastUsedTime")),
    )


def _entries(listing: Any) -> list[tuple[Mapping[str, Any], ModelKind]]:
    found: list[tuple[Mapping[str, Any], ModelKind]] = []
    for entry in listing if isinstance(listing, list) else ():
        match entry:
            case {"modelKey": str(), "type": "llm"}:
                found.append((entry, "llm"))
            case {"modelKey": str(), "type": "embedding"}:
                found.append((entry, "embedding"))
            case _:
                continue
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return max(0, int(value)) if known else 0


def _seconds(value_ms: Any) -> float | None:
    known = isinstance(value_ms, int | float) and not isinstance(value_ms, bool)
    return value_ms / 1000 if known else None
