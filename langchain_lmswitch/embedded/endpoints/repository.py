"""The namespace `repository`: finding models that could be downloaded, and downloading them."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_lmswitch.embedded import pull
from langchain_lmswitch.embedded.channel import Channel
from langchain_lmswitch.embedded.endpoints.table import Namespace
from langchain_lmswitch.embedded.protocol.failures import path_not_found
from langchain_lmswitch.embedded.services import Request, Services
from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.policy import footprint

if TYPE_CHECKING:
    from langchain_lmswitch.embedded.pull import Downloadable

MAX_RESULTS = 25
EVERY_S = 0.1
"""Least time between two reports of a download."""


async def search_models(request: Request) -> dict[str, Any]:
    """Search for models."""
    options = request.get("opts") or {}
    term = str(options.get("searchTerm") or "")
    limit = min(int(options.get("limit") or MAX_RESULTS), MAX_RESULTS)
    found = await asyncio.to_thread(pull.search, term, limit=limit)
    return {"results": [_result(one, term) for one in found]}


async def get_download_options(request: Request) -> dict[str, Any]:
    """List what could be downloaded of a search result."""
    match request.get("modelSearchResultIdentifier"):
        case {"identifier": str(name)}:
            found = await asyncio.to_thread(pull.options, name)
        case _:
            raise InvalidRequest("The search result has no identifier.")
    if not found:
        known = await asyncio.to_thread(pull.search, name, limit=MAX_RESULTS)
        raise path_not_found(name, [one.name for one in known])
    told = [_option(one, request.services) for one in found]
    fitting = next((one for one in told if one["fitEstimation"] != "willNotFit"), None)
    if fitting:
        fitting["recommended"] = True
    return {"results": told}


async def download_model(request: Request, channel: Channel) -> None:
    """Download a model, telling how far it is."""
    name, services = request.text("downloadIdentifier"), request.services
    stop = threading.Event()
    report = _Report(channel)
    fetch = asyncio.to_thread(
        pull.fetch,
        name,
        services.settings,
        on_progress=_threadsafe(report),
        cancelled=stop.is_set,
    )
    try:
        paths = await channel.until_canceled(fetch)
    finally:
        stop.set()
    report.finalizing()
    key = await _key_of(paths, services, name)
    channel.post({"type": "success", "defaultIdentifier": key})


class _Report:
    """Turns counts of bytes into packets, not too many."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._told_s = self._started_s = time.monotonic()
        self._began_bytes: int | None = None
        self._finalizing = False

    def __call__(self, done_bytes: int, total_bytes: int) -> None:
        now_s = time.monotonic()
        if self._began_bytes is None:
            self._began_bytes = done_bytes
        if now_s - self._told_s < EVERY_S and done_bytes < total_bytes:
            return
        self._told_s = now_s
        speed = (done_bytes - self._began_bytes) / max(now_s - self._started_s, 1e-3)
        update = {"downloadedBytes": done_bytes, "totalBytes": total_bytes}
        update_wire = {**update, "speedBytesPerSecond": speed}
        self._channel.post({"type": "downloadProgress", "update": update_wire})
        if done_bytes >= total_bytes:
            self.finalizing()

    def finalizing(self) -> None:
        """Say once that the bytes are there."""
        if not self._finalizing:
            self._finalizing = True
            self._channel.post({"type": "startFinalizing"})


def _threadsafe(report: Callable[[int, int], None]) -> Callable[[int, int], None]:
    loop = asyncio.get_running_loop()

    def tell(done_bytes: int, total_bytes: int) -> None:
        loop.call_soon_threadsafe(report, done_bytes, total_bytes)

    return tell


async def _key_of(paths: list[Path], services: Services, name: str) -> str:
    models = await services.catalog.models()
    return next((model.card.key for model in models if model.path in paths), name)


def _result(found: "Downloadable", term: str) -> dict[str, Any]:
    return {
        "name": found.name,
        "identifier": {"type": "catalog", "identifier": found.name},
        "exact": found.name.lower() == term.lower(),
        "staffPick": False,
    }


def _option(found: "Downloadable", services: Services) -> dict[str, Any]:
    cost = footprint.from_size(
        found.size_bytes, params="", context_tokens=services.settings.context_tokens
    )
    free_bytes = services.snapshot().ram_free_bytes
    fits = free_bytes is None or cost.total_bytes <= free_bytes
    option = {
        "name": found.name,
        "sizeBytes": found.size_bytes,
        "fitEstimation": "fitWithoutGPU" if fits else "willNotFit",
        "downloadIdentifier": found.name,
        "indexedModelIdentifier": found.name,
    }
    return option | ({"quantization": found.quantization} if found.quantization else {})


REPOSITORY = Namespace(
    calls={"searchModels": search_models, "getModelDownloadOptions": get_download_options},
    channels={"downloadModel": download_model},
)
