"""Bring weights into the page cache, counting the bytes: the honest part of load progress."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

CHUNK_BYTES = 4 * 2**20
READING_SHARE = 0.9
"""Part of the progress that is bytes read; the rest is the engine's own load.

The engine tells nothing while it loads. Once the bytes are in the page cache its load takes
about 0.5 s for 100 MB and 1.3 s for 500 MB, while a cold disk
gives 0.1 to 3 GB/s; so on a warm cache the first nine tenths go by quickly and the bar rests at
0.9, which is the truth: nothing is known of what happens then.
"""
STEP = 0.01
"""Least difference between two reports."""

_SHARD = re.compile(r"-\d{5}-of-(\d{5})\.gguf$")


def shards(path: Path) -> tuple[Path, ...]:
    """All files of a split GGUF (`...-00001-of-00003.gguf`), or `path` alone."""
    if (found := _SHARD.search(path.name)) is None:
        return (path,)
    stem = path.name[: found.start()]
    count = found.group(1)
    return tuple(
        path.with_name(f"{stem}-{n:05d}-of-{count}.gguf") for n in range(1, int(count) + 1)
    )


def warm(files: Iterable[Path], report: Callable[[float], None]) -> int:
    """Read the files through, reporting `READING_SHARE` by bytes; return how many there were.

    Raises:
        OSError: A file cannot be read.
    """
    paths = tuple(files)
    total_bytes = sum(path.stat().st_size for path in paths)
    done_bytes, told = 0, 0.0
    for size_bytes in _sizes(paths):
        done_bytes += size_bytes
        fraction = READING_SHARE * done_bytes / max(total_bytes, done_bytes)
        if fraction - told >= STEP or done_bytes == total_bytes:
            report(fraction)
            told = fraction
    return total_bytes


def _sizes(paths: Iterable[Path]) -> Iterator[int]:
    buffer = bytearray(CHUNK_BYTES)
    for path in paths:
        with path.open("rb", buffering=0) as file:
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            while size_bytes := file.readinto(buffer):
                yield size_bytes
