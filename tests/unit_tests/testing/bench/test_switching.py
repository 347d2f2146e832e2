"""The rows of the bench, and that the product is what plays in them."""

import pytest

from langchain_lmswitch.testing.bench import Row, Stream, generated, switching
from langchain_lmswitch.testing.bench.product import play
from langchain_lmswitch.testing.bench.rivals import RIVALS
from langchain_lmswitch.testing.bench.streams import GB, model


def made(requests: str, *, at_once: tuple[int, ...] = (1,)) -> Stream:
    """Make a stream for models of 4 GB, of which three fit the tight budget."""
    return Stream(
        name="made",
        models=tuple(model(name, 4.0) for name in "abcd"),
        requests=tuple("abcd".index(name) for name in requests),
        tight_bytes=12 * GB,
        roomy_bytes=16 * GB,
        at_once=at_once,
    )


def test_each_policy_has_a_row_for_each_budget_and_number() -> None:
    rows = list(switching([made("abcd" * 5, at_once=(1, 8))]))

    assert len(rows) == 2 * 2 * (len(RIVALS) + 2)
    assert {row.policy for row in rows} == {*RIVALS, "lmswitch", "optimum"}
    assert {(row.budget_gb, row.concurrency) for row in rows} == {
        (12.0, 1),
        (12.0, 8),
        (16.0, 1),
        (16.0, 8),
    }


def test_ratio_is_to_the_optimum() -> None:
    rows = {row.policy: row for row in switching([made("abcd" * 5)]) if row.budget_gb == 12}

    least_s = rows["optimum"].load_s
    assert rows["optimum"].load_ratio == 1.0
    assert rows["lru"].load_ratio == pytest.approx(rows["lru"].load_s / least_s, abs=1e-3)
    assert all(row.load_ratio >= 1.0 for row in rows.values())


def test_in_order_nobody_is_skipped() -> None:
    rows = list(switching([made("abcd" * 5, at_once=(1, 8))]))

    assert all(row.worst_skip == 0 for row in rows if row.policy != "lmswitch")
    assert all(row.worst_skip == 0 for row in rows if row.concurrency == 1)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_product_loads_each_once_if_all_fit(concurrency: int) -> None:
    one = made("abcdabca" * 10)

    played = play(one, one.roomy_bytes, concurrency=concurrency)
    assert played.load_s == pytest.approx(sum(each.load_s for each in one.models))
    assert played.worst_skip == 0


def test_product_spends_no_less_than_the_optimum_in_order_and_is_the_same_each_time() -> None:
    [agent] = [one for one in generated(200) if one.name == "rag-agent"]

    first, again = list(switching([agent])), list(switching([agent]))
    assert first == again
    assert all(row.load_ratio >= 1.0 for row in first if ours(row))


def ours(row: Row) -> bool:
    return row.policy == "lmswitch"


def test_workers_together_load_less_often() -> None:
    """Eight that alternate between models that do not fit together wait for one another."""
    one = made("abcd" * 40)

    alone = play(one, 4 * GB, concurrency=1)
    together = play(one, 4 * GB, concurrency=8)
    assert together.load_s < 0.6 * alone.load_s
    assert together.worst_skip <= 8


def test_generated_streams_are_the_same_each_time_and_fit_their_budgets() -> None:
    assert generated(300) == generated(300)
    for one in generated():
        assert len(one.requests) == 3000
        assert len(one.models) <= 8
        assert max(each.bytes for each in one.models) <= one.tight_bytes < one.roomy_bytes
        assert set(one.requests) == set(range(len(one.models)))
