"""How a chat model shows itself."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from langchain_lmswitch.chat_models.reasons import ReasonedChatModel
from langchain_lmswitch.types.displays.markup import html
from langchain_lmswitch.types.displays.sheets import Sheet, listed, told
from langchain_lmswitch.types.displays.text import line

_VERSIONS: Final = "lc_versions"
"""LangChain's own, in the metadata of every chat model."""
_DEPTH: Final = 4
"""Mappings and lists within each other are told of so far; some hold themselves."""


class ShownChatModel(ReasonedChatModel):
    """A chat model that shows what was asked of it, and what it did last.

    LangChain's traces and error texts write it whenever they like: nothing is looked up for it.
    """

    def __repr__(self) -> str:
        return line(self._sheet())

    def __str__(self) -> str:
        return repr(self)

    def __repr_args__(self) -> Iterable[tuple[str, str]]:  # for rich and for devtools
        return self._given()

    def _repr_html_(self) -> str:
        return html(self._sheet())

    def _sheet(self) -> Sheet:
        last = self.why()
        return Sheet(
            kind=type(self).__name__,
            title=self.model,
            facts=told(
                *self._given(),
                ("at", self._address()),
                ("last decision", f"{last.model or 'nobody'} for {last.task}" if last else ""),
            ),
        )

    def _given(self) -> tuple[tuple[str, str], ...]:
        """Give the arguments that are not as by default, but for `model`, which is the title."""
        fields = type(self).model_fields
        skipped = {"model", "profile"} if self._follows else {"model"}
        names = [name for name in fields if name in self.model_fields_set - skipped]
        values = {name: _argument(name, getattr(self, name)) for name in names}
        defaults = {name: _argument(name, fields[name].get_default()) for name in names}
        return tuple((name, text) for name, text in values.items() if text != defaults[name])

    def _address(self) -> str:
        """Give the host's address, if the settings were read already and name it."""
        if self._made is None or self.base_url or self.host is not None:
            return ""
        return _address(self._made.settings.base_url or "")


def _argument(name: str, value: Any) -> str:
    match name:
        case "api_key":
            return "set, and not shown" if value else ""
        case "base_url":
            return _address(_plain(value))
        case "metadata" if isinstance(value, Mapping):
            return _plain({key: one for key, one in value.items() if key != _VERSIONS})
    return _plain(value)


def _address(text: str) -> str:
    """Give an address without what some write before it: a name and a password."""
    return text.rpartition("@")[2]


def _plain(value: Any, depth: int = _DEPTH) -> str:
    """Write what is plain, and of all else only what it is: it may be large, secret or broken."""
    match value:
        case None:
            return ""
        case str() | bool() | int() | float():
            return str(value)
        case Mapping() if depth:
            return listed(
                f"{_plain(k, depth - 1)}: {_plain(v, depth - 1)}" for k, v in value.items()
            )
        case list() | tuple() | set() | frozenset() if depth:
            return listed(_plain(one, depth - 1) for one in value)
    return str(getattr(value, "__qualname__", type(value).__name__))
