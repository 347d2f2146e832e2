"""Verdicts: memory, its limits, swap, and where we are."""

from typing import Final

from langchain_lmswitch.cli.doctor.commands import assign
from langchain_lmswitch.cli.doctor.findings import Finding, note, ok, problem, unknown
from langchain_lmswitch.cli.doctor.probes.room import Fits, Room
from langchain_lmswitch.machine.boundary import Enclosure
from langchain_lmswitch.types.units import size

_STALLED_PERCENT: Final = 10
_MUCH_SWAP: Final = 0.25
_PLACES: Final[dict[Enclosure, str]] = {
    "none": "on the machine itself",
    "container": "inside of a container",
    "wsl": "inside of WSL 2",
}
_SMALLEST: Final = "lmswitch pull smollm2-135m-instruct"
_BUDGET: Final = "LMSWITCH_BUDGET_BYTES"


def judge_limit(facts: Room) -> Finding:
    """Say whether we may use less than the computer has."""
    limit, machine = facts.limit_bytes, facts.machine_bytes
    if limit is None or (machine is not None and limit >= machine):
        return ok("memory limit", f"none; the machine has {size(machine)}")
    us = "this container" if facts.enclosure == "container" else "this session"
    what = f"{us} may use {size(limit)} of the machine's {size(machine)}"
    if facts.scope == "shared":
        what = f"{what}; the host is outside of it, and has limits of its own"
        return note("memory limit", what, assign(_BUDGET, str((machine or limit) // 2)))
    what = f"{what}; models have to fit into that"
    if facts.enclosure == "container":
        remedy = f"docker update --memory {_gib(machine)}g CONTAINER"
    else:
        remedy = "cat /proc/self/cgroup"  # which group it is
    return note("memory limit", what, remedy)


def judge_fit(facts: Fits) -> Finding:
    """Say whether at least one model fits into what is free.

    1. The host's memory is not this machine's: only a budget tells.
    2. No host can be asked: by the smallest file.
    3. None of the smallest models fits.
    """
    free = f"{size(facts.now.ram_free_bytes)} free of {size(facts.now.ram_total_bytes)}"
    if facts.scope != "local":  # 1
        return _elsewhere(facts)
    if not facts.verdicts:  # 2
        return _by_file(facts, free)
    fitting = sum(fit.fits is not False for _, fit in facts.verdicts)
    if not fitting:  # 3
        key, fit = facts.verdicts[0]
        what = f"no model fits now: even {key} {fit.why.removeprefix('no: ')}. Close other programs"
        return problem("memory", f"{what}, or get a smaller model.", _SMALLEST)
    return ok("memory", f"{free}; {fitting} of the {len(facts.verdicts)} smallest models fit now")


def _elsewhere(facts: Fits) -> Finding:
    if facts.budget_bytes is not None:
        return ok("memory", f"the host's is not ours; you allow {size(facts.budget_bytes)}")
    what = (
        "the host runs on another machine, whose memory cannot be measured from here: every model "
        "counts as fitting. Say how much its models may hold together."
    )
    return unknown("memory", what, assign(_BUDGET, str(16 * 2**30)))


def _by_file(facts: Fits, free: str) -> Finding:
    least, now_free = facts.smallest_bytes, facts.now.ram_free_bytes
    if least is not None and now_free is not None and least > now_free:
        what = f"{free}, and the smallest model is {size(least)}. Close other programs"
        return problem("memory", f"{what}, or get a smaller model.", _SMALLEST)
    return ok("memory", free)


def judge_swap(facts: Room) -> Finding:
    """Say whether memory is so short that models would crawl."""
    if facts.stalled_percent is not None and facts.stalled_percent > _STALLED_PERCENT:
        what = (
            f"programs waited for memory in {facts.stalled_percent:.0f} % of the last 10 seconds: "
            "the machine is short of it, and models crawl"
        )
        return problem("swap", what, "top -o %MEM")
    total, used = facts.now.swap_total_bytes, facts.now.swap_used_bytes
    if total is None or used is None:
        return unknown("swap", "the system does not tell")
    if total and used > _MUCH_SWAP * total:
        what = f"{size(used)} of {size(total)} in use: memory was short once; models in it crawl"
        return note("swap", what, "lmswitch status")
    return ok("swap", f"{size(used)} of {size(total)} in use" if total else "none")


def judge_place(facts: Room) -> Finding:
    """Say what hides the computer from us; where a host was found, that is in nobody's way."""
    if facts.hosted and not facts.flatpak:
        return ok("place", _PLACES[facts.enclosure])
    if facts.flatpak:
        what = (
            "inside of a Flatpak, which may hide GPUs, folders and programs: an LM Studio outside "
            "may be found only if named"
        )
        return note("place", what, assign("LMSWITCH_BASE_URL", "127.0.0.1:1234"))
    match facts.enclosure:
        case "wsl":
            what = (
                "inside of WSL 2, which has a part of the memory of Windows. An LM Studio on "
                "Windows is found only if it serves on the local network and is named"
            )
            gateway = "$(ip route show default | cut -d' ' -f3):1234"
            return note("place", what, assign("LMSWITCH_BASE_URL", gateway))
        case "container":
            what = "inside of a container: an LM Studio outside of it is found only if named"
            return note("place", what, assign("LMSWITCH_BASE_URL", "host.docker.internal:1234"))
        case "none":
            return ok("place", _PLACES["none"])


def _gib(size_bytes: int | None) -> int:
    return max(1, (size_bytes or 0) >> 30)
