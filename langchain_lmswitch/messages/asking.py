"""What a conversation tells the router and the host, besides its words."""

from collections.abc import Mapping, Sequence
from typing import Final

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_lmswitch.messages.conversation import conversation
from langchain_lmswitch.messages.outgoing import has_images, text_of
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.requests import PredictRequest
from langchain_lmswitch.types.roles import roles_of
from langchain_lmswitch.types.tasks import Hints, Request

_CHARS_PER_TOKEN: Final = 4
"""Of English prose with a current tokenizer; only for estimates before a model is chosen."""
_ANSWER_TOKENS: Final = 512
_NODE_CHARS: Final = 80
"""A name is remembered on disk: it should not be a text."""


def facts(
    messages: Sequence[BaseMessage], options: RouterOptions, *, last_model: str = ""
) -> Request:
    """Read off what the classifier looks at.

    Args:
        messages: The conversation.
        options: The caller's `RouterOptions`.
        last_model: Who answered last in this conversation, if its messages do not tell.
    """
    users = [text_of(one) for one in messages if isinstance(one, HumanMessage)]
    system = "\n".join(text_of(one) for one in messages if isinstance(one, SystemMessage))
    last = users[-1] if users else ""
    answer_tokens = options.get("max_tokens") or _ANSWER_TOKENS
    everything = sum(len(text_of(one)) for one in messages)
    return Request(
        user_text=last,
        system_text=system,
        images=has_images(messages),
        tools=bool(options.get("tools")) and options.get("tool_choice") != "none",
        structure=bool(options.get("json_schema")),
        context_tokens=(len(system) + len(last)) // _CHARS_PER_TOKEN,
        wanted_tokens=everything // _CHARS_PER_TOKEN + answer_tokens,
        hint=options.get("task"),
        hints=_hints(messages, options, last_model),
    )


def _hints(messages: Sequence[BaseMessage], options: RouterOptions, last_model: str) -> Hints:
    quality = options.get("quality")
    return Hints(
        quality=0.5 if quality is None else quality,
        prefer=tuple(options.get("prefer") or ()),
        require=tuple(options.get("require") or ()),
        allow=tuple(options.get("allow") or ()),
        deny=tuple(options.get("deny") or ()),
        roles=roles_of(options.get("roles") or {}),
        last_model=_last_model(messages) or last_model,
        in_tool_loop=bool(messages) and isinstance(messages[-1], ToolMessage),
        node=(options.get("node") or "")[:_NODE_CHARS],
        explore=options.get("explore"),
    )


def _last_model(messages: Sequence[BaseMessage]) -> str:
    """Read off our own record which model gave the last answer; empty if none is ours."""
    answers = (one for one in reversed(messages) if isinstance(one, AIMessage))
    record = next(answers, AIMessage("")).response_metadata.get("lmswitch")
    model = record.get("model") if isinstance(record, Mapping) else None
    return model if isinstance(model, str) else ""


def request(messages: Sequence[BaseMessage], options: RouterOptions) -> PredictRequest:
    """Build the request for the chosen model.

    Raises:
        InvalidRequest: A message cannot be sent.
    """
    return PredictRequest(
        messages=conversation(messages, options),
        temperature=options.get("temperature"),
        max_tokens=options.get("max_tokens"),
        stop=tuple(options.get("stop") or ()),
        seed=options.get("seed"),
        top_p=options.get("top_p"),
        tools=tuple(options.get("tools") or ()),
        tool_choice=options.get("tool_choice"),
        json_schema=options.get("json_schema"),
    )
