"""What is left of long conversations, as `lmswitch bench context` measures it, and what others do.

The conversations were written for this. They are shorter than the published ones, and their
questions avoid the words of the answers, so that less is found here than there.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest
from benchmarks.histories import histories
from benchmarks.managers import MANAGERS, Faults, faults

from langchain_lmswitch.testing.bench.context import Chat, Driver, Estimate, read_chats, report

CONVERSATIONS: Final = Path(__file__).parent / "conversations"
ENGLISH: Final = sorted(CONVERSATIONS.glob("en-*.jsonl"))
OTHERS: Final = sorted({*CONVERSATIONS.glob("*.jsonl")} - {*ENGLISH})

LEAST: Final[Mapping[float, float]] = {3: 0.74, 10: 0.43}
"""Least evidence in the prompt, by how many times longer than it the conversation is."""
MOST_PREFILL: Final = 0.62
"""Most tokens that are read for each of who drops the oldest message, at a sixth."""
OF_WINDOW: Final = 2.0
"""Least evidence for each of a sliding window's; it grows with the length of the conversation."""
OF_WINDOW_ABROAD: Final = 2.5
"""The same in other languages, of a fourth."""


def chats(files: list[Path]) -> list[Chat]:
    return [chat for file in files for chat in read_chats(file)]


def told(row: Mapping[str, Any]) -> str:
    others = ", ".join(
        f"{who} {100 * one['evidence_recall']:.1f} %" for who, one in row["baselines"].items()
    )
    return f"K={row['ratio']:g}: {100 * row['evidence_recall']:.1f} % of the evidence; {others}"


def test_evidence_that_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(chats(ENGLISH), [*LEAST], Driver(counter=Estimate()), rivals=True, prefill=False)

    with capsys.disabled():
        for row in found["rows"]:
            print(f"\n{told(row)}", end="")  # noqa: T201 - to be read
    for row in found["rows"]:
        assert row["over_budget"] == 0
        assert row["evidence_recall"] >= LEAST[row["ratio"]]
        assert row["evidence_recall"] >= row["baselines"]["bm25"]["evidence_recall"]
        assert row["evidence_recall"] >= OF_WINDOW * row["baselines"]["window"]["evidence_recall"]


@pytest.mark.parametrize("file", OTHERS, ids=lambda file: file.stem)
def test_evidence_in_other_languages(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = report(chats([file]), [4], Driver(counter=Estimate()), rivals=True, prefill=False)

    with capsys.disabled():
        print(f"\n{file.stem}, {told(found)}", end="")  # noqa: T201 - to be read
    assert found["over_budget"] == 0
    assert (
        found["evidence_recall"]
        >= OF_WINDOW_ABROAD * found["baselines"]["window"]["evidence_recall"]
    )


def test_tokens_that_are_read_again(capsys: pytest.CaptureFixture[str]) -> None:
    found = report(chats(ENGLISH[:1]), [6], Driver(counter=Estimate()))

    ours, dropping = found["prefill_tokens"], found["prefill_tokens_dropping"]
    with capsys.disabled():
        print(f"\n{ours:.0f} tokens a turn, {dropping:.0f} if the oldest is dropped", end="")  # noqa: T201
    assert found["prefill_ratio"] <= MOST_PREFILL


@pytest.fixture(scope="module")
def found_faults() -> dict[tuple[str, str], Faults]:
    return {
        (name, one.name): faults(one, manage(one))
        for name, manage in MANAGERS.items()
        for one in histories()
    }


def test_side_by_side(
    found_faults: dict[tuple[str, str], Faults], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        for (name, history), found in found_faults.items():
            told = ", ".join(f"{what} {count:d}" for what, count in asdict(found).items())
            print(f"\n{name:24} {history:16} {told}", end="")  # noqa: T201 - to be read
    ours = [found for (name, _), found in found_faults.items() if name == "lmswitch"]
    assert ours == [Faults(orphans=0, over=0, lost=0, unseen=0)] * len(histories())


def test_the_histories_are_hard(found_faults: dict[tuple[str, str], Faults]) -> None:
    """Each fault is somebody's, so that none of ours is none for lack of trying."""
    others = [asdict(found) for (name, _), found in found_faults.items() if name != "lmswitch"]

    for fault in ("orphans", "over", "lost", "unseen"):
        assert any(one[fault] for one in others), fault
