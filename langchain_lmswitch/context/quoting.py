"""Earlier turns as a text that is read, not obeyed: what a summarizer gets to see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage

from langchain_lmswitch.context.contents import calls_of, date_of, speaker_of, text_of
from langchain_lmswitch.context.units import Unit

OPEN: Final = "<history>"
CLOSE: Final = "</history>"
LEFT_OUT: Final = " [...] "

_RESULT_CHARS: Final = 400
"""Of a tool result: what came of it stands in the answer that follows."""
_CALL_CHARS: Final = 200
_USER_WEIGHT: Final = 2
"""Where messages must be cut, twice as much is left of what the user said: it has the facts."""
_LEAST_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class _Line:
    speaker: str
    date: str
    text: str
    weight: int


def quoted(units: Sequence[Unit], *, most_chars: int) -> str:
    """Write turns down, line by line with speaker and date, in at most so many characters.

    1. Tool results and the arguments of calls are cut to both ends.
    2. So are the longest messages, until all have their place.
    3. Nothing that is said can end the quotation.
    """
    lines = [_line(one) for unit in units for one in unit.messages]
    said = [one for one in lines if one.text]
    frames = sum(len(one.speaker) + len(one.date) + 6 for one in said)
    share = _share(said, max(0, most_chars - frames))
    written, date = [], ""
    for one in said:
        if one.date and one.date != date:
            written.append(f"[{one.date}]")
            date = one.date
        written.append(f"{one.speaker}: {ends(one.text, share * one.weight)}")  # 2
    return _harmless("\n".join(written))  # 3


def ends(text: str, most_chars: int) -> str:
    """Give a text, or its beginning and its end with a mark between them."""
    if len(text) <= most_chars:
        return text
    kept = max(most_chars, _LEAST_CHARS) - len(LEFT_OUT)
    tail = kept // 3
    return f"{text[: kept - tail].rstrip()}{LEFT_OUT}{text[-tail:].lstrip()}"


def _line(message: BaseMessage) -> _Line:
    text = " ".join(text_of(message).split())
    if isinstance(message, ToolMessage):  # 1
        text = ends(text, _RESULT_CHARS)
    elif calls := calls_of(message):
        text = f"{text} {ends(calls, _CALL_CHARS)}".lstrip()
    weight = _USER_WEIGHT if isinstance(message, HumanMessage) else 1
    return _Line(speaker_of(message), date_of(message), text, weight)


def _share(lines: Sequence[_Line], most_chars: int) -> int:
    """Say how many characters each message may have, so that short ones leave theirs to others."""
    left_chars, left_weight = most_chars, sum(one.weight for one in lines)
    for one in sorted(lines, key=lambda one: len(one.text) / one.weight):
        share = left_chars // left_weight
        if len(one.text) > share * one.weight:
            return share
        left_chars -= len(one.text)
        left_weight -= one.weight
    return most_chars  # all fit


def _harmless(text: str) -> str:
    return text.replace(OPEN, "(history)").replace(CLOSE, "(/history)")
