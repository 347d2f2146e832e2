"""The exemplars: files of requests, one on a line, each file named after its task."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from langchain_lmswitch.types.tasks import TaskKind

FOLDER: Final = Path(__file__).parent / "exemplars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """A request and the task it is."""

    kind: TaskKind
    text: str


def exemplars() -> list[Exemplar]:
    """Read all, in the order of the tasks; a backslash and an `n` are a new line."""
    return [
        Exemplar(kind=kind, text=_unescaped(line))
        for kind in get_args(TaskKind)
        for line in (FOLDER / f"{kind}.txt").read_text("utf-8").splitlines()
        if line.strip()
    ]


def _unescaped(line: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], line)
