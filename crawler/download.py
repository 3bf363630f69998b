"""Large files as streams: from the disk, or from the web, politely and never as a whole in memory or on disk."""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from protego import Protego

from crawler.networks import Network, literal, network, refusal
from crawler.settings import ROBOTSTXT_USER_AGENT, USER_AGENT, agent_of

_TIMEOUT = 30.0
_WAITS = (1.0, 5.0, 30.0, 120.0)
"""Seconds before each further try where a connection broke or the host is busy."""
_LONGEST_WAIT = 600.0
_BUSY = frozenset({429, 500, 502, 503, 504})
_PACE = 1.0
"""Seconds between two files of the web."""
_ROBOTS = 512 * 1024


class Opened(Protocol):
    """A file that is read from some place on."""

    identity: str
    """By which it is known to be the same file later."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end. Raises OSError."""

    def seek(self, offset: int, /) -> Any:
        """Go on from there. Raises OSError."""

    def close(self) -> None:
        """Let go of it."""


class LocalFile:
    """A file on disk."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        told = os.fstat(self._file.fileno())
        self.identity = f"{told.st_size} {told.st_mtime_ns}"
        self.read, self.seek, self.close = self._file.read, self._file.seek, self._file.close


@dataclass(slots=True)
class Download:
    """Files of the web, one after the other."""

    contact: str = ""
    """Named in the User-Agent."""
    sleep: Callable[[float], None] = time.sleep
    _rules: dict[str, Protego | None] = field(default_factory=dict)
    _last: float = float("-inf")

    def open(self, url: str) -> WebFile:
        """Raises OSError where robots.txt, a guard or the host itself refuses."""
        self.sleep(max(0.0, self._last + _PACE - time.monotonic()))
        self._last = time.monotonic()
        opener = _opener(url)
        self._heed_robots(url, opener)
        return WebFile(url, self._headers(), opener, self.sleep)

    def _headers(self) -> dict[str, str]:
        agent = agent_of(self.contact) if self.contact else USER_AGENT
        return {"User-Agent": agent, "Accept-Encoding": "identity"}

    def _heed_robots(self, url: str, opener: urllib.request.OpenerDirector) -> None:
        """RFC 9309: a robots.txt that is not there allows all, one that cannot be had forbids all."""
        host = urljoin(url, "/robots.txt")
        if host not in self._rules:
            self._rules[host] = self._robots(host, opener)
        rules = self._rules[host]
        if rules is not None and not rules.can_fetch(url, ROBOTSTXT_USER_AGENT):
            raise OSError(f"{url}: robots.txt forbids it")

    def _robots(self, host: str, opener: urllib.request.OpenerDirector) -> Protego | None:
        try:
            with opener.open(urllib.request.Request(host, headers=self._headers()), timeout=_TIMEOUT) as answer:
                return Protego.parse(answer.read(_ROBOTS).decode("utf-8", "replace"))
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                return None
            raise OSError(f"{host}: HTTP {error.code}, so that nothing else is asked there") from error


class WebFile:
    """One file of the web. Where the connection breaks it is asked for the rest."""

    def __init__(
        self, url: str, headers: dict[str, str], opener: urllib.request.OpenerDirector, sleep: Callable[[float], None]
    ) -> None:
        self._url, self._headers, self._opener, self._sleep = url, headers, opener, sleep
        self._at = 0
        self._broken = 0
        self._answer = self._ask()
        told = self._answer.headers
        self._strong = told.get("ETag") or told.get("Last-Modified") or ""
        self._size = int(told.get("Content-Length") or -1)
        self.identity = f"{self._size} {self._strong}"

    def read(self, size: int, /) -> bytes:
        """As ``Opened`` has it."""
        while True:
            try:
                data: bytes = self._answer.read(size)
                if not data and size and self._at < self._size:
                    raise ConnectionError("the connection ended early")
            except (OSError, http.client.HTTPException) as error:
                self._wait(str(error) or type(error).__name__, "")
                self.seek(self._at)
                continue
            self._at += len(data)
            self._broken = self._broken if not data else 0
            return data

    def seek(self, offset: int, /) -> None:
        """As ``Opened`` has it; a host that knows no ranges sends what came before once more."""
        if offset == self._at and not self._broken:
            return
        self._answer.close()
        self._at = offset
        self._answer = self._ask(f"bytes={offset}-")
        if self._answer.status == 206:
            return
        skipped = 0
        while skipped < offset and (data := self._answer.read(min(1 << 16, offset - skipped))):
            skipped += len(data)
        if (self._answer.headers.get("ETag") or self._answer.headers.get("Last-Modified") or "") != self._strong:
            raise OSError(f"{self._url}: changed while it was read. Next: the same command again")

    def close(self) -> None:
        """As ``Opened`` has it."""
        self._answer.close()

    def _ask(self, part: str = "") -> Any:
        headers = {**self._headers, **({"Range": part, "If-Range": self._strong} if part and self._strong else {})}
        headers |= {"Range": part} if part else {}
        while True:
            try:
                return self._opener.open(urllib.request.Request(self._url, headers=headers), timeout=_TIMEOUT)
            except urllib.error.HTTPError as error:
                if error.code not in _BUSY:
                    raise OSError(f"{self._url}: HTTP {error.code}") from error
                self._wait(f"HTTP {error.code}", error.headers.get("Retry-After") or "")
            except urllib.error.URLError as error:
                if isinstance(error.reason, _NotPublic):
                    raise error.reason from error
                self._wait(str(error.reason), "")
            except (OSError, http.client.HTTPException) as error:
                self._wait(str(error), "")

    def _wait(self, why: str, said: str) -> None:
        """Raises OSError where it was waited often enough, or is asked to wait too long."""
        if self._broken >= len(_WAITS):
            raise OSError(f"{self._url}: {why}, after {self._broken} tries more")
        wait = max(_WAITS[self._broken], _seconds(said))
        if wait > _LONGEST_WAIT:
            raise OSError(f"{self._url}: {why}, to be asked again in {wait:.0f} s")
        self._broken += 1
        self._sleep(wait)


def _seconds(said: str) -> float:
    """Of a Retry-After: seconds, or a date."""
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        return parsedate_to_datetime(said).timestamp() - time.time()
    except ValueError:
        return 0.0


class _NotPublic(OSError):
    """The name leads to a machine that no public file is at."""


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Connections are vetted by their peer's address before anything is asked, at every hop of a redirect; a machine
    that the operator named outright by its address is allowed. Behind the operator's own proxy the peer is that."""
    host = urlsplit(url).hostname or ""
    named = literal(host)
    allowed = [network(str(named))] if named else []
    allowed += [network(one) for one in ("127.0.0.1", "::1")] if host == "localhost" else []
    vetted = not urllib.request.getproxies()

    class Plain(_Vetted, http.client.HTTPConnection):
        networks, vets = allowed, vetted

    class Secure(_Vetted, http.client.HTTPSConnection):
        networks, vets = allowed, vetted

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(Plain, req)

    class SecureHandler(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(Secure, req)

    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), PlainHandler(), SecureHandler(), urllib.request.HTTPErrorProcessor(),
                    urllib.request.HTTPRedirectHandler(), urllib.request.HTTPDefaultErrorHandler()):  # fmt: skip
        opener.add_handler(handler)
    return opener


class _Vetted:
    """A connection that refuses machines which are not on the public internet."""

    networks: list[Network]
    vets: bool
    sock: Any

    def connect(self) -> None:
        """Raises _NotPublic."""
        super().connect()  # type: ignore[misc]
        if self.vets and (why := refusal(self.sock.getpeername()[0], self.networks)):
            self.sock.close()
            raise _NotPublic(why)
