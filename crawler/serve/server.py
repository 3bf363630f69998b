"""The server: on loopback alone, for GET and HEAD alone, with headers that let no page run, frame or fetch anything.

A page of a local server is within reach of every site that the same browser visits. Thus the Host header must be a
loopback name (a foreign name that resolves to 127.0.0.1 is DNS rebinding), and answers may not be framed, embedded or
read from elsewhere.
"""

from __future__ import annotations

import errno
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from crawler.serve.answer import PLAIN, Answer

Application = Callable[[str, str], Answer]
"""From path (as it was sent, with its percent signs) and query to an answer."""

BOTH = "localhost"
"""Name for 127.0.0.1 and ::1 together."""
_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_IDLE = 30
"""Seconds after which a connection that asks nothing is closed."""


def policy(images: bool) -> str:
    """The Content-Security-Policy of every answer; ``images``: whether those of other hosts may be loaded."""
    sources = "'self' http: https:" if images else "'self'"
    return (
        f"default-src 'none'; style-src 'self'; img-src {sources}; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def headers(images: bool) -> dict[str, str]:
    """What every answer says."""
    return {
        "Content-Security-Policy": policy(images),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "DENY",
    }


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "presskeep"
    sys_version = ""
    timeout = _IDLE

    def __init__(self, *args: Any, application: Application, always: dict[str, str]) -> None:
        self._application = application
        self._always = always
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer a request."""
        self._send(self._answer())

    do_HEAD = do_GET

    def __getattr__(self, name: str) -> Any:
        """The base class asks for ``do_`` and the method: all others are refused here, with a body that may be long."""
        if name.startswith("do_"):
            return self._refuse_method
        raise AttributeError(name)

    def _refuse_method(self) -> None:
        self.close_connection = True
        self._send(_plain(HTTPStatus.METHOD_NOT_ALLOWED), {"Allow": "GET, HEAD"})

    def _answer(self) -> Answer:
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # a body is not read
        if not is_ours(self.headers.get_all("Host", [])):
            return _plain(HTTPStatus.FORBIDDEN)
        path, _, query = self.path.partition("?")
        if not path.startswith("/"):
            return _plain(HTTPStatus.BAD_REQUEST)
        try:
            return self._application(path, query)
        except Exception:
            self.log_error("%r\n%s", self.path, traceback.format_exc())
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _send(self, answer: Answer, further: dict[str, str] | None = None) -> None:
        known = answer.is_known({name.lower(): value for name, value in self.headers.items()})
        self.send_response(HTTPStatus.NOT_MODIFIED if known else answer.status)
        told = {**self._always, **answer.headers(), **(further or {})}
        if not known:
            told["Content-Length"] = str(len(answer.body))
        if self.close_connection:
            told["Connection"] = "close"
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and not known:
            self.wfile.write(answer.body)

    def log_request(self, *_: object) -> None:
        """Nothing: what somebody reads is theirs."""

    def log_error(self, format: str, *args: Any) -> None:
        """Faults, for whoever started the server; what a browser sends wrong is none."""
        if "Traceback" in str(args):
            print(f"presskeep: {format % args}", file=sys.stderr, flush=True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: Callable[..., Handler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no fault."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Servers:
    """Listening on one or two loopback addresses until closed."""

    def __init__(self, host: str, port: int, application: Application, *, images: bool = False) -> None:
        """Raises OSError where the port is taken, ValueError where the host is not loopback."""
        make = partial(Handler, application=application, always=headers(images))
        self.host = host
        first, *others = addresses(host)
        self._servers = [_Server((first, port), make)]
        self.port: int = self._servers[0].server_address[1]
        for address in others:
            try:
                self._servers.append(_Server((address, self.port), make))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:  # somebody else's pages under our name
                    self._servers[0].server_close()
                    raise
                continue  # a machine without IPv6
        self._threads = [Thread(target=one.serve_forever, args=(0.1,), daemon=True) for one in self._servers]

    @property
    def address(self) -> str:
        """To be typed into a browser."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def start(self) -> None:
        """Answer from now on."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Answer no more."""
        for server in self._servers:
            server.shutdown()
            server.server_close()


def addresses(host: str) -> list[str]:
    """Addresses to listen on. Raises ValueError for what is not loopback."""
    if host == BOTH:
        return ["127.0.0.1", "::1"]
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(f"{host} is no loopback address: the reader is for this machine alone. Next: --host {BOTH}")
    return [host]


def is_ours(hosts: Sequence[str]) -> bool:
    """Whether the Host headers of a request name this machine itself; any port will do, for there are tunnels."""
    if len(hosts) != 1:
        return False
    try:
        name = urlsplit(f"//{hosts[0]}").hostname or ""
    except ValueError:
        return False
    return name in _NAMES or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _plain(status: HTTPStatus) -> Answer:
    return Answer(f"{status} {status.phrase}\n".encode(), PLAIN, status)
