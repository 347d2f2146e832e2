"""`lmswitch calibrate`: a real process takes memory as a scripted host loads its models."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.calibrate import Row, listing, record, remarks
from langchain_lmswitch.cli.guard import FAILED, NO_MODEL, NO_ROOM, USAGE
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.hosts.base import OnProgress
from langchain_lmswitch.policy.weighing import Taken
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.calibration import Calibrated
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.events import PredictEvent
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.readings import Observation, Unusable
from langchain_lmswitch.types.requests import PredictRequest

MIB = 2**20
SIZES = {"small": 60 * MIB, "large": 120 * MIB}

PROCESS = """
import socket, sys
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
held = {}
for line in sys.stdin:
    name, size = line.split()
    held.pop(name, None)
    if int(size):
        held[name] = bytearray(b"x") * int(size)
    print(flush=True)
"""
"""Listens, and holds as many bytes under each name as it is told."""


class LivingHost(ScriptedHost):
    """A scripted host whose models take the memory of a real process that listens."""

    def __init__(self, **options: Any) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", PROCESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        port = int(self.process.stdout.readline())
        cards = [card(key, size_bytes=size) for key, size in SIZES.items()]
        helper = card("helper", kind="embedding")
        super().__init__([*cards, helper], address=f"127.0.0.1:{port}", **options)
        self.meanwhile: Callable[[], Awaitable[Resident]] | None = None

    async def load(self, spec: LoadSpec, *, on_progress: OnProgress | None = None) -> Resident:
        resident = await super().load(spec, on_progress=on_progress)
        self.hold(resident.identifier, resident.size_bytes + 8 * MIB)
        return resident

    async def predict(
        self, identifier: str, request: PredictRequest
    ) -> AsyncGenerator[PredictEvent, None]:
        if self.meanwhile is not None:
            await self.meanwhile()
        async for event in super().predict(identifier, request):
            yield event

    async def unload(self, identifier: str) -> None:
        await super().unload(identifier)
        self.hold(identifier, 0)

    def hold(self, name: str, size_bytes: int) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{name} {size_bytes}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()

    def changes(self) -> list[tuple[str, str]]:
        made = [call for call in self.calls if call.method in {"load", "predict", "unload"}]
        return [(call.method, call.model) for call in made]


@pytest.fixture(name="host")
def _host() -> Iterator[LivingHost]:
    host = LivingHost()
    yield host
    host.end()


def run(host: ScriptedHost, *args: str) -> Result:
    session = Session(host=host, monitor=FixedMachine())
    return CliRunner().invoke(app, ["calibrate", *args], obj=session)


def remembered(host: ScriptedHost) -> list[LoadRecord]:
    """List what the host's board has noted of calibrations."""
    board = boards().given(host, None, Session().settings())
    found = board.ledger.loads("local")
    return [one for one in found if one.source == "calibration"]


def test_each_chat_model_is_measured_smallest_first_and_leaves_again(host: LivingHost) -> None:
    done = run(host, "--json")

    assert done.exit_code == 0, done.stderr
    small, large = json.loads(done.stdout)["models"]
    for row, key in ((small, "small"), (large, "large")):
        assert row["key"] == key
        assert row["why_no_peak"] is None
        assert row["taken"]["vram_bytes"] == 0
        assert SIZES[key] + 8 * MIB <= row["taken"]["total_bytes"] < SIZES[key] + 12 * MIB
    assert host.changes() == [
        *(("load", "small"), ("predict", "lmswitch/small"), ("unload", "lmswitch/small")),
        *(("load", "large"), ("predict", "lmswitch/large"), ("unload", "lmswitch/large")),
    ]
    noted = remembered(host)
    assert [one.configuration.key for one in noted] == ["small", "large"]
    assert noted[0].observed_bytes == small["taken"]["total_bytes"]
    assert noted[0].observed_vram_bytes == 0
    assert noted[0].expected_bytes == small["expected_bytes"]


def test_model_that_was_loaded_is_loaded_anew_and_stays(host: LivingHost) -> None:
    spec = LoadSpec(key="small", identifier="lmswitch/small", context_tokens=4096)
    asyncio.run(host.load(spec))
    done = run(host, "small")

    assert done.exit_code == 0, done.stderr
    assert "small" in done.stdout
    assert host.changes() == [
        ("load", "small"),
        *(("unload", "lmswitch/small"), ("load", "small"), ("predict", "lmswitch/small")),
    ]


def test_what_cannot_be_measured_is_said_and_the_next_has_its_turn(host: LivingHost) -> None:
    host.fail_load["small"] = LoadFailed("small", reason="Bad magic.")
    done = run(host)

    assert done.exit_code == 0
    assert "small was not measured" in done.stderr
    assert "Bad magic." in done.stderr
    assert [one.configuration.key for one in remembered(host)] == ["large"]


