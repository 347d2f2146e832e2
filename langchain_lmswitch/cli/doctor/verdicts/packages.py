"""Verdicts: Python, the packages, the extras."""

from typing import Final

from langchain_lmswitch.cli.doctor.commands import install
from langchain_lmswitch.cli.doctor.findings import Finding, note, ok, problem
from langchain_lmswitch.cli.doctor.probes.packages import DISTRIBUTION, Package, Packages

_TOLD: Final = ("lmstudio", "langchain-core", "langgraph")
"""Whose versions are told when all is well: those that a bug report needs."""


def judge_python(facts: Packages) -> Finding:
    """Say whether this Python will do."""
    if facts.python_fits:
        return ok("python", facts.python)
    what = f"{facts.python} is too old or too new: {facts.python_needed} is needed"
    return problem("python", what, "python3 --version")


def judge_packages(facts: Packages) -> Finding:
    """Say which packages are missing, too old or too new."""
    wrong = [one for one in (*facts.required, *_pinned(facts)) if not one.fits]
    if wrong:
        told = "; ".join(map(_told, wrong))
        remedy = install(*(one.requirement for one in wrong))
        return problem("packages", f"{told}. Some calls may fail.", remedy)
    versions = [f"{one.name} {one.installed}" for one in facts.required if one.name in _TOLD]
    return ok("packages", ", ".join([f"{DISTRIBUTION} {facts.own}", *versions]))


def judge_embedded(facts: Packages) -> Finding:
    """Say whether models can be run without LM Studio."""
    missing = _missing(facts, "embedded")
    if not missing:
        engine = dict(_versions(facts, "embedded")).get("xllamacpp")
        return ok(
            "embedded host", f"installed, on xllamacpp {engine}: models run without LM Studio"
        )
    return note(
        "embedded host",
        f"not installed ({', '.join(missing)} missing): models need LM Studio to run",
        install(f"{DISTRIBUTION}[embedded]"),
    )


def _pinned(facts: Packages) -> list[Package]:
    """List what is installed of the extras: it must fit, too."""
    return [one for _, packages in facts.extras for one in packages if one.installed]


def _missing(facts: Packages, extra: str) -> list[str]:
    return [name for name, version in _versions(facts, extra) if version is None]


def _versions(facts: Packages, extra: str) -> list[tuple[str, str | None]]:
    return [(one.name, one.installed) for one in dict(facts.extras).get(extra, ())]


def _told(package: Package) -> str:
    if package.installed is None:
        return f"{package.name} is not installed"
    return f"{package.name} {package.installed} is not what is needed ({package.requirement})"
