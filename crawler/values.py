"""Checked values that a source's YAML is made of: addresses, templates, patterns, zones, spans.

Each is a type for pydantic models; a wrong value raises ValueError with what was expected.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator

from crawler.extract.charset import is_charset
from crawler.networks import network
from crawler.schedule import parse_span
from crawler.yamlfile import near

ADDRESS_PLACES = frozenset({"key", "code", "url", "source", "space"})
"""What an address template may name: the key, the list's second id, the listed address, the source, the key's space."""
POST_PLACES = frozenset({"outlet", "slug", "section", "section_slug", "source", "name", "key", "space"})
"""What a post's category and tags may name: the credited outlet and its slug, the site's own section and its slug, id
and name of the source, key and its space."""
FILE_PLACES = frozenset({"key", "space", "source"})
"""What a post's file name may name."""


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from error
    return value


def _address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise ValueError("expected an address that begins with http:// or https://")
    return value


def _template(places: frozenset[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            parts = [part for part in string.Formatter().parse(value) if part[1] is not None]
        except ValueError as error:
            raise ValueError(f"no template: {error}") from error
        if any(form or conversion for _, _, form, conversion in parts):
            raise ValueError("no template: a placeholder is a bare name in braces")
        names = {str(name) for _, name, _, _ in parts}
        if unknown := names - places:
            wrong = sorted(unknown)[0]
            raise ValueError(f"unknown placeholder {{{wrong}}}.{near(wrong, places)}")
        return value

    return check


def _encoding(value: str) -> str:
    if value and not is_charset(value):
        raise ValueError("no character encoding that Python knows")
    return value


def _network(value: str) -> str:
    return (network(value), value)[1]


@cache
def _zones() -> frozenset[str]:
    """Names of all zones; it takes the system's whole database to know them."""
    return frozenset(available_timezones())


def _zone(value: str) -> str:
    if value not in _zones():
        raise ValueError(f"no IANA time zone.{near(value, _zones())[:80]}")
    return value


Regex = Annotated[str, AfterValidator(_regex)]
Address = Annotated[str, AfterValidator(_address)]
AddressTemplate = Annotated[str, AfterValidator(_template(ADDRESS_PLACES))]
PostTemplate = Annotated[str, AfterValidator(_template(POST_PLACES))]
FileTemplate = Annotated[str, AfterValidator(_template(FILE_PLACES))]
Zone = Annotated[str, AfterValidator(_zone)]
Many = BeforeValidator(
    lambda value: [value] if isinstance(value, str) else value, json_schema_input_type=str | list[str]
)
Span = Annotated[str, AfterValidator(lambda value: (parse_span(value), value)[1])]
Charset = Annotated[str, AfterValidator(_encoding)]
Network = Annotated[str, AfterValidator(_network)]
