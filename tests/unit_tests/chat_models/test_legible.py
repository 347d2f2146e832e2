"""What help, completion and checkers know of a chat model."""

import copy
import inspect
import pickle

import pytest
from pydantic import Field, ValidationError

from langchain_lmswitch import ChatLMSwitch


class Toned(ChatLMSwitch):
    """One of a user's."""

    tone: str = "kind"


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


def test_a_class_of_a_user_may_have_any_field_that_pydantic_allows() -> None:
    class Mine(ChatLMSwitch):
        tone: str
        words: int = Field(default=3, alias="at-most")
        kind: str = Field(default="plain", alias="class")
        tags_of_mine: list[str] = Field(default_factory=list)

    parameters = inspect.signature(Mine).parameters
    made = Mine.model_validate({"tone": "kind", "at-most": 5, "class": "rare"})

    assert parameters["tone"].default is inspect.Parameter.empty
    assert parameters["words"].default == 3
    assert parameters["kind"].default == "plain"
    assert parameters["tags_of_mine"].default is ...
    assert (made.words, made.kind) == (5, "rare")


def test_a_class_of_a_user_copies_and_travels_and_is_built_again() -> None:
    llm = Toned(tone="dry", temperature=0.1)

    assert pickle.loads(pickle.dumps(llm)).tone == "dry"  # noqa: S301 - it is our own
    assert copy.deepcopy(llm).tone == "dry"
    assert getattr(llm.with_config(tags=["a"]), "bound", None) is llm
    assert Toned.model_rebuild(force=True)
    assert isinstance(Toned(tone="kind"), ChatLMSwitch)


def test_completion_on_the_class_leaves_out_the_machinery() -> None:
    names = dir(ChatLMSwitch)

    assert {"invoke", "explain", "hold", "__init__"} <= set(names)
    assert not [name for name in names if name.startswith("__pydantic")]


def test_checkers_still_know_what_each_argument_takes() -> None:
    """Mypy would say so if what it is told to overlook were right."""
    assert ChatLMSwitch(temperature=0.5, cache=False, nodes={}).temperature == 0.5
    with pytest.raises(ValidationError):
        ChatLMSwitch(temperature="warm")  # type: ignore[arg-type]
