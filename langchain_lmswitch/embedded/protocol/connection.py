"""One socket of LM Studio's protocol, sans-IO: frames in, events out; replies in, frames out."""

import json
from typing import Any

from langchain_lmswitch.embedded.protocol.events import (
    Broken,
    Called,
    Event,
    Opened,
    Presented,
    Received,
    Reply,
)

MAX_IDENTITY_CHARS = 256
MAX_QUOTED_CHARS = 120
"""How much of a client's own words a warning repeats."""

ONLOOKER = "lmswitchOnlooker"
"""Where a client of ours says, as it presents itself, that it only looks."""


class Connection:
    """The state of one socket: whether it was admitted, and which calls and channels are open.

    Calls and channels are counted apart, since Python's SDK has a counter for each and the
    JavaScript one a single counter for both.
    """

    def __init__(self) -> None:
        self._admitted = False
        self._calls: set[int] = set()
        self._channels: set[int] = set()
        self._last_channel_id = -1

    def receive(self, text: str) -> list[Event]:
        """Read one frame.

        Whatever is malformed or unknown yields exactly one warning to send back, and nothing
        else. A packet for a channel that is closed already is dropped without a word: it
        crossed our own close on the way.
        """
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return [self._refuse("The message is not JSON.")]
        if not isinstance(message, dict):
            return [self._refuse("The message is not a JSON object.")]
        return self._dispatch(message) if self._admitted else [_presented(message)]

    def accept(self) -> str:
        """Admit the client."""
        self._admitted = True
        return _frame({"success": True})

    def result(self, call_id: int, value: Any = None) -> str:
        """Answer a call; `None` is the protocol's void."""
        self._calls.remove(call_id)
        answer = {"type": "rpcResult", "callId": call_id}
        return _frame(answer if value is None else {**answer, "result": value})

    def call_error(self, call_id: int, error: dict[str, Any]) -> str:
        """Fail a call."""
        self._calls.remove(call_id)
        return _frame({"type": "rpcError", "callId": call_id, "error": error})

    def packet(self, channel_id: int, message: dict[str, Any]) -> str:
        """Send a packet on an open channel."""
        return _frame({"type": "channelSend", "channelId": channel_id, "message": message})

    def close(self, channel_id: int) -> str:
        """Close a channel after its terminal packet."""
        self._channels.remove(channel_id)
        return _frame({"type": "channelClose", "channelId": channel_id})

    def channel_error(self, channel_id: int, error: dict[str, Any]) -> str:
        """Fail a channel, which closes it too."""
        self._channels.remove(channel_id)
        return _frame({"type": "channelError", "channelId": channel_id, "error": error})

    def unknown_call(self, call_id: int, endpoint: str) -> str:
        """Warn of an endpoint that does not exist; the call gets no other answer."""
        self._calls.remove(call_id)
        return warning(f"Unknown RPC endpoint: {quoted(endpoint)}.")

    def unknown_channel(self, channel_id: int, endpoint: str) -> str:
        """Warn of a channel endpoint that does not exist; the channel gets no other answer."""
        self._channels.remove(channel_id)
        return warning(f"Unknown channel endpoint: {quoted(endpoint)}.")

    def _refuse(self, reason: str) -> Reply | Broken:
        return Reply(frame=warning(reason)) if self._admitted else Broken(frame=rejection(reason))

    def _dispatch(self, message: dict[str, Any]) -> list[Event]:
        match message:
            case {"type": "rpcCall", "endpoint": str(endpoint), "callId": int(call_id)}:
                return [self._call(call_id, endpoint, message.get("parameter"))]
            case {"type": "channelCreate", "endpoint": str(endpoint), "channelId": int(channel_id)}:
                return [self._open(channel_id, endpoint, message.get("creationParameter"))]
            case {"type": "channelSend", "channelId": int(channel_id), "message": packet}:
                return self._receive(channel_id, packet)
            case {"type": "keepAlive"}:
                return [Reply(frame=_frame({"type": "keepAliveAck"}))]
            case {"type": "rpcCall" | "channelCreate" | "channelSend" as kind}:
                return [Reply(frame=warning(f"Malformed message of type {quoted(kind)}."))]
            case _:
                return [
                    Reply(frame=warning(f"Unknown message type: {quoted(message.get('type'))}."))
                ]

    def _call(self, call_id: int, endpoint: str, parameter: Any) -> Event:
        if call_id in self._calls:
            return Reply(frame=warning(f"A call with the callId {call_id} is open already."))
        self._calls.add(call_id)
        return Called(call_id=call_id, endpoint=endpoint, parameter=parameter)

    def _open(self, channel_id: int, endpoint: str, parameter: Any) -> Event:
        if channel_id in self._channels:
            return Reply(
                frame=warning(f"A channel with the channelId {channel_id} is open already.")
            )
        self._channels.add(channel_id)
        self._last_channel_id = max(self._last_channel_id, channel_id)
        return Opened(channel_id=channel_id, endpoint=endpoint, parameter=parameter)

    def _receive(self, channel_id: int, packet: Any) -> list[Event]:
        if channel_id in self._channels:
            return [Received(channel_id=channel_id, message=packet)]
        if channel_id <= self._last_channel_id:
            return []
        return [Reply(frame=warning(f"Channel {channel_id} was never created."))]


def rejection(reason: str) -> str:
    """Refuse the client at the handshake."""
    return _frame({"success": False, "error": reason})


def warning(text: str) -> str:
    """Tell the client that something it sent makes no sense here."""
    return _frame({"type": "communicationWarning", "warning": text})


def quoted(value: Any) -> str:
    """Repeat a value of the client's in a warning, cut to a decent length."""
    text = json.dumps(value)
    return text if len(text) <= MAX_QUOTED_CHARS else text[:MAX_QUOTED_CHARS] + "..."


def _presented(message: dict[str, Any]) -> Event:
    match message:
        case {"authVersion": 1, "clientIdentifier": str(name), "clientPasskey": str(passkey)}:
            if max(len(name), len(passkey)) <= MAX_IDENTITY_CHARS:
                looks = message.get(ONLOOKER) is True
                return Presented(identifier=name, passkey=passkey, onlooker=looks)
            return Broken(frame=rejection("The client's identifier or passkey is too long."))
        case {"authVersion": version} if version != 1:
            return Broken(frame=rejection(f"Unknown authVersion: {quoted(version)}."))
        case _:
            return Broken(frame=rejection("The first message must be the authentication packet."))


def _frame(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
