"""What a line of a chat means."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_lmswitch.cli.chat.commands import (
    Clear,
    Command,
    Judge,
    Nothing,
    Quit,
    Retry,
    Save,
    Say,
    SetQuality,
    SetSystem,
    SetTask,
    ShowHelp,
    ShowMemory,
    ShowWhy,
    UseModel,
    Wrong,
)
from langchain_lmswitch.cli.chat.forms import FORMS, Form
from langchain_lmswitch.cli.chat.parsing import parse


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", Nothing()),
        (" \n\t", Nothing()),
        ("  Hello  ", Say("Hello")),
        ("first\n\n  second", Say("first\n\n  second")),
        ("//retry is a command", Say("/retry is a command")),
        ("/etc/hosts holds what?", Say("/etc/hosts holds what?")),
        ("/2 of it", Say("/2 of it")),
        ("/why", ShowWhy()),
        (" /WHY ", ShowWhy()),
        ("/?", ShowHelp()),
        ("/ret", Retry()),
        ("/mem", ShowMemory()),
        ("/exit", Quit()),
        ("/reset", Clear()),
        ("/retry", Retry()),
        ("/good", Judge(good=True)),
        ("/bad", Judge(good=False)),
        ("/model", UseModel(None)),
        ("/model  tiny-coder ", UseModel("tiny-coder")),
        ("/model auto", UseModel("auto")),
        ("/task", SetTask(None)),
        ("/task code", SetTask("code")),
        ("/task auto", SetTask(None, auto=True)),
        ("/quality", SetQuality(None)),
        ("/quality 0.8", SetQuality(0.8)),
        ("/quality auto", SetQuality(None, auto=True)),
        ("/system", SetSystem(None)),
        ("/system off", SetSystem("")),
        ("/system Be brief.\nBe kind.", SetSystem("Be brief.\nBe kind.")),
        ("/save", Save(None)),
        ("/save my notes.md", Save(Path("my notes.md"))),
        ("/save -f notes.md", Save(Path("notes.md"), over=True)),
        ("/save -f", Save(None, over=True)),
        ("/save -final.md", Save(Path("-final.md"))),
    ],
)
def test_meaning(typed: str, meant: Command) -> None:
    assert parse(typed) == meant


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/", "/help lists them"),
        ("/modle x", "Do you mean /model?"),
        ("/mod", "Do you mean /model or /models?"),
        ("/q", "Do you mean /quality or /quit?"),
        ("/zzz", "/help lists them."),
        ("/load", "no command /load. /help lists them."),
        ("/why not?", "takes nothing after it"),
        ("/model two names", "takes one name"),
        ("/task poetry", "one of code, math"),
        ("/quality 1.5", "from 0 (fastest) to 1 (best)"),
        ("/quality nan", "from 0 (fastest) to 1 (best)"),
        ("/quality much", "from 0 (fastest) to 1 (best)"),
    ],
)
def test_what_cannot_be_says_what_can(typed: str, told: str) -> None:
    meant = parse(typed)

    assert isinstance(meant, Wrong)
    assert told in meant.why


@settings(max_examples=30, deadline=None)
@given(st.text())
def test_nothing_typed_fails_or_is_lost(text: str) -> None:
    """Whatever is no command is a message of the same words."""
    meant = parse(text)

    if not text.strip():
        assert meant == Nothing()
    elif not text.strip().startswith("/"):
        assert meant == Say(text.strip())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_command_is_read_and_explained(form: Form) -> None:
    assert not isinstance(parse(f"/{form.name}"), Say | Wrong | Nothing)
    assert form.help
