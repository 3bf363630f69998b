"""Lines on stderr: one for each event, with a priority in front where the journal reads them (sd-daemon(3))."""

from __future__ import annotations

import logging
import os
import sys

ERROR, WARNING, INFO = 3, 4, 6
"""syslog's priorities."""
_OF_LEVEL = ((logging.ERROR, ERROR), (logging.WARNING, WARNING), (logging.NOTSET, INFO))


def say(text: str, priority: int = WARNING) -> None:
    """One event."""
    print(f"{mark(priority)}{' '.join(text.split())}", file=sys.stderr, flush=True)


def mark(priority: int) -> str:
    """What stands before a line: ``<4>`` where stderr is the journal, else nothing."""
    return f"<{priority}>" if is_journal() else ""


def is_journal() -> bool:
    """Whether systemd says that it reads our stderr, by the device and inode that it names."""
    named = os.environ.get("JOURNAL_STREAM", "")
    if not named:
        return False
    try:
        about = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):  # closed, or no file at all
        return False
    return named == f"{about.st_dev}:{about.st_ino}"


class OneLine(logging.Formatter):
    """Log records as single lines: of a traceback what it ends with."""

    def format(self, record: logging.LogRecord) -> str:
        """Priority, logger, message, cause."""
        priority = next(priority for level, priority in _OF_LEVEL if record.levelno >= level)
        cause = record.exc_info[1] if record.exc_info else None
        words = f"{record.name}: {record.getMessage()}" + (f": {cause!r}" if cause is not None else "")
        return mark(priority) + " ".join(words.split())


def handler() -> logging.Handler:
    """Scrapy's log as single lines on stderr."""
    made = logging.StreamHandler()
    made.setFormatter(OneLine())
    return made
