"""What was said in a chat, and what of it the next model gets to see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage

STOPPED: Final = "stopped"
BROKEN: Final = "broken off"
"""`finish_reason` of answers that are not whole: the user stopped them, or an error did."""


@dataclass(slots=True)
class Turn:
    """A question, and what came of it."""

    question: str
    answer: "AIMessage | None" = None
    """With `response_metadata` as the chat model gives it; `None` while there is none."""

    @property
    def text(self) -> str:
        """The answer; empty if none came."""
        return self.answer.text if self.answer else ""

    @property
    def thought(self) -> str:
        """What the model thought before it answered."""
        return (
            str(self.answer.additional_kwargs.get("reasoning_content", "")) if self.answer else ""
        )

    @property
    def record(self) -> Mapping[str, Any]:
        """The decision behind the answer, as a mapping; empty if there was none."""
        metadata = self.answer.response_metadata if self.answer else {}
        return cast("Mapping[str, Any]", metadata.get("lmswitch") or {})

    @property
    def ending(self) -> str:
        """`STOPPED` or `BROKEN` if the answer is not whole, else empty."""
        reason = self.answer.response_metadata.get("finish_reason") if self.answer else ""
        return reason if reason in {STOPPED, BROKEN} else ""


@dataclass(slots=True)
class Conversation:
    """The turns so far, under one system prompt.

    A question that got no answer is kept until another one is asked, and no model gets to see it.
    """

    system: str = ""
    turns: list[Turn] = field(default_factory=list)

    @property
    def last(self) -> Turn | None:
        """The last turn, answered or not."""
        return self.turns[-1] if self.turns else None

    @property
    def answered(self) -> list[Turn]:
        """The turns that a model gets to see."""
        return [turn for turn in self.turns if turn.text]

    def begin(self, question: str) -> Turn:
        """Add a question in place of one that got no answer, if there is one."""
        if self.last and not self.last.text:
            self.turns.pop()
        self.turns.append(Turn(question))
        return self.turns[-1]

    def take_back(self) -> Turn | None:
        """Remove the last turn and give it."""
        return self.turns.pop() if self.turns else None

    def messages(self) -> "list[BaseMessage]":
        """Write what was said, and the question that waits for its answer, as messages."""
        from langchain_core.messages import HumanMessage, SystemMessage

        said: list[BaseMessage] = [SystemMessage(self.system)] if self.system else []
        for turn in self.answered:
            said += [HumanMessage(turn.question), cast("AIMessage", turn.answer)]
        if self.last and not self.last.text:
            said.append(HumanMessage(self.last.question))
        return said
