"""The embedded host on its wire, with real models; `test_embedded_sdk.py` has the official SDK."""

import asyncio
import itertools
import json
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from conftest import CODER, SMOL, workers
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from langchain_lmswitch.embedded.host import EmbeddedHost
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.machine import Snapshot

pytestmark = pytest.mark.weights

TOKEN = "sk-lm-abcdefgh:0123456789abcdefghij"  # noqa: S105 - of a host that lives in this test
MACHINE = Snapshot(ram_total_bytes=8 * 2**30, ram_free_bytes=4 * 2**30, gpus=())
ENCODER = "text-embedding-universal-sentence-encoder"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LONG = "Write a very long story about a king, a mountain and a river."


class Wire:
    """A client that speaks the protocol word by word."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count()

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int, namespace: str, *, token: str = TOKEN) -> AsyncIterator[Self]:
        name, passkey = token.removeprefix("sk-lm-").split(":")
        url = f"ws://127.0.0.1:{port}/{namespace}"
        async with connect(url, proxy=None, max_size=2**26) as socket:
            wire = cls(socket)
            hello = {"authVersion": 1, "clientIdentifier": name, "clientPasskey": passkey}
            await wire.send(hello)
            assert await wire.receive() == {"success": True}
            yield wire

    def abort(self) -> None:
        self._socket.transport.abort()

    async def send(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            message: dict[str, Any] = json.loads(await self._socket.recv())
        return message

    async def call(self, endpoint: str, parameter: Any = None) -> dict[str, Any]:
        call_id = next(self._ids)
        await self.send(
            {"type": "rpcCall", "endpoint": endpoint, "callId": call_id, "parameter": parameter}
        )
        answer = await self.receive()
        assert answer["callId"] == call_id
        return answer

    async def result(self, endpoint: str, parameter: Any = None) -> Any:
        answer = await self.call(endpoint, parameter)
        assert answer["type"] == "rpcResult", answer
        return answer.get("result")

    async def create(self, endpoint: str, parameter: Any) -> int:
        channel_id = next(self._ids)
        await self.send(
            {
                "type": "channelCreate",
                "endpoint": endpoint,
                "channelId": channel_id,
                "creationParameter": parameter,
            }
        )
        return channel_id

    async def packets(self, endpoint: str, parameter: Any) -> list[dict[str, Any]]:
        """All messages of a channel; the close or the error is the last one."""
        channel_id = await self.create(endpoint, parameter)
        return [message async for message in self.follow(channel_id)]

    async def follow(self, channel_id: int) -> AsyncIterator[dict[str, Any]]:
        while True:
            message = await self.receive()
            assert message["channelId"] == channel_id
            yield message.get("message", message)
            if message["type"] != "channelSend":
                return

    async def cancel(self, channel_id: int) -> None:
        cancel = {"type": "cancel"}
        await self.send({"type": "channelSend", "channelId": channel_id, "message": cancel})


class Running:
    """A host in this process, and sockets to it."""

    def __init__(self, host: EmbeddedHost, port: int, stack: AsyncExitStack) -> None:
        self.host = host
        self.port = port
        self._stack = stack

    async def open(self, namespace: str = "llm") -> Wire:
        return await self._stack.enter_async_context(Wire.open(self.port, namespace))


@pytest.fixture
async def running(models_dir: Path, tmp_path: Path) -> AsyncIterator[Running]:
    settings = Settings(home=tmp_path, model_folders=(models_dir,), context_tokens=1024)
    host = EmbeddedHost(settings, snapshot=lambda: MACHINE, token=TOKEN)
    async with host.serve() as port, AsyncExitStack() as stack:
        yield Running(host, port, stack)
    assert workers() == []


def _stack(**fields: Any) -> dict[str, Any]:
    values = [{"key": key.replace("__", "."), "value": value} for key, value in fields.items()]
    return {"layers": [{"layerName": "apiOverride", "config": {"fields": values}}]}


def _by(identifier: str) -> dict[str, Any]:
    return {"type": "query", "query": {"identifier": identifier}}


def _ask(identifier: str, text: str, **fields: Any) -> dict[str, Any]:
    return {
        "modelSpecifier": _by(identifier),
        "history": {"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]},
        "predictionConfigStack": _stack(llm__prediction__temperature=0, **fields),
    }


async def _load(wire: Wire, key: str = SMOL, **more: Any) -> dict[str, Any]:
    wish = {"modelKey": key, "loadConfigStack": _stack(), **more}
    *_, success, close = await wire.packets("loadModel", wish)
    assert (success["type"], close["type"]) == ("success", "channelClose")
    info: dict[str, Any] = success["info"]
    return info


async def _demand(wire: Wire, key: str) -> list[dict[str, Any]]:
    wish = {"identifier": key, "loadConfigStack": _stack(), "loadTtlMs": 60_000}
    return await wire.packets("getOrLoad", wish)


def _types(messages: list[dict[str, Any]]) -> list[str]:
    """The types in their order, repetitions folded."""
    return [name for name, _ in itertools.groupby(message["type"] for message in messages)]


async def _eventually(check: Any) -> None:
    async with asyncio.timeout(20):
        while not await check():  # noqa: ASYNC110 - what changes is another process
            await asyncio.sleep(0.05)


async def test_the_greeting_is_for_local_programs_and_not_for_browsers(running: Running) -> None:
    """A page could have its own name point at loopback, and a browser sends where it comes from."""
    url = f"http://127.0.0.1:{running.port}/lmstudio-greeting"
    async with httpx.AsyncClient(trust_env=False) as client:
        greeting = await client.get(url)
        assert (greeting.status_code, greeting.json()) == (HTTPStatus.OK, {"lmstudio": True})
        assert greeting.headers["content-type"] == "application/json"
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
            assert (await client.get(url, headers=headers)).status_code == HTTPStatus.FORBIDDEN
    with pytest.raises(InvalidStatus):
        await connect(
            f"ws://127.0.0.1:{running.port}/llm", origin=Origin("http://evil.example"), proxy=None
        )
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{running.port}/nowhere", proxy=None)


async def test_only_the_token_of_the_host_is_admitted(running: Running) -> None:
    url = f"ws://127.0.0.1:{running.port}/llm"
    for passkey in ("x" * 20, ""):
        hello = {"authVersion": 1, "clientIdentifier": "abcdefgh", "clientPasskey": passkey}
        async with connect(url, proxy=None) as socket:
            await socket.send(json.dumps(hello))
            answer = json.loads(await socket.recv())
            assert answer["success"] is False
            assert "token" in answer["error"]
            await socket.wait_closed()


async def test_a_host_without_auth_admits_everybody(models_dir: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, model_folders=(models_dir,))
    host = EmbeddedHost(settings, snapshot=lambda: MACHINE, token=None)
    guest = "sk-lm-anybody0:00000000000000000000"
    async with host.serve() as port, Wire.open(port, "system", token=guest) as wire:
        assert await wire.result("version")


async def test_unknown_endpoints_get_one_warning_that_names_them(running: Running) -> None:
    wire = await running.open()
    await wire.send({"type": "rpcCall", "endpoint": "fly", "callId": 500})
    warning = await wire.receive()
    assert warning["type"] == "communicationWarning"
    assert "fly" in warning["warning"]
    await wire.create("swim", {})
    assert "swim" in (await wire.receive())["warning"]
    assert await wire.result("listLoaded") == []


async def test_a_load_goes_from_resolved_over_progress_to_success(running: Running) -> None:
    wire = await running.open()
    wish = {
        "modelKey": SMOL,
        "identifier": "mine",
        "ttlMs": 60_000,
        "loadConfigStack": _stack(llm__load__contextLength=100_000),
    }
    messages = await wire.packets("loadModel", wish)
    assert _types(messages) == ["resolved", "progress", "success", "channelClose"]
    progress = [one["progress"] for one in messages if one["type"] == "progress"]
    assert progress == sorted(progress)
    assert progress[-1] <= 1
    info = messages[-2]["info"]
    assert info["contextLength"] == info["maxContextLength"] == 8192
    assert (info["identifier"], info["ttlMs"], info["lastUsedTime"]) == ("mine", 60_000, None)
    assert await wire.result("listLoaded") == [info]
    by_reference = {"type": "instanceReference", "instanceReference": info["instanceReference"]}
    assert await wire.result("getModelInfo", {"specifier": by_reference}) == info


async def test_an_answer_is_fragments_then_a_sum_then_the_close(running: Running) -> None:
    wire = await running.open()
    await _load(wire)
    limit = {"checked": True, "value": 8}
    asked = _ask(SMOL, "Say hello.", llm__prediction__maxPredictedTokens=limit)
    messages = await wire.packets("predict", asked)
    assert _types(messages) == ["promptProcessingProgress", "fragment", "success", "channelClose"]
    stats = messages[-2]["stats"]
    assert stats["stopReason"] == "maxPredictedTokensReached"
    assert stats["predictedTokensCount"] == 8
    assert stats["totalTokensCount"] == stats["promptTokensCount"] + 8
    assert messages[-2]["modelInfo"]["lastUsedTime"] is not None
    assert {"key": "llm.prediction.maxPredictedTokens", "value": limit} in messages[-2][
        "predictionConfig"
    ]["fields"]


async def test_predict_never_loads(running: Running) -> None:
    wire = await running.open()
    (error,) = await wire.packets("predict", _ask(SMOL, "Hi"))
    assert error["type"] == "channelError"
    assert error["error"]["displayData"]["code"] == "generic.noModelMatchingQuery"


async def test_names_of_no_model_or_of_the_other_kind_have_their_codes(running: Running) -> None:
    wire = await running.open()
    for key, code in (("nope", "generic.pathNotFound"), (ENCODER, "generic.domainMismatch")):
        (error,) = await wire.packets("loadModel", {"modelKey": key, "loadConfigStack": _stack()})
        assert error["error"]["displayData"]["code"] == code


async def test_canceling_a_load_kills_its_process(running: Running) -> None:
    wire = await running.open()
    channel_id = await wire.create("loadModel", {"modelKey": CODER, "loadConfigStack": _stack()})
    heard = []
    async for message in wire.follow(channel_id):
        heard.append(message["type"])
        if heard.count("progress") == 1:
            await wire.cancel(channel_id)
    assert heard[-1] == "channelError"
    assert workers() == []
    assert await wire.result("listLoaded") == []


async def test_a_socket_that_drops_takes_its_load_and_its_answer_along(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that was killed says no good-bye, which is nothing to shout about."""
    stays = await running.open()
    await _load(stays)
    async with Wire.open(running.port, "llm") as leaves:
        await leaves.create("loadModel", {"modelKey": CODER, "loadConfigStack": _stack()})
        channel_id = await leaves.create("predict", _ask(SMOL, LONG))
        while (await leaves.receive())["channelId"] != channel_id:
            pass
        leaves.abort()

    async def is_over() -> bool:
        state = await stays.result("getInstanceProcessingState", {"specifier": _by(SMOL)})
        return len(workers()) == 1 and state == {"status": "idle", "queued": 0}

    await _eventually(is_over)
    assert [one["identifier"] for one in await stays.result("listLoaded")] == [SMOL]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_killed_process_fails_its_answer_only(running: Running) -> None:
    wire, other = await running.open(), await running.open()
    await _load(wire, identifier="dies")
    await _load(wire, identifier="lives")
    victim, _ = running.host.services.instances.all()
    channel_id = await wire.create("predict", _ask("dies", LONG))
    heard: list[dict[str, Any]] = []
    async for message in wire.follow(channel_id):
        heard.append(message)
        if message["type"] == "fragment" and len(heard) == 5:
            os.kill(victim.worker.pid, signal.SIGKILL)
    assert heard[-1]["type"] == "channelError"
    assert "model process ended" in heard[-1]["error"]["title"]
    assert [one["identifier"] for one in await other.result("listLoaded")] == ["lives"]
    limit = {"checked": True, "value": 4}
    *_, success, _ = await other.packets(
        "predict", _ask("lives", "Hi", llm__prediction__maxPredictedTokens=limit)
    )
    assert success["stats"]["predictedTokensCount"] == 4


