"""The layers and the lightness of the package."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HEAVY = ("pandas", "gpu_tracker", "langgraph.pregel", "matplotlib", "xllamacpp", "numpy")


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter, at the root of the checkout."""
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_arrows_point_one_way() -> None:
    """`import-linter` finds every contract of pyproject.toml kept."""
    done = python(
        "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "module",
    [
        "langchain_lmswitch",
        "langchain_lmswitch.chat_models",
        "langchain_lmswitch.embeddings",
        "langchain_lmswitch.machine.monitor",
        "langchain_lmswitch.testing",
        "langchain_lmswitch.cli.app",
    ],
)
def test_import_stays_light(module: str) -> None:
    """What is heavy is imported when it is used."""
    done = python(f"import {module}, sys; print(*(m for m in {HEAVY!r} if m in sys.modules))")

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
