"""What search looks through in a packed month: the site's own list, ``assets/search.json``, of that month's posts.

It is read by search.js, month by month, when somebody looks further back than the hot window.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crawler.render.theme import Theme

_LIST = "assets/search.json"


def is_searched(theme: Theme) -> bool:
    """Whether the site has a list for its search at all: one that an older presskeep began has none."""
    return (theme.archive / _LIST).is_file()


def list_url(month: str) -> str:
    """Address of a packed month's list, ``"2022-05"``."""
    return f"/search/{month}.json"


def listed(theme: Theme, pages: Sequence[Any]) -> str:
    """The list of these posts, newest first, as Jekyll makes it of those in the hot window."""
    return theme.file(_LIST, site={"posts": pages})
