"""Which model answered last, and why."""

from typing import Any, Self

from langchain_core.outputs import LLMResult
from pydantic import PrivateAttr

from langchain_lmswitch.chat_models.routed import RoutedChatModel
from langchain_lmswitch.types.decisions import Decision


class ReasonedChatModel(RoutedChatModel):
    """A chat model that remembers why the last model was chosen."""

    _last: Decision | None = PrivateAttr(default=None)

    def why(self) -> Decision | None:
        """Give the last decision made for this chat model; `None` if there was none yet.

        It is the record that the answer has as `response_metadata["lmswitch"]`, for who does not
        have the answer at hand: what is bound to this chat model, an agent with it, or its
        structured output asks this very object. If nobody could answer, it is the decision that
        says so, with an empty `model`. If several threads ask, the last decision counts.

        Nothing is decided here; `explain` does that. A copy starts without one.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            llm = ChatLMSwitch(max_tokens=8)
            llm.invoke("What is the capital of France?")
            print(llm.why().model, "for", llm.why().task)
            ```

            ```text
            qwen2.5-coder-0.5b-instruct for facts
            ```
        """
        return self._last

    def generate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """Answer several conversations; see `BaseChatModel.generate`."""
        return self._remembered(super().generate(*args, **kwargs))

    async def agenerate(self, *args: Any, **kwargs: Any) -> LLMResult:
        """Answer several conversations; see `BaseChatModel.agenerate`."""
        return self._remembered(await super().agenerate(*args, **kwargs))

    def _remember(self, decision: Decision) -> None:
        self._last = decision

    def _remembered(self, result: LLMResult) -> LLMResult:
        """Remember the decisions that come with answers from LangChain's cache: we made none."""
        for generations in result.generations:
            for one in generations:
                message = getattr(one, "message", None)
                record = getattr(message, "response_metadata", {}).get("lmswitch") or {}
                if record.get("cached") and "model" in record:
                    self._remember(Decision.from_dict(record))
        return result

    def __copy__(self) -> Self:
        copied = super().__copy__()
        copied._last = None  # noqa: SLF001 - it is one of us
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        copied = super().__deepcopy__(memo)
        copied._last = None  # noqa: SLF001 - it is one of us
        return copied

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        private = state["__pydantic_private__"] or {}
        return {**state, "__pydantic_private__": {**private, "_last": None}}
