"""The namespace `system`."""

from typing import Any

from langchain_lmswitch.embedded.endpoints.runtime import engine_version
from langchain_lmswitch.embedded.endpoints.table import Namespace
from langchain_lmswitch.embedded.protocol.failures import path_not_found
from langchain_lmswitch.embedded.protocol.shapes import card_info
from langchain_lmswitch.embedded.services import Request

SPOKEN_VERSION = "0.4.0"
"""The LM Studio release whose protocol this host speaks; clients use what is newer only if told."""


async def list_downloaded_models(request: Request) -> list[dict[str, Any]]:
    """List what is on disk."""
    return [card_info(model.card) for model in await request.services.catalog.models()]


async def list_variants(request: Request) -> list[dict[str, Any]]:
    """List the variants of a model: here each is a model of its own."""
    key = request.text("modelKey")
    models = await request.services.catalog.models()
    found = [card_info(model.card) for model in models if model.card.key == key]
    if not found:
        raise path_not_found(key, [model.card.key for model in models])
    return found


async def version(_: Request) -> dict[str, Any]:
    """Say which release of LM Studio this host is like, and of its own engine as the build."""
    return {"version": SPOKEN_VERSION, "build": _build()}


def _build() -> int:
    """Give the engine's release as one number: what a load costs may change with it."""
    digits = "".join(one for one in engine_version() if one.isdecimal())
    return int(digits or 0)


async def notify(_: Request) -> None:
    """Take a notification for the desktop, which is not here to show it."""


SYSTEM = Namespace(
    calls={
        "listDownloadedModels": list_downloaded_models,
        "listDownloadedModelVariants": list_variants,
        "version": version,
        "notify": notify,
    }
)
