"""What a worker is asked to load, and the choices that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from langchain_lmswitch.types.models import ModelKind

ONE_THREAD_BELOW_BYTES = 200 * 10**6
"""Weights smaller than this generate on one thread.

Generation reads all weights once for each token, so below this size waiting for the other
threads costs more than they bring: SmolLM2-135M (98 MB) makes 84-90 tokens/s on one thread and
78-80 on two. The rule counts bytes, not parameters, because
the bytes are what a token costs, and because they are known before anything is loaded.
"""

MOST_THREADS = 8
"""More threads than this rarely speed up generation: memory bandwidth is the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """One load, as the worker's process gets it."""

    key: str
    kind: ModelKind = "llm"
    path: Path
    """A `.gguf` file, or the weights (or the folder) of the sentence encoder's package."""
    mmproj: Path | None = None
    """The projector that lets the model see images."""
    context_tokens: int
    """Shared by all parallel requests."""
    parallel: int = 1
    threads: int | None = None
    """For generating; `None` chooses by the size of the weights and the processor."""

    @property
    def engine(self) -> Literal["llama", "sentences"]:
        """What runs it."""
        return "llama" if self.path.suffix.lower() == ".gguf" else "sentences"

    def to_wire(self) -> dict[str, Any]:
        """The same as plain JSON, for the child's standard input."""
        return {
            "key": self.key,
            "kind": self.kind,
            "path": str(self.path),
            "mmproj": str(self.mmproj) if self.mmproj else None,
            "context_tokens": self.context_tokens,
            "parallel": self.parallel,
            "threads": self.threads,
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "WorkerSpec":
        """The inverse of `to_wire`."""
        mmproj = wire["mmproj"]
        return cls(
            **{**wire, "path": Path(wire["path"]), "mmproj": Path(mmproj) if mmproj else None}
        )


def generation_threads(asked: int | None, *, size_bytes: int, cores: int) -> int:
    """Choose the threads that generate.

    1. As asked.
    2. One for small weights, see `ONE_THREAD_BELOW_BYTES`.
    3. One for each core, but no more than `MOST_THREADS`.
    """
    if asked is not None:  # 1
        return asked
    if size_bytes < ONE_THREAD_BELOW_BYTES:  # 2
        return 1
    return max(1, min(cores, MOST_THREADS))  # 3


def missing_cpu_features(cpuinfo: str) -> tuple[str, ...]:
    """Name what the prebuilt x86-64 engine needs and this processor lacks.

    Args:
        cpuinfo: The text of Linux's `/proc/cpuinfo`; without a `flags` line nothing is
            known, and nothing is missed.
    """
    flags = next((line for line in cpuinfo.splitlines() if line.startswith("flags")), None)
    if flags is None:
        return ()
    present = set(flags.partition(":")[2].split())
    return tuple(name for name in ("avx2", "fma", "bmi2", "f16c") if name not in present)
