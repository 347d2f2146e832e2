"""The router's nodes: read state, call policy or switchboard, return an update.

Each is `async def` and may run on any event loop: whatever touches a host or the switchboard
hops onto the portal's.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.types import StreamWriter

from langchain_lmswitch.errors import (
    ContextTooLong,
    InvalidRequest,
    LoadFailed,
    ModelGone,
    NotEnoughMemory,
    UnknownModel,
)
from langchain_lmswitch.graph.answering import answered, refuse_silence, whole_message
from langchain_lmswitch.graph.choosing import AUTO
from langchain_lmswitch.graph.decisions import decided, decision_of, least_tokens, named
from langchain_lmswitch.graph.fitting import compression, fit_exactly, fitted_update
from langchain_lmswitch.graph.refusing import refusal_error
from langchain_lmswitch.graph.setbacks import Update, failed, vanished
from langchain_lmswitch.graph.state import RouterState, plain
from langchain_lmswitch.graph.summarizing import summarize
from langchain_lmswitch.graph.understanding import understand
from langchain_lmswitch.hosts.attachments import with_attachments
from langchain_lmswitch.messages.asking import request
from langchain_lmswitch.policy.naming import card_of
from langchain_lmswitch.policy.whatif import explained
from langchain_lmswitch.switch.board import Held
from langchain_lmswitch.switch.boards import OpenBoard, boards
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import (
    FellBack,
    Finished,
    PredictEvent,
    PromptProgress,
)
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.reviving import revive


class Nodes:
    """The steps of one request; they share nothing but the way to the switchboard."""

    def __init__(self, open_board: OpenBoard) -> None:
        self._open = open_board

    async def classify(self, state: RouterState) -> Update:
        """Tell what the request wants and what it cannot do without."""
        if not state["messages"]:
            msg = "There is no message to answer; pass at least one."
            raise InvalidRequest(msg)
        options = state.get("options", {})
        asked = await with_attachments(
            state["messages"], allow_url_fetch=options.get("allow_url_fetch", False)
        )
        task, number = await understand(asked, options, self._open)
        return {
            "asked": asked,
            "task": plain(task),
            "request_hash": number,
            "failed": {},
            "vanished": {},
        }

    async def check_resources(self, state: RouterState) -> Update:
        """Choose the best model that can answer and that the machine can afford now."""
        outcome, _ = await portal().acall(decided(state, self._open))
        refusal = plain(outcome.refusal) if outcome.refusal else None
        seen = plain(outcome.resident) if outcome.resident else None
        best = outcome.best if named(state) == AUTO else ""
        decision = plain(decision_of(state, outcome))
        return {"decision": decision, "refusal": refusal, "seen": seen, "best": best}

    async def explain(self, state: RouterState) -> Decision:
        """Choose as `check_resources` does, and tell what would make others the chosen ones."""
        outcome, facts = await portal().acall(decided(state, self._open))
        candidates = await asyncio.to_thread(explained, facts, outcome)
        return replace(decision_of(state, outcome), candidates=candidates)

    async def refuse(self, state: RouterState, writer: StreamWriter) -> Update:
        """Say why nothing helps, as the error that fits best."""
        writer(revive(Decision, state["decision"]))  # it tells what is wrong with each model
        raise refusal_error(state)

    async def load_model(self, state: RouterState, writer: StreamWriter) -> Update:
        """Get a loaded instance of the chosen model and lease it; a failure excludes it."""
        decision = revive(Decision, state["decision"])
        home, here = asyncio.get_running_loop(), copy_context()  # the writer finds its graph there

        def tell(event: object) -> None:
            home.call_soon_threadsafe(writer, event, context=here)

        try:
            async with self._released_on_error(state["call"]):
                held = await portal().acall(self._acquire(state, decision.model, tell))
        except (LoadFailed, NotEnoughMemory, UnknownModel) as failure:
            update = failed(state, decision.model, failure)
            reason = update["failed"][decision.model]["reason"]
            writer(FellBack(key=decision.model, reason=reason))
            return update
        resident = held.resident
        decision = replace(
            decision,
            identifier=resident.identifier,
            context_tokens=resident.context_tokens,
            evicted=held.evicted,
            load_s=round(held.load_s, 3),
            queued_s=round(held.queued_s, 3),
        )
        return {"resident": plain(resident), "decision": plain(decision)}

    async def fit_context(self, state: RouterState, writer: StreamWriter) -> Update:
        """Keep the recent turns that fit the loaded context, and recall what the question needs."""
        resident = revive(Resident, state["resident"])
        try:
            async with self._released_on_error(state["call"]):
                fitted = await portal().acall(self._fit(state, resident))
        except UnknownModel as gone:
            return await self._vanished(state, resident.key, gone, writer)
        except ContextTooLong:
            writer(revive(Decision, state["decision"]))  # it tells how long the context is
            raise
        if compressed := compression(fitted.report, resident):
            writer(compressed)
        return fitted_update(state, fitted)

    async def respond(self, state: RouterState, writer: StreamWriter) -> Update:
        """Stream the answer; a model gone before its first token is another's turn."""
        resident, options = revive(Resident, state["resident"]), state.get("options", {})
        decision = revive(Decision, state["decision"])
        said: list[PredictEvent] = []
        writer(decision)
        try:
            ask = request(state["fitted"], options)
            answering = answered(self._open, decision, ask, gap_s=options.get("timeout_s"))
            async with aclosing(portal().astream(answering)) as events:
                async for event in events:
                    said.append(event)
                    if isinstance(event, Finished):
                        refuse_silence(said, resident)
                    writer(event)
        except (ModelGone, UnknownModel) as gone:
            if not all(isinstance(event, PromptProgress) for event in said):
                raise
            return await self._vanished(state, resident.key, gone, writer)
        finally:
            await portal().acall(self._release(state["call"]))
        answer = whole_message([decision, *said], options)
        await portal().acall(self._over(state, answer))
        return {"messages": [answer]}

    async def _acquire(self, state: RouterState, key: str, tell: Callable[[object], None]) -> Held:
        board = await self._open()
        if thread := state.get("options", {}).get("thread"):
            board.threads.note(thread, key, request=state["request_hash"])
        if not state["failed"] and not state["vanished"]:
            board.habits.note_request(state["best"])
        if state["seen"] and board.lease(seen := revive(Resident, state["seen"]), state["call"]):
            return Held(resident=seen)
        return await board.acquire(
            card_of(key, await board.surveyor.cards()),
            call=state["call"],
            needed_tokens=state["task"]["needs"]["wanted_tokens"],
            least_tokens=least_tokens(state, key, await board.surveyor.cards()),
            on_event=tell,
        )

    async def _fit(self, state: RouterState, resident: Resident) -> Any:
        board = await self._open()
        return await fit_exactly(board, resident, state["asked"], state.get("options", {}))

    async def _over(self, state: RouterState, answer: AIMessage) -> None:
        summarize(await self._open(), state, answer)

    async def _vanished(
        self,
        state: RouterState,
        key: str,
        gone: ModelGone | UnknownModel,
        writer: StreamWriter,
    ) -> Update:
        await portal().acall(self._look_again())
        writer(FellBack(key=key, reason=str(gone)))
        return vanished(state, key, gone)

    async def _look_again(self) -> None:
        (await self._open()).surveyor.forget()

    async def _release(self, call: str) -> None:
        boards().release(call)  # the board may have been forgotten meanwhile
        (await self._open()).release(call)

    @asynccontextmanager
    async def _released_on_error(self, call: str) -> AsyncGenerator[None, None]:
        """Keep the lease for the next step, but not past a failure or a cancel."""
        try:
            yield
        except BaseException:
            await portal().acall(self._release(call))
            raise
