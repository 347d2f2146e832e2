"""What a scripted host was asked, and what should not have happened."""

from dataclasses import dataclass, field
from typing import Literal

from langchain_lmswitch.types.models import LoadSpec
from langchain_lmswitch.types.requests import PredictRequest

Method = Literal[
    "cards",
    "residents",
    "estimate",
    "load",
    "unload",
    "count_tokens",
    "render",
    "predict",
    "embed",
    "state",
    "aclose",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a host's method."""

    method: Method
    model: str = ""
    """The key for `estimate` and `load`, else the identifier."""
    spec: LoadSpec | None = None
    request: PredictRequest | None = None
    texts: tuple[str, ...] = ()
    """What was counted or embedded."""


@dataclass(kw_only=True)
class Record:
    """All that a host was asked, in order, and what a careful client never causes.

    Example:
        >>> from langchain_lmswitch import ChatLMSwitch
        >>> from langchain_lmswitch.testing import ScriptedHost
        >>> host = ScriptedHost(["tiny-chat"])
        >>> _ = ChatLMSwitch(host=host).invoke("Hello")
        >>> [call.method for call in host.calls].count("load")
        1
        >>> host.unloaded_while_answering
        []
    """

    calls: list[Call] = field(default_factory=list)
    cancelled: list[Call] = field(default_factory=list)
    """Loads and answers that their caller left before the end."""
    unloaded_while_answering: list[str] = field(default_factory=list)
    """Identifiers that were unloaded in the middle of an answer."""
    loaded_twice: list[str] = field(default_factory=list)
    """Keys that were loaded while they were loaded, or loading, already."""
    loads_at_once: int = 0
    """The most loads that ran at the same time."""

    def called(self, method: Method) -> list[Call]:
        """List the calls of one method."""
        return [call for call in self.calls if call.method == method]

    def _note(self, call: Call) -> Call:
        self.calls.append(call)
        return call

    def _note_left(self, call: Call) -> None:
        self.cancelled.append(call)
