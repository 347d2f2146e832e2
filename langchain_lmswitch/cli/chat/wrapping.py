"""Lines of an answer broken between words, as it streams. Pure."""

import re
from typing import Final

from rich.cells import cell_len

_WORDS: Final = re.compile(r"\n|[^\S\n]+|\S+")
_FENCES: Final = ("```", "~~~")


class Wrapping:
    """Breaks lines that are too long for a terminal, between words.

    The last word waits for its end, which comes with the next token. Lines of code and tables stay
    as they are: the terminal breaks them where it must, and what is copied is still code.

    Args:
        columns: The width of the terminal; 0 breaks nothing.
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._column = 0
        self._line = ""
        self._rest = ""
        self._fenced = False

    def feed(self, text: str) -> str:
        """Take a piece of the answer; give what can be shown of it."""
        if not self._columns:
            return text
        words = _WORDS.findall(self._rest + text)
        self._rest = words.pop() if words and words[-1] != "\n" else ""
        return "".join(map(self._placed, words))

    def end(self) -> str:
        """Give what was waiting."""
        rest, self._rest = self._rest, ""
        return self._placed(rest) if rest else ""

    def _placed(self, word: str) -> str:
        """Place a word.

        1. The end of a line, which may have opened or closed a block of code.
        2. What fits, or may not be broken.
        3. Blanks where the line is full become its end.
        4. A word that does not fit begins the next line.
        """
        if word == "\n":  # 1
            self._fenced ^= self._line.lstrip().startswith(_FENCES)
            self._line, self._column = "", 0
            return word
        width = cell_len(word)
        if self._column + width <= self._columns or self._kept(word):  # 2
            self._line += word
            self._column += width
            return word
        if word.isspace():  # 3
            self._column = self._columns + 1  # a word without any width does not fit either
            return ""
        self._line += word
        self._column = width
        return f"\n{word}"  # 4

    def _kept(self, word: str) -> bool:
        whole = self._column == 0 or self._fenced
        return whole or f"{self._line}{word}".lstrip().startswith(("|", *_FENCES))
