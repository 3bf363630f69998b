"""Pure functions from a page to a value; nothing here reads a network, a clock or another part of the house.

``from crawler.extract import extract`` reads any news page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crawler.extract.article import Extracted, extract

__all__ = ["Extracted", "extract"]


def __getattr__(name: str) -> Any:
    """The entry on demand: a crawl by a source's own rules needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from crawler.extract import article

    return getattr(article, name)
