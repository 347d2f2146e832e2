"""What loads teach: footprints that come nearer to the truth, and load times."""

import random
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.experience import Experience, resized
from langchain_lmswitch.policy.loadtimes import guessed_load_s
from langchain_lmswitch.policy.observed import FAILURE_COUNTS_S
from langchain_lmswitch.types.loads import Configuration, LoadRecord
from langchain_lmswitch.types.machine import Footprint

MIB = 2**20
GB = 10**9

ASKED = Configuration(host="h:1", key="model", size_bytes=4 * GB, context_tokens=8192)

amounts = st.integers(1, 200 * GB)
contexts = st.sampled_from([2048, 4096, 8192, 16384])


def estimate(total_bytes: int = 1000 * MIB) -> Footprint:
    weights = total_bytes * 7 // 10
    kv = total_bytes - weights - total_bytes // 10
    rest = total_bytes - weights - kv
    return Footprint(weights_bytes=weights, kv_bytes=kv, compute_bytes=rest, source="header")


def made(
    held_bytes: int | None,
    *,
    context: int = 8192,
    expected: int | None = 1000 * MIB,
    load_s: float = 3.0,
    vram: int | None = None,
    key: str = "model",
    size_bytes: int = 4 * GB,
) -> LoadRecord:
    return LoadRecord(
        at_s=0.0,
        configuration=replace(ASKED, context_tokens=context, key=key, size_bytes=size_bytes),
        load_s=load_s,
        expected_bytes=expected,
        observed_bytes=held_bytes,
        observed_vram_bytes=vram,
    )


def too_large(free_bytes: int | None, *, context: int = 8192, memory: bool = True) -> LoadRecord:
    record = made(None, context=context)
    return replace(record, failed="no room", for_memory=memory, free_bytes=free_bytes)


def corrected(
    *records: LoadRecord,
    context: int = 8192,
    footprint: Footprint | None = None,
    now_s: float = 1.0,
) -> Footprint:
    asked = replace(ASKED, context_tokens=context)
    return Experience(records).corrected(asked, footprint or estimate(), now_s=now_s)


def total_mib(*records: LoadRecord, context: int = 8192) -> float:
    return corrected(*records, context=context).total_bytes / MIB


# --- footprints, rule by rule -----------------------------------------------------------------


def test_nothing_observed_leaves_the_estimate() -> None:
    assert corrected() == estimate()
    assert corrected(made(None)) == estimate()


@pytest.mark.parametrize("mib", [100, 400, 990, 1700, 9000])
def test_three_observations_win_over_any_estimate(mib: int) -> None:  # 1
    found = corrected(*[made(mib * MIB)] * 3)

    assert (found.total_bytes, found.source, found.uncertainty) == (mib * MIB, "ledger", 0.03)


def test_the_middle_of_the_latest_five_counts_and_tells_how_sure_it_is() -> None:  # 1
    observed = [made(mib * MIB) for mib in (5000, 800, 900, 1000, 900, 900)]
    found = corrected(*observed)

    assert found.total_bytes == 900 * MIB
    assert found.uncertainty == pytest.approx(1 / 9)
    assert found.error_bytes == pytest.approx(100 * MIB, abs=2)


def test_observed_accelerator_memory_is_taken_over() -> None:  # 1
    cost = replace(estimate(), vram_bytes=500 * MIB)
    known = [made(2000 * MIB, vram=1900 * MIB)] * 3

    assert corrected(*known, footprint=cost).vram_bytes == 1900 * MIB
    assert corrected(*known[:2], made(2000 * MIB), footprint=cost).vram_bytes == 1000 * MIB


def test_two_contexts_give_a_line() -> None:  # 2
    observed = [made(700 * MIB, context=2048), made(800 * MIB, context=4096)] * 2

    assert total_mib(*observed, context=8192) == pytest.approx(1000, abs=1)
    assert total_mib(*observed, context=3072) == pytest.approx(750, abs=1)


def test_more_context_never_costs_less_by_a_line() -> None:  # 2
    observed = [made(900 * MIB, context=2048), made(800 * MIB, context=4096)] * 2

    assert total_mib(*observed, context=16384) == pytest.approx(900)


@pytest.mark.parametrize(("mib", "count", "found"), [(1300, 1, 1300), (800, 2, 1000)])
def test_fewer_observations_only_raise(mib: int, count: int, found: int) -> None:  # 3, 4
    assert total_mib(*[made(mib * MIB)] * count) == pytest.approx(found)


def test_another_context_is_put_right_by_the_ratio() -> None:  # 3
    observed = [made(600 * MIB, context=2048, expected=800 * MIB)] * 3

    assert total_mib(*observed) == pytest.approx(750, abs=1)
    assert total_mib(made(1000 * MIB, context=2048, expected=800 * MIB)) == pytest.approx(1250)
    assert total_mib(made(1000 * MIB, context=2048, expected=None)) == pytest.approx(1000)


