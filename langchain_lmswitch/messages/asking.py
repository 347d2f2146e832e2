"""What a conversation tells the router and the host, besides its words."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from langchain_lmswitch.messages.outgoing import has_images, history, text_of
from langchain_lmswitch.types.requests import PredictRequest
from langchain_lmswitch.types.tasks import Request

_CHARS_PER_TOKEN: Final = 4
"""Of English prose with a current tokenizer; only for estimates before a model is chosen."""
_ANSWER_TOKENS: Final = 512


def facts(messages: Sequence[BaseMessage], options: Mapping[str, Any]) -> Request:
    """Read off what the classifier looks at."""
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
    )


def request(messages: Sequence[BaseMessage], options: Mapping[str, Any]) -> PredictRequest:
    """Build the request for the chosen model.

    Raises:
        InvalidRequest: A message cannot be sent.
    """
    return PredictRequest(
        messages=history(messages),
        temperature=options.get("temperature"),
        max_tokens=options.get("max_tokens"),
        stop=tuple(options.get("stop") or ()),
        seed=options.get("seed"),
        top_p=options.get("top_p"),
        tools=tuple(options.get("tools") or ()),
        tool_choice=options.get("tool_choice"),
        json_schema=options.get("json_schema"),
    )
