"""What `help(ChatLMSwitch)` and completion show: our own first, and nothing of the machinery."""

from inspect import Parameter, Signature
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, ClassVar, Final, dataclass_transform

from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel, Field, PrivateAttr
from pydantic.fields import FieldInfo

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    # By its name it is pydantic's own business, and may move.
    ModelMetaclass = type(BaseChatModel)

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
    """A chat model whose signature names our arguments with their defaults, and no more.

    A class that pydantic has to build again, with `model_rebuild`, has pydantic's signature.
    """

    __signature__: ClassVar[Signature]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.__signature__ = own_signature(cls)


def own_signature(model: type[BaseModel]) -> Signature:
    """Give the arguments that are not LangChain's; types stand in the class, and for checkers."""
    own = [
        _parameter(name, field)
        for name, field in model.model_fields.items()
        if name not in BaseChatModel.model_fields
    ]
    return Signature([*own, Parameter(_REST, Parameter.VAR_KEYWORD)])


def _parameter(name: str, field: FieldInfo) -> Parameter:
    """Give an argument; an alias that no call could name stays out of sight, as pydantic does."""
    alias = field.alias or name
    named = alias if alias.isidentifier() and not iskeyword(alias) else name
    return Parameter(named, Parameter.KEYWORD_ONLY, default=_default(field))


def _default(field: FieldInfo) -> Any:
    if field.is_required():
        return Parameter.empty
    return ... if field.default_factory else field.get_default()
