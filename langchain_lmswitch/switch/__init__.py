"""The one stateful place."""
