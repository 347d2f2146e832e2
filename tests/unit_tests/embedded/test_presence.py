"""How processes of one user find the host they share, and when it may go."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from langchain_lmswitch.embedded import presence
from langchain_lmswitch.embedded.attendance import Attendance
from langchain_lmswitch.embedded.launch import environment
from langchain_lmswitch.embedded.presence import PortFile, split_token
from langchain_lmswitch.settings import Settings

FOUND = PortFile(port=1, pid=2, token_file="t")  # noqa: S106 - the name of a file


def test_the_token_has_the_form_of_the_sdk_and_is_kept(tmp_path: Path) -> None:
    token = presence.read_or_make_token(tmp_path)
    assert split_token(token) is not None
    assert presence.read_or_make_token(tmp_path) == token


def test_a_damaged_token_is_made_anew(tmp_path: Path) -> None:
    presence.token_path(tmp_path).write_text("sk-lm-short:no")
    assert split_token(presence.read_or_make_token(tmp_path)) is not None


@pytest.mark.skipif(os.name != "posix", reason="Windows has no modes")
def test_only_the_user_can_read_token_and_port(tmp_path: Path) -> None:
    presence.read_or_make_token(tmp_path)
    presence.write_port(tmp_path, FOUND)
    for path in (presence.token_path(tmp_path), presence.port_path(tmp_path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_writing_leaves_no_half_made_files(tmp_path: Path) -> None:
    presence.write_port(tmp_path, FOUND)
    assert [path.name for path in tmp_path.iterdir()] == ["host.json"]


def test_a_host_removes_only_its_own_port_file(tmp_path: Path) -> None:
    presence.write_port(tmp_path, FOUND)
    presence.remove_port(tmp_path, pid=3)
    assert presence.read_port(tmp_path) == FOUND
    presence.remove_port(tmp_path, pid=2)
    assert presence.read_port(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": 1}'])
def test_a_damaged_port_file_is_none(tmp_path: Path, text: str) -> None:
    presence.port_path(tmp_path).write_text(text)
    assert presence.read_port(tmp_path) is None


@pytest.mark.parametrize("token", ["", "sk-lm-a:b", "sk-lm-abcdefgh", "abcdefgh:" + "x" * 20])
def test_what_is_no_token_is_not_split(token: str) -> None:
    assert split_token(token) is None


def test_a_child_gets_the_settings_of_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LM_API_TOKEN", raising=False)
    parent = Settings(
        home=tmp_path,
        model_folders=(tmp_path / "a", tmp_path / "b"),
        linger_s=1.5,
        evict_foreign=True,
    )
    for name, value in environment(parent).items():
        monkeypatch.setenv(name, value)
    assert Settings() == parent


def test_secrets_of_a_client_do_not_reach_the_child() -> None:
    settings = Settings(base_url="elsewhere:1234", api_key="sk-lm-secret")  # type: ignore[arg-type]
    assert not environment(settings).keys() & {"LMSWITCH_API_KEY", "LMSWITCH_BASE_URL"}


async def test_a_host_is_deserted_when_nobody_comes() -> None:
    await Attendance(on_leave=lambda _: None).deserted(first_s=0.01, linger_s=1000)


async def test_a_host_lingers_after_the_last_socket_of_the_last_client() -> None:
    left: list[str] = []
    attendance = Attendance(on_leave=left.append)
    deserted = asyncio.create_task(attendance.deserted(first_s=1000, linger_s=0.05))
    with attendance.present("a"):
        with attendance.present("a"), attendance.present("b"):
            await asyncio.sleep(0.1)
        assert left == ["b"]
        await asyncio.sleep(0.1)
        assert not deserted.done()
    assert left == ["b", "a"]
    await deserted


async def test_a_client_that_comes_back_in_time_keeps_the_host() -> None:
    attendance = Attendance(on_leave=lambda _: None)
    deserted = asyncio.create_task(attendance.deserted(first_s=1000, linger_s=0.2))
    for _ in range(3):
        with attendance.present("a"):
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert not deserted.done()
    with attendance.present("a"):
        await asyncio.sleep(0.3)
        assert not deserted.done()
    await deserted


async def test_a_deserted_host_stays_while_it_is_needed() -> None:
    needs = [True]
    attendance = Attendance(on_leave=lambda _: None)
    useless = asyncio.create_task(
        attendance.useless(needed=lambda: needs[0], first_s=0.01, linger_s=0.05, look_s=0.01)
    )
    await asyncio.sleep(0.1)
    assert not useless.done()
    with attendance.present("a"):
        await asyncio.sleep(0.05)
        needs[0] = False
        await asyncio.sleep(0.1)
        assert not useless.done()
    await useless
