"""Names of quantizations."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_NAMES: Final = (
    "F32 F16 Q4_0 Q4_1 - - - Q8_0 Q5_0 Q5_1 Q2_K Q3_K_S Q3_K_M Q3_K_L Q4_K_S Q4_K_M Q5_K_S Q5_K_M "
    "Q6_K IQ2_XXS IQ2_XS Q2_K_S IQ3_XS IQ3_XXS IQ1_S IQ4_NL IQ3_S IQ3_M IQ2_S IQ2_M IQ4_XS IQ1_M "
    "BF16 - - - TQ1_0 TQ2_0 MXFP4 NVFP4 Q1_0"
)

FILE_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {code: name for code, name in enumerate(_NAMES.split()) if name != "-"}
)
"""`general.file_type` -> name, as `enum llama_ftype` in llama.cpp's `include/llama.h` numbers them.

The gaps are formats that llama.cpp has dropped.
"""

QUANTIZATION: Final = re.compile(
    r"(?:^|[-._])(?:ud-)?((?:i?q|tq)[1-8](?:_(?:0|1|k|s|m|l|xl|xs|xxs|nl)){1,3}|b?f16|f32|mxfp4|nvfp4)"
    r"(?=$|[-._])",
    re.IGNORECASE,
)
"""A quantization inside a file name, with the separator before it."""


def quantization_in(name: str) -> str:
    """Returns the last quantization that a file name mentions, in capitals; empty if none."""
    found = QUANTIZATION.findall(name)
    return found[-1].upper() if found else ""
