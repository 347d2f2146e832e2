"""The nodes of a graph, from a file that has it."""

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from langchain_lmswitch.errors import InvalidRequest

_ENDS: Final = frozenset({"__start__", "__end__"})
_FORMS: Final = "Give a `.json` written from `graph.get_graph().to_json()`, or `file.py:graph`."


def node_names(place: str) -> list[str]:
    """List the nodes of a graph in the order in which they are first reached.

    Args:
        place: A JSON file, or a Python file, which is run, with the graph's name in it, as
            `langgraph.json` has it.

    Raises:
        InvalidRequest: There is no graph.
    """
    path, _, name = place.rpartition(":")
    drawn = _imported(Path(path), name) if path.endswith(".py") else _read(Path(place))
    try:
        nodes = [str(one["id"]) for one in drawn["nodes"]]
        edges = [(str(one["source"]), str(one["target"])) for one in drawn.get("edges", ())]
    except (KeyError, TypeError) as error:
        raise InvalidRequest(f"{place} is no graph. {_FORMS}") from error
    reached = _reached(edges)
    told = [*(one for one in reached if one in nodes), *(n for n in nodes if n not in reached)]
    return [one for one in told if one not in _ENDS]


def _reached(edges: list[tuple[str, str]]) -> list[str]:
    """Walk from the start, one step at a time."""
    found = ["__start__"]
    for one in found:  # it grows
        found += dict.fromkeys(end for begin, end in edges if begin == one and end not in found)
    return found


def _read(path: Path) -> Mapping[str, Any]:
    try:
        drawn = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path} cannot be read as a graph: {error}. {_FORMS}") from error
    if not isinstance(drawn, Mapping):
        raise InvalidRequest(f"{path} is no graph. {_FORMS}")
    return drawn


def _imported(path: Path, name: str) -> Mapping[str, Any]:
    if not path.is_file():
        raise InvalidRequest(f"There is no file {path}. {_FORMS}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InvalidRequest(f"{path} cannot be imported. {_FORMS}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    graph: Any = getattr(module, name, None)
    compiled = graph.compile() if hasattr(graph, "compile") else graph
    if not hasattr(compiled, "get_graph"):
        raise InvalidRequest(f"{path} has no graph of the name {name!r}. {_FORMS}")
    drawn: Mapping[str, Any] = compiled.get_graph().to_json()
    return drawn
