"""Where requests may lead: the source's own site, and no machine of the inner network, whatever its name says."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.web.client import URI, BrowserLikePolicyForHTTPS

from crawler.middlewares.guard import NotPublic, VettedEndpoints, _VettingAgent, allowed_networks, is_own
from crawler.networks import network, refusal
from crawler.sources import Source
from tests.middlewares.tls import secure_server
from tests.server import Page, Server
from tests.story import Archive, html_source, list_page, publish, stories


class Resolver:
    """Says what it is told to say, one answer after the other."""

    def __init__(self, *answers: str) -> None:
        self._answers = iter(answers)

    def resolveHostName(self, receiver: Any, name: str, portNumber: int = 0, *_: Any, **__: Any) -> None:
        """As Twisted asks."""
        receiver.resolutionBegan(None)
        receiver.addressResolved(IPv4Address("TCP", next(self._answers), portNumber))
        receiver.resolutionComplete()


class Peers(MemoryReactorClock):
    """A reactor whose connections end at another machine than the one that was asked for: the socket alone says so."""

    def __init__(self, peer: str, *answers: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peer = peer
        self.nameResolver: Any = Resolver(*answers)
        self.sent: list[Any] = []

    def finish(self) -> None:
        """Let the last connection come about, and what is built upon it talk."""
        asked: Any = IPv4Address("TCP", self.tcpClients[-1][0], 80)
        factory = self.tcpClients[-1][2]
        transport: Any = StringTransport()  # type: ignore[no-untyped-call]
        self.connectors[-1].transport = SimpleNamespace(
            getHandle=lambda: SimpleNamespace(getpeername=lambda: (self.peer, 80))
        )
        if (protocol := factory.buildProtocol(asked)) is not None:
            protocol.makeConnection(transport)
        self.sent.append(transport.value())


def connecting(reactor: Peers, *allowed: str, scheme: str = "http") -> list[Any]:
    policy = BrowserLikePolicyForHTTPS()  # type: ignore[no-untyped-call]
    endpoints = VettedEndpoints(policy, 30, None, [network(one) for one in allowed], reactor)
    outcome: list[Any] = []
    uri = URI.fromBytes(f"{scheme}://daily.example/".encode())  # type: ignore[no-untyped-call]
    endpoint = endpoints.endpointForURI(uri)
    endpoint.connect(Factory.forProtocol(Talker)).addBoth(outcome.append)
    return outcome


class Talker(Protocol):
    """Sends its request as soon as it can."""

    def connectionMade(self) -> None:
        """As HTTP does."""
        there: Any = self.transport
        there.write(b"GET / HTTP/1.1")


def test_a_name_that_leads_inside_is_not_even_connected_to() -> None:
    reactor = Peers("10.0.0.5", "10.0.0.5")
    outcome = connecting(reactor)
    reactor.advance(1)  # Twisted waits a little for a better address
    (failure,) = outcome
    assert isinstance(failure.value, NotPublic)
    assert "10.0.0.5 is private" in str(failure.value)
    assert reactor.tcpClients == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_that_changes_its_meaning_between_check_and_connection(scheme: str) -> None:
    """The resolver named a public machine when it was asked; the socket's peer is another."""
    reactor = Peers("127.0.0.1", "93.184.216.34")
    outcome = connecting(reactor, scheme=scheme)
    assert outcome == []
    reactor.finish()
    reactor.advance(1)
    assert reactor.sent == [b""], "not a byte, not even of TLS"
    assert isinstance(outcome[0].value, NotPublic)
    assert "127.0.0.1 is loopback" in str(outcome[0].value)


def test_each_hop_is_looked_up_and_vetted_anew() -> None:
    """The first answer of the resolver is good for the first connection alone."""
    reactor = Peers("93.184.216.34", "93.184.216.34", "127.0.0.1")
    connecting(reactor)
    reactor.finish()
    assert reactor.sent == [b"GET / HTTP/1.1"]
    outcome = connecting(reactor)
    reactor.advance(1)
    assert len(reactor.tcpClients) == 1
    assert isinstance(outcome[0].value, NotPublic)


