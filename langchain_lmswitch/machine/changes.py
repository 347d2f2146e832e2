"""Whether two snapshots of a machine differ by enough to tell anybody."""

from typing import Final

from langchain_lmswitch.types.machine import Gpu, Snapshot

SHARE: Final = 0.02
"""Of the total, above which a change counts."""
LARGE_BYTES: Final = 256 * 2**20
"""Above which a change counts whatever the total."""


def differs(before: Snapshot, after: Snapshot) -> bool:
    """Tell whether `after` is worth telling to those who know `before`.

    1. What became known or unknown is, as is whatever is not an amount of free memory: a total, a
       GPU that came or went, the scope.
    2. Else an amount that moved by more than 2 % of its total, or by more than 256 MiB.
    """
    if _fixed(before) != _fixed(after):  # 1
        return True
    amounts = zip(_amounts(before), _amounts(after), strict=True)
    return any(_moved(was, now, total) for (was, total), (now, _) in amounts)  # 2


def _moved(was: int | None, now: int | None, total: int | None) -> bool:
    if was is None or now is None:
        return was is not now
    enough_bytes = LARGE_BYTES if total is None else min(LARGE_BYTES, SHARE * total)
    return abs(now - was) > enough_bytes


def _fixed(snapshot: Snapshot) -> tuple[object, ...]:
    gpus = snapshot.gpus
    return (
        snapshot.ram_total_bytes,
        snapshot.swap_total_bytes,
        snapshot.limited_by,
        snapshot.scope,
        None if gpus is None else [*map(_fixed_gpu, gpus)],
    )


def _fixed_gpu(gpu: Gpu) -> tuple[object, ...]:
    return gpu.name, gpu.total_bytes, gpu.shared_total_bytes, gpu.unified


def _amounts(snapshot: Snapshot) -> list[tuple[int | None, int | None]]:
    """List `(free, total)`; as many for any two snapshots whose fixed parts are the same."""
    amounts = [
        (snapshot.ram_free_bytes, snapshot.ram_total_bytes),
        (snapshot.swap_free_bytes, snapshot.swap_total_bytes),
    ]
    for gpu in snapshot.gpus or ():
        amounts.append((gpu.free_bytes, gpu.total_bytes))
        amounts.append((gpu.shared_free_bytes, gpu.shared_total_bytes))
    return amounts
