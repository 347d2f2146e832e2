"""Commands as the user's shell wants them."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path


def assign(name: str, value: str, *, platform: str = sys.platform) -> str:
    """Write how an environment variable is set; what has a `$` in it is left to the shell."""
    if platform == "win32":
        return f'$env:{name} = "{value}"'
    return f"export {name}={value if '$' in value else shlex.quote(value)}"


def unset(names: Sequence[str], *, platform: str = sys.platform) -> str:
    """Write how environment variables are unset."""
    if platform == "win32":
        return "Remove-Item " + ", ".join(f"Env:{name}" for name in names)
    return f"unset {' '.join(names)}"


def remove(path: Path, *, platform: str = sys.platform) -> str:
    """Write how a file is removed."""
    return f'del "{path}"' if platform == "win32" else f"rm {shlex.quote(str(path))}"


def install(*requirements: str) -> str:
    """Write how packages are installed or put right."""
    return f"pip install {' '.join(map(shlex.quote, requirements))}"


def end(pid: int, *, platform: str = sys.platform) -> str:
    """Write how a process is ended."""
    return f"taskkill /PID {pid}" if platform == "win32" else f"kill {pid}"
