"""What is wrong with settings, in words that say where it stands and what to do."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from langchain_lmswitch.errors import BadSettings
from langchain_lmswitch.settings.layers import Kind, Layer, Origin, merged, origins

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

SECRET: Final = "api_key"  # noqa: S105 - the name of a setting
_REMEDIES: Final[Mapping[Kind, str]] = {
    "argument": "Correct the argument.",
    "variable": "Change or unset it in the environment.",
    "project": "Correct it there.",
    "user": "Correct it there.",
}


def told(
    error: "ValidationError",
    layers: Sequence[Layer],
    *,
    fields: Iterable[str],
    model_fields: Iterable[str],
) -> BadSettings:
    """Tell what pydantic found.

    Args:
        error: What it found.
        layers: The places that were read, from the highest to the lowest.
        fields: The names of all settings.
        model_fields: The keys that the table of one model may have.
    """
    problems: dict[str, Kind] = {}
    paths: dict[tuple[str, ...], None] = {}
    values = merged(layers)
    for one in error.errors(include_url=False):
        path = _path(one["loc"], values)
        origin = origins(layers, *path)[0]
        known = model_fields if len(path) > 1 else fields
        problems[_problem(one, path, origin, known)] = origin.kind
        paths[path] = None
    remedies = dict.fromkeys(_REMEDIES.get(kind, "") for kind in problems.values())
    return BadSettings(list(problems), remedy=" ".join(filter(None, remedies)), paths=list(paths))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Give the name that was probably meant."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def written(path: Sequence[str]) -> str:
    """Write the keys that lead to a value as a file has them: `models."coder".pin`."""
    match path:
        case [name, table, *keys]:
            return ".".join([name, json.dumps(table, ensure_ascii=False), *keys])
        case _:
            return ".".join(path)


def _path(location: Sequence[int | str], values: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the keys that lead to a value; tables of models are numbered by pydantic."""
    name, *rest = map(str, location)
    match name, values.get(name), rest:
        case "models", Mapping() as tables, [number, *keys] if number.isdigit():
            return (name, list(tables)[int(number)], *keys[:1])
        case _:
            return (name,)


def _problem(
    one: "ErrorDetails", path: tuple[str, ...], origin: Origin, known: Iterable[str]
) -> str:
    what = written(path)
    place = "" if origin.kind == "argument" else f"{origin}: "
    if origin.kind == "variable":
        place, what = "", origin.name if len(path) == 1 else f"{what} in {origin.name}"
    if one["type"] == "extra_forbidden":
        return f"{place}{_quoted(what, origin)} is no setting.{_hint(path[-1], origin, known)}"
    said = "what was given" if path[0] == SECRET else repr(one["input"])
    message = one["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{place}{_quoted(what, origin)} cannot be {said}: {message}."


def _quoted(what: str, origin: Origin) -> str:
    return what if origin.kind == "variable" else f"`{what}`"


def _hint(name: str, origin: Origin, known: Iterable[str]) -> str:
    close = nearest(name, known)
    if close is None:
        return " `lmswitch config --markdown` lists all."
    return f" Nearest: {f'LMSWITCH_{close.upper()}' if origin.kind == 'variable' else close}."
