"""One socket of the protocol, without a socket."""

import json
from typing import Any

import pytest

from langchain_lmswitch.embedded.protocol.connection import Connection
from langchain_lmswitch.embedded.protocol.events import (
    Broken,
    Called,
    Event,
    Opened,
    Presented,
    Received,
    Reply,
)

HELLO = {"authVersion": 1, "clientIdentifier": "abcdefgh", "clientPasskey": "k" * 20}


def _admitted() -> Connection:
    connection = Connection()
    connection.receive(json.dumps(HELLO))
    connection.accept()
    return connection


def _receive(connection: Connection, message: Any) -> list[Event]:
    return connection.receive(json.dumps(message))


def _warning(events: list[Event]) -> str:
    (event,) = events
    assert isinstance(event, Reply)
    frame = json.loads(event.frame)
    assert frame["type"] == "communicationWarning"
    return str(frame["warning"])


def test_the_first_message_presents_the_client() -> None:
    connection = Connection()
    assert _receive(connection, HELLO) == [Presented(identifier="abcdefgh", passkey="k" * 20)]
    assert json.loads(connection.accept()) == {"success": True}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "rpcCall", "endpoint": "listLoaded", "callId": 1},
        {**HELLO, "authVersion": 2},
        {**HELLO, "clientIdentifier": 7},
        {**HELLO, "clientPasskey": "k" * 257},
        ["not", "an", "object"],
    ],
)
def test_anything_else_breaks_the_handshake_with_words(message: Any) -> None:
    (event,) = _receive(Connection(), message)
    assert isinstance(event, Broken)
    frame = json.loads(event.frame)
    assert frame["success"] is False
    assert isinstance(frame["error"], str)


def test_calls_and_channels_count_apart() -> None:
    """Python numbers calls and channels each from 1, so both may be open as 1."""
    connection = _admitted()
    call = {"type": "rpcCall", "endpoint": "listLoaded", "callId": 1}
    channel = {"type": "channelCreate", "endpoint": "predict", "channelId": 1}
    assert _receive(connection, call) == [Called(call_id=1, endpoint="listLoaded")]
    opened = _receive(connection, channel | {"creationParameter": {"a": 1}})
    assert opened == [Opened(channel_id=1, endpoint="predict", parameter={"a": 1})]


def test_ids_may_begin_with_zero() -> None:
    """JavaScript's one counter does."""
    connection = _admitted()
    _receive(connection, {"type": "channelCreate", "endpoint": "predict", "channelId": 0})
    packet = {"type": "channelSend", "channelId": 0, "message": {"type": "cancel"}}
    assert _receive(connection, packet) == [Received(channel_id=0, message={"type": "cancel"})]


def test_a_void_result_has_no_result_field() -> None:
    connection = _admitted()
    for call_id in (1, 2):
        _receive(connection, {"type": "rpcCall", "endpoint": "x", "callId": call_id})
    assert json.loads(connection.result(1)) == {"type": "rpcResult", "callId": 1}
    assert json.loads(connection.result(2, []))["result"] == []


def test_an_unknown_endpoint_is_named_in_one_warning() -> None:
    connection = _admitted()
    _receive(connection, {"type": "rpcCall", "endpoint": "fly", "callId": 1})
    frame = json.loads(connection.unknown_call(1, "fly"))
    assert frame["type"] == "communicationWarning"
    assert '"fly"' in frame["warning"]


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ({"type": "signalSubscribe"}, '"signalSubscribe"'),
        ({"type": "rpcCall", "endpoint": "x"}, '"rpcCall"'),
        ({"type": "channelCreate", "channelId": 3}, '"channelCreate"'),
        ({"type": "channelSend", "channelId": 9, "message": {}}, "9"),
        ({}, "null"),
    ],
)
def test_what_is_malformed_or_unknown_yields_exactly_one_warning(message: Any, named: str) -> None:
    assert named in _warning(_receive(_admitted(), message))


def test_text_that_is_no_json_yields_one_warning() -> None:
    assert "JSON" in _warning(_admitted().receive("{"))
    assert "JSON" in _warning(_admitted().receive("[" * 100_000))


def test_a_warning_repeats_only_a_little_of_what_was_sent() -> None:
    assert len(_warning(_receive(_admitted(), {"type": "x" * 10_000}))) < 200


def test_an_id_in_use_is_refused() -> None:
    connection = _admitted()
    call = {"type": "rpcCall", "endpoint": "x", "callId": 1}
    _receive(connection, call)
    assert "1" in _warning(_receive(connection, call))
    connection.result(1)
    assert _receive(connection, call) == [Called(call_id=1, endpoint="x")]


def test_a_cancel_that_crossed_the_close_is_dropped_without_a_word() -> None:
    """A warning would be logged as an error by Python's SDK."""
    connection = _admitted()
    _receive(connection, {"type": "channelCreate", "endpoint": "predict", "channelId": 5})
    connection.close(5)
    cancel = {"type": "channelSend", "channelId": 5, "message": {"type": "cancel"}}
    assert _receive(connection, cancel) == []


def test_a_failed_channel_is_closed_by_its_error_alone() -> None:
    connection = _admitted()
    _receive(connection, {"type": "channelCreate", "endpoint": "predict", "channelId": 5})
    frame = json.loads(connection.channel_error(5, {"title": "no"}))
    assert frame == {"type": "channelError", "channelId": 5, "error": {"title": "no"}}
    with pytest.raises(KeyError):
        connection.close(5)


def test_a_keep_alive_is_acknowledged() -> None:
    (event,) = _receive(_admitted(), {"type": "keepAlive"})
    assert isinstance(event, Reply)
    assert json.loads(event.frame) == {"type": "keepAliveAck"}
