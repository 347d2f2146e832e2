"""What importing the package costs, beside the part of LangChain that any chat model imports.

Each in a fresh interpreter, by turns, since the noise from run to run is larger than what is
measured; what is printed are medians. It asserts no seconds: only that the heavy packages stay out.
"""

import json
import statistics
import subprocess
import sys

import pytest

pytestmark = pytest.mark.alone

RUNS = 5
HEAVY = ("pandas", "gpu_tracker", "sqlalchemy", "numpy", "matplotlib", "langgraph", "lmstudio")
BASE = "from langchain_core.language_models import BaseChatModel"
OWN = ("import langchain_lmswitch", "from langchain_lmswitch import ChatLMSwitch")
PROGRAM = """
import json, sys, time
started_s = time.perf_counter()
{statement}
taken_s = time.perf_counter() - started_s
print(json.dumps([taken_s, [name for name in {heavy!r} if name in sys.modules]]))
"""


def imported(statement: str) -> tuple[float, list[str]]:
    """Give the seconds that an import takes, and which heavy packages it brings."""
    program = PROGRAM.format(statement=statement, heavy=HEAVY)
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    taken_s, brought = json.loads(done.stdout)
    return taken_s, brought


def test_import(capsys: pytest.CaptureFixture[str]) -> None:
    taken: dict[str, list[float]] = {statement: [] for statement in (BASE, *OWN)}
    for _ in range(RUNS):
        for statement, runs in taken.items():
            taken_s, brought = imported(statement)
            runs.append(taken_s)
            assert brought == []
    base_s = statistics.median(taken[BASE])
    with capsys.disabled():
        print(f"\n{BASE}: {base_s * 1000:.0f} ms")  # noqa: T201 - what a benchmark is for
        for statement in OWN:
            own_s = statistics.median(taken[statement])
            print(f"{statement}: {own_s * 1000:.0f} ms, x{own_s / base_s:.2f}")  # noqa: T201 - as above