async def test_a_process_killed_while_idle_leaves_the_listing(running: Running) -> None:
    wire = await running.open()
    await _load(wire)
    os.kill(running.host.services.instances.all()[0].worker.pid, signal.SIGKILL)

    async def is_gone() -> bool:
        return not await wire.result("listLoaded")

    await _eventually(is_gone)


async def test_unloading_while_answering_ends_the_answer_regularly(running: Running) -> None:
    wire, other = await running.open(), await running.open()
    await _load(wire)
    channel_id = await wire.create("predict", _ask(SMOL, LONG))
    heard = []
    async for message in wire.follow(channel_id):
        heard.append(message)
        if len(heard) == 5:
            assert await other.result("unloadModel", {"identifier": SMOL}) is None
    assert _types(heard)[-2:] == ["success", "channelClose"]
    assert heard[-2]["stats"]["stopReason"] == "modelUnloaded"


async def test_demands_for_one_model_load_it_once(running: Running) -> None:
    wires = [await running.open() for _ in range(3)]
    answers = await asyncio.gather(*(_demand(wire, SMOL) for wire in wires))
    references = {answer[-2]["info"]["instanceReference"] for answer in answers}
    assert len(references) == 1
    assert _types(answers[0]) == ["startLoading", "loadProgress", "loadSuccess", "channelClose"]
    assert _types(await _demand(wires[0], SMOL)) == ["alreadyLoaded", "channelClose"]


