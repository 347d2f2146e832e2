"""Weighing loads of a host, by its processes and this computer's GPUs."""

import asyncio
import threading
from dataclasses import replace

from langchain_lmswitch.machine.processes import Processes
from langchain_lmswitch.machine.scales import Scales
from langchain_lmswitch.testing import FixedMachine
from langchain_lmswitch.types.machine import Gpu, Snapshot
from langchain_lmswitch.types.readings import Observation, Tree, Unusable

MIB = 2**20
PORT = 1234


class Grown(Processes):
    """The processes of a host that a test lets grow; they are looked at in a thread."""

    def __init__(self) -> None:
        super().__init__()
        self.held: int = 300 * MIB
        self.threads: set[int] = set()

    def tree(self, port: int) -> Tree | None:
        self.threads.add(threading.get_ident())
        if port != PORT:
            return None
        return Tree(root=7, resident_bytes=self.held, private_bytes=None)


class Bench:
    def __init__(self, port: int | None = PORT) -> None:
        card = Gpu(name="A", total_bytes=8_000 * MIB, free_bytes=8_000 * MIB)
        self.machine = FixedMachine(
            now=Snapshot(ram_total_bytes=16_000 * MIB, ram_free_bytes=9_000 * MIB, gpus=(card,))
        )
        self.processes = Grown()
        self.scales = Scales(port, self.machine, processes=self.processes)

    def load(self, *, ram_mib: int, vram_mib: int = 0) -> None:
        self.processes.held += ram_mib * MIB
        [card] = self.machine.now.gpus or ()
        fuller = replace(card, free_bytes=(card.free_bytes or 0) - vram_mib * MIB)
        self.machine.now = replace(self.machine.now, gpus=(fuller,))


async def test_load_is_weighed_when_it_is_done_and_after_the_first_answer() -> None:
    bench = Bench()
    tare = await bench.scales.before()
    bench.load(ram_mib=500, vram_mib=700)
    loaded = await bench.scales.after(tare, size_bytes=900 * MIB)
    bench.load(ram_mib=100)
    answered = await bench.scales.after(tare, size_bytes=900 * MIB)

    assert loaded == Observation(ram_bytes=500 * MIB, vram_bytes=700 * MIB)
    assert answered == Observation(ram_bytes=600 * MIB, vram_bytes=700 * MIB)
    assert threading.get_ident() not in bench.processes.threads


async def test_two_loads_at_once_spoil_the_first() -> None:
    bench = Bench()
    first = await bench.scales.before()
    second = await bench.scales.before()
    bench.load(ram_mib=500)

    assert isinstance(await bench.scales.after(first, size_bytes=MIB), Unusable)
    assert isinstance(await bench.scales.after(second, size_bytes=MIB), Observation)


async def test_unload_and_what_others_did_spoil_it() -> None:
    bench = Bench()
    tare = await bench.scales.before()
    bench.load(ram_mib=500)
    by_others = await bench.scales.after(tare, size_bytes=MIB, overlapped=True)
    usable = await bench.scales.after(tare, size_bytes=MIB)
    bench.scales.moved()
    spoiled = await bench.scales.after(tare, size_bytes=MIB)

    assert isinstance(by_others, Unusable)
    assert isinstance(usable, Observation)
    assert spoiled == by_others


async def test_second_load_that_begins_while_the_first_is_read_spoils_it() -> None:
    bench = Bench()
    first, second = await asyncio.gather(bench.scales.before(), bench.scales.before())
    bench.load(ram_mib=500)

    assert isinstance(await bench.scales.after(first, size_bytes=MIB), Unusable)
    assert isinstance(await bench.scales.after(second, size_bytes=MIB), Observation)


async def test_host_that_cannot_be_looked_at() -> None:
    for port in (None, PORT + 1):
        bench = Bench(port)
        tare = await bench.scales.before()
        bench.load(ram_mib=500)
        told = await bench.scales.after(tare, size_bytes=MIB)
        assert told == Unusable(reason="the host's processes cannot be looked at")
