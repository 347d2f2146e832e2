"""Whatever a decision model is asked about, as a conversation. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage


def as_conversation(state: Any) -> list[BaseMessage]:
    """Read messages off any state.

    1. A message, or messages only: they are the conversation.
    2. A mapping with `messages`, such as a graph's state: those are.
    3. A text, or anything else as JSON, is what a user says; messages in it count by their text.
    """
    match state:
        case BaseMessage():  # 1
            return [state]
        case str():  # 3
            return [HumanMessage(state)]
        case {"messages": messages} if messages:  # 2
            return as_conversation(messages)
        case [*parts] if parts and all(isinstance(one, BaseMessage) for one in parts):  # 1
            return parts
        case _:  # 3
            return [HumanMessage(json.dumps(_plain(state), ensure_ascii=False, default=str))]


def _plain(value: Any) -> Any:
    match value:
        case BaseMessage():
            return value.text
        case Mapping():
            return {str(key): _plain(one) for key, one in value.items()}
        case str():
            return value
        case Sequence():
            return [_plain(one) for one in value]
        case _:
            return value
