"""`lmswitch models`: what is there, and the verdict on each."""

import asyncio
import json
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.models import fit
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.cli.shelf import Fit, Row, Shelf, listing, reasons
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.machine import Footprint, Snapshot
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.paces import Pace
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


def shelved(key: str, **said: Any) -> Row:
    return Row(**{"card": card(key), "fit": Fit(fits=True, why="yes"), **said})


def drawn(shelf: Shelf, columns: int) -> str:
    terminal = Console(width=columns, color_system=None)
    with terminal.capture() as caught:
        terminal.print(listing(shelf, columns=columns))
    return caught.get()


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


def records(host: ScriptedHost, *args: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(run(host, *args, "--json").stdout)["models"]
    return told


def test_what_is_loaded_comes_first_then_what_fits_then_the_rest() -> None:
    """Chat models stand before embedding models."""
    host = ScriptedHost(CARDS)
    asyncio.run(host.load(LoadSpec(key="small")))

    assert [one["key"] for one in records(host)] == ["small", "seer", "huge", "words"]


def test_resident_is_shown_as_loaded() -> None:
    host = ScriptedHost(CARDS)
    resident = asyncio.run(host.load(LoadSpec(key="small")))

    (record,) = [one for one in records(host) if one["key"] == "small"]

    assert record["resident"] == [resident.identifier]
    assert record["fits"] is True
    assert record["context_tokens"] == resident.context_tokens
    assert row(run(host), "small").rstrip().endswith("loaded")


def test_only_those_that_are_meant_are_listed() -> None:
    host = ScriptedHost(CARDS)

    assert [one["key"] for one in records(host, "HUGE")] == ["huge"]
    assert [one["key"] for one in records(host, "s*")] == ["seer", "small"]
    assert [one["key"] for one in records(host, "tools")] == ["small"]


def test_name_that_means_none_has_the_exit_code_of_an_unknown_model() -> None:
    done = run(ScriptedHost(CARDS), "smal1", "--json")

    assert done.exit_code == 4
    assert "small" in json.loads(done.stderr)["message"]


def test_context_is_the_largest_that_fits() -> None:
    """One that does not fit with the usual context is shown with a smaller one."""
    tight = Snapshot(ram_total_bytes=2**30, ram_free_bytes=2**30, gpus=())
    host = ScriptedHost([card("small", size_bytes=300 * 2**20)])

    session = Session(host=host, monitor=FixedMachine(now=tight))
    done = CliRunner().invoke(app, ["models", "--json"], obj=session)

    (record,) = json.loads(done.stdout)["models"]
    assert (record["fits"], record["context_tokens"]) == (True, 4096)
    assert record["footprint_bytes"] == (300 + 128) * 2**20


def test_task_ranks_chat_models_by_how_often_they_are_right() -> None:
    found = records(ScriptedHost(CARDS), "--task", "code")

    qualities = [one["task"]["quality"] for one in found]
    assert [one["key"] for one in found] == ["huge", "seer", "small"]
    assert qualities == sorted(qualities, reverse=True)
    assert f"{qualities[0]:.0%}" in row(run(ScriptedHost(CARDS), "--task", "code"), "huge")


def test_measured_speed_is_shown_if_there_is_any() -> None:
    shelf = Shelf(address="x", rows=[shelved("small", pace=Pace(tokens_per_second=41.25))])

    assert "41.2" in drawn(shelf, 80)
    assert "tokens/s" not in drawn(Shelf(address="x", rows=[shelved("small")]), 80)


def test_split_is_shown_where_there_are_gpus() -> None:
    cost = Footprint(weights_bytes=3 * 2**30, kv_bytes=0, vram_bytes=2**30, source="host")
    rows = [shelved("small", footprint=cost)]

    assert "2.0 GiB  1.0 GiB" in drawn(Shelf(address="x", rows=rows, on_gpus=True), 80)
    assert "3.0 GiB" in drawn(Shelf(address="x", rows=rows), 80)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_line_fits_and_sentences_stand_below(columns: int) -> None:
    refused = Fit(fits=False, why="no: needs 41,992 MiB, 3,584 MiB free, and others hold the rest")
    leaving = Fit(fits=True, why="yes, after unloading one, another")
    rows = [
        shelved("a-model-of-quite-a-long-name-7b-instruct", fit=refused),
        shelved("another", fit=leaving),
    ]
    shelf = Shelf(address="x", rows=rows)

    assert max(map(len, drawn(shelf, columns).splitlines())) <= columns
    assert "if others leave" in drawn(shelf, columns)
    assert reasons(shelf, columns=columns) == [
        f"a-model-of-quite-a-long-name-7b-instruct: {refused.why}",
        f"another: {leaving.why}",
    ]


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
