"""Histories of all shapes: what a chat, an agent or a careless caller may send."""

from random import Random
from typing import Any, Final

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

_SAID: Final = (
    "the harbor opens at nine and Mira keeps the key",
    "we moved the build to port 8123 last week",
    "Always answer in metric units.",
    "From now on, please reply in one sentence.",
    "der Schlüssel liegt unter dem blauen Topf",
    "def area(r):\n    return 3.14 * r ** 2",
    "钥匙在蓝色花盆下面。会议改到星期三下午三点。",
    "今後は短く答えてください。",
    "ok",
    "version 2.4.1 of the parser fails on /var/data/report.csv with error E1027",
    "why?",
    "\n\n",
    "Zürich, 4 May: 17 guests, two dogs \U0001f415",
)
_PICTURE: Final = {"type": "image", "base64": "aGk=", "mime_type": "image/png"}


class Maker:
    """Makes one history after the other, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - nothing is secret here
        self._calls = 0

    def history(self, most_turns: int = 14) -> list[BaseMessage]:
        """Make a history: system messages anywhere, orphans, no question at the end."""
        said = [one for _ in range(self._random.randint(0, most_turns)) for one in self._turn()]
        for _ in range(self._random.choice((0, 1, 1, 2))):
            at = self._random.choice((0, 0, 0, len(said)))
            said.insert(at, SystemMessage(self._text(0)))
        if self._chance(0.2):
            orphan = ToolMessage(self._text(), tool_call_id="nobody")
            said.insert(self._random.randint(0, len(said)), orphan)
        if self._chance(0.3):
            said += self._step()
        elif self._chance(0.7) or not said:
            said.append(HumanMessage(self._content(0.1)))
        return said

    def _turn(self) -> list[BaseMessage]:
        """Make a turn: the user, rounds of tool calls, an answer; any of them may be missing."""
        said: list[BaseMessage] = []
        if self._chance(0.9):
            name = self._random.choice((None, None, "Mira", "Jo hn"))
            said.append(HumanMessage(self._content(), name=name))
        for _ in range(self._random.choice((0, 0, 0, 1, 4))):
            said += self._step()
        if self._chance(0.9):
            said.append(AIMessage(self._content(pictures=False)))
        return said

    def _step(self) -> list[BaseMessage]:
        """Make a step of a tool loop: calls side by side, and the results of all, some or none."""
        ids = [self._id() for _ in range(self._random.randint(1, 3))]
        calls = [ToolCall(name="look_up", args=self._args(), id=one) for one in ids]
        answered = ids[: self._random.randint(0, len(ids))] if self._chance(0.1) else ids
        results = [ToolMessage(self._content(0.2), tool_call_id=one) for one in answered]
        return [AIMessage(self._text(0), tool_calls=calls), *results]

    def _args(self) -> dict[str, Any]:
        values: list[Any] = [
            self._random.randint(0, 99),
            self._text(0.2),
            [self._text() for _ in range(2)],
            {"old": self._text(), "new": self._text()},
        ]
        return {name: self._random.choice(values) for name in "ab"[: self._random.randint(0, 2)]}

    def _id(self) -> str:
        self._calls += 1
        return f"call-{self._calls}"

    def _content(self, giant: float = 0.05, *, pictures: bool = True) -> Any:
        said = self._text(giant)
        match self._random.randint(0, 19):
            case 0:
                return [{"type": "text", "text": said}]
            case 1:
                return [said, {"type": "text", "text": self._text(0)}]
            case 2 if pictures:
                return [{"type": "text", "text": said}, _PICTURE]
            case 3:
                return []
            case _:
                return said

    def _text(self, giant: float = 0.05) -> str:
        """Make a text: mostly some sentences or none, now and then one larger than a window."""
        said = " ".join(self._random.choices(_SAID, k=self._random.randint(0, 4)))
        if not self._chance(giant):
            return said
        repeats = self._random.choice((15, 15, 40, 150))
        return f"Begin {' '.join(f'{said} {at}.' for at in range(repeats))} end"

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability
