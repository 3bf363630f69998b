"""Save Page Now, the Wayback Machine's own way to be asked for a page: one at a time, in the pace that it allows.

By its public description ("Save Page Now 2 Public API Docs", Internet Archive): with keys a POST to ``/save`` gives a
job, whose outcome ``/save/status/JOB`` tells; a user may ask for 7 pages a minute and 30,000 a day, others for 3 and
200. Without keys the page ``/save/URL`` is asked for, as by a browser, which leads to the capture.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from time import monotonic
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from crawler.networks import literal
from crawler.settings import USER_AGENT, agent_of

SERVICE = "https://web.archive.org"
PACE, PACE_WITHOUT_KEYS = 10.0, 20.0
"""Seconds between two pages."""
_LOOK = 5.0
"""Seconds between two questions for a job's outcome."""
_LOOKS = 36
"""How often it is asked: a capture takes two minutes at most."""
_TIMEOUT, _LONGEST, _MOST = 60.0, 180.0, 1024 * 1024
"""Seconds of silence and of a whole answer, and bytes of one, at most."""
_REST = 60.0
"""Seconds to wait where the service is busy and does not say how long."""
_LONGEST_REST = 600.0
_RESTS = 3

_TRANSIENT = re.compile(
    "bad-gateway|bandwidth-limit-exceeded|browsing-timeout|cannot-fetch|capture-location-error|celery|gateway-timeout|"
    "internal-server-error|job-failed|no-browsers-available|no-captures|protocol-error|proxy-error|read-timeout|"
    "service-unavailable|soft-time-limit-exceeded|too-many-requests|user-session-limit"
)
"""Outcomes that another time may be others."""
_DAILY = ("max-daily-bandwidth", "max-daily-captures")
_SAVED = re.compile(r"/web/([0-9]{14})(?:[a-z_]{0,4})/")
_ALREADY = re.compile(r"same snapshot|already (?:been )?captured", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one page."""

    kind: Literal["saved", "later", "never", "stop", "refused", "away"]
    """``later``: another time it may be saved. ``never``: the service will not have it. Nothing more is to be asked
    where it says ``stop`` (for today, or it stays busy), ``refused`` (the keys) or is ``away``."""
    what: str = ""
    """When it was captured, as the Wayback Machine writes it, or what the service says."""


Answer = tuple[int, Mapping[str, str], bytes]
"""Status (0 where none came, then the body says why), header fields in small letters, body."""


def is_public(url: str) -> bool:
    """Whether it is an address of the web that others can ask for: no address of a machine, no name of a local one, no
    user's name in it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    named = (
        "." in host.strip(".") and literal(host) is None and not host.endswith((".local", ".localhost", ".internal"))
    )
    return (
        parts.scheme in ("http", "https") and named and "@" not in parts.netloc and not re.search(r"[\s\x00-\x1f]", url)
    )


class Web:
    """Asks, and follows nothing: where a saved page leads is not fetched."""

    def __init__(self, contact: str = "") -> None:
        self._agent = agent_of(contact) if contact else USER_AGENT
        self._opener = OpenerDirector()
        for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler()):
            self._opener.add_handler(handler)

    def ask(self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None) -> Answer:
        """GET, or POST of a form. Raises nothing of the network."""
        data = urlencode(form).encode() if form is not None else None
        request = Request(url, data, {"User-Agent": self._agent, **headers})
        deadline, body = monotonic() + _LONGEST, b""
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                while len(body) < _MOST and (piece := answer.read1(1 << 16)):
                    body += piece
                    if monotonic() > deadline:
                        return 0, {}, b"its answer comes too slowly"
                return answer.status, {name.lower(): value for name, value in answer.headers.items()}, body
        except (OSError, HTTPException) as error:
            return 0, {}, str(getattr(error, "reason", error) or type(error).__name__).encode()


