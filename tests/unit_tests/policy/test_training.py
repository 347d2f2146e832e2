"""The shipped head is what its training makes, to the last digit or the next."""

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from training.public import fingerprints, prompts
from training.reading import exemplars
from training.train import DATA, DECIMALS, both, lesson, stored, trained

from langchain_lmswitch.policy.head import FILE
from langchain_lmswitch.types.tasks import TaskKind

CARD = (DATA / "MODEL_CARD.md").read_text("utf-8")


def test_training_makes_the_shipped_head() -> None:
    """From the exemplars and the public prompts, where those are."""
    if not (folder := os.environ.get("LMSWITCH_TEST_PROMPTS")):
        pytest.skip("LMSWITCH_TEST_PROMPTS names no folder of public prompts")
    taught = both(lesson(exemplars()), lesson(prompts(Path(folder)), wordings=1))
    made = json.loads(stored(trained(taught)))
    shipped = json.loads((DATA / FILE).read_text("utf-8"))

    assert (made["kinds"], made["signs"]) == (shipped["kinds"], shipped["signs"])
    for row, other in zip(made["weights"], shipped["weights"], strict=True):
        assert row == pytest.approx(other, abs=2 * 10**-DECIMALS)
    assert all(digest in CARD for digest in fingerprints(Path(folder)).values())


def test_exemplars_alone_teach_nearly_the_same() -> None:
    """Whoever has no public prompts gets a head that differs on few of the exemplars only."""
    plain = lesson(exemplars(), wordings=1)
    shipped = np.array(json.loads((DATA / FILE).read_text("utf-8"))["weights"])
    made = trained(plain)

    told, said = (plain.seen @ weights.T for weights in (shipped, made))
    assert np.mean(told.argmax(1) == said.argmax(1)) > 0.85
    assert np.mean(told.argmax(1) == plain.said.argmax(1)) > 0.8


def test_every_task_has_exemplars_and_none_is_there_twice() -> None:
    counted = Counter(one.kind for one in exemplars())
    twice = [text for text, n in Counter(one.text for one in exemplars()).items() if n > 1]

    assert set(counted) == set(get_args(TaskKind))
    assert min(counted.values()) >= 40
    assert twice == []


@pytest.mark.parametrize("name", ["vectors.npz", "head.json"])
def test_card_names_the_files_that_are_there(name: str) -> None:
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() in CARD
