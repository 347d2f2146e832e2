"""The official SDK as the referee of the embedded host, with real models."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import lmstudio as lms
import pytest
from conftest import CODER, SMOL

from langchain_lmswitch.embedded.host import EmbeddedHost
from langchain_lmswitch.embedded.presence import split_token
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.machine import Snapshot

pytestmark = pytest.mark.weights

TOKEN = "sk-lm-abcdefgh:0123456789abcdefghij"  # noqa: S105 - of a host that lives in this test
MACHINE = Snapshot(ram_total_bytes=8 * 2**30, ram_free_bytes=4 * 2**30, gpus=())
ENCODER = "text-embedding-universal-sentence-encoder"


class Client(lms.AsyncClient):
    """The SDK with a token; 1.5.0 has no argument for it."""

    def _create_auth_message(self, *_: Any) -> Any:
        return self._format_auth_message(*split_token(TOKEN) or ())


@pytest.fixture
async def client(models_dir: Path, tmp_path: Path) -> AsyncIterator[Client]:
    settings = Settings(home=tmp_path, model_folders=(models_dir,), context_tokens=1024)
    host = EmbeddedHost(settings, snapshot=lambda: MACHINE, token=TOKEN)
    async with host.serve() as port, Client(f"127.0.0.1:{port}") as client:
        yield client


async def test_the_sdk_lists_and_loads_and_unloads(client: Client) -> None:
    listed = await client.system.list_downloaded_models()
    assert {model.model_key for model in listed} >= {SMOL, CODER, ENCODER}
    progress: list[float] = []
    model = await client.llm.load_new_instance(SMOL, ttl=60, on_load_progress=progress.append)
    assert progress == sorted(set(progress))
    assert await model.get_context_length() == 1024
    assert (await model.get_load_config()).context_length == 1024
    second = await client.llm.load_new_instance(SMOL)
    assert [one.identifier for one in await client.llm.list_loaded()] == [SMOL, f"{SMOL}:2"]
    await second.unload()
    with pytest.raises(lms.LMStudioModelNotFoundError):
        await second.get_info()


async def test_the_sdk_counts_and_renders(client: Client) -> None:
    model = await client.llm.model(SMOL)
    assert await model.count_tokens("hello world") == len(await model.tokenize("hello world")) == 2
    assert "<|im_start|>user\nhello" in await model.apply_prompt_template("hello")


async def test_the_sdk_streams_and_cancels(client: Client) -> None:
    model = await client.llm.model(SMOL)
    config = lms.LlmPredictionConfig(max_tokens=8, temperature=0)
    stream = await model.respond_stream("Say hello.", config=config)
    text = "".join([fragment.content async for fragment in stream])
    assert stream.result().content == text
    assert stream.result().stats.stop_reason == "maxPredictedTokensReached"
    stream = await model.respond_stream("Write a very long story about a king.")
    heard = 0
    async for _ in stream:
        heard += 1
        if heard == 3:
            await stream.cancel()
    assert stream.result().stats.stop_reason == "userStopped"


async def test_the_sdk_gets_structure(client: Client) -> None:
    model = await client.llm.model(SMOL)
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}},
        "required": ["city"],
    }
    result = await model.respond(
        "Name a city.",
        response_format=schema,
        config=lms.LlmPredictionConfig(max_tokens=60, temperature=0),
    )
    assert json.loads(result.content).keys() == {"city"}


async def test_the_sdk_embeds(client: Client) -> None:
    model = await client.embedding.model(ENCODER)
    vectors: Any = await model.embed(["hello", "goodbye"])
    assert [len(vector) for vector in vectors] == [512, 512]
    assert vectors[0] != vectors[1]


async def test_the_sdk_calls_tools(client: Client) -> None:
    """A whole round of `act`: the call, its result, and an answer."""
    called: list[tuple[int, int]] = []

    def add_numbers(first_number: int, second_number: int) -> int:
        """Add two numbers."""
        called.append((first_number, second_number))
        return first_number + second_number

    model = await client.llm.model(CODER)
    config = lms.LlmPredictionConfig(temperature=0, max_tokens=120)
    await model.act(
        "What is 1234 plus 4321? Use the function.",
        [add_numbers],
        config=config,
        max_prediction_rounds=2,
    )
    assert (1234, 4321) in called


async def test_the_sdk_hears_errors_by_their_codes(client: Client) -> None:
    await client.llm.load_new_instance(SMOL, "mine")
    with pytest.raises(lms.LMStudioServerError, match="already exists"):
        await client.llm.load_new_instance(SMOL, "mine")
    with pytest.raises(lms.LMStudioServerError) as unknown:
        await client.llm.load_new_instance("nope")
    assert unknown.value.server_error is not None
    display: Any = unknown.value.server_error.display_data
    assert display["code"] == "generic.pathNotFound"


async def test_the_sdk_finds_what_could_be_downloaded(client: Client) -> None:
    found = await client.repository.search_models("smollm2-135m")
    options = await found[0].get_download_options()
    assert options[0].info.size_bytes == 98_362_432


async def test_the_sdk_downloads_a_starter_model(tmp_path: Path) -> None:
    """What a client asks the host to fetch goes through the code of `lmswitch pull`."""
    host = EmbeddedHost(Settings(home=tmp_path), snapshot=lambda: MACHINE, token=TOKEN)
    async with host.serve() as port, Client(f"127.0.0.1:{port}") as client:
        assert SMOL not in {one.model_key for one in await client.list_downloaded_models()}
        [found, *_] = await client.repository.search_models("smollm2-135m")
        [option, *_] = await found.get_download_options()
        done: list[int] = []
        finished: list[bool] = []
        await option.download(
            on_progress=lambda update: done.append(update.downloaded_bytes),
            on_finalize=lambda: finished.append(True),
        )
        assert done == sorted(done)
        assert finished == [True]
        assert SMOL in {one.model_key for one in await client.list_downloaded_models()}
