"""GPUs, limits and memory, by files as the system writes them and a tool that prints as it does."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from langchain_lmswitch.cli.doctor.findings import Finding
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.machine import smi
from langchain_lmswitch.machine.accelerators import Accelerators
from langchain_lmswitch.machine.monitor import SystemMonitor
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.machine import Gpu, Snapshot

Examine = Callable[..., Finding]

NONE = FixedMachine(now=Snapshot(ram_total_bytes=2**34, ram_free_bytes=2**33, gpus=()))
GB10 = "NVIDIA GB10, [N/A], [N/A]"
WDDM = "NVIDIA RTX A2000 8GB Laptop GPU, 8188, [N/A]"


def put(root: Path, path: str, text: str = "") -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def put_card(root: Path, vendor: str, *, kind: str = "0x030000") -> None:
    put(root, "sys/bus/pci/devices/0000:01:00.0/vendor", f"{vendor}\n")
    put(root, "sys/bus/pci/devices/0000:01:00.0/class", f"{kind}\n")


def put_tool(folder: Path, monkeypatch: pytest.MonkeyPatch, prints: str) -> None:
    """Put an `nvidia-smi` on the path that prints this."""
    folder.mkdir()
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho '{prints}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def by_smi() -> Session:
    """A session that has only `nvidia-smi` to ask."""
    accelerators = Accelerators(nvidia=smi.nvidia_smi)
    return Session(host=ScriptedHost(), monitor=SystemMonitor(accelerators=accelerators))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a machine with nothing in it, and no tools."""
    monkeypatch.setenv("PATH", str(tmp_path / "no-tools"))
    monkeypatch.setitem(sys.modules, "pynvml", None)
    return tmp_path / "root"


def test_no_gpu(look_at: Examine, root: Path) -> None:
    assert look_at("gpu", session=Session(monitor=NONE), root=root).state == "ok"


def test_screen_of_a_virtual_machine_is_no_gpu(look_at: Examine, root: Path) -> None:
    put_card(root, "0x1234")

    assert look_at("gpu", session=Session(monitor=NONE), root=root).state == "ok"


def test_network_card_of_a_gpu_maker_is_no_gpu(look_at: Examine, root: Path) -> None:
    put_card(root, "0x10de", kind="0x020000")

    assert look_at("gpu", session=Session(monitor=NONE), root=root).state == "ok"


def test_gpu_without_a_driver(look_at: Examine, root: Path) -> None:
    put_card(root, "0x10de")

    told = look_at("gpu", session=Session(monitor=NONE), root=root)

    assert told.state == "problem"
    assert "no driver" in told.what


def test_gpu_that_a_container_was_not_given(look_at: Examine, root: Path) -> None:
    put_card(root, "0x10de")
    put(root, ".dockerenv")

    told = look_at("gpu", session=Session(monitor=NONE), root=root)

    assert told.remedy == "docker run --gpus all IMAGE"


def test_driver_without_a_tool(look_at: Examine, root: Path) -> None:
    put_card(root, "0x10de")
    put(root, "proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module")

    told = look_at("gpu", session=Session(monitor=NONE), root=root)

    assert told.state == "problem"
    assert "no tool" in told.what
    assert told.remedy == "pip install 'langchain-lmswitch[gpu]'"


def test_amd_gpu_without_a_tool(look_at: Examine, root: Path) -> None:
    put(root, "dev/kfd")

    told = look_at("gpu", session=Session(monitor=NONE), root=root)

    assert told.state == "problem"
    assert "AMD" in told.what


def test_intel_gpu_shares_main_memory(look_at: Examine, root: Path) -> None:
    put_card(root, "0x8086")

    told = look_at("gpu", session=Session(monitor=NONE), root=root)

    assert told.state == "ok"
    assert "shares the main memory" in told.what


