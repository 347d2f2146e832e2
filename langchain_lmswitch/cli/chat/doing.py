"""From a line to what it asks for, and from an error to a paragraph."""

from typing import assert_never

from langchain_lmswitch.cli.chat.commands import (
    Command,
    Keep,
    Look,
    Nothing,
    Quit,
    Talk,
    Wish,
    Wrong,
)
from langchain_lmswitch.cli.chat.keeping import keep
from langchain_lmswitch.cli.chat.looking import look
from langchain_lmswitch.cli.chat.parsing import parse
from langchain_lmswitch.cli.chat.state import State
from langchain_lmswitch.cli.chat.talking import talk
from langchain_lmswitch.cli.chat.wishing import wish
from langchain_lmswitch.cli.guard import FAILED, USAGE, exit_code


def take(line: str, state: State) -> None:
    """Do what a line asks for; an error is told, and the chat goes on.

    Raises:
        KeyboardInterrupt: The user stopped it.
        BrokenPipeError: Nobody reads the answers.
    """
    from langchain_lmswitch.errors import LMSwitchError

    try:
        _do(parse(line), state)
    except LMSwitchError as error:
        state.view.tell(error)
        state.failures.append(exit_code(error))
    except BrokenPipeError:  # nobody reads the answers any more
        raise
    except OSError as error:
        state.view.tell(error)
        state.failures.append(FAILED)


def _do(command: Command, state: State) -> None:
    if isinstance(command, Talk):
        talk(command, state)
    elif isinstance(command, Wish):
        wish(command, state)
    elif isinstance(command, Look):
        look(command, state)
    elif isinstance(command, Keep):
        keep(command, state)
    else:
        _do_little(command, state)


def _do_little(command: Nothing | Quit | Wrong, state: State) -> None:
    match command:
        case Nothing():
            pass
        case Quit():
            state.ended = True
        case Wrong(why=why):
            state.view.remark(why)
            state.failures.append(USAGE)
        case _:
            assert_never(command)
