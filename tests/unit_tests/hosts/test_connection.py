"""How the LM Studio host behaves when the other side does not."""

import asyncio
import contextlib
import logging
from typing import Any

import pytest
from unit_tests.hosts.peer import Peer, PeerChannel, Refusal, Silence, info, loaded

from langchain_lmswitch.errors import (
    HostFailed,
    HostLost,
    HostRejected,
    HostTimeout,
    InvalidRequest,
    LoadFailed,
    ModelGone,
    UnknownModel,
)
from langchain_lmswitch.hosts.lmstudio import LMStudioHost
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.events import Finished, Fragment, PredictEvent
from langchain_lmswitch.types.models import LoadSpec, ModelCard
from langchain_lmswitch.types.requests import PredictRequest

HELLO = PredictRequest(messages=({"role": "user", "content": [{"type": "text", "text": "hi"}]},))
TOKEN = "sk-lm-ABCDEFGH:abcdefghij0123456789"  # noqa: S105 - of no host
SECRET = "the user's own words"  # noqa: S105 - what must not be logged


async def say_one(channel: PeerChannel) -> None:
    await channel.say("Hello")
    await channel.finish("eosFound", promptTokensCount=3, predictedTokensCount=1)


async def say_until_cancelled(channel: PeerChannel) -> None:
    while not channel.cancelled.is_set():
        await channel.say(SECRET)
        await asyncio.sleep(0.01)
    await channel.say(SECRET)
    await channel.finish("userStopped")


async def answer(host: LMStudioHost, request: PredictRequest = HELLO) -> list[PredictEvent]:
    return [event async for event in host.predict("tiny", request)]


async def test_an_answer_streams_and_ends_with_finished(peer: Peer, host: LMStudioHost) -> None:
    peer.channels["predict"] = say_one
    events = await answer(host)
    assert events == [
        Fragment(text="Hello"),
        Finished(stop_reason="eosFound", prompt_tokens=3, predicted_tokens=1),
    ]


async def test_building_a_host_connects_nowhere(peer: Peer, settings: Settings) -> None:
    host = LMStudioHost(peer.address, settings=settings)
    await asyncio.sleep(0.05)
    assert (host.address, host.scope, peer.handshakes) == (peer.address, "local", [])


async def test_a_drop_in_the_middle_of_an_answer_is_host_lost_and_the_next_call_reconnects(
    peer: Peer, host: LMStudioHost
) -> None:
    async def drop(channel: PeerChannel) -> None:
        await channel.say("He")
        await peer.drop()

    peer.channels["predict"] = drop
    with pytest.raises(HostLost):
        await answer(host)
    before = len(peer.handshakes)
    peer.channels["predict"] = say_one
    assert len(await answer(host)) == 2
    assert len(peer.handshakes) > before


async def test_an_answer_is_asked_again_if_nothing_of_it_had_come(
    peer: Peer, host: LMStudioHost
) -> None:
    async def drop_once(_: PeerChannel) -> None:
        peer.channels["predict"] = say_one
        await peer.drop()

    peer.channels["predict"] = drop_once
    assert len(await answer(host)) == 2


async def test_every_open_call_on_a_dead_connection_is_host_lost(
    peer: Peer, host: LMStudioHost
) -> None:
    async def wait(channel: PeerChannel) -> None:
        await channel.say("He")
        await asyncio.Event().wait()

    peer.channels["predict"] = wait
    answers = [host.predict("tiny", HELLO) for _ in range(3)]
    for one in answers:
        await anext(one)
    await peer.drop()
    for one in answers:
        with pytest.raises(HostLost):
            await anext(one)


async def test_calls_that_only_ask_survive_a_dead_connection(
    peer: Peer, host: LMStudioHost
) -> None:
    await host.cards()
    await peer.drop()
    assert await host.residents() == []
    await peer.drop()
    peer.calls["listDownloadedModels"] = [info()]
    assert [card.key for card in await host.cards()] == ["tiny"]


async def test_a_load_after_a_dead_connection_is_sent_once(peer: Peer, host: LMStudioHost) -> None:
    async def load(channel: PeerChannel) -> None:
        await channel.send(type="success", info=loaded())

    peer.channels["loadModel"] = load
    await host.cards()
    await peer.drop()
    assert (await host.load(LoadSpec(key="tiny"))).identifier == "tiny"
    assert len(peer.asked("loadModel")) == 1


async def test_a_load_whose_connection_breaks_is_not_repeated(
    peer: Peer, host: LMStudioHost
) -> None:
    async def drop(_: PeerChannel) -> None:
        await peer.drop()

    peer.channels["loadModel"] = drop
    with pytest.raises(HostLost):
        await host.load(LoadSpec(key="tiny"))
    assert len(peer.asked("loadModel")) == 1


