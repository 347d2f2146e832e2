"""Requests one after another: learning while answering, and loads where memory is scarce."""

import pytest
from unit_tests.testing.bench.routing.judged import (
    CODER,
    MATHEMATICIAN,
    STRONG,
    dominated_table,
    split_table,
)

from langchain_lmswitch.testing.bench.routing import Size, card_of, lessons_of
from langchain_lmswitch.testing.bench.routing.online import online_of
from langchain_lmswitch.testing.bench.routing.visits import rows_in_runs, visits_of

LARGE = {one: Size(total_b=60, active_b=60) for one in (CODER, MATHEMATICIAN, STRONG)}
"""36 GB each: one fits, and no two."""


def test_learning_while_answering_finds_out_who_is_good_at_what() -> None:
    told, silent = online_of(split_table(), {}, requests=300)

    assert (told.feedback, silent.feedback) == (1.0, 0.1)
    assert told.best_single == pytest.approx(0.5, abs=0.05)
    assert told.last_share_pct > 150
    assert told.share_pct > silent.share_pct


def test_runs_are_of_one_task_and_as_long_as_asked_for() -> None:
    tasks = ["code", "math", "chat"] * 10

    rows = rows_in_runs(tasks, 8, 200)

    assert len(rows) == 200
    for start in range(0, 200, 8):
        assert len({tasks[row] for row in rows[start : start + 8]}) == 1
    assert {tasks[row] for row in rows} == {"code", "math", "chat"}
    assert rows == rows_in_runs(tasks, 8, 200)


def test_one_model_for_all_is_loaded_once() -> None:
    table = dominated_table(200)
    cards = [card_of(one, LARGE) for one in table.models]

    [visit] = visits_of("pool", cards, lessons_of(table), table, requests=200)
    assert visit.loads_per_100 <= 1
    assert visit.score == pytest.approx(0.8, abs=0.1)


def test_loads_are_weighed_and_not_made_for_nothing() -> None:
    """A model that is always right is worth a load for a run, and all the same not every time."""
    table = split_table()
    cards = [card_of(one, LARGE) for one in table.models]

    [visit] = visits_of("pool", cards, lessons_of(table), table, requests=400)

    assert (visit.memory_gb, visit.run) == (48, 8)
    assert visit.plain_score > 0.9
    assert 3 < visit.plain_loads_per_100 < 10
    assert visit.loads_per_100 <= visit.plain_loads_per_100
    assert visit.utility >= visit.plain_utility - 0.01