def test_gpu_is_asked_through_the_tool_only(
    look_at: Examine, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_tool(tmp_path / "bin", monkeypatch, "NVIDIA H200, 143771, 143156")

    told = look_at("gpu", session=by_smi(), root=root)

    assert told.state == "note"
    assert "139.8 GiB free of 140.4 GiB" in told.what
    assert told.remedy == "pip install 'langchain-lmswitch[gpu]'"


def test_memory_does_not_apply_to_a_unified_gpu(
    look_at: Examine, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_tool(tmp_path / "bin", monkeypatch, GB10)

    told = look_at("gpu memory", session=by_smi(), root=root)

    assert told.state == "note"
    assert told.what.startswith("NVIDIA GB10 shares the main memory (unified), as nvidia-smi ")


def test_free_memory_is_not_told(
    look_at: Examine, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_tool(tmp_path / "bin", monkeypatch, WDDM)

    told = look_at("gpu memory", session=by_smi(), root=root)

    assert told.state == "unknown"
    assert "nvidia-smi answers [N/A]" in told.what
    assert told.remedy == f"export LMSWITCH_BUDGET_BYTES={8188 * 2**20 * 9 // 10}"


def test_memory_that_may_not_be_seen(
    look_at: Examine, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_tool(tmp_path / "bin", monkeypatch, "NVIDIA A100, [Insufficient Permissions], [N/A]")

    told = look_at("gpu memory", session=by_smi(), root=root)

    assert told.state == "unknown"
    assert "nvidia-smi answers [Insufficient Permissions]" in told.what


def test_free_memory_that_is_told(look_at: Examine) -> None:
    gpu = Gpu(name="H200", total_bytes=2**37, free_bytes=2**36)
    now = Snapshot(ram_total_bytes=2**34, ram_free_bytes=2**33, gpus=(gpu,))

    assert look_at("gpu memory", session=Session(monitor=FixedMachine(now=now))).state == "ok"


@pytest.mark.parametrize("version", [1, 2])
def test_limit_below_the_memory_of_the_machine(look_at: Examine, root: Path, version: int) -> None:
    if version == 1:
        put(root, "proc/self/cgroup", "4:memory:/docker/abc\n")
        put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", f"{2**28}\n")
        put(root, "sys/fs/cgroup/memory/memory.usage_in_bytes", f"{2**20}\n")
        put(root, "sys/fs/cgroup/memory/memory.stat", f"hierarchical_memory_limit {2**28}\n")
    else:
        put(root, "proc/self/cgroup", "0::/\n")
        put(root, "sys/fs/cgroup/memory.max", f"{2**28}\n")
        put(root, "sys/fs/cgroup/memory.current", f"{2**20}\n")

    told = look_at("memory limit", session=Session(host=ScriptedHost(), monitor=NONE), root=root)

    assert told.state == "note"
    assert "may use 256 MiB of the machine's " in told.what
    assert told.remedy.startswith("docker update --memory " if version == 1 else "cat /proc/self")


def test_no_limit(look_at: Examine, root: Path) -> None:
    session = Session(host=ScriptedHost(), monitor=NONE)

    assert look_at("memory limit", session=session, root=root).state == "ok"


def test_no_model_fits(look_at: Examine) -> None:
    host = ScriptedHost([card("huge", params="70B", size_bytes=40 * 2**30)])

    told = look_at("memory", session=Session(host=host, monitor=NONE))

    assert told.state == "problem"
    assert told.what.startswith("no model fits now: even huge needs ")
    assert {call.method for call in host.calls} <= {"cards", "residents", "estimate", "engine"}


def test_some_models_fit(look_at: Examine) -> None:
    host = ScriptedHost([card("huge", params="70B", size_bytes=40 * 2**30), card("small")])

    told = look_at("memory", session=Session(host=host, monitor=NONE))

    assert told.state == "ok"
    assert "1 of the 2 smallest models fit now" in told.what


def test_memory_of_a_remote_host_is_unknown(
    look_at: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(host=ScriptedHost(scope="remote"), monitor=NONE)

    told = look_at("memory", session=session)
    monkeypatch.setenv("LMSWITCH_BUDGET_BYTES", str(2**34))

    assert told.state == "unknown"
    assert told.remedy.startswith("export LMSWITCH_BUDGET_BYTES=")
    assert look_at("memory", session=session).state == "ok"


def test_memory_that_everybody_waits_for(look_at: Examine, root: Path) -> None:
    put(root, "proc/pressure/memory", "some avg10=41.60 avg60=9.00 avg300=2.00 total=1\n")

    told = look_at("swap", session=Session(host=ScriptedHost(), monitor=NONE), root=root)

    assert told.state == "problem"
    assert "42 %" in told.what


def test_swap_in_use(look_at: Examine, root: Path) -> None:
    now = Snapshot(
        ram_total_bytes=2**34,
        ram_free_bytes=2**33,
        gpus=(),
        swap_total_bytes=2**32,
        swap_used_bytes=2**31,
    )

    told = look_at("swap", session=Session(monitor=FixedMachine(now=now)), root=root)

    assert told.state == "note"
    assert "2.0 GiB of 4.0 GiB in use" in told.what


@pytest.mark.parametrize(
    ("path", "text", "word"),
    [
        (".flatpak-info", "", "Flatpak"),
        ("proc/version", "Linux version 5.15.90.1-microsoft-standard-WSL2", "WSL 2"),
        (".dockerenv", "", "container"),
    ],
)
def test_what_hides_the_machine_is_told(
    look_at: Examine, root: Path, path: str, text: str, word: str
) -> None:
    put(root, path, text)

    told = look_at("place", session=Session(monitor=NONE), root=root)

    assert told.state == "note"
    assert word in told.what
    assert told.remedy.startswith("export LMSWITCH_BASE_URL=")