async def test_the_next_demand_waits_for_the_answer_and_then_takes_the_place(
    running: Running,
) -> None:
    """LM Studio's users complain that its auto-evict cuts answers off; pinned models stay."""
    llm, other, embedding = (
        await running.open(),
        await running.open(),
        await running.open("embedding"),
    )
    await _load(other, identifier="pinned")
    await _demand(llm, CODER)
    limit = {"checked": True, "value": 40}
    asked = _ask(CODER, LONG, llm__prediction__maxPredictedTokens=limit)
    channel_id = await llm.create("predict", asked)
    answering = llm.follow(channel_id)
    await anext(answering)
    demand = asyncio.create_task(_demand(embedding, ENCODER))
    heard = [message async for message in answering]
    assert heard[-2]["stats"]["predictedTokensCount"] == 40
    steps = await demand
    assert _types(steps)[:2] == ["unloadingOtherJITModel", "startLoading"]
    assert steps[0]["info"]["modelKey"] == CODER
    assert [one["identifier"] for one in await llm.result("listLoaded")] == ["pinned"]
    vector = await embedding.result(
        "embedString", {"modelSpecifier": _by(ENCODER), "inputString": "hello"}
    )
    assert len(vector["embedding"]) == 512


async def test_an_idle_model_goes_when_its_time_is_up(running: Running) -> None:
    wire = await running.open()
    await _load(wire, ttlMs=300)

    async def is_gone() -> bool:
        return not await wire.result("listLoaded")

    await _eventually(is_gone)

    async def is_over() -> bool:
        return not workers()

    await _eventually(is_over)


