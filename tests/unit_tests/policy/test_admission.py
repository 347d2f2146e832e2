"""Making room: each rule by example, and what holds for every machine."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.admission import Occupant, admit, keep_apart, room
from langchain_lmswitch.types.machine import UNKNOWN_MACHINE, Footprint, Gpu, Snapshot
from langchain_lmswitch.types.models import LoadSpec, ModelKind, Resident
from langchain_lmswitch.types.plans import Load, Plan, Refusal, Use

MIB = 2**20
SPEC = LoadSpec(key="new", context_tokens=4096)


def machine(free_mib: int, *, total_mib: int = 100_000, gpus: tuple[Gpu, ...] = ()) -> Snapshot:
    return Snapshot(ram_total_bytes=total_mib * MIB, ram_free_bytes=free_mib * MIB, gpus=gpus)


def costs(mib: int, *, fits_by_host: bool | None = None) -> Footprint:
    return Footprint(weights_bytes=mib * MIB, kv_bytes=0, source="host", fits_by_host=fits_by_host)


def occupant(
    key: str, mib: int, *, keep: str = "", used_s: float | None = None, context_tokens: int = 4096
) -> Occupant:
    resident = Resident(
        key=key, identifier=f"id-{key}", context_tokens=context_tokens, last_used_s=used_s
    )
    return Occupant(resident=resident, bytes=mib * MIB, keep=keep)


def plan(
    footprint: Footprint | None,
    snapshot: Snapshot,
    *occupants: Occupant,
    needed_tokens: int = 100,
    headroom_mib: int = 0,
) -> Plan | Refusal:
    return admit(
        SPEC,
        footprint,
        snapshot,
        needed_tokens=needed_tokens,
        occupants=occupants,
        headroom_bytes=headroom_mib * MIB,
    )


def evicted(found: Plan | Refusal) -> list[str]:
    assert isinstance(found, Load)
    return [one.key for one in found.evict]


# --- 1: loaded already ------------------------------------------------------------------------


def test_one_under_our_own_identifier_that_must_stay_is_used_with_little_context() -> None:
    """A second load would want the same identifier, and the host refuses it."""
    spec = replace(SPEC, identifier="id-new")
    mine = occupant("new", 500, keep="answering", context_tokens=512)
    found = admit(
        spec,
        costs(500),
        machine(5000),
        needed_tokens=1000,
        occupants=[mine],
        headroom_bytes=0,
    )
    assert found == Use(resident=mine.resident, footprint=costs(500))

    theirs = replace(mine, resident=replace(mine.resident, identifier="theirs"))
    beside = admit(
        spec, costs(500), machine(5000), needed_tokens=1000, occupants=[theirs], headroom_bytes=0
    )
    assert isinstance(beside, Load)


@pytest.mark.parametrize(("context_tokens", "needed"), [(4096, 4096), (4096, 9000), (0, 9000)])
def test_loaded_with_enough_context_is_used(context_tokens: int, needed: int) -> None:
    """Enough is what the request needs, but no more than a load would give; unknown is enough."""
    mine = occupant("new", 500, keep="answering", context_tokens=context_tokens)

    used = Use(resident=mine.resident, footprint=costs(9))
    assert plan(costs(9), machine(1), mine, needed_tokens=needed) == used


def test_outgrown_model_leaves_when_it_may() -> None:
    """Two of a kind cost double, so the small one leaves even where there is room for both."""
    mine = occupant("new", 500, context_tokens=1024)

    assert evicted(plan(costs(700), machine(5000), mine, needed_tokens=2000)) == ["new"]
    assert evicted(plan(costs(700), machine(300), mine, needed_tokens=2000)) == ["new"]
    assert evicted(plan(None, machine(300), mine, needed_tokens=2000)) == ["new"]


def test_second_of_a_kind_beside_one_that_must_stay() -> None:
    mine = occupant("new", 500, context_tokens=1024, keep="loaded by somebody else")

    assert evicted(plan(costs(700), machine(5000), mine, needed_tokens=2000)) == []


# --- 2: unknown -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("footprint", "snapshot"),
    [
        (None, machine(1)),
        (costs(700), UNKNOWN_MACHINE),
        (costs(700, fits_by_host=True), UNKNOWN_MACHINE),
    ],
)
def test_unknown_memory_is_tried(footprint: Footprint | None, snapshot: Snapshot) -> None:
    """Unknown is not zero: nobody is made to leave on a guess."""
    assert evicted(plan(footprint, snapshot, occupant("idle", 500))) == []


def test_unknown_memory_and_a_host_that_says_no() -> None:
    kept = occupant("kept", 500, keep="answering")
    found = plan(costs(700, fits_by_host=False), UNKNOWN_MACHINE, occupant("idle", 500), kept)

    assert evicted(found) == ["idle"]


# --- 3 and 4: making room ---------------------------------------------------------------------


def test_what_fits_is_loaded() -> None:
    assert evicted(plan(costs(700), machine(700), occupant("idle", 500))) == []


def test_headroom_stays_free() -> None:
    assert evicted(plan(costs(700), machine(800), occupant("idle", 500), headroom_mib=101)) == [
        "idle"
    ]


def test_least_beyond_the_need_leaves() -> None:
    """Of 1,000 and 600 and 500 the 600 is enough for 550 more."""
    idle = [occupant("big", 1000), occupant("fit", 600), occupant("small", 500)]

    assert evicted(plan(costs(700), machine(150), *idle)) == ["fit"]


def test_two_small_ones_before_a_large_one() -> None:
    idle = [occupant("big", 2000), occupant("a", 300), occupant("b", 300)]

    assert evicted(plan(costs(700), machine(150), *idle)) == ["a", "b"]


def test_of_equals_the_one_used_longest_ago() -> None:
    idle = [occupant("new-er", 600, used_s=9.0), occupant("old-er", 600, used_s=1.0)]

    assert evicted(plan(costs(700), machine(150), *idle)) == ["old-er"]


def test_never_used_is_older_than_all() -> None:
    idle = [occupant("used", 600, used_s=9.0), occupant("never", 600)]

    assert evicted(plan(costs(700), machine(150), *idle)) == ["never"]


def test_many_idle_models() -> None:
    """Above ten the oldest leave first, but none that could stay."""
    idle = [occupant(f"tiny-{n:02}", 1, used_s=n) for n in range(10)]
    big = occupant("big", 600, used_s=50.0)

    assert evicted(plan(costs(700), machine(150), *idle, big)) == ["big"]


# --- 5 and 6: no room -------------------------------------------------------------------------


def test_too_little_context_is_better_than_nothing() -> None:
    mine = occupant("new", 500, context_tokens=1024, keep="answering")

    used = Use(resident=mine.resident, footprint=costs(700))
    assert plan(costs(700), machine(1), mine, needed_tokens=2000) == used


def test_refusal_tells_the_shortfall_and_who_is_in_the_way() -> None:
    found = plan(
        costs(7000), machine(150), occupant("kept", 500, keep="answering"), occupant("idle", 500)
    )

    assert found == Refusal(
        key="new",
        reason="needs 7,000 MiB, 150 MiB free",
        needed_bytes=7000 * MIB,
        free_bytes=150 * MIB,
        blockers=("id-kept",),
    )


@pytest.mark.parametrize("gpus", [None, (Gpu(name="a", total_bytes=None, free_bytes=None),)])
def test_unknown_accelerator_memory_is_no_reason_to_refuse(gpus: tuple[Gpu, ...] | None) -> None:
    """Unknown is not zero: what main memory alone cannot hold is tried."""
    unknown = replace(machine(150), gpus=gpus)

    assert isinstance(plan(costs(700), unknown), Load)


def test_what_lies_in_accelerator_memory_does_not_weigh_on_main_memory() -> None:
    """A resident of 900 in a GPU of 1,000 leaves the main memory of 500 as it is."""
    gpu = Gpu(name="a", total_bytes=1000 * MIB, free_bytes=100 * MIB)
    found = plan(
        costs(550), machine(500, total_mib=500, gpus=(gpu,)), occupant("big", 900, keep="in use")
    )

    assert isinstance(found, Load)


def test_refusal_never_tells_less_than_nothing_free() -> None:
    found = plan(costs(700), machine(150), headroom_mib=512)

    assert isinstance(found, Refusal)
    assert found.free_bytes == 0


# --- room -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("snapshot", "mib"),
    [
        (machine(800), 700),
        (machine(800, total_mib=1000), 400),
        (machine(800, gpus=(Gpu(name="a", total_bytes=None, free_bytes=300 * MIB),)), 1000),
        (machine(800, gpus=(Gpu(name="a", total_bytes=None, free_bytes=None),)), 700),
        (UNKNOWN_MACHINE, None),
        (Snapshot(ram_total_bytes=None, ram_free_bytes=5, gpus=()), None),
    ],
)
def test_room(snapshot: Snapshot, mib: int | None) -> None:
    """Free memory, but no more than the residents leave; mapped weights look free and are not."""
    found = room(snapshot, occupants=[occupant("a", 500)], headroom_bytes=100 * MIB)

    assert found == (None if mib is None else mib * MIB)


# --- chat models and embedding models ---------------------------------------------------------


@pytest.mark.parametrize(("kind", "staying"), [("llm", ["helper"]), ("embedding", ["chat"])])
def test_models_of_the_other_kind_stay(kind: ModelKind, staying: list[str]) -> None:
    chat, helper = occupant("chat", 500), occupant("helper", 30)
    helper = replace(helper, resident=replace(helper.resident, kind="embedding"))
    apart = keep_apart([chat, helper], kind)

    assert [one.resident.key for one in apart if one.keep] == staying
    assert [replace(one, keep="") for one in apart] == [chat, helper]


def test_who_must_stay_anyway_keeps_its_reason() -> None:
    kept = occupant("chat", 500, keep="loaded by somebody else")

    assert keep_apart([kept], "llm") == keep_apart([kept], "embedding") == (kept,)


# --- for every machine ------------------------------------------------------------------------


@st.composite
def occupants(draw: st.DrawFn, most: int = 14) -> list[Occupant]:
    keys = draw(st.lists(st.sampled_from([f"m{n}" for n in range(20)]), unique=True, max_size=most))
    return [
        occupant(
            key,
            draw(st.integers(0, 900)),
            keep=draw(st.sampled_from(["", "", "answering", "loaded by somebody else"])),
            used_s=draw(st.none() | st.floats(0, 100)),
            context_tokens=draw(st.sampled_from([0, 1024, 4096])),
        )
        for key in keys
    ]


def situations(**fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "footprint": st.none() | st.builds(costs, st.integers(0, 3000)),
            "snapshot": st.just(UNKNOWN_MACHINE)
            | st.builds(machine, st.integers(0, 3000), total_mib=st.integers(0, 8000)),
            "needed_tokens": st.integers(0, 9000),
            "occupants": occupants(),
            "headroom_bytes": st.integers(0, 600).map(lambda mib: mib * MIB),
        }
        | fixed
    )


def spec_of(found: Sequence[Occupant], seed: int) -> LoadSpec:
    """Ask for a model of the machine now and then, else for a new one."""
    keys = ["new", *(one.resident.key for one in found)]
    return LoadSpec(key=random.Random(seed).choice(keys), context_tokens=4096)  # noqa: S311


@given(situations(), st.integers())
def test_nobody_leaves_who_must_stay(situation: dict[str, Any], seed: int) -> None:
    found = admit(spec_of(situation["occupants"], seed), **situation)

    kept = {one.resident.identifier for one in situation["occupants"] if one.keep}
    if isinstance(found, Load):
        assert kept.isdisjoint(one.identifier for one in found.evict)


@given(
    situations(
        footprint=st.builds(costs, st.integers(0, 3000)),
        snapshot=st.builds(machine, st.integers(0, 3000), total_mib=st.integers(0, 8000)),
    ),
    st.integers(),
)
def test_loads_fit_and_nobody_leaves_in_vain(situation: dict[str, Any], seed: int) -> None:
    """Once the victims are gone the load fits, and without any one of them it would not."""
    spec = spec_of(situation["occupants"], seed)
    found = admit(spec, **situation)
    if not isinstance(found, Load):
        return
    victims = [one for one in situation["occupants"] if one.resident in found.evict]
    free = room(
        situation["snapshot"],
        occupants=situation["occupants"],
        headroom_bytes=situation["headroom_bytes"],
    )
    assert free is not None
    freed = sum(one.bytes for one in victims)
    needed = situation["footprint"].total_bytes
    assert needed <= free + freed
    for one in victims:
        if one.resident.key != spec.key:  # the outgrown leave in any case
            assert needed > free + freed - one.bytes


@given(situations(occupants=occupants(most=7)), st.integers())
def test_refusals_are_true(situation: dict[str, Any], seed: int) -> None:
    """Nothing is refused that would fit if all who may were to leave."""
    found = admit(spec_of(situation["occupants"], seed), **situation)
    if not isinstance(found, Refusal):
        return
    free = room(
        situation["snapshot"],
        occupants=situation["occupants"],
        headroom_bytes=situation["headroom_bytes"],
    )
    assert free is not None
    may_leave = sum(one.bytes for one in situation["occupants"] if not one.keep)
    assert situation["footprint"].total_bytes > free + may_leave
    assert set(found.blockers) == {
        one.resident.identifier for one in situation["occupants"] if one.keep
    }


@given(situations(), st.integers())
def test_equal_facts_give_equal_plans(situation: dict[str, Any], seed: int) -> None:
    spec = spec_of(situation["occupants"], seed)

    assert admit(spec, **situation) == admit(spec, **situation)


def test_memory_that_an_accelerator_shares_with_the_processor_counts_once() -> None:
    """As on a Mac: its budget is a part of main memory."""
    apple = Gpu(name="Apple M3", total_bytes=600 * MIB, free_bytes=600 * MIB, unified=True)
    snapshot = machine(1000, total_mib=1000, gpus=(apple,))

    assert room(snapshot, occupants=[], headroom_bytes=0) == 1000 * MIB
    unknown = replace(snapshot, gpus=(replace(apple, free_bytes=None),))
    assert isinstance(plan(costs(1200), unknown), Refusal)


def test_the_budget_bounds_what_models_hold_together() -> None:
    snapshot = replace(machine(9000), budget_bytes=1000 * MIB)
    assert room(snapshot, occupants=[occupant("a", 300)], headroom_bytes=0) == 700 * MIB
    assert room(snapshot, occupants=[], headroom_bytes=500 * MIB) == 1000 * MIB
    assert room(machine(800), occupants=[], headroom_bytes=0) == 800 * MIB


def test_on_a_machine_that_is_unknown_the_budget_is_the_only_bound() -> None:
    snapshot = replace(UNKNOWN_MACHINE, budget_bytes=1000 * MIB)
    idle, needed = occupant("a", 600), costs(500)
    plan = admit(
        LoadSpec(key="b"), needed, snapshot, needed_tokens=1, occupants=[idle], headroom_bytes=0
    )
    assert plan == Load(spec=LoadSpec(key="b"), footprint=needed, evict=(idle.resident,))
    refused = admit(
        LoadSpec(key="b"),
        costs(1001),
        snapshot,
        needed_tokens=1,
        occupants=[idle],
        headroom_bytes=0,
    )
    assert isinstance(refused, Refusal)
    assert refused.free_bytes == 400 * MIB
