"""The small files of procfs, sysfs and the control groups."""

import os
from pathlib import Path

_MOST_BYTES = 1 << 16


def read_text(path: Path | str) -> str:
    """Read a small file and strip it; empty if it cannot be read.

    A snapshot reads a dozen of them, so this goes past `open`, which takes several times as long.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(file, _MOST_BYTES).decode("utf-8", "replace").strip()
    except OSError:
        return ""
    finally:
        os.close(file)


def read_number(path: Path | str) -> int | None:
    """Read a file that holds one number; `None` for anything else, and for what is not there."""
    text = read_text(path)
    return int(text) if text.isascii() and text.isdigit() else None
