"""A conversation as a file: Markdown to read, JSON to go on with. Pure but for the clock's text."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from langchain_lmswitch.cli.chat.conversation import Conversation, Turn
from langchain_lmswitch.errors import InvalidRequest

_VERSION: Final = 1


def written(conversation: Conversation, file: Path, *, when: str) -> str:
    """Write a conversation in the form that a file's name asks for."""
    if file.suffix == ".json":
        return json.dumps(_record(conversation, when), ensure_ascii=False, indent=1) + "\n"
    return _markdown(conversation, when)


def read(text: str, file: Path) -> Conversation:
    """Read a conversation back from its JSON.

    Raises:
        InvalidRequest: It is not one of ours.
    """
    from langchain_core.messages import messages_from_dict

    try:
        record = json.loads(text)
        messages = messages_from_dict(record["messages"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidRequest(
            f"{file} holds no conversation that can be continued ({type(error).__name__}). "
            "Give a file that `/save NAME.json` wrote."
        ) from None
    return _conversation(messages)


def _record(conversation: Conversation, when: str) -> Mapping[str, Any]:
    from langchain_core.messages import messages_to_dict

    messages = messages_to_dict(conversation.messages())
    return {"lmswitch_chat": _VERSION, "saved_at": when, "messages": messages}


def _conversation(messages: list[Any]) -> Conversation:
    """Turn messages into turns; others than questions and answers are left out."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    conversation = Conversation()
    for message in messages:
        match message:
            case SystemMessage():
                conversation.system = message.text
            case HumanMessage():
                conversation.turns.append(Turn(message.text))
            case AIMessage() if conversation.last and conversation.last.answer is None:
                conversation.last.answer = message
            case _:
                pass
    return conversation


def _markdown(conversation: Conversation, when: str) -> str:
    parts = [f"# Chat of {when}"]
    if conversation.system:
        parts.append(f"Instructions: {conversation.system}")
    for turn in conversation.turns:
        parts.append(f"## {_quoted(turn.question)}" if _short(turn) else _long(turn.question))
        if turn.text:
            parts += [turn.text.strip(), _source(turn)]
    return "\n\n".join(parts) + "\n"


def _short(turn: Turn) -> bool:
    return "\n" not in turn.question and len(turn.question) <= 100  # noqa: PLR2004 - a heading


def _quoted(question: str) -> str:
    return question.replace("#", "\\#")


def _long(question: str) -> str:
    lines = "\n".join(f"> {line}".rstrip() for line in question.splitlines())
    return f"## Question\n\n{lines}"


def _source(turn: Turn) -> str:
    ending = f", {turn.ending}" if turn.ending else ""
    return f"*{turn.record.get('model') or 'unknown model'}{ending}*"