@pytest.mark.parametrize(("scheme", "begin"), [("http", b"GET"), ("https", b"\x16\x03")])
def test_what_a_source_allows_is_connected_to(scheme: str, begin: bytes) -> None:
    reactor = Peers("10.0.0.5", "10.0.0.5")
    connecting(reactor, "10.0.0.0/8", scheme=scheme)
    reactor.finish()
    assert reactor.sent[0].startswith(begin)


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        ("daily.example", False),
        ("93.184.216.34", False),
        ("10.0.0.5", True),
        ("2130706433", True),
        ("0x7f.1", True),
        ("[::ffff:169.254.169.254]", True),
        ("localhost", True),
        ("Any.LocalHost.", True),
        ("192.168.7.7", False),
    ],
)
def test_behind_a_proxy_what_can_be_seen_is_vetted(host: str, refused: bool) -> None:
    """The peer is the operator's proxy: it may be anywhere, what is asked of it may not."""
    agent = _VettingAgent(contextFactory=BrowserLikePolicyForHTTPS(), crawler=None)  # type: ignore[arg-type, no-untyped-call]
    agent.allowed = (network("192.168.7.0/24"),)
    request = Request(f"http://{host}/", meta={"proxy": "http://10.9.9.9:3128"})
    if refused:
        with pytest.raises(NotPublic):
            agent._get_agent(request, 30)
    else:
        assert agent._get_agent(request, 30) is not None


def source(**changes: Any) -> Source:
    told = {
        "id": "daily",
        "name": "The Daily",
        "home": "https://www.daily.co.uk/",
        "language": "en",
        "timezone": "Europe/London",
        "example": "https://www.daily.co.uk/a/1.html",
        "lists": [{"kind": "html", "urls": "https://news.daily.co.uk:8443/list", "links": "/a/"}],
        "layouts": [{"title": "h1", "body": "article", "published": "time"}],
    }
    return Source.model_validate({**told, **changes})


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("https://www.daily.co.uk/a/2.html", True),
        ("http://m.daily.co.uk/a/2.html", True),
        ("https://daily.co.uk:443/", True),
        ("https://news.daily.co.uk:8443/a", True),
        ("https://www.daily.co.uk:8443/a", False),
        ("https://www.daily.co.uk:22/", False),
        ("https://other.co.uk/", False),
        ("https://daily.co.uk.evil.example/", False),
        ("https://www.daily.co.uk@evil.example/", False),
        ("http://127.0.0.1/", False),
        ("http://2130706433/", False),
    ],
)
def test_own_site(address: str, own: bool) -> None:
    assert is_own(source(), address) == own


def test_allowed_networks() -> None:
    assert allowed_networks(source()) == ()
    named = source(home="http://10.1.1.1:8000/", politeness={"private_addresses": ["192.168.0.0/16"]})
    assert allowed_networks(named) == (network("192.168.0.0/16"), network("10.1.1.1"))
    assert network("127.0.0.1") in allowed_networks(source(home="http://localhost/"))
    with pytest.raises(ValueError, match="private_addresses"):
        source(politeness={"private_addresses": ["intranet"]})


def test_redirects_off_the_site_are_not_followed(server: Server, tmp_path: Path) -> None:
    publish(server, stories(4))
    server.pages |= {one.path: one.page() for one in stories(1, "moved", 2)}
    gone = server.address("/a/100001.html", "localhost")
    server.pages["/a/100001.html"] = Page(status=302, headers={"Location": gone})
    server.pages["/a/100002.html"] = Page(status=301, headers={"Location": "/moved/100002.html"})
    server.pages["/a/100003.html"] = Page(status=302, headers={"Location": "http://127.0.0.66:1/latest/meta-data/"})
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    assert archive.states() == {"100001": "refused", "100002": "done", "100003": "refused", "100004": "done"}
    assert "localhost" not in {one.host for one in server.asked}
    reasons = archive.problems("harbour")
    assert f"led off-site to {gone.split('/')[2]}" in reasons.values()


def test_listed_links_and_next_pages_off_the_site(server: Server, tmp_path: Path) -> None:
    publish(server, shown := stories(2))
    page = list_page(shown, server.address("/list", "localhost"))
    link = server.address("/a/100009.html", "localhost")
    body = str(page.body).replace("</ul>", f'<li><a href="{link}">elsewhere</a></li></ul>')
    server.pages["/list"] = Page(body)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl()
    assert {one.host for one in server.asked} == {"127.0.0.1"}
    assert archive.states() == {"100001": "done", "100002": "done", "100009": "refused"}
    assert any("off-site: the next page" in reason for reason in archive.problems("harbour").values())


