"""Verdicts: GPUs, and whether they tell how much of their memory is free."""

from typing import Final

from langchain_lmswitch.cli.doctor.commands import assign, install
from langchain_lmswitch.cli.doctor.findings import Finding, note, ok, problem, unknown
from langchain_lmswitch.cli.doctor.probes.graphics import Graphics
from langchain_lmswitch.types.machine import Gpu
from langchain_lmswitch.types.units import size

_UNTOLD: Final = "it cannot be told whether there is one"


def judge_gpu(facts: Graphics) -> Finding:
    """Say which GPUs are used, or why one that seems to be here is not.

    1. Some are told.
    2. NVIDIA: a card or a driver, and nobody who tells of it.
    3. AMD: likewise.
    4. There is none, or only one that has no memory of its own.
    """
    if facts.gpus:  # 1
        slow = "nvidia-smi" in facts.tools and "nvml" not in facts.tools
        return _slow(facts) if slow and _is_nvidia(facts) else ok("gpu", _names(facts.gpus))
    makers = {*facts.cards, *(maker for maker, _ in facts.signs)}
    if "NVIDIA" in makers:  # 2
        return _nvidia(facts)
    if "AMD" in makers:  # 3
        return _amd(facts)
    if facts.gpus is None:
        return unknown("gpu", _UNTOLD)
    shares = ": Intel's, which shares the main memory" if "Intel" in makers else ""  # 4
    return ok("gpu", f"none of its own memory{shares}" if shares else "none; models run on the CPU")


def _nvidia(facts: Graphics) -> Finding:
    signs = [path for maker, path in facts.signs if maker == "NVIDIA"]
    seen = f"an NVIDIA GPU seems to be here ({', '.join(signs) or 'a card on the bus'})"
    if not signs:
        if facts.container:
            what = f"{seen}, but this container was started without it"
            return problem("gpu", what, "docker run --gpus all IMAGE")
        what = f"{seen}, but no driver for it: models run on the CPU"
        return problem("gpu", what, "sudo ubuntu-drivers install")
    if "nvml" in facts.tools or "nvidia-smi" in facts.tools:
        return problem("gpu", f"{seen}, but its driver does not answer", "nvidia-smi")
    what = f"{seen}, but no tool that tells its memory, so it is left out of every decision"
    return problem("gpu", what, install("langchain-lmswitch[gpu]"))


def _amd(facts: Graphics) -> Finding:
    seen = "an AMD GPU seems to be here"
    if "amd-smi" in facts.tools:
        return problem("gpu", f"{seen}, but its driver does not tell its memory", "amd-smi list")
    what = f"{seen}, but its driver `amdgpu` tells no memory: it is left out of every decision"
    return problem("gpu", what, "sudo modprobe amdgpu")


def _slow(facts: Graphics) -> Finding:
    what = f"{_names(facts.gpus or ())}. Asked through nvidia-smi, every 3 s; NVML is at once."
    return note("gpu", what, install("langchain-lmswitch[gpu]"))


def judge_gpu_memory(facts: Graphics) -> Finding:
    """Say what follows where a GPU does not tell how much of its memory is free.

    1. It has none of its own (GB10, Jetson): main memory counts.
    2. It has, and does not tell what is free (WSL 2, MIG, no permission).
    """
    if facts.gpus is None:
        return unknown("gpu memory", _UNTOLD)
    gpus = facts.gpus
    silent = [gpu for gpu in gpus if gpu.free_bytes is None]
    unified = [gpu for gpu in gpus if gpu.unified]
    answer = _no_answer(facts)
    said = f" as nvidia-smi answers {answer}" if answer else ""
    if unified:  # 1
        names = ", ".join(gpu.name for gpu in unified)
        what = f"{names} shares the main memory (unified),{said or ' as its driver says'}: "
        return note("gpu memory", f"{what}what is free there counts, and counts once.")
    if silent:  # 2
        names = ", ".join(gpu.name for gpu in silent)
        what = (
            f"{names} does not tell what is free{said} (usual under WSL 2 and MIG, and without "
            "permission). Only main memory counts then, and a load that needs more is tried; say "
            "how much models may hold together to have it reckoned."
        )
        return unknown("gpu memory", what, assign("LMSWITCH_BUDGET_BYTES", str(_budget(silent))))
    return ok("gpu memory", "told by the driver" if gpus else "no GPU")


def _budget(gpus: list[Gpu]) -> int:
    return sum(gpu.total_bytes or 0 for gpu in gpus) * 9 // 10 or 8 * 2**30


def _no_answer(facts: Graphics) -> str:
    """Give what `nvidia-smi` printed instead of a size: `[N/A]`, `[Insufficient Permissions]`."""
    sizes = [field for _, *fields in facts.printed for field in fields]
    return next((field for field in sizes if field.startswith("[")), "")


def _is_nvidia(facts: Graphics) -> bool:
    return any("NVIDIA" in gpu.name.upper() for gpu in facts.gpus or ())


def _names(gpus: tuple[Gpu, ...]) -> str:
    return ", ".join(
        f"{gpu.name} ({size(gpu.free_bytes)} free of {size(gpu.total_bytes)})" for gpu in gpus
    )
