"""An agent middleware that fits each model call's conversation; the agent's state stays whole."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, SystemMessage

from langchain_lmswitch.context.alone import Embeds, fit_messages, shared_cache
from langchain_lmswitch.context.fitting import Fitted
from langchain_lmswitch.conversations.stores import Stores, cache_in
from langchain_lmswitch.conversations.summarizing import Summarizing
from langchain_lmswitch.errors import InvalidRequest, MissingExtra
from langchain_lmswitch.messages.options import LLM_TYPE
from langchain_lmswitch.types.contexts import ContextReport, Overflow

try:
    from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
except ImportError as _error:
    raise MissingExtra(
        "agents", why="`FitMessages` is a middleware of LangChain's agents"
    ) from _error

_ESTIMATED_SHARE: Final = 0.8
"""Of the model's limit: an estimate of tokens may be a fifth too low."""

Request = ModelRequest[Any]
Response = ModelResponse[Any]


class FitMessages(AgentMiddleware[Any, Any, Any]):
    """Sends a model no more of an agent's conversation than fits; see `fit_messages`.

    Only what the model gets to see is changed, and only for this call: the state, and what a
    checkpointer keeps of it, stay whole. The system prompt, the tools and the form of the answer
    count too.

    Example:
        ```python
        from langchain.agents import create_agent
        from langchain_core.language_models import FakeListChatModel
        from langchain_lmswitch import FitMessages

        llm = FakeListChatModel(responses=["Nothing was left out."])  # any chat model
        agent = create_agent(llm, middleware=[FitMessages(budget=8000)])
        print(agent.invoke({"messages": "What was left out?"})["messages"][-1].text)
        ```

        ```text
        Nothing was left out.
        ```

    Args:
        budget: Tokens that a prompt may take; unless given, what the model's profile says is the
            most: four fifths of it if tokens are estimated.
        count_tokens: See `fit_messages`; unless given, `ChatLMSwitch` counts itself, and for other
            models LangChain estimates.
        on_overflow: As `fit_messages` takes it.
        embed: Likewise.
        store: Where indexes and summaries are kept beyond this process; see `cache_in`.
        summarizer: A chat model that summarizes what is left out, in the background, once a turn is
            over. The summary stands in the system prompt.
        on_report: Called with the report of each model call.
    """

    def __init__(
        self,
        *,
        budget: int | None = None,
        count_tokens: Any = None,
        on_overflow: Overflow = "clip",
        embed: Embeddings | Embeds | None = None,
        store: Stores | None = None,
        summarizer: BaseChatModel | None = None,
        on_report: Callable[[ContextReport], object] | None = None,
    ) -> None:
        super().__init__()
        self._budget = budget
        self._count_tokens = count_tokens
        self._overflow = on_overflow
        self._embed = embed
        self._cache = cache_in(store) or shared_cache()
        self._summarizing = summarizer and Summarizing(summarizer, self._cache)
        self._on_report = on_report

    def wrap_model_call(self, request: Request, handler: Callable[[Request], Response]) -> Response:
        """Call the model with what fits."""
        messages = _conversation(request)
        fitted = self._fitted(messages, request)
        response = handler(_with(request, fitted))
        self._summarize(messages, fitted, response)
        return response

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Call the model with what fits."""
        messages = _conversation(request)
        # Counters and stores may wait for something: not on the event loop.
        fitted = await asyncio.to_thread(self._fitted, messages, request)
        response = await handler(_with(request, fitted))
        await asyncio.to_thread(self._summarize, messages, fitted, response)
        return response

    def _fitted(self, messages: Sequence[BaseMessage], request: Request) -> Fitted:
        counter = self._counter(request.model)
        fitted = fit_messages(
            messages,
            count_tokens=counter,
            budget=self._budget or _limit(request.model, estimated=counter == "approximate"),
            on_overflow=self._overflow,
            tools=_offered(request),
            embed=self._embed,
            cache=self._cache,
        )
        if self._on_report:
            self._on_report(fitted.report)
        return fitted

    def _summarize(
        self, messages: Sequence[BaseMessage], fitted: Fitted, response: Response
    ) -> None:
        last = response.result[-1] if response.result else None
        if self._summarizing and not getattr(last, "tool_calls", None):
            self._summarizing.start(messages, fitted)

    def finish(self) -> None:
        """Wait until the summary that is being written, if any, is there."""
        if self._summarizing:
            self._summarizing.finish()

    def _counter(self, model: Any) -> Any:
        if self._count_tokens is not None:
            return self._count_tokens
        return model if getattr(model, "_llm_type", "") == LLM_TYPE else "approximate"


def _limit(model: Any, *, estimated: bool) -> int:
    most = (getattr(model, "profile", None) or {}).get("max_input_tokens")
    if not most:
        raise InvalidRequest(
            f"The profile of {type(model).__name__} does not say how many tokens its prompt may "
            "take: pass FitMessages(budget=...), or a model with profile={'max_input_tokens': ...}."
        )
    return int(most * _ESTIMATED_SHARE) if estimated else int(most)


def _offered(request: Request) -> list[Any]:
    """List the tools, and the form of the answer, which is one more or as long as one."""
    form = getattr(request.response_format, "schema", request.response_format)
    return [*request.tools, *([] if form is None else [form])]


def _conversation(request: Request) -> list[BaseMessage]:
    return [*([request.system_message] if request.system_message else []), *request.messages]


def _with(request: Request, fitted: Fitted) -> Request:
    """Ask with other messages; what was left out may be told in the system prompt."""
    messages: list[Any] = [*fitted.messages]
    system = messages.pop(0) if messages and isinstance(messages[0], SystemMessage) else None
    return request.override(system_message=system, messages=messages)
