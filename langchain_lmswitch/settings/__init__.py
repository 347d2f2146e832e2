"""Every knob, its default, and where it is set."""

from langchain_lmswitch.settings.knobs import Settings
from langchain_lmswitch.settings.made import MadeSettings, made_settings
from langchain_lmswitch.settings.models import ModelSettings

__all__ = ["MadeSettings", "ModelSettings", "Settings", "made_settings"]
