"""What is learnt from and what is graded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from unit_tests.testing.bench.routing.judged import (
    CODER,
    MATHEMATICIAN,
    halves,
    split_table,
)

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.testing.bench.routing import (
    Size,
    card_of,
    find_sizes,
    pools,
    read_sizes,
    trials,
)


def test_a_plain_table_is_parted_by_its_prompts_whatever_their_order() -> None:
    table = split_table()
    mixed = table.where(np.arange(len(table)) >= 0)
    mixed = replace(mixed, prompts=mixed.prompts[::-1], tasks=mixed.tasks[::-1])

    [one], [other] = trials([table]), trials([mixed])

    assert {*one.fit.prompts} == {*other.fit.prompts}
    assert {*one.fit.prompts} | {*one.graded.prompts} == {*table.prompts}
    assert not {*one.fit.prompts} & {*one.graded.prompts}
    assert 0.35 < len(one.fit) / len(table) < 0.65


def test_a_larger_share_learns_from_more_and_grades_no_new_prompt() -> None:
    [half], [most] = trials([split_table()]), trials([split_table()], share=0.8)

    assert {*half.fit.prompts} < {*most.fit.prompts}
    assert {*most.graded.prompts} < {*half.graded.prompts}


def test_parts_that_the_data_names_are_kept() -> None:
    table = split_table(6)
    named = replace(table, parts=("holdout", "dev", "dev", "test", "dev", "holdout"))

    [one] = trials([named])

    assert [*one.fit.parts] == ["dev"] * 3
    assert [*one.graded.parts] == ["holdout", "test", "holdout"]


def test_tasks_that_were_not_learnt_are_a_trial_of_their_own() -> None:
    known, held = halves(split_table())
    code = known.where(np.array([task == "code" for task in known.tasks]))

    seen, unseen = trials([code], [held])

    assert (seen.tasks, {*seen.graded.tasks}) == ("seen", {"code"})
    assert (unseen.tasks, {*unseen.graded.tasks}) == ("unseen", {"math"})
    assert len(seen.fit) == len(unseen.fit) == len(code)


def test_holdout_learns_from_all_data_that_has_its_models() -> None:
    known, held = halves(split_table())
    other = replace(known, models=("x", "y"))

    [one] = trials([other, known, known], [held])

    assert len(one.fit) == 2 * len(known)
    assert one.fit.models == held.models


def test_nothing_is_learnt_from_a_prompt_that_is_graded() -> None:
    table = split_table()
    _, held = halves(table)

    [one] = trials([table], [held])

    assert {*one.fit.prompts} == {*table.prompts} - {*held.prompts}
    with pytest.raises(InvalidRequest, match="0 prompts are left to learn from"):
        trials([held], [table])


def test_holdout_without_data_of_its_models_is_told() -> None:
    other = replace(split_table(), models=("x", "y"))

    with pytest.raises(InvalidRequest, match="Nothing can be learnt for judged"):
        trials([other], [split_table()])


def test_pools_have_two_models_and_more_than_the_one_before() -> None:
    sizes = {"m-unknown": Size(total_b=None, active_b=None), "moe": Size(total_b=60, active_b=9)}
    models = ["a-3b", "b-8b", "c-9b", "m-unknown", "moe", "d-405b"]

    assert [one.name for one in pools("t", models, sizes)] == ["t <=10B", "t <=100B"]
    assert [one.models for one in pools("t", models, sizes)] == [
        ("a-3b", "b-8b", "c-9b"),
        ("a-3b", "b-8b", "c-9b", "moe"),
    ]
    assert pools("t", ["a-3b", "m-unknown"], sizes) == []
    assert card_of("moe", sizes).params == "60B-A9B"
    assert card_of("b-8b", sizes).params == "8B"
    assert card_of("m-unknown", sizes).params == ""


def test_sizes_are_found_above_the_data(tmp_path: Path) -> None:
    (tmp_path / "models.csv").write_text("model,total_b,active_b\nmoe,46.7,12.9\ngpt,,\n")
    data = tmp_path / "some" / "folder" / "a.csv"
    data.parent.mkdir(parents=True)

    found = find_sizes(data)

    assert found is not None
    assert read_sizes(found) == {
        "moe": Size(total_b=46.7, active_b=12.9),
        "gpt": Size(total_b=None, active_b=None),
    }
    assert read_sizes(found)["gpt"].moved_b == 200


@pytest.mark.parametrize(
    ("text", "told"),
    [("model,total_b\na,1\n", "active_b"), ("model,total_b,active_b\na,big,1\n", "line 2")],
)
def test_what_is_no_list_of_sizes_is_told(text: str, told: str, tmp_path: Path) -> None:
    (file := tmp_path / "models.csv").write_text(text)

    with pytest.raises(InvalidRequest, match=told):
        read_sizes(file)


def test_missing_list_of_sizes_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_sizes(tmp_path / "models.csv")


def test_made_tables_are_what_they_are_meant_to_be() -> None:
    table = split_table()

    assert table.models == (CODER, MATHEMATICIAN)
    assert (table.scores.sum(axis=1) == 1).all()
