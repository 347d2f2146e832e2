"""Waiting for work that tells what happens on the way: told to the caller, then the result."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, closing
from typing import TypeVar

from langchain_lmswitch.graph.outlets import OnEvent, Outlets
from langchain_lmswitch.switch.news import Result
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.events import SwitchEvent

T = TypeVar("T")
_NO_RESULT = "the work ended without a result"


def awaited(news: AsyncGenerator[SwitchEvent | Result[T], None], on_event: OnEvent | None) -> T:
    """Pass on what happens, and give the result, blocking."""
    with closing(portal().stream(news)) as heard:
        for one in heard:
            if isinstance(one, Result):
                return one.value
            Outlets(on_event).tell(one)
    raise RuntimeError(_NO_RESULT)


async def aawaited(
    news: AsyncGenerator[SwitchEvent | Result[T], None], on_event: OnEvent | None
) -> T:
    """Pass on what happens, and give the result, awaiting."""
    async with aclosing(portal().astream(news)) as heard:
        async for one in heard:
            if isinstance(one, Result):
                return one.value
            await Outlets(on_event).atell(one)
    raise RuntimeError(_NO_RESULT)
