"""Who says what: chat templates know roles and have no place for names."""

from collections.abc import Iterable, Sequence

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_lmswitch.messages.parts import Part, text


def name_of(message: BaseMessage) -> str:
    """Give the name of who wrote a message, on one line; empty if there is none."""
    return " ".join((message.name or "").split())


def several_people(messages: Iterable[BaseMessage]) -> bool:
    """Tell whether a conversation has to say who is speaking.

    1. One human name or none: no name is written, since the role tells all there is to know.
    2. Two or more different ones: every named human message begins with its name (`Ada: `), and
       unnamed ones stay as they are.
    3. Names of assistants are never written, however many: models imitate how the assistant
       begins, and small ones begin with a name then, at times one of their own making.
    """
    return len({name_of(one) for one in messages if isinstance(one, HumanMessage)} - {""}) > 1


def signed(message: BaseMessage, parts: Sequence[Part]) -> list[Part]:
    """Begin what a message says with its author's name; nothing said stays nothing."""
    name = name_of(message)
    match parts:
        case [] | [{"text": ""}]:
            return list(parts)
        case _ if not name:
            return list(parts)
        case [{"type": "text", "text": str(said)}, *more]:
            return [text(f"{name}: {said}"), *more]
        case _:
            return [text(f"{name}:"), *parts]
