"""Rows of tables whose right choice is known, measured through the product."""

from dataclasses import replace

import numpy as np
import pytest
from unit_tests.testing.bench.routing.judged import (
    CODER,
    MATHEMATICIAN,
    STRONG,
    dominated_table,
    shuffled_table,
    split_table,
)

from langchain_lmswitch.policy.classify import classify
from langchain_lmswitch.policy.scoring import score
from langchain_lmswitch.testing.bench.routing import (
    QUICK,
    Router,
    Row,
    Table,
    card_of,
    lessons_of,
    means_of,
    record,
    report,
    rows_of,
    trials,
)
from langchain_lmswitch.types.tasks import Hints, Request

PROMPTS = ["Write a Python function.", "Solve x + 3 = 12.", "Who was the first on the moon?"]


def only_row(table: Table) -> Row:
    [trial] = trials([table])
    [row] = rows_of(trial, {})
    return row


def test_each_to_its_own_is_learnt() -> None:
    """One model is right in code, the other in math: half of the best single model is gained."""
    row = only_row(split_table())

    assert row.pool == "judged <=10B"
    assert row.marks.score > 0.95
    assert row.marks.gain_pct > 60
    assert row.marks.skill_z > 3
    assert row.marks.oracle == 1


def test_a_pool_that_one_model_dominates_loses_nothing() -> None:
    row = only_row(dominated_table(400))

    assert row.incumbent == STRONG
    assert row.marks.gain_pct > -0.5


def test_a_dominated_model_more_costs_next_to_nothing() -> None:
    """It is right only where another one is right, too, and not always there."""
    table = split_table(400)
    dud = (np.arange(400) % 5 != 0) * table.scores[:, 0]
    more = replace(
        table, models=(*table.models, "dud-9b"), scores=np.column_stack([table.scores, dud])
    )

    without, added = only_row(table), only_row(more)

    assert added.models == 3
    assert added.marks.score >= 0.995 * without.marks.score


def test_labels_that_tell_nothing_give_no_skill() -> None:
    row = only_row(shuffled_table(400))

    assert abs(row.marks.skill_z) < 3


def test_route_is_the_products_own_score_for_each_prompt() -> None:
    table = split_table(60)
    models = [MATHEMATICIAN, CODER]
    cards, lessons = [card_of(one, {}) for one in models], lessons_of(table)

    for knob in (0.0, 0.4, 1.0):
        utilities = Router(cards, lessons).route(PROMPTS, models, knob)
        for prompt, row in zip(PROMPTS, utilities, strict=True):
            request = Request(
                user_text=prompt,
                context_tokens=len(prompt) // 4,
                wanted_tokens=len(prompt) // 4 + 512,
                hints=Hints(quality=1 - knob),
            )
            ranked = score(classify(request), cards, lessons=lessons, resident=models)
            assert models[row.argmax()] == ranked[0].key
            told = {one.key: one.score for one in ranked}
            assert row == pytest.approx([told[key] for key in models], abs=1e-6)


def test_the_knob_moves_choices_to_who_is_quicker() -> None:
    sizes_b = (3, 14, 70)
    models = [f"chat-{size}b-instruct" for size in sizes_b]
    router = Router([card_of(one, {}) for one in models])

    moved = [
        np.array(sizes_b)[one.argmax(axis=1)].mean()
        for one in router.curve(PROMPTS, models, (0, 0.25, 0.5, 0.75, 1))
    ]

    assert moved == sorted(moved, reverse=True)
    assert moved[-1] == 3


def test_record_has_what_programs_read_first() -> None:
    row = only_row(split_table(60))

    names = [*record(row)]
    assert names[0] == "pool"
    assert {"gain_pct", "gain_lo", "gain_hi", "skill_z", "save100_pct", "save95_pct"} < {*names}
    assert {"score", "best_single", "oracle", "n", "incumbent", "tasks"} < {*names}


def test_report_has_what_was_asked_for_beside_the_rows() -> None:
    asked = (*QUICK, "rivals", "left_out")

    found = report([split_table(120)], [], {}, also=(*QUICK, "rivals", "left_out"))

    assert [*found] == ["rows", "unseen", *asked, "means"]
    assert found["unseen"] == []
    [pair] = found["apgr"]
    assert pair["labels"] > found["rows"][0]["n_fit"]
    assert pair["labels"] + pair["n"] == 120
    assert [one["task"] for one in found["tasks"]] == ["all", "code", "math"]
    assert found["tasks"][0]["accuracy_pct"] > 80
    assert found["latency"][0]["p50_ms"] <= found["latency"][0]["p99_ms"]
    assert [one["pool"] for one in found["left_out"]] == [
        "judged without code <=10B",
        "judged without math <=10B",
    ]
    gains = {one["router"]: one["gain_pct"] for one in found["rivals"]}
    assert gains["task label"] > 60
    assert gains["best single"] == 0
    assert gains["logistic"] > 60
    assert gains["knn"] > 60


def test_rows_are_of_unseen_tasks_where_nothing_else_is_graded() -> None:
    table = split_table()
    code = np.array([task == "code" for task in table.tasks])

    found = report([table.where(code)], [table.where(~code)], {}, also=())

    assert [one["tasks"] for one in found["rows"]] == ["unseen"]
    assert found["rows"] == found["unseen"]


def test_means_count_no_saving_as_none_and_tell_the_worst() -> None:
    rows = [
        {"router": "lmswitch", "gain_pct": 4.0, "save100_pct": 30.0, "save95_pct": 40.0},
        {"router": "lmswitch", "gain_pct": -1.0, "save100_pct": None, "save95_pct": 20.0},
        {"router": "knn", "gain_pct": 2.0, "save100_pct": 10.0, "save95_pct": 10.0},
    ]

    ours, other = means_of("rows", rows)

    assert ours == {
        "of": "rows",
        "router": "lmswitch",
        "worst_pct": -1.0,
        "pools": 2,
        "gain_pct": 1.5,
        "save100_pct": 15.0,
        "save95_pct": 30.0,
    }
    assert (other["router"], other["gain_pct"], other["pools"]) == ("knn", 2.0, 1)
