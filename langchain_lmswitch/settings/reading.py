"""Settings that are read from several places, one above the other."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from langchain_lmswitch.settings.layers import Layer, merged
from langchain_lmswitch.settings.models import ModelSettings
from langchain_lmswitch.settings.sources import read_layers
from langchain_lmswitch.settings.telling import told

ReadLayers = Callable[[Mapping[str, Any]], Sequence[Layer]]


class LayeredSource(PydanticBaseSettingsSource):
    """What all places say together, the arguments first."""

    def __init__(self, given: PydanticBaseSettingsSource, layers: ReadLayers) -> None:
        super().__init__(given.settings_cls)
        self._given = given
        self._layers = layers

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Give nothing: all is given at once."""
        raise NotImplementedError

    def __call__(self) -> dict[str, Any]:
        """Read all places.

        Raises:
            BadSettings: A file cannot be read, or says what it may not.
        """
        return merged(self._layers(self._given()))


class LayeredSettings(BaseSettings):
    """Reads its fields; what cannot be is told with the place where it stands."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(frozen=True, extra="forbid")

    if not TYPE_CHECKING:  # arguments are checked as fields

        def __init__(self, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                fields, model_fields = type(self).model_fields, ModelSettings.table_keys()
                layers = self.layers(values)
                raise told(error, layers, fields=fields, model_fields=model_fields) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the form of the hook
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read one source that knows all places: it merges tables, and can tell who said what."""
        return (LayeredSource(init_settings, cls.layers),)

    @classmethod
    def layers(cls, given: Mapping[str, Any]) -> Sequence[Layer]:
        """Read all places, those that are given as arguments first."""
        return read_layers(given)
