"""What the router's nodes hand on: plain mappings and LangChain messages."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypedDict, TypeVar

from langchain_core.messages import AIMessage, BaseMessage
from pydantic import TypeAdapter

T = TypeVar("T")


class RouterOptions(TypedDict, total=False):
    """How to answer; what is absent is the model's or the router's choice."""

    model: str
    """A model key, an identifier of a loaded instance, or `auto`."""
    task: str
    """The task, if the caller knows it."""
    temperature: float | None
    max_tokens: int | None
    stop: list[str]
    seed: int | None
    top_p: float | None
    tools: list[dict[str, Any]]
    tool_choice: str | None
    json_schema: dict[str, Any] | None
    timeout_s: float | None
    """Longest gap between two signs of life from the model."""


class RouterState(TypedDict, total=False):
    """The state of one request; only `messages` has to be given."""

    messages: list[BaseMessage]
    options: RouterOptions
    call: str
    """Names this request's leases."""
    task: dict[str, Any]
    """A `types.tasks.Task`."""
    decision: dict[str, Any]
    """A `types.decisions.Decision`, as far as it is known."""
    refusal: dict[str, Any] | None
    """The `types.plans.Refusal` nearest to fitting, if nothing fits."""
    failed: dict[str, dict[str, Any]]
    """Model key to `{"reason", "for_memory"}` of what went wrong in this request."""
    vanished: dict[str, int]
    """Model key to how often it was gone before its first token."""
    seen: dict[str, Any] | None
    """The `types.models.Resident` of the chosen model, if it is loaded already."""
    resident: dict[str, Any]
    """The leased `types.models.Resident`."""
    fitted: list[BaseMessage]
    """The messages that fit the loaded context."""
    answer: AIMessage


_adapters: dict[type, TypeAdapter[Any]] = {}


def plain(value: Any) -> dict[str, Any]:
    """Write one of our frozen values as a plain mapping."""
    return asdict(value)


def revive(kind: type[T], mapping: Mapping[str, Any]) -> T:
    """Read a frozen value back from its mapping."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    value: T = _adapters[kind].validate_python(mapping)
    return value
