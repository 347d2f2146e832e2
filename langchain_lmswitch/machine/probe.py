"""The program that runs gpu-tracker: `python -m langchain_lmswitch.machine.probe PID BRAND FOLDER`.

It is a process of its own: gpu-tracker forks, which a process with threads should not, takes most
of a second to import, and prints what goes wrong.

It says `ready` when it has seen what the process PID and all below it hold at rest. It goes on
until its input ends or has a line, and then says what it saw, as one line of JSON. BRAND is
`nvidia`, `amd` or `none`; FOLDER is a place for its file, since the working directory may not be
writable.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO
from unittest import mock

SLEEP_S: Final = 0.2
REST_S: Final = 0.7
"""Three looks at what is held before the load."""
_JOIN_S: Final = 5.0


def main(arguments: list[str]) -> None:
    """Run the program."""
    answers = _silenced()
    pid, brand, folder = int(arguments[0]), arguments[1], Path(arguments[2])
    try:
        check_readable(pid)
        seen = _track(pid, brand, folder, answers)
    except Exception as error:  # noqa: BLE001 - whatever happens in there, the asker is told
        seen = {"error": type(error).__name__}
    _say(answers, json.dumps(seen))


def check_readable(pid: int) -> None:
    """Make sure that the process and all below it may be read as gpu-tracker does.

    It would not stop trying, without a pause.

    Raises:
        psutil.Error: One may not, or there is no such process.
    """
    import psutil  # noqa: PLC0415 - the asker's own module loads without it

    process = psutil.Process(pid)
    for one in [process, *process.children(recursive=True)]:
        (one.memory_maps if sys.platform == "linux" else one.memory_info)()


def _track(pid: int, brand: str, folder: Path, answers: TextIO) -> Mapping[str, Any]:
    with _tracker(pid, brand, folder / "before.pickle") as before:
        time.sleep(REST_S)
    with _tracker(pid, brand, folder / "during.pickle") as during:
        _say(answers, "ready")
        sys.stdin.readline()
        time.sleep(2 * SLEEP_S)  # one more look
    told = {name: _seen(one) for name, one in (("before", before), ("during", during))}
    gpus = during.resource_usage.gpu_utilization.system_gpu_count
    return {**told, "brand": brand if gpus else "none"}


@contextmanager
def _tracker(pid: int, brand: str, file: Path) -> Iterator[Any]:
    """Run a tracker while inside; one that cannot begin with its GPUs begins without."""
    try:
        tracker = _made(pid, brand, file)
    except Exception:  # noqa: BLE001 - it parses what it reads of a GPU without a net
        tracker = _made(pid, "none", file)
    with tracker:
        yield tracker


def _made(pid: int, brand: str, file: Path) -> Any:
    from gpu_tracker import Tracker  # noqa: PLC0415 - not in the process that asks

    options: dict[str, Any] = {
        "sleep_time": SLEEP_S,
        "ram_unit": "bytes",
        "gpu_ram_unit": "megabytes",
        "disable_logs": True,
        "process_id": pid,
        "resource_usage_file": str(file),
        "n_join_attempts": 2,
        "join_timeout": _JOIN_S,
    }
    if brand != "none":
        return Tracker(**options, gpu_brand=brand)
    # It looks for the vendors' tools itself: let it find none.
    with mock.patch("subprocess.check_output", side_effect=FileNotFoundError):
        return Tracker(**options)


def _seen(tracker: Any) -> Mapping[str, float]:
    usage = tracker.resource_usage
    return {
        "ram": usage.max_ram.combined.total_rss,
        "gpu": usage.max_gpu_ram.combined,
    }


def _silenced() -> TextIO:
    """Give our own way to standard output, and send all else that is printed nowhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _say(answers: TextIO, line: str) -> None:
    answers.write(f"{line}\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
