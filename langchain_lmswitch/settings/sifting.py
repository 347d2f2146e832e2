"""What there is to see of settings, though some of them are wrong."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from langchain_lmswitch.errors import BadSettings
from langchain_lmswitch.settings.files import Places, places
from langchain_lmswitch.settings.knobs import Settings
from langchain_lmswitch.settings.layers import Layer, merged, origins
from langchain_lmswitch.settings.listing import Setting, all_settings
from langchain_lmswitch.settings.sources import read_layers
from langchain_lmswitch.settings.telling import SECRET, written


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """All settings, those that are wrong among them."""

    settings: tuple[Setting, ...]
    error: BadSettings | None = None
    """What is wrong with them."""


class _Told(Settings):
    """Settings of arguments only: the places have been read."""

    @classmethod
    def layers(cls, given: Mapping[str, Any]) -> Sequence[Layer]:
        return (Layer(kind="argument", values=given),)


def sift(given: Mapping[str, Any]) -> Sifted:
    """List every setting; what is wrong is marked, and the others are as they would be without it.

    1. All is well.
    2. A file that cannot be read, or says what it may not, is left out.
    3. What cannot be is taken out until the rest can.

    Args:
        given: The arguments.

    Raises:
        BadSettings: Without what is wrong there would be no settings either.
    """
    try:
        return Sifted(settings=all_settings(Settings(**given), read_layers(given)))  # 1
    except BadSettings as error:
        return Sifted(settings=_rest(_readable(given)), error=error)


def _readable(given: Mapping[str, Any]) -> tuple[Layer, ...]:
    """Read the places that can be read."""
    where = places()
    for files in (where, replace(where, project=None), replace(where, user=None)):
        with suppress(BadSettings):
            return read_layers(given, files)
    return read_layers(given, Places(user=None))  # 2


def _rest(layers: Sequence[Layer]) -> tuple[Setting, ...]:
    wrong: dict[str, Setting] = {}
    while True:
        try:
            settings = _Told(**merged(layers))
        except BadSettings as error:
            if not error.paths:  # nothing that could be taken out, such as a missing home
                raise
            for path in error.paths:  # 3
                wrong.setdefault(written(path), _wrong(path, layers))
                layers = [replace(one, values=_without(one.values, path)) for one in layers]
        else:
            break
    known = [wrong.pop(one.name, one) for one in all_settings(settings, layers)]
    return (*known, *wrong.values())


def _wrong(path: tuple[str, ...], layers: Sequence[Layer]) -> Setting:
    value: Any = merged(layers)
    for key in path:
        value = value[key]
    told = True if path[0] == SECRET else json.loads(json.dumps(value, default=str))
    return Setting(name=written(path), value=told, origins=origins(layers, *path), wrong=True)


def _without(values: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any]:
    name, *inner = path
    match values.get(name):
        case Mapping() as table if inner:
            return {**values, name: _without(table, inner)}
        case _:
            return {key: value for key, value in values.items() if key != name}
