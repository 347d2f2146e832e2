"""What a frame from a client means."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """The client says who it is; nothing else may be sent before the answer."""

    identifier: str
    passkey: str
    onlooker: bool = False
    """Whether it only looks: the host need not stay for it. A word of our own protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A remote call that wants one result."""

    call_id: int
    endpoint: str
    parameter: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A channel that wants packets until it is closed."""

    channel_id: int
    endpoint: str
    parameter: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A packet of the client on a channel that is open."""

    channel_id: int
    message: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A frame to send back as it is: a warning, or the answer to a keep-alive."""

    frame: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The handshake failed; send the frame and hang up."""

    frame: str


Event = Presented | Called | Opened | Received | Reply | Broken
