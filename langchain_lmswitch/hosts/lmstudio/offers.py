"""What a host offers for download, from its own words."""

from collections.abc import Mapping
from typing import Any, Final

from langchain_lmswitch.types.downloads import DownloadOption, Hit

_FITS: Final[Mapping[str, bool]] = {
    "fullGPUOffload": True,
    "partialGPUOffload": True,
    "fitWithoutGPU": True,
    "willNotFit": False,
}


def hits(told: Any, term: str) -> list[Hit]:
    """Read what a search for `term` has found; what cannot be read is passed over."""
    return [hit for one in _results(told) if (hit := _hit(one, term))]


def options(told: Any) -> list[DownloadOption]:
    """Read what there is of a model; what cannot be read is passed over."""
    return [option for one in _results(told) if (option := _option(one))]


def progress(update: Mapping[str, Any]) -> tuple[int, int] | None:
    """Read how many bytes have arrived, and of how many; `None` if that is not told."""
    done_bytes = _count(update.get("downloadedBytes"))
    if done_bytes is None:
        return None
    return done_bytes, _count(update.get("totalBytes")) or done_bytes


def _results(told: Any) -> list[Mapping[str, Any]]:
    found = told.get("results") if isinstance(told, Mapping) else None
    return [one for one in found or () if isinstance(one, Mapping)]


def _hit(raw: Mapping[str, Any], term: str) -> Hit | None:
    match raw:
        case {"name": str(name), "identifier": dict(identifier)}:
            exact = raw.get("exact") is True or name.casefold() == term.casefold()
            return Hit(name=name, identifier=identifier, exact=exact)
        case _:
            return None


def _option(raw: Mapping[str, Any]) -> DownloadOption | None:
    match raw:
        case {"name": str(name), "downloadIdentifier": str(identifier)}:
            return DownloadOption(
                name=name,
                identifier=identifier,
                quantization=str(raw.get("quantization") or ""),
                size_bytes=_count(raw.get("sizeBytes")),
                fits_by_host=_FITS.get(str(raw.get("fitEstimation"))),
                recommended=raw.get("recommended") is True,
            )
        case _:
            return None


def _count(value: Any) -> int | None:
    """Read a number of bytes; `None` if it is none, or nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    return int(value)
