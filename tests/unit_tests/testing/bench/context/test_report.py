"""The measure as a whole, through the product's own fitting."""

from pathlib import Path

import pytest
from unit_tests.testing.bench.context.talks import talk, write_talks

from langchain_lmswitch.testing.bench.context import Chat, Driver, Estimate, read_chats, report


@pytest.fixture
def chats(tmp_path: Path) -> list[Chat]:
    return read_chats(write_talks(tmp_path / "a.jsonl", talk(200)))


def test_facts_are_recalled_that_a_window_has_lost(chats: list[Chat]) -> None:
    found = report(chats, [6], Driver(counter=Estimate()), rivals=True)

    assert found["evidence_recall"] == found["all_evidence"] == 1.0
    assert found["over_budget"] == 0
    assert found["n"] == 2
    assert found["by_category"] == {"1": 1.0, "4": 1.0}
    assert found["baselines"]["window"]["evidence_recall"] == 0.0
    assert found["baselines"]["bm25"]["evidence_recall"] == 1.0
    assert found["K"] == pytest.approx(6, rel=0.01)
    assert 0 < found["prefill_ratio"] < 1


def test_everything_is_there_where_everything_fits(chats: list[Chat]) -> None:
    found = report(chats, [0.5], Driver(counter=Estimate()), rivals=True)

    assert found["evidence_recall"] == 1.0
    assert found["baselines"]["window"]["evidence_recall"] == 1.0
    assert found["prefill_ratio"] == 1.0


def test_a_budget_that_nothing_fits_has_nothing(chats: list[Chat]) -> None:
    found = report(chats, [1000], Driver(counter=Estimate()))

    assert (found["evidence_recall"], found["over_budget"]) == (0.0, 0)
    assert found["prefill_ratio"] is None


def test_rows_are_one_for_each_ratio_and_the_first_stands_on_top(chats: list[Chat]) -> None:
    found = report(chats, [8, 4], Driver(counter=Estimate()), prefill=False)

    assert [row["ratio"] for row in found["rows"]] == [8, 4]
    assert {name: one for name, one in found.items() if name != "rows"} == found["rows"][0]
    assert found["prefill_ratio"] is None


def test_who_embeds_is_asked_once_for_each_passage(chats: list[Chat]) -> None:
    class Flat:
        name = "flat"

        def __init__(self) -> None:
            self.texts: list[str] = []

        def vectors(self, texts: object) -> list[tuple[float, ...]]:
            assert isinstance(texts, (list, tuple))
            self.texts += texts
            return [(1.0, 0.0) for _ in texts]

    embedder = Flat()
    found = report(chats, [6], Driver(counter=Estimate(), embedder=embedder), prefill=False)

    assert found["embedder"] == "flat"
    assert embedder.texts
    assert len(embedder.texts) == len(set(embedder.texts))