async def test_nobody_at_the_address_is_host_lost() -> None:
    host = LMStudioHost("127.0.0.1:9", settings=Settings())
    with pytest.raises(HostLost, match="nothing answers there"):
        await host.cards()
    await host.aclose()


async def test_a_frozen_host_is_a_timeout_for_calls_and_for_connecting(peer: Peer) -> None:
    host = LMStudioHost(peer.address, settings=Settings(timeout_s=1))
    await host.cards()
    peer.frozen = True
    with pytest.raises(HostTimeout, match="listing models"):
        await host.cards()
    await host.aclose()


async def test_a_timed_out_answer_is_cancelled_on_the_server(peer: Peer) -> None:
    async def stall(channel: PeerChannel) -> None:
        await channel.say("He")
        await channel.cancelled.wait()
        await channel.finish("userStopped")

    peer.channels["predict"] = stall
    host = LMStudioHost(peer.address, settings=Settings(timeout_s=1))
    with pytest.raises(HostTimeout, match="answering"):
        await answer(host)
    assert peer.cancels() == 1
    await host.aclose()


async def test_the_deadline_is_for_the_gap_between_packets_not_for_the_whole(peer: Peer) -> None:
    async def slowly(channel: PeerChannel) -> None:
        for _ in range(6):
            await asyncio.sleep(0.25)
            await channel.say("x")
        await channel.finish("eosFound")

    peer.channels["predict"] = slowly
    host = LMStudioHost(peer.address, settings=Settings(timeout_s=1))
    assert len(await answer(host)) == 7
    await host.aclose()


async def test_leaving_an_answer_early_has_stopped_it_before_the_stream_is_closed(
    peer: Peer, host: LMStudioHost
) -> None:
    peer.channels["predict"] = say_until_cancelled
    stream = host.predict("tiny", HELLO)
    await anext(stream)
    await stream.aclose()
    assert peer.cancels() == 1
    assert all(script.done() for script in peer.scripts)


async def test_cancelling_a_task_that_reads_an_answer_stops_the_server(
    peer: Peer, host: LMStudioHost
) -> None:
    peer.channels["predict"] = say_until_cancelled
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in host.predict("tiny", HELLO):
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert peer.cancels() == 1


async def test_a_second_cancel_does_not_leave_the_server_at_work(
    peer: Peer, host: LMStudioHost
) -> None:
    async def reluctant(channel: PeerChannel) -> None:
        await channel.say("x")
        await channel.cancelled.wait()
        await asyncio.sleep(0.2)
        await channel.finish("userStopped")

    peer.channels["predict"] = reluctant
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in host.predict("tiny", HELLO):
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0.05)
    with pytest.raises(asyncio.CancelledError):
        await task
    await host.aclose()
    assert peer.cancels() == 1


async def test_a_call_cancelled_while_it_opens_is_cancelled_on_the_server_too(
    peer: Peer, host: LMStudioHost
) -> None:
    peer.channels["predict"] = say_until_cancelled
    await host.cards()
    task = asyncio.create_task(answer(host))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await host.aclose()
    assert len(peer.asked("predict")) == peer.cancels()


