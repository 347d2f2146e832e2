"""The way from a chat model to its router, and what can be asked without an answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import LanguageModelInput, ModelProfile
from langchain_core.messages import BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.tools import BaseTool
from pydantic import PrivateAttr

from langchain_lmswitch.chat_models.fields import ANSWERING, ChatModelFields
from langchain_lmswitch.chat_models.hints import hinted, node_of_context, thread_of_context
from langchain_lmswitch.chat_models.profiles import first_profile, profile_of
from langchain_lmswitch.chat_models.router import LMSwitchRouter
from langchain_lmswitch.messages.options import call_options
from langchain_lmswitch.settings import MadeSettings, Settings, made_settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.boards import boards
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.options import RouterOptions

if TYPE_CHECKING:
    from langchain_lmswitch.graph.router import Router


class RoutedChatModel(ChatModelFields):
    """A chat model that asks its router."""

    _made: MadeSettings | None = PrivateAttr(default=None)
    _follows: bool = PrivateAttr(default=False)
    """Whether the profile follows the models; not if the user has given one."""

    @property
    def router(self) -> LMSwitchRouter:
        """The router by itself, for who wants to know which model should answer and no more.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            print(ChatLMSwitch().router.decide("Write a Python function.").task)
            ```

            ```text
            code
            ```
        """
        return LMSwitchRouter(self)

    def explain(self, messages: LanguageModelInput, **kwargs: Any) -> Decision:
        """Decide as `invoke` would at this moment, without loading or calling a model.

        Args:
            messages: A text, a prompt, or the conversation so far.
            kwargs: As for `invoke`.

        Returns:
            The decision with every candidate; its `model` is empty if none can answer.

        Raises:
            HostNotFound: There is no host to ask what models it has.
            UnknownModel: `model` names one the host does not have.
            InvalidRequest: An argument is unknown or cannot be used.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            decision = ChatLMSwitch().explain("Write a Python function.")
            print(decision.model, "for", decision.task)
            for reason in decision.candidates[0].reasons:
                print(" ", reason)
            ```
        """
        asked = self._convert_input(messages).to_messages()
        decision = portal().call(self._router().explain(asked, self._options(None, kwargs)))
        self._follow(decision)
        return decision

    async def aexplain(self, messages: LanguageModelInput, **kwargs: Any) -> Decision:
        """Decide as `ainvoke` would; see `explain`."""
        asked = self._convert_input(messages).to_messages()
        deciding = self._router().explain(asked, self._options(None, kwargs))
        decision = await portal().acall(deciding)
        self._follow(decision)
        return decision

    def get_num_tokens(self, text: str) -> int:
        """Count the tokens of a text; see `get_num_tokens_from_messages`.

        Args:
            text: What to count.

        Raises:
            HostNotFound: There is no host to ask.
        """
        counting = self._router().count_text(text, self._options(None, {}))
        counted = portal().call(counting)
        return count_tokens_approximately([text]) if counted is None else counted

    def get_num_tokens_from_messages(
        self,
        messages: Sequence[BaseMessage],
        tools: Sequence[Mapping[str, Any] | type | Callable[..., Any] | BaseTool] | None = None,
    ) -> int:
        """Count the tokens of a prompt as the model will read it, template and tools included.

        The model that would answer counts them, with its own template and tokenizer, if it is
        loaded; else they are LangChain's estimate, since nothing is loaded only to count.

        Args:
            messages: The prompt.
            tools: What the model would be offered with it, as `bind_tools` takes it.

        Raises:
            HostNotFound: There is no host to ask.

        Example:
            ```python
            from langchain_core.messages import HumanMessage
            from langchain_lmswitch import ChatLMSwitch
            from langchain_lmswitch.testing import ScriptedHost

            llm = ChatLMSwitch(host=ScriptedHost(["tiny-chat"]))
            print(llm.get_num_tokens_from_messages([HumanMessage("Hello")]) > 1)
            ```

            ```text
            True
            ```
        """
        options = self._options(None, {"tools": list(tools or ())})
        counted = portal().call(self._router().count(messages, options))
        if counted is None:
            return count_tokens_approximately(messages, tools=[*options["tools"]] or None)
        return counted

    def _resolve_model_profile(self) -> ModelProfile:
        self._follows = True
        return first_profile(Settings().context_tokens)  # a copy may be given another host

    def _follow(self, decision: Decision) -> None:
        if self._follows:
            tokens = self._own_settings().context_tokens
            self.profile: ModelProfile | None = profile_of(decision, tokens)

    def _options(self, stop: list[str] | None, kwargs: Mapping[str, Any]) -> RouterOptions:
        fields = {name: getattr(self, name) for name in ANSWERING}
        fields |= {"stop": stop or self.stop or [], "timeout_s": self.timeout}
        fields |= {"thread": thread_of_context(), "node": node_of_context()}
        return call_options(fields, hinted(None, kwargs, self.nodes))

    def _router(self) -> "Router":
        # LangGraph takes most of a second to import: only who asks a question pays for it.
        from langchain_lmswitch.graph import routers  # noqa: PLC0415

        if self.host is None:
            return routers.router(self._own_settings(), retries=self.max_retries)
        return routers.router_to(
            self.host,
            monitor=self.monitor,
            ledger=self.ledger,
            settings=self._own_settings(),
            retries=self.max_retries,
        )

    async def _open_board(self) -> Switchboard:
        settings = self._own_settings()
        return await boards().of(self.host, self.monitor, settings, ledger=self.ledger)

    def _own_settings(self) -> Settings:
        self._made = made_settings(self._made, base_url=self.base_url, api_key=self.api_key)
        return self._made.settings
