"""Conversations with questions about them, and the turns that each answer stands in."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_lmswitch.errors import InvalidRequest

UNANSWERABLE: Final = "5"
"""The category of questions that no turn answers; they are left out."""

_GZIP: Final = b"\x1f\x8b"
_USERS: Final = frozenset({"user", "human"})
_ASSISTANTS: Final = frozenset({"assistant", "ai"})
_LAYOUT: Final = (
    'Write {"turns": [{"who", "text", "date"}], "qs": [{"q", "cat", "ev"}]} on each line, where '
    "`ev` has the places of the turns that the answer stands in, from 0."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one of them said."""

    who: str
    text: str
    date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked in the end."""

    text: str
    category: str
    evidence: tuple[int, ...]
    """Places of the turns that the answer stands in; at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """One conversation."""

    name: str
    turns: tuple[Turn, ...]
    questions: tuple[Question, ...]

    def messages(self) -> list[BaseMessage]:
        """Write it as LangChain's messages.

        The user is the user. Where two people talk the first one is, and the other the model; both
        have their names then.
        """
        user = self._user()
        return [_message(turn, user) for turn in self.turns]

    def _user(self) -> str:
        return next((one.who for one in self.turns if one.who not in _ASSISTANTS), "")


def read_chats(file: Path) -> list[Chat]:
    """Read a file of JSON lines, packed by gzip or not.

    Raises:
        InvalidRequest: It is not there, cannot be read, or a line is no such conversation.
    """
    if not file.is_file():
        raise InvalidRequest(f"There is no file {file}. Name one that exists.")
    chats = [
        _chat(_object(line, at), at) for at, line in _lines(file, _unpacked(file)) if line.strip()
    ]
    if not any(one.questions for one in chats):
        raise InvalidRequest(f"{file} has no question that can be answered. {_LAYOUT}")
    return chats


def _message(turn: Turn, user: str) -> BaseMessage:
    said: dict[str, Any] = {"additional_kwargs": {"date": turn.date} if turn.date else {}}
    if turn.who not in _USERS | _ASSISTANTS:
        said["name"] = turn.who
    return HumanMessage(turn.text, **said) if turn.who == user else AIMessage(turn.text, **said)


def _unpacked(file: Path) -> bytes:
    packed = file.read_bytes()
    if not packed.startswith(_GZIP):
        return packed
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError) as problem:
        raise InvalidRequest(
            f"{file} cannot be unpacked: {problem}. Restore it as it was published."
        ) from None


def _lines(file: Path, text: bytes) -> Iterator[tuple[str, str]]:
    # Not `splitlines` of text: JSON may have Unicode's other line ends in its strings.
    for number, line in enumerate(text.split(b"\n"), start=1):
        yield f"{file}, line {number}", line.decode("utf-8", "replace")


def _object(line: str, at: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidRequest(f"{at}: that is no JSON object. {_LAYOUT}")
    return found


def _chat(found: Mapping[str, Any], at: str) -> Chat:
    turns = tuple(_turn(one, at) for one in _listed(found, "turns", at))
    asked = _listed(found, "qs", at)
    return Chat(
        name=str(found.get("id") or at),
        turns=turns,
        questions=tuple(
            _question(one, len(turns), f"{at}, question {number}")
            for number, one in enumerate(asked, start=1)
            if str(one.get("cat")) != UNANSWERABLE
        ),
    )


def _turn(found: Mapping[str, Any], at: str) -> Turn:
    date = found.get("date")
    return Turn(
        who=_said(found, "who", at),
        text=_said(found, "text", at),
        date="" if date is None else str(date),
    )


def _question(found: Mapping[str, Any], turns: int, at: str) -> Question:
    evidence = found.get("ev")
    if not isinstance(evidence, list) or not evidence:
        raise InvalidRequest(f"{at}: `ev` names no turn. {_LAYOUT}")
    if wrong := [one for one in evidence if not (type(one) is int and 0 <= one < turns)]:
        raise InvalidRequest(
            f"{at}: there is no turn {wrong[0]!r}, only 0 to {turns - 1}. {_LAYOUT}"
        )
    return Question(
        text=_said(found, "q", at), category=str(found.get("cat", "")), evidence=tuple(evidence)
    )


def _listed(found: Mapping[str, Any], name: str, at: str) -> Sequence[Mapping[str, Any]]:
    rows = found.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidRequest(f"{at}: `{name}` is no list of objects. {_LAYOUT}")
    return rows


def _said(found: Mapping[str, Any], name: str, at: str) -> str:
    text = found.get(name)
    if not isinstance(text, str):
        raise InvalidRequest(f"{at}: `{name}` is {str(text)[:40]!r}, no text. {_LAYOUT}")
    return text
