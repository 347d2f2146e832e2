"""`lmswitch load` and `lmswitch unload`: memory by hand."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.guard import FAILED, NO_MODEL, NO_ROOM, USAGE
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.events import InstanceState
from langchain_lmswitch.types.machine import Snapshot
from langchain_lmswitch.types.models import LoadSpec, Resident

MIB = 2**20
ROOM = 300 * MIB + 256 * MIB + 512 * MIB
"""For one model, its context of 8,192 tokens and the headroom."""
CODER, CHAT = "lmswitch/coder-7b", "lmswitch/chat-8b"


class BusyHost(ScriptedHost):
    """A host on which other programs may be using models."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.busy: set[str] = set()

    async def state(self, identifier: str) -> InstanceState | None:
        if identifier in self.busy:
            return InstanceState(status="generating", queued=0)
        return await super().state(identifier)


def two(**options: Any) -> BusyHost:
    cards = [
        card("coder-7b", size_bytes=300 * MIB, max_context_tokens=32768),
        card("chat-8b", size_bytes=300 * MIB),
        card("nomic-embed", kind="embedding", size_bytes=MIB),
    ]
    return BusyHost(cards, **options)


def run(host: ScriptedHost, *args: str, **options: Any) -> Result:
    session = Session(host=host, monitor=host)
    return CliRunner().invoke(app, args, obj=session, **options)


def resident(host: ScriptedHost) -> list[str]:
    return [one.identifier for one in host.places.residents()]


def test_load_says_what_is_where_and_how_long_it_stays() -> None:
    host = two(memory_bytes=ROOM)
    done = run(host, "load", "coder")

    assert done.exit_code == 0
    assert done.stdout.startswith("coder-7b was loaded in ")
    assert f"at {host.address}: 8,192 tokens of context, about 556 MiB of RAM." in done.stdout
    assert done.stderr == "It stays until it has not been used for 1 h.\n"
    assert resident(host) == [CODER]


def test_load_of_what_is_loaded_changes_nothing() -> None:
    host = two()
    run(host, "load", "coder")
    done = run(host, "load", "CODER-7b")

    assert done.stdout.startswith("coder-7b is loaded already at ")
    assert len(host.called("load")) == 1


def test_load_makes_room_and_says_who_left() -> None:
    host = two(memory_bytes=ROOM)
    run(host, "load", "coder")
    done = run(host, "load", "chat")

    assert f"{CODER} left to make room." in done.stderr
    assert resident(host) == [CHAT]


def test_load_with_pin_is_not_pushed_out() -> None:
    host = two(memory_bytes=ROOM)
    assert "It is pinned" in run(host, "load", "coder", "--pin").stderr
    done = run(host, "load", "chat")

    assert done.exit_code == NO_ROOM
    assert f"{CODER} may not be unloaded" in done.stderr
    assert resident(host) == [CODER]


def test_load_with_a_context_loads_anew_only_for_more() -> None:
    host = two()
    run(host, "load", "coder", "--context", "2048")
    assert "2,048 tokens of context" in run(host, "load", "coder", "--context", "1024").stdout
    assert "16,384 tokens of context" in run(host, "load", "coder", "--context", "16384").stdout

    asked = [call.spec for call in host.called("load")]
    assert [one.context_tokens for one in asked if one] == [2048, 16384]
    assert resident(host) == [CODER]


def test_load_gives_no_less_context_than_was_asked_for() -> None:
    host = two(memory_bytes=ROOM)
    assert run(host, "load", "coder", "--context", "32768").exit_code == NO_ROOM
    assert resident(host) == []


