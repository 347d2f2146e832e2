"""The README's picture is of a real switch, and can be drawn again by anybody."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from conftest import CODER, SMOL, Embedded

ROOT: Final = Path(__file__).parents[2]
MOST_BYTES: Final = 60_000


def words(path: Path) -> list[str]:
    """List what is written in a picture."""
    assert path.stat().st_size <= MOST_BYTES
    root = ET.parse(path).getroot()  # noqa: S314 - we have just drawn it
    return ["".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")]


def told(shown: list[str]) -> None:
    """See that the whole story is in a picture."""
    assert shown.count(CODER) >= 3  # its lane, and both of its answers
    assert shown.count(SMOL) >= 2
    assert shown.count("evicted") == 2
    assert "budget 900 MiB" in shown
    assert {"1", "2", "3"} < set(shown)
    assert any("after unloading" in line for line in shown)


@pytest.mark.weights
@pytest.mark.usefixtures("unloaded")
def test_the_command_plays_a_switch_and_draws_it(embedded: Embedded, tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "tests/docs/picture.py", "--out", str(tmp_path)],
        env=os.environ
        | {"LMSWITCH_BASE_URL": embedded.base_url, "LMSWITCH_API_KEY": embedded.token},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    light, dark = (words(tmp_path / f"switch-{theme}.svg") for theme in ("light", "dark"))
    told(light)
    assert light == dark


def test_the_pictures_that_are_shown_tell_the_story() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for theme in ("light", "dark"):
        path = f"notebooks/images/switch-{theme}.svg"
        assert path in readme
        told(words(ROOT / path))
