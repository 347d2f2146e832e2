"""Test your agents offline: a model host in memory, with scripted answers.

`ScriptedHost` does all that a real host does - it lists, loads, streams, counts and embeds -
without weights and without a network, and it keeps a record of what it was asked. `served` puts
it behind LM Studio's real protocol, for tests that are to go the whole way. `SimulatedHost` is a
host with the troubles of a real machine, and `run_virtually` makes its hours pass in a moment.

Example:
    >>> import asyncio
    >>> from langchain_lmswitch.testing import ScriptedHost, card, user
    >>> from langchain_lmswitch.types.events import Fragment
    >>> from langchain_lmswitch.types.models import LoadSpec
    >>> from langchain_lmswitch.types.requests import PredictRequest
    >>> host = ScriptedHost([card("tiny-chat")], replies="Four, of course.")
    >>> async def ask(text):
    ...     loaded = await host.load(LoadSpec(key="tiny-chat"))
    ...     events = host.predict(loaded.identifier, PredictRequest(messages=(user(text),)))
    ...     return [event.text async for event in events if isinstance(event, Fragment)]
    >>> asyncio.run(ask("What is two and two?"))
    ['Four', ',', ' of', ' course', '.']
    >>> [call.method for call in host.calls]
    ['load', 'predict']
"""

from langchain_lmswitch.testing.cards import card, user
from langchain_lmswitch.testing.clock import run_virtually
from langchain_lmswitch.testing.host import ScriptedHost
from langchain_lmswitch.testing.machine import FixedMachine
from langchain_lmswitch.testing.records import Call, Record
from langchain_lmswitch.testing.replies import Reply, in_turn, tool_call
from langchain_lmswitch.testing.serving import Serving, served
from langchain_lmswitch.testing.simulated import SimulatedHost
from langchain_lmswitch.testing.tokens import split

__all__ = [
    "Call",
    "FixedMachine",
    "Record",
    "Reply",
    "ScriptedHost",
    "Serving",
    "SimulatedHost",
    "card",
    "in_turn",
    "run_virtually",
    "served",
    "split",
    "tool_call",
    "user",
]
