"""What the user's tables say of single models, and pins, on a switchboard."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from unit_tests.switch.desk import MIB, Desk, model, virtual

from langchain_lmswitch.errors import NotEnoughMemory
from langchain_lmswitch.machine.lists import SharedList
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.pinning import pinned
from langchain_lmswitch.switch.slots import AHEAD
from langchain_lmswitch.testing import ScriptedHost, card
from langchain_lmswitch.types.models import ModelCard, Resident


def two(*cards: ModelCard) -> ScriptedHost:
    """Build a host with room for one of its two models."""
    found = cards or (model("a"), model("b"))
    return ScriptedHost(found, memory_bytes=700 * MIB, load_step_s=0.01)


def board(host: ScriptedHost, *, pins: SharedList | None = None, **options: Any) -> Switchboard:
    return Switchboard(host, host, Settings(headroom_bytes=0, **options), pinned=pins)


async def acquire(one: Switchboard, key: str, call: str = "call") -> Resident:
    cards = {card.key: card for card in await one.surveyor.cards()}
    held = await one.acquire(cards[key], call=call, needed_tokens=10, on_event=lambda _: None)
    return held.resident


async def test_a_model_is_loaded_with_what_its_table_says() -> None:
    host = ScriptedHost([card("coder", max_context_tokens=32768), card("chat"), card("small")])
    tables = {
        "coder": {"max_context": 16384, "parallel": 3, "ttl_s": 0},
        "small": {"max_context": 1024, "ttl_s": 60},
    }
    one = board(host, models=tables, context_tokens=4096, parallel=2, ttl_s=600)
    found = [one.surveyor.spec(card) for card in await one.surveyor.cards()]

    assert [(one.context_tokens, one.parallel, one.ttl_s) for one in found] == [
        (16384, 3, None),
        (4096, 2, 600),
        (1024, 2, 60),
    ]
    assert (await acquire(one, "coder", "first")).ttl_s is None
    assert (await acquire(one, "small", "second")).context_tokens == 1024


async def test_a_card_has_no_more_context_than_the_user_lets_it_have() -> None:
    one = board(ScriptedHost([card("coder"), card("chat")]), models={"coder": {"max_context": 512}})
    found = {card.key: card for card in await one.surveyor.cards()}

    assert (found["coder"].max_context_tokens, found["coder"].capped) == (512, True)
    assert (found["chat"].max_context_tokens, found["chat"].capped) == (8192, False)


@virtual
async def test_each_model_has_slots_of_its_own() -> None:
    host = ScriptedHost([model("a"), model("b")], load_step_s=1.0)
    one = Desk(host, parallel=1, models={"a": {"parallel": 3}})
    await one.use("a", "first a")
    await one.use("b", "first b")
    busy = {"a": 0, "b": 0}
    most = dict(busy)

    async def ask(key: str, number: int) -> None:
        await one.acquire(key, f"{key}-{number}")
        busy[key] += 1
        most[key] = max(most[key], busy[key])
        await asyncio.sleep(1.0)
        busy[key] -= 1
        one.board.release(f"{key}-{number}")

    await asyncio.gather(*(ask(key, number) for key in busy for number in range(12)))
    assert most == {"a": 3 + AHEAD, "b": 1 + AHEAD}


async def test_what_a_table_pins_is_not_unloaded_to_make_room() -> None:
    one = board(two(), models={"[a]": {"pin": True}})
    await acquire(one, "a")
    one.release("call")
    with pytest.raises(NotEnoughMemory) as refused:
        await acquire(one, "b")
    assert refused.value.blockers == ("lmswitch/a",)


async def test_a_pin_by_hand_holds_on_every_board_until_it_is_taken_off(tmp_path: Path) -> None:
    """Two boards stand for two processes: they share a file, and nothing else."""
    host, path = two(), tmp_path / "pins.json"
    one, other = board(host, pins=SharedList(path)), board(host, pins=SharedList(path))
    await acquire(one, "a")
    one.release("call")
    SharedList(path).add("a")
    for each in (one, other):
        with pytest.raises(NotEnoughMemory):
            await acquire(each, "b")

    SharedList(path).discard("a")
    assert (await acquire(other, "b")).key == "b"


async def test_a_pin_of_this_process_is_its_own() -> None:
    host = two()
    one, other = board(host), board(host)
    one.surveyor.pins.add("a")
    await acquire(one, "a")
    one.release("call")
    with pytest.raises(NotEnoughMemory):
        await acquire(one, "b")
    assert (await acquire(other, "b")).key == "b"


@pytest.mark.parametrize("how", ["table", "by hand", "here", "loaded by hand", "not at all"])
async def test_what_is_to_outlive_a_process_is_not_unloaded_at_its_end(how: str) -> None:
    host, pins = two(), SharedList(None)
    one = board(host, pins=pins, models={"[a]": {"pin": True}} if how == "table" else {})
    resident = await acquire(one, "a")
    one.release("call")
    match how:
        case "by hand":
            pins.add("a")
        case "here":
            one.surveyor.pins.add("a")
        case "loaded by hand":
            one.departures.keep(resident)
        case _:
            pass
    await one.leave()

    stays = how in {"table", "by hand", "loaded by hand"}
    assert [found.key for found in host.places.residents()] == ["a"] * stays


async def test_a_load_by_hand_is_this_load_and_not_the_next(tmp_path: Path) -> None:
    host = two()
    path = tmp_path / "loads.json"
    one = Switchboard(host, host, Settings(headroom_bytes=0), loaded_by_hand=SharedList(path))
    one.departures.keep(await acquire(one, "a"))
    one.release("call")
    await acquire(one, "b")
    one.release("call")
    again = await acquire(one, "a")
    one.release("call")
    await one.leave()
    assert again.reference not in SharedList(path).names
    assert list(host.places.residents()) == []


async def test_what_another_is_using_can_be_unloaded_at_once() -> None:
    host = two()
    one, other = board(host), board(host)
    await acquire(one, "a")
    await other.departures.unload_now("lmswitch/a")
    assert host.called("unload")[0].model == "lmswitch/a"
    assert list(host.places.residents()) == []


def test_pins_are_those_of_a_computer_whatever_the_port(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    pinned(settings, "127.0.0.1:41343").add("a")
    for address in ("localhost:1234", "[::1]:9", None):
        assert pinned(settings, address).names == ("a",)
    assert pinned(settings, "far:1234").names == ()
    far = settings.model_copy(update={"base_url": "http://far/v1"})
    pinned(far).add("b")
    assert pinned(settings, "far:41343").names == ("b",)
