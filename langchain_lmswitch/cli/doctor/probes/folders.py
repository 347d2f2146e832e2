"""Probe: the folders and the file that this package writes."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from langchain_lmswitch.cli.doctor.examination import Examination, aside
from langchain_lmswitch.cli.doctor.probes.knobs import settings_of
from langchain_lmswitch.ledger.schema import NewerSchema, Unusable, damage_told, version_of
from langchain_lmswitch.settings import Settings

_BUSY_S: Final = 0.25

LedgerState = Literal["off", "absent", "sound", "damaged", "foreign", "newer", "locked", "closed"]


Why = Literal["no folder", "read-only disk", "no permission", "another user's"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """What keeps us from writing into a folder, or from making it."""

    folder: Path
    at: Path
    """The folder, or the nearest above it that is there."""
    why: Why
    at_home: bool = False
    """Whether it lies in the user's own home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What can be written, and how much."""

    home: Path
    obstacles: tuple[Obstacle, ...] = ()
    """Folders that cannot be written."""
    open_to_others: tuple[Path, ...] = ()
    """Files with secrets that others can read."""
    models: Path
    free_bytes: int | None
    """Space on the disk for models; `None` if unknown."""
    ledger: Path
    ledger_state: LedgerState = "absent"
    ledger_why: str = ""


async def read_folders(exam: Examination) -> Folders:
    """Look at permissions, space and the ledger; nothing is written."""
    settings = await exam.of(settings_of)
    return await aside(lambda: _folders(settings))


def _folders(settings: Settings) -> Folders:
    wanted = [settings.home, settings.run_home, settings.models_home]
    obstacles = [found for one in wanted if (found := obstacle(one))]
    state, why = _ledger(settings)
    token = settings.run_home / "token"
    return Folders(
        home=settings.home,
        obstacles=tuple(obstacles),
        open_to_others=(token,) if _open_to_others(token) else (),
        models=settings.models_home,
        free_bytes=_free_bytes(settings.models_home),
        ledger=settings.ledger_path,
        ledger_state=state,
        ledger_why=why,
    )


def obstacle(folder: Path) -> Obstacle | None:
    """Say what keeps us from writing into a folder, or from making it; nothing is tried."""
    at = _nearest(folder)
    why = _why(at)
    at_home = Path.home() in at.parents
    return Obstacle(folder=folder, at=at, why=why, at_home=at_home) if why else None


def _why(at: Path) -> Why | None:
    if not at.is_dir():
        return "no folder"
    if hasattr(os, "statvfs") and os.statvfs(at).f_flag & os.ST_RDONLY:
        return "read-only disk"
    if os.access(at, os.W_OK | os.X_OK):
        return None
    mine = hasattr(os, "getuid") and at.stat().st_uid == os.getuid()
    return "no permission" if mine else "another user's"


def _nearest(path: Path) -> Path:
    """Give the path, or the nearest above it that is there."""
    return next(one for one in (path.absolute(), *path.absolute().parents) if os.path.lexists(one))


def _open_to_others(path: Path) -> bool:
    return os.name == "posix" and path.exists() and bool(path.stat().st_mode & 0o077)


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(_nearest(folder)).free
    except OSError:
        return None


def _ledger(settings: Settings) -> tuple[LedgerState, str]:
    path = settings.ledger_path
    if not settings.remember:
        return "off", ""
    if not path.exists():
        return "absent", ""
    try:
        damage_told(lambda: _try(path))
    except NewerSchema:
        return "newer", ""
    except Unusable as error:
        return ("damaged" if isinstance(error.__cause__, sqlite3.Error) else "foreign"), str(error)
    except (sqlite3.Error, OSError) as error:
        locked = "locked" in str(error)
        return ("locked" if locked else "closed"), str(error)
    return "sound", ""


def _try(path: Path) -> None:
    """Read the ledger, and begin to write without writing."""
    address = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, timeout=_BUSY_S, uri=True)) as connection:
        version_of(connection)
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(said)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
