"""The exception tree: what is drawn is what there is, and every error survives a pickle."""

import builtins
import copy
import inspect
import pickle
import re
from typing import NamedTuple

import langchain_core.exceptions
import pytest
from langchain_core.exceptions import ModelError

from langchain_lmswitch import errors
from langchain_lmswitch.errors import (
    BadModelFile,
    BadSettings,
    ContextTooLong,
    DownloadFailed,
    HostError,
    HostFailed,
    HostLost,
    HostNotFound,
    HostRejected,
    HostTimeout,
    InvalidOutput,
    InvalidRequest,
    LMSwitchError,
    LoadFailed,
    MissingExtra,
    ModelDenied,
    ModelGone,
    NoSuitableModel,
    NotEnoughMemory,
    QueueFull,
    TooOld,
    UnknownModel,
)

EVERY = [
    HostNotFound(["127.0.0.1:41343"], remedy="Run: lmswitch serve"),
    HostLost("127.0.0.1:1234", reason="connection reset"),
    HostTimeout("127.0.0.1:1234", doing="loading 'tiny'", after_s=2.5),
    HostRejected("127.0.0.1:1234", reason="invalid passkey"),
    HostFailed("127.0.0.1:1234", doing="listing models", reason="out of cheese"),
    UnknownModel("tiny", nearest=["tiny-chat", "tiny-code"]),
    LoadFailed("big", reason="Not enough memory.", for_memory=True),
    ModelGone("tiny", reason="its process died"),
    NoSuitableModel("code", rejected={"tiny": "no tools"}, remedy="Run: lmswitch pull starter"),
    ModelDenied("tiny", setting="deny", reason="you deny 'tiny'"),
    NotEnoughMemory("big", needed_bytes=2**33, free_bytes=2**30, blockers=["tiny"]),
    QueueFull(limit=64),
    ContextTooLong(tokens=9000, limit_tokens=4096),
    InvalidRequest("`temperature` must not be negative. Use 0 or more."),
    InvalidOutput(text='{"a": 1', reason="it was cut off at a limit", cut_off=True),
    MissingExtra("embedded", why="The embedded host needs llama.cpp"),
    TooOld("langchain-core", needed="1.8", why="Decision models came with it"),
    DownloadFailed("starter", reason="wrong hash", remedy="Run the same command again."),
    BadModelFile("/models/x.gguf", reason="the magic number is wrong"),
    BadSettings(["/etc/lmswitch.toml, line 3: `x` is no setting."], remedy="Correct it there."),
]

REMEDIES = {
    "HostNotFound": "Run: lmswitch serve",
    "HostLost": "The next call reconnects; `lmswitch status` shows whether the host is up.",
    "HostTimeout": "Raise `timeout`, or look at the host with `lmswitch status`.",
    "HostRejected": "Set `api_key` or LM_API_TOKEN to a token of that host (sk-lm-...).",
    "UnknownModel": "`lmswitch models` lists them all.",
    "LoadFailed": "Free memory or choose a smaller model.",
    "ModelGone": "Try again.",
    "NoSuitableModel": "Run: lmswitch pull starter",
    "ModelDenied": "or change `deny`; `lmswitch config` tells where it is set.",
    "NotEnoughMemory": "Close other programs, unload a model, or install a smaller one.",
    "QueueFull": "Try again when some have been answered, or raise `queue_limit`.",
    "ContextTooLong": "Shorten the last message or the system prompt, or raise `context_tokens`.",
    "InvalidRequest": "Use 0 or more.",
    "InvalidOutput": "Raise `max_tokens` or the context, or ask for less.",
    "TooOld": "Run: pip install --upgrade 'langchain-core>=1.8'",
    "MissingExtra": "Run: pip install 'langchain-lmswitch[embedded]'",
    "DownloadFailed": "Run the same command again.",
    "BadSettings": "Correct it there.",
}

every_error = pytest.mark.parametrize(
    "error", [pytest.param(error, id=type(error).__name__) for error in EVERY]
)


class Drawn(NamedTuple):
    """One line of the tree in the module's docstring."""

    parent: str
    also: str
    starred: bool


def drawn() -> dict[str, Drawn]:
    """Read the tree."""
    tree: dict[str, Drawn] = {}
    branch = ["LMSwitchError"]
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ((?:\|   )*)\+-- (\w+)( \*)?(?: .*\s(\w+))?$", line)
        if found:
            depth = len(found[1]) // 4 + 1
            branch[depth:] = [found[2]]
            tree[found[2]] = Drawn(branch[depth - 1], found[4] or "", bool(found[3]))
    return tree


def test_every_class_is_drawn() -> None:
    """The docstring draws every class of the module but the root."""
    defined = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, LMSwitchError) and kind is not LMSwitchError
    }

    assert set(drawn()) == defined


def test_every_leaf_is_tried_here() -> None:
    assert {type(error).__name__ for error in EVERY} == set(drawn()) - {"HostError"}


@every_error
def test_parent_and_meaning_are_as_drawn(error: LMSwitchError) -> None:
    """Each class stands under its parent and is the other class of the same meaning, too."""
    line = drawn()[type(error).__name__]
    other = getattr(langchain_core.exceptions, line.also, None) or getattr(builtins, line.also)

    assert isinstance(error, getattr(errors, line.parent))
    assert isinstance(error, other)


@every_error
def test_every_error_is_caught_as_ours(error: LMSwitchError) -> None:
    assert isinstance(error, LMSwitchError)
    assert isinstance(error, HostError) == (drawn()[type(error).__name__].parent == "HostError")


@every_error
def test_message_ends_with_what_to_do(error: LMSwitchError) -> None:
    """The reader is told the next step, last; two errors have none of their own to give."""
    if isinstance(error, HostFailed | BadModelFile):
        assert error.reason in str(error)
    else:
        assert str(error).endswith(REMEDIES[type(error).__name__])


@every_error
def test_pickles_with_its_fields(error: LMSwitchError) -> None:
    error.add_note("seen while testing")

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


@every_error
def test_copies_with_its_fields(error: LMSwitchError) -> None:
    """A copy, shallow or deep, is another object with the same fields."""
    for again in (copy.copy(error), copy.deepcopy(error)):
        assert again is not error
        assert str(again) == str(error)
        assert vars(again) == vars(error)


def test_a_pickled_import_error_keeps_what_python_set() -> None:
    error = pickle.loads(pickle.dumps(MissingExtra("notebook", why="No display")))  # noqa: S301

    assert error.msg == str(error)


@every_error
def test_retry_middleware_can_tell(error: LMSwitchError) -> None:
    """No error of ours is unclassified, which LangChain would retry blindly."""
    assert isinstance(error, ModelError)
    assert type(error).is_retryable is drawn()[type(error).__name__].starred


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (HostFailed("h", doing="d", reason="no runtime", retryable=False), False),
        (InvalidOutput(text="{", reason="it was cut off", cut_off=True), False),
        (InvalidOutput(text="no", reason="it is not JSON"), True),
        (LoadFailed("big", reason="Not enough memory.", for_memory=True), False),
    ],
)
def test_one_error_may_know_better_than_its_class(
    error: LMSwitchError,
    retryable: bool,  # noqa: FBT001
) -> None:
    """What would come out the same again is not to be tried again; a pickle keeps that."""
    assert error.is_retryable is retryable
    assert pickle.loads(pickle.dumps(error)).is_retryable is retryable  # noqa: S301 - as above


def test_load_that_failed_for_another_reason_says_where_to_look() -> None:
    assert str(LoadFailed("x", reason="Bad magic.")).endswith("See the host's own log.")
