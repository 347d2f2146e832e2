"""What a scripted host says to the questions of the suite, and what it is called."""

from collections.abc import Sequence

from conformance.subject import Subject

from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.testing import ScriptedHost, card, tool_call
from langchain_lmswitch.testing.replies import Script
from langchain_lmswitch.types.requests import JsonObject

CARDS = ("scripted-chat", "scripted-code", card("scripted-embedding", kind="embedding"))


def reply(messages: Sequence[JsonObject]) -> Script:
    asked = messages[-1]["content"][0]["text"]
    if "weather" in asked:
        return tool_call("get_weather", {"city_name": "Oslo", "temperature_unit": "deg_c"})
    if "even number" in asked:
        return '{"is_even": true, "how_sure": "quite_sure"}'
    return ", ".join(f"number {number}" for number in range(1, 500))


def scripted_host(*, token_s: float = 0.0) -> ScriptedHost:
    return ScriptedHost(CARDS, replies=reply, token_s=token_s)


def subject_of(host: Host) -> Subject:
    """Say what may be expected of a host with these cards and replies."""
    return Subject(
        host=host,
        chat="scripted-chat",
        other_chat="scripted-code",
        embedding="scripted-embedding",
        tools=True,
        json_schema=True,
    )
