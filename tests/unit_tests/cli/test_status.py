"""`lmswitch status`: it looks, quickly, and changes nothing."""

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.cli.status import Status, overview, record
from langchain_lmswitch.testing import FixedMachine, ScriptedHost
from langchain_lmswitch.types.machine import UNKNOWN_MACHINE, Gpu, Snapshot
from langchain_lmswitch.types.models import LoadSpec

MACHINE = Snapshot(
    ram_total_bytes=16 * 2**30,
    ram_free_bytes=12 * 2**30,
    gpus=(Gpu(name="H200", total_bytes=139 * 2**30, free_bytes=None),),
    limited_by="container",
)


def run(host: ScriptedHost, *args: str) -> Result:
    session = Session(host=host, monitor=FixedMachine(now=MACHINE))
    return CliRunner().invoke(app, ["status", *args], obj=session)


def read(now: Status) -> dict[str, str]:
    """Render a status and give each line by its first word."""
    screen = Console(width=120)
    with screen.capture() as caught:
        screen.print(overview(now))
    parts = (line.partition(" ") for line in caught.get().splitlines())
    return {name: value.strip() for name, _, value in parts}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_status_shows_host_residents_and_memory() -> None:
    host = ScriptedHost()
    resident = asyncio.run(
        host.load(LoadSpec(key="scripted-chat", identifier="lmswitch/x", ttl_s=600))
    )

    done = run(host)

    assert done.exit_code == 0
    assert host.address in done.stdout
    assert "12.0 GiB free of 16.0 GiB (the limit of this container)" in done.stdout
    assert "H200, unknown free of 139.0 GiB" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("lmswitch/x")]
    assert line.split()[1:] == [
        "scripted-chat",
        f"{resident.context_tokens:,}",
        "idle",
        "after",
        "10",
        "min",
        "idle",
    ]


def test_status_as_json() -> None:
    host = ScriptedHost()
    asyncio.run(host.load(LoadSpec(key="scripted-chat")))

    told = json.loads(run(host, "--json").stdout)

    assert told["host"] == {"address": host.address, "kind": "explicit"}
    assert told["residents"][0]["state"] == "idle"
    assert told["memory"]["ram_free_bytes"] == 12 * 2**30
    assert told["memory"]["gpus"][0]["free_bytes"] is None


def test_status_only_looks() -> None:
    host = ScriptedHost()

    run(host)

    assert {call.method for call in host.calls} == {"residents"}


def test_memory_of_a_remote_host_is_unknown() -> None:
    told = json.loads(run(ScriptedHost(scope="remote"), "--json").stdout)

    assert told["memory"]["ram_free_bytes"] is None
    assert told["memory"]["gpus"] is None


def test_no_host_is_a_status_too() -> None:
    lines = read(Status(snapshot=MACHINE))

    assert lines["host"].startswith("none running")
    assert lines["memory"].startswith("12.0 GiB free")
    assert record(Status(snapshot=MACHINE))["host"] is None


def test_unknown_memory_is_called_unknown() -> None:
    lines = read(Status(address="far:1234", kind="explicit", snapshot=UNKNOWN_MACHINE))

    assert lines["memory"] == "unknown"
    assert lines["gpu"] == "unknown"


def test_status_starts_nothing_and_imports_no_langgraph(tmp_path: Path) -> None:
    """With an address where nobody listens it fails as documented, and leaves no host behind."""
    port = free_port()
    code = (
        "import sys; from langchain_lmswitch.cli.app import app\n"
        "try:\n    app(['--base-url', sys.argv[1], 'status'])\n"
        "except SystemExit as end: print(end.code, 'langgraph' in sys.modules)"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code, f"127.0.0.1:{port}"],
        env={
            "LMSWITCH_HOME": str(tmp_path),
            "LMSWITCH_CONFIG": "off",
            "HOME": str(tmp_path),
            "PATH": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == ["3", "False"], done.stderr
    assert f"127.0.0.1:{port}" in done.stderr
    assert list(tmp_path.iterdir()) == []
