"""What help, completion and checkers know of a chat model."""

import inspect

import pytest
from pydantic import ValidationError

from langchain_lmswitch import ChatLMSwitch


def test_the_signature_names_our_arguments_only() -> None:
    parameters = inspect.signature(ChatLMSwitch).parameters

    assert {"model", "quality", "stop_sequences", "on_event"} <= parameters.keys()
    assert parameters["model"].default == "auto"
    assert "callbacks" not in parameters
    assert [one.kind for one in parameters.values()][-1] is inspect.Parameter.VAR_KEYWORD


def test_a_class_of_a_user_has_a_signature_of_its_own() -> None:
    class Mine(ChatLMSwitch):
        tone: str = "kind"

    assert inspect.signature(Mine).parameters["tone"].default == "kind"
    assert "tone" not in inspect.signature(ChatLMSwitch).parameters


def test_completion_on_the_class_leaves_out_the_machinery() -> None:
    names = dir(ChatLMSwitch)

    assert {"invoke", "explain", "hold", "__init__"} <= set(names)
    assert not [name for name in names if name.startswith("__pydantic")]


def test_checkers_still_know_what_each_argument_takes() -> None:
    """Mypy would say so if what it is told to overlook were right."""
    assert ChatLMSwitch(temperature=0.5, cache=False, nodes={}).temperature == 0.5
    with pytest.raises(ValidationError):
        ChatLMSwitch(temperature="warm")  # type: ignore[arg-type]
