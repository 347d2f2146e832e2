"""One question of a chat, answered: the stream becomes a turn of the conversation."""

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

from langchain_lmswitch.cli.ask import Answer, record
from langchain_lmswitch.cli.chat.conversation import BROKEN, STOPPED, Conversation, Turn
from langchain_lmswitch.cli.chat.showing import Showing
from langchain_lmswitch.cli.chat.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Generator

    from langchain_core.messages import AIMessage, AIMessageChunk

    from langchain_lmswitch.chat_models import ChatLMSwitch
    from langchain_lmswitch.types.decisions import Decision


class Answering:
    """Hears one answer; what came of it is there at any moment, whatever ends it."""

    def __init__(self) -> None:
        self.answer: Answer = Answer()
        self._thought: list[str] = []
        self._id: str | None = None
        self._started_s = time.perf_counter()

    def hear(self, piece: "AIMessageChunk", showing: Showing) -> None:
        """Take a piece of the stream and show it."""
        self._id = self._id or piece.id
        self.answer.add(piece)
        self.answer.total_s = time.perf_counter() - self._started_s
        if thought := piece.additional_kwargs.get("reasoning_content"):
            self._thought.append(str(thought))
            showing.thought()
        if piece.text:
            showing.said(piece.text)

    def message(self, decision: "Decision | None", *, ending: str) -> "AIMessage | None":
        """Give what came as a message; `None` if nothing did.

        Args:
            decision: The one behind it, for an answer that is not whole.
            ending: What ended such an answer.
        """
        from langchain_core.messages import AIMessage

        text, thought = self.answer.text, "".join(self._thought)
        if not (text or thought or self.answer.metadata):
            return None
        return AIMessage(
            content=text,
            id=self._id,
            additional_kwargs={"reasoning_content": thought} if thought else {},
            response_metadata=dict(self.answer.metadata) or _broken_off(decision, ending),
            usage_metadata=cast("Any", self.answer.usage),
        )


def _broken_off(decision: "Decision | None", ending: str) -> dict[str, Any]:
    told = decision.to_dict() if decision else {}
    return {"model_name": told.get("model", ""), "finish_reason": ending, "lmswitch": told}


def answered(
    llm: "ChatLMSwitch", conversation: Conversation, wishes: Wishes, showing: Showing
) -> Answer:
    """Have the last question answered; what came stays in the conversation, whatever ends it."""
    turn, hearing, ending = cast("Turn", conversation.last), Answering(), BROKEN
    # `stream` is a generator, which its declared type hides; closing it stops the model.
    stream = llm.stream(conversation.messages(), **wishes.options())
    try:
        with closing(cast("Generator[AIMessageChunk, None, None]", stream)) as pieces, showing:
            for piece in pieces:
                hearing.hear(piece, showing)
    except KeyboardInterrupt:
        ending = STOPPED
        raise
    finally:
        turn.answer = hearing.message(llm.why(), ending=ending)
    return hearing.answer


def answer_record(turn: Turn, answer: Answer) -> dict[str, Any]:
    """Write an answer, its question and its thinking as JSON values."""
    finish = answer.metadata.get("finish_reason")
    told = {"question": turn.question, **record(answer), "finish_reason": finish}
    return told | ({"thinking": turn.thought} if turn.thought else {})
