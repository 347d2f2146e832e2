"""What of a conversation a model saw, in words. Pure."""

from collections.abc import Mapping
from typing import Any

from langchain_lmswitch.types.contexts import ContextReport, Recalled
from langchain_lmswitch.types.decisions import Decision


def context_lines(decision: Decision, usage: Mapping[str, Any] | None) -> list[str]:
    """Tell what the model that answered last had in its context, a line for each fact."""
    lines = [f"{decision.model} was loaded with a context of {decision.context_tokens:,} tokens."]
    if usage:
        read, written = usage["input_tokens"], usage["output_tokens"]
        lines.append(f"The last prompt took {read:,} of them, the answer {written:,}.")
    return lines + (_report(decision.context) if decision.context else [])


def _report(report: ContextReport) -> list[str]:
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
        lines += [f"  {_recalled(one)}" for one in report.recalled]
    lines += [
        f"  message {one.message + 1} was cut by {one.left_out_tokens:,} tokens"
        for one in report.clipped
    ]
    return lines


def _messages(count: int) -> str:
    return f"{count} old message{'s were' if count != 1 else ' was'}"


def _recalled(one: Recalled) -> str:
    why = f", for {', '.join(one.why)}" if one.why else ""
    return f"of message {one.message + 1}, {one.tokens:,} tokens{why}"