@pytest.mark.parametrize(
    ("models", "why"),
    [("{}", "it was trained for no more"), ('{"coder": {"max_context": 4096}}', "`max_context`")],
)
def test_load_with_more_context_than_there_can_be_is_refused(
    models: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMSWITCH_MODELS", models)
    done = run(two(), "load", "coder", "--context", "65536")

    assert done.exit_code == USAGE
    assert why in done.stderr


def test_load_says_when_there_was_no_room_for_all_of_the_context() -> None:
    host = two(memory_bytes=ROOM - 100 * MIB)
    done = run(host, "load", "coder")

    assert "4,096 tokens of context" in done.stdout
    assert "There is no room for its usual context of 8,192 tokens." in done.stderr


def test_load_takes_embedding_models_too() -> None:
    host = two()
    assert run(host, "load", "nomic").exit_code == 0
    assert [one.kind for one in host.places.residents()] == ["embedding"]


def test_load_of_a_model_that_somebody_else_loaded_leaves_it_to_them() -> None:
    theirs = Resident(key="coder-7b", identifier="coder-7b", context_tokens=8192)
    host = two(foreign=[theirs])
    done = run(host, "load", "coder")

    assert "Somebody else loaded it; it stays until it is unloaded" in done.stderr
    assert host.called("load") == []


def test_load_of_an_unknown_model_names_the_nearest() -> None:
    done = run(two(), "load", "codr", "--json")

    assert done.exit_code == NO_MODEL
    error = json.loads(done.stderr)
    assert error["error"] == "UnknownModel"
    assert "'coder-7b'" in error["message"]


def test_load_as_json() -> None:
    host = two(memory_bytes=ROOM)
    run(host, "load", "coder")
    told = json.loads(run(host, "load", "chat", "--pin", "--json").stdout)

    assert (told["model"], told["loaded"], told["evicted"]) == ("chat-8b", True, [CODER])
    assert (told["pinned"], told["ours"], told["host"]) == (True, True, host.address)
    assert told["resident"]["identifier"] == CHAT
    assert told["footprint_bytes"] == 556 * MIB


def test_what_was_loaded_by_hand_stays_when_a_process_ends_that_used_it() -> None:
    host = two()
    run(host, "load", "coder")
    board = boards().given(host, host, Session().settings())
    asyncio.run(board.leave())
    assert resident(host) == [CODER]


def test_unload_takes_ours_and_all_takes_those_of_others() -> None:
    host = two(foreign=[Resident(key="chat-8b", identifier="theirs", size_bytes=MIB)])
    run(host, "load", "coder")
    first, second = run(host, "unload"), run(host, "unload")

    assert first.stdout == f"{CODER} was unloaded: about 556 MiB.\n"
    assert second.stderr == "Nothing is loaded that lmswitch has loaded.\n"
    assert resident(host) == ["theirs"]
    assert run(host, "unload", "--all").stdout.startswith("theirs was unloaded")
    assert resident(host) == []


@pytest.mark.parametrize("name", ["theirs", "chat"])
def test_unload_by_name_takes_what_others_have_loaded(name: str) -> None:
    host = two(foreign=[Resident(key="chat-8b", identifier="theirs", size_bytes=MIB)])
    assert json.loads(run(host, "unload", name, "--json").stdout) == {"unloaded": ["theirs"]}
    assert resident(host) == []


def test_unload_of_what_is_not_loaded_is_no_error() -> None:
    done = run(two(), "unload", "coder")
    assert (done.exit_code, done.stderr) == (0, "coder is not loaded.\n")


def test_unload_takes_a_pinned_model_and_says_that_the_pin_stays() -> None:
    host = two()
    run(host, "load", "coder", "--pin")
    done = run(host, "unload", "coder")

    assert resident(host) == []
    assert "coder-7b is still pinned" in done.stderr


@contextmanager
def in_use(host: BusyHost, identifier: str) -> Iterator[None]:
    host.busy.add(identifier)
    yield
    host.busy.discard(identifier)


def test_unload_asks_before_it_breaks_an_answer_off() -> None:
    host = two()
    run(host, "load", "coder")
    with in_use(host, CODER):
        refused = run(host, "unload", "coder", input="n\n")
        assert refused.exit_code == FAILED
        assert f"{CODER} is in use by another program. Break that off?" in refused.stderr
        assert "Nothing was unloaded." in refused.stderr
        assert resident(host) == [CODER]
        assert run(host, "unload", "coder", input="y\n").exit_code == 0
    assert resident(host) == []


def test_unload_for_a_program_needs_a_yes_beforehand() -> None:
    host = two()
    run(host, "load", "coder")
    with in_use(host, CODER):
        refused = run(host, "unload", "--json")
        assert refused.exit_code == USAGE
        assert "Say --yes" in json.loads(refused.stderr)["message"]
        assert run(host, "unload", "--json", "--yes").exit_code == 0
    assert resident(host) == []


def test_unload_of_one_and_of_all_is_no_request() -> None:
    assert run(two(), "unload", "coder", "--all").exit_code == USAGE


def test_memory_of_gpus_is_told_apart() -> None:
    gpu = FixedMachine(
        now=Snapshot(ram_total_bytes=None, ram_free_bytes=None, gpus=None), quick=True
    )
    host = two()
    session = Session(host=host, monitor=gpu)
    done = CliRunner().invoke(app, ["load", "coder"], obj=session)
    assert done.stdout.endswith("about 556 MiB.\n")


def test_a_load_by_hand_has_the_tables_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_MODELS", '{"coder": {"ttl_s": 0}, "chat": {"ttl_s": 90}}')
    host = two()
    assert run(host, "load", "coder").stderr == "It stays until it is unloaded.\n"
    assert "not been used for 2 min" in run(host, "load", "chat").stderr
    specs = [call.spec for call in host.called("load")]
    assert [one.ttl_s for one in specs if isinstance(one, LoadSpec)] == [None, 90]


def test_a_pinned_model_is_not_loaded_anew_for_more_context() -> None:
    host = two()
    run(host, "load", "coder", "--pin")
    done = run(host, "load", "coder", "--context", "16384")

    assert done.exit_code == USAGE
    assert "'coder-7b' is loaded with 8,192 tokens of context, and has to stay" in done.stderr
    assert "`lmswitch unload coder-7b`" in done.stderr
    assert len(host.called("load")) == 1
