"""Where requests may lead: web addresses of the source's own site, and machines of the public internet."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy.core.downloader.contextfactory import _ScrapyClientContextFactory
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler, _ScrapyAgent
from scrapy.utils._download_handlers import normalize_bind_address, wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from tldextract import TLDExtract
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.python.failure import Failure
from twisted.web.client import Agent
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import directlyProvides, implementer, providedBy  # type: ignore[import-untyped]

from crawler.images import ROLE as IMAGE
from crawler.middlewares.refusals import Refusal, only_on_the_wire, source_of
from crawler.middlewares.robots import ROLE
from crawler.networks import Network, literal, network, refusal

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.sources import Source

_domains = TLDExtract(suffix_list_urls=(), include_psl_private_domains=True)  # the list that came with it: no network
_ANYWHERE = frozenset({ROLE, IMAGE})
"""Roles of requests that may lead off the source's site: images often lie on another's."""
_WEB_PORTS = frozenset({None, 80, 443})


class NotPublic(Refusal):
    """The name leads to a machine that no public page is at."""


def allowed_networks(source: Source) -> tuple[Network, ...]:
    """What a source's owner allows beyond the public internet: what ``private_addresses`` lists, and addresses that
    its lists and articles name outright."""
    named = [literal(urlsplit(f"//{host}").hostname or "") for host in source.hosts]
    local = [network(one) for one in ("127.0.0.1", "::1") if any(_is_localhost(host) for host in source.hosts)]
    listed = [network(one) for one in source.politeness.private_addresses]
    return (*listed, *local, *(network(str(one)) for one in named if one is not None))


def _is_localhost(netloc: str) -> bool:
    return (urlsplit(f"//{netloc}").hostname or "") == "localhost"


def is_own(source: Source, url: str) -> bool:
    """Whether an address is on a host that the source names, or below the same registered domain."""
    parts = urlsplit(url)
    if parts.netloc.lower() in source.hosts:
        return True
    domain = registered(parts.hostname or "")
    return parts.port in _WEB_PORTS and bool(domain) and domain in {registered(host) for host in source.hosts}


@lru_cache(4096)
def registered(host: str) -> str:
    """``daily.example`` of ``news.daily.example:443``; empty for addresses and names that are no registered domain."""
    return _domains(host).top_domain_under_public_suffix


class GuardMiddleware:
    """Refuses what is no web address or off the source's site, at every hop of a redirect."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._known: dict[tuple[Any, str, str], str] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GuardMiddleware:
        """As Scrapy makes it. Raises NotConfigured under replay."""
        only_on_the_wire(crawler)
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Raises Refusal."""
        scheme, _, rest = request.url.partition("://")
        asker = request.meta.get("source"), request.meta.get("role") in _ANYWHERE
        site = asker, scheme, rest.partition("/")[0].partition("?")[0]
        if site not in self._known:
            self._known[site] = self._objection(request)
        if reason := self._known[site]:
            raise Refusal(reason)

    def _objection(self, request: Request) -> str:
        if not request.url.lower().startswith(("http://", "https://")):
            return f"neither http nor https: {request.url[:80]}"
        source = source_of(self._crawler, request.meta.get("source"))
        if source and request.meta.get("role") not in _ANYWHERE and not is_own(source, request.url):
            led = "led off-site" if request.meta.get("redirect_times") else "off-site"
            return f"{led} to {urlsplit(request.url).netloc}"
        return ""


class GuardedHandler(HTTP11DownloadHandler):
    """Scrapy's handler of http and https, but each connection is vetted by the address of its socket's peer before a
    byte is sent: a name that changes its meaning between look-up and connection gains nothing.

    Behind the operator's own proxy (``http_proxy``) the peer is the proxy, and names are looked up there: then hosts
    that are addresses, in whatever spelling, and ``localhost`` are vetted alone.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._allowed: dict[str, tuple[Network, ...]] = {}
        self._unverified: Any = _ScrapyClientContextFactory(verify_certificates=False)

    async def download_request(self, request: Request) -> Response:
        """As Scrapy's; raises NotPublic where the peer is refused.

        The time-out is a deadline for the whole of it, from the look-up of the name to the body's last byte. Each hop
        of a redirect is a request of its own, with a deadline of its own.
        """
        name = request.meta.get("source", "")
        if name not in self._allowed:
            self._allowed[name] = tuple(one for source in self._sources(name) for one in allowed_networks(source))
        verified = all(source.politeness.verify_certificates for source in self._sources(name))
        agent = _VettingAgent(
            contextFactory=self._contextFactory if verified else self._unverified,
            bindAddress=self._bind_address,
            pool=self._pool,
            maxsize=self._default_maxsize,
            warnsize=self._default_warnsize,
            fail_on_dataloss=self._fail_on_dataloss,
            crawler=self._crawler,
        )
        agent.allowed = self._allowed[name]
        with wrap_twisted_exceptions():
            return await maybe_deferred_to_future(agent.download_request(request))

    def _sources(self, name: str) -> list[Source]:
        """The one that asks; all of a spider's where an address was typed by hand."""
        sources: dict[str, Source] = getattr(self._crawler.spider, "sources", {})
        return [sources[name]] if name in sources else [] if name else list(sources.values())


