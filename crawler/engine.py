"""Runs one Scrapy crawl for a run, in this process."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scrapy import Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings
from scrapy.utils.misc import load_object

from crawler.journal import handler, say
from crawler.replay import Captures
from crawler.run import Run
from crawler.site import SETTINGS, Site
from crawler.sources import Source

HANDLER = "crawler.replay.ReplayHandler"


def crawl_run(
    run: Run,
    sources: Sequence[Source],
    captures: Captures | None = None,
    *,
    limit: int = 0,
    own_python: bool = False,
    verbose: bool = False,
    plain: bool = False,
) -> int:
    """Crawl, close the run; its exit code. Interrupting it once ends it in good order.

    ``plain``: a line for each record of Scrapy's log, without tracebacks.
    """
    settings = crawl_settings(run, replay=captures is not None, own_python=own_python, verbose=verbose)
    run.live = run.watch.live = captures is None
    if run.live and (complaint := nameless(run.archive, run.site, sources)):
        say(complaint)
    run.record_start()
    try:
        settings.set("LOG_INSTALL_ROOT_HANDLER", not plain, priority="cmdline")
        process = AsyncCrawlerProcess(settings)
        if plain:
            logging.getLogger().addHandler(handler())
        # Scrapy sets DEBUG here and drops the records later: two for each article, with its whole body as text
        logging.getLogger("scrapy").setLevel(settings["LOG_LEVEL"])
        spider: type[Spider] = load_object(settings["SPIDER"])
        crawling = process.crawl(spider, sources=list(sources), run=run, replay=captures, limit=limit)
        process.start()
        if crawling.done() and not crawling.cancelled():
            crawling.result()  # what kept it from starting is a fault, not a quiet run
    except BaseException as error:
        run.close(halted=f"{type(error).__name__}: {error}")
        raise
    return run.close(halted=run.report.halted)


def nameless(archive: Path, site: Site, sources: Sequence[Source]) -> str:
    """That sites are asked without a word of whom they can write to, and what to type; empty where all are told."""
    unnamed = [one.id for one in sources if not (one.politeness.contact or site.contact or one.is_local)]
    if not unnamed:
        return ""
    few = ", ".join(unnamed[:3]) + (", …" if len(unnamed) > 3 else "")
    following = f"echo 'contact: you@your.domain' >> {shlex.quote(str(archive / SETTINGS))}"
    return f"the User-Agent names no contact that the keepers of {few} can write to. Next: {following}"


def crawl_settings(run: Run, *, replay: bool = False, own_python: bool = False, verbose: bool = False) -> Settings:
    """Scrapy's settings for a run; under replay nothing waits and nothing is asked of the network."""
    settings = Settings()
    settings.setmodule("crawler.settings")
    own: dict[str, Any] = {
        "PRESSKEEP_OWN_PYTHON": own_python,
        "LOG_LEVEL": "INFO" if verbose else "WARNING",
    }
    if replay:
        handlers = {**settings.getdict("DOWNLOAD_HANDLERS"), "http": HANDLER, "https": HANDLER}
        own |= {
            "DOWNLOAD_HANDLERS": handlers,
            "DOWNLOAD_DELAY": 0,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
            "ROBOTSTXT_OBEY": False,
            "RETRY_ENABLED": False,
        }
    settings.setdict(own, priority="cmdline")
    if not verbose:
        for name in ("core.scraper", "downloadermiddlewares.retry", "downloadermiddlewares.robotstxt"):
            logging.getLogger(f"scrapy.{name}").addFilter(_not_told_elsewhere)
    return settings


def _not_told_elsewhere(record: logging.LogRecord) -> bool:
    """What stands in the report, with address and reason, is not told twice; a failed robots.txt takes one line.

    An OSError out of a callback or pipeline is the disk's, and stops the run: that is said once, by ``halt``.
    """
    if record.exc_info and isinstance(record.exc_info[1], OSError):
        return False
    if record.name.endswith("robotstxt"):
        record.exc_info = None
    return not record.getMessage().startswith(("Dropped:", "Gave up retrying"))
