"""`bind_tools` and `with_structured_output`."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, cast, get_args

import pydantic
import pydantic.v1
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema

from langchain_lmswitch.chat_models.hints import HintedChatModel
from langchain_lmswitch.errors import InvalidOutput, InvalidRequest
from langchain_lmswitch.messages.structured import Method, ObjectParser
from langchain_lmswitch.messages.tools import ToolLike, tool_schema, tool_wish


class BindingChatModel(HintedChatModel):
    """A chat model that tools and an output schema can be bound to."""

    def bind_tools(
        self,
        tools: Sequence[ToolLike],
        *,
        tool_choice: str | Mapping[str, Any] | bool | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Let the model call tools.

        Args:
            tools: Functions, pydantic classes, TypedDicts, LangChain tools, runnables, or schemas
                in OpenAI's, Anthropic's or plain JSON form.
            tool_choice: `auto`, `none`, `any` or `True` for at least one call, or a tool's name.
            strict: Whether the arguments must follow the schema to the letter; passed on.
            parallel_tool_calls: `False` allows one call in an answer.
            kwargs: More arguments of each call, such as `temperature`.

        Raises:
            InvalidRequest: A tool or the choice cannot be used.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch


            def population(city: str) -> int:
                "Look up how many people live in a city."
                return 717_710


            llm = ChatLMSwitch(temperature=0).bind_tools([population], tool_choice="any")
            for call in llm.invoke("How many people live in Oslo?").tool_calls:
                print(call["name"], call["args"])
            ```

            ```text
            population {'city': 'Oslo'}
            ```
        """
        schemas = [tool_schema(tool, strict=strict) for tool in tools]
        tool_wish(schemas, tool_choice)  # a wrong choice should be told here, not at the first call
        bound = self.bind(
            tools=schemas,
            tool_choice=tool_choice,
            parallel_tool_calls=parallel_tool_calls,
            **kwargs,
        )
        return cast("Runnable[LanguageModelInput, AIMessage]", bound)

    def with_structured_output(
        self,
        schema: Mapping[str, Any] | type | None = None,
        *,
        include_raw: bool = False,
        method: Method = "json_schema",
        strict: bool | None = None,
        tools: Sequence[ToolLike] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Let the model answer with an object.

        Args:
            schema: A pydantic class (version 1 or 2) or a TypedDict, or a JSON schema. A pydantic
                class gives its objects, anything else gives mappings.
            include_raw: Give `{"raw": message, "parsed": object, "parsing_error": error}`.
            method: `json_schema` holds the model to the schema by a grammar; `function_calling`
                makes it call a tool of that shape; `json_mode` makes it write some JSON object, and
                the prompt has to say which.
            strict: Passed on to the host with the schema.
            tools: Tools that the model may call before it answers; with `json_schema` and
                `include_raw` only, since the answer may then be tool calls (`parsed` is `None`).
            kwargs: More arguments of each call.

        Raises:
            InvalidRequest: The schema or the method cannot be used.
            InvalidOutput: Of the runnable that is returned: the answer is not such an object.

        Example:
            ```python
            from pydantic import BaseModel
            from langchain_lmswitch import ChatLMSwitch


            class Person(BaseModel):
                name: str
                age: int


            llm = ChatLMSwitch(temperature=0).with_structured_output(Person)
            print(llm.invoke("Ada Lovelace was 36."))
            ```

            ```text
            name='Ada Lovelace' age=36
            ```
        """
        _check(schema, method)
        if tools and not (method == "json_schema" and include_raw):
            raise InvalidRequest("`tools` need `method='json_schema'` and `include_raw=True`.")
        match method:
            case "function_calling":
                bound = self._calling(schema, strict=strict, **kwargs)
            case _:
                bound = self._writing(schema, method, strict=strict, tools=tools, **kwargs)
        calls = method == "function_calling"
        parser = _parser(schema, tool_name=_title(schema) if calls else "")
        parser.on_refused = self._refused
        return _with_raw(bound, parser) if include_raw else bound | parser

    def _refused(self, message: AIMessage, error: InvalidOutput) -> None:
        """Hear of an answer that is not what was asked for; nothing is done about it here."""

    def _calling(self, schema: Any, *, strict: bool | None, **kwargs: Any) -> Runnable[Any, Any]:
        return self.bind_tools(
            [schema],
            tool_choice=_title(schema),
            strict=strict,
            parallel_tool_calls=False,
            ls_structured_output_format=_told("function_calling", schema),
            **kwargs,
        )

    def _writing(
        self,
        schema: Any,
        method: Method,
        *,
        strict: bool | None,
        tools: Sequence[ToolLike] | None,
        **kwargs: Any,
    ) -> Runnable[Any, Any]:
        form: dict[str, Any] = {"type": "json_object"}
        if method == "json_schema":
            described = {"name": _title(schema), "schema": convert_to_json_schema(schema)}
            asked = {} if strict is None else {"strict": strict}
            form = {"type": "json_schema", "json_schema": described | asked}
        said: dict[str, Any] = {
            "response_format": form,
            "ls_structured_output_format": _told(method, schema),
        }
        if tools:
            return self.bind_tools(tools, strict=strict, **said, **kwargs)
        return self.bind(**said, **kwargs)


def _check(schema: Any, method: str) -> None:
    if method not in get_args(Method):
        known = ", ".join(map(repr, get_args(Method)))
        raise InvalidRequest(f"There is no method {method!r}; choose one of {known}.")
    if schema is None and method != "json_mode":
        raise InvalidRequest(f"The method {method!r} needs a `schema`.")
    if schema is not None:
        tool_schema(schema)  # says what is wrong with it


def _title(schema: Any) -> str:
    return str(tool_schema(schema)["function"]["name"])


def _told(method: str, schema: Any) -> dict[str, Any]:
    """What LangSmith shows of the wish."""
    told = {"method": method}
    return {"kwargs": told, "schema": None if schema is None else tool_schema(schema)}


def _parser(schema: Any, *, tool_name: str) -> ObjectParser:
    if isinstance(schema, type) and issubclass(schema, pydantic.BaseModel | pydantic.v1.BaseModel):
        return ObjectParser(model_class=schema, tool_name=tool_name)
    required = () if schema is None else convert_to_json_schema(schema).get("required", ())
    return ObjectParser(required=tuple(required), tool_name=tool_name)


def _with_raw(bound: Runnable[Any, Any], parser: ObjectParser) -> Runnable[Any, Any]:
    none: Callable[[Any], None] = lambda _: None  # noqa: E731 - as runnables take it
    parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=none)
    failed = RunnablePassthrough.assign(parsed=none)
    return RunnableMap(raw=bound) | parsed.with_fallbacks([failed], exception_key="parsing_error")
