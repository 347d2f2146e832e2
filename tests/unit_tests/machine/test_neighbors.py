"""What processes that share a host tell each other; a second object stands for a second process."""

import asyncio
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from langchain_lmswitch.machine.marks import Marks
from langchain_lmswitch.machine.neighbors import Neighbors, TurnTimeout

X = "lmswitch/publisher/x"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "host"


def test_who_is_alone_uses_what_it_likes() -> None:
    alone = Neighbors(None)
    assert alone.start_using(X)
    assert not alone.used(X)
    assert not alone.closed(X)
    assert alone.alone
    alone.leave()


def test_use_is_seen_by_others_until_it_ends(folder: Path) -> None:
    one, other = Neighbors(folder), Neighbors(folder)
    assert one.start_using(X)
    assert other.used(X)
    assert not one.used(X)
    assert not other.used("y")
    assert not other.held(X)
    one.stop_using(X)
    assert not other.used(X)


def test_a_hold_is_told_apart(folder: Path) -> None:
    one, other = Neighbors(folder), Neighbors(folder)
    one.start_using(X, hold=True)
    assert other.held(X)
    assert not other.used(X)
    one.stop_using(X, hold=True)
    assert not other.held(X)


def test_nobody_is_alone_with_another_until_that_leaves(folder: Path) -> None:
    one, other = Neighbors(folder), Neighbors(folder)
    one.arrive()
    assert one.alone
    other.arrive()
    assert not one.alone
    other.leave()
    assert one.alone
    assert len(list((folder / "present").iterdir())) == 1
    one.leave()
    assert not folder.exists()


async def test_the_folder_stays_as_long_as_anybody_is_there(folder: Path) -> None:
    one, other = Neighbors(folder), Neighbors(folder)
    one.start_using(X)
    one.stop_using(X)
    async with other.turn(within_s=1):
        one.leave()
        assert not other.used(X)
        assert Neighbors(folder)._somebody_has_the_turn()
    other.leave()
    assert not folder.exists()  # noqa: ASYNC240 - a test
    async with one.turn(within_s=1):
        assert folder.exists(), "a later request makes it anew"  # noqa: ASYNC240 - a test


async def test_who_waits_for_a_turn_is_there(folder: Path) -> None:
    one, other = Neighbors(folder), Neighbors(folder)
    async with one.turn(within_s=1):
        waiting = asyncio.create_task(_take(other))
        await asyncio.sleep(0.1)
        assert not one.alone
    await waiting


async def _take(neighbors: Neighbors) -> None:
    async with neighbors.turn(within_s=5):
        pass


async def test_turns_are_taken_one_at_a_time(folder: Path) -> None:
    running = most = 0

    async def take(neighbors: Neighbors) -> None:
        nonlocal running, most
        async with neighbors.turn(within_s=10):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    async with asyncio.timeout(20):
        await asyncio.gather(*(take(Neighbors(folder)) for _ in range(6)))
    assert most == 1


async def test_waiting_for_a_turn_is_told_once_and_ends(folder: Path) -> None:
    told: list[int] = []
    async with Neighbors(folder).turn(within_s=1):
        with pytest.raises(TurnTimeout):
            async with Neighbors(folder).turn(within_s=0.12, waiting=lambda: told.append(1)):
                pytest.fail("two have the turn")
    assert told == [1]


async def test_what_is_closed_nobody_else_begins_to_use(folder: Path) -> None:
    one, other = Neighbors(folder), Neighbors(folder)
    async with one.turn(within_s=1):
        one.close([X])
        assert other.closed(X)
        assert not other.start_using(X)
        assert not one.used(X)
        assert other.start_using("y")
        assert one.start_using(X)
        waiting = asyncio.create_task(other.opened(X))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    await waiting
    assert other.start_using(X)


async def test_closing_sees_who_began_before(folder: Path) -> None:
    one, other = Neighbors(folder), Neighbors(folder)
    assert other.start_using(X)
    async with one.turn(within_s=1):
        one.close([X])
        assert one.used(X)


_DYING = """
import asyncio, os, sys
from pathlib import Path
from langchain_lmswitch.machine.neighbors import Neighbors, TurnTimeout

async def main() -> None:
    mine = Neighbors(Path(sys.argv[1]))
    mine.start_using({x!r})
    async with mine.turn(within_s=5):
        mine.close([{x!r}])
        print("ready", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_what_a_killed_process_said_ends_with_it(folder: Path) -> None:
    command = [sys.executable, "-c", _DYING.format(x=X), str(folder)]
    here = Neighbors(folder)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: ASYNC220, S603
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert here.used(X)
        assert here.closed(X)
        assert not here.alone
        process.kill()
    assert not here.used(X)
    assert not here.closed(X)
    assert here.start_using(X)
    async with here.turn(within_s=1):
        here.close([X])
    assert here.alone
    assert not list(folder.rglob(f"{process.pid}-*"))  # noqa: ASYNC240 - a test


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
async def test_without_a_place_to_write_it_goes_on_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    nowhere = Neighbors(tmp_path / "file" / "host")
    with caplog.at_level(logging.WARNING):
        assert nowhere.start_using(X)
        assert nowhere.start_using("y")
        async with nowhere.turn(within_s=1):
            nowhere.close([X])
    assert len(caplog.records) == 1
    assert "LMSWITCH_HOME" in caplog.text


def test_looking_does_not_keep_others_from_marking(tmp_path: Path) -> None:
    one, other = Marks(tmp_path), Marks(tmp_path)
    ends_s = time.monotonic() + 0.5
    while time.monotonic() < ends_s:
        one.set("m")
        assert other.others("m")
        one.clear("m")
        assert not other.others("m")
