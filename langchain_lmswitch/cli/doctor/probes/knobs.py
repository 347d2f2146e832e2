"""Probe: the settings."""

from dataclasses import dataclass

from langchain_lmswitch.cli.doctor.examination import Examination, Untold
from langchain_lmswitch.errors import BadSettings
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.settings.layers import DEFAULT, Layer, Origin, origins
from langchain_lmswitch.settings.sources import PREFIX, read_layers
from langchain_lmswitch.settings.telling import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """The settings, or why there are none."""

    settings: Settings | None = None
    problems: tuple[str, ...] = ()
    """What is wrong, each with the place where it stands."""
    origin: Origin = DEFAULT
    """Where the first of them stands; the default if it is about a whole file."""
    meant: str = ""
    """The variable that was probably meant, where there is none of its name."""


async def read_knobs(exam: Examination) -> Knobs:
    """Read the settings, from files and the environment."""
    try:
        return Knobs(settings=exam.session.settings())
    except BadSettings as error:
        path = error.paths[0] if error.paths else ()
        origin = origins(read_layers(exam.session.given), *path)[0] if path else DEFAULT
        meant = _meant(path[0]) if origin.kind == "variable" else ""
        return Knobs(problems=error.problems, origin=origin, meant=meant)


async def settings_of(exam: Examination) -> Settings:
    """Give the settings.

    Raises:
        Untold: They cannot be read.
    """
    knobs = await exam.of(read_knobs)
    if knobs.settings is None:
        raise Untold("the settings cannot be read")
    return knobs.settings


async def origin_of(exam: Examination, name: str) -> Origin:
    """Tell where a setting is said; where several say it, the place that counts."""
    return origins(await exam.of(_read_said), name)[0]


async def _read_said(exam: Examination) -> tuple[Layer, ...]:
    await exam.of(settings_of)  # what cannot be read is told there
    return read_layers(exam.session.given)


def _meant(name: str) -> str:
    if name in Settings.model_fields:
        return ""
    close = nearest(name, Settings.model_fields)
    return f"{PREFIX}{close.upper()}" if close else ""
