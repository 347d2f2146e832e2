"""Answers: how they stream, how they end, and what may go wrong in the middle."""

import asyncio
import json
from dataclasses import replace

import pytest
from conformance.subject import (
    LONG,
    Cases,
    Subject,
    answer,
    ask,
    eventually,
    hear_first,
    is_idle,
    message,
)

from langchain_lmswitch.errors import ModelGone, UnknownModel
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.types.events import (
    PromptProgress,
    ToolCallArguments,
    ToolCallEnded,
    ToolCallStarted,
)
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.requests import JsonObject

WEATHER_TOOL: JsonObject = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city_name": {"type": "string"},
                "temperature_unit": {"$ref": "#/$defs/TemperatureUnit"},
            },
            "required": ["city_name"],
            "$defs": {"TemperatureUnit": {"type": "string", "enum": ["deg_c", "deg_f"]}},
        },
    },
}

VERDICT_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "is_even": {"type": "boolean"},
        "how_sure": {"type": "string", "enum": ["quite_sure", "not_sure"]},
    },
    "required": ["is_even", "how_sure"],
    "additionalProperties": False,
}


class AnsweringCases(Cases):
    """`predict` and `state`."""

    async def test_answer_streams_and_ends_once(self, host: Host, chat: Resident) -> None:
        """Text comes in pieces, then exactly one end, then nothing."""
        heard = await answer(host, chat.identifier, ask(LONG))

        assert len(heard.fragments) > 1
        assert heard.text.strip()
        assert all(part.text for part in heard.fragments)
        assert heard.finished.stop_reason

    async def test_max_tokens(self, host: Host, chat: Resident) -> None:
        heard = await answer(host, chat.identifier, ask(LONG, max_tokens=8))

        assert heard.finished.stop_reason == "maxPredictedTokensReached"
        assert heard.finished.predicted_tokens is not None
        assert 1 <= heard.finished.predicted_tokens <= 8

    async def test_usage(self, host: Host, chat: Resident) -> None:
        """The tokens are those of the rendered prompt, and of the text that came."""
        request = ask(LONG, max_tokens=32)
        heard = await answer(host, chat.identifier, request)
        prompt = await host.render(chat.identifier, request.messages)
        prompt_tokens = await host.count_tokens(chat.identifier, prompt)
        text_tokens = await host.count_tokens(chat.identifier, heard.text)

        assert heard.finished.prompt_tokens == pytest.approx(prompt_tokens, abs=2)
        assert heard.finished.predicted_tokens == pytest.approx(text_tokens, abs=4)

    async def test_stop_string(self, host: Host, chat: Resident) -> None:
        """A stop string ends the answer and is not in it, also where it is several tokens long."""
        await answer(host, chat.identifier, ask(LONG))  # Now the prompt is in the cache.
        free = (await answer(host, chat.identifier, ask(LONG))).text
        middle = len(free) // 2
        stop = free[middle : middle + 7]

        heard = await answer(host, chat.identifier, ask(LONG, stop=("@never@", stop)))

        assert heard.finished.stop_reason == "stopStringFound"
        assert heard.text == free.partition(stop)[0]

    async def test_conversation(self, host: Host, chat: Resident) -> None:
        """A system prompt and earlier turns are part of the prompt."""
        turns = (
            message("system", "You are terse."),
            message("user", "My name is Ada."),
            message("assistant", "Hello, Ada."),
            message("user", "What is my name?"),
        )
        short = await answer(host, chat.identifier, replace(ask(""), messages=turns[-1:]))
        heard = await answer(host, chat.identifier, replace(ask(""), messages=turns))

        assert heard.text.strip()
        assert heard.finished.prompt_tokens is not None
        assert short.finished.prompt_tokens is not None
        assert heard.finished.prompt_tokens > short.finished.prompt_tokens

    async def test_progress_of_a_long_prompt(self, host: Host, chat: Resident) -> None:
        """Reading a prompt of hundreds of tokens is told from 0 to 1, before the answer."""
        heard = await answer(host, chat.identifier, ask("alpha beta gamma delta " * 100))
        told = [event for event in heard.events if isinstance(event, PromptProgress)]
        fractions = [event.fraction for event in told]

        assert heard.finished.prompt_tokens is not None
        assert heard.finished.prompt_tokens > 400
        assert fractions == sorted(fractions)
        assert all(0 <= fraction <= 1 for fraction in fractions)
        assert list(heard.events[: len(told)]) == told

    async def test_unicode(self, host: Host, chat: Resident) -> None:
        """No character of question or answer is cut in two."""
        request = ask("Repeat: naïve café, 日本語, Ελληνικά, 👩‍👩‍👧 🙂")
        heard = await answer(host, chat.identifier, request)

        assert heard.finished.stop_reason
        assert "\ufffd" not in heard.text

    async def test_stream_closed_early(self, host: Host, chat: Resident) -> None:
        """Leaving an answer stops it on the server, and the next one works."""
        events = host.predict(chat.identifier, ask(LONG, max_tokens=1000))
        await hear_first(events)
        await events.aclose()

        await eventually(lambda: is_idle(host, chat.identifier), what="idle after an early close")
        assert (await answer(host, chat.identifier, ask("Hello"))).text

    async def test_listener_cancelled(self, host: Host, chat: Resident) -> None:
        """Cancelling the task that listens stops the answer on the server."""
        listening = asyncio.Event()

        async def listen() -> None:
            events = host.predict(chat.identifier, ask(LONG, max_tokens=1000))
            await hear_first(events)
            listening.set()
            async for _ in events:
                pass

        task = asyncio.create_task(listen())
        await listening.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await eventually(lambda: is_idle(host, chat.identifier), what="idle after a cancel")
        assert (await answer(host, chat.identifier, ask("Hello"))).text

    async def test_two_answers_at_once(self, host: Host, chat: Resident) -> None:
        """Two requests to one model are both answered, one after the other or together."""
        both = await asyncio.gather(
            answer(host, chat.identifier, ask(LONG)),
            answer(host, chat.identifier, ask("Hello")),
        )

        assert all(heard.finished.stop_reason and heard.text for heard in both)

    async def test_state(self, host: Host, chat: Resident) -> None:
        """A model that answers is busy; one that does not is idle."""
        assert await is_idle(host, chat.identifier)
        events = host.predict(chat.identifier, ask(LONG, max_tokens=1000))
        await hear_first(events)
        state = await host.state(chat.identifier)
        await events.aclose()

        if state is None:
            pytest.skip("this host cannot tell")
        assert not state.idle
        assert state.queued >= 1

    async def test_unloaded_while_answering(self, host: Host, chat: Resident) -> None:
        """An answer whose model goes away ends with an error, not as if it were complete."""
        events = host.predict(chat.identifier, ask(LONG, max_tokens=1000))
        await hear_first(events)
        await host.unload(chat.identifier)

        async def listen() -> None:
            async for _ in events:
                pass

        with pytest.raises(ModelGone):
            await asyncio.wait_for(listen(), 60)

    async def test_unknown_identifier(self, host: Host) -> None:
        with pytest.raises(UnknownModel):
            await answer(host, "no-such-instance", ask("Hello"))

    async def test_unloaded_before(self, host: Host, chat: Resident) -> None:
        await host.unload(chat.identifier)

        with pytest.raises(UnknownModel):
            await answer(host, chat.identifier, ask("Hello"))

    async def test_tools(self, host: Host, subject: Subject, chat: Resident) -> None:
        """Tools with snake_case names and `$defs` reach the model as they are."""
        if not subject.tools:
            pytest.skip("no tools here")
        request = ask("What is the weather in Oslo?", max_tokens=200, tools=(WEATHER_TOOL,))
        heard = await answer(host, chat.identifier, request)

        begun = {event.index for event in heard.events if isinstance(event, ToolCallStarted)}
        for call in (event for event in heard.events if isinstance(event, ToolCallEnded)):
            assert call.index in begun
            assert call.name == "get_weather"
            assert not {"cityName", "temperatureUnit"} & set(call.arguments)
            pieces = (
                event.text
                for event in heard.events
                if isinstance(event, ToolCallArguments) and event.index == call.index
            )
            written = "".join(pieces)
            assert not written or json.loads(written) == call.arguments
        assert heard.finished.stop_reason

    async def test_json_schema(self, host: Host, subject: Subject, chat: Resident) -> None:
        """An answer bound to a schema follows it, whatever the model would have said."""
        if not subject.json_schema:
            pytest.skip("no schemas here")
        request = ask("Is 4 an even number?", max_tokens=200, json_schema=VERDICT_SCHEMA)
        heard = await answer(host, chat.identifier, request)
        verdict = json.loads(heard.text)

        assert set(verdict) == {"is_even", "how_sure"}
        assert isinstance(verdict["is_even"], bool)
        assert verdict["how_sure"] in {"quite_sure", "not_sure"}
