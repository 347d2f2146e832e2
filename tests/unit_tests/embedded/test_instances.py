"""Which models are in memory, who uses them, and when they go."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from langchain_lmswitch.embedded.flights import Progress, Starting, Step, Unloading
from langchain_lmswitch.embedded.instances import Clock, Instances
from langchain_lmswitch.embedded.protocol.failures import WireError
from langchain_lmswitch.embedded.protocol.matching import Query, Reference
from langchain_lmswitch.embedded.shelf import ShelfModel
from langchain_lmswitch.embedded.worker import Worker, WorkerSpec
from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.models import LoadSpec, ModelCard, ModelKind


class ScriptedWorker:
    """Stands for a process: it ends when told to."""

    def __init__(self, spec: WorkerSpec) -> None:
        self.spec = spec
        self.context_tokens = spec.context_tokens
        self.exited = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def wait_exit(self) -> int:
        await self.exited.wait()
        return -9

    async def stop(self) -> None:
        await self.may_end.wait()
        self.exited.set()


class Engine:
    """Starts scripted workers, each held back until `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.go.set()
        self.started: list[str] = []
        self.killed: list[str] = []
        self.failure: Exception | None = None

    async def start(self, spec: WorkerSpec, *, on_progress: Callable[[float], None]) -> Worker:
        self.started.append(spec.key)
        on_progress(0.5)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.killed.append(spec.key)
            raise
        if self.failure is not None:
            raise self.failure
        return cast("Worker", ScriptedWorker(spec))


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Bench:
    """Instances over a scripted engine."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.watch = Watch()
        clock = Clock(monotonic=self.watch, wall=lambda: 1000.0 + self.watch())
        settings = Settings(context_tokens=4096, parallel=2, threads=1)
        self.instances = Instances(settings, start=self.engine.start, clock=clock)

    async def load(self, key: str, **spec: Any) -> Any:
        wish = LoadSpec(key=key, **spec)
        return await self.instances.load(_model(key), wish, on_progress=lambda _: None)

    async def demand(self, key: str, steps: list[Step] | None = None) -> Any:
        tell = (steps if steps is not None else []).append
        wish = LoadSpec(key=key, ttl_s=60)
        return await self.instances.get_or_load(_model(key), wish, tell=tell)

    def names(self) -> list[str]:
        return [one.identifier for one in self.instances.all()]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def _model(key: str, *, kind: ModelKind = "llm", max_context_tokens: int = 2048) -> ShelfModel:
    card = ModelCard(
        key=key,
        kind=kind,
        path=f"pub/{key}/{key}.gguf",
        size_bytes=7,
        max_context_tokens=max_context_tokens,
    )
    return ShelfModel(card=card, path=Path("/nowhere"), mmproj=None, architecture=None)


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_identifiers_are_the_key_and_then_numbered(bench: Bench) -> None:
    for _ in range(3):
        await bench.load("m")
    assert bench.names() == ["m", "m:2", "m:3"]


async def test_an_identifier_in_use_is_refused_even_while_its_load_is_under_way(
    bench: Bench,
) -> None:
    bench.engine.go.clear()
    first = asyncio.create_task(bench.load("m", identifier="mine"))
    await _settle()
    with pytest.raises(WireError, match="already exists"):
        await bench.load("m", identifier="mine")
    bench.engine.go.set()
    await first
    with pytest.raises(WireError, match="already exists"):
        await bench.load("m", identifier="mine")


async def test_a_failed_load_gives_its_identifier_back(bench: Bench) -> None:
    bench.engine.failure = LoadFailed("m", reason="broken")
    with pytest.raises(LoadFailed):
        await bench.load("m", identifier="mine")
    bench.engine.failure = None
    await bench.load("m", identifier="mine")
    assert bench.names() == ["mine"]


async def test_the_context_is_capped_at_the_trained_one_and_told_as_loaded(bench: Bench) -> None:
    instance = await bench.load("m", context_tokens=100_000)
    assert instance.resident().context_tokens == 2048
    instance = await bench.load("m", context_tokens=512)
    assert instance.resident().context_tokens == 512


async def test_what_is_not_asked_for_comes_from_the_settings(bench: Bench) -> None:
    instance = await bench.instances.load(
        _model("m", max_context_tokens=0), LoadSpec(key="m"), on_progress=lambda _: None
    )
    assert (instance.worker.spec.context_tokens, instance.worker.spec.parallel) == (4096, 2)


async def test_a_canceled_load_kills_its_process_and_leaves_nothing(bench: Bench) -> None:
    bench.engine.go.clear()
    load = asyncio.create_task(bench.load("m", identifier="mine"))
    await _settle()
    load.cancel()
    with pytest.raises(asyncio.CancelledError):
        await load
    assert bench.engine.killed == ["m"]
    bench.engine.go.set()
    await bench.load("m", identifier="mine")


async def test_a_query_finds_by_identifier_key_or_path(bench: Bench) -> None:
    instance = await bench.load("m", identifier="mine")
    for name in ("mine", "m", "PUB/m"):
        assert bench.instances.find(Query(identifier=name), kind="llm") is instance
    assert bench.instances.find(Reference(reference=instance.reference), kind="llm") is instance


async def test_what_is_not_loaded_is_refused_with_its_code(bench: Bench) -> None:
    instance = await bench.load("m")
    await bench.instances.unload(instance)
    with pytest.raises(WireError) as query:
        bench.instances.find(Query(identifier="m"), kind="llm")
    assert query.value.wire["displayData"]["code"] == "generic.noModelMatchingQuery"
    assert query.value.wire["displayData"]["query"] == {"identifier": "m"}
    with pytest.raises(WireError) as reference:
        bench.instances.find(Reference(reference=instance.reference), kind="llm")
    assert reference.value.wire["displayData"] == {"code": "generic.specificModelUnloaded"}


async def test_a_reload_under_the_same_identifier_has_another_reference(bench: Bench) -> None:
    first = await bench.load("m", identifier="mine")
    await bench.instances.unload(first)
    assert (await bench.load("m", identifier="mine")).reference != first.reference


async def test_a_namespace_sees_only_its_own_kind(bench: Bench) -> None:
    await bench.load("m")
    assert bench.instances.look_up(Query(identifier="m"), kind="embedding") is None
    assert bench.instances.all("embedding") == []


async def test_a_process_that_dies_takes_only_its_own_instance_along(bench: Bench) -> None:
    dying, living = await bench.load("a"), await bench.load("b")
    cast("ScriptedWorker", dying.worker).exited.set()
    await _settle()
    assert bench.instances.all() == [living]


async def test_concurrent_demands_for_one_model_load_it_once(bench: Bench) -> None:
    bench.engine.go.clear()
    steps: list[list[Step]] = [[], [], []]
    demands = [asyncio.create_task(bench.demand("m", heard)) for heard in steps[:2]]
    await _settle()
    late = asyncio.create_task(bench.demand("m", steps[2]))
    await _settle()
    bench.engine.go.set()
    first, second, third = await asyncio.gather(*demands, late)
    assert first is second is third
    assert bench.engine.started == ["m"]
    for heard in steps:
        assert [type(step) for step in heard] == [Starting, Progress]


async def test_a_joined_load_goes_on_when_the_first_caller_leaves(bench: Bench) -> None:
    bench.engine.go.clear()
    first, second = (asyncio.create_task(bench.demand("m")) for _ in range(2))
    await _settle()
    first.cancel()
    await _settle()
    assert bench.engine.killed == []
    bench.engine.go.set()
    await second
    assert bench.names() == ["m"]


async def test_a_load_that_everybody_left_is_killed_and_can_be_made_again(bench: Bench) -> None:
    bench.engine.go.clear()
    demand = asyncio.create_task(bench.demand("m"))
    await _settle()
    demand.cancel()
    await asyncio.wait({demand})
    assert bench.engine.killed == ["m"]
    bench.engine.go.set()
    await bench.demand("m")
    assert bench.names() == ["m"]


async def test_a_failed_demand_fails_for_all_who_wait(bench: Bench) -> None:
    bench.engine.go.clear()
    bench.engine.failure = LoadFailed("m", reason="broken")
    demands = [asyncio.create_task(bench.demand("m")) for _ in range(2)]
    await _settle()
    bench.engine.go.set()
    results = await asyncio.gather(*demands, return_exceptions=True)
    assert [type(result) for result in results] == [LoadFailed, LoadFailed]


async def test_a_demand_replaces_the_one_before_and_spares_the_pinned(bench: Bench) -> None:
    await bench.load("pinned")
    old = await bench.demand("old")
    steps: list[Step] = []
    await bench.demand("new", steps)
    assert bench.names() == ["pinned", "new"]
    assert steps[0] == Unloading(instance=old)
    assert isinstance(steps[1], Starting)
    assert steps[1].identifier == "new"


async def test_the_replaced_model_first_finishes_what_it_is_answering(bench: Bench) -> None:
    old = await bench.demand("old")
    with bench.instances.use(old):
        new = asyncio.create_task(bench.demand("new"))
        await _settle()
        assert "old" in bench.names()
        assert not cast("ScriptedWorker", old.worker).exited.is_set()
        assert bench.engine.started == ["old"]
        assert bench.instances.look_up(Query(identifier="old"), kind="llm") is None
    await new
    assert bench.names() == ["new"]


async def test_a_model_stays_if_the_demand_that_would_replace_it_is_called_off(
    bench: Bench,
) -> None:
    old = await bench.demand("old")
    with bench.instances.use(old):
        new = asyncio.create_task(bench.demand("new"))
        await _settle()
        new.cancel()
        await asyncio.wait({new})
    assert bench.instances.find(Query(identifier="old"), kind="llm") is old


async def test_an_idle_model_expires(bench: Bench) -> None:
    await bench.load("m", ttl_s=0.01)
    bench.watch.now_s = 1.0
    await asyncio.sleep(0.05)
    assert bench.names() == []


async def test_idle_time_runs_from_the_last_use(bench: Bench) -> None:
    instance = await bench.load("m", ttl_s=0.02)
    bench.watch.now_s = 0.019
    bench.instances.touch(instance)
    await asyncio.sleep(0.05)
    assert bench.names() == ["m"]
    bench.watch.now_s = 1.0
    await asyncio.sleep(0.05)
    assert bench.names() == []


async def test_a_model_that_is_answering_never_expires(bench: Bench) -> None:
    instance = await bench.load("m", ttl_s=0.01)
    with bench.instances.use(instance):
        bench.watch.now_s = 100.0
        await asyncio.sleep(0.05)
        assert bench.names() == ["m"]
    bench.watch.now_s = 200.0
    await asyncio.sleep(0.05)
    assert bench.names() == []


async def test_the_last_use_is_told_in_unix_time(bench: Bench) -> None:
    instance = await bench.load("m")
    assert instance.resident().last_used_s is None
    bench.watch.now_s = 5.0
    with bench.instances.use(instance):
        pass
    assert instance.resident().last_used_s == 1005.0


async def test_closing_ends_loads_and_stops_every_worker(bench: Bench) -> None:
    loaded = await bench.load("a")
    bench.engine.go.clear()
    demand = asyncio.create_task(bench.demand("b"))
    await _settle()
    await bench.instances.close()
    await asyncio.wait({demand})
    assert bench.engine.killed == ["b"]
    assert cast("ScriptedWorker", loaded.worker).exited.is_set()
    assert bench.names() == []


async def test_closing_waits_for_what_had_begun_to_leave(bench: Bench) -> None:
    """A model that expired is in no listing any more, but its process may still be ending."""
    instance = await bench.load("m", ttl_s=0.01)
    worker = cast("ScriptedWorker", instance.worker)
    worker.may_end.clear()
    bench.watch.now_s = 1.0
    await asyncio.sleep(0.05)
    assert bench.names() == []
    closing = asyncio.create_task(bench.instances.close())
    await _settle()
    assert not closing.done()
    worker.may_end.set()
    await closing
    assert worker.exited.is_set()


async def test_an_unload_goes_on_when_who_asked_for_it_has_left(bench: Bench) -> None:
    instance = await bench.load("m")
    worker = cast("ScriptedWorker", instance.worker)
    worker.may_end.clear()
    unload = asyncio.create_task(bench.instances.unload(instance))
    await _settle()
    unload.cancel()
    await asyncio.wait({unload})
    worker.may_end.set()
    await _settle()
    assert worker.exited.is_set()
