"""Who unloads what when a process ends: real processes, real weights."""

import os
import signal
import subprocess
import sys

import pytest
from conftest import CODER, SMOL, Embedded

from langchain_lmswitch.hosts.finding import find_host
from langchain_lmswitch.types.models import LoadSpec

pytestmark = [pytest.mark.weights, pytest.mark.usefixtures("unloaded")]

ASK = f"""
import sys
from langchain_lmswitch import ChatLMSwitch
llm = ChatLMSwitch(model={SMOL!r}, max_tokens=4)
print(llm.invoke("Hello").response_metadata["lmswitch"]["load_s"] > 0, flush=True)
sys.stdin.read()
"""


class Asker:
    """A process that has asked a question and ends when it is told to."""

    def __init__(self, embedded: Embedded, **environment: str) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", ASK],
            env=os.environ
            | {
                "LMSWITCH_BASE_URL": embedded.base_url,
                "LMSWITCH_API_KEY": embedded.token,
                "LMSWITCH_HOME": str(embedded.settings.home),
                **environment,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.loaded = self.process.stdout.readline().strip() == "True"

    def end(self, how: int | None = None) -> None:
        if how is not None:
            self.process.send_signal(how)
        self.process.communicate(timeout=30)


async def residents(embedded: Embedded) -> list[str]:
    host = await find_host(embedded.client_settings)
    found = [one.identifier for one in await host.residents()]
    await host.aclose()
    return found


async def test_ours_is_unloaded_and_theirs_stays(embedded: Embedded) -> None:
    host = await find_host(embedded.client_settings)
    await host.load(LoadSpec(key=CODER, context_tokens=512, identifier="theirs"))
    asker = Asker(embedded)
    assert f"lmswitch/{SMOL}" in await residents(embedded)
    asker.end()
    assert await residents(embedded) == ["theirs"]
    await host.unload("theirs")
    await host.aclose()


async def test_the_last_one_unloads(embedded: Embedded) -> None:
    first, second = Asker(embedded), Asker(embedded)
    assert (first.loaded, second.loaded) == (True, False)
    first.end()
    assert await residents(embedded) == [f"lmswitch/{SMOL}"]
    second.end()
    assert await residents(embedded) == []


async def test_what_a_killed_process_left_is_ours_again(embedded: Embedded) -> None:
    killed = Asker(embedded)
    killed.end(signal.SIGKILL)
    assert await residents(embedded) == [f"lmswitch/{SMOL}"]
    after = Asker(embedded)
    assert not after.loaded
    after.end()
    assert await residents(embedded) == []


async def test_it_stays_if_the_user_wants(embedded: Embedded) -> None:
    Asker(embedded, LMSWITCH_UNLOAD_AT_EXIT="false").end()
    assert await residents(embedded) == [f"lmswitch/{SMOL}"]
    Asker(embedded).end()  # what is in memory has a say in the choices of the tests to come
    assert await residents(embedded) == []
