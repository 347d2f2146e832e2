"""How old the facts may be that a choice is made from."""

import asyncio
import random
from dataclasses import replace

from langchain_lmswitch.ledger.memory import MemoryLedger
from langchain_lmswitch.policy.offload import GPU_PROCESS_BYTES
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.learning import Learning
from langchain_lmswitch.switch.surveyor import LATELY_S, Surveyor
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.machine import Footprint, Gpu
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident
from langchain_lmswitch.types.plans import Load


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
            learning=Learning(self.host, MemoryLedger()),
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
    model = office.host.disk["a"]
    in_memory = await office.surveyor.footprint(model)
    gpu = Gpu(name="A", total_bytes=2**34, free_bytes=2**34)
    office.machine.now = replace(office.machine.now, gpus=(gpu,))
    on_gpu = await office.surveyor.footprint(model)
    office.machine.now = replace(office.machine.now, gpus=(replace(gpu, free_bytes=0),))

    assert in_memory.vram_bytes == 0
    assert on_gpu.ram_bytes == in_memory.backend_bytes + GPU_PROCESS_BYTES
    assert on_gpu.vram_bytes > in_memory.total_bytes
    assert await office.surveyor.footprint(model) == in_memory
    assert len(office.host.called("estimate")) == 1
    for host in (ScriptedHost(["a"]), Guessing(["a"], scope="remote")):
        other = Office(host)
        other.machine.now = replace(other.machine.now, gpus=(gpu,))
        assert (await other.surveyor.footprint(model)).vram_bytes == 0


MIB = 2**20


async def evicts(office: Office, key: str) -> list[str]:
    """Say who would leave for a model."""
    cards = {card.key: card for card in await office.surveyor.cards()}
    footprints = await office.surveyor.footprints(list(cards.values()))
    survey = await office.surveyor.survey()
    spec = office.surveyor.spec(cards[key])
    plan = office.surveyor.plan(spec, footprints[key], survey, needed_tokens=10)
    assert isinstance(plan, Load)
    return [one.key for one in plan.evict]


async def room_for_two(*, mib: dict[str, int]) -> Office:
    """Let `a` and `b` be loaded, and 100 MiB be left."""
    host = ScriptedHost([card(key, size_bytes=size * MIB) for key, size in mib.items()])
    office = Office(host)
    for key in "ab":
        spec = office.surveyor.spec(host.disk[key])
        await host.load(spec)
    free_bytes = office.surveyor.settings.headroom_bytes + 100 * MIB
    office.machine.now = replace(office.machine.now, ram_free_bytes=free_bytes)
    return office


async def test_who_is_asked_for_least_leaves() -> None:
    office = await room_for_two(mib={"a": 500, "b": 600, "new": 400})
    for key in "aabaabacaab":
        office.surveyor.demand.note(key)
    assert await evicts(office, "new") == ["b"]
    for key in "bcbcbcbcbcbcbcbcbcbc":
        office.surveyor.demand.note(key)
    assert await evicts(office, "new") == ["a"]


async def test_what_is_planned_knows_how_much_is_in_doubt() -> None:
    office = await room_for_two(mib={"a": 500, "b": 600, "new": 400})
    doubts = []
    for key in ("a", *("ba" * 20)):
        office.surveyor.demand.note(key)
        doubts.append(office.surveyor.priced(await office.surveyor.survey()).doubt)
    assert 0.9 < doubts[0] < 1.0
    assert 0.3 < doubts[-1] < 0.4


async def test_giant_leaves_for_the_sake_of_those_who_are_not_there() -> None:
    dwarfs = [f"dwarf-{n}" for n in range(5)]
    sizes = {"a": 9000} | dict.fromkeys(["b", "new", *dwarfs], 300)
    office = await room_for_two(mib=sizes)
    dice = random.Random(1)  # noqa: S311
    for key in dice.choices(["b", *dwarfs, "a"], [4, 4, 4, 4, 4, 4, 1], k=300):
        office.surveyor.demand.note(key)
    assert await evicts(office, "new") == ["a"]
