"""Seconds spent on loads against the exact optimum, LRU and other rules, as `lmswitch bench` does.

The streams are those that are made up, and a trace that is written here in the form of a published
one: a service whose prompts grow longer and shorter with the hour. Ratios are asserted, no seconds.
"""

import math
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from langchain_lmswitch.testing.bench import Row, generated, switching, traced

TIGHT, ROOMY = 1.15, 1.30
"""Most load seconds for each of the optimum's, one request at a time."""
TOGETHER = 0.6
"""Most load seconds for each of LRU's, with eight workers."""
MOST_SKIPS = 8
SAME = 1.002
"""What counts as no worse: about one load of five hundred."""

Cell = dict[str, Row]
"""The rows of one stream, budget and number of workers, by policy."""


def cells(rows: Iterable[Row]) -> dict[tuple[str, float, int], Cell]:
    found: dict[tuple[str, float, int], Cell] = {}
    for row in rows:
        place = (row.stream, row.budget_gb, row.concurrency)
        found.setdefault(place, {})[row.policy] = row
    return found


def write_trace(folder: Path) -> None:
    """Write a day of two services, each with busy and quiet hours."""
    dice = random.Random(5)  # noqa: S311
    for name, often, tokens in (("code", 0.5, 2000), ("conv", 0.8, 900)):
        rows = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
        for second in range(2400):
            if dice.random() < often:
                length = tokens * math.exp(dice.gauss(0, 0.8) + 0.8 * math.sin(second / 400))
                at = f"2023-11-16 {18 + second // 3600}:{second // 60 % 60:02}:{second % 60:02}"
                rows.append(f"{at}.0000000,{length:.0f},20")
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, float, int], Cell]:
    folder = tmp_path_factory.mktemp("traces")
    (folder / "azure-llm-2023").mkdir()
    write_trace(folder / "azure-llm-2023")
    return cells(switching([*traced(folder), *generated()]))


def test_load_seconds_of_the_optimum(
    played: dict[tuple[str, float, int], Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    alone = {place: cell for place, cell in played.items() if place[2] == 1}
    with capsys.disabled():
        for (stream, budget_gb, _), cell in alone.items():
            print(f"\n{stream}, {budget_gb:g} GB: {told(cell)}", end="")  # noqa: T201 - to be read
    smallest = {
        stream: min(gb for other, gb, _ in alone if other == stream) for stream, *_ in alone
    }
    for (stream, budget_gb, _), cell in alone.items():
        bar = TIGHT if budget_gb == smallest[stream] else ROOMY
        assert cell["lmswitch"].load_ratio <= bar, (stream, budget_gb)
        assert cell["lmswitch"].load_s <= SAME * cell["lru"].load_s, (stream, budget_gb)


def test_eight_workers_share_loads(
    played: dict[tuple[str, float, int], Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    together = {place: cell for place, cell in played.items() if place[2] > 1}
    for (stream, budget_gb, _), cell in together.items():
        ours, lru = cell["lmswitch"], cell["lru"]
        with capsys.disabled():
            print(f"\n{stream}, {budget_gb:g} GB: x{ours.load_s / lru.load_s:.3f} of LRU", end="")  # noqa: T201
        assert ours.load_s <= TOGETHER * lru.load_s, (stream, budget_gb)
        assert ours.worst_skip <= MOST_SKIPS


def told(cell: Cell) -> str:
    return ", ".join(f"{policy} x{row.load_ratio:.3f}" for policy, row in cell.items())
