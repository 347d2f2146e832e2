"""The vector of a text: where models that are good at one thing meet what is alike.

The table lies inside the package and is read on the first use. Without it, rules alone decide.
"""

import logging
from functools import lru_cache
from importlib.resources import files
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from langchain_lmswitch.policy.wording import ends

if TYPE_CHECKING:
    from langchain_lmswitch.policy.encoder import Encoder

_LOG = logging.getLogger(__name__)

DATA: Final = files("langchain_lmswitch.policy") / "data"
DIMENSIONS: Final = 96
_READ_CHARS: Final = 800
"""Read from each end of a long text."""
_UNIT: Final = 127
_READING = Lock()


def embed(text: str) -> tuple[int, ...]:
    """Give a text's static vector, of unit length in parts of 127; empty if there is none."""
    encoder = _encoder()
    if encoder is None:
        return ()
    return tuple((encoder.encode(ends(text, _READ_CHARS)) * _UNIT).round().astype(int).tolist())


def read_arrays(name: str) -> dict[str, Any]:
    """Read a file of the package's data.

    Raises:
        OSError: It is not there.
        ValueError: It is no such file.
    """
    import numpy as np  # noqa: PLC0415 - not before a request comes

    with (DATA / name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def _encoder() -> "Encoder | None":
    with _READING:
        return _read_encoder()


@lru_cache(1)
def _read_encoder() -> "Encoder | None":
    try:
        from langchain_lmswitch.policy.encoder import Encoder  # noqa: PLC0415 - numpy

        return Encoder(read_arrays("vectors.npz"))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, rules are enough
        _LOG.warning("Without the table of vectors (%s) tasks are told by rules alone.", error)
        return None