@pytest.mark.parametrize(("mib", "found"), [(10, 500), (9000, 2000)])
def test_doubtful_observations_are_bounded(mib: int, found: int) -> None:  # 4
    observed = [made(mib * MIB, context=2048)] * 3

    assert total_mib(*observed) == pytest.approx(found)


def test_a_failure_for_memory_raises_until_a_load_is_made() -> None:  # 5
    failed = too_large(1500 * MIB)

    assert total_mib(failed) == pytest.approx(1515, abs=1)
    assert total_mib(failed, too_large(1200 * MIB)) == pytest.approx(1515, abs=1)
    assert total_mib(failed, context=16384) == pytest.approx(1515, abs=1)
    assert total_mib(failed, context=4096) == 1000
    assert total_mib(failed, made(None)) == 1000
    assert total_mib(failed, made(None, context=4096)) == pytest.approx(1515, abs=1)
    assert total_mib(too_large(9000 * MIB)) == 2000


@pytest.mark.parametrize("failed", [too_large(None), too_large(1500 * MIB, memory=False)])
def test_other_failures_tell_nothing_of_memory(failed: LoadRecord) -> None:
    assert corrected(failed) == estimate()


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, key="other"),
        replace(ASKED, size_bytes=1),
        replace(ASKED, parallel=4),
        replace(ASKED, engine="2.0"),
        replace(ASKED, key_type="q8_0"),
        replace(ASKED, host="h:2"),
    ],
)
def test_what_is_another_load_teaches_nothing(other: Configuration) -> None:
    seen = Experience([made(1700 * MIB)] * 3)

    assert seen.corrected(other, estimate(), now_s=1.0) == estimate()


# --- footprints, for all observations ---------------------------------------------------------

records = st.lists(
    st.one_of(
        st.builds(made, amounts, context=contexts, expected=st.none() | amounts),
        st.builds(too_large, amounts, context=contexts),
    ),
    max_size=12,
)


@given(records, contexts, amounts)
def test_an_estimate_is_never_halved_nor_doubled_but_by_three(
    seen: list[LoadRecord], context: int, size: int
) -> None:
    same = [
        one
        for one in seen
        if one.observed_bytes and one.configuration.context_tokens == context and not one.failed
    ]
    found = corrected(*seen, context=context, footprint=estimate(size)).total_bytes
    if len(same) < 3:
        assert size / 2 <= found <= 2 * size
    else:
        held = [one.observed_bytes or 0 for one in same]
        assert min(held) <= found <= max(*held, 2 * size)


