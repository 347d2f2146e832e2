"""Grades as lines of JSON, to take them to another computer. Pure."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.ledger.base import MOST_GRADES
from langchain_lmswitch.ledger.picking import name_of
from langchain_lmswitch.ledger.plain import plain
from langchain_lmswitch.ledger.sound import sound_grade
from langchain_lmswitch.policy.grading import outweighs
from langchain_lmswitch.types.grades import Grade

FORMAT: Final = 1
"""Raised when the lines change; each line has it, so that files can be joined."""
MOST_CHARS: Final = 100_000
"""Longer lines are no grades of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What lines hold."""

    grades: tuple[Grade, ...]
    skipped: tuple[str, ...]
    """Which lines cannot be used, and why."""


def written(grades: Iterable[Grade]) -> Iterator[str]:
    """Write grades, each as a line."""
    for one in grades:
        yield json.dumps({"lmswitch": FORMAT, "grade": plain(one)}, separators=(",", ":"))


def read(lines: Iterable[bytes]) -> Read:
    """Read grades; of what cannot be used it is told why. Empty lines do not count."""
    found: list[Grade] = []
    skipped = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(_grade(line))
        except (ValueError, RecursionError) as error:
            skipped.append(f"line {number}: {str(error).partition(chr(10))[0]:.100}")
    return Read(grades=tuple(found), skipped=tuple(skipped))


def _grade(line: bytes) -> Grade:
    if len(line) > MOST_CHARS:
        raise ValueError("it is too long")
    match json.loads(line):
        case {"lmswitch": int(version), "grade": dict(grade)} if version == FORMAT:
            return sound_grade(json.dumps(grade))
        case {"lmswitch": version, **_others} if version != FORMAT:
            raise ValueError(f"it has format {version!r:.20}, and this version reads {FORMAT}")
        case _:
            raise ValueError("it is no grade")


def missing(known: Sequence[Grade], more: Iterable[Grade]) -> list[Grade]:
    """Pick the grades to add to those known; oldest first, and no more than are kept.

    Of two of the same answer the one that outweighs the other is kept, and the later one of two
    that do.
    """
    have = {name_of(one): one for one in known}
    added: dict[object, Grade] = {}
    for one in sorted(more, key=lambda one: one.at_s):
        name = name_of(one)
        before = added.get(name) or have.get(name)
        if before is None or (one.at_s > before.at_s and outweighs(one, before)):
            added[name] = one
    latest = sorted([*have.values(), *added.values()], key=lambda one: one.at_s)[-MOST_GRADES:]
    kept = {name_of(one) for one in latest}
    return [one for name, one in added.items() if name in kept]
