"""What becomes of an answer, noted for the choices to come."""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, cast

from langchain_core.messages import AIMessage
from langgraph.types import StreamWriter

from langchain_lmswitch.errors import HostFailed
from langchain_lmswitch.graph.choosing import AUTO
from langchain_lmswitch.graph.setbacks import Update
from langchain_lmswitch.graph.state import RouterState
from langchain_lmswitch.messages.sameness import turn_of
from langchain_lmswitch.policy.grading import FAILED, Form, Verdict, features_of, verdict
from langchain_lmswitch.policy.troubles import sounds_like_memory
from langchain_lmswitch.switch.boards import OpenBoard
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import (
    Finished,
    Fragment,
    ToolCallFailed,
    ToolCallStarted,
)
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.reviving import revive
from langchain_lmswitch.types.tasks import Task

log: logging.Logger = logging.getLogger(__name__)

_SALT: Final = secrets.token_bytes(32)
"""Of this process: what was asked is compared, and cannot be told from what is kept."""

Respond = Callable[[RouterState, StreamWriter], Awaitable[Update]]


@dataclass(slots=True)
class Heard:
    """What was seen of an answer on its way out."""

    begun_s: float
    first_s: float | None = None
    """When the first token came."""
    decision: Decision | None = None
    finished: Finished | None = None
    broken_calls: int = 0

    def note(self, event: object) -> None:
        """Look at an event."""
        match event:
            case Decision():
                self.decision = event
            case Fragment() | ToolCallStarted() if self.first_s is None:
                self.first_s = time.monotonic()
            case ToolCallFailed():
                self.broken_calls += 1
            case Finished():
                self.finished = event
            case _:
                pass


class Graded:
    """A step that answers, and has what becomes of the answer noted.

    1. A complete answer is judged by its form; see `policy.grading.verdict`.
    2. One that the model broke off is judged, too. Memory, a full context, a lost host, a deadline
       and the caller's cancel say nothing of the model.
    3. What goes wrong here is logged, and does not hurt the answer.
    """

    def __init__(self, respond: Respond, open_board: OpenBoard) -> None:
        self._respond = respond
        self._open = open_board

    async def respond(self, state: RouterState, writer: StreamWriter) -> Update:
        """Stream the answer; see `Nodes.respond`."""
        heard = Heard(begun_s=time.monotonic())

        def tell(event: object) -> None:
            heard.note(event)
            writer(event)

        try:
            update = await self._respond(state, tell)
        except HostFailed as failure:  # 2
            if failure.is_retryable and not sounds_like_memory(failure.reason):
                await self._noted(state, heard, FAILED)
            raise
        if messages := update.get("messages"):  # 1
            answer = cast("AIMessage", messages[-1])
            await self._noted(state, heard, verdict(form_of(answer, heard, options_of(state))))
        return update

    async def _noted(self, state: RouterState, heard: Heard, judged: Verdict | None) -> None:
        try:
            await portal().acall(self._note(state, heard, judged))
        except Exception as error:  # 3
            kind = type(error).__name__  # its words may quote the answer
            log.warning("What became of an answer could not be noted (%s).", kind)
            log.debug("It was this:", exc_info=error)

    async def _note(self, state: RouterState, heard: Heard, judged: Verdict | None) -> None:
        if heard.decision is None:
            return
        answers = (await self._open()).surveyor.learning.answers
        options = options_of(state)
        record = record_of(state, heard, host=answers.name, at_s=answers.now_s())
        waited_s = time.monotonic() - heard.begun_s
        waited_s += heard.decision.load_s + heard.decision.queued_s
        answers.note(
            record,
            None if options.get("learn") is False else judged,
            turn=turn_of(state["messages"], _SALT),
            named=(options.get("model") or AUTO) != AUTO,
            begun_s=record.at_s - waited_s,
        )


def options_of(state: RouterState) -> RouterOptions:
    """Give how a request is to be answered."""
    return state.get("options", {})


def form_of(answer: AIMessage, heard: Heard, options: RouterOptions) -> Form:
    """Sum up what can be told of an answer without understanding it."""
    return Form(
        text=answer.text,
        stop_reason=heard.finished.stop_reason if heard.finished else "",
        calls=tuple((call["name"], call["args"]) for call in answer.tool_calls),
        broken_calls=max(heard.broken_calls, len(answer.invalid_tool_calls)),
        tools=tuple(options.get("tools") or ()),
        must_call=options.get("tool_choice") == "required",
        json_schema=options.get("json_schema"),
    )


def record_of(state: RouterState, heard: Heard, *, host: str, at_s: float) -> AnswerRecord:
    """Write down who answered what kind of request, and how fast."""
    decision = heard.decision or Decision(model="", identifier="", task="", reason="")
    task = revive(Task, state["task"])
    now_s = time.monotonic()
    finished = heard.finished or Finished(stop_reason="")
    read = finished.prompt_tokens
    if read is not None and finished.cached_tokens is not None:
        read = max(0, read - finished.cached_tokens)
    return AnswerRecord(
        at_s=at_s,
        host=host,
        request=decision.request,
        key=decision.model,
        task=task.kind,
        features=features_of(task),
        node=decision.node,
        run=options_of(state).get("run") or "",
        prompt_tokens=read,
        answer_tokens=finished.predicted_tokens,
        first_token_s=_first_token_s(heard, finished),
        tokens_per_second=_rate(heard, finished, now_s),
    )


def _first_token_s(heard: Heard, finished: Finished) -> float | None:
    if finished.time_to_first_token_s is not None:
        return finished.time_to_first_token_s
    return None if heard.first_s is None else round(heard.first_s - heard.begun_s, 4)


def _rate(heard: Heard, finished: Finished, now_s: float) -> float | None:
    """Give tokens per second: the host's own count, else as they came here."""
    if finished.tokens_per_second is not None:
        return finished.tokens_per_second
    tokens, first_s = finished.predicted_tokens or 0, heard.first_s
    if first_s is None or tokens < 2 or now_s <= first_s:  # noqa: PLR2004 - between two of them
        return None
    return round((tokens - 1) / (now_s - first_s), 3)
