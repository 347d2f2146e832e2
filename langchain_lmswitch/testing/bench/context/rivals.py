"""What others send: the last messages only, or those and what plain BM25 finds."""

import math
import re
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_SATURATION: Final = 1.2
_LENGTH: Final = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What there is to choose from."""

    tokens: Sequence[int]
    """Of each message, in the order of time."""
    budget_tokens: int


def window(sizes: Sizes) -> list[int]:
    """Take the last messages that fit."""
    taken: list[int] = []
    left = sizes.budget_tokens
    for at in reversed(range(len(sizes.tokens))):
        left -= sizes.tokens[at]
        if left < 0:
            break
        taken.append(at)
    return taken[::-1]


class Lexicon:
    """Plain BM25 over messages: words as they are, no stems, no neighbors.

    Args:
        texts: The messages.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        words = [_words(text) for text in texts]
        self._lengths = [len(one) for one in words]
        self._mean = sum(self._lengths) / max(len(words), 1) or 1.0
        self._postings: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for at, one in enumerate(words):
            for word, times in Tally(one).items():
                self._postings[word][at] = times

    def ranked(self, question: str) -> list[int]:
        """Give the messages that have words of the question, best first."""
        scores: defaultdict[int, float] = defaultdict(float)
        for word in dict.fromkeys(_words(question)):
            found = self._postings.get(word, {})
            rarity = math.log(1 + (len(self._lengths) - len(found) + 0.5) / (len(found) + 0.5))
            for at, times in found.items():
                length = 1 - _LENGTH + _LENGTH * self._lengths[at] / self._mean
                scores[at] += rarity * times * (_SATURATION + 1) / (times + _SATURATION * length)
        return sorted(scores, key=lambda at: -scores[at])


def recalled(sizes: Sizes, ranked: Sequence[int], *, recent_tokens: int) -> list[int]:
    """Take the last messages that fit a part of the budget, and the best others for the rest."""
    taken = window(Sizes(tokens=sizes.tokens, budget_tokens=recent_tokens))
    left = sizes.budget_tokens - sum(sizes.tokens[at] for at in taken)
    known = {*taken}
    for at in ranked:
        if at not in known and sizes.tokens[at] <= left:
            left -= sizes.tokens[at]
            taken.append(at)
    return sorted(taken)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
