"""What the router's nodes hand on: plain mappings and LangChain messages."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, TypedDict

from langchain_core.messages import BaseMessage, convert_to_messages

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.types.options import RouterOptions


def appended(before: Sequence[BaseMessage], more: Any) -> list[BaseMessage]:
    """Add messages in any form that LangChain takes; those given as objects stay the same ones.

    Not LangGraph's `add_messages`, which would write ids into the caller's own.

    Raises:
        InvalidRequest: Something among them is no message.
    """
    given = more if isinstance(more, list) else [more]
    return [*before, *map(_message, given)]


def _message(given: Any) -> BaseMessage:
    try:
        [message] = convert_to_messages([given])
    except (NotImplementedError, ValueError) as error:
        msg = f"{given!r:.80} is no message; give one, or a text, or a mapping of role and content."
        raise InvalidRequest(msg) from error
    return message


class RouterOutput(TypedDict, total=False):
    """What a request gives: nothing that would overwrite a key of a graph around it."""

    messages: Annotated[list[BaseMessage], appended]
    """The conversation; the answer is added to it, so that the graph may be a node of another."""


class RouterInput(RouterOutput, total=False):
    """What a request is made of; only `messages` has to be given."""

    options: RouterOptions
    call: str
    """Names this request's leases; each run of the graph makes its own."""


class RouterState(RouterInput, total=False):
    """The state of one request."""

    asked: list[BaseMessage]
    """The conversation with all that it points to in place: images of files and addresses."""
    task: dict[str, Any]
    """A `types.tasks.Task`."""
    request_hash: int
    """Equal for equal requests of this process."""
    decision: dict[str, Any]
    """A `types.decisions.Decision`, as far as it is known."""
    refusal: dict[str, Any] | None
    """The `types.plans.Refusal` nearest to fitting, if nothing fits."""
    failed: dict[str, dict[str, Any]]
    """Model key to `{"reason", "for_memory"}` of what went wrong in this request; `"gone"` if it
    was loaded and went, and a `types.plans.Refusal` as `"refusal"` if it did not fit any more."""
    vanished: dict[str, int]
    """Model key to how often it was gone before its first token."""
    seen: dict[str, Any] | None
    """The `types.models.Resident` of the chosen model, if it is loaded already."""
    best: str
    """Key of the model that would be chosen if all were loaded; empty if the caller named one."""
    resident: dict[str, Any]
    """The leased `types.models.Resident`."""
    fitted: list[BaseMessage]
    """The messages that fit the loaded context."""
    summarizable: int
    """How many chunks of the conversation may be summarized."""


def plain(value: Any) -> dict[str, Any]:
    """Write one of our frozen values as a plain mapping."""
    return asdict(value)
