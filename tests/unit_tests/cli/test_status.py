"""`lmswitch status`: it looks, quickly, and changes nothing."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from langchain_lmswitch._version import __version__
from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.cli.status.overview import overview, residents, screen
from langchain_lmswitch.cli.status.past import choices
from langchain_lmswitch.cli.status.record import record
from langchain_lmswitch.cli.status.seen import Held, Status
from langchain_lmswitch.ledger.sqlite import SqliteLedger
from langchain_lmswitch.machine.neighbors import Neighbors, meeting_place
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.testing import FixedMachine, ScriptedHost
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.events import InstanceState
from langchain_lmswitch.types.loads import Configuration, LoadRecord
from langchain_lmswitch.types.machine import UNKNOWN_MACHINE, Gpu, Snapshot
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.records import DecisionRecord

MACHINE = Snapshot(
    ram_total_bytes=16 * 2**30,
    ram_free_bytes=12 * 2**30,
    gpus=(Gpu(name="H200", total_bytes=139 * 2**30, free_bytes=None),),
    limited_by="container",
)
RESIDENT = Resident(
    key="chat", identifier="lmswitch/chat", context_tokens=8192, ttl_s=3600, last_used_s=1000.0
)


def run(host: ScriptedHost, *args: str) -> Result:
    session = Session(host=host, monitor=FixedMachine(now=MACHINE))
    return CliRunner().invoke(app, ["status", *args], obj=session)


def read(now: Status, columns: int = 120) -> str:
    """Render a status as a terminal of that width shows it."""
    terminal = Console(width=columns, color_system=None)
    with terminal.capture() as caught:
        terminal.print(*screen(now, columns=columns), sep="\n")
    return caught.get()


def labels(now: Status) -> dict[str, str]:
    """Give each line of the overview by its first word."""
    terminal = Console(width=120)
    with terminal.capture() as caught:
        terminal.print(overview(now, columns=120))
    parts = (line.partition(" ") for line in caught.get().splitlines())
    return {name: value.strip() for name, _, value in parts}


def cell(one: Held, *, at_s: float = 1600.0) -> str:
    """Give the words in the line of a model in memory."""
    terminal = Console(width=120, color_system=None)
    with terminal.capture() as caught:
        terminal.print(residents(Status(at_s=at_s, held=(one,), snapshot=MACHINE), wide=False))
    return " ".join(caught.get().splitlines()[-1].split())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_status_shows_host_residents_and_memory() -> None:
    host = ScriptedHost()
    asyncio.run(host.load(LoadSpec(key="scripted-chat", identifier="lmswitch/x", ttl_s=600)))

    done = run(host)

    assert done.exit_code == 0
    assert host.address in done.stdout
    assert "12.0 GiB free of 16.0 GiB (the limit of this container)" in done.stdout
    assert "unknown free of 139.0 GiB (H200)" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("A ")]
    told = " ".join(line.split())
    assert told == "A lmswitch/x scripted-chat 4,096 228 MiB idle after 10 min idle"
    assert "A scripted-chat 228 MiB" in done.stdout


def test_status_as_json() -> None:
    host = ScriptedHost()
    asyncio.run(host.load(LoadSpec(key="scripted-chat")))

    told = json.loads(run(host, "--json").stdout)

    assert told["host"] == {"address": host.address, "kind": "explicit"}
    (resident,) = told["residents"]
    assert (resident["state"], resident["queued"], resident["pinned"]) == ("idle", 0, False)
    assert resident["ram_bytes"] == 100 * 2**20 + 4096 * 32 * 2**10
    assert told["memory"]["ram_free_bytes"] == 12 * 2**30
    assert told["memory"]["gpus"][0]["free_bytes"] is None
    assert [one["name"] for one in told["bars"]] == ["RAM", "GPU"]
    assert told["bars"][1]["other_bytes"] is None
    assert told["remembered"] is False


def test_status_only_looks() -> None:
    host = ScriptedHost()
    run(host)
    assert {call.method for call in host.calls} == {"residents"}

    asyncio.run(host.load(LoadSpec(key="scripted-chat")))
    host.calls.clear()
    run(host)
    assert {call.method for call in host.calls} == {"residents", "cards", "estimate", "state"}


def test_memory_of_a_remote_host_is_unknown() -> None:
    told = json.loads(run(ScriptedHost(scope="remote"), "--json").stdout)

    assert told["memory"]["ram_free_bytes"] is None
    assert told["memory"]["gpus"] is None


def test_no_host_is_a_status_too() -> None:
    lines = labels(Status(snapshot=MACHINE))

    assert lines["host"].startswith("none running")
    assert set(lines["RAM"]) == {"▒", "·"}
    assert record(Status(snapshot=MACHINE))["host"] is None


def test_unknown_memory_is_called_unknown() -> None:
    lines = labels(Status(address="far:1234", kind="explicit", snapshot=UNKNOWN_MACHINE))

    assert lines["RAM"] == "unknown (another computer)"
    assert lines["GPU"] == "unknown"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (InstanceState(status="idle", queued=0), "idle in 50 min"),
        (InstanceState(status="generating", queued=1), "writes after 1 h idle"),
        (InstanceState(status="processingPrompt", queued=3), "reads, 2 queued after 1 h idle"),
        (InstanceState(status="dreaming", queued=1), "busy after 1 h idle"),
        (None, "unknown in 50 min"),
    ],
)
def test_what_a_model_does_and_when_it_goes(state: InstanceState | None, words: str) -> None:
    """Who is busy has its time to live anew when it is done."""
    assert cell(Held(resident=RESIDENT, state=state)).endswith(words)


def test_model_that_stays_for_ever_and_who_uses_it() -> None:
    stays = replace(RESIDENT, ttl_s=None)

    assert cell(Held(resident=stays, pinned=True)).endswith("never pinned")
    used = cell(Held(resident=stays, users=(11, 12)))
    assert used.endswith("never by processes 11, 12")


def test_process_that_uses_a_model_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LMSWITCH_HOME", str(tmp_path))
    host = ScriptedHost()
    held = asyncio.run(host.load(LoadSpec(key="scripted-chat")))
    other = Neighbors(meeting_place(Settings().run_home, host.address))
    assert other.start_using(held.identifier)
    before = sorted(tmp_path.rglob("*"))
    try:
        (resident,) = json.loads(run(host, "--json").stdout)["residents"]
        after = sorted(tmp_path.rglob("*"))
    finally:
        other.leave()

    assert resident["used_by_pids"] == [os.getpid()]
    assert before == after, "looking leaves nothing behind"


def test_model_that_the_settings_pin_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_MODELS", json.dumps({"scripted*": {"pin": True}}))
    host = ScriptedHost()
    asyncio.run(host.load(LoadSpec(key="scripted-chat")))

    assert run(host).stdout.rstrip().endswith("pinned")
    assert json.loads(run(host, "--json").stdout)["residents"][0]["pinned"] is True


def decision(at_s: float, how: str, **outcome: Any) -> DecisionRecord:
    return DecisionRecord(
        at_s=at_s,
        kind="choice",
        facts={"task": {"kind": "code"}},
        outcome={"how": how, **outcome},
        version=__version__,
    )


def load(at_s: float, load_s: float, failed: str = "") -> LoadRecord:
    asked = Configuration(host="local", key="coder")
    return LoadRecord(at_s=at_s, configuration=asked, load_s=load_s, failed=failed)


def remember(path: Path) -> None:
    """Write a ledger as other processes would have left it."""
    ledger = SqliteLedger(path)
    ledger.note_decision(
        decision(100.0, "load", model="coder", reason="coder for code (a fence): best; loaded.")
    )
    ledger.note_load(load(103.0, 2.5))
    ledger.note_answer(
        AnswerRecord(
            at_s=110.0,
            host="local",
            request="r",
            key="coder",
            task="code",
            answer_tokens=40,
            tokens_per_second=12.5,
        )
    )
    ledger.note_decision(decision(120.0, "refuse", reason="no model can do it"))
    ledger.close()


def test_what_happened_lately_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LMSWITCH_HOME", str(tmp_path))
    monkeypatch.setenv("LMSWITCH_REMEMBER", "true")
    remember(Settings().ledger_path)

    told = json.loads(run(ScriptedHost(), "--json").stdout)
    shown = run(ScriptedHost()).stdout

    assert [one["tokens_per_second"] for one in told["answers"]] == [12.5]
    newest, oldest = told["decisions"]
    assert (newest["model"], newest["why"]) == (None, "no model can do it")
    assert (oldest["model"], oldest["task"], oldest["load_s"]) == ("coder", "code", 2.5)
    assert oldest["why"] == "best; loaded"
    for words in ("12.5", "2.5 s", "nobody", "best; loaded"):
        assert words in shown


@pytest.mark.parametrize(
    ("remembers", "words"), [("true", "nothing is remembered yet"), ("false", "`remember` is off")]
)
def test_ledger_is_never_made_and_its_absence_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, remembers: str, words: str
) -> None:
    monkeypatch.setenv("LMSWITCH_HOME", str(tmp_path))
    monkeypatch.setenv("LMSWITCH_REMEMBER", remembers)

    assert words in run(ScriptedHost()).stdout
    assert list(tmp_path.iterdir()) == []


def test_load_of_a_decision_is_the_first_that_was_made_after_it() -> None:
    loads = [load(50.0, 9.0), load(101.0, 8.0, failed="no"), load(104.0, 3.0), load(300.0, 7.0)]

    (chosen,) = choices([decision(100.0, "load", model="coder")], loads)
    (later,) = choices([decision(5000.0, "load", model="coder")], loads)

    assert (chosen.load_s, later.load_s) == (3.0, None)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_line_fits_the_terminal(columns: int) -> None:
    key = "a-very-long-model-name-of-a-coder-32b"
    held = Held(resident=replace(RESIDENT, key=key, identifier=f"lmswitch/{key}"))
    now = Status(address="127.0.0.1:1234", kind="lmstudio", held=(held,), snapshot=MACHINE)

    lines = read(now, columns).splitlines()

    assert max(map(len, lines)) <= columns
    assert any("a-very-long" in line for line in lines)


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
