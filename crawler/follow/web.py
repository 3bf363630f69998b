"""A published log on the web: one file after the other, as politely as any download, and never more than was told."""

from __future__ import annotations

from time import monotonic
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit

from crawler.download import Download
from crawler.follow.log import HEAD, whole
from crawler.follow.record import Absent, NotHad

_PIECE = 1 << 16
_LONGEST = 900.0
"""Seconds that one file may take."""


class Web:
    """The files below an address, or beside its ``head.json``."""

    def __init__(self, address: str, download: Download) -> None:
        bare = urlsplit(address)._replace(query="", fragment="").geturl()
        self.name = f"{bare.removesuffix(HEAD).rstrip('/')}/"
        self._download = download

    def read(self, name: str, most: int) -> bytes:
        """As ``Files`` has it."""
        url, pieces, size, deadline = urljoin(self.name, name), [], 0, monotonic() + _LONGEST
        try:
            file = self._download.open(url)
            try:
                while size <= most and (piece := file.read(min(_PIECE, most + 1 - size))):
                    pieces.append(piece)
                    size += len(piece)
                    if monotonic() > deadline:
                        raise NotHad(f"{url}: it took more than {_LONGEST:.0f} s")
            finally:
                file.close()
        except (OSError, ValueError) as error:
            is_absent = isinstance(error.__cause__, HTTPError) and error.__cause__.code in (404, 410)
            raise (Absent if is_absent else NotHad)(str(error)) from error
        return whole(url, b"".join(pieces), most)
