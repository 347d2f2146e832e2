"""The router: five steps, two ways back, one way out."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import cached_property
from typing import Any, Final, cast

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.graph import END, START, StateGraph
from langsmith import tracing_context

from langchain_lmswitch.errors import HostLost, LMSwitchError, UnknownModel
from langchain_lmswitch.graph.choosing import AUTO, decide
from langchain_lmswitch.graph.compiled import RouterGraph
from langchain_lmswitch.graph.fitting import count
from langchain_lmswitch.graph.grading import Graded
from langchain_lmswitch.graph.nodes import Nodes
from langchain_lmswitch.graph.state import RouterInput, RouterOutput, RouterState
from langchain_lmswitch.graph.understanding import task_of
from langchain_lmswitch.hosts.attachments import with_attachments
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.messages.asking import facts
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.boards import OpenBoard, boards, watched
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import Fragment, PredictEvent, SwitchEvent, ToolCallStarted
from langchain_lmswitch.types.options import RouterOptions

RouterEvent = SwitchEvent | Decision | PredictEvent
"""What a request yields: switching events, the decision, then the answer."""

_NODE_NOTE: Final = "During task with name"
_STEPS: Final = 200
"""The graph's own recursion limit: each way back is bounded by the number of models."""


def router_graph(open_board: OpenBoard | None = None) -> RouterGraph:
    """Compile the router, to draw it, to test it, or to put it into a graph of your own.

    Without `open_board` it finds its host as `ChatLMSwitch()` does. Its nodes are asynchronous:
    call it with `ainvoke` or `astream`. It keeps no checkpoints, even inside a graph that does.

    Args:
        open_board: Gives the switchboard to use, for tests.

    Example:
        ```python
        from langchain_lmswitch import router_graph

        print(*router_graph().get_graph().nodes)
        ```

        ```text
        __start__ classify check_resources refuse load_model fit_context respond __end__
        ```
    """

    async def found() -> Any:
        return await boards().find(Settings())

    opening = open_board or found
    nodes = Nodes(opening)
    graph = StateGraph(RouterState, input_schema=RouterInput, output_schema=RouterOutput)
    graph.add_node("classify", nodes.classify)
    graph.add_node("check_resources", nodes.check_resources)
    graph.add_node("refuse", nodes.refuse)
    graph.add_node("load_model", nodes.load_model)
    graph.add_node("fit_context", nodes.fit_context)
    graph.add_node("respond", Graded(nodes.respond, opening).respond)
    graph.add_edge(START, "classify")
    graph.add_edge("classify", "check_resources")
    graph.add_conditional_edges("check_resources", _after_check, ["load_model", "refuse"])
    graph.add_conditional_edges("load_model", _after_load, ["fit_context", "check_resources"])
    graph.add_conditional_edges("fit_context", _after_fit, ["respond", "check_resources"])
    graph.add_conditional_edges("respond", _after_respond, ["check_resources", END])
    return RouterGraph.of(graph.compile(checkpointer=False, name="lmswitch"), opening)


class Router:
    """Runs the graph for one kind of request source; lives on the portal's loop.

    Args:
        open_board: Gives the switchboard to use; called for every step.
        retries: How often a lost connection is tried again before the first token.
    """

    def __init__(self, open_board: OpenBoard, *, retries: int = 2) -> None:
        self._open = open_board
        self._retries = retries
        self._nodes = Nodes(open_board)

    @cached_property
    def _graph(self) -> RouterGraph:
        # Compiled for the first answer: a mere decision needs none.
        return router_graph(self._open)

    async def answer(
        self, messages: Sequence[BaseMessage], options: RouterOptions
    ) -> AsyncGenerator[RouterEvent, None]:
        """Answer a conversation; closing the generator stops the work on the server."""
        for attempt in range(self._retries + 1):
            begun = False
            board = await self._open()
            try:
                async with aclosing(self._run(messages, options)) as events:
                    async for event in events:
                        begun = begun or isinstance(event, Fragment | ToolCallStarted)
                        yield event
            except HostLost:
                if begun or attempt == self._retries:
                    raise
                boards().forget(board)
                if not board.busy:  # others may be answering over a connection made since
                    await board.aclose()
            else:
                return

    async def explain(self, messages: Sequence[BaseMessage], options: RouterOptions) -> Decision:
        """Decide as `answer` would at this moment, without loading or calling anything."""
        state = RouterState(messages=list(messages), options=options)
        async with watched(self._open):
            state.update(await self._nodes.classify(state))  # type: ignore[typeddict-item]  # its own
            return await self._nodes.explain(state)

    async def count(self, messages: Sequence[BaseMessage], options: RouterOptions) -> int | None:
        """Count a prompt with the model that would answer it; `None` if that is not loaded."""
        allowed = options.get("allow_url_fetch", False)
        asked = await with_attachments(messages, allow_url_fetch=allowed)
        return await self._counted(
            asked,
            options,
            lambda host, identifier: count(host, identifier, asked, options),
        )

    async def count_text(self, text: str, options: RouterOptions) -> int | None:
        """Count a text with the model that would answer it; `None` if that is not loaded."""
        return await self._counted(
            [HumanMessage(text)],
            options,
            lambda host, identifier: host.count_tokens(identifier, text),
        )

    async def _counted(
        self,
        messages: Sequence[BaseMessage],
        options: RouterOptions,
        counting: Callable[[Host, str], Awaitable[int]],
    ) -> int | None:
        task = task_of(facts(messages, options))
        async with watched(self._open) as board:
            outcome, _ = await decide(board, task, model=options.get("model") or AUTO, failed={})
            if outcome.resident is None:
                return None
            try:
                return await counting(board.host, outcome.resident.identifier)
            except UnknownModel:  # it went while we asked
                board.surveyor.forget()
                return None

    async def _run(
        self, messages: Sequence[BaseMessage], options: RouterOptions
    ) -> AsyncGenerator[RouterEvent, None]:
        asked = RouterInput(messages=list(messages), options=options)
        # LangSmith would re-add its tracer from the environment and open a second root trace.
        try:
            with tracing_context(enabled=False):
                events = self._graph.astream(
                    asked, {"recursion_limit": _STEPS}, stream_mode="custom"
                )
                async with aclosing(events):  # type: ignore[type-var]  # it is a generator
                    async for event in events:
                        yield cast("RouterEvent", event)  # what our nodes wrote
        except LMSwitchError as error:
            _forget_our_steps(error)
            raise


def _forget_our_steps(error: LMSwitchError) -> None:
    """Take off LangGraph's note on which of our nodes failed: it is not the caller's affair."""
    notes = [note for note in getattr(error, "__notes__", ()) if not note.startswith(_NODE_NOTE)]
    error.__notes__ = notes


# Asynchronous, though they decide at once: LangGraph sends synchronous ones through a thread.


async def _after_check(state: RouterState) -> str:
    return "load_model" if state["decision"]["model"] else "refuse"


async def _after_load(state: RouterState) -> str:
    return "fit_context" if state["resident"] else "check_resources"


async def _after_fit(state: RouterState) -> str:
    return "respond" if state["resident"] else "check_resources"


async def _after_respond(state: RouterState) -> str:
    return END if state["resident"] else "check_resources"
