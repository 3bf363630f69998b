"""Why a request of ours was not sent, or its answer not used: the text is the whole reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.exceptions import IgnoreRequest, NotConfigured

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class Refusal(IgnoreRequest):
    """Not to be asked for, or not to be kept."""


class Postponed(Refusal):
    """Not to be asked for now, for no fault of the article: it stays queued as it is."""


class Resting(Postponed):
    """The host rests."""


def only_on_the_wire(crawler: Crawler) -> None:
    """Raises NotConfigured where captures are replayed: what guards the wire has no work there."""
    if replayed(crawler):
        raise NotConfigured


def replayed(crawler: Crawler) -> bool:
    """Whether captures are served instead of the network."""
    return getattr(crawler.spider, "replay", None) is not None


def source_of(crawler: Crawler, name: Any) -> Any:
    """The source of this id that the spider follows; None for none."""
    return getattr(crawler.spider, "sources", {}).get(name)
