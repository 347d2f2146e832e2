"""The namespace `runtime`."""

import importlib.metadata
import platform
from typing import Any

from langchain_lmswitch.embedded.endpoints.table import Namespace
from langchain_lmswitch.embedded.protocol.shapes import survey
from langchain_lmswitch.embedded.services import Request

_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "ARM64", "arm64": "ARM64"}


async def survey_hardware(request: Request) -> dict[str, Any]:
    """Describe the machine."""
    return survey(
        request.services.snapshot(),
        version=engine_version(),
        architecture=_ARCHITECTURES.get(platform.machine().lower(), "Unknown"),
        platform=platform.system().lower(),
    )


def engine_version() -> str:
    """Give the release of llama.cpp that computes; empty if it cannot be told."""
    try:
        return importlib.metadata.version("xllamacpp")
    except importlib.metadata.PackageNotFoundError:
        return ""


RUNTIME = Namespace(calls={"surveyHardware": survey_hardware})
