"""Judged answers in files: three forms of the same, and what is wrong with others."""

import csv
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from langchain_lmswitch.errors import InvalidRequest, MissingExtra
from langchain_lmswitch.testing.bench.routing import read_table

ROWS: list[dict[str, Any]] = [
    {"id": 1, "task": "code", "prompt": "Sort a list.", "score:a": 1.0, "score:b": 0.5},
    {"id": 2, "task": "math", "prompt": "Two, and\ntwo?", "score:a": None, "score:b": 0.0},
]


def write_parquet(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    parquet.write_table(pa.Table.from_pylist(rows), file)


def write_lines(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n")


def write_csv(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    with file.open("w", newline="") as text:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)


FORMS = [(".parquet", write_parquet), (".jsonl", write_lines), (".CSV", write_csv)]


@pytest.mark.parametrize(("ending", "write"), FORMS)
def test_every_form_gives_the_same_table(
    ending: str, write: Callable[[Path, Sequence[dict[str, Any]]], None], tmp_path: Path
) -> None:
    file = tmp_path / f"answers{ending}"
    write(file, ROWS)

    found = read_table(file)

    assert found.name == "answers"
    assert found.models == ("a", "b")
    assert found.prompts == ("Sort a list.", "Two, and\ntwo?")
    assert found.tasks == ("code", "math")
    assert found.parts == ("", "")
    assert np.array_equal(found.scores, [[1.0, 0.5], [np.nan, 0.0]], equal_nan=True)


def test_unknown_models_are_unknown_and_incomplete_prompts_can_be_left_out(tmp_path: Path) -> None:
    write_lines(file := tmp_path / "answers.jsonl", ROWS)

    found = read_table(file).of(["b", "c", "a"])

    assert np.array_equal(found.scores, [[0.5, np.nan, 1], [0, np.nan, np.nan]], equal_nan=True)
    assert found.of(["b", "a"]).complete().prompts == ("Sort a list.",)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.parquet", "no parquet", "cannot be read as Parquet"),
        ("a.jsonl", '{"prompt": "x", "score:a": 1}\n[1]', "line 2"),
        ("a.jsonl", "", "no judged answers"),
        ("a.csv", "prompt,score:a\n", "no rows"),
        ("a.csv", "prompt,answer\nx,1\n", "columns are prompt"),
        ("a.csv", "task,score:a\nx,1\n", "columns are task, score:a"),
        ("a.csv", "prompt,score:a\nx,good\n", "'good'"),
        ("a.csv", "prompt,score:a\nx,1\ny,7\n", "row 2"),
        ("a.xlsx", "", ".parquet, .jsonl or .csv"),
    ],
)
def test_what_is_no_table_is_told(name: str, text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(text)

    with pytest.raises(InvalidRequest, match=told) as caught:
        read_table(file)
    assert str(file) in str(caught.value)


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="There is no file"):
        read_table(tmp_path / "none.csv")


def test_missing_reader_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(file := tmp_path / "a.parquet", ROWS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(MissingExtra, match=r"langchain-lmswitch\[bench\]"):
        read_table(file)
