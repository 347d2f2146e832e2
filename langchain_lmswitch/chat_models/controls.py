"""Loading, keeping and unloading models by hand."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from langchain_lmswitch.chat_models.entered import Hold, Watching
from langchain_lmswitch.chat_models.shown import ShownChatModel
from langchain_lmswitch.graph.waiting import aawaited, awaited
from langchain_lmswitch.switch.controls import Controls
from langchain_lmswitch.switch.news import told
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.events import MemoryChanged
from langchain_lmswitch.types.models import Resident

_NEXT: Final = "?"
"""A request of which nothing is known but what the caller says of it."""


class ControlledChatModel(ShownChatModel):
    """A chat model whose models can be loaded, kept and unloaded by hand.

    A model is named by its key, by a part that only one key has, or by the identifier of a loaded
    instance. What is asked here concerns the host, and so every chat model that uses it.
    """

    def loaded(self) -> list[Resident]:
        """List the models in memory, whoever loaded them.

        Raises:
            HostNotFound: There is no host to ask.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            for one in ChatLMSwitch().loaded():
                print(one.identifier, one.context_tokens, "tokens of context")
            ```
        """
        return portal().call(self._controls().loaded())

    async def aloaded(self) -> list[Resident]:
        """List the models in memory; see `loaded`."""
        return await portal().acall(self._controls().loaded())

    def preload(self, model: str) -> Resident:
        """Load a model now, so that the first question need not wait.

        Args:
            model: Its name.

        Returns:
            The model in memory, with the context that it was really loaded with.

        Raises:
            UnknownModel: The host has no such model.
            NotEnoughMemory: It does not fit, even after unloading idle models of ours.
            LoadFailed: The host could not load it.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            print(ChatLMSwitch().preload("smollm2").key)
            ```

            ```text
            smollm2-135m-instruct
            ```
        """
        return awaited(told(partial(self._controls().preload, model)), self.on_event)

    async def apreload(self, model: str) -> Resident:
        """Load a model now; see `preload`."""
        return await aawaited(told(partial(self._controls().preload, model)), self.on_event)

    def prefetch(self, task: str | None = None, **hints: Any) -> str | None:
        """Load the model that the next request will want, in the background.

        It returns at once, so that a graph can call it while a tool runs. Nothing is loaded while
        requests of this process are being answered, and nothing leaves for it that was used in the
        last half minute. The first request for another model ends it.

        Args:
            task: What the next request will be; see the field `task`.
            hints: As for `invoke`: `model`, `quality`, `prefer`, `require`, `tools`.

        Returns:
            The key of the model that is loaded or being loaded; `None` if it could not begin.

        Raises:
            HostNotFound: There is no host to ask what models it has.
            UnknownModel: `model` names one the host does not have.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            print(ChatLMSwitch().prefetch("code"))
            ```

            ```text
            qwen2.5-coder-0.5b-instruct
            ```
        """
        key = self.explain(_NEXT, task=task, **hints).model
        begun = bool(key) and portal().call(self._controls().prefetch(key))
        return key if begun else None

    async def aprefetch(self, task: str | None = None, **hints: Any) -> str | None:
        """Load the model that the next request will want; see `prefetch`."""
        key = (await self.aexplain(_NEXT, task=task, **hints)).model
        begun = bool(key) and await portal().acall(self._controls().prefetch(key))
        return key if begun else None

    def unload(self, model: str | None = None) -> list[str]:
        """Unload a model, whoever loaded it, once no request of this process uses it.

        Args:
            model: Its name; `None` unloads all that this package has loaded.

        Returns:
            The identifiers of what was unloaded.

        Raises:
            UnknownModel: The host has no such model.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            llm = ChatLMSwitch()
            llm.preload("smollm2")
            llm.unload("smollm2")
            print([one.key for one in llm.loaded() if "smollm2" in one.key])
            ```

            ```text
            []
            ```
        """
        return portal().call(self._controls().unload(model))

    async def aunload(self, model: str | None = None) -> list[str]:
        """Unload a model; see `unload`."""
        return await portal().acall(self._controls().unload(model))

    def pin(self, model: str, *, pinned: bool = True) -> str:
        """Keep this process from unloading a model to make room; give its key.

        Pinning loads nothing, and does not stop the host's own idle timer. The pin ends with this
        process, and others do not know of it: `lmswitch pin` and a `pin` in the model's table hold
        in all of them.

        Args:
            model: Its name.
            pinned: `False` takes the pin of this process off.

        Raises:
            UnknownModel: The host has no such model.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            llm = ChatLMSwitch()
            print(llm.pin("coder"), "stays")
            llm.pin("coder", pinned=False)
            ```

            ```text
            qwen2.5-coder-0.5b-instruct stays
            ```
        """
        return portal().call(self._controls().pin(model, pinned=pinned))

    async def apin(self, model: str, *, pinned: bool = True) -> str:
        """Keep this process from unloading a model; see `pin`."""
        return await portal().acall(self._controls().pin(model, pinned=pinned))

    def watch(self, listener: Callable[[MemoryChanged], None]) -> "Watching":
        """Tell a function of the memory of this computer, now and whenever it changes.

        It is measured four times a second while anything is loaded, and told if it moved by 2 % or
        256 MiB. A host on another computer has nothing to tell.

        Args:
            listener: Called in a thread of this package's own; it must return at once.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            llm = ChatLMSwitch(max_tokens=8)
            with llm.watch(lambda now: print(now.ram_free_bytes)):
                llm.invoke("Hello")
            ```
        """
        return Watching(self._controls(), listener)

    def hold(self, model: str) -> "Hold":
        """Keep a model loaded for as long as a `with` or `async with` block lasts.

        In all processes of yours, a model that needs its place meanwhile is not loaded: nobody
        waits for an end that you decide.

        Args:
            model: Its name; it is loaded if it is not there.

        Raises:
            UnknownModel: On entering: the host has no such model.
            NotEnoughMemory: Likewise: it does not fit.
            LoadFailed: Likewise: the host could not load it.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            llm = ChatLMSwitch(max_tokens=8)
            with llm.hold("coder") as resident:
                llm.invoke("Write a function.", model=resident.key)
                llm.invoke("Write a test of it.", model=resident.key)
            ```
        """
        return Hold(self._controls(), model, on_event=self.on_event)

    def _controls(self) -> Controls:
        return Controls(self._open_board)
