"""The files of an archive that the site publishes as they are: a list of what is served, not of what is not."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from crawler.serve.answer import Answer

KINDS = {
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_FOLDERS = frozenset({"assets", "images"})
_AT_THE_TOP = {
    "/apple-touch-icon.png": "image/png",
    "/favicon.ico": "image/x-icon",
    "/favicon.png": "image/png",
    "/favicon.svg": "image/svg+xml",
    "/health.xml": "application/atom+xml; charset=utf-8",
    "/robots.txt": "text/plain; charset=utf-8",
}


def static_file(archive: Path, address: str) -> Answer | None:
    """A file of the site; None for all else, be it there or not. ``address``: below the site's root, decoded."""
    parts = PurePosixPath(address).parts[1:]
    if parts[0] in _FOLDERS and len(parts) > 1 and not any(part.startswith(".") for part in parts):
        kind = KINDS.get(PurePosixPath(address).suffix.lower(), "")
    else:
        kind = _AT_THE_TOP.get(address, "")
    path = archive.joinpath(*parts)
    try:
        if not kind or not path.is_file() or not path.resolve().is_relative_to(archive.resolve()):
            return None
        return Answer(path.read_bytes(), kind, changed=path.stat().st_mtime)
    except OSError:  # a name too long for any file, or one that may not be read
        return None
