"""LangChain's messages as LM Studio's history."""

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, SystemMessage

from langchain_lmswitch.messages.names import several_people
from langchain_lmswitch.messages.parts import has_images, text_of
from langchain_lmswitch.messages.turns import Turns
from langchain_lmswitch.types.requests import JsonObject

__all__ = ["has_images", "history", "text_of"]


def history(
    messages: Sequence[BaseMessage], *, send_reasoning: bool = False
) -> tuple[JsonObject, ...]:
    """Turn messages into LM Studio's wire form, in an order every chat template accepts.

    1. All system messages become one, at the front: most templates take no other.
    2. Neighbors of one role are joined, since templates expect turns to alternate; tool results
       and messages with tool calls stay apart.
    3. An assistant entry starts with text, which may be empty, as the protocol asks.
    4. Images stand in user turns, where templates look for them: one in another message is named
       there (`[image 1]`) and follows in a user turn, after the results of the same calls.
    5. A call that could not be read is sent back as the text it was, and its result in a user
       turn: as a tool's, it would be a result without a call.
    6. Names are written where several people speak, see `names.several_people`.
    7. A result with status `error` says so: `Error: ` is put in front of one that does not.

    Args:
        messages: The conversation, its images inline; `hosts.attachments` makes them so.
        send_reasoning: Whether what the assistant thought is put back, as `<think>...</think>`
            before its answer. The protocol has no field for it, and this is what the templates
            of most reasoning models write; many find and drop it in earlier turns themselves.

    Raises:
        InvalidRequest: A message has a role or a content block that cannot be sent.
    """
    turns = Turns(signing=several_people(messages), send_reasoning=send_reasoning)
    turns.begin([one for one in messages if isinstance(one, SystemMessage)])  # 1
    for message in messages:
        if not isinstance(message, SystemMessage):
            turns.add(message)
    return turns.end()
