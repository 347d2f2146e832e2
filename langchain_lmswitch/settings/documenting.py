"""What every setting means, written for the README and for a new file, from the settings."""

import ast
import inspect
import itertools
import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from langchain_lmswitch.settings.knobs import Settings
from langchain_lmswitch.settings.models import ModelSettings
from langchain_lmswitch.settings.sources import PREFIX

_EXAMPLES: Final[Mapping[str, Any]] = {
    "allow": ["qwen*", "vision"],
    "api_key": "sk-lm-...",
    "base_url": "127.0.0.1:1234",
    "budget_bytes": 16 * 2**30,
    "context_store": "~/conversations.sqlite",
    "deny": ["*uncensored*"],
    "home": "~/lmswitch",
    "model_folders": ["~/models"],
    "refine_timeout_s": 0.3,
    "roles": {"coder": ["code"], "gemma": {"math": 0.4}},
    "threads": 4,
}
"""What a file could say where nothing is said by default."""
_OF_MODELS: Final[Mapping[str, Any]] = {
    "max_context": 16384,
    "parallel": 4,
    "roles": ["code"],
    "scores": {"math": 0.4},
    "ttl_s": 600,
}
"""The same for the table of a model."""
_BY_SYSTEM: Final = "by system"
_NOTHING: Final[tuple[Any, ...]] = (None, [], _BY_SYSTEM)
_COLUMNS: Final = 98
_HEAD: Final = """\
# Settings of langchain-lmswitch. What is commented out is a default, or an example.
#
# Of several places the first counts: arguments in the program, variables LMSWITCH_<NAME>, the
# lmswitch.toml of a project (in the current directory or above it), this file. What is in force,
# and where it comes from, is told by: lmswitch config
"""
_MODELS: Final = """\
# What holds for some models only. Tables may be as many as you like; each names its models by a
# key, a part of keys, or a glob.
# [models."qwen*coder*"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One setting as it is documented."""

    name: str
    meaning: str
    """All that its docstring says, on one line."""
    default: Any
    """As JSON has it; `None` if nothing is said by default."""

    @property
    def variable(self) -> str:
        """The variable of the environment that sets it."""
        return f"{PREFIX}{self.name.upper()}"

    @property
    def first_sentence(self) -> str:
        """What it means, as short as its docstring says it."""
        return re.split(r"(?<=\.)\s+(?=[A-Z`])", self.meaning, maxsplit=1)[0].removesuffix(".")


def knobs(kind: type[BaseModel] = Settings) -> tuple[Knob, ...]:
    """List the settings, or the keys of a model's table, with what their docstrings say."""
    meanings = dict(_docstrings(kind))
    return tuple(
        Knob(name=name, meaning=meanings[name], default=_default(field))
        for name, field in kind.model_fields.items()
        if (kind, name) != (ModelSettings, "models")
    )


def settings_table() -> str:
    """Write all settings as a Markdown table, for the README."""
    return _table("variable", ((f"`{one.variable}`", one) for one in knobs()))


def model_table() -> str:
    """Write the keys of a model's table as a Markdown table, for the README."""
    return _table("key", ((f"`{one.name}`", one) for one in knobs(ModelSettings)))


def example_file() -> str:
    """Write a file of settings that changes nothing, to be edited."""
    own = "\n".join(_entry(one, _EXAMPLES) for one in knobs() if one.name != "models")
    tables = "".join(f"#\n{_entry(one, _OF_MODELS)}" for one in knobs(ModelSettings))
    return f"{_HEAD}\n{own}\n{_MODELS}{tables}"


def _table(heading: str, rows: Iterable[tuple[str, Knob]]) -> str:
    lines = (f"| {name} | {_shown(one)} | {one.first_sentence} |" for name, one in rows)
    return "\n".join([f"| {heading} | default | meaning |", "| --- | --- | --- |", *lines])


def _shown(one: Knob) -> str:
    return "none" if one.default in (None, []) else toml(one.default).strip('"')


def _entry(one: Knob, examples: Mapping[str, Any]) -> str:
    """Write what a setting means, and below it the line that sets it."""
    meaning, value = one.meaning, one.default
    if one.default in _NOTHING:
        meaning, value = f"{meaning} Not set unless you do.", examples[one.name]
    lines = textwrap.wrap(meaning, _COLUMNS, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in [*lines, f"{one.name} = {toml(value)}"])


def toml(value: Any) -> str:
    """Write a JSON value as TOML has it on one line."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {toml(one)}' for key, one in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _default(field: FieldInfo) -> Any:
    match field.default:
        case _ if field.default_factory is not None:
            return _BY_SYSTEM
        case float() as number if number.is_integer():
            return int(number)
        case tuple() as values:
            return list(values)
        case value:
            return value


def _docstrings(kind: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Read the docstrings under the fields, which Python does not keep.

    Pydantic can read them, too, but would do so at every import, for 50 ms.
    """
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    for field, below in itertools.pairwise(ast.iter_child_nodes(definition)):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, " ".join(text.split())
            case _:
                pass
