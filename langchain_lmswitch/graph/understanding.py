"""What is asked: read off the messages, told by the conversation so far, refined where unsure."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from langchain_core.messages import BaseMessage

from langchain_lmswitch.graph.refining import refined
from langchain_lmswitch.messages.asking import facts
from langchain_lmswitch.policy.classify import classify
from langchain_lmswitch.policy.refining import unsure
from langchain_lmswitch.policy.unclassified import unclassified
from langchain_lmswitch.switch.boards import OpenBoard
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.tasks import Request, Task

_log = logging.getLogger(__name__)


async def understand(
    messages: Sequence[BaseMessage], options: RouterOptions, open_board: OpenBoard
) -> tuple[Task, int]:
    """Classify a request.

    Returns:
        The task, and a number that is the same if the very same request is made again in this
        process.
    """
    request = facts(messages, options)
    number = _same(request)
    if thread := options.get("thread"):
        request = await portal().acall(_continued(request, number, thread, open_board))
    task = task_of(request)
    if unsure(task):
        task = await portal().acall(_refined(task, request, open_board))
    return task, number


def task_of(request: Request) -> Task:
    """Classify a request; an error in that is no reason not to answer it."""
    try:
        return classify(request)
    except Exception as error:  # noqa: BLE001 - whatever it is, the needs are known without it
        kind = type(error).__name__
        _log.warning("A request could not be classified; who is there answers (%s).", kind)
        _log.debug("It was this:", exc_info=error)
        return unclassified(request, error)


async def _continued(request: Request, number: int, thread: str, open_board: OpenBoard) -> Request:
    """Add what the switchboard knows of the conversation."""
    threads, hints = (await open_board()).threads, request.hints
    last_model = hints.last_model or threads.last(thread)
    again = threads.again(thread, number)
    return replace(request, hints=replace(hints, last_model=last_model, again=again))


async def _refined(task: Task, request: Request, open_board: OpenBoard) -> Task:
    return await refined(await open_board(), task, request)


def _same(request: Request) -> int:
    """Number a request; another node of a graph, or other wishes, make it another one."""
    hints = request.hints
    told = (request.system_text, request.user_text, request.hint, request.wanted_tokens)
    return hash((*told, hints.node, hints.quality, hints.prefer, hints.require))
