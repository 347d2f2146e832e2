"""How much of what an answer stands in is in a prompt."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

WHOLE: Final = 0.98
"""A turn of which so much stands in the prompt is there."""
_LEAST_CHARS: Final = 20
"""Shorter sentences (`Yes.`) stand anywhere, and tell nothing."""
_SPACES: Final = re.compile(r"\s+")
_BETWEEN_SENTENCES: Final = re.compile(r"(?<=[.!?])\s+|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What became of one question."""

    category: str
    credits: tuple[float, ...]
    """How much of each turn that it needs stands in the prompt, from 0 to 1."""
    over: bool
    """Whether the prompt is longer than its budget."""
    ratio: float
    """Tokens of the conversation for each of the budget's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What became of all questions."""

    evidence_recall: float
    """How much of the turns that a question needs stands in its prompt, on average."""
    all_evidence: float
    """Share of the questions whose turns are all there."""
    over_budget: int
    n: int
    by_category: dict[str, float]
    """The recall, by the category of the question."""
    K: float
    """Tokens of the conversation for each of the budget's, on average."""


def plain(text: str) -> str:
    """Make all white space single blanks."""
    return _SPACES.sub(" ", text).strip()


def credit(text: str, prompt: str) -> float:
    """Tell how much of a turn stands word for word in a prompt with plain white space.

    All of it, or else its sentences, by their characters.
    """
    if plain(text) in prompt:
        return 1.0
    sentences = [
        one for one in map(plain, _BETWEEN_SENTENCES.split(text)) if len(one) >= _LEAST_CHARS
    ]
    there = sum(len(one) for one in sentences if one in prompt)
    return there / sum(map(len, sentences)) if sentences else 0.0


def marked(marks: Sequence[Mark]) -> Marks:
    """Sum up at least one."""
    recalls = [fmean(one.credits) for one in marks]
    by_category = defaultdict(list)
    for one, recall in zip(marks, recalls, strict=True):
        by_category[one.category].append(recall)
    return Marks(
        evidence_recall=fmean(recalls),
        all_evidence=fmean(min(one.credits) > WHOLE for one in marks),
        over_budget=sum(one.over for one in marks),
        n=len(marks),
        by_category={name: fmean(found) for name, found in sorted(by_category.items())},
        K=fmean(one.ratio for one in marks),
    )
