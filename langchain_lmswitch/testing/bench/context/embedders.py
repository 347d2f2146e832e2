"""Who embeds: the sentence encoder of the `embedded` extra, in this process."""

from collections.abc import Sequence
from typing import Final, Protocol

from langchain_lmswitch.embedded.encoder import SentenceEncoder, sentence_encoder
from langchain_lmswitch.errors import MissingExtra


class Embedder(Protocol):
    """Gives vectors of length one."""

    @property
    def name(self) -> str:
        """Names whose vectors they are."""

    def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Embed each text."""


class Sentences:
    """The encoder that comes inside a package.

    Raises:
        MissingExtra: It is not installed.
    """

    name: Final = SentenceEncoder.key

    def __init__(self) -> None:
        found = sentence_encoder()
        if found is None:
            raise MissingExtra("embedded", why="The sentence encoder is not installed")
        self._encoder = found

    def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Embed each text."""
        return self._encoder.vectors(texts)
