"""Probe: the settings."""

import os
import re
from dataclasses import dataclass

from langchain_lmswitch.cli.doctor.examination import Examination, Untold
from langchain_lmswitch.errors import BadSettings
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.settings.sources import PREFIX
from langchain_lmswitch.settings.telling import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """The settings, or why there are none."""

    settings: Settings | None = None
    problems: tuple[str, ...] = ()
    """What is wrong, each with the place where it stands."""
    culprit: str = ""
    """The variable that the first of them is about; empty if it stands elsewhere."""
    meant: str = ""
    """The variable that was probably meant, where there is none of the culprit's name."""


async def read_knobs(exam: Examination) -> Knobs:
    """Read the settings, from files and the environment."""
    try:
        return Knobs(settings=exam.session.settings())
    except BadSettings as error:
        culprit = _culprit(error.problems[0])
        return Knobs(problems=error.problems, culprit=culprit, meant=_meant(culprit))


async def settings_of(exam: Examination) -> Settings:
    """Give the settings.

    Raises:
        Untold: They cannot be read.
    """
    knobs = await exam.of(read_knobs)
    if knobs.settings is None:
        raise Untold("the settings cannot be read")
    return knobs.settings


def _culprit(problem: str) -> str:
    """Give the variable that a problem names, as it is written in the environment."""
    return next((name for name in re.findall(r"\w+", problem) if name in os.environ), "")


def _meant(variable: str) -> str:
    name = variable.upper().removeprefix(PREFIX).lower()
    if not variable or name in Settings.model_fields or name == variable.lower():
        return ""
    close = nearest(name, Settings.model_fields)
    return f"{PREFIX}{close.upper()}" if close else ""