def test_a_name_for_this_machine_is_refused_by_its_peer(server: Server, tmp_path: Path) -> None:
    """Its own host name says nothing; where it leads does."""
    name = socket.gethostname()
    try:
        there = {str(one[4][0]) for one in socket.getaddrinfo(name, 80)}
    except OSError:
        pytest.skip("this machine's name cannot be looked up")
    if not all(map(refusal, there)):
        pytest.skip("this machine is public")
    polite = {"delay": 0.5}
    source = html_source(server, home="http://public.example/", example="http://public.example/a", politeness=polite)
    source["lists"][0]["urls"] = f"http://{name}:9/list"
    archive = Archive.new(tmp_path / "archive", source)
    done = archive.crawl(code=3)
    (reason,) = archive.problems("harbour").values()
    assert "no public address" in reason
    told = [line for line in done.stderr.splitlines() if "names no contact" in line]
    assert len(told) == 1, "once a run"
    assert told[0].endswith(f"Next: echo 'contact: you@your.domain' >> {archive.folder / 'presskeep.yml'}")
    subprocess.run(told[0].partition("Next: ")[2], shell=True, check=True)
    archive.add({**source, "politeness": {**polite, "private_addresses": ["0.0.0.0/0", "::/0"]}})
    assert "contact" not in archive.crawl(code=3).stderr
    (reason,) = archive.problems("harbour").values()
    assert "no public address" not in reason
    assert "refused" in reason


def test_certificates_are_verified_but_for_a_source_that_says_otherwise(tmp_path: Path) -> None:
    """Two sources on one host in one run: what the one opted out of does not hold for the other."""
    with secure_server(tmp_path) as server:
        publish(server, stories(2))
        trusting = html_source(server, politeness={"delay": 0.01, "verify_certificates": False})
        archive = Archive.new(tmp_path / "archive", html_source(server, "careful"), trusting)
        archive.crawl(code=3)
        assert archive.rows("select distinct source, state from articles") == [("harbour", "done")]
        (reason,) = archive.problems("careful").values()
        assert "certificate verify failed" in reason


def test_a_cookie_gate(server: Server, tmp_path: Path) -> None:
    """Everybody without a cookie is sent back to where they came from, with one."""

    class Gate(dict[str, Page]):
        def get(self, path: str, default: Any = None) -> Any:
            cookie = server.asked[-1].headers.get("cookie", "")
            if path == "/robots.txt" or "pass=1" in cookie:
                return super().get(path)
            return Page(status=302, headers={"Location": path, "Set-Cookie": "pass=1; Path=/"})

    publish(server, stories(3))
    server.pages = Gate(server.pages)
    archive = Archive.new(tmp_path / "archive", html_source(server))
    archive.crawl(code=3)
    assert archive.states() == {}
    archive.add(html_source(server, politeness={"delay": 0.01, "cookies": True}))
    server.forget()
    archive.crawl()
    assert set(archive.states().values()) == {"done"}
    assert sum("cookie" not in one.headers for one in server.asked) == 2, "robots.txt and the first list"


@pytest.mark.parametrize("heed", [False, True])
def test_opt_outs(server: Server, tmp_path: Path, heed: bool) -> None:
    publish(server, shown := stories(4))
    server.pages[shown[0].path].headers = {"X-Robots-Tag": "other: noindex, presskeep: NoArchive"}
    head = '<head><META content="max-snippet:20, noarchive" name="Robots"><meta name=tdm-reservation content=1>'
    page = server.pages[shown[1].path]
    page.body, page.gzip = str(page.body).replace("<head>", head), True
    server.pages[shown[2].path].headers = {"X-Robots-Tag": "other: noarchive", "TDM-Reservation": "0"}
    archive = Archive.new(tmp_path / "archive", html_source(server, politeness={"delay": 0.01, "heed_opt_outs": heed}))
    archive.crawl()
    expected = "refused" if heed else "done"
    assert [archive.states()[one.key] for one in shown] == [expected, expected, "done", "done"]
    captured = archive.captured()
    assert (server.address(shown[1].path) in captured) != heed
    if heed:
        assert archive.problems("harbour")[server.address(shown[1].path)] == "opted out: noarchive, tdm-reservation"
    else:
        notes = dict(archive.rows("select key, notes from articles"))
        assert '"noarchive"' in notes[shown[0].key]
        assert '"noarchive, tdm-reservation"' in notes[shown[1].key]
        assert notes[shown[2].key] == notes[shown[3].key] == ""
