"""Facts of GGUF model files, read without loading them."""

from langchain_lmswitch.embedded.gguf.header import GgufHeader, read_header
from langchain_lmswitch.embedded.gguf.splits import SplitName, parse_split
from langchain_lmswitch.embedded.gguf.survey import Survey, has_tool_template, survey
from langchain_lmswitch.embedded.gguf.tensors import WeightBytes

__all__ = [
    "GgufHeader",
    "SplitName",
    "Survey",
    "WeightBytes",
    "has_tool_template",
    "parse_split",
    "read_header",
    "survey",
]
