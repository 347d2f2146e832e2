"""Names in a file that several processes read and write."""

import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from langchain_lmswitch.machine.lists import SharedList


def test_what_one_adds_the_other_sees_at_its_next_look(tmp_path: Path) -> None:
    path = tmp_path / "not yet there" / "pins.json"
    one, other = SharedList(path), SharedList(path)
    seen = [one.names, other.names]
    changed = [one.add("coder")]
    seen.append(other.names)
    changed += [other.add("coder"), other.add("chat")]
    seen.append(one.names)
    changed += [other.discard("coder"), one.discard("coder")]
    seen.append(one.names)

    assert seen == [(), (), ("coder",), ("coder", "chat"), ("chat",)]
    assert changed == [True, False, True, True, False]


def test_without_a_file_the_names_are_this_objects(tmp_path: Path) -> None:
    one, other = SharedList(None), SharedList(None)
    assert one.add("coder")
    assert (one.names, other.names) == (("coder",), ())
    assert list(tmp_path.iterdir()) == []


def test_no_more_than_the_latest_are_kept(tmp_path: Path) -> None:
    one = SharedList(tmp_path / "loads.json", most=2)
    for name in "abc":
        one.add(name)
    assert one.names == ("b", "c")
    inside = SharedList(None, most=1)
    inside.add("a")
    inside.add("b")
    assert inside.names == ("b",)


@pytest.mark.parametrize("text", ["", "[", '{"coder": true}', "[1]", "\x00\xff", '["a", null]'])
def test_a_broken_file_counts_as_empty_and_the_next_change_makes_it_good(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pins.json"
    path.write_bytes(text.encode("latin-1"))
    one = SharedList(path)
    with caplog.at_level(logging.WARNING):
        assert one.names == ()
        assert one.names == ()
    assert len(caplog.records) == 1
    assert one.add("coder")
    assert SharedList(path).names == ("coder",)


def test_a_file_that_is_taken_away_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    one = SharedList(path)
    one.add("coder")
    path.unlink()
    assert one.names == ()


def test_many_changes_at_once_lose_none_and_leave_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda number: SharedList(path).add(str(number)), range(40)))
    assert sorted(SharedList(path).names, key=int) == [str(number) for number in range(40)]
    assert {one.name for one in tmp_path.iterdir()} <= {"pins.json", "pins.lock"}


def test_nobody_is_told_that_it_was_written_when_it_was_not(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("", "utf-8")
    with pytest.raises(OSError, match="file"):
        SharedList(in_the_way / "pins.json").add("coder")


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    one = SharedList(path)
    one.add("coder")
    assert one.names == ("coder",)
    times = path.stat()
    with path.open("r+b") as file:  # the same file, size and time: nobody could tell
        file.write(path.read_bytes().replace(b"coder", b"codes"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert one.names == ("coder",)


def test_another_process_adds_to_it(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    one = SharedList(path)
    one.add("here")
    program = (
        "import sys; from pathlib import Path;"
        "from langchain_lmswitch.machine.lists import SharedList;"
        "SharedList(Path(sys.argv[1])).add('there')"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)  # noqa: S603 - our own
    assert one.names == ("here", "there")
