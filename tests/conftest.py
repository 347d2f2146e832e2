"""Real weights, and one embedded host for all tests that need them."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock
from pydantic import SecretStr

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.embedded import presence
from langchain_lmswitch.embedded.launch import ensure_embedded
from langchain_lmswitch.embedded.pull import fetch
from langchain_lmswitch.embedded.starter import starter_names
from langchain_lmswitch.hosts.finding import find_host
from langchain_lmswitch.settings import Settings

# What tests load must not teach the user's own processes, nor these the tests.
os.environ["LMSWITCH_REMEMBER"] = "false"
# What an encoder finds depends on whether it was quick enough: a test that wants one says so.
os.environ["LMSWITCH_EMBEDDER"] = "off"
# Nor do the files of settings of whoever runs the tests have a say.
os.environ["LMSWITCH_CONFIG"] = "off"

SMOL = "smollm2-135m-instruct"
CODER = "qwen2.5-coder-0.5b-instruct"


def workers() -> list[psutil.Process]:
    """Workers of this very process; those of an embedded host are that host's children.

    One that has ended counts until it is reaped: its command line is gone by then.
    """
    found = []
    for child in psutil.Process().children():
        try:
            command = child.cmdline()
        except psutil.ZombieProcess:
            command = None
        except psutil.NoSuchProcess:
            continue
        if command is None or any("langchain_lmswitch.embedded.worker" in one for one in command):
            found.append(child)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A running embedded host with the starter models."""

    base_url: str
    token: str
    settings: Settings

    @property
    def client_settings(self) -> Settings:
        """The settings of a client that uses this host and no other."""
        secret = SecretStr(self.token)
        return Settings(base_url=self.base_url, api_key=secret, home=self.settings.home)

    @property
    def process(self) -> psutil.Process:
        """The host's own process; the models are its children."""
        found = presence.read_port(self.settings.run_home)
        assert found is not None, "the embedded host has gone"
        return psutil.Process(found.pid)

    def chat(self, **fields: Any) -> ChatLMSwitch:
        """Build a chat model that uses this host."""
        return ChatLMSwitch(base_url=self.base_url, api_key=self.token, **fields)  # type: ignore[arg-type]  # pydantic makes it a secret


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The starter weights: in `LMSWITCH_TEST_MODELS`, else where `lmswitch pull` puts them."""
    if given := os.environ.get("LMSWITCH_TEST_MODELS"):
        return Path(given)
    settings = Settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.home / "tests.lock"):  # pytest may run in several processes
        for name in starter_names("s"):
            fetch(name, settings, on_progress=lambda _done, _total: None)
    return settings.models_home


@pytest.fixture(scope="session")
def embedded(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """An embedded host of our own, started as a client would start it."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(
        home=home,
        model_folders=(models_dir,),
        linger_s=1200,
        context_tokens=4096,
        # Beside other tests, threads that wait for each other would wait for a processor.
        threads=1 if "PYTEST_XDIST_WORKER" in os.environ else None,
    )
    address = asyncio.run(ensure_embedded(settings))
    host = Embedded(base_url=address.host_port, token=address.token, settings=settings)
    yield host
    with suppress(psutil.NoSuchProcess):
        process = host.process
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def unloaded(embedded: Embedded) -> None:
    """Nothing in the embedded host's memory: what is loaded has a say in the next choice."""

    async def unload_all() -> None:
        host = await find_host(embedded.client_settings)
        for resident in await host.residents():
            await host.unload(resident.identifier)
        await host.aclose()

    asyncio.run(unload_all())
