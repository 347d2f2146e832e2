"""Every setting with its value and the places that say something of it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_lmswitch.settings.knobs import Settings
from langchain_lmswitch.settings.layers import Layer, Origin, added, origins
from langchain_lmswitch.settings.models import ModelSettings
from langchain_lmswitch.settings.telling import written
from langchain_lmswitch.types.tasks import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One value, and where it comes from."""

    name: str
    """As a file has it: `models."coder".pin`."""
    value: Any
    """As JSON has it; of a secret only whether there is one."""
    origins: tuple[Origin, ...]
    """The one that counts first; the last is the default."""
    added: bool = False
    """Whether what the first two say is added up."""
    wrong: bool = False
    """Whether it cannot be, or is no setting."""

    @property
    def changed(self) -> bool:
        """Whether the user says something of it."""
        return self.origins[0].said


def all_settings(settings: Settings, layers: Sequence[Layer]) -> tuple[Setting, ...]:
    """List every setting, and of models what is said of them.

    Args:
        settings: What was made of the layers.
        layers: What the places say, from the highest to the lowest.
    """
    return tuple(
        Setting(
            name=written(path),
            value=_plain(path, value),
            origins=origins(layers, *path),
            added=bool(added(layers, name)),
        )
        for name in Settings.model_fields
        for path, value in _values(name, getattr(settings, name))
    )


def _values(name: str, value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if name != "models" or not value:
        yield (name,), value
        return
    for one in value:
        yield from (((name, one.models, key), getattr(one, key)) for key in _said(one))


def _said(one: ModelSettings) -> list[str]:
    return [name for name in ModelSettings.table_keys() if name in one.model_fields_set]


def _plain(path: Sequence[str], value: Any) -> Any:
    """Write a value as JSON has it."""
    match path, value:
        case ["api_key"], _:
            return value is not None
        case ["roles"], _:
            return _by_models(value)
        case [*_, "scores"], _:
            return dict(value)
        case _, tuple():
            return [_plain((), one) for one in value]
        case _, Path():
            return str(value)
        case _:
            return value


def _by_models(roles: Sequence[Role]) -> dict[str, Any]:
    """Write roles in the form that they are read from."""
    told: dict[str, Any] = {}
    for role in roles:
        says = told.setdefault(role.models, {"roles": [], "scores": {}})
        if role.score is None:
            says["roles"].append(role.task)
        else:
            says["scores"][role.task] = role.score
    return {name: {key: one for key, one in says.items() if one} for name, says in told.items()}
