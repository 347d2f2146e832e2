"""Public prompts with the name of their data set, for training only: they stay where they are."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from training.reading import Exemplar

from langchain_lmswitch.types.tasks import TaskKind

FILES: Final[Mapping[str, Mapping[str, TaskKind]]] = {
    "llmrouter_9models.parquet": {
        "mbpp": "code",
        "gsm8k": "math",
        "math": "math",
        "mmlu": "knowledge",
        "arc_challenge": "knowledge",
        "commonsense_qa": "knowledge",
        "natural_qa": "facts",
        "trivia_qa": "facts",
    },
    "mmlupro_local.parquet": {
        "math": "math",
        "biology": "knowledge",
        "history": "knowledge",
        "psychology": "knowledge",
    },
}
"""By file, the task of each data set; of those that mix tasks nothing is read."""


def prompts(folder: Path, names: Iterable[str] = FILES) -> list[Exemplar]:
    """Read the prompts of the named files, in their order.

    Raises:
        FileNotFoundError: One is missing.
    """
    from pyarrow import parquet  # noqa: PLC0415 - only where there are such files

    found = []
    for name in names:
        kinds = FILES[name]
        table = parquet.read_table(folder / name, columns=["task", "prompt"]).to_pylist()
        found += [
            Exemplar(kind=kinds[row["task"]], text=row["prompt"])
            for row in table
            if row["task"] in kinds
        ]
    return found


def fingerprints(folder: Path) -> dict[str, str]:
    """Tell the sha256 of each file, for the model card."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
