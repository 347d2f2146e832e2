"""What `nvidia-smi` prints, recorded: unknown is never zero."""

import os
import stat
import sys
from pathlib import Path

import pytest

from langchain_lmswitch.machine.smi import nvidia_smi, parse_smi
from langchain_lmswitch.machine.tools import NoAnswer
from langchain_lmswitch.types.machine import Gpu

MIB = 2**20


def unknown(name: str) -> Gpu:
    return Gpu(name=name, total_bytes=None, free_bytes=None)


H200 = "NVIDIA H200, 143771, 137510\n"
"""With a process that holds 5 GiB; NVML said 150754820096 and 144188768256 bytes."""
RTX = "NVIDIA GeForce RTX 4090, 24564, 23010\n"
TWO = "NVIDIA GeForce GTX 1050 Ti, 4096, 2131\nNVIDIA GeForce RTX 3080 Ti, 16384, 16000\n"
GB10 = "NVIDIA GB10, [N/A], [N/A]\n"
WDDM = "NVIDIA RTX A2000 8GB Laptop GPU, 8188, [N/A]\n"
LOST = "NVIDIA A10, [GPU is lost], [GPU is lost]\nNVIDIA A10, 23028, 22500\n"
OLD = "GeForce GT 610, [Not Supported], [Not Supported]\n"


@pytest.mark.parametrize(
    ("printed", "gpus"),
    [
        pytest.param(
            H200,
            (Gpu(name="NVIDIA H200", total_bytes=143771 * MIB, free_bytes=137510 * MIB),),
            id="H200",
        ),
        pytest.param(
            RTX,
            (
                Gpu(
                    name="NVIDIA GeForce RTX 4090",
                    total_bytes=24564 * MIB,
                    free_bytes=23010 * MIB,
                ),
            ),
            id="one",
        ),
        pytest.param(
            TWO,
            (
                Gpu(
                    name="NVIDIA GeForce GTX 1050 Ti",
                    total_bytes=4096 * MIB,
                    free_bytes=2131 * MIB,
                ),
                Gpu(
                    name="NVIDIA GeForce RTX 3080 Ti",
                    total_bytes=16384 * MIB,
                    free_bytes=16000 * MIB,
                ),
            ),
            id="two",
        ),
        pytest.param(
            GB10,
            (Gpu(name="NVIDIA GB10", total_bytes=None, free_bytes=None, unified=True),),
            id="unified memory",
        ),
        pytest.param(
            WDDM,
            (
                Gpu(
                    name="NVIDIA RTX A2000 8GB Laptop GPU",
                    total_bytes=8188 * MIB,
                    free_bytes=None,
                ),
            ),
            id="free not told",
        ),
        pytest.param(
            LOST,
            (
                unknown("NVIDIA A10"),
                Gpu(name="NVIDIA A10", total_bytes=23028 * MIB, free_bytes=22500 * MIB),
            ),
            id="one lost",
        ),
        pytest.param(OLD, (unknown("GeForce GT 610"),), id="not supported"),
        pytest.param("NVIDIA X, 0, 0\n", (unknown("NVIDIA X"),), id="zero total"),
        pytest.param("No devices were found\n", (), id="none"),
        pytest.param("", (), id="nothing"),
    ],
)
def test_parse_smi(printed: str, gpus: tuple[Gpu, ...]) -> None:
    assert parse_smi(printed) == gpus


def test_parse_smi_refuses_other_text() -> None:
    """A message in place of the table is no table of zero GPUs."""
    with pytest.raises(ValueError, match="not a line of nvidia-smi"):
        parse_smi("Failed to initialize NVML: Driver/library version mismatch\n")


@pytest.mark.skipif(sys.platform == "win32", reason="the tool is a shell script")
@pytest.mark.parametrize(
    ("printed", "code", "gpus"),
    [
        pytest.param(H200, 0, 1, id="one"),
        pytest.param("No devices were found", 6, 0, id="none: it ends with 6"),
        pytest.param("NVIDIA-SMI has failed because", 9, None, id="no driver"),
    ],
)
def test_no_devices_is_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str, code: int, gpus: int | None
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f'#!/bin/sh\nprintf "%s" "{printed}"\nexit {code}\n')
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    try:
        found = len(nvidia_smi().gpus())
    except NoAnswer:
        found = None

    assert found == gpus
