"""Values of settings from several places, and which of them counts. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, assert_never

Kind = Literal["argument", "variable", "project", "user", "command", "default"]
"""The places of settings, from the highest to the lowest. `command` is what an `lmswitch` command
takes instead of the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one place says."""

    kind: Kind
    values: Mapping[str, Any]
    """By the names of the fields; those that no field has are among them."""
    path: str = ""
    """Of a file."""
    text: str = field(default="", repr=False)
    """All that stands in it."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """By name, the variable of the environment that a value was read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where one value comes from."""

    kind: Kind
    name: str = ""
    """Path of the file, or name of the variable."""
    line: int | None = None

    @property
    def said(self) -> bool:
        """Whether the user said it there."""
        return self.kind not in {"command", "default"}

    def __str__(self) -> str:
        """Say it in a few words."""
        match self.kind:
            case "project" | "user":
                return self.name if self.line is None else f"{self.name}, line {self.line}"
            case "variable":
                return self.name
            case "command":
                return "default of commands"
            case "argument" | "default":
                return self.kind
            case _:
                assert_never(self.kind)


DEFAULT = Origin(kind="default")


def merged(layers: Sequence[Layer]) -> dict[str, Any]:
    """Put what all places say together.

    1. What stands higher counts.
    2. Tables are merged, key by key; those that stand higher come first, and so count first where
       several names match one model.
    3. Who is denied by the user's file stays so: the project's file may only add to it.

    Args:
        layers: From the highest to the lowest.
    """
    values: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.values.items():
            values[name] = _over(values[name], value) if name in values else value  # 1
    if denied := added(layers, "deny"):
        values["deny"] = [ban for one in denied for ban in listed(one.values["deny"])]  # 3
    return values


def _over(high: object, low: object) -> object:
    if not (isinstance(high, Mapping) and isinstance(low, Mapping)):
        return high
    both = {key: _over(value, low[key]) for key, value in high.items() if key in low}
    return {**high, **both, **{key: low[key] for key in low if key not in high}}  # 2


def added(layers: Sequence[Layer], name: str) -> tuple[Layer, ...]:
    """List the layers whose values of one setting are added up, the lowest first; or none.

    They are the two files, for who is denied, if nothing above them says who is.
    """
    saying = [layer for layer in layers if name == "deny" and name in layer.values]
    both = [layer.kind for layer in saying] == ["project", "user"]
    return tuple(reversed(saying)) if both else ()


def listed(value: Any) -> list[Any]:
    """Read a list that may be written as text, with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return list(value) if isinstance(value, list | tuple) else [value]


def origins(layers: Sequence[Layer], *path: str) -> tuple[Origin, ...]:
    """List the places that say something of a value, the one that counts first.

    Args:
        layers: From the highest to the lowest.
        path: The name of a field, and for a table, the keys below it.
    """
    return (*(_origin(layer, path) for layer in _saying(layers, path)), DEFAULT)


def _saying(layers: Sequence[Layer], path: Sequence[str]) -> Iterator[Layer]:
    for layer in layers:
        within: object = layer.values
        for key in path:
            if not isinstance(within, Mapping):  # it says the whole, in another form
                yield layer
                break
            if key not in within:
                break
            within = within[key]
        else:
            yield layer


def _origin(layer: Layer, path: Sequence[str]) -> Origin:
    # Lines are looked up for a person, or for an error: who only makes a chat model waits for none.
    from langchain_lmswitch.settings.lines import line_of  # noqa: PLC0415

    match layer.kind:
        case "project" | "user":
            return Origin(kind=layer.kind, name=layer.path, line=line_of(layer.text, path))
        case "variable":
            return Origin(kind=layer.kind, name=layer.variables.get(path[0], ""))
        case "argument" | "command" | "default":
            return Origin(kind=layer.kind)
        case _:
            assert_never(layer.kind)
