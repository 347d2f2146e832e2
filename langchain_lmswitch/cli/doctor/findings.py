"""What the doctor says of one thing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from langchain_lmswitch.types.units import plural

State = Literal["ok", "note", "unknown", "problem"]
"""A note is nothing wrong, but explains what might surprise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The outcome of one check."""

    name: str
    """What was looked at."""
    state: State
    what: str
    """How it is, and what that means."""
    remedy: str = ""
    """One command that helps; empty if there is nothing to do."""


def ok(name: str, what: str) -> Finding:
    """Say that it is as it should be."""
    return Finding(name=name, state="ok", what=what)


def note(name: str, what: str, remedy: str = "") -> Finding:
    """Say what is not wrong and yet good to know."""
    return Finding(name=name, state="note", what=what, remedy=remedy)


def unknown(name: str, what: str, remedy: str = "") -> Finding:
    """Say that it cannot be told, and why."""
    return Finding(name=name, state="unknown", what=what, remedy=remedy)


def problem(name: str, what: str, remedy: str) -> Finding:
    """Say what is wrong."""
    return Finding(name=name, state="problem", what=what, remedy=remedy)


def verdict(findings: Sequence[Finding]) -> str:
    """Sum up in one line, with the command to begin with."""
    problems = [one for one in findings if one.state == "problem"]
    untold = sum(one.state == "unknown" for one in findings)
    if not problems:
        more = f" {plural(untold, 'thing')} could not be told." if untold else ""
        return f"Nothing is wrong.{more}"
    names = ", ".join(one.name for one in problems)
    first = problems[0].remedy
    return f"{plural(len(problems), 'problem')}: {names}. Begin with: {first}"
