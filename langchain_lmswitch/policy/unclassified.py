"""A request that could not be classified: its needs are known all the same."""

from typing import Final

from langchain_lmswitch.types.tasks import Needs, Request, Task

_NOT: Final = "not classified: "


def unclassified(request: Request, error: Exception) -> Task:
    """Make a task of what is known without reading a word."""
    needs = Needs(
        vision=request.images,
        tools=request.tools,
        structure=request.structure,
        context_tokens=request.context_tokens,
        wanted_tokens=request.wanted_tokens,
    )
    evidence = f"{_NOT}{type(error).__name__}"
    return Task(kind="chat", confidence=0.0, evidence=evidence, needs=needs, hints=request.hints)


def trouble_of(task: Task) -> str:
    """Name the error that kept a request from being classified; empty if it was.

    Example:
        >>> trouble_of(unclassified(Request(user_text="Hi"), KeyError("x")))
        'KeyError'
    """
    return task.evidence.removeprefix(_NOT) if task.evidence.startswith(_NOT) else ""
