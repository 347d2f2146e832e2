"""Whether bytes are the right ones, and whether there is room for them."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from langchain_lmswitch.errors import DownloadFailed

CHUNK_BYTES: Final = 4 << 20
_SPARE_BYTES: Final = 64 << 20


def sha256_of(path: Path, *, tick: Callable[[], None]) -> str:
    """Returns the digest of a file; calls `tick` now and then, which may raise."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            tick()
            digest.update(chunk)
    return digest.hexdigest()


def check_room(name: str, folder: Path, needed_bytes: int) -> None:
    """Raises `DownloadFailed` if the disk of that folder cannot hold so much more."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes + _SPARE_BYTES:
        raise DownloadFailed(
            name,
            reason=(
                f"{folder} has {free_bytes / 2**20:,.0f} MiB free "
                f"and {needed_bytes / 2**20:,.0f} MiB are needed"
            ),
            remedy="Make room, or set LMSWITCH_HOME to a folder on another disk.",
        )


def wrong_bytes(name: str) -> DownloadFailed:
    """Returns the error for a file whose digest is not the expected one."""
    return DownloadFailed(
        name,
        reason="the sha256 of the file is not the expected one",
        remedy="It was removed. Run it again; if it comes back, tell the maintainers.",
    )
