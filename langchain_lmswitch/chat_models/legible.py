"""What `help(ChatLMSwitch)` and completion show: our own first, and nothing of the machinery."""

from inspect import Parameter, Signature
from typing import Any, ClassVar, Final, dataclass_transform

from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel, Field, PrivateAttr
from pydantic._internal._model_construction import ModelMetaclass

_MACHINERY: Final = frozenset(
    {
        "__abstractmethods__",
        "__annotations__",
        "__class_vars__",
        "__parameters__",
        "__private_attributes__",
        "__signature__",
        "model_config",
        "model_post_init",
    }
)
"""What pydantic and Python put into every class, beside names that begin with `__pydantic`."""
_REST: Final = "langchain"
"""Stands for the arguments that every chat model of LangChain's has."""


@dataclass_transform(
    kw_only_default=True, field_specifiers=(Field, PrivateAttr)
)  # as pydantic says
class Legible(ModelMetaclass):
    """The class of classes that list what their reader may use."""

    def __dir__(self) -> list[str]:
        names = super().__dir__()
        return [one for one in names if one not in _MACHINERY and not one.startswith("__pydantic")]


class LegibleChatModel(BaseChatModel, metaclass=Legible):
    """A chat model whose signature names our arguments with their defaults, and no more."""

    __signature__: ClassVar[Signature]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.__signature__ = own_signature(cls)


def own_signature(model: type[BaseModel]) -> Signature:
    """Give the arguments that are not LangChain's; types stand in the class, and for checkers."""
    own = [
        Parameter(field.alias or name, Parameter.KEYWORD_ONLY, default=field.get_default())
        for name, field in model.model_fields.items()
        if name not in BaseChatModel.model_fields
    ]
    return Signature([*own, Parameter(_REST, Parameter.VAR_KEYWORD)])
