"""The places that settings are read from."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from langchain_lmswitch.errors import BadSettings
from langchain_lmswitch.settings.files import (
    Places,
    SettingsFile,
    expanded,
    is_there,
    places,
    read,
)
from langchain_lmswitch.settings.layers import Kind, Layer, origins

PREFIX: Final = "LMSWITCH_"
TOKEN: Final = "LM_API_TOKEN"  # noqa: S105 - the name of a variable
"""LM Studio's own name of the token; ours counts before it."""
COMMAND: Final = "LMSWITCH_COMMAND"
"""What `lmswitch` sets for itself: a command ends after one answer, and the next one wants the same
model."""

PERSONAL: Final = (
    "api_key",
    "base_url",
    "context_store",
    "evict_foreign",
    "home",
    "model_folders",
)
"""What a project's file may not say. It may have come with a stranger's repository, and these say
where your words are sent and kept, which files are loaded, and whose models may be unloaded."""

_TABLES: Final = ("models", "roles")
_PATHS: Final = ("context_store", "home")
_LISTS: Final = ("ALLOW", "DENY", "MODEL_FOLDERS")
_NO_SETTINGS: Final = re.compile(
    r"CONFIG$|COMMAND$|TEST_|BENCH_|PORT$|(.+_)?(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_|$)"
)
"""Variables of our prefix that are none: of our tests; and of Kubernetes, which sets some in every
container beside a service of the name `lmswitch`, or `lmswitch-` and more."""
_URL: Final = re.compile(r"\w+://")


def read_layers(given: Mapping[str, Any], where: Places | None = None) -> tuple[Layer, ...]:
    """Read all places, and give what each says, from the highest to the lowest.

    1. What is given as arguments.
    2. The environment.
    3. The project's file.
    4. The user's file.
    5. What an `lmswitch` command takes instead of a default.

    Args:
        given: The arguments.
        where: The files; without it, they are looked for.

    Raises:
        BadSettings: A file cannot be read, or says what it may not.
    """
    command = {"unload_at_exit": False} if COMMAND in os.environ else {}
    found = (
        Layer(kind="argument", values=given),  # 1
        of_environment(os.environ),  # 2
        *of_files(where or places()),  # 3, 4
        Layer(kind="command", values=command),  # 5
    )
    return tuple(layer for layer in found if layer.values)


def of_environment(environ: Mapping[str, str]) -> Layer:
    """Give what the environment says; a variable that is no setting is among it."""
    values: dict[str, Any] = {}
    variables: dict[str, str] = {}
    for variable, text in environ.items():
        name = variable.upper().removeprefix(PREFIX)
        if name != variable.upper() and _says(name, text):
            values[name.lower()], variables[name.lower()] = text, variable
    if environ.get(TOKEN) and "api_key" not in values:
        values["api_key"], variables["api_key"] = environ[TOKEN], TOKEN
    tables = {name: _decoded(values[name]) for name in _TABLES if name in values}
    return Layer(kind="variable", values=values | tables, variables=variables)


def _says(name: str, text: str) -> bool:
    """Tell whether a variable of our prefix says something, and of a setting.

    1. An empty one says nothing: that is how containers and CI pass on what is not set. But a list
       that is empty is one, which counts over that of a file.
    2. Those of others are no settings; see `_NO_SETTINGS`.
    """
    if not text.strip():  # 1
        return name in _LISTS
    return not (_NO_SETTINGS.match(name) or (name.endswith("_PORT") and _URL.match(text)))  # 2


def of_files(where: Places) -> tuple[Layer, ...]:
    """Give what the files say, the project's first.

    Raises:
        BadSettings: One cannot be read, or says what it may not.
    """
    layers = []
    if where.project is not None:
        layers.append(_checked(_of_file("project", read(where.project)), where))
    if where.user is not None and (where.named or is_there(where.user)):
        layers.append(_of_file("user", read(where.user)))
    return tuple(layers)


def _of_file(kind: Kind, file: SettingsFile) -> Layer:
    values = {name: _anchored(name, value, file.path) for name, value in file.values.items()}
    return Layer(kind=kind, values=values, path=str(file.path), text=file.text)


def _checked(layer: Layer, where: Places) -> Layer:
    told = [
        f"{origins([layer], name)[0]}: a project's file may not set `{name}`, since it may be a "
        "stranger's."
        for name in PERSONAL
        if name in layer.values
    ]
    if told:
        raise BadSettings(told, remedy=f"Set it in {where.user}, or in the environment.")
    return layer


def _decoded(text: str) -> Any:
    """Read a table that is written as JSON; what is none is refused when its field is."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _anchored(name: str, value: Any, file: Path) -> Any:
    """Read paths in a file from where it lies."""
    if name == "model_folders":
        return [_path(one, file) for one in split_path(value)]
    return _path(value, file) if name in _PATHS else value


def _path(value: Any, file: Path) -> Any:
    return file.parent / expanded(value) if isinstance(value, str) else value


def split_path(value: Any) -> Sequence[Any]:
    """Read a list of folders that may be written as text, as in `PATH`."""
    if isinstance(value, str):
        return [part for part in value.split(os.pathsep) if part]
    return value if isinstance(value, list | tuple) else [value]
