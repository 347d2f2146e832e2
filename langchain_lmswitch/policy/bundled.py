"""The tables that come with this package: read once, when the first of them is asked for."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def bundled(name: str) -> dict[str, Any]:
    """Read the table `policy/data/<name>.toml`."""
    text = files("langchain_lmswitch.policy").joinpath("data", f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)
