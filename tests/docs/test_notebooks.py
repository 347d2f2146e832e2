"""Every notebook runs, and what it shows is what comes out."""

import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import Embedded
from nbclient import NotebookClient
from points import alike

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST_BYTES = 150_000

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def environment(embedded: Embedded) -> dict[str, str]:
    """As a user's, but with the tests' own host and its models."""
    return os.environ | {
        "LMSWITCH_BASE_URL": embedded.base_url,
        "LM_API_TOKEN": embedded.token,
    }


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # it has no types


def executed(path: Path, environ: dict[str, str], folder: Path) -> Any:
    """Run a copy from top to bottom; the first error ends it."""
    notebook = read(path)
    at = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=240, resources=at, coalesce_streams=True)
    client.execute(env=environ)
    return notebook


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell: Any) -> list[tuple[str, str]]:
    """Give what a reader sees below a cell: the stream, or `result`, and the text."""
    return [
        (one.name, one.text) if one.output_type == "stream" else ("result", text_of(one))
        for one in cell.outputs
    ]


def kinds(cell: Any) -> list[str]:
    return [name for name, _ in shown(cell)]


def text_of(output: Any) -> str:
    return str(output.data["text/plain"])


def test_there_is_one() -> None:
    assert "quickstart" in [path.stem for path in NOTEBOOKS]


@pytest.mark.weights
@pytest.mark.usefixtures("unloaded")
@each_notebook
def test_it_runs_and_shows_what_is_kept(path: Path, embedded: Embedded, tmp_path: Path) -> None:
    """No warning either: that would stand in `stderr`.

    Cells tagged `words` show the model's own, which differ from one processor to the next.
    """
    ran = executed(path, environment(embedded), tmp_path)

    for new, old in zip(code(ran), code(read(path)), strict=True):
        if "words" in old.metadata.get("tags", ()):
            assert [name for name, text in shown(new) if text.strip()] == kinds(old), old.source
        else:
            assert [name for name, _ in shown(new)] == kinds(old), old.source
            for (_, said), (_, kept) in zip(shown(new), shown(old), strict=True):
                assert alike(said, kept), f"{old.source}\n{said}\ninstead of\n{kept}"


@each_notebook
def test_it_was_run_in_order_and_kept_with_its_outputs(path: Path) -> None:
    cells = code(read(path))

    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)
    assert not [one for cell in cells for one in shown(cell) if one[0] == "stderr"]


@each_notebook
def test_it_tells_nothing_of_the_machine_it_ran_on(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert len(text.encode()) < LARGEST_BYTES
    assert not re.findall(r"/home/|/root/|/Users/|/tmp/|[A-Z]:\\\\|sk-lm-", text)
    assert set(read(path).metadata) == {"kernelspec", "language_info"}
