"""A LangGraph node that fits the conversation for the model call after it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.embeddings import Embeddings
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableLambda

from langchain_lmswitch.context.alone import Embeds, fit_messages
from langchain_lmswitch.conversations.stores import Stores, cache_in
from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.types.contexts import Overflow


def fitting_node(
    *,
    count_tokens: Any,
    budget: int,
    input_key: str = "messages",
    output_key: str = "llm_input_messages",
    report_key: str = "context_report",
    on_overflow: Overflow = "clip",
    tools: Sequence[Any] = (),
    embed: Embeddings | Embeds | None = None,
    store: Stores | None = None,
) -> RunnableLambda[Any, dict[str, Any]]:
    """Make a node that writes the messages that fit beside the conversation, which stays whole.

    The output key must be a channel that is overwritten: a plain `list`, without `add_messages`. A
    report of what was left out and put back goes under the report key, if the state has it.

    Example:
        ```python
        from langchain_core.language_models import FakeListChatModel
        from langchain_core.messages import AnyMessage
        from langgraph.graph import START, MessagesState, StateGraph
        from langchain_lmswitch import fitting_node


        class State(MessagesState):
            llm_input_messages: list[AnyMessage]
            context_report: dict


        llm = FakeListChatModel(responses=["Yes."])  # any chat model
        graph = StateGraph(State)
        graph.add_node("fit", fitting_node(count_tokens="approximate", budget=4000))
        graph.add_node("answer", lambda s: {"messages": [llm.invoke(s["llm_input_messages"])]})
        graph.add_edge(START, "fit")
        graph.add_edge("fit", "answer")
        state = graph.compile().invoke({"messages": "Does it fit?"})
        print(state["messages"][-1].text, state["context_report"]["evicted_messages"], "left out")
        ```

        ```text
        Yes. 0 left out
        ```

    Args:
        count_tokens: See `fit_messages`; so are `budget`, `on_overflow`, `tools` and `embed`.
        budget: Tokens that the messages may take.
        input_key: Where the conversation stands in the state.
        output_key: Where the fitted messages are written.
        report_key: Where the report is written, as plain values.
        on_overflow: As above.
        tools: As above.
        embed: As above.
        store: Where indexes and summaries are kept beyond this process; see `cache_in`.

    Raises:
        ContextTooLong: When it runs: what must not be left out is longer than the budget.
        InvalidRequest: An argument cannot be used, or the state has no such key.
    """
    cache = cache_in(store)

    def fitted(state: Any) -> dict[str, Any]:
        found = fit_messages(
            _conversation(state, input_key),
            count_tokens=count_tokens,
            budget=budget,
            on_overflow=on_overflow,
            tools=tools,
            embed=embed,
            cache=cache,
        )
        return {output_key: [*found.messages], report_key: found.report.to_dict()}

    async def afitted(state: Any) -> dict[str, Any]:
        # Counters and stores may wait for something: not on the event loop.
        return await asyncio.to_thread(fitted, state)

    return RunnableLambda(fitted, afitted, name="fit_messages")


def _conversation(state: Any, key: str) -> list[BaseMessage]:
    found = state.get(key) if isinstance(state, Mapping) else getattr(state, key, None)
    if found is None:
        raise InvalidRequest(f"The state has no {key!r}: pass fitting_node(input_key=...).")
    messages: list[BaseMessage] = found
    return messages
