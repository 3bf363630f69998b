"""Captures that a web archive serves as they were: their addresses (``…/web/20240517083000id_/https://…``).

The form is the Wayback Machine's: archive.org/help/wayback_api.php; ``id_`` asks for the page as it came.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

FORM = "%Y%m%d%H%M%S"
_ADDRESS = re.compile(r"(https?://[^/]+/web/)(\d{14})id_/(https?://.+)", re.DOTALL)
_LATER = (0, 30, 180, 365)
"""Days after the first capture at which another is looked for where one gave no article."""


def memento(service: str, timestamp: str, original: str) -> str:
    """Address of a capture."""
    return f"{service.rstrip('/')}/web/{timestamp}id_/{original}"


def original_of(url: str) -> str:
    """The address that a capture is of; any other address is its own."""
    match = _ADDRESS.fullmatch(url)
    return match[3] if match else url


def taken_at(url: str) -> datetime | None:
    """When a capture was taken; None for what is no address of one."""
    match = _ADDRESS.fullmatch(url)
    try:
        return datetime.strptime(match[2], FORM).replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def later(url: str, tries: int) -> str:
    """Where to ask after so many tries: the service leads to the capture that is nearest to the time in its address."""
    match, taken = _ADDRESS.fullmatch(url), taken_at(url)
    if match is None or taken is None:
        return url
    moment = taken + timedelta(days=_LATER[min(tries, len(_LATER) - 1)])
    return f"{match[1]}{moment.strftime(FORM)}id_/{match[3]}"
