"""`lmswitch pull` through LM Studio's own protocol, the official SDK and a small Hub of ours."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner
from unit_tests.embedded.weights_index import FakeHub, serve_hub

from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.embedded.starter import starter_names
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, served

FILES = {
    "tiny-q4_k_m.gguf": b"GGUF" * 1000,
    "tiny-q8_0.gguf": b"GGUF" * 2000,
    "README.md": b"x",
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """A Hub that answers, for the server that runs in this very process."""
    monkeypatch.setenv("LMSWITCH_HOME", str(tmp_path))
    with serve_hub(FakeHub(repository="Maker/Tiny-GGUF", files=FILES)) as fake:
        monkeypatch.setenv("HF_ENDPOINT", fake.endpoint)
        yield fake


def test_a_host_finds_lists_and_downloads(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A search, its quantizations with sizes and fit, the one that is named, and its file."""
    assert hub.endpoint
    with served(ScriptedHost()) as at:
        monkeypatch.setenv("LMSWITCH_API_KEY", at.token)
        session = Session(base_url=at.host_port, monitor=FixedMachine())

        listed = CliRunner().invoke(app, ["pull", "tiny", "--list", "--json"], obj=session)
        done = CliRunner().invoke(app, ["pull", "tiny@q8_0", "--json"], obj=session)
        lost = CliRunner().invoke(app, ["pull", "tiny@q2_k", "--json"], obj=session)

    options = json.loads(listed.stdout)["options"]
    assert [one["quantization"] for one in options] == ["Q4_K_M", "Q8_0"]
    assert [one["size_bytes"] for one in options] == [4000, 8000]
    assert [one["recommended"] for one in options] == [True, False]
    assert json.loads(done.stdout)["from"].endswith(at.host_port)
    (file,) = tmp_path.rglob("*.gguf")
    assert (file.name, file.stat().st_size) == ("tiny-q8_0.gguf", 8000)
    assert lost.exit_code == 6
    assert json.loads(lost.stderr)["error"] == "DownloadFailed"


def test_a_host_is_asked_for_starter_models_by_where_they_come_from(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows them by their repositories, whatever we call them."""
    assert hub.endpoint
    with served(ScriptedHost()) as at:
        monkeypatch.setenv("LMSWITCH_API_KEY", at.token)
        session = Session(base_url=at.host_port, monitor=FixedMachine())

        listed = CliRunner().invoke(app, ["pull", "starter", "--list", "--json"], obj=session)

    options = json.loads(listed.stdout)["options"]
    assert [one["name"] for one in options] == starter_names("s")
    assert all(one["fits"] and one["recommended"] for one in options)
