"""Where Jekyll publishes a post: its permalink worked out without Jekyll."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from pathlib import PurePosixPath
from urllib.parse import quote

_SEGMENT = "-._~!$&'()*+,;=:@"
"""What Jekyll leaves in an address as it is (RFC 3986, pchar)."""
_BETWEEN = re.compile(r"(?:(?![._~!$&'()+,;=@])[\W])+")


def dated(moment: datetime, zone: tzinfo) -> datetime:
    """A post's date as Jekyll takes it, in the site's ``zone``. One without an offset is UTC's, for so Ruby's YAML
    reads it, and its day is that of the address."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone)


def post_url(path: str, categories: Sequence[str], day: date) -> str:
    """Address of a post below the site's base: ``/CATEGORY/YYYY/MM/DD/NAME.html``.

    ``path``: of its file, whose name without date is the address' name. ``day``: of its date in the site's zone.
    By Jekyll's rules (``url_drop.rb``): categories in lower case, each once; in the name hyphens for all but letters,
    digits and ``._~!$&'()+,;=@``, its case kept.
    """
    folders = dict.fromkeys(category.lower() for category in categories)
    name = re.sub(r"^-|-$", "", _BETWEEN.sub("-", PurePosixPath(path).stem[11:].rstrip(".")), flags=re.MULTILINE)
    dated = f"{day.year:04}/{day.month:02}/{day.day:02}"
    return "/" + "/".join(
        [*(quote(one, safe=_SEGMENT) for one in folders), dated, quote(f"{name}.html", safe=_SEGMENT)]
    )
