"""What a line of a chat means. Pure."""

import difflib
import re
from typing import Final

from langchain_lmswitch.cli.chat.commands import Command, Nothing, Say, Wrong
from langchain_lmswitch.cli.chat.forms import BY_NAME, OTHER_NAMES

_COMMAND: Final = re.compile(r"/([A-Za-z?]*)(?:\s+(.*))?\s*", re.DOTALL)


def parse(text: str) -> Command:
    """Read what was typed.

    1. Nothing but blanks is nothing.
    2. `//` at the beginning is a message that begins with one slash.
    3. A slash and a word is a command, which may be cut short where only one begins like that. A
       path such as `/etc/hosts` is none.
    4. All else is a message, without the blanks around it.
    """
    typed = text.strip()
    if not typed:  # 1
        return Nothing()
    if typed.startswith("//"):  # 2
        return Say(typed[1:])
    if found := _COMMAND.fullmatch(typed):  # 3
        return _command(found[1].lower(), (found[2] or "").strip())
    return Say(typed)  # 4


def _command(typed: str, argument: str) -> Command:
    name = _name(typed)
    if name is None:
        return Wrong(_unknown(typed))
    form = BY_NAME[name]
    if argument and not form.argument:
        return Wrong(f"/{name} takes nothing after it; for a message, begin it with //.")
    return form.read(argument)


def _name(typed: str) -> str | None:
    if typed in BY_NAME or typed in OTHER_NAMES:
        return OTHER_NAMES.get(typed, typed)
    begin_so = [name for name in BY_NAME if typed and name.startswith(typed)]
    return begin_so[0] if len(begin_so) == 1 else None


def _unknown(name: str) -> str:
    if not name:
        return "A slash begins a command; /help lists them."
    near = [known for known in BY_NAME if known.startswith(name)]
    near = near or difflib.get_close_matches(name, BY_NAME, n=1, cutoff=0.6)
    meant = " or ".join(f"/{one}" for one in near[:3])
    hint = f"Do you mean {meant}?" if meant else "/help lists them."
    return f"There is no command /{name}. {hint} To send it as a message, begin it with //."
