"""Settings and proxies of the environment."""

import socket
from collections.abc import Callable, Generator
from importlib.util import find_spec
from pathlib import Path

import pytest

from langchain_lmswitch.cli.doctor.findings import Finding

Examine = Callable[..., Finding]


@pytest.fixture
def proxy() -> Generator[str, None, None]:
    """A proxy that answers the telephone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def dead_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_no_proxy(look_at: Examine) -> None:
    assert look_at("proxy").state == "ok"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"])
def test_proxy_that_does_not_answer(
    look_at: Examine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    address = dead_address()
    monkeypatch.setenv(name, f"http://someone:secret@{address}")

    told = look_at("proxy")

    assert told.state == "problem"
    assert f"{name} names {address}, which does not answer" in told.what
    assert told.remedy == f"unset {name}"
    assert "secret" not in told.what


def test_proxy_without_an_exception_for_this_machine(
    look_at: Examine, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy}")

    told = look_at("proxy")

    assert told.state == "note"
    assert told.remedy == "export NO_PROXY=localhost,127.0.0.1,::1"


@pytest.mark.skipif(bool(find_spec("socksio")), reason="what it needs is here")
def test_proxy_that_speaks_socks(
    look_at: Examine, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://{proxy}")

    told = look_at("proxy")

    assert told.state == "problem"
    assert told.remedy == "pip install 'httpx[socks]'"


def test_proxy_with_an_exception_for_this_machine(
    look_at: Examine, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy}")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")

    assert look_at("proxy").state == "ok"


@pytest.mark.parametrize("text", ["not a url", "http://[::1", "http://host:notaport"])
def test_proxy_that_is_none(look_at: Examine, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ALL_PROXY", text)

    assert look_at("proxy").state == "problem"


def test_settings_in_order(look_at: Examine) -> None:
    assert look_at("settings").state == "ok"


def test_setting_that_cannot_be(look_at: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_PARALLEL", "many")

    told = look_at("settings")

    assert told.state == "problem"
    assert told.what.startswith("LMSWITCH_PARALLEL cannot be 'many'")
    assert told.remedy == "unset LMSWITCH_PARALLEL"
    assert look_at("host").what == "could not check: the settings cannot be read"


def test_variable_that_is_nearly_a_setting(
    look_at: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMSWITCH_APIKEY", "secret")

    told = look_at("settings")

    assert told.state == "problem"
    assert "LMSWITCH_APIKEY is no setting" in told.what
    assert told.remedy == 'export LMSWITCH_API_KEY="$LMSWITCH_APIKEY" && unset LMSWITCH_APIKEY'
    assert "secret" not in told.what


def test_variable_that_is_far_from_any_setting(
    look_at: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMSWITCH_ZZZZ", "1")

    told = look_at("settings")

    assert told.remedy == "unset LMSWITCH_ZZZZ"


def test_file_of_settings_that_cannot_be_read(
    look_at: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lmswitch.toml"
    file.write_text("parallel = 'many'\n")
    monkeypatch.setenv("LMSWITCH_CONFIG", str(file))

    told = look_at("settings")

    assert told.state == "problem"
    assert f"{file}, line 1" in told.what
    assert told.remedy == "lmswitch config --path"
