"""What is told of a machine's memory, and of what a load costs it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.types.displays.sheets import (
    Bar,
    Cell,
    Sheet,
    said,
    table,
    told,
)
from langchain_lmswitch.types.units import UNKNOWN, mib, size

if TYPE_CHECKING:
    from langchain_lmswitch.types.machine import Footprint, FootprintSource, Gpu, Scope, Snapshot

SCOPES: Final[Mapping["Scope", str]] = {
    "local": "this computer",
    "remote": "another computer",
    "shared": "this computer, seen from within a container or a virtual machine",
}
LIMITS: Final[Mapping[str, str]] = {
    "machine": "this machine",
    "container": "the limit of this container",
}
_SOURCES: Final[Mapping["FootprintSource", str]] = {
    "ledger": "observed loads of this very configuration",
    "host": "the host's own estimate",
    "header": "the formula over the file's header",
    "size": "a guess from the file's size",
}


def snapshot_sheet(now: "Snapshot") -> Sheet:
    """Tell what of a machine's memory is free."""
    return Sheet(
        kind="Snapshot",
        title=SCOPES.get(now.scope, now.scope),
        facts=told(
            ("main memory free", _share(now.ram_free_bytes, now.ram_total_bytes)),
            (
                "limited by",
                "" if now.ram_total_bytes is None else LIMITS.get(now.limited_by, now.limited_by),
            ),
            ("swap free", _swap(now)),
            (
                "swap used",
                size(now.swap_used_bytes) if now.swap_used_bytes and now.swap_total_bytes else "",
            ),
            ("models may hold", "" if now.budget_bytes is None else size(now.budget_bytes)),
            ("GPUs", _gpus(now.gpus)),
        ),
        tables=table(
            *("GPUs", "name", "free", "memory", "main memory free to it"),
            rows=map(_gpu, now.gpus or ()),
        ),
    )


def gpu_sheet(gpu: "Gpu") -> Sheet:
    """Tell what of an accelerator's memory is free."""
    _, free, kind, shared = _gpu(gpu)
    facts = told(("free", free), ("memory", kind), ("main memory free to it", shared))
    return Sheet(kind="Gpu", title=gpu.name, facts=facts)


def footprint_sheet(cost: "Footprint") -> Sheet:
    """Tell what a load is expected to take, and how sure that is."""
    parts = {
        "weights": cost.weights_bytes,
        "cache": cost.kv_bytes,
        "scratch": cost.compute_bytes,
        "engine": cost.backend_bytes,
    }
    return Sheet(
        kind="Footprint",
        title=size(cost.total_bytes),
        lead=f"give or take {size(cost.error_bytes)}, by {_SOURCES[cost.source]}",
        facts=told(
            *((name, _part(taken, cost)) for name, taken in parts.items() if taken),
            ("in main memory", _part(cost.ram_bytes, cost)),
            ("on accelerators", _part(cost.vram_bytes, cost) if cost.vram_bytes else ""),
            ("layers", f"{cost.n_layers:,}" if cost.n_layers else ""),
            ("fits, says the host", "" if cost.fits_by_host is None else said(cost.fits_by_host)),
        ),
    )


def _part(taken_bytes: int, cost: "Footprint") -> Bar:
    return Bar(text=mib(taken_bytes), share=taken_bytes / max(cost.total_bytes, 1))


def _share(free_bytes: int | None, total_bytes: int | None) -> Cell:
    text = f"{size(free_bytes)} of {size(total_bytes)}"
    if free_bytes is None or not total_bytes:
        return UNKNOWN if free_bytes is None and total_bytes is None else text
    return Bar(text=text, share=free_bytes / total_bytes)


def _swap(now: "Snapshot") -> Cell:
    if now.swap_total_bytes == 0:
        return "there is none"
    return _share(now.swap_free_bytes, now.swap_total_bytes)


def _gpus(gpus: tuple["Gpu", ...] | None) -> str:
    return UNKNOWN if gpus is None else "" if gpus else "none"


def _gpu(gpu: "Gpu") -> tuple[Cell, ...]:
    lends = gpu.shared_free_bytes is not None or gpu.shared_total_bytes is not None
    return (
        gpu.name,
        _share(gpu.free_bytes, gpu.total_bytes),
        "a part of main memory" if gpu.unified else "its own",
        _share(gpu.shared_free_bytes, gpu.shared_total_bytes) if lends else "",
    )
