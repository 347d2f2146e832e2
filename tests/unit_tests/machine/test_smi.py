"""What `nvidia-smi` prints, recorded: unknown is never zero."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from langchain_lmswitch.machine.nvml import NoAnswer
from langchain_lmswitch.machine.smi import COMMAND, NvidiaSmi, parse_smi, run_command
from langchain_lmswitch.types.machine import Gpu

MIB = 2**20


def unknown(name: str) -> Gpu:
    return Gpu(name=name, total_bytes=None, free_bytes=None)


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
        pytest.param(GB10, (unknown("NVIDIA GB10"),), id="unified memory"),
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


class RecordedCommand:
    """Answers like the real command, and counts."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)
        self.commands: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str]) -> str:
        self.commands.append(command)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_smi_is_asked_every_few_seconds_at_most() -> None:
    now_s = 100.0
    run = RecordedCommand(RTX, GB10)
    smi = NvidiaSmi(run=run, clock=lambda: now_s)

    assert smi.gpus() == parse_smi(RTX)
    now_s = 102.9
    assert smi.gpus() == parse_smi(RTX)
    now_s = 103.1
    assert smi.gpus() == parse_smi(GB10)
    assert run.commands == [COMMAND, COMMAND]


@pytest.mark.parametrize(
    "failure",
    [
        subprocess.TimeoutExpired("nvidia-smi", 2),
        subprocess.CalledProcessError(9, "nvidia-smi", "couldn't communicate with the driver"),
        FileNotFoundError("nvidia-smi"),
        PermissionError("nvidia-smi"),
    ],
)
def test_smi_failure_is_remembered(failure: Exception) -> None:
    """A hanging tool costs its timeout once in a few seconds, not at every snapshot."""
    now_s = 0.0
    run = RecordedCommand(failure, RTX)
    smi = NvidiaSmi(run=run, clock=lambda: now_s)

    for _ in range(3):
        with pytest.raises(NoAnswer):
            smi.gpus()
    assert len(run.commands) == 1

    now_s = 5.0
    assert smi.gpus() == parse_smi(RTX)


@pytest.mark.parametrize(
    ("exit_code", "printed"), [(0, RTX), (9, "NVIDIA-SMI has failed\n")], ids=["answer", "failure"]
)
def test_smi_as_a_process(tmp_path: Path, exit_code: int, printed: str) -> None:
    """The real subprocess call: an answer is read, a bad exit status is no answer."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\nprintf '{printed.rstrip()}\\n'\nexit {exit_code}\n")
    tool.chmod(0o755)
    smi = NvidiaSmi(run=lambda command: run_command([str(tool), *command[1:]]))

    if exit_code:
        with pytest.raises(NoAnswer):
            smi.gpus()
    else:
        assert smi.gpus() == parse_smi(RTX)
