"""`lmswitch models`: what is there, and the verdict on each."""

import asyncio
import json

import pytest
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.models import fit
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.machine import Footprint, Snapshot
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.plans import Load

CARDS = [
    card("words", kind="embedding", size_bytes=30 * 2**20),
    card("small", params="1B", tool_use=True),
    card("seer", params="3B", size_bytes=2 * 2**30, vision=True, quantization=""),
    card("huge", params="70B", size_bytes=40 * 2**30),
]
MACHINE = Snapshot(ram_total_bytes=8 * 2**30, ram_free_bytes=6 * 2**30, gpus=())


def run(host: ScriptedHost, *args: str) -> Result:
    session = Session(host=host, monitor=FixedMachine(now=MACHINE))
    return CliRunner().invoke(app, ["models", *args], obj=session)


def row(done: Result, key: str) -> str:
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{key} ")]
    return line


def test_each_model_shows_what_it_can_do_and_whether_it_fits() -> None:
    done = run(ScriptedHost(CARDS))

    assert done.exit_code == 0
    assert "chat, tools" in row(done, "small")
    assert row(done, "small").rstrip().endswith("yes")
    assert "chat, vision" in row(done, "seer")
    assert "unknown" in row(done, "seer")
    assert "no: needs 41," in row(done, "huge")
    assert "embedding" in row(done, "words")


def test_chat_models_stand_before_embedding_models() -> None:
    keys = [one["key"] for one in json.loads(run(ScriptedHost(CARDS), "--json").stdout)["models"]]

    assert keys == ["huge", "seer", "small", "words"]


def test_resident_is_shown_as_loaded() -> None:
    host = ScriptedHost(CARDS)
    resident = asyncio.run(host.load(LoadSpec(key="small")))

    (record,) = [
        one for one in json.loads(run(host, "--json").stdout)["models"] if one["key"] == "small"
    ]

    assert record["resident"] == [resident.identifier]
    assert record["fits"] is True


def test_nothing_is_loaded() -> None:
    host = ScriptedHost(CARDS)

    run(host)

    assert {call.method for call in host.calls} == {"cards", "residents", "estimate"}


def test_no_model_says_how_to_get_one() -> None:
    done = run(ScriptedHost([]))

    assert done.exit_code == 0
    assert done.stdout == ""
    assert "lmswitch pull starter" in done.stderr


@pytest.mark.parametrize(
    ("by_host", "why"), [(True, "yes, says its host"), (False, "no, says its host")]
)
def test_of_a_remote_machine_the_host_has_the_word(by_host: bool, why: str) -> None:  # noqa: FBT001
    cost = Footprint(weights_bytes=1, kv_bytes=1, source="host", fits_by_host=by_host)

    verdict = fit(Load(spec=LoadSpec(key="x"), footprint=cost), cost, measured=False)

    assert (verdict.fits, verdict.why) == (by_host, why)


def test_what_cannot_be_known_is_unknown() -> None:
    verdict = fit(Load(spec=LoadSpec(key="x"), footprint=None), None, measured=True)

    assert (verdict.fits, verdict.why) == (None, "unknown")


def test_who_has_to_leave_is_named() -> None:
    cost = Footprint(weights_bytes=1, kv_bytes=1, source="host")
    leaving = Resident(key="old", identifier="lmswitch/old")

    verdict = fit(
        Load(spec=LoadSpec(key="x"), footprint=cost, evict=(leaving,)), cost, measured=True
    )

    assert (verdict.fits, verdict.why) == (True, "yes, after unloading old")
