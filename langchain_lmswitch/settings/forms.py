"""The forms that settings with several values may be written in."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, ByteSize, TypeAdapter, ValidationError

from langchain_lmswitch.settings.files import expanded
from langchain_lmswitch.settings.layers import listed
from langchain_lmswitch.settings.models import ModelSettings
from langchain_lmswitch.settings.sources import split_path
from langchain_lmswitch.types.roles import roles_of
from langchain_lmswitch.types.tasks import Role

_BYTES: Final = TypeAdapter(ByteSize)
_NO_TABLE: Final = "it is no JSON object, such as"


def _expanded(value: object) -> object:
    return expanded(value) if isinstance(value, str) else value


def _folders(value: object) -> object:
    return [_expanded(one) for one in split_path(value)]


def _bytes(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return int(_BYTES.validate_python(value.replace("_", "")))
    except ValidationError:
        raise ValueError("give a number of bytes, or one with a unit such as 16GiB") from None


def _roles(value: object) -> object:
    if isinstance(value, str):
        raise ValueError(f'{_NO_TABLE} {{"coder": ["code"]}}')  # noqa: TRY004 - the kind that pydantic tells
    return roles_of(value) if isinstance(value, Mapping) else _list(value)


def _models(value: object) -> object:
    if isinstance(value, str):
        raise ValueError(f'{_NO_TABLE} {{"coder": {{"max_context": 16384}}}}')  # noqa: TRY004 - as above
    return tuple(_by_name(value)) if isinstance(value, Mapping) else _list(value)


def _list(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError("it is no table by names of models")  # noqa: TRY004 - as above
    return value


def _by_name(tables: Mapping[str, Any]) -> Iterator[object]:
    """Read tables by the names of models.

    Raises:
        ValueError: One is no table, or names its models a second time.
    """
    for name, says in tables.items():
        if not isinstance(says, Mapping):
            raise ValueError(f"{name!r} needs a table of {', '.join(ModelSettings.table_keys())}")  # noqa: TRY004 - pydantic's
        if "models" in says:
            raise ValueError(f"{name!r} names its models already; it cannot have `models`")
        yield {"models": name, **says}


Bytes = Annotated[int, BeforeValidator(_bytes)]
"""A number, or a text with a unit."""
Names = Annotated[tuple[str, ...], BeforeValidator(listed)]
"""A list, or a text with commas."""
HomePath = Annotated[Path, BeforeValidator(_expanded)]
"""A path that may begin with `~`."""
Folders = Annotated[tuple[Path, ...], BeforeValidator(_folders)]
"""A list of them, or a text as in `PATH`."""
Roles = Annotated[tuple[Role, ...], BeforeValidator(_roles)]
"""A table by names of models; see `types.roles.roles_of`."""
Models = Annotated[tuple[ModelSettings, ...], BeforeValidator(_models)]
"""Tables by names of models."""
