"""`lmswitch explain`: the decision, and nothing but the decision."""

import json

from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.machine import Snapshot

SMALL = card("small-chat", params="1B", size_bytes=200 * 2**20)
HUGE = card("huge-chat", params="70B", size_bytes=40 * 2**30)


def run(host: ScriptedHost, *args: str) -> Result:
    machine = FixedMachine(
        now=Snapshot(ram_total_bytes=8 * 2**30, ram_free_bytes=4 * 2**30, gpus=())
    )
    return CliRunner().invoke(
        app, ["explain", "Hello there", *args], obj=Session(host=host, monitor=machine)
    )


def test_explain_says_who_would_answer_and_why_not_the_others() -> None:
    done = run(ScriptedHost([SMALL, HUGE]))

    assert done.exit_code == 0
    sentence, *lines = done.stdout.splitlines()
    assert sentence.startswith("small-chat for chat (")
    (chosen,) = [line for line in lines if line.startswith("small-chat")]
    (refused,) = [line for line in lines if line.startswith("huge-chat")]
    assert "chosen" in chosen
    assert "yes" in chosen
    assert "MiB" in chosen
    assert "1B parameters" in chosen
    assert "does not fit: needs 40,992 MiB" in refused


def test_explain_loads_and_calls_nothing() -> None:
    host = ScriptedHost([SMALL, HUGE])

    assert run(host).exit_code == 0

    assert {call.method for call in host.calls} == {"cards", "residents", "estimate"}


def test_explain_as_json_is_the_decision() -> None:
    record = json.loads(run(ScriptedHost([SMALL, HUGE]), "--json").stdout)

    assert record["model"] == "small-chat"
    assert {one["key"]: one["fits"] for one in record["candidates"]} == {
        "small-chat": True,
        "huge-chat": False,
    }


def test_explain_without_models_says_how_to_get_one() -> None:
    done = run(ScriptedHost([]))

    assert "no model is installed" in done.stdout
    assert "lmswitch pull starter" in done.stderr


def test_explain_tells_what_would_make_others_the_chosen_ones() -> None:
    other = card("middle-chat", params="1B", size_bytes=300 * 2**20)
    done = run(ScriptedHost([SMALL, other]))
    *_, heading, line = done.stdout.splitlines()

    assert done.stdout.startswith("small-chat for chat (")
    assert heading == "Others would answer"
    assert line.startswith("  middle-chat: ")
    assert "more from feedback" in line


def test_explain_as_json_has_the_parts_of_each_score() -> None:
    record = json.loads(run(ScriptedHost([SMALL]), "--json").stdout)
    [one] = record["candidates"]

    assert set(one["parts"]) == {"prior", "answer", "load", "margin"}
    assert abs(sum(one["parts"].values()) - one["score"]) < 1e-5
    assert one["wins_if"] == []
