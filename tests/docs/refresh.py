"""Run the notebooks again and keep what comes out: `python tests/docs/refresh.py [NAME ...]`.

They run on the embedded host with the starter models, as if nothing had ever been learnt here, so
that what is kept is what a reader gets at the first try.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from langchain_lmswitch.settings import Settings

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def environment(home: Path) -> dict[str, str]:
    """A new user's, with a host of its own."""
    kept = {name: said for name, said in os.environ.items() if not name.startswith("LMSWITCH_")}
    return kept | {
        "LMSWITCH_CONFIG": "off",
        "LMSWITCH_EMBEDDER": "off",
        "LMSWITCH_HOME": str(home),
        "LMSWITCH_MODEL_FOLDERS": str(Settings().models_home),
        "LMSWITCH_REMEMBER": "false",
    }


def tidied(notebook: Any) -> Any:
    """Leave out what differs from run to run and tells a reader nothing."""
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02}"
        cell.metadata.pop("execution", None)
    return notebook


def refresh(path: Path) -> None:
    """Run one notebook from top to bottom, and write it back."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # it has no types
    with tempfile.TemporaryDirectory() as folder:
        at = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, timeout=240, resources=at, coalesce_streams=True)
        client.execute(env=environment(Path(folder) / "home"))
    nbformat.write(tidied(notebook), path)  # type: ignore[no-untyped-call]  # as above


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(one.stem for one in NOTEBOOKS.glob("*.ipynb")):
        refresh(NOTEBOOKS / f"{name}.ipynb")
