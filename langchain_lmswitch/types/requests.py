"""One request to a loaded model, in the shapes of LM Studio's protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictRequest:
    """A conversation and how to continue it.

    `messages` is LM Studio's wire form: `{"role": ..., "content": [part, ...]}` with the parts
    `text`, `file`, `toolCallRequest` and `toolCallResult`. One part is ours: an image that still
    has to be uploaded, `{"type": "image", "name": "photo.png", "base64": "..."}`; the host's
    adapter uploads it and puts the `file` part in its place.
    """

    messages: tuple[JsonObject, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    top_p: float | None = None
    tools: tuple[JsonObject, ...] = ()
    """OpenAI form: `{"type": "function", "function": {name, description, parameters}}`."""
    tool_choice: str | None = None
    """`none`, `auto` or `required`."""
    json_schema: JsonObject | None = None
    """The answer must follow it."""
    options: tuple[tuple[str, Any], ...] = ()
    """More of LM Studio's key-value fields, such as `("llm.prediction.topKSampling", 40)`."""
