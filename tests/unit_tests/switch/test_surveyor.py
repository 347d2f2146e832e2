"""How old the facts may be that a choice is made from."""

import asyncio
from dataclasses import replace

from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.surveyor import LATELY_S, Surveyor
from langchain_lmswitch.testing import FixedMachine, ScriptedHost
from langchain_lmswitch.types.machine import Footprint, Gpu
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Office:
    """A surveyor, and all that it looks at."""

    def __init__(self, host: ScriptedHost | None = None) -> None:
        self.host = host or ScriptedHost(["a", "b"])
        self.machine, self.clock = FixedMachine(), Clock()
        self.leased: set[str] = set()
        self.surveyor = Surveyor(
            self.host,
            self.machine,
            Settings(),
            leased=self.leased.__contains__,
            clock=self.clock,
        )

    async def keys(self, *, max_age_s: float = LATELY_S) -> set[str]:
        return set((await self.surveyor.survey(max_age_s=max_age_s)).resident_keys)


async def test_listing_of_a_moment_ago_is_used_again_and_then_read_anew() -> None:
    office = Office()
    assert await office.keys() == set()
    await office.host.load(LoadSpec(key="a"))
    office.clock.now_s += LATELY_S / 2
    assert await office.keys() == set()
    office.clock.now_s += LATELY_S
    assert await office.keys() == {"a"}
    assert len(office.host.called("residents")) == 2


async def test_listing_to_act_on_is_always_read() -> None:
    office = Office()
    await office.keys()
    await office.host.load(LoadSpec(key="a"))
    assert await office.keys(max_age_s=0) == {"a"}


async def test_memory_and_leases_are_those_of_now() -> None:
    office = Office()
    await office.host.load(LoadSpec(key="a", identifier="lmswitch/a"))
    [before] = (await office.surveyor.survey(max_age_s=LATELY_S)).occupants
    office.machine.now = replace(office.machine.now, ram_free_bytes=7)
    office.leased.add("lmswitch/a")
    survey = await office.surveyor.survey(max_age_s=LATELY_S)
    [after] = survey.occupants
    assert (before.keep, after.keep) == ("", "answering")
    assert survey.snapshot.ram_free_bytes == 7
    assert len(office.host.called("residents")) == 1


class Slow(ScriptedHost):
    """Lists what was there when it was asked, and answers when `go` is set."""

    go: asyncio.Event

    async def residents(self) -> list[Resident]:
        found = await super().residents()
        await self.go.wait()
        return found


async def test_listing_that_was_forgotten_while_it_was_read_is_not_kept() -> None:
    host = Slow(["a"])
    host.go = asyncio.Event()
    office = Office(host)
    reading = asyncio.create_task(office.keys())
    await asyncio.sleep(0)
    await host.load(LoadSpec(key="a"))
    office.surveyor.forget()
    host.go.set()
    assert await reading == set()
    assert await office.keys() == {"a"}


class Guessing(ScriptedHost):
    """A host that cannot estimate."""

    async def estimate(self, spec: LoadSpec, card: ModelCard) -> Footprint:
        return replace(await super().estimate(spec, card), source="size")


async def test_what_the_host_does_not_know_is_laid_on_what_gpus_have_free_now() -> None:
    """And what it knows, or what is elsewhere, is not."""
    office = Office(Guessing(["a"]))
    card = office.host.disk["a"]
    in_memory = await office.surveyor.footprint(card)
    gpu = Gpu(name="A", total_bytes=2**34, free_bytes=2**34)
    office.machine.now = replace(office.machine.now, gpus=(gpu,))
    on_gpu = await office.surveyor.footprint(card)
    office.machine.now = replace(office.machine.now, gpus=(replace(gpu, free_bytes=0),))

    assert (in_memory.vram_bytes, on_gpu.ram_bytes) == (0, in_memory.backend_bytes)
    assert on_gpu.vram_bytes > in_memory.total_bytes
    assert await office.surveyor.footprint(card) == in_memory
    assert len(office.host.called("estimate")) == 1
    for host in (ScriptedHost(["a"]), Guessing(["a"], scope="remote")):
        other = Office(host)
        other.machine.now = replace(other.machine.now, gpus=(gpu,))
        assert (await other.surveyor.footprint(card)).vram_bytes == 0
