"""What a load would cost, from the best source there is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from langchain_lmswitch.embedded.gguf import read_header
from langchain_lmswitch.embedded.shelf.folders import roots
from langchain_lmswitch.errors import BadModelFile
from langchain_lmswitch.policy import footprint
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.machine import UNCERTAINTY, Footprint
from langchain_lmswitch.types.models import LoadSpec, ModelCard


def by_host(estimate: Any) -> Footprint | None:
    """Read the host's own estimate; `None` if it is none."""
    memory = estimate.get("memory") if isinstance(estimate, Mapping) else None
    if not isinstance(memory, Mapping) or _bytes(memory, "totalBytes") == 0:
        return None
    weights, kv = _bytes(memory, "modelBytes"), _bytes(memory, "contextBytes")
    verdict = estimate.get("passesGuardrails")
    return Footprint(
        weights_bytes=weights,
        kv_bytes=kv,
        compute_bytes=max(0, _bytes(memory, "totalBytes") - weights - kv),
        vram_bytes=_bytes(memory, "totalVramBytes"),
        source="host",
        fits_by_host=verdict if isinstance(verdict, bool) else None,
        uncertainty=UNCERTAINTY["size"] if memory.get("confidence") == "low" else None,
    )


def by_file(spec: LoadSpec, card: ModelCard, settings: Settings) -> Footprint | None:
    """Compute from the header of the model's file; `None` if it is not at hand."""
    for path in _places(card, settings):
        try:
            header = read_header(path)
        except (BadModelFile, OSError):
            continue
        if header.architecture is not None:
            return footprint.from_header(
                header.architecture,
                size_bytes=card.size_bytes or path.stat().st_size,
                context_tokens=_context_tokens(spec, card, settings),
                parallel=spec.parallel or settings.parallel,
                all_outputs=card.kind == "embedding",
            )
    return None


def by_size(spec: LoadSpec, card: ModelCard, settings: Settings) -> Footprint:
    """Guess from the size and the parameter count that the host lists."""
    context_tokens = _context_tokens(spec, card, settings) if card.kind == "llm" else 0
    return footprint.from_size(card.size_bytes, params=card.params, context_tokens=context_tokens)


def _places(card: ModelCard, settings: Settings) -> Iterator[Path]:
    if not card.path.endswith(".gguf"):
        return
    for folder in roots(settings):
        path = (folder / card.path).resolve()
        # The path is the host's word: it must not lead out of the folder.
        if path.is_relative_to(folder.resolve()) and path.is_file():
            yield path


def _context_tokens(spec: LoadSpec, card: ModelCard, settings: Settings) -> int:
    wanted = spec.context_tokens or settings.context_tokens
    return min(wanted, card.max_context_tokens) if card.max_context_tokens else wanted


def _bytes(memory: Mapping[str, Any], name: str) -> int:
    value = memory.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return max(0, int(value))
