"""Models that are split over several files."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SPLIT: Final = re.compile(
    r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitName:
    """One part of a split model, by its file name."""

    stem: str
    number: int
    """Counted from 1."""
    count: int

    def siblings(self, folder: Path) -> list[Path]:
        """Returns the paths of all parts, whether they exist or not."""
        numbers = range(1, self.count + 1)
        return [folder / f"{self.stem}-{n:05d}-of-{self.count:05d}.gguf" for n in numbers]


def parse_split(file_name: str) -> SplitName | None:
    """Returns what `name-00001-of-00003.gguf` says; `None` for a file that is whole."""
    match = _SPLIT.fullmatch(file_name)
    if match is None:
        return None
    number, count = int(match["number"]), int(match["count"])
    return SplitName(stem=match["stem"], number=number, count=count)
