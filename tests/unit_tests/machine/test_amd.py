"""What `amd-smi metric --mem-usage --csv` prints, recorded: unknown is never zero."""

import subprocess
from collections.abc import Sequence

import pytest

from langchain_lmswitch.machine.amd import COMMAND, amd_smi, parse_amd_smi
from langchain_lmswitch.machine.tools import NoAnswer
from langchain_lmswitch.types.machine import Gpu

MIB = 2**20
HEADER = (
    "gpu,total_vram,used_vram,free_vram,total_visible_vram,used_visible_vram,free_visible_vram,"
    "total_gtt,used_gtt,free_gtt\n"
)
# From the docstring of ROCm's own tests.
NAVI = HEADER + "0,16368,905,15463,256,26,230,32119,755,31364\n"
TWO = "gpu,total_vram,used_vram,free_vram\n0,32752,8192,24560\n1,32752,1024,31728\n"
WARNED = "\nWARNING: User is missing the following required groups: render\n\n" + TWO
GUEST = HEADER + "0,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A\n"
NO_FREE = "gpu,total_vram,used_vram\n0,196592,284\n"
HALF = HEADER + "0,16368,N/A,N/A\n"


def gpu(
    index: int,
    total_mib: int | None = None,
    free_mib: int | None = None,
    *,
    shared_mib: tuple[int, int] | None = None,
) -> Gpu:
    return Gpu(
        name=f"AMD GPU {index}",
        total_bytes=None if total_mib is None else total_mib * MIB,
        free_bytes=None if free_mib is None else free_mib * MIB,
        shared_total_bytes=shared_mib[0] * MIB if shared_mib else None,
        shared_free_bytes=shared_mib[1] * MIB if shared_mib else None,
    )


@pytest.mark.parametrize(
    ("printed", "gpus"),
    [
        pytest.param(NAVI, (gpu(0, 16368, 15463, shared_mib=(32119, 31364)),), id="one"),
        pytest.param(TWO, (gpu(0, 32752, 24560), gpu(1, 32752, 31728)), id="two"),
        pytest.param(WARNED, (gpu(0, 32752, 24560), gpu(1, 32752, 31728)), id="a warning above"),
        pytest.param(GUEST, (gpu(0),), id="a virtual machine's guest"),
        pytest.param(NO_FREE, (gpu(0, 196592, 196592 - 284),), id="no column of what is free"),
        pytest.param(HALF, (gpu(0, 16368),), id="a line cut short"),
        pytest.param(HEADER, (), id="none"),
        pytest.param(HEADER + "0,0,0,0,0,0,0,0,0,0\n", (gpu(0),), id="zero total"),
    ],
)
def test_parse_amd_smi(printed: str, gpus: tuple[Gpu, ...]) -> None:
    assert parse_amd_smi(printed) == gpus


@pytest.mark.parametrize("printed", ["", "ERROR: Driver not initialized\n", "[]"])
def test_parse_amd_smi_refuses_other_text(printed: str) -> None:
    """A message in place of the table is no table without GPUs."""
    with pytest.raises(ValueError, match="no table of amd-smi"):
        parse_amd_smi(printed)


@pytest.mark.parametrize(
    "failure",
    [
        subprocess.TimeoutExpired("amd-smi", 2),
        subprocess.CalledProcessError(255, "amd-smi"),
        ValueError("not a table"),
    ],
)
def test_amd_smi_is_asked_once_in_three_seconds(failure: Exception) -> None:
    """Whatever comes of it."""
    now_s = 0.0
    commands: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> str:
        commands.append(command)
        if now_s < 3:
            raise failure
        return TWO

    tool = amd_smi(run=run, clock=lambda: now_s)
    for now_s in (0.0, 1.0, 2.9):  # noqa: B007 - the tool's clock reads it
        with pytest.raises(NoAnswer):
            tool.gpus()
    assert commands == [COMMAND]

    now_s = 3.0
    assert tool.gpus() == parse_amd_smi(TWO)
    now_s = 5.9
    assert tool.gpus() == parse_amd_smi(TWO)
    assert commands == [COMMAND, COMMAND]