async def test_a_load_that_succeeds_after_its_cancel_is_unloaded(
    peer: Peer, host: LMStudioHost
) -> None:
    started = asyncio.Event()

    async def deaf(channel: PeerChannel) -> None:
        await channel.send(type="progress", progress=0.5)
        await channel.cancelled.wait()
        await channel.send(type="success", info=loaded(identifier="mine"))

    peer.channels["loadModel"] = deaf
    peer.calls["unloadModel"] = None
    task = asyncio.create_task(host.load(LoadSpec(key="tiny"), on_progress=lambda _: started.set()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert peer.asked("unloadModel") == [{"identifier": "mine"}]


async def test_a_cancelled_load_that_the_server_gives_up_is_not_unloaded(
    peer: Peer, host: LMStudioHost
) -> None:
    started = asyncio.Event()

    async def obey(channel: PeerChannel) -> None:
        started.set()
        await channel.cancelled.wait()
        await channel.fail(title="Model loading was cancelled")

    peer.channels["loadModel"] = obey
    task = asyncio.create_task(host.load(LoadSpec(key="tiny")))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (peer.cancels(), peer.asked("unloadModel")) == (1, [])


@pytest.mark.parametrize("words", ["Invalid passkey", {"title": "Invalid passkey"}])
async def test_refused_credentials_are_host_rejected(
    peer: Peer, host: LMStudioHost, words: Any
) -> None:
    peer.refuse = words
    with pytest.raises(HostRejected, match="LM_API_TOKEN"):
        await host.cards()


async def test_the_token_is_presented_in_both_its_parts(peer: Peer) -> None:
    host = LMStudioHost(peer.address, settings=Settings(), token=TOKEN)
    await host.cards()
    assert peer.handshakes[0] == {
        "authVersion": 1,
        "clientIdentifier": "ABCDEFGH",
        "clientPasskey": "abcdefghij0123456789",
    }
    await host.aclose()


async def test_the_token_of_the_environment_is_honored(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LM_API_TOKEN", TOKEN)
    host = LMStudioHost(peer.address, settings=Settings())
    await host.cards()
    assert peer.handshakes[0]["clientIdentifier"] == "ABCDEFGH"
    await host.aclose()


def test_a_malformed_token_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InvalidRequest, match="sk-lm-"):
        LMStudioHost("127.0.0.1:9", settings=Settings(), token="sk-lm-short")  # noqa: S106


async def test_an_endpoint_the_host_does_not_know_is_asked_for_once(peer: Peer) -> None:
    host = LMStudioHost(peer.address, settings=Settings(timeout_s=1))
    card = ModelCard(key="tiny", size_bytes=91_000_000, params="135M", device="elsewhere")
    spec = LoadSpec(key="tiny", context_tokens=2048)
    first = await host.estimate(spec, card)
    assert first.source == "size"
    assert await host.estimate(spec, card) == first
    assert await host.state("tiny") is None
    assert await host.state("tiny") is None
    assert len(peer.asked("estimateModelUsage")) == 1
    assert len(peer.asked("getInstanceProcessingState")) == 1
    await host.aclose()


async def test_the_hosts_own_estimate_goes_first(peer: Peer, host: LMStudioHost) -> None:
    memory = {"modelBytes": 100, "contextBytes": 20, "totalBytes": 150, "totalVramBytes": 50}
    peer.calls["estimateModelUsage"] = {"memory": memory, "passesGuardrails": False}
    footprint = await host.estimate(LoadSpec(key="tiny"), ModelCard(key="tiny"))
    assert (footprint.source, footprint.total_bytes, footprint.ram_bytes) == ("host", 150, 100)
    assert footprint.fits_by_host is False


async def test_state_tells_what_an_instance_does(peer: Peer, host: LMStudioHost) -> None:
    peer.calls["getInstanceProcessingState"] = {"status": "generating", "queued": 2}
    state = await host.state("tiny")
    assert state is not None
    assert (state.status, state.queued, state.idle) == ("generating", 2, False)


async def test_names_within_tool_schemas_arrive_as_they_were_given(
    peer: Peer, host: LMStudioHost
) -> None:
    peer.channels["predict"] = say_one
    schema = {"type": "object", "properties": {"city_name": {"$ref": "#/$defs/a_b"}}}
    schema |= {"$defs": {"a_b": {"type": "string"}}, "required": ["city_name"]}
    tool = {"type": "function", "function": {"name": "look_up", "parameters": schema}}
    call = {"type": "function", "id": "1", "name": "look_up", "arguments": {"city_name": "x"}}
    said = {
        "role": "assistant",
        "content": [{"type": "toolCallRequest", "toolCallRequest": call}],
    }
    await answer(host, PredictRequest(messages=(said,), tools=(tool,), tool_choice="required"))
    (params,) = peer.asked("predict")
    (layer,) = params["predictionConfigStack"]["layers"]
    sent = {one["key"]: one["value"] for one in layer["config"]["fields"]}
    assert sent["llm.prediction.tools"] == {"type": "toolArray", "tools": [tool]}
    assert sent["llm.prediction.toolChoice"] == {"type": "generic", "mode": "required"}
    assert sent["llm.prediction.contextOverflowPolicy"] == "stopAtLimit"
    assert params["history"] == {"messages": [said]}


async def test_images_are_uploaded_once_and_sent_as_files(peer: Peer, host: LMStudioHost) -> None:
    peer.channels["predict"] = say_one
    peer.calls["uploadFileBase64"] = {"identifier": "f1", "fileType": "image", "sizeBytes": 3}
    image = {"type": "image", "name": "a.png", "base64": "AAAA"}
    request = PredictRequest(messages=({"role": "user", "content": [image]},))
    await answer(host, request)
    await answer(host, request)
    assert peer.asked("uploadFileBase64") == [{"name": "a.png", "contentBase64": "AAAA"}]
    assert peer.asked("predict")[1]["history"]["messages"][0]["content"] == [
        {
            "type": "file",
            "name": "a.png",
            "identifier": "f1",
            "sizeBytes": 3,
            "fileType": "image",
        }
    ]


async def test_a_load_reports_progress_and_the_context_that_was_really_loaded(
    peer: Peer, host: LMStudioHost
) -> None:
    async def load(channel: PeerChannel) -> None:
        for progress in (0, 0.5, 0.4, 1):
            await channel.send(type="progress", progress=progress)
        await channel.send(type="success", info=loaded(identifier="mine", contextLength=1024))
        await channel.close()

    peer.channels["loadModel"] = load
    seen: list[float] = []
    spec = LoadSpec(key="tiny", context_tokens=4096, parallel=2, identifier="mine", ttl_s=60)
    resident = await host.load(spec, on_progress=seen.append)
    assert seen == [0, 0.5, 1]
    assert (resident.identifier, resident.context_tokens) == ("mine", 1024)
    (params,) = peer.asked("loadModel")
    fields = params["loadConfigStack"]["layers"][0]["config"]["fields"]
    assert {one["key"]: one["value"] for one in fields} == {
        "llm.load.contextLength": 4096,
        "llm.load.llama.autoFit": False,
        "llm.load.mlx.autoFit": False,
        "llm.load.numParallelSessions": 2,
    }
    assert (params["identifier"], params["ttlMs"]) == ("mine", 60_000)


async def test_a_context_missing_from_the_result_is_read_from_the_listing(
    peer: Peer, host: LMStudioHost
) -> None:
    async def load(channel: PeerChannel) -> None:
        peer.calls["listLoaded"] = [loaded(contextLength=512)]
        await channel.send(type="success", info={**loaded(), "contextLength": None})

    peer.channels["loadModel"] = load
    assert (await host.load(LoadSpec(key="tiny"))).context_tokens == 512


async def test_a_refusal_for_memory_keeps_the_hosts_words(peer: Peer, host: LMStudioHost) -> None:
    async def refuse(channel: PeerChannel) -> None:
        await channel.fail(
            title="Model loading was stopped due to insufficient system resources.",
            suggestion="Unload another model",
        )

    peer.channels["loadModel"] = refuse
    with pytest.raises(LoadFailed, match="Unload another model") as caught:
        await host.load(LoadSpec(key="tiny"))
    assert caught.value.for_memory


async def test_any_other_failed_load_is_not_for_memory(peer: Peer, host: LMStudioHost) -> None:
    async def refuse(channel: PeerChannel) -> None:
        await channel.fail(title="Engine protocol startup was aborted")

    peer.channels["loadModel"] = refuse
    with pytest.raises(LoadFailed) as caught:
        await host.load(LoadSpec(key="tiny"))
    assert not caught.value.for_memory


@pytest.mark.parametrize("code", ["generic.pathNotFound", "generic.noModelMatchingQuery"])
async def test_an_unknown_model_names_the_nearest(
    peer: Peer, host: LMStudioHost, code: str
) -> None:
    async def refuse(channel: PeerChannel) -> None:
        await channel.fail(title="Cannot find a model", displayData={"code": code})

    peer.channels["loadModel"] = refuse
    peer.calls["listDownloadedModels"] = [info("smollm2-135m"), info("qwen2.5-coder-0.5b")]
    with pytest.raises(UnknownModel) as caught:
        await host.load(LoadSpec(key="smolm2-135"))
    assert caught.value.nearest == ("smollm2-135m",)


async def test_unloading_goes_to_the_namespace_of_the_model(peer: Peer, host: LMStudioHost) -> None:
    peer.calls["listLoaded"] = [loaded("embedder", type="embedding")]
    peer.calls["unloadModel"] = None
    await host.unload("embedder")
    with pytest.raises(UnknownModel) as caught:
        await host.unload("embeder")
    assert caught.value.nearest == ("embedder",)
    assert peer.asked("unloadModel") == [{"identifier": "embedder"}]


async def test_counting_rendering_and_embedding_give_the_hosts_results(
    peer: Peer, host: LMStudioHost
) -> None:
    peer.calls |= {
        "countTokens": lambda params: {"tokenCount": len(params["inputString"].split())},
        "applyPromptTemplate": {"formatted": "<user>hi"},
        "embedString": {"embedding": [0.5, -0.5]},
    }
    assert await host.count_tokens("tiny", "one two three") == 3
    assert await host.render("tiny", HELLO.messages) == "<user>hi"
    assert await host.embed("tiny", ["a", "b"]) == [[0.5, -0.5], [0.5, -0.5]]


async def test_a_model_unknown_to_a_call_is_unknown_model(peer: Peer, host: LMStudioHost) -> None:
    display = {"code": "generic.noModelMatchingQuery"}
    peer.calls["countTokens"] = Refusal(title="Cannot find a model", displayData=display)
    with pytest.raises(UnknownModel, match="'gone'"):
        await host.count_tokens("gone", "text")


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"title": "Model unloaded", "displayData": {"code": "generic.specificModelUnloaded"}}, 1),
        ({"title": "The model has crashed without additional information."}, 1),
        ({"title": "Something else"}, 0),
    ],
)
async def test_what_ends_an_answer_tells_whether_the_model_is_gone(
    peer: Peer, host: LMStudioHost, report: dict[str, Any], expected: int
) -> None:
    async def break_off(channel: PeerChannel) -> None:
        await channel.say("He")
        await channel.fail(**report)

    peer.channels["predict"] = break_off
    with pytest.raises((HostFailed, ModelGone)[expected]):
        await answer(host)


