"""`lmswitch chat`: the command."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from langchain_lmswitch.cli.ask import MaxTokens, System, Task, Temperature
from langchain_lmswitch.cli.options import BaseUrl, Json, Model, Quality
from langchain_lmswitch.cli.session import Session, session_of

if TYPE_CHECKING:
    from langchain_lmswitch.cli.chat.conversation import Conversation
    from langchain_lmswitch.cli.chat.state import State
    from langchain_lmswitch.cli.chat.wishes import Wishes

Load = Annotated[
    Path | None,
    typer.Option("--load", metavar="FILE.json", help="Go on with a conversation that was saved."),
]
Remember = Annotated[
    bool,
    typer.Option("--history", help="Keep what you type for the next chat, in a file of yours."),
]


def chat(
    ctx: typer.Context,
    *,
    model: Model = None,
    task: Task = None,
    system: System = None,
    quality: Quality = None,
    max_tokens: MaxTokens = None,
    temperature: Temperature = None,
    load: Load = None,
    history: Remember = False,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Talk with the models of your machine.

    Every message goes to the model that suits it, and a dim line tells which one that was. /help
    lists the commands. Ctrl-C stops an answer, Ctrl-D leaves. What is said stays off the disk
    unless you say /save or --history.

    In a pipe each line is a message: answers go to stdout, all else to stderr, and the exit code
    is that of the first line that failed. --json writes one JSON object a line for each answer.
    """
    from langchain_lmswitch.cli.chat.wishes import Wishes

    session = session_of(ctx, base_url)
    ctx.obj = session
    session.settings()  # what cannot be is told before anything is typed
    conversation = _begun(load, system)
    wishes = Wishes(
        model=None if model == "auto" else model,
        task=task,
        quality=quality,
        max_tokens=max_tokens,
        temperature=temperature,
    )
    state = _state(ctx, session, conversation, wishes, as_json=json)
    state.saved_as = load
    if _is_person():
        _talk(state, remember=history)
    else:
        _work(state)


def _begun(load: Path | None, system: str | None) -> "Conversation":
    from langchain_lmswitch.cli.chat.conversation import Conversation
    from langchain_lmswitch.cli.chat.saving import read

    conversation = read(load.read_text("utf-8", "replace"), load) if load else Conversation()
    conversation.system = system or conversation.system
    return conversation


def _state(
    ctx: typer.Context,
    session: Session,
    conversation: "Conversation",
    wishes: "Wishes",
    *,
    as_json: bool,
) -> "State":
    from langchain_lmswitch.cli.chat.state import News, State
    from langchain_lmswitch.cli.chat.view import View
    from langchain_lmswitch.cli.chat.warming import Warm

    news = News()
    return State(
        ctx=ctx,
        warm=Warm(session, on_event=news.tell),
        news=news,
        view=View(as_json=as_json),
        wishes=wishes,
        conversation=conversation,
    )


def _is_person() -> bool:
    return sys.stdin.isatty() and (sys.stdout.isatty() or sys.stderr.isatty())


def _talk(state: "State", *, remember: bool) -> None:
    from langchain_lmswitch.cli.chat.greeting import greet, toolbar
    from langchain_lmswitch.cli.chat.loop import talk_with_person
    from langchain_lmswitch.cli.chat.prompting import Typed, kept_history, passing_history

    greet(state)
    history = passing_history()
    if remember:
        history = kept_history(state.ctx.obj.settings().home / "chat_history")
    lines = Typed(
        state.warm,
        history=history,
        toolbar=lambda: toolbar(state),
        on_first_interrupt=lambda: state.view.remark("Ctrl-C again, or Ctrl-D, leaves."),
    )
    state.warm.begin()  # not before: its imports would hold up those of the prompt
    talk_with_person(lines, state)


def _work(state: "State") -> None:
    from langchain_lmswitch.cli.chat.loop import talk_with_program
    from langchain_lmswitch.cli.chat.piping import Piped

    state.warm.begin()
    lines = Piped(typer.get_text_stream("stdin", encoding="utf-8", errors="replace"))
    talk_with_program(lines, state)
    if state.failures:
        raise typer.Exit(state.failures[0])
