"""The compiled router graph, whose leases end with the run."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, cast

from langgraph.graph.state import CompiledStateGraph

from langchain_lmswitch.errors import HostLost
from langchain_lmswitch.graph.state import RouterInput, RouterOutput, RouterState
from langchain_lmswitch.switch.boards import OpenBoard, boards
from langchain_lmswitch.switch.portal import portal


class RouterGraph(CompiledStateGraph[RouterState, Any, RouterInput, RouterOutput]):
    """A graph that names the leases of each run, and ends them when the run ends.

    A connection that broke makes the next run look for the host anew.

    A step that fails ends them itself. But a stream that is left, a cancel or the recursion limit
    of a graph around this one may end a run between two steps, where none of ours is asked.
    """

    open_board: OpenBoard

    @classmethod
    def of(
        cls, compiled: CompiledStateGraph[Any, Any, Any, Any], open_board: OpenBoard
    ) -> "RouterGraph":
        """Make one of what `StateGraph.compile` gives, which takes no class to build."""
        compiled.__class__ = cls
        graph = cast("RouterGraph", compiled)
        graph.open_board = open_board
        return graph

    async def astream(self, input: Any, config: Any = None, **kwargs: Any) -> AsyncIterator[Any]:  # noqa: A002 - LangGraph's name; one signature for its overloads
        """Run the graph; see `Pregel.astream`. `ainvoke` and graphs around it come here too."""
        call = uuid.uuid4().hex
        named: Any = {**input, "call": call} if isinstance(input, Mapping) else input
        parts: Any = super().astream(named, config, **kwargs)
        try:
            async with aclosing(parts):
                async for part in parts:
                    yield part
        except HostLost:
            await portal().acall(self._lost())
            raise
        finally:
            await portal().acall(_release(call))

    async def _lost(self) -> None:
        boards().lost(await self.open_board())


async def _release(call: str) -> None:
    boards().release(call)
