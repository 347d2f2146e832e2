"""Whether the same words are asked again, without keeping them. Pure."""

import hashlib
import json
from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage


def turn_of(messages: Sequence[BaseMessage], salt: bytes) -> bytes:
    """Tell a conversation from all others.

    Args:
        messages: The conversation, as far as it has gone.
        salt: Random, at most 64 bytes; who does not know it cannot try words out.
    """
    turn = hashlib.blake2b(key=salt, digest_size=16)
    for message in messages:
        calls = message.tool_calls if isinstance(message, AIMessage) else ()
        said = [message.type, message.content, [(one["name"], one["args"]) for one in calls]]
        turn.update(json.dumps(said, default=repr).encode())
    return turn.digest()
