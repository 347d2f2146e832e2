"""The shipped head is what its training makes of the exemplars, to the last digit or the next."""

import hashlib
import json
from collections import Counter
from typing import get_args

import pytest
from training.reading import exemplars
from training.train import DATA, DECIMALS, lesson, stored, trained

from langchain_lmswitch.policy.head import FILE
from langchain_lmswitch.types.tasks import TaskKind

CARD = (DATA / "MODEL_CARD.md").read_text("utf-8")


def test_training_makes_the_shipped_head() -> None:
    made = json.loads(stored(trained(lesson(exemplars()))))
    shipped = json.loads((DATA / FILE).read_text("utf-8"))

    assert (made["kinds"], made["signs"]) == (shipped["kinds"], shipped["signs"])
    for row, other in zip(made["weights"], shipped["weights"], strict=True):
        assert row == pytest.approx(other, abs=2 * 10**-DECIMALS)


def test_every_task_has_exemplars_and_none_is_there_twice() -> None:
    counted = Counter(one.kind for one in exemplars())
    twice = [text for text, n in Counter(one.text for one in exemplars()).items() if n > 1]

    assert set(counted) == set(get_args(TaskKind))
    assert min(counted.values()) >= 40
    assert twice == []


@pytest.mark.parametrize("name", ["vectors.npz", "head.json"])
def test_card_names_the_files_that_are_there(name: str) -> None:
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() in CARD
