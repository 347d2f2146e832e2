"""The models on disk that the embedded host can serve."""

from langchain_lmswitch.embedded.shelf.scan import Shelf, ShelfModel

__all__ = ["Shelf", "ShelfModel"]