@pytest.mark.parametrize(
    ("reason", "error"), [("modelUnloaded", ModelGone), ("failed", HostFailed)]
)
async def test_failures_that_arrive_as_success_are_raised(
    peer: Peer, host: LMStudioHost, reason: str, error: type[Exception]
) -> None:
    async def end(channel: PeerChannel) -> None:
        await channel.finish(reason)

    peer.channels["predict"] = end
    with pytest.raises(error):
        await answer(host)


async def test_a_channel_closed_without_a_result_is_host_failed(
    peer: Peer, host: LMStudioHost
) -> None:
    async def close(channel: PeerChannel) -> None:
        await channel.say("He")
        await channel.close()

    peer.channels["predict"] = close
    with pytest.raises(HostFailed, match="without its last packet"):
        await answer(host)


async def test_what_is_not_json_is_an_invalid_request_and_the_connection_stays(
    peer: Peer, host: LMStudioHost
) -> None:
    await host.cards()
    before = len(peer.handshakes)
    request = PredictRequest(messages=(), options=(("llm.prediction.odd", object()),))
    with pytest.raises(InvalidRequest, match="not JSON"):
        await answer(host, request)
    await host.cards()
    assert len(peer.handshakes) == before


async def test_a_proxy_of_the_environment_is_not_used(
    peer: Peer, host: LMStudioHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "socks5://127.0.0.1:9")
    assert await host.cards() == []
    assert peer.handshakes