@given(records, contexts, amounts)
def test_the_parts_make_the_sum(seen: list[LoadRecord], context: int, size: int) -> None:
    cost = replace(estimate(size), vram_bytes=size // 2)
    found = corrected(*seen, context=context, footprint=cost)
    parts = (found.weights_bytes, found.kv_bytes, found.compute_bytes, found.backend_bytes)

    assert sum(parts) == found.total_bytes
    assert min(parts) >= 0
    assert 0 <= found.vram_bytes <= found.total_bytes


@given(st.lists(amounts, min_size=1, max_size=6), st.integers(0, 5), amounts, contexts)
def test_more_observed_bytes_never_give_less(
    held: list[int], index: int, more: int, context: int
) -> None:
    """For one context observed, whatever context is asked for."""
    raised = [one + more if place == index else one for place, one in enumerate(held)]
    before = corrected(*map(made, held), context=context)
    after = corrected(*map(made, raised), context=context)

    assert after.total_bytes >= before.total_bytes


def test_a_failure_is_forgotten_after_a_while() -> None:
    """Somebody else may have taken the memory just then."""
    failed = too_large(1500 * MIB)

    assert corrected(failed, now_s=FAILURE_COUNTS_S - 1).total_bytes > 1500 * MIB
    assert corrected(failed, now_s=FAILURE_COUNTS_S) == estimate()


@given(records, amounts, contexts)
def test_a_failure_never_gives_less(seen: list[LoadRecord], free: int, context: int) -> None:
    before = corrected(*seen, context=context).total_bytes
    after = corrected(*seen, too_large(free, context=context), context=context).total_bytes

    assert after >= before
    assert after >= min(free, 2 * 1000 * MIB)


@given(st.lists(st.builds(made, amounts, context=contexts), min_size=1, max_size=4))
def test_order_does_not_matter_for_few_observations_without_failures(
    seen: list[LoadRecord],
) -> None:
    """As long as none is too old to count, and the context asked for has been seen."""
    context = seen[0].configuration.context_tokens
    found = {corrected(*order, context=context) for order in permutations(seen)}

    assert len(found) == 1


@given(amounts, st.lists(amounts, max_size=4))
def test_learning_one_by_one_is_learning_at_once(size: int, held: list[int]) -> None:
    step_by_step = Experience()
    for one in held:
        step_by_step.learn(made(one))

    assert step_by_step.corrected(ASKED, estimate(size), now_s=1.0) == corrected(
        *map(made, held), footprint=estimate(size)
    )


@given(
    per_token=st.integers(16 * 1024, 256 * 1024),
    weights=st.integers(100 * MIB, 40 * GB),
    noise=st.lists(st.floats(0.99, 1.01), min_size=4, max_size=4),
    wrong_by=st.floats(0.3, 3.0),
    context=contexts,
)
def test_after_three_loads_the_fourth_is_known_within_three_percent(
    per_token: int, weights: int, noise: list[float], wrong_by: float, context: int
) -> None:
    """Observations that lie within 2 % of each other, and an estimate that may be far off."""
    truth = weights + per_token * context
    observed = [round(truth * factor) for factor in noise]
    cost = estimate(round(truth * wrong_by))
    found = corrected(
        *(made(one, context=context) for one in observed[:3]), context=context, footprint=cost
    )

    assert found.total_bytes == pytest.approx(observed[3], rel=0.03)
    assert found.total_bytes + found.error_bytes >= max(observed[:3])


@given(per_token=st.integers(16 * 1024, 256 * 1024), weights=st.integers(100 * MIB, 40 * GB))
def test_two_contexts_tell_a_third(per_token: int, weights: int) -> None:
    """Where memory grows by the token, whatever the estimate within its bounds."""

    def truth(context: int) -> int:
        return weights + per_token * context

    seen = [made(truth(c), context=c) for c in (2048, 8192, 2048)]
    cost = estimate(round(truth(16384) * 1.3))
    found = corrected(*seen, context=16384, footprint=cost)

    assert found.total_bytes == pytest.approx(truth(16384), rel=0.001)


def test_random_noise_of_two_percent_either_way() -> None:
    """Not a bound: of a thousand, all but a few come within three percent."""
    chance = random.Random(7)  # noqa: S311 - no secret
    hits = 0
    for _ in range(1000):
        observed = [round(GB * chance.uniform(0.98, 1.02)) for _ in range(4)]
        found = corrected(*map(made, observed[:3]))
        hits += abs(found.total_bytes / observed[3] - 1) <= 0.03

    assert hits >= 970


@given(amounts, amounts)
def test_resizing_keeps_the_shares(before: int, after: int) -> None:
    cost = resized(estimate(before), after)

    assert cost.total_bytes == after
    assert cost.kv_bytes == pytest.approx(estimate(before).kv_bytes * after / before, abs=1)


# --- load times -------------------------------------------------------------------------------


def test_an_unknown_host_is_guessed() -> None:
    assert Experience().load_s("model", 3 * GB) == pytest.approx(guessed_load_s(3 * GB))
    assert guessed_load_s(3 * GB) == pytest.approx(4.0)


def test_a_model_takes_what_it_took_with_the_latest_counting_most() -> None:
    seen = Experience([made(None, load_s=load_s) for load_s in (10.0, 2.0, 2.0)])

    assert seen.load_s("model", 4 * GB) == pytest.approx(2 + 8 * 0.7**2)


def test_a_failed_load_tells_no_time() -> None:
    seen = Experience([replace(too_large(1), load_s=500.0)])

    assert seen.load_s("model", 3 * GB) == pytest.approx(4.0)


@pytest.mark.parametrize("gb_per_s", [0.2, 0.5, 5.0])
def test_other_models_are_told_by_the_speed_of_the_host(gb_per_s: float) -> None:
    sizes = [1, 2, 4, 8, 12, 20] * 3
    seen = Experience(
        made(None, key=f"m{size}", size_bytes=size * GB, load_s=1 + size / gb_per_s)
        for size in sizes
    )

    assert seen.load_s("new", 10 * GB) == pytest.approx(1 + 10 / gb_per_s, rel=0.15)


def test_small_models_alone_do_not_tell_how_fast_large_ones_are() -> None:
    """A hundred loads of 100 MB in 0.3 s: 40 GB take neither 0.3 s nor two minutes."""
    seen = Experience(made(None, key="tiny", size_bytes=GB // 10, load_s=0.3) for _ in range(100))

    assert 15 < seen.load_s("new", 40 * GB) < 60


@given(
    st.lists(st.tuples(st.integers(0, 200 * GB), st.floats(0, 3600)), max_size=20),
    st.integers(0, 200 * GB),
    st.integers(0, 200 * GB),
)
def test_times_are_positive_and_grow_with_the_size(
    loads: list[tuple[int, float]], size: int, more: int
) -> None:
    seen = Experience(made(None, size_bytes=size, load_s=load_s) for size, load_s in loads)
    small, large = seen.load_s("new", size), seen.load_s("new", size + more)

    assert 0 <= small <= large
