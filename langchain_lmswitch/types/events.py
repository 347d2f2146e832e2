"""What a host says while it loads and while it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

StopReason = Literal[
    "eosFound",
    "stopStringFound",
    "toolCalls",
    "maxPredictedTokensReached",
    "contextLengthReached",
    "userStopped",
    "modelUnloaded",
    "failed",
]
"""LM Studio's own words; a host may know more, which arrive as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptProgress:
    """Part of the prompt has been read."""

    fraction: float
    cached_tokens: int | None = None
    """Prompt tokens whose state was still in memory; `None` if the host does not say."""
    total_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A piece of the answer."""

    text: str
    tokens: int = 1
    reasoning: bool = False
    """Part of the thinking, not of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallStarted:
    """A tool call begins; `index` counts the calls of this answer from 0."""

    index: int
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallArguments:
    """A piece of a tool call's arguments, as JSON text."""

    index: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallEnded:
    """A complete tool call."""

    index: int
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallFailed:
    """What the model wrote could not be read as a tool call."""

    index: int
    error: str
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The answer is complete. Exactly one, and the last event."""

    stop_reason: str
    """A `StopReason`, or a word newer than this package."""
    prompt_tokens: int | None = None
    predicted_tokens: int | None = None
    cached_tokens: int | None = None
    time_to_first_token_s: float | None = None
    tokens_per_second: float | None = None


PredictEvent = (
    PromptProgress
    | Fragment
    | ToolCallStarted
    | ToolCallArguments
    | ToolCallEnded
    | ToolCallFailed
    | Finished
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStarted:
    """A model is about to be loaded for this request."""

    key: str
    evicting: tuple[str, ...] = ()
    """Identifiers of the models that leave first."""
    expected_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProgress:
    """A load is under way."""

    key: str
    fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A load is complete."""

    key: str
    identifier: str
    context_tokens: int
    load_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """Nothing can be done until another request, or another load, is finished."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evicted:
    """A model has left memory to make room for another."""

    key: str
    identifier: str
    room_for: str
    """Key of the model that is loaded next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FellBack:
    """A model could not be used; the next candidate gets its turn, if there is one."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compressed:
    """Part of the conversation was left out because it did not fit."""

    evicted_messages: int
    recalled_passages: int
    prompt_tokens: int
    context_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChanged:
    """The free memory of this computer has changed while a request waits for a model.

    `None` is unknown, never zero.
    """

    ram_total_bytes: int | None
    ram_free_bytes: int | None
    gpu_free_bytes: tuple[int | None, ...] | None
    """Of each GPU; `None` if it is unknown whether there are any, empty if there are none."""
    swap_used_bytes: int | None = None
    swap_free_bytes: int | None = None


SwitchEvent = (
    LoadStarted | LoadProgress | Loaded | Queued | Evicted | FellBack | Compressed | MemoryChanged
)
"""What happens before the first token. Never part of the answer's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceState:
    """What a loaded model is doing, for any client."""

    status: str
    """`idle`, `processingPrompt`, `generating`, `computingEmbedding`, or a newer word."""
    queued: int
    """Requests in hand and waiting."""

    @property
    def idle(self) -> bool:
        """Whether nobody is using it."""
        return self.status == "idle" and self.queued == 0
