"""A small news site on loopback for tests: pages from a dict, validators, gzip, faults, and a note of every request."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

ABSENT = "presskeep-absent-"


@dataclass
class Page:
    """What an address answers."""

    body: str | bytes = b""
    kind: str = "text/html; charset=utf-8"
    """Content-Type."""
    status: int = 200
    validators: bool = True
    """Send an ETag of the body, and answer 304 where a request names it."""
    modified: str = ""
    """Last-Modified; a request that names it gets 304."""
    gzip: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    """Seconds before the answer."""
    fault: Literal["", "hang", "drop", "cut", "drip"] = ""
    """``hang``: no answer; ``drop``: the connection is closed; ``cut``: closed amid the body; ``drip``: a byte now and
    then, for ever."""

    @property
    def data(self) -> bytes:
        """The body as bytes."""
        return self.body if isinstance(self.body, bytes) else self.body.encode()

    @property
    def etag(self) -> str:
        """Of the body; empty where none is sent."""
        return f'"{hashlib.sha256(self.data).hexdigest()[:16]}"' if self.validators else ""


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    host: str
    path: str
    """With its query."""
    headers: Mapping[str, str]
    """Names in small letters."""
    at: float
    """Monotonic seconds."""
    together: int
    """Requests in flight, this one among them."""


class Server:
    """Answers on a port of 127.0.0.1 that the system picks; ``localhost`` is another host for a crawler."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        """Path with query -> answer; what is not there is 404."""
        self.asked: list[Asked] = []
        self._together = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.site = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering; connections that hang are let go."""
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def address(self, path: str = "", host: str = "127.0.0.1") -> str:
        """Absolute address of a path."""
        return f"http://{host}:{self._http.server_port}{path}"

    def forget(self) -> None:
        """Begin a new list of requests."""
        self.asked = []

    def paths(self, begin: str = "/") -> list[str]:
        """Paths asked for, in their order; robots.txt and the address that leads nowhere left out."""
        told = [one.path for one in self.asked if one.path != "/robots.txt" and ABSENT not in one.path]
        return [path for path in told if path.startswith(begin)]

    @contextmanager
    def _noting(self, handler: BaseHTTPRequestHandler) -> Iterator[Page]:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            self._together += 1
            host = headers.get("host", "").partition(":")[0]
            self.asked.append(Asked(host, handler.path, headers, time.monotonic(), self._together))
        try:
            yield self.pages.get(handler.path) or Page("no such page", status=404)
        finally:
            with self._lock:
                self._together -= 1

    def _pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    site: Server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no fault of the test's server."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def do_GET(self) -> None:
        """Answer as the page says."""
        with self.server.site._noting(self) as page:
            self.server.site._pause(page.wait)
            if page.fault in ("hang", "drop"):
                self.server.site._pause(3600 if page.fault == "hang" else 0)
                self.close_connection = True
            elif self._known(page):
                self._head(page, 304, {})
            else:
                self._whole(page)

    def _known(self, page: Page) -> bool:
        """If-None-Match beats If-Modified-Since (RFC 9110, section 13.1.3)."""
        if page.status != 200:
            return False
        if asked := self.headers.get("If-None-Match"):
            return asked == page.etag
        return bool(page.modified) and self.headers.get("If-Modified-Since") == page.modified

    def _whole(self, page: Page) -> None:
        body = gzip.compress(page.data, mtime=0) if page.gzip else page.data
        extra = {"Content-Encoding": "gzip"} if page.gzip else {}
        self._head(page, page.status, {"Content-Type": page.kind, "Content-Length": str(len(body)), **extra})
        if page.fault == "cut":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif page.fault == "drip":
            self._drip(body)
        else:
            self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.server.site._pause(0.2)
            if self.server.site._stopping.is_set():
                break
        self.close_connection = True

    def _head(self, page: Page, status: int, fields: dict[str, str]) -> None:
        self.send_response(status)
        validators = {"ETag": page.etag, "Last-Modified": page.modified} if page.status == 200 else {}
        for name, value in {**fields, **validators, **page.headers}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read ``asked`` instead."""
