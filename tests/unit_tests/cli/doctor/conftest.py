"""A home of its own for every test of the doctor, and a way to make single checks."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from langchain_lmswitch.cli.doctor.checks import CHECKS
from langchain_lmswitch.cli.doctor.examine import examine
from langchain_lmswitch.cli.doctor.findings import Finding
from langchain_lmswitch.cli.session import Session

Examine = Callable[..., Finding]

_VARIABLES = (
    *(f"{kind}_PROXY" for kind in ("HTTP", "HTTPS", "ALL", "NO")),
    *(f"{kind}_proxy" for kind in ("http", "https", "all", "no")),
    "LM_API_TOKEN",
    "LMS_API_SERVER_INFO_PATH",
    "LMSWITCH_API_KEY",
    "LMSWITCH_BASE_URL",
    "LMSWITCH_MODEL_FOLDERS",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home and the package's, both empty."""
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    ours = tmp_path / "lmswitch"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("LMSWITCH_HOME", str(ours))
    return ours


@pytest.fixture
def look_at(tmp_path: Path) -> Examine:
    """Make one check and give its finding; the machine has nothing in its root but what is put."""
    nothing = tmp_path / "root"

    def look(name: str, *, session: Session | None = None, root: Path = nothing) -> Finding:
        checks = [one for one in CHECKS if one.name == name]
        (finding,) = asyncio.run(examine(session or Session(), checks=checks, root=root))
        assert finding.name == name
        return finding

    return look
