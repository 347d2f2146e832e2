"""The commands that the doctor tells, as shells want them."""

from pathlib import Path

import pytest

from langchain_lmswitch.cli.doctor.commands import undo
from langchain_lmswitch.settings.layers import Kind, Origin

FILE = Path("/my files/lmswitch.toml")


@pytest.mark.parametrize(
    ("kind", "name", "line", "told", "told_on_windows"),
    [
        ("variable", "LMSWITCH_X", None, "unset LMSWITCH_X", "Remove-Item Env:LMSWITCH_X"),
        ("project", str(FILE), 3, f"${{EDITOR:-vi}} +3 '{FILE}'", f'notepad "{FILE}"'),
        ("user", str(FILE), None, f"${{EDITOR:-vi}} +1 '{FILE}'", f'notepad "{FILE}"'),
        ("argument", "", None, "lmswitch doctor", "lmswitch doctor"),
        ("default", "", None, "lmswitch config", "lmswitch config"),
    ],
)
def test_a_setting_is_taken_back_where_it_is_said(
    kind: Kind, name: str, line: int | None, told: str, told_on_windows: str
) -> None:
    origin = Origin(kind=kind, name=name, line=line)

    assert undo(origin, platform="linux") == told
    assert undo(origin, platform="win32") == told_on_windows
