"""presskeep's machinery: sources, extraction, archive, runs. Names no site."""

__version__ = "0.1.0"