class SavePageNow:
    """The service."""

    def __init__(
        self,
        ask: Callable[..., Answer],
        sleep: Callable[[float], None],
        *,
        service: str = SERVICE,
        keys: tuple[str, str] | None = None,
        pace: float = 0.0,
    ) -> None:
        """``ask`` as ``Web.ask``; ``keys``: access key and secret; ``pace``: seconds between two pages, the service's
        own by default."""
        self._ask, self._sleep, self._service, self._keys = ask, sleep, service.rstrip("/"), keys
        self._pace = pace or (PACE if keys else PACE_WITHOUT_KEYS)
        self._last = float("-inf")

    def save(self, url: str) -> Outcome:
        """Ask for a page, and wait for what becomes of it."""
        for rest in range(_RESTS + 1):
            self._sleep(max(0.0, self._last + self._pace - monotonic()))
            self._last = monotonic()
            status, headers, body = self._begin(url)
            told = _told(body)
            if status != 429 and _error(told) != "user-session-limit":
                return self._outcome(url, status, headers, told, body)
            said = headers.get("retry-after", "")
            seconds = float(said[:6]) if said.isascii() and said.isdigit() else _REST
            if seconds > _LONGEST_REST or rest == _RESTS:
                break
            self._sleep(seconds)
        return Outcome("stop", f"it is busy (HTTP {status}{f', Retry-After {said}' if said else ''})")

    def _begin(self, url: str) -> Answer:
        if self._keys is None:
            return self._ask(f"{self._service}/save/{quote(url, safe=_WHOLE)}", {})
        return self._ask(f"{self._service}/save", self._headers, {"url": url, "skip_first_archive": "1"})

    @property
    def _headers(self) -> dict[str, str]:
        secret = f"LOW {':'.join(self._keys)}" if self._keys else ""
        return {"Accept": "application/json", **({"Authorization": secret} if secret else {})}

    def _outcome(
        self, url: str, status: int, headers: Mapping[str, str], told: Mapping[str, Any], body: bytes
    ) -> Outcome:
        if status == 0:
            return Outcome("away", body.decode("utf-8", "replace"))
        if status >= 500:
            return Outcome("away", f"HTTP {status}")
        if self._keys and status in (401, 403):
            return Outcome("refused", f"HTTP {status}")
        if told.get("status") == "error":
            return _failed(told)
        if self._keys and re.fullmatch(r"[\w-]{1,80}", str(told.get("job_id") or "")):
            return self._wait(str(told["job_id"]))
        if _ALREADY.search(str(told.get("message", ""))):
            return Outcome("saved", str(told["message"]))
        if not self._keys and (place := _SAVED.search(headers.get("content-location") or headers.get("location", ""))):
            return Outcome("saved", place[1])
        return Outcome("never" if 400 <= status < 500 else "later", f"HTTP {status} {told.get('message', '')}".strip())

    def _wait(self, job: str) -> Outcome:
        for _ in range(_LOOKS):
            self._sleep(_LOOK)
            _, _, body = self._ask(f"{self._service}/save/status/{job}", self._headers)
            told = _told(body)
            if told.get("status") == "success":
                return Outcome("saved", str(told.get("timestamp", "")))
            if told.get("status") == "error":
                return _failed(told)
        return Outcome("later", "no outcome was told")


_WHOLE = ":/?&=%+,;@!$'()*~"
"""Marks of an address that stay as they are behind ``/save/``; ``#`` would end it."""


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _error(told: Mapping[str, Any]) -> str:
    return str(told.get("status_ext") or "").removeprefix("error:") if told.get("status") == "error" else ""


def _failed(told: Mapping[str, Any]) -> Outcome:
    code = _error(told)
    what = " ".join(f"{code}: {told.get('message') or ''}".split())
    if code == "too-many-daily-captures":
        return Outcome("saved", what)
    if code.startswith(_DAILY):
        return Outcome("later" if code.endswith("-host") else "stop", what)
    return Outcome("later" if _TRANSIENT.fullmatch(code) else "never", what)
