"""What gpu-tracker saw of a real model's load, beside what its host held."""

import json
import os
import subprocess
import sys

import pytest
from conftest import CODER, Embedded

from langchain_lmswitch.hosts.finding import find_host
from langchain_lmswitch.ledger.sqlite import SqliteLedger

pytestmark = [pytest.mark.alone, pytest.mark.weights, pytest.mark.usefixtures("unloaded")]

MIB = 2**20
TRIES = 4
"""Another program of this computer may move its memory: then what the host holds is not known."""


def calibrate(embedded: Embedded) -> dict[str, int]:
    """Calibrate from a process of its own, as a user does; give the sizes."""
    environment = os.environ | {
        "LMSWITCH_BASE_URL": embedded.base_url,
        "LMSWITCH_API_KEY": embedded.token,
        "LMSWITCH_HOME": str(embedded.settings.home),
        "LMSWITCH_CONTEXT_TOKENS": "2048",
        "LMSWITCH_REMEMBER": "true",
    }
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "langchain_lmswitch", "calibrate", CODER, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)["models"]
    assert row["why_no_peak"] is None
    return {
        "expected": row["expected_bytes"],
        "peak": row["taken"]["ram_bytes"],
        "after": row["after_answer_bytes"] or 0,
    }


def test_peak_is_about_what_the_host_holds_and_is_remembered(
    embedded: Embedded, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(TRIES):
        sizes = calibrate(embedded)
        if sizes["after"]:
            break
    with capsys.disabled():
        told = ", ".join(f"{name} {size / MIB:.1f}" for name, size in sizes.items())
        print(f"\n{CODER}: {told} MiB")  # noqa: T201 - to be read

    assert 0.95 < sizes["peak"] / sizes["after"] < 1.05
    assert 0.75 < sizes["peak"] / sizes["expected"] <= 1.0
    remembered = SqliteLedger(embedded.settings.ledger_path).loads("local")
    measured = [one for one in remembered if one.source == "calibration"]
    assert measured[-1].configuration.key == CODER
    assert measured[-1].observed_bytes
    assert measured[-1].observed_bytes >= sizes["peak"]


async def test_model_is_gone_afterwards(embedded: Embedded) -> None:
    calibrate(embedded)
    host = await find_host(embedded.client_settings)
    residents = await host.residents()
    await host.aclose()

    assert residents == []
