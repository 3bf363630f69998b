"""Syndication: which posts of several sources tell one story in the same words, and who had it first."""
