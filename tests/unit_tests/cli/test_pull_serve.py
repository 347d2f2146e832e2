"""`lmswitch pull` and `lmswitch serve`: what they ask of the embedded host's code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.embedded.starter import starter_names
from langchain_lmswitch.errors import DownloadFailed
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.testing import FixedMachine


class Shop:
    """Delivers a small file for every name, in two pieces."""

    def __init__(
        self, home: Path, *, fails_at: str = "", error: BaseException | None = None
    ) -> None:
        self.home = home
        self.fails_at = fails_at
        self.error = error
        self.asked: list[str] = []

    def __call__(
        self, name: str, settings: Settings, *, on_progress: Callable[[int, int], None]
    ) -> list[Path]:
        assert settings.models_home.name == "models"
        self.asked.append(name)
        on_progress(2**20, 2**21)
        if name == self.fails_at and self.error:
            raise self.error
        on_progress(2**21, 2**21)
        file = self.home / f"{name}.gguf"
        file.write_bytes(b"GGUF")
        return [file]


def run(session: Session, *args: str) -> Result:
    return CliRunner().invoke(app, args, obj=session)


@pytest.mark.parametrize("size", ["s", "l"])
def test_starter_is_every_model_of_its_size(tmp_path: Path, size: Any) -> None:
    shop = Shop(tmp_path)

    done = run(Session(fetch=shop), "pull", "starter", "--size", size)

    assert done.exit_code == 0
    assert shop.asked == starter_names(size)
    for name in shop.asked:
        assert str(tmp_path / f"{name}.gguf") in done.stdout
        assert f"{name}: complete" in done.stderr
    assert "1 MiB of 2 MiB" in done.stderr
    assert "lmswitch ask" in done.stderr


def test_pull_as_json_tells_the_files(tmp_path: Path) -> None:
    done = run(Session(fetch=Shop(tmp_path)), "pull", "qwen", "--json")

    files = [str(tmp_path / "qwen.gguf")]
    assert json.loads(done.stdout) == {"name": "qwen", "models": ["qwen"], "files": files}


def test_interrupted_pull_says_that_it_can_go_on(tmp_path: Path) -> None:
    shop = Shop(tmp_path, fails_at="qwen", error=KeyboardInterrupt())

    done = run(Session(fetch=shop), "pull", "qwen")

    assert done.exit_code == 130
    assert "goes on from there" in done.stderr


def test_failed_pull_has_its_own_exit_code(tmp_path: Path) -> None:
    error = DownloadFailed("qwen", reason="no route", remedy="Try again.")

    done = run(Session(fetch=Shop(tmp_path, fails_at="qwen", error=error)), "pull", "qwen")

    assert done.exit_code == 6
    assert done.stderr.endswith(f"lmswitch: {error}\n")


class Server:
    """Notes how it was started, and says where it serves."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: dict[str, Any] = {}

    def __call__(self, settings: Settings, **asked: Any) -> None:
        self.asked = {"settings": settings, **asked}
        if self.error:
            raise self.error
        if asked["on_ready"]:
            asked["on_ready"]("127.0.0.1:4711")


def test_serve_says_where_it_serves() -> None:
    server, machine = Server(), FixedMachine()

    done = run(Session(serve=server, monitor=machine), "serve", "--port", "4711")

    assert done.exit_code == 0
    assert "127.0.0.1:4711" in done.stdout
    assert (server.asked["port"], server.asked["child"], server.asked["no_auth"]) == (
        4711,
        False,
        False,
    )
    assert server.asked["snapshot"]() == machine.now


def test_open_server_says_so_and_how_to_reach_it() -> None:
    server = Server()

    done = run(Session(serve=server), "serve", "--no-auth")

    assert server.asked["no_auth"] is True
    assert "LMSWITCH_BASE_URL=127.0.0.1:4711" in done.stdout


def test_taken_port_is_told_in_one_paragraph() -> None:
    done = run(Session(serve=Server(OSError(98, "address in use"))), "serve", "--port", "80")

    assert done.exit_code == 1
    assert done.stderr == "lmswitch: [Errno 98] address in use\n"
