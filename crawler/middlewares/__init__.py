"""Politeness and guards on the wire."""
