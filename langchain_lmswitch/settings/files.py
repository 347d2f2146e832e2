"""The files of settings: where they are looked for, and what stands in them."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import platformdirs

from langchain_lmswitch.errors import BadSettings

FILE: Final = "lmswitch.toml"
CONFIG: Final = "LMSWITCH_CONFIG"
"""The variable that names another file than the user's; `off` reads none, nor a project's."""
_OFF: Final = ("", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where files of settings are looked for."""

    user: Path | None
    """The user's, whether there is one or not; `None` if no file is to be read."""
    named: bool = False
    """Whether the environment names it; then it must be there."""
    project: Path | None = None
    """The project's; `None` if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile:
    """One file that was read."""

    path: Path
    text: str
    values: Mapping[str, Any]


def places() -> Places:
    """Find the files, by the environment and the current directory of this moment.

    1. The user's is where the system keeps settings, or where `LMSWITCH_CONFIG` says.
    2. The project's is in the current directory, or the nearest one above it that has one, up to
       the home directory.
    """
    named = os.environ.get(CONFIG)
    if named is not None and named.strip().lower() in _OFF:
        return Places(user=None)
    user = Path(named).expanduser() if named else usual_path()  # 1
    return Places(user=user, named=named is not None, project=_project(user))  # 2


def usual_path() -> Path:
    """Give the place of the user's file, unless the environment names another."""
    return Path(platformdirs.user_config_dir("langchain-lmswitch")) / FILE


def read(path: Path) -> SettingsFile:
    """Read a file, or give what was read of it before if it is unchanged.

    Raises:
        BadSettings: It cannot be read, or is no TOML.
    """
    try:
        status = path.stat()
        return _read(path, status.st_mtime_ns, status.st_size)
    except FileNotFoundError as error:
        remedy = f"Write it with `lmswitch config --init`, or change or unset {CONFIG}."
        raise BadSettings([f"There is no {path}."], remedy=remedy) from error
    except OSError as error:
        remedy = f"Make it readable, or set {CONFIG} to another file or to `off`."
        raise BadSettings([f"{path} cannot be read: {error.strerror}."], remedy=remedy) from error


@lru_cache(maxsize=32)
def _read(path: Path, *_stamp: int) -> SettingsFile:
    import tomllib  # noqa: PLC0415 - 3 ms at every import, and most users have no file

    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows' editors write a mark first
        return SettingsFile(path=path, text=text, values=tomllib.loads(text))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        told = f"{path} is no TOML: {error}."
        raise BadSettings([told], remedy="Correct it there.") from error


def _project(user: Path) -> Path | None:
    for folder in _folders():
        file = folder / FILE
        try:
            if file.is_file() and not (user.exists() and file.samefile(user)):
                return file
        except OSError:  # a folder that we may not look into
            continue
    return None


def _folders() -> Iterator[Path]:
    """Walk from the current directory up to the home directory, or to the root."""
    try:
        here, home = Path.cwd(), Path.home().resolve()
    except (OSError, RuntimeError):  # the directory is gone, or nobody has a home here
        return
    for folder in (here, *here.parents):
        yield folder
        if folder == home:
            return
