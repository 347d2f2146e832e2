"""What the nodes of graphs have asked for, as the ledger remembers it."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from langchain_lmswitch.policy.nodes import Visit
from langchain_lmswitch.types.records import DecisionRecord
from langchain_lmswitch.types.tasks import Task

_TASK: Final = TypeAdapter(Task)


def visits(records: Iterable[DecisionRecord]) -> list[Visit]:
    """List the requests of nodes, oldest first.

    A second choice in the same request, after a failure, is none of its own.
    """
    found = []
    for record in records:
        with suppress(ValidationError):  # one that another version wrote
            task = _task(record)
            if task is not None and task.hints.node:
                found.append(Visit(node=task.hints.node, task=task))
    return found


def _task(record: DecisionRecord) -> Task | None:
    facts: Any = record.facts
    if record.kind != "choice" or not isinstance(facts, dict) or facts.get("failed"):
        return None
    return _TASK.validate_python(facts.get("task"))
