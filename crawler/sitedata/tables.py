"""Data files of the site: a line for each key, JSON that is YAML as well, in the order of the keys.

Git then sees lines come and go, and what stands in a file can be had back without a YAML parser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LONGEST = 1000
"""Characters of a key: YAML knows none beyond 1,024 on one line (section 7.4.2 of its specification)."""
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
# What JSON lets stand raw and YAML 1.1 does not call printable (section 5.1), and line breaks.


def table(rows: Mapping[str, Any]) -> bytes:
    """The file that holds these rows. Lone surrogates, which no UTF-8 file can hold, become U+FFFD."""
    lines = [f"{_json(key)}: {_json(value)}\n" for key, value in sorted(rows.items())]
    return "".join(lines or ["{}\n"]).encode()


def read_table(path: Path) -> dict[str, Any] | None:
    """The rows of a file, None where it is not there or not of this form: then it is to be made anew."""
    try:
        *lines, end = path.read_text(encoding="utf-8").split("\n")
        rows = json.loads("{}" if lines == ["{}"] else "{" + ",".join(lines) + "}")
    except (FileNotFoundError, ValueError):
        return None
    return rows if lines and not end and isinstance(rows, dict) else None


def is_key(text: str) -> bool:
    """Whether a row may be called so."""
    return len(_json(text)) <= _LONGEST


def _json(value: Any) -> str:
    return _UNSAFE.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return "\\ufffd" if 0xD800 <= code < 0xE000 else f"\\u{code:04x}"
