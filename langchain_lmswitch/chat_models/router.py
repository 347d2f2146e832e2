"""The router by itself: it says who should answer, and leaves the answer to others."""

from typing import Any, Protocol

from langchain_core.language_models import LanguageModelInput
from langchain_core.runnables import Runnable, RunnableConfig

from langchain_lmswitch.chat_models.hints import hinted
from langchain_lmswitch.types.decisions import Decision


class Explains(Protocol):
    """What a router asks: a `ChatLMSwitch`."""

    def explain(self, messages: LanguageModelInput, **kwargs: Any) -> Decision:
        """Decide, without loading or calling a model."""

    async def aexplain(self, messages: LanguageModelInput, **kwargs: Any) -> Decision:
        """Decide; see `explain`."""


class LMSwitchRouter(Runnable[LanguageModelInput, Decision]):
    """Says which model should answer; nothing is loaded, and no model is called.

    `ChatLMSwitch.router` is one, for its host and with its hints. It is a runnable too, from
    messages to a `Decision`, for chains and for the edges of a graph.

    Args:
        llm: Whose models are to be chosen from.

    Example:
        ```python
        from langchain_lmswitch import ChatLMSwitch

        router = ChatLMSwitch().router
        decision = router.decide("Write a Python function.", quality=0.8)
        print(decision.model, decision.reason)
        for candidate in decision.candidates:
            print(candidate.key, candidate.score, candidate.note)
        ```
    """

    def __init__(self, llm: Explains) -> None:
        self._llm = llm

    def decide(self, messages: LanguageModelInput, **options: Any) -> Decision:
        """Decide who should answer, from what is installed, loaded and free at this moment.

        Args:
            messages: A text, a prompt or the conversation so far.
            options: As for `ChatLMSwitch.invoke`: `model`, `task`, `quality`, `prefer`, `require`,
                `node`, `tools`, `response_format`, `max_tokens`.

        Returns:
            The decision with every candidate; its `model` is empty if none can answer.

        Raises:
            HostNotFound: There is no host to ask what models it has.
            UnknownModel: `model` names one the host does not have.
            InvalidRequest: An option is unknown, or there is no message.
        """
        return self._llm.explain(messages, **options)

    async def adecide(self, messages: LanguageModelInput, **options: Any) -> Decision:
        """Decide who should answer; see `decide`."""
        return await self._llm.aexplain(messages, **options)

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Decision:
        """Decide, as a step of a chain; see `decide`."""

        def decided(messages: LanguageModelInput) -> Decision:
            return self.decide(messages, **hinted(config, kwargs))

        return self._call_with_config(decided, input, config)

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - as above
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Decision:
        """Decide, as a step of a chain; see `decide`."""

        async def decided(messages: LanguageModelInput) -> Decision:
            return await self.adecide(messages, **hinted(config, kwargs))

        return await self._acall_with_config(decided, input, config)
