"""robots.txt by RFC 9309: what cannot be reached disallows everything, what does not exist allows it; a day at most."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from protego import Protego
from scrapy import Request
from scrapy.exceptions import DownloadTimeoutError, NotConfigured
from scrapy.http.request import NO_CALLBACK

from crawler.failures import words_for
from crawler.middlewares.politeness import PolitenessMiddleware
from crawler.middlewares.refusals import Postponed, Refusal, only_on_the_wire, source_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

ROLE = "robots"
"""What a request for robots.txt has as its role: it is neither checked itself, nor captured, nor retried."""
_PARSED = 500 * 1024
"""Bytes that are read (RFC 9309, section 2.5)."""
_REDIRECTS = 5
"""Redirects in a row that are followed, also to other authorities (section 2.3.1.2)."""
_LONGEST = 300.0
"""Most seconds of Crawl-delay that are kept; a longer one is a mistake or a door slammed, and would stall a run."""
_VALID = 86400.0
"""Seconds after which it is asked for again in a run that lasts longer (section 2.4)."""
_AS_IT_IS = {"dont_retry": True, "dont_redirect": True, "handle_httpstatus_all": True, "dont_merge_cookies": True}
_RECORD = re.compile(r"[ \t]*([A-Za-z][A-Za-z -]*?)[ \t]*:[ \t]*([^#]*)")
_TOKEN = re.compile(r"[A-Za-z_-]*")
_AGENTS, _RULES = ("user-agent", "useragent", "user agent"), ("allow", "disallow")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one robots.txt says to us."""

    parser: Protego | None = None
    unreachable: str = ""
    """Why it could not be had, empty if it could."""

    def allows(self, url: str, agent: str) -> bool:
        """Whether ``agent`` may ask for this address."""
        return not self.unreachable and (self.parser is None or self.parser.can_fetch(url, agent))

    def delay(self, agent: str) -> float:
        """Seconds between two requests that the site asks for; 0 for none."""
        found = self.parser.crawl_delay(agent) if self.parser else None
        return min(max(found or 0.0, 0.0), _LONGEST)


def read_rules(status: int, body: bytes, agent: str) -> Rules:
    """The rules for ``agent`` in an answer that is no redirect (RFC 9309, section 2.3.1)."""
    if status == 429 or not 200 <= status < 500 or 300 <= status < 400:
        return Rules(unreachable=f"HTTP {status}")
    return Rules() if status >= 400 else Rules(_parsed(body, agent))


def _parsed(body: bytes, agent: str) -> Protego | None:
    """None for a page in HTML, which some sites give with status 200 for whatever they do not have."""
    text = body[:_PARSED].decode("utf-8-sig", errors="ignore").lstrip("\ufeff")
    if len(body) > _PARSED:  # half a rule would say something else
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    if text.lstrip().startswith("<"):
        return None
    return Protego.parse("\n".join(_grouped(re.split(r"\r\n?|\n", text), agent)))


def _grouped(lines: list[str], agent: str) -> Iterator[str]:
    """The lines such that Protego finds the groups of the RFC: records of no concern to it, such as Crawl-delay, do not
    end a row of user-agent lines (section 2.2.4), as they would for Protego; they come behind the next rule."""
    held: list[str] = []
    header = False
    for line in lines:
        match = _RECORD.match(line)
        name, value = (match[1].lower(), match[2].strip()) if match else ("", "")
        if name in _AGENTS:
            header = True
            yield f"User-agent: {_named(value, agent)}"
        elif header and name not in _RULES:
            held.append(line)
        else:
            yield line
            yield from held
            header, held = False, []
    yield from held


def _named(value: str, agent: str) -> str:
    """Whom a group is for. Protego takes ``press`` for ``presskeep`` and ``presskeep/2`` for another; the RFC compares
    product tokens, in any case of letters (section 2.2.1)."""
    token = _TOKEN.match(value)
    if token and token[0].lower() == agent.lower():
        return agent
    return "*" if value == "*" else f"not-{agent}"


class RobotsMiddleware:
    """Asks for a site's robots.txt once in a run, before anything else of it, and keeps to it; after a day once more,
    also where it could not be had."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._agent = str(crawler.settings["ROBOTSTXT_USER_AGENT"])
        self._rules: dict[tuple[str, ...], tuple[float, asyncio.Future[Rules]]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        """As Scrapy makes it. Raises NotConfigured under replay."""
        only_on_the_wire(crawler)
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raises Postponed where robots.txt could not be had, Refusal where it disallows the address."""
        if request.meta.get("role") == ROLE:
            return
        site = _site(request.url)
        asker = site, *self._leave_of(request)
        asked, future = self._rules.get(asker, (-_VALID, None))
        if future is None or monotonic() - asked >= _VALID:
            future = asyncio.get_running_loop().create_future()
            self._rules[asker] = monotonic(), future
            future.set_result(await self._fetched(site, request))
        rules = await future
        if rules.unreachable:
            raise Postponed(f"robots: unreachable ({rules.unreachable})")
        if not rules.allows(request.url, self._agent):
            raise Refusal("robots: disallowed by robots.txt")

    def _leave_of(self, request: Request) -> tuple[str, ...]:
        """What its source may and others may not: what one cannot reach, another can."""
        source = source_of(self._crawler, request.meta.get("source"))
        if source is None:
            return ()
        return (*source.politeness.private_addresses, *(() if source.politeness.verify_certificates else ("any",)))

    async def _fetched(self, site: str, request: Request) -> Rules:
        try:
            rules = await self._asked(site, request)
        except Exception as error:  # whatever it is: without rules nothing may be asked
            rules = Rules(unreachable=words_for(error))
        if delay := rules.delay(self._agent):
            pace = self._crawler.get_downloader_middleware(PolitenessMiddleware)
            assert pace is not None
            pace.slow(urlsplit(site).hostname or "", delay)
        return rules

    async def _asked(self, site: str, request: Request) -> Rules:
        url = f"{site}/robots.txt"
        for _ in range(_REDIRECTS + 1):
            response = await self._answer(url, request)
            location = (response.headers.get("Location") or b"").decode("latin-1")
            if not (300 <= response.status < 400 and location):
                return read_rules(response.status, response.body, self._agent)
            url = urljoin(url, location)
        return Rules(unreachable="too many redirects")

    async def _answer(self, url: str, request: Request) -> Response:
        """A dropped connection is tried once more; a site that keeps us waiting is not."""
        assert self._crawler.engine is not None
        meta = {"role": ROLE, "source": request.meta.get("source"), **_AS_IT_IS}
        for last in (False, True):
            try:
                return await self._crawler.engine.download_async(Request(url, callback=NO_CALLBACK, meta=dict(meta)))
            except (DownloadTimeoutError, Refusal):
                raise
            except Exception:
                if last:
                    raise
        raise AssertionError


def _site(url: str) -> str:
    """Scheme, host and port, which a robots.txt speaks for (section 2.3)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()
