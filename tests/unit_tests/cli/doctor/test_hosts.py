"""Hosts that are not there, elsewhere, locked, empty, or too many: all with real sockets."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from langchain_lmswitch.cli.doctor.examine import examine
from langchain_lmswitch.cli.doctor.findings import Finding
from langchain_lmswitch.cli.doctor.probes.processes import HostProcess
from langchain_lmswitch.cli.doctor.probes.servers import Servers
from langchain_lmswitch.cli.doctor.probes.talk import Talk
from langchain_lmswitch.cli.doctor.verdicts.servers import judge_host, judge_rivals
from langchain_lmswitch.cli.doctor.verdicts.talk import Asked, judge_token
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.embedded import presence
from langchain_lmswitch.embedded.presence import PortFile
from langchain_lmswitch.errors import HostRejected
from langchain_lmswitch.hosts.finding import Found
from langchain_lmswitch.settings.layers import Origin
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card, served
from langchain_lmswitch.types.models import LoadSpec

Examine = Callable[..., Finding]
Greeter = Callable[..., str]

OUTSIDER = """
import http.server, json
class Greeting(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(json.dumps({"lmstudio": True}).encode())
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Greeting)
print(server.server_port, flush=True)
server.serve_forever()
"""


SILENT = """
import socket, time
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
time.sleep(60)
"""


@pytest.fixture
def greeter() -> Generator[Greeter, None, None]:
    """Start servers that greet as LM Studio does, or as somebody else."""
    with ExitStack() as stack:
        yield lambda body='{"lmstudio": true}': stack.enter_context(_serving(body))


@contextmanager
def _serving(body: str) -> Generator[str, None, None]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def lm_studio() -> Generator[str, None, None]:
    """Run a process that is called as LM Studio is, and greets at a port of its own."""
    environment = os.environ | {"PYTHONHOME": sys.base_prefix}
    with subprocess.Popen(  # noqa: S603 - our own code
        ["LM Studio", "-c", OUTSIDER],  # noqa: S607 - only its name
        executable=os.path.realpath(sys.executable),
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def dead_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def write_note(home: Path, port: int) -> Path:
    """Write down a port as LM Studio does."""
    path = home / ".lmstudio" / ".internal" / "http-server.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"port": port}))
    return path


def test_no_host_and_none_that_could_be_started() -> None:
    told = judge_host(Servers(looked_at=("127.0.0.1:41343", "127.0.0.1:1234")))

    assert told.state == "problem"
    assert "(ports 41343, 1234)" in told.what
    assert told.remedy == "pip install 'langchain-lmswitch[embedded]'"


def test_no_host_is_well_where_one_is_started_when_it_is_needed() -> None:
    assert judge_host(Servers(can_start=True)).state == "ok"


def test_address_where_nobody_listens(look_at: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMSWITCH_BASE_URL", dead_address())

    told = look_at("host")

    assert told.state == "problem"
    assert "nothing listens there" in told.what
    assert told.remedy == "unset LMSWITCH_BASE_URL"
    assert look_at("access").state == "unknown"
    assert look_at("models").state == "unknown", "no other host would be started"


def test_host_on_another_port_than_the_one_given(
    look_at: Examine, greeter: Greeter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = greeter()
    write_note(tmp_path, int(there.rpartition(":")[2]))
    monkeypatch.setenv("LMSWITCH_BASE_URL", dead_address())

    told = look_at("host")

    assert told.state == "problem"
    assert f"A host answers at {there}" in told.what
    assert told.remedy == f"export LMSWITCH_BASE_URL={there}"


def test_lm_studio_on_a_port_of_its_own_is_found_by_its_process(look_at: Examine) -> None:
    with lm_studio() as there:
        told = look_at("host")

    assert told.state == "problem"
    assert told.remedy == f"export LMSWITCH_BASE_URL={there}"


def test_lm_studio_that_does_not_serve() -> None:
    process = HostProcess(pid=1, kind="lmstudio", ports=())

    told = judge_host(Servers(processes=(process,), can_start=True))

    assert told.remedy == "lms server start"


def test_server_of_another_kind(
    look_at: Examine, greeter: Greeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMSWITCH_BASE_URL", greeter("Ollama is running"))

    told = look_at("host")

    assert told.state == "problem"
    assert "does not answer as LM Studio's server does" in told.what


@pytest.mark.parametrize("given", ["https://box:1234", "not an address"])
def test_address_that_is_none(
    look_at: Examine, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("LMSWITCH_BASE_URL", given)

    assert look_at("host").state == "problem"


def test_token_is_missing(look_at: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(ScriptedHost()) as at:
        monkeypatch.setenv("LMSWITCH_BASE_URL", at.host_port)
        told = look_at("access")

    assert told.state == "problem"
    assert "wants a token, and none is set" in told.what
    assert told.remedy.startswith("export LM_API_TOKEN=sk-lm-")


def test_token_is_refused(look_at: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(ScriptedHost()) as at:
        monkeypatch.setenv("LMSWITCH_BASE_URL", at.host_port)
        monkeypatch.setenv("LM_API_TOKEN", f"sk-lm-{'x' * 8}:{'y' * 20}")
        told = look_at("access")

    assert told.state == "problem"
    assert "refused the token that is set" in told.what


def test_token_is_none_at_all(look_at: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(ScriptedHost()) as at:
        monkeypatch.setenv("LMSWITCH_BASE_URL", at.host_port)
        monkeypatch.setenv("LM_API_TOKEN", "secret")
        told = look_at("access")

    assert told.state == "problem"
    assert told.remedy == "unset LM_API_TOKEN"
    assert "secret" not in told.what


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY", "https_proxy"])
def test_proxies_are_not_in_the_way_of_a_host(
    look_at: Examine, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with served(ScriptedHost()) as at:
        monkeypatch.setenv("LMSWITCH_BASE_URL", at.host_port)
        monkeypatch.setenv("LM_API_TOKEN", at.token)
        monkeypatch.setenv(variable, f"http://{dead_address()}")
        told = look_at("access")

    assert told.state == "ok"
    assert told.what.startswith("the host lets us in; release ")


def test_host_without_models(look_at: Examine) -> None:
    told = look_at("models", session=Session(host=ScriptedHost([])))

    assert told.state == "problem"
    assert "none is installed" in told.what


def test_settings_of_a_model_that_is_not_there(
    look_at: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typing mistake in a name is no error: the model may be installed later."""
    monkeypatch.setenv("LMSWITCH_MODELS", '{"codr": {"pin": true}, "*coder": {"ttl_s": 5}}')
    monkeypatch.setenv("LMSWITCH_ROLES", '{"codr": ["code"], "coder": ["chat"]}')

    told = look_at("models", session=Session(host=ScriptedHost(["coder"])))

    assert (told.state, told.remedy) == ("note", "lmswitch models")
    assert told.what == "1 chat model; the settings speak of `codr`, and none is called so"


