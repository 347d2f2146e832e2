"""Reading the object that a model was asked for."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import pydantic
import pydantic.v1
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import BaseCumulativeTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.utils.json import parse_partial_json
from pydantic import Field

from langchain_lmswitch.errors import InvalidOutput

Method = Literal["json_schema", "function_calling", "json_mode"]


class ObjectParser(BaseCumulativeTransformOutputParser[Any]):
    """Reads an answer as an object, or as the arguments of a tool call.

    While the answer streams it gives what there is so far: a mapping grows key by key; a pydantic
    object appears once what is there is valid.
    """

    model_class: Any = None
    """A pydantic class (of version 1 or 2) to give; `None` gives a mapping."""
    required: Sequence[str] = ()
    """Keys that a mapping must have."""
    tool_name: str = ""
    """The tool whose arguments are the object; empty if the text is."""
    on_refused: Callable[[AIMessage, InvalidOutput], None] | None = Field(
        default=None, exclude=True, repr=False
    )
    """Called with an answer that is not what was asked for."""

    @property
    def _type(self) -> str:
        return "lmswitch_object"

    def _diff(self, prev: Any, next: Any) -> Any:  # noqa: A002 - LangChain's name
        import jsonpatch  # noqa: PLC0415 - comes with langchain-core, and hardly anybody asks for it

        return jsonpatch.make_patch(prev, next).patch

    def parse(self, text: str) -> Any:
        """Read an object from its text; see `parse_result`."""
        return self.parse_result([Generation(text=text)])

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Read the object.

        Args:
            result: The answer.
            partial: Whether it may still be growing; what is not there yet is `None`.

        Raises:
            InvalidOutput: It is no such object, or was cut off.
        """
        message = _message(result[0])
        if message.tool_calls and not self.tool_name:
            return None  # the model calls tools first; the object comes in a later answer
        if partial:
            return self._so_far(message)
        try:
            return self._read(message)
        except InvalidOutput as error:
            if self.on_refused is not None:
                self.on_refused(message, error)
            raise

    def _read(self, message: AIMessage) -> Any:
        found = self._whole(message)
        try:
            return self._built(found)
        except (pydantic.ValidationError, pydantic.v1.ValidationError, KeyError) as error:
            raise self._invalid(message, _first_line(error)) from error

    def _so_far(self, message: AIMessage) -> Any:
        written = self._written(message)
        try:
            found = parse_partial_json(written) if written.strip() else None
            return self._built(found, growing=True) if isinstance(found, dict) else None
        except (ValueError, KeyError):  # pydantic's errors are ValueErrors
            return None

    def _whole(self, message: AIMessage) -> dict[str, Any]:
        """Read all of it.

        1. What was cut off is told as that, also where it could be completed.
        2. A tool that was not called, or called wrongly.
        3. Text that is no JSON, or JSON that is no object.
        """
        if message.response_metadata.get("finish_reason") == "length":  # 1
            raise self._invalid(message, "it was cut off at a limit", cut_off=True)
        if self.tool_name:  # 2
            calls = [call for call in message.tool_calls if call["name"] == self.tool_name]
            if not calls:
                raise self._invalid(message, f"the model did not call {self.tool_name!r}")
            return calls[0]["args"]
        try:  # 3
            found = json.loads(_unfenced(message.text))
        except ValueError as error:
            raise self._invalid(message, f"it is not JSON ({error})") from error
        if not isinstance(found, dict):
            raise self._invalid(message, f"it is a JSON {type(found).__name__}, not an object")
        return found

    def _built(self, found: Mapping[str, Any], *, growing: bool = False) -> Any:
        if self.model_class is None:
            missing = [key for key in self.required if key not in found]
            if missing and not growing:
                raise KeyError(f"it lacks {', '.join(map(repr, missing))}")
            return dict(found)
        if issubclass(self.model_class, pydantic.v1.BaseModel):
            return self.model_class.parse_obj(found)
        return self.model_class.model_validate(found)

    def _written(self, message: AIMessage) -> str:
        if not self.tool_name:
            return message.text.lstrip().removeprefix("```json").removeprefix("```")
        chunks = getattr(message, "tool_call_chunks", ())
        return next((one["args"] or "" for one in chunks), "") or _arguments(message)

    def _invalid(self, message: AIMessage, reason: str, *, cut_off: bool = False) -> InvalidOutput:
        return InvalidOutput(text=_all_text(message), reason=reason, cut_off=cut_off)


def _message(generation: Generation) -> AIMessage:
    if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
        return generation.message
    return AIMessage(content=generation.text)


def _arguments(message: AIMessage) -> str:
    return json.dumps(message.tool_calls[0]["args"]) if message.tool_calls else ""


def _all_text(message: AIMessage) -> str:
    calls = [json.dumps(call["args"], ensure_ascii=False) for call in message.tool_calls]
    wrong = [call["args"] or "" for call in message.invalid_tool_calls]
    return "\n".join(filter(None, [message.text, *calls, *wrong]))


def _unfenced(text: str) -> str:
    """Take off a code fence: in JSON mode models like to write one."""
    inner = text.strip()
    if inner.startswith("```") and inner.endswith("```"):
        return inner.removeprefix("```json").removeprefix("```").removesuffix("```")
    return inner


def _first_line(error: Exception) -> str:
    match error:
        case KeyError():
            return str(error.args[0])
        case pydantic.ValidationError() | pydantic.v1.ValidationError():
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            return f"{where}: {first['msg']}" if where else str(first["msg"])
        case _:
            return str(error)