async def test_a_prompt_beyond_the_context_is_refused_with_both_numbers(running: Running) -> None:
    wire = await running.open()
    await _load(wire)
    *_, error = await wire.packets("predict", _ask(SMOL, "word " * 3000))
    assert error["type"] == "channelError"
    data = error["error"]["errorData"]
    assert data["type"] == "ContextTooLong"
    assert data["tokens"] > data["limitTokens"] > 0
    assert str(data["tokens"]) in error["error"]["title"]


async def test_an_image_needs_a_model_that_sees(running: Running) -> None:
    wire, files = await running.open(), await running.open("files")
    await _load(wire)
    sent = {"name": "dot.png", "contentBase64": PIXEL}
    handle, again = [await files.result("uploadFileBase64", sent) for _ in range(2)]
    assert handle["identifier"] != again["identifier"]
    asked = _ask(SMOL, "What is this?")
    part = {"type": "file", "name": "dot.png", **handle}
    asked["history"]["messages"][0]["content"].append(part)
    (error,) = await wire.packets("predict", asked)
    assert "vision" in error["error"]["title"]


async def test_a_required_tool_call_arrives_in_pieces_and_whole(running: Running) -> None:
    """Names in snake case stay as they are."""
    wire = await running.open()
    await _load(wire)
    parameters = {"type": "object", "properties": {"a_b": {"type": "integer"}}, "required": ["a_b"]}
    tool = {"type": "function", "function": {"name": "set_it", "parameters": parameters}}
    asked = _ask(
        SMOL,
        "Set it to 3.",
        llm__prediction__tools={"type": "toolArray", "tools": [tool]},
        llm__prediction__toolChoice={"type": "generic", "mode": "required"},
        llm__prediction__maxPredictedTokens={"checked": True, "value": 60},
    )
    messages = await wire.packets("predict", asked)
    assert _types(messages)[1:4] == [
        "toolCallGenerationStart",
        "toolCallGenerationNameReceived",
        "toolCallGenerationArgumentFragmentGenerated",
    ]
    end = next(one for one in messages if one["type"] == "toolCallGenerationEnd")
    assert end["toolCallRequest"]["name"] == "set_it"
    assert isinstance(end["toolCallRequest"]["arguments"]["a_b"], int)
    assert messages[-2]["stats"]["stopReason"] == "toolCalls"


