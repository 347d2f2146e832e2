"""What a call asks for, from the model's own fields and the call's arguments. Pure."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast, get_args

from langchain_core.language_models import BaseChatModel
from langchain_core.utils.function_calling import convert_to_json_schema

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.messages.tools import tool_wish
from langchain_lmswitch.types.contexts import ContextMode, Overflow
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.requests import JsonObject
from langchain_lmswitch.types.roles import roles_of
from langchain_lmswitch.types.tasks import TaskKind

PER_CALL: Final = frozenset(
    {
        "allow",
        "context",
        "deny",
        "explore",
        "learn",
        "max_tokens",
        "model",
        "node",
        "on_overflow",
        "parallel_tool_calls",
        "prefer",
        "quality",
        "require",
        "response_format",
        "roles",
        "seed",
        "send_reasoning",
        "summarizer",
        "task",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
    }
)
"""What may be given to one call, or with `bind`; `stop` comes apart."""

LLM_TYPE: Final = "lmswitch-chat"
"""What LangChain calls our chat models; told here without importing them."""
_FOR_LANGCHAIN: Final = frozenset({"ls_structured_output_format", "stream", "stream_usage"})
"""Said to LangChain, not to the model."""


def call_options(fields: Mapping[str, Any], kwargs: Mapping[str, Any]) -> RouterOptions:
    """Merge a model's fields and the arguments of one call.

    1. An argument that is not `None` wins over the field.
    2. Tools and their choice are brought into the host's form.
    3. A response format becomes the JSON schema that the answer must follow.

    Args:
        fields: The model's own values, under the names of `RouterOptions`.
        kwargs: The arguments of the call.

    Raises:
        InvalidRequest: An argument is unknown, or has a value that cannot be used.
    """
    for name in kwargs.keys() - PER_CALL - _FOR_LANGCHAIN:
        raise _unknown(name)
    said = {name: kwargs[name] for name in PER_CALL if kwargs.get(name) is not None}
    merged = {**fields, **said}  # 1
    wish = tool_wish(merged.pop("tools", None), merged.pop("tool_choice", None))  # 2
    schema = schema_of(merged.pop("response_format", None))  # 3
    for name in ("quality", "explore"):
        _check_range(name, merged.get(name))
    _check_model(merged.get("model"))
    _check_task(merged.get("task"))
    _check_roles(merged.get("roles"))
    checked_summarizer(merged.get("summarizer"))
    _check_word("context", merged.get("context"), get_args(ContextMode))
    _check_word("on_overflow", merged.get("on_overflow"), get_args(Overflow))
    shape = {"tools": list(wish.tools), "tool_choice": wish.choice, "json_schema": schema}
    # The names are those of RouterOptions: `PER_CALL` and the fields hold no other.
    return cast("RouterOptions", {**merged, **shape})


def schema_of(response_format: Any) -> JsonObject | None:
    """Read a response format, as OpenAI has it or as a schema in any of LangChain's forms.

    Raises:
        InvalidRequest: It is neither.
    """
    match response_format:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return {"type": "object"}
        case {"type": "json_schema", "json_schema": {"schema": Mapping() as schema}}:
            return cast("JsonObject", schema)
        case {"type": "json_schema", "schema": Mapping() as schema}:
            return cast("JsonObject", schema)
        case {"type": str(), "properties": Mapping()} | {"$ref": str()} | {"anyOf": list()}:
            return cast("JsonObject", response_format)
        case _:
            return _converted(response_format)


def _converted(response_format: Any) -> JsonObject:
    try:
        return convert_to_json_schema(response_format)
    except (TypeError, ValueError, KeyError) as error:
        raise InvalidRequest(
            f"The response format {str(response_format)[:80]!r} cannot be used. Give a pydantic "
            "class, a TypedDict, a JSON schema with a `title`, or OpenAI's `json_schema` form."
        ) from error


def _unknown(name: str) -> InvalidRequest:
    nearest = difflib.get_close_matches(name, PER_CALL, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    return InvalidRequest(
        f"Unknown argument {name!r}.{hint} A call takes {', '.join(sorted(PER_CALL))}, stop."
    )


def _check_model(model: Any) -> None:
    if model is not None and not isinstance(model, str):
        raise InvalidRequest(f"`model` cannot be {model!r:.80}; give the key of a model, or auto.")


def _check_task(task: Any) -> None:
    known = get_args(TaskKind)
    if task is not None and task not in known:
        raise InvalidRequest(f"There is no task {task!r}; name one of {', '.join(known)}, or none.")


def checked_summarizer(summarizer: Any) -> Any:
    """Give what may summarize as it is.

    Raises:
        InvalidRequest: It is neither a name nor a chat model; or it is a `ChatLMSwitch`, whose
            request would end the summary for which it is made.
    """
    is_model = isinstance(summarizer, BaseChatModel) and summarizer._llm_type != LLM_TYPE  # noqa: SLF001 - LangChain's name of the class, from any layer
    if summarizer is None or isinstance(summarizer, str) or is_model:
        return summarizer
    what = "a ChatLMSwitch" if isinstance(summarizer, BaseChatModel) else f"{summarizer!r:.80}"
    raise InvalidRequest(
        f"`summarizer` cannot be {what}; give `auto`, `off`, the key of a model, or a "
        "chat model other than that."
    )


def _check_word(name: str, word: Any, known: Sequence[str]) -> None:
    if word is not None and word not in known:
        raise InvalidRequest(f"`{name}` cannot be {word!r}; choose one of {', '.join(known)}.")


def _check_roles(roles: Any) -> None:
    try:
        roles_of(roles or {})
    except (ValueError, AttributeError) as error:
        raise InvalidRequest(
            f"`roles` cannot be used: {error} Give tasks or scores by model, such as "
            '{"coder": ["code"]} or {"coder": {"code": 0.9}}.'
        ) from error


def _check_range(name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidRequest(f"`{name}` is {value!r}; give a number from 0 to 1.")
