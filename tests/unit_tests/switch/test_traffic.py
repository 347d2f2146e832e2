"""Any visits in any order on any machine; what fails is shrunk to the few visits that matter."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit_tests.switch.streams import STREAMS
from unit_tests.switch.traffic import drive
from unit_tests.switch.watched import WatchedDesk, WatchedHost

from langchain_lmswitch.testing import card, run_virtually
from langchain_lmswitch.testing.bystanders import ACTS

GIB = 2**30
SIZES_GIB = {"large": 9, "middle": 6, "small": 2}
LONGEST_QUARANTINE_S = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody who comes, and leaves when patience is at an end; or who wants room made."""

    at_s: float
    key: str
    patience_s: float | None = None
    unload: bool = False


seconds = st.integers(0, 120).map(lambda tenths: tenths / 10)
visits = st.lists(
    st.builds(
        Visit,
        at_s=seconds,
        key=st.sampled_from(sorted(SIZES_GIB)),
        patience_s=st.none() | seconds,
        unload=st.integers(0, 9).map(lambda face: face == 9),
    ),
    min_size=1,
    max_size=30,
)
machines = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 99),
        "needs": st.fixed_dictionaries(
            {key: st.sampled_from([1, 0.7, 1.4, 2]) for key in SIZES_GIB}
        ),
        "release_s": st.sampled_from([(0.0, 0.0), (0.2, 1.5), (6.0, 8.0)]),
        "load_failures": st.sampled_from([0.0, 0.3]),
        "crashes": st.sampled_from([0.0, 0.2]),
        "call_s": st.sampled_from([0.0, 0.5]),
        "bystanders_s": st.sampled_from([None, 3.0]),
        "bystanders_do": st.lists(st.sampled_from(ACTS), min_size=1, unique=True),
    }
)


async def visit(desk: WatchedDesk, one: Visit, call: str) -> None:
    await asyncio.sleep(one.at_s)
    if one.unload:
        await desk.unload(patience_s=one.patience_s or 60)
    else:
        await desk.ask(one.key, call, patience_s=one.patience_s)


async def come_all(
    machine: Mapping[str, object], coming: Sequence[Visit], fickle: float
) -> WatchedDesk:
    cards = [card(key, size_bytes=gib * GIB) for key, gib in SIZES_GIB.items()]
    host = WatchedHost(cards, memory_bytes=16 * GIB, **machine)
    now_s = asyncio.get_running_loop().time
    desk = WatchedDesk(host, clock=now_s, wall_clock=now_s, queue_limit=8, fickle=fickle)
    await asyncio.gather(*(visit(desk, one, f"call-{at}") for at, one in enumerate(coming)))
    return desk


async def calm_down(desk: WatchedDesk) -> None:
    """Let the machine be a good and empty one, and all that is shut away be forgotten."""
    host = desk.host
    host.load_failures = host.crashes = 0.0
    host.needs, host.release_s = 1.0, (0.2, 1.5)
    host.bystanders.leave()
    for resident in await host.residents():
        await desk.board.unload(resident.identifier)
    await asyncio.sleep(LONGEST_QUARANTINE_S)


@settings(max_examples=150, deadline=None)
@given(machines, visits, st.sampled_from([0.0, 0.5]))
def test_visits(machine: Mapping[str, object], coming: Sequence[Visit], fickle: float) -> None:
    """Every visit ends, nothing wrong is done, and afterwards each model can be had."""

    async def scenario() -> None:
        desk = await come_all(machine, coming, fickle)
        assert list(desk.wrongs()) == []

        await calm_down(desk)
        desk.fickle = 0.0
        answered = desk.host.events["answers ended"]
        for key in SIZES_GIB:
            await desk.ask(key, "last", patience_s=None)
        assert desk.host.events["answers ended"] == answered + len(SIZES_GIB), desk.refusals
        assert list(desk.wrongs()) == []

    run_virtually(scenario())


@pytest.mark.parametrize("stream", STREAMS)
def test_the_same_seed_is_the_same_traffic(stream: str) -> None:
    """What a failing round prints is enough to see it again."""
    assert drive(stream, 7, 200) == drive(stream, 7, 200) != drive(stream, 8, 200)
