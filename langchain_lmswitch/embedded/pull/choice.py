"""Which files of a Hub repository make up the model that is wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from langchain_lmswitch.embedded.gguf import parse_split
from langchain_lmswitch.embedded.gguf.filetypes import quantization_in
from langchain_lmswitch.embedded.pull.hub import HubFile

PREFERRED: Final = ("Q4_K_M", "Q4_K_XL", "Q4_K_S", "Q4_0", "MXFP4", "Q5_K_M", "Q8_0")
"""Quantizations, the best trade of size and quality first."""


@dataclass(frozen=True, slots=True)
class HubName:
    """What a user wrote, taken apart: `publisher/repository`, or that and `/file.gguf`."""

    repository: str
    file: str

    @classmethod
    def parse(cls, name: str) -> "HubName | None":
        """Returns the parts, or `None` if it cannot be the name of a repository."""
        parts = name.split("/")
        if len(parts) < 2 or not all(map(_is_plain, parts)):  # noqa: PLR2004  publisher, repository
            return None
        return cls("/".join(parts[:2]), "/".join(parts[2:]))


def _is_plain(part: str) -> bool:
    return part not in {"", ".", ".."} and not set(part) & set('\\:*?"<>|\0')


def choose(files: Sequence[HubFile], wanted: str) -> list[HubFile]:
    """Returns the files to fetch, empty if there is none that suits.

    1. The file that is wanted, else by `PREFERRED`, else the smallest.
    2. All parts of it, if it is split.
    3. The smallest projector of the repository, without which the model cannot see.
    """
    offered = variants(files)
    return next((one for one in offered if not wanted or wanted in _paths(one)), [])


def variants(files: Sequence[HubFile]) -> list[list[HubFile]]:
    """Returns the models of a repository, each with all its files, in the order of `choose`."""
    good = [file for file in files if HubName.parse(f"a/b/{file.path}") and _is_gguf(file)]
    models = [file for file in good if not _is_projector(file)]
    projectors = sorted(filter(_is_projector, good), key=lambda file: file.size_bytes)
    found: list[list[HubFile]] = []
    for first in sorted(models, key=_rank):  # 1
        if not any(first in one for one in found):
            found.append(_parts(first, models) + projectors[:1])  # 2, 3
    return found


def _paths(files: Sequence[HubFile]) -> list[str]:
    return [file.path for file in files if not _is_projector(file)]


def _is_gguf(file: HubFile) -> bool:
    return file.path.lower().endswith(".gguf")


def _is_projector(file: HubFile) -> bool:
    return "mmproj" in PurePosixPath(file.path).name.lower()


def _rank(file: HubFile) -> tuple[int, int, str]:
    quantization = quantization_in(PurePosixPath(file.path).stem)
    place = PREFERRED.index(quantization) if quantization in PREFERRED else len(PREFERRED)
    return place, file.size_bytes, file.path


def _parts(file: HubFile, files: Sequence[HubFile]) -> list[HubFile]:
    path = PurePosixPath(file.path)
    split = parse_split(path.name)
    if split is None:
        return [file]
    folder = "" if str(path.parent) == "." else f"{path.parent}/"
    names = {f"{folder}{part.as_posix()}" for part in split.siblings(Path())}
    return sorted((one for one in files if one.path in names), key=lambda one: one.path)