async def test_an_unknown_preset_has_its_code(running: Running) -> None:
    wire = await running.open()
    await _load(wire)
    (error,) = await wire.packets("predict", _ask(SMOL, "Hi") | {"fuzzyPresetIdentifier": "p"})
    assert error["error"]["displayData"]["code"] == "generic.presetNotFound"


async def test_an_estimate_comes_from_the_header_and_grows_with_the_context(
    running: Running,
) -> None:
    wire = await running.open()
    estimates = [
        await wire.result(
            "estimateModelUsage",
            {"modelKey": SMOL, "loadConfigStack": _stack(llm__load__contextLength=tokens)},
        )
        for tokens in (2048, 8192)
    ]
    small, large = (estimate["memory"] for estimate in estimates)
    assert small["confidence"] == "high"
    assert large["contextBytes"] == 4 * small["contextBytes"]
    assert all(estimate["passesGuardrails"] for estimate in estimates)


async def test_the_machine_and_the_version_are_told(running: Running) -> None:
    runtime, system = await running.open("runtime"), await running.open("system")
    survey = await runtime.result("surveyHardware", {"type": "newAndSelected"})
    assert survey["engines"][0]["memoryInfo"]["ramCapacity"] == MACHINE.ram_total_bytes
    version = await system.result("version")
    assert version["version"].count(".") == 2
    variants = await system.result("listDownloadedModelVariants", {"modelKey": SMOL})
    assert [one["modelKey"] for one in variants] == [SMOL]


async def test_what_is_not_there_is_void_if_the_client_wishes(running: Running) -> None:
    wire = await running.open()
    asked = {"specifier": _by("nope"), "throwIfNotFound": False}
    assert await wire.result("getModelInfo", asked) is None
    error = await wire.call("getModelInfo", asked | {"throwIfNotFound": True})
    assert error["error"]["displayData"]["code"] == "generic.noModelMatchingQuery"
