"""Tells a dead man's switch (healthchecks.io and its kin) that a run has ended, and whether all was well."""

from __future__ import annotations

from http.client import HTTPException
from urllib.parse import urlsplit, urlunsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from crawler.settings import USER_AGENT

_SECONDS = 10


def ping(url: str, *, well: bool) -> str:
    """Ask for the address, or for it with ``/fail`` behind its path; what went wrong, empty if nothing did."""
    request = Request(url if well else fail_address(url), headers={"User-Agent": USER_AGENT})
    try:
        _opener().open(request, timeout=_SECONDS).close()
    except (OSError, HTTPException, ValueError) as error:
        return f"the ping to {urlsplit(url).netloc} failed: {error}"
    return ""


def fail_address(url: str) -> str:
    """Where a failure is reported."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))


def _opener() -> OpenerDirector:
    """http and https alone, whatever a redirect says: urllib's own would follow one to ftp."""
    opener = OpenerDirector()
    for kind in (ProxyHandler, HTTPHandler, HTTPSHandler, HTTPDefaultErrorHandler, HTTPRedirectHandler):
        opener.add_handler(kind())
    opener.add_handler(HTTPErrorProcessor())
    return opener
