"""The shape of a namespace."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_lmswitch.embedded.channel import Channel
from langchain_lmswitch.embedded.services import Request

Call = Callable[[Request], Awaitable[Any]]
"""Answers a remote call; `None` is void."""
Stream = Callable[[Request, Channel], Awaitable[None]]
"""Serves a channel until it returns, which closes it, or raises, which fails it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """The endpoints behind one path."""

    calls: Mapping[str, Call]
    channels: Mapping[str, Stream] = field(default_factory=dict)
