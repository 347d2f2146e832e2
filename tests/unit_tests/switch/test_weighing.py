"""What is remembered of a load: what it held, unless anything else came or went meanwhile."""

import asyncio

import pytest
from unit_tests.switch.desk import MIB, model

from langchain_lmswitch.ledger.memory import MemoryLedger
from langchain_lmswitch.machine.processes import Processes
from langchain_lmswitch.machine.scales import Scales
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.testing import FixedMachine, ScriptedHost
from langchain_lmswitch.types.models import LoadSpec
from langchain_lmswitch.types.readings import Tree

BASE_MIB = 100


class Weighed(Processes):
    """The processes of a scripted host: a base, and what its models hold, a little more in use."""

    def __init__(self, host: ScriptedHost) -> None:
        super().__init__(listeners=lambda: ())
        self.host = host
        self.working_mib = 0

    def tree(self, port: int) -> Tree | None:
        del port
        held_bytes = self.host.places.used_bytes + (BASE_MIB + self.working_mib) * MIB
        return Tree(root=1, resident_bytes=held_bytes, private_bytes=None)


class Weighbridge:
    """A board whose loads are weighed, and what it has remembered of them."""

    def __init__(self) -> None:
        self.host = ScriptedHost([model("a", 300), model("b", 40)])
        self.processes, self.ledger = Weighed(self.host), MemoryLedger()
        machine = FixedMachine()
        self.board = Switchboard(
            self.host,
            machine,
            Settings(),
            ledger=self.ledger,
            scales=Scales(1, machine, processes=self.processes),
        )

    async def load(self, key: str) -> None:
        card = self.host.disk[key]
        await self.board.acquire(card, call=key, needed_tokens=10, on_event=lambda _: None)

    async def remembered(self) -> list[tuple[str, int | None]]:
        await asyncio.sleep(0.2)  # the second weighing is made in a thread
        seen = self.ledger.loads("local")
        return [
            (one.configuration.key, one.observed_bytes and one.observed_bytes // MIB)
            for one in seen
        ]


@pytest.fixture
def bridge() -> Weighbridge:
    return Weighbridge()


async def test_a_load_is_weighed_again_when_it_has_answered(bridge: Weighbridge) -> None:
    await bridge.load("a")
    assert await bridge.remembered() == []
    bridge.processes.working_mib = 7
    bridge.board.release("a")
    assert await bridge.remembered() == [("a", 339)]


async def test_what_another_process_loads_meanwhile_is_not_taken_for_its_own(
    bridge: Weighbridge,
) -> None:
    await bridge.load("a")
    await bridge.host.load(LoadSpec(key="b", context_tokens=1024, identifier="theirs"))
    bridge.board.release("a")
    assert await bridge.remembered() == [("a", 332)]


async def test_what_leaves_meanwhile_does_not_make_it_lighter(bridge: Weighbridge) -> None:
    theirs = LoadSpec(key="b", context_tokens=1024, identifier="theirs")
    await bridge.host.load(theirs)
    bridge.host.progress = [0.0]
    loading = asyncio.create_task(bridge.load("a"))
    while not bridge.host.called("load")[1:]:  # noqa: ASYNC110 - the first was theirs
        await asyncio.sleep(0)
    bridge.host.lose("theirs")
    await loading
    bridge.board.release("a")
    assert await bridge.remembered() == [("a", None)]


async def test_the_next_load_settles_the_one_before(bridge: Weighbridge) -> None:
    await bridge.load("a")
    await bridge.load("b")
    assert await bridge.remembered() == [("a", 332)]


async def test_a_load_is_remembered_though_the_process_ends_right_after_its_answer(
    bridge: Weighbridge,
) -> None:
    await bridge.load("a")
    bridge.processes.working_mib = 7
    bridge.board.release("a")
    await bridge.board.leave()
    assert [one.observed_bytes for one in bridge.ledger.loads("local")] == [339 * MIB]
