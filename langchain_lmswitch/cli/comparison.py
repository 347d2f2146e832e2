"""The candidates of a decision side by side, and in words what was in the way of each."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, get_args

from langchain_lmswitch.cli.screen import table
from langchain_lmswitch.types.displays.decisions import needed
from langchain_lmswitch.types.displays.sheets import said

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from langchain_lmswitch.types.decisions import Candidate, Decision, Part

TOLD: Final = 8
"""Candidates that are told of in words, the best ones; the table has all."""
_WIDE_COLUMNS: Final = 100
"""From here on the table has what the words say of memory, too."""
_LEAST: Final = 0.001
"""Of a difference between scores that is told."""
_MEANINGS: Final[Mapping[str, str]] = {
    "prior": "what is known of such models",
    "learnt": "what answers here have taught",
    "answer": "the seconds of the answer",
    "load": "the seconds until it is loaded",
    "margin": "for not being loaded",
    "preferred": "for your preference",
    "last answer": "for having the conversation so far",
    "same turn": "for having this turn already",
    "curious": "for what would be learnt of it",
}


def comparison(decision: "Decision", *, columns: int = 120) -> "Table":
    """Lay out every candidate, best first: its score, and the parts that it is made of.

    Only parts that any of them has are columns, and memory has some only where they leave the names
    in one piece: the words tell it, too.
    """
    parts = _parts(decision.candidates)
    right = ("score", *parts, "needs")
    rows = [
        ("model", "score", *parts, "loaded", "fits", "needs"),
        *(
            (one.key, f"{one.score:.3f}", *(_points(one, part) for part in parts), *_memory(one))
            for one in decision.candidates
        ),
    ]
    if columns < max(_WIDE_COLUMNS, _width(rows)):
        rows = [row[:-3] for row in rows]
    return table(*rows[0], rows=rows[1:], right=right)


def verdicts(decision: "Decision") -> "list[RenderableType]":
    """Say of each candidate why it was chosen or passed over, and what would change that."""
    from rich.padding import Padding
    from rich.text import Text

    told: list[RenderableType] = []
    for one in decision.candidates[:TOLD]:
        style = "bold" if one.note == "chosen" else ""
        told.append(Text.assemble((one.key, style), f": {_verdict(one, decision)}"))
        if one.reasons:
            told.append(Padding(Text(", ".join(one.reasons), style="dim"), (0, 0, 0, 2)))
        if one.wins_if:
            told.append(Padding(Text(f"would answer {', or '.join(one.wins_if)}"), (0, 0, 0, 2)))
    if (more := len(decision.candidates) - TOLD) > 0:
        told.append(Text(f"and {more} more of lower score; --json has them"))
    return told


def meanings(decision: "Decision") -> str:
    """Say what the columns are."""
    told = "; ".join(f"{part}: {_MEANINGS[part]}" for part in _parts(decision.candidates))
    return f"A point is 0.01 of a score. {told[:1].upper()}{told[1:]}."


def _width(rows: Sequence[Sequence[str]]) -> int:
    """Tell how many columns of a terminal a table takes, two spaces between cells."""
    return sum(max(map(len, column)) + 2 for column in zip(*rows, strict=True)) - 2


def _parts(candidates: "Sequence[Candidate]") -> "list[Part]":
    from langchain_lmswitch.types.decisions import Part

    return [part for part in get_args(Part) if any(part in one.parts for one in candidates)]


def _points(one: "Candidate", part: "Part") -> str:
    return f"{one.parts[part]:+.3f}" if part in one.parts else ""


def _memory(one: "Candidate") -> tuple[str, str, str]:
    return ("yes" if one.resident else "", said(one.fits), needed(one))


def _verdict(one: "Candidate", decision: "Decision") -> str:
    """Put the verdict, and how it stands with memory.

    1. What it lacks, or what else was in the way.
    2. It was chosen.
    3. Others had a better score, or an equal one and a name that comes first.
    """
    if one.lacks:  # 1
        return f"cannot answer this: {', '.join(one.lacks)}"
    if one.note and one.note != "chosen":
        return one.note
    loaded = "loaded" if one.resident else f"not loaded, needs {needed(one)}"
    if one.note == "chosen":  # 2
        return f"chosen; {loaded}"
    return f"{_behind(one, decision)}; {loaded}"  # 3


def _behind(one: "Candidate", decision: "Decision") -> str:
    best = next((rival.score for rival in decision.candidates if rival.note == "chosen"), one.score)
    gap = best - one.score
    return f"{gap:.3f} behind" if gap >= _LEAST else f"less than {_LEAST:.3f} behind"
