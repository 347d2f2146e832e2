"""What several unit tests stand on."""

import os
from pathlib import Path

import pytest
from desks import Desk

from langchain_lmswitch.settings import files


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Nothing set anywhere, and an empty project as the current directory."""
    for name in set(os.environ):
        if name.startswith("LMSWITCH_") or name == "LM_API_TOKEN":
            monkeypatch.delenv(name)
    home = tmp_path.resolve() / "home"
    project = home / "work" / "project"
    project.mkdir(parents=True)
    for name, place in {"HOME": home, "XDG_CONFIG_HOME": home / ".config"}.items():
        monkeypatch.setenv(name, str(place))
    monkeypatch.chdir(project)
    return Desk(home=home, project=project, user_file=files.usual_path())