async def test_no_user_text_is_logged_above_debug(
    peer: Peer, host: LMStudioHost, caplog: pytest.LogCaptureFixture
) -> None:
    async def talk_on(channel: PeerChannel) -> None:
        await channel.say(SECRET)
        await channel.finish("eosFound")
        await channel.say(SECRET)

    def complain(_: object) -> Any:
        return Silence()

    caplog.set_level(logging.DEBUG)
    peer.channels["predict"] = talk_on
    await answer(host)
    peer.channels["predict"] = say_until_cancelled
    stream = host.predict("tiny", HELLO)
    await anext(stream)
    await stream.aclose()
    peer.calls["countTokens"] = complain
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await host.count_tokens("tiny", SECRET)
    loud = [one.getMessage() for one in caplog.records if one.levelno > logging.DEBUG]
    assert [one for one in loud if SECRET in one] == []


async def test_a_connection_that_breaks_is_not_logged_but_raised(
    peer: Peer, host: LMStudioHost, caplog: pytest.LogCaptureFixture
) -> None:
    await host.cards()
    await peer.drop()
    await host.cards()
    assert [one for one in caplog.records if one.levelno > logging.INFO] == []


async def test_first_calls_at_the_same_time_share_one_connection(
    peer: Peer, host: LMStudioHost
) -> None:
    await asyncio.gather(*(host.cards() for _ in range(8)))
    identities = {one["clientIdentifier"] for one in peer.handshakes}
    assert (len(peer.sockets), len(identities)) == (5, 1)


async def test_a_closed_host_connects_again_when_it_is_used(peer: Peer, host: LMStudioHost) -> None:
    await host.cards()
    await host.aclose()
    await asyncio.sleep(0.05)
    assert peer.sockets == set()
    assert await host.cards() == []


def test_one_host_serves_one_event_loop_after_another(settings: Settings) -> None:
    host = LMStudioHost("127.0.0.1:9", settings=settings)

    async def use() -> None:
        with pytest.raises(HostLost):
            await host.cards()

    asyncio.run(use())
    asyncio.run(use())
