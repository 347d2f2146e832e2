"""Where switching events go: to whoever listens outside, never into the answer."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event

from langchain_lmswitch.types.events import SwitchEvent

log: logging.Logger = logging.getLogger(__name__)

NAME = "lmswitch"
"""The name of our custom events."""

OnEvent = Callable[[SwitchEvent], None]


class Outlets:
    """The doors open to the caller, found in its own context when it is built.

    1. `on_event`, the callback of the chat model, gets the typed event.
    2. The stream writer of an outer LangGraph graph gets a mapping (`stream_mode="custom"`).
    3. LangChain's custom events carry the same mapping (`astream_events`).

    A listener that fails is logged and does not hurt the answer.
    """

    def __init__(self, on_event: OnEvent | None) -> None:
        self._on_event = on_event
        # LangGraph takes half a second to import: only who has something to tell pays for it.
        from langgraph.config import get_stream_writer  # noqa: PLC0415

        self._write: Callable[[Any], None] | None = None
        with suppress(RuntimeError, KeyError, LookupError):  # outside of any graph
            self._write = get_stream_writer()

    def tell(self, event: SwitchEvent) -> None:
        """Pass an event on, from synchronous code."""
        record = self._tell_here(event)
        with suppress(RuntimeError):  # a bare call has no run to attach it to
            dispatch_custom_event(NAME, record)

    async def atell(self, event: SwitchEvent) -> None:
        """Pass an event on, from asynchronous code."""
        record = self._tell_here(event)
        with suppress(RuntimeError):
            await adispatch_custom_event(NAME, record)

    def _tell_here(self, event: SwitchEvent) -> dict[str, Any]:
        record = as_record(event)
        if self._on_event is not None:  # 1
            _heard(self._on_event, event)
        if self._write is not None:  # 2
            _heard(self._write, {NAME: record})
        return record


def _heard(listener: Callable[[Any], None], news: object) -> None:
    try:
        listener(news)
    except Exception:
        log.exception("A listener for switching events failed")


def as_record(event: SwitchEvent) -> dict[str, Any]:
    """Write an event as a plain mapping; `event` names its type."""
    return {"event": type(event).__name__, **asdict(event)}
