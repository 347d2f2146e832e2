"""What of a conversation a model saw, in words. Pure."""

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any, Final

from langchain_lmswitch.types.contexts import ContextReport, Recalled
from langchain_lmswitch.types.decisions import Decision

_BEGINNING: Final = 48
"""Characters of a message by which it is known again."""


def context_lines(
    decision: Decision, usage: Mapping[str, Any] | None, said: Sequence[tuple[str, str]]
) -> list[str]:
    """Tell what the model that answered last had in its context, a line for each fact.

    Args:
        decision: The one behind its answer.
        usage: The tokens that were counted, if they were.
        said: Who said what, in the order of the conversation.
    """
    lines = [f"{decision.model} was loaded with a context of {decision.context_tokens:,} tokens."]
    if usage:
        read, written = usage["input_tokens"], usage["output_tokens"]
        lines.append(f"The last prompt took {read:,} of them, the answer {written:,}.")
    return lines + (_report(decision.context, said) if decision.context else [])


def _report(report: ContextReport, said: Sequence[tuple[str, str]]) -> list[str]:
    if not report.changed:
        return ["The whole conversation was sent."]
    would = "" if report.mode == "on" else "With LMSWITCH_CONTEXT=on this would be so: "
    lines = [
        f"{would}{_messages(report.evicted_messages)} left out"
        + (
            f", {report.summarized_messages} of them summarized."
            if report.summarized_messages
            else "."
        )
    ]
    if report.recalled:
        lines.append(f"{len(report.recalled)} passages were put back for this question:")
        lines += [f"  {_recalled(one, said)}" for one in report.recalled]
    lines += [
        f"{_named(one.message, said)} was cut by {one.left_out_tokens:,} tokens."
        for one in report.clipped
    ]
    return lines


def _messages(count: int) -> str:
    return f"{count} old message{'s were' if count != 1 else ' was'}"


def _recalled(one: Recalled, said: Sequence[tuple[str, str]]) -> str:
    why = f", for {', '.join(one.why)}" if one.why else ""
    return f"{_named(one.message, said)} ({one.tokens:,} tokens{why})"


def _named(message: int, said: Sequence[tuple[str, str]]) -> str:
    """Name a message by who said it and how it begins."""
    if message >= len(said):
        return f"message {message + 1}"
    who, text = said[message]
    return f'{who}: "{shorten(text, _BEGINNING, placeholder="...")}"'
