"""How processes of one user find the embedded host they share: port file, token, locks."""

import json
import os
import secrets
import string
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_ALPHABET = string.ascii_letters + string.digits
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a host is, and what opens it."""

    host_port: str
    """`host:port`, as the SDK wants it."""
    token: str
    """`sk-lm-XXXXXXXX:YYYYYYYYYYYYYYYYYYYY`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortFile:
    """What a serving host tells the processes that look for it."""

    port: int
    pid: int
    token_file: str

    @property
    def host_port(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"


def port_path(run_home: Path) -> Path:
    """Where the port file lies."""
    return run_home / "host.json"


def starting_lock_path(run_home: Path) -> Path:
    """Held by a client while it looks for the host, and starts one."""
    return run_home / "starting.lock"


def serving_lock_path(run_home: Path) -> Path:
    """Held by the host for as long as it serves."""
    return run_home / "serving.lock"


def log_path(run_home: Path) -> Path:
    """Where a host that was started in the background writes what it has to say."""
    return run_home / "host.log"


def make_home(run_home: Path) -> None:
    """Create the folder, for its owner only."""
    run_home.mkdir(parents=True, exist_ok=True, mode=0o700)


def read_port(run_home: Path) -> PortFile | None:
    """Read the port file, if there is one that makes sense."""
    with suppress(OSError, ValueError, TypeError):
        return PortFile(**json.loads(port_path(run_home).read_text(encoding="utf-8")))
    return None


def write_port(run_home: Path, found: PortFile) -> None:
    """Publish where the host is; a reader sees the old file or the new one, never a half."""
    _write_private(port_path(run_home), json.dumps(asdict(found)))


def remove_port(run_home: Path, *, pid: int) -> None:
    """Remove the port file if it is still the one of this process."""
    found = read_port(run_home)
    if found is not None and found.pid == pid:
        port_path(run_home).unlink(missing_ok=True)


def read_or_make_token(run_home: Path) -> str:
    """Return the user's token, made at the first call and kept in a file only they can read."""
    path = token_path(run_home)
    with suppress(FileNotFoundError):
        if (token := path.read_text(encoding="ascii").strip()) and split_token(token):
            return token
    token = f"sk-lm-{_random(8)}:{_random(20)}"
    _write_private(path, token)
    return token


def read_address(found: PortFile) -> Address | None:
    """Add the token to where a host is; `None` if its file is gone."""
    with suppress(OSError):
        token = Path(found.token_file).read_text(encoding="ascii").strip()
        return Address(host_port=found.host_port, token=token)
    return None


def token_path(run_home: Path) -> Path:
    """Where the token lies."""
    return run_home / "token"


def split_token(token: str) -> tuple[str, str] | None:
    """Return the identifier and the passkey of a token, or `None` if it is none."""
    identifier, colon, passkey = token.removeprefix("sk-lm-").partition(":")
    whole = token.startswith("sk-lm-") and colon and len(identifier) == 8 and len(passkey) == 20  # noqa: PLR2004 - the token's form
    return (identifier, passkey) if whole else None


def _write_private(path: Path, text: str) -> None:
    """Write beside, for the owner only from the first byte on, then rename into place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
