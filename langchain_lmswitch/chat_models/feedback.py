"""What callers say of answers."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from langchain_core.messages import AIMessage, BaseMessage

from langchain_lmswitch.chat_models.controls import ControlledChatModel
from langchain_lmswitch.errors import InvalidOutput
from langchain_lmswitch.messages.judged import answer_names, score_of
from langchain_lmswitch.policy.grading import WRONG_FORM
from langchain_lmswitch.switch.feedback import Feedback
from langchain_lmswitch.switch.portal import portal

log: logging.Logger = logging.getLogger(__name__)


class JudgedChatModel(ControlledChatModel):
    """A chat model whose answers can be judged, so that later choices are better."""

    def feedback(
        self,
        message: BaseMessage | Mapping[str, Any] | UUID | str,
        score: float | bool,  # noqa: FBT001 - a thumb up or down
        *,
        comment: str | None = None,
    ) -> None:
        """Say how good an answer was.

        The next choice knows of it. What is kept is the score and numbers that tell what kind of
        request it was, never a word of it. No host has to be there, and any process may say it, as
        long as the answer is among the last 2,000. Whoever says it again has changed their mind.

        Args:
            message: The answer, as `invoke` returned it, merged from a stream, or revived from
                JSON; or its run id, as callbacks and LangSmith have it.
            score: `True` or 1 is as good as could be, `False` or 0 is useless.
            comment: Why. It is not kept: what people write stays off the disk.

        Raises:
            InvalidRequest: The score is none, or no such answer is remembered.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            llm = ChatLMSwitch(max_tokens=8)
            answer = llm.invoke("Write a haiku.")
            llm.feedback(answer, 0.8)
            ```
        """
        names, given = answer_names(message), score_of(score)
        _heard(comment)
        portal().call(self._feedback().give(names, given))

    async def afeedback(
        self,
        message: BaseMessage | Mapping[str, Any] | UUID | str,
        score: float | bool,  # noqa: FBT001 - as above
        *,
        comment: str | None = None,
    ) -> None:
        """Say how good an answer was; see `feedback`."""
        names, given = answer_names(message), score_of(score)
        _heard(comment)
        await portal().acall(self._feedback().give(names, given))

    def _refused(self, message: AIMessage, error: InvalidOutput) -> None:
        """Have noted that the form of an answer is wrong; one that was cut off is known to be."""
        record = message.response_metadata.get("lmswitch") or {}
        names = tuple(filter(None, [record.get("request")]))
        if names and not error.cut_off and not record.get("cached"):
            # Nobody waits for it: the parser may be running on the caller's event loop.
            portal().submit(_noted(self._feedback(), names))

    def _feedback(self) -> Feedback:
        return Feedback(self._own_settings(), self.ledger)


async def _noted(feedback: Feedback, names: tuple[str, ...]) -> None:
    try:
        await feedback.judge(names, WRONG_FORM)
    except Exception:  # it is a help, and no reason to fail
        log.debug("A refused answer could not be noted", exc_info=True)


def _heard(comment: str | None) -> None:
    if comment:
        log.debug("A comment on an answer: %s", comment)