def test_host_with_embedding_models_only(look_at: Examine) -> None:
    host = ScriptedHost([card("words", kind="embedding")])

    told = look_at("models", session=Session(host=host))

    assert told.state == "problem"
    assert "only embedding models" in told.what


@pytest.mark.parametrize("setting", ["LMSWITCH_DENY=*", "LMSWITCH_ALLOW=vision"])
def test_models_of_which_none_may_answer(
    look_at: Examine, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    name, _, value = setting.partition("=")
    monkeypatch.setenv(name, value)

    told = look_at("models", session=Session(host=ScriptedHost()))

    assert told.state == "problem"
    assert told.remedy == f"unset {name}"


def test_what_a_file_says_is_put_right_there(
    look_at: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unsetting a variable that is not set would help nobody."""
    file = tmp_path / "lmswitch.toml"
    lines = [f'base_url = "{dead_address()}"', f'model_folders = ["{tmp_path}/gone"]', 'deny="*"']
    file.write_text("\n".join(lines))
    monkeypatch.setenv("LMSWITCH_CONFIG", str(file))

    denied = look_at("models", session=Session(host=ScriptedHost()))

    assert look_at("host").remedy == f"${{EDITOR:-vi}} +1 {file}"
    assert look_at("model files").remedy == f"${{EDITOR:-vi}} +2 {file}"
    assert f"which is named by {file}, line 2" in look_at("model files").what
    assert denied.remedy == f"${{EDITOR:-vi}} +3 {file}"


def test_address_on_the_command_line_is_left_out_there(look_at: Examine) -> None:
    told = look_at("host", session=Session(base_url=dead_address()))

    assert told.remedy == "lmswitch doctor"


def test_no_model_file_for_a_host_that_would_be_started(look_at: Examine) -> None:
    told = look_at("models")

    assert told.state == "problem"
    assert told.remedy == "lmswitch pull starter"


def test_model_of_another_program_is_told(look_at: Examine) -> None:
    host = ScriptedHost()
    asyncio.run(host.load(LoadSpec(key="scripted-chat", identifier="theirs")))

    told = look_at("in memory", session=Session(host=host, monitor=FixedMachine()))

    assert told.state == "note"
    assert told.what.startswith("theirs was loaded by another program")


def test_two_hosts_of_which_one_is_used() -> None:
    ours = HostProcess(pid=7, kind="embedded", ports=(5001,))
    app = HostProcess(pid=8, kind="lmstudio", ports=(41343, 1234))
    used = Found(address="127.0.0.1:41343", kind="lmstudio")

    told = judge_rivals(
        Servers(used=used, greeting=("127.0.0.1:1234", "127.0.0.1:5001"), processes=(ours, app))
    )

    assert told.state == "note"
    assert "127.0.0.1:5001 (process 7)" in told.what
    assert "1234" not in told.what, "one app answers at both of its ports"


def test_port_file_of_a_process_that_is_gone(look_at: Examine, home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    presence.make_home(home / "run")
    presence.write_port(home / "run", PortFile(port=9, pid=ended.pid, token_file="t"))  # noqa: S106

    told = look_at("port files")

    assert told.state == "problem"
    assert f"process {ended.pid} is gone" in told.what
    assert told.remedy == f"rm {home / 'run' / 'host.json'}"
    assert look_at("host").state == "ok", "the next host replaces it"


def test_port_file_of_another_program(look_at: Examine, home: Path) -> None:
    idle = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", idle]) as other:  # noqa: S603 - our own code
        presence.make_home(home / "run")
        presence.write_port(home / "run", PortFile(port=9, pid=other.pid, token_file="t"))  # noqa: S106
        told = look_at("port files")
        other.kill()

    assert told.state == "problem"
    assert "another program by now" in told.what


def test_host_that_has_stopped_answering(home: Path) -> None:
    """All of it ends in time, and says who hangs."""
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", SILENT, "lmswitch"], stdout=subprocess.PIPE, text=True
    ) as silent:
        assert silent.stdout is not None
        port = int(silent.stdout.readline())
        presence.make_home(home / "run")
        token = presence.token_path(home / "run")
        presence.read_or_make_token(home / "run")
        presence.write_port(
            home / "run", PortFile(port=port, pid=silent.pid, token_file=str(token))
        )
        told = {one.name: one for one in asyncio.run(examine(Session(monitor=FixedMachine())))}
        silent.kill()

    assert told["port files"].state == "problem"
    assert told["port files"].remedy == f"kill {silent.pid}"
    assert not [one.name for one in told.values() if "took too long" in one.what]


def test_host_of_another_home() -> None:
    owner = HostProcess(pid=7, kind="embedded", ports=(5001,))
    servers = Servers(
        used=Found(address="127.0.0.1:5001", kind="explicit"),
        origin=Origin(kind="variable", name="LMSWITCH_BASE_URL"),
        processes=(owner,),
    )
    refused = HostRejected("127.0.0.1:5001", reason="no")

    told = judge_token(Asked(talk=Talk(error=refused), servers=servers, has_token=False))

    assert told.state == "problem"
    assert "another LMSWITCH_HOME" in told.what
    assert told.remedy == "unset LMSWITCH_BASE_URL"


def test_port_file_that_makes_no_sense(look_at: Examine, home: Path) -> None:
    presence.make_home(home / "run")
    presence.port_path(home / "run").write_text("{")

    assert look_at("port files").state == "problem"


def test_port_that_lm_studio_left_behind(look_at: Examine, tmp_path: Path) -> None:
    path = write_note(tmp_path, int(dead_address().rpartition(":")[2]))

    told = look_at("port files")

    assert told.state == "note"
    assert str(path) in told.what
    assert told.remedy == "lms server start"
