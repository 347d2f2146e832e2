"""`lmswitch serve`: what it asks of the embedded host's code."""

import json
from typing import Any

from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.testing import FixedMachine


def run(session: Session, *args: str) -> Result:
    return CliRunner().invoke(app, args, obj=session)


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


def test_serve_as_json_is_one_line_for_whoever_started_it() -> None:
    done = run(Session(serve=Server()), "serve", "--json")

    (line,) = done.stdout.splitlines()
    assert json.loads(line) == {"address": "127.0.0.1:4711", "auth": True}