def test_without_gpu_tracker_it_is_weighed_all_the_same(
    host: LivingHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here there is no place for its file."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    done = run(host, "small", "--json")
    [row] = json.loads(done.stdout)["models"]

    assert row["why_no_peak"].startswith("there is no place for its file")
    assert row["taken"]["total_bytes"] == row["after_answer_bytes"]
    assert SIZES["small"] < row["taken"]["total_bytes"] < SIZES["small"] + 12 * MIB
    assert host.changes() == [
        *(("load", "small"), ("predict", "lmswitch/small"), ("unload", "lmswitch/small")),
    ]


def test_what_somebody_else_loads_meanwhile_spoils_it(host: LivingHost) -> None:
    """Its memory is the same process's."""
    foreign = LoadSpec(key="large", identifier="theirs")
    host.meanwhile = lambda: host.load(foreign)
    done = run(host, "small", "--json")
    [row] = json.loads(done.stdout)["models"]

    assert set(row["taken"].values()) == {None}
    [noted] = remembered(host)
    assert (noted.observed_bytes, noted.observed_vram_bytes) == (None, None)
    assert noted.load_s >= 0


def test_model_of_somebody_else_is_left_alone(host: LivingHost) -> None:
    asyncio.run(host.load(LoadSpec(key="small", identifier="theirs")))
    done = run(host, "small")

    assert done.exit_code == USAGE
    assert "somebody else" in done.stderr
    assert host.changes() == [("load", "small")]


def test_one_that_fails_alone_is_an_error(host: LivingHost) -> None:
    host.fail_load["small"] = LoadFailed("small", reason="Bad magic.")

    assert run(host, "small").exit_code == NO_ROOM
    assert run(host, "nonesuch").exit_code == NO_MODEL


def test_host_elsewhere_is_refused() -> None:
    for scope in ("remote", "shared"):
        host = ScriptedHost(scope=scope)
        done = run(host)

        assert done.exit_code == USAGE
        assert host.address in done.stderr
        assert "not on this computer" in done.stderr
        assert host.called("load") == []


def test_host_whose_process_is_not_found_is_refused(host: LivingHost) -> None:
    """It has gone, or is another user's."""
    host.end()
    done = run(host)

    assert done.exit_code == FAILED
    assert "nobody of ours listens there" in done.stderr
    assert host.called("load") == []


def calibrated(taken: Taken, *, why_no_peak: str = "") -> Calibrated:
    weighed = Observation(ram_bytes=600 * MIB, vram_bytes=0)
    return Calibrated(
        resident=Resident(key="a", identifier="lmswitch/a", context_tokens=4096),
        load_s=1.5,
        expected_bytes=700 * MIB,
        free_bytes=None,
        taken=taken,
        weighed=weighed if taken.ram_bytes else Unusable(reason="x"),
        why_no_peak=why_no_peak,
    )


def test_unknown_is_not_zero() -> None:
    rows = [
        Row(key="a", found=calibrated(Taken(ram_bytes=640 * MIB))),
        Row(key="b", found=calibrated(Taken(), why_no_peak="gpu-tracker failed: ValueError")),
        Row(key="c", why_not="No room."),
    ]
    screen = Console(width=120)
    with screen.capture() as caught:
        screen.print(listing(rows))
    lines = [" ".join(line.split()) for line in caught.get().splitlines()[2:]]

    assert lines == [
        "a 4,096 700 MiB unknown 640 MiB unknown 600 MiB 1.5 s",
        "b 4,096 700 MiB unknown unknown unknown unknown 1.5 s",
        "c unknown unknown unknown unknown unknown unknown unknown",
    ]
    taken = {"ram_bytes": 640 * MIB, "vram_bytes": None, "total_bytes": None}
    assert record(rows[0])["taken"] == taken


def test_what_is_missing_is_explained() -> None:
    half = Row(key="a", found=calibrated(Taken(ram_bytes=640 * MIB)))
    failed = Row(key="b", found=calibrated(Taken(), why_no_peak="gpu-tracker failed: ValueError"))
    said = remarks([half, failed, Row(key="c", why_not="No room.")])

    kept = "estimates stay as they are"
    assert said == [
        "c was not measured: No room.",
        "b: no peak, gpu-tracker failed: ValueError",
        f"a: what it took on GPUs is unknown; {kept}",
        f"b: other loads, or other programs, were in the way, so run it again; {kept}",
    ]
    assert "pull starter" in remarks([])[0]
