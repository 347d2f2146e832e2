"""A bounded walk through the bytes of a GGUF file, which nobody vouches for.

Layout (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): magic, version, counts of
tensors and of keys, the key-value pairs, the tensor table, the weights. All little-endian.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from langchain_lmswitch.errors import BadModelFile

Value: TypeAlias = bool | int | float | str | tuple[bool | int | float, ...]

MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
MAX_TENSORS: Final = 65_536
MAX_KEYS: Final = 65_536
MAX_KEY_BYTES: Final = 65_535
MAX_KEPT_TEXT_BYTES: Final = 1 << 20
MAX_KEPT_ITEMS: Final = 4_096
MAX_TAKEN_BYTES: Final = 32 << 20
"""What one walk may bring into memory, all in all."""
MAX_WALKED_ITEMS: Final = 4_000_000
"""Strings of one file that may be stepped over; the largest vocabularies need about a million."""

_SCALARS: Final = {code: struct.Struct(f"<{letter}") for code, letter in enumerate("BbHhIif?")} | {
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_STRING: Final = 8
_ARRAY: Final = 9
_COUNT: Final = struct.Struct("<Q")
_KIND: Final = struct.Struct("<I")


class Cursor:
    """Reads forward, and never allocates for or trusts a length before checking it."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._left = os.fstat(file.fileno()).st_size
        self._may_take = MAX_TAKEN_BYTES
        self._may_walk = MAX_WALKED_ITEMS

    def bad(self, reason: str) -> BadModelFile:
        """Returns the error to raise for this file."""
        return BadModelFile(str(self._path), reason=reason)

    def take(self, n_bytes: int) -> bytes:
        """Returns exactly the next bytes; the caller has bounded their number."""
        self._spend(n_bytes)
        self._may_take -= n_bytes
        if self._may_take < 0:
            raise self.bad(f"its header is larger than {MAX_TAKEN_BYTES} bytes")
        data = self._file.read(n_bytes)
        if len(data) != n_bytes:
            raise self.bad("it ends in the middle of its header")
        return data

    def skip(self, n_bytes: int) -> None:
        """Steps over bytes without reading them."""
        self._spend(n_bytes)
        self._file.seek(n_bytes, os.SEEK_CUR)

    def _spend(self, n_bytes: int) -> None:
        self._left -= n_bytes
        if self._left < 0:
            raise self.bad("it ends in the middle of its header")

    def count(self, limit: int, *, of: str) -> int:
        """Returns the next 64-bit count, which may not exceed the limit."""
        (number,) = _COUNT.unpack(self.take(8))
        if number > limit:
            raise self.bad(f"it claims {number} {of}")
        return int(number)

    def kind(self) -> int:
        """Returns the next type code."""
        return int(_KIND.unpack(self.take(4))[0])

    def text(self, limit: int) -> str:
        """Returns the next string, which may not be longer than the limit in bytes."""
        n_bytes = self.count(limit, of="bytes of text")
        return self.take(n_bytes).decode("utf-8", "replace")

    def value(self, kind: int) -> Value | None:
        """Returns a value, or `None` after stepping over one that is not worth keeping."""
        if kind == _STRING:
            return self._kept_text()
        if kind == _ARRAY:
            return self._array()
        return self._scalar(kind)

    def array_length(self) -> int:
        """Returns the number of elements of the array that comes next, and stays at the first."""
        self.kind()
        return self.count(self._left, of="array elements")

    def _scalar(self, kind: int) -> bool | int | float:
        form = self._form(kind)
        number: bool | int | float = form.unpack(self.take(form.size))[0]
        return number

    def _form(self, kind: int) -> struct.Struct:
        form = _SCALARS.get(kind)
        if form is None:
            raise self.bad(f"it holds a value of the unknown type {kind}")
        return form

    def _kept_text(self) -> str | None:
        n_bytes = self.count(self._left, of="bytes of text")
        if n_bytes > MAX_KEPT_TEXT_BYTES:
            self.skip(n_bytes)
            return None
        return self.take(n_bytes).decode("utf-8", "replace")

    def _array(self) -> tuple[bool | int | float, ...] | None:
        kind = self.kind()
        n_items = self.count(self._left, of="array elements")
        if kind == _STRING:
            self._walk_texts(n_items)
            return None
        form = self._form(kind)
        if n_items > MAX_KEPT_ITEMS:
            self.skip(n_items * form.size)
            return None
        return tuple(item for (item,) in form.iter_unpack(self.take(n_items * form.size)))

    def _walk_texts(self, n_items: int) -> None:
        self._may_walk -= n_items
        if self._may_walk < 0:
            raise self.bad(f"it claims more than {MAX_WALKED_ITEMS} strings")
        read, seek, unpack = self._file.read, self._file.seek, _COUNT.unpack
        for _ in range(n_items):
            prefix = read(8)
            if len(prefix) != _COUNT.size:
                raise self.bad("it ends in the middle of its header")
            (n_bytes,) = unpack(prefix)
            self._spend(8 + n_bytes)
            seek(n_bytes, os.SEEK_CUR)


def open_header(cursor: Cursor) -> tuple[int, int]:
    """Reads up to the first key.

    Returns:
        The number of tensors and the number of keys.

    Raises:
        BadModelFile: Not a GGUF file, or of a version nobody reads any more.
    """
    if cursor.take(4) != MAGIC:
        raise cursor.bad("it does not start with GGUF")
    version = cursor.kind()
    if version not in VERSIONS:
        raise cursor.bad(f"its version is {version}, not {' or '.join(map(str, VERSIONS))}")
    n_tensors = cursor.count(MAX_TENSORS, of="tensors")
    return n_tensors, cursor.count(MAX_KEYS, of="keys")


def keys(cursor: Cursor, n_keys: int) -> Iterator[tuple[str, int]]:
    """Yields each key and its type code; the consumer reads the value before the next step."""
    for _ in range(n_keys):
        yield cursor.text(MAX_KEY_BYTES), cursor.kind()
