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


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """What can be written, and how much."""

    home: Path
    closed: tuple[tuple[Path, str], ...] = ()
    """Folders that cannot be written, each with why."""
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
    closed = [(one, why) for one in wanted if (why := why_closed(one))]
    state, why = _ledger(settings)
    token = settings.run_home / "token"
    return Folders(
        home=settings.home,
        closed=tuple(closed),
        open_to_others=(token,) if _open_to_others(token) else (),
        models=settings.models_home,
        free_bytes=_free_bytes(settings.models_home),
        ledger=settings.ledger_path,
        ledger_state=state,
        ledger_why=why,
    )


def why_closed(folder: Path) -> str:
    """Say why a folder cannot be written, or made; empty if it can."""
    here = _nearest(folder)
    if not here.is_dir():
        return f"{here} is no folder"
    if hasattr(os, "statvfs") and os.statvfs(here).f_flag & os.ST_RDONLY:
        return "its disk is read-only"
    if os.access(here, os.W_OK | os.X_OK):
        return ""
    mine = hasattr(os, "getuid") and here.stat().st_uid == os.getuid()
    return "its permissions do not let you write" if mine else "it belongs to another user"


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
