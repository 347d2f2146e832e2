"""Processes of one user share one embedded host, which goes when they have gone."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from langchain_lmswitch.embedded import presence
from langchain_lmswitch.embedded.launch import ensure_embedded, environment, find_running
from langchain_lmswitch.errors import HostNotFound
from langchain_lmswitch.settings import Settings

pytestmark = pytest.mark.weights

ASK = """
import asyncio
from langchain_lmswitch.embedded.launch import ensure_embedded
from langchain_lmswitch.settings import Settings
print(asyncio.run(ensure_embedded(Settings())).host_port)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path, linger_s=30)
    yield settings
    found = presence.read_port(settings.run_home)
    if found is not None and psutil.pid_exists(found.pid):
        psutil.Process(found.pid).terminate()
        _await_end(found.pid)


def _await_end(pid: int) -> None:
    try:
        psutil.Process(pid).wait(timeout=20)
    except psutil.NoSuchProcess:
        return


def _environment(settings: Settings) -> dict[str, str]:
    return os.environ | environment(settings)


def test_processes_that_start_at_once_share_one_host(settings: Settings) -> None:
    clients = [
        subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", ASK], stdout=subprocess.PIPE, env=_environment(settings)
        )
        for _ in range(3)
    ]
    answers = {client.communicate(timeout=60)[0].decode().strip() for client in clients}
    found = presence.read_port(settings.run_home)
    assert found is not None
    assert answers == {found.host_port}


def test_a_second_child_gives_way_and_a_second_host_says_why(settings: Settings) -> None:
    asyncio.run(ensure_embedded(settings))
    command = [sys.executable, "-m", "langchain_lmswitch", "serve"]
    child = subprocess.run(  # noqa: S603 - our own interpreter
        [*command, "--child"],
        env=_environment(settings),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == 0
    second = subprocess.run(  # noqa: S603 - our own interpreter
        command, env=_environment(settings), capture_output=True, timeout=60, check=False
    )
    assert second.returncode != 0
    found = presence.read_port(settings.run_home)
    assert found is not None
    assert found.host_port.encode() in second.stderr


def test_a_host_that_is_terminated_cleans_up_behind_itself(settings: Settings) -> None:
    address = asyncio.run(ensure_embedded(settings))
    assert asyncio.run(find_running(settings)) == address
    found = presence.read_port(settings.run_home)
    assert found is not None
    psutil.Process(found.pid).terminate()
    _await_end(found.pid)
    assert presence.read_port(settings.run_home) is None
    assert asyncio.run(find_running(settings)) is None
    again = asyncio.run(ensure_embedded(settings))
    assert again.token == address.token


def test_a_host_that_was_killed_is_replaced(settings: Settings) -> None:
    asyncio.run(ensure_embedded(settings))
    first = presence.read_port(settings.run_home)
    assert first is not None
    psutil.Process(first.pid).kill()
    _await_end(first.pid)
    assert presence.read_port(settings.run_home) == first
    asyncio.run(ensure_embedded(settings))
    second = presence.read_port(settings.run_home)
    assert second is not None
    assert second.pid != first.pid


def test_a_host_goes_when_its_last_client_has_gone(tmp_path: Path) -> None:
    from websockets.sync.client import connect  # noqa: PLC0415 - an optional package

    settings = Settings(home=tmp_path, linger_s=0.2)
    address = asyncio.run(ensure_embedded(settings))
    found = presence.read_port(settings.run_home)
    assert found is not None
    name, passkey = presence.split_token(address.token) or ("", "")
    with connect(f"ws://{address.host_port}/system", proxy=None) as socket:
        socket.send(f'{{"authVersion":1,"clientIdentifier":"{name}","clientPasskey":"{passkey}"}}')
        assert socket.recv() == '{"success":true}'
        time.sleep(0.6)
        assert psutil.pid_exists(found.pid)
    _await_end(found.pid)
    assert presence.read_port(settings.run_home) is None


def test_a_host_that_cannot_start_shows_the_end_of_its_log(settings: Settings) -> None:
    command = (sys.executable, "-c", "raise SystemExit('no luck today')")
    with pytest.raises(HostNotFound, match="no luck today"):
        asyncio.run(ensure_embedded(settings, command=command))


def test_a_host_stays_for_what_was_loaded_by_hand(models_dir: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, model_folders=(models_dir,), linger_s=0.2)
    address = asyncio.run(ensure_embedded(settings))
    found = presence.read_port(settings.run_home)
    assert found is not None
    there = {**_environment(settings), "LMSWITCH_BASE_URL": address.host_port}
    command = [sys.executable, "-m", "langchain_lmswitch"]

    subprocess.run([*command, "load", "smollm2"], env=there, check=True)  # noqa: S603 - our own
    time.sleep(2)
    assert psutil.pid_exists(found.pid)
    subprocess.run([*command, "unload"], env=there, check=True)  # noqa: S603 - our own
    _await_end(found.pid)
    assert presence.read_port(settings.run_home) is None
