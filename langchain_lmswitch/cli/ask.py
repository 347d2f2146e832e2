"""`lmswitch ask`: one question, one answer, and which model gave it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from langchain_lmswitch.cli.options import BaseUrl, Json, Model, Quality, Question
from langchain_lmswitch.cli.screen import remark, show_json, show_piece
from langchain_lmswitch.cli.session import conversation, session_of
from langchain_lmswitch.types.tasks import TaskKind
from langchain_lmswitch.types.units import duration

if TYPE_CHECKING:
    from collections.abc import Generator

    from langchain_core.messages import AIMessageChunk, BaseMessage

    from langchain_lmswitch.chat_models import ChatLMSwitch
    from langchain_lmswitch.cli.loading import LoadBar

Task = Annotated[
    TaskKind | None, typer.Option("--task", help="What kind of question it is, if you know.")
]
System = Annotated[
    str | None, typer.Option("--system", metavar="TEXT", help="Instructions for the model.")
]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", min=1, help="Most tokens to answer with.")
]
Temperature = Annotated[
    float | None, typer.Option("--temperature", min=0.0, help="0 is the steadiest.")
]


@dataclass(slots=True, kw_only=True)
class Answer:
    """What came of a question."""

    pieces: list[str] = field(default_factory=list)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """`response_metadata` of the answer; empty until it is complete."""
    usage: Mapping[str, Any] | None = None
    total_s: float = 0.0

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self.pieces)

    @property
    def decision(self) -> Mapping[str, Any]:
        """The decision behind it; see `types.decisions.Decision`."""
        return cast("Mapping[str, Any]", self.metadata.get("lmswitch", {}))

    def add(self, piece: "AIMessageChunk") -> None:
        """Take a piece of the stream."""
        self.pieces.append(piece.text)
        if "lmswitch" in piece.response_metadata:
            self.metadata = piece.response_metadata
            self.usage = piece.usage_metadata


def ask(
    ctx: typer.Context,
    text: Question,
    *,
    model: Model = None,
    task: Task = None,
    quality: Quality = None,
    system: System = None,
    max_tokens: MaxTokens = None,
    temperature: Temperature = None,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Answer a question with the best model for it.

    The answer streams to stdout; one line on stderr says which model it came from, and why.
    """
    from langchain_lmswitch.cli.loading import LoadBar

    with LoadBar() as bar:
        messages = conversation(text, system=system)
        llm = session_of(ctx, base_url).chat_model(
            model=model,
            task=task,
            quality=quality,
            max_tokens=max_tokens,
            temperature=temperature,
            on_event=bar.tell,
        )
        answer = _answered(llm, messages, bar, silent=json)
    if json:
        show_json(record(answer))
        return
    if not answer.text.endswith("\n"):
        show_piece("\n")
    remark(summary(answer))


def _answered(
    llm: "ChatLMSwitch", messages: "Sequence[BaseMessage]", bar: "LoadBar", *, silent: bool
) -> Answer:
    answer, started_s = Answer(), time.perf_counter()
    # `stream` is a generator, which its declared type hides; closing it stops the model.
    stream = cast("Generator[AIMessageChunk, None, None]", llm.stream(list(messages)))
    with closing(stream) as pieces, _whole_lines(answer, silent=silent):
        for piece in pieces:
            answer.add(piece)
            if piece.text and not silent:
                bar.stop()
                show_piece(piece.text)
    answer.total_s = time.perf_counter() - started_s
    return answer


@contextmanager
def _whole_lines(answer: Answer, *, silent: bool) -> Iterator[None]:
    """End the line of an answer that breaks off, so that the error has one of its own."""
    from langchain_lmswitch.errors import LMSwitchError

    try:
        yield
    except LMSwitchError:
        if answer.text and not silent:
            show_piece("\n")
        raise


def summary(answer: Answer) -> str:
    """Say in one line which model answered and why, and how long that took."""
    told = ", ".join(facts(answer))
    reason = answer.decision.get("reason", "")
    return f"{reason} {told[:1].upper()}{told[1:]}{'.' if told else ''}"


def facts(answer: Answer) -> list[str]:
    """Say what an answer took, and what went wrong before it."""
    decision, rate = answer.decision, answer.metadata.get("tokens_per_second")
    told = [
        f"loaded in {duration(decision['load_s'])}" if decision.get("load_s") else "",
        f"waited {duration(decision['queued_s'])}" if decision.get("queued_s", 0) >= 1 else "",
        f"{rate:.1f} tokens/s" if rate else "",
        "cut off at the token limit" if answer.metadata.get("finish_reason") == "length" else "",
        *(f"{failure} was tried before" for failure in decision.get("fallbacks", ())),
    ]
    return [fact for fact in told if fact]


def record(answer: Answer) -> dict[str, Any]:
    """Write an answer, where it came from and what it took, as JSON values."""
    decision, metadata = answer.decision, answer.metadata
    return {
        "text": answer.text,
        "model": decision.get("model"),
        "reason": decision.get("reason"),
        "task": decision.get("task"),
        "candidates": decision.get("candidates", []),
        "usage": answer.usage,
        "timings": {
            "load_s": decision.get("load_s"),
            "queued_s": decision.get("queued_s"),
            "time_to_first_token_s": metadata.get("time_to_first_token_s"),
            "tokens_per_second": metadata.get("tokens_per_second"),
            "total_s": answer.total_s,
        },
        "decision": decision,
    }
