"""Remembers what it takes tens of milliseconds to find out about each file."""

import contextlib
import json
import logging
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from langchain_lmswitch.embedded.gguf import Survey, survey
from langchain_lmswitch.embedded.gguf.tensors import WeightBytes

_log = logging.getLogger(__name__)

_MAX_FILE_BYTES: Final = 4 << 20


class Surveys:
    """A cache by path, size and time of change, in memory and in one small JSON file.

    The file is a convenience: unreadable, broken or unwritable, it is done without.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._known: dict[str, Survey] | None = None
        self._changed = False

    def of(self, path: Path) -> Survey:
        """Returns the survey of a file.

        Raises:
            BadModelFile: As in `survey`.
            OSError: The file went away.
        """
        if self._known is None:
            self._known = _load(self._store)
        status = path.stat()
        key = f"{status.st_size}:{status.st_mtime_ns}:{path}"
        if key not in self._known:
            self._known[key] = survey(path)
            self._changed = True
        return self._known[key]

    def save(self) -> None:
        """Writes the file if there is news."""
        if not self._changed or self._known is None:
            return
        self._changed = False
        rows = {
            key: _to_row(known)
            for key, known in self._known.items()
            if Path(key.split(":", 2)[2]).exists()
        }
        try:
            _write(self._store, json.dumps(rows))
        except OSError as error:
            _log.debug("Cannot remember facts of model files in %s: %s", self._store, error)


def _load(store: Path) -> dict[str, Survey]:
    try:
        with store.open("rb") as file:
            rows = json.loads(file.read(_MAX_FILE_BYTES))
        return {str(key): _row(row) for key, row in rows.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        _log.debug("Ignoring %s: %s", store, error)
        return {}


def _to_row(known: Survey) -> list[Any]:
    weights = known.weights
    sizes = [None, None] if weights is None else [weights.mapped, weights.rearranged]
    return [known.tool_template, known.quantization, known.n_params, *sizes]


def _row(row: Any) -> Survey:
    match row:
        case [bool(tools), str(quantization), int(n_params), int(mapped), int(rearranged)]:
            return Survey(
                tool_template=tools,
                quantization=quantization,
                n_params=n_params,
                weights=WeightBytes(mapped=mapped, rearranged=rearranged),
            )
        case [bool(tools), str(quantization), int(n_params), None, None]:
            return Survey(tool_template=tools, quantization=quantization, n_params=n_params)
        case _:
            raise ValueError(f"not a survey: {row!r}")


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
