"""Probe: the settings, and variables that look like settings and are none."""

import difflib
import os
import re
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.cli.doctor.examination import Examination, Untold
from langchain_lmswitch.settings import Settings

_PREFIX: Final = "LMSWITCH_"
_OURS: Final = re.compile(r"LMSWITCH_(TEST|BENCH)")
"""Variables of this package's own tests and benchmarks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """The settings, or why there are none."""

    settings: Settings | None = None
    error: str = ""
    culprit: str = ""
    """The variable that cannot be read, if it is one."""
    strangers: tuple[tuple[str, str], ...] = ()
    """Variables that set nothing, each with the nearest that would; empty if none is near."""


async def read_knobs(exam: Examination) -> Knobs:
    """Read the settings."""
    from pydantic import ValidationError

    from langchain_lmswitch.errors import LMSwitchError

    strangers = _strangers()
    try:
        return Knobs(settings=exam.session.settings(), strangers=strangers)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        culprit = _variable("_".join(map(str, first["loc"][:1])))
        why = f"{culprit} cannot be {first['input']!r}: {first['msg']}"
        return Knobs(error=why, culprit=culprit, strangers=strangers)
    except (LMSwitchError, ValueError, OSError) as error:
        return Knobs(error=str(error), strangers=strangers)


async def settings_of(exam: Examination) -> Settings:
    """Give the settings.

    Raises:
        Untold: They cannot be read.
    """
    knobs = await exam.of(read_knobs)
    if knobs.settings is None:
        raise Untold("the settings cannot be read")
    return knobs.settings


def _strangers() -> tuple[tuple[str, str], ...]:
    known = [_variable(name) for name in Settings.model_fields]
    found = sorted(
        name
        for name in os.environ
        if name.upper().startswith(_PREFIX)
        and name.upper() not in known
        and not _OURS.match(name.upper())
    )
    return tuple((name, _nearest(name, known)) for name in found)


def _nearest(name: str, known: list[str]) -> str:
    return next(iter(difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.7)), "")


def _variable(name: str) -> str:
    return name if name.isupper() else f"{_PREFIX}{name.upper()}"
