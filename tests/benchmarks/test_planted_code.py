"""A code that was told ten windows ago: do small models still know it?"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import CODER, SMOL, Embedded

pytestmark = pytest.mark.weights

TESTS = Path(__file__).parents[1]


LARGER = pytest.mark.skipif(
    "LMSWITCH_BENCH_ALL" not in os.environ, reason="a minute and a half: set LMSWITCH_BENCH_ALL"
)


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize("model", [SMOL, pytest.param(CODER, marks=LARGER)])
def test_planted_code(embedded: Embedded, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nine of ten are known, and one of ten at most to who drops the oldest.

    In a process of its own, since a context as small as this is for all models of a host.
    """
    started = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-m", "histories.planted_code", model],
        env=os.environ
        | {
            "LMSWITCH_BASE_URL": embedded.base_url,
            "LMSWITCH_API_KEY": embedded.token,
            "LMSWITCH_CONTEXT_TOKENS": "512",
            "PYTHONPATH": str(TESTS.parent),
        },
        cwd=TESTS,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{model}, ten windows back: {told['ours']} of 10 codes known, {told['sliding']} "
            f"with a sliding window ({time.monotonic() - started:.0f} s)\n"
        )
    assert told["ours"] >= 9
    assert told["sliding"] <= 1
