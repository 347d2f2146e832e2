"""`ChatLMSwitch`: LangChain's hooks."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    BaseRunManager,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from langchain_lmswitch.chat_models.telling import TellingChatModel
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import PredictEvent, SwitchEvent

if TYPE_CHECKING:
    from langchain_lmswitch.graph.calls import Call


class ChatLMSwitch(TellingChatModel):
    """One chat model for all the models on your machine.

    For every request it decides which local model should answer, loads it if the machine can
    afford that, keeps the conversation within the loaded context, and answers. It reaches a
    running LM Studio, or else the embedded host of `langchain-lmswitch[embedded]`.

    Constructing it does no IO. It can be pickled and copied, and used from any thread and any
    event loop, also inside a running one.

    Example:
        ```python
        from langchain_lmswitch import ChatLMSwitch

        llm = ChatLMSwitch()
        answer = llm.invoke("Write a Python function that reverses a string.")
        print(answer.text)
        print(answer.response_metadata["lmswitch"]["reason"])
        ```

    Every argument may be left out; the settings then say where the host is (`LMSWITCH_*`, see
    `langchain_lmswitch.settings.Settings`). How to answer - `model`, `task`, `quality`, `prefer`,
    `require`, `allow`, `deny`, `roles`, `temperature`, `max_tokens`, `seed`, `top_p`, `stop`,
    `send_reasoning` - may also be given per call or with `bind`, and the first five in
    `config["configurable"]`.
    """

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._call(messages, stop, kwargs, run_manager)
        return call.mended(generate_from_stream(self._pieces(call)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._call(messages, stop, kwargs, run_manager)
        return call.mended(await agenerate_from_stream(self._apieces(call)))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        return self._pieces(self._call(messages, stop, kwargs, run_manager))

    def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        return self._apieces(self._call(messages, stop, kwargs, run_manager))

    def _pieces(self, call: "Call") -> Iterator[ChatGenerationChunk]:
        with closing(portal().stream(call.events())) as events:
            for event in events:
                if isinstance(event, SwitchEvent):
                    call.outlets.tell(event)
                elif piece := self._heard(call, event):
                    yield piece

    async def _apieces(self, call: "Call") -> AsyncIterator[ChatGenerationChunk]:
        async with aclosing(portal().astream(call.events())) as events:
            async for event in events:
                if isinstance(event, SwitchEvent):
                    await call.outlets.atell(event)
                elif piece := self._heard(call, event):
                    yield piece

    def _heard(self, call: "Call", event: Decision | PredictEvent) -> ChatGenerationChunk | None:
        if isinstance(event, Decision):
            self._follow(event)
            self._remember(event)
        piece = call.chunks.next(event)
        return None if piece is None else ChatGenerationChunk(message=piece)

    def _call(
        self,
        messages: Sequence[BaseMessage],
        stop: list[str] | None,
        kwargs: Mapping[str, Any],
        run: BaseRunManager | None,
    ) -> "Call":
        # LangGraph takes most of a second to import: only who asks a question pays for it.
        from langchain_lmswitch.graph.calls import Call  # noqa: PLC0415

        options = self._options(stop, kwargs)
        options["run"] = str(run.run_id) if run else None
        return Call(self._router(), messages, options, on_event=self.on_event)