class _VettingAgent(_ScrapyAgent):
    allowed: tuple[Network, ...] = ()

    def _get_agent(self, request: Request, timeout: float) -> Agent:
        if request.meta.get("proxy"):
            vet_name(urlparse_cached(request).hostname or "", self.allowed)
            return super()._get_agent(request, timeout)
        bind = normalize_bind_address(request.meta.get("bindaddress") or self._bindAddress)
        endpoints = VettedEndpoints(self._contextFactory, timeout, bind, self.allowed)
        agent: _OwnConnections = _OwnConnections.usingEndpointFactory(endpoints.reactor, endpoints, self._pool)  # type: ignore[no-untyped-call]
        agent.whose = (self.allowed, id(self._contextFactory), bind)
        return agent


class _OwnConnections(Agent):
    """Reuses no connection that was opened under other rules."""

    whose: tuple[Any, ...] = ()

    def _requestWithEndpoint(self, key: tuple[Any, ...], *rest: Any, **more: Any) -> Any:
        return super()._requestWithEndpoint((*key, *self.whose), *rest, **more)


@implementer(IAgentEndpointFactory)
class VettedEndpoints:
    """Makes the connections of one request."""

    def __init__(self, policy: Any, timeout: float, bind: Any, allowed: Iterable[Network], reactor: Any = None) -> None:
        """``reactor``: Twisted's own where none is given."""
        if reactor is None:
            from twisted.internet import reactor
        self.reactor = VettingReactor(reactor, allowed)
        self._policy, self._timeout, self._bind = policy, timeout, bind

    def endpointForURI(self, uri: Any) -> Any:
        """As Twisted's Agent asks for it."""
        endpoint: Any = HostnameEndpoint(self.reactor, uri.host, uri.port, self._timeout, self._bind)
        if uri.scheme != b"https":
            return endpoint
        return wrapClientTLS(self._policy.creatorForNetloc(uri.host, uri.port), endpoint)


class VettingReactor:
    """The reactor, but it opens no connection to an address that is refused, and drops one whose peer is."""

    def __init__(self, reactor: Any, allowed: Iterable[Network]) -> None:
        self._reactor, self._allowed = reactor, tuple(allowed)
        directlyProvides(self, providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def connectTCP(self, host: str, port: int, factory: Any, *rest: Any, **more: Any) -> Any:
        """``host`` is what the resolver said. Raises NotPublic."""
        vet(host, self._allowed)
        build = factory.buildProtocol

        def vetted(told: Any) -> Any:
            """``told`` is the address that was asked for; where the socket leads, the kernel alone knows."""
            try:
                vet(connector.transport.getHandle().getpeername()[0], self._allowed)
            except (NotPublic, OSError):
                factory.clientConnectionFailed(connector, Failure())  # type: ignore[no-untyped-call]
                return None  # Twisted closes the connection then
            return build(told)

        factory.buildProtocol = vetted
        connector = self._reactor.connectTCP(host, port, factory, *rest, **more)
        return connector


def vet(address: str, allowed: Iterable[Network]) -> None:
    """Raises NotPublic."""
    if reason := refusal(address, allowed):
        raise NotPublic(f"no public address: {reason}")


def vet_name(host: str, allowed: Iterable[Network]) -> None:
    """What can be said of a host whose address is not known here. Raises NotPublic."""
    named = host.rstrip(".").lower()
    there = "127.0.0.1" if named == "localhost" or named.endswith(".localhost") else literal(host)  # RFC 6761
    if there is not None:
        vet(str(there), allowed)
