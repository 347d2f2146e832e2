"""AMD GPUs: what the `amdgpu` driver writes into sysfs, and `amd-smi` for what it does not."""

import csv
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from langchain_lmswitch.machine.files import read_number, read_text
from langchain_lmswitch.machine.tools import RunCommand, Tool, mib, run_command
from langchain_lmswitch.types.machine import Gpu

COMMAND: Final = ("amd-smi", "metric", "--mem-usage", "--csv")
"""As CSV, since the JSON is a list up to ROCm 6 and an object around one from ROCm 7 on."""

_VENDOR: Final = "0x1002"


def amd_cards(drm: Path) -> tuple[Path, ...]:
    """List the folders of the AMD cards; `card0-DP-1` and the like are their outputs."""
    cards = sorted(path for path in drm.glob("card*") if re.fullmatch(r"card\d+", path.name))
    return tuple(card for card in cards if read_text(card / "device" / "vendor") == _VENDOR)


def amd_gpu(card: Path) -> Gpu:
    """Read what sysfs tells of an AMD card; `None` for memory that it does not tell.

    Its own memory is VRAM: on an APU, what the firmware has taken away from main memory for good.
    What it may share is GTT, main memory that the GPU can map: most of what an APU works with, and
    for a card behind the bus a slow way out.
    """
    total_bytes, free_bytes = _pool(card, "vram")
    shared_total_bytes, shared_free_bytes = _pool(card, "gtt")
    return Gpu(
        name=read_text(card / "device" / "product_name") or f"AMD GPU {card.name}",
        total_bytes=total_bytes,
        free_bytes=free_bytes,
        shared_total_bytes=shared_total_bytes,
        shared_free_bytes=shared_free_bytes,
    )


def all_told(cards: tuple[Gpu, ...]) -> bool:
    """Tell whether there are cards, and the memory of each is known."""
    return bool(cards) and all(card.total_bytes is not None for card in cards)


def amd_smi(*, run: RunCommand = run_command, clock: Callable[[], float] = time.monotonic) -> Tool:
    """Make what asks `amd-smi`, which takes about half a second: it is a Python program."""
    return Tool(COMMAND, parse_amd_smi, run=run, clock=clock)


def parse_amd_smi(text: str) -> tuple[Gpu, ...]:
    """Read what `amd-smi` printed: a header, then a line for each GPU, sizes in MiB.

    Warnings may stand above the header. `N/A` and columns that are missing are unknown, not zero.

    Raises:
        ValueError: It printed something else.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    at = next((at for at, line in enumerate(lines) if line.startswith("gpu,")), None)
    if at is None:
        raise ValueError(f"no table of amd-smi: {text.strip()[:80]!r}")
    return tuple(_gpu(row) for row in csv.DictReader(lines[at:], restval=""))


def _gpu(row: Mapping[str, str]) -> Gpu:
    total_bytes, free_bytes = _columns(row, "vram")
    shared_total_bytes, shared_free_bytes = _columns(row, "gtt")
    return Gpu(
        name=f"AMD GPU {row['gpu']}",
        total_bytes=total_bytes,
        free_bytes=free_bytes,
        shared_total_bytes=shared_total_bytes,
        shared_free_bytes=shared_free_bytes,
    )


def _columns(row: Mapping[str, str], pool: str) -> tuple[int | None, int | None]:
    total, used, free = (mib(row.get(f"{what}_{pool}", "")) for what in ("total", "used", "free"))
    return _total_and_free(total, used, free)


def _pool(card: Path, pool: str) -> tuple[int | None, int | None]:
    total = read_number(card / "device" / f"mem_info_{pool}_total")
    used = read_number(card / "device" / f"mem_info_{pool}_used")
    return _total_and_free(total, used, None)


def _total_and_free(
    total: int | None, used: int | None, free: int | None
) -> tuple[int | None, int | None]:
    if not total:  # A card without any memory is one that does not tell.
        return None, None
    return total, free if free is not None or used is None else max(0, total - used)
