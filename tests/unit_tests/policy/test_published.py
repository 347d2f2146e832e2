"""The bundled table of published accuracies, and what it does to the formula."""

import math
from typing import get_args

import pytest

from langchain_lmswitch.policy.bundled import bundled
from langchain_lmswitch.policy.families import UNKNOWN
from langchain_lmswitch.policy.pedigree import pedigree
from langchain_lmswitch.policy.published import published
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import TaskKind

TABLES = bundled("published")["table"]
KINDS = bundled("published")["benchmarks"]


def test_tables_are_whole() -> None:
    """Each has a source, a task for each column, a number or `nan` in each place."""
    for table in TABLES:
        assert set(table["columns"]) <= KINDS.keys(), table["source"]
        assert len(table["rows"]) > 1, "nothing to compare with"
        for name, row in table["rows"].items():
            known = [one for one in row if not math.isnan(one)]
            assert len(row) == len(table["columns"]), name
            assert known, name
            assert all(0 <= one <= 100 for one in known), name
    assert len({table["source"] for table in TABLES}) == len(TABLES)


def test_every_benchmark_is_of_a_task() -> None:
    assert set(KINDS.values()) <= set(get_args(TaskKind))


def test_models_are_known_by_their_names() -> None:
    """Or the row would say nothing of anybody."""
    names = {name for table in TABLES for name in table["rows"]}
    strangers = {name for name in names if pedigree(ModelCard(key=name)).family is UNKNOWN}

    assert strangers == {"Fin-R1"}
    assert all(pedigree(ModelCard(key=name)).billions for name in names - strangers)


@pytest.mark.parametrize(
    ("key", "kind", "sign"),
    [
        ("openchat-3.5-0106", "code", 1),
        ("solar-10.7b-instruct-v1.0", "code", -1),
        ("deepseek-coder-v2-instruct", "chat", 1),
        ("llama-3.2-1b-instruct", "tools", -1),
    ],
)
def test_who_does_better_than_others_of_its_column(key: str, kind: TaskKind, sign: int) -> None:
    found = published(pedigree(card(key)))

    assert found is not None
    assert sign * found.shift[kind] > 0.1


def test_entries_are_shrunk_and_bounded() -> None:
    """No table, however wild, moves a task by more than a logit or so."""
    for table in TABLES:
        for name in table["rows"]:
            found = published(pedigree(ModelCard(key=name)))
            assert found is None or all(abs(one) < 1.2 for one in found.shift.values())


@pytest.mark.parametrize(
    "key",
    [
        "gemma-2-9b-it",  # of the same size
        "google/gemma-2-9b",
        "Gemma-2-9b-it-GGUF",
    ],
)
def test_entries_are_found_however_the_model_is_named(key: str) -> None:
    assert published(pedigree(card(key))) == published(pedigree(card("gemma-2-9b-it")))


@pytest.mark.parametrize("key", ["gemma-2-14b-it", "gemma-2-9b-coder", "my-own-9b", "gemma-2"])
def test_others_have_no_entries(key: str) -> None:
    """Another size, another purpose, nobody's family, a size that nothing tells."""
    assert published(pedigree(card(key, size_bytes=0))) is None
