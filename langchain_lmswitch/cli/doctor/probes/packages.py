"""Probe: Python, and the versions of what this package needs."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from langchain_lmswitch.cli.doctor.examination import Examination, Untold, aside

DISTRIBUTION: Final = "langchain-lmswitch"
EXTRAS: Final = ("embedded", "gpu")
"""Extras that matter to who runs models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package that is needed."""

    name: str
    requirement: str
    """As pip wants it."""
    installed: str | None
    """Its version; `None` if it is not there."""
    fits: bool
    """Whether it is there, in a version that is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """What is needed, and what is there."""

    own: str
    """Version of this package."""
    python: str
    python_needed: str
    python_fits: bool
    required: tuple[Package, ...]
    extras: tuple[tuple[str, tuple[Package, ...]], ...]


async def read_packages(exam: Examination) -> Packages:  # noqa: ARG001 - the form of a probe
    """Compare what is installed with what this package says it needs."""
    return await aside(_packages)


def _packages() -> Packages:
    try:
        told = metadata.metadata(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise Untold(f"{DISTRIBUTION} is not installed, only its source is here") from None
    python = ".".join(map(str, sys.version_info[:3]))
    needed = str(told.json.get("requires_python", ""))
    requirements = [Requirement(one) for one in told.get_all("Requires-Dist") or []]
    return Packages(
        own=str(told["Version"]),
        python=python,
        python_needed=needed,
        python_fits=SpecifierSet(needed).contains(python, prereleases=True),
        required=tuple(_wanted(requirements, "")),
        extras=tuple((extra, tuple(_wanted(requirements, extra))) for extra in EXTRAS),
    )


def _wanted(requirements: Sequence[Requirement], extra: str) -> Iterator[Package]:
    for one in requirements:
        if _applies(one, extra) and (not extra or not _applies(one, "")):
            yield _package(one)


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _package(requirement: Requirement) -> Package:
    try:
        installed = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        installed = None
    return Package(
        name=requirement.name,
        requirement=f"{requirement.name}{requirement.specifier}",
        installed=installed,
        # A beta of the SDK is what somebody chose, and is judged by its number.
        fits=bool(installed) and requirement.specifier.contains(str(installed), prereleases=True),
    )
