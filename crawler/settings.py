"""All Scrapy wiring in one place. Sources and presskeep.yml say the rest."""

from __future__ import annotations

from typing import Any

from crawler import __version__

BOT_NAME = "presskeep"
USER_AGENT = f"presskeep/{__version__} (news archiver)"  # requests name a contact as well, where there is one
SPIDER_LOADER_CLASS = "spiders.loader.SourceLoader"
SPIDER_MODULES: list[str] = []
SPIDER = "spiders.news.NewsSpider"
WAYS = "spiders.hatch.Ways"  # how a source is walked and read

# Politeness: sources set their own per host, never below these
ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = BOT_NAME
DOWNLOAD_DELAY = 0.5  # never 0: the per-host limit is not enforced then
CONCURRENT_REQUESTS = 32
CONCURRENT_REQUESTS_PER_DOMAIN = 1
CONCURRENT_ITEMS = 1  # Scrapy makes this many tasks for each response
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate",  # captures keep what came: every tool unpacks these two
}
DOWNLOAD_TIMEOUT = 30  # a deadline for the whole answer; each hop of a redirect has its own
DOWNLOAD_MAXSIZE = 16 * 1024 * 1024
DOWNLOAD_WARNSIZE = 8 * 1024 * 1024
DOWNLOAD_VERIFY_CERTIFICATES = True
RETRY_TIMES = 2
REDIRECT_MAX_TIMES = 5

# Nothing that opens a door, or is not needed
COOKIES_ENABLED = False
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
MEMDEBUG_ENABLED = False
WARN_ON_GENERATOR_RETURN_VALUE = False  # Scrapy would read and parse a callback's source for every response
DOWNLOAD_HANDLERS: dict[str, Any] = {
    **dict.fromkeys(("http", "https"), "crawler.middlewares.guard.GuardedHandler"),
    **dict.fromkeys(("data", "file", "ftp", "s3")),
}
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"  # the ledger knows what was asked
SCHEDULER = "crawler.frontier.Frontier"
URLLENGTH_LIMIT = 4096

DOWNLOADER_MIDDLEWARES = {
    "crawler.middlewares.stops.StopsMiddleware": 20,
    "crawler.middlewares.listed.ListedMiddleware": 25,  # nothing is asked: no rest, robots.txt or pace is in the way
    "crawler.middlewares.guard.GuardMiddleware": 30,
    "crawler.middlewares.rests.RestingMiddleware": 40,
    "crawler.middlewares.politeness.PolitenessMiddleware": 50,
    "crawler.middlewares.robots.RobotsMiddleware": 100,
    "crawler.middlewares.rests.RestsMiddleware": 560,  # before the retries' 550 on the way in
    "crawler.middlewares.cookies.CookieJars": 700,
    "crawler.middlewares.capture.CaptureMiddleware": 950,  # below HttpCompression: bodies as they came
    "crawler.middlewares.optouts.OptOutMiddleware": 960,  # before captures are kept
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": None,
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # no spider of ours names allowed_domains
}
SPIDER_MIDDLEWARES: dict[str, Any] = {  # each is one more generator around every callback's output
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": None,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
ITEM_PIPELINES = {
    "pipelines.clean.CleanPipeline": 100,
    "pipelines.judge.JudgePipeline": 200,
    "pipelines.picture.PicturePipeline": 250,  # only of what passed; it waits for answers
    "pipelines.attribute.AttributePipeline": 300,
    "pipelines.keep.KeepPipeline": 400,
}
EXTENSIONS: dict[str, Any] = {
    "crawler.components.Outcomes": 10,
    "crawler.progress.Progress": 20,
    "scrapy.extensions.logstats.LogStats": None,
    "scrapy.extensions.memusage.MemoryUsage": None,
    "scrapy.extensions.memdebug.MemoryDebugger": None,  # what is off costs no import
    "scrapy.extensions.remote_control.RemoteControl": None,
    "scrapy.extensions.telnet.TelnetConsole": None,
    "scrapy.extensions.corestats.CoreStats": 0,
}

LOG_LEVEL = "WARNING"
LOG_SHORT_NAMES = True
LOGSTATS_INTERVAL = 0.0
"""Our own report tells the same, per source."""


def agent_of(contact: str) -> str:
    """The User-Agent that names whom a site's keepers can write to."""
    return f"{USER_AGENT.removesuffix(')')}; {contact})"
