"""Macs: what the kernel and Metal say, recorded."""

# ruff: noqa: N802 - the stand-in has the names of Metal

import ctypes
import errno
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from langchain_lmswitch.machine.apple import (
    AppleSilicon,
    budget_bytes,
    find_metal,
    read_sysctl,
    sysctl_number,
)
from langchain_lmswitch.types.machine import Gpu

GIB = 2**30


@dataclass
class Device:
    """The two methods of a Metal device that we call, by PyObjC's names."""

    working_set_bytes: int

    def name(self) -> str:
        return "Apple M1 Pro"

    def recommendedMaxWorkingSetSize(self) -> int:
        return self.working_set_bytes


def kernel(**numbers: int) -> dict[str, int]:
    return {
        "hw.optional.arm64": 1,
        "hw.memsize": 16 * GIB,
        "iogpu.wired_limit_mb": numbers.get("limit_mib", 0),
    }


def unified(name: str, total_bytes: int | None) -> tuple[Gpu, ...]:
    return (Gpu(name=name, total_bytes=total_bytes, free_bytes=None, unified=True),)


def test_metal_has_the_last_word() -> None:
    """It follows the limit that the user sets, so it is asked each time; opened once."""
    device = Device(working_set_bytes=11453251584)  # as llama.cpp logs it on a Mac with 16 GB
    opened: list[Device] = []

    def metal() -> Device:
        opened.append(device)
        return device

    mac = AppleSilicon(sysctl=kernel(limit_mib=1).get, metal=metal)
    before = mac.gpus()
    device.working_set_bytes = 14 * GIB

    assert before == unified("Apple M1 Pro", 11453251584)
    assert mac.gpus() == unified("Apple M1 Pro", 14 * GIB)
    assert len(opened) == 1


def test_metal_that_does_not_tell() -> None:
    """Zero is unknown."""
    mac = AppleSilicon(sysctl=kernel().get, metal=lambda: Device(working_set_bytes=0))

    assert mac.gpus() == unified("Apple M1 Pro", None)


def test_without_metal_the_limit_of_the_user_counts() -> None:
    mac = AppleSilicon(sysctl=kernel(limit_mib=13000).get, metal=lambda: None)

    assert mac.gpus() == unified("Apple GPU", 13000 * 2**20)


@pytest.mark.parametrize(
    ("ram_gib", "recorded_bytes"),
    [
        # recommendedMaxWorkingSetSize in logs of llama.cpp, in decimal MB.
        (16, 11453_250000),
        (18, 12713_120000),
        (24, 17179_890000),
        (32, 22906_500000),
        (36, 28991_030000),
        (48, 38654_710000),
        (64, 51539_610000),
    ],
)
def test_share_of_main_memory_is_no_more_than_metal_recommends(
    ram_gib: int, recorded_bytes: int
) -> None:
    """The rule errs on the low side, by at most 3 %."""
    share_bytes = budget_bytes(ram_bytes=ram_gib * GIB, limit_mib=0)

    assert share_bytes is not None
    assert 0.97 * recorded_bytes <= share_bytes <= recorded_bytes + 10_000


@pytest.mark.parametrize(
    ("ram_bytes", "limit_mib", "expected"),
    [
        pytest.param(None, 12000, None, id="unknown main memory"),
        pytest.param(64 * GIB, None, 48 * GIB, id="the kernel knows no such limit"),
        pytest.param(64 * GIB, 61440, 60 * GIB, id="a limit"),
        pytest.param(16 * GIB, 61440, 16 * GIB, id="a limit above main memory"),
    ],
)
def test_budget(ram_bytes: int | None, limit_mib: int | None, expected: int | None) -> None:
    assert budget_bytes(ram_bytes=ram_bytes, limit_mib=limit_mib) == expected


def test_intel_mac_is_unknown() -> None:
    """Its kernel does not know the number; a Python under Rosetta does read it."""
    for numbers in ({"hw.memsize": GIB}, {"hw.memsize": GIB, "hw.optional.arm64": 0}):
        assert AppleSilicon(sysctl=numbers.get, metal=lambda: None).gpus() is None


@pytest.mark.parametrize(
    ("size", "number"), [(4, 1), (4, 2**32 - 1), (8, 64 * GIB)], ids=["int", "largest", "long"]
)
def test_sysctl_number(size: int, number: int) -> None:
    """Numbers of four and of eight bytes, as the C function writes them."""

    def sysctlbyname(name: bytes, out: Any, room: Any, new: None, new_size: int) -> int:
        assert (name, room._obj.value, new, new_size) == (b"hw.memsize", 8, None, 0)
        ctypes.memmove(out, number.to_bytes(size, sys.byteorder), size)
        room._obj.value = size
        return 0

    assert sysctl_number(sysctlbyname, "hw.memsize") == number


def test_sysctl_without_the_number() -> None:
    def sysctlbyname(*_arguments: object) -> int:
        ctypes.set_errno(errno.ENOENT)
        return -1

    assert sysctl_number(sysctlbyname, "iogpu.wired_limit_mb") is None


@pytest.mark.skipif(sys.platform == "darwin", reason="tells what other systems answer")
def test_other_systems_have_neither() -> None:
    assert read_sysctl("hw.memsize") is None
    assert find_metal() is None


@pytest.mark.skipif(sys.platform != "darwin", reason="asks a real Mac")
def test_this_mac() -> None:
    ram_bytes = read_sysctl("hw.memsize")
    gpus = AppleSilicon().gpus()

    assert ram_bytes
    assert gpus is None or 0 < (gpus[0].total_bytes or 0) <= ram_bytes
