"""Adapters to model servers."""
