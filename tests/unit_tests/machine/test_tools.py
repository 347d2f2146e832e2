"""Command-line tools: asked seldom, and more seldom if they fail."""

import contextlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from langchain_lmswitch.machine.smi import COMMAND, nvidia_smi, parse_smi
from langchain_lmswitch.machine.tools import NoAnswer, Tool, run_command

RTX = "NVIDIA GeForce RTX 4090, 24564, 23010\n"
GB10 = "NVIDIA GB10, [N/A], [N/A]\n"


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
    smi = nvidia_smi(run=run, clock=lambda: now_s)

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
    smi = nvidia_smi(run=run, clock=lambda: now_s)

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
    smi = nvidia_smi(run=lambda command: run_command([str(tool), *command[1:]]))

    if exit_code:
        with pytest.raises(NoAnswer):
            smi.gpus()
    else:
        assert smi.gpus() == parse_smi(RTX)


def test_pauses_after_failures_double_up_to_a_minute() -> None:
    """A tool that goes on failing costs its two seconds ever more seldom."""
    now_s, asked_s = 0, []

    def run(_command: Sequence[str]) -> str:
        asked_s.append(now_s)
        raise subprocess.TimeoutExpired("nvidia-smi", 2)

    smi = nvidia_smi(run=run, clock=lambda: now_s)
    for now_s in range(220):  # noqa: B007 - the tool's clock reads it
        with pytest.raises(NoAnswer):
            smi.gpus()

    assert asked_s == [0, 3, 9, 21, 45, 93, 153, 213]


def test_pause_is_short_again_after_an_answer() -> None:
    now_s = 0.0
    failure = OSError("gone")
    run = RecordedCommand(failure, failure, RTX, failure, RTX)
    smi = nvidia_smi(run=run, clock=lambda: now_s)
    left = []
    for now_s in (0.0, 3.0, 9.0, 12.0, 15.0):  # noqa: B007 - the tool's clock reads it
        with contextlib.suppress(NoAnswer):
            smi.gpus()
        left.append(len(run.answers))

    assert left == [4, 3, 2, 1, 0]


def test_whoever_asks_meanwhile_does_not_wait() -> None:
    """A second caller gets the last answer, rather than a second process."""
    now_s = 0.0
    meanwhile: list[object] = []

    def run(_command: Sequence[str]) -> str:
        if now_s:
            meanwhile.append(smi.gpus())
            return GB10
        return RTX

    smi: Tool = nvidia_smi(run=run, clock=lambda: now_s)
    first = smi.gpus()
    now_s = 5.0

    assert smi.gpus() == parse_smi(GB10)
    assert meanwhile == [first]
