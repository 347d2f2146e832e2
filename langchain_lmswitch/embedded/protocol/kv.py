"""Settings as LM Studio sends them: stacks of key-value fields."""

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.types.models import LoadSpec, ModelKind
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

Fields = Mapping[str, Any]

PREDICTION = "llm.prediction."
PARALLEL = "llm.load.numParallelSessions"
_READ = frozenset(
    PREDICTION + name
    for name in (
        "temperature",
        "maxPredictedTokens",
        "stopStrings",
        "seed",
        "topPSampling",
        "tools",
        "toolChoice",
        "structured",
        "systemPrompt",
    )
)


def fields(stack: Any) -> dict[str, Any]:
    """Collapse a stack into one mapping; a later layer overrides an earlier one.

    Raises:
        InvalidRequest: It is not a stack.
    """
    try:
        return {
            field["key"]: field.get("value")
            for layer in (stack or {}).get("layers", ())
            for field in layer["config"]["fields"]
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise InvalidRequest("The configuration is not a stack of key-value fields.") from error


def config(values: Fields | Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Write fields as a key-value configuration."""
    return {"fields": [{"key": key, "value": value} for key, value in dict(values).items()]}


def load_spec(
    key: str, values: Fields, *, kind: ModelKind, identifier: str | None, ttl_s: float | None
) -> LoadSpec:
    """Read the wish to load a model; keys that mean nothing here are ignored."""
    return LoadSpec(
        key=key,
        kind=kind,
        context_tokens=_count(values, f"{kind}.load.contextLength"),
        parallel=_count(values, PARALLEL),
        identifier=identifier,
        ttl_s=ttl_s,
    )


def load_config(kind: ModelKind, *, context_tokens: int, parallel: int) -> dict[str, Any]:
    """Write what a model was really loaded with."""
    values: dict[str, Any] = {f"{kind}.load.contextLength": context_tokens}
    if kind == "llm":
        values[PARALLEL] = parallel
    return config(values)


def predict_request(values: Fields, messages: Iterable[JsonObject]) -> PredictRequest:
    """Read how to continue a conversation.

    A field this host has no word for goes along as an option, and the engine ignores what it
    does not know.

    Raises:
        InvalidRequest: A field is not what its schema says, or asks for a grammar.
    """
    if PREDICTION + "promptTemplate" in values:
        raise InvalidRequest(
            "This host answers through the model's own chat template; it completes no raw text. "
            "Send a conversation instead."
        )
    taken = {key.removeprefix(PREDICTION): values.get(key) for key in _READ}
    options = {key: value for key, value in values.items() if key not in _READ}
    return PredictRequest(
        messages=_with_system(tuple(messages), taken["systemPrompt"]),
        temperature=_number(taken, "temperature"),
        max_tokens=_checked_int(taken, "maxPredictedTokens"),
        stop=tuple(taken["stopStrings"] or ()),
        seed=_checked_int(taken, "seed"),
        top_p=_number(taken, "topPSampling"),
        tools=_tools(taken["tools"]),
        tool_choice=_tool_choice(taken["toolChoice"], taken["tools"]),
        json_schema=_json_schema(taken["structured"]),
        options=tuple(options.items()),
    )


def unchecked(value: Any) -> Any:
    """Return what a checkbox field holds: its value, or `None` while it is not checked."""
    match value:
        case {"checked": checked}:
            return value.get("value") if checked else None
        case _:
            return value


def _count(values: Fields, key: str) -> int | None:
    value = unchecked(values.get(key))
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidRequest(f"{key} must be a positive whole number.")
    return value


def _number(taken: Fields, name: str) -> float | None:
    value = unchecked(taken[name])
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRequest(f"{PREDICTION}{name} must be a number.")
    return float(value)


def _checked_int(taken: Fields, name: str) -> int | None:
    value = unchecked(taken[name])
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise InvalidRequest(f"{PREDICTION}{name} must be a whole number.")
    return int(value)


def _tools(value: Any) -> tuple[JsonObject, ...]:
    match value:
        case None | {"type": "none"}:
            return ()
        case {"type": "toolArray"}:
            return tuple(value.get("tools") or ())
        case _:
            raise InvalidRequest("llm.prediction.tools is neither `none` nor a `toolArray`.")


def _tool_choice(value: Any, tools: Any) -> str | None:
    match value, tools:
        case (
            (
                {"mode": "none" | "auto" | "required" as mode}
                | ("none" | "auto" | "required" as mode)
            ),
            _,
        ):
            return str(mode)
        case None, {"force": True}:
            return "required"
        case None, _:
            return None
        case _:
            raise InvalidRequest("llm.prediction.toolChoice is not none, auto or required.")


def _json_schema(value: Any) -> JsonObject | None:
    match value:
        case None | {"type": "none"}:
            return None
        case {"type": "json", "jsonSchema": dict(schema)}:
            return schema
        case {"type": "json"}:
            return {"type": "object"}
        case _:
            raise InvalidRequest(
                "This host constrains answers to a JSON schema only; grammars are not supported."
            )


def _with_system(messages: tuple[JsonObject, ...], prompt: Any) -> tuple[JsonObject, ...]:
    """Put the configured system prompt in front of a conversation that has none."""
    if not prompt or any(message.get("role") == "system" for message in messages):
        return messages
    return ({"role": "system", "content": [{"type": "text", "text": str(prompt)}]}, *messages)
