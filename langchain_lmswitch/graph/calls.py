"""One call of a chat model, on its way through the router."""

from collections.abc import AsyncGenerator, Sequence
from typing import cast

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult

from langchain_lmswitch.graph.answering import new_call_id
from langchain_lmswitch.graph.outlets import OnEvent, Outlets
from langchain_lmswitch.graph.router import Router, RouterEvent
from langchain_lmswitch.messages.incoming import Chunks
from langchain_lmswitch.types.options import RouterOptions


class Call:
    """What goes in, and where what comes out goes to."""

    def __init__(
        self,
        router: Router,
        messages: Sequence[BaseMessage],
        options: RouterOptions,
        *,
        on_event: OnEvent | None,
    ) -> None:
        self._router = router
        self._messages = messages
        self._options = options
        self.outlets: Outlets = Outlets(on_event)
        parallel = options.get("parallel_tool_calls") is not False
        self.chunks: Chunks = Chunks(new_id=new_call_id, parallel_calls=parallel)

    def events(self) -> AsyncGenerator[RouterEvent, None]:
        """Start answering; to be run on the portal's loop."""
        return self._router.answer(self._messages, self._options)

    def mended(self, result: ChatResult) -> ChatResult:
        """Give a whole answer its invalid tool calls as the model wrote them."""
        [generation] = result.generations
        generation.message = self.chunks.mended(cast("AIMessage", generation.message))
        return result
