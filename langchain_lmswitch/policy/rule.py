"""One rule: a fact about a text that speaks for a task."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from langchain_lmswitch.policy.wording import Wording, words_in
from langchain_lmswitch.types.tasks import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One sign of one task."""

    kind: TaskKind
    weight: float
    evidence: str
    words: frozenset[str] = frozenset()
    phrases: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    """Reads each letter a bounded number of times, whatever the text."""
    with_digits: bool = False
    """Whether it takes a digit, too."""
    choices: int = 0
    """So many answers to choose from are a sign as well."""

    def fires(self, said: Wording) -> bool:
        """Whether the text shows this sign."""
        if self.with_digits and not said.digits:
            return False
        return (
            not self.words.isdisjoint(said.vocabulary)
            or any(phrase in said.lower for phrase in self.phrases)
            or bool(self.choices and said.choices >= self.choices)
            or bool(self.pattern and self.pattern.search(said.lower))
        )


def rule(
    kind: TaskKind,
    weight: float,
    evidence: str,
    *,
    words: str = "",
    phrases: Iterable[str] = (),
    pattern: str = "",
    with_digits: bool = False,
    choices: int = 0,
) -> Rule:
    """Write a rule down: words as one text, the pattern as its source."""
    return Rule(
        kind=kind,
        weight=weight,
        evidence=evidence,
        words=words_in(words),
        phrases=tuple(phrases),
        pattern=re.compile(pattern, re.MULTILINE | re.ASCII) if pattern else None,
        with_digits=with_digits,
        choices=choices,
    )
