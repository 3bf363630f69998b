"""Benchmarks: what presskeep costs beside a plain spider. Run by hand; see README.md here."""
