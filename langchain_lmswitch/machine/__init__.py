"""Adapters to this computer."""
